// SPDX-License-Identifier: GPL-2.0
/*
 * The mock fence, and the check that no case of a suite leaks one. Also says
 * for the whole module what a module has to say.
 */

#include <kunit/test-bug.h>
#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "mock.h"
#include "mock_fence.h"

/* How long releases that lag behind are waited for before they count as leaks. */
#define LEAK_TRIES 5000
#define LEAK_INTERVAL_MS 10

/* Mock fences that were created and not yet released. */
static atomic_t live = ATOMIC_INIT(0);

const char *mock_fence_get_driver_name(struct dma_fence *fence)
{
	atomic_inc(&to_mock_fence(fence)->calls->driver_name);
	return MOCK_DRIVER_NAME;
}

const char *mock_fence_get_timeline_name(struct dma_fence *fence)
{
	atomic_inc(&to_mock_fence(fence)->calls->timeline_name);
	return MOCK_TIMELINE_NAME;
}

bool mock_fence_enable_signaling(struct dma_fence *fence)
{
	struct mock_fence *mock = to_mock_fence(fence);

	lockdep_assert_held(fence->lock);
	atomic_inc(&mock->calls->enable_signaling);
	if (!READ_ONCE(mock->refuse_enable))
		return true;

	if (mock->error)
		dma_fence_set_error(fence, mock->error);
	return false;
}

bool mock_fence_signaled(struct dma_fence *fence)
{
	struct mock_fence *mock = to_mock_fence(fence);

	atomic_inc(&mock->calls->signaled);
	if (!READ_ONCE(mock->done))
		return false;

	if (mock->error)
		fence->error = mock->error;
	return true;
}

/* The last reference is gone; RCU readers may still look at the memory. */
void mock_fence_release(struct dma_fence *fence)
{
	atomic_inc(&to_mock_fence(fence)->calls->release);
	atomic_dec(&live);
	dma_fence_free(fence);
}

void mock_fence_set_deadline(struct dma_fence *fence, ktime_t deadline)
{
	struct mock_fence *mock = to_mock_fence(fence);

	atomic_inc(&mock->calls->set_deadline);
	mock->deadline = deadline;
}

const struct dma_fence_ops mock_fence_ops = {
	.get_driver_name = mock_fence_get_driver_name,
	.get_timeline_name = mock_fence_get_timeline_name,
	.enable_signaling = mock_fence_enable_signaling,
	.signaled = mock_fence_signaled,
	.release = mock_fence_release,
	.set_deadline = mock_fence_set_deadline,
};

const struct dma_fence_ops mock_fence_ops64 = {
	.use_64bit_seqno = true,
	.get_driver_name = mock_fence_get_driver_name,
	.get_timeline_name = mock_fence_get_timeline_name,
	.enable_signaling = mock_fence_enable_signaling,
	.signaled = mock_fence_signaled,
	.release = mock_fence_release,
	.set_deadline = mock_fence_set_deadline,
};

const struct dma_fence_ops mock_fence_ops_minimal = {
	.get_driver_name = mock_fence_get_driver_name,
	.get_timeline_name = mock_fence_get_timeline_name,
	.release = mock_fence_release,
};

/**
 * mock_fence_create_args() - a fence made to measure
 * @test: the test case; it ends here if there is no memory
 * @args: how; borrowed
 *
 * A table without mock_fence_release() takes the fence out of the leak check.
 *
 * Context: Process context; may sleep.
 * Return: the fence with one reference, which the caller drops.
 */
struct mock_fence *mock_fence_create_args(struct kunit *test,
					  const struct mock_fence_args *args)
{
	const struct dma_fence_ops *ops = args->ops ?: &mock_fence_ops;
	struct mock_fence *mock;

	mock = kzalloc(sizeof(*mock), GFP_KERNEL);	/* Freed by release. */
	KUNIT_ASSERT_NOT_NULL(test, mock);

	spin_lock_init(&mock->own_lock);
	mock->calls = args->calls ?: &mock->own_calls;
	mock->refuse_enable = args->refuse_enable;
	mock->done = args->done;
	if (ops->release == mock_fence_release)
		atomic_inc(&live);

	dma_fence_init(&mock->base, ops, args->lock ?: &mock->own_lock,
		       args->context ?: dma_fence_context_alloc(1),
		       args->seqno ?: 1);
	return mock;
}

/**
 * mock_fence_create_on() - a well-behaved fence on a given timeline
 * @test: the test case
 * @context: the timeline; a new one if 0
 * @seqno: the place on it
 *
 * Context: Process context; may sleep.
 * Return: the fence with one reference, which the caller drops.
 */
struct dma_fence *mock_fence_create_on(struct kunit *test, u64 context, u64 seqno)
{
	struct mock_fence_args args = { .context = context, .seqno = seqno };

	return &mock_fence_create_args(test, &args)->base;
}

/**
 * mock_fence_create() - a well-behaved fence on a timeline of its own
 * @test: the test case
 *
 * Context: Process context; may sleep.
 * Return: the fence with one reference, which the caller drops.
 */
struct dma_fence *mock_fence_create(struct kunit *test)
{
	return mock_fence_create_on(test, 0, 1);
}

/**
 * mock_fence_create_signaled() - as mock_fence_create(), and signaled already
 * @test: the test case
 *
 * Context: Process context; may sleep.
 * Return: the fence with one reference, which the caller drops.
 */
struct dma_fence *mock_fence_create_signaled(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_create(test);

	KUNIT_EXPECT_EQ(test, dma_fence_signal(fence), 0);
	return fence;
}

static void put_fence(void *fence)
{
	dma_fence_put(fence);
}

/**
 * mock_fence_put_at_exit() - let the end of the test case drop a reference
 * @test: the test case
 * @fence: any fence, or NULL; takes the caller's reference
 *
 * Context: Process context; may sleep.
 */
void mock_fence_put_at_exit(struct kunit *test, struct dma_fence *fence)
{
	int ret = kunit_add_action_or_reset(test, put_fence, fence);

	KUNIT_ASSERT_EQ(test, ret, 0);
}

/**
 * mock_fence_live() - how many mock fences exist
 *
 * Context: Any context.
 * Return: the number of mock fences that have not been released.
 */
int mock_fence_live(void)
{
	return atomic_read(&live);
}

/* The case has dropped what it had; an irq_work may still hold the last bit. */
static void check_live(void *data)
{
	int expected = (long)data, tries;

	for (tries = 0; tries < LEAK_TRIES && mock_fence_live() != expected; tries++)
		msleep(LEAK_INTERVAL_MS);

	KUNIT_EXPECT_EQ_MSG(kunit_get_current_test(), mock_fence_live(), expected,
			    "mock fences that were not released");
}

/**
 * mock_fence_init() - fail cases that leak mock fences; a suite's init function
 * @test: the test case
 *
 * Usable as &kunit_suite.init, or to be called first from there: what is
 * registered first is checked last, after all clean-up of the case.
 *
 * Context: Process context; may sleep.
 * Return: 0, or %-ENOMEM if the check could not be registered.
 */
int mock_fence_init(struct kunit *test)
{
	return kunit_add_action(test, check_live, (void *)(long)mock_fence_live());
}

MODULE_DESCRIPTION("KUnit suites of the dma-buf subsystem");
MODULE_IMPORT_NS(DMA_BUF);
MODULE_LICENSE("GPL");
