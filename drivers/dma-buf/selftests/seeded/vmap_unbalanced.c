// SPDX-License-Identifier: GPL-2.0
/*
 * A display over USB that unmaps a frame twice: when it is sent, and in a
 * common exit.
 */

#include <linux/dma-buf.h>

#include "seeded.h"

static int udl_send(struct dma_buf *dmabuf)
{
	struct iosys_map map, sent;
	int ret;

	ret = dma_buf_vmap_unlocked(dmabuf, &map);
	if (ret)
		return ret;

	sent = map;
	dma_buf_vunmap_unlocked(dmabuf, &sent);
	dma_buf_vunmap_unlocked(dmabuf, &map);
	return 0;
}

int seeded_vmap_unbalanced(void)
{
	return acme_with_buffer(&acme_ops, udl_send);
}
