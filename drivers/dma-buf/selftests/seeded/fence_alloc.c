// SPDX-License-Identifier: GPL-2.0
/*
 * A codec that allocates on its way to signal a fence, for which the allocator
 * may wait.
 */

#include <linux/dma-fence.h>
#include <linux/slab.h>

#include "seeded.h"

static int codec_finish(struct dma_fence *fence)
{
	bool cookie = dma_fence_begin_signalling();
	void *statistics = kmalloc(64, GFP_KERNEL);
	int ret = dma_fence_signal(fence);

	kfree(statistics);
	dma_fence_end_signalling(cookie);
	return ret;
}

int seeded_fence_alloc(void)
{
	struct dma_fence *fence = acme_fence();
	int ret;

	if (!fence)
		return -ENOMEM;
	ret = codec_finish(fence);
	dma_fence_put(fence);
	return ret;
}
