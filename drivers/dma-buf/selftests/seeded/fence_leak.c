// SPDX-License-Identifier: GPL-2.0
/* A codec that keeps its reference to a fence which was signaled already. */

#include <linux/dma-fence.h>

#include "seeded.h"

static void job_ready(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	dma_fence_put(fence);
}

static int job_depend(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	dma_fence_get(fence);
	if (dma_fence_add_callback(fence, cb, job_ready))
		return -ENOENT;
	return 0;
}

int seeded_fence_leak(void)
{
	struct dma_fence *fence = acme_fence();
	struct dma_fence_cb cb;
	int ret;

	if (!fence)
		return -ENOMEM;
	dma_fence_signal(fence);
	ret = job_depend(fence, &cb);
	dma_fence_put(fence);
	return ret;
}
