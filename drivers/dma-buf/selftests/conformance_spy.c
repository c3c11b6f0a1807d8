// SPDX-License-Identifier: GPL-2.0
/*
 * Stands between the core and the exporter under test. Each call is counted,
 * the locks are looked at before and after it, and each table that leaves the
 * exporter is held to what struct dma_buf_ops says of it.
 *
 * A spy is the ops table of one buffer, put in place before anybody else knows
 * the buffer, so that callbacks find it from there.
 */

#include "mock.h"

#if DMABUF_OURS

#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "conformance.h"

struct spy *spy_of(struct dma_buf *dmabuf)
{
	return container_of(dmabuf->ops, struct spy, ops);
}

/* Remember what went wrong first. */
void spy_complain(struct spy *spy, const char *complaint)
{
	scoped_guard(spinlock_irqsave, &spy->lock) {
		if (!spy->complaint)
			spy->complaint = complaint;
	}
}

static void spy_count(struct spy *spy, enum spy_op op)
{
	scoped_guard(spinlock_irqsave, &spy->lock)
		spy->calls[op]++;
}

/* How often was @op called, and did what it should? */
unsigned int spy_calls(struct dma_buf *dmabuf, enum spy_op op)
{
	struct spy *spy = spy_of(dmabuf);
	unsigned int calls = 0;

	scoped_guard(spinlock_irqsave, &spy->lock)
		calls = spy->calls[op];
	return calls;
}

/* What @up did and @down has not undone. */
int spy_balance(struct dma_buf *dmabuf, enum spy_op up, enum spy_op down)
{
	return spy_calls(dmabuf, up) - spy_calls(dmabuf, down);
}

/* Does this thread hold the lock, as far as can be told? */
bool resv_held(struct dma_resv *resv)
{
	if (!dma_resv_is_locked(resv))
		return false;
#ifdef CONFIG_LOCKDEP
	return lockdep_is_held(&resv->lock.base) != LOCK_STATE_NOT_HELD;
#else
	return true;
#endif
}

/*
 * A callback that runs under the lock has no business with it: lockdep reports
 * whoever drops it, even if it is taken again.
 */
static struct pin_cookie spy_enter_locked(struct spy *spy, struct dma_buf *dmabuf)
{
	struct pin_cookie none = {};

	if (!resv_held(dmabuf->resv)) {
		spy_complain(spy, "a callback ran without the reservation lock");
		return none;
	}
	return lockdep_pin_lock(&dmabuf->resv->lock.base);
}

static void spy_leave_locked(struct spy *spy, struct dma_buf *dmabuf,
			     struct pin_cookie cookie)
{
	if (resv_held(dmabuf->resv))
		lockdep_unpin_lock(&dmabuf->resv->lock.base, cookie);
	else
		spy_complain(spy, "a callback has dropped the reservation lock");
}

/* Only lockdep knows that it is this thread which holds a lock. */
static void spy_check_unlocked(struct spy *spy, struct dma_buf *dmabuf)
{
	if (IS_ENABLED(CONFIG_LOCKDEP) && resv_held(dmabuf->resv))
		spy_complain(spy, "a callback ran with, or left, the reservation lock held");
}

static int spy_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct spy *spy = spy_of(dmabuf);
	int ret;

	spy_check_unlocked(spy, dmabuf);
	ret = spy->real->attach ? spy->real->attach(dmabuf, attach) : 0;
	spy_check_unlocked(spy, dmabuf);
	if (!ret)
		spy_count(spy, SPY_ATTACH);
	else if (ret > 0)
		spy_complain(spy, "attach returned neither 0 nor a negative errno");
	return ret;
}

static void spy_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct spy *spy = spy_of(dmabuf);

	spy_count(spy, SPY_DETACH);
	spy_check_unlocked(spy, dmabuf);
	if (spy->real->detach)
		spy->real->detach(dmabuf, attach);
	spy_check_unlocked(spy, dmabuf);
}

static int spy_pin(struct dma_buf_attachment *attach)
{
	struct spy *spy = spy_of(attach->dmabuf);
	struct pin_cookie cookie = spy_enter_locked(spy, attach->dmabuf);
	int ret = spy->real->pin(attach);

	spy_leave_locked(spy, attach->dmabuf, cookie);
	if (!ret)
		spy_count(spy, SPY_PIN);
	else if (ret > 0)
		spy_complain(spy, "pin returned neither 0 nor a negative errno");
	return ret;
}

static void spy_unpin(struct dma_buf_attachment *attach)
{
	struct spy *spy = spy_of(attach->dmabuf);
	struct pin_cookie cookie = spy_enter_locked(spy, attach->dmabuf);

	spy_count(spy, SPY_UNPIN);
	spy->real->unpin(attach);
	spy_leave_locked(spy, attach->dmabuf, cookie);
}

/* Does the table say what a table has to? */
static const char *table_complaint(struct spy *spy, struct dma_buf *dmabuf,
				   struct sg_table *sgt)
{
	bool page_named = false;
	struct scatterlist *sg;
	size_t size = 0;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (!PAGE_ALIGNED(sg_dma_address(sg)) || !PAGE_ALIGNED(sg_dma_len(sg)))
			return "a table has an entry that is not of whole pages";
		if (!sg_dma_len(sg))
			return "a table has an empty entry";
		size += sg_dma_len(sg);
	}
	for_each_sgtable_sg(sgt, sg, i)
		page_named |= !!sg_page(sg);
	if (size != PAGE_ALIGN(dmabuf->size))
		return "the entries of a table do not add up to the buffer";
	if (page_named && spy->exporter->promises & DMA_BUF_PROMISES_NO_PAGE)
		return "a table names struct pages though it is of I/O memory";
	return NULL;
}

/* Enter @sgt into the books; what is wrong with that, or NULL. */
static const char *table_add(struct spy *spy, struct dma_buf_attachment *attach,
			     struct sg_table *sgt, enum dma_data_direction dir)
{
	struct spy_table *free = NULL;
	unsigned int i;

	for (i = 0; i < SPY_MAX_TABLES; i++) {
		struct spy_table *table = &spy->tables[i];

		if (!table->sgt)
			free = table;
		else if (table->sgt == sgt && table->attach != attach)
			return "two attachments got one table";
	}
	if (!free)
		return "more tables than a case can have";
	*free = (struct spy_table) { sgt, attach, dir };
	return NULL;
}

static const char *table_del(struct spy *spy, struct dma_buf_attachment *attach,
			     struct sg_table *sgt, enum dma_data_direction dir)
{
	unsigned int i;

	for (i = 0; i < SPY_MAX_TABLES; i++) {
		struct spy_table *table = &spy->tables[i];

		if (table->sgt != sgt || table->attach != attach || table->dir != dir)
			continue;
		table->sgt = NULL;
		return NULL;
	}
	return "unmap got a table that map has not returned";
}

static struct sg_table *note_table(struct spy *spy, struct dma_buf_attachment *attach,
				   struct sg_table *sgt, enum dma_data_direction dir)
{
	const char *complaint = NULL;

	if (!sgt)
		complaint = "map returned NULL and no errno";
	if (IS_ERR_OR_NULL(sgt))
		goto out;

	complaint = table_complaint(spy, attach->dmabuf, sgt);
	scoped_guard(spinlock_irqsave, &spy->lock) {
		const char *other = table_add(spy, attach, sgt, dir);

		complaint = complaint ?: other;
		spy->calls[SPY_MAP]++;
	}
out:
	if (complaint)
		spy_complain(spy, complaint);
	return sgt;
}

static struct sg_table *spy_map(struct dma_buf_attachment *attach,
				enum dma_data_direction dir)
{
	struct spy *spy = spy_of(attach->dmabuf);
	struct pin_cookie cookie = spy_enter_locked(spy, attach->dmabuf);
	struct sg_table *sgt = spy->real->map_dma_buf(attach, dir);

	spy_leave_locked(spy, attach->dmabuf, cookie);
	return note_table(spy, attach, sgt, dir);
}

static struct sg_table *spy_try_map(struct dma_buf_attachment *attach,
				    enum dma_data_direction dir)
{
	struct spy *spy = spy_of(attach->dmabuf);
	struct pin_cookie cookie = spy_enter_locked(spy, attach->dmabuf);
	struct sg_table *sgt = spy->real->try_map_dma_buf(attach, dir);

	spy_leave_locked(spy, attach->dmabuf, cookie);
	return note_table(spy, attach, sgt, dir);
}

static void spy_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		      enum dma_data_direction dir)
{
	struct spy *spy = spy_of(attach->dmabuf);
	struct pin_cookie cookie = spy_enter_locked(spy, attach->dmabuf);
	const char *complaint = NULL;

	scoped_guard(spinlock_irqsave, &spy->lock) {
		complaint = table_del(spy, attach, sgt, dir);
		spy->calls[SPY_UNMAP]++;
	}
	if (complaint)
		spy_complain(spy, complaint);
	spy->real->unmap_dma_buf(attach, sgt, dir);
	spy_leave_locked(spy, attach->dmabuf, cookie);
}

static int spy_get_pfn(struct dma_buf_attachment *attach, pgoff_t pgoff,
		       u64 *pfn, unsigned int *max_order)
{
	struct spy *spy = spy_of(attach->dmabuf);
	struct pin_cookie cookie = spy_enter_locked(spy, attach->dmabuf);
	int ret = spy->real->get_pfn(attach, pgoff, pfn, max_order);

	spy_leave_locked(spy, attach->dmabuf, cookie);
	if (ret > 0)
		spy_complain(spy, "get_pfn returned neither 0 nor a negative errno");
	return ret;
}

static int spy_begin_cpu(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct spy *spy = spy_of(dmabuf);
	int ret;

	spy->dir = dir;
	spy_check_unlocked(spy, dmabuf);
	ret = spy->real->begin_cpu_access ? spy->real->begin_cpu_access(dmabuf, dir) : 0;
	spy_check_unlocked(spy, dmabuf);
	if (!ret)
		spy_count(spy, SPY_BEGIN_CPU);
	else if (ret > 0)
		spy_complain(spy, "begin_cpu_access returned neither 0 nor a negative errno");
	return ret;
}

static int spy_end_cpu(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct spy *spy = spy_of(dmabuf);
	int ret;

	spy->dir = dir;
	spy_check_unlocked(spy, dmabuf);
	ret = spy->real->end_cpu_access ? spy->real->end_cpu_access(dmabuf, dir) : 0;
	spy_check_unlocked(spy, dmabuf);
	spy_count(spy, SPY_END_CPU);
	return ret;
}

static int spy_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct spy *spy = spy_of(dmabuf);
	int ret;

	spy_check_unlocked(spy, dmabuf);
	ret = spy->real->mmap(dmabuf, vma);
	spy_check_unlocked(spy, dmabuf);
	return ret;
}

static int spy_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct spy *spy = spy_of(dmabuf);
	struct pin_cookie cookie = spy_enter_locked(spy, dmabuf);
	int ret = spy->real->vmap(dmabuf, map);

	spy_leave_locked(spy, dmabuf, cookie);
	if (ret)
		return ret;
	spy_count(spy, SPY_VMAP);
	if (map->is_iomem != !!(spy->exporter->promises & DMA_BUF_PROMISES_IOMEM))
		spy_complain(spy, "vmap gave the other kind of memory than promised");
	return 0;
}

static void spy_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct spy *spy = spy_of(dmabuf);
	struct pin_cookie cookie = spy_enter_locked(spy, dmabuf);

	spy_count(spy, SPY_VUNMAP);
	if (spy->real->vunmap)
		spy->real->vunmap(dmabuf, map);
	spy_leave_locked(spy, dmabuf, cookie);
}

static void spy_release(struct dma_buf *dmabuf)
{
	struct spy *spy = spy_of(dmabuf);

	spy_check_unlocked(spy, dmabuf);
	if (!spy_is_idle(dmabuf))
		spy_complain(spy, "something was left at release");
	spy_count(spy, SPY_RELEASE);
	spy->real->release(dmabuf);
	complete_all(&spy->released);
}

/* Nothing is attached, pinned, mapped, or vmapped. */
bool spy_is_idle(struct dma_buf *dmabuf)
{
	return !spy_balance(dmabuf, SPY_ATTACH, SPY_DETACH) &&
	       !spy_balance(dmabuf, SPY_PIN, SPY_UNPIN) &&
	       !spy_balance(dmabuf, SPY_MAP, SPY_UNMAP) &&
	       !spy_balance(dmabuf, SPY_VMAP, SPY_VUNMAP);
}

/*
 * Where the exporter has a callback so has the spy; the optional ones that come
 * in pairs are there to be counted in any case.
 */
static void fill_ops(struct spy *spy)
{
	const struct dma_buf_ops *real = spy->real;

	spy->ops = (struct dma_buf_ops) {
		.cache_sgt_mapping = real->cache_sgt_mapping,
		.attach = spy_attach,
		.detach = spy_detach,
		.pin = real->pin ? spy_pin : NULL,
		.unpin = real->unpin ? spy_unpin : NULL,
		.map_dma_buf = real->map_dma_buf ? spy_map : NULL,
		.try_map_dma_buf = real->try_map_dma_buf ? spy_try_map : NULL,
		.unmap_dma_buf = real->unmap_dma_buf ? spy_unmap : NULL,
		.get_pfn = real->get_pfn ? spy_get_pfn : NULL,
		.begin_cpu_access = spy_begin_cpu,
		.end_cpu_access = spy_end_cpu,
		.mmap = real->mmap ? spy_mmap : NULL,
		.vmap = real->vmap ? spy_vmap : NULL,
		.vunmap = spy_vunmap,
		.release = spy_release,
	};
}

/* Put a spy on a buffer that nobody knows yet. NULL if there is no memory. */
struct dma_buf *spy_on(struct conformance *c, struct dma_buf *dmabuf)
{
	struct spy *spy = kzalloc(sizeof(*spy), GFP_KERNEL);

	if (!spy)
		return NULL;
	spy->exporter = c->exporter;
	spy->real = dmabuf->ops;
	spy->dmabuf = dmabuf;
	spy->own = true;
	spin_lock_init(&spy->lock);
	init_completion(&spy->released);
	fill_ops(spy);
	list_add_tail(&spy->node, &c->spies);	/* Freed at the end of the case. */
	dmabuf->ops = &spy->ops;
	return dmabuf;
}

/* The exporter's own table of an attachment that is mapped once; else NULL. */
struct sg_table *spy_table(struct dma_buf_attachment *attach)
{
	struct spy *spy = spy_of(attach->dmabuf);
	struct sg_table *sgt = NULL;
	unsigned int i;

	scoped_guard(spinlock_irqsave, &spy->lock) {
		for (i = 0; i < SPY_MAX_TABLES; i++) {
			if (spy->tables[i].sgt && spy->tables[i].attach == attach)
				sgt = spy->tables[i].sgt;
		}
	}
	return sgt;
}

/* Was all well with a buffer that is gone? */
bool spy_judge(struct kunit *test, struct spy *spy)
{
	if (spy->complaint)
		KUNIT_FAIL(test, "%s", spy->complaint);
	KUNIT_EXPECT_EQ_MSG(test, spy->calls[SPY_RELEASE], 1, "release calls");
	return !spy->complaint && spy->calls[SPY_RELEASE] == 1;
}

#endif /* DMABUF_OURS */
