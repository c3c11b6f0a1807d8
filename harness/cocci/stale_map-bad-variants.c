// SPDX-License-Identifier: GPL-2.0-only
/* The same bugs in other clothes. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct ob { struct device *d; struct dma_buf_attachment *at; struct sg_table *st; struct dma_buf *buf; };
void hw_bind(struct ob *o, struct sg_table *t);
static const struct dma_buf_attach_ops my_ops;

static int walks(struct ob *o)
{
	struct sg_table *t;
	struct scatterlist *sg;
	int i;

	if (dma_resv_lock_interruptible(o->buf->resv, NULL))
		return -EINTR;
	t = dma_buf_map_attachment(o->at, DMA_TO_DEVICE);
	dma_resv_unlock(o->buf->resv);
	if (IS_ERR_OR_NULL(t))
		return -ENOMEM;
	for_each_sgtable_dma_sg(t, sg, i) /* finding */
		hw_write(o, sg_dma_address(sg));
	return 0;
}

static int starts(struct ob *o)
{
	struct sg_table *t;
	dma_addr_t a;

	dma_resv_lock(o->buf->resv, NULL);
	t = dma_buf_map_attachment(o->at, DMA_TO_DEVICE);
	if (IS_ERR(t)) {
		dma_resv_unlock(o->buf->resv);
		return PTR_ERR(t);
	}
	dma_resv_unlock(o->buf->resv);
	a = sg_dma_address(t->sgl); /* finding */
	hw_start(a);
	return 0;
}

static int binds(struct ob *o)
{
	dma_resv_lock(o->buf->resv, NULL);
	o->st = dma_buf_map_attachment(o->at, DMA_TO_DEVICE);
	dma_resv_unlock(o->buf->resv);
	hw_bind(o, o->st); /* finding */
	return 0;
}

static int tries_without_lock(struct ob *o)
{
	mutex_lock(&o->lock);
	o->st = dma_buf_try_map_attachment_unlocked(o->at, DMA_TO_DEVICE); /* finding */
	mutex_unlock(&o->lock);
	return 0;
}

static int binds_what_was_tried(struct ob *o)
{
	struct sg_table *t;

	dma_resv_lock(o->buf->resv, NULL);
	t = dma_buf_try_map_attachment(o->at, DMA_TO_DEVICE);
	dma_resv_unlock(o->buf->resv);
	if (IS_ERR(t))
		return PTR_ERR(t);
	hw_bind(o, t); /* finding */
	return 0;
}

static void nothing(struct dma_buf_attachment *a) /* finding */
{
}

static void logs(struct dma_buf_attachment *attach) /* finding */
{
	dev_dbg(attach->dev, "moved\n");
}

static void remap(struct dma_buf_attachment *a)
{
	struct ob *o = a->importer_priv;

	if (o->st) {
		dma_buf_unmap_attachment(a, o->st, DMA_TO_DEVICE);
		o->st = dma_buf_try_map_attachment(a, DMA_TO_DEVICE); /* finding */
	}
}

static struct dma_buf_attach_ops o1 = { .allow_peer2peer = true, .move_notify = nothing };

static const struct dma_buf_attach_ops o2 = { .move_notify = remap };

static const struct dma_buf_attach_ops o3 = { .move_notify = logs };

static int imp(struct ob *o)
{
	o->at = dma_buf_dynamic_attach(o->buf, o->d, &o2, o);
	return PTR_ERR_OR_ZERO(o->at);
}
