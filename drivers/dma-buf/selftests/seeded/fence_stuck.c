// SPDX-License-Identifier: GPL-2.0
/* A codec whose interrupt never comes, and which has no timeout. */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

#include "seeded.h"

static int codec_queue(struct dma_buf *dmabuf)
{
	struct dma_fence *fence = acme_fence();
	int ret;

	if (!fence)
		return -ENOMEM;

	dma_resv_lock(dmabuf->resv, NULL);
	ret = dma_resv_reserve_fences(dmabuf->resv, 1);
	if (!ret)
		dma_resv_add_fence(dmabuf->resv, fence, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(dmabuf->resv);
	dma_fence_put(fence);
	return ret;
}

static int compositor_waits(struct dma_buf *dmabuf)
{
	int ret = codec_queue(dmabuf);

	if (ret)
		return ret;
	return dma_resv_wait_timeout(dmabuf->resv, DMA_RESV_USAGE_READ, false,
				     ACME_PATIENCE) ? 0 : -ETIME;
}

int seeded_fence_stuck(void)
{
	return acme_with_buffer(&acme_ops, compositor_waits);
}
