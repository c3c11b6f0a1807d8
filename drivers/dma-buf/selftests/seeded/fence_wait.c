// SPDX-License-Identifier: GPL-2.0
/*
 * A codec that needs a mutex to signal, and waits for fences with that mutex
 * held.
 */

#include <linux/dma-fence.h>
#include <linux/mutex.h>

#include "seeded.h"

static DEFINE_MUTEX(queue_lock);

static void codec_queue(struct dma_fence *other)
{
	mutex_lock(&queue_lock);
	dma_fence_wait(other, false);
	mutex_unlock(&queue_lock);
}

static int codec_finish(struct dma_fence *fence)
{
	bool cookie = dma_fence_begin_signalling();
	int ret;

	mutex_lock(&queue_lock);
	ret = dma_fence_signal(fence);
	mutex_unlock(&queue_lock);
	dma_fence_end_signalling(cookie);
	return ret;
}

int seeded_fence_wait(void)
{
	struct dma_fence *fence = acme_fence();
	int ret;

	if (!fence)
		return -ENOMEM;
	ret = codec_finish(fence);
	codec_queue(fence);
	dma_fence_put(fence);
	return ret;
}
