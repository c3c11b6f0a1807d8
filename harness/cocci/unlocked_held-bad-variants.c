// SPDX-License-Identifier: GPL-2.0-only
/* The same bugs in other clothes. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct c { struct dma_buf *d; struct dma_buf_attachment *at; struct sg_table *t; struct dma_resv *rv; };

static int guarded(struct c *c, struct iosys_map *m)
{
	int e;

	guard(dma_resv)(c->d->resv);
	e = dma_buf_vmap_unlocked(c->d, m); /* finding */
	return e;
}

static int code_below_zero(struct c *c)
{
	struct dma_resv *rv = c->d->resv;
	int e;

	e = dma_resv_lock_interruptible(rv, NULL);
	if (e < 0)
		goto out;
	c->t = dma_buf_map_attachment_unlocked(c->at, DMA_TO_DEVICE); /* finding */
	dma_resv_unlock(rv);
out:
	return e;
}

static int with_ticket(struct c *c, struct ww_acquire_ctx *x)
{
	int e = dma_resv_lock(c->rv, x);

	if (e)
		return e;
	c->at = dma_buf_attach(c->d, NULL); /* finding */
	dma_resv_unlock(c->rv);
	return 0;
}

static void mutex_of_it(struct c *c)
{
	ww_mutex_lock(&c->d->resv->lock, NULL);
	dma_buf_detach(c->d, c->at); /* finding */
	ww_mutex_unlock(&c->d->resv->lock);
}

static int trylock_branch(struct c *c)
{
	if (dma_resv_trylock(c->rv)) {
		dma_buf_end_cpu_access(c->d, DMA_TO_DEVICE); /* finding */
		dma_resv_unlock(c->rv);
	}
	return 0;
}

static int success_branch(struct c *c)
{
	int e;

	e = dma_resv_lock_interruptible(c->rv, NULL);
	if (!e) {
		dma_buf_begin_cpu_access(c->d, DMA_TO_DEVICE); /* finding */
		dma_resv_unlock(c->rv);
	}
	return e;
}

static void scoped(struct c *c)
{
	scoped_guard(dma_resv, c->rv) {
		dma_buf_unmap_attachment_unlocked(c->at, c->t, DMA_TO_DEVICE); /* finding */
	}
}

static void asserted_by_lockdep(struct c *c)
{
	lockdep_assert_held(&c->rv->lock.base);
	dma_buf_detach(c->d, c->at); /* finding */
}

static int helper(struct c *c)
{
	return dma_buf_begin_cpu_access(c->d, DMA_TO_DEVICE);
}

static void each_of_many(struct c *c)
{
	int i;

	dma_resv_lock(c->rv, NULL);
	for (i = 0; i < 4; i++)
		dma_buf_vunmap_unlocked(c[i].d, 0); /* finding */
	dma_resv_unlock(c->rv);
}

static int trylock_result(struct c *c)
{
	bool ok = dma_resv_trylock(c->rv);

	if (!ok)
		return -EBUSY;
	dma_buf_detach(c->d, c->at); /* finding */
	dma_resv_unlock(c->rv);
	return 0;
}

static int unlikely_tested(struct c *c)
{
	if (unlikely(dma_resv_lock_interruptible(c->rv, NULL)))
		return -EINTR;
	dma_buf_detach(c->d, c->at); /* finding */
	dma_resv_unlock(c->rv);
	return 0;
}

static int goto_unlock(struct c *c)
{
	dma_resv_lock(c->rv, NULL);
	c->t = dma_buf_map_attachment_unlocked(c->at, DMA_TO_DEVICE); /* finding */
	if (IS_ERR(c->t))
		goto unlock;
unlock:
	dma_resv_unlock(c->rv);
	return 0;
}
