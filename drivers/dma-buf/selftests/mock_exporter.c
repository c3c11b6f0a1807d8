// SPDX-License-Identifier: GPL-2.0
/*
 * The exporter behind the buffer suites: owns memory, answers every callback
 * of struct dma_buf_ops, and keeps books about them.
 *
 * It runs where no DMA API exists (UML): DMA addresses are made up from the
 * page's number and from how often the buffer moved.
 */

#include <linux/file.h>
#include <linux/gfp.h>
#include <linux/iosys-map.h>
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "mock.h"
#include "mock_exporter.h"

/* First made-up DMA address, and how far a move shifts them. */
#define MOCK_DMA_BASE	0x40000000UL
#define MOCK_DMA_STRIDE	0x00100000UL

/* Longest wait for a release that runs from a work item. */
#define MOCK_RELEASE_TIMEOUT	(5 * HZ)

/* One table that an importer has. */
struct mock_mapping {
	struct list_head node;
	struct sg_table sgt;
	struct dma_buf_attachment *attach;
	enum dma_data_direction dir;
};

static const char * const mock_op_names[MOCK_NR_OPS] = {
	[MOCK_ATTACH]		= "attach",
	[MOCK_DETACH]		= "detach",
	[MOCK_PIN]		= "pin",
	[MOCK_UNPIN]		= "unpin",
	[MOCK_MAP]		= "map_dma_buf",
	[MOCK_TRY_MAP]		= "try_map_dma_buf",
	[MOCK_UNMAP]		= "unmap_dma_buf",
	[MOCK_GET_PFN]		= "get_pfn",
	[MOCK_BEGIN_CPU]	= "begin_cpu_access",
	[MOCK_END_CPU]		= "end_cpu_access",
	[MOCK_MMAP]		= "mmap",
	[MOCK_VMAP]		= "vmap",
	[MOCK_VUNMAP]		= "vunmap",
	[MOCK_RELEASE]		= "release",
	[MOCK_MOVE_NOTIFY]	= "move_notify",
};

/* The callback's name, as in struct dma_buf_ops. */
const char *mock_op_name(enum mock_op op)
{
	return mock_op_names[op];
}

/* The address that an importer's device would use for @page at this place. */
dma_addr_t mock_dma_address(struct mock_exporter *exporter, unsigned int page)
{
	return MOCK_DMA_BASE + exporter->place * MOCK_DMA_STRIDE + page * PAGE_SIZE;
}

/*
 * Is the lock held, and by this thread as far as lockdep can tell? Without
 * lockdep "by somebody" has to do.
 */
static bool resv_held(struct mock_exporter *exporter)
{
	struct dma_resv *resv = exporter->resv;

	if (!resv || !dma_resv_is_locked(resv))
		return false;
#ifdef CONFIG_LOCKDEP
	return lockdep_is_held(&resv->lock.base) != LOCK_STATE_NOT_HELD;
#else
	return true;
#endif
}

/**
 * mock_exporter_record() - note a call, and decide whether it shall fail
 * @exporter: who is called
 * @op: what is called
 * @dir: the direction, or DMA_NONE
 *
 * Context: The callback's.
 * Return: 0 to go on, or what mock_exporter_fail() asked for.
 */
int mock_exporter_record(struct mock_exporter *exporter, enum mock_op op,
			 enum dma_data_direction dir)
{
	bool held = resv_held(exporter);
	int err = 0;

	scoped_guard(spinlock_irqsave, &exporter->lock) {
		exporter->count[op]++;
		exporter->count_held[op] += held;
		if (exporter->nr_log < MOCK_MAX_LOG) {
			struct mock_call *call = &exporter->log[exporter->nr_log++];

			call->op = op;
			call->resv_held = held;
			call->dir = dir;
		}
		if (exporter->fail_nth[op] && !--exporter->fail_nth[op])
			err = exporter->fail_errno[op] ?: 1;
	}
	if (exporter->hook)
		exporter->hook(exporter, op);
	return err;
}

/* Undo one of @balance; a stray if there is nothing to undo. */
static void balance_drop(struct mock_exporter *exporter, int *balance)
{
	scoped_guard(spinlock_irqsave, &exporter->lock) {
		if (*balance)
			(*balance)--;
		else
			exporter->nr_strays++;
	}
}

static void balance_add(struct mock_exporter *exporter, int *balance)
{
	scoped_guard(spinlock_irqsave, &exporter->lock)
		(*balance)++;
}

static int mock_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct mock_exporter *exporter = dmabuf->priv;
	int err = mock_exporter_record(exporter, MOCK_ATTACH, DMA_NONE);

	if (err)
		return err;
	attach->priv = exporter;
	balance_add(exporter, &exporter->nr_attached);
	return 0;
}

static void mock_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct mock_exporter *exporter = dmabuf->priv;

	mock_exporter_record(exporter, MOCK_DETACH, DMA_NONE);
	if (exporter->ops.attach)
		balance_drop(exporter, &exporter->nr_attached);
}

static int mock_pin(struct dma_buf_attachment *attach)
{
	struct mock_exporter *exporter = attach->dmabuf->priv;
	int err = mock_exporter_record(exporter, MOCK_PIN, DMA_NONE);

	if (!err)
		balance_add(exporter, &exporter->nr_pinned);
	return err;
}

static void mock_unpin(struct dma_buf_attachment *attach)
{
	struct mock_exporter *exporter = attach->dmabuf->priv;

	mock_exporter_record(exporter, MOCK_UNPIN, DMA_NONE);
	balance_drop(exporter, &exporter->nr_pinned);
}

/* An IOMMU may put all pages behind one address; the other entries stay 0. */
static void merge_table(struct mock_exporter *exporter, struct sg_table *sgt)
{
	sg_dma_address(sgt->sgl) = mock_dma_address(exporter, 0);
	sg_dma_len(sgt->sgl) = mock_exporter_size(exporter);
	sgt->nents = 1;
}

/* Fill in pages and addresses, one entry for each page. */
static void fill_table(struct mock_exporter *exporter, struct sg_table *sgt)
{
	bool merge = exporter->config.flags & MOCK_MERGE;
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(sgt, sg, i) {
		sg_set_page(sg, virt_to_page(exporter->pages + i * PAGE_SIZE),
			    PAGE_SIZE, 0);
		sg_dma_address(sg) = merge ? 0 : mock_dma_address(exporter, i);
		sg_dma_len(sg) = merge ? 0 : PAGE_SIZE;
	}
	if (merge)
		merge_table(exporter, sgt);
}

/* What a map callback does: note the call, make a table, and keep books. */
static struct sg_table *make_mapping(struct dma_buf_attachment *attach,
				     enum dma_data_direction dir,
				     enum mock_op op, gfp_t gfp)
{
	struct mock_exporter *exporter = attach->dmabuf->priv;
	int err = mock_exporter_record(exporter, op, dir);
	struct mock_mapping *mapping;

	if (err)
		return err < 0 ? ERR_PTR(err) : NULL;

	mapping = kzalloc(sizeof(*mapping), gfp);
	if (!mapping)
		return ERR_PTR(-ENOMEM);
	err = sg_alloc_table(&mapping->sgt, exporter->config.nr_pages, gfp);
	if (err) {
		kfree(mapping);
		return ERR_PTR(err);
	}

	fill_table(exporter, &mapping->sgt);
	mapping->attach = attach;
	mapping->dir = dir;
	scoped_guard(spinlock_irqsave, &exporter->lock) {
		list_add(&mapping->node, &exporter->mappings);
		exporter->nr_mapped++;
	}
	return &mapping->sgt;
}

static struct sg_table *mock_map(struct dma_buf_attachment *attach,
				 enum dma_data_direction dir)
{
	return make_mapping(attach, dir, MOCK_MAP, GFP_KERNEL);
}

#if DMABUF_OURS
static struct sg_table *mock_try_map(struct dma_buf_attachment *attach,
				     enum dma_data_direction dir)
{
	return make_mapping(attach, dir, MOCK_TRY_MAP, GFP_NOWAIT);
}
#endif

/* Take the mapping of @sgt off the books; NULL if it is none of ours. */
static struct mock_mapping *claim_mapping(struct mock_exporter *exporter,
					  struct sg_table *sgt)
{
	struct mock_mapping *mapping;

	scoped_guard(spinlock_irqsave, &exporter->lock) {
		list_for_each_entry(mapping, &exporter->mappings, node) {
			if (&mapping->sgt != sgt)
				continue;
			list_del(&mapping->node);
			exporter->nr_mapped--;
			return mapping;
		}
		exporter->nr_strays++;
	}
	return NULL;
}

/* A table that an importer wrote to, or gave back otherwise than it got it. */
static bool table_intact(struct mock_exporter *exporter,
			 const struct mock_mapping *mapping)
{
	struct scatterlist *sg;
	unsigned int i;

	if (mapping->sgt.orig_nents != exporter->config.nr_pages)
		return false;
	for_each_sgtable_sg(&mapping->sgt, sg, i) {
		if (sg_page(sg) != virt_to_page(exporter->pages + i * PAGE_SIZE))
			return false;
	}
	return true;
}

static void mock_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		       enum dma_data_direction dir)
{
	struct mock_exporter *exporter = attach->dmabuf->priv;
	struct mock_mapping *mapping;

	mock_exporter_record(exporter, MOCK_UNMAP, dir);
	exporter->unmap_dir = dir;
	mapping = claim_mapping(exporter, sgt);
	if (!mapping)
		return;

	if (mapping->attach != attach || mapping->dir != dir ||
	    !table_intact(exporter, mapping)) {
		scoped_guard(spinlock_irqsave, &exporter->lock)
			exporter->nr_strays++;
	}
	sg_free_table(&mapping->sgt);
	kfree(mapping);
}

#if DMABUF_OURS
static int mock_get_pfn(struct dma_buf_attachment *attach, pgoff_t pgoff,
			u64 *pfn, unsigned int *max_order)
{
	struct mock_exporter *exporter = attach->dmabuf->priv;
	int err = mock_exporter_record(exporter, MOCK_GET_PFN, DMA_NONE);

	if (err)
		return err;
	*pfn = page_to_pfn(virt_to_page(exporter->pages)) + pgoff +
	       exporter->pfn_skew;
	*max_order = exporter->pfn_order;
	return 0;
}
#endif

static int mock_begin_cpu(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return mock_exporter_record(dmabuf->priv, MOCK_BEGIN_CPU, dir);
}

static int mock_end_cpu(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return mock_exporter_record(dmabuf->priv, MOCK_END_CPU, dir);
}

static int mock_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct mock_exporter *exporter = dmabuf->priv;

	exporter->mmap_pgoff = vma->vm_pgoff;
	exporter->mmap_pages = vma_pages(vma);
	exporter->mmap_file = vma->vm_file;
	return mock_exporter_record(exporter, MOCK_MMAP, DMA_NONE);
}

static int mock_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct mock_exporter *exporter = dmabuf->priv;
	int err = mock_exporter_record(exporter, MOCK_VMAP, DMA_NONE);

	if (err)
		return err;
	if (exporter->config.flags & MOCK_IOMEM)
		iosys_map_set_vaddr_iomem(map, (void __iomem __force *)exporter->pages);
	else
		iosys_map_set_vaddr(map, exporter->pages);
	balance_add(exporter, &exporter->nr_vmapped);
	return 0;
}

static void mock_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct mock_exporter *exporter = dmabuf->priv;

	mock_exporter_record(exporter, MOCK_VUNMAP, DMA_NONE);
	balance_drop(exporter, &exporter->nr_vmapped);
}

static void mock_release(struct dma_buf *dmabuf)
{
	struct mock_exporter *exporter = dmabuf->priv;

	mock_exporter_record(exporter, MOCK_RELEASE, DMA_NONE);
	exporter->resv = NULL;
	complete(&exporter->released);
}

/* The ops table that @config describes. */
static void fill_ops(struct dma_buf_ops *ops,
		     const struct mock_exporter_config *config)
{
	unsigned long has = ~config->without;
	bool movable = config->flags & MOCK_MOVABLE;
	bool maps = !(config->flags & MOCK_NO_MAP);

	ops->cache_sgt_mapping = config->flags & MOCK_CACHED;
	ops->attach = has & BIT(MOCK_ATTACH) ? mock_attach : NULL;
	ops->detach = has & BIT(MOCK_DETACH) ? mock_detach : NULL;
	ops->pin = movable && has & BIT(MOCK_PIN) ? mock_pin : NULL;
	ops->unpin = movable && has & BIT(MOCK_UNPIN) ? mock_unpin : NULL;
	ops->map_dma_buf = maps && has & BIT(MOCK_MAP) ? mock_map : NULL;
	ops->unmap_dma_buf = maps && has & BIT(MOCK_UNMAP) ? mock_unmap : NULL;
	ops->begin_cpu_access = has & BIT(MOCK_BEGIN_CPU) ? mock_begin_cpu : NULL;
	ops->end_cpu_access = has & BIT(MOCK_END_CPU) ? mock_end_cpu : NULL;
	ops->mmap = has & BIT(MOCK_MMAP) ? mock_mmap : NULL;
	ops->vmap = has & BIT(MOCK_VMAP) ? mock_vmap : NULL;
	ops->vunmap = has & BIT(MOCK_VUNMAP) ? mock_vunmap : NULL;
	ops->release = has & BIT(MOCK_RELEASE) ? mock_release : NULL;
#if DMABUF_OURS
	if (config->flags & MOCK_PFN)
		ops->get_pfn = mock_get_pfn;
	if (config->flags & MOCK_TRY)
		ops->try_map_dma_buf = mock_try_map;
#endif
}

/* Everything that was done has been undone, and release ran once. */
static void expect_balanced(struct mock_exporter *exporter)
{
	struct kunit *test = exporter->test;

	if (exporter->ops.detach)
		KUNIT_EXPECT_EQ_MSG(test, exporter->nr_attached, 0, "attachments left");
	KUNIT_EXPECT_EQ_MSG(test, exporter->nr_pinned, 0, "pins left");
	KUNIT_EXPECT_EQ_MSG(test, exporter->nr_mapped, 0, "mappings left");
	if (exporter->ops.vunmap)
		KUNIT_EXPECT_EQ_MSG(test, exporter->nr_vmapped, 0, "vmaps left");
	KUNIT_EXPECT_EQ_MSG(test, exporter->nr_strays, 0, "undone too often, or wrongly");
	KUNIT_EXPECT_EQ_MSG(test, exporter->count[MOCK_RELEASE], 1, "release calls");
}

static void mock_exporter_fini(void *data)
{
	struct mock_exporter *exporter = data;
	bool exported = exporter->exported;

	mock_exporter_put(exporter);
	if (exported && !mock_exporter_is_released(exporter)) {
		/* Somebody may still call us: leave the memory alone. */
		KUNIT_FAIL(exporter->test, "the buffer was never released");
		return;
	}
	if (exported)
		expect_balanced(exporter);
	free_pages_exact(exporter->pages, mock_exporter_size(exporter));
	kfree(exporter);
}

/**
 * mock_exporter_alloc() - make an exporter that has not exported yet
 * @test: whom it is for; clean-up is registered with it
 * @config: what it shall be
 *
 * Context: Test case.
 * Return: the exporter, owned by @test. Never fails: it ends the test instead.
 */
struct mock_exporter *mock_exporter_alloc(struct kunit *test,
					  const struct mock_exporter_config *config)
{
	struct mock_exporter *exporter = kzalloc(sizeof(*exporter), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, exporter);
	exporter->test = test;
	exporter->config = *config;
	exporter->config.nr_pages = config->nr_pages ?: MOCK_NR_PAGES;
	spin_lock_init(&exporter->lock);
	init_completion(&exporter->released);
	INIT_LIST_HEAD(&exporter->mappings);
	exporter->pages = alloc_pages_exact(mock_exporter_size(exporter),
					    GFP_KERNEL | __GFP_ZERO);
	if (!exporter->pages) {
		kfree(exporter);
		exporter = NULL;
	}
	KUNIT_ASSERT_NOT_NULL(test, exporter);
	exporter->pfn_order = ilog2(exporter->config.nr_pages);

	fill_ops(&exporter->ops, config);
	exporter->info = (struct dma_buf_export_info) {
		.exp_name = "mock_exporter",
		.owner = THIS_MODULE,
		.ops = &exporter->ops,
		.size = mock_exporter_size(exporter),
		.flags = O_RDWR | O_CLOEXEC,
		.resv = config->resv,
		.priv = exporter,
	};
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, mock_exporter_fini,
							exporter), 0);
	return exporter;
}

/**
 * mock_exporter_try_export() - export the buffer, if the core takes it
 * @exporter: from mock_exporter_alloc()
 *
 * Context: Test case.
 * Return: 0, or the core's errno.
 */
int mock_exporter_try_export(struct mock_exporter *exporter)
{
	struct dma_buf *dmabuf = dma_buf_export(&exporter->info);

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	exporter->dmabuf = dmabuf;
	exporter->resv = dmabuf->resv;
	exporter->exported = true;
	return 0;
}

/**
 * mock_exporter_export() - export the buffer, which has to succeed
 * @exporter: from mock_exporter_alloc()
 *
 * Context: Test case.
 */
void mock_exporter_export(struct mock_exporter *exporter)
{
	KUNIT_ASSERT_EQ(exporter->test, mock_exporter_try_export(exporter), 0);
}

/**
 * mock_exporter_create() - an exporter with an exported buffer
 * @test: whom it is for
 * @config: what it shall be
 *
 * Context: Test case.
 * Return: the exporter, owned by @test.
 */
struct mock_exporter *mock_exporter_create(struct kunit *test,
					   const struct mock_exporter_config *config)
{
	struct mock_exporter *exporter = mock_exporter_alloc(test, config);

	mock_exporter_export(exporter);
	return exporter;
}

/**
 * mock_exporter_destroy() - do at once what the end of the test would do
 * @exporter: the exporter; freed
 *
 * Context: Test case.
 */
void mock_exporter_destroy(struct mock_exporter *exporter)
{
	kunit_release_action(exporter->test, mock_exporter_fini, exporter);
}

/**
 * mock_exporter_put() - drop the fixture's reference before the test ends
 * @exporter: the exporter; nothing happens if the reference is gone already
 *
 * &mock_exporter.dmabuf is NULL afterwards.
 *
 * Context: Process context.
 */
void mock_exporter_put(struct mock_exporter *exporter)
{
	struct dma_buf *dmabuf = exporter->dmabuf;

	if (!dmabuf)
		return;
	exporter->dmabuf = NULL;
	dma_buf_put(dmabuf);
}

/**
 * mock_exporter_is_released() - wait a while for the release callback
 * @exporter: the exporter
 *
 * The last reference that a kernel thread drops is handed to a work item.
 *
 * Context: Process context, sleeps.
 * Return: true if the callback ran, false if a few seconds were not enough.
 */
bool mock_exporter_is_released(struct mock_exporter *exporter)
{
	flush_delayed_fput();
	if (!wait_for_completion_timeout(&exporter->released, MOCK_RELEASE_TIMEOUT))
		return false;
	/* Leave it completed for whoever asks next. */
	complete(&exporter->released);
	return true;
}

/**
 * mock_exporter_fail() - make a call fail
 * @exporter: the exporter
 * @op: which callback
 * @nth: 1 for the next call, 2 for the one after it, ...; 0 takes it back
 * @err: negative errno; 0 lets map_dma_buf return NULL
 *
 * Context: Any.
 */
void mock_exporter_fail(struct mock_exporter *exporter, enum mock_op op,
			unsigned int nth, int err)
{
	scoped_guard(spinlock_irqsave, &exporter->lock) {
		exporter->fail_nth[op] = nth;
		exporter->fail_errno[op] = err;
	}
}

/**
 * mock_exporter_move() - put the buffer somewhere else
 * @exporter: an exporter with a buffer
 *
 * Tables handed out before keep their old addresses; later ones differ.
 *
 * Context: Process context. Takes the reservation lock.
 */
void mock_exporter_move(struct mock_exporter *exporter)
{
	struct dma_resv *resv = exporter->dmabuf->resv;

	dma_resv_lock(resv, NULL);
	exporter->place++;
	dma_buf_move_notify(exporter->dmabuf);
	dma_resv_unlock(resv);
}

/**
 * mock_exporter_add_fence() - let the buffer be busy
 * @exporter: an exporter with a buffer
 * @fence: what to wait for; borrowed
 * @usage: who has to wait for it
 *
 * Context: Test case. Takes the reservation lock.
 */
void mock_exporter_add_fence(struct mock_exporter *exporter,
			     struct dma_fence *fence, enum dma_resv_usage usage)
{
	struct dma_resv *resv = exporter->dmabuf->resv;
	int err;

	dma_resv_lock(resv, NULL);
	err = dma_resv_reserve_fences(resv, 1);
	if (!err)
		dma_resv_add_fence(resv, fence, usage);
	dma_resv_unlock(resv);
	KUNIT_ASSERT_EQ(exporter->test, err, 0);
}

/**
 * mock_user_page() - a page of user memory
 * @test: the test case
 * @prot: PROT_READ, PROT_WRITE
 *
 * Context: Thread of the test case, which ends here if there is none.
 * Return: the address; vm_munmap() or the end of the thread frees it.
 */
unsigned long mock_user_page(struct kunit *test, unsigned long prot)
{
	unsigned long user = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, prot,
					   MAP_ANONYMOUS | MAP_PRIVATE, 0);

	KUNIT_ASSERT_NE(test, user, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(user));
	return user;
}

/**
 * mock_exporter_ioctl() - what user space does with the descriptor
 * @exporter: an exporter with a buffer
 * @cmd: number of the ioctl
 * @arg: its argument, copied to user memory and back; NULL passes a pointer
 *	that nothing is mapped at
 * @size: of @arg, at most a page
 *
 * Context: Thread of the test case, which ends here if there is no user memory.
 * Return: what the ioctl returns.
 */
long mock_exporter_ioctl(struct mock_exporter *exporter, unsigned int cmd,
			 void *arg, size_t size)
{
	struct kunit *test = exporter->test;
	unsigned long user = mock_user_page(test, PROT_READ | PROT_WRITE);
	struct file *file = exporter->dmabuf->file;
	long ret;

	if (!arg)
		return file->f_op->unlocked_ioctl(file, cmd, MOCK_BAD_POINTER);
	KUNIT_ASSERT_EQ(test, copy_to_user((void __user *)user, arg, size), 0);
	ret = file->f_op->unlocked_ioctl(file, cmd, user);
	KUNIT_ASSERT_EQ(test, copy_from_user(arg, (void __user *)user, size), 0);
	vm_munmap(user, PAGE_SIZE);
	return ret;
}

/**
 * mock_interrupt_begin() - make interruptible waits of this thread fail
 *
 * Context: Thread of a test case, until mock_interrupt_end().
 */
void mock_interrupt_begin(void)
{
	allow_signal(SIGUSR1);
	send_sig(SIGUSR1, current, 1);
}

/**
 * mock_interrupt_end() - undo mock_interrupt_begin()
 *
 * Context: Thread of a test case.
 */
void mock_interrupt_end(void)
{
	flush_signals(current);
	disallow_signal(SIGUSR1);
}

/* Are all tables that importers have still as the exporter made them? */
bool mock_exporter_tables_intact(struct mock_exporter *exporter)
{
	struct mock_mapping *mapping;
	bool intact = true;

	scoped_guard(spinlock_irqsave, &exporter->lock) {
		list_for_each_entry(mapping, &exporter->mappings, node)
			intact &= table_intact(exporter, mapping);
	}
	return intact;
}

/* How often was @op called? */
unsigned int mock_exporter_calls(struct mock_exporter *exporter, enum mock_op op)
{
	unsigned int calls = 0;

	scoped_guard(spinlock_irqsave, &exporter->lock)
		calls = exporter->count[op];
	return calls;
}

/* Is the log equal to @ops? Says what it holds otherwise. */
bool mock_exporter_log_is(struct mock_exporter *exporter,
			  const enum mock_op *ops, unsigned int nr_ops)
{
	bool same = exporter->nr_log == nr_ops;
	unsigned int i;

	for (i = 0; same && i < nr_ops; i++)
		same = exporter->log[i].op == ops[i];
	for (i = 0; !same && i < exporter->nr_log; i++)
		kunit_info(exporter->test, "call %u was %s\n", i,
			   mock_op_name(exporter->log[i].op));
	return same;
}

/* Forget the log and the counters; balances stay. */
void mock_exporter_forget(struct mock_exporter *exporter)
{
	scoped_guard(spinlock_irqsave, &exporter->lock) {
		exporter->nr_log = 0;
		memset(exporter->count, 0, sizeof(exporter->count));
		memset(exporter->count_held, 0, sizeof(exporter->count_held));
	}
}
