// SPDX-License-Identifier: GPL-2.0
/* An exporter that has one table, and gives it to everybody. */

#include <linux/dma-buf.h>

#include "seeded.h"

static struct sg_table *the_table;
static unsigned int nr_users;

static struct sg_table *bo_map(struct dma_buf_attachment *attach,
			       enum dma_data_direction dir)
{
	if (!the_table)
		the_table = acme_map(attach, dir);
	nr_users++;
	return the_table;
}

static void bo_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		     enum dma_data_direction dir)
{
	if (!--nr_users)
		acme_unmap(attach, sgt, dir);
}

static const struct dma_buf_ops bo_ops = {
	.map_dma_buf = bo_map,
	.unmap_dma_buf = bo_unmap,
	.release = acme_release,
};

static int map_two(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;
	int ret;

	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	ret = acme_map_once(attach);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	return ret;
}

int seeded_table_shared(void)
{
	return acme_with_import(&bo_ops, NULL, map_two);
}
