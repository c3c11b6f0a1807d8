// SPDX-License-Identifier: GPL-2.0
/*
 * Suite dma_fence_wait: what waiting returns, when it sleeps, and that it leaves
 * no callback behind.
 */

#include <kunit/test.h>
#include <linux/dma-fence.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "mock.h"
#include "mock_fence.h"

/* Far more than any case needs; a case that takes so long has failed. */
#define LONG_TIME (10 * HZ)

static struct dma_fence *new_fence(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_create(test);

	mock_fence_put_at_exit(test, fence);
	return fence;
}

static bool enabled(struct dma_fence *fence)
{
	return test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &fence->flags);
}

/* Something that happens while the test case sleeps. */
struct event {
	struct delayed_work work;
	struct dma_fence *fence;	/* gets signaled, unless NULL */
	struct task_struct *task;	/* gets SIGUSR1, unless NULL */
};

static void event_work(struct work_struct *work)
{
	struct event *event = container_of(work, struct event, work.work);

	if (event->fence)
		dma_fence_signal(event->fence);
	if (event->task)
		send_sig(SIGUSR1, event->task, 1);
}

static void event_cancel(void *data)
{
	struct event *event = data;

	cancel_delayed_work_sync(&event->work);
}

static void schedule_event(struct kunit *test, struct dma_fence *fence,
			   struct task_struct *task)
{
	struct event *event = kunit_kzalloc(test, sizeof(*event), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, event);
	event->fence = fence;
	event->task = task;
	INIT_DELAYED_WORK(&event->work, event_work);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, event_cancel, event), 0);
	schedule_delayed_work(&event->work, 2);
}

static void forget_signals(void)
{
	flush_signals(current);
	disallow_signal(SIGUSR1);
}

/* Until forget_signals(), in the thread of the test case only. */
static void accept_signals(void)
{
	allow_signal(SIGUSR1);
}

/* ---- one fence, through both functions ----------------------------------- */

static const struct waiting {
	const char *desc;
	signed long (*wait)(struct dma_fence *fence, bool intr, signed long timeout);
} waitings[] = {
	{ "wait_timeout", dma_fence_wait_timeout },
	{ "default_wait", dma_fence_default_wait },
};

KUNIT_ARRAY_PARAM_DESC(waiting, waitings, desc);

/* Passes if nothing of the timeout is used up, and 0 becomes 1. */
static void wait_on_signaled_returns_timeout(struct kunit *test)
{
	const struct waiting *waiting = test->param_value;
	struct dma_fence *fence = new_fence(test);

	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, waiting->wait(fence, false, 123), 123);
	KUNIT_EXPECT_EQ(test, waiting->wait(fence, true, 1), 1);
	KUNIT_EXPECT_EQ(test, waiting->wait(fence, true, 0), 1);
	KUNIT_EXPECT_EQ(test, waiting->wait(fence, false, MAX_SCHEDULE_TIMEOUT),
			MAX_SCHEDULE_TIMEOUT);
}

/* Passes if timeout 0 does not sleep on a fence that is not signaled. */
static void wait_without_timeout_returns_0(struct kunit *test)
{
	const struct waiting *waiting = test->param_value;
	struct dma_fence *fence = new_fence(test);

	KUNIT_EXPECT_EQ(test, waiting->wait(fence, false, 0), 0);
	KUNIT_EXPECT_EQ(test, waiting->wait(fence, true, 0), 0);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fence));
}

/* Passes if the wait ends in time, and takes its callback along. */
static void wait_times_out(struct kunit *test)
{
	const struct waiting *waiting = test->param_value;
	struct dma_fence *fence = new_fence(test);
	unsigned long start = jiffies;

	KUNIT_EXPECT_EQ(test, waiting->wait(fence, false, 3), 0);
	KUNIT_EXPECT_GE(test, jiffies - start, 3);
	KUNIT_EXPECT_EQ(test, waiting->wait(fence, true, 1), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&fence->cb_list));
}

/* Passes if the signal ends the wait, with part of the timeout left. */
static void wait_is_woken(struct kunit *test)
{
	const struct waiting *waiting = test->param_value;
	struct dma_fence *fence = new_fence(test);
	signed long left;

	schedule_event(test, fence, NULL);
	left = waiting->wait(fence, false, LONG_TIME);
	KUNIT_EXPECT_GT(test, left, 0);
	KUNIT_EXPECT_LT(test, left, LONG_TIME);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(fence));
	KUNIT_EXPECT_EQ(test, READ_ONCE(current->__state), TASK_RUNNING);
}

/* Passes if a signal that is pending ends a wait before it sleeps. */
static void wait_with_pending_signal_returns_erestartsys(struct kunit *test)
{
	const struct waiting *waiting = test->param_value;
	struct dma_fence *fence = new_fence(test);

	accept_signals();
	send_sig(SIGUSR1, current, 1);
	KUNIT_EXPECT_EQ(test, waiting->wait(fence, true, LONG_TIME), -ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, waiting->wait(fence, true, 0), -ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, waiting->wait(fence, false, 1), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&fence->cb_list));

	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, waiting->wait(fence, true, 5), 5);
	forget_signals();
}

/* Passes if a signal ends an interruptible sleep. */
static void wait_is_interrupted(struct kunit *test)
{
	const struct waiting *waiting = test->param_value;
	struct dma_fence *fence = new_fence(test);

	accept_signals();
	schedule_event(test, NULL, current);
	KUNIT_EXPECT_EQ(test, waiting->wait(fence, true, LONG_TIME), -ERESTARTSYS);
	KUNIT_EXPECT_TRUE(test, list_empty(&fence->cb_list));
	forget_signals();
}

/* Passes if a fence whose provider declines is not waited for. */
static void wait_when_refused_returns_timeout(struct kunit *test)
{
	struct mock_fence_args args = { .refuse_enable = true };
	struct mock_fence *mock = mock_fence_create_args(test, &args);

	mock_fence_put_at_exit(test, &mock->base);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(&mock->base, false, 77), 77);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(&mock->base));
}

/* Passes if even timeout 0 asks the provider to signal, so that polling ends. */
static void wait_timeout_without_timeout_enables(struct kunit *test)
{
	struct dma_fence *fence = new_fence(test);

	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(fence, false, 0), 0);
	KUNIT_EXPECT_TRUE(test, enabled(fence));
	KUNIT_EXPECT_EQ(test, atomic_read(&to_mock_fence(fence)->calls->enable_signaling), 1);
}

/* Passes if a negative timeout is reported and refused. */
static void wait_timeout_negative_returns_einval(struct kunit *test)
{
	struct dma_fence *fence = new_fence(test);

	dmabuf_expect_warning_begin(test);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(fence, false, -1), -EINVAL);
	dmabuf_expect_warning_end(test);
}

/* Passes if dma_fence_wait() turns remaining time into 0. */
static void wait_returns_0(struct kunit *test)
{
	struct dma_fence *fence = new_fence(test);

	schedule_event(test, fence, NULL);
	KUNIT_EXPECT_EQ(test, dma_fence_wait(fence, false), 0);
	KUNIT_EXPECT_EQ(test, dma_fence_wait(fence, true), 0);
}

/* Passes if dma_fence_wait() passes an interruption on. */
static void wait_interrupted_returns_erestartsys(struct kunit *test)
{
	struct dma_fence *fence = new_fence(test);

	accept_signals();
	schedule_event(test, NULL, current);
	KUNIT_EXPECT_EQ(test, dma_fence_wait(fence, true), -ERESTARTSYS);
	forget_signals();
}

/* ---- a provider that waits by itself -------------------------------------- */

struct own_wait {
	struct mock_fence_calls calls;
	signed long timeout;
	signed long result;
	bool intr;
	bool called;
};

static signed long own_wait(struct dma_fence *fence, bool intr, signed long timeout)
{
	struct own_wait *own = container_of(to_mock_fence(fence)->calls,
					    struct own_wait, calls);

	own->called = true;
	own->intr = intr;
	own->timeout = timeout;
	return own->result;
}

static const struct dma_fence_ops own_wait_ops = {
	.get_driver_name = mock_fence_get_driver_name,
	.get_timeline_name = mock_fence_get_timeline_name,
	.enable_signaling = mock_fence_enable_signaling,
	.wait = own_wait,
	.release = mock_fence_release,
};

static struct dma_fence *own_wait_fence(struct kunit *test, struct own_wait *own)
{
	struct mock_fence_args args = { .ops = &own_wait_ops, .calls = &own->calls };

	return &mock_fence_create_args(test, &args)->base;
}

static const signed long own_results[] = { -EDEADLK, -ERESTARTSYS, 0, 1, 4711 };

static void own_result_desc(const signed long *result, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%ld", *result);
}

KUNIT_ARRAY_PARAM(own_result, own_results, own_result_desc);

/* Passes if the provider's own wait gets the arguments and decides the result. */
static void wait_uses_the_providers_wait(struct kunit *test)
{
	struct own_wait own = { .result = *(const signed long *)test->param_value };
	struct dma_fence *fence = own_wait_fence(test, &own);

	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(fence, true, 99), own.result);
	KUNIT_EXPECT_TRUE(test, own.called);
	KUNIT_EXPECT_TRUE(test, own.intr);
	KUNIT_EXPECT_EQ(test, own.timeout, 99);
	KUNIT_EXPECT_EQ(test, atomic_read(&own.calls.enable_signaling), 1);

	KUNIT_EXPECT_EQ(test, dma_fence_wait(fence, false), min(own.result, 0L));
	KUNIT_EXPECT_FALSE(test, own.intr);
	KUNIT_EXPECT_EQ(test, own.timeout, MAX_SCHEDULE_TIMEOUT);
	dma_fence_put(fence);
}

/* Passes if the provider of a signaled fence, who may be gone, is not called. */
static void wait_on_signaled_skips_the_providers_wait(struct kunit *test)
{
	struct own_wait own = { .result = -EDEADLK };
	struct dma_fence *fence = own_wait_fence(test, &own);

	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(fence, false, 99), 99);
	KUNIT_EXPECT_FALSE(test, own.called);
	dma_fence_put(fence);
}

/* ---- any of several -------------------------------------------------------- */

#define MANY 5

static void new_fences(struct kunit *test, struct dma_fence *fences[MANY])
{
	int i;

	for (i = 0; i < MANY; i++)
		fences[i] = new_fence(test);
}

/* Passes if the first signaled fence is named, without a sleep. */
static void wait_any_with_signaled_returns_its_index(struct kunit *test)
{
	struct dma_fence *fences[MANY];
	u32 index = 100;

	new_fences(test, fences);
	dma_fence_signal(fences[4]);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(fences, MANY, true, 55, &index), 55);
	KUNIT_EXPECT_EQ(test, index, 4);

	dma_fence_signal(fences[2]);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(fences, MANY, false, 0, &index), 1);
	KUNIT_EXPECT_EQ(test, index, 2);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(fences, MANY, true, 55, NULL), 55);
}

/* Passes if a provider's word is enough, and if it is asked for without sleeping. */
static void wait_any_asks_providers(struct kunit *test)
{
	struct dma_fence *fences[MANY];
	u32 index = 100;

	new_fences(test, fences);
	to_mock_fence(fences[3])->done = true;
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(fences, MANY, true, 0, &index), 1);
	KUNIT_EXPECT_EQ(test, index, 3);
}

/* Passes if timeout 0 returns 0, names nobody, and leaves providers alone. */
static void wait_any_without_timeout_returns_0(struct kunit *test)
{
	struct dma_fence *fences[MANY];
	u32 index = 100;

	new_fences(test, fences);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(fences, MANY, true, 0, &index), 0);
	KUNIT_EXPECT_EQ(test, index, 100);
	KUNIT_EXPECT_FALSE(test, enabled(fences[0]));
}

/* Passes if the wait ends in time and takes its callbacks along. */
static void wait_any_times_out(struct kunit *test)
{
	struct dma_fence *fences[MANY];
	u32 index = 100;
	int i;

	new_fences(test, fences);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(fences, MANY, true, 2, &index), 0);
	KUNIT_EXPECT_EQ(test, index, 100);
	for (i = 0; i < MANY; i++)
		KUNIT_EXPECT_TRUE(test, list_empty(&fences[i]->cb_list));
}

static const u32 positions[] = { 0, 2, MANY - 1 };

static void position_desc(const u32 *position, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u", *position);
}

KUNIT_ARRAY_PARAM(position, positions, position_desc);

/* Passes if the fence that ends the sleep is named, wherever it stands. */
static void wait_any_is_woken(struct kunit *test)
{
	u32 position = *(const u32 *)test->param_value, index = 100;
	struct dma_fence *fences[MANY];
	signed long left;
	int i;

	new_fences(test, fences);
	schedule_event(test, fences[position], NULL);
	left = dma_fence_wait_any_timeout(fences, MANY, false, LONG_TIME, &index);
	KUNIT_EXPECT_GT(test, left, 0);
	KUNIT_EXPECT_LT(test, left, LONG_TIME);
	KUNIT_EXPECT_EQ(test, index, position);
	for (i = 0; i < MANY; i++) {
		KUNIT_EXPECT_TRUE(test, enabled(fences[i]));
		if (i != position)
			KUNIT_EXPECT_TRUE(test, list_empty(&fences[i]->cb_list));
	}
}

/* Passes if a provider that declines ends the wait, in which earlier ones are armed. */
static void wait_any_when_refused_returns_its_index(struct kunit *test)
{
	struct dma_fence *fences[MANY];
	u32 index = 100;

	new_fences(test, fences);
	to_mock_fence(fences[2])->refuse_enable = true;
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(fences, MANY, true, 9, &index), 9);
	KUNIT_EXPECT_EQ(test, index, 2);
	KUNIT_EXPECT_TRUE(test, list_empty(&fences[0]->cb_list));
	KUNIT_EXPECT_TRUE(test, list_empty(&fences[1]->cb_list));
}

/* Passes if a signal ends the sleep. */
static void wait_any_is_interrupted(struct kunit *test)
{
	struct dma_fence *fences[MANY];
	u32 index = 100;

	new_fences(test, fences);
	accept_signals();
	schedule_event(test, NULL, current);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(fences, MANY, true, LONG_TIME, &index),
			-ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, index, 100);
	KUNIT_EXPECT_TRUE(test, list_empty(&fences[0]->cb_list));
	forget_signals();
}

/* Passes if missing fences and a negative timeout are reported and refused. */
static void wait_any_of_nothing_returns_einval(struct kunit *test)
{
	struct dma_fence *fence = new_fence(test);
	u32 index;

	dmabuf_expect_warning_begin(test);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(NULL, 1, false, 1, &index), -EINVAL);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(&fence, 0, false, 1, &index), -EINVAL);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(&fence, 1, false, -1, &index), -EINVAL);
	dmabuf_expect_warning_end(test);
}

static void free_big(void *data)
{
	kvfree(data);
}

/* Passes if more callbacks than kmalloc() can hold make the wait fail, silently. */
static void wait_any_of_too_many_returns_enomem(struct kunit *test)
{
	/* A callback takes more room than this, so that it is enough. */
	u32 count = KMALLOC_MAX_SIZE / sizeof(struct dma_fence_cb) + 1, index = 100, i;
	struct dma_fence *fence = new_fence(test), **fences;

	fences = kvmalloc_array(count, sizeof(*fences), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fences);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_big, fences), 0);
	for (i = 0; i < count; i++)
		fences[i] = fence;

	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(fences, count, false, 1, &index),
			-ENOMEM);
	KUNIT_EXPECT_EQ(test, index, 100);
	KUNIT_EXPECT_TRUE(test, list_empty(&fence->cb_list));
}

/* Passes if one fence may stand in the list twice. */
static void wait_any_of_the_same_fence(struct kunit *test)
{
	struct dma_fence *fence = new_fence(test);
	struct dma_fence *fences[] = { fence, fence };
	u32 index = 100;

	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(fences, 2, false, 1, &index), 0);
	schedule_event(test, fence, NULL);
	KUNIT_EXPECT_GT(test, dma_fence_wait_any_timeout(fences, 2, false, LONG_TIME, &index), 0);
	KUNIT_EXPECT_EQ(test, index, 0);
}

#if DMABUF_OURS
/* Passes if no provider is bothered when a signaled fence is among the rest. */
static void wait_any_with_signaled_enables_nothing(struct kunit *test)
{
	struct dma_fence *fences[MANY];

	new_fences(test, fences);
	dma_fence_signal(fences[MANY - 1]);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(fences, MANY, false, 9, NULL), 9);
	KUNIT_EXPECT_FALSE(test, enabled(fences[0]));
}
#endif

/* ---- races ------------------------------------------------------------------ */

struct duel {
	struct dma_fence *fences[2];
	signed long left;
	u32 index;
};

static void duel_prepare(struct kunit *test, void *ctx)
{
	struct duel *duel = ctx;

	duel->fences[0] = mock_fence_create(test);
	duel->fences[1] = mock_fence_create(test);
	duel->index = 100;
}

static void duel_signal(void *ctx)
{
	struct duel *duel = ctx;

	dma_fence_signal(duel->fences[1]);
}

static void duel_signal_both(void *ctx)
{
	struct duel *duel = ctx;

	dma_fence_signal(duel->fences[1]);
	dma_fence_signal(duel->fences[0]);
}

static void duel_wait(void *ctx)
{
	struct duel *duel = ctx;

	duel->left = dma_fence_wait_timeout(duel->fences[1], false, LONG_TIME);
	duel->index = 1;
}

static void duel_wait_any(void *ctx)
{
	struct duel *duel = ctx;

	duel->left = dma_fence_wait_any_timeout(duel->fences, 2, false, LONG_TIME,
						&duel->index);
}

static void duel_check(struct kunit *test, void *ctx)
{
	struct duel *duel = ctx;

	KUNIT_EXPECT_GT(test, duel->left, 0);
	KUNIT_ASSERT_LT(test, duel->index, 2);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(duel->fences[duel->index]));
	if (!dma_fence_is_signaled(duel->fences[0]))
		KUNIT_EXPECT_TRUE(test, list_empty(&duel->fences[0]->cb_list));
	dma_fence_put(duel->fences[0]);
	dma_fence_put(duel->fences[1]);
}

/* Passes if no wake-up is lost between looking and sleeping. */
static void race_wait_vs_signal(struct kunit *test)
{
	struct duel duel = {};
	struct mock_race race = {
		.ctx = &duel,
		.prepare = duel_prepare,
		.check = duel_check,
		.racer = { duel_wait, duel_signal },
	};

	mock_race(test, &race);
}

/* Passes if the same holds for several fences that are signaled together. */
static void race_wait_any_vs_signal(struct kunit *test)
{
	struct duel duel = {};
	struct mock_race race = {
		.ctx = &duel,
		.prepare = duel_prepare,
		.check = duel_check,
		.racer = { duel_wait_any, duel_signal_both },
	};

	mock_race(test, &race);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(wait_on_signaled_returns_timeout, waiting_gen_params),
	KUNIT_CASE_PARAM(wait_without_timeout_returns_0, waiting_gen_params),
	KUNIT_CASE_PARAM(wait_times_out, waiting_gen_params),
	KUNIT_CASE_PARAM(wait_is_woken, waiting_gen_params),
	KUNIT_CASE_PARAM(wait_with_pending_signal_returns_erestartsys, waiting_gen_params),
	KUNIT_CASE_PARAM(wait_is_interrupted, waiting_gen_params),
	KUNIT_CASE(wait_when_refused_returns_timeout),
	KUNIT_CASE(wait_timeout_without_timeout_enables),
	KUNIT_CASE(wait_timeout_negative_returns_einval),
	KUNIT_CASE(wait_returns_0),
	KUNIT_CASE(wait_interrupted_returns_erestartsys),
	KUNIT_CASE_PARAM(wait_uses_the_providers_wait, own_result_gen_params),
	KUNIT_CASE(wait_on_signaled_skips_the_providers_wait),
	KUNIT_CASE(wait_any_with_signaled_returns_its_index),
	KUNIT_CASE(wait_any_asks_providers),
	KUNIT_CASE(wait_any_without_timeout_returns_0),
	KUNIT_CASE(wait_any_times_out),
	KUNIT_CASE_PARAM(wait_any_is_woken, position_gen_params),
	KUNIT_CASE(wait_any_when_refused_returns_its_index),
	KUNIT_CASE(wait_any_is_interrupted),
	KUNIT_CASE(wait_any_of_nothing_returns_einval),
	KUNIT_CASE(wait_any_of_too_many_returns_enomem),
	KUNIT_CASE(wait_any_of_the_same_fence),
#if DMABUF_OURS
	KUNIT_CASE(wait_any_with_signaled_enables_nothing),
#endif
	KUNIT_CASE_SLOW(race_wait_vs_signal),
	KUNIT_CASE_SLOW(race_wait_any_vs_signal),
	{}
};

static struct kunit_suite suite = {
	.name = "dma_fence_wait",
	.init = mock_fence_init,
	.test_cases = cases,
};

kunit_test_suite(suite);
