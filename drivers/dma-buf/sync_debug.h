/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The software timeline, as sw_sync.c makes it and as sync_debug.c and the
 * trace event show it.
 */
#ifndef _SYNC_DEBUG_H
#define _SYNC_DEBUG_H

#include <linux/dma-fence.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

/**
 * struct sync_timeline - a counter and the fences that wait for it
 * @kref:	one reference of the open file, one of each fence
 * @name:	the command that opened it; set once
 * @node:	link in the list that sync_debug.c shows; under its lock
 * @context:	of all fences; set once
 * @fence_lock:	&dma_fence.lock of all fences
 * @queue_lock:	protects @value and @queue; inside of @fence_lock
 * @value:	fences up to here are over; wraps. Written under @queue_lock,
 *		read anywhere
 * @queue:	&struct sync_pt.node of the fences to come, by seqno
 * @rcu:	delays the freeing: @name and @fence_lock serve RCU readers
 *
 * Invariants: while the file is open, @queue holds exactly the fences that
 * have a value between @value + 1 and @value + INT_MAX and have not been
 * released, so that their order does not depend on where the counter wraps.
 * No two have the same value. Closing the file signals what is queued and
 * leaves it there until it is released.
 */
struct sync_timeline {
	struct kref kref;
	char name[TASK_COMM_LEN];
	struct list_head node;
	u64 context;
	spinlock_t fence_lock;	/* See above. */
	spinlock_t queue_lock;	/* See above. */
	u32 value;
	struct rb_root_cached queue;
	struct rcu_head rcu;
};

/* Bit of &dma_fence.flags: &sync_pt.deadline has been set. */
#define SYNC_PT_HAS_DEADLINE_BIT DMA_FENCE_FLAG_USER_BITS

/**
 * struct sync_pt - one fence of a software timeline
 * @base:	the fence; it owns a reference to the timeline
 * @node:	link in &sync_timeline.queue, clear when it is not there; under
 *		&sync_timeline.queue_lock
 * @next:	link in a list of who is signaling, who has a reference
 * @deadline:	the earliest that anybody has asked for, if
 *		SYNC_PT_HAS_DEADLINE_BIT is set; under &sync_timeline.fence_lock
 */
struct sync_pt {
	struct dma_fence base;
	struct rb_node node;
	struct sync_pt *next;
	ktime_t deadline;
};

static inline struct sync_timeline *sync_pt_timeline(struct sync_pt *pt)
{
	return container_of(pt->base.lock, struct sync_timeline, fence_lock);
}

/* sw_sync.c */
extern const struct file_operations sw_sync_debugfs_fops;
void sync_timeline_put(struct sync_timeline *timeline);

/* sync_debug.c */
void sync_timeline_debug_add(struct sync_timeline *timeline);
void sync_timeline_debug_remove(struct sync_timeline *timeline);

#endif /* _SYNC_DEBUG_H */
