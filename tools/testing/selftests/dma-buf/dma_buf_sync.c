// SPDX-License-Identifier: GPL-2.0
/*
 * DMA_BUF_IOCTL_SYNC: which flags it takes, which fences it waits for, what a
 * signal does to it, and when the exporter is called.
 */
#include "dmabuf_test.h"

#define START		DMA_BUF_SYNC_START
#define END		DMA_BUF_SYNC_END
#define R		DMA_BUF_SYNC_READ
#define W		DMA_BUF_SYNC_WRITE

static const __u64 valid_flags[] = {
	R | START, W | START, R | W | START, R | END, W | END, R | W | END,
};

FIXTURE(sync) {
	int dev;
	int buffer;
};

FIXTURE_SETUP(sync)
{
	self->dev = dev_open();
	if (no_device(self->dev))
		SKIP(return, NO_DEVICE);
	ASSERT_LE(0, self->dev);
	self->buffer = buffer_create(self->dev, PAGE);
	ASSERT_LE(0, self->buffer);
}

FIXTURE_TEARDOWN(sync)
{
	close(self->buffer);
	close(self->dev);
}

/* Passes if each combination reaches the exporter's one callback for it, once. */
TEST_F(sync, valid_flags_call_the_exporter)
{
	int begins = 0, ends = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(valid_flags); i++) {
		EXPECT_EQ(0, buffer_sync(self->buffer, valid_flags[i]));
		if (valid_flags[i] & END)
			ends++;
		else
			begins++;
		EXPECT_EQ(begins, calls(self->dev, self->buffer, DMABUF_TEST_OP_BEGIN));
		EXPECT_EQ(ends, calls(self->dev, self->buffer, DMABUF_TEST_OP_END));
	}
}

/* Passes if an access without a direction is refused. */
TEST_F(sync, without_direction_is_einval)
{
	EXPECT_EQ(-EINVAL, buffer_sync(self->buffer, START));
	EXPECT_EQ(-EINVAL, buffer_sync(self->buffer, END));
}

/* Passes if none of the 61 bits that mean nothing is taken, in any company. */
TEST_F(sync, each_unknown_bit_is_einval)
{
	unsigned int i, bit;

	for (bit = 3; bit < 64; bit++) {
		EXPECT_EQ(-EINVAL, buffer_sync(self->buffer, 1ULL << bit));
		for (i = 0; i < ARRAY_SIZE(valid_flags); i++) {
			EXPECT_EQ(-EINVAL, buffer_sync(self->buffer,
						       valid_flags[i] | 1ULL << bit)) {
				TH_LOG("bit %u", bit);
			}
		}
	}
	EXPECT_EQ(-EINVAL, buffer_sync(self->buffer, ~0ULL));
	EXPECT_EQ(0, calls(self->dev, self->buffer, DMABUF_TEST_OP_BEGIN));
	EXPECT_EQ(0, calls(self->dev, self->buffer, DMABUF_TEST_OP_END));
}

/* Passes if an argument that cannot be read is a fault. */
TEST_F(sync, bad_pointer_is_efault)
{
	int i;

	for (i = 0; i < NR_BAD_POINTERS; i++) {
		EXPECT_EQ(-EFAULT, xioctl(self->buffer, DMA_BUF_IOCTL_SYNC,
					  bad_pointer(i, sizeof(struct dma_buf_sync)))) {
			TH_LOG("pointer %d", i);
		}
	}
}

/* Passes if the argument may end where memory ends, and is not written. */
TEST_F(sync, argument_is_only_read)
{
	struct dma_buf_sync arg = { .flags = R | START };

	EXPECT_EQ(0, xioctl(self->buffer, DMA_BUF_IOCTL_SYNC,
			    at_end_of_page(&arg, sizeof(arg))));
	EXPECT_EQ(0, xioctl(self->buffer, DMA_BUF_IOCTL_SYNC,
			    read_only(&arg, sizeof(arg))));
}

/* Passes if an exporter without the callbacks has nothing to do. */
TEST_F(sync, without_callbacks_succeeds)
{
	int buffer = buffer_open(self->dev, PAGE, DMABUF_TEST_NO_CPU, O_RDWR, 0);
	unsigned int i;

	ASSERT_LE(0, buffer);
	for (i = 0; i < ARRAY_SIZE(valid_flags); i++)
		EXPECT_EQ(0, buffer_sync(buffer, valid_flags[i]));
}

/* Passes if what the exporter says is what user space hears. */
TEST_F(sync, error_of_exporter_is_passed_on)
{
	ASSERT_EQ(0, fail_next(self->dev, self->buffer, DMABUF_TEST_OP_BEGIN, -EIO));
	EXPECT_EQ(-EIO, buffer_sync(self->buffer, R | START));
	EXPECT_EQ(0, buffer_sync(self->buffer, R | START));

	ASSERT_EQ(0, fail_next(self->dev, self->buffer, DMABUF_TEST_OP_END, -ENXIO));
	EXPECT_EQ(-ENXIO, buffer_sync(self->buffer, R | END));
	EXPECT_EQ(0, buffer_sync(self->buffer, R | END));
}

/* Passes if a buffer that can only be read, or only written, can be bracketed. */
TEST_F(sync, any_file_mode_will_do)
{
	static const int modes[] = { O_RDONLY, O_WRONLY };
	unsigned int i, m;

	for (m = 0; m < ARRAY_SIZE(modes); m++) {
		int buffer = buffer_open(self->dev, PAGE, 0, modes[m], 0);

		ASSERT_LE(0, buffer);
		for (i = 0; i < ARRAY_SIZE(valid_flags); i++)
			EXPECT_EQ(0, buffer_sync(buffer, valid_flags[i]));
	}
}

/* Which fences hold up which access, at the start of it. */
FIXTURE(sync_wait) {
	int dev;
	int buffer;
	struct fence fence;
};

FIXTURE_VARIANT(sync_wait) {
	enum usage usage;
	bool read_waits;
	bool write_waits;
};

FIXTURE_VARIANT_ADD(sync_wait, kernel) { KERNEL, true, true };
FIXTURE_VARIANT_ADD(sync_wait, write) { WRITE, true, true };
FIXTURE_VARIANT_ADD(sync_wait, read) { READ, false, true };
FIXTURE_VARIANT_ADD(sync_wait, bookkeep) { BOOKKEEP, false, false };

FIXTURE_SETUP(sync_wait)
{
	self->dev = dev_open();
	if (no_device(self->dev))
		SKIP(return, NO_DEVICE);
	ASSERT_LE(0, self->dev);
	self->buffer = buffer_create(self->dev, PAGE);
	ASSERT_LE(0, self->buffer);
	ASSERT_EQ(0, fence_put_on(self->dev, self->buffer, variant->usage,
				  &self->fence));
}

FIXTURE_TEARDOWN(sync_wait)
{
	close(self->buffer);
	close(self->dev);
}

/* Passes if the start waits for what is in its way and nothing else. */
TEST_F(sync_wait, start_waits_for_what_is_in_the_way)
{
	int read = variant->read_waits ? -EINTR : 0;
	int write = variant->write_waits ? -EINTR : 0;

	EXPECT_EQ(read, buffer_sync_or_eintr(self->buffer, R | START));
	EXPECT_EQ(write, buffer_sync_or_eintr(self->buffer, W | START));
	EXPECT_EQ(write, buffer_sync_or_eintr(self->buffer, R | W | START));

	ASSERT_EQ(0, fence_signal(self->dev, self->fence));
	EXPECT_EQ(0, buffer_sync_or_eintr(self->buffer, R | W | START));
}

/* Passes if the end of an access waits for nothing. */
TEST_F(sync_wait, end_waits_for_nothing)
{
	EXPECT_EQ(0, buffer_sync_or_eintr(self->buffer, R | END));
	EXPECT_EQ(0, buffer_sync_or_eintr(self->buffer, W | END));
	EXPECT_EQ(0, buffer_sync_or_eintr(self->buffer, R | W | END));
}

/* Passes if the start goes on as soon as the fence signals. */
TEST_F(sync, start_returns_after_signal)
{
	struct later later;
	struct fence fence;
	long returned;

	ASSERT_EQ(0, fence_put_on(self->dev, self->buffer, WRITE, &fence));
	signal_later(&later, self->dev, fence, NEVER_MS);
	EXPECT_EQ(0, buffer_sync(self->buffer, R | START));
	returned = now_ms();
	later_join(&later);
	EXPECT_LE(later.signaled_at, returned);
}

/* Passes if a fence that ends with an error holds nobody up either. */
TEST_F(sync, start_returns_after_error)
{
	struct fence fence;

	ASSERT_EQ(0, fence_put_on(self->dev, self->buffer, WRITE, &fence));
	ASSERT_EQ(0, fence_fail(self->dev, fence, -EIO));
	EXPECT_EQ(0, buffer_sync_or_eintr(self->buffer, R | W | START));
}

/* Passes if all fences are waited for, not only one of them. */
TEST_F(sync, start_waits_for_all_fences)
{
	struct fence fences[5];
	int i;

	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, fence_put_on(self->dev, self->buffer,
					  i % 2 ? WRITE : READ, &fences[i]));
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(-EINTR, buffer_sync_or_eintr(self->buffer, W | START));
		ASSERT_EQ(0, fence_signal(self->dev, fences[i]));
	}
	EXPECT_EQ(0, buffer_sync_or_eintr(self->buffer, W | START));
}

/*
 * Passes if the exporter's cache maintenance comes after the device is done: what
 * the device writes after an invalidation need not be seen.
 */
TEST_F(sync, start_calls_the_exporter_after_the_wait)
{
	struct later later;
	struct fence fence;

	ASSERT_EQ(0, fence_put_on(self->dev, self->buffer, WRITE, &fence));
	signal_later(&later, self->dev, fence, NEVER_MS);
	EXPECT_EQ(0, buffer_sync(self->buffer, R | START));
	later_join(&later);
	EXPECT_EQ(1, calls(self->dev, self->buffer, DMABUF_TEST_OP_BEGIN));
	EXPECT_EQ(0, too_early(self->dev, self->buffer));
}

/* Passes if an access that was given up has not begun for the exporter. */
TEST_F(sync, interrupted_start_has_no_effect)
{
	struct fence fence;

	ASSERT_EQ(0, fence_put_on(self->dev, self->buffer, WRITE, &fence));
	EXPECT_EQ(-EINTR, buffer_sync_or_eintr(self->buffer, R | START));
	EXPECT_EQ(0, calls(self->dev, self->buffer, DMABUF_TEST_OP_BEGIN));
	EXPECT_EQ(0, calls(self->dev, self->buffer, DMABUF_TEST_OP_END));
}

static int alarm_dev, alarm_count;
static struct fence alarm_fence;

static void alarm_signals_at_third(int sig)
{
	(void)sig;
	if (++alarm_count == 3)
		fence_signal(alarm_dev, alarm_fence);
}

/* Passes if signal handlers with SA_RESTART run and the call goes on waiting. */
TEST_F(sync, start_is_restarted_after_a_signal)
{
	alarm_dev = self->dev;
	ASSERT_EQ(0, fence_put_on(self->dev, self->buffer, WRITE, &alarm_fence));

	alarm_every(50, alarm_signals_at_third, SA_RESTART);
	EXPECT_EQ(0, buffer_sync(self->buffer, R | START));
	alarm_every(0, alarm_noop, 0);
	EXPECT_LE(3, alarm_count);
}

/* Passes if a process that waits can be killed. */
TEST_F(sync, waiting_start_can_be_killed)
{
	struct fence fence;
	pid_t pid;

	ASSERT_EQ(0, fence_put_on(self->dev, self->buffer, WRITE, &fence));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(buffer_sync(self->buffer, R | START) ? 1 : 0);

	EXPECT_EQ(CHILD_HANGS, child_status(pid, NEVER_MS));
	EXPECT_TRUE(child_kill(pid, SOON_MS));
}

TEST_HARNESS_MAIN
