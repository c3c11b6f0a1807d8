// SPDX-License-Identifier: GPL-2.0-only
/* Look-alikes of the bugs that are none. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct a { int fd; int out; void __user *p; };

static long last(struct dma_buf *b, struct a *k)
{
	k->fd = dma_buf_fd(b, O_CLOEXEC);
	if (k->fd < 0) {
		dma_buf_put(b);
		return k->fd;
	}
	return 0;
}

static long own_code(struct dma_buf *b, struct a *k)
{
	int fd = dma_buf_fd(b, O_CLOEXEC);

	if (fd < 0) {
		dma_buf_put(b);
		return -EMFILE;
	}
	k->fd = fd;
	k->out = 1;
	pr_debug("exported %d\n", fd);
	mutex_unlock(&lk);
	return 0;
}

static long reserved_first(struct dma_buf *b, void __user *u)
{
	struct a k = {};
	int fd;

	CLASS(get_unused_fd, fd2)(O_CLOEXEC);
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	k.fd = fd;
	if (copy_to_user(u, &k, sizeof(k))) {
		put_unused_fd(fd);
		return -EFAULT;
	}
	fd_install(fd, b->file);
	return 0;
}

static long own_label(struct dma_buf *b, struct a *k)
{
	int ret;

	ret = dma_buf_fd(b, O_CLOEXEC);
	if (ret < 0)
		goto err;
	k->fd = ret;
	return 0;
err:
	dma_buf_put(b);
	return ret;
}

static long own_code_travels(struct dma_buf *b, struct a *k)
{
	int ret, fd;

	fd = dma_buf_fd(b, O_CLOEXEC);
	if (fd < 0) {
		ret = fd;
		goto err;
	}
	k->fd = fd;
	ret = 0;
	return ret;
err:
	dma_buf_put(b);
	return ret;
}

static long put_before(struct file *f, struct a *k)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return fd;
	if (!f) {
		ret = -ENOMEM;
		goto put;
	}
	fd_install(fd, f);
	return 0;
put:
	put_unused_fd(fd);
	return ret;
}

static long unlikely_own_code(struct dma_buf *b, struct a *k)
{
	int fd = dma_buf_fd(b, O_CLOEXEC);

	if (unlikely(fd < 0)) {
		dma_buf_put(b);
		return -ENFILE;
	}
	return fd;
}

static long ternary(struct dma_buf *b, struct a *k)
{
	int fd = dma_buf_fd(b, O_CLOEXEC);

	return fd < 0 ? -EMFILE : fd;
}

static long either_or(struct file *f, struct a *k, int n)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	int ret;

	if (fd < 0)
		return fd;
	ret = other(f);
	if (ret)
		put_unused_fd(fd);
	else
		fd_install(fd, f);
	return ret;
}

static long ternary_code(struct dma_buf *b, struct a *k)
{
	int ret = -EINVAL;

	if (!b)
		goto out;
	k->fd = dma_buf_fd(b, 0);
	ret = k->fd < 0 ? k->fd : 0;
out:
	return ret;
}
