// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/sync: "sw_sync" makes timelines, "info" shows those that
 * are there with their fences.
 *
 * A reader holds a reference to the one timeline it stands at and the list's
 * lock only to step to the next. Everything printed belongs to sw_sync itself:
 * no driver is asked for a name.
 */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/seq_file.h>

#include "sync_debug.h"

static LIST_HEAD(timelines);

/*
 * Protects timelines. Taken where a fence is released: with interrupts off, and
 * inside of any other lock.
 */
static DEFINE_SPINLOCK(timelines_lock);

void sync_timeline_debug_add(struct sync_timeline *timeline)
{
	spin_lock_irq(&timelines_lock);
	list_add_tail(&timeline->node, &timelines);
	spin_unlock_irq(&timelines_lock);
}

/* Called for a timeline without references. */
void sync_timeline_debug_remove(struct sync_timeline *timeline)
{
	unsigned long irqflags;

	spin_lock_irqsave(&timelines_lock, irqflags);
	list_del(&timeline->node);
	spin_unlock_irqrestore(&timelines_lock, irqflags);
}

/*
 * The first timeline behind @at, or of all if NULL, with a reference; that to
 * @at is dropped.
 */
static struct sync_timeline *timeline_after(struct sync_timeline *at)
{
	struct list_head *pos = at ? &at->node : &timelines;
	struct sync_timeline *timeline, *found = NULL;

	spin_lock_irq(&timelines_lock);
	for (pos = pos->next; pos != &timelines && !found; pos = pos->next) {
		timeline = list_entry(pos, struct sync_timeline, node);
		if (kref_get_unless_zero(&timeline->kref))
			found = timeline;
	}
	spin_unlock_irq(&timelines_lock);

	if (at)
		sync_timeline_put(at);
	return found;
}

static const char *fence_state(const struct dma_fence *fence)
{
	if (!test_bit_acquire(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		return "active";
	return fence->error ? "error" : "signaled";
}

static void show_fence(struct seq_file *s, const struct dma_fence *fence,
		       u32 value)
{
	seq_printf(s, "  fence %s", fence_state(fence));

	/* Pairs with the barrier in dma_fence_signal_timestamp_locked(). */
	if (test_bit_acquire(DMA_FENCE_FLAG_TIMESTAMP_BIT, &fence->flags)) {
		struct timespec64 at = ktime_to_timespec64(fence->timestamp);

		seq_printf(s, "@%lld.%09ld", at.tv_sec, at.tv_nsec);
	}
	seq_printf(s, ": %lld / %d\n", fence->seqno, value);
}

/* Fences in the queue are not freed while its lock is held, referenced or not. */
static void show_timeline(struct seq_file *s, struct sync_timeline *timeline)
{
	struct rb_node *node;
	struct sync_pt *pt;

	spin_lock_irq(&timeline->queue_lock);
	seq_printf(s, "%s: %d\n", timeline->name, timeline->value);
	for (node = rb_first_cached(&timeline->queue);
	     node && !seq_has_overflowed(s); node = rb_next(node)) {
		pt = rb_entry(node, struct sync_pt, node);
		show_fence(s, &pt->base, timeline->value);
	}
	spin_unlock_irq(&timeline->queue_lock);
	seq_putc(s, '\n');
}

static int sync_info_show(struct seq_file *s, void *unused)
{
	struct sync_timeline *timeline = NULL;

	seq_puts(s, "objs:\n--------------\n");
	/* To the end even if the buffer is full: the reference has to go. */
	while ((timeline = timeline_after(timeline)))
		if (!seq_has_overflowed(s))
			show_timeline(s, timeline);

	/* Kept for programs that look for it; there is no list of sync_files. */
	seq_puts(s, "fences:\n--------------\n");
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sync_info);

static int __init sync_debugfs_init(void)
{
	struct dentry *dir = debugfs_create_dir("sync", NULL);

	/* Unsafe only for files that are removed, which these are not. */
	debugfs_create_file_unsafe("info", 0444, dir, NULL, &sync_info_fops);
	debugfs_create_file_unsafe("sw_sync", 0644, dir, NULL,
				   &sw_sync_debugfs_fops);
	return 0;
}
late_initcall(sync_debugfs_init);
