// SPDX-License-Identifier: GPL-2.0
/*
 * An importer's path: who maps when, what a failing callback leaves behind,
 * pins, moves, and page frames.
 */

#include <linux/completion.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/limits.h>
#include <linux/mman.h>
#include <linux/scatterlist.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include <kunit/test.h>

#include "mock.h"
#include "mock_exporter.h"
#include "mock_fence.h"
#include "mock_fs.h"
#include "mock_importer.h"

/* Pins that each mapping brings where the kernel is built without moves. */
#define PINS_OF_A_MAP (!IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY))

/* --- Who maps when --------------------------------------------------------- */

/*
 * The table of "who maps when" in dma-buf-attach.c. Numbers of calls add up
 * from column to column: after attach, after the first map, and so on.
 */
struct mapper_row {
	const char *desc;
	bool dynamic_importer;
	unsigned int exporter_flags;
	/* at attach */
	unsigned int attach_maps;
	unsigned int attach_pins;
	/* by each of two map calls */
	unsigned int maps_by_first;
	unsigned int maps_by_second;
	/* by both unmap calls */
	unsigned int unmaps;
	/* by detach */
	unsigned int detach_unmaps;
	unsigned int detach_unpins;
};

static const struct mapper_row mapper_rows[] = {
	{ .desc = "static_importer_static_exporter",
	  .maps_by_first = 1, .maps_by_second = 1, .unmaps = 2 },
	{ .desc = "static_importer_static_exporter_cached",
	  .exporter_flags = MOCK_CACHED,
	  .maps_by_first = 1, .detach_unmaps = 1 },
	{ .desc = "dynamic_importer_dynamic_exporter",
	  .dynamic_importer = true, .exporter_flags = MOCK_MOVABLE,
	  .maps_by_first = 1, .maps_by_second = 1, .unmaps = 2 },
	{ .desc = "static_importer_dynamic_exporter",
	  .exporter_flags = MOCK_MOVABLE,
	  .attach_maps = 1, .attach_pins = 1,
	  .detach_unmaps = 1, .detach_unpins = 1 },
	{ .desc = "dynamic_importer_static_exporter",
	  .dynamic_importer = true,
	  .attach_maps = 1, .detach_unmaps = 1 },
	{ .desc = "dynamic_importer_static_exporter_cached",
	  .dynamic_importer = true, .exporter_flags = MOCK_CACHED,
	  .attach_maps = 1, .detach_unmaps = 1 },
};

KUNIT_ARRAY_PARAM_DESC(mapper_row, mapper_rows, desc);

static unsigned int calls(struct mock_importer *importer, enum mock_op op)
{
	return mock_exporter_calls(importer->exporter, op);
}

/*
 * Passes if the exporter is asked to pin and map when the row says, and to
 * undo it at the mirror image of that.
 */
static void attach_who_maps_row(struct kunit *test)
{
	const struct mapper_row *row = test->param_value;
	struct mock_exporter_config config = { .flags = row->exporter_flags };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_alloc(test, exporter);
	bool pinned_by_map = PINS_OF_A_MAP && row->dynamic_importer &&
			     row->exporter_flags & MOCK_MOVABLE;
	struct sg_table *first, *second;
	unsigned int maps = row->attach_maps, pins = row->attach_pins;

	KUNIT_ASSERT_EQ(test, mock_importer_attach(importer, row->dynamic_importer), 0);
	KUNIT_EXPECT_EQ(test, calls(importer, MOCK_MAP), maps);
	KUNIT_EXPECT_EQ(test, calls(importer, MOCK_PIN), pins);

	KUNIT_ASSERT_EQ(test, mock_importer_map(importer, DMA_BIDIRECTIONAL), 0);
	first = importer->sgt;
	maps += row->maps_by_first;
	KUNIT_EXPECT_EQ(test, calls(importer, MOCK_MAP), maps);

	KUNIT_ASSERT_EQ(test, mock_importer_map(importer, DMA_BIDIRECTIONAL), 0);
	second = importer->sgt;
	maps += row->maps_by_second;
	KUNIT_EXPECT_EQ(test, calls(importer, MOCK_MAP), maps);
	KUNIT_EXPECT_EQ(test, first == second, !row->maps_by_second);

	pins += pinned_by_map * 2;
	KUNIT_EXPECT_EQ(test, calls(importer, MOCK_PIN), pins);
	KUNIT_EXPECT_EQ(test, exporter->nr_pinned, pins);

	mock_importer_unmap(importer);
	importer->sgt = first;
	mock_importer_unmap(importer);
	KUNIT_EXPECT_EQ(test, calls(importer, MOCK_UNMAP), row->unmaps);
	KUNIT_EXPECT_EQ(test, calls(importer, MOCK_UNPIN), pinned_by_map * 2);

	mock_importer_detach(importer);
	KUNIT_EXPECT_EQ(test, calls(importer, MOCK_UNMAP),
			row->unmaps + row->detach_unmaps);
	KUNIT_EXPECT_EQ(test, calls(importer, MOCK_UNPIN),
			row->detach_unpins + pinned_by_map * 2);
	KUNIT_EXPECT_EQ(test, calls(importer, MOCK_DETACH), 1);
}

/*
 * Passes if a mapping that the core makes at attach is for both directions, so
 * that it can be had for each.
 */
static void map_made_at_attach_serves_all_directions(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_MOVABLE };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);

	KUNIT_ASSERT_EQ(test, exporter->nr_log, 3);
	KUNIT_EXPECT_EQ(test, exporter->log[2].op, MOCK_MAP);
	KUNIT_EXPECT_EQ(test, exporter->log[2].dir, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, mock_importer_map(importer, DMA_TO_DEVICE), 0);
	mock_importer_unmap(importer);
	KUNIT_EXPECT_EQ(test, mock_importer_map(importer, DMA_FROM_DEVICE), 0);
	mock_importer_unmap(importer);
	KUNIT_EXPECT_EQ(test, mock_importer_map(importer, DMA_BIDIRECTIONAL), 0);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_MAP), 1);
}

/* --- Attach ---------------------------------------------------------------- */

/* Passes if the attachment says who attached what, and is in the list. */
static void attach_fills_in_the_attachment(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_MOVABLE };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_create(test, exporter, true);
	struct dma_buf_attachment *attach = importer->attach;

	KUNIT_EXPECT_PTR_EQ(test, attach->dmabuf, exporter->dmabuf);
	KUNIT_EXPECT_PTR_EQ(test, attach->dev, importer->dev);
	KUNIT_EXPECT_PTR_EQ(test, attach->importer_ops, &mock_importer_ops);
	KUNIT_EXPECT_PTR_EQ(test, attach->importer_priv, (void *)importer);
	KUNIT_EXPECT_PTR_EQ(test, attach->priv, (void *)exporter);
	KUNIT_EXPECT_TRUE(test, attach->peer2peer);
	KUNIT_EXPECT_TRUE(test, dma_buf_attachment_is_dynamic(attach));
	KUNIT_EXPECT_TRUE(test, dma_buf_is_dynamic(exporter->dmabuf));
	KUNIT_EXPECT_PTR_EQ(test, exporter->dmabuf->attachments.next, &attach->node);

	mock_importer_detach(importer);
	KUNIT_EXPECT_TRUE(test, list_empty(&exporter->dmabuf->attachments));
}

/* Passes if a static importer is one in every member. */
static void attach_static_has_no_importer_ops(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);
	struct dma_buf_attachment *attach = importer->attach;

	KUNIT_EXPECT_NULL(test, attach->importer_ops);
	KUNIT_EXPECT_NULL(test, attach->importer_priv);
	KUNIT_EXPECT_NULL(test, attach->sgt);
	KUNIT_EXPECT_FALSE(test, attach->peer2peer);
	KUNIT_EXPECT_FALSE(test, dma_buf_attachment_is_dynamic(attach));
	KUNIT_EXPECT_FALSE(test, dma_buf_is_dynamic(exporter->dmabuf));
}

/* Passes if an exporter needs neither attach nor detach. */
static void attach_without_op_succeeds(struct kunit *test)
{
	struct mock_exporter_config config = {
		.without = BIT(MOCK_ATTACH) | BIT(MOCK_DETACH),
	};
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);

	mock_importer_detach(importer);
	KUNIT_EXPECT_EQ(test, exporter->nr_log, 0);
}

/* Passes if no buffer and no device are -EINVAL, and the exporter never asked. */
static void attach_null_is_einval(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct mock_importer *importer = mock_importer_alloc(test, exporter);
	struct dma_buf *dmabuf = exporter->dmabuf;

	dmabuf_expect_warning_begin(test);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(dma_buf_attach(NULL, importer->dev)),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(dma_buf_attach(dmabuf, NULL)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(dma_buf_dynamic_attach(dmabuf, NULL,
								     &mock_importer_ops,
								     importer)), -EINVAL);
	dmabuf_expect_warning_end(test);
	KUNIT_EXPECT_EQ(test, exporter->nr_log, 0);
}

/* Passes if an importer that claims to follow moves has to be able to. */
static void attach_without_move_notify_is_einval(struct kunit *test)
{
	static const struct dma_buf_attach_ops deaf = { .allow_peer2peer = true };
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct dma_buf_attachment *attach;

	dmabuf_expect_warning_begin(test);
	attach = dma_buf_dynamic_attach(exporter->dmabuf, mock_device(test), &deaf, NULL);
	dmabuf_expect_warning_end(test);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(attach), -EINVAL);
	KUNIT_EXPECT_EQ(test, exporter->nr_log, 0);
}

struct failure_row {
	const char *desc;
	enum mock_op op;
	int error;
	int result;
	unsigned int nr_calls;
	enum mock_op calls[6];
};

/* A static importer of a dynamic exporter goes through all callbacks. */
static const struct failure_row attach_failures[] = {
	{ "attach_ebusy", MOCK_ATTACH, -EBUSY, -EBUSY, 1, { MOCK_ATTACH } },
	{ "attach_enodev", MOCK_ATTACH, -ENODEV, -ENODEV, 1, { MOCK_ATTACH } },
	{ "pin_enomem", MOCK_PIN, -ENOMEM, -ENOMEM, 3,
	  { MOCK_ATTACH, MOCK_PIN, MOCK_DETACH } },
	{ "map_eio", MOCK_MAP, -EIO, -EIO, 5,
	  { MOCK_ATTACH, MOCK_PIN, MOCK_MAP, MOCK_UNPIN, MOCK_DETACH } },
	{ "map_null", MOCK_MAP, 0, -ENOMEM, 5,
	  { MOCK_ATTACH, MOCK_PIN, MOCK_MAP, MOCK_UNPIN, MOCK_DETACH } },
};

KUNIT_ARRAY_PARAM_DESC(attach_failure, attach_failures, desc);

/* Passes if a failing callback fails attach, and the ones before are undone. */
static void attach_failure_row(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_MOVABLE };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_alloc(test, exporter);
	const struct failure_row *row = test->param_value;

	mock_exporter_fail(exporter, row->op, 1, row->error);
	KUNIT_EXPECT_EQ(test, mock_importer_attach(importer, false), row->result);
	KUNIT_EXPECT_TRUE(test, mock_exporter_log_is(exporter, row->calls, row->nr_calls));
	KUNIT_EXPECT_TRUE(test, list_empty(&exporter->dmabuf->attachments));
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(exporter->dmabuf->resv));

	/* The next one is not affected. */
	KUNIT_EXPECT_EQ(test, mock_importer_attach(importer, false), 0);
}

/* Passes if a map that fails at attach of a dynamic importer is undone, too. */
static void attach_dynamic_to_static_with_failing_map(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct mock_importer *importer = mock_importer_alloc(test, exporter);

	mock_exporter_fail(exporter, MOCK_MAP, 1, -EIO);
	KUNIT_EXPECT_EQ(test, mock_importer_attach(importer, true), -EIO);
	KUNIT_EXPECT_TRUE(test, mock_exporter_saw(exporter, MOCK_ATTACH, MOCK_MAP,
						  MOCK_DETACH));
	KUNIT_EXPECT_TRUE(test, list_empty(&exporter->dmabuf->attachments));
}

/*
 * Passes if a signal that ends the wait for the exporter's fences ends attach,
 * with everything undone.
 */
static void attach_interrupted_is_erestartsys(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_MOVABLE };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_alloc(test, exporter);
	struct dma_fence *fence = mock_fence_create(test);

	mock_fence_put_at_exit(test, fence);
	mock_exporter_add_fence(exporter, fence, DMA_RESV_USAGE_KERNEL);
	mock_interrupt_begin();
	KUNIT_EXPECT_EQ(test, mock_importer_attach(importer, false), -ERESTARTSYS);
	mock_interrupt_end();
	dma_fence_signal(fence);
	KUNIT_EXPECT_TRUE(test, mock_exporter_saw(exporter, MOCK_ATTACH, MOCK_PIN,
						  MOCK_MAP, MOCK_UNMAP, MOCK_UNPIN,
						  MOCK_DETACH));
}

/* Passes if detach of nothing, or from another buffer, is reported and ignored. */
static void detach_null_is_survived(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
#if DMABUF_OURS
	struct mock_exporter *other = mock_exporter_plain(test);
#endif
	struct mock_importer *importer = mock_importer_create(test, exporter, false);

	dmabuf_expect_warning_begin(test);
	dma_buf_detach(NULL, importer->attach);
	dma_buf_detach(exporter->dmabuf, NULL);
#if DMABUF_OURS
	dma_buf_detach(exporter->dmabuf, ERR_PTR(-EBUSY));
	dma_buf_detach(other->dmabuf, importer->attach);
#endif
	dmabuf_expect_warning_end(test);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_DETACH), 0);
}

/* --- Map and unmap --------------------------------------------------------- */

/* Passes if the table has the exporter's addresses, in order and complete. */
static void map_returns_the_exporters_addresses(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);
	struct scatterlist *sg;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, mock_importer_map(importer, DMA_FROM_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, importer->sgt->nents, MOCK_NR_PAGES);
	for_each_sgtable_dma_sg(importer->sgt, sg, i) {
		KUNIT_EXPECT_EQ(test, sg_dma_address(sg), mock_dma_address(exporter, i));
		KUNIT_EXPECT_EQ(test, sg_dma_len(sg), PAGE_SIZE);
	}
	KUNIT_EXPECT_EQ(test, i, MOCK_NR_PAGES);

	mock_importer_unmap(importer);
	KUNIT_EXPECT_EQ(test, exporter->unmap_dir, DMA_FROM_DEVICE);
}

/* Passes if the twins without lock do the same. */
static void map_unlocked_maps_and_unmaps(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment_unlocked(importer->attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_EQ(test, exporter->nr_mapped, 1);
	dma_buf_unmap_attachment_unlocked(importer->attach, sgt, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, exporter->nr_mapped, 0);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(exporter->dmabuf->resv));
}

/* Passes if a mapping that is kept cannot be had for what it was not made for. */
static void map_in_other_direction_is_busy(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_CACHED };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);

	KUNIT_ASSERT_EQ(test, mock_importer_map(importer, DMA_TO_DEVICE), 0);
	mock_importer_unmap(importer);
	KUNIT_EXPECT_EQ(test, mock_importer_map(importer, DMA_FROM_DEVICE), -EBUSY);
	KUNIT_EXPECT_EQ(test, mock_importer_map(importer, DMA_BIDIRECTIONAL), -EBUSY);
	KUNIT_EXPECT_EQ(test, mock_importer_map(importer, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_MAP), 1);
}

/* Passes if a kept mapping for both directions serves each. */
static void map_cached_bidirectional_serves_all(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_CACHED };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);

	KUNIT_ASSERT_EQ(test, mock_importer_map(importer, DMA_BIDIRECTIONAL), 0);
	mock_importer_unmap(importer);
	KUNIT_ASSERT_EQ(test, mock_importer_map(importer, DMA_FROM_DEVICE), 0);
	mock_importer_unmap(importer);
	KUNIT_EXPECT_EQ(test, mock_importer_map(importer, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_MAP), 1);
	mock_importer_detach(importer);
	KUNIT_EXPECT_EQ(test, exporter->unmap_dir, DMA_BIDIRECTIONAL);
}

#if DMABUF_OURS && !IS_ENABLED(CONFIG_DMABUF_CONTRACT)
struct other_mapper {
	struct work_struct work;
	struct completion done;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
};

static void map_in_other_task(struct work_struct *work)
{
	struct other_mapper *other = container_of(work, struct other_mapper, work);

	other->sgt = dma_buf_map_attachment_unlocked(other->attach, DMA_TO_DEVICE);
	if (!IS_ERR(other->sgt))
		dma_buf_unmap_attachment_unlocked(other->attach, other->sgt,
						  DMA_TO_DEVICE);
	complete(&other->done);
}

/* Passes if nobody who holds the lock keeps others from a mapping that is kept. */
static void map_of_kept_mapping_needs_no_lock(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_CACHED };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);
	struct other_mapper other = { .attach = importer->attach };
	unsigned long left;

	KUNIT_ASSERT_EQ(test, mock_importer_map(importer, DMA_BIDIRECTIONAL), 0);
	init_completion(&other.done);
	INIT_WORK_ONSTACK(&other.work, map_in_other_task);

	dma_resv_lock(exporter->dmabuf->resv, NULL);
	schedule_work(&other.work);
	left = wait_for_completion_timeout(&other.done, 10 * HZ);
	dma_resv_unlock(exporter->dmabuf->resv);
	flush_work(&other.work);
	destroy_work_on_stack(&other.work);

	KUNIT_EXPECT_NE(test, left, 0);
	KUNIT_EXPECT_PTR_EQ(test, other.sgt, importer->sgt);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_MAP), 1);
}
#else
static void map_of_kept_mapping_needs_no_lock(struct kunit *test)
{
	kunit_skip(test, "stock, or a checker that takes the lock each time");
}
#endif

/* Passes if the error of map_dma_buf comes through, and nothing is kept. */
static void map_failure_is_passed_on(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_CACHED };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);

	mock_exporter_fail(exporter, MOCK_MAP, 1, -EIO);
	KUNIT_EXPECT_EQ(test, mock_importer_map(importer, DMA_TO_DEVICE), -EIO);
	mock_exporter_fail(exporter, MOCK_MAP, 1, 0);
	KUNIT_EXPECT_EQ(test, mock_importer_map(importer, DMA_TO_DEVICE), -ENOMEM);
	KUNIT_EXPECT_EQ(test, mock_importer_map(importer, DMA_FROM_DEVICE), 0);
}

/* Passes if a map between dynamic sides leaves no pin when it fails. */
static void map_dynamic_failure_leaves_no_pin(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_MOVABLE };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_create(test, exporter, true);

	mock_exporter_fail(exporter, MOCK_MAP, 1, -EIO);
	KUNIT_EXPECT_EQ(test, mock_importer_map(importer, DMA_TO_DEVICE), -EIO);
	KUNIT_EXPECT_EQ(test, exporter->nr_pinned, 0);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_PIN), PINS_OF_A_MAP);
}

/* Passes if a kernel without moves pins for a map, and fails if that fails. */
static void map_dynamic_pin_failure_is_passed_on(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_MOVABLE };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_create(test, exporter, true);

	if (!PINS_OF_A_MAP)
		kunit_skip(test, "needs a kernel without DMABUF_MOVE_NOTIFY");
	mock_exporter_fail(exporter, MOCK_PIN, 1, -ENOSPC);
	KUNIT_EXPECT_EQ(test, mock_importer_map(importer, DMA_TO_DEVICE), -ENOSPC);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_MAP), 0);
}

/* Passes if nothing to map is -EINVAL, and nothing to unmap is survived. */
static void map_null_is_einval(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);
	struct dma_resv *resv = exporter->dmabuf->resv;

	dmabuf_expect_warning_begin(test);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(dma_buf_map_attachment(NULL, DMA_TO_DEVICE)),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(dma_buf_map_attachment_unlocked(NULL,
									      DMA_TO_DEVICE)),
			-EINVAL);
	dma_buf_unmap_attachment_unlocked(NULL, NULL, DMA_TO_DEVICE);
	dma_buf_unmap_attachment_unlocked(importer->attach, NULL, DMA_TO_DEVICE);
	dma_resv_lock(resv, NULL);
	dma_buf_unmap_attachment(NULL, NULL, DMA_TO_DEVICE);
	dma_buf_unmap_attachment(importer->attach, NULL, DMA_TO_DEVICE);
	dma_resv_unlock(resv);
	dmabuf_expect_warning_end(test);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_UNMAP), 0);
}

#if DMABUF_OURS
/* Passes if what a failed attach returned is taken for no attachment. */
static void map_of_failed_attach_is_einval(struct kunit *test)
{
	struct dma_buf_attachment *failed = ERR_PTR(-EBUSY);
	struct sg_table *sgt;

	dmabuf_expect_warning_begin(test);
	sgt = dma_buf_map_attachment(failed, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(sgt), -EINVAL);
	sgt = dma_buf_map_attachment_unlocked(failed, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(sgt), -EINVAL);
	dma_buf_unmap_attachment(failed, sgt, DMA_TO_DEVICE);
	dma_buf_unmap_attachment_unlocked(failed, sgt, DMA_TO_DEVICE);
	dmabuf_expect_warning_end(test);
}
#endif

struct wait_row {
	const char *desc;
	bool dynamic;
	enum dma_resv_usage usage;
	bool waits;
};

static const struct wait_row wait_rows[] = {
	{ "static_kernel", false, DMA_RESV_USAGE_KERNEL, true },
	{ "static_write", false, DMA_RESV_USAGE_WRITE, false },
	{ "static_read", false, DMA_RESV_USAGE_READ, false },
	{ "static_bookkeep", false, DMA_RESV_USAGE_BOOKKEEP, false },
	{ "dynamic_kernel", true, DMA_RESV_USAGE_KERNEL, false },
};

KUNIT_ARRAY_PARAM_DESC(wait_row, wait_rows, desc);

/*
 * Passes if only a static importer waits, and only for the exporter's own
 * fences. The fence signals as soon as somebody waits for it.
 */
static void map_wait_row(struct kunit *test)
{
	struct mock_exporter_config config = {};
	const struct wait_row *row = test->param_value;
	struct mock_fence_args args = { .refuse_enable = true };
	struct mock_importer *importer;
	struct mock_exporter *exporter;
	struct mock_fence *mock;

	config.flags = row->dynamic ? MOCK_MOVABLE : 0;
	exporter = mock_exporter_create(test, &config);
	importer = mock_importer_create(test, exporter, row->dynamic);
	mock = mock_fence_create_args(test, &args);
	mock_fence_put_at_exit(test, &mock->base);
	mock_exporter_add_fence(exporter, &mock->base, row->usage);

	KUNIT_ASSERT_EQ(test, mock_importer_map(importer, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &mock->base.flags),
			row->waits);
}

/* Passes if a signal ends the wait, and the mapping is undone and not kept. */
static void map_interrupted_is_erestartsys(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_CACHED };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);
	struct dma_fence *fence = mock_fence_create(test);

	mock_fence_put_at_exit(test, fence);
	mock_exporter_add_fence(exporter, fence, DMA_RESV_USAGE_KERNEL);
	mock_interrupt_begin();
	KUNIT_EXPECT_EQ(test, mock_importer_map(importer, DMA_TO_DEVICE), -ERESTARTSYS);
	mock_interrupt_end();
	KUNIT_EXPECT_EQ(test, exporter->nr_mapped, 0);

	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, mock_importer_map(importer, DMA_FROM_DEVICE), 0);
}

/* --- Pins ------------------------------------------------------------------ */

/* Passes if pins of a dynamic importer reach the exporter one by one. */
static void pin_nests(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_MOVABLE };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_create(test, exporter, true);
	struct dma_resv *resv = exporter->dmabuf->resv;

	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_buf_pin(importer->attach), 0);
	KUNIT_EXPECT_EQ(test, dma_buf_pin(importer->attach), 0);
	KUNIT_EXPECT_EQ(test, exporter->nr_pinned, 2);
	dma_buf_unpin(importer->attach);
	KUNIT_EXPECT_EQ(test, exporter->nr_pinned, 1);
	dma_buf_unpin(importer->attach);
	dma_resv_unlock(resv);
	KUNIT_EXPECT_EQ(test, exporter->nr_pinned, 0);
}

/* Passes if the exporter's refusal comes through. */
static void pin_failure_is_passed_on(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_MOVABLE };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_create(test, exporter, true);
	struct dma_resv *resv = exporter->dmabuf->resv;

	mock_exporter_fail(exporter, MOCK_PIN, 1, -ENOSPC);
	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_buf_pin(importer->attach), -ENOSPC);
	dma_resv_unlock(resv);
}

/* Passes if memory that never moves can be pinned without the exporter. */
static void pin_of_static_exporter_succeeds(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct mock_importer *importer = mock_importer_create(test, exporter, true);
	struct dma_resv *resv = exporter->dmabuf->resv;

	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_buf_pin(importer->attach), 0);
	dma_buf_unpin(importer->attach);
	dma_resv_unlock(resv);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_PIN), 0);
}

#if DMABUF_OURS
/* Passes if an importer without move_notify cannot pin, nor unpin. */
static void pin_by_static_importer_is_einval(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_MOVABLE };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);
	struct dma_resv *resv = exporter->dmabuf->resv;

	dma_resv_lock(resv, NULL);
	dmabuf_expect_warning_begin(test);
	KUNIT_EXPECT_EQ(test, dma_buf_pin(importer->attach), -EINVAL);
	dma_buf_unpin(importer->attach);
	dmabuf_expect_warning_end(test);
	dma_resv_unlock(resv);
	/* The core's own pin is untouched. */
	KUNIT_EXPECT_EQ(test, exporter->nr_pinned, 1);
}

/* Passes if an unpin too many does not reach the exporter. */
static void unpin_too_often_is_survived(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_MOVABLE };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_create(test, exporter, true);
	struct mock_importer *other = mock_importer_create(test, exporter, true);
	struct dma_resv *resv = exporter->dmabuf->resv;

	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_buf_pin(other->attach), 0);
	dmabuf_expect_warning_begin(test);
	dma_buf_unpin(importer->attach);
	dmabuf_expect_warning_end(test);
	KUNIT_EXPECT_EQ(test, exporter->nr_pinned, 1);
	dma_buf_unpin(other->attach);
	dma_resv_unlock(resv);
}

/* Passes if an importer cannot take away the pin that its mapping needs. */
static void unpin_of_the_pin_of_a_map_is_refused(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_MOVABLE };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_create(test, exporter, true);
	struct dma_resv *resv = exporter->dmabuf->resv;

	if (!PINS_OF_A_MAP) {
		kunit_skip(test, "needs a kernel without DMABUF_MOVE_NOTIFY");
		return;
	}
	KUNIT_ASSERT_EQ(test, mock_importer_map(importer, DMA_TO_DEVICE), 0);
	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_buf_pin(importer->attach), 0);
	dma_buf_unpin(importer->attach);
	dmabuf_expect_warning_begin(test);
	dma_buf_unpin(importer->attach);
	dmabuf_expect_warning_end(test);
	dma_resv_unlock(resv);
	KUNIT_EXPECT_EQ(test, exporter->nr_pinned, 1);

	mock_importer_unmap(importer);
	KUNIT_EXPECT_EQ(test, exporter->nr_pinned, 0);
	KUNIT_EXPECT_EQ(test, importer->attach->pins, 0);
}

/* What callbacks return that is neither 0 nor an errno. */
struct no_errno_row {
	const char *desc;
	int value;
};

static const struct no_errno_row no_errno_rows[] = {
	{ "positive", 1 },
	{ "too_small", -MAX_ERRNO - 1 },
};

KUNIT_ARRAY_PARAM_DESC(no_errno_row, no_errno_rows, desc);

/*
 * Passes if an importer gets -EIO for it, as an ERR_PTR() or a return value
 * that it can tell from success, and the call has not happened.
 */
static void callback_without_errno_is_eio(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_MOVABLE | MOCK_PFN };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *pinner = mock_importer_alloc(test, exporter);
	struct mock_importer *importer = mock_importer_alloc(test, exporter);
	const struct no_errno_row *row = test->param_value;
	struct dma_resv *resv = exporter->dmabuf->resv;
	unsigned int order;
	u64 pfn;

	dmabuf_expect_warning_begin(test);
	mock_exporter_fail(exporter, MOCK_ATTACH, 1, row->value);
	KUNIT_EXPECT_EQ(test, mock_importer_attach(importer, true), -EIO);
	mock_exporter_fail(exporter, MOCK_PIN, 1, row->value);
	KUNIT_EXPECT_EQ(test, mock_importer_attach(importer, false), -EIO);
	KUNIT_EXPECT_TRUE(test, list_empty(&exporter->dmabuf->attachments));

	KUNIT_ASSERT_EQ(test, mock_importer_attach(pinner, false), 0);
	KUNIT_ASSERT_EQ(test, mock_importer_attach(importer, true), 0);
	dma_resv_lock(resv, NULL);
	mock_exporter_fail(exporter, MOCK_PIN, 1, row->value);
	KUNIT_EXPECT_EQ(test, dma_buf_pin(importer->attach), -EIO);
	KUNIT_EXPECT_EQ(test, importer->attach->pins, 0);
	mock_exporter_fail(exporter, MOCK_GET_PFN, 1, row->value);
	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn(importer->attach, 0, &pfn, &order), -EIO);
	dma_resv_unlock(resv);
	dmabuf_expect_warning_end(test);
}

/* Passes if pins that are left at detach are dropped, each once. */
static void detach_drops_forgotten_pins(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_MOVABLE };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_create(test, exporter, true);
	struct dma_resv *resv = exporter->dmabuf->resv;

	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_buf_pin(importer->attach), 0);
	KUNIT_EXPECT_EQ(test, dma_buf_pin(importer->attach), 0);
	dma_resv_unlock(resv);
	dmabuf_expect_warning_begin(test);
	mock_importer_detach(importer);
	dmabuf_expect_warning_end(test);
	KUNIT_EXPECT_EQ(test, exporter->nr_pinned, 0);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_UNPIN), 2);
}
#endif

/* --- Moves ----------------------------------------------------------------- */

/*
 * Passes if each dynamic importer is told once, static ones and ones that have
 * left are not.
 */
static void move_notify_tells_dynamic_importers(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_MOVABLE };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *first = mock_importer_create(test, exporter, true);
	struct mock_importer *second = mock_importer_create(test, exporter, true);
	struct mock_importer *gone = mock_importer_create(test, exporter, true);

	mock_importer_detach(gone);
	mock_exporter_move(exporter);
	KUNIT_EXPECT_EQ(test, first->nr_moves, 1);
	KUNIT_EXPECT_EQ(test, second->nr_moves, 1);
	KUNIT_EXPECT_EQ(test, gone->nr_moves, 0);
	mock_exporter_move(exporter);
	KUNIT_EXPECT_EQ(test, first->nr_moves, 2);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_MOVE_NOTIFY), 4);
}

/* Passes if nobody is told by an exporter whose importers are all static. */
static void move_notify_skips_static_importers(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);

	mock_importer_create(test, exporter, false);
	mock_exporter_move(exporter);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_MOVE_NOTIFY), 0);
}

/* Passes if a mapping shows the place it was made at until it is made anew. */
static void move_keeps_the_old_mapping(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_MOVABLE };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_create(test, exporter, true);
	dma_addr_t before = mock_dma_address(exporter, 0);

	if (PINS_OF_A_MAP)
		kunit_skip(test, "what is mapped does not move in this kernel");

	KUNIT_ASSERT_EQ(test, mock_importer_map(importer, DMA_TO_DEVICE), 0);
	mock_exporter_move(exporter);
	KUNIT_EXPECT_EQ(test, mock_importer_address(importer), before);
	KUNIT_EXPECT_EQ(test, exporter->nr_mapped, 1);

	mock_importer_unmap(importer);
	KUNIT_ASSERT_EQ(test, mock_importer_map(importer, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, mock_importer_address(importer),
			mock_dma_address(exporter, 0));
	KUNIT_EXPECT_NE(test, mock_importer_address(importer), before);
}

/* Passes if an importer may unmap while it is told of the move. */
static void move_notify_may_unmap(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_MOVABLE };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_create(test, exporter, true);

	if (PINS_OF_A_MAP)
		kunit_skip(test, "what is mapped does not move in this kernel");

	importer->on_move = MOCK_MOVE_UNMAP;
	KUNIT_ASSERT_EQ(test, mock_importer_map(importer, DMA_TO_DEVICE), 0);
	mock_exporter_move(exporter);
	KUNIT_EXPECT_EQ(test, exporter->nr_mapped, 0);
	KUNIT_EXPECT_EQ(test, exporter->nr_pinned, 0);
}

/* Passes if an importer may map the new place while it is told of the move. */
static void move_notify_may_remap(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_MOVABLE };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_create(test, exporter, true);

	if (PINS_OF_A_MAP)
		kunit_skip(test, "what is mapped does not move in this kernel");

	importer->on_move = MOCK_MOVE_REMAP;
	KUNIT_ASSERT_EQ(test, mock_importer_map(importer, DMA_TO_DEVICE), 0);
	mock_exporter_move(exporter);
	KUNIT_EXPECT_EQ(test, importer->remap_error, 0);
	KUNIT_ASSERT_NOT_NULL(test, importer->sgt);
	KUNIT_EXPECT_EQ(test, mock_importer_address(importer),
			mock_dma_address(exporter, 0));
}

/* Importers come and go while the buffer moves. */
struct move_race {
	struct mock_exporter *exporter;
	struct mock_importer *importers[2];
	int errors[2];
};

static void come_and_go(struct move_race *race, unsigned int who, bool dynamic)
{
	struct mock_importer *importer = race->importers[who];

	race->errors[who] = mock_importer_attach(importer, dynamic);
	if (race->errors[who])
		return;
	cond_resched();
	race->errors[who] = mock_importer_map(importer, DMA_BIDIRECTIONAL);
	cond_resched();
	mock_importer_detach(importer);
}

static void move_race_dynamic(void *ctx)
{
	come_and_go(ctx, 0, true);
}

static void move_race_static(void *ctx)
{
	come_and_go(ctx, 1, false);
}

/* No exporter moves what somebody has pinned. */
static void move_unless_pinned(struct mock_exporter *exporter)
{
	struct dma_resv *resv = exporter->dmabuf->resv;

	dma_resv_lock(resv, NULL);
	if (!exporter->nr_pinned) {
		exporter->place++;
		dma_buf_move_notify(exporter->dmabuf);
	}
	dma_resv_unlock(resv);
}

static void move_race_move(void *ctx)
{
	struct move_race *race = ctx;

	move_unless_pinned(race->exporter);
	cond_resched();
	move_unless_pinned(race->exporter);
}

static void move_race_check(struct kunit *test, void *ctx)
{
	struct move_race *race = ctx;

	KUNIT_EXPECT_EQ(test, race->errors[0], 0);
	KUNIT_EXPECT_EQ(test, race->errors[1], 0);
	KUNIT_EXPECT_EQ(test, race->exporter->nr_mapped, 0);
	KUNIT_EXPECT_EQ(test, race->exporter->nr_pinned, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&race->exporter->dmabuf->attachments));
	race->importers[0]->on_move = (race->importers[0]->on_move + 1) % 3;
}

/*
 * Passes if each round ends balanced, whatever the dynamic importer does with
 * the news, and nobody is called after detach (KASAN would tell).
 */
static void attach_races_with_move_notify(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_MOVABLE };
	struct move_race *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	struct mock_race race = {
		.ctx = ctx,
		.rounds = 1000,
		.check = move_race_check,
		.racer = { move_race_dynamic, move_race_move, move_race_static },
	};

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->exporter = mock_exporter_create(test, &config);
	ctx->importers[0] = mock_importer_alloc(test, ctx->exporter);
	ctx->importers[1] = mock_importer_alloc(test, ctx->exporter);
	mock_race(test, &race);
}

/* --- Page frames ----------------------------------------------------------- */

#if DMABUF_OURS
/* An importer that maps by itself, without a device. */
static struct dma_buf_attachment *attach_pfn(struct kunit *test,
					     struct mock_exporter *exporter,
					     struct mock_importer *importer, bool dynamic)
{
	importer->dev = NULL;
	KUNIT_ASSERT_EQ(test, mock_importer_attach(importer, dynamic), 0);
	return importer->attach;
}

struct pfn_fixture {
	struct mock_exporter *exporter;
	struct mock_importer *importer;
	struct dma_buf_attachment *attach;
	u64 first;	/* frame of the buffer's first page */
};

static struct pfn_fixture pfn_fixture(struct kunit *test, unsigned int flags,
				      unsigned int nr_pages, bool dynamic)
{
	struct mock_exporter_config config = {
		.flags = MOCK_PFN | MOCK_NO_MAP | flags,
		.nr_pages = nr_pages,
	};
	struct pfn_fixture fix;

	fix.exporter = mock_exporter_create(test, &config);
	fix.importer = mock_importer_alloc(test, fix.exporter);
	fix.attach = attach_pfn(test, fix.exporter, fix.importer, dynamic);
	fix.first = virt_to_phys(fix.exporter->pages) >> PAGE_SHIFT;
	return fix;
}

/* Passes if a buffer of frames only can be attached without a device. */
static void attach_without_device_to_pfn_only_succeeds(struct kunit *test)
{
	struct pfn_fixture fix = pfn_fixture(test, 0, 0, false);

	KUNIT_EXPECT_NULL(test, fix.attach->dev);
	KUNIT_EXPECT_TRUE(test, mock_exporter_saw(fix.exporter, MOCK_ATTACH));
}

/* Passes if an exporter that maps for devices wants one, frames or not. */
static void attach_without_device_to_mapping_exporter_is_einval(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_PFN };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct dma_buf_attachment *attach;

	dmabuf_expect_warning_begin(test);
	attach = dma_buf_attach(exporter->dmabuf, NULL);
	dmabuf_expect_warning_end(test);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(attach), -EINVAL);
}

#if IS_ENABLED(CONFIG_DEBUG_FS)
/* Passes if bufinfo, whose first buffer is the newest, shows the attachment. */
static void attach_without_device_is_shown(struct kunit *test)
{
	unsigned long user = mock_user_page(test, PROT_READ | PROT_WRITE);
	struct vfsmount *debugfs = mock_fs_mount(test, "debugfs");
	char *text = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	struct file *file;
	loff_t pos = 0;

	KUNIT_ASSERT_FALSE(test, IS_ERR(debugfs));
	KUNIT_ASSERT_NOT_NULL(test, text);
	pfn_fixture(test, 0, 0, false);

	file = mock_fs_open(debugfs, "dma_buf/bufinfo", O_RDONLY);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	KUNIT_EXPECT_GT(test, file->f_op->read(file, (char __user *)user, PAGE_SIZE - 1,
					       &pos), 0);
	__fput_sync(file);
	KUNIT_ASSERT_EQ(test, 0, copy_from_user(text, (char __user *)user, PAGE_SIZE - 1));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "Attached Devices:\n\t<no device>\n"
					   "Total 1 devices attached\n"));
}
#endif

/* Passes if a mistake of an importer without a device can be told of. */
static void pin_by_static_importer_without_device_is_einval(struct kunit *test)
{
	struct pfn_fixture fix = pfn_fixture(test, MOCK_MOVABLE, 0, false);

	dma_resv_lock(fix.exporter->dmabuf->resv, NULL);
	dmabuf_expect_warning_begin(test);
	KUNIT_EXPECT_EQ(test, dma_buf_pin(fix.attach), -EINVAL);
	dmabuf_expect_warning_end(test);
	dma_resv_unlock(fix.exporter->dmabuf->resv);
}

/* Passes if the core pins a movable buffer of frames for a static importer. */
static void attach_pfn_only_static_to_movable_pins(struct kunit *test)
{
	struct pfn_fixture fix = pfn_fixture(test, MOCK_MOVABLE, 0, false);

	KUNIT_EXPECT_TRUE(test, mock_exporter_saw(fix.exporter, MOCK_ATTACH, MOCK_PIN));
	mock_importer_detach(fix.importer);
	KUNIT_EXPECT_TRUE(test, mock_exporter_saw(fix.exporter, MOCK_ATTACH, MOCK_PIN,
						  MOCK_UNPIN, MOCK_DETACH));
}

/* Passes if a dynamic importer of such a buffer makes the core do nothing. */
static void attach_pfn_only_dynamic_maps_nothing(struct kunit *test)
{
	struct pfn_fixture fix = pfn_fixture(test, 0, 0, true);

	KUNIT_EXPECT_TRUE(test, mock_exporter_saw(fix.exporter, MOCK_ATTACH));
}

/* Passes if what has only frames cannot be mapped. */
static void map_of_pfn_only_is_eopnotsupp(struct kunit *test)
{
	struct pfn_fixture fix = pfn_fixture(test, 0, 0, false);

	KUNIT_EXPECT_EQ(test, mock_importer_map(fix.importer, DMA_TO_DEVICE), -EOPNOTSUPP);
}

/* Passes if each page of the buffer has its frame. */
static void get_pfn_returns_the_frame(struct kunit *test)
{
	struct pfn_fixture fix = pfn_fixture(test, 0, 0, false);
	unsigned int order;
	unsigned int i;
	u64 pfn;

	for (i = 0; i < MOCK_NR_PAGES; i++) {
		KUNIT_EXPECT_EQ(test, dma_buf_get_pfn_unlocked(fix.attach, i, &pfn, &order), 0);
		KUNIT_EXPECT_EQ(test, pfn, fix.first + i);
	}
	dma_resv_lock(fix.exporter->dmabuf->resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn(fix.attach, 1, &pfn, &order), 0);
	dma_resv_unlock(fix.exporter->dmabuf->resv);
	KUNIT_EXPECT_EQ(test, pfn, fix.first + 1);
}

/* Passes if an exporter that maps, too, hands out frames all the same. */
static void get_pfn_of_mapping_exporter_succeeds(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_PFN };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);
	unsigned int order;
	u64 pfn;

	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn_unlocked(importer->attach, 0, &pfn, &order), 0);
	KUNIT_EXPECT_EQ(test, mock_importer_map(importer, DMA_TO_DEVICE), 0);
}

struct order_row {
	const char *desc;
	unsigned int nr_pages;
	unsigned int exporter_order;
	unsigned int skew;	/* of the frame, against the offset */
	pgoff_t pgoff;
	unsigned int order;
};

static const struct order_row order_rows[] = {
	{ "whole_buffer", 16, 4, 0, 0, 4 },
	{ "less_if_the_exporter_says_less", 16, 2, 0, 0, 2 },
	{ "exporter_beyond_the_end", 16, 9, 0, 0, 4 },
	{ "exporter_far_beyond_the_end", 16, 200, 0, 0, 4 },
	{ "offset_1", 16, 4, 0, 1, 0 },
	{ "offset_2", 16, 4, 0, 2, 1 },
	{ "offset_4", 16, 4, 0, 4, 2 },
	{ "offset_6", 16, 4, 0, 6, 1 },
	{ "offset_8", 16, 4, 0, 8, 3 },
	{ "offset_12", 16, 4, 0, 12, 2 },
	{ "last_page", 16, 4, 0, 15, 0 },
	{ "end_before_alignment", 12, 4, 0, 8, 2 },
	{ "end_before_alignment_from_0", 12, 4, 0, 0, 3 },
	{ "odd_end", 13, 4, 0, 12, 0 },
	{ "frame_odd", 16, 4, 1, 0, 0 },
	{ "frame_aligned_to_4", 16, 4, 4, 0, 2 },
	{ "frame_and_offset_differ", 16, 4, 2, 4, 1 },
	{ "offset_odd_and_frame_aligned", 16, 4, 15, 1, 0 },
	{ "offset_less_aligned_than_frame", 16, 4, 6, 2, 1 },
	{ "one_page", 1, 4, 0, 0, 0 },
};

KUNIT_ARRAY_PARAM_DESC(order_row, order_rows, desc);

/*
 * Passes if the order is the largest that the exporter, both alignments and
 * the end of the buffer allow. The buffer's memory is aligned to its size.
 */
static void get_pfn_order_row(struct kunit *test)
{
	const struct order_row *row = test->param_value;
	struct pfn_fixture fix = pfn_fixture(test, 0, row->nr_pages, false);
	unsigned int order = 99;
	u64 pfn;

	fix.exporter->pfn_order = row->exporter_order;
	fix.exporter->pfn_skew = row->skew;
	KUNIT_ASSERT_EQ(test, dma_buf_get_pfn_unlocked(fix.attach, row->pgoff, &pfn,
						       &order), 0);
	KUNIT_EXPECT_EQ(test, pfn, fix.first + row->pgoff + row->skew);
	KUNIT_EXPECT_EQ(test, order, row->order);
}

/* Passes if a page that is started counts, and the one behind it does not. */
static void get_pfn_of_partial_last_page(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_PFN | MOCK_NO_MAP };
	struct mock_exporter *exporter = mock_exporter_alloc(test, &config);
	struct dma_buf_attachment *attach;
	struct mock_importer *importer;
	unsigned int order;
	u64 pfn;

	exporter->info.size = 2 * PAGE_SIZE + 1;
	mock_exporter_export(exporter);
	importer = mock_importer_alloc(test, exporter);
	attach = attach_pfn(test, exporter, importer, false);
	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn_unlocked(attach, 2, &pfn, &order), 0);
	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn_unlocked(attach, 3, &pfn, &order), -EINVAL);
}

/* Passes if a buffer without a page has no frame for the first one. */
static void get_pfn_of_empty_buffer_is_einval(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_PFN | MOCK_NO_MAP };
	struct mock_exporter *exporter = mock_exporter_alloc(test, &config);
	struct dma_buf_attachment *attach;
	unsigned int order;
	u64 pfn;

	exporter->info.size = 0;
	mock_exporter_export(exporter);
	attach = attach_pfn(test, exporter, mock_importer_alloc(test, exporter), false);
	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn_unlocked(attach, 0, &pfn, &order), -EINVAL);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_GET_PFN), 0);
}

/* The last page that an address can be had for. */
#define LAST_PFN ((u64)PHYS_ADDR_MAX >> PAGE_SHIFT)

static int stores_nothing(struct dma_buf_attachment *attach, pgoff_t pgoff, u64 *pfn,
			  unsigned int *max_order)
{
	return 0;
}

static int stores_no_order(struct dma_buf_attachment *attach, pgoff_t pgoff, u64 *pfn,
			   unsigned int *max_order)
{
	*pfn = 0x1000 + pgoff;
	return 0;
}

static int stores_the_last(struct dma_buf_attachment *attach, pgoff_t pgoff, u64 *pfn,
			   unsigned int *max_order)
{
	*pfn = LAST_PFN;
	*max_order = UINT_MAX;
	return 0;
}

static int stores_too_much(struct dma_buf_attachment *attach, pgoff_t pgoff, u64 *pfn,
			   unsigned int *max_order)
{
	*pfn = LAST_PFN + 1;
	*max_order = 2;
	return 0;
}

/* What an exporter stores, and what the importer gets. */
struct answer_row {
	const char *desc;
	int (*get_pfn)(struct dma_buf_attachment *attach, pgoff_t pgoff, u64 *pfn,
		       unsigned int *max_order);
	int ret;
	u64 pfn;
	unsigned int order;
};

static const struct answer_row answer_rows[] = {
	{ "nothing", stores_nothing, -EIO, 1234, 99 },
	{ "no_order", stores_no_order, 0, 0x1000, 0 },
	{ "last_frame", stores_the_last, 0, LAST_PFN, 0 },
	{ "no_frame_of_memory", stores_too_much, -EIO, 1234, 99 },
};

KUNIT_ARRAY_PARAM_DESC(answer_row, answer_rows, desc);

/* Passes if no importer gets a frame that the exporter did not mean. */
static void get_pfn_answer_row(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_PFN | MOCK_NO_MAP };
	struct mock_exporter *exporter = mock_exporter_alloc(test, &config);
	const struct answer_row *row = test->param_value;
	struct dma_buf_attachment *attach;
	unsigned int order = 99;
	u64 pfn = 1234;

	exporter->ops.get_pfn = row->get_pfn;
	mock_exporter_export(exporter);
	attach = attach_pfn(test, exporter, mock_importer_alloc(test, exporter), false);
	if (row->ret)
		dmabuf_expect_warning_begin(test);
	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn_unlocked(attach, 0, &pfn, &order), row->ret);
	if (row->ret)
		dmabuf_expect_warning_end(test);
	KUNIT_EXPECT_EQ(test, pfn, row->pfn);
	KUNIT_EXPECT_EQ(test, order, row->order);
}

/* Passes if an offset behind the buffer is -EINVAL and leaves results alone. */
static void get_pfn_behind_the_end_is_einval(struct kunit *test)
{
	static const pgoff_t offsets[] = {
		MOCK_NR_PAGES, MOCK_NR_PAGES + 1, ULONG_MAX, LONG_MAX,
		1UL << (BITS_PER_LONG - PAGE_SHIFT),
	};
	struct pfn_fixture fix = pfn_fixture(test, 0, 0, false);
	unsigned int order = 99;
	u64 pfn = 1234;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++)
		KUNIT_EXPECT_EQ(test, dma_buf_get_pfn_unlocked(fix.attach, offsets[i], &pfn,
							       &order), -EINVAL);
	KUNIT_EXPECT_EQ(test, pfn, 1234);
	KUNIT_EXPECT_EQ(test, order, 99);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(fix.exporter, MOCK_GET_PFN), 0);
}

/* Passes if an argument that is missing is -EINVAL, with and without lock. */
static void get_pfn_null_is_einval(struct kunit *test)
{
	struct pfn_fixture fix = pfn_fixture(test, 0, 0, false);
	struct dma_resv *resv = fix.exporter->dmabuf->resv;
	unsigned int order;
	u64 pfn;

	dmabuf_expect_warning_begin(test);
	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn_unlocked(NULL, 0, &pfn, &order), -EINVAL);
	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn_unlocked(fix.attach, 0, NULL, &order), -EINVAL);
	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn_unlocked(fix.attach, 0, &pfn, NULL), -EINVAL);
	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn(NULL, 0, &pfn, &order), -EINVAL);
	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn(fix.attach, 0, NULL, &order), -EINVAL);
	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn(fix.attach, 0, &pfn, NULL), -EINVAL);
	dma_resv_unlock(resv);
	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn(ERR_PTR(-EBUSY), 0, &pfn, &order), -EINVAL);
	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn_unlocked(ERR_PTR(-EBUSY), 0, &pfn, &order),
			-EINVAL);
	dmabuf_expect_warning_end(test);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(fix.exporter, MOCK_GET_PFN), 0);
}

/* Passes if an exporter without frames says so. */
static void get_pfn_without_op_is_eopnotsupp(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);
	unsigned int order;
	u64 pfn;

	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn_unlocked(importer->attach, 0, &pfn, &order),
			-EOPNOTSUPP);
}

/* Passes if the exporter's error comes through and leaves results alone. */
static void get_pfn_failure_is_passed_on(struct kunit *test)
{
	struct pfn_fixture fix = pfn_fixture(test, 0, 0, false);
	unsigned int order = 99;
	u64 pfn = 1234;

	mock_exporter_fail(fix.exporter, MOCK_GET_PFN, 1, -EIO);
	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn_unlocked(fix.attach, 0, &pfn, &order), -EIO);
	KUNIT_EXPECT_EQ(test, pfn, 1234);
	KUNIT_EXPECT_EQ(test, order, 99);
}

/*
 * Passes if a movable buffer has frames for an importer that follows; without
 * DMABUF_MOVE_NOTIFY only while somebody pins it.
 */
static void get_pfn_of_unpinned_movable_needs_move_notify(struct kunit *test)
{
	struct pfn_fixture fix = pfn_fixture(test, MOCK_MOVABLE, 0, true);
	struct mock_importer *other = mock_importer_alloc(test, fix.exporter);
	struct dma_resv *resv = fix.exporter->dmabuf->resv;
	int unpinned = PINS_OF_A_MAP ? -ENOENT : 0;
	unsigned int order;
	u64 pfn;

	attach_pfn(test, fix.exporter, other, true);
	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn(fix.attach, 0, &pfn, &order), unpinned);
	KUNIT_EXPECT_EQ(test, dma_buf_pin(other->attach), 0);
	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn(fix.attach, 0, &pfn, &order), 0);
	dma_buf_unpin(other->attach);
	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn(fix.attach, 0, &pfn, &order), unpinned);
	dma_resv_unlock(resv);
}

/* Passes if the pin of a static importer's attachment is enough everywhere. */
static void get_pfn_of_static_importer_of_movable_succeeds(struct kunit *test)
{
	struct pfn_fixture fix = pfn_fixture(test, MOCK_MOVABLE, 0, false);
	unsigned int order;
	u64 pfn;

	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn_unlocked(fix.attach, 0, &pfn, &order), 0);
	KUNIT_EXPECT_EQ(test, pfn, fix.first);
}

/*
 * Passes if a static importer waits for the exporter's fences before it gets
 * a frame, a signal ends the wait, and a dynamic importer does not wait.
 */
static void get_pfn_waits_for_static_importers(struct kunit *test)
{
	struct pfn_fixture fix = pfn_fixture(test, MOCK_MOVABLE, 0, false);
	struct mock_importer *follower = mock_importer_alloc(test, fix.exporter);
	struct mock_fence_args lazy = { .refuse_enable = true };
	struct dma_fence *fence = mock_fence_create(test);
	int expected = PINS_OF_A_MAP ? -ENOENT : 0;
	unsigned int order;
	u64 pfn;

	mock_fence_put_at_exit(test, fence);
	mock_exporter_add_fence(fix.exporter, fence, DMA_RESV_USAGE_KERNEL);
	mock_interrupt_begin();
	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn_unlocked(fix.attach, 0, &pfn, &order),
			-ERESTARTSYS);
	mock_interrupt_end();
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn_unlocked(fix.attach, 0, &pfn, &order), 0);

	mock_importer_detach(fix.importer);
	attach_pfn(test, fix.exporter, follower, true);
	/* Signals as soon as somebody waits for it. */
	fence = &mock_fence_create_args(test, &lazy)->base;
	mock_fence_put_at_exit(test, fence);
	mock_exporter_add_fence(fix.exporter, fence, DMA_RESV_USAGE_KERNEL);
	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn_unlocked(follower->attach, 0, &pfn, &order),
			expected);
	KUNIT_EXPECT_FALSE(test, test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags));
}

static void start_clearing(struct mock_exporter *exporter, enum mock_op op)
{
	if (op == MOCK_GET_PFN)
		dma_resv_add_fence(exporter->resv, exporter->hook_data,
				   DMA_RESV_USAGE_KERNEL);
}

/*
 * Passes if a static importer waits for what the exporter begins to do with the
 * memory when it is asked, and gets no frame if it does not wait to the end.
 */
static void get_pfn_waits_for_what_it_starts(struct kunit *test)
{
	struct pfn_fixture fix = pfn_fixture(test, 0, 0, false);
	struct dma_resv *resv = fix.exporter->resv;
	struct dma_fence *fence = mock_fence_create(test);
	unsigned int order = 99;
	u64 pfn = 1234;

	mock_fence_put_at_exit(test, fence);
	fix.exporter->hook = start_clearing;
	fix.exporter->hook_data = fence;
	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(resv, 1), 0);
	mock_interrupt_begin();
	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn(fix.attach, 0, &pfn, &order), -ERESTARTSYS);
	mock_interrupt_end();
	dma_resv_unlock(resv);
	fix.exporter->hook = NULL;
	KUNIT_EXPECT_EQ(test, pfn, 1234);
	KUNIT_EXPECT_EQ(test, order, 99);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, dma_buf_get_pfn_unlocked(fix.attach, 0, &pfn, &order), 0);
}
#endif

static struct kunit_case dma_buf_attach_cases[] = {
	KUNIT_CASE_PARAM(attach_who_maps_row, mapper_row_gen_params),
	KUNIT_CASE(map_made_at_attach_serves_all_directions),
	KUNIT_CASE(attach_fills_in_the_attachment),
	KUNIT_CASE(attach_static_has_no_importer_ops),
	KUNIT_CASE(attach_without_op_succeeds),
	KUNIT_CASE(attach_null_is_einval),
	KUNIT_CASE(attach_without_move_notify_is_einval),
	KUNIT_CASE_PARAM(attach_failure_row, attach_failure_gen_params),
	KUNIT_CASE(attach_dynamic_to_static_with_failing_map),
	KUNIT_CASE(attach_interrupted_is_erestartsys),
	KUNIT_CASE(detach_null_is_survived),
	KUNIT_CASE(map_returns_the_exporters_addresses),
	KUNIT_CASE(map_unlocked_maps_and_unmaps),
	KUNIT_CASE(map_in_other_direction_is_busy),
	KUNIT_CASE(map_cached_bidirectional_serves_all),
	KUNIT_CASE(map_of_kept_mapping_needs_no_lock),
	KUNIT_CASE(map_failure_is_passed_on),
	KUNIT_CASE(map_dynamic_failure_leaves_no_pin),
	KUNIT_CASE(map_dynamic_pin_failure_is_passed_on),
	KUNIT_CASE(map_null_is_einval),
#if DMABUF_OURS
	KUNIT_CASE(map_of_failed_attach_is_einval),
#endif
	KUNIT_CASE_PARAM(map_wait_row, wait_row_gen_params),
	KUNIT_CASE(map_interrupted_is_erestartsys),
	KUNIT_CASE(pin_nests),
	KUNIT_CASE(pin_failure_is_passed_on),
	KUNIT_CASE(pin_of_static_exporter_succeeds),
#if DMABUF_OURS
	KUNIT_CASE(pin_by_static_importer_is_einval),
	KUNIT_CASE(unpin_too_often_is_survived),
	KUNIT_CASE(unpin_of_the_pin_of_a_map_is_refused),
	KUNIT_CASE_PARAM(callback_without_errno_is_eio, no_errno_row_gen_params),
	KUNIT_CASE(detach_drops_forgotten_pins),
#endif
	KUNIT_CASE(move_notify_tells_dynamic_importers),
	KUNIT_CASE(move_notify_skips_static_importers),
	KUNIT_CASE(move_keeps_the_old_mapping),
	KUNIT_CASE(move_notify_may_unmap),
	KUNIT_CASE(move_notify_may_remap),
	KUNIT_CASE_SLOW(attach_races_with_move_notify),
#if DMABUF_OURS
	KUNIT_CASE(attach_without_device_to_pfn_only_succeeds),
	KUNIT_CASE(attach_without_device_to_mapping_exporter_is_einval),
#if IS_ENABLED(CONFIG_DEBUG_FS)
	KUNIT_CASE(attach_without_device_is_shown),
#endif
	KUNIT_CASE(pin_by_static_importer_without_device_is_einval),
	KUNIT_CASE(attach_pfn_only_static_to_movable_pins),
	KUNIT_CASE(attach_pfn_only_dynamic_maps_nothing),
	KUNIT_CASE(map_of_pfn_only_is_eopnotsupp),
	KUNIT_CASE(get_pfn_returns_the_frame),
	KUNIT_CASE(get_pfn_of_mapping_exporter_succeeds),
	KUNIT_CASE_PARAM(get_pfn_order_row, order_row_gen_params),
	KUNIT_CASE(get_pfn_of_partial_last_page),
	KUNIT_CASE(get_pfn_of_empty_buffer_is_einval),
	KUNIT_CASE_PARAM(get_pfn_answer_row, answer_row_gen_params),
	KUNIT_CASE(get_pfn_behind_the_end_is_einval),
	KUNIT_CASE(get_pfn_null_is_einval),
	KUNIT_CASE(get_pfn_without_op_is_eopnotsupp),
	KUNIT_CASE(get_pfn_failure_is_passed_on),
	KUNIT_CASE(get_pfn_of_unpinned_movable_needs_move_notify),
	KUNIT_CASE(get_pfn_of_static_importer_of_movable_succeeds),
	KUNIT_CASE(get_pfn_waits_for_static_importers),
	KUNIT_CASE(get_pfn_waits_for_what_it_starts),
#endif
	{}
};

static struct kunit_suite dma_buf_attach_suite = {
	.name = "dma_buf_attach",
	.init = mock_fence_init,
	.test_cases = dma_buf_attach_cases,
};

kunit_test_suite(dma_buf_attach_suite);
