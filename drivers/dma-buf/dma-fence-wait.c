// SPDX-License-Identifier: GPL-2.0
/*
 * Sleeping until a fence, or any of several fences, is signaled.
 *
 * A wait leaves a callback that wakes the task, and looks at the flag between
 * set_current_state() and going to sleep. Both orders of "flag set, task woken"
 * and "task state set, flag read" are thus seen by at least one of the two.
 */

#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <trace/events/dma_fence.h>

#include "dma-fence-watchdog.h"

/* One sleeping task on one fence. */
struct waiter {
	struct dma_fence_cb cb;
	struct task_struct *task;
};

static void wake_waiter(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct waiter *waiter = container_of(cb, struct waiter, cb);

	wake_up_state(waiter->task, TASK_NORMAL);
}

#if IS_ENABLED(CONFIG_DMABUF_CONTRACT)
/**
 * dma_fence_waiting_task() - who sleeps on a callback?
 * @cb: queued on a fence, whose lock the caller holds
 *
 * Context: Any.
 * Return: the task, which keeps sleeping at least until the lock is dropped; NULL
 * if the callback does something else.
 */
struct task_struct *dma_fence_waiting_task(const struct dma_fence_cb *cb)
{
	return cb->func == wake_waiter ?
		container_of(cb, struct waiter, cb)->task : NULL;
}
#endif

/* As in all waits: what is left of @timeout, but not 0, which means too late. */
static signed long in_time(signed long timeout)
{
	return timeout ?: 1;
}

/*
 * Index of the first fence of @fences that the flag says is signaled, or @count.
 * Providers are not asked: the flag is what comes with a wake-up.
 */
static __always_inline u32 find_signaled(struct dma_fence **fences, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (test_bit_acquire(DMA_FENCE_FLAG_SIGNALED_BIT, &fences[i]->flags))
			break;

	return i;
}

/*
 * Sleep until one of @fences is signaled, each of which has a waiter for this
 * task; *@first is then its index. Returns what is left of @timeout, 0 if that
 * is over, or -ERESTARTSYS.
 */
static __always_inline signed long
sleep_on(struct dma_fence **fences, u32 count, bool intr, signed long timeout,
	 u32 *first)
{
	for (;;) {
		/* Its barrier pairs with the one in wake_up_state(). */
		set_current_state(intr ? TASK_INTERRUPTIBLE : TASK_UNINTERRUPTIBLE);

		*first = find_signaled(fences, count);
		if (*first < count) {
			timeout = in_time(timeout);
			break;
		}
		if (!timeout)
			break;
		if (intr && signal_pending(current)) {
			timeout = -ERESTARTSYS;
			break;
		}
		timeout = schedule_timeout(timeout);
	}
	__set_current_state(TASK_RUNNING);

	return timeout;
}

/* A wait that does not, but asks the provider to signal as any other. */
static signed long look_once(struct dma_fence *fence, bool intr)
{
	dma_fence_enable_sw_signaling(fence);
	if (test_bit_acquire(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		return in_time(0);
	return intr && signal_pending(current) ? -ERESTARTSYS : 0;
}

/**
 * dma_fence_default_wait() - sleep until a fence is signaled
 * @fence: the fence
 * @intr: let signals to the task end the wait
 * @timeout: for how long at most, in jiffies, or MAX_SCHEDULE_TIMEOUT
 *
 * What dma_fence_wait_timeout() does unless there is a &dma_fence_ops.wait, which
 * may make use of it.
 *
 * Context: Process context; sleeps.
 * Return: what is left of @timeout, at least 1, if the fence is signaled; 0 if
 * it was not in time; or %-ERESTARTSYS if @intr and a signal is pending.
 */
signed long dma_fence_default_wait(struct dma_fence *fence, bool intr, signed long timeout)
{
	struct waiter waiter;
	u32 first;

	if (!timeout)
		return look_once(fence, intr);
	waiter.task = current;
	if (dma_fence_add_callback(fence, &waiter.cb, wake_waiter))
		return timeout;

	timeout = sleep_on(&fence, 1, intr, timeout, &first);
	/* Somebody may still be in wake_waiter(). */
	dma_fence_remove_callback(fence, &waiter.cb);

	return timeout;
}
EXPORT_SYMBOL(dma_fence_default_wait);

/* The flag first: a signaled fence may have outlived its operations. */
static signed long wait_one(struct dma_fence *fence, bool intr, signed long timeout)
{
	if (test_bit_acquire(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		return in_time(timeout);
	if (likely(!fence->ops->wait))
		return dma_fence_default_wait(fence, intr, timeout);

	dma_fence_enable_sw_signaling(fence);
	if (test_bit_acquire(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		return in_time(timeout);
	return fence->ops->wait(fence, intr, timeout);
}

/**
 * dma_fence_wait_timeout() - sleep until a fence is signaled
 * @fence: the fence; borrowed
 * @intr: let signals to the task end the wait
 * @timeout: for how long at most, in jiffies; 0 just looks, after asking
 *	the provider to signal; MAX_SCHEDULE_TIMEOUT is for ever
 *
 * Context: Process context; sleeps. Not from where signalling depends on the
 * caller, see dma_fence_begin_signalling().
 * Return: what is left of @timeout, at least 1, if the fence is signaled; 0 if
 * it was not in time; or
 *
 *  * %-ERESTARTSYS - @intr, and the task has a signal pending
 *  * %-EINVAL - @timeout is negative, which is a bug that is reported
 *  * another negative errno that &dma_fence_ops.wait came up with
 */
signed long dma_fence_wait_timeout(struct dma_fence *fence, bool intr, signed long timeout)
{
	if (WARN_ON_ONCE(timeout < 0))
		return -EINVAL;

	might_sleep();
	__dma_fence_might_wait();

	trace_dma_fence_wait_start(fence);
	timeout = wait_one(fence, intr, timeout);
	trace_dma_fence_wait_end(fence);

	return timeout;
}
EXPORT_SYMBOL(dma_fence_wait_timeout);

/* Index of the first fence that is signaled, or whose provider says so; or @count. */
static u32 poll_any(struct dma_fence **fences, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (dma_fence_is_signaled(fences[i]))
			break;

	return i;
}

/*
 * Arm waiters from the first one on; the index of the fence that turns out to be
 * signaled, and whose waiter is not armed, or @count.
 */
static u32 arm_all(struct waiter *waiters, struct dma_fence **fences, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		waiters[i].task = current;
		if (dma_fence_add_callback(fences[i], &waiters[i].cb, wake_waiter))
			break;
	}
	return i;
}

/* Sleep on all of @fences; arguments and result as dma_fence_wait_any_timeout(). */
static signed long wait_any(struct dma_fence **fences, u32 count, bool intr,
			    signed long timeout, u32 *first)
{
	struct waiter *waiters;
	u32 armed;

	/* User space may have a say in @count: failing is enough of an answer. */
	waiters = kcalloc(count, sizeof(*waiters), GFP_KERNEL | __GFP_NOWARN);
	if (!waiters)
		return -ENOMEM;

	armed = arm_all(waiters, fences, count);
	*first = armed;
	if (armed == count)
		timeout = sleep_on(fences, count, intr, timeout, first);

	while (armed--)
		dma_fence_remove_callback(fences[armed], &waiters[armed].cb);
	kfree(waiters);

	return timeout;
}

/**
 * dma_fence_wait_any_timeout() - sleep until one of several fences is signaled
 * @fences: the fences; borrowed
 * @count: how many
 * @intr: let signals to the task end the wait
 * @timeout: for how long at most, in jiffies; 0 just looks, and does not ask
 *	the providers to signal; MAX_SCHEDULE_TIMEOUT is for ever
 * @idx: where to put the index of the first signaled fence, or NULL; unchanged
 *	unless the result is positive
 *
 * &dma_fence_ops.wait is not used.
 *
 * Context: Process context; sleeps unless @timeout is 0.
 * Return: what is left of @timeout, at least 1, if a fence is signaled; 0 if
 * none was in time; or
 *
 *  * %-ERESTARTSYS - @intr, and the task has a signal pending
 *  * %-EINVAL - there are no fences or @timeout is negative, which is a bug that is
 *    reported
 *  * %-ENOMEM - no memory for @count callbacks
 */
signed long dma_fence_wait_any_timeout(struct dma_fence **fences, u32 count, bool intr,
				       signed long timeout, u32 *idx)
{
	u32 first;

	if (WARN_ON_ONCE(!fences || !count || timeout < 0))
		return -EINVAL;

	might_sleep_if(timeout);

	first = poll_any(fences, count);
	if (first < count)
		timeout = in_time(timeout);
	else if (timeout)
		timeout = wait_any(fences, count, intr, timeout, &first);

	if (timeout > 0 && idx)
		*idx = first;
	return timeout;
}
EXPORT_SYMBOL(dma_fence_wait_any_timeout);
