// SPDX-License-Identifier: GPL-2.0
/*
 * The pool of the system heap: what it holds, that what it hands out is zero,
 * and that it gives all of it back. The pool is the one and only; each case
 * begins and ends with it turned off.
 */

#include "mock.h"

#if DMABUF_OURS

#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/vmstat.h>

#include <kunit/test.h>
#include <kunit/visibility.h>

#include "../heaps/heap-pool.h"

MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);

/* Enough for some chunks of every size. */
#define LIMIT_MB	64
/* Single pages: chunks that are always to be had. */
#define PAGES		(HEAP_LEVELS - 1)

static unsigned long pool_pages(void)
{
	unsigned long nr_pages = 0;

	for (unsigned int level = 0; level < HEAP_LEVELS; level++) {
		struct heap_pool_state s = heap_pool_state(level);

		nr_pages += (s.clean + s.dirty) << heap_orders[level];
	}
	return nr_pages;
}

static unsigned long limit_pages(void)
{
	unsigned long nr_pages = 0;

	for (unsigned int level = 0; level < HEAP_LEVELS; level++)
		nr_pages += heap_pool_state(level).limit << heap_orders[level];
	return nr_pages;
}

/* Wait until a level is full and clear, or 10 s have passed. */
static bool full_and_clear(unsigned int level)
{
	unsigned long end = jiffies + 10 * HZ;
	struct heap_pool_state s;

	do {
		s = heap_pool_state(level);
		if (s.clean == s.limit && !s.dirty)
			return true;
		msleep(20);
	} while (time_before(jiffies, end));
	return false;
}

/* Turn the pool on and wait for the level with the smallest chunks, the last. */
static void fill(struct kunit *test)
{
	heap_pool_set_limit(LIMIT_MB);
	KUNIT_ASSERT_GT(test, heap_pool_state(PAGES).limit, 0);
	KUNIT_ASSERT_TRUE(test, full_and_clear(PAGES));
}

static bool is_zero(struct page *page, unsigned int order)
{
	for (unsigned int i = 0; i < 1U << order; i++) {
		void *vaddr = kmap_local_page(page + i);
		bool zero = !memchr_inv(vaddr, 0, PAGE_SIZE);

		kunmap_local(vaddr);
		if (!zero)
			return false;
	}
	return true;
}

static void spoil(struct page *page, unsigned int order)
{
	for (unsigned int i = 0; i < 1U << order; i++) {
		void *vaddr = kmap_local_page(page + i);

		memset(vaddr, 0xa5, PAGE_SIZE);
		kunmap_local(vaddr);
	}
}

/* Leave something behind in most of the memory that is free. */
static void spoil_free_memory(void)
{
	unsigned long left = global_zone_page_state(NR_FREE_PAGES) / 4 * 3;
	const unsigned int order = heap_orders[2];
	struct page *page, *next;
	LIST_HEAD(pages);

	for (; left >> order; left -= 1UL << order) {
		page = alloc_pages(GFP_HIGHUSER | __GFP_COMP | __GFP_NOWARN | __GFP_NORETRY,
				   order);
		if (!page)
			break;
		spoil(page, order);
		list_add(&page->lru, &pages);
		cond_resched();
	}
	list_for_each_entry_safe(page, next, &pages, lru)
		__free_pages(page, order);
}

static struct page *chunk(struct kunit *test, unsigned int level)
{
	struct page *page;

	page = alloc_pages(GFP_HIGHUSER | __GFP_COMP | __GFP_NOWARN, heap_orders[level]);
	if (!page)
		kunit_skip(test, "no contiguous memory of order %u", heap_orders[level]);
	return page;
}

static int pool_off(struct kunit *test)
{
	heap_pool_set_limit(0);
	return 0;
}

static void pool_off_again(struct kunit *test)
{
	heap_pool_set_limit(0);
}

/* Passes if a pool that is off neither gives nor takes. */
static void off_gives_and_takes_nothing(struct kunit *test)
{
	struct page *page = chunk(test, PAGES);

	for (unsigned int level = 0; level < HEAP_LEVELS; level++)
		KUNIT_EXPECT_NULL(test, heap_pool_get(level));
	KUNIT_EXPECT_FALSE(test, heap_pool_put(page, 0));
	KUNIT_EXPECT_EQ(test, pool_pages(), 0);
	__free_page(page);
}

/* Passes if the worker fills the pool up to its limit, which is what was asked for. */
static void limit_is_filled_and_kept(struct kunit *test)
{
	fill(test);
	KUNIT_EXPECT_LE(test, limit_pages(), LIMIT_MB * (SZ_1M / PAGE_SIZE));
	/* Parts of chunks are lost. */
	KUNIT_EXPECT_GE(test, limit_pages(), (LIMIT_MB - 4) * (SZ_1M / PAGE_SIZE));
	KUNIT_EXPECT_LE(test, pool_pages(), limit_pages());
}

/* Passes if nobody can give all of memory to the pool. */
static void limit_is_a_quarter_of_memory(struct kunit *test)
{
	heap_pool_set_limit(ULONG_MAX);
	KUNIT_EXPECT_GT(test, limit_pages(), 0);
	KUNIT_EXPECT_LE(test, limit_pages(), totalram_pages() / 4);
	heap_pool_set_limit(0);
}

/* Passes if a lower limit holds when the call returns. */
static void limit_lowered_frees_the_rest(struct kunit *test)
{
	fill(test);
	heap_pool_set_limit(1);
	KUNIT_EXPECT_LE(test, pool_pages(), SZ_1M / PAGE_SIZE);
	heap_pool_set_limit(0);
	KUNIT_EXPECT_EQ(test, pool_pages(), 0);
	KUNIT_EXPECT_NULL(test, heap_pool_get(PAGES));
}

/* Passes if what comes out of the pool is zero, and counted. */
static void get_returns_zeroed_chunks(struct kunit *test)
{
	struct heap_pool_state before, after;
	struct page *page;

	fill(test);
	for (unsigned int level = 0; level < HEAP_LEVELS; level++) {
		before = heap_pool_state(level);
		page = heap_pool_get(level);
		after = heap_pool_state(level);
		if (!page) {
			KUNIT_EXPECT_EQ(test, after.misses, before.misses + 1);
			continue;
		}
		KUNIT_EXPECT_EQ(test, after.hits, before.hits + 1);
		KUNIT_EXPECT_EQ(test, page_count(page), 1);
		KUNIT_EXPECT_EQ(test, compound_order(page), heap_orders[level]);
		KUNIT_EXPECT_TRUE(test, is_zero(page, heap_orders[level]));
		__free_pages(page, heap_orders[level]);
	}
	/* The worker makes up for it. */
	KUNIT_EXPECT_TRUE(test, full_and_clear(PAGES));
}

/* Passes if memory that was somebody else's is cleared before it gets into the pool. */
static void refill_clears_what_others_left(struct kunit *test)
{
	struct page *page;

	spoil_free_memory();
	fill(test);
	for (unsigned int level = 0; level < HEAP_LEVELS; level++) {
		for (int i = 0; i < 16 && (page = heap_pool_get(level)); i++) {
			KUNIT_EXPECT_TRUE(test, is_zero(page, heap_orders[level]));
			__free_pages(page, heap_orders[level]);
		}
	}
}

/* Make room for a chunk without the worker filling it at once. */
static void make_room(struct kunit *test, unsigned int level)
{
	heap_pool_set_limit(LIMIT_MB);
	/* Nothing is added for a while after this, and all is gone. */
	heap_pool_shrink(ULONG_MAX);
	KUNIT_ASSERT_LT(test, heap_pool_state(level).clean + heap_pool_state(level).dirty,
			heap_pool_state(level).limit);
}

/* Passes if what was in a buffer is cleared before anybody else gets it. */
static void put_chunk_is_cleared(struct kunit *test)
{
	for (unsigned int level = 0; level < HEAP_LEVELS; level++) {
		struct page *page = chunk(test, level), *again;

		make_room(test, level);
		spoil(page, heap_orders[level]);
		if (!heap_pool_put(page, heap_orders[level])) {
			KUNIT_FAIL(test, "chunk of order %u refused", heap_orders[level]);
			__free_pages(page, heap_orders[level]);
			continue;
		}
		for (int i = 0; i < 500 && heap_pool_state(level).dirty; i++)
			msleep(20);
		for (int i = 0; i < 500 && !heap_pool_state(level).clean; i++)
			msleep(20);
		again = heap_pool_get(level);
		KUNIT_ASSERT_NOT_NULL(test, again);
		KUNIT_EXPECT_PTR_EQ(test, again, page);
		KUNIT_EXPECT_TRUE(test, is_zero(again, heap_orders[level]));
		__free_pages(again, heap_orders[level]);
	}
}

/* Passes if a chunk that waits to be cleared is not handed out. */
static void put_chunk_is_not_handed_out_dirty(struct kunit *test)
{
	struct page *page = chunk(test, PAGES), *got;

	make_room(test, PAGES);
	spoil(page, 0);
	KUNIT_ASSERT_TRUE(test, heap_pool_put(page, 0));
	got = heap_pool_get(PAGES);
	if (got) {
		KUNIT_EXPECT_TRUE(test, is_zero(got, 0));
		__free_page(got);
	}
}

/* Passes if memory that somebody else still looks at does not get into a buffer. */
static void put_of_page_in_use_is_refused(struct kunit *test)
{
	struct page *page = chunk(test, PAGES);

	make_room(test, PAGES);
	get_page(page);
	KUNIT_EXPECT_FALSE(test, heap_pool_put(page, 0));
	put_page(page);
	__free_page(page);
}

/* Passes if a full pool takes no more. */
static void put_into_full_pool_is_refused(struct kunit *test)
{
	struct page *page = chunk(test, PAGES);

	fill(test);
	KUNIT_EXPECT_FALSE(test, heap_pool_put(page, 0));
	__free_page(page);
}

/* Passes if a chunk of a size that the pool does not know is refused. */
static void put_of_unknown_order_is_refused(struct kunit *test)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 1);

	KUNIT_ASSERT_NOT_NULL(test, page);
	heap_pool_set_limit(LIMIT_MB);
	KUNIT_EXPECT_FALSE(test, heap_pool_put(page, 1));
	__free_pages(page, 1);
}

/* Passes if memory pressure can have as much as it wants, and not more than a chunk more. */
static void shrink_frees_what_is_asked_for(struct kunit *test)
{
	unsigned long before, freed;

	fill(test);
	before = pool_pages();
	freed = heap_pool_shrink(10);
	KUNIT_EXPECT_EQ(test, freed, 10);
	KUNIT_EXPECT_EQ(test, pool_pages(), before - freed);
}

/* Passes if all of the pool goes, and does not come back at once. */
static void shrink_leaves_nothing(struct kunit *test)
{
	unsigned long before;

	fill(test);
	/* It may still grow while the large chunks are cleared. */
	before = pool_pages();
	KUNIT_EXPECT_GE(test, heap_pool_shrink(ULONG_MAX), before);
	msleep(500);
	/* A chunk that was being cleared may have come in. */
	KUNIT_EXPECT_LE(test, pool_pages(), 1UL << heap_orders[0]);
	KUNIT_EXPECT_EQ(test, heap_pool_state(PAGES).clean, 0);
}

/* --- Races ------------------------------------------------------------------- */

static void race_get_and_put(void *ctx)
{
	struct page *page = heap_pool_get(PAGES);

	if (page) {
		if (!is_zero(page, 0))
			WRITE_ONCE(*(bool *)ctx, true);
	} else {
		page = alloc_page(GFP_HIGHUSER);
		if (!page)
			return;
	}
	spoil(page, 0);
	if (!heap_pool_put(page, 0))
		__free_page(page);
}

static void race_shrink(void *ctx)
{
	heap_pool_shrink(64);
}

static void race_limit(void *ctx)
{
	heap_pool_set_limit(4);
}

/* Passes if at all times what comes out is zero. */
static void get_against_put_and_shrink(struct kunit *test)
{
	bool dirty = false;
	struct mock_race race = {
		.ctx = &dirty,
		.rounds = 100,
		.racer = { race_get_and_put, race_get_and_put, race_shrink, race_limit },
	};

	fill(test);
	mock_race(test, &race);
	KUNIT_EXPECT_FALSE(test, dirty);
	KUNIT_EXPECT_LE(test, pool_pages(), limit_pages());
}

static struct kunit_case heap_pool_cases[] = {
	KUNIT_CASE(off_gives_and_takes_nothing),
	KUNIT_CASE_SLOW(limit_is_filled_and_kept),
	KUNIT_CASE(limit_is_a_quarter_of_memory),
	KUNIT_CASE_SLOW(limit_lowered_frees_the_rest),
	KUNIT_CASE_SLOW(get_returns_zeroed_chunks),
	KUNIT_CASE_SLOW(refill_clears_what_others_left),
	KUNIT_CASE_SLOW(put_chunk_is_cleared),
	KUNIT_CASE(put_chunk_is_not_handed_out_dirty),
	KUNIT_CASE(put_of_page_in_use_is_refused),
	KUNIT_CASE_SLOW(put_into_full_pool_is_refused),
	KUNIT_CASE(put_of_unknown_order_is_refused),
	KUNIT_CASE_SLOW(shrink_frees_what_is_asked_for),
	KUNIT_CASE_SLOW(shrink_leaves_nothing),
	KUNIT_CASE_SLOW(get_against_put_and_shrink),
	{}
};

static struct kunit_suite heap_pool_suite = {
	.name = "heap_pool",
	.init = pool_off,
	.exit = pool_off_again,
	.test_cases = heap_pool_cases,
};

kunit_test_suite(heap_pool_suite);

#endif /* DMABUF_OURS */
