// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of buffers and reservations: drivers that break one, drivers that come
 * near to it, and what the report of the first looks like. The rules of fences
 * are in dma_fence_watchdog_kunit.c.
 *
 * Vocabulary:
 *   scene    a fresh exporter and importer, in which one driver misbehaves once
 *   breach   the function that does it
 */

#include "mock.h"

#if DMABUF_OURS

#include "mock_fence.h"

#if IS_ENABLED(CONFIG_DMABUF_CONTRACT)

#include <linux/align.h>
#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/kmsg_dump.h>
#include <linux/kstrtox.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <kunit/device.h>
#include <kunit/visibility.h>
#include <uapi/linux/dma-buf.h>

#include "../dma-contract.h"
#include "mock_exporter.h"
#include "mock_fs.h"
#include "mock_importer.h"

MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);

/* Stands for "none" in a row. */
#define BEHAVES DMA_NR_RULES
/* What a buffer of odd size lacks of whole pages. */
#define ODD_BYTES 100

/* What one breach is played with. */
struct scene {
	struct kunit *test;
	struct mock_exporter *exporter;
	struct mock_importer *importer;
	struct dma_buf *dmabuf;
	struct dma_resv *resv;

	/* The callback that drops the lock, and whether somebody detaches then. */
	enum mock_op drops;
	bool detaches;
	/* How the exporter's table is bent after it was made, and straightened. */
	void (*bend)(struct sg_table *sgt);
	/* The table that every mapping gets, and how many have it. */
	bool share;
	struct sg_table *shared;
	unsigned int nr_shared;
	/* A mapping that the importer should give up when the buffer moves. */
	struct iosys_map map;
};

static struct scene *scene_of(struct dma_buf *dmabuf)
{
	struct mock_exporter *exporter = dmabuf->priv;

	return exporter->hook_data;
}

/* The exporter's own callbacks, which the bent ones build on. */
static struct sg_table *(*straight_map)(struct dma_buf_attachment *attach,
					enum dma_data_direction dir);
static void (*straight_unmap)(struct dma_buf_attachment *attach,
			      struct sg_table *sgt, enum dma_data_direction dir);

static struct sg_table *bent_map(struct dma_buf_attachment *attach,
				 enum dma_data_direction dir)
{
	struct scene *scene = scene_of(attach->dmabuf);
	struct sg_table *sgt = scene->shared;

	if (!sgt)
		sgt = straight_map(attach, dir);
	if (IS_ERR_OR_NULL(sgt))
		return sgt;
	if (scene->share) {
		scene->shared = sgt;
		scene->nr_shared++;
	}
	if (scene->bend)
		scene->bend(sgt);
	return sgt;
}

static void bent_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		       enum dma_data_direction dir)
{
	struct scene *scene = scene_of(attach->dmabuf);
	struct scatterlist *sg;
	unsigned int i;

	if (scene->share && --scene->nr_shared)
		return;
	scene->shared = NULL;
	sgt->orig_nents = scene->exporter->config.nr_pages;
	for_each_sgtable_sg(sgt, sg, i)
		sg_set_page(sg, virt_to_page(scene->exporter->pages + i * PAGE_SIZE),
			    PAGE_SIZE, 0);
	straight_unmap(attach, sgt, dir);
}

static void drop_lock(struct mock_exporter *exporter, enum mock_op op)
{
	struct scene *scene = exporter->hook_data;

	if (op != scene->drops)
		return;
	dma_resv_unlock(scene->resv);
	if (scene->detaches)
		mock_importer_detach(scene->importer);
}

static void forget_map_on_move(struct mock_exporter *exporter, enum mock_op op)
{
	struct scene *scene = exporter->hook_data;

	if (op == MOCK_MOVE_NOTIFY)
		dma_buf_vunmap(scene->dmabuf, &scene->map);
}

static void lock(struct scene *scene)
{
	dma_resv_lock(scene->resv, NULL);
}

static void unlock(struct scene *scene)
{
	dma_resv_unlock(scene->resv);
}

/* --- What importers do ------------------------------------------------------ */

static int pin_once(struct scene *scene)
{
	int ret;

	lock(scene);
	ret = dma_buf_pin(scene->importer->attach);
	unlock(scene);
	return ret;
}

static int unpin_only(struct scene *scene)
{
	lock(scene);
	dma_buf_unpin(scene->importer->attach);
	unlock(scene);
	return 0;
}

static int pin_and_unpin_nested(struct scene *scene)
{
	return pin_once(scene) ?: pin_once(scene) ?: unpin_only(scene) ?: unpin_only(scene);
}

static int unmap_twice(struct scene *scene)
{
	struct dma_buf_attachment *attach = scene->importer->attach;
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	return 0;
}

/* Map for one direction, unmap for another. */
static int map_and_unmap(struct scene *scene, enum dma_data_direction map,
			 enum dma_data_direction unmap)
{
	struct dma_buf_attachment *attach = scene->importer->attach;
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment_unlocked(attach, map);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	dma_buf_unmap_attachment_unlocked(attach, sgt, unmap);
	return 0;
}

static int map_plainly(struct scene *scene)
{
	return map_and_unmap(scene, DMA_TO_DEVICE, DMA_TO_DEVICE);
}

static int map_without_direction(struct scene *scene)
{
	return map_and_unmap(scene, DMA_NONE, DMA_NONE);
}

static int unmap_in_other_direction(struct scene *scene)
{
	return map_and_unmap(scene, DMA_TO_DEVICE, DMA_FROM_DEVICE);
}

static int unmap_without_direction(struct scene *scene)
{
	return map_and_unmap(scene, DMA_FROM_DEVICE, DMA_NONE);
}

/* Twice at the same time, in two directions, and back in the order of mapping. */
static int map_in_two_directions(struct scene *scene)
{
	struct dma_buf_attachment *attach = scene->importer->attach;
	struct sg_table *first, *second;

	first = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	second = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	if (IS_ERR(first) || IS_ERR(second))
		return -EIO;
	dma_buf_unmap_attachment_unlocked(attach, first, DMA_FROM_DEVICE);
	dma_buf_unmap_attachment_unlocked(attach, second, DMA_TO_DEVICE);
	return 0;
}

/* Twice at the same time; with a mapping that is kept, in two directions. */
static int map_twice(struct scene *scene)
{
	struct dma_buf_attachment *attach = scene->importer->attach;
	bool kept = scene->exporter->config.flags & MOCK_CACHED;
	enum dma_data_direction other = kept ? DMA_FROM_DEVICE : DMA_BIDIRECTIONAL;
	struct sg_table *first, *second;

	first = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	second = dma_buf_map_attachment_unlocked(attach, other);
	if (IS_ERR(first) || IS_ERR(second))
		return -EIO;
	dma_buf_unmap_attachment_unlocked(attach, first, DMA_BIDIRECTIONAL);
	dma_buf_unmap_attachment_unlocked(attach, second, other);
	return 0;
}

static int map_not_preemptible(struct scene *scene)
{
	struct sg_table *sgt;

	lock(scene);
	preempt_disable();
	sgt = dma_buf_map_attachment(scene->importer->attach, DMA_TO_DEVICE);
	preempt_enable();
	unlock(scene);
	return PTR_ERR_OR_ZERO(sgt);
}

static int try_map_not_preemptible(struct scene *scene)
{
	struct sg_table *sgt;

	lock(scene);
	preempt_disable();
	sgt = dma_buf_try_map_attachment(scene->importer->attach, DMA_TO_DEVICE);
	preempt_enable();
	unlock(scene);
	return PTR_ERR_OR_ZERO(sgt);
}

static int vunmap_too_often(struct scene *scene)
{
	struct iosys_map map, copy;
	int ret = dma_buf_vmap_unlocked(scene->dmabuf, &map);

	if (ret)
		return ret;
	copy = map;
	dma_buf_vunmap_unlocked(scene->dmabuf, &map);
	dma_buf_vunmap_unlocked(scene->dmabuf, &copy);
	return 0;
}

static int vunmap_of_other_address(struct scene *scene)
{
	struct iosys_map map, wrong;
	int ret = dma_buf_vmap_unlocked(scene->dmabuf, &map);

	if (ret)
		return ret;
	wrong = map;
	iosys_map_incr(&wrong, PAGE_SIZE);
	dma_buf_vunmap_unlocked(scene->dmabuf, &wrong);
	dma_buf_vunmap_unlocked(scene->dmabuf, &map);
	return 0;
}

static int vmap_without_lock(struct scene *scene)
{
	struct iosys_map map;
	int ret = dma_buf_vmap_unlocked(scene->dmabuf, &map);

	if (!ret)
		dma_buf_vunmap_unlocked(scene->dmabuf, &map);
	return ret;
}

static int vmap_that_fails(struct scene *scene)
{
	mock_exporter_fail(scene->exporter, MOCK_VMAP, 1, -ENXIO);
	return vmap_without_lock(scene);
}

static int vmap_nested(struct scene *scene)
{
	struct iosys_map outer, inner;
	int ret;

	lock(scene);
	ret = dma_buf_vmap(scene->dmabuf, &outer) ?: dma_buf_vmap(scene->dmabuf, &inner);
	dma_buf_vunmap(scene->dmabuf, &inner);
	dma_buf_vunmap(scene->dmabuf, &outer);
	unlock(scene);
	return ret;
}

static int end_without_begin(struct scene *scene)
{
	return dma_buf_end_cpu_access(scene->dmabuf, DMA_TO_DEVICE);
}

static int access_in_turn(struct scene *scene)
{
	struct dma_buf *dmabuf = scene->dmabuf;

	return dma_buf_begin_cpu_access(dmabuf, DMA_TO_DEVICE) ?:
	       dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE) ?:
	       dma_buf_end_cpu_access(dmabuf, DMA_TO_DEVICE) ?:
	       dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE);
}

/* SYNC with @flags, as user space does it. */
static int user_sync(struct scene *scene, u64 flags)
{
	struct dma_buf_sync arg = { .flags = flags };

	return mock_exporter_ioctl(scene->exporter, DMA_BUF_IOCTL_SYNC, &arg, sizeof(arg));
}

static int user_only_ends(struct scene *scene)
{
	return user_sync(scene, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
}

static int user_only_begins(struct scene *scene)
{
	return user_sync(scene, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
}

static int user_ends_during_access(struct scene *scene)
{
	struct dma_buf *dmabuf = scene->dmabuf;

	return dma_buf_begin_cpu_access(dmabuf, DMA_TO_DEVICE) ?:
	       user_only_ends(scene) ?: user_only_begins(scene) ?:
	       user_only_ends(scene) ?: user_only_ends(scene) ?:
	       dma_buf_end_cpu_access(dmabuf, DMA_TO_DEVICE);
}

static int begin_failed(struct scene *scene)
{
	mock_exporter_fail(scene->exporter, MOCK_BEGIN_CPU, 1, -EIO);
	return dma_buf_begin_cpu_access(scene->dmabuf, DMA_TO_DEVICE) == -EIO ? 0 : -EINVAL;
}

static int begin_and_release(struct scene *scene)
{
	int ret = dma_buf_begin_cpu_access(scene->dmabuf, DMA_TO_DEVICE);

	mock_importer_detach(scene->importer);
	mock_exporter_put(scene->exporter);
	return ret;
}

static int vmap_and_release(struct scene *scene)
{
	struct iosys_map map;
	int ret;

	mock_importer_detach(scene->importer);
	lock(scene);
	ret = dma_buf_vmap(scene->dmabuf, &map);
	unlock(scene);
	mock_exporter_put(scene->exporter);
	return ret;
}

static int release_attached(struct scene *scene)
{
	struct dma_buf_attachment *attach = scene->importer->attach;

	scene->importer->attach = NULL;
	mock_exporter_put(scene->exporter);
	/* Nobody has it any more. */
	if (!mock_exporter_is_released(scene->exporter))
		return -EBUSY;
	kfree(attach);
	return 0;
}

static int detach_pinned(struct scene *scene)
{
	int ret = pin_once(scene);

	mock_importer_detach(scene->importer);
	return ret;
}

/* The core gives back a mapping that it keeps. */
static int detach_with_kept_mapping(struct scene *scene)
{
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment_unlocked(scene->importer->attach, DMA_TO_DEVICE);
	mock_importer_detach(scene->importer);
	return PTR_ERR_OR_ZERO(sgt);
}

/* Nobody else can; do it for the exporter's books, through a look-alike. */
static int detach_mapped(struct scene *scene)
{
	struct dma_buf_attachment ghost = *scene->importer->attach;
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment_unlocked(scene->importer->attach, DMA_TO_DEVICE);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	mock_importer_detach(scene->importer);

	INIT_LIST_HEAD(&ghost.tables);
	ghost.untracked = true;
	dma_buf_unmap_attachment_unlocked(&ghost, sgt, DMA_TO_DEVICE);
	/* The exporter noticed that it was another attachment. */
	scene->exporter->nr_strays--;
	return 0;
}

static int map_and_detach(struct scene *scene)
{
	int ret = map_twice(scene);

	mock_importer_detach(scene->importer);
	return ret;
}

/* --- Calls without the lock -------------------------------------------------- */

static int unlocked_map(struct scene *scene)
{
	return PTR_ERR_OR_ZERO(dma_buf_map_attachment(scene->importer->attach,
						      DMA_TO_DEVICE));
}

static int unlocked_try_map(struct scene *scene)
{
	return PTR_ERR_OR_ZERO(dma_buf_try_map_attachment(scene->importer->attach,
							  DMA_TO_DEVICE));
}

static int unlocked_unmap(struct scene *scene)
{
	struct dma_buf_attachment *attach = scene->importer->attach;
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	dma_buf_unmap_attachment(attach, sgt, DMA_TO_DEVICE);
	/* It is still mapped: this one is no unmap too many. */
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	return 0;
}

static int unlocked_pin(struct scene *scene)
{
	return dma_buf_pin(scene->importer->attach);
}

static int unlocked_unpin(struct scene *scene)
{
	int ret = pin_once(scene);

	dma_buf_unpin(scene->importer->attach);
	/* It is still pinned: this one is no unpin too many. */
	return ret ?: unpin_only(scene);
}

static int unlocked_get_pfn(struct scene *scene)
{
	unsigned int order;
	u64 pfn;

	return dma_buf_get_pfn(scene->importer->attach, 0, &pfn, &order);
}

static int unlocked_vmap(struct scene *scene)
{
	struct iosys_map map;

	return dma_buf_vmap(scene->dmabuf, &map);
}

static int unlocked_vunmap(struct scene *scene)
{
	struct iosys_map map;
	int ret = dma_buf_vmap_unlocked(scene->dmabuf, &map);

	if (ret)
		return ret;
	dma_buf_vunmap(scene->dmabuf, &map);
	dma_buf_vunmap_unlocked(scene->dmabuf, &map);
	return 0;
}

/* The importers are told all the same, and the lock is as it was. */
static int unlocked_move_notify(struct scene *scene)
{
	dma_buf_move_notify(scene->dmabuf);
	if (dma_resv_is_locked(scene->resv))
		return -EDEADLK;
	return scene->importer->nr_moves ? 0 : -ENOENT;
}

/* --- What exporters do -------------------------------------------------------- */

static int move_once(struct scene *scene)
{
	mock_exporter_move(scene->exporter);
	return 0;
}

static int move_after_unpin(struct scene *scene)
{
	return pin_and_unpin_nested(scene) ?: move_once(scene);
}

static int move_pinned(struct scene *scene)
{
	int ret = pin_once(scene);

	move_once(scene);
	return ret ?: unpin_only(scene);
}

/* The memory goes: nobody can say no to that by a pin. */
static int revoke_pinned(struct scene *scene)
{
	int ret = pin_once(scene);

	lock(scene);
	dma_buf_revoke_notify(scene->dmabuf);
	unlock(scene);
	return ret ?: unpin_only(scene) ?: scene->importer->nr_moves - 1;
}

/* The importers are told all the same, and the lock is as it was. */
static int unlocked_revoke_notify(struct scene *scene)
{
	dma_buf_revoke_notify(scene->dmabuf);
	if (dma_resv_is_locked(scene->resv))
		return -EDEADLK;
	return scene->importer->nr_moves ? 0 : -ENOENT;
}

static int move_vmapped(struct scene *scene)
{
	int ret;

	lock(scene);
	ret = dma_buf_vmap(scene->dmabuf, &scene->map);
	unlock(scene);
	move_once(scene);
	lock(scene);
	dma_buf_vunmap(scene->dmabuf, &scene->map);
	unlock(scene);
	return ret;
}

/* Only the exporter is to blame: a pin is what keeps a kernel mapping valid. */
static int move_pinned_and_vmapped(struct scene *scene)
{
	return pin_once(scene) ?: move_vmapped(scene) ?: unpin_only(scene);
}

static int move_after_vunmap(struct scene *scene)
{
	int ret;

	scene->exporter->hook = forget_map_on_move;
	lock(scene);
	ret = dma_buf_vmap(scene->dmabuf, &scene->map);
	unlock(scene);
	return ret ?: move_once(scene);
}

static int vmap_pinned(struct scene *scene)
{
	int ret = pin_once(scene) ?: vmap_without_lock(scene);

	return ret ?: unpin_only(scene);
}

/* Let @op drop the lock, and do what calls it. It is held again afterwards. */
static int dropped_in(struct scene *scene, enum mock_op op,
		      int (*func)(struct scene *scene))
{
	scene->drops = op;
	scene->exporter->hook = drop_lock;
	return func(scene);
}

static int map_drops_lock(struct scene *scene)
{
	return dropped_in(scene, MOCK_MAP, map_plainly);
}

static int unmap_drops_lock(struct scene *scene)
{
	return dropped_in(scene, MOCK_UNMAP, map_plainly);
}

static int try_map(struct scene *scene)
{
	struct dma_buf_attachment *attach = scene->importer->attach;
	struct sg_table *sgt;

	lock(scene);
	sgt = dma_buf_try_map_attachment(attach, DMA_TO_DEVICE);
	if (!IS_ERR(sgt))
		dma_buf_unmap_attachment(attach, sgt, DMA_TO_DEVICE);
	unlock(scene);
	return PTR_ERR_OR_ZERO(sgt);
}

static int try_map_drops_lock(struct scene *scene)
{
	return dropped_in(scene, MOCK_TRY_MAP, try_map);
}

static int pin_drops_lock(struct scene *scene)
{
	return dropped_in(scene, MOCK_PIN, pin_once) ?: unpin_only(scene);
}

static int unpin_drops_lock(struct scene *scene)
{
	return pin_once(scene) ?: dropped_in(scene, MOCK_UNPIN, unpin_only);
}

static int get_pfn(struct scene *scene)
{
	unsigned int order;
	u64 pfn;

	return dma_buf_get_pfn_unlocked(scene->importer->attach, 0, &pfn, &order);
}

static int get_pfn_drops_lock(struct scene *scene)
{
	/* Once only: the checker itself asks for the last frame of a block. */
	scene->exporter->pfn_order = 0;
	return dropped_in(scene, MOCK_GET_PFN, get_pfn);
}

static int vmap_drops_lock(struct scene *scene)
{
	return dropped_in(scene, MOCK_VMAP, vmap_nested);
}

static int vunmap_drops_lock(struct scene *scene)
{
	return dropped_in(scene, MOCK_VUNMAP, vmap_nested);
}

static int move_notify_drops_lock(struct scene *scene)
{
	return dropped_in(scene, MOCK_MOVE_NOTIFY, move_once);
}

/* The importer that is being told detaches as soon as it can have the lock. */
static int move_notify_drops_lock_to_detach(struct scene *scene)
{
	scene->detaches = true;
	return move_notify_drops_lock(scene);
}

static int share_table(struct scene *scene)
{
	scene->share = true;
	return map_twice(scene);
}

/* That it gets one table twice is not the importer's mistake. */
static int share_table_in_two_directions(struct scene *scene)
{
	int ret;

	scene->share = true;
	ret = map_in_two_directions(scene);
	/* The exporter noticed that it unmapped for the second. */
	scene->exporter->nr_strays--;
	return ret;
}

static void bend_address(struct sg_table *sgt)
{
	sg_dma_address(sgt->sgl) += 512;
}

static void bend_length(struct sg_table *sgt)
{
	sg_dma_len(sgt->sgl) -= 512;
}

/* By as much as a buffer of odd size lacks. */
static void bend_end(struct sg_table *sgt)
{
	struct scatterlist *sg, *last = NULL;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i)
		last = sg;
	sg_dma_len(last) -= ODD_BYTES;
}

/* The same, but in front of the last page. */
static void bend_hole(struct sg_table *sgt)
{
	sg_dma_len(sgt->sgl) -= ODD_BYTES;
}

static void bend_bytes(struct sg_table *sgt)
{
	sg_dma_len(sgt->sgl) += PAGE_SIZE;
}

static void bend_pages(struct sg_table *sgt)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_sg(sgt, sg, i)
		sg_assign_page(sg, NULL);
}

static int map_bent(struct scene *scene, void (*bend)(struct sg_table *sgt))
{
	scene->bend = bend;
	return map_plainly(scene);
}

static int table_address(struct scene *scene)
{
	return map_bent(scene, bend_address);
}

static int table_length(struct scene *scene)
{
	return map_bent(scene, bend_length);
}

static int table_end(struct scene *scene)
{
	return map_bent(scene, bend_end);
}

static int table_hole(struct scene *scene)
{
	return map_bent(scene, bend_hole);
}

static int table_bytes(struct scene *scene)
{
	return map_bent(scene, bend_bytes);
}

/* The entries are there, and nobody has mapped them. */
static void bend_to_unmapped(struct sg_table *sgt)
{
	sgt->nents = 0;
}

static int table_unmapped(struct scene *scene)
{
	return map_bent(scene, bend_to_unmapped);
}

static void bend_to_nothing(struct sg_table *sgt)
{
	sgt->nents = 0;
	sgt->orig_nents = 0;
}

/* As virtio-gpu does for a device that gets at the memory in another way. */
static int table_empty(struct scene *scene)
{
	return map_bent(scene, bend_to_nothing);
}

static int table_with_pages(struct scene *scene)
{
	scene->exporter->ops.no_struct_pages = true;
	return map_plainly(scene);
}

static int table_without_pages(struct scene *scene)
{
	scene->exporter->ops.no_struct_pages = true;
	return map_bent(scene, bend_pages);
}

/* Every other frame of the memory, though of a larger order. */
static int scattered_pfn(struct dma_buf_attachment *attach, pgoff_t pgoff,
			 u64 *pfn, unsigned int *max_order)
{
	struct mock_exporter *exporter = attach->dmabuf->priv;
	u64 base = page_to_pfn(virt_to_page(exporter->pages));

	*pfn = ALIGN_DOWN(base, 16) + pgoff * 2;
	*max_order = exporter->pfn_order;
	return 0;
}

static int pfn_scattered(struct scene *scene)
{
	scene->exporter->ops.get_pfn = scattered_pfn;
	return get_pfn(scene);
}

/* As honest as it gets for single pages. */
static int pfn_scattered_of_order_0(struct scene *scene)
{
	scene->exporter->pfn_order = 0;
	return pfn_scattered(scene);
}

/* The core lowers what is too large for the buffer. */
static int pfn_of_large_order(struct scene *scene)
{
	scene->exporter->pfn_order = 10;
	return get_pfn(scene);
}

/* --- What users of reservations do ------------------------------------------- */

/* Reserve @reserved slots and add @added fences. */
static int add_fences(struct scene *scene, unsigned int reserved, unsigned int added)
{
	struct dma_fence *fence;
	int ret = 0;

	lock(scene);
	if (reserved)
		ret = dma_resv_reserve_fences(scene->resv, reserved);
	for (unsigned int i = 0; i < added; i++) {
		fence = mock_fence_create(scene->test);
		dma_resv_add_fence(scene->resv, fence, DMA_RESV_USAGE_READ);
		dma_fence_signal(fence);
		dma_fence_put(fence);
	}
	unlock(scene);
	return ret;
}

static int add_without_slot(struct scene *scene)
{
	return add_fences(scene, 0, 1);
}

/* A slot that was not used before the lock was dropped is none any more. */
static int add_as_many_as_reserved(struct scene *scene)
{
	return add_fences(scene, 3, 3);
}

/* --- The rules ------------------------------------------------------------------ */

/**
 * struct rule_row - what somebody does, and what comes of it
 * @desc: for the log
 * @rule: which one it breaks, or BEHAVES
 * @flags: what exporter there is
 * @without: BIT(enum mock_op) of the callbacks that it has not
 * @dynamic: the importer follows moves
 * @no_importer: there is none
 * @odd_size: the buffer ends inside of its last page
 * @breach: does it
 * @ret: what the core says to it; 0 where it goes through, or cannot be refused
 */
struct rule_row {
	const char *desc;
	enum dma_contract_rule rule;
	unsigned int flags;
	unsigned long without;
	bool dynamic;
	bool no_importer;
	bool odd_size;
	int (*breach)(struct scene *scene);
	int ret;
};

#define DYNAMIC .flags = MOCK_MOVABLE, .dynamic = true

static const struct rule_row rule_rows[] = {
	{ "pin_by_static_importer", DMA_RULE_PIN_STATIC,
	  .breach = pin_once, .ret = -EINVAL },
	{ "pin_by_static_importer_of_movable", DMA_RULE_PIN_STATIC,
	  .flags = MOCK_MOVABLE, .breach = pin_once, .ret = -EINVAL },
	{ "pin_nests", BEHAVES, DYNAMIC, .breach = pin_and_unpin_nested },
	{ "unpin_without_pin", DMA_RULE_PIN_UNBALANCED, DYNAMIC, .breach = unpin_only },
	{ "unpin_by_static_importer", DMA_RULE_PIN_UNBALANCED,
	  .flags = MOCK_MOVABLE, .breach = unpin_only },

	{ "map", BEHAVES, .breach = map_plainly },
	{ "map_twice", BEHAVES, .breach = map_twice },
	{ "map_kept_twice", BEHAVES, .flags = MOCK_CACHED, .breach = map_twice },
	{ "map_in_two_directions", BEHAVES, .breach = map_in_two_directions },
	{ "unmap_twice", DMA_RULE_MAP_UNBALANCED, .breach = unmap_twice },
	{ "unmap_kept_twice", DMA_RULE_MAP_UNBALANCED, .flags = MOCK_CACHED,
	  .breach = unmap_twice },
	{ "unmap_of_core_twice", DMA_RULE_MAP_UNBALANCED, .flags = MOCK_MOVABLE,
	  .breach = unmap_twice },
	{ "map_without_direction", DMA_RULE_MAP_DIRECTION,
	  .breach = map_without_direction, .ret = -EINVAL },
	{ "unmap_in_other_direction", DMA_RULE_MAP_DIRECTION,
	  .breach = unmap_in_other_direction },
	{ "unmap_without_direction", DMA_RULE_MAP_DIRECTION,
	  .breach = unmap_without_direction },
	{ "map_not_preemptible", DMA_RULE_MAP_ATOMIC,
	  .breach = map_not_preemptible, .ret = -EINVAL },
	{ "try_map_not_preemptible", DMA_RULE_MAP_ATOMIC, .flags = MOCK_TRY,
	  .breach = try_map_not_preemptible, .ret = -EINVAL },
	{ "try_map", BEHAVES, .flags = MOCK_TRY, .breach = try_map },

	{ "vunmap_too_often", DMA_RULE_VMAP_UNBALANCED, .breach = vunmap_too_often },
	{ "vunmap_of_other_address", DMA_RULE_VMAP_UNBALANCED,
	  .breach = vunmap_of_other_address },
	{ "vmap_nests", BEHAVES, .breach = vmap_nested },
	{ "vmap_of_movable_without_lock", DMA_RULE_VMAP_UNSTABLE,
	  .flags = MOCK_MOVABLE, .no_importer = true, .breach = vmap_without_lock },
	{ "vmap_of_movable_that_fails", BEHAVES, .flags = MOCK_MOVABLE,
	  .no_importer = true, .breach = vmap_that_fails, .ret = -ENXIO },
	{ "vmap_of_static_without_lock", BEHAVES, .no_importer = true,
	  .breach = vmap_without_lock },
	{ "vmap_of_movable_with_lock", BEHAVES, .flags = MOCK_MOVABLE,
	  .no_importer = true, .breach = vmap_nested },
	{ "vmap_of_movable_for_static_importer", BEHAVES, .flags = MOCK_MOVABLE,
	  .breach = vmap_without_lock },
	{ "vmap_of_movable_for_dynamic_importer", BEHAVES, DYNAMIC,
	  .breach = vmap_without_lock },
	{ "vmap_of_pinned", BEHAVES, DYNAMIC, .breach = vmap_pinned },

	{ "end_without_begin", DMA_RULE_ACCESS_UNBALANCED,
	  .breach = end_without_begin, .ret = -EINVAL },
	{ "end_after_failed_begin", BEHAVES, .breach = begin_failed },
	{ "access_of_two", BEHAVES, .breach = access_in_turn },
	{ "user_space_only_ends", BEHAVES, .breach = user_only_ends },
	{ "user_space_only_begins", BEHAVES, .breach = user_only_begins },
	{ "user_space_ends_during_access", BEHAVES, .breach = user_ends_during_access },

	{ "move_pinned", DMA_RULE_MOVE_PINNED, DYNAMIC, .breach = move_pinned },
	{ "move_pinned_by_core", DMA_RULE_MOVE_PINNED, .flags = MOCK_MOVABLE,
	  .breach = move_once },
	{ "move_pinned_and_vmapped", DMA_RULE_MOVE_PINNED, DYNAMIC,
	  .breach = move_pinned_and_vmapped },
	{ "revoke_pinned", BEHAVES, DYNAMIC, .breach = revoke_pinned },
	{ "move_after_unpin", BEHAVES, DYNAMIC, .breach = move_after_unpin },
	{ "move_vmapped", DMA_RULE_MOVE_VMAPPED, DYNAMIC, .breach = move_vmapped },
	{ "move_after_vunmap", BEHAVES, DYNAMIC, .breach = move_after_vunmap },

	{ "detach_mapped", DMA_RULE_DETACH_MAPPED, .breach = detach_mapped },
	{ "detach_with_kept_mapping", DMA_RULE_DETACH_MAPPED, .flags = MOCK_CACHED,
	  .breach = detach_with_kept_mapping },
	{ "detach_with_mapping_of_core", DMA_RULE_DETACH_MAPPED, .flags = MOCK_MOVABLE,
	  .breach = detach_with_kept_mapping },
	{ "detach_unmapped_kept", BEHAVES, .flags = MOCK_CACHED, .breach = map_and_detach },
	{ "detach_unmapped_of_core", BEHAVES, .flags = MOCK_MOVABLE,
	  .breach = map_and_detach },
	{ "detach_pinned", DMA_RULE_DETACH_PINNED, DYNAMIC, .breach = detach_pinned },
	{ "release_attached", DMA_RULE_RELEASE_ATTACHED, .without = BIT(MOCK_DETACH),
	  .breach = release_attached },
	{ "release_vmapped", DMA_RULE_RELEASE_VMAPPED, .without = BIT(MOCK_VUNMAP),
	  .breach = vmap_and_release },
	{ "release_accessed", DMA_RULE_RELEASE_ACCESSED, .breach = begin_and_release },

	{ "map_unlocked", DMA_RULE_CALL_UNLOCKED, .breach = unlocked_map, .ret = -EINVAL },
	{ "try_map_unlocked", DMA_RULE_CALL_UNLOCKED, .flags = MOCK_TRY,
	  .breach = unlocked_try_map, .ret = -EINVAL },
	{ "unmap_unlocked", DMA_RULE_CALL_UNLOCKED, .breach = unlocked_unmap },
	{ "pin_unlocked", DMA_RULE_CALL_UNLOCKED, DYNAMIC,
	  .breach = unlocked_pin, .ret = -EINVAL },
	{ "unpin_unlocked", DMA_RULE_CALL_UNLOCKED, DYNAMIC, .breach = unlocked_unpin },
	{ "get_pfn_unlocked", DMA_RULE_CALL_UNLOCKED, .flags = MOCK_PFN,
	  .breach = unlocked_get_pfn, .ret = -EINVAL },
	{ "vmap_unlocked", DMA_RULE_CALL_UNLOCKED, .breach = unlocked_vmap, .ret = -EINVAL },
	{ "vunmap_unlocked", DMA_RULE_CALL_UNLOCKED, .breach = unlocked_vunmap },
	{ "move_notify_unlocked", DMA_RULE_CALL_UNLOCKED, DYNAMIC,
	  .breach = unlocked_move_notify },
	{ "revoke_notify_unlocked", DMA_RULE_CALL_UNLOCKED, DYNAMIC,
	  .breach = unlocked_revoke_notify },

	{ "map_drops_lock", DMA_RULE_LOCK_DROPPED, .breach = map_drops_lock },
	{ "unmap_drops_lock", DMA_RULE_LOCK_DROPPED, .breach = unmap_drops_lock },
	{ "try_map_drops_lock", DMA_RULE_LOCK_DROPPED, .flags = MOCK_TRY,
	  .breach = try_map_drops_lock },
	{ "pin_drops_lock", DMA_RULE_LOCK_DROPPED, DYNAMIC, .breach = pin_drops_lock },
	{ "unpin_drops_lock", DMA_RULE_LOCK_DROPPED, DYNAMIC, .breach = unpin_drops_lock },
	{ "get_pfn_drops_lock", DMA_RULE_LOCK_DROPPED, .flags = MOCK_PFN,
	  .breach = get_pfn_drops_lock },
	{ "vmap_drops_lock", DMA_RULE_LOCK_DROPPED, .breach = vmap_drops_lock },
	{ "vunmap_drops_lock", DMA_RULE_LOCK_DROPPED, .breach = vunmap_drops_lock },
	{ "move_notify_drops_lock", DMA_RULE_LOCK_DROPPED, DYNAMIC,
	  .breach = move_notify_drops_lock },
	{ "move_notify_drops_lock_to_detach", DMA_RULE_LOCK_DROPPED, DYNAMIC,
	  .breach = move_notify_drops_lock_to_detach },

	{ "table_shared", DMA_RULE_TABLE_SHARED, .breach = share_table },
	{ "table_shared_in_two_directions", DMA_RULE_TABLE_SHARED,
	  .breach = share_table_in_two_directions },
	{ "table_kept", BEHAVES, .flags = MOCK_CACHED, .breach = map_twice },
	{ "table_at_odd_address", DMA_RULE_TABLE_UNALIGNED,
	  .breach = table_address, .ret = -EIO },
	{ "table_of_odd_length", DMA_RULE_TABLE_UNALIGNED,
	  .breach = table_length, .ret = -EIO },
	{ "table_too_long", DMA_RULE_TABLE_LENGTH, .breach = table_bytes, .ret = -EIO },
	{ "table_of_merged_entries", BEHAVES, .flags = MOCK_MERGE, .breach = map_plainly },
	{ "table_without_addresses", DMA_RULE_TABLE_LENGTH,
	  .breach = table_unmapped, .ret = -EIO },
	{ "table_empty", BEHAVES, .breach = table_empty },
	{ "table_of_odd_size", BEHAVES, .odd_size = true, .breach = map_plainly },
	{ "table_that_ends_in_a_page", BEHAVES, .odd_size = true, .breach = table_end },
	{ "table_that_ends_too_early", DMA_RULE_TABLE_UNALIGNED,
	  .breach = table_end, .ret = -EIO },
	{ "table_with_a_hole", DMA_RULE_TABLE_UNALIGNED, .odd_size = true,
	  .breach = table_hole, .ret = -EIO },
	{ "table_with_pages", DMA_RULE_TABLE_PAGES, .breach = table_with_pages },
	{ "table_without_pages", BEHAVES, .breach = table_without_pages },
	{ "pfn_scattered", DMA_RULE_PFN_ORDER, .flags = MOCK_PFN, .breach = pfn_scattered },
	{ "pfn_scattered_of_order_0", BEHAVES, .flags = MOCK_PFN,
	  .breach = pfn_scattered_of_order_0 },
	{ "pfn_of_large_order", BEHAVES, .flags = MOCK_PFN, .breach = pfn_of_large_order },

	{ "add_without_slot", DMA_RULE_RESV_UNRESERVED, .breach = add_without_slot },
	{ "add_as_many_as_reserved", BEHAVES, .breach = add_as_many_as_reserved },
};

KUNIT_ARRAY_PARAM_DESC(rule_row, rule_rows, desc);

/* --- Reports ---------------------------------------------------------------------- */

/* Where the kernel's log has got to. */
static u64 log_position(void)
{
	struct kmsg_dump_iter iter;

	kmsg_dump_rewind(&iter);
	return iter.next_seq;
}

/*
 * How many lines behind @since begin with @start? Puts the last of them into
 * @line.
 */
static unsigned int lines_since(u64 since, const char *start, char *line, size_t size)
{
	struct kmsg_dump_iter iter;
	unsigned int nr = 0;
	char text[256];
	size_t len;

	kmsg_dump_rewind(&iter);
	iter.cur_seq = since;
	while (kmsg_dump_get_line(&iter, false, text, sizeof(text) - 1, &len)) {
		char *found;

		text[len] = 0;
		found = strstr(text, start);
		if (!found)
			continue;
		nr++;
		if (line)
			strscpy(line, found, size);
	}
	return nr;
}

/* How often has each rule been broken? */
static void take_counts(unsigned int *counts)
{
	for (int rule = 0; rule < DMA_NR_RULES; rule++)
		counts[rule] = dma_contract_count(rule);
}

static bool row_runs(const struct rule_row *row)
{
	return row->rule != DMA_RULE_MAP_ATOMIC || IS_ENABLED(CONFIG_PREEMPT_COUNT);
}

/* Play the row once. A function, so that the place is the same each time. */
static noinline void play(struct kunit *test, const struct rule_row *row)
{
	struct mock_exporter_config config = {
		.flags = row->flags, .without = row->without,
	};
	struct scene *scene = kunit_kzalloc(test, sizeof(*scene), GFP_KERNEL);
	struct mock_exporter *exporter = mock_exporter_alloc(test, &config);

	KUNIT_ASSERT_NOT_NULL(test, scene);
	scene->test = test;
	scene->exporter = exporter;
	scene->drops = MOCK_NR_OPS;
	exporter->hook_data = scene;
	straight_map = exporter->ops.map_dma_buf;
	straight_unmap = exporter->ops.unmap_dma_buf;
	exporter->ops.map_dma_buf = bent_map;
	exporter->ops.unmap_dma_buf = bent_unmap;
	exporter->info.size -= row->odd_size ? ODD_BYTES : 0;
	mock_exporter_export(exporter);
	scene->dmabuf = exporter->dmabuf;
	scene->resv = exporter->dmabuf->resv;
	if (!row->no_importer)
		scene->importer = mock_importer_create(test, exporter, row->dynamic);

	KUNIT_EXPECT_EQ(test, row->breach(scene), row->ret);

	exporter->hook = NULL;
	if (scene->importer)
		mock_importer_detach(scene->importer);
	mock_exporter_destroy(exporter);
}

/* Play the row @times and expect the counters to say so, and @lines in the log. */
static void expect_reports(struct kunit *test, const struct rule_row *row,
			   unsigned int times, unsigned int lines)
{
	unsigned int before[DMA_NR_RULES], after[DMA_NR_RULES];
	u64 since = log_position();

	take_counts(before);
	for (unsigned int i = 0; i < times; i++) {
		play(test, row);
		/* A loop that is not unrolled: two calls would be two places. */
		OPTIMIZER_HIDE_VAR(i);
	}
	take_counts(after);

	for (int rule = 0; rule < DMA_NR_RULES; rule++)
		KUNIT_EXPECT_EQ_MSG(test, after[rule] - before[rule],
				    rule == row->rule ? times : 0,
				    "%s", dma_contract_name(rule));
	KUNIT_EXPECT_EQ(test, lines, lines_since(since, "dma-buf contract, ", NULL, 0));
}

/*
 * Passes if what breaks a rule counts for that rule and for no other, warns the
 * first time, only counts from then on, and is refused if the row says so; if
 * what breaks none does neither; and if all that was done is undone at the end.
 */
static void rule_row_is_kept(struct kunit *test)
{
	const struct rule_row *row = test->param_value;

	if (!row_runs(row)) {
		kunit_skip(test, "needs CONFIG_PREEMPT_COUNT");
		return;
	}
	dma_contract_forget();
	if (row->rule == BEHAVES) {
		expect_reports(test, row, 2, 0);
		return;
	}
	dmabuf_expect_warning_begin(test);
	expect_reports(test, row, 2, 1);
	dmabuf_expect_warning_end(test);
}

static const struct rule_row *row_called(const char *desc)
{
	for (size_t i = 0; i < ARRAY_SIZE(rule_rows); i++)
		if (!strcmp(rule_rows[i].desc, desc))
			return &rule_rows[i];
	return NULL;
}

/* Passes if each rule of buffers and reservations is broken by a row. */
static void every_rule_has_a_row(struct kunit *test)
{
	for (int rule = 0; rule < DMA_NR_RULES; rule++) {
		bool has_row = rule == DMA_RULE_FENCE_STUCK;

		for (size_t i = 0; i < ARRAY_SIZE(rule_rows); i++)
			has_row |= rule_rows[i].rule == rule;
		KUNIT_EXPECT_TRUE_MSG(test, has_row, "%s", dma_contract_name(rule));
	}
}

/* Passes if no two rules are counted under one name. */
static void every_rule_has_a_name(struct kunit *test)
{
	for (int rule = 0; rule < DMA_NR_RULES; rule++) {
		KUNIT_ASSERT_NOT_NULL(test, dma_contract_name(rule));
		for (int other = 0; other < rule; other++)
			KUNIT_EXPECT_STRNEQ(test, dma_contract_name(rule),
					    dma_contract_name(other));
	}
}

/*
 * Passes if the report is one line with the rule, what was broken, exporter,
 * importer and the buffer's name.
 */
static void report_names_everybody(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);
	char line[200] = "", expected[200];
	u64 since = log_position();

	exporter->dmabuf->name = kstrdup("frame", GFP_KERNEL);	/* Freed with the buffer. */
	dma_contract_forget();
	dmabuf_expect_warning_begin(test);
	dma_resv_lock(exporter->dmabuf->resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_buf_pin(importer->attach), -EINVAL);
	dma_resv_unlock(exporter->dmabuf->resv);
	dmabuf_expect_warning_end(test);

	snprintf(expected, sizeof(expected),
		 "dma-buf contract, pin-static: mock_exporter: pin by a static importer; importer %s, buffer frame",
		 dev_name(importer->dev));
	KUNIT_EXPECT_EQ(test, 1, lines_since(since, "dma-buf contract, ", line, sizeof(line)));
	line[strcspn(line, "\n")] = 0;
	KUNIT_EXPECT_STREQ(test, line, expected);
}

/* Passes if a report about a buffer without name and importer can be made. */
static void report_without_name_and_importer(struct kunit *test)
{
	const struct rule_row *row = row_called("vmap_of_movable_without_lock");
	u64 since = log_position();
	char line[200] = "";

	dma_contract_forget();
	dmabuf_expect_warning_begin(test);
	play(test, row);
	dmabuf_expect_warning_end(test);

	KUNIT_EXPECT_EQ(test, 1, lines_since(since, "dma-buf contract, ", line, sizeof(line)));
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, "importer <none>, buffer <none>"));
}

/* Passes if the name that user space gave cannot look like a line of its own. */
static void report_is_one_line_whatever_the_name(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	u64 since = log_position();
	char line[200] = "";

	exporter->dmabuf->name = kstrdup("a\nBUG: b", GFP_KERNEL);	/* Freed with the buffer. */
	dma_contract_forget();
	dmabuf_expect_warning_begin(test);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(exporter->dmabuf, DMA_TO_DEVICE), -EINVAL);
	dmabuf_expect_warning_end(test);

	KUNIT_EXPECT_EQ(test, 1, lines_since(since, "dma-buf contract, ", line, sizeof(line)));
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, "buffer a\\nBUG: b"));
}

/* Passes if the report names who has left an attachment, by then without a device. */
static void report_names_who_has_not_detached(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_create(test,
			&(struct mock_exporter_config) { .without = BIT(MOCK_DETACH) });
	struct mock_importer *importer = mock_importer_create(test, exporter, false);
	struct dma_buf_attachment *attach = importer->attach;
	char line[200] = "", name[40];
	u64 since = log_position();

	importer->attach = NULL;
	snprintf(name, sizeof(name), "importer %s, ", dev_name(importer->dev));
	kunit_device_unregister(test, importer->dev);
	dma_contract_forget();
	dmabuf_expect_warning_begin(test);
	mock_exporter_put(exporter);
	KUNIT_ASSERT_TRUE(test, mock_exporter_is_released(exporter));
	dmabuf_expect_warning_end(test);
	kfree(attach);	/* Nobody has it any more. */

	KUNIT_EXPECT_EQ(test, 1, lines_since(since, "dma-buf contract, ", line, sizeof(line)));
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(line, name), "%s", line);
}

/* Passes if a fence without a slot is named, and whose it is. */
static void report_of_reservation_names_the_fence(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct dma_resv *resv = exporter->dmabuf->resv;
	struct dma_fence *fence = mock_fence_create(test);
	char line[200] = "", expected[160];
	u64 since = log_position();

	dma_contract_forget();
	dma_resv_lock(resv, NULL);
	dmabuf_expect_warning_begin(test);
	dma_resv_add_fence(resv, fence, DMA_RESV_USAGE_READ);
	dmabuf_expect_warning_end(test);
	dma_resv_unlock(resv);

	snprintf(expected, sizeof(expected),
		 "dma-buf contract, resv-unreserved: %s: fence %s:%llu:%llu was added without a reserved slot",
		 MOCK_DRIVER_NAME, MOCK_TIMELINE_NAME, fence->context, fence->seqno);
	dma_fence_signal(fence);
	dma_fence_put(fence);
	KUNIT_EXPECT_EQ(test, 1, lines_since(since, "dma-buf contract, ", line, sizeof(line)));
	line[strcspn(line, "\n")] = 0;
	KUNIT_EXPECT_STREQ(test, line, expected);
}

/* Passes if what was warned of is warned of again after it was forgotten. */
static void report_comes_again_when_forgotten(struct kunit *test)
{
	const struct rule_row *row = row_called("pin_by_static_importer");

	dma_contract_forget();
	dmabuf_expect_warning_begin(test);
	expect_reports(test, row, 1, 1);
	dma_contract_forget();
	expect_reports(test, row, 1, 1);
	dmabuf_expect_warning_end(test);
}

static noinline void pin_here(struct mock_importer *importer)
{
	dma_buf_pin(importer->attach);
	/* Not a tail call, which would hide this function. */
	barrier();
}

static noinline void pin_there(struct mock_importer *importer)
{
	dma_buf_pin(importer->attach);
	barrier();
}

/* Passes if each place in a driver gets a warning of its own. */
static void report_is_for_the_place(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);
	u64 since = log_position();

	if (IS_ENABLED(CONFIG_UML) && !IS_ENABLED(CONFIG_FRAME_POINTER))
		kunit_skip(test, "callers are not known without frame pointers");

	dma_contract_forget();
	dma_resv_lock(exporter->dmabuf->resv, NULL);
	dmabuf_expect_warning_begin(test);
	pin_here(importer);
	pin_there(importer);
	dmabuf_expect_warning_end(test);
	dma_resv_unlock(exporter->dmabuf->resv);

	KUNIT_EXPECT_EQ(test, 2, lines_since(since, "dma-buf contract, ", NULL, 0));
}

static void race_end(void *dmabuf)
{
	for (int i = 0; i < 50; i++) {
		dma_buf_end_cpu_access(dmabuf, DMA_TO_DEVICE);
		cond_resched();
	}
}

/* Passes if of those who break a rule in one place at a time one is reported, and all count. */
static void reports_race_for_one_place(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct mock_race race = {
		.ctx = exporter->dmabuf, .rounds = 4,
		.racer = { race_end, race_end, race_end },
	};
	unsigned int before = dma_contract_count(DMA_RULE_ACCESS_UNBALANCED);
	u64 since = log_position();

	dma_contract_forget();
	dmabuf_expect_warning_begin(test);
	mock_race(test, &race);
	dmabuf_expect_warning_end(test);

	KUNIT_EXPECT_EQ(test, 4 * 3 * 50,
			dma_contract_count(DMA_RULE_ACCESS_UNBALANCED) - before);
	KUNIT_EXPECT_EQ(test, 1, lines_since(since, "dma-buf contract, ", NULL, 0));
}

/*
 * What the counter in debugfs shows, or a negative errno. As user space reads it:
 * there is no other way to read such a file.
 */
static int debugfs_counter(struct kunit *test, struct vfsmount *mnt, const char *path)
{
	unsigned long user = mock_user_page(test, PROT_READ | PROT_WRITE);
	struct file *file = mock_fs_open(mnt, path, O_RDONLY);
	char text[16] = "";
	loff_t pos = 0;
	ssize_t len;
	int value;

	if (IS_ERR(file))
		return PTR_ERR(file);
	len = file->f_op->read(file, (char __user *)user, sizeof(text) - 1, &pos);
	__fput_sync(file);
	if (len < 0)
		return len;
	if (copy_from_user(text, (char __user *)user, len))
		return -EFAULT;
	return kstrtoint(strim(text), 10, &value) ?: value;
}

/* Passes if there is a file for each rule, which shows how often it was broken. */
static void debugfs_has_the_counters(struct kunit *test)
{
	struct vfsmount *mnt = mock_fs_mount(test, "debugfs");
	char path[64];

	if (!IS_ENABLED(CONFIG_DEBUG_FS))
		kunit_skip(test, "needs CONFIG_DEBUG_FS");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mnt);

	dma_contract_forget();
	dmabuf_expect_warning_begin(test);
	play(test, row_called("pin_by_static_importer"));
	dmabuf_expect_warning_end(test);
	KUNIT_EXPECT_GT(test, dma_contract_count(DMA_RULE_PIN_STATIC), 0);

	for (int rule = 0; rule < DMA_NR_RULES; rule++) {
		snprintf(path, sizeof(path), "dma_buf/contract/%s", dma_contract_name(rule));
		KUNIT_EXPECT_EQ_MSG(test, debugfs_counter(test, mnt, path),
				    dma_contract_count(rule), "%s", path);
	}
}

static struct kunit_case dma_contract_cases[] = {
	KUNIT_CASE_PARAM(rule_row_is_kept, rule_row_gen_params),
	KUNIT_CASE(every_rule_has_a_row),
	KUNIT_CASE(every_rule_has_a_name),
	KUNIT_CASE(report_names_everybody),
	KUNIT_CASE(report_without_name_and_importer),
	KUNIT_CASE(report_is_one_line_whatever_the_name),
	KUNIT_CASE(report_names_who_has_not_detached),
	KUNIT_CASE(report_of_reservation_names_the_fence),
	KUNIT_CASE(report_comes_again_when_forgotten),
	KUNIT_CASE(report_is_for_the_place),
	KUNIT_CASE_SLOW(reports_race_for_one_place),
	KUNIT_CASE(debugfs_has_the_counters),
	{}
};

#else

/* For the list of suites: there is nothing to test in this kernel. */
static void no_contract(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_DMABUF_CONTRACT");
}

static struct kunit_case dma_contract_cases[] = {
	KUNIT_CASE(no_contract),
	{}
};

#endif /* CONFIG_DMABUF_CONTRACT */

static struct kunit_suite dma_contract_suite = {
	.name = "dma_contract",
	.init = mock_fence_init,
	.test_cases = dma_contract_cases,
};

kunit_test_suite(dma_contract_suite);

#endif /* DMABUF_OURS */
