// SPDX-License-Identifier: GPL-2.0
/*
 * DMABUF_DEBUG: what importers get has the addresses and not the pages, and
 * exporters do not notice.
 */

#include <linux/mm.h>
#include <linux/scatterlist.h>

#include <kunit/test.h>

#include "mock.h"
#include "mock_exporter.h"
#include "mock_fence.h"
#include "mock_importer.h"

/* An exporter of the kind and an importer that has its buffer mapped. */
static struct mock_importer *mapped(struct kunit *test, unsigned int flags)
{
	struct mock_exporter_config config = { .flags = flags };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);

	KUNIT_ASSERT_EQ(test, mock_importer_map(importer, DMA_BIDIRECTIONAL), 0);
	return importer;
}

/* Where the bits that scatterlist.h keeps in a page link would lead to. */
static struct page *linked_page(const struct scatterlist *sg)
{
	return (struct page *)(sg->page_link & ~SG_PAGE_LINK_MASK);
}

/* Does some entry of @sgt lead to a page of the buffer? */
static bool shows_pages(struct mock_exporter *exporter, struct sg_table *sgt)
{
	struct scatterlist *sg;
	unsigned int i, page;

	for_each_sgtable_sg(sgt, sg, i) {
		for (page = 0; page < exporter->config.nr_pages; page++) {
			if (linked_page(sg) == virt_to_page(exporter->pages +
							    page * PAGE_SIZE))
				return true;
		}
	}
	return false;
}

/* Passes if pages are hidden with DMABUF_DEBUG, and only then. */
static void wrap_hides_pages(struct kunit *test)
{
	struct mock_importer *importer = mapped(test, 0);

	KUNIT_EXPECT_EQ(test, shows_pages(importer->exporter, importer->sgt),
			!IS_ENABLED(CONFIG_DMABUF_DEBUG));
}

/* Passes if a mapping that the core makes at attach is hidden like any other. */
static void wrap_hides_pages_of_mapping_made_at_attach(struct kunit *test)
{
	struct mock_importer *importer = mapped(test, MOCK_MOVABLE);

	KUNIT_EXPECT_EQ(test, shows_pages(importer->exporter, importer->sgt),
			!IS_ENABLED(CONFIG_DMABUF_DEBUG));
}

/* Passes if every address and length is there. */
static void wrap_keeps_addresses(struct kunit *test)
{
	struct mock_importer *importer = mapped(test, 0);
	struct mock_exporter *exporter = importer->exporter;
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(importer->sgt, sg, i) {
		KUNIT_EXPECT_EQ(test, sg_dma_address(sg), mock_dma_address(exporter, i));
		KUNIT_EXPECT_EQ(test, sg_dma_len(sg), PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, sg_is_last(sg), i == MOCK_NR_PAGES - 1);
	}
	KUNIT_EXPECT_EQ(test, i, MOCK_NR_PAGES);
}

/*
 * Passes if the entries for some bytes of the buffer can be counted as FunctionFS
 * does it: by the lengths of the CPU's side.
 */
static void wrap_has_lengths_that_add_up(struct kunit *test)
{
	struct mock_importer *importer = mapped(test, 0);
	struct scatterlist *sgl = importer->sgt->sgl;
	size_t size = mock_exporter_size(importer->exporter);

	KUNIT_EXPECT_EQ(test, sg_nents_for_len(sgl, 1), 1);
	KUNIT_EXPECT_EQ(test, sg_nents_for_len(sgl, PAGE_SIZE + 1), 2);
	KUNIT_EXPECT_EQ(test, sg_nents_for_len(sgl, size), MOCK_NR_PAGES);
	KUNIT_EXPECT_EQ(test, sg_nents_for_len(sgl, size + 1), -EINVAL);
}

/* Passes if fewer addresses than pages are that many, for the whole buffer. */
static void wrap_keeps_merged_addresses(struct kunit *test)
{
	struct mock_importer *importer = mapped(test, MOCK_MERGE);
	struct mock_exporter *exporter = importer->exporter;
	struct scatterlist *sg;
	size_t size = 0;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, importer->sgt->nents, 1);
	for_each_sgtable_dma_sg(importer->sgt, sg, i) {
		KUNIT_EXPECT_EQ(test, sg_dma_address(sg), mock_dma_address(exporter, i));
		size += sg_dma_len(sg);
	}
	KUNIT_EXPECT_EQ(test, size, mock_exporter_size(exporter));
}

/* Passes if page iterators over the addresses reach each page of the buffer. */
static void wrap_serves_the_page_iterator(struct kunit *test)
{
	struct mock_importer *importer = mapped(test, MOCK_MERGE);
	struct sg_dma_page_iter iter;
	unsigned int i = 0;

	for_each_sgtable_dma_page(importer->sgt, &iter, 0) {
		KUNIT_EXPECT_EQ(test, sg_page_iter_dma_address(&iter),
				mock_dma_address(importer->exporter, i));
		i++;
	}
	KUNIT_EXPECT_EQ(test, i, MOCK_NR_PAGES);
}

/*
 * Passes if the exporter gets back the table that it made, unchanged: the mock
 * counts everything else as a stray.
 */
static void unwrap_returns_the_exporters_table(struct kunit *test)
{
	static const unsigned int kinds[] = { 0, MOCK_CACHED, MOCK_MOVABLE, MOCK_MERGE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct mock_importer *importer = mapped(test, kinds[i]);
		struct mock_exporter *exporter = importer->exporter;

		mock_importer_detach(importer);
		KUNIT_EXPECT_EQ(test, exporter->nr_mapped, 0);
		KUNIT_EXPECT_EQ(test, exporter->nr_strays, 0);
	}
}

/* Passes if mappings undone in another order find their own tables. */
static void unwrap_in_any_order(struct kunit *test)
{
	struct mock_importer *importer = mapped(test, 0);
	struct mock_exporter *exporter = importer->exporter;
	struct sg_table *first = importer->sgt, *second;

	KUNIT_ASSERT_EQ(test, mock_importer_map(importer, DMA_BIDIRECTIONAL), 0);
	second = importer->sgt;
	KUNIT_EXPECT_PTR_NE(test, first, second);
	importer->sgt = first;
	mock_importer_unmap(importer);
	KUNIT_EXPECT_EQ(test, exporter->nr_mapped, 1);
	importer->sgt = second;
	mock_importer_unmap(importer);
	KUNIT_EXPECT_EQ(test, exporter->nr_strays, 0);
}

/* Passes if a kept mapping is the same table each time. */
static void wrap_of_kept_mapping_is_kept(struct kunit *test)
{
	struct mock_importer *importer = mapped(test, MOCK_CACHED);
	struct sg_table *first = importer->sgt;

	mock_importer_unmap(importer);
	KUNIT_ASSERT_EQ(test, mock_importer_map(importer, DMA_BIDIRECTIONAL), 0);
	KUNIT_EXPECT_PTR_EQ(test, importer->sgt, first);
}

#if DMABUF_OURS
/* Passes if the exporter may look at its pages while an importer is mapped. */
static void wrap_leaves_the_exporters_table_alone(struct kunit *test)
{
	struct mock_importer *importer = mapped(test, 0);

	KUNIT_EXPECT_TRUE(test, mock_exporter_tables_intact(importer->exporter));
}
#endif

static struct kunit_case dma_buf_sgt_debug_cases[] = {
	KUNIT_CASE(wrap_hides_pages),
	KUNIT_CASE(wrap_hides_pages_of_mapping_made_at_attach),
	KUNIT_CASE(wrap_keeps_addresses),
	KUNIT_CASE(wrap_has_lengths_that_add_up),
	KUNIT_CASE(wrap_keeps_merged_addresses),
	KUNIT_CASE(wrap_serves_the_page_iterator),
	KUNIT_CASE(unwrap_returns_the_exporters_table),
	KUNIT_CASE(unwrap_in_any_order),
	KUNIT_CASE(wrap_of_kept_mapping_is_kept),
#if DMABUF_OURS
	KUNIT_CASE(wrap_leaves_the_exporters_table_alone),
#endif
	{}
};

static struct kunit_suite dma_buf_sgt_debug_suite = {
	.name = "dma_buf_sgt_debug",
	.init = mock_fence_init,
	.test_cases = dma_buf_sgt_debug_cases,
};

kunit_test_suite(dma_buf_sgt_debug_suite);
