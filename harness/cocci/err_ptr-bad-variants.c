// SPDX-License-Identifier: GPL-2.0-only
/* The same bugs in other clothes. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/sync_file.h>

struct s { struct dma_buf *b; struct dma_buf_attachment *a[4]; struct dma_heap *h; };

static int unlikely_null(int fd)
{
	struct dma_buf *b = dma_buf_get(fd);

	if (unlikely(!b)) /* finding */
		return -EINVAL;
	return 0;
}

static int null_where_assigned(int fd)
{
	struct dma_buf *b;

	if (!(b = dma_buf_get(fd))) /* finding */
		return -EINVAL;
	return 0;
}

static int null_element(struct s *s, int i)
{
	s->a[i] = dma_buf_attach(s->b, 0);
	if (NULL == s->a[i]) /* finding */
		return -ENOMEM;
	return 0;
}

static int null_warned_of(struct s *s)
{
	struct sg_table *t;

	t = dma_buf_map_attachment(s->a[0], DMA_TO_DEVICE);
	WARN_ON(!t); /* finding */
	return 0;
}

static int null_leaves(struct s *s)
{
	struct sg_table *t;
	int ret = 0;

	t = dma_buf_map_attachment(s->a[0], DMA_TO_DEVICE);
	if (!t) /* finding */
		goto out;
	return 0;
out:
	return ret;
}

static int unlikely_err(struct s *s, struct dma_fence *f)
{
	struct sync_file *sf = sync_file_create(f);

	if (unlikely(IS_ERR(sf))) /* finding */
		return PTR_ERR(sf);
	return 0;
}

static int code_of_null(int fd)
{
	struct dma_fence *f = sync_file_get_fence(fd);
	int err;

	err = PTR_ERR_OR_ZERO(f); /* finding */
	if (err)
		return err;
	return 0;
}

static int ternary(struct s *s)
{
	struct dma_buf *b = dma_buf_export(0);

	return b ? 0 : -ENOMEM; /* finding */
}

static int null_or_more(struct s *s, int n)
{
	struct dma_buf *b = dma_buf_export(0);

	if (!b || n > 4) /* finding */
		return -ENOMEM;
	return 0;
}

static int zero(struct s *s, int n)
{
	struct dma_buf *b;

	b = dma_buf_get(n);
	if (b == 0) /* finding */
		return -1;
	return 0;
}

static int kept_if_set(struct s *s, int fd)
{
	struct dma_buf *b = dma_buf_get(fd);

	if (b) { /* finding */
		s->b = b;
		return 0;
	}
	return -EBADF;
}

static int null_at_once(struct s *s, int fd)
{
	if (!dma_buf_get(fd)) /* finding */
		return -EINVAL;
	return 0;
}

static int merged_err(struct s *s, int fd)
{
	struct dma_fence *f = dma_fence_unwrap_merge(0, 0);

	if (IS_ERR(f)) { /* finding */
		return PTR_ERR(f);
	}
	return 0;
}

static int err_where_assigned(int fd)
{
	struct dma_fence *f;

	if (IS_ERR(f = sync_file_get_fence(fd))) /* finding */
		return -1;
	if ((f = dma_fence_get_rcu(f)) == NULL)
		return 0;
	return 0;
}

static int null_compared_where_assigned(int fd)
{
	struct dma_buf *b;

	if ((b = dma_buf_get(fd)) == NULL) /* finding */
		return -1;
	return 0;
}
