// SPDX-License-Identifier: GPL-2.0-only
/* Exporters that pin whenever somebody maps the buffer into the kernel. */
#include <linux/dma-buf.h>
#include <linux/virtio_dma_buf.h>
#include <drm/drm_gem.h>

struct bo {
	void *vaddr;
};

int bo_pin(struct bo *bo);
void *bo_pin_map(struct bo *bo);
void bo_unpin(struct bo *bo);
struct bo *to_bo(struct drm_gem_object *obj);

static int pins(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct bo *bo = dmabuf->priv;
	int ret;

	ret = bo_pin(bo); /* finding */
	if (ret)
		return ret;
	iosys_map_set_vaddr(map, bo->vaddr);
	return 0;
}

static void unpins(struct dma_buf *dmabuf, struct iosys_map *map)
{
	bo_unpin(dmabuf->priv);
}

static const struct dma_buf_ops ops = {
	.vmap = pins,
	.vunmap = unpins,
};

static void *bo_vaddr(struct bo *bo)
{
	return bo_pin_map(bo); /* finding */
}

static int helper_pins(struct dma_buf *dmabuf, struct iosys_map *map)
{
	iosys_map_set_vaddr(map, bo_vaddr(dmabuf->priv));
	return 0;
}

static const struct virtio_dma_buf_ops virtio_ops = {
	.ops = {
		.vmap = helper_pins,
		.vunmap = unpins,
	},
};

static int gem_vmap(struct drm_gem_object *obj, struct iosys_map *map)
{
	int ret;

	ret = bo_pin(to_bo(obj)); /* finding */
	if (ret)
		return ret;
	iosys_map_set_vaddr(map, to_bo(obj)->vaddr);
	return 0;
}

static const struct drm_gem_object_funcs gem_funcs = {
	.vmap = gem_vmap,
};
