// SPDX-License-Identifier: GPL-2.0
/* A display that clears a frame as if it were always memory. */

#include <linux/dma-buf.h>
#include <linux/string.h>

#include "seeded.h"

static int fb_clear(struct dma_buf *dmabuf)
{
	struct iosys_map map;
	int ret;

	ret = dma_buf_begin_cpu_access(dmabuf, DMA_TO_DEVICE);
	if (ret)
		return ret;
	ret = dma_buf_vmap_unlocked(dmabuf, &map);
	if (ret)
		goto end;

	if (map.is_iomem)
		memset(map.vaddr_iomem, 0, dmabuf->size);
	else
		memset(map.vaddr, 0, dmabuf->size);
	dma_buf_vunmap_unlocked(dmabuf, &map);
end:
	dma_buf_end_cpu_access(dmabuf, DMA_TO_DEVICE);
	return ret;
}

int seeded_iomem_plain(void)
{
	return acme_with_buffer(&acme_ops, fb_clear);
}
