// SPDX-License-Identifier: GPL-2.0
/*
 * mmap() of a dma-buf: which ranges and protections it takes, and that what is
 * mapped is the buffer's memory for as long as it is mapped.
 */
#include "dmabuf_test.h"

#define NR_PAGES	4
#define RW		(PROT_READ | PROT_WRITE)

FIXTURE(mapping) {
	int dev;
	int buffer;
	size_t size;
};

FIXTURE_SETUP(mapping)
{
	self->dev = dev_open();
	if (no_device(self->dev))
		SKIP(return, NO_DEVICE);
	ASSERT_LE(0, self->dev);
	self->size = NR_PAGES * PAGE;
	self->buffer = buffer_create(self->dev, self->size);
	ASSERT_LE(0, self->buffer);
}

FIXTURE_TEARDOWN(mapping)
{
	close(self->buffer);
	close(self->dev);
}

/* mmap(), which tells the error: 0 or a negative errno. Undone at once. */
static int try_map(int fd, size_t length, int prot, int flags, off_t offset)
{
	void *map = mmap(NULL, length, prot, flags, fd, offset);

	if (map == MAP_FAILED)
		return -errno;
	munmap(map, length);
	return 0;
}

/* Passes if each range of whole pages inside of the buffer can be mapped. */
TEST_F(mapping, every_range_inside)
{
	size_t first, nr;

	for (first = 0; first < NR_PAGES; first++)
		for (nr = 1; nr <= NR_PAGES - first; nr++)
			EXPECT_EQ(0, try_map(self->buffer, nr * PAGE, RW, MAP_SHARED,
					     first * PAGE));
}

/* Passes if no range that reaches past the end can be mapped; the exporter is not asked. */
TEST_F(mapping, no_range_outside)
{
	size_t first, nr;

	for (first = 0; first <= NR_PAGES + 1; first++) {
		for (nr = NR_PAGES - (first > NR_PAGES ? NR_PAGES : first) + 1;
		     nr < NR_PAGES + 3; nr++) {
			EXPECT_EQ(-EINVAL, try_map(self->buffer, nr * PAGE, RW,
						   MAP_SHARED, first * PAGE)) {
				TH_LOG("%zu pages from %zu", nr, first);
			}
			EXPECT_EQ(-EINVAL, try_map(self->buffer, nr * PAGE, PROT_READ,
						   MAP_PRIVATE, first * PAGE));
		}
	}
	EXPECT_EQ(0, calls(self->dev, self->buffer, DMABUF_TEST_OP_MMAP));
}

/* Passes if an offset so large that its sum with the length wraps is refused. */
TEST_F(mapping, no_range_that_wraps)
{
	const off_t page = PAGE;
	const off_t offsets[] = {
		INT64_MAX - page + 1, INT64_MIN, INT64_MIN + page, -page, -2 * page,
		-NR_PAGES * page, 1LL << 32, 1LL << 44, 1LL << 52, (1LL << 62) + page,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		int ret = try_map(self->buffer, 2 * PAGE, RW, MAP_SHARED, offsets[i]);

		EXPECT_TRUE(ret == -EINVAL || ret == -EOVERFLOW) {
			TH_LOG("offset %#llx: %d", (long long)offsets[i], ret);
		}
	}
	EXPECT_EQ(0, calls(self->dev, self->buffer, DMABUF_TEST_OP_MMAP));
}

/* Passes if a length of nothing and an offset inside of a page are refused. */
TEST_F(mapping, no_range_without_pages)
{
	EXPECT_EQ(-EINVAL, try_map(self->buffer, 0, RW, MAP_SHARED, 0));
	EXPECT_EQ(-EINVAL, try_map(self->buffer, PAGE, RW, MAP_SHARED, 1));
	EXPECT_EQ(-EINVAL, try_map(self->buffer, PAGE, RW, MAP_SHARED, PAGE / 2));
	EXPECT_EQ(0, try_map(self->buffer, 1, RW, MAP_SHARED, PAGE));
	EXPECT_EQ(-EINVAL, try_map(self->buffer, self->size + 1, RW, MAP_SHARED, 0));
}

/* Passes if all shared mappings show the same memory, each at its offset. */
TEST_F(mapping, shared_mappings_see_each_other)
{
	unsigned char *all, *third;
	size_t i;

	all = mmap(NULL, self->size, RW, MAP_SHARED, self->buffer, 0);
	third = mmap(NULL, PAGE, RW, MAP_SHARED, self->buffer, 2 * PAGE);
	ASSERT_NE(MAP_FAILED, (void *)all);
	ASSERT_NE(MAP_FAILED, (void *)third);
	EXPECT_EQ(2, calls(self->dev, self->buffer, DMABUF_TEST_OP_MMAP));

	for (i = 0; i < self->size; i++)
		all[i] = i / PAGE + 1;
	EXPECT_EQ(3, third[0]);
	EXPECT_EQ(3, third[PAGE - 1]);
	third[17] = 99;
	EXPECT_EQ(99, all[2 * PAGE + 17]);
	munmap(third, PAGE);
	munmap(all, self->size);
}

/* Passes if what is written to a private mapping is nobody else's business. */
TEST_F(mapping, private_mapping_keeps_its_changes)
{
	unsigned char *shared, *copy;

	shared = mmap(NULL, self->size, RW, MAP_SHARED, self->buffer, 0);
	copy = mmap(NULL, self->size, RW, MAP_PRIVATE, self->buffer, 0);
	ASSERT_NE(MAP_FAILED, (void *)shared);
	ASSERT_NE(MAP_FAILED, (void *)copy);

	shared[0] = 1;
	EXPECT_EQ(1, copy[0]);
	copy[0] = 2;
	EXPECT_EQ(1, shared[0]);
	munmap(copy, self->size);
	munmap(shared, self->size);
}

/* Passes if a descriptor for reading gives no way to write into the buffer. */
TEST_F(mapping, read_only_file_cannot_be_written)
{
	int buffer = buffer_open(self->dev, self->size, 0, O_RDONLY, O_CLOEXEC);
	void *map;

	ASSERT_LE(0, buffer);
	EXPECT_EQ(-EACCES, try_map(buffer, PAGE, RW, MAP_SHARED, 0));
	EXPECT_EQ(-EACCES, try_map(buffer, PAGE, PROT_WRITE, MAP_SHARED, 0));
	EXPECT_EQ(0, try_map(buffer, PAGE, PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(0, try_map(buffer, PAGE, RW, MAP_PRIVATE, 0));

	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, buffer, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(-1, mprotect(map, PAGE, RW));
	EXPECT_EQ(EACCES, errno);
	munmap(map, PAGE);
	close(buffer);
}

/* Passes if a descriptor for writing only cannot be mapped: writing includes reading. */
TEST_F(mapping, write_only_file_cannot_be_mapped)
{
	int buffer = buffer_open(self->dev, self->size, 0, O_WRONLY, O_CLOEXEC);

	ASSERT_LE(0, buffer);
	EXPECT_EQ(-EACCES, try_map(buffer, PAGE, PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(-EACCES, try_map(buffer, PAGE, PROT_WRITE, MAP_SHARED, 0));
	EXPECT_EQ(-EACCES, try_map(buffer, PAGE, RW, MAP_PRIVATE, 0));
	close(buffer);
}

/* Passes if an exporter without mmap makes buffers without mmap. */
TEST_F(mapping, without_callback_is_einval)
{
	int buffer = buffer_open(self->dev, self->size, DMABUF_TEST_NO_MMAP, O_RDWR, 0);

	ASSERT_LE(0, buffer);
	EXPECT_EQ(-EINVAL, try_map(buffer, PAGE, RW, MAP_SHARED, 0));
	close(buffer);
}

/* Passes if what the exporter says is what user space hears, and leaves no mapping. */
TEST_F(mapping, error_of_exporter_is_passed_on)
{
	ASSERT_EQ(0, fail_next(self->dev, self->buffer, DMABUF_TEST_OP_MMAP, -EIO));
	EXPECT_EQ(-EIO, try_map(self->buffer, PAGE, RW, MAP_SHARED, 0));
	EXPECT_EQ(0, try_map(self->buffer, PAGE, RW, MAP_SHARED, 0));
}

/* Passes if the memory lives until the last mapping goes, and not longer. */
TEST_F(mapping, outlives_the_descriptor)
{
	struct dmabuf_test_live before = live(self->dev), during = before;
	int buffer = buffer_create(self->dev, self->size);
	char *map;

	ASSERT_LE(0, buffer);
	map = mmap(NULL, self->size, RW, MAP_SHARED, buffer, 0);
	ASSERT_NE(MAP_FAILED, (void *)map);
	map[0] = 'x';
	close(buffer);

	during.buffers++;
	EXPECT_TRUE(live_becomes(self->dev, during));
	EXPECT_EQ('x', map[0]);
	map[self->size - 1] = 'y';
	munmap(map, PAGE);
	EXPECT_TRUE(live_becomes(self->dev, during));
	EXPECT_EQ('y', map[self->size - 1]);
	munmap(map + PAGE, self->size - PAGE);
	EXPECT_TRUE(live_becomes(self->dev, before));
}

/* Passes if a child has the parent's mapping, of the same memory. */
TEST_F(mapping, is_inherited_by_fork)
{
	char *map = mmap(NULL, PAGE, RW, MAP_SHARED, self->buffer, 0);
	pid_t pid;

	ASSERT_NE(MAP_FAILED, (void *)map);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		map[5] = 'c';
		_exit(0);
	}
	EXPECT_EQ(0, child_status(pid, SOON_MS));
	EXPECT_EQ('c', map[5]);
}

/* Passes if kernel, importer and user space all look at the same pages while mapped. */
TEST_F(mapping, stays_while_imported)
{
	char *map = mmap(NULL, self->size, RW, MAP_SHARED, self->buffer, 0);

	ASSERT_NE(MAP_FAILED, (void *)map);
	ASSERT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_ATTACH));
	ASSERT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_MAP));
	ASSERT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_VMAP));
	map[0] = 1;
	EXPECT_EQ(0, buffer_sync(self->buffer, DMA_BUF_SYNC_RW | DMA_BUF_SYNC_START));
	EXPECT_EQ(0, buffer_sync(self->buffer, DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END));
	EXPECT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_VUNMAP));
	EXPECT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_UNMAP));
	EXPECT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_DETACH));
	EXPECT_EQ(1, map[0]);
}

/* Passes if several kernel mappings share one call of the exporter. */
TEST_F(mapping, nested_vmaps_are_one)
{
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_VMAP));
	EXPECT_EQ(1, calls(self->dev, self->buffer, DMABUF_TEST_OP_VMAP));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, calls(self->dev, self->buffer, DMABUF_TEST_OP_VUNMAP));
		ASSERT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_VUNMAP));
	}
	EXPECT_EQ(1, calls(self->dev, self->buffer, DMABUF_TEST_OP_VUNMAP));
}

/* Passes if an importer that the exporter refuses hears why and leaves nothing. */
TEST_F(mapping, refused_importer_leaves_nothing)
{
	ASSERT_EQ(0, fail_next(self->dev, self->buffer, DMABUF_TEST_OP_ATTACH, -EPERM));
	EXPECT_EQ(-EPERM, import_step(self->dev, self->buffer, DMABUF_TEST_ATTACH));
	EXPECT_EQ(0, calls(self->dev, self->buffer, DMABUF_TEST_OP_DETACH));

	ASSERT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_ATTACH));
	ASSERT_EQ(0, fail_next(self->dev, self->buffer, DMABUF_TEST_OP_MAP, -ENOSPC));
	EXPECT_EQ(-ENOSPC, import_step(self->dev, self->buffer, DMABUF_TEST_MAP));
	EXPECT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_DETACH));
	EXPECT_EQ(1, calls(self->dev, self->buffer, DMABUF_TEST_OP_DETACH));
}

/* Passes if a lack of memory is an error like any other, and no reason to warn. */
TEST_F(mapping, vmap_without_memory_is_enomem)
{
	ASSERT_EQ(0, fail_next(self->dev, self->buffer, DMABUF_TEST_OP_VMAP, -ENOMEM));
	EXPECT_EQ(-ENOMEM, import_step(self->dev, self->buffer, DMABUF_TEST_VMAP));
	EXPECT_EQ(0, calls(self->dev, self->buffer, DMABUF_TEST_OP_VUNMAP));
	EXPECT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_VMAP));
	EXPECT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_VUNMAP));
}

TEST_HARNESS_MAIN
