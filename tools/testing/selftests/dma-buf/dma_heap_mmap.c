// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of heap buffers: that each page is where it belongs, whichever way a
 * program maps, moves, splits or shares it, and what mapping costs.
 *
 * A page is marked with its number in the buffer, so that one that is shown in
 * the place of another is found.
 *
 * Where kernels may differ:
 *   - A mapping costs no page tables before it is used, and large pages are used
 *     where the memory allows it. Stock 6.12 maps everything at once and in small
 *     pages.
 *   - A private mapping that could be written to either is one with copy on write
 *     or is refused. A buffer of one page from the system heap has it.
 */
#include "heap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define STRIDE		512UL	/* pages in a large one */

FIXTURE(heap_mmap) {
	int heap;
	int buffer;
	char *map;	/* of the whole buffer, aligned as large pages are; marked */
	size_t size;
	size_t pages;
};

FIXTURE_VARIANT(heap_mmap) {
	bool contiguous;
};

FIXTURE_VARIANT_ADD(heap_mmap, system) {
};

FIXTURE_VARIANT_ADD(heap_mmap, cma) {
	.contiguous = true,
};

FIXTURE_SETUP(heap_mmap)
{
	self->heap = heap_open(variant->contiguous ? contiguous_heap() : SYSTEM_HEAP,
			       O_RDWR);
	if (no_device(self->heap))
		SKIP(return, NO_HEAP);
	ASSERT_LE(0, self->heap);
	self->pages = 3 * STRIDE + 5;
	self->size = self->pages * PAGE;
	self->buffer = heap_alloc(self->heap, self->size);
	ASSERT_LE(0, self->buffer);
	self->map = map_aligned(self->buffer, self->size);
	ASSERT_NE(MAP_FAILED, (void *)self->map);
	stamp(self->map, 0, self->pages);
}

FIXTURE_TEARDOWN(heap_mmap)
{
	close(self->buffer);
	close(self->heap);
}

/* First page that is wrong of the whole buffer, mapped anew. -1 if none is. */
static long wrong_in_buffer(int buffer, size_t pages)
{
	void *map = map_shared(buffer, pages * PAGE);
	long page;

	if (map == MAP_FAILED)
		return -errno;
	page = wrong_stamp(map, 0, pages);
	munmap(map, pages * PAGE);
	return page;
}

/* ---- the same memory everywhere ------------------------------------------------- */

/* Passes if each page is one of its own, and a second mapping shows the same. */
TEST_F(heap_mmap, second_mapping_shows_the_same)
{
	char *second = map_shared(self->buffer, self->size);

	ASSERT_NE(MAP_FAILED, (void *)second);
	EXPECT_EQ(-1, wrong_stamp(self->map, 0, self->pages));
	EXPECT_EQ(-1, wrong_stamp(second, 0, self->pages));
	second[5 * PAGE + 100] = 42;
	EXPECT_EQ(42, self->map[5 * PAGE + 100]);
}

/* Passes if a mapping that starts inside shows the pages from there on. */
TEST_F(heap_mmap, offset_mappings)
{
	static const size_t firsts[] = {
		0, 1, 2, 15, 16, 255, 256, STRIDE - 1, STRIDE, STRIDE + 1,
		2 * STRIDE, 3 * STRIDE - 1, 3 * STRIDE, 3 * STRIDE + 4,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(firsts); i++) {
		size_t nr = self->pages - firsts[i];
		char *map;

		map = mmap(NULL, nr * PAGE, PROT_READ, MAP_SHARED, self->buffer,
			   firsts[i] * PAGE);
		ASSERT_NE(MAP_FAILED, (void *)map);
		EXPECT_EQ(-1, wrong_stamp(map, firsts[i], nr)) {
			TH_LOG("from page %zu", firsts[i]);
		}
		munmap(map, nr * PAGE);

		map = mmap(NULL, PAGE, RW, MAP_SHARED, self->buffer, firsts[i] * PAGE);
		ASSERT_NE(MAP_FAILED, (void *)map);
		EXPECT_EQ(-1, wrong_stamp(map, firsts[i], 1));
		munmap(map, PAGE);
	}
}

/*
 * Passes if the pages are right when address and offset are aligned alike but
 * not to a large page, and when they are aligned differently.
 */
TEST_F_TIMEOUT(heap_mmap, every_alignment_of_address_and_offset, 120)
{
	static const size_t shifts[] = { 0, 1, 256, STRIDE - 1 };
	unsigned int a, o;

	for (a = 0; a < ARRAY_SIZE(shifts); a++) {
		for (o = 0; o < ARRAY_SIZE(shifts); o++) {
			size_t nr = self->pages - shifts[o];
			char *at = aligned_range(self->size + PMD_BYTES), *map;

			map = mmap(at + shifts[a] * PAGE, nr * PAGE, RW,
				   MAP_SHARED | MAP_FIXED_NOREPLACE, self->buffer,
				   shifts[o] * PAGE);
			ASSERT_NE(MAP_FAILED, (void *)map);
			ASSERT_EQ(-1, wrong_stamp(map, shifts[o], nr)) {
				TH_LOG("address + %zu pages, offset %zu",
				       shifts[a], shifts[o]);
			}
			munmap(map, nr * PAGE);
		}
	}
}

/* Passes if no mapping reaches past the end of a buffer. */
TEST_F(heap_mmap, beyond_the_end_is_einval)
{
	const struct { size_t first, nr; } table[] = {
		{ 0, self->pages + 1 }, { 1, self->pages }, { self->pages, 1 },
		{ self->pages - 1, 2 }, { self->pages + 1, 1 },
		{ self->pages + STRIDE, STRIDE },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		EXPECT_EQ(MAP_FAILED, mmap(NULL, table[i].nr * PAGE, RW, MAP_SHARED,
					   self->buffer, table[i].first * PAGE));
		EXPECT_EQ(EINVAL, errno);
	}
}

/* Passes if a page that was read first can be written then, and all see it. */
TEST_F(heap_mmap, read_then_written)
{
	char *second = map_aligned(self->buffer, self->size);
	size_t i;

	ASSERT_NE(MAP_FAILED, (void *)second);
	EXPECT_EQ(-1, wrong_stamp(second, 0, self->pages));
	for (i = 0; i < self->pages; i++)
		second[i * PAGE + 64] = i;
	for (i = 0; i < self->pages; i++)
		ASSERT_EQ((char)i, self->map[i * PAGE + 64]);
}

/* Passes if pages touched backwards and here and there are right. */
TEST_F(heap_mmap, touched_in_any_order)
{
	char *second = map_shared(self->buffer, self->size);
	size_t i;

	ASSERT_NE(MAP_FAILED, (void *)second);
	for (i = 0; i < self->pages; i++) {
		size_t page = i * 769 % self->pages;	/* a prime: each once */

		ASSERT_EQ(-1, wrong_stamp(second + page * PAGE, page, 1));
	}
	munmap(second, self->size);
	second = map_aligned(self->buffer, self->size);
	ASSERT_NE(MAP_FAILED, (void *)second);
	for (i = self->pages; i--; )
		ASSERT_EQ(-1, wrong_stamp(second + i * PAGE, i, 1));
}

/* Passes if the mapping keeps the memory when the descriptor is gone. */
TEST_F(heap_mmap, mapping_outlives_the_descriptor)
{
	int i;

	close(self->buffer);
	self->buffer = -1;
	/* Whoever gets memory now must not get this. */
	for (i = 0; i < 4; i++) {
		int other = heap_alloc(self->heap, PMD_BYTES);
		char *map = map_shared(other, PMD_BYTES);

		ASSERT_NE(MAP_FAILED, (void *)map);
		memset(map, 0xff, PMD_BYTES);
		munmap(map, PMD_BYTES);
		close(other);
	}
	EXPECT_EQ(-1, wrong_stamp(self->map, 0, self->pages));
}

/* ---- other processes ---------------------------------------------------------------- */

/* Passes if a child sees through what it inherited, and is seen. */
TEST_F(heap_mmap, fork)
{
	char *untouched = map_aligned(self->buffer, self->size);
	pid_t pid;

	ASSERT_NE(MAP_FAILED, (void *)untouched);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (wrong_stamp(self->map, 0, self->pages) >= 0)
			_exit(1);
		if (wrong_stamp(untouched, 0, self->pages) >= 0)
			_exit(2);
		if (wrong_in_buffer(self->buffer, self->pages) != -1)
			_exit(3);
		stamp(untouched, 7, self->pages);
		_exit(0);
	}
	EXPECT_EQ(0, child_status(pid, SOON_MS));
	EXPECT_EQ(-1, wrong_stamp(self->map, 7, self->pages));
	EXPECT_EQ(-1, wrong_stamp(untouched, 7, self->pages));
}

/* Passes if a process that was sent a buffer over a socket sees and is seen. */
TEST_F(heap_mmap, sent_over_a_socket)
{
	int sockets[2], buffer;
	pid_t pid;
	char *map;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pid = fork();		/* It does not inherit what is sent. */
	ASSERT_LE(0, pid);
	if (!pid) {
		munmap(self->map, self->size);
		buffer = receive_fd(sockets[1], 0);
		map = map_shared(buffer, self->size);
		if (map == MAP_FAILED)
			_exit(1);
		if (wrong_stamp(map, 100, self->pages) >= 0)
			_exit(2);
		stamp(map, 9, self->pages);
		_exit(0);
	}
	buffer = heap_alloc(self->heap, self->size);
	ASSERT_LE(0, buffer);
	map = map_shared(buffer, self->size);
	ASSERT_NE(MAP_FAILED, (void *)map);
	stamp(map, 100, self->pages);
	ASSERT_EQ(0, send_fd(sockets[0], buffer));
	close(buffer);
	EXPECT_EQ(0, child_status(pid, SOON_MS));
	EXPECT_EQ(-1, wrong_stamp(map, 9, self->pages));
}

/* ---- protection ---------------------------------------------------------------------- */

/* Passes if a buffer for reading only gives no mapping that can be written, now or later. */
TEST_F(heap_mmap, read_only_buffer)
{
	int buffer = heap_alloc_flags(self->heap, PMD_BYTES, O_RDONLY);
	char *map;

	ASSERT_LE(0, buffer);
	EXPECT_EQ(MAP_FAILED, map_shared(buffer, PMD_BYTES));
	EXPECT_EQ(EACCES, errno);
	map = mmap(NULL, PMD_BYTES, PROT_READ, MAP_SHARED, buffer, 0);
	ASSERT_NE(MAP_FAILED, (void *)map);
	EXPECT_EQ(-1, not_zero(map, PMD_BYTES));
	EXPECT_EQ(-1, mprotect(map, PMD_BYTES, RW));
	EXPECT_EQ(EACCES, errno);
	EXPECT_TRUE(survives_access(map + PAGE, false));
	EXPECT_FALSE(survives_access(map + PAGE, true));
}

/* Passes if protection can be changed for some pages and does not change the others. */
TEST_F(heap_mmap, mprotect)
{
	char *page = self->map + (STRIDE + 17) * PAGE;

	ASSERT_EQ(0, mprotect(page, 3 * PAGE, PROT_READ));
	EXPECT_EQ(-1, wrong_stamp(self->map, 0, self->pages));
	EXPECT_FALSE(survives_access(page, true));
	EXPECT_FALSE(survives_access(page + 2 * PAGE, true));
	EXPECT_TRUE(survives_access(page - 1, true));
	EXPECT_TRUE(survives_access(page + 3 * PAGE, true));
	ASSERT_EQ(0, mprotect(page, PAGE, PROT_NONE));
	EXPECT_FALSE(survives_access(page, false));
	EXPECT_TRUE(survives_access(page + PAGE, false));

	ASSERT_EQ(0, mprotect(self->map, self->size, PROT_READ));
	EXPECT_FALSE(survives_access(self->map, true));
	ASSERT_EQ(0, mprotect(self->map, self->size, RW));
	stamp(self->map, 3, self->pages);
	EXPECT_EQ(-1, wrong_stamp(self->map, 3, self->pages));
}

/* Passes if what was mapped for reading, or for nothing, can be written once it may be. */
TEST_F(heap_mmap, mprotect_before_and_after_use)
{
	static const int before[] = { PROT_NONE, PROT_READ };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(before); i++) {
		char *map = mmap(aligned_range(self->size), self->size, before[i],
				 MAP_SHARED | MAP_FIXED_NOREPLACE, self->buffer, 0);

		ASSERT_NE(MAP_FAILED, (void *)map);
		if (before[i] == PROT_READ)
			EXPECT_EQ(-1, wrong_stamp(map, i, self->pages));
		EXPECT_FALSE(survives_access(map + STRIDE * PAGE, true));
		ASSERT_EQ(0, mprotect(map, self->size, RW));
		EXPECT_EQ(-1, wrong_stamp(map, i, self->pages));
		stamp(map, i + 1, self->pages);
		EXPECT_EQ(-1, wrong_stamp(self->map, i + 1, self->pages));
		munmap(map, self->size);
	}
}

/* ---- private mappings ---------------------------------------------------------------- */

/*
 * Does a private mapping of the first @pages pages keep its changes to itself?
 * 0 if so, -EIO if not, or why there is none.
 */
static int copy_on_write(int buffer, char *shared, size_t pages)
{
	char *copy = mmap(NULL, pages * PAGE, RW, MAP_PRIVATE, buffer, 0);
	int ret = 0;

	if (copy == MAP_FAILED)
		return -errno;
	if (wrong_stamp(copy, 0, pages) >= 0)
		ret = -EIO;
	stamp(copy, 1000, pages);
	if (wrong_stamp(copy, 1000, pages) >= 0 || wrong_stamp(shared, 0, pages) >= 0)
		ret = -EIO;
	munmap(copy, pages * PAGE);
	return ret;
}

/* Passes if a private mapping keeps its changes or is refused; the buffer never has them. */
TEST_F(heap_mmap, private_mapping)
{
	static const size_t sizes[] = { 1, 2, 16, 256, STRIDE, 3 * STRIDE + 5 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		int ret = copy_on_write(self->buffer, self->map, sizes[i]);

		EXPECT_TRUE(ret == 0 || ret == -EINVAL) {
			TH_LOG("%zu pages: %d", sizes[i], ret);
		}
	}
	EXPECT_EQ(-1, wrong_stamp(self->map, 0, self->pages));
}

/* Passes if a private mapping of a page of the system heap has copy on write. */
TEST_F(heap_mmap, private_mapping_of_one_page)
{
	int buffer = heap_alloc(self->heap, PAGE);
	char *shared = map_shared(buffer, PAGE);

	if (variant->contiguous)
		SKIP(return, "may be refused");
	ASSERT_NE(MAP_FAILED, (void *)shared);
	stamp(shared, 0, 1);
	EXPECT_EQ(0, copy_on_write(buffer, shared, 1));
}

/* Passes if after a fork each process has its own copy. */
TEST_F(heap_mmap, private_mapping_and_fork)
{
	int buffer = heap_alloc(self->heap, PAGE);
	char *shared = map_shared(buffer, PAGE), *copy;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, (void *)shared);
	copy = mmap(NULL, PAGE, RW, MAP_PRIVATE, buffer, 0);
	if (copy == MAP_FAILED)
		SKIP(return, "refused");
	copy[0] = 1;
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		copy[0]++;
		shared[1] = 5;
		_exit(copy[0] != 2 || shared[0] != 0);
	}
	EXPECT_EQ(0, child_status(pid, SOON_MS));
	EXPECT_EQ(1, copy[0]);
	EXPECT_EQ(0, shared[0]);
	EXPECT_EQ(5, shared[1]);
}

/* ---- mappings that are changed -------------------------------------------------------- */

/* Passes if a hole can be cut out inside of a large page, and filled again. */
TEST_F(heap_mmap, munmap_in_the_middle)
{
	size_t first = STRIDE + 100, nr = 7;
	char *hole = self->map + first * PAGE;

	ASSERT_EQ(0, munmap(hole, nr * PAGE));
	EXPECT_FALSE(is_mapped(hole));
	EXPECT_FALSE(is_mapped(hole + (nr - 1) * PAGE));
	EXPECT_EQ(-1, wrong_stamp(self->map, 0, first));
	EXPECT_EQ(-1, wrong_stamp(hole + nr * PAGE, first + nr, self->pages - first - nr));
	EXPECT_FALSE(survives_access(hole, false));

	EXPECT_EQ(hole, mmap(hole, nr * PAGE, RW, MAP_SHARED | MAP_FIXED, self->buffer,
			     first * PAGE));
	EXPECT_EQ(-1, wrong_stamp(self->map, 0, self->pages));
}

/* Passes if the same works where nothing has been touched yet. */
TEST_F(heap_mmap, munmap_before_use)
{
	char *map = map_aligned(self->buffer, self->size);
	size_t cut = 2 * STRIDE - 1;

	ASSERT_NE(MAP_FAILED, (void *)map);
	ASSERT_EQ(0, munmap(map, PAGE));
	ASSERT_EQ(0, munmap(map + cut * PAGE, PAGE));
	ASSERT_EQ(0, munmap(map + (self->pages - 1) * PAGE, PAGE));
	EXPECT_EQ(-1, wrong_stamp(map + PAGE, 1, cut - 1));
	EXPECT_EQ(-1, wrong_stamp(map + (cut + 1) * PAGE, cut + 1,
				  self->pages - cut - 2));
	EXPECT_FALSE(survives_access(map, false));
	EXPECT_FALSE(survives_access(map + cut * PAGE, false));
	EXPECT_FALSE(survives_access(map + (self->pages - 1) * PAGE, false));
}

/* Passes if a mapping that shrinks loses its end and nothing else. */
TEST_F(heap_mmap, mremap_shrinks)
{
	size_t nr = STRIDE + 3;

	ASSERT_EQ(self->map, mremap(self->map, self->size, nr * PAGE, 0));
	EXPECT_EQ(-1, wrong_stamp(self->map, 0, nr));
	EXPECT_FALSE(is_mapped(self->map + nr * PAGE));
	EXPECT_EQ(-1, wrong_in_buffer(self->buffer, self->pages));
}

/* Passes if a mapping never grows: neither past the end of the buffer nor inside of it. */
TEST_F(heap_mmap, mremap_does_not_grow)
{
	char *part = mmap(NULL, PAGE, RW, MAP_SHARED, self->buffer, 0);

	EXPECT_EQ(MAP_FAILED, mremap(self->map, self->size, self->size + PAGE,
				     MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(MAP_FAILED, mremap(self->map, self->size, self->size + PAGE, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, wrong_stamp(self->map, 0, self->pages));

	ASSERT_NE(MAP_FAILED, (void *)part);
	EXPECT_EQ(MAP_FAILED, mremap(part, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, wrong_stamp(part, 0, 1));
	/* An old length of nothing asks for a copy. */
	EXPECT_EQ(MAP_FAILED, mremap(part, 0, PAGE, MREMAP_MAYMOVE));
}

/* Passes if a mapping can be moved to where it is aligned alike and where not. */
TEST_F(heap_mmap, mremap_moves)
{
	static const size_t shifts[] = { 0, 1, 100, STRIDE };
	char *map = self->map;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(shifts); i++) {
		char *to = aligned_range(self->size + 2 * PMD_BYTES) + shifts[i] * PAGE;

		ASSERT_EQ(to, mremap(map, self->size, self->size,
				     MREMAP_MAYMOVE | MREMAP_FIXED, to));
		EXPECT_FALSE(is_mapped(map));
		map = to;
		EXPECT_EQ(-1, wrong_stamp(map, 0, self->pages)) {
			TH_LOG("%zu pages from alignment", shifts[i]);
		}
		stamp(map, 0, self->pages);
	}
	EXPECT_EQ(-1, wrong_in_buffer(self->buffer, self->pages));
}

/* Passes if a part can be moved away from the middle, before it was used and after. */
TEST_F(heap_mmap, mremap_moves_a_part)
{
	char *untouched = map_aligned(self->buffer, self->size);
	char *const maps[] = { self->map, untouched };
	size_t first = STRIDE - 2, nr = STRIDE + 4;
	unsigned int i;

	ASSERT_NE(MAP_FAILED, (void *)untouched);
	for (i = 0; i < ARRAY_SIZE(maps); i++) {
		char *to = aligned_range(nr * PAGE + PMD_BYTES) + 3 * PAGE;

		ASSERT_EQ(to, mremap(maps[i] + first * PAGE, nr * PAGE, nr * PAGE,
				     MREMAP_MAYMOVE | MREMAP_FIXED, to));
		EXPECT_EQ(-1, wrong_stamp(to, first, nr));
		EXPECT_EQ(-1, wrong_stamp(maps[i], 0, first));
		EXPECT_EQ(-1, wrong_stamp(maps[i] + (first + nr) * PAGE, first + nr,
					  self->pages - first - nr));
		EXPECT_FALSE(is_mapped(maps[i] + first * PAGE));
	}
}

/* Passes if no advice changes what is in the buffer, and what would take pages is refused. */
TEST_F(heap_mmap, madvise)
{
	/* An error of 0: whatever the kernel says. */
	static const struct { int advice, error; } table[] = {
		{ MADV_NORMAL, 0 }, { MADV_RANDOM, 0 }, { MADV_SEQUENTIAL, 0 },
		{ MADV_DONTNEED, EINVAL }, { MADV_FREE, EINVAL }, { MADV_REMOVE, 0 },
		{ MADV_PAGEOUT, EINVAL }, { MADV_COLD, EINVAL },
		{ MADV_POPULATE_READ, 0 }, { MADV_POPULATE_WRITE, 0 },
		{ MADV_WIPEONFORK, EINVAL }, { MADV_WILLNEED, 0 },
		{ MADV_MERGEABLE, 0 }, { MADV_UNMERGEABLE, 0 },
		{ MADV_HUGEPAGE, 0 }, { MADV_NOHUGEPAGE, 0 },
	};
	char *untouched = map_aligned(self->buffer, self->size);
	unsigned int i;

	ASSERT_NE(MAP_FAILED, (void *)untouched);
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		int ret = madvise(self->map, self->size, table[i].advice);

		if (table[i].error) {
			EXPECT_EQ(-1, ret);
			EXPECT_EQ(table[i].error, errno) {
				TH_LOG("advice %d", table[i].advice);
			}
		}
		madvise(untouched, (STRIDE + 9) * PAGE, table[i].advice);
		ASSERT_EQ(-1, wrong_stamp(self->map, 0, self->pages)) {
			TH_LOG("advice %d", table[i].advice);
		}
		ASSERT_EQ(-1, wrong_stamp(untouched, 0, self->pages));
	}
}

/* Passes if a mapping that is not to be inherited is not, and the parent keeps it. */
TEST_F(heap_mmap, madvise_dontfork)
{
	ASSERT_EQ(0, madvise(self->map + STRIDE * PAGE, PAGE, MADV_DONTFORK));
	EXPECT_FALSE(survives_access(self->map + STRIDE * PAGE, false));
	EXPECT_TRUE(survives_access(self->map + (STRIDE + 1) * PAGE, false));
	EXPECT_EQ(-1, wrong_stamp(self->map, 0, self->pages));
}

/* Passes if memory that is locked or populated at once is the same memory. */
TEST_F(heap_mmap, locked_and_populated)
{
	char *map;

	mlock(self->map, self->size);	/* Whether it can be is not the point. */
	EXPECT_EQ(-1, wrong_stamp(self->map, 0, self->pages));
	munlock(self->map, self->size);
	map = mmap(NULL, self->size, RW, MAP_SHARED | MAP_POPULATE, self->buffer, 0);
	ASSERT_NE(MAP_FAILED, (void *)map);
	EXPECT_EQ(-1, wrong_stamp(map, 0, self->pages));
}

/* ---- at the same time -------------------------------------------------------------------- */

struct toucher {
	pthread_t thread;
	pthread_barrier_t *start;
	char *map;
	size_t pages;
	bool backwards;
	long wrong;	/* page, or -1 */
};

static void *touch_thread(void *arg)
{
	struct toucher *toucher = arg;
	size_t i;

	toucher->wrong = -1;
	pthread_barrier_wait(toucher->start);
	for (i = 0; i < toucher->pages && toucher->wrong < 0; i++) {
		size_t page = toucher->backwards ? toucher->pages - 1 - i : i;

		toucher->wrong = wrong_stamp(toucher->map + page * PAGE, page, 1);
	}
	return NULL;
}

/* Passes if threads that touch the same new mapping at once all see what is there. */
TEST_F_TIMEOUT(heap_mmap, faults_at_the_same_time, 120)
{
	struct toucher touchers[3];
	pthread_barrier_t start;
	unsigned int round, i;

	pthread_barrier_init(&start, NULL, ARRAY_SIZE(touchers));
	for (round = 0; round < 40; round++) {
		char *map = round % 2 ? map_aligned(self->buffer, self->size) :
					map_shared(self->buffer, self->size);

		ASSERT_NE(MAP_FAILED, (void *)map);
		for (i = 0; i < ARRAY_SIZE(touchers); i++) {
			touchers[i] = (struct toucher){
				.start = &start,
				.map = map,
				.pages = self->pages,
				.backwards = i == 1,
			};
			ASSERT_EQ(0, pthread_create(&touchers[i].thread, NULL,
						    touch_thread, &touchers[i]));
		}
		for (i = 0; i < ARRAY_SIZE(touchers); i++) {
			pthread_join(touchers[i].thread, NULL);
			ASSERT_EQ(-1, touchers[i].wrong) {
				TH_LOG("round %u", round);
			}
		}
		munmap(map, self->size);
	}
}

struct changer {
	pthread_t thread;
	char *map;
	size_t size;
	bool stop;
};

/* Do to a mapping, again and again, what takes page tables away under a reader. */
static void *change_thread(void *arg)
{
	struct changer *changer = arg;
	unsigned int round;

	for (round = 0; !__atomic_load_n(&changer->stop, __ATOMIC_RELAXED); round++) {
		size_t at = round % 5 * 100 * PAGE;

		mprotect(changer->map + at, 50 * PAGE, PROT_READ);
		mprotect(changer->map, changer->size, RW);
		if (round % 16 == 0)
			survives_access(changer->map + at, true);	/* fork() */
	}
	return NULL;
}

/* Passes if a reader sees what is there while protection changes and processes fork. */
TEST_F_TIMEOUT(heap_mmap, faults_while_the_mapping_changes, 120)
{
	struct changer changer = {
		.map = map_aligned(self->buffer, self->size),
		.size = self->size,
	};
	int round;

	ASSERT_NE(MAP_FAILED, (void *)changer.map);
	ASSERT_EQ(0, pthread_create(&changer.thread, NULL, change_thread, &changer));
	for (round = 0; round < 60; round++) {
		size_t page;

		/* The odd ones: the other thread has even ones written to. */
		for (page = 1; page < self->pages; page += 2)
			ASSERT_EQ(-1, wrong_stamp(changer.map + page * PAGE, page, 1));
	}
	__atomic_store_n(&changer.stop, true, __ATOMIC_RELAXED);
	pthread_join(changer.thread, NULL);
}

/* ---- what it costs -------------------------------------------------------------------------- */

#define BIG		(64 * MIB)

FIXTURE(big_mapping) {
	int heap;
	int buffer;
};

FIXTURE_SETUP(big_mapping)
{
	self->heap = heap_open(SYSTEM_HEAP, O_RDWR);
	if (no_device(self->heap))
		SKIP(return, NO_HEAP);
	ASSERT_LE(0, self->heap);
	tidy_memory();
	self->buffer = heap_alloc(self->heap, BIG);
	ASSERT_LE(0, self->buffer);
}

FIXTURE_TEARDOWN(big_mapping)
{
	close(self->buffer);
	close(self->heap);
}

/* Passes if each of 16,384 pages has its own content, and all were clean. */
TEST_F_TIMEOUT(big_mapping, every_page_has_its_own_content, 120)
{
	char *map = map_shared(self->buffer, BIG);

	ASSERT_NE(MAP_FAILED, (void *)map);
	ASSERT_EQ(0, buffer_sync(self->buffer, DMA_BUF_SYNC_RW | DMA_BUF_SYNC_START));
	EXPECT_EQ(-1, not_zero(map, BIG));
	stamp(map, 0, BIG / PAGE);
	EXPECT_EQ(-1, wrong_stamp(map, 0, BIG / PAGE));
	ASSERT_EQ(0, buffer_sync(self->buffer, DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END));
	munmap(map, BIG);
	EXPECT_EQ(-1, wrong_in_buffer(self->buffer, BIG / PAGE));
}

/* Passes if a mapping that is not used has no page tables. */
TEST_F(big_mapping, untouched_costs_no_page_tables)
{
	long before = page_tables_kib();
	char *map = map_aligned(self->buffer, BIG);

	ASSERT_NE(MAP_FAILED, (void *)map);
	/* Up to two levels above the last. */
	EXPECT_GE(before + 8, page_tables_kib());
}

/* Passes if touching one page costs one page table and not all. */
TEST_F(big_mapping, touching_one_page_maps_no_other_tables)
{
	long before = page_tables_kib();
	char *map = map_aligned(self->buffer, BIG);

	ASSERT_NE(MAP_FAILED, (void *)map);
	map[BIG / 2 + 5 * PAGE] = 1;
	EXPECT_GE(before + 16, page_tables_kib());
}

/* Faults that it takes to touch all pages of a mapping. */
static long faults_to_touch(char *map)
{
	long before = minor_faults();
	size_t i;

	for (i = 0; i < BIG; i += PAGE)
		store(map + i, 1);
	return minor_faults() - before;
}

/* Passes if a fault is good for all of a page table, wherever the mapping lies. */
TEST_F(big_mapping, few_faults_map_all)
{
	char *at = aligned_range(BIG + PMD_BYTES) + PAGE, *map;

	map = mmap(at, BIG, RW, MAP_SHARED | MAP_FIXED_NOREPLACE, self->buffer, 0);
	ASSERT_NE(MAP_FAILED, (void *)map);
	EXPECT_GE((long)(BIG / PMD_BYTES + 8), faults_to_touch(map));
}

/*
 * How many page tables less than one of small pages does a mapping need that was
 * made when there were @before KiB of them?
 */
static long large_pages_of(char *map, long before)
{
	faults_to_touch(map);
	return (long)(BIG / PMD_BYTES) -
	       (page_tables_kib() - before) * (long)KIB / (long)PAGE;
}

/* Passes if large chunks are mapped by large pages where the mapping is aligned. */
TEST_F(big_mapping, large_pages_at_an_aligned_address)
{
	long before = page_tables_kib();
	char *map = map_aligned(self->buffer, BIG);

	ASSERT_NE(MAP_FAILED, (void *)map);
	EXPECT_LE((long)(BIG / PMD_BYTES / 2), large_pages_of(map, before));
}

/* Passes if the kernel chooses such an address where it chooses. */
TEST_F(big_mapping, large_pages_at_any_address)
{
	long before = page_tables_kib();
	char *map = map_shared(self->buffer, BIG);

	ASSERT_NE(MAP_FAILED, (void *)map);
	EXPECT_LE((long)(BIG / PMD_BYTES / 2), large_pages_of(map, before));
}

TEST_HARNESS_MAIN
