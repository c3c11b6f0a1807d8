// SPDX-License-Identifier: GPL-2.0
/*
 * bench: what operations on dma-bufs cost, in ticks of the time stamp counter.
 *
 *   bench [PATTERN...]   measure the operations whose name matches a pattern (all)
 *   bench -f FILE        the same with the patterns, one a line, in FILE
 *   bench -l             list the operations
 *   bench -2 SECONDS     do what should not get in each other's way on one CPU and on two
 *   bench -L             list what that is
 *
 * One line an operation, fields separated by tabs:
 *
 *   NAME  ok     FIGURE  MINIMUM  MEAN  BATCHES  TIMES
 *   NAME  skip   REASON     the kernel does not have what it takes
 *   NAME  error  REASON
 *   NAME  two    A_SECOND_ON_ONE_CPU  A_SECOND_ON_TWO  RATIO       (-2)
 *
 * Where the counter counts instructions (QEMU's -icount), so do the figures. For two CPUs,
 * which count together only in real time, compare the ratio with that of a floor.
 *
 * Vocabulary: an operation is done *once*, a number of *times* in a *batch*. The figure of a
 * batch is the mean of its times, so that work which is put off and done for several at once
 * counts; the figure of an operation is the lower quartile of its batches, so that what the
 * machine did meanwhile, which only ever adds, does not. An operation "NAME.nN" is NAME with N of
 * what it is about; whether its figure is for one of them or all is said where it is defined.
 *
 * Every operation runs in a process of its own, that begins with nothing open.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fnmatch.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "run.h"
#include "../../../drivers/dma-buf/selftests/bench.h"

#define BENCH_RUN(...)	NULL
#include "../../../drivers/dma-buf/selftests/bench_ops.h"

#define BATCHES		7
#define BATCHES_SLOW	3
#define BATCHES_SLOWEST	1
#define MAX_TIMES	10000
/* Ticks that an operation may take, all batches together; at least one a batch. */
#define BUDGET		280000000ULL
/* Past this an operation is done only once in each of a few batches, past that in one. */
#define SLOW		40000000ULL
#define SLOWEST		1000000000ULL
/* More descriptors than an operation has open. */
#define MAX_FILES	20000

uint64_t overhead;

/* All operations, one for each size. */
static struct op *ops;
static size_t nr_ops;

noreturn void give_up(const struct run *run, const char *word, const char *reason)
{
	printf("%s\t%s\t%s\n", run->op->name, word, reason);
	fflush(stdout);
	_exit(0);
}

noreturn void broken(const struct run *run, const char *condition)
{
	char reason[256];

	snprintf(reason, sizeof(reason), "not true: %s (%s)", condition, strerror(errno));
	give_up(run, "error", reason);
}

/* A write to each page. */
void touch(void *map, size_t size)
{
	char *byte = map;
	size_t i;

	for (i = 0; i < size; i += PAGE)
		byte[i] = 1;
	asm volatile("" : : "r"(map) : "memory");	/* Somebody reads them. */
}

/* ---- the list ---- */

static void add_op(const struct op *op, unsigned int n)
{
	struct op *added;
	char *name;

	ops = realloc(ops, (nr_ops + 1) * sizeof(*ops));
	added = ops ? &ops[nr_ops++] : NULL;
	if (!added || (n && asprintf(&name, "%s.n%u", op->name, n) < 0)) {
		perror("bench");
		exit(1);
	}
	*added = *op;
	added->n = n;
	if (n)
		added->name = name;
}

static void add_sizes(const struct op *op)
{
	int i;

	if (!op->sizes[0])
		add_op(op, 0);
	for (i = 0; op->sizes[i]; i++)
		add_op(op, op->sizes[i]);
}

static void add_table(const struct op *table)
{
	for (; table->name; table++)
		add_sizes(table);
}

static_assert(MAX_SIZES == BENCH_MAX_SIZES, "an operation has as many sizes in both tables");

/* What the kernel repeats by itself. */
static void add_kernel_table(void)
{
	const struct dmabuf_bench_op *from;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(dmabuf_bench_ops); i++) {
		struct op op = { .begin = kernel_begin, .once = kernel_once };

		from = &dmabuf_bench_ops[i];
		if (from->needs_fd)
			continue;
		op.name = from->name;
		op.arg = from->name;
		memcpy(op.sizes, from->sizes, sizeof(op.sizes));
		add_sizes(&op);
	}
}

static void add_all(void)
{
	add_kernel_table();
	add_table(core_ops);
	add_table(fence_ops);
	add_table(memory_ops);
	add_table(udmabuf_ops);
	add_table(heap_ops);
}

/* ---- one operation ---- */

/* What it takes to do it once, preparations and all. */
static uint64_t cost_of(struct run *run)
{
	uint64_t began = __rdtsc();

	run->op->once(run);
	return __rdtsc() - began;
}

static unsigned int times_for(struct run *run)
{
	uint64_t times;

	if (run->op->times)
		return run->op->times;

	times = run->budget / BATCHES / cost_of(run);
	return times > MAX_TIMES ? MAX_TIMES : times ? times : 1;
}

static unsigned int batches_for(const struct run *run, uint64_t cost)
{
	if (cost < SLOW || run->op->times)
		return BATCHES;
	return cost < SLOWEST ? BATCHES_SLOW : BATCHES_SLOWEST;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double batch(struct run *run, unsigned int times)
{
	unsigned int i;

	run->ticks = 0;
	for (i = 0; i < times; i++)
		run->op->once(run);
	return run->ticks / times;
}

static void run_init(struct run *run, const struct op *op)
{
	*run = (struct run) {
		.op = op, .fd = -1, .aux = -1, .other = -1, .repeats = 1, .budget = BUDGET,
	};
	if (op->begin)
		op->begin(run);
}

/* The first times warm up and tell how many a batch can have. */
static void measure(const struct op *op)
{
	double figure[BATCHES], sum = 0;
	unsigned int i, times, batches;
	struct run run;

	run_init(&run, op);
	batches = batches_for(&run, cost_of(&run));
	times = batches < BATCHES ? 1 : times_for(&run);
	for (i = 0; i < batches; i++)
		figure[i] = batch(&run, times);
	for (i = 0; i < batches; i++)
		sum += figure[i];
	qsort(figure, batches, sizeof(figure[0]), compare);
	printf("%s\tok\t%.1f\t%.1f\t%.1f\t%u\t%u\n", op->name, figure[batches / 4],
	       figure[0], sum / batches, batches, times);
}

/* What start() and stop() cost by themselves. */
static uint64_t measure_overhead(void)
{
	struct run run = {};
	double least = UINT32_MAX;
	int i;

	for (i = 0; i < 100; i++) {
		run.ticks = 0;
		start(&run);
		stop(&run);
		if (run.ticks < least)
			least = run.ticks;
	}
	return least;
}

static bool measure_in_child(const struct op *op)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		measure(op);
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		perror("bench");
		return false;
	}
	if (status)
		printf("%s\terror\tits process ended with status %#x\n", op->name, status);
	return !status;
}

/* ---- two CPUs ---- */

/* What two CPUs do at once, each with its own objects; the floors first. */
static const char * const two_ops[] = {
	"floor.getppid",
	"floor.kmalloc_free_64",
	"floor.page_alloc_free.n1",
	"floor.eventfd_create_close",
	"export.fd_close",
	"export.put",
	"core.attach_detach",
	"core.map_unmap",
	"core.sync_pair",
	"fence.alloc_signal_put",
	"fence.init_signal_put",
	"resv.lock_unlock",
	"resv.stream",
	"heap.alloc_close.4K",
};

/* Shared by the processes of a measurement. */
struct crowd {
	atomic_uint ready;
	atomic_bool go;
	atomic_bool stop;
	atomic_ulong done[2];		/* by CPU */
};

/* A process on @cpu that does @op until it is told to stop. */
static noreturn void crowd_member(struct crowd *crowd, const struct op *op, int cpu)
{
	unsigned long done = 0;
	struct run run;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		_exit(1);
	run_init(&run, op);
	if (op->begin == kernel_begin)
		run.repeats = 1000;	/* The call shall not count. */
	op->once(&run);
	crowd->ready++;
	while (!crowd->go)
		sched_yield();
	while (!crowd->stop) {
		op->once(&run);
		done += run.repeats;
	}
	crowd->done[cpu] = done;
	fflush(stdout);
	_exit(0);
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static bool reap(unsigned int nr)
{
	bool ok = true;
	int status;

	while (nr--)
		ok &= wait(&status) > 0 && !status;
	return ok;
}

/* How often a second @op is done on the first @nr CPUs; 0 if it is not. */
static double crowd_run(struct crowd *crowd, const struct op *op, unsigned int nr, double seconds)
{
	double began, took;
	unsigned int cpu;

	memset(crowd, 0, sizeof(*crowd));
	fflush(stdout);
	for (cpu = 0; cpu < nr; cpu++)
		if (!fork())
			crowd_member(crowd, op, cpu);
	began = seconds_now();
	while (crowd->ready < nr && seconds_now() < began + 5)
		usleep(1000);
	began = seconds_now();
	crowd->go = true;
	usleep(seconds * 1e6);
	crowd->stop = true;
	took = seconds_now() - began;
	if (!reap(nr))
		return 0;
	return (crowd->done[0] + crowd->done[1]) / took;
}

static const struct op *find_op(const char *name)
{
	size_t i;

	for (i = 0; i < nr_ops; i++)
		if (!strcmp(ops[i].name, name))
			return &ops[i];
	return NULL;
}

static bool measure_two(double seconds)
{
	struct crowd *crowd = mmap(NULL, sizeof(*crowd), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double one, two;
	bool ok = true;
	size_t i;

	if (crowd == MAP_FAILED) {
		perror("bench");
		return false;
	}
	for (i = 0; i < ARRAY_SIZE(two_ops); i++) {
		const struct op *op = find_op(two_ops[i]);

		one = op ? crowd_run(crowd, op, 1, seconds) : 0;
		two = one ? crowd_run(crowd, op, 2, seconds) : 0;
		if (two)
			printf("%s\ttwo\t%.0f\t%.0f\t%.3f\n", two_ops[i], one, two, two / one);
		else
			printf("%s\terror\tnot done on two CPUs\n", two_ops[i]);
		ok &= two > 0;
	}
	return ok;
}

/* ---- the command ---- */

static bool wanted(const char *name, char **patterns, int nr_patterns)
{
	int i;

	for (i = 0; i < nr_patterns; i++)
		if (!fnmatch(patterns[i], name, 0))
			return true;
	return !nr_patterns;
}

/* The lines of @path. */
static char **read_patterns(const char *path, int *nr)
{
	char **lines = NULL, *line = NULL;
	FILE *file = fopen(path, "r");
	size_t size = 0;
	ssize_t len;

	*nr = 0;
	if (!file) {
		perror(path);
		exit(1);
	}
	while ((len = getline(&line, &size, file)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = 0;
		lines = realloc(lines, (*nr + 1) * sizeof(*lines));
		lines[(*nr)++] = line;
		line = NULL;
	}
	fclose(file);
	return lines;
}

static bool measure_wanted(char **patterns, int nr_patterns)
{
	bool ok = true;
	size_t i;

	for (i = 0; i < nr_ops; i++)
		if (wanted(ops[i].name, patterns, nr_patterns))
			ok &= measure_in_child(&ops[i]);
	return ok;
}

static int list(bool two)
{
	size_t i;

	for (i = 0; i < (two ? ARRAY_SIZE(two_ops) : nr_ops); i++)
		puts(two ? two_ops[i] : ops[i].name);
	return 0;
}

int main(int argc, char **argv)
{
	struct rlimit files = { MAX_FILES, MAX_FILES };
	char **patterns = argv + 1;
	int nr_patterns = argc - 1;
	bool ok;

	add_all();
	if (argc == 2 && (!strcmp(argv[1], "-l") || !strcmp(argv[1], "-L")))
		return list(argv[1][1] == 'L');
	if (argc == 3 && !strcmp(argv[1], "-f"))
		patterns = read_patterns(argv[2], &nr_patterns);

	if (setrlimit(RLIMIT_NOFILE, &files))
		perror("bench: setrlimit");
	overhead = measure_overhead();
	if (argc == 3 && !strcmp(argv[1], "-2"))
		ok = measure_two(atof(argv[2]));
	else
		ok = measure_wanted(patterns, nr_patterns);
	printf("# done\n");
	return !ok;
}
