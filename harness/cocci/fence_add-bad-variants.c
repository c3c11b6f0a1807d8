// SPDX-License-Identifier: GPL-2.0-only
/* The same bugs in other clothes. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/sync_file.h>

struct j { struct dma_fence_cb cb; struct dma_fence *f; struct j *next; };
void done(struct dma_fence *f, struct dma_fence_cb *cb);

static int declared(struct j *j, int fd)
{
	struct dma_fence *in = sync_file_get_fence(fd);
	int err;

	if (!in)
		return -EINVAL;
	err = dma_fence_add_callback(in, &j->cb, done); /* finding */
	if (err) {
		kfree(j);
		return err;
	}
	return 0;
}

static int no_slot_exit(struct dma_resv *rv, struct dma_fence *in)
{
	struct dma_fence *f = dma_fence_get(in);
	int err = dma_resv_reserve_fences(rv, 1); /* finding */

	if (err)
		goto out;
	dma_resv_add_fence(rv, f, DMA_RESV_USAGE_READ);
	dma_fence_put(f);
out:
	return err;
}

static void unlikely_fails(struct j *j, struct dma_fence *in)
{
	dma_fence_get(in);
	if (unlikely(dma_fence_add_callback(in, &j->cb, done))) /* finding */
		return;
}

static int succeeds_early(struct j *j, struct dma_fence *in)
{
	dma_fence_get(in);
	if (!dma_fence_add_callback(in, &j->cb, done)) /* finding */
		return 0;
	return -ENOENT;
}

static int returned(struct j *j, struct dma_fence *in)
{
	dma_fence_get(in);
	return dma_fence_add_callback(in, &j->cb, done); /* finding */
}

static int wrong_label(struct j *j, struct dma_fence *in)
{
	int err;

	dma_fence_get(in);
	err = dma_fence_add_callback(in, &j->cb, done); /* finding */
	if (err)
		goto err_free;
	return 0;
err_free:
	kfree(j);
	return err;
}

static int unlocks_only(struct dma_resv *rv, int fd)
{
	struct dma_fence *in;
	int err;

	in = sync_file_get_fence(fd);
	if (!in)
		return -EINVAL;
	err = dma_resv_lock_interruptible(rv, NULL);
	if (err) {
		dma_fence_put(in);
		return err;
	}
	err = dma_resv_reserve_fences(rv, 1); /* finding */
	if (err) {
		dma_resv_unlock(rv);
		return err;
	}
	dma_resv_add_fence(rv, in, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(rv);
	dma_fence_put(in);
	return 0;
}
