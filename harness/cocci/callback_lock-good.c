// SPDX-License-Identifier: GPL-2.0-only
/* Callbacks that rely on the lock of their caller, and others that may take it. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct bo {
	struct dma_resv *resv;
	struct sg_table *sgt;
	struct bo *victim;
};

int bo_pin(struct bo *bo);
void bo_unpin(struct bo *bo);
void bo_evict(struct bo *bo);
void bo_free(struct bo *bo);

static int pin(struct dma_buf_attachment *attach)
{
	struct bo *bo = attach->dmabuf->priv;

	dma_resv_assert_held(bo->resv);
	return bo_pin(bo);
}

static void unpin(struct dma_buf_attachment *attach)
{
	bo_unpin(attach->dmabuf->priv);
}

static struct sg_table *makes_room(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct bo *bo = attach->dmabuf->priv;

	if (bo->victim && dma_resv_trylock(bo->victim->resv)) {
		bo_evict(bo->victim);
		dma_resv_unlock(bo->victim->resv);
	}
	return bo->sgt;
}

static void unmap(struct dma_buf_attachment *attach, struct sg_table *sgt, enum dma_data_direction dir)
{
}

/* The callbacks below are called without the lock. */

static int attach_locks(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct bo *bo = dmabuf->priv;
	int ret;

	ret = dma_resv_lock_interruptible(bo->resv, NULL);
	if (ret)
		return ret;
	ret = bo_pin(bo);
	dma_resv_unlock(bo->resv);
	return ret;
}

static int begin_locks(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	dma_resv_lock(dmabuf->resv, NULL);
	dma_resv_unlock(dmabuf->resv);
	return 0;
}

static void release_locks(struct dma_buf *dmabuf)
{
	struct bo *bo = dmabuf->priv;

	dma_resv_lock(bo->resv, NULL);
	bo_unpin(bo);
	dma_resv_unlock(bo->resv);
	bo_free(bo);
}

static const struct dma_buf_ops ops = {
	.attach = attach_locks,
	.pin = pin,
	.unpin = unpin,
	.map_dma_buf = makes_room,
	.unmap_dma_buf = unmap,
	.begin_cpu_access = begin_locks,
	.release = release_locks,
};

static void move_notify(struct dma_buf_attachment *attach)
{
	struct bo *bo = attach->importer_priv;

	dma_buf_unmap_attachment(attach, bo->sgt, DMA_BIDIRECTIONAL);
	bo->sgt = NULL;
}

static const struct dma_buf_attach_ops attach_ops = {
	.move_notify = move_notify,
};

/* Not a callback. */
static int import(struct dma_buf_attachment *attach, struct bo *bo)
{
	dma_resv_lock(attach->dmabuf->resv, NULL);
	bo->sgt = dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL);
	dma_resv_unlock(attach->dmabuf->resv);
	return PTR_ERR_OR_ZERO(bo->sgt);
}
