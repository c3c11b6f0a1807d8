/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A character device, opened as a program opens it though there is no file
 * system that it is in; and user memory for its ioctls.
 */
#ifndef DMABUF_SELFTESTS_MOCK_CHRDEV_H
#define DMABUF_SELFTESTS_MOCK_CHRDEV_H

#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#include <kunit/test.h>

static inline int mock_chrdev_fs_init(struct fs_context *fc)
{
	return init_pseudo(fc, 0x6b756d64) ? 0 : -ENOMEM;
}

static inline void mock_chrdev_unmount(void *mount)
{
	/* The last of its files may be on their way. */
	flush_delayed_fput();
	kern_unmount(mount);
}

static inline void mock_chrdev_put(void *file)
{
	fput(file);
}

/* The device of that number, open until the end of the case. */
static inline struct file *mock_chrdev_open(struct kunit *test, dev_t number)
{
	static struct file_system_type fs = {
		.name			= "dmabuf_mock_chrdev",
		.init_fs_context	= mock_chrdev_fs_init,
		.kill_sb		= kill_anon_super,
	};
	struct vfsmount *mount = kern_mount(&fs);
	struct inode *inode;
	struct file *file;
	int ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mount);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, mock_chrdev_unmount, mount));
	inode = alloc_anon_inode(mount->mnt_sb);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, inode);
	init_special_inode(inode, S_IFCHR | 0600, number);
	file = alloc_file_pseudo(inode, mount, "mock", O_RDWR, inode->i_fop);
	if (IS_ERR(file))
		iput(inode);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	ret = file->f_op->open(inode, file);
	if (ret) {
		/* What is not open must not be released. */
		file->f_mode &= ~FMODE_OPENED;
		fput(file);
		kunit_skip(test, "the device does not open: errno %d", ret);
	}
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, mock_chrdev_put, file));
	return file;
}

#endif /* DMABUF_SELFTESTS_MOCK_CHRDEV_H */
