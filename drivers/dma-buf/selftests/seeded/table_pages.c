// SPDX-License-Identifier: GPL-2.0
/*
 * An exporter of video memory that promises no struct pages, and puts some
 * into its table.
 */

#include <linux/dma-buf.h>

#include "seeded.h"

static const struct dma_buf_ops vram_ops = {
	.no_struct_pages = true,
	.map_dma_buf = acme_map,
	.unmap_dma_buf = acme_unmap,
	.release = acme_release,
};

int seeded_table_pages(void)
{
	return acme_with_import(&vram_ops, NULL, acme_map_once);
}
