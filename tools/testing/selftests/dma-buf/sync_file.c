// SPDX-License-Identifier: GPL-2.0
/*
 * A sync_file: its three ioctls with all that can be wrong about them, poll(),
 * and its ways to other processes.
 */
#include <sys/epoll.h>

#include "dmabuf_test.h"

#define FILE_MAX	"/proc/sys/fs/file-max"

FIXTURE(sync_file) {
	int dev;
	struct fence one;
	struct fence two;
};

FIXTURE_SETUP(sync_file)
{
	self->dev = dev_open();
	if (no_device(self->dev))
		SKIP(return, NO_DEVICE);
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, fence_create(self->dev, 0, &self->one));
	ASSERT_EQ(0, fence_create(self->dev, 0, &self->two));
}

FIXTURE_TEARDOWN(sync_file)
{
	close(self->one.fd);
	close(self->two.fd);
	close(self->dev);
}

/* ---- the descriptor ----------------------------------------------------------------- */

/* Passes if it is read-only and nothing can be done with it but what is meant. */
TEST_F(sync_file, descriptor)
{
	char byte;

	EXPECT_EQ(O_RDONLY, fcntl(self->one.fd, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(-1, read(self->one.fd, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->one.fd, &byte, 1));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, lseek(self->one.fd, 0, SEEK_END));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->one.fd, 0));
	EXPECT_EQ(ENODEV, errno);
}

/* Passes if the link in /proc tells what it is. */
TEST_F(sync_file, fd_link_name)
{
	char path[64], link[64] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->one.fd);
	ASSERT_LT(0, readlink(path, link, sizeof(link) - 1));
	EXPECT_STREQ("anon_inode:sync_file", link);
}

/*
 * Passes if, for all numbers, all directions and some sizes, only the three
 * defined ones are known.
 */
TEST_F(sync_file, unknown_ioctl_is_enotty)
{
	static const unsigned int sizes[] = { 0, 4, 8, 16, 48, 56, 80, 8192 };
	unsigned int nr, dir, s;
	int known = 0;

	for (nr = 0; nr < 256; nr++) {
		for (dir = 0; dir < 4; dir++) {
			for (s = 0; s < ARRAY_SIZE(sizes); s++) {
				unsigned long cmd = _IOC(dir, SYNC_IOC_MAGIC, nr, sizes[s]);

				if (cmd == SYNC_IOC_MERGE || cmd == SYNC_IOC_FILE_INFO ||
				    cmd == SYNC_IOC_SET_DEADLINE) {
					known++;
					continue;
				}
				ASSERT_EQ(-ENOTTY, xioctl(self->one.fd, cmd, NULL)) {
					TH_LOG("command %#lx", cmd);
				}
			}
		}
	}
	EXPECT_EQ(3, known);
	EXPECT_EQ(-ENOTTY, xioctl(self->one.fd, DMA_BUF_IOCTL_SYNC, NULL));
}

/* Passes if a fence goes with the last copy of its sync_file and its driver's reference. */
TEST_F(sync_file, close_drops_the_fence)
{
	struct dmabuf_test_fence_state state;
	int copy = dup(self->one.fd);

	ASSERT_EQ(0, fence_state(self->dev, self->one, &state));
	EXPECT_EQ(2, (int)state.nr_refs);
	close(self->one.fd);
	ASSERT_EQ(0, fence_state(self->dev, self->one, &state));
	EXPECT_EQ(2, (int)state.nr_refs);
	close(copy);
	ASSERT_EQ(0, fence_state(self->dev, self->one, &state));
	EXPECT_EQ(1, (int)state.nr_refs);
	self->one.fd = -1;
}

/* Passes if a pending fence ends with an error when its driver goes away. */
TEST_F(sync_file, outlives_the_driver)
{
	int dev = dev_open();
	struct fence fence;

	ASSERT_LE(0, dev);
	ASSERT_EQ(0, fence_create(dev, 0, &fence));
	EXPECT_EQ(0, sync_status(fence.fd));
	close(dev);
	EXPECT_EQ(POLLIN, poll_for(fence.fd, POLLIN, SOON_MS));
	EXPECT_EQ(-ECANCELED, sync_status(fence.fd));
}

/* Passes if a sync_file that another process receives shows the same fence. */
TEST_F(sync_file, scm_rights)
{
	int socks[2];
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int fd;

		close(self->one.fd);
		fd = receive_fd(socks[1], 0);
		if (fd < 0)
			_exit(1);
		_exit(poll_for(fd, POLLIN, 2 * SOON_MS) == POLLIN ? 42 : 2);
	}
	EXPECT_EQ(0, send_fd(socks[0], self->one.fd));
	EXPECT_EQ(CHILD_HANGS, child_status(pid, NEVER_MS));
	ASSERT_EQ(0, fence_signal(self->dev, self->one));
	EXPECT_EQ(42, child_status(pid, SOON_MS));
}

/* ---- poll ------------------------------------------------------------------------------ */

/* Passes if a pending fence is not readable and a signaled one is. */
TEST_F(sync_file, poll)
{
	EXPECT_EQ(0, poll_now(self->one.fd, POLLIN | POLLOUT));
	EXPECT_EQ(0, poll_for(self->one.fd, POLLIN, NEVER_MS));
	ASSERT_EQ(0, fence_signal(self->dev, self->one));
	EXPECT_EQ(POLLIN, poll_now(self->one.fd, POLLIN | POLLOUT));
	EXPECT_EQ(0, poll_now(self->one.fd, POLLOUT));
}

/* Passes if a sleeping poller wakes when the fence signals. */
TEST_F(sync_file, poll_sleeps_until_signal)
{
	struct later later;
	long returned;

	signal_later(&later, self->dev, self->one, NEVER_MS);
	EXPECT_EQ(POLLIN, poll_for(self->one.fd, POLLIN, 2 * SOON_MS));
	returned = now_ms();
	later_join(&later);
	EXPECT_LE(later.signaled_at, returned);
	EXPECT_GT(SOON_MS, returned - later.signaled_at);
}

/* Passes if epoll, whatever its trigger, reports the signal. */
TEST_F(sync_file, epoll)
{
	struct epoll_event level = { .events = EPOLLIN };
	struct epoll_event edge = { .events = EPOLLIN | EPOLLET }, event;
	int a = epoll_create1(0), b = epoll_create1(0);

	ASSERT_EQ(0, epoll_ctl(a, EPOLL_CTL_ADD, self->one.fd, &level));
	ASSERT_EQ(0, epoll_ctl(b, EPOLL_CTL_ADD, self->one.fd, &edge));
	EXPECT_EQ(0, epoll_wait(a, &event, 1, 0));
	EXPECT_EQ(0, epoll_wait(b, &event, 1, 0));
	ASSERT_EQ(0, fence_signal(self->dev, self->one));
	EXPECT_EQ(1, epoll_wait(a, &event, 1, SOON_MS));
	EXPECT_EQ(1, epoll_wait(a, &event, 1, 0));
	EXPECT_EQ(1, epoll_wait(b, &event, 1, SOON_MS));
	EXPECT_EQ(0, epoll_wait(b, &event, 1, NEVER_MS));
}

/* Passes if closing after a poll, before and after the signal, leaves nothing. */
TEST_F(sync_file, close_after_poll)
{
	struct dmabuf_test_fence_state state;
	struct fence fence;
	int i;

	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, fence_create(self->dev, 0, &fence));
		EXPECT_EQ(0, poll_now(fence.fd, POLLIN));
		if (i % 2)
			close(fence.fd);
		ASSERT_EQ(0, fence_signal(self->dev, fence));
		if (!(i % 2))
			close(fence.fd);
		ASSERT_EQ(0, fence_state(self->dev, fence, &state));
		EXPECT_EQ(1, (int)state.nr_refs);
	}
}

struct poll_thread {
	pthread_t thread;
	int fd;
	int ready;
};

static void *poll_thread(void *arg)
{
	struct poll_thread *poller = arg;

	poller->ready = poll_for(poller->fd, POLLIN, SOON_MS);
	return NULL;
}

/* Passes if a poller whose descriptor is closed under him wakes with the signal. */
TEST_F(sync_file, close_while_polled)
{
	struct poll_thread poller;
	struct fence fence;
	long signaled_at;

	ASSERT_EQ(0, fence_create(self->dev, 0, &fence));
	poller.fd = fence.fd;
	ASSERT_EQ(0, pthread_create(&poller.thread, NULL, poll_thread, &poller));
	sleep_ms(NEVER_MS);
	EXPECT_EQ(0, close(fence.fd));
	signaled_at = now_ms();
	ASSERT_EQ(0, fence_signal(self->dev, fence));
	pthread_join(poller.thread, NULL);
	EXPECT_NE(0, poller.ready & (POLLIN | POLLNVAL));
	EXPECT_GT(SOON_MS / 2, now_ms() - signaled_at);
}

/* Passes if all pollers wake, however the polls and the signal interleave. */
TEST_F(sync_file, poll_races_signal)
{
	struct poll_thread pollers[3];
	struct fence fence;
	struct later later;
	int round, i;

	for (round = 0; round < 100; round++) {
		ASSERT_EQ(0, fence_create(self->dev, 0, &fence));
		for (i = 0; i < 3; i++) {
			pollers[i].fd = fence.fd;
			ASSERT_EQ(0, pthread_create(&pollers[i].thread, NULL,
						    poll_thread, &pollers[i]));
		}
		signal_later(&later, self->dev, fence, 0);
		for (i = 0; i < 3; i++) {
			pthread_join(pollers[i].thread, NULL);
			ASSERT_EQ(POLLIN, pollers[i].ready);
		}
		later_join(&later);
		close(fence.fd);
	}
}

/* ---- merge ------------------------------------------------------------------------------- */

/* The name of a sync_file. */
static const char *shown_name(int fd)
{
	static struct sync_file_info info;

	memset(&info, 0, sizeof(info));
	if (xioctl(fd, SYNC_IOC_FILE_INFO, &info))
		return "(no info)";
	return memchr(info.name, 0, sizeof(info.name)) ? info.name : "(not terminated)";
}

/* Passes if a merge signals when both have, and its inputs are what they were. */
TEST_F(sync_file, merge)
{
	int both = sync_merge(self->one.fd, self->two.fd, "both");

	ASSERT_LE(0, both);
	EXPECT_EQ(FD_CLOEXEC, fcntl(both, F_GETFD));
	EXPECT_EQ(2, sync_nr_fences(both));
	EXPECT_EQ(1, sync_nr_fences(self->one.fd));
	EXPECT_EQ(1, sync_nr_fences(self->two.fd));
	EXPECT_EQ(0, poll_now(both, POLLIN));
	ASSERT_EQ(0, fence_signal(self->dev, self->two));
	EXPECT_EQ(0, poll_for(both, POLLIN, NEVER_MS));
	ASSERT_EQ(0, fence_signal(self->dev, self->one));
	EXPECT_EQ(POLLIN, poll_for(both, POLLIN, SOON_MS));
}

/* Passes if a merge lives without its inputs. */
TEST_F(sync_file, merge_outlives_its_inputs)
{
	int both = sync_merge(self->one.fd, self->two.fd, "both");

	ASSERT_LE(0, both);
	close(self->one.fd);
	close(self->two.fd);
	EXPECT_EQ(0, poll_now(both, POLLIN));
	ASSERT_EQ(0, fence_signal(self->dev, self->two));
	ASSERT_EQ(0, fence_signal(self->dev, self->one));
	EXPECT_EQ(POLLIN, poll_for(both, POLLIN, SOON_MS));
}

/* Passes if what has signaled is left out, and nothing is left of it all. */
TEST_F(sync_file, merge_leaves_signaled_out)
{
	int rest;

	ASSERT_EQ(0, fence_signal(self->dev, self->one));
	rest = sync_merge(self->one.fd, self->two.fd, "rest");
	ASSERT_LE(0, rest);
	EXPECT_EQ(1, sync_nr_fences(rest));
	EXPECT_EQ(0, sync_status(rest));
	ASSERT_EQ(0, fence_signal(self->dev, self->two));
	rest = sync_merge(self->one.fd, self->two.fd, "nothing");
	ASSERT_LE(0, rest);
	EXPECT_EQ(1, sync_status(rest));
	EXPECT_EQ(POLLIN, poll_now(rest, POLLIN));
}

/* Passes if fences of one timeline become the last of them, in either order. */
TEST_F(sync_file, merge_of_one_timeline)
{
	struct fence early, late;
	int first, second;

	ASSERT_EQ(0, fence_create(self->dev, 1, &early));
	ASSERT_EQ(0, fence_create(self->dev, 1, &late));
	first = sync_merge(early.fd, late.fd, "a");
	second = sync_merge(late.fd, early.fd, "b");
	ASSERT_LE(0, first);
	ASSERT_LE(0, second);
	EXPECT_EQ(1, sync_nr_fences(first));
	EXPECT_EQ(1, sync_nr_fences(second));
	ASSERT_EQ(0, fence_signal(self->dev, late));
	EXPECT_EQ(POLLIN, poll_for(first, POLLIN, SOON_MS));
	EXPECT_EQ(POLLIN, poll_for(second, POLLIN, SOON_MS));
}

/*
 * Passes if timelines that come in any order and more than once are each in the
 * result once, with their last fence.
 */
TEST_F(sync_file, merge_of_mixed_timelines)
{
	static const unsigned int order[] = { 3, 1, 2, 3, 2, 1, 4, 1, 3, 2, 4 };
	struct fence fences[ARRAY_SIZE(order)];
	int merged = -1, both;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(order); i++) {
		ASSERT_EQ(0, fence_create(self->dev, order[i], &fences[i]));
		both = sync_merge(i ? merged : fences[i].fd, fences[i].fd, "mixed");
		ASSERT_LE(0, both);
		merged = both;
	}
	EXPECT_EQ(4, sync_nr_fences(merged));
	for (i = 0; i < 7; i++)
		ASSERT_EQ(0, fence_signal(self->dev, fences[i]));
	EXPECT_EQ(0, poll_for(merged, POLLIN, NEVER_MS));
	for (; i < ARRAY_SIZE(order); i++)
		ASSERT_EQ(0, fence_signal(self->dev, fences[i]));
	EXPECT_EQ(POLLIN, poll_for(merged, POLLIN, SOON_MS));
}

/* Passes if a sync_file can be merged with itself, and with what it is part of. */
TEST_F(sync_file, merge_with_itself)
{
	int self_merge = sync_merge(self->one.fd, self->one.fd, "self");
	int both, again;

	ASSERT_LE(0, self_merge);
	EXPECT_EQ(1, sync_nr_fences(self_merge));
	both = sync_merge(self->one.fd, self->two.fd, "both");
	again = sync_merge(both, self->one.fd, "again");
	ASSERT_LE(0, again);
	EXPECT_EQ(2, sync_nr_fences(again));
}

/* Passes if names of up to 31 bytes come back, and longer ones are cut. */
TEST_F(sync_file, merge_name)
{
	struct sync_merge_data arg;
	char expected[32];
	int i;

	for (i = 1; i <= 32; i++) {
		memset(&arg, 0, sizeof(arg));
		memset(expected, 0, sizeof(expected));
		memset(arg.name, 'n', i);
		memset(expected, 'n', i < 32 ? i : 31);
		arg.fd2 = self->two.fd;
		ASSERT_EQ(0, xioctl(self->one.fd, SYNC_IOC_MERGE, &arg));
		EXPECT_STREQ(expected, shown_name(arg.fence));
		close(arg.fence);
	}
}

/* Passes if nothing but the descriptor is changed in the argument. */
TEST_F(sync_file, merge_argument_stays)
{
	struct sync_merge_data arg = { .name = "stays", .fence = 4711 };

	arg.fd2 = self->two.fd;
	ASSERT_EQ(0, xioctl(self->one.fd, SYNC_IOC_MERGE, &arg));
	EXPECT_STREQ("stays", arg.name);
	EXPECT_EQ(self->two.fd, arg.fd2);
	EXPECT_NE(4711, arg.fence);
	EXPECT_EQ(0, (int)(arg.flags | arg.pad));
}

/* Passes if each bit of flags and padding is refused. */
TEST_F(sync_file, merge_flags_and_padding_are_einval)
{
	int fds = count_fds(), bit;

	for (bit = 0; bit < 32; bit++) {
		struct sync_merge_data flags = { .flags = 1U << bit };
		struct sync_merge_data pad = { .pad = 1U << bit };

		flags.fd2 = self->two.fd;
		pad.fd2 = self->two.fd;
		EXPECT_EQ(-EINVAL, xioctl(self->one.fd, SYNC_IOC_MERGE, &flags));
		EXPECT_EQ(-EINVAL, xioctl(self->one.fd, SYNC_IOC_MERGE, &pad));
	}
	EXPECT_EQ(fds, count_fds());
}

/* Passes if a second descriptor that is no sync_file is said to be missing. */
TEST_F(sync_file, merge_with_other_fd_is_enoent)
{
	int buffer = buffer_create(self->dev, PAGE), null = open("/dev/null", O_RDWR);
	int closed = next_fd();
	int bad[] = { -1, INT32_MAX, INT32_MIN, closed, buffer, null, self->dev };
	int fds, i;

	ASSERT_LE(0, buffer);
	fds = count_fds();
	for (i = 0; i < (int)ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-ENOENT, sync_merge(self->one.fd, bad[i], "bad")) {
			TH_LOG("descriptor number %d", i);
		}
	}
	EXPECT_EQ(fds, count_fds());
}

/* Passes if an argument that is not there is a fault. */
TEST_F(sync_file, merge_bad_pointer_is_efault)
{
	int fds = count_fds(), i;

	for (i = 0; i < NR_BAD_POINTERS; i++) {
		EXPECT_EQ(-EFAULT, xioctl(self->one.fd, SYNC_IOC_MERGE,
					  bad_pointer(i, sizeof(struct sync_merge_data)))) {
			TH_LOG("pointer %d", i);
		}
	}
	EXPECT_EQ(fds, count_fds());
}

/* How many references each of the two fences has. */
static int refs_of_both(int dev, struct fence one, struct fence two)
{
	struct dmabuf_test_fence_state a, b;

	if (fence_state(dev, one, &a) || fence_state(dev, two, &b))
		return 0;
	return a.nr_refs + b.nr_refs;
}

/* Passes if a result that cannot be told to anybody is gone without a trace. */
TEST_F(sync_file, merge_into_read_only_memory_leaves_nothing)
{
	int refs = refs_of_both(self->dev, self->one, self->two);
	struct sync_merge_data arg = { .name = "lost" };
	int fds = count_fds();

	arg.fd2 = self->two.fd;
	EXPECT_EQ(-EFAULT, xioctl(self->one.fd, SYNC_IOC_MERGE,
				  read_only(&arg, sizeof(arg))));
	EXPECT_EQ(fds, count_fds());
	EXPECT_EQ(refs, refs_of_both(self->dev, self->one, self->two));
}

/* Passes if the limit of descriptors is reported, and costs nothing. */
TEST_F(sync_file, merge_at_fd_limit_is_emfile)
{
	int refs = refs_of_both(self->dev, self->one, self->two);
	struct rlimit old = no_more_fds();

	EXPECT_EQ(-EMFILE, sync_merge(self->one.fd, self->two.fd, "none"));
	setrlimit(RLIMIT_NOFILE, &old);
	EXPECT_EQ(refs, refs_of_both(self->dev, self->one, self->two));
	EXPECT_LE(0, sync_merge(self->one.fd, self->two.fd, "one"));
}

/*
 * Passes if the system's limit of open files is reported, and costs nothing. The
 * limit is not for root; 6.12 calls a lack of files a lack of memory.
 */
TEST_F(sync_file, merge_at_file_limit_fails)
{
	int refs = refs_of_both(self->dev, self->one, self->two);
	char old[32];
	pid_t pid;
	int status;

	if (read_file(FILE_MAX, old, sizeof(old)) <= 0)
		SKIP(return, "no " FILE_MAX);
	ASSERT_EQ(0, write_file(FILE_MAX, "1"));
	pid = fork();
	if (!pid) {
		if (setgid(65534) || setuid(65534))
			_exit(0);
		_exit(-sync_merge(self->one.fd, self->two.fd, "none"));
	}
	status = child_status(pid, SOON_MS);
	ASSERT_EQ(0, write_file(FILE_MAX, old));
	EXPECT_TRUE(status == ENFILE || status == ENOMEM) {
		TH_LOG("%d", status);
	}
	EXPECT_EQ(refs, refs_of_both(self->dev, self->one, self->two));
}

/* ---- info -------------------------------------------------------------------------------- */

/* Passes if a generated name has the form that tools know. */
TEST_F(sync_file, info_generated_name)
{
	const char *name = shown_name(self->one.fd);
	unsigned long long context, seqno;
	char expected[64];
	int nr;

	nr = sscanf(name, DMABUF_TEST_NAME "-" DMABUF_TEST_TIMELINE "%llu-%llu",
		    &context, &seqno);
	ASSERT_EQ(2, nr) {
		TH_LOG("%s", name);
	}
	EXPECT_EQ(1ULL, seqno);
	snprintf(expected, sizeof(expected), "%s-%s%llu-1", DMABUF_TEST_NAME,
		 DMABUF_TEST_TIMELINE, context);
	EXPECT_STREQ(expected, name);
}

/* Passes if a call without room tells number, status and name, and touches no array. */
TEST_F(sync_file, info_without_room)
{
	struct sync_file_info info = { .sync_fence_info = 8 };
	int both = sync_merge(self->one.fd, self->two.fd, "counted");

	ASSERT_LE(0, both);
	EXPECT_EQ(0, xioctl(both, SYNC_IOC_FILE_INFO, &info));
	EXPECT_EQ(2, (int)info.num_fences);
	EXPECT_EQ(0, info.status);
	EXPECT_STREQ("counted", info.name);
	EXPECT_EQ(8ULL, info.sync_fence_info);
}

/* Passes if each fence is described, with all the numbers right. */
TEST_F(sync_file, info_entries)
{
	int both = sync_merge(self->one.fd, self->two.fd, "both"), i;
	struct sync_fence_info entries[3];
	struct sync_file_info info = {
		.num_fences = 3,
		.sync_fence_info = (uintptr_t)entries,
	};
	struct timespec before, after;
	__u64 low, high;

	ASSERT_LE(0, both);
	memset(entries, 0xee, sizeof(entries));
	ASSERT_EQ(0, xioctl(both, SYNC_IOC_FILE_INFO, &info));
	EXPECT_EQ(2, (int)info.num_fences);
	for (i = 0; i < 2; i++) {
		EXPECT_STREQ(DMABUF_TEST_NAME, entries[i].driver_name);
		EXPECT_STREQ(DMABUF_TEST_TIMELINE, entries[i].obj_name);
		EXPECT_EQ(0, entries[i].status);
		EXPECT_EQ(0, (int)entries[i].flags);
		EXPECT_EQ(0ULL, entries[i].timestamp_ns);
	}
	for (i = 0; i < (int)sizeof(entries[2]); i++)
		ASSERT_EQ(0xee, ((unsigned char *)&entries[2])[i]);

	clock_gettime(CLOCK_MONOTONIC, &before);
	ASSERT_EQ(0, fence_signal(self->dev, self->one));
	ASSERT_EQ(0, fence_signal(self->dev, self->two));
	clock_gettime(CLOCK_MONOTONIC, &after);
	low = before.tv_sec * 1000000000ULL + before.tv_nsec;
	high = after.tv_sec * 1000000000ULL + after.tv_nsec;
	ASSERT_EQ(POLLIN, poll_for(both, POLLIN, SOON_MS));
	ASSERT_EQ(0, xioctl(both, SYNC_IOC_FILE_INFO, &info));
	EXPECT_EQ(1, info.status);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(1, entries[i].status);
		EXPECT_LE(low, entries[i].timestamp_ns);
		EXPECT_GE(high, entries[i].timestamp_ns);
	}
}

/* Passes if names after the signal are still some name: the driver may be gone. */
TEST_F(sync_file, info_names_after_signal)
{
	struct sync_fence_info entry = {};
	struct sync_file_info info = {
		.num_fences = 1,
		.sync_fence_info = (uintptr_t)&entry,
	};

	ASSERT_EQ(0, fence_signal(self->dev, self->one));
	ASSERT_EQ(0, xioctl(self->one.fd, SYNC_IOC_FILE_INFO, &info));
	EXPECT_NE(0, (int)strlen(entry.driver_name));
	EXPECT_NE(0, (int)strlen(entry.obj_name));
	EXPECT_NE(0, (int)strlen(info.name));
}

/* Passes if the error of a fence is in its entry and in the file's status. */
TEST_F(sync_file, info_error)
{
	struct sync_fence_info entry = {};
	struct sync_file_info info = {
		.num_fences = 1,
		.sync_fence_info = (uintptr_t)&entry,
	};

	ASSERT_EQ(0, fence_fail(self->dev, self->one, -ETIMEDOUT));
	ASSERT_EQ(0, xioctl(self->one.fd, SYNC_IOC_FILE_INFO, &info));
	EXPECT_EQ(-ETIMEDOUT, info.status);
	EXPECT_EQ(-ETIMEDOUT, entry.status);
	EXPECT_LT(0ULL, entry.timestamp_ns);
	EXPECT_EQ(-ETIMEDOUT, sync_status(self->one.fd));
	EXPECT_EQ(POLLIN, poll_now(self->one.fd, POLLIN));
}

/* Passes if one fence's error is the error of the whole merge. */
TEST_F(sync_file, info_error_of_merge)
{
	int both = sync_merge(self->one.fd, self->two.fd, "both");
	struct sync_fence_info entries[2] = {};
	struct sync_file_info info = {
		.num_fences = 2,
		.sync_fence_info = (uintptr_t)entries,
	};

	ASSERT_LE(0, both);
	EXPECT_EQ(0, poll_now(both, POLLIN));
	ASSERT_EQ(0, fence_fail(self->dev, self->two, -EIO));
	ASSERT_EQ(0, fence_signal(self->dev, self->one));
	ASSERT_EQ(POLLIN, poll_for(both, POLLIN, SOON_MS));
	ASSERT_EQ(0, xioctl(both, SYNC_IOC_FILE_INFO, &info));
	EXPECT_EQ(-EIO, info.status);
	EXPECT_EQ(-EIO, entries[0].status + entries[1].status - 1);
	EXPECT_EQ(-EIO, sync_status(both));
}

/* Passes if too little room is refused and nothing is written. */
TEST_F(sync_file, info_too_little_room_is_einval)
{
	int both = sync_merge(self->one.fd, self->two.fd, "both");
	struct sync_fence_info entry;
	struct sync_file_info info = {
		.num_fences = 1,
		.sync_fence_info = (uintptr_t)&entry,
	};
	unsigned int i;

	ASSERT_LE(0, both);
	memset(&entry, 0xee, sizeof(entry));
	EXPECT_EQ(-EINVAL, xioctl(both, SYNC_IOC_FILE_INFO, &info));
	EXPECT_EQ(1, (int)info.num_fences);
	for (i = 0; i < sizeof(entry); i++)
		ASSERT_EQ(0xee, ((unsigned char *)&entry)[i]);
}

/* Passes if room for more fences than there can be costs nothing and is no overflow. */
TEST_F(sync_file, info_huge_room)
{
	static const __u32 huge[] = {
		UINT32_MAX, 1U << 31, UINT32_MAX / sizeof(struct sync_fence_info) + 1,
	};
	struct sync_fence_info zero = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(huge); i++) {
		struct sync_file_info info = { .num_fences = huge[i] };

		info.sync_fence_info = (uintptr_t)at_end_of_page(&zero, sizeof(zero));
		EXPECT_EQ(0, xioctl(self->one.fd, SYNC_IOC_FILE_INFO, &info));
		EXPECT_EQ(1, (int)info.num_fences);
	}
}

/* Passes if a sync_file of very many fences can be looked into, all of it. */
TEST_F(sync_file, info_many_fences)
{
	static struct sync_fence_info entries[500];
	struct sync_file_info info = {
		.num_fences = ARRAY_SIZE(entries),
		.sync_fence_info = (uintptr_t)entries,
	};
	int merged = -1, i, both;
	struct fence fence;

	for (i = 0; i < (int)ARRAY_SIZE(entries); i++) {
		ASSERT_EQ(0, fence_create(self->dev, 0, &fence));
		both = i ? sync_merge(merged, fence.fd, "many") : dup(fence.fd);
		ASSERT_LE(0, both);
		if (i)
			close(merged);
		close(fence.fd);
		merged = both;
	}
	EXPECT_EQ(500, sync_nr_fences(merged));
	ASSERT_EQ(0, xioctl(merged, SYNC_IOC_FILE_INFO, &info));
	for (i = 0; i < (int)ARRAY_SIZE(entries); i++)
		ASSERT_STREQ(DMABUF_TEST_NAME, entries[i].driver_name);
}

/* Passes if each bit of flags and padding is refused. */
TEST_F(sync_file, info_flags_and_padding_are_einval)
{
	int bit;

	for (bit = 0; bit < 32; bit++) {
		struct sync_file_info flags = { .flags = 1U << bit };
		struct sync_file_info pad = { .pad = 1U << bit };

		EXPECT_EQ(-EINVAL, xioctl(self->one.fd, SYNC_IOC_FILE_INFO, &flags));
		EXPECT_EQ(-EINVAL, xioctl(self->one.fd, SYNC_IOC_FILE_INFO, &pad));
	}
}

/* Passes if an argument that is not there, or cannot be written, is a fault. */
TEST_F(sync_file, info_bad_pointer_is_efault)
{
	struct sync_file_info info = {};
	int i;

	for (i = 0; i < NR_BAD_POINTERS; i++) {
		EXPECT_EQ(-EFAULT, xioctl(self->one.fd, SYNC_IOC_FILE_INFO,
					  bad_pointer(i, sizeof(info)))) {
			TH_LOG("pointer %d", i);
		}
	}
	EXPECT_EQ(-EFAULT, xioctl(self->one.fd, SYNC_IOC_FILE_INFO,
				  read_only(&info, sizeof(info))));
}

/* Passes if an array that is not there, or cannot be written, is a fault. */
TEST_F(sync_file, info_bad_array_is_efault)
{
	struct sync_fence_info entry = {};
	struct sync_file_info info;
	int i;

	for (i = 0; i < NR_BAD_POINTERS + 1; i++) {
		const void *bad = i < NR_BAD_POINTERS ? bad_pointer(i, sizeof(entry)) :
							read_only(&entry, sizeof(entry));

		info = (struct sync_file_info) {
			.num_fences = 1,
			.sync_fence_info = (uintptr_t)bad,
		};
		EXPECT_EQ(-EFAULT, xioctl(self->one.fd, SYNC_IOC_FILE_INFO, &info)) {
			TH_LOG("pointer %d", i);
		}
		EXPECT_STREQ("", info.name);
	}
}

/* Passes if a fault at the second of two entries leaves the fences alone. */
TEST_F(sync_file, info_fault_at_second_entry)
{
	int refs;
	int both = sync_merge(self->one.fd, self->two.fd, "both"), i;
	struct sync_fence_info entry = {};
	struct sync_file_info info;

	ASSERT_LE(0, both);
	refs = refs_of_both(self->dev, self->one, self->two);
	for (i = 0; i < 10; i++) {
		info = (struct sync_file_info) {
			.num_fences = 2,
			.sync_fence_info =
				(uintptr_t)at_end_of_page(&entry, sizeof(entry)),
		};
		EXPECT_EQ(-EFAULT, xioctl(both, SYNC_IOC_FILE_INFO, &info));
	}
	EXPECT_EQ(refs, refs_of_both(self->dev, self->one, self->two));
}

/* ---- deadline ---------------------------------------------------------------------------- */

static int set_deadline(int fd, __u64 deadline_ns)
{
	struct sync_set_deadline arg = { .deadline_ns = deadline_ns };

	return xioctl(fd, SYNC_IOC_SET_DEADLINE, &arg);
}

/* Passes if the driver hears of the deadline, to the nanosecond. */
TEST_F(sync_file, deadline)
{
	struct dmabuf_test_fence_state state;

	EXPECT_EQ(0, set_deadline(self->one.fd, 123456789012345ULL));
	ASSERT_EQ(0, fence_state(self->dev, self->one, &state));
	EXPECT_EQ(123456789012345ULL, state.deadline_ns);
	EXPECT_EQ(1, (int)state.nr_deadlines);

	EXPECT_EQ(0, set_deadline(self->one.fd, 0));
	EXPECT_EQ(0, set_deadline(self->one.fd, UINT64_MAX));
	ASSERT_EQ(0, fence_state(self->dev, self->one, &state));
	EXPECT_EQ(3, (int)state.nr_deadlines);
}

/* Passes if a merge passes the deadline on to all that is in it. */
TEST_F(sync_file, deadline_of_merge)
{
	int both = sync_merge(self->one.fd, self->two.fd, "both");
	struct dmabuf_test_fence_state state;

	ASSERT_LE(0, both);
	EXPECT_EQ(0, set_deadline(both, 4711));
	ASSERT_EQ(0, fence_state(self->dev, self->one, &state));
	EXPECT_EQ(4711ULL, state.deadline_ns);
	ASSERT_EQ(0, fence_state(self->dev, self->two, &state));
	EXPECT_EQ(4711ULL, state.deadline_ns);
}

/* Passes if a deadline for what is over is no error, and nobody's business. */
TEST_F(sync_file, deadline_after_signal)
{
	struct dmabuf_test_fence_state state;

	ASSERT_EQ(0, fence_signal(self->dev, self->one));
	EXPECT_EQ(0, set_deadline(self->one.fd, 1));
	ASSERT_EQ(0, fence_state(self->dev, self->one, &state));
	EXPECT_EQ(0, (int)state.nr_deadlines);
}

/* Passes if each bit of the padding is refused, and the driver not called. */
TEST_F(sync_file, deadline_padding_is_einval)
{
	struct dmabuf_test_fence_state state;
	int bit;

	for (bit = 0; bit < 64; bit++) {
		struct sync_set_deadline arg = { .pad = 1ULL << bit };

		EXPECT_EQ(-EINVAL, xioctl(self->one.fd, SYNC_IOC_SET_DEADLINE, &arg));
	}
	ASSERT_EQ(0, fence_state(self->dev, self->one, &state));
	EXPECT_EQ(0, (int)state.nr_deadlines);
}

/* Passes if an argument that is not there is a fault, and is only read. */
TEST_F(sync_file, deadline_bad_pointer_is_efault)
{
	struct sync_set_deadline arg = {};
	int i;

	for (i = 0; i < NR_BAD_POINTERS; i++) {
		EXPECT_EQ(-EFAULT, xioctl(self->one.fd, SYNC_IOC_SET_DEADLINE,
					  bad_pointer(i, sizeof(arg)))) {
			TH_LOG("pointer %d", i);
		}
	}
	EXPECT_EQ(0, xioctl(self->one.fd, SYNC_IOC_SET_DEADLINE,
			    read_only(&arg, sizeof(arg))));
}

TEST_HARNESS_MAIN
