// SPDX-License-Identifier: GPL-2.0
/*
 * The fence's state machine: init, enable, signal, callbacks, status, release.
 *
 * Sleeping on fences is in dma-fence-wait.c, fences that need no provider are in
 * dma-fence-stub.c, and what lockdep is told is in dma-fence-lockdep.c.
 */

#include <linux/atomic.h>
#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#define CREATE_TRACE_POINTS
#include <trace/events/dma_fence.h>

#include "dma-fence-watchdog.h"

EXPORT_TRACEPOINT_SYMBOL(dma_fence_emit);
EXPORT_TRACEPOINT_SYMBOL(dma_fence_enable_signal);
EXPORT_TRACEPOINT_SYMBOL(dma_fence_signaled);

/**
 * DOC: DMA fences overview
 *
 * A &struct dma_fence is a promise that one piece of device work will come to an
 * end. The driver that makes the promise is the fence's provider; the fence then
 * travels to other drivers and, inside a sync_file or a reservation object, to
 * other processes. Nobody who meets it has to know whose it is.
 *
 * The provider's side:
 *
 * 1. dma_fence_context_alloc() once for each timeline, i.e. for each queue whose
 *    entries finish in order.
 * 2. dma_fence_init() for each piece of work, with the next seqno.
 * 3. Hand the work to the device and publish the fence, in either order.
 * 4. If the work fails: dma_fence_set_error().
 * 5. dma_fence_signal() when it is over, whatever happened, within reasonable
 *    time; typically from the interrupt handler. Then dma_fence_put().
 *
 * The other side either waits, with dma_fence_wait() and its relatives, or
 * leaves a callback with dma_fence_add_callback(), or hands the fence to its own
 * device if that can wait by itself. All but the last ask the provider, by
 * way of &dma_fence_ops.enable_signaling, to take the trouble of an interrupt.
 */

/**
 * DOC: fence states
 *
 * ============  ==========================  =============  =====================
 * state         bits of its flags           union holds    union is written by
 * ============  ==========================  =============  =====================
 * new           none                        cb_list        nobody
 * watched       ENABLE_SIGNAL               cb_list        the lock's holder
 * signaling     SIGNALED                    in transition  the one who signals
 * signaled      SIGNALED, TIMESTAMP         timestamp      nobody
 * released      any, refcount is 0          rcu            dma_fence_free()
 * ============  ==========================  =============  =====================
 *
 * A fence moves down this table only, and may skip rows. From new to signaling
 * ENABLE_SIGNAL stays clear. Signaling lasts for a few instructions under the
 * lock, and others see it: dma_fence_timestamp() waits for it to be over. An unsignaled
 * fence may be released, if nobody has ever asked for it.
 *
 * Invariants:
 *
 * - SIGNALED is set once. Whoever sets it gets 0 from the signal function,
 *   everybody else -EINVAL. A provider that signals in batches may set it without
 *   the lock; the rest of the transition is under the lock.
 * - &dma_fence.error is written before SIGNALED, and is constant after it.
 * - ENABLE_SIGNAL is set, under the lock, by the one who then calls
 *   &dma_fence_ops.enable_signaling; so that is called at most once, and
 *   never for a signaled fence.
 * - &dma_fence_cb.node is empty, or queued on exactly one unsignaled fence.
 * - A signaled fence's operations are not called any more, release excepted,
 *   and that only where it exists. So a provider without it can be unloaded
 *   a grace period after its last signal, while others still hold its fences.
 * - &dma_fence.lock exists as long as the fence: a callback can only be taken
 *   back in an orderly way under the lock of the one who may be calling it.
 *
 * Calls into a provider that may be about to go are made under the lock of an
 * unsignaled fence or under rcu_read_lock() with the flag tested inside. The
 * flag was clear, so the signal comes later, and with it the grace period
 * that the provider has to wait for.
 */

/**
 * DOC: fence cross-driver contract
 *
 * Memory management, other drivers and user space rely on every fence, so:
 *
 * - A fence is signaled in bounded time. A provider needs a timeout that
 *   catches hung devices, and recovery ends in a signal, with an error.
 * - Only kernel code decides about that. A fence that waits for an action of
 *   user space may not get into a reservation object.
 * - dma_fence_wait() is allowed while holding dma_resv_lock(), and from a
 *   shrinker or MMU notifier. So nothing on the way to a signal may take that
 *   lock, allocate memory in a way that waits for reclaim, or wait for anyone
 *   who does. dma_fence_begin_signalling() has lockdep check this.
 * - dma_fence_put() and dma_fence_signal() may come from any context.
 * - Interrupts, and not polling, finish a fence that somebody waits for.
 */

/**
 * DOC: deadline hints
 *
 * The usual picture of a busy device is one whose clock has been raised. A
 * device that is used once a frame, and waits for the CPU in between, never looks
 * busy, keeps its low clock, and the frame is late. dma_fence_set_deadline() lets
 * the waiter say when it is going to need the result; the provider may raise the
 * clock if it would be late. It is a hint: nobody is told when it is missed.
 *
 * Deadlines come from a compositor that knows the next vblank, be it through
 * the kernel's mode setting or through SYNC_IOC_SET_DEADLINE. Containers pass
 * them on to what they contain.
 */

/* The next free context. Context 0 is that of the stubs. */
static atomic64_t next_context = ATOMIC64_INIT(1);

/**
 * dma_fence_context_alloc() - reserve timelines
 * @num: how many; 0 is a bug that is reported
 *
 * Contexts are not given back: 64 bits last longer than the machine.
 *
 * Context: Any context.
 * Return: the first of @num consecutive contexts that nobody else has.
 */
u64 dma_fence_context_alloc(unsigned int num)
{
	WARN_ON_ONCE(!num);
	return atomic64_fetch_add(num, &next_context);
}
EXPORT_SYMBOL(dma_fence_context_alloc);

/**
 * dma_fence_driver_name() - who has made a fence
 * @fence: the fence
 *
 * Context: Any context. The caller holds rcu_read_lock() from before the call
 * until it is done with the name.
 * Return: the provider's name, or a fixed string if the fence is signaled, for
 * then the provider may have gone.
 */
const char *dma_fence_driver_name(struct dma_fence *fence)
{
	RCU_LOCKDEP_WARN(!rcu_read_lock_any_held(),
			 "the name of a fence is protected by RCU");

	if (test_bit_acquire(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		return "detached-driver";
	return fence->ops->get_driver_name(fence);
}
EXPORT_SYMBOL(dma_fence_driver_name);

/**
 * dma_fence_timeline_name() - on which of its provider's timelines a fence is
 * @fence: the fence
 *
 * Context: As dma_fence_driver_name().
 * Return: the timeline's name, or a fixed string if the fence is signaled.
 */
const char *dma_fence_timeline_name(struct dma_fence *fence)
{
	RCU_LOCKDEP_WARN(!rcu_read_lock_any_held(),
			 "the name of a fence is protected by RCU");

	if (test_bit_acquire(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		return "signaled-timeline";
	return fence->ops->get_timeline_name(fence);
}
EXPORT_SYMBOL(dma_fence_timeline_name);

/* A callback may free itself and whatever it is part of. */
static void call_all(struct dma_fence *fence, struct list_head *callbacks)
{
	struct dma_fence_cb *cb, *next;

	list_for_each_entry_safe(cb, next, callbacks, node) {
		INIT_LIST_HEAD(&cb->node);
		cb->func(fence, cb);
	}
}

/**
 * dma_fence_signal_timestamp_locked() - as dma_fence_signal_locked(), at a given time
 * @fence: the fence
 * @timestamp: when the work was over, CLOCK_MONOTONIC
 *
 * The one place where a fence becomes signaled.
 *
 * Context: Any context. The caller holds &dma_fence.lock, and callbacks run
 * under it.
 * Return: 0, or %-EINVAL if the fence was signaled before; nothing changes then.
 */
int dma_fence_signal_timestamp_locked(struct dma_fence *fence, ktime_t timestamp)
{
	struct list_head callbacks;

	lockdep_assert_held(fence->lock);

	/*
	 * Publishes the error and what the device has written; pairs with
	 * test_bit_acquire() in dma_fence_is_signaled() and its like.
	 */
	if (test_and_set_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		return -EINVAL;

	/* Empty the union in one move, then put the time into it. */
	list_replace(&fence->cb_list, &callbacks);
	fence->timestamp = timestamp;

	/* Time before flag; pairs with test_bit_acquire() in dma_fence_timestamp(). */
	smp_mb__before_atomic();
	set_bit(DMA_FENCE_FLAG_TIMESTAMP_BIT, &fence->flags);
	trace_dma_fence_signaled(fence);
	dma_fence_unwatch(fence);

	call_all(fence, &callbacks);
	return 0;
}
EXPORT_SYMBOL(dma_fence_signal_timestamp_locked);

/**
 * dma_fence_signal_timestamp() - as dma_fence_signal(), at a given time
 * @fence: the fence, or NULL
 * @timestamp: when the work was over, CLOCK_MONOTONIC
 *
 * Context: Any context. Takes &dma_fence.lock unless the fence is signaled.
 * Return: 0, or %-EINVAL if the fence was signaled before or is NULL.
 */
int dma_fence_signal_timestamp(struct dma_fence *fence, ktime_t timestamp)
{
	unsigned long irqflags;
	int ret;

	if (!fence || test_bit_acquire(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		return -EINVAL;

	spin_lock_irqsave(fence->lock, irqflags);
	ret = dma_fence_signal_timestamp_locked(fence, timestamp);
	spin_unlock_irqrestore(fence->lock, irqflags);

	return ret;
}
EXPORT_SYMBOL(dma_fence_signal_timestamp);

/**
 * dma_fence_signal_locked() - as dma_fence_signal(), under the lock
 * @fence: the fence
 *
 * Context: Any context. The caller holds &dma_fence.lock, and callbacks run
 * under it.
 * Return: 0, or %-EINVAL if the fence was signaled before.
 */
int dma_fence_signal_locked(struct dma_fence *fence)
{
	return dma_fence_signal_timestamp_locked(fence, ktime_get());
}
EXPORT_SYMBOL(dma_fence_signal_locked);

/**
 * dma_fence_signal() - the work is over
 * @fence: the fence, on which the caller holds a reference; or NULL
 *
 * Wakes who waits and calls the callbacks. May be called any number of times, the
 * first one counts.
 *
 * Context: Any context. Takes &dma_fence.lock unless the fence is signaled.
 * Return: 0, or %-EINVAL if the fence was signaled before or is NULL.
 */
int dma_fence_signal(struct dma_fence *fence)
{
	unsigned long irqflags;
	bool cookie;
	int ret;

	if (!fence || test_bit_acquire(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		return -EINVAL;

	cookie = dma_fence_begin_signalling();
	spin_lock_irqsave(fence->lock, irqflags);
	ret = dma_fence_signal_locked(fence);
	spin_unlock_irqrestore(fence->lock, irqflags);
	dma_fence_end_signalling(cookie);

	return ret;
}
EXPORT_SYMBOL(dma_fence_signal);

static const char *orphan_name(struct dma_fence *fence)
{
	return "orphan";
}

/* Nobody can say how the memory is to be freed, so it is kept. */
static void orphan_release(struct dma_fence *fence)
{
}

/* Stand in for what a broken provider did not pass to dma_fence_init(). */
static const struct dma_fence_ops orphan_ops = {
	.get_driver_name = orphan_name,
	.get_timeline_name = orphan_name,
	.release = orphan_release,
};

static DEFINE_SPINLOCK(orphan_lock);

/* What has to be known of a provider after it has gone, as flags. */
static unsigned long remember(const struct dma_fence_ops *ops)
{
	return (unsigned long)!ops->release << __DMA_FENCE_FLAG_NO_RELEASE_BIT |
	       (unsigned long)ops->use_64bit_seqno << __DMA_FENCE_FLAG_SEQNO64_BIT;
}

static bool provider_valid(const struct dma_fence_ops *ops, spinlock_t *lock)
{
	return lock && ops && ops->get_driver_name && ops->get_timeline_name;
}

/**
 * dma_fence_init() - start a fence's life
 * @fence: memory for it, embedded in a structure of the provider
 * @ops: operations; the names are mandatory
 * @lock: lock that serves this fence and perhaps others; exists as long as they
 * @context: timeline, from dma_fence_context_alloc()
 * @seqno: place on the timeline, later than that of earlier fences
 *
 * The caller has the first reference. Without @lock or a mandatory operation,
 * which is a bug that is reported, the fence is signaled with the
 * error %-EINVAL so that nobody waits for it, and its memory is never freed.
 *
 * Context: Any context.
 */
void dma_fence_init(struct dma_fence *fence, const struct dma_fence_ops *ops,
		    spinlock_t *lock, u64 context, u64 seqno)
{
	bool orphan = WARN_ON_ONCE(!provider_valid(ops, lock));

	if (unlikely(orphan)) {
		ops = &orphan_ops;
		lock = &orphan_lock;
	}

	kref_init(&fence->refcount);
	INIT_LIST_HEAD(&fence->cb_list);
	fence->ops = ops;
	fence->lock = lock;
	fence->context = context;
	fence->seqno = seqno;
	fence->error = orphan ? -EINVAL : 0;
	fence->flags = remember(ops);
	trace_dma_fence_init(fence);

	if (unlikely(orphan))
		dma_fence_signal(fence);
}
EXPORT_SYMBOL(dma_fence_init);

/*
 * Have the provider signal on its own account from now on; false if the fence
 * is signaled, and be it because the provider declined.
 */
static bool enable_signaling(struct dma_fence *fence)
{
	bool enabled;

	lockdep_assert_held(fence->lock);

	enabled = test_and_set_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &fence->flags);
	if (test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		return false;
	if (enabled)
		return true;
	dma_fence_watch(fence);
	if (!fence->ops->enable_signaling)
		return true;

	trace_dma_fence_enable_signal(fence);
	if (fence->ops->enable_signaling(fence))
		return true;

	dma_fence_signal_locked(fence);
	return false;
}

/**
 * dma_fence_enable_sw_signaling() - make sure that the fence gets signaled
 * @fence: the fence
 *
 * For those who poll with dma_fence_is_signaled() and do not want to be told
 * no for ever. Waiting and callbacks include it.
 *
 * Context: Any context but hard interrupt. Takes &dma_fence.lock unless the fence
 * is signaled.
 */
void dma_fence_enable_sw_signaling(struct dma_fence *fence)
{
	unsigned long irqflags;

	if (test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		return;

	spin_lock_irqsave(fence->lock, irqflags);
	enable_signaling(fence);
	spin_unlock_irqrestore(fence->lock, irqflags);
}
EXPORT_SYMBOL(dma_fence_enable_sw_signaling);

/**
 * dma_fence_add_callback() - have a function called when the work is over
 * @fence: the fence, on which the caller holds a reference until @func is
 *	called or removed; NULL is a bug that is reported
 * @cb: memory for the registration; borrowed likewise
 * @func: what to call; NULL is a bug that is reported
 *
 * @func is not called from within this function: not by a fence that is
 * signaled, nor by one that gets signaled because its provider will not enable
 * signaling. It may be called before this function returns, by others.
 *
 * Context: Any context but hard interrupt. Takes &dma_fence.lock unless the fence
 * is signaled.
 * Return: 0, and @func will be called, or @cb is not queued and
 *
 *  * %-ENOENT - the fence is signaled; dma_fence_remove_callback() may be called
 *  * %-EINVAL - @fence or @func is NULL
 */
int dma_fence_add_callback(struct dma_fence *fence, struct dma_fence_cb *cb,
			   dma_fence_func_t func)
{
	unsigned long irqflags;
	bool queued;

	if (WARN_ON_ONCE(!fence || !func))
		return -EINVAL;

	cb->func = func;
	INIT_LIST_HEAD(&cb->node);
	if (test_bit_acquire(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		return -ENOENT;

	spin_lock_irqsave(fence->lock, irqflags);
	queued = enable_signaling(fence);
	if (queued)
		list_add_tail(&cb->node, &fence->cb_list);
	spin_unlock_irqrestore(fence->lock, irqflags);

	return queued ? 0 : -ENOENT;
}
EXPORT_SYMBOL(dma_fence_add_callback);

/**
 * dma_fence_remove_callback() - take a callback back
 * @fence: the fence it was given to
 * @cb: the callback, which has gone through dma_fence_add_callback()
 *
 * Waits for a call that is under way on another processor: @cb and all that its
 * function uses may be freed afterwards, whatever is returned. May not be called
 * from a callback, nor where a callback may be waiting for the caller.
 *
 * Context: Any context. Takes &dma_fence.lock.
 * Return: true if it was queued and will not be called; false if it has been
 * called or was never queued.
 */
bool dma_fence_remove_callback(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	unsigned long irqflags;
	bool queued;

	spin_lock_irqsave(fence->lock, irqflags);
	queued = !list_empty(&cb->node);
	if (queued)
		list_del_init(&cb->node);
	spin_unlock_irqrestore(fence->lock, irqflags);

	return queued;
}
EXPORT_SYMBOL(dma_fence_remove_callback);

/**
 * dma_fence_get_status() - how did it end?
 * @fence: the fence
 *
 * Context: Any context. Takes &dma_fence.lock if it has to signal.
 * Return: 0 if it is not signaled, 1 if it is and all went well, or the negative
 * errno that the provider has set.
 */
int dma_fence_get_status(struct dma_fence *fence)
{
	return dma_fence_is_signaled(fence) ? fence->error ?: 1 : 0;
}
EXPORT_SYMBOL(dma_fence_get_status);

/**
 * dma_fence_set_deadline() - tell the provider when the result will be needed
 * @fence: the fence
 * @deadline: the time, CLOCK_MONOTONIC; past means at once
 *
 * Does nothing if the fence is signaled or its provider is not interested.
 *
 * Context: Any context where &dma_fence.lock is not held.
 */
void dma_fence_set_deadline(struct dma_fence *fence, ktime_t deadline)
{
	if (dma_fence_is_signaled(fence))
		return;

	/* Inside, because the provider may go a grace period after it signaled. */
	guard(rcu)();
	if (test_bit_acquire(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		return;
	if (fence->ops->set_deadline)
		fence->ops->set_deadline(fence, deadline);
}
EXPORT_SYMBOL(dma_fence_set_deadline);

/**
 * dma_fence_describe() - print a fence for debugfs
 * @fence: the fence
 * @seq: where to; one line is added
 *
 * Context: Any context where &dma_fence.lock is not held.
 */
void dma_fence_describe(struct dma_fence *fence, struct seq_file *seq)
{
	bool signaled = dma_fence_is_signaled(fence);

	guard(rcu)();
	seq_printf(seq, "%s %s seq %llu %ssignalled\n",
		   dma_fence_driver_name(fence), dma_fence_timeline_name(fence),
		   fence->seqno, signaled ? "" : "un");
}
EXPORT_SYMBOL(dma_fence_describe);

/**
 * dma_fence_free() - free the memory after a grace period
 * @fence: a fence without references, the first member of what kmalloc() or
 *	kmem_cache_alloc() returned
 *
 * For &dma_fence_ops.release, when that is done with everything else.
 *
 * Context: Any context.
 */
void dma_fence_free(struct dma_fence *fence)
{
	kfree_rcu(fence, rcu);
}
EXPORT_SYMBOL(dma_fence_free);

/*
 * There was one dma_fence_put() too many: somebody still expects to hear of this
 * fence. The device may still be at work, so what waits is told of a failure, and
 * what the fence stands for is neither freed nor shown as finished work. Out of
 * line, to keep the usual release short.
 */
static noinline void abandon(struct dma_fence *fence)
{
	unsigned long irqflags;

	scoped_guard(rcu)
		WARN_ONCE(1, "fence %s:%s:%llu:%llu released with callbacks pending\n",
			  dma_fence_driver_name(fence), dma_fence_timeline_name(fence),
			  fence->context, fence->seqno);

	/* More references than will ever be dropped. */
	refcount_set(&fence->refcount.refcount, INT_MAX / 2);

	spin_lock_irqsave(fence->lock, irqflags);
	if (!test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		dma_fence_set_error(fence, -EDEADLK);
	dma_fence_signal_locked(fence);
	spin_unlock_irqrestore(fence->lock, irqflags);
}

static bool has_callbacks(struct dma_fence *fence)
{
	return !test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags) &&
	       !list_empty(&fence->cb_list);
}

/**
 * dma_fence_release() - what the last dma_fence_put() calls
 * @kref: &dma_fence.refcount, which is 0
 *
 * A fence that nobody has a callback on may go unsignaled. If callbacks are
 * queued, which is a bug that is reported, they get to see the error %-EDEADLK and
 * the fence is kept for ever.
 *
 * Context: Any context.
 */
void dma_fence_release(struct kref *kref)
{
	struct dma_fence *fence = container_of(kref, struct dma_fence, refcount);

	trace_dma_fence_destroy(fence);
	dma_fence_unwatch(fence);

	if (unlikely(has_callbacks(fence)))
		abandon(fence);
	/* The flag first: a signaled fence may have outlived its operations. */
	else if (test_bit(__DMA_FENCE_FLAG_NO_RELEASE_BIT, &fence->flags))
		dma_fence_free(fence);
	else
		fence->ops->release(fence);
}
EXPORT_SYMBOL(dma_fence_release);
