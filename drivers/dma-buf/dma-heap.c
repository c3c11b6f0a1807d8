// SPDX-License-Identifier: GPL-2.0-only
/*
 * The register of heaps and the device node of each, through which user space
 * allocates. Where the memory comes from is the heap's own affair (heaps/).
 */

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/device/class.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <uapi/linux/dma-heap.h>

#include <kunit/visibility.h>

/**
 * DOC: heaps
 *
 * A heap is a named place that buffers come from, for programs that know what
 * memory their devices need and have no driver at hand that would allocate it:
 *
 * 1. open ``/dev/dma_heap/NAME``; the right to open the node is the right to
 *    allocate;
 * 2. call %DMA_HEAP_IOCTL_ALLOC with a length; the answer is the descriptor of a
 *    buffer that is zero everywhere;
 * 3. map it, give it to drivers and other processes, close it. The memory goes
 *    back with the last reference, wherever that is.
 *
 * ============ ============================================ ====================
 * heap         where its memory comes from                  contiguous
 * ============ ============================================ ====================
 * ``system``   all of memory                                in chunks of 2 MiB,
 *                                                           where these are to
 *                                                           be had
 * an area      the default CMA area, whose name it bears;   as a whole
 *              often ``reserved`` or ``linux,cma``
 * ============ ============================================ ====================
 *
 * The ioctl takes shorter and longer versions of its structure: what a shorter
 * one lacks is zero, what a longer one has is left alone. One that is too short
 * to return the descriptor in, flags that are not known, a descriptor that is
 * not zero on entry and a length of zero are %-EINVAL; any other command is
 * %-ENOTTY. A length that could never be had is %-ENOMEM at once, one that
 * cannot be had now fails without anything being killed for it, and a fatal
 * signal ends the attempt. The descriptor exists only when its number has been
 * stored.
 *
 * Most of an allocation is clearing. The system heap can do it beforehand: the
 * parameter ``system_heap.pool_mb``, on the command line or in
 * ``/sys/module/system_heap/parameters/pool_mb``, says how many MiB of zeroed
 * chunks it keeps ready, up to a quarter of memory; 0, the default, turns that
 * off. A worker refills the pool and clears the chunks of freed buffers. Memory
 * pressure takes all of it away. ``/sys/kernel/debug/dma_heap/pool`` shows what
 * is there.
 *
 * Somebody who writes a heap provides &dma_heap_ops and calls dma_heap_add()
 * when everything is ready, because user space may call the moment the node is
 * there. The rules:
 *
 * * A heap stays for ever: there is no way to take it away again, so its code
 *   cannot be in a module that unloads.
 * * The memory is zero before the buffer is handed out.
 * * A request larger than all there is fails before anything else is tried.
 * * A long allocation looks for fatal signals and lets others run.
 *
 * A heap whose memory has struct pages needs no exporter of its own, see
 * heaps/heap-buffer.h.
 */

#define MAX_HEAPS	128

/**
 * struct dma_heap - one heap
 * @dev: its device, which owns this structure and whose name is the heap's
 * @cdev: what is opened; holds @dev for as long as a file is open
 * @ops: the heap's callbacks
 * @priv: for the heap
 */
struct dma_heap {
	struct device dev;
	struct cdev cdev;
	const struct dma_heap_ops *ops;
	void *priv;
};

static DEFINE_MUTEX(heaps_lock);
/* Minors are given in order and never come back; under heaps_lock. */
static unsigned int nr_heaps;
/* 0 until heaps can be added. */
static dev_t heaps_devt;

static char *heap_devnode(const struct device *dev, umode_t *mode)
{
	return kasprintf(GFP_KERNEL, "dma_heap/%s", dev_name(dev));
}

static const struct class heap_class = {
	.name		= "dma_heap",
	.devnode	= heap_devnode,
};

static int heap_open(struct inode *inode, struct file *file)
{
	file->private_data = container_of(inode->i_cdev, struct dma_heap, cdev);
	return nonseekable_open(inode, file);
}

static bool request_valid(const struct dma_heap_allocation_data *data)
{
	return !data->fd &&
	       !(data->fd_flags & ~DMA_HEAP_VALID_FD_FLAGS) &&
	       !(data->heap_flags & ~DMA_HEAP_VALID_HEAP_FLAGS) &&
	       data->len && data->len <= PAGE_ALIGN_DOWN(ULONG_MAX);
}

/* Make the buffer; its descriptor is published last, when nothing can fail. */
static long heap_alloc(struct dma_heap *heap,
		       struct dma_heap_allocation_data *data,
		       void __user *user, size_t size)
{
	struct dma_buf *dmabuf;

	CLASS(get_unused_fd, fd)(data->fd_flags);
	if (fd < 0)
		return fd;

	dmabuf = heap->ops->allocate(heap, PAGE_ALIGN(data->len),
				     data->fd_flags, data->heap_flags);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	data->fd = fd;
	if (copy_to_user(user, data, size)) {
		dma_buf_put(dmabuf);
		return -EFAULT;
	}

	fd_install(take_fd(fd), dmabuf->file);
	return 0;
}

/* The direction and size in @cmd are the caller's, see "heaps" above. */
static long heap_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct dma_heap_allocation_data data = { };
	size_t size = min_t(size_t, _IOC_SIZE(cmd), sizeof(data));
	void __user *user = (void __user *)arg;

	if (_IOC_TYPE(cmd) != DMA_HEAP_IOC_MAGIC ||
	    _IOC_NR(cmd) != _IOC_NR(DMA_HEAP_IOCTL_ALLOC))
		return -ENOTTY;
	if (_IOC_DIR(cmd) != _IOC_DIR(DMA_HEAP_IOCTL_ALLOC) ||
	    size < offsetofend(struct dma_heap_allocation_data, fd))
		return -EINVAL;
	if (copy_from_user(&data, user, size))
		return -EFAULT;
	if (!request_valid(&data))
		return -EINVAL;

	return heap_alloc(file->private_data, &data, user, size);
}

static const struct file_operations heap_fops = {
	.owner		= THIS_MODULE,
	.open		= heap_open,
	.unlocked_ioctl	= heap_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

/* The name becomes a file in /dev/dma_heap. */
static bool name_valid(const char *name)
{
	return name && *name && strnlen(name, NAME_MAX + 1) <= NAME_MAX &&
	       !strchr(name, '/') && strcmp(name, ".") && strcmp(name, "..");
}

static bool name_taken(const char *name)
{
	struct device *dev = class_find_device_by_name(&heap_class, name);

	lockdep_assert_held(&heaps_lock);

	put_device(dev);
	return dev;
}

/* The last reference to the device and its open files is gone. */
static void heap_release(struct device *dev)
{
	kfree(container_of(dev, struct dma_heap, dev));
}

/* Number the heap and let user space see it, as the last step. */
static int heap_publish(struct dma_heap *heap)
{
	int ret;

	lockdep_assert_held(&heaps_lock);

	heap->dev.devt = MKDEV(MAJOR(heaps_devt), MINOR(heaps_devt) + nr_heaps);
	cdev_init(&heap->cdev, &heap_fops);
	heap->cdev.owner = THIS_MODULE;

	ret = cdev_device_add(&heap->cdev, &heap->dev);
	if (!ret)
		nr_heaps++;
	return ret;
}

/**
 * dma_heap_add() - make a heap and its device node
 * @exp_info: what it is made from; the name is copied, the rest must stay
 *
 * User space may allocate before this returns. The heap stays for ever.
 *
 * Context: Process context, from the initcalls behind subsys_initcall() on; may
 * sleep.
 * Return: the heap, or an ERR_PTR() with nothing made:
 *
 *  * %-EINVAL - there is no name, it is no file name or is taken, or the heap
 *    cannot allocate
 *  * %-ENODEV - too early
 *  * %-EBUSY - there are as many heaps as there can be
 *  * %-ENOMEM - out of memory
 *  * what device_add() returns
 */
struct dma_heap *dma_heap_add(const struct dma_heap_export_info *exp_info)
{
	struct dma_heap *heap;
	int ret;

	if (!exp_info || !name_valid(exp_info->name) ||
	    !exp_info->ops || !exp_info->ops->allocate) {
		pr_err("dma-heap: a heap needs a file name and an allocate callback\n");
		return ERR_PTR(-EINVAL);
	}

	guard(mutex)(&heaps_lock);

	if (!heaps_devt)
		return ERR_PTR(-ENODEV);
	if (name_taken(exp_info->name)) {
		pr_err("dma-heap: there is a heap %s already\n", exp_info->name);
		return ERR_PTR(-EINVAL);
	}
	if (nr_heaps == MAX_HEAPS)
		return ERR_PTR(-EBUSY);

	heap = kzalloc(sizeof(*heap), GFP_KERNEL);
	if (!heap)
		return ERR_PTR(-ENOMEM);

	heap->ops = exp_info->ops;
	heap->priv = exp_info->priv;
	device_initialize(&heap->dev);
	heap->dev.class = &heap_class;
	heap->dev.release = heap_release;

	ret = dev_set_name(&heap->dev, "%s", exp_info->name);
	if (!ret)
		ret = heap_publish(heap);
	if (ret) {
		put_device(&heap->dev);
		return ERR_PTR(ret);
	}
	return heap;
}
EXPORT_SYMBOL_IF_KUNIT(dma_heap_add);

/**
 * dma_heap_get_drvdata() - what the heap gave as its own
 * @heap: the heap
 *
 * Context: Any.
 * Return: &dma_heap_export_info.priv.
 */
void *dma_heap_get_drvdata(struct dma_heap *heap)
{
	return heap->priv;
}
EXPORT_SYMBOL_IF_KUNIT(dma_heap_get_drvdata);

/**
 * dma_heap_get_name() - name of a heap
 * @heap: the heap
 *
 * Context: Any.
 * Return: the name, which lives as long as the heap.
 */
const char *dma_heap_get_name(struct dma_heap *heap)
{
	return dev_name(&heap->dev);
}
EXPORT_SYMBOL_IF_KUNIT(dma_heap_get_name);

static int __init dma_heap_init(void)
{
	dev_t devt;
	int ret;

	ret = alloc_chrdev_region(&devt, 0, MAX_HEAPS, "dma_heap");
	if (ret)
		return ret;

	ret = class_register(&heap_class);
	if (ret) {
		unregister_chrdev_region(devt, MAX_HEAPS);
		return ret;
	}

	scoped_guard(mutex, &heaps_lock)
		heaps_devt = devt;
	return 0;
}
subsys_initcall(dma_heap_init);
