// SPDX-License-Identifier: GPL-2.0
/* A camera that takes an error for a table. */

#include <linux/dma-buf.h>

#include "seeded.h"

static int cam_prepare(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	if (!sgt)
		return -ENOMEM;

	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
	return 0;
}

int seeded_err_ptr(void)
{
	return acme_with_import(&acme_ops, NULL, cam_prepare);
}
