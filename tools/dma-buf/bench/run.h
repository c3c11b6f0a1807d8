/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of tools/dma-buf/bench have in common: operations, the run of one, and the clock.
 *
 * To add an operation: a function that does it once, between start() and stop(), and one line
 * in the table of its file.
 */
#ifndef DMABUF_BENCH_RUN_H
#define DMABUF_BENCH_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>
#include <x86intrin.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define KIB(n)		((size_t)(n) << 10)
#define MIB(n)		((size_t)(n) << 20)
#define PAGE		KIB(4)
#define MAX_SIZES	12

/* How long work that an operation has left to others gets, in microseconds. */
#define SETTLE_US	100000

struct run;

/**
 * struct op - an operation
 * @name: with the size as a suffix, if it has one
 * @begin: once in its process, before all else
 * @once: does it once
 * @size: bytes of the buffer
 * @arg: what the functions of an operation want to know
 * @times: of a batch; 0: by the budget
 * @sizes: at which it is measured, up to a zero, as so many operations "NAME.nN"
 * @n: the one of @sizes
 */
struct op {
	const char *name;
	void (*begin)(struct run *run);
	void (*once)(struct run *run);
	size_t size;
	const char *arg;
	unsigned int times;
	unsigned int sizes[MAX_SIZES];
	unsigned int n;
};

/* A table of operations; the last has no name. */
extern const struct op core_ops[];
extern const struct op fence_ops[];
extern const struct op heap_ops[];
extern const struct op udmabuf_ops[];
extern const struct op memory_ops[];

/* The run of one operation in its process. */
struct run {
	const struct op *op;
	int fd;			/* the heap, device or buffer that it works on */
	int aux;		/* a second one */
	int other;		/* a third */
	uint32_t value;
	unsigned int repeats;	/* of the operation each time @op->once() is called */
	uint64_t budget;	/* ticks that it may take, all batches together */
	uint64_t began;
	double ticks;		/* of the batch so far */
	void *mem;
};

extern uint64_t overhead;

static inline void start(struct run *run)
{
	run->began = __rdtsc();
}

static inline void stop(struct run *run)
{
	run->ticks += (double)(__rdtsc() - run->began) - overhead;
}

/* All since @before was for @items of what the operation is about. */
static inline void per_item(struct run *run, double before, unsigned int items)
{
	run->ticks = before + (run->ticks - before) / items;
}

noreturn void give_up(const struct run *run, const char *word, const char *reason);
noreturn void broken(const struct run *run, const char *condition);

/* Report that the operation cannot be measured, and end its process. */
#define skip(run, reason)	give_up(run, "skip", reason)

#define must(run, condition)			\
	do {					\
		if (!(condition))		\
			broken(run, #condition);	\
	} while (0)

/* Parts that several operations have. */
void touch(void *map, size_t size);
void device_begin(struct run *run);
void udmabuf_begin(struct run *run);
int udmabuf_create(const struct run *run);
void null_begin(struct run *run);
void kernel_begin(struct run *run);
void kernel_once(struct run *run);
void kernel_times(struct run *run, const char *name, int fd, unsigned int times);
void sync_pair(struct run *run, int fd);
int heap_alloc(int heap, size_t size);
void heap_begin(struct run *run);
void *map_shared(const struct run *run);
void touch_once(struct run *run);
void buffer_sync_once(struct run *run);

#endif
