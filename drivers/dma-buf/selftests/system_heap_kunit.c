// SPDX-License-Identifier: GPL-2.0
/*
 * The system heap: that its memory is zero, comes in large pieces and goes back,
 * and that requests it cannot meet end early.
 */

#include "mock.h"

#if DMABUF_OURS

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/vmstat.h>

#include <kunit/test.h>
#include <kunit/visibility.h>

#include "mock_heap.h"
#include "mock_importer.h"
#include "../heaps/heap-buffer.h"
#include "../heaps/heap-pool.h"

MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);

static const unsigned long sizes[] = {
	PAGE_SIZE, 3 * PAGE_SIZE, SZ_64K, SZ_1M, SZ_2M + PAGE_SIZE, 5 * SZ_1M + SZ_64K,
};

static void size_desc(const unsigned long *size, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%lu_pages", *size / PAGE_SIZE);
}

KUNIT_ARRAY_PARAM(size, sizes, size_desc);

static struct dma_buf *allocate(unsigned long len)
{
	return system_heap_buffer("kunit", len, O_RDWR);
}

/* Passes if buffers of every size are zero, also where others have written. */
static void allocate_is_zero(struct kunit *test)
{
	unsigned long len = *(const unsigned long *)test->param_value;

	for (unsigned int i = 0; i < 4; i++) {
		struct dma_buf *dmabuf = allocate(len);

		KUNIT_ASSERT_FALSE(test, IS_ERR(dmabuf));
		KUNIT_EXPECT_EQ(test, dmabuf->size, len);
		KUNIT_EXPECT_TRUE(test, heap_buffer_zero_then_spoil(dmabuf));
		heap_buffer_release(dmabuf);
	}
}

/* Passes if the same holds for what the pool hands out, and it does so. */
static void allocate_from_pool_is_zero(struct kunit *test)
{
	unsigned int last = HEAP_LEVELS - 1;
	unsigned long hits;

	heap_pool_set_limit(8);
	for (unsigned int i = 0; i < 4; i++) {
		struct dma_buf *dmabuf;

		for (int wait = 0; wait < 500 && !heap_pool_state(last).clean; wait++)
			msleep(20);
		hits = heap_pool_state(last).hits;
		dmabuf = allocate(PAGE_SIZE);
		KUNIT_ASSERT_FALSE(test, IS_ERR(dmabuf));
		KUNIT_EXPECT_TRUE(test, heap_buffer_zero_then_spoil(dmabuf));
		KUNIT_EXPECT_EQ(test, heap_pool_state(last).hits, hits + 1);
		heap_buffer_release(dmabuf);
	}
	heap_pool_set_limit(0);
}

/* Passes if no memory is lost: had each buffer kept its own, half would be missing. */
static void release_gives_the_memory_back(struct kunit *test)
{
	unsigned long nr_pages = totalram_pages() / 128;
	unsigned long free = global_zone_page_state(NR_FREE_PAGES);

	for (unsigned int i = 0; i < 10; i++) {
		struct dma_buf *dmabuf = allocate(nr_pages << PAGE_SHIFT);

		KUNIT_ASSERT_FALSE(test, IS_ERR(dmabuf));
		heap_buffer_release(dmabuf);
	}
	KUNIT_EXPECT_GT(test, global_zone_page_state(NR_FREE_PAGES) + 5 * nr_pages, free);
}

/* Passes if chunks do not get larger towards the end, so that all are aligned. */
static void allocate_puts_large_chunks_first(struct kunit *test)
{
	struct dma_buf *dmabuf = allocate(SZ_4M + SZ_1M + 3 * PAGE_SIZE);
	unsigned int order, before = UINT_MAX;
	struct dma_buf_attachment *attach;
	u64 pfn;

	KUNIT_ASSERT_FALSE(test, IS_ERR(dmabuf));
	attach = dma_buf_attach(dmabuf, mock_device(test));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	for (pgoff_t pgoff = 0; pgoff < dmabuf->size >> PAGE_SHIFT; pgoff += 1UL << order) {
		KUNIT_ASSERT_EQ(test, 0, dma_buf_get_pfn_unlocked(attach, pgoff, &pfn, &order));
		KUNIT_EXPECT_LE(test, order, before);
		before = order;
	}
	dma_buf_detach(dmabuf, attach);
	heap_buffer_release(dmabuf);
}

/* How often a chunk has been looked for, while the pool is on. */
static unsigned long chunks_tried(void)
{
	unsigned long n = 0;

	for (unsigned int level = 0; level < HEAP_LEVELS; level++) {
		struct heap_pool_state s = heap_pool_state(level);

		n += s.hits + s.misses;
	}
	return n;
}

/* Passes if @len is refused before a single chunk has been looked for. */
static void expect_enomem_at_once(struct kunit *test, unsigned long len)
{
	unsigned long tried;
	struct dma_buf *dmabuf;

	heap_pool_set_limit(8);
	tried = chunks_tried();
	dmabuf = allocate(len);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(dmabuf), -ENOMEM);
	KUNIT_EXPECT_EQ(test, chunks_tried(), tried);
	if (!IS_ERR(dmabuf))
		heap_buffer_release(dmabuf);
	heap_pool_set_limit(0);
}

/* Passes if nothing is tried for more memory than the machine has. */
static void allocate_more_than_memory_returns_enomem(struct kunit *test)
{
	expect_enomem_at_once(test, (totalram_pages() + 1) << PAGE_SHIFT);
	expect_enomem_at_once(test, 1UL << (BITS_PER_LONG - 1));
	expect_enomem_at_once(test, PAGE_MASK);
}

/* Passes if nothing is taken from anybody for more than what others leave. */
static void allocate_more_than_available_returns_enomem(struct kunit *test)
{
	expect_enomem_at_once(test, (totalram_pages() - 1) << PAGE_SHIFT);
}

/* Passes if a process that is being killed does not wait for its buffer. */
static void allocate_when_killed_returns_eintr(struct kunit *test)
{
	struct dma_buf *dmabuf;

	mock_kill();
	dmabuf = allocate(SZ_4M);
	mock_revive();

	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(dmabuf), -EINTR);
	if (!IS_ERR(dmabuf))
		heap_buffer_release(dmabuf);
}

static struct kunit_case system_heap_cases[] = {
	KUNIT_CASE_PARAM(allocate_is_zero, size_gen_params),
	KUNIT_CASE_SLOW(allocate_from_pool_is_zero),
	KUNIT_CASE(release_gives_the_memory_back),
	KUNIT_CASE(allocate_puts_large_chunks_first),
	KUNIT_CASE(allocate_more_than_memory_returns_enomem),
	KUNIT_CASE(allocate_more_than_available_returns_enomem),
	KUNIT_CASE(allocate_when_killed_returns_eintr),
	{}
};

static struct kunit_suite system_heap_suite = {
	.name = "system_heap",
	.test_cases = system_heap_cases,
};

kunit_test_suite(system_heap_suite);

#endif /* DMABUF_OURS */
