// SPDX-License-Identifier: GPL-2.0
/* An exporter that moves, and wants its mappings kept. */

#include <linux/dma-buf.h>

#include "seeded.h"

static const struct dma_buf_ops vram_ops = {
	.cache_sgt_mapping = true,
	.pin = acme_pin,
	.unpin = acme_unpin,
	.map_dma_buf = acme_map,
	.unmap_dma_buf = acme_unmap,
	.release = acme_release,
};

int seeded_pin_cache(void)
{
	return acme_with_import(&vram_ops, NULL, acme_map_once);
}
