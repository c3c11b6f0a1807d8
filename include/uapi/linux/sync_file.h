/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What a program can do with a sync_file, the descriptor of a fence: merge two
 * of them, ask what is inside, tell by when it is needed. poll() reports
 * POLLIN as soon as everything inside has signaled.
 */
#ifndef _UAPI_LINUX_SYNC_H
#define _UAPI_LINUX_SYNC_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct sync_merge_data - argument of SYNC_IOC_MERGE
 * @name:	in: what the result is to be called; cut at 31 bytes
 * @fd2:	in: a sync_file to merge with the one the ioctl is called on
 * @fence:	out: descriptor of the result, with close-on-exec set
 * @flags:	in: 0, any bit is refused with EINVAL
 * @pad:	in: 0, any bit is refused with EINVAL
 *
 * The result signals when both inputs have; neither input changes. Of several
 * fences of one timeline only the last is kept.
 */
struct sync_merge_data {
	char	name[32];
	__s32	fd2;
	__s32	fence;
	__u32	flags;
	__u32	pad;
};

/**
 * struct sync_fence_info - one fence inside a sync_file
 * @obj_name:		name of the timeline that the fence belongs to
 * @driver_name:	name of the driver that signals it
 * @status:		0 pending, 1 signaled, negative errno for an error
 * @flags:		always 0
 * @timestamp_ns:	CLOCK_MONOTONIC time of signaling, 0 while pending
 */
struct sync_fence_info {
	char	obj_name[32];
	char	driver_name[32];
	__s32	status;
	__u32	flags;
	__u64	timestamp_ns;
};

/**
 * struct sync_file_info - argument of SYNC_IOC_FILE_INFO
 * @name:	out: name given to SYNC_IOC_MERGE, or a generated one
 * @status:	out: 0 something is pending, 1 everything signaled, negative
 *		errno if a fence failed
 * @flags:	in: 0, any bit is refused with EINVAL
 * @num_fences:	in: room in @sync_fence_info, out: number of fences
 * @pad:	in: 0, any bit is refused with EINVAL
 * @sync_fence_info: in: address of an array of &struct sync_fence_info
 *
 * Called with @num_fences 0 it only tells the number, @name and @status. With
 * less room than fences it is refused with EINVAL.
 */
struct sync_file_info {
	char	name[32];
	__s32	status;
	__u32	flags;
	__u32	num_fences;
	__u32	pad;

	__u64	sync_fence_info;
};

/**
 * struct sync_set_deadline - argument of SYNC_IOC_SET_DEADLINE
 * @deadline_ns: CLOCK_MONOTONIC time by which the caller wants the fence to
 *		signal, in nanoseconds
 * @pad:	0, any bit is refused with EINVAL
 *
 * A hint. A driver may raise clocks to meet it, and may ignore it.
 */
struct sync_set_deadline {
	__u64	deadline_ns;
	__u64	pad;
};

#define SYNC_IOC_MAGIC		'>'

/* Numbers 0 to 2 had another meaning before 4.6: never give them a new one. */
#define SYNC_IOC_MERGE		_IOWR(SYNC_IOC_MAGIC, 3, struct sync_merge_data)
#define SYNC_IOC_FILE_INFO	_IOWR(SYNC_IOC_MAGIC, 4, struct sync_file_info)
#define SYNC_IOC_SET_DEADLINE	_IOW(SYNC_IOC_MAGIC, 5, struct sync_set_deadline)

#endif /* _UAPI_LINUX_SYNC_H */
