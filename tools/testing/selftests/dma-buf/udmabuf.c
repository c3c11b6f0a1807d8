// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/udmabuf: what it makes a buffer of and what it refuses, that the buffer
 * is the memory of the memfd however one looks at it, and how much of it a user
 * may have.
 *
 * Whether pages are pinned is told by the seal against writing: it cannot be
 * added as long as somebody may write without the file knowing.
 */
#include <limits.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include "udmabuf_test.h"

#define PARAMETER(name)	"/sys/module/udmabuf/parameters/" name
#define RW		(PROT_READ | PROT_WRITE)

#define MB		(1024 * 1024UL)
#define NR_PAGES	16UL
#define NOBODY		65534
#define NOBODY_ELSE	65533

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE	0x0010
#endif

/* An offset or a size that is no number of pages of any file. */
struct range {
	__u64 offset, size;
};

/* ---- helpers ------------------------------------------------------------------ */

/* Is some page of the memfd pinned? It gets a seal against writing if not. */
static bool pinned(int memfd)
{
	return fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE) && errno == EBUSY;
}

/* 0, or a negative errno. The descriptor is closed. */
static int outcome(int fd)
{
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* The value of a parameter as text, so that it can be written back. */
static bool parameter_read(const char *path, char *text, size_t size)
{
	return read_file(path, text, size) > 0;
}

/* The parameters before a case changed them. */
struct parameters {
	char list_limit[32];
	char size_limit[32];
	char user_limit[32];
};

static bool parameters_save(struct parameters *old)
{
	memset(old, 0, sizeof(*old));
	/* The last one is not there on other kernels. */
	parameter_read(PARAMETER("user_limit_mb"), old->user_limit, sizeof(old->user_limit));
	return parameter_read(PARAMETER("list_limit"), old->list_limit,
			      sizeof(old->list_limit)) &&
	       parameter_read(PARAMETER("size_limit_mb"), old->size_limit,
			      sizeof(old->size_limit));
}

static void parameters_restore(const struct parameters *old)
{
	write_file(PARAMETER("list_limit"), old->list_limit);
	write_file(PARAMETER("size_limit_mb"), old->size_limit);
	if (old->user_limit[0])
		write_file(PARAMETER("user_limit_mb"), old->user_limit);
}

/* ---- what is refused -------------------------------------------------------------- */

FIXTURE(create) {
	int dev;
	int memfd;
	size_t size;
	int nr_fds;
	struct parameters old;
};

FIXTURE_SETUP(create)
{
	self->dev = device_open();
	if (no_device(self->dev))
		SKIP(return, NO_UDMABUF);
	ASSERT_LE(0, self->dev);
	self->size = NR_PAGES * PAGE;
	self->memfd = memfd_new(self->size, 0, F_SEAL_SHRINK);
	ASSERT_LE(0, self->memfd);
	ASSERT_TRUE(parameters_save(&self->old));
	self->nr_fds = count_fds();
}

FIXTURE_TEARDOWN(create)
{
	parameters_restore(&self->old);
	close(self->memfd);
	close(self->dev);
}

/* Passes if every range of whole pages makes a buffer of this size. */
TEST_F(create, every_range_inside)
{
	size_t first, nr;

	for (first = 0; first < NR_PAGES; first++) {
		for (nr = 1; nr <= NR_PAGES - first; nr++) {
			int buffer = udmabuf(self->dev, self->memfd, first * PAGE, nr * PAGE);

			ASSERT_LE(0, buffer);
			EXPECT_EQ((off_t)(nr * PAGE), lseek(buffer, 0, SEEK_END));
			close(buffer);
		}
	}
	EXPECT_FALSE(pinned(self->memfd));
}

/* Passes if sizes and offsets that are no range of the file are refused, alone and in a list. */
TEST_F(create, no_other_range)
{
	const struct range ranges[] = {
		{ 0, 0 }, { 0, 1 }, { 0, PAGE - 1 }, { 0, PAGE + 1 }, { 0, PAGE / 2 },
		{ 1, PAGE }, { PAGE / 2, PAGE }, { PAGE - 1, PAGE }, { PAGE, 0 },
		{ 0, self->size + PAGE }, { self->size, PAGE }, { self->size - PAGE, 2 * PAGE },
		{ self->size + PAGE, PAGE }, { 1ULL << 40, PAGE },
		{ 0, SIZE_MAX }, { 0, SIZE_MAX - PAGE + 1 }, { 0, 1ULL << 63 },
		{ 0, (1ULL << 63) - PAGE }, { 0, (1ULL << 63) + PAGE }, { 0, 1ULL << 32 },
		{ 0, (1ULL << 32) + PAGE }, { 0, 1ULL << 44 }, { 0, (1ULL << 44) + PAGE },
		{ SIZE_MAX - PAGE + 1, PAGE }, { SIZE_MAX - PAGE + 1, 2 * PAGE },
		{ 1ULL << 63, PAGE }, { (1ULL << 63) - PAGE, PAGE },
		{ (1ULL << 63) - PAGE, 2 * PAGE }, { PAGE, SIZE_MAX - PAGE + 1 },
		{ 1ULL << 63, 1ULL << 63 }, { SIZE_MAX, SIZE_MAX }, { SIZE_MAX, 1 },
	};
	unsigned int i, where;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		EXPECT_EQ(-EINVAL, udmabuf(self->dev, self->memfd, ranges[i].offset,
					   ranges[i].size)) {
			TH_LOG("%#llx bytes at %#llx", ranges[i].size, ranges[i].offset);
		}
		for (where = 0; where < 3; where++) {
			struct list list = {};

			while (list.head.count < 3) {
				if (list.head.count == where)
					list_add(&list, self->memfd, ranges[i].offset,
						 ranges[i].size);
				else
					list_add(&list, self->memfd, 0, PAGE);
			}
			EXPECT_EQ(-EINVAL, udmabuf_list(self->dev, &list)) {
				TH_LOG("%#llx bytes at %#llx, entry %u", ranges[i].size,
				       ranges[i].offset, where);
			}
		}
	}
	EXPECT_EQ(self->nr_fds, count_fds());
	EXPECT_FALSE(pinned(self->memfd));
}

/* Passes if no sum of sizes can be so large that it looks small. */
TEST_F(create, no_sum_that_wraps)
{
	const __u64 sizes[][3] = {
		{ 1ULL << 63, 1ULL << 63, PAGE }, { 1ULL << 32, 1ULL << 32, PAGE },
		{ SIZE_MAX - PAGE + 1, PAGE, PAGE }, { PAGE, SIZE_MAX - PAGE + 1, PAGE },
		{ 1ULL << 62, 1ULL << 62, 1ULL << 63 }, { 1ULL << 43, 1ULL << 43, PAGE },
	};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct list list = {};

		for (j = 0; j < 3; j++)
			list_add(&list, self->memfd, 0, sizes[i][j]);
		EXPECT_EQ(-EINVAL, udmabuf_list(self->dev, &list));
	}
}

/* Passes if only a memfd is taken, and the others are told apart. */
TEST_F(create, no_other_file)
{
	int tmp = open("/tmp", O_TMPFILE | O_RDWR, 0600), null = open("/dev/null", O_RDWR);
	int event = eventfd(0, 0), directory = open("/", O_RDONLY), pipes[2], sockets[2];
	int unsealable, path, buffer;
	char name[32];
	unsigned int i;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", self->memfd);
	path = open(name, O_PATH);
	ASSERT_LE(0, path);
	buffer = udmabuf(self->dev, self->memfd, 0, PAGE);
	ASSERT_LE(0, buffer);
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	ASSERT_LE(0, null);
	ASSERT_LE(0, event);
	ASSERT_LE(0, directory);

	const int fds[] = {
		-1, -2, 1 << 30, INT_MAX, null, event, directory, pipes[0], pipes[1],
		sockets[0], path, buffer, self->dev,
	};

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		struct list list = {};

		EXPECT_EQ(-EBADFD, udmabuf(self->dev, fds[i], 0, PAGE)) {
			TH_LOG("descriptor %u of the table", i);
		}
		list_add(&list, self->memfd, 0, PAGE);
		list_add(&list, fds[i], 0, PAGE);
		EXPECT_EQ(-EBADFD, udmabuf_list(self->dev, &list));
	}

	/* What could be sealed and is not is a wrong memfd. */
	if (tmp >= 0) {
		ASSERT_EQ(0, ftruncate(tmp, PAGE));
		EXPECT_EQ(-EINVAL, udmabuf(self->dev, tmp, 0, PAGE));
		close(tmp);
	}
	unsealable = memfd_create("udmabuf", 0);
	ASSERT_EQ(0, ftruncate(unsealable, PAGE));
	EXPECT_EQ(-EINVAL, udmabuf(self->dev, unsealable, 0, PAGE));

	close(unsealable);
	close(buffer);
	close(path);
	close(null);
	close(event);
	close(directory);
	for (i = 0; i < 2; i++) {
		close(pipes[i]);
		close(sockets[i]);
	}
}

/* Passes if exactly the right seals are accepted. */
TEST_F(create, seals)
{
	const int shrink = F_SEAL_SHRINK, refused = F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
	int seals;

	for (seals = 0; seals < 0x20; seals++) {
		int memfd = memfd_new(PAGE, 0, seals), want = -EINVAL;

		ASSERT_LE(0, memfd);
		if ((seals & shrink) && !(seals & refused))
			want = 0;
		EXPECT_EQ(want, outcome(udmabuf(self->dev, memfd, 0, PAGE))) {
			TH_LOG("seals %#x", seals);
		}
		close(memfd);
	}
}

static __s64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

struct sealer {
	int memfd;
	__s64 delay;	/* how long after @start */
	__s64 start;	/* 0 until it is known */
};

static void *add_seal(void *arg)
{
	struct sealer *sealer = arg;
	__s64 start;

	while (!(start = __atomic_load_n(&sealer->start, __ATOMIC_ACQUIRE)))
		sched_yield();
	while (now_ns() < start + sealer->delay)
		;
	return (void *)(long)fcntl(sealer->memfd, F_ADD_SEALS, F_SEAL_WRITE);
}

/*
 * Passes if memory is never both sealed against writing and in a buffer, at
 * whatever time in the making of the buffer the seal comes.
 */
TEST_F_TIMEOUT(create, seal_added_meanwhile, 60)
{
	/* Whoever adds the seal waits long before he is refused. */
	const int rounds = 40;
	__s64 whole = 0;
	int i;

	for (i = 0; i < rounds; i++) {
		struct sealer sealer = { .delay = whole * i / rounds };
		int buffer;
		pthread_t thread;
		void *sealed;

		sealer.memfd = memfd_new(PAGE, 0, F_SEAL_SHRINK);
		ASSERT_LE(0, sealer.memfd);
		ASSERT_EQ(0, pthread_create(&thread, NULL, add_seal, &sealer));
		__atomic_store_n(&sealer.start, now_ns(), __ATOMIC_RELEASE);
		buffer = udmabuf(self->dev, sealer.memfd, 0, PAGE);
		if (!whole)
			whole = now_ns() - sealer.start;
		pthread_join(thread, &sealed);
		EXPECT_TRUE(sealed ? buffer >= 0 : buffer == -EINVAL) {
			TH_LOG("seal: %ld, buffer: %d", (long)sealed, buffer);
		}
		outcome(buffer);
		close(sealer.memfd);
	}
}

/* Passes if an argument that cannot be read is refused as that, whatever part of it. */
TEST_F(create, bad_pointers)
{
	struct udmabuf_create arg = { .memfd = self->memfd, .size = PAGE };
	size_t size = sizeof(struct udmabuf_create_list) +
		      3 * sizeof(struct udmabuf_create_item);
	struct list list = {};
	int i;

	for (i = 0; i < NR_BAD_POINTERS; i++) {
		EXPECT_EQ(-EFAULT, xioctl(self->dev, UDMABUF_CREATE,
					  bad_pointer(i, sizeof(arg))));
		EXPECT_EQ(-EFAULT, xioctl(self->dev, UDMABUF_CREATE_LIST,
					  bad_pointer(i, sizeof(list.head))));
	}
	EXPECT_EQ(-EFAULT, xioctl(self->dev, UDMABUF_CREATE, cut_off(&arg, sizeof(arg))));
	EXPECT_EQ(0, outcome(xioctl(self->dev, UDMABUF_CREATE,
				    at_end_of_page(&arg, sizeof(arg)))));
	EXPECT_EQ(0, outcome(xioctl(self->dev, UDMABUF_CREATE, read_only(&arg, sizeof(arg)))));

	for (i = 0; i < 3; i++)
		list_add(&list, self->memfd, 0, PAGE);
	EXPECT_EQ(-EFAULT, xioctl(self->dev, UDMABUF_CREATE_LIST, cut_off(&list, size)));
	EXPECT_EQ(-EFAULT, xioctl(self->dev, UDMABUF_CREATE_LIST,
				  at_end_of_page(&list, sizeof(list.head))));
	EXPECT_EQ(0, outcome(xioctl(self->dev, UDMABUF_CREATE_LIST,
				    at_end_of_page(&list, size))));
	EXPECT_EQ(0, outcome(xioctl(self->dev, UDMABUF_CREATE_LIST, read_only(&list, size))));
	EXPECT_EQ(self->nr_fds, count_fds());
}

/* Passes if there are no other ioctls, and the device can do nothing else. */
TEST_F(create, no_other_call)
{
	struct udmabuf_create arg = { .memfd = self->memfd, .size = PAGE };
	const unsigned long cmds[] = {
		0, _IO('u', 0x42), _IOR('u', 0x42, arg), _IOW('u', 0x41, arg),
		_IOW('u', 0x44, arg), _IOW('u', 0x42, __u64), _IOW('v', 0x42, arg), ~0UL,
	};
	unsigned int i;
	char byte = 0;

	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		EXPECT_EQ(-ENOTTY, xioctl(self->dev, cmds[i], &arg));
	EXPECT_EQ(-1, read(self->dev, &byte, 1));
	EXPECT_EQ(-1, write(self->dev, &byte, 1));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, RW, MAP_SHARED, self->dev, 0));
}

/* Passes if the flag decides on close-on-exec, and other bits on nothing. */
TEST_F(create, flags)
{
	const __u32 flags[] = { 0, UDMABUF_FLAGS_CLOEXEC, ~0U, ~0U & ~UDMABUF_FLAGS_CLOEXEC };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		struct udmabuf_create arg = { .memfd = self->memfd, .flags = flags[i],
					      .size = PAGE };
		int buffer = xioctl(self->dev, UDMABUF_CREATE, &arg);

		ASSERT_LE(0, buffer);
		EXPECT_EQ(flags[i] & UDMABUF_FLAGS_CLOEXEC ? FD_CLOEXEC : 0,
			  fcntl(buffer, F_GETFD));
		EXPECT_EQ(O_RDWR, fcntl(buffer, F_GETFL) & O_ACCMODE);
		close(buffer);
	}
}

/* Passes if without a free descriptor there is no buffer, and nothing is left. */
TEST_F(create, no_descriptor_left)
{
	struct rlimit old = no_more_fds();
	int ret = udmabuf(self->dev, self->memfd, 0, PAGE);

	setrlimit(RLIMIT_NOFILE, &old);
	EXPECT_EQ(-EMFILE, ret);
	EXPECT_EQ(self->nr_fds, count_fds());
	EXPECT_FALSE(pinned(self->memfd));
}

/* Passes if the memory is held exactly as long as the buffer. */
TEST_F(create, pinned_until_closed)
{
	int buffer = udmabuf(self->dev, self->memfd, PAGE, PAGE), copy;
	void *map;

	ASSERT_LE(0, buffer);
	copy = dup(buffer);
	map = mmap(NULL, PAGE, RW, MAP_SHARED, buffer, 0);
	ASSERT_NE(MAP_FAILED, map);
	close(buffer);
	EXPECT_TRUE(pinned(self->memfd));
	close(copy);
	EXPECT_TRUE(pinned(self->memfd));
	munmap(map, PAGE);
	EXPECT_FALSE(pinned(self->memfd));
}

/* Passes if as many entries as allowed make a buffer, and not one more. */
TEST_F(create, list_of_1024_and_1025)
{
	struct list list = {};
	int buffer;

	while (list.head.count < 1024)
		list_add(&list, self->memfd, list.head.count % NR_PAGES * PAGE, PAGE);
	buffer = udmabuf_list(self->dev, &list);
	ASSERT_LE(0, buffer);
	EXPECT_EQ((off_t)(1024 * PAGE), lseek(buffer, 0, SEEK_END));
	close(buffer);

	list_add(&list, self->memfd, 0, PAGE);
	EXPECT_EQ(-EINVAL, udmabuf_list(self->dev, &list));
	list.head.count = 0;
	EXPECT_EQ(-EINVAL, udmabuf_list(self->dev, &list));
	list.head.count = ~0U;
	EXPECT_EQ(-EINVAL, udmabuf_list(self->dev, &list));
	EXPECT_FALSE(pinned(self->memfd));
}

/* Passes if the limits can be changed, and nothing is below zero. */
TEST_F(create, limits_can_be_changed)
{
	struct list list = {};

	list_add(&list, self->memfd, 0, PAGE);
	list_add(&list, self->memfd, 0, PAGE);
	ASSERT_EQ(0, write_file(PARAMETER("list_limit"), "1"));
	EXPECT_EQ(-EINVAL, udmabuf_list(self->dev, &list));
	ASSERT_EQ(0, write_file(PARAMETER("list_limit"), "0"));
	list.head.count = 1;
	EXPECT_EQ(-EINVAL, udmabuf_list(self->dev, &list));
	EXPECT_EQ(0, outcome(udmabuf(self->dev, self->memfd, 0, PAGE)));
	ASSERT_EQ(0, write_file(PARAMETER("list_limit"), "2"));
	list.head.count = 2;
	EXPECT_EQ(0, outcome(udmabuf_list(self->dev, &list)));

	ASSERT_EQ(0, write_file(PARAMETER("size_limit_mb"), "0"));
	EXPECT_EQ(-EINVAL, udmabuf(self->dev, self->memfd, 0, PAGE));
	EXPECT_EQ(-EINVAL, udmabuf_list(self->dev, &list));
}

/* Passes if no limit can be set to less than nothing. */
TEST_F(create, limits_are_not_negative)
{
	EXPECT_EQ(-EINVAL, write_file(PARAMETER("list_limit"), "-1"));
	EXPECT_EQ(-EINVAL, write_file(PARAMETER("size_limit_mb"), "-1"));
	EXPECT_EQ(-EINVAL, write_file(PARAMETER("user_limit_mb"), "-1"));
}

/* Passes if a list as long as can be is refused for what it is, whatever the limit. */
TEST_F(create, list_limit_at_its_extremes)
{
	/* The second one is 2^32 / 24 + 1 entries, whose size in 32 bits is that of none. */
	const __u32 counts[] = { ~0U, 178956971, 1U << 31, (1U << 31) - 1, 1U << 29, 1U << 24 };
	const char * const limits[] = { "2147483647", "4294967295" };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		if (write_file(PARAMETER("list_limit"), limits[i]))
			continue;
		for (j = 0; j < ARRAY_SIZE(counts); j++) {
			struct list list = {};
			int ret;

			list_add(&list, self->memfd, 0, PAGE);
			list.head.count = counts[j];
			ret = xioctl(self->dev, UDMABUF_CREATE_LIST,
				     at_end_of_page(&list, sizeof(list.head) +
						    sizeof(list.item[0])));
			EXPECT_TRUE(ret == -EINVAL || ret == -EFAULT || ret == -ENOMEM) {
				TH_LOG("%u of %s entries: %d", counts[j], limits[i], ret);
			}
		}
	}
}

/* Passes if this is so, too, when buffers may be as large as can be. */
TEST_F(create, size_limit_at_its_extremes)
{
	const __u64 sizes[] = { 1ULL << 40, (1ULL << 52) - PAGE, 1ULL << 52, 1ULL << 63, SIZE_MAX };
	struct list list = {};
	unsigned int i;
	int ret;

	ASSERT_EQ(0, write_file(PARAMETER("size_limit_mb"), "2147483647"));
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		EXPECT_EQ(-EINVAL, udmabuf(self->dev, self->memfd, 0, sizes[i]));
	EXPECT_EQ(0, outcome(udmabuf(self->dev, self->memfd, 0, self->size)));

	if (write_file(PARAMETER("size_limit_mb"), "4294967295") ||
	    write_file(PARAMETER("list_limit"), "4294967295"))
		SKIP(return, "no such limits");
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		EXPECT_EQ(-EINVAL, udmabuf(self->dev, self->memfd, 0, sizes[i]));
	list_add(&list, self->memfd, 0, PAGE);
	list.head.count = 178956971;
	ret = udmabuf_list(self->dev, &list);
	EXPECT_TRUE(ret == -EFAULT || ret == -ENOMEM) {
		TH_LOG("%d", ret);
	}
	list.head.count = ~0U;
	EXPECT_EQ(-ENOMEM, udmabuf_list(self->dev, &list));
}

/* Passes if the limit of a buffer's size is exact, for one entry and for many. */
TEST_F(create, size_limit)
{
	int memfd = memfd_new(2 * MB, 0, F_SEAL_SHRINK);
	struct list list = {};

	ASSERT_LE(0, memfd);
	ASSERT_EQ(0, write_file(PARAMETER("size_limit_mb"), "1"));
	EXPECT_EQ(0, outcome(udmabuf(self->dev, memfd, 0, MB)));
	EXPECT_EQ(-EINVAL, udmabuf(self->dev, memfd, 0, MB + PAGE));

	list_add(&list, memfd, 0, MB / 2);
	list_add(&list, memfd, MB, MB / 2);
	EXPECT_EQ(0, outcome(udmabuf_list(self->dev, &list)));
	list_add(&list, memfd, 0, PAGE);
	EXPECT_EQ(-EINVAL, udmabuf_list(self->dev, &list));
	EXPECT_FALSE(pinned(memfd));
	close(memfd);
}

/* Passes if the default is what it always was. */
TEST_F(create, default_size_limit_is_64_mb)
{
	int memfd = memfd_new(65 * MB, 0, F_SEAL_SHRINK);

	ASSERT_LE(0, memfd);
	EXPECT_STREQ("64\n", self->old.size_limit);
	EXPECT_STREQ("1024\n", self->old.list_limit);
	EXPECT_EQ(-EINVAL, udmabuf(self->dev, memfd, 0, 64 * MB + PAGE));
	close(memfd);
}

/* ---- how much a user may have --------------------------------------------------- */

FIXTURE(user) {
	int dev;
	int memfd;		/* of 1 MiB */
	struct parameters old;
};

FIXTURE_SETUP(user)
{
	self->dev = device_open();
	if (no_device(self->dev))
		SKIP(return, NO_UDMABUF);
	ASSERT_LE(0, self->dev);
	self->memfd = memfd_new(MB, 0, F_SEAL_SHRINK);
	ASSERT_LE(0, self->memfd);
	ASSERT_TRUE(parameters_save(&self->old));
}

FIXTURE_TEARDOWN(user)
{
	parameters_restore(&self->old);
	close(self->memfd);
	close(self->dev);
}

/* Be another user without rights, for good. */
static bool become(uid_t uid)
{
	return !setgid(uid) && !setresuid(uid, uid, uid);
}

/*
 * How a function ends that runs as another user in a process of its own: what it
 * returns, or CHILD_HANGS or CHILD_KILLED; 255 if there is no such user.
 */
static int as_user(uid_t uid, int (*function)(int dev, int memfd), int dev, int memfd)
{
	pid_t pid = fork();

	if (!pid)
		_exit(become(uid) ? function(dev, memfd) : 255);
	return child_status(pid, 6 * SOON_MS);
}

/* Exactly 1 MiB at a time. Returns the number of the step that failed, or 0. */
static int take_one_mb(int dev, int memfd)
{
	int first, second;

	first = udmabuf(dev, memfd, 0, MB);
	if (first < 0)
		return 1;
	if (udmabuf(dev, memfd, 0, PAGE) != -ENOMEM)
		return 2;
	close(first);

	first = udmabuf(dev, memfd, 0, MB - PAGE);
	second = udmabuf(dev, memfd, 0, PAGE);
	if (first < 0 || second < 0)
		return 3;
	if (udmabuf(dev, memfd, 0, PAGE) != -ENOMEM)
		return 4;
	close(second);
	if (udmabuf(dev, memfd, 0, 2 * PAGE) != -ENOMEM)
		return 5;
	second = udmabuf(dev, memfd, 0, PAGE);
	return second < 0 ? 6 : 0;
}

/* Passes if a user can have as much as the limit says, over and over, but no more. */
TEST_F(user, limit)
{
	int i;

	ASSERT_EQ(0, write_file(PARAMETER("user_limit_mb"), "1"));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, as_user(NOBODY, take_one_mb, self->dev, self->memfd));
}

static int take_nothing(int dev, int memfd)
{
	return udmabuf(dev, memfd, 0, PAGE) != -ENOMEM;
}

static int take_and_let_others_try(int dev, int memfd)
{
	int buffer = udmabuf(dev, memfd, 0, MB), status;
	pid_t pid;

	if (buffer < 0)
		return 1;
	pid = fork();
	if (!pid)
		_exit(take_nothing(dev, memfd));
	status = child_status(pid, SOON_MS);
	return status ? 10 + status : 0;
}

/* Passes if the processes of a user share the limit. */
TEST_F(user, processes_of_a_user_share)
{
	ASSERT_EQ(0, write_file(PARAMETER("user_limit_mb"), "1"));
	EXPECT_EQ(0, as_user(NOBODY, take_and_let_others_try, self->dev, self->memfd));
}

/* Passes if a user is not stopped by what others have, and root by nothing. */
TEST_F(user, users_do_not_share)
{
	int ready[2], done[2], buffer;
	pid_t pid;
	char byte;

	ASSERT_EQ(0, write_file(PARAMETER("user_limit_mb"), "1"));
	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(done));
	pid = fork();
	if (!pid) {
		close(done[1]);
		byte = become(NOBODY) && udmabuf(self->dev, self->memfd, 0, MB) >= 0;
		if (write(ready[1], &byte, 1) != 1)
			_exit(1);
		_exit(read(done[0], &byte, 1) ? 1 : 0);
	}
	close(done[0]);
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	EXPECT_EQ(1, byte);

	EXPECT_EQ(0, as_user(NOBODY, take_nothing, self->dev, self->memfd));
	EXPECT_EQ(0, as_user(NOBODY_ELSE, take_one_mb, self->dev, self->memfd));

	buffer = udmabuf(self->dev, self->memfd, 0, MB);
	EXPECT_LE(0, buffer);
	EXPECT_EQ(0, outcome(udmabuf(self->dev, self->memfd, 0, MB)));
	outcome(buffer);

	close(done[1]);
	EXPECT_EQ(0, child_status(pid, SOON_MS));
	close(ready[0]);
	close(ready[1]);
}

static int give_away(int dev, int memfd)
{
	int buffer = udmabuf(dev, memfd, 0, MB);

	/* The socket is the one that the case has put there. */
	return buffer < 0 || send_fd(STDIN_FILENO, buffer);
}

/* Passes if what was given away counts for who made it, until it is gone. */
TEST_F(user, maker_answers_for_what_is_given_away)
{
	int sockets[2], stdin_copy = dup(STDIN_FILENO);

	ASSERT_EQ(0, write_file(PARAMETER("user_limit_mb"), "1"));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	ASSERT_EQ(STDIN_FILENO, dup2(sockets[0], STDIN_FILENO));
	close(sockets[0]);
	EXPECT_EQ(0, as_user(NOBODY, give_away, self->dev, self->memfd));

	/* It is on its way; nobody has a descriptor. */
	EXPECT_EQ(0, as_user(NOBODY, take_nothing, self->dev, self->memfd));
	dup2(stdin_copy, STDIN_FILENO);
	close(stdin_copy);
	close(sockets[1]);
	EXPECT_EQ(0, as_user(NOBODY, take_one_mb, self->dev, self->memfd));
}

/* Have the other end of a socket close a buffer; one more keeps the account. */
static int make_and_have_closed(int dev, int memfd, int sock)
{
	int kept = udmabuf(dev, memfd, 0, PAGE);
	int buffer = udmabuf(dev, memfd, 0, MB - PAGE);
	char byte = 0;

	if (kept < 0 || buffer < 0 || send_fd(sock, buffer))
		return 1;
	close(buffer);
	if (udmabuf(dev, memfd, 0, PAGE) != -ENOMEM)
		return 2;
	if (write(sock, &byte, 1) != 1 || read(sock, &byte, 1) != 1)
		return 3;
	return udmabuf(dev, memfd, 0, MB - PAGE) < 0 ? 4 : 0;
}

/* Passes if its maker may have as much again when somebody else has closed it. */
TEST_F(user, closed_by_others_comes_back_to_the_maker)
{
	int sockets[2], buffer;
	char byte = 0;
	pid_t pid;

	ASSERT_EQ(0, write_file(PARAMETER("user_limit_mb"), "1"));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pid = fork();
	if (!pid) {
		_exit(become(NOBODY) ? make_and_have_closed(self->dev, self->memfd,
							    sockets[1]) : 255);
	}
	close(sockets[1]);
	buffer = receive_fd(sockets[0], 0);
	EXPECT_LE(0, buffer);
	/* The maker has closed his. */
	EXPECT_EQ(1, read(sockets[0], &byte, 1));
	close(buffer);
	EXPECT_EQ(1, write(sockets[0], &byte, 1));
	EXPECT_EQ(0, child_status(pid, SOON_MS));
	close(sockets[0]);
}

static int take_in_namespace(int dev, int memfd)
{
	int buffer = udmabuf(dev, memfd, 0, MB), status;
	pid_t pid;

	if (buffer < 0)
		return 1;
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWUSER))
			_exit(100);
		_exit(take_nothing(dev, memfd));
	}
	status = child_status(pid, SOON_MS);
	return status == 100 ? 100 : status ? 10 + status : 0;
}

/* Passes if a namespace of one's own, and the rights in it, give no more memory. */
TEST_F(user, namespace_gives_no_more)
{
	int ret;

	ASSERT_EQ(0, write_file(PARAMETER("user_limit_mb"), "1"));
	ret = as_user(NOBODY, take_in_namespace, self->dev, self->memfd);
	if (ret == 100)
		SKIP(return, "no user namespaces");
	EXPECT_EQ(0, ret);
}

/* Passes if what was refused counts for nothing. */
TEST_F(user, what_is_refused_is_not_charged)
{
	int i;

	ASSERT_EQ(0, write_file(PARAMETER("user_limit_mb"), "1"));
	for (i = 0; i < 3; i++) {
		pid_t pid = fork();

		if (!pid) {
			struct rlimit old;

			if (!become(NOBODY) || udmabuf(self->dev, self->memfd, PAGE, MB) != -EINVAL)
				_exit(1);
			if (udmabuf(self->dev, self->dev, 0, MB) != -EBADFD)
				_exit(2);
			old = no_more_fds();
			if (udmabuf(self->dev, self->memfd, 0, MB) != -EMFILE)
				_exit(3);
			setrlimit(RLIMIT_NOFILE, &old);
			_exit(take_one_mb(self->dev, self->memfd));
		}
		EXPECT_EQ(0, child_status(pid, SOON_MS));
	}
}

#define FILE_MAX	"/proc/sys/fs/file-max"

/* A buffer while the system has no file left, and again; one more keeps the account. */
static int take_without_file(int dev, int memfd, const char *file_max)
{
	int kept, fd, ret;
	bool leak;

	/* Unlike become() this can be undone. */
	if (setresuid(NOBODY, NOBODY, 0))
		return 255;
	kept = udmabuf(dev, memfd, 0, PAGE);
	fd = next_fd();
	if (kept < 0 || seteuid(0) || write_file(FILE_MAX, "1") || seteuid(NOBODY))
		return 1;
	ret = udmabuf(dev, memfd, 0, MB - PAGE);
	if (seteuid(0) || write_file(FILE_MAX, file_max) || seteuid(NOBODY))
		return 2;
	leak = next_fd() != fd;
	if (ret != -ENFILE || leak)
		return ret != -ENFILE ? 3 : 4;
	return udmabuf(dev, memfd, 0, MB - PAGE) < 0 ? 5 : 0;
}

/* Passes if a buffer for which there is no file any more leaves nothing behind. */
TEST_F(user, no_file_left)
{
	char file_max[32] = "";
	pid_t pid;

	ASSERT_EQ(0, write_file(PARAMETER("user_limit_mb"), "1"));
	ASSERT_LT(0, read_file(FILE_MAX, file_max, sizeof(file_max)));
	pid = fork();
	if (!pid)
		_exit(take_without_file(self->dev, self->memfd, file_max));
	EXPECT_EQ(0, child_status(pid, SOON_MS));
	write_file(FILE_MAX, file_max);
	EXPECT_FALSE(pinned(self->memfd));
}

/* What the line of a file of /proc that begins with @key says, or -1. */
static long kb_of(const char *path, const char *key)
{
	char text[8192], *line;

	if (read_file(path, text, sizeof(text)) <= 0)
		return -1;
	line = strstr(text, key);
	return line ? atol(line + strlen(key)) : -1;
}

/* Memory of shmem that is in huge pages, in kB. */
static long shmem_huge_kb(void)
{
	return kb_of("/proc/meminfo", "ShmemHugePages:");
}

/* A memfd of one huge page, or a negative errno. */
static int memfd_of_huge_page(void)
{
	int memfd = memfd_new(HUGE, 0, F_SEAL_SHRINK);
	long before = shmem_huge_kb();

	if (memfd >= 0 && (pwrite(memfd, "x", 1, 0) != 1 || shmem_huge_kb() <= before)) {
		close(memfd);
		return -ENOMEM;
	}
	return memfd;
}

static int take_one_page(int dev, int memfd)
{
	if (udmabuf(dev, memfd, 0, PAGE) < 0)
		return 1;
	return udmabuf(dev, memfd, PAGE, PAGE) == -ENOMEM ? 0 : 2;
}

/* Passes if of a huge page that is in a buffer in part the rest counts as well. */
TEST_F(user, rest_of_a_huge_page_counts)
{
	struct huge_pages old;
	int memfd;

	huge_pages_on(&old);
	write_file(SHMEM_ENABLED, "force");
	memfd = memfd_of_huge_page();
	huge_pages_restore(&old);
	if (memfd < 0)
		SKIP(return, "no transparent huge pages for shmem");

	ASSERT_EQ(0, write_file(PARAMETER("user_limit_mb"), "1"));
	EXPECT_EQ(0, as_user(NOBODY, take_nothing, self->dev, memfd));
	ASSERT_EQ(0, write_file(PARAMETER("user_limit_mb"), "2"));
	EXPECT_EQ(0, as_user(NOBODY, take_one_page, self->dev, memfd));
	close(memfd);
}

/* How many MiB in buffers of 16 MiB: that many / 16, at most @limit / 16. */
static int take_all(int dev, int memfd)
{
	int count;

	for (count = 0; count < 200; count++) {
		if (udmabuf(dev, memfd, 0, 16 * MB) < 0)
			break;
	}
	return count;
}

/* Passes if a user is stopped at a quarter of the memory though nobody has set a limit. */
TEST_F(user, default_limit_is_a_quarter_of_the_memory)
{
	long quarter = sysconf(_SC_PHYS_PAGES) * PAGE / (4 * 16 * MB);
	int memfd = memfd_new(16 * MB, 0, F_SEAL_SHRINK), count;

	ASSERT_LE(0, memfd);
	if (quarter >= 200)
		SKIP(return, "too much memory");
	count = as_user(NOBODY, take_all, self->dev, memfd);
	EXPECT_EQ(quarter, count);
	close(memfd);
}

/* ---- the memory ----------------------------------------------------------------------- */

FIXTURE(memory) {
	int dev;
	int memfd;
	int buffer;
	size_t size;		/* of the memfd */
	size_t nr_pages;	/* of the buffer */
	unsigned char *file;	/* mapping of the memfd */
	unsigned int page[40];	/* which page of the memfd is this one of the buffer? */
	struct huge_pages old;
};

FIXTURE_VARIANT(memory) {
	unsigned int flags;
	bool thp;
};

FIXTURE_VARIANT_ADD(memory, small) {};

FIXTURE_VARIANT_ADD(memory, hugetlb) {
	.flags = MEMFD_HUGE,
};

FIXTURE_VARIANT_ADD(memory, thp) {
	.thp = true,
};

/* Ranges that start, end and cross in the middle of folios, and one of a whole huge page. */
static const struct { unsigned int first, nr; } pieces[] = {
	{ 7, 3 }, { 0, 1 }, { 510, 4 }, { 9, 1 }, { 8, 1 }, { 1000, 24 }, { 511, 1 }, { 512, 3 },
	{ 10, 1 },
};

/* The mark of page @nr of the memfd at @offset. */
static unsigned char mark(unsigned int nr, size_t offset)
{
	return nr * 7 + nr / 256 + offset / 64 + 1;
}

static void write_marks(unsigned char *page, unsigned int nr)
{
	size_t offset;

	for (offset = 0; offset < PAGE; offset += 64)
		page[offset] = mark(nr, offset);
	page[PAGE - 1] = mark(nr, 1);
}

static bool has_marks(const unsigned char *page, unsigned int nr)
{
	size_t offset;

	for (offset = 0; offset < PAGE; offset += 64)
		if (page[offset] != mark(nr, offset))
			return false;
	return page[PAGE - 1] == mark(nr, 1);
}

FIXTURE_SETUP(memory)
{
	struct list list = {};
	unsigned int i, j;

	self->memfd = -1;
	self->buffer = -1;
	self->file = MAP_FAILED;
	self->dev = device_open();
	if (no_device(self->dev))
		SKIP(return, NO_UDMABUF);
	ASSERT_LE(0, self->dev);

	huge_pages_on(&self->old);
	if (variant->thp && write_file(SHMEM_ENABLED, "force"))
		SKIP(return, "no transparent huge pages for shmem");

	self->size = 2 * HUGE;
	self->memfd = memfd_new(self->size, variant->flags, F_SEAL_SHRINK);
	if (variant->flags && self->memfd < 0)
		SKIP(return, "no hugetlbfs");
	ASSERT_LE(0, self->memfd);
	self->file = mmap(NULL, self->size, RW, MAP_SHARED, self->memfd, 0);
	if (variant->flags && self->file == MAP_FAILED)
		SKIP(return, "no huge pages");
	ASSERT_NE(MAP_FAILED, (void *)self->file);
	for (i = 0; i < self->size / PAGE; i++)
		write_marks(self->file + i * PAGE, i);

	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		list_add(&list, self->memfd, pieces[i].first * PAGE, pieces[i].nr * PAGE);
		for (j = 0; j < pieces[i].nr; j++)
			self->page[self->nr_pages++] = pieces[i].first + j;
	}
	self->buffer = udmabuf_list(self->dev, &list);
	ASSERT_LE(0, self->buffer);
}

FIXTURE_TEARDOWN(memory)
{
	if (self->file != MAP_FAILED)
		munmap(self->file, self->size);
	close(self->buffer);
	close(self->memfd);
	huge_pages_restore(&self->old);
	close(self->dev);
}

static unsigned char *map_buffer(int buffer, size_t size)
{
	return mmap(NULL, size, RW, MAP_SHARED, buffer, 0);
}

/* Passes if each page of the buffer is the one of the file that was asked for. */
TEST_F(memory, buffer_shows_file)
{
	unsigned char *map = map_buffer(self->buffer, self->nr_pages * PAGE);
	size_t i;

	ASSERT_NE(MAP_FAILED, (void *)map);
	for (i = 0; i < self->nr_pages; i++) {
		EXPECT_TRUE(has_marks(map + i * PAGE, self->page[i])) {
			TH_LOG("page %zu of the buffer, %u of the file", i, self->page[i]);
		}
	}
	munmap(map, self->nr_pages * PAGE);
}

/* Passes if this is so for a mapping of any part, in any order of access. */
TEST_F(memory, every_part_shows_file)
{
	size_t first, nr, i;

	for (first = 0; first < self->nr_pages; first += 3) {
		for (nr = 1; nr <= self->nr_pages - first; nr += 4) {
			unsigned char *map = mmap(NULL, nr * PAGE, PROT_READ, MAP_SHARED,
						  self->buffer, first * PAGE);

			ASSERT_NE(MAP_FAILED, (void *)map);
			for (i = nr; i--;)
				EXPECT_TRUE(has_marks(map + i * PAGE, self->page[first + i]));
			munmap(map, nr * PAGE);
		}
	}
}

/* Passes if what is written through the buffer is in the file: for its mapping and for read(). */
TEST_F(memory, file_shows_what_buffer_wrote)
{
	unsigned char *map = map_buffer(self->buffer, self->nr_pages * PAGE);
	size_t i;
	char data[2];

	ASSERT_NE(MAP_FAILED, (void *)map);
	EXPECT_EQ(0, buffer_sync(self->buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	for (i = 0; i < self->nr_pages; i++)
		map[i * PAGE + 5] = 100 + self->page[i] % 100;
	EXPECT_EQ(0, buffer_sync(self->buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));

	for (i = 0; i < self->nr_pages; i++) {
		off_t offset = self->page[i] * PAGE + 5;

		EXPECT_EQ(100 + self->page[i] % 100, self->file[offset]);
		EXPECT_EQ(1, pread(self->memfd, data, 1, offset));
		EXPECT_EQ(100 + self->page[i] % 100, (unsigned char)data[0]);
	}
	munmap(map, self->nr_pages * PAGE);
}

/* Passes if what is written into the file later is in the buffer. */
TEST_F(memory, buffer_shows_what_file_wrote)
{
	unsigned char *map = map_buffer(self->buffer, self->nr_pages * PAGE);
	size_t i;

	ASSERT_NE(MAP_FAILED, (void *)map);
	for (i = 0; i < self->nr_pages; i++)
		self->file[self->page[i] * PAGE + 9] = 50 + self->page[i] % 100;
	for (i = 0; i < self->nr_pages; i++)
		EXPECT_EQ(50 + self->page[i] % 100, map[i * PAGE + 9]);
	munmap(map, self->nr_pages * PAGE);
}

/* Passes if another process that has only the buffer's descriptor sees the same memory. */
TEST_F(memory, second_process)
{
	unsigned int first = self->page[0], last = self->page[self->nr_pages - 1];
	pid_t pid = fork();

	if (!pid) {
		unsigned char *map;

		munmap(self->file, self->size);
		close(self->memfd);
		map = map_buffer(self->buffer, self->nr_pages * PAGE);
		if (map == MAP_FAILED || !has_marks(map, first) ||
		    !has_marks(map + (self->nr_pages - 1) * PAGE, last))
			_exit(1);
		map[3] = 77;
		map[(self->nr_pages - 1) * PAGE + 3] = 78;
		_exit(0);
	}
	EXPECT_EQ(0, child_status(pid, SOON_MS));
	EXPECT_EQ(77, self->file[first * PAGE + 3]);
	EXPECT_EQ(78, self->file[last * PAGE + 3]);
}

/* Passes if a mapping that was inherited works, and whose page it is does not change. */
TEST_F(memory, fork_shares_mapping)
{
	unsigned char *map = map_buffer(self->buffer, self->nr_pages * PAGE);
	pid_t pid;

	ASSERT_NE(MAP_FAILED, (void *)map);
	map[3] = 1;
	pid = fork();
	if (!pid) {
		map[3]++;
		_exit(has_marks(map + 5 * PAGE, self->page[5]) ? 0 : 1);
	}
	EXPECT_EQ(0, child_status(pid, SOON_MS));
	EXPECT_EQ(2, map[3]);
	EXPECT_EQ(2, self->file[self->page[0] * PAGE + 3]);
	munmap(map, self->nr_pages * PAGE);
}

/* Passes if the rest of a mapping stays as it is when a part goes. */
TEST_F(memory, partial_munmap)
{
	unsigned char *map = map_buffer(self->buffer, self->nr_pages * PAGE);
	size_t i;

	ASSERT_NE(MAP_FAILED, (void *)map);
	EXPECT_TRUE(has_marks(map + PAGE, self->page[1]));
	ASSERT_EQ(0, munmap(map + 2 * PAGE, 4 * PAGE));
	for (i = 0; i < self->nr_pages; i++) {
		if (i < 2 || i >= 6)
			EXPECT_TRUE(has_marks(map + i * PAGE, self->page[i]));
	}
	munmap(map, 2 * PAGE);
	munmap(map + 6 * PAGE, (self->nr_pages - 6) * PAGE);
}

/* Passes if a mapping can be moved and shrunk, but not grow out of the buffer. */
TEST_F(memory, mremap)
{
	unsigned char *map = map_buffer(self->buffer, 4 * PAGE), *moved;
	unsigned char *place = mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, (void *)map);
	ASSERT_NE(MAP_FAILED, (void *)place);
	EXPECT_TRUE(has_marks(map, self->page[0]));
	moved = mremap(map, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	ASSERT_EQ(place, moved);
	EXPECT_TRUE(has_marks(moved, self->page[0]));
	EXPECT_TRUE(has_marks(moved + 3 * PAGE, self->page[3]));

	EXPECT_EQ(MAP_FAILED, mremap(moved, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap(moved, 4 * PAGE, (self->nr_pages + 1) * PAGE,
				     MREMAP_MAYMOVE));
	EXPECT_EQ(moved, mremap(moved, 4 * PAGE, 2 * PAGE, 0));
	EXPECT_TRUE(has_marks(moved + PAGE, self->page[1]));
	munmap(place, 8 * PAGE);
}

/* Passes if what madvise() drops from a mapping is there again at the next access. */
TEST_F(memory, madvise_loses_nothing)
{
	unsigned char *map = map_buffer(self->buffer, self->nr_pages * PAGE);
	size_t i;

	ASSERT_NE(MAP_FAILED, (void *)map);
	for (i = 0; i < self->nr_pages; i++)
		map[i * PAGE + 11] = 42;
	madvise(map, self->nr_pages * PAGE, MADV_DONTNEED);
	for (i = 0; i < self->nr_pages; i++)
		EXPECT_EQ(42, map[i * PAGE + 11]);
	munmap(map, self->nr_pages * PAGE);
}

/* Passes if no mapping is made whose changes would be its own. */
TEST_F(memory, private_mapping_is_refused)
{
	const int prots[] = { PROT_READ, RW, PROT_NONE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(prots); i++) {
		EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, prots[i], MAP_PRIVATE, self->buffer, 0));
		EXPECT_EQ(EINVAL, errno);
	}
}

/* Passes if a mapping outlives all descriptors, with the memory of the file. */
TEST_F(memory, mapping_outlives_descriptors)
{
	unsigned char *map = map_buffer(self->buffer, self->nr_pages * PAGE);
	size_t i;

	ASSERT_NE(MAP_FAILED, (void *)map);
	close(self->buffer);
	self->buffer = -1;
	for (i = 0; i < self->nr_pages; i++)
		EXPECT_TRUE(has_marks(map + i * PAGE, self->page[i]));
	munmap(map, self->nr_pages * PAGE);
}

/* ---- CPU access ------------------------------------------------------------------------ */

FIXTURE(access) {
	int dev;
	int memfd;
};

FIXTURE_SETUP(access)
{
	self->dev = device_open();
	if (no_device(self->dev))
		SKIP(return, NO_UDMABUF);
	ASSERT_LE(0, self->dev);
	self->memfd = memfd_new(MB, 0, F_SEAL_SHRINK);
	ASSERT_LE(0, self->memfd);
}

FIXTURE_TEARDOWN(access)
{
	close(self->memfd);
	close(self->dev);
}

/* Passes if accesses are taken in any number and direction, and an end needs a start. */
TEST_F(access, start_and_end)
{
	const __u64 rw[] = { DMA_BUF_SYNC_READ, DMA_BUF_SYNC_WRITE, DMA_BUF_SYNC_RW };
	int buffer = udmabuf(self->dev, self->memfd, 0, MB);
	unsigned int i;

	ASSERT_LE(0, buffer);
	EXPECT_EQ(-EINVAL, buffer_sync(buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	for (i = 0; i < 2 * ARRAY_SIZE(rw); i++) {
		EXPECT_EQ(0, buffer_sync(buffer, DMA_BUF_SYNC_START | rw[i / 2]));
		EXPECT_EQ(0, buffer_sync(buffer, DMA_BUF_SYNC_START | rw[(i + 1) % 3]));
		EXPECT_EQ(0, buffer_sync(buffer, DMA_BUF_SYNC_END | rw[(i + 2) % 3]));
	}
	close(buffer);
}

struct syncer {
	int buffer;
	int errors;
	pthread_barrier_t *start;
};

static void *sync_thread(void *arg)
{
	struct syncer *syncer = arg;
	int i;

	pthread_barrier_wait(syncer->start);
	for (i = 0; i < 4; i++) {
		if (buffer_sync(syncer->buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW) ||
		    buffer_sync(syncer->buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW))
			syncer->errors++;
	}
	return NULL;
}

/* The number in one of the files of debugfs about DMA mappings, or -1. */
static long dma_debug(const char *path)
{
	char text[32];

	return read_file(path, text, sizeof(text)) > 0 ? atol(text) : -1;
}

#define DMA_FREE_ENTRIES	"/sys/kernel/debug/dma-api/num_free_entries"
#define DMA_ALL_ENTRIES		"/sys/kernel/debug/dma-api/nr_total_entries"

/* DMA mappings that exist in the whole system, or -1 if nobody counts them. */
static long dma_mappings(void)
{
	long all = dma_debug(DMA_ALL_ENTRIES), unused = dma_debug(DMA_FREE_ENTRIES);

	return all < 0 || unused < 0 ? -1 : all - unused;
}

/* Passes if threads that are the first at the same time do no harm and lose no mapping. */
TEST_F(access, concurrent_first_sync)
{
	long before = dma_mappings();
	pthread_barrier_t start;
	int i, j;

	ASSERT_EQ(0, pthread_barrier_init(&start, NULL, 2));
	for (i = 0; i < 50; i++) {
		int buffer = udmabuf(self->dev, self->memfd, 0, 16 * PAGE);
		struct syncer syncer[2];
		pthread_t thread[2];

		ASSERT_LE(0, buffer);
		for (j = 0; j < 2; j++) {
			syncer[j] = (struct syncer){ .buffer = buffer, .start = &start };
			ASSERT_EQ(0, pthread_create(&thread[j], NULL, sync_thread, &syncer[j]));
		}
		for (j = 0; j < 2; j++) {
			pthread_join(thread[j], NULL);
			EXPECT_EQ(0, syncer[j].errors);
		}
		close(buffer);
	}
	EXPECT_EQ(before, dma_mappings());
	pthread_barrier_destroy(&start);
}

struct creator {
	int dev;
	int memfd;
	int errors;
};

static void *create_thread(void *arg)
{
	struct creator *creator = arg;
	int i;

	for (i = 0; i < 25; i++) {
		int buffer = udmabuf(creator->dev, creator->memfd, i % 16 * PAGE, 8 * PAGE);
		unsigned char *map;

		if (buffer < 0) {
			creator->errors++;
			continue;
		}
		map = map_buffer(buffer, 8 * PAGE);
		if (map == MAP_FAILED || buffer_sync(buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW))
			creator->errors++;
		else
			map[7 * PAGE] = i;
		close(buffer);
		munmap(map, 8 * PAGE);
	}
	return NULL;
}

/* Passes if threads can make, use and drop buffers of the same memory. */
TEST_F(access, concurrent_creation)
{
	struct creator creator[3];
	pthread_t thread[3];
	int i;

	for (i = 0; i < 3; i++) {
		creator[i] = (struct creator){ .dev = self->dev, .memfd = self->memfd };
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, create_thread, &creator[i]));
	}
	for (i = 0; i < 3; i++) {
		pthread_join(thread[i], NULL);
		EXPECT_EQ(0, creator[i].errors);
	}
	EXPECT_FALSE(pinned(self->memfd));
}

/* ---- huge pages -------------------------------------------------------------------------- */

/* How many page tables this process has, in kB. */
static long page_tables_kb(void)
{
	return kb_of("/proc/self/status", "VmPTE:");
}

/* Passes if a buffer of huge pages is mapped by huge entries where addresses allow it. */
TEST(huge_pages_are_mapped_huge)
{
	int dev = device_open(), memfd, buffer;
	unsigned char *place, *map, *file;
	struct huge_pages old;
	long before;
	size_t i;

	if (no_device(dev))
		SKIP(return, NO_UDMABUF);
	huge_pages_on(&old);
	memfd = memfd_new(2 * HUGE, MEMFD_HUGE, F_SEAL_SHRINK);
	if (memfd < 0)
		SKIP(return, "no hugetlbfs");
	file = mmap(NULL, 2 * HUGE, RW, MAP_SHARED, memfd, 0);
	if (file == MAP_FAILED)
		SKIP(return, "no huge pages");
	for (i = 0; i < 2 * HUGE / PAGE; i++)
		write_marks(file + i * PAGE, i);

	buffer = udmabuf(dev, memfd, 0, 2 * HUGE);
	ASSERT_LE(0, buffer);
	place = mmap(NULL, 4 * HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)place);
	place = (unsigned char *)(((uintptr_t)place + HUGE - 1) & ~(HUGE - 1));
	map = mmap(place, 2 * HUGE, RW, MAP_SHARED | MAP_FIXED, buffer, 0);
	ASSERT_EQ(place, map);

	/* The first access may need a table above these. */
	EXPECT_TRUE(has_marks(map, 0));
	before = page_tables_kb();
	for (i = 0; i < 2 * HUGE / PAGE; i++)
		EXPECT_TRUE(has_marks(map + i * PAGE, i));
	EXPECT_EQ(before, page_tables_kb());

	/* A part of a huge entry can go, and be seen by a child. */
	ASSERT_EQ(0, munmap(map + PAGE, PAGE));
	EXPECT_TRUE(has_marks(map, 0));
	EXPECT_TRUE(has_marks(map + 2 * PAGE, 2));
	map[2 * PAGE + 3] = 99;
	EXPECT_EQ(99, file[2 * PAGE + 3]);

	munmap(place, 2 * HUGE);
	munmap(file, 2 * HUGE);
	close(buffer);
	close(memfd);
	huge_pages_restore(&old);
	close(dev);
}

TEST_HARNESS_MAIN
