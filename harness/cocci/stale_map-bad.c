// SPDX-License-Identifier: GPL-2.0-only
/* A dynamic importer that keeps mappings across a move. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct bo {
	struct device *dev;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
};

void gpu_write_ptes(struct bo *bo, struct sg_table *sgt);

static int uses_without_lock(struct bo *bo)
{
	struct sg_table *sgt;

	dma_resv_lock(bo->attach->dmabuf->resv, NULL);
	sgt = dma_buf_map_attachment(bo->attach, DMA_BIDIRECTIONAL);
	dma_resv_unlock(bo->attach->dmabuf->resv);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	gpu_write_ptes(bo, sgt); /* finding */
	return 0;
}

static int counts_without_lock(struct bo *bo)
{
	int nents;

	dma_resv_lock(bo->attach->dmabuf->resv, NULL);
	bo->sgt = dma_buf_map_attachment(bo->attach, DMA_BIDIRECTIONAL);
	dma_resv_unlock(bo->attach->dmabuf->resv);
	if (IS_ERR(bo->sgt))
		return PTR_ERR(bo->sgt);
	nents = bo->sgt->nents; /* finding */
	return nents;
}

static int maps_without_lock(struct bo *bo)
{
	bo->sgt = dma_buf_map_attachment_unlocked(bo->attach, DMA_BIDIRECTIONAL); /* finding */
	return PTR_ERR_OR_ZERO(bo->sgt);
}

static void ignores(struct dma_buf_attachment *attach) /* finding */
{
	pr_debug("a buffer moves\n");
}

static const struct dma_buf_attach_ops ignoring_ops = {
	.allow_peer2peer = true,
	.move_notify = ignores,
};

static void maps_again(struct dma_buf_attachment *attach)
{
	struct bo *bo = attach->importer_priv;

	dma_buf_unmap_attachment(attach, bo->sgt, DMA_BIDIRECTIONAL);
	bo->sgt = dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL); /* finding */
}

static const struct dma_buf_attach_ops mapping_ops = {
	.move_notify = maps_again,
};

static int import(struct bo *bo, struct dma_buf *dmabuf)
{
	bo->attach = dma_buf_dynamic_attach(dmabuf, bo->dev, &mapping_ops, bo);
	return PTR_ERR_OR_ZERO(bo->attach);
}
