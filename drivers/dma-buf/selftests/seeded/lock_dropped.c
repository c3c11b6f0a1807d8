// SPDX-License-Identifier: GPL-2.0
/*
 * An exporter that drops the lock to wait for room, and takes it again only if
 * there is none.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

#include "seeded.h"

static int vram_wait_for_room(struct dma_buf *dmabuf)
{
	dma_resv_unlock(dmabuf->resv);
	if (!dmabuf->size) {
		dma_resv_lock(dmabuf->resv, NULL);
		return -ENOSPC;
	}
	return 0;
}

static struct sg_table *vram_map(struct dma_buf_attachment *attach,
				 enum dma_data_direction dir)
{
	int ret = vram_wait_for_room(attach->dmabuf);

	return ret ? ERR_PTR(ret) : acme_map(attach, dir);
}

static const struct dma_buf_ops vram_ops = {
	.map_dma_buf = vram_map,
	.unmap_dma_buf = acme_unmap,
	.release = acme_release,
};

int seeded_lock_dropped(void)
{
	return acme_with_import(&vram_ops, NULL, acme_map_once);
}
