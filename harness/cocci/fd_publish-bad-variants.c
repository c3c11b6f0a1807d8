// SPDX-License-Identifier: GPL-2.0-only
/* The same bugs in other clothes. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct a { int fd; int out; void __user *p; };

static long code_set(struct dma_buf *b, void __user *u)
{
	struct a k;
	long r = 0;

	k.fd = dma_buf_fd(b, O_CLOEXEC);
	if (k.fd < 0) {
		dma_buf_put(b);
		return k.fd;
	}
	if (copy_to_user(u, &k, sizeof(k)) != 0) /* finding */
		r = -EFAULT;
	return r;
}

static long ternary_code(struct dma_buf *b, void __user *u)
{
	int fd = dma_buf_fd(b, O_CLOEXEC);
	long r;

	if (fd < 0)
		return fd;
	r = copy_to_user(u, &fd, sizeof(fd)) ? -EFAULT : 0; /* finding */
	return r;
}

static long success_branch(struct dma_buf *b, void __user *u)
{
	int ret;

	ret = dma_buf_fd(b, O_CLOEXEC);
	if (ret >= 0) {
		if (__put_user(ret, (int __user *)u)) /* finding */
			ret = -EFAULT;
	}
	return ret;
}

static long later_allocation(struct dma_buf *b, struct a *k)
{
	void *m;

	k->fd = dma_buf_fd(b, O_CLOEXEC);
	if (k->fd < 0)
		return k->fd;
	m = kzalloc(8, GFP_KERNEL);
	if (!m)
		return -ENOMEM; /* finding */
	return 0;
}

static long code_travels(struct dma_buf *b, struct a *k)
{
	int ret = 0;

	k->fd = dma_buf_fd(b, O_CLOEXEC);
	if (k->fd < 0)
		return k->fd;
	if (!k->p) {
		ret = -EINVAL; /* finding */
		goto out;
	}
	return 0;
out:
	dma_buf_put(b);
	return ret;
}

static long closed_again(struct file *f, void __user *u)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0)
		return fd;
	fd_install(fd, f);
	if (copy_to_user(u, &fd, sizeof(fd))) { /* finding */
		close_fd(fd);
		return -EFAULT;
	}
	return 0;
}

static long tested_call(struct dma_buf *b, struct a *k)
{
	int rc;

	k->fd = dma_buf_fd(b, 0);
	if (k->fd < 0)
		return k->fd;
	if (other(b)) /* finding */
		return -EIO;
	return 0;
}

static long attached_too_late(struct dma_buf *b, struct a *k, struct dma_buf_attachment **o)
{
	struct dma_buf_attachment *at;

	k->fd = dma_buf_fd(b, 0);
	if (k->fd < 0)
		return k->fd;
	at = dma_buf_attach(b, 0);
	if (IS_ERR(at))
		return PTR_ERR(at); /* finding */
	*o = at;
	return 0;
}

static long returned_ternary(struct dma_buf *b, void __user *u)
{
	struct a k;

	k.fd = dma_buf_fd(b, 0);
	if (k.fd < 0)
		return k.fd;
	return copy_to_user(u, &k, sizeof(k)) ? -EFAULT : 0; /* finding */
}

static long closed_at_label(struct file *f, struct a *k)
{
	int fd = get_unused_fd_flags(0), ret;

	if (fd < 0)
		return fd;
	fd_install(fd, f);
	ret = other(f); /* finding */
	if (ret)
		goto err;
	k->fd = fd;
	return 0;
err:
	close_fd(fd);
	return ret;
}

static long assigned_in_condition(struct dma_buf *b, void __user *u)
{
	struct a k;

	if ((k.fd = dma_buf_fd(b, 0)) < 0)
		return k.fd;
	if (copy_to_user(u, &k, sizeof(k))) /* finding */
		return -EFAULT;
	return 0;
}

static long copies_struct(struct dma_buf *b, struct iov_iter *it, void __user *u)
{
	int fd = dma_buf_fd(b, 0);

	if (fd < 0)
		return fd;
	if (copy_struct_to_user(u, 4, &fd, 4, NULL)) /* finding */
		return -EFAULT;
	return 0;
}
