/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all programs of this directory share: /dev/dmabuf_test, the ioctls with
 * the error as return value, memory that faults where it shall, and waiting.
 *
 * Unless stated otherwise a function returns what the system call does, or a
 * negative errno, so that a case compares with one number.
 */
#ifndef DMABUF_TEST_H
#define DMABUF_TEST_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/sync_file.h>

#include "../../../../drivers/dma-buf/selftests/testdev.h"
#include "../kselftest_harness.h"

/* Kernel's enum dma_resv_usage. */
enum usage { KERNEL, WRITE, READ, BOOKKEEP };

#define PAGE		((size_t)sysconf(_SC_PAGESIZE))

/* How long something may take that takes no time, on an emulated machine. */
#define SOON_MS		10000
/* How long to look whether something that must not happen does. */
#define NEVER_MS	200

/* ioctl() that tells the error. */
static inline int xioctl(int fd, unsigned long cmd, const void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

static inline long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000L;
}

static inline void sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/* ---- the test device --------------------------------------------------- */

static inline int dev_open(void)
{
	int fd = open(DMABUF_TEST_DEVICE_PATH, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Why all cases are skipped if no_device(). */
#define NO_DEVICE "no " DMABUF_TEST_DEVICE_PATH ", or no right to open it"

/* Does what dev_open() returned mean that there is nothing to test with? */
static inline bool no_device(int dev)
{
	return dev == -ENOENT || dev == -EACCES || dev == -EPERM;
}

/* The descriptor of a new buffer. */
static inline int buffer_open(int dev, size_t size, unsigned int flags,
			      int file_flags, int fd_flags)
{
	struct dmabuf_test_buffer arg = {
		.size = size,
		.flags = flags,
		.file_flags = file_flags,
		.fd_flags = fd_flags,
	};
	int ret = xioctl(dev, DMABUF_TEST_IOC_BUFFER, &arg);

	return ret ? ret : arg.fd;
}

static inline int buffer_create(int dev, size_t size)
{
	return buffer_open(dev, size, 0, O_RDWR, O_CLOEXEC);
}

/* A pending fence and the sync_file that holds it. */
struct fence {
	__u32 id;
	int fd;
};

static inline int fence_create(int dev, unsigned int timeline, struct fence *fence)
{
	struct dmabuf_test_fence arg = { .timeline = timeline };
	int ret = xioctl(dev, DMABUF_TEST_IOC_FENCE, &arg);

	fence->id = arg.id;
	fence->fd = arg.fd;
	return ret;
}

static inline int fence_fail(int dev, struct fence fence, int error)
{
	struct dmabuf_test_signal arg = { .id = fence.id, .error = error };

	return xioctl(dev, DMABUF_TEST_IOC_SIGNAL, &arg);
}

static inline int fence_signal(int dev, struct fence fence)
{
	return fence_fail(dev, fence, 0);
}

static inline int fence_state(int dev, struct fence fence,
			      struct dmabuf_test_fence_state *state)
{
	memset(state, 0, sizeof(*state));
	state->id = fence.id;
	return xioctl(dev, DMABUF_TEST_IOC_STATE, state);
}

static inline int fence_add(int dev, int buffer, struct fence fence,
			    enum usage usage)
{
	struct dmabuf_test_add arg = {
		.fd = buffer,
		.id = fence.id,
		.usage = usage,
	};

	return xioctl(dev, DMABUF_TEST_IOC_ADD, &arg);
}

/* A pending fence on a buffer. Its sync_file is closed. */
static inline int fence_put_on(int dev, int buffer, enum usage usage,
			       struct fence *fence)
{
	int ret = fence_create(dev, 0, fence);

	if (ret)
		return ret;
	close(fence->fd);
	fence->fd = -1;
	return fence_add(dev, buffer, *fence, usage);
}

static inline struct dmabuf_test_counters counters(int dev, int buffer)
{
	struct dmabuf_test_counters arg = { .fd = buffer };

	if (xioctl(dev, DMABUF_TEST_IOC_COUNTERS, &arg))
		memset(&arg, 0xff, sizeof(arg));
	return arg;
}

/* How often a callback of the exporter was called. */
static inline int calls(int dev, int buffer, enum dmabuf_test_op op)
{
	return counters(dev, buffer).ops[op];
}

/* How often the exporter was told of a CPU access before the device was done. */
static inline int too_early(int dev, int buffer)
{
	return counters(dev, buffer).too_early;
}

static inline int fail_next(int dev, int buffer, enum dmabuf_test_op op, int error)
{
	struct dmabuf_test_fail arg = {
		.fd = buffer,
		.op = op,
		.nth = 1,
		.error = error,
	};

	return xioctl(dev, DMABUF_TEST_IOC_FAIL, &arg);
}

/* Read or write a buffer of whichever exporter as an importer does. */
static inline int importer_copy(int dev, int buffer, enum dmabuf_test_way way,
				bool write, size_t offset, void *data, size_t size)
{
	struct dmabuf_test_copy arg = {
		.data = (uintptr_t)data,
		.offset = offset,
		.size = size,
		.fd = buffer,
		.way = way,
		.write = write,
	};

	return xioctl(dev, DMABUF_TEST_IOC_COPY, &arg);
}

static inline int import_step(int dev, int buffer, enum dmabuf_test_import_step step)
{
	struct dmabuf_test_import arg = { .fd = buffer, .step = step };

	return xioctl(dev, DMABUF_TEST_IOC_IMPORT, &arg);
}

/* Have the reservation lock of a buffer held by somebody else. */
static inline int hold_lock(int dev, int buffer, unsigned int ms)
{
	struct dmabuf_test_hold arg = { .fd = buffer, .ms = ms };

	return xioctl(dev, DMABUF_TEST_IOC_HOLD, &arg);
}

static inline int release_lock(int dev)
{
	return xioctl(dev, DMABUF_TEST_IOC_RELEASE, NULL);
}

static inline struct dmabuf_test_live live(int dev)
{
	struct dmabuf_test_live arg;

	if (xioctl(dev, DMABUF_TEST_IOC_LIVE, &arg))
		memset(&arg, 0xff, sizeof(arg));
	return arg;
}

/*
 * Wait until exactly that many buffers and fences are left: the last reference
 * may be dropped a little after the call that gave it up.
 */
static inline bool live_becomes(int dev, struct dmabuf_test_live want)
{
	long end = now_ms() + SOON_MS;
	struct dmabuf_test_live is;

	do {
		is = live(dev);
		if (is.buffers == want.buffers && is.fences == want.fences)
			return true;
		sleep_ms(10);
	} while (now_ms() < end);
	return false;
}

/* ---- ioctls of buffers and sync_files ----------------------------------- */

static inline int buffer_sync(int buffer, __u64 flags)
{
	struct dma_buf_sync arg = { .flags = flags };

	return xioctl(buffer, DMA_BUF_IOCTL_SYNC, &arg);
}

/* A sync_file with the fences that stand in the way of an access. */
static inline int buffer_export(int buffer, __u32 flags)
{
	struct dma_buf_export_sync_file arg = { .flags = flags, .fd = -1 };
	int ret = xioctl(buffer, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg);

	return ret ? ret : arg.fd;
}

static inline int buffer_import(int buffer, __u32 flags, int sync_file)
{
	struct dma_buf_import_sync_file arg = { .flags = flags, .fd = sync_file };

	return xioctl(buffer, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &arg);
}

static inline int buffer_name(int buffer, const char *name)
{
	return xioctl(buffer, DMA_BUF_SET_NAME, name);
}

/* The descriptor of a merge of two sync_files. */
static inline int sync_merge(int first, int second, const char *name)
{
	struct sync_merge_data arg = { .fd2 = second, .fence = -1 };
	int ret;

	snprintf(arg.name, sizeof(arg.name), "%s", name);
	ret = xioctl(first, SYNC_IOC_MERGE, &arg);
	return ret ? ret : arg.fence;
}

/* 0 pending, 1 signaled, else a negative errno: that of the fence. */
static inline int sync_status(int sync_file)
{
	struct sync_file_info arg = {};
	int ret = xioctl(sync_file, SYNC_IOC_FILE_INFO, &arg);

	return ret ? ret : arg.status;
}

static inline int sync_nr_fences(int sync_file)
{
	struct sync_file_info arg = {};
	int ret = xioctl(sync_file, SYNC_IOC_FILE_INFO, &arg);

	return ret ? ret : (int)arg.num_fences;
}

/* What of @events is ready within @ms, or a negative errno. */
static inline int poll_for(int fd, short events, int ms)
{
	struct pollfd pollfd = { .fd = fd, .events = events };
	int ret = poll(&pollfd, 1, ms);

	return ret < 0 ? -errno : ret ? pollfd.revents : 0;
}

static inline int poll_now(int fd, short events)
{
	return poll_for(fd, events, 0);
}

/* ---- memory that faults -------------------------------------------------- */

/* A page of memory; the one behind it is not mapped. */
static inline char *page_alloc(void)
{
	char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		abort();
	munmap(page + PAGE, PAGE);
	return page;
}

/* @size bytes of @from at the very end of mapped memory. */
static inline void *at_end_of_page(const void *from, size_t size)
{
	return memcpy(page_alloc() + PAGE - size, from, size);
}

/* The same, which can only be read. */
static inline void *read_only(const void *from, size_t size)
{
	char *page = page_alloc();

	memcpy(page, from, size);
	mprotect(page, PAGE, PROT_READ);
	return page;
}

/*
 * A copy of @from, @size bytes, all but whose last byte can be accessed: that
 * one lies on a page which is not there.
 */
static inline void *cut_off(const void *from, size_t size)
{
	return memcpy(page_alloc() + PAGE - (size - 1), from, size - 1);
}

#define NR_BAD_POINTERS 6

/*
 * Addresses where @size bytes can be neither read nor written: nothing there,
 * kernel memory, no address at all, all the memory but the last byte.
 */
static inline const void *bad_pointer(int nr, size_t size)
{
	static const char zeroes[4096];

	switch (nr) {
	case 0:
		return NULL;
	case 1:
		return (void *)(uintptr_t)8;
	case 2:
		return page_alloc() + PAGE;
	case 3:
		return (void *)~0xfffUL;	/* kernel's, on any 64-bit machine */
	case 4:
		return (void *)(1UL << 62);	/* not canonical */
	default:
		return cut_off(zeroes, size);
	}
}

/* ---- descriptors ---------------------------------------------------------- */

/* Number of open descriptors. */
static inline int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 3;	/* ".", "..", and the directory itself */
}

/* The descriptor that the next open() gets. */
static inline int next_fd(void)
{
	int fd = dup(STDOUT_FILENO);

	close(fd);
	return fd;
}

/* From now on no descriptor can be opened; the old limit is returned. */
static inline struct rlimit no_more_fds(void)
{
	struct rlimit old, none;

	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = next_fd();
	setrlimit(RLIMIT_NOFILE, &none);
	return old;
}

/* Read a whole small file; the number of bytes, or a negative errno. */
static inline ssize_t read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t done = 0;
	ssize_t ret = 0;

	if (fd < 0)
		return -errno;
	while (done < size - 1 &&
	       (ret = read(fd, buf + done, size - 1 - done)) > 0)
		done += ret;
	ret = ret < 0 ? -errno : (ssize_t)done;
	buf[done] = '\0';
	close(fd);
	return ret;
}

static inline int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static inline int send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, byte = 'f';
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

/* The descriptor that another process sent. */
static inline int receive_fd(int sock, int flags)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	int fd;

	if (recvmsg(sock, &msg, flags) != 1)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS)
		return -EBADMSG;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

/* ---- other processes and threads ------------------------------------------ */

#define CHILD_HANGS	(-1)
#define CHILD_KILLED	(-2)

/* How a child ended within @ms: its exit status, or one of the above. */
static inline int child_status(pid_t pid, int ms)
{
	long end = now_ms() + ms;
	int status;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		if (now_ms() > end)
			return CHILD_HANGS;
		sleep_ms(5);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : CHILD_KILLED;
}

/* Get rid of a child. False if that takes longer than @ms. */
static inline bool child_kill(pid_t pid, int ms)
{
	kill(pid, SIGKILL);
	return child_status(pid, ms) != CHILD_HANGS;
}

/* Signals a fence a little later. */
struct later {
	pthread_t thread;
	int dev;
	struct fence fence;
	long ms;
	long signaled_at;	/* time, valid after later_join() */
};

static inline void *later_thread(void *arg)
{
	struct later *later = arg;

	sleep_ms(later->ms);
	later->signaled_at = now_ms();
	fence_signal(later->dev, later->fence);
	return NULL;
}

static inline void signal_later(struct later *later, int dev, struct fence fence,
				long ms)
{
	later->dev = dev;
	later->fence = fence;
	later->ms = ms;
	if (pthread_create(&later->thread, NULL, later_thread, later))
		abort();
}

static inline void later_join(struct later *later)
{
	pthread_join(later->thread, NULL);
}

/*
 * SIGALRM every @ms from now on, or no more if 0. System calls are restarted or
 * not, as @flags (SA_RESTART or 0) say.
 */
static inline void alarm_every(long ms, void (*handler)(int), int flags)
{
	struct itimerval timer = {
		.it_interval = { ms / 1000, ms % 1000 * 1000 },
		.it_value = { ms / 1000, ms % 1000 * 1000 },
	};
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static inline void alarm_noop(int sig)
{
	(void)sig;
}

/* buffer_sync() that gives up with -EINTR when it has to wait. */
static inline int buffer_sync_or_eintr(int buffer, __u64 flags)
{
	int ret;

	alarm_every(50, alarm_noop, 0);
	ret = buffer_sync(buffer, flags);
	alarm_every(0, alarm_noop, 0);
	return ret;
}

#endif /* DMABUF_TEST_H */
