/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of a buffer's core (dma-buf*.c) share with each other and
 * with nobody else.
 */
#ifndef _DMA_BUF_INTERNAL_H
#define _DMA_BUF_INTERNAL_H

#include <linux/cleanup.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <uapi/linux/dma-buf.h>

#include "dma-buf-contract.h"

/*
 * guard(dma_buf_resv)(dmabuf): the reservation lock until the end of the scope,
 * without a ww context. DEFINE_GUARD() would test for NULL when it unlocks.
 */
DEFINE_CLASS(dma_buf_resv, struct dma_buf *, dma_resv_unlock(_T->resv),
	     ({ dma_resv_lock(dmabuf->resv, NULL); dmabuf; }),
	     struct dma_buf *dmabuf)

/*
 * What to tell an importer of a callback that has not returned 0. Only errnos
 * are passed on: anything else, as an ERR_PTR(), would look like an object.
 */
static inline int dma_buf_op_errno(const struct dma_buf *dmabuf, const char *op,
				   int ret)
{
	if (WARN_ONCE(!IS_ERR_VALUE((long)ret),
		      "dma-buf: exporter %s: %s returned %d, which is no errno\n",
		      dmabuf->exp_name, op, ret))
		return -EIO;
	return ret;
}

struct dma_buf_stats;

/**
 * struct dma_buf_inode - how a buffer is allocated: as a part of its file
 * @buf: the buffer
 * @resv: a reservation object, which goes unused if the exporter brings one
 * @stats: what it shows in sysfs, or NULL
 * @vfs: the inode of its file, which has the memory freed after a grace period
 */
struct dma_buf_inode {
	struct dma_buf buf;
	struct dma_resv resv;
	struct dma_buf_stats *stats;
	struct inode vfs;
};

static inline struct dma_buf_inode *to_dma_buf_inode(struct dma_buf *dmabuf)
{
	return container_of(dmabuf, struct dma_buf_inode, buf);
}

/* dma-buf.c; called by the file when the last reference is gone */
void dma_buf_destroy(struct dma_buf *dmabuf);

/* dma-buf-file.c */
extern const struct file_operations dma_buf_fops;
int dma_buf_fs_init(void);
void dma_buf_fs_exit(void);
struct dma_buf *dma_buf_inode_create(void);
int dma_buf_file_create(struct dma_buf *dmabuf, int flags);

/* Is the file of a buffer, which then is its private_data? */
static inline bool is_dma_buf_file(struct file *file)
{
	return file->f_op == &dma_buf_fops;
}

/* dma-buf-poll.c */
__poll_t dma_buf_poll(struct file *file, struct poll_table_struct *table);

/* dma-buf-cpu.c */
int dma_buf_check_range(const struct dma_buf *dmabuf,
			struct vm_area_struct *vma, unsigned long pgoff);

/* dma-buf-sync-file.c */
#if IS_ENABLED(CONFIG_SYNC_FILE)
long dma_buf_export_sync_file(struct dma_buf *dmabuf,
			      struct dma_buf_export_sync_file __user *user);
long dma_buf_import_sync_file(struct dma_buf *dmabuf,
			      struct dma_buf_import_sync_file __user *user);
#else
static inline long
dma_buf_export_sync_file(struct dma_buf *dmabuf,
			 struct dma_buf_export_sync_file __user *user)
{
	return -ENOTTY;
}

static inline long
dma_buf_import_sync_file(struct dma_buf *dmabuf,
			 struct dma_buf_import_sync_file __user *user)
{
	return -ENOTTY;
}
#endif

/* dma-buf-sgt-debug.c: hide and find again the exporter's own table */
#if IS_ENABLED(CONFIG_DMABUF_DEBUG)
struct sg_table *dma_buf_sgt_wrap(struct sg_table *sgt, gfp_t gfp);
struct sg_table *dma_buf_sgt_unwrap(struct sg_table *sgt);
#else
static inline struct sg_table *dma_buf_sgt_wrap(struct sg_table *sgt, gfp_t gfp)
{
	return sgt;
}

static inline struct sg_table *dma_buf_sgt_unwrap(struct sg_table *sgt)
{
	return sgt;
}
#endif

/* dma-buf-debugfs.c */
#if IS_ENABLED(CONFIG_DEBUG_FS)
void dma_buf_debugfs_init(void);
void dma_buf_debugfs_exit(void);
void dma_buf_debugfs_add(struct dma_buf *dmabuf);
void dma_buf_debugfs_del(struct dma_buf *dmabuf);
#else
static inline void dma_buf_debugfs_init(void) { }
static inline void dma_buf_debugfs_exit(void) { }
static inline void dma_buf_debugfs_add(struct dma_buf *dmabuf) { }
static inline void dma_buf_debugfs_del(struct dma_buf *dmabuf) { }
#endif

#endif /* _DMA_BUF_INTERNAL_H */
