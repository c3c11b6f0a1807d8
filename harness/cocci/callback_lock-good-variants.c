// SPDX-License-Identifier: GPL-2.0-only
/* Look-alikes of the bugs that are none. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct bo { struct dma_resv *rv; struct sg_table *t; };

static int other_guard(struct dma_buf_attachment *a)
{
	guard(mutex)(a->dmabuf->priv);
	dma_resv_assert_held(a->dmabuf->resv);
	return 0;
}

static int other_mutex(struct dma_buf *b, struct iosys_map *m)
{
	mutex_lock(b->priv);
	mutex_unlock(b->priv);
	return 0;
}

static int attaches(struct dma_buf *b, struct dma_buf_attachment *a)
{
	guard(dma_resv)(b->resv);
	return 0;
}

static int maps_for_user(struct dma_buf *b, struct vm_area_struct *v)
{
	scoped_guard(dma_resv, b->resv) {
		touch(b);
	}
	return 0;
}

static const struct dma_buf_ops o = { .pin = other_guard, .vmap = other_mutex, .attach = attaches, .mmap = maps_for_user, .release = r };
