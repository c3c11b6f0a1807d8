// SPDX-License-Identifier: GPL-2.0
/*
 * A display that unpins a frame when it is off the screen, and again when it
 * stops.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

#include "seeded.h"

static void crtc_frame_done(struct dma_buf_attachment *attach)
{
	dma_resv_lock(attach->dmabuf->resv, NULL);
	dma_buf_unpin(attach);
	dma_resv_unlock(attach->dmabuf->resv);
}

static int crtc_show(struct dma_buf_attachment *attach)
{
	int ret;

	dma_resv_lock(attach->dmabuf->resv, NULL);
	ret = dma_buf_pin(attach);
	dma_resv_unlock(attach->dmabuf->resv);
	if (ret)
		return ret;

	crtc_frame_done(attach);
	/* And stop. */
	crtc_frame_done(attach);
	return 0;
}

int seeded_pin_unbalanced(void)
{
	return acme_with_import(&acme_movable_ops, &acme_follow_ops, crtc_show);
}
