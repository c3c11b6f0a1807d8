// SPDX-License-Identifier: GPL-2.0
/*
 * Walks over a reservation object: what they visit, who owns what meanwhile, when
 * they start over, and that lockless ones miss nothing while others write.
 */

#include <kunit/test.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/kconfig.h>
#include <linux/minmax.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "mock.h"
#include "mock_fence.h"
#include "mock_resv.h"

/* Both kinds of walk, on an empty object: no fence, and nothing to clean up. */
static void walk_of_empty_object_ends_at_once(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_resv_iter cursor;

	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_BOOKKEEP);
	KUNIT_EXPECT_NULL(test, dma_resv_iter_first_unlocked(&cursor));
	KUNIT_EXPECT_NULL(test, dma_resv_iter_next_unlocked(&cursor));
	dma_resv_iter_end(&cursor);

	mock_resv_lock(test, obj);
	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_BOOKKEEP);
	KUNIT_EXPECT_NULL(test, dma_resv_iter_first(&cursor));
	dma_resv_unlock(obj);
}

/*
 * An object with nr fences of each usage. The sequence number of a fence counts
 * visits, which no one else looks at in fences of different contexts.
 */
static struct dma_resv *fill_all_usages(struct kunit *test, unsigned int nr)
{
	struct dma_resv *obj = mock_resv_create(test);
	unsigned int i;

	for (i = 0; i < nr * MOCK_NR_USAGES; i++) {
		struct dma_fence *fence;

		fence = mock_resv_add_new(test, obj, i % MOCK_NR_USAGES);
		fence->seqno = 100 * (1 + i % MOCK_NR_USAGES);
	}
	return obj;
}

/* How often has the walk come by? The usage must be that of the fence. */
static unsigned int visit(struct kunit *test, struct dma_resv_iter *cursor,
			  struct dma_fence *fence)
{
	KUNIT_EXPECT_EQ(test, fence->seqno / 100, 1 + dma_resv_iter_usage(cursor));
	return fence->seqno++ % 100;
}

/* Each fence of the usage and of the stronger ones, once, with its usage. */
static void unlocked_walk_visits_each_fence_once(struct kunit *test)
{
	const struct mock_resv_param *param = test->param_value;
	struct dma_resv *obj = fill_all_usages(test, param->nr);
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int count = 0;

	dma_resv_iter_begin(&cursor, obj, param->usage);
	dma_resv_for_each_fence_unlocked(&cursor, fence) {
		KUNIT_EXPECT_EQ(test, visit(test, &cursor, fence), 0);
		KUNIT_EXPECT_EQ(test, dma_resv_iter_is_restarted(&cursor), !count);
		KUNIT_EXPECT_LE(test, dma_resv_iter_usage(&cursor), param->usage);
		count++;
	}
	dma_resv_iter_end(&cursor);
	KUNIT_EXPECT_EQ(test, count, param->nr * (param->usage + 1));
}

/* The same with the lock held. */
static void locked_walk_visits_each_fence_once(struct kunit *test)
{
	const struct mock_resv_param *param = test->param_value;
	struct dma_resv *obj = fill_all_usages(test, param->nr);
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int count = 0;

	mock_resv_lock(test, obj);
	dma_resv_for_each_fence(&cursor, obj, param->usage, fence) {
		KUNIT_EXPECT_EQ(test, visit(test, &cursor, fence), 0);
		KUNIT_EXPECT_EQ(test, dma_resv_iter_is_restarted(&cursor), !count);
		KUNIT_EXPECT_LE(test, dma_resv_iter_usage(&cursor), param->usage);
		count++;
	}
	dma_resv_unlock(obj);
	KUNIT_EXPECT_EQ(test, count, param->nr * (param->usage + 1));
}

/* Fences that are done are left out, whether the core knows it or only the driver. */
static void unlocked_walk_leaves_out_signaled_fences(struct kunit *test)
{
	const struct mock_resv_param *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int i, pending = 0;

	for (i = 0; i < param->nr; i++) {
		fence = mock_resv_add_new(test, obj, param->usage);
		if (i % 3 == 0)
			dma_fence_signal(fence);
		else if (i % 3 == 1)
			to_mock_fence(fence)->done = true;
		else
			pending++;
	}
	dma_resv_iter_begin(&cursor, obj, param->usage);
	dma_resv_for_each_fence_unlocked(&cursor, fence) {
		KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fence));
		pending--;
	}
	dma_resv_iter_end(&cursor);
	KUNIT_EXPECT_EQ(test, pending, 0);
}

/* With the lock held nothing is left out: drivers look for their own fences. */
static void locked_walk_shows_signaled_fences(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *fence, *signaled, *found = NULL;
	struct dma_resv_iter cursor;

	signaled = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
	dma_fence_signal(signaled);
	mock_resv_lock(test, obj);
	dma_resv_for_each_fence(&cursor, obj, DMA_RESV_USAGE_READ, fence)
		found = fence;
	dma_resv_unlock(obj);
	KUNIT_EXPECT_PTR_EQ(test, found, signaled);
}

/* The body of a lockless walk owns a reference, even on a fence that was replaced. */
static void unlocked_walk_keeps_fence_alive(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *fence = mock_fence_create(test), *found;
	u64 context = fence->context;
	struct dma_resv_iter cursor;

	mock_resv_add(test, obj, fence, DMA_RESV_USAGE_WRITE);
	dma_fence_put(fence);

	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_WRITE);
	found = dma_resv_iter_first_unlocked(&cursor);
	KUNIT_EXPECT_PTR_EQ(test, found, fence);
	mock_resv_add_on(test, obj, context, 2, DMA_RESV_USAGE_WRITE);
	KUNIT_EXPECT_EQ(test, kref_read(&found->refcount), 1);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(found));
	dma_resv_iter_end(&cursor);
}

/* A loop that is left early leaves no reference behind, nor does a second one. */
static void unlocked_walk_left_early_drops_reference(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *first, *second, *fence;
	struct dma_resv_iter cursor;

	first = mock_resv_add_new(test, obj, DMA_RESV_USAGE_WRITE);
	second = mock_resv_add_new(test, obj, DMA_RESV_USAGE_WRITE);
	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_WRITE);
	dma_resv_for_each_fence_unlocked(&cursor, fence)
		break;
	KUNIT_EXPECT_PTR_EQ(test, fence, first);
	KUNIT_EXPECT_EQ(test, kref_read(&first->refcount), 3);
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_iter_first_unlocked(&cursor), first);
	KUNIT_EXPECT_TRUE(test, dma_resv_iter_is_restarted(&cursor));
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_iter_next_unlocked(&cursor), second);
	dma_resv_iter_end(&cursor);
	KUNIT_EXPECT_EQ(test, kref_read(&first->refcount), 2);
	KUNIT_EXPECT_EQ(test, kref_read(&second->refcount), 2);
}

/* Fences seen in a locked walk may be used until the lock is dropped. */
static void locked_walk_needs_no_reference(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *fence, *last = NULL;
	struct dma_resv_iter cursor;
	int i;

	for (i = 0; i < 20; i++) {
		fence = mock_fence_create(test);
		mock_resv_add(test, obj, fence, i % MOCK_NR_USAGES);
		dma_fence_put(fence);
	}
	mock_resv_lock(test, obj);
	dma_resv_for_each_fence(&cursor, obj, DMA_RESV_USAGE_BOOKKEEP, fence) {
		KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), 1);
		last = fence;
	}
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(last));
	dma_resv_unlock(obj);
}

/*
 * What amdgpu and xe do: take out fences while walking with the lock held. Each
 * fence is seen, and all are gone in the end.
 */
static void locked_walk_may_replace_current_fence(struct kunit *test)
{
	const struct mock_resv_param *param = test->param_value;
	struct dma_resv *obj = fill_all_usages(test, param->nr);
	struct dma_fence *stub = dma_fence_get_stub(), *fence;
	struct dma_resv_iter cursor;
	unsigned int count = 0;

	mock_resv_lock(test, obj);
	dma_resv_for_each_fence(&cursor, obj, DMA_RESV_USAGE_BOOKKEEP, fence) {
		if (fence == stub)
			continue;
		dma_resv_replace_fences(obj, fence->context, stub, param->usage);
		count++;
	}
	dma_resv_unlock(obj);
	KUNIT_EXPECT_EQ(test, count, param->nr * MOCK_NR_USAGES);
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(obj, DMA_RESV_USAGE_BOOKKEEP));
	dma_fence_put(stub);
}

/* A promotion of the current fence does not lose any other. */
static void locked_walk_may_add(struct kunit *test)
{
	const struct mock_resv_param *param = test->param_value;
	struct dma_resv *obj = fill_all_usages(test, param->nr);
	struct dma_fence *fence, *later;
	struct dma_resv_iter cursor;
	unsigned int count = 0;

	mock_resv_lock(test, obj);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 1), 0);
	dma_resv_for_each_fence(&cursor, obj, DMA_RESV_USAGE_BOOKKEEP, fence) {
		if (fence->seqno % 100)
			continue;
		count++;
		if (dma_resv_iter_usage(&cursor) < param->usage)
			continue;
		later = mock_fence_create_on(test, fence->context, 1001);
		dma_resv_add_fence(obj, later, param->usage);
		dma_fence_put(later);
	}
	dma_resv_unlock(obj);
	KUNIT_EXPECT_EQ(test, count, param->nr * MOCK_NR_USAGES);
	KUNIT_EXPECT_EQ(test, mock_resv_size(test, obj, param->usage),
			param->nr * MOCK_NR_USAGES);
}

/* A lockless walk over a list that is superseded begins again, and sees all. */
static void unlocked_walk_restarts_after_growth(struct kunit *test)
{
	const struct mock_resv_param *param = test->param_value;
	struct dma_resv *obj = fill_all_usages(test, param->nr);
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int count = 0;
	bool grown = false;

	dma_resv_iter_begin(&cursor, obj, param->usage);
	dma_resv_for_each_fence_unlocked(&cursor, fence) {
		if (dma_resv_iter_is_restarted(&cursor))
			count = 0;
		else
			KUNIT_EXPECT_GT(test, count, 0);
		count++;
		if (grown)
			continue;
		mock_resv_lock(test, obj);
		KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(obj, 5000), 0);
		dma_resv_unlock(obj);
		grown = true;
	}
	dma_resv_iter_end(&cursor);
	KUNIT_EXPECT_EQ(test, count, param->nr * (param->usage + 1));
}

/* A replacement in place does not make the walk begin again. */
static void unlocked_walk_goes_on_after_replacement(struct kunit *test)
{
	const struct mock_resv_param *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_resv_iter cursor;
	unsigned int i, count = 0;
	struct dma_fence *fence;

	for (i = 0; i < param->nr; i++)
		mock_resv_add_new(test, obj, param->usage);
	mock_resv_lock(test, obj);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 5), 0);
	dma_resv_unlock(obj);

	dma_resv_iter_begin(&cursor, obj, param->usage);
	dma_resv_for_each_fence_unlocked(&cursor, fence) {
		KUNIT_EXPECT_EQ(test, dma_resv_iter_is_restarted(&cursor), !count);
		count++;
		mock_resv_lock(test, obj);
		dma_resv_add_fence(obj, fence, param->usage);
		dma_resv_unlock(obj);
	}
	dma_resv_iter_end(&cursor);
	KUNIT_EXPECT_EQ(test, count, param->nr);
}

#if DMABUF_OURS
/*
 * A reservation in the body of a locked walk is reported by debug kernels, and
 * the walk starts over instead of reading freed memory.
 */
static void locked_walk_with_reservation_is_reported(struct kunit *test)
{
	struct dma_resv *obj = fill_all_usages(test, 5);
	unsigned int count = 0, starts = 0;
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	bool grown = false;

	if (!IS_ENABLED(CONFIG_DEBUG_MUTEXES))
		kunit_skip(test, "needs DEBUG_MUTEXES");

	dmabuf_expect_warning_begin(test);
	mock_resv_lock(test, obj);
	dma_resv_for_each_fence(&cursor, obj, DMA_RESV_USAGE_BOOKKEEP, fence) {
		if (dma_resv_iter_is_restarted(&cursor)) {
			count = 0;
			starts++;
		}
		count++;
		if (!grown && count == 3) {
			KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(obj, 500), 0);
			grown = true;
		}
	}
	dma_resv_unlock(obj);
	dmabuf_expect_warning_end(test);
	KUNIT_EXPECT_EQ(test, count, 20);
	KUNIT_EXPECT_EQ(test, starts, 2);
}

/*
 * A walk that slept while its list was superseded, freed, and its memory used for
 * a later list of the same object, begins again.
 */
static void unlocked_walk_notices_reused_memory(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_resv *other = mock_resv_create(test);
	struct dma_resv_iter cursor;
	unsigned int i, count = 0;
	struct dma_fence *fence;
	const void *old;

	for (i = 0; i < 3; i++) {
		mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
		mock_resv_add_new(test, other, DMA_RESV_USAGE_READ);
	}
	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_READ);
	KUNIT_EXPECT_NOT_NULL(test, dma_resv_iter_first_unlocked(&cursor));
	old = rcu_access_pointer(obj->fences);
	mock_resv_lock(test, obj);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(obj, 100), 0);
	for (i = 0; i < 200 && rcu_access_pointer(obj->fences) != old; i++) {
		rcu_barrier();
		KUNIT_EXPECT_EQ(test, dma_resv_copy_fences(obj, other), 0);
	}
	dma_resv_unlock(obj);

	while ((fence = dma_resv_iter_next_unlocked(&cursor))) {
		KUNIT_EXPECT_EQ(test, dma_resv_iter_is_restarted(&cursor), !count);
		count++;
	}
	dma_resv_iter_end(&cursor);
	KUNIT_EXPECT_EQ(test, count, 3);
	if (i == 200)
		kunit_skip(test, "the allocator did not use the memory again");
}

/* Who walks over an object that is finished meanwhile finds it empty. */
static void unlocked_walk_ends_after_fini(struct kunit *test)
{
	struct dma_fence *first = mock_fence_create(test);
	struct dma_fence *second = mock_fence_create(test);
	struct dma_resv_iter cursor;
	struct dma_resv obj;

	mock_fence_put_at_exit(test, first);
	mock_fence_put_at_exit(test, second);
	dma_resv_init(&obj);
	mock_resv_add(test, &obj, first, DMA_RESV_USAGE_READ);
	mock_resv_add(test, &obj, second, DMA_RESV_USAGE_READ);

	dma_resv_iter_begin(&cursor, &obj, DMA_RESV_USAGE_READ);
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_iter_first_unlocked(&cursor), first);
	dma_resv_fini(&obj);
	KUNIT_EXPECT_NULL(test, dma_resv_iter_next_unlocked(&cursor));
	dma_resv_iter_end(&cursor);
	KUNIT_EXPECT_EQ(test, kref_read(&first->refcount), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&second->refcount), 1);
}
#endif

/*
 * The race: one timeline that always has a pending fence in the object, among
 * others. Its writer changes the object in one of several ways; the reader
 * walks, and must come by a fence of the timeline each time.
 */
struct hunt {
	void (*change)(struct hunt *hunt, unsigned int step);
	struct kunit *test;
	struct dma_resv *obj;
	enum dma_resv_usage asked;
	u64 context;
	u64 seqno;
	unsigned int nr;
	atomic_t missed;
	atomic_t walks;
	atomic_t errors;
};

#define HUNT_STEPS 8

/* The next fence of the timeline, with the given usage. */
static void hunt_add(struct hunt *hunt, enum dma_resv_usage usage)
{
	struct dma_fence *fence;

	fence = mock_fence_create_on(hunt->test, hunt->context, ++hunt->seqno);
	dma_resv_lock(hunt->obj, NULL);
	if (dma_resv_reserve_fences(hunt->obj, 1))
		atomic_inc(&hunt->errors);
	else
		dma_resv_add_fence(hunt->obj, fence, usage);
	dma_resv_unlock(hunt->obj);
	dma_fence_put(fence);
}

/* Later fences with the same usage. */
static void hunt_replace(struct hunt *hunt, unsigned int step)
{
	hunt_add(hunt, DMA_RESV_USAGE_WRITE);
}

/* Later fences, from the weakest usage that is asked for to the strongest. */
static void hunt_promote(struct hunt *hunt, unsigned int step)
{
	hunt_add(hunt, step < DMA_RESV_USAGE_BOOKKEEP ?
		 DMA_RESV_USAGE_READ - step : DMA_RESV_USAGE_KERNEL);
}

/* The usage goes to and fro, but is always one of those asked for. */
static void hunt_retag(struct hunt *hunt, unsigned int step)
{
	struct dma_fence *fence;

	fence = mock_fence_create_on(hunt->test, hunt->context, ++hunt->seqno);
	dma_resv_lock(hunt->obj, NULL);
	dma_resv_replace_fences(hunt->obj, hunt->context, fence,
				step % (hunt->asked + 1));
	dma_resv_unlock(hunt->obj);
	dma_fence_put(fence);
}

/* New lists all the time, of different sizes. */
static void hunt_grow(struct hunt *hunt, unsigned int step)
{
	dma_resv_lock(hunt->obj, NULL);
	if (dma_resv_reserve_fences(hunt->obj, 20 << step))
		atomic_inc(&hunt->errors);
	dma_resv_unlock(hunt->obj);
	hunt_add(hunt, DMA_RESV_USAGE_READ);
}

/* Others come and go around it, in all usages. */
static void hunt_crowd(struct hunt *hunt, unsigned int step)
{
	unsigned int i;

	for (i = 0; i < MOCK_NR_USAGES; i++) {
		struct dma_fence *fence = mock_fence_create(hunt->test);

		dma_resv_lock(hunt->obj, NULL);
		if (dma_resv_reserve_fences(hunt->obj, 1))
			atomic_inc(&hunt->errors);
		else
			dma_resv_add_fence(hunt->obj, fence, i);
		dma_resv_unlock(hunt->obj);
		dma_fence_signal(fence);
		dma_fence_put(fence);
	}
	hunt_promote(hunt, step);
}

/* Promotions of a list that has strays, and slots for only a part of them. */
static void hunt_mix(struct hunt *hunt, unsigned int step)
{
	if (step == 1)
		hunt_retag(hunt, hunt->asked);
	else if (step == 4)
		hunt_grow(hunt, step);
	else
		hunt_promote(hunt, step / 2);
}

static void hunt_prepare(struct kunit *test, void *ctx)
{
	struct hunt *hunt = ctx;
	unsigned int i;

	hunt->obj = kzalloc(sizeof(*hunt->obj), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, hunt->obj);
	dma_resv_init(hunt->obj);
	hunt->context = dma_fence_context_alloc(1);
	hunt->seqno = 0;
	for (i = 0; i < hunt->nr; i++) {
		struct dma_fence *fence = mock_fence_create(test);

		mock_resv_add(test, hunt->obj, fence, i % MOCK_NR_USAGES);
		dma_fence_put(fence);
	}
	hunt_add(hunt, DMA_RESV_USAGE_READ);
}

static void hunt_writer(void *ctx)
{
	struct hunt *hunt = ctx;
	unsigned int step;

	for (step = 0; step < HUNT_STEPS; step++) {
		hunt->change(hunt, step);
		cond_resched();
	}
}

static void hunt_reader(void *ctx)
{
	struct hunt *hunt = ctx;
	int i;

	for (i = 0; i < HUNT_STEPS; i++) {
		struct dma_resv_iter cursor;
		struct dma_fence *fence;
		bool found = false;

		dma_resv_iter_begin(&cursor, hunt->obj, hunt->asked);
		dma_resv_for_each_fence_unlocked(&cursor, fence) {
			if (dma_resv_iter_is_restarted(&cursor))
				found = false;
			found |= fence->context == hunt->context;
			/* Let the writer in between any two fences. */
			cond_resched();
		}
		dma_resv_iter_end(&cursor);
		atomic_inc(&hunt->walks);
		if (!found)
			atomic_inc(&hunt->missed);
	}
}

/* As above, but all at once. */
static void hunt_collector(void *ctx)
{
	struct hunt *hunt = ctx;
	int i;

	for (i = 0; i < HUNT_STEPS; i++) {
		struct dma_fence **fences;
		unsigned int nr;
		bool found = false;

		if (dma_resv_get_fences(hunt->obj, hunt->asked, &nr, &fences)) {
			atomic_inc(&hunt->errors);
			return;
		}
		while (nr--) {
			found |= fences[nr]->context == hunt->context;
			dma_fence_put(fences[nr]);
		}
		kfree(fences);
		if (!found || dma_resv_test_signaled(hunt->obj, hunt->asked))
			atomic_inc(&hunt->missed);
		cond_resched();
	}
}

static void hunt_check(struct kunit *test, void *ctx)
{
	struct hunt *hunt = ctx;

	dma_resv_fini(hunt->obj);
	kfree(hunt->obj);
}

struct hunt_param {
	const char *name;
	void (*change)(struct hunt *hunt, unsigned int step);
	unsigned int nr;
};

static const struct hunt_param hunt_params[] = {
	{ "replace, few", hunt_replace, 3 },
	{ "replace, many", hunt_replace, 40 },
	{ "promote, alone", hunt_promote, 0 },
	{ "promote, few", hunt_promote, 6 },
	{ "promote, many", hunt_promote, 40 },
	{ "retag, few", hunt_retag, 6 },
	{ "retag, many", hunt_retag, 40 },
	{ "grow, few", hunt_grow, 6 },
	{ "grow, many", hunt_grow, 40 },
	{ "crowd, few", hunt_crowd, 6 },
	{ "crowd, many", hunt_crowd, 40 },
	{ "mix, few", hunt_mix, 6 },
	{ "mix, many", hunt_mix, 40 },
};

static void hunt_desc(const struct hunt_param *param, char *desc)
{
	strscpy(desc, param->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(hunt, hunt_params, hunt_desc);

/* No walk misses the timeline, however the writer changes the object. */
static void unlocked_walk_races_writer(struct kunit *test)
{
	const struct hunt_param *param = test->param_value;
	struct hunt *hunt = kunit_kzalloc(test, sizeof(*hunt), GFP_KERNEL);
	struct mock_race race = {
		.ctx = hunt,
		.rounds = 120,
		.prepare = hunt_prepare,
		.check = hunt_check,
		.racer = { hunt_reader, hunt_writer, hunt_collector },
	};

	KUNIT_ASSERT_NOT_NULL(test, hunt);
	hunt->test = test;
	hunt->change = param->change;
	hunt->nr = param->nr;
	hunt->asked = DMA_RESV_USAGE_READ;
	mock_race(test, &race);
	KUNIT_EXPECT_EQ(test, atomic_read(&hunt->errors), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&hunt->missed), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&hunt->walks), race.rounds * HUNT_STEPS);
}

/*
 * The same interleaving by hand, once for each place: a walk is at its nth fence
 * when a fence is promoted from the end of one lane to the next.
 */
static void promotion_during_unlocked_walk_is_seen(struct kunit *test)
{
	const struct mock_resv_param *param = test->param_value;
	unsigned int at, i;

	for (at = 0; at < min(param->nr, 20U); at++) {
		struct dma_resv *obj = mock_resv_create(test);
		struct dma_fence *fence, *moving = NULL, *later;
		struct dma_resv_iter cursor;
		unsigned int count = 0;
		bool found = false;

		for (i = 0; i < param->nr; i++) {
			fence = mock_resv_add_new(test, obj, i % 2 ? param->usage :
						  DMA_RESV_USAGE_BOOKKEEP);
			if (i == param->nr / 2)
				moving = fence;
		}
		mock_resv_lock(test, obj);
		KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 10), 0);
		dma_resv_unlock(obj);
		later = mock_fence_create_on(test, moving->context, 2);

		dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_BOOKKEEP);
		dma_resv_for_each_fence_unlocked(&cursor, fence) {
			if (dma_resv_iter_is_restarted(&cursor))
				found = false;
			found |= fence->context == moving->context;
			if (count++ == at)
				mock_resv_add(test, obj, later, DMA_RESV_USAGE_KERNEL);
		}
		dma_resv_iter_end(&cursor);
		dma_fence_put(later);
		KUNIT_EXPECT_TRUE(test, found);
	}
}

/*
 * The same in an object where a fence has changed its usage before: it is promoted
 * while the walk is at the fence just before it.
 */
static void promotion_of_replaced_fence_during_walk_is_seen(struct kunit *test)
{
	const struct mock_resv_param *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *before, *moving, *weak, *strong, *fence;
	bool found = false, promoted = false;
	struct dma_resv_iter cursor;
	unsigned int i;

	for (i = 0; i < param->nr; i++)
		mock_resv_add_new(test, obj, i % MOCK_NR_USAGES);
	before = mock_resv_add_new(test, obj, param->usage);
	moving = mock_resv_add_new(test, obj, param->usage);
	weak = mock_fence_create(test);
	mock_fence_put_at_exit(test, weak);
	strong = mock_fence_create_on(test, weak->context, 2);
	mock_fence_put_at_exit(test, strong);

	mock_resv_lock(test, obj);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 10), 0);
	dma_resv_replace_fences(obj, moving->context, weak, DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(obj);

	dma_resv_iter_begin(&cursor, obj, DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_for_each_fence_unlocked(&cursor, fence) {
		if (dma_resv_iter_is_restarted(&cursor))
			found = false;
		found |= fence->context == weak->context;
		if (fence == before && !promoted) {
			mock_resv_add(test, obj, strong, DMA_RESV_USAGE_WRITE);
			promoted = true;
		}
	}
	dma_resv_iter_end(&cursor);
	KUNIT_EXPECT_TRUE(test, found);
}

static struct kunit_case dma_resv_iter_cases[] = {
	KUNIT_CASE(walk_of_empty_object_ends_at_once),
	KUNIT_CASE_PARAM(unlocked_walk_visits_each_fence_once, mock_resv_gen_params),
	KUNIT_CASE_PARAM(locked_walk_visits_each_fence_once, mock_resv_gen_params),
	KUNIT_CASE_PARAM(unlocked_walk_leaves_out_signaled_fences, mock_resv_gen_params),
	KUNIT_CASE(locked_walk_shows_signaled_fences),
	KUNIT_CASE(unlocked_walk_keeps_fence_alive),
	KUNIT_CASE(unlocked_walk_left_early_drops_reference),
	KUNIT_CASE(locked_walk_needs_no_reference),
	KUNIT_CASE_PARAM(locked_walk_may_replace_current_fence, mock_resv_gen_params),
	KUNIT_CASE_PARAM(locked_walk_may_add, mock_resv_gen_params),
	KUNIT_CASE_PARAM(unlocked_walk_restarts_after_growth, mock_resv_gen_params),
	KUNIT_CASE_PARAM(unlocked_walk_goes_on_after_replacement, mock_resv_gen_params),
#if DMABUF_OURS
	KUNIT_CASE(locked_walk_with_reservation_is_reported),
	KUNIT_CASE(unlocked_walk_notices_reused_memory),
	KUNIT_CASE(unlocked_walk_ends_after_fini),
#endif
	KUNIT_CASE_PARAM_ATTR(unlocked_walk_races_writer, hunt_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE_PARAM(promotion_during_unlocked_walk_is_seen, mock_resv_gen_params),
	KUNIT_CASE_PARAM(promotion_of_replaced_fence_during_walk_is_seen, mock_resv_gen_params),
	{}
};

static struct kunit_suite dma_resv_iter_suite = {
	.name = "dma_resv_iter",
	.init = mock_fence_init,
	.test_cases = dma_resv_iter_cases,
};

kunit_test_suite(dma_resv_iter_suite);
