// SPDX-License-Identifier: GPL-2.0
/*
 * The contract of dma-buf, case by case, for whatever exporter is given. What a
 * case finds out by itself is said in front of it; in each of them the spies
 * look at locks, tables and balances, and the end of it at leaks, besides.
 */

#include "mock.h"

#if DMABUF_OURS

#include <linux/delay.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <kunit/device.h>

#include "conformance.h"

#define DEFAULT_SIZE	(4 * PAGE_SIZE)
#define RESOURCE	"dma_buf_conformance"

/* More allocations than any operation makes. */
#define INJECT_MAX	5000

/* Rounds of the race. */
#define RACE_ROUNDS	50

static const enum dma_data_direction directions[] = {
	DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_BIDIRECTIONAL,
};

/* ---- what a case stands on ------------------------------------------------- */

struct conformance *conformance_of(struct kunit *test)
{
	struct kunit_resource *res = kunit_find_named_resource(test, RESOURCE);
	struct conformance *c = res->data;

	kunit_put_resource(res);
	return c;
}

/* Does the exporter promise all of @promises? */
bool conformance_promises(struct kunit *test, unsigned int promises)
{
	return (conformance_of(test)->exporter->promises & promises) == promises;
}

size_t conformance_size(struct kunit *test)
{
	return conformance_of(test)->exporter->size ?: DEFAULT_SIZE;
}

/* The case is about @promises; skip it where they are not made or cannot be kept. */
void conformance_require(struct kunit *test, unsigned int promises)
{
	if (!conformance_promises(test, promises))
		kunit_skip(test, "the exporter does not promise it");
	if (promises & DMA_BUF_PROMISES_MAP && !conformance_of(test)->maps)
		kunit_skip(test, "no DMA");
}

static bool deviates(struct kunit *test, unsigned int how)
{
	return conformance_of(test)->exporter->deviates & how;
}

/* The rest of the case is about what the exporter is known not to do, and did not do just now. */
static void skip_deviation(struct kunit *test, bool still, const char *what)
{
	KUNIT_EXPECT_TRUE_MSG(test, still, "the deviation is gone, its mark can go: %s", what);
	if (still)
		kunit_skip(test, "known deviation: %s", what);
}

static bool has_pages(struct kunit *test)
{
	return conformance_promises(test, DMA_BUF_PROMISES_PFN);
}

/* An importer can find out where the buffer is. */
static void require_place(struct kunit *test)
{
	if (!conformance_of(test)->maps && !has_pages(test))
		kunit_skip(test, "no DMA, and no page frames");
}

static pgoff_t nr_pages(struct dma_buf *dmabuf)
{
	return dmabuf->size >> PAGE_SHIFT;
}

static void require_moves(struct kunit *test)
{
	conformance_require(test, DMA_BUF_PROMISES_MOVE);
	if (!IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY))
		kunit_skip(test, "the kernel has no CONFIG_DMABUF_MOVE_NOTIFY");
	require_place(test);
}

/* Free what no callback can come back to; leave the rest, and say so. */
static void judge_and_free(struct kunit *test, struct conformance *c)
{
	struct spy *spy, *next;

	list_for_each_entry_safe(spy, next, &c->spies, node) {
		if (!buffer_is_released(spy)) {
			KUNIT_FAIL(test, "a buffer was never released (%s)",
				   spy->complaint ?: "no other complaint");
			continue;
		}
		spy_judge(test, spy);
	}
	flush_delayed_fput();
	list_for_each_entry_safe(spy, next, &c->spies, node) {
		if (completion_done(&spy->released))
			kfree(spy);
	}
}

static void conformance_fini(void *data)
{
	struct kunit *test = data;
	struct conformance *c = conformance_of(test);

	judge_and_free(test, c);
	if (c->exporter->live)
		KUNIT_EXPECT_EQ_MSG(test, c->live, c->exporter->live(test),
				    "the exporter has leaked");
}

static struct device *importer_device(struct kunit *test, unsigned int number)
{
	struct conformance *c = conformance_of(test);
	struct device *dev;
	char name[40];

	if (c->exporter->device)
		return c->exporter->device(test);
	snprintf(name, sizeof(name), "conformance_importer%u", number);
	dev = kunit_device_register(test, name);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	if (dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64)) && !c->exporter->cpu_address)
		c->maps = false;
	return dev;
}

static int create_devices(struct kunit *test)
{
	struct conformance *c = conformance_of(test);
	unsigned int i;

	c->maps = conformance_promises(test, DMA_BUF_PROMISES_MAP);
	for (i = 0; i < CONFORMANCE_NR_DEVICES; i++) {
		c->dev[i] = importer_device(test, i);
		if (IS_ERR_OR_NULL(c->dev[i]))
			return -ENODEV;
	}
	return 0;
}

/**
 * dma_buf_conformance_init() - prepare a case
 * @test: the case
 * @exporter: who is put through it; outlives the case
 *
 * Called by what DMA_BUF_CONFORMANCE_SUITE() defines.
 *
 * Context: Test case.
 * Return: 0, or a negative errno: %-ENOMEM; %-ENODEV if there is no device; or
 * what &dma_buf_conformance.init returns.
 */
int dma_buf_conformance_init(struct kunit *test,
			     const struct dma_buf_conformance *exporter)
{
	struct conformance *c;
	int ret = 0;

	if (exporter->init)
		ret = exporter->init(test);
	if (ret)
		return ret;

	c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	if (!c)
		return -ENOMEM;
	c->exporter = exporter;
	INIT_LIST_HEAD(&c->spies);
	ret = kunit_add_named_resource(test, NULL, NULL, &c->res, RESOURCE, c);
	if (ret)
		return ret;
	ret = create_devices(test);
	if (ret)
		return ret;
	if (exporter->live)
		c->live = exporter->live(test);
	return kunit_add_action_or_reset(test, conformance_fini, test);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_conformance_init, DMA_BUF);

/* ---- promises ----------------------------------------------------------------- */

/* Passes if the exporter has the callbacks for what it promises, and no others. */
static void callbacks_are_as_promised(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	const struct dma_buf_ops *ops = spy_of(dmabuf)->real;
	const struct {
		unsigned int promise;
		bool there;
	} pairs[] = {
		{ DMA_BUF_PROMISES_MAP, ops->map_dma_buf && ops->unmap_dma_buf },
		{ DMA_BUF_PROMISES_PFN, ops->get_pfn },
		{ DMA_BUF_PROMISES_MMAP, ops->mmap },
		{ DMA_BUF_PROMISES_VMAP, ops->vmap },
		{ DMA_BUF_PROMISES_CPU, ops->begin_cpu_access || ops->end_cpu_access },
		{ DMA_BUF_PROMISES_MOVE, ops->pin && ops->unpin },
		{ DMA_BUF_PROMISES_CACHE, ops->cache_sgt_mapping },
		{ DMA_BUF_PROMISES_TRY, ops->try_map_dma_buf },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pairs); i++)
		KUNIT_EXPECT_EQ_MSG(test, conformance_promises(test, pairs[i].promise),
				    pairs[i].there, "promise %#x", pairs[i].promise);
	KUNIT_EXPECT_NOT_NULL(test, dmabuf->exp_name);
	KUNIT_EXPECT_TRUE(test, dmabuf->file->f_mode & FMODE_WRITE);
	if (conformance_promises(test, DMA_BUF_PROMISES_MOVE))
		KUNIT_EXPECT_NOT_NULL(test, conformance_of(test)->exporter->move);
}

/* Passes if whatever the exporter does not promise fails and leaves nothing. */
static void unpromised_is_refused(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	struct importer *importer;
	unsigned int order = 7;
	struct iosys_map map;
	u64 pfn = 7;

	if (!conformance_promises(test, DMA_BUF_PROMISES_VMAP)) {
		KUNIT_EXPECT_LT(test, dma_buf_vmap_unlocked(dmabuf, &map), 0);
		KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&map));
	}
	if (!conformance_promises(test, DMA_BUF_PROMISES_MMAP)) {
		unsigned long user = kunit_vm_mmap(test, dmabuf->file, 0, dmabuf->size,
						   PROT_READ, MAP_SHARED, 0);

		KUNIT_EXPECT_TRUE(test, !user || IS_ERR_VALUE(user));
	}
	if (conformance_promises(test, DMA_BUF_PROMISES_MAP | DMA_BUF_PROMISES_MOVE) &&
	    !conformance_of(test)->maps)
		return;
	importer = importer_create(test, dmabuf, 0, false);
	if (!conformance_promises(test, DMA_BUF_PROMISES_PFN)) {
		KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
				dma_buf_get_pfn_unlocked(importer->attach, 0, &pfn, &order));
		KUNIT_EXPECT_EQ(test, pfn, 7);
		KUNIT_EXPECT_EQ(test, order, 7);
	}
	if (!conformance_promises(test, DMA_BUF_PROMISES_MAP))
		KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, importer_map(importer, DMA_TO_DEVICE));
	if (!conformance_promises(test, DMA_BUF_PROMISES_TRY) &&
	    !conformance_promises(test, DMA_BUF_PROMISES_MOVE))
		KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, importer_try(importer, DMA_TO_DEVICE));
}

/* ---- life ------------------------------------------------------------------- */

/* Passes if the buffer lives until the last reference goes, and is released once. */
static void last_put_releases_once(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	struct spy *spy = spy_of(dmabuf);

	get_dma_buf(dmabuf);
	get_dma_buf(dmabuf);
	dma_buf_put(dmabuf);
	buffer_put(test, dmabuf);
	flush_delayed_fput();
	KUNIT_EXPECT_FALSE(test, completion_done(&spy->released));
	dma_buf_put(dmabuf);
	KUNIT_EXPECT_TRUE(test, buffer_is_released(spy));
}

/* Passes if a descriptor leads back to the buffer, and closing it is a put. */
static void fd_carries_the_buffer(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test), *found;
	struct spy *spy = spy_of(dmabuf);
	int fd;

	get_dma_buf(dmabuf);
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	KUNIT_ASSERT_GE(test, fd, 0);
	found = dma_buf_get(fd);
	KUNIT_EXPECT_PTR_EQ(test, found, dmabuf);
	if (!IS_ERR(found))
		dma_buf_put(found);
	buffer_put(test, dmabuf);
	flush_delayed_fput();
	KUNIT_EXPECT_FALSE(test, completion_done(&spy->released));
	close_fd(fd);
	KUNIT_EXPECT_TRUE(test, buffer_is_released(spy));
	KUNIT_EXPECT_EQ(test, -EBADF, PTR_ERR_OR_ZERO(dma_buf_get(fd)));
}

static void expect_size(struct kunit *test, struct dma_buf *dmabuf)
{
	KUNIT_EXPECT_EQ(test, dmabuf->size, conformance_size(test));
	KUNIT_EXPECT_EQ(test, vfs_llseek(dmabuf->file, 0, SEEK_END), dmabuf->size);
	KUNIT_EXPECT_EQ(test, vfs_llseek(dmabuf->file, 0, SEEK_SET), 0);
}

/* Passes if the size is what was asked for, tells by lseek, and stays through all uses. */
static void size_never_changes(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	enum viewer viewer;

	expect_size(test, dmabuf);
	KUNIT_EXPECT_EQ(test, vfs_llseek(dmabuf->file, 1, SEEK_SET), -EINVAL);
	for (viewer = 0; viewer < NR_VIEWERS; viewer++) {
		if (!view_possible(test, viewer))
			continue;
		view_fill(test, dmabuf, viewer, viewer);
		expect_size(test, dmabuf);
	}
	if (conformance_promises(test, DMA_BUF_PROMISES_MOVE)) {
		buffer_move(test, dmabuf);
		expect_size(test, dmabuf);
	}
}

/* All of the buffer is zero. */
static void expect_zero(struct kunit *test, struct dma_buf *dmabuf)
{
	void *page = kunit_kmalloc(test, PAGE_SIZE, GFP_KERNEL);
	unsigned long wrong = 0;
	struct iosys_map map;
	pgoff_t pgoff;
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, page);
	dma_resv_lock(dmabuf->resv, NULL);
	ret = dma_buf_vmap(dmabuf, &map);
	for (pgoff = 0; !ret && pgoff < nr_pages(dmabuf); pgoff++) {
		iosys_map_memcpy_from(page, &map, pgoff << PAGE_SHIFT, PAGE_SIZE);
		wrong += !!memchr_inv(page, 0, PAGE_SIZE);
	}
	if (!ret)
		dma_buf_vunmap(dmabuf, &map);
	dma_resv_unlock(dmabuf->resv);
	KUNIT_EXPECT_EQ(test, 0, ret);
	KUNIT_EXPECT_EQ_MSG(test, 0, wrong, "pages of a new buffer that are not zero");
}

/* Passes if buffers are zero, also in memory that another one has used before. */
static void new_buffer_is_zero(struct kunit *test)
{
	unsigned int i;

	conformance_require(test, DMA_BUF_PROMISES_ZERO | DMA_BUF_PROMISES_VMAP);
	for (i = 0; i < 4; i++) {
		struct dma_buf *dmabuf = buffer_create(test);
		struct spy *spy = spy_of(dmabuf);

		expect_zero(test, dmabuf);
		view_fill(test, dmabuf, VIEW_VMAP, 0x5a5a5a5a);
		buffer_put(test, dmabuf);
		KUNIT_EXPECT_TRUE(test, buffer_is_released(spy));
	}
}

/* ---- importers ---------------------------------------------------------------- */

/* Can importers of this kind attach here? Without DMA not if attach maps. */
static bool kind_possible(struct kunit *test, bool dynamic)
{
	bool agree = dynamic == conformance_promises(test, DMA_BUF_PROMISES_MOVE);

	return agree || conformance_of(test)->maps ||
	       !conformance_promises(test, DMA_BUF_PROMISES_MAP);
}

/* One kind of importer: what the core and the importer call, and when. */
static void attach_kind(struct kunit *test, bool dynamic)
{
	struct dma_buf *dmabuf = buffer_create(test);
	bool movable = dma_buf_is_dynamic(dmabuf);
	unsigned int pins = movable && !dynamic;
	unsigned int maps = dmabuf->ops->map_dma_buf && movable != dynamic;
	unsigned int pin_on_map = movable && !IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY);
	struct importer *importer = importer_create(test, dmabuf, 0, dynamic);

	KUNIT_EXPECT_EQ(test, 1, spy_calls(dmabuf, SPY_ATTACH));
	KUNIT_EXPECT_EQ(test, pins, spy_balance(dmabuf, SPY_PIN, SPY_UNPIN));
	KUNIT_EXPECT_EQ(test, maps, spy_calls(dmabuf, SPY_MAP));

	if (conformance_of(test)->maps) {
		KUNIT_EXPECT_EQ(test, 0, importer_map(importer, DMA_TO_DEVICE));
		KUNIT_EXPECT_EQ(test, 1, spy_calls(dmabuf, SPY_MAP));
		KUNIT_EXPECT_EQ(test, maps ? pins : pins + pin_on_map,
				spy_balance(dmabuf, SPY_PIN, SPY_UNPIN));
		importer_unmap(importer);
		maps |= conformance_promises(test, DMA_BUF_PROMISES_CACHE);
		KUNIT_EXPECT_EQ(test, maps, spy_balance(dmabuf, SPY_MAP, SPY_UNMAP));
	}
	importer_detach(importer);
	KUNIT_EXPECT_TRUE(test, spy_is_idle(dmabuf));
	KUNIT_EXPECT_EQ(test, 1, spy_calls(dmabuf, SPY_DETACH));
}

/*
 * Passes if static and dynamic importers attach, map and detach, and who pins and
 * maps when is as dma_buf_dynamic_attach() says.
 */
static void attach_of_each_kind(struct kunit *test)
{
	if (kind_possible(test, false))
		attach_kind(test, false);
	if (kind_possible(test, true))
		attach_kind(test, true);
}

static void detach_in_order(struct kunit *test, const unsigned int *order)
{
	struct importer *importer[CONFORMANCE_NR_DEVICES];
	struct dma_buf *dmabuf = buffer_create(test);
	enum viewer viewer = view_any(test);
	unsigned int i;

	for (i = 0; i < CONFORMANCE_NR_DEVICES; i++) {
		bool dynamic = i & 1 && kind_possible(test, true);

		importer[i] = importer_create(test, dmabuf, i, dynamic);
		if (conformance_of(test)->maps)
			KUNIT_EXPECT_EQ(test, 0, importer_map(importer[i], DMA_BIDIRECTIONAL));
	}
	for (i = 0; i < CONFORMANCE_NR_DEVICES; i++) {
		view_fill(test, dmabuf, viewer, order[i]);
		importer_detach(importer[order[i]]);
		view_check(test, dmabuf, viewer, order[i]);
	}
	KUNIT_EXPECT_TRUE(test, spy_is_idle(dmabuf));
}

/* Passes if several importers come and go in any order and do not disturb each other. */
static void detach_in_any_order(struct kunit *test)
{
	static const unsigned int orders[][CONFORMANCE_NR_DEVICES] = {
		{ 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 1, 3, 0, 2 }, { 2, 0, 3, 1 },
	};
	unsigned int i;

	if (!kind_possible(test, false))
		kunit_skip(test, "no DMA");
	for (i = 0; i < ARRAY_SIZE(orders); i++)
		detach_in_order(test, orders[i]);
}

/* What an importer gets is whole pages, as many as the buffer has. */
static void expect_table(struct kunit *test, struct dma_buf *dmabuf, struct sg_table *sgt)
{
	struct scatterlist *sg;
	size_t size = 0;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(sg_dma_address(sg)));
		KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(sg_dma_len(sg)));
		KUNIT_EXPECT_NE(test, sg_dma_len(sg), 0);
		size += sg_dma_len(sg);
	}
	KUNIT_EXPECT_EQ(test, size, PAGE_ALIGN(dmabuf->size));
}

/* Passes if each direction gives a table that covers the buffer in whole pages. */
static void map_in_each_direction(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	unsigned int i;

	conformance_require(test, DMA_BUF_PROMISES_MAP);
	for (i = 0; i < ARRAY_SIZE(directions); i++) {
		struct importer *importer = importer_create(test, dmabuf, 0, false);

		KUNIT_ASSERT_EQ(test, 0, importer_map(importer, directions[i]));
		expect_table(test, dmabuf, importer->sgt);
		importer_detach(importer);
	}
	KUNIT_EXPECT_TRUE(test, spy_is_idle(dmabuf));
}

/* Passes if two importers have a table each, of the same memory. */
static void map_for_two_gives_two_tables(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	struct importer *one, *two;
	pgoff_t pgoff;

	conformance_require(test, DMA_BUF_PROMISES_MAP);
	one = importer_create(test, dmabuf, 0, false);
	two = importer_create(test, dmabuf, 1, false);
	KUNIT_ASSERT_EQ(test, 0, importer_map(one, DMA_BIDIRECTIONAL));
	KUNIT_ASSERT_EQ(test, 0, importer_map(two, DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_PTR_NE(test, one->sgt, two->sgt);
	KUNIT_EXPECT_PTR_NE(test, spy_table(one->attach), spy_table(two->attach));
	for (pgoff = 0; pgoff < nr_pages(dmabuf); pgoff++)
		KUNIT_EXPECT_PTR_EQ(test,
				    device_page(test, one->attach, table_address(one->sgt, pgoff)),
				    device_page(test, two->attach, table_address(two->sgt, pgoff)));
}

/* The exporter's table of a mapping that is undone at once. */
static struct sg_table *table_of_mapping(struct kunit *test, struct importer *importer)
{
	struct sg_table *sgt;

	KUNIT_ASSERT_EQ(test, 0, importer_map(importer, DMA_TO_DEVICE));
	sgt = spy_table(importer->attach);
	importer_unmap(importer);
	return sgt;
}

/* Passes if an importer that maps twice may unmap in either order. */
static void map_twice_gives_two_tables(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	struct importer *importer;
	struct sg_table *second;

	conformance_require(test, DMA_BUF_PROMISES_MAP);
	if (conformance_promises(test, DMA_BUF_PROMISES_CACHE))
		kunit_skip(test, "the exporter has its tables cached");
	importer = importer_create(test, dmabuf, 0,
				   conformance_promises(test, DMA_BUF_PROMISES_MOVE));
	if (deviates(test, DMA_BUF_DEVIATES_TABLE)) {
		second = table_of_mapping(test, importer);
		skip_deviation(test, second == table_of_mapping(test, importer),
			       "one table for each attachment");
	}
	KUNIT_ASSERT_EQ(test, 0, importer_map(importer, DMA_TO_DEVICE));
	second = dma_buf_map_attachment_unlocked(importer->attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, second);
	KUNIT_EXPECT_PTR_NE(test, importer->sgt, second);
	importer_unmap(importer);
	expect_table(test, dmabuf, second);
	dma_buf_unmap_attachment_unlocked(importer->attach, second, DMA_TO_DEVICE);
	KUNIT_EXPECT_TRUE(test, !spy_balance(dmabuf, SPY_MAP, SPY_UNMAP));
}

/* Passes if the first mapping is kept, for its direction only, until detach. */
static void map_again_is_cached(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	struct importer *importer;
	struct sg_table *first;

	conformance_require(test, DMA_BUF_PROMISES_MAP | DMA_BUF_PROMISES_CACHE);
	importer = importer_create(test, dmabuf, 0, false);
	KUNIT_ASSERT_EQ(test, 0, importer_map(importer, DMA_TO_DEVICE));
	first = importer->sgt;
	importer_unmap(importer);
	KUNIT_EXPECT_EQ(test, -EBUSY, importer_map(importer, DMA_FROM_DEVICE));
	KUNIT_EXPECT_EQ(test, 0, importer_map(importer, DMA_TO_DEVICE));
	KUNIT_EXPECT_PTR_EQ(test, first, importer->sgt);
	KUNIT_EXPECT_EQ(test, 1, spy_calls(dmabuf, SPY_MAP));
}

/* Passes if what one mapping wrote is what the next one reads. */
static void map_again_shows_same_memory(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);

	conformance_require(test, DMA_BUF_PROMISES_MAP);
	view_fill(test, dmabuf, VIEW_DEVICE, 0x1111);
	view_check(test, dmabuf, VIEW_DEVICE, 0x1111);
	view_check(test, dmabuf, VIEW_DEVICE, 0x1111);
}

/* What the two threads below need. */
struct use {
	struct kunit *test;
	struct dma_buf *dmabuf;
	enum dma_data_direction dir;
	bool dynamic;
};

static void ignore_move(struct dma_buf_attachment *attach)
{
}

static const struct dma_buf_attach_ops careless_ops = {
	.allow_peer2peer = true,
	.move_notify = ignore_move,
};

/* Attach, find out where the buffer is, and detach. */
static long find_place(void *data)
{
	struct use *use = data;
	struct device *dev = conformance_of(use->test)->dev[0];
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	unsigned int order;
	long ret = 0;
	u64 pfn;

	if (!use->dmabuf->ops->map_dma_buf)
		dev = NULL;
	attach = dma_buf_dynamic_attach(use->dmabuf, dev, use->dynamic ? &careless_ops : NULL,
					NULL);
	if (IS_ERR(attach))
		return PTR_ERR(attach);
	if (conformance_of(use->test)->maps) {
		sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
		ret = PTR_ERR_OR_ZERO(sgt);
		if (!ret)
			dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	} else {
		ret = dma_buf_get_pfn_unlocked(attach, 0, &pfn, &order);
	}
	dma_buf_detach(use->dmabuf, attach);
	return ret;
}

/* Passes if a static importer has to wait for the exporter's fences, and a dynamic one not. */
static void map_waits_for_kernel_fence(struct kunit *test)
{
	struct use *use = kunit_kzalloc(test, sizeof(*use), GFP_KERNEL);
	struct waiter *waiter;
	struct dma_fence *fence;

	KUNIT_ASSERT_NOT_NULL(test, use);
	use->test = test;
	use->dmabuf = buffer_create(test);
	require_place(test);
	fence = fence_add(test, use->dmabuf, DMA_RESV_USAGE_KERNEL);
	if (kind_possible(test, true) && conformance_of(test)->maps) {
		use->dynamic = true;
		KUNIT_EXPECT_TRUE(test, waiter_ends(waiter_start(test, find_place, use, fence)));
		use->dynamic = false;
	}
	waiter = waiter_start(test, find_place, use, fence);
	KUNIT_EXPECT_TRUE(test, waiter_blocks(waiter));
	KUNIT_EXPECT_EQ(test, 0, dma_fence_signal(fence));
	KUNIT_EXPECT_TRUE(test, waiter_ends(waiter));
}

/*
 * Passes if try_map maps where nothing is in the way, is busy where there is a
 * fence of the exporter's or the lock is taken, and leaves nothing then.
 */
static void try_map_does_not_wait(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	struct importer *importer;
	struct dma_fence *fence;

	conformance_require(test, DMA_BUF_PROMISES_MAP | DMA_BUF_PROMISES_TRY);
	importer = importer_create(test, dmabuf, 0,
				   conformance_promises(test, DMA_BUF_PROMISES_MOVE));
	if (conformance_promises(test, DMA_BUF_PROMISES_MOVE) &&
	    !IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY)) {
		/* It would have to be pinned, which may be a move. */
		KUNIT_EXPECT_EQ(test, -EBUSY, importer_try(importer, DMA_BIDIRECTIONAL));
		return;
	}
	KUNIT_ASSERT_EQ(test, 0, importer_try(importer, DMA_BIDIRECTIONAL));
	expect_table(test, dmabuf, importer->sgt);
	importer_detach(importer);
	KUNIT_EXPECT_TRUE(test, spy_is_idle(dmabuf));
	if (conformance_promises(test, DMA_BUF_PROMISES_MOVE))
		return;

	importer = importer_create(test, dmabuf, 0, false);
	fence = fence_add(test, dmabuf, DMA_RESV_USAGE_KERNEL);
	KUNIT_EXPECT_EQ(test, -EBUSY, importer_try(importer, DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_TRUE(test, spy_balance(dmabuf, SPY_MAP, SPY_UNMAP) == 0);
	KUNIT_EXPECT_EQ(test, 0, dma_fence_signal(fence));
	KUNIT_EXPECT_EQ(test, 0, importer_try(importer, DMA_BIDIRECTIONAL));
}

/* ---- page frames ----------------------------------------------------------------- */

/* The frame of a page of the buffer; 0 if there is none. */
static u64 frame_of(struct kunit *test, struct importer *importer, pgoff_t pgoff,
		    unsigned int *order)
{
	u64 pfn = 0;

	KUNIT_EXPECT_EQ(test, 0, dma_buf_get_pfn_unlocked(importer->attach, pgoff, &pfn, order));
	return pfn;
}

/* Passes if each page has a frame, and a block of the order is what it says. */
static void get_pfn_of_each_page(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	struct importer *importer;
	unsigned int order, other;
	pgoff_t pgoff, i;
	u64 pfn;

	conformance_require(test, DMA_BUF_PROMISES_PFN);
	if (!kind_possible(test, false))
		kunit_skip(test, "no DMA");
	importer = importer_create(test, dmabuf, 0, false);
	for (pgoff = 0; pgoff < nr_pages(dmabuf); pgoff += 1UL << order) {
		order = 0;
		pfn = frame_of(test, importer, pgoff, &order);
		KUNIT_EXPECT_LE(test, pgoff + (1UL << order), nr_pages(dmabuf));
		KUNIT_EXPECT_EQ(test, 0, (pgoff | pfn) & ((1UL << order) - 1));
		for (i = 1; i < 1UL << order; i++)
			KUNIT_EXPECT_EQ(test, pfn + i, frame_of(test, importer, pgoff + i, &other));
	}
}

/* Passes if devices and page tables are led to the same memory. */
static void get_pfn_agrees_with_map(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	struct importer *importer;
	unsigned int order;
	pgoff_t pgoff;

	conformance_require(test, DMA_BUF_PROMISES_PFN | DMA_BUF_PROMISES_MAP);
	importer = importer_create(test, dmabuf, 0, false);
	KUNIT_ASSERT_EQ(test, 0, importer_map(importer, DMA_BIDIRECTIONAL));
	for (pgoff = 0; pgoff < nr_pages(dmabuf); pgoff++) {
		struct page *page = device_page(test, importer->attach,
						table_address(importer->sgt, pgoff));

		if (!page)
			kunit_skip(test, "it cannot be told what a device reaches");
		KUNIT_EXPECT_EQ(test, page_to_pfn(page), frame_of(test, importer, pgoff, &order));
	}
}

/* Passes if there is no frame behind the end. */
static void get_pfn_beyond_end_is_einval(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	pgoff_t beyond[] = { nr_pages(dmabuf), nr_pages(dmabuf) + 1,
			     1UL << (BITS_PER_LONG - PAGE_SHIFT), ULONG_MAX };
	struct importer *importer;
	unsigned int order = 7, i;
	u64 pfn = 7;

	conformance_require(test, DMA_BUF_PROMISES_PFN);
	if (!kind_possible(test, false))
		kunit_skip(test, "no DMA");
	importer = importer_create(test, dmabuf, 0, false);
	for (i = 0; i < ARRAY_SIZE(beyond); i++)
		KUNIT_EXPECT_EQ(test, -EINVAL, dma_buf_get_pfn_unlocked(importer->attach, beyond[i],
									&pfn, &order));
	KUNIT_EXPECT_EQ(test, pfn, 7);
	KUNIT_EXPECT_EQ(test, order, 7);
}

/* ---- the kernel's mappings ---------------------------------------------------------- */

/* Two vmaps, one inside of the other; the caller holds the lock. */
static void nest_vmaps(struct kunit *test, struct dma_buf *dmabuf)
{
	unsigned int before = spy_calls(dmabuf, SPY_VMAP);
	struct iosys_map one, two;
	int ret = dma_buf_vmap(dmabuf, &one);

	KUNIT_EXPECT_EQ(test, 0, ret);
	if (ret)
		return;
	KUNIT_EXPECT_FALSE(test, iosys_map_is_null(&one));
	ret = dma_buf_vmap(dmabuf, &two);
	KUNIT_EXPECT_EQ(test, 0, ret);
	if (!ret) {
		KUNIT_EXPECT_TRUE(test, iosys_map_is_equal(&one, &two));
		dma_buf_vunmap(dmabuf, &two);
	}
	KUNIT_EXPECT_EQ(test, 1, spy_balance(dmabuf, SPY_VMAP, SPY_VUNMAP));
	dma_buf_vunmap(dmabuf, &one);
	KUNIT_EXPECT_EQ(test, before + 1, spy_calls(dmabuf, SPY_VMAP));
	KUNIT_EXPECT_EQ(test, 0, spy_balance(dmabuf, SPY_VMAP, SPY_VUNMAP));
}

/* Passes if nested vmaps are one address and one pair of calls, time and again. */
static void vmap_nests(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	unsigned int i;

	conformance_require(test, DMA_BUF_PROMISES_VMAP);
	for (i = 0; i < 20; i++) {
		dma_resv_lock(dmabuf->resv, NULL);
		nest_vmaps(test, dmabuf);
		dma_resv_unlock(dmabuf->resv);
	}
	KUNIT_EXPECT_EQ(test, 0, spy_calls(dmabuf, SPY_PIN));
}

/* An importer that has the buffer vmapped until it moves. */
struct follower {
	struct dma_buf_attachment *attach;
	struct iosys_map map;
	bool mapped;
};

static void follow_move(struct dma_buf_attachment *attach)
{
	struct follower *follower = attach->importer_priv;

	if (follower->mapped)
		dma_buf_vunmap(attach->dmabuf, &follower->map);
	follower->mapped = false;
}

static const struct dma_buf_attach_ops follower_ops = {
	.allow_peer2peer = true,
	.move_notify = follow_move,
};

/* Passes if a buffer that somebody has vmapped who follows moves does move. */
static void vmap_does_not_pin(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	struct device *dev = conformance_of(test)->dev[0];
	struct follower follower = {};
	int ret;

	require_moves(test);
	conformance_require(test, DMA_BUF_PROMISES_VMAP);
	if (!conformance_promises(test, DMA_BUF_PROMISES_MAP))
		dev = NULL;
	follower.attach = dma_buf_dynamic_attach(dmabuf, dev, &follower_ops, &follower);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, follower.attach);

	dma_resv_lock(dmabuf->resv, NULL);
	ret = dma_buf_vmap(dmabuf, &follower.map);
	follower.mapped = !ret;
	dma_resv_unlock(dmabuf->resv);
	KUNIT_EXPECT_EQ(test, 0, ret);
	KUNIT_EXPECT_EQ(test, 0, buffer_move(test, dmabuf));
	KUNIT_EXPECT_FALSE(test, follower.mapped);

	dma_resv_lock(dmabuf->resv, NULL);
	follow_move(follower.attach);
	dma_resv_unlock(dmabuf->resv);
	dma_buf_detach(dmabuf, follower.attach);
}

/* ---- the data ------------------------------------------------------------------- */

static void written_by(struct kunit *test, enum viewer writer)
{
	struct dma_buf *dmabuf = buffer_create(test);
	enum viewer reader;

	if (!view_possible(test, writer))
		kunit_skip(test, "%s cannot look here", viewer_name(writer));
	for (reader = 0; reader < NR_VIEWERS; reader++) {
		if (!view_possible(test, reader))
			continue;
		view_fill(test, dmabuf, writer, 0x100 * reader);
		view_check(test, dmabuf, reader, 0x100 * reader);
	}
}

/* Passes if everybody reads what the kernel wrote through vmap. */
static void data_written_by_vmap(struct kunit *test)
{
	written_by(test, VIEW_VMAP);
}

/* Passes if everybody reads what was written at the addresses for a device. */
static void data_written_by_device(struct kunit *test)
{
	written_by(test, VIEW_DEVICE);
}

/* Passes if everybody reads what was written into the page frames. */
static void data_written_by_pfn(struct kunit *test)
{
	written_by(test, VIEW_PFN);
}

/* Passes if everybody reads what a program wrote through mmap. */
static void data_written_by_program(struct kunit *test)
{
	written_by(test, VIEW_PROGRAM);
}

/* Which page does a program get that maps only page @pgoff of a buffer filled with @seed? */
static bool program_page_is(struct kunit *test, struct dma_buf *dmabuf, pgoff_t pgoff, u32 seed,
			    pgoff_t expected)
{
	u32 *page = kunit_kmalloc(test, PAGE_SIZE, GFP_KERNEL);
	unsigned long user;
	bool same;

	KUNIT_ASSERT_NOT_NULL(test, page);
	user = kunit_vm_mmap(test, dmabuf->file, 0, PAGE_SIZE, PROT_READ, MAP_SHARED,
			     pgoff << PAGE_SHIFT);
	KUNIT_ASSERT_FALSE(test, !user || IS_ERR_VALUE(user));
	KUNIT_EXPECT_EQ(test, 0, copy_from_user(page, (void __user *)user, PAGE_SIZE));
	same = view_page_is(page, seed, expected);
	vm_munmap(user, PAGE_SIZE);
	kunit_kfree(test, page);
	return same;
}

/* Passes if each page can be mapped alone, and nothing beyond the last one. */
static void mmap_of_part(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	unsigned long user;
	pgoff_t pgoff;

	conformance_require(test, DMA_BUF_PROMISES_MMAP);
	user = kunit_vm_mmap(test, dmabuf->file, 0, PAGE_SIZE, PROT_READ, MAP_SHARED, dmabuf->size);
	KUNIT_EXPECT_TRUE(test, !user || IS_ERR_VALUE(user));
	user = kunit_vm_mmap(test, dmabuf->file, 0, dmabuf->size + PAGE_SIZE, PROT_READ,
			     MAP_SHARED, 0);
	KUNIT_EXPECT_TRUE(test, !user || IS_ERR_VALUE(user));

	view_fill(test, dmabuf, VIEW_PROGRAM, 0x2222);
	if (deviates(test, DMA_BUF_DEVIATES_OFFSET))
		skip_deviation(test, program_page_is(test, dmabuf, 1, 0x2222, 0),
			       "mmap ignores its offset");
	for (pgoff = 0; pgoff < min(nr_pages(dmabuf), 8UL); pgoff++)
		KUNIT_EXPECT_TRUE(test, program_page_is(test, dmabuf, pgoff, 0x2222, pgoff));
}

/* Passes if a program's mapping keeps the buffer after the last close. */
static void mmap_keeps_the_buffer(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	u32 *page = kunit_kmalloc(test, PAGE_SIZE, GFP_KERNEL);
	struct spy *spy = spy_of(dmabuf);
	size_t size = dmabuf->size;
	unsigned long user;

	KUNIT_ASSERT_NOT_NULL(test, page);
	conformance_require(test, DMA_BUF_PROMISES_MMAP);
	view_fill(test, dmabuf, VIEW_PROGRAM, 0x3333);
	user = kunit_vm_mmap(test, dmabuf->file, 0, size, PROT_READ, MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, !user || IS_ERR_VALUE(user));
	buffer_put(test, dmabuf);
	flush_delayed_fput();
	KUNIT_EXPECT_FALSE(test, completion_done(&spy->released));
	KUNIT_EXPECT_EQ(test, 0, copy_from_user(page, (void __user *)(user + size - PAGE_SIZE),
						PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, view_page_is(page, 0x3333, (size >> PAGE_SHIFT) - 1));
	vm_munmap(user, size);
	KUNIT_EXPECT_TRUE(test, buffer_is_released(spy));
}

/* ---- the CPU's access --------------------------------------------------------------- */

/* Passes if begin and end reach the exporter in pairs and with their direction. */
static void cpu_access_in_each_direction(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	unsigned int i, nested;

	for (i = 0; i < ARRAY_SIZE(directions); i++) {
		for (nested = 0; nested < 2; nested++) {
			KUNIT_EXPECT_EQ(test, 0, dma_buf_begin_cpu_access(dmabuf, directions[i]));
			KUNIT_EXPECT_EQ(test, spy_of(dmabuf)->dir, directions[i]);
		}
		KUNIT_EXPECT_EQ(test, 2, spy_balance(dmabuf, SPY_BEGIN_CPU, SPY_END_CPU));
		for (nested = 0; nested < 2; nested++) {
			KUNIT_EXPECT_EQ(test, 0, dma_buf_end_cpu_access(dmabuf, directions[i]));
			KUNIT_EXPECT_EQ(test, spy_of(dmabuf)->dir, directions[i]);
		}
	}
	KUNIT_EXPECT_EQ(test, 0, spy_balance(dmabuf, SPY_BEGIN_CPU, SPY_END_CPU));
}

static long begin_and_end(void *data)
{
	struct use *use = data;
	int ret = dma_buf_begin_cpu_access(use->dmabuf, use->dir);

	return ret ?: dma_buf_end_cpu_access(use->dmabuf, use->dir);
}

/* A CPU access while there is a fence of that usage; does it wait? */
static void expect_wait(struct kunit *test, enum dma_resv_usage usage,
			enum dma_data_direction dir, bool waits)
{
	struct use *use = kunit_kzalloc(test, sizeof(*use), GFP_KERNEL);
	struct dma_fence *fence;
	struct waiter *waiter;

	KUNIT_ASSERT_NOT_NULL(test, use);
	use->dmabuf = buffer_create(test);
	use->dir = dir;
	fence = fence_add(test, use->dmabuf, usage);
	waiter = waiter_start(test, begin_and_end, use, fence);
	if (waits) {
		KUNIT_EXPECT_TRUE(test, waiter_blocks(waiter));
		KUNIT_EXPECT_EQ(test, 0, spy_calls(use->dmabuf, SPY_BEGIN_CPU));
		KUNIT_EXPECT_EQ(test, 0, dma_fence_signal(fence));
	}
	KUNIT_EXPECT_TRUE(test, waiter_ends(waiter));
	KUNIT_EXPECT_EQ(test, 1, spy_calls(use->dmabuf, SPY_BEGIN_CPU));
}

/* Passes if readers wait for writers, writers for everybody, before the exporter is called. */
static void cpu_access_waits_for_fences(struct kunit *test)
{
	expect_wait(test, DMA_RESV_USAGE_KERNEL, DMA_FROM_DEVICE, true);
	expect_wait(test, DMA_RESV_USAGE_WRITE, DMA_FROM_DEVICE, true);
	expect_wait(test, DMA_RESV_USAGE_READ, DMA_FROM_DEVICE, false);
	expect_wait(test, DMA_RESV_USAGE_READ, DMA_BIDIRECTIONAL, true);
	expect_wait(test, DMA_RESV_USAGE_BOOKKEEP, DMA_BIDIRECTIONAL, false);
}

/* ---- moves -------------------------------------------------------------------- */

/* Where the buffer is, as the exporter tells now; 0 on failure. */
static u64 place_of(struct kunit *test, struct importer *importer)
{
	unsigned int order;
	u64 place = 0;

	if (has_pages(test))
		return frame_of(test, importer, 0, &order);
	KUNIT_EXPECT_EQ(test, 0, importer_map(importer, DMA_TO_DEVICE));
	if (importer->sgt) {
		place = table_address(importer->sgt, 0);
		importer_unmap(importer);
	}
	return place;
}

/* Passes if each dynamic importer is told, once and under the lock, until it detaches. */
static void move_is_announced(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	struct importer *one, *two;
	u64 before;

	require_moves(test);
	one = importer_create(test, dmabuf, 0, true);
	two = importer_create(test, dmabuf, 1, true);
	before = place_of(test, one);
	KUNIT_EXPECT_EQ(test, 0, buffer_move(test, dmabuf));
	KUNIT_EXPECT_EQ(test, 1, one->moves);
	KUNIT_EXPECT_EQ(test, 1, two->moves);
	KUNIT_EXPECT_EQ(test, 0, one->moves_unlocked + two->moves_unlocked);
	KUNIT_EXPECT_NE(test, before, place_of(test, one));
	KUNIT_EXPECT_EQ(test, place_of(test, two), place_of(test, one));

	importer_detach(two);
	KUNIT_EXPECT_EQ(test, 0, buffer_move(test, dmabuf));
	KUNIT_EXPECT_EQ(test, 2, one->moves);
	KUNIT_EXPECT_EQ(test, 1, two->moves);
}

/* Passes if everybody finds the data in the new place. */
static void move_keeps_data(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	enum viewer writer = view_any(test), reader;

	require_moves(test);
	view_fill(test, dmabuf, writer, 0x4444);
	for (reader = 0; reader < NR_VIEWERS; reader++) {
		if (!view_possible(test, reader))
			continue;
		KUNIT_EXPECT_EQ(test, 0, buffer_move(test, dmabuf));
		view_check(test, dmabuf, reader, 0x4444);
	}
}

/* Passes if a program that has the buffer mapped sees it in the new place. */
static void move_takes_programs_along(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	u32 *page = kunit_kmalloc(test, PAGE_SIZE, GFP_KERNEL);
	enum viewer writer = view_any(test);
	unsigned long user;
	pgoff_t pgoff;

	KUNIT_ASSERT_NOT_NULL(test, page);
	require_moves(test);
	conformance_require(test, DMA_BUF_PROMISES_MMAP);
	view_fill(test, dmabuf, writer, 0x9999);
	user = kunit_vm_mmap(test, dmabuf->file, 0, dmabuf->size, PROT_READ, MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, !user || IS_ERR_VALUE(user));
	KUNIT_EXPECT_EQ(test, 0, copy_from_user(page, (void __user *)user, PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, view_page_is(page, 0x9999, 0));
	KUNIT_EXPECT_EQ(test, 0, buffer_move(test, dmabuf));
	view_fill(test, dmabuf, writer, 0xaaaa);
	for (pgoff = 0; pgoff < nr_pages(dmabuf); pgoff++) {
		void __user *from = (void __user *)(user + (pgoff << PAGE_SHIFT));

		KUNIT_EXPECT_EQ(test, 0, copy_from_user(page, from, PAGE_SIZE));
		KUNIT_EXPECT_TRUE(test, view_page_is(page, 0xaaaa, pgoff));
	}
	vm_munmap(user, dmabuf->size);
}

/* Is the memory that @importer has mapped still as it was? */
static void expect_mapping_holds(struct kunit *test, struct importer *importer, u32 seed)
{
	void *page = kunit_kmalloc(test, PAGE_SIZE, GFP_KERNEL);
	pgoff_t pgoff;

	KUNIT_ASSERT_NOT_NULL(test, page);
	for (pgoff = 0; pgoff < nr_pages(importer->attach->dmabuf); pgoff++) {
		KUNIT_EXPECT_EQ(test, 0, device_copy(test, importer, pgoff, page, false));
		KUNIT_EXPECT_TRUE(test, view_page_is(page, seed, pgoff));
	}
	kunit_kfree(test, page);
}

/*
 * Passes if a mapping lasts until it is unmapped, whatever the buffer does, while
 * new ones are led to the new place.
 */
static void move_keeps_old_mapping(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	enum viewer viewer = view_any(test);
	struct importer *old, *new;

	require_moves(test);
	conformance_require(test, DMA_BUF_PROMISES_MAP);
	view_fill(test, dmabuf, viewer, 0x5555);
	old = importer_create(test, dmabuf, 0, true);
	new = importer_create(test, dmabuf, 1, true);
	KUNIT_ASSERT_EQ(test, 0, importer_map(old, DMA_TO_DEVICE));
	KUNIT_EXPECT_EQ(test, 0, buffer_move(test, dmabuf));
	KUNIT_ASSERT_EQ(test, 0, importer_map(new, DMA_TO_DEVICE));
	KUNIT_EXPECT_NE(test, table_address(old->sgt, 0), table_address(new->sgt, 0));
	expect_mapping_holds(test, old, 0x5555);
	expect_mapping_holds(test, new, 0x5555);
	importer_unmap(old);
	expect_mapping_holds(test, new, 0x5555);
	importer_unmap(new);
	view_check(test, dmabuf, viewer, 0x5555);
}

/* Passes if nothing moves from the first pin to the last unpin. */
static void pin_keeps_place(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	struct importer *importer;
	u64 before;

	require_moves(test);
	importer = importer_create(test, dmabuf, 0, true);
	KUNIT_ASSERT_EQ(test, 0, importer_pin(importer));
	KUNIT_ASSERT_EQ(test, 0, importer_pin(importer));
	before = place_of(test, importer);
	KUNIT_EXPECT_LT(test, buffer_move(test, dmabuf), 0);
	importer_unpin(importer);
	KUNIT_EXPECT_LT(test, buffer_move(test, dmabuf), 0);
	KUNIT_EXPECT_EQ(test, before, place_of(test, importer));
	KUNIT_EXPECT_EQ(test, 0, importer->moves);
	importer_unpin(importer);
	KUNIT_EXPECT_EQ(test, 0, buffer_move(test, dmabuf));
	KUNIT_EXPECT_EQ(test, 1, importer->moves);
}

/* Passes if nothing moves as long as somebody is attached who cannot follow. */
static void static_importer_keeps_place(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	struct importer *importer;
	u64 before;

	require_moves(test);
	importer = importer_create(test, dmabuf, 0, false);
	before = place_of(test, importer);
	KUNIT_EXPECT_LT(test, buffer_move(test, dmabuf), 0);
	KUNIT_EXPECT_EQ(test, before, place_of(test, importer));
	importer_detach(importer);
	KUNIT_EXPECT_EQ(test, 0, buffer_move(test, dmabuf));
}

/* ---- no memory ------------------------------------------------------------------ */

/* One try of something; what it returned, with everything undone. */
typedef int (*attempt_t)(struct kunit *test, void *ctx, unsigned int nth, bool *failed);

/* Let each allocation of @attempt fail in turn, until there is none left. */
static void fail_each(struct kunit *test, attempt_t attempt, void *ctx)
{
	unsigned int nth;

	inject_setup(test);
	for (nth = 1; nth < INJECT_MAX; nth++) {
		bool failed = false;
		int ret = attempt(test, ctx, nth, &failed);

		KUNIT_EXPECT_TRUE_MSG(test, !ret || (failed && ret == -ENOMEM),
				      "errno %d when allocation %u fails", ret, nth);
		if (!failed)
			break;
		cond_resched();
	}
	KUNIT_EXPECT_LT(test, nth, INJECT_MAX);
	kunit_info(test, "%u allocations", nth - 1);
}

static int create_attempt(struct kunit *test, void *ctx, unsigned int nth, bool *failed)
{
	struct conformance *c = conformance_of(test);
	bool *other_errno = ctx;
	struct dma_buf *dmabuf;
	struct spy *spy;

	inject_arm(nth);
	dmabuf = c->exporter->create(test, conformance_size(test));
	*failed = inject_disarm();
	if (*failed && IS_ERR(dmabuf) && deviates(test, DMA_BUF_DEVIATES_ERRNO)) {
		*other_errno |= PTR_ERR(dmabuf) != -ENOMEM;
		return -ENOMEM;
	}
	if (IS_ERR_OR_NULL(dmabuf))
		return PTR_ERR_OR_ZERO(dmabuf) ?: -EINVAL;
	KUNIT_ASSERT_NOT_NULL(test, spy_on(c, dmabuf));
	spy = spy_of(dmabuf);
	spy->own = false;
	dma_buf_put(dmabuf);
	KUNIT_EXPECT_TRUE(test, buffer_is_released(spy));
	return 0;
}

/* Passes if an export without memory leaves nothing behind but an errno. */
static void create_without_memory(struct kunit *test)
{
	bool other_errno = false;

	if (conformance_of(test)->exporter->infallible)
		kunit_skip(test, "the constructor ends the case");
	if (deviates(test, DMA_BUF_DEVIATES_NOISE))
		kunit_skip(test, "known deviation: it is a report in the log");
	fail_each(test, create_attempt, &other_errno);
	KUNIT_EXPECT_EQ_MSG(test, other_errno, deviates(test, DMA_BUF_DEVIATES_ERRNO),
			    "the deviation is gone, its mark can go: another errno than -ENOMEM");
}

static int attach_attempt(struct kunit *test, void *ctx, unsigned int nth, bool *failed)
{
	struct use *use = ctx;
	struct device *dev = conformance_of(test)->dev[0];
	struct dma_buf_attachment *attach;

	if (!use->dmabuf->ops->map_dma_buf)
		dev = NULL;
	inject_arm(nth);
	attach = dma_buf_dynamic_attach(use->dmabuf, dev, use->dynamic ? &careless_ops : NULL,
					NULL);
	*failed = inject_disarm();
	if (!IS_ERR(attach))
		dma_buf_detach(use->dmabuf, attach);
	KUNIT_EXPECT_TRUE(test, spy_is_idle(use->dmabuf));
	return PTR_ERR_OR_ZERO(attach);
}

/* Passes if an attachment without memory leaves nothing pinned, mapped or attached. */
static void attach_without_memory(struct kunit *test)
{
	struct use use = { .dmabuf = buffer_create(test) };

	for (unsigned int dynamic = 0; dynamic < 2; dynamic++) {
		use.dynamic = dynamic;
		if (kind_possible(test, dynamic))
			fail_each(test, attach_attempt, &use);
	}
}

static int map_attempt(struct kunit *test, void *ctx, unsigned int nth, bool *failed)
{
	struct dma_buf *dmabuf = ctx;
	bool movable = conformance_promises(test, DMA_BUF_PROMISES_MOVE);
	struct importer *importer = importer_create(test, dmabuf, 0, movable);
	int ret;

	inject_arm(nth);
	ret = importer_map(importer, DMA_BIDIRECTIONAL);
	*failed = inject_disarm();
	if (ret)
		KUNIT_EXPECT_EQ(test, 0, spy_balance(dmabuf, SPY_MAP, SPY_UNMAP));
	importer_detach(importer);
	KUNIT_EXPECT_TRUE(test, spy_is_idle(dmabuf));
	return ret;
}

/* Passes if a mapping without memory is none, and the next one is as good as ever. */
static void map_without_memory(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);

	conformance_require(test, DMA_BUF_PROMISES_MAP);
	view_fill(test, dmabuf, VIEW_DEVICE, 0x6666);
	fail_each(test, map_attempt, dmabuf);
	view_check(test, dmabuf, VIEW_DEVICE, 0x6666);
}

static int try_attempt(struct kunit *test, void *ctx, unsigned int nth, bool *failed)
{
	struct dma_buf *dmabuf = ctx;
	bool movable = conformance_promises(test, DMA_BUF_PROMISES_MOVE);
	struct importer *importer = importer_create(test, dmabuf, 0, movable);
	int ret;

	inject_arm(nth);
	ret = importer_try(importer, DMA_BIDIRECTIONAL);
	*failed = inject_disarm();
	importer_detach(importer);
	KUNIT_EXPECT_TRUE(test, spy_is_idle(dmabuf));
	return *failed && ret == -EBUSY ? -ENOMEM : ret;
}

/* Passes if try_map without memory is busy, and leaves nothing. */
static void try_map_without_memory(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);

	conformance_require(test, DMA_BUF_PROMISES_MAP | DMA_BUF_PROMISES_TRY);
	fail_each(test, try_attempt, dmabuf);
}

static int vmap_attempt(struct kunit *test, void *ctx, unsigned int nth, bool *failed)
{
	struct dma_buf *dmabuf = ctx;
	struct iosys_map map;
	int ret;

	dma_resv_lock(dmabuf->resv, NULL);
	inject_arm(nth);
	ret = dma_buf_vmap(dmabuf, &map);
	*failed = inject_disarm();
	KUNIT_EXPECT_EQ(test, !ret, !iosys_map_is_null(&map));
	if (!ret)
		dma_buf_vunmap(dmabuf, &map);
	dma_resv_unlock(dmabuf->resv);
	KUNIT_EXPECT_TRUE(test, spy_is_idle(dmabuf));
	return ret;
}

/* Passes if the same holds for the kernel's mapping. */
static void vmap_without_memory(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);

	conformance_require(test, DMA_BUF_PROMISES_VMAP);
	fail_each(test, vmap_attempt, dmabuf);
	view_fill(test, dmabuf, VIEW_VMAP, 0x7777);
	view_check(test, dmabuf, view_any(test), 0x7777);
}

static int move_attempt(struct kunit *test, void *ctx, unsigned int nth, bool *failed)
{
	struct dma_buf *dmabuf = ctx;
	int ret;

	dma_resv_lock(dmabuf->resv, NULL);
	inject_arm(nth);
	ret = conformance_of(test)->exporter->move(dmabuf);
	*failed = inject_disarm();
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

/* Passes if a move without memory loses nothing. */
static void move_without_memory(struct kunit *test)
{
	struct dma_buf *dmabuf = buffer_create(test);
	enum viewer viewer = view_any(test);

	require_moves(test);
	view_fill(test, dmabuf, viewer, 0x8888);
	fail_each(test, move_attempt, dmabuf);
	view_check(test, dmabuf, viewer, 0x8888);
}

/* ---- all at once ------------------------------------------------------------------- */

/* A buffer, and who may use it: one reference for each of the racers. */
struct crowd {
	struct kunit *test;
	const struct dma_buf_conformance *exporter;
	struct dma_buf *dmabuf;
	bool maps;
	bool dynamic[2];	/* what kind the first two racers are */
	struct device *dev[2];
	atomic_t wrong;
};

static void crowd_prepare(struct kunit *test, void *ctx)
{
	struct crowd *crowd = ctx;

	crowd->dmabuf = buffer_create(test);
	for (unsigned int i = 0; i < MOCK_RACERS; i++)
		get_dma_buf(crowd->dmabuf);
}

/* Everybody has put his reference; the last one is put here. */
static void crowd_check(struct kunit *test, void *ctx)
{
	struct crowd *crowd = ctx;
	struct spy *spy = spy_of(crowd->dmabuf);

	KUNIT_EXPECT_TRUE(test, spy_is_idle(crowd->dmabuf));
	buffer_put(test, crowd->dmabuf);
	KUNIT_EXPECT_TRUE(test, buffer_is_released(spy));
}

static void crowd_import(struct crowd *crowd, unsigned int number)
{
	struct dma_buf *dmabuf = crowd->dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	unsigned int order;
	u64 pfn;
	int ret;

	attach = dma_buf_dynamic_attach(dmabuf, crowd->dev[number],
					crowd->dynamic[number] ? &careless_ops : NULL, NULL);
	if (IS_ERR(attach)) {
		atomic_inc(&crowd->wrong);
		goto put;
	}
	if (crowd->maps) {
		sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
		if (IS_ERR(sgt))
			atomic_inc(&crowd->wrong);
		else
			dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	}
	if (crowd->exporter->promises & DMA_BUF_PROMISES_PFN) {
		ret = dma_buf_get_pfn_unlocked(attach, 0, &pfn, &order);
		/* A frame of what may move and is not pinned. */
		if (ret && (ret != -ENOENT || IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY)))
			atomic_inc(&crowd->wrong);
	}
	dma_buf_detach(dmabuf, attach);
put:
	dma_buf_put(dmabuf);
}

static void import_first(void *ctx)
{
	crowd_import(ctx, 0);
}

static void import_second(void *ctx)
{
	crowd_import(ctx, 1);
}

/* The exporter, which moves if it can, and the CPU. */
static void move_and_touch(void *ctx)
{
	struct crowd *crowd = ctx;
	struct dma_buf *dmabuf = crowd->dmabuf;

	if (crowd->exporter->promises & DMA_BUF_PROMISES_MOVE) {
		dma_resv_lock(dmabuf->resv, NULL);
		crowd->exporter->move(dmabuf);
		dma_resv_unlock(dmabuf->resv);
	}
	if (dma_buf_begin_cpu_access(dmabuf, DMA_BIDIRECTIONAL) ||
	    dma_buf_end_cpu_access(dmabuf, DMA_BIDIRECTIONAL))
		atomic_inc(&crowd->wrong);
	dma_buf_put(dmabuf);
}

static void look(void *ctx)
{
	struct crowd *crowd = ctx;
	struct dma_buf *dmabuf = crowd->dmabuf;
	struct iosys_map map;

	if (crowd->exporter->promises & DMA_BUF_PROMISES_VMAP) {
		dma_resv_lock(dmabuf->resv, NULL);
		if (dma_buf_vmap(dmabuf, &map)) {
			atomic_inc(&crowd->wrong);
		} else {
			iosys_map_memset(&map, 0, 0x55, dmabuf->size);
			dma_buf_vunmap(dmabuf, &map);
		}
		dma_resv_unlock(dmabuf->resv);
	}
	dma_buf_put(dmabuf);
}

/* Passes if importers, the CPU, moves and closes at the same time do not disturb each other. */
static void users_race(struct kunit *test)
{
	struct crowd *crowd = kunit_kzalloc(test, sizeof(*crowd), GFP_KERNEL);
	struct conformance *c = conformance_of(test);
	const struct mock_race race = {
		.ctx = crowd,
		.rounds = RACE_ROUNDS,
		.prepare = crowd_prepare,
		.check = crowd_check,
		.racer = { import_first, import_second, move_and_touch, look },
	};
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, crowd);
	if (!kind_possible(test, false) && !kind_possible(test, true))
		kunit_skip(test, "no DMA");
	crowd->test = test;
	crowd->exporter = c->exporter;
	crowd->maps = c->maps;
	for (i = 0; i < 2; i++) {
		bool dynamic = i;

		crowd->dynamic[i] = kind_possible(test, dynamic) ? dynamic : !dynamic;
		if (conformance_promises(test, DMA_BUF_PROMISES_MAP))
			crowd->dev[i] = c->dev[i];
	}
	mock_race(test, &race);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&crowd->wrong));
}

/* ---- the table -------------------------------------------------------------------- */

#define CASE(_case) { #_case, _case }

static const struct {
	const char *name;
	void (*run)(struct kunit *test);
} cases[] = {
	CASE(callbacks_are_as_promised),
	CASE(unpromised_is_refused),
	CASE(last_put_releases_once),
	CASE(fd_carries_the_buffer),
	CASE(size_never_changes),
	CASE(new_buffer_is_zero),
	CASE(attach_of_each_kind),
	CASE(detach_in_any_order),
	CASE(map_in_each_direction),
	CASE(map_for_two_gives_two_tables),
	CASE(map_twice_gives_two_tables),
	CASE(map_again_is_cached),
	CASE(map_again_shows_same_memory),
	CASE(map_waits_for_kernel_fence),
	CASE(try_map_does_not_wait),
	CASE(get_pfn_of_each_page),
	CASE(get_pfn_agrees_with_map),
	CASE(get_pfn_beyond_end_is_einval),
	CASE(vmap_nests),
	CASE(vmap_does_not_pin),
	CASE(data_written_by_vmap),
	CASE(data_written_by_device),
	CASE(data_written_by_pfn),
	CASE(data_written_by_program),
	CASE(mmap_of_part),
	CASE(mmap_keeps_the_buffer),
	CASE(cpu_access_in_each_direction),
	CASE(cpu_access_waits_for_fences),
	CASE(move_is_announced),
	CASE(move_keeps_data),
	CASE(move_takes_programs_along),
	CASE(move_keeps_old_mapping),
	CASE(pin_keeps_place),
	CASE(static_importer_keeps_place),
	CASE(create_without_memory),
	CASE(attach_without_memory),
	CASE(map_without_memory),
	CASE(try_map_without_memory),
	CASE(vmap_without_memory),
	CASE(move_without_memory),
	CASE(users_race),
};

/* Each suite has all of them. */
static_assert(sizeof((struct kunit_case[])DMA_BUF_CONFORMANCE_CASES) ==
	      (ARRAY_SIZE(cases) + 1) * sizeof(struct kunit_case));

/**
 * dma_buf_conformance_run() - run the case that @test is named after
 * @test: the case
 *
 * Context: Test case.
 */
void dma_buf_conformance_run(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (!strcmp(cases[i].name, test->name)) {
			cases[i].run(test);
			return;
		}
	}
	KUNIT_FAIL(test, "there is no such case");
}
EXPORT_SYMBOL_NS_GPL(dma_buf_conformance_run, DMA_BUF);

#endif /* DMABUF_OURS */
