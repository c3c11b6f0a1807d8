// SPDX-License-Identifier: GPL-2.0-only
/*
 * The heap whose memory is all of memory: takes chunks from the page allocator,
 * or from the pool, the largest first.
 */

#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>
#include <linux/vmstat.h>

#include <kunit/visibility.h>

#include "heap-buffer.h"
#include "heap-pool.h"

static unsigned int pool_mb;

static int pool_mb_set(const char *value, const struct kernel_param *kp)
{
	int ret = param_set_uint(value, kp);

	if (!ret)
		heap_pool_set_limit(pool_mb);
	return ret;
}

static const struct kernel_param_ops pool_mb_ops = {
	.set	= pool_mb_set,
	.get	= param_get_uint,
};

module_param_cb(pool_mb, &pool_mb_ops, &pool_mb, 0644);
MODULE_PARM_DESC(pool_mb, "MiB of zeroed memory kept ready, up to a quarter of memory (0: none)");

/*
 * Large chunks are a matter of luck: nobody's cache is dropped for them. Single
 * pages are worth an effort, but not somebody's life.
 */
static gfp_t chunk_gfp(unsigned int order)
{
	gfp_t gfp = GFP_HIGHUSER | __GFP_ZERO | __GFP_NOWARN;

	if (order)
		return (gfp | __GFP_COMP) & ~__GFP_DIRECT_RECLAIM;
	return gfp | __GFP_RETRY_MAYFAIL;
}

static void system_heap_free(void *priv, struct page *page,
			     unsigned long nr_pages)
{
	unsigned int order = ilog2(nr_pages);

	if (!heap_pool_put(page, order))
		__free_pages(page, order);
}

/*
 * The largest chunk of at most @nr_pages that can be had, not above @level, which
 * is lowered to where there was one: the next will not be larger.
 */
static struct page *chunk_alloc(unsigned long nr_pages, unsigned int *level)
{
	struct page *page;

	for (; *level < HEAP_LEVELS; ++*level) {
		unsigned int order = heap_orders[*level];

		if (!(nr_pages >> order))
			continue;

		page = heap_pool_get(*level);
		if (!page)
			page = alloc_pages(chunk_gfp(order), order);
		if (page)
			return page;
	}
	return NULL;
}

/*
 * Could so much be had without taking it from those who use it? All of memory is
 * the limit; what matters in practice is what reclaim and swap could yield.
 */
static bool attainable(unsigned long nr_pages)
{
	long available;

	if (nr_pages > totalram_pages())
		return false;
	/* Not worth asking. */
	if (nr_pages <= 1UL << heap_orders[0])
		return true;

	available = si_mem_available() + get_nr_swap_pages() -
		    (long)global_zone_page_state(NR_FREE_CMA_PAGES);
	return available > 0 && nr_pages <= available;
}

/**
 * system_heap_buffer() - make a buffer of ordinary memory
 * @name: of the heap
 * @len: size in bytes, a multiple of the page size
 * @fd_flags: for the file
 *
 * Context: Process context, may sleep.
 * Return: the buffer with a reference, or an ERR_PTR():
 *
 *  * %-ENOMEM - there is not so much memory, or it is in use
 *  * %-EINTR - the process is being killed
 *  * what dma_buf_export() returns
 */
VISIBLE_IF_KUNIT struct dma_buf *
system_heap_buffer(const char *name, unsigned long len, u32 fd_flags)
{
	unsigned long left = len >> PAGE_SHIFT;
	unsigned int level = 0;

	if (!attainable(left))
		return ERR_PTR(-ENOMEM);

	struct heap_buffer *buf __free(heap_buffer_free) =
		heap_buffer_alloc(system_heap_free, NULL);
	if (!buf)
		return ERR_PTR(-ENOMEM);

	while (left) {
		struct page *page = chunk_alloc(left, &level);
		unsigned long nr_pages;

		if (!page)
			return ERR_PTR(-ENOMEM);

		nr_pages = 1UL << heap_orders[level];
		if (heap_buffer_add(buf, page, nr_pages)) {
			system_heap_free(NULL, page, nr_pages);
			return ERR_PTR(-ENOMEM);
		}
		left -= nr_pages;

		if (fatal_signal_pending(current))
			return ERR_PTR(-EINTR);
		cond_resched();
	}

	return heap_buffer_export(no_free_ptr(buf), name, fd_flags);
}
EXPORT_SYMBOL_IF_KUNIT(system_heap_buffer);

static struct dma_buf *system_heap_allocate(struct dma_heap *heap,
					    unsigned long len, u32 fd_flags,
					    u64 heap_flags)
{
	return system_heap_buffer(dma_heap_get_name(heap), len, fd_flags);
}

static const struct dma_heap_ops system_heap_ops = {
	.allocate = system_heap_allocate,
};

static int __init system_heap_init(void)
{
	const struct dma_heap_export_info info = {
		.name = "system",
		.ops = &system_heap_ops,
	};

	/* Without a pool the heap works as well, only slower. */
	if (!heap_pool_init())
		heap_pool_set_limit(pool_mb);

	return PTR_ERR_OR_ZERO(dma_heap_add(&info));
}
module_init(system_heap_init);
