// SPDX-License-Identifier: GPL-2.0-only
/*
 * The heap whose memory is the default CMA area: every buffer is one piece.
 */

#include <linux/cma.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/dma-map-ops.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/init.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>

#include <kunit/visibility.h>

#include "heap-buffer.h"

#define HUGE_ORDER	(PMD_SHIFT - PAGE_SHIFT)

static void cma_heap_free(void *area, struct page *page, unsigned long nr_pages)
{
	cma_release(area, page, nr_pages);
}

/*
 * Buffers that are large enough for huge pages are aligned for them if the area
 * has room for that.
 */
static struct page *cma_heap_pages(struct cma *area, unsigned long nr_pages)
{
	unsigned int order = order_base_2(nr_pages);
	struct page *page = NULL;

	if (nr_pages >> HUGE_ORDER && HUGE_ORDER > CONFIG_CMA_ALIGNMENT)
		page = cma_alloc(area, nr_pages, HUGE_ORDER, true);
	if (!page)
		page = cma_alloc(area, nr_pages,
				 min(order, CONFIG_CMA_ALIGNMENT), true);
	return page;
}

/* Page by page: highmem has no address, and there may be very many. */
static int clear_pages_killable(struct page *page, unsigned long nr_pages)
{
	for (unsigned long i = 0; i < nr_pages; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		clear_highpage(nth_page(page, i));
		cond_resched();
	}
	return 0;
}

/**
 * cma_heap_buffer() - make a buffer of one piece
 * @area: where from; its name is the heap's
 * @len: size in bytes, a multiple of the page size
 * @fd_flags: for the file
 *
 * Context: Process context, may sleep.
 * Return: the buffer with a reference, or an ERR_PTR():
 *
 *  * %-ENOMEM - the area is not so large, or has no such piece
 *  * %-EINTR - the process is being killed
 *  * what dma_buf_export() returns
 */
VISIBLE_IF_KUNIT struct dma_buf *
cma_heap_buffer(struct cma *area, unsigned long len, u32 fd_flags)
{
	unsigned long nr_pages = len >> PAGE_SHIFT;
	struct page *page;
	int ret;

	if (len > cma_get_size(area))
		return ERR_PTR(-ENOMEM);

	struct heap_buffer *buf __free(heap_buffer_free) =
		heap_buffer_alloc(cma_heap_free, area);
	if (!buf)
		return ERR_PTR(-ENOMEM);

	page = cma_heap_pages(area, nr_pages);
	if (!page)
		return ERR_PTR(fatal_signal_pending(current) ? -EINTR : -ENOMEM);

	/* Cannot fail: there is always room for one. */
	ret = heap_buffer_add(buf, page, nr_pages);
	if (!ret)
		ret = clear_pages_killable(page, nr_pages);
	if (ret)
		return ERR_PTR(ret);

	return heap_buffer_export(no_free_ptr(buf), cma_get_name(area), fd_flags);
}
EXPORT_SYMBOL_IF_KUNIT(cma_heap_buffer);

static struct dma_buf *cma_heap_allocate(struct dma_heap *heap,
					 unsigned long len, u32 fd_flags,
					 u64 heap_flags)
{
	return cma_heap_buffer(dma_heap_get_drvdata(heap), len, fd_flags);
}

static const struct dma_heap_ops cma_heap_ops = {
	.allocate = cma_heap_allocate,
};

static int __init cma_heap_init(void)
{
	struct cma *area = dev_get_cma_area(NULL);
	struct dma_heap_export_info info = {
		.ops = &cma_heap_ops,
		.priv = area,
	};

	if (!area)
		return 0;

	info.name = cma_get_name(area);
	return PTR_ERR_OR_ZERO(dma_heap_add(&info));
}
module_init(cma_heap_init);
