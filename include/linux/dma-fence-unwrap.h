/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Through containers to the fences inside: the interface of dma-fence-unwrap.c.
 */

#ifndef __LINUX_DMA_FENCE_UNWRAP_H
#define __LINUX_DMA_FENCE_UNWRAP_H

#include <linux/array_size.h>

struct dma_fence;

/**
 * struct dma_fence_unwrap - where a dma_fence_unwrap_for_each() stands
 * @chain: the current link, with a reference that belongs to the cursor
 * @array: what that link contains; borrowed from it
 * @index: the current member of @array
 */
struct dma_fence_unwrap {
	struct dma_fence *chain;
	struct dma_fence *array;
	unsigned int index;
};

struct dma_fence *dma_fence_unwrap_first(struct dma_fence *head,
					 struct dma_fence_unwrap *cursor);
struct dma_fence *dma_fence_unwrap_next(struct dma_fence_unwrap *cursor);

/**
 * dma_fence_unwrap_for_each() - visit every plain fence behind a fence
 * @fence: the fence visited; borrowed, valid until the next step
 * @cursor: a &struct dma_fence_unwrap to keep the position in
 * @head: a plain fence, an array, a chain, a chain of arrays, or NULL
 *
 * Chain links come newest first, the members of an array in their order. The
 * cursor holds a reference to a link: whoever leaves the loop early drops it
 * with dma_fence_put() of &dma_fence_unwrap.chain.
 */
#define dma_fence_unwrap_for_each(fence, cursor, head)			\
	for ((fence) = dma_fence_unwrap_first(head, cursor);		\
	     (fence) != NULL;						\
	     (fence) = dma_fence_unwrap_next(cursor))

struct dma_fence *__dma_fence_unwrap_merge(unsigned int num_fences,
					   struct dma_fence **fences,
					   struct dma_fence_unwrap *cursors);

/**
 * dma_fence_unwrap_merge() - one fence for several
 * @...: the fences, each as for dma_fence_unwrap_for_each(); borrowed
 *
 * Keeps its scratch space on the caller's stack.
 *
 * Context: Process context; may sleep.
 * Return: see __dma_fence_unwrap_merge().
 */
#define dma_fence_unwrap_merge(...)					\
	({								\
		struct dma_fence *__merge[] = { __VA_ARGS__ };		\
		struct dma_fence_unwrap __cur[ARRAY_SIZE(__merge)];	\
									\
		__dma_fence_unwrap_merge(ARRAY_SIZE(__merge), __merge,	\
					 __cur);			\
	})

#endif /* __LINUX_DMA_FENCE_UNWRAP_H */
