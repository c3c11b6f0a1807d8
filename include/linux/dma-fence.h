/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dma_fence: tells any number of drivers when one piece of asynchronous device
 * work is over, and how it ended.
 *
 * Vocabulary: the *provider* creates a fence, implements &struct dma_fence_ops
 * and signals; *waiters* and *callbacks* want to know. A *context* numbers a
 * timeline, a *seqno* the place on it.
 *
 * The life of a fence is told in drivers/dma-buf/dma-fence.c.
 */

#ifndef _LINUX_DMA_FENCE_H
#define _LINUX_DMA_FENCE_H

#include <linux/err.h>
#include <linux/wait.h>
#include <linux/list.h>
#include <linux/bitops.h>
#include <linux/kref.h>
#include <linux/sched.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/timekeeping.h>

struct dma_fence;
struct dma_fence_ops;
struct dma_fence_cb;
struct seq_file;

/**
 * struct dma_fence - one completion that devices and drivers share
 * @lock: spinlock of the provider, taken with interrupts off; may serve many
 *	fences and has to exist as long as each of them
 * @ops: the provider's operations; set once
 * @cb_list: queued callbacks, until the fence is signaled; under @lock
 * @timestamp: when it was signaled, CLOCK_MONOTONIC; read it with
 *	dma_fence_timestamp()
 * @rcu: delays the freeing, once the last reference is gone
 * @context: timeline, from dma_fence_context_alloc(); set once
 * @seqno: place on the timeline; set once
 * @flags: &enum dma_fence_flag_bits, changed by atomic bit operations only
 * @refcount: references; dma_fence_release() runs when it gets to zero
 * @error: 0, or the negative errno of work that failed; dma_fence_set_error()
 *	writes it before the fence is signaled, and it counts after that
 *
 * @cb_list, @timestamp and @rcu share their memory: each is gone when the next
 * one is needed. Providers embed this structure and initialise it with
 * dma_fence_init().
 */
struct dma_fence {
	spinlock_t *lock;	/* See above. */
	const struct dma_fence_ops *ops;
	union {
		struct list_head cb_list;
		ktime_t timestamp;
		struct rcu_head rcu;
	};
	u64 context;
	u64 seqno;
	unsigned long flags;
	struct kref refcount;
	int error;
};

/**
 * enum dma_fence_flag_bits - bits of &dma_fence.flags
 * @DMA_FENCE_FLAG_SIGNALED_BIT: the work is over; never taken back
 * @DMA_FENCE_FLAG_TIMESTAMP_BIT: &dma_fence.timestamp may be read
 * @DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT: somebody wants to know, so the provider
 *	has been asked to signal without further reminders
 * @DMA_FENCE_FLAG_USER_BITS: the first bit that providers may use as they like.
 *	The two topmost bits of the word are the core's.
 */
enum dma_fence_flag_bits {
	DMA_FENCE_FLAG_SIGNALED_BIT,
	DMA_FENCE_FLAG_TIMESTAMP_BIT,
	DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT,
	DMA_FENCE_FLAG_USER_BITS,
};

/*
 * What dma_fence_init() notes about the operations, so that a signaled fence can
 * be compared and freed after its provider's module is gone. Private.
 */
#define __DMA_FENCE_FLAG_NO_RELEASE_BIT	(BITS_PER_LONG - 1)
#define __DMA_FENCE_FLAG_SEQNO64_BIT	(BITS_PER_LONG - 2)

/**
 * typedef dma_fence_func_t - what dma_fence_add_callback() registers
 * @fence: the fence that has just been signaled
 * @cb: the callback; the core is done with it and it may be freed
 *
 * Called once, with &dma_fence.lock held and interrupts off. It must not sleep
 * nor take that lock, and so must not signal or query fences that share it.
 */
typedef void (*dma_fence_func_t)(struct dma_fence *fence,
				 struct dma_fence_cb *cb);

/**
 * struct dma_fence_cb - one registered callback; embed it
 * @node: link in &dma_fence.cb_list; empty whenever it is not queued
 * @func: what to call
 *
 * dma_fence_add_callback() fills it in. It must stay in place until @func has
 * been called or dma_fence_remove_callback() has returned.
 */
struct dma_fence_cb {
	struct list_head node;
	dma_fence_func_t func;
};

/**
 * struct dma_fence_ops - what a provider implements
 *
 * Once a fence is signaled the core calls @release, but nothing else here. Calls that
 * began earlier run under the fence's lock or rcu_read_lock(), except for @wait: a
 * module without @release and @wait may go a grace period after it has signaled
 * the last fence.
 */
struct dma_fence_ops {
	/**
	 * @use_64bit_seqno:
	 *
	 * Seqnos do not wrap and are compared as u64. Otherwise only their low
	 * 32 bits count, and wrap.
	 */
	bool use_64bit_seqno;

	/**
	 * @get_driver_name:
	 *
	 * Name of the provider, for people. Must stay readable until a grace
	 * period after the fence was signaled. Any context. Mandatory.
	 */
	const char * (*get_driver_name)(struct dma_fence *fence);

	/**
	 * @get_timeline_name:
	 *
	 * Name of the fence's context, under the rules of @get_driver_name.
	 * Mandatory.
	 */
	const char * (*get_timeline_name)(struct dma_fence *fence);

	/**
	 * @enable_signaling:
	 *
	 * Somebody waits: from now on the provider has to see to it that
	 * dma_fence_signal() is called as soon as the work is over, say by
	 * unmasking an interrupt. Called at most once for a fence, with
	 * &dma_fence.lock held and interrupts off. Whatever is going to signal
	 * needs a reference of its own, for the waiter may leave early.
	 *
	 * False means that the work is over, or will never finish; the core then
	 * signals. An error may be set before returning false.
	 *
	 * Optional: without it the provider always signals on its own account.
	 */
	bool (*enable_signaling)(struct dma_fence *fence);

	/**
	 * @signaled:
	 *
	 * Have a quick look whether the work is over; the core signals if the
	 * answer is true. After one true it must not say false again. An error
	 * may be set before returning true. Must not sleep; with or without
	 * &dma_fence.lock held. Optional.
	 */
	bool (*signaled)(struct dma_fence *fence);

	/**
	 * @wait:
	 *
	 * Replaces dma_fence_default_wait(), whose arguments and result it has,
	 * but other errors may be returned, too, and then mean that waiting is over.
	 * For drivers that recover their hardware while they wait. Not for
	 * new code: no array or callback goes through it.
	 */
	signed long (*wait)(struct dma_fence *fence,
			    bool intr, signed long timeout);

	/**
	 * @release:
	 *
	 * The last reference is gone. Any context, also hard interrupt. RCU
	 * readers may still look at the fence, so memory is freed by way of
	 * dma_fence_free() or another grace period. Without it the core
	 * calls dma_fence_free().
	 */
	void (*release)(struct dma_fence *fence);

	/**
	 * @fence_value_str:
	 *
	 * Print what identifies the fence in the provider's own terms into @str
	 * of @size bytes, for debugging. Optional.
	 */
	void (*fence_value_str)(struct dma_fence *fence, char *str, int size);

	/**
	 * @timeline_value_str:
	 *
	 * Print how far the timeline of @fence has got, as @fence_value_str.
	 * Optional.
	 */
	void (*timeline_value_str)(struct dma_fence *fence,
				   char *str, int size);

	/**
	 * @set_deadline:
	 *
	 * Somebody will need the result at @deadline (CLOCK_MONOTONIC; perhaps
	 * already past). May come several times, the earliest counts. Must not
	 * sleep; &dma_fence.lock is not held. Optional.
	 */
	void (*set_deadline)(struct dma_fence *fence, ktime_t deadline);
};

/* References, and the two ends of life. */

u64 dma_fence_context_alloc(unsigned int num);
void dma_fence_init(struct dma_fence *fence, const struct dma_fence_ops *ops,
		    spinlock_t *lock, u64 context, u64 seqno);
void dma_fence_release(struct kref *kref);
void dma_fence_free(struct dma_fence *fence);
struct dma_fence *dma_fence_get_stub(void);
struct dma_fence *dma_fence_allocate_private_stub(ktime_t timestamp);

/**
 * dma_fence_get() - take one more reference
 * @fence: a fence that the caller has a reference to, or NULL
 *
 * Context: Any context.
 * Return: @fence; the caller drops the new reference with dma_fence_put().
 */
static inline struct dma_fence *dma_fence_get(struct dma_fence *fence)
{
	if (fence)
		kref_get(&fence->refcount);
	return fence;
}

/**
 * dma_fence_put() - drop a reference
 * @fence: the fence, or NULL
 *
 * Context: Any context.
 */
static inline void dma_fence_put(struct dma_fence *fence)
{
	if (fence)
		kref_put(&fence->refcount, dma_fence_release);
}

/**
 * dma_fence_get_rcu() - take a reference if there is still one
 * @fence: a fence that RCU keeps from being freed
 *
 * Context: Any context. The caller holds rcu_read_lock(), or a lock that stands
 * in for it.
 * Return: @fence with a reference that the caller drops with dma_fence_put(),
 * or NULL if the last one is gone.
 */
static inline struct dma_fence *dma_fence_get_rcu(struct dma_fence *fence)
{
	return kref_get_unless_zero(&fence->refcount) ? fence : NULL;
}

/**
 * dma_fence_get_rcu_safe() - take a reference to the fence that a pointer names
 * @fencep: pointer that is changed with rcu_assign_pointer()
 *
 * Also right where memory of a fence is reused for another fence within a grace
 * period (SLAB_TYPESAFE_BY_RCU): the reference is only kept if @fencep still
 * names the same fence after it was taken.
 *
 * Context: Any context. The caller holds rcu_read_lock().
 * Return: the fence with a reference that the caller drops with
 * dma_fence_put(), or NULL if @fencep holds NULL.
 */
static inline struct dma_fence *
dma_fence_get_rcu_safe(struct dma_fence __rcu **fencep)
{
	for (;;) {
		struct dma_fence *candidate = rcu_dereference(*fencep);

		if (!candidate)
			return NULL;
		if (!kref_get_unless_zero(&candidate->refcount))
			continue;

		/*
		 * Look again only after the reference is taken. Pairs with
		 * rcu_assign_pointer() of whoever replaces the fence.
		 */
		smp_mb__after_atomic();
		if (likely(rcu_access_pointer(*fencep) == candidate))
			return rcu_pointer_handoff(candidate);
		dma_fence_put(candidate);
	}
}

/* What it is called, and what it is. */

const char *dma_fence_driver_name(struct dma_fence *fence);
const char *dma_fence_timeline_name(struct dma_fence *fence);
void dma_fence_describe(struct dma_fence *fence, struct seq_file *seq);

extern const struct dma_fence_ops dma_fence_array_ops;
extern const struct dma_fence_ops dma_fence_chain_ops;

/**
 * dma_fence_is_chain() - is it a &struct dma_fence_chain?
 * @fence: the fence
 *
 * Context: Any context.
 * Return: true if to_dma_fence_chain() may be used.
 */
static inline bool dma_fence_is_chain(struct dma_fence *fence)
{
	return fence->ops == &dma_fence_chain_ops;
}

/**
 * dma_fence_is_array() - is it a &struct dma_fence_array?
 * @fence: the fence
 *
 * Context: Any context.
 * Return: true if to_dma_fence_array() may be used.
 */
static inline bool dma_fence_is_array(struct dma_fence *fence)
{
	return fence->ops == &dma_fence_array_ops;
}

/**
 * dma_fence_is_container() - does it consist of other fences?
 * @fence: the fence
 *
 * Containers in containers would let operations on them recurse, so those who
 * build one test what they put in.
 *
 * Context: Any context.
 * Return: true for arrays and chains.
 */
static inline bool dma_fence_is_container(struct dma_fence *fence)
{
	return dma_fence_is_chain(fence) || dma_fence_is_array(fence);
}

/* The provider's part. */

int dma_fence_signal(struct dma_fence *fence);
int dma_fence_signal_locked(struct dma_fence *fence);
int dma_fence_signal_timestamp(struct dma_fence *fence, ktime_t timestamp);
int dma_fence_signal_timestamp_locked(struct dma_fence *fence,
				      ktime_t timestamp);

/**
 * dma_fence_set_error() - note that the work has failed
 * @fence: a fence that is not signaled; everything else is a bug that is
 *	reported and changes nothing
 * @error: a negative errno; everything else is a bug that is reported and
 *	changes nothing
 *
 * The provider calls this before it signals, so that whoever sees the fence
 * signaled sees the error.
 *
 * Context: Any context.
 */
static inline void dma_fence_set_error(struct dma_fence *fence,
				       int error)
{
	if (WARN_ON_ONCE(test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags) ||
			 error >= 0 || error < -MAX_ERRNO))
		return;

	fence->error = error;
}

#ifdef CONFIG_LOCKDEP
bool dma_fence_begin_signalling(void);
void dma_fence_end_signalling(bool cookie);
void __dma_fence_might_wait(void);
#else
static inline bool dma_fence_begin_signalling(void)
{
	return true;
}

static inline void dma_fence_end_signalling(bool cookie)
{
}

static inline void __dma_fence_might_wait(void)
{
}
#endif

/* Asking. */

/*
 * Ask the provider of a fence that was not signaled a moment ago. The provider
 * stays around for a grace period after it has signaled; so the flag has to be
 * looked at again, unless there was no chance for a grace period to end between.
 */
static inline bool __dma_fence_ask_provider(struct dma_fence *fence)
{
	bool over;

	rcu_read_lock();
	over = IS_ENABLED(CONFIG_PREEMPTION) &&
	       test_bit_acquire(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags);
	if (!over && fence->ops->signaled)
		over = fence->ops->signaled(fence);
	rcu_read_unlock();

	return over;
}

/**
 * dma_fence_is_signaled() - is the work over?
 * @fence: the fence
 *
 * Asks the provider where it implements &dma_fence_ops.signaled, and signals the
 * fence if the answer is yes. It asks for no interrupt: unless somebody
 * called dma_fence_enable_sw_signaling(), added a callback or waits, the answer
 * may stay no for ever. After a yes &dma_fence.error can be relied on.
 *
 * Context: Any context. Takes &dma_fence.lock if it has to signal.
 * Return: true if the fence is signaled.
 */
static inline bool
dma_fence_is_signaled(struct dma_fence *fence)
{
	/* Pairs with test_and_set_bit() in dma_fence_signal_timestamp_locked(). */
	if (test_bit_acquire(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		return true;
	if (!__dma_fence_ask_provider(fence))
		return false;

	dma_fence_signal(fence);
	return true;
}

/**
 * dma_fence_is_signaled_locked() - as dma_fence_is_signaled(), under the lock
 * @fence: the fence
 *
 * Context: Any context. The caller holds &dma_fence.lock.
 * Return: true if the fence is signaled.
 */
static inline bool
dma_fence_is_signaled_locked(struct dma_fence *fence)
{
	bool signaled = test_bit_acquire(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags);

	if (!signaled && fence->ops->signaled) {
		signaled = fence->ops->signaled(fence);
		if (signaled)
			dma_fence_signal_locked(fence);
	}
	return signaled;
}

int dma_fence_get_status(struct dma_fence *fence);

/**
 * dma_fence_get_status_locked() - as dma_fence_get_status(), under the lock
 * @fence: the fence
 *
 * Context: Any context. The caller holds &dma_fence.lock.
 * Return: 0 if it is not signaled, 1 if it is and all went well, or the negative
 * errno that the provider has set.
 */
static inline int dma_fence_get_status_locked(struct dma_fence *fence)
{
	if (!dma_fence_is_signaled_locked(fence))
		return 0;

	return fence->error ?: 1;
}

/**
 * dma_fence_timestamp() - when was it signaled?
 * @fence: a signaled fence; everything else is a bug that is reported
 *
 * The flag that says signaled is set a few instructions before the time is
 * written, on another processor perhaps: waits for that.
 *
 * Context: Any context.
 * Return: the time, CLOCK_MONOTONIC; the present time if it is not signaled.
 */
static inline ktime_t dma_fence_timestamp(struct dma_fence *fence)
{
	if (WARN_ON_ONCE(!test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags)))
		return ktime_get();

	/* Pairs with set_bit() in dma_fence_signal_timestamp_locked(). */
	while (!test_bit_acquire(DMA_FENCE_FLAG_TIMESTAMP_BIT, &fence->flags))
		cpu_relax();

	return fence->timestamp;
}

/* Comparing. */

/* The later of two seqnos wins; a 32-bit one may have wrapped once in between. */
static inline bool __dma_fence_seqno_is_later(u64 f1, u64 f2, bool use_64bit)
{
	return use_64bit ? f1 > f2 : (s32)((u32)f1 - (u32)f2) > 0;
}

/**
 * __dma_fence_is_later() - compare two seqnos of one context
 * @f1: one seqno
 * @f2: another seqno
 * @ops: operations of the fences on that context, which say how to compare
 *
 * Context: Any context. The provider of @ops is still there.
 * Return: true if @f1 comes after @f2.
 */
static inline bool __dma_fence_is_later(u64 f1, u64 f2,
					const struct dma_fence_ops *ops)
{
	return __dma_fence_seqno_is_later(f1, f2, ops->use_64bit_seqno);
}

/**
 * dma_fence_is_later() - compare two fences of one context
 * @f1: one fence
 * @f2: another fence; of another context: a bug that is reported
 *
 * Context: Any context.
 * Return: true if @f1 comes after @f2; false also if they cannot be compared.
 */
static inline bool dma_fence_is_later(struct dma_fence *f1,
				      struct dma_fence *f2)
{
	if (WARN_ON_ONCE(f1->context != f2->context))
		return false;

	return __dma_fence_seqno_is_later(f1->seqno, f2->seqno,
					  test_bit(__DMA_FENCE_FLAG_SEQNO64_BIT, &f1->flags));
}

/**
 * dma_fence_is_later_or_same() - as dma_fence_is_later(), or one and the same
 * @f1: one fence
 * @f2: another fence of that context, or the same
 *
 * Context: Any context.
 * Return: true if @f1 is @f2 or comes after it.
 */
static inline bool dma_fence_is_later_or_same(struct dma_fence *f1,
					      struct dma_fence *f2)
{
	return f1 == f2 || dma_fence_is_later(f1, f2);
}

/**
 * dma_fence_later() - which of two fences of one context is worth waiting for
 * @f1: one fence
 * @f2: another fence; of another context: a bug that is reported
 *
 * Context: Any context.
 * Return: the later fence, borrowed; NULL if that is signaled, and with it the
 * other one, or if they cannot be compared.
 */
static inline struct dma_fence *dma_fence_later(struct dma_fence *f1,
						struct dma_fence *f2)
{
	struct dma_fence *later;

	if (WARN_ON_ONCE(f1->context != f2->context))
		return NULL;

	later = dma_fence_is_later(f1, f2) ? f1 : f2;
	return dma_fence_is_signaled(later) ? NULL : later;
}

/* Waiting, and being called. */

void dma_fence_set_deadline(struct dma_fence *fence, ktime_t deadline);
void dma_fence_enable_sw_signaling(struct dma_fence *fence);
int dma_fence_add_callback(struct dma_fence *fence,
			   struct dma_fence_cb *cb,
			   dma_fence_func_t func);
bool dma_fence_remove_callback(struct dma_fence *fence,
			       struct dma_fence_cb *cb);
signed long dma_fence_default_wait(struct dma_fence *fence,
				   bool intr, signed long timeout);
signed long dma_fence_wait_timeout(struct dma_fence *fence,
				   bool intr, signed long timeout);
signed long dma_fence_wait_any_timeout(struct dma_fence **fences,
				       u32 count,
				       bool intr, signed long timeout,
				       u32 *idx);

/**
 * dma_fence_wait() - sleep until the work is over
 * @fence: the fence; borrowed
 * @intr: let signals to the task end the wait
 *
 * Context: Process context; sleeps. Not from where signalling depends on the
 * caller, see dma_fence_begin_signalling().
 * Return: 0 if the fence is signaled, or
 *
 *  * %-ERESTARTSYS - @intr, and the task has a signal pending
 *  * another negative errno that &dma_fence_ops.wait came up with
 */
static inline signed long dma_fence_wait(struct dma_fence *fence, bool intr)
{
	return min(dma_fence_wait_timeout(fence, intr, MAX_SCHEDULE_TIMEOUT), 0L);
}

#endif /* _LINUX_DMA_FENCE_H */
