// SPDX-License-Identifier: GPL-2.0
/*
 * The CMA heap: one piece, of the area, zero, and back in it afterwards. Skips
 * where there is no default area.
 */

#include "mock.h"

#if DMABUF_OURS

#include <linux/cma.h>
#include <linux/dma-buf.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include <kunit/test.h>
#include <kunit/visibility.h>

#include "mock_heap.h"
#include "mock_importer.h"
#include "../heaps/heap-buffer.h"

MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);

/* The default area is not exported to modules. */
#if IS_ENABLED(CONFIG_DMABUF_HEAPS_CMA) && !defined(MODULE)

static struct cma *area_of(struct kunit *test)
{
	struct cma *area = dev_get_cma_area(NULL);

	if (!area)
		kunit_skip(test, "no default area");
	return area;
}

static struct dma_buf *allocate(struct cma *area, unsigned long len)
{
	return cma_heap_buffer(area, len, O_RDWR);
}

static unsigned long area_size(struct cma *area)
{
	return cma_get_size(area);
}

static unsigned long area_first(struct cma *area)
{
	return PHYS_PFN(cma_get_base(area));
}

static const char *area_name(struct cma *area)
{
	return cma_get_name(area);
}

#else

static struct cma *area_of(struct kunit *test)
{
	kunit_skip(test, "no CMA heap that can be reached");
	return NULL;
}

static struct dma_buf *allocate(struct cma *area, unsigned long len)
{
	return ERR_PTR(-ENODEV);
}

static unsigned long area_size(struct cma *area)
{
	return 0;
}

static unsigned long area_first(struct cma *area)
{
	return 0;
}

static const char *area_name(struct cma *area)
{
	return "";
}

#endif

static u64 frame(struct kunit *test, struct dma_buf *dmabuf, pgoff_t pgoff)
{
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, mock_device(test));
	unsigned int order;
	u64 pfn = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_EQ(test, 0, dma_buf_get_pfn_unlocked(attach, pgoff, &pfn, &order));
	dma_buf_detach(dmabuf, attach);
	return pfn;
}

/* Passes if the buffer is one piece inside of the area, and bears its name. */
static void allocate_is_one_piece_of_the_area(struct kunit *test)
{
	struct cma *area = area_of(test);
	unsigned long nr_pages = SZ_1M / PAGE_SIZE + 1;
	struct dma_buf *dmabuf = allocate(area, nr_pages * PAGE_SIZE);
	u64 first;

	KUNIT_ASSERT_FALSE(test, IS_ERR(dmabuf));
	first = frame(test, dmabuf, 0);
	KUNIT_EXPECT_EQ(test, frame(test, dmabuf, nr_pages - 1), first + nr_pages - 1);
	KUNIT_EXPECT_GE(test, first, area_first(area));
	KUNIT_EXPECT_LE(test, first + nr_pages, area_first(area) + PHYS_PFN(area_size(area)));
	KUNIT_EXPECT_STREQ(test, dmabuf->exp_name, area_name(area));
	heap_buffer_release(dmabuf);
}

/* Passes if buffers are zero, also where others have written. */
static void allocate_is_zero(struct kunit *test)
{
	struct cma *area = area_of(test);

	for (unsigned int i = 0; i < 4; i++) {
		struct dma_buf *dmabuf = allocate(area, SZ_1M + 5 * PAGE_SIZE);

		KUNIT_ASSERT_FALSE(test, IS_ERR(dmabuf));
		KUNIT_EXPECT_TRUE(test, heap_buffer_zero_then_spoil(dmabuf));
		heap_buffer_release(dmabuf);
	}
}

/* Passes if a buffer that is large enough can be mapped with huge pages. */
static void allocate_aligns_for_huge_pages(struct kunit *test)
{
	struct cma *area = area_of(test);
	struct dma_buf *page, *dmabuf;

	/* So that the area does not begin with room for it. */
	page = allocate(area, PAGE_SIZE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(page));
	dmabuf = allocate(area, PMD_SIZE);
	KUNIT_EXPECT_FALSE(test, IS_ERR(dmabuf));
	if (!IS_ERR(dmabuf)) {
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED(frame(test, dmabuf, 0),
						   PMD_SIZE >> PAGE_SHIFT));
		heap_buffer_release(dmabuf);
	}
	heap_buffer_release(page);
}

/* Passes if what the area cannot hold is refused, whether more or much more. */
static void allocate_more_than_the_area_returns_enomem(struct kunit *test)
{
	struct cma *area = area_of(test);
	unsigned long size = area_size(area);

	KUNIT_EXPECT_EQ(test, PTR_ERR(allocate(area, size + PAGE_SIZE)), -ENOMEM);
	KUNIT_EXPECT_EQ(test, PTR_ERR(allocate(area, PAGE_MASK)), -ENOMEM);
}

/* Passes if the area does not run out, that is if buffers give back what they took. */
static void allocate_again_and_again(struct kunit *test)
{
	struct cma *area = area_of(test);
	unsigned long len = PAGE_ALIGN(area_size(area) / 4);

	for (unsigned int i = 0; i < 10; i++) {
		struct dma_buf *dmabuf = allocate(area, len);

		KUNIT_ASSERT_FALSE(test, IS_ERR(dmabuf));
		heap_buffer_release(dmabuf);
	}
}

/* Passes if an area that is in use says so, and is usable again. */
static void allocate_when_full_returns_enomem(struct kunit *test)
{
	struct cma *area = area_of(test);
	unsigned long len = PAGE_ALIGN(area_size(area) / 3 * 2);
	struct dma_buf *first = allocate(area, len), *second;

	if (IS_ERR(first))
		kunit_skip(test, "the area is in use by others");
	second = allocate(area, len);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(second), -ENOMEM);
	if (!IS_ERR(second))
		heap_buffer_release(second);
	heap_buffer_release(first);
}

/* Passes if a process that is being killed gets no buffer, and the area its pages. */
static void allocate_when_killed_returns_eintr(struct kunit *test)
{
	struct cma *area = area_of(test);
	unsigned long len = PAGE_ALIGN(area_size(area) / 4);

	for (unsigned int i = 0; i < 10; i++) {
		struct dma_buf *dmabuf;

		mock_kill();
		dmabuf = allocate(area, len);
		mock_revive();

		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(dmabuf), -EINTR);
		if (!IS_ERR(dmabuf))
			heap_buffer_release(dmabuf);
	}
}

/* Passes if the reason is that it is being killed, even where it could not have had it. */
static void allocate_when_full_and_killed_returns_eintr(struct kunit *test)
{
	struct cma *area = area_of(test);
	unsigned long len = PAGE_ALIGN(area_size(area) / 3 * 2);
	struct dma_buf *first = allocate(area, len), *second;

	if (IS_ERR(first))
		kunit_skip(test, "the area is in use by others");
	mock_kill();
	second = allocate(area, len);
	mock_revive();
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(second), -EINTR);
	if (!IS_ERR(second))
		heap_buffer_release(second);
	heap_buffer_release(first);
}

#ifdef CONFIG_TRACEPOINTS
static void find_event(struct tracepoint *tp, void *found)
{
	if (!strcmp(tp->name, "cma_alloc_finish"))
		*(struct tracepoint **)found = tp;
}

/* Called when the pages are there, but not cleared. */
static void kill_owner(void *owner, const char *name, unsigned long pfn,
		       const struct page *page, unsigned long count,
		       unsigned int align, int error)
{
	if (current == owner && page)
		send_sig(SIGKILL, current, 1);
}

/* Passes if a process that is killed while its memory is cleared does not wait for that. */
static void clearing_when_killed_returns_eintr(struct kunit *test)
{
	struct cma *area = area_of(test);
	struct tracepoint *tp = NULL;
	struct dma_buf *dmabuf;

	for_each_kernel_tracepoint(find_event, &tp);
	if (!tp)
		kunit_skip(test, "nothing to be told by");
	KUNIT_ASSERT_EQ(test, 0, tracepoint_probe_register(tp, kill_owner, current));
	allow_signal(SIGKILL);
	dmabuf = allocate(area, SZ_1M);
	flush_signals(current);
	disallow_signal(SIGKILL);
	tracepoint_probe_unregister(tp, kill_owner, current);
	tracepoint_synchronize_unregister();

	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(dmabuf), -EINTR);
	if (!IS_ERR(dmabuf))
		heap_buffer_release(dmabuf);
}
#endif

static struct kunit_case cma_heap_cases[] = {
	KUNIT_CASE(allocate_is_one_piece_of_the_area),
	KUNIT_CASE(allocate_is_zero),
	KUNIT_CASE(allocate_aligns_for_huge_pages),
	KUNIT_CASE(allocate_more_than_the_area_returns_enomem),
	KUNIT_CASE_SLOW(allocate_again_and_again),
	KUNIT_CASE(allocate_when_full_returns_enomem),
	KUNIT_CASE(allocate_when_killed_returns_eintr),
	KUNIT_CASE(allocate_when_full_and_killed_returns_eintr),
#ifdef CONFIG_TRACEPOINTS
	KUNIT_CASE(clearing_when_killed_returns_eintr),
#endif
	{}
};

static struct kunit_suite cma_heap_suite = {
	.name = "cma_heap",
	.test_cases = cma_heap_cases,
};

kunit_test_suite(cma_heap_suite);

#endif /* DMABUF_OURS */
