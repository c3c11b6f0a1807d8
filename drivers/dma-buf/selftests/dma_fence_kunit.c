// SPDX-License-Identifier: GPL-2.0
/*
 * Suite dma_fence: the state machine of one fence, who is called when, and what
 * is left of a fence whose provider has gone.
 */

#include <kunit/test.h>
#include <linux/dma-fence.h>
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/trace_events.h>

#include "mock.h"
#include "mock_fence.h"

static bool has_flag(struct dma_fence *fence, enum dma_fence_flag_bits bit)
{
	return test_bit(bit, &fence->flags);
}

/* A mock fence whose last reference is dropped by the end of the case. */
static struct mock_fence *new_mock(struct kunit *test, struct mock_fence_args args)
{
	struct mock_fence *mock = mock_fence_create_args(test, &args);

	mock_fence_put_at_exit(test, &mock->base);
	return mock;
}

static struct dma_fence *new_fence(struct kunit *test)
{
	return &new_mock(test, (struct mock_fence_args){})->base;
}

/* A callback that notes what it sees. */
struct probe {
	struct dma_fence_cb cb;
	atomic_t calls;
	unsigned long flags;
	int error;
	bool node_empty;
	bool irqs_off;
	bool lock_held;
	unsigned int place;		/* the how many-th of its sequence */
	unsigned int *sequence;
};

static void probe_func(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct probe *probe = container_of(cb, struct probe, cb);

	atomic_inc(&probe->calls);
	probe->flags = fence->flags;
	probe->error = fence->error;
	probe->node_empty = list_empty(&cb->node);
	probe->irqs_off = irqs_disabled();
	probe->lock_held = !IS_ENABLED(CONFIG_LOCKDEP) || lockdep_is_held(fence->lock);
	if (probe->sequence)
		probe->place = ++*probe->sequence;
}

static int times_called(struct probe *probe)
{
	return atomic_read(&probe->calls);
}

/* ---- contexts and init ------------------------------------------------- */

/* Passes if ranges of contexts do not overlap, whatever their size. */
static void context_alloc_ranges_are_disjoint(struct kunit *test)
{
	u64 first = dma_fence_context_alloc(5);
	u64 second = dma_fence_context_alloc(1);
	u64 third = dma_fence_context_alloc(1);

	KUNIT_EXPECT_GT(test, first, 0);
	KUNIT_EXPECT_GE(test, second, first + 5);
	KUNIT_EXPECT_GT(test, third, second);
}

/* Passes if a request for nothing is reported and harms nobody. */
static void context_alloc_zero_warns(struct kunit *test)
{
	u64 first;

	dmabuf_expect_warning_begin(test);
	first = dma_fence_context_alloc(0);
	dmabuf_expect_warning_end(test);

	KUNIT_EXPECT_GE(test, dma_fence_context_alloc(1), first);
}

/* Passes if a new fence is in the first row of the state table. */
static void init_makes_new_fence(struct kunit *test)
{
	struct mock_fence *mock = new_mock(test, (struct mock_fence_args){
		.context = 77, .seqno = 1ULL << 40 });
	struct dma_fence *fence = &mock->base;

	KUNIT_EXPECT_PTR_EQ(test, fence->ops, &mock_fence_ops);
	KUNIT_EXPECT_PTR_EQ(test, fence->lock, &mock->own_lock);
	KUNIT_EXPECT_EQ(test, fence->context, 77);
	KUNIT_EXPECT_EQ(test, fence->seqno, 1ULL << 40);
	KUNIT_EXPECT_EQ(test, fence->error, 0);
	KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), 1);
	KUNIT_EXPECT_TRUE(test, list_empty(&fence->cb_list));
	KUNIT_EXPECT_FALSE(test, has_flag(fence, DMA_FENCE_FLAG_SIGNALED_BIT));
	KUNIT_EXPECT_FALSE(test, has_flag(fence, DMA_FENCE_FLAG_TIMESTAMP_BIT));
	KUNIT_EXPECT_FALSE(test, has_flag(fence, DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT));
	KUNIT_EXPECT_FALSE(test, has_flag(fence, DMA_FENCE_FLAG_USER_BITS));
}

#if DMABUF_OURS
static const struct dma_fence_ops no_driver_name_ops = {
	.get_timeline_name = mock_fence_get_timeline_name,
};

static const struct dma_fence_ops no_timeline_name_ops = {
	.get_driver_name = mock_fence_get_driver_name,
};

static const struct broken_provider {
	const char *desc;
	const struct dma_fence_ops *ops;
	bool no_lock;
} broken_providers[] = {
	{ "no_ops", NULL },
	{ "no_lock", &mock_fence_ops, true },
	{ "no_driver_name", &no_driver_name_ops },
	{ "no_timeline_name", &no_timeline_name_ops },
};

KUNIT_ARRAY_PARAM_DESC(broken_provider, broken_providers, desc);

/* Passes if a fence that cannot work fails those who wait, and no one else. */
static void init_of_broken_provider_is_signaled_with_einval(struct kunit *test)
{
	const struct broken_provider *broken = test->param_value;
	struct dma_fence *fence = kunit_kzalloc(test, sizeof(*fence), GFP_KERNEL);
	DEFINE_SPINLOCK(lock);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	dmabuf_expect_warning_begin(test);
	dma_fence_init(fence, broken->ops, broken->no_lock ? NULL : &lock, 1, 1);
	dmabuf_expect_warning_end(test);

	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(fence));
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), -EINVAL);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(fence, false, 3), 3);
	/* The memory is this case's, and stays so. */
	dma_fence_put(fence);
	KUNIT_EXPECT_EQ(test, fence->error, -EINVAL);
}
#endif

/* ---- signal ------------------------------------------------------------ */

static int signal_unlocked(struct dma_fence *fence)
{
	return dma_fence_signal(fence);
}

static int signal_at(struct dma_fence *fence)
{
	return dma_fence_signal_timestamp(fence, 1000);
}

static int signal_under_lock(struct dma_fence *fence)
{
	unsigned long irqflags;
	int ret;

	spin_lock_irqsave(fence->lock, irqflags);
	ret = dma_fence_signal_locked(fence);
	spin_unlock_irqrestore(fence->lock, irqflags);
	return ret;
}

static int signal_at_under_lock(struct dma_fence *fence)
{
	unsigned long irqflags;
	int ret;

	spin_lock_irqsave(fence->lock, irqflags);
	ret = dma_fence_signal_timestamp_locked(fence, 1000);
	spin_unlock_irqrestore(fence->lock, irqflags);
	return ret;
}

static const struct signaler {
	const char *desc;
	int (*signal)(struct dma_fence *fence);
	bool at_given_time;
} signalers[] = {
	{ "signal", signal_unlocked, false },
	{ "signal_locked", signal_under_lock, false },
	{ "signal_timestamp", signal_at, true },
	{ "signal_timestamp_locked", signal_at_under_lock, true },
};

KUNIT_ARRAY_PARAM_DESC(signaler, signalers, desc);

/* Passes if the first signal counts, and the second one changes nothing. */
static void signal_twice_returns_einval(struct kunit *test)
{
	const struct signaler *signaler = test->param_value;
	struct dma_fence *fence = new_fence(test);
	ktime_t timestamp;

	KUNIT_EXPECT_EQ(test, signaler->signal(fence), 0);
	KUNIT_EXPECT_TRUE(test, has_flag(fence, DMA_FENCE_FLAG_SIGNALED_BIT));
	KUNIT_EXPECT_TRUE(test, has_flag(fence, DMA_FENCE_FLAG_TIMESTAMP_BIT));
	timestamp = dma_fence_timestamp(fence);

	KUNIT_EXPECT_EQ(test, signaler->signal(fence), -EINVAL);
	KUNIT_EXPECT_EQ(test, dma_fence_timestamp(fence), timestamp);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), 1);
}

/* Passes if the time is the one given, or CLOCK_MONOTONIC of the call. */
static void signal_notes_the_time(struct kunit *test)
{
	const struct signaler *signaler = test->param_value;
	struct dma_fence *fence = new_fence(test);
	ktime_t before = ktime_get();

	KUNIT_EXPECT_EQ(test, signaler->signal(fence), 0);
	if (signaler->at_given_time) {
		KUNIT_EXPECT_EQ(test, dma_fence_timestamp(fence), 1000);
		return;
	}
	KUNIT_EXPECT_GE(test, dma_fence_timestamp(fence), before);
	KUNIT_EXPECT_LE(test, dma_fence_timestamp(fence), ktime_get());
}

/* Passes if callbacks run in the order of adding, in the promised context. */
static void signal_calls_callbacks_in_order(struct kunit *test)
{
	const struct signaler *signaler = test->param_value;
	struct dma_fence *fence = new_fence(test);
	struct probe probes[3] = {};
	unsigned int sequence = 0, i;

	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		probes[i].sequence = &sequence;
		KUNIT_EXPECT_EQ(test, dma_fence_add_callback(fence, &probes[i].cb,
							     probe_func), 0);
	}
	KUNIT_EXPECT_EQ(test, sequence, 0);
	KUNIT_EXPECT_EQ(test, signaler->signal(fence), 0);

	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		KUNIT_EXPECT_EQ(test, times_called(&probes[i]), 1);
		KUNIT_EXPECT_EQ(test, probes[i].place, i + 1);
		KUNIT_EXPECT_TRUE(test, probes[i].irqs_off);
		KUNIT_EXPECT_TRUE(test, probes[i].lock_held);
		KUNIT_EXPECT_TRUE(test, probes[i].node_empty);
		KUNIT_EXPECT_TRUE(test, probes[i].flags & BIT(DMA_FENCE_FLAG_SIGNALED_BIT));
		KUNIT_EXPECT_TRUE(test, probes[i].flags & BIT(DMA_FENCE_FLAG_TIMESTAMP_BIT));
	}
}

static void free_cb(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	memset(cb, 0x5a, sizeof(*cb));
	kfree(cb);
}

/* Passes if nothing looks at a callback that has freed itself. */
static void signal_lets_callbacks_free_themselves(struct kunit *test)
{
	struct dma_fence *fence = new_fence(test);
	struct probe last = {};
	int i;

	for (i = 0; i < 3; i++) {
		struct dma_fence_cb *cb = kmalloc(sizeof(*cb), GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, cb);
		KUNIT_ASSERT_EQ(test, dma_fence_add_callback(fence, cb, free_cb), 0);
	}
	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(fence, &last.cb, probe_func), 0);

	KUNIT_EXPECT_EQ(test, dma_fence_signal(fence), 0);
	KUNIT_EXPECT_EQ(test, times_called(&last), 1);
}

/* Passes if NULL is refused. */
static void signal_null_returns_einval(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, dma_fence_signal(NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, dma_fence_signal_timestamp(NULL, 1), -EINVAL);
}

/* ---- enable signaling -------------------------------------------------- */

/* Passes if the provider hears of the first interest only. */
static void enable_sw_signaling_asks_provider_once(struct kunit *test)
{
	struct mock_fence *mock = new_mock(test, (struct mock_fence_args){});
	struct probe probe = {};

	dma_fence_enable_sw_signaling(&mock->base);
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->calls->enable_signaling), 1);
	KUNIT_EXPECT_TRUE(test, has_flag(&mock->base, DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT));
	KUNIT_EXPECT_FALSE(test, has_flag(&mock->base, DMA_FENCE_FLAG_SIGNALED_BIT));

	dma_fence_enable_sw_signaling(&mock->base);
	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(&mock->base, &probe.cb, probe_func), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->calls->enable_signaling), 1);
	KUNIT_EXPECT_TRUE(test, dma_fence_remove_callback(&mock->base, &probe.cb));
}

/* Passes if the provider of a signaled fence is left in peace. */
static void enable_sw_signaling_after_signal_asks_nobody(struct kunit *test)
{
	struct mock_fence *mock = new_mock(test, (struct mock_fence_args){});

	dma_fence_signal(&mock->base);
	dma_fence_enable_sw_signaling(&mock->base);
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->calls->enable_signaling), 0);
}

/* Passes if a provider that declines has its fence signaled, error included. */
static void enable_sw_signaling_refused_signals(struct kunit *test)
{
	struct mock_fence *mock = new_mock(test, (struct mock_fence_args){
		.refuse_enable = true });

	mock->error = -EIO;
	dma_fence_enable_sw_signaling(&mock->base);
	KUNIT_EXPECT_TRUE(test, has_flag(&mock->base, DMA_FENCE_FLAG_SIGNALED_BIT));
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&mock->base), -EIO);
}

/* Passes if a provider without the operation counts as enabled. */
static void enable_sw_signaling_without_op_is_enabled(struct kunit *test)
{
	struct mock_fence *mock = new_mock(test, (struct mock_fence_args){
		.ops = &mock_fence_ops_minimal });

	dma_fence_enable_sw_signaling(&mock->base);
	KUNIT_EXPECT_TRUE(test, has_flag(&mock->base, DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT));
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(&mock->base));
}

/* ---- callbacks --------------------------------------------------------- */

/* Passes if a late callback is turned away and can still be removed. */
static void add_callback_after_signal_returns_enoent(struct kunit *test)
{
	struct dma_fence *fence = new_fence(test);
	struct probe probe = {};

	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(fence, &probe.cb, probe_func), -ENOENT);
	KUNIT_EXPECT_TRUE(test, list_empty(&probe.cb.node));
	KUNIT_EXPECT_FALSE(test, dma_fence_remove_callback(fence, &probe.cb));
	KUNIT_EXPECT_EQ(test, times_called(&probe), 0);
}

/* Passes if a callback that makes the provider give up is not called. */
static void add_callback_when_refused_returns_enoent(struct kunit *test)
{
	struct mock_fence *mock = new_mock(test, (struct mock_fence_args){
		.refuse_enable = true });
	struct probe probe = {};

	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(&mock->base, &probe.cb, probe_func),
			-ENOENT);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(&mock->base));
	KUNIT_EXPECT_FALSE(test, dma_fence_remove_callback(&mock->base, &probe.cb));
	KUNIT_EXPECT_EQ(test, times_called(&probe), 0);
}

/* Passes if missing arguments are reported and refused. */
static void add_callback_null_returns_einval(struct kunit *test)
{
	struct dma_fence *fence = new_fence(test);
	struct dma_fence_cb cb = {};

	dmabuf_expect_warning_begin(test);
	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(NULL, &cb, probe_func), -EINVAL);
	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(fence, &cb, NULL), -EINVAL);
	dmabuf_expect_warning_end(test);
}

/* Passes if a removed callback is not called, and only one remove is told yes. */
static void remove_callback_before_signal_returns_true(struct kunit *test)
{
	struct dma_fence *fence = new_fence(test);
	struct probe gone = {}, kept = {};

	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(fence, &gone.cb, probe_func), 0);
	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(fence, &kept.cb, probe_func), 0);
	KUNIT_EXPECT_TRUE(test, dma_fence_remove_callback(fence, &gone.cb));
	KUNIT_EXPECT_FALSE(test, dma_fence_remove_callback(fence, &gone.cb));

	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, times_called(&gone), 0);
	KUNIT_EXPECT_EQ(test, times_called(&kept), 1);
}

/* Passes if the remover learns that the callback has been called. */
static void remove_callback_after_signal_returns_false(struct kunit *test)
{
	struct dma_fence *fence = new_fence(test);
	struct probe probe = {};

	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(fence, &probe.cb, probe_func), 0);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, times_called(&probe), 1);
	KUNIT_EXPECT_FALSE(test, dma_fence_remove_callback(fence, &probe.cb));
}

/* Passes if a callback can be used again once it was removed. */
static void add_callback_again_after_remove(struct kunit *test)
{
	struct dma_fence *fence = new_fence(test);
	struct probe probe = {};

	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(fence, &probe.cb, probe_func), 0);
	KUNIT_EXPECT_TRUE(test, dma_fence_remove_callback(fence, &probe.cb));
	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(fence, &probe.cb, probe_func), 0);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, times_called(&probe), 1);
}

/* ---- is it signaled, and how did it end -------------------------------- */

/* Passes if a provider's yes signals the fence, and its no changes nothing. */
static void is_signaled_asks_provider(struct kunit *test)
{
	struct mock_fence *mock = new_mock(test, (struct mock_fence_args){});
	struct probe probe = {};

	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(&mock->base));
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->calls->signaled), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->calls->enable_signaling), 0);
	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(&mock->base, &probe.cb, probe_func), 0);

	mock->done = true;
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(&mock->base));
	KUNIT_EXPECT_TRUE(test, has_flag(&mock->base, DMA_FENCE_FLAG_SIGNALED_BIT));
	KUNIT_EXPECT_EQ(test, times_called(&probe), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->calls->signaled), 2);
}

/* Passes if the same holds under the lock. */
static void is_signaled_locked_asks_provider(struct kunit *test)
{
	struct mock_fence *mock = new_mock(test, (struct mock_fence_args){});
	bool before, after;

	spin_lock_irq(mock->base.lock);
	before = dma_fence_is_signaled_locked(&mock->base);
	mock->done = true;
	after = dma_fence_is_signaled_locked(&mock->base);
	spin_unlock_irq(mock->base.lock);

	KUNIT_EXPECT_FALSE(test, before);
	KUNIT_EXPECT_TRUE(test, after);
	KUNIT_EXPECT_TRUE(test, has_flag(&mock->base, DMA_FENCE_FLAG_SIGNALED_BIT));
}

/* Passes if the flag alone answers for a fence whose provider has no operation. */
static void is_signaled_without_op_is_the_flag(struct kunit *test)
{
	struct mock_fence *mock = new_mock(test, (struct mock_fence_args){
		.ops = &mock_fence_ops_minimal, .done = true });

	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(&mock->base));
	dma_fence_signal(&mock->base);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(&mock->base));
}

static int status_locked(struct dma_fence *fence)
{
	int status;

	spin_lock_irq(fence->lock);
	status = dma_fence_get_status_locked(fence);
	spin_unlock_irq(fence->lock);
	return status;
}

/* Passes if the status is 0, then 1. */
static void get_status_is_0_then_1(struct kunit *test)
{
	struct dma_fence *fence = new_fence(test);

	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), 0);
	KUNIT_EXPECT_EQ(test, status_locked(fence), 0);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), 1);
	KUNIT_EXPECT_EQ(test, status_locked(fence), 1);
}

/* Passes if the status is the error, but not before the fence is signaled. */
static void get_status_is_the_error_once_signaled(struct kunit *test)
{
	struct dma_fence *fence = new_fence(test);

	dma_fence_set_error(fence, -ENODEV);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), 0);
	KUNIT_EXPECT_EQ(test, status_locked(fence), 0);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), -ENODEV);
	KUNIT_EXPECT_EQ(test, status_locked(fence), -ENODEV);
}

/* Passes if asking for the status finds out that the work is over. */
static void get_status_asks_provider(struct kunit *test)
{
	struct mock_fence *mock = new_mock(test, (struct mock_fence_args){ .done = true });

	mock->error = -ECANCELED;
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&mock->base), -ECANCELED);
	KUNIT_EXPECT_TRUE(test, has_flag(&mock->base, DMA_FENCE_FLAG_SIGNALED_BIT));
}

/* Passes if both ends of the range of errors are taken. */
static void set_error_takes_every_errno(struct kunit *test)
{
	struct dma_fence *first = new_fence(test), *last = new_fence(test);

	dma_fence_set_error(first, -1);
	dma_fence_set_error(last, -MAX_ERRNO);
	KUNIT_EXPECT_EQ(test, first->error, -1);
	KUNIT_EXPECT_EQ(test, last->error, -MAX_ERRNO);
}

#if DMABUF_OURS
/* Passes if what is no errno is reported and not stored. */
static void set_error_out_of_range_warns(struct kunit *test)
{
	struct dma_fence *fence = new_fence(test);

	dmabuf_expect_warning_begin(test);
	dma_fence_set_error(fence, 0);
	dma_fence_set_error(fence, EIO);
	dma_fence_set_error(fence, -MAX_ERRNO - 1);
	dmabuf_expect_warning_end(test);
	KUNIT_EXPECT_EQ(test, fence->error, 0);
}

/* Passes if an error that comes too late is reported and not stored. */
static void set_error_after_signal_warns(struct kunit *test)
{
	struct dma_fence *fence = new_fence(test);

	dma_fence_signal(fence);
	dmabuf_expect_warning_begin(test);
	dma_fence_set_error(fence, -EIO);
	dmabuf_expect_warning_end(test);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), 1);
}
#endif

/* Passes if there is an answer for a fence that is not signaled, and a report. */
static void timestamp_of_unsignaled_is_now(struct kunit *test)
{
	struct dma_fence *fence = new_fence(test);
	ktime_t before = ktime_get(), timestamp;

	dmabuf_expect_warning_begin(test);
	timestamp = dma_fence_timestamp(fence);
	dmabuf_expect_warning_end(test);
	KUNIT_EXPECT_GE(test, timestamp, before);
	KUNIT_EXPECT_LE(test, timestamp, ktime_get());
}

/* ---- order on a timeline ----------------------------------------------- */

static const struct order {
	const char *desc;
	u64 a, b;
	bool later32, later64;
} orders[] = {
	{ "same", 5, 5, false, false },
	{ "next", 6, 5, true, true },
	{ "previous", 5, 6, false, false },
	{ "wrap", 0, U32_MAX, true, false },
	{ "before_wrap", U32_MAX, 0, false, true },
	{ "half_minus_one", S32_MAX, 0, true, true },
	{ "half_plus_one", (u64)S32_MAX + 2, 0, false, true },
	{ "high_word_only", 1ULL << 32, 0, false, true },
	{ "high_word_ignored", (1ULL << 32) + 1, 2, false, true },
	{ "end", U64_MAX, 0, false, true },
};

KUNIT_ARRAY_PARAM_DESC(order, orders, desc);

static struct dma_fence *on_timeline(struct kunit *test, const struct dma_fence_ops *ops,
				     u64 context, u64 seqno)
{
	struct dma_fence *fence = new_fence(test);

	/* Again, because the arguments take 0 for something else. */
	dma_fence_init(fence, ops, fence->lock, context, seqno);
	return fence;
}

/* Passes if 32-bit seqnos wrap, in fences and in bare numbers. */
static void is_later_32bit(struct kunit *test)
{
	const struct order *order = test->param_value;
	struct dma_fence *a = on_timeline(test, &mock_fence_ops, 9, order->a);
	struct dma_fence *b = on_timeline(test, &mock_fence_ops, 9, order->b);

	KUNIT_EXPECT_EQ(test, dma_fence_is_later(a, b), order->later32);
	KUNIT_EXPECT_EQ(test, __dma_fence_is_later(order->a, order->b, &mock_fence_ops),
			order->later32);
	KUNIT_EXPECT_EQ(test, dma_fence_is_later_or_same(a, b), order->later32);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_later_or_same(a, a));
}

/* Passes if 64-bit seqnos do not wrap. */
static void is_later_64bit(struct kunit *test)
{
	const struct order *order = test->param_value;
	struct dma_fence *a = on_timeline(test, &mock_fence_ops64, 9, order->a);
	struct dma_fence *b = on_timeline(test, &mock_fence_ops64, 9, order->b);

	KUNIT_EXPECT_EQ(test, dma_fence_is_later(a, b), order->later64);
	KUNIT_EXPECT_EQ(test, __dma_fence_is_later(order->a, order->b, &mock_fence_ops64),
			order->later64);
	KUNIT_EXPECT_EQ(test, dma_fence_is_later_or_same(a, b), order->later64);
}

/* Passes if the later fence is worth a wait until it is signaled. */
static void later_of_two_is_null_when_signaled(struct kunit *test)
{
	struct dma_fence *a = on_timeline(test, &mock_fence_ops, 9, 1);
	struct dma_fence *b = on_timeline(test, &mock_fence_ops, 9, 2);

	KUNIT_EXPECT_PTR_EQ(test, dma_fence_later(a, b), b);
	KUNIT_EXPECT_PTR_EQ(test, dma_fence_later(b, a), b);
	dma_fence_signal(a);
	KUNIT_EXPECT_PTR_EQ(test, dma_fence_later(a, b), b);
	dma_fence_signal(b);
	KUNIT_EXPECT_NULL(test, dma_fence_later(a, b));
}

/* Passes if fences of two timelines are not compared but reported. */
static void is_later_of_other_context_warns(struct kunit *test)
{
	struct dma_fence *a = on_timeline(test, &mock_fence_ops, 9, 1);
	struct dma_fence *b = on_timeline(test, &mock_fence_ops, 8, 2);

	dmabuf_expect_warning_begin(test);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_later(a, b));
	KUNIT_EXPECT_FALSE(test, dma_fence_is_later(b, a));
	KUNIT_EXPECT_FALSE(test, dma_fence_is_later_or_same(b, a));
	KUNIT_EXPECT_NULL(test, dma_fence_later(a, b));
	dmabuf_expect_warning_end(test);
}

/* ---- deadline, names, description --------------------------------------- */

/* Passes if the provider hears of every deadline. */
static void set_deadline_reaches_provider(struct kunit *test)
{
	struct mock_fence *mock = new_mock(test, (struct mock_fence_args){});

	dma_fence_set_deadline(&mock->base, 100);
	KUNIT_EXPECT_EQ(test, mock->deadline, 100);
	dma_fence_set_deadline(&mock->base, 50);
	KUNIT_EXPECT_EQ(test, mock->deadline, 50);
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->calls->set_deadline), 2);
}

/* Passes if nobody is bothered for a fence that is signaled, or is so by now. */
static void set_deadline_after_signal_is_dropped(struct kunit *test)
{
	struct mock_fence *mock = new_mock(test, (struct mock_fence_args){ .done = true });

	dma_fence_set_deadline(&mock->base, 100);
	dma_fence_signal(&mock->base);
	dma_fence_set_deadline(&mock->base, 100);
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->calls->set_deadline), 0);
}

/* Passes if a provider that is not interested is not called. */
static void set_deadline_without_op_is_dropped(struct kunit *test)
{
	struct mock_fence *mock = new_mock(test, (struct mock_fence_args){
		.ops = &mock_fence_ops_minimal });

	dma_fence_set_deadline(&mock->base, 100);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(&mock->base));
}

static void describe(struct kunit *test, struct dma_fence *fence, char *buf, size_t size)
{
	struct seq_file seq = { .buf = buf, .size = size };

	dma_fence_describe(fence, &seq);
	KUNIT_ASSERT_LT(test, seq.count, size);
	buf[seq.count] = '\0';
}

/* Passes if the line of an unsignaled fence is what 6.12 prints. */
static void describe_unsignaled(struct kunit *test)
{
	struct mock_fence *mock = new_mock(test, (struct mock_fence_args){ .seqno = 7 });
	char line[128];

	describe(test, &mock->base, line, sizeof(line));
	KUNIT_EXPECT_STREQ(test, line, MOCK_DRIVER_NAME " " MOCK_TIMELINE_NAME
			   " seq 7 unsignalled\n");
}

/*
 * Passes if the provider of a signaled fence, who may be gone, is not asked for
 * its names; nor if the description itself finds out that the work is over.
 */
static void describe_signaled_does_not_ask_for_names(struct kunit *test)
{
	struct mock_fence *mock = new_mock(test, (struct mock_fence_args){
		.seqno = 7, .done = true });
	char line[128];

	describe(test, &mock->base, line, sizeof(line));
	describe(test, &mock->base, line, sizeof(line));
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, " seq 7 signalled\n"));
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->calls->driver_name), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->calls->timeline_name), 0);
}

#if DMABUF_OURS
/* Passes if each getter returns its own name while the provider is there. */
static void name_of_unsignaled_is_the_providers(struct kunit *test)
{
	struct mock_fence *mock = new_mock(test, (struct mock_fence_args){});
	const char *driver, *timeline;

	rcu_read_lock();
	driver = dma_fence_driver_name(&mock->base);
	timeline = dma_fence_timeline_name(&mock->base);
	rcu_read_unlock();

	KUNIT_EXPECT_STREQ(test, driver, MOCK_DRIVER_NAME);
	KUNIT_EXPECT_STREQ(test, timeline, MOCK_TIMELINE_NAME);
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->calls->driver_name), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->calls->timeline_name), 1);
}

/* Passes if names are fixed strings once the provider may be gone. */
static void name_of_signaled_is_fixed(struct kunit *test)
{
	struct mock_fence *mock = new_mock(test, (struct mock_fence_args){});
	const char *driver, *timeline;

	dma_fence_signal(&mock->base);
	rcu_read_lock();
	driver = dma_fence_driver_name(&mock->base);
	timeline = dma_fence_timeline_name(&mock->base);
	rcu_read_unlock();

	KUNIT_EXPECT_STREQ(test, driver, "detached-driver");
	KUNIT_EXPECT_STREQ(test, timeline, "signaled-timeline");
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->calls->driver_name), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->calls->timeline_name), 0);
}
#endif

#ifdef CONFIG_EVENT_TRACING
static void events_off(void *unused)
{
	trace_set_clr_event("dma_fence", NULL, 0);
}

static void events_on(struct kunit *test)
{
	if (trace_set_clr_event("dma_fence", NULL, 1))
		kunit_skip(test, "no trace events");
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, events_off, NULL), 0);
}

/*
 * Passes if no event asks for the names of a fence that was signaled before:
 * waiting, or dropping the last reference, may come after the provider has gone.
 */
static void trace_of_signaled_does_not_ask_for_names(struct kunit *test)
{
	struct mock_fence_calls calls = {};
	struct mock_fence_args args = { .calls = &calls };
	struct mock_fence *mock = mock_fence_create_args(test, &args);
	int driver, timeline;

	events_on(test);
	dma_fence_signal(&mock->base);
	driver = atomic_read(&calls.driver_name);
	timeline = atomic_read(&calls.timeline_name);

	dma_fence_wait(&mock->base, false);
	dma_fence_put(&mock->base);
	KUNIT_EXPECT_EQ(test, atomic_read(&calls.driver_name), driver);
	KUNIT_EXPECT_EQ(test, atomic_read(&calls.timeline_name), timeline);
}

/* Did the last step ask for both names? */
static bool names_asked(struct mock_fence_calls *calls)
{
	return atomic_xchg(&calls->driver_name, 0) && atomic_xchg(&calls->timeline_name, 0);
}

/* Passes if init, enable, wait, signal and release in vain show true names. */
static void trace_of_unsignaled_asks_for_names(struct kunit *test)
{
	struct mock_fence_calls calls = {};
	struct mock_fence_args args = { .calls = &calls };
	struct mock_fence *signaled, *unused;

	events_on(test);
	signaled = mock_fence_create_args(test, &args);
	KUNIT_EXPECT_TRUE(test, names_asked(&calls));
	dma_fence_enable_sw_signaling(&signaled->base);
	KUNIT_EXPECT_TRUE(test, names_asked(&calls));
	dma_fence_wait_timeout(&signaled->base, false, 0);
	KUNIT_EXPECT_TRUE(test, names_asked(&calls));
	dma_fence_signal(&signaled->base);
	KUNIT_EXPECT_TRUE(test, names_asked(&calls));

	unused = mock_fence_create_args(test, &args);
	KUNIT_EXPECT_TRUE(test, names_asked(&calls));
	dma_fence_put(&unused->base);
	KUNIT_EXPECT_TRUE(test, names_asked(&calls));
	dma_fence_put(&signaled->base);
}

/* Longer than the names that stand in for it. */
static const char *name_and_signal(struct dma_fence *fence)
{
	set_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags);
	return "a-name-that-is-longer-than-the-names-of-signaled-fences-are";
}

static const struct dma_fence_ops signal_while_named_ops = {
	.get_driver_name = name_and_signal,
	.get_timeline_name = name_and_signal,
	.release = mock_fence_release,
};

/* Passes if KASAN does not mind a fence that is signaled while it is traced. */
static void trace_while_signaled_copies_no_more_than_the_name(struct kunit *test)
{
	struct mock_fence_args args = { .ops = &signal_while_named_ops };
	struct mock_fence *mock = mock_fence_create_args(test, &args);

	clear_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &mock->base.flags);
	events_on(test);
	dma_fence_wait_timeout(&mock->base, false, 0);
	KUNIT_EXPECT_TRUE(test, has_flag(&mock->base, DMA_FENCE_FLAG_SIGNALED_BIT));
	dma_fence_put(&mock->base);
}
#endif

/* ---- references and release --------------------------------------------- */

/* Passes if the last put, and no other, releases. */
static void put_last_calls_release(struct kunit *test)
{
	struct mock_fence_calls calls = {};
	struct mock_fence_args args = { .calls = &calls };
	struct dma_fence *fence = &mock_fence_create_args(test, &args)->base;

	KUNIT_EXPECT_PTR_EQ(test, dma_fence_get(fence), fence);
	dma_fence_put(fence);
	KUNIT_EXPECT_EQ(test, atomic_read(&calls.release), 0);
	dma_fence_put(fence);
	KUNIT_EXPECT_EQ(test, atomic_read(&calls.release), 1);
}

/* Passes if NULL is a fence without references. */
static void get_and_put_null_do_nothing(struct kunit *test)
{
	KUNIT_EXPECT_NULL(test, dma_fence_get(NULL));
	dma_fence_put(NULL);
}

/* Passes if a fence that is being released cannot be had, while RCU keeps it. */
static void get_rcu_after_last_put_returns_null(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_create(test);
	struct dma_fence *alive, *dead;

	rcu_read_lock();
	alive = dma_fence_get_rcu(fence);
	dma_fence_put(alive);
	dma_fence_put(fence);
	dead = dma_fence_get_rcu(fence);
	rcu_read_unlock();

	KUNIT_EXPECT_PTR_EQ(test, alive, fence);
	KUNIT_EXPECT_NULL(test, dead);
}

/* Passes if the pointer's fence comes with a reference, and NULL without. */
static void get_rcu_safe_follows_pointer(struct kunit *test)
{
	struct dma_fence *fence = new_fence(test), *got, *none;
	struct dma_fence __rcu *pointer = NULL;

	rcu_read_lock();
	none = dma_fence_get_rcu_safe(&pointer);
	rcu_assign_pointer(pointer, fence);
	got = dma_fence_get_rcu_safe(&pointer);
	rcu_read_unlock();

	KUNIT_EXPECT_NULL(test, none);
	KUNIT_ASSERT_PTR_EQ(test, got, fence);
	KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), 2);
	dma_fence_put(got);
}

/* Passes if a fence that nobody asked for may go unsignaled. */
static void release_unsignaled_is_silent(struct kunit *test)
{
	struct mock_fence_calls calls = {};
	struct mock_fence_args args = { .calls = &calls };
	struct dma_fence *fence = &mock_fence_create_args(test, &args)->base;
	struct probe probe = {};

	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(fence, &probe.cb, probe_func), 0);
	KUNIT_EXPECT_TRUE(test, dma_fence_remove_callback(fence, &probe.cb));
	dma_fence_put(fence);
	KUNIT_EXPECT_EQ(test, atomic_read(&calls.release), 1);
	KUNIT_EXPECT_EQ(test, times_called(&probe), 0);
}

/* Not mock_fence_release(): what is put here is meant to be lost. */
static void count_release(struct dma_fence *fence)
{
	atomic_inc(&to_mock_fence(fence)->calls->release);
	dma_fence_free(fence);
}

static const struct dma_fence_ops leaky_ops = {
	.get_driver_name = mock_fence_get_driver_name,
	.get_timeline_name = mock_fence_get_timeline_name,
	.release = count_release,
};

/*
 * Passes if those who still wait for a fence that is put once too often are told
 * of an error, and the fence is not taken for finished and freed under them.
 */
static void release_with_callbacks_keeps_fence(struct kunit *test)
{
	struct mock_fence_calls calls = {};
	struct mock_fence_args args = { .ops = &leaky_ops, .calls = &calls };
	struct mock_fence *mock = mock_fence_create_args(test, &args);
	struct probe probe = {};

	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(&mock->base, &probe.cb, probe_func), 0);
	dmabuf_expect_warning_begin(test);
	dma_fence_put(&mock->base);
	dmabuf_expect_warning_end(test);

	KUNIT_EXPECT_EQ(test, times_called(&probe), 1);
	KUNIT_EXPECT_EQ(test, probe.error, -EDEADLK);
	KUNIT_EXPECT_EQ(test, atomic_read(&calls.release), 0);
	if (atomic_read(&calls.release))
		return;

	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&mock->base), -EDEADLK);
	/* The put that was right, of the one who waited. */
	dma_fence_put(&mock->base);
	KUNIT_EXPECT_EQ(test, atomic_read(&calls.release), 0);
	kfree(mock);
}

/* As vmwgfx does it. */
static void signal_and_release(struct dma_fence *fence)
{
	atomic_inc(&to_mock_fence(fence)->calls->release);
	to_mock_fence(fence)->calls->set_deadline.counter = dma_fence_signal(fence);
	dma_fence_free(fence);
}

static const struct dma_fence_ops signal_in_release_ops = {
	.get_driver_name = mock_fence_get_driver_name,
	.get_timeline_name = mock_fence_get_timeline_name,
	.release = signal_and_release,
};

/* Passes if a provider may signal when the last reference is gone. */
static void release_may_signal(struct kunit *test)
{
	struct mock_fence_calls calls = {};
	struct mock_fence_args args = { .ops = &signal_in_release_ops, .calls = &calls };

	atomic_set(&calls.set_deadline, 1);
	dma_fence_put(&mock_fence_create_args(test, &args)->base);
	KUNIT_EXPECT_EQ(test, atomic_read(&calls.release), 1);
	KUNIT_EXPECT_EQ_MSG(test, atomic_read(&calls.set_deadline), 0,
			    "result of dma_fence_signal()");
}

/* ---- a provider that has gone -------------------------------------------- */

/* Do everything that others may do with a signaled fence. */
static void use_signaled(struct kunit *test, struct dma_fence *fence)
{
	struct probe probe = {};
	char line[128];
	u32 index = 1;

	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(fence));
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), 1);
	KUNIT_EXPECT_EQ(test, dma_fence_signal(fence), -EINVAL);
	KUNIT_EXPECT_EQ(test, dma_fence_signal_timestamp(fence, 5), -EINVAL);
	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(fence, &probe.cb, probe_func), -ENOENT);
	dma_fence_enable_sw_signaling(fence);
	dma_fence_set_deadline(fence, 1);
	KUNIT_EXPECT_GT(test, dma_fence_timestamp(fence), 0);
	KUNIT_EXPECT_EQ(test, dma_fence_wait(fence, true), 0);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(fence, false, 0), 1);
	KUNIT_EXPECT_EQ(test, dma_fence_default_wait(fence, false, 4), 4);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_any_timeout(&fence, 1, false, 7, &index), 7);
	KUNIT_EXPECT_EQ(test, index, 0);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_later(fence, fence));
	KUNIT_EXPECT_NULL(test, dma_fence_later(fence, fence));
	describe(test, fence, line, sizeof(line));
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, " signalled\n"));
}

static signed long unexpected_wait(struct dma_fence *fence, bool intr, signed long timeout)
{
	atomic_inc(&to_mock_fence(fence)->calls->enable_signaling);
	return timeout ?: 1;
}

static const struct dma_fence_ops complete_ops = {
	.get_driver_name = mock_fence_get_driver_name,
	.get_timeline_name = mock_fence_get_timeline_name,
	.enable_signaling = mock_fence_enable_signaling,
	.signaled = mock_fence_signaled,
	.set_deadline = mock_fence_set_deadline,
	.wait = unexpected_wait,
	.release = mock_fence_release,
};

/* Passes if no operation but release is called once the fence is signaled. */
static void signaled_fence_calls_no_provider(struct kunit *test)
{
	struct mock_fence *mock = new_mock(test, (struct mock_fence_args){
		.ops = &complete_ops });
	static const struct mock_fence_calls none;

	dma_fence_signal(&mock->base);
	memset(mock->calls, 0, sizeof(*mock->calls));
	use_signaled(test, &mock->base);
	KUNIT_EXPECT_MEMEQ(test, mock->calls, &none, sizeof(none));
}

#if DMABUF_OURS
/*
 * Passes if neither the table of operations nor the lock of a signaled fence is
 * touched, as KASAN and a NULL pointer would tell.
 */
static void signaled_fence_outlives_provider(struct kunit *test)
{
	struct dma_fence_ops *ops = kzalloc(sizeof(*ops), GFP_KERNEL);
	struct mock_fence_args args = { .ops = ops };
	struct mock_fence *mock;

	KUNIT_ASSERT_NOT_NULL(test, ops);
	*ops = complete_ops;
	ops->release = NULL;
	mock = mock_fence_create_args(test, &args);
	dma_fence_signal(&mock->base);

	memset(ops, 0x6b, sizeof(*ops));
	kfree(ops);
	mock->base.lock = NULL;
	use_signaled(test, &mock->base);
	dma_fence_put(&mock->base);
}
#endif

/* ---- races ---------------------------------------------------------------- */

struct duel {
	struct dma_fence *fence;
	struct mock_fence_calls calls;
	struct probe *probes[2];
	int results[2];
	ktime_t timestamp;
};

static void duel_prepare(struct kunit *test, void *ctx)
{
	struct duel *duel = ctx;
	struct mock_fence_args args = { .calls = &duel->calls };
	int i;

	memset(&duel->calls, 0, sizeof(duel->calls));
	duel->fence = &mock_fence_create_args(test, &args)->base;
	for (i = 0; i < ARRAY_SIZE(duel->probes); i++) {
		duel->probes[i] = kzalloc(sizeof(*duel->probes[i]), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, duel->probes[i]);
		duel->results[i] = 1;
	}
}

static void duel_end(struct duel *duel)
{
	dma_fence_signal(duel->fence);
	dma_fence_put(duel->fence);
	kfree(duel->probes[0]);
	kfree(duel->probes[1]);
}

static void duel_signal(void *ctx)
{
	struct duel *duel = ctx;

	duel->results[0] = dma_fence_signal(duel->fence);
}

static void duel_signal_too(void *ctx)
{
	struct duel *duel = ctx;

	duel->results[1] = dma_fence_signal(duel->fence);
}

static void duel_add(void *ctx)
{
	struct duel *duel = ctx;

	duel->results[1] = dma_fence_add_callback(duel->fence, &duel->probes[1]->cb,
						  probe_func);
}

static void duel_add_too(void *ctx)
{
	struct duel *duel = ctx;

	duel->results[0] = dma_fence_add_callback(duel->fence, &duel->probes[0]->cb,
						  probe_func);
}

static void check_one_signals(struct kunit *test, void *ctx)
{
	struct duel *duel = ctx;

	KUNIT_EXPECT_EQ(test, min(duel->results[0], duel->results[1]), -EINVAL);
	KUNIT_EXPECT_EQ(test, max(duel->results[0], duel->results[1]), 0);
	duel_end(duel);
}

/* Passes if of two who signal at the same time exactly one does. */
static void race_signal_vs_signal(struct kunit *test)
{
	struct duel duel = {};
	struct mock_race race = {
		.ctx = &duel,
		.prepare = duel_prepare,
		.check = check_one_signals,
		.racer = { duel_signal, duel_signal_too },
	};

	mock_race(test, &race);
}

static void check_added_is_called(struct kunit *test, void *ctx)
{
	struct duel *duel = ctx;

	KUNIT_EXPECT_EQ(test, duel->results[0], 0);
	if (duel->results[1])
		KUNIT_EXPECT_EQ(test, duel->results[1], -ENOENT);
	KUNIT_EXPECT_EQ(test, times_called(duel->probes[1]), !duel->results[1]);
	duel_end(duel);
}

/* Passes if a callback is called exactly if adding it was successful. */
static void race_signal_vs_add_callback(struct kunit *test)
{
	struct duel duel = {};
	struct mock_race race = {
		.ctx = &duel,
		.prepare = duel_prepare,
		.check = check_added_is_called,
		.racer = { duel_signal, duel_add },
	};

	mock_race(test, &race);
}

static void check_enabled_once(struct kunit *test, void *ctx)
{
	struct duel *duel = ctx;

	KUNIT_EXPECT_EQ(test, duel->results[0], 0);
	KUNIT_EXPECT_EQ(test, duel->results[1], 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&duel->calls.enable_signaling), 1);
	dma_fence_signal(duel->fence);
	KUNIT_EXPECT_EQ(test, times_called(duel->probes[0]), 1);
	KUNIT_EXPECT_EQ(test, times_called(duel->probes[1]), 1);
	duel_end(duel);
}

/* Passes if two who add a callback at the same time enable signaling once. */
static void race_add_callback_vs_add_callback(struct kunit *test)
{
	struct duel duel = {};
	struct mock_race race = {
		.ctx = &duel,
		.prepare = duel_prepare,
		.check = check_enabled_once,
		.racer = { duel_add_too, duel_add },
	};

	mock_race(test, &race);
}

static void prepare_removal(struct kunit *test, void *ctx)
{
	struct duel *duel = ctx;

	duel_prepare(test, ctx);
	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(duel->fence, &duel->probes[1]->cb,
						     probe_func), 0);
}

/* The memory of a removed callback goes at once. */
static void duel_remove(void *ctx)
{
	struct duel *duel = ctx;
	struct probe *probe = duel->probes[1];
	bool removed = dma_fence_remove_callback(duel->fence, &probe->cb);

	/* 0: exactly one of called and removed. */
	duel->results[1] = times_called(probe) + removed - 1;
	memset(probe, 0x5a, sizeof(*probe));
	kfree(probe);
	duel->probes[1] = NULL;
}

static void check_called_or_removed(struct kunit *test, void *ctx)
{
	struct duel *duel = ctx;

	KUNIT_EXPECT_EQ(test, duel->results[0], 0);
	KUNIT_EXPECT_EQ(test, duel->results[1], 0);
	duel_end(duel);
}

/* Passes if a callback is either called or removed, and is free after that. */
static void race_signal_vs_remove_callback(struct kunit *test)
{
	struct duel duel = {};
	struct mock_race race = {
		.ctx = &duel,
		.prepare = prepare_removal,
		.check = check_called_or_removed,
		.racer = { duel_signal, duel_remove },
	};

	mock_race(test, &race);
}

static void duel_signal_at(void *ctx)
{
	struct duel *duel = ctx;

	dma_fence_set_error(duel->fence, -ETIME);
	duel->results[0] = dma_fence_signal_timestamp(duel->fence, 4711);
}

/* Leaves the processor to the one who signals if there is but one. */
static void duel_poll(void *ctx)
{
	struct duel *duel = ctx;

	while (!dma_fence_is_signaled(duel->fence))
		schedule();
	duel->results[1] = dma_fence_get_status(duel->fence);
	duel->timestamp = dma_fence_timestamp(duel->fence);
}

static void check_outcome(struct kunit *test, void *ctx)
{
	struct duel *duel = ctx;

	KUNIT_EXPECT_EQ(test, duel->results[1], -ETIME);
	KUNIT_EXPECT_EQ(test, duel->timestamp, 4711);
	duel_end(duel);
}

/* Passes if whoever sees the fence signaled sees error and time, too. */
static void race_signal_vs_status(struct kunit *test)
{
	struct duel duel = {};
	struct mock_race race = {
		.ctx = &duel,
		.rounds = 300,
		.prepare = duel_prepare,
		.check = check_outcome,
		.racer = { duel_signal_at, duel_poll },
	};

	mock_race(test, &race);
}

#define SWAPS 8

struct swap {
	struct kunit *test;
	struct dma_fence __rcu *pointer;
	struct dma_fence *spare[SWAPS];
	bool null_seen;
};

static void swap_prepare(struct kunit *test, void *ctx)
{
	struct swap *swap = ctx;
	int i;

	RCU_INIT_POINTER(swap->pointer, mock_fence_create(test));
	for (i = 0; i < SWAPS; i++)
		swap->spare[i] = mock_fence_create(test);
}

static void swap_write(void *ctx)
{
	struct swap *swap = ctx;
	struct dma_fence *old;
	int i;

	for (i = 0; i < SWAPS; i++) {
		old = rcu_replace_pointer(swap->pointer, swap->spare[i], true);
		dma_fence_put(old);
	}
}

static void swap_read(void *ctx)
{
	struct swap *swap = ctx;
	struct dma_fence *fence;
	int i;

	for (i = 0; i < SWAPS; i++) {
		rcu_read_lock();
		fence = dma_fence_get_rcu_safe(&swap->pointer);
		rcu_read_unlock();
		if (!fence)
			swap->null_seen = true;
		dma_fence_put(fence);
	}
}

static void swap_check(struct kunit *test, void *ctx)
{
	struct swap *swap = ctx;
	struct dma_fence *fence = rcu_replace_pointer(swap->pointer, NULL, true);

	KUNIT_EXPECT_FALSE(test, swap->null_seen);
	KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), 1);
	dma_fence_put(fence);
}

/* Passes if a pointer to some fence always yields a fence, and no reference is lost. */
static void race_get_rcu_safe_vs_replace(struct kunit *test)
{
	struct swap swap = {};
	struct mock_race race = {
		.ctx = &swap,
		.rounds = 500,
		.prepare = swap_prepare,
		.check = swap_check,
		.racer = { swap_write, swap_read, swap_read },
	};

	mock_race(test, &race);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(context_alloc_ranges_are_disjoint),
	KUNIT_CASE(context_alloc_zero_warns),
	KUNIT_CASE(init_makes_new_fence),
#if DMABUF_OURS
	KUNIT_CASE_PARAM(init_of_broken_provider_is_signaled_with_einval,
			 broken_provider_gen_params),
#endif
	KUNIT_CASE_PARAM(signal_twice_returns_einval, signaler_gen_params),
	KUNIT_CASE_PARAM(signal_notes_the_time, signaler_gen_params),
	KUNIT_CASE_PARAM(signal_calls_callbacks_in_order, signaler_gen_params),
	KUNIT_CASE(signal_lets_callbacks_free_themselves),
	KUNIT_CASE(signal_null_returns_einval),
	KUNIT_CASE(enable_sw_signaling_asks_provider_once),
	KUNIT_CASE(enable_sw_signaling_after_signal_asks_nobody),
	KUNIT_CASE(enable_sw_signaling_refused_signals),
	KUNIT_CASE(enable_sw_signaling_without_op_is_enabled),
	KUNIT_CASE(add_callback_after_signal_returns_enoent),
	KUNIT_CASE(add_callback_when_refused_returns_enoent),
	KUNIT_CASE(add_callback_null_returns_einval),
	KUNIT_CASE(remove_callback_before_signal_returns_true),
	KUNIT_CASE(remove_callback_after_signal_returns_false),
	KUNIT_CASE(add_callback_again_after_remove),
	KUNIT_CASE(is_signaled_asks_provider),
	KUNIT_CASE(is_signaled_locked_asks_provider),
	KUNIT_CASE(is_signaled_without_op_is_the_flag),
	KUNIT_CASE(get_status_is_0_then_1),
	KUNIT_CASE(get_status_is_the_error_once_signaled),
	KUNIT_CASE(get_status_asks_provider),
	KUNIT_CASE(set_error_takes_every_errno),
#if DMABUF_OURS
	KUNIT_CASE(set_error_out_of_range_warns),
	KUNIT_CASE(set_error_after_signal_warns),
#endif
	KUNIT_CASE(timestamp_of_unsignaled_is_now),
	KUNIT_CASE_PARAM(is_later_32bit, order_gen_params),
	KUNIT_CASE_PARAM(is_later_64bit, order_gen_params),
	KUNIT_CASE(later_of_two_is_null_when_signaled),
	KUNIT_CASE(is_later_of_other_context_warns),
	KUNIT_CASE(set_deadline_reaches_provider),
	KUNIT_CASE(set_deadline_after_signal_is_dropped),
	KUNIT_CASE(set_deadline_without_op_is_dropped),
	KUNIT_CASE(describe_unsignaled),
	KUNIT_CASE(describe_signaled_does_not_ask_for_names),
#if DMABUF_OURS
	KUNIT_CASE(name_of_unsignaled_is_the_providers),
	KUNIT_CASE(name_of_signaled_is_fixed),
#endif
#ifdef CONFIG_EVENT_TRACING
	KUNIT_CASE(trace_of_signaled_does_not_ask_for_names),
	KUNIT_CASE(trace_of_unsignaled_asks_for_names),
	KUNIT_CASE(trace_while_signaled_copies_no_more_than_the_name),
#endif
	KUNIT_CASE(put_last_calls_release),
	KUNIT_CASE(get_and_put_null_do_nothing),
	KUNIT_CASE(get_rcu_after_last_put_returns_null),
	KUNIT_CASE(get_rcu_safe_follows_pointer),
	KUNIT_CASE(release_unsignaled_is_silent),
	KUNIT_CASE(release_with_callbacks_keeps_fence),
	KUNIT_CASE(release_may_signal),
	KUNIT_CASE(signaled_fence_calls_no_provider),
#if DMABUF_OURS
	KUNIT_CASE(signaled_fence_outlives_provider),
#endif
	KUNIT_CASE_SLOW(race_signal_vs_signal),
	KUNIT_CASE_SLOW(race_signal_vs_add_callback),
	KUNIT_CASE_SLOW(race_add_callback_vs_add_callback),
	KUNIT_CASE_SLOW(race_signal_vs_remove_callback),
	KUNIT_CASE_SLOW(race_signal_vs_status),
	KUNIT_CASE_SLOW(race_get_rcu_safe_vs_replace),
	{}
};

static struct kunit_suite suite = {
	.name = "dma_fence",
	.init = mock_fence_init,
	.test_cases = cases,
};

kunit_test_suite(suite);
