/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Heaps: named places where user space allocates buffers. What a heap brings
 * along, and what it may ask.
 */
#ifndef _DMA_HEAPS_H
#define _DMA_HEAPS_H

#include <linux/types.h>

struct dma_buf;
struct dma_heap;

/**
 * struct dma_heap_ops - what a heap does
 * @allocate: makes a buffer of at least @len bytes and returns it, with a
 *	reference, or an ERR_PTR(). @fd_flags are for the buffer's file,
 *	@heap_flags have been checked. Process context, may sleep.
 */
struct dma_heap_ops {
	struct dma_buf *(*allocate)(struct dma_heap *heap, unsigned long len,
				    u32 fd_flags, u64 heap_flags);
};

/**
 * struct dma_heap_export_info - what dma_heap_add() makes a heap from
 * @name: under which user space finds it; outlives the heap
 * @ops: the heap's callbacks
 * @priv: for the heap
 */
struct dma_heap_export_info {
	const char *name;
	const struct dma_heap_ops *ops;
	void *priv;
};

struct dma_heap *dma_heap_add(const struct dma_heap_export_info *exp_info);
void *dma_heap_get_drvdata(struct dma_heap *heap);
const char *dma_heap_get_name(struct dma_heap *heap);

#endif /* _DMA_HEAPS_H */
