/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reservation objects: the lock of a buffer, and the fences that say who is
 * still busy with its memory. The concepts are explained in
 * drivers/dma-buf/dma-resv.c.
 */
#ifndef _LINUX_DMA_RESV_H
#define _LINUX_DMA_RESV_H

#include <linux/ww_mutex.h>
#include <linux/dma-fence.h>
#include <linux/slab.h>
#include <linux/seqlock.h>
#include <linux/rcupdate.h>

struct dma_resv_list;
struct seq_file;

extern struct ww_class reservation_ww_class;

/**
 * enum dma_resv_usage - why a fence is in a reservation object
 *
 * The values are ordered from strong to weak. A question about one usage is
 * answered with the fences of that usage and of all stronger ones: who asks for
 * %DMA_RESV_USAGE_READ hears of kernel, write and read fences, but not of
 * bookkeeping.
 *
 * Adding a fence again with a stronger usage promotes it. Adding it with a
 * weaker one leaves the strong entry in place: nothing demotes a fence but
 * dma_resv_replace_fences().
 */
enum dma_resv_usage {
	/**
	 * @DMA_RESV_USAGE_KERNEL: The kernel itself moves or clears the memory.
	 *
	 * Nobody may touch the memory before these fences have signaled,
	 * whatever kind of synchronization was agreed on. Only who keeps the
	 * memory from moving in the first place, by a pin, need not care.
	 */
	DMA_RESV_USAGE_KERNEL,

	/**
	 * @DMA_RESV_USAGE_WRITE: A job of user space writes, and everybody who
	 * relies on implicit synchronization waits for it.
	 */
	DMA_RESV_USAGE_WRITE,

	/**
	 * @DMA_RESV_USAGE_READ: A job of user space reads, and implicitly
	 * synchronized writers wait for it.
	 */
	DMA_RESV_USAGE_READ,

	/**
	 * @DMA_RESV_USAGE_BOOKKEEP: The memory has to stay where it is until
	 * the fence signals, but no other job waits for it.
	 *
	 * For page table updates, TLB flushes, preemption fences and jobs that
	 * synchronize explicitly.
	 */
	DMA_RESV_USAGE_BOOKKEEP
};

/**
 * dma_resv_usage_rw() - which fences stand in the way of an access
 * @write: is it a write?
 *
 * A writer waits for readers and writers, a reader for writers only. That is
 * what a new job waits *for*; its own fence is added as %DMA_RESV_USAGE_WRITE or
 * %DMA_RESV_USAGE_READ, which is the other way round.
 *
 * Context: Any context.
 * Return: the usage to ask with before an access of that kind.
 */
static inline enum dma_resv_usage dma_resv_usage_rw(bool write)
{
	if (write)
		return DMA_RESV_USAGE_READ;

	return DMA_RESV_USAGE_WRITE;
}

/**
 * struct dma_resv - the reservation of a buffer, or of several that share it
 * @lock: Serialises everything that changes the object, and whatever else the
 *	owner of the buffer wants to have stable with it. Taken by
 *	dma_resv_lock() and its relatives only.
 * @fences: The fences, or NULL if there was never one. Written with @lock held,
 *	read with @lock held or under RCU, by dma-resv*.c only.
 */
struct dma_resv {
	struct ww_mutex lock;
	struct dma_resv_list __rcu *fences;
};

/**
 * struct dma_resv_iter - a cursor over the fences of a reservation object
 *
 * Lives on the stack of whoever walks. Its members are nobody's business but
 * that of the functions named dma_resv_iter_*().
 */
struct dma_resv_iter {
	/* private: */
	struct dma_resv *obj;		/* what is walked over */
	enum dma_resv_usage usage;	/* the weakest usage of interest */
	enum dma_resv_usage found_usage; /* that of the fence last returned */
	struct dma_fence *ref;		/* lockless walk: owns a reference */
	struct dma_resv_list *list;	/* for comparison; may be gone already */
	u64 generation;			/* of @list */
	const u32 *link;		/* what tells where to look next */
	bool restarted;
};

struct dma_fence *dma_resv_iter_first_unlocked(struct dma_resv_iter *cursor);
struct dma_fence *dma_resv_iter_next_unlocked(struct dma_resv_iter *cursor);
struct dma_fence *dma_resv_iter_first(struct dma_resv_iter *cursor);
struct dma_fence *dma_resv_iter_next(struct dma_resv_iter *cursor);

/**
 * dma_resv_iter_begin() - make a cursor
 * @cursor: memory for the cursor
 * @obj: the object to walk over; borrowed until the walk is over
 * @usage: the weakest usage of interest
 *
 * Context: Any context.
 */
static inline void dma_resv_iter_begin(struct dma_resv_iter *cursor,
				       struct dma_resv *obj,
				       enum dma_resv_usage usage)
{
	cursor->usage = usage;
	cursor->obj = obj;
	cursor->ref = NULL;
}

/**
 * dma_resv_iter_end() - finish a lockless walk
 * @cursor: the cursor
 *
 * Drops the reference on the current fence, so that a loop may be left at any
 * point. A walk with the lock held does not need it.
 *
 * Context: Any context.
 */
static inline void dma_resv_iter_end(struct dma_resv_iter *cursor)
{
	dma_fence_put(cursor->ref);
}

/**
 * dma_resv_for_each_fence_unlocked - walk over pending fences without the lock
 * @cursor: a cursor from dma_resv_iter_begin()
 * @fence: loop variable, a &struct dma_fence pointer
 *
 * The body may sleep. @fence is referenced until the next round, or until
 * dma_resv_iter_end(), which must follow even if the loop ran to its end.
 *
 * Fences that are known to have signaled are left out. The walk starts over when
 * the object changes under it too much, see dma_resv_iter_is_restarted(); a fence
 * may then be seen twice, but none that is pending all the time is missed.
 */
#define dma_resv_for_each_fence_unlocked(cursor, fence)			\
	for ((fence) = dma_resv_iter_first_unlocked(cursor); (fence);	\
	     (fence) = dma_resv_iter_next_unlocked(cursor))

/**
 * dma_resv_for_each_fence - walk over all fences with the lock held
 * @cursor: memory for a cursor, needs no preparation and no clean-up
 * @obj: the object to walk over
 * @usage: the weakest usage of interest
 * @fence: loop variable, a &struct dma_fence pointer
 *
 * Signaled fences are shown, too. @fence stays valid until the lock is
 * dropped, or until it is itself replaced. The body may replace and add fences,
 * but must not reserve slots, because that exchanges what is walked over.
 */
#define dma_resv_for_each_fence(cursor, obj, usage, fence)		\
	for (dma_resv_iter_begin(cursor, obj, usage),			\
	     (fence) = dma_resv_iter_first(cursor); (fence);		\
	     (fence) = dma_resv_iter_next(cursor))

/**
 * dma_resv_iter_is_restarted() - does the walk begin with the current fence?
 * @cursor: a cursor that has just returned a fence
 *
 * Who collects fences drops what it has when this is true.
 *
 * Context: Any context.
 * Return: true for the first fence of a walk, and again for the first fence
 * after a change of the object made the walk start over.
 */
static inline bool dma_resv_iter_is_restarted(struct dma_resv_iter *cursor)
{
	return cursor->restarted;
}

/**
 * dma_resv_iter_usage() - why is the current fence in the object?
 * @cursor: a cursor that has just returned a fence
 *
 * Context: Any context.
 * Return: the usage that the fence was added with.
 */
static inline enum dma_resv_usage
dma_resv_iter_usage(struct dma_resv_iter *cursor)
{
	return cursor->found_usage;
}

/* For lockdep expressions: does this task hold the lock of @obj? */
#define dma_resv_held(obj) lockdep_is_held(&(obj)->lock.base)
/* Complain if the lock of @obj is not held. */
#define dma_resv_assert_held(obj) lockdep_assert_held(&(obj)->lock.base)

#ifdef CONFIG_DEBUG_MUTEXES
void dma_resv_reset_max_fences(struct dma_resv *obj);
#else
static inline void dma_resv_reset_max_fences(struct dma_resv *obj)
{
}
#endif

/**
 * dma_resv_locking_ctx() - the context that the lock was taken with
 * @obj: the object
 *
 * Only for call chains that cannot pass the context down as an argument.
 *
 * Context: Any context; the answer is stable only for who holds the lock.
 * Return: the context, or NULL if there is none or the lock is free.
 */
static inline struct ww_acquire_ctx *dma_resv_locking_ctx(struct dma_resv *obj)
{
	return READ_ONCE(obj->lock.ctx);
}

/**
 * dma_resv_is_locked() - does anybody hold the lock?
 * @obj: the object
 *
 * For assertions about the caller itself use dma_resv_assert_held().
 *
 * Context: Any context.
 * Return: true if somebody holds the lock right now.
 */
static inline bool dma_resv_is_locked(struct dma_resv *obj)
{
	return ww_mutex_is_locked(&obj->lock);
}

/**
 * dma_resv_trylock() - take the lock if that is possible at once
 * @obj: the object
 *
 * Never part of a deadlock, and therefore without a context.
 *
 * Context: Process context. The lock is released by dma_resv_unlock().
 * Return: true if the lock is now held by the caller.
 */
static inline bool __must_check dma_resv_trylock(struct dma_resv *obj)
{
	return ww_mutex_trylock(&obj->lock, NULL);
}

/**
 * dma_resv_lock() - take the lock of a reservation object
 * @obj: the object
 * @ctx: what belongs together when several objects are locked, or NULL for a
 *	single one
 *
 * On %-EDEADLK the caller drops all locks of @ctx, sleeps in
 * dma_resv_lock_slow() for this object, and then tries the others again. The
 * drm_exec helpers do that.
 *
 * Context: Process context; may sleep. The lock is released by
 * dma_resv_unlock().
 * Return: 0 with the lock held; else the lock is not held and the result is
 *
 *  * %-EDEADLK  - somebody older waits for a lock of @ctx
 *  * %-EALREADY - @ctx holds this lock already
 */
static inline int dma_resv_lock(struct dma_resv *obj,
				struct ww_acquire_ctx *ctx)
{
	return ww_mutex_lock(&obj->lock, ctx);
}

/**
 * dma_resv_unlock() - release the lock
 * @obj: the object
 *
 * Slots that were reserved and not used are forfeited.
 *
 * Context: Process context, with the lock held.
 */
static inline void dma_resv_unlock(struct dma_resv *obj)
{
	dma_resv_reset_max_fences(obj);
	ww_mutex_unlock(&obj->lock);
}

/**
 * dma_resv_lock_slow() - take the lock that caused %-EDEADLK
 * @obj: the object whose lock could not be had
 * @ctx: the context, which holds no lock any more
 *
 * Context: Process context; may sleep. The lock is released by
 * dma_resv_unlock().
 */
static inline void dma_resv_lock_slow(struct dma_resv *obj,
				      struct ww_acquire_ctx *ctx)
{
	ww_mutex_lock_slow(&obj->lock, ctx);
}

/**
 * dma_resv_lock_interruptible() - as dma_resv_lock(), but signals are heard
 * @obj: the object
 * @ctx: as for dma_resv_lock()
 *
 * Context: Process context; may sleep. The lock is released by
 * dma_resv_unlock().
 * Return: 0 with the lock held; else the lock is not held and the result is
 *
 *  * %-EDEADLK  - somebody older waits for a lock of @ctx
 *  * %-EALREADY - @ctx holds this lock already
 *  * %-EINTR    - a signal arrived
 */
static inline int dma_resv_lock_interruptible(struct dma_resv *obj,
					      struct ww_acquire_ctx *ctx)
{
	return ww_mutex_lock_interruptible(&obj->lock, ctx);
}

/**
 * dma_resv_lock_slow_interruptible() - as dma_resv_lock_slow(), but signals are
 * heard
 * @obj: the object whose lock could not be had
 * @ctx: the context, which holds no lock any more
 *
 * Context: Process context; may sleep. The lock is released by
 * dma_resv_unlock().
 * Return: 0 with the lock held, or %-EINTR without it if a signal arrived.
 */
static inline int dma_resv_lock_slow_interruptible(struct dma_resv *obj,
						   struct ww_acquire_ctx *ctx)
{
	return ww_mutex_lock_slow_interruptible(&obj->lock, ctx);
}

void dma_resv_init(struct dma_resv *obj);
void dma_resv_fini(struct dma_resv *obj);
int dma_resv_reserve_fences(struct dma_resv *obj, unsigned int num_fences);
void dma_resv_add_fence(struct dma_resv *obj, struct dma_fence *fence,
			enum dma_resv_usage usage);
void dma_resv_replace_fences(struct dma_resv *obj, u64 context,
			     struct dma_fence *fence,
			     enum dma_resv_usage usage);
int dma_resv_copy_fences(struct dma_resv *dst, struct dma_resv *src);

int dma_resv_get_fences(struct dma_resv *obj, enum dma_resv_usage usage,
			unsigned int *num_fences, struct dma_fence ***fences);
int dma_resv_get_singleton(struct dma_resv *obj, enum dma_resv_usage usage,
			   struct dma_fence **fence);
long dma_resv_wait_timeout(struct dma_resv *obj, enum dma_resv_usage usage,
			   bool intr, unsigned long timeout);
bool dma_resv_test_signaled(struct dma_resv *obj, enum dma_resv_usage usage);
void dma_resv_set_deadline(struct dma_resv *obj, enum dma_resv_usage usage,
			   ktime_t deadline);
void dma_resv_describe(struct dma_resv *obj, struct seq_file *seq);

#endif /* _LINUX_DMA_RESV_H */
