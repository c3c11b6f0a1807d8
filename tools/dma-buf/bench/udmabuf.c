// SPDX-License-Identifier: GPL-2.0
/*
 * udmabuf: buffers of the pages of a memfd.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <linux/dma-buf.h>
#include <linux/udmabuf.h>

#include "run.h"

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
	kernel_times(run, "floor.memfd_pin_unpin", run->aux, 1);
}

int udmabuf_create(const struct run *run)
{
	struct udmabuf_create create = {
		.memfd = run->aux,
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.size = run->op->size,
	};

	return ioctl(run->fd, UDMABUF_CREATE, &create);
}

void udmabuf_begin(struct run *run)
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
	kernel_times(run, "core.import", run->aux, 1);
}

static void udmabuf_vmap_once(struct run *run)
{
	kernel_times(run, "core.vmap_vunmap", run->aux, 10);
}

/* The first of all has been. */
static void udmabuf_sync_begin(struct run *run)
{
	udmabuf_buffer_begin(run);
	sync_pair(run, run->aux);
}

const struct op udmabuf_ops[] = {
	{ "floor.memfd_pin_unpin.shmem.256M",
	  memfd_begin, memfd_pin_once, MIB(256), "shmem" },
	{ "floor.memfd_pin_unpin.hugetlb.128M",
	  memfd_begin, memfd_pin_once, MIB(128), "hugetlb" },
	{ "floor.memfd_mmap_touch_munmap.hugetlb.128M",
	  memfd_begin, touch_once, MIB(128), "hugetlb" },
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
	{ NULL }
};
