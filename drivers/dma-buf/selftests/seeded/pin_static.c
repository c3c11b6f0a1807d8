// SPDX-License-Identifier: GPL-2.0
/* A camera that cannot follow moves, and pins. */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

#include "seeded.h"

static int cam_prepare(struct dma_buf_attachment *attach)
{
	int ret;

	dma_resv_lock(attach->dmabuf->resv, NULL);
	ret = dma_buf_pin(attach);
	dma_resv_unlock(attach->dmabuf->resv);
	return ret;
}

int seeded_pin_static(void)
{
	return acme_with_import(&acme_movable_ops, NULL, cam_prepare);
}
