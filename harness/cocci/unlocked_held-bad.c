// SPDX-License-Identifier: GPL-2.0-only
/* Calls that take the lock that their caller holds. */
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
	sgt = dma_buf_map_attachment_unlocked(cam->attach, DMA_FROM_DEVICE); /* finding */
	dma_resv_unlock(cam->dmabuf->resv);
	return PTR_ERR_OR_ZERO(sgt);
}

static int vmap_interruptible(struct cam *cam, struct iosys_map *map)
{
	int ret;

	ret = dma_resv_lock_interruptible(cam->dmabuf->resv, NULL);
	if (ret)
		return ret;
	ret = dma_buf_vmap_unlocked(cam->dmabuf, map); /* finding */
	dma_resv_unlock(cam->dmabuf->resv);
	return ret;
}

static void detach(struct cam *cam)
{
	dma_resv_assert_held(cam->dmabuf->resv);
	dma_buf_detach(cam->dmabuf, cam->attach); /* finding */
}

static int sync(struct cam *cam)
{
	int ret;

	dma_resv_lock(cam->dmabuf->resv, NULL);
	if (cam->stale) {
		dma_resv_unlock(cam->dmabuf->resv);
		return -EAGAIN;
	}
	ret = dma_buf_begin_cpu_access(cam->dmabuf, DMA_FROM_DEVICE); /* finding */
	dma_resv_unlock(cam->dmabuf->resv);
	return ret;
}

static void twice(struct cam *cam)
{
	dma_resv_lock(cam->dmabuf->resv, NULL);
	if (cam->stale)
		dma_resv_lock(cam->dmabuf->resv, NULL); /* finding */
	dma_resv_unlock(cam->dmabuf->resv);
}

static int tried(struct cam *cam)
{
	if (!dma_resv_trylock(cam->dmabuf->resv))
		return -EBUSY;
	dma_buf_unmap_attachment_unlocked(cam->attach, cam->sgt, DMA_FROM_DEVICE); /* finding */
	dma_resv_unlock(cam->dmabuf->resv);
	return 0;
}

static void each_of_them(struct cam *cam, int what, struct iosys_map *map)
{
	dma_resv_lock_slow(cam->dmabuf->resv, NULL);
	switch (what) {
	case 0:
		dma_buf_attach(cam->dmabuf, cam->dev); /* finding */
		break;
	case 1:
		dma_buf_dynamic_attach(cam->dmabuf, cam->dev, NULL, NULL); /* finding */
		break;
	case 2:
		dma_buf_detach(cam->dmabuf, cam->attach); /* finding */
		break;
	case 3:
		dma_buf_map_attachment_unlocked(cam->attach, DMA_TO_DEVICE); /* finding */
		break;
	case 4:
		dma_buf_unmap_attachment_unlocked(cam->attach, cam->sgt, DMA_TO_DEVICE); /* finding */
		break;
	case 5:
		dma_buf_try_map_attachment_unlocked(cam->attach, DMA_TO_DEVICE); /* finding */
		break;
	case 6:
		dma_buf_get_pfn_unlocked(cam->attach, 0, NULL, NULL); /* finding */
		break;
	case 7:
		dma_buf_vmap_unlocked(cam->dmabuf, map); /* finding */
		break;
	case 8:
		dma_buf_vunmap_unlocked(cam->dmabuf, map); /* finding */
		break;
	case 9:
		dma_buf_begin_cpu_access(cam->dmabuf, DMA_TO_DEVICE); /* finding */
		break;
	case 10:
		dma_buf_end_cpu_access(cam->dmabuf, DMA_TO_DEVICE); /* finding */
		break;
	case 11:
		dma_resv_lock_interruptible(cam->dmabuf->resv, NULL); /* finding */
		break;
	}
	dma_resv_unlock(cam->dmabuf->resv);
}

static int tested(struct cam *cam)
{
	if (dma_resv_lock_interruptible(cam->dmabuf->resv, NULL))
		return -EINTR;
	dma_buf_detach(cam->dmabuf, cam->attach); /* finding */
	dma_resv_unlock(cam->dmabuf->resv);
	return 0;
}
