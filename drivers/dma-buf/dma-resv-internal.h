/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the fences of a reservation object lie in memory, and how a cursor moves
 * over them. For dma-resv*.c only.
 *
 * Vocabulary:
 *   list    all fences of an object at a time; each new one is a *generation*
 *   slot    a place of a list for one fence
 *   link    where a slot is: its distance from the list in bytes, 0 for none
 *   chain   all slots of a list, linked, the weakest usage first
 *   lane    the part of the chain that has one usage, in the order of addition
 *   dead    a slot whose fence has moved to a stronger lane
 *   stray   a fence in a lane of another usage than its own
 */
#ifndef DMA_RESV_INTERNAL_H
#define DMA_RESV_INTERNAL_H

#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/cleanup.h>
#include <linux/compiler.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/kref.h>
#include <linux/processor.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

#define DMA_RESV_NR_USAGES	(DMA_RESV_USAGE_BOOKKEEP + 1)
#define DMA_RESV_USAGE_MASK	3UL

static_assert(DMA_RESV_NR_USAGES == 4);
static_assert(__alignof__(struct dma_fence) >= 4);

/**
 * struct dma_resv_slot - a place for a fence
 * @entry: address of the fence, NULL in a dead slot, and in the low bits the
 *	usage; the list owns the reference on the fence
 * @next: link to the following slot of the chain
 * @hash_next: link to the following slot whose context hashes alike; writers only
 */
struct dma_resv_slot {
	unsigned long entry;
	u32 next;
	u32 hash_next;
};

/**
 * struct dma_resv_list - one generation of the fences of an object
 * @tail: for each usage, a link to the last slot of its lane
 * @rcu: frees the list; shares its memory with @tail, which nobody needs once
 *	the list has been superseded
 * @generation: grows by one from each list of an object to the next
 * @first: for each usage, a link to the first slot of that usage or of a stronger
 *	one, where to begin if one is interested in them; all the same if there
 *	may be strays
 * @num: slots in use, dead ones included
 * @max: slots there are; lockless readers may look at it
 * @limit: slots that may be in use; below @max only under DEBUG_MUTEXES, to
 *	tell a slot that was reserved from one that happens to be there
 * @hash_bits: log2 of the number of @buckets
 * @stray: there may be strays; never cleared; writers only
 * @buckets: links to the first slot of each hash chain, behind the slots in the
 *	same allocation; NULL if the list is searched linearly, because it is short
 *	or because nothing can be added to it
 * @slots: the first @num of them are valid
 *
 * Invariants:
 *
 * Written with the reservation lock held. Lockless readers use @generation,
 * @max, @first, and of the slots @entry and @next, under RCU; all other members are for
 * whoever holds the lock.
 *
 * A slot that is in the chain stays there, before and behind the same others.
 * More may come between them, at the end of their lane.
 *
 * While @stray is not set, each slot has the usage of its lane.
 *
 * A superseded list is never written to again, @rcu and the private
 * &dma_resv_slot.hash_next excepted.
 */
struct dma_resv_list {
	union {
		struct rcu_head rcu;
		u32 tail[DMA_RESV_NR_USAGES];
	};
	u64 generation;
	u32 first[DMA_RESV_NR_USAGES];
	u32 num;
	u32 max;
	u32 limit;
	u8 hash_bits;
	bool stray;
	u32 *buckets;
	struct dma_resv_slot slots[] __counted_by(max);
};

static inline unsigned long dma_resv_entry(struct dma_fence *fence,
					   enum dma_resv_usage usage)
{
	return (unsigned long)fence | usage;
}

static inline struct dma_fence *dma_resv_entry_fence(unsigned long entry)
{
	return (struct dma_fence *)(entry & ~DMA_RESV_USAGE_MASK);
}

static inline enum dma_resv_usage dma_resv_entry_usage(unsigned long entry)
{
	return entry & DMA_RESV_USAGE_MASK;
}

/*
 * Has somebody called dma_fence_signal()? Asks no driver, so it is safe without a
 * reference. Who hears yes sees what the device did: pairs with the setting of
 * the bit in dma_fence_signal().
 */
static inline bool dma_resv_fence_is_flagged(struct dma_fence *fence)
{
	return test_bit_acquire(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags);
}

static inline struct dma_resv_slot *dma_resv_slot_at(struct dma_resv_list *list,
						     u32 link)
{
	return (void *)list + link;
}

/* The current list; pairs with rcu_assign_pointer() in dma_resv_publish(). */
static inline struct dma_resv_list *dma_resv_list(struct dma_resv *obj)
{
	return rcu_dereference_check(obj->fences, dma_resv_held(obj));
}

/* Has another list taken the place of the one that @cursor walks over? */
static inline bool dma_resv_cursor_is_stale(struct dma_resv_iter *cursor)
{
	return unlikely(rcu_access_pointer(cursor->obj->fences) != cursor->list);
}

/*
 * The same question, asked by who was outside of RCU and without the lock in
 * between: the address alone proves nothing then, the memory may have been used
 * again for a later list.
 */
static inline bool dma_resv_cursor_is_lost(struct dma_resv_iter *cursor)
{
	struct dma_resv_list *list = dma_resv_list(cursor->obj);

	return unlikely(list != cursor->list ||
			(list && list->generation != cursor->generation));
}

/* Go to the beginning of the current list. */
static inline void dma_resv_cursor_rewind(struct dma_resv_iter *cursor)
{
	static const u32 nothing;
	struct dma_resv_list *list = dma_resv_list(cursor->obj);

	cursor->restarted = true;
	cursor->list = list;
	cursor->link = &nothing;
	if (!list)
		return;

	cursor->generation = list->generation;
	cursor->link = &list->first[cursor->usage];
}

/* May there be a fence of @usage or stronger? A quick no without a cursor. */
static inline bool dma_resv_has_slots(struct dma_resv *obj,
				      enum dma_resv_usage usage)
{
	struct dma_resv_list *list;

	guard(rcu)();
	list = dma_resv_list(obj);
	/* Pairs with list_append(). */
	return list && smp_load_acquire(&list->first[usage]);
}

/*
 * Step to the next slot; false at the end. From weak to strong, which matters: a
 * promoted fence appears in its new lane before it disappears from the old one,
 * so a reader who is too late for the old place still has the new one before it,
 * provided that the old place was looked at before the link to what follows.
 */
static __always_inline bool
dma_resv_cursor_next_slot(struct dma_resv_iter *cursor,
			  struct dma_resv_slot **slot)
{
	/* Pairs with list_append(). */
	u32 link = smp_load_acquire(cursor->link);

	if (!link)
		return false;

	*slot = dma_resv_slot_at(cursor->list, link);
	cursor->link = &(*slot)->next;
	return true;
}

/*
 * Get a reference on the fence of @slot, if it is of interest and pending. The
 * result counts only if the list is still current afterwards.
 *
 * Fences may live in memory that is used for new fences without a grace period.
 * That is noticed by a second look at the slot: the list owned a reference when
 * the slot was read again, hence so it did when ours was taken.
 */
static __always_inline bool
dma_resv_cursor_get_pending(struct dma_resv_iter *cursor,
			    struct dma_resv_slot *slot, struct dma_fence **fence)
{
	unsigned long entry;

	for (;;) {
		/* Pairs with slot_write(). */
		entry = smp_load_acquire(&slot->entry);
		*fence = dma_resv_entry_fence(entry);
		if (!*fence || dma_resv_entry_usage(entry) > cursor->usage ||
		    dma_resv_fence_is_flagged(*fence))
			return false;

		if (likely(kref_get_unless_zero(&(*fence)->refcount))) {
			if (likely(READ_ONCE(slot->entry) == entry))
				break;
			dma_fence_put(*fence);
		} else if (dma_resv_cursor_is_stale(cursor)) {
			return false;
		}
		/* Replaced, and the new fence is about to be seen. */
		cpu_relax();
	}

	/* Not flagged, but the driver may know more. */
	if ((*fence)->ops->signaled && dma_fence_is_signaled(*fence)) {
		dma_fence_put(*fence);
		return false;
	}
	cursor->found_usage = dma_resv_entry_usage(entry);
	return true;
}

/* The next pending fence, with a reference; false at the end. Under RCU. */
static __always_inline bool
dma_resv_cursor_next_pending(struct dma_resv_iter *cursor,
			     struct dma_fence **fence)
{
	struct dma_resv_slot *slot;

	while (dma_resv_cursor_next_slot(cursor, &slot)) {
		if (dma_resv_cursor_get_pending(cursor, slot, fence))
			return true;
	}
	return false;
}

/* Go to the beginning, and tell how many slots a walk has to look at now. */
static inline size_t dma_resv_cursor_measure(struct dma_resv_iter *cursor)
{
	struct dma_resv_slot *slot;
	size_t nr_slots = 0;

	guard(rcu)();
	dma_resv_cursor_rewind(cursor);
	while (dma_resv_cursor_next_slot(cursor, &slot))
		nr_slots++;
	return nr_slots;
}

#endif /* DMA_RESV_INTERNAL_H */
