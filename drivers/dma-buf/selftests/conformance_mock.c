// SPDX-License-Identifier: GPL-2.0
/*
 * The exporters that run everywhere, put through the contract: the sample, in
 * each form that it has, and the mocks of the other suites.
 */

#include "mock.h"

#if DMABUF_OURS

#include <linux/dma-buf-conformance.h>
#include <linux/sizes.h>

#include "conformance_sample.h"
#include "mock_exporter.h"

#define EVERYTHING	(DMA_BUF_PROMISES_MAP | DMA_BUF_PROMISES_PFN | DMA_BUF_PROMISES_MMAP | \
			 DMA_BUF_PROMISES_VMAP | DMA_BUF_PROMISES_CPU | DMA_BUF_PROMISES_TRY | \
			 DMA_BUF_PROMISES_ZERO)

/* ---- the sample ------------------------------------------------------------- */

static struct dma_buf *sample_create(struct kunit *test, size_t size)
{
	return sample_export(size, SAMPLE_MOVES);
}

static const struct dma_buf_conformance sample = {
	.create = sample_create,
	.move = sample_move,
	.cpu_address = sample_cpu_address,
	.live = sample_live,
	.size = 6 * PAGE_SIZE,
	.promises = EVERYTHING | DMA_BUF_PROMISES_MOVE,
};

DMA_BUF_CONFORMANCE_SUITE(sample, &sample);

static struct dma_buf *sample_static_create(struct kunit *test, size_t size)
{
	return sample_export(size, 0);
}

static const struct dma_buf_conformance sample_static = {
	.create = sample_static_create,
	.cpu_address = sample_cpu_address,
	.live = sample_live,
	.size = SZ_256K,
	.promises = EVERYTHING,
};

DMA_BUF_CONFORMANCE_SUITE(sample_static, &sample_static);

static struct dma_buf *sample_vram_create(struct kunit *test, size_t size)
{
	return sample_export(size, SAMPLE_MOVES | SAMPLE_NO_PAGE);
}

static const struct dma_buf_conformance sample_vram = {
	.create = sample_vram_create,
	.move = sample_move,
	.cpu_address = sample_cpu_address,
	.live = sample_live,
	.promises = (EVERYTHING & ~(DMA_BUF_PROMISES_PFN | DMA_BUF_PROMISES_MMAP)) |
		    DMA_BUF_PROMISES_MOVE | DMA_BUF_PROMISES_NO_PAGE,
};

DMA_BUF_CONFORMANCE_SUITE(sample_vram, &sample_vram);

static struct dma_buf *sample_pfn_create(struct kunit *test, size_t size)
{
	return sample_export(size, SAMPLE_MOVES | SAMPLE_NO_MAP);
}

static const struct dma_buf_conformance sample_pfn = {
	.create = sample_pfn_create,
	.move = sample_move,
	.live = sample_live,
	.promises = (EVERYTHING & ~(DMA_BUF_PROMISES_MAP | DMA_BUF_PROMISES_TRY)) |
		    DMA_BUF_PROMISES_MOVE,
};

DMA_BUF_CONFORMANCE_SUITE(sample_pfn, &sample_pfn);

/* ---- the mocks --------------------------------------------------------------- */

/* The reference of the fixture becomes the suite's. */
static struct dma_buf *mock_create(struct kunit *test, unsigned int flags, size_t size)
{
	struct mock_exporter_config config = {
		.flags = flags,
		.without = BIT(MOCK_MMAP),
		.nr_pages = size >> PAGE_SHIFT,
	};
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct dma_buf *dmabuf = exporter->dmabuf;

	exporter->dmabuf = NULL;
	return dmabuf;
}

/* Each place is as far from the next one; all of them are the same memory. */
static void *mock_cpu_address(struct dma_buf *dmabuf, dma_addr_t addr)
{
	struct mock_exporter *exporter = dmabuf->priv;

	return exporter->pages + (addr - mock_dma_address(exporter, 0)) % SZ_1M;
}

static int mock_move(struct dma_buf *dmabuf)
{
	struct mock_exporter *exporter = dmabuf->priv;

	if (exporter->nr_pinned)
		return -EBUSY;
	exporter->place++;
	dma_buf_move_notify(dmabuf);
	return 0;
}

#define MOCK_PROMISES	(DMA_BUF_PROMISES_MAP | DMA_BUF_PROMISES_VMAP | DMA_BUF_PROMISES_CPU | \
			 DMA_BUF_PROMISES_ZERO)

static struct dma_buf *mock_static_create(struct kunit *test, size_t size)
{
	return mock_create(test, MOCK_PFN, size);
}

static const struct dma_buf_conformance mock_static = {
	.create = mock_static_create,
	.cpu_address = mock_cpu_address,
	.infallible = true,
	.promises = MOCK_PROMISES | DMA_BUF_PROMISES_PFN,
};

DMA_BUF_CONFORMANCE_SUITE(mock_static, &mock_static);

static struct dma_buf *mock_cached_create(struct kunit *test, size_t size)
{
	return mock_create(test, MOCK_CACHED | MOCK_MERGE, size);
}

static const struct dma_buf_conformance mock_cached = {
	.create = mock_cached_create,
	.cpu_address = mock_cpu_address,
	.infallible = true,
	.promises = MOCK_PROMISES | DMA_BUF_PROMISES_CACHE,
};

DMA_BUF_CONFORMANCE_SUITE(mock_cached, &mock_cached);

static struct dma_buf *mock_movable_create(struct kunit *test, size_t size)
{
	return mock_create(test, MOCK_MOVABLE, size);
}

static const struct dma_buf_conformance mock_movable = {
	.create = mock_movable_create,
	.move = mock_move,
	.cpu_address = mock_cpu_address,
	.infallible = true,
	.promises = MOCK_PROMISES | DMA_BUF_PROMISES_MOVE,
};

DMA_BUF_CONFORMANCE_SUITE(mock_movable, &mock_movable);

static struct dma_buf *mock_iomem_create(struct kunit *test, size_t size)
{
	return mock_create(test, MOCK_IOMEM, size);
}

static const struct dma_buf_conformance mock_iomem = {
	.create = mock_iomem_create,
	.cpu_address = mock_cpu_address,
	.infallible = true,
	.promises = MOCK_PROMISES | DMA_BUF_PROMISES_IOMEM,
};

DMA_BUF_CONFORMANCE_SUITE(mock_iomem, &mock_iomem);

static struct dma_buf *mock_pfn_create(struct kunit *test, size_t size)
{
	return mock_create(test, MOCK_PFN | MOCK_NO_MAP, size);
}

static const struct dma_buf_conformance mock_pfn = {
	.create = mock_pfn_create,
	.infallible = true,
	.promises = (MOCK_PROMISES & ~DMA_BUF_PROMISES_MAP) | DMA_BUF_PROMISES_PFN,
};

DMA_BUF_CONFORMANCE_SUITE(mock_pfn, &mock_pfn);

#endif /* DMABUF_OURS */
