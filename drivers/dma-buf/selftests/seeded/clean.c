// SPDX-License-Identifier: GPL-2.0
/* A camera that does everything right: nobody has anything to say. */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

#include "seeded.h"

static int cam_capture(struct dma_buf_attachment *attach)
{
	struct dma_buf *dmabuf = attach->dmabuf;
	struct sg_table *sgt;
	struct iosys_map map;
	int ret;

	sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);

	ret = dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE);
	if (ret)
		return ret;
	ret = dma_buf_vmap_unlocked(dmabuf, &map);
	if (!ret)
		dma_buf_vunmap_unlocked(dmabuf, &map);
	dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE);
	return ret;
}

int seeded_clean(void)
{
	return acme_with_import(&acme_movable_ops, NULL, cam_capture);
}
