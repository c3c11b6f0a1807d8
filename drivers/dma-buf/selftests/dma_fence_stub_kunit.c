// SPDX-License-Identifier: GPL-2.0
/*
 * Suite dma_fence_stub: fences that are born signaled.
 */

#include <kunit/test-bug.h>
#include <kunit/test.h>
#include <linux/dma-fence.h>
#include <linux/ktime.h>

#include "mock.h"
#include "mock_fence.h"

static struct dma_fence *private_stub(struct kunit *test, ktime_t timestamp)
{
	struct dma_fence *stub = dma_fence_allocate_private_stub(timestamp);

	KUNIT_ASSERT_NOT_NULL(test, stub);
	mock_fence_put_at_exit(test, stub);
	return stub;
}

static void never_called(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	kunit_fail_current_test("callback of a stub");
}

static void expect_signaled(struct kunit *test, struct dma_fence *stub)
{
	struct dma_fence_cb cb;

	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(stub));
	KUNIT_EXPECT_TRUE(test, test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &stub->flags));
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(stub), 1);
	KUNIT_EXPECT_EQ(test, stub->context, 0);
	KUNIT_EXPECT_EQ(test, stub->seqno, 0);
	KUNIT_EXPECT_EQ(test, dma_fence_wait(stub, true), 0);
	KUNIT_EXPECT_EQ(test, dma_fence_signal(stub), -EINVAL);
	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(stub, &cb, never_called), -ENOENT);
}

/* Passes if the shared stub behaves like a fence that was signaled long ago. */
static void get_stub_is_signaled(struct kunit *test)
{
	struct dma_fence *stub = dma_fence_get_stub();

	mock_fence_put_at_exit(test, stub);
	expect_signaled(test, stub);
	KUNIT_EXPECT_GT(test, dma_fence_timestamp(stub), 0);
	KUNIT_EXPECT_LE(test, dma_fence_timestamp(stub), ktime_get());
}

/* Passes if everybody gets the same fence, with a reference. */
static void get_stub_returns_a_reference_to_one_fence(struct kunit *test)
{
	struct dma_fence *first = dma_fence_get_stub(), *second;
	unsigned int references = kref_read(&first->refcount);

	second = dma_fence_get_stub();
	KUNIT_EXPECT_PTR_EQ(test, first, second);
	KUNIT_EXPECT_EQ(test, kref_read(&first->refcount), references + 1);
	dma_fence_put(second);
	dma_fence_put(first);
	KUNIT_EXPECT_EQ(test, kref_read(&first->refcount), references - 1);
}

/* Passes if a private stub says it was signaled at the given time. */
static void allocate_private_stub_has_the_timestamp(struct kunit *test)
{
	struct dma_fence *stub = private_stub(test, 12345);

	expect_signaled(test, stub);
	KUNIT_EXPECT_EQ(test, dma_fence_timestamp(stub), 12345);
	KUNIT_EXPECT_EQ(test, kref_read(&stub->refcount), 1);
}

/* Passes if private stubs have nothing in common, not even a lock to contend for. */
static void allocate_private_stub_has_its_own_lock(struct kunit *test)
{
	struct dma_fence *first = private_stub(test, 1), *second = private_stub(test, 2);
	struct dma_fence *shared = dma_fence_get_stub();

	mock_fence_put_at_exit(test, shared);
	KUNIT_EXPECT_PTR_NE(test, first, second);
	KUNIT_EXPECT_PTR_NE(test, first->lock, second->lock);
	KUNIT_EXPECT_PTR_NE(test, first->lock, shared->lock);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(get_stub_is_signaled),
	KUNIT_CASE(get_stub_returns_a_reference_to_one_fence),
	KUNIT_CASE(allocate_private_stub_has_the_timestamp),
	KUNIT_CASE(allocate_private_stub_has_its_own_lock),
	{}
};

static struct kunit_suite suite = {
	.name = "dma_fence_stub",
	.init = mock_fence_init,
	.test_cases = cases,
};

kunit_test_suite(suite);
