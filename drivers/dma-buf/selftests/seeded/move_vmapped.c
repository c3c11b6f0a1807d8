// SPDX-License-Identifier: GPL-2.0
/*
 * An importer that says it follows moves, and keeps the address of where the
 * buffer was.
 */

#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

#include "seeded.h"

static void fb_move_notify(struct dma_buf_attachment *attach)
{
	dev_dbg(attach->dev, "the frame moves\n");
}

static const struct dma_buf_attach_ops fb_importer_ops = {
	.move_notify = fb_move_notify,
};

static int fb_flush(struct dma_buf_attachment *attach)
{
	struct dma_buf *dmabuf = attach->dmabuf;
	struct iosys_map map;
	int ret;

	dma_resv_lock(dmabuf->resv, NULL);
	ret = dma_buf_vmap(dmabuf, &map);
	if (!ret) {
		/* The exporter, on behalf of somebody else. */
		dma_buf_move_notify(dmabuf);
		dma_buf_vunmap(dmabuf, &map);
	}
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

int seeded_move_vmapped(void)
{
	return acme_with_import(&acme_movable_ops, &fb_importer_ops, fb_flush);
}
