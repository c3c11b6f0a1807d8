// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/dmabuf_iommu: lets root put buffers into the address space of a device
 * and have the device copy to and from them. An open file is a space
 * (iommu-importer.c) with a device of its own in it (iommu-edu.c).
 *
 * What a program can make the kernel use: mappings and their buffers, up to
 * DMABUF_IOMMU_MAX_MAPPINGS, and page tables, which count as memory of the
 * program's control group. The IOMMU's driver may keep page tables that have
 * become empty. All of it ends with the file, or with the device.
 */

#include <linux/capability.h>
#include <linux/cleanup.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/iommu.h>
#include <linux/miscdevice.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "iommu-edu.h"
#include "iommu-importer.h"
#include "selftests/dmabuf_iommu.h"

/* An open device node. */
struct iommu_file {
	struct edu *edu;
	struct iova_space space;
};

/* --- ioctls --------------------------------------------------------------- */

static int ioctl_info(struct iommu_file *file, void __user *argp)
{
	struct iova_space *space = &file->space;
	struct dmabuf_iommu_info arg = {
		.first = space->first,
		.last = space->last,
		.max_mappings = space->max_mappings,
	};

	if (mutex_lock_interruptible(&space->lock))
		return -ERESTARTSYS;
	/* The page table goes when the space is closed. */
	if (!space->closed)
		arg.page_sizes = space->domain->pgsize_bitmap;
	arg.nr_mappings = space->nr_mappings;
	mutex_unlock(&space->lock);
	if (!arg.page_sizes)
		return -ENODEV;
	return copy_to_user(argp, &arg, sizeof(arg)) ? -EFAULT : 0;
}

/* Does @file have all of @mode? */
static bool has_mode(const struct file *file, fmode_t mode)
{
	return (file->f_mode & mode) == mode;
}

/* Nobody gives a device a right to a buffer that he does not have. */
static int map_buffer(struct iommu_file *file, struct dma_buf *dmabuf,
		      const struct dmabuf_iommu_map *arg)
{
	fmode_t mode = 0;
	int prot = 0;

	if (arg->flags & DMABUF_IOMMU_READ) {
		prot |= IOMMU_READ;
		mode |= FMODE_READ;
	}
	if (arg->flags & DMABUF_IOMMU_WRITE) {
		prot |= IOMMU_WRITE;
		mode |= FMODE_WRITE;
	}
	if (!has_mode(dmabuf->file, mode))
		return -EACCES;
	return iova_space_map(&file->space, dmabuf, arg->iova, prot);
}

static int ioctl_map(struct iommu_file *file, void __user *argp)
{
	struct dmabuf_iommu_map arg;
	struct dma_buf *dmabuf;
	int ret;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (!arg.flags || arg.flags & ~(DMABUF_IOMMU_READ | DMABUF_IOMMU_WRITE))
		return -EINVAL;

	dmabuf = dma_buf_get(arg.fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	ret = map_buffer(file, dmabuf, &arg);
	dma_buf_put(dmabuf);
	return ret;
}

static int ioctl_unmap(struct iommu_file *file, void __user *argp)
{
	struct dmabuf_iommu_unmap arg;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	return iova_space_unmap(&file->space, arg.iova);
}

static int query_mapping(struct iova_mapping *mapping,
			 struct dmabuf_iommu_query *arg)
{
	struct iova_query query;
	int ret;

	ret = iova_mapping_query(mapping, arg->iova, &query);
	if (ret)
		return ret;

	arg->phys = query.phys;
	arg->start = mapping->iova;
	arg->size = mapping->size;
	arg->flags = (mapping->prot & IOMMU_READ ? DMABUF_IOMMU_READ : 0) |
		     (mapping->prot & IOMMU_WRITE ? DMABUF_IOMMU_WRITE : 0) |
		     (query.present ? DMABUF_IOMMU_PRESENT : 0);
	arg->nr_moves = query.nr_moves;
	arg->nr_blocks = query.nr_blocks;
	arg->max_order = query.max_order;
	return 0;
}

static int ioctl_query(struct iommu_file *file, void __user *argp)
{
	struct dmabuf_iommu_query arg;
	struct iova_mapping *mapping;
	int ret;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;

	mapping = iova_space_find(&file->space, arg.iova, 1);
	if (IS_ERR(mapping))
		return PTR_ERR(mapping);
	ret = query_mapping(mapping, &arg);
	iova_mapping_put(mapping);
	if (ret)
		return ret;
	return copy_to_user(argp, &arg, sizeof(arg)) ? -EFAULT : 0;
}

/* A copy to or from a mapping that allows it. */
static int copy_mapped(struct iommu_file *file, const struct edu_copy *copy)
{
	int needed = copy->to_memory ? IOMMU_WRITE : IOMMU_READ;
	struct iova_mapping *mapping;
	int ret = -EACCES;

	mapping = iova_space_find(&file->space, copy->iova, copy->length);
	if (IS_ERR(mapping))
		return PTR_ERR(mapping);
	if (mapping->prot & needed)
		ret = edu_run(file->edu, mapping, copy);
	iova_mapping_put(mapping);
	return ret;
}

/* A copy to or from wherever the device is able to write. */
static int copy_unchecked(struct iommu_file *file, const struct edu_copy *copy)
{
	return iova_space_check(&file->space, copy->iova, copy->length) ?:
	       edu_run_unchecked(file->edu, copy);
}

static int ioctl_dma(struct iommu_file *file, void __user *argp)
{
	struct dmabuf_iommu_dma arg;
	struct edu_copy copy;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (arg.pad || arg.flags & ~(DMABUF_IOMMU_DMA_WRITE |
				     DMABUF_IOMMU_DMA_UNCHECKED))
		return -EINVAL;
	/* The device takes the machine down when told to go further. */
	if (!arg.length || arg.length > DMABUF_IOMMU_DMA_MAX ||
	    arg.offset > DMABUF_IOMMU_DMA_MAX - arg.length)
		return -EINVAL;

	copy = (struct edu_copy) {
		.iova = arg.iova,
		.offset = arg.offset,
		.length = arg.length,
		.to_memory = arg.flags & DMABUF_IOMMU_DMA_WRITE,
	};
	if (arg.flags & DMABUF_IOMMU_DMA_UNCHECKED)
		return copy_unchecked(file, &copy);
	return copy_mapped(file, &copy);
}

/* --- The device node ------------------------------------------------------ */

static int iommu_file_open(struct inode *inode, struct file *filp)
{
	struct iommu_file *file __free(kfree) = NULL;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;

	file = kzalloc(sizeof(*file), GFP_KERNEL);
	if (!file)
		return -ENOMEM;
	file->edu = edu_claim(&file->space);
	if (IS_ERR(file->edu))
		return PTR_ERR(file->edu);

	filp->private_data = no_free_ptr(file);
	return 0;
}

static int iommu_file_release(struct inode *inode, struct file *filp)
{
	struct iommu_file *file = filp->private_data;

	edu_release(file->edu, &file->space);
	kfree(file);
	return 0;
}

static long iommu_file_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct iommu_file *file = filp->private_data;
	void __user *argp = (void __user *)arg;

	switch (cmd) {
	case DMABUF_IOMMU_IOC_INFO:
		return ioctl_info(file, argp);
	case DMABUF_IOMMU_IOC_MAP:
		return ioctl_map(file, argp);
	case DMABUF_IOMMU_IOC_UNMAP:
		return ioctl_unmap(file, argp);
	case DMABUF_IOMMU_IOC_QUERY:
		return ioctl_query(file, argp);
	case DMABUF_IOMMU_IOC_DMA:
		return ioctl_dma(file, argp);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations iommu_file_fops = {
	.owner = THIS_MODULE,
	.open = iommu_file_open,
	.release = iommu_file_release,
	.unlocked_ioctl = iommu_file_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice iommu_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dmabuf_iommu",
	.fops = &iommu_file_fops,
	.mode = 0600,
};

static int __init iommu_file_init(void)
{
	int ret;

	ret = edu_register();
	if (ret)
		return ret;
	ret = misc_register(&iommu_misc);
	if (ret)
		edu_unregister();
	return ret;
}
device_initcall(iommu_file_init);
