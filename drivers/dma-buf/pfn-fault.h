/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lazy mappings of buffers whose pages are known by their frame numbers. For
 * the exporters of this directory (heaps, udmabuf).
 */
#ifndef _PFN_FAULT_H
#define _PFN_FAULT_H

#include <linux/types.h>

struct vm_area_struct;

/**
 * struct pfn_run - pages that follow each other both in a buffer and in memory
 * @pfn: frame of the first page
 * @pgoff: where in the buffer it is, in pages
 * @nr: how many pages
 */
struct pfn_run {
	unsigned long pfn;
	pgoff_t pgoff;
	unsigned long nr;
};

/**
 * struct pfn_source - a buffer that can be asked for its pages
 * @run_at: stores the run that contains page @pgoff of the buffer in @run;
 *	false if there is no such page. Called under a page table's lock: must
 *	not sleep, and always has to give the same answer.
 *
 * Embedded in the exporter's buffer, which lives as long as its file.
 */
struct pfn_source {
	bool (*run_at)(const struct pfn_source *src, pgoff_t pgoff,
		       struct pfn_run *run);
};

int pfn_source_mmap(const struct pfn_source *src, struct vm_area_struct *vma);

#endif /* _PFN_FAULT_H */
