/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fence as a file descriptor: the kernel side of what user space sees
 * through <uapi/linux/sync_file.h>. Drivers hand a fence out with
 * sync_file_create() and take one in with sync_file_get_fence().
 */
#ifndef _LINUX_SYNC_FILE_H
#define _LINUX_SYNC_FILE_H

#include <linux/dma-fence-array.h>
#include <linux/dma-fence.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

/**
 * struct sync_file - one fence behind one struct file
 * @file:	the file; what a driver gives to fd_install()
 * @user_name:	name that user space chose in SYNC_IOC_MERGE, always
 *		terminated; empty for every other sync_file, whose name is made
 *		from its fence when somebody asks
 * @sync_file_list: left empty; kept because the layout is public
 * @wq:		who waits in poll()
 * @flags:	bit POLL_ENABLED: @cb was handed to @fence
 * @fence:	the fence, or an array of them after a merge; the sync_file owns
 *		one reference from its creation to its release
 * @cb:		wakes @wq when @fence signals; added by the first poll() that
 *		finds @fence pending
 *
 * Invariants: @file, @user_name and @fence do not change once the file is
 * reachable by a descriptor. POLL_ENABLED goes from clear to set at most once,
 * by whoever wins test_and_set_bit(), and only the winner touches @cb.
 */
struct sync_file {
	struct file		*file;
	char			user_name[32];
#ifdef CONFIG_DEBUG_FS
	struct list_head	sync_file_list;
#endif
	wait_queue_head_t	wq;
	unsigned long		flags;
	struct dma_fence	*fence;
	struct dma_fence_cb	cb;
};

/* Bit number in &sync_file.flags. */
#define POLL_ENABLED 0

struct sync_file *sync_file_create(struct dma_fence *fence);
struct dma_fence *sync_file_get_fence(int fd);
char *sync_file_get_name(struct sync_file *sync_file, char *buf, int len);

#endif /* _LINUX_SYNC_FILE_H */
