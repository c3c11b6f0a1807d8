// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CPU's access to a buffer: bracketed by begin and end, through a mapping
 * of user space, or through one of the kernel.
 */

#include <linux/export.h>
#include <linux/mm.h>

#include "dma-buf-internal.h"

/**
 * DOC: cpu access
 *
 * Between dma_buf_begin_cpu_access() and dma_buf_end_cpu_access() the CPU may
 * use the buffer through any mapping. User space says the same with
 * %DMA_BUF_IOCTL_SYNC. Begin first waits for the fences in the way, then lets
 * the exporter care for caches: in the other order a device that is still
 * writing could leave lines stale that were just invalidated. The bracket is
 * no lock; devices that start later are the caller's to keep away.
 *
 * A direction says what the CPU will do: %DMA_FROM_DEVICE it reads what a
 * device wrote, and waits for writers; %DMA_TO_DEVICE and %DMA_BIDIRECTIONAL
 * it writes, and waits for everybody.
 */

/**
 * dma_buf_begin_cpu_access() - make the buffer coherent for the CPU
 * @dmabuf: the buffer
 * @direction: what the CPU will do, see above
 *
 * Pairs with dma_buf_end_cpu_access().
 *
 * Context: Process context, sleeps until devices are done. The caller does
 * not hold &dma_buf.resv.
 * Return: 0 if the CPU may go ahead, or a negative errno without anything to
 * undo:
 *
 *  * %-EINVAL - @dmabuf is NULL
 *  * %-ERESTARTSYS - a signal ended the wait
 *  * what &dma_buf_ops.begin_cpu_access returns
 */
int dma_buf_begin_cpu_access(struct dma_buf *dmabuf,
			     enum dma_data_direction direction)
{
	bool write = direction == DMA_TO_DEVICE ||
		     direction == DMA_BIDIRECTIONAL;
	long left;
	int ret;

	if (WARN_ON_ONCE(!dmabuf))
		return -EINVAL;

	might_lock(&dmabuf->resv->lock.base);

	left = dma_resv_wait_timeout(dmabuf->resv, dma_resv_usage_rw(write),
				     true, MAX_SCHEDULE_TIMEOUT);
	if (left < 0)
		return left;

	if (dmabuf->ops->begin_cpu_access) {
		ret = dmabuf->ops->begin_cpu_access(dmabuf, direction);
		if (ret)
			return ret;
	}
	dma_buf_contract_access_begun(dmabuf);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_begin_cpu_access, DMA_BUF);

/**
 * dma_buf_end_cpu_access() - the CPU is done, for now
 * @dmabuf: the buffer
 * @direction: as given to dma_buf_begin_cpu_access()
 *
 * Context: Process context, may sleep. The caller does not hold
 * &dma_buf.resv.
 * Return: 0, or a negative errno, and the access has ended either way:
 *
 *  * %-EINVAL - @dmabuf is NULL, or, with CONFIG_DMABUF_CONTRACT, no access of a
 *    driver's has begun
 *  * what &dma_buf_ops.end_cpu_access returns
 */
int dma_buf_end_cpu_access(struct dma_buf *dmabuf,
			   enum dma_data_direction direction)
{
	if (WARN_ON_ONCE(!dmabuf))
		return -EINVAL;

	might_lock(&dmabuf->resv->lock.base);

	if (!dma_buf_contract_access_ends(dmabuf))
		return -EINVAL;
	if (!dmabuf->ops->end_cpu_access)
		return 0;
	return dmabuf->ops->end_cpu_access(dmabuf, direction);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_end_cpu_access, DMA_BUF);

/**
 * dma_buf_check_range() - does a mapping lie inside the buffer?
 * @dmabuf: the buffer
 * @vma: gives the length
 * @pgoff: first page of the buffer to be mapped
 *
 * Context: Any.
 * Return: 0, %-EOVERFLOW if the range wraps around, %-EINVAL if it ends
 * behind the buffer.
 */
int dma_buf_check_range(const struct dma_buf *dmabuf,
			struct vm_area_struct *vma, unsigned long pgoff)
{
	unsigned long end;

	if (check_add_overflow(pgoff, vma_pages(vma), &end))
		return -EOVERFLOW;
	return end > dmabuf->size >> PAGE_SHIFT ? -EINVAL : 0;
}

/**
 * dma_buf_mmap() - map a buffer in place of another file
 * @dmabuf: the buffer
 * @vma: of the caller's own file, inside its mmap operation
 * @pgoff: first page of the buffer to map, in place of the vma's own offset
 *
 * For an importer that forwards the mmap of its handle. The vma belongs to
 * the buffer's file afterwards.
 *
 * Context: Process context, may sleep. The caller holds the mmap lock and
 * does not hold &dma_buf.resv.
 * Return: 0, or a negative errno:
 *
 *  * %-EINVAL - an argument is NULL, the exporter has no mmap, or the range
 *    ends behind the buffer
 *  * %-EOVERFLOW - the range wraps around
 *  * what &dma_buf_ops.mmap returns; the vma's file may have changed
 */
int dma_buf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma,
		 unsigned long pgoff)
{
	int ret;

	if (WARN_ON_ONCE(!dmabuf || !vma))
		return -EINVAL;

	might_lock(&dmabuf->resv->lock.base);

	if (!dmabuf->ops->mmap)
		return -EINVAL;

	ret = dma_buf_check_range(dmabuf, vma, pgoff);
	if (ret)
		return ret;

	vma_set_file(vma, dmabuf->file);
	vma->vm_pgoff = pgoff;
	return dmabuf->ops->mmap(dmabuf, vma);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_mmap, DMA_BUF);

/**
 * DOC: kernel mappings
 *
 * dma_buf_vmap() makes the whole buffer visible at one kernel address, which
 * is system or I/O memory as &struct dma_buf_map tells. Mappings nest: the
 * exporter maps for the first and unmaps after the last.
 *
 * The rules, for importers: hold &dma_buf.resv for both calls, and keep the
 * mapping from going stale in between, by keeping the lock, by a pin, or by
 * unmapping in move_notify. For exporters: expect frequent pairs and make
 * them cheap, do not pin in vmap, and rely on the lock.
 */

/* The first of nested vmaps: let the exporter map, and remember where. */
static int exporter_vmap(struct dma_buf *dmabuf)
{
	struct iosys_map map = { };
	int ret;

	if (!dmabuf->ops->vmap)
		return -EINVAL;

	ret = dmabuf->ops->vmap(dmabuf, &map);
	dma_buf_contract_called(dmabuf, NULL, "vmap");
	if (ret)
		return dma_buf_op_errno(dmabuf, "vmap", ret);
	if (WARN_ONCE(iosys_map_is_null(&map),
		      "dma-buf: exporter %s vmapped to NULL\n",
		      dmabuf->exp_name))
		return -ENOMEM;

	dmabuf->vmap_ptr = map;
	return 0;
}

/**
 * dma_buf_vmap() - map the buffer into the kernel
 * @dmabuf: the buffer
 * @map: where the address goes; cleared on every error
 *
 * Pairs with dma_buf_vunmap().
 *
 * Context: Process context, may sleep. The caller holds &dma_buf.resv.
 * Return: 0, or a negative errno with nothing mapped:
 *
 *  * %-EINVAL - @dmabuf is NULL, or the exporter has no vmap; or, with
 *    CONFIG_DMABUF_CONTRACT, the caller does not hold the lock
 *  * %-ENOMEM - no memory or address space, or the exporter claimed success
 *    without an address
 *  * %-EIO - &dma_buf_ops.vmap returned what is no errno
 *  * what &dma_buf_ops.vmap returns
 */
int dma_buf_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	int ret;

	iosys_map_clear(map);

	if (WARN_ON_ONCE(!dmabuf) || dma_buf_contract_enter(dmabuf, NULL))
		return -EINVAL;

	dma_resv_assert_held(dmabuf->resv);

	if (!dmabuf->vmapping_counter) {
		ret = exporter_vmap(dmabuf);
		if (ret)
			return ret;
	}

	dmabuf->vmapping_counter++;
	*map = dmabuf->vmap_ptr;
	return 0;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_vmap, DMA_BUF);

/**
 * dma_buf_vunmap() - undo a dma_buf_vmap()
 * @dmabuf: the buffer
 * @map: what dma_buf_vmap() filled in, unchanged
 *
 * A call without a matching vmap, or with another address, is reported and
 * otherwise ignored.
 *
 * Context: Process context, may sleep. The caller holds &dma_buf.resv.
 */
void dma_buf_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	if (WARN_ON_ONCE(!dmabuf) || dma_buf_contract_enter(dmabuf, NULL))
		return;

	dma_resv_assert_held(dmabuf->resv);

	if (dma_buf_broken(!dmabuf->vmapping_counter ||
			   !iosys_map_is_equal(&dmabuf->vmap_ptr, map),
			   DMA_RULE_VMAP_UNBALANCED, dmabuf, NULL,
			   "vunmap without vmap"))
		return;

	if (--dmabuf->vmapping_counter)
		return;

	if (dmabuf->ops->vunmap) {
		dmabuf->ops->vunmap(dmabuf, map);
		dma_buf_contract_called(dmabuf, NULL, "vunmap");
	}
	iosys_map_clear(&dmabuf->vmap_ptr);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_vunmap, DMA_BUF);

/**
 * dma_buf_vmap_unlocked() - map the buffer into the kernel
 * @dmabuf: the buffer
 * @map: where the address goes; cleared on every error
 *
 * As dma_buf_vmap(). The caller has to keep the mapping from going stale
 * without the lock: the buffer is pinned, or cannot move.
 *
 * Context: Process context, may sleep. Takes &dma_buf.resv.
 * Return: as dma_buf_vmap().
 */
int dma_buf_vmap_unlocked(struct dma_buf *dmabuf, struct iosys_map *map)
{
	int ret;

	iosys_map_clear(map);

	if (WARN_ON_ONCE(!dmabuf))
		return -EINVAL;

	guard(dma_buf_resv)(dmabuf);
	ret = dma_buf_vmap(dmabuf, map);
	if (!ret)
		dma_buf_contract_vmap_unlocked(dmabuf);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_vmap_unlocked, DMA_BUF);

/**
 * dma_buf_vunmap_unlocked() - undo a dma_buf_vmap_unlocked()
 * @dmabuf: the buffer
 * @map: what dma_buf_vmap_unlocked() filled in, unchanged
 *
 * Context: Process context, may sleep. Takes &dma_buf.resv.
 */
void dma_buf_vunmap_unlocked(struct dma_buf *dmabuf, struct iosys_map *map)
{
	if (WARN_ON_ONCE(!dmabuf))
		return;

	guard(dma_buf_resv)(dmabuf);
	dma_buf_vunmap(dmabuf, map);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_vunmap_unlocked, DMA_BUF);
