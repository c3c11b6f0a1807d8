/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of udmabufs share: memfds of small and of huge pages, and buffers
 * made of ranges of them.
 *
 * Unless stated otherwise a function returns what the system call does, or a
 * negative errno, as in dmabuf_test.h.
 */
#ifndef UDMABUF_TEST_H
#define UDMABUF_TEST_H

#include <linux/memfd.h>
#include <linux/udmabuf.h>

#include "dmabuf_test.h"

#define UDMABUF_DEVICE	"/dev/udmabuf"
#define NO_UDMABUF	"no " UDMABUF_DEVICE ", or no right to open it"

#define HUGE		(2 * 1024 * 1024UL)
/* Flags of a memfd whose pages have this size. */
#define MEMFD_HUGE	(MFD_HUGETLB | 21 << 26)

struct list {
	struct udmabuf_create_list head;
	struct udmabuf_create_item item[1025];
};

static inline int device_open(void)
{
	int fd = open(UDMABUF_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* A memfd with some seals, or a negative errno. */
static inline int memfd_new(size_t size, unsigned int flags, int seals)
{
	int fd = memfd_create("udmabuf", MFD_ALLOW_SEALING | MFD_CLOEXEC | flags);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, size) || (seals && fcntl(fd, F_ADD_SEALS, seals))) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	return fd;
}

/* The descriptor of a new buffer. */
static inline int udmabuf(int dev, int memfd, __u64 offset, __u64 size)
{
	struct udmabuf_create arg = {
		.memfd = memfd,
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.offset = offset,
		.size = size,
	};

	return xioctl(dev, UDMABUF_CREATE, &arg);
}

static inline void list_add(struct list *list, int memfd, __u64 offset, __u64 size)
{
	struct udmabuf_create_item *item = &list->item[list->head.count++];

	memset(item, 0, sizeof(*item));
	item->memfd = memfd;
	item->offset = offset;
	item->size = size;
}

static inline int udmabuf_list(int dev, const struct list *list)
{
	return xioctl(dev, UDMABUF_CREATE_LIST, list);
}

/* ---- huge pages ----------------------------------------------------------------- */

#define HUGEPAGES	"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
#define SHMEM_ENABLED	"/sys/kernel/mm/transparent_hugepage/shmem_enabled"

/* The settings before a case changed them. */
struct huge_pages {
	char nr_hugepages[32];
	char shmem_enabled[128];
};

/* What is chosen of "a [b] c", so that it can be written back. */
static inline void chosen(char *text)
{
	char *start = strchr(text, '['), *end = strchr(text, ']');

	if (start && end) {
		*end = '\0';
		memmove(text, start + 1, end - start);
	}
}

/* Have huge pages for four times HUGE bytes; those of shmem are only noted. */
static inline void huge_pages_on(struct huge_pages *old)
{
	memset(old, 0, sizeof(*old));
	if (read_file(HUGEPAGES, old->nr_hugepages, sizeof(old->nr_hugepages)) > 0 &&
	    atoi(old->nr_hugepages) < 4)
		write_file(HUGEPAGES, "4");
	if (read_file(SHMEM_ENABLED, old->shmem_enabled, sizeof(old->shmem_enabled)) > 0)
		chosen(old->shmem_enabled);
}

static inline void huge_pages_restore(const struct huge_pages *old)
{
	if (old->shmem_enabled[0])
		write_file(SHMEM_ENABLED, old->shmem_enabled);
	if (old->nr_hugepages[0])
		write_file(HUGEPAGES, old->nr_hugepages);
}

#endif /* UDMABUF_TEST_H */
