// SPDX-License-Identifier: GPL-2.0-only
/* Look-alikes of the bugs that are none. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/sync_file.h>

struct j { struct dma_fence_cb cb; struct dma_fence *f; struct j *next; };
void done(struct dma_fence *f, struct dma_fence_cb *cb);

static int own_label(struct j *j, int fd)
{
	struct dma_fence *in = sync_file_get_fence(fd);
	int err;

	if (!in)
		return -EINVAL;
	err = dma_fence_add_callback(in, &j->cb, done);
	if (err)
		goto put;
	return 0;
put:
	dma_fence_put(in);
	return err;
}

static int scoped(struct j *j, int fd)
{
	struct dma_fence *in __free(fence) = sync_file_get_fence(fd);
	int err;

	if (!in)
		return -EINVAL;
	err = dma_fence_add_callback(in, &j->cb, done);
	if (err)
		return err;
	return 0;
}

static int kept_and_dropped(struct j *j, struct dma_fence *in)
{
	j->f = dma_fence_get(in);
	if (dma_fence_add_callback(j->f, &j->cb, done)) {
		dma_fence_put(j->f);
		j->f = NULL;
		return -ENOENT;
	}
	return 0;
}

static int succeeds_early(struct j *j, struct dma_fence *in)
{
	dma_fence_get(in);
	if (!dma_fence_add_callback(in, &j->cb, done))
		return 0;
	dma_fence_put(in);
	return -ENOENT;
}

static int handed_on(struct j *j, struct dma_fence *in)
{
	int r;

	dma_fence_get(in);
	r = dma_fence_add_callback(in, &j->cb, done);
	if (r)
		done(in, &j->cb);
	return 0;
}

static int no_reference(struct j *j, struct dma_fence *in)
{
	return dma_fence_add_callback(in, &j->cb, done);
}

static int dropped_then_code(struct j *j, struct dma_fence *in)
{
	int r;

	dma_fence_get(in);
	r = dma_fence_add_callback(in, &j->cb, done);
	if (r) {
		dma_fence_put(in);
		if (r == -ENOENT)
			r = 0;
	}
	return r;
}

static int reserved_before(struct dma_resv *rv, struct dma_fence *in)
{
	int err;

	err = dma_resv_reserve_fences(rv, 1);
	if (err)
		return err;
	dma_resv_add_fence(rv, dma_fence_get(in), DMA_RESV_USAGE_READ);
	dma_fence_put(in);
	return 0;
}

static void unlikely_fails(struct j *j, struct dma_fence *in)
{
	dma_fence_get(in);
	if (unlikely(dma_fence_add_callback(in, &j->cb, done)))
		dma_fence_put(in);
}

static int kept_elsewhere(struct j *j, int fd)
{
	struct dma_fence *f;
	int r;

	j->f = f = sync_file_get_fence(fd);
	r = dma_fence_add_callback(f, &j->cb, done);
	if (r)
		return r;
	return 0;
}
