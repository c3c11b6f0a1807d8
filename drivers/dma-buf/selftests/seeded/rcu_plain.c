// SPDX-License-Identifier: GPL-2.0
/* A GPU that looks for fences behind the back of those who replace them. */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

#include "seeded.h"

static int gpu_is_idle(struct dma_buf *dmabuf)
{
	struct dma_resv_list *fences = dmabuf->resv->fences;

	return fences ? -EBUSY : 0;
}

int seeded_rcu_plain(void)
{
	return acme_with_buffer(&acme_ops, gpu_is_idle);
}
