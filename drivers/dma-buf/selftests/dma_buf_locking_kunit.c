// SPDX-License-Identifier: GPL-2.0
/*
 * The locking convention as a program: which callbacks run under the
 * reservation lock, whoever takes it. One row for each call of the API and
 * each callback that it leads to.
 */

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <uapi/linux/dma-buf.h>

#include <kunit/test.h>

#include "mock.h"
#include "mock_exporter.h"
#include "mock_fence.h"
#include "mock_importer.h"

/* What a row works on: an exporter of the row's kind, and an importer. */
struct lock_fixture {
	struct mock_exporter *exporter;
	struct mock_importer *importer;
	struct dma_resv *resv;
	struct iosys_map map;
};

/*
 * @prepare runs first and is not looked at; neither is @cleanup. @call has to
 * lead to @callback, every time with the lock held or every time without.
 */
struct lock_row {
	const char *desc;
	unsigned int flags;
	bool dynamic;
	void (*prepare)(struct lock_fixture *fix);
	void (*call)(struct lock_fixture *fix);
	void (*cleanup)(struct lock_fixture *fix);
	enum mock_op callback;
	bool held;
};

static void run_attach(struct lock_fixture *fix)
{
	const struct lock_row *row = fix->exporter->test->param_value;

	KUNIT_ASSERT_EQ(fix->exporter->test,
			mock_importer_attach(fix->importer, row->dynamic), 0);
}

static void run_detach(struct lock_fixture *fix)
{
	mock_importer_detach(fix->importer);
}

static void run_pin(struct lock_fixture *fix)
{
	dma_resv_lock(fix->resv, NULL);
	KUNIT_EXPECT_EQ(fix->exporter->test, dma_buf_pin(fix->importer->attach), 0);
	dma_resv_unlock(fix->resv);
}

static void attach_and_pin(struct lock_fixture *fix)
{
	run_attach(fix);
	run_pin(fix);
}

static void run_unpin(struct lock_fixture *fix)
{
	dma_resv_lock(fix->resv, NULL);
	dma_buf_unpin(fix->importer->attach);
	dma_resv_unlock(fix->resv);
}

static void run_map(struct lock_fixture *fix)
{
	KUNIT_ASSERT_EQ(fix->exporter->test,
			mock_importer_map(fix->importer, DMA_TO_DEVICE), 0);
}

static void run_map_unlocked(struct lock_fixture *fix)
{
	struct mock_importer *importer = fix->importer;

	importer->dir = DMA_TO_DEVICE;
	importer->sgt = dma_buf_map_attachment_unlocked(importer->attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(fix->exporter->test, importer->sgt);
}

static void attach_and_map(struct lock_fixture *fix)
{
	run_attach(fix);
	run_map(fix);
}

static void run_unmap(struct lock_fixture *fix)
{
	mock_importer_unmap(fix->importer);
}

static void run_unmap_unlocked(struct lock_fixture *fix)
{
	struct mock_importer *importer = fix->importer;

	dma_buf_unmap_attachment_unlocked(importer->attach, importer->sgt, DMA_TO_DEVICE);
	importer->sgt = NULL;
}

static void attach_map_and_unmap(struct lock_fixture *fix)
{
	attach_and_map(fix);
	run_unmap(fix);
}

static void run_move(struct lock_fixture *fix)
{
	mock_exporter_move(fix->exporter);
}

static void run_vmap(struct lock_fixture *fix)
{
	dma_resv_lock(fix->resv, NULL);
	KUNIT_EXPECT_EQ(fix->exporter->test,
			dma_buf_vmap(fix->exporter->dmabuf, &fix->map), 0);
	dma_resv_unlock(fix->resv);
}

static void run_vunmap(struct lock_fixture *fix)
{
	dma_resv_lock(fix->resv, NULL);
	dma_buf_vunmap(fix->exporter->dmabuf, &fix->map);
	dma_resv_unlock(fix->resv);
}

static void run_vmap_unlocked(struct lock_fixture *fix)
{
	KUNIT_EXPECT_EQ(fix->exporter->test,
			dma_buf_vmap_unlocked(fix->exporter->dmabuf, &fix->map), 0);
}

static void run_vunmap_unlocked(struct lock_fixture *fix)
{
	dma_buf_vunmap_unlocked(fix->exporter->dmabuf, &fix->map);
}

static void run_begin_cpu(struct lock_fixture *fix)
{
	KUNIT_EXPECT_EQ(fix->exporter->test,
			dma_buf_begin_cpu_access(fix->exporter->dmabuf, DMA_TO_DEVICE), 0);
}

static void run_end_cpu(struct lock_fixture *fix)
{
	KUNIT_EXPECT_EQ(fix->exporter->test,
			dma_buf_end_cpu_access(fix->exporter->dmabuf, DMA_TO_DEVICE), 0);
}

static void run_ioctl_sync_start(struct lock_fixture *fix)
{
	struct dma_buf_sync arg = { .flags = DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW };

	KUNIT_EXPECT_EQ(fix->exporter->test,
			mock_exporter_ioctl(fix->exporter, DMA_BUF_IOCTL_SYNC, &arg,
					    sizeof(arg)), 0);
}

static void run_ioctl_sync_end(struct lock_fixture *fix)
{
	struct dma_buf_sync arg = { .flags = DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW };

	KUNIT_EXPECT_EQ(fix->exporter->test,
			mock_exporter_ioctl(fix->exporter, DMA_BUF_IOCTL_SYNC, &arg,
					    sizeof(arg)), 0);
}

static void run_mmap(struct lock_fixture *fix)
{
	struct dma_buf *dmabuf = fix->exporter->dmabuf;
	struct vm_area_struct vma = { .vm_end = PAGE_SIZE };

	/* As if the importer's handle were the buffer's file, too. */
	vma.vm_file = get_file(dmabuf->file);
	KUNIT_EXPECT_EQ(fix->exporter->test, dma_buf_mmap(dmabuf, &vma, 0), 0);
	fput(vma.vm_file);
}

static void run_mmap_of_the_file(struct lock_fixture *fix)
{
	struct file *file = fix->exporter->dmabuf->file;
	struct vm_area_struct vma = { .vm_end = PAGE_SIZE, .vm_file = file };

	KUNIT_EXPECT_EQ(fix->exporter->test, file->f_op->mmap(file, &vma), 0);
}

static void run_put(struct lock_fixture *fix)
{
	mock_exporter_put(fix->exporter);
	KUNIT_ASSERT_TRUE(fix->exporter->test, mock_exporter_is_released(fix->exporter));
}

#if DMABUF_OURS
static void run_get_pfn(struct lock_fixture *fix)
{
	unsigned int order;
	u64 pfn;

	dma_resv_lock(fix->resv, NULL);
	KUNIT_EXPECT_EQ(fix->exporter->test,
			dma_buf_get_pfn(fix->importer->attach, 0, &pfn, &order), 0);
	dma_resv_unlock(fix->resv);
}

static void run_get_pfn_unlocked(struct lock_fixture *fix)
{
	unsigned int order;
	u64 pfn;

	KUNIT_EXPECT_EQ(fix->exporter->test,
			dma_buf_get_pfn_unlocked(fix->importer->attach, 0, &pfn, &order), 0);
}
#endif

#define NOT_HELD	false
#define HELD		true

static const struct lock_row lock_rows[] = {
	/* attach and detach take the lock, but not around their callbacks */
	{ "attach/attach", 0, false,
	  NULL, run_attach, NULL, MOCK_ATTACH, NOT_HELD },
	{ "dynamic_attach/attach", MOCK_MOVABLE, true,
	  NULL, run_attach, NULL, MOCK_ATTACH, NOT_HELD },
	{ "attach_static_to_dynamic/pin", MOCK_MOVABLE, false,
	  NULL, run_attach, NULL, MOCK_PIN, HELD },
	{ "attach_static_to_dynamic/map", MOCK_MOVABLE, false,
	  NULL, run_attach, NULL, MOCK_MAP, HELD },
	{ "attach_dynamic_to_static/map", 0, true,
	  NULL, run_attach, NULL, MOCK_MAP, HELD },
	{ "detach/detach", 0, false,
	  run_attach, run_detach, NULL, MOCK_DETACH, NOT_HELD },
	{ "detach_static_from_dynamic/unmap", MOCK_MOVABLE, false,
	  run_attach, run_detach, NULL, MOCK_UNMAP, HELD },
	{ "detach_static_from_dynamic/unpin", MOCK_MOVABLE, false,
	  run_attach, run_detach, NULL, MOCK_UNPIN, HELD },
	{ "detach_dynamic_from_static/unmap", 0, true,
	  run_attach, run_detach, NULL, MOCK_UNMAP, HELD },
	{ "detach_cached/unmap", MOCK_CACHED, false,
	  attach_map_and_unmap, run_detach, NULL, MOCK_UNMAP, HELD },

	/* calls whose caller has the lock */
	{ "pin/pin", MOCK_MOVABLE, true,
	  run_attach, run_pin, run_unpin, MOCK_PIN, HELD },
	{ "unpin/unpin", MOCK_MOVABLE, true,
	  attach_and_pin, run_unpin, NULL, MOCK_UNPIN, HELD },
	{ "map_attachment/map", 0, false,
	  run_attach, run_map, NULL, MOCK_MAP, HELD },
	{ "map_attachment_dynamic/map", MOCK_MOVABLE, true,
	  run_attach, run_map, NULL, MOCK_MAP, HELD },
	{ "unmap_attachment/unmap", 0, false,
	  attach_and_map, run_unmap, NULL, MOCK_UNMAP, HELD },
	{ "unmap_attachment_dynamic/unmap", MOCK_MOVABLE, true,
	  attach_and_map, run_unmap, NULL, MOCK_UNMAP, HELD },
	{ "move_notify/move_notify", MOCK_MOVABLE, true,
	  run_attach, run_move, NULL, MOCK_MOVE_NOTIFY, HELD },
	{ "vmap/vmap", 0, false,
	  NULL, run_vmap, run_vunmap, MOCK_VMAP, HELD },
	{ "vunmap/vunmap", 0, false,
	  run_vmap, run_vunmap, NULL, MOCK_VUNMAP, HELD },
#if DMABUF_OURS
	{ "get_pfn/get_pfn", MOCK_PFN, false,
	  run_attach, run_get_pfn, NULL, MOCK_GET_PFN, HELD },
#endif

	/* their twins, which take it */
	{ "map_attachment_unlocked/map", 0, false,
	  run_attach, run_map_unlocked, NULL, MOCK_MAP, HELD },
	{ "unmap_attachment_unlocked/unmap", 0, false,
	  attach_and_map, run_unmap_unlocked, NULL, MOCK_UNMAP, HELD },
	{ "vmap_unlocked/vmap", 0, false,
	  NULL, run_vmap_unlocked, run_vunmap_unlocked, MOCK_VMAP, HELD },
	{ "vunmap_unlocked/vunmap", 0, false,
	  run_vmap_unlocked, run_vunmap_unlocked, NULL, MOCK_VUNMAP, HELD },
#if DMABUF_OURS
	{ "get_pfn_unlocked/get_pfn", MOCK_PFN, false,
	  run_attach, run_get_pfn_unlocked, NULL, MOCK_GET_PFN, HELD },
#endif

	/* calls that neither expect nor hold it */
	{ "begin_cpu_access/begin_cpu_access", 0, false,
	  NULL, run_begin_cpu, run_end_cpu, MOCK_BEGIN_CPU, NOT_HELD },
	{ "end_cpu_access/end_cpu_access", 0, false,
	  run_begin_cpu, run_end_cpu, NULL, MOCK_END_CPU, NOT_HELD },
	{ "ioctl_sync_start/begin_cpu_access", 0, false,
	  NULL, run_ioctl_sync_start, NULL, MOCK_BEGIN_CPU, NOT_HELD },
	{ "ioctl_sync_end/end_cpu_access", 0, false,
	  NULL, run_ioctl_sync_end, NULL, MOCK_END_CPU, NOT_HELD },
	{ "mmap/mmap", 0, false,
	  NULL, run_mmap, NULL, MOCK_MMAP, NOT_HELD },
	{ "mmap_of_the_file/mmap", 0, false,
	  NULL, run_mmap_of_the_file, NULL, MOCK_MMAP, NOT_HELD },
	{ "put/release", 0, false,
	  NULL, run_put, NULL, MOCK_RELEASE, NOT_HELD },
};

KUNIT_ARRAY_PARAM_DESC(lock_row, lock_rows, desc);

/*
 * Passes if the call leads to the callback, the lock is held in it as the row
 * says, and nobody has it afterwards.
 */
static void lock_row(struct kunit *test)
{
	const struct lock_row *row = test->param_value;
	struct mock_exporter_config config = { .flags = row->flags };
	struct lock_fixture fix = {};
	unsigned int calls;

	fix.exporter = mock_exporter_create(test, &config);
	fix.importer = mock_importer_alloc(test, fix.exporter);
	fix.resv = fix.exporter->dmabuf->resv;

	if (row->prepare)
		row->prepare(&fix);
	mock_exporter_forget(fix.exporter);
	row->call(&fix);
	calls = mock_exporter_calls(fix.exporter, row->callback);
	KUNIT_EXPECT_GT_MSG(test, calls, 0, "%s was not called", mock_op_name(row->callback));
	KUNIT_EXPECT_EQ(test, fix.exporter->count_held[row->callback],
			row->held ? calls : 0);

	if (row->cleanup)
		row->cleanup(&fix);
	if (fix.exporter->dmabuf)
		KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(fix.resv));
}

static struct kunit_case dma_buf_locking_cases[] = {
	KUNIT_CASE_PARAM(lock_row, lock_row_gen_params),
	{}
};

static struct kunit_suite dma_buf_locking_suite = {
	.name = "dma_buf_locking",
	.init = mock_fence_init,
	.test_cases = dma_buf_locking_cases,
};

kunit_test_suite(dma_buf_locking_suite);
