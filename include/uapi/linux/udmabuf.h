/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/udmabuf: turns pages of a memfd into a dma-buf. Each memfd has to be
 * sealed against shrinking and must not be sealed against writing.
 */
#ifndef _UAPI_LINUX_UDMABUF_H
#define _UAPI_LINUX_UDMABUF_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Open the buffer's descriptor with close-on-exec. */
#define UDMABUF_FLAGS_CLOEXEC	0x01

/**
 * struct udmabuf_create - argument of UDMABUF_CREATE: one range of one memfd
 * @memfd:	the memfd
 * @flags:	UDMABUF_FLAGS_CLOEXEC or 0
 * @offset:	first byte, a multiple of the page size
 * @size:	length in bytes, a multiple of the page size
 */
struct udmabuf_create {
	__u32 memfd;
	__u32 flags;
	__u64 offset;
	__u64 size;
};

/**
 * struct udmabuf_create_item - one range in UDMABUF_CREATE_LIST
 * @memfd:	the memfd
 * @__pad:	not read
 * @offset:	first byte, a multiple of the page size
 * @size:	length in bytes, a multiple of the page size
 */
struct udmabuf_create_item {
	__u32 memfd;
	__u32 __pad;
	__u64 offset;
	__u64 size;
};

/**
 * struct udmabuf_create_list - argument of UDMABUF_CREATE_LIST
 * @flags:	UDMABUF_FLAGS_CLOEXEC or 0
 * @count:	number of entries in @list
 * @list:	the ranges, which follow each other in the buffer in this order
 */
struct udmabuf_create_list {
	__u32 flags;
	__u32 count;
	struct udmabuf_create_item list[];
};

#define UDMABUF_CREATE		_IOW('u', 0x42, struct udmabuf_create)
#define UDMABUF_CREATE_LIST	_IOW('u', 0x43, struct udmabuf_create_list)

#endif /* _UAPI_LINUX_UDMABUF_H */
