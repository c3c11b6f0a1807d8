// SPDX-License-Identifier: GPL-2.0
/*
 * Polling a buffer: which fences hold back which event, who is woken when,
 * and what an armed poll keeps alive.
 */

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/poll.h>
#include <linux/sched/task.h>
#include <linux/wait.h>

#include <kunit/test.h>

#include "mock.h"
#include "mock_exporter.h"
#include "mock_fence.h"

/* Events as plain numbers, which is all that KUnit compares. */
#define CAN_READ	((__force unsigned int)EPOLLIN)
#define CAN_WRITE	((__force unsigned int)EPOLLOUT)
#define BOTH		(CAN_READ | CAN_WRITE)
#define OTHERS		((__force unsigned int)(EPOLLERR | EPOLLHUP))

/*
 * Somebody who polls: joins the buffer's wait queue with the first call, and
 * counts wake-ups. Not to be used by two threads at once.
 */
struct poller {
	poll_table table;
	wait_queue_entry_t entry;
	wait_queue_head_t *queue;
	struct file *file;
	atomic_t wakes;		/* wake-ups with at least one event */
	atomic_t events;	/* all events that wake-ups were about */
};

static int poller_wake(wait_queue_entry_t *entry, unsigned int mode, int sync,
		       void *key)
{
	struct poller *poller = container_of(entry, struct poller, entry);

	atomic_inc(&poller->wakes);
	atomic_or((__force int)key_to_poll(key), &poller->events);
	return 0;
}

static void poller_join(struct file *file, wait_queue_head_t *queue,
			poll_table *table)
{
	struct poller *poller = container_of(table, struct poller, table);

	if (poller->queue)
		return;
	poller->queue = queue;
	add_wait_queue(queue, &poller->entry);
}

/* @file is borrowed. */
static void poller_init(struct poller *poller, struct file *file)
{
	memset(poller, 0, sizeof(*poller));
	init_poll_funcptr(&poller->table, poller_join);
	init_waitqueue_func_entry(&poller->entry, poller_wake);
	poller->file = file;
}

static void poller_fini(void *data)
{
	struct poller *poller = data;

	if (poller->queue)
		remove_wait_queue(poller->queue, &poller->entry);
	poller->queue = NULL;
}

static unsigned int poller_ask(struct poller *poller, unsigned int events)
{
	poller->table._key = (__force __poll_t)events;
	return (__force unsigned int)vfs_poll(poller->file, &poller->table);
}

/* Events that the poller was woken for since it last looked. */
static unsigned int poller_woken(struct poller *poller)
{
	return atomic_xchg(&poller->events, 0);
}

/* A poller of @exporter's buffer that leaves when the test ends. */
static struct poller *poller_create(struct kunit *test,
				    struct mock_exporter *exporter)
{
	struct poller *poller = kunit_kzalloc(test, sizeof(*poller), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, poller);
	poller_init(poller, exporter->dmabuf->file);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, poller_fini, poller), 0);
	return poller;
}

static void signal_fence(void *fence)
{
	dma_fence_signal(fence);
}

/* A fence on the buffer that is signaled at the latest when the test ends. */
static struct dma_fence *busy(struct mock_exporter *exporter,
			      enum dma_resv_usage usage)
{
	struct dma_fence *fence = mock_fence_create(exporter->test);

	mock_fence_put_at_exit(exporter->test, fence);
	KUNIT_ASSERT_EQ(exporter->test, kunit_add_action_or_reset(exporter->test,
								  signal_fence, fence), 0);
	mock_exporter_add_fence(exporter, fence, usage);
	return fence;
}

struct usage_row {
	const char *desc;
	enum dma_resv_usage usage;
	unsigned int ready;
};

static const struct usage_row usage_rows[] = {
	{ "kernel", DMA_RESV_USAGE_KERNEL, 0 },
	{ "write", DMA_RESV_USAGE_WRITE, 0 },
	{ "read", DMA_RESV_USAGE_READ, CAN_READ },
	{ "bookkeep", DMA_RESV_USAGE_BOOKKEEP, BOTH },
};

KUNIT_ARRAY_PARAM_DESC(usage_row, usage_rows, desc);

/*
 * Passes if a pending fence holds back the events that its usage says, and
 * exactly those come with its signal.
 */
static void poll_usage_row(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct poller *poller = poller_create(test, exporter);
	const struct usage_row *row = test->param_value;
	struct dma_fence *fence = busy(exporter, row->usage);

	KUNIT_EXPECT_EQ(test, poller_ask(poller, BOTH), row->ready);
	KUNIT_EXPECT_EQ(test, poller_ask(poller, CAN_READ), row->ready & CAN_READ);
	KUNIT_EXPECT_EQ(test, poller_ask(poller, CAN_WRITE), row->ready & CAN_WRITE);
	poller_woken(poller);

	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, poller_woken(poller), BOTH & ~row->ready);
	KUNIT_EXPECT_EQ(test, poller_ask(poller, BOTH), BOTH);
}

/* Passes if an idle buffer is ready for what is asked, and nothing else. */
static void poll_idle_is_ready(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct poller *poller = poller_create(test, exporter);

	KUNIT_EXPECT_EQ(test, poller_ask(poller, BOTH), BOTH);
	KUNIT_EXPECT_EQ(test, poller_ask(poller, CAN_READ), CAN_READ);
	KUNIT_EXPECT_EQ(test, poller_ask(poller, CAN_WRITE), CAN_WRITE);
	KUNIT_EXPECT_EQ(test, poller_ask(poller, OTHERS), 0);
	KUNIT_EXPECT_EQ(test, (__force unsigned int)vfs_poll(poller->file, NULL), BOTH);
}

/* Passes if fences that have signaled already hold nothing back. */
static void poll_signaled_fence_is_ready(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct poller *poller = poller_create(test, exporter);

	dma_fence_signal(busy(exporter, DMA_RESV_USAGE_WRITE));
	KUNIT_EXPECT_EQ(test, poller_ask(poller, BOTH), BOTH);
	KUNIT_EXPECT_EQ(test, poller_ask(poller, BOTH), BOTH);
}

/* Passes if a fence that signals when it is asked to is no reason to wait. */
static void poll_fence_done_on_enable_is_ready(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct poller *poller = poller_create(test, exporter);
	struct dma_fence *fence = busy(exporter, DMA_RESV_USAGE_WRITE);

	to_mock_fence(fence)->refuse_enable = true;
	KUNIT_EXPECT_EQ(test, poller_ask(poller, BOTH), BOTH);
}

/* Passes if nobody asked means nothing is armed: the fence gets no callback. */
static void poll_for_other_events_arms_nothing(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct poller *poller = poller_create(test, exporter);
	struct dma_fence *fence = busy(exporter, DMA_RESV_USAGE_WRITE);

	KUNIT_EXPECT_EQ(test, poller_ask(poller, OTHERS), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&to_mock_fence(fence)->own_calls.enable_signaling),
			0);
	KUNIT_EXPECT_EQ(test, file_count(poller->file), 1);
}

/* Passes if a buffer with two writers is ready only when both are done. */
static void poll_two_fences_waits_for_both(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct poller *poller = poller_create(test, exporter);
	struct dma_fence *first = busy(exporter, DMA_RESV_USAGE_WRITE);
	struct dma_fence *second = busy(exporter, DMA_RESV_USAGE_WRITE);

	KUNIT_EXPECT_EQ(test, poller_ask(poller, CAN_READ), 0);
	dma_fence_signal(first);
	KUNIT_EXPECT_EQ(test, poller_ask(poller, CAN_READ), 0);
	poller_woken(poller);
	dma_fence_signal(second);
	KUNIT_EXPECT_EQ(test, poller_ask(poller, CAN_READ), CAN_READ);
}

/* As above, in the other order. */
static void poll_two_fences_in_reverse_waits_for_both(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct poller *poller = poller_create(test, exporter);
	struct dma_fence *first = busy(exporter, DMA_RESV_USAGE_READ);
	struct dma_fence *second = busy(exporter, DMA_RESV_USAGE_WRITE);

	KUNIT_EXPECT_EQ(test, poller_ask(poller, CAN_WRITE), 0);
	dma_fence_signal(second);
	KUNIT_EXPECT_EQ(test, poller_ask(poller, CAN_WRITE), 0);
	dma_fence_signal(first);
	KUNIT_EXPECT_EQ(test, poller_ask(poller, CAN_WRITE), CAN_WRITE);
}

/* Passes if all who poll are woken, though only one armed the callback. */
static void poll_wakes_every_poller(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct poller *first = poller_create(test, exporter);
	struct poller *second = poller_create(test, exporter);
	struct dma_fence *fence = busy(exporter, DMA_RESV_USAGE_WRITE);

	KUNIT_EXPECT_EQ(test, poller_ask(first, CAN_READ), 0);
	KUNIT_EXPECT_EQ(test, poller_ask(second, CAN_READ), 0);
	KUNIT_EXPECT_EQ(test, poller_woken(first) | poller_woken(second), 0);

	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, poller_woken(first), CAN_READ);
	KUNIT_EXPECT_EQ(test, poller_woken(second), CAN_READ);
}

/* Passes if one signal is one wake-up, however often the poller asked. */
static void poll_wakes_once_for_a_signal(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct poller *poller = poller_create(test, exporter);
	struct dma_fence *fence = busy(exporter, DMA_RESV_USAGE_WRITE);
	unsigned int i;

	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, poller_ask(poller, CAN_READ), 0);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, atomic_read(&poller->wakes), 1);
}

#if DMABUF_OURS
/*
 * Passes if a poller of a buffer with three readers sleeps until the last of
 * them is done, in whatever order they finish.
 */
static void poll_wakes_once_for_several_fences(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct poller *poller = poller_create(test, exporter);
	struct dma_fence *fences[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fences); i++)
		fences[i] = busy(exporter, DMA_RESV_USAGE_READ);
	KUNIT_EXPECT_EQ(test, poller_ask(poller, CAN_WRITE), 0);

	dma_fence_signal(fences[0]);
	dma_fence_signal(fences[2]);
	msleep(50);
	KUNIT_EXPECT_EQ(test, atomic_read(&poller->wakes), 0);

	/* What waits for several fences signals from an irq_work. */
	dma_fence_signal(fences[1]);
	for (i = 0; i < 50 && !atomic_read(&poller->wakes); i++)
		msleep(20);
	KUNIT_EXPECT_EQ(test, atomic_read(&poller->wakes), 1);
	KUNIT_EXPECT_EQ(test, poller_woken(poller), CAN_WRITE);
}

/* Passes if an answer that is known at once wakes nobody who asks for it. */
static void poll_signaled_fence_wakes_nobody(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct poller *poller = poller_create(test, exporter);

	dma_fence_signal(busy(exporter, DMA_RESV_USAGE_WRITE));
	KUNIT_EXPECT_EQ(test, poller_ask(poller, BOTH), BOTH);
	KUNIT_EXPECT_EQ(test, atomic_read(&poller->wakes), 0);
}
#endif

/* Passes if a buffer can be polled again and again as new work comes in. */
static void poll_can_be_armed_again(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct poller *poller = poller_create(test, exporter);
	unsigned int i;

	for (i = 0; i < 3; i++) {
		struct dma_fence *fence = busy(exporter, DMA_RESV_USAGE_WRITE);

		KUNIT_EXPECT_EQ(test, poller_ask(poller, BOTH), 0);
		dma_fence_signal(fence);
		KUNIT_EXPECT_EQ(test, poller_woken(poller), BOTH);
		KUNIT_EXPECT_EQ(test, poller_ask(poller, BOTH), BOTH);
	}
}

/*
 * Passes if a buffer that everybody has closed lives on while a callback is
 * armed, and goes with the signal.
 */
static void poll_armed_holds_the_buffer(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct dma_fence *fence = busy(exporter, DMA_RESV_USAGE_WRITE);
	struct poller poller;

	poller_init(&poller, exporter->dmabuf->file);
	KUNIT_EXPECT_EQ(test, poller_ask(&poller, BOTH), 0);
	poller_fini(&poller);

	mock_exporter_put(exporter);
	flush_delayed_fput();
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_RELEASE), 0);
	dma_fence_signal(fence);
	KUNIT_EXPECT_TRUE(test, mock_exporter_is_released(exporter));
	KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), 1);
}

/* Passes if nothing of a poll is left once its fence has signaled. */
static void poll_leaves_no_reference(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct poller *poller = poller_create(test, exporter);
	struct dma_fence *fence = busy(exporter, DMA_RESV_USAGE_WRITE);

	KUNIT_EXPECT_EQ(test, poller_ask(poller, BOTH), 0);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, poller_ask(poller, BOTH), BOTH);
	KUNIT_EXPECT_EQ(test, file_count(poller->file), 1);
	/* Ours and the reservation's. */
	KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), 2);
}

/* One poll in a thread of its own. */
struct asker {
	struct poller *poller;
	struct completion done;
	unsigned int answer;
};

static int asker_thread(void *data)
{
	struct asker *asker = data;

	asker->answer = poller_ask(asker->poller, BOTH);
	complete(&asker->done);
	return 0;
}

/*
 * Passes if poll() returns while somebody holds the reservation lock, as a
 * driver does that evicts memory.
 */
static void poll_does_not_wait_for_the_lock(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct asker asker = { .poller = poller_create(test, exporter) };
	struct dma_resv *resv = exporter->dmabuf->resv;
	struct task_struct *task;
	unsigned long left;

	busy(exporter, DMA_RESV_USAGE_READ);
	init_completion(&asker.done);
	task = kthread_create(asker_thread, &asker, "dmabuf-asker");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	get_task_struct(task);

	dma_resv_lock(resv, NULL);
	wake_up_process(task);
	left = wait_for_completion_timeout(&asker.done, HZ / 2);
	dma_resv_unlock(resv);

	KUNIT_EXPECT_NE(test, left, 0);
	kthread_stop_put(task);
	KUNIT_EXPECT_EQ(test, asker.answer, CAN_READ);
}

/* A buffer that is closed while it is polled and while its fence signals. */
struct close_race {
	struct mock_exporter *exporter;
	struct dma_fence *fence;
	struct poller pollers[2];
};

/* A file and a fence with a reference for each racer. */
static void close_race_prepare(struct kunit *test, void *ctx)
{
	static const struct mock_exporter_config config;
	struct close_race *race = ctx;
	unsigned int i;

	race->exporter = mock_exporter_create(test, &config);
	race->fence = mock_fence_create(test);
	mock_exporter_add_fence(race->exporter, race->fence, DMA_RESV_USAGE_WRITE);
	for (i = 0; i < ARRAY_SIZE(race->pollers); i++) {
		get_dma_buf(race->exporter->dmabuf);
		poller_init(&race->pollers[i], race->exporter->dmabuf->file);
	}
	mock_exporter_put(race->exporter);
}

static void poll_and_close(struct poller *poller)
{
	poller_ask(poller, BOTH);
	cond_resched();
	poller_ask(poller, CAN_WRITE);
	poller_fini(poller);
	fput(poller->file);
}

static void close_race_first(void *ctx)
{
	struct close_race *race = ctx;

	poll_and_close(&race->pollers[0]);
}

static void close_race_second(void *ctx)
{
	struct close_race *race = ctx;

	poll_and_close(&race->pollers[1]);
}

static void close_race_signal(void *ctx)
{
	struct close_race *race = ctx;

	dma_fence_signal(race->fence);
}

static void close_race_check(struct kunit *test, void *ctx)
{
	struct close_race *race = ctx;

	KUNIT_EXPECT_TRUE(test, mock_exporter_is_released(race->exporter));
	/* The reservation goes after the exporter's release, maybe in a worker. */
	for (int i = 0; i < 1000 && kref_read(&race->fence->refcount) > 1; i++)
		fsleep(1000);
	KUNIT_EXPECT_EQ(test, kref_read(&race->fence->refcount), 1);
	dma_fence_put(race->fence);
	mock_exporter_destroy(race->exporter);
}

/*
 * Passes if the buffer is released once in each round, and not before the last
 * callback has run (KASAN would tell).
 */
static void poll_races_with_close_and_signal(struct kunit *test)
{
	struct mock_race race = {
		.ctx = kunit_kzalloc(test, sizeof(struct close_race), GFP_KERNEL),
		.rounds = 500,
		.prepare = close_race_prepare,
		.check = close_race_check,
		.racer = { close_race_first, close_race_signal, close_race_second },
	};

	KUNIT_ASSERT_NOT_NULL(test, race.ctx);
	mock_race(test, &race);
}

/* Work comes in and is done while others poll. */
struct wake_race {
	struct mock_exporter *exporter;
	struct dma_fence *fence;
	struct poller poller;
	unsigned int answer;
};

static void wake_race_prepare(struct kunit *test, void *ctx)
{
	struct wake_race *race = ctx;

	race->fence = mock_fence_create(test);
	mock_exporter_add_fence(race->exporter, race->fence, DMA_RESV_USAGE_WRITE);
	poller_init(&race->poller, race->exporter->dmabuf->file);
}

static void wake_race_poll(void *ctx)
{
	struct wake_race *race = ctx;

	race->answer = poller_ask(&race->poller, CAN_READ);
}

static void wake_race_signal(void *ctx)
{
	struct wake_race *race = ctx;

	dma_fence_signal(race->fence);
}

static void wake_race_check(struct kunit *test, void *ctx)
{
	struct wake_race *race = ctx;

	KUNIT_EXPECT_NE(test, race->answer | poller_woken(&race->poller), 0);
	poller_fini(&race->poller);
	dma_fence_put(race->fence);
}

/* Passes if a poller that was told to wait is always woken: no lost wake-up. */
static void poll_races_with_signal(struct kunit *test)
{
	struct wake_race *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	struct mock_race race = {
		.ctx = ctx,
		.prepare = wake_race_prepare,
		.check = wake_race_check,
		.racer = { wake_race_poll, wake_race_signal },
	};

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->exporter = mock_exporter_plain(test);
	mock_race(test, &race);
}

static struct kunit_case dma_buf_poll_cases[] = {
	KUNIT_CASE_PARAM(poll_usage_row, usage_row_gen_params),
	KUNIT_CASE(poll_idle_is_ready),
	KUNIT_CASE(poll_signaled_fence_is_ready),
	KUNIT_CASE(poll_fence_done_on_enable_is_ready),
	KUNIT_CASE(poll_for_other_events_arms_nothing),
	KUNIT_CASE(poll_two_fences_waits_for_both),
	KUNIT_CASE(poll_two_fences_in_reverse_waits_for_both),
	KUNIT_CASE(poll_wakes_every_poller),
	KUNIT_CASE(poll_wakes_once_for_a_signal),
#if DMABUF_OURS
	KUNIT_CASE(poll_wakes_once_for_several_fences),
	KUNIT_CASE(poll_signaled_fence_wakes_nobody),
#endif
	KUNIT_CASE(poll_can_be_armed_again),
	KUNIT_CASE(poll_armed_holds_the_buffer),
	KUNIT_CASE(poll_leaves_no_reference),
	KUNIT_CASE(poll_does_not_wait_for_the_lock),
	KUNIT_CASE_SLOW(poll_races_with_close_and_signal),
	KUNIT_CASE_SLOW(poll_races_with_signal),
	{}
};

static struct kunit_suite dma_buf_poll_suite = {
	.name = "dma_buf_poll",
	.init = mock_fence_init,
	.test_cases = dma_buf_poll_cases,
};

kunit_test_suite(dma_buf_poll_suite);
