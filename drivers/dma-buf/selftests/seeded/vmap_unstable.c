// SPDX-License-Identifier: GPL-2.0
/*
 * A display over USB that keeps a mapping of a buffer which may move
 * meanwhile.
 */

#include <linux/dma-buf.h>

#include "seeded.h"

static int udl_keep(struct dma_buf *dmabuf)
{
	struct iosys_map map;
	int ret;

	ret = dma_buf_vmap_unlocked(dmabuf, &map);
	if (ret)
		return ret;

	dma_buf_vunmap_unlocked(dmabuf, &map);
	return 0;
}

int seeded_vmap_unstable(void)
{
	return acme_with_buffer(&acme_movable_ops, udl_keep);
}
