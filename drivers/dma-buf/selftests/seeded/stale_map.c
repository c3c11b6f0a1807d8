// SPDX-License-Identifier: GPL-2.0
/*
 * A GPU that writes page table entries from a mapping which a move may have
 * made stale.
 */

#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/scatterlist.h>

#include "seeded.h"

static int gpu_write_entries(struct sg_table *sgt)
{
	return sgt->nents ? 0 : -EINVAL;
}

static int gpu_bind(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;
	int ret;

	dma_resv_lock(attach->dmabuf->resv, NULL);
	sgt = dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL);
	dma_resv_unlock(attach->dmabuf->resv);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	ret = gpu_write_entries(sgt);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	return ret;
}

static void gpu_move_notify(struct dma_buf_attachment *attach)
{
	dev_dbg(attach->dev, "a buffer moves\n");
}

static const struct dma_buf_attach_ops gpu_importer_ops = {
	.move_notify = gpu_move_notify,
};

static int gpu_import(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;
	int ret;

	attach = dma_buf_dynamic_attach(dmabuf, acme_device(), &gpu_importer_ops, NULL);
	if (IS_ERR(attach))
		return PTR_ERR(attach);

	ret = gpu_bind(attach);
	dma_buf_detach(dmabuf, attach);
	return ret;
}

int seeded_stale_map(void)
{
	return acme_with_buffer(&acme_movable_ops, gpu_import);
}
