// SPDX-License-Identifier: GPL-2.0
/* A codec that maps a frame to write it, and unmaps it as if it had read. */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

#include "seeded.h"

static int codec_run(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	return 0;
}

int seeded_map_direction(void)
{
	return acme_with_import(&acme_ops, NULL, codec_run);
}
