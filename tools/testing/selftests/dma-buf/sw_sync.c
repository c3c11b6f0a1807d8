// SPDX-License-Identifier: GPL-2.0
/*
 * Software timelines: the three ioctls of /sys/kernel/debug/sync/sw_sync with
 * all that can be wrong about them, the fences as their waiters see them, what
 * "info" next to it shows, and the trace event.
 */
#include <sys/prctl.h>

#include "compat_test.h"
#include "dmabuf_test.h"

#define SW_SYNC		"/sys/kernel/debug/sync/sw_sync"
#define INFO		"/sys/kernel/debug/sync/info"
#define TRACING		"/sys/kernel/debug/tracing"
#define EVENT		TRACING "/events/sync_trace/sync_timeline/enable"

#define TEXT_SIZE	(1024 * 1024)
#define NR_MANY		300

struct create {
	__u32 value;
	char name[32];
	__s32 fence;
};

struct deadline {
	__u64 deadline_ns;
	__u32 pad;
	__s32 fence_fd;
};

#define CREATE		_IOWR('W', 0, struct create)
#define INC		_IOW('W', 1, __u32)
#define GET_DEADLINE	_IOWR('W', 2, struct deadline)

static int timeline_open(void)
{
	int fd = open(SW_SYNC, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* The descriptor of a fence. */
static int sw_fence(int timeline, __u32 value)
{
	struct create arg = { .value = value, .name = "ignored", .fence = -1 };
	int ret = xioctl(timeline, CREATE, &arg);

	return ret ? ret : arg.fence;
}

static int sw_inc(int timeline, __u32 step)
{
	return xioctl(timeline, INC, &step);
}

static int sw_deadline(int timeline, int fence, __u64 *deadline_ns)
{
	struct deadline arg = { .fence_fd = fence };
	int ret = xioctl(timeline, GET_DEADLINE, &arg);

	*deadline_ns = arg.deadline_ns;
	return ret;
}

static int set_deadline(int fence, __u64 deadline_ns)
{
	struct sync_set_deadline arg = { .deadline_ns = deadline_ns };

	return xioctl(fence, SYNC_IOC_SET_DEADLINE, &arg);
}

FIXTURE(sw_sync) {
	int timeline;
	char *text;
};

FIXTURE_SETUP(sw_sync)
{
	/* The name of the timelines to come. */
	prctl(PR_SET_NAME, "sw-sync-test");
	self->timeline = timeline_open();
	if (no_device(self->timeline))
		SKIP(return, "no " SW_SYNC ", or no right to open it");
	ASSERT_LE(0, self->timeline);
	self->text = malloc(TEXT_SIZE);
	ASSERT_NE(NULL, self->text);
}

FIXTURE_TEARDOWN(sw_sync)
{
	free(self->text);
	close(self->timeline);
}

/* ---- the descriptor -------------------------------------------------------- */

/* Passes if nothing can be done with it but what is meant. */
TEST_F(sw_sync, descriptor)
{
	char byte = 0;

	EXPECT_EQ(-1, read(self->timeline, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->timeline, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, lseek(self->timeline, 0, SEEK_END));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->timeline, 0));
	EXPECT_EQ(ENODEV, errno);
}

/* Passes if, for all numbers, all directions and some sizes, only three are known. */
TEST_F(sw_sync, unknown_ioctl_is_enotty)
{
	static const unsigned int sizes[] = { 0, 4, 8, 12, 16, 36, 40, 44, 8192 };
	unsigned int nr, dir, s;
	int known = 0;

	for (nr = 0; nr < 256; nr++) {
		for (dir = 0; dir < 4; dir++) {
			for (s = 0; s < ARRAY_SIZE(sizes); s++) {
				unsigned long cmd = _IOC(dir, 'W', nr, sizes[s]);

				if (cmd == CREATE || cmd == INC || cmd == GET_DEADLINE) {
					known++;
					continue;
				}
				ASSERT_EQ(-ENOTTY, xioctl(self->timeline, cmd, NULL)) {
					TH_LOG("command %#lx", cmd);
				}
			}
		}
	}
	EXPECT_EQ(3, known);
	EXPECT_EQ(-ENOTTY, xioctl(self->timeline, SYNC_IOC_MERGE, NULL));
	EXPECT_EQ(-ENOTTY, xioctl(self->timeline, TIOCGWINSZ, NULL));
}

/* Passes if the timeline goes on as long as one process has it. */
TEST_F(sw_sync, inherited_by_a_child)
{
	int fence = sw_fence(self->timeline, 1), copy = dup(self->timeline);
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	ASSERT_EQ(0, child_status(pid, SOON_MS));
	close(copy);
	EXPECT_EQ(0, sync_status(fence));

	pid = fork();
	if (!pid)
		_exit(sw_inc(self->timeline, 1) ? 1 : 0);
	ASSERT_EQ(0, child_status(pid, SOON_MS));
	EXPECT_EQ(1, sync_status(fence));
	close(fence);
}

/* ---- CREATE_FENCE ---------------------------------------------------------- */

/* Passes if a new fence waits, and its descriptor is closed on exec. */
TEST_F(sw_sync, create)
{
	int fence = sw_fence(self->timeline, 1);

	ASSERT_LE(0, fence);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fence, F_GETFD));
	EXPECT_EQ(0, sync_status(fence));
	EXPECT_EQ(0, poll_now(fence, POLLIN));
	close(fence);
}

/* Passes if a fence says where it is from. */
TEST_F(sw_sync, create_names)
{
	struct sync_fence_info fence_info = {};
	struct sync_file_info info = {
		.num_fences = 1,
		.sync_fence_info = (uintptr_t)&fence_info,
	};
	int fence = sw_fence(self->timeline, 7);

	ASSERT_LE(0, fence);
	ASSERT_EQ(0, xioctl(fence, SYNC_IOC_FILE_INFO, &info));
	EXPECT_STREQ("sw_sync", fence_info.driver_name);
	EXPECT_STREQ("sw-sync-test", fence_info.obj_name);
	EXPECT_EQ(0, fence_info.status);
	EXPECT_EQ(0, strncmp(info.name, "sw_sync-sw-sync-test", 20));
	EXPECT_STREQ("-7", info.name + strlen(info.name) - 2);
	close(fence);
}

/* Passes if what was reached before is signaled. */
TEST_F(sw_sync, create_in_the_past)
{
	static const __u32 values[] = { 10, 9, 1, 0, 0x8000000a, 0xffffffff };
	unsigned int i;

	ASSERT_EQ(0, sw_inc(self->timeline, 10));
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		int fence = sw_fence(self->timeline, values[i]);

		EXPECT_EQ(POLLIN, poll_now(fence, POLLIN));
		EXPECT_EQ(1, sync_status(fence)) {
			TH_LOG("value %u", values[i]);
		}
		close(fence);
	}
}

/* Passes if two files of one value merge into one fence. */
TEST_F(sw_sync, create_same_value_is_same_fence)
{
	int a = sw_fence(self->timeline, 3), b = sw_fence(self->timeline, 3);
	int merged = sync_merge(a, b, "both");

	ASSERT_LE(0, merged);
	EXPECT_EQ(1, sync_nr_fences(merged));
	EXPECT_EQ(0, sw_inc(self->timeline, 3));
	EXPECT_EQ(1, sync_status(merged));
	close(a);
	close(b);
	close(merged);
}

/* Passes if bad pointers are refused and use up no descriptor. */
TEST_F(sw_sync, create_bad_pointer_is_efault)
{
	struct create arg = { .value = 1 };
	int i, fds = count_fds();

	for (i = 0; i < NR_BAD_POINTERS; i++)
		EXPECT_EQ(-EFAULT, xioctl(self->timeline, CREATE,
					  bad_pointer(i, sizeof(arg))));
	EXPECT_EQ(-EFAULT, xioctl(self->timeline, CREATE, read_only(&arg, sizeof(arg))));
	EXPECT_EQ(fds, count_fds());
	EXPECT_EQ(0, xioctl(self->timeline, CREATE, at_end_of_page(&arg, sizeof(arg))));
	EXPECT_EQ(fds + 1, count_fds());
}

/* Passes if nothing is left of a fence for which there is no descriptor. */
TEST_F(sw_sync, create_without_descriptor_is_emfile)
{
	struct rlimit old = no_more_fds();
	int fence;

	EXPECT_EQ(-EMFILE, sw_fence(self->timeline, 1));
	setrlimit(RLIMIT_NOFILE, &old);
	ASSERT_LT(0, read_file(INFO, self->text, TEXT_SIZE));
	EXPECT_EQ(NULL, strstr(self->text, "fence active: 1 / 0"));
	fence = sw_fence(self->timeline, 1);
	EXPECT_LE(0, fence);
	close(fence);
}

/* ---- INC ------------------------------------------------------------------- */

/* Passes if fences signal when the counter gets to them and not before. */
TEST_F(sw_sync, inc)
{
	int one = sw_fence(self->timeline, 1), three = sw_fence(self->timeline, 3);

	EXPECT_EQ(0, sw_inc(self->timeline, 0));
	EXPECT_EQ(0, sync_status(one));
	EXPECT_EQ(0, sw_inc(self->timeline, 1));
	EXPECT_EQ(1, sync_status(one));
	EXPECT_EQ(0, sync_status(three));
	EXPECT_EQ(0, sw_inc(self->timeline, 5));
	EXPECT_EQ(1, sync_status(three));
	close(one);
	close(three);
}

/* Passes if the largest step passes all that is there, also across the wrap. */
TEST_F(sw_sync, inc_by_the_maximum)
{
	int round, one, last;

	for (round = 0; round < 3; round++) {
		/* The counter is at -round. */
		one = sw_fence(self->timeline, 1 - round);
		last = sw_fence(self->timeline, 0x7fffffff - round);
		EXPECT_EQ(0, sync_status(one));
		EXPECT_EQ(0, sync_status(last));
		EXPECT_EQ(0, sw_inc(self->timeline, 0xffffffff));
		EXPECT_EQ(1, sync_status(one));
		EXPECT_EQ(1, sync_status(last));
		close(one);
		close(last);
	}
}

/* Passes if no fence signals early or never where the counter wraps. */
TEST_F(sw_sync, inc_across_the_wrap)
{
	int before, at, after;

	EXPECT_EQ(0, sw_inc(self->timeline, 0xfffffffe));
	after = sw_fence(self->timeline, 1);
	at = sw_fence(self->timeline, 0);
	before = sw_fence(self->timeline, 0xffffffff);
	EXPECT_EQ(0, sync_status(before));
	EXPECT_EQ(0, sw_inc(self->timeline, 1));
	EXPECT_EQ(1, sync_status(before));
	EXPECT_EQ(0, sync_status(at));
	EXPECT_EQ(0, sw_inc(self->timeline, 1));
	EXPECT_EQ(1, sync_status(at));
	EXPECT_EQ(0, sync_status(after));
	EXPECT_EQ(0, sw_inc(self->timeline, 1));
	EXPECT_EQ(1, sync_status(after));
	close(before);
	close(at);
	close(after);
}

/* Passes if bad pointers are refused and the counter stays. */
TEST_F(sw_sync, inc_bad_pointer_is_efault)
{
	int i, fence = sw_fence(self->timeline, 1);

	for (i = 0; i < NR_BAD_POINTERS; i++)
		EXPECT_EQ(-EFAULT, xioctl(self->timeline, INC,
					  bad_pointer(i, sizeof(__u32))));
	EXPECT_EQ(0, sync_status(fence));
	close(fence);
}

/* Passes if a step that can only be read is enough. */
TEST_F(sw_sync, inc_from_read_only_memory)
{
	__u32 step = 1;
	int fence = sw_fence(self->timeline, 1);

	EXPECT_EQ(0, xioctl(self->timeline, INC, read_only(&step, sizeof(step))));
	EXPECT_EQ(1, sync_status(fence));
	close(fence);
}

struct waker {
	pthread_t thread;
	int timeline;
};

static void *inc_later(void *arg)
{
	struct waker *waker = arg;

	sleep_ms(NEVER_MS);
	sw_inc(waker->timeline, 1);
	return NULL;
}

/* Passes if who sleeps in poll() wakes when the counter gets there. */
TEST_F(sw_sync, inc_wakes_a_sleeper)
{
	struct waker waker = { .timeline = self->timeline };
	int fence = sw_fence(self->timeline, 1);

	ASSERT_EQ(0, pthread_create(&waker.thread, NULL, inc_later, &waker));
	EXPECT_EQ(POLLIN, poll_for(fence, POLLIN, SOON_MS));
	pthread_join(waker.thread, NULL);
	close(fence);
}

/* Passes if fences made in any order signal in order. */
TEST_F(sw_sync, inc_after_creating_in_any_order)
{
	int fences[NR_MANY + 1], i, step;

	for (i = 0; i < 307; i++) {
		int value = i * 101 % 307;

		if (value && value <= NR_MANY)
			fences[value] = sw_fence(self->timeline, value);
	}
	for (step = 1; step <= NR_MANY; step++) {
		EXPECT_EQ(0, sw_inc(self->timeline, 1));
		EXPECT_EQ(1, sync_status(fences[step]));
		if (step < NR_MANY)
			EXPECT_EQ(0, sync_status(fences[step + 1]));
		close(fences[step]);
	}
}

/* ---- GET_DEADLINE ---------------------------------------------------------- */

/* Passes if the earliest deadline of all comes back, and -ENOENT without one. */
TEST_F(sw_sync, deadline)
{
	int fence = sw_fence(self->timeline, 1), other = sw_fence(self->timeline, 2);
	int merged = sync_merge(fence, other, "both");
	__u64 ns;

	EXPECT_EQ(-ENOENT, sw_deadline(self->timeline, fence, &ns));
	EXPECT_EQ(0, set_deadline(fence, 5000));
	EXPECT_EQ(0, sw_deadline(self->timeline, fence, &ns));
	EXPECT_EQ(5000ULL, ns);
	EXPECT_EQ(0, set_deadline(fence, 6000));
	EXPECT_EQ(0, sw_deadline(self->timeline, fence, &ns));
	EXPECT_EQ(5000ULL, ns);
	EXPECT_EQ(-ENOENT, sw_deadline(self->timeline, other, &ns));

	/* The later of the two carries the merge. */
	EXPECT_EQ(1, sync_nr_fences(merged));
	EXPECT_EQ(0, set_deadline(merged, 3000));
	EXPECT_EQ(0, sw_deadline(self->timeline, other, &ns));
	EXPECT_EQ(3000ULL, ns);
	close(fence);
	close(other);
	close(merged);
}

/* Passes if any timeline tells the deadline of any fence of sw_sync. */
TEST_F(sw_sync, deadline_from_another_timeline)
{
	int fence = sw_fence(self->timeline, 1), another = timeline_open();
	__u64 ns;

	EXPECT_EQ(0, set_deadline(fence, 1));
	EXPECT_EQ(0, sw_deadline(another, fence, &ns));
	EXPECT_EQ(1ULL, ns);
	close(another);
	close(fence);
}

/* Passes if every member that is wrong is -EINVAL. */
TEST_F(sw_sync, deadline_bad_input_is_einval)
{
	int fence = sw_fence(self->timeline, 1), another = timeline_open();
	int foreign = sw_fence(another, 1), pipe_fds[2];
	int merged = sync_merge(fence, foreign, "two");
	struct deadline arg = { .fence_fd = fence, .pad = 1 };
	__u64 ns;

	ASSERT_EQ(0, pipe(pipe_fds));
	EXPECT_EQ(0, set_deadline(merged, 1));
	EXPECT_EQ(-EINVAL, xioctl(self->timeline, GET_DEADLINE, &arg));
	arg = (struct deadline) { .fence_fd = fence, .deadline_ns = 1 };
	EXPECT_EQ(-EINVAL, xioctl(self->timeline, GET_DEADLINE, &arg));
	EXPECT_EQ(-EINVAL, sw_deadline(self->timeline, -1, &ns));
	EXPECT_EQ(-EINVAL, sw_deadline(self->timeline, 0x7fffffff, &ns));
	EXPECT_EQ(-EINVAL, sw_deadline(self->timeline, pipe_fds[0], &ns));
	EXPECT_EQ(-EINVAL, sw_deadline(self->timeline, self->timeline, &ns));
	EXPECT_EQ(2, sync_nr_fences(merged));
	EXPECT_EQ(-EINVAL, sw_deadline(self->timeline, merged, &ns));
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	close(merged);
	close(foreign);
	close(another);
	close(fence);
}

/* Passes if bad pointers are refused, and memory that cannot be written. */
TEST_F(sw_sync, deadline_bad_pointer_is_efault)
{
	struct deadline arg = {};
	int i;

	arg.fence_fd = sw_fence(self->timeline, 1);
	EXPECT_EQ(0, set_deadline(arg.fence_fd, 1));
	for (i = 0; i < NR_BAD_POINTERS; i++)
		EXPECT_EQ(-EFAULT, xioctl(self->timeline, GET_DEADLINE,
					  bad_pointer(i, sizeof(arg))));
	EXPECT_EQ(-EFAULT, xioctl(self->timeline, GET_DEADLINE,
				  read_only(&arg, sizeof(arg))));
	close(arg.fence_fd);
}

/* ---- the end of a timeline ------------------------------------------------- */

/* Passes if what is pending fails, wakes its waiters, and stays usable. */
TEST_F(sw_sync, close_fails_what_is_pending)
{
	int timeline = timeline_open(), done = sw_fence(timeline, 1);
	int a = sw_fence(timeline, 2), b = sw_fence(timeline, 3);
	int merged;

	EXPECT_EQ(0, sw_inc(timeline, 1));
	close(timeline);
	EXPECT_EQ(1, sync_status(done));
	EXPECT_EQ(-ENOENT, sync_status(a));
	EXPECT_EQ(-ENOENT, sync_status(b));
	EXPECT_EQ(POLLIN, poll_now(a, POLLIN));
	merged = sync_merge(a, b, "both");
	EXPECT_LE(0, merged);
	EXPECT_EQ(POLLIN, poll_now(merged, POLLIN));
	close(merged);
	close(done);
	close(a);
	close(b);
}

struct stress {
	pthread_t thread;
	int timeline;
	unsigned int seed;
	int bad;
};

static void *create_and_drop(void *arg)
{
	struct stress *stress = arg;
	int i, fence, status;

	for (i = 0; i < 500; i++) {
		fence = sw_fence(stress->timeline, rand_r(&stress->seed) % 600);
		status = fence < 0 ? fence : sync_status(fence);
		if (status != 0 && status != 1)
			stress->bad = status;
		close(fence);
	}
	return NULL;
}

static void *inc_often(void *arg)
{
	struct stress *stress = arg;
	int i;

	for (i = 0; i < 500; i++)
		if (sw_inc(stress->timeline, 1))
			stress->bad = 1;
	return NULL;
}

/* Passes if threads that create, drop and advance at once get along. */
TEST_F(sw_sync, threads)
{
	struct stress stress[4];
	int i, fence;

	for (i = 0; i < 4; i++) {
		stress[i] = (struct stress) { .timeline = self->timeline, .seed = i };
		ASSERT_EQ(0, pthread_create(&stress[i].thread, NULL,
					    i < 3 ? create_and_drop : inc_often,
					    &stress[i]));
	}
	for (i = 0; i < 4; i++) {
		pthread_join(stress[i].thread, NULL);
		EXPECT_EQ(0, stress[i].bad);
	}
	fence = sw_fence(self->timeline, 500);
	EXPECT_EQ(1, sync_status(fence));
	close(fence);
	fence = sw_fence(self->timeline, 501);
	EXPECT_EQ(0, sync_status(fence));
	close(fence);
}

/* ---- what others can see --------------------------------------------------- */

/* Passes if the text is what it has always been. */
TEST_F(sw_sync, info)
{
	int one = sw_fence(self->timeline, 1), three = sw_fence(self->timeline, 3);
	int two = sw_fence(self->timeline, 2);

	EXPECT_EQ(0, sw_inc(self->timeline, 1));
	ASSERT_LT(0, read_file(INFO, self->text, TEXT_SIZE));
	EXPECT_EQ(self->text, strstr(self->text, "objs:\n--------------\n"));
	EXPECT_NE(NULL, strstr(self->text, "sw-sync-test: 1\n  fence active: 2 / 1\n"
			       "  fence active: 3 / 1\n\n"));
	EXPECT_NE(NULL, strstr(self->text, "fences:\n--------------\n"));
	close(one);
	close(two);
	close(three);
}

/* Passes if a failed fence is shown until it goes, and its timeline with it. */
TEST_F(sw_sync, info_after_close)
{
	int timeline, fence;

	prctl(PR_SET_NAME, "sw-sync-other");
	timeline = timeline_open();
	fence = sw_fence(timeline, 9);
	close(timeline);
	ASSERT_LT(0, read_file(INFO, self->text, TEXT_SIZE));
	EXPECT_NE(NULL, strstr(self->text, "sw-sync-other: 0\n  fence error@"));
	EXPECT_NE(NULL, strstr(self->text, ": 9 / 0\n\n"));
	close(fence);
	ASSERT_LT(0, read_file(INFO, self->text, TEXT_SIZE));
	EXPECT_EQ(NULL, strstr(self->text, "sw-sync-other"));
}

/* Passes if both files have the modes that they always had. */
TEST_F(sw_sync, modes)
{
	struct stat stat_buf;

	ASSERT_EQ(0, stat(SW_SYNC, &stat_buf));
	EXPECT_EQ(S_IFREG | 0644, (int)stat_buf.st_mode);
	ASSERT_EQ(0, stat(INFO, &stat_buf));
	EXPECT_EQ(S_IFREG | 0444, (int)stat_buf.st_mode);
}

/* Passes if each step is an event that tells the value before it. */
TEST_F(sw_sync, trace)
{
	if (access(EVENT, W_OK))
		SKIP(return, "no " EVENT);
	ASSERT_EQ(0, write_file(TRACING "/trace", ""));
	ASSERT_EQ(0, write_file(EVENT, "1"));
	EXPECT_EQ(0, sw_inc(self->timeline, 5));
	EXPECT_EQ(0, sw_inc(self->timeline, 0xffffffff));
	ASSERT_EQ(0, write_file(EVENT, "0"));
	ASSERT_LT(0, read_file(TRACING "/trace", self->text, TEXT_SIZE));
	EXPECT_NE(NULL, strstr(self->text, "sync_timeline: name=sw-sync-test value=0\n"));
	EXPECT_NE(NULL, strstr(self->text, "sync_timeline: name=sw-sync-test value=5\n"));
	EXPECT_NE(NULL, strstr(self->text, "sync_timeline: name=sw-sync-test value=-2147483644\n"));
	EXPECT_NE(NULL, strstr(self->text, "sync_timeline: name=sw-sync-test value=3\n"));
}

/* ---- 32-bit programs ------------------------------------------------------- */

#ifdef __x86_64__
/* Passes if a 32-bit program can do the same. */
TEST_F(sw_sync, compat)
{
	struct deadline *deadline;
	struct create *create;
	__u32 *step;
	void *low = low_memory();

	if (!has_compat())
		SKIP(return, "the kernel runs no 32-bit programs");
	ASSERT_NE(MAP_FAILED, low);
	create = low;
	create->value = 1;
	ASSERT_EQ(0, ioctl32(self->timeline, CREATE, create));
	EXPECT_EQ(0, sync_status(create->fence));
	EXPECT_EQ(0, set_deadline(create->fence, 77));

	deadline = (void *)(create + 2);
	deadline->fence_fd = create->fence;
	EXPECT_EQ(0, ioctl32(self->timeline, GET_DEADLINE, deadline));
	EXPECT_EQ(77ULL, deadline->deadline_ns);

	step = (void *)(deadline + 1);
	*step = 1;
	EXPECT_EQ(0, ioctl32(self->timeline, INC, step));
	EXPECT_EQ(1, sync_status(create->fence));
	close(create->fence);
}
#endif

TEST_HARNESS_MAIN
