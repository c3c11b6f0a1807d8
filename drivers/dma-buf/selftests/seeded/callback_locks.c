// SPDX-License-Identifier: GPL-2.0
/* An exporter that takes the lock in a callback for which its caller has it. */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

#include "seeded.h"

static struct sg_table *bo_map(struct dma_buf_attachment *attach,
			       enum dma_data_direction dir)
{
	struct sg_table *sgt;

	dma_resv_lock(attach->dmabuf->resv, NULL);
	sgt = acme_map(attach, dir);
	dma_resv_unlock(attach->dmabuf->resv);
	return sgt;
}

static const struct dma_buf_ops bo_ops = {
	.map_dma_buf = bo_map,
	.unmap_dma_buf = acme_unmap,
	.release = acme_release,
};

int seeded_callback_locks(void)
{
	return acme_with_import(&bo_ops, NULL, acme_map_once);
}
