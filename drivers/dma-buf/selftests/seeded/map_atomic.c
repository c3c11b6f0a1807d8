// SPDX-License-Identifier: GPL-2.0
/* A camera that maps the next frame under the spinlock of its queue. */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/spinlock.h>

#include "seeded.h"

static DEFINE_SPINLOCK(queue_lock);

static int cam_queue(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;

	dma_resv_lock(attach->dmabuf->resv, NULL);
	spin_lock(&queue_lock);
	sgt = dma_buf_map_attachment(attach, DMA_FROM_DEVICE);
	spin_unlock(&queue_lock);
	if (!IS_ERR(sgt))
		dma_buf_unmap_attachment(attach, sgt, DMA_FROM_DEVICE);
	dma_resv_unlock(attach->dmabuf->resv);
	return PTR_ERR_OR_ZERO(sgt);
}

int seeded_map_atomic(void)
{
	return acme_with_import(&acme_ops, NULL, cam_queue);
}
