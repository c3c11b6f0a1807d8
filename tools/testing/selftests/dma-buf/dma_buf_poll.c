// SPDX-License-Identifier: GPL-2.0
/*
 * poll() and its relatives on a dma-buf. Readable means that those who write
 * the buffer are done, writable that everybody is.
 */
#include <sys/epoll.h>
#include <sys/select.h>

#include "dmabuf_test.h"

#define R	DMA_BUF_SYNC_READ
#define W	DMA_BUF_SYNC_WRITE
#define BOTH	(POLLIN | POLLOUT)

/* How long a lock is held against a poller, and when he is said to be stuck. */
#define HOLD_MS		(2 * SOON_MS)

FIXTURE(poll) {
	int dev;
	int buffer;
	struct fence fence;	/* pending, on no buffer */
};

FIXTURE_SETUP(poll)
{
	self->dev = dev_open();
	if (no_device(self->dev))
		SKIP(return, NO_DEVICE);
	ASSERT_LE(0, self->dev);
	self->buffer = buffer_create(self->dev, PAGE);
	ASSERT_LE(0, self->buffer);
	ASSERT_EQ(0, fence_create(self->dev, 0, &self->fence));
}

FIXTURE_TEARDOWN(poll)
{
	close(self->fence.fd);
	close(self->buffer);
	close(self->dev);
}

/* ---- what is ready ----------------------------------------------------------- */

/* Passes if a buffer without fences is ready for all that was asked for, only that. */
TEST_F(poll, idle_is_ready)
{
	EXPECT_EQ(BOTH, poll_now(self->buffer, BOTH));
	EXPECT_EQ(POLLIN, poll_now(self->buffer, POLLIN));
	EXPECT_EQ(POLLOUT, poll_now(self->buffer, POLLOUT));
	EXPECT_EQ(0, poll_now(self->buffer, 0));
	EXPECT_EQ(0, poll_now(self->buffer, POLLPRI));
	EXPECT_EQ(POLLIN, poll_now(self->buffer, POLLIN | POLLPRI | POLLRDHUP));
}

/* Which fences keep which direction from being ready. */
FIXTURE(ready) {
	int dev;
	int buffer;
	struct fence fence;
};

FIXTURE_VARIANT(ready) {
	enum usage usage;
	bool imported;		/* by the ioctl, else put there by a driver */
	short while_pending;
};

FIXTURE_VARIANT_ADD(ready, kernel) { KERNEL, false, 0 };
FIXTURE_VARIANT_ADD(ready, write) { WRITE, false, 0 };
FIXTURE_VARIANT_ADD(ready, read) { READ, false, POLLIN };
FIXTURE_VARIANT_ADD(ready, bookkeep) { BOOKKEEP, false, BOTH };
FIXTURE_VARIANT_ADD(ready, import_write) { WRITE, true, 0 };
FIXTURE_VARIANT_ADD(ready, import_read) { READ, true, POLLIN };

FIXTURE_SETUP(ready)
{
	self->dev = dev_open();
	if (no_device(self->dev))
		SKIP(return, NO_DEVICE);
	ASSERT_LE(0, self->dev);
	self->buffer = buffer_create(self->dev, PAGE);
	ASSERT_LE(0, self->buffer);
	ASSERT_EQ(0, fence_create(self->dev, 0, &self->fence));
	if (variant->imported) {
		ASSERT_EQ(0, buffer_import(self->buffer, variant->usage == WRITE ? W : R,
					   self->fence.fd));
	} else {
		ASSERT_EQ(0, fence_add(self->dev, self->buffer, self->fence,
				       variant->usage));
	}
	close(self->fence.fd);
}

FIXTURE_TEARDOWN(ready)
{
	close(self->buffer);
	close(self->dev);
}

/* Passes if poll() says what is ready, and everything is when the fence signals. */
TEST_F(ready, poll)
{
	EXPECT_EQ(variant->while_pending, poll_now(self->buffer, BOTH));
	EXPECT_EQ(variant->while_pending & POLLIN, poll_now(self->buffer, POLLIN));
	EXPECT_EQ(variant->while_pending & POLLOUT, poll_now(self->buffer, POLLOUT));
	EXPECT_EQ(variant->while_pending & POLLIN,
		  poll_for(self->buffer, POLLIN, NEVER_MS));
	EXPECT_EQ(variant->while_pending & POLLOUT,
		  poll_for(self->buffer, POLLOUT, NEVER_MS));

	ASSERT_EQ(0, fence_signal(self->dev, self->fence));
	EXPECT_EQ(POLLIN, poll_for(self->buffer, POLLIN, SOON_MS));
	EXPECT_EQ(POLLOUT, poll_for(self->buffer, POLLOUT, SOON_MS));
	EXPECT_EQ(BOTH, poll_now(self->buffer, BOTH));
}

/* Passes if an error is an end like any other. */
TEST_F(ready, poll_after_error)
{
	EXPECT_EQ(variant->while_pending, poll_now(self->buffer, BOTH));
	ASSERT_EQ(0, fence_fail(self->dev, self->fence, -EIO));
	EXPECT_EQ(POLLIN, poll_for(self->buffer, POLLIN, SOON_MS));
	EXPECT_EQ(BOTH, poll_now(self->buffer, BOTH));
}

/* The directions that select() says are ready. */
static short select_now(int fd, bool in, bool out, long ms)
{
	struct timeval timeout = { ms / 1000, ms % 1000 * 1000 };
	fd_set readable, writable;
	short ready = 0;

	FD_ZERO(&readable);
	FD_ZERO(&writable);
	if (in)
		FD_SET(fd, &readable);
	if (out)
		FD_SET(fd, &writable);
	if (select(fd + 1, &readable, &writable, NULL, &timeout) < 0)
		return -errno;
	if (FD_ISSET(fd, &readable))
		ready |= POLLIN;
	if (FD_ISSET(fd, &writable))
		ready |= POLLOUT;
	return ready;
}

/* Passes if select() says the same. */
TEST_F(ready, select)
{
	struct later later;

	EXPECT_EQ(variant->while_pending, select_now(self->buffer, true, true, 0));
	EXPECT_EQ(variant->while_pending & POLLIN,
		  select_now(self->buffer, true, false, NEVER_MS));
	EXPECT_EQ(variant->while_pending & POLLOUT,
		  select_now(self->buffer, false, true, NEVER_MS));

	signal_later(&later, self->dev, self->fence, NEVER_MS);
	EXPECT_EQ(POLLIN, select_now(self->buffer, true, false, SOON_MS));
	EXPECT_EQ(POLLOUT, select_now(self->buffer, false, true, SOON_MS));
	later_join(&later);
	EXPECT_EQ(BOTH, select_now(self->buffer, true, true, 0));
}

/* Passes if the bridge to sync_files tells the same as poll() does. */
TEST_F(ready, export_agrees)
{
	int in = buffer_export(self->buffer, R);
	int out = buffer_export(self->buffer, W);

	ASSERT_LE(0, in);
	ASSERT_LE(0, out);
	EXPECT_EQ(variant->while_pending & POLLIN ? 1 : 0, sync_status(in));
	EXPECT_EQ(variant->while_pending & POLLOUT ? 1 : 0, sync_status(out));
	ASSERT_EQ(0, fence_signal(self->dev, self->fence));
	EXPECT_EQ(1, sync_status(in));
	EXPECT_EQ(1, sync_status(out));
}

/* Passes if all fences have to be done, whoever comes last. */
TEST_F(poll, all_fences_count)
{
	struct fence reader, writer;

	ASSERT_EQ(0, fence_put_on(self->dev, self->buffer, READ, &reader));
	ASSERT_EQ(0, fence_put_on(self->dev, self->buffer, WRITE, &writer));
	EXPECT_EQ(0, poll_now(self->buffer, BOTH));
	fence_signal(self->dev, writer);
	EXPECT_EQ(POLLIN, poll_for(self->buffer, BOTH, SOON_MS));
	EXPECT_EQ(0, poll_for(self->buffer, POLLOUT, NEVER_MS));
	fence_signal(self->dev, reader);
	EXPECT_EQ(POLLOUT, poll_for(self->buffer, POLLOUT, SOON_MS));
	EXPECT_EQ(BOTH, poll_now(self->buffer, BOTH));
}

/* Passes if a fence that comes after the first wait is waited for as well. */
TEST_F(poll, pending_again)
{
	struct fence fence;
	int i;

	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, fence_put_on(self->dev, self->buffer, WRITE, &fence));
		EXPECT_EQ(0, poll_now(self->buffer, BOTH));
		ASSERT_EQ(0, fence_signal(self->dev, fence));
		EXPECT_EQ(POLLIN, poll_for(self->buffer, POLLIN, SOON_MS));
		EXPECT_EQ(POLLOUT, poll_for(self->buffer, POLLOUT, SOON_MS));
	}
}

/* ---- waking ------------------------------------------------------------------ */

/* Passes if a sleeping poll() ends when the fence signals, not before and not late. */
TEST_F(poll, signal_wakes)
{
	struct later later;
	long returned;

	ASSERT_EQ(0, buffer_import(self->buffer, W, self->fence.fd));
	signal_later(&later, self->dev, self->fence, NEVER_MS);
	EXPECT_EQ(POLLIN, poll_for(self->buffer, POLLIN, 2 * SOON_MS));
	returned = now_ms();
	later_join(&later);
	EXPECT_LE(later.signaled_at, returned);
	EXPECT_GT(SOON_MS, returned - later.signaled_at);
}

/* Passes if poll() with nothing to report ends when its time is over. */
TEST_F(poll, timeout_ends_it)
{
	long begun = now_ms();

	ASSERT_EQ(0, buffer_import(self->buffer, W, self->fence.fd));
	EXPECT_EQ(0, poll_for(self->buffer, BOTH, NEVER_MS));
	EXPECT_LE(begun + NEVER_MS - 10, now_ms());
}

/* Passes if a signal handler ends a sleeping poll(). */
TEST_F(poll, signal_handler_interrupts)
{
	ASSERT_EQ(0, buffer_import(self->buffer, W, self->fence.fd));
	alarm_every(50, alarm_noop, 0);
	EXPECT_EQ(-EINTR, poll_for(self->buffer, BOTH, SOON_MS));
	alarm_every(0, alarm_noop, 0);
}

struct poll_thread {
	pthread_t thread;
	int fd;
	short events;
	int ready;
};

static void *poll_thread(void *arg)
{
	struct poll_thread *poller = arg;

	poller->ready = poll_for(poller->fd, poller->events, SOON_MS);
	return NULL;
}

/* Passes if all who wait are woken, in whichever direction they look. */
TEST_F(poll, signal_wakes_everybody)
{
	struct poll_thread pollers[6];
	int i;

	ASSERT_EQ(0, buffer_import(self->buffer, W, self->fence.fd));
	for (i = 0; i < 6; i++) {
		pollers[i].fd = i < 3 ? self->buffer : dup(self->buffer);
		pollers[i].events = i % 2 ? POLLIN : POLLOUT;
		ASSERT_EQ(0, pthread_create(&pollers[i].thread, NULL, poll_thread,
					    &pollers[i]));
	}
	sleep_ms(NEVER_MS);
	ASSERT_EQ(0, fence_signal(self->dev, self->fence));
	for (i = 0; i < 6; i++) {
		pthread_join(pollers[i].thread, NULL);
		EXPECT_EQ(pollers[i].events, pollers[i].ready);
	}
}

/* Passes if another process that inherited the descriptor is woken, too. */
TEST_F(poll, signal_wakes_another_process)
{
	pid_t pid;

	ASSERT_EQ(0, buffer_import(self->buffer, W, self->fence.fd));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(poll_for(self->buffer, BOTH, 2 * SOON_MS));

	EXPECT_EQ(CHILD_HANGS, child_status(pid, NEVER_MS));
	ASSERT_EQ(0, fence_signal(self->dev, self->fence));
	EXPECT_NE(0, child_status(pid, SOON_MS) & BOTH);
}

/* Passes if a poller sees no end between the fences of a buffer. */
TEST_F(poll, sleeps_through_the_first_signal)
{
	struct fence second;
	struct later later;
	long returned;

	ASSERT_EQ(0, fence_add(self->dev, self->buffer, self->fence, WRITE));
	ASSERT_EQ(0, fence_put_on(self->dev, self->buffer, WRITE, &second));
	ASSERT_EQ(0, poll_now(self->buffer, POLLIN));
	ASSERT_EQ(0, fence_signal(self->dev, self->fence));
	signal_later(&later, self->dev, second, NEVER_MS);
	EXPECT_EQ(POLLIN, poll_for(self->buffer, POLLIN, SOON_MS));
	returned = now_ms();
	later_join(&later);
	EXPECT_LE(later.signaled_at, returned);
}

/* ---- epoll --------------------------------------------------------------------- */

/* An epoll that looks at @fd. */
static int epoll_on(int fd, __u32 events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		return -errno;
	return epoll;
}

/* The events that an epoll reports within @ms. */
static int epoll_for(int epoll, int ms)
{
	struct epoll_event event = {};
	int ret = epoll_wait(epoll, &event, 1, ms);

	return ret < 0 ? -errno : ret ? (int)event.events : 0;
}

/* Passes if a level-triggered epoll reports what is ready as long as it is. */
TEST_F(poll, epoll_level)
{
	int epoll = epoll_on(self->buffer, EPOLLIN);
	struct later later;
	int i;

	ASSERT_LE(0, epoll);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(EPOLLIN, epoll_for(epoll, 0));

	ASSERT_EQ(0, buffer_import(self->buffer, W, self->fence.fd));
	EXPECT_EQ(0, epoll_for(epoll, NEVER_MS));
	signal_later(&later, self->dev, self->fence, NEVER_MS);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(EPOLLIN, epoll_for(epoll, SOON_MS));
	later_join(&later);
}

/* Passes if an edge-triggered epoll reports each change once. */
TEST_F(poll, epoll_edge)
{
	int idle = epoll_on(self->buffer, EPOLLIN | EPOLLOUT | EPOLLET), epoll;

	ASSERT_LE(0, idle);
	EXPECT_EQ(EPOLLIN | EPOLLOUT, epoll_for(idle, 0));
	EXPECT_EQ(0, epoll_for(idle, NEVER_MS));
	close(idle);

	ASSERT_EQ(0, buffer_import(self->buffer, W, self->fence.fd));
	epoll = epoll_on(self->buffer, EPOLLIN | EPOLLET);
	ASSERT_LE(0, epoll);
	EXPECT_EQ(0, epoll_for(epoll, NEVER_MS));
	ASSERT_EQ(0, fence_signal(self->dev, self->fence));
	EXPECT_EQ(EPOLLIN, epoll_for(epoll, SOON_MS));
	EXPECT_EQ(0, epoll_for(epoll, NEVER_MS));
}

/* Passes if each direction is reported on its own. */
TEST_F(poll, epoll_directions)
{
	int in = epoll_on(self->buffer, EPOLLIN);
	int out = epoll_on(self->buffer, EPOLLOUT);

	ASSERT_LE(0, in);
	ASSERT_LE(0, out);
	ASSERT_EQ(0, buffer_import(self->buffer, R, self->fence.fd));
	EXPECT_EQ(EPOLLIN, epoll_for(in, 0));
	EXPECT_EQ(0, epoll_for(out, NEVER_MS));
	ASSERT_EQ(0, fence_signal(self->dev, self->fence));
	EXPECT_EQ(EPOLLOUT, epoll_for(out, SOON_MS));
}

/* Passes if a one-shot epoll is silent after its one report, until it is set again. */
TEST_F(poll, epoll_oneshot)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT };
	int epoll = epoll_on(self->buffer, EPOLLIN | EPOLLONESHOT);

	ASSERT_LE(0, epoll);
	EXPECT_EQ(EPOLLIN, epoll_for(epoll, 0));
	EXPECT_EQ(0, epoll_for(epoll, NEVER_MS));
	ASSERT_EQ(0, buffer_import(self->buffer, W, self->fence.fd));
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_MOD, self->buffer, &event));
	EXPECT_EQ(0, epoll_for(epoll, NEVER_MS));
	ASSERT_EQ(0, fence_signal(self->dev, self->fence));
	EXPECT_EQ(EPOLLIN, epoll_for(epoll, SOON_MS));
}

/* ---- closing meanwhile ------------------------------------------------------------ */

/*
 * Passes if a poller whose descriptor is closed under him still wakes, be it to
 * find the descriptor gone, and the buffer goes when he is done with it.
 */
TEST_F(poll, close_while_polled)
{
	struct dmabuf_test_live want = live(self->dev);
	struct poll_thread poller = { .events = POLLIN };
	struct fence fence;
	long signaled_at;

	poller.fd = buffer_create(self->dev, PAGE);
	ASSERT_LE(0, poller.fd);
	ASSERT_EQ(0, fence_put_on(self->dev, poller.fd, WRITE, &fence));
	ASSERT_EQ(0, pthread_create(&poller.thread, NULL, poll_thread, &poller));
	sleep_ms(NEVER_MS);
	EXPECT_EQ(0, close(poller.fd));
	sleep_ms(NEVER_MS);
	signaled_at = now_ms();
	ASSERT_EQ(0, fence_signal(self->dev, fence));
	pthread_join(poller.thread, NULL);
	EXPECT_NE(0, poller.ready & (POLLIN | POLLNVAL));
	EXPECT_GT(SOON_MS / 2, now_ms() - signaled_at);

	want.fences++;		/* The device keeps it until it is closed. */
	EXPECT_TRUE(live_becomes(self->dev, want));
}

/* Passes if a buffer that was polled, and closed before the signal, goes afterwards. */
TEST_F(poll, close_after_poll)
{
	struct dmabuf_test_live want = live(self->dev);
	struct fence fence;
	int buffer = buffer_create(self->dev, PAGE);

	ASSERT_LE(0, buffer);
	ASSERT_EQ(0, fence_put_on(self->dev, buffer, WRITE, &fence));
	EXPECT_EQ(0, poll_now(buffer, BOTH));
	EXPECT_EQ(0, close(buffer));
	ASSERT_EQ(0, fence_signal(self->dev, fence));
	want.fences++;
	EXPECT_TRUE(live_becomes(self->dev, want));
}

/* Passes if closing a buffer takes it out of an epoll, with the fence pending. */
TEST_F(poll, close_while_in_epoll)
{
	struct dmabuf_test_live want = live(self->dev);
	int buffer = buffer_create(self->dev, PAGE), epoll;
	struct fence fence;

	ASSERT_LE(0, buffer);
	ASSERT_EQ(0, fence_put_on(self->dev, buffer, WRITE, &fence));
	epoll = epoll_on(buffer, EPOLLIN | EPOLLOUT);
	ASSERT_LE(0, epoll);
	EXPECT_EQ(0, epoll_for(epoll, 0));
	EXPECT_EQ(0, close(buffer));
	ASSERT_EQ(0, fence_signal(self->dev, fence));
	want.fences++;
	EXPECT_TRUE(live_becomes(self->dev, want));
	EXPECT_EQ(0, epoll_for(epoll, NEVER_MS));
}

/* Passes if polling, closing and signaling in any order leaves nothing behind. */
TEST_F(poll, close_races_signal)
{
	struct dmabuf_test_live want = live(self->dev);
	struct fence fence;
	struct later later;
	int buffer, i;

	for (i = 0; i < 200; i++) {
		buffer = buffer_create(self->dev, PAGE);
		ASSERT_LE(0, buffer);
		ASSERT_EQ(0, fence_put_on(self->dev, buffer, WRITE, &fence));
		EXPECT_EQ(0, poll_now(buffer, BOTH));
		signal_later(&later, self->dev, fence, 0);
		close(buffer);
		later_join(&later);
		want.fences++;
	}
	EXPECT_TRUE(live_becomes(self->dev, want));
}

/* ---- the reservation lock ------------------------------------------------------------ */

/*
 * A child that polls while somebody holds the lock of the buffer: what it finds
 * ready, or CHILD_HANGS if it is not back long before the lock is free.
 */
static int poll_against_lock(int dev, int buffer, bool *killable)
{
	int ret;
	pid_t pid;

	if (hold_lock(dev, buffer, HOLD_MS))
		return -EIO;
	pid = fork();
	if (!pid)
		_exit(poll_now(buffer, BOTH));

	ret = child_status(pid, HOLD_MS / 4);
	*killable = ret != CHILD_HANGS || child_kill(pid, HOLD_MS / 4);
	release_lock(dev);
	if (!*killable)
		child_status(pid, SOON_MS);
	return ret;
}

/* Passes if poll(), which is asked not to wait, does not wait for a lock either. */
TEST_F(poll, lock_held_by_others_does_not_block)
{
	bool killable;

	EXPECT_EQ(BOTH, poll_against_lock(self->dev, self->buffer, &killable));
	EXPECT_TRUE(killable);
}

/* Passes if a fence is seen although somebody holds the lock. */
TEST_F(poll, lock_held_by_others_hides_no_fence)
{
	bool killable;

	ASSERT_EQ(0, buffer_import(self->buffer, R, self->fence.fd));
	EXPECT_EQ(POLLIN, poll_against_lock(self->dev, self->buffer, &killable));
	EXPECT_TRUE(killable);
}

/* Passes if a sleeping poller is woken although somebody holds the lock. */
TEST_F(poll, lock_held_by_others_delays_no_wakeup)
{
	struct poll_thread poller = { .fd = self->buffer, .events = POLLOUT };
	struct later later;
	long begun;

	ASSERT_EQ(0, buffer_import(self->buffer, W, self->fence.fd));
	ASSERT_EQ(0, pthread_create(&poller.thread, NULL, poll_thread, &poller));
	sleep_ms(NEVER_MS);
	ASSERT_EQ(0, hold_lock(self->dev, self->buffer, HOLD_MS));
	begun = now_ms();
	signal_later(&later, self->dev, self->fence, 0);
	pthread_join(poller.thread, NULL);
	later_join(&later);
	EXPECT_EQ(POLLOUT, poller.ready);
	EXPECT_GT(HOLD_MS / 2, now_ms() - begun);
	release_lock(self->dev);
}

TEST_HARNESS_MAIN
