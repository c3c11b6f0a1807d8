// SPDX-License-Identifier: GPL-2.0
/*
 * Heaps: allocation, mapping, and what importers do with the buffers.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <linux/dma-heap.h>

#include "run.h"

#define POOL_PARAMETER	"/sys/module/system_heap/parameters/pool_mb"

int heap_alloc(int heap, size_t size)
{
	struct dma_heap_allocation_data data = {
		.len = size,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};

	return ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data) ? -1 : (int)data.fd;
}

void heap_begin(struct run *run)
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

void *map_shared(const struct run *run)
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

static void munmap_once(struct run *run)
{
	void *map = map_shared(run);
	int ret;

	must(run, map != MAP_FAILED);
	start(run);
	ret = munmap(map, run->op->size);
	stop(run);
	must(run, !ret);
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

void touch_once(struct run *run)
{
	void *map;

	start(run);
	map = map_shared(run);
	must(run, map != MAP_FAILED);
	touch(map, run->op->size);
	munmap(map, run->op->size);
	stop(run);
}

/* One page off what a huge page could map. */
static void unaligned_touch_once(struct run *run)
{
	size_t size = run->op->size, space = size + MIB(2) + PAGE;
	char *area, *map;

	area = mmap(NULL, space, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	must(run, area != MAP_FAILED);
	map = (char *)(((uintptr_t)area + MIB(2) - 1) & -MIB(2)) + PAGE;
	start(run);
	map = mmap(map, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, run->aux, 0);
	must(run, map != MAP_FAILED);
	touch(map, size);
	munmap(map, size);
	stop(run);
	munmap(area, space);
}

void buffer_sync_once(struct run *run)
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

/*
 * A buffer, while up to n exist: each of n allocations (arg "alloc") or of as many closes. All n
 * are closed again each time.
 */
static void many_once(struct run *run)
{
	bool allocs = !strcmp(run->op->arg, "alloc");
	unsigned int i, n = run->op->n;
	double before = run->ticks;
	int *fds = run->mem;

	start(run);
	for (i = 0; i < n; i++)
		fds[i] = heap_alloc(run->fd, run->op->size);
	if (allocs)
		stop(run);
	must(run, fds[n - 1] >= 0);

	if (!allocs)
		start(run);
	for (i = 0; i < n; i++)
		close(fds[i]);
	if (!allocs)
		stop(run);
	per_item(run, before, n);
}

static void many_begin(struct run *run)
{
	heap_begin(run);
	run->mem = calloc(run->op->n, sizeof(int));
	must(run, run->mem);
}

/* One buffer more. */
static void existing_begin(struct run *run)
{
	unsigned int i;

	heap_begin(run);
	for (i = 0; i < run->op->n; i++)
		must(run, heap_alloc(run->fd, run->op->size) >= 0);
}

const struct op heap_ops[] = {
	{ "heap.alloc_close.4K",	heap_begin,	heap_once, KIB(4) },
	{ "heap.alloc_close.64K",	heap_begin,	heap_once, KIB(64) },
	{ "heap.alloc_close.1M",	heap_begin,	heap_once, MIB(1) },
	{ "heap.alloc_close.64M",	heap_begin,	heap_once, MIB(64) },
	{ "heap.mmap.4K",		buffer_begin,	mmap_once, KIB(4) },
	{ "heap.mmap.64M",		buffer_begin,	mmap_once, MIB(64) },
	{ "heap.munmap.64M",		buffer_begin,	munmap_once, MIB(64) },
	{ "heap.mmap_munmap.4K",	buffer_begin,	mmap_munmap_once, KIB(4) },
	{ "heap.mmap_munmap.64M",	buffer_begin,	mmap_munmap_once, MIB(64) },
	{ "heap.mmap_touch_munmap.4K",	buffer_begin,	touch_once, KIB(4) },
	{ "heap.mmap_touch_munmap.1M",	buffer_begin,	touch_once, MIB(1) },
	{ "heap.mmap_touch_munmap.64M",	buffer_begin,	touch_once, MIB(64) },
	{ "heap.mmap_touch_munmap.unaligned.64M",
	  buffer_begin, unaligned_touch_once, MIB(64) },
	{ "heap.vmap_vunmap.4K",	import_begin,	import_once, KIB(4), "core.vmap_vunmap" },
	{ "heap.vmap_vunmap.64K",	import_begin,	import_once, KIB(64), "core.vmap_vunmap" },
	{ "heap.vmap_vunmap.1M",	import_begin,	import_once, MIB(1), "core.vmap_vunmap" },
	{ "heap.vmap_vunmap.64M",	import_begin,	import_once, MIB(64), "core.vmap_vunmap" },
	{ "heap.import.4K",		import_begin,	import_once, KIB(4), "core.import" },
	{ "heap.import.64M",		import_begin,	import_once, MIB(64), "core.import" },
	{ "heap.map_unmap.64M",		import_begin,	import_once, MIB(64), "core.map_unmap" },
	{ "heap.sync_pair.64M",		buffer_begin,	buffer_sync_once, MIB(64) },
	{ "cma.alloc_close.4K",		cma_begin,	heap_once, KIB(4) },
	{ "cma.alloc_close.4M",		cma_begin,	heap_once, MIB(4) },

	{ "heap.alloc",			many_begin,	many_once, KIB(4), "alloc", 0,
	  { 1, 64, 512, 4096, 10000 } },
	{ "heap.close",			many_begin,	many_once, KIB(4), "close", 0,
	  { 1, 64, 512, 4096, 10000 } },
	{ "heap.alloc_close.existing",	existing_begin,	heap_once, KIB(4), NULL, 0,
	  { 1, 64, 512, 4096, 10000 } },

	/* The pool's last: it has memory of the machine until it is switched off. */
	{ "heap.pool.alloc_close.4K",	pool_begin,	pool_once, KIB(4), NULL, 20 },
	{ "heap.pool.alloc_close.1M",	pool_begin,	pool_once, MIB(1), NULL, 20 },
	{ "heap.pool.alloc_close.64M",	pool_begin,	pool_once, MIB(64), NULL, 5 },
	{ "heap.pool.busy.64M",		pool_begin,	heap_once, MIB(64), NULL, 5 },
	{ NULL }
};
