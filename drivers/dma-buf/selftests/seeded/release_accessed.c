// SPDX-License-Identifier: GPL-2.0
/*
 * A display that begins to read a frame, and does not say that it has given
 * up.
 */

#include <linux/dma-buf.h>

#include "seeded.h"

static int udl_read(struct dma_buf *dmabuf, size_t stride)
{
	int ret;

	ret = dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE);
	if (ret)
		return ret;
	if (stride > dmabuf->size)
		return -EINVAL;

	dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE);
	return 0;
}

static int udl_read_too_much(struct dma_buf *dmabuf)
{
	return udl_read(dmabuf, dmabuf->size + 1);
}

int seeded_release_accessed(void)
{
	return acme_with_buffer(&acme_ops, udl_read_too_much);
}
