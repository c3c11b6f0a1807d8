/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What a program can do with the descriptor of a dma-buf besides passing it
 * on: bracket CPU access, name it, and exchange its fences for sync_files.
 */
#ifndef _DMA_BUF_UAPI_H_
#define _DMA_BUF_UAPI_H_

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct dma_buf_sync - argument of DMA_BUF_IOCTL_SYNC
 * @flags: one of DMA_BUF_SYNC_START and DMA_BUF_SYNC_END, together with at
 *	least one of DMA_BUF_SYNC_READ and DMA_BUF_SYNC_WRITE. Anything else is
 *	refused with EINVAL.
 *
 * Brackets what the CPU does through a mapping of the buffer. START waits for
 * the fences that stand in the way of such an access (READ: those of writers,
 * WRITE: those of everybody) and then makes the device's data visible to the
 * CPU. END makes the CPU's data visible to devices and names the same
 * direction as START did. Between the two nobody is kept away: work that is
 * submitted to a device meanwhile is for its submitter to order.
 *
 * START can be interrupted by a signal; the call has had no effect then and is
 * to be repeated.
 */
struct dma_buf_sync {
	__u64 flags;
};

#define DMA_BUF_SYNC_READ	0x1
#define DMA_BUF_SYNC_WRITE	0x2
#define DMA_BUF_SYNC_RW		(DMA_BUF_SYNC_READ | DMA_BUF_SYNC_WRITE)
#define DMA_BUF_SYNC_START	0x0
#define DMA_BUF_SYNC_END	0x4
#define DMA_BUF_SYNC_VALID_FLAGS_MASK \
	(DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END)

/* Bytes of a buffer's name, the final zero among them. */
#define DMA_BUF_NAME_LEN	32

/**
 * struct dma_buf_export_sync_file - argument of DMA_BUF_IOCTL_EXPORT_SYNC_FILE
 * @flags: in: what the caller wants to do with the buffer. DMA_BUF_SYNC_READ
 *	alone collects the fences of writers, as poll() with POLLIN does;
 *	DMA_BUF_SYNC_WRITE, with or without READ, those of readers as well, as
 *	POLLOUT does. Anything else is refused with EINVAL.
 * @fd: out: descriptor of a sync_file, with close-on-exec set
 *
 * The sync_file holds the fences that are on the buffer now; one that is added
 * later is not in it. Together with &struct dma_buf_import_sync_file this is
 * the bridge from drivers with implicit to programs with explicit
 * synchronization: export, let the device's work wait for the result, import
 * that work's own fence. The three steps are not atomic; programs that share a
 * buffer agree among themselves who does them when.
 */
struct dma_buf_export_sync_file {
	__u32 flags;
	__s32 fd;
};

/**
 * struct dma_buf_import_sync_file - argument of DMA_BUF_IOCTL_IMPORT_SYNC_FILE
 * @flags: what the sync_file's work does with the buffer. With
 *	DMA_BUF_SYNC_READ alone its fences hold up later writers, with
 *	DMA_BUF_SYNC_WRITE, with or without READ, later readers as well.
 *	Anything else is refused with EINVAL.
 * @fd: a sync_file, which stays open and independent of the buffer
 */
struct dma_buf_import_sync_file {
	__u32 flags;
	__s32 fd;
};

#define DMA_BUF_BASE		'b'
#define DMA_BUF_IOCTL_SYNC	_IOW(DMA_BUF_BASE, 0, struct dma_buf_sync)

/*
 * Three numbers for one call. The first was defined with a pointer as its type,
 * so its number depends on who compiles it; _A is what 32-bit programs got and
 * _B what 64-bit programs got. The kernel takes both from everybody. The
 * argument is the address of a string of less than DMA_BUF_NAME_LEN bytes.
 */
#define DMA_BUF_SET_NAME	_IOW(DMA_BUF_BASE, 1, const char *)
#define DMA_BUF_SET_NAME_A	_IOW(DMA_BUF_BASE, 1, __u32)
#define DMA_BUF_SET_NAME_B	_IOW(DMA_BUF_BASE, 1, __u64)
#define DMA_BUF_IOCTL_EXPORT_SYNC_FILE \
	_IOWR(DMA_BUF_BASE, 2, struct dma_buf_export_sync_file)
#define DMA_BUF_IOCTL_IMPORT_SYNC_FILE \
	_IOW(DMA_BUF_BASE, 3, struct dma_buf_import_sync_file)

#endif /* _DMA_BUF_UAPI_H_ */
