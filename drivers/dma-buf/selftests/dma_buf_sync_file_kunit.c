// SPDX-License-Identifier: GPL-2.0
/*
 * The two ioctls between a buffer's reservation and sync_file: which fences go
 * into a snapshot, and as what imported ones come in.
 */

#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/resource.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>
#include <uapi/linux/dma-buf.h>

#include <kunit/test.h>

#include "mock.h"
#include "mock_exporter.h"
#include "mock_fence.h"

static void signal_fence(void *fence)
{
	dma_fence_signal(fence);
}

/* A pending fence that is signaled and dropped when the test ends. */
static struct dma_fence *pending(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_create(test);

	mock_fence_put_at_exit(test, fence);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, signal_fence, fence), 0);
	return fence;
}

/* A pending fence of @usage on the buffer. */
static struct dma_fence *busy(struct mock_exporter *exporter,
			      enum dma_resv_usage usage)
{
	struct dma_fence *fence = pending(exporter->test);

	mock_exporter_add_fence(exporter, fence, usage);
	return fence;
}

static void close_it(void *fd)
{
	close_fd((long)fd);
	flush_delayed_fput();
}

/* Close @fd when the test ends. */
static void close_at_exit(struct kunit *test, int fd)
{
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, close_it,
							(void *)(long)fd), 0);
}

static long export_fences(struct mock_exporter *exporter, u32 flags, int *fd)
{
	struct dma_buf_export_sync_file arg = { .flags = flags, .fd = -1 };
	long ret;

	ret = mock_exporter_ioctl(exporter, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg,
				  sizeof(arg));
	*fd = arg.fd;
	return ret;
}

static long import_fences(struct mock_exporter *exporter, u32 flags, int fd)
{
	struct dma_buf_import_sync_file arg = { .flags = flags, .fd = fd };

	return mock_exporter_ioctl(exporter, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &arg,
				   sizeof(arg));
}

/* The snapshot for @flags as a fence that is dropped when the test ends. */
static struct dma_fence *snapshot(struct mock_exporter *exporter, u32 flags)
{
	struct kunit *test = exporter->test;
	struct dma_fence *fence;
	int fd;

	KUNIT_ASSERT_EQ(test, export_fences(exporter, flags, &fd), 0);
	close_at_exit(test, fd);
	fence = sync_file_get_fence(fd);
	KUNIT_ASSERT_NOT_NULL(test, fence);
	mock_fence_put_at_exit(test, fence);
	return fence;
}

/* A descriptor for @fence, closed when the test ends. */
static int sync_fd(struct kunit *test, struct dma_fence *fence)
{
	struct sync_file *sync_file = sync_file_create(fence);
	int fd;

	KUNIT_ASSERT_NOT_NULL(test, sync_file);
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		fput(sync_file->file);
		KUNIT_FAIL_AND_ABORT(test, "no descriptor");
	}
	fd_install(fd, sync_file->file);
	close_at_exit(test, fd);
	return fd;
}

/* How many pending fences of exactly @usage are there? */
static unsigned int count_fences(struct mock_exporter *exporter,
				 enum dma_resv_usage usage)
{
	struct dma_resv *resv = exporter->dmabuf->resv;
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int count = 0;

	dma_resv_lock(resv, NULL);
	dma_resv_for_each_fence(&cursor, resv, usage, fence)
		count += dma_resv_iter_usage(&cursor) == usage &&
			 !dma_fence_is_signaled(fence);
	dma_resv_unlock(resv);
	return count;
}

/* --- Flags ----------------------------------------------------------------- */

/* Passes if no flag, and each flag but READ and WRITE, is -EINVAL for export. */
static void export_flags_are_checked(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	unsigned int bit;
	int fd;

	KUNIT_EXPECT_EQ(test, export_fences(exporter, 0, &fd), -EINVAL);
	for (bit = 2; bit < 32; bit++) {
		KUNIT_EXPECT_EQ(test, export_fences(exporter, BIT(bit), &fd), -EINVAL);
		KUNIT_EXPECT_EQ(test, fd, -1);
		KUNIT_EXPECT_EQ(test, export_fences(exporter, BIT(bit) | DMA_BUF_SYNC_RW,
						    &fd), -EINVAL);
		KUNIT_EXPECT_EQ(test, fd, -1);
	}
}

/* Passes if no flag, and each flag but READ and WRITE, is -EINVAL for import. */
static void import_flags_are_checked(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	int fd = sync_fd(test, pending(test));
	unsigned int bit;

	KUNIT_EXPECT_EQ(test, import_fences(exporter, 0, fd), -EINVAL);
	for (bit = 2; bit < 32; bit++) {
		KUNIT_EXPECT_EQ(test, import_fences(exporter, BIT(bit), fd), -EINVAL);
		KUNIT_EXPECT_EQ(test, import_fences(exporter, BIT(bit) | DMA_BUF_SYNC_RW,
						    fd), -EINVAL);
	}
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(exporter->dmabuf->resv,
						       DMA_RESV_USAGE_BOOKKEEP));
}

/* --- Export ---------------------------------------------------------------- */

struct export_row {
	const char *desc;
	u32 flags;
	enum dma_resv_usage usage;
	bool waits;
};

static const struct export_row export_rows[] = {
	{ "read_kernel", DMA_BUF_SYNC_READ, DMA_RESV_USAGE_KERNEL, true },
	{ "read_write", DMA_BUF_SYNC_READ, DMA_RESV_USAGE_WRITE, true },
	{ "read_read", DMA_BUF_SYNC_READ, DMA_RESV_USAGE_READ, false },
	{ "read_bookkeep", DMA_BUF_SYNC_READ, DMA_RESV_USAGE_BOOKKEEP, false },
	{ "write_kernel", DMA_BUF_SYNC_WRITE, DMA_RESV_USAGE_KERNEL, true },
	{ "write_write", DMA_BUF_SYNC_WRITE, DMA_RESV_USAGE_WRITE, true },
	{ "write_read", DMA_BUF_SYNC_WRITE, DMA_RESV_USAGE_READ, true },
	{ "write_bookkeep", DMA_BUF_SYNC_WRITE, DMA_RESV_USAGE_BOOKKEEP, false },
	{ "rw_read", DMA_BUF_SYNC_RW, DMA_RESV_USAGE_READ, true },
	{ "rw_bookkeep", DMA_BUF_SYNC_RW, DMA_RESV_USAGE_BOOKKEEP, false },
};

KUNIT_ARRAY_PARAM_DESC(export_row, export_rows, desc);

/*
 * Passes if the snapshot of one pending fence is signaled, or signals with it,
 * as its usage and the flags say. Flags name what comes next.
 */
static void export_row(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	const struct export_row *row = test->param_value;
	struct dma_fence *fence = busy(exporter, row->usage);
	struct dma_fence *copy = snapshot(exporter, row->flags);

	KUNIT_EXPECT_EQ(test, dma_fence_is_signaled(copy), !row->waits);
	dma_fence_signal(fence);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(copy));
}

/* Passes if the snapshot of an idle buffer has signaled. */
static void export_idle_is_signaled(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);

	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(snapshot(exporter,
							       DMA_BUF_SYNC_RW)));
}

/* Passes if the snapshot of several fences signals with the last of them. */
static void export_several_waits_for_all(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct dma_fence *write = busy(exporter, DMA_RESV_USAGE_WRITE);
	struct dma_fence *read = busy(exporter, DMA_RESV_USAGE_READ);
	struct dma_fence *copy = snapshot(exporter, DMA_BUF_SYNC_WRITE);

	dma_fence_signal(write);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(copy));
	dma_fence_signal(read);
	KUNIT_EXPECT_EQ(test, dma_fence_wait_timeout(copy, false, HZ) > 0, true);
}

/* Passes if work that comes in later is not part of the snapshot. */
static void export_is_a_snapshot(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct dma_fence *fence = busy(exporter, DMA_RESV_USAGE_WRITE);
	struct dma_fence *copy = snapshot(exporter, DMA_BUF_SYNC_RW);

	busy(exporter, DMA_RESV_USAGE_WRITE);
	dma_fence_signal(fence);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(copy));
}

/* The lowest descriptor number that is free. */
static int next_fd(void)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd >= 0)
		put_unused_fd(fd);
	return fd;
}

/* Passes if an argument that cannot be read is -EFAULT for both. */
static void bad_pointer_is_efault(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);

	KUNIT_EXPECT_EQ(test, mock_exporter_ioctl(exporter, DMA_BUF_IOCTL_EXPORT_SYNC_FILE,
						  NULL, 0), -EFAULT);
	KUNIT_EXPECT_EQ(test, mock_exporter_ioctl(exporter, DMA_BUF_IOCTL_IMPORT_SYNC_FILE,
						  NULL, 0), -EFAULT);
}

/* User memory that holds @arg and cannot be written. */
static unsigned long read_only_copy(struct kunit *test, const void *arg, size_t size)
{
	struct file *file = shmem_file_setup("dmabuf-kunit", PAGE_SIZE, 0);
	unsigned long addr;
	loff_t pos = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_EXPECT_EQ(test, kernel_write(file, arg, size, &pos), size);
	addr = kunit_vm_mmap(test, file, 0, PAGE_SIZE, PROT_READ, MAP_SHARED, 0);
	fput(file);
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	return addr;
}

/*
 * Passes if an argument that can be read but not written is -EFAULT, and
 * neither a descriptor nor a reference is left behind.
 */
static void export_to_read_only_memory_is_efault(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct dma_buf_export_sync_file arg = { .flags = DMA_BUF_SYNC_RW };
	struct dma_fence *fence = busy(exporter, DMA_RESV_USAGE_WRITE);
	struct file *file = exporter->dmabuf->file;
	int free_fd = next_fd();
	unsigned long addr;

	addr = read_only_copy(test, &arg, sizeof(arg));
	KUNIT_EXPECT_EQ(test, file->f_op->unlocked_ioctl(file, DMA_BUF_IOCTL_EXPORT_SYNC_FILE,
							 addr), -EFAULT);
	vm_munmap(addr, PAGE_SIZE);

	flush_delayed_fput();
	KUNIT_EXPECT_EQ(test, next_fd(), free_fd);
	KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), 2);
}

/* Passes if a full descriptor table is -EMFILE, and nothing is left behind. */
static void export_beyond_the_limit_is_emfile(struct kunit *test)
{
	struct rlimit *limit = &current->signal->rlim[RLIMIT_NOFILE];
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct dma_fence *fence = busy(exporter, DMA_RESV_USAGE_WRITE);
	unsigned long before = limit->rlim_cur;
	long ret;
	int fd;

	limit->rlim_cur = 0;
	ret = export_fences(exporter, DMA_BUF_SYNC_RW, &fd);
	limit->rlim_cur = before;

	KUNIT_EXPECT_EQ(test, ret, -EMFILE);
	KUNIT_EXPECT_EQ(test, fd, -1);
	KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), 2);
}

/* --- Import ---------------------------------------------------------------- */

struct import_row {
	const char *desc;
	u32 flags;
	enum dma_resv_usage usage;
};

static const struct import_row import_rows[] = {
	{ "read", DMA_BUF_SYNC_READ, DMA_RESV_USAGE_READ },
	{ "write", DMA_BUF_SYNC_WRITE, DMA_RESV_USAGE_WRITE },
	{ "rw", DMA_BUF_SYNC_RW, DMA_RESV_USAGE_WRITE },
};

KUNIT_ARRAY_PARAM_DESC(import_row, import_rows, desc);

/* Passes if the fence holds the buffer in the usage that the flags say. */
static void import_row(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	const struct import_row *row = test->param_value;
	struct dma_resv *resv = exporter->dmabuf->resv;
	struct dma_fence *fence = pending(test);

	KUNIT_EXPECT_EQ(test, import_fences(exporter, row->flags, sync_fd(test, fence)), 0);
	KUNIT_EXPECT_EQ(test, count_fences(exporter, row->usage), 1);
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(resv, row->usage - 1));
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(resv, row->usage));

	dma_fence_signal(fence);
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(resv, DMA_RESV_USAGE_BOOKKEEP));
}

/* Passes if an array comes in as the fences that it holds, not as one. */
static void import_array_adds_its_fences(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct dma_fence **fences = kmalloc_array(2, sizeof(*fences), GFP_KERNEL);
	struct dma_fence_array *array;

	KUNIT_ASSERT_NOT_NULL(test, fences);
	fences[0] = dma_fence_get(pending(test));
	fences[1] = dma_fence_get(pending(test));
	array = dma_fence_array_create(2, fences, dma_fence_context_alloc(1), 1, false);
	KUNIT_ASSERT_NOT_NULL(test, array);
	mock_fence_put_at_exit(test, &array->base);

	KUNIT_EXPECT_EQ(test, import_fences(exporter, DMA_BUF_SYNC_WRITE,
					    sync_fd(test, &array->base)), 0);
	KUNIT_EXPECT_EQ(test, count_fences(exporter, DMA_RESV_USAGE_WRITE), 2);
}

/* Passes if a timeline comes in as the fences of its points. */
static void import_chain_adds_its_fences(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct dma_fence *tail = NULL;
	unsigned int i;

	for (i = 1; i <= 3; i++) {
		struct dma_fence_chain *chain = dma_fence_chain_alloc();

		KUNIT_ASSERT_NOT_NULL(test, chain);
		dma_fence_chain_init(chain, tail, dma_fence_get(pending(test)), i);
		tail = &chain->base;
	}
	mock_fence_put_at_exit(test, tail);

	KUNIT_EXPECT_EQ(test, import_fences(exporter, DMA_BUF_SYNC_READ,
					    sync_fd(test, tail)), 0);
	KUNIT_EXPECT_EQ(test, count_fences(exporter, DMA_RESV_USAGE_READ), 3);
}

/* Passes if a fence that has signaled is accepted and holds nothing. */
static void import_signaled_leaves_the_buffer_idle(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct dma_fence *fence = pending(test);

	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, import_fences(exporter, DMA_BUF_SYNC_WRITE,
					    sync_fd(test, fence)), 0);
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(exporter->dmabuf->resv,
						       DMA_RESV_USAGE_BOOKKEEP));
}

/* Passes if a descriptor that is closed, or no sync_file, is -EINVAL. */
static void import_foreign_fd_is_einval(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	int fd;

	KUNIT_EXPECT_EQ(test, import_fences(exporter, DMA_BUF_SYNC_RW, -1), -EINVAL);
	KUNIT_EXPECT_EQ(test, import_fences(exporter, DMA_BUF_SYNC_RW, 1000000), -EINVAL);

	get_dma_buf(exporter->dmabuf);
	fd = dma_buf_fd(exporter->dmabuf, O_CLOEXEC);
	KUNIT_ASSERT_GE(test, fd, 0);
	close_at_exit(test, fd);
	KUNIT_EXPECT_EQ(test, import_fences(exporter, DMA_BUF_SYNC_RW, fd), -EINVAL);
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(exporter->dmabuf->resv,
						       DMA_RESV_USAGE_BOOKKEEP));
}

/* Passes if what was imported is what a snapshot has. */
static void import_then_export_returns_the_fence(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct dma_fence *fence = pending(test);

	KUNIT_ASSERT_EQ(test, import_fences(exporter, DMA_BUF_SYNC_WRITE,
					    sync_fd(test, fence)), 0);
	KUNIT_EXPECT_PTR_EQ(test, snapshot(exporter, DMA_BUF_SYNC_READ), fence);
}

static struct kunit_case dma_buf_sync_file_cases[] = {
	KUNIT_CASE(export_flags_are_checked),
	KUNIT_CASE(import_flags_are_checked),
	KUNIT_CASE_PARAM(export_row, export_row_gen_params),
	KUNIT_CASE(export_idle_is_signaled),
	KUNIT_CASE(export_several_waits_for_all),
	KUNIT_CASE(export_is_a_snapshot),
	KUNIT_CASE(bad_pointer_is_efault),
	KUNIT_CASE(export_to_read_only_memory_is_efault),
	KUNIT_CASE(export_beyond_the_limit_is_emfile),
	KUNIT_CASE_PARAM(import_row, import_row_gen_params),
	KUNIT_CASE(import_array_adds_its_fences),
	KUNIT_CASE(import_chain_adds_its_fences),
	KUNIT_CASE(import_signaled_leaves_the_buffer_idle),
	KUNIT_CASE(import_foreign_fd_is_einval),
	KUNIT_CASE(import_then_export_returns_the_fence),
	{}
};

static struct kunit_suite dma_buf_sync_file_suite = {
	.name = "dma_buf_sync_file",
	.init = mock_fence_init,
	.test_cases = dma_buf_sync_file_cases,
};

kunit_test_suite(dma_buf_sync_file_suite);
