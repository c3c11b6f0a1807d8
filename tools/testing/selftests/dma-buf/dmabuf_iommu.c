// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/dmabuf_iommu: buffers in the address space of a device. Each page has to
 * be where the buffer has it, in pages as large as there are; the device's DMA
 * arrives there, or nowhere; and nothing is left behind, whoever goes first.
 *
 * What a page of a mapping is, is seen in three ways: its mark, read through
 * /dev/mem at the address that the IOMMU translates to; its frame, for memory
 * of a memfd, from /proc/self/pagemap; and by what the device reads and writes.
 *
 * Needs a machine with an IOMMU and QEMU's device "edu" behind it, and root.
 */
#include <linux/memfd.h>
#include <linux/udmabuf.h>
#include <sys/syscall.h>

#include "heap_test.h"
#include "../../../../drivers/dma-buf/selftests/dmabuf_iommu.h"

#define DRIVER		"/sys/bus/pci/drivers/dmabuf_iommu"
#define PAGE_TABLE	"/sys/kernel/debug/iommu/intel/%s/domain_translation_struct"
#define RW		((__u32)DMABUF_IOMMU_READ | DMABUF_IOMMU_WRITE)
#define WRITE_DMA	DMABUF_IOMMU_DMA_WRITE
#define UNCHECKED	DMABUF_IOMMU_DMA_UNCHECKED

/* Where mappings go if it does not matter: in the reach of any device. */
#define IOVA		0x400000ULL
/* Interrupts of PCs are writes to this address and those behind it. */
#define MSI_ADDRESS	0xfee00000ULL
#define STRIDE		(PMD_BYTES / PAGE)
#define NOBODY		65534

/* ---- the device ------------------------------------------------------------------ */

static int iommu_open(void)
{
	int fd = open(DMABUF_IOMMU_PATH, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static struct dmabuf_iommu_info info_of(int dev)
{
	struct dmabuf_iommu_info arg;

	if (xioctl(dev, DMABUF_IOMMU_IOC_INFO, &arg))
		memset(&arg, 0, sizeof(arg));
	return arg;
}

static int iommu_map_flags(int dev, int buffer, __u64 iova, __u32 flags)
{
	struct dmabuf_iommu_map arg = { .iova = iova, .fd = buffer, .flags = flags };

	return xioctl(dev, DMABUF_IOMMU_IOC_MAP, &arg);
}

static int iommu_map(int dev, int buffer, __u64 iova)
{
	return iommu_map_flags(dev, buffer, iova, RW);
}

static int iommu_unmap(int dev, __u64 iova)
{
	struct dmabuf_iommu_unmap arg = { .iova = iova };

	return xioctl(dev, DMABUF_IOMMU_IOC_UNMAP, &arg);
}

static int iommu_query(int dev, __u64 iova, struct dmabuf_iommu_query *query)
{
	memset(query, 0, sizeof(*query));
	query->iova = iova;
	return xioctl(dev, DMABUF_IOMMU_IOC_QUERY, query);
}

/* Where the IOMMU sends @iova, 0 for nowhere. */
static __u64 phys_at(int dev, __u64 iova)
{
	struct dmabuf_iommu_query query;

	return iommu_query(dev, iova, &query) ? 0 : query.phys;
}

static int iommu_dma(int dev, __u64 iova, __u32 length, __u32 offset, __u32 flags)
{
	struct dmabuf_iommu_dma arg = {
		.iova = iova,
		.length = length,
		.offset = offset,
		.flags = flags,
	};

	return xioctl(dev, DMABUF_IOMMU_IOC_DMA, &arg);
}

/* From the start of the device's memory to @iova, and wait until it is there. */
static int device_to(int dev, int buffer, __u64 iova, __u32 length)
{
	int ret = iommu_dma(dev, iova, length, 0, WRITE_DMA);

	return ret ? ret : poll_for(buffer, POLLIN, SOON_MS) == POLLIN ? 0 : -ETIME;
}

/* From @iova to the start of the device's memory, and wait. */
static int device_from(int dev, int buffer, __u64 iova, __u32 length)
{
	int ret = iommu_dma(dev, iova, length, 0, 0);

	return ret ? ret : poll_for(buffer, POLLOUT, SOON_MS) == POLLOUT ? 0 : -ETIME;
}

/* Name of the device's slot, as "0000:00:03.0"; "" if there is none. */
static const char *slot(void)
{
	static char name[256];
	DIR *dir = opendir(DRIVER);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strchr(entry->d_name, ':'))
			snprintf(name, sizeof(name), "%s", entry->d_name);
	if (dir)
		closedir(dir);
	return name;
}

/* ---- what the IOMMU has --------------------------------------------------------------- */

/* Number of @c in @text. */
static int count_char(const char *text, char c)
{
	int count = 0;

	while ((text = strchr(text, c))) {
		text++;
		count++;
	}
	return count;
}

/*
 * Size of the page that starts at @iova, 0 if none does, negative if that cannot
 * be told. A line names the page and then its entry at each level, from the
 * fifth down to that of the page itself.
 */
static long page_size_at(__u64 iova)
{
	static const long sizes[] = { 0, 0, 0, 1L << 30, 1L << 21, 1L << 12 };
	char path[512], line[512];
	long size = 0;
	FILE *file;

	snprintf(path, sizeof(path), PAGE_TABLE, slot());
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (!size && fgets(line, sizeof(line), file)) {
		char *bar = strchr(line, '|');

		if (bar && strtoull(line, NULL, 16) == iova / PAGE)
			size = sizes[count_char(bar, 'x')];
	}
	fclose(file);
	return size;
}

/* Does the page at physical address @phys have the mark of page @page? */
static bool has_stamp(int mem, __u64 phys, size_t page)
{
	char copy[4096];

	return pread(mem, copy, PAGE, phys) == (ssize_t)PAGE &&
	       wrong_stamp(copy, page, 1) < 0;
}

/* First page of a buffer that is not the one that the device sees; -1 if none. */
static long wrong_in_iommu(int dev, __u64 iova, size_t pages)
{
	int mem = open("/dev/mem", O_RDONLY | O_CLOEXEC);
	long wrong = -1;
	size_t i;

	for (i = 0; wrong < 0 && i < pages; i++)
		if (!has_stamp(mem, phys_at(dev, iova + i * PAGE), i))
			wrong = i;
	close(mem);
	return wrong;
}

/* Physical address of a page of this process that is there. */
static __u64 frame_of(void *page)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	__u64 entry = 0;

	if (pread(fd, &entry, sizeof(entry), (uintptr_t)page / PAGE * sizeof(entry)) < 8)
		entry = 0;
	close(fd);
	return entry >> 63 ? (entry & ((1ULL << 55) - 1)) * PAGE : 0;
}

/* ---- buffers -------------------------------------------------------------------------- */

enum kind { HEAP, CMA, MEMFD, HUGE_MEMFD, REVERSED };

static int memfd_new(size_t size, bool huge)
{
	int fd = memfd_create("iommu", MFD_ALLOW_SEALING | MFD_CLOEXEC |
			      (huge ? MFD_HUGETLB | MFD_HUGE_2MB : 0));

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, size) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK)) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

/* A buffer of @nr parts of a memfd, each of @size bytes; @part has their numbers. */
static int buffer_of_parts(int memfd, size_t size, const size_t *part, size_t nr)
{
	struct udmabuf_create_list *list;
	int dev, ret;
	size_t i;

	dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	if (dev < 0)
		return -errno;
	list = calloc(1, sizeof(*list) + nr * sizeof(list->list[0]));
	if (!list)
		abort();
	list->flags = UDMABUF_FLAGS_CLOEXEC;
	list->count = nr;
	for (i = 0; i < nr; i++) {
		list->list[i].memfd = memfd;
		list->list[i].offset = part[i] * size;
		list->list[i].size = size;
	}
	ret = xioctl(dev, UDMABUF_CREATE_LIST, list);
	free(list);
	close(dev);
	return ret;
}

/* A buffer of the pages of a memfd, the last one first if @reversed. */
static int buffer_of_memfd(int memfd, size_t pages, bool reversed)
{
	const size_t whole = 0;
	size_t i, *part;
	int ret;

	if (!reversed)
		return buffer_of_parts(memfd, pages * PAGE, &whole, 1);

	part = calloc(pages, sizeof(*part));
	if (!part)
		abort();
	for (i = 0; i < pages; i++)
		part[i] = pages - 1 - i;
	ret = buffer_of_parts(memfd, PAGE, part, pages);
	free(part);
	return ret;
}

/* A buffer of some kind, or a negative errno. *@memfd is what it is made of, or -1. */
static int buffer_new(enum kind kind, size_t pages, int *memfd)
{
	*memfd = -1;
	if (kind == HEAP || kind == CMA)
		return heap_buffer(kind == HEAP ? SYSTEM_HEAP : contiguous_heap(), pages * PAGE);

	if (kind == HUGE_MEMFD)
		write_file("/proc/sys/vm/nr_hugepages", "8");
	*memfd = memfd_new(pages * PAGE, kind == HUGE_MEMFD);
	if (*memfd < 0)
		return *memfd;
	return buffer_of_memfd(*memfd, pages, kind == REVERSED);
}

/* Number of pages whose frame is not what the process has of the same file. */
static size_t wrong_frames(int dev, __u64 iova, int memfd, size_t pages, bool reversed)
{
	size_t i, wrong = 0;
	char *file;

	file = map_shared(memfd, pages * PAGE);
	if (file == MAP_FAILED)
		return pages;
	for (i = 0; i < pages; i++) {
		char *page = file + (reversed ? pages - 1 - i : i) * PAGE;

		load(page);
		wrong += phys_at(dev, iova + i * PAGE) != frame_of(page);
	}
	munmap(file, pages * PAGE);
	return wrong;
}

/* ---- each page, wherever the buffer is ------------------------------------------------- */

FIXTURE(mapping) {
	int dev;
	int memfd;
	int buffer;
	char *map;
	struct dmabuf_iommu_info info;
};

FIXTURE_VARIANT(mapping) {
	enum kind kind;
	size_t pages;
	bool large;	/* it has contiguous memory for large pages */
};

FIXTURE_VARIANT_ADD(mapping, heap_one_page) {
	.kind = HEAP,
	.pages = 1,
};

FIXTURE_VARIANT_ADD(mapping, heap_small) {
	.kind = HEAP,
	.pages = 37,
};

FIXTURE_VARIANT_ADD(mapping, heap_large) {
	.kind = HEAP,
	.pages = 3 * 512 + 5,
	.large = true,
};

FIXTURE_VARIANT_ADD(mapping, cma) {
	.kind = CMA,
	.pages = 512 + 7,
};

FIXTURE_VARIANT_ADD(mapping, memfd) {
	.kind = MEMFD,
	.pages = 200,
};

FIXTURE_VARIANT_ADD(mapping, memfd_reversed) {
	.kind = REVERSED,
	.pages = 64,
};

FIXTURE_VARIANT_ADD(mapping, hugetlb) {
	.kind = HUGE_MEMFD,
	.pages = 2 * 512,
	.large = true,
};

FIXTURE_SETUP(mapping)
{
	self->dev = iommu_open();
	ASSERT_LE(0, self->dev);
	self->info = info_of(self->dev);
	tidy_memory();
	self->buffer = buffer_new(variant->kind, variant->pages, &self->memfd);
	if (self->buffer == -ENOENT)
		SKIP(return, "no such heap");
	ASSERT_LE(0, self->buffer);
	self->map = map_shared(self->buffer, variant->pages * PAGE);
	ASSERT_NE(MAP_FAILED, (void *)self->map);
	stamp(self->map, 0, variant->pages);
}

FIXTURE_TEARDOWN(mapping)
{
	munmap(self->map, variant->pages * PAGE);
	close(self->buffer);
	if (self->memfd >= 0)
		close(self->memfd);
	close(self->dev);
}

/* Passes if each page is seen where it belongs, at any address that can be had. */
TEST_F(mapping, each_page_at_each_address)
{
	size_t size = variant->pages * PAGE;
	const __u64 addresses[] = {
		IOVA,
		IOVA + 20 * PMD_BYTES + PAGE,
		(self->info.last + 1) / PMD_BYTES / 2 * PMD_BYTES,
		self->info.last + 1 - size,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		struct dmabuf_iommu_query query;

		ASSERT_EQ(0, iommu_map(self->dev, self->buffer, addresses[i])) {
			TH_LOG("at %llx", addresses[i]);
		}
		EXPECT_EQ(-1, wrong_in_iommu(self->dev, addresses[i], variant->pages)) {
			TH_LOG("at %llx", addresses[i]);
		}
		if (!i && self->memfd >= 0)
			EXPECT_EQ(0UL, wrong_frames(self->dev, addresses[i], self->memfd,
						    variant->pages, variant->kind == REVERSED));
		ASSERT_EQ(0, iommu_query(self->dev, addresses[i] + size - 1, &query));
		EXPECT_EQ(addresses[i], query.start);
		EXPECT_EQ(size, query.size);
		EXPECT_EQ(RW | DMABUF_IOMMU_PRESENT, query.flags);
		EXPECT_EQ(0U, query.nr_moves);
		EXPECT_EQ(-ENOENT, iommu_query(self->dev, addresses[i] + size, &query));
		EXPECT_EQ(0, iommu_unmap(self->dev, addresses[i]));
		EXPECT_EQ(-ENOENT, iommu_query(self->dev, addresses[i], &query));
	}
	EXPECT_EQ(0U, info_of(self->dev).nr_mappings);
}

/* Passes if several mappings of one buffer do not disturb each other. */
TEST_F(mapping, at_several_addresses_at_once)
{
	size_t size = variant->pages * PAGE;
	const __u64 addresses[] = { IOVA, IOVA + size, IOVA + 64 * MIB + PAGE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(addresses); i++)
		ASSERT_EQ(0, iommu_map(self->dev, self->buffer, addresses[i]));
	for (i = 0; i < ARRAY_SIZE(addresses); i++)
		EXPECT_EQ(-1, wrong_in_iommu(self->dev, addresses[i], variant->pages));
	EXPECT_EQ(0, iommu_unmap(self->dev, addresses[1]));
	EXPECT_EQ(0ULL, phys_at(self->dev, addresses[1]));
	EXPECT_EQ(-1, wrong_in_iommu(self->dev, addresses[0], variant->pages));
	EXPECT_EQ(-1, wrong_in_iommu(self->dev, addresses[2], variant->pages));
}

/* Passes if memory and address that are aligned for large pages get them, and only then. */
TEST_F(mapping, large_pages)
{
	struct dmabuf_iommu_query query;
	size_t i, large = 0;

	if (page_size_at(IOVA) < 0)
		SKIP(return, "no debugfs of an Intel IOMMU");
	ASSERT_EQ(0, iommu_map(self->dev, self->buffer, IOVA));
	ASSERT_EQ(0, iommu_query(self->dev, IOVA, &query));
	for (i = 0; i + STRIDE <= variant->pages; i += STRIDE)
		large += page_size_at(IOVA + i * PAGE) == (long)PMD_BYTES;
	if (variant->large) {
		/* Larger if two neighbours in memory come one after the other. */
		EXPECT_LE(9U, query.max_order);
		EXPECT_EQ(variant->pages / STRIDE, large);
	} else {
		EXPECT_GE(variant->pages, query.nr_blocks);
		EXPECT_LE(1U, query.nr_blocks);
	}
	if (variant->pages % STRIDE)
		EXPECT_EQ((long)PAGE, page_size_at(IOVA + (variant->pages - 1) * PAGE));
	EXPECT_EQ(0, iommu_unmap(self->dev, IOVA));
	EXPECT_EQ(0, page_size_at(IOVA));

	/* The same memory, one page further on. */
	ASSERT_EQ(0, iommu_map(self->dev, self->buffer, IOVA + PAGE));
	for (i = 0; i < variant->pages; i += 17)
		EXPECT_EQ((long)PAGE, page_size_at(IOVA + PAGE + i * PAGE));
}

/* Find two large pages that are a block of twice the size. */
static bool find_neighbours(const __u64 *frames, size_t nr, size_t *low, size_t *high)
{
	for (*low = 0; *low < nr; ++*low)
		for (*high = 0; *high < nr; ++*high)
			if (!(frames[*low] % (2 * PMD_BYTES)) &&
			    frames[*high] == frames[*low] + PMD_BYTES)
				return true;
	return false;
}

/* Passes if neighbours in memory are one block if they are so in the buffer, and only then. */
TEST(neighbours_are_one_block)
{
	struct dmabuf_iommu_query query;
	size_t i, low, high, nr = 8;
	int dev, memfd, all, buffer;
	__u64 frames[8];
	char *file;

	dev = iommu_open();
	ASSERT_LE(0, dev);
	tidy_memory();
	write_file("/proc/sys/vm/nr_hugepages", "8");
	memfd = memfd_new(nr * PMD_BYTES, true);
	ASSERT_LE(0, memfd);
	file = map_shared(memfd, nr * PMD_BYTES);
	ASSERT_NE(MAP_FAILED, (void *)file);
	for (i = 0; i < nr; i++)
		load(file + i * PMD_BYTES);
	/* Pages that are pinned already are not moved when they are pinned. */
	all = buffer_of_memfd(memfd, nr * STRIDE, false);
	ASSERT_LE(0, all);
	for (i = 0; i < nr; i++) {
		frames[i] = frame_of(file + i * PMD_BYTES);
		ASSERT_NE(0ULL, frames[i]);
	}
	munmap(file, nr * PMD_BYTES);
	if (!find_neighbours(frames, nr, &low, &high))
		SKIP(return, "no two large pages are neighbours");

	for (i = 0; i < 2; i++) {
		const size_t part[] = { i ? high : low, i ? low : high };

		buffer = buffer_of_parts(memfd, PMD_BYTES, part, 2);
		ASSERT_LE(0, buffer);
		ASSERT_EQ(0, iommu_map(dev, buffer, IOVA));
		ASSERT_EQ(0, iommu_query(dev, IOVA, &query));
		EXPECT_EQ(i ? 2U : 1U, query.nr_blocks);
		EXPECT_EQ(i ? 9U : 10U, query.max_order);
		EXPECT_EQ(frames[part[0]], query.phys);
		EXPECT_EQ(frames[part[1]], phys_at(dev, IOVA + PMD_BYTES));
		EXPECT_EQ(0, iommu_unmap(dev, IOVA));
		close(buffer);
	}
	close(all);
	close(memfd);
	close(dev);
}

/* ---- DMA ---------------------------------------------------------------------------- */

FIXTURE(dma) {
	int dev;
	int memfd;
	int buffer;
	unsigned char *map;
	size_t size;
};

FIXTURE_VARIANT(dma) {
	enum kind kind;
};

FIXTURE_VARIANT_ADD(dma, heap) {
	.kind = HEAP,
};

FIXTURE_VARIANT_ADD(dma, memfd_reversed) {
	.kind = REVERSED,
};

FIXTURE_SETUP(dma)
{
	self->dev = iommu_open();
	ASSERT_LE(0, self->dev);
	self->size = 16 * PAGE;
	self->buffer = buffer_new(variant->kind, 16, &self->memfd);
	ASSERT_LE(0, self->buffer);
	self->map = map_shared(self->buffer, self->size);
	ASSERT_NE(MAP_FAILED, (void *)self->map);
	memset(self->map, 0, self->size);
	ASSERT_EQ(0, iommu_map(self->dev, self->buffer, IOVA));
}

FIXTURE_TEARDOWN(dma)
{
	munmap(self->map, self->size);
	close(self->buffer);
	if (self->memfd >= 0)
		close(self->memfd);
	close(self->dev);
}

/* Bytes that differ from those beside them and from those of another seed. */
static void fill(unsigned char *data, size_t length, unsigned int seed)
{
	size_t i;

	for (i = 0; i < length; i++)
		data[i] = (i * 7 + i / 256 * 13 + seed) | 1;
}

/* The same, as a program writes to a buffer. */
static void fill_buffer(int buffer, unsigned char *data, size_t length, unsigned int seed)
{
	buffer_sync(buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	fill(data, length, seed);
	buffer_sync(buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
}

/* Is that what fill() wrote? As a program reads a buffer. */
static bool is_filled(int buffer, const unsigned char *data, size_t length, unsigned int seed)
{
	unsigned char *want = malloc(length);
	bool same;

	fill(want, length, seed);
	buffer_sync(buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	same = !memcmp(want, data, length);
	buffer_sync(buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	free(want);
	return same;
}

static bool is_zero(const unsigned char *data, size_t length)
{
	while (length && !*data) {
		data++;
		length--;
	}
	return !length;
}

/* Passes if data arrives both ways, over the border of two pages, and nowhere else. */
TEST_F(dma, there_and_back)
{
	const size_t length = 1000, from = 2 * PAGE - 300, to = 7 * PAGE - 600;

	fill_buffer(self->buffer, self->map + from, length, 1);
	ASSERT_EQ(0, device_from(self->dev, self->buffer, IOVA + from, length));
	ASSERT_EQ(0, device_to(self->dev, self->buffer, IOVA + to, length));

	EXPECT_TRUE(is_filled(self->buffer, self->map + to, length, 1));
	EXPECT_TRUE(is_filled(self->buffer, self->map + from, length, 1));
	EXPECT_TRUE(is_zero(self->map, from));
	EXPECT_TRUE(is_zero(self->map + from + length, to - from - length));
	EXPECT_TRUE(is_zero(self->map + to + length, self->size - to - length));
}

/* Passes if the device has the whole of its memory at its disposal, and parts of it. */
TEST_F(dma, sizes_and_offsets)
{
	const __u32 max = DMABUF_IOMMU_DMA_MAX;

	fill_buffer(self->buffer, self->map, max, 2);
	ASSERT_EQ(0, device_from(self->dev, self->buffer, IOVA, max));
	ASSERT_EQ(0, device_to(self->dev, self->buffer, IOVA + 4 * PAGE + 1, max));
	EXPECT_TRUE(is_filled(self->buffer, self->map + 4 * PAGE + 1, max, 2));

	ASSERT_EQ(0, iommu_dma(self->dev, IOVA + 9 * PAGE, 1, 77, WRITE_DMA));
	ASSERT_EQ(POLLIN, poll_for(self->buffer, POLLIN, SOON_MS));
	EXPECT_EQ(self->map[77], self->map[9 * PAGE]);
	EXPECT_TRUE(is_zero(self->map + 9 * PAGE + 1, PAGE));
}

/* Passes if another buffer gets what the first one had, through the device. */
TEST_F(dma, from_buffer_to_buffer)
{
	int other = heap_buffer(SYSTEM_HEAP, PAGE);
	unsigned char *map = map_shared(other, PAGE);

	ASSERT_NE(MAP_FAILED, (void *)map);
	ASSERT_EQ(0, iommu_map(self->dev, other, 0));
	fill_buffer(self->buffer, self->map, 512, 3);
	ASSERT_EQ(0, iommu_dma(self->dev, IOVA, 512, 0, 0));
	/* Started when the device is done with the other one. */
	ASSERT_EQ(0, iommu_dma(self->dev, 100, 512, 0, WRITE_DMA));
	EXPECT_EQ(POLLOUT, poll_now(self->buffer, POLLOUT));
	ASSERT_EQ(POLLIN, poll_for(other, POLLIN, SOON_MS));
	EXPECT_TRUE(is_filled(other, map + 100, 512, 3));
	munmap(map, PAGE);
	close(other);
}

/* Passes if a buffer that is written to is busy for all, and one that is read for writers. */
TEST_F(dma, fence_is_there_until_the_device_is_done)
{
	int sync_file;

	EXPECT_EQ(POLLIN | POLLOUT, poll_now(self->buffer, POLLIN | POLLOUT));
	ASSERT_EQ(0, iommu_dma(self->dev, IOVA, 64, 0, 0));
	EXPECT_EQ(POLLIN, poll_now(self->buffer, POLLIN | POLLOUT));
	ASSERT_EQ(POLLOUT, poll_for(self->buffer, POLLOUT, SOON_MS));

	ASSERT_EQ(0, iommu_dma(self->dev, IOVA, 64, 0, WRITE_DMA));
	EXPECT_EQ(0, poll_now(self->buffer, POLLIN | POLLOUT));
	sync_file = buffer_export(self->buffer, DMA_BUF_SYNC_READ);
	ASSERT_LE(0, sync_file);
	EXPECT_EQ(0, sync_status(sync_file));
	EXPECT_EQ(POLLIN, poll_for(sync_file, POLLIN, SOON_MS));
	EXPECT_EQ(1, sync_status(sync_file));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(self->buffer, POLLIN | POLLOUT));
	close(sync_file);
}

/* Passes if SYNC alone waits for the device, too. */
TEST_F(dma, cpu_access_waits_for_the_device)
{
	fill_buffer(self->buffer, self->map, 64, 4);
	ASSERT_EQ(0, iommu_dma(self->dev, IOVA, 64, 0, 0));
	ASSERT_EQ(0, iommu_dma(self->dev, IOVA + PAGE, 64, 0, WRITE_DMA));
	EXPECT_TRUE(is_filled(self->buffer, self->map + PAGE, 64, 4));
}

/* A pending fence on a buffer; @access is what it is the end of. */
static int put_fence_on(int test_dev, int buffer, __u32 access, struct fence *fence)
{
	int ret = fence_create(test_dev, 0, fence);

	if (!ret)
		ret = buffer_import(buffer, access, fence->fd);
	close(fence->fd);
	return ret;
}

/* A job in a process of its own, whose exit status is the errno. */
static pid_t job_start(int dev, __u64 iova, __u32 flags)
{
	pid_t pid = fork();

	if (pid < 0)
		abort();
	if (!pid)
		_exit(-iommu_dma(dev, iova, 64, 0, flags));
	return pid;
}

/* Passes if a job waits for the fences of others in its way, and for no other. */
TEST_F(dma, job_waits_for_fences)
{
	static const struct {
		__u32 access;
		__u32 flags;
		bool waits;
	} rows[] = {
		{ DMA_BUF_SYNC_WRITE, 0, true },
		{ DMA_BUF_SYNC_WRITE, WRITE_DMA, true },
		{ DMA_BUF_SYNC_READ, 0, false },
		{ DMA_BUF_SYNC_READ, WRITE_DMA, true },
	};
	int test_dev = dev_open();
	unsigned int i;

	if (no_device(test_dev))
		SKIP(return, NO_DEVICE);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fence fence;
		pid_t pid;

		ASSERT_EQ(0, put_fence_on(test_dev, self->buffer, rows[i].access, &fence));
		pid = job_start(self->dev, IOVA, rows[i].flags);
		if (rows[i].waits) {
			EXPECT_EQ(CHILD_HANGS, child_status(pid, NEVER_MS)) {
				TH_LOG("row %u", i);
			}
			EXPECT_EQ(0, fence_signal(test_dev, fence));
			EXPECT_EQ(0, child_status(pid, SOON_MS));
		} else {
			EXPECT_EQ(0, child_status(pid, SOON_MS)) {
				TH_LOG("row %u", i);
			}
			EXPECT_EQ(0, fence_signal(test_dev, fence));
		}
		EXPECT_EQ(POLLOUT, poll_for(self->buffer, POLLOUT, SOON_MS));
	}
	close(test_dev);
}

/* Passes if who waits for a fence that never comes can be killed, and hinders nobody. */
TEST_F(dma, job_that_waits_hinders_nobody)
{
	int test_dev = dev_open(), other = heap_buffer(SYSTEM_HEAP, PAGE);
	struct fence fence;
	pid_t pid;

	if (no_device(test_dev))
		SKIP(return, NO_DEVICE);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, iommu_map(self->dev, other, 0));
	ASSERT_EQ(0, put_fence_on(test_dev, self->buffer, DMA_BUF_SYNC_WRITE, &fence));
	pid = job_start(self->dev, IOVA, WRITE_DMA);
	EXPECT_EQ(CHILD_HANGS, child_status(pid, NEVER_MS));

	EXPECT_EQ(0, device_to(self->dev, other, 0, 64));
	EXPECT_EQ(0, iommu_unmap(self->dev, IOVA));
	EXPECT_EQ(CHILD_HANGS, child_status(pid, NEVER_MS));
	EXPECT_TRUE(child_kill(pid, SOON_MS));

	/* The mapping goes while somebody waits to use it. */
	ASSERT_EQ(0, iommu_map(self->dev, self->buffer, IOVA));
	pid = job_start(self->dev, IOVA, WRITE_DMA);
	EXPECT_EQ(CHILD_HANGS, child_status(pid, NEVER_MS));
	EXPECT_EQ(0, iommu_unmap(self->dev, IOVA));
	EXPECT_EQ(0, fence_signal(test_dev, fence));
	EXPECT_EQ(ENOENT, child_status(pid, SOON_MS));
	close(other);
	close(test_dev);
}

/* ---- what the IOMMU stops -------------------------------------------------------------- */

/* Passes if the device changes nothing at an address that nothing is mapped at. */
TEST_F(dma, write_to_nowhere_is_lost)
{
	const size_t end = self->size;

	fill_buffer(self->buffer, self->map, 256, 5);
	ASSERT_EQ(0, device_from(self->dev, self->buffer, IOVA, 256));
	EXPECT_EQ(0, iommu_dma(self->dev, IOVA + end, 256, 0, WRITE_DMA | UNCHECKED));
	EXPECT_EQ(0, iommu_dma(self->dev, IOVA - 256, 256, 0, WRITE_DMA | UNCHECKED));
	EXPECT_TRUE(is_zero(self->map + 256, end - 256));
	EXPECT_TRUE(is_filled(self->buffer, self->map, 256, 5));

	/* To an address that does exist it arrives. */
	EXPECT_EQ(0, iommu_dma(self->dev, IOVA + PAGE, 256, 0, WRITE_DMA | UNCHECKED));
	EXPECT_TRUE(is_filled(self->buffer, self->map + PAGE, 256, 5));
}

/* Passes if the device gets to see nothing of memory that is not mapped. */
TEST_F(dma, read_from_nowhere_gets_nothing)
{
	fill_buffer(self->buffer, self->map, 256, 6);
	fill_buffer(self->buffer, self->map + PAGE, 256, 7);
	ASSERT_EQ(0, device_from(self->dev, self->buffer, IOVA, 256));
	EXPECT_EQ(0, iommu_unmap(self->dev, IOVA));
	/* At the buffer's physical address, too, if the device gets there. */
	EXPECT_EQ(0, iommu_dma(self->dev, IOVA + PAGE, 256, 0, UNCHECKED));
	ASSERT_EQ(0, iommu_map(self->dev, self->buffer, IOVA));
	ASSERT_EQ(0, device_to(self->dev, self->buffer, IOVA + 2 * PAGE, 256));
	EXPECT_FALSE(is_filled(self->buffer, self->map + 2 * PAGE, 256, 7));
}

/* Passes if nothing of a mapping stays in the caches of the IOMMU. */
TEST_F(dma, unmap_takes_the_translation_away)
{
	unsigned int round;

	for (round = 0; round < 3; round++) {
		fill_buffer(self->buffer, self->map, 256, 8);
		ASSERT_EQ(0, device_from(self->dev, self->buffer, IOVA, 256));
		ASSERT_EQ(0, device_to(self->dev, self->buffer, IOVA + PAGE, 256));
		ASSERT_TRUE(is_filled(self->buffer, self->map + PAGE, 256, 8));
		memset(self->map + PAGE, 0, 256);

		EXPECT_EQ(0, iommu_unmap(self->dev, IOVA));
		EXPECT_EQ(0, iommu_dma(self->dev, IOVA + PAGE, 256, 0, WRITE_DMA | UNCHECKED));
		EXPECT_TRUE(is_zero(self->map + PAGE, 256));
		ASSERT_EQ(0, iommu_map(self->dev, self->buffer, IOVA));
	}
}

/* Passes if another buffer at the same address is what the device gets to. */
TEST_F(dma, new_buffer_at_the_same_address)
{
	int other = heap_buffer(SYSTEM_HEAP, PAGE);
	unsigned char *map = map_shared(other, PAGE);

	ASSERT_NE(MAP_FAILED, (void *)map);
	fill_buffer(self->buffer, self->map, 128, 9);
	ASSERT_EQ(0, device_from(self->dev, self->buffer, IOVA, 128));
	EXPECT_EQ(0, iommu_unmap(self->dev, IOVA));
	ASSERT_EQ(0, iommu_map(self->dev, other, IOVA));
	ASSERT_EQ(0, device_to(self->dev, other, IOVA + 128, 128));
	EXPECT_TRUE(is_filled(other, map + 128, 128, 9));
	EXPECT_TRUE(is_zero(self->map + 128, 128));
	munmap(map, PAGE);
	close(other);
}

/* Passes if a mapping is good for what it was made for only; the IOMMU sees to it. */
TEST_F(dma, access_that_was_not_asked_for)
{
	struct dmabuf_iommu_query query;

	fill_buffer(self->buffer, self->map, 256, 10);
	ASSERT_EQ(0, device_from(self->dev, self->buffer, IOVA, 256));
	EXPECT_EQ(0, iommu_unmap(self->dev, IOVA));

	ASSERT_EQ(0, iommu_map_flags(self->dev, self->buffer, IOVA, DMABUF_IOMMU_READ));
	ASSERT_EQ(0, iommu_query(self->dev, IOVA, &query));
	EXPECT_EQ((__u32)DMABUF_IOMMU_READ | DMABUF_IOMMU_PRESENT, query.flags);
	EXPECT_EQ(-EACCES, iommu_dma(self->dev, IOVA + PAGE, 256, 0, WRITE_DMA));
	EXPECT_EQ(0, iommu_dma(self->dev, IOVA + PAGE, 256, 0, WRITE_DMA | UNCHECKED));
	EXPECT_TRUE(is_zero(self->map + PAGE, 256));
	EXPECT_EQ(0, iommu_unmap(self->dev, IOVA));

	ASSERT_EQ(0, iommu_map_flags(self->dev, self->buffer, IOVA, DMABUF_IOMMU_WRITE));
	EXPECT_EQ(-EACCES, iommu_dma(self->dev, IOVA, 256, 0, 0));
	EXPECT_EQ(0, device_to(self->dev, self->buffer, IOVA + PAGE, 256));
	EXPECT_TRUE(is_filled(self->buffer, self->map + PAGE, 256, 10));
}

/* ---- who goes first ------------------------------------------------------------------- */

/* Passes if the device is let finish, and can be had again. */
TEST_F(dma, close_while_the_device_works)
{
	fill_buffer(self->buffer, self->map, 128, 11);
	ASSERT_EQ(0, device_from(self->dev, self->buffer, IOVA, 128));
	ASSERT_EQ(0, iommu_dma(self->dev, IOVA + PAGE, 128, 0, WRITE_DMA));
	close(self->dev);
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(self->buffer, POLLIN | POLLOUT));
	EXPECT_TRUE(is_filled(self->buffer, self->map + PAGE, 128, 11));

	self->dev = iommu_open();
	ASSERT_LE(0, self->dev);
	EXPECT_EQ(0U, info_of(self->dev).nr_mappings);
	EXPECT_EQ(-ENOENT, iommu_unmap(self->dev, IOVA));
	EXPECT_EQ(0, iommu_map(self->dev, self->buffer, IOVA));
}

/* Passes if unmap lets the device finish. */
TEST_F(dma, unmap_while_the_device_works)
{
	fill_buffer(self->buffer, self->map, 128, 12);
	ASSERT_EQ(0, device_from(self->dev, self->buffer, IOVA, 128));
	ASSERT_EQ(0, iommu_dma(self->dev, IOVA + PAGE, 128, 0, WRITE_DMA));
	EXPECT_EQ(0, iommu_unmap(self->dev, IOVA));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(self->buffer, POLLIN | POLLOUT));
	EXPECT_TRUE(is_filled(self->buffer, self->map + PAGE, 128, 12));
}

/* Passes if a buffer whose descriptor is closed stays mapped and is free afterwards. */
TEST(buffer_closed_first)
{
	const size_t size = 64 * MIB;
	int dev = iommu_open(), buffer, small = heap_buffer(SYSTEM_HEAP, PAGE);
	unsigned char *map = map_shared(small, PAGE);
	long before;

	ASSERT_LE(0, dev);
	ASSERT_NE(MAP_FAILED, (void *)map);
	tidy_memory();
	before = free_kib();
	buffer = heap_buffer(SYSTEM_HEAP, size);
	ASSERT_LE(0, buffer);
	ASSERT_EQ(0, iommu_map(dev, buffer, IOVA));
	close(buffer);
	EXPECT_GT(before - (long)(size / KIB / 2), free_kib());

	/* Zeroes come from there. */
	ASSERT_EQ(0, iommu_map(dev, small, 0));
	memset(map, 0xff, PAGE);
	EXPECT_EQ(0, iommu_dma(dev, IOVA + size - 256, 256, 0, 0));
	EXPECT_EQ(0, device_to(dev, small, 0, 256));
	EXPECT_TRUE(is_zero(map, 256));

	EXPECT_EQ(0, iommu_dma(dev, IOVA, 256, 0, WRITE_DMA));
	EXPECT_EQ(0, iommu_unmap(dev, IOVA));
	/* KASAN and others keep some for a while. */
	EXPECT_TRUE(memory_is_back(before, size / KIB / 2));
	munmap(map, PAGE);
	close(small);
	close(dev);
}

/* Passes if a process that is killed in the middle of it leaves nothing. */
TEST(process_killed_first)
{
	const size_t size = 64 * MIB;
	long before;
	int i;

	tidy_memory();
	before = free_kib();
	for (i = 0; i < 4; i++) {
		pid_t pid = fork();
		int dev;

		ASSERT_LE(0, pid);
		if (!pid) {
			dev = iommu_open();
			iommu_map(dev, heap_buffer(SYSTEM_HEAP, size), IOVA);
			iommu_dma(dev, IOVA, 256, 0, i & 1 ? WRITE_DMA : 0);
			raise(SIGKILL);
		}
		EXPECT_EQ(CHILD_KILLED, child_status(pid, SOON_MS));
		dev = iommu_open();
		EXPECT_LE(0, dev);
		close(dev);
	}
	EXPECT_TRUE(memory_is_back(before, size / KIB * 3 / 4));
}

/* Passes if each open file has a device of its own, or none. */
TEST(second_open_is_ebusy)
{
	int dev = iommu_open(), other = iommu_open();

	ASSERT_LE(0, dev);
	EXPECT_EQ(-EBUSY, other);
	close(dev);
	dev = iommu_open();
	EXPECT_LE(0, dev);
	close(dev);
}

/* Passes if the device can be taken away from whoever has it, and be had again. */
TEST(unbind_while_the_device_works)
{
	int dev, buffer = heap_buffer(SYSTEM_HEAP, 4 * PAGE), round;
	int job, cut_off = 0;
	struct dmabuf_iommu_query query;
	struct dmabuf_iommu_info info;
	char name[256];

	ASSERT_LE(0, buffer);
	snprintf(name, sizeof(name), "%s", slot());
	ASSERT_NE('\0', name[0]);
	for (round = 0; round < 3; round++) {
		dev = iommu_open();
		ASSERT_LE(0, dev);
		ASSERT_EQ(0, iommu_map(dev, buffer, IOVA));
		if (round)
			ASSERT_EQ(0, iommu_dma(dev, IOVA, 256, 0, WRITE_DMA));
		job = buffer_export(buffer, DMA_BUF_SYNC_READ);
		ASSERT_LE(0, job);
		EXPECT_EQ(0, write_file(DRIVER "/unbind", name));
		EXPECT_EQ(POLLIN | POLLOUT, poll_now(buffer, POLLIN | POLLOUT));
		cut_off += sync_status(job) == -ENODEV;
		close(job);

		EXPECT_EQ(-ENODEV, iommu_map(dev, buffer, IOVA));
		EXPECT_EQ(-ENODEV, iommu_unmap(dev, IOVA));
		EXPECT_EQ(-ENODEV, iommu_query(dev, IOVA, &query));
		EXPECT_EQ(-ENODEV, iommu_dma(dev, IOVA, 256, 0, 0));
		EXPECT_EQ(-ENODEV, iommu_dma(dev, IOVA, 256, 0, UNCHECKED));
		EXPECT_EQ(-ENODEV, xioctl(dev, DMABUF_IOMMU_IOC_INFO, &info));
		EXPECT_EQ(-ENODEV, iommu_open());
		if (round < 2)
			close(dev);
		EXPECT_EQ(0, write_file(DRIVER "/bind", name));
		/* The file of a device that was is none of the device that is. */
		if (round == 2) {
			EXPECT_EQ(-ENODEV, iommu_map(dev, buffer, IOVA));
			close(dev);
		}
	}
	/* A job may be over in time, but not each. */
	EXPECT_LE(1, cut_off);
	dev = iommu_open();
	ASSERT_LE(0, dev);
	EXPECT_EQ(0, iommu_map(dev, buffer, IOVA));
	EXPECT_EQ(0, device_to(dev, buffer, IOVA, 256));
	close(dev);
	close(buffer);
}

/* Passes if a job that waits for ever does not keep the device from going. */
TEST(unbind_while_a_job_waits)
{
	int dev = iommu_open(), test_dev = dev_open();
	int buffer = heap_buffer(SYSTEM_HEAP, PAGE);
	struct fence fence;
	char name[256];
	pid_t pid;

	if (no_device(test_dev))
		SKIP(return, NO_DEVICE);
	ASSERT_LE(0, dev);
	snprintf(name, sizeof(name), "%s", slot());
	ASSERT_EQ(0, iommu_map(dev, buffer, IOVA));
	ASSERT_EQ(0, put_fence_on(test_dev, buffer, DMA_BUF_SYNC_WRITE, &fence));
	pid = job_start(dev, IOVA, 0);
	EXPECT_EQ(CHILD_HANGS, child_status(pid, NEVER_MS));
	EXPECT_EQ(0, write_file(DRIVER "/unbind", name));
	EXPECT_EQ(CHILD_HANGS, child_status(pid, NEVER_MS));
	EXPECT_EQ(0, fence_signal(test_dev, fence));
	EXPECT_EQ(ENOENT, child_status(pid, SOON_MS));
	EXPECT_EQ(0, write_file(DRIVER "/bind", name));
	close(buffer);
	close(test_dev);
	close(dev);
}

/* What takes its time, and takes the device away. */
FIXTURE(rough) {
	int dev;
	int buffer;
	unsigned char *map;
	char name[256];
};

FIXTURE_SETUP(rough)
{
	self->dev = iommu_open();
	ASSERT_LE(0, self->dev);
	self->buffer = heap_buffer(SYSTEM_HEAP, 4 * PAGE);
	ASSERT_LE(0, self->buffer);
	self->map = map_shared(self->buffer, 4 * PAGE);
	ASSERT_NE(MAP_FAILED, (void *)self->map);
	snprintf(self->name, sizeof(self->name), "%s", slot());
	ASSERT_NE('\0', self->name[0]);
}

FIXTURE_TEARDOWN(rough)
{
	munmap(self->map, 4 * PAGE);
	close(self->buffer);
	close(self->dev);
}

/* Take the right to start transfers from the device: its DMA and its interrupts get lost. */
static int cut_off_bus(const char *name)
{
	char path[512];
	uint16_t command;
	int fd, ret = -EIO;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (pread(fd, &command, 2, 4) == 2) {
		command &= ~4;
		ret = pwrite(fd, &command, 2, 4) == 2 ? 0 : -errno;
	}
	close(fd);
	return ret;
}

/* Passes if a job of a device that never answers ends in an error, and nobody hangs. */
TEST_F_TIMEOUT(rough, device_that_does_not_answer, 120)
{
	int job;

	ASSERT_EQ(0, iommu_map(self->dev, self->buffer, IOVA));
	fill_buffer(self->buffer, self->map, 256, 13);
	ASSERT_EQ(0, device_from(self->dev, self->buffer, IOVA, 256));

	ASSERT_EQ(0, cut_off_bus(self->name));
	ASSERT_EQ(0, iommu_dma(self->dev, IOVA + PAGE, 256, 0, WRITE_DMA));
	job = buffer_export(self->buffer, DMA_BUF_SYNC_READ);
	ASSERT_LE(0, job);
	EXPECT_EQ(0, poll_for(self->buffer, POLLIN, 10 * NEVER_MS));
	/* Waits until the driver gives the device up. */
	EXPECT_EQ(0, iommu_unmap(self->dev, IOVA));
	EXPECT_EQ(-EIO, sync_status(job));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(self->buffer, POLLIN | POLLOUT));
	EXPECT_TRUE(is_zero(self->map + PAGE, PAGE));
	close(job);

	EXPECT_EQ(0, iommu_map(self->dev, self->buffer, IOVA));
	EXPECT_EQ(-EIO, iommu_dma(self->dev, IOVA, 256, 0, 0));
	EXPECT_EQ(-EIO, iommu_dma(self->dev, IOVA, 256, 0, UNCHECKED));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(self->buffer, POLLIN | POLLOUT));
	close(self->dev);

	/* A new start mends it. */
	EXPECT_EQ(0, write_file(DRIVER "/unbind", self->name));
	EXPECT_EQ(0, write_file(DRIVER "/bind", self->name));
	self->dev = iommu_open();
	ASSERT_LE(0, self->dev);
	EXPECT_EQ(0, iommu_map(self->dev, self->buffer, IOVA));
	EXPECT_EQ(0, device_from(self->dev, self->buffer, IOVA, 256));
	EXPECT_EQ(0, device_to(self->dev, self->buffer, IOVA + PAGE, 256));
	EXPECT_TRUE(is_filled(self->buffer, self->map + PAGE, 256, 13));
}

/* Programs that share an open device, and what is wrong with what they get. */
struct crowd {
	int buffer;
	int dev;	/* changes meanwhile; may be closed */
	int wrong;	/* the last result that none of the calls may have */
	bool over;
};

/*
 * Is that what a call returns whose mapping or device comes and goes? The number of
 * the device's descriptor may be free, or that of another file, for a moment.
 */
static bool crowd_expects(int ret)
{
	return !ret || ret == -EEXIST || ret == -ENOENT || ret == -ENODEV ||
	       ret == -EBADF || ret == -ENOTTY;
}

static void *crowd_member(void *arg)
{
	struct crowd *crowd = arg;
	struct dmabuf_iommu_query query;
	unsigned int i;

	for (i = 0; !__atomic_load_n(&crowd->over, __ATOMIC_RELAXED); i++) {
		int dev = __atomic_load_n(&crowd->dev, __ATOMIC_RELAXED), ret;
		__u64 iova = IOVA + i % 3 * 4 * PAGE;

		switch ((i * 2654435761U + (uintptr_t)&i / PAGE) >> 16 & 7) {
		case 0:
		case 1:
		case 2:
			ret = iommu_map(dev, crowd->buffer, iova);
			break;
		case 3:
			ret = iommu_unmap(dev, iova);
			break;
		case 4:
			ret = iommu_dma(dev, iova, 64, 0, i & 8 ? WRITE_DMA : 0);
			break;
		case 5:
			ret = iommu_dma(dev, iova, 64, 0, WRITE_DMA | UNCHECKED);
			break;
		default:
			ret = iommu_query(dev, iova, &query);
			break;
		}
		if (!crowd_expects(ret))
			__atomic_store_n(&crowd->wrong, ret, __ATOMIC_RELAXED);
	}
	return NULL;
}

/*
 * Passes if the device can be closed, taken away and opened while several threads use
 * it, and works afterwards.
 */
TEST_F_TIMEOUT(rough, everybody_at_once, 240)
{
	struct crowd crowd = { .buffer = self->buffer, .dev = self->dev };
	pthread_t threads[3];
	unsigned int i, round;

	for (i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, crowd_member, &crowd));
	for (round = 0; round < 4; round++) {
		bool unbind = round & 1;
		int dev;

		sleep_ms(300);
		if (unbind)
			EXPECT_EQ(0, write_file(DRIVER "/unbind", self->name));
		close(crowd.dev);
		if (unbind)
			EXPECT_EQ(0, write_file(DRIVER "/bind", self->name));
		/* It is free when the last call on the old file returns. */
		while ((dev = iommu_open()) == -EBUSY)
			sleep_ms(10);
		EXPECT_LE(0, dev);
		__atomic_store_n(&crowd.dev, dev, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&crowd.over, true, __ATOMIC_RELAXED);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, crowd.wrong);

	self->dev = crowd.dev;
	for (i = 0; i < 3; i++)
		iommu_unmap(self->dev, IOVA + i * 4 * PAGE);
	EXPECT_EQ(0U, info_of(self->dev).nr_mappings);
	EXPECT_EQ(0, iommu_map(self->dev, self->buffer, IOVA));
	EXPECT_EQ(0, device_to(self->dev, self->buffer, IOVA, 256));
}

/* ---- bad input ------------------------------------------------------------------------- */

FIXTURE(bad) {
	int dev;
	int buffer;
	struct dmabuf_iommu_info info;
};

FIXTURE_SETUP(bad)
{
	self->dev = iommu_open();
	ASSERT_LE(0, self->dev);
	self->info = info_of(self->dev);
	self->buffer = heap_buffer(SYSTEM_HEAP, 4 * PAGE);
	ASSERT_LE(0, self->buffer);
	ASSERT_EQ(0, iommu_map(self->dev, self->buffer, IOVA));
}

FIXTURE_TEARDOWN(bad)
{
	close(self->buffer);
	close(self->dev);
}

/* Passes if the numbers make sense. */
TEST_F(bad, info_is_plausible)
{
	EXPECT_EQ(PAGE, self->info.page_sizes & PAGE);
	EXPECT_EQ(0ULL, self->info.first);
	EXPECT_LE((1ULL << 28) - 1, self->info.last);
	EXPECT_EQ(0U, self->info.nr_mappings);
	EXPECT_EQ(1U, info_of(self->dev).nr_mappings);
	EXPECT_EQ((__u32)DMABUF_IOMMU_MAX_MAPPINGS, self->info.max_mappings);
}

TEST_F(bad, map)
{
	const struct {
		__u64 iova;
		__u32 flags;
		int ret;
	} rows[] = {
		{ IOVA + 8 * PAGE, 0, -EINVAL },
		{ IOVA + 8 * PAGE, DMABUF_IOMMU_PRESENT, -EINVAL },
		{ IOVA + 8 * PAGE, RW | DMABUF_IOMMU_PRESENT, -EINVAL },
		{ IOVA + 8 * PAGE, RW | 1U << 31, -EINVAL },
		{ IOVA + 8 * PAGE + 1, RW, -EINVAL },
		{ IOVA + 8 * PAGE + PAGE / 2, RW, -EINVAL },
		{ ~0ULL, RW, -EINVAL },
		{ -2 * PAGE, RW, -EOVERFLOW },
		{ -4 * PAGE, RW, -ERANGE },
		{ 1ULL << 63, RW, -ERANGE },
		{ self->info.last + 1, RW, -ERANGE },
		{ self->info.last + 1 - 3 * PAGE, RW, -ERANGE },
		{ IOVA, RW, -EEXIST },
		{ IOVA - 3 * PAGE, RW, -EEXIST },
		{ IOVA + 3 * PAGE, DMABUF_IOMMU_READ, -EEXIST },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT_EQ(rows[i].ret, iommu_map_flags(self->dev, self->buffer, rows[i].iova,
						       rows[i].flags)) {
			TH_LOG("row %u", i);
		}
	EXPECT_EQ(1U, info_of(self->dev).nr_mappings);
}

/* Passes if what is not a buffer, or not one to read or to write, is refused. */
TEST_F(bad, map_what)
{
	int heap = heap_open(SYSTEM_HEAP, O_RDWR), read_only, write_only, file, test_dev;

	EXPECT_EQ(-EBADF, iommu_map(self->dev, -1, 0));
	EXPECT_EQ(-EBADF, iommu_map(self->dev, next_fd(), 0));
	file = memfd_new(PAGE, false);
	EXPECT_EQ(-EINVAL, iommu_map(self->dev, file, 0));
	EXPECT_EQ(-EINVAL, iommu_map(self->dev, self->dev, 0));
	close(file);

	read_only = heap_alloc_flags(heap, PAGE, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, read_only);
	EXPECT_EQ(-EACCES, iommu_map(self->dev, read_only, 0));
	EXPECT_EQ(-EACCES, iommu_map_flags(self->dev, read_only, 0, DMABUF_IOMMU_WRITE));
	EXPECT_EQ(0, iommu_map_flags(self->dev, read_only, 0, DMABUF_IOMMU_READ));
	close(read_only);

	write_only = heap_alloc_flags(heap, PAGE, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, write_only);
	EXPECT_EQ(-EACCES, iommu_map(self->dev, write_only, PAGE));
	EXPECT_EQ(-EACCES, iommu_map_flags(self->dev, write_only, PAGE, DMABUF_IOMMU_READ));
	EXPECT_EQ(0, iommu_map_flags(self->dev, write_only, PAGE, DMABUF_IOMMU_WRITE));
	close(write_only);
	close(heap);

	/* One whose exporter has no page frames to offer. */
	test_dev = dev_open();
	if (!no_device(test_dev)) {
		file = buffer_create(test_dev, PAGE);
		ASSERT_LE(0, file);
		EXPECT_EQ(-EOPNOTSUPP, iommu_map(self->dev, file, 2 * PAGE));
		close(file);
		close(test_dev);
	}
}

/* Passes if the device cannot be made to send interrupts, whatever it is told. */
TEST_F(bad, reserved_addresses)
{
	if (self->info.last < MSI_ADDRESS)
		SKIP(return, "the space ends before them");
	EXPECT_EQ(-EEXIST, iommu_map(self->dev, self->buffer, MSI_ADDRESS));
	EXPECT_EQ(-EEXIST, iommu_map(self->dev, self->buffer, MSI_ADDRESS - PAGE));
	EXPECT_EQ(0, iommu_map(self->dev, self->buffer, MSI_ADDRESS - 4 * PAGE));
	EXPECT_EQ(-ENOENT, iommu_unmap(self->dev, MSI_ADDRESS));
	EXPECT_EQ(-EACCES, iommu_dma(self->dev, MSI_ADDRESS, 4, 0, WRITE_DMA | UNCHECKED));
	EXPECT_EQ(-EACCES, iommu_dma(self->dev, MSI_ADDRESS - 4, 5, 0, WRITE_DMA | UNCHECKED));
	EXPECT_EQ(-ENOENT, iommu_dma(self->dev, MSI_ADDRESS, 4, 0, WRITE_DMA));
}

TEST_F(bad, unmap_and_query)
{
	static const __u64 addresses[] = { 0, IOVA - 1, IOVA + 4 * 4096, ~0ULL, 1ULL << 63 };
	struct dmabuf_iommu_query query;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		EXPECT_EQ(-ENOENT, iommu_unmap(self->dev, addresses[i]));
		EXPECT_EQ(-ENOENT, iommu_query(self->dev, addresses[i], &query));
	}
	EXPECT_EQ(-ENOENT, iommu_unmap(self->dev, IOVA + 1));
	EXPECT_EQ(-ENOENT, iommu_unmap(self->dev, IOVA + PAGE));
	EXPECT_EQ(0, iommu_query(self->dev, IOVA + 4 * PAGE - 1, &query));
	EXPECT_EQ(0, iommu_unmap(self->dev, IOVA));
	EXPECT_EQ(-ENOENT, iommu_unmap(self->dev, IOVA));
}

TEST_F(bad, dma)
{
	const __u32 max = DMABUF_IOMMU_DMA_MAX;
	const struct {
		struct dmabuf_iommu_dma arg;
		int ret;
	} rows[] = {
		{ { IOVA, 0, 0, 0, 0 }, -EINVAL },
		{ { IOVA, max + 1, 0, 0, 0 }, -EINVAL },
		{ { IOVA, ~0U, 0, 0, 0 }, -EINVAL },
		{ { IOVA, 1, max, 0, 0 }, -EINVAL },
		{ { IOVA, max, 1, WRITE_DMA, 0 }, -EINVAL },
		{ { IOVA, 16, ~0U, 0, 0 }, -EINVAL },
		{ { IOVA, 16, -16U, 0, 0 }, -EINVAL },
		{ { IOVA, 16, 0, 4, 0 }, -EINVAL },
		{ { IOVA, 16, 0, 1U << 31, 0 }, -EINVAL },
		{ { IOVA, 16, 0, 0, 1 }, -EINVAL },
		{ { IOVA - 1, 16, 0, 0, 0 }, -ENOENT },
		{ { IOVA + 4 * PAGE - 15, 16, 0, 0, 0 }, -ENOENT },
		{ { IOVA + 4 * PAGE, 16, 0, 0, 0 }, -ENOENT },
		{ { ~0ULL, 16, 0, 0, 0 }, -ENOENT },
		{ { ~0ULL, 16, 0, UNCHECKED, 0 }, -EOVERFLOW },
		{ { -16ULL, 16, 0, UNCHECKED, 0 }, -ERANGE },
		{ { self->info.last, 2, 0, UNCHECKED, 0 }, -ERANGE },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT_EQ(rows[i].ret, xioctl(self->dev, DMABUF_IOMMU_IOC_DMA, &rows[i].arg)) {
			TH_LOG("row %u", i);
		}
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(self->buffer, POLLIN | POLLOUT));
}

TEST_F(bad, pointers_and_numbers)
{
	static const struct {
		unsigned long cmd;
		size_t size;
	} rows[] = {
		{ DMABUF_IOMMU_IOC_INFO, sizeof(struct dmabuf_iommu_info) },
		{ DMABUF_IOMMU_IOC_MAP, sizeof(struct dmabuf_iommu_map) },
		{ DMABUF_IOMMU_IOC_UNMAP, sizeof(struct dmabuf_iommu_unmap) },
		{ DMABUF_IOMMU_IOC_QUERY, sizeof(struct dmabuf_iommu_query) },
		{ DMABUF_IOMMU_IOC_DMA, sizeof(struct dmabuf_iommu_dma) },
	};
	unsigned int i;
	int nr;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		for (nr = 0; nr < NR_BAD_POINTERS; nr++)
			EXPECT_EQ(-EFAULT, xioctl(self->dev, rows[i].cmd,
						  bad_pointer(nr, rows[i].size))) {
				TH_LOG("ioctl %u, pointer %d", i, nr);
			}
	EXPECT_EQ(-ENOTTY, xioctl(self->dev, _IO('D', 0x65), NULL));
	EXPECT_EQ(-ENOTTY, xioctl(self->dev, _IO('D', 0x60), NULL));
	EXPECT_EQ(-ENOTTY, xioctl(self->dev, DMA_BUF_IOCTL_SYNC, NULL));
	EXPECT_EQ(1U, info_of(self->dev).nr_mappings);
}

/* Passes if there is an end to mappings, and closing the file undoes them all. */
TEST_F(bad, too_many_mappings)
{
	__u64 iova = IOVA;
	int ret, count = 1;

	while (!(ret = iommu_map(self->dev, self->buffer, iova += 4 * PAGE)))
		count++;
	EXPECT_EQ(-ENOSPC, ret);
	EXPECT_EQ(DMABUF_IOMMU_MAX_MAPPINGS, count);
	EXPECT_EQ(0, iommu_unmap(self->dev, IOVA));
	EXPECT_EQ(0, iommu_map(self->dev, self->buffer, iova));
}

/* Passes if the device is for root, whatever the node's mode. */
TEST_F(bad, open_by_nobody)
{
	pid_t pid;

	close(self->dev);
	ASSERT_EQ(0, chmod(DMABUF_IOMMU_PATH, 0666));
	pid = fork();
	if (!pid) {
		if (setuid(NOBODY))
			_exit(255);
		_exit(-iommu_open());
	}
	EXPECT_EQ(EPERM, child_status(pid, SOON_MS));
	ASSERT_EQ(0, chmod(DMABUF_IOMMU_PATH, 0600));
	self->dev = iommu_open();
	ASSERT_LE(0, self->dev);
}

/* Without the device there is nothing to run. */
int main(int argc, char **argv)
{
	int dev = iommu_open();

	if (no_device(dev) || dev == -ENODEV) {
		printf("TAP version 13\n1..0 # SKIP no device behind " DMABUF_IOMMU_PATH "\n");
		return KSFT_SKIP;
	}
	close(dev);
	return test_harness_run(argc, argv);
}
