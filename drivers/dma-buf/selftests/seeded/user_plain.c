// SPDX-License-Identifier: GPL-2.0
/* A codec that takes the argument of an ioctl for memory of its own. */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/jiffies.h>

#include "seeded.h"

static int codec_wait(struct dma_buf *dmabuf, const u64 __user *timeout)
{
	return dma_resv_wait_timeout(dmabuf->resv, DMA_RESV_USAGE_READ, true,
				     nsecs_to_jiffies(*timeout));
}

int seeded_user_plain_ioctl(struct dma_buf *dmabuf, const u64 __user *timeout)
{
	return codec_wait(dmabuf, timeout);
}

int seeded_user_plain(void)
{
	return 0;
}
