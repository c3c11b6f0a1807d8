// SPDX-License-Identifier: GPL-2.0
/*
 * bench: what operations on dma-bufs cost, in ticks of the time stamp counter.
 *
 *   bench [PATTERN...]   measure the operations whose name matches a pattern (all)
 *   bench -f FILE        the same with the patterns, one a line, in FILE
 *   bench -l             list the operations
 *
 * One line an operation, fields separated by tabs:
 *
 *   NAME  ok     MEDIAN  MINIMUM  MEAN  BATCHES  TIMES
 *   NAME  skip   REASON     the kernel does not have what it takes
 *   NAME  error  REASON
 *
 * Where the counter counts instructions (QEMU's -icount), so do the figures.
 *
 * Vocabulary: an operation is done *once*, a number of *times* in a *batch*. The figure of a
 * batch is the mean of its times, so that work which is put off and done for several at once
 * counts; the figure of an operation is the median of its batches, so that what the machine
 * did meanwhile does not.
 *
 * Every operation runs in a process of its own, that begins with nothing open. To add one:
 * a function that does it once, between start() and stop(), and one line in ops[].
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <x86intrin.h>

#include "../../../drivers/dma-buf/selftests/bench.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define KIB(n)		((size_t)(n) << 10)
#define MIB(n)		((size_t)(n) << 20)
#define PAGE		KIB(4)

#define BATCHES		7
#define BATCHES_SLOW	3
#define MAX_TIMES	10000
/* Ticks that an operation may take, all batches together; at least one a batch. */
#define BUDGET		280000000ULL
/* Past this an operation is done only once in each of a few batches. */
#define SLOW		40000000ULL
/* How long work that an operation has left to others gets, in microseconds. */
#define SETTLE_US	100000

struct op;

/* The run of one operation in its process. */
struct run {
	const struct op *op;
	int fd;			/* the heap, device or buffer that it works on */
	int aux;		/* a second one */
	uint64_t began;
	uint64_t ticks;		/* of the batch so far */
	uint32_t value;
};

/* size: bytes of the buffer. arg: what the functions of an operation want to know. */
struct op {
	const char *name;
	void (*begin)(struct run *run);
	void (*once)(struct run *run);
	size_t size;
	const char *arg;
	unsigned int times;	/* of a batch; 0: by the budget */
};

static uint64_t overhead;

static void start(struct run *run)
{
	run->began = __rdtsc();
}

static void stop(struct run *run)
{
	run->ticks += __rdtsc() - run->began - overhead;
}

/* Report that the operation cannot be measured, and end its process. */
static noreturn void give_up(const struct run *run, const char *word, const char *reason)
{
	printf("%s\t%s\t%s\n", run->op->name, word, reason);
	fflush(stdout);
	_exit(0);
}

#define skip(run, reason)	give_up(run, "skip", reason)

static noreturn void broken(const struct run *run, const char *condition)
{
	char reason[256];

	snprintf(reason, sizeof(reason), "not true: %s (%s)", condition, strerror(errno));
	give_up(run, "error", reason);
}

#define must(run, condition)			\
	do {					\
		if (!(condition))		\
			broken(run, #condition);	\
	} while (0)

/* A write to each page. */
static void touch(void *map, size_t size)
{
	char *byte = map;
	size_t i;

	for (i = 0; i < size; i += PAGE)
		byte[i] = 1;
	asm volatile("" : : "r"(map) : "memory");	/* Somebody reads them. */
}

/* ---- floors: what the same kernel takes for less ---- */

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

/* ---- the bench device: the core, without an exporter's work ---- */

static void device_begin(struct run *run)
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

static void export_once(struct run *run)
{
	int fd;

	start(run);
	fd = ioctl(run->fd, DMABUF_BENCH_IOC_EXPORT);
	close(fd);
	stop(run);
	must(run, fd >= 0);
}

/*
 * Buffers that stay long enough for what the kernel puts off until later: the mean of a hundred
 * exports (arg "export") or of as many closes.
 */
static void kept_once(struct run *run)
{
	bool exports = !strcmp(run->op->arg, "export");
	uint64_t before = run->ticks;
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
	run->ticks = before + (run->ticks - before) / ARRAY_SIZE(fds);
}

/* Let the kernel do operation @name on buffer @fd; it measures itself. */
static void kernel_times(struct run *run, const char *name, int fd, unsigned int times)
{
	struct dmabuf_bench_run arg = { .fd = fd, .times = times };

	snprintf(arg.op, sizeof(arg.op), "%s", name);
	must(run, !ioctl(run->fd, DMABUF_BENCH_IOC_RUN, &arg));
	run->ticks += arg.cycles / times;
}

/* An operation of nanoseconds: once is the mean of a hundred. */
static void kernel_once(struct run *run)
{
	kernel_times(run, run->op->arg, -1, 100);
}

/* The same on a buffer of the device's. */
static void null_begin(struct run *run)
{
	device_begin(run);
	run->aux = ioctl(run->fd, DMABUF_BENCH_IOC_EXPORT);
	must(run, run->aux >= 0);
}

static void null_once(struct run *run)
{
	kernel_times(run, run->op->arg, run->aux, 100);
}

static void sync_pair(struct run *run, int fd)
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

/* ---- heaps ---- */

#define POOL_PARAMETER	"/sys/module/system_heap/parameters/pool_mb"

static int heap_alloc(int heap, size_t size)
{
	struct dma_heap_allocation_data data = {
		.len = size,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};

	return ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data) ? -1 : (int)data.fd;
}

static void heap_begin(struct run *run)
{
	run->fd = open("/dev/dma_heap/system", O_RDWR);
	must(run, run->fd >= 0);
}

/* The heap that is not the system heap is that of the CMA area, whatever its name. */
static void cma_begin(struct run *run)
{
	DIR *dir = opendir("/dev/dma_heap");
	struct dirent *entry;

	must(run, dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, "system"))
			break;
	if (!entry)
		skip(run, "no CMA heap");
	run->fd = openat(dirfd(dir), entry->d_name, O_RDWR);
	must(run, run->fd >= 0);
}

static void heap_once(struct run *run)
{
	int fd;

	start(run);
	fd = heap_alloc(run->fd, run->op->size);
	close(fd);
	stop(run);
	must(run, fd >= 0);
}

static void pool_set(struct run *run, const char *mib)
{
	int fd = open(POOL_PARAMETER, O_WRONLY);

	if (fd < 0)
		skip(run, "no pool");
	must(run, write(fd, mib, strlen(mib)) == (ssize_t)strlen(mib));
	close(fd);
}

static void pool_begin(struct run *run)
{
	heap_begin(run);
	pool_set(run, "256");
	usleep(10 * SETTLE_US);
}

/* Each time the pool is full again. */
static void pool_once(struct run *run)
{
	usleep(SETTLE_US);
	heap_once(run);
}

/* A buffer of the operation's size: aux, on the system heap. */
static void buffer_begin(struct run *run)
{
	heap_begin(run);
	run->aux = heap_alloc(run->fd, run->op->size);
	must(run, run->aux >= 0);
}

static void *map_shared(const struct run *run)
{
	return mmap(NULL, run->op->size, PROT_READ | PROT_WRITE, MAP_SHARED, run->aux, 0);
}

static void mmap_once(struct run *run)
{
	void *map;

	start(run);
	map = map_shared(run);
	stop(run);
	must(run, map != MAP_FAILED);
	must(run, !munmap(map, run->op->size));
}

static void mmap_munmap_once(struct run *run)
{
	void *map;

	start(run);
	map = map_shared(run);
	munmap(map, run->op->size);
	stop(run);
	must(run, map != MAP_FAILED);
}

static void touch_once(struct run *run)
{
	void *map;

	start(run);
	map = map_shared(run);
	must(run, map != MAP_FAILED);
	touch(map, run->op->size);
	munmap(map, run->op->size);
	stop(run);
}

static void buffer_sync_once(struct run *run)
{
	sync_pair(run, run->aux);
}

/* A buffer of the heap, and the device to import it. */
static void import_begin(struct run *run)
{
	buffer_begin(run);
	close(run->fd);
	device_begin(run);
}

/* Ten at a time, so that what vmalloc puts off is in. */
static void import_once(struct run *run)
{
	kernel_times(run, run->op->arg, run->aux, 10);
}

/* ---- udmabuf ---- */

/*
 * A memfd of the operation's size with all its pages, which come from where arg says:
 *
 *   shmem      pages in the order in which the kernel hands them out: many lie side by side
 *   scattered  the even pages first: no two neighbours of the file are neighbours in memory
 *   hugetlb    huge pages
 */
static int memfd_filled(struct run *run)
{
	bool huge = !strcmp(run->op->arg, "hugetlb");
	bool scattered = !strcmp(run->op->arg, "scattered");
	size_t size = run->op->size, offset;
	int memfd;

	memfd = memfd_create("bench", MFD_CLOEXEC | MFD_ALLOW_SEALING | (huge ? MFD_HUGETLB : 0));
	must(run, memfd >= 0);
	must(run, !ftruncate(memfd, size));
	for (offset = 0; scattered && offset < size; offset += 2 * PAGE)
		must(run, !fallocate(memfd, 0, offset, PAGE));
	must(run, !fallocate(memfd, 0, 0, size));
	must(run, !fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK));
	return memfd;
}

static void memfd_begin(struct run *run)
{
	device_begin(run);
	run->aux = memfd_filled(run);
}

static void memfd_pin_once(struct run *run)
{
	kernel_times(run, "memfd_pin", run->aux, 1);
}

static int udmabuf_create(const struct run *run)
{
	struct udmabuf_create create = {
		.memfd = run->aux,
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.size = run->op->size,
	};

	return ioctl(run->fd, UDMABUF_CREATE, &create);
}

static void udmabuf_begin(struct run *run)
{
	run->fd = open("/dev/udmabuf", O_RDWR);
	must(run, run->fd >= 0);
	run->aux = memfd_filled(run);
}

static void udmabuf_once(struct run *run)
{
	int fd;

	start(run);
	fd = udmabuf_create(run);
	close(fd);
	stop(run);
	must(run, fd >= 0);
}

/* The buffer takes the place of the memfd, which it keeps. */
static void udmabuf_buffer_begin(struct run *run)
{
	int fd;

	udmabuf_begin(run);
	fd = udmabuf_create(run);
	must(run, fd >= 0);
	close(run->aux);
	run->aux = fd;
}

static void udmabuf_import_begin(struct run *run)
{
	udmabuf_buffer_begin(run);
	close(run->fd);
	device_begin(run);
}

static void first_sync_once(struct run *run)
{
	struct dma_buf_sync begin = { DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ };
	struct dma_buf_sync end = { DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ };
	int fd = udmabuf_create(run);
	int ret;

	must(run, fd >= 0);
	start(run);
	ret = ioctl(fd, DMA_BUF_IOCTL_SYNC, &begin);
	stop(run);
	must(run, !ret);
	must(run, !ioctl(fd, DMA_BUF_IOCTL_SYNC, &end));
	close(fd);
}

static void udmabuf_import_once(struct run *run)
{
	kernel_times(run, "import", run->aux, 1);
}

static void udmabuf_vmap_once(struct run *run)
{
	kernel_times(run, "vmap", run->aux, 10);
}

/* The first of all has been. */
static void udmabuf_sync_begin(struct run *run)
{
	udmabuf_buffer_begin(run);
	sync_pair(run, run->aux);
}

/* ---- sw_sync, whose interface is in no header ---- */

struct sw_sync_create_fence_data {
	uint32_t value;
	char name[32];
	int32_t fence;
};

#define SW_SYNC_IOC_CREATE_FENCE	_IOWR('W', 0, struct sw_sync_create_fence_data)
#define SW_SYNC_IOC_INC			_IOW('W', 1, uint32_t)

static void sw_sync_begin(struct run *run)
{
	run->fd = open("/sys/kernel/debug/sync/sw_sync", O_RDWR);
	must(run, run->fd >= 0);
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

/* ---- all of them ---- */

static const struct op ops[] = {
	{ "floor.getppid",		NULL,		getppid_once },
	{ "floor.dup_close",		NULL,		dup_close_once },
	{ "floor.ioctl_nop",		device_begin,	nop_once },
	{ "floor.eventfd_create_close",	NULL,		eventfd_once },
	{ "floor.anon_mmap_munmap.4K",	NULL,		anon_once, PAGE },
	{ "floor.memfd_pin_unpin.shmem.256M",
	  memfd_begin, memfd_pin_once, MIB(256), "shmem" },
	{ "floor.memfd_pin_unpin.hugetlb.128M",
	  memfd_begin, memfd_pin_once, MIB(128), "hugetlb" },
	{ "floor.memfd_mmap_touch_munmap.hugetlb.128M",
	  memfd_begin, touch_once, MIB(128), "hugetlb" },

	{ "export.fd_close",		device_begin,	export_once },
	{ "export.kept",		device_begin,	kept_once, 0, "export", 20 },
	{ "export.kept_close",		device_begin,	kept_once, 0, "close", 20 },
	{ "export.put",			device_begin,	kernel_once, 0, "export" },
	{ "core.attach_detach",		null_begin,	null_once, 0, "attach" },
	{ "core.map_unmap",		null_begin,	null_once, 0, "map" },
	{ "core.vmap_vunmap",		null_begin,	null_once, 0, "vmap" },
	{ "core.sync_pair",		null_begin,	null_sync_once },
	{ "fence.alloc_signal_put",	device_begin,	kernel_once, 0, "fence" },
	{ "resv.lock_unlock",		device_begin,	kernel_once, 0, "resv_lock" },
	{ "resv.stream",		device_begin,	kernel_once, 0, "resv_stream" },

	{ "heap.alloc_close.4K",	heap_begin,	heap_once, KIB(4) },
	{ "heap.alloc_close.64K",	heap_begin,	heap_once, KIB(64) },
	{ "heap.alloc_close.1M",	heap_begin,	heap_once, MIB(1) },
	{ "heap.alloc_close.64M",	heap_begin,	heap_once, MIB(64) },
	{ "heap.mmap.4K",		buffer_begin,	mmap_once, KIB(4) },
	{ "heap.mmap.64M",		buffer_begin,	mmap_once, MIB(64) },
	{ "heap.mmap_munmap.4K",	buffer_begin,	mmap_munmap_once, KIB(4) },
	{ "heap.mmap_munmap.64M",	buffer_begin,	mmap_munmap_once, MIB(64) },
	{ "heap.mmap_touch_munmap.4K",	buffer_begin,	touch_once, KIB(4) },
	{ "heap.mmap_touch_munmap.1M",	buffer_begin,	touch_once, MIB(1) },
	{ "heap.mmap_touch_munmap.64M",	buffer_begin,	touch_once, MIB(64) },
	{ "heap.vmap_vunmap.4K",	import_begin,	import_once, KIB(4), "vmap" },
	{ "heap.vmap_vunmap.64K",	import_begin,	import_once, KIB(64), "vmap" },
	{ "heap.vmap_vunmap.1M",	import_begin,	import_once, MIB(1), "vmap" },
	{ "heap.vmap_vunmap.64M",	import_begin,	import_once, MIB(64), "vmap" },
	{ "heap.import.4K",		import_begin,	import_once, KIB(4), "import" },
	{ "heap.import.64M",		import_begin,	import_once, MIB(64), "import" },
	{ "heap.map_unmap.64M",		import_begin,	import_once, MIB(64), "map" },
	{ "heap.sync_pair.64M",		buffer_begin,	buffer_sync_once, MIB(64) },
	{ "cma.alloc_close.4K",		cma_begin,	heap_once, KIB(4) },
	{ "cma.alloc_close.4M",		cma_begin,	heap_once, MIB(4) },

	{ "udmabuf.create_close.shmem.4K",
	  udmabuf_begin, udmabuf_once, KIB(4), "shmem" },
	{ "udmabuf.create_close.shmem.1M",
	  udmabuf_begin, udmabuf_once, MIB(1), "shmem" },
	{ "udmabuf.create_close.shmem.256M",
	  udmabuf_begin, udmabuf_once, MIB(256), "shmem" },
	{ "udmabuf.create_close.scattered.256M",
	  udmabuf_begin, udmabuf_once, MIB(256), "scattered" },
	{ "udmabuf.create_close.hugetlb.128M",
	  udmabuf_begin, udmabuf_once, MIB(128), "hugetlb" },
	{ "udmabuf.mmap_touch_munmap.shmem.4K",
	  udmabuf_buffer_begin, touch_once, KIB(4), "shmem" },
	{ "udmabuf.mmap_touch_munmap.shmem.1M",
	  udmabuf_buffer_begin, touch_once, MIB(1), "shmem" },
	{ "udmabuf.mmap_touch_munmap.shmem.256M",
	  udmabuf_buffer_begin, touch_once, MIB(256), "shmem" },
	{ "udmabuf.mmap_touch_munmap.scattered.256M",
	  udmabuf_buffer_begin, touch_once, MIB(256), "scattered" },
	{ "udmabuf.mmap_touch_munmap.hugetlb.128M",
	  udmabuf_buffer_begin, touch_once, MIB(128), "hugetlb" },
	{ "udmabuf.first_sync.shmem.4K",
	  udmabuf_begin, first_sync_once, KIB(4), "shmem" },
	{ "udmabuf.first_sync.shmem.1M",
	  udmabuf_begin, first_sync_once, MIB(1), "shmem" },
	{ "udmabuf.first_sync.shmem.256M",
	  udmabuf_begin, first_sync_once, MIB(256), "shmem" },
	{ "udmabuf.first_sync.scattered.256M",
	  udmabuf_begin, first_sync_once, MIB(256), "scattered" },
	{ "udmabuf.first_sync.hugetlb.128M",
	  udmabuf_begin, first_sync_once, MIB(128), "hugetlb" },
	{ "udmabuf.sync_pair.shmem.4K",
	  udmabuf_sync_begin, buffer_sync_once, KIB(4), "shmem" },
	{ "udmabuf.sync_pair.shmem.1M",
	  udmabuf_sync_begin, buffer_sync_once, MIB(1), "shmem" },
	{ "udmabuf.sync_pair.shmem.256M",
	  udmabuf_sync_begin, buffer_sync_once, MIB(256), "shmem" },
	{ "udmabuf.sync_pair.hugetlb.128M",
	  udmabuf_sync_begin, buffer_sync_once, MIB(128), "hugetlb" },
	{ "udmabuf.import.shmem.256M",
	  udmabuf_import_begin, udmabuf_import_once, MIB(256), "shmem" },
	{ "udmabuf.import.scattered.256M",
	  udmabuf_import_begin, udmabuf_import_once, MIB(256), "scattered" },
	{ "udmabuf.import.hugetlb.128M",
	  udmabuf_import_begin, udmabuf_import_once, MIB(128), "hugetlb" },
	{ "udmabuf.vmap_vunmap.shmem.1M",
	  udmabuf_import_begin, udmabuf_vmap_once, MIB(1), "shmem" },
	{ "udmabuf.vmap_vunmap.hugetlb.128M",
	  udmabuf_import_begin, udmabuf_vmap_once, MIB(128), "hugetlb" },

	{ "sw_sync.create_close",	sw_sync_begin,	sw_sync_create_once },
	{ "sw_sync.inc",		sw_sync_begin,	sw_sync_inc_once },

	/* The pool's last: it has memory of the machine until it is switched off. */
	{ "heap.pool.alloc_close.4K",	pool_begin,	pool_once, KIB(4), NULL, 20 },
	{ "heap.pool.alloc_close.1M",	pool_begin,	pool_once, MIB(1), NULL, 20 },
	{ "heap.pool.alloc_close.64M",	pool_begin,	pool_once, MIB(64), NULL, 5 },
	{ "heap.pool.busy.64M",		pool_begin,	heap_once, MIB(64), NULL, 5 },
};

static unsigned int times_for(struct run *run)
{
	uint64_t began, cost, times;

	if (run->op->times)
		return run->op->times;

	began = __rdtsc();
	run->op->once(run);
	cost = __rdtsc() - began;
	times = BUDGET / BATCHES / cost;
	return times > MAX_TIMES ? MAX_TIMES : times ? times : 1;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double batch(struct run *run, unsigned int times)
{
	unsigned int i;

	run->ticks = 0;
	for (i = 0; i < times; i++)
		run->op->once(run);
	return (double)run->ticks / times;
}

/* The first times warm up and tell how many a batch can have. */
static void measure(const struct op *op)
{
	struct run run = { .op = op, .fd = -1, .aux = -1 };
	double figure[BATCHES], sum = 0;
	unsigned int i, times, batches = BATCHES;

	if (op->begin)
		op->begin(&run);
	op->once(&run);
	times = times_for(&run);
	if (times == 1) {
		run.ticks = 0;
		op->once(&run);
		if (run.ticks > SLOW)
			batches = BATCHES_SLOW;
	}

	for (i = 0; i < batches; i++)
		sum += figure[i] = batch(&run, times);
	qsort(figure, batches, sizeof(figure[0]), compare);
	printf("%s\tok\t%.1f\t%.1f\t%.1f\t%u\t%u\n", op->name, figure[batches / 2],
	       figure[0], sum / batches, batches, times);
}

/* What start() and stop() cost by themselves. */
static uint64_t measure_overhead(void)
{
	struct run run = {};
	uint64_t least = UINT64_MAX;
	int i;

	for (i = 0; i < 100; i++) {
		run.ticks = 0;
		start(&run);
		stop(&run);
		if (run.ticks < least)
			least = run.ticks;
	}
	return least;
}

static bool measure_in_child(const struct op *op)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		measure(op);
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		perror("bench");
		return false;
	}
	if (status)
		printf("%s\terror\tits process ended with status %#x\n", op->name, status);
	return !status;
}

static bool wanted(const char *name, char **patterns, int nr_patterns)
{
	int i;

	for (i = 0; i < nr_patterns; i++)
		if (!fnmatch(patterns[i], name, 0))
			return true;
	return !nr_patterns;
}

/* The lines of @path. */
static char **read_patterns(const char *path, int *nr)
{
	char **lines = NULL, *line = NULL;
	FILE *file = fopen(path, "r");
	size_t size = 0;
	ssize_t len;

	*nr = 0;
	if (!file) {
		perror(path);
		exit(1);
	}
	while ((len = getline(&line, &size, file)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = 0;
		lines = realloc(lines, (*nr + 1) * sizeof(*lines));
		lines[(*nr)++] = line;
		line = NULL;
	}
	fclose(file);
	return lines;
}

int main(int argc, char **argv)
{
	char **patterns = argv + 1;
	int nr_patterns = argc - 1;
	bool ok = true;
	size_t i;

	if (argc == 2 && !strcmp(argv[1], "-l")) {
		for (i = 0; i < ARRAY_SIZE(ops); i++)
			puts(ops[i].name);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "-f"))
		patterns = read_patterns(argv[2], &nr_patterns);

	overhead = measure_overhead();
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		if (wanted(ops[i].name, patterns, nr_patterns))
			ok &= measure_in_child(&ops[i]);
	printf("# done\n");
	return !ok;
}
