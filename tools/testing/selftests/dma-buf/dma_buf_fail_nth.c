// SPDX-License-Identifier: GPL-2.0
/*
 * What happens when memory runs out, at each single place where it can.
 *
 * A case runs a sequence of calls again and again: in round N the Nth allocation
 * that the kernel does for this thread fails (/proc/thread-self/fail-nth). The
 * round in which nothing failed any more is the last.
 *
 * Looked for are reports of the kernel's checkers, buffers and fences that are
 * left over, descriptors that are left over, and calls that fail with something
 * else than ENOMEM. Whether a call that succeeded did what it should is not
 * looked at; the other programs of this directory do that.
 */
#include <linux/udmabuf.h>

#include "heap_test.h"

/* More than any sequence here has allocations. */
#define MAX_ROUNDS	2000

#define BUFINFO		"/sys/kernel/debug/dma_buf/bufinfo"
#define R		DMA_BUF_SYNC_READ
#define W		DMA_BUF_SYNC_WRITE

/* What sequences work with, and what becomes of them. */
struct context {
	int dev;
	int buffer;
	int control;		/* /proc/thread-self/fail-nth */
	struct fence fences[4];	/* 0 and 1 are on the buffer */
	int allocator;		/* heap or udmabuf, in the cases about them */
	int memory;		/* memfd, or buffer of a heap, in some of these */
	bool armed;		/* the failure is to come, or has come */
	bool hit;		/* valid when not armed: it has come */
	int failures;		/* calls that failed, in all rounds */
	int wrong;		/* the last error that was none of memory */
};

FIXTURE(fail_nth) {
	struct context ctx;
};

/* Allocations that may sleep fail only if told so. */
static bool fault_injection_set_up(void)
{
	if (write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N"))
		return false;
	write_file("/sys/kernel/debug/failslab/verbose", "0");
	if (!access("/sys/kernel/debug/fail_page_alloc", F_OK)) {
		write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
		write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N");
		write_file("/sys/kernel/debug/fail_page_alloc/verbose", "0");
	}
	return true;
}

FIXTURE_SETUP(fail_nth)
{
	struct context *ctx = &self->ctx;
	int i;

	ctx->dev = dev_open();
	if (no_device(ctx->dev))
		SKIP(return, NO_DEVICE);
	ASSERT_LE(0, ctx->dev);
	if (!fault_injection_set_up())
		SKIP(return, "the kernel has no CONFIG_FAILSLAB in debugfs");
	ctx->control = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (ctx->control < 0)
		SKIP(return, "the kernel has no CONFIG_FAULT_INJECTION");

	ctx->buffer = buffer_create(ctx->dev, 2 * PAGE);
	ASSERT_LE(0, ctx->buffer);
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, fence_create(ctx->dev, 0, &ctx->fences[i]));
	ASSERT_EQ(0, fence_add(ctx->dev, ctx->buffer, ctx->fences[0], WRITE));
	ASSERT_EQ(0, fence_add(ctx->dev, ctx->buffer, ctx->fences[1], READ));
}

FIXTURE_TEARDOWN(fail_nth)
{
	close(self->ctx.buffer);
	close(self->ctx.dev);
}

static void write_control(struct context *ctx, unsigned int nth)
{
	char number[16];
	int len = snprintf(number, sizeof(number), "%u", nth);

	while (pwrite(ctx->control, number, len, 0) != len)
		;
}

/* From now on the @nth allocation fails. */
static void inject(struct context *ctx, unsigned int nth)
{
	ctx->armed = true;
	ctx->hit = false;
	write_control(ctx, nth);
}

/* No failure any more. Notes whether there was one. */
static void calm(struct context *ctx)
{
	char left[16] = "";

	if (!ctx->armed)
		return;
	while (pread(ctx->control, left, sizeof(left) - 1, 0) < 0)
		;
	write_control(ctx, 0);
	ctx->armed = false;
	ctx->hit = atoi(left) == 0;
}

/* Look at what a call said. True if the sequence may go on. */
static bool fine(struct context *ctx, int ret)
{
	if (ret >= 0)
		return true;
	calm(ctx);
	if (ret == -ENOMEM)
		ctx->failures++;
	else
		ctx->wrong = ret;
	return false;
}

/* Wait until the number of descriptors, buffers and fences is back to normal. */
static bool nothing_left(struct context *ctx, struct dmabuf_test_live want,
			 int fds)
{
	return live_becomes(ctx->dev, want) && count_fds() == fds;
}

/* Run @sequence with each of its allocations failing once. */
static void sweep(struct __test_metadata *_metadata, struct context *ctx,
		  void (*sequence)(struct context *ctx))
{
	/* Before the first run, whose last references may go a little later. */
	struct dmabuf_test_live want = live(ctx->dev);
	int fds = count_fds(), next = next_fd();
	unsigned int nth;

	sequence(ctx);		/* What is allocated once and for all, is now. */
	ASSERT_EQ(0, ctx->failures);
	ASSERT_EQ(0, ctx->wrong);

	for (nth = 1; nth < MAX_ROUNDS; nth++) {
		inject(ctx, nth);
		sequence(ctx);
		calm(ctx);
		if (!ctx->hit)
			break;
		EXPECT_EQ(0, ctx->wrong) {
			TH_LOG("allocation %u", nth);
		}
		ctx->wrong = 0;
	}
	EXPECT_GT(MAX_ROUNDS, (int)nth);
	EXPECT_TRUE(nothing_left(ctx, want, fds));
	/* A number that was reserved for nothing is in no directory. */
	EXPECT_EQ(next, next_fd());
	TH_LOG("%u allocations, %d failed calls", nth - 1, ctx->failures);
}

static void sequence_export_buffer(struct context *ctx)
{
	int fd = buffer_create(ctx->dev, PAGE);

	fine(ctx, fd);
	if (fd >= 0)
		close(fd);
}

/* Passes if a buffer is made whole or not at all. */
TEST_F(fail_nth, export_buffer)
{
	sweep(_metadata, &self->ctx, sequence_export_buffer);
}

static void sequence_set_name(struct context *ctx)
{
	if (fine(ctx, buffer_name(ctx->buffer, "first")))
		fine(ctx, buffer_name(ctx->buffer, "second, which replaces it"));
}

/* Passes if a name is replaced or kept. */
TEST_F(fail_nth, set_name)
{
	sweep(_metadata, &self->ctx, sequence_set_name);
}

static void sequence_export_sync_file(struct context *ctx)
{
	int fd = buffer_export(ctx->buffer, W);

	fine(ctx, fd);
	if (fd >= 0)
		close(fd);
	fd = buffer_export(ctx->buffer, R);
	fine(ctx, fd);
	if (fd >= 0)
		close(fd);
}

/* Passes if a snapshot is made whole or not at all. */
TEST_F(fail_nth, export_sync_file)
{
	sweep(_metadata, &self->ctx, sequence_export_sync_file);
}

static void sequence_import_sync_file(struct context *ctx)
{
	int buffer = buffer_create(ctx->dev, PAGE), i;

	for (i = 0; fine(ctx, buffer) && i < 4; i++)
		if (!fine(ctx, buffer_import(buffer, i % 2 ? R : W, ctx->fences[i].fd)))
			break;
	if (buffer >= 0)
		close(buffer);
}

/* Passes if each fence is added or left out. */
TEST_F(fail_nth, import_sync_file)
{
	sweep(_metadata, &self->ctx, sequence_import_sync_file);
}

static void sequence_merge(struct context *ctx)
{
	int both = sync_merge(ctx->fences[0].fd, ctx->fences[1].fd, "two"), all;

	if (!fine(ctx, both))
		return;
	all = sync_merge(both, ctx->fences[2].fd, "three");
	fine(ctx, all);
	if (all >= 0)
		close(all);
	close(both);
}

/* Passes if a merge holds all fences or is not there. */
TEST_F(fail_nth, merge)
{
	sweep(_metadata, &self->ctx, sequence_merge);
}

static void sequence_info(struct context *ctx)
{
	struct sync_fence_info entries[4];
	struct sync_file_info info = {
		.num_fences = 4,
		.sync_fence_info = (uintptr_t)entries,
	};
	int both = sync_merge(ctx->fences[0].fd, ctx->fences[1].fd, "two");

	if (!fine(ctx, both))
		return;
	fine(ctx, xioctl(both, SYNC_IOC_FILE_INFO, &info));
	close(both);
}

/* Passes if everything is told or nothing. */
TEST_F(fail_nth, file_info)
{
	sweep(_metadata, &self->ctx, sequence_info);
}

/*
 * A pending poll keeps its buffer, so what is polled here belongs to a device of
 * its own, whose end signals the fences.
 */
static void sequence_poll(struct context *ctx)
{
	int dev = dev_open(), buffer, i;
	struct fence fence;

	if (!fine(ctx, dev))
		return;
	buffer = buffer_create(dev, PAGE);
	if (fine(ctx, buffer)) {
		for (i = 0; i < 3; i++)
			if (!fine(ctx, fence_put_on(dev, buffer, i % 2 ? READ : WRITE,
						    &fence)))
				break;
		if (i == 3 && poll_now(buffer, POLLIN | POLLOUT))
			ctx->wrong = -EIO;
		close(buffer);
	}
	close(dev);
}

/* Passes if poll() works, whatever it cannot allocate. */
TEST_F(fail_nth, poll)
{
	sweep(_metadata, &self->ctx, sequence_poll);
}

static void sequence_sync(struct context *ctx)
{
	fine(ctx, buffer_sync(ctx->buffer, W | DMA_BUF_SYNC_END));
	fine(ctx, buffer_sync_or_eintr(ctx->buffer, R | DMA_BUF_SYNC_START) == -EINTR ?
		   0 : -EINVAL);
}

/* Passes if a wait needs no memory that may be missing. */
TEST_F(fail_nth, sync)
{
	sweep(_metadata, &self->ctx, sequence_sync);
}

static void sequence_map(struct context *ctx)
{
	char *map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			 ctx->buffer, 0);

	if (fine(ctx, map == MAP_FAILED ? -errno : 0))
		munmap(map, 2 * PAGE);
}

/* Passes if a mapping that fails leaves no reference to the buffer. */
TEST_F(fail_nth, mmap)
{
	sweep(_metadata, &self->ctx, sequence_map);
}

static void sequence_import(struct context *ctx)
{
	int buffer = buffer_create(ctx->dev, 2 * PAGE);

	if (!fine(ctx, buffer))
		return;
	if (fine(ctx, import_step(ctx->dev, buffer, DMABUF_TEST_ATTACH))) {
		if (fine(ctx, import_step(ctx->dev, buffer, DMABUF_TEST_MAP)))
			fine(ctx, import_step(ctx->dev, buffer, DMABUF_TEST_UNMAP));
		fine(ctx, import_step(ctx->dev, buffer, DMABUF_TEST_DETACH));
	}
	close(buffer);
}

/* Passes if an importer gets all of the buffer or nothing. */
TEST_F(fail_nth, attach_and_map)
{
	sweep(_metadata, &self->ctx, sequence_import);
}

static void sequence_vmap(struct context *ctx)
{
	if (!fine(ctx, import_step(ctx->dev, ctx->buffer, DMABUF_TEST_VMAP)))
		return;
	calm(ctx);
	fine(ctx, import_step(ctx->dev, ctx->buffer, DMABUF_TEST_VUNMAP));
}

/* Passes if a kernel mapping that fails is an error and no reason to warn. */
TEST_F(fail_nth, vmap)
{
	sweep(_metadata, &self->ctx, sequence_vmap);
}

static void sequence_bufinfo(struct context *ctx)
{
	static char text[16384];
	ssize_t ret = read_file(BUFINFO, text, sizeof(text));

	fine(ctx, ret < 0 ? ret : 0);
}

/* Passes if the list of buffers is told or is not, and keeps no buffer. */
TEST_F(fail_nth, bufinfo)
{
	if (access(BUFINFO, R_OK))
		SKIP(return, "no " BUFINFO);
	sweep(_metadata, &self->ctx, sequence_bufinfo);
}

/* ---- where memory comes from ------------------------------------------------ */

/* More than one chunk, of more than one size, of any heap. */
#define HEAP_SIZE	(MIB + 17 * PAGE)

static void sequence_heap_alloc(struct context *ctx)
{
	int fd = heap_alloc(ctx->allocator, HEAP_SIZE);

	fine(ctx, fd);
	if (fd >= 0)
		close(fd);
}

/* Passes if a buffer of the system heap is made whole or not at all. */
TEST_F_TIMEOUT(fail_nth, system_heap, 120)
{
	self->ctx.allocator = heap_open(SYSTEM_HEAP, O_RDWR);
	if (no_device(self->ctx.allocator))
		SKIP(return, NO_HEAP);
	ASSERT_LE(0, self->ctx.allocator);
	sweep(_metadata, &self->ctx, sequence_heap_alloc);
}

/* Passes if a contiguous one is. */
TEST_F_TIMEOUT(fail_nth, contiguous_heap, 120)
{
	self->ctx.allocator = heap_open(contiguous_heap(), O_RDWR);
	if (no_device(self->ctx.allocator))
		SKIP(return, NO_HEAP);
	ASSERT_LE(0, self->ctx.allocator);
	sweep(_metadata, &self->ctx, sequence_heap_alloc);
}

/* A fault that finds no memory is repeated, so all there is to see is the contents. */
static void sequence_heap_touch(struct context *ctx)
{
	char *map = map_shared(ctx->memory, HEAP_SIZE);

	if (!fine(ctx, map == MAP_FAILED ? -errno : 0))
		return;
	if (wrong_stamp(map, 0, HEAP_SIZE / PAGE) >= 0)
		ctx->wrong = -EIO;
	munmap(map, HEAP_SIZE);
}

/* Passes if a page that cannot be mapped at first is mapped right later. */
TEST_F_TIMEOUT(fail_nth, heap_mmap, 120)
{
	char *map;

	self->ctx.allocator = heap_open(SYSTEM_HEAP, O_RDWR);
	if (no_device(self->ctx.allocator))
		SKIP(return, NO_HEAP);
	self->ctx.memory = heap_alloc(self->ctx.allocator, HEAP_SIZE);
	ASSERT_LE(0, self->ctx.memory);
	map = map_shared(self->ctx.memory, HEAP_SIZE);
	ASSERT_NE(MAP_FAILED, (void *)map);
	stamp(map, 0, HEAP_SIZE / PAGE);
	sweep(_metadata, &self->ctx, sequence_heap_touch);
}

#define MEMFD_PAGES	8

/* /dev/udmabuf, and a memfd with the seals that it asks for. False if there is none. */
static bool udmabuf_set_up(struct context *ctx)
{
	ctx->allocator = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	if (ctx->allocator < 0)
		return false;
	ctx->memory = memfd_create("fail-nth", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	return ctx->memory >= 0 &&
	       !ftruncate(ctx->memory, MEMFD_PAGES * PAGE) &&
	       !fcntl(ctx->memory, F_ADD_SEALS, F_SEAL_SHRINK);
}

/* A buffer is used once by the CPU and given up. */
static void use_and_close(struct context *ctx, int buffer)
{
	if (!fine(ctx, buffer))
		return;
	if (fine(ctx, buffer_sync(buffer, DMA_BUF_SYNC_RW | DMA_BUF_SYNC_START)))
		fine(ctx, buffer_sync(buffer, DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END));
	close(buffer);
}

static void sequence_udmabuf(struct context *ctx)
{
	struct udmabuf_create arg = {
		.memfd = ctx->memory,
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.size = MEMFD_PAGES * PAGE,
	};

	use_and_close(ctx, xioctl(ctx->allocator, UDMABUF_CREATE, &arg));
}

/* Passes if pages of a memfd become a buffer whole or not at all. */
TEST_F_TIMEOUT(fail_nth, udmabuf, 120)
{
	if (!udmabuf_set_up(&self->ctx))
		SKIP(return, "no /dev/udmabuf");
	sweep(_metadata, &self->ctx, sequence_udmabuf);
}

static void sequence_udmabuf_list(struct context *ctx)
{
	struct {
		struct udmabuf_create_list head;
		struct udmabuf_create_item items[3];
	} arg = {
		.head = { .flags = UDMABUF_FLAGS_CLOEXEC, .count = 3 },
		.items = {
			{ .memfd = ctx->memory, .size = 2 * PAGE },
			{ .memfd = ctx->memory, .offset = 5 * PAGE, .size = PAGE },
			{ .memfd = ctx->memory, .offset = PAGE, .size = 3 * PAGE },
		},
	};

	use_and_close(ctx, xioctl(ctx->allocator, UDMABUF_CREATE_LIST, &arg));
}

/* Passes if all parts of a list are given back when one cannot be had. */
TEST_F_TIMEOUT(fail_nth, udmabuf_list, 120)
{
	if (!udmabuf_set_up(&self->ctx))
		SKIP(return, "no /dev/udmabuf");
	sweep(_metadata, &self->ctx, sequence_udmabuf_list);
}

TEST_HARNESS_MAIN
