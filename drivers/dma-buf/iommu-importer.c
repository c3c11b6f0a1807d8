// SPDX-License-Identifier: GPL-2.0-only
/*
 * An importer that asks for page frames: puts buffers into the page table of
 * an IOMMU, at addresses that its caller chooses, and follows them when they
 * move. The device behind the IOMMU is somebody else's (iommu-edu.c).
 *
 * Lock order: &iova_space.lock, then &dma_buf.resv of one buffer, then what the
 * driver of the IOMMU has. Nothing here takes the first with the second held:
 * an exporter that moves a buffer calls with its reservation locked, and the
 * mapping knows all that is needed then.
 *
 * The page table is changed and read with the reservation lock of the buffer
 * held whose mapping it is. So the accesses to one range come one after the
 * other, and those to different ranges may meet, which IOMMUs allow.
 *
 * Who waits for whom: with the reservation locked somebody waits for a job that
 * the device has started (mapping_unmap()), or for what the kernel does with
 * the memory (DMA_RESV_USAGE_KERNEL). Neither needs a lock of ours or the help
 * of a program, so both end. Fences that a program may hold back are waited
 * for by the driver of the device, without any lock.
 */

#include <linux/cleanup.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/iommu.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include <kunit/visibility.h>

#include "iommu-importer.h"
#include "selftests/dmabuf_iommu.h"

/**
 * DOC: life of a mapping
 *
 * ::
 *
 *      iova_space_map()           move_notify           iova_space_unmap()
 *   (none) ------------> present ------------> absent ------------> dead
 *                           ^                    |
 *                           +--------------------+
 *                          iova_mapping_validate()
 *
 * A mapping is *present* when all of the buffer is in the page table, and
 * otherwise nothing of it is. It keeps its range of addresses in either case.
 *
 * Each job of the device starts with iova_mapping_validate() under the
 * reservation lock, and puts its fence on the buffer and on the mapping
 * (iova_mapping_track()) before the lock is dropped. So a buffer can only move
 * before a job, which then sees the new place, or with the job's fence there:
 * whoever takes the mapping away waits for it first.
 *
 * What keeps memory in place while it is in the page table: nothing, if buffers
 * can move; the importer follows. In a kernel without
 * CONFIG_DMABUF_MOVE_NOTIFY dma_buf_get_pfn() refuses a movable buffer that
 * nobody has pinned. There the mapping has a pin of its own for as long as it
 * exists: that of somebody else may go while the device is still at it.
 */

/* In the tree where the device must not have a mapping. */
#define RESERVED	xa_mk_value(0)

static struct dma_resv *mapping_resv(struct iova_mapping *mapping)
{
	return mapping->dmabuf->resv;
}

/* Take the buffer out of the page table, once the device does not use it. */
static void mapping_unmap(struct iova_mapping *mapping)
{
	size_t size;

	dma_resv_assert_held(mapping_resv(mapping));

	if (!mapping->present)
		return;

	if (mapping->job)
		dma_fence_wait(mapping->job, false);
	dma_fence_put(mapping->job);
	mapping->job = NULL;

	/* No translation of the range is cached anywhere on return. */
	size = iommu_unmap(mapping->space->domain, mapping->iova, mapping->size);
	WARN_ON_ONCE(size != mapping->size);
	mapping->present = false;
}

static void mapping_move_notify(struct dma_buf_attachment *attach)
{
	struct iova_mapping *mapping = attach->importer_priv;

	mapping_unmap(mapping);
	mapping->nr_moves++;
}

static const struct dma_buf_attach_ops mapping_attach_ops = {
	.move_notify = mapping_move_notify,
};

/*
 * Follow moves only of a buffer that can move. To an exporter that differs
 * from its importer in this the core maps the device by itself, through the
 * DMA API, and nobody would use that mapping.
 */
static struct dma_buf_attachment *mapping_attach(struct iova_mapping *mapping)
{
	struct device *dev = mapping->space->dev;

	if (!dma_buf_is_dynamic(mapping->dmabuf))
		return dma_buf_attach(mapping->dmabuf, dev);

	return dma_buf_dynamic_attach(mapping->dmabuf, dev, &mapping_attach_ops,
				      mapping);
}

/*
 * Where moves are not followed, keep the buffer from moving; that may move it
 * once more.
 */
static int mapping_pin(struct iova_mapping *mapping)
{
	int ret;

	dma_resv_assert_held(mapping_resv(mapping));

	if (!mapping->space->pins || !dma_buf_is_dynamic(mapping->dmabuf))
		return 0;

	ret = dma_buf_pin(mapping->attach);
	mapping->pinned = !ret;
	return ret;
}

/*
 * Map the block that starts at @offset, and add its size to that. All of
 * a block goes to iommu_map() at once, which uses the largest pages that the
 * alignment of both addresses allows.
 */
static int mapping_fill_block(struct iova_mapping *mapping, size_t *offset)
{
	unsigned int order;
	u64 pfn;
	int ret;

	ret = dma_buf_get_pfn(mapping->attach, *offset >> PAGE_SHIFT, &pfn, &order);
	if (ret)
		return ret;

	ret = iommu_map(mapping->space->domain, mapping->iova + *offset,
			PFN_PHYS(pfn), PAGE_SIZE << order,
			mapping->prot | IOMMU_CACHE, GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;

	mapping->nr_blocks++;
	mapping->max_order = max(mapping->max_order, order);
	*offset += PAGE_SIZE << order;
	return 0;
}

/* Put all of the buffer into the page table, or nothing. */
static int mapping_fill(struct iova_mapping *mapping)
{
	size_t filled = 0;
	int ret = 0;

	mapping->nr_blocks = 0;
	mapping->max_order = 0;
	while (!ret && filled < mapping->size) {
		ret = mapping_fill_block(mapping, &filled);
		if (fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	if (ret && filled)
		iommu_unmap(mapping->space->domain, mapping->iova, filled);
	mapping->present = !ret;
	return ret;
}

/**
 * iova_mapping_validate() - have a mapping present for a job that is to start
 * @mapping: the mapping
 *
 * Waits for what the kernel does to the memory: the copy that a move consists
 * of, for one. Fences of other devices are the caller's business.
 *
 * Context: Process context, may sleep. The caller holds &dma_buf.resv; the
 * mapping stays present until it drops the lock, and further until the fence
 * given to iova_mapping_track() has signaled.
 * Return: 0, or a negative errno with nothing mapped:
 *
 *  * %-ENOENT - it has been unmapped
 *  * %-ERESTARTSYS - a signal ended a wait
 *  * %-EINTR - the process is being killed
 *  * what dma_buf_get_pfn() and iommu_map() return
 */
int iova_mapping_validate(struct iova_mapping *mapping)
{
	struct dma_resv *resv = mapping_resv(mapping);
	long left;

	might_sleep();
	dma_resv_assert_held(resv);

	if (mapping->dead)
		return -ENOENT;
	if (mapping->present)
		return 0;

	left = dma_resv_wait_timeout(resv, DMA_RESV_USAGE_KERNEL, true,
				     MAX_SCHEDULE_TIMEOUT);
	if (left < 0)
		return left;
	return mapping_fill(mapping);
}
EXPORT_SYMBOL_IF_KUNIT(iova_mapping_validate);

/**
 * iova_mapping_track() - tell a mapping which job uses it
 * @mapping: a mapping that has been validated
 * @job: signals when the device is done. The jobs of a space signal in
 *	the order in which they are tracked, and need no lock for it that is
 *	held around a call of this file.
 *
 * Context: Any. The caller holds &dma_buf.resv since it validated the mapping.
 */
void iova_mapping_track(struct iova_mapping *mapping, struct dma_fence *job)
{
	dma_resv_assert_held(mapping_resv(mapping));

	if (WARN_ON_ONCE(!mapping->present))
		return;

	dma_fence_put(mapping->job);
	mapping->job = dma_fence_get(job);
}
EXPORT_SYMBOL_IF_KUNIT(iova_mapping_track);

/**
 * iova_mapping_query() - see what became of a mapping
 * @mapping: the mapping
 * @iova: an address in it
 * @query: where the answer goes
 *
 * Context: Process context, may sleep. Takes &dma_buf.resv.
 * Return: 0, %-ENOENT if it has been unmapped, or %-EINTR if a signal ended the
 * wait for the lock.
 */
int iova_mapping_query(struct iova_mapping *mapping, u64 iova,
		       struct iova_query *query)
{
	struct dma_resv *resv = mapping_resv(mapping);
	int ret;

	ret = dma_resv_lock_interruptible(resv, NULL);
	if (ret)
		return ret;

	if (mapping->dead) {
		ret = -ENOENT;
	} else {
		*query = (struct iova_query) {
			.phys = iommu_iova_to_phys(mapping->space->domain, iova),
			.present = mapping->present,
			.nr_moves = mapping->nr_moves,
			.nr_blocks = mapping->nr_blocks,
			.max_order = mapping->max_order,
		};
	}
	dma_resv_unlock(resv);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(iova_mapping_query);

static void mapping_free(struct kref *refs)
{
	struct iova_mapping *mapping =
		container_of(refs, struct iova_mapping, refs);

	dma_buf_put(mapping->dmabuf);
	kfree(mapping);
}

/**
 * iova_mapping_put() - drop a reference that iova_space_find() gave
 * @mapping: the mapping
 *
 * Context: Process context, may sleep.
 */
void iova_mapping_put(struct iova_mapping *mapping)
{
	kref_put(&mapping->refs, mapping_free);
}
EXPORT_SYMBOL_IF_KUNIT(iova_mapping_put);

/* The mapping has a reference to @dmabuf, which mapping_free() drops. */
static struct iova_mapping *mapping_alloc(struct iova_space *space,
					  struct dma_buf *dmabuf,
					  unsigned long iova, int prot)
{
	struct iova_mapping *mapping =
		kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);

	if (mapping) {
		kref_init(&mapping->refs);
		mapping->space = space;
		mapping->dmabuf = dmabuf;
		mapping->iova = iova;
		mapping->size = PAGE_ALIGN(dmabuf->size);
		mapping->prot = prot;
		get_dma_buf(dmabuf);
	}
	return mapping;
}

/* Undo what mapping_connect() did; no job can use the mapping any more. */
static void mapping_disconnect(struct iova_mapping *mapping)
{
	struct dma_resv *resv = mapping_resv(mapping);

	dma_resv_lock(resv, NULL);
	mapping_unmap(mapping);
	if (mapping->pinned)
		dma_buf_unpin(mapping->attach);
	mapping->dead = true;
	dma_resv_unlock(resv);

	dma_buf_detach(mapping->dmabuf, mapping->attach);
}

/* Attach to the buffer, and fill the page table. */
static int mapping_connect(struct iova_mapping *mapping)
{
	struct dma_resv *resv = mapping_resv(mapping);
	int ret;

	mapping->attach = mapping_attach(mapping);
	if (IS_ERR(mapping->attach))
		return PTR_ERR(mapping->attach);

	ret = dma_resv_lock_interruptible(resv, NULL);
	if (!ret) {
		ret = mapping_pin(mapping) ?: iova_mapping_validate(mapping);
		dma_resv_unlock(resv);
	}
	if (ret)
		mapping_disconnect(mapping);
	return ret;
}

/* The last address of @length bytes at @iova, or an errno if there is none. */
static int range_end(struct iova_space *space, u64 iova, size_t length,
		     unsigned long *last)
{
	u64 end;

	if (!length)
		return -EINVAL;
	if (check_add_overflow(iova, (u64)length - 1, &end))
		return -EOVERFLOW;
	if (iova < space->first || end > space->last)
		return -ERANGE;
	*last = end;
	return 0;
}

/* The space, unless it is closed or a signal comes first. */
static int space_lock(struct iova_space *space)
{
	if (mutex_lock_interruptible(&space->lock))
		return -ERESTARTSYS;
	if (!space->closed)
		return 0;
	mutex_unlock(&space->lock);
	return -ENODEV;
}

/* The range is free again. */
static void space_forget(struct iova_space *space, struct iova_mapping *mapping)
{
	lockdep_assert_held(&space->lock);

	mtree_erase(&space->tree, mapping->iova);
	iova_mapping_put(mapping);
}

/* Reserve the range, and map the buffer there; the space is locked. */
static int space_insert(struct iova_space *space, struct iova_mapping *mapping,
			unsigned long last)
{
	int ret;

	lockdep_assert_held(&space->lock);

	ret = mtree_insert_range(&space->tree, mapping->iova, last, mapping,
				 GFP_KERNEL);
	if (ret) {
		iova_mapping_put(mapping);
		return ret;
	}

	ret = mapping_connect(mapping);
	if (ret) {
		space_forget(space, mapping);
		return ret;
	}
	space->nr_mappings++;
	return 0;
}

/* The range stays taken until the buffer has left the page table. */
static void space_remove(struct iova_space *space, struct iova_mapping *mapping)
{
	lockdep_assert_held(&space->lock);

	mapping_disconnect(mapping);
	space->nr_mappings--;
	space_forget(space, mapping);
}

/**
 * iova_space_init() - make an empty space
 * @space: memory for it
 * @domain: page table that nobody else changes; borrowed
 * @dev: the device behind it; borrowed
 * @mask: addresses that the device can put on the bus
 *
 * iova_space_close() undoes it.
 *
 * Context: Process context.
 * Return: 0, or %-EOPNOTSUPP if the IOMMU has no pages as small as the CPU's or
 * no addresses that the device can use.
 */
int iova_space_init(struct iova_space *space, struct iommu_domain *domain,
		    struct device *dev, u64 mask)
{
	u64 first = domain->geometry.aperture_start;
	u64 last = min3((u64)domain->geometry.aperture_end, mask, (u64)ULONG_MAX);

	if (!(domain->pgsize_bitmap & GENMASK(PAGE_SHIFT, 0)) || first > last)
		return -EOPNOTSUPP;

	*space = (struct iova_space) {
		.domain = domain,
		.dev = dev,
		.first = first,
		.last = last,
		.max_mappings = DMABUF_IOMMU_MAX_MAPPINGS,
		.pins = !IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY),
	};
	mutex_init(&space->lock);
	mt_init(&space->tree);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(iova_space_init);

/**
 * iova_space_reserve() - keep mappings away from a range
 * @space: a space without mappings
 * @first: lowest address; need not be inside of the space
 * @last: highest address
 *
 * For addresses that the bus does not send to the IOMMU, or that mean
 * something else to it: the target of interrupts.
 *
 * Context: Process context, may sleep.
 * Return: 0 or %-ENOMEM.
 */
int iova_space_reserve(struct iova_space *space, u64 first, u64 last)
{
	if (first > space->last || last < space->first)
		return 0;

	return mtree_store_range(&space->tree, max_t(u64, first, space->first),
				 min_t(u64, last, space->last), RESERVED,
				 GFP_KERNEL);
}
EXPORT_SYMBOL_IF_KUNIT(iova_space_reserve);

/**
 * iova_space_close() - unmap everything, for good
 * @space: the space; calls that come later, or wait for it, get -ENODEV
 *
 * The page table is empty and not used any more when this returns; a mapping
 * to which somebody has a reference stays behind as a dead one.
 *
 * Context: Process context, may sleep. Takes &iova_space.lock and &dma_buf.resv
 * of each mapping, and waits for their jobs.
 */
void iova_space_close(struct iova_space *space)
{
	struct iova_mapping *mapping;
	unsigned long iova = 0;

	guard(mutex)(&space->lock);
	space->closed = true;
	mt_for_each(&space->tree, mapping, iova, ULONG_MAX) {
		if (!xa_is_value(mapping))
			space_remove(space, mapping);
	}
	mtree_destroy(&space->tree);
}
EXPORT_SYMBOL_IF_KUNIT(iova_space_close);

/**
 * iova_space_map() - put a buffer into a space
 * @space: the space
 * @dmabuf: the buffer; the mapping takes a reference of its own
 * @iova: where it starts
 * @prot: IOMMU_READ, IOMMU_WRITE, or both
 *
 * Context: Process context, may sleep. Takes &iova_space.lock and
 * &dma_buf.resv.
 * Return: 0, or a negative errno with nothing mapped and no address taken:
 *
 *  * %-EINVAL - @iova is not a multiple of the page size, or the buffer is empty
 *  * %-EOVERFLOW - the buffer would go around the end of all addresses
 *  * %-ERANGE - it would go beyond what device and IOMMU can address
 *  * %-EEXIST - there is a mapping or a reserved range
 *  * %-ENOSPC - there are &iova_space.max_mappings already
 *  * %-ENODEV - the space is closed
 *  * %-ENOMEM - out of memory
 *  * %-ERESTARTSYS, %-EINTR - a signal ended a wait
 *  * %-EOPNOTSUPP - the exporter has no page frames to offer
 *  * what attach, dma_buf_pin() and iova_mapping_validate() return else
 */
int iova_space_map(struct iova_space *space, struct dma_buf *dmabuf, u64 iova,
		   int prot)
{
	struct iova_mapping *mapping;
	unsigned long last;
	int ret;

	if (!PAGE_ALIGNED(iova))
		return -EINVAL;
	ret = range_end(space, iova, PAGE_ALIGN(dmabuf->size), &last);
	if (ret)
		return ret;

	ret = space_lock(space);
	if (ret)
		return ret;

	if (space->nr_mappings >= space->max_mappings) {
		ret = -ENOSPC;
	} else {
		mapping = mapping_alloc(space, dmabuf, iova, prot);
		ret = mapping ? space_insert(space, mapping, last) : -ENOMEM;
	}
	mutex_unlock(&space->lock);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(iova_space_map);

/* The mapping that @iova is in, or NULL; the space is locked. */
static struct iova_mapping *space_lookup(struct iova_space *space, u64 iova)
{
	struct iova_mapping *mapping = NULL;

	lockdep_assert_held(&space->lock);

	if (iova <= space->last)
		mapping = mtree_load(&space->tree, iova);
	return xa_is_value(mapping) ? NULL : mapping;
}

/**
 * iova_space_unmap() - take a buffer out of a space
 * @space: the space
 * @iova: where the mapping starts
 *
 * Waits for the job that uses it.
 *
 * Context: Process context, may sleep. Takes &iova_space.lock and
 * &dma_buf.resv.
 * Return: 0, %-ENOENT if no mapping starts there, %-ENODEV if the space is
 * closed, or %-ERESTARTSYS if a signal ended the wait for the lock.
 */
int iova_space_unmap(struct iova_space *space, u64 iova)
{
	struct iova_mapping *mapping;
	int ret;

	ret = space_lock(space);
	if (ret)
		return ret;

	mapping = space_lookup(space, iova);
	if (mapping && mapping->iova == iova)
		space_remove(space, mapping);
	else
		ret = -ENOENT;
	mutex_unlock(&space->lock);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(iova_space_unmap);

/**
 * iova_space_find() - the mapping that a range lies in
 * @space: the space
 * @iova: where the range starts
 * @length: bytes
 *
 * Context: Process context, may sleep. Takes &iova_space.lock.
 * Return: the mapping with a reference that the caller drops with
 * iova_mapping_put(), or an ERR_PTR():
 *
 *  * %-ENOENT - there is none that has all of the range
 *  * %-ENODEV - the space is closed
 *  * %-ERESTARTSYS - a signal ended the wait for the lock
 */
struct iova_mapping *iova_space_find(struct iova_space *space, u64 iova,
				     size_t length)
{
	struct iova_mapping *mapping;
	int ret;

	ret = space_lock(space);
	if (ret)
		return ERR_PTR(ret);

	mapping = space_lookup(space, iova);
	if (mapping && length <= mapping->size - (iova - mapping->iova))
		kref_get(&mapping->refs);
	else
		mapping = ERR_PTR(-ENOENT);
	mutex_unlock(&space->lock);
	return mapping;
}
EXPORT_SYMBOL_IF_KUNIT(iova_space_find);

/**
 * iova_space_check() - may the device access a range, mapped or not?
 * @space: the space
 * @iova: where the range starts
 * @length: bytes
 *
 * Context: Process context, may sleep. Takes &iova_space.lock.
 * Return: 0, or a negative errno:
 *
 *  * %-EINVAL - @length is 0
 *  * %-EOVERFLOW - the range would go around the end of all addresses
 *  * %-ERANGE - it is not inside of the space
 *  * %-EACCES - a part of it is reserved
 *  * %-ENODEV - the space is closed
 *  * %-ERESTARTSYS - a signal ended the wait for the lock
 */
int iova_space_check(struct iova_space *space, u64 iova, size_t length)
{
	unsigned long index = iova, last;
	void *entry;
	int ret;

	ret = range_end(space, iova, length, &last) ?: space_lock(space);
	if (ret)
		return ret;

	mt_for_each(&space->tree, entry, index, last) {
		if (xa_is_value(entry))
			ret = -EACCES;
	}
	mutex_unlock(&space->lock);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(iova_space_check);
