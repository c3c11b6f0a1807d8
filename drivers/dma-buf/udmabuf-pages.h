/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pinned pages of a udmabuf, as runs. For udmabuf.c.
 */
#ifndef _UDMABUF_PAGES_H
#define _UDMABUF_PAGES_H

#include <linux/types.h>

struct file;
struct folio;
struct pfn_run;
struct sg_table;

/**
 * struct udmabuf_run - pages that follow each other in the buffer and in memory
 * @pfn: frame of the first page
 * @pgoff: where in the buffer it is, in pages
 *
 * It ends where the next run starts, or with the buffer.
 */
struct udmabuf_run {
	unsigned long pfn;
	pgoff_t pgoff;
};

/**
 * struct udmabuf_pages - pinned pages, in the order of the buffer
 * @runs: the runs, by ascending pgoff
 * @nr_runs: how many there are
 * @max_runs: for how many there is room
 * @nr_pages: pages of all runs together
 * @next_pfn: the frame behind the last page, if there is one
 * @nr_segments: how many pieces they are, if neighbours that are adjacent in
 *	memory count as one
 * @nr_partial: large folios of shmem that are not in it as a whole
 * @hint: run that was asked for last; any value is right
 *
 * Invariants: a run starts with the page at which it was pinned, and grows by
 * whole folios only: so the number of its pins is the number of folios that it
 * touches. All but @hint is constant once the buffer exists.
 */
struct udmabuf_pages {
	struct udmabuf_run *runs;
	unsigned long nr_runs;
	unsigned long max_runs;
	pgoff_t nr_pages;
	unsigned long next_pfn;
	unsigned long nr_segments;
	unsigned long nr_partial;
	unsigned long hint;
};

int udmabuf_pages_pin(struct udmabuf_pages *pages, struct file *memfd,
		      loff_t offset, unsigned long nr_pages);
void udmabuf_pages_unpin(struct udmabuf_pages *pages);
void udmabuf_pages_trim(struct udmabuf_pages *pages);
long udmabuf_pages_surplus(const struct udmabuf_pages *pages);
bool udmabuf_pages_run_at(struct udmabuf_pages *pages, pgoff_t pgoff,
			  struct pfn_run *run);
struct sg_table *udmabuf_pages_sgt(const struct udmabuf_pages *pages,
				   size_t max_segment, gfp_t gfp);
void udmabuf_sgt_free(struct sg_table *sgt);
void *udmabuf_pages_vmap(const struct udmabuf_pages *pages);

#endif /* _UDMABUF_PAGES_H */
