/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * How tools/dma-buf/bench talks to /dev/dmabuf_bench. Private to the benchmark of one
 * and the same tree: no ABI, and to be changed at will.
 */
#ifndef DMABUF_SELFTESTS_BENCH_H
#define DMABUF_SELFTESTS_BENCH_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define DMABUF_BENCH_DEVICE_PATH	"/dev/dmabuf_bench"
#define DMABUF_BENCH_NAME		"dmabuf_bench"
#define DMABUF_BENCH_OP_NAME_LEN	48
#define DMABUF_BENCH_MAX_TIMES		1000000
#define DMABUF_BENCH_MAX_N		100000

/**
 * struct dmabuf_bench_run - repeat an operation inside the kernel
 * @op: in: its name in dmabuf_bench_ops[], without the size; a string
 * @fd: in: the buffer, for an operation that wants one and is not to make it itself, else -1
 * @n: in: how many of what the operation is about; 0 if it has no size
 * @times: in: how often at least, 1 to DMABUF_BENCH_MAX_TIMES
 * @pad: zero
 * @items: out: by what to divide @cycles for the figure of the operation
 * @cycles: out: what all of them took together, by the time stamp counter
 */
struct dmabuf_bench_run {
	char op[DMABUF_BENCH_OP_NAME_LEN];
	__s32 fd;
	__u32 n;
	__u32 times;
	__u32 pad;
	__u64 items;
	__u64 cycles;
};

/**
 * struct dmabuf_bench_fences - make a buffer busy
 * @fd: in: the buffer
 * @n: in: how many fences it gets, each of a timeline of its own
 * @write: in: 0: they are readers, 1: they are writers
 */
struct dmabuf_bench_fences {
	__s32 fd;
	__u32 n;
	__u32 write;
};

#define DMABUF_BENCH_IOC_NOP	_IO('B', 0)
/* Export a buffer without memory; returns the descriptor. */
#define DMABUF_BENCH_IOC_EXPORT	_IO('B', 1)
#define DMABUF_BENCH_IOC_RUN	_IOWR('B', 2, struct dmabuf_bench_run)
/* The fences stay pending until they are signaled or the device is closed. */
#define DMABUF_BENCH_IOC_FENCES	_IOW('B', 3, struct dmabuf_bench_fences)
/* Signal as many of the pending fences as the argument says, oldest first. */
#define DMABUF_BENCH_IOC_SIGNAL	_IO('B', 4)
/* A sync_file of as many pending fences as the argument says; returns the descriptor. */
#define DMABUF_BENCH_IOC_SYNC_FILE	_IO('B', 5)
/* Wait until what RCU keeps is freed. */
#define DMABUF_BENCH_IOC_FLUSH_RCU	_IO('B', 6)

/* mmap() maps so much at a time, at as many times the size as the way has as its number. */
#define DMABUF_BENCH_MAP_SIZE	(64UL << 20)
#define DMABUF_BENCH_MAP_REMAP	0	/* All at once. */
#define DMABUF_BENCH_MAP_PMD	1	/* 2 MiB at a fault, by one huge entry. */
#define DMABUF_BENCH_MAP_APPLY	2	/* 2 MiB at a fault, by one walk of the page table. */
#define DMABUF_BENCH_MAP_INSERT	3	/* 2 MiB at a fault, page by page. */

#endif /* DMABUF_SELFTESTS_BENCH_H */
