// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/dmabuf_bench: the kernel's part of tools/dma-buf/bench.
 *
 * Repeats operations that no system call reaches by itself and tells how long they took.
 * It uses nothing but the interface that Linux 6.12 gives to drivers, so that the very
 * same file measures the subsystem that it is built with, whichever that is. To add an
 * operation: one function and one line in bench_ops[].
 */
#include <linux/capability.h>
#include <linux/cleanup.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iosys-map.h>
#include <linux/memfd.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/timex.h>
#include <linux/uaccess.h>

#include "bench.h"

/* One run of an operation; lives on the stack of the ioctl. */
struct bench {
	int fd;
	struct dma_buf *dmabuf;		/* behind fd, if the operation wants a buffer */
	unsigned int times;
	cycles_t began;
	u64 cycles;
};

static struct miscdevice bench_misc;

static void bench_start(struct bench *bench)
{
	bench->began = get_cycles();
}

static void bench_stop(struct bench *bench)
{
	bench->cycles += get_cycles() - bench->began;
}

/*
 * A buffer without memory: what remains is the cost of the core. Its table says
 * that there is a page, as the contract checker reads it.
 */
static struct scatterlist null_sg;
static struct sg_table null_sgt = {
	.sgl = &null_sg, .nents = 1, .orig_nents = 1,
};

static struct sg_table *null_map(struct dma_buf_attachment *attach,
				 enum dma_data_direction direction)
{
	return attach->dmabuf->priv;
}

static void null_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		       enum dma_data_direction direction)
{
}

static int null_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	iosys_map_set_vaddr(map, dmabuf->priv);
	return 0;
}

static void null_release(struct dma_buf *dmabuf)
{
}

static const struct dma_buf_ops null_ops = {
	.map_dma_buf	= null_map,
	.unmap_dma_buf	= null_unmap,
	.vmap		= null_vmap,
	.release	= null_release,
};

static struct dma_buf *null_export(void)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	info.exp_name = DMABUF_BENCH_NAME;
	info.ops = &null_ops;
	info.size = PAGE_SIZE;
	info.flags = O_RDWR;
	info.priv = &null_sgt;
	return dma_buf_export(&info);
}

static int run_export(struct bench *bench)
{
	struct dma_buf *dmabuf;
	unsigned int i;

	bench_start(bench);
	for (i = 0; i < bench->times; i++) {
		dmabuf = null_export();
		if (IS_ERR(dmabuf))
			return PTR_ERR(dmabuf);
		dma_buf_put(dmabuf);
	}
	bench_stop(bench);
	return 0;
}

static int run_attach(struct bench *bench)
{
	struct dma_buf_attachment *attach;
	unsigned int i;

	bench_start(bench);
	for (i = 0; i < bench->times; i++) {
		attach = dma_buf_attach(bench->dmabuf, bench_misc.this_device);
		if (IS_ERR(attach))
			return PTR_ERR(attach);
		dma_buf_detach(bench->dmabuf, attach);
	}
	bench_stop(bench);
	return 0;
}

/* Map and unmap once. */
static int map_pair(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	return 0;
}

/* An attachment that stays: the first mapping is not part of what is measured. */
static int run_map(struct bench *bench)
{
	struct dma_buf_attachment *attach;
	unsigned int i;
	int ret;

	attach = dma_buf_attach(bench->dmabuf, bench_misc.this_device);
	if (IS_ERR(attach))
		return PTR_ERR(attach);

	ret = map_pair(attach);
	bench_start(bench);
	for (i = 0; i < bench->times && !ret; i++)
		ret = map_pair(attach);
	bench_stop(bench);
	dma_buf_detach(bench->dmabuf, attach);
	return ret;
}

/* All that an importer does for one use: attach, map, unmap, detach. */
static int run_import(struct bench *bench)
{
	struct dma_buf_attachment *attach;
	unsigned int i;
	int ret = 0;

	bench_start(bench);
	for (i = 0; i < bench->times && !ret; i++) {
		attach = dma_buf_attach(bench->dmabuf, bench_misc.this_device);
		if (IS_ERR(attach))
			return PTR_ERR(attach);
		ret = map_pair(attach);
		dma_buf_detach(bench->dmabuf, attach);
	}
	bench_stop(bench);
	return ret;
}

static int run_vmap(struct bench *bench)
{
	struct iosys_map map;
	unsigned int i;
	int ret;

	bench_start(bench);
	for (i = 0; i < bench->times; i++) {
		ret = dma_buf_vmap_unlocked(bench->dmabuf, &map);
		if (ret)
			return ret;
		dma_buf_vunmap_unlocked(bench->dmabuf, &map);
	}
	bench_stop(bench);
	return 0;
}

/* What nobody can do without who makes a buffer of a memfd's pages. */
static int memfd_pin_all(struct file *memfd, struct folio **folios, pgoff_t nr_pages,
			 unsigned int times)
{
	pgoff_t offset;
	long nr;

	while (times--) {
		nr = memfd_pin_folios(memfd, 0, ((loff_t)nr_pages << PAGE_SHIFT) - 1,
				      folios, nr_pages, &offset);
		if (nr <= 0)
			return nr ?: -EINVAL;
		unpin_folios(folios, nr);
	}
	return 0;
}

static int run_memfd_pin(struct bench *bench)
{
	struct file *memfd __free(fput) = fget(bench->fd);
	pgoff_t nr_pages;
	int ret;

	if (!memfd)
		return -EBADF;
	nr_pages = i_size_read(file_inode(memfd)) >> PAGE_SHIFT;
	struct folio **folios __free(kvfree) =
		kvmalloc_array(nr_pages, sizeof(*folios), GFP_KERNEL);
	if (!folios)
		return -ENOMEM;

	bench_start(bench);
	ret = memfd_pin_all(memfd, folios, nr_pages, bench->times);
	bench_stop(bench);
	return ret;
}

static const char *bench_fence_name(struct dma_fence *fence)
{
	return DMABUF_BENCH_NAME;
}

static const struct dma_fence_ops bench_fence_ops = {
	.get_driver_name	= bench_fence_name,
	.get_timeline_name	= bench_fence_name,
};

static DEFINE_SPINLOCK(bench_fence_lock);

static struct dma_fence *bench_fence_create(u64 context, u64 seqno)
{
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	if (fence)
		dma_fence_init(fence, &bench_fence_ops, &bench_fence_lock,
			       context, seqno);
	return fence;
}

static int run_fence(struct bench *bench)
{
	u64 context = dma_fence_context_alloc(1);
	struct dma_fence *fence;
	unsigned int i;

	bench_start(bench);
	for (i = 0; i < bench->times; i++) {
		fence = bench_fence_create(context, i + 1);
		if (!fence)
			return -ENOMEM;
		dma_fence_signal(fence);
		dma_fence_put(fence);
	}
	bench_stop(bench);
	return 0;
}

static int run_resv_lock(struct bench *bench)
{
	struct dma_resv resv;
	unsigned int i;

	dma_resv_init(&resv);
	bench_start(bench);
	for (i = 0; i < bench->times; i++) {
		dma_resv_lock(&resv, NULL);
		dma_resv_unlock(&resv);
	}
	bench_stop(bench);
	dma_resv_fini(&resv);
	return 0;
}

/* A frame after the other on one timeline: reserve, add, signal. */
static int run_resv_stream(struct bench *bench)
{
	u64 context = dma_fence_context_alloc(1);
	struct dma_fence *fence;
	struct dma_resv resv;
	unsigned int i;
	int ret = 0;

	dma_resv_init(&resv);
	bench_start(bench);
	for (i = 0; i < bench->times && !ret; i++) {
		fence = bench_fence_create(context, i + 1);
		if (!fence) {
			ret = -ENOMEM;
			break;
		}
		dma_resv_lock(&resv, NULL);
		ret = dma_resv_reserve_fences(&resv, 1);
		if (!ret)
			dma_resv_add_fence(&resv, fence, DMA_RESV_USAGE_WRITE);
		dma_resv_unlock(&resv);
		dma_fence_signal(fence);
		dma_fence_put(fence);
	}
	bench_stop(bench);
	dma_resv_fini(&resv);
	return ret;
}

static const struct bench_op {
	const char *name;
	int (*run)(struct bench *bench);
	bool buffer;			/* works on the buffer of the ioctl's fd */
} bench_ops[] = {
	{ "export",		run_export },
	{ "attach",		run_attach,	true },
	{ "map",		run_map,	true },
	{ "import",		run_import,	true },
	{ "vmap",		run_vmap,	true },
	{ "memfd_pin",		run_memfd_pin },
	{ "fence",		run_fence },
	{ "resv_lock",		run_resv_lock },
	{ "resv_stream",	run_resv_stream },
};

static const struct bench_op *bench_op_find(const char *name)
{
	const struct bench_op *op;

	for (op = bench_ops; op < bench_ops + ARRAY_SIZE(bench_ops); op++)
		if (!strcmp(op->name, name))
			return op;
	return NULL;
}

static int bench_run(const struct bench_op *op, struct bench *bench)
{
	int ret;

	if (!op->buffer)
		return op->run(bench);

	bench->dmabuf = dma_buf_get(bench->fd);
	if (IS_ERR(bench->dmabuf))
		return PTR_ERR(bench->dmabuf);
	ret = op->run(bench);
	dma_buf_put(bench->dmabuf);
	return ret;
}

static long ioctl_run(void __user *argp)
{
	const struct bench_op *op;
	struct dmabuf_bench_run arg;
	struct bench bench = {};
	int ret;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (!arg.times || arg.times > DMABUF_BENCH_MAX_TIMES ||
	    strnlen(arg.op, sizeof(arg.op)) == sizeof(arg.op))
		return -EINVAL;
	op = bench_op_find(arg.op);
	if (!op)
		return -ENOENT;

	bench.fd = arg.fd;
	bench.times = arg.times;
	ret = bench_run(op, &bench);
	if (ret)
		return ret;

	arg.cycles = bench.cycles;
	return copy_to_user(argp, &arg, sizeof(arg)) ? -EFAULT : 0;
}

static long ioctl_export(void)
{
	struct dma_buf *dmabuf = null_export();
	int fd;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(dmabuf);
	return fd;
}

static long bench_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case DMABUF_BENCH_IOC_NOP:
		return 0;
	case DMABUF_BENCH_IOC_EXPORT:
		return ioctl_export();
	case DMABUF_BENCH_IOC_RUN:
		return ioctl_run((void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static int bench_open(struct inode *inode, struct file *file)
{
	return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

static const struct file_operations bench_fops = {
	.owner		= THIS_MODULE,
	.open		= bench_open,
	.unlocked_ioctl	= bench_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

static struct miscdevice bench_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= DMABUF_BENCH_NAME,
	.fops	= &bench_fops,
	.mode	= 0600,
};

/* The device is an importer, too, and reaches all of memory. */
static int __init bench_init(void)
{
	int ret;

	sg_init_table(&null_sg, 1);
	sg_dma_len(&null_sg) = PAGE_SIZE;

	ret = misc_register(&bench_misc);
	if (ret)
		return ret;
	ret = dma_coerce_mask_and_coherent(bench_misc.this_device,
					   DMA_BIT_MASK(64));
	if (ret)
		misc_deregister(&bench_misc);
	return ret;
}
device_initcall(bench_init);

MODULE_IMPORT_NS(DMA_BUF);
