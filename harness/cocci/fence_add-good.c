// SPDX-License-Identifier: GPL-2.0-only
/* References to fences that are dropped once, whatever happens. */
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
void job_free(struct job *job);
void job_complete(struct job *job, struct dma_fence *fence);

static int dropped(struct job *job, struct dma_fence *fence)
{
	dma_fence_get(fence);
	if (dma_fence_add_callback(fence, &job->cb, job_done)) {
		dma_fence_put(fence);
		return -ENOENT;
	}
	return 0;
}

static int handed_on(struct job *job, struct dma_fence *fence)
{
	dma_fence_get(fence);
	if (dma_fence_add_callback(fence, &job->cb, job_done)) {
		job_complete(job, fence);
		return 0;
	}
	return 0;
}

static int kept(struct job *job, struct dma_fence *fence)
{
	job->fence = dma_fence_get(fence);
	if (dma_fence_add_callback(fence, &job->cb, job_done)) {
		job_free(job);
		return -ENOENT;
	}
	return 0;
}

/* The reference is not the callback's. */
static int put_either_way(struct job *job, int fd)
{
	struct dma_fence *fence;
	int ret;

	fence = sync_file_get_fence(fd);
	if (!fence)
		return -EINVAL;
	ret = dma_fence_add_callback(fence, &job->cb, job_done);
	dma_fence_put(fence);
	return ret;
}

static int two_references(struct job *job, int fd)
{
	struct dma_fence *fence;
	int ret;

	fence = sync_file_get_fence(fd);
	if (!fence)
		return -EINVAL;
	dma_fence_get(fence);
	ret = dma_fence_add_callback(fence, &job->cb, job_done);
	if (ret)
		dma_fence_put(fence);
	dma_fence_put(fence);
	return ret;
}

static int no_slot(struct dma_resv *resv, int fd)
{
	struct dma_fence *fence;
	int ret;

	fence = sync_file_get_fence(fd);
	if (!fence)
		return -EINVAL;
	ret = dma_resv_reserve_fences(resv, 1);
	if (!ret)
		dma_resv_add_fence(resv, fence, DMA_RESV_USAGE_WRITE);
	dma_fence_put(fence);
	return ret;
}

static void chained(struct dma_fence_chain *chain, struct dma_fence *prev, int fd)
{
	struct dma_fence *fence;

	fence = sync_file_get_fence(fd);
	dma_fence_chain_init(chain, prev, dma_fence_get(fence), 1);
	dma_fence_put(fence);
}

static struct dma_fence *array_made(struct dma_fence *a, struct dma_fence *b)
{
	struct dma_fence_array *array;
	struct dma_fence **fences;

	fences = kcalloc(2, sizeof(*fences), GFP_KERNEL);
	if (!fences)
		return NULL;
	fences[0] = dma_fence_get(a);
	fences[1] = dma_fence_get(b);
	array = dma_fence_array_create(2, fences, dma_fence_context_alloc(1), 1, false);
	if (!array) {
		dma_fence_put(a);
		dma_fence_put(b);
		kfree(fences);
		return NULL;
	}
	return &array->base;
}
