// SPDX-License-Identifier: GPL-2.0
/*
 * What cases need of the scheduler. mock_race() runs racers: one kthread each,
 * started together round by round, joined before the test case goes on.
 * mock_kill() has a case be killed without dying.
 */

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "mock.h"

struct race_state;

/* One racing thread. */
struct racer {
	struct race_state *state;
	struct task_struct *task;
	struct completion go;
	mock_racer_t func;
	unsigned int delay;
};

/*
 * Lives until the end of the test case, so that a failed ASSERT in a prepare or
 * check function leaves nothing behind that a racer still uses.
 */
struct race_state {
	void *ctx;
	bool stop;
	unsigned int nr;
	atomic_t at_start;	/* racers still on the way to the start line */
	atomic_t running;	/* racers that have not finished the round */
	struct completion finished;
	struct racer racers[MOCK_RACERS];
};

/* Wait until all racers are awake, then a little more to shift their phases. */
static void racer_line_up(struct racer *racer)
{
	struct race_state *state = racer->state;
	unsigned int i;

	atomic_dec(&state->at_start);
	if (num_online_cpus() == 1)
		return;

	while (atomic_read(&state->at_start) > 0) {
		cond_resched();
		cpu_relax();
	}
	for (i = 0; i < racer->delay; i++)
		cpu_relax();
}

static int racer_thread(void *data)
{
	struct racer *racer = data;
	struct race_state *state = racer->state;

	for (;;) {
		wait_for_completion(&racer->go);
		if (READ_ONCE(state->stop))
			return 0;

		racer_line_up(racer);
		racer->func(state->ctx);
		if (atomic_dec_and_test(&state->running))
			complete(&state->finished);
	}
}

/* Runs when the race is over, or when the test case is given up. */
static void race_stop(void *data)
{
	struct race_state *state = data;
	unsigned int i;

	WRITE_ONCE(state->stop, true);
	for (i = 0; i < state->nr; i++) {
		complete(&state->racers[i].go);
		kthread_stop_put(state->racers[i].task);
	}
}

static void race_add(struct kunit *test, struct race_state *state,
		     mock_racer_t func)
{
	struct racer *racer = &state->racers[state->nr];
	struct task_struct *task;

	racer->state = state;
	racer->func = func;
	init_completion(&racer->go);

	task = kthread_create(racer_thread, racer, "dmabuf-racer/%u", state->nr);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	racer->task = get_task_struct(task);	/* Dropped by race_stop(). */
	state->nr++;
	wake_up_process(task);
}

/* Start everybody, beginning with another one each time, and wait for the last. */
static void race_round(struct race_state *state, unsigned int round)
{
	unsigned int i;

	atomic_set(&state->at_start, state->nr);
	atomic_set(&state->running, state->nr);
	for (i = 0; i < state->nr; i++) {
		struct racer *racer = &state->racers[(round + i) % state->nr];

		racer->delay = (round * 7 + i * 13) % 64;
		complete(&racer->go);
	}
	wait_for_completion(&state->finished);
}

/**
 * mock_race() - let functions run against each other a bounded number of times
 * @test: the test case
 * @race: what to run; borrowed
 *
 * Context: Process context, the thread of the test case; may sleep. The racers
 * are gone when it returns. Ends the test case if a thread cannot be created.
 */
void mock_race(struct kunit *test, const struct mock_race *race)
{
	unsigned int rounds = race->rounds ?: MOCK_RACE_ROUNDS;
	struct race_state *state;
	unsigned int i;

	state = kunit_kzalloc(test, sizeof(*state), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, state);
	state->ctx = race->ctx;
	init_completion(&state->finished);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, race_stop, state), 0);

	for (i = 0; i < MOCK_RACERS && race->racer[i]; i++)
		race_add(test, state, race->racer[i]);
	KUNIT_ASSERT_GT(test, state->nr, 0);

	for (i = 0; i < rounds; i++) {
		if (race->prepare)
			race->prepare(test, race->ctx);
		race_round(state, i);
		if (race->check)
			race->check(test, race->ctx);
		cond_resched();
	}
	kunit_release_action(test, race_stop, state);
}

/**
 * mock_kill() - have a fatal signal pending for the calling case
 *
 * Ends with mock_revive(), before anything that waits and is no part of the case.
 *
 * Context: Test case.
 */
void mock_kill(void)
{
	allow_signal(SIGKILL);
	send_sig(SIGKILL, current, 1);
}

/**
 * mock_revive() - undo mock_kill()
 *
 * Context: Test case.
 */
void mock_revive(void)
{
	flush_signals(current);
	disallow_signal(SIGKILL);
}
