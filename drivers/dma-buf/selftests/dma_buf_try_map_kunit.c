// SPDX-License-Identifier: GPL-2.0
/*
 * Mapping without waiting: when it works, when it is refused because it would
 * have to wait, and that nothing is left half done.
 */

#include "mock.h"

#if DMABUF_OURS

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>

#include <kunit/test.h>

#include "mock_exporter.h"
#include "mock_fence.h"
#include "mock_importer.h"

/* Pins that each mapping brings where the kernel is built without moves. */
#define PINS_OF_A_MAP (!IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY))

/* Try with the lock held; the importer keeps the mapping. */
static int try_map(struct mock_importer *importer, enum dma_data_direction dir)
{
	struct dma_resv *resv = importer->attach->dmabuf->resv;
	struct sg_table *sgt;

	dma_resv_lock(resv, NULL);
	sgt = dma_buf_try_map_attachment(importer->attach, dir);
	dma_resv_unlock(resv);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	importer->sgt = sgt;
	importer->dir = dir;
	return 0;
}

static struct mock_exporter *create(struct kunit *test, unsigned int flags)
{
	struct mock_exporter_config config = { .flags = flags };

	return mock_exporter_create(test, &config);
}

static unsigned int calls(struct mock_importer *importer, enum mock_op op)
{
	return mock_exporter_calls(importer->exporter, op);
}

static struct dma_fence *busy(struct kunit *test, struct mock_exporter *exporter,
			      enum dma_resv_usage usage)
{
	struct dma_fence *fence = mock_fence_create(test);

	mock_fence_put_at_exit(test, fence);
	mock_exporter_add_fence(exporter, fence, usage);
	return fence;
}

/* Nothing was asked of the exporter but what is listed, and nothing is mapped. */
static void expect_untouched(struct kunit *test, struct mock_importer *importer)
{
	KUNIT_EXPECT_EQ(test, calls(importer, MOCK_TRY_MAP), 0);
	KUNIT_EXPECT_EQ(test, calls(importer, MOCK_MAP), 0);
	KUNIT_EXPECT_EQ(test, importer->exporter->nr_mapped, 0);
	KUNIT_EXPECT_EQ(test, importer->exporter->nr_pinned, 0);
	KUNIT_EXPECT_NULL(test, importer->attach->sgt);
}

/* Passes if the exporter's table comes, and unmap ends it. */
static void try_map_returns_the_exporters_addresses(struct kunit *test)
{
	struct mock_exporter *exporter = create(test, MOCK_TRY);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);
	struct scatterlist *sg;
	int i;

	mock_exporter_forget(exporter);
	KUNIT_ASSERT_EQ(test, try_map(importer, DMA_TO_DEVICE), 0);
	for_each_sgtable_dma_sg(importer->sgt, sg, i)
		KUNIT_EXPECT_EQ(test, sg_dma_address(sg), mock_dma_address(exporter, i));
	KUNIT_EXPECT_EQ(test, exporter->log[0].dir, DMA_TO_DEVICE);
	KUNIT_EXPECT_TRUE(test, exporter->log[0].resv_held);
	mock_importer_unmap(importer);
	KUNIT_EXPECT_TRUE(test, mock_exporter_saw(exporter, MOCK_TRY_MAP, MOCK_UNMAP));
}

/* Passes if the twin takes the lock and drops it. */
static void try_map_unlocked_maps_and_unlocks(struct kunit *test)
{
	struct mock_exporter *exporter = create(test, MOCK_TRY);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);
	struct sg_table *sgt;

	sgt = dma_buf_try_map_attachment_unlocked(importer->attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(exporter->dmabuf->resv));
	KUNIT_EXPECT_EQ(test, exporter->count_held[MOCK_TRY_MAP], 1);
	dma_buf_unmap_attachment_unlocked(importer->attach, sgt, DMA_TO_DEVICE);
}

/* Passes if the twin is -EBUSY and asks nobody while somebody has the lock. */
static void try_map_unlocked_of_locked_is_ebusy(struct kunit *test)
{
	struct mock_exporter *exporter = create(test, MOCK_TRY);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);
	struct sg_table *sgt;

	dma_resv_lock(exporter->dmabuf->resv, NULL);
	sgt = dma_buf_try_map_attachment_unlocked(importer->attach, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(sgt), -EBUSY);
	KUNIT_EXPECT_TRUE(test, dma_resv_is_locked(exporter->dmabuf->resv));
	dma_resv_unlock(exporter->dmabuf->resv);
	expect_untouched(test, importer);
}

/* Passes if no attachment is -EINVAL. */
static void try_map_null_is_einval(struct kunit *test)
{
	struct sg_table *sgt;

	dmabuf_expect_warning_begin(test);
	sgt = dma_buf_try_map_attachment(NULL, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(sgt), -EINVAL);
	sgt = dma_buf_try_map_attachment_unlocked(NULL, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(sgt), -EINVAL);
	sgt = dma_buf_try_map_attachment(ERR_PTR(-ENODEV), DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(sgt), -EINVAL);
	sgt = dma_buf_try_map_attachment_unlocked(ERR_PTR(-ENODEV), DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(sgt), -EINVAL);
	dmabuf_expect_warning_end(test);
}

/* Passes if an exporter that cannot tell is -EOPNOTSUPP, and is not asked to map. */
static void try_map_without_op_is_eopnotsupp(struct kunit *test)
{
	struct mock_exporter *exporter = create(test, 0);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);

	KUNIT_EXPECT_EQ(test, try_map(importer, DMA_TO_DEVICE), -EOPNOTSUPP);
	expect_untouched(test, importer);
}

/* Passes if a buffer of page frames is -EOPNOTSUPP. */
static void try_map_of_pfn_only_is_eopnotsupp(struct kunit *test)
{
	struct mock_exporter *exporter = create(test, MOCK_PFN | MOCK_NO_MAP);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);

	KUNIT_EXPECT_EQ(test, try_map(importer, DMA_TO_DEVICE), -EOPNOTSUPP);
	expect_untouched(test, importer);
}

/* Passes if the core refuses to export a try_map_dma_buf that nothing undoes. */
static void export_with_try_map_only_is_einval(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_TRY | MOCK_PFN | MOCK_NO_MAP };
	struct mock_exporter *exporter = mock_exporter_alloc(test, &config);

	dmabuf_expect_warning_begin(test);
	KUNIT_EXPECT_EQ(test, mock_exporter_try_export(exporter), -EINVAL);
	dmabuf_expect_warning_end(test);
}

/* Which pending fence keeps whom from mapping. */
struct fence_row {
	const char *desc;
	enum dma_resv_usage usage;
	unsigned int flags;
	bool dynamic;
	int ret;
};

static const struct fence_row fence_rows[] = {
	{ "kernel_static", DMA_RESV_USAGE_KERNEL, 0, false, -EBUSY },
	{ "kernel_dynamic", DMA_RESV_USAGE_KERNEL, MOCK_MOVABLE, true, 0 },
	{ "write_static", DMA_RESV_USAGE_WRITE, 0, false, 0 },
	{ "read_static", DMA_RESV_USAGE_READ, 0, false, 0 },
	{ "bookkeep_static", DMA_RESV_USAGE_BOOKKEEP, 0, false, 0 },
};

KUNIT_ARRAY_PARAM_DESC(fence_row, fence_rows, desc);

/*
 * Passes if a fence of the exporter's keeps a static importer from mapping until
 * it is signaled, and no other fence keeps anybody.
 */
static void try_map_fence_row(struct kunit *test)
{
	const struct fence_row *row = test->param_value;
	struct mock_exporter *exporter = create(test, MOCK_TRY | row->flags);
	struct mock_importer *importer = mock_importer_create(test, exporter, row->dynamic);
	struct dma_fence *fence = busy(test, exporter, row->usage);

	if (PINS_OF_A_MAP && row->dynamic) {
		kunit_skip(test, "needs a kernel with DMABUF_MOVE_NOTIFY");
		return;
	}
	KUNIT_EXPECT_EQ(test, try_map(importer, DMA_TO_DEVICE), row->ret);
	if (row->ret)
		expect_untouched(test, importer);
	else
		mock_importer_unmap(importer);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fence));

	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, try_map(importer, DMA_TO_DEVICE), 0);
}

/* Passes if a signal makes no difference: there is no wait that it could end. */
static void try_map_with_signal_pending_is_ebusy(struct kunit *test)
{
	struct mock_exporter *exporter = create(test, MOCK_TRY);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);
	struct dma_fence *fence = busy(test, exporter, DMA_RESV_USAGE_KERNEL);

	mock_interrupt_begin();
	KUNIT_EXPECT_EQ(test, try_map(importer, DMA_TO_DEVICE), -EBUSY);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, try_map(importer, DMA_TO_DEVICE), 0);
	mock_interrupt_end();
}

static void start_clearing(struct mock_exporter *exporter, enum mock_op op)
{
	if (op == MOCK_TRY_MAP)
		dma_resv_add_fence(exporter->resv, exporter->hook_data,
				   DMA_RESV_USAGE_KERNEL);
}

/* Who tries, of an exporter that clears the memory when it is asked. */
struct clearing_row {
	const char *desc;
	unsigned int flags;
	bool dynamic;
	int ret;
};

static const struct clearing_row clearing_rows[] = {
	{ "static", 0, false, -EBUSY },
	{ "static_cached", MOCK_CACHED, false, -EBUSY },
	{ "dynamic", MOCK_MOVABLE, true, 0 },
};

KUNIT_ARRAY_PARAM_DESC(clearing_row, clearing_rows, desc);

/*
 * Passes if a static importer gets no addresses while the exporter works on the
 * memory, though it began only when it was asked, and none is mapped or kept.
 */
static void try_map_that_starts_work_row(struct kunit *test)
{
	const struct clearing_row *row = test->param_value;
	struct mock_exporter *exporter = create(test, MOCK_TRY | row->flags);
	struct mock_importer *importer = mock_importer_create(test, exporter, row->dynamic);
	struct dma_fence *fence = mock_fence_create(test);
	struct sg_table *sgt;

	mock_fence_put_at_exit(test, fence);
	if (PINS_OF_A_MAP && row->dynamic) {
		kunit_skip(test, "needs a kernel with DMABUF_MOVE_NOTIFY");
		return;
	}
	exporter->hook = start_clearing;
	exporter->hook_data = fence;
	dma_resv_lock(exporter->resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(exporter->resv, 1), 0);
	sgt = dma_buf_try_map_attachment(importer->attach, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(sgt), row->ret);
	if (!IS_ERR(sgt))
		dma_buf_unmap_attachment(importer->attach, sgt, DMA_TO_DEVICE);
	dma_resv_unlock(exporter->resv);
	exporter->hook = NULL;
	KUNIT_EXPECT_EQ(test, exporter->nr_mapped, 0);
	KUNIT_EXPECT_NULL(test, importer->attach->sgt);

	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, try_map(importer, DMA_FROM_DEVICE), 0);
}

/*
 * Passes if an importer that is told of a move may try at once, and gets the new
 * place though the copy is not over.
 */
static void try_map_after_a_move_shows_the_new_place(struct kunit *test)
{
	struct mock_exporter *exporter = create(test, MOCK_TRY | MOCK_MOVABLE);
	struct mock_importer *importer = mock_importer_create(test, exporter, true);
	struct dma_fence *copy;

	if (PINS_OF_A_MAP) {
		kunit_skip(test, "what is mapped does not move in this kernel");
		return;
	}
	KUNIT_ASSERT_EQ(test, try_map(importer, DMA_TO_DEVICE), 0);
	importer->on_move = MOCK_MOVE_UNMAP;
	mock_exporter_move(exporter);
	copy = busy(test, exporter, DMA_RESV_USAGE_KERNEL);
	KUNIT_ASSERT_EQ(test, try_map(importer, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, mock_importer_address(importer), mock_dma_address(exporter, 0));
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(copy));
	dma_fence_signal(copy);
}

/* What the exporter says, and what the importer hears. */
struct error_row {
	const char *desc;
	int err;
	int ret;
};

static const struct error_row error_rows[] = {
	{ "eio", -EIO, -EIO },
	{ "ebusy", -EBUSY, -EBUSY },
	{ "enomem", -ENOMEM, -EBUSY },
	{ "eagain", -EAGAIN, -EBUSY },
	{ "null", 0, -EBUSY },
};

KUNIT_ARRAY_PARAM_DESC(error_row, error_rows, desc);

/*
 * Passes if the exporter's errno comes through, except that all that may pass
 * means busy, and the next try finds nothing in its way.
 */
static void try_map_failure_row(struct kunit *test)
{
	const struct error_row *row = test->param_value;
	struct mock_exporter *exporter = create(test, MOCK_TRY | MOCK_CACHED);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);

	mock_exporter_fail(exporter, MOCK_TRY_MAP, 1, row->err);
	KUNIT_EXPECT_EQ(test, try_map(importer, DMA_TO_DEVICE), row->ret);
	KUNIT_EXPECT_EQ(test, exporter->nr_mapped, 0);
	KUNIT_EXPECT_NULL(test, importer->attach->sgt);
	KUNIT_EXPECT_EQ(test, try_map(importer, DMA_FROM_DEVICE), 0);
}

/* Passes if a mapping that is kept is handed out, where it serves the direction. */
static void try_map_of_kept_mapping(struct kunit *test)
{
	struct mock_exporter *exporter = create(test, MOCK_TRY | MOCK_CACHED);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);
	struct sg_table *first;

	KUNIT_ASSERT_EQ(test, try_map(importer, DMA_TO_DEVICE), 0);
	first = importer->sgt;
	mock_importer_unmap(importer);
	KUNIT_EXPECT_EQ(test, try_map(importer, DMA_FROM_DEVICE), -EBUSY);
	KUNIT_ASSERT_EQ(test, try_map(importer, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_PTR_EQ(test, importer->sgt, first);
	mock_importer_unmap(importer);
	KUNIT_ASSERT_EQ(test, mock_importer_map(importer, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_PTR_EQ(test, importer->sgt, first);
	KUNIT_EXPECT_EQ(test, calls(importer, MOCK_TRY_MAP), 1);
	KUNIT_EXPECT_EQ(test, calls(importer, MOCK_MAP), 0);
}

/*
 * Passes if a mapping that the core made at attach is had at once, from an
 * exporter that could not try, and though it has fences pending.
 */
static void try_map_of_mapping_of_the_core(struct kunit *test)
{
	struct mock_exporter *exporter = create(test, MOCK_MOVABLE);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);
	struct dma_fence *fence = busy(test, exporter, DMA_RESV_USAGE_KERNEL);

	KUNIT_ASSERT_EQ(test, try_map(importer, DMA_FROM_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, calls(importer, MOCK_MAP), 1);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fence));
	dma_fence_signal(fence);
}

/* Passes if a mapping that needs the first pin is -EBUSY: that might move it. */
static void try_map_that_would_move_is_ebusy(struct kunit *test)
{
	struct mock_exporter *exporter = create(test, MOCK_TRY | MOCK_MOVABLE);
	struct mock_importer *importer = mock_importer_create(test, exporter, true);

	if (!PINS_OF_A_MAP) {
		kunit_skip(test, "needs a kernel without DMABUF_MOVE_NOTIFY");
		return;
	}
	KUNIT_EXPECT_EQ(test, try_map(importer, DMA_TO_DEVICE), -EBUSY);
	expect_untouched(test, importer);
}

/* Passes if a failed try of a pinned buffer leaves no pin of its own. */
static void try_map_dynamic_failure_leaves_no_pin(struct kunit *test)
{
	struct mock_exporter *exporter = create(test, MOCK_TRY | MOCK_MOVABLE);
	struct mock_importer *importer = mock_importer_create(test, exporter, true);

	dma_resv_lock(exporter->dmabuf->resv, NULL);
	KUNIT_ASSERT_EQ(test, dma_buf_pin(importer->attach), 0);
	dma_resv_unlock(exporter->dmabuf->resv);

	mock_exporter_fail(exporter, MOCK_TRY_MAP, 1, -EIO);
	KUNIT_EXPECT_EQ(test, try_map(importer, DMA_TO_DEVICE), -EIO);
	KUNIT_EXPECT_EQ(test, exporter->nr_pinned, 1);
	KUNIT_EXPECT_EQ(test, try_map(importer, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, exporter->nr_pinned, 1 + PINS_OF_A_MAP);
	mock_importer_unmap(importer);

	dma_resv_lock(exporter->dmabuf->resv, NULL);
	dma_buf_unpin(importer->attach);
	dma_resv_unlock(exporter->dmabuf->resv);
}

/* Passes if the errno of a pin comes through, and nothing is mapped. */
static void try_map_pin_failure_is_passed_on(struct kunit *test)
{
	struct mock_exporter *exporter = create(test, MOCK_TRY | MOCK_MOVABLE);
	struct mock_importer *pinner = mock_importer_create(test, exporter, false);
	struct mock_importer *importer = mock_importer_create(test, exporter, true);

	if (!PINS_OF_A_MAP) {
		kunit_skip(test, "needs a kernel without DMABUF_MOVE_NOTIFY");
		return;
	}
	KUNIT_EXPECT_EQ(test, pinner->attach->pins, 1);
	mock_exporter_fail(exporter, MOCK_PIN, 1, -EIO);
	KUNIT_EXPECT_EQ(test, try_map(importer, DMA_TO_DEVICE), -EIO);
	KUNIT_EXPECT_EQ(test, calls(importer, MOCK_TRY_MAP), 0);
	KUNIT_EXPECT_EQ(test, exporter->nr_pinned, 1);
}

/* How deep is this task in code that may not sleep? */
static long non_block_depth(void)
{
#ifdef CONFIG_DEBUG_ATOMIC_SLEEP
	return current->non_block_count;
#else
	return 0;
#endif
}

static void note_depth(struct mock_exporter *exporter, enum mock_op op)
{
	if (op == MOCK_TRY_MAP)
		exporter->hook_data = (void *)non_block_depth();
}

/*
 * Passes if the exporter is asked where sleeping is a reported bug, and whoever
 * asked may sleep again afterwards.
 */
static void try_map_op_may_not_sleep(struct kunit *test)
{
	struct mock_exporter *exporter = create(test, MOCK_TRY);
	struct mock_importer *importer = mock_importer_create(test, exporter, false);

	if (!IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP)) {
		kunit_skip(test, "needs CONFIG_DEBUG_ATOMIC_SLEEP");
		return;
	}
	exporter->hook = note_depth;
	KUNIT_EXPECT_EQ(test, try_map(importer, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, (long)exporter->hook_data, 1);
	KUNIT_EXPECT_EQ(test, non_block_depth(), 0);
	exporter->hook = NULL;
}

/* One tries without the lock, another maps, and the buffer moves. */
struct try_race {
	struct mock_exporter *exporter;
	struct mock_importer *trier;
	struct mock_importer *mapper;
	int tried;
	int mapped;
	unsigned int nr_busy;
};

static void race_try(void *ctx)
{
	struct try_race *race = ctx;
	struct dma_buf_attachment *attach = race->trier->attach;
	struct sg_table *sgt;

	sgt = dma_buf_try_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	race->tried = PTR_ERR_OR_ZERO(sgt);
	race->nr_busy += race->tried == -EBUSY;
	cond_resched();
	if (!race->tried)
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
}

static void race_map(void *ctx)
{
	struct try_race *race = ctx;

	race->mapped = mock_importer_map(race->mapper, DMA_TO_DEVICE);
	cond_resched();
	if (!race->mapped)
		mock_importer_unmap(race->mapper);
}

static void race_move(void *ctx)
{
	struct try_race *race = ctx;
	struct dma_resv *resv = race->exporter->dmabuf->resv;

	dma_resv_lock(resv, NULL);
	/* Let the others meet the lock, also where there is one processor. */
	usleep_range(10, 20);
	if (!race->exporter->nr_pinned)
		dma_buf_move_notify(race->exporter->dmabuf);
	dma_resv_unlock(resv);
}

static void race_check(struct kunit *test, void *ctx)
{
	struct try_race *race = ctx;

	KUNIT_EXPECT_TRUE(test, !race->tried || race->tried == -EBUSY);
	KUNIT_EXPECT_EQ(test, race->mapped, 0);
	KUNIT_EXPECT_EQ(test, race->exporter->nr_mapped, 0);
	KUNIT_EXPECT_EQ(test, race->exporter->nr_pinned, 0);
}

/*
 * Passes if a try succeeds or is busy, as it is some of the times, and each round
 * ends balanced.
 */
static void try_map_races_with_map_and_move(struct kunit *test)
{
	struct try_race *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	struct mock_race race = {
		.ctx = ctx,
		.rounds = 300,
		.check = race_check,
		.racer = { race_try, race_move, race_map },
	};

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->exporter = create(test, MOCK_TRY | MOCK_MOVABLE);
	ctx->trier = mock_importer_create(test, ctx->exporter, true);
	ctx->mapper = mock_importer_create(test, ctx->exporter, true);
	mock_race(test, &race);
	KUNIT_EXPECT_GT(test, ctx->nr_busy, 0);
}

static struct kunit_case dma_buf_try_map_cases[] = {
	KUNIT_CASE(try_map_returns_the_exporters_addresses),
	KUNIT_CASE(try_map_unlocked_maps_and_unlocks),
	KUNIT_CASE(try_map_unlocked_of_locked_is_ebusy),
	KUNIT_CASE(try_map_null_is_einval),
	KUNIT_CASE(try_map_without_op_is_eopnotsupp),
	KUNIT_CASE(try_map_of_pfn_only_is_eopnotsupp),
	KUNIT_CASE(export_with_try_map_only_is_einval),
	KUNIT_CASE_PARAM(try_map_fence_row, fence_row_gen_params),
	KUNIT_CASE(try_map_with_signal_pending_is_ebusy),
	KUNIT_CASE_PARAM(try_map_that_starts_work_row, clearing_row_gen_params),
	KUNIT_CASE(try_map_after_a_move_shows_the_new_place),
	KUNIT_CASE_PARAM(try_map_failure_row, error_row_gen_params),
	KUNIT_CASE(try_map_of_kept_mapping),
	KUNIT_CASE(try_map_of_mapping_of_the_core),
	KUNIT_CASE(try_map_that_would_move_is_ebusy),
	KUNIT_CASE(try_map_dynamic_failure_leaves_no_pin),
	KUNIT_CASE(try_map_pin_failure_is_passed_on),
	KUNIT_CASE(try_map_op_may_not_sleep),
	KUNIT_CASE_SLOW(try_map_races_with_map_and_move),
	{}
};

static struct kunit_suite dma_buf_try_map_suite = {
	.name = "dma_buf_try_map",
	.init = mock_fence_init,
	.test_cases = dma_buf_try_map_cases,
};

kunit_test_suite(dma_buf_try_map_suite);

#endif /* DMABUF_OURS */
