// SPDX-License-Identifier: GPL-2.0
/*
 * A dma-buf as a file descriptor: its flags, its size, copies of it, and how it
 * gets to other processes.
 */
#include "dmabuf_test.h"

#define NR_PAGES	3
#define RW		(PROT_READ | PROT_WRITE)
#define MAGIC		0x600df00d

FIXTURE(fd) {
	int dev;
	int buffer;
	size_t size;
};

FIXTURE_SETUP(fd)
{
	self->dev = dev_open();
	if (no_device(self->dev))
		SKIP(return, NO_DEVICE);
	ASSERT_LE(0, self->dev);
	self->size = NR_PAGES * PAGE;
	self->buffer = buffer_create(self->dev, self->size);
	ASSERT_LE(0, self->buffer);
}

FIXTURE_TEARDOWN(fd)
{
	close(self->buffer);
	close(self->dev);
}

/* The first word of a buffer; 0 if it cannot be mapped. */
static int peek(int buffer)
{
	int *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, buffer, 0), word;

	if (map == MAP_FAILED)
		return 0;
	word = *map;
	munmap(map, PAGE);
	return word;
}

static void poke(int buffer, int word)
{
	int *map = mmap(NULL, PAGE, RW, MAP_SHARED, buffer, 0);

	if (map == MAP_FAILED)
		return;
	*map = word;
	munmap(map, PAGE);
}

/* ---- exec ------------------------------------------------------------------------- */

/*
 * With these arguments the program says how large the buffer behind a descriptor
 * is, in pages, as its exit status: 0 if the descriptor is not open.
 */
__attribute__((constructor))
static void probe_main(int argc, char **argv)
{
	off_t size;

	if (argc != 3 || strcmp(argv[1], "--probe-fd"))
		return;
	size = lseek(atoi(argv[2]), 0, SEEK_END);
	_exit(size < 0 ? 0 : size / sysconf(_SC_PAGESIZE));
}

/* What a program that is executed finds behind @fd. */
static int probe_by_exec(int fd)
{
	char number[16];
	pid_t pid = fork();

	if (!pid) {
		snprintf(number, sizeof(number), "%d", fd);
		execl("/proc/self/exe", "probe", "--probe-fd", number, NULL);
		_exit(255);
	}
	return child_status(pid, SOON_MS);
}

/* Passes if a descriptor without close-on-exec is there after exec, and one with is not. */
TEST_F(fd, exec)
{
	int kept = buffer_open(self->dev, self->size, 0, O_RDWR, 0);

	ASSERT_LE(0, kept);
	EXPECT_EQ(NR_PAGES, probe_by_exec(kept));
	EXPECT_EQ(0, probe_by_exec(self->buffer));

	ASSERT_EQ(0, fcntl(kept, F_SETFD, FD_CLOEXEC));
	EXPECT_EQ(0, probe_by_exec(kept));
	ASSERT_EQ(0, fcntl(self->buffer, F_SETFD, 0));
	EXPECT_EQ(NR_PAGES, probe_by_exec(self->buffer));
	close(kept);
}

/* Passes if a buffer goes when exec closes the last descriptor of it. */
TEST_F(fd, exec_closes_the_last)
{
	struct dmabuf_test_live want = live(self->dev);
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		if (buffer_create(self->dev, PAGE) < 0)
			_exit(1);
		execl("/proc/self/exe", "probe", "--probe-fd", "1000", NULL);
		_exit(2);
	}
	EXPECT_EQ(0, child_status(pid, SOON_MS));
	EXPECT_TRUE(live_becomes(self->dev, want));
}

/* ---- flags -------------------------------------------------------------------------- */

/* Passes if the descriptor has the mode that the exporter gave the file. */
TEST_F(fd, access_mode_is_the_exporters)
{
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		int buffer = buffer_open(self->dev, PAGE, 0, modes[i], O_CLOEXEC);

		ASSERT_LE(0, buffer);
		EXPECT_EQ(modes[i], fcntl(buffer, F_GETFL) & O_ACCMODE);
		close(buffer);
	}
}

/* Passes if close-on-exec is set if it was asked for. */
TEST_F(fd, cloexec_as_asked_for)
{
	int without = buffer_open(self->dev, PAGE, 0, O_RDWR, 0);

	ASSERT_LE(0, without);
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->buffer, F_GETFD));
	EXPECT_EQ(0, fcntl(without, F_GETFD));
	close(without);
}

/* Passes if a new buffer gets the lowest descriptor, and none at the limit. */
TEST_F(fd, limit_of_descriptors)
{
	struct dmabuf_test_live want = live(self->dev);
	struct rlimit old = no_more_fds();
	int next;

	EXPECT_EQ(-EMFILE, buffer_create(self->dev, PAGE));
	EXPECT_TRUE(live_becomes(self->dev, want));
	setrlimit(RLIMIT_NOFILE, &old);
	next = next_fd();
	EXPECT_EQ(next, buffer_create(self->dev, PAGE));
}

/* ---- the file --------------------------------------------------------------------------- */

/* Passes if seeking to an end tells the size and everything else is refused. */
TEST_F(fd, lseek)
{
	static const int others[] = { SEEK_CUR, SEEK_DATA, SEEK_HOLE, 5, 77, -1 };
	static const off_t offsets[] = { 1, -1, 4096, -4096, INT64_MAX, INT64_MIN };
	off_t size = self->size;
	unsigned int w, o;

	EXPECT_EQ(size, lseek(self->buffer, 0, SEEK_END));
	EXPECT_EQ(0, lseek(self->buffer, 0, SEEK_SET));
	EXPECT_EQ(size, lseek(self->buffer, 0, SEEK_END));

	for (o = 0; o < ARRAY_SIZE(offsets); o++) {
		EXPECT_EQ(-1, lseek(self->buffer, offsets[o], SEEK_SET));
		EXPECT_EQ(EINVAL, errno);
		EXPECT_EQ(-1, lseek(self->buffer, offsets[o], SEEK_END));
		EXPECT_EQ(EINVAL, errno);
	}
	for (w = 0; w < ARRAY_SIZE(others); w++) {
		EXPECT_EQ(-1, lseek(self->buffer, 0, others[w]));
		EXPECT_EQ(EINVAL, errno);
		EXPECT_EQ(-1, lseek(self->buffer, 1, others[w]));
		EXPECT_EQ(EINVAL, errno);
	}
}

/* Passes if there is nothing that read() and write() could do. */
TEST_F(fd, is_not_read_or_written)
{
	char byte = 0;

	EXPECT_EQ(-1, read(self->buffer, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->buffer, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, ftruncate(self->buffer, 2 * PAGE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ((off_t)self->size, lseek(self->buffer, 0, SEEK_END));
}

/* Passes if stat tells the size and a number that no other buffer has. */
TEST_F(fd, stat)
{
	int other = buffer_create(self->dev, PAGE);
	struct stat one, two;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, fstat(self->buffer, &one));
	ASSERT_EQ(0, fstat(other, &two));
	EXPECT_EQ((off_t)self->size, one.st_size);
	EXPECT_EQ((off_t)PAGE, two.st_size);
	EXPECT_EQ(one.st_dev, two.st_dev);
	EXPECT_LT(one.st_ino, two.st_ino);
	EXPECT_EQ(one.st_size / 512, one.st_blocks);
	close(other);
}

/* Passes if the link in /proc opens no second file. */
TEST_F(fd, cannot_be_opened_again)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->buffer);
	EXPECT_EQ(-1, open(path, O_RDWR));
	EXPECT_EQ(ENXIO, errno);
}

/* ---- copies ------------------------------------------------------------------------------ */

/* Passes if all copies are one buffer, which goes with the last. */
TEST_F(fd, dup)
{
	struct dmabuf_test_live before = live(self->dev), with = before;
	int copies[4], i;
	struct stat one, two;

	copies[0] = buffer_open(self->dev, self->size, 0, O_RDWR, 0);
	ASSERT_LE(0, copies[0]);
	copies[1] = dup(copies[0]);
	copies[2] = dup3(copies[0], 100, O_CLOEXEC);
	copies[3] = fcntl(copies[0], F_DUPFD_CLOEXEC, 200);
	EXPECT_EQ(0, fcntl(copies[1], F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(copies[2], F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(copies[3], F_GETFD));

	with.buffers++;
	ASSERT_EQ(0, fstat(copies[0], &one));
	poke(copies[0], MAGIC);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, fstat(copies[i], &two));
		EXPECT_EQ(one.st_ino, two.st_ino);
		EXPECT_EQ(MAGIC, peek(copies[i]));
		EXPECT_TRUE(live_becomes(self->dev, with));
		close(copies[i]);
	}
	EXPECT_TRUE(live_becomes(self->dev, before));
}

/* Passes if a fence that is put on one copy is on all, and stays without it. */
TEST_F(fd, dup_shares_fences)
{
	int copy = dup(self->buffer);
	struct fence fence;

	ASSERT_LE(0, copy);
	ASSERT_EQ(0, fence_put_on(self->dev, copy, WRITE, &fence));
	EXPECT_EQ(0, poll_now(self->buffer, POLLIN));
	close(copy);
	EXPECT_EQ(0, poll_now(self->buffer, POLLIN));
	fence_signal(self->dev, fence);
	EXPECT_EQ(POLLIN, poll_for(self->buffer, POLLIN, SOON_MS));
}

/* Passes if a child keeps what the parent has closed. */
TEST_F(fd, fork)
{
	struct dmabuf_test_live before = live(self->dev), with = before;
	int buffer = buffer_create(self->dev, PAGE), pipes[2];
	char byte;
	pid_t pid;

	ASSERT_LE(0, buffer);
	ASSERT_EQ(0, pipe(pipes));
	poke(buffer, MAGIC);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(pipes[1]);
		if (read(pipes[0], &byte, 1) != 0)
			_exit(1);
		_exit(peek(buffer) == MAGIC ? 42 : 2);
	}
	close(buffer);
	with.buffers++;
	EXPECT_TRUE(live_becomes(self->dev, with));
	close(pipes[1]);
	EXPECT_EQ(42, child_status(pid, SOON_MS));
	EXPECT_TRUE(live_becomes(self->dev, before));
}

/* ---- to another process -------------------------------------------------------------------- */

/* The receiver's part: 0 if all is as it should be. */
static int receive_and_use(int sock)
{
	int buffer = receive_fd(sock, MSG_CMSG_CLOEXEC);

	if (buffer < 0)
		return 1;
	if (fcntl(buffer, F_GETFD) != FD_CLOEXEC)
		return 2;
	if (lseek(buffer, 0, SEEK_END) != (off_t)(NR_PAGES * PAGE))
		return 3;
	if (peek(buffer) != MAGIC)
		return 4;
	if (buffer_sync(buffer, DMA_BUF_SYNC_WRITE | DMA_BUF_SYNC_START))
		return 5;
	poke(buffer, ~MAGIC);
	if (buffer_sync(buffer, DMA_BUF_SYNC_WRITE | DMA_BUF_SYNC_END))
		return 6;
	if (buffer_name(buffer, "received"))
		return 7;
	return 0;
}

/* Passes if a process that never had the buffer gets it, all of it, and can use it. */
TEST_F(fd, scm_rights)
{
	int socks[2];
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(self->buffer);
		close(self->dev);
		_exit(receive_and_use(socks[1]));
	}
	close(socks[1]);
	poke(self->buffer, MAGIC);
	EXPECT_EQ(0, send_fd(socks[0], self->buffer));
	EXPECT_EQ(0, child_status(pid, SOON_MS));
	EXPECT_EQ(~MAGIC, peek(self->buffer));
}

/* Passes if a buffer on its way lives, with no descriptor of it open anywhere. */
TEST_F(fd, scm_rights_in_flight)
{
	struct dmabuf_test_live before = live(self->dev), with = before;
	int buffer = buffer_create(self->dev, PAGE), socks[2];

	ASSERT_LE(0, buffer);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	poke(buffer, MAGIC);
	ASSERT_EQ(0, send_fd(socks[0], buffer));
	ASSERT_EQ(0, send_fd(socks[0], buffer));
	close(buffer);

	with.buffers++;
	EXPECT_TRUE(live_becomes(self->dev, with));
	buffer = receive_fd(socks[1], 0);
	ASSERT_LE(0, buffer);
	EXPECT_EQ(MAGIC, peek(buffer));
	close(buffer);
	EXPECT_TRUE(live_becomes(self->dev, with));
	close(socks[1]);	/* The second copy is never received. */
	close(socks[0]);
	EXPECT_TRUE(live_becomes(self->dev, before));
}

TEST_HARNESS_MAIN
