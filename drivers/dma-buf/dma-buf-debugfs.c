// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/dma_buf/bufinfo: all live buffers, newest first, with
 * their fences and devices.
 *
 * The buffers are in several lists, each with a lock of its own, so that two
 * CPUs that export or close rarely meet. A reader merges the lists: it holds a
 * reference to one buffer of each, and a lock only to step to the next. It stops
 * no export and no close, however long it takes. Buffers made while it reads do
 * not show up.
 */

#include <linux/bits.h>
#include <linux/cache.h>
#include <linux/debugfs.h>
#include <linux/hash.h>
#include <linux/list.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>

#include "dma-buf-internal.h"
#include "dma-buf-sysfs-stats.h"

#define LIST_BITS	3
#define NR_LISTS	BIT(LIST_BITS)

/* Some of the buffers, newest first. */
static struct buffer_list {
	spinlock_t lock;	/* @buffers */
	struct list_head buffers;
} ____cacheline_aligned_in_smp lists[NR_LISTS];

static struct dentry *debugfs_dir;

/*
 * Where a reader stands. @next are the newest buffers of each list that have not
 * been left yet, with references. @at is the one of them that record number @record
 * is about; NULL before the first and behind the last.
 */
struct bufinfo_reader {
	struct dma_buf *next[NR_LISTS];
	struct dma_buf *at;
	loff_t record;
	int count;
	size_t bytes;
};

/* What start() and next() return when it is no buffer's turn. */
static char header_record, footer_record;

/* Which list a buffer is in. */
static unsigned int list_nr(const struct dma_buf *dmabuf)
{
	return hash_ptr(dmabuf, LIST_BITS);
}

void dma_buf_debugfs_add(struct dma_buf *dmabuf)
{
	struct buffer_list *list = &lists[list_nr(dmabuf)];

	spin_lock(&list->lock);
	list_add(&dmabuf->list_node, &list->buffers);
	spin_unlock(&list->lock);
}

void dma_buf_debugfs_del(struct dma_buf *dmabuf)
{
	struct buffer_list *list = &lists[list_nr(dmabuf)];

	spin_lock(&list->lock);
	list_del(&dmabuf->list_node);
	spin_unlock(&list->lock);
}

/*
 * The first buffer behind @at, or of all in the list if NULL, that is not going
 * away; with a reference. A buffer leaves its list before its file is freed, so
 * each one found here has a file to ask; @at has a reference and is in the list.
 */
static struct dma_buf *buffer_after(struct buffer_list *list, struct dma_buf *at)
{
	struct list_head *pos = at ? &at->list_node : &list->buffers;
	struct dma_buf *dmabuf, *found = NULL;

	spin_lock(&list->lock);
	for (pos = pos->next; pos != &list->buffers && !found; pos = pos->next) {
		dmabuf = list_entry(pos, struct dma_buf, list_node);
		if (get_file_active(&dmabuf->file))
			found = dmabuf;
	}
	spin_unlock(&list->lock);

	return found;
}

/* The younger one; either may be NULL. */
static struct dma_buf *younger(struct dma_buf *a, struct dma_buf *b)
{
	if (!a || !b)
		return a ?: b;
	return file_inode(a->file)->i_ino > file_inode(b->file)->i_ino ? a : b;
}

/* Leave the buffer at which the reader stands, or begin with all lists. */
static void reader_step(struct bufinfo_reader *reader)
{
	struct dma_buf *left = reader->at;
	unsigned int i;

	if (left) {
		i = list_nr(left);
		reader->next[i] = buffer_after(&lists[i], left);
		dma_buf_put(left);
		return;
	}
	for (i = 0; i < NR_LISTS; i++)
		reader->next[i] = buffer_after(&lists[i], NULL);
}

static void reader_put(struct bufinfo_reader *reader)
{
	for (unsigned int i = 0; i < NR_LISTS; i++) {
		if (reader->next[i])
			dma_buf_put(reader->next[i]);
	}
}

/* Step to the next record and return it. */
static void *bufinfo_advance(struct bufinfo_reader *reader)
{
	reader_step(reader);
	reader->record++;
	reader->at = NULL;
	for (unsigned int i = 0; i < NR_LISTS; i++)
		reader->at = younger(reader->at, reader->next[i]);
	return reader->at ? (void *)reader->at : &footer_record;
}

static void *bufinfo_start(struct seq_file *s, loff_t *pos)
{
	struct bufinfo_reader *reader = s->private;

	if (!*pos) {
		reader_put(reader);
		*reader = (struct bufinfo_reader) { };
		return &header_record;
	}
	/* Past the footer; otherwise reading goes on where it stopped. */
	if (*pos != reader->record)
		return NULL;
	return reader->at ? (void *)reader->at : &footer_record;
}

static void *bufinfo_next(struct seq_file *s, void *v, loff_t *pos)
{
	++*pos;
	return v == &footer_record ? NULL : bufinfo_advance(s->private);
}

static void bufinfo_stop(struct seq_file *s, void *v)
{
}

static void show_buffer(struct seq_file *s, struct dma_buf *dmabuf)
{
	spin_lock(&dmabuf->name_lock);
	/* One of the references is the reader's. */
	seq_printf(s, "%08zu\t%08x\t%08x\t%08ld\t%s\t%08lu\t%s\n",
		   dmabuf->size, dmabuf->file->f_flags, dmabuf->file->f_mode,
		   file_count(dmabuf->file) - 1, dmabuf->exp_name,
		   file_inode(dmabuf->file)->i_ino, dmabuf->name ?: "<none>");
	spin_unlock(&dmabuf->name_lock);
}

static void show_attachments(struct seq_file *s, struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;
	int count = 0;

	seq_puts(s, "\tAttached Devices:\n");
	list_for_each_entry(attach, &dmabuf->attachments, node) {
		seq_printf(s, "\t%s\n", dma_buf_importer_name(attach));
		count++;
	}
	seq_printf(s, "Total %d devices attached\n\n", count);
}

static int bufinfo_show(struct seq_file *s, void *v)
{
	struct bufinfo_reader *reader = s->private;
	struct dma_buf *dmabuf = v;

	if (v == &header_record) {
		seq_puts(s, "\nDma-buf Objects:\n");
		seq_printf(s, "%-8s\t%-8s\t%-8s\t%-8s\texp_name\t%-8s\tname\n",
			   "size", "flags", "mode", "count", "ino");
		return 0;
	}
	if (v == &footer_record) {
		seq_printf(s, "\nTotal %d objects, %zu bytes\n",
			   reader->count, reader->bytes);
		return 0;
	}

	/* A number that is printed is a directory in sysfs. */
	dma_buf_stats_flush();

	if (dma_resv_lock_interruptible(dmabuf->resv, NULL))
		return -EINTR;
	show_buffer(s, dmabuf);
	dma_resv_describe(dmabuf->resv, s);
	show_attachments(s, dmabuf);
	dma_resv_unlock(dmabuf->resv);

	/* A record that does not fit is shown again, and counted once. */
	if (!seq_has_overflowed(s)) {
		reader->count++;
		reader->bytes += dmabuf->size;
	}
	return 0;
}

static const struct seq_operations bufinfo_seq_ops = {
	.start	= bufinfo_start,
	.next	= bufinfo_next,
	.stop	= bufinfo_stop,
	.show	= bufinfo_show,
};

static int bufinfo_open(struct inode *inode, struct file *file)
{
	return seq_open_private(file, &bufinfo_seq_ops,
				sizeof(struct bufinfo_reader));
}

static int bufinfo_release(struct inode *inode, struct file *file)
{
	struct seq_file *s = file->private_data;

	reader_put(s->private);
	return seq_release_private(inode, file);
}

static const struct file_operations bufinfo_fops = {
	.owner		= THIS_MODULE,
	.open		= bufinfo_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= bufinfo_release,
};

void __init dma_buf_debugfs_init(void)
{
	for (unsigned int i = 0; i < NR_LISTS; i++) {
		spin_lock_init(&lists[i].lock);
		INIT_LIST_HEAD(&lists[i].buffers);
	}
	debugfs_dir = debugfs_create_dir("dma_buf", NULL);
	debugfs_create_file("bufinfo", 0444, debugfs_dir, NULL, &bufinfo_fops);
}

void dma_buf_debugfs_exit(void)
{
	debugfs_remove_recursive(debugfs_dir);
}
