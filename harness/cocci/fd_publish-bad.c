// SPDX-License-Identifier: GPL-2.0-only
/* Descriptors that user space can see before the last step has succeeded. */
#include <linux/dma-buf.h>
#include <linux/file.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>

struct args {
	__s32 fd;
	__u32 cookie;
};

int cam_register(struct dma_buf *dmabuf);

static int copied_too_late(struct dma_buf *dmabuf, struct args __user *arg)
{
	struct args args = {};
	int fd;

	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0) {
		dma_buf_put(dmabuf);
		return fd;
	}
	args.fd = fd;
	if (copy_to_user(arg, &args, sizeof(args))) /* finding */
		return -EFAULT;
	return 0;
}

static int put_too_late(struct dma_buf *dmabuf, __s32 __user *arg)
{
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	if (fd < 0)
		return fd;
	return put_user(fd, arg); /* finding */
}

static int registered_too_late(struct dma_buf *dmabuf, struct args *args)
{
	int ret;

	args->fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (args->fd < 0)
		return args->fd;

	ret = cam_register(dmabuf); /* finding */
	if (ret)
		goto err_put;
	return 0;

err_put:
	dma_buf_put(dmabuf);
	return ret;
}

static int taken_back(struct dma_fence *fence, struct args *args)
{
	struct sync_file *sync_file;
	int fd, ret;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	sync_file = sync_file_create(fence);
	if (!sync_file) {
		put_unused_fd(fd);
		return -ENOMEM;
	}
	fd_install(fd, sync_file->file);
	args->fd = fd;
	if (!args->cookie) {
		put_unused_fd(fd); /* finding */
		ret = -EINVAL;
	} else {
		ret = 0;
	}
	return ret;
}

static int checked_too_late(struct dma_fence *fence, struct args *args, int fd)
{
	struct sync_file *sync_file = sync_file_create(fence);

	if (!sync_file)
		return -ENOMEM;
	fd_install(fd, sync_file->file);
	args->fd = fd;
	if (args->cookie)
		return -EINVAL; /* finding */
	return 0;
}

static int sized_too_late(struct dma_buf *dmabuf, struct args *args)
{
	args->fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (args->fd < 0)
		return args->fd;
	if (dmabuf->size < args->cookie)
		return -EINVAL; /* finding */
	return 0;
}

static struct sync_file *made_too_late(struct dma_buf *dmabuf, struct file *file, int fd)
{
	fd_install(fd, file);
	if (!dmabuf->size)
		return ERR_PTR(-EINVAL); /* finding */
	if (IS_ERR(dmabuf))
		return ERR_CAST(dmabuf); /* finding */
	return NULL;
}

static int asked_too_late(struct dma_buf *dmabuf, struct sync_file *sync_file, int fd)
{
	int ret;

	fd_install(fd, sync_file->file);
	ret = cam_register(dmabuf); /* finding */
	if (ret < 0)
		return ret;
	return 0;
}
