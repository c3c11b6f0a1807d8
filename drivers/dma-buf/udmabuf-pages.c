// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pinned pages of a udmabuf: pins ranges of memfds, stores them as runs,
 * and turns the runs into what importers, page tables and the kernel need.
 *
 * Vocabulary:
 *   run	pages that follow each other in the buffer and in memory, with
 *		pins of their own (see struct udmabuf_pages)
 *   segment	pages that follow each other in the buffer and in memory, no
 *		matter how they were pinned: what a device is told
 */

#include <linux/cleanup.h>
#include <linux/highmem.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/pagevec.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/vmalloc.h>

#include <kunit/visibility.h>

#include "pfn-fault.h"
#include "udmabuf-pages.h"

/* Folios to be pinned by one call: some full batches of the page cache's. */
#define PIN_BATCH	(16 * PAGEVEC_SIZE)

/* Folios to be unpinned without a look whether others want to run. */
#define UNPIN_BATCH	1024

static pgoff_t run_end(const struct udmabuf_pages *pages, unsigned long i)
{
	return i + 1 < pages->nr_runs ? pages->runs[i + 1].pgoff : pages->nr_pages;
}

/* Make room for @nr more runs. */
static int runs_reserve(struct udmabuf_pages *pages, unsigned long nr)
{
	unsigned long max = pages->nr_runs + nr;
	struct udmabuf_run *runs;

	if (max <= pages->max_runs)
		return 0;

	max = max(max, 2 * pages->max_runs);
	runs = kvrealloc(pages->runs, array_size(max, sizeof(*runs)),
			 GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!runs)
		return -ENOMEM;

	pages->runs = runs;
	pages->max_runs = max;
	return 0;
}

/*
 * Append @nr pages from frame @pfn on, all of one folio. Only what starts with
 * its folio continues a run: a folio that was pinned twice has to be found twice.
 */
static inline void runs_append(struct udmabuf_pages *pages, unsigned long pfn,
			       unsigned long nr, bool starts_folio)
{
	bool adjacent = pages->nr_runs && pfn == pages->next_pfn;

	if (!adjacent)
		pages->nr_segments++;
	if (!adjacent || !starts_folio)
		pages->runs[pages->nr_runs++] = (struct udmabuf_run){
			.pfn = pfn,
			.pgoff = pages->nr_pages,
		};
	pages->nr_pages += nr;
	pages->next_pfn = pfn + nr;
}

/*
 * Take over the pin of @folio, of which at most @max pages are wanted, from its
 * page @first on. Returns how many those are.
 */
static inline unsigned long folio_append(struct udmabuf_pages *pages,
					 struct folio *folio, unsigned long first,
					 unsigned long max)
{
	unsigned long nr = 1;

	if (folio_test_large(folio)) {
		nr = min(folio_nr_pages(folio) - first, max);
		if (nr < folio_nr_pages(folio) && !folio_test_hugetlb(folio))
			pages->nr_partial++;
	}
	runs_append(pages, folio_pfn(folio) + first, nr, !first);
	return nr;
}

/**
 * udmabuf_pages_pin() - append a range of a memfd
 * @pages: where to append
 * @memfd: file of shmem or hugetlbfs, with the inode lock held
 * @offset: first byte, a multiple of the page size
 * @nr_pages: how many pages, at least 1
 *
 * Pages that the memfd does not have yet are made. What has been pinned stays
 * pinned if an error ends the call: udmabuf_pages_unpin() is right either way.
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno:
 *
 * * %-EINVAL - the range does not lie inside of the file
 * * %-ENOMEM - out of memory
 * * %-EINTR  - the process is being killed
 */
int udmabuf_pages_pin(struct udmabuf_pages *pages, struct file *memfd,
		      loff_t offset, unsigned long nr_pages)
{
	unsigned long max = min(nr_pages, PIN_BATCH), first, nr;
	loff_t last = offset + ((loff_t)nr_pages << PAGE_SHIFT) - 1;
	struct folio **folios __free(kfree) = NULL;
	pgoff_t skip;
	long pinned, i;
	int ret;

	folios = kmalloc_array(max, sizeof(*folios), GFP_KERNEL);
	if (!folios)
		return -ENOMEM;

	while (nr_pages) {
		if (fatal_signal_pending(current))
			return -EINTR;

		ret = runs_reserve(pages, min(nr_pages, max));
		if (ret)
			return ret;

		pinned = memfd_pin_folios(memfd, offset, last, folios,
					  min(nr_pages, max), &skip);
		if (pinned <= 0)
			return pinned ?: -EINVAL;

		/* @skip is in bytes, and of the first folio only. */
		first = skip >> PAGE_SHIFT;
		for (i = 0; i < pinned; i++, first = 0) {
			nr = folio_append(pages, folios[i], first, nr_pages);
			offset += (loff_t)nr << PAGE_SHIFT;
			nr_pages -= nr;
		}
		cond_resched();
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(udmabuf_pages_pin);

/* The folio that contains page @pfn, and how many of its pages follow, that one included. */
static inline struct folio *folio_at(unsigned long pfn, unsigned long *left)
{
	struct page *page = pfn_to_page(pfn);
	struct folio *folio = page_folio(page);

	*left = 1;
	if (folio_test_large(folio))
		*left = folio_nr_pages(folio) - folio_page_idx(folio, page);
	return folio;
}

/* Drop the pins of run @i: one for each folio. */
static void run_unpin(const struct udmabuf_pages *pages, unsigned long i)
{
	unsigned long nr = run_end(pages, i) - pages->runs[i].pgoff;
	unsigned long pfn = pages->runs[i].pfn;
	unsigned long count = 0, left;

	while (nr) {
		struct folio *folio = folio_at(pfn, &left);

		left = min(left, nr);
		pfn += left;
		nr -= left;
		unpin_folio(folio);
		if (!(++count % UNPIN_BATCH))
			cond_resched();
	}
}

/**
 * udmabuf_pages_unpin() - drop all pins and forget the pages
 * @pages: the pages, of which there may be none
 *
 * Context: Process context, may sleep.
 */
void udmabuf_pages_unpin(struct udmabuf_pages *pages)
{
	unsigned long i;

	for (i = 0; i < pages->nr_runs; i++) {
		run_unpin(pages, i);
		if (!(i % UNPIN_BATCH))
			cond_resched();
	}
	kvfree(pages->runs);
	*pages = (struct udmabuf_pages){};
}
EXPORT_SYMBOL_IF_KUNIT(udmabuf_pages_unpin);

/**
 * udmabuf_pages_trim() - give back room for runs that was not needed
 * @pages: the pages, all of which are pinned
 *
 * Context: Process context, may sleep.
 */
void udmabuf_pages_trim(struct udmabuf_pages *pages)
{
	struct udmabuf_run *runs;

	if (pages->max_runs < 2 * pages->nr_runs)
		return;

	runs = kvmemdup(pages->runs, array_size(pages->nr_runs, sizeof(*runs)),
			GFP_KERNEL_ACCOUNT);
	if (!runs)
		return;

	kvfree(pages->runs);
	pages->runs = runs;
	pages->max_runs = pages->nr_runs;
}
EXPORT_SYMBOL_IF_KUNIT(udmabuf_pages_trim);

static int by_address(const void *a, const void *b)
{
	unsigned long first = *(const unsigned long *)a;
	unsigned long second = *(const unsigned long *)b;

	return first < second ? -1 : first > second;
}

/*
 * Note @folio in @partial if it is one of those that are counted there.
 * Returns how many of its pages are part of the run.
 */
static unsigned long note_partial(struct folio *folio, unsigned long nr,
				  struct folio **partial, unsigned long *nr_partial)
{
	if (nr == folio_nr_pages(folio) || folio_test_hugetlb(folio))
		return 0;

	partial[(*nr_partial)++] = folio;
	return nr;
}

/* Collect the partial folios. Returns how many of their pages are in the buffer. */
static unsigned long collect_partial(const struct udmabuf_pages *pages,
				     struct folio **partial)
{
	unsigned long nr_partial = 0, covered = 0, left, i;

	for (i = 0; i < pages->nr_runs; i++) {
		unsigned long nr = run_end(pages, i) - pages->runs[i].pgoff;
		unsigned long pfn = pages->runs[i].pfn;

		while (nr) {
			struct folio *folio = folio_at(pfn, &left);

			left = min(left, nr);
			covered += note_partial(folio, left, partial, &nr_partial);
			pfn += left;
			nr -= left;
		}
	}
	return covered;
}

/**
 * udmabuf_pages_surplus() - pages that are pinned without being in the buffer
 * @pages: the pages, all of which are pinned
 *
 * A pin holds a folio as a whole. That of shmem keeps the rest of it from
 * being swapped out, and so is the rest's cost; each folio counts once. What
 * hugetlbfs has is never swapped out anyway, and limited by its own pool.
 *
 * Context: Process context, may sleep.
 * Return: how many, or %-ENOMEM.
 */
long udmabuf_pages_surplus(const struct udmabuf_pages *pages)
{
	struct folio **partial __free(kvfree) = NULL;
	unsigned long covered, total = 0, i;

	if (!pages->nr_partial)
		return 0;

	partial = kvmalloc_array(pages->nr_partial, sizeof(*partial),
				 GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!partial)
		return -ENOMEM;

	covered = collect_partial(pages, partial);
	sort(partial, pages->nr_partial, sizeof(*partial), by_address, NULL);
	for (i = 0; i < pages->nr_partial; i++) {
		if (!i || partial[i] != partial[i - 1])
			total += folio_nr_pages(partial[i]);
	}
	return total > covered ? total - covered : 0;
}
EXPORT_SYMBOL_IF_KUNIT(udmabuf_pages_surplus);

static bool run_contains(const struct udmabuf_pages *pages, unsigned long i,
			 pgoff_t pgoff)
{
	return i < pages->nr_runs && pages->runs[i].pgoff <= pgoff &&
	       pgoff < run_end(pages, i);
}

/* The number of the run that contains page @pgoff of the buffer. */
static unsigned long run_search(const struct udmabuf_pages *pages, pgoff_t pgoff)
{
	unsigned long low = 0, high = pages->nr_runs;

	/* The run that is looked for is always one of [low, high). */
	while (high - low > 1) {
		unsigned long middle = low + (high - low) / 2;

		if (pages->runs[middle].pgoff <= pgoff)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/**
 * udmabuf_pages_run_at() - find the run that contains a page
 * @pages: the pages
 * @pgoff: the page, counted from the start of the buffer
 * @run: where to store it
 *
 * Whoever walks through a buffer finds each run without a search.
 *
 * Context: Any; does not sleep.
 * Return: false if the buffer has no such page.
 */
bool udmabuf_pages_run_at(struct udmabuf_pages *pages, pgoff_t pgoff,
			  struct pfn_run *run)
{
	/* Read and written by many at a time; only a hint. */
	unsigned long i = READ_ONCE(pages->hint);

	if (pgoff >= pages->nr_pages)
		return false;

	if (!run_contains(pages, i, pgoff)) {
		if (run_contains(pages, i + 1, pgoff))
			i++;
		else
			i = run_search(pages, pgoff);
		WRITE_ONCE(pages->hint, i);
	}
	run->pfn = pages->runs[i].pfn;
	run->pgoff = pages->runs[i].pgoff;
	run->nr = run_end(pages, i) - run->pgoff;
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(udmabuf_pages_run_at);

/* As many runs as there are that follow each other in memory, too. */
struct segment {
	unsigned long pfn;
	unsigned long nr;	/* pages */
	const struct udmabuf_run *behind;	/* the next segment's first run */
};

/* Step to the segment that starts at @behind; false if there is none. */
static __always_inline bool
next_segment(const struct udmabuf_pages *pages, struct segment *segment)
{
	const struct udmabuf_run *end = pages->runs + pages->nr_runs;
	const struct udmabuf_run *first = segment->behind, *run = first + 1;

	if (first == end)
		return false;

	while (run < end && run->pfn - first->pfn == run->pgoff - first->pgoff)
		run++;

	segment->pfn = first->pfn;
	segment->nr = (run < end ? run->pgoff : pages->nr_pages) - first->pgoff;
	segment->behind = run;
	return true;
}

/* How many entries of at most @max pages all segments take. */
static unsigned long count_entries(const struct udmabuf_pages *pages,
				   unsigned long max)
{
	struct segment segment = { .behind = pages->runs };
	unsigned long count = 0;

	/* Nothing has to be split. */
	if (max >= pages->nr_pages)
		return pages->nr_segments;

	while (next_segment(pages, &segment))
		count += DIV_ROUND_UP(segment.nr, max);
	return count;
}

/* The entry behind @sg, which is not the last: sg_next() without its checks. */
static inline struct scatterlist *entry_behind(struct scatterlist *sg)
{
	sg++;
	return unlikely(sg_is_chain(sg)) ? sg_chain_ptr(sg) : sg;
}

/* Enter all segments, in entries of at most @max pages, for which there is room. */
static void enter_segments(const struct udmabuf_pages *pages,
			   struct scatterlist *sg, unsigned long max)
{
	struct segment segment = { .behind = pages->runs };
	bool more = next_segment(pages, &segment);

	while (more) {
		while (segment.nr > max) {
			sg_set_page(sg, pfn_to_page(segment.pfn),
				    max << PAGE_SHIFT, 0);
			segment.pfn += max;
			segment.nr -= max;
			sg = entry_behind(sg);
		}
		sg_set_page(sg, pfn_to_page(segment.pfn),
			    segment.nr << PAGE_SHIFT, 0);
		more = next_segment(pages, &segment);
		if (more)
			sg = entry_behind(sg);
	}
}

/**
 * udmabuf_pages_sgt() - a table of all pages
 * @pages: the pages
 * @max_segment: how many bytes one entry may have. Less than a page means one
 *	page.
 * @gfp: how to allocate
 *
 * Context: Process context; may sleep if @gfp does.
 * Return: a table with one entry for each segment, to be freed with
 * udmabuf_sgt_free(), or ERR_PTR(%-ENOMEM).
 */
struct sg_table *udmabuf_pages_sgt(const struct udmabuf_pages *pages,
				   size_t max_segment, gfp_t gfp)
{
	unsigned long max = min_t(size_t, max_segment, UINT_MAX) >> PAGE_SHIFT;
	struct sg_table *sgt;
	unsigned long count;

	max = max(max, 1);
	count = count_entries(pages, max);
	sgt = kmalloc(sizeof(*sgt), gfp);
	if (!sgt || count > INT_MAX || sg_alloc_table(sgt, count, gfp)) {
		kfree(sgt);
		return ERR_PTR(-ENOMEM);
	}

	enter_segments(pages, sgt->sgl, max);
	return sgt;
}
EXPORT_SYMBOL_IF_KUNIT(udmabuf_pages_sgt);

/**
 * udmabuf_sgt_free() - free a table of udmabuf_pages_sgt()
 * @sgt: the table, which is not mapped for any device
 *
 * Context: Process context.
 */
void udmabuf_sgt_free(struct sg_table *sgt)
{
	sg_free_table(sgt);
	kfree(sgt);
}
EXPORT_SYMBOL_IF_KUNIT(udmabuf_sgt_free);

/**
 * udmabuf_pages_vmap() - make all pages one range of kernel addresses
 * @pages: the pages
 *
 * Context: Process context, may sleep.
 * Return: the address, or NULL if there is no memory or no room. The caller
 * gives it to vunmap() if, and only if, is_vmalloc_addr() is true for it.
 */
void *udmabuf_pages_vmap(const struct udmabuf_pages *pages)
{
	struct page *first = pfn_to_page(pages->runs[0].pfn), **entry;
	struct segment segment = { .behind = pages->runs };
	struct page **array __free(kvfree) = NULL;

	if (pages->nr_segments == 1 &&
	    !PageHighMem(nth_page(first, pages->nr_pages - 1)))
		return page_address(first);

	if (pages->nr_pages > INT_MAX)
		return NULL;
	array = kvmalloc_array(pages->nr_pages, sizeof(*array),
			       GFP_KERNEL | __GFP_NOWARN);
	if (!array)
		return NULL;

	entry = array;
	while (next_segment(pages, &segment)) {
		for (unsigned long i = 0; i < segment.nr; i++)
			*entry++ = pfn_to_page(segment.pfn + i);
	}
	return vmap(array, pages->nr_pages, VM_MAP, PAGE_KERNEL);
}
EXPORT_SYMBOL_IF_KUNIT(udmabuf_pages_vmap);
