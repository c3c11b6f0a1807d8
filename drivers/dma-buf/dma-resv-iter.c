// SPDX-License-Identifier: GPL-2.0
/*
 * Walking over the fences of a reservation object: with the lock held, over all
 * of them, or without it under RCU, over those that are pending.
 */

#include <linux/bug.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/kconfig.h>
#include <linux/rcupdate.h>

#include "dma-resv-internal.h"

/* Walk on from here; what was found on a list that is not current is dropped. */
static __always_inline struct dma_fence *walk_unlocked(struct dma_resv_iter *cursor)
{
	for (;;) {
		struct dma_fence *fence;

		if (!dma_resv_cursor_next_pending(cursor, &fence))
			fence = NULL;
		if (!dma_resv_cursor_is_stale(cursor))
			return fence;

		dma_fence_put(fence);
		dma_resv_cursor_rewind(cursor);
	}
}

/**
 * dma_resv_iter_first_unlocked() - begin a lockless walk
 * @cursor: a cursor from dma_resv_iter_begin()
 *
 * Usually called by dma_resv_for_each_fence_unlocked().
 *
 * Context: Any context that may take the locks of the fences in the object.
 * Return: the first pending fence, which the cursor keeps referenced until it
 * is moved or ended, or NULL if there is none.
 */
struct dma_fence *dma_resv_iter_first_unlocked(struct dma_resv_iter *cursor)
{
	dma_fence_put(cursor->ref);

	rcu_read_lock();
	dma_resv_cursor_rewind(cursor);
	cursor->ref = walk_unlocked(cursor);
	rcu_read_unlock();

	return cursor->ref;
}
EXPORT_SYMBOL(dma_resv_iter_first_unlocked);

/**
 * dma_resv_iter_next_unlocked() - continue a lockless walk
 * @cursor: a cursor that was moved to a fence before
 *
 * Usually called by dma_resv_for_each_fence_unlocked().
 *
 * Context: Any context that may take the locks of the fences in the object.
 * Return: the next pending fence, which the cursor keeps referenced until it is
 * moved or ended, or NULL if there is none. The first one again if the walk had
 * to start over, see dma_resv_iter_is_restarted().
 */
struct dma_fence *dma_resv_iter_next_unlocked(struct dma_resv_iter *cursor)
{
	dma_fence_put(cursor->ref);

	rcu_read_lock();
	cursor->restarted = false;
	if (dma_resv_cursor_is_lost(cursor))
		dma_resv_cursor_rewind(cursor);
	cursor->ref = walk_unlocked(cursor);
	rcu_read_unlock();

	return cursor->ref;
}
EXPORT_SYMBOL(dma_resv_iter_next_unlocked);

/* Walk on from here with the lock held, signaled or not. */
static __always_inline struct dma_fence *walk_locked(struct dma_resv_iter *cursor)
{
	struct dma_resv_slot *slot;

	while (dma_resv_cursor_next_slot(cursor, &slot)) {
		unsigned long entry = slot->entry;
		struct dma_fence *fence = dma_resv_entry_fence(entry);

		if (fence && dma_resv_entry_usage(entry) <= cursor->usage) {
			cursor->found_usage = dma_resv_entry_usage(entry);
			return fence;
		}
	}
	return NULL;
}

/**
 * dma_resv_iter_first() - begin a walk with the lock held
 * @cursor: a cursor from dma_resv_iter_begin()
 *
 * Usually called by dma_resv_for_each_fence().
 *
 * Context: The caller holds the reservation lock.
 * Return: the first fence, signaled or not, without a reference, or NULL if
 * there is none.
 */
struct dma_fence *dma_resv_iter_first(struct dma_resv_iter *cursor)
{
	dma_resv_assert_held(cursor->obj);

	dma_resv_cursor_rewind(cursor);
	return walk_locked(cursor);
}
EXPORT_SYMBOL_GPL(dma_resv_iter_first);

/**
 * dma_resv_iter_next() - continue a walk with the lock held
 * @cursor: a cursor that was moved to a fence while the lock was held
 *
 * Usually called by dma_resv_for_each_fence(). Debug kernels report if slots were
 * reserved since the walk began, and start over; others may use freed memory.
 *
 * Context: The caller holds the reservation lock.
 * Return: the next fence, signaled or not, without a reference, or NULL if
 * there is none.
 */
struct dma_fence *dma_resv_iter_next(struct dma_resv_iter *cursor)
{
	dma_resv_assert_held(cursor->obj);

	cursor->restarted = false;
	if (IS_ENABLED(CONFIG_DEBUG_MUTEXES) &&
	    WARN_ON_ONCE(dma_resv_cursor_is_lost(cursor)))
		dma_resv_cursor_rewind(cursor);
	return walk_locked(cursor);
}
EXPORT_SYMBOL_GPL(dma_resv_iter_next);
