// SPDX-License-Identifier: GPL-2.0
/*
 * A display that ends an access on an exit to which it comes before it has
 * begun one.
 */

#include <linux/dma-buf.h>

#include "seeded.h"

static int udl_damage(struct dma_buf *dmabuf, unsigned int x, unsigned int width)
{
	int ret = -EINVAL;

	if (x >= width)
		goto out;

	ret = dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE);
	if (ret)
		return ret;
out:
	dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE);
	return ret;
}

static int udl_damage_nothing(struct dma_buf *dmabuf)
{
	return udl_damage(dmabuf, 640, 640);
}

int seeded_access_unbalanced(void)
{
	return acme_with_buffer(&acme_ops, udl_damage_nothing);
}
