// SPDX-License-Identifier: GPL-2.0
/* How a driver has its exporter put through the contract: these lines are all. */
#include <linux/dma-buf-conformance.h>
#include "conformance_sample.h"

static struct dma_buf *example_create(struct kunit *test, size_t size)
{
	return sample_export(size, 0);
}

static const struct dma_buf_conformance example = {
	.create = example_create,
	.cpu_address = sample_cpu_address,
	.promises = DMA_BUF_PROMISES_MAP | DMA_BUF_PROMISES_PFN | DMA_BUF_PROMISES_TRY |
		    DMA_BUF_PROMISES_VMAP | DMA_BUF_PROMISES_MMAP | DMA_BUF_PROMISES_CPU,
};

DMA_BUF_CONFORMANCE_SUITE(example, &example);
