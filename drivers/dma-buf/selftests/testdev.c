// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/dmabuf_test: an exporter, an importer and a fence driver in the hands of
 * user-space tests. Root only, and only in test kernels. Uses nothing but the
 * public API of the subsystem, so that it shows how any implementation of it
 * behaves.
 *
 * Lock order: &test_device.lock, then reservation locks. A fence's own lock is
 * a leaf.
 */
#include <linux/atomic.h>
#include <linux/capability.h>
#include <linux/cleanup.h>
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-direct.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/iosys-map.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>

#include "testdev.h"
#include "testdev_copy.h"

/*
 * Does this subsystem have dma_buf_get_pfn()? That of stock 6.12 does not. sparse
 * knows no __has_include(), and is run on what has it.
 */
#ifndef __has_include
#define HAVE_GET_PFN 1
#elif __has_include("linux/dma-buf-map.h")
#define HAVE_GET_PFN 1
#else
#define HAVE_GET_PFN 0
#endif

static atomic_t live_buffers = ATOMIC_INIT(0);
static atomic_t live_fences = ATOMIC_INIT(0);

/**
 * struct test_buffer - private data of a buffer
 * @nr_pages: size of @pages
 * @pages: the memory
 * @too_early: BEGIN calls with a fence in the way
 * @count: calls of each callback
 * @fail_nth: for each callback, how many calls from now fails; 0: none
 * @fail_error: what it fails with
 * @attach: what the device attached as importer; reservation lock
 * @sgt: its mapping; reservation lock
 * @nr_vmaps: its kernel mappings; reservation lock
 */
struct test_buffer {
	unsigned int nr_pages;
	struct page **pages;
	atomic_t too_early;
	atomic_t count[DMABUF_TEST_NR_OPS];
	atomic_t fail_nth[DMABUF_TEST_NR_OPS];
	int fail_error[DMABUF_TEST_NR_OPS];
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	unsigned int nr_vmaps;
};

/**
 * struct test_fence - a fence that signals when it is told to
 * @base: the fence
 * @lock: of @base
 * @deadline: the last one heard of
 * @nr_deadlines: how many
 */
struct test_fence {
	struct dma_fence base;
	spinlock_t lock;	/* of @base */
	ktime_t deadline;
	atomic_t nr_deadlines;
};

/**
 * struct test_device - one open file of the device
 * @fences: &struct dma_fence by id, with a reference each
 * @context: of timeline 1; the other timelines follow
 * @lock: protects what is below, and the order of seqnos on a timeline
 * @seqno: last one of each timeline
 * @holder: thread that holds a reservation lock, or NULL
 * @held: buffer whose lock it holds, with a reference
 * @hold_ms: for how long
 * @locked: completed by @holder once it has the lock
 * @unlock: tells @holder to finish
 */
struct test_device {
	struct xarray fences;
	u64 context;
	struct mutex lock;	/* of all members below */
	u64 seqno[DMABUF_TEST_TIMELINES];
	struct task_struct *holder;
	struct dma_buf *held;
	unsigned int hold_ms;
	struct completion locked;
	struct completion unlock;
};

static struct miscdevice test_misc;

/* dma_buf_put() for what buffer_get() returns, be it a buffer or an error. */
static void buffer_put(struct dma_buf *dmabuf)
{
	if (!IS_ERR_OR_NULL(dmabuf))
		dma_buf_put(dmabuf);
}

DEFINE_FREE(buffer_put, struct dma_buf *, buffer_put(_T))
DEFINE_FREE(dma_fence_put, struct dma_fence *, dma_fence_put(_T))

/* Count a call of @op; a negative errno if this is the one that has to fail. */
static int note_call(struct test_buffer *buffer, enum dmabuf_test_op op)
{
	atomic_inc(&buffer->count[op]);
	if (atomic_dec_if_positive(&buffer->fail_nth[op]) == 0)
		return buffer->fail_error[op];
	return 0;
}

static int test_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	return note_call(dmabuf->priv, DMABUF_TEST_OP_ATTACH);
}

static void test_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	note_call(dmabuf->priv, DMABUF_TEST_OP_DETACH);
}

/* There is no device behind this: physical addresses serve as DMA addresses. */
static struct sg_table *test_map(struct dma_buf_attachment *attach,
				 enum dma_data_direction dir)
{
	struct test_buffer *buffer = attach->dmabuf->priv;
	struct scatterlist *sg;
	struct sg_table *sgt;
	int i, ret;

	ret = note_call(buffer, DMABUF_TEST_OP_MAP);
	if (ret)
		return ERR_PTR(ret);

	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);

	ret = sg_alloc_table_from_pages(sgt, buffer->pages, buffer->nr_pages, 0,
					attach->dmabuf->size, GFP_KERNEL);
	if (ret) {
		kfree(sgt);
		return ERR_PTR(ret);
	}
	for_each_sgtable_sg(sgt, sg, i) {
		sg_dma_address(sg) = sg_phys(sg);
		sg_dma_len(sg) = sg->length;
	}
	return sgt;
}

static void test_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		       enum dma_data_direction dir)
{
	note_call(attach->dmabuf->priv, DMABUF_TEST_OP_UNMAP);
	sg_free_table(sgt);
	kfree(sgt);
}

static int test_begin_cpu(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct test_buffer *buffer = dmabuf->priv;
	bool write = dir != DMA_FROM_DEVICE;

	if (!dma_resv_test_signaled(dmabuf->resv, dma_resv_usage_rw(write)))
		atomic_inc(&buffer->too_early);
	return note_call(buffer, DMABUF_TEST_OP_BEGIN);
}

static int test_end_cpu(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return note_call(dmabuf->priv, DMABUF_TEST_OP_END);
}

static vm_fault_t test_vm_fault(struct vm_fault *vmf)
{
	struct test_buffer *buffer = vmf->vma->vm_private_data;

	if (vmf->pgoff >= buffer->nr_pages)
		return VM_FAULT_SIGBUS;

	get_page(buffer->pages[vmf->pgoff]);	/* Dropped with the mapping. */
	vmf->page = buffer->pages[vmf->pgoff];
	return 0;
}

static const struct vm_operations_struct test_vm_ops = {
	.fault = test_vm_fault,
};

static int test_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	int ret = note_call(dmabuf->priv, DMABUF_TEST_OP_MMAP);

	if (ret)
		return ret;

	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &test_vm_ops;
	vma->vm_private_data = dmabuf->priv;
	return 0;
}

static int test_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct test_buffer *buffer = dmabuf->priv;
	void *vaddr;
	int ret;

	ret = note_call(buffer, DMABUF_TEST_OP_VMAP);
	if (ret)
		return ret;

	vaddr = vmap(buffer->pages, buffer->nr_pages, VM_MAP, PAGE_KERNEL);
	if (!vaddr)
		return -ENOMEM;
	iosys_map_set_vaddr(map, vaddr);
	return 0;
}

static void test_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	note_call(dmabuf->priv, DMABUF_TEST_OP_VUNMAP);
	vunmap(map->vaddr);
}

static void buffer_free(struct test_buffer *buffer)
{
	unsigned int i;

	for (i = 0; i < buffer->nr_pages; i++)
		put_page(buffer->pages[i]);
	kvfree(buffer->pages);
	kfree(buffer);
	atomic_dec(&live_buffers);
}

static void test_release(struct dma_buf *dmabuf)
{
	buffer_free(dmabuf->priv);
}

#define TEST_OPS				\
	.attach = test_attach,			\
	.detach = test_detach,			\
	.map_dma_buf = test_map,		\
	.unmap_dma_buf = test_unmap,		\
	.release = test_release,		\
	.vmap = test_vmap,			\
	.vunmap = test_vunmap

#define TEST_CPU_OPS				\
	.begin_cpu_access = test_begin_cpu,	\
	.end_cpu_access = test_end_cpu

/* By the flags of &struct dmabuf_test_buffer. */
static const struct dma_buf_ops test_buffer_ops[] = {
	[0] = { TEST_OPS, TEST_CPU_OPS, .mmap = test_mmap },
	[DMABUF_TEST_NO_MMAP] = { TEST_OPS, TEST_CPU_OPS },
	[DMABUF_TEST_NO_CPU] = { TEST_OPS, .mmap = test_mmap },
	[DMABUF_TEST_NO_MMAP | DMABUF_TEST_NO_CPU] = { TEST_OPS },
};

static struct test_buffer *buffer_alloc(unsigned int nr_pages)
{
	struct test_buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	struct page *page;

	if (!buffer)
		return NULL;

	atomic_inc(&live_buffers);
	buffer->pages = kvcalloc(nr_pages, sizeof(*buffer->pages), GFP_KERNEL);
	while (buffer->pages && buffer->nr_pages < nr_pages) {
		page = alloc_page(GFP_HIGHUSER | __GFP_ZERO);
		if (!page)
			break;
		buffer->pages[buffer->nr_pages++] = page;
	}
	if (buffer->nr_pages == nr_pages)
		return buffer;

	buffer_free(buffer);
	return NULL;
}

static struct dma_buf *buffer_export(const struct dmabuf_test_buffer *arg)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct test_buffer *buffer;
	struct dma_buf *dmabuf;

	if (!arg->size || !PAGE_ALIGNED(arg->size) ||
	    arg->size > DMABUF_TEST_MAX_SIZE ||
	    arg->flags >= ARRAY_SIZE(test_buffer_ops))
		return ERR_PTR(-EINVAL);

	buffer = buffer_alloc(arg->size >> PAGE_SHIFT);
	if (!buffer)
		return ERR_PTR(-ENOMEM);

	info.exp_name = DMABUF_TEST_NAME;
	info.ops = &test_buffer_ops[arg->flags];
	info.size = arg->size;
	info.flags = arg->file_flags;
	info.priv = buffer;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		buffer_free(buffer);
	return dmabuf;
}

static long ioctl_buffer(struct test_device *device, void __user *argp)
{
	struct dmabuf_test_buffer arg;
	struct dma_buf *dmabuf;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;

	CLASS(get_unused_fd, fd)(arg.fd_flags);
	if (fd < 0)
		return fd;

	dmabuf = buffer_export(&arg);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	struct file *file __free(fput) = dmabuf->file;

	arg.fd = fd;
	if (copy_to_user(argp, &arg, sizeof(arg)))
		return -EFAULT;
	fd_install(take_fd(fd), no_free_ptr(file));
	return 0;
}

/* The buffer behind @fd, with a reference, if it is one of ours. */
static struct dma_buf *buffer_get(int fd)
{
	struct dma_buf *dmabuf = dma_buf_get(fd);

	if (IS_ERR(dmabuf))
		return dmabuf;
	if (dmabuf->ops >= test_buffer_ops &&
	    dmabuf->ops < test_buffer_ops + ARRAY_SIZE(test_buffer_ops))
		return dmabuf;

	dma_buf_put(dmabuf);
	return ERR_PTR(-EINVAL);
}

static const char *test_driver_name(struct dma_fence *fence)
{
	return DMABUF_TEST_NAME;
}

static const char *test_timeline_name(struct dma_fence *fence)
{
	return DMABUF_TEST_TIMELINE;
}

static void test_set_deadline(struct dma_fence *base, ktime_t deadline)
{
	struct test_fence *fence = container_of(base, struct test_fence, base);

	fence->deadline = deadline;
	atomic_inc(&fence->nr_deadlines);
}

static void test_fence_release(struct dma_fence *base)
{
	atomic_dec(&live_fences);
	dma_fence_free(base);
}

static const struct dma_fence_ops test_fence_ops = {
	.get_driver_name = test_driver_name,
	.get_timeline_name = test_timeline_name,
	.set_deadline = test_set_deadline,
	.release = test_fence_release,
};

/* A pending fence on @timeline, with one reference. */
static struct dma_fence *fence_create(struct test_device *device, u32 timeline)
{
	u64 context, seqno = 1;
	struct test_fence *fence;

	fence = kzalloc(sizeof(*fence), GFP_KERNEL);	/* Freed by release. */
	if (!fence)
		return NULL;

	if (timeline) {
		context = device->context + timeline - 1;
		guard(mutex)(&device->lock);
		seqno = ++device->seqno[timeline - 1];
	} else {
		context = dma_fence_context_alloc(1);
	}

	spin_lock_init(&fence->lock);
	atomic_inc(&live_fences);
	dma_fence_init(&fence->base, &test_fence_ops, &fence->lock, context, seqno);
	return &fence->base;
}

static long ioctl_fence(struct test_device *device, void __user *argp)
{
	struct dmabuf_test_fence arg;
	struct sync_file *sync_file;
	int ret;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (arg.timeline > DMABUF_TEST_TIMELINES || arg.pad)
		return -EINVAL;

	CLASS(get_unused_fd, fd)(O_CLOEXEC);
	if (fd < 0)
		return fd;

	struct dma_fence *fence __free(dma_fence_put) =
		fence_create(device, arg.timeline);
	if (!fence)
		return -ENOMEM;

	sync_file = sync_file_create(fence);
	if (!sync_file)
		return -ENOMEM;

	struct file *file __free(fput) = sync_file->file;

	ret = xa_alloc(&device->fences, &arg.id, fence, xa_limit_31b, GFP_KERNEL);
	if (ret)
		return ret;

	dma_fence_get(fence);		/* Dropped when the device is closed. */
	arg.fd = fd;
	if (copy_to_user(argp, &arg, sizeof(arg)))
		return -EFAULT;
	fd_install(take_fd(fd), no_free_ptr(file));
	return 0;
}

/* Borrowed: fences stay until the device is closed. */
static struct dma_fence *fence_find(struct test_device *device, u32 id)
{
	return xa_load(&device->fences, id);
}

static void fence_signal(struct dma_fence *fence, int error)
{
	unsigned long flags;

	spin_lock_irqsave(fence->lock, flags);
	if (!test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags)) {
		if (error)
			dma_fence_set_error(fence, error);
		dma_fence_signal_locked(fence);
	}
	spin_unlock_irqrestore(fence->lock, flags);
}

static long ioctl_signal(struct test_device *device, void __user *argp)
{
	struct dmabuf_test_signal arg;
	struct dma_fence *fence;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (arg.error > 0 || arg.error < -MAX_ERRNO)
		return -EINVAL;

	fence = fence_find(device, arg.id);
	if (!fence)
		return -ENOENT;

	fence_signal(fence, arg.error);
	return 0;
}

static long ioctl_state(struct test_device *device, void __user *argp)
{
	struct dmabuf_test_fence_state arg;
	struct test_fence *fence;
	struct dma_fence *base;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	base = fence_find(device, arg.id);
	if (!base)
		return -ENOENT;

	fence = container_of(base, struct test_fence, base);
	arg.deadline_ns = ktime_to_ns(fence->deadline);
	arg.nr_deadlines = atomic_read(&fence->nr_deadlines);
	arg.status = dma_fence_get_status(base);
	arg.nr_refs = kref_read(&base->refcount);
	return copy_to_user(argp, &arg, sizeof(arg)) ? -EFAULT : 0;
}

static long ioctl_add(struct test_device *device, void __user *argp)
{
	struct dmabuf_test_add arg;
	struct dma_fence *fence;
	int ret;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (arg.usage > DMA_RESV_USAGE_BOOKKEEP || arg.pad)
		return -EINVAL;
	fence = fence_find(device, arg.id);
	if (!fence)
		return -ENOENT;

	struct dma_buf *dmabuf __free(buffer_put) = buffer_get(arg.fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	ret = dma_resv_lock_interruptible(dmabuf->resv, NULL);
	if (ret)
		return ret;
	ret = dma_resv_reserve_fences(dmabuf->resv, 1);
	if (!ret)
		dma_resv_add_fence(dmabuf->resv, fence, arg.usage);
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

static long ioctl_counters(void __user *argp)
{
	struct dmabuf_test_counters arg;
	struct test_buffer *buffer;
	int i;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;

	struct dma_buf *dmabuf __free(buffer_put) = buffer_get(arg.fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	buffer = dmabuf->priv;
	arg.too_early = atomic_read(&buffer->too_early);
	for (i = 0; i < DMABUF_TEST_NR_OPS; i++)
		arg.ops[i] = atomic_read(&buffer->count[i]);
	return copy_to_user(argp, &arg, sizeof(arg)) ? -EFAULT : 0;
}

static long ioctl_fail(void __user *argp)
{
	struct dmabuf_test_fail arg;
	struct test_buffer *buffer;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (arg.op >= DMABUF_TEST_NR_OPS || arg.nth > INT_MAX ||
	    arg.error >= 0 || arg.error < -MAX_ERRNO)
		return -EINVAL;

	struct dma_buf *dmabuf __free(buffer_put) = buffer_get(arg.fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	buffer = dmabuf->priv;
	buffer->fail_error[arg.op] = arg.error;
	atomic_set(&buffer->fail_nth[arg.op], arg.nth);
	return 0;
}

/* The attachment keeps the buffer, as importers do. */
static int import_attach(struct dma_buf *dmabuf)
{
	struct test_buffer *buffer = dmabuf->priv;
	struct dma_buf_attachment *attach;
	bool taken;

	attach = dma_buf_attach(dmabuf, test_misc.this_device);
	if (IS_ERR(attach))
		return PTR_ERR(attach);

	dma_resv_lock(dmabuf->resv, NULL);
	taken = buffer->attach;
	if (!taken)
		buffer->attach = attach;
	dma_resv_unlock(dmabuf->resv);
	if (taken) {
		dma_buf_detach(dmabuf, attach);
		return -EBUSY;
	}
	get_dma_buf(dmabuf);		/* Dropped by import_detach(). */
	return 0;
}

static int import_detach(struct dma_buf *dmabuf)
{
	struct test_buffer *buffer = dmabuf->priv;
	struct dma_buf_attachment *attach = NULL;

	dma_resv_lock(dmabuf->resv, NULL);
	if (!buffer->sgt)
		swap(attach, buffer->attach);
	dma_resv_unlock(dmabuf->resv);
	if (!attach)
		return -EBUSY;

	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
	return 0;
}

/* Do the DMA addresses of @sgt cover @size bytes? */
static bool sgt_covers(struct sg_table *sgt, size_t size)
{
	struct scatterlist *sg;
	size_t sum = 0;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i)
		sum += sg_dma_len(sg);
	return sum == size;
}

static int import_map(struct dma_buf *dmabuf)
{
	struct test_buffer *buffer = dmabuf->priv;
	struct sg_table *sgt;

	dma_resv_assert_held(dmabuf->resv);
	if (!buffer->attach || buffer->sgt)
		return -EBUSY;

	sgt = dma_buf_map_attachment(buffer->attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	if (!sgt_covers(sgt, dmabuf->size)) {
		dma_buf_unmap_attachment(buffer->attach, sgt, DMA_BIDIRECTIONAL);
		return -EIO;
	}
	buffer->sgt = sgt;
	return 0;
}

static int import_unmap(struct dma_buf *dmabuf)
{
	struct test_buffer *buffer = dmabuf->priv;

	dma_resv_assert_held(dmabuf->resv);
	if (!buffer->sgt)
		return -EBUSY;

	dma_buf_unmap_attachment(buffer->attach, buffer->sgt, DMA_BIDIRECTIONAL);
	buffer->sgt = NULL;
	return 0;
}

static int import_vmap(struct dma_buf *dmabuf)
{
	struct test_buffer *buffer = dmabuf->priv;
	struct iosys_map map;
	int ret;

	dma_resv_assert_held(dmabuf->resv);
	ret = dma_buf_vmap(dmabuf, &map);
	if (!ret)
		buffer->nr_vmaps++;
	return ret;
}

/* Maps once more to learn the address, which all mappings share. */
static int import_vunmap(struct dma_buf *dmabuf)
{
	struct test_buffer *buffer = dmabuf->priv;
	struct iosys_map map;
	int ret;

	dma_resv_assert_held(dmabuf->resv);
	if (!buffer->nr_vmaps)
		return -EBUSY;

	ret = dma_buf_vmap(dmabuf, &map);
	if (ret)
		return ret;

	buffer->nr_vmaps--;
	dma_buf_vunmap(dmabuf, &map);
	dma_buf_vunmap(dmabuf, &map);
	return 0;
}

static int import_locked(struct dma_buf *dmabuf, u32 step)
{
	switch (step) {
	case DMABUF_TEST_MAP:
		return import_map(dmabuf);
	case DMABUF_TEST_UNMAP:
		return import_unmap(dmabuf);
	case DMABUF_TEST_VMAP:
		return import_vmap(dmabuf);
	case DMABUF_TEST_VUNMAP:
		return import_vunmap(dmabuf);
	default:
		return -EINVAL;
	}
}

static long ioctl_import(void __user *argp)
{
	struct dmabuf_test_import arg;
	int ret;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;

	struct dma_buf *dmabuf __free(buffer_put) = buffer_get(arg.fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	if (arg.step == DMABUF_TEST_ATTACH)
		return import_attach(dmabuf);
	if (arg.step == DMABUF_TEST_DETACH)
		return import_detach(dmabuf);

	dma_resv_lock(dmabuf->resv, NULL);
	ret = import_locked(dmabuf, arg.step);
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

/**
 * struct test_copy - what an importer has to read or write
 * @dmabuf: the buffer
 * @offset: first byte in it
 * @size: how many
 * @data: memory of the kernel that they go to or come from
 * @write: they go to the buffer
 */
struct test_copy {
	struct dma_buf *dmabuf;
	size_t offset;
	size_t size;
	void *data;
	bool write;
};

/* Copy to or from where the device would, by the addresses in @sgt. */
static int copy_by_table(struct dma_buf_attachment *attach, struct sg_table *sgt,
			 const struct test_copy *copy)
{
	size_t skip = copy->offset, left = copy->size, part;
	void *data = copy->data;
	struct scatterlist *sg;
	int i, ret;

	if (!sgt_covers(sgt, copy->dmabuf->size))
		return -EIO;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		part = sg_dma_len(sg) - min_t(size_t, sg_dma_len(sg), skip);
		part = min(part, left);
		if (part) {
			ret = copy_phys(dma_to_phys(attach->dev, sg_dma_address(sg)) +
					skip, data, part, copy->write);
			if (ret)
				return ret;
			cond_resched();
		}
		skip -= min_t(size_t, sg_dma_len(sg), skip);
		data += part;
		left -= part;
	}
	return 0;
}

static int copy_by_dma(struct dma_buf_attachment *attach,
		       const struct test_copy *copy)
{
	enum dma_data_direction dir = copy->write ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
	struct sg_table *sgt;
	int ret;

	/* With these the CPU would not find what the device sees. */
	if (!IS_ENABLED(CONFIG_HAS_DMA) || get_dma_ops(attach->dev) ||
	    !dev_is_dma_coherent(attach->dev))
		return -EOPNOTSUPP;

	sgt = dma_buf_map_attachment_unlocked(attach, dir);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	ret = copy_by_table(attach, sgt, copy);
	dma_buf_unmap_attachment_unlocked(attach, sgt, dir);
	return ret;
}

#if HAVE_GET_PFN
static int copy_by_pfn(struct dma_buf_attachment *attach,
		       const struct test_copy *copy)
{
	size_t done, part, in_page;
	unsigned int order;
	u64 pfn;
	int ret;

	for (done = 0; done < copy->size; done += part) {
		ret = dma_buf_get_pfn_unlocked(attach,
					       (copy->offset + done) >> PAGE_SHIFT,
					       &pfn, &order);
		if (ret)
			return ret;

		in_page = offset_in_page(copy->offset + done);
		part = min_t(size_t, copy->size - done, (PAGE_SIZE << order) - in_page);
		ret = copy_phys(PFN_PHYS(pfn) + in_page, copy->data + done, part,
				copy->write);
		if (ret)
			return ret;
		cond_resched();
	}
	return 0;
}
#else
static int copy_by_pfn(struct dma_buf_attachment *attach,
		       const struct test_copy *copy)
{
	return -EOPNOTSUPP;
}
#endif

/* What a device needs: an attachment, and that nobody else is at work. */
static int copy_attached(const struct test_copy *copy,
			 int (*way)(struct dma_buf_attachment *attach,
				    const struct test_copy *copy))
{
	struct dma_buf_attachment *attach;
	long ret;

	attach = dma_buf_attach(copy->dmabuf, test_misc.this_device);
	if (IS_ERR(attach))
		return PTR_ERR(attach);

	ret = dma_resv_wait_timeout(copy->dmabuf->resv,
				    dma_resv_usage_rw(copy->write), true,
				    MAX_SCHEDULE_TIMEOUT);
	if (ret > 0)
		ret = way(attach, copy);
	dma_buf_detach(copy->dmabuf, attach);
	return ret;
}

/* For both directions: what is beside the bytes may share cache lines with them. */
static int copy_by_vmap(const struct test_copy *copy)
{
	enum dma_data_direction dir = DMA_BIDIRECTIONAL;
	struct iosys_map map;
	int ret;

	ret = dma_buf_vmap_unlocked(copy->dmabuf, &map);
	if (ret)
		return ret;

	ret = dma_buf_begin_cpu_access(copy->dmabuf, dir);
	if (!ret) {
		if (copy->write)
			iosys_map_memcpy_to(&map, copy->offset, copy->data, copy->size);
		else
			iosys_map_memcpy_from(copy->data, &map, copy->offset, copy->size);
		ret = dma_buf_end_cpu_access(copy->dmabuf, dir);
	}
	dma_buf_vunmap_unlocked(copy->dmabuf, &map);
	return ret;
}

static int copy_by(u32 way, const struct test_copy *copy)
{
	switch (way) {
	case DMABUF_TEST_BY_DMA:
		return copy_attached(copy, copy_by_dma);
	case DMABUF_TEST_BY_PFN:
		return copy_attached(copy, copy_by_pfn);
	default:
		return copy_by_vmap(copy);
	}
}

static bool copy_valid(const struct dmabuf_test_copy *arg)
{
	return arg->size && arg->size <= DMABUF_TEST_MAX_SIZE &&
	       arg->way < DMABUF_TEST_NR_WAYS && arg->write <= 1 && !arg->pad;
}

static bool in_buffer(const struct dma_buf *dmabuf, u64 offset, u64 size)
{
	return offset < dmabuf->size && size <= dmabuf->size - offset;
}

/* No lock of a buffer is held while the caller's memory is accessed: it may fault. */
static long ioctl_copy(void __user *argp)
{
	struct dmabuf_test_copy arg;
	void __user *user;
	int ret;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (!copy_valid(&arg))
		return -EINVAL;

	struct dma_buf *dmabuf __free(buffer_put) = dma_buf_get(arg.fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	if (!in_buffer(dmabuf, arg.offset, arg.size))
		return -EINVAL;

	void *data __free(kvfree) = kvmalloc(arg.size, GFP_KERNEL);
	if (!data)
		return -ENOMEM;

	user = u64_to_user_ptr(arg.data);
	if (arg.write && copy_from_user(data, user, arg.size))
		return -EFAULT;

	ret = copy_by(arg.way, &(struct test_copy){
		.dmabuf = dmabuf,
		.offset = arg.offset,
		.size = arg.size,
		.data = data,
		.write = arg.write,
	});
	if (!ret && !arg.write && copy_to_user(user, data, arg.size))
		return -EFAULT;
	return ret;
}

static int holder_thread(void *data)
{
	struct test_device *device = data;

	dma_resv_lock(device->held->resv, NULL);
	complete(&device->locked);
	wait_for_completion_timeout(&device->unlock,
				    msecs_to_jiffies(device->hold_ms));
	dma_resv_unlock(device->held->resv);
	return 0;
}

/* Ends the hold, if there is one, and waits until the lock is free. */
static void hold_end(struct test_device *device)
{
	lockdep_assert_held(&device->lock);
	if (!device->holder)
		return;

	complete(&device->unlock);
	kthread_stop_put(device->holder);
	dma_buf_put(device->held);
	device->holder = NULL;
	device->held = NULL;
}

static int hold_begin(struct test_device *device, struct dma_buf *dmabuf,
		      unsigned int ms)
{
	struct task_struct *holder;

	lockdep_assert_held(&device->lock);
	device->hold_ms = ms;
	device->held = dmabuf;
	reinit_completion(&device->locked);
	reinit_completion(&device->unlock);

	holder = kthread_create(holder_thread, device, "dmabuf-test-hold");
	if (IS_ERR(holder)) {
		device->held = NULL;
		return PTR_ERR(holder);
	}
	get_dma_buf(dmabuf);				/* Dropped by hold_end(). */
	device->holder = get_task_struct(holder);	/* Dropped by hold_end(). */
	wake_up_process(holder);
	wait_for_completion(&device->locked);
	return 0;
}

static long ioctl_hold(struct test_device *device, void __user *argp)
{
	struct dmabuf_test_hold arg;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (arg.ms > DMABUF_TEST_MAX_HOLD_MS)
		return -EINVAL;

	struct dma_buf *dmabuf __free(buffer_put) = buffer_get(arg.fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	guard(mutex)(&device->lock);
	if (device->holder)
		return -EBUSY;
	return hold_begin(device, dmabuf, arg.ms);
}

static long ioctl_release(struct test_device *device)
{
	guard(mutex)(&device->lock);
	hold_end(device);
	return 0;
}

static long ioctl_live(void __user *argp)
{
	struct dmabuf_test_live arg = {
		.buffers = atomic_read(&live_buffers),
		.fences = atomic_read(&live_fences),
	};

	return copy_to_user(argp, &arg, sizeof(arg)) ? -EFAULT : 0;
}

static long test_device_ioctl(struct file *file, unsigned int cmd,
			      unsigned long arg)
{
	struct test_device *device = file->private_data;
	void __user *argp = (void __user *)arg;

	switch (cmd) {
	case DMABUF_TEST_IOC_BUFFER:
		return ioctl_buffer(device, argp);
	case DMABUF_TEST_IOC_FENCE:
		return ioctl_fence(device, argp);
	case DMABUF_TEST_IOC_SIGNAL:
		return ioctl_signal(device, argp);
	case DMABUF_TEST_IOC_STATE:
		return ioctl_state(device, argp);
	case DMABUF_TEST_IOC_ADD:
		return ioctl_add(device, argp);
	case DMABUF_TEST_IOC_COUNTERS:
		return ioctl_counters(argp);
	case DMABUF_TEST_IOC_FAIL:
		return ioctl_fail(argp);
	case DMABUF_TEST_IOC_IMPORT:
		return ioctl_import(argp);
	case DMABUF_TEST_IOC_COPY:
		return ioctl_copy(argp);
	case DMABUF_TEST_IOC_HOLD:
		return ioctl_hold(device, argp);
	case DMABUF_TEST_IOC_RELEASE:
		return ioctl_release(device);
	case DMABUF_TEST_IOC_LIVE:
		return ioctl_live(argp);
	default:
		return -ENOTTY;
	}
}

static int test_device_open(struct inode *inode, struct file *file)
{
	struct test_device *device;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;

	device = kzalloc(sizeof(*device), GFP_KERNEL);
	if (!device)
		return -ENOMEM;

	xa_init_flags(&device->fences, XA_FLAGS_ALLOC1);
	device->context = dma_fence_context_alloc(DMABUF_TEST_TIMELINES);
	mutex_init(&device->lock);
	init_completion(&device->locked);
	init_completion(&device->unlock);
	file->private_data = device;
	return 0;
}

/* Nothing that a test left pending may stay so: others may wait for it. */
static int test_device_release(struct inode *inode, struct file *file)
{
	struct test_device *device = file->private_data;
	struct dma_fence *fence;
	unsigned long id;

	scoped_guard(mutex, &device->lock)
		hold_end(device);

	xa_for_each(&device->fences, id, fence) {
		fence_signal(fence, -ECANCELED);
		dma_fence_put(fence);
	}
	xa_destroy(&device->fences);
	kfree(device);
	return 0;
}

static const struct file_operations test_device_fops = {
	.owner		= THIS_MODULE,
	.open		= test_device_open,
	.release	= test_device_release,
	.unlocked_ioctl	= test_device_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

static struct miscdevice test_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= DMABUF_TEST_NAME,
	.fops	= &test_device_fops,
	.mode	= 0600,
};

/* As importer the device stands for any: it takes all memory, in any length. */
static int __init set_up_dma(struct device *dev)
{
	static struct device_dma_parameters parameters;

	if (!IS_ENABLED(CONFIG_HAS_DMA))
		return 0;

	dev->dma_parms = &parameters;
	dma_set_max_seg_size(dev, UINT_MAX);
	return dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64));
}

static int __init test_device_init(void)
{
	int ret = misc_register(&test_misc);

	if (ret)
		return ret;

	ret = set_up_dma(test_misc.this_device);
	if (ret)
		misc_deregister(&test_misc);
	return ret;
}
device_initcall(test_device_init);
