// SPDX-License-Identifier: GPL-2.0-only
/* Exporters that leave pins to those who need them. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct bo {
	void *vaddr;
	unsigned int pin_count;
};

int bo_pin(struct bo *bo);
void bo_unpin(struct bo *bo);
void bo_spin(struct bo *bo);
void *bo_map(struct bo *bo);

static int maps(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct bo *bo = dmabuf->priv;

	dma_resv_assert_held(dmabuf->resv);
	bo_spin(bo);
	bo->vaddr = bo_map(bo);
	if (!bo->vaddr)
		return -ENOMEM;
	iosys_map_set_vaddr(map, bo->vaddr);
	return 0;
}

static int pin(struct dma_buf_attachment *attach)
{
	return bo_pin(attach->dmabuf->priv);
}

static void unpin(struct dma_buf_attachment *attach)
{
	bo_unpin(attach->dmabuf->priv);
}

static const struct dma_buf_ops ops = {
	.pin = pin,
	.unpin = unpin,
	.vmap = maps,
};

/* An importer: it pins before it maps. */
static int console_map(struct dma_buf_attachment *attach, struct iosys_map *map)
{
	int ret;

	ret = dma_buf_pin(attach);
	if (ret)
		return ret;
	return dma_buf_vmap(attach->dmabuf, map);
}
