// SPDX-License-Identifier: GPL-2.0-only
/* Functions that drop the lock on some of their ways out. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct cam {
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	bool stale;
};

static int maps(struct cam *cam)
{
	struct sg_table *sgt;

	dma_resv_lock(cam->dmabuf->resv, NULL);
	sgt = dma_buf_map_attachment(cam->attach, DMA_FROM_DEVICE);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt); /* finding */
	cam->sgt = sgt;
	dma_resv_unlock(cam->dmabuf->resv);
	return 0;
}

static int maps_interruptibly(struct cam *cam)
{
	int ret;

	ret = dma_resv_lock_interruptible(cam->dmabuf->resv, NULL);
	if (ret)
		return ret;
	if (cam->stale)
		return -EAGAIN; /* finding */
	ret = dma_resv_reserve_fences(cam->dmabuf->resv, 1);
	dma_resv_unlock(cam->dmabuf->resv);
	return ret;
}

static void tries(struct cam *cam)
{
	if (!dma_resv_trylock(cam->dmabuf->resv))
		return;
	dma_resv_assert_held(cam->dmabuf->resv);
	if (cam->stale)
		return; /* finding */
	dma_resv_unlock(cam->dmabuf->resv);
}

static int reserves(struct cam *cam)
{
	int ret;

	dma_resv_lock(cam->dmabuf->resv, NULL);
	ret = dma_resv_reserve_fences(cam->dmabuf->resv, 1);
	if (ret)
		return ret; /* finding */
	dma_resv_unlock(cam->dmabuf->resv);
	return 0;
}

static int reserves_interruptibly(struct cam *cam)
{
	int ret;

	ret = dma_resv_lock_interruptible(cam->dmabuf->resv, NULL);
	if (ret)
		return ret;
	ret = dma_resv_reserve_fences(cam->dmabuf->resv, 1);
	if (ret < 0)
		goto err;
	dma_resv_unlock(cam->dmabuf->resv);
	return 0;

err:
	return ret; /* finding */
}

static bool tested(struct cam *cam)
{
	if (dma_resv_lock_interruptible(cam->dmabuf->resv, NULL))
		return false;
	if (cam->stale)
		return false; /* finding */
	dma_resv_unlock(cam->dmabuf->resv);
	return true;
}
