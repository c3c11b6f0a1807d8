// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/udmabuf from inside: what the ioctls take and refuse, and what importers
 * and the CPU get to see of the buffer. The device is opened through an inode
 * of the suite's own, so that no file system has to be there; what a program
 * sees is tested by tools/testing/selftests/dma-buf/udmabuf.c.
 */

#include <linux/device/class.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/highmem.h>
#include <linux/iosys-map.h>
#include <linux/miscdevice.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/pseudo_fs.h>
#include <linux/shmem_fs.h>
#include <linux/uaccess.h>
#include <linux/udmabuf.h>
#include <linux/vmalloc.h>

#include <kunit/device.h>
#include <kunit/test.h>

#include "mock.h"
#include "mock_fs.h"

#define NR_PAGES	16
#define SIZE		(NR_PAGES * PAGE_SIZE)
/* Pages of a large folio. */
#define LARGE_NR	(PMD_SIZE / PAGE_SIZE)

struct fixture {
	struct vfsmount *mount;
	struct file *device;
	struct file *memfd;
	int memfd_nr;
	void __user *user;	/* two pages */
};

/* ---- the device, a memfd, and memory of a program ------------------------- */

static int kunit_fs_init_context(struct fs_context *fc)
{
	return init_pseudo(fc, 0x6b756d62) ? 0 : -ENOMEM;
}

static struct file_system_type kunit_fs = {
	.name			= "udmabuf_kunit",
	.init_fs_context	= kunit_fs_init_context,
	.kill_sb		= kill_anon_super,
};

static void unmount(void *mount)
{
	/* The last of its files may be on their way. */
	flush_delayed_fput();
	kern_unmount(mount);
}

static void put_file(void *file)
{
	fput(file);
}

static void put_fd(void *fd)
{
	close_fd((long)fd);
}

/* The device number of /dev/udmabuf, 0 if there is none. */
static dev_t find_device(struct kunit *test)
{
	struct miscdevice probe = {
		.minor = MISC_DYNAMIC_MINOR,
		.name = "udmabuf_kunit",
	};
	static const struct file_operations nothing;
	struct device *device;
	dev_t number = 0;

	/* One has to have a device of a class to be told the class. */
	probe.fops = &nothing;
	KUNIT_ASSERT_EQ(test, 0, misc_register(&probe));
	device = class_find_device_by_name(probe.this_device->class, "udmabuf");
	misc_deregister(&probe);
	if (device) {
		number = device->devt;
		put_device(device);
	}
	return number;
}

static struct file *open_device(struct kunit *test, struct vfsmount *mount)
{
	dev_t number = find_device(test);
	struct inode *inode;
	struct file *file;

	if (!number)
		kunit_skip(test, "no udmabuf device");

	inode = alloc_anon_inode(mount->mnt_sb);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, inode);
	init_special_inode(inode, S_IFCHR | 0600, number);
	file = alloc_file_pseudo(inode, mount, "udmabuf", O_RDWR, inode->i_fop);
	if (IS_ERR(file))
		iput(inode);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, put_file, file));
	KUNIT_ASSERT_EQ(test, 0, file->f_op->open(inode, file));
	return file;
}

static int install(struct kunit *test, struct file *file)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	KUNIT_ASSERT_GE(test, fd, 0);
	get_file(file);
	fd_install(fd, file);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, put_fd, (void *)(long)fd));
	return fd;
}

static struct file *memfd_create_sealed(struct kunit *test, unsigned int seals)
{
	struct file *memfd;

	if (!IS_ENABLED(CONFIG_MEMFD_CREATE))
		kunit_skip(test, "no memfd");
	memfd = mock_memfd(SIZE);
	if (IS_ERR(memfd))
		kunit_skip(test, "no shmem");
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, put_file, memfd));
	SHMEM_I(file_inode(memfd))->seals = seals;
	return memfd;
}

static int fixture_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	unsigned long addr;

	KUNIT_ASSERT_NOT_NULL(test, f);
	test->priv = f;
	f->mount = kern_mount(&kunit_fs);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f->mount);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, unmount, f->mount));
	f->device = open_device(test, f->mount);

	f->memfd = memfd_create_sealed(test, F_SEAL_SHRINK);
	f->memfd_nr = install(test, f->memfd);

	addr = kunit_vm_mmap(test, NULL, 0, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, 0, addr);
	KUNIT_ASSERT_LT(test, addr, TASK_SIZE);
	f->user = (void __user *)addr;
	return 0;
}

static long ioctl(struct kunit *test, unsigned int cmd, const void *arg, size_t size)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, 0, copy_to_user(f->user, arg, size));
	return f->device->f_op->unlocked_ioctl(f->device, cmd, (unsigned long)f->user);
}

static long create(struct kunit *test, int memfd, u64 offset, u64 size)
{
	struct udmabuf_create arg = { .memfd = memfd, .offset = offset, .size = size };

	return ioctl(test, UDMABUF_CREATE, &arg, sizeof(arg));
}

struct list {
	struct udmabuf_create_list head;
	struct udmabuf_create_item item[4];
};

static long create_list(struct kunit *test, const struct list *list)
{
	return ioctl(test, UDMABUF_CREATE_LIST, list, sizeof(*list));
}

/* The buffer behind a descriptor that an ioctl returned. */
static struct dma_buf *take_buffer(struct kunit *test, long fd)
{
	struct dma_buf *dmabuf;

	KUNIT_ASSERT_GE(test, fd, 0);
	dmabuf = dma_buf_get(fd);
	close_fd(fd);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, put_file, dmabuf->file));
	return dmabuf;
}

/* A buffer of these pages of the memfd, from @first on, and of those before it. */
static struct dma_buf *rotated(struct kunit *test, unsigned int first)
{
	struct fixture *f = test->priv;
	struct list list = {
		.head.count = 2,
		.item[0] = {
			.memfd = f->memfd_nr,
			.offset = first * PAGE_SIZE,
			.size = (NR_PAGES - first) * PAGE_SIZE,
		},
		.item[1] = {
			.memfd = f->memfd_nr,
			.size = first * PAGE_SIZE,
		},
	};

	return take_buffer(test, create_list(test, &list));
}

static struct page *memfd_page(struct kunit *test, unsigned int index)
{
	struct fixture *f = test->priv;
	struct page *page = shmem_read_mapping_page(f->memfd->f_mapping, index);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, page);
	return page;
}

/* Write the number of each page of the memfd into it. */
static void number_pages(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++) {
		struct page *page = memfd_page(test, i);
		u32 *data = kmap_local_page(page);

		data[0] = 1000 + i;
		data[PAGE_SIZE / sizeof(*data) - 1] = 2000 + i;
		kunmap_local(data);
		put_page(page);
	}
}

/* ---- what is taken ------------------------------------------------------------ */

/* Passes if the buffer has the size that was asked for and can be written. */
static void create_returns_buffer(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct page *page = memfd_page(test, 3);
	struct dma_buf *dmabuf;

	dmabuf = take_buffer(test, create(test, f->memfd_nr, PAGE_SIZE, 3 * PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, folio_maybe_dma_pinned(page_folio(page)));
	put_page(page);
	KUNIT_EXPECT_EQ(test, 3 * PAGE_SIZE, dmabuf->size);
	KUNIT_EXPECT_STREQ(test, "udmabuf", dmabuf->exp_name);
	KUNIT_EXPECT_EQ(test, O_RDWR, dmabuf->file->f_flags & O_ACCMODE);
}

/* Passes if close-on-exec is what was asked for. */
static void create_sets_cloexec_as_asked(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct udmabuf_create arg = { .memfd = f->memfd_nr, .size = PAGE_SIZE };
	int i;

	for (i = 0; i < 2; i++) {
		long fd;

		arg.flags = i ? UDMABUF_FLAGS_CLOEXEC : 0;
		fd = ioctl(test, UDMABUF_CREATE, &arg, sizeof(arg));
		KUNIT_ASSERT_GE(test, fd, 0);
		scoped_guard(rcu)
			KUNIT_EXPECT_EQ(test, i, close_on_exec(fd, current->files));
		close_fd(fd);
	}
}

/* Passes if the buffer outlives the memfd. */
static void create_holds_the_pages(struct kunit *test)
{
	struct file *memfd = mock_memfd(SIZE);
	struct dma_buf *dmabuf;
	struct iosys_map map;
	int fd;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, memfd);
	SHMEM_I(file_inode(memfd))->seals = F_SEAL_SHRINK;
	fd = get_unused_fd_flags(0);
	KUNIT_ASSERT_GE(test, fd, 0);
	fd_install(fd, memfd);
	dmabuf = take_buffer(test, create(test, fd, 0, SIZE));
	close_fd(fd);
	flush_delayed_fput();

	KUNIT_ASSERT_EQ(test, 0, dma_buf_vmap_unlocked(dmabuf, &map));
	KUNIT_EXPECT_NULL(test, memchr_inv(map.vaddr, 0, SIZE));
	memset(map.vaddr, 0x55, SIZE);
	dma_buf_vunmap_unlocked(dmabuf, &map);
}

/* ---- what is refused ------------------------------------------------------------ */

struct bad_range {
	const char *what;
	u64 offset, size;
};

static const struct bad_range bad_ranges[] = {
	{ "nothing", 0, 0 },
	{ "one byte", 0, 1 },
	{ "a page less one byte", 0, PAGE_SIZE - 1 },
	{ "a page and a byte", 0, PAGE_SIZE + 1 },
	{ "one byte in", 1, PAGE_SIZE },
	{ "half a page in", PAGE_SIZE / 2, PAGE_SIZE },
	{ "one page too much", 0, SIZE + PAGE_SIZE },
	{ "past the end", SIZE, PAGE_SIZE },
	{ "over the end", SIZE - PAGE_SIZE, 2 * PAGE_SIZE },
	{ "4 GiB", 0, 1ULL << 32 },
	{ "16 TiB", 0, 1ULL << 44 },
	{ "2^63", 0, 1ULL << 63 },
	{ "as large as can be", 0, ~0ULL & ~(u64)(PAGE_SIZE - 1) },
	{ "all ones", 0, ~0ULL },
	{ "offset 2^63", 1ULL << 63, PAGE_SIZE },
	{ "offset below 2^63", (1ULL << 63) - PAGE_SIZE, PAGE_SIZE },
	{ "offset that wraps", ~0ULL - PAGE_SIZE + 1, 2 * PAGE_SIZE },
	{ "offset that wraps to the end", ~0ULL - PAGE_SIZE + 1, PAGE_SIZE },
};

KUNIT_ARRAY_PARAM_DESC(bad_range, bad_ranges, what);

/* Passes if a range that is not of whole pages inside of the file is refused. */
static void create_bad_range_returns_einval(struct kunit *test)
{
	const struct bad_range *range = test->param_value;
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, -EINVAL,
			create(test, f->memfd_nr, range->offset, range->size));
}

/* Passes if such a range is refused wherever it is in a list. */
static void create_list_with_bad_range_returns_einval(struct kunit *test)
{
	const struct bad_range *range = test->param_value;
	struct fixture *f = test->priv;
	unsigned int bad, i;

	for (bad = 0; bad < 3; bad++) {
		struct list list = { .head.count = 3 };

		for (i = 0; i < 3; i++) {
			list.item[i].memfd = f->memfd_nr;
			list.item[i].size = PAGE_SIZE;
		}
		list.item[bad].offset = range->offset;
		list.item[bad].size = range->size;
		KUNIT_EXPECT_EQ(test, -EINVAL, create_list(test, &list));
	}
}

/* Passes if sizes whose sum looks small are refused. */
static void create_list_whose_sum_wraps_returns_einval(struct kunit *test)
{
	static const u64 sizes[][2] = {
		{ 1ULL << 63, 1ULL << 63 },
		{ 1ULL << 32, 1ULL << 32 },
		{ ~0ULL - PAGE_SIZE + 1, 2 * PAGE_SIZE },
		{ PAGE_SIZE, ~0ULL - PAGE_SIZE + 1 },
	};
	struct fixture *f = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct list list = { .head.count = 2 };

		list.item[0].memfd = f->memfd_nr;
		list.item[0].size = sizes[i][0];
		list.item[1].memfd = f->memfd_nr;
		list.item[1].size = sizes[i][1];
		KUNIT_EXPECT_EQ(test, -EINVAL, create_list(test, &list));
	}
}

/* Passes if a list of nothing makes no buffer. */
static void create_list_without_entries_returns_einval(struct kunit *test)
{
	struct list list = {};

	KUNIT_EXPECT_EQ(test, -EINVAL, create_list(test, &list));
}

/* Passes if memory that may shrink, or must not be written, is refused. */
static void create_with_wrong_seals_returns_einval(struct kunit *test)
{
	static const unsigned int seals[] = {
		0, F_SEAL_SEAL, F_SEAL_GROW, F_SEAL_SHRINK | F_SEAL_WRITE,
		F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE, F_SEAL_WRITE,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(seals); i++) {
		int fd = install(test, memfd_create_sealed(test, seals[i]));

		KUNIT_EXPECT_EQ(test, -EINVAL, create(test, fd, 0, PAGE_SIZE));
	}
}

/* Passes if seals that do not matter do not matter. */
static void create_with_other_seals_succeeds(struct kunit *test)
{
	int fd = install(test, memfd_create_sealed(test, F_SEAL_SHRINK | F_SEAL_GROW |
						   F_SEAL_SEAL));

	take_buffer(test, create(test, fd, 0, SIZE));
}

/* Passes if what is not a memfd, and what is not open, is refused. */
static void create_of_no_memfd_returns_ebadfd(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, -EBADFD, create(test, -1, 0, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, -EBADFD, create(test, INT_MAX, 0, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, -EBADFD,
			create(test, install(test, f->device), 0, PAGE_SIZE));
}

/* Passes if an argument that cannot be read is told from one that is wrong. */
static void ioctl_without_memory_returns_efault(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned long bad = (unsigned long)f->user + 2 * PAGE_SIZE;
	struct udmabuf_create_list head = { .count = 2 };
	u8 __user *end = f->user + 2 * PAGE_SIZE;

	KUNIT_ASSERT_EQ(test, 0, vm_munmap(bad - PAGE_SIZE, PAGE_SIZE));
	end -= PAGE_SIZE;
	bad -= PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, -EFAULT,
			f->device->f_op->unlocked_ioctl(f->device, UDMABUF_CREATE, bad));
	KUNIT_EXPECT_EQ(test, -EFAULT,
			f->device->f_op->unlocked_ioctl(f->device, UDMABUF_CREATE_LIST, bad));

	/* The head can be read, the list only in part. */
	end -= sizeof(head) + sizeof(struct udmabuf_create_item);
	KUNIT_ASSERT_EQ(test, 0, copy_to_user(end, &head, sizeof(head)));
	KUNIT_EXPECT_EQ(test, -EFAULT,
			f->device->f_op->unlocked_ioctl(f->device, UDMABUF_CREATE_LIST,
							(unsigned long)end));
}

/* Passes if there is no other ioctl. */
static void ioctl_unknown_returns_enotty(struct kunit *test)
{
	static const unsigned int cmds[] = {
		0, _IOW('u', 0x41, struct udmabuf_create), _IO('u', 0x42),
		_IOW('u', 0x44, struct udmabuf_create), _IOR('u', 0x42, struct udmabuf_create),
		_IOW('v', 0x42, struct udmabuf_create),
	};
	struct udmabuf_create arg = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		KUNIT_EXPECT_EQ(test, -ENOTTY, ioctl(test, cmds[i], &arg, sizeof(arg)));
}

/* Passes if what was refused leaves no page pinned and no descriptor open. */
static void create_refused_leaves_nothing(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct page *page = memfd_page(test, 0);
	int fd = get_unused_fd_flags(0), i;
	struct list list = {
		.head.count = 2,
		.item[0] = { .memfd = f->memfd_nr, .size = SIZE },
		.item[1] = { .memfd = f->memfd_nr, .offset = SIZE, .size = PAGE_SIZE },
	};

	put_unused_fd(fd);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_LT(test, create_list(test, &list), 0);
		list.item[1].memfd = -1;
		list.item[1].offset = 0;
	}
	KUNIT_EXPECT_FALSE(test, folio_maybe_dma_pinned(page_folio(page)));
	KUNIT_EXPECT_EQ(test, fd, get_unused_fd_flags(0));
	put_unused_fd(fd);
	put_page(page);
}

/* ---- what importers and the CPU see ----------------------------------------------- */

/* Passes if the kernel sees the pages of the file in the order of the list. */
static void vmap_shows_the_file(struct kunit *test)
{
	struct dma_buf *dmabuf;
	struct iosys_map map;
	unsigned int i;

	number_pages(test);
	dmabuf = rotated(test, 5);
	KUNIT_ASSERT_EQ(test, 0, dma_buf_vmap_unlocked(dmabuf, &map));
	for (i = 0; i < NR_PAGES; i++) {
		u32 *data = map.vaddr + i * PAGE_SIZE;

		KUNIT_EXPECT_EQ(test, 1000 + (i + 5) % NR_PAGES, data[0]);
		KUNIT_EXPECT_EQ(test, 2000 + (i + 5) % NR_PAGES,
				data[PAGE_SIZE / sizeof(*data) - 1]);
	}
	dma_buf_vunmap_unlocked(dmabuf, &map);
}

/* Passes if what the kernel writes is in the file, each time it maps anew. */
static void vmap_writes_into_the_file(struct kunit *test)
{
	struct dma_buf *dmabuf = rotated(test, 1);
	struct iosys_map map;
	unsigned int i;

	for (i = 1; i < 4; i++) {
		struct page *page = memfd_page(test, 0);
		u32 *data;

		KUNIT_ASSERT_EQ(test, 0, dma_buf_vmap_unlocked(dmabuf, &map));
		data = map.vaddr + (NR_PAGES - 1) * PAGE_SIZE;
		data[i] = 3000 + i;
		dma_buf_vunmap_unlocked(dmabuf, &map);

		data = kmap_local_page(page);
		KUNIT_EXPECT_EQ(test, 3000 + i, data[i]);
		kunmap_local(data);
		put_page(page);
	}
}

/* Passes if a kernel mapping that is kept for the next user does not outlive the buffer. */
static void release_drops_the_kernel_mapping(struct kunit *test)
{
	struct dma_buf *dmabuf;
	struct iosys_map map;
	void *vaddr;

	/* Allocated in this order, the pages of the buffer are not one after the other. */
	number_pages(test);
	dmabuf = rotated(test, 5);
	KUNIT_ASSERT_EQ(test, 0, dma_buf_vmap_unlocked(dmabuf, &map));
	vaddr = map.vaddr;
	KUNIT_ASSERT_TRUE(test, is_vmalloc_addr(vaddr));
	KUNIT_EXPECT_NOT_NULL(test, vmalloc_to_page(vaddr));
	dma_buf_vunmap_unlocked(dmabuf, &map);
	kunit_release_action(test, put_file, dmabuf->file);
	flush_delayed_fput();
	KUNIT_EXPECT_NULL(test, vmalloc_to_page(vaddr));
}

/* Passes if a program sees the pages of the file, and the file what it writes. */
static void mmap_shows_the_file(struct kunit *test)
{
	struct dma_buf *dmabuf;
	unsigned long addr;
	unsigned int i;
	u32 value;

	number_pages(test);
	dmabuf = rotated(test, 7);
	addr = kunit_vm_mmap(test, dmabuf->file, 0, SIZE, PROT_READ | PROT_WRITE,
			     MAP_SHARED, 0);
	KUNIT_ASSERT_NE(test, 0, addr);
	KUNIT_ASSERT_LT(test, addr, TASK_SIZE);
	for (i = 0; i < NR_PAGES; i++) {
		u32 __user *data = (u32 __user *)(addr + i * PAGE_SIZE);

		KUNIT_EXPECT_EQ(test, 0, get_user(value, data));
		KUNIT_EXPECT_EQ(test, 1000 + (i + 7) % NR_PAGES, value);
		KUNIT_EXPECT_EQ(test, 0, put_user(5000, data + 1));
	}
	for (i = 0; i < NR_PAGES; i++) {
		struct page *page = memfd_page(test, i);
		u32 *data = kmap_local_page(page);

		KUNIT_EXPECT_EQ(test, 5000, data[1]);
		kunmap_local(data);
		put_page(page);
	}
}

/* A device that addresses all memory. */
static struct device *create_device(struct kunit *test)
{
	struct device *device = kunit_device_register(test, "udmabuf-importer");

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, device);
	if (dma_coerce_mask_and_coherent(device, DMA_BIT_MASK(64)))
		kunit_skip(test, "no DMA");
	return device;
}

/* The physical address of page @pgoff of rotated(test, @first). */
static phys_addr_t rotated_phys(struct kunit *test, unsigned int first, unsigned int pgoff)
{
	struct page *page = memfd_page(test, (first + pgoff) % NR_PAGES);
	phys_addr_t phys = page_to_phys(page);

	put_page(page);
	return phys;
}

struct mapping {
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
};

static void unmap(void *arg)
{
	struct mapping *mapping = arg;

	dma_buf_unmap_attachment_unlocked(mapping->attach, mapping->sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(mapping->dmabuf, mapping->attach);
}

static struct sg_table *map_buffer(struct kunit *test, struct dma_buf *dmabuf)
{
	struct mapping *mapping = kunit_kzalloc(test, sizeof(*mapping), GFP_KERNEL);
	struct device *device = create_device(test);

	KUNIT_ASSERT_NOT_NULL(test, mapping);
	mapping->dmabuf = dmabuf;
	mapping->attach = dma_buf_attach(mapping->dmabuf, device);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mapping->attach);
	mapping->sgt = dma_buf_map_attachment_unlocked(mapping->attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(mapping->sgt))
		dma_buf_detach(mapping->dmabuf, mapping->attach);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mapping->sgt);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, unmap, mapping));
	return mapping->sgt;
}

/* Passes if a device gets the address of each page, in the order of the list. */
static void map_shows_the_file(struct kunit *test)
{
	struct sg_table *sgt = map_buffer(test, rotated(test, 3));
	unsigned int pgoff = 0, i;
	struct scatterlist *sg;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		unsigned int offset;

		for (offset = 0; offset < sg_dma_len(sg); offset += PAGE_SIZE)
			KUNIT_EXPECT_EQ(test, rotated_phys(test, 3, pgoff++),
					sg_dma_address(sg) + offset);
	}
	KUNIT_EXPECT_EQ(test, NR_PAGES, pgoff);
}

/* Passes if pages that follow each other in memory are one entry. */
static void map_has_one_entry_per_segment(struct kunit *test)
{
	struct sg_table *sgt = map_buffer(test, rotated(test, 4));
	unsigned int count = 1, i;

	for (i = 1; i < NR_PAGES; i++)
		count += rotated_phys(test, 4, i) !=
			 rotated_phys(test, 4, i - 1) + PAGE_SIZE;
	/* Else stock's one entry per page would be right, too. */
	if (count == NR_PAGES)
		kunit_skip(test, "no two pages follow each other");
	KUNIT_EXPECT_EQ(test, count, sgt->orig_nents);
}

/* ---- the middle of large folios ----------------------------------------------------- */

/* What a buffer is made of: parts of folios, one of two. Less than 0 is before the second folio. */
static const struct {
	int first;
	unsigned int nr;
} pieces[] = {
	{ 100, 5 }, { -2, 4 }, { 3, 1 },
};

static unsigned int piece_first(unsigned int i)
{
	return pieces[i].first < 0 ? LARGE_NR + pieces[i].first : pieces[i].first;
}

/* Which page of the file is page @pgoff of a buffer of all pieces? */
static unsigned int piece_page(unsigned int pgoff)
{
	unsigned int i;

	for (i = 0; pgoff >= pieces[i].nr; i++)
		pgoff -= pieces[i].nr;
	return piece_first(i) + pgoff;
}

#define NR_PIECE_PAGES	10

static void write_number(struct kunit *test, unsigned int index)
{
	struct page *page = memfd_page(test, index);
	u32 *data = kmap_local_page(page);

	*data = 1000 + index;
	kunmap_local(data);
	put_page(page);
}

/* Exchange the memfd of the fixture for one of large folios. */
static void use_large_folios(struct kunit *test)
{
	struct file_system_type *type = get_fs_type("tmpfs");
	struct fixture *f = test->priv;
	char options[] = "huge=always";	/* taken apart by the parser */
	struct vfsmount *mount;
	struct page *page;
	bool large;

	if (!type)
		kunit_skip(test, "no tmpfs");
	mount = vfs_kern_mount(type, SB_KERNMOUNT, "tmpfs", options);
	if (IS_ERR(mount))
		kunit_skip(test, "no huge pages in tmpfs");
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, unmount, mount));

	f->memfd = shmem_file_setup_with_mnt(mount, "udmabuf-kunit", 2 * (LARGE_NR * PAGE_SIZE),
					     VM_NORESERVE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f->memfd);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, put_file, f->memfd));
	SHMEM_I(file_inode(f->memfd))->seals = F_SEAL_SHRINK;
	f->memfd_nr = install(test, f->memfd);

	page = memfd_page(test, 0);
	large = folio_nr_pages(page_folio(page)) == LARGE_NR;
	put_page(page);
	if (!large)
		kunit_skip(test, "no memory for huge pages");
}

static struct dma_buf *buffer_of_pieces(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct list list = { .head.count = ARRAY_SIZE(pieces) };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		list.item[i].memfd = f->memfd_nr;
		list.item[i].offset = (u64)piece_first(i) << PAGE_SHIFT;
		list.item[i].size = (u64)pieces[i].nr << PAGE_SHIFT;
	}
	for (i = 0; i < NR_PIECE_PAGES; i++)
		write_number(test, piece_page(i));
	return take_buffer(test, create_list(test, &list));
}

static phys_addr_t piece_phys(struct kunit *test, unsigned int pgoff)
{
	struct page *page = memfd_page(test, piece_page(pgoff));
	phys_addr_t phys = page_to_phys(page);

	put_page(page);
	return phys;
}

/* Passes if the kernel sees the right pages, and not the first ones of the folios. */
static void vmap_shows_the_middle_of_folios(struct kunit *test)
{
	struct dma_buf *dmabuf;
	struct iosys_map map;
	unsigned int i;

	use_large_folios(test);
	dmabuf = buffer_of_pieces(test);
	KUNIT_ASSERT_EQ(test, 0, dma_buf_vmap_unlocked(dmabuf, &map));
	for (i = 0; i < NR_PIECE_PAGES; i++)
		KUNIT_EXPECT_EQ(test, 1000 + piece_page(i),
				*(u32 *)(map.vaddr + i * PAGE_SIZE));
	dma_buf_vunmap_unlocked(dmabuf, &map);
}

/* Passes if a program sees the right pages. */
static void mmap_shows_the_middle_of_folios(struct kunit *test)
{
	struct dma_buf *dmabuf;
	unsigned long addr;
	unsigned int i;
	u32 value;

	use_large_folios(test);
	dmabuf = buffer_of_pieces(test);
	addr = kunit_vm_mmap(test, dmabuf->file, 0, NR_PIECE_PAGES * PAGE_SIZE, PROT_READ,
			     MAP_SHARED, 0);
	KUNIT_ASSERT_NE(test, 0, addr);
	KUNIT_ASSERT_LT(test, addr, TASK_SIZE);
	for (i = 0; i < NR_PIECE_PAGES; i++) {
		KUNIT_EXPECT_EQ(test, 0, get_user(value, (u32 __user *)(addr + i * PAGE_SIZE)));
		KUNIT_EXPECT_EQ(test, 1000 + piece_page(i), value);
	}
}

/* Passes if a device gets the right addresses, those of each piece in one. */
static void map_shows_the_middle_of_folios(struct kunit *test)
{
	unsigned int pgoff = 0, nr_segments = 1, i;
	struct scatterlist *sg;
	struct sg_table *sgt;

	use_large_folios(test);
	sgt = map_buffer(test, buffer_of_pieces(test));
	for_each_sgtable_dma_sg(sgt, sg, i) {
		unsigned int offset;

		for (offset = 0; offset < sg_dma_len(sg); offset += PAGE_SIZE)
			KUNIT_EXPECT_EQ(test, piece_phys(test, pgoff++),
					sg_dma_address(sg) + offset);
	}
	KUNIT_EXPECT_EQ(test, NR_PIECE_PAGES, pgoff);

	for (i = 1; i < NR_PIECE_PAGES; i++)
		nr_segments += piece_phys(test, i) != piece_phys(test, i - 1) + PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, nr_segments, sgt->orig_nents);
}

#if DMABUF_OURS
/* Passes if an importer with page tables of its own is told the right frames. */
static void get_pfn_shows_the_file(struct kunit *test)
{
	struct device *device = kunit_device_register(test, "udmabuf-importer");
	struct dma_buf_attachment *attach;
	struct dma_buf *dmabuf;
	unsigned int i, order;
	u64 pfn;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, device);
	dmabuf = rotated(test, 6);
	attach = dma_buf_attach(dmabuf, device);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	for (i = 0; i < NR_PAGES; i++) {
		KUNIT_EXPECT_EQ(test, 0, dma_buf_get_pfn_unlocked(attach, i, &pfn, &order));
		KUNIT_EXPECT_EQ(test, PHYS_PFN(rotated_phys(test, 6, i)), pfn);
	}
	KUNIT_EXPECT_EQ(test, -EINVAL,
			dma_buf_get_pfn_unlocked(attach, NR_PAGES, &pfn, &order));
	dma_buf_detach(dmabuf, attach);
}
#endif

struct sync_race {
	struct kunit *test;
	struct dma_buf *dmabuf;
	atomic_t failed;
};

static void sync_prepare(struct kunit *test, void *arg)
{
	struct sync_race *race = arg;
	struct fixture *f = test->priv;
	long fd = create(test, f->memfd_nr, 0, SIZE);

	KUNIT_ASSERT_GE(test, fd, 0);
	race->dmabuf = dma_buf_get(fd);
	close_fd(fd);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, race->dmabuf);
}

static void sync_once(void *arg)
{
	struct sync_race *race = arg;

	if (dma_buf_begin_cpu_access(race->dmabuf, DMA_BIDIRECTIONAL) ||
	    dma_buf_end_cpu_access(race->dmabuf, DMA_BIDIRECTIONAL))
		atomic_inc(&race->failed);
}

static void sync_check(struct kunit *test, void *arg)
{
	struct sync_race *race = arg;

	/* Gone before the next one maps the same pages. */
	dma_buf_put(race->dmabuf);
	flush_delayed_fput();
}

/*
 * Passes if the first accesses of several CPUs agree on the state that they set
 * up. What is lost if they do not is found by the checkers of the kernel.
 */
static void begin_races_with_begin(struct kunit *test)
{
	struct sync_race state = { .test = test };
	const struct mock_race race = {
		.ctx = &state,
		.rounds = 50,
		.prepare = sync_prepare,
		.check = sync_check,
		.racer = { sync_once, sync_once, sync_once },
	};

	mock_race(test, &race);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&state.failed));
}

static struct kunit_case udmabuf_cases[] = {
	KUNIT_CASE(create_returns_buffer),
	KUNIT_CASE(create_sets_cloexec_as_asked),
	KUNIT_CASE(create_holds_the_pages),
	KUNIT_CASE_PARAM(create_bad_range_returns_einval, bad_range_gen_params),
	KUNIT_CASE_PARAM(create_list_with_bad_range_returns_einval, bad_range_gen_params),
	KUNIT_CASE(create_list_whose_sum_wraps_returns_einval),
	KUNIT_CASE(create_list_without_entries_returns_einval),
	KUNIT_CASE(create_with_wrong_seals_returns_einval),
	KUNIT_CASE(create_with_other_seals_succeeds),
	KUNIT_CASE(create_of_no_memfd_returns_ebadfd),
	KUNIT_CASE(ioctl_without_memory_returns_efault),
	KUNIT_CASE(ioctl_unknown_returns_enotty),
	KUNIT_CASE(create_refused_leaves_nothing),
	KUNIT_CASE(vmap_shows_the_file),
	KUNIT_CASE(vmap_writes_into_the_file),
	KUNIT_CASE(release_drops_the_kernel_mapping),
	KUNIT_CASE(mmap_shows_the_file),
	KUNIT_CASE(map_shows_the_file),
	KUNIT_CASE(map_has_one_entry_per_segment),
	KUNIT_CASE(vmap_shows_the_middle_of_folios),
	KUNIT_CASE(mmap_shows_the_middle_of_folios),
	KUNIT_CASE(map_shows_the_middle_of_folios),
#if DMABUF_OURS
	KUNIT_CASE(get_pfn_shows_the_file),
#endif
	KUNIT_CASE_SLOW(begin_races_with_begin),
	{}
};

static struct kunit_suite udmabuf_suite = {
	.name = "udmabuf",
	.init = fixture_init,
	.test_cases = udmabuf_cases,
};

kunit_test_suite(udmabuf_suite);
