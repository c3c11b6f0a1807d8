/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * How a program talks to /dev/dmabuf_iommu. Shared by the example driver and
 * the test of one and the same tree: no ABI, and to be changed at will.
 *
 * Vocabulary:
 *   space    what the device sees of memory. Each open file of the device node
 *            is one, and has a device of its own.
 *   mapping  a buffer in a space, from the address that the program chose on
 *   edu      the device: it copies between memory and a little memory of its
 *            own, and says by an interrupt when it has
 */
#ifndef DMABUF_SELFTESTS_DMABUF_IOMMU_H
#define DMABUF_SELFTESTS_DMABUF_IOMMU_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define DMABUF_IOMMU_PATH		"/dev/dmabuf_iommu"
#define DMABUF_IOMMU_MAX_MAPPINGS	256

/* What the device may do to a mapping. */
#define DMABUF_IOMMU_READ		0x1
#define DMABUF_IOMMU_WRITE		0x2

/* Of a query: the mapping has page table entries now. */
#define DMABUF_IOMMU_PRESENT		0x4

/* Of a DMA: the device writes to memory; else it reads from there. */
#define DMABUF_IOMMU_DMA_WRITE		0x1
/*
 * Of a DMA: go to the address whatever is there, without a fence, and return
 * when the device is done. It is up to the IOMMU to stop it.
 */
#define DMABUF_IOMMU_DMA_UNCHECKED	0x2

/* Bytes that edu copies at once, and memory that it has for them. */
#define DMABUF_IOMMU_DMA_MAX		4095

/**
 * struct dmabuf_iommu_info - ask about the space
 * @first: out: lowest address
 * @last: out: highest address
 * @page_sizes: out: a bit for each size of page that the IOMMU has
 * @nr_mappings: out: how many there are
 * @max_mappings: out: how many there may be
 */
struct dmabuf_iommu_info {
	__u64 first;
	__u64 last;
	__u64 page_sizes;
	__u32 nr_mappings;
	__u32 max_mappings;
};

/**
 * struct dmabuf_iommu_map - map a buffer
 * @iova: in: where it starts, whole pages
 * @fd: in: the buffer, open for what @flags say
 * @flags: in: DMABUF_IOMMU_READ, DMABUF_IOMMU_WRITE, or both
 */
struct dmabuf_iommu_map {
	__u64 iova;
	__s32 fd;
	__u32 flags;
};

/**
 * struct dmabuf_iommu_unmap - undo a map
 * @iova: in: where the mapping starts
 */
struct dmabuf_iommu_unmap {
	__u64 iova;
};

/**
 * struct dmabuf_iommu_query - ask about a mapping
 * @iova: in: an address in it
 * @phys: out: where the IOMMU translates it to; 0 for nowhere
 * @start: out: where the mapping starts
 * @size: out: bytes
 * @flags: out: those of the map, and DMABUF_IOMMU_PRESENT
 * @nr_moves: out: how often the buffer has moved
 * @nr_blocks: out: contiguous pieces that the mapping was last made of
 * @max_order: out: order of the largest of them
 */
struct dmabuf_iommu_query {
	__u64 iova;
	__u64 phys;
	__u64 start;
	__u64 size;
	__u32 flags;
	__u32 nr_moves;
	__u32 nr_blocks;
	__u32 max_order;
};

/**
 * struct dmabuf_iommu_dma - let the device copy
 * @iova: in: where in the space
 * @length: in: bytes; @offset + @length is at most DMABUF_IOMMU_DMA_MAX
 * @offset: in: where in the device's own memory
 * @flags: in: DMABUF_IOMMU_DMA_WRITE, DMABUF_IOMMU_DMA_UNCHECKED
 * @pad: 0
 *
 * Waits for the fences that stand in the way, starts the device and returns.
 * The buffer has a fence from then on until the device is done, or is known
 * not to get there.
 */
struct dmabuf_iommu_dma {
	__u64 iova;
	__u32 length;
	__u32 offset;
	__u32 flags;
	__u32 pad;
};

#define DMABUF_IOMMU_IOC_INFO	_IOR('D', 0x60, struct dmabuf_iommu_info)
#define DMABUF_IOMMU_IOC_MAP	_IOW('D', 0x61, struct dmabuf_iommu_map)
#define DMABUF_IOMMU_IOC_UNMAP	_IOW('D', 0x62, struct dmabuf_iommu_unmap)
#define DMABUF_IOMMU_IOC_QUERY	_IOWR('D', 0x63, struct dmabuf_iommu_query)
#define DMABUF_IOMMU_IOC_DMA	_IOW('D', 0x64, struct dmabuf_iommu_dma)

#endif /* DMABUF_SELFTESTS_DMABUF_IOMMU_H */
