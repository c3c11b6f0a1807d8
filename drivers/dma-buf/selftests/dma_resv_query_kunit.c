// SPDX-License-Identifier: GPL-2.0
/*
 * Questions about a reservation object: who is pending, for how long to wait, what
 * debugfs shows.
 */

#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/dma-fence.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-resv.h>
#include <linux/jiffies.h>
#include <linux/limits.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timer.h>

#include "mock.h"
#include "mock_fence.h"
#include "mock_resv.h"

/* A question about a usage, in an object that has a fence of one usage. */
struct question {
	enum dma_resv_usage present;
	enum dma_resv_usage asked;
	unsigned int nr;
};

static const void *question_gen_params(const void *prev, char *desc)
{
	static const unsigned int sizes[] = { 1, 17, 64 };
	static struct question questions[16 * ARRAY_SIZE(sizes)];
	const struct question *last = prev;
	size_t i = last ? last - questions + 1 : 0;

	if (i == ARRAY_SIZE(questions))
		return NULL;

	questions[i].present = i % 4;
	questions[i].asked = i / 4 % 4;
	questions[i].nr = sizes[i / 16];
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s asked, %u x %s there",
		 mock_usage_name(questions[i].asked), questions[i].nr,
		 mock_usage_name(questions[i].present));
	return &questions[i];
}

/* Is the fence that is present one that the question is about? */
static bool concerned(const struct question *question)
{
	return question->present <= question->asked;
}

static struct dma_resv *fill(struct kunit *test, const struct question *question)
{
	struct dma_resv *obj = mock_resv_create(test);
	unsigned int i;

	for (i = 0; i < question->nr; i++)
		mock_resv_add_new(test, obj, question->present);
	return obj;
}

/* Signal all fences of @obj but for the last @rest. */
static void finish_but(struct kunit *test, struct dma_resv *obj, unsigned int rest)
{
	unsigned int nr = mock_resv_size(test, obj, DMA_RESV_USAGE_BOOKKEEP);
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	mock_resv_lock(test, obj);
	dma_resv_for_each_fence(&cursor, obj, DMA_RESV_USAGE_BOOKKEEP, fence)
		if (nr-- > rest)
			dma_fence_signal(fence);
	dma_resv_unlock(obj);
}

static void finish(struct kunit *test, struct dma_resv *obj)
{
	finish_but(test, obj, 0);
}

/* Pending is who is of the usage or of a stronger one, until it has signaled. */
static void test_signaled_looks_at_usage(struct kunit *test)
{
	const struct question *question = test->param_value;
	struct dma_resv *obj = fill(test, question);

	KUNIT_EXPECT_EQ(test, dma_resv_test_signaled(obj, question->asked),
			!concerned(question));
	finish(test, obj);
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(obj, question->asked));
}

/* The driver knows first. Asking makes the core know, too. */
static void test_signaled_asks_the_driver(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *fence;

	fence = mock_resv_add_new(test, obj, DMA_RESV_USAGE_WRITE);
	to_mock_fence(fence)->done = true;
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(obj, DMA_RESV_USAGE_WRITE));
	KUNIT_EXPECT_TRUE(test, test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags));
}

/* Nothing to wait for leaves all of the time, or 1 if that is none. */
static void wait_for_idle_object_returns_timeout(struct kunit *test)
{
	const struct question *question = test->param_value;
	struct dma_resv *obj = fill(test, question);

	if (concerned(question))
		finish(test, obj);
	KUNIT_EXPECT_EQ(test, dma_resv_wait_timeout(obj, question->asked, true, 0), 1);
	KUNIT_EXPECT_EQ(test, dma_resv_wait_timeout(obj, question->asked, true, 1), 1);
	KUNIT_EXPECT_EQ(test, dma_resv_wait_timeout(obj, question->asked, false, 77), 77);
	KUNIT_EXPECT_EQ(test, dma_resv_wait_timeout(obj, question->asked, false,
						    MAX_SCHEDULE_TIMEOUT),
			MAX_SCHEDULE_TIMEOUT);
}

/* A timeout of 0 asks without sleeping, and makes sure that it gets better. */
static void wait_with_zero_timeout_only_polls(struct kunit *test)
{
	const struct question *question = test->param_value;
	struct dma_resv *obj = fill(test, question);
	int i, quick = 0;

	if (!concerned(question))
		kunit_skip(test, "nothing to wait for");

	for (i = 0; i < 20; i++) {
		unsigned long start = jiffies;

		KUNIT_EXPECT_EQ(test, dma_resv_wait_timeout(obj, question->asked,
							    true, 0), 0);
		quick += !time_after(jiffies, start);
	}
	KUNIT_EXPECT_GT(test, quick, 0);
}

/* A poll goes on to the next fence when one has signaled, and is still a poll. */
static void wait_with_zero_timeout_polls_all(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *first, *second;
	unsigned long start;
	int i, quick = 0;

	for (i = 0; i < 20; i++) {
		first = mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ);
		second = mock_resv_add_new(test, obj, DMA_RESV_USAGE_WRITE);
		/* Signals when it is asked to: seen pending, then not. */
		to_mock_fence(first)->refuse_enable = true;
		start = jiffies;
		KUNIT_EXPECT_EQ(test, dma_resv_wait_timeout(obj, DMA_RESV_USAGE_READ,
							    false, 0), 0);
		quick += !time_after(jiffies, start);
		KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(first));
		dma_fence_signal(second);
	}
	KUNIT_EXPECT_GT(test, quick, 0);
}

/* The time is up before the fence is. */
static void wait_for_pending_fence_times_out(struct kunit *test)
{
	const struct question *question = test->param_value;
	struct dma_resv *obj = fill(test, question);
	unsigned long start = jiffies;

	if (!concerned(question))
		kunit_skip(test, "nothing to wait for");

	KUNIT_EXPECT_EQ(test, dma_resv_wait_timeout(obj, question->asked, false, 2), 0);
	KUNIT_EXPECT_TRUE(test, time_after(jiffies, start + 1));
}

/* Signals a fence from a timer. */
struct bell {
	struct timer_list timer;
	struct dma_fence *fence;
};

static void bell_rings(struct timer_list *timer)
{
	struct bell *bell = from_timer(bell, timer, timer);

	dma_fence_signal(bell->fence);
}

static void bell_set(struct bell *bell, struct dma_fence *fence,
		     unsigned long delay)
{
	bell->fence = fence;
	timer_setup_on_stack(&bell->timer, bell_rings, 0);
	mod_timer(&bell->timer, jiffies + delay);
}

static void bell_clear(struct bell *bell)
{
	timer_shutdown_sync(&bell->timer);
	destroy_timer_on_stack(&bell->timer);
}

/*
 * What is left of the time, after all fences have signaled one after another, in
 * the order in which they are waited for or in the opposite one.
 */
static void wait_returns_time_that_is_left(struct kunit *test)
{
	struct bell bells[3];
	int i, direction;
	long left;

	for (direction = 0; direction < 2; direction++) {
		struct dma_resv *obj = mock_resv_create(test);

		for (i = 0; i < ARRAY_SIZE(bells); i++)
			bell_set(&bells[i], mock_resv_add_new(test, obj, i),
				 2 + 2 * (direction ? 2 - i : i));

		left = dma_resv_wait_timeout(obj, DMA_RESV_USAGE_READ, true, 100 * HZ);
		KUNIT_EXPECT_GT(test, left, 1);
		KUNIT_EXPECT_LE(test, left, 100 * HZ - 5);
		KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(obj, DMA_RESV_USAGE_READ));
		for (i = 0; i < ARRAY_SIZE(bells); i++)
			bell_clear(&bells[i]);
	}
}

/* Without a limit, as most callers wait. */
static void wait_without_limit_succeeds(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct bell bell;
	long left;

	bell_set(&bell, mock_resv_add_new(test, obj, DMA_RESV_USAGE_KERNEL), 2);
	left = dma_resv_wait_timeout(obj, DMA_RESV_USAGE_BOOKKEEP, false,
				     MAX_SCHEDULE_TIMEOUT);
	KUNIT_EXPECT_GT(test, left, 0);
	bell_clear(&bell);
}

#if DMABUF_OURS
/* A timeout beyond all limits is no limit, and no error either. */
static void wait_with_huge_timeout_succeeds(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct bell bell;

	KUNIT_EXPECT_EQ(test, dma_resv_wait_timeout(obj, DMA_RESV_USAGE_READ, false,
						    ULONG_MAX), LONG_MAX);
	bell_set(&bell, mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ), 1);
	KUNIT_EXPECT_GT(test, dma_resv_wait_timeout(obj, DMA_RESV_USAGE_READ, false,
						    ULONG_MAX), 0);
	bell_clear(&bell);
}
#endif

/* A signal ends an interruptible wait, */
static void wait_with_signal_returns_erestartsys(struct kunit *test)
{
	const struct question *question = test->param_value;
	struct dma_resv *obj = fill(test, question);

	if (!concerned(question))
		kunit_skip(test, "nothing to wait for");

	mock_signal_begin();
	KUNIT_EXPECT_EQ(test, dma_resv_wait_timeout(obj, question->asked, true,
						    HZ / 2), -ERESTARTSYS);
	mock_signal_end();
}

/* and no other. */
static void wait_uninterruptible_ignores_signal(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct bell bell;

	bell_set(&bell, mock_resv_add_new(test, obj, DMA_RESV_USAGE_READ), 2);
	mock_signal_begin();
	KUNIT_EXPECT_GT(test, dma_resv_wait_timeout(obj, DMA_RESV_USAGE_READ, false,
						    100 * HZ), 0);
	mock_signal_end();
	bell_clear(&bell);
}

static signed long failing_wait(struct dma_fence *fence, bool intr,
				signed long timeout)
{
	return -EIO;
}

static const struct dma_fence_ops failing_ops = {
	.get_driver_name = mock_fence_get_driver_name,
	.get_timeline_name = mock_fence_get_timeline_name,
	.wait = failing_wait,
	.release = mock_fence_release,
};

/* An error of the driver is handed on. */
static void wait_hands_on_error_of_driver(struct kunit *test)
{
	struct mock_fence_args args = { .ops = &failing_ops };
	struct dma_fence *fence = &mock_fence_create_args(test, &args)->base;
	struct dma_resv *obj = mock_resv_create(test);

	mock_resv_add(test, obj, fence, DMA_RESV_USAGE_READ);
	KUNIT_EXPECT_EQ(test, dma_resv_wait_timeout(obj, DMA_RESV_USAGE_READ, true,
						    10), -EIO);
	KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), 2);
	dma_fence_put(fence);
}

/* None, one and many, each with a reference that outlives the object. */
static void get_fences_returns_all_pending(struct kunit *test)
{
	const struct mock_resv_param *param = test->param_value;
	struct dma_fence **fences = ERR_PTR(-EINVAL);
	int live = mock_fence_live();
	unsigned int i, nr = 77;
	struct dma_resv obj;

	dma_resv_init(&obj);
	KUNIT_EXPECT_EQ(test, dma_resv_get_fences(&obj, param->usage, &nr, &fences), 0);
	KUNIT_EXPECT_EQ(test, nr, 0);
	KUNIT_EXPECT_NULL(test, fences);

	for (i = 0; i < 2 * param->nr; i++) {
		struct dma_fence *fence = mock_fence_create(test);

		if (i % 2)
			dma_fence_signal(fence);
		mock_resv_add(test, &obj, fence, param->usage);
		dma_fence_put(fence);
	}
	KUNIT_EXPECT_EQ(test, dma_resv_get_fences(&obj, param->usage, &nr, &fences), 0);
	dma_resv_fini(&obj);

	KUNIT_EXPECT_EQ(test, nr, param->nr);
	KUNIT_EXPECT_EQ(test, mock_fence_live(), live + nr);
	for (i = 0; i < nr; i++) {
		KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fences[i]));
		dma_fence_put(fences[i]);
	}
	kfree(fences);
}

/* An object in which nothing is pending any more gives no array. */
static void get_fences_of_signaled_returns_null(struct kunit *test)
{
	const struct question *question = test->param_value;
	struct dma_resv *obj = fill(test, question);
	struct dma_fence **fences;
	unsigned int nr;

	if (concerned(question))
		finish(test, obj);
	KUNIT_EXPECT_EQ(test, dma_resv_get_fences(obj, question->asked, &nr, &fences), 0);
	KUNIT_EXPECT_EQ(test, nr, 0);
	KUNIT_EXPECT_NULL(test, fences);
}

/* One fence that signals with the last of those that are concerned. */
static void get_singleton_signals_with_the_last(struct kunit *test)
{
	const struct question *question = test->param_value;
	struct dma_resv *obj = fill(test, question);
	struct dma_fence *fence = ERR_PTR(-EINVAL);

	KUNIT_ASSERT_EQ(test, dma_resv_get_singleton(obj, question->asked, &fence), 0);
	if (!concerned(question)) {
		KUNIT_EXPECT_NULL(test, fence);
		return;
	}
	KUNIT_ASSERT_NOT_NULL(test, fence);
	KUNIT_EXPECT_EQ(test, dma_fence_is_array(fence), question->nr > 1);
	if (question->nr > 1)
		KUNIT_EXPECT_EQ(test, to_dma_fence_array(fence)->num_fences,
				question->nr);
	else
		KUNIT_EXPECT_EQ(test, mock_resv_count(test, obj, question->asked, fence), 1);

	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(fence, false, 0), 0);
	finish_but(test, obj, 1);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(fence, false, 2), 0);
	finish(test, obj);
	KUNIT_EXPECT_GT(test, dma_fence_wait_timeout(fence, false, 100 * HZ), 0);
	dma_fence_put(fence);
}

/* The hint goes to all fences of the usage and the stronger ones, and no others. */
static void set_deadline_reaches_usage(struct kunit *test)
{
	const struct question *question = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *fence = NULL;
	ktime_t deadline = ktime_get();
	unsigned int i;

	for (i = 0; i < question->nr; i++)
		fence = mock_resv_add_new(test, obj, question->present);
	dma_resv_set_deadline(obj, question->asked, deadline);
	KUNIT_EXPECT_EQ(test, atomic_read(&to_mock_fence(fence)->calls->set_deadline),
			concerned(question));
	if (concerned(question))
		KUNIT_EXPECT_EQ(test, to_mock_fence(fence)->deadline, deadline);
}

static const enum dma_resv_usage usages[] = {
	DMA_RESV_USAGE_KERNEL, DMA_RESV_USAGE_WRITE,
	DMA_RESV_USAGE_READ, DMA_RESV_USAGE_BOOKKEEP,
};

static void usage_desc(const enum dma_resv_usage *usage, char *desc)
{
	strscpy(desc, mock_usage_name(*usage), KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(usage, usages, usage_desc);

/* What debugfs shows of @obj. */
static char *describe(struct kunit *test, struct dma_resv *obj)
{
	struct seq_file seq = { .size = 1024 };

	/* One byte more, for the NUL that seq_file does not write. */
	seq.buf = kunit_kzalloc(test, seq.size + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, seq.buf);
	mutex_init(&seq.lock);
	mock_resv_lock(test, obj);
	dma_resv_describe(obj, &seq);
	dma_resv_unlock(obj);
	seq.buf[seq.count] = 0;
	return seq.buf;
}

/* One line for each fence, whatever its usage. */
static void describe_shows_usage(struct kunit *test)
{
	const enum dma_resv_usage *usage = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	char expected[80];

	KUNIT_EXPECT_STREQ(test, describe(test, obj), "");
	mock_resv_add_on(test, obj, 0, 42, *usage);
	snprintf(expected, sizeof(expected),
		 "\t%s fence:" MOCK_DRIVER_NAME " " MOCK_TIMELINE_NAME " seq 42 unsignalled\n",
		 mock_usage_name(*usage));
	KUNIT_EXPECT_STREQ(test, describe(test, obj), expected);
}

/* Several fences, several lines. */
static void describe_shows_all(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	const char *text;
	int lines = 0;

	mock_resv_add_on(test, obj, 0, 1, DMA_RESV_USAGE_READ);
	mock_resv_add_on(test, obj, 0, 2, DMA_RESV_USAGE_READ);
	mock_resv_add_on(test, obj, 0, 3, DMA_RESV_USAGE_KERNEL);
	for (text = describe(test, obj); *text; text++)
		lines += *text == '\n';
	KUNIT_EXPECT_EQ(test, lines, 3);
}

/* Readers of an object whose writer adds one context after the other. */
struct growth {
	struct kunit *test;
	struct dma_resv *obj;
	struct dma_fence *fences[40];
	atomic_t added;
	atomic_t wrong;
};

static void growth_prepare(struct kunit *test, void *ctx)
{
	struct growth *growth = ctx;
	int i;

	growth->obj = kzalloc(sizeof(*growth->obj), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, growth->obj);
	dma_resv_init(growth->obj);
	atomic_set(&growth->added, 0);
	for (i = 0; i < ARRAY_SIZE(growth->fences); i++)
		growth->fences[i] = mock_fence_create(test);
}

static void growth_writer(void *ctx)
{
	struct growth *growth = ctx;
	int i;

	for (i = 0; i < ARRAY_SIZE(growth->fences); i++) {
		dma_resv_lock(growth->obj, NULL);
		if (dma_resv_reserve_fences(growth->obj, 1))
			atomic_inc(&growth->wrong);
		else
			dma_resv_add_fence(growth->obj, growth->fences[i],
					   i % MOCK_NR_USAGES);
		dma_resv_unlock(growth->obj);
		atomic_inc(&growth->added);
		if (i % 3 == 0)
			cond_resched();
	}
}

/* Not fewer than there were before, not more than there are afterwards. */
static void growth_get_fences(void *ctx)
{
	struct growth *growth = ctx;
	int i, before, after;

	for (i = 0; i < 16; i++) {
		struct dma_fence **fences;
		unsigned int nr;

		before = atomic_read(&growth->added);
		if (dma_resv_get_fences(growth->obj, DMA_RESV_USAGE_BOOKKEEP, &nr, &fences))
			atomic_inc(&growth->wrong);
		/* One may have been added and not yet counted. */
		after = atomic_read(&growth->added) + 1;
		if ((int)nr < before || (int)nr > after)
			atomic_inc(&growth->wrong);
		while (nr--)
			dma_fence_put(fences[nr]);
		kfree(fences);
		cond_resched();
	}
}

/* The same for a copy, and for a fence that stands for all. */
static void growth_copy(void *ctx)
{
	struct growth *growth = ctx;
	int i;

	for (i = 0; i < 8; i++) {
		int before = atomic_read(&growth->added);
		struct dma_fence **fences = NULL, *fence;
		unsigned int nr = 0;
		struct dma_resv copy;

		dma_resv_init(&copy);
		dma_resv_lock(&copy, NULL);
		if (dma_resv_copy_fences(&copy, growth->obj) ||
		    dma_resv_get_fences(&copy, DMA_RESV_USAGE_BOOKKEEP, &nr, &fences) ||
		    (int)nr < before)
			atomic_inc(&growth->wrong);
		dma_resv_unlock(&copy);
		dma_resv_fini(&copy);
		while (nr)
			dma_fence_put(fences[--nr]);
		kfree(fences);

		before = atomic_read(&growth->added);
		if (dma_resv_get_singleton(growth->obj, DMA_RESV_USAGE_BOOKKEEP, &fence) ||
		    (before && !fence))
			atomic_inc(&growth->wrong);
		dma_fence_put(fence);
		cond_resched();
	}
}

static void growth_check(struct kunit *test, void *ctx)
{
	struct growth *growth = ctx;
	int i;

	dma_resv_fini(growth->obj);
	kfree(growth->obj);
	for (i = 0; i < ARRAY_SIZE(growth->fences); i++)
		dma_fence_put(growth->fences[i]);
}

/* Answers are complete, and leak nothing, while the object grows. */
static void get_fences_races_add(struct kunit *test)
{
	struct growth *growth = kunit_kzalloc(test, sizeof(*growth), GFP_KERNEL);
	struct mock_race race = {
		.ctx = growth,
		.rounds = 200,
		.prepare = growth_prepare,
		.check = growth_check,
		.racer = { growth_get_fences, growth_writer, growth_copy },
	};

	KUNIT_ASSERT_NOT_NULL(test, growth);
	growth->test = test;
	mock_race(test, &race);
	KUNIT_EXPECT_EQ(test, atomic_read(&growth->wrong), 0);
}

/* A waiter, and who signals and exchanges what is waited for. */
struct vigil {
	struct kunit *test;
	struct dma_resv *obj;
	struct dma_fence *fences[12];
	atomic_t wrong;
};

static void vigil_prepare(struct kunit *test, void *ctx)
{
	struct vigil *vigil = ctx;
	int i;

	vigil->obj = kzalloc(sizeof(*vigil->obj), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vigil->obj);
	dma_resv_init(vigil->obj);
	for (i = 0; i < ARRAY_SIZE(vigil->fences); i++) {
		vigil->fences[i] = mock_fence_create(test);
		mock_resv_add(test, vigil->obj, vigil->fences[i], i % MOCK_NR_USAGES);
	}
}

static void vigil_waiter(void *ctx)
{
	struct vigil *vigil = ctx;
	int i;

	if (dma_resv_wait_timeout(vigil->obj, DMA_RESV_USAGE_BOOKKEEP, false,
				  100 * HZ) <= 0)
		atomic_inc(&vigil->wrong);
	for (i = 0; i < ARRAY_SIZE(vigil->fences); i++)
		if (!dma_fence_is_signaled(vigil->fences[i]))
			atomic_inc(&vigil->wrong);
}

static void vigil_signaler(void *ctx)
{
	struct vigil *vigil = ctx;
	int i;

	for (i = 0; i < ARRAY_SIZE(vigil->fences); i++) {
		dma_fence_signal(vigil->fences[i]);
		dma_resv_lock(vigil->obj, NULL);
		if (dma_resv_reserve_fences(vigil->obj, 4 * i + 1))
			atomic_inc(&vigil->wrong);
		dma_resv_unlock(vigil->obj);
		cond_resched();
	}
}

static void vigil_check(struct kunit *test, void *ctx)
{
	struct vigil *vigil = ctx;
	int i;

	dma_resv_fini(vigil->obj);
	kfree(vigil->obj);
	for (i = 0; i < ARRAY_SIZE(vigil->fences); i++)
		dma_fence_put(vigil->fences[i]);
}

/* Who waits returns when all have signaled, not earlier, although lists change. */
static void wait_races_signal_and_growth(struct kunit *test)
{
	struct vigil *vigil = kunit_kzalloc(test, sizeof(*vigil), GFP_KERNEL);
	struct mock_race race = {
		.ctx = vigil,
		.rounds = 300,
		.prepare = vigil_prepare,
		.check = vigil_check,
		.racer = { vigil_waiter, vigil_signaler },
	};

	KUNIT_ASSERT_NOT_NULL(test, vigil);
	mock_race(test, &race);
	KUNIT_EXPECT_EQ(test, atomic_read(&vigil->wrong), 0);
}

static struct kunit_case dma_resv_query_cases[] = {
	KUNIT_CASE_PARAM(test_signaled_looks_at_usage, question_gen_params),
	KUNIT_CASE(test_signaled_asks_the_driver),
	KUNIT_CASE_PARAM(wait_for_idle_object_returns_timeout, question_gen_params),
	KUNIT_CASE_PARAM(wait_with_zero_timeout_only_polls, question_gen_params),
	KUNIT_CASE(wait_with_zero_timeout_polls_all),
	KUNIT_CASE_PARAM(wait_for_pending_fence_times_out, question_gen_params),
	KUNIT_CASE(wait_returns_time_that_is_left),
	KUNIT_CASE(wait_without_limit_succeeds),
#if DMABUF_OURS
	KUNIT_CASE(wait_with_huge_timeout_succeeds),
#endif
	KUNIT_CASE_PARAM(wait_with_signal_returns_erestartsys, question_gen_params),
	KUNIT_CASE(wait_uninterruptible_ignores_signal),
	KUNIT_CASE(wait_hands_on_error_of_driver),
	KUNIT_CASE_PARAM(get_fences_returns_all_pending, mock_resv_gen_params),
	KUNIT_CASE_PARAM(get_fences_of_signaled_returns_null, question_gen_params),
	KUNIT_CASE_PARAM(get_singleton_signals_with_the_last, question_gen_params),
	KUNIT_CASE_PARAM(set_deadline_reaches_usage, question_gen_params),
	KUNIT_CASE_PARAM(describe_shows_usage, usage_gen_params),
	KUNIT_CASE(describe_shows_all),
	KUNIT_CASE_SLOW(get_fences_races_add),
	KUNIT_CASE_SLOW(wait_races_signal_and_growth),
	{}
};

static struct kunit_suite dma_resv_query_suite = {
	.name = "dma_resv_query",
	.init = mock_fence_init,
	.test_cases = dma_resv_query_cases,
};

kunit_test_suite(dma_resv_query_suite);
