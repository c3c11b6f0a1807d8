// SPDX-License-Identifier: GPL-2.0-only
/*
 * poll() on a buffer: EPOLLIN when the devices that write are done, EPOLLOUT
 * when all devices are.
 *
 * Vocabulary: a direction is *claimed* by whoever sets its bit in
 * &dma_buf.poll_armed; only the claimer may *arm* its callback, on one fence
 * that signals when everything pending now is done; the callback *fires*:
 * wakes all tasks that poll, and gives the claim back. However many fences
 * are pending, pollers wake once.
 *
 * Nothing here takes the reservation lock, which a driver may hold for as
 * long as it evicts memory: poll() looks at the fences under RCU.
 *
 * Why no wake-up is lost: a task joins the wait queue (poll_wait()) before it
 * looks at anything else. If it sees the claim taken, the claimer is yet to fire,
 * and firing takes the wait queue's lock, as joining does, so that it comes
 * after joining and wakes the task; if it gets the claim it arms the callback
 * or fires itself.
 */

#include <linux/dma-fence.h>
#include <linux/poll.h>

#include "dma-buf-internal.h"

/* Claim @event; false if its callback is in use already. */
static bool poll_claim(struct dma_buf *dmabuf, __poll_t event)
{
	bool claimed;

	spin_lock_irq(&dmabuf->poll.lock);
	claimed = !(dmabuf->poll_armed & event);
	WRITE_ONCE(dmabuf->poll_armed, dmabuf->poll_armed | event);
	spin_unlock_irq(&dmabuf->poll.lock);

	return claimed;
}

/* Give the claim on @event back and wake who waits for it. */
static void poll_fire(struct dma_buf *dmabuf, __poll_t event)
{
	unsigned long flags;

	spin_lock_irqsave(&dmabuf->poll.lock, flags);
	WRITE_ONCE(dmabuf->poll_armed, dmabuf->poll_armed & ~event);
	wake_up_locked_poll(&dmabuf->poll, event);
	spin_unlock_irqrestore(&dmabuf->poll.lock, flags);
}

/* Fire from a callback, which owns a reference to @fence and to the file. */
static void poll_fire_and_put(struct dma_buf *dmabuf, __poll_t event,
			      struct dma_fence *fence)
{
	struct file *file = dmabuf->file;

	poll_fire(dmabuf, event);
	dma_fence_put(fence);
	fput(file);
}

static void poll_writers_done(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	poll_fire_and_put(container_of(cb, struct dma_buf, cb_in), EPOLLIN,
			  fence);
}

static void poll_all_done(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	poll_fire_and_put(container_of(cb, struct dma_buf, cb_out), EPOLLOUT,
			  fence);
}

static enum dma_resv_usage poll_usage(__poll_t event)
{
	return dma_resv_usage_rw(event == EPOLLOUT);
}

/*
 * A fence to wait for before anybody has to look again, with a reference;
 * NULL if nothing is pending. For several pending fences it is one that
 * signals with the last of them or, out of memory, the first.
 */
static struct dma_fence *poll_pending(struct dma_resv *resv,
				      enum dma_resv_usage usage)
{
	struct dma_fence *fence, *all, *first = NULL;
	struct dma_resv_iter cursor;
	bool several = false;

	dma_resv_iter_begin(&cursor, resv, usage);
	dma_resv_for_each_fence_unlocked(&cursor, fence) {
		if (dma_resv_iter_is_restarted(&cursor)) {
			dma_fence_put(first);
			first = NULL;
		}
		if (first) {
			several = true;
			break;
		}
		first = dma_fence_get(fence);
	}
	dma_resv_iter_end(&cursor);

	if (several && !dma_resv_get_singleton(resv, usage, &all)) {
		dma_fence_put(first);
		return all;
	}
	return first;
}

/*
 * Arm the claimed callback of @event; false if nothing is pending any more.
 * The callback owns what poll_fire_and_put() drops.
 */
static bool poll_arm(struct dma_buf *dmabuf, __poll_t event)
{
	bool in = event == EPOLLIN;
	struct dma_fence *fence;

	while ((fence = poll_pending(dmabuf->resv, poll_usage(event)))) {
		get_file(dmabuf->file);
		if (!dma_fence_add_callback(fence, in ? &dmabuf->cb_in :
					    &dmabuf->cb_out, in ?
					    poll_writers_done : poll_all_done))
			return true;

		/* Signaled in between: look for another one. */
		fput(dmabuf->file);
		dma_fence_put(fence);
	}
	return false;
}

/* Is @event true now? If not, see to it that a wake-up comes. */
static bool poll_one(struct dma_buf *dmabuf, __poll_t event)
{
	if (dma_resv_test_signaled(dmabuf->resv, poll_usage(event)))
		return true;
	/* The common case of the next question. */
	if (READ_ONCE(dmabuf->poll_armed) & event)
		return false;
	if (!poll_claim(dmabuf, event))
		return false;
	if (poll_arm(dmabuf, event))
		return false;

	/* Others may have found the claim taken meanwhile: wake them. */
	poll_fire(dmabuf, event);
	return true;
}

/**
 * dma_buf_poll() - the poll operation of a buffer's file
 * @file: of a buffer
 * @table: where the caller waits, and for what
 *
 * Context: Process context. Takes no sleeping lock; may sleep for memory.
 * Return: the events that are true: EPOLLIN, EPOLLOUT.
 */
__poll_t dma_buf_poll(struct file *file, poll_table *table)
{
	struct dma_buf *dmabuf = file->private_data;
	__poll_t wanted = poll_requested_events(table);
	__poll_t ready = 0;

	poll_wait(file, &dmabuf->poll, table);

	if ((wanted & EPOLLIN) && poll_one(dmabuf, EPOLLIN))
		ready |= EPOLLIN;
	if ((wanted & EPOLLOUT) && poll_one(dmabuf, EPOLLOUT))
		ready |= EPOLLOUT;
	return ready;
}
