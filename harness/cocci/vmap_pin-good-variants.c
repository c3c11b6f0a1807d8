// SPDX-License-Identifier: GPL-2.0-only
/* Look-alikes of the bugs that are none. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct obj { void *va; int pins; };

static int looks_at_pins(struct dma_buf *b, struct iosys_map *m)
{
	struct obj *o = b->priv;

	spin_lock(&o->l);
	if (!o->pin_count)
		pr_debug("not pinned\n");
	assert_pinned(o);
	mapping_set(o);
	spinner(o);
	spin_unlock(&o->l);
	gpio_pinctrl(o);
	obj_get_pages(o);
	return 0;
}

static int attaches(struct dma_buf *b, struct dma_buf_attachment *a)
{
	return obj_pin(b->priv);
}

static const struct dma_buf_ops e1 = { .vmap = looks_at_pins, .attach = attaches };

static int asks(struct dma_buf *b, struct iosys_map *m)
{
	if (obj_is_pinned(b->priv))
		return -EBUSY;
	return 0;
}

static void unmaps(struct dma_buf *b, struct iosys_map *m)
{
	obj_unmap(b->priv);
}

static const struct dma_buf_ops e2 = { .vmap = asks, .vunmap = unmaps, .pin = attaches };
