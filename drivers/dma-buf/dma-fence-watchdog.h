/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Notes fences that somebody waits for, to name those that are never signaled.
 */
#ifndef _DMA_FENCE_WATCHDOG_H
#define _DMA_FENCE_WATCHDOG_H

#include <linux/dma-fence.h>

struct task_struct;

#if IS_ENABLED(CONFIG_DMABUF_CONTRACT)
void dma_fence_watch(struct dma_fence *fence);
void dma_fence_unwatch(struct dma_fence *fence);

/* dma-fence-wait.c: the task that sleeps on @cb, or NULL if nobody does */
struct task_struct *dma_fence_waiting_task(const struct dma_fence_cb *cb);
/* dma-fence-array.c, dma-fence-chain.c: the container that waits by @cb, or NULL */
struct dma_fence *dma_fence_waiting_array(const struct dma_fence_cb *cb);
struct dma_fence *dma_fence_waiting_chain(const struct dma_fence_cb *cb);
#else
static inline void dma_fence_watch(struct dma_fence *fence) { }
static inline void dma_fence_unwatch(struct dma_fence *fence) { }
#endif

#endif /* _DMA_FENCE_WATCHDOG_H */
