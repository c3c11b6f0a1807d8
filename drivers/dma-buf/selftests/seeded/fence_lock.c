// SPDX-License-Identifier: GPL-2.0
/*
 * A codec that signals a fence under the lock of its timeline, which is the
 * fence's.
 */

#include <linux/dma-fence.h>

#include "seeded.h"

static int codec_interrupt(struct dma_fence *fence)
{
	unsigned long irqflags;
	int ret;

	spin_lock_irqsave(fence->lock, irqflags);
	ret = dma_fence_signal(fence);
	spin_unlock_irqrestore(fence->lock, irqflags);
	return ret;
}

int seeded_fence_lock(void)
{
	struct dma_fence *fence = acme_fence();
	int ret;

	if (!fence)
		return -ENOMEM;
	ret = codec_interrupt(fence);
	dma_fence_put(fence);
	return ret;
}
