// SPDX-License-Identifier: GPL-2.0
/*
 * A display that looks at the header of a frame, and forgets its mapping if it
 * is a bad one.
 */

#include <linux/dma-buf.h>
#include <linux/iosys-map.h>

#include "seeded.h"

struct header {
	u32 magic;
};

static int udl_check(struct dma_buf *dmabuf)
{
	struct iosys_map map;
	u32 magic;
	int ret;

	ret = dma_buf_vmap_unlocked(dmabuf, &map);
	if (ret)
		return ret;

	magic = iosys_map_rd_field(&map, 0, struct header, magic);
	if (magic != 0x4d414347)
		return -EINVAL;

	dma_buf_vunmap_unlocked(dmabuf, &map);
	return 0;
}

int seeded_release_vmapped(void)
{
	return acme_with_buffer(&acme_ops, udl_check);
}
