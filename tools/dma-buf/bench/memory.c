// SPDX-License-Identifier: GPL-2.0
/*
 * How much memory a page of a buffer takes besides itself: the free memory before and after the
 * buffer is made, as the kernel tells.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "run.h"

static double free_bytes(struct run *run)
{
	double before = run->ticks, bytes;

	usleep(SETTLE_US);
	kernel_times(run, "memory.free", -1, 1);
	bytes = run->ticks - before;
	run->ticks = before;
	return bytes;
}

static void heap_memory_begin(struct run *run)
{
	device_begin(run);
	run->aux = open("/dev/dma_heap/system", O_RDWR);
	must(run, run->aux >= 0);
}

/* The memory that the buffer is about does not count. */
static void heap_memory_once(struct run *run)
{
	double before = free_bytes(run);
	int fd = heap_alloc(run->aux, run->op->size);

	must(run, fd >= 0);
	run->ticks += (before - free_bytes(run) - run->op->size) / (run->op->size / PAGE);
	close(fd);
}

/* The memfd has its pages already. */
static void udmabuf_memory_begin(struct run *run)
{
	udmabuf_begin(run);
	run->other = run->fd;
	device_begin(run);
}

static void udmabuf_memory_once(struct run *run)
{
	int device = run->fd, fd;
	double before = free_bytes(run);

	run->fd = run->other;
	fd = udmabuf_create(run);
	run->fd = device;
	must(run, fd >= 0);
	run->ticks += (before - free_bytes(run)) / (run->op->size / PAGE);
	close(fd);
}

const struct op memory_ops[] = {
	{ "memory.heap_page.64M", heap_memory_begin, heap_memory_once, MIB(64), NULL, 1 },
	{ "memory.udmabuf_page.shmem.256M",
	  udmabuf_memory_begin, udmabuf_memory_once, MIB(256), "shmem", 1 },
	{ "memory.udmabuf_page.scattered.256M",
	  udmabuf_memory_begin, udmabuf_memory_once, MIB(256), "scattered", 1 },
	{ "memory.udmabuf_page.hugetlb.128M",
	  udmabuf_memory_begin, udmabuf_memory_once, MIB(128), "hugetlb", 1 },
	{ NULL }
};
