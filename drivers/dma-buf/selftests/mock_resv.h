/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reservation objects for tests: made, filled and asked in one line each. For
 * suites that do not need a whole buffer.
 */

#ifndef DMABUF_SELFTESTS_MOCK_RESV_H
#define DMABUF_SELFTESTS_MOCK_RESV_H

#include <kunit/test.h>
#include <linux/dma-resv.h>
#include <linux/kernel.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "mock_fence.h"

#define MOCK_NR_USAGES (DMA_RESV_USAGE_BOOKKEEP + 1)

/* Around the sizes where a list grows, changes its search, or gets large. */
#define MOCK_RESV_SIZES { 1, 3, 4, 5, 12, 13, 16, 17, 64, 300 }

/* A parameter of a test: what to add, and how many. */
struct mock_resv_param {
	enum dma_resv_usage usage;
	unsigned int nr;
};

static inline const char *mock_usage_name(enum dma_resv_usage usage)
{
	static const char * const names[] = {
		[DMA_RESV_USAGE_KERNEL] = "kernel",
		[DMA_RESV_USAGE_WRITE] = "write",
		[DMA_RESV_USAGE_READ] = "read",
		[DMA_RESV_USAGE_BOOKKEEP] = "bookkeep",
	};

	return names[usage];
}

/* Each usage with each size. */
static inline const void *mock_resv_gen_params(const void *prev, char *desc)
{
	static const unsigned int sizes[] = MOCK_RESV_SIZES;
	static struct mock_resv_param params[MOCK_NR_USAGES * ARRAY_SIZE(sizes)];
	const struct mock_resv_param *last = prev;
	size_t i = last ? last - params + 1 : 0;

	if (i == ARRAY_SIZE(params))
		return NULL;

	params[i].usage = i % MOCK_NR_USAGES;
	params[i].nr = sizes[i / MOCK_NR_USAGES];
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s x %u",
		 mock_usage_name(params[i].usage), params[i].nr);
	return &params[i];
}

static inline void mock_resv_fini(void *obj)
{
	dma_resv_fini(obj);
}

/* An empty object, finished at the end of the test case. */
static inline struct dma_resv *mock_resv_create(struct kunit *test)
{
	struct dma_resv *obj = kunit_kzalloc(test, sizeof(*obj), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, obj);
	dma_resv_init(obj);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, mock_resv_fini, obj), 0);
	return obj;
}

static inline void mock_resv_lock(struct kunit *test, struct dma_resv *obj)
{
	KUNIT_ASSERT_EQ(test, dma_resv_lock(obj, NULL), 0);
}

/* Reserve one slot and add @fence, which is borrowed. */
static inline void mock_resv_add(struct kunit *test, struct dma_resv *obj,
				 struct dma_fence *fence,
				 enum dma_resv_usage usage)
{
	int ret;

	mock_resv_lock(test, obj);
	ret = dma_resv_reserve_fences(obj, 1);
	if (!ret)
		dma_resv_add_fence(obj, fence, usage);
	dma_resv_unlock(obj);
	KUNIT_ASSERT_EQ(test, ret, 0);
}

/* Add a new fence. The object and the test case have a reference each. */
static inline struct dma_fence *
mock_resv_add_on(struct kunit *test, struct dma_resv *obj, u64 context,
		 u64 seqno, enum dma_resv_usage usage)
{
	struct dma_fence *fence = mock_fence_create_on(test, context, seqno);

	mock_fence_put_at_exit(test, fence);
	mock_resv_add(test, obj, fence, usage);
	return fence;
}

/* The same on a context of its own. */
static inline struct dma_fence *
mock_resv_add_new(struct kunit *test, struct dma_resv *obj,
		  enum dma_resv_usage usage)
{
	return mock_resv_add_on(test, obj, 0, 1, usage);
}

/* How often is @fence among the pending fences up to @usage? */
static inline unsigned int mock_resv_count(struct kunit *test,
					   struct dma_resv *obj,
					   enum dma_resv_usage usage,
					   struct dma_fence *fence)
{
	struct dma_fence **fences;
	unsigned int i, nr, count = 0;

	KUNIT_ASSERT_EQ(test, dma_resv_get_fences(obj, usage, &nr, &fences), 0);
	for (i = 0; i < nr; i++) {
		count += fences[i] == fence;
		dma_fence_put(fences[i]);
	}
	kfree(fences);
	return count;
}

/* How many pending fences up to @usage are there? */
static inline unsigned int mock_resv_size(struct kunit *test,
					  struct dma_resv *obj,
					  enum dma_resv_usage usage)
{
	struct dma_fence **fences;
	unsigned int i, nr;

	KUNIT_ASSERT_EQ(test, dma_resv_get_fences(obj, usage, &nr, &fences), 0);
	for (i = 0; i < nr; i++)
		dma_fence_put(fences[i]);
	kfree(fences);
	return nr;
}

/* Does @obj hold @fence, once, with exactly @usage? */
static inline bool mock_resv_holds(struct kunit *test, struct dma_resv *obj,
				   struct dma_fence *fence,
				   enum dma_resv_usage usage)
{
	if (usage > 0 && mock_resv_count(test, obj, usage - 1, fence))
		return false;

	return mock_resv_count(test, obj, usage, fence) == 1;
}

/* From here on interruptible waits of this thread fail. */
static inline void mock_signal_begin(void)
{
	allow_signal(SIGUSR1);
	send_sig(SIGUSR1, current, 1);
}

static inline void mock_signal_end(void)
{
	flush_signals(current);
	disallow_signal(SIGUSR1);
}

#endif /* DMABUF_SELFTESTS_MOCK_RESV_H */
