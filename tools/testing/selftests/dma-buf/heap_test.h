/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of heaps share: the devices, contents that tell where a page
 * belongs, and numbers that the kernel publishes about memory.
 *
 * Unless stated otherwise a function returns what the system call does, or a
 * negative errno, as in dmabuf_test.h.
 */
#ifndef HEAP_TEST_H
#define HEAP_TEST_H

#include <linux/dma-heap.h>

#include "dmabuf_test.h"

#define HEAP_DIR	"/dev/dma_heap"
#define SYSTEM_HEAP	"system"

#define KIB		1024UL
#define MIB		(1024UL * 1024)
/* What one entry of a page middle directory maps, with pages of 4 KiB. */
#define PMD_BYTES	(2 * MIB)

/* ---- devices --------------------------------------------------------------- */

/*
 * Name of the heap whose buffers are contiguous, NULL if there is none. It is
 * named after the area that it allocates from, so it is whichever is not the
 * system heap.
 */
static inline const char *contiguous_heap(void)
{
	static char name[256];
	DIR *dir = opendir(HEAP_DIR);
	struct dirent *entry;
	bool found = false;

	if (!dir)
		return NULL;
	while (!found && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, SYSTEM_HEAP))
			continue;
		snprintf(name, sizeof(name), "%s", entry->d_name);
		found = true;
	}
	closedir(dir);
	return found ? name : NULL;
}

/* -ENOENT if @name is NULL. */
static inline int heap_open(const char *name, int flags)
{
	char path[512];
	int fd;

	if (!name)
		return -ENOENT;
	snprintf(path, sizeof(path), HEAP_DIR "/%s", name);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Why all cases are skipped if no_device() says so of what heap_open() returned. */
#define NO_HEAP "no such heap in " HEAP_DIR ", or no right to open it"

/* The descriptor of a new buffer. */
static inline int heap_alloc_flags(int heap, __u64 len, __u32 fd_flags)
{
	struct dma_heap_allocation_data arg = { .len = len, .fd_flags = fd_flags };
	int ret = xioctl(heap, DMA_HEAP_IOCTL_ALLOC, &arg);

	return ret ? ret : (int)arg.fd;
}

static inline int heap_alloc(int heap, __u64 len)
{
	return heap_alloc_flags(heap, len, O_RDWR | O_CLOEXEC);
}

/* A new buffer of the heap @name. */
static inline int heap_buffer(const char *name, size_t size)
{
	int heap = heap_open(name, O_RDWR), buffer;

	if (heap < 0)
		return heap;
	buffer = heap_alloc(heap, size);
	close(heap);
	return buffer;
}

/* ---- contents --------------------------------------------------------------- */

/* Accesses that the compiler leaves where they are: others map the same memory. */
#define load(p)		__atomic_load_n(p, __ATOMIC_RELAXED)
#define store(p, value)	__atomic_store_n(p, value, __ATOMIC_RELAXED)

/* What is at the start, and inverted at the end, of a page of a buffer. */
static inline __u64 page_stamp(size_t page)
{
	return (page + 1) * 0x9e3779b97f4a7c15ULL;
}

/* Mark @nr pages at @map, which are those from @first on in their buffer. */
static inline void stamp(void *map, size_t first, size_t nr)
{
	size_t words = PAGE / sizeof(__u64), i;
	__u64 *word = map;

	for (i = 0; i < nr; i++, word += words) {
		store(&word[0], page_stamp(first + i));
		store(&word[words - 1], ~page_stamp(first + i));
	}
}

/* Number of the first page in a buffer that has not its mark, -1 if all have. */
static inline long wrong_stamp(const void *map, size_t first, size_t nr)
{
	size_t words = PAGE / sizeof(__u64), i;
	const __u64 *word = map;

	for (i = 0; i < nr; i++, word += words)
		if (load(&word[0]) != page_stamp(first + i) ||
		    load(&word[words - 1]) != ~page_stamp(first + i))
			return first + i;
	return -1;
}

/* Offset of the first byte that is not zero, rounded to 8, -1 if all are. */
static inline long not_zero(const void *map, size_t size)
{
	const __u64 *word = map;
	size_t i;

	for (i = 0; i < size / sizeof(*word); i++)
		if (word[i])
			return i * sizeof(*word);
	return -1;
}

static inline void *map_shared(int fd, size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

/*
 * Allocate a buffer, see what is in it, leave something else there, free it.
 * False if it was not clean.
 */
static inline bool clean_then_dirty(int heap, size_t size)
{
	int buffer = heap_alloc(heap, size);
	void *map;
	long at;

	if (buffer < 0)
		return false;
	map = map_shared(buffer, size);
	close(buffer);
	if (map == MAP_FAILED)
		return false;
	at = not_zero(map, size);
	memset(map, 0xa5, size);
	munmap(map, size);
	return at < 0;
}

/* Address of a free range of @size bytes that starts at a multiple of PMD_BYTES. */
static inline char *aligned_range(size_t size)
{
	char *area = mmap(NULL, size + PMD_BYTES, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (area == MAP_FAILED)
		abort();
	munmap(area, size + PMD_BYTES);
	return (char *)(((uintptr_t)area + PMD_BYTES - 1) & ~(PMD_BYTES - 1));
}

/* Map a buffer such that large pages could be used. */
static inline void *map_aligned(int fd, size_t size)
{
	return mmap(aligned_range(size), size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
}

static inline bool is_mapped(void *page)
{
	unsigned char there;

	return !mincore(page, PAGE, &there) || errno != ENOMEM;
}

static inline void exit_on_signal(int sig)
{
	_exit(sig);
}

/* Does this process survive a write to @byte, or a read if not @write? */
static inline bool survives_access(char *byte, bool write)
{
	pid_t pid = fork();

	if (pid < 0)
		abort();
	if (!pid) {
		/* With a handler the kernel does not log it. */
		signal(SIGSEGV, exit_on_signal);
		signal(SIGBUS, exit_on_signal);
		if (write)
			store(byte, 1);
		else
			load(byte);
		_exit(0);
	}
	return child_status(pid, SOON_MS) == 0;
}

/* ---- what the kernel says about memory ------------------------------------------ */

/* The number behind "@field" at the start of a line of @path, -1 if there is none. */
static inline long number_in(const char *path, const char *field)
{
	char line[256];
	FILE *file = fopen(path, "re");
	long value = -1;

	if (!file)
		return -1;
	while (value < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, field, strlen(field)))
			value = atol(line + strlen(field));
	fclose(file);
	return value;
}

/* Memory that this process has for page tables, in KiB. */
static inline long page_tables_kib(void)
{
	return number_in("/proc/self/status", "VmPTE:");
}

static inline long free_kib(void)
{
	return number_in("/proc/meminfo", "MemFree:");
}

/* All the memory that the page allocator has, in KiB. */
static inline long total_kib(void)
{
	return number_in("/proc/meminfo", "MemTotal:");
}

/* Faults of this process so far that needed no I/O. */
static inline long minor_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

/* Give back caches and make large free chunks, as far as possible. */
static inline void tidy_memory(void)
{
	write_file("/proc/sys/vm/drop_caches", "3");
	write_file("/proc/sys/vm/compact_memory", "1");
}

/*
 * Is as much memory free as @before, but for @slack KiB? Waits for it: memory
 * may come back a little after the call that gave it up.
 */
static inline bool memory_is_back(long before, long slack)
{
	long end = now_ms() + SOON_MS;

	do {
		if (free_kib() >= before - slack)
			return true;
		write_file("/proc/sys/vm/drop_caches", "3");
		sleep_ms(50);
	} while (now_ms() < end);
	return false;
}

#endif /* HEAP_TEST_H */
