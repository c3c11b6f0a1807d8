// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of a dma-buf other than SYNC: what is none of them, names, and the
 * exchange of fences with sync_files. Argument checking; what the fences do to
 * a poller is in dma_buf_poll.c and dma_buf_sync_file.c.
 */
#include <sys/epoll.h>

#include "compat_test.h"
#include "dmabuf_test.h"

#define R	DMA_BUF_SYNC_READ
#define W	DMA_BUF_SYNC_WRITE

FIXTURE(ioctl) {
	int dev;
	int buffer;
	struct fence fence;	/* pending, on no buffer */
};

FIXTURE_SETUP(ioctl)
{
	self->dev = dev_open();
	if (no_device(self->dev))
		SKIP(return, NO_DEVICE);
	ASSERT_LE(0, self->dev);
	self->buffer = buffer_create(self->dev, PAGE);
	ASSERT_LE(0, self->buffer);
	ASSERT_EQ(0, fence_create(self->dev, 0, &self->fence));
}

FIXTURE_TEARDOWN(ioctl)
{
	close(self->fence.fd);
	close(self->buffer);
	close(self->dev);
}

/* ---- what is no ioctl ------------------------------------------------------ */

static bool is_known(unsigned long cmd)
{
	return cmd == DMA_BUF_IOCTL_SYNC || cmd == DMA_BUF_SET_NAME_A ||
	       cmd == DMA_BUF_SET_NAME_B || cmd == DMA_BUF_IOCTL_EXPORT_SYNC_FILE ||
	       cmd == DMA_BUF_IOCTL_IMPORT_SYNC_FILE;
}

/*
 * Passes if, for all numbers, all directions and some sizes, only the five
 * defined ones are known: a known number with another size or direction is not.
 */
TEST_F(ioctl, unknown_is_enotty)
{
	static const unsigned int sizes[] = { 0, 1, 4, 8, 16, 40, 8192 };
	unsigned int nr, dir, s;
	int known = 0;

	for (nr = 0; nr < 256; nr++) {
		for (dir = 0; dir < 4; dir++) {
			for (s = 0; s < ARRAY_SIZE(sizes); s++) {
				unsigned long cmd = _IOC(dir, DMA_BUF_BASE, nr, sizes[s]);

				if (is_known(cmd)) {
					known++;
					continue;
				}
				ASSERT_EQ(-ENOTTY, xioctl(self->buffer, cmd, NULL)) {
					TH_LOG("command %#lx", cmd);
				}
			}
		}
	}
	EXPECT_EQ(5, known);
}

/* Passes if our numbers under another type are not ours. */
TEST_F(ioctl, other_type_is_enotty)
{
	static const char types[] = { '>', 'H', 'u', 'B', 'W', 'a', 'c' };
	struct dma_buf_sync arg = { .flags = R };
	unsigned int t;

	for (t = 0; t < sizeof(types); t++) {
		EXPECT_EQ(-ENOTTY, xioctl(self->buffer,
					  _IOW(types[t], 0, struct dma_buf_sync), &arg));
		EXPECT_EQ(-ENOTTY, xioctl(self->buffer, _IOW(types[t], 1, __u64), ""));
	}
	EXPECT_EQ(0, calls(self->dev, self->buffer, DMABUF_TEST_OP_BEGIN));
}

/* ---- names ----------------------------------------------------------------- */

/* The name as fdinfo shows it, "(none)" without one. */
static const char *shown_name(int buffer)
{
	static char text[4096];
	char path[64], *line;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", buffer);
	if (read_file(path, text, sizeof(text)) < 0)
		return "(no fdinfo)";
	line = strstr(text, "\nname:\t");
	if (!line)
		return "(none)";
	line += strlen("\nname:\t");
	line[strcspn(line, "\n")] = '\0';
	return line;
}

/* Passes if all three numbers of the call do the same. */
TEST_F(ioctl, name_by_each_number)
{
	EXPECT_STREQ("(none)", shown_name(self->buffer));
	EXPECT_EQ(0, xioctl(self->buffer, DMA_BUF_SET_NAME, "plain"));
	EXPECT_STREQ("plain", shown_name(self->buffer));
	EXPECT_EQ(0, xioctl(self->buffer, DMA_BUF_SET_NAME_A, "from A"));
	EXPECT_STREQ("from A", shown_name(self->buffer));
	EXPECT_EQ(0, xioctl(self->buffer, DMA_BUF_SET_NAME_B, "from B"));
	EXPECT_STREQ("from B", shown_name(self->buffer));
}

/* Passes if names of up to 31 bytes are taken whole, and longer ones not at all. */
TEST_F(ioctl, name_length_is_limited)
{
	static const size_t long_ones[] = { 32, 33, 63, 4000 };
	char name[4096] = "";
	unsigned int i;

	for (i = 0; i < 32; i++) {
		memset(name, 'n', i);
		EXPECT_EQ(0, buffer_name(self->buffer, name));
		EXPECT_STREQ(name, shown_name(self->buffer));
	}

	EXPECT_EQ(0, buffer_name(self->buffer, "kept"));
	for (i = 0; i < ARRAY_SIZE(long_ones); i++) {
		memset(name, 'n', long_ones[i]);
		EXPECT_EQ(-EINVAL, buffer_name(self->buffer, name));
		EXPECT_STREQ("kept", shown_name(self->buffer));
	}
}

/*
 * Passes if no byte behind the 32nd is looked at, and a name that runs into
 * memory that is not there before it ends is a fault.
 */
TEST_F(ioctl, name_at_end_of_memory)
{
	char name[33];

	memset(name, 'e', sizeof(name));
	EXPECT_EQ(-EINVAL, buffer_name(self->buffer, at_end_of_page(name, 32)));
	EXPECT_EQ(-EFAULT, buffer_name(self->buffer, at_end_of_page(name, 31)));
	EXPECT_EQ(-EFAULT, buffer_name(self->buffer, at_end_of_page(name, 1)));
	EXPECT_STREQ("(none)", shown_name(self->buffer));

	name[31] = '\0';
	EXPECT_EQ(0, buffer_name(self->buffer, at_end_of_page(name, 32)));
	EXPECT_STREQ(name, shown_name(self->buffer));
	EXPECT_EQ(0, buffer_name(self->buffer, at_end_of_page("", 1)));
	EXPECT_STREQ("", shown_name(self->buffer));
}

/* Passes if a name that cannot be read is a fault and changes nothing. */
TEST_F(ioctl, name_bad_pointer_is_efault)
{
	static const unsigned long numbers[] = {
		DMA_BUF_SET_NAME_A, DMA_BUF_SET_NAME_B,
	};
	unsigned int n;
	int i;

	EXPECT_EQ(0, buffer_name(self->buffer, "kept"));
	for (n = 0; n < ARRAY_SIZE(numbers); n++) {
		for (i = 0; i < NR_BAD_POINTERS - 1; i++) {
			EXPECT_EQ(-EFAULT, xioctl(self->buffer, numbers[n],
						  bad_pointer(i, 1))) {
				TH_LOG("pointer %d", i);
			}
		}
	}
	EXPECT_STREQ("kept", shown_name(self->buffer));
}

/* Passes if a buffer in use can be renamed: the name is for people only. */
TEST_F(ioctl, name_of_attached_buffer_changes)
{
	ASSERT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_ATTACH));
	ASSERT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_MAP));
	EXPECT_EQ(0, buffer_name(self->buffer, "in use"));
	EXPECT_STREQ("in use", shown_name(self->buffer));
	EXPECT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_UNMAP));
	EXPECT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_DETACH));
}

struct renamer {
	int buffer;
	bool stop;
};

static void *rename_thread(void *arg)
{
	struct renamer *renamer = arg;

	while (!__atomic_load_n(&renamer->stop, __ATOMIC_RELAXED)) {
		buffer_name(renamer->buffer, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
		buffer_name(renamer->buffer, "bb");
	}
	return NULL;
}

/* Passes if whoever reads the name while it changes sees one or the other. */
TEST_F(ioctl, name_read_while_it_changes)
{
	struct renamer renamer = { .buffer = self->buffer };
	pthread_t thread;
	int i;

	ASSERT_EQ(0, buffer_name(self->buffer, "bb"));
	ASSERT_EQ(0, pthread_create(&thread, NULL, rename_thread, &renamer));
	for (i = 0; i < 300; i++) {
		const char *name = shown_name(self->buffer);

		ASSERT_TRUE(!strcmp(name, "bb") ||
			    !strcmp(name, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")) {
			TH_LOG("%s", name);
		}
	}
	__atomic_store_n(&renamer.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

/* ---- 32-bit programs --------------------------------------------------------- */

#ifdef __x86_64__
/* Passes if a 32-bit program can do all that a 64-bit one can. */
TEST_F(ioctl, compat)
{
	static const char name_a[] = "32 bits", name_b[] = "B";
	struct dma_buf_export_sync_file *export;
	struct dma_buf_sync *sync;
	void *low;

	if (!has_compat())
		SKIP(return, "the kernel runs no 32-bit programs");

	low = low_memory();
	ASSERT_NE(MAP_FAILED, low);
	ASSERT_GT(1UL << 32, (unsigned long)low);

	memcpy(low, name_a, sizeof(name_a));
	EXPECT_EQ(0, ioctl32(self->buffer, DMA_BUF_SET_NAME_A, low));
	EXPECT_STREQ(name_a, shown_name(self->buffer));
	memcpy(low, name_b, sizeof(name_b));
	EXPECT_EQ(0, ioctl32(self->buffer, DMA_BUF_SET_NAME_B, low));
	EXPECT_STREQ(name_b, shown_name(self->buffer));

	sync = low;
	sync->flags = R;
	EXPECT_EQ(0, ioctl32(self->buffer, DMA_BUF_IOCTL_SYNC, sync));
	EXPECT_EQ(-EFAULT, ioctl32(self->buffer, DMA_BUF_IOCTL_SYNC, NULL));

	export = low;
	export->flags = W;
	export->fd = -1;
	EXPECT_EQ(0, ioctl32(self->buffer, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, export));
	EXPECT_EQ(1, sync_status(export->fd));
	EXPECT_EQ(0, ioctl32(self->buffer, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, export));
}
#endif

/* ---- fences to sync_files ------------------------------------------------------ */

/* Passes if each of the three combinations is taken. */
TEST_F(ioctl, export_valid_flags)
{
	__u32 flags;

	for (flags = R; flags <= (R | W); flags++) {
		int fd = buffer_export(self->buffer, flags);

		ASSERT_LE(0, fd);
		EXPECT_EQ(1, sync_status(fd));
		close(fd);
	}
}

/* Passes if no flag, and each of the 30 bits that mean nothing, is refused. */
TEST_F(ioctl, export_invalid_flags_are_einval)
{
	int fds = count_fds(), bit;

	EXPECT_EQ(-EINVAL, buffer_export(self->buffer, 0));
	for (bit = 2; bit < 32; bit++) {
		EXPECT_EQ(-EINVAL, buffer_export(self->buffer, 1U << bit));
		EXPECT_EQ(-EINVAL, buffer_export(self->buffer, 1U << bit | R | W));
	}
	EXPECT_EQ(fds, count_fds());
}

/* Passes if an argument that is not there is a fault. */
TEST_F(ioctl, export_bad_pointer_is_efault)
{
	size_t size = sizeof(struct dma_buf_export_sync_file);
	int fds = count_fds(), i;

	for (i = 0; i < NR_BAD_POINTERS; i++) {
		EXPECT_EQ(-EFAULT, xioctl(self->buffer, DMA_BUF_IOCTL_EXPORT_SYNC_FILE,
					  bad_pointer(i, size))) {
			TH_LOG("pointer %d", i);
		}
	}
	EXPECT_EQ(fds, count_fds());
}

/* Passes if an argument that cannot be written leaves no descriptor and no fence. */
TEST_F(ioctl, export_into_read_only_memory_leaves_nothing)
{
	struct dma_buf_export_sync_file arg = { .flags = W };
	struct dmabuf_test_fence_state before, after;
	int fds = count_fds();

	ASSERT_EQ(0, fence_add(self->dev, self->buffer, self->fence, WRITE));
	ASSERT_EQ(0, fence_state(self->dev, self->fence, &before));
	EXPECT_EQ(-EFAULT, xioctl(self->buffer, DMA_BUF_IOCTL_EXPORT_SYNC_FILE,
				  read_only(&arg, sizeof(arg))));
	EXPECT_EQ(fds, count_fds());
	ASSERT_EQ(0, fence_state(self->dev, self->fence, &after));
	EXPECT_EQ(before.nr_refs, after.nr_refs);
}

/* Passes if the limit of descriptors is reported, and costs nothing. */
TEST_F(ioctl, export_at_fd_limit_is_emfile)
{
	struct rlimit old = no_more_fds();
	struct dmabuf_test_fence_state before, after;

	ASSERT_EQ(0, fence_add(self->dev, self->buffer, self->fence, WRITE));
	ASSERT_EQ(0, fence_state(self->dev, self->fence, &before));
	EXPECT_EQ(-EMFILE, buffer_export(self->buffer, R | W));
	ASSERT_EQ(0, fence_state(self->dev, self->fence, &after));
	EXPECT_EQ(before.nr_refs, after.nr_refs);
	setrlimit(RLIMIT_NOFILE, &old);
	EXPECT_LE(0, buffer_export(self->buffer, R | W));
}

/* Passes if what comes out is closed on exec, and read-only. */
TEST_F(ioctl, export_descriptor_flags)
{
	int fd = buffer_export(self->buffer, R);

	ASSERT_LE(0, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(O_RDONLY, fcntl(fd, F_GETFL) & O_ACCMODE);
}

/* Passes if each of the three combinations is taken, of a fence and of none. */
TEST_F(ioctl, import_valid_flags)
{
	__u32 flags;

	for (flags = R; flags <= (R | W); flags++)
		EXPECT_EQ(0, buffer_import(self->buffer, flags, self->fence.fd));
	fence_signal(self->dev, self->fence);
	for (flags = R; flags <= (R | W); flags++)
		EXPECT_EQ(0, buffer_import(self->buffer, flags, self->fence.fd));
}

/* Passes if no flag, and each of the 30 bits that mean nothing, is refused. */
TEST_F(ioctl, import_invalid_flags_are_einval)
{
	int bit;

	EXPECT_EQ(-EINVAL, buffer_import(self->buffer, 0, self->fence.fd));
	for (bit = 2; bit < 32; bit++) {
		EXPECT_EQ(-EINVAL, buffer_import(self->buffer, 1U << bit, self->fence.fd));
		EXPECT_EQ(-EINVAL, buffer_import(self->buffer, 1U << bit | R | W,
						 self->fence.fd));
	}
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(self->buffer, POLLIN | POLLOUT));
}

/* Passes if an argument that is not there is a fault, and may be read-only. */
TEST_F(ioctl, import_bad_pointer_is_efault)
{
	struct dma_buf_import_sync_file arg = { .flags = R, .fd = self->fence.fd };
	int i;

	for (i = 0; i < NR_BAD_POINTERS; i++) {
		EXPECT_EQ(-EFAULT, xioctl(self->buffer, DMA_BUF_IOCTL_IMPORT_SYNC_FILE,
					  bad_pointer(i, sizeof(arg)))) {
			TH_LOG("pointer %d", i);
		}
	}
	EXPECT_EQ(0, xioctl(self->buffer, DMA_BUF_IOCTL_IMPORT_SYNC_FILE,
			    read_only(&arg, sizeof(arg))));
	EXPECT_EQ(0, xioctl(self->buffer, DMA_BUF_IOCTL_IMPORT_SYNC_FILE,
			    at_end_of_page(&arg, sizeof(arg))));
}

/* Passes if only a sync_file is taken for one. */
TEST_F(ioctl, import_of_other_fd_is_einval)
{
	int null = open("/dev/null", O_RDWR), pipes[2], i;
	int closed = next_fd();
	int bad[] = {
		-1, -100, INT32_MAX, INT32_MIN, closed, null, self->buffer,
		self->dev, 0, 0, epoll_create1(0),
	};

	ASSERT_EQ(0, pipe(pipes));
	bad[8] = pipes[0];
	bad[9] = pipes[1];
	close(bad[4] = dup(null));
	for (i = 0; i < (int)ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, buffer_import(self->buffer, R | W, bad[i])) {
			TH_LOG("descriptor number %d", i);
		}
	}
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(self->buffer, POLLIN | POLLOUT));
}

/* Passes if the sync_file is still the caller's after the import. */
TEST_F(ioctl, import_borrows_the_sync_file)
{
	EXPECT_EQ(0, buffer_import(self->buffer, W, self->fence.fd));
	EXPECT_EQ(0, sync_status(self->fence.fd));
	EXPECT_EQ(0, close(self->fence.fd));
	EXPECT_EQ(0, poll_now(self->buffer, POLLIN));
	EXPECT_EQ(0, fence_signal(self->dev, self->fence));
	EXPECT_EQ(POLLIN, poll_for(self->buffer, POLLIN, SOON_MS));
}

/* Passes if the same fence can be imported any number of times. */
TEST_F(ioctl, import_again_and_again)
{
	struct dmabuf_test_fence_state before, after;
	int i;

	ASSERT_EQ(0, buffer_import(self->buffer, W, self->fence.fd));
	ASSERT_EQ(0, fence_state(self->dev, self->fence, &before));
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, buffer_import(self->buffer, W, self->fence.fd));
	ASSERT_EQ(0, fence_state(self->dev, self->fence, &after));
	EXPECT_EQ(before.nr_refs, after.nr_refs);
}

TEST_HARNESS_MAIN
