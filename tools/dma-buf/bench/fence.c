// SPDX-License-Identifier: GPL-2.0
/*
 * Fences as user space meets them: buffers that are busy, sync_files, sw_sync.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <linux/dma-buf.h>
#include <linux/sync_file.h>

#include "run.h"
#include "../../../drivers/dma-buf/selftests/bench.h"

/* ---- busy buffers ---- */

static void add_fences(struct run *run, bool write)
{
	struct dmabuf_bench_fences fences = { run->aux, run->op->n, write };

	must(run, !ioctl(run->fd, DMABUF_BENCH_IOC_FENCES, &fences));
}

static int signal_fences(const struct run *run, unsigned long nr)
{
	return ioctl(run->fd, DMABUF_BENCH_IOC_SIGNAL, nr);
}

/* n readers, who stay. */
static void readers_begin(struct run *run)
{
	null_begin(run);
	add_fences(run, false);
}

static void readers_sync_once(struct run *run)
{
	sync_pair(run, run->aux);
}

/* Only writers matter, so the answer is yes. */
static void poll_in_once(struct run *run)
{
	struct pollfd pollfd = { run->aux, POLLIN, 0 };
	int ret;

	start(run);
	ret = poll(&pollfd, 1, 0);
	stop(run);
	must(run, ret == 1);
}

/* The answer is no. After the first time the buffer has its callback already. */
static void poll_out_once(struct run *run)
{
	struct pollfd pollfd = { run->aux, POLLOUT, 0 };
	int ret;

	start(run);
	ret = poll(&pollfd, 1, 0);
	stop(run);
	must(run, !ret);
}

/* Each of n fences that signal one by one, and nobody looks on. */
static void signal_once(struct run *run)
{
	double before = run->ticks;
	unsigned int i;

	add_fences(run, false);
	usleep(SETTLE_US);	/* The fences of the last time are freed. */
	start(run);
	for (i = 0; i < run->op->n; i++)
		signal_fences(run, 1);
	stop(run);
	per_item(run, before, run->op->n);
}

static void epoll_begin(struct run *run)
{
	null_begin(run);
	run->other = epoll_create1(EPOLL_CLOEXEC);
	must(run, run->other >= 0);
}

/* The same with somebody who asks each time whether the buffer is free. */
static void epoll_once(struct run *run)
{
	struct epoll_event event = { .events = EPOLLOUT };
	double before = run->ticks;
	unsigned int i;
	int ready = 0;

	add_fences(run, false);
	must(run, !epoll_ctl(run->other, EPOLL_CTL_ADD, run->aux, &event));
	must(run, !epoll_wait(run->other, &event, 1, 0));
	start(run);
	for (i = 0; i < run->op->n; i++) {
		signal_fences(run, 1);
		ready += epoll_wait(run->other, &event, 1, 0);
	}
	stop(run);
	must(run, ready == 1);
	must(run, !epoll_ctl(run->other, EPOLL_CTL_DEL, run->aux, NULL));
	per_item(run, before, run->op->n);
}

/* ---- sync_files ---- */

static int sync_file(struct run *run, unsigned int n)
{
	int fd = ioctl(run->fd, DMABUF_BENCH_IOC_SYNC_FILE, (unsigned long)n);

	must(run, fd >= 0);
	return fd;
}

static void export_sync_file_once(struct run *run)
{
	struct dma_buf_export_sync_file arg = { .flags = DMA_BUF_SYNC_RW };
	int ret;

	start(run);
	ret = ioctl(run->aux, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg);
	close(arg.fd);
	stop(run);
	must(run, !ret);
}

/* A sync_file of n fences. */
static void import_sync_file_begin(struct run *run)
{
	null_begin(run);
	run->other = sync_file(run, run->op->n);
}

/* Into a buffer that has its fences from the time before. */
static void import_sync_file_once(struct run *run)
{
	struct dma_buf_import_sync_file arg = { DMA_BUF_SYNC_READ, run->other };
	int ret;

	start(run);
	ret = ioctl(run->aux, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &arg);
	stop(run);
	must(run, !ret);
}

/* Two sync_files of n fences each, of different timelines. */
static void merge_begin(struct run *run)
{
	device_begin(run);
	run->aux = sync_file(run, run->op->n);
	run->other = sync_file(run, run->op->n);
}

static void merge_once(struct run *run)
{
	struct sync_merge_data data = { .name = "bench", .fd2 = run->other };
	int ret;

	start(run);
	ret = ioctl(run->aux, SYNC_IOC_MERGE, &data);
	close(data.fence);
	stop(run);
	must(run, !ret);
}

static void info_begin(struct run *run)
{
	device_begin(run);
	run->aux = sync_file(run, run->op->n);
	run->mem = calloc(run->op->n, sizeof(struct sync_fence_info));
	must(run, run->mem);
}

static void info_once(struct run *run)
{
	struct sync_file_info info = {
		.num_fences = run->op->n,
		.sync_fence_info = (uintptr_t)run->mem,
	};
	int ret;

	start(run);
	ret = ioctl(run->aux, SYNC_IOC_FILE_INFO, &info);
	stop(run);
	must(run, !ret && info.num_fences == run->op->n);
}

/* ---- sw_sync, whose interface is in no header ---- */

struct sw_sync_create_fence_data {
	uint32_t value;
	char name[32];
	int32_t fence;
};

#define SW_SYNC_IOC_CREATE_FENCE	_IOWR('W', 0, struct sw_sync_create_fence_data)
#define SW_SYNC_IOC_INC			_IOW('W', 1, uint32_t)

/* So many fences that what RCU has left of them would show in the next figure. */
#define MANY	512

static void sw_sync_begin(struct run *run)
{
	run->fd = open("/sys/kernel/debug/sync/sw_sync", O_RDWR);
	must(run, run->fd >= 0);
	if (run->op->n >= MANY) {
		run->other = open(DMABUF_BENCH_DEVICE_PATH, O_RDWR);
		must(run, run->other >= 0);
	}
	run->mem = calloc(run->op->n ? run->op->n : 1, sizeof(int));
	must(run, run->mem);
}

static int sw_sync_fence(struct run *run)
{
	struct sw_sync_create_fence_data data = { .value = ++run->value, .name = "bench" };

	return ioctl(run->fd, SW_SYNC_IOC_CREATE_FENCE, &data) ? -1 : data.fence;
}

static void sw_sync_create_once(struct run *run)
{
	int fd;

	start(run);
	fd = sw_sync_fence(run);
	close(fd);
	stop(run);
	must(run, fd >= 0);
}

static void sw_sync_inc_once(struct run *run)
{
	uint32_t one = 1;
	int fd = sw_sync_fence(run);
	int ret;

	must(run, fd >= 0);
	start(run);
	ret = ioctl(run->fd, SW_SYNC_IOC_INC, &one);
	stop(run);
	must(run, !ret);
	close(fd);
}

/* Each of n fences that one step of the timeline signals. */
static void sw_sync_bulk_once(struct run *run)
{
	double before = run->ticks;
	uint32_t n = run->op->n, i;
	int *fds = run->mem;
	int ret;

	for (i = 0; i < n; i++)
		fds[i] = sw_sync_fence(run);
	must(run, fds[n - 1] >= 0);
	if (n >= MANY)
		must(run, !ioctl(run->other, DMABUF_BENCH_IOC_FLUSH_RCU));
	start(run);
	ret = ioctl(run->fd, SW_SYNC_IOC_INC, &n);
	stop(run);
	must(run, !ret);
	for (i = 0; i < n; i++)
		close(fds[i]);
	per_item(run, before, n);
}

#define GROWTH	{ 1, 8, 16, 64, 256, 512, 1024, 4096 }

const struct op fence_ops[] = {
	{ "sync.pair.readers",	readers_begin,	readers_sync_once, .sizes = GROWTH },
	{ "poll.in.readers",	readers_begin,	poll_in_once, .sizes = GROWTH },
	{ "poll.out.readers",	readers_begin,	poll_out_once, .sizes = GROWTH },
	{ "signal.no_poller",	null_begin,	signal_once, .times = 5, .sizes = GROWTH },
	{ "epoll.signal",	epoll_begin,	epoll_once, .sizes = GROWTH },

	{ "export_sync_file.idle", null_begin,	export_sync_file_once },
	{ "export_sync_file",	readers_begin,	export_sync_file_once, .sizes = GROWTH },
	{ "import_sync_file",	import_sync_file_begin, import_sync_file_once, .sizes = GROWTH },
	{ "sync_file.merge",	merge_begin,	merge_once, .sizes = GROWTH },
	{ "sync_file.info",	info_begin,	info_once, .sizes = GROWTH },

	{ "sw_sync.create_close", sw_sync_begin, sw_sync_create_once },
	{ "sw_sync.inc",	sw_sync_begin,	sw_sync_inc_once },
	{ "sw_sync.inc_bulk",	sw_sync_begin,	sw_sync_bulk_once,
	  .sizes = { 1, 8, 64, 512, 4096 } },
	{ NULL }
};
