// SPDX-License-Identifier: GPL-2.0
/* A camera of the time when nobody had to hold a lock to map. */

#include <linux/dma-buf.h>

#include "seeded.h"

static int cam_prepare(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment(attach, DMA_FROM_DEVICE);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	dma_buf_unmap_attachment(attach, sgt, DMA_FROM_DEVICE);
	return 0;
}

int seeded_call_unlocked(void)
{
	return acme_with_import(&acme_ops, NULL, cam_prepare);
}
