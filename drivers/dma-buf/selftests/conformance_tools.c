// SPDX-License-Identifier: GPL-2.0
/*
 * The users of a buffer that the conformance cases are written with: importers,
 * viewers of its data, threads that wait for fences; and failing allocations.
 */

#include "mock.h"

#if DMABUF_OURS

#include <linux/debugfs.h>
#include <linux/dma-direct.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "conformance.h"
#include "mock_fence.h"

/* A thread that is to wait has had time enough to return; one that ends has not. */
#define BLOCKS_AFTER	msecs_to_jiffies(50)
#define ENDS_BEFORE	(10 * HZ)

/* ---- buffers --------------------------------------------------------------- */

static void drop_buffer(void *data)
{
	struct spy *spy = data;

	if (!spy->own)
		return;
	spy->own = false;
	dma_buf_put(spy->dmabuf);
}

/* A buffer with a spy on it, put at the end of the case unless it is before. */
struct dma_buf *buffer_create(struct kunit *test)
{
	struct conformance *c = conformance_of(test);
	struct dma_buf *dmabuf = c->exporter->create(test, conformance_size(test));

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	KUNIT_ASSERT_NOT_NULL(test, spy_on(c, dmabuf));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, drop_buffer, spy_of(dmabuf)));
	return dmabuf;
}

/* Drop the reference of the case. */
void buffer_put(struct kunit *test, struct dma_buf *dmabuf)
{
	kunit_release_action(test, drop_buffer, spy_of(dmabuf));
}

/* The last reference that a kernel thread drops is handed to a work item. */
bool buffer_is_released(struct spy *spy)
{
	flush_delayed_fput();
	return wait_for_completion_timeout(&spy->released, ENDS_BEFORE);
}

/* Let the exporter move the buffer. */
int buffer_move(struct kunit *test, struct dma_buf *dmabuf)
{
	int ret;

	dma_resv_lock(dmabuf->resv, NULL);
	ret = conformance_of(test)->exporter->move(dmabuf);
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

/* ---- importers --------------------------------------------------------------- */

static void note_move(struct dma_buf_attachment *attach)
{
	struct importer *importer = attach->importer_priv;

	importer->moves++;
	importer->moves_unlocked += !resv_held(attach->dmabuf->resv);
}

static const struct dma_buf_attach_ops importer_ops = {
	.allow_peer2peer = true,
	.move_notify = note_move,
};

/* Undo whatever the importer has done. */
void importer_detach(struct importer *importer)
{
	if (!importer->attach)
		return;
	if (importer->sgt)
		importer_unmap(importer);
	while (importer->pins)
		importer_unpin(importer);
	dma_buf_detach(importer->attach->dmabuf, importer->attach);
	importer->attach = NULL;
}

static void importer_fini(void *data)
{
	importer_detach(data);
}

/* An importer with the device of that number; without one if only PFNs are offered. */
struct importer *importer_create(struct kunit *test, struct dma_buf *dmabuf,
				 unsigned int device, bool dynamic)
{
	struct importer *importer = kunit_kzalloc(test, sizeof(*importer), GFP_KERNEL);
	struct device *dev = conformance_of(test)->dev[device];

	KUNIT_ASSERT_NOT_NULL(test, importer);
	if (!conformance_promises(test, DMA_BUF_PROMISES_MAP))
		dev = NULL;
	if (dynamic)
		importer->attach = dma_buf_dynamic_attach(dmabuf, dev, &importer_ops, importer);
	else
		importer->attach = dma_buf_attach(dmabuf, dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, importer->attach);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, importer_fini, importer));
	return importer;
}

int importer_map(struct importer *importer, enum dma_data_direction dir)
{
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(importer->attach, dir);

	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	importer->sgt = sgt;
	importer->dir = dir;
	return 0;
}

int importer_try(struct importer *importer, enum dma_data_direction dir)
{
	struct sg_table *sgt = dma_buf_try_map_attachment_unlocked(importer->attach, dir);

	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	importer->sgt = sgt;
	importer->dir = dir;
	return 0;
}

void importer_unmap(struct importer *importer)
{
	dma_buf_unmap_attachment_unlocked(importer->attach, importer->sgt, importer->dir);
	importer->sgt = NULL;
}

int importer_pin(struct importer *importer)
{
	struct dma_resv *resv = importer->attach->dmabuf->resv;
	int ret;

	dma_resv_lock(resv, NULL);
	ret = dma_buf_pin(importer->attach);
	dma_resv_unlock(resv);
	importer->pins += !ret;
	return ret;
}

void importer_unpin(struct importer *importer)
{
	struct dma_resv *resv = importer->attach->dmabuf->resv;

	importer->pins--;
	dma_resv_lock(resv, NULL);
	dma_buf_unpin(importer->attach);
	dma_resv_unlock(resv);
}

/* The device's address of a page of the buffer; DMA_MAPPING_ERROR if it has none. */
dma_addr_t table_address(struct sg_table *sgt, pgoff_t pgoff)
{
	size_t offset = pgoff << PAGE_SHIFT;
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (offset < sg_dma_len(sg))
			return sg_dma_address(sg) + offset;
		offset -= sg_dma_len(sg);
	}
	return DMA_MAPPING_ERROR;
}

/* The page that the device would find at @addr; NULL if that cannot be told. */
struct page *device_page(struct kunit *test, struct dma_buf_attachment *attach, dma_addr_t addr)
{
	const struct dma_buf_conformance *exporter = conformance_of(test)->exporter;

	if (addr == DMA_MAPPING_ERROR)
		return NULL;
	if (exporter->cpu_address) {
		void *vaddr = exporter->cpu_address(attach->dmabuf, addr);

		return virt_addr_valid(vaddr) ? virt_to_page(vaddr) : NULL;
	}
#ifdef CONFIG_HAS_DMA
	if (!get_dma_ops(attach->dev)) {
		unsigned long pfn = PHYS_PFN(dma_to_phys(attach->dev, addr));

		if (pfn_valid(pfn))
			return pfn_to_page(pfn);
	}
#endif
	return NULL;
}

/* Be the device: copy a page of the buffer, which may be in memory that the CPU has not mapped. */
int device_copy(struct kunit *test, struct importer *importer, pgoff_t pgoff, void *page,
		bool write)
{
	struct page *memory = device_page(test, importer->attach,
					  table_address(importer->sgt, pgoff));

	if (!memory)
		return -EFAULT;
	if (write)
		memcpy_to_page(memory, 0, page, PAGE_SIZE);
	else
		memcpy_from_page(page, memory, 0, PAGE_SIZE);
	return 0;
}

/* ---- views ---------------------------------------------------------------- */

/*
 * struct view - somebody who looks at a buffer, from open to close
 * @importer: keeps the memory in place, or NULL
 */
struct view {
	struct kunit *test;
	struct dma_buf *dmabuf;
	enum viewer viewer;
	bool write;
	struct importer *importer;
	struct iosys_map map;
	unsigned long user;
};

static enum dma_data_direction cpu_direction(const struct view *view)
{
	return view->write ? DMA_BIDIRECTIONAL : DMA_FROM_DEVICE;
}

static int vmap_open(struct view *view)
{
	return dma_buf_vmap_unlocked(view->dmabuf, &view->map);
}

static void vmap_close(struct view *view)
{
	dma_buf_vunmap_unlocked(view->dmabuf, &view->map);
}

static int vmap_copy(struct view *view, pgoff_t pgoff, void *page)
{
	if (view->write)
		iosys_map_memcpy_to(&view->map, pgoff << PAGE_SHIFT, page, PAGE_SIZE);
	else
		iosys_map_memcpy_from(page, &view->map, pgoff << PAGE_SHIFT, PAGE_SIZE);
	return 0;
}

/* What the CPU writes the device reads, and the other way round. */
static int device_open(struct view *view)
{
	return importer_map(view->importer, view->write ? DMA_FROM_DEVICE : DMA_TO_DEVICE);
}

static void device_close(struct view *view)
{
	importer_unmap(view->importer);
}

static int device_view_copy(struct view *view, pgoff_t pgoff, void *page)
{
	return device_copy(view->test, view->importer, pgoff, page, view->write);
}

static int pfn_open(struct view *view)
{
	return 0;
}

static void pfn_close(struct view *view)
{
}

static int pfn_copy(struct view *view, pgoff_t pgoff, void *page)
{
	unsigned int order;
	void *memory;
	u64 pfn;
	int ret;

	ret = dma_buf_get_pfn_unlocked(view->importer->attach, pgoff, &pfn, &order);
	if (ret)
		return ret;
	if (!pfn_valid(pfn))
		return -EFAULT;
	memory = kmap_local_page(pfn_to_page(pfn));
	if (view->write)
		memcpy(memory, page, PAGE_SIZE);
	else
		memcpy(page, memory, PAGE_SIZE);
	kunmap_local(memory);
	return 0;
}

static int program_open(struct view *view)
{
	view->user = kunit_vm_mmap(view->test, view->dmabuf->file, 0, view->dmabuf->size,
				   PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	if (!view->user)
		return -ENOMEM;
	return IS_ERR_VALUE(view->user) ? view->user : 0;
}

static void program_close(struct view *view)
{
	vm_munmap(view->user, view->dmabuf->size);
}

static int program_copy(struct view *view, pgoff_t pgoff, void *page)
{
	void __user *user = (void __user *)(view->user + (pgoff << PAGE_SHIFT));

	if (view->write ? copy_to_user(user, page, PAGE_SIZE) :
			  copy_from_user(page, user, PAGE_SIZE))
		return -EFAULT;
	return 0;
}

static const struct {
	const char *name;
	unsigned int promise;
	bool imports;
	int (*open)(struct view *view);
	void (*close)(struct view *view);
	int (*copy)(struct view *view, pgoff_t pgoff, void *page);
} viewers[NR_VIEWERS] = {
	[VIEW_VMAP] = { "vmap", DMA_BUF_PROMISES_VMAP, false,
			vmap_open, vmap_close, vmap_copy },
	[VIEW_DEVICE] = { "a device", DMA_BUF_PROMISES_MAP, true,
			  device_open, device_close, device_view_copy },
	[VIEW_PFN] = { "page frames", DMA_BUF_PROMISES_PFN, true,
		       pfn_open, pfn_close, pfn_copy },
	[VIEW_PROGRAM] = { "a program", DMA_BUF_PROMISES_MMAP, false,
			   program_open, program_close, program_copy },
};

const char *viewer_name(enum viewer viewer)
{
	return viewers[viewer].name;
}

/* Does the exporter let @viewer look, and can this machine be him? */
bool view_possible(struct kunit *test, enum viewer viewer)
{
	if (viewer == VIEW_DEVICE && !conformance_of(test)->maps)
		return false;
	return conformance_promises(test, viewers[viewer].promise);
}

/* Some viewer that is possible. */
enum viewer view_any(struct kunit *test)
{
	enum viewer viewer;

	for (viewer = 0; viewer < NR_VIEWERS; viewer++) {
		if (view_possible(test, viewer))
			return viewer;
	}
	kunit_skip(test, "nobody can look at the data here");
	return 0;
}

/* Somebody whose mapping a move would make stale needs a pin as well. */
static bool view_needs_importer(struct view *view)
{
	if (viewers[view->viewer].imports)
		return true;
	if (view->viewer != VIEW_VMAP || !dma_buf_is_dynamic(view->dmabuf))
		return false;
	return conformance_of(view->test)->maps ||
	       !conformance_promises(view->test, DMA_BUF_PROMISES_MAP);
}

static void view_open(struct view *view)
{
	struct kunit *test = view->test;

	if (view_needs_importer(view))
		view->importer = importer_create(test, view->dmabuf, 0, false);
	if (view->viewer != VIEW_DEVICE)
		KUNIT_ASSERT_EQ(test, 0, dma_buf_begin_cpu_access(view->dmabuf,
								  cpu_direction(view)));
	KUNIT_ASSERT_EQ_MSG(test, 0, viewers[view->viewer].open(view),
			    "%s cannot look", viewers[view->viewer].name);
}

static void view_close(struct view *view)
{
	viewers[view->viewer].close(view);
	if (view->viewer != VIEW_DEVICE)
		KUNIT_EXPECT_EQ(view->test, 0, dma_buf_end_cpu_access(view->dmabuf,
								      cpu_direction(view)));
	if (view->importer)
		importer_detach(view->importer);
}

/* What page @pgoff holds, no word like another one. */
void view_fill_page(void *page, u32 seed, pgoff_t pgoff)
{
	u32 *word = page;
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(*word); i++)
		word[i] = seed + pgoff * 0x10000 + i;
}

bool view_page_is(const void *page, u32 seed, pgoff_t pgoff)
{
	const u32 *word = page;
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(*word); i++) {
		if (word[i] != (u32)(seed + pgoff * 0x10000 + i))
			return false;
	}
	return true;
}

/* Let @viewer write all of the buffer, or read it; the number of wrong pages. */
static unsigned long view_walk(struct kunit *test, struct dma_buf *dmabuf, enum viewer viewer,
			       u32 seed, bool write)
{
	struct view view = { .test = test, .dmabuf = dmabuf, .viewer = viewer, .write = write };
	void *page = kunit_kmalloc(test, PAGE_SIZE, GFP_KERNEL);
	unsigned long wrong = 0;
	pgoff_t pgoff;

	KUNIT_ASSERT_NOT_NULL(test, page);
	view_open(&view);
	for (pgoff = 0; pgoff < dmabuf->size >> PAGE_SHIFT; pgoff++) {
		if (write)
			view_fill_page(page, seed, pgoff);
		if (viewers[viewer].copy(&view, pgoff, page))
			wrong++;
		else if (!write && !view_page_is(page, seed, pgoff))
			wrong++;
		cond_resched();
	}
	view_close(&view);
	kunit_kfree(test, page);
	return wrong;
}

void view_fill(struct kunit *test, struct dma_buf *dmabuf, enum viewer viewer, u32 seed)
{
	unsigned long wrong = view_walk(test, dmabuf, viewer, seed, true);

	KUNIT_EXPECT_EQ_MSG(test, 0, wrong, "pages that %s cannot write",
			    viewers[viewer].name);
}

void view_check(struct kunit *test, struct dma_buf *dmabuf, enum viewer viewer, u32 seed)
{
	unsigned long wrong = view_walk(test, dmabuf, viewer, seed, false);

	KUNIT_EXPECT_EQ_MSG(test, 0, wrong, "pages that %s finds different",
			    viewers[viewer].name);
}

/* ---- fences ----------------------------------------------------------------- */

/*
 * struct waiter - a thread that does something which may wait for a fence
 * @fence: signaled before the thread is joined, so that it ends in any case
 */
struct waiter {
	long (*wait)(void *ctx);
	void *ctx;
	struct dma_fence *fence;
	struct task_struct *task;
	struct completion done;
	long ret;
};

static int waiter_thread(void *data)
{
	struct waiter *waiter = data;

	waiter->ret = waiter->wait(waiter->ctx);
	complete_all(&waiter->done);
	return 0;
}

static void waiter_fini(void *data)
{
	struct waiter *waiter = data;

	dma_fence_signal(waiter->fence);
	kthread_stop_put(waiter->task);
}

/* Start a thread that calls @wait; it is joined when the case ends. */
struct waiter *waiter_start(struct kunit *test, long (*wait)(void *ctx), void *ctx,
			    struct dma_fence *fence)
{
	struct waiter *waiter = kunit_kzalloc(test, sizeof(*waiter), GFP_KERNEL);
	struct task_struct *task;

	KUNIT_ASSERT_NOT_NULL(test, waiter);
	waiter->wait = wait;
	waiter->ctx = ctx;
	waiter->fence = fence;
	init_completion(&waiter->done);
	task = kthread_create(waiter_thread, waiter, "dmabuf-waiter");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	waiter->task = get_task_struct(task);	/* Dropped by waiter_fini(). */
	wake_up_process(task);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, waiter_fini, waiter));
	return waiter;
}

bool waiter_blocks(struct waiter *waiter)
{
	return !wait_for_completion_timeout(&waiter->done, BLOCKS_AFTER);
}

bool waiter_ends(struct waiter *waiter)
{
	return wait_for_completion_timeout(&waiter->done, ENDS_BEFORE) && !waiter->ret;
}

/* A pending fence of the buffer, dropped when the case ends. */
struct dma_fence *fence_add(struct kunit *test, struct dma_buf *dmabuf,
			    enum dma_resv_usage usage)
{
	struct dma_fence *fence = mock_fence_create(test);
	int ret;

	mock_fence_put_at_exit(test, fence);
	dma_resv_lock(dmabuf->resv, NULL);
	ret = dma_resv_reserve_fences(dmabuf->resv, 1);
	if (!ret)
		dma_resv_add_fence(dmabuf->resv, fence, usage);
	dma_resv_unlock(dmabuf->resv);
	KUNIT_ASSERT_EQ(test, 0, ret);
	return fence;
}

/* ---- allocations that fail ----------------------------------------------------- */

#if IS_ENABLED(CONFIG_FAILSLAB) && IS_ENABLED(CONFIG_FAULT_INJECTION_DEBUG_FS)

/* The knobs of failslab, which are to be had from debugfs only. */
struct knobs {
	bool *spare_reclaim, old_spare_reclaim;
	unsigned long *verbose, old_verbose;
};

static void *knob(const char *name)
{
	struct dentry *dir = debugfs_lookup("failslab", NULL);
	struct dentry *file;
	void *data = NULL;

	if (!dir)
		return NULL;
	file = debugfs_lookup(name, dir);
	if (file)
		data = d_inode(file)->i_private;
	dput(file);
	dput(dir);
	return data;
}

static void knobs_restore(void *data)
{
	struct knobs *knobs = data;

	*knobs->spare_reclaim = knobs->old_spare_reclaim;
	*knobs->verbose = knobs->old_verbose;
}

/* Let allocations that may sleep fail, too, and without a trace in the log. */
void inject_setup(struct kunit *test)
{
	struct knobs *knobs = kunit_kzalloc(test, sizeof(*knobs), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, knobs);
	knobs->spare_reclaim = knob("ignore-gfp-wait");
	knobs->verbose = knob("verbose");
	if (!knobs->spare_reclaim || !knobs->verbose)
		kunit_skip(test, "failslab is not in debugfs");
	knobs->old_spare_reclaim = *knobs->spare_reclaim;
	knobs->old_verbose = *knobs->verbose;
	*knobs->spare_reclaim = false;
	*knobs->verbose = 0;
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, knobs_restore, knobs));
}

/* The @nth allocation of this thread from now on fails. */
void inject_arm(unsigned int nth)
{
	current->fail_nth = nth;
}

/* Stop that; has one failed? */
bool inject_disarm(void)
{
	bool failed = !current->fail_nth;

	current->fail_nth = 0;
	return failed;
}

#else

void inject_setup(struct kunit *test)
{
	kunit_skip(test, "the kernel has no failslab");
}

void inject_arm(unsigned int nth)
{
}

bool inject_disarm(void)
{
	return false;
}

#endif

#endif /* DMABUF_OURS */
