// SPDX-License-Identifier: GPL-2.0-only
/* Descriptors that are published last. */
#include <linux/dma-buf.h>
#include <linux/file.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>

struct args {
	__s32 fd;
	__u32 cookie;
};

int cam_register(struct dma_buf *dmabuf);

static int copied_first(struct dma_buf *dmabuf, struct args __user *arg)
{
	struct args args = {};
	int ret;

	args.fd = get_unused_fd_flags(O_CLOEXEC);
	if (args.fd < 0)
		return args.fd;
	if (copy_to_user(arg, &args, sizeof(args))) {
		ret = -EFAULT;
		goto err_put_fd;
	}
	fd_install(args.fd, dmabuf->file);
	return 0;

err_put_fd:
	put_unused_fd(args.fd);
	return ret;
}

static int returned(struct dma_buf *dmabuf)
{
	int fd;

	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(dmabuf);
	return fd;
}

static int own_failure(struct dma_buf *dmabuf, struct args *args)
{
	int ret;

	ret = cam_register(dmabuf);
	if (ret)
		return ret;

	ret = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (ret < 0) {
		dma_buf_put(dmabuf);
		return -EMFILE;
	}
	args->fd = ret;
	return 0;
}

static int sync_file_last(struct dma_fence *fence, struct args *args)
{
	struct sync_file *sync_file;
	int fd;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	sync_file = sync_file_create(fence);
	if (!sync_file) {
		put_unused_fd(fd);
		return -ENOMEM;
	}
	args->fd = fd;
	fd_install(fd, sync_file->file);
	return 0;
}

static int common_exit(struct dma_fence *fence, struct args *args)
{
	struct sync_file *sync_file;
	int fd = -1, ret = 0;

	fd = get_unused_fd_flags(O_CLOEXEC);
	sync_file = sync_file_create(fence);
	if (!sync_file) {
		ret = -ENOMEM;
		goto out;
	}
	fd_install(fd, sync_file->file);
out:
	if (ret && (fd >= 0))
		put_unused_fd(fd);
	return ret;
}

static void some_of_many(int *fds, struct file **files, unsigned int nr, int err)
{
	while (nr--) {
		if (err)
			put_unused_fd(fds[nr]);
		else
			fd_install(fds[nr], files[nr]);
	}
}
