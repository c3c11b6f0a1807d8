// SPDX-License-Identifier: GPL-2.0
/*
 * Fences that are born signaled: one that everybody shares, for "there is nothing
 * to wait for", and private ones for "it was over at that time".
 */

#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

/* A fence with the lock that serves it alone. */
struct stub {
	struct dma_fence base;
	spinlock_t lock;	/* For base. Nobody else waits for it. */
};

static const char *stub_name(struct dma_fence *fence)
{
	return "stub";
}

static const struct dma_fence_ops stub_ops = {
	.get_driver_name = stub_name,
	.get_timeline_name = stub_name,
};

/* Complete at compile time, so that there is no first user to set it up. */
static struct stub shared_stub = {
	.base = {
		.lock = &shared_stub.lock,
		.ops = &stub_ops,
		.refcount = KREF_INIT(1),	/* Never dropped. */
		.flags = BIT(DMA_FENCE_FLAG_SIGNALED_BIT) |
			 BIT(DMA_FENCE_FLAG_TIMESTAMP_BIT) |
			 BIT(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT),
	},
	.lock = __SPIN_LOCK_UNLOCKED(shared_stub.lock),
};

/* In a sync_file a time of 0 reads like "never"; this runs before user space does. */
static int __init shared_stub_stamp(void)
{
	shared_stub.base.timestamp = ktime_get();
	return 0;
}
core_initcall(shared_stub_stamp);

/**
 * dma_fence_get_stub() - a fence that is signaled
 *
 * It is signaled without an error, since boot, on context 0.
 *
 * Context: Any context, and any time during boot.
 * Return: the shared stub, with a reference that the caller drops with
 * dma_fence_put(). Never NULL.
 */
struct dma_fence *dma_fence_get_stub(void)
{
	return dma_fence_get(&shared_stub.base);
}
EXPORT_SYMBOL(dma_fence_get_stub);

/**
 * dma_fence_allocate_private_stub() - a fence that was signaled at a given time
 * @timestamp: when, CLOCK_MONOTONIC
 *
 * Context: Process context; may sleep.
 * Return: the fence, signaled without an error, on context 0, with a reference
 * that the caller drops with dma_fence_put(); or NULL if there is no memory.
 */
struct dma_fence *dma_fence_allocate_private_stub(ktime_t timestamp)
{
	struct stub *stub = kzalloc(sizeof(*stub), GFP_KERNEL);

	if (!stub)
		return NULL;

	spin_lock_init(&stub->lock);
	dma_fence_init(&stub->base, &stub_ops, &stub->lock, 0, 0);
	set_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &stub->base.flags);
	dma_fence_signal_timestamp(&stub->base, timestamp);

	return &stub->base;
}
EXPORT_SYMBOL(dma_fence_allocate_private_stub);
