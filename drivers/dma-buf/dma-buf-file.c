// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file behind a buffer: the pseudo file system it lives on, and what user
 * space does with the descriptor, apart from poll() (dma-buf-poll.c).
 *
 * Every ioctl is decoded by the handler of its own: copy in, check, act, copy
 * out.
 */

#include <linux/compat.h>
#include <linux/dcache.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "dma-buf-internal.h"
#include "dma-buf-sysfs-stats.h"

static struct vfsmount *dma_buf_mnt;
static struct kmem_cache *dma_buf_inodes;

/* --- Ioctls ------------------------------------------------------------- */

static int sync_direction(u64 flags, enum dma_data_direction *dir)
{
	switch (flags & DMA_BUF_SYNC_RW) {
	case DMA_BUF_SYNC_READ:
		*dir = DMA_FROM_DEVICE;
		return 0;
	case DMA_BUF_SYNC_WRITE:
		*dir = DMA_TO_DEVICE;
		return 0;
	case DMA_BUF_SYNC_RW:
		*dir = DMA_BIDIRECTIONAL;
		return 0;
	default:
		return -EINVAL;
	}
}

static long ioctl_sync(struct dma_buf *dmabuf, struct dma_buf_sync __user *user)
{
	enum dma_data_direction dir;
	struct dma_buf_sync arg;
	int ret;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (arg.flags & ~DMA_BUF_SYNC_VALID_FLAGS_MASK)
		return -EINVAL;
	ret = sync_direction(arg.flags, &dir);
	if (ret)
		return ret;

	if (arg.flags & DMA_BUF_SYNC_END)
		return dma_buf_contract_user_ends(dmabuf, dir);
	ret = dma_buf_begin_cpu_access(dmabuf, dir);
	if (!ret)
		dma_buf_contract_user_begun(dmabuf);
	return ret;
}

/*
 * The name may change at any time, attached or not: nothing but people and
 * accounting tools look at it.
 */
static long ioctl_set_name(struct dma_buf *dmabuf, const char __user *user)
{
	char *name = strndup_user(user, DMA_BUF_NAME_LEN);

	if (IS_ERR(name))
		return PTR_ERR(name);

	spin_lock(&dmabuf->name_lock);
	swap(name, *(char **)&dmabuf->name);
	spin_unlock(&dmabuf->name_lock);

	kfree(name);
	return 0;
}

static long dma_buf_file_ioctl(struct file *file, unsigned int cmd,
			       unsigned long arg)
{
	struct dma_buf *dmabuf = file->private_data;
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case DMA_BUF_IOCTL_SYNC:
		return ioctl_sync(dmabuf, user);
	/* DMA_BUF_SET_NAME is one of the two, by the size of a pointer. */
	case DMA_BUF_SET_NAME_A:
	case DMA_BUF_SET_NAME_B:
		return ioctl_set_name(dmabuf, user);
	case DMA_BUF_IOCTL_EXPORT_SYNC_FILE:
		return dma_buf_export_sync_file(dmabuf, user);
	case DMA_BUF_IOCTL_IMPORT_SYNC_FILE:
		return dma_buf_import_sync_file(dmabuf, user);
	default:
		return -ENOTTY;
	}
}

/* --- Other file operations ---------------------------------------------- */

static int dma_buf_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct dma_buf *dmabuf = file->private_data;

	/* A range that wraps around is outside of the buffer, too. */
	if (!dmabuf->ops->mmap ||
	    dma_buf_check_range(dmabuf, vma, vma->vm_pgoff))
		return -EINVAL;

	return dmabuf->ops->mmap(dmabuf, vma);
}

/* Seeking to either end tells the size; there is no position to keep. */
static loff_t dma_buf_file_llseek(struct file *file, loff_t offset, int whence)
{
	struct dma_buf *dmabuf = file->private_data;

	if (offset)
		return -EINVAL;
	if (whence == SEEK_END)
		return dmabuf->size;
	return whence == SEEK_SET ? 0 : -EINVAL;
}

static void dma_buf_file_fdinfo(struct seq_file *m, struct file *file)
{
	struct dma_buf *dmabuf = file->private_data;

	/* procfs has printed the inode number, which nobody has read yet. */
	dma_buf_stats_flush();

	seq_printf(m, "size:\t%zu\n", dmabuf->size);
	/* procfs holds one reference while it asks. */
	seq_printf(m, "count:\t%ld\n", file_count(file) - 1);
	seq_printf(m, "exp_name:\t%s\n", dmabuf->exp_name);

	spin_lock(&dmabuf->name_lock);
	if (dmabuf->name)
		seq_printf(m, "name:\t%s\n", dmabuf->name);
	spin_unlock(&dmabuf->name_lock);
}

static int dma_buf_file_release(struct inode *inode, struct file *file)
{
	/* bufinfo takes references: leave its list before the file is gone. */
	dma_buf_debugfs_del(file->private_data);
	return 0;
}

const struct file_operations dma_buf_fops = {
	.llseek		= dma_buf_file_llseek,
	.mmap		= dma_buf_file_mmap,
	/* So that large and aligned memory can be mapped with huge pages. */
	.get_unmapped_area = thp_get_unmapped_area,
	.poll		= dma_buf_poll,
	.unlocked_ioctl	= dma_buf_file_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.release	= dma_buf_file_release,
	.show_fdinfo	= dma_buf_file_fdinfo,
};

/* fstat() tells the inode number: have sysfs show what goes by that number. */
static int dma_buf_getattr(struct mnt_idmap *idmap, const struct path *path,
			   struct kstat *stat, u32 request_mask,
			   unsigned int query_flags)
{
	dma_buf_stats_flush();
	generic_fillattr(idmap, request_mask, d_inode(path->dentry), stat);
	return 0;
}

static const struct inode_operations dma_buf_iops = {
	.getattr	= dma_buf_getattr,
};

/**
 * dma_buf_inode_create() - make memory for a buffer, and the inode of its file
 *
 * Context: Process context, may sleep.
 * Return: memory for a buffer, in a &struct dma_buf_inode, or ERR_PTR(%-ENOMEM).
 * It is not cleared: the caller fills it in, and drops it with iput() if it makes
 * no file of it.
 */
struct dma_buf *dma_buf_inode_create(void)
{
	struct inode *inode = alloc_anon_inode(dma_buf_mnt->mnt_sb);

	if (IS_ERR(inode))
		return ERR_CAST(inode);
	return &container_of(inode, struct dma_buf_inode, vfs)->buf;
}

/**
 * dma_buf_file_create() - make the file of a complete buffer
 * @dmabuf: ready to be used in every other respect
 * @flags: file flags
 *
 * From success on the file owns @dmabuf and calls dma_buf_destroy() for it.
 *
 * Context: Process context, may sleep.
 * Return: 0, or an errno that leaves @dmabuf to the caller: %-ENOMEM, or %-ENFILE
 * if the system's limit of open files is reached.
 */
int dma_buf_file_create(struct dma_buf *dmabuf, int flags)
{
	static atomic64_t last_ino = ATOMIC64_INIT(0);
	struct inode *inode = &to_dma_buf_inode(dmabuf)->vfs;
	struct file *file;

	/* The number tells people and tools one buffer from all others. */
	inode->i_ino = atomic64_inc_return_relaxed(&last_ino);
	inode->i_size = dmabuf->size;
	if (IS_ENABLED(CONFIG_DMABUF_SYSFS_STATS))
		inode->i_op = &dma_buf_iops;
	inode_set_bytes(inode, dmabuf->size);

	/* As that of a pipe, the name is what dma_buf_dname() makes it. */
	file = alloc_file_pseudo(inode, dma_buf_mnt, "", flags, &dma_buf_fops);
	if (IS_ERR(file))
		return PTR_ERR(file);

	file->f_mode |= FMODE_LSEEK;
	file->private_data = dmabuf;
	file->f_path.dentry->d_fsdata = dmabuf;
	dmabuf->file = file;
	return 0;
}

/* --- The pseudo file system --------------------------------------------- */

/* What /proc/PID/maps and /proc/PID/fd show. */
static char *dma_buf_dname(struct dentry *dentry, char *buf, int buflen)
{
	struct dma_buf *dmabuf = dentry->d_fsdata;
	char name[DMA_BUF_NAME_LEN] = "";

	spin_lock(&dmabuf->name_lock);
	if (dmabuf->name)
		strscpy(name, dmabuf->name);
	spin_unlock(&dmabuf->name_lock);

	return dynamic_dname(buf, buflen, "/dmabuf:%s", name);
}

/*
 * The buffer hangs on the dentry and not on the file's release: whoever holds
 * the path may still print the name after the file has been released. The inode
 * goes after the buffer that is in it.
 */
static void dma_buf_dentry_iput(struct dentry *dentry, struct inode *inode)
{
	/* NULL if the file was never made. */
	if (dentry->d_fsdata)
		dma_buf_destroy(dentry->d_fsdata);
	iput(inode);
}

static const struct dentry_operations dma_buf_dentry_ops = {
	.d_dname	= dma_buf_dname,
	.d_iput		= dma_buf_dentry_iput,
};

static void dma_buf_inode_init(void *memory)
{
	struct dma_buf_inode *node = memory;

	inode_init_once(&node->vfs);
}

static struct inode *dma_buf_alloc_inode(struct super_block *sb)
{
	struct dma_buf_inode *node = alloc_inode_sb(sb, dma_buf_inodes, GFP_KERNEL);

	return node ? &node->vfs : NULL;
}

/* After a grace period. */
static void dma_buf_free_inode(struct inode *inode)
{
	kmem_cache_free(dma_buf_inodes, container_of(inode, struct dma_buf_inode, vfs));
}

static const struct super_operations dma_buf_super_ops = {
	.alloc_inode	= dma_buf_alloc_inode,
	.free_inode	= dma_buf_free_inode,
	/* Mappings go past the page cache: there is nothing to truncate. */
	.evict_inode	= clear_inode,
	.statfs		= simple_statfs,
};

static int dma_buf_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, DMA_BUF_MAGIC);

	if (!ctx)
		return -ENOMEM;

	ctx->ops = &dma_buf_super_ops;
	ctx->dops = &dma_buf_dentry_ops;
	return 0;
}

static struct file_system_type dma_buf_fs_type = {
	.name			= "dmabuf",
	.init_fs_context	= dma_buf_init_fs_context,
	.kill_sb		= kill_anon_super,
};

int __init dma_buf_fs_init(void)
{
	dma_buf_inodes = kmem_cache_create("dma_buf_inode", sizeof(struct dma_buf_inode), 0,
					   SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT,
					   dma_buf_inode_init);
	if (!dma_buf_inodes)
		return -ENOMEM;

	dma_buf_mnt = kern_mount(&dma_buf_fs_type);
	if (IS_ERR(dma_buf_mnt)) {
		kmem_cache_destroy(dma_buf_inodes);
		return PTR_ERR(dma_buf_mnt);
	}
	return 0;
}

void dma_buf_fs_exit(void)
{
	kern_unmount(dma_buf_mnt);
	rcu_barrier();	/* For dma_buf_free_inode(). */
	kmem_cache_destroy(dma_buf_inodes);
}
