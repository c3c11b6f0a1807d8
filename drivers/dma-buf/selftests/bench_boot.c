// SPDX-License-Identifier: GPL-2.0
/*
 * The benchmark without user space: what operations inside the kernel take in real time, where
 * nothing else is worth a look, as on UML.
 *
 *   dmabuf_bench.run=PATTERN   at boot, measure the operations whose name matches
 *   dmabuf_bench.rounds=N      the figure is the least of N (default: 20)
 *   dmabuf_bench.max_n=N       leave out what is larger
 *   dmabuf_bench.halt=1        then switch off
 *
 * One line an operation on the console: "bench: NAME NANOSECONDS", or "bench: NAME error
 * ERRNO". Bytes, the figures of "memory.*", are left to user space.
 */
#include <linux/glob.h>
#include <linux/init.h>
#include <linux/math64.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/time64.h>

#include "bench.h"
#include "bench_run.h"

#define BENCH_RUN(function)	function
#include "bench_ops.h"

/*
 * A round has so many repetitions that the clock's steps do not matter, unless what the operation
 * needs to be set up takes too long, or they get too many.
 */
#define ROUND_NS	NSEC_PER_MSEC
#define SETUP_NS	(10 * NSEC_PER_MSEC)
#define ROUND_TIMES	10000

static char *run;
module_param(run, charp, 0444);
MODULE_PARM_DESC(run, "measure operations whose name matches this pattern at boot");

static bool halt_after;
module_param_named(halt, halt_after, bool, 0444);
MODULE_PARM_DESC(halt, "then switch off");

static unsigned int rounds = 20;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "how often to measure; the least counts");

static unsigned int max_n = DMABUF_BENCH_MAX_N;
module_param(max_n, uint, 0444);
MODULE_PARM_DESC(max_n, "the largest size");

static int boot_round(const struct dmabuf_bench_op *op, struct bench *bench)
{
	bench->ticks = 0;
	cond_resched();
	return bench_run(op, bench);
}

/* How many make a round; leaves them in @bench->times. */
static int boot_times(const struct dmabuf_bench_op *op, struct bench *bench)
{
	u64 began, took = 0;
	int ret;

	bench->times = 1;
	ret = boot_round(op, bench);
	while (!ret && bench->ticks < ROUND_NS && took < SETUP_NS && bench->times < ROUND_TIMES) {
		bench->times *= 2;
		began = ktime_get_ns();
		ret = boot_round(op, bench);
		took = ktime_get_ns() - began;
	}
	return ret;
}

/* The best of all rounds, counted in tenths of a nanosecond. */
static void boot_measure(const struct dmabuf_bench_op *op, const char *name, unsigned int n)
{
	struct bench bench = { .fd = -1, .n = n };
	u64 best = U64_MAX;
	u32 tenths;
	int ret = boot_times(op, &bench);

	for (unsigned int i = 0; i < rounds && !ret; i++) {
		ret = boot_round(op, &bench);
		if (!ret)
			best = min(best, div64_u64(bench.ticks * 10, bench.items));
	}
	best = div_u64_rem(best, 10, &tenths);
	if (ret)
		pr_info("bench: %s error %d\n", name, ret);
	else
		pr_info("bench: %s %llu.%u\n", name, best, tenths);
}

static void boot_op(const struct dmabuf_bench_op *op)
{
	char name[DMABUF_BENCH_OP_NAME_LEN + 16];
	int i = 0;

	do {
		unsigned int n = op->sizes[i];

		if (n)
			snprintf(name, sizeof(name), "%s.n%u", op->name, n);
		else
			strscpy(name, op->name);
		if (n <= max_n && glob_match(run, name))
			boot_measure(op, name, n);
	} while (op->sizes[i] && op->sizes[++i]);
}

static int __init bench_boot(void)
{
	const struct dmabuf_bench_op *op;

	if (!run)
		return 0;
	bench_init_clock(true);
	for (op = dmabuf_bench_ops; op < dmabuf_bench_ops + ARRAY_SIZE(dmabuf_bench_ops); op++)
		if (!op->needs_fd && !str_has_prefix(op->name, "memory."))
			boot_op(op);
	pr_info("bench: done\n");
	if (halt_after)
		kernel_power_off();
	bench_init_clock(false);
	return 0;
}
late_initcall_sync(bench_boot);
