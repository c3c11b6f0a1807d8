// SPDX-License-Identifier: GPL-2.0
/*
 * The heaps, put through the contract: buffers of one page, of one chunk, of
 * chunks of several sizes, and of one piece of the CMA area.
 */

#include "mock.h"

#if DMABUF_OURS && IS_ENABLED(CONFIG_DMABUF_HEAPS)

#include <linux/cma.h>
#include <linux/dma-buf-conformance.h>
#include <linux/dma-map-ops.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/module.h>
#include <linux/sizes.h>

#include <kunit/visibility.h>

#include "../heaps/heap-buffer.h"

MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);

#define HEAP_PROMISES	(DMA_BUF_PROMISES_MAP | DMA_BUF_PROMISES_PFN | DMA_BUF_PROMISES_MMAP | \
			 DMA_BUF_PROMISES_VMAP | DMA_BUF_PROMISES_CPU | DMA_BUF_PROMISES_TRY | \
			 DMA_BUF_PROMISES_ZERO)

#if IS_ENABLED(CONFIG_DMABUF_HEAPS_SYSTEM)

static struct dma_buf *system_create(struct kunit *test, size_t size)
{
	return system_heap_buffer("conformance", size, O_RDWR | O_CLOEXEC);
}

static const struct dma_buf_conformance system_heap_page = {
	.create = system_create,
	.size = PAGE_SIZE,
	.promises = HEAP_PROMISES,
};

DMA_BUF_CONFORMANCE_SUITE(system_heap_page, &system_heap_page);

static const struct dma_buf_conformance system_heap_chunk = {
	.create = system_create,
	.size = SZ_64K,
	.promises = HEAP_PROMISES,
};

DMA_BUF_CONFORMANCE_SUITE(system_heap_chunk, &system_heap_chunk);

static const struct dma_buf_conformance system_heap_chunks = {
	.create = system_create,
	.size = SZ_1M + SZ_64K + 3 * PAGE_SIZE,
	.promises = HEAP_PROMISES,
};

DMA_BUF_CONFORMANCE_SUITE(system_heap_chunks, &system_heap_chunks);

#endif /* CONFIG_DMABUF_HEAPS_SYSTEM */

/* The default area is not exported to modules. */
#if IS_ENABLED(CONFIG_DMABUF_HEAPS_CMA) && !defined(MODULE)

static int cma_init(struct kunit *test)
{
	if (!dev_get_cma_area(NULL))
		kunit_skip(test, "no default area");
	return 0;
}

static struct dma_buf *cma_create(struct kunit *test, size_t size)
{
	return cma_heap_buffer(dev_get_cma_area(NULL), size, O_RDWR | O_CLOEXEC);
}

static const struct dma_buf_conformance cma_heap = {
	.create = cma_create,
	.init = cma_init,
	.size = SZ_256K + PAGE_SIZE,
	.promises = HEAP_PROMISES,
};

DMA_BUF_CONFORMANCE_SUITE(cma_heap, &cma_heap);

#endif /* CONFIG_DMABUF_HEAPS_CMA */

#endif /* DMABUF_OURS */
