// SPDX-License-Identifier: GPL-2.0
/*
 * The pool of zeroed memory that the system heap keeps if it is told to: that
 * it is off unless somebody turns it on, stays within its limit, gives way when
 * memory is short, and never hands out what somebody left in a buffer.
 *
 * Skipped on kernels without such a pool.
 */
#include "heap_test.h"

#define POOL_MB		"/sys/module/system_heap/parameters/pool_mb"
#define POOL_STATE	"/sys/kernel/debug/dma_heap/pool"

/* The sums over all sizes of chunks; in pages, or in chunks. */
struct pool {
	long limit;	/* pages */
	long pages;	/* pages in the pool, ready or not */
	long dirty;	/* chunks that are not ready */
	long hits;	/* chunks */
	long misses;	/* times that there was no chunk */
};

/* All members are -1 if the pool cannot be read. */
static struct pool pool_state(void)
{
	struct pool pool = {};
	char line[256];
	FILE *file = fopen(POOL_STATE, "re");
	int rows = 0;

	while (file && fgets(line, sizeof(line), file)) {
		unsigned long limit, clean, dirty, mib, hits, misses;
		unsigned int order;

		if (sscanf(line, "%u %lu %lu %lu %lu %lu %lu", &order, &limit, &clean,
			   &dirty, &mib, &hits, &misses) != 7)
			continue;
		rows++;
		pool.limit += limit << order;
		pool.pages += (clean + dirty) << order;
		pool.dirty += dirty;
		pool.hits += hits;
		pool.misses += misses;
	}
	if (file)
		fclose(file);
	return rows ? pool : (struct pool){ -1, -1, -1, -1, -1 };
}

static int pool_resize(unsigned long mib)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu", mib);
	return write_file(POOL_MB, text);
}

/* Wait until everything that fits is there and ready. */
static bool pool_is_full(void)
{
	long end = now_ms() + 2 * SOON_MS;
	struct pool pool;

	do {
		pool = pool_state();
		if (!pool.dirty && pool.pages == pool.limit)
			return true;
		sleep_ms(20);
	} while (now_ms() < end);
	return false;
}

FIXTURE(pool) {
	int heap;
};

FIXTURE_SETUP(pool)
{
	if (access(POOL_MB, F_OK))
		SKIP(return, "the kernel has no pool for heaps");
	if (access(POOL_STATE, R_OK))
		SKIP(return, "no " POOL_STATE);
	self->heap = heap_open(SYSTEM_HEAP, O_RDWR);
	ASSERT_LE(0, self->heap);
}

FIXTURE_TEARDOWN(pool)
{
	pool_resize(0);
	close(self->heap);
}

/* Passes if a kernel that was not told otherwise keeps nothing. */
TEST_F(pool, off_by_default)
{
	char text[4096];
	int buffer;

	ASSERT_LT(0, read_file("/proc/cmdline", text, sizeof(text)));
	if (strstr(text, "pool_mb"))
		SKIP(return, "the command line turns it on");
	ASSERT_LT(0, read_file(POOL_MB, text, sizeof(text)));
	EXPECT_STREQ("0\n", text);
	buffer = heap_alloc(self->heap, 4 * MIB);
	ASSERT_LE(0, buffer);
	close(buffer);
	EXPECT_EQ(0, pool_state().pages);
	EXPECT_EQ(0, pool_state().limit);
}

/* Passes if only root can change it. */
TEST_F(pool, parameter_is_for_root)
{
	struct stat st;

	ASSERT_EQ(0, stat(POOL_MB, &st));
	EXPECT_EQ(0U, st.st_uid);
	EXPECT_EQ(0644U, st.st_mode & 0777);
	ASSERT_EQ(0, stat(POOL_STATE, &st));
	EXPECT_EQ(0U, st.st_mode & 0222);
}

/* Passes if what is no number of MiB is refused and changes nothing. */
TEST_F(pool, bad_values_are_refused)
{
	static const char *const bad[] = {
		"-1", "many", "8 MiB", "0x", "4294967296", "18446744073709551616",
	};
	char text[64];
	unsigned int i;

	ASSERT_EQ(0, pool_resize(8));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_GT(0, write_file(POOL_MB, bad[i])) {
			TH_LOG("%s", bad[i]);
		}
		ASSERT_LT(0, read_file(POOL_MB, text, sizeof(text)));
		EXPECT_STREQ("8\n", text);
	}
}

/* Passes if it fills by itself when it is turned on, and to its limit only. */
TEST_F(pool, fills_when_turned_on)
{
	ASSERT_EQ(0, pool_resize(32));
	EXPECT_GE((long)(32 * MIB / PAGE), pool_state().limit);
	EXPECT_TRUE(pool_is_full());
	EXPECT_LT((long)(24 * MIB / PAGE), pool_state().pages);
}

/* Passes if an allocation is served from it, and what was taken is replaced. */
TEST_F(pool, warm_allocation_is_a_hit)
{
	struct pool before, after;
	int buffer;

	tidy_memory();
	ASSERT_EQ(0, pool_resize(64));
	ASSERT_TRUE(pool_is_full());
	before = pool_state();
	buffer = heap_alloc(self->heap, 32 * MIB);
	after = pool_state();
	ASSERT_LE(0, buffer);
	EXPECT_EQ(before.hits + (long)(32 * MIB / PMD_BYTES), after.hits);
	EXPECT_EQ(before.misses, after.misses);
	EXPECT_TRUE(pool_is_full());
	close(buffer);
	EXPECT_GE(after.limit, pool_state().pages);
}

/* Passes if one that finds nothing is counted, and gets its memory elsewhere. */
TEST_F(pool, cold_allocation_is_a_miss)
{
	struct pool before;

	ASSERT_EQ(0, pool_resize(8));
	ASSERT_TRUE(pool_is_full());
	before = pool_state();
	EXPECT_LE(0, heap_alloc(self->heap, 64 * MIB));
	EXPECT_LT(before.misses, pool_state().misses);
	EXPECT_LT(before.hits, pool_state().hits);
}

/* Passes if nobody sees what was in the memory before, however soon it comes back. */
TEST_F_TIMEOUT(pool, memory_is_zeroed, 120)
{
	const size_t sizes[] = {
		PAGE, 3 * PAGE, 64 * KIB, MIB, PMD_BYTES, 3 * PMD_BYTES + PAGE, 16 * MIB,
	};
	unsigned int i, round;

	ASSERT_EQ(0, pool_resize(32));
	ASSERT_TRUE(pool_is_full());
	for (round = 0; round < 12; round++) {
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			ASSERT_TRUE(clean_then_dirty(self->heap, sizes[i])) {
				TH_LOG("round %u, %zu bytes", round, sizes[i]);
			}
		}
		/* At once, while chunks are being cleared, and when all are. */
		if (round % 3 == 1)
			sleep_ms(120);
		if (round % 3 == 2)
			pool_is_full();
	}
}

/* Passes if it is empty when it has been turned off, and buffers from it do not come back. */
TEST_F(pool, empty_when_turned_off)
{
	int buffer;

	ASSERT_EQ(0, pool_resize(32));
	ASSERT_TRUE(pool_is_full());
	buffer = heap_alloc(self->heap, 16 * MIB);
	ASSERT_LE(0, buffer);
	ASSERT_EQ(0, pool_resize(0));
	EXPECT_EQ(0, pool_state().pages);
	close(buffer);
	EXPECT_EQ(0, pool_state().pages);
	sleep_ms(NEVER_MS);
	EXPECT_EQ(0, pool_state().pages);
}

/* Passes if memory above a new limit is given back at once. */
TEST_F(pool, smaller_when_resized)
{
	ASSERT_EQ(0, pool_resize(64));
	ASSERT_TRUE(pool_is_full());
	ASSERT_EQ(0, pool_resize(16));
	EXPECT_GE((long)(16 * MIB / PAGE), pool_state().pages);
}

/* Passes if it never has more than a quarter of memory, whatever it is told. */
TEST_F_TIMEOUT(pool, no_more_than_a_quarter_of_memory, 120)
{
	long quarter = total_kib() / 4 * (long)KIB / (long)PAGE;

	ASSERT_EQ(0, pool_resize(UINT32_MAX));
	EXPECT_GE(quarter, pool_state().limit);
	EXPECT_LT(quarter / 2, pool_state().limit);
	pool_is_full();
	EXPECT_GE(quarter, pool_state().pages);
}

/* Passes if it gives everything back when the kernel is told to drop its caches. */
TEST_F(pool, gives_way_to_drop_caches)
{
	ASSERT_EQ(0, pool_resize(64));
	ASSERT_TRUE(pool_is_full());
	ASSERT_EQ(0, write_file("/proc/sys/vm/drop_caches", "2"));
	EXPECT_EQ(0, pool_state().pages);
}

/* Passes if others are told that what is in the pool can be had, as long as it is there. */
TEST_F(pool, counts_as_reclaimable)
{
	const long slack = 8 * KIB;
	long before, full;

	tidy_memory();
	before = number_in("/proc/meminfo", "KReclaimable:");
	if (before < 0)
		SKIP(return, "nothing to be told by");
	ASSERT_EQ(0, pool_resize(64));
	ASSERT_TRUE(pool_is_full());
	full = before + pool_state().pages * (long)(PAGE / KIB);
	EXPECT_LE(full - slack, number_in("/proc/meminfo", "KReclaimable:"));
	EXPECT_GE(full + slack, number_in("/proc/meminfo", "KReclaimable:"));
	ASSERT_EQ(0, pool_resize(0));
	EXPECT_LE(before - slack, number_in("/proc/meminfo", "KReclaimable:"));
	EXPECT_GE(before + slack, number_in("/proc/meminfo", "KReclaimable:"));
}

/* Passes if a program that needs memory gets that of the pool, rather than being killed. */
TEST_F_TIMEOUT(pool, gives_way_to_programs, 120)
{
	long full;
	pid_t pid;

	ASSERT_EQ(0, pool_resize(UINT32_MAX));
	pool_is_full();
	full = pool_state().pages;
	ASSERT_LT(0, full);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		size_t size = free_kib() * KIB + full * PAGE / 2;
		char *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		write_file("/proc/self/oom_score_adj", "1000");
		if (map == MAP_FAILED)
			_exit(2);
		madvise(map, size, MADV_HUGEPAGE);	/* To be faster. */
		for (size_t i = 0; i < size; i += PAGE)
			map[i] = 1;
		_exit(pool_state().pages >= full);
	}
	EXPECT_EQ(0, child_status(pid, 100000));
}

struct churner {
	pthread_t thread;
	int heap;
	int bad;
	bool stop;
};

static void *churn_thread(void *arg)
{
	struct churner *churner = arg;
	unsigned int round;

	for (round = 0; !__atomic_load_n(&churner->stop, __ATOMIC_RELAXED); round++)
		if (!clean_then_dirty(churner->heap, (1 + round * 37 % 600) * PAGE))
			churner->bad++;
	return NULL;
}

/* Passes if it can be resized and emptied while programs allocate and free. */
TEST_F_TIMEOUT(pool, resized_while_in_use, 120)
{
	static const unsigned long sizes[] = { 8, 0, 64, 1, 16, 0, 32 };
	struct churner churners[2] = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(churners); i++) {
		churners[i].heap = self->heap;
		ASSERT_EQ(0, pthread_create(&churners[i].thread, NULL, churn_thread,
					    &churners[i]));
	}
	for (i = 0; i < 60; i++) {
		EXPECT_EQ(0, pool_resize(sizes[i % ARRAY_SIZE(sizes)]));
		if (i % 10 == 9)
			write_file("/proc/sys/vm/drop_caches", "2");
		sleep_ms(40);
	}
	for (i = 0; i < ARRAY_SIZE(churners); i++) {
		__atomic_store_n(&churners[i].stop, true, __ATOMIC_RELAXED);
		pthread_join(churners[i].thread, NULL);
		EXPECT_EQ(0, churners[i].bad);
	}
	EXPECT_EQ(0, pool_resize(0));
	EXPECT_EQ(0, pool_state().pages);
}

TEST_HARNESS_MAIN
