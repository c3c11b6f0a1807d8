// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/dma_buf/bufinfo: all live buffers, newest first, with
 * their fences and devices.
 *
 * A reader holds a reference to the one buffer it stands at, and the list's
 * lock only to step to the next: it stops no export and no close, however
 * long it takes. Buffers made while it reads do not show up.
 */

#include <linux/debugfs.h>
#include <linux/list.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>

#include "dma-buf-internal.h"
#include "dma-buf-sysfs-stats.h"

static LIST_HEAD(buffers);
static DEFINE_SPINLOCK(buffers_lock);
static struct dentry *debugfs_dir;

/*
 * Where a reader stands. @at is the buffer of record number @record, with a
 * reference; NULL before the first and behind the last.
 */
struct bufinfo_reader {
	struct dma_buf *at;
	loff_t record;
	int count;
	size_t bytes;
};

/* What start() and next() return when it is no buffer's turn. */
static char header_record, footer_record;

void dma_buf_debugfs_add(struct dma_buf *dmabuf)
{
	spin_lock(&buffers_lock);
	list_add(&dmabuf->list_node, &buffers);
	spin_unlock(&buffers_lock);
}

void dma_buf_debugfs_del(struct dma_buf *dmabuf)
{
	spin_lock(&buffers_lock);
	list_del(&dmabuf->list_node);
	spin_unlock(&buffers_lock);
}

/*
 * The first buffer behind @at, or of all if NULL, that is not going away; with
 * a reference. A buffer leaves the list before its file is freed, so each one
 * found here has a file to ask; @at has a reference and is still in the list.
 */
static struct dma_buf *buffer_after(struct dma_buf *at)
{
	struct list_head *pos = at ? &at->list_node : &buffers;
	struct dma_buf *dmabuf, *found = NULL;

	spin_lock(&buffers_lock);
	for (pos = pos->next; pos != &buffers && !found; pos = pos->next) {
		dmabuf = list_entry(pos, struct dma_buf, list_node);
		if (get_file_active(&dmabuf->file))
			found = dmabuf;
	}
	spin_unlock(&buffers_lock);

	return found;
}

/* Step to the next record and return it. */
static void *bufinfo_advance(struct bufinfo_reader *reader)
{
	struct dma_buf *left = reader->at;

	reader->at = buffer_after(left);
	reader->record++;
	if (left)
		dma_buf_put(left);
	return reader->at ? (void *)reader->at : &footer_record;
}

static void *bufinfo_start(struct seq_file *s, loff_t *pos)
{
	struct bufinfo_reader *reader = s->private;

	if (!*pos) {
		if (reader->at)
			dma_buf_put(reader->at);
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
	struct bufinfo_reader *reader = s->private;

	if (reader->at)
		dma_buf_put(reader->at);
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
	debugfs_dir = debugfs_create_dir("dma_buf", NULL);
	debugfs_create_file("bufinfo", 0444, debugfs_dir, NULL, &bufinfo_fops);
}

void dma_buf_debugfs_exit(void)
{
	debugfs_remove_recursive(debugfs_dir);
}
