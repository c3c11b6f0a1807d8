// SPDX-License-Identifier: GPL-2.0
/* A codec that adds the fence of its job without a slot for it. */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

#include "seeded.h"

static int codec_queue(struct dma_buf *dmabuf)
{
	struct dma_fence *fence = acme_fence();

	if (!fence)
		return -ENOMEM;

	dma_resv_lock(dmabuf->resv, NULL);
	dma_resv_add_fence(dmabuf->resv, fence, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(dmabuf->resv);

	dma_fence_signal(fence);
	dma_fence_put(fence);
	return 0;
}

int seeded_resv_unreserved(void)
{
	return acme_with_buffer(&acme_ops, codec_queue);
}
