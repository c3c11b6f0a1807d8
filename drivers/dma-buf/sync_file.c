// SPDX-License-Identifier: GPL-2.0
/*
 * A fence as a file descriptor.
 *
 * This file turns a &struct dma_fence into a &struct file and back, and answers
 * what user space may ask of such a descriptor: wait for it with poll(), merge
 * two of them, look inside, pass on a deadline.
 */
#include <linux/anon_inodes.h>
#include <linux/cleanup.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>
#include <uapi/linux/sync_file.h>

#include <kunit/visibility.h>

/**
 * DOC: sync_file overview
 *
 * A sync_file is a file that holds one reference to one fence, from its
 * creation to its release, and never exchanges it. Several fences in one file
 * are an array of fences; whoever looks inside walks it with
 * dma_fence_unwrap_for_each() and never sees a container.
 *
 * From a driver to user space:
 *
 * 1. The driver has a fence and a reference to it.
 * 2. get_unused_fd_flags() reserves a descriptor, which may fail.
 * 3. sync_file_create() makes the file, which may fail. The file has a
 *    reference of its own now, the driver's one stays the driver's.
 * 4. Everything else that may fail happens, for example copying the descriptor
 *    to user space.
 * 5. fd_install() publishes &sync_file.file and takes it over. Another thread
 *    can close the descriptor from here on.
 *
 * From user space to a driver: sync_file_get_fence() returns a reference to the
 * fence, which the driver drops with dma_fence_put(). The descriptor may be
 * closed at any time without effect on that reference.
 */

DEFINE_FREE(dma_fence_put, struct dma_fence *, dma_fence_put(_T))

/* At the end; here because a merge makes another file of this kind. */
static const struct file_operations sync_file_fops;

/* A new file around @fence, which is borrowed; the file gets its own reference. */
static struct sync_file *sync_file_alloc(struct dma_fence *fence)
{
	struct sync_file *sync_file __free(kfree) =
		kzalloc(sizeof(*sync_file), GFP_KERNEL);

	if (!sync_file)
		return ERR_PTR(-ENOMEM);

	init_waitqueue_head(&sync_file->wq);
	INIT_LIST_HEAD(&sync_file->cb.node);
#ifdef CONFIG_DEBUG_FS
	INIT_LIST_HEAD(&sync_file->sync_file_list);
#endif
	sync_file->file = anon_inode_getfile("sync_file", &sync_file_fops,
					     sync_file, 0);
	if (IS_ERR(sync_file->file))
		return ERR_CAST(sync_file->file);

	sync_file->fence = dma_fence_get(fence); /* Dropped by release. */
	return no_free_ptr(sync_file);
}

/**
 * sync_file_create() - make a file around a fence
 * @fence: the fence, borrowed: the file takes a reference of its own
 *
 * The caller publishes &sync_file.file with fd_install(), or drops it with
 * fput(), which frees the sync_file too.
 *
 * Context: Process context. May sleep.
 * Return: the new sync_file, or NULL if there is not enough memory, the system
 * has too many open files, or @fence is NULL, which is a bug of the caller.
 * Nothing has changed then.
 */
struct sync_file *sync_file_create(struct dma_fence *fence)
{
	struct sync_file *sync_file;

	might_sleep();
	if (WARN_ON_ONCE(!fence))
		return NULL;

	sync_file = sync_file_alloc(fence);
	return IS_ERR(sync_file) ? NULL : sync_file;
}
EXPORT_SYMBOL(sync_file_create);

/**
 * sync_file_get_fence() - take the fence out of a descriptor
 * @fd: descriptor that user space passed in
 *
 * Context: Process context. May sleep.
 * Return: a reference to the fence, which the caller drops with
 * dma_fence_put(), or NULL if @fd is not open or is no sync_file.
 */
struct dma_fence *sync_file_get_fence(int fd)
{
	struct sync_file *sync_file;

	CLASS(fd, f)(fd);
	if (fd_empty(f) || fd_file(f)->f_op != &sync_file_fops)
		return NULL;

	sync_file = fd_file(f)->private_data;
	return dma_fence_get(sync_file->fence);
}
EXPORT_SYMBOL(sync_file_get_fence);

/**
 * sync_file_get_name() - what a sync_file is called
 * @sync_file: the sync_file
 * @buf: where the name goes, always terminated
 * @len: size of @buf in bytes, at least 1
 *
 * The name from SYNC_IOC_MERGE if there is one. Otherwise it is made here,
 * from the names and numbers of the fence, and not kept: the driver's part may
 * be gone a grace period after the fence signaled.
 *
 * Context: Any context. Takes the RCU read lock.
 * Return: @buf.
 */
char *sync_file_get_name(struct sync_file *sync_file, char *buf, int len)
{
	struct dma_fence *fence = sync_file->fence;

	if (sync_file->user_name[0]) {
		strscpy(buf, sync_file->user_name, len);
		return buf;
	}

	guard(rcu)();
	snprintf(buf, len, "%s-%s%llu-%lld", dma_fence_driver_name(fence),
		 dma_fence_timeline_name(fence), fence->context,
		 (long long)fence->seqno);
	return buf;
}
EXPORT_SYMBOL_IF_KUNIT(sync_file_get_name);

/* Runs under the lock of @fence, so release can wait for it to be over. */
static void sync_file_wake(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct sync_file *sync_file = container_of(cb, struct sync_file, cb);

	wake_up_all(&sync_file->wq);
}

static __poll_t sync_file_poll(struct file *file, poll_table *wait)
{
	struct sync_file *sync_file = file->private_data;
	struct dma_fence *fence = sync_file->fence;

	poll_wait(file, &sync_file->wq, wait);

	if (dma_fence_is_signaled(fence))
		return EPOLLIN;

	/*
	 * If the fence signals before the winner of the bit has added the
	 * callback, pollers that lost may sleep already: wake them here.
	 */
	if (!test_and_set_bit(POLL_ENABLED, &sync_file->flags) &&
	    dma_fence_add_callback(fence, &sync_file->cb, sync_file_wake))
		wake_up_all(&sync_file->wq);

	return dma_fence_is_signaled(fence) ? EPOLLIN : 0;
}

static int sync_file_release(struct inode *inode, struct file *file)
{
	struct sync_file *sync_file __free(kfree) = file->private_data;
	struct dma_fence *fence __free(dma_fence_put) = sync_file->fence;

	/* Takes the fence's lock: afterwards no sync_file_wake() runs. */
	if (test_bit(POLL_ENABLED, &sync_file->flags))
		dma_fence_remove_callback(fence, &sync_file->cb);
	return 0;
}

/*
 * SYNC_IOC_MERGE.
 *
 * -EFAULT if @argp cannot be read or written, -EINVAL for flags or padding,
 * -ENOENT if fd2 is no sync_file, -EMFILE or -ENFILE at a limit of open files,
 * -ENOMEM. The caller's table of descriptors is as it was after any of them.
 */
static long sync_file_ioctl_merge(struct sync_file *sync_file,
				  struct sync_merge_data __user *argp)
{
	struct sync_merge_data arg;
	struct sync_file *merged;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (arg.flags || arg.pad)
		return -EINVAL;

	struct dma_fence *other __free(dma_fence_put) =
		sync_file_get_fence(arg.fd2);
	if (!other)
		return -ENOENT;

	CLASS(get_unused_fd, fd)(O_CLOEXEC);
	if (fd < 0)
		return fd;

	struct dma_fence *both __free(dma_fence_put) =
		dma_fence_unwrap_merge(sync_file->fence, other);
	if (!both)
		return -ENOMEM;

	merged = sync_file_alloc(both);
	if (IS_ERR(merged))
		return PTR_ERR(merged);

	struct file *file __free(fput) = merged->file;

	strscpy(merged->user_name, arg.name);

	arg.fence = fd;
	if (copy_to_user(argp, &arg, sizeof(arg)))
		return -EFAULT;

	/* Published: no failure and no access to @merged after this. */
	fd_install(take_fd(fd), no_free_ptr(file));
	return 0;
}

/* Describe @fence, which is no container, at @entry. */
static int fence_info_store(struct sync_fence_info __user *entry,
			    struct dma_fence *fence, s32 *status)
{
	struct sync_fence_info info = {};

	scoped_guard(rcu) {
		strscpy(info.obj_name, dma_fence_timeline_name(fence));
		strscpy(info.driver_name, dma_fence_driver_name(fence));
	}

	info.status = dma_fence_get_status(fence);
	if (info.status)
		info.timestamp_ns = ktime_to_ns(dma_fence_timestamp(fence));

	*status = info.status;
	return copy_to_user(entry, &info, sizeof(info)) ? -EFAULT : 0;
}

static u32 nr_fences_inside(struct dma_fence *container)
{
	struct dma_fence_unwrap cursor;
	struct dma_fence *fence;
	u32 nr = 0;

	dma_fence_unwrap_for_each(fence, &cursor, container)
		nr++;
	return nr;
}

/*
 * Store one entry per fence inside @container at @infos, which has room for
 * @room. Entries leave one by one, so no array is allocated, however many there
 * are. On success *@nr and *@status are set, the latter from the first fence
 * that has not signaled without an error.
 *
 * -EFAULT if @infos cannot be written, -EINVAL if @room is too small.
 */
static int fence_infos_store(struct sync_fence_info __user *infos, u32 room,
			     struct dma_fence *container, u32 *nr, s32 *status)
{
	struct dma_fence_unwrap cursor;
	struct dma_fence *fence;
	s32 one;
	int ret;

	*nr = 0;
	*status = 1;
	dma_fence_unwrap_for_each(fence, &cursor, container) {
		ret = -EINVAL;
		if (*nr < room)
			ret = fence_info_store(&infos[*nr], fence, &one);
		if (ret) {
			dma_fence_put(cursor.chain); /* Held by the cursor. */
			return ret;
		}

		(*nr)++;
		if (*status > 0)
			*status = one;
	}
	return 0;
}

/*
 * SYNC_IOC_FILE_INFO.
 *
 * -EFAULT if @argp or the array that it names cannot be read or written,
 * -EINVAL for flags, padding or an array that is too small for all fences, of
 * which nothing has been written then.
 */
static long sync_file_ioctl_info(struct sync_file *sync_file,
				 struct sync_file_info __user *argp)
{
	struct dma_fence *fence = sync_file->fence;
	struct sync_file_info arg;
	int ret = 0;
	u32 nr;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (arg.flags || arg.pad)
		return -EINVAL;

	nr = nr_fences_inside(fence);
	if (arg.num_fences && arg.num_fences < nr)
		return -EINVAL;

	if (arg.num_fences)
		ret = fence_infos_store(u64_to_user_ptr(arg.sync_fence_info),
					arg.num_fences, fence, &nr,
					&arg.status);
	else
		arg.status = dma_fence_get_status(fence);
	if (ret)
		return ret;

	arg.num_fences = nr;
	memset(arg.name, 0, sizeof(arg.name));
	sync_file_get_name(sync_file, arg.name, sizeof(arg.name));
	return copy_to_user(argp, &arg, sizeof(arg)) ? -EFAULT : 0;
}

/*
 * SYNC_IOC_SET_DEADLINE.
 *
 * -EFAULT if @argp cannot be read, -EINVAL for padding.
 */
static long sync_file_ioctl_deadline(struct sync_file *sync_file,
				     struct sync_set_deadline __user *argp)
{
	struct sync_set_deadline arg;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (arg.pad)
		return -EINVAL;

	dma_fence_set_deadline(sync_file->fence, ns_to_ktime(arg.deadline_ns));
	return 0;
}

static long sync_file_ioctl(struct file *file, unsigned int cmd,
			    unsigned long arg)
{
	struct sync_file *sync_file = file->private_data;
	void __user *argp = (void __user *)arg;

	switch (cmd) {
	case SYNC_IOC_MERGE:
		return sync_file_ioctl_merge(sync_file, argp);
	case SYNC_IOC_FILE_INFO:
		return sync_file_ioctl_info(sync_file, argp);
	case SYNC_IOC_SET_DEADLINE:
		return sync_file_ioctl_deadline(sync_file, argp);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations sync_file_fops = {
	.release	= sync_file_release,
	.poll		= sync_file_poll,
	.unlocked_ioctl	= sync_file_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};
