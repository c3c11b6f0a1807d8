// SPDX-License-Identifier: GPL-2.0
/*
 * Suite "sw_sync": software timelines, through the file in debugfs and its
 * ioctls.
 */
#include <linux/atomic.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/tracepoint.h>

#include "mock.h"
#include "mock_fence.h"
#include "mock_sw_sync.h"

#if DMABUF_OURS
#include "../sync_debug.h"
#endif

/* Fences of the cases that need many. */
#define NR_MANY 200

/* A fence that is put at the end of the case. */
static struct dma_fence *fence_at(struct kunit *test, u32 value)
{
	struct dma_fence *fence = mock_sw_sync_fence(test, value);

	mock_fence_put_at_exit(test, fence);
	return fence;
}

/* The descriptor that comes next, or a negative errno. */
static int next_descriptor(void)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd >= 0)
		put_unused_fd(fd);
	return fd;
}

static unsigned long bad_pointer(struct kunit *test, size_t size, int nr)
{
	struct mock_sw_sync *sw_sync = test->priv;

	/* Nothing there; all there but the last byte. */
	return nr ? sw_sync->page + PAGE_SIZE - size + 1 : 0;
}

/* Passes if numbers, directions and sizes that are not defined are unknown. */
static void ioctl_unknown_is_enotty(struct kunit *test)
{
	static const unsigned int dirs[] = {
		_IOC_NONE, _IOC_READ, _IOC_WRITE, _IOC_READ | _IOC_WRITE,
	};
	static const unsigned int sizes[] = { 0, 4, 8, 16, 40, 48 };
	unsigned int nr, dir, i, known = 0;

	for (nr = 0; nr < 4; nr++)
		for (dir = 0; dir < ARRAY_SIZE(dirs); dir++)
			for (i = 0; i < ARRAY_SIZE(sizes); i++) {
				unsigned int cmd = _IOC(dirs[dir], 'W', nr, sizes[i]);

				if (cmd == MOCK_SW_SYNC_CREATE ||
				    cmd == MOCK_SW_SYNC_INC ||
				    cmd == MOCK_SW_SYNC_DEADLINE) {
					known++;
					continue;
				}
				KUNIT_EXPECT_EQ(test, -ENOTTY,
						mock_sw_sync_call(test, cmd, 0));
			}
	KUNIT_EXPECT_EQ(test, known, 3);
}

/* Passes if the fence waits for its value, and is done at it. */
static void inc_to_value_signals(struct kunit *test)
{
	struct dma_fence *fence = fence_at(test, 3);

	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), 0);
	mock_sw_sync_inc(test, 2);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), 0);
	mock_sw_sync_inc(test, 1);
	KUNIT_EXPECT_TRUE(test, test_bit(DMA_FENCE_FLAG_SIGNALED_BIT,
					 &fence->flags));
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), 1);
}

/* Passes if advancing by nothing does nothing. */
static void inc_by_zero_changes_nothing(struct kunit *test)
{
	struct dma_fence *fence = fence_at(test, 1);

	mock_sw_sync_inc(test, 0);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), 0);
	mock_sw_sync_inc(test, 1);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), 1);
}

/* Passes if -EFAULT is returned and the counter stays. */
static void inc_bad_pointer_is_efault(struct kunit *test)
{
	struct dma_fence *fence = fence_at(test, 1);
	int i;

	for (i = 0; i < 2; i++) {
		unsigned long bad = bad_pointer(test, sizeof(u32), i);

		KUNIT_EXPECT_EQ(test, -EFAULT,
				mock_sw_sync_call(test, MOCK_SW_SYNC_INC, bad));
	}
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), 0);
}

struct wrap_row {
	const char *desc;
	u32 start, step, value;
	bool before, after;	/* signaled? */
};

static const struct wrap_row wrap_rows[] = {
	{ "value_0_at_0", 0, 0, 0, true, true },
	{ "step_int_max_at_it", 0, INT_MAX, INT_MAX, false, true },
	{ "step_int_max_before_it", 0, INT_MAX - 1, INT_MAX, false, false },
	{ "value_2_31_is_the_past", 0, 0, 1U << 31, true, true },
	{ "value_uint_max_is_the_past", 0, 0, U32_MAX, true, true },
	{ "step_2_31", 0, 1U << 31, INT_MAX, false, true },
	{ "step_uint_max_passes_the_first", 0, U32_MAX, 1, false, true },
	{ "step_uint_max_passes_the_last", 0, U32_MAX, INT_MAX, false, true },
	{ "across_the_wrap_early", U32_MAX - 1, 1, 3, false, false },
	{ "across_the_wrap_at_it", U32_MAX - 1, 5, 3, false, true },
	{ "start_uint_max_value_0", U32_MAX, 0, 0, false, false },
	{ "start_uint_max_step_1", U32_MAX, 1, 0, false, true },
	{ "start_int_max_value_2_31", INT_MAX, 1, 1U << 31, false, true },
};

KUNIT_ARRAY_PARAM_DESC(wrap_row, wrap_rows, desc);

/* Passes if a fence is over when the row says so. */
static void inc_wraps(struct kunit *test)
{
	const struct wrap_row *row = test->param_value;
	struct dma_fence *fence;

	mock_sw_sync_inc(test, row->start);
	fence = fence_at(test, row->value);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), row->before);
	mock_sw_sync_inc(test, row->step);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), row->after);
}

/* Passes if a sync_file that comes too late is signaled, without being asked. */
static void create_in_the_past_is_signaled(struct kunit *test)
{
	struct dma_fence *fence;

	mock_sw_sync_inc(test, 5);
	fence = fence_at(test, 5);
	KUNIT_EXPECT_TRUE(test, test_bit(DMA_FENCE_FLAG_SIGNALED_BIT,
					 &fence->flags));
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), 1);
}

/* Passes if one value is one fence, as long as somebody has it. */
static void create_same_value_is_same_fence(struct kunit *test)
{
	struct dma_fence *fence = fence_at(test, 7);

	KUNIT_EXPECT_PTR_EQ(test, fence_at(test, 7), fence);
	KUNIT_EXPECT_PTR_NE(test, fence_at(test, 8), fence);
	KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), 2);
}

/* Passes if names are those of the driver and the task, context and seqno as asked. */
static void create_names_and_numbers(struct kunit *test)
{
	struct dma_fence *a = fence_at(test, 1), *b = fence_at(test, U32_MAX / 2);

	scoped_guard(rcu) {
		KUNIT_EXPECT_STREQ(test, a->ops->get_driver_name(a), "sw_sync");
		KUNIT_EXPECT_STREQ(test, a->ops->get_timeline_name(a),
				   current->comm);
	}
	KUNIT_EXPECT_EQ(test, a->context, b->context);
	KUNIT_EXPECT_EQ(test, a->seqno, 1);
	KUNIT_EXPECT_EQ(test, b->seqno, U32_MAX / 2);
}

/* Passes if the strings for debugfs are the numbers. */
static void value_strings_are_the_numbers(struct kunit *test)
{
	struct dma_fence *fence = fence_at(test, 0x80000001);
	char str[16];

	mock_sw_sync_inc(test, 0x80000000);
	fence->ops->fence_value_str(fence, str, sizeof(str));
	KUNIT_EXPECT_STREQ(test, str, "2147483649");
	fence->ops->timeline_value_str(fence, str, sizeof(str));
	KUNIT_EXPECT_STREQ(test, str, "-2147483648");
}

/* Passes if -EFAULT is returned and no descriptor is used up. */
static void create_bad_pointer_is_efault(struct kunit *test)
{
	int i, fd = next_descriptor();

	for (i = 0; i < 2; i++) {
		unsigned long bad =
			bad_pointer(test, sizeof(struct mock_sw_sync_create), i);

		KUNIT_EXPECT_EQ(test, -EFAULT,
				mock_sw_sync_call(test, MOCK_SW_SYNC_CREATE, bad));
	}
	KUNIT_EXPECT_EQ(test, next_descriptor(), fd);
}

/* Notes when its turn is. */
struct turn {
	struct dma_fence_cb cb;
	atomic_t *counter;
	int place;
};

static void turn_take(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct turn *turn = container_of(cb, struct turn, cb);

	turn->place = atomic_inc_return(turn->counter);
}

/* Passes if fences signal by value, in whatever order they were made. */
static void inc_signals_in_order(struct kunit *test)
{
	struct turn *turns = kunit_kcalloc(test, NR_MANY + 1, sizeof(*turns),
					   GFP_KERNEL);
	atomic_t counter = ATOMIC_INIT(0);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, turns);
	/* 77 and 211 have no common factor: every value below 211 comes once. */
	for (i = 0; i < 211; i++) {
		int value = i * 77 % 211;
		struct dma_fence *fence;

		if (!value || value > NR_MANY)
			continue;
		fence = fence_at(test, value);
		turns[value].counter = &counter;
		KUNIT_ASSERT_EQ(test, 0,
				dma_fence_add_callback(fence, &turns[value].cb,
						       turn_take));
	}
	mock_sw_sync_inc(test, NR_MANY / 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&counter), NR_MANY / 2);
	mock_sw_sync_inc(test, NR_MANY);
	for (i = 1; i <= NR_MANY; i++)
		KUNIT_EXPECT_EQ(test, turns[i].place, i);
}

/* Passes if fences that nobody has any more are gone from the timeline. */
static void release_leaves_the_queue(struct kunit *test)
{
	struct dma_fence *kept[3];
	int i, n = 0;

	for (i = 1; i <= NR_MANY; i++) {
		struct dma_fence *fence = mock_sw_sync_fence(test, i);

		if (i == 1 || i == NR_MANY / 2 || i == NR_MANY)
			kept[n++] = fence;
		else
			dma_fence_put(fence);
	}
	mock_sw_sync_inc(test, NR_MANY);
	for (i = 0; i < n; i++) {
		KUNIT_EXPECT_EQ(test, dma_fence_get_status(kept[i]), 1);
		dma_fence_put(kept[i]);
	}
}

/* Drops references when its fence signals. */
struct dropper {
	struct dma_fence_cb cb;
	struct dma_fence *drop[2];
	bool called;
};

static void drop(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct dropper *dropper = container_of(cb, struct dropper, cb);

	dma_fence_put(dropper->drop[0]);
	dma_fence_put(dropper->drop[1]);
	dropper->called = true;
}

static void drop_on_signal(struct kunit *test, struct dropper *dropper,
			   struct dma_fence *fence)
{
	KUNIT_ASSERT_EQ(test, 0,
			dma_fence_add_callback(fence, &dropper->cb, drop));
}

/* Passes if a callback may drop the last reference to its own fence. */
static void callback_drops_its_own_fence(struct kunit *test)
{
	struct dropper dropper = {};

	dropper.drop[0] = mock_sw_sync_fence(test, 1);
	drop_on_signal(test, &dropper, dropper.drop[0]);
	mock_sw_sync_inc(test, 1);
	KUNIT_EXPECT_TRUE(test, dropper.called);
}

/* Passes if the same works when the timeline is closed. */
static void close_callback_drops_its_own_fence(struct kunit *test)
{
	struct dropper dropper = {};

	dropper.drop[0] = mock_sw_sync_fence(test, 1);
	drop_on_signal(test, &dropper, dropper.drop[0]);
	mock_sw_sync_close(test->priv);
	KUNIT_EXPECT_TRUE(test, dropper.called);
}

/*
 * Passes if a callback may drop the last reference to other fences of the
 * timeline: one that is about to signal, and one that is not.
 */
static void callback_drops_other_fences(struct kunit *test)
{
	struct dma_fence *fence = fence_at(test, 1);
	struct dropper dropper = {};

	dropper.drop[0] = mock_sw_sync_fence(test, 2);
	dropper.drop[1] = mock_sw_sync_fence(test, 3);
	drop_on_signal(test, &dropper, fence);
	mock_sw_sync_inc(test, 2);
	KUNIT_EXPECT_TRUE(test, dropper.called);
}

/* Passes if what is pending fails with -ENOENT, and what is done stays done. */
static void close_signals_with_enoent(struct kunit *test)
{
	struct dma_fence *done = fence_at(test, 1), *a = fence_at(test, 2);
	struct dma_fence *b = fence_at(test, 1000);

	mock_sw_sync_inc(test, 1);
	mock_sw_sync_close(test->priv);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(done), 1);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(a), -ENOENT);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(b), -ENOENT);
}

static long get_deadline(struct kunit *test, int fd, u64 *deadline_ns, u32 pad)
{
	struct mock_sw_sync_deadline arg = {
		.deadline_ns = *deadline_ns,
		.pad = pad,
		.fence_fd = fd,
	};
	long ret = mock_sw_sync_ioctl(test, MOCK_SW_SYNC_DEADLINE, &arg,
				      sizeof(arg));

	*deadline_ns = arg.deadline_ns;
	return ret;
}

/* Passes if the earliest deadline is told, and none before there is one. */
static void deadline_is_the_earliest(struct kunit *test)
{
	static const u64 set[] = { 3000, 2000, 4000, 0 };
	static const u64 want[] = { 3000, 2000, 2000, 0 };
	int i, fd = mock_sw_sync_create_fd(test, 1);
	struct dma_fence *fence = sync_file_get_fence(fd);
	u64 deadline = 0;

	KUNIT_EXPECT_EQ(test, get_deadline(test, fd, &deadline, 0), -ENOENT);
	for (i = 0; i < ARRAY_SIZE(set); i++) {
		deadline = 0;
		dma_fence_set_deadline(fence, ns_to_ktime(set[i]));
		KUNIT_EXPECT_EQ(test, get_deadline(test, fd, &deadline, 0), 0);
		KUNIT_EXPECT_EQ(test, deadline, want[i]);
	}
	mock_sw_sync_close_fd(fd);
	/* No reference was forgotten. */
	KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), 1);
	dma_fence_put(fence);
}

/* Passes if members that have to be 0 are checked, and no reference stays. */
static void deadline_bad_members_are_einval(struct kunit *test)
{
	int fd = mock_sw_sync_create_fd(test, 1);
	struct dma_fence *fence = sync_file_get_fence(fd);
	u64 deadline = 1;

	dma_fence_set_deadline(fence, 5);
	KUNIT_EXPECT_EQ(test, get_deadline(test, fd, &deadline, 0), -EINVAL);
	deadline = 0;
	KUNIT_EXPECT_EQ(test, get_deadline(test, fd, &deadline, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, get_deadline(test, -1, &deadline, 0), -EINVAL);
	mock_sw_sync_close_fd(fd);
	KUNIT_EXPECT_EQ(test, get_deadline(test, fd, &deadline, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), 1);
	dma_fence_put(fence);
}

/* A descriptor with a sync_file around @fence. */
static int publish(struct kunit *test, struct dma_fence *fence)
{
	struct sync_file *sync_file = sync_file_create(fence);
	int fd = get_unused_fd_flags(O_CLOEXEC);

	KUNIT_ASSERT_NOT_NULL(test, sync_file);
	KUNIT_ASSERT_GE(test, fd, 0);
	fd_install(fd, sync_file->file);
	return fd;
}

/* Passes if a fence of another driver and an array are refused, and not kept. */
static void deadline_of_other_fences_is_einval(struct kunit *test)
{
	struct dma_fence *other = mock_fence_create(test);
	struct dma_fence *ours = fence_at(test, 1);
	struct dma_fence *both = dma_fence_unwrap_merge(other, ours);
	u64 deadline = 0;
	int fd;

	KUNIT_ASSERT_NOT_NULL(test, both);
	dma_fence_set_deadline(both, 5);
	fd = publish(test, other);
	KUNIT_EXPECT_EQ(test, get_deadline(test, fd, &deadline, 0), -EINVAL);
	mock_sw_sync_close_fd(fd);
	fd = publish(test, both);
	KUNIT_EXPECT_EQ(test, get_deadline(test, fd, &deadline, 0), -EINVAL);
	mock_sw_sync_close_fd(fd);

	KUNIT_EXPECT_EQ(test, kref_read(&both->refcount), 1);
	dma_fence_put(both);
	dma_fence_put(other);
}

/* Passes if -EFAULT is returned for memory that is not there. */
static void deadline_bad_pointer_is_efault(struct kunit *test)
{
	int i;

	for (i = 0; i < 2; i++) {
		unsigned long bad =
			bad_pointer(test, sizeof(struct mock_sw_sync_deadline), i);

		KUNIT_EXPECT_EQ(test, -EFAULT,
				mock_sw_sync_call(test, MOCK_SW_SYNC_DEADLINE, bad));
	}
}

#if DMABUF_OURS && IS_ENABLED(CONFIG_TRACEPOINTS)
static void find_event(struct tracepoint *tp, void *found)
{
	if (!strcmp(tp->name, "sync_timeline"))
		*(struct tracepoint **)found = tp;
}

/* What the last event said. */
struct event {
	int nr;
	u32 value;
	char name[TASK_COMM_LEN];
};

static void on_event(void *data, const struct sync_timeline *timeline)
{
	struct event *event = data;

	event->nr++;
	event->value = timeline->value;
	strscpy(event->name, timeline->name);
}

/* Passes if each step is an event, with the value before it. */
static void inc_is_traced(struct kunit *test)
{
	struct tracepoint *tp = NULL;
	struct event event = {};

	for_each_kernel_tracepoint(find_event, &tp);
	KUNIT_ASSERT_NOT_NULL(test, tp);
	KUNIT_ASSERT_EQ(test, 0, tracepoint_probe_register(tp, on_event, &event));
	mock_sw_sync_inc(test, 5);
	KUNIT_EXPECT_EQ(test, event.nr, 1);
	KUNIT_EXPECT_EQ(test, event.value, 0);
	mock_sw_sync_inc(test, U32_MAX);
	KUNIT_EXPECT_EQ(test, event.nr, 4);
	KUNIT_EXPECT_EQ(test, event.value, 3);
	KUNIT_EXPECT_STREQ(test, event.name, current->comm);
	tracepoint_probe_unregister(tp, on_event, &event);
	tracepoint_synchronize_unregister();
}
#endif

/* --- Races -------------------------------------------------------------- */

struct race {
	struct kunit *test;
	struct dma_fence *fence[8];
	struct file *file;
	struct mm_struct *mm;
	u32 value;
};

static void race_prepare(struct kunit *test, void *ctx)
{
	struct mock_sw_sync *sw_sync = test->priv;
	struct race *race = ctx;
	int i;

	if (!sw_sync->file)
		sw_sync->file = mock_fs_open(sw_sync->debugfs, "sync/sw_sync",
					     O_RDWR);
	KUNIT_ASSERT_FALSE(test, IS_ERR(sw_sync->file));
	for (i = 0; i < ARRAY_SIZE(race->fence); i++)
		race->fence[i] = mock_sw_sync_fence(test, i + 1);
}

/* Also what decides between the orders of release and signal. */
static void race_put_all(void *ctx)
{
	struct race *race = ctx;
	int i;

	for (i = 0; i < ARRAY_SIZE(race->fence); i++) {
		dma_fence_put(race->fence[i]);
		if (i % 3 == 0)
			cond_resched();
	}
}

static void race_close(void *ctx)
{
	struct race *race = ctx;

	mock_sw_sync_close(race->test->priv);
}

/* Passes if closing a timeline and dropping its fences survive each other. */
static void close_while_fences_are_released(struct kunit *test)
{
	struct race ctx = { .test = test };
	const struct mock_race race = {
		.ctx = &ctx,
		.rounds = 200,
		.prepare = race_prepare,
		.racer = { race_close, race_put_all },
	};

	mock_race(test, &race);
}

static void race_advance(void *ctx)
{
	struct race *race = ctx;
	struct mock_sw_sync *sw_sync = race->test->priv;
	struct file *file = sw_sync->file;
	int i;

	kthread_use_mm(race->mm);
	for (i = 0; i < ARRAY_SIZE(race->fence); i++)
		file->f_op->unlocked_ioctl(file, MOCK_SW_SYNC_INC,
					   sw_sync->page);
	kthread_unuse_mm(race->mm);
}

static void race_check_closed(struct kunit *test, void *ctx)
{
	mock_sw_sync_close(test->priv);
}

/* Passes if advancing a timeline and dropping its fences survive each other. */
static void inc_while_fences_are_released(struct kunit *test)
{
	struct mock_sw_sync *sw_sync = test->priv;
	struct race ctx = { .test = test, .mm = current->mm };
	const struct mock_race race = {
		.ctx = &ctx,
		.rounds = 200,
		.prepare = race_prepare,
		.check = race_check_closed,
		.racer = { race_advance, race_put_all },
	};

	/* The mm of the case, with the step at the start of its page. */
	KUNIT_ASSERT_EQ(test, 0, put_user(1U, (u32 __user *)sw_sync->page));
	mock_race(test, &race);
}

static struct kunit_case sw_sync_cases[] = {
	KUNIT_CASE(ioctl_unknown_is_enotty),
	KUNIT_CASE(inc_to_value_signals),
	KUNIT_CASE(inc_by_zero_changes_nothing),
	KUNIT_CASE(inc_bad_pointer_is_efault),
	KUNIT_CASE_PARAM(inc_wraps, wrap_row_gen_params),
	KUNIT_CASE(create_in_the_past_is_signaled),
	KUNIT_CASE(create_same_value_is_same_fence),
	KUNIT_CASE(create_names_and_numbers),
	KUNIT_CASE(value_strings_are_the_numbers),
	KUNIT_CASE(create_bad_pointer_is_efault),
	KUNIT_CASE(inc_signals_in_order),
	KUNIT_CASE(release_leaves_the_queue),
	KUNIT_CASE(callback_drops_its_own_fence),
	KUNIT_CASE(close_callback_drops_its_own_fence),
	KUNIT_CASE(callback_drops_other_fences),
	KUNIT_CASE(close_signals_with_enoent),
	KUNIT_CASE(deadline_is_the_earliest),
	KUNIT_CASE(deadline_bad_members_are_einval),
	KUNIT_CASE(deadline_of_other_fences_is_einval),
	KUNIT_CASE(deadline_bad_pointer_is_efault),
#if DMABUF_OURS && IS_ENABLED(CONFIG_TRACEPOINTS)
	KUNIT_CASE(inc_is_traced),
#endif
	KUNIT_CASE_SLOW(close_while_fences_are_released),
	KUNIT_CASE_SLOW(inc_while_fences_are_released),
	{}
};

static int sw_sync_test_init(struct kunit *test)
{
	int ret = mock_fence_init(test);

	return ret ?: mock_sw_sync_init(test);
}

static struct kunit_suite sw_sync_suite = {
	.name = "sw_sync",
	.init = sw_sync_test_init,
	.test_cases = sw_sync_cases,
};

kunit_test_suite(sw_sync_suite);
