// SPDX-License-Identifier: GPL-2.0
/*
 * Suite "dma_fence_unwrap": what is found behind containers, and what is left of
 * fences that are merged.
 */

#include <linux/delay.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "mock.h"
#include "mock_fence.h"

/* An array of @nr members on the suite's own references. */
static struct dma_fence *array_of(struct kunit *test, struct dma_fence **members,
				  unsigned int nr)
{
	struct dma_fence_array *array;
	struct dma_fence **fences;
	unsigned int i;

	fences = kmalloc_array(nr, sizeof(*fences), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fences);
	for (i = 0; i < nr; i++)
		fences[i] = dma_fence_get(members[i]);

	array = dma_fence_array_create(nr, fences, dma_fence_context_alloc(1), 1,
				       false);
	KUNIT_ASSERT_NOT_NULL(test, array);
	mock_fence_put_at_exit(test, &array->base);
	return &array->base;
}

/* A chain whose newest link contains @fence, behind @prev. */
static struct dma_fence *chain_of(struct kunit *test, struct dma_fence *prev,
				  struct dma_fence *fence, u64 seqno)
{
	struct dma_fence_chain *node = dma_fence_chain_alloc();

	KUNIT_ASSERT_NOT_NULL(test, node);
	dma_fence_chain_init(node, dma_fence_get(prev), dma_fence_get(fence), seqno);
	mock_fence_put_at_exit(test, &node->base);
	return &node->base;
}

/* A pending fence that lives as long as the test. */
static struct dma_fence *pending(struct kunit *test, u64 context, u64 seqno)
{
	struct dma_fence *fence = mock_fence_create_on(test, context, seqno);

	mock_fence_put_at_exit(test, fence);
	return fence;
}

static void expect_visited(struct kunit *test, struct dma_fence *head,
			   struct dma_fence **expected, unsigned int nr)
{
	struct dma_fence_unwrap cursor;
	struct dma_fence *fence;
	unsigned int i = 0;

	dma_fence_unwrap_for_each(fence, &cursor, head) {
		if (i < nr)
			KUNIT_EXPECT_PTR_EQ(test, fence, expected[i]);
		i++;
	}
	KUNIT_EXPECT_EQ(test, i, nr);
	KUNIT_EXPECT_NULL(test, cursor.chain);
}

/* Passes if nothing is behind nothing. */
static void iterate_null(struct kunit *test)
{
	expect_visited(test, NULL, NULL, 0);
}

/* Passes if a plain fence is behind itself. */
static void iterate_plain_fence(struct kunit *test)
{
	struct dma_fence *fence = pending(test, 0, 0);

	expect_visited(test, fence, &fence, 1);
}

/* Passes if members come in their order, signaled ones too. */
static void iterate_array(struct kunit *test)
{
	struct dma_fence *f[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(f); i++)
		f[i] = pending(test, 0, 0);
	dma_fence_signal(f[1]);
	expect_visited(test, array_of(test, f, 3), f, 3);
}

/* Passes if links come newest first. */
static void iterate_chain(struct kunit *test)
{
	struct dma_fence *f[3], *head = NULL;
	int i;

	for (i = ARRAY_SIZE(f) - 1; i >= 0; i--) {
		f[i] = pending(test, 0, 0);
		head = chain_of(test, head, f[i], 3 - i);
	}
	expect_visited(test, head, f, 3);
}

/* Passes if the walk looks into arrays inside of links. */
static void iterate_chain_of_arrays(struct kunit *test)
{
	struct dma_fence *f[5], *head;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(f); i++)
		f[i] = pending(test, 0, 0);
	head = chain_of(test, NULL, array_of(test, f + 3, 2), 1);
	head = chain_of(test, head, f[2], 2);
	head = chain_of(test, head, array_of(test, f, 2), 3);
	expect_visited(test, head, f, 5);
}

/* Passes if a loop that is left early leaves one reference to drop. */
static void iterate_left_early_keeps_a_link(struct kunit *test)
{
	struct dma_fence *f[2] = { pending(test, 0, 0), pending(test, 0, 0) };
	struct dma_fence *array = array_of(test, f, 2);
	struct dma_fence_unwrap cursor;
	struct dma_fence *fence;

	dma_fence_unwrap_for_each(fence, &cursor, array)
		break;
	KUNIT_EXPECT_PTR_EQ(test, fence, f[0]);
	KUNIT_EXPECT_EQ(test, kref_read(&array->refcount), 2);
	dma_fence_put(cursor.chain);
	KUNIT_EXPECT_EQ(test, kref_read(&array->refcount), 1);
}

/* The members of a merge result must be exactly @expected, by ascending context. */
static void expect_merged(struct kunit *test, struct dma_fence *merged,
			  struct dma_fence **expected, unsigned int nr)
{
	struct dma_fence_unwrap cursor;
	struct dma_fence *fence;
	unsigned int found = 0, i;
	u64 last = 0;

	KUNIT_ASSERT_NOT_NULL(test, merged);
	mock_fence_put_at_exit(test, merged);

	dma_fence_unwrap_for_each(fence, &cursor, merged) {
		KUNIT_EXPECT_GE(test, fence->context, last);
		last = fence->context;
		for (i = 0; i < nr && expected[i] != fence; i++)
			;
		KUNIT_EXPECT_LT_MSG(test, i, nr, "unexpected %llu:%llu",
				    fence->context, fence->seqno);
		found++;
	}
	KUNIT_EXPECT_EQ(test, found, nr);
}

/* Passes if one pending fence comes back itself, with a reference. */
static void merge_of_one_is_that_fence(struct kunit *test)
{
	struct dma_fence *fence = pending(test, 0, 0);
	struct dma_fence *merged = dma_fence_unwrap_merge(fence, NULL);

	KUNIT_EXPECT_PTR_EQ(test, merged, fence);
	KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), 2);
	dma_fence_put(merged);
}

/* Passes if the fence given twice is in the result once. */
static void merge_of_duplicates_is_one(struct kunit *test)
{
	struct dma_fence *fence = pending(test, 0, 0);
	struct dma_fence *merged = dma_fence_unwrap_merge(fence, fence);

	KUNIT_EXPECT_PTR_EQ(test, merged, fence);
	dma_fence_put(merged);
}

/* Passes if only the newest of a timeline is left, wherever it stands. */
static void merge_keeps_the_newest_of_a_context(struct kunit *test)
{
	u64 context = dma_fence_context_alloc(1);
	struct dma_fence *f[3], *merged;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(f); i++)
		f[i] = pending(test, context, i + 1);

	merged = dma_fence_unwrap_merge(f[1], f[2], f[0]);
	KUNIT_EXPECT_PTR_EQ(test, merged, f[2]);
	dma_fence_put(merged);
}

/* Passes if inputs in no order come out in one, without repetition. */
static void merge_of_unsorted_contexts(struct kunit *test)
{
	u64 context = dma_fence_context_alloc(4);
	struct dma_fence *old_a = pending(test, context, 1);
	struct dma_fence *a = pending(test, context, 2);
	struct dma_fence *b = pending(test, context + 1, 1);
	struct dma_fence *c = pending(test, context + 2, 1);
	struct dma_fence *d = pending(test, context + 3, 1);
	struct dma_fence *one[] = { d, old_a, c };
	struct dma_fence *two[] = { c, b, a };
	struct dma_fence *expected[] = { a, b, c, d };

	expect_merged(test,
		      dma_fence_unwrap_merge(array_of(test, one, 3),
					     array_of(test, two, 3)),
		      expected, 4);
}

/* Passes if seqnos are compared as 32 bits wrap, where the driver says so. */
static void merge_compares_wrapped_seqnos(struct kunit *test)
{
	u64 context = dma_fence_context_alloc(1);
	struct dma_fence *before = pending(test, context, U32_MAX);
	struct dma_fence *after = pending(test, context, 1);
	struct dma_fence *merged;

	merged = dma_fence_unwrap_merge(before, after);
	KUNIT_EXPECT_PTR_EQ(test, merged, after);
	dma_fence_put(merged);
}

/* Passes if containers of all kinds are flattened. */
static void merge_flattens_containers(struct kunit *test)
{
	struct dma_fence *f[6], *chain;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(f); i++)
		f[i] = pending(test, 0, 0);
	chain = chain_of(test, NULL, f[0], 1);
	chain = chain_of(test, chain, array_of(test, f + 1, 2), 2);
	expect_merged(test,
		      dma_fence_unwrap_merge(f[5], chain,
					     array_of(test, f + 3, 2), NULL),
		      f, 6);
}

/* Passes if what has signaled is left out. */
static void merge_leaves_signaled_out(struct kunit *test)
{
	struct dma_fence *f[4], *expected[2];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(f); i++)
		f[i] = pending(test, 0, 0);
	dma_fence_signal(f[0]);
	dma_fence_signal(f[2]);
	expected[0] = f[1];
	expected[1] = f[3];
	expect_merged(test, dma_fence_unwrap_merge(array_of(test, f, 2), f[2], f[3]),
		      expected, 2);
}

/* Passes if nothing pending gives a signaled fence, at the latest time seen. */
static void merge_of_signaled_has_the_latest_time(struct kunit *test)
{
	struct dma_fence *f[3], *merged;

	f[0] = pending(test, 0, 0);
	f[1] = pending(test, 0, 0);
	f[2] = pending(test, 0, 0);
	dma_fence_signal_timestamp(f[0], ms_to_ktime(100));
	dma_fence_signal_timestamp(f[1], ms_to_ktime(300));
	dma_fence_signal_timestamp(f[2], ms_to_ktime(200));

	merged = dma_fence_unwrap_merge(f[0], f[1], f[2]);
	KUNIT_ASSERT_NOT_NULL(test, merged);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(merged));
	KUNIT_EXPECT_EQ(test, ktime_to_ms(dma_fence_timestamp(merged)), 300);
	dma_fence_put(merged);
}

/* Passes if nothing at all gives a signaled fence. */
static void merge_of_nothing_is_signaled(struct kunit *test)
{
	struct dma_fence *merged = dma_fence_unwrap_merge(NULL, NULL);

	KUNIT_ASSERT_NOT_NULL(test, merged);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(merged));
	dma_fence_put(merged);
}

/* Passes if the result signals with the last of what went in. */
static void merge_signals_with_the_last(struct kunit *test)
{
	struct dma_fence *f[2] = { pending(test, 0, 0), pending(test, 0, 0) };
	struct dma_fence *merged = dma_fence_unwrap_merge(f[0], f[1]);

	KUNIT_ASSERT_NOT_NULL(test, merged);
	mock_fence_put_at_exit(test, merged);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(merged));
	dma_fence_signal(f[0]);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(merged));
	dma_fence_signal(f[1]);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(merged));
}

/* How the inputs of merge_of_many are shaped. */
struct shape {
	const char *name;
	unsigned int arrays;
	unsigned int members;
	unsigned int contexts;
	bool sorted;
};

static const struct shape shapes[] = {
	{ "two sorted of 256", 2, 256, 512, true },
	{ "two sorted of the same timelines", 2, 64, 64, true },
	{ "64 sorted of 16", 64, 16, 300, true },
	{ "three unsorted", 3, 100, 50, false },
	{ "one timeline", 4, 50, 1, false },
};

static void shape_describe(const struct shape *shape, char *desc)
{
	strscpy(desc, shape->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(shape, shapes, shape_describe);

/* @a before @b, by timeline, then by age. */
static bool ordered(struct dma_fence *a, struct dma_fence *b)
{
	return a->context < b->context ||
	       (a->context == b->context && a->seqno < b->seqno);
}

static void sort_members(struct dma_fence **f, unsigned int nr)
{
	unsigned int i, j;

	for (i = 1; i < nr; i++)
		for (j = i; j && ordered(f[j], f[j - 1]); j--)
			swap(f[j], f[j - 1]);
}

/* Passes if of each timeline the newest member of any input is left, once. */
static void merge_of_many(struct kunit *test)
{
	const struct shape *shape = test->param_value;
	u64 context = dma_fence_context_alloc(shape->contexts);
	struct dma_fence **inputs, **members, **newest, *merged;
	struct dma_fence_unwrap *cursors;
	unsigned int a, m, n, nr = 0;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, 20261121);
	inputs = kunit_kcalloc(test, shape->arrays, sizeof(*inputs), GFP_KERNEL);
	cursors = kunit_kcalloc(test, shape->arrays, sizeof(*cursors), GFP_KERNEL);
	members = kunit_kcalloc(test, shape->members, sizeof(*members), GFP_KERNEL);
	newest = kunit_kcalloc(test, shape->contexts, sizeof(*newest), GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, inputs && cursors && members && newest);

	for (a = 0; a < shape->arrays; a++) {
		for (m = 0; m < shape->members; m++) {
			n = prandom_u32_state(&rnd) % shape->contexts;
			members[m] = pending(test, context + n,
					     1 + prandom_u32_state(&rnd) % 1000);
			if (!newest[n] || dma_fence_is_later(members[m], newest[n]))
				newest[n] = members[m];
		}
		if (shape->sorted)
			sort_members(members, shape->members);
		inputs[a] = array_of(test, members, shape->members);
	}

	merged = __dma_fence_unwrap_merge(shape->arrays, inputs, cursors);
	KUNIT_ASSERT_NOT_NULL(test, merged);
	mock_fence_put_at_exit(test, merged);

	if (dma_fence_is_array(merged)) {
		struct dma_fence_array *array = to_dma_fence_array(merged);

		for (m = 0; m < array->num_fences; m++) {
			struct dma_fence *fence = array->fences[m];
			struct dma_fence *best = newest[fence->context - context];

			/* Several of a timeline may have the seqno of the newest. */
			KUNIT_ASSERT_EQ(test, fence->seqno, best->seqno);
			if (m)
				KUNIT_ASSERT_GT(test, fence->context,
						array->fences[m - 1]->context);
		}
		nr = array->num_fences;
	} else {
		KUNIT_EXPECT_EQ(test, merged->seqno, newest[0]->seqno);
		nr = 1;
	}
	for (n = 0; n < shape->contexts; n++)
		nr -= !!newest[n];
	KUNIT_EXPECT_EQ(test, nr, 0);
}

/* Passes if a chain that was merged into an array can be merged and put again. */
static void merge_of_merges_stays_flat(struct kunit *test)
{
	struct dma_fence *f[3], *inner, *outer;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(f); i++)
		f[i] = pending(test, 0, 0);
	inner = dma_fence_unwrap_merge(f[0], chain_of(test, NULL, f[1], 1));
	KUNIT_ASSERT_NOT_NULL(test, inner);
	outer = dma_fence_unwrap_merge(chain_of(test, NULL, inner, 1), f[2]);
	dma_fence_put(inner);
	expect_merged(test, outer, f, 3);
}

/* Passes if work that has failed is work that is over: no trace of it is left. */
static void merge_leaves_failed_out(struct kunit *test)
{
	struct dma_fence *f[2] = { pending(test, 0, 0), pending(test, 0, 0) };
	struct dma_fence *merged;

	dma_fence_set_error(f[0], -EIO);
	dma_fence_signal(f[0]);
	merged = dma_fence_unwrap_merge(f[0], f[1]);
	KUNIT_EXPECT_PTR_EQ(test, merged, f[1]);
	dma_fence_put(merged);

	merged = dma_fence_unwrap_merge(f[0]);
	KUNIT_ASSERT_NOT_NULL(test, merged);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(merged), 1);
	dma_fence_put(merged);
}

/* Passes if a merge that ends up with one fence has no reference to others. */
static void merge_drops_what_it_does_not_use(struct kunit *test)
{
	u64 context = dma_fence_context_alloc(2);
	struct dma_fence *f[4], *one, *two, *merged;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(f); i++)
		f[i] = pending(test, context + i % 2, i + 1);
	one = array_of(test, f, 2);
	two = array_of(test, f + 2, 2);
	merged = dma_fence_unwrap_merge(two, one);
	KUNIT_ASSERT_NOT_NULL(test, merged);
	for (i = 0; i < ARRAY_SIZE(f); i++)
		KUNIT_EXPECT_EQ(test, kref_read(&f[i]->refcount), i < 2 ? 2 : 3);
	dma_fence_put(merged);
	for (i = 0; i < ARRAY_SIZE(f); i++)
		KUNIT_EXPECT_EQ(test, kref_read(&f[i]->refcount), 2);
}

#if DMABUF_OURS
/* One more than an array can have: see dma_fence_array_alloc(). */
#define TOO_MANY (KMALLOC_MAX_SIZE / sizeof(struct dma_fence_array_cb))

/* The chain around the fences is put by now, but takes a while to go. */
static void put_all(void *data)
{
	struct dma_fence **f = data;
	unsigned int tries, i;

	for (tries = 0; tries < 1000 && *f && kref_read(&f[0]->refcount) > 1; tries++)
		msleep(20);
	for (i = 0; f[i]; i++)
		dma_fence_put(f[i]);
	kvfree(f);
}

/*
 * Passes if a result that cannot be allocated, which user space can bring about,
 * is NULL without a splat and leaves no reference behind.
 */
static void merge_of_too_many_returns_null(struct kunit *test)
{
	struct dma_fence **f, *chain = NULL;
	unsigned int i;

	f = kvcalloc(TOO_MANY + 1, sizeof(*f), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, put_all, f), 0);

	for (i = 0; i < TOO_MANY; i++) {
		struct dma_fence_chain *node = dma_fence_chain_alloc();

		KUNIT_ASSERT_NOT_NULL(test, node);
		f[i] = mock_fence_create(test);
		dma_fence_chain_init(node, chain, dma_fence_get(f[i]), i + 1);
		chain = &node->base;
	}
	mock_fence_put_at_exit(test, chain);

	KUNIT_EXPECT_NULL(test, dma_fence_unwrap_merge(chain));
	for (i = 0; i < TOO_MANY; i++) {
		if (kref_read(&f[i]->refcount) != 2)
			break;
	}
	KUNIT_EXPECT_EQ(test, i, TOO_MANY);
}
#endif

static struct kunit_case dma_fence_unwrap_cases[] = {
	KUNIT_CASE(iterate_null),
	KUNIT_CASE(iterate_plain_fence),
	KUNIT_CASE(iterate_array),
	KUNIT_CASE(iterate_chain),
	KUNIT_CASE(iterate_chain_of_arrays),
	KUNIT_CASE(iterate_left_early_keeps_a_link),
	KUNIT_CASE(merge_of_one_is_that_fence),
	KUNIT_CASE(merge_of_duplicates_is_one),
	KUNIT_CASE(merge_keeps_the_newest_of_a_context),
	KUNIT_CASE(merge_of_unsorted_contexts),
	KUNIT_CASE(merge_compares_wrapped_seqnos),
	KUNIT_CASE(merge_flattens_containers),
	KUNIT_CASE(merge_leaves_signaled_out),
	KUNIT_CASE(merge_of_signaled_has_the_latest_time),
	KUNIT_CASE(merge_of_nothing_is_signaled),
	KUNIT_CASE(merge_signals_with_the_last),
	KUNIT_CASE_PARAM(merge_of_many, shape_gen_params),
	KUNIT_CASE(merge_of_merges_stays_flat),
	KUNIT_CASE(merge_leaves_failed_out),
	KUNIT_CASE(merge_drops_what_it_does_not_use),
#if DMABUF_OURS
	KUNIT_CASE_SLOW(merge_of_too_many_returns_null),
#endif
	{}
};

static struct kunit_suite dma_fence_unwrap_suite = {
	.name = "dma_fence_unwrap",
	.init = mock_fence_init,
	.test_cases = dma_fence_unwrap_cases,
};

kunit_test_suite(dma_fence_unwrap_suite);
