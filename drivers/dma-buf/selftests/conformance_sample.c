// SPDX-License-Identifier: GPL-2.0
/*
 * The exporter that the conformance suite is tried with. It does all that the
 * contract has, so that no case skips, and can be told to break it in one
 * point, so that each case can be seen to fail.
 *
 * Its DMA addresses are physical addresses that no device uses: it runs where
 * no DMA API exists.
 *
 * Vocabulary:
 *   place    memory that the buffer is or was in; a move makes a new one. It
 *            lives as long as the buffer or a mapping uses it
 */

#include "mock.h"

#if DMABUF_OURS

#include <linux/atomic.h>
#include <linux/cleanup.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/io.h>
#include <linux/iosys-map.h>
#include <linux/kref.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/overflow.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "conformance_sample.h"

/* What may be done wrong, one thing at a time. */
enum bug {
	SEED_NONE,
	SEED_TABLE_OFFSET,	/* a table begins at the second page */
	SEED_TABLE_LENGTH,	/* the last entry is a page too long */
	SEED_TABLE_TAIL,	/* the entry behind the last one is counted */
	SEED_TABLE_SHARED,	/* all attachments get the same table */
	SEED_PFN_OFF_BY_ONE,	/* get_pfn tells of the next page */
	SEED_PFN_ORDER,		/* a block is said to go on in other memory */
	SEED_MAP_UNLOCKS,	/* map drops the lock and takes it again */
	SEED_MAP_LEAKS,		/* map without memory keeps its reference */
	SEED_MAP_NULL,		/* map without memory returns NULL */
	SEED_VMAP_LEAKS,	/* vunmap keeps its reference */
	SEED_VMAP_PINS,
	SEED_MMAP_OFFSET,	/* mmap begins at the first page always */
	SEED_MMAP_STALE,		/* programs keep the old place */
	SEED_MOVE_LOSES_DATA,
	SEED_MOVE_SILENT,	/* importers are not told */
	SEED_MOVE_HASTY,		/* the old place is gone at once */
	SEED_MOVE_PINNED,	/* pins do not count */
	SEED_NOT_ZERO,
	SEED_RELEASE_LEAKS,
	SEED_CPU_RETURNS,	/* begin_cpu_access returns a positive number */
	SEED_EXTRA_CALLBACK,	/* there is an mmap that fails */
	SEED_TRY_LEAKS,		/* try_map makes a table too many */
};

static unsigned int sample_bug;
module_param(sample_bug, uint, 0444);
MODULE_PARM_DESC(sample_bug, "What the sample exporter does wrong, 0 for nothing");

static bool bug(enum bug bug)
{
	return bug == sample_bug;
}

/**
 * struct sample_place - memory that a buffer is or was in
 * @refs: of the buffer and of mappings
 * @nr_pages: entries of @page
 * @page: the memory
 */
struct sample_place {
	struct kref refs;
	unsigned int nr_pages;
	struct page *page[] __counted_by(nr_pages);
};

/**
 * struct sample - a buffer; all of it is protected by its reservation lock
 * @ops: its callbacks
 * @flags: SAMPLE_MOVES and friends
 * @nr_pages: its size
 * @pins: as many reasons to stay
 * @place: where it is now
 * @vmapped: where it was when it was vmapped, or NULL
 * @shared: the table of SEED_TABLE_SHARED
 */
struct sample {
	struct dma_buf_ops ops;
	unsigned int flags;
	unsigned int nr_pages;
	unsigned int pins;
	struct sample_place *place;
	struct sample_place *vmapped;
	struct sample_table *shared;
};

/* A table that an importer has. */
struct sample_table {
	struct sg_table sgt;
	struct sample_place *place;
	unsigned int users;
};

/* How many places and tables there are. */
static atomic_long_t live = ATOMIC_LONG_INIT(0);

static void place_free(struct sample_place *place)
{
	unsigned int i;

	for (i = 0; i < place->nr_pages; i++) {
		if (place->page[i])
			__free_page(place->page[i]);
	}
	kfree(place);
	atomic_long_dec(&live);
}

static void place_release(struct kref *refs)
{
	place_free(container_of(refs, struct sample_place, refs));
}

static void place_put(struct sample_place *place)
{
	if (place)
		kref_put(&place->refs, place_release);
}

DEFINE_FREE(place_put, struct sample_place *, place_put(_T))

/*
 * Two pages that follow each other. The next ones are free, so that no other two
 * of the buffer follow them, and one can tell a block from a larger one.
 */
static bool alloc_two(struct page **page)
{
	struct page *block = alloc_pages(GFP_KERNEL | __GFP_ZERO, 2);
	unsigned int i;

	if (!block)
		return false;
	if (bug(SEED_NOT_ZERO))
		memset(page_address(block), 0x5a, PAGE_SIZE);
	split_page(block, 2);
	for (i = 0; i < 2; i++) {
		page[i] = block + i;
		__free_page(block + 2 + i);
	}
	return true;
}

static struct sample_place *place_alloc(unsigned int nr_pages)
{
	struct sample_place *place = kzalloc(struct_size(place, page, nr_pages), GFP_KERNEL);
	unsigned int i;

	if (!place)
		return NULL;
	atomic_long_inc(&live);
	kref_init(&place->refs);
	place->nr_pages = nr_pages;
	for (i = 0; i < nr_pages; i += 2) {
		if (!alloc_two(&place->page[i])) {
			place_free(place);
			return NULL;
		}
	}
	return place;
}

static struct sample *to_sample(struct dma_buf *dmabuf)
{
	return dmabuf->priv;
}

/* ---- devices -------------------------------------------------------------- */

static int sample_pin(struct dma_buf_attachment *attach)
{
	to_sample(attach->dmabuf)->pins++;
	return 0;
}

static void sample_unpin(struct dma_buf_attachment *attach)
{
	to_sample(attach->dmabuf)->pins--;
}

static void table_fill(struct sample *sample, struct sample_table *table)
{
	unsigned int skew = bug(SEED_TABLE_OFFSET);
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(&table->sgt, sg, i) {
		unsigned int nr = (i + skew) % sample->nr_pages;
		struct page *page = table->place->page[nr];

		sg_set_page(sg, sample->flags & SAMPLE_NO_PAGE ? NULL : page, PAGE_SIZE, 0);
		sg_dma_address(sg) = page_to_phys(page);
		sg_dma_len(sg) = PAGE_SIZE;
		if (bug(SEED_TABLE_LENGTH) && i == sample->nr_pages - 1)
			sg_dma_len(sg) = 2 * PAGE_SIZE;
		if (i == sample->nr_pages)
			sg_dma_len(sg) = 0;
	}
}

static void table_free(struct sample_table *table)
{
	place_put(table->place);
	sg_free_table(&table->sgt);
	kfree(table);
	atomic_long_dec(&live);
}

static struct sample_table *table_alloc(struct sample *sample, gfp_t gfp)
{
	struct sample_table *table = kzalloc(sizeof(*table), gfp);
	unsigned int nr = sample->nr_pages + bug(SEED_TABLE_TAIL);

	if (!table)
		return NULL;
	if (sg_alloc_table(&table->sgt, nr, gfp)) {
		kfree(table);
		if (bug(SEED_MAP_LEAKS))
			kref_get(&sample->place->refs);
		return NULL;
	}
	atomic_long_inc(&live);
	kref_get(&sample->place->refs);
	table->place = sample->place;
	table->users = 1;
	table_fill(sample, table);
	return table;
}

static struct sg_table *map_with(struct dma_buf_attachment *attach, gfp_t gfp)
{
	struct sample *sample = to_sample(attach->dmabuf);
	struct sample_table *table;

	if (bug(SEED_TABLE_SHARED) && sample->shared) {
		sample->shared->users++;
		return &sample->shared->sgt;
	}
	table = table_alloc(sample, gfp);
	if (!table)
		return bug(SEED_MAP_NULL) ? NULL : ERR_PTR(-ENOMEM);
	sample->shared = table;
	return &table->sgt;
}

static struct sg_table *sample_map(struct dma_buf_attachment *attach,
				   enum dma_data_direction dir)
{
	if (bug(SEED_MAP_UNLOCKS)) {
		dma_resv_unlock(attach->dmabuf->resv);
		dma_resv_lock(attach->dmabuf->resv, NULL);
	}
	return map_with(attach, GFP_KERNEL);
}

static void sample_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			 enum dma_data_direction dir)
{
	struct sample_table *table = container_of(sgt, struct sample_table, sgt);
	struct sample *sample = to_sample(attach->dmabuf);

	if (--table->users)
		return;
	if (sample->shared == table)
		sample->shared = NULL;
	table_free(table);
}

static struct sg_table *sample_try_map(struct dma_buf_attachment *attach,
				       enum dma_data_direction dir)
{
	if (bug(SEED_TRY_LEAKS))
		table_alloc(to_sample(attach->dmabuf), GFP_NOWAIT);
	return map_with(attach, GFP_NOWAIT | __GFP_NOWARN);
}

static int sample_get_pfn(struct dma_buf_attachment *attach, pgoff_t pgoff, u64 *pfn,
			  unsigned int *max_order)
{
	struct sample *sample = to_sample(attach->dmabuf);
	struct sample_place *place = sample->place;
	u64 first = page_to_pfn(place->page[pgoff]);
	unsigned int nr = 1;

	while (pgoff + nr < place->nr_pages &&
	       page_to_pfn(place->page[pgoff + nr]) == first + nr)
		nr++;
	*pfn = first;
	if (bug(SEED_PFN_OFF_BY_ONE))
		*pfn = page_to_pfn(place->page[(pgoff + 1) % place->nr_pages]);
	*max_order = bug(SEED_PFN_ORDER) ? MAX_PAGE_ORDER : ilog2(nr);
	return 0;
}

/* ---- the CPU -------------------------------------------------------------- */

static int sample_begin_cpu(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return bug(SEED_CPU_RETURNS);
}

static int sample_end_cpu(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return 0;
}

static int sample_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct sample *sample = to_sample(dmabuf);
	struct sample_place *place = sample->place;
	void *vaddr = vmap(place->page, place->nr_pages, VM_MAP, PAGE_KERNEL);

	if (!vaddr)
		return -ENOMEM;
	kref_get(&place->refs);
	sample->vmapped = place;
	sample->pins += bug(SEED_VMAP_PINS);
	iosys_map_set_vaddr(map, vaddr);
	return 0;
}

static void sample_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct sample *sample = to_sample(dmabuf);

	vunmap(map->vaddr);
	sample->pins -= bug(SEED_VMAP_PINS);
	if (!bug(SEED_VMAP_LEAKS))
		place_put(sample->vmapped);
	sample->vmapped = NULL;
}

/* The page that is at this offset now; it lives on while a program has it mapped. */
static vm_fault_t sample_fault(struct vm_fault *vmf)
{
	struct dma_buf *dmabuf = vmf->vma->vm_private_data;
	struct sample *sample = to_sample(dmabuf);
	pgoff_t pgoff = vmf->pgoff;

	if (bug(SEED_MMAP_OFFSET))
		pgoff -= vmf->vma->vm_pgoff;
	dma_resv_lock(dmabuf->resv, NULL);
	vmf->page = sample->place->page[pgoff];
	get_page(vmf->page);
	dma_resv_unlock(dmabuf->resv);
	return 0;
}

static const struct vm_operations_struct sample_vm_ops = {
	.fault = sample_fault,
};

static int sample_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_DONTEXPAND);
	vma->vm_ops = &sample_vm_ops;
	vma->vm_private_data = dmabuf;
	return bug(SEED_EXTRA_CALLBACK) ? -ENODEV : 0;
}

/* ---- life ---------------------------------------------------------------------- */

static void place_copy(struct sample_place *to, struct sample_place *from)
{
	unsigned int i;

	for (i = 0; i < to->nr_pages; i++)
		copy_highpage(to->page[i], from->page[i]);
}

/**
 * sample_move() - put the buffer somewhere else
 * @dmabuf: of sample_export(), with %SAMPLE_MOVES
 *
 * Context: Process context. The caller holds &dma_buf.resv.
 * Return: 0, or %-EBUSY if it is pinned, %-ENOMEM if there is no other place.
 */
int sample_move(struct dma_buf *dmabuf)
{
	struct sample *sample = to_sample(dmabuf);
	struct sample_place *old = sample->place, *new;

	if (sample->pins && !bug(SEED_MOVE_PINNED))
		return -EBUSY;
	new = place_alloc(sample->nr_pages);
	if (!new)
		return -ENOMEM;
	if (!bug(SEED_MOVE_SILENT))
		dma_buf_move_notify(dmabuf);
	if (!bug(SEED_MMAP_STALE))
		unmap_mapping_range(dmabuf->file->f_mapping, 0, 0, 1);
	if (!bug(SEED_MOVE_LOSES_DATA))
		place_copy(new, old);
	sample->place = new;
	if (bug(SEED_MOVE_HASTY))
		memset(page_address(old->page[0]), 0x6b, PAGE_SIZE);
	place_put(old);
	return 0;
}

static void sample_release(struct dma_buf *dmabuf)
{
	struct sample *sample = to_sample(dmabuf);

	if (!bug(SEED_RELEASE_LEAKS))
		place_put(sample->place);
	kfree(sample);
}

static void sample_fill_ops(struct dma_buf_ops *ops, unsigned int flags)
{
	*ops = (struct dma_buf_ops) {
		.get_pfn = flags & SAMPLE_NO_PAGE ? NULL : sample_get_pfn,
		.begin_cpu_access = sample_begin_cpu,
		.end_cpu_access = sample_end_cpu,
		.vmap = sample_vmap,
		.vunmap = sample_vunmap,
		.mmap = sample_mmap,
		.release = sample_release,
	};
	if (!(flags & SAMPLE_NO_MAP)) {
		ops->map_dma_buf = sample_map;
		ops->unmap_dma_buf = sample_unmap;
		ops->try_map_dma_buf = sample_try_map;
	}
	if (flags & SAMPLE_MOVES) {
		ops->pin = sample_pin;
		ops->unpin = sample_unpin;
	}
	if (flags & SAMPLE_NO_PAGE && !bug(SEED_EXTRA_CALLBACK))
		ops->mmap = NULL;
}

/**
 * sample_export() - a buffer that keeps the contract
 * @size: in bytes, a multiple of two pages
 * @flags: SAMPLE_MOVES and friends
 *
 * Context: Process context.
 * Return: the buffer with a reference, or an ERR_PTR(): %-ENOMEM or what
 * dma_buf_export() returns.
 */
struct dma_buf *sample_export(size_t size, unsigned int flags)
{
	struct sample *sample __free(kfree) = kzalloc(sizeof(*sample), GFP_KERNEL);
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	if (!sample)
		return ERR_PTR(-ENOMEM);
	struct sample_place *place __free(place_put) = place_alloc(size >> PAGE_SHIFT);
	if (!place)
		return ERR_PTR(-ENOMEM);

	sample->flags = flags;
	sample->nr_pages = size >> PAGE_SHIFT;
	sample->place = place;
	sample_fill_ops(&sample->ops, flags);
	info.ops = &sample->ops;
	info.size = size;
	info.flags = O_RDWR | O_CLOEXEC;
	info.priv = sample;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		return dmabuf;
	/* Dropped by sample_release(). */
	retain_and_null_ptr(place);
	retain_and_null_ptr(sample);
	return dmabuf;
}

/* Where the CPU finds a DMA address of ours. */
void *sample_cpu_address(struct dma_buf *dmabuf, dma_addr_t addr)
{
	return phys_to_virt(addr);
}

/* How many places and tables there are. */
long sample_live(struct kunit *test)
{
	return atomic_long_read(&live);
}

#endif /* DMABUF_OURS */
