// SPDX-License-Identifier: GPL-2.0
/* A camera that stays attached when it cannot map. */

#include <linux/dma-buf.h>

#include "seeded.h"

static struct sg_table *vram_map(struct dma_buf_attachment *attach,
				 enum dma_data_direction dir)
{
	return ERR_PTR(-ENXIO);
}

static const struct dma_buf_ops vram_ops = {
	.map_dma_buf = vram_map,
	.unmap_dma_buf = acme_unmap,
	.release = acme_release,
};

static int cam_import(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	attach = dma_buf_attach(dmabuf, acme_device());
	if (IS_ERR(attach))
		return PTR_ERR(attach);

	sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
	dma_buf_detach(dmabuf, attach);
	return 0;
}

int seeded_release_attached(void)
{
	return acme_with_buffer(&vram_ops, cam_import);
}
