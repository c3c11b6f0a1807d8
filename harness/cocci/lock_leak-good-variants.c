// SPDX-License-Identifier: GPL-2.0-only
/* Look-alikes of the bugs that are none. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct c { struct dma_buf *d; struct dma_buf_attachment *at; struct sg_table *t; struct dma_resv *rv; bool s; };

static int common_exit(struct c *c)
{
	int ret = 0;

	dma_resv_lock(c->rv, NULL);
	if (c->s) {
		ret = -EBUSY;
		goto out;
	}
out:
	dma_resv_unlock(c->rv);
	return ret;
}

static int guarded(struct c *c)
{
	guard(dma_resv)(c->rv);
	if (c->s)
		return -EBUSY;
	return 0;
}

static int code_after_unlock(struct c *c)
{
	int ret;

	ret = dma_resv_lock_interruptible(c->rv, NULL);
	if (ret)
		return ret;
	ret = dma_buf_pin(c->at);
	dma_resv_unlock(c->rv);
	if (ret)
		return ret;
	return 0;
}

static int own_label(struct c *c)
{
	int ret;

	if (!dma_resv_trylock(c->rv))
		return -EBUSY;
	ret = dma_buf_pin(c->at);
	if (ret)
		goto unlock;
	dma_resv_unlock(c->rv);
	return 0;
unlock:
	dma_resv_unlock(c->rv);
	return ret;
}

static int perhaps_locked(struct c *c, bool locked)
{
	int ret;

	if (!locked) {
		ret = dma_resv_lock_interruptible(c->rv, NULL);
		if (ret)
			return ret;
	}
	ret = dma_buf_pin(c->at);
	if (!locked)
		dma_resv_unlock(c->rv);
	return ret;
}

static int returns_locked(struct c *c)
{
	int ret;

	ret = dma_resv_lock_interruptible(c->rv, NULL);
	if (ret)
		return ret;
	ret = dma_buf_pin(c->at);
	if (ret) {
		dma_resv_unlock(c->rv);
		return ret;
	}
	return 0;
}

static int two_in_turn(struct c *c, struct c *e)
{
	dma_resv_lock(c->rv, NULL);
	if (e->s) {
		dma_resv_unlock(c->rv);
		return -EBUSY;
	}
	dma_resv_unlock(c->rv);
	dma_resv_lock(e->rv, NULL);
	dma_resv_unlock(e->rv);
	return -EIO;
}

static void each_round(struct c *c)
{
	while (c->s) {
		dma_resv_lock(c->rv, NULL);
		if (!c->at) {
			dma_resv_unlock(c->rv);
			continue;
		}
		dma_resv_unlock(c->rv);
	}
}
