// SPDX-License-Identifier: GPL-2.0-only
/* Look-alikes of the bugs that are none. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/sync_file.h>

struct s { struct dma_buf *b; struct dma_buf_attachment *a[4]; };

static int both_at_once(int fd)
{
	struct dma_buf *b = dma_buf_get(fd);

	if (IS_ERR_OR_NULL(b))
		return -EINVAL;
	if (!b)
		return 2;
	return 0;
}

static int perhaps_looked_up(int fd)
{
	struct dma_buf *b = NULL;

	if (fd >= 0) {
		b = dma_buf_get(fd);
		if (IS_ERR(b))
			return PTR_ERR(b);
	}
	if (b)
		dma_buf_put(b);
	return 0;
}

static int tested(int fd)
{
	struct dma_buf *b;

	b = dma_buf_get(fd);
	if (unlikely(IS_ERR(b)))
		return PTR_ERR(b);
	if (!b->size)
		return -EINVAL;
	return 0;
}

static int scoped(int fd)
{
	struct dma_buf *b __free(dma_buf_put) = dma_buf_get(fd);

	if (IS_ERR(b))
		return PTR_ERR(b);
	return b != NULL;
}

static int code_first(int fd)
{
	struct dma_buf *b;
	int err;

	b = dma_buf_get(fd);
	err = PTR_ERR_OR_ZERO(b);
	if (err)
		b = NULL;
	if (b)
		dma_buf_put(b);
	return err;
}

static struct dma_fence *turned_into_err(int fd)
{
	struct dma_fence *f = sync_file_get_fence(fd);

	if (!f)
		f = ERR_PTR(-EINVAL);
	if (IS_ERR(f))
		return f;
	return f;
}

static struct dma_fence *or_err(int fd)
{
	struct dma_fence *f = sync_file_get_fence(fd);

	return f ?: ERR_PTR(-EINVAL);
}

static int err_where_assigned(int fd)
{
	struct dma_buf *b;

	if (IS_ERR(b = dma_buf_get(fd)))
		return PTR_ERR(b);
	if (!b)
		return 3;
	return 0;
}

static int null_where_assigned(int fd)
{
	struct dma_fence *f;

	if (!(f = sync_file_get_fence(fd)))
		return -1;
	if (IS_ERR(f))
		return 0;
	if (IS_ERR(dma_buf_get(fd)))
		return 0;
	if (!dma_fence_get_rcu(f))
		return 0;
	return 0;
}
