// SPDX-License-Identifier: GPL-2.0
/*
 * Floors: what the same kernel takes for the parts that no implementation of a dma-buf, fence or
 * reservation does without. Nothing in here is the subsystem's.
 */
#include <linux/anon_inodes.h>
#include <linux/completion.h>
#include <linux/dma-fence-array.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/kthread.h>
#include <linux/log2.h>
#include <linux/memfd.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/ww_mutex.h>
#include <linux/xarray.h>

#include "bench_run.h"

int run_atomic(struct bench *bench)
{
	atomic_t count = ATOMIC_INIT(0);

	bench_measure(bench, {
		atomic_inc(&count);
		atomic_dec(&count);
	});
	return 0;
}

int run_spin(struct bench *bench)
{
	spinlock_t lock;	/* of nothing */
	unsigned long flags;

	spin_lock_init(&lock);
	bench_measure(bench, {
		spin_lock_irqsave(&lock, flags);
		spin_unlock_irqrestore(&lock, flags);
	});
	return 0;
}

int run_mutex(struct bench *bench)
{
	struct mutex lock;	/* of nothing */

	mutex_init(&lock);
	bench_measure(bench, {
		mutex_lock(&lock);
		mutex_unlock(&lock);
	});
	return 0;
}

static DEFINE_WW_CLASS(floor_ww_class);

static int ww_mutex_once(struct ww_mutex *lock)
{
	int ret = ww_mutex_lock(lock, NULL);

	ww_mutex_unlock(lock);
	return ret;
}

int run_ww_mutex(struct bench *bench)
{
	struct ww_mutex lock;
	int ret = 0;

	ww_mutex_init(&lock, &floor_ww_class);
	bench_measure(bench, ret |= ww_mutex_once(&lock));
	ww_mutex_destroy(&lock);
	return ret;
}

int run_ktime(struct bench *bench)
{
	bench_measure(bench, ktime_get());
	return 0;
}

int run_kmalloc(struct bench *bench)
{
	bench_measure(bench, {
		void *mem = kmalloc(64, GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(mem);
		kfree(mem);
	});
	return 0;
}

int run_kzalloc(struct bench *bench)
{
	bench_measure(bench, {
		void *mem = kzalloc(512, GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(mem);
		kfree(mem);
	});
	return 0;
}

struct floor_rcu {
	struct rcu_head rcu;
	char rest[128 - sizeof(struct rcu_head)];
};

int run_kfree_rcu(struct bench *bench)
{
	bench_measure(bench, {
		struct floor_rcu *mem = kzalloc(sizeof(*mem), GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(mem);
		if (mem)
			kfree_rcu(mem, rcu);
	});
	return 0;
}

int run_clear_page(struct bench *bench)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page)
		return -ENOMEM;
	bench_measure(bench, clear_highpage(page));
	__free_page(page);
	return 0;
}

static int pages_once(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages(gfp, order);

	if (!page)
		return -ENOMEM;
	__free_pages(page, order);
	return 0;
}

/* n pages in one piece. */
static int repeat_pages(struct bench *bench, gfp_t gfp)
{
	unsigned int order = ilog2(bench->n);
	int ret = 0;

	bench_measure(bench, ret |= pages_once(gfp, order));
	return ret;
}

int run_pages(struct bench *bench)
{
	return repeat_pages(bench, GFP_KERNEL | __GFP_NOWARN);
}

int run_zeroed_pages(struct bench *bench)
{
	return repeat_pages(bench, GFP_KERNEL | __GFP_NOWARN | __GFP_ZERO);
}

static const struct file_operations floor_fops;

static int put_file(struct file *file)
{
	if (IS_ERR(file))
		return PTR_ERR(file);
	__fput_sync(file);
	return 0;
}

/* A file on the inode that all anonymous files share. */
int run_anon_file(struct bench *bench)
{
	int ret = 0;

	bench_settle(bench);
	bench_measure(bench, ret |= put_file(anon_inode_getfile("[bench]", &floor_fops, NULL,
								O_RDWR)));
	return ret;
}

/* A file with an inode of its own, as a buffer's. */
int run_own_inode_file(struct bench *bench)
{
	int ret = 0;

	bench_settle(bench);
	bench_measure(bench, ret |= put_file(anon_inode_create_getfile("[bench]", &floor_fops,
								       NULL, O_RDWR, NULL)));
	return ret;
}

struct pingpong {
	struct completion ping;
	struct completion pong;
	bool over;		/* told by the last ball */
};

static int pingpong_partner(void *data)
{
	struct pingpong *game = data;

	for (;;) {
		wait_for_completion(&game->ping);
		if (game->over)
			return 0;
		complete(&game->pong);
	}
}

/* To another task and back. */
int run_pingpong(struct bench *bench)
{
	struct pingpong game = {};
	struct task_struct *partner;

	init_completion(&game.ping);
	init_completion(&game.pong);
	partner = kthread_create(pingpong_partner, &game, "bench_pingpong");
	if (IS_ERR(partner))
		return PTR_ERR(partner);
	get_task_struct(partner);	/* Dropped by kthread_stop_put(). */
	wake_up_process(partner);

	complete(&game.ping);
	wait_for_completion(&game.pong);
	bench_measure(bench, {
		complete(&game.ping);
		wait_for_completion(&game.pong);
	});
	game.over = true;
	complete(&game.ping);
	kthread_stop_put(partner);
	return 0;
}

static int fill_xarray(struct xarray *xa, unsigned int n)
{
	int ret = 0;

	for (unsigned int i = 0; i < n && !ret; i++)
		ret = xa_err(xa_store(xa, i, xa_mk_value(i), GFP_KERNEL));
	return ret;
}

/* The last of n entries. */
int run_xa_load(struct bench *bench)
{
	struct xarray xa;
	int ret;

	xa_init(&xa);
	ret = fill_xarray(&xa, bench->n);
	bench_measure(bench, xa_load(&xa, bench->n - 1));
	xa_destroy(&xa);
	return ret;
}

static struct dma_fence *linear_merge(struct bench_fences *a, struct bench_fences *b)
{
	unsigned int i = 0, j = 0, nr = 0;
	struct dma_fence **to, *next;
	struct dma_fence_array *array;

	to = kmalloc_array(a->n + b->n, sizeof(*to), GFP_KERNEL);
	if (!to)
		return NULL;
	while (i < a->n || j < b->n) {
		if (j == b->n || (i < a->n && a->fence[i]->context < b->fence[j]->context))
			next = a->fence[i++];
		else
			next = b->fence[j++];
		if (!dma_fence_is_signaled(next))
			to[nr++] = dma_fence_get(next);
	}
	array = dma_fence_array_create(nr, to, BENCH_CONTEXT, 1, false);
	return array ? &array->base : NULL;
}

/* Two lists of n fences, sorted by context, to one. */
int run_linear_merge(struct bench *bench)
{
	struct bench_fences *even __free(bench_fences) =
		bench_fences_create(bench->n, BENCH_CONTEXT, 2);
	struct bench_fences *odd __free(bench_fences) =
		bench_fences_create(bench->n, BENCH_CONTEXT + 1, 2);
	struct dma_fence *merged;

	if (!even || !odd)
		return -ENOMEM;
	bench_repeat(bench) {
		bench_start(bench);
		merged = linear_merge(even, odd);
		bench_stop(bench);
		if (!merged)
			return -ENOMEM;
		dma_fence_put(merged);
	}
	return 0;
}

/* What nobody can do without who makes a buffer of a memfd's pages. */
static int memfd_pin_all(struct file *memfd, struct folio **folios, pgoff_t nr_pages)
{
	pgoff_t offset;
	long nr;

	nr = memfd_pin_folios(memfd, 0, ((loff_t)nr_pages << PAGE_SHIFT) - 1,
			      folios, nr_pages, &offset);
	if (nr <= 0)
		return nr ?: -EINVAL;
	unpin_folios(folios, nr);
	return 0;
}

int run_memfd_pin(struct bench *bench)
{
	struct file *memfd __free(fput) = fget(bench->fd);
	pgoff_t nr_pages;
	int ret = 0;

	if (!memfd)
		return -EBADF;
	nr_pages = i_size_read(file_inode(memfd)) >> PAGE_SHIFT;
	struct folio **folios __free(kvfree) =
		kvmalloc_array(nr_pages, sizeof(*folios), GFP_KERNEL);
	if (!folios)
		return -ENOMEM;

	bench_measure(bench, ret = ret ?: memfd_pin_all(memfd, folios, nr_pages));
	return ret;
}
