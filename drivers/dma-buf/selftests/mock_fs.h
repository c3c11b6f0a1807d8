/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files of debugfs and sysfs, opened as user space does it though nothing is
 * mounted.
 */
#ifndef DMABUF_SELFTESTS_MOCK_FS_H
#define DMABUF_SELFTESTS_MOCK_FS_H

#include <kunit/test.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>

static inline void mock_fs_unmount(void *mnt)
{
	kern_unmount(mnt);
}

/* The file system called @name, until the end of the case; or an ERR_PTR(). */
static inline struct vfsmount *mock_fs_mount(struct kunit *test,
					     const char *name)
{
	struct file_system_type *type = get_fs_type(name);
	struct vfsmount *mnt;
	int ret;

	if (!type)
		return ERR_PTR(-ENODEV);

	mnt = kern_mount(type);
	if (IS_ERR(mnt))
		return mnt;

	ret = kunit_add_action_or_reset(test, mock_fs_unmount, mnt);
	return ret ? ERR_PTR(ret) : mnt;
}

/*
 * A file of shmem, or an ERR_PTR(). Its pages are not in memory that is kept for
 * movable ones: they stay where they are when they are pinned.
 */
static inline struct file *mock_memfd(size_t size)
{
	struct file *memfd = shmem_file_setup("dmabuf-kunit", size, VM_NORESERVE);

	if (!IS_ERR(memfd))
		mapping_set_gfp_mask(memfd->f_mapping, GFP_HIGHUSER);
	return memfd;
}

/* A file, or an ERR_PTR(). For __fput_sync(), or it outlives the mount. */
static inline struct file *mock_fs_open(struct vfsmount *mnt, const char *path,
					int flags)
{
	struct path root = { .mnt = mnt, .dentry = mnt->mnt_root };

	return file_open_root(&root, path, flags, 0);
}

#endif /* DMABUF_SELFTESTS_MOCK_FS_H */
