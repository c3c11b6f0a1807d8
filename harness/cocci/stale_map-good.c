// SPDX-License-Identifier: GPL-2.0-only
/* A dynamic importer that follows its exporter. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct bo {
	struct device *dev;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
};

void gpu_write_ptes(struct bo *bo, struct sg_table *sgt);
void gpu_clear_ptes(struct bo *bo);

static int validate(struct bo *bo)
{
	struct sg_table *sgt;

	dma_resv_lock(bo->attach->dmabuf->resv, NULL);
	sgt = dma_buf_map_attachment(bo->attach, DMA_BIDIRECTIONAL);
	if (!IS_ERR(sgt)) {
		gpu_write_ptes(bo, sgt);
		bo->sgt = sgt;
	}
	dma_resv_unlock(bo->attach->dmabuf->resv);
	return PTR_ERR_OR_ZERO(sgt);
}

static int validate_until(struct bo *bo)
{
	int ret = 0;

	dma_resv_lock(bo->attach->dmabuf->resv, NULL);
	bo->sgt = dma_buf_map_attachment(bo->attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(bo->sgt)) {
		ret = PTR_ERR(bo->sgt);
		bo->sgt = NULL;
		goto out;
	}
	gpu_write_ptes(bo, bo->sgt);
	dma_buf_unmap_attachment(bo->attach, bo->sgt, DMA_BIDIRECTIONAL);
	bo->sgt = NULL;
out:
	dma_resv_unlock(bo->attach->dmabuf->resv);
	return ret;
}

static void move_notify(struct dma_buf_attachment *attach)
{
	struct bo *bo = attach->importer_priv;

	gpu_clear_ptes(bo);
	if (bo->sgt)
		dma_buf_unmap_attachment(attach, bo->sgt, DMA_BIDIRECTIONAL);
	bo->sgt = NULL;
}

static const struct dma_buf_attach_ops ops = {
	.move_notify = move_notify,
};

static int import(struct bo *bo, struct dma_buf *dmabuf)
{
	bo->attach = dma_buf_dynamic_attach(dmabuf, bo->dev, &ops, bo);
	return PTR_ERR_OR_ZERO(bo->attach);
}
