// SPDX-License-Identifier: GPL-2.0
/*
 * Suite "dma_fence_array": arrays of mock fences, signaled member by member, with
 * and without anybody waiting.
 */

#include <linux/delay.h>
#include <linux/dma-fence-array.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "mock.h"
#include "mock_fence.h"

/* Arrays signal from an irq_work, which may be as late as the next tick. */
#define SIGNAL_TIMEOUT (30 * HZ)
#define SIGNAL_INTERVAL_MS 2

#define MAX_MEMBERS 8

/* An array, and its members with a reference each until the case ends. */
struct fixture {
	struct dma_fence *array;
	struct dma_fence *member[MAX_MEMBERS];
	struct dma_fence_cb cb;
	atomic_t called;
};

static struct dma_fence **member_list(struct kunit *test, struct dma_fence **from,
				      unsigned int nr)
{
	struct dma_fence **list = kmalloc_array(nr, sizeof(*list), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, list);
	for (i = 0; i < nr; i++)
		list[i] = dma_fence_get(from[i]);
	return list;
}

static struct dma_fence *array_of(struct kunit *test, struct dma_fence **from,
				  unsigned int nr, bool any)
{
	struct dma_fence **list = member_list(test, from, nr);
	struct dma_fence_array *array;

	array = dma_fence_array_create(nr, list, dma_fence_context_alloc(1), 1, any);
	KUNIT_ASSERT_NOT_NULL(test, array);
	return &array->base;
}

/* The array is the case's to put, unless @keep. */
static struct fixture *fixture(struct kunit *test, unsigned int nr, bool any,
			       bool keep)
{
	struct fixture *fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, fix);
	for (i = 0; i < nr; i++) {
		fix->member[i] = mock_fence_create(test);
		mock_fence_put_at_exit(test, fix->member[i]);
	}
	fix->array = array_of(test, fix->member, nr, any);
	if (keep)
		mock_fence_put_at_exit(test, fix->array);
	return fix;
}

static bool has_flag(struct dma_fence *fence)
{
	return test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags);
}

/* By what its members tell it: this does not ask. */
static bool becomes_signaled(struct dma_fence *fence)
{
	unsigned long end = jiffies + SIGNAL_TIMEOUT;

	while (!has_flag(fence) && time_before(jiffies, end))
		msleep(SIGNAL_INTERVAL_MS);

	return has_flag(fence);
}

static void count_call(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	atomic_inc(&container_of(cb, struct fixture, cb)->called);
}

static void fail_member(struct dma_fence *member, int error)
{
	dma_fence_set_error(member, error);
	dma_fence_signal(member);
}

/* Passes if the new fence is what the arguments said. */
static void create_sets_up_the_base(struct kunit *test)
{
	struct dma_fence *member = mock_fence_create(test);
	struct dma_fence_array *array;

	mock_fence_put_at_exit(test, member);
	array = dma_fence_array_create(1, member_list(test, &member, 1), 77, 5, false);
	KUNIT_ASSERT_NOT_NULL(test, array);
	KUNIT_EXPECT_EQ(test, array->base.context, 77);
	KUNIT_EXPECT_EQ(test, array->base.seqno, 5);
	KUNIT_EXPECT_EQ(test, array->num_fences, 1);
	KUNIT_EXPECT_PTR_EQ(test, array->fences[0], member);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_array(&array->base));
	KUNIT_EXPECT_PTR_EQ(test, to_dma_fence_array(&array->base), array);
	dma_fence_put(&array->base);
}

/* Passes if allocating early and initialising late gives a working array. */
static void init_of_allocated_memory(struct kunit *test)
{
	struct dma_fence *member[2] = {
		mock_fence_create(test), mock_fence_create(test),
	};
	struct dma_fence_array *array = dma_fence_array_alloc(2);

	KUNIT_ASSERT_NOT_NULL(test, array);
	mock_fence_put_at_exit(test, member[0]);
	mock_fence_put_at_exit(test, member[1]);
	dma_fence_array_init(array, 2, member_list(test, member, 2),
			     dma_fence_context_alloc(1), 1, false);

	dma_fence_enable_sw_signaling(&array->base);
	dma_fence_signal(member[0]);
	dma_fence_signal(member[1]);
	KUNIT_EXPECT_TRUE(test, becomes_signaled(&array->base));
	dma_fence_put(&array->base);
}

/* Passes if other fences and NULL are no arrays. */
static void to_array_of_other_fence_returns_null(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_create(test);

	KUNIT_EXPECT_NULL(test, to_dma_fence_array(fence));
	KUNIT_EXPECT_NULL(test, to_dma_fence_array(NULL));
	dma_fence_put(fence);
}

/* Passes if nothing of the members outlives the array. */
static void release_drops_the_members(struct kunit *test)
{
	int before = mock_fence_live();
	struct dma_fence *member[3], *array;
	unsigned int i;

	for (i = 0; i < 3; i++)
		member[i] = mock_fence_create(test);
	array = array_of(test, member, 3, false);
	for (i = 0; i < 3; i++)
		dma_fence_put(member[i]);
	KUNIT_EXPECT_EQ(test, mock_fence_live(), before + 3);

	dma_fence_put(array);
	KUNIT_EXPECT_EQ(test, mock_fence_live(), before);
}

/* Passes if, without callbacks, only the last member makes the difference. */
static void is_signaled_of_all_asks_every_member(struct kunit *test)
{
	struct fixture *fix = fixture(test, 3, false, true);
	static const unsigned int order[] = { 1, 2, 0 };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fix->array));
		dma_fence_signal(fix->member[order[i]]);
	}
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(fix->array));
}

/* Passes if, without callbacks, one member is enough, whichever it is. */
static void is_signaled_of_any_asks_for_one(struct kunit *test)
{
	struct fixture *fix = fixture(test, 3, true, true);

	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fix->array));
	dma_fence_signal(fix->member[2]);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(fix->array));
}

/* Passes if a member that is done, but has told nobody, is found by asking. */
static void is_signaled_finds_silent_members(struct kunit *test)
{
	struct fixture *fix = fixture(test, 2, false, true);

	to_mock_fence(fix->member[0])->done = true;
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fix->array));
	to_mock_fence(fix->member[1])->done = true;
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(fix->array));
}

/* Passes if the callback comes once, after the last member. */
static void callback_of_all_comes_with_the_last(struct kunit *test)
{
	struct fixture *fix = fixture(test, 4, false, true);
	unsigned int i;

	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(fix->array, &fix->cb, count_call), 0);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fix->array));
		KUNIT_EXPECT_EQ(test, atomic_read(&fix->called), 0);
		dma_fence_signal(fix->member[i]);
	}
	KUNIT_EXPECT_TRUE(test, becomes_signaled(fix->array));
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->called), 1);
}

/* Passes if the callback comes once, with the first member. */
static void callback_of_any_comes_with_the_first(struct kunit *test)
{
	struct fixture *fix = fixture(test, 4, true, true);

	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(fix->array, &fix->cb, count_call), 0);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fix->array));

	dma_fence_signal(fix->member[3]);
	KUNIT_EXPECT_TRUE(test, becomes_signaled(fix->array));
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->called), 1);

	/* The array lives until the last member has called back. */
	dma_fence_signal(fix->member[0]);
	dma_fence_signal(fix->member[1]);
	dma_fence_signal(fix->member[2]);
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->called), 1);
}

/* Passes if members that had signaled before are counted when enabling. */
static void callback_of_all_counts_signaled_members(struct kunit *test)
{
	struct fixture *fix = fixture(test, 4, false, true);

	dma_fence_signal(fix->member[0]);
	dma_fence_signal(fix->member[2]);
	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(fix->array, &fix->cb, count_call), 0);
	dma_fence_signal(fix->member[1]);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fix->array));
	dma_fence_signal(fix->member[3]);
	KUNIT_EXPECT_TRUE(test, becomes_signaled(fix->array));
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->called), 1);
}

/* Passes if enabling finds that there is nothing to wait for. */
static void callback_of_all_when_done_returns_enoent(struct kunit *test)
{
	struct fixture *fix = fixture(test, 3, false, true);
	unsigned int i;

	for (i = 0; i < 3; i++)
		dma_fence_signal(fix->member[i]);
	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(fix->array, &fix->cb, count_call),
			-ENOENT);
	KUNIT_EXPECT_TRUE(test, has_flag(fix->array));
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fix->array), 1);
}

/* Passes if one signaled member in the middle suffices. */
static void callback_of_any_when_done_returns_enoent(struct kunit *test)
{
	struct fixture *fix = fixture(test, 3, true, true);

	dma_fence_signal(fix->member[1]);
	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(fix->array, &fix->cb, count_call),
			-ENOENT);
	KUNIT_EXPECT_TRUE(test, has_flag(fix->array));

	/* The first member still has the array's callback. */
	dma_fence_signal(fix->member[0]);
	dma_fence_signal(fix->member[2]);
}

/* A fence that, when asked to signal, says that it and another one have. */
static DEFINE_SPINLOCK(meddler_lock);
static struct dma_fence *meddler_other;

static bool meddler_enable_signaling(struct dma_fence *fence)
{
	dma_fence_signal(meddler_other);
	return false;
}

static const struct dma_fence_ops meddler_ops = {
	.get_driver_name = mock_fence_get_driver_name,
	.get_timeline_name = mock_fence_get_timeline_name,
	.enable_signaling = meddler_enable_signaling,
	.release = mock_fence_release,
};

/*
 * Passes if a member that calls back while the array is still being enabled, and
 * others that turn out to be done then, lead to one signal and not to two.
 */
static void callback_comes_while_enabling(struct kunit *test)
{
	struct mock_fence_args args = { .ops = &meddler_ops, .lock = &meddler_lock };
	unsigned int any;

	for (any = 0; any < 2; any++) {
		struct fixture *fix = fixture(test, 1, any, true);
		struct dma_fence *member[3], *array;

		member[0] = fix->member[0];
		member[1] = &mock_fence_create_args(test, &args)->base;
		member[2] = mock_fence_create_signaled(test);
		mock_fence_put_at_exit(test, member[1]);
		mock_fence_put_at_exit(test, member[2]);

		meddler_other = member[0];
		array = array_of(test, member, 3, any);
		dma_fence_enable_sw_signaling(array);
		KUNIT_EXPECT_TRUE(test, becomes_signaled(array));
		KUNIT_EXPECT_EQ(test, kref_read(&array->refcount), 1);
		dma_fence_put(array);
	}
}

/*
 * Passes if an array that has signaled and was put stays until the members that
 * still have its callbacks are done, and goes then (KASAN, and the leak check).
 */
static void put_of_any_with_pending_members(struct kunit *test)
{
	struct fixture *fix = fixture(test, 4, true, false);

	dma_fence_enable_sw_signaling(fix->array);
	dma_fence_signal(fix->member[1]);
	KUNIT_EXPECT_TRUE(test, becomes_signaled(fix->array));
	dma_fence_put(fix->array);

	dma_fence_signal(fix->member[0]);
	dma_fence_signal(fix->member[2]);
	dma_fence_signal(fix->member[3]);
}

/* As above, where enabling itself found the signaled member. */
static void put_of_any_done_when_enabled(struct kunit *test)
{
	struct fixture *fix = fixture(test, 4, true, false);

	dma_fence_signal(fix->member[2]);
	dma_fence_enable_sw_signaling(fix->array);
	KUNIT_EXPECT_TRUE(test, has_flag(fix->array));
	dma_fence_put(fix->array);

	dma_fence_signal(fix->member[0]);
	dma_fence_signal(fix->member[1]);
	dma_fence_signal(fix->member[3]);
}

/* Passes if an array that nobody keeps is signaled and then freed. */
static void put_of_all_while_enabled(struct kunit *test)
{
	struct fixture *fix = fixture(test, 2, false, false);

	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(fix->array, &fix->cb, count_call), 0);
	dma_fence_get(fix->array);
	dma_fence_put(fix->array);
	dma_fence_signal(fix->member[0]);
	dma_fence_signal(fix->member[1]);
	KUNIT_EXPECT_TRUE(test, becomes_signaled(fix->array));
	KUNIT_EXPECT_EQ(test, atomic_read(&fix->called), 1);
	dma_fence_put(fix->array);
}

/* Passes if the first of two errors becomes the array's. */
static void error_of_the_first_member_stays(struct kunit *test)
{
	struct fixture *fix = fixture(test, 4, false, true);

	dma_fence_enable_sw_signaling(fix->array);
	dma_fence_signal(fix->member[0]);
	fail_member(fix->member[3], -EIO);
	fail_member(fix->member[1], -ETIME);
	dma_fence_signal(fix->member[2]);
	KUNIT_EXPECT_TRUE(test, becomes_signaled(fix->array));
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fix->array), -EIO);
}

/* Passes if an error from before enabling counts, too. */
static void error_from_before_enabling(struct kunit *test)
{
	struct fixture *fix = fixture(test, 3, false, true);

	fail_member(fix->member[1], -EIO);
	dma_fence_enable_sw_signaling(fix->array);
	dma_fence_signal(fix->member[0]);
	fail_member(fix->member[2], -ETIME);
	KUNIT_EXPECT_TRUE(test, becomes_signaled(fix->array));
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fix->array), -EIO);
}

/* Passes if what happens after the signal does not change the result any more. */
static void error_after_the_signal_is_ignored(struct kunit *test)
{
	struct fixture *fix = fixture(test, 2, true, true);

	dma_fence_enable_sw_signaling(fix->array);
	dma_fence_signal(fix->member[0]);
	KUNIT_EXPECT_TRUE(test, becomes_signaled(fix->array));
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fix->array), 1);
	fail_member(fix->member[1], -EIO);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fix->array), 1);
}

/* Passes if the error is not lost where nobody ever enabled signaling. */
static void error_is_found_by_asking(struct kunit *test)
{
	struct fixture *fix = fixture(test, 3, false, true);

	fail_member(fix->member[1], -EIO);
	fail_member(fix->member[2], -ETIME);
	dma_fence_signal(fix->member[0]);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(fix->array));
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fix->array), -EIO);
}

/* Passes if the array has no error as long as no member has one. */
static void status_without_error(struct kunit *test)
{
	struct fixture *fix = fixture(test, 2, false, true);

	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fix->array), 0);
	dma_fence_signal(fix->member[0]);
	dma_fence_signal(fix->member[1]);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fix->array), 1);
}

/* Passes if every member hears of a deadline. */
static void set_deadline_reaches_every_member(struct kunit *test)
{
	struct fixture *fix = fixture(test, 3, false, true);
	ktime_t deadline = ktime_add_ms(ktime_get(), 1000);
	unsigned int i;

	dma_fence_set_deadline(fix->array, deadline);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, to_mock_fence(fix->member[i])->deadline, deadline);
}

/* Passes if a plain fence is compared itself. */
static void match_context_of_plain_fence(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_create(test);

	mock_fence_put_at_exit(test, fence);
	KUNIT_EXPECT_TRUE(test, dma_fence_match_context(fence, fence->context));
	KUNIT_EXPECT_FALSE(test, dma_fence_match_context(fence, fence->context + 1));
}

/* Passes if of an array all members count, and its own context does not. */
static void match_context_of_array(struct kunit *test)
{
	u64 context = dma_fence_context_alloc(2);
	struct dma_fence *member[3], *same, *mixed;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		member[i] = mock_fence_create_on(test, context + (i == 2), i + 1);
		mock_fence_put_at_exit(test, member[i]);
	}
	same = array_of(test, member, 2, false);
	mixed = array_of(test, member, 3, false);
	KUNIT_EXPECT_TRUE(test, dma_fence_match_context(same, context));
	KUNIT_EXPECT_FALSE(test, dma_fence_match_context(same, same->context));
	KUNIT_EXPECT_FALSE(test, dma_fence_match_context(mixed, context));
	KUNIT_EXPECT_FALSE(test, dma_fence_match_context(mixed, context + 1));
	dma_fence_put(same);
	dma_fence_put(mixed);
}

/* Passes if the members come in order and with their positions. */
static void iterate_array(struct kunit *test)
{
	struct fixture *fix = fixture(test, 3, false, true);
	unsigned int index, seen = 0;
	struct dma_fence *fence;

	dma_fence_array_for_each(fence, index, fix->array) {
		KUNIT_EXPECT_EQ(test, index, seen);
		KUNIT_EXPECT_PTR_EQ(test, fence, fix->member[seen]);
		seen++;
	}
	KUNIT_EXPECT_EQ(test, seen, 3);
	KUNIT_EXPECT_NULL(test, dma_fence_array_next(fix->array, 3));
	KUNIT_EXPECT_NULL(test, dma_fence_array_next(fix->array, UINT_MAX));
}

/* Passes if another fence is visited once, and no fence never. */
static void iterate_other_fence(struct kunit *test)
{
	struct dma_fence *plain = mock_fence_create(test), *fence;
	unsigned int index, seen = 0;

	mock_fence_put_at_exit(test, plain);
	dma_fence_array_for_each(fence, index, plain) {
		KUNIT_EXPECT_PTR_EQ(test, fence, plain);
		seen++;
	}
	KUNIT_EXPECT_EQ(test, seen, 1);

	dma_fence_array_for_each(fence, index, NULL)
		seen++;
	KUNIT_EXPECT_EQ(test, seen, 1);
}

/* Passes if a container as a member is reported, and still waited for. */
static void init_with_a_container_warns(struct kunit *test)
{
	struct fixture *fix = fixture(test, 2, false, true);
	struct dma_fence *outer;

	dmabuf_expect_warning_begin(test);
	outer = array_of(test, &fix->array, 1, false);
	dmabuf_expect_warning_end(test);

	/* Not enabled: that would take two locks of one class. */
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(outer));
	dma_fence_signal(fix->member[0]);
	dma_fence_signal(fix->member[1]);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(outer));
	dma_fence_put(outer);
}

#if DMABUF_OURS
/* Passes if an array of nothing is reported and nobody can get stuck on it. */
static void init_without_members_warns(struct kunit *test)
{
	struct dma_fence_array *array[2];
	struct fixture *fix;

	fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fix);

	dmabuf_expect_warning_begin(test);
	array[0] = dma_fence_array_create(0, NULL, dma_fence_context_alloc(1), 1, false);
	array[1] = dma_fence_array_create(0, NULL, dma_fence_context_alloc(1), 1, true);
	dmabuf_expect_warning_end(test);
	KUNIT_ASSERT_NOT_NULL(test, array[0]);
	KUNIT_ASSERT_NOT_NULL(test, array[1]);

	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&array[0]->base), 1);
	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(&array[1]->base, &fix->cb, count_call),
			-ENOENT);
	dma_fence_put(&array[0]->base);
	dma_fence_put(&array[1]->base);
}

/* Passes if sizes beyond any allocation get NULL, without a splat. */
static void alloc_of_too_many_returns_null(struct kunit *test)
{
	KUNIT_EXPECT_NULL(test, dma_fence_array_alloc(INT_MAX));
	KUNIT_EXPECT_NULL(test, dma_fence_array_alloc(-1));
	KUNIT_EXPECT_NULL(test, dma_fence_array_alloc(KMALLOC_MAX_SIZE /
						      sizeof(struct dma_fence_array_cb)));
}
#endif

/* What a race is about. */
struct race_ctx {
	struct dma_fence *array;
	struct dma_fence *member[4];
	struct dma_fence_cb cb;
	bool any;
	unsigned int round;
	atomic_t called;
	int added;
};

static void race_call(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	atomic_inc(&container_of(cb, struct race_ctx, cb)->called);
}

static void race_prepare(struct kunit *test, void *data)
{
	struct race_ctx *ctx = data;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ctx->member); i++)
		ctx->member[i] = mock_fence_create(test);
	ctx->any = ctx->round++ & 1;
	ctx->array = array_of(test, ctx->member, ARRAY_SIZE(ctx->member), ctx->any);
	if (ctx->round & 2)
		dma_fence_signal(ctx->member[1 + ctx->round / 4 % 3]);
	atomic_set(&ctx->called, 0);
}

static void race_signal_even(void *data)
{
	struct race_ctx *ctx = data;

	dma_fence_set_error(ctx->member[0], -EIO);
	dma_fence_signal(ctx->member[0]);
	cond_resched();
	dma_fence_signal(ctx->member[2]);
}

static void race_signal_odd(void *data)
{
	struct race_ctx *ctx = data;

	dma_fence_signal(ctx->member[3]);
	cond_resched();
	dma_fence_signal(ctx->member[1]);
}

static void race_enable(void *data)
{
	struct race_ctx *ctx = data;

	ctx->added = dma_fence_add_callback(ctx->array, &ctx->cb, race_call);
}

static void race_ask(void *data)
{
	struct race_ctx *ctx = data;
	int status = 0, tries;

	for (tries = 0; tries < 16 && !status; tries++) {
		status = dma_fence_get_status(ctx->array);
		cond_resched();
	}
}

static void race_check(struct kunit *test, void *data)
{
	struct race_ctx *ctx = data;
	int status;
	unsigned int i;

	KUNIT_EXPECT_GT(test,
			dma_fence_wait_timeout(ctx->array, false, SIGNAL_TIMEOUT), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&ctx->called), ctx->added ? 0 : 1);
	if (ctx->added)
		KUNIT_EXPECT_EQ(test, ctx->added, -ENOENT);

	status = dma_fence_get_status(ctx->array);
	KUNIT_EXPECT_TRUE(test, status == 1 || status == -EIO);

	dma_fence_put(ctx->array);
	for (i = 0; i < ARRAY_SIZE(ctx->member); i++)
		dma_fence_put(ctx->member[i]);
}

/*
 * Passes if, however enabling, asking and the signals of members interleave, the
 * array signals, with its callback called exactly once if it could be added.
 */
static void enable_races_with_signal(struct kunit *test)
{
	struct race_ctx *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	struct mock_race race = {
		.ctx = ctx,
		.rounds = 200,
		.prepare = race_prepare,
		.check = race_check,
		.racer = { race_enable, race_signal_even, race_signal_odd, race_ask },
	};

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	mock_race(test, &race);
}

static struct kunit_case array_cases[] = {
	KUNIT_CASE(create_sets_up_the_base),
	KUNIT_CASE(init_of_allocated_memory),
	KUNIT_CASE(to_array_of_other_fence_returns_null),
	KUNIT_CASE(release_drops_the_members),
	KUNIT_CASE(is_signaled_of_all_asks_every_member),
	KUNIT_CASE(is_signaled_of_any_asks_for_one),
	KUNIT_CASE(is_signaled_finds_silent_members),
	KUNIT_CASE(callback_of_all_comes_with_the_last),
	KUNIT_CASE(callback_of_any_comes_with_the_first),
	KUNIT_CASE(callback_of_all_counts_signaled_members),
	KUNIT_CASE(callback_of_all_when_done_returns_enoent),
	KUNIT_CASE(callback_of_any_when_done_returns_enoent),
	KUNIT_CASE(callback_comes_while_enabling),
	KUNIT_CASE(put_of_any_with_pending_members),
	KUNIT_CASE(put_of_any_done_when_enabled),
	KUNIT_CASE(put_of_all_while_enabled),
	KUNIT_CASE(error_of_the_first_member_stays),
	KUNIT_CASE(error_from_before_enabling),
	KUNIT_CASE(error_after_the_signal_is_ignored),
	KUNIT_CASE(error_is_found_by_asking),
	KUNIT_CASE(status_without_error),
	KUNIT_CASE(set_deadline_reaches_every_member),
	KUNIT_CASE(match_context_of_plain_fence),
	KUNIT_CASE(match_context_of_array),
	KUNIT_CASE(iterate_array),
	KUNIT_CASE(iterate_other_fence),
	KUNIT_CASE(init_with_a_container_warns),
#if DMABUF_OURS
	KUNIT_CASE(init_without_members_warns),
	KUNIT_CASE(alloc_of_too_many_returns_null),
#endif
	KUNIT_CASE_SLOW(enable_races_with_signal),
	{}
};

static struct kunit_suite array_suite = {
	.name = "dma_fence_array",
	.init = mock_fence_init,
	.test_cases = array_cases,
};

kunit_test_suite(array_suite);
