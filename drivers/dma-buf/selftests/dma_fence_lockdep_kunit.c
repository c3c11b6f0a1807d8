// SPDX-License-Identifier: GPL-2.0
/*
 * Suite dma_fence_lockdep: how signalling sections nest. What lockdep makes of
 * them cannot be tested here, for after its first report it is switched off.
 */

#include <kunit/test.h>
#include <linux/debug_locks.h>
#include <linux/dma-fence.h>
#include <linux/preempt.h>

#include "mock.h"
#include "mock_fence.h"

static int lockdep_suite_init(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_LOCKDEP))
		kunit_skip(test, "needs CONFIG_LOCKDEP");
	if (!debug_locks)
		kunit_skip(test, "lockdep is off after a report");
	return mock_fence_init(test);
}

/* A nested section is told so by its cookie, and is none of anybody's business. */
static bool in_section(void)
{
	bool cookie = dma_fence_begin_signalling();

	dma_fence_end_signalling(cookie);
	return cookie;
}

/* Passes if a section begins and ends, and can be followed by another one. */
static void begin_signalling_opens_a_section(struct kunit *test)
{
	bool first, second, inside;

	first = dma_fence_begin_signalling();
	inside = in_section();
	dma_fence_end_signalling(first);
	second = in_section();

	KUNIT_EXPECT_FALSE(test, first);
	KUNIT_EXPECT_TRUE(test, inside);
	KUNIT_EXPECT_FALSE(test, second);
}

/* Passes if the end of a nested section leaves the outer one open. */
static void begin_signalling_nested_adds_nothing(struct kunit *test)
{
	bool outer, inner, still_open;

	outer = dma_fence_begin_signalling();
	inner = dma_fence_begin_signalling();
	dma_fence_end_signalling(inner);
	still_open = in_section();
	dma_fence_end_signalling(outer);

	KUNIT_EXPECT_FALSE(test, outer);
	KUNIT_EXPECT_TRUE(test, inner);
	KUNIT_EXPECT_TRUE(test, still_open);
}

/* Passes if a section in atomic context is not recorded. */
static void begin_signalling_in_atomic_adds_nothing(struct kunit *test)
{
	bool atomic, after;

	preempt_disable();
	atomic = dma_fence_begin_signalling();
	dma_fence_end_signalling(atomic);
	preempt_enable();
	after = in_section();

	KUNIT_EXPECT_TRUE(test, atomic);
	KUNIT_EXPECT_FALSE(test, after);
}

/* Passes if a wait inside a section is allowed and does not end it. */
static void wait_keeps_the_section(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_create_signaled(test);
	bool cookie, inside, after;

	cookie = dma_fence_begin_signalling();
	dma_fence_wait(fence, false);
	inside = in_section();
	dma_fence_end_signalling(cookie);
	after = in_section();
	dma_fence_put(fence);

	KUNIT_EXPECT_FALSE(test, cookie);
	KUNIT_EXPECT_TRUE(test, inside);
	KUNIT_EXPECT_FALSE(test, after);
}

/* Passes if a wait outside does not open a section. */
static void wait_opens_no_section(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_create_signaled(test);
	bool after;

	dma_fence_wait(fence, false);
	after = in_section();
	dma_fence_put(fence);

	KUNIT_EXPECT_FALSE(test, after);
}

/* Passes if signalling inside a section nests in it. */
static void signal_keeps_the_section(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_create(test);
	bool cookie, inside;

	cookie = dma_fence_begin_signalling();
	dma_fence_signal(fence);
	inside = in_section();
	dma_fence_end_signalling(cookie);
	dma_fence_put(fence);

	KUNIT_EXPECT_FALSE(test, cookie);
	KUNIT_EXPECT_TRUE(test, inside);
	KUNIT_EXPECT_FALSE(test, in_section());
}

static struct kunit_case cases[] = {
	KUNIT_CASE(begin_signalling_opens_a_section),
	KUNIT_CASE(begin_signalling_nested_adds_nothing),
	KUNIT_CASE(begin_signalling_in_atomic_adds_nothing),
	KUNIT_CASE(wait_keeps_the_section),
	KUNIT_CASE(wait_opens_no_section),
	KUNIT_CASE(signal_keeps_the_section),
	{}
};

static struct kunit_suite suite = {
	.name = "dma_fence_lockdep",
	.init = lockdep_suite_init,
	.test_cases = cases,
};

kunit_test_suite(suite);
