// SPDX-License-Identifier: GPL-2.0
/* An exporter that pins its memory for each mapping into the kernel. */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

#include "seeded.h"

static int nr_pinned;

static void bo_pin(struct dma_buf *dmabuf)
{
	dma_resv_assert_held(dmabuf->resv);
	nr_pinned++;
}

static int bo_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	bo_pin(dmabuf);
	return acme_vmap(dmabuf, map);
}

static void bo_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	nr_pinned--;
}

static const struct dma_buf_ops bo_ops = {
	.map_dma_buf = acme_map,
	.unmap_dma_buf = acme_unmap,
	.vmap = bo_vmap,
	.vunmap = bo_vunmap,
	.release = acme_release,
};

static int map_once(struct dma_buf *dmabuf)
{
	struct iosys_map map;
	int ret;

	ret = dma_buf_vmap_unlocked(dmabuf, &map);
	if (!ret)
		dma_buf_vunmap_unlocked(dmabuf, &map);
	return ret;
}

int seeded_vmap_pin(void)
{
	return acme_with_buffer(&bo_ops, map_once);
}
