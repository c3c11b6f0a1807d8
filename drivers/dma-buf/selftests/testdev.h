/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * How the user-space tests talk to /dev/dmabuf_test. Private to the tests of
 * one and the same tree: no ABI, and to be changed at will.
 *
 * Vocabulary:
 *   buffer    a dma-buf whose exporter is the device, named by its descriptor
 *   fence     a dma_fence whose driver is the device, named by the id that it
 *             got, within the open device that made it. Closing the device
 *             signals what is left of its fences.
 *   timeline  a fence context of the open device, 1 to DMABUF_TEST_TIMELINES
 *
 * DMABUF_TEST_IOC_COPY takes the buffer of any exporter.
 */
#ifndef DMABUF_SELFTESTS_TESTDEV_H
#define DMABUF_SELFTESTS_TESTDEV_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define DMABUF_TEST_DEVICE_PATH	"/dev/dmabuf_test"
#define DMABUF_TEST_NAME	"dmabuf_test"	/* of exporter and fence driver */
#define DMABUF_TEST_TIMELINE	"test-timeline"
#define DMABUF_TEST_TIMELINES	8
#define DMABUF_TEST_MAX_SIZE	(64U << 20)	/* bytes of a buffer */
#define DMABUF_TEST_MAX_HOLD_MS	20000

/* What a buffer lacks. */
#define DMABUF_TEST_NO_MMAP	0x1
#define DMABUF_TEST_NO_CPU	0x2	/* begin_cpu_access and end_cpu_access */

/* Callbacks of the exporter, for counting and failing. */
enum dmabuf_test_op {
	DMABUF_TEST_OP_ATTACH,
	DMABUF_TEST_OP_DETACH,
	DMABUF_TEST_OP_MAP,
	DMABUF_TEST_OP_UNMAP,
	DMABUF_TEST_OP_BEGIN,
	DMABUF_TEST_OP_END,
	DMABUF_TEST_OP_MMAP,
	DMABUF_TEST_OP_VMAP,
	DMABUF_TEST_OP_VUNMAP,
	DMABUF_TEST_NR_OPS
};

/* What the device can do to a buffer as its one importer. */
enum dmabuf_test_import_step {
	DMABUF_TEST_ATTACH,
	DMABUF_TEST_MAP,	/* both directions; checks the table */
	DMABUF_TEST_UNMAP,
	DMABUF_TEST_DETACH,
	DMABUF_TEST_VMAP,	/* stays until VUNMAP, can be repeated */
	DMABUF_TEST_VUNMAP
};

/* How an importer gets at the memory of a buffer. */
enum dmabuf_test_way {
	DMABUF_TEST_BY_DMA,	/* attach, map, use the DMA addresses */
	DMABUF_TEST_BY_PFN,	/* attach, ask for the frame of each page */
	DMABUF_TEST_BY_VMAP,	/* kernel mapping, between the calls for CPU access */
	DMABUF_TEST_NR_WAYS
};

/**
 * struct dmabuf_test_buffer - make a buffer
 * @size: in: bytes, whole pages, at most DMABUF_TEST_MAX_SIZE
 * @flags: in: DMABUF_TEST_NO_*
 * @file_flags: in: what the exporter opens the file with (O_RDWR, ...)
 * @fd_flags: in: what the descriptor is made with (O_CLOEXEC, ...)
 * @fd: out
 */
struct dmabuf_test_buffer {
	__u64 size;
	__u32 flags;
	__u32 file_flags;
	__u32 fd_flags;
	__s32 fd;
};

/**
 * struct dmabuf_test_fence - make a pending fence
 * @timeline: in: 0 for a timeline of its own. The fences of the others get
 *	ascending seqnos.
 * @id: out
 * @fd: out: a sync_file
 * @pad: 0
 */
struct dmabuf_test_fence {
	__u32 timeline;
	__u32 id;
	__s32 fd;
	__u32 pad;
};

/**
 * struct dmabuf_test_signal - signal a fence
 * @id: in: the fence; may have signaled already
 * @error: in: 0 or a negative errno
 */
struct dmabuf_test_signal {
	__u32 id;
	__s32 error;
};

/**
 * struct dmabuf_test_fence_state - ask a fence
 * @deadline_ns: out: last deadline that the driver was told, 0 for none
 * @id: in: the fence
 * @status: out: as dma_fence_get_status()
 * @nr_deadlines: out: how often it was told one
 * @nr_refs: out: references, the device's own among them
 */
struct dmabuf_test_fence_state {
	__u64 deadline_ns;
	__u32 id;
	__s32 status;
	__u32 nr_deadlines;
	__u32 nr_refs;
};

/**
 * struct dmabuf_test_add - put a fence on a buffer
 * @fd: in: the buffer
 * @id: in: the fence
 * @usage: in: enum dma_resv_usage
 * @pad: 0
 */
struct dmabuf_test_add {
	__s32 fd;
	__u32 id;
	__u32 usage;
	__u32 pad;
};

/**
 * struct dmabuf_test_counters - ask a buffer's exporter
 * @fd: in: the buffer
 * @too_early: out: of the calls of BEGIN those that came while a fence was
 *	pending that such an access has to wait for
 * @ops: out: calls of each callback, by enum dmabuf_test_op
 * @pad: 0
 */
struct dmabuf_test_counters {
	__s32 fd;
	__u32 too_early;
	__u32 ops[DMABUF_TEST_NR_OPS];
	__u32 pad;
};

/**
 * struct dmabuf_test_fail - let a callback fail once
 * @fd: in: the buffer
 * @op: in: which callback
 * @nth: in: 1 for the next call, 0 for none any more
 * @error: in: a negative errno
 */
struct dmabuf_test_fail {
	__s32 fd;
	__u32 op;
	__u32 nth;
	__s32 error;
};

/**
 * struct dmabuf_test_import - act as importer
 * @fd: in: the buffer
 * @step: in: enum dmabuf_test_import_step
 */
struct dmabuf_test_import {
	__s32 fd;
	__u32 step;
};

/**
 * struct dmabuf_test_copy - read or write a buffer as an importer does
 * @data: in: address of @size bytes of the caller, which are written to the
 *	buffer or read from it
 * @offset: in: first byte in the buffer
 * @size: in: bytes, 1 to DMABUF_TEST_MAX_SIZE, all of them in the buffer
 * @fd: in: the buffer, of whichever exporter
 * @way: in: enum dmabuf_test_way
 * @write: in: 1 to write the buffer, 0 to read it
 * @pad: 0
 *
 * Attaches and maps for this one call, and waits for the fences that stand in
 * the way. What the exporter or the core fails with is the error of the call,
 * and EIO means that they tell of memory which is not there. EOPNOTSUPP: this
 * kernel or this exporter does not have that way, or the machine's devices do
 * not see memory as its CPUs do.
 */
struct dmabuf_test_copy {
	__u64 data;
	__u64 offset;
	__u64 size;
	__s32 fd;
	__u32 way;
	__u32 write;
	__u32 pad;
};

/**
 * struct dmabuf_test_hold - have a kernel thread hold the reservation lock
 * @fd: in: the buffer. The lock is held when the call returns.
 * @ms: in: until it is let go of by itself, at most DMABUF_TEST_MAX_HOLD_MS
 *
 * One buffer per open device at a time. DMABUF_TEST_IOC_RELEASE ends it early
 * and returns when the lock is free.
 */
struct dmabuf_test_hold {
	__s32 fd;
	__u32 ms;
};

/**
 * struct dmabuf_test_live - what exists in the whole system
 * @buffers: out: buffers that have not been released
 * @fences: out: fences that have not been released
 */
struct dmabuf_test_live {
	__u32 buffers;
	__u32 fences;
};

#define DMABUF_TEST_IOC_BUFFER	_IOWR('D', 0x70, struct dmabuf_test_buffer)
#define DMABUF_TEST_IOC_FENCE	_IOWR('D', 0x71, struct dmabuf_test_fence)
#define DMABUF_TEST_IOC_SIGNAL	_IOW('D', 0x72, struct dmabuf_test_signal)
#define DMABUF_TEST_IOC_STATE	_IOWR('D', 0x73, struct dmabuf_test_fence_state)
#define DMABUF_TEST_IOC_ADD	_IOW('D', 0x74, struct dmabuf_test_add)
#define DMABUF_TEST_IOC_COUNTERS _IOWR('D', 0x75, struct dmabuf_test_counters)
#define DMABUF_TEST_IOC_FAIL	_IOW('D', 0x76, struct dmabuf_test_fail)
#define DMABUF_TEST_IOC_IMPORT	_IOW('D', 0x77, struct dmabuf_test_import)
#define DMABUF_TEST_IOC_HOLD	_IOW('D', 0x78, struct dmabuf_test_hold)
#define DMABUF_TEST_IOC_RELEASE	_IO('D', 0x79)
#define DMABUF_TEST_IOC_LIVE	_IOR('D', 0x7a, struct dmabuf_test_live)
#define DMABUF_TEST_IOC_COPY	_IOW('D', 0x7b, struct dmabuf_test_copy)

#endif /* DMABUF_SELFTESTS_TESTDEV_H */
