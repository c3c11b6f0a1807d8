// SPDX-License-Identifier: GPL-2.0
/* An exporter that makes room by moving what a display has pinned. */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

#include "seeded.h"

static void vram_evict(struct dma_buf *dmabuf)
{
	dma_resv_lock(dmabuf->resv, NULL);
	dma_buf_move_notify(dmabuf);
	dma_resv_unlock(dmabuf->resv);
}

static int crtc_show(struct dma_buf_attachment *attach)
{
	int ret;

	dma_resv_lock(attach->dmabuf->resv, NULL);
	ret = dma_buf_pin(attach);
	dma_resv_unlock(attach->dmabuf->resv);
	if (ret)
		return ret;

	vram_evict(attach->dmabuf);

	dma_resv_lock(attach->dmabuf->resv, NULL);
	dma_buf_unpin(attach);
	dma_resv_unlock(attach->dmabuf->resv);
	return 0;
}

int seeded_move_pinned(void)
{
	return acme_with_import(&acme_movable_ops, &acme_follow_ops, crtc_show);
}
