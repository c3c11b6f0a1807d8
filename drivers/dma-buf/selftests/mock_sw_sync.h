/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An open timeline of sw_sync, and its ioctls with real user memory: what the
 * suites sw_sync and sync_debug share.
 */
#ifndef DMABUF_SELFTESTS_MOCK_SW_SYNC_H
#define DMABUF_SELFTESTS_MOCK_SW_SYNC_H

#include <linux/dma-fence.h>
#include <linux/fdtable.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>

#include "mock.h"
#include "mock_fs.h"

/* As in sw_sync.c, which has no header for user space. */
struct mock_sw_sync_create {
	__u32 value;
	char name[32];
	__s32 fence;
};

struct mock_sw_sync_deadline {
	__u64 deadline_ns;
	__u32 pad;
	__s32 fence_fd;
};

#define MOCK_SW_SYNC_CREATE	_IOWR('W', 0, struct mock_sw_sync_create)
#define MOCK_SW_SYNC_INC	_IOW('W', 1, __u32)
#define MOCK_SW_SYNC_DEADLINE	_IOWR('W', 2, struct mock_sw_sync_deadline)

/**
 * struct mock_sw_sync - what a case has, as &kunit.priv
 * @debugfs: the file system
 * @page: one page of user memory; the one behind it is unmapped
 * @file: the timeline, NULL once it is closed
 */
struct mock_sw_sync {
	struct vfsmount *debugfs;
	unsigned long page;
	struct file *file;
};

static inline void mock_sw_sync_close(void *data)
{
	struct mock_sw_sync *sw_sync = data;

	if (sw_sync->file)
		__fput_sync(sw_sync->file);
	sw_sync->file = NULL;
}

/* Usable as &kunit_suite.init. */
static inline int mock_sw_sync_init(struct kunit *test)
{
	struct mock_sw_sync *sw_sync =
		kunit_kzalloc(test, sizeof(*sw_sync), GFP_KERNEL);

	if (!sw_sync)
		return -ENOMEM;

	sw_sync->debugfs = mock_fs_mount(test, "debugfs");
	if (IS_ERR(sw_sync->debugfs))
		return PTR_ERR(sw_sync->debugfs);

	sw_sync->page = kunit_vm_mmap(test, NULL, 0, 2 * PAGE_SIZE,
				      PROT_READ | PROT_WRITE,
				      MAP_ANONYMOUS | MAP_PRIVATE, 0);
	if (!sw_sync->page || IS_ERR_VALUE(sw_sync->page))
		return -ENOMEM;
	vm_munmap(sw_sync->page + PAGE_SIZE, PAGE_SIZE);

	sw_sync->file = mock_fs_open(sw_sync->debugfs, "sync/sw_sync", O_RDWR);
	if (IS_ERR(sw_sync->file))
		return PTR_ERR(sw_sync->file);

	test->priv = sw_sync;
	return kunit_add_action_or_reset(test, mock_sw_sync_close, sw_sync);
}

/* The ioctl with a pointer as it is. */
static inline long mock_sw_sync_call(struct kunit *test, unsigned int cmd,
				     unsigned long user)
{
	struct mock_sw_sync *sw_sync = test->priv;
	struct file *file = sw_sync->file;

	return file->f_op->unlocked_ioctl(file, cmd, user);
}

/* The ioctl with @arg, which holds afterwards what user memory holds. */
static inline long mock_sw_sync_ioctl(struct kunit *test, unsigned int cmd,
				      void *arg, size_t size)
{
	struct mock_sw_sync *sw_sync = test->priv;
	unsigned long user = sw_sync->page + PAGE_SIZE - size;
	long ret;

	KUNIT_ASSERT_EQ(test, copy_to_user((void __user *)user, arg, size), 0);
	ret = mock_sw_sync_call(test, cmd, user);
	KUNIT_ASSERT_EQ(test, copy_from_user(arg, (void __user *)user, size), 0);
	return ret;
}

/* The descriptor of a new sync_file, for mock_sw_sync_close_fd(). */
static inline int mock_sw_sync_create_fd(struct kunit *test, u32 value)
{
	struct mock_sw_sync_create arg = { .value = value, .fence = -1 };

	KUNIT_ASSERT_EQ(test, 0, mock_sw_sync_ioctl(test, MOCK_SW_SYNC_CREATE,
						    &arg, sizeof(arg)));
	KUNIT_ASSERT_GE(test, arg.fence, 0);
	return arg.fence;
}

static inline void mock_sw_sync_close_fd(int fd)
{
	close_fd(fd);
	/* A kernel thread closes its files through a worker. */
	flush_delayed_fput();
}

/* A fence whose sync_file is closed; the caller has the only reference. */
static inline struct dma_fence *mock_sw_sync_fence(struct kunit *test,
						   u32 value)
{
	int fd = mock_sw_sync_create_fd(test, value);
	struct dma_fence *fence = sync_file_get_fence(fd);

	mock_sw_sync_close_fd(fd);
	KUNIT_ASSERT_NOT_NULL(test, fence);
	return fence;
}

static inline void mock_sw_sync_inc(struct kunit *test, u32 step)
{
	KUNIT_ASSERT_EQ(test, 0, mock_sw_sync_ioctl(test, MOCK_SW_SYNC_INC,
						    &step, sizeof(step)));
}

#endif /* DMABUF_SELFTESTS_MOCK_SW_SYNC_H */
