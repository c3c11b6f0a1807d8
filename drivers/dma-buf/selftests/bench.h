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
#define DMABUF_BENCH_OP_NAME_LEN	24
#define DMABUF_BENCH_MAX_TIMES		1000000

/**
 * struct dmabuf_bench_run - repeat an operation inside the kernel
 * @op: in: its name, a string
 * @fd: in: the buffer, for an operation that wants one, else -1
 * @times: in: how often, 1 to DMABUF_BENCH_MAX_TIMES
 * @cycles: out: what all of them took together, by the time stamp counter
 */
struct dmabuf_bench_run {
	char op[DMABUF_BENCH_OP_NAME_LEN];
	__s32 fd;
	__u32 times;
	__u64 cycles;
};

#define DMABUF_BENCH_IOC_NOP	_IO('B', 0)
/* Export a buffer without memory; returns the descriptor. */
#define DMABUF_BENCH_IOC_EXPORT	_IO('B', 1)
#define DMABUF_BENCH_IOC_RUN	_IOWR('B', 2, struct dmabuf_bench_run)

#endif /* DMABUF_SELFTESTS_BENCH_H */
