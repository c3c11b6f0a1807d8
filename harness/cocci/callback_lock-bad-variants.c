// SPDX-License-Identifier: GPL-2.0-only
/* The same bugs in other clothes. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct bo { struct dma_resv *rv; struct sg_table *t; };

static int guarded(struct dma_buf_attachment *a)
{
	guard(dma_resv)(a->dmabuf->resv); /* finding */
	return 0;
}

static void scoped(struct dma_buf_attachment *a)
{
	scoped_guard(dma_resv, a->dmabuf->resv) { /* finding */
		touch(a);
	}
}

static int mutex_of_it(struct dma_buf *b, struct iosys_map *m)
{
	ww_mutex_lock(&b->resv->lock, NULL); /* finding */
	ww_mutex_unlock(&b->resv->lock);
	return 0;
}

static struct sg_table *result_of_lock(struct dma_buf_attachment *a, enum dma_data_direction d)
{
	int r = dma_resv_lock(a->dmabuf->resv, NULL); /* finding */

	if (r)
		return ERR_PTR(r);
	dma_resv_unlock(a->dmabuf->resv);
	return NULL;
}

static const struct dma_buf_ops o = { .pin = guarded, .unpin = scoped, .vmap = &mutex_of_it, .map_dma_buf = result_of_lock };

static int helper_of_helper(struct bo *b)
{
	dma_resv_lock(b->rv, NULL); /* finding */
	dma_resv_unlock(b->rv);
	return 0;
}

static int helper(struct bo *b)
{
	return helper_of_helper(b);
}

static int calls_helper(struct dma_buf_attachment *a)
{
	return helper(a->dmabuf->priv);
}

static struct dma_buf_ops o2 = { .pin = calls_helper };

static void notify_perhaps(struct dma_buf_attachment *att)
{
	struct bo *b = att->importer_priv;

	if (b->t)
		dma_resv_lock(att->dmabuf->resv, NULL); /* finding */
	touch(b);
}

static struct dma_buf_attach_ops ao = { .allow_peer2peer = true, .move_notify = &notify_perhaps };

static void drops_mutex(struct dma_buf *b, struct iosys_map *m)
{
	ww_mutex_unlock(&b->resv->lock); /* finding */
	wait(b);
	ww_mutex_lock(&b->resv->lock, NULL); /* finding */
}

static struct dma_buf_ops o3 = { .vunmap = drops_mutex };
