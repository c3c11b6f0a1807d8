/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Many fences as one: the interface of dma-fence-array.c.
 */

#ifndef __LINUX_DMA_FENCE_ARRAY_H
#define __LINUX_DMA_FENCE_ARRAY_H

#include <linux/dma-fence.h>
#include <linux/irq_work.h>

/**
 * struct dma_fence_array_cb - what an array hangs on one of its members
 * @cb: the callback that the member runs
 * @array: the array to tell
 */
struct dma_fence_array_cb {
	struct dma_fence_cb cb;
	struct dma_fence_array *array;
};

/**
 * struct dma_fence_array - a fence that stands for several others
 * @base: what the rest of the kernel sees
 * @lock: the lock of @base
 * @num_fences: number of members; fixed
 * @num_pending: members that have yet to signal before the array does. Goes on
 *	counting below zero where the array does not wait for all of them.
 * @fences: the members, each with a reference; the memory belongs to the array
 * @work: signals @base outside of the members' locks
 * @callbacks: one for each member, in use once signaling is enabled
 *
 * Everything but @base, @num_fences and @fences is internal. Those two are set
 * before the array is seen by anybody else and never change.
 */
struct dma_fence_array {
	struct dma_fence base;

	spinlock_t lock;	/* Serves base only. */
	unsigned int num_fences;
	atomic_t num_pending;
	struct dma_fence **fences;

	struct irq_work work;

	/* private: @num_pending when the last member has signaled; fixed */
	int num_drained;
	/* public: */

	struct dma_fence_array_cb callbacks[] __counted_by(num_fences);
};

/**
 * to_dma_fence_array() - look behind a fence that may be an array
 * @fence: any fence, or NULL
 *
 * Context: Any context.
 * Return: the array that @fence is the base of, NULL if it is something else.
 */
static inline struct dma_fence_array *to_dma_fence_array(struct dma_fence *fence)
{
	if (fence && dma_fence_is_array(fence))
		return container_of(fence, struct dma_fence_array, base);

	return NULL;
}

/**
 * dma_fence_array_for_each() - visit the members of an array
 * @fence: the member visited; borrowed from the array
 * @index: its position, an unsigned int
 * @head: a fence or NULL. One that is no array counts as an array of itself.
 *
 * One level only; dma_fence_unwrap_for_each() looks into everything.
 */
#define dma_fence_array_for_each(fence, index, head)			\
	for ((index) = 0, (fence) = dma_fence_array_first(head);	\
	     (fence) != NULL;						\
	     (fence) = dma_fence_array_next(head, ++(index)))

struct dma_fence_array *dma_fence_array_alloc(int num_fences);
void dma_fence_array_init(struct dma_fence_array *array,
			  int num_fences, struct dma_fence **fences,
			  u64 context, unsigned int seqno,
			  bool signal_on_any);
struct dma_fence_array *dma_fence_array_create(int num_fences,
					       struct dma_fence **fences,
					       u64 context, unsigned int seqno,
					       bool signal_on_any);

bool dma_fence_match_context(struct dma_fence *fence, u64 context);

struct dma_fence *dma_fence_array_first(struct dma_fence *head);
struct dma_fence *dma_fence_array_next(struct dma_fence *head,
				       unsigned int index);

#endif /* __LINUX_DMA_FENCE_ARRAY_H */
