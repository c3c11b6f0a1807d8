// SPDX-License-Identifier: GPL-2.0
/*
 * The CPU's access: what begin waits for and in which order, nested kernel
 * mappings, and mappings that an importer forwards.
 */

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/module.h>

#include <kunit/test.h>

#include "mock.h"
#include "mock_exporter.h"
#include "mock_fence.h"

/* --- Begin and end --------------------------------------------------------- */

struct direction_row {
	const char *desc;
	enum dma_data_direction dir;
	enum dma_resv_usage usage;
	bool waits;
};

static const struct direction_row direction_rows[] = {
	{ "read_kernel", DMA_FROM_DEVICE, DMA_RESV_USAGE_KERNEL, true },
	{ "read_write", DMA_FROM_DEVICE, DMA_RESV_USAGE_WRITE, true },
	{ "read_read", DMA_FROM_DEVICE, DMA_RESV_USAGE_READ, false },
	{ "read_bookkeep", DMA_FROM_DEVICE, DMA_RESV_USAGE_BOOKKEEP, false },
	{ "write_kernel", DMA_TO_DEVICE, DMA_RESV_USAGE_KERNEL, true },
	{ "write_write", DMA_TO_DEVICE, DMA_RESV_USAGE_WRITE, true },
	{ "write_read", DMA_TO_DEVICE, DMA_RESV_USAGE_READ, true },
	{ "write_bookkeep", DMA_TO_DEVICE, DMA_RESV_USAGE_BOOKKEEP, false },
	{ "both_read", DMA_BIDIRECTIONAL, DMA_RESV_USAGE_READ, true },
	{ "both_bookkeep", DMA_BIDIRECTIONAL, DMA_RESV_USAGE_BOOKKEEP, false },
};

KUNIT_ARRAY_PARAM_DESC(direction_row, direction_rows, desc);

/* A fence on the buffer that signals as soon as somebody waits for it. */
static struct dma_fence *done_when_waited_for(struct mock_exporter *exporter,
					      enum dma_resv_usage usage)
{
	struct mock_fence_args args = { .refuse_enable = true };
	struct mock_fence *mock = mock_fence_create_args(exporter->test, &args);

	mock_fence_put_at_exit(exporter->test, &mock->base);
	mock_exporter_add_fence(exporter, &mock->base, usage);
	return &mock->base;
}

static bool signaled(const struct dma_fence *fence)
{
	return test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags);
}

/* Passes if readers wait for writers, writers for everybody, and nobody more. */
static void begin_direction_row(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	const struct direction_row *row = test->param_value;
	struct dma_fence *fence = done_when_waited_for(exporter, row->usage);

	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(exporter->dmabuf, row->dir), 0);
	KUNIT_EXPECT_EQ(test, signaled(fence), row->waits);
	KUNIT_ASSERT_EQ(test, exporter->nr_log, 1);
	KUNIT_EXPECT_EQ(test, exporter->log[0].op, MOCK_BEGIN_CPU);
	KUNIT_EXPECT_EQ(test, exporter->log[0].dir, row->dir);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(exporter->dmabuf, row->dir), 0);
}

/* What begin_cpu_access found. */
struct begin_view {
	struct dma_fence *fence;
	bool device_done;
};

static void look_at_fence(struct mock_exporter *exporter, enum mock_op op)
{
	struct begin_view *view = exporter->hook_data;

	if (op == MOCK_BEGIN_CPU)
		view->device_done = signaled(view->fence);
}

/*
 * Passes if the exporter cares for its caches after the device is done: what
 * is invalidated before may be stale again.
 */
static void begin_waits_before_the_op(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct begin_view view = {};

	view.fence = done_when_waited_for(exporter, DMA_RESV_USAGE_WRITE);
	exporter->hook_data = &view;
	exporter->hook = look_at_fence;
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(exporter->dmabuf, DMA_FROM_DEVICE), 0);
	KUNIT_EXPECT_TRUE(test, view.device_done);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(exporter->dmabuf, DMA_FROM_DEVICE), 0);
}

/* Passes if a signal ends the wait with -ERESTARTSYS. */
static void begin_interrupted_is_erestartsys(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct dma_fence *fence = mock_fence_create(test);

	mock_fence_put_at_exit(test, fence);
	mock_exporter_add_fence(exporter, fence, DMA_RESV_USAGE_WRITE);
	mock_interrupt_begin();
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(exporter->dmabuf, DMA_BIDIRECTIONAL),
			-ERESTARTSYS);
	mock_interrupt_end();
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(exporter->dmabuf, DMA_BIDIRECTIONAL),
			0);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(exporter->dmabuf, DMA_BIDIRECTIONAL),
			0);
}

/* Passes if an interrupted begin has not begun for the exporter either. */
static void begin_interrupted_does_not_call_the_op(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct dma_fence *fence = mock_fence_create(test);

	mock_fence_put_at_exit(test, fence);
	mock_exporter_add_fence(exporter, fence, DMA_RESV_USAGE_WRITE);
	mock_interrupt_begin();
	dma_buf_begin_cpu_access(exporter->dmabuf, DMA_BIDIRECTIONAL);
	mock_interrupt_end();
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_BEGIN_CPU), 0);
}

/* Passes if errors of both callbacks come through. */
static void begin_and_end_pass_errors_on(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);

	mock_exporter_fail(exporter, MOCK_BEGIN_CPU, 1, -EIO);
	mock_exporter_fail(exporter, MOCK_END_CPU, 1, -ENXIO);
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(exporter->dmabuf, DMA_TO_DEVICE), -EIO);
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(exporter->dmabuf, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(exporter->dmabuf, DMA_TO_DEVICE), -ENXIO);
}

/* Passes if an exporter without the callbacks is waited for all the same. */
static void begin_without_op_waits(struct kunit *test)
{
	struct mock_exporter_config config = {
		.without = BIT(MOCK_BEGIN_CPU) | BIT(MOCK_END_CPU),
	};
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct dma_fence *fence = done_when_waited_for(exporter, DMA_RESV_USAGE_WRITE);

	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(exporter->dmabuf, DMA_FROM_DEVICE), 0);
	KUNIT_EXPECT_TRUE(test, signaled(fence));
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(exporter->dmabuf, DMA_FROM_DEVICE), 0);
}

/* Passes if end tells the exporter at once, whatever devices do. */
static void end_does_not_wait(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct dma_fence *fence;

	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(exporter->dmabuf, DMA_TO_DEVICE), 0);
	fence = done_when_waited_for(exporter, DMA_RESV_USAGE_KERNEL);

	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(exporter->dmabuf, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_FALSE(test, signaled(fence));
	KUNIT_ASSERT_EQ(test, exporter->nr_log, 2);
	KUNIT_EXPECT_EQ(test, exporter->log[1].op, MOCK_END_CPU);
	KUNIT_EXPECT_EQ(test, exporter->log[1].dir, DMA_TO_DEVICE);
}

/* Passes if no buffer is -EINVAL. */
static void begin_null_is_einval(struct kunit *test)
{
	dmabuf_expect_warning_begin(test);
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(NULL, DMA_TO_DEVICE), -EINVAL);
#if DMABUF_OURS
	KUNIT_EXPECT_EQ(test, dma_buf_end_cpu_access(NULL, DMA_TO_DEVICE), -EINVAL);
#endif
	dmabuf_expect_warning_end(test);
}

/* --- Kernel mappings ------------------------------------------------------- */

/* Garbage that a failing vmap has to clear. */
static struct iosys_map dirty_map(void)
{
	return (struct iosys_map)IOSYS_MAP_INIT_VADDR((void *)8UL);
}

/* Passes if nested mappings share one address and reach the exporter once. */
static void vmap_nests(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct dma_buf *dmabuf = exporter->dmabuf;
	struct iosys_map outer, inner;

	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(dmabuf, &outer), 0);
	KUNIT_EXPECT_FALSE(test, outer.is_iomem);
	KUNIT_EXPECT_PTR_EQ(test, outer.vaddr, exporter->pages);
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(dmabuf, &inner), 0);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_equal(&outer, &inner));
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_VMAP), 1);

	dma_buf_vunmap_unlocked(dmabuf, &outer);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_VUNMAP), 0);
	dma_buf_vunmap_unlocked(dmabuf, &inner);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_VUNMAP), 1);

	/* And from the start again. */
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(dmabuf, &outer), 0);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_VMAP), 2);
	dma_buf_vunmap_unlocked(dmabuf, &outer);
}

/* Passes if the calls for holders of the lock do the same. */
static void vmap_locked_maps_and_unmaps(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct dma_buf *dmabuf = exporter->dmabuf;
	struct iosys_map map;

	dma_resv_lock(dmabuf->resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_buf_vmap(dmabuf, &map), 0);
	KUNIT_EXPECT_PTR_EQ(test, map.vaddr, exporter->pages);
	dma_buf_vunmap(dmabuf, &map);
	dma_resv_unlock(dmabuf->resv);
	KUNIT_EXPECT_EQ(test, exporter->nr_vmapped, 0);
}

/* Passes if I/O memory comes through as what it is. */
static void vmap_of_iomem_is_iomem(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_IOMEM };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct iosys_map map;

	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(exporter->dmabuf, &map), 0);
	KUNIT_EXPECT_TRUE(test, map.is_iomem);
	KUNIT_EXPECT_PTR_EQ(test, (__force void *)map.vaddr_iomem, exporter->pages);
	dma_buf_vunmap_unlocked(exporter->dmabuf, &map);
}

/* Passes if an exporter that cannot is -EINVAL, and the map is cleared. */
static void vmap_without_op_is_einval(struct kunit *test)
{
	struct mock_exporter_config config = { .without = BIT(MOCK_VMAP) };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct iosys_map map = dirty_map();

	KUNIT_EXPECT_EQ(test, dma_buf_vmap_unlocked(exporter->dmabuf, &map), -EINVAL);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&map));
}

/*
 * Passes if running out of memory is an error like any other: passed on, the
 * map cleared, nothing nested, and no word about it in the log.
 */
static void vmap_enomem_is_passed_on_silently(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct iosys_map map = dirty_map();

	mock_exporter_fail(exporter, MOCK_VMAP, 1, -ENOMEM);
	KUNIT_EXPECT_EQ(test, dma_buf_vmap_unlocked(exporter->dmabuf, &map), -ENOMEM);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&map));

	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(exporter->dmabuf, &map), 0);
	dma_buf_vunmap_unlocked(exporter->dmabuf, &map);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_VUNMAP), 1);
}

/* Passes if the address of a held mapping does not depend on the exporter. */
static void vmap_nested_cannot_fail(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct iosys_map outer, inner;

	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(exporter->dmabuf, &outer), 0);
	mock_exporter_fail(exporter, MOCK_VMAP, 1, -ENOMEM);
	KUNIT_EXPECT_EQ(test, dma_buf_vmap_unlocked(exporter->dmabuf, &inner), 0);
	dma_buf_vunmap_unlocked(exporter->dmabuf, &inner);
	dma_buf_vunmap_unlocked(exporter->dmabuf, &outer);
}

/* Passes if exporters may do without vunmap, as some in the tree do. */
static void vunmap_without_op_succeeds(struct kunit *test)
{
	struct mock_exporter_config config = { .without = BIT(MOCK_VUNMAP) };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct iosys_map map;

	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(exporter->dmabuf, &map), 0);
	dma_buf_vunmap_unlocked(exporter->dmabuf, &map);
	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(exporter->dmabuf, &map), 0);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_VMAP), 2);
	dma_buf_vunmap_unlocked(exporter->dmabuf, &map);
}

/* Passes if no buffer is -EINVAL with the map cleared, and survived at vunmap. */
static void vmap_null_is_einval(struct kunit *test)
{
	struct iosys_map map = dirty_map();

	dmabuf_expect_warning_begin(test);
	KUNIT_EXPECT_EQ(test, dma_buf_vmap(NULL, &map), -EINVAL);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&map));
	map = dirty_map();
	KUNIT_EXPECT_EQ(test, dma_buf_vmap_unlocked(NULL, &map), -EINVAL);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&map));
	dma_buf_vunmap(NULL, &map);
	dma_buf_vunmap_unlocked(NULL, &map);
	dmabuf_expect_warning_end(test);
}

#if DMABUF_OURS
/* Passes if an answer that is neither success nor an errno is -EIO, and maps nothing. */
static void vmap_without_errno_is_eio(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct iosys_map map = dirty_map();

	mock_exporter_fail(exporter, MOCK_VMAP, 1, 1);
	dmabuf_expect_warning_begin(test);
	KUNIT_EXPECT_EQ(test, dma_buf_vmap_unlocked(exporter->dmabuf, &map), -EIO);
	dmabuf_expect_warning_end(test);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&map));
	KUNIT_EXPECT_EQ(test, exporter->dmabuf->vmapping_counter, 0);
}

/* Passes if success without an address is no success. */
static void vmap_to_null_is_enomem(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct iosys_map map = dirty_map();
	void *pages = exporter->pages;

	exporter->pages = NULL;
	dmabuf_expect_warning_begin(test);
	KUNIT_EXPECT_EQ(test, dma_buf_vmap_unlocked(exporter->dmabuf, &map), -ENOMEM);
	dmabuf_expect_warning_end(test);
	exporter->pages = pages;
	exporter->nr_vmapped = 0;
	KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&map));
}
#endif

/*
 * Passes if one vunmap too many does not reach the exporter, and the buffer
 * works on.
 */
static void vunmap_too_often_is_survived(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct iosys_map map, stale;

	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(exporter->dmabuf, &map), 0);
	stale = map;
	dma_buf_vunmap_unlocked(exporter->dmabuf, &map);
	dmabuf_expect_warning_begin(test);
	dma_buf_vunmap_unlocked(exporter->dmabuf, &stale);
	dmabuf_expect_warning_end(test);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_VUNMAP), 1);

	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(exporter->dmabuf, &map), 0);
	dma_buf_vunmap_unlocked(exporter->dmabuf, &map);
}

/* Passes if a vunmap of another address leaves the mapping alone. */
static void vunmap_of_another_address_is_survived(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct iosys_map map, moved;

	KUNIT_ASSERT_EQ(test, dma_buf_vmap_unlocked(exporter->dmabuf, &map), 0);
	moved = map;
	iosys_map_incr(&moved, 4);
	dmabuf_expect_warning_begin(test);
	dma_buf_vunmap_unlocked(exporter->dmabuf, &moved);
	dmabuf_expect_warning_end(test);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_VUNMAP), 0);

	dma_buf_vunmap_unlocked(exporter->dmabuf, &map);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_VUNMAP), 1);
}

/* --- Forwarded mappings ---------------------------------------------------- */

struct mmap_row {
	const char *desc;
	unsigned long pgoff;
	unsigned long pages;
	int result;
};

static const struct mmap_row mmap_rows[] = {
	{ "whole_buffer", 0, MOCK_NR_PAGES, 0 },
	{ "last_page", MOCK_NR_PAGES - 1, 1, 0 },
	{ "a_page_too_long", 0, MOCK_NR_PAGES + 1, -EINVAL },
	{ "across_the_end", MOCK_NR_PAGES - 1, 2, -EINVAL },
	{ "behind_the_end", MOCK_NR_PAGES, 1, -EINVAL },
	{ "ends_at_the_top", ULONG_MAX - 1, 1, -EINVAL },
	{ "wraps_to_0", ULONG_MAX, 1, -EOVERFLOW },
	{ "wraps_around", ULONG_MAX - 1, 4, -EOVERFLOW },
};

KUNIT_ARRAY_PARAM_DESC(mmap_row, mmap_rows, desc);

static const struct file_operations importer_fops = {
	.owner = THIS_MODULE,
};

/* The file of an importer's own handle; the vma owns the reference. */
static struct file *importer_file(struct kunit *test)
{
	struct file *file = anon_inode_getfile("importer", &importer_fops, NULL, O_RDWR);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	return file;
}

/*
 * Passes if the exporter gets to see the buffer's file and the offset in it,
 * not the importer's; and nothing changes if the range is refused.
 */
static void mmap_forwarded_row(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct file *file = importer_file(test);
	const struct mmap_row *row = test->param_value;
	struct vm_area_struct vma = {
		.vm_end = row->pages << PAGE_SHIFT,
		.vm_pgoff = 77,
		.vm_file = file,
	};

	KUNIT_EXPECT_EQ(test, dma_buf_mmap(exporter->dmabuf, &vma, row->pgoff), row->result);
	if (row->result) {
		KUNIT_EXPECT_PTR_EQ(test, vma.vm_file, file);
		KUNIT_EXPECT_EQ(test, vma.vm_pgoff, 77);
		KUNIT_EXPECT_EQ(test, exporter->nr_log, 0);
	} else {
		KUNIT_EXPECT_PTR_EQ(test, vma.vm_file, exporter->dmabuf->file);
		KUNIT_EXPECT_PTR_EQ(test, exporter->mmap_file, exporter->dmabuf->file);
		KUNIT_EXPECT_EQ(test, exporter->mmap_pgoff, row->pgoff);
		KUNIT_EXPECT_EQ(test, exporter->mmap_pages, row->pages);
		KUNIT_EXPECT_EQ(test, file_count(exporter->dmabuf->file), 2);
	}
	fput(vma.vm_file);
}

/* Passes if the exporter's error comes through. */
static void mmap_forwarded_failure_is_passed_on(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct vm_area_struct vma = { .vm_end = PAGE_SIZE };

	vma.vm_file = importer_file(test);
	mock_exporter_fail(exporter, MOCK_MMAP, 1, -EPERM);
	KUNIT_EXPECT_EQ(test, dma_buf_mmap(exporter->dmabuf, &vma, 0), -EPERM);
	fput(vma.vm_file);
}

/* Passes if an exporter without mmap, no buffer, and no vma are -EINVAL. */
static void mmap_forwarded_without_op_is_einval(struct kunit *test)
{
	struct mock_exporter_config config = { .without = BIT(MOCK_MMAP) };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct vm_area_struct vma = { .vm_end = PAGE_SIZE };

	KUNIT_EXPECT_EQ(test, dma_buf_mmap(exporter->dmabuf, &vma, 0), -EINVAL);
	dmabuf_expect_warning_begin(test);
	KUNIT_EXPECT_EQ(test, dma_buf_mmap(NULL, &vma, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, dma_buf_mmap(exporter->dmabuf, NULL, 0), -EINVAL);
	dmabuf_expect_warning_end(test);
}

static struct kunit_case dma_buf_cpu_cases[] = {
	KUNIT_CASE_PARAM(begin_direction_row, direction_row_gen_params),
	KUNIT_CASE(begin_waits_before_the_op),
	KUNIT_CASE(begin_interrupted_is_erestartsys),
	KUNIT_CASE(begin_interrupted_does_not_call_the_op),
	KUNIT_CASE(begin_and_end_pass_errors_on),
	KUNIT_CASE(begin_without_op_waits),
	KUNIT_CASE(end_does_not_wait),
	KUNIT_CASE(begin_null_is_einval),
	KUNIT_CASE(vmap_nests),
	KUNIT_CASE(vmap_locked_maps_and_unmaps),
	KUNIT_CASE(vmap_of_iomem_is_iomem),
	KUNIT_CASE(vmap_without_op_is_einval),
	KUNIT_CASE(vmap_enomem_is_passed_on_silently),
	KUNIT_CASE(vmap_nested_cannot_fail),
	KUNIT_CASE(vunmap_without_op_succeeds),
	KUNIT_CASE(vmap_null_is_einval),
#if DMABUF_OURS
	KUNIT_CASE(vmap_without_errno_is_eio),
	KUNIT_CASE(vmap_to_null_is_enomem),
#endif
	KUNIT_CASE(vunmap_too_often_is_survived),
	KUNIT_CASE(vunmap_of_another_address_is_survived),
	KUNIT_CASE_PARAM(mmap_forwarded_row, mmap_row_gen_params),
	KUNIT_CASE(mmap_forwarded_failure_is_passed_on),
	KUNIT_CASE(mmap_forwarded_without_op_is_einval),
	{}
};

static struct kunit_suite dma_buf_cpu_suite = {
	.name = "dma_buf_cpu",
	.init = mock_fence_init,
	.test_cases = dma_buf_cpu_cases,
};

kunit_test_suite(dma_buf_cpu_suite);
