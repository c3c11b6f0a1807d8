// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fences that are waited for and never signaled: whose they are, and who waits.
 * Off unless dma_fence.timeout_ms is set.
 *
 * A fence is noted when signaling is enabled, which everybody who waits does
 * first, and forgotten when it is signaled or freed. Both happen under the fence's
 * lock or when nobody has the fence any more, so that a note always means memory
 * that is a fence; to look at it a worker takes a reference, under RCU.
 *
 * Lock order: the fence's lock, then watch_lock. The worker takes them one after
 * the other.
 */

#include <linux/container_of.h>
#include <linux/hashtable.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "dma-contract.h"
#include "dma-fence-watchdog.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "dma_fence."

/* Notes of more fences than that are not taken. */
#define MAX_WATCHED	4096
#define WAITERS_SHOWN	3
/* Containers of a fence that are asked who waits for them. */
#define CONTAINERS_SEEN	8

struct watched_fence {
	struct hlist_node node;
	struct dma_fence *fence;	/* No reference; valid while this exists. */
	unsigned long since;		/* jiffies */
};

static DEFINE_HASHTABLE(watched, 8);	/* By watch_lock, as is nr_watched. */
static unsigned int nr_watched;
static DEFINE_SPINLOCK(watch_lock);

static unsigned int timeout_ms;

static void look_for_stuck(struct work_struct *work);
static DECLARE_DELAYED_WORK(watch_work, look_for_stuck);

static unsigned long interval(void)
{
	return max(msecs_to_jiffies(READ_ONCE(timeout_ms)) / 4, 1);
}

static int set_timeout(const char *text, const struct kernel_param *param)
{
	int ret = param_set_uint(text, param);

	if (!ret && timeout_ms && system_state >= SYSTEM_SCHEDULING)
		mod_delayed_work(system_unbound_wq, &watch_work, interval());
	return ret;
}

static const struct kernel_param_ops timeout_ops = {
	.set = set_timeout,
	.get = param_get_uint,
};
module_param_cb(timeout_ms, &timeout_ops, &timeout_ms, 0644);
MODULE_PARM_DESC(timeout_ms,
		 "Report fences that are waited for and not signaled within this time; 0: none");

/* The note of @fence, or NULL; watch_lock is held. */
static struct watched_fence *find(const struct dma_fence *fence)
{
	struct watched_fence *entry;

	hash_for_each_possible(watched, entry, node, (unsigned long)fence)
		if (entry->fence == fence)
			return entry;
	return NULL;
}

static void forget(struct watched_fence *entry)
{
	hash_del(&entry->node);
	nr_watched--;
	kfree(entry);
}

/**
 * dma_fence_watch() - somebody wants to know when a fence is signaled
 * @fence: not signaled
 *
 * Out of memory, or of room, the fence goes unnoticed.
 *
 * Context: Any. The caller holds &dma_fence.lock.
 */
void dma_fence_watch(struct dma_fence *fence)
{
	struct watched_fence *entry;
	unsigned long irqflags;

	/* Containers wait for fences, and those are the ones to name. */
	if (!READ_ONCE(timeout_ms) || dma_fence_is_container(fence))
		return;

	entry = kmalloc(sizeof(*entry), GFP_NOWAIT | __GFP_NOWARN);
	if (!entry)
		return;
	entry->fence = fence;
	entry->since = jiffies;

	spin_lock_irqsave(&watch_lock, irqflags);
	if (nr_watched < MAX_WATCHED && !find(fence)) {
		hash_add(watched, &entry->node, (unsigned long)fence);
		nr_watched++;
		entry = NULL;
	}
	spin_unlock_irqrestore(&watch_lock, irqflags);
	kfree(entry);
}

/**
 * dma_fence_unwatch() - a fence has been signaled, or nobody has it any more
 * @fence: the fence
 *
 * Context: Any. The caller holds &dma_fence.lock or has the last reference.
 */
void dma_fence_unwatch(struct dma_fence *fence)
{
	struct watched_fence *entry;
	unsigned long irqflags;

	/*
	 * A stale 0 does no harm: the note of this fence was made under the lock
	 * that the caller holds, or before it got the last reference.
	 */
	if (!data_race(nr_watched))
		return;

	spin_lock_irqsave(&watch_lock, irqflags);
	entry = find(fence);
	if (entry)
		forget(entry);
	spin_unlock_irqrestore(&watch_lock, irqflags);
}

/* A fence that is overdue, with a reference, and no note any more; or NULL. */
static struct dma_fence *take_overdue(unsigned long *since)
{
	unsigned long limit = msecs_to_jiffies(READ_ONCE(timeout_ms));
	struct watched_fence *entry;
	struct dma_fence *fence;
	struct hlist_node *next;
	unsigned long irqflags;
	int i;

	spin_lock_irqsave(&watch_lock, irqflags);
	hash_for_each_safe(watched, i, next, entry, node) {
		if (time_before(jiffies, entry->since + limit))
			continue;
		fence = dma_fence_get_rcu(entry->fence);
		*since = entry->since;
		forget(entry);
		if (fence) {
			spin_unlock_irqrestore(&watch_lock, irqflags);
			return fence;
		}
	}
	spin_unlock_irqrestore(&watch_lock, irqflags);
	return NULL;
}

/**
 * struct waiters - who waits for a fence
 * @text: the first of them
 * @used: length of @text
 * @shown: how many are in it
 * @more: how many are not
 * @via: containers whose waiters wait for the fence, with references
 * @nr_via: how many of these
 */
struct waiters {
	char text[160];
	int used;
	int shown;
	int more;
	struct dma_fence *via[CONTAINERS_SEEN];
	int nr_via;
};

/* @cb is queued on a fence whose lock is held. */
static void note_waiter(struct waiters *waiters, struct dma_fence_cb *cb)
{
	struct task_struct *task = dma_fence_waiting_task(cb);
	struct dma_fence *via;

	via = dma_fence_waiting_array(cb) ?: dma_fence_waiting_chain(cb);
	if (via && waiters->nr_via < CONTAINERS_SEEN) {
		waiters->via[waiters->nr_via++] = dma_fence_get(via);
		return;
	}
	if (waiters->shown == WAITERS_SHOWN) {
		waiters->more++;
		return;
	}

	waiters->shown++;
	if (task)
		waiters->used += scnprintf(waiters->text + waiters->used,
					   sizeof(waiters->text) - waiters->used,
					   " %*pE:%d",
					   (int)strnlen(task->comm, TASK_COMM_LEN),
					   task->comm, task->pid);
	else
		waiters->used += scnprintf(waiters->text + waiters->used,
					   sizeof(waiters->text) - waiters->used,
					   " %ps", cb->func);
}

/* Who has a callback on @fence: tasks that sleep, functions, and containers. */
static void note_waiters(struct waiters *waiters, struct dma_fence *fence)
{
	struct dma_fence_cb *cb;
	unsigned long irqflags;

	spin_lock_irqsave(fence->lock, irqflags);
	/* The list of a signaled fence is no list any more. */
	if (!test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		list_for_each_entry(cb, &fence->cb_list, node)
			note_waiter(waiters, cb);
	spin_unlock_irqrestore(fence->lock, irqflags);
}

/*
 * Who waits for @fence, directly or for a container of it. One lock after the
 * other: a container takes those of what it contains inside its own.
 */
static void describe_waiters(struct waiters *waiters, struct dma_fence *fence)
{
	*waiters = (struct waiters) { };
	note_waiters(waiters, fence);
	for (int i = 0; i < waiters->nr_via; i++) {
		note_waiters(waiters, waiters->via[i]);
		dma_fence_put(waiters->via[i]);
	}
	if (waiters->more)
		scnprintf(waiters->text + waiters->used,
			  sizeof(waiters->text) - waiters->used,
			  " and %d more", waiters->more);
}

static void report_stuck(struct dma_fence *fence, unsigned long since)
{
	struct waiters waiters;
	const char *timeline;

	describe_waiters(&waiters, fence);

	guard(rcu)();
	/* A program may have chosen it, as the names of tasks: no line breaks. */
	timeline = dma_fence_timeline_name(fence);
	dma_contract_broken(!dma_fence_is_signaled(fence), DMA_RULE_FENCE_STUCK,
			    dma_fence_driver_name(fence),
			    "fence %*pE:%llu:%llu has been waited for since %u ms, by%s",
			    (int)strlen(timeline), timeline, fence->context,
			    fence->seqno, jiffies_to_msecs(jiffies - since),
			    waiters.text[0] ? waiters.text : " nobody now");
}

static void look_for_stuck(struct work_struct *work)
{
	struct dma_fence *fence;
	unsigned long since;

	if (!READ_ONCE(timeout_ms))
		return;

	for (;;) {
		scoped_guard(rcu)
			fence = take_overdue(&since);
		if (!fence)
			break;
		report_stuck(fence, since);
		dma_fence_put(fence);
	}
	queue_delayed_work(system_unbound_wq, &watch_work, interval());
}

/* A value from the kernel command line was set before there were workers. */
static int __init dma_fence_watchdog_init(void)
{
	if (timeout_ms)
		mod_delayed_work(system_unbound_wq, &watch_work, interval());
	return 0;
}
late_initcall(dma_fence_watchdog_init);
