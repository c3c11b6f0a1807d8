// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exporter of buffers made of pages, whichever heap the pages come from:
 * device mappings, CPU access, lazy mmap, kernel mappings, release.
 *
 * Lock order: &dma_buf.resv, then &heap_buffer.lock; idle_lock is innermost.
 * Nothing is allocated under &heap_buffer.lock.
 */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/highmem.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/overflow.h>
#include <linux/pfn_t.h>
#include <linux/scatterlist.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>

#include <kunit/visibility.h>

#include "../pfn-fault.h"
#include "heap-buffer.h"

/**
 * DOC: memory of a heap's buffer
 *
 * *Chunks.* A buffer is a list of chunks, each of them contiguous memory that the
 * heap allocated in one go and gets back in one go. The list is complete before
 * the buffer is exported and does not change any more, so it is read without a
 * lock.
 *
 * *Devices.* An attachment costs nothing until it is mapped; then it gets a table
 * with an entry for each chunk, and keeps it until it is detached.
 *
 * *mmap* maps nothing: the first access to a page fills the page table around it
 * (see "lazy mappings"). A private mapping shows the buffer, too, until a page
 * is written; from then on the process has its own copy of that page.
 *
 * *vmap.* Where the buffer is one chunk that the kernel can address anyway, that
 * is the address. Otherwise the kernel mapping stays when the last user is gone,
 * because the next is often near: it is *idle* then, on a list of such mappings,
 * oldest first, from which a shrinker takes them, and whoever runs out of address
 * space. The buffer takes it back, or drops it when the buffer ends.
 *
 * *CPU access* makes visible to the CPU what devices wrote, at its begin, and to
 * the devices what the CPU wrote, at its end, for every mapping that exists at
 * that time.
 */

/**
 * struct heap_chunk - contiguous memory
 * @page: its first page
 * @pgoff: where in the buffer it is, in pages; it ends where the next begins
 */
struct heap_chunk {
	struct page *page;
	pgoff_t pgoff;
};

/**
 * struct heap_buffer - memory of one buffer
 * @source: answers page faults
 * @free: where the chunks go
 * @priv: for @free
 * @chunks: sorted by offset; @only unless there are more
 * @only: room for one chunk, which is all that most buffers have
 * @nr_chunks: how many there are
 * @max_chunks: for how many there is room
 * @nr_pages: sum over all chunks
 * @lock: protects @mapped and @vmapped
 * @mapped: each &struct heap_mapping that a device uses
 * @vmapped: address of the kernel mapping while somebody uses it
 * @vaddr: address of the kernel mapping, or NULL
 * @idle: on the list of idle kernel mappings, or empty
 *
 * Invariants: a chunk's @pgoff is the sum of the sizes before it. @idle is not
 * empty only while @vaddr is set and @vmapped is not. @vaddr and @idle change
 * under idle_lock while the mapping is idle, and under the reservation lock
 * while it is in use or there is none.
 */
struct heap_buffer {
	struct pfn_source source;
	heap_free_t free;
	void *priv;
	struct heap_chunk *chunks;
	struct heap_chunk only;
	unsigned int nr_chunks;
	unsigned int max_chunks;
	unsigned long nr_pages;
	struct mutex lock;	/* @mapped, @vmapped */
	struct list_head mapped;
	void *vmapped;
	void *vaddr;
	struct list_head idle;
};

/**
 * struct heap_mapping - a buffer as one device sees it
 * @sgt: an entry for each chunk
 * @dev: the device
 * @dir: what it was mapped for; DMA_NONE while it is not mapped
 * @node: on &heap_buffer.mapped
 *
 * The reservation lock protects @sgt and @dir, which only a mapping in use has.
 */
struct heap_mapping {
	struct sg_table sgt;
	struct device *dev;
	enum dma_data_direction dir;
	struct list_head node;
};

/* --- Chunks ------------------------------------------------------------- */

static unsigned long chunk_pages(const struct heap_buffer *buf, unsigned int i)
{
	pgoff_t end = i + 1 < buf->nr_chunks ? buf->chunks[i + 1].pgoff :
					       buf->nr_pages;

	return end - buf->chunks[i].pgoff;
}

/* Index of the chunk that contains @pgoff, which lies inside the buffer. */
static unsigned int chunk_at(const struct heap_buffer *buf, pgoff_t pgoff)
{
	unsigned int low = 0, high = buf->nr_chunks;

	while (high - low > 1) {
		unsigned int middle = low + (high - low) / 2;

		if (buf->chunks[middle].pgoff <= pgoff)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static bool heap_run_at(const struct pfn_source *source, pgoff_t pgoff,
			struct pfn_run *run)
{
	const struct heap_buffer *buf =
		container_of_const(source, struct heap_buffer, source);
	unsigned int i;

	if (pgoff >= buf->nr_pages)
		return false;

	i = chunk_at(buf, pgoff);
	run->pfn = page_to_pfn(buf->chunks[i].page);
	run->pgoff = buf->chunks[i].pgoff;
	run->nr = chunk_pages(buf, i);
	return true;
}

/* Make room for twice as many chunks. */
static int chunks_grow(struct heap_buffer *buf)
{
	unsigned int max = max(8, 2 * buf->max_chunks);
	struct heap_chunk *chunks;

	chunks = kvmalloc_array(max, sizeof(*chunks), GFP_KERNEL |
				__GFP_RETRY_MAYFAIL | __GFP_NOWARN);
	if (!chunks)
		return -ENOMEM;

	memcpy(chunks, buf->chunks, buf->nr_chunks * sizeof(*chunks));
	if (buf->chunks != &buf->only)
		kvfree(buf->chunks);
	buf->chunks = chunks;
	buf->max_chunks = max;
	return 0;
}

/**
 * heap_buffer_alloc() - begin a buffer
 * @free: gets the chunks when the buffer ends
 * @priv: for @free
 *
 * Context: Process context, may sleep.
 * Return: a buffer without memory, which heap_buffer_export() or
 * heap_buffer_free() takes, or NULL if there is no memory.
 */
struct heap_buffer *heap_buffer_alloc(heap_free_t free, void *priv)
{
	struct heap_buffer *buf = kzalloc(sizeof(*buf), GFP_KERNEL);

	if (!buf)
		return NULL;

	buf->source.run_at = heap_run_at;
	buf->free = free;
	buf->priv = priv;
	buf->chunks = &buf->only;
	buf->max_chunks = 1;
	mutex_init(&buf->lock);
	INIT_LIST_HEAD(&buf->mapped);
	INIT_LIST_HEAD(&buf->idle);
	return buf;
}
EXPORT_SYMBOL_IF_KUNIT(heap_buffer_alloc);

/**
 * heap_buffer_add() - append memory to a buffer that is not exported yet
 * @buf: the buffer
 * @page: first page of the chunk, which is zero everywhere
 * @nr_pages: how many pages it has
 *
 * For mappings with huge pages add chunks in order of their size, the largest
 * first.
 *
 * Context: Process context, may sleep.
 * Return: 0, and the buffer has taken the chunk over, or %-ENOMEM and it has not.
 */
int heap_buffer_add(struct heap_buffer *buf, struct page *page,
		    unsigned long nr_pages)
{
	int ret;

	if (buf->nr_chunks == buf->max_chunks) {
		ret = chunks_grow(buf);
		if (ret)
			return ret;
	}

	buf->chunks[buf->nr_chunks].page = page;
	buf->chunks[buf->nr_chunks].pgoff = buf->nr_pages;
	buf->nr_chunks++;
	buf->nr_pages += nr_pages;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(heap_buffer_add);

/**
 * heap_buffer_free() - end a buffer that is not exported
 * @buf: the buffer, whose chunks go back to the heap; may be NULL
 *
 * Context: Process context, may sleep.
 */
void heap_buffer_free(struct heap_buffer *buf)
{
	if (!buf)
		return;

	for (unsigned int i = 0; i < buf->nr_chunks; i++) {
		buf->free(buf->priv, buf->chunks[i].page, chunk_pages(buf, i));
		cond_resched();
	}

	if (buf->chunks != &buf->only)
		kvfree(buf->chunks);
	mutex_destroy(&buf->lock);
	kfree(buf);
}
EXPORT_SYMBOL_IF_KUNIT(heap_buffer_free);

/* --- Devices ------------------------------------------------------------ */

/* The length of an entry has 32 bits. */
#define MAX_ENTRY_PAGES	(SZ_2G >> PAGE_SHIFT)

static unsigned int nr_entries(const struct heap_buffer *buf)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < buf->nr_chunks; i++)
		n += DIV_ROUND_UP(chunk_pages(buf, i), MAX_ENTRY_PAGES);
	return n;
}

static int table_fill(const struct heap_buffer *buf, struct sg_table *sgt,
		      gfp_t gfp)
{
	struct scatterlist *sg;
	int ret;

	ret = sg_alloc_table(sgt, nr_entries(buf), gfp);
	if (ret)
		return ret;

	sg = sgt->sgl;
	for (unsigned int i = 0; i < buf->nr_chunks; i++) {
		struct page *page = buf->chunks[i].page;
		unsigned long left = chunk_pages(buf, i);

		while (left) {
			unsigned long nr = min(left, MAX_ENTRY_PAGES);

			sg_set_page(sg, page, nr << PAGE_SHIFT, 0);
			sg = sg_next(sg);
			page = nth_page(page, nr);
			left -= nr;
		}
	}
	return 0;
}

static int heap_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct heap_mapping *mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);

	if (!mapping)
		return -ENOMEM;

	mapping->dev = attach->dev;
	mapping->dir = DMA_NONE;
	attach->priv = mapping;
	return 0;
}

static void heap_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct heap_mapping *mapping = attach->priv;

	sg_free_table(&mapping->sgt);
	kfree(mapping);
}

/* The attachment's own mapping, or a further one if that is in use. */
static struct heap_mapping *mapping_claim(struct dma_buf_attachment *attach,
					  gfp_t gfp)
{
	struct heap_mapping *own = attach->priv, *further;

	if (own->dir == DMA_NONE)
		return own;

	further = kzalloc(sizeof(*further), gfp);
	if (further) {
		further->dev = own->dev;
		further->dir = DMA_NONE;
	}
	return further;
}

static void mapping_release(struct dma_buf_attachment *attach,
			    struct heap_mapping *mapping)
{
	mapping->dir = DMA_NONE;
	if (mapping != attach->priv) {
		sg_free_table(&mapping->sgt);
		kfree(mapping);
	}
}

/* Take &heap_buffer.lock, if need be and @gfp allows it by waiting. */
static bool buffer_lock(struct heap_buffer *buf, gfp_t gfp)
{
	if (!gfpflags_allow_blocking(gfp))
		return mutex_trylock(&buf->lock);

	mutex_lock(&buf->lock);
	return true;
}

/* Waits for memory and for the buffer's lock if @gfp allows it, or is -EBUSY. */
static struct sg_table *map_for_device(struct dma_buf_attachment *attach,
				       enum dma_data_direction direction,
				       gfp_t gfp)
{
	struct heap_buffer *buf = attach->dmabuf->priv;
	struct heap_mapping *mapping;
	int ret = 0;

	dma_resv_assert_held(attach->dmabuf->resv);

	mapping = mapping_claim(attach, gfp);
	if (!mapping)
		return ERR_PTR(-ENOMEM);

	if (!mapping->sgt.sgl)
		ret = table_fill(buf, &mapping->sgt, gfp);
	if (!ret)
		ret = dma_map_sgtable(mapping->dev, &mapping->sgt, direction, 0);
	if (ret) {
		mapping_release(attach, mapping);
		return ERR_PTR(ret);
	}

	if (!buffer_lock(buf, gfp)) {
		/* No device has written; what the CPU has must not be lost. */
		dma_unmap_sgtable(mapping->dev, &mapping->sgt, direction,
				  DMA_ATTR_SKIP_CPU_SYNC);
		mapping_release(attach, mapping);
		return ERR_PTR(-EBUSY);
	}
	mapping->dir = direction;
	list_add(&mapping->node, &buf->mapped);
	mutex_unlock(&buf->lock);
	return &mapping->sgt;
}

static struct sg_table *heap_map_dma_buf(struct dma_buf_attachment *attach,
					 enum dma_data_direction direction)
{
	return map_for_device(attach, direction, GFP_KERNEL);
}

static struct sg_table *heap_try_map_dma_buf(struct dma_buf_attachment *attach,
					     enum dma_data_direction direction)
{
	return map_for_device(attach, direction, GFP_NOWAIT | __GFP_NOWARN);
}

static void heap_unmap_dma_buf(struct dma_buf_attachment *attach,
			       struct sg_table *sgt,
			       enum dma_data_direction direction)
{
	struct heap_mapping *mapping = container_of(sgt, struct heap_mapping, sgt);
	struct heap_buffer *buf = attach->dmabuf->priv;

	dma_resv_assert_held(attach->dmabuf->resv);

	scoped_guard(mutex, &buf->lock)
		list_del(&mapping->node);

	dma_unmap_sgtable(mapping->dev, sgt, mapping->dir, 0);
	mapping_release(attach, mapping);
}

static int heap_get_pfn(struct dma_buf_attachment *attach, pgoff_t pgoff,
			u64 *pfn, unsigned int *max_order)
{
	struct heap_buffer *buf = attach->dmabuf->priv;
	struct pfn_run run;

	if (!heap_run_at(&buf->source, pgoff, &run))
		return -EINVAL;

	*pfn = run.pfn + (pgoff - run.pgoff);
	*max_order = ilog2(run.nr - (pgoff - run.pgoff));
	if (*pfn | pgoff)
		*max_order = min(*max_order, __ffs64(*pfn | pgoff));
	return 0;
}

/* --- CPU access --------------------------------------------------------- */

/*
 * A mapping must not be synchronised for what it was not mapped for; one for
 * both directions only needs what the CPU is about to do.
 */
static enum dma_data_direction
sync_direction(const struct heap_mapping *mapping, enum dma_data_direction access)
{
	return mapping->dir == DMA_BIDIRECTIONAL ? access : mapping->dir;
}

static int heap_begin_cpu_access(struct dma_buf *dmabuf,
				 enum dma_data_direction direction)
{
	struct heap_buffer *buf = dmabuf->priv;
	struct heap_mapping *mapping;

	guard(mutex)(&buf->lock);

	if (buf->vmapped)
		invalidate_kernel_vmap_range(buf->vmapped, dmabuf->size);
	list_for_each_entry(mapping, &buf->mapped, node)
		dma_sync_sgtable_for_cpu(mapping->dev, &mapping->sgt,
					 sync_direction(mapping, direction));
	return 0;
}

static int heap_end_cpu_access(struct dma_buf *dmabuf,
			       enum dma_data_direction direction)
{
	struct heap_buffer *buf = dmabuf->priv;
	struct heap_mapping *mapping;

	guard(mutex)(&buf->lock);

	if (buf->vmapped)
		flush_kernel_vmap_range(buf->vmapped, dmabuf->size);
	list_for_each_entry(mapping, &buf->mapped, node)
		dma_sync_sgtable_for_device(mapping->dev, &mapping->sgt,
					    sync_direction(mapping, direction));
	return 0;
}

/* --- mmap --------------------------------------------------------------- */

/*
 * Show the buffer's page, write-protected as everything in a private mapping:
 * writing to it makes the copy. The entry owns no reference to the page.
 */
static vm_fault_t heap_private_fault(struct vm_fault *vmf)
{
	struct heap_buffer *buf = vmf->vma->vm_private_data;
	struct pfn_run run;
	unsigned long pfn;

	if (!heap_run_at(&buf->source, vmf->pgoff, &run))
		return VM_FAULT_SIGBUS;

	pfn = run.pfn + (vmf->pgoff - run.pgoff);
	return vmf_insert_mixed(vmf->vma, vmf->address,
				__pfn_to_pfn_t(pfn, PFN_DEV));
}

static const struct vm_operations_struct heap_private_vm_ops = {
	.fault	= heap_private_fault,
};

static int heap_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct heap_buffer *buf = dmabuf->priv;

	if (!is_cow_mapping(vma->vm_flags))
		return pfn_source_mmap(&buf->source, vma);

	/* Entries without a reference cannot be told from copies. */
	if (!IS_ENABLED(CONFIG_ARCH_HAS_PTE_SPECIAL))
		return -EINVAL;

	vm_flags_set(vma, VM_MIXEDMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = buf;
	vma->vm_ops = &heap_private_vm_ops;
	return 0;
}

/* --- Kernel mappings ---------------------------------------------------- */

static DEFINE_SPINLOCK(idle_lock);
/* Buffers with an idle kernel mapping, the longest idle first. */
static LIST_HEAD(idle_vmaps);
static unsigned long nr_idle_vmaps;

static void vmap_set_idle(struct heap_buffer *buf)
{
	spin_lock(&idle_lock);
	list_add_tail(&buf->idle, &idle_vmaps);
	nr_idle_vmaps++;
	spin_unlock(&idle_lock);
}

/* Nobody else can take the mapping away any more. Its address, if there is one. */
static void *vmap_claim(struct heap_buffer *buf)
{
	void *vaddr;

	spin_lock(&idle_lock);
	if (!list_empty(&buf->idle)) {
		list_del_init(&buf->idle);
		nr_idle_vmaps--;
	}
	vaddr = buf->vaddr;
	spin_unlock(&idle_lock);
	return vaddr;
}

/* Take the mapping that has been idle longest away from its buffer. */
static void *vmap_steal(void)
{
	struct heap_buffer *buf;
	void *vaddr = NULL;

	spin_lock(&idle_lock);
	buf = list_first_entry_or_null(&idle_vmaps, struct heap_buffer, idle);
	if (buf) {
		list_del_init(&buf->idle);
		nr_idle_vmaps--;
		vaddr = buf->vaddr;
		/* The last access: pairs with heap_buffer_release(). */
		smp_store_release(&buf->vaddr, NULL);
	}
	spin_unlock(&idle_lock);
	return vaddr;
}

/**
 * heap_buffer_drop_idle_vmaps() - unmap what nobody uses
 * @max: at most so many mappings, the longest idle first
 *
 * Context: Process context, may sleep; may be called by reclaim. Takes no lock
 * that memory is allocated under.
 * Return: how many there were.
 */
VISIBLE_IF_KUNIT unsigned long heap_buffer_drop_idle_vmaps(unsigned long max)
{
	unsigned long n;
	void *vaddr;

	for (n = 0; n < max; n++) {
		vaddr = vmap_steal();
		if (!vaddr)
			break;
		vunmap(vaddr);
		cond_resched();
	}
	return n;
}
EXPORT_SYMBOL_IF_KUNIT(heap_buffer_drop_idle_vmaps);

/* The kernel has an address for all of the buffer anyway. */
static bool has_kernel_address(const struct heap_buffer *buf)
{
	return buf->nr_chunks == 1 && !PageHighMem(buf->only.page);
}

static void *vmap_create(const struct heap_buffer *buf)
{
	struct page **pages;
	void *vaddr;

	pages = kvmalloc_array(buf->nr_pages, sizeof(*pages),
			       GFP_KERNEL | __GFP_NOWARN);
	if (!pages)
		return NULL;

	for (unsigned int i = 0; i < buf->nr_chunks; i++) {
		struct page **first = pages + buf->chunks[i].pgoff;

		for (unsigned long p = 0; p < chunk_pages(buf, i); p++)
			first[p] = nth_page(buf->chunks[i].page, p);
	}

	vaddr = vmap(pages, buf->nr_pages, VM_MAP, PAGE_KERNEL);
	kvfree(pages);
	return vaddr;
}

static int heap_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct heap_buffer *buf = dmabuf->priv;
	void *vaddr;

	dma_resv_assert_held(dmabuf->resv);

	if (has_kernel_address(buf)) {
		iosys_map_set_vaddr(map, page_address(buf->only.page));
		return 0;
	}

	vaddr = vmap_claim(buf);
	if (vaddr) {
		/* What the caches kept of the time before. */
		invalidate_kernel_vmap_range(vaddr, dmabuf->size);
	} else {
		vaddr = vmap_create(buf);
		if (!vaddr)
			return -ENOMEM;
		buf->vaddr = vaddr;
	}

	scoped_guard(mutex, &buf->lock)
		buf->vmapped = vaddr;
	iosys_map_set_vaddr(map, vaddr);
	return 0;
}

static void heap_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct heap_buffer *buf = dmabuf->priv;

	dma_resv_assert_held(dmabuf->resv);

	if (has_kernel_address(buf))
		return;

	flush_kernel_vmap_range(buf->vaddr, dmabuf->size);
	scoped_guard(mutex, &buf->lock)
		buf->vmapped = NULL;
	vmap_set_idle(buf);
}

static unsigned long idle_vmaps_count(struct shrinker *shrinker,
				      struct shrink_control *sc)
{
	return READ_ONCE(nr_idle_vmaps) ?: SHRINK_EMPTY;
}

static unsigned long idle_vmaps_scan(struct shrinker *shrinker,
				     struct shrink_control *sc)
{
	return heap_buffer_drop_idle_vmaps(sc->nr_to_scan) ?: SHRINK_STOP;
}

/* Somebody finds no address for a mapping of their own. */
static int idle_vmaps_purge(struct notifier_block *nb, unsigned long event,
			    void *freed)
{
	*(unsigned long *)freed += heap_buffer_drop_idle_vmaps(ULONG_MAX);
	return NOTIFY_OK;
}

static struct notifier_block idle_vmaps_notifier = {
	.notifier_call = idle_vmaps_purge,
};

/* --- Life --------------------------------------------------------------- */

static void heap_buffer_release(struct dma_buf *dmabuf)
{
	struct heap_buffer *buf = dmabuf->priv;
	void *vaddr = NULL;

	/*
	 * A buffer without a mapping is in no list, and this CPU shares no lock
	 * with others. Pairs with vmap_steal(), which may have been at it.
	 */
	if (smp_load_acquire(&buf->vaddr))
		vaddr = vmap_claim(buf);
	if (vaddr)
		vunmap(vaddr);
	heap_buffer_free(buf);
}

static const struct dma_buf_ops heap_buffer_ops = {
	.attach			= heap_attach,
	.detach			= heap_detach,
	.map_dma_buf		= heap_map_dma_buf,
	.try_map_dma_buf	= heap_try_map_dma_buf,
	.unmap_dma_buf		= heap_unmap_dma_buf,
	.get_pfn		= heap_get_pfn,
	.begin_cpu_access	= heap_begin_cpu_access,
	.end_cpu_access		= heap_end_cpu_access,
	.mmap			= heap_mmap,
	.vmap			= heap_vmap,
	.vunmap			= heap_vunmap,
	.release		= heap_buffer_release,
};

/**
 * heap_buffer_export() - make a buffer that has its memory a dma-buf
 * @buf: the buffer
 * @exp_name: name of the heap, outlives the buffer
 * @fd_flags: for the file
 *
 * Context: Process context, may sleep.
 * Return: the dma-buf with a reference, which owns @buf from then on; or an
 * ERR_PTR() as dma_buf_export(), and @buf has ended.
 */
struct dma_buf *heap_buffer_export(struct heap_buffer *buf,
				   const char *exp_name, u32 fd_flags)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.exp_name = exp_name;
	info.ops = &heap_buffer_ops;
	info.size = buf->nr_pages << PAGE_SHIFT;
	info.flags = fd_flags;
	info.priv = buf;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		heap_buffer_free(buf);
	return dmabuf;
}
EXPORT_SYMBOL_IF_KUNIT(heap_buffer_export);

static int __init heap_buffer_init(void)
{
	struct shrinker *shrinker = shrinker_alloc(0, "dma-heap-vmap");

	if (!shrinker)
		return -ENOMEM;

	shrinker->count_objects = idle_vmaps_count;
	shrinker->scan_objects = idle_vmaps_scan;
	shrinker_register(shrinker);
	return register_vmap_purge_notifier(&idle_vmaps_notifier);
}
subsys_initcall(heap_buffer_init);
