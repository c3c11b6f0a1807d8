// SPDX-License-Identifier: GPL-2.0
/* An exporter of scattered pages that claims they follow each other. */

#include <linux/dma-buf.h>

#include "seeded.h"

static int shmem_get_pfn(struct dma_buf_attachment *attach, pgoff_t pgoff,
			 u64 *pfn, unsigned int *max_order)
{
	/* Interleaved between two banks. */
	*pfn = 0x1000 + pgoff / 2 + (pgoff & 1) * 0x800;
	*max_order = 2;
	return 0;
}

static const struct dma_buf_ops shmem_ops = {
	.get_pfn = shmem_get_pfn,
	.map_dma_buf = acme_map,
	.unmap_dma_buf = acme_unmap,
	.release = acme_release,
};

static int iommu_import(struct dma_buf_attachment *attach)
{
	unsigned int order;
	u64 pfn;

	return dma_buf_get_pfn_unlocked(attach, 0, &pfn, &order);
}

int seeded_pfn_order(void)
{
	return acme_with_import(&shmem_ops, NULL, iommu_import);
}
