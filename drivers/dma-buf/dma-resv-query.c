// SPDX-License-Identifier: GPL-2.0
/*
 * Questions about a reservation object that are answered by walking over its
 * fences: collect them, wait for them, ask whether they are done, hurry them up,
 * describe them.
 */

#include <linux/cleanup.h>
#include <linux/dma-fence.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "dma-resv-internal.h"

/* An array of fences, with a reference on each. */
struct collection {
	struct dma_fence **fences;
	size_t room;
	size_t count;
};

/* Walk once from the beginning; false if that was disturbed or ran out of room. */
static bool collection_gather(struct collection *found,
			      struct dma_resv_iter *walk)
{
	struct dma_fence *fence;

	guard(rcu)();
	dma_resv_cursor_rewind(walk);
	while (dma_resv_cursor_next_pending(walk, &fence)) {
		if (found->count == found->room) {
			dma_fence_put(fence);
			return false;
		}
		found->fences[found->count++] = fence;
	}
	return !dma_resv_cursor_is_stale(walk);
}

/* Drop all of an array and the array itself. */
static void put_fences(struct dma_fence **fences, size_t count)
{
	while (count--)
		dma_fence_put(fences[count]);
	kfree(fences);
}

/**
 * dma_resv_get_fences() - collect the pending fences
 * @obj: the object
 * @usage: the weakest usage of interest
 * @num_fences: number of fences, 0 on failure
 * @fences: array of them, to be freed with kfree(), with a reference on each,
 *	to be dropped with dma_fence_put(); NULL if there is none, and on failure
 *
 * Context: Process context; may sleep. Works with the lock held and without.
 * Return: 0, or %-ENOMEM if there was no memory for the array.
 */
int dma_resv_get_fences(struct dma_resv *obj, enum dma_resv_usage usage,
			unsigned int *num_fences, struct dma_fence ***fences)
{
	bool complete = false;
	struct dma_resv_iter walk;

	*num_fences = 0;
	*fences = NULL;
	dma_resv_iter_begin(&walk, obj, usage);
	while (!complete) {
		struct collection found = { .room = dma_resv_cursor_measure(&walk) };
		size_t size;

		if (!found.room)
			return 0;

		/* Use all of the allocation: fences may be added meanwhile. */
		size = kmalloc_size_roundup(array_size(found.room, sizeof(*fences)));
		found.room = size / sizeof(*fences);
		/* User space decides how many fences there are. */
		found.fences = kmalloc(size, GFP_KERNEL | __GFP_NOWARN);
		if (!found.fences)
			return -ENOMEM;

		complete = collection_gather(&found, &walk);
		if (complete && found.count) {
			*num_fences = found.count;
			*fences = found.fences;
		} else {
			put_fences(found.fences, found.count);
		}
	}
	return 0;
}
EXPORT_SYMBOL_GPL(dma_resv_get_fences);

/* One fence for all of an array, which is taken; NULL if there is no memory. */
static struct dma_fence *unite_fences(struct dma_fence **fences, size_t count)
{
	u64 context = dma_fence_context_alloc(1);
	struct dma_fence_array *array;

	array = dma_fence_array_create(count, fences, context, 1, false);
	if (array)
		return &array->base;

	put_fences(fences, count);
	return NULL;
}

/**
 * dma_resv_get_singleton() - the pending fences as a single one
 * @obj: the object
 * @usage: the weakest usage of interest
 * @fence: the fence, a &struct dma_fence_array if there are several, with a
 *	reference that the caller drops with dma_fence_put(); NULL if there is
 *	none, and on failure
 *
 * Context: Process context; may sleep. Works with the lock held and without.
 * Return: 0, or %-ENOMEM if there was no memory for the array.
 */
int dma_resv_get_singleton(struct dma_resv *obj, enum dma_resv_usage usage,
			   struct dma_fence **fence)
{
	struct dma_fence **fences;
	unsigned int count;
	int ret;

	*fence = NULL;
	ret = dma_resv_get_fences(obj, usage, &count, &fences);
	if (ret || !count)
		return ret;

	if (count > 1) {
		*fence = unite_fences(fences, count);
		return *fence ? 0 : -ENOMEM;
	}

	*fence = fences[0];
	kfree(fences);
	return 0;
}
EXPORT_SYMBOL_GPL(dma_resv_get_singleton);

/**
 * dma_resv_wait_timeout() - wait until the fences have signaled
 * @obj: the object
 * @usage: the weakest usage of interest
 * @intr: let signals interrupt the wait
 * @timeout: for how long at most, in jiffies; 0 only asks, and sees to it that
 *	the fences signal some day
 *
 * Also waits for fences that are added in the meantime, as far as it notices.
 *
 * Context: Process context; may sleep. Works with the lock held and without.
 * Return: what is left of the time, or 1 if that is nothing, when all fences have
 * signaled; 0 if some were still pending when the time was up; else
 *
 *  * %-ERESTARTSYS - a signal arrived, and @intr is set
 *  * others        - as the wait callback of a fence's driver returns them
 */
long dma_resv_wait_timeout(struct dma_resv *obj, enum dma_resv_usage usage,
			   bool intr, unsigned long timeout)
{
	long left = min_t(unsigned long, timeout, MAX_SCHEDULE_TIMEOUT);
	long ret = left ?: 1;
	struct dma_resv_iter walk;
	struct dma_fence *fence;

	if (!dma_resv_has_slots(obj, usage))
		return ret;

	dma_resv_iter_begin(&walk, obj, usage);
	dma_resv_for_each_fence_unlocked(&walk, fence) {
		ret = dma_fence_wait_timeout(fence, intr, left);
		if (ret <= 0)
			break;

		/* A poll remains a poll, although it succeeds with 1. */
		if (left)
			left = ret;
	}
	dma_resv_iter_end(&walk);

	return ret;
}
EXPORT_SYMBOL_GPL(dma_resv_wait_timeout);

/**
 * dma_resv_test_signaled() - have the fences signaled?
 * @obj: the object
 * @usage: the weakest usage of interest
 *
 * Context: Any context that may take the locks of the fences in the object.
 * Return: true if no fence was found pending.
 */
bool dma_resv_test_signaled(struct dma_resv *obj, enum dma_resv_usage usage)
{
	struct dma_resv_iter walk;
	struct dma_fence *fence;
	bool pending;

	if (!rcu_access_pointer(obj->fences))
		return true;

	dma_resv_iter_begin(&walk, obj, usage);
	guard(rcu)();
	do {
		dma_resv_cursor_rewind(&walk);
		pending = dma_resv_cursor_next_pending(&walk, &fence);
		if (pending)
			dma_fence_put(fence);
	} while (dma_resv_cursor_is_stale(&walk));

	return !pending;
}
EXPORT_SYMBOL_GPL(dma_resv_test_signaled);

/**
 * dma_resv_set_deadline() - say by when the fences are needed
 * @obj: the object
 * @usage: the weakest usage of interest
 * @deadline: the time, on the clock of ktime_get()
 *
 * A hint to the drivers, see dma_fence_set_deadline().
 *
 * Context: Any context that the set_deadline callbacks of the fences allow.
 */
void dma_resv_set_deadline(struct dma_resv *obj, enum dma_resv_usage usage,
			   ktime_t deadline)
{
	struct dma_resv_iter walk;
	struct dma_fence *fence;

	dma_resv_iter_begin(&walk, obj, usage);
	dma_resv_for_each_fence_unlocked(&walk, fence)
		dma_fence_set_deadline(fence, deadline);
	dma_resv_iter_end(&walk);
}
EXPORT_SYMBOL_GPL(dma_resv_set_deadline);

/**
 * dma_resv_describe() - print all fences, for debugfs
 * @obj: the object
 * @seq: where to
 *
 * One line for each fence: its usage, then what dma_fence_describe() has to say.
 *
 * Context: Process context. The caller holds the reservation lock.
 */
void dma_resv_describe(struct dma_resv *obj, struct seq_file *seq)
{
	static const char * const names[] = {
		[DMA_RESV_USAGE_KERNEL] = "kernel",
		[DMA_RESV_USAGE_WRITE] = "write",
		[DMA_RESV_USAGE_READ] = "read",
		[DMA_RESV_USAGE_BOOKKEEP] = "bookkeep",
	};
	struct dma_resv_iter walk;
	struct dma_fence *fence;

	dma_resv_assert_held(obj);

	dma_resv_for_each_fence(&walk, obj, DMA_RESV_USAGE_BOOKKEEP, fence) {
		seq_printf(seq, "\t%s fence:", names[dma_resv_iter_usage(&walk)]);
		dma_fence_describe(fence, seq);
	}
}
EXPORT_SYMBOL_GPL(dma_resv_describe);
