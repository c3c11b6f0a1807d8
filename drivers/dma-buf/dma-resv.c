// SPDX-License-Identifier: GPL-2.0
/*
 * The fences of a reservation object: the class of the lock, and everything that
 * changes what is in the object. Walking and asking is in dma-resv-iter.c and
 * dma-resv-query.c.
 */

#include <linux/bug.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/hash.h>
#include <linux/kconfig.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dma-contract.h"
#include "dma-resv-internal.h"

/**
 * DOC: Reservation Object Overview
 *
 * A buffer outlives the jobs that use it, and a job uses many buffers. Each job
 * has a fence; a &struct dma_resv is where a buffer keeps the fences of the jobs
 * that concern it, together with the lock under which its owner makes decisions
 * about it. Buffers that always travel together may share one.
 *
 * Who submits a job
 *
 * 1. locks the objects of all its buffers, in one &struct ww_acquire_ctx,
 * 2. calls dma_resv_reserve_fences() on each, which may fail,
 * 3. makes the job wait for the fences that are in its way, see
 *    dma_resv_usage_rw(),
 * 4. starts the job, after which nothing may fail,
 * 5. calls dma_resv_add_fence() on each, which cannot fail, because of step 2,
 * 6. unlocks.
 *
 * Who wants to know whether a buffer is idle needs neither the lock nor the
 * driver: dma_resv_test_signaled(), dma_resv_wait_timeout() and
 * dma_resv_get_fences() read under RCU while others add fences.
 *
 * What becomes of a fence that is added:
 *
 * ============================ ==============================================
 * of its context there is      then the new fence
 * ============================ ==============================================
 * an older one, same usage     takes its place
 * an older one, weaker usage   takes its place, which promotes it
 * an older one, stronger usage is added; the old one still means more
 * a later one                  is added
 * none                         is added
 * ============================ ==============================================
 *
 * Contexts are timelines, so the later fence of a context says all that the
 * older one did. A fence counts as older than itself. Promotions use up no slot
 * that was reserved for something else.
 */

/**
 * DOC: How the fences are stored
 *
 * An object points to a list (&struct dma_resv_list) of slots. The slots form a
 * chain: first those of %DMA_RESV_USAGE_BOOKKEEP, then those of
 * %DMA_RESV_USAGE_READ, and so on, each lane in the order of addition. A reader
 * begins where the lane of its usage begins, so one who asks for
 * %DMA_RESV_USAGE_WRITE does not notice a thousand fences of weaker usages.
 *
 * Writers hold the reservation lock. They find the slots of a context by a
 * linear search in short lists, by a hash table in long ones. There are four
 * things that they do to a list:
 *
 * - append a slot to its lane: fill it, then link it (list_append()),
 * - replace the fence of a slot by another one (slot_store()),
 * - kill a slot, so that it has no fence any more (slot_kill()), after its fence
 *   was promoted to a stronger lane,
 * - supersede the list by a new generation that has more room, and none of the
 *   signaled fences (list_renew()).
 *
 * Readers hold nothing. They are promised: *a fence that is in the object and
 * pending for the whole time of a walk is seen, or the one that took its place
 * is.* That holds because
 *
 * 1. the list of a walk is a snapshot of one generation, and a walk starts over
 *    when it finds another one current. Superseded lists are freed after a grace
 *    period; a &dma_resv_list.generation tells two lists at the same address
 *    apart.
 * 2. a slot that is in the chain stays there, and the order never changes
 *    (smp_store_release() in list_append(), smp_load_acquire() in
 *    dma_resv_cursor_next_slot()).
 * 3. a fence is replaced by a single store to its slot, so a reader sees the old
 *    one or the new one, and the latter initialised (smp_store_release() in
 *    slot_write(), smp_load_acquire() in dma_resv_cursor_get_pending()).
 * 4. the chain leads from weak to strong, a promotion is made in the stronger
 *    lane first, and a reader looks at a slot before it looks for the next one.
 *    Whoever finds a slot dead has yet to come to the slot where the fence is
 *    now, and finds it linked, by the same two barriers.
 * 5. a fence whose reference cannot be had, or whose slot has changed when it was
 *    had, is not returned; the slot is read again.
 *
 * Sometimes a fence has to be put into a lane that is not that of its usage:
 * dma_resv_replace_fences() changes the usage of a fence, and has no slot
 * reserved; a promotion finds no slot either, because it needs none according to
 * the rules; or only dead slots are left. Then the list is marked
 * &dma_resv_list.stray, until the next generation; a copy of one with strays
 * has them, too, in the order in which they were met. Readers of such a list go
 * through the whole chain and pick by usage, and promotions happen inside the
 * slot, because item 4 is not true for strays. A walk that began before the mark
 * was set may miss the strays, which is right: they were not there, with this
 * usage, when the walk began.
 */

/* Short lists have a multiple of this many slots. */
#define SLOTS_STEP	4

/* No list is made for more, so that all sizes in bytes fit into an int. */
#define SLOTS_MAX	(64U * 1024 * 1024)

/* Lists that are made for more slots than this have a hash table. */
#define LINEAR_MAX	12

/* &dma_resv_slot.hash_next of a fence that belongs to the next generation now. */
#define SLOT_MOVED	U32_MAX

DEFINE_WD_CLASS(reservation_ww_class);
EXPORT_SYMBOL(reservation_ww_class);

/* The list, for who may change it. */
static struct dma_resv_list *list_locked(struct dma_resv *obj)
{
	return rcu_dereference_protected(obj->fences, dma_resv_held(obj));
}

/* Where @slot is. */
static u32 slot_link(struct dma_resv_list *list, struct dma_resv_slot *slot)
{
	return (void *)slot - (void *)list;
}

/* Beginning of the chain that the slots of @context are in. */
static u32 *list_bucket(struct dma_resv_list *list, u64 context)
{
	return &list->buckets[hash_64(context, list->hash_bits)];
}

/* Enter @slot into the hash table, if there is one. */
static void slot_hash(struct dma_resv_list *list, struct dma_resv_slot *slot,
		      u64 context)
{
	u32 *bucket;

	slot->hash_next = 0;
	if (!list->buckets)
		return;

	bucket = list_bucket(list, context);
	slot->hash_next = *bucket;
	*bucket = slot_link(list, slot);
}

/* The opposite of slot_hash(). */
static void slot_unhash(struct dma_resv_list *list, struct dma_resv_slot *slot,
			u64 context)
{
	u32 *link;

	if (!list->buckets)
		return;

	link = list_bucket(list, context);
	while (*link != slot_link(list, slot))
		link = &dma_resv_slot_at(list, *link)->hash_next;
	*link = slot->hash_next;
}

/* Exchange @old, the fence of @slot, for one whose reference is taken. */
static __always_inline void
slot_write(struct dma_resv_slot *slot, struct dma_fence *old,
	   struct dma_fence *fence, enum dma_resv_usage usage)
{
	/* Pairs with dma_resv_cursor_get_pending(). */
	smp_store_release(&slot->entry, dma_resv_entry(fence, usage));
	dma_fence_put(old);
}

/* Put @fence, whose reference is taken, into @slot, which is used or dead. */
static __always_inline void
slot_store(struct dma_resv_list *list, struct dma_resv_slot *slot,
	   struct dma_fence *fence, enum dma_resv_usage usage)
{
	struct dma_fence *old = dma_resv_entry_fence(slot->entry);

	if (!old) {
		slot_hash(list, slot, fence->context);
	} else if (old->context != fence->context) {
		slot_unhash(list, slot, old->context);
		slot_hash(list, slot, fence->context);
	}
	slot_write(slot, old, fence, usage);
}

/* Drop the fence of @slot, after it was put into a stronger lane. */
static void slot_kill(struct dma_resv_list *list, struct dma_resv_slot *slot)
{
	struct dma_fence *old = dma_resv_entry_fence(slot->entry);

	slot_unhash(list, slot, old->context);
	slot_write(slot, old, NULL, dma_resv_entry_usage(slot->entry));
}

/*
 * Link the first slot of its lane into the chain, so that all who begin there or
 * in a weaker lane come to it. In front of everything if there are strays: then
 * all readers begin at the same place, and the order does not matter.
 */
static void list_open_lane(struct dma_resv_list *list, struct dma_resv_slot *slot,
			   enum dma_resv_usage usage)
{
	u32 link = slot_link(list, slot);

	if (list->num == 1) {
		slot->next = 0;
		for (; usage < DMA_RESV_NR_USAGES; usage++) {
			/* Pairs with dma_resv_cursor_next_slot(). */
			smp_store_release(&list->first[usage], link);
		}
		return;
	}
	if (list->stray) {
		slot->next = list->first[usage];
		for (usage = 0; usage < DMA_RESV_NR_USAGES; usage++) {
			/* Pairs with dma_resv_cursor_next_slot(). */
			smp_store_release(&list->first[usage], link);
		}
		return;
	}

	slot->next = usage ? list->first[usage - 1] : 0;
	/* Pairs with dma_resv_cursor_next_slot(). */
	smp_store_release(&list->first[usage], link);
	while (++usage < DMA_RESV_NR_USAGES) {
		u32 tail = list->tail[usage];

		if (tail) {
			/* Pairs with dma_resv_cursor_next_slot(). */
			smp_store_release(&dma_resv_slot_at(list, tail)->next, link);
			return;
		}
		/* Pairs with dma_resv_cursor_next_slot(). */
		smp_store_release(&list->first[usage], link);
	}
}

/* Make all readers go through the whole chain from now on. */
static void list_allow_strays(struct dma_resv_list *list)
{
	enum dma_resv_usage usage;

	list->stray = true;
	for (usage = 0; usage < DMA_RESV_USAGE_BOOKKEEP; usage++) {
		/* Pairs with dma_resv_cursor_next_slot(). */
		smp_store_release(&list->first[usage],
				  list->first[DMA_RESV_USAGE_BOOKKEEP]);
	}
}

/* Link @slot, which is filled, to the end of its lane. */
static __always_inline void list_link(struct dma_resv_list *list,
				      struct dma_resv_slot *slot,
				      enum dma_resv_usage usage)
{
	u32 link = slot_link(list, slot), tail = list->tail[usage];
	struct dma_resv_slot *last;

	if (likely(tail)) {
		last = dma_resv_slot_at(list, tail);
		slot->next = last->next;
		/* Pairs with dma_resv_cursor_next_slot(). */
		smp_store_release(&last->next, link);
	} else {
		list_open_lane(list, slot, usage);
	}
	list->tail[usage] = link;
}

/* Put @fence, whose reference is taken, into a new slot, which must exist. */
static __always_inline void list_append(struct dma_resv_list *list,
					struct dma_fence *fence,
					enum dma_resv_usage usage)
{
	struct dma_resv_slot *slot = &list->slots[list->num++];

	slot->entry = dma_resv_entry(fence, usage);
	slot_hash(list, slot, fence->context);
	list_link(list, slot, usage);
}

/* An empty list, member by member because that is less than clearing all of it. */
static __always_inline void list_init(struct dma_resv_list *list, u32 max,
				      u64 generation)
{
	memset(list->tail, 0, sizeof(list->tail));
	list->generation = generation;
	memset(list->first, 0, sizeof(list->first));
	list->num = 0;
	list->max = max;
	list->limit = max;
	list->hash_bits = 0;
	list->stray = false;
	list->buckets = NULL;
}

/* A list as most objects need no other one. */
static __always_inline struct dma_resv_list *
list_alloc_short(u64 generation, gfp_t gfp)
{
	struct dma_resv_list *list;

	list = kmalloc(struct_size(list, slots, SLOTS_STEP), gfp);
	if (list)
		list_init(list, SLOTS_STEP, generation);
	return list;
}

/*
 * A list with at least @want slots, and a hash table if it is long and @hashed. A
 * slot is 16 bytes and the head of a list 64 on 64-bit machines, so multiples of
 * SLOTS_STEP fill a kmalloc bucket up to LINEAR_MAX, and for longer lists the size
 * of the bucket is asked for.
 */
static struct dma_resv_list *list_alloc(size_t want, bool hashed, u64 generation,
					gfp_t gfp)
{
	size_t max = max_t(size_t, round_up(want, SLOTS_STEP), SLOTS_STEP), table = 0;
	size_t size = sizeof(struct dma_resv_list) + max * sizeof(struct dma_resv_slot);
	struct dma_resv_list *list;
	unsigned int bits = 0;

	if (want > SLOTS_MAX)
		return NULL;

	if (want > LINEAR_MAX && hashed) {
		bits = ilog2(want / 2);
		table = sizeof(u32) << bits;
		size = kmalloc_size_roundup(size + table);
		max = (size - table - sizeof(*list)) / sizeof(list->slots[0]);
	}

	list = size > PAGE_SIZE ? kvmalloc(size, gfp) : kmalloc(size, gfp);
	if (!list)
		return NULL;

	list_init(list, max, generation);
	if (bits) {
		list->hash_bits = bits;
		list->buckets = (void *)list + size - table;
		memset(list->buckets, 0, table);
	}
	return list;
}

/* Drop what is in @list but was not moved, and free it after the last reader. */
static void list_retire(struct dma_resv_list *list)
{
	u32 i;

	for (i = 0; i < list->num; i++) {
		struct dma_resv_slot *slot = &list->slots[i];

		if (slot->hash_next != SLOT_MOVED)
			dma_fence_put(dma_resv_entry_fence(slot->entry));
	}
	kvfree_rcu(list, rcu);
}

/* How many fences of @list the next generation will have to hold at most. */
static size_t list_count_live(struct dma_resv_list *list)
{
	size_t live = 0;
	u32 i;

	for (i = 0; i < list->num; i++) {
		struct dma_fence *fence = dma_resv_entry_fence(list->slots[i].entry);

		if (fence && !dma_fence_is_signaled(fence))
			live++;
	}
	return live;
}

/*
 * Give the live fences of @old to @new. Readers still use @old, and are not
 * disturbed: only hash_next is written to. A fence that list_count_live()
 * has seen signaled is not live here either, so there is room for all.
 */
static void list_move_live(struct dma_resv_list *new, struct dma_resv_list *old)
{
	u32 i;

	for (i = 0; i < old->num; i++) {
		struct dma_resv_slot *slot = &old->slots[i];
		struct dma_fence *fence = dma_resv_entry_fence(slot->entry);

		if (!fence || dma_resv_fence_is_flagged(fence))
			continue;

		list_append(new, fence, dma_resv_entry_usage(slot->entry));
		slot->hash_next = SLOT_MOVED;
	}
}

/* Give everything in @old to @new as it is: a link does not care where it is. */
static void list_move_all(struct dma_resv_list *new, struct dma_resv_list *old)
{
	u32 i;

	memcpy(new->tail, old->tail, sizeof(new->tail));
	memcpy(new->first, old->first, sizeof(new->first));
	memcpy(new->slots, old->slots, old->num * sizeof(new->slots[0]));
	new->num = old->num;
	if (!new->buckets)
		return;

	for (i = 0; i < new->num; i++) {
		struct dma_resv_slot *slot = &new->slots[i];

		slot_hash(new, slot, dma_resv_entry_fence(slot->entry)->context);
	}
}

/* Make @new the current list. Pairs with dma_resv_list(). */
static void dma_resv_publish(struct dma_resv *obj, struct dma_resv_list *new)
{
	rcu_assign_pointer(obj->fences, new);
}

/*
 * Supersede the list by one that has @room free slots, or as many as there are live
 * fences if that is more, so that the cost does not depend on their number for each
 * fence that is added. Returns 0, or -ENOMEM and nothing is changed.
 */
static noinline int list_renew(struct dma_resv *obj, unsigned int room, gfp_t gfp)
{
	struct dma_resv_list *old = list_locked(obj), *new;
	size_t live = old ? list_count_live(old) : 0;
	size_t spare = max3((size_t)room, live, (size_t)SLOTS_STEP);

	new = list_alloc(size_add(live, spare), true, old ? old->generation + 1 : 1, gfp);
	if (!new)
		return -ENOMEM;

	if (!old) {
		dma_resv_publish(obj, new);
	} else if (live == old->num && !old->stray) {
		list_move_all(new, old);
		dma_resv_publish(obj, new);
		kvfree_rcu(old, rcu);
	} else {
		list_move_live(new, old);
		dma_resv_publish(obj, new);
		list_retire(old);
	}
	return 0;
}

/* See to it that there are @room free slots. Returns 0 or -ENOMEM. */
static noinline int list_grow(struct dma_resv *obj, unsigned int room, gfp_t gfp)
{
	struct dma_resv_list *new;

	if (list_locked(obj) || room > SLOTS_STEP)
		return list_renew(obj, room, gfp);

	new = list_alloc_short(1, gfp);
	if (!new)
		return -ENOMEM;

	dma_resv_publish(obj, new);
	return 0;
}

/**
 * dma_resv_init() - make an object
 * @obj: memory for the object
 *
 * Undone by dma_resv_fini().
 *
 * Context: Any context.
 */
void dma_resv_init(struct dma_resv *obj)
{
	ww_mutex_init(&obj->lock, &reservation_ww_class);
	RCU_INIT_POINTER(obj->fences, NULL);
}
EXPORT_SYMBOL(dma_resv_init);

/**
 * dma_resv_fini() - the opposite of dma_resv_init()
 * @obj: the object, which nobody else changes any more
 *
 * Drops the references on the fences, signaled or not. Lockless readers may be
 * at work if the memory of @obj itself is freed after a grace period; they find
 * it empty.
 *
 * Context: Any context that may drop the last reference on the fences.
 */
void dma_resv_fini(struct dma_resv *obj)
{
	struct dma_resv_list *list = rcu_replace_pointer(obj->fences, NULL, true);

	if (list)
		list_retire(list);
	ww_mutex_destroy(&obj->lock);
}
EXPORT_SYMBOL(dma_resv_fini);

/**
 * dma_resv_reserve_fences() - see to it that fences can be added
 * @obj: the object
 * @num_fences: how many fences will be added, not 0
 *
 * Reservations do not add up: what counts is the largest one since the lock was
 * taken. They end with dma_resv_unlock().
 *
 * Context: Process context; may sleep and reclaim memory. The caller holds the
 * reservation lock.
 * Return: 0, or the object is unchanged and the result is
 *
 *  * %-EINVAL - @num_fences is 0, which is a bug of the caller and reported once
 *  * %-ENOMEM - there was no memory for a larger list
 */
int dma_resv_reserve_fences(struct dma_resv *obj, unsigned int num_fences)
{
	struct dma_resv_list *list = list_locked(obj);

	dma_resv_assert_held(obj);

	if (WARN_ON_ONCE(!num_fences))
		return -EINVAL;

	if (list && num_fences <= list->max - list->num) {
		if (IS_ENABLED(CONFIG_DEBUG_MUTEXES))
			list->limit = max(list->limit, list->num + num_fences);
		return 0;
	}
	return list_grow(obj, num_fences, GFP_KERNEL);
}
EXPORT_SYMBOL(dma_resv_reserve_fences);

#ifdef CONFIG_DEBUG_MUTEXES
/**
 * dma_resv_reset_max_fences() - forget what was reserved
 * @obj: the object
 *
 * Part of dma_resv_unlock() in debug kernels: a fence that is added without a
 * reservation is noticed even if there happens to be a slot.
 *
 * Context: The caller holds the reservation lock.
 */
void dma_resv_reset_max_fences(struct dma_resv *obj)
{
	struct dma_resv_list *list = list_locked(obj);

	dma_resv_assert_held(obj);

	if (list)
		list->limit = list->num;
}
EXPORT_SYMBOL(dma_resv_reset_max_fences);
#endif

/* Does the end of @fence imply the end of @old? */
static bool fence_covers(struct dma_fence *fence, struct dma_fence *old)
{
	return fence->context == old->context &&
	       dma_fence_is_later_or_same(fence, old);
}

/*
 * Is the fence of @slot covered by @fence, and is its usage the same? If it is
 * weaker, note that down in @weaker.
 */
static __always_inline bool slot_suits(struct dma_resv_slot *slot,
				       struct dma_fence *fence,
				       enum dma_resv_usage usage,
				       struct dma_resv_slot **weaker)
{
	struct dma_fence *old = dma_resv_entry_fence(slot->entry);
	enum dma_resv_usage old_usage;

	if (!old || likely(!fence_covers(fence, old)))
		return false;

	old_usage = dma_resv_entry_usage(slot->entry);
	if (old_usage > usage)
		*weaker = slot;
	return old_usage == usage;
}

/*
 * The slot of an older fence of the same context and usage. If there is none,
 * @weaker is set to one with a weaker usage, if there is one.
 */
static __always_inline struct dma_resv_slot *
list_search(struct dma_resv_list *list, struct dma_fence *fence,
	    enum dma_resv_usage usage, struct dma_resv_slot **weaker)
{
	struct dma_resv_slot *slot, *end = list->slots + list->num;
	u32 link;

	if (!list->buckets) {
		for (slot = list->slots; slot < end; slot++)
			if (slot_suits(slot, fence, usage, weaker))
				return slot;
		return NULL;
	}

	for (link = *list_bucket(list, fence->context); link; link = slot->hash_next) {
		slot = dma_resv_slot_at(list, link);
		if (slot_suits(slot, fence, usage, weaker))
			return slot;
	}
	return NULL;
}

/* Give @fence a dead slot of whatever lane. False if there is none. */
static noinline bool
list_place_stray(struct dma_resv_list *list, struct dma_fence *fence,
		 enum dma_resv_usage usage)
{
	u32 i;

	for (i = 0; i < list->num; i++) {
		if (dma_resv_entry_fence(list->slots[i].entry))
			continue;

		list_allow_strays(list);
		slot_store(list, &list->slots[i], fence, usage);
		return true;
	}
	return false;
}

/*
 * Let @fence take the place of one with a weaker usage: in the stronger lane
 * first, then in the weaker one, see dma_resv_cursor_next_slot().
 */
static noinline void
list_promote(struct dma_resv_list *list, struct dma_resv_slot *weaker,
	     struct dma_fence *fence, enum dma_resv_usage usage)
{
	if (!list->stray && list->num < list->limit) {
		list_append(list, fence, usage);
		slot_kill(list, weaker);
		return;
	}
	list_allow_strays(list);
	slot_store(list, weaker, fence, usage);
}

/* The caller has not reserved enough. Whatever happens, do not lose the fence. */
static noinline void
add_unreserved(struct dma_resv *obj, struct dma_fence *fence,
	       enum dma_resv_usage usage)
{
	struct dma_resv_list *list = list_locked(obj);

	scoped_guard(rcu)
		dma_contract_broken(true, DMA_RULE_RESV_UNRESERVED,
				    dma_fence_driver_name(fence),
				    "fence %s:%llu:%llu was added without a reserved slot",
				    dma_fence_timeline_name(fence),
				    fence->context, fence->seqno);

	if (!list || list->num == list->max) {
		if (list_grow(obj, 1, GFP_NOWAIT | __GFP_NOWARN)) {
			dma_fence_wait(fence, false);
			dma_fence_put(fence);
			return;
		}
		list = list_locked(obj);
	}
	list_append(list, fence, usage);
	list->limit = max(list->limit, list->num);
}

/**
 * dma_resv_add_fence() - add the fence of a job
 * @obj: the object
 * @fence: the fence; the object gets a reference of its own. Containers are not
 *	allowed, because they would hide which contexts they are from; that is
 *	reported once.
 * @usage: what the job does
 *
 * May take the place of another fence, see the table in the overview. A slot must
 * have been reserved by dma_resv_reserve_fences() since the lock was taken. If
 * none was, that is reported once, and the fence is added all the same; if there
 * is no memory to do so, it is waited for.
 *
 * Context: Process context. The caller holds the reservation lock.
 */
void dma_resv_add_fence(struct dma_resv *obj, struct dma_fence *fence,
			enum dma_resv_usage usage)
{
	struct dma_resv_list *list = list_locked(obj);
	struct dma_resv_slot *same, *weaker = NULL;
	struct dma_fence *old;

	dma_resv_assert_held(obj);
	WARN_ON_ONCE(dma_fence_is_container(fence));

	if (unlikely(!list)) {
		add_unreserved(obj, dma_fence_get(fence), usage);
		return;
	}

	same = list_search(list, fence, usage, &weaker);
	if (same) {
		old = dma_resv_entry_fence(same->entry);
		if (old != fence)
			slot_write(same, old, dma_fence_get(fence), usage);
		return;
	}

	dma_fence_get(fence);	/* For the list. */
	if (unlikely(weaker))
		list_promote(list, weaker, fence, usage);
	else if (likely(list->num < list->limit))
		list_append(list, fence, usage);
	else if (!list_place_stray(list, fence, usage))
		add_unreserved(obj, fence, usage);
}
EXPORT_SYMBOL(dma_resv_add_fence);

/* The fence of @slot if that is of @context, else NULL. */
static __always_inline struct dma_fence *
slot_fence_of(struct dma_resv_slot *slot, u64 context)
{
	struct dma_fence *fence = dma_resv_entry_fence(slot->entry);

	return fence && unlikely(fence->context == context) ? fence : NULL;
}

/* A fence of @usage takes the place of that of @slot. */
static __always_inline void
list_expect_usage(struct dma_resv_list *list, struct dma_resv_slot *slot,
		  enum dma_resv_usage usage)
{
	if (unlikely(dma_resv_entry_usage(slot->entry) != usage))
		list_allow_strays(list);
}

/* dma_resv_replace_fences() in a list with a hash table. */
static noinline void
list_replace_hashed(struct dma_resv_list *list, u64 context,
		    struct dma_fence *replacement, enum dma_resv_usage usage)
{
	struct dma_resv_slot *slot;
	u32 link = *list_bucket(list, context);

	while (link) {
		slot = dma_resv_slot_at(list, link);
		/* Before the slot moves to another chain. */
		link = slot->hash_next;
		if (!slot_fence_of(slot, context))
			continue;
		list_expect_usage(list, slot, usage);
		slot_store(list, slot, dma_fence_get(replacement), usage);
	}
}

/**
 * dma_resv_replace_fences() - exchange the fences of a context
 * @obj: the object
 * @context: the context
 * @replacement: what to have instead of each of them; the object gets references
 *	of its own
 * @usage: the usage of @replacement, whatever that of the old fences was
 *
 * For preemption fences and the like, which signal on request only: when the
 * memory is not used any more, somebody has to take them out. @replacement
 * must not signal before the old fences are without meaning. Needs no slots.
 *
 * Context: Process context. The caller holds the reservation lock.
 */
void dma_resv_replace_fences(struct dma_resv *obj, uint64_t context,
			     struct dma_fence *replacement,
			     enum dma_resv_usage usage)
{
	struct dma_resv_list *list = list_locked(obj);
	struct dma_resv_slot *slot, *end;
	struct dma_fence *old;

	dma_resv_assert_held(obj);

	if (!list)
		return;
	if (list->buckets) {
		list_replace_hashed(list, context, replacement, usage);
		return;
	}

	end = list->slots + list->num;
	for (slot = list->slots; slot < end; slot++) {
		old = slot_fence_of(slot, context);
		if (!old)
			continue;
		list_expect_usage(list, slot, usage);
		slot_write(slot, old, dma_fence_get(replacement), usage);
	}
}
EXPORT_SYMBOL(dma_resv_replace_fences);

/* How many fences there are in @obj at most, at this moment. */
static size_t resv_max(struct dma_resv *obj)
{
	struct dma_resv_list *list;

	guard(rcu)();
	list = dma_resv_list(obj);
	return list ? list->max : 0;
}

/*
 * In @list, which nobody else sees yet and which is filled from weak to strong:
 * the lane of @before, if that is a usage, ends in front of @link. That of @usage
 * begins there, unless it is the same one and the end of the list. The wrong order
 * comes from strays in the other object, and makes strays here.
 */
static noinline void list_turn(struct dma_resv_list *list, u32 link,
			       unsigned int before, unsigned int usage)
{
	if (before < DMA_RESV_NR_USAGES)
		list->tail[before] = link - sizeof(list->slots[0]);
	if (usage > before)
		list->stray = true;
	while (before > usage)
		list->first[--before] = link;
}

/*
 * Fill @list, which is new and has no hash table, with the pending fences of @src;
 * false if @src has got another list, and what was gathered is of no use. Each slot
 * is linked to the one behind it, which costs less than list_append().
 */
static noinline bool list_gather(struct dma_resv_list *list, struct dma_resv *src)
{
	struct dma_resv_slot *slot = list->slots;
	unsigned int usage = DMA_RESV_NR_USAGES;
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	dma_resv_iter_begin(&cursor, src, DMA_RESV_USAGE_BOOKKEEP);
	guard(rcu)();
	dma_resv_cursor_rewind(&cursor);
	if (cursor.list && cursor.list->max > list->max)
		return false;

	while (dma_resv_cursor_next_pending(&cursor, &fence)) {
		if (unlikely(cursor.found_usage != usage)) {
			list_turn(list, slot_link(list, slot), usage,
				  cursor.found_usage);
			usage = cursor.found_usage;
		}
		slot->entry = dma_resv_entry(fence, cursor.found_usage);
		slot->hash_next = 0;
		slot->next = slot_link(list, slot + 1);
		slot++;
	}
	list->num = slot - list->slots;
	if (list->num) {
		slot[-1].next = 0;
		list_turn(list, slot_link(list, slot), usage, usage);
	}
	if (unlikely(list->stray))
		list_allow_strays(list);
	return !dma_resv_cursor_is_stale(&cursor);
}

/*
 * A list of the pending fences of @src, or an ERR_PTR(). A long one has no hash
 * table and no room, so that the next reservation makes one that has: most copies
 * are for somebody who waits, and will never need it.
 */
static struct dma_resv_list *list_copy(struct dma_resv *src, u64 generation)
{
	struct dma_resv_list *list;

	for (;;) {
		size_t max = resv_max(src);

		list = max <= SLOTS_STEP ?
			list_alloc_short(generation, GFP_KERNEL) :
			list_alloc(max, false, generation, GFP_KERNEL);
		if (!list)
			return ERR_PTR(-ENOMEM);
		if (list_gather(list, src))
			break;
		list_retire(list);
	}
	if (list->max > LINEAR_MAX) {
		list->max = list->num;
		list->limit = list->num;
	}
	return list;
}

/**
 * dma_resv_copy_fences() - make one object hold the pending fences of another
 * @dst: the object that gets them, in place of all that it had
 * @src: where they are; stays as it is
 *
 * Context: Process context; may sleep. The caller holds the lock of @dst; that of
 * @src does not matter.
 * Return: 0, or %-ENOMEM if there was no memory, and @dst is unchanged.
 */
int dma_resv_copy_fences(struct dma_resv *dst, struct dma_resv *src)
{
	struct dma_resv_list *old = list_locked(dst), *new;

	dma_resv_assert_held(dst);

	if (!old && !resv_max(src))
		return 0;

	new = list_copy(src, old ? old->generation + 1 : 1);
	if (IS_ERR(new))
		return PTR_ERR(new);

	dma_resv_publish(dst, new);
	if (old)
		list_retire(old);
	return 0;
}
EXPORT_SYMBOL(dma_resv_copy_fences);
