// SPDX-License-Identifier: GPL-2.0
/*
 * What reservations cost: locking, adding fences, asking for them.
 */
#include <linux/dma-resv.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "bench_run.h"

static int fill_locked(struct dma_resv *resv, struct bench_fences *fences,
		       enum dma_resv_usage usage)
{
	int ret = dma_resv_reserve_fences(resv, fences->n);

	for (unsigned int i = 0; i < fences->n && !ret; i++)
		dma_resv_add_fence(resv, fences->fence[i], usage);
	return ret;
}

/* Add all of @fences. */
int bench_resv_fill(struct dma_resv *resv, struct bench_fences *fences,
		    enum dma_resv_usage usage)
{
	int ret;

	dma_resv_lock(resv, NULL);
	ret = fill_locked(resv, fences, usage);
	dma_resv_unlock(resv);
	return ret;
}

static void resv_free(struct dma_resv *resv)
{
	if (!resv)
		return;
	dma_resv_fini(resv);
	kfree(resv);
}

DEFINE_FREE(resv, struct dma_resv *, resv_free(_T))

static struct dma_resv *resv_create(void)
{
	struct dma_resv *resv = kmalloc(sizeof(*resv), GFP_KERNEL);

	if (resv)
		dma_resv_init(resv);
	return resv;
}

/* One with @fences, if that worked. */
static struct dma_resv *resv_with(struct bench_fences *fences, enum dma_resv_usage usage)
{
	struct dma_resv *resv __free(resv) = resv_create();

	if (!resv || !fences || bench_resv_fill(resv, fences, usage))
		return NULL;
	return no_free_ptr(resv);
}

int run_resv_lock(struct bench *bench)
{
	struct dma_resv *resv __free(resv) = resv_create();

	if (!resv)
		return -ENOMEM;
	bench_measure(bench, {
		dma_resv_lock(resv, NULL);
		dma_resv_unlock(resv);
	});
	return 0;
}

static int lock_all(struct dma_resv *resvs, unsigned int n)
{
	struct ww_acquire_ctx ctx;
	unsigned int locked;
	int ret = 0;

	ww_acquire_init(&ctx, &reservation_ww_class);
	for (locked = 0; locked < n; locked++) {
		ret = dma_resv_lock(&resvs[locked], &ctx);
		if (ret)
			break;
	}
	ww_acquire_done(&ctx);
	while (locked)
		dma_resv_unlock(&resvs[--locked]);
	ww_acquire_fini(&ctx);
	return ret;
}

/* Each of n that are held together. Nobody else wants them, so no lock is refused. */
int run_resv_lock_ctx(struct bench *bench)
{
	struct dma_resv *resvs __free(kvfree) =
		kvmalloc_array(bench->n, sizeof(*resvs), GFP_KERNEL);
	int ret = 0;

	/* It refuses locks now and then. */
	if (IS_ENABLED(CONFIG_DEBUG_WW_MUTEX_SLOWPATH))
		return -EOPNOTSUPP;
	if (!resvs)
		return -ENOMEM;
	for (unsigned int i = 0; i < bench->n; i++)
		dma_resv_init(&resvs[i]);
	bench_measure(bench, ret |= lock_all(resvs, bench->n));
	for (unsigned int i = 0; i < bench->n; i++)
		dma_resv_fini(&resvs[i]);
	bench_each(bench, bench->n);
	return ret;
}

/* Room for one more that is there already. */
int run_resv_reserve(struct bench *bench)
{
	struct bench_fences *set __free(bench_fences) =
		bench_fences_create(bench->n, BENCH_CONTEXT, 1);
	struct dma_resv *resv __free(resv) = resv_with(set, DMA_RESV_USAGE_READ);
	int ret = 0;

	if (!resv)
		return -ENOMEM;
	dma_resv_lock(resv, NULL);
	ret = dma_resv_reserve_fences(resv, 1);
	bench_measure(bench, ret |= dma_resv_reserve_fences(resv, 1));
	dma_resv_unlock(resv);
	return ret;
}

static int stream_once(struct dma_resv *resv, u64 seqno)
{
	struct dma_fence *fence __free(bench_fence) = bench_fence_create(BENCH_CONTEXT, seqno);
	int ret;

	if (!fence)
		return -ENOMEM;
	dma_resv_lock(resv, NULL);
	ret = dma_resv_reserve_fences(resv, 1);
	if (!ret)
		dma_resv_add_fence(resv, fence, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(resv);
	dma_fence_signal(fence);
	return ret;
}

/* A frame after the other on one timeline: reserve, add, signal. */
int run_resv_stream(struct bench *bench)
{
	struct dma_resv *resv __free(resv) = resv_create();
	u64 seqno = 0;
	int ret = 0;

	if (!resv)
		return -ENOMEM;
	bench_measure(bench, ret = ret ?: stream_once(resv, ++seqno));
	return ret;
}

static int add_one(struct dma_resv *resv, struct dma_fence *fence)
{
	int ret = dma_resv_reserve_fences(resv, 1);

	if (!ret)
		dma_resv_add_fence(resv, fence, DMA_RESV_USAGE_READ);
	return ret;
}

static int add_each(struct dma_resv *resv, struct bench_fences *fences)
{
	int ret = 0;

	for (unsigned int i = 0; i < fences->n && !ret; i++)
		ret = add_one(resv, fences->fence[i]);
	return ret;
}

static int add_once(struct bench *bench, struct bench_fences *fences)
{
	struct dma_resv *resv __free(resv) = resv_create();
	int ret;

	if (!resv)
		return -ENOMEM;
	dma_resv_lock(resv, NULL);
	bench_start(bench);
	ret = add_each(resv, fences);
	bench_stop(bench);
	dma_resv_unlock(resv);
	return ret;
}

/* Reserve and add, each of n timelines, to what was empty. */
int run_resv_add(struct bench *bench)
{
	struct bench_fences *set __free(bench_fences) =
		bench_fences_create(bench->n, BENCH_CONTEXT, 1);
	int ret = 0;

	if (!set)
		return -ENOMEM;
	bench_repeat(bench)
		ret = ret ?: add_once(bench, set);
	bench_each(bench, bench->n);
	return ret;
}

/* Reserve and add the next fence of timeline @which. */
static int replace(struct bench *bench, unsigned int which)
{
	struct bench_fences *set __free(bench_fences) =
		bench_fences_create(bench->n, BENCH_CONTEXT, 1);
	struct bench_fences *next __free(bench_fences) =
		bench_fences_sequence(bench->times, BENCH_CONTEXT + which);
	struct dma_resv *resv __free(resv) = resv_with(set, DMA_RESV_USAGE_READ);
	int ret;

	if (!resv || !next)
		return -ENOMEM;
	dma_resv_lock(resv, NULL);
	ret = dma_resv_reserve_fences(resv, 1);
	bench_start(bench);
	ret = ret ?: add_each(resv, next);
	bench_stop(bench);
	dma_resv_unlock(resv);
	return ret;
}

int run_resv_replace_first(struct bench *bench)
{
	return replace(bench, 0);
}

int run_resv_replace_last(struct bench *bench)
{
	return replace(bench, bench->n - 1);
}

/* All that is there of the last of n timelines, by one fence. */
int run_resv_replace_fences(struct bench *bench)
{
	struct bench_fences *set __free(bench_fences) =
		bench_fences_create(bench->n, BENCH_CONTEXT, 1);
	struct dma_fence *other __free(bench_fence) =
		bench_fence_create(BENCH_CONTEXT + bench->n - 1, 2);
	struct dma_resv *resv __free(resv) = resv_with(set, DMA_RESV_USAGE_BOOKKEEP);

	if (!resv || !other)
		return -ENOMEM;
	dma_resv_lock(resv, NULL);
	bench_measure(bench, dma_resv_replace_fences(resv, other->context, other,
						     DMA_RESV_USAGE_BOOKKEEP));
	dma_resv_unlock(resv);
	return 0;
}

int run_resv_test_empty(struct bench *bench)
{
	struct dma_resv *resv __free(resv) = resv_create();
	bool idle = true;

	if (!resv)
		return -ENOMEM;
	bench_measure(bench, idle &= dma_resv_test_signaled(resv, DMA_RESV_USAGE_BOOKKEEP));
	return idle ? 0 : -EIO;
}

int run_resv_wait_empty(struct bench *bench)
{
	struct dma_resv *resv __free(resv) = resv_create();
	long left = 1;

	if (!resv)
		return -ENOMEM;
	bench_measure(bench, left = dma_resv_wait_timeout(resv, DMA_RESV_USAGE_BOOKKEEP, true,
							  MAX_SCHEDULE_TIMEOUT));
	return left > 0 ? 0 : -EIO;
}

/* n pending fences that are nobody's business but a mover's and, every other one, a writer's. */
static struct dma_resv *resv_with_others(struct bench_fences *set)
{
	struct dma_resv *resv __free(resv) = resv_create();
	int ret;

	if (!resv || !set)
		return NULL;
	dma_resv_lock(resv, NULL);
	ret = dma_resv_reserve_fences(resv, set->n);
	for (unsigned int i = 0; i < set->n && !ret; i++)
		dma_resv_add_fence(resv, set->fence[i], i % 2 ? DMA_RESV_USAGE_READ :
								DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(resv);
	return ret ? NULL : no_free_ptr(resv);
}

/* @idle: what the answer has to be */
static int test_among_others(struct bench *bench, enum dma_resv_usage usage, bool idle)
{
	struct bench_fences *set __free(bench_fences) =
		bench_fences_create(bench->n, BENCH_CONTEXT, 1);
	struct dma_resv *resv __free(resv) = resv_with_others(set);
	bool answer = idle;

	if (!resv)
		return -ENOMEM;
	bench_measure(bench, answer = dma_resv_test_signaled(resv, usage));
	return answer == idle ? 0 : -EIO;
}

int run_resv_test_kernel(struct bench *bench)
{
	return test_among_others(bench, DMA_RESV_USAGE_KERNEL, true);
}

int run_resv_test_write(struct bench *bench)
{
	return test_among_others(bench, DMA_RESV_USAGE_WRITE, true);
}

/* The answer is no as soon as there is one reader. */
int run_resv_test_read(struct bench *bench)
{
	return test_among_others(bench, DMA_RESV_USAGE_READ, bench->n < 2);
}

static int wait_among_others(struct bench *bench, enum dma_resv_usage usage)
{
	struct bench_fences *set __free(bench_fences) =
		bench_fences_create(bench->n, BENCH_CONTEXT, 1);
	struct dma_resv *resv __free(resv) = resv_with_others(set);
	long left = 1;

	if (!resv)
		return -ENOMEM;
	bench_measure(bench, left = dma_resv_wait_timeout(resv, usage, true,
							  MAX_SCHEDULE_TIMEOUT));
	return left > 0 ? 0 : -EIO;
}

int run_resv_wait_kernel(struct bench *bench)
{
	return wait_among_others(bench, DMA_RESV_USAGE_KERNEL);
}

int run_resv_wait_write(struct bench *bench)
{
	return wait_among_others(bench, DMA_RESV_USAGE_WRITE);
}

/* Without dropping them again. */
int run_resv_get_fences(struct bench *bench)
{
	struct bench_fences *set __free(bench_fences) =
		bench_fences_create(bench->n, BENCH_CONTEXT, 1);
	struct dma_resv *resv __free(resv) = resv_with(set, DMA_RESV_USAGE_READ);
	struct dma_fence **fences;
	unsigned int nr;
	int ret;

	if (!resv)
		return -ENOMEM;
	bench_repeat(bench) {
		bench_start(bench);
		ret = dma_resv_get_fences(resv, DMA_RESV_USAGE_READ, &nr, &fences);
		bench_stop(bench);
		if (ret)
			return ret;
		while (nr)
			dma_fence_put(fences[--nr]);
		kfree(fences);
	}
	return 0;
}

int run_resv_get_singleton(struct bench *bench)
{
	struct bench_fences *set __free(bench_fences) =
		bench_fences_create(bench->n, BENCH_CONTEXT, 1);
	struct dma_resv *resv __free(resv) = resv_with(set, DMA_RESV_USAGE_READ);
	struct dma_fence *fence;
	int ret;

	if (!resv)
		return -ENOMEM;
	bench_repeat(bench) {
		bench_start(bench);
		ret = dma_resv_get_singleton(resv, DMA_RESV_USAGE_READ, &fence);
		bench_stop(bench);
		if (ret)
			return ret;
		dma_fence_put(fence);
	}
	return 0;
}

static int copy_once(struct bench *bench, struct dma_resv *from)
{
	struct dma_resv *to __free(resv) = resv_create();
	int ret;

	if (!to)
		return -ENOMEM;
	dma_resv_lock(to, NULL);
	bench_start(bench);
	ret = dma_resv_copy_fences(to, from);
	bench_stop(bench);
	dma_resv_unlock(to);
	return ret;
}

/* To where there is none. */
int run_resv_copy_fences(struct bench *bench)
{
	struct bench_fences *set __free(bench_fences) =
		bench_fences_create(bench->n, BENCH_CONTEXT, 1);
	struct dma_resv *from __free(resv) = resv_with(set, DMA_RESV_USAGE_READ);
	int ret = 0;

	if (!from)
		return -ENOMEM;
	bench_repeat(bench)
		ret = ret ?: copy_once(bench, from);
	return ret;
}

static unsigned int count_locked(struct dma_resv *resv)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int nr = 0;

	dma_resv_for_each_fence(&cursor, resv, DMA_RESV_USAGE_READ, fence)
		nr++;
	return nr;
}

static unsigned int count_unlocked(struct dma_resv *resv)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int nr = 0;

	dma_resv_iter_begin(&cursor, resv, DMA_RESV_USAGE_READ);
	dma_resv_for_each_fence_unlocked(&cursor, fence)
		nr++;
	dma_resv_iter_end(&cursor);
	return nr;
}

/* All of n. */
int run_resv_iter_locked(struct bench *bench)
{
	struct bench_fences *set __free(bench_fences) =
		bench_fences_create(bench->n, BENCH_CONTEXT, 1);
	struct dma_resv *resv __free(resv) = resv_with(set, DMA_RESV_USAGE_READ);
	unsigned int nr = 0;

	if (!resv)
		return -ENOMEM;
	dma_resv_lock(resv, NULL);
	bench_measure(bench, nr = count_locked(resv));
	dma_resv_unlock(resv);
	return nr == bench->n ? 0 : -EIO;
}

int run_resv_iter_unlocked(struct bench *bench)
{
	struct bench_fences *set __free(bench_fences) =
		bench_fences_create(bench->n, BENCH_CONTEXT, 1);
	struct dma_resv *resv __free(resv) = resv_with(set, DMA_RESV_USAGE_READ);
	unsigned int nr = 0;

	if (!resv)
		return -ENOMEM;
	bench_measure(bench, nr = count_unlocked(resv));
	return nr == bench->n ? 0 : -EIO;
}
