// SPDX-License-Identifier: GPL-2.0
/* An exporter whose try_map_dma_buf is its map_dma_buf. */

#include <linux/dma-buf.h>

#include "seeded.h"

static const struct dma_buf_ops bo_ops = {
	.map_dma_buf = acme_map,
	.try_map_dma_buf = acme_map,
	.unmap_dma_buf = acme_unmap,
	.release = acme_release,
};

static int gpu_submit(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;

	sgt = dma_buf_try_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	return 0;
}

int seeded_try_map_sleeps(void)
{
	return acme_with_import(&bo_ops, NULL, gpu_submit);
}
