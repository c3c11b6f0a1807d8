/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fence after fence on one timeline: the interface of dma-fence-chain.c.
 */

#ifndef __LINUX_DMA_FENCE_CHAIN_H
#define __LINUX_DMA_FENCE_CHAIN_H

#include <linux/dma-fence.h>
#include <linux/irq_work.h>
#include <linux/llist.h>
#include <linux/slab.h>

/**
 * struct dma_fence_chain - one point of a timeline
 * @base: signals when @fence and everything older have signaled
 * @prev: next older link, with a reference: a node, or any other fence at the
 *	far end. RCU; moves towards older links as they signal, NULL in the end.
 * @prev_seqno: seqno of the node this one was chained to, whether that still
 *	exists or not; 0 where a timeline starts; fixed
 * @fence: what this point waits for, with a reference; fixed
 * @cb: armed while @base waits for @fence or for an older link
 * @todo: waits for its turn to wait for something else, or to signal
 * @dead: on the way to being freed, after the last reference is gone
 * @lock: the lock of @base
 *
 * The members of the union are in use one after the other, never at once. Only
 * @base, @prev_seqno and @fence are for others than dma-fence-chain.c, which
 * says how the rest is protected. Two cachelines of 64 bytes; a timeline may have
 * very many nodes.
 */
struct dma_fence_chain {
	struct dma_fence base;
	struct dma_fence __rcu *prev;
	u64 prev_seqno;
	struct dma_fence *fence;
	union {
		struct dma_fence_cb cb;
		struct llist_node todo;
		struct llist_node dead;
	};
	spinlock_t lock;	/* Serves base only. */

	/* private: distance from the start of the timeline in nodes; fixed */
	u32 index;
	/* private: a much older node of the timeline; not in every node */
	struct dma_fence_chain __rcu *jump;
};

/**
 * to_dma_fence_chain() - look behind a fence that may be a chain node
 * @fence: any fence, or NULL
 *
 * Context: Any context.
 * Return: the node that @fence is the base of, NULL if it is something else.
 */
static inline struct dma_fence_chain *to_dma_fence_chain(struct dma_fence *fence)
{
	if (fence && dma_fence_is_chain(fence))
		return container_of(fence, struct dma_fence_chain, base);

	return NULL;
}

/**
 * dma_fence_chain_contained() - what a link waits for on its own account
 * @fence: a chain node, any other fence, or NULL
 *
 * Context: Any context.
 * Return: the fence inside of the node, @fence itself if it is no node. No
 * reference is taken.
 */
static inline struct dma_fence *dma_fence_chain_contained(struct dma_fence *fence)
{
	struct dma_fence_chain *node = to_dma_fence_chain(fence);

	return node ? node->fence : fence;
}

/**
 * dma_fence_chain_alloc() - memory for a chain node
 *
 * A macro, so that allocation profiling accounts the memory to each caller.
 *
 * Context: Process context; may sleep.
 * Return: memory to be passed to dma_fence_chain_init() or, if that turns out
 * not to be needed, to dma_fence_chain_free(). NULL if there is none.
 */
#define dma_fence_chain_alloc()						\
	({								\
		struct dma_fence_chain *__node;				\
									\
		__node = kmalloc(sizeof(*__node), GFP_KERNEL);		\
		__node;							\
	})

/**
 * dma_fence_chain_free() - give back memory that never became a node
 * @chain: from dma_fence_chain_alloc(), or NULL
 *
 * Nobody else has seen @chain, hence no grace period. What went through
 * dma_fence_chain_init() ends with dma_fence_put() instead.
 *
 * Context: Any context.
 */
static inline void dma_fence_chain_free(struct dma_fence_chain *chain)
{
	kfree(chain);
}

/**
 * dma_fence_chain_for_each() - visit the links of a chain, newest first
 * @iter: the link visited; the loop holds a reference to it, which whoever
 *	leaves the loop early has to drop
 * @head: where to start; any fence, or NULL. May be the same variable as @iter.
 *
 * Unlinks what has signaled on the way, see dma_fence_chain_walk(). One level
 * only; dma_fence_unwrap_for_each() looks into everything.
 */
#define dma_fence_chain_for_each(iter, head)				\
	for ((iter) = dma_fence_get(head); (iter) != NULL;		\
	     (iter) = dma_fence_chain_walk(iter))

struct dma_fence *dma_fence_chain_walk(struct dma_fence *fence);
int dma_fence_chain_find_seqno(struct dma_fence **pfence, uint64_t seqno);
void dma_fence_chain_init(struct dma_fence_chain *chain,
			  struct dma_fence *prev,
			  struct dma_fence *fence,
			  uint64_t seqno);

#endif /* __LINUX_DMA_FENCE_CHAIN_H */
