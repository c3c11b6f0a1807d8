// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pool of the system heap: chunks that are zero already, so that an
 * allocation need not clear them. Off by default.
 *
 * Level: an index into the table of orders; each has its lists and its limit.
 * Clean: zero everywhere. Dirty: was in a buffer, and has not been cleared.
 */

#include <linux/debugfs.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/pgtable.h>
#include <linux/seq_file.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/vmstat.h>
#include <linux/workqueue.h>

#include <kunit/visibility.h>

#include "heap-pool.h"

/* What one entry of a page middle directory maps, or 2 MiB where that is found out at boot. */
#define HUGE_ORDER \
	(__builtin_choose_expr(__builtin_constant_p(PMD_SHIFT), PMD_SHIFT, 21) - PAGE_SHIFT)

const unsigned int heap_orders[HEAP_LEVELS] = {
	MIN(MAX(HUGE_ORDER, 8), MAX_PAGE_ORDER),
	MIN(8, MAX_PAGE_ORDER),
	MIN(4, MAX_PAGE_ORDER),
	0,
};
EXPORT_SYMBOL_IF_KUNIT(heap_orders);

/* How many 64ths of the pool a level gets: time is lost on large buffers. */
static const unsigned int shares[HEAP_LEVELS] = { 60, 2, 1, 1 };

/* How long a burst of allocations is left alone. */
#define REFILL_DELAY	(HZ / 10)
/* How long memory pressure is taken to last. */
#define REFILL_PAUSE	(5 * HZ)

/**
 * struct pool_level - chunks of one size
 * @clean: ready to be handed out
 * @dirty: to be cleared by the worker
 * @state: numbers of the above, and what happened so far
 *
 * Invariant: no more than the limit on both lists together, except between a
 * change of the limit and the end of heap_pool_set_limit(). pool_lock protects
 * all of it.
 */
struct pool_level {
	struct list_head clean;
	struct list_head dirty;
	struct heap_pool_state state;
};

static DEFINE_SPINLOCK(pool_lock);
static struct pool_level levels[HEAP_LEVELS];
/* Until when nothing is added; in jiffies. */
static unsigned long pool_paused_until;
/* False until the worker may run. */
static bool pool_ready;
/* Is there any limit but 0? */
bool heap_pool_on;
EXPORT_SYMBOL_IF_KUNIT(heap_pool_on);

static void pool_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(pool_worker, pool_work);

/* Let the worker look what there is to do, in a moment. */
static void pool_kick(void)
{
	queue_delayed_work(system_unbound_wq, &pool_worker, REFILL_DELAY);
}

/* What is in the pool counts as memory that can be had. */
static void account(struct page *page, long nr_pages)
{
	mod_node_page_state(page_pgdat(page), NR_KERNEL_MISC_RECLAIMABLE,
			    nr_pages);
}

static bool level_full(const struct pool_level *l)
{
	return l->state.clean + l->state.dirty >= l->state.limit;
}

static void level_add(unsigned int level, struct page *page, bool clean)
{
	struct pool_level *l = &levels[level];

	lockdep_assert_held(&pool_lock);

	list_add(&page->lru, clean ? &l->clean : &l->dirty);
	if (clean)
		l->state.clean++;
	else
		l->state.dirty++;
	account(page, 1L << heap_orders[level]);
}

/* Remove the first chunk of a list, if there is one. */
static struct page *level_take(unsigned int level, bool clean)
{
	struct pool_level *l = &levels[level];
	struct page *page;

	lockdep_assert_held(&pool_lock);

	page = list_first_entry_or_null(clean ? &l->clean : &l->dirty,
					struct page, lru);
	if (!page)
		return NULL;

	list_del(&page->lru);
	if (clean)
		l->state.clean--;
	else
		l->state.dirty--;
	account(page, -(1L << heap_orders[level]));
	return page;
}

struct page *__heap_pool_get(unsigned int level)
{
	struct heap_pool_state *state = &levels[level].state;
	struct page *page;

	spin_lock(&pool_lock);
	page = level_take(level, true);
	if (page)
		state->hits++;
	else
		state->misses++;
	spin_unlock(&pool_lock);

	pool_kick();
	return page;
}
EXPORT_SYMBOL_IF_KUNIT(__heap_pool_get);

/* Nobody else uses the chunk, and all of it is good. */
static bool reusable(struct page *page)
{
	return page_count(page) == 1 && !PageHWPoison(page) &&
	       !folio_test_has_hwpoisoned(page_folio(page));
}

bool __heap_pool_put(struct page *page, unsigned int order)
{
	unsigned int level = 0;
	bool taken;

	while (level < HEAP_LEVELS && heap_orders[level] != order)
		level++;
	if (level == HEAP_LEVELS || !reusable(page))
		return false;

	spin_lock(&pool_lock);
	taken = !level_full(&levels[level]);
	if (taken)
		level_add(level, page, false);
	spin_unlock(&pool_lock);

	if (taken)
		pool_kick();
	return taken;
}
EXPORT_SYMBOL_IF_KUNIT(__heap_pool_put);

/* Put a chunk that has been cleared on the list, if it is still wanted. */
static void add_clean(unsigned int level, struct page *page)
{
	bool wanted;

	spin_lock(&pool_lock);
	wanted = !level_full(&levels[level]);
	if (wanted)
		level_add(level, page, true);
	spin_unlock(&pool_lock);

	if (!wanted)
		__free_pages(page, heap_orders[level]);
}

/* Clear a chunk that came back from a buffer; false if there is none. */
static bool clear_one(unsigned int level)
{
	struct page *page;

	spin_lock(&pool_lock);
	page = level_take(level, false);
	spin_unlock(&pool_lock);
	if (!page)
		return false;

	for (unsigned int i = 0; i < 1U << heap_orders[level]; i++) {
		clear_highpage(page + i);
		cond_resched();
	}
	add_clean(level, page);
	return true;
}

/* Add a chunk if there is room for it and memory that nobody waits for. */
static bool refill_one(unsigned int level)
{
	gfp_t gfp = (GFP_HIGHUSER | __GFP_ZERO | __GFP_COMP | __GFP_NOWARN |
		     __GFP_NORETRY) & ~__GFP_RECLAIM;
	struct page *page;
	bool full;

	if (time_before(jiffies, READ_ONCE(pool_paused_until)))
		return false;

	spin_lock(&pool_lock);
	full = level_full(&levels[level]);
	spin_unlock(&pool_lock);
	if (full)
		return false;

	page = alloc_pages(gfp, heap_orders[level]);
	if (!page)
		return false;

	add_clean(level, page);
	return true;
}

/* What has been in use goes first: it is there, and it takes up room. */
static void pool_work(struct work_struct *work)
{
	for (unsigned int level = 0; level < HEAP_LEVELS; level++) {
		while (clear_one(level))
			cond_resched();
	}
	for (unsigned int level = 0; level < HEAP_LEVELS; level++) {
		while (refill_one(level))
			cond_resched();
	}
}

/* Free one chunk, rather one that is dirty. False if there is none. */
static bool drop_one(unsigned int level, unsigned long above)
{
	struct pool_level *l = &levels[level];
	struct page *page = NULL;

	spin_lock(&pool_lock);
	if (l->state.clean + l->state.dirty > above) {
		page = level_take(level, false);
		if (!page)
			page = level_take(level, true);
	}
	spin_unlock(&pool_lock);

	if (page)
		__free_pages(page, heap_orders[level]);
	return page;
}

/**
 * heap_pool_shrink() - give memory back
 * @nr_pages: at least so many pages, if there are so many
 *
 * Small chunks go first. Nothing is added for a while.
 *
 * Context: Process context; may be called by reclaim.
 * Return: how many pages were freed.
 */
VISIBLE_IF_KUNIT unsigned long heap_pool_shrink(unsigned long nr_pages)
{
	unsigned long freed = 0;

	WRITE_ONCE(pool_paused_until, jiffies + REFILL_PAUSE);

	for (int level = HEAP_LEVELS - 1; level >= 0; level--) {
		while (freed < nr_pages && drop_one(level, 0)) {
			freed += 1UL << heap_orders[level];
			cond_resched();
		}
	}
	return freed;
}
EXPORT_SYMBOL_IF_KUNIT(heap_pool_shrink);

static unsigned long pool_count(struct shrinker *shrinker,
				struct shrink_control *sc)
{
	unsigned long nr_pages = 0;

	spin_lock(&pool_lock);
	for (unsigned int level = 0; level < HEAP_LEVELS; level++)
		nr_pages += (levels[level].state.clean +
			     levels[level].state.dirty) << heap_orders[level];
	spin_unlock(&pool_lock);
	return nr_pages ?: SHRINK_EMPTY;
}

static unsigned long pool_scan(struct shrinker *shrinker,
			       struct shrink_control *sc)
{
	return heap_pool_shrink(sc->nr_to_scan) ?: SHRINK_STOP;
}

/**
 * heap_pool_set_limit() - how much the pool may hold
 * @mib: in MiB; a quarter of memory if that is less, and 0 turns the pool off
 *
 * What is above the limit is freed before this returns; what is missing is
 * added by and by. Callers do not call it at the same time.
 *
 * Context: Process context, may sleep.
 */
void heap_pool_set_limit(unsigned long mib)
{
	unsigned long nr_pages = min(mib, ULONG_MAX / SZ_1M) * (SZ_1M / PAGE_SIZE);

	if (!pool_ready)
		return;

	nr_pages = min(nr_pages, totalram_pages() / 4);

	spin_lock(&pool_lock);
	for (unsigned int level = 0; level < HEAP_LEVELS; level++)
		levels[level].state.limit =
			nr_pages / 64 * shares[level] >> heap_orders[level];
	WRITE_ONCE(heap_pool_on, nr_pages);
	spin_unlock(&pool_lock);

	for (unsigned int level = 0; level < HEAP_LEVELS; level++) {
		while (drop_one(level, levels[level].state.limit))
			cond_resched();
	}
	WRITE_ONCE(pool_paused_until, jiffies);
	pool_kick();
}
EXPORT_SYMBOL_IF_KUNIT(heap_pool_set_limit);

/**
 * heap_pool_state() - numbers of one level
 * @level: index into heap_orders
 *
 * Context: Process context.
 * Return: what they were a moment ago.
 */
struct heap_pool_state heap_pool_state(unsigned int level)
{
	struct heap_pool_state state;

	spin_lock(&pool_lock);
	state = levels[level].state;
	spin_unlock(&pool_lock);
	return state;
}
EXPORT_SYMBOL_IF_KUNIT(heap_pool_state);

static int pool_show(struct seq_file *m, void *unused)
{
	seq_puts(m, "order   limit  clean  dirty    MiB       hits     misses\n");
	for (unsigned int level = 0; level < HEAP_LEVELS; level++) {
		struct heap_pool_state s = heap_pool_state(level);
		unsigned long nr_pages = (s.clean + s.dirty) << heap_orders[level];

		seq_printf(m, "%5u %7lu %6lu %6lu %6lu %10lu %10lu\n",
			   heap_orders[level], s.limit, s.clean, s.dirty,
			   nr_pages / (SZ_1M / PAGE_SIZE), s.hits, s.misses);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pool);

/**
 * heap_pool_init() - make the pool, which holds nothing at first
 *
 * Context: Process context, once, at boot.
 * Return: 0, or %-ENOMEM without a pool.
 */
int __init heap_pool_init(void)
{
	struct shrinker *shrinker = shrinker_alloc(0, "dma-heap-pool");

	if (!shrinker)
		return -ENOMEM;

	for (unsigned int level = 0; level < HEAP_LEVELS; level++) {
		INIT_LIST_HEAD(&levels[level].clean);
		INIT_LIST_HEAD(&levels[level].dirty);
	}
	shrinker->count_objects = pool_count;
	shrinker->scan_objects = pool_scan;
	shrinker_register(shrinker);

	debugfs_create_file("pool", 0444, debugfs_create_dir("dma_heap", NULL),
			    NULL, &pool_fops);
	pool_ready = true;
	return 0;
}
