/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one mock fence of all suites: counts what the core calls, is signaled by
 * whoever holds it, and misbehaves on request.
 */

#ifndef DMABUF_SELFTESTS_MOCK_FENCE_H
#define DMABUF_SELFTESTS_MOCK_FENCE_H

#include <linux/atomic.h>
#include <linux/dma-fence.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct kunit;

#define MOCK_DRIVER_NAME "mock-driver"
#define MOCK_TIMELINE_NAME "mock-timeline"

/**
 * struct mock_fence_calls - how often the core called each operation
 * @enable_signaling: calls of that operation
 * @signaled: calls of that operation
 * @driver_name: calls of get_driver_name
 * @timeline_name: calls of get_timeline_name
 * @set_deadline: calls of that operation
 * @release: calls of that operation
 */
struct mock_fence_calls {
	atomic_t enable_signaling;
	atomic_t signaled;
	atomic_t driver_name;
	atomic_t timeline_name;
	atomic_t set_deadline;
	atomic_t release;
};

/**
 * struct mock_fence - a fence whose provider is the test
 * @base: the fence
 * @own_lock: its lock, unless the creator chose another one
 * @calls: where calls are counted: &own_calls, or memory of the creator
 * @own_calls: dies with the fence; look before the last reference is dropped
 * @refuse_enable: enable_signaling returns false
 * @done: what the signaled operation answers: the device has finished, but has
 *	told nobody yet
 * @error: if not 0, what the signaled operation puts into the fence together
 *	with the answer yes, and enable_signaling together with a refusal
 * @deadline: the argument of the last set_deadline
 *
 * The three knobs may be turned at any time.
 */
struct mock_fence {
	struct dma_fence base;
	spinlock_t own_lock;	/* Serves base only. */
	struct mock_fence_calls *calls;
	struct mock_fence_calls own_calls;
	bool refuse_enable;
	bool done;
	int error;
	ktime_t deadline;
};

/**
 * struct mock_fence_args - how a mock fence shall be made
 * @ops: &mock_fence_ops if NULL; a table of the suite's own may be composed from
 *	the mock_fence_*() operations below
 * @context: a new one if 0
 * @seqno: 1 if 0
 * @lock: the fence's own if NULL
 * @calls: the fence's own if NULL; else it must outlive the fence
 * @refuse_enable: initial value of the knob
 * @done: initial value of the knob
 */
struct mock_fence_args {
	const struct dma_fence_ops *ops;
	u64 context;
	u64 seqno;
	spinlock_t *lock;	/* May serve any number of fences. */
	struct mock_fence_calls *calls;
	bool refuse_enable;
	bool done;
};

/* All operations but wait; 32-bit seqnos. */
extern const struct dma_fence_ops mock_fence_ops;
/* The same with use_64bit_seqno. */
extern const struct dma_fence_ops mock_fence_ops64;
/* Only what is mandatory, and release: such a fence signals without being asked. */
extern const struct dma_fence_ops mock_fence_ops_minimal;

const char *mock_fence_get_driver_name(struct dma_fence *fence);
const char *mock_fence_get_timeline_name(struct dma_fence *fence);
bool mock_fence_enable_signaling(struct dma_fence *fence);
bool mock_fence_signaled(struct dma_fence *fence);
void mock_fence_release(struct dma_fence *fence);
void mock_fence_set_deadline(struct dma_fence *fence, ktime_t deadline);

static inline struct mock_fence *to_mock_fence(struct dma_fence *fence)
{
	return container_of(fence, struct mock_fence, base);
}

struct mock_fence *mock_fence_create_args(struct kunit *test,
					  const struct mock_fence_args *args);
struct dma_fence *mock_fence_create_on(struct kunit *test, u64 context, u64 seqno);
struct dma_fence *mock_fence_create(struct kunit *test);
struct dma_fence *mock_fence_create_signaled(struct kunit *test);
void mock_fence_put_at_exit(struct kunit *test, struct dma_fence *fence);

int mock_fence_live(void);
int mock_fence_init(struct kunit *test);

#endif /* DMABUF_SELFTESTS_MOCK_FENCE_H */
