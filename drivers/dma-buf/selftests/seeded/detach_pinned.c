// SPDX-License-Identifier: GPL-2.0
/* A display that detaches a frame which it has pinned to show it. */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

#include "seeded.h"

static int crtc_close(struct dma_buf_attachment *attach)
{
	int ret;

	dma_resv_lock(attach->dmabuf->resv, NULL);
	ret = dma_buf_pin(attach);
	dma_resv_unlock(attach->dmabuf->resv);
	return ret;
}

int seeded_detach_pinned(void)
{
	return acme_with_import(&acme_movable_ops, &acme_follow_ops, crtc_close);
}
