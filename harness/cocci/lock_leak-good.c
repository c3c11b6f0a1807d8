// SPDX-License-Identifier: GPL-2.0-only
/* Functions that drop the lock, or leave it to others altogether. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct cam {
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	bool stale;
};

void cam_unlock(struct dma_resv *resv);

static int maps(struct cam *cam)
{
	struct sg_table *sgt;

	dma_resv_lock(cam->dmabuf->resv, NULL);
	sgt = dma_buf_map_attachment(cam->attach, DMA_FROM_DEVICE);
	if (IS_ERR(sgt)) {
		dma_resv_unlock(cam->dmabuf->resv);
		return PTR_ERR(sgt);
	}
	cam->sgt = sgt;
	dma_resv_unlock(cam->dmabuf->resv);
	return 0;
}

static int locks(struct cam *cam)
{
	int ret;

	ret = dma_resv_lock_interruptible(cam->dmabuf->resv, NULL);
	if (ret)
		return ret;
	if (cam->stale)
		return -EAGAIN;
	return 0;
}

static int helper_unlocks(struct cam *cam)
{
	dma_resv_lock(cam->dmabuf->resv, NULL);
	if (cam->stale) {
		cam_unlock(cam->dmabuf->resv);
		return -EAGAIN;
	}
	dma_resv_unlock(cam->dmabuf->resv);
	return 0;
}

static int tries(struct cam *cam)
{
	if (!dma_resv_trylock(cam->dmabuf->resv))
		return -EBUSY;
	cam->stale = true;
	dma_resv_unlock(cam->dmabuf->resv);
	return -EAGAIN;
}

static void warns(struct cam *cam)
{
	int ret;

	ret = dma_resv_lock(cam->dmabuf->resv, NULL);
	if (WARN_ON(ret))
		return;
	cam->stale = true;
	dma_resv_unlock(cam->dmabuf->resv);
}

static int sometimes(struct cam *cam)
{
	int ret;

	if (cam->stale)
		dma_resv_lock(cam->dmabuf->resv, NULL);
	ret = cam->attach ? 0 : -ENODEV;
	if (cam->stale)
		dma_resv_unlock(cam->dmabuf->resv);
	if (ret)
		return ret;
	return 0;
}
