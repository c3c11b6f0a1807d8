// SPDX-License-Identifier: GPL-2.0
/*
 * udmabuf, put through the contract: buffers of small pages, which begin
 * somewhere in a memfd, and of huge ones.
 */

#include "mock.h"

#if DMABUF_OURS && IS_ENABLED(CONFIG_UDMABUF)

#include <linux/device/class.h>
#include <linux/dma-buf-conformance.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>
#include <linux/udmabuf.h>

#include "mock_chrdev.h"

/* What the cases of a suite share. */
struct fixture {
	struct file *device;
	struct file *memfd;
	int memfd_nr;
	u64 offset;
	struct udmabuf_create __user *user;
};

/* The number of /dev/udmabuf, 0 if there is none. */
static dev_t device_number(struct kunit *test)
{
	static const struct file_operations nothing;
	struct miscdevice probe = {
		.minor = MISC_DYNAMIC_MINOR,
		.name = "conformance_probe",
		.fops = &nothing,
	};
	struct device *device;
	dev_t number = 0;

	/* One has to have a device of a class to be told the class. */
	KUNIT_ASSERT_EQ(test, 0, misc_register(&probe));
	device = class_find_device_by_name(probe.this_device->class, "udmabuf");
	misc_deregister(&probe);
	if (device) {
		number = device->devt;
		put_device(device);
	}
	return number;
}

static void close_memfd(void *data)
{
	struct fixture *f = data;

	close_fd(f->memfd_nr);
}

static void put_memfd(void *memfd)
{
	fput(memfd);
}

/* Open the device, and give the memfd a number. */
static int fixture_init(struct kunit *test, struct file *memfd, u64 offset)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	unsigned long user;
	dev_t number;

	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, put_memfd, memfd));
	KUNIT_ASSERT_NOT_NULL(test, f);
	number = device_number(test);
	if (!number)
		kunit_skip(test, "no udmabuf device");
	f->device = mock_chrdev_open(test, number);
	f->memfd = memfd;
	f->offset = offset;
	f->memfd_nr = get_unused_fd_flags(O_CLOEXEC);
	KUNIT_ASSERT_GE(test, f->memfd_nr, 0);
	get_file(memfd);
	fd_install(f->memfd_nr, memfd);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, close_memfd, f));

	user = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_FALSE(test, !user || IS_ERR_VALUE(user));
	f->user = (struct udmabuf_create __user *)user;
	test->priv = f;
	return 0;
}

static struct dma_buf *udmabuf_create(struct kunit *test, size_t size)
{
	struct fixture *f = test->priv;
	struct udmabuf_create arg = {
		.memfd = f->memfd_nr,
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.offset = f->offset,
		.size = size,
	};
	struct dma_buf *dmabuf;
	long fd;

	if (copy_to_user(f->user, &arg, sizeof(arg)))
		return ERR_PTR(-EFAULT);
	fd = f->device->f_op->unlocked_ioctl(f->device, UDMABUF_CREATE, (unsigned long)f->user);
	if (fd < 0)
		return ERR_PTR(fd);
	dmabuf = dma_buf_get(fd);
	close_fd(fd);
	return dmabuf;
}

/* Pins of a page of the file, which has as many references for each of them. */
static long udmabuf_live(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct page *page = shmem_read_mapping_page(f->memfd->f_mapping, f->offset >> PAGE_SHIFT);
	long pins;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, page);
	pins = page_count(page) / GUP_PIN_COUNTING_BIAS;
	put_page(page);
	return pins;
}

#define UDMABUF_PROMISES (DMA_BUF_PROMISES_MAP | DMA_BUF_PROMISES_PFN | DMA_BUF_PROMISES_MMAP | \
			  DMA_BUF_PROMISES_VMAP | DMA_BUF_PROMISES_CPU | DMA_BUF_PROMISES_TRY)

#define SHMEM_SIZE	SZ_256K

static int udmabuf_init(struct kunit *test)
{
	struct file *memfd = shmem_file_setup("conformance", 2 * SHMEM_SIZE, VM_NORESERVE);

	if (IS_ERR(memfd))
		kunit_skip(test, "no shmem");
	SHMEM_I(file_inode(memfd))->seals = F_SEAL_SHRINK;
	return fixture_init(test, memfd, 3 * PAGE_SIZE);
}

static const struct dma_buf_conformance udmabuf = {
	.create = udmabuf_create,
	.init = udmabuf_init,
	.live = udmabuf_live,
	.size = SHMEM_SIZE,
	.promises = UDMABUF_PROMISES,
};

DMA_BUF_CONFORMANCE_SUITE(udmabuf, &udmabuf);

/* Files of huge pages cannot be made by modules. */
#if IS_ENABLED(CONFIG_HUGETLBFS) && !defined(MODULE)

static int udmabuf_huge_init(struct kunit *test)
{
	size_t size = 2 * huge_page_size(&default_hstate);
	struct file *memfd;

	if (!hugepages_supported() || default_hstate.free_huge_pages < 2)
		kunit_skip(test, "no two huge pages");
	/* Reserves the pages, as a program does that maps the file. */
	memfd = hugetlb_file_setup("conformance", size, 0, HUGETLB_ANONHUGE_INODE, 0);
	if (IS_ERR(memfd))
		kunit_skip(test, "no file of huge pages");
	HUGETLBFS_I(file_inode(memfd))->seals = F_SEAL_SHRINK;
	return fixture_init(test, memfd, 0);
}

static const struct dma_buf_conformance udmabuf_huge = {
	.create = udmabuf_create,
	.init = udmabuf_huge_init,
	.size = SZ_2M + SZ_256K,
	.promises = UDMABUF_PROMISES,
};

DMA_BUF_CONFORMANCE_SUITE(udmabuf_huge, &udmabuf_huge);

#endif /* CONFIG_HUGETLBFS */

#endif /* DMABUF_OURS */
