/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Allocating a dma-buf from a heap: open /dev/dma_heap/NAME, call the one
 * ioctl, close it again or keep it for the next buffer.
 */
#ifndef _UAPI_LINUX_DMABUF_POOL_H
#define _UAPI_LINUX_DMABUF_POOL_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* What &dma_heap_allocation_data.fd_flags may contain. */
#define DMA_HEAP_VALID_FD_FLAGS (O_CLOEXEC | O_ACCMODE)

/* What &dma_heap_allocation_data.heap_flags may contain: nothing so far. */
#define DMA_HEAP_VALID_HEAP_FLAGS (0ULL)

/**
 * struct dma_heap_allocation_data - argument of DMA_HEAP_IOCTL_ALLOC
 * @len:	in: bytes wanted, rounded up to whole pages
 * @fd:		in: 0, out: descriptor of the new buffer
 * @fd_flags:	in: open(2) flags for @fd, see DMA_HEAP_VALID_FD_FLAGS
 * @heap_flags:	in: see DMA_HEAP_VALID_HEAP_FLAGS
 */
struct dma_heap_allocation_data {
	__u64 len;
	__u32 fd;
	__u32 fd_flags;
	__u64 heap_flags;
};

#define DMA_HEAP_IOC_MAGIC	'H'

/**
 * DOC: DMA_HEAP_IOCTL_ALLOC
 *
 * Makes a buffer of at least &dma_heap_allocation_data.len bytes, all zero, and
 * stores its descriptor in &dma_heap_allocation_data.fd.
 */
#define DMA_HEAP_IOCTL_ALLOC	_IOWR(DMA_HEAP_IOC_MAGIC, 0x0, \
				      struct dma_heap_allocation_data)

#endif /* _UAPI_LINUX_DMABUF_POOL_H */
