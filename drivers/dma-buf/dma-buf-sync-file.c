// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bridge between implicit and explicit synchronisation: two ioctls on a
 * buffer that take a snapshot of its fences as a sync_file, and add the fences
 * of a sync_file to it.
 */

#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>

#include "dma-buf-internal.h"

/* READ, WRITE or both, and nothing else. */
static bool access_flags_valid(u32 flags)
{
	return flags && !(flags & ~DMA_BUF_SYNC_RW);
}

/* What an access by @flags has to wait for, as one fence with a reference. */
static struct dma_fence *snapshot(struct dma_buf *dmabuf, u32 flags)
{
	enum dma_resv_usage usage = dma_resv_usage_rw(flags & DMA_BUF_SYNC_WRITE);
	struct dma_fence *fence;
	int ret;

	ret = dma_resv_get_singleton(dmabuf->resv, usage, &fence);
	if (ret)
		return ERR_PTR(ret);
	return fence ?: dma_fence_get_stub();
}

/**
 * dma_buf_export_sync_file() - DMA_BUF_IOCTL_EXPORT_SYNC_FILE
 * @dmabuf: the buffer
 * @user: &struct dma_buf_export_sync_file in user memory
 *
 * The descriptor appears only after its number has reached user space.
 *
 * Context: Process context, may sleep.
 * Return: 0, or a negative errno that leaves nothing behind:
 *
 *  * %-EFAULT - @user cannot be read or written
 *  * %-EINVAL - no or unknown flags
 *  * %-EMFILE - the process has too many open files
 *  * %-ENOMEM - out of memory
 */
long dma_buf_export_sync_file(struct dma_buf *dmabuf,
			      struct dma_buf_export_sync_file __user *user)
{
	struct dma_buf_export_sync_file arg;
	struct sync_file *sync_file;
	struct dma_fence *fence;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (!access_flags_valid(arg.flags))
		return -EINVAL;

	CLASS(get_unused_fd, fd)(O_CLOEXEC);
	if (fd < 0)
		return fd;

	fence = snapshot(dmabuf, arg.flags);
	if (IS_ERR(fence))
		return PTR_ERR(fence);

	/* The sync_file has a reference of its own. */
	sync_file = sync_file_create(fence);
	dma_fence_put(fence);
	if (!sync_file)
		return -ENOMEM;

	arg.fd = fd;
	if (copy_to_user(user, &arg, sizeof(arg))) {
		fput(sync_file->file);
		return -EFAULT;
	}
	fd_install(take_fd(fd), sync_file->file);
	return 0;
}

/* The plain fences that @fence stands for itself: some of an array, or itself. */
static unsigned int members_of(struct dma_fence **fence,
			       struct dma_fence ***members)
{
	struct dma_fence_array *array = to_dma_fence_array(*fence);

	*members = array ? array->fences : fence;
	return array ? array->num_fences : 1;
}

/*
 * How many fences inside of @fence may be pending. Not the signaled state of an
 * array: one that is done with its first member may have others that are pending.
 */
static unsigned int count_pending(struct dma_fence *fence)
{
	struct dma_fence *link, *contained, **members;
	unsigned int count = 0, nr;

	dma_fence_chain_for_each(link, fence) {
		contained = dma_fence_chain_contained(link);
		nr = members_of(&contained, &members);
		if (nr > 1 || !dma_fence_is_signaled(*members))
			count += nr;
	}
	return count;
}

/* Add every pending fence inside of @fence; there are slots for all. */
static void add_all_pending(struct dma_resv *resv, struct dma_fence *fence,
			    enum dma_resv_usage usage)
{
	struct dma_fence *link, *contained, **members;
	unsigned int nr, i;

	dma_fence_chain_for_each(link, fence) {
		contained = dma_fence_chain_contained(link);
		nr = members_of(&contained, &members);
		for (i = 0; i < nr; i++) {
			if (!dma_fence_is_signaled(members[i]))
				dma_resv_add_fence(resv, members[i], usage);
		}
	}
}

/*
 * Add every pending fence inside of @fence. Fences that have signaled when their
 * turn comes leave a reserved slot unused; there is no way to become more.
 */
static int add_pending(struct dma_resv *resv, struct dma_fence *fence,
		       enum dma_resv_usage usage)
{
	unsigned int slots = count_pending(fence);
	int ret;

	if (!slots)
		return 0;

	/* Nothing has happened yet, so a signal may start it all over. */
	if (dma_resv_lock_interruptible(resv, NULL))
		return -ERESTARTSYS;

	ret = dma_resv_reserve_fences(resv, slots);
	if (!ret)
		add_all_pending(resv, fence, usage);
	dma_resv_unlock(resv);
	return ret;
}

/**
 * dma_buf_import_sync_file() - DMA_BUF_IOCTL_IMPORT_SYNC_FILE
 * @dmabuf: the buffer
 * @user: &struct dma_buf_import_sync_file in user memory
 *
 * From now on whoever synchronises implicitly waits for the fences: as for a
 * device that writes with %DMA_BUF_SYNC_WRITE, else as for one that reads.
 * Fences that have signaled are left out.
 *
 * Context: Process context, may sleep. Takes &dma_buf.resv.
 * Return: 0, or a negative errno with the buffer's fences unchanged:
 *
 *  * %-EFAULT - @user cannot be read
 *  * %-EINVAL - no or unknown flags, or the descriptor is no sync_file
 *  * %-ENOMEM - out of memory
 *  * %-ERESTARTSYS - a signal came while somebody else held the lock
 */
long dma_buf_import_sync_file(struct dma_buf *dmabuf,
			      struct dma_buf_import_sync_file __user *user)
{
	struct dma_buf_import_sync_file arg;
	enum dma_resv_usage usage;
	struct dma_fence *fence;
	int ret;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (!access_flags_valid(arg.flags))
		return -EINVAL;

	fence = sync_file_get_fence(arg.fd);
	if (!fence)
		return -EINVAL;

	usage = arg.flags & DMA_BUF_SYNC_WRITE ? DMA_RESV_USAGE_WRITE :
						 DMA_RESV_USAGE_READ;
	ret = add_pending(dmabuf->resv, fence, usage);
	dma_fence_put(fence);
	return ret;
}
