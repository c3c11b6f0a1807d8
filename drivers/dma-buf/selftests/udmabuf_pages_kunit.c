// SPDX-License-Identifier: GPL-2.0
/*
 * The pages of a udmabuf as runs: which pages are pinned, how often, where in
 * the buffer they are found, and what tables and mappings are made of them.
 * What the memory is made of decides how many runs there are; cases compare
 * with the page cache, and some make up runs that nobody pinned.
 */

#include "mock.h"

#if DMABUF_OURS

#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/scatterlist.h>
#include <linux/shmem_fs.h>
#include <linux/vmalloc.h>

#include <kunit/test.h>
#include <kunit/visibility.h>

#include "mock_fs.h"
#include "../pfn-fault.h"
#include "../udmabuf-pages.h"

MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);

#define NR_PAGES	40

struct fixture {
	struct file *memfd;
	struct udmabuf_pages pages;
	/* For runs that were made up: nothing to unpin. */
	struct udmabuf_run runs[8];
	struct udmabuf_pages made_up;
};

static void put_file(void *file)
{
	fput(file);
}

static void unpin(void *pages)
{
	udmabuf_pages_unpin(pages);
}

static struct fixture *fixture_create(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->memfd = mock_memfd(NR_PAGES * PAGE_SIZE);
	if (IS_ERR(f->memfd))
		kunit_skip(test, "no shmem");
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, put_file, f->memfd));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, unpin, &f->pages));
	return f;
}

static int pin(struct fixture *f, pgoff_t first, unsigned long nr)
{
	return udmabuf_pages_pin(&f->pages, f->memfd, (loff_t)first << PAGE_SHIFT, nr);
}

/* The frame of page @index of the memfd. */
static unsigned long memfd_pfn(struct kunit *test, struct fixture *f, pgoff_t index)
{
	struct page *page = shmem_read_mapping_page(f->memfd->f_mapping, index);
	unsigned long pfn;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, page);
	pfn = page_to_pfn(page);
	put_page(page);
	return pfn;
}

/* The frame that is found for page @pgoff of the buffer. */
static unsigned long buffer_pfn(struct kunit *test, struct udmabuf_pages *pages,
				pgoff_t pgoff)
{
	struct pfn_run run;

	KUNIT_ASSERT_TRUE(test, udmabuf_pages_run_at(pages, pgoff, &run));
	KUNIT_ASSERT_LE(test, run.pgoff, pgoff);
	KUNIT_ASSERT_LT(test, pgoff - run.pgoff, run.nr);
	return run.pfn + (pgoff - run.pgoff);
}

/* How often a page is pinned; others may have references. */
static int nr_pins(unsigned long pfn)
{
	struct folio *folio = page_folio(pfn_to_page(pfn));

	if (folio_test_large(folio))
		return atomic_read(&folio->_pincount);
	return folio_ref_count(folio) / GUP_PIN_COUNTING_BIAS;
}

/* Append @nr pages from @pfn on that nobody has pinned. */
static void made_up_add(struct fixture *f, unsigned long pfn, unsigned long nr)
{
	const struct udmabuf_run *last = f->runs + f->made_up.nr_runs - 1;

	if (!f->made_up.nr_runs || pfn != last->pfn + f->made_up.nr_pages - last->pgoff)
		f->made_up.nr_segments++;
	f->made_up.runs = f->runs;
	f->runs[f->made_up.nr_runs++] = (struct udmabuf_run){
		.pfn = pfn,
		.pgoff = f->made_up.nr_pages,
	};
	f->made_up.nr_pages += nr;
}

/* Passes if every page of the buffer is the one at the same place of the memfd. */
static void pin_all_pages(struct kunit *test)
{
	struct fixture *f = fixture_create(test);
	pgoff_t i;

	KUNIT_ASSERT_EQ(test, 0, pin(f, 0, NR_PAGES));
	KUNIT_EXPECT_EQ(test, NR_PAGES, f->pages.nr_pages);
	for (i = 0; i < NR_PAGES; i++)
		KUNIT_EXPECT_EQ(test, memfd_pfn(test, f, i), buffer_pfn(test, &f->pages, i));
}

/* Passes if pages are counted as a new segment exactly where memory has a gap. */
static void pin_counts_segments(struct kunit *test)
{
	struct fixture *f = fixture_create(test);
	unsigned long pfn, last, nr = 1;
	pgoff_t i;

	KUNIT_ASSERT_EQ(test, 0, pin(f, 0, NR_PAGES));
	KUNIT_ASSERT_EQ(test, 0, pin(f, 0, 1));
	last = buffer_pfn(test, &f->pages, 0);
	for (i = 1; i <= NR_PAGES; i++, last = pfn) {
		pfn = buffer_pfn(test, &f->pages, i);
		if (pfn != last + 1)
			nr++;
	}
	KUNIT_EXPECT_EQ(test, nr, f->pages.nr_segments);
	KUNIT_EXPECT_GE(test, nr, 2);
}

/* Passes if ranges follow each other in the order in which they were pinned. */
static void pin_ranges_in_any_order(struct kunit *test)
{
	static const unsigned int range[][2] = { { 30, 10 }, { 0, 1 }, { 5, 20 }, { 4, 2 } };
	struct fixture *f = fixture_create(test);
	pgoff_t pgoff = 0;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(range); i++)
		KUNIT_ASSERT_EQ(test, 0, pin(f, range[i][0], range[i][1]));

	for (i = 0; i < ARRAY_SIZE(range); i++) {
		for (j = 0; j < range[i][1]; j++)
			KUNIT_EXPECT_EQ(test, memfd_pfn(test, f, range[i][0] + j),
					buffer_pfn(test, &f->pages, pgoff++));
	}
	KUNIT_EXPECT_EQ(test, pgoff, f->pages.nr_pages);
}

/* Passes if a page that was pinned n times is released n times. */
static void unpin_same_page_as_often_as_pinned(struct kunit *test)
{
	struct fixture *f = fixture_create(test);
	unsigned long pfn = memfd_pfn(test, f, 3);
	int i;

	for (i = 0; i < 5; i++)
		KUNIT_ASSERT_EQ(test, 0, pin(f, 2 + i % 2, 2));
	KUNIT_EXPECT_EQ(test, 5, nr_pins(pfn));

	udmabuf_pages_unpin(&f->pages);
	KUNIT_EXPECT_EQ(test, 0, nr_pins(pfn));
	KUNIT_EXPECT_EQ(test, 0, f->pages.nr_pages);
}

/* Passes if a range past the end is refused, and what was there before stays. */
static void pin_past_the_end_returns_einval(struct kunit *test)
{
	struct fixture *f = fixture_create(test);

	KUNIT_ASSERT_EQ(test, 0, pin(f, 0, 4));
	KUNIT_EXPECT_EQ(test, -EINVAL, pin(f, NR_PAGES, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, pin(f, NR_PAGES - 1, 2));
	KUNIT_EXPECT_EQ(test, -EINVAL, pin(f, 0, NR_PAGES + 1));
	KUNIT_EXPECT_EQ(test, 4, f->pages.nr_pages);
	KUNIT_EXPECT_EQ(test, memfd_pfn(test, f, 3), buffer_pfn(test, &f->pages, 3));
}

/* Passes if a process that is being killed does not wait for its pages. */
static void pin_when_killed_returns_eintr(struct kunit *test)
{
	struct fixture *f = fixture_create(test);
	int ret;

	mock_kill();
	ret = pin(f, 0, NR_PAGES);
	mock_revive();
	KUNIT_EXPECT_EQ(test, -EINTR, ret);
}

/* Passes if pages that follow each other in memory make one run. */
static void pin_contiguous_pages_makes_one_run(struct kunit *test)
{
	struct fixture *f = fixture_create(test);
	unsigned long nr_runs = 0;
	pgoff_t i;

	for (i = 0; i < NR_PAGES; i++)
		nr_runs += !i || memfd_pfn(test, f, i) != memfd_pfn(test, f, i - 1) + 1;

	KUNIT_ASSERT_EQ(test, 0, pin(f, 0, NR_PAGES));
	KUNIT_EXPECT_EQ(test, nr_runs, f->pages.nr_runs);
}

/* Passes if giving back room loses nothing. */
static void trim_keeps_runs(struct kunit *test)
{
	struct fixture *f = fixture_create(test);
	pgoff_t i;

	for (i = 0; i < NR_PAGES; i++)
		KUNIT_ASSERT_EQ(test, 0, pin(f, NR_PAGES - 1 - i, 1));
	udmabuf_pages_trim(&f->pages);
	KUNIT_EXPECT_LE(test, f->pages.max_runs, 2 * f->pages.nr_runs);
	for (i = 0; i < NR_PAGES; i++)
		KUNIT_EXPECT_EQ(test, memfd_pfn(test, f, NR_PAGES - 1 - i),
				buffer_pfn(test, &f->pages, i));
}

/* Passes if small pages pin nothing that is not in the buffer. */
static void surplus_of_small_pages_is_none(struct kunit *test)
{
	struct fixture *f = fixture_create(test);

	if (folio_test_large(page_folio(pfn_to_page(memfd_pfn(test, f, 7)))))
		kunit_skip(test, "shmem uses large folios");
	KUNIT_ASSERT_EQ(test, 0, pin(f, 7, 1));
	KUNIT_EXPECT_EQ(test, 0, udmabuf_pages_surplus(&f->pages));
}

/*
 * Passes if the rest of a large folio is counted, once however many pieces of it
 * are in the buffer, and less the more of it is.
 */
static void surplus_is_the_rest_of_large_folios(struct kunit *test)
{
	struct fixture *f = fixture_create(test);
	struct folio *folio = folio_alloc(GFP_KERNEL, 3);
	unsigned long pfn;

	KUNIT_ASSERT_NOT_NULL(test, folio);
	pfn = folio_pfn(folio);

	made_up_add(f, pfn + 1, 1);
	f->made_up.nr_partial = 1;
	KUNIT_EXPECT_EQ(test, 7, udmabuf_pages_surplus(&f->made_up));

	made_up_add(f, pfn + 4, 2);
	f->made_up.nr_partial = 2;
	KUNIT_EXPECT_EQ(test, 5, udmabuf_pages_surplus(&f->made_up));

	/* The same pages once more, and all of them: no less than nothing. */
	made_up_add(f, pfn, 7);
	f->made_up.nr_partial = 3;
	KUNIT_EXPECT_EQ(test, 0, udmabuf_pages_surplus(&f->made_up));

	made_up_add(f, pfn, 8);
	KUNIT_EXPECT_EQ(test, 0, udmabuf_pages_surplus(&f->made_up));
	folio_put(folio);
}

/* Passes if each page is found, whichever was asked for before. */
static void run_at_finds_every_page_after_any(struct kunit *test)
{
	static const unsigned int length[] = { 1, 1, 7, 1, 30, 2, 1 };
	struct fixture *f = fixture_create(test);
	unsigned long pfn[43], frame = 100000;
	unsigned int i, j, page = 0;

	for (i = 0; i < ARRAY_SIZE(length); i++) {
		made_up_add(f, frame, length[i]);
		for (j = 0; j < length[i]; j++)
			pfn[page++] = frame++;
		frame += 5;
	}
	KUNIT_ASSERT_EQ(test, page, f->made_up.nr_pages);

	for (i = 0; i < page; i++) {
		for (j = 0; j < page; j++) {
			KUNIT_ASSERT_EQ(test, pfn[i], buffer_pfn(test, &f->made_up, i));
			KUNIT_ASSERT_EQ(test, pfn[j], buffer_pfn(test, &f->made_up, j));
		}
	}
}

/* Passes if there is nothing past the end. */
static void run_at_past_the_end_is_false(struct kunit *test)
{
	struct fixture *f = fixture_create(test);
	struct pfn_run run;

	made_up_add(f, 100, 3);
	KUNIT_EXPECT_TRUE(test, udmabuf_pages_run_at(&f->made_up, 2, &run));
	KUNIT_EXPECT_FALSE(test, udmabuf_pages_run_at(&f->made_up, 3, &run));
	KUNIT_EXPECT_FALSE(test, udmabuf_pages_run_at(&f->made_up, ULONG_MAX, &run));
}

/* Passes if the table has an entry for each segment, and these are the pages. */
static void sgt_has_one_entry_per_segment(struct kunit *test)
{
	struct fixture *f = fixture_create(test);
	unsigned long pfn = memfd_pfn(test, f, 0);
	struct scatterlist *sg;
	struct sg_table *sgt;
	unsigned int i;
	/* Two runs that touch, one that does not: 5 pages, then 1. */
	static const unsigned int length[] = { 5 * PAGE_SIZE, PAGE_SIZE };

	made_up_add(f, pfn, 2);
	made_up_add(f, pfn + 2, 3);
	made_up_add(f, pfn, 1);

	sgt = udmabuf_pages_sgt(&f->made_up, SIZE_MAX, GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_EQ(test, ARRAY_SIZE(length), sgt->orig_nents);
	for_each_sgtable_sg(sgt, sg, i) {
		KUNIT_EXPECT_EQ(test, length[i], sg->length);
		KUNIT_EXPECT_EQ(test, 0, sg->offset);
		KUNIT_EXPECT_EQ(test, pfn, page_to_pfn(sg_page(sg)));
	}
	udmabuf_sgt_free(sgt);
}

/* Passes if no entry is longer than asked for, and all of them are whole pages. */
static void sgt_respects_max_segment(struct kunit *test)
{
	static const size_t max[] = {
		0, 1, PAGE_SIZE, 2 * PAGE_SIZE - 1, 3 * PAGE_SIZE, 64 * PAGE_SIZE,
	};
	struct fixture *f = fixture_create(test);
	unsigned long pfn = memfd_pfn(test, f, 0);
	struct scatterlist *sg;
	struct sg_table *sgt;
	unsigned int i, m;

	made_up_add(f, pfn, 4);
	made_up_add(f, pfn + 4, 3);
	for (m = 0; m < ARRAY_SIZE(max); m++) {
		size_t limit = max(PAGE_ALIGN_DOWN(max[m]), PAGE_SIZE), total = 0;

		sgt = udmabuf_pages_sgt(&f->made_up, max[m], GFP_KERNEL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
		KUNIT_EXPECT_EQ(test, DIV_ROUND_UP(7 * PAGE_SIZE, limit), sgt->orig_nents);
		for_each_sgtable_sg(sgt, sg, i) {
			KUNIT_EXPECT_LE(test, sg->length, limit);
			KUNIT_EXPECT_EQ(test, pfn + (total >> PAGE_SHIFT),
					page_to_pfn(sg_page(sg)));
			total += sg->length;
		}
		KUNIT_EXPECT_EQ(test, 7 * PAGE_SIZE, total);
		udmabuf_sgt_free(sgt);
	}
}

/* Passes if memory whose length no entry can tell becomes several, of whole pages. */
static void sgt_splits_what_is_longer_than_an_entry(struct kunit *test)
{
	struct fixture *f = fixture_create(test);
	unsigned long pfn = memfd_pfn(test, f, 0);
	unsigned long nr = 5UL << (32 - PAGE_SHIFT);
	u64 total = 0;
	struct scatterlist *sg;
	struct sg_table *sgt;
	unsigned int i;

	if (!IS_ENABLED(CONFIG_64BIT) ||
	    (IS_ENABLED(CONFIG_SPARSEMEM) && !IS_ENABLED(CONFIG_SPARSEMEM_VMEMMAP)))
		kunit_skip(test, "needs a memory map without gaps");

	/* The pages are only counted, never looked at. */
	made_up_add(f, pfn, nr);
	sgt = udmabuf_pages_sgt(&f->made_up, SIZE_MAX, GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	for_each_sgtable_sg(sgt, sg, i) {
		KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(sg->length));
		KUNIT_EXPECT_NE(test, 0, sg->length);
		total += sg->length;
	}
	KUNIT_EXPECT_EQ(test, (u64)nr << PAGE_SHIFT, total);
	udmabuf_sgt_free(sgt);
}

/* Passes if contiguous memory costs no mapping. */
static void vmap_of_contiguous_memory_maps_nothing(struct kunit *test)
{
	struct fixture *f = fixture_create(test);
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);
	void *vaddr;

	KUNIT_ASSERT_NOT_NULL(test, page);
	made_up_add(f, page_to_pfn(page), 1);
	made_up_add(f, page_to_pfn(page) + 1, 3);
	vaddr = udmabuf_pages_vmap(&f->made_up);
	KUNIT_EXPECT_PTR_EQ(test, page_address(page), vaddr);
	KUNIT_EXPECT_FALSE(test, is_vmalloc_addr(vaddr));
	__free_pages(page, 2);
}

/* Passes if all other memory is mapped page by page, from the middle of folios, too. */
static void vmap_of_runs_shows_each_page(struct kunit *test)
{
	static const unsigned int order[] = { 2, 0, 1, 3, 1, 3 };
	struct fixture *f = fixture_create(test);
	struct folio *folio = folio_alloc(GFP_KERNEL, 2);
	u32 *vaddr;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, folio);
	for (i = 0; i < 4; i++)
		*(u32 *)page_address(folio_page(folio, i)) = 1000 + i;
	for (i = 0; i < ARRAY_SIZE(order); i++)
		made_up_add(f, folio_pfn(folio) + order[i], 1);

	vaddr = udmabuf_pages_vmap(&f->made_up);
	KUNIT_ASSERT_NOT_NULL(test, vaddr);
	KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(vaddr));
	for (i = 0; i < ARRAY_SIZE(order); i++)
		KUNIT_EXPECT_EQ(test, 1000 + order[i],
				vaddr[i * PAGE_SIZE / sizeof(*vaddr)]);
	vunmap(vaddr);
	folio_put(folio);
}

static struct kunit_case udmabuf_pages_cases[] = {
	KUNIT_CASE(pin_all_pages),
	KUNIT_CASE(pin_counts_segments),
	KUNIT_CASE(pin_ranges_in_any_order),
	KUNIT_CASE(unpin_same_page_as_often_as_pinned),
	KUNIT_CASE(pin_past_the_end_returns_einval),
	KUNIT_CASE(pin_when_killed_returns_eintr),
	KUNIT_CASE(pin_contiguous_pages_makes_one_run),
	KUNIT_CASE(trim_keeps_runs),
	KUNIT_CASE(surplus_of_small_pages_is_none),
	KUNIT_CASE(surplus_is_the_rest_of_large_folios),
	KUNIT_CASE(run_at_finds_every_page_after_any),
	KUNIT_CASE(run_at_past_the_end_is_false),
	KUNIT_CASE(sgt_has_one_entry_per_segment),
	KUNIT_CASE(sgt_respects_max_segment),
	KUNIT_CASE(sgt_splits_what_is_longer_than_an_entry),
	KUNIT_CASE(vmap_of_contiguous_memory_maps_nothing),
	KUNIT_CASE(vmap_of_runs_shows_each_page),
	{}
};

static struct kunit_suite udmabuf_pages_suite = {
	.name = "udmabuf_pages",
	.test_cases = udmabuf_pages_cases,
};

kunit_test_suite(udmabuf_pages_suite);

#endif /* DMABUF_OURS */
