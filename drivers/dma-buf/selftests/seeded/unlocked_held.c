// SPDX-License-Identifier: GPL-2.0
/*
 * A camera that holds the lock already when it calls a function that takes it.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

#include "seeded.h"

static int cam_prepare(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;

	dma_resv_lock(attach->dmabuf->resv, NULL);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	if (!IS_ERR(sgt))
		dma_buf_unmap_attachment(attach, sgt, DMA_FROM_DEVICE);
	dma_resv_unlock(attach->dmabuf->resv);
	return PTR_ERR_OR_ZERO(sgt);
}

int seeded_unlocked_held(void)
{
	return acme_with_import(&acme_ops, NULL, cam_prepare);
}
