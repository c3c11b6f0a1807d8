// SPDX-License-Identifier: GPL-2.0
/*
 * Floors for the mapping of buffers: 64 MiB of the bench device in blocks as large as a huge page,
 * mapped in each of the ways in which a driver can.
 */
#include <linux/mm.h>
#include <linux/pfn_t.h>
#include <linux/slab.h>

#include "bench.h"
#include "bench_run.h"

#define BLOCK_SIZE_BYTES	SZ_2M
#define BLOCK_PAGES		(BLOCK_SIZE_BYTES >> PAGE_SHIFT)
#define BLOCK_ORDER		get_order(BLOCK_SIZE_BYTES)
#define NR_BLOCKS		(DMABUF_BENCH_MAP_SIZE / BLOCK_SIZE_BYTES)

/**
 * struct bench_blocks - the memory
 * @block: the blocks; none before the first mapping
 */
struct bench_blocks {
	struct page *block[NR_BLOCKS];
};

void bench_blocks_free(struct bench_blocks *blocks)
{
	if (!blocks)
		return;
	for (int i = 0; i < NR_BLOCKS; i++)
		if (blocks->block[i])
			__free_pages(blocks->block[i], BLOCK_ORDER);
	kfree(blocks);
}

struct bench_blocks *bench_blocks_create(void)
{
	struct bench_blocks *blocks = kzalloc(sizeof(*blocks), GFP_KERNEL);

	for (int i = 0; blocks && i < NR_BLOCKS; i++) {
		blocks->block[i] = alloc_pages(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN,
					       BLOCK_ORDER);
		if (!blocks->block[i]) {
			bench_blocks_free(blocks);
			return NULL;
		}
	}
	return blocks;
}

/* The block at @addr, and in @start where it is mapped. */
static unsigned long block_at(struct vm_area_struct *vma, unsigned long addr,
			      unsigned long *start)
{
	struct bench_blocks *blocks = vma->vm_private_data;
	unsigned int which = (addr - vma->vm_start) / BLOCK_SIZE_BYTES;

	*start = vma->vm_start + (unsigned long)which * BLOCK_SIZE_BYTES;
	return page_to_pfn(blocks->block[which]);
}

/* All pages of a block, at the first that is touched. */
static vm_fault_t around_fault(struct vm_fault *vmf)
{
	unsigned long start, pfn = block_at(vmf->vma, vmf->address, &start);
	vm_fault_t ret = VM_FAULT_NOPAGE;

	for (unsigned int i = 0; i < BLOCK_PAGES && ret == VM_FAULT_NOPAGE; i++)
		ret = vmf_insert_pfn(vmf->vma, start + i * PAGE_SIZE, pfn + i);
	return ret;
}

static const struct vm_operations_struct around_ops = {
	.fault	= around_fault,
};

#ifdef CONFIG_ARCH_HAS_PTE_SPECIAL
struct apply_arg {
	struct vm_area_struct *vma;
	unsigned long pfn;
};

static int apply_pte(pte_t *pte, unsigned long addr, void *data)
{
	struct apply_arg *arg = data;

	set_pte_at(arg->vma->vm_mm, addr, pte,
		   pte_mkspecial(pfn_pte(arg->pfn++, arg->vma->vm_page_prot)));
	return 0;
}

/* The same with one walk of the page table. */
static vm_fault_t apply_fault(struct vm_fault *vmf)
{
	struct apply_arg arg = { .vma = vmf->vma };
	unsigned long start;

	arg.pfn = block_at(vmf->vma, vmf->address, &start);
	if (apply_to_page_range(vmf->vma->vm_mm, start, BLOCK_SIZE_BYTES, apply_pte, &arg))
		return VM_FAULT_OOM;
	return VM_FAULT_NOPAGE;
}

static const struct vm_operations_struct apply_ops = {
	.fault	= apply_fault,
};

#define APPLY_OPS	(&apply_ops)
#else
#define APPLY_OPS	NULL
#endif

#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
/* A block by one entry. */
static vm_fault_t pmd_fault(struct vm_fault *vmf, unsigned int order)
{
	unsigned long start, pfn = block_at(vmf->vma, vmf->address, &start);

	if (order != PMD_ORDER || !IS_ALIGNED(start, PMD_SIZE))
		return VM_FAULT_FALLBACK;
	return vmf_insert_pfn_pmd(vmf, __pfn_to_pfn_t(pfn, PFN_DEV), false);
}

static const struct vm_operations_struct pmd_ops = {
	.fault		= around_fault,
	.huge_fault	= pmd_fault,
};

#define PMD_OPS		(&pmd_ops)
#else
#define PMD_OPS		NULL
#endif

/* All of it at once, block by block. */
static int remap_all(struct bench_blocks *blocks, struct vm_area_struct *vma)
{
	unsigned long addr = vma->vm_start;
	int ret = 0;

	for (int i = 0; i < NR_BLOCKS && !ret; i++, addr += BLOCK_SIZE_BYTES)
		ret = remap_pfn_range(vma, addr, page_to_pfn(blocks->block[i]),
				      BLOCK_SIZE_BYTES, vma->vm_page_prot);
	return ret;
}

/* Map @blocks in the way that the offset tells. They stay until @vma's file is closed. */
int bench_blocks_mmap(struct bench_blocks *blocks, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct * const by_way[] = {
		[DMABUF_BENCH_MAP_REMAP]	= NULL,
		[DMABUF_BENCH_MAP_PMD]		= PMD_OPS,
		[DMABUF_BENCH_MAP_APPLY]	= APPLY_OPS,
		[DMABUF_BENCH_MAP_INSERT]	= &around_ops,
	};
	unsigned long way = vma->vm_pgoff / (DMABUF_BENCH_MAP_SIZE >> PAGE_SHIFT);

	if (vma->vm_end - vma->vm_start != DMABUF_BENCH_MAP_SIZE || !(vma->vm_flags & VM_SHARED) ||
	    way >= ARRAY_SIZE(by_way))
		return -EINVAL;
	if (way == DMABUF_BENCH_MAP_REMAP)
		return remap_all(blocks, vma);
	if (!by_way[way])
		return -EOPNOTSUPP;
	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = blocks;
	vma->vm_ops = by_way[way];
	return 0;
}
