// SPDX-License-Identifier: GPL-2.0-only
/* The same bugs in other clothes. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct c { struct dma_buf *d; struct dma_buf_attachment *at; struct sg_table *t; struct dma_resv *rv; bool s; };

static int code_travels(struct c *c)
{
	int ret = 0;

	dma_resv_lock(c->rv, NULL);
	if (c->s) {
		ret = -EBUSY;
		goto out;
	}
	dma_resv_unlock(c->rv);
out:
	return ret; /* finding */
}

static int null_too(struct c *c)
{
	int err = dma_resv_lock_interruptible(c->rv, NULL);

	if (err)
		return err;
	c->t = dma_buf_map_attachment(c->at, DMA_TO_DEVICE);
	if (IS_ERR_OR_NULL(c->t))
		return -EIO; /* finding */
	dma_resv_unlock(c->rv);
	return 0;
}

static int unlikely_busy(struct c *c)
{
	dma_resv_lock(c->rv, NULL);
	if (unlikely(c->s))
		return -EBUSY; /* finding */
	dma_resv_unlock(c->rv);
	return 0;
}

static void returns_nothing(struct c *c)
{
	dma_resv_lock(c->rv, NULL);
	if (!c->at)
		return; /* finding */
	dma_resv_unlock(c->rv);
}

static int wrong_label(struct c *c)
{
	int ret;

	dma_resv_lock(c->rv, NULL);
	ret = dma_buf_pin(c->at);
	if (ret)
		goto fail;
	dma_resv_unlock(c->rv);
	return 0;
fail:
	dma_buf_put(c->d);
	return ret; /* finding */
}

static int mutex_of_it(struct c *c)
{
	ww_mutex_lock(&c->rv->lock, NULL);
	if (c->s)
		return -EBUSY; /* finding */
	ww_mutex_unlock(&c->rv->lock);
	return 0;
}

static int unlikely_tested(struct c *c)
{
	if (unlikely(dma_resv_lock_interruptible(c->rv, NULL)))
		return -ERESTARTSYS;
	if (c->s)
		return -EBUSY; /* finding */
	dma_resv_unlock(c->rv);
	return 0;
}

static int after_a_message(struct c *c)
{
	dma_resv_lock(c->rv, NULL);
	c->t = dma_buf_map_attachment(c->at, DMA_TO_DEVICE);
	if (IS_ERR(c->t)) {
		pr_err("no\n");
		return PTR_ERR(c->t); /* finding */
	}
	dma_resv_unlock(c->rv);
	return 0;
}
