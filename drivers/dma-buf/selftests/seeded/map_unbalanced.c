// SPDX-License-Identifier: GPL-2.0
/*
 * A camera that gives its mapping back when it stops, and again when it is
 * closed.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

#include "seeded.h"

static int cam_stop_and_close(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
	return 0;
}

int seeded_map_unbalanced(void)
{
	return acme_with_import(&acme_ops, NULL, cam_stop_and_close);
}
