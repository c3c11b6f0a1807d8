// SPDX-License-Identifier: GPL-2.0
/* A camera that cannot map, and goes with the lock. */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

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

static int cam_prepare(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;

	dma_resv_lock(attach->dmabuf->resv, NULL);
	sgt = dma_buf_map_attachment(attach, DMA_FROM_DEVICE);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	dma_buf_unmap_attachment(attach, sgt, DMA_FROM_DEVICE);
	dma_resv_unlock(attach->dmabuf->resv);
	return 0;
}

int seeded_lock_leak(void)
{
	/* Nobody can detach any more. */
	return acme_without_end(&vram_ops, cam_prepare);
}
