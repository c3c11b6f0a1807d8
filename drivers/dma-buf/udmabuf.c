// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/udmabuf: pages of memfds as a buffer. Takes the ioctls apart, decides
 * who may have what, and is the exporter. What is done with the pages is in
 * udmabuf-pages.c, whose they are in udmabuf-account.c.
 */

#include <linux/cleanup.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/log2.h>
#include <linux/memfd.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/udmabuf.h>
#include <linux/vmalloc.h>

#include "pfn-fault.h"
#include "udmabuf-account.h"
#include "udmabuf-pages.h"

/**
 * DOC: udmabuf
 *
 * A program that has memory, and not a device that has made some, gives it to
 * devices through /dev/udmabuf: it creates a memfd, writes what it likes, and
 * gets a dma-buf that *is* this memory. Nothing is copied. A virtual machine
 * monitor does this with framebuffers that lie in the memory of its guest.
 *
 * 1. memfd_create() with MFD_ALLOW_SEALING, and MFD_HUGETLB for huge pages;
 *    ftruncate() to the size.
 * 2. fcntl(F_ADD_SEALS, F_SEAL_SHRINK): the memory must not go away. The file
 *    must not have F_SEAL_WRITE or F_SEAL_FUTURE_WRITE: devices, and whoever
 *    maps the buffer, can write to it.
 * 3. UDMABUF_CREATE for one range of one memfd, or UDMABUF_CREATE_LIST for
 *    several of several, which follow each other in the buffer. Offsets and
 *    sizes are whole pages, also where the memfd has huge ones. The ioctl
 *    returns the descriptor of the buffer, for reading and writing.
 *
 * The buffer holds the pages and not the memfd, which may be closed. Mappings
 * of the memfd and of the buffer show the same memory, whoever has them. A hole
 * that fallocate() punches into the memfd takes pages from the file that the
 * buffer keeps: from then on they are no longer the same. A mapping of the
 * buffer is made with MAP_SHARED; another is refused with EINVAL.
 *
 * Access by the CPU is bracketed by DMA_BUF_IOCTL_SYNC, as with any buffer. The
 * first DMA_BUF_SYNC_START sets up what later ones use, and an end without any
 * start before is EINVAL.
 *
 * All pages are pinned until the last descriptor, mapping and importer of the
 * buffer are gone, so that they are neither swapped nor moved. Three parameters
 * of the module limit that, and can be changed at any time in
 * /sys/module/udmabuf/parameters or on the kernel's command line:
 *
 * ``udmabuf.list_limit``
 *	entries of one list; 1024
 * ``udmabuf.size_limit_mb``
 *	MiB of one buffer; 64
 * ``udmabuf.user_limit_mb``
 *	MiB that all buffers of one user may have together; 0, which stands for
 *	a quarter of the memory of the machine
 *
 * The last one counts each page of each buffer, from its creation until it is
 * gone, for the real user id of the process that created it; it does not matter
 * who has the descriptor now. A page that is in two buffers, or twice in one,
 * counts twice. Of a large page of shmem that is not in the buffer as a whole
 * the rest counts, too, once for each buffer, because it is pinned as well; the
 * rest of a page of hugetlbfs does not. What is created in a user namespace
 * counts for the user who made that namespace (the outermost one, below the
 * initial one), and for the namespace itself if root made it. CAP_IPC_LOCK in
 * the initial user namespace exempts from the limit.
 *
 * Errors of the ioctls, none of which leaves anything behind:
 *
 * ========== ==================================================================
 * EFAULT     the argument or its list cannot be read
 * EINVAL     no entries, or more than list_limit; an offset or size that is not
 *            whole pages; a size of 0; more than size_limit_mb; a range that
 *            reaches past the end of its memfd; F_SEAL_SHRINK is missing, or a
 *            seal against writing is there
 * EBADFD     a descriptor that is not open, or is no memfd
 * EMFILE     the process has too many open files
 * ENFILE     the system has too many open files
 * ENOMEM     no memory, or the user would have more than user_limit_mb
 * EINTR      the process is being killed
 * ENOTTY     no ioctl of this device
 * ========== ==================================================================
 */

static unsigned int list_limit = 1024;
module_param(list_limit, uint, 0644);
MODULE_PARM_DESC(list_limit, "Most entries of one UDMABUF_CREATE_LIST");

static unsigned int size_limit_mb = 64;
module_param(size_limit_mb, uint, 0644);
MODULE_PARM_DESC(size_limit_mb, "Most MiB of one buffer");

static unsigned int user_limit_mb;
module_param(user_limit_mb, uint, 0644);
MODULE_PARM_DESC(user_limit_mb,
		 "Most MiB of all buffers of one user; 0: a quarter of the memory");

/* The seals without which, and those with which, memory is refused. */
#define SEALS_NEEDED	F_SEAL_SHRINK
#define SEALS_REFUSED	(F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)

static struct miscdevice udmabuf_misc;

DEFINE_GUARD(inode_shared, struct inode *, inode_lock_shared(_T), inode_unlock_shared(_T))

/**
 * struct udmabuf - a buffer made of memfd pages
 * @src: what its mappings ask for pages
 * @pages: the pages; constant
 * @account: who answers for them, with a reference
 * @charged: for how many
 * @accessed: some CPU access has begun; never taken back
 * @cpu_sgt: the table to maintain caches by, once one was needed
 * @vaddr: kernel mapping, once there was one
 *
 * Invariants: @cpu_sgt is set once, under the reservation lock, to a table that
 * is mapped for the udmabuf device in both directions, and stays until the
 * buffer goes. @vaddr is protected by the reservation lock.
 */
struct udmabuf {
	struct pfn_source src;
	struct udmabuf_pages pages;
	struct udmabuf_account *account;
	unsigned long charged;
	bool accessed;
	struct sg_table *cpu_sgt;
	void *vaddr;
};

/* ---- the exporter ------------------------------------------------------- */

/*
 * The caches are maintained as by any mapping, but with a call of its own: other
 * devices, the udmabuf device, and other buffers may have the same pages mapped,
 * and this tells DMA_API_DEBUG that it is on purpose.
 */
static struct sg_table *map_for_device(struct udmabuf *ubuf, struct device *dev,
				       enum dma_data_direction direction,
				       gfp_t gfp)
{
	struct sg_table *sgt;
	int ret;

	/* Bounce buffers are smaller than what the memory may be contiguous. */
	sgt = udmabuf_pages_sgt(&ubuf->pages, dma_max_mapping_size(dev), gfp);
	if (IS_ERR(sgt))
		return sgt;

	ret = dma_map_sgtable(dev, sgt, direction, DMA_ATTR_SKIP_CPU_SYNC);
	if (ret) {
		udmabuf_sgt_free(sgt);
		return ERR_PTR(ret);
	}
	dma_sync_sgtable_for_device(dev, sgt, direction);
	return sgt;
}

static struct sg_table *udmabuf_map(struct dma_buf_attachment *attach,
				    enum dma_data_direction direction)
{
	dma_resv_assert_held(attach->dmabuf->resv);

	return map_for_device(attach->dmabuf->priv, attach->dev, direction,
			      GFP_KERNEL);
}

static struct sg_table *udmabuf_try_map(struct dma_buf_attachment *attach,
					enum dma_data_direction direction)
{
	dma_resv_assert_held(attach->dmabuf->resv);

	return map_for_device(attach->dmabuf->priv, attach->dev, direction,
			      GFP_NOWAIT | __GFP_NOWARN);
}

static void udmabuf_unmap(struct dma_buf_attachment *attach,
			  struct sg_table *sgt,
			  enum dma_data_direction direction)
{
	dma_sync_sgtable_for_cpu(attach->dev, sgt, direction);
	dma_unmap_sgtable(attach->dev, sgt, direction, DMA_ATTR_SKIP_CPU_SYNC);
	udmabuf_sgt_free(sgt);
}

static int udmabuf_get_pfn(struct dma_buf_attachment *attach, pgoff_t pgoff,
			   u64 *pfn, unsigned int *max_order)
{
	struct udmabuf *ubuf = attach->dmabuf->priv;
	struct pfn_run run;

	if (!udmabuf_pages_run_at(&ubuf->pages, pgoff, &run))
		return -EINVAL;

	*pfn = run.pfn + (pgoff - run.pgoff);
	*max_order = ilog2(run.nr - (pgoff - run.pgoff));
	return 0;
}

/*
 * Are there caches to maintain? The table of the udmabuf device itself stands
 * for all devices, because caches go by physical addresses. Where the device's
 * memory would be copied into bounce buffers there are none, and such a copy is
 * stale: bringing it back would undo what others wrote.
 */
static bool cpu_access_needs_sync(struct device *dev)
{
	return dma_dev_need_sync(dev) && dma_max_mapping_size(dev) == SIZE_MAX;
}

/* The table to maintain caches by, made at the first call. */
static struct sg_table *cpu_sgt_get(struct dma_buf *dmabuf)
{
	struct udmabuf *ubuf = dmabuf->priv;
	struct sg_table *sgt = smp_load_acquire(&ubuf->cpu_sgt); /* the store below */

	if (sgt)
		return sgt;

	if (dma_resv_lock_interruptible(dmabuf->resv, NULL))
		return ERR_PTR(-ERESTARTSYS);

	sgt = ubuf->cpu_sgt;
	if (!sgt) {
		sgt = map_for_device(ubuf, udmabuf_misc.this_device,
				     DMA_BIDIRECTIONAL, GFP_KERNEL);
		if (!IS_ERR(sgt))
			smp_store_release(&ubuf->cpu_sgt, sgt); /* the load above */
	}
	dma_resv_unlock(dmabuf->resv);
	return sgt;
}

static int udmabuf_begin_cpu_access(struct dma_buf *dmabuf,
				    enum dma_data_direction direction)
{
	struct device *dev = udmabuf_misc.this_device;
	struct udmabuf *ubuf = dmabuf->priv;
	struct sg_table *sgt;

	if (cpu_access_needs_sync(dev)) {
		sgt = cpu_sgt_get(dmabuf);
		if (IS_ERR(sgt))
			return PTR_ERR(sgt);
		dma_sync_sgtable_for_cpu(dev, sgt, direction);
	}
	if (!READ_ONCE(ubuf->accessed))
		WRITE_ONCE(ubuf->accessed, true);
	return 0;
}

static int udmabuf_end_cpu_access(struct dma_buf *dmabuf,
				  enum dma_data_direction direction)
{
	struct device *dev = udmabuf_misc.this_device;
	struct udmabuf *ubuf = dmabuf->priv;
	struct sg_table *sgt;

	if (!READ_ONCE(ubuf->accessed))
		return -EINVAL;

	sgt = smp_load_acquire(&ubuf->cpu_sgt); /* the store in cpu_sgt_get() */
	if (sgt)
		dma_sync_sgtable_for_device(dev, sgt, direction);
	return 0;
}

static bool udmabuf_run_at(const struct pfn_source *src, pgoff_t pgoff,
			   struct pfn_run *run)
{
	struct udmabuf *ubuf = container_of(src, struct udmabuf, src);

	return udmabuf_pages_run_at(&ubuf->pages, pgoff, run);
}

static int udmabuf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct udmabuf *ubuf = dmabuf->priv;

	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;

	return pfn_source_mmap(&ubuf->src, vma);
}

static int udmabuf_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct udmabuf *ubuf = dmabuf->priv;

	dma_resv_assert_held(dmabuf->resv);

	if (!ubuf->vaddr)
		ubuf->vaddr = udmabuf_pages_vmap(&ubuf->pages);
	if (!ubuf->vaddr)
		return -ENOMEM;

	iosys_map_set_vaddr(map, ubuf->vaddr);
	return 0;
}

static void drop_vaddr(struct udmabuf *ubuf)
{
	if (is_vmalloc_addr(ubuf->vaddr))
		vunmap(ubuf->vaddr);
	ubuf->vaddr = NULL;
}

/*
 * Importers map and unmap often, so the mapping is kept for the next one where
 * there are plenty of addresses and no caches that go by them.
 */
static void udmabuf_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	dma_resv_assert_held(dmabuf->resv);

	if (!IS_ENABLED(CONFIG_64BIT) ||
	    IS_ENABLED(CONFIG_ARCH_HAS_CPU_CACHE_ALIASING))
		drop_vaddr(dmabuf->priv);
}

static void udmabuf_free(struct udmabuf *ubuf)
{
	if (!ubuf)
		return;

	udmabuf_pages_unpin(&ubuf->pages);
	if (ubuf->account)
		udmabuf_account_put(ubuf->account, ubuf->charged);
	kfree(ubuf);
}

DEFINE_FREE(udmabuf_free, struct udmabuf *, udmabuf_free(_T))

static void udmabuf_release(struct dma_buf *dmabuf)
{
	struct udmabuf *ubuf = dmabuf->priv;

	/*
	 * No device has written through this table, so that there is nothing
	 * to bring back; what the CPU has written may still be in its caches.
	 */
	if (ubuf->cpu_sgt) {
		dma_unmap_sgtable(udmabuf_misc.this_device, ubuf->cpu_sgt,
				  DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
		udmabuf_sgt_free(ubuf->cpu_sgt);
	}
	drop_vaddr(ubuf);
	udmabuf_free(ubuf);
}

static const struct dma_buf_ops udmabuf_ops = {
	.map_dma_buf		= udmabuf_map,
	.try_map_dma_buf	= udmabuf_try_map,
	.unmap_dma_buf		= udmabuf_unmap,
	.get_pfn		= udmabuf_get_pfn,
	.begin_cpu_access	= udmabuf_begin_cpu_access,
	.end_cpu_access		= udmabuf_end_cpu_access,
	.mmap			= udmabuf_mmap,
	.vmap			= udmabuf_vmap,
	.vunmap			= udmabuf_vunmap,
	.release		= udmabuf_release,
};

/* ---- creation ----------------------------------------------------------- */

/* The largest buffer in bytes: what is allowed, and what a size_t can tell. */
static u64 size_limit(void)
{
	return min_t(u64, (u64)READ_ONCE(size_limit_mb) << 20, SIZE_MAX & PAGE_MASK);
}

/* How many pages a user may have in buffers. */
static unsigned long user_limit(void)
{
	unsigned int limit_mb = READ_ONCE(user_limit_mb);

	if (!limit_mb)
		return totalram_pages() / 4;
	return min_t(u64, (u64)limit_mb << (20 - PAGE_SHIFT), ULONG_MAX);
}

static bool item_valid(const struct udmabuf_create_item *item)
{
	u64 end;

	return item->size && IS_ALIGNED(item->offset | item->size, PAGE_SIZE) &&
	       !check_add_overflow(item->offset, item->size, &end) &&
	       end <= LLONG_MAX;
}

/* Add up the pages of a list: 0, or -EINVAL if it makes no buffer. */
static int list_pages(const struct udmabuf_create_item *list, u32 count,
		      unsigned long *nr_pages)
{
	u64 limit = size_limit(), size = 0;
	u32 i;

	for (i = 0; i < count; i++) {
		if (!item_valid(&list[i]) || list[i].size > limit - size)
			return -EINVAL;
		size += list[i].size;
	}
	*nr_pages = size >> PAGE_SHIFT;
	return size ? 0 : -EINVAL;
}

static int check_seals(struct file *memfd)
{
	long seals = memfd_fcntl(memfd, F_GET_SEALS, 0);

	if (seals < 0)
		return -EBADFD;
	if ((seals & SEALS_NEEDED) != SEALS_NEEDED || seals & SEALS_REFUSED)
		return -EINVAL;
	return 0;
}

/* Append the pages of @item. */
static int pin_item(struct udmabuf *ubuf, const struct udmabuf_create_item *item)
{
	struct file *memfd __free(fput) = fget(item->memfd);
	int ret;

	if (!memfd)
		return -EBADFD;

	/* Between the look at the seals and the pins nobody may add a seal. */
	guard(inode_shared)(file_inode(memfd));

	ret = check_seals(memfd);
	if (ret)
		return ret;
	return udmabuf_pages_pin(&ubuf->pages, memfd, item->offset,
				 item->size >> PAGE_SHIFT);
}

static int charge(struct udmabuf *ubuf, unsigned long nr_pages)
{
	int ret = udmabuf_account_charge(ubuf->account, nr_pages, user_limit());

	if (!ret)
		ubuf->charged += nr_pages;
	return ret;
}

static int pin_list(struct udmabuf *ubuf, const struct udmabuf_create_item *list,
		    u32 count)
{
	long surplus;
	int ret;
	u32 i;

	for (i = 0; i < count; i++) {
		ret = pin_item(ubuf, &list[i]);
		if (ret)
			return ret;
	}
	udmabuf_pages_trim(&ubuf->pages);

	surplus = udmabuf_pages_surplus(&ubuf->pages);
	return surplus > 0 ? charge(ubuf, surplus) : surplus;
}

/* A buffer of the pages of @list, pinned and charged. */
static struct udmabuf *udmabuf_alloc(const struct udmabuf_create_item *list,
				     u32 count, unsigned long nr_pages)
{
	struct udmabuf *ubuf __free(udmabuf_free) = NULL;
	int ret;

	ubuf = kzalloc(sizeof(*ubuf), GFP_KERNEL_ACCOUNT);
	if (!ubuf)
		return ERR_PTR(-ENOMEM);

	ubuf->src.run_at = udmabuf_run_at;
	ubuf->account = udmabuf_account_get();
	if (!ubuf->account)
		return ERR_PTR(-ENOMEM);

	ret = charge(ubuf, nr_pages) ?: pin_list(ubuf, list, count);
	if (ret)
		return ERR_PTR(ret);
	return no_free_ptr(ubuf);
}

/* Takes @ubuf, whether it succeeds or not. */
static struct dma_buf *udmabuf_export(struct udmabuf *ubuf)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.ops = &udmabuf_ops;
	info.size = (size_t)ubuf->pages.nr_pages << PAGE_SHIFT;
	info.flags = O_RDWR;
	info.priv = ubuf;

	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		udmabuf_free(ubuf);
	return dmabuf;
}

/* The descriptor of a new buffer. */
static long create(const struct udmabuf_create_item *list, u32 count, u32 flags)
{
	unsigned long nr_pages;
	struct dma_buf *dmabuf;
	struct udmabuf *ubuf;
	int ret;

	ret = list_pages(list, count, &nr_pages);
	if (ret)
		return ret;

	CLASS(get_unused_fd, fd)(flags & UDMABUF_FLAGS_CLOEXEC ? O_CLOEXEC : 0);
	if (fd < 0)
		return fd;

	ubuf = udmabuf_alloc(list, count, nr_pages);
	if (IS_ERR(ubuf))
		return PTR_ERR(ubuf);

	dmabuf = udmabuf_export(ubuf);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	fd_install(fd, dmabuf->file);
	return take_fd(fd);
}

static long ioctl_create(const struct udmabuf_create __user *user)
{
	struct udmabuf_create_item item = {};
	struct udmabuf_create arg;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;

	item.memfd = arg.memfd;
	item.offset = arg.offset;
	item.size = arg.size;
	return create(&item, 1, arg.flags);
}

static long ioctl_create_list(const struct udmabuf_create_list __user *user)
{
	struct udmabuf_create_item *list __free(kvfree) = NULL;
	struct udmabuf_create_list head;
	size_t size;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;

	/* Each entry has a page at least: no need to read more than that. */
	if (!head.count || head.count > READ_ONCE(list_limit) ||
	    head.count > size_limit() >> PAGE_SHIFT)
		return -EINVAL;

	size = array_size(head.count, sizeof(*list));
	list = kvmalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!list)
		return -ENOMEM;
	if (copy_from_user(list, user->list, size))
		return -EFAULT;
	return create(list, head.count, head.flags);
}

static long udmabuf_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case UDMABUF_CREATE:
		return ioctl_create(user);
	case UDMABUF_CREATE_LIST:
		return ioctl_create_list(user);
	default:
		return -ENOTTY;
	}
}

/* ---- the device --------------------------------------------------------- */

static const struct file_operations udmabuf_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= udmabuf_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

static struct miscdevice udmabuf_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "udmabuf",
	.fops	= &udmabuf_fops,
};

/* The device only stands for "any device": it takes all memory in any length. */
static int set_up_dma(struct device *dev)
{
	static struct device_dma_parameters parameters;

	if (!IS_ENABLED(CONFIG_HAS_DMA))
		return 0;

	dev->dma_parms = &parameters;
	dma_set_max_seg_size(dev, UINT_MAX);
	return dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64));
}

static int __init udmabuf_init(void)
{
	int ret = misc_register(&udmabuf_misc);

	if (ret)
		return ret;

	ret = set_up_dma(udmabuf_misc.this_device);
	if (ret)
		misc_deregister(&udmabuf_misc);
	return ret;
}
device_initcall(udmabuf_init);

static void __exit udmabuf_exit(void)
{
	misc_deregister(&udmabuf_misc);
}
module_exit(udmabuf_exit);

MODULE_DESCRIPTION("Buffers made of memfd pages");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(DMA_BUF);
