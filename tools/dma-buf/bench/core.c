// SPDX-License-Identifier: GPL-2.0
/*
 * The core of the buffers, without an exporter's work: buffers of the bench device. With the
 * floors: what the same kernel takes for less.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <linux/dma-buf.h>

#include "run.h"
#include "../../../drivers/dma-buf/selftests/bench.h"

/* ---- floors ---- */

static void getppid_once(struct run *run)
{
	start(run);
	getppid();
	stop(run);
}

static void dup_close_once(struct run *run)
{
	int fd;

	start(run);
	fd = dup(1);
	close(fd);
	stop(run);
}

static void eventfd_once(struct run *run)
{
	int fd;

	start(run);
	fd = eventfd(0, 0);
	close(fd);
	stop(run);
	must(run, fd >= 0);
}

static void eventfd_begin(struct run *run)
{
	run->aux = eventfd(1, 0);
	must(run, run->aux >= 0);
}

static void anon_once(struct run *run)
{
	void *map;

	start(run);
	map = mmap(NULL, run->op->size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(map, run->op->size);
	stop(run);
	must(run, map != MAP_FAILED);
}

/* Each page of memory that is touched for the first time, huge pages or not (arg). */
static void anon_touch_once(struct run *run)
{
	int advice = strcmp(run->op->arg, "huge") ? MADV_NOHUGEPAGE : MADV_HUGEPAGE;
	size_t size = run->op->size;
	double before = run->ticks;
	char *map, *aligned;

	map = mmap(NULL, size + MIB(2), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(run, map != MAP_FAILED);
	aligned = (char *)(((uintptr_t)map + MIB(2) - 1) & ~(MIB(2) - 1));
	must(run, !madvise(aligned, size, advice));
	start(run);
	touch(aligned, size);
	stop(run);
	munmap(map, size + MIB(2));
	per_item(run, before, size / PAGE);
}

/* ---- the bench device ---- */

void device_begin(struct run *run)
{
	run->fd = open(DMABUF_BENCH_DEVICE_PATH, O_RDWR);
	must(run, run->fd >= 0);
}

static void nop_once(struct run *run)
{
	start(run);
	ioctl(run->fd, DMABUF_BENCH_IOC_NOP);
	stop(run);
}

/* The offset that tells the device how to map. */
static off_t way_offset(const char *name)
{
	static const char * const ways[] = {
		[DMABUF_BENCH_MAP_REMAP]	= "remap",
		[DMABUF_BENCH_MAP_PMD]		= "pmd",
		[DMABUF_BENCH_MAP_APPLY]	= "apply",
		[DMABUF_BENCH_MAP_INSERT]	= "insert",
	};
	size_t i = 0;

	while (strcmp(ways[i], name))
		i++;
	return i * DMABUF_BENCH_MAP_SIZE;
}

/* A mapping of the device whose pages are all touched. */
static void device_map_once(struct run *run)
{
	off_t offset = way_offset(run->op->arg);
	void *map;

	start(run);
	map = mmap(NULL, DMABUF_BENCH_MAP_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, run->fd,
		   offset);
	must(run, map != MAP_FAILED);
	touch(map, DMABUF_BENCH_MAP_SIZE);
	munmap(map, DMABUF_BENCH_MAP_SIZE);
	stop(run);
}

static void export_once(struct run *run)
{
	int fd;

	start(run);
	fd = ioctl(run->fd, DMABUF_BENCH_IOC_EXPORT);
	close(fd);
	stop(run);
	must(run, fd >= 0);
}

/* n buffers that stay. */
static void existing_begin(struct run *run)
{
	unsigned int i;

	device_begin(run);
	for (i = 0; i < run->op->n; i++) {
		run->aux = ioctl(run->fd, DMABUF_BENCH_IOC_EXPORT);
		must(run, run->aux >= 0);
	}
}

/*
 * Buffers that stay long enough for what the kernel puts off until later: the mean of a hundred
 * exports (arg "export") or of as many closes.
 */
static void kept_once(struct run *run)
{
	bool exports = !strcmp(run->op->arg, "export");
	double before = run->ticks;
	int fds[100];
	size_t i;

	start(run);
	for (i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = ioctl(run->fd, DMABUF_BENCH_IOC_EXPORT);
	if (exports)
		stop(run);
	must(run, fds[ARRAY_SIZE(fds) - 1] >= 0);
	usleep(SETTLE_US);

	if (!exports)
		start(run);
	for (i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	if (!exports)
		stop(run);
	per_item(run, before, ARRAY_SIZE(fds));
}

/* Let the kernel do operation @name on buffer @fd; it measures itself. */
void kernel_times(struct run *run, const char *name, int fd, unsigned int times)
{
	struct dmabuf_bench_run arg = { .fd = fd, .n = run->op->n, .times = times };
	int ret;

	snprintf(arg.op, sizeof(arg.op), "%s", name);
	ret = ioctl(run->fd, DMABUF_BENCH_IOC_RUN, &arg);
	if (ret && errno == EOPNOTSUPP)
		skip(run, "the kernel does not have it");
	must(run, !ret);
	run->ticks += (double)arg.cycles / arg.items;
}

/* One call of the kernel's does not take longer than this, unless the operation does. */
#define CALL_TICKS	5000000ULL
/* The kernel's operations are many, and repeat well. */
#define KERNEL_BUDGET	35000000ULL

/* Once is the mean of a hundred, of ten, or once, by what that takes with its preparations. */
void kernel_begin(struct run *run)
{
	unsigned int repeats;
	uint64_t began;

	device_begin(run);
	run->budget = KERNEL_BUDGET;
	for (repeats = 1; repeats <= 100; repeats *= 10) {
		began = __rdtsc();
		kernel_times(run, run->op->arg, -1, repeats);
		if (__rdtsc() - began > CALL_TICKS)
			break;
		run->repeats = repeats;
	}
}

void kernel_once(struct run *run)
{
	kernel_times(run, run->op->arg, -1, run->repeats);
}

/* A buffer of the device's. */
void null_begin(struct run *run)
{
	device_begin(run);
	run->aux = ioctl(run->fd, DMABUF_BENCH_IOC_EXPORT);
	must(run, run->aux >= 0);
}

void sync_pair(struct run *run, int fd)
{
	struct dma_buf_sync begin = { DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ };
	struct dma_buf_sync end = { DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ };
	int ret;

	start(run);
	ret = ioctl(fd, DMA_BUF_IOCTL_SYNC, &begin);
	ret |= ioctl(fd, DMA_BUF_IOCTL_SYNC, &end);
	stop(run);
	must(run, !ret);
}

static void null_sync_once(struct run *run)
{
	sync_pair(run, run->aux);
}

static void poll_once(struct run *run)
{
	struct pollfd pollfd = { run->aux, POLLIN, 0 };
	int ret;

	start(run);
	ret = poll(&pollfd, 1, 0);
	stop(run);
	must(run, ret == 1 && pollfd.revents == POLLIN);
}

static void set_name_once(struct run *run)
{
	int ret;

	start(run);
	ret = ioctl(run->aux, DMA_BUF_SET_NAME, "bench");
	stop(run);
	must(run, !ret);
}

/* ---- what the kernel tells ---- */

/* All of @path, to nowhere. */
static void read_file(struct run *run, const char *path)
{
	char buffer[KIB(64)];
	ssize_t len;
	int fd;

	start(run);
	fd = open(path, O_RDONLY);
	while ((len = read(fd, buffer, sizeof(buffer))) > 0)
		;
	close(fd);
	stop(run);
	must(run, fd >= 0 && !len);
}

static void fdinfo_once(struct run *run)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", run->aux);
	read_file(run, path);
}

static void bufinfo_once(struct run *run)
{
	read_file(run, "/sys/kernel/debug/dma_buf/bufinfo");
}

const struct op core_ops[] = {
	{ "floor.getppid",		NULL,		getppid_once },
	{ "floor.dup_close",		NULL,		dup_close_once },
	{ "floor.ioctl_nop",		device_begin,	nop_once },
	{ "floor.eventfd_create_close",	NULL,		eventfd_once },
	{ "floor.poll_eventfd",		eventfd_begin,	poll_once },
	{ "floor.fdinfo_eventfd",	eventfd_begin,	fdinfo_once },
	{ "floor.anon_mmap_munmap.4K",	NULL,		anon_once, PAGE },
	{ "floor.anon_touch_page.4K",	NULL,		anon_touch_once, MIB(16), "small" },
	{ "floor.anon_touch_page.huge",	NULL,		anon_touch_once, MIB(16), "huge" },

	{ "floor.mmap_touch_munmap.64M.remap",	device_begin, device_map_once, 0, "remap" },
	{ "floor.mmap_touch_munmap.64M.pmd",	device_begin, device_map_once, 0, "pmd" },
	{ "floor.mmap_touch_munmap.64M.apply",	device_begin, device_map_once, 0, "apply" },
	{ "floor.mmap_touch_munmap.64M.insert",	device_begin, device_map_once, 0, "insert" },

	{ "export.fd_close",		device_begin,	export_once },
	{ "export.fd_close.existing",	existing_begin,	export_once, 0, NULL, 0,
	  { 1, 64, 512, 4096, 10000 } },
	{ "export.kept",		device_begin,	kept_once, 0, "export", 20 },
	{ "export.kept_close",		device_begin,	kept_once, 0, "close", 20 },
	{ "core.sync_pair",		null_begin,	null_sync_once },
	{ "core.poll",			null_begin,	poll_once },
	{ "core.set_name",		null_begin,	set_name_once },
	{ "core.fdinfo",		null_begin,	fdinfo_once },
	{ "core.bufinfo",		existing_begin,	bufinfo_once, 0, NULL, 0,
	  { 1, 64, 512, 1000, 4096 } },
	{ NULL }
};
