// SPDX-License-Identifier: GPL-2.0
/* A camera that is closed while it streams, and only detaches. */

#include <linux/dma-buf.h>

#include "seeded.h"

static int cam_close_streaming(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	return PTR_ERR_OR_ZERO(sgt);
}

int seeded_detach_mapped(void)
{
	return acme_with_import(&acme_ops, NULL, cam_close_streaming);
}
