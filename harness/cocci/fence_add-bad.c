// SPDX-License-Identifier: GPL-2.0-only
/* References to fences that nobody drops when a call fails, or that two drop. */
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>
#include <linux/sync_file.h>

struct job {
	struct dma_fence_cb cb;
	struct dma_fence *fence;
};

void job_done(struct dma_fence *fence, struct dma_fence_cb *cb);

static int lost(struct job *job, struct dma_fence *fence)
{
	dma_fence_get(fence);
	if (dma_fence_add_callback(fence, &job->cb, job_done)) /* finding */
		return -ENOENT;
	return 0;
}

static int lost_status(struct job *job, struct dma_fence *fence)
{
	int ret;

	dma_fence_get(fence);
	ret = dma_fence_add_callback(fence, &job->cb, job_done); /* finding */
	if (ret == -ENOENT)
		return 0;
	return ret;
}

static int lost_result(struct job *job, struct dma_fence *of)
{
	struct dma_fence *fence;
	int ret;

	fence = dma_fence_get(of);
	ret = dma_fence_add_callback(fence, &job->cb, job_done); /* finding */
	if (ret)
		return ret;
	return 0;
}

static int lost_sync_file(struct job *job, int fd)
{
	struct dma_fence *fence;

	fence = sync_file_get_fence(fd);
	if (!fence)
		return -EINVAL;
	if (dma_fence_add_callback(fence, &job->cb, job_done) < 0) { /* finding */
		job->fence = NULL;
		return -ENOENT;
	}
	job->fence = fence;
	return 0;
}

static int put_twice(struct job *job, int fd)
{
	struct dma_fence *fence;
	int ret;

	fence = sync_file_get_fence(fd);
	if (!fence)
		return -EINVAL;
	ret = dma_fence_add_callback(fence, &job->cb, job_done);
	if (ret)
		dma_fence_put(fence);
	dma_fence_put(fence); /* finding */
	return ret;
}

static int no_slot(struct dma_resv *resv, int fd)
{
	struct dma_fence *fence;
	int ret;

	fence = sync_file_get_fence(fd);
	if (!fence)
		return -EINVAL;
	ret = dma_resv_reserve_fences(resv, 1); /* finding */
	if (ret)
		return ret;
	dma_resv_add_fence(resv, fence, DMA_RESV_USAGE_WRITE);
	dma_fence_put(fence);
	return 0;
}

static void chained(struct dma_fence_chain *chain, struct dma_fence *prev, int fd)
{
	struct dma_fence *fence;

	fence = sync_file_get_fence(fd);
	dma_fence_chain_init(chain, prev, fence, 1);
	dma_fence_put(fence); /* finding */
}

static struct dma_fence *array_lost(struct dma_fence *a, struct dma_fence *b)
{
	struct dma_fence_array *array;
	struct dma_fence **fences;

	fences = kcalloc(2, sizeof(*fences), GFP_KERNEL);
	if (!fences)
		return NULL;
	fences[0] = dma_fence_get(a);
	fences[1] = dma_fence_get(b);
	array = dma_fence_array_create(2, fences, dma_fence_context_alloc(1), 1, false); /* finding */
	if (!array)
		return NULL;
	return &array->base;
}

static struct dma_fence *array_freed(struct dma_fence **fences, int nr)
{
	struct dma_fence_array *array;

	array = dma_fence_array_create(nr, fences, dma_fence_context_alloc(1), 1, false);
	if (!array)
		return NULL;
	kfree(fences); /* finding */
	return &array->base;
}

static void from_get(struct dma_resv *resv, struct dma_fence *of)
{
	struct dma_fence *fence;

	fence = dma_fence_get(of);
	if (dma_resv_reserve_fences(resv, 1)) /* finding */
		return;
	dma_fence_put(fence);
}

static void from_get_rcu(struct dma_resv *resv, struct dma_fence *of)
{
	struct dma_fence *fence;

	fence = dma_fence_get_rcu(of);
	if (dma_resv_reserve_fences(resv, 1)) /* finding */
		return;
	dma_fence_put(fence);
}

static void from_get_rcu_safe(struct dma_resv *resv, struct dma_fence *of)
{
	struct dma_fence *fence;

	fence = dma_fence_get_rcu_safe(&of);
	if (dma_resv_reserve_fences(resv, 1)) /* finding */
		return;
	dma_fence_put(fence);
}

static void from_stub(struct dma_resv *resv, struct dma_fence *of)
{
	struct dma_fence *fence;

	fence = dma_fence_get_stub();
	if (dma_resv_reserve_fences(resv, 1)) /* finding */
		return;
	dma_fence_put(fence);
}

static void from_merged(struct dma_resv *resv, struct dma_fence *of)
{
	struct dma_fence *fence;

	fence = dma_fence_unwrap_merge(of, NULL);
	if (dma_resv_reserve_fences(resv, 1)) /* finding */
		return;
	dma_fence_put(fence);
}

static void from_private_stub(struct dma_resv *resv, struct dma_fence *of)
{
	struct dma_fence *fence;

	fence = dma_fence_allocate_private_stub(0);
	if (dma_resv_reserve_fences(resv, 1)) /* finding */
		return;
	dma_fence_put(fence);
}

static void from_syncobj(struct dma_resv *resv, struct dma_fence *of)
{
	struct dma_fence *fence;

	fence = drm_syncobj_fence_get(NULL);
	if (dma_resv_reserve_fences(resv, 1)) /* finding */
		return;
	dma_fence_put(fence);
}
