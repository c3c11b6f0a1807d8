// SPDX-License-Identifier: GPL-2.0
/*
 * Suite "sync_file": the file around a fence. The ioctls are called with real
 * user memory of the test thread's own address space, so that every pointer can
 * be made to fault.
 */
#include <linux/anon_inodes.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <uapi/linux/sync_file.h>

#include "mock.h"
#include "mock_fence.h"

/* A waiter that has not been woken by then never will be. */
#define WAKE_TIMEOUT (10 * HZ)

/* Seqno of a chain head whose only link is mock fence number 1. */
#define CHAIN_SEQNO 5

/* What each case has, as &kunit.priv. */
struct sync_file_test {
	unsigned long page;	/* one page; the one behind it is unmapped */
};

static int sync_file_test_init(struct kunit *test)
{
	const unsigned long prot = PROT_READ | PROT_WRITE;
	struct sync_file_test *ctx;
	int ret;

	ret = mock_fence_init(test);
	if (ret)
		return ret;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	if (!ctx)
		return -ENOMEM;

	ctx->page = kunit_vm_mmap(test, NULL, 0, 2 * PAGE_SIZE, prot,
				  MAP_ANONYMOUS | MAP_PRIVATE, 0);
	if (!ctx->page || IS_ERR_VALUE(ctx->page))
		return -ENOMEM;

	test->priv = ctx;
	return vm_munmap(ctx->page + PAGE_SIZE, PAGE_SIZE);
}

/* The address from which @size bytes reach exactly to the end of the page. */
static unsigned long user_tail(struct kunit *test, size_t size)
{
	struct sync_file_test *ctx = test->priv;

	return ctx->page + PAGE_SIZE - size;
}

static void user_write(struct kunit *test, unsigned long addr, const void *from,
		       size_t size)
{
	KUNIT_ASSERT_EQ(test, copy_to_user((void __user *)addr, from, size), 0);
}

static void user_read(struct kunit *test, void *to, unsigned long addr,
		      size_t size)
{
	KUNIT_ASSERT_EQ(test, copy_from_user(to, (void __user *)addr, size), 0);
}

static void put_file(void *file)
{
	__fput_sync(file);
}

static void close_descriptor(void *fd)
{
	close_fd((long)fd);
}

/* A sync_file around @fence, released when the case ends. */
static struct sync_file *make(struct kunit *test, struct dma_fence *fence)
{
	struct sync_file *sync_file = sync_file_create(fence);

	KUNIT_ASSERT_NOT_NULL(test, sync_file);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, put_file,
						  sync_file->file));
	return sync_file;
}

/* As make(), around a new pending mock fence, which is returned as well. */
static struct sync_file *make_pending(struct kunit *test,
				      struct dma_fence **fence)
{
	*fence = mock_fence_create(test);
	mock_fence_put_at_exit(test, *fence);
	return make(test, *fence);
}

/* A descriptor for @file, closed when the case ends. */
static int publish(struct kunit *test, struct file *file)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	KUNIT_ASSERT_GE(test, fd, 0);
	fd_install(fd, get_file(file));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, close_descriptor,
						  (void *)(long)fd));
	return fd;
}

/* The descriptor that comes next, or a negative errno. */
static int next_descriptor(void)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd >= 0)
		put_unused_fd(fd);
	return fd;
}

static long call(struct sync_file *sync_file, unsigned int cmd,
		 unsigned long arg)
{
	struct file *file = sync_file->file;

	return file->f_op->unlocked_ioctl(file, cmd, arg);
}

/* Call with @arg of @size bytes, which holds what user memory holds afterwards. */
static long call_with(struct kunit *test, struct sync_file *sync_file,
		      unsigned int cmd, void *arg, size_t size)
{
	unsigned long addr = user_tail(test, size);
	long ret;

	user_write(test, addr, arg, size);
	ret = call(sync_file, cmd, addr);
	user_read(test, arg, addr, size);
	return ret;
}

static long merge(struct kunit *test, struct sync_file *sync_file,
		  struct sync_merge_data *arg)
{
	long ret = call_with(test, sync_file, SYNC_IOC_MERGE, arg, sizeof(*arg));

	if (!ret)
		KUNIT_ASSERT_EQ(test, 0,
				kunit_add_action_or_reset(test, close_descriptor,
							  (void *)(long)arg->fence));
	return ret;
}

static long get_info(struct kunit *test, struct sync_file *sync_file,
		     struct sync_file_info *arg)
{
	return call_with(test, sync_file, SYNC_IOC_FILE_INFO, arg, sizeof(*arg));
}

/* One who waits for a file as poll() does. */
struct poller {
	poll_table table;
	wait_queue_entry_t entry;
	wait_queue_head_t *queue;
	wait_queue_head_t woken;
	atomic_t wakes;
};

static int poller_wake(wait_queue_entry_t *entry, unsigned int mode, int sync,
		       void *key)
{
	struct poller *poller = container_of(entry, struct poller, entry);

	atomic_inc(&poller->wakes);
	wake_up(&poller->woken);
	return 1;
}

static void poller_enqueue(struct file *file, wait_queue_head_t *queue,
			   poll_table *table)
{
	struct poller *poller = container_of(table, struct poller, table);

	poller->queue = queue;
	add_wait_queue(queue, &poller->entry);
}

static void poller_init(struct poller *poller)
{
	init_poll_funcptr(&poller->table, poller_enqueue);
	init_waitqueue_func_entry(&poller->entry, poller_wake);
	init_waitqueue_head(&poller->woken);
	atomic_set(&poller->wakes, 0);
	poller->queue = NULL;
}

static void poller_fini(struct poller *poller)
{
	if (poller->queue)
		remove_wait_queue(poller->queue, &poller->entry);
}

/* What poll() says; @poller, if there is one, waits from now on. */
static int poll_mask(struct sync_file *sync_file, struct poller *poller)
{
	return (__force int)vfs_poll(sync_file->file,
				     poller ? &poller->table : NULL);
}

#define READABLE ((__force int)EPOLLIN)

/* Passes if a sync_file keeps its fence alive after its creator let go of it. */
static void create_takes_a_reference_of_its_own(struct kunit *test)
{
	struct mock_fence_calls *calls =
		kunit_kzalloc(test, sizeof(*calls), GFP_KERNEL);
	struct mock_fence_args args = { .calls = calls };
	struct sync_file *sync_file;
	struct dma_fence *fence;

	KUNIT_ASSERT_NOT_NULL(test, calls);
	fence = &mock_fence_create_args(test, &args)->base;
	sync_file = sync_file_create(fence);
	dma_fence_put(fence);
	KUNIT_ASSERT_NOT_NULL(test, sync_file);
	KUNIT_EXPECT_PTR_EQ(test, sync_file->fence, fence);
	KUNIT_EXPECT_EQ(test, atomic_read(&calls->release), 0);

	/* An unsignaled fence without anybody interested may just go. */
	__fput_sync(sync_file->file);
	KUNIT_EXPECT_EQ(test, atomic_read(&calls->release), 1);
}

/* Passes if the public members say what a driver may rely on. */
static void create_fills_public_members(struct kunit *test)
{
	struct dma_fence *fence;
	struct sync_file *sync_file = make_pending(test, &fence);

	KUNIT_EXPECT_PTR_EQ(test, sync_file->file->private_data, (void *)sync_file);
	KUNIT_EXPECT_EQ(test, sync_file->user_name[0], '\0');
	KUNIT_EXPECT_EQ(test, sync_file->flags, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&sync_file->wq.head));
}

#if DMABUF_OURS
/* Passes if a driver without a fence gets nothing, rather than a time bomb. */
static void create_without_fence_returns_null(struct kunit *test)
{
	dmabuf_expect_warning_begin(test);
	KUNIT_EXPECT_NULL(test, sync_file_create(NULL));
	dmabuf_expect_warning_end(test);
}
#endif

/* Passes if making and closing a file asks the driver for no name. */
static void create_asks_for_no_name(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_create(test);
	struct mock_fence_calls *calls = to_mock_fence(fence)->calls;
	struct sync_file *sync_file = sync_file_create(fence);

	mock_fence_put_at_exit(test, fence);
	KUNIT_ASSERT_NOT_NULL(test, sync_file);
	__fput_sync(sync_file->file);
	KUNIT_EXPECT_EQ(test, atomic_read(&calls->driver_name), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&calls->timeline_name), 0);
}

/* Passes if the reference that comes out survives the file. */
static void get_fence_returns_a_reference(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_create(test), *got;
	struct sync_file *sync_file = sync_file_create(fence);
	int fd;

	mock_fence_put_at_exit(test, fence);
	KUNIT_ASSERT_NOT_NULL(test, sync_file);
	fd = publish(test, sync_file->file);

	got = sync_file_get_fence(fd);
	KUNIT_EXPECT_PTR_EQ(test, got, fence);
	KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), 3);
	__fput_sync(sync_file->file);
	dma_fence_put(got);
}

/* Passes if neither a closed nor a negative number is taken for a sync_file. */
static void get_fence_of_closed_fd_returns_null(struct kunit *test)
{
	int fd = next_descriptor();

	KUNIT_ASSERT_GE(test, fd, 0);
	KUNIT_EXPECT_NULL(test, sync_file_get_fence(fd));
	KUNIT_EXPECT_NULL(test, sync_file_get_fence(-1));
	KUNIT_EXPECT_NULL(test, sync_file_get_fence(INT_MAX));
}

static const struct file_operations foreign_fops = {};

/* Passes if a file of another kind is told from a sync_file. */
static void get_fence_of_foreign_file_returns_null(struct kunit *test)
{
	struct file *file = anon_inode_getfile("[foreign]", &foreign_fops, NULL, 0);
	int fd;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	fd = publish(test, file);
	fput(file);
	KUNIT_EXPECT_NULL(test, sync_file_get_fence(fd));
}

/* The example "A fence on its way out" of sync_file.rst. */
static int give_out_fence(struct dma_fence *done, int __user *user_fd)
{
	struct sync_file *sync_file;
	int fd, ret;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;

	ret = -ENOMEM;
	sync_file = sync_file_create(done);
	if (!sync_file)
		goto err_put_fd;

	ret = -EFAULT;
	if (put_user(fd, user_fd))
		goto err_put_file;

	fd_install(fd, sync_file->file);
	return 0;

err_put_file:
	fput(sync_file->file);
err_put_fd:
	put_unused_fd(fd);
	return ret;
}

/* The example "A fence on its way in" of sync_file.rst. */
static int wait_for_descriptor(int fd)
{
	struct dma_fence *fence = sync_file_get_fence(fd);
	long ret;

	if (!fence)
		return -EINVAL;

	ret = dma_fence_wait(fence, true);
	dma_fence_put(fence);
	return ret;
}

/* Passes if a fence gets out and in again as the documentation shows it. */
static void examples_of_the_documentation_work(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_create_signaled(test);
	unsigned long addr = user_tail(test, sizeof(int));
	int next = next_descriptor(), fd;

	mock_fence_put_at_exit(test, fence);
	KUNIT_EXPECT_EQ(test, -EFAULT,
			give_out_fence(fence, (int __user *)(addr + sizeof(int))));
	KUNIT_EXPECT_EQ(test, next_descriptor(), next);

	KUNIT_ASSERT_EQ(test, give_out_fence(fence, (int __user *)addr), 0);
	user_read(test, &fd, addr, sizeof(fd));
	KUNIT_EXPECT_EQ(test, wait_for_descriptor(fd), 0);
	close_fd(fd);
	KUNIT_EXPECT_EQ(test, wait_for_descriptor(fd), -EINVAL);
}

/* Passes if the name is made of the four things that tell fences apart. */
static void name_of_pending_fence_is_generated(struct kunit *test)
{
	u64 context = dma_fence_context_alloc(1);
	struct dma_fence *fence = mock_fence_create_on(test, context, 4711);
	struct sync_file *sync_file;
	char name[64], expected[64];

	mock_fence_put_at_exit(test, fence);
	sync_file = make(test, fence);
	snprintf(expected, sizeof(expected), "%s-%s%llu-4711",
		 MOCK_DRIVER_NAME, MOCK_TIMELINE_NAME, context);

	KUNIT_EXPECT_PTR_EQ(test, (char *)name,
			    sync_file_get_name(sync_file, name, sizeof(name)));
	KUNIT_EXPECT_STREQ(test, name, expected);
}

/* Passes if a buffer of any size is filled to the last byte and terminated. */
static void name_longer_than_buffer_is_cut(struct kunit *test)
{
	struct dma_fence *fence;
	struct sync_file *sync_file = make_pending(test, &fence);
	char name[8] = "xxxxxxx";

	sync_file_get_name(sync_file, name, 6);
	KUNIT_EXPECT_STREQ(test, name, "mock-");
	KUNIT_EXPECT_EQ(test, name[6], 'x');
	sync_file_get_name(sync_file, name, 1);
	KUNIT_EXPECT_EQ(test, name[0], '\0');

	strscpy(sync_file->user_name, "abcdefghij");
	sync_file_get_name(sync_file, name, 6);
	KUNIT_EXPECT_STREQ(test, name, "abcde");
	KUNIT_EXPECT_EQ(test, name[6], 'x');
}

#if DMABUF_OURS
/*
 * Passes if a driver that may have been unloaded after its fence signaled is
 * not called for a name.
 */
static void name_of_signaled_fence_asks_no_driver(struct kunit *test)
{
	struct sync_fence_info entry = {};
	struct sync_file_info arg = {
		.num_fences = 1,
		.sync_fence_info = ((struct sync_file_test *)test->priv)->page,
	};
	struct dma_fence *fence;
	struct sync_file *sync_file = make_pending(test, &fence);
	struct mock_fence_calls *calls = to_mock_fence(fence)->calls;
	char name[64];

	dma_fence_signal(fence);
	sync_file_get_name(sync_file, name, sizeof(name));
	KUNIT_EXPECT_EQ(test, get_info(test, sync_file, &arg), 0);
	user_read(test, &entry, arg.sync_fence_info, sizeof(entry));

	KUNIT_EXPECT_EQ(test, atomic_read(&calls->driver_name), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&calls->timeline_name), 0);
	KUNIT_EXPECT_NE(test, name[0], '\0');
	KUNIT_EXPECT_NE(test, entry.driver_name[0], '\0');
	KUNIT_EXPECT_NE(test, entry.obj_name[0], '\0');
}
#endif

/* Passes if a pending fence is not ready, and gets watched by the first poll only. */
static void poll_pending_arms_once(struct kunit *test)
{
	struct dma_fence *fence;
	struct sync_file *sync_file = make_pending(test, &fence);
	struct mock_fence_calls *calls = to_mock_fence(fence)->calls;

	KUNIT_EXPECT_EQ(test, atomic_read(&calls->enable_signaling), 0);
	KUNIT_EXPECT_EQ(test, poll_mask(sync_file, NULL), 0);
	KUNIT_EXPECT_EQ(test, poll_mask(sync_file, NULL), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&calls->enable_signaling), 1);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&fence->cb_list));
}

/* Passes if a signaled fence is readable, and nothing else. */
static void poll_signaled_is_readable(struct kunit *test)
{
	struct dma_fence *fence;
	struct sync_file *sync_file = make_pending(test, &fence);

	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, poll_mask(sync_file, NULL), READABLE);
}

/* Passes if a fence with an error is as readable as one without. */
static void poll_failed_fence_is_readable(struct kunit *test)
{
	struct dma_fence *fence;
	struct sync_file *sync_file = make_pending(test, &fence);

	dma_fence_set_error(fence, -EIO);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, poll_mask(sync_file, NULL), READABLE);
}

/* Passes if the signal wakes whoever polls, once each. */
static void poll_wakes_all_on_signal(struct kunit *test)
{
	struct dma_fence *fence;
	struct sync_file *sync_file = make_pending(test, &fence);
	struct poller pollers[2];
	int i;

	for (i = 0; i < 2; i++) {
		poller_init(&pollers[i]);
		KUNIT_EXPECT_EQ(test, poll_mask(sync_file, &pollers[i]), 0);
	}
	dma_fence_signal(fence);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, atomic_read(&pollers[i].wakes), 1);
		poller_fini(&pollers[i]);
	}
	KUNIT_EXPECT_EQ(test, poll_mask(sync_file, NULL), READABLE);
}

/* Passes if a fence that turns out to be done when it is armed is readable at once. */
static void poll_with_refused_enable_is_readable(struct kunit *test)
{
	struct mock_fence_args args = {
		.ops = &mock_fence_ops,
		.refuse_enable = true,
	};
	struct dma_fence *fence = &mock_fence_create_args(test, &args)->base;
	struct sync_file *sync_file;
	struct poller poller;

	mock_fence_put_at_exit(test, fence);
	sync_file = make(test, fence);
	poller_init(&poller);
	KUNIT_EXPECT_EQ(test, poll_mask(sync_file, &poller), READABLE);
	poller_fini(&poller);
}

/* Passes if a signal after the release finds nothing to call. */
static void release_after_poll_leaves_no_callback(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_create(test);
	struct sync_file *sync_file = sync_file_create(fence);

	mock_fence_put_at_exit(test, fence);
	KUNIT_ASSERT_NOT_NULL(test, sync_file);
	KUNIT_EXPECT_EQ(test, poll_mask(sync_file, NULL), 0);
	__fput_sync(sync_file->file);

	KUNIT_EXPECT_TRUE(test, list_empty(&fence->cb_list));
	KUNIT_EXPECT_EQ(test, dma_fence_signal(fence), 0);
}

struct poll_race {
	struct dma_fence *fence;
	struct sync_file *sync_file;
	struct poller pollers[2];
	bool ready[2];
};

static void poll_race_prepare(struct kunit *test, void *ctx)
{
	struct poll_race *race = ctx;
	int i;

	race->fence = mock_fence_create(test);
	race->sync_file = sync_file_create(race->fence);
	KUNIT_ASSERT_NOT_NULL(test, race->sync_file);
	for (i = 0; i < 2; i++)
		poller_init(&race->pollers[i]);
}

static void poll_until_ready(struct poll_race *race, int i)
{
	struct poller *poller = &race->pollers[i];

	race->ready[i] = poll_mask(race->sync_file, poller) ||
			 wait_event_timeout(poller->woken,
					    atomic_read(&poller->wakes),
					    WAKE_TIMEOUT);
}

static void poll_race_first(void *ctx)
{
	poll_until_ready(ctx, 0);
}

static void poll_race_second(void *ctx)
{
	poll_until_ready(ctx, 1);
}

static void poll_race_signal(void *ctx)
{
	struct poll_race *race = ctx;

	dma_fence_signal(race->fence);
}

static void poll_race_check(struct kunit *test, void *ctx)
{
	struct poll_race *race = ctx;
	int i;

	for (i = 0; i < 2; i++) {
		KUNIT_ASSERT_TRUE(test, race->ready[i]);
		poller_fini(&race->pollers[i]);
	}
	__fput_sync(race->sync_file->file);
	dma_fence_put(race->fence);
}

/* Passes if, whoever arms and whenever the signal comes, no poller sleeps on. */
static void poll_races_signal(struct kunit *test)
{
	struct poll_race *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	struct mock_race race = {
		.ctx = ctx,
		.prepare = poll_race_prepare,
		.check = poll_race_check,
		.racer = { poll_race_first, poll_race_second, poll_race_signal },
	};

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	mock_race(test, &race);
}

static void release_race_prepare(struct kunit *test, void *ctx)
{
	struct poll_race *race = ctx;

	race->fence = mock_fence_create(test);
	race->sync_file = sync_file_create(race->fence);
	KUNIT_ASSERT_NOT_NULL(test, race->sync_file);
	KUNIT_ASSERT_EQ(test, poll_mask(race->sync_file, NULL), 0);
}

static void release_race_release(void *ctx)
{
	struct poll_race *race = ctx;

	__fput_sync(race->sync_file->file);
}

static void release_race_check(struct kunit *test, void *ctx)
{
	struct poll_race *race = ctx;

	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(race->fence));
	dma_fence_put(race->fence);
}

/* Passes if a callback and the release of its file never meet (KASAN looks on). */
static void release_races_signal(struct kunit *test)
{
	struct poll_race *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	struct mock_race race = {
		.ctx = ctx,
		.prepare = release_race_prepare,
		.check = release_race_check,
		.racer = { release_race_release, poll_race_signal },
	};

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	mock_race(test, &race);
}

/* Passes if the result is pending until both inputs are done, and they stay as they were. */
static void merge_signals_after_both(struct kunit *test)
{
	struct sync_merge_data arg = { .name = "both" };
	struct dma_fence *first, *second, *both;
	struct sync_file *sync_file = make_pending(test, &first);

	arg.fd2 = publish(test, make_pending(test, &second)->file);
	KUNIT_ASSERT_EQ(test, merge(test, sync_file, &arg), 0);
	both = sync_file_get_fence(arg.fence);
	KUNIT_ASSERT_NOT_NULL(test, both);
	mock_fence_put_at_exit(test, both);
	dma_fence_enable_sw_signaling(both);

	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(both));
	dma_fence_signal(first);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(both));
	KUNIT_EXPECT_PTR_EQ(test, sync_file->fence, first);
	dma_fence_signal(second);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(both, false, WAKE_TIMEOUT) > 0, 1);
}

/* Passes if of one timeline only the last fence is kept. */
static void merge_of_one_timeline_keeps_the_later(struct kunit *test)
{
	struct sync_merge_data arg = { .name = "later" };
	u64 context = dma_fence_context_alloc(1);
	struct dma_fence *early = mock_fence_create_on(test, context, 1);
	struct dma_fence *late = mock_fence_create_on(test, context, 2), *got;

	mock_fence_put_at_exit(test, early);
	mock_fence_put_at_exit(test, late);
	arg.fd2 = publish(test, make(test, early)->file);
	KUNIT_ASSERT_EQ(test, merge(test, make(test, late), &arg), 0);

	got = sync_file_get_fence(arg.fence);
	KUNIT_EXPECT_PTR_EQ(test, got, late);
	dma_fence_put(got);
}

/* Passes if a merge of what has signaled is signaled from the start. */
static void merge_of_signaled_is_signaled(struct kunit *test)
{
	struct sync_merge_data arg = { .name = "done" };
	struct dma_fence *first, *second, *got;
	struct sync_file *sync_file = make_pending(test, &first);

	arg.fd2 = publish(test, make_pending(test, &second)->file);
	dma_fence_signal(first);
	dma_fence_signal(second);
	KUNIT_ASSERT_EQ(test, merge(test, sync_file, &arg), 0);
	got = sync_file_get_fence(arg.fence);
	KUNIT_EXPECT_TRUE(test, got && dma_fence_is_signaled(got));
	dma_fence_put(got);
}

/* Passes if a sync_file can be merged with itself. */
static void merge_with_itself_keeps_the_fence(struct kunit *test)
{
	struct sync_merge_data arg = { .name = "self" };
	struct dma_fence *fence, *got;
	struct sync_file *sync_file = make_pending(test, &fence);

	arg.fd2 = publish(test, sync_file->file);
	KUNIT_ASSERT_EQ(test, merge(test, sync_file, &arg), 0);
	got = sync_file_get_fence(arg.fence);
	KUNIT_EXPECT_PTR_EQ(test, got, fence);
	dma_fence_put(got);
}

struct name_param {
	const char *desc;
	size_t length;		/* of what user space passes, 32: no terminator */
	size_t kept;
};

static const struct name_param name_params[] = {
	{ "one byte", 1, 1 },
	{ "30 bytes", 30, 30 },
	{ "31 bytes", 31, 31 },
	{ "no terminator", 32, 31 },
};

KUNIT_ARRAY_PARAM_DESC(name, name_params, desc);

/* Passes if the name comes back, at most 31 bytes of it, always terminated. */
static void merge_keeps_name_terminated(struct kunit *test)
{
	const struct name_param *param = test->param_value;
	struct sync_merge_data arg = {};
	struct sync_file_info info = {};
	struct sync_file *merged;
	char expected[32] = {};
	struct dma_fence *fence;
	struct file *file;

	arg.fd2 = publish(test, make_pending(test, &fence)->file);
	memset(arg.name, 'n', param->length);
	memset(expected, 'n', param->kept);
	KUNIT_ASSERT_EQ(test, merge(test, make_pending(test, &fence), &arg), 0);

	file = fget(arg.fence);
	KUNIT_ASSERT_NOT_NULL(test, file);
	merged = file->private_data;
	KUNIT_EXPECT_STREQ(test, merged->user_name, expected);
	KUNIT_EXPECT_EQ(test, get_info(test, merged, &info), 0);
	KUNIT_EXPECT_MEMEQ(test, info.name, expected, sizeof(expected));
	__fput_sync(file);
}

/* Passes if a merge with an empty name gets a generated one. */
static void merge_without_name_generates_one(struct kunit *test)
{
	u64 context = dma_fence_context_alloc(1);
	struct dma_fence *fence = mock_fence_create_on(test, context, 7);
	struct sync_file *sync_file;
	struct sync_merge_data arg = {};
	char name[64], expected[64];
	struct file *file;

	mock_fence_put_at_exit(test, fence);
	sync_file = make(test, fence);
	arg.fd2 = publish(test, sync_file->file);
	KUNIT_ASSERT_EQ(test, merge(test, sync_file, &arg), 0);
	snprintf(expected, sizeof(expected), "%s-%s%llu-7",
		 MOCK_DRIVER_NAME, MOCK_TIMELINE_NAME, context);

	file = fget(arg.fence);
	KUNIT_ASSERT_NOT_NULL(test, file);
	sync_file_get_name(file->private_data, name, sizeof(name));
	KUNIT_EXPECT_STREQ(test, name, expected);
	__fput_sync(file);
}

/* Passes if flags and padding are refused, each of them. */
static void merge_with_flags_or_padding_is_invalid(struct kunit *test)
{
	struct dma_fence *fence;
	struct sync_file *sync_file = make_pending(test, &fence);
	int fd = publish(test, sync_file->file), bit;

	for (bit = 0; bit < 32; bit++) {
		struct sync_merge_data flags = { .fd2 = fd, .flags = 1U << bit };
		struct sync_merge_data pad = { .fd2 = fd, .pad = 1U << bit };

		KUNIT_EXPECT_EQ(test, merge(test, sync_file, &flags), -EINVAL);
		KUNIT_EXPECT_EQ(test, merge(test, sync_file, &pad), -EINVAL);
	}
}

/* Passes if a second descriptor that is closed or foreign is ENOENT. */
static void merge_with_other_fd_is_enoent(struct kunit *test)
{
	struct sync_merge_data closed = { .fd2 = next_descriptor() };
	struct file *file = anon_inode_getfile("[foreign]", &foreign_fops, NULL, 0);
	struct sync_merge_data foreign = {};
	struct dma_fence *fence;
	struct sync_file *sync_file = make_pending(test, &fence);

	KUNIT_EXPECT_EQ(test, merge(test, sync_file, &closed), -ENOENT);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	foreign.fd2 = publish(test, file);
	fput(file);
	KUNIT_EXPECT_EQ(test, merge(test, sync_file, &foreign), -ENOENT);
}

/* Passes if the limit of descriptors is reported, and costs nothing. */
static void merge_at_fd_limit_is_emfile(struct kunit *test)
{
	struct rlimit *limit = &current->signal->rlim[RLIMIT_NOFILE];
	const struct rlimit saved = *limit;
	struct dma_fence *fence;
	struct sync_file *sync_file = make_pending(test, &fence);
	struct sync_merge_data arg = { .fd2 = publish(test, sync_file->file) };
	unsigned int refs = kref_read(&fence->refcount);

	limit->rlim_cur = 0;
	KUNIT_EXPECT_EQ(test, merge(test, sync_file, &arg), -EMFILE);
	*limit = saved;
	KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), refs);
}

/* User memory that holds @size bytes of @from and can only be read. */
static unsigned long user_read_only(struct kunit *test, const void *from,
				    size_t size)
{
	struct file *file = shmem_kernel_file_setup("sync_file-test", PAGE_SIZE, 0);
	unsigned long addr;
	loff_t pos = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_EXPECT_EQ(test, kernel_write(file, from, size, &pos), size);
	addr = kunit_vm_mmap(test, file, 0, PAGE_SIZE, PROT_READ, MAP_SHARED, 0);
	fput(file);
	KUNIT_ASSERT_FALSE(test, !addr || IS_ERR_VALUE(addr));
	return addr;
}

/* Passes if an argument that cannot be written leaves no descriptor behind. */
static void merge_into_read_only_memory_leaves_nothing(struct kunit *test)
{
	struct dma_fence *fence;
	struct sync_file *sync_file = make_pending(test, &fence);
	struct sync_merge_data arg = { .fd2 = publish(test, sync_file->file) };
	int next = next_descriptor();

	KUNIT_EXPECT_EQ(test, -EFAULT,
			call(sync_file, SYNC_IOC_MERGE,
			     user_read_only(test, &arg, sizeof(arg))));
	KUNIT_EXPECT_EQ(test, next_descriptor(), next);
}

/* Passes if an argument that can only be read is a fault here as well. */
static void info_into_read_only_memory_is_efault(struct kunit *test)
{
	struct sync_file_info arg = {};
	struct dma_fence *fence;

	KUNIT_EXPECT_EQ(test, -EFAULT,
			call(make_pending(test, &fence), SYNC_IOC_FILE_INFO,
			     user_read_only(test, &arg, sizeof(arg))));
}

/* Passes if asking for nothing but the number copies no entry. */
static void info_without_room_tells_the_number(struct kunit *test)
{
	struct sync_file_info arg = { .sync_fence_info = 1 };
	struct dma_fence *fence;
	struct sync_file *sync_file = make_pending(test, &fence);

	KUNIT_EXPECT_EQ(test, get_info(test, sync_file, &arg), 0);
	KUNIT_EXPECT_EQ(test, arg.num_fences, 1);
	KUNIT_EXPECT_EQ(test, arg.status, 0);
	KUNIT_EXPECT_EQ(test, strncmp(arg.name, MOCK_DRIVER_NAME, 11), 0);

	arg.num_fences = 0;
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, get_info(test, sync_file, &arg), 0);
	KUNIT_EXPECT_EQ(test, arg.status, 1);
}

/* Passes if each entry says what its fence is and how it does. */
static void info_describes_each_fence(struct kunit *test)
{
	struct sync_fence_info entries[3] = {};
	struct sync_file_info arg = {
		.num_fences = ARRAY_SIZE(entries),
		.sync_fence_info = user_tail(test, sizeof(arg) + sizeof(entries)),
	};
	struct dma_fence *pending = mock_fence_create(test);
	struct dma_fence *done = mock_fence_create(test);
	struct dma_fence *failed = mock_fence_create(test);
	struct dma_fence *all = dma_fence_unwrap_merge(pending, done, failed);
	ktime_t before = ktime_get();
	int i;

	mock_fence_put_at_exit(test, all);
	mock_fence_put_at_exit(test, pending);
	mock_fence_put_at_exit(test, done);
	mock_fence_put_at_exit(test, failed);
	KUNIT_ASSERT_NOT_NULL(test, all);
	dma_fence_set_error(failed, -EIO);
	dma_fence_signal(failed);
	dma_fence_signal(done);

	KUNIT_ASSERT_EQ(test, get_info(test, make(test, all), &arg), 0);
	KUNIT_EXPECT_EQ(test, arg.num_fences, 3);
	user_read(test, entries, arg.sync_fence_info, sizeof(entries));

	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, entries[i].flags, 0);
		KUNIT_EXPECT_NE(test, entries[i].obj_name[0], '\0');
		if (!entries[i].status)
			KUNIT_EXPECT_EQ(test, entries[i].timestamp_ns, 0);
		else
			KUNIT_EXPECT_GE(test, (s64)entries[i].timestamp_ns,
					ktime_to_ns(before));
	}
	KUNIT_EXPECT_EQ(test, -EIO,
			entries[0].status + entries[1].status + entries[2].status - 1);
	dma_fence_signal(pending);
}

/* Passes if the names of a pending fence are the driver's. */
static void info_of_pending_fence_has_names(struct kunit *test)
{
	struct sync_fence_info entry;
	struct sync_file_info arg = {
		.num_fences = 1,
		.sync_fence_info = user_tail(test, sizeof(arg) + sizeof(entry)),
	};
	struct dma_fence *fence;
	struct sync_file *sync_file = make_pending(test, &fence);

	KUNIT_ASSERT_EQ(test, get_info(test, sync_file, &arg), 0);
	user_read(test, &entry, arg.sync_fence_info, sizeof(entry));
	KUNIT_EXPECT_STREQ(test, entry.driver_name, MOCK_DRIVER_NAME);
	KUNIT_EXPECT_STREQ(test, entry.obj_name, MOCK_TIMELINE_NAME);
}

/* Passes if a fence's error is the status of the file, with room or without. */
static void info_of_failed_fence_has_the_error(struct kunit *test)
{
	struct sync_file_info arg = {
		.num_fences = 1,
		.sync_fence_info = ((struct sync_file_test *)test->priv)->page,
	};
	struct dma_fence *fence;
	struct sync_file *sync_file = make_pending(test, &fence);

	dma_fence_set_error(fence, -ETIME);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, get_info(test, sync_file, &arg), 0);
	KUNIT_EXPECT_EQ(test, arg.status, -ETIME);

	arg.num_fences = 0;
	KUNIT_EXPECT_EQ(test, get_info(test, sync_file, &arg), 0);
	KUNIT_EXPECT_EQ(test, arg.status, -ETIME);
}

/* A chain node on top of @fence, whose reference it takes. */
static struct dma_fence *chain_of(struct kunit *test, struct dma_fence *fence)
{
	struct dma_fence_chain *chain = dma_fence_chain_alloc();

	KUNIT_ASSERT_NOT_NULL(test, chain);
	dma_fence_chain_init(chain, NULL, fence, CHAIN_SEQNO);
	mock_fence_put_at_exit(test, &chain->base);
	return &chain->base;
}

/* Passes if a chain is looked into, and no reference to it is lost on a fault. */
static void info_of_chain_shows_what_is_inside(struct kunit *test)
{
	struct sync_fence_info entry;
	struct sync_file_info arg = {
		.num_fences = 1,
		.sync_fence_info = user_tail(test, sizeof(arg) + sizeof(entry)),
	};
	struct dma_fence *fence = mock_fence_create(test);
	struct dma_fence *chain = chain_of(test, fence);
	struct sync_file *sync_file = make(test, chain);
	unsigned int refs = kref_read(&chain->refcount);

	KUNIT_EXPECT_EQ(test, get_info(test, sync_file, &arg), 0);
	user_read(test, &entry, arg.sync_fence_info, sizeof(entry));
	KUNIT_EXPECT_STREQ(test, entry.driver_name, MOCK_DRIVER_NAME);

	arg.sync_fence_info = 0;
	KUNIT_EXPECT_EQ(test, get_info(test, sync_file, &arg), -EFAULT);
	KUNIT_EXPECT_EQ(test, kref_read(&chain->refcount), refs);
	dma_fence_signal(fence);
}

/* Passes if too little room is refused before anything is written. */
static void info_with_too_little_room_is_invalid(struct kunit *test)
{
	struct sync_file_info arg = { .num_fences = 1, .sync_fence_info = 0 };
	struct dma_fence *first = mock_fence_create(test);
	struct dma_fence *second = mock_fence_create(test);
	struct dma_fence *both = dma_fence_unwrap_merge(first, second);

	mock_fence_put_at_exit(test, both);
	mock_fence_put_at_exit(test, first);
	mock_fence_put_at_exit(test, second);
	KUNIT_ASSERT_NOT_NULL(test, both);
	KUNIT_EXPECT_EQ(test, get_info(test, make(test, both), &arg), -EINVAL);
	KUNIT_EXPECT_EQ(test, arg.num_fences, 1);
}

/* Passes if more room than there can be fences is no reason to allocate it. */
static void info_with_huge_room_succeeds(struct kunit *test)
{
	struct sync_fence_info entry;
	struct sync_file_info arg = {
		.num_fences = U32_MAX,
		.sync_fence_info = user_tail(test, sizeof(arg) + sizeof(entry)),
	};
	struct dma_fence *fence;

	KUNIT_EXPECT_EQ(test, get_info(test, make_pending(test, &fence), &arg), 0);
	KUNIT_EXPECT_EQ(test, arg.num_fences, 1);
}

/* Passes if flags and padding are refused, each of them. */
static void info_with_flags_or_padding_is_invalid(struct kunit *test)
{
	struct dma_fence *fence;
	struct sync_file *sync_file = make_pending(test, &fence);
	int bit;

	for (bit = 0; bit < 32; bit++) {
		struct sync_file_info flags = { .flags = 1U << bit };
		struct sync_file_info pad = { .pad = 1U << bit };

		KUNIT_EXPECT_EQ(test, get_info(test, sync_file, &flags), -EINVAL);
		KUNIT_EXPECT_EQ(test, get_info(test, sync_file, &pad), -EINVAL);
	}
}

/* Passes if an array that is not, or not wholly, writable is a fault. */
static void info_with_bad_array_is_efault(struct kunit *test)
{
	const unsigned long page = ((struct sync_file_test *)test->priv)->page;
	const unsigned long bad[] = {
		0, 1, page + PAGE_SIZE, page + PAGE_SIZE - 1, ULONG_MAX,
		ULONG_MAX - sizeof(struct sync_fence_info) + 1,
	};
	struct dma_fence *fence;
	struct sync_file *sync_file = make_pending(test, &fence);
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct sync_file_info arg = {
			.num_fences = 1,
			.sync_fence_info = bad[i],
		};

		KUNIT_EXPECT_EQ(test, get_info(test, sync_file, &arg), -EFAULT);
	}
}

/* Passes if the driver hears of the deadline, unchanged. */
static void deadline_reaches_the_driver(struct kunit *test)
{
	struct sync_set_deadline arg = { .deadline_ns = 123456789 };
	struct dma_fence *fence;
	struct sync_file *sync_file = make_pending(test, &fence);
	struct mock_fence *mock = to_mock_fence(fence);

	KUNIT_EXPECT_EQ(test, 0, call_with(test, sync_file, SYNC_IOC_SET_DEADLINE,
					   &arg, sizeof(arg)));
	KUNIT_EXPECT_EQ(test, atomic_read(&mock->calls->set_deadline), 1);
	KUNIT_EXPECT_EQ(test, ktime_to_ns(mock->deadline), 123456789);
}

/* Passes if a deadline for something that is over is no error and no call. */
static void deadline_after_signal_is_ignored(struct kunit *test)
{
	struct sync_set_deadline arg = { .deadline_ns = 1 };
	struct dma_fence *fence;
	struct sync_file *sync_file = make_pending(test, &fence);

	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, 0, call_with(test, sync_file, SYNC_IOC_SET_DEADLINE,
					   &arg, sizeof(arg)));
	KUNIT_EXPECT_EQ(test, 0,
			atomic_read(&to_mock_fence(fence)->calls->set_deadline));
}

/* Passes if padding is refused, each bit of it. */
static void deadline_with_padding_is_invalid(struct kunit *test)
{
	struct dma_fence *fence;
	struct sync_file *sync_file = make_pending(test, &fence);
	int bit;

	for (bit = 0; bit < 64; bit++) {
		struct sync_set_deadline arg = { .pad = BIT_ULL(bit) };

		KUNIT_EXPECT_EQ(test, -EINVAL,
				call_with(test, sync_file, SYNC_IOC_SET_DEADLINE,
					  &arg, sizeof(arg)));
	}
	KUNIT_EXPECT_EQ(test, 0,
			atomic_read(&to_mock_fence(fence)->calls->set_deadline));
}

struct ioctl_param {
	const char *desc;
	unsigned int cmd;
};

static const struct ioctl_param ioctl_params[] = {
	{ "merge", SYNC_IOC_MERGE },
	{ "file info", SYNC_IOC_FILE_INFO },
	{ "set deadline", SYNC_IOC_SET_DEADLINE },
};

KUNIT_ARRAY_PARAM_DESC(ioctl, ioctl_params, desc);

/* Passes if an argument that cannot be read is a fault, wherever it starts. */
static void ioctl_with_bad_argument_is_efault(struct kunit *test)
{
	const struct ioctl_param *param = test->param_value;
	const unsigned long page = ((struct sync_file_test *)test->priv)->page;
	const unsigned long bad[] = {
		0, page + PAGE_SIZE, page + PAGE_SIZE - 1, ULONG_MAX,
	};
	struct dma_fence *fence;
	struct sync_file *sync_file = make_pending(test, &fence);
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ(test, call(sync_file, param->cmd, bad[i]), -EFAULT);
}

static const struct ioctl_param foreign_params[] = {
	{ "burned number 0", _IOW(SYNC_IOC_MAGIC, 0, __s32) },
	{ "burned number 1", _IOWR(SYNC_IOC_MAGIC, 1, struct sync_merge_data) },
	{ "burned number 2", _IOWR(SYNC_IOC_MAGIC, 2, struct sync_file_info) },
	{ "unknown number", _IO(SYNC_IOC_MAGIC, 6) },
	{ "other direction", _IOW(SYNC_IOC_MAGIC, 3, struct sync_merge_data) },
	{ "other size", _IOWR(SYNC_IOC_MAGIC, 4, struct sync_merge_data) },
	{ "other type", _IOWR('b', 3, struct sync_merge_data) },
};

KUNIT_ARRAY_PARAM_DESC(foreign, foreign_params, desc);

/* Passes if whatever is not one of the three whole numbers is ENOTTY. */
static void ioctl_unknown_is_enotty(struct kunit *test)
{
	const struct ioctl_param *param = test->param_value;
	struct dma_fence *fence;
	struct sync_file *sync_file = make_pending(test, &fence);

	KUNIT_EXPECT_EQ(test, call(sync_file, param->cmd, 0), -ENOTTY);
}

static struct kunit_case sync_file_cases[] = {
	KUNIT_CASE(create_takes_a_reference_of_its_own),
	KUNIT_CASE(create_fills_public_members),
#if DMABUF_OURS
	KUNIT_CASE(create_without_fence_returns_null),
#endif
	KUNIT_CASE(create_asks_for_no_name),
	KUNIT_CASE(get_fence_returns_a_reference),
	KUNIT_CASE(get_fence_of_closed_fd_returns_null),
	KUNIT_CASE(get_fence_of_foreign_file_returns_null),
	KUNIT_CASE(examples_of_the_documentation_work),
	KUNIT_CASE(name_of_pending_fence_is_generated),
	KUNIT_CASE(name_longer_than_buffer_is_cut),
#if DMABUF_OURS
	KUNIT_CASE(name_of_signaled_fence_asks_no_driver),
#endif
	KUNIT_CASE(poll_pending_arms_once),
	KUNIT_CASE(poll_signaled_is_readable),
	KUNIT_CASE(poll_failed_fence_is_readable),
	KUNIT_CASE(poll_wakes_all_on_signal),
	KUNIT_CASE(poll_with_refused_enable_is_readable),
	KUNIT_CASE_SLOW(poll_races_signal),
	KUNIT_CASE(release_after_poll_leaves_no_callback),
	KUNIT_CASE_SLOW(release_races_signal),
	KUNIT_CASE(merge_signals_after_both),
	KUNIT_CASE(merge_of_one_timeline_keeps_the_later),
	KUNIT_CASE(merge_of_signaled_is_signaled),
	KUNIT_CASE(merge_with_itself_keeps_the_fence),
	KUNIT_CASE_PARAM(merge_keeps_name_terminated, name_gen_params),
	KUNIT_CASE(merge_without_name_generates_one),
	KUNIT_CASE(merge_with_flags_or_padding_is_invalid),
	KUNIT_CASE(merge_with_other_fd_is_enoent),
	KUNIT_CASE(merge_at_fd_limit_is_emfile),
	KUNIT_CASE(merge_into_read_only_memory_leaves_nothing),
	KUNIT_CASE(info_into_read_only_memory_is_efault),
	KUNIT_CASE(info_without_room_tells_the_number),
	KUNIT_CASE(info_describes_each_fence),
	KUNIT_CASE(info_of_pending_fence_has_names),
	KUNIT_CASE(info_of_failed_fence_has_the_error),
	KUNIT_CASE(info_of_chain_shows_what_is_inside),
	KUNIT_CASE(info_with_too_little_room_is_invalid),
	KUNIT_CASE(info_with_huge_room_succeeds),
	KUNIT_CASE(info_with_flags_or_padding_is_invalid),
	KUNIT_CASE(info_with_bad_array_is_efault),
	KUNIT_CASE(deadline_reaches_the_driver),
	KUNIT_CASE(deadline_after_signal_is_ignored),
	KUNIT_CASE(deadline_with_padding_is_invalid),
	KUNIT_CASE_PARAM(ioctl_with_bad_argument_is_efault, ioctl_gen_params),
	KUNIT_CASE_PARAM(ioctl_unknown_is_enotty, foreign_gen_params),
	{}
};

static struct kunit_suite sync_file_suite = {
	.name = "sync_file",
	.init = sync_file_test_init,
	.test_cases = sync_file_cases,
};

kunit_test_suite(sync_file_suite);
