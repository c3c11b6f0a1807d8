// SPDX-License-Identifier: GPL-2.0
/*
 * Teaches lockdep at boot what nests around the reservation lock, so that a
 * driver which gets it wrong is told on the first run, not on the first
 * deadlock:
 *
 *   mmap_lock                          a page fault may lock a buffer
 *     reservation lock                 with and without a ww context
 *       fs_reclaim                     memory is allocated under it
 *         i_mmap_rwsem                 reclaim unmaps pages of files,
 *         mmu notifiers                calls notifiers,
 *           dma_fence_wait()           and those wait for devices
 *
 * Hence no fence may depend on anything that takes one of these or that
 * allocates memory by reclaim.
 */

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/gfp_types.h>
#include <linux/init.h>
#include <linux/lockdep.h>
#include <linux/mmap_lock.h>
#include <linux/mmu_notifier.h>
#include <linux/sched/mm.h>

/* What memory reclaim may do, inner part of the lesson. */
static void __init lesson_reclaim(struct address_space *mapping)
{
	fs_reclaim_acquire(GFP_KERNEL);

	i_mmap_lock_write(mapping);
	i_mmap_unlock_write(mapping);

#ifdef CONFIG_MMU_NOTIFIER
	lock_map_acquire(&__mmu_notifier_invalidate_range_start_map);
	__dma_fence_might_wait();
	lock_map_release(&__mmu_notifier_invalidate_range_start_map);
#else
	__dma_fence_might_wait();
#endif

	fs_reclaim_release(GFP_KERNEL);
}

/* What may happen with a reservation locked, and with what it is locked. */
static void __init lesson_reservation(struct address_space *mapping)
{
	struct ww_acquire_ctx ctx;
	struct dma_resv obj;

	dma_resv_init(&obj);
	ww_acquire_init(&ctx, &reservation_ww_class);
	/* Deadlock injection refuses the lock although nobody has it. */
	if (dma_resv_lock(&obj, &ctx) == -EDEADLK)
		dma_resv_lock_slow(&obj, &ctx);

	lesson_reclaim(mapping);

	dma_resv_unlock(&obj);
	ww_acquire_fini(&ctx);
	dma_resv_fini(&obj);
}

static int __init dma_resv_lockdep(void)
{
	struct address_space mapping;
	struct mm_struct *mm;

	mm = mm_alloc();
	if (!mm)
		return -ENOMEM;

	address_space_init_once(&mapping);
	mmap_read_lock(mm);
	lesson_reservation(&mapping);
	mmap_read_unlock(mm);
	mmput(mm);
	return 0;
}
subsys_initcall(dma_resv_lockdep);
