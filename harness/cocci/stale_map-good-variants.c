// SPDX-License-Identifier: GPL-2.0-only
/* Look-alikes of the bugs that are none. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct ob { struct device *d; struct dma_buf_attachment *at; struct sg_table *st; struct dma_buf *buf; bool dirty; };

static int binds_locked(struct ob *o)
{
	struct sg_table *t;
	int n;

	dma_resv_lock(o->buf->resv, NULL);
	t = dma_buf_map_attachment(o->at, DMA_TO_DEVICE);
	if (IS_ERR(t)) {
		dma_resv_unlock(o->buf->resv);
		return PTR_ERR(t);
	}
	hw_bind(o, t);
	n = t->nents;
	o->st = t;
	dma_resv_unlock(o->buf->resv);
	return n;
}

static int unmaps(struct ob *o)
{
	struct sg_table *t;

	dma_resv_lock(o->buf->resv, NULL);
	t = dma_buf_map_attachment(o->at, DMA_TO_DEVICE);
	dma_resv_unlock(o->buf->resv);
	if (unlikely(IS_ERR(t)))
		return PTR_ERR(t);
	dma_resv_lock(o->buf->resv, NULL);
	dma_buf_unmap_attachment(o->at, t, DMA_TO_DEVICE);
	dma_resv_unlock(o->buf->resv);
	return 0;
}

static int guarded(struct ob *o)
{
	guard(dma_resv)(o->buf->resv);
	o->st = dma_buf_map_attachment(o->at, DMA_TO_DEVICE);
	if (IS_ERR(o->st))
		return PTR_ERR(o->st);
	hw_bind(o, o->st);
	return 0;
}

static int only_tested(struct ob *o)
{
	struct sg_table *t;
	int ret = 0;

	dma_resv_lock(o->buf->resv, NULL);
	t = dma_buf_map_attachment(o->at, DMA_TO_DEVICE);
	dma_resv_unlock(o->buf->resv);
	if (WARN_ON(IS_ERR(t)))
		return PTR_ERR(t);
	return ret;
}

static void mn(struct dma_buf_attachment *attach)
{
	struct ob *o = attach->importer_priv;

	WRITE_ONCE(o->dirty, true);
}

static const struct dma_buf_attach_ops o2 = { .move_notify = mn };

static int imp(struct ob *o)
{
	o->at = dma_buf_dynamic_attach(o->buf, o->d, &o2, o);
	return PTR_ERR_OR_ZERO(o->at);
}
