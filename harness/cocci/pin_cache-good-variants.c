// SPDX-License-Identifier: GPL-2.0-only
/* Look-alikes of the bugs that are none. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

static struct dma_buf_ops e1 = {
	.pin = NULL,
	.cache_sgt_mapping = true,
};

static struct dma_buf_ops e2 = {
	.cache_sgt_mapping = 0,
	.pin = p,
};

static const struct dma_buf_ops tab[] = {
	{ .pin = p, },
	{ .cache_sgt_mapping = true, },
};

static void init_two(struct drv *d, struct drv *e)
{
	d->o.pin = p;
	d->o.cache_sgt_mapping = false;
	e->o.cache_sgt_mapping = true;
}

static void init_without_pin(struct dma_buf_ops *ops)
{
	ops->cache_sgt_mapping = true;
	ops->pin = NULL;
}
