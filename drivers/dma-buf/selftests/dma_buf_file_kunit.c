// SPDX-License-Identifier: GPL-2.0
/*
 * The file of a buffer as user space meets it: seeking, mapping, the SYNC and
 * SET_NAME ioctls, and the names that procfs shows.
 */

#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <uapi/linux/dma-buf.h>

#include <kunit/test.h>

#include "mock.h"
#include "mock_exporter.h"
#include "mock_fence.h"
#include "mock_importer.h"

/* --- lseek ---------------------------------------------------------------- */

#define SIZE_OF_BUFFER	(MOCK_NR_PAGES * PAGE_SIZE)

struct seek_row {
	const char *desc;
	loff_t offset;
	int whence;
	loff_t result;
};

static const struct seek_row seek_rows[] = {
	{ "end_tells_the_size", 0, SEEK_END, SIZE_OF_BUFFER },
	{ "start_is_0", 0, SEEK_SET, 0 },
	{ "end_minus_1", -1, SEEK_END, -EINVAL },
	{ "end_plus_1", 1, SEEK_END, -EINVAL },
	{ "start_plus_1", 1, SEEK_SET, -EINVAL },
	{ "start_minus_1", -1, SEEK_SET, -EINVAL },
	{ "start_plus_size", SIZE_OF_BUFFER, SEEK_SET, -EINVAL },
	{ "current", 0, SEEK_CUR, -EINVAL },
	{ "current_plus_1", 1, SEEK_CUR, -EINVAL },
	{ "data", 0, SEEK_DATA, -EINVAL },
	{ "hole", 0, SEEK_HOLE, -EINVAL },
	{ "unknown_whence", 0, 99, -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(seek_row, seek_rows, desc);

/* Passes if only the two ends can be sought, and no position is kept. */
static void llseek_row(struct kunit *test)
{
	struct file *file = mock_exporter_plain(test)->dmabuf->file;
	const struct seek_row *row = test->param_value;

	KUNIT_EXPECT_EQ(test, vfs_llseek(file, row->offset, row->whence), row->result);
	KUNIT_EXPECT_EQ(test, vfs_llseek(file, 0, SEEK_SET), 0);
}

/* --- SYNC ------------------------------------------------------------------ */

struct sync_row {
	const char *desc;
	u64 flags;
	int result;
	enum mock_op op;
	enum dma_data_direction dir;
};

static const struct sync_row sync_rows[] = {
	{ "start_read", DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ,
	  0, MOCK_BEGIN_CPU, DMA_FROM_DEVICE },
	{ "start_write", DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE,
	  0, MOCK_BEGIN_CPU, DMA_TO_DEVICE },
	{ "start_rw", DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW,
	  0, MOCK_BEGIN_CPU, DMA_BIDIRECTIONAL },
	{ "end_read", DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ,
	  0, MOCK_END_CPU, DMA_FROM_DEVICE },
	{ "end_write", DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE,
	  0, MOCK_END_CPU, DMA_TO_DEVICE },
	{ "end_rw", DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW,
	  0, MOCK_END_CPU, DMA_BIDIRECTIONAL },
	{ "start_without_direction", DMA_BUF_SYNC_START, -EINVAL },
	{ "end_without_direction", DMA_BUF_SYNC_END, -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(sync_row, sync_rows, desc);

/* Passes if each use of the three valid bits reaches the right callback. */
static void ioctl_sync_row(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	const struct sync_row *row = test->param_value;
	struct dma_buf_sync arg = { .flags = row->flags };

	KUNIT_EXPECT_EQ(test, mock_exporter_ioctl(exporter, DMA_BUF_IOCTL_SYNC, &arg,
						  sizeof(arg)), row->result);
	KUNIT_ASSERT_EQ(test, exporter->nr_log, row->result ? 0 : 1);
	if (row->result)
		return;
	KUNIT_EXPECT_EQ(test, exporter->log[0].op, row->op);
	KUNIT_EXPECT_EQ(test, exporter->log[0].dir, row->dir);
}

/* Passes if any other bit is -EINVAL, alone or with valid ones. */
static void ioctl_sync_unknown_bit_is_einval(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	unsigned int bit;

	for (bit = 3; bit < 64; bit++) {
		struct dma_buf_sync arg = { .flags = BIT_ULL(bit) };

		KUNIT_EXPECT_EQ(test, mock_exporter_ioctl(exporter, DMA_BUF_IOCTL_SYNC,
							  &arg, sizeof(arg)), -EINVAL);
		arg.flags |= DMA_BUF_SYNC_RW;
		KUNIT_EXPECT_EQ(test, mock_exporter_ioctl(exporter, DMA_BUF_IOCTL_SYNC,
							  &arg, sizeof(arg)), -EINVAL);
	}
	KUNIT_EXPECT_EQ(test, exporter->nr_log, 0);
}

/* Passes if user space sees what the exporter's callbacks fail with. */
static void ioctl_sync_passes_errors_on(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct dma_buf_sync arg = { .flags = DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW };

	mock_exporter_fail(exporter, MOCK_BEGIN_CPU, 1, -EIO);
	KUNIT_EXPECT_EQ(test, mock_exporter_ioctl(exporter, DMA_BUF_IOCTL_SYNC, &arg,
						  sizeof(arg)), -EIO);
	arg.flags = DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW;
	mock_exporter_fail(exporter, MOCK_END_CPU, 1, -ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, mock_exporter_ioctl(exporter, DMA_BUF_IOCTL_SYNC, &arg,
						  sizeof(arg)), -ERESTARTSYS);
}

/* Passes if a pointer into nothing is -EFAULT for each ioctl. */
static void ioctl_bad_pointer_is_efault(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);

	KUNIT_EXPECT_EQ(test, mock_exporter_ioctl(exporter, DMA_BUF_IOCTL_SYNC,
						  NULL, 0), -EFAULT);
	KUNIT_EXPECT_EQ(test, mock_exporter_ioctl(exporter, DMA_BUF_SET_NAME_A,
						  NULL, 0), -EFAULT);
	KUNIT_EXPECT_EQ(test, mock_exporter_ioctl(exporter, DMA_BUF_SET_NAME_B,
						  NULL, 0), -EFAULT);
	KUNIT_EXPECT_EQ(test, exporter->nr_log, 0);
	KUNIT_EXPECT_NULL(test, exporter->dmabuf->name);
}

/* Passes if another number, size, type or direction is -ENOTTY. */
static void ioctl_unknown_is_enotty(struct kunit *test)
{
	static const unsigned int cmds[] = {
		0, ~0U, _IO(DMA_BUF_BASE, 0), _IOR(DMA_BUF_BASE, 0, u64),
		_IOW(DMA_BUF_BASE, 0, u32), _IOW(DMA_BUF_BASE, 4, u64),
		_IOW(DMA_BUF_BASE, 1, u8), _IOW('c', 0, u64),
		_IOWR(DMA_BUF_BASE, 0, u64), _IOW(DMA_BUF_BASE, 255, u64),
	};
	struct mock_exporter *exporter = mock_exporter_plain(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		u64 arg = DMA_BUF_SYNC_RW;

		KUNIT_EXPECT_EQ_MSG(test, mock_exporter_ioctl(exporter, cmds[i], &arg,
							      sizeof(arg)), -ENOTTY,
				    "ioctl %#x", cmds[i]);
	}
	KUNIT_EXPECT_EQ(test, exporter->nr_log, 0);
}

/* --- Names ----------------------------------------------------------------- */

static long set_name(struct mock_exporter *exporter, unsigned int cmd,
		     const char *name)
{
	char arg[DMA_BUF_NAME_LEN + 8] = "";

	strscpy(arg, name);
	return mock_exporter_ioctl(exporter, cmd, arg, sizeof(arg));
}

/* What fdinfo says about the buffer, in a buffer that dies with the test. */
static const char *fdinfo(struct kunit *test, struct dma_buf *dmabuf)
{
	struct seq_file m = { .size = 256 };

	m.buf = kunit_kzalloc(test, m.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m.buf);
	dmabuf->file->f_op->show_fdinfo(&m, dmabuf->file);
	KUNIT_ASSERT_LT(test, m.count, m.size);
	return m.buf;
}

/* Passes if all numbers of the ioctl set the name, and a later one replaces it. */
static void ioctl_set_name_sets_it(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	char path[64];

	KUNIT_EXPECT_EQ(test, set_name(exporter, DMA_BUF_SET_NAME_A, "first"), 0);
	KUNIT_EXPECT_STREQ(test, exporter->dmabuf->name, "first");
	KUNIT_EXPECT_EQ(test, set_name(exporter, DMA_BUF_SET_NAME_B, "second"), 0);
	KUNIT_EXPECT_STREQ(test, exporter->dmabuf->name, "second");
	KUNIT_EXPECT_EQ(test, set_name(exporter, DMA_BUF_SET_NAME, "third"), 0);
	KUNIT_EXPECT_STREQ(test, exporter->dmabuf->name, "third");
	KUNIT_EXPECT_STREQ(test, d_path(&exporter->dmabuf->file->f_path, path,
					sizeof(path)), "/dmabuf:third");
}

/* Passes if 31 characters and no characters are names. */
static void ioctl_set_name_takes_extremes(struct kunit *test)
{
	static const char longest[] = "0123456789012345678901234567890";
	struct mock_exporter *exporter = mock_exporter_plain(test);
	char path[64];

	KUNIT_ASSERT_EQ(test, sizeof(longest), DMA_BUF_NAME_LEN);
	KUNIT_EXPECT_EQ(test, set_name(exporter, DMA_BUF_SET_NAME, longest), 0);
	KUNIT_EXPECT_STREQ(test, exporter->dmabuf->name, longest);
	KUNIT_EXPECT_STREQ(test, d_path(&exporter->dmabuf->file->f_path, path,
					sizeof(path)),
			   "/dmabuf:0123456789012345678901234567890");

	KUNIT_EXPECT_EQ(test, set_name(exporter, DMA_BUF_SET_NAME, ""), 0);
	KUNIT_EXPECT_STREQ(test, exporter->dmabuf->name, "");
}

/* Passes if a name of 32 characters or more is -EINVAL and the old one stays. */
static void ioctl_set_name_too_long_is_einval(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);

	KUNIT_ASSERT_EQ(test, set_name(exporter, DMA_BUF_SET_NAME, "old"), 0);
	KUNIT_EXPECT_EQ(test, set_name(exporter, DMA_BUF_SET_NAME,
				       "01234567890123456789012345678901"), -EINVAL);
	KUNIT_EXPECT_EQ(test, set_name(exporter, DMA_BUF_SET_NAME,
				       "012345678901234567890123456789012"), -EINVAL);
	KUNIT_EXPECT_STREQ(test, exporter->dmabuf->name, "old");
}

/* Passes if a buffer that is attached can be given a name, too. */
static void ioctl_set_name_while_attached_succeeds(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);

	mock_importer_create(test, exporter, false);
	KUNIT_EXPECT_EQ(test, set_name(exporter, DMA_BUF_SET_NAME, "attached"), 0);
	KUNIT_EXPECT_STREQ(test, exporter->dmabuf->name, "attached");
}

/* Passes if fdinfo has these lines, and the name's only if there is one. */
static void fdinfo_has_size_count_exporter_and_name(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	char expected[128];

	/* As procfs does it: with a reference that does not count. */
	get_dma_buf(exporter->dmabuf);
	snprintf(expected, sizeof(expected),
		 "size:\t%zu\ncount:\t1\nexp_name:\tmock_exporter\n",
		 mock_exporter_size(exporter));
	KUNIT_EXPECT_STREQ(test, fdinfo(test, exporter->dmabuf), expected);

	KUNIT_ASSERT_EQ(test, set_name(exporter, DMA_BUF_SET_NAME, "frame 7"), 0);
	strlcat(expected, "name:\tframe 7\n", sizeof(expected));
	KUNIT_EXPECT_STREQ(test, fdinfo(test, exporter->dmabuf), expected);
	dma_buf_put(exporter->dmabuf);
}

/* Passes if a buffer without a name has none in its path. */
static void path_without_name_ends_at_the_colon(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	char path[64];

	KUNIT_EXPECT_STREQ(test, d_path(&exporter->dmabuf->file->f_path, path,
					sizeof(path)), "/dmabuf:");
}

/* --- mmap ------------------------------------------------------------------ */

struct mmap_row {
	const char *desc;
	unsigned long pgoff;
	unsigned long pages;
	int result;
};

static const struct mmap_row mmap_rows[] = {
	{ "whole_buffer", 0, MOCK_NR_PAGES, 0 },
	{ "first_page", 0, 1, 0 },
	{ "last_page", MOCK_NR_PAGES - 1, 1, 0 },
	{ "a_page_too_long", 0, MOCK_NR_PAGES + 1, -EINVAL },
	{ "across_the_end", MOCK_NR_PAGES - 1, 2, -EINVAL },
	{ "behind_the_end", MOCK_NR_PAGES, 1, -EINVAL },
	{ "far_behind_the_end", ULONG_MAX - 1, 1, -EINVAL },
#if DMABUF_OURS
	/* The mm never lets this through, so stock does not look. */
	{ "wrapping_around", ULONG_MAX, 2, -EINVAL },
#endif
};

KUNIT_ARRAY_PARAM_DESC(mmap_row, mmap_rows, desc);

/* Passes if the exporter gets to see ranges inside of the buffer, and no other. */
static void mmap_row(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct file *file = exporter->dmabuf->file;
	const struct mmap_row *row = test->param_value;
	struct vm_area_struct vma = {
		.vm_end = row->pages << PAGE_SHIFT,
		.vm_pgoff = row->pgoff,
		.vm_file = file,
	};

	KUNIT_EXPECT_EQ(test, file->f_op->mmap(file, &vma), row->result);
	KUNIT_ASSERT_EQ(test, exporter->nr_log, row->result ? 0 : 1);
	if (row->result)
		return;
	KUNIT_EXPECT_EQ(test, exporter->log[0].op, MOCK_MMAP);
	KUNIT_EXPECT_EQ(test, exporter->mmap_pgoff, row->pgoff);
	KUNIT_EXPECT_EQ(test, exporter->mmap_pages, row->pages);
}

/* Passes if an exporter without the callback cannot be mapped. */
static void mmap_without_op_is_einval(struct kunit *test)
{
	struct mock_exporter_config config = { .without = BIT(MOCK_MMAP) };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct file *file = exporter->dmabuf->file;
	struct vm_area_struct vma = { .vm_end = PAGE_SIZE, .vm_file = file };

	KUNIT_EXPECT_EQ(test, file->f_op->mmap(file, &vma), -EINVAL);
}

/* Passes if the caller of mmap() sees what the exporter's callback fails with. */
static void mmap_passes_errors_on(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct file *file = exporter->dmabuf->file;
	struct vm_area_struct vma = { .vm_end = PAGE_SIZE, .vm_file = file };

	mock_exporter_fail(exporter, MOCK_MMAP, 1, -EPERM);
	KUNIT_EXPECT_EQ(test, file->f_op->mmap(file, &vma), -EPERM);
}

/* Passes if a mapping in an address space keeps the buffer until it is gone. */
static void mmap_holds_the_buffer(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	unsigned long addr;

	addr = kunit_vm_mmap(test, exporter->dmabuf->file, 0, 2 * PAGE_SIZE,
			     PROT_READ | PROT_WRITE, MAP_SHARED, PAGE_SIZE);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_EXPECT_EQ(test, exporter->mmap_pgoff, 1);
	KUNIT_EXPECT_EQ(test, exporter->mmap_pages, 2);

	mock_exporter_put(exporter);
	flush_delayed_fput();
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_RELEASE), 0);
	vm_munmap(addr, 2 * PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, mock_exporter_is_released(exporter));
}

static struct kunit_case dma_buf_file_cases[] = {
	KUNIT_CASE_PARAM(llseek_row, seek_row_gen_params),
	KUNIT_CASE_PARAM(ioctl_sync_row, sync_row_gen_params),
	KUNIT_CASE(ioctl_sync_unknown_bit_is_einval),
	KUNIT_CASE(ioctl_sync_passes_errors_on),
	KUNIT_CASE(ioctl_bad_pointer_is_efault),
	KUNIT_CASE(ioctl_unknown_is_enotty),
	KUNIT_CASE(ioctl_set_name_sets_it),
	KUNIT_CASE(ioctl_set_name_takes_extremes),
	KUNIT_CASE(ioctl_set_name_too_long_is_einval),
	KUNIT_CASE(ioctl_set_name_while_attached_succeeds),
	KUNIT_CASE(fdinfo_has_size_count_exporter_and_name),
	KUNIT_CASE(path_without_name_ends_at_the_colon),
	KUNIT_CASE_PARAM(mmap_row, mmap_row_gen_params),
	KUNIT_CASE(mmap_without_op_is_einval),
	KUNIT_CASE(mmap_passes_errors_on),
	KUNIT_CASE(mmap_holds_the_buffer),
	{}
};

static struct kunit_suite dma_buf_file_suite = {
	.name = "dma_buf_file",
	.init = mock_fence_init,
	.test_cases = dma_buf_file_cases,
};

kunit_test_suite(dma_buf_file_suite);
