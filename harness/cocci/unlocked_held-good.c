// SPDX-License-Identifier: GPL-2.0-only
/* Locked calls with the lock, unlocked ones without it. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct cam {
	struct device *dev;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	bool stale;
};

static int map(struct cam *cam)
{
	struct sg_table *sgt;

	dma_resv_lock(cam->dmabuf->resv, NULL);
	sgt = dma_buf_map_attachment(cam->attach, DMA_FROM_DEVICE);
	dma_resv_unlock(cam->dmabuf->resv);
	if (!IS_ERR(sgt))
		dma_buf_unmap_attachment_unlocked(cam->attach, sgt, DMA_FROM_DEVICE);
	return PTR_ERR_OR_ZERO(sgt);
}

static void map_again(struct cam *cam)
{
	dma_resv_lock(cam->dmabuf->resv, NULL);
	if (!cam->stale) {
		dma_resv_unlock(cam->dmabuf->resv);
		return;
	}
	cam->stale = false;
	dma_resv_unlock(cam->dmabuf->resv);
	cam->sgt = dma_buf_map_attachment_unlocked(cam->attach, DMA_FROM_DEVICE);
}

static int interrupted(struct cam *cam)
{
	int ret;

	ret = dma_resv_lock_interruptible(cam->dmabuf->resv, NULL);
	if (ret) {
		dma_buf_detach(cam->dmabuf, cam->attach);
		return ret;
	}
	cam->stale = true;
	dma_resv_unlock(cam->dmabuf->resv);
	dma_buf_detach(cam->dmabuf, cam->attach);
	return 0;
}

static int several(struct cam *a, struct cam *b, struct ww_acquire_ctx *ticket)
{
	int ret;

	ret = dma_resv_lock(a->dmabuf->resv, ticket);
	if (ret)
		return ret;
	ret = dma_resv_lock(b->dmabuf->resv, ticket);
	if (!ret)
		dma_resv_unlock(b->dmabuf->resv);
	dma_resv_unlock(a->dmabuf->resv);
	return ret;
}

static int tried(struct cam *cam)
{
	struct sg_table *sgt;

	if (!dma_resv_trylock(cam->dmabuf->resv)) {
		sgt = dma_buf_map_attachment_unlocked(cam->attach, DMA_FROM_DEVICE);
		return PTR_ERR_OR_ZERO(sgt);
	}
	dma_resv_unlock(cam->dmabuf->resv);
	dma_buf_detach(cam->dmabuf, cam->attach);
	return 0;
}
