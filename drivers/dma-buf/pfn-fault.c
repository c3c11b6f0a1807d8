// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lazy mappings of buffers: mmap() itself touches no page, unless there is only
 * one; the first access to a part of the mapping fills the page table around it,
 * or maps a huge page at once where the memory is large and aligned enough.
 */

#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pfn_t.h>

#include <kunit/visibility.h>

#include "pfn-fault.h"

/**
 * DOC: lazy mappings
 *
 * Pages of a buffer are mapped by frame number (VM_PFNMAP): the mapping owns no
 * reference to them. It does not need one, because it holds the buffer's file,
 * and the buffer its pages.
 *
 * Any number of threads may fault at once. Entries of a page table are written
 * under its lock and only where there are none, and every fault for an address
 * would write the same frame there, so that it does not matter who comes first.
 * A fault that meets a huge entry, or a page table where it wanted to put a
 * huge entry, leaves what it found: the access is repeated, and either succeeds
 * or faults again at the right level.
 */

/*
 * Fill those of @nr entries from @pte on that are still empty. One by one:
 * set_ptes() for several is for pages of one folio.
 */
static void fill_empty(struct vm_fault *vmf, unsigned long addr, pte_t *pte,
		       unsigned long pfn, unsigned long nr)
{
	struct vm_area_struct *vma = vmf->vma;
	pte_t entry;

	for (unsigned long i = 0; i < nr; i++) {
		if (!pte_none(ptep_get(pte + i)))
			continue;

		entry = pte_mkyoung(pfn_pte(pfn + i, vma->vm_page_prot));
		set_pte_at(vma->vm_mm, addr + i * PAGE_SIZE, pte + i,
			   pte_mkspecial(entry));
	}
	update_mmu_cache_range(vmf, vma, addr, pte, nr);
}

static vm_fault_t pfn_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	const struct pfn_source *src = vma->vm_private_data;
	unsigned long addr = max(vmf->address & PMD_MASK, vma->vm_start);
	/* Not pmd_addr_end(), which is the end of the mapping where tables have two levels. */
	unsigned long end = min(vmf->address | ~PMD_MASK, vma->vm_end - 1) + 1;
	vm_fault_t ret = VM_FAULT_SIGBUS;
	struct pfn_run run;
	spinlock_t *ptl;	/* Of the page table. */
	pte_t *first, *pte;

	if (pte_alloc(vma->vm_mm, vmf->pmd))
		return VM_FAULT_OOM;

	first = pte_offset_map_lock(vma->vm_mm, vmf->pmd, addr, &ptl);
	/* Somebody else has put a huge page there meanwhile. */
	if (!first)
		return VM_FAULT_NOPAGE;
	/* For sparse: came with the page table, and goes with it. */
	__acquire(RCU);

	for (pte = first; addr < end; ) {
		pgoff_t pgoff = linear_page_index(vma, addr);
		unsigned long skip, nr;

		if (!src->run_at(src, pgoff, &run))
			break;

		skip = pgoff - run.pgoff;
		nr = min(run.nr - skip, (end - addr) >> PAGE_SHIFT);
		fill_empty(vmf, addr, pte, run.pfn + skip, nr);

		pte += nr;
		addr += nr * PAGE_SIZE;
		if (addr > vmf->address)
			ret = VM_FAULT_NOPAGE;
	}
	pte_unmap_unlock(first, ptl);
	return ret;
}

#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
/* Is all that a huge entry for @addr would map one aligned piece of memory? */
static bool huge_pfn(struct vm_area_struct *vma, unsigned long addr,
		     unsigned long *pfn)
{
	const struct pfn_source *src = vma->vm_private_data;
	struct pfn_run run;
	unsigned long skip;
	pgoff_t pgoff;

	if (addr < vma->vm_start || vma->vm_end - addr < PMD_SIZE)
		return false;

	pgoff = linear_page_index(vma, addr);
	if (!src->run_at(src, pgoff, &run))
		return false;

	skip = pgoff - run.pgoff;
	*pfn = run.pfn + skip;
	return run.nr - skip >= HPAGE_PMD_NR &&
	       IS_ALIGNED(*pfn, HPAGE_PMD_NR);
}

static vm_fault_t pfn_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	unsigned long pfn;

	/* What is there already is left to the level of pages. */
	if (order != PMD_ORDER || !pmd_none(*vmf->pmd) ||
	    !huge_pfn(vmf->vma, vmf->address & PMD_MASK, &pfn))
		return VM_FAULT_FALLBACK;

	/*
	 * Not "for writing": this would complain if another thread has filled
	 * in a page table since. The mapping is writable all the same.
	 */
	return vmf_insert_pfn_pmd(vmf, __pfn_to_pfn_t(pfn, PFN_DEV), false);
}
#endif

static const struct vm_operations_struct pfn_vm_ops = {
	.fault		= pfn_fault,
#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
	.huge_fault	= pfn_huge_fault,
#endif
};

/* A fault costs more than the entry of a page; if this fails there will be one. */
static void map_only_page(const struct pfn_source *src, struct vm_area_struct *vma)
{
	struct pfn_run run;

	if (src->run_at(src, vma->vm_pgoff, &run))
		vmf_insert_pfn(vma, vma->vm_start,
			       run.pfn + (vma->vm_pgoff - run.pgoff));
}

/**
 * pfn_source_mmap() - let an exporter's mmap callback map lazily
 * @src: the buffer; lives as long as the mapping's file
 * @vma: the mapping, which lies inside of the buffer
 *
 * The mapping cannot grow, is not dumped, and cannot be the source or target
 * of I/O that takes references to pages.
 *
 * Context: Process context, with the mmap lock of the process held for writing.
 * Return: 0, or %-EINVAL for a mapping that would have to copy on write.
 */
int pfn_source_mmap(const struct pfn_source *src, struct vm_area_struct *vma)
{
	if (is_cow_mapping(vma->vm_flags))
		return -EINVAL;

	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = (void *)src;
	vma->vm_ops = &pfn_vm_ops;
	if (vma_pages(vma) == 1)
		map_only_page(src, vma);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(pfn_source_mmap);
