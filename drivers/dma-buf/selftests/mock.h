/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every suite of dmabuf_selftests may use: which subsystem is under test,
 * how to announce a warning that a case provokes, and how to let functions
 * race. Implemented in mock.c.
 */

#ifndef DMABUF_SELFTESTS_MOCK_H
#define DMABUF_SELFTESTS_MOCK_H

#include <kunit/test.h>
/* In both, and not the same: a cache of objects does not see what is only asked for. */
#include <linux/dma-buf.h>
#include <linux/types.h>

/*
 * 1 when the suites are built with the subsystem they belong to, 0 when they
 * run on the one of a plain 6.12 tree, which lacks our additions to the API. Sparse
 * knows no __has_include(); it is only ever asked about our own tree.
 */
#ifndef __has_include
#define DMABUF_OURS 1
#elif __has_include("linux/dma-buf-map.h")
#define DMABUF_OURS 1
#else
#define DMABUF_OURS 0
#endif

/*
 * Warnings between these two are what the case is about. The lines are matched
 * literally by whoever scans the log for splats, so they are not to be changed.
 * A *_ONCE() warning shows up at most once a boot: never expect the text itself.
 */
#define dmabuf_expect_warning_begin(test) \
	kunit_log(KERN_INFO, test, "# dmabuf-kunit: expect-warning begin\n")
#define dmabuf_expect_warning_end(test) \
	kunit_log(KERN_INFO, test, "# dmabuf-kunit: expect-warning end\n")

/* How many functions mock_race() runs against each other at most. */
#define MOCK_RACERS 4

/* Enough for a window of a few instructions on two processors, < 1 s on UML. */
#define MOCK_RACE_ROUNDS 2000

typedef void (*mock_racer_t)(void *ctx);

/**
 * struct mock_race - functions to be run at the same time, over and over
 * @ctx: what all of the functions are called with
 * @rounds: how often; 0 means MOCK_RACE_ROUNDS
 * @prepare: called before each round while no racer runs; optional
 * @check: called after each round when all racers have returned; optional
 * @racer: the functions, each in a kthread of its own; the first NULL ends the
 *	list. They may sleep, but not for ever, and must not ASSERT.
 *
 * @prepare and @check run in the thread of the test case and may use EXPECT and
 * ASSERT. On a uniprocessor the racers run one after another, in an order that
 * changes from round to round, unless they sleep or call cond_resched().
 */
struct mock_race {
	void *ctx;
	unsigned int rounds;
	void (*prepare)(struct kunit *test, void *ctx);
	void (*check)(struct kunit *test, void *ctx);
	mock_racer_t racer[MOCK_RACERS];
};

void mock_race(struct kunit *test, const struct mock_race *race);
void mock_kill(void);
void mock_revive(void);

#endif /* DMABUF_SELFTESTS_MOCK_H */
