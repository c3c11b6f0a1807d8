// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/dmabuf/buffers/INODE/{exporter_name,size}: a directory for every
 * buffer that lives long enough to be looked for.
 */

#include <linux/cleanup.h>
#include <linux/dma-buf.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

#include "dma-buf-sysfs-stats.h"

/**
 * DOC: sysfs statistics
 *
 * With CONFIG_DMABUF_SYSFS_STATS each buffer has a directory
 * /sys/kernel/dmabuf/buffers/INODE, which is called like the inode number that
 * fstat() tells and holds two files for everybody to read:
 *
 * =================  ==========================
 * ``exporter_name``  &dma_buf.exp_name
 * ``size``           &dma_buf.size in bytes
 * =================  ==========================
 *
 * To make the directory takes several times as long as the buffer takes
 * itself, and most buffers of a busy system are gone before anybody could look.
 * So dma_buf_export() only puts the buffer on a list of *pending* ones, and a
 * worker *publishes* what it finds there 20 ms later. A buffer closed before
 * that never had a directory.
 *
 * Who knows the number of a buffer finds the directory: fstat() and its like,
 * /proc/PID/fdinfo and bufinfo publish everything that is pending before
 * they tell the number. Two ways around them stay: a number out of /proc/PID/maps,
 * or a walk through all of the directory, may miss what is younger than 20 ms.
 *
 * A directory goes with the buffer, before the exporter is told to release it.
 * Who has one of its files open reads the text or gets ``ENODEV``.
 *
 * Running out of memory fails no export: the buffer has no directory then.
 *
 * What one entry goes through:
 *
 * ==========  =======================  ======================================
 * state       leaves it by             what the buffer's end does
 * ==========  =======================  ======================================
 * pending     publish_first(), or end  takes it off the list and frees it
 * publishing  publish_first()          waits for publish_mutex; then as below
 * published   end                      removes the directory; waits for readers
 * failed      end                      frees it
 * ==========  =======================  ======================================
 *
 * An entry is pending as long as it is on a list. Both leave the list under
 * pending_lock, so exactly one of publish_first() and dma_buf_stats_del() finds
 * it there. Where publish_first() does, it has publish_mutex since before, and
 * keeps it until the entry is published or failed; dma_buf_stats_del() finds no
 * list, takes the mutex and thereby sees the result. A pass over the list is
 * under pass_mutex as a whole: who gets that mutex after a buffer was made knows
 * that an earlier pass has either finished with the buffer or has not seen it,
 * and in that case its own pass will.
 */

/**
 * struct dma_buf_stats - what a buffer shows in sysfs
 * @kobj:	the directory; initialised once it is no longer pending
 * @pending:	link in a list, else empty; under pending_lock
 * @published:	@kobj is in sysfs; under publish_mutex
 * @ino:	what the directory is called; set once, because the buffer's file
 *		may go before the buffer does
 * @dmabuf:	the buffer, which calls dma_buf_stats_del() before it goes
 */
struct dma_buf_stats {
	struct kobject kobj;
	struct list_head pending;
	bool published;
	unsigned long ino;
	const struct dma_buf *dmabuf;
};

/* Long for a buffer that is made to be closed, short for people. */
#define PUBLISH_DELAY	msecs_to_jiffies(20)

static void publish_work(struct work_struct *work);

/* Lock order: pass_mutex, publish_mutex, pending_lock. */
static DEFINE_MUTEX(pass_mutex);
static DEFINE_MUTEX(publish_mutex);
static DEFINE_SPINLOCK(pending_lock);
static LIST_HEAD(pending);

static DECLARE_DELAYED_WORK(publisher, publish_work);
static struct kobject *dmabuf_dir, *buffers_dir;

/* --- The directory ------------------------------------------------------ */

static const struct dma_buf *kobj_to_dmabuf(struct kobject *kobj)
{
	return container_of(kobj, struct dma_buf_stats, kobj)->dmabuf;
}

static ssize_t exporter_name_show(struct kobject *kobj,
				  struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", kobj_to_dmabuf(kobj)->exp_name);
}

static ssize_t size_show(struct kobject *kobj, struct kobj_attribute *attr,
			 char *buf)
{
	return sysfs_emit(buf, "%zu\n", kobj_to_dmabuf(kobj)->size);
}

static struct kobj_attribute exporter_name_attr = __ATTR_RO(exporter_name);
static struct kobj_attribute size_attr = __ATTR_RO(size);

static struct attribute *stats_attrs[] = {
	&exporter_name_attr.attr,
	&size_attr.attr,
	NULL
};
ATTRIBUTE_GROUPS(stats);

static void stats_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct dma_buf_stats, kobj));
}

static const struct kobj_type stats_ktype = {
	.sysfs_ops	= &kobj_sysfs_ops,
	.release	= stats_release,
	.default_groups	= stats_groups,
};

/* --- Pending to published ----------------------------------------------- */

/* The first entry of @todo, which is not pending any more; NULL if none is. */
static struct dma_buf_stats *take_first(struct list_head *todo)
{
	struct dma_buf_stats *stats;

	spin_lock(&pending_lock);
	stats = list_first_entry_or_null(todo, struct dma_buf_stats, pending);
	if (stats)
		list_del_init(&stats->pending);
	spin_unlock(&pending_lock);

	return stats;
}

/* Publish the first entry of @todo; false if there is none. */
static bool publish_first(struct list_head *todo)
{
	struct dma_buf_stats *stats;

	guard(mutex)(&publish_mutex);

	stats = take_first(todo);
	if (!stats)
		return false;

	stats->published = !kobject_init_and_add(&stats->kobj, &stats_ktype,
						 buffers_dir, "%lu",
						 stats->ino);
	return true;
}

/**
 * dma_buf_stats_flush() - publish every buffer that there is
 *
 * For whoever is about to tell the inode number of a buffer.
 *
 * Context: Process context, may sleep.
 */
void dma_buf_stats_flush(void)
{
	LIST_HEAD(todo);

	guard(mutex)(&pass_mutex);

	/* What comes later is for the next pass: this one ends. */
	spin_lock(&pending_lock);
	list_splice_init(&pending, &todo);
	spin_unlock(&pending_lock);

	while (publish_first(&todo))
		cond_resched();
}

static void publish_work(struct work_struct *work)
{
	dma_buf_stats_flush();
}

/* --- A buffer comes and goes -------------------------------------------- */

/**
 * dma_buf_stats_add() - have a buffer show up
 * @dmabuf: a complete buffer with a file, that nobody else can find yet
 *
 * Context: Process context, may sleep.
 * Return: what dma_buf_stats_del() wants to have, or NULL if there is not enough
 * memory; the buffer is not shown then.
 */
struct dma_buf_stats *dma_buf_stats_add(const struct dma_buf *dmabuf)
{
	struct dma_buf_stats *stats = kzalloc(sizeof(*stats), GFP_KERNEL);

	if (!stats)
		return NULL;

	stats->dmabuf = dmabuf;
	stats->ino = file_inode(dmabuf->file)->i_ino;
	spin_lock(&pending_lock);
	list_add_tail(&stats->pending, &pending);
	spin_unlock(&pending_lock);

	/* If it is queued already, the worker is yet to take pending_lock. */
	queue_delayed_work(system_unbound_wq, &publisher, PUBLISH_DELAY);
	return stats;
}

/**
 * dma_buf_stats_del() - have a buffer disappear
 * @stats: from dma_buf_stats_add(), or NULL; freed
 *
 * When this returns nobody reads the buffer any more.
 *
 * Context: Process context, may sleep. Waits for who reads one of the files.
 */
void dma_buf_stats_del(struct dma_buf_stats *stats)
{
	bool was_pending, published;

	if (!stats)
		return;

	spin_lock(&pending_lock);
	was_pending = !list_empty(&stats->pending);
	list_del_init(&stats->pending);
	spin_unlock(&pending_lock);

	if (was_pending) {
		kfree(stats);
		return;
	}

	scoped_guard(mutex, &publish_mutex)
		published = stats->published;
	if (published)
		kobject_del(&stats->kobj);
	kobject_put(&stats->kobj);
}

/**
 * dma_buf_stats_init() - make /sys/kernel/dmabuf/buffers
 *
 * Return: 0, or %-ENOMEM and nothing is left.
 */
int __init dma_buf_stats_init(void)
{
	dmabuf_dir = kobject_create_and_add("dmabuf", kernel_kobj);
	if (!dmabuf_dir)
		return -ENOMEM;

	buffers_dir = kobject_create_and_add("buffers", dmabuf_dir);
	if (!buffers_dir) {
		kobject_put(dmabuf_dir);
		return -ENOMEM;
	}
	return 0;
}

/**
 * dma_buf_stats_exit() - undo dma_buf_stats_init()
 */
void dma_buf_stats_exit(void)
{
	cancel_delayed_work_sync(&publisher);
	kobject_put(buffers_dir);
	kobject_put(dmabuf_dir);
}
