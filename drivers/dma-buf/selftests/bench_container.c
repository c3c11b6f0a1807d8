// SPDX-License-Identifier: GPL-2.0
/*
 * What fences cost that consist of others: arrays, chains, and merging them.
 */
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/slab.h>

#include "bench_run.h"

/* Of the containers: no fence of a set has it. */
#define OWN_CONTEXT	(BENCH_CONTEXT + BIT_ULL(32))

/* A table of references as dma_fence_array_create() takes it. */
static struct dma_fence **table_of(struct bench_fences *set)
{
	struct dma_fence **table = kmalloc_array(set->n, sizeof(*table), GFP_KERNEL);

	for (unsigned int i = 0; table && i < set->n; i++)
		table[i] = dma_fence_get(set->fence[i]);
	return table;
}

static void table_free(struct bench_fences *set, struct dma_fence **table)
{
	for (unsigned int i = 0; i < set->n; i++)
		dma_fence_put(set->fence[i]);
	kfree(table);
}

static struct dma_fence *array_of(struct bench_fences *set, struct bench *clock)
{
	struct dma_fence **table = table_of(set);
	struct dma_fence_array *array;

	if (!table)
		return NULL;
	if (clock)
		bench_start(clock);
	array = dma_fence_array_create(set->n, table, OWN_CONTEXT, 1, false);
	if (clock)
		bench_stop(clock);
	if (!array)
		table_free(set, table);
	return array ? &array->base : NULL;
}

/* The references to the members are taken before. */
int run_array_create(struct bench *bench)
{
	struct bench_fences *set __free(bench_fences) =
		bench_fences_create(bench->n, BENCH_CONTEXT, 1);
	struct dma_fence *array;

	if (!set)
		return -ENOMEM;
	bench_repeat(bench) {
		array = array_of(set, bench);
		if (!array)
			return -ENOMEM;
		dma_fence_put(array);
	}
	return 0;
}

/* With the members' references taken and dropped. */
int run_array_create_put(struct bench *bench)
{
	struct bench_fences *set __free(bench_fences) =
		bench_fences_create(bench->n, BENCH_CONTEXT, 1);
	struct dma_fence *array;

	if (!set)
		return -ENOMEM;
	bench_start(bench);
	bench_repeat(bench) {
		array = array_of(set, NULL);
		if (!array)
			return -ENOMEM;
		dma_fence_put(array);
	}
	bench_stop(bench);
	return 0;
}

/* Let go of an array whose members have signaled. */
static void array_finish(struct dma_fence *array)
{
	bench_flush_irq_work();
	dma_fence_wait(array, false);
	dma_fence_put(array);
}

static int array_life(struct bench *bench, bool enable)
{
	struct bench_fences *set __free(bench_fences) =
		bench_fences_create(bench->n, BENCH_CONTEXT, 1);
	struct dma_fence *array = set ? array_of(set, NULL) : NULL;

	if (!array)
		return -ENOMEM;
	if (enable)
		bench_start(bench);
	dma_fence_enable_sw_signaling(array);
	if (enable)
		bench_stop(bench);
	else
		bench_start(bench);
	bench_fences_signal(set);
	if (!enable)
		bench_stop(bench);
	array_finish(array);
	return 0;
}

/* To be called by all n members. */
int run_array_enable(struct bench *bench)
{
	int ret = 0;

	bench_repeat(bench)
		ret = ret ?: array_life(bench, true);
	return ret;
}

/* All n members, one after the other. */
int run_array_signal(struct bench *bench)
{
	int ret = 0;

	bench_repeat(bench)
		ret = ret ?: array_life(bench, false);
	return ret;
}

/* A link with @fence after @prev, whose reference it takes. */
static struct dma_fence *chain_append(struct dma_fence *prev, struct dma_fence *fence, u64 seqno)
{
	struct dma_fence_chain *chain = dma_fence_chain_alloc();

	if (!chain) {
		dma_fence_put(prev);
		return NULL;
	}
	dma_fence_chain_init(chain, prev, dma_fence_get(fence), seqno);
	return &chain->base;
}

/* @n links with the same fence in each; NULL without memory. */
static struct dma_fence *chain_build(unsigned int n, struct dma_fence *fence)
{
	struct dma_fence *head = NULL;

	for (unsigned int i = 1; i <= n && (head || i == 1); i++)
		head = chain_append(head, fence, i);
	return head;
}

/* So long a chain that some of the release may be left to a worker, and much to RCU. */
#define FLUSHED	512

/* Each of n links. */
int run_chain_append(struct bench *bench)
{
	struct dma_fence *fence __free(bench_fence) = bench_fence_create(BENCH_CONTEXT, 1);
	struct dma_fence *head;

	if (!fence)
		return -ENOMEM;
	if (bench->n >= FLUSHED)
		bench_flush_rcu();
	bench_repeat(bench) {
		bench_start(bench);
		head = chain_build(bench->n, fence);
		bench_stop(bench);
		if (!head)
			return -ENOMEM;
		dma_fence_put(head);
	}
	bench_each(bench, bench->n);
	return 0;
}

/* Each of n links that go with the last. */
int run_chain_release(struct bench *bench)
{
	struct dma_fence *fence __free(bench_fence) = bench_fence_create(BENCH_CONTEXT, 1);
	struct dma_fence *head;

	if (!fence)
		return -ENOMEM;
	bench_repeat(bench) {
		head = chain_build(bench->n, fence);
		if (!head)
			return -ENOMEM;
		bench_start(bench);
		dma_fence_put(head);
		if (bench->n >= FLUSHED)
			bench_flush_work();
		bench_stop(bench);
	}
	bench_each(bench, bench->n);
	return 0;
}

static void chain_walk(struct dma_fence *head)
{
	struct dma_fence *iter;

	dma_fence_chain_for_each(iter, head)
		;
}

/* Each of n links that a walk finds signaled and takes out. */
int run_chain_collect(struct bench *bench)
{
	struct dma_fence *done __free(bench_fence) = bench_fence_create(BENCH_CONTEXT, 1);
	struct dma_fence *pending __free(bench_fence) = bench_fence_create(BENCH_CONTEXT, 2);
	struct dma_fence *head;

	if (!done || !pending)
		return -ENOMEM;
	dma_fence_signal(done);
	bench_repeat(bench) {
		head = chain_build(bench->n, done);
		if (head)
			head = chain_append(head, pending, bench->n + 1);
		if (!head)
			return -ENOMEM;
		bench_start(bench);
		chain_walk(head);
		bench_stop(bench);
		dma_fence_put(head);
	}
	bench_each(bench, bench->n);
	return 0;
}

/* The oldest of n pending points. */
int run_chain_find(struct bench *bench)
{
	struct dma_fence *fence __free(bench_fence) = bench_fence_create(BENCH_CONTEXT, 1);
	struct dma_fence *head __free(bench_fence) = NULL;
	struct dma_fence *found;
	int ret = 0;

	if (!fence)
		return -ENOMEM;
	head = chain_build(bench->n, fence);
	if (!head)
		return -ENOMEM;
	bench_measure(bench, {
		found = dma_fence_get(head);
		ret |= dma_fence_chain_find_seqno(&found, 1);
		dma_fence_put(found);
	});
	return ret;
}

static void point_reached(struct dma_fence *fence, struct dma_fence_cb *cb)
{
}

struct timeline {
	unsigned int n;
	struct bench_fences *work;	/* what the points stand for */
	struct bench_fences *points;	/* the links, oldest first */
	struct dma_fence_cb *cbs;
};

static void timeline_fini(struct timeline *line)
{
	bench_fences_free(line->points);
	bench_fences_free(line->work);
	kvfree(line->cbs);
}

/* @n points, each with somebody who waits for it. */
static int timeline_init(struct timeline *line, unsigned int n)
{
	struct dma_fence *prev = NULL;

	line->n = n;
	line->work = bench_fences_create(n, BENCH_CONTEXT, 1);
	line->cbs = kvcalloc(n, sizeof(*line->cbs), GFP_KERNEL);
	line->points = kvzalloc(struct_size(line->points, fence, n), GFP_KERNEL);
	if (!line->work || !line->cbs || !line->points)
		goto no_memory;

	line->points->n = n;
	for (unsigned int i = 0; i < n; i++) {
		prev = chain_append(dma_fence_get(prev), line->work->fence[i], i + 1);
		if (!prev)
			goto no_memory;
		line->points->fence[i] = prev;
		dma_fence_add_callback(prev, &line->cbs[i], point_reached);
	}
	return 0;

no_memory:
	timeline_fini(line);
	return -ENOMEM;
}

static void signal_newest_first(struct timeline *line)
{
	for (unsigned int i = line->n; i; i--) {
		dma_fence_signal(line->work->fence[i - 1]);
		bench_flush_irq_work();
	}
}

static void signal_oldest_first(struct timeline *line)
{
	for (unsigned int i = 0; i < line->n; i++) {
		dma_fence_signal(line->work->fence[i]);
		bench_flush_irq_work();
	}
}

static int timeline_once(struct bench *bench, void (*signal)(struct timeline *line))
{
	struct timeline line;
	int ret = timeline_init(&line, bench->n);

	if (ret)
		return ret;
	bench_start(bench);
	signal(&line);
	bench_stop(bench);
	dma_fence_wait(line.points->fence[line.n - 1], false);
	timeline_fini(&line);
	return 0;
}

/* Each of n points that are all waited for, the last first. */
int run_chain_newest(struct bench *bench)
{
	int ret = 0;

	bench_repeat(bench)
		ret = ret ?: timeline_once(bench, signal_newest_first);
	bench_each(bench, bench->n);
	return ret;
}

/* The same in the order of the timeline. */
int run_chain_oldest(struct bench *bench)
{
	int ret = 0;

	bench_repeat(bench)
		ret = ret ?: timeline_once(bench, signal_oldest_first);
	bench_each(bench, bench->n);
	return ret;
}

/* A table of containers, and room to merge them. */
struct inputs {
	struct dma_fence_unwrap *cursors;
	unsigned int n;
	struct dma_fence *fence[] __counted_by(n);
};

static void inputs_free(struct inputs *inputs)
{
	if (!inputs)
		return;
	for (unsigned int i = 0; i < inputs->n; i++)
		dma_fence_put(inputs->fence[i]);
	kvfree(inputs->cursors);
	kvfree(inputs);
}

DEFINE_FREE(inputs, struct inputs *, inputs_free(_T))

static struct inputs *inputs_alloc(unsigned int n)
{
	struct inputs *inputs = kvzalloc(struct_size(inputs, fence, n), GFP_KERNEL);

	if (!inputs)
		return NULL;
	inputs->n = n;
	inputs->cursors = kvcalloc(n, sizeof(*inputs->cursors), GFP_KERNEL);
	if (inputs->cursors)
		return inputs;
	inputs_free(inputs);
	return NULL;
}

static struct dma_fence *merge_inputs(struct inputs *inputs)
{
	return __dma_fence_unwrap_merge(inputs->n, inputs->fence, inputs->cursors);
}

/* What an earlier merge has made of fences, in the order in which it leaves them. */
static struct dma_fence *merge_range(struct bench_fences *set, unsigned int first,
				     unsigned int n, unsigned int step)
{
	struct inputs *inputs __free(inputs) = inputs_alloc(n);

	if (!inputs)
		return NULL;
	for (unsigned int i = 0; i < n; i++)
		inputs->fence[i] = dma_fence_get(set->fence[first + i * step]);
	return merge_inputs(inputs);
}

static int repeat_merge(struct bench *bench, struct inputs *inputs)
{
	struct dma_fence *merged;

	bench_repeat(bench) {
		bench_start(bench);
		merged = merge_inputs(inputs);
		bench_stop(bench);
		if (!merged)
			return -ENOMEM;
		dma_fence_put(merged);
	}
	return 0;
}

/* @n arrays of @size fences each, whose contexts are interleaved. */
static int merge_arrays(struct bench *bench, unsigned int n, unsigned int size)
{
	struct bench_fences *set __free(bench_fences) =
		bench_fences_create(n * size, BENCH_CONTEXT, 1);
	struct inputs *inputs __free(inputs) = inputs_alloc(n);

	if (!set || !inputs)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++) {
		inputs->fence[i] = merge_range(set, i, size, n);
		if (!inputs->fence[i])
			return -ENOMEM;
	}
	return repeat_merge(bench, inputs);
}

/* Two arrays of n. */
int run_merge_two(struct bench *bench)
{
	return merge_arrays(bench, 2, bench->n);
}

/* n arrays of 16. */
int run_merge_many(struct bench *bench)
{
	return merge_arrays(bench, bench->n, 16);
}

/* All of an array of n. */
int run_unwrap_walk(struct bench *bench)
{
	struct bench_fences *set __free(bench_fences) =
		bench_fences_create(bench->n, BENCH_CONTEXT, 1);
	struct dma_fence *array __free(bench_fence) = set ? array_of(set, NULL) : NULL;
	struct dma_fence_unwrap cursor;
	struct dma_fence *fence;

	if (!array)
		return -ENOMEM;
	bench_measure(bench, dma_fence_unwrap_for_each(fence, &cursor, array));
	return 0;
}

/* Merge @next into @sum, whose reference goes. */
static struct dma_fence *accumulate(struct dma_fence *sum, struct dma_fence *next)
{
	struct dma_fence *merged = dma_fence_unwrap_merge(sum, next);

	dma_fence_put(sum);
	return merged;
}

/* Each of n fences that are added one by one to what was merged before. */
int run_accumulate(struct bench *bench)
{
	struct bench_fences *set __free(bench_fences) =
		bench_fences_create(bench->n + 1, BENCH_CONTEXT, 1);
	struct dma_fence *sum;

	if (!set)
		return -ENOMEM;
	bench_repeat(bench) {
		sum = dma_fence_get(set->fence[0]);
		bench_start(bench);
		for (unsigned int i = 1; i <= bench->n && sum; i++)
			sum = accumulate(sum, set->fence[i]);
		bench_stop(bench);
		if (!sum)
			return -ENOMEM;
		dma_fence_put(sum);
	}
	bench_each(bench, bench->n);
	return 0;
}
