// SPDX-License-Identifier: GPL-2.0-only
/* The same bugs in other clothes. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

static struct dma_buf_ops e1 = {
	.pin = p,
	.unpin = u,
	.map_dma_buf = m,
	.unmap_dma_buf = um,
	.release = r,
	.cache_sgt_mapping = true /* finding */
};

static const struct dma_buf_ops e2 = {
	.pin = &p,
	.cache_sgt_mapping = !0, /* finding */
};

struct drv { struct dma_buf_ops o; };

static struct drv d = {
	.o = {
		.cache_sgt_mapping = true, /* finding */
		.pin = p,
	},
};

static void init_table(struct drv *d)
{
	d->o.pin = p;
	d->o.cache_sgt_mapping = true; /* finding */
}

static int init_local(void)
{
	static const struct dma_buf_ops local = {
		.cache_sgt_mapping = 1, /* finding */
		.pin = p,
	};
	return use(&local);
}

static void init_by_pointer(struct dma_buf_ops *ops)
{
	ops->cache_sgt_mapping = true; /* finding */
	ops->release = r;
	ops->pin = p;
}
