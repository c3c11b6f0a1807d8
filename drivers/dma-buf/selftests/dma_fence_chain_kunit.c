// SPDX-License-Identifier: GPL-2.0
/*
 * Suite "dma_fence_chain": timelines of mock fences: where a point is found, what
 * a walk collects, who is told in which order, and that length does not matter.
 */

#include <linux/delay.h>
#include <linux/dma-fence-chain.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/prandom.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "mock.h"
#include "mock_fence.h"

/* What comes from an irq_work or a work item is waited for so long. */
#define SETTLE_TIMEOUT (30 * HZ)
#define SETTLE_INTERVAL_MS 2

/* Points are that far apart, so that there is something between them. */
#define STEP 3

/* Long enough to overflow any stack; less where a checker runs in an emulator. */
#define DEEP (IS_ENABLED(CONFIG_SMP) ? 20000 : 100000)

/*
 * A chain. Node i waits for fence[i] and has seqno (i + 1) * STEP; every array
 * element has a reference, and so has the head.
 */
struct timeline {
	unsigned int nr;
	struct dma_fence *head;
	struct dma_fence **fence;
	struct dma_fence **node;	/* NULL unless asked for */
};

static u64 seqno_of(unsigned int i)
{
	return (u64)(i + 1) * STEP;
}

/* Takes the references to @prev and @fence. */
static struct dma_fence *append(struct kunit *test, struct dma_fence *prev,
				struct dma_fence *fence, u64 seqno)
{
	struct dma_fence_chain *node = dma_fence_chain_alloc();

	KUNIT_ASSERT_NOT_NULL(test, node);
	dma_fence_chain_init(node, prev, fence, seqno);
	return &node->base;
}

/* Drop what is left of a timeline; may be called again. */
static void timeline_fini(void *data)
{
	struct timeline *line = data;
	unsigned int i;

	for (i = 0; i < line->nr; i++) {
		if (line->node)
			dma_fence_put(line->node[i]);
		dma_fence_put(line->fence[i]);
	}
	dma_fence_put(line->head);
	line->nr = 0;
	line->head = NULL;
}

/* Fill a timeline whose arrays have room for @nr, behind @prev. */
static void timeline_fill(struct kunit *test, struct timeline *line,
			  struct dma_fence *prev, unsigned int nr)
{
	u64 context = dma_fence_context_alloc(1);

	line->head = prev;
	for (line->nr = 0; line->nr < nr; line->nr++) {
		unsigned int i = line->nr;

		line->fence[i] = mock_fence_create_on(test, context, i + 1);
		line->head = append(test, line->head, dma_fence_get(line->fence[i]),
				    seqno_of(i));
		if (line->node)
			line->node[i] = dma_fence_get(line->head);
	}
}

static struct timeline *timeline_alloc(struct kunit *test, unsigned int nr,
				       bool keep_nodes)
{
	struct timeline *line = kunit_kzalloc(test, sizeof(*line), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, line);
	line->fence = kunit_kcalloc(test, nr, sizeof(*line->fence), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, line->fence);
	if (keep_nodes) {
		line->node = kunit_kcalloc(test, nr, sizeof(*line->node), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, line->node);
	}
	KUNIT_ASSERT_EQ(test, kunit_add_action(test, timeline_fini, line), 0);
	return line;
}

static struct timeline *timeline(struct kunit *test, unsigned int nr, bool keep_nodes)
{
	struct timeline *line = timeline_alloc(test, nr, keep_nodes);

	timeline_fill(test, line, NULL, nr);
	return line;
}

static bool has_flag(struct dma_fence *fence)
{
	return test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags);
}

/* By what its links tell it: this does not ask. */
static bool becomes_signaled(struct dma_fence *fence)
{
	unsigned long end = jiffies + SETTLE_TIMEOUT;

	while (!has_flag(fence) && time_before(jiffies, end))
		msleep(SETTLE_INTERVAL_MS);

	return has_flag(fence);
}

/* Wait until there are @nr references to @fence. */
static bool becomes_referenced(struct dma_fence *fence, unsigned int nr)
{
	unsigned long end = jiffies + SETTLE_TIMEOUT;

	while (kref_read(&fence->refcount) != nr && time_before(jiffies, end))
		msleep(SETTLE_INTERVAL_MS);

	return kref_read(&fence->refcount) == nr;
}

static void walk(struct dma_fence *head)
{
	struct dma_fence *link;

	dma_fence_chain_for_each(link, head)
		;
}

/* The node that a lookup from @head finds, with a reference; or NULL. */
static struct dma_fence *find(struct kunit *test, struct dma_fence *head, u64 seqno)
{
	struct dma_fence *fence = dma_fence_get(head);
	int ret = dma_fence_chain_find_seqno(&fence, seqno);

	KUNIT_EXPECT_EQ(test, ret, 0);
	return fence;
}

/* What a lookup has to find: the newest pending node that is not beyond @seqno. */
static struct dma_fence *model_find(struct timeline *line, u64 seqno)
{
	int i;

	for (i = 0; seqno_of(i) < seqno; i++)
		;
	if (i == line->nr - 1)
		return line->head;
	while (i >= 0 && has_flag(line->fence[i]))
		i--;
	return i >= 0 ? line->node[i] : NULL;
}

static void expect_find_as_model(struct kunit *test, struct timeline *line)
{
	u64 seqno;

	for (seqno = 1; seqno <= seqno_of(line->nr - 1); seqno++) {
		struct dma_fence *found = find(test, line->head, seqno);

		KUNIT_EXPECT_PTR_EQ_MSG(test, found, model_find(line, seqno),
					"point %llu", seqno);
		dma_fence_put(found);
	}
}

/* Passes if a first node starts a timeline of its own. */
static void init_without_prev(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_create(test), *node;

	node = append(test, NULL, dma_fence_get(fence), 7);
	KUNIT_EXPECT_EQ(test, node->seqno, 7);
	KUNIT_EXPECT_NE(test, node->context, fence->context);
	KUNIT_EXPECT_EQ(test, to_dma_fence_chain(node)->prev_seqno, 0);
	KUNIT_EXPECT_PTR_EQ(test, dma_fence_chain_contained(node), fence);
	dma_fence_put(node);
	dma_fence_put(fence);
}

/* Passes if growing seqnos stay on one timeline and remember their neighbour. */
static void init_with_later_seqno_continues_the_timeline(struct kunit *test)
{
	struct timeline *line = timeline(test, 3, true);
	unsigned int i;

	for (i = 1; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, line->node[i]->context, line->node[0]->context);
		KUNIT_EXPECT_EQ(test, to_dma_fence_chain(line->node[i])->prev_seqno,
				seqno_of(i - 1));
	}
}

/* Passes if a seqno that is no progress starts another timeline, not earlier. */
static void init_with_earlier_seqno_starts_a_timeline(struct kunit *test)
{
	struct timeline *line = timeline(test, 3, false);
	u64 last = seqno_of(2);
	struct dma_fence *node;

	node = append(test, dma_fence_get(line->head), mock_fence_create(test), last);
	KUNIT_EXPECT_NE(test, node->context, line->head->context);
	KUNIT_EXPECT_EQ(test, node->seqno, last);
	KUNIT_EXPECT_EQ(test, to_dma_fence_chain(node)->prev_seqno, 0);
	dma_fence_put(node);

	node = append(test, dma_fence_get(line->head), mock_fence_create(test), 1);
	KUNIT_EXPECT_NE(test, node->context, line->head->context);
	KUNIT_EXPECT_EQ(test, node->seqno, last);
	dma_fence_put(node);
}

/* Passes if a plain fence at the far end has no say in numbers, but is waited for. */
static void init_behind_a_plain_fence(struct kunit *test)
{
	struct dma_fence *plain = mock_fence_create_on(test, 0, 100);
	struct dma_fence *own = mock_fence_create(test), *node;

	node = append(test, dma_fence_get(plain), dma_fence_get(own), 5);
	KUNIT_EXPECT_EQ(test, node->seqno, 5);
	KUNIT_EXPECT_EQ(test, to_dma_fence_chain(node)->prev_seqno, 0);

	dma_fence_signal(own);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(node));
	dma_fence_signal(plain);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(node));
	dma_fence_put(node);
	dma_fence_put(plain);
	dma_fence_put(own);
}

/* Passes if a node as another node's fence is reported, and still waited for. */
static void init_with_a_node_as_fence_warns(struct kunit *test)
{
	struct timeline *line = timeline(test, 2, false);
	struct dma_fence *outer;

	dmabuf_expect_warning_begin(test);
	outer = append(test, NULL, dma_fence_get(line->head), 1);
	dmabuf_expect_warning_end(test);

	/* Not enabled: that would take two locks of one class. */
	dma_fence_signal(line->fence[1]);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(outer));
	dma_fence_signal(line->fence[0]);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(outer));
	dma_fence_put(outer);
}

/* Passes if memory that never became a node can be given back. */
static void free_of_unused_memory(struct kunit *test)
{
	struct dma_fence_chain *node = dma_fence_chain_alloc();

	KUNIT_ASSERT_NOT_NULL(test, node);
	dma_fence_chain_free(node);
	dma_fence_chain_free(NULL);
}

/* Passes if other fences are not mistaken for nodes. */
static void contained_of_other_fence_is_itself(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_create(test);

	KUNIT_EXPECT_NULL(test, to_dma_fence_chain(fence));
	KUNIT_EXPECT_NULL(test, to_dma_fence_chain(NULL));
	KUNIT_EXPECT_PTR_EQ(test, dma_fence_chain_contained(fence), fence);
	KUNIT_EXPECT_NULL(test, dma_fence_chain_contained(NULL));
	dma_fence_put(fence);
}

/* Passes if 0 means the head, whatever kind of fence that is. */
static void find_seqno_zero_returns_the_head(struct kunit *test)
{
	struct timeline *line = timeline(test, 5, false);
	struct dma_fence *fence = find(test, line->head, 0);

	KUNIT_EXPECT_PTR_EQ(test, fence, line->head);
	dma_fence_put(fence);

	fence = find(test, line->fence[0], 0);
	KUNIT_EXPECT_PTR_EQ(test, fence, line->fence[0]);
	dma_fence_put(fence);

	fence = NULL;
	KUNIT_EXPECT_EQ(test, dma_fence_chain_find_seqno(&fence, 0), 0);
	KUNIT_EXPECT_NULL(test, fence);
}

/* Passes if a point in the future is refused and the caller keeps its reference. */
static void find_seqno_beyond_the_head_is_einval(struct kunit *test)
{
	struct timeline *line = timeline(test, 5, false);
	struct dma_fence *fence = dma_fence_get(line->head);

	KUNIT_EXPECT_EQ(test, dma_fence_chain_find_seqno(&fence, seqno_of(4) + 1),
			-EINVAL);
	KUNIT_EXPECT_PTR_EQ(test, fence, line->head);
	dma_fence_put(fence);
}

/* Passes if fences without points have no point but 0. */
static void find_seqno_of_no_chain_is_einval(struct kunit *test)
{
	struct dma_fence *plain = mock_fence_create_on(test, 0, 10), *fence = plain;

	KUNIT_EXPECT_EQ(test, dma_fence_chain_find_seqno(&fence, 1), -EINVAL);
	KUNIT_EXPECT_PTR_EQ(test, fence, plain);
	dma_fence_put(plain);

	fence = NULL;
	KUNIT_EXPECT_EQ(test, dma_fence_chain_find_seqno(&fence, 1), -EINVAL);
	KUNIT_EXPECT_NULL(test, fence);
}

/* Passes if every point, and everything between two, leads to the right node. */
static void find_seqno_of_every_point(struct kunit *test)
{
	static const unsigned int sizes[] = { 1, 2, 8, 9, 10, 64, 65, 200 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct timeline *line = timeline(test, sizes[i], true);

		expect_find_as_model(test, line);
		timeline_fini(line);
	}
}

/* Passes if seqnos are compared in 64 bits. */
static void find_seqno_beyond_32_bits(struct kunit *test)
{
	struct dma_fence *node[4], *found;
	unsigned int i;

	for (i = 0; i < 4; i++)
		node[i] = append(test, i ? dma_fence_get(node[i - 1]) : NULL,
				 mock_fence_create(test), ((u64)i << 32) + 4 - i);
	for (i = 0; i < 4; i++) {
		found = find(test, node[3], node[i]->seqno);
		KUNIT_EXPECT_PTR_EQ(test, found, node[i]);
		dma_fence_put(found);
	}
	for (i = 0; i < 4; i++)
		dma_fence_put(node[i]);
}

/* Passes if the head is the answer for the last points even when it is done. */
static void find_seqno_returns_a_signaled_head(struct kunit *test)
{
	struct timeline *line = timeline(test, 3, true);
	struct dma_fence *found;

	dma_fence_signal(line->fence[2]);
	found = find(test, line->head, seqno_of(2));
	KUNIT_EXPECT_PTR_EQ(test, found, line->head);
	dma_fence_put(found);
}

/* Passes if a node that is done, but is not the last, gives way to an older one. */
static void find_seqno_of_signaled_point_returns_older(struct kunit *test)
{
	struct timeline *line = timeline(test, 40, true);
	struct dma_fence *found;
	unsigned int i;

	for (i = 9; i < 30; i++)
		dma_fence_signal(line->fence[i]);
	found = find(test, line->head, seqno_of(25));
	KUNIT_EXPECT_PTR_EQ(test, found, line->node[8]);
	dma_fence_put(found);
}

/* Passes if there is nothing to wait for where all older points have signaled. */
static void find_seqno_when_all_older_signaled_returns_null(struct kunit *test)
{
	struct timeline *line = timeline(test, 40, true);
	unsigned int i;

	for (i = 0; i < 20; i++)
		dma_fence_signal(line->fence[i]);
	KUNIT_EXPECT_NULL(test, find(test, line->head, seqno_of(19)));
	KUNIT_EXPECT_NULL(test, find(test, line->head, 1));
}

/*
 * Passes if lookups are right after any order of signals and collection. The order
 * is pseudo-random, but the same in each run.
 */
static void find_seqno_after_random_signals(struct kunit *test)
{
	struct rnd_state rnd;
	unsigned int run, i;

	prandom_seed_state(&rnd, 4711);
	for (run = 0; run < 10; run++) {
		struct timeline *line = timeline(test, 150, true);

		for (i = 0; i < 15; i++) {
			unsigned int k;

			for (k = 0; k < 10; k++)
				dma_fence_signal(line->fence[prandom_u32_state(&rnd) % 150]);
			if (prandom_u32_state(&rnd) & 1)
				walk(line->head);
			expect_find_as_model(test, line);
		}
		timeline_fini(line);
	}
}

/* Passes if lookups stay right while old points go and new ones are appended. */
static void find_seqno_in_a_moving_window(struct kunit *test)
{
	struct timeline *line = timeline_alloc(test, 600, true);
	u64 context = dma_fence_context_alloc(1);
	unsigned int i;

	for (i = 0; i < 600; i++) {
		line->fence[i] = mock_fence_create_on(test, context, i + 1);
		line->head = append(test, line->head, dma_fence_get(line->fence[i]),
				    seqno_of(i));
		line->node[i] = dma_fence_get(line->head);
		line->nr = i + 1;
		if (i >= 100)
			dma_fence_signal(line->fence[i - 100]);
		if (i % 3 == 0)
			walk(line->head);
		if (i % 37 == 0)
			expect_find_as_model(test, line);
	}
}

/* Passes if a lookup does not go on into the timeline behind this one. */
static void find_seqno_ends_at_another_timeline(struct kunit *test)
{
	struct timeline *old = timeline(test, 20, false);
	struct dma_fence *node[12], *found;
	unsigned int i;

	for (i = 0; i < 12; i++)
		node[i] = append(test, i ? dma_fence_get(node[i - 1]) :
				 dma_fence_get(old->head),
				 mock_fence_create(test), seqno_of(19) + i);
	KUNIT_EXPECT_NE(test, node[0]->context, old->head->context);
	KUNIT_EXPECT_EQ(test, node[11]->context, node[0]->context);

	/* The first node stands for all points up to its own. */
	found = find(test, node[11], 1);
	KUNIT_EXPECT_PTR_EQ(test, found, node[0]);
	dma_fence_put(found);

	/* Once that is done, the end of the other timeline does. */
	dma_fence_signal(dma_fence_chain_contained(node[0]));
	found = find(test, node[11], 1);
	KUNIT_EXPECT_PTR_EQ(test, found, old->head);
	dma_fence_put(found);
	walk(node[11]);
	found = find(test, node[11], 1);
	KUNIT_EXPECT_PTR_EQ(test, found, old->head);
	dma_fence_put(found);

	for (i = 0; i < 12; i++)
		dma_fence_put(node[i]);
}

/* Passes if the plain fence at the far end is found when it is all that is left. */
static void find_seqno_ends_at_a_plain_fence(struct kunit *test)
{
	struct dma_fence *plain = mock_fence_create_on(test, 0, 1), *found;
	struct timeline *line = timeline_alloc(test, 20, false);
	unsigned int i;

	timeline_fill(test, line, dma_fence_get(plain), 20);
	for (i = 0; i < 19; i++)
		dma_fence_signal(line->fence[i]);

	for (i = 0; i < 2; i++) {
		found = find(test, line->head, seqno_of(5));
		KUNIT_EXPECT_PTR_EQ(test, found, plain);
		dma_fence_put(found);
		walk(line->head);
	}
	dma_fence_signal(plain);
	KUNIT_EXPECT_NULL(test, find(test, line->head, seqno_of(5)));
	dma_fence_put(plain);
}

/* Passes if the links come newest first. */
static void iterate_newest_first(struct kunit *test)
{
	struct timeline *line = timeline(test, 10, true);
	struct dma_fence *link;
	unsigned int i = 10;

	dma_fence_chain_for_each(link, line->head) {
		KUNIT_ASSERT_GT(test, i, 0);
		KUNIT_EXPECT_PTR_EQ(test, link, line->node[--i]);
	}
	KUNIT_EXPECT_EQ(test, i, 0);
}

/* Passes if a fence that is no node is a chain of one, and NULL one of none. */
static void iterate_other_fence(struct kunit *test)
{
	struct dma_fence *plain = mock_fence_create(test), *link;
	unsigned int seen = 0;

	dma_fence_chain_for_each(link, plain) {
		KUNIT_EXPECT_PTR_EQ(test, link, plain);
		seen++;
	}
	KUNIT_EXPECT_EQ(test, seen, 1);

	dma_fence_chain_for_each(link, NULL)
		seen++;
	KUNIT_EXPECT_EQ(test, seen, 1);
	dma_fence_put(plain);
}

/* Passes if a walk visits the head and what is pending, and nothing else. */
static void walk_skips_what_has_signaled(struct kunit *test)
{
	struct timeline *line = timeline(test, 30, true);
	unsigned int i, seen = 0;
	struct dma_fence *link;

	for (i = 0; i < 30; i++) {
		if (i % 5)
			dma_fence_signal(line->fence[i]);
	}
	dma_fence_chain_for_each(link, line->head) {
		KUNIT_EXPECT_TRUE(test, link == line->head ||
				  !has_flag(dma_fence_chain_contained(link)));
		seen++;
	}
	KUNIT_EXPECT_EQ(test, seen, 7);
}

/* Passes if what a walk has passed over is freed at once, in any order. */
static void walk_frees_what_has_signaled(struct kunit *test)
{
	int before = mock_fence_live();
	unsigned int i, left = 500;
	struct timeline *line = timeline_alloc(test, left, false);

	timeline_fill(test, line, NULL, left);
	for (i = 0; i < 499; i++) {
		/* 157 and 499 have no common divisor: each one, shuffled. */
		unsigned int k = i * 157 % 499;

		dma_fence_signal(line->fence[k]);
		dma_fence_put(line->fence[k]);
		line->fence[k] = NULL;
		left--;
		if (i % 10 == 0) {
			walk(line->head);
			KUNIT_EXPECT_EQ(test, mock_fence_live(), before + left);
		}
	}
	walk(line->head);
	KUNIT_EXPECT_EQ(test, mock_fence_live(), before + 1);
}

/* Passes if a node that has signaled as such is enough to let go of the rest. */
static void walk_behind_a_signaled_node(struct kunit *test)
{
	int before = mock_fence_live();
	struct timeline *line = timeline_alloc(test, 100, false);
	struct dma_fence *middle;
	unsigned int i;

	timeline_fill(test, line, NULL, 50);
	middle = line->head;
	dma_fence_enable_sw_signaling(middle);
	for (i = 0; i < 50; i++)
		dma_fence_signal(line->fence[i]);
	KUNIT_EXPECT_TRUE(test, becomes_signaled(middle));

	line->fence[50] = mock_fence_create(test);
	line->head = append(test, middle, dma_fence_get(line->fence[50]), seqno_of(50));
	line->nr = 51;
	for (i = 0; i < 50; i++) {
		dma_fence_put(line->fence[i]);
		line->fence[i] = NULL;
	}
	KUNIT_EXPECT_NULL(test, dma_fence_chain_walk(dma_fence_get(line->head)));
	KUNIT_EXPECT_EQ(test, mock_fence_live(), before + 1);
}

/* Passes if a chain is done when the last of its fences is, in whatever order. */
static void is_signaled_asks_every_link(struct kunit *test)
{
	struct timeline *line = timeline(test, 7, false);
	unsigned int i;

	for (i = 0; i < 7; i++) {
		KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(line->head));
		dma_fence_signal(line->fence[i * 3 % 7]);
	}
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(line->head));
}

/* Passes if fences that are done, but have told nobody, are found by asking. */
static void is_signaled_finds_silent_links(struct kunit *test)
{
	struct timeline *line = timeline(test, 3, false);

	to_mock_fence(line->fence[2])->done = true;
	to_mock_fence(line->fence[0])->done = true;
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(line->head));
	to_mock_fence(line->fence[1])->done = true;
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(line->head));
}

/* A callback on each of a number of nodes. */
struct listeners {
	struct timeline *line;
	struct listener {
		struct dma_fence_cb cb;
		struct listeners *all;
		unsigned int index;
		int ret;
		atomic_t called;
		atomic_t early;
	} listener[];
};

/* Counts, and whether something at or behind the node was still pending. */
static void listen(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct listener *me = container_of(cb, struct listener, cb);
	unsigned int i;

	atomic_inc(&me->called);
	for (i = 0; i <= me->index; i++) {
		if (!has_flag(me->all->line->fence[i]))
			atomic_inc(&me->early);
	}
}

static struct listeners *listeners(struct kunit *test, struct timeline *line)
{
	struct listeners *all;
	unsigned int i;

	all = kunit_kzalloc(test, struct_size(all, listener, line->nr), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, all);
	all->line = line;
	for (i = 0; i < line->nr; i++) {
		struct listener *listener = &all->listener[i];

		listener->all = all;
		listener->index = i;
		listener->ret = dma_fence_add_callback(line->node[i], &listener->cb,
						       listen);
		KUNIT_EXPECT_EQ(test, listener->ret, 0);
	}
	return all;
}

static void expect_all_called(struct kunit *test, struct listeners *all)
{
	unsigned int i;

	for (i = 0; i < all->line->nr; i++) {
		KUNIT_ASSERT_TRUE(test, becomes_signaled(all->line->node[i]));
		KUNIT_EXPECT_EQ(test, atomic_read(&all->listener[i].called), 1);
		KUNIT_EXPECT_EQ(test, atomic_read(&all->listener[i].early), 0);
	}
}

/* Prime, so that every stride reaches all; more than one round of the queue. */
#define LISTENERS 601

static void signal_order(struct kunit *test, unsigned int factor, unsigned int first,
			 unsigned int pause)
{
	struct timeline *line = timeline(test, LISTENERS, true);
	struct listeners *all = listeners(test, line);
	unsigned int i;

	for (i = 0; i < LISTENERS; i++) {
		dma_fence_signal(line->fence[(first + i * factor) % LISTENERS]);
		if (pause && i % pause == 0)
			msleep(SETTLE_INTERVAL_MS);
	}
	expect_all_called(test, all);
}

/* Passes if each callback comes once and in time: signals in order. */
static void callback_on_every_node_oldest_first(struct kunit *test)
{
	signal_order(test, 1, 0, 50);
}

/* As above, and everything becomes due with the last signal. */
static void callback_on_every_node_newest_first(struct kunit *test)
{
	signal_order(test, LISTENERS - 1, LISTENERS - 1, 50);
}

/* As above, in one go: the irq_works of all nodes are pending together. */
static void callback_on_every_node_at_once(struct kunit *test)
{
	signal_order(test, LISTENERS - 1, LISTENERS - 1, 0);
}

/* As above, shuffled. */
static void callback_on_every_node_shuffled(struct kunit *test)
{
	signal_order(test, 77, 5, 20);
}

/* Passes if the head alone follows a chain that signals from its end. */
static void callback_on_the_head_newest_first(struct kunit *test)
{
	struct timeline *line = timeline(test, 20, false);
	int i;

	dma_fence_enable_sw_signaling(line->head);
	for (i = 19; i >= 0; i--) {
		KUNIT_EXPECT_FALSE(test, has_flag(line->head));
		dma_fence_signal(line->fence[i]);
		if (i % 4 == 0)
			msleep(20);
	}
	KUNIT_EXPECT_TRUE(test, becomes_signaled(line->head));
}

/* Passes if waiting works when the head's own fence is done, but no older one. */
static void callback_with_own_fence_signaled(struct kunit *test)
{
	struct timeline *line = timeline(test, 3, false);

	dma_fence_signal(line->fence[2]);
	dma_fence_enable_sw_signaling(line->head);
	KUNIT_EXPECT_FALSE(test, has_flag(line->head));
	dma_fence_signal(line->fence[0]);
	msleep(20);
	KUNIT_EXPECT_FALSE(test, has_flag(line->head));
	dma_fence_signal(line->fence[1]);
	KUNIT_EXPECT_TRUE(test, becomes_signaled(line->head));
}

/* Passes if the plain fence at the far end is waited for like the others. */
static void callback_with_a_plain_fence_last(struct kunit *test)
{
	unsigned int early;

	for (early = 0; early < 2; early++) {
		struct dma_fence *plain = mock_fence_create(test);
		struct timeline *line = timeline_alloc(test, 2, false);

		timeline_fill(test, line, dma_fence_get(plain), 2);
		if (!early)
			dma_fence_enable_sw_signaling(line->head);
		dma_fence_signal(line->fence[1]);
		dma_fence_signal(line->fence[0]);
		if (early)
			dma_fence_enable_sw_signaling(line->head);
		msleep(20);
		KUNIT_EXPECT_FALSE(test, has_flag(line->head));
		dma_fence_signal(plain);
		KUNIT_EXPECT_TRUE(test, becomes_signaled(line->head));
		dma_fence_put(plain);
		timeline_fini(line);
	}
}

/* Passes if there is no waiting for a chain that is done. */
static void callback_when_done_returns_enoent(struct kunit *test)
{
	struct timeline *line = timeline(test, 5, false);
	struct dma_fence_cb cb;
	unsigned int i;

	for (i = 0; i < 5; i++)
		dma_fence_signal(line->fence[i]);
	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(line->head, &cb, listen), -ENOENT);
	KUNIT_EXPECT_TRUE(test, has_flag(line->head));
}

/* Passes if a node that is waited for outlives everybody's references to it. */
static void put_while_enabled(struct kunit *test)
{
	struct timeline *line = timeline(test, 20, true);
	struct listeners *all = listeners(test, line);
	struct dma_fence *head = line->head;
	int i;

	line->head = NULL;
	for (i = 0; i < 19; i++) {
		dma_fence_put(line->node[i]);
		line->node[i] = NULL;
	}
	dma_fence_put(head);

	for (i = 19; i >= 0; i--)
		dma_fence_signal(line->fence[i]);
	KUNIT_EXPECT_TRUE(test, becomes_signaled(line->node[19]));
	for (i = 0; i < 20; i++) {
		KUNIT_EXPECT_EQ(test, atomic_read(&all->listener[i].called), 1);
		KUNIT_EXPECT_EQ(test, atomic_read(&all->listener[i].early), 0);
	}
}

/* Passes if whatever is pending hears of a deadline. */
static void set_deadline_reaches_pending_links(struct kunit *test)
{
	struct dma_fence *plain = mock_fence_create(test);
	struct timeline *line = timeline_alloc(test, 4, false);
	ktime_t deadline = ktime_add_ms(ktime_get(), 1000);

	timeline_fill(test, line, dma_fence_get(plain), 4);
	dma_fence_signal(line->fence[1]);
	dma_fence_set_deadline(line->head, deadline);
	KUNIT_EXPECT_EQ(test, to_mock_fence(line->fence[3])->deadline, deadline);
	KUNIT_EXPECT_EQ(test, to_mock_fence(line->fence[2])->deadline, deadline);
	KUNIT_EXPECT_EQ(test, to_mock_fence(line->fence[1])->deadline, 0);
	KUNIT_EXPECT_EQ(test, to_mock_fence(line->fence[0])->deadline, deadline);
	KUNIT_EXPECT_EQ(test, to_mock_fence(plain)->deadline, deadline);
	dma_fence_put(plain);
}

/* A chain of @nr nodes around one and the same fence, which counts them. */
static struct dma_fence *deep_chain(struct kunit *test, struct dma_fence *fence,
				    unsigned int nr)
{
	struct dma_fence *head = NULL;
	unsigned int i;

	for (i = 0; i < nr; i++)
		head = append(test, head, dma_fence_get(fence), i + 1);
	return head;
}

/* Passes if the stack and the watchdogs survive, and every node goes. */
static void release_of_a_deep_chain(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_create(test);
	struct dma_fence *head = deep_chain(test, fence, DEEP);

	mock_fence_put_at_exit(test, fence);
	KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), DEEP + 1);
	dma_fence_put(head);
	KUNIT_EXPECT_TRUE(test, becomes_referenced(fence, 1));
	rcu_barrier();
}

/* As above, when the whole chain signals and a walk collects it. */
static void walk_of_a_deep_chain(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_create(test);
	struct dma_fence *head = deep_chain(test, fence, DEEP);

	mock_fence_put_at_exit(test, fence);
	dma_fence_enable_sw_signaling(head);
	dma_fence_signal(fence);
	walk(head);
	KUNIT_EXPECT_TRUE(test, becomes_signaled(head));
	dma_fence_put(head);
	KUNIT_EXPECT_TRUE(test, becomes_referenced(fence, 1));
	rcu_barrier();
}

#if DMABUF_OURS
/* Passes if a release with interrupts off leaves most of the work to others. */
static void release_of_a_deep_chain_is_bounded(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_create(test);
	struct dma_fence *head = deep_chain(test, fence, DEEP);
	unsigned int left;
	unsigned long flags;

	mock_fence_put_at_exit(test, fence);
	local_irq_save(flags);
	dma_fence_put(head);
	left = kref_read(&fence->refcount);
	local_irq_restore(flags);
	KUNIT_EXPECT_GT(test, left, DEEP / 2);
	KUNIT_EXPECT_TRUE(test, becomes_referenced(fence, 1));
	rcu_barrier();
}

/* The least time that @nr lookups of the oldest point take. */
static u64 lookup_ns(struct dma_fence *head, unsigned int nr)
{
	u64 best = U64_MAX;
	unsigned int run, i;

	for (run = 0; run < 10; run++) {
		u64 start = ktime_get_ns();

		for (i = 0; i < nr; i++) {
			struct dma_fence *fence = dma_fence_get(head);

			dma_fence_chain_find_seqno(&fence, 1);
			dma_fence_put(fence);
		}
		best = min(best, ktime_get_ns() - start);
	}
	return best;
}

/* Passes if a point of a chain a thousand times as long is not much farther. */
static void find_seqno_in_a_deep_chain_is_quick(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_create(test);
	struct dma_fence *shallow = deep_chain(test, fence, DEEP / 1000);
	struct dma_fence *deep = deep_chain(test, fence, DEEP);
	u64 shallow_ns, deep_ns;

	mock_fence_put_at_exit(test, fence);
	mock_fence_put_at_exit(test, shallow);
	mock_fence_put_at_exit(test, deep);

	shallow_ns = lookup_ns(shallow, 20);
	deep_ns = lookup_ns(deep, 20);
	/* Some 3 times; 1000 times if it were linear. */
	KUNIT_EXPECT_LT(test, deep_ns, 30 * shallow_ns);
}
#endif

/* What a race is about. */
#define RACE_NODES 40

struct race_ctx {
	struct timeline line;
	struct dma_fence *fence[RACE_NODES];
	struct dma_fence *node[RACE_NODES];
	struct listener_slot {
		struct dma_fence_cb cb;
		atomic_t called;
		int ret;
	} slot[RACE_NODES];
	unsigned int round;
	unsigned int wrong;
};

static void race_prepare(struct kunit *test, void *data)
{
	struct race_ctx *ctx = data;
	unsigned int i;

	ctx->line.fence = ctx->fence;
	ctx->line.node = NULL;
	timeline_fill(test, &ctx->line, NULL, RACE_NODES);
	ctx->round++;
	ctx->wrong = 0;
	for (i = 0; i < RACE_NODES; i++)
		atomic_set(&ctx->slot[i].called, 0);
}

static void race_fini(struct kunit *test, void *data)
{
	struct race_ctx *ctx = data;

	KUNIT_EXPECT_EQ(test, ctx->wrong, 0);
	timeline_fini(&ctx->line);
}

/* Signal everything but the head, in an order that differs between rounds. */
static void race_signal(void *data)
{
	static const unsigned int factor[] = { 1, 38, 7, 16 };
	struct race_ctx *ctx = data;
	unsigned int i;

	for (i = 0; i < RACE_NODES - 1; i++) {
		dma_fence_signal(ctx->fence[i * factor[ctx->round % 4] %
					    (RACE_NODES - 1)]);
		if (i % 8 == 7)
			cond_resched();
	}
}

/*
 * Look up every point. The answer must be at or before it, and everything between
 * must have signaled by now: it had when it was passed over.
 */
static void race_find(void *data)
{
	struct race_ctx *ctx = data;
	unsigned int i;

	for (i = 0; i < RACE_NODES - 1; i++) {
		unsigned int point = i * 11 % (RACE_NODES - 1);
		struct dma_fence *found = dma_fence_get(ctx->line.head);
		int k, last;

		if (dma_fence_chain_find_seqno(&found, seqno_of(point)))
			ctx->wrong++;
		last = found ? (int)div_u64(found->seqno, STEP) - 1 : -1;
		if (last > (int)point)
			ctx->wrong++;
		for (k = last + 1; k <= (int)point; k++) {
			if (!has_flag(ctx->fence[k]))
				ctx->wrong++;
		}
		dma_fence_put(found);
		if (i % 8 == 0)
			cond_resched();
	}
}

/* Collect, from the head and from somewhere in the middle. */
static void race_walk(void *data)
{
	struct race_ctx *ctx = data;
	unsigned int i;

	for (i = 0; i < 8; i++) {
		struct dma_fence *link = dma_fence_get(ctx->line.head);

		dma_fence_chain_find_seqno(&link, seqno_of(i * 5));
		cond_resched();
		while (link)
			link = dma_fence_chain_walk(link);
		walk(ctx->line.head);
	}
}

/*
 * Passes if lookups, walks and signals that happen at once neither lose a pending
 * point nor touch freed memory.
 */
static void find_seqno_races_with_walk(struct kunit *test)
{
	struct race_ctx *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	struct mock_race race = {
		.ctx = ctx,
		.rounds = 300,
		.prepare = race_prepare,
		.check = race_fini,
		.racer = { race_find, race_signal, race_walk, race_walk },
	};

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	mock_race(test, &race);
}

static void race_call(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	atomic_inc(&container_of(cb, struct listener_slot, cb)->called);
}

static void race_prepare_nodes(struct kunit *test, void *data)
{
	struct race_ctx *ctx = data;
	struct dma_fence *link;
	unsigned int i = RACE_NODES;

	race_prepare(test, data);
	dma_fence_chain_for_each(link, ctx->line.head)
		ctx->node[--i] = dma_fence_get(link);
	ctx->line.node = ctx->node;
}

static void race_enable(void *data)
{
	struct race_ctx *ctx = data;
	unsigned int i;

	for (i = 0; i < RACE_NODES; i++) {
		unsigned int k = (i * 17 + ctx->round) % RACE_NODES;

		ctx->slot[k].ret = dma_fence_add_callback(ctx->node[k],
							  &ctx->slot[k].cb, race_call);
		if (i % 8 == 0)
			cond_resched();
	}
}

static void race_signal_all(void *data)
{
	struct race_ctx *ctx = data;

	race_signal(data);
	dma_fence_signal(ctx->fence[RACE_NODES - 1]);
}

static void race_ask(void *data)
{
	struct race_ctx *ctx = data;
	unsigned int i;

	for (i = 0; i < RACE_NODES; i++) {
		dma_fence_is_signaled(ctx->node[i]);
		if (i % 8 == 0)
			cond_resched();
	}
}

static void race_expect_called(struct kunit *test, void *data)
{
	struct race_ctx *ctx = data;
	unsigned int i;

	for (i = 0; i < RACE_NODES; i++) {
		struct listener_slot *slot = &ctx->slot[i];

		if (slot->ret)
			KUNIT_EXPECT_EQ(test, slot->ret, -ENOENT);
		KUNIT_ASSERT_TRUE(test, becomes_signaled(ctx->node[i]));
		KUNIT_EXPECT_EQ(test, atomic_read(&slot->called), slot->ret ? 0 : 1);
	}
	race_fini(test, data);
}

/*
 * Passes if, whatever the order, each node signals by itself, and its callback is
 * called once if it could be added.
 */
static void enable_races_with_signal(struct kunit *test)
{
	struct race_ctx *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	struct mock_race race = {
		.ctx = ctx,
		.rounds = 100,
		.prepare = race_prepare_nodes,
		.check = race_expect_called,
		.racer = { race_enable, race_signal_all, race_ask, race_walk },
	};

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	mock_race(test, &race);
}

static struct kunit_case chain_cases[] = {
	KUNIT_CASE(init_without_prev),
	KUNIT_CASE(init_with_later_seqno_continues_the_timeline),
	KUNIT_CASE(init_with_earlier_seqno_starts_a_timeline),
	KUNIT_CASE(init_behind_a_plain_fence),
	KUNIT_CASE(init_with_a_node_as_fence_warns),
	KUNIT_CASE(free_of_unused_memory),
	KUNIT_CASE(contained_of_other_fence_is_itself),
	KUNIT_CASE(find_seqno_zero_returns_the_head),
	KUNIT_CASE(find_seqno_beyond_the_head_is_einval),
	KUNIT_CASE(find_seqno_of_no_chain_is_einval),
	KUNIT_CASE(find_seqno_of_every_point),
	KUNIT_CASE(find_seqno_beyond_32_bits),
	KUNIT_CASE(find_seqno_returns_a_signaled_head),
	KUNIT_CASE(find_seqno_of_signaled_point_returns_older),
	KUNIT_CASE(find_seqno_when_all_older_signaled_returns_null),
	KUNIT_CASE(find_seqno_after_random_signals),
	KUNIT_CASE(find_seqno_in_a_moving_window),
	KUNIT_CASE(find_seqno_ends_at_another_timeline),
	KUNIT_CASE(find_seqno_ends_at_a_plain_fence),
	KUNIT_CASE(iterate_newest_first),
	KUNIT_CASE(iterate_other_fence),
	KUNIT_CASE(walk_skips_what_has_signaled),
	KUNIT_CASE(walk_frees_what_has_signaled),
	KUNIT_CASE(walk_behind_a_signaled_node),
	KUNIT_CASE(is_signaled_asks_every_link),
	KUNIT_CASE(is_signaled_finds_silent_links),
	KUNIT_CASE(callback_on_every_node_oldest_first),
	KUNIT_CASE(callback_on_every_node_newest_first),
	KUNIT_CASE(callback_on_every_node_at_once),
	KUNIT_CASE(callback_on_every_node_shuffled),
	KUNIT_CASE(callback_on_the_head_newest_first),
	KUNIT_CASE(callback_with_own_fence_signaled),
	KUNIT_CASE(callback_with_a_plain_fence_last),
	KUNIT_CASE(callback_when_done_returns_enoent),
	KUNIT_CASE(put_while_enabled),
	KUNIT_CASE(set_deadline_reaches_pending_links),
	KUNIT_CASE_SLOW(release_of_a_deep_chain),
	KUNIT_CASE_SLOW(walk_of_a_deep_chain),
#if DMABUF_OURS
	KUNIT_CASE_SLOW(release_of_a_deep_chain_is_bounded),
	KUNIT_CASE_SLOW(find_seqno_in_a_deep_chain_is_quick),
#endif
	KUNIT_CASE_SLOW(find_seqno_races_with_walk),
	KUNIT_CASE_SLOW(enable_races_with_signal),
	{}
};

static struct kunit_suite chain_suite = {
	.name = "dma_fence_chain",
	.init = mock_fence_init,
	.test_cases = chain_cases,
};

kunit_test_suite(chain_suite);
