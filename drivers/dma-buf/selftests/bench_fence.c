// SPDX-License-Identifier: GPL-2.0
/*
 * What fences cost by themselves: their life, callbacks and waiting for them.
 */
#include <linux/dma-fence.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "bench.h"
#include "bench_run.h"

static const char *bench_fence_name(struct dma_fence *fence)
{
	return DMABUF_BENCH_NAME;
}

static const struct dma_fence_ops bench_fence_ops = {
	.get_driver_name	= bench_fence_name,
	.get_timeline_name	= bench_fence_name,
};

struct dma_fence *bench_fence_create(u64 context, u64 seqno)
{
	struct bench_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	if (!fence)
		return NULL;
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &bench_fence_ops, &fence->lock, context, seqno);
	return &fence->base;
}

/* Fence i has context @context + i * @step and seqno @seqno + i * @stride. */
static struct bench_fences *fences_create(unsigned int n, u64 context, unsigned int step,
					  unsigned int stride)
{
	struct bench_fences *fences;

	fences = kvzalloc(struct_size(fences, fence, n), GFP_KERNEL);
	if (!fences)
		return NULL;
	fences->n = n;
	for (unsigned int i = 0; i < n; i++) {
		fences->fence[i] = bench_fence_create(context + (u64)i * step,
						      1 + (u64)i * stride);
		if (!fences->fence[i]) {
			bench_fences_free(fences);
			return NULL;
		}
	}
	return fences;
}

/* @n fences of as many timelines, sorted by their contexts. */
struct bench_fences *bench_fences_create(unsigned int n, u64 context, unsigned int step)
{
	return fences_create(n, context, step, 0);
}

/* @n fences of one timeline. */
struct bench_fences *bench_fences_sequence(unsigned int n, u64 context)
{
	return fences_create(n, context, 0, 1);
}

void bench_fences_signal(struct bench_fences *fences)
{
	for (unsigned int i = 0; i < fences->n; i++)
		dma_fence_signal(fences->fence[i]);
}

/* Nobody shall wait for them any longer. */
void bench_fences_free(struct bench_fences *fences)
{
	if (!fences)
		return;
	for (unsigned int i = 0; i < fences->n && fences->fence[i]; i++) {
		dma_fence_signal(fences->fence[i]);
		dma_fence_put(fences->fence[i]);
	}
	kvfree(fences);
}

int run_fence(struct bench *bench)
{
	struct dma_fence *fence;
	u64 seqno = 0;

	bench_start(bench);
	bench_repeat(bench) {
		fence = bench_fence_create(BENCH_CONTEXT, ++seqno);
		if (!fence)
			return -ENOMEM;
		dma_fence_signal(fence);
		dma_fence_put(fence);
	}
	bench_stop(bench);
	return 0;
}

static void callback_nop(struct dma_fence *fence, struct dma_fence_cb *cb)
{
}

static int add_callbacks(struct dma_fence *fence, struct dma_fence_cb *cbs, unsigned int n)
{
	int ret = 0;

	for (unsigned int i = 0; i < n && !ret; i++)
		ret = dma_fence_add_callback(fence, &cbs[i], callback_nop);
	return ret;
}

/* As fence.alloc_signal_put, with n callbacks added and called. */
int run_callbacks(struct bench *bench)
{
	struct dma_fence_cb *cbs __free(kvfree) =
		kvcalloc(bench->n, sizeof(*cbs), GFP_KERNEL);
	struct dma_fence *fence;
	u64 seqno = 0;
	int ret;

	if (!cbs)
		return -ENOMEM;
	bench_start(bench);
	bench_repeat(bench) {
		fence = bench_fence_create(BENCH_CONTEXT, ++seqno);
		if (!fence)
			return -ENOMEM;
		ret = add_callbacks(fence, cbs, bench->n);
		dma_fence_signal(fence);
		dma_fence_put(fence);
		if (ret)
			return ret;
	}
	bench_stop(bench);
	return 0;
}

static void release_nop(struct dma_fence *fence)
{
}

static const struct dma_fence_ops in_place_ops = {
	.get_driver_name	= bench_fence_name,
	.get_timeline_name	= bench_fence_name,
	.release		= release_nop,
};

/* Without the memory's share. */
int run_fence_in_place(struct bench *bench)
{
	struct bench_fence fence;
	u64 seqno = 0;

	spin_lock_init(&fence.lock);
	bench_measure(bench, {
		dma_fence_init(&fence.base, &in_place_ops, &fence.lock, BENCH_CONTEXT, ++seqno);
		dma_fence_signal(&fence.base);
		dma_fence_put(&fence.base);
	});
	return 0;
}

int run_fence_get_put(struct bench *bench)
{
	struct dma_fence *fence __free(bench_fence) = bench_fence_create(BENCH_CONTEXT, 1);

	if (!fence)
		return -ENOMEM;
	bench_measure(bench, dma_fence_put(dma_fence_get(fence)));
	return 0;
}

int run_context_alloc(struct bench *bench)
{
	bench_measure(bench, dma_fence_context_alloc(1));
	return 0;
}

int run_is_signaled_no(struct bench *bench)
{
	struct dma_fence *fence __free(bench_fence) = bench_fence_create(BENCH_CONTEXT, 1);

	if (!fence)
		return -ENOMEM;
	bench_measure(bench, dma_fence_is_signaled(fence));
	return 0;
}

int run_is_signaled_yes(struct bench *bench)
{
	struct dma_fence *fence __free(bench_fence) = bench_fence_create(BENCH_CONTEXT, 1);

	if (!fence)
		return -ENOMEM;
	dma_fence_signal(fence);
	bench_measure(bench, dma_fence_is_signaled(fence));
	return 0;
}

int run_wait_signaled(struct bench *bench)
{
	struct dma_fence *fence __free(bench_fence) = bench_fence_create(BENCH_CONTEXT, 1);
	long ret = 0;

	if (!fence)
		return -ENOMEM;
	dma_fence_signal(fence);
	bench_measure(bench, ret |= dma_fence_wait(fence, true));
	return ret;
}

/* For one of n, the last of which has signaled. */
int run_wait_any(struct bench *bench)
{
	struct bench_fences *set __free(bench_fences) =
		bench_fences_create(bench->n, BENCH_CONTEXT, 1);
	u32 which = 0;
	long left = 0;

	if (!set)
		return -ENOMEM;
	dma_fence_signal(set->fence[bench->n - 1]);
	bench_measure(bench, left = dma_fence_wait_any_timeout(set->fence, bench->n, true,
							       MAX_SCHEDULE_TIMEOUT, &which));
	if (left < 0)
		return left;
	return which == bench->n - 1 ? 0 : -EIO;
}

struct handoff {
	struct bench_fences *there;
	struct bench_fences *back;
};

static int handoff_partner(void *data)
{
	struct handoff *handoff = data;

	for (unsigned int i = 0; i < handoff->there->n; i++) {
		dma_fence_wait(handoff->there->fence[i], false);
		dma_fence_signal(handoff->back->fence[i]);
	}
	return 0;
}

static void handoff_once(struct handoff *handoff, unsigned int i)
{
	dma_fence_signal(handoff->there->fence[i]);
	dma_fence_wait(handoff->back->fence[i], false);
}

/* Two tasks that wait for each other's fence in turn: there and back. */
int run_handoff(struct bench *bench)
{
	struct bench_fences *there __free(bench_fences) =
		bench_fences_sequence(bench->times + 1, BENCH_CONTEXT);
	struct bench_fences *back __free(bench_fences) =
		bench_fences_sequence(bench->times + 1, BENCH_CONTEXT + 1);
	struct handoff handoff = { there, back };
	struct task_struct *partner;
	unsigned int i = 0;

	if (!there || !back)
		return -ENOMEM;
	partner = kthread_create(handoff_partner, &handoff, "bench_handoff");
	if (IS_ERR(partner))
		return PTR_ERR(partner);
	get_task_struct(partner);	/* Dropped by kthread_stop_put(). */
	wake_up_process(partner);

	handoff_once(&handoff, i);
	bench_measure(bench, handoff_once(&handoff, ++i));
	kthread_stop_put(partner);
	return 0;
}
