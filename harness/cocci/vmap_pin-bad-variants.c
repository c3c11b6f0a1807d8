// SPDX-License-Identifier: GPL-2.0-only
/* The same bugs in other clothes. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct obj { void *va; int pins; refcount_t pages_pin; };

static int pins_in_condition(struct dma_buf *b, struct iosys_map *m)
{
	struct obj *o = b->priv;
	int err;

	if ((err = obj_pin(o))) /* finding */
		return err;
	iosys_map_set_vaddr(m, o->va);
	return 0;
}

static const struct dma_buf_ops e1 = { .vmap = pins_in_condition, };

static int pins_pages(struct dma_buf *b, struct iosys_map *m)
{
	struct obj *o = b->priv;

	pin_user_pages(o->va, 4, 0, 0); /* finding */
	return obj_pin_locked(o) ?: -ENODEV; /* finding */
}

static struct dma_buf_ops e2 = { .attach = 0, .vmap = pins_pages, .vunmap = 0 };

static int pins_by_pointer(struct dma_buf *b, struct iosys_map *m)
{
	struct obj *o = b->priv;

	return o->funcs->pin(o); /* finding */
}

static const struct dma_buf_ops e3 = { .vmap = pins_by_pointer };

static int pins_after_comma(struct dma_buf *b, struct iosys_map *m)
{
	struct obj *o = b->priv;

	return ttm_bo_pin(o), 0; /* finding */
}

static const struct dma_buf_ops e4 = { .vmap = &pins_after_comma };

static int deeper2(struct obj *o)
{
	return obj_pin(o); /* finding */
}

static int deeper(struct obj *o)
{
	if (o)
		return deeper2(o);
	return 0;
}

static int helper_of_helper(struct dma_buf *b, struct iosys_map *m)
{
	return deeper(b->priv);
}

static const struct dma_buf_ops e6 = { .vmap = helper_of_helper };

static int counts(struct dma_buf *b, struct iosys_map *m)
{
	struct obj *o = b->priv;

	o->pin_count++; /* finding */
	return 0;
}

static const struct dma_buf_ops e7 = { .vmap = counts };

static int counts_atomically(struct dma_buf *b, struct iosys_map *m)
{
	struct obj *o = b->priv;

	refcount_inc(&o->pages_pin_count); /* finding */
	atomic_inc(&o->pin_count); /* finding */
	return 0;
}

static const struct dma_buf_ops e8 = { .vmap = counts_atomically };
