// SPDX-License-Identifier: GPL-2.0-only
/* Look-alikes of the bugs that are none. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct c { struct dma_buf *d; struct dma_buf_attachment *at; struct sg_table *t; struct dma_resv *rv; };

static void after_scope(struct c *c)
{
	scoped_guard(dma_resv, c->rv) {
		c->t = dma_buf_map_attachment(c->at, DMA_TO_DEVICE);
	}
	dma_buf_detach(c->d, c->at);
}

static int after_success_branch(struct c *c)
{
	int e;

	e = dma_resv_lock_interruptible(c->rv, NULL);
	if (!e) {
		touch(c);
		dma_resv_unlock(c->rv);
	}
	dma_buf_detach(c->d, c->at);
	return e;
}

static int else_branch(struct c *c)
{
	if (dma_resv_trylock(c->rv)) {
		touch(c);
		dma_resv_unlock(c->rv);
	} else {
		dma_buf_detach(c->d, c->at);
	}
	return 0;
}

static void after_mutex(struct c *c)
{
	ww_mutex_lock(&c->d->resv->lock, NULL);
	ww_mutex_unlock(&c->d->resv->lock);
	dma_buf_detach(c->d, c->at);
}

static void perhaps_locked(struct c *c, bool locked)
{
	if (!locked)
		dma_resv_lock(c->rv, NULL);
	touch(c);
	if (!locked)
		dma_resv_unlock(c->rv);
}

static void each_of_many(struct c *c)
{
	int i;

	for (i = 0; i < 4; i++) {
		dma_resv_lock(c[i].rv, NULL);
		touch(c);
		dma_resv_unlock(c[i].rv);
		dma_buf_detach(c[i].d, c[i].at);
	}
}

static int after_unlock(struct c *c)
{
	dma_resv_lock(c->rv, NULL);
	if (c->t)
		goto out;
	touch(c);
out:
	dma_resv_unlock(c->rv);
	return dma_buf_begin_cpu_access(c->d, DMA_TO_DEVICE);
}

static int after_block_of_guard(struct c *c)
{
	if (c->t) {
		guard(dma_resv)(c->rv);
		touch(c);
	}
	dma_buf_detach(c->d, c->at);
	return 0;
}

static int backs_off(struct c *c, struct ww_acquire_ctx *x)
{
	int e;
retry:
	e = dma_resv_lock(c->rv, x);
	if (e == -EDEADLK) {
		dma_resv_lock_slow(c->rv, x);
		goto retry;
	}
	if (e)
		return e;
	dma_resv_unlock(c->rv);
	dma_buf_detach(c->d, c->at);
	return 0;
}
