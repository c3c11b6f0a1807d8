// SPDX-License-Identifier: GPL-2.0-only
/* Callbacks that take, or drop, the lock their caller holds. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/virtio_dma_buf.h>
#include <drm/drm_gem.h>

struct bo {
	struct dma_resv *resv;
	struct sg_table *sgt;
	struct dma_buf *parent;
	struct drm_gem_object *obj;
};

struct bo *to_bo(struct drm_gem_object *obj);
int bo_pin(struct bo *bo);
void bo_unpin(struct bo *bo);
void bo_release(struct dma_buf *dmabuf);
int bo_wait(struct bo *bo);

static int takes_it(struct dma_buf_attachment *attach)
{
	struct bo *bo = attach->dmabuf->priv;
	int ret;

	dma_resv_lock(bo->resv, NULL); /* finding */
	ret = bo_pin(bo);
	dma_resv_unlock(bo->resv);
	return ret;
}

static void takes_it_interruptibly(struct dma_buf_attachment *attach)
{
	struct bo *bo = attach->dmabuf->priv;

	if (dma_resv_lock_interruptible(bo->resv, NULL)) /* finding */
		return;
	bo_unpin(bo);
	dma_resv_unlock(bo->resv);
}

static struct sg_table *bo_sgt(struct bo *bo)
{
	struct sg_table *sgt;

	dma_resv_lock(bo->resv, NULL); /* finding */
	sgt = bo->sgt;
	dma_resv_unlock(bo->resv);
	return sgt;
}

static void bo_drop(struct bo *bo)
{
	dma_resv_unlock(bo->resv); /* finding */
	bo_wait(bo);
}

static struct sg_table *helper_takes_it(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	bo_drop(attach->dmabuf->priv);
	return bo_sgt(attach->dmabuf->priv);
}

static void drops_it(struct dma_buf_attachment *attach, struct sg_table *sgt, enum dma_data_direction dir)
{
	struct bo *bo = attach->dmabuf->priv;

	dma_resv_unlock(bo->resv); /* finding */
	bo_wait(bo);
	dma_resv_lock(bo->resv, NULL); /* finding */
}

static int unlocked_twin(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct bo *bo = dmabuf->priv;

	if (bo->parent)
		return dma_buf_vmap_unlocked(bo->parent, map); /* finding */
	return -ENOMEM;
}

static void unlocked_twin_again(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct bo *bo = dmabuf->priv;

	if (bo->parent)
		dma_buf_vunmap_unlocked(bo->parent, map); /* finding */
}

static const struct dma_buf_ops ops = {
	.pin = takes_it,
	.unpin = takes_it_interruptibly,
	.map_dma_buf = helper_takes_it,
	.unmap_dma_buf = drops_it,
	.vmap = unlocked_twin,
	.vunmap = unlocked_twin_again,
	.release = bo_release,
};

static struct sg_table *virtio_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct bo *bo = attach->dmabuf->priv;

	dma_resv_lock(attach->dmabuf->resv, NULL); /* finding */
	bo_wait(bo);
	dma_resv_unlock(attach->dmabuf->resv);
	return bo->sgt;
}

static const struct virtio_dma_buf_ops virtio_ops = {
	.ops = {
		.map_dma_buf = virtio_map,
		.unmap_dma_buf = drops_it,
		.release = bo_release,
	},
};

static void notify_takes_it(struct dma_buf_attachment *attach)
{
	struct bo *bo = attach->importer_priv;

	dma_buf_unmap_attachment_unlocked(attach, bo->sgt, DMA_BIDIRECTIONAL); /* finding */
	bo->sgt = NULL;
}

static const struct dma_buf_attach_ops attach_ops = {
	.move_notify = notify_takes_it,
};

static void notify_drops_it(struct dma_buf_attachment *attach)
{
	dma_resv_unlock(attach->dmabuf->resv); /* finding */
	bo_wait(attach->importer_priv);
}

static const struct dma_buf_attach_ops dropping_ops = {
	.move_notify = notify_drops_it,
};

static void bo_forget(struct bo *bo, struct dma_buf_attachment *attach)
{
	dma_buf_unmap_attachment_unlocked(attach, bo->sgt, DMA_BIDIRECTIONAL); /* finding */
	bo->sgt = NULL;
}

static void bo_idle(struct bo *bo, struct dma_buf_attachment *attach)
{
	dma_resv_unlock(attach->dmabuf->resv); /* finding */
	bo_wait(bo);
}

static void helpers_of_notify(struct dma_buf_attachment *attach)
{
	struct bo *bo = attach->importer_priv;

	bo_idle(bo, attach);
	bo_forget(bo, attach);
}

static const struct dma_buf_attach_ops helping_ops = {
	.move_notify = helpers_of_notify,
};

static int get_pfn_detaches(struct dma_buf_attachment *attach, pgoff_t pgoff, u64 *pfn, unsigned int *max_order)
{
	dma_buf_detach(attach->dmabuf, attach); /* finding */
	return -ENXIO;
}

static const struct dma_buf_ops pfn_ops = {
	.get_pfn = get_pfn_detaches,
	.release = bo_release,
};

static int each_of_them(struct dma_buf_attachment *attach)
{
	struct bo *bo = attach->dmabuf->priv;
	struct iosys_map map;

	switch (bo_wait(bo)) {
	case 0:
		dma_buf_attach(attach->dmabuf, attach->dev); /* finding */
		break;
	case 1:
		dma_buf_dynamic_attach(attach->dmabuf, attach->dev, NULL, NULL); /* finding */
		break;
	case 2:
		dma_buf_detach(attach->dmabuf, attach); /* finding */
		break;
	case 3:
		dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE); /* finding */
		break;
	case 4:
		dma_buf_unmap_attachment_unlocked(attach, bo->sgt, DMA_TO_DEVICE); /* finding */
		break;
	case 5:
		dma_buf_try_map_attachment_unlocked(attach, DMA_TO_DEVICE); /* finding */
		break;
	case 6:
		dma_buf_get_pfn_unlocked(attach, 0, NULL, NULL); /* finding */
		break;
	case 7:
		dma_buf_vmap_unlocked(attach->dmabuf, &map); /* finding */
		break;
	case 8:
		dma_buf_vunmap_unlocked(attach->dmabuf, &map); /* finding */
		break;
	case 9:
		dma_buf_begin_cpu_access(attach->dmabuf, DMA_TO_DEVICE); /* finding */
		break;
	case 10:
		dma_buf_end_cpu_access(attach->dmabuf, DMA_TO_DEVICE); /* finding */
		break;
	case 11:
		drm_gem_pin(bo->obj); /* finding */
		break;
	case 12:
		drm_gem_unpin(bo->obj); /* finding */
		break;
	case 13:
		drm_gem_vmap_unlocked(bo->obj, &map); /* finding */
		break;
	case 14:
		drm_gem_vunmap_unlocked(bo->obj, &map); /* finding */
		break;
	}
	return 0;
}

static const struct dma_buf_ops each_ops = {
	.pin = each_of_them,
	.release = bo_release,
};

static int gem_pin(struct drm_gem_object *obj)
{
	int ret;

	ret = dma_resv_lock_interruptible(obj->resv, NULL); /* finding */
	if (ret)
		return ret;
	ret = bo_pin(to_bo(obj));
	dma_resv_unlock(obj->resv);
	return ret;
}

static const struct drm_gem_object_funcs gem_funcs = {
	.pin = gem_pin,
};
