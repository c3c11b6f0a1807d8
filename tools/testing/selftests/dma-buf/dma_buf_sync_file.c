// SPDX-License-Identifier: GPL-2.0
/*
 * The bridge between the fences of a buffer and sync_files: what a snapshot
 * holds, and what an import does to those who come later.
 */
#include "dmabuf_test.h"

#define R	DMA_BUF_SYNC_READ
#define W	DMA_BUF_SYNC_WRITE

FIXTURE(bridge) {
	int dev;
	int buffer;
	struct fence fence;	/* pending, on no buffer */
};

FIXTURE_SETUP(bridge)
{
	self->dev = dev_open();
	if (no_device(self->dev))
		SKIP(return, NO_DEVICE);
	ASSERT_LE(0, self->dev);
	self->buffer = buffer_create(self->dev, PAGE);
	ASSERT_LE(0, self->buffer);
	ASSERT_EQ(0, fence_create(self->dev, 0, &self->fence));
}

FIXTURE_TEARDOWN(bridge)
{
	close(self->fence.fd);
	close(self->buffer);
	close(self->dev);
}

/* The status of a snapshot that is taken now. */
static int snapshot_status(int buffer, __u32 flags)
{
	int fd = buffer_export(buffer, flags), status;

	if (fd < 0)
		return fd;
	status = sync_status(fd);
	close(fd);
	return status;
}

static int snapshot_size(int buffer, __u32 flags)
{
	int fd = buffer_export(buffer, flags), nr;

	if (fd < 0)
		return fd;
	nr = sync_nr_fences(fd);
	close(fd);
	return nr;
}

/* Passes if a snapshot of nothing is a sync_file that has signaled. */
TEST_F(bridge, export_of_idle_is_signaled)
{
	int fd = buffer_export(self->buffer, R | W);

	ASSERT_LE(0, fd);
	EXPECT_EQ(1, sync_status(fd));
	EXPECT_EQ(1, sync_nr_fences(fd));
	EXPECT_EQ(POLLIN, poll_now(fd, POLLIN));
}

/* Passes if writers stand in everybody's way and readers in the writers' only. */
TEST_F(bridge, import_orders_later_access)
{
	int other = buffer_create(self->dev, PAGE);

	ASSERT_LE(0, other);
	ASSERT_EQ(0, buffer_import(self->buffer, R, self->fence.fd));
	EXPECT_EQ(1, snapshot_status(self->buffer, R));
	EXPECT_EQ(0, snapshot_status(self->buffer, W));
	EXPECT_EQ(0, snapshot_status(self->buffer, R | W));

	ASSERT_EQ(0, buffer_import(other, W, self->fence.fd));
	EXPECT_EQ(0, snapshot_status(other, R));
	EXPECT_EQ(0, snapshot_status(other, W));
	EXPECT_EQ(0, snapshot_status(other, R | W));

	ASSERT_EQ(0, fence_signal(self->dev, self->fence));
	EXPECT_EQ(1, snapshot_status(self->buffer, R | W));
	EXPECT_EQ(1, snapshot_status(other, R | W));
}

/* Passes if READ and WRITE together are the stronger of the two. */
TEST_F(bridge, import_as_both_is_write)
{
	ASSERT_EQ(0, buffer_import(self->buffer, R | W, self->fence.fd));
	EXPECT_EQ(0, snapshot_status(self->buffer, R));
	EXPECT_EQ(0, poll_now(self->buffer, POLLIN));
}

/* Passes if a fence that was a reader's and becomes a writer's holds up readers. */
TEST_F(bridge, import_strengthens)
{
	ASSERT_EQ(0, buffer_import(self->buffer, R, self->fence.fd));
	EXPECT_EQ(POLLIN, poll_now(self->buffer, POLLIN | POLLOUT));
	ASSERT_EQ(0, buffer_import(self->buffer, W, self->fence.fd));
	EXPECT_EQ(0, poll_now(self->buffer, POLLIN | POLLOUT));
}

/* Passes if a snapshot does not change when the buffer's fences do. */
TEST_F(bridge, export_is_a_snapshot)
{
	struct fence later;
	int before, after;

	ASSERT_EQ(0, buffer_import(self->buffer, W, self->fence.fd));
	before = buffer_export(self->buffer, W);
	ASSERT_LE(0, before);
	ASSERT_EQ(0, fence_put_on(self->dev, self->buffer, WRITE, &later));
	after = buffer_export(self->buffer, W);
	ASSERT_LE(0, after);
	EXPECT_EQ(1, sync_nr_fences(before));
	EXPECT_EQ(2, sync_nr_fences(after));

	ASSERT_EQ(0, fence_signal(self->dev, self->fence));
	EXPECT_EQ(POLLIN, poll_for(before, POLLIN, SOON_MS));
	EXPECT_EQ(0, poll_for(after, POLLIN, NEVER_MS));
	ASSERT_EQ(0, fence_signal(self->dev, later));
	EXPECT_EQ(POLLIN, poll_for(after, POLLIN, SOON_MS));
}

/* Passes if a snapshot lives on when the buffer is gone. */
TEST_F(bridge, export_outlives_the_buffer)
{
	struct dmabuf_test_live want = live(self->dev);
	int buffer = buffer_create(self->dev, PAGE), fd;

	ASSERT_LE(0, buffer);
	ASSERT_EQ(0, buffer_import(buffer, W, self->fence.fd));
	fd = buffer_export(buffer, R);
	ASSERT_LE(0, fd);
	close(buffer);
	EXPECT_TRUE(live_becomes(self->dev, want));
	EXPECT_EQ(0, poll_now(fd, POLLIN));
	ASSERT_EQ(0, fence_signal(self->dev, self->fence));
	EXPECT_EQ(POLLIN, poll_for(fd, POLLIN, SOON_MS));
}

/* Passes if a closed snapshot leaves no reference to its fences, polled or not. */
TEST_F(bridge, export_leaves_no_reference)
{
	struct dmabuf_test_fence_state state;
	struct fence other;
	int refs;
	long end = now_ms() + SOON_MS;
	int fd, i;

	ASSERT_EQ(0, fence_put_on(self->dev, self->buffer, WRITE, &other));
	ASSERT_EQ(0, buffer_import(self->buffer, W, self->fence.fd));
	ASSERT_EQ(0, fence_state(self->dev, self->fence, &state));
	refs = state.nr_refs;
	for (i = 0; i < 10; i++) {
		fd = buffer_export(self->buffer, R | W);
		ASSERT_LE(0, fd);
		if (i % 2)
			EXPECT_EQ(0, poll_now(fd, POLLIN));
		close(fd);
	}
	ASSERT_EQ(0, fence_signal(self->dev, other));
	ASSERT_EQ(0, fence_signal(self->dev, self->fence));
	do {
		ASSERT_EQ(0, fence_state(self->dev, self->fence, &state));
	} while ((int)state.nr_refs > refs && now_ms() < end);
	EXPECT_GE(refs, (int)state.nr_refs);
}

/* Passes if BOOKKEEP fences, which nobody waits for, are in no snapshot. */
TEST_F(bridge, export_leaves_bookkeeping_out)
{
	ASSERT_EQ(0, fence_add(self->dev, self->buffer, self->fence, BOOKKEEP));
	EXPECT_EQ(1, snapshot_status(self->buffer, R | W));
}

/* Passes if what the kernel itself waits for is in all snapshots. */
TEST_F(bridge, export_takes_kernel_fences)
{
	ASSERT_EQ(0, fence_add(self->dev, self->buffer, self->fence, KERNEL));
	EXPECT_EQ(0, snapshot_status(self->buffer, R));
	EXPECT_EQ(0, snapshot_status(self->buffer, W));
}

/* Passes if a merged sync_file comes in as the fences that are in it. */
TEST_F(bridge, import_of_merged_adds_each_fence)
{
	struct fence fences[3];
	int merged, i;

	merged = dup(self->fence.fd);
	for (i = 0; i < 3; i++) {
		int both;

		ASSERT_EQ(0, fence_create(self->dev, 0, &fences[i]));
		both = sync_merge(merged, fences[i].fd, "merged");
		ASSERT_LE(0, both);
		close(merged);
		merged = both;
	}
	EXPECT_EQ(4, sync_nr_fences(merged));
	ASSERT_EQ(0, buffer_import(self->buffer, W, merged));
	close(merged);
	EXPECT_EQ(4, snapshot_size(self->buffer, R));

	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, poll_now(self->buffer, POLLIN));
		ASSERT_EQ(0, fence_signal(self->dev, fences[i]));
	}
	EXPECT_EQ(0, poll_for(self->buffer, POLLIN, NEVER_MS));
	ASSERT_EQ(0, fence_signal(self->dev, self->fence));
	EXPECT_EQ(POLLIN, poll_for(self->buffer, POLLIN, SOON_MS));
}

/* Passes if of one timeline only the last fence stays on the buffer. */
TEST_F(bridge, import_of_one_timeline_keeps_the_last)
{
	struct fence fences[4];
	int i;

	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, fence_create(self->dev, 1, &fences[i]));
		ASSERT_EQ(0, buffer_import(self->buffer, W, fences[i].fd));
	}
	EXPECT_EQ(1, snapshot_size(self->buffer, R));
	ASSERT_EQ(0, fence_signal(self->dev, fences[0]));
	EXPECT_EQ(0, poll_for(self->buffer, POLLIN, NEVER_MS));
	for (i = 1; i < 4; i++)
		ASSERT_EQ(0, fence_signal(self->dev, fences[i]));
	EXPECT_EQ(POLLIN, poll_for(self->buffer, POLLIN, SOON_MS));
}

/* Passes if a snapshot of one buffer can be put on another, and holds it up. */
TEST_F(bridge, export_into_import)
{
	int other = buffer_create(self->dev, PAGE), fd;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, buffer_import(self->buffer, W, self->fence.fd));
	fd = buffer_export(self->buffer, R);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, buffer_import(other, R, fd));
	EXPECT_EQ(POLLIN, poll_now(other, POLLIN | POLLOUT));
	ASSERT_EQ(0, fence_signal(self->dev, self->fence));
	EXPECT_EQ(POLLOUT, poll_for(other, POLLOUT, SOON_MS));
}

/* Passes if many fences on one buffer are all found again. */
TEST_F(bridge, many_fences)
{
	struct fence fences[100];
	int i, fd;

	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, fence_put_on(self->dev, self->buffer, i % 3 ? READ : WRITE,
					  &fences[i]));
	fd = buffer_export(self->buffer, W);
	ASSERT_LE(0, fd);
	EXPECT_EQ(100, sync_nr_fences(fd));
	EXPECT_EQ(34, snapshot_size(self->buffer, R));
	for (i = 99; i >= 0; i--) {
		EXPECT_EQ(0, poll_now(fd, POLLIN));
		ASSERT_EQ(0, fence_signal(self->dev, fences[i]));
	}
	EXPECT_EQ(POLLIN, poll_for(fd, POLLIN, SOON_MS));
	EXPECT_EQ(1, snapshot_status(self->buffer, W));
}

/* Passes if an error of a fence on the buffer is the snapshot's. */
TEST_F(bridge, export_carries_the_error)
{
	int fd;

	ASSERT_EQ(0, buffer_import(self->buffer, W, self->fence.fd));
	fd = buffer_export(self->buffer, R);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fence_fail(self->dev, self->fence, -ENODATA));
	EXPECT_EQ(-ENODATA, sync_status(fd));
}

/* Passes if taking a snapshot does not wait for whoever holds the lock. */
TEST_F(bridge, export_while_locked)
{
	pid_t pid;

	ASSERT_EQ(0, buffer_import(self->buffer, W, self->fence.fd));
	ASSERT_EQ(0, hold_lock(self->dev, self->buffer, 2 * SOON_MS));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(snapshot_status(self->buffer, R) == 0 ? 42 : 1);
	EXPECT_EQ(42, child_status(pid, SOON_MS));
	release_lock(self->dev);
}

/* Passes if an import that has to wait for the lock can be killed meanwhile. */
TEST_F(bridge, import_while_locked_can_be_killed)
{
	pid_t pid;

	ASSERT_EQ(0, hold_lock(self->dev, self->buffer, 2 * SOON_MS));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(buffer_import(self->buffer, W, self->fence.fd));
	EXPECT_EQ(CHILD_HANGS, child_status(pid, NEVER_MS));
	EXPECT_TRUE(child_kill(pid, SOON_MS / 2));
	release_lock(self->dev);
}

TEST_HARNESS_MAIN
