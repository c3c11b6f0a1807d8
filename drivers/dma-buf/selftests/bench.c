// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/dmabuf_bench: the kernel's part of tools/dma-buf/bench.
 *
 * Repeats operations that no system call reaches by itself and tells how long they took; makes
 * buffers and fences for those that one does reach. All files of the benchmark use nothing but
 * the interface that Linux 6.12 gives to drivers, so that the very same files measure the
 * subsystem that they are built with, whichever that is. To add an operation: one function and one
 * line in dmabuf_bench_ops[].
 */
#include <linux/capability.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-mapping.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sync_file.h>
#include <linux/task_work.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "bench.h"
#include "bench_run.h"

#define BENCH_RUN(function)	function
#include "bench_ops.h"

bool bench_in_ns;
u64 bench_overhead;
struct device *bench_device;

/* Choose the clock, and find out what reading it costs. */
void bench_init_clock(bool in_ns)
{
	u64 least = U64_MAX;

	bench_in_ns = in_ns || IS_ENABLED(CONFIG_UML);
	bench_overhead = 0;
	for (int i = 0; i < 100; i++) {
		struct bench bench = {};

		bench_start(&bench);
		bench_stop(&bench);
		least = min(least, bench.ticks);
	}
	bench_overhead = least;
}

/* Let go of the files whose last reference this task has dropped. */
void bench_flush_files(void)
{
	if (current->flags & PF_KTHREAD)
		flush_delayed_fput();
	else
		task_work_run();
}

/* Where no interrupt does it at once, do it now. */
void bench_flush_irq_work(void)
{
	if (IS_ENABLED(CONFIG_X86) && !IS_ENABLED(CONFIG_UML))
		return;
	local_irq_disable();
	irq_work_run();
	local_irq_enable();
}

/* Let workers release what was left to them. */
void bench_flush_work(void)
{
	__flush_workqueue(system_wq);
}

/* Free what is left to RCU, so that what happened before does not count. */
void bench_flush_rcu(void)
{
	rcu_barrier();
	kvfree_rcu_barrier();
}

/* A run between two grace periods. */
#define SETTLED_TIMES	100

/*
 * For an operation that leaves memory to RCU: whether a short run is interrupted to free that
 * of the last one is chance. Begin it with nothing to free, and make it worth the wait.
 */
void bench_settle(struct bench *bench)
{
	if (bench->times >= SETTLED_TIMES)
		return;
	bench_flush_rcu();
	bench->times = SETTLED_TIMES;
	bench->items = SETTLED_TIMES;
}

/* Run @op on the buffer of its descriptor, or one without memory. */
int bench_run(const struct dmabuf_bench_op *op, struct bench *bench)
{
	int ret;

	if (!bench_device)
		return -ENODEV;
	bench->items = bench->times;
	if (op->needs_fd)
		return op->run(bench);

	bench->dmabuf = bench->fd < 0 ? bench_export(&bench_static_ops) : dma_buf_get(bench->fd);
	if (IS_ERR(bench->dmabuf))
		return PTR_ERR(bench->dmabuf);
	ret = op->run(bench);
	dma_buf_put(bench->dmabuf);
	bench_flush_files();
	return ret;
}

static const struct dmabuf_bench_op *bench_op_find(const char *name)
{
	const struct dmabuf_bench_op *op;

	for (op = dmabuf_bench_ops; op < dmabuf_bench_ops + ARRAY_SIZE(dmabuf_bench_ops); op++)
		if (!strcmp(op->name, name))
			return op;
	return NULL;
}

static bool run_is_valid(const struct dmabuf_bench_run *arg)
{
	return arg->times && arg->times <= DMABUF_BENCH_MAX_TIMES &&
	       arg->n <= DMABUF_BENCH_MAX_N && !arg->pad &&
	       strnlen(arg->op, sizeof(arg->op)) < sizeof(arg->op);
}

static long ioctl_run(void __user *argp)
{
	const struct dmabuf_bench_op *op;
	struct dmabuf_bench_run arg;
	struct bench bench = {};
	int ret;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (!run_is_valid(&arg))
		return -EINVAL;
	op = bench_op_find(arg.op);
	if (!op)
		return -ENOENT;
	if (op->sizes[0] && !arg.n)
		return -EINVAL;

	bench.fd = arg.fd;
	bench.n = arg.n;
	bench.times = arg.times;
	ret = bench_run(op, &bench);
	if (ret)
		return ret;

	arg.items = bench.items;
	arg.cycles = bench.ticks;
	return copy_to_user(argp, &arg, sizeof(arg)) ? -EFAULT : 0;
}

static long ioctl_export(void)
{
	struct dma_buf *dmabuf = bench_export(&bench_static_ops);
	int fd;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(dmabuf);
	return fd;
}

/*
 * What an open device has: the fences that it has made and not yet signaled, oldest first, and the
 * memory behind its mappings.
 */
struct bench_file {
	struct mutex lock;		/* of all below */
	struct list_head fences;	/* each with a reference */
	u64 seqno;			/* of the last that went to a buffer */
	u64 context;			/* of the next that goes to a sync_file */
	struct bench_blocks *blocks;	/* of its mappings, once there is one */
};

/* A fence that bench_file_signal() signals. */
static struct dma_fence *file_fence(struct bench_file *bfile, u64 context, u64 seqno)
{
	struct dma_fence *fence = bench_fence_create(context, seqno);

	lockdep_assert_held(&bfile->lock);
	if (fence)
		list_add_tail(&container_of(fence, struct bench_fence, base)->link,
			      &bfile->fences);
	return fence;
}

static void bench_file_signal(struct bench_file *bfile, unsigned long nr)
{
	struct bench_fence *fence, *next;

	lockdep_assert_held(&bfile->lock);
	list_for_each_entry_safe(fence, next, &bfile->fences, link) {
		if (!nr--)
			return;
		list_del(&fence->link);
		dma_fence_signal(&fence->base);
		dma_fence_put(&fence->base);
	}
}

/* The same @n timelines each time, each with its next fence. */
static int make_busy(struct bench_file *bfile, struct dma_resv *resv, unsigned int n,
		     enum dma_resv_usage usage)
{
	struct dma_fence *fence;
	int ret;

	dma_resv_assert_held(resv);
	bfile->seqno++;
	ret = dma_resv_reserve_fences(resv, n);
	for (unsigned int i = 0; i < n && !ret; i++) {
		fence = file_fence(bfile, BENCH_CONTEXT + i, bfile->seqno);
		if (fence)
			dma_resv_add_fence(resv, fence, usage);
		else
			ret = -ENOMEM;
	}
	return ret;
}

static long ioctl_fences(struct bench_file *bfile, void __user *argp)
{
	struct dmabuf_bench_fences arg;
	int ret;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (!arg.n || arg.n > DMABUF_BENCH_MAX_N || arg.write > 1)
		return -EINVAL;
	struct dma_buf *dmabuf __free(bench_buf) = dma_buf_get(arg.fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	guard(mutex)(&bfile->lock);
	dma_resv_lock(dmabuf->resv, NULL);
	ret = make_busy(bfile, dmabuf->resv, arg.n,
			arg.write ? DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ);
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

static long ioctl_signal(struct bench_file *bfile, unsigned long nr)
{
	guard(mutex)(&bfile->lock);
	bench_file_signal(bfile, nr);
	return 0;
}

static void put_all(struct dma_fence **fences, unsigned int nr)
{
	while (nr)
		dma_fence_put(fences[--nr]);
	kfree(fences);
}

/* @n pending fences of timelines of their own, as one. */
static struct dma_fence *file_fences(struct bench_file *bfile, unsigned int n)
{
	struct dma_fence_array *array;
	struct dma_fence **fences;

	if (n == 1)
		return dma_fence_get(file_fence(bfile, bfile->context++, 1));

	fences = kcalloc(n, sizeof(*fences), GFP_KERNEL);
	if (!fences)
		return NULL;
	for (unsigned int i = 0; i < n; i++) {
		fences[i] = dma_fence_get(file_fence(bfile, bfile->context++, 1));
		if (!fences[i]) {
			put_all(fences, i);
			return NULL;
		}
	}
	array = dma_fence_array_create(n, fences, bfile->context++, 1, false);
	if (!array)
		put_all(fences, n);
	return array ? &array->base : NULL;
}

#if IS_ENABLED(CONFIG_SYNC_FILE)
static long ioctl_sync_file(struct bench_file *bfile, unsigned long n)
{
	struct sync_file *sync_file;

	if (!n || n > DMABUF_BENCH_MAX_N)
		return -EINVAL;

	guard(mutex)(&bfile->lock);
	struct dma_fence *fence __free(bench_fence) = file_fences(bfile, n);
	if (!fence)
		return -ENOMEM;
	CLASS(get_unused_fd, fd)(O_CLOEXEC);
	if (fd < 0)
		return fd;
	sync_file = sync_file_create(fence);
	if (!sync_file)
		return -ENOMEM;
	fd_install(fd, sync_file->file);
	return take_fd(fd);
}
#else
static long ioctl_sync_file(struct bench_file *bfile, unsigned long n)
{
	return -EOPNOTSUPP;
}
#endif

static long bench_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct bench_file *bfile = file->private_data;

	switch (cmd) {
	case DMABUF_BENCH_IOC_NOP:
		return 0;
	case DMABUF_BENCH_IOC_EXPORT:
		return ioctl_export();
	case DMABUF_BENCH_IOC_RUN:
		return ioctl_run((void __user *)arg);
	case DMABUF_BENCH_IOC_FENCES:
		return ioctl_fences(bfile, (void __user *)arg);
	case DMABUF_BENCH_IOC_SIGNAL:
		return ioctl_signal(bfile, arg);
	case DMABUF_BENCH_IOC_SYNC_FILE:
		return ioctl_sync_file(bfile, arg);
	case DMABUF_BENCH_IOC_FLUSH_RCU:
		bench_flush_rcu();
		return 0;
	default:
		return -ENOTTY;
	}
}

static int bench_open(struct inode *inode, struct file *file)
{
	struct bench_file *bfile;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	bfile = kzalloc(sizeof(*bfile), GFP_KERNEL);
	if (!bfile)
		return -ENOMEM;
	mutex_init(&bfile->lock);
	INIT_LIST_HEAD(&bfile->fences);
	/* Not among those of make_busy(). */
	bfile->context = BENCH_CONTEXT + BIT_ULL(32);
	file->private_data = bfile;
	return 0;
}

static int bench_release(struct inode *inode, struct file *file)
{
	struct bench_file *bfile = file->private_data;

	ioctl_signal(bfile, ULONG_MAX);
	bench_blocks_free(bfile->blocks);
	kfree(bfile);
	return 0;
}

static int bench_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct bench_file *bfile = file->private_data;

	guard(mutex)(&bfile->lock);
	if (!bfile->blocks)
		bfile->blocks = bench_blocks_create();
	if (!bfile->blocks)
		return -ENOMEM;
	return bench_blocks_mmap(bfile->blocks, vma);
}

static const struct file_operations bench_fops = {
	.owner		= THIS_MODULE,
	.open		= bench_open,
	.release	= bench_release,
	.unlocked_ioctl	= bench_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.mmap		= bench_mmap,
	.get_unmapped_area = thp_get_unmapped_area,
};

static struct miscdevice bench_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= DMABUF_BENCH_NAME,
	.fops	= &bench_fops,
	.mode	= 0600,
};

/* The device is an importer, too, and reaches all of memory if it reaches any. */
static int __init bench_init(void)
{
	int ret;

	bench_init_clock(false);
	ret = misc_register(&bench_misc);
	if (ret)
		return ret;
	if (IS_ENABLED(CONFIG_HAS_DMA))
		ret = dma_coerce_mask_and_coherent(bench_misc.this_device, DMA_BIT_MASK(64));
	if (ret)
		misc_deregister(&bench_misc);
	else
		bench_device = bench_misc.this_device;
	return ret;
}
device_initcall(bench_init);

MODULE_IMPORT_NS(DMA_BUF);
