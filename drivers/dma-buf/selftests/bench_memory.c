// SPDX-License-Identifier: GPL-2.0
/*
 * How much memory the objects of the subsystem take. An operation of this file makes n of them at
 * once; what it tells instead of ticks are the bytes by which the free memory has shrunk, so that
 * its figure is bytes for one object, whatever that consists of.
 */
#include <linux/dma-buf.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/gfp.h>
#include <linux/mmzone.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/vmstat.h>

#include "bench_run.h"

/* Of the containers: no fence of a set has it. */
#define OWN_CONTEXT	(BENCH_CONTEXT + BIT_ULL(32))
#define ARRAY_MEMBERS	16

/* Nobody keeps a page back. */
static u64 free_bytes(void)
{
	unsigned long pages = 0;
	struct zone *zone;

	bench_flush_files();
	bench_flush_work();
	rcu_barrier();
	kvfree_rcu_barrier();
	drain_all_pages(NULL);
	for_each_populated_zone(zone)
		pages += zone_page_state_snapshot(zone, NR_FREE_PAGES);
	return (u64)pages << PAGE_SHIFT;
}

/* For user space, which makes the objects by itself and looks before and after. */
int run_memory_free(struct bench *bench)
{
	bench->ticks = free_bytes() * bench->times;
	return 0;
}

/**
 * struct kind - objects of a kind
 * @make: one more, with reference, or an ERR_PTR()
 * @drop: that reference
 */
struct kind {
	void *(*make)(struct bench *bench, void *common, unsigned int i);
	void (*drop)(struct bench *bench, void *object);
};

/* Make n, look, and drop them in the order in which they came. */
static int measure_kind(struct bench *bench, const struct kind *kind, void *common)
{
	void **objects __free(kvfree) = kvcalloc(bench->n, sizeof(*objects), GFP_KERNEL);
	unsigned int nr = 0;
	u64 before;
	int ret = 0;

	if (!objects)
		return -ENOMEM;
	before = free_bytes();
	while (nr < bench->n && !ret) {
		objects[nr] = kind->make(bench, common, nr);
		ret = PTR_ERR_OR_ZERO(objects[nr]);
		nr += !ret;
	}
	if (!ret)
		bench->ticks += before - min(before, free_bytes());
	for (unsigned int i = 0; i < nr; i++)
		kind->drop(bench, objects[i]);
	return ret;
}

static int measure_memory(struct bench *bench, const struct kind *kind, void *common)
{
	int ret = 0;

	bench_repeat(bench)
		ret = ret ?: measure_kind(bench, kind, common);
	bench_each(bench, bench->n);
	return ret;
}

static void *make_buffer(struct bench *bench, void *common, unsigned int i)
{
	return bench_export(&bench_static_ops);
}

static void drop_buffer(struct bench *bench, void *dmabuf)
{
	dma_buf_put(dmabuf);
}

/* An idle buffer with its file, without the memory that it is about. */
int run_memory_buffer(struct bench *bench)
{
	static const struct kind buffers = { make_buffer, drop_buffer };

	return measure_memory(bench, &buffers, NULL);
}

static void *make_attachment(struct bench *bench, void *common, unsigned int i)
{
	return dma_buf_attach(bench->dmabuf, bench_device);
}

static void drop_attachment(struct bench *bench, void *attach)
{
	dma_buf_detach(bench->dmabuf, attach);
}

/* All of one buffer. */
int run_memory_attachment(struct bench *bench)
{
	static const struct kind attachments = { make_attachment, drop_attachment };

	return measure_memory(bench, &attachments, NULL);
}

static void *make_fence(struct bench *bench, void *common, unsigned int i)
{
	return bench_fence_create(BENCH_CONTEXT, i + 1) ?: ERR_PTR(-ENOMEM);
}

static void drop_fence(struct bench *bench, void *fence)
{
	dma_fence_put(fence);
}

/* With the lock that a driver's has. */
int run_memory_fence(struct bench *bench)
{
	static const struct kind fences = { make_fence, drop_fence };

	return measure_memory(bench, &fences, NULL);
}

static void *make_array(struct bench *bench, void *member, unsigned int i)
{
	struct dma_fence **table = kmalloc_array(ARRAY_MEMBERS, sizeof(*table), GFP_KERNEL);
	struct dma_fence_array *array;

	if (!table)
		return ERR_PTR(-ENOMEM);
	for (unsigned int m = 0; m < ARRAY_MEMBERS; m++)
		table[m] = dma_fence_get(member);
	array = dma_fence_array_create(ARRAY_MEMBERS, table, OWN_CONTEXT, i + 1, false);
	if (array)
		return &array->base;
	for (unsigned int m = 0; m < ARRAY_MEMBERS; m++)
		dma_fence_put(member);
	kfree(table);
	return ERR_PTR(-ENOMEM);
}

/* Each of the members of n arrays of 16, with its share of the array, without the fence. */
int run_memory_array_entry(struct bench *bench)
{
	static const struct kind arrays = { make_array, drop_fence };
	struct dma_fence *member __free(bench_fence) = bench_fence_create(BENCH_CONTEXT, 1);
	int ret;

	if (!member)
		return -ENOMEM;
	ret = measure_memory(bench, &arrays, member);
	bench->items *= ARRAY_MEMBERS;
	return ret;
}

/* As long as the next is not dropped, the reference of this one is all that is. */
static void *make_link(struct bench *bench, void *common, unsigned int i)
{
	struct dma_fence_chain *chain = dma_fence_chain_alloc();
	struct dma_fence **head = common;

	if (!chain)
		return ERR_PTR(-ENOMEM);
	dma_fence_chain_init(chain, *head, dma_fence_get(head[1]), i + 1);
	*head = &chain->base;
	return dma_fence_get(&chain->base);
}

/* Without the fence, which all links share. */
int run_memory_chain_link(struct bench *bench)
{
	static const struct kind links = { make_link, drop_fence };
	int ret;

	struct dma_fence *member __free(bench_fence) = bench_fence_create(BENCH_CONTEXT, 1);
	struct dma_fence *head[] = { NULL, member };

	if (!member)
		return -ENOMEM;
	ret = measure_memory(bench, &links, head);
	dma_fence_put(head[0]);
	bench_flush_work();
	return ret;
}
