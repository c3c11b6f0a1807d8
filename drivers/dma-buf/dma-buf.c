// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer's life: made by its exporter, handed to user space as a file
 * descriptor, found again from one, counted, and destroyed with the last
 * reference. What happens to it in between stands in dma-buf-attach.c
 * (devices), dma-buf-cpu.c (CPUs) and dma-buf-file.c (user space).
 */

#include <linux/export.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "dma-buf-internal.h"
#include "dma-buf-sysfs-stats.h"

/**
 * DOC: a buffer's life
 *
 * A &struct dma_buf is memory behind a &struct file. Its *exporter* is the
 * driver that owns the memory and describes by &struct dma_buf_ops what can
 * be done with it. *Importers* are drivers that let their devices use it.
 * User space carries the buffer from the one to the others as a file
 * descriptor.
 *
 * As the exporter sees it:
 *
 * 1. Fill in a &struct dma_buf_export_info and call dma_buf_export(). The
 *    exporter owns the one reference.
 * 2. Hand that reference to user space with dma_buf_fd(), or, where the
 *    number still has to be copied to user space, reserve it with
 *    get_unused_fd_flags(), copy it, and end with fd_install(fd, dmabuf->file):
 *    an installed descriptor cannot be taken back.
 * 3. Answer the callbacks. Before memory moves, call dma_buf_move_notify().
 * 4. &dma_buf_ops.release ends it, when neither a descriptor, nor a mapping,
 *    nor an importer holds the buffer any more.
 *
 * As the importer sees it:
 *
 * 1. dma_buf_get() turns the descriptor into a reference.
 * 2. dma_buf_attach() names the device; dma_buf_dynamic_attach() also brings
 *    a move_notify callback.
 * 3. dma_buf_map_attachment() gives DMA addresses, dma_buf_get_pfn() page
 *    frames, dma_buf_vmap() a kernel address.
 * 4. The device works; its fences go into &dma_buf.resv.
 * 5. Unmap, dma_buf_detach(), dma_buf_put(), in this order.
 */

static struct dma_resv *own_resv(struct dma_buf *dmabuf)
{
	return &to_dma_buf_inode(dmabuf)->resv;
}

/* Which rule of &struct dma_buf_ops does @info break? NULL if none. */
static const char *broken_export_rule(const struct dma_buf_export_info *info)
{
	const struct dma_buf_ops *ops = info->ops;

	if (!info->priv)
		return "priv is missing";
	if (!ops || !ops->release)
		return "release is missing";
	if (ops->map_dma_buf) {
		if (!ops->unmap_dma_buf)
			return "map_dma_buf and unmap_dma_buf come together";
	} else {
		if (ops->unmap_dma_buf)
			return "map_dma_buf and unmap_dma_buf come together";
		if (!ops->get_pfn)
			return "neither map_dma_buf nor get_pfn";
		if (ops->try_map_dma_buf)
			return "try_map_dma_buf without map_dma_buf";
	}
	if (ops->pin) {
		if (!ops->unpin)
			return "pin and unpin come together";
		if (ops->cache_sgt_mapping)
			return "cache_sgt_mapping excludes pin";
	} else if (ops->unpin) {
		return "pin and unpin come together";
	}
	return NULL;
}

/*
 * All members of @dmabuf one by one, which is less than a memset(); but for the
 * link of bufinfo's list and poll's callbacks: those are set when they are put
 * to use, and not looked at before.
 */
static void dma_buf_setup(struct dma_buf *dmabuf,
			  const struct dma_buf_export_info *info)
{
	dmabuf->size = info->size;
	dmabuf->file = NULL;
	INIT_LIST_HEAD(&dmabuf->attachments);
	dmabuf->ops = info->ops;
	dmabuf->vmapping_counter = 0;
	spin_lock_init(&dmabuf->name_lock);
	iosys_map_clear(&dmabuf->vmap_ptr);
	dmabuf->exp_name = info->exp_name;
	dmabuf->name = NULL;
	dmabuf->owner = info->owner;
	dmabuf->priv = info->priv;
	dmabuf->resv = info->resv;
	init_waitqueue_head(&dmabuf->poll);
	dmabuf->poll_armed = 0;
	dma_buf_contract_export(dmabuf);
	if (!dmabuf->resv) {
		dmabuf->resv = own_resv(dmabuf);
		dma_resv_init(dmabuf->resv);
	}
}

/* Undo dma_buf_setup(). */
static void dma_buf_cleanup(struct dma_buf *dmabuf)
{
	if (dmabuf->resv == own_resv(dmabuf))
		dma_resv_fini(dmabuf->resv);
	kfree(dmabuf->name);
}

/**
 * dma_buf_export() - make a buffer of an exporter's memory
 * @exp_info: what to make it of; borrowed for the call
 *
 * The buffer takes a reference to the exporter's module and keeps it until it
 * is destroyed. Nothing else can see the buffer before it is complete.
 *
 * Context: Process context, may sleep.
 * Return: the buffer, with a reference that the caller drops with
 * dma_buf_put() or hands on with dma_buf_fd(), or an ERR_PTR() after which
 * nothing is left and the release callback has not been called:
 *
 *  * %-EINVAL - @exp_info breaks a rule of &struct dma_buf_ops
 *  * %-ENOENT - the exporter's module is being unloaded
 *  * %-ENOMEM - out of memory
 *  * %-ENFILE - the system's limit of open files is reached
 */
struct dma_buf *dma_buf_export(const struct dma_buf_export_info *exp_info)
{
	const char *broken = broken_export_rule(exp_info);
	struct dma_buf *dmabuf;
	int ret;

	if (WARN_ONCE(broken, "dma-buf: exporter %s: %s\n",
		      exp_info->exp_name, broken))
		return ERR_PTR(-EINVAL);

	if (!try_module_get(exp_info->owner))
		return ERR_PTR(-ENOENT);

	dmabuf = dma_buf_inode_create();
	if (IS_ERR(dmabuf)) {
		module_put(exp_info->owner);
		return dmabuf;
	}

	dma_buf_setup(dmabuf, exp_info);
	ret = dma_buf_file_create(dmabuf, exp_info->flags);
	if (ret) {
		dma_buf_cleanup(dmabuf);
		iput(&to_dma_buf_inode(dmabuf)->vfs);
		module_put(exp_info->owner);
		return ERR_PTR(ret);
	}

	/*
	 * Complete: from here on others may find it, and nothing fails. Who
	 * finds it in bufinfo has to find it in sysfs.
	 */
	to_dma_buf_inode(dmabuf)->stats = dma_buf_stats_add(dmabuf);
	dma_buf_debugfs_add(dmabuf);
	return dmabuf;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_export, DMA_BUF);

/*
 * The reverse of dma_buf_export(), but for the memory, which is the inode's. Called
 * from below, by the file's dentry, when nobody can reach the buffer any more.
 */
void dma_buf_destroy(struct dma_buf *dmabuf)
{
	struct module *owner = dmabuf->owner;

	dma_buf_broken(!list_empty(&dmabuf->attachments),
		       DMA_RULE_RELEASE_ATTACHED, dmabuf,
		       dma_buf_contract_left(dmabuf),
		       "released while a device is attached");
	dma_buf_broken(dmabuf->vmapping_counter, DMA_RULE_RELEASE_VMAPPED,
		       dmabuf, NULL, "released while it is vmapped");
	dma_buf_contract_release(dmabuf);
	/* An armed callback owns a reference to the file. */
	WARN_ON_ONCE(dmabuf->poll_armed);

	dma_buf_stats_del(to_dma_buf_inode(dmabuf)->stats);
	dmabuf->ops->release(dmabuf);
	dma_buf_cleanup(dmabuf);
	module_put(owner);
}

/**
 * dma_buf_fd() - make a file descriptor for a buffer
 * @dmabuf: the buffer
 * @flags: of the descriptor; only O_CLOEXEC means something
 *
 * The descriptor takes over the caller's reference. User space can use it, and
 * close it, before this function returns; a caller that can still fail
 * afterwards installs the descriptor itself, as the last step (see
 * "a buffer's life").
 *
 * Context: Process context, may sleep.
 * Return: the number of the descriptor, or a negative errno, after which the
 * caller still owns its reference:
 *
 *  * %-EINVAL - @dmabuf is NULL or half made
 *  * %-EMFILE - the process has too many open files
 *  * %-ENOMEM - out of memory
 */
int dma_buf_fd(struct dma_buf *dmabuf, int flags)
{
	int fd;

	if (!dmabuf || !dmabuf->file)
		return -EINVAL;

	fd = get_unused_fd_flags(flags);
	if (fd >= 0)
		fd_install(fd, dmabuf->file);
	return fd;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_fd, DMA_BUF);

/**
 * dma_buf_get() - turn a file descriptor into a buffer
 * @fd: descriptor that user space passed in
 *
 * Context: Process context.
 * Return: the buffer, with a reference that the caller drops with
 * dma_buf_put(), or an ERR_PTR():
 *
 *  * %-EBADF  - @fd is not open
 *  * %-EINVAL - @fd is open but is no dma-buf
 */
struct dma_buf *dma_buf_get(int fd)
{
	struct file *file = fget(fd);

	if (!file)
		return ERR_PTR(-EBADF);

	if (unlikely(!is_dma_buf_file(file))) {
		fput(file);
		return ERR_PTR(-EINVAL);
	}
	return file->private_data;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_get, DMA_BUF);

/**
 * dma_buf_put() - drop a reference to a buffer
 * @dmabuf: the caller must not use it afterwards
 *
 * The last reference ends the buffer: the exporter's release callback runs
 * when the task returns to user space, or from a worker.
 *
 * Context: Any; the release itself runs where it may sleep.
 */
void dma_buf_put(struct dma_buf *dmabuf)
{
	if (WARN_ON_ONCE(!dmabuf || !dmabuf->file))
		return;

	fput(dmabuf->file);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_put, DMA_BUF);

static int __init dma_buf_init(void)
{
	int ret;

	ret = dma_buf_stats_init();
	if (ret)
		return ret;

	ret = dma_buf_fs_init();
	if (ret) {
		dma_buf_stats_exit();
		return ret;
	}

	dma_buf_debugfs_init();
	return 0;
}
subsys_initcall(dma_buf_init);

static void __exit dma_buf_exit(void)
{
	dma_buf_debugfs_exit();
	dma_buf_fs_exit();
	dma_buf_stats_exit();
}

__exitcall(dma_buf_exit);
