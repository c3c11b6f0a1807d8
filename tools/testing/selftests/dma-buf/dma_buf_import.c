// SPDX-License-Identifier: GPL-2.0
/*
 * One memory, seen from all sides: what a program writes into a buffer through a
 * mapping is what a driver reads that imports the buffer, and the other way round,
 * whoever exports it and however its memory is made up.
 *
 * The driver is /dev/dmabuf_test. It gets at the memory in three ways, by the DMA
 * addresses of its mapping, by page frames and by a kernel mapping. Each byte of
 * a buffer depends on its page, its place in that page and on which writer was
 * the last, so that a page in the place of another is found, be it only in part.
 */
#include "heap_test.h"
#include "udmabuf_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define STRIDE		512UL	/* pages in a large one */
#define MAX_PIECES	8

static const char * const way_name[DMABUF_TEST_NR_WAYS] = {
	[DMABUF_TEST_BY_DMA] = "DMA addresses",
	[DMABUF_TEST_BY_PFN] = "page frames",
	[DMABUF_TEST_BY_VMAP] = "kernel mapping",
};

/* Pages of a memfd, which follow each other. */
struct piece {
	unsigned int first, nr;
};

enum maker { SYSTEM, CONTIGUOUS, UDMABUF };

/* A buffer, and who looks at it. */
struct subject {
	int dev;		/* the importer */
	int maker;		/* where buffers are made */
	int memfd;
	int buffer;
	size_t pages;		/* of the buffer */
	size_t size;
	char *map;		/* of the buffer */
	char *copy;		/* what importers read or write */
	size_t file_pages;	/* of the memfd, 0 if there is none */
	char *file;		/* mapping of the memfd */
	size_t *page;		/* of the file: which one is this page of the buffer? */
	struct huge_pages old;
};

FIXTURE(memory) {
	struct subject s;
};

FIXTURE_VARIANT(memory) {
	enum maker maker;
	size_t pages;		/* of a buffer from a heap */
	size_t file_pages;
	unsigned int memfd_flags;
	bool thp;
	struct piece pieces[MAX_PIECES];
};

FIXTURE_VARIANT_ADD(memory, heap_page) {
	.maker = SYSTEM,
	.pages = 1,
};

/* A large chunk and some small ones. */
FIXTURE_VARIANT_ADD(memory, heap_chunks) {
	.maker = SYSTEM,
	.pages = STRIDE + 13,
};

FIXTURE_VARIANT_ADD(memory, heap_cma) {
	.maker = CONTIGUOUS,
	.pages = 77,
};

FIXTURE_VARIANT_ADD(memory, shmem) {
	.maker = UDMABUF,
	.file_pages = 64,
	.pieces = { { 0, 64 } },
};

FIXTURE_VARIANT_ADD(memory, shmem_out_of_order) {
	.maker = UDMABUF,
	.file_pages = 64,
	.pieces = {
		{ 7, 3 }, { 0, 1 }, { 40, 4 }, { 12, 1 }, { 11, 1 }, { 20, 13 },
		{ 63, 1 }, { 1, 2 },
	},
};

/* Starts, ends, and crosses from one to the next, in the middle of large folios. */
FIXTURE_VARIANT_ADD(memory, thp_middle) {
	.maker = UDMABUF,
	.file_pages = 2 * STRIDE,
	.thp = true,
	.pieces = { { 400, 200 } },
};

FIXTURE_VARIANT_ADD(memory, thp_out_of_order) {
	.maker = UDMABUF,
	.file_pages = 2 * STRIDE,
	.thp = true,
	.pieces = {
		{ 7, 3 }, { 0, 1 }, { 510, 4 }, { 11, 1 }, { 10, 1 }, { 1000, 24 },
		{ 520, 3 }, { 300, 100 },
	},
};

FIXTURE_VARIANT_ADD(memory, hugetlb_middle) {
	.maker = UDMABUF,
	.file_pages = 2 * STRIDE,
	.memfd_flags = MEMFD_HUGE,
	.pieces = { { 400, 200 } },
};

FIXTURE_VARIANT_ADD(memory, hugetlb_out_of_order) {
	.maker = UDMABUF,
	.file_pages = 2 * STRIDE,
	.memfd_flags = MEMFD_HUGE,
	.pieces = {
		{ 7, 3 }, { 0, 1 }, { 510, 4 }, { 11, 1 }, { 10, 1 }, { 1000, 24 },
		{ 520, 3 }, { 300, 100 },
	},
};

/* ---- contents ------------------------------------------------------------------- */

/* What @writer writes into word @i of page @page. */
static inline __u64 word_of(unsigned int writer, size_t page, size_t i)
{
	return page_stamp(page) + page_stamp(writer) * (2 * i + 1);
}

static void write_page(void *to, unsigned int writer, size_t page)
{
	size_t words = PAGE / sizeof(__u64), i;
	__u64 *word = to;

	for (i = 0; i < words; i++)
		word[i] = word_of(writer, page, i);
}

static bool is_page(const void *from, unsigned int writer, size_t page)
{
	size_t words = PAGE / sizeof(__u64), i;
	const __u64 *word = from;
	__u64 different = 0;

	for (i = 0; i < words; i++)
		different |= word[i] ^ word_of(writer, page, i);
	return !different;
}

static void write_all(void *to, unsigned int writer, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++)
		write_page(to + i * PAGE, writer, i);
}

/* Which is the first page that is not as @writer wrote it? Counted from 1; 0: none. */
static long wrong_page(const void *from, unsigned int writer, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++)
		if (!is_page(from + i * PAGE, writer, i))
			return i + 1;
	return 0;
}

/* Writers that are no way of an importer. */
enum writer { BY_MMAP = DMABUF_TEST_NR_WAYS, BY_FILE, BY_NOBODY, BY_OTHERS };

/* ---- setting up ------------------------------------------------------------------ */

static int maker_open(enum maker maker)
{
	switch (maker) {
	case SYSTEM:
		return heap_open(SYSTEM_HEAP, O_RDWR);
	case CONTIGUOUS:
		return heap_open(contiguous_heap(), O_RDWR);
	default:
		return device_open();
	}
}

/* Large folios are what the case is about: are the pages of the mapping in some? */
static bool has_large_pages(void)
{
	return number_in("/proc/self/smaps_rollup", "ShmemPmdMapped:") > 0;
}

/* A memfd all pages of which are there, but were written by nobody of interest. */
static bool file_create(struct subject *s, unsigned int flags)
{
	s->memfd = memfd_new(s->file_pages * PAGE, flags, F_SEAL_SHRINK);
	if (s->memfd < 0)
		return false;
	s->file = mmap(NULL, s->file_pages * PAGE, RW, MAP_SHARED, s->memfd, 0);
	if (s->file == MAP_FAILED)
		return false;
	write_all(s->file, BY_NOBODY, s->file_pages);
	return true;
}

static int buffer_of_pieces(struct subject *s, const struct piece *pieces)
{
	struct list list = {};
	size_t i, j;

	s->page = calloc(s->file_pages, sizeof(*s->page));
	for (i = 0; i < MAX_PIECES && pieces[i].nr; i++) {
		list_add(&list, s->memfd, pieces[i].first * PAGE, pieces[i].nr * PAGE);
		for (j = 0; j < pieces[i].nr; j++)
			s->page[s->pages++] = pieces[i].first + j;
	}
	return udmabuf_list(s->maker, &list);
}

FIXTURE_SETUP(memory)
{
	self->s.memfd = -1;
	self->s.buffer = -1;
	self->s.maker = -1;
	self->s.file = MAP_FAILED;
	self->s.dev = dev_open();
	if (no_device(self->s.dev))
		SKIP(return, NO_DEVICE);
	ASSERT_LE(0, self->s.dev);
	self->s.maker = maker_open(variant->maker);
	if (no_device(self->s.maker))
		SKIP(return, "no heap or no " UDMABUF_DEVICE ", or no right to open it");
	ASSERT_LE(0, self->s.maker);

	self->s.pages = variant->pages;
	self->s.file_pages = variant->file_pages;
	if (self->s.file_pages) {
		huge_pages_on(&self->s.old);
		if (variant->thp && write_file(SHMEM_ENABLED, "force"))
			SKIP(return, "no transparent huge pages for shmem");
		if (!file_create(&self->s, variant->memfd_flags)) {
			ASSERT_NE(0U, variant->memfd_flags);
			SKIP(return, "no huge pages");
		}
		if (variant->thp && !has_large_pages())
			SKIP(return, "no transparent huge pages to be had");
		self->s.buffer = buffer_of_pieces(&self->s, variant->pieces);
	} else {
		self->s.buffer = heap_alloc(self->s.maker, self->s.pages * PAGE);
	}
	ASSERT_LE(0, self->s.buffer);

	self->s.size = self->s.pages * PAGE;
	self->s.map = map_shared(self->s.buffer, self->s.size);
	ASSERT_NE(MAP_FAILED, (void *)self->s.map);
	self->s.copy = malloc(self->s.size);
	ASSERT_NE(NULL, self->s.copy);
}

FIXTURE_TEARDOWN(memory)
{
	if (self->s.file != MAP_FAILED)
		munmap(self->s.file, self->s.file_pages * PAGE);
	if (self->s.size)
		munmap(self->s.map, self->s.size);
	close(self->s.buffer);
	close(self->s.memfd);
	huge_pages_restore(&self->s.old);
	close(self->s.maker);
	close(self->s.dev);
}

/* ---- sides ------------------------------------------------------------------------ */

static int import_writes(struct subject *s, enum dmabuf_test_way way,
			 unsigned int writer)
{
	write_all(s->copy, writer, s->pages);
	return importer_copy(s->dev, s->buffer, way, true, 0, s->copy, s->size);
}

/* As wrong_page(), or a negative errno. */
static long import_reads(struct subject *s, enum dmabuf_test_way way,
			 unsigned int writer)
{
	int ret;

	memset(s->copy, 0xa5, s->size);
	ret = importer_copy(s->dev, s->buffer, way, false, 0, s->copy, s->size);
	return ret ? ret : wrong_page(s->copy, writer, s->pages);
}

static int mmap_writes(struct subject *s, unsigned int writer)
{
	int ret = buffer_sync(s->buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);

	if (ret)
		return ret;
	write_all(s->map, writer, s->pages);
	return buffer_sync(s->buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
}

static long mmap_reads(struct subject *s, unsigned int writer)
{
	int ret = buffer_sync(s->buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	long page;

	if (ret)
		return ret;
	page = wrong_page(s->map, writer, s->pages);
	ret = buffer_sync(s->buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
	return ret ? ret : page;
}

/* Not every kernel has page frames for importers. */
static bool has_way(struct subject *s, enum dmabuf_test_way way)
{
	char byte;

	return way != DMABUF_TEST_BY_PFN ||
	       importer_copy(s->dev, s->buffer, way, false, 0, &byte, 1) != -EOPNOTSUPP;
}

/* ---- between an importer and mappings ------------------------------------------------- */

static void check_import_reads(struct __test_metadata *_metadata,
			       struct subject *s, enum dmabuf_test_way way)
{
	if (!has_way(s, way))
		SKIP(return, "no such way into a buffer");
	ASSERT_EQ(0, mmap_writes(s, BY_MMAP));
	EXPECT_EQ(0, import_reads(s, way, BY_MMAP));
	ASSERT_EQ(0, mmap_writes(s, BY_OTHERS));
	EXPECT_EQ(0, import_reads(s, way, BY_OTHERS));
}

/* Passes if a device reads what a program wrote, and wrote again. */
TEST_F(memory, dma_reads_what_mmap_wrote)
{
	check_import_reads(_metadata, &self->s, DMABUF_TEST_BY_DMA);
}

/* Passes if this is so, too, for one that has page tables of its own. */
TEST_F(memory, pfn_reads_what_mmap_wrote)
{
	check_import_reads(_metadata, &self->s, DMABUF_TEST_BY_PFN);
}

/* Passes if the kernel reads what a program wrote, and wrote again. */
TEST_F(memory, vmap_reads_what_mmap_wrote)
{
	check_import_reads(_metadata, &self->s, DMABUF_TEST_BY_VMAP);
}

static void check_import_writes(struct __test_metadata *_metadata,
				struct subject *s, enum dmabuf_test_way way)
{
	char *second;

	if (!has_way(s, way))
		SKIP(return, "no such way into a buffer");
	ASSERT_EQ(0, import_writes(s, way, way));
	EXPECT_EQ(0, wrong_page(s->map, way, s->pages));
	ASSERT_EQ(0, import_writes(s, way, BY_OTHERS));
	EXPECT_EQ(0, mmap_reads(s, BY_OTHERS));

	second = map_shared(s->buffer, s->size);
	ASSERT_NE(MAP_FAILED, (void *)second);
	EXPECT_EQ(0, wrong_page(second, BY_OTHERS, s->pages));
	munmap(second, s->size);
}

/* Passes if a program reads what a device wrote, in a mapping from before and in a new one. */
TEST_F(memory, mmap_reads_what_dma_wrote)
{
	check_import_writes(_metadata, &self->s, DMABUF_TEST_BY_DMA);
}

/* Passes if this is so, too, for one that has page tables of its own. */
TEST_F(memory, mmap_reads_what_pfn_wrote)
{
	check_import_writes(_metadata, &self->s, DMABUF_TEST_BY_PFN);
}

/* Passes if a program reads what the kernel wrote, in a mapping from before and in a new one. */
TEST_F(memory, mmap_reads_what_vmap_wrote)
{
	check_import_writes(_metadata, &self->s, DMABUF_TEST_BY_VMAP);
}

/* Passes if importers that use different ways see what each other wrote. */
TEST_F_TIMEOUT(memory, importers_agree, 120)
{
	unsigned int reader, writer;

	for (writer = 0; writer < DMABUF_TEST_NR_WAYS; writer++) {
		if (!has_way(&self->s, writer))
			continue;
		ASSERT_EQ(0, import_writes(&self->s, writer, writer));
		for (reader = 0; reader < DMABUF_TEST_NR_WAYS; reader++) {
			if (!has_way(&self->s, reader))
				continue;
			EXPECT_EQ(0, import_reads(&self->s, reader, writer)) {
				TH_LOG("written by %s, read by %s", way_name[writer],
				       way_name[reader]);
			}
		}
	}
}

/* Bytes inside of pages, and across their borders and those of chunks. */
static void check_parts(struct __test_metadata *_metadata, struct subject *s,
			enum dmabuf_test_way way, char *want)
{
	const struct { size_t offset, size; } parts[] = {
		{ 0, 1 }, { 1, PAGE - 2 }, { PAGE - 1, 1 }, { PAGE - 3, 7 }, { 5, 3 * PAGE },
		{ s->size - 1, 1 }, { s->size / 2 - 9, 13 },
		{ s->size - PAGE / 2, PAGE / 2 }, { STRIDE * PAGE - 77, 2 * PAGE },
		{ s->size / 3, s->size / 2 },
	};
	unsigned int i;
	size_t j;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		size_t offset = parts[i].offset, size = parts[i].size;

		if (offset + size > s->size)
			continue;
		EXPECT_EQ(0, importer_copy(s->dev, s->buffer, way, false, offset,
					   s->copy, size));
		EXPECT_EQ(0, memcmp(want + offset, s->copy, size)) {
			TH_LOG("%s: %zu bytes at %zu", way_name[way], size, offset);
		}
		for (j = 0; j < size; j++)
			want[offset + j] ^= i + 1;
		EXPECT_EQ(0, importer_copy(s->dev, s->buffer, way, true, offset,
					   want + offset, size));
		EXPECT_EQ(0, memcmp(want, s->map, s->size)) {
			TH_LOG("%s: %zu bytes at %zu written", way_name[way], size, offset);
		}
	}
}

/* Passes if an importer gets the bytes that it wants, and changes no others. */
TEST_F_TIMEOUT(memory, importers_use_any_part, 120)
{
	char *want = malloc(self->s.size);
	unsigned int way;

	ASSERT_NE(NULL, want);
	write_all(want, DMABUF_TEST_BY_DMA, self->s.pages);
	ASSERT_EQ(0, import_writes(&self->s, DMABUF_TEST_BY_DMA, DMABUF_TEST_BY_DMA));
	for (way = 0; way < DMABUF_TEST_NR_WAYS; way++) {
		if (has_way(&self->s, way))
			check_parts(_metadata, &self->s, way, want);
	}
	free(want);
}

/* What another process does with a buffer that it was sent: its exit status. */
static int other_process(int sock, size_t pages)
{
	int buffer = receive_fd(sock, 0);
	char *map;

	if (buffer < 0)
		return 1;
	map = map_shared(buffer, pages * PAGE);
	if (map == MAP_FAILED)
		return 2;
	if (buffer_sync(buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW))
		return 3;
	if (wrong_page(map, DMABUF_TEST_BY_DMA, pages))
		return 4;
	write_all(map, BY_OTHERS, pages);
	return buffer_sync(buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW) ? 5 : 0;
}

/* Passes if a process that was sent the buffer and a device see what each other wrote. */
TEST_F(memory, other_process_shares_with_device)
{
	int socks[2];
	pid_t pid;

	/* What it inherits is not to be of any help. */
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		munmap(self->s.map, self->s.size);
		if (self->s.file != MAP_FAILED)
			munmap(self->s.file, self->s.file_pages * PAGE);
		close(self->s.buffer);
		close(self->s.memfd);
		_exit(other_process(socks[1], self->s.pages));
	}
	ASSERT_EQ(0, import_writes(&self->s, DMABUF_TEST_BY_DMA, DMABUF_TEST_BY_DMA));
	ASSERT_EQ(0, send_fd(socks[0], self->s.buffer));
	ASSERT_EQ(0, child_status(pid, SOON_MS));
	EXPECT_EQ(0, import_reads(&self->s, DMABUF_TEST_BY_DMA, BY_OTHERS));
	EXPECT_EQ(0, mmap_reads(&self->s, BY_OTHERS));
}

/* ---- between an importer and the memfd ------------------------------------------------- */

/* As wrong_page(), of the file: what is not in the buffer has to be as it was. */
static long wrong_in_file(struct subject *s, unsigned int writer)
{
	bool *in_buffer = calloc(s->file_pages, sizeof(*in_buffer));
	long wrong = 0;
	size_t i;

	for (i = 0; i < s->pages && !wrong; i++) {
		in_buffer[s->page[i]] = true;
		if (!is_page(s->file + s->page[i] * PAGE, writer, i))
			wrong = s->page[i] + 1;
	}
	for (i = 0; i < s->file_pages && !wrong; i++)
		if (!in_buffer[i] && !is_page(s->file + i * PAGE, BY_NOBODY, i))
			wrong = i + 1;
	free(in_buffer);
	return wrong;
}

/* Passes if the file has what importers wrote, where it belongs and nowhere else. */
TEST_F_TIMEOUT(memory, file_shows_what_importers_wrote, 120)
{
	unsigned int way;

	if (!self->s.file_pages)
		SKIP(return, "the buffer is not made of a file");
	for (way = 0; way < DMABUF_TEST_NR_WAYS; way++) {
		if (!has_way(&self->s, way))
			continue;
		ASSERT_EQ(0, import_writes(&self->s, way, way));
		EXPECT_EQ(0, wrong_in_file(&self->s, way)) {
			TH_LOG("%s", way_name[way]);
		}
		EXPECT_EQ((ssize_t)PAGE, pread(self->s.memfd, self->s.copy, PAGE,
					       self->s.page[0] * PAGE));
		EXPECT_TRUE(is_page(self->s.copy, way, 0));
	}
}

/* Passes if importers read what was written into the file, before the buffer was used and after. */
TEST_F_TIMEOUT(memory, importers_read_what_the_file_got, 120)
{
	unsigned int writer, way;
	size_t i;

	if (!self->s.file_pages)
		SKIP(return, "the buffer is not made of a file");
	for (writer = BY_FILE; writer <= BY_OTHERS; writer++) {
		for (i = 0; i < self->s.pages; i++)
			write_page(self->s.file + self->s.page[i] * PAGE, writer, i);
		for (way = 0; way < DMABUF_TEST_NR_WAYS; way++) {
			if (!has_way(&self->s, way))
				continue;
			EXPECT_EQ(0, import_reads(&self->s, way, writer)) {
				TH_LOG("%s", way_name[way]);
			}
		}
	}
}

/* Passes if a device can write where the CPU had access before: each sees both. */
TEST(device_writes_after_cpu_access)
{
	int dev = dev_open(), maker = device_open(), memfd, buffer;
	char data[8] = "0123456", *map;

	if (no_device(dev) || no_device(maker))
		SKIP(return, NO_DEVICE ", or the same of " UDMABUF_DEVICE);
	memfd = memfd_new(PAGE, 0, F_SEAL_SHRINK);
	ASSERT_LE(0, memfd);
	buffer = udmabuf(maker, memfd, 0, PAGE);
	ASSERT_LE(0, buffer);
	map = map_shared(buffer, PAGE);
	ASSERT_NE(MAP_FAILED, (void *)map);

	EXPECT_EQ(0, buffer_sync(buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	memset(map, 1, PAGE);
	EXPECT_EQ(0, buffer_sync(buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	EXPECT_EQ(0, importer_copy(dev, buffer, DMABUF_TEST_BY_DMA, true, 8, data, 8));
	EXPECT_EQ(0, buffer_sync(buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	EXPECT_EQ(0, memcmp(map + 8, data, 8));
	EXPECT_EQ(1, map[7]);
	EXPECT_EQ(1, map[16]);
	EXPECT_EQ(0, buffer_sync(buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	munmap(map, PAGE);
	close(buffer);
	close(memfd);
	close(maker);
	close(dev);
}

/* ---- the importer itself ----------------------------------------------------------------- */

#define NR_PAGES 4UL

FIXTURE(importer) {
	int dev;
	int buffer;
};

FIXTURE_SETUP(importer)
{
	self->dev = dev_open();
	if (no_device(self->dev))
		SKIP(return, NO_DEVICE);
	ASSERT_LE(0, self->dev);
	self->buffer = buffer_create(self->dev, NR_PAGES * PAGE);
	ASSERT_LE(0, self->buffer);
}

FIXTURE_TEARDOWN(importer)
{
	close(self->buffer);
	close(self->dev);
}

/* Few bytes, of which nobody looks at any. */
static int copy_part(int dev, int buffer, enum dmabuf_test_way way, bool write,
		     size_t offset, size_t size)
{
	char data[64] = {};

	return importer_copy(dev, buffer, way, write, offset, data, size);
}

/* Passes if nothing outside of the buffer, and no buffer that is none, can be asked for. */
TEST_F(importer, no_other_range_and_no_other_file)
{
	const size_t size = NR_PAGES * PAGE;
	const struct { size_t offset, size; } ranges[] = {
		{ 0, 0 }, { size, 1 }, { size - 1, 2 }, { size + 1, 1 }, { 1, SIZE_MAX },
		{ SIZE_MAX, 1 }, { SIZE_MAX, 2 }, { 0, size + 1 }, { 0, SIZE_MAX },
		{ 0, DMABUF_TEST_MAX_SIZE + 1UL },
	};
	unsigned int i, way;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		for (way = 0; way < DMABUF_TEST_NR_WAYS; way++) {
			EXPECT_EQ(-EINVAL, copy_part(self->dev, self->buffer, way, way % 2,
						     ranges[i].offset, ranges[i].size)) {
				TH_LOG("%zu bytes at %zu", ranges[i].size, ranges[i].offset);
			}
		}
	}
	EXPECT_EQ(-EINVAL, copy_part(self->dev, self->buffer, DMABUF_TEST_NR_WAYS, false, 0, 1));
	EXPECT_EQ(-EINVAL, copy_part(self->dev, self->dev, DMABUF_TEST_BY_DMA, false, 0, 1));
	EXPECT_EQ(-EBADF, copy_part(self->dev, -1, DMABUF_TEST_BY_DMA, false, 0, 1));
	for (i = 0; i < NR_BAD_POINTERS; i++) {
		void *data = (void *)bad_pointer(i, 64);

		EXPECT_EQ(-EFAULT, importer_copy(self->dev, self->buffer, DMABUF_TEST_BY_DMA,
						 i % 2, 0, data, 64));
		data = (void *)bad_pointer(i, sizeof(struct dmabuf_test_copy));
		EXPECT_EQ(-EFAULT, xioctl(self->dev, DMABUF_TEST_IOC_COPY, data));
	}
}

/* Passes if what an exporter refuses is refused to the caller, and nothing stays behind. */
TEST_F(importer, failures_leave_nothing)
{
	static const struct { enum dmabuf_test_op op; enum dmabuf_test_way way; } fail[] = {
		{ DMABUF_TEST_OP_ATTACH, DMABUF_TEST_BY_DMA },
		{ DMABUF_TEST_OP_MAP, DMABUF_TEST_BY_DMA },
		{ DMABUF_TEST_OP_BEGIN, DMABUF_TEST_BY_VMAP },
		{ DMABUF_TEST_OP_END, DMABUF_TEST_BY_VMAP },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fail); i++) {
		ASSERT_EQ(0, fail_next(self->dev, self->buffer, fail[i].op, -ENOSPC));
		EXPECT_EQ(-ENOSPC, copy_part(self->dev, self->buffer, fail[i].way, i % 2, 5, 6)) {
			TH_LOG("callback %d", fail[i].op);
		}
		EXPECT_EQ(0, copy_part(self->dev, self->buffer, fail[i].way, i % 2, 5, 6));
	}
	/* That which failed had nothing to be undone. */
	EXPECT_EQ(calls(self->dev, self->buffer, DMABUF_TEST_OP_ATTACH) - 1,
		  calls(self->dev, self->buffer, DMABUF_TEST_OP_DETACH));
	EXPECT_EQ(calls(self->dev, self->buffer, DMABUF_TEST_OP_MAP) - 1,
		  calls(self->dev, self->buffer, DMABUF_TEST_OP_UNMAP));
	EXPECT_EQ(calls(self->dev, self->buffer, DMABUF_TEST_OP_VMAP),
		  calls(self->dev, self->buffer, DMABUF_TEST_OP_VUNMAP));
	EXPECT_EQ(calls(self->dev, self->buffer, DMABUF_TEST_OP_BEGIN) - 1,
		  calls(self->dev, self->buffer, DMABUF_TEST_OP_END));
}

/* Passes if a device waits for those before it, as its access demands. */
TEST_F(importer, waits_for_fences)
{
	struct later later;
	struct fence fence;
	long returned;

	ASSERT_EQ(0, fence_put_on(self->dev, self->buffer, READ, &fence));
	EXPECT_EQ(0, copy_part(self->dev, self->buffer, DMABUF_TEST_BY_DMA, false, 0, 8));
	signal_later(&later, self->dev, fence, NEVER_MS);
	EXPECT_EQ(0, copy_part(self->dev, self->buffer, DMABUF_TEST_BY_DMA, true, 0, 8));
	returned = now_ms();
	later_join(&later);
	EXPECT_LE(later.signaled_at, returned);
}

TEST_HARNESS_MAIN
