// SPDX-License-Identifier: GPL-2.0
/*
 * DMA_HEAP_IOCTL_ALLOC: which arguments it takes, what it leaves behind when it
 * fails, that memory is clean, that nothing of a buffer stays behind, and that a
 * program can neither be kept waiting nor get others killed by asking for too much.
 *
 * All cases run on both kinds of heap that there are: the system heap, and the
 * one whose buffers are contiguous.
 */
#include <stddef.h>

#include "compat_test.h"
#include "heap_test.h"

/* More pages than any buffer here may take from a program that was refused. */
#define SLACK_KIB	(24 * KIB)

FIXTURE(heap) {
	int heap;
	const char *name;
	int fds;	/* open descriptors before the case */
};

FIXTURE_VARIANT(heap) {
	bool contiguous;
	size_t large;	/* more than a few chunks, and less than the heap has */
};

FIXTURE_VARIANT_ADD(heap, system) {
	.large = 64 * MIB,
};

FIXTURE_VARIANT_ADD(heap, cma) {
	.contiguous = true,
	.large = 4 * MIB,
};

FIXTURE_SETUP(heap)
{
	self->name = variant->contiguous ? contiguous_heap() : SYSTEM_HEAP;
	self->heap = heap_open(self->name, O_RDWR);
	if (no_device(self->heap))
		SKIP(return, NO_HEAP);
	ASSERT_LE(0, self->heap);
	self->fds = count_fds();
}

FIXTURE_TEARDOWN(heap)
{
	close(self->heap);
}

static size_t size_of(int buffer)
{
	return lseek(buffer, 0, SEEK_END);
}

/* ---- the device -------------------------------------------------------------- */

/* Passes if whoever may open the device in any way may allocate. */
TEST_F(heap, any_way_of_opening_will_do)
{
	static const int ways[] = { O_RDONLY, O_WRONLY, O_RDWR };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		int heap = heap_open(self->name, ways[i]);

		ASSERT_LE(0, heap);
		EXPECT_LE(0, heap_alloc(heap, PAGE));
		close(heap);
	}
}

/* Passes if the device itself has nothing to read, write or map. */
TEST_F(heap, device_has_no_contents)
{
	char byte = 0;

	EXPECT_EQ(-1, read(self->heap, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->heap, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, map_shared(self->heap, PAGE));
	EXPECT_EQ(ENODEV, errno);
}

/* Passes if a buffer stays when the device that it came from is closed. */
TEST_F(heap, buffer_outlives_the_open_device)
{
	int heap = heap_open(self->name, O_RDWR), buffer = heap_alloc(heap, PAGE);
	unsigned char *map;

	ASSERT_LE(0, buffer);
	close(heap);
	map = map_shared(buffer, PAGE);
	ASSERT_NE(MAP_FAILED, (void *)map);
	map[17] = 1;
	EXPECT_EQ(1, map[17]);
}

/* Passes if a buffer says which heap it is from. */
TEST_F(heap, exporter_is_the_heap)
{
	char path[64], text[1024], line[300];
	int buffer = heap_alloc(self->heap, PAGE);

	ASSERT_LE(0, buffer);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", buffer);
	ASSERT_LT(0, read_file(path, text, sizeof(text)));
	snprintf(line, sizeof(line), "exp_name:\t%s\n", self->name);
	EXPECT_NE(NULL, strstr(text, line)) {
		TH_LOG("%s", text);
	}
}

/* ---- the number of the ioctl ---------------------------------------------------- */

/* ALLOC as a program does it whose structure has another size. */
static int alloc_sized(int heap, void *arg, size_t size)
{
	return xioctl(heap, _IOC(_IOC_READ | _IOC_WRITE, DMA_HEAP_IOC_MAGIC, 0, size),
		      arg);
}

/* Passes if all numbers but that of ALLOC are none of ours. */
TEST_F(heap, other_number_is_enotty)
{
	unsigned int nr;

	for (nr = 1; nr < 256; nr++) {
		struct dma_heap_allocation_data arg = { .len = PAGE };

		ASSERT_EQ(-ENOTTY, xioctl(self->heap,
					  _IOWR(DMA_HEAP_IOC_MAGIC, nr,
						struct dma_heap_allocation_data), &arg)) {
			TH_LOG("number %u", nr);
		}
	}
	EXPECT_EQ(self->fds, count_fds());
}

/* Passes if another number never allocates, whatever it is called. */
TEST_F(heap, other_number_allocates_nothing)
{
	unsigned int nr;

	for (nr = 1; nr < 256; nr++) {
		struct dma_heap_allocation_data arg = { .len = PAGE };

		ASSERT_GT(0, xioctl(self->heap,
				    _IOWR(DMA_HEAP_IOC_MAGIC, nr,
					  struct dma_heap_allocation_data), &arg));
	}
	EXPECT_EQ(self->fds, count_fds());
}

/* Passes if the number of ALLOC under another type is none of ours. */
TEST_F(heap, other_type_is_enotty)
{
	int type;

	for (type = 0; type < 256; type++) {
		struct dma_heap_allocation_data arg = { .len = PAGE };

		if (type == DMA_HEAP_IOC_MAGIC)
			continue;
		ASSERT_EQ(-ENOTTY, xioctl(self->heap,
					  _IOWR(type, 0, struct dma_heap_allocation_data),
					  &arg)) {
			TH_LOG("type %d", type);
		}
	}
	EXPECT_EQ(self->fds, count_fds());
}

/* Passes if an argument that is not handed over is one of zeroes: no length. */
TEST_F(heap, argument_that_is_not_read_is_einval)
{
	struct dma_heap_allocation_data arg = { .len = PAGE };

	EXPECT_EQ(-EINVAL, xioctl(self->heap, _IO(DMA_HEAP_IOC_MAGIC, 0), &arg));
	EXPECT_EQ(-EINVAL, xioctl(self->heap, _IO(DMA_HEAP_IOC_MAGIC, 0), NULL));
	EXPECT_EQ(-EINVAL, xioctl(self->heap,
				  _IOR(DMA_HEAP_IOC_MAGIC, 0,
				       struct dma_heap_allocation_data), &arg));
	EXPECT_EQ(self->fds, count_fds());
}

/* Passes if what a shorter structure lacks is zero, and nothing behind it is touched. */
TEST_F(heap, shorter_structure)
{
	struct dma_heap_allocation_data arg = { .len = PAGE, .heap_flags = ~0ULL };
	struct dma_heap_allocation_data *cut;

	arg.fd_flags = O_RDWR;
	EXPECT_EQ(0, alloc_sized(self->heap, &arg, 16));
	EXPECT_EQ(PAGE, size_of(arg.fd));
	EXPECT_EQ(O_RDWR, fcntl(arg.fd, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(~0ULL, arg.heap_flags);

	arg.fd = 0;
	arg.fd_flags = ~0U;
	EXPECT_EQ(0, alloc_sized(self->heap, &arg, 12));
	EXPECT_EQ(PAGE, size_of(arg.fd));
	EXPECT_EQ(O_RDONLY, fcntl(arg.fd, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(~0U, arg.fd_flags);

	arg.fd = 0;
	cut = at_end_of_page(&arg, 12);
	EXPECT_EQ(0, alloc_sized(self->heap, cut, 12));
	EXPECT_EQ(PAGE, size_of(cut->fd));
}

/* Passes if one without room for the descriptor is refused, or gets one all the same. */
TEST_F(heap, structure_without_fd)
{
	__u64 len = PAGE;
	size_t size;

	for (size = 2; size <= 8; size++) {
		int fds = count_fds(), ret = alloc_sized(self->heap, &len, size);

		EXPECT_EQ(PAGE, len);
		EXPECT_EQ(ret ? fds : fds + 1, count_fds()) {
			TH_LOG("size %zu: %d", size, ret);
		}
	}
}

/* Passes if it is refused, so that no descriptor is made that nobody is told. */
TEST_F(heap, structure_without_fd_is_einval)
{
	__u64 len = PAGE;
	size_t size;

	for (size = 0; size < offsetof(struct dma_heap_allocation_data, fd_flags); size++) {
		EXPECT_EQ(-EINVAL, alloc_sized(self->heap, &len, size)) {
			TH_LOG("size %zu", size);
		}
	}
	EXPECT_EQ(self->fds, count_fds());
}

/* Passes if what a longer structure has more of is neither looked at nor changed. */
TEST_F(heap, longer_structure)
{
	static const size_t sizes[] = { 25, 32, 127, 128, 129, 256, 4096, 8192, 16383 };
	static unsigned char bytes[16384];
	struct dma_heap_allocation_data *arg = (void *)bytes;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		memset(bytes, 0x5a, sizeof(bytes));
		*arg = (struct dma_heap_allocation_data){ .len = PAGE };
		ASSERT_EQ(0, alloc_sized(self->heap, arg, sizes[i])) {
			TH_LOG("size %zu", sizes[i]);
		}
		EXPECT_EQ(PAGE, size_of(arg->fd));
		close(arg->fd);
		for (j = sizeof(*arg); j < sizeof(bytes); j++)
			ASSERT_EQ(0x5a, bytes[j]);
	}
	EXPECT_EQ(self->fds, count_fds());
}

/* ---- members of the argument ------------------------------------------------------ */

/* Passes if each bit of fd_flags that means nothing is refused. */
TEST_F(heap, unknown_fd_flags_are_einval)
{
	const __u32 valid = O_CLOEXEC | O_ACCMODE;
	int bit;

	for (bit = 0; bit < 32; bit++) {
		__u32 flag = 1U << bit;

		if (flag & valid)
			continue;
		EXPECT_EQ(-EINVAL, heap_alloc_flags(self->heap, PAGE, flag));
		EXPECT_EQ(-EINVAL, heap_alloc_flags(self->heap, PAGE, flag | valid));
	}
	EXPECT_EQ(-EINVAL, heap_alloc_flags(self->heap, PAGE, ~0U));
	EXPECT_EQ(self->fds, count_fds());
}

/* Passes if each bit of heap_flags is refused: none means anything yet. */
TEST_F(heap, unknown_heap_flags_are_einval)
{
	int bit;

	for (bit = 0; bit < 64; bit++) {
		struct dma_heap_allocation_data arg = {
			.len = PAGE,
			.heap_flags = 1ULL << bit,
		};

		EXPECT_EQ(-EINVAL, xioctl(self->heap, DMA_HEAP_IOCTL_ALLOC, &arg)) {
			TH_LOG("bit %d", bit);
		}
	}
	EXPECT_EQ(self->fds, count_fds());
}

/* Passes if the place for the result has to be zero. */
TEST_F(heap, fd_that_is_set_is_einval)
{
	static const __u32 fds[] = { 1, 2, 1U << 31, ~0U };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		struct dma_heap_allocation_data arg = { .len = PAGE, .fd = fds[i] };

		EXPECT_EQ(-EINVAL, xioctl(self->heap, DMA_HEAP_IOCTL_ALLOC, &arg));
		EXPECT_EQ(fds[i], arg.fd);
	}
	EXPECT_EQ(self->fds, count_fds());
}

/* Passes if a buffer is as long as asked for, in whole pages. */
TEST_F(heap, len_is_rounded_up_to_pages)
{
	const struct { __u64 len; size_t pages; } table[] = {
		{ 1, 1 }, { 7, 1 }, { PAGE - 1, 1 }, { PAGE, 1 }, { PAGE + 1, 2 },
		{ 3 * PAGE, 3 }, { 65 * KIB - 1, 17 }, { MIB, 256 },
		{ MIB + 1, 257 }, { PMD_BYTES, 512 }, { PMD_BYTES + PAGE, 513 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		int buffer = heap_alloc(self->heap, table[i].len);

		ASSERT_LE(0, buffer) {
			TH_LOG("%llu: %d", table[i].len, buffer);
		}
		EXPECT_EQ(table[i].pages * PAGE, size_of(buffer));
		close(buffer);
	}
}

/* Passes if no length at all, and one that has no number of pages, is refused. */
TEST_F(heap, len_without_pages_is_einval)
{
	const __u64 lens[] = { 0, ~0ULL, ~0ULL - 1, -(__u64)PAGE + 1 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		EXPECT_EQ(-EINVAL, heap_alloc(self->heap, lens[i])) {
			TH_LOG("len %#llx", lens[i]);
		}
	}
	EXPECT_EQ(self->fds, count_fds());
}

/* Passes if the descriptor can do what it was asked to, and no more. */
TEST_F(heap, access_mode)
{
	static const __u32 modes[] = { O_RDONLY, O_WRONLY, O_RDWR };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		int buffer = heap_alloc_flags(self->heap, PAGE, modes[i]);
		void *map;

		ASSERT_LE(0, buffer);
		EXPECT_EQ(modes[i], (__u32)fcntl(buffer, F_GETFL) & O_ACCMODE);
		map = map_shared(buffer, PAGE);
		if (modes[i] == O_RDWR) {
			EXPECT_NE(MAP_FAILED, map);
		} else {
			EXPECT_EQ(MAP_FAILED, map);
			EXPECT_EQ(EACCES, errno);
		}
		close(buffer);
	}
}

/* Passes if the access mode that is none gives no access. */
TEST_F(heap, access_mode_of_nothing)
{
	int buffer = heap_alloc_flags(self->heap, PAGE, O_ACCMODE);

	if (buffer < 0) {
		EXPECT_EQ(-EINVAL, buffer);
		return;
	}
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, buffer, 0));
	EXPECT_EQ(MAP_FAILED, map_shared(buffer, PAGE));
}

/* Passes if a descriptor is closed on exec when that was asked for, and else not. */
TEST_F(heap, cloexec)
{
	int buffer = heap_alloc_flags(self->heap, PAGE, O_RDWR);

	ASSERT_LE(0, buffer);
	EXPECT_EQ(0, fcntl(buffer, F_GETFD));
	buffer = heap_alloc_flags(self->heap, PAGE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, buffer);
	EXPECT_EQ(FD_CLOEXEC, fcntl(buffer, F_GETFD));
}

/* Passes if the argument comes back as it was, with the descriptor in it. */
TEST_F(heap, only_fd_is_changed)
{
	struct dma_heap_allocation_data arg = { .len = 5, .fd_flags = O_RDWR };

	ASSERT_EQ(0, xioctl(self->heap, DMA_HEAP_IOCTL_ALLOC, &arg));
	EXPECT_EQ(5ULL, arg.len);
	EXPECT_EQ((__u32)O_RDWR, arg.fd_flags);
	EXPECT_EQ(0ULL, arg.heap_flags);
	EXPECT_LT(2U, arg.fd);
}

/* ---- calls that fail ------------------------------------------------------------- */

/* Passes if an argument that is not there is a fault. */
TEST_F(heap, bad_pointer_is_efault)
{
	size_t size = sizeof(struct dma_heap_allocation_data);
	int i;

	for (i = 0; i < NR_BAD_POINTERS; i++) {
		EXPECT_EQ(-EFAULT, xioctl(self->heap, DMA_HEAP_IOCTL_ALLOC,
					  bad_pointer(i, size))) {
			TH_LOG("pointer %d", i);
		}
	}
	EXPECT_EQ(self->fds, count_fds());
}

/*
 * Passes if an argument into which the result cannot be written leaves no
 * descriptor, and gives the memory back.
 */
TEST_F(heap, read_only_argument_leaves_nothing)
{
	struct dma_heap_allocation_data arg = { .len = variant->large };
	void *argp = read_only(&arg, sizeof(arg));
	long before = free_kib();
	int next = next_fd(), i;

	for (i = 0; i < 5; i++)
		EXPECT_EQ(-EFAULT, xioctl(self->heap, DMA_HEAP_IOCTL_ALLOC, argp));
	EXPECT_EQ(self->fds, count_fds());
	/* A number that was reserved for nothing is in no directory. */
	EXPECT_EQ(next, next_fd());
	EXPECT_TRUE(memory_is_back(before, SLACK_KIB));
}

/* Passes if the limit of descriptors is reported, and costs no memory. */
TEST_F(heap, fd_limit_is_emfile)
{
	long before = free_kib();
	struct rlimit old = no_more_fds();
	int i;

	for (i = 0; i < 5; i++)
		EXPECT_EQ(-EMFILE, heap_alloc(self->heap, variant->large));
	setrlimit(RLIMIT_NOFILE, &old);
	EXPECT_EQ(self->fds, count_fds());
	EXPECT_TRUE(memory_is_back(before, SLACK_KIB));
	EXPECT_LE(0, heap_alloc(self->heap, PAGE));
}

/* ---- too much ----------------------------------------------------------------------- */

/* Processor time that the kernel has spent for children that have ended, in ms. */
static long system_ms_of_children(void)
{
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	return usage.ru_stime.tv_sec * 1000 + usage.ru_stime.tv_usec / 1000;
}

/*
 * What a process says that allocates and ends: 0, a negative errno, or CHILD_*
 * with the sign turned. If memory runs out, this process is killed and no other.
 */
static int alloc_as_victim(int heap, __u64 len)
{
	pid_t pid = fork();
	int ret;

	if (pid < 0)
		abort();
	if (!pid) {
		write_file("/proc/self/oom_score_adj", "1000");
		ret = heap_alloc(heap, len);
		_exit(ret < 0 ? -ret : 0);
	}
	return -child_status(pid, 60000);
}

/*
 * Passes if a buffer that the heap will never have is refused at once, without
 * memory being collected for it, and without anybody being killed.
 */
TEST_F_TIMEOUT(heap, more_than_there_is_fails_at_once, 120)
{
	long total = variant->contiguous ? number_in("/proc/meminfo", "CmaTotal:") :
					   total_kib();
	const __u64 lens[] = {
		total * KIB + PAGE, 2 * total * KIB, 1ULL << 40, 1ULL << 47,
		(1ULL << 62) - 1, 1ULL << 62, INT64_MAX, 1ULL << 63,
		-(__u64)PAGE,
	};
	unsigned int i;

	ASSERT_LT(0, total);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		long before = system_ms_of_children();

		/* The others can only be worse than the first that is wrong. */
		ASSERT_EQ(-ENOMEM, alloc_as_victim(self->heap, lens[i])) {
			TH_LOG("len %#llx", lens[i]);
		}
		EXPECT_GT(before + 500, system_ms_of_children());
	}
	EXPECT_EQ(self->fds, count_fds());
}

/*
 * Passes if a buffer for which there is only now not enough memory is refused as
 * well, with nobody killed, and everything given back.
 */
TEST_F_TIMEOUT(heap, more_than_is_free_kills_nobody, 120)
{
	long before;
	long total = variant->contiguous ? number_in("/proc/meminfo", "CmaTotal:") :
					   total_kib();
	int held;

	/* Of either heap, a part that makes the rest too little. */
	held = heap_alloc(self->heap, variant->large);
	ASSERT_LE(0, held);
	before = free_kib();
	EXPECT_EQ(-ENOMEM, alloc_as_victim(self->heap,
					   total * KIB - variant->large / 2));
	EXPECT_TRUE(memory_is_back(before, SLACK_KIB));
	EXPECT_LE(0, heap_alloc(self->heap, PAGE));
}

/* Passes if nothing is lost by allocating and freeing several times what there is. */
TEST_F_TIMEOUT(heap, all_memory_comes_back, 120)
{
	long before = free_kib();
	int i;

	for (i = 0; i < 32; i++) {
		int buffer = heap_alloc(self->heap, variant->large);

		ASSERT_LE(0, buffer) {
			TH_LOG("round %d: %d", i, buffer);
		}
		close(buffer);
	}
	EXPECT_TRUE(memory_is_back(before, SLACK_KIB));
}

/* ---- signals -------------------------------------------------------------------------- */

/* A process that does nothing but allocate @len bytes; its end means that it has them. */
static pid_t start_allocating(int heap, __u64 len)
{
	pid_t pid = fork();

	if (pid < 0)
		abort();
	if (!pid)
		_exit(heap_alloc(heap, len) < 0);
	return pid;
}

/* Milliseconds until a process is gone; it may be killed, or end by itself. */
static long wait_for_end(pid_t pid)
{
	long start = now_ms();

	while (waitpid(pid, NULL, WNOHANG) != pid)
		sleep_ms(1);
	return now_ms() - start;
}

/*
 * Passes if a process that is killed while it allocates much is gone in less than
 * half of the time that the allocation takes, once in a few tries.
 */
TEST_F_TIMEOUT(heap, fatal_signal_stops_a_long_allocation, 120)
{
	__u64 len;
	long whole = 0, killed = INT32_MAX, ms;
	int try;

	if (variant->contiguous)
		SKIP(return, "no allocation takes long");
	tidy_memory();
	len = free_kib() / 4 * 3 * KIB;
	for (try = 0; try < 8 && (!whole || killed >= whole / 2); try++) {
		pid_t pid;

		ms = wait_for_end(start_allocating(self->heap, len));
		if (!whole || ms < whole)
			whole = ms;
		pid = start_allocating(self->heap, len);
		sleep_ms(whole / 8);
		kill(pid, SIGKILL);
		ms = wait_for_end(pid);
		if (ms < killed)
			killed = ms;
	}
	EXPECT_GT(whole / 2, killed) {
		TH_LOG("%ld ms, killed after an eighth of it: %ld ms", whole, killed);
	}
}

/* Passes if signals that do not kill do not disturb an allocation. */
TEST_F(heap, other_signals_are_ignored)
{
	int i;

	alarm_every(2, alarm_noop, 0);
	for (i = 0; i < 5; i++) {
		int buffer = heap_alloc(self->heap, variant->large);

		EXPECT_LE(0, buffer) {
			TH_LOG("round %d: %d", i, buffer);
		}
		if (buffer >= 0)
			close(buffer);
	}
	alarm_every(0, alarm_noop, 0);
}

/* ---- what is in new memory ---------------------------------------------------------------- */

/* Passes if nobody sees what was in the memory before. */
TEST_F_TIMEOUT(heap, memory_is_zeroed, 120)
{
	const size_t sizes[] = {
		PAGE, 3 * PAGE, 64 * KIB, MIB, PMD_BYTES, PMD_BYTES + PAGE,
		variant->large,
	};
	unsigned int i, round;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			ASSERT_TRUE(clean_then_dirty(self->heap, sizes[i])) {
				TH_LOG("round %u, %zu bytes", round, sizes[i]);
			}
		}
	}
}

/* ---- kernel mappings ------------------------------------------------------------------------ */

/* So many that hardly anybody else maps as many. */
#define VMAP_PAGES	37

/*
 * How many kernel mappings of VMAP_PAGES pages are there? -1 if the kernel does
 * not tell. Each takes the addresses of a page more.
 */
static int kernel_mappings(void)
{
	FILE *file = fopen("/proc/vmallocinfo", "re");
	int count = 0;
	char line[512];
	size_t size;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %zu", &size) == 1 && strstr(line, " vmap") &&
		    size == (VMAP_PAGES + 1) * PAGE)
			count++;
	}
	fclose(file);
	return count;
}

/* A buffer of VMAP_PAGES pages that the kernel has mapped and unmapped again. */
static int mapped_by_kernel(int dev, int heap)
{
	int buffer = heap_alloc(heap, VMAP_PAGES * PAGE), ret;
	char byte;

	if (buffer < 0)
		return buffer;
	ret = importer_copy(dev, buffer, DMABUF_TEST_BY_VMAP, false, 0, &byte, 1);
	if (ret) {
		close(buffer);
		return ret;
	}
	return buffer;
}

/* Passes if a mapping that is kept for the next user does not outlive its buffer. */
TEST_F(heap, kernel_mapping_goes_with_the_buffer)
{
	int dev = dev_open(), before, buffer;

	if (no_device(dev))
		SKIP(return, NO_DEVICE);
	write_file("/proc/sys/vm/drop_caches", "2");
	before = kernel_mappings();
	if (before < 0)
		SKIP(return, "no /proc/vmallocinfo");
	buffer = mapped_by_kernel(dev, self->heap);
	ASSERT_LE(0, buffer);
	EXPECT_GE(before + 1, kernel_mappings());
	close(buffer);
	EXPECT_EQ(before, kernel_mappings());
	close(dev);
}

/* Passes if it does not outlive a lack of memory either, and can be made anew. */
TEST_F(heap, kernel_mapping_goes_when_memory_is_short)
{
	int dev = dev_open(), before, buffer;
	char byte;

	if (no_device(dev))
		SKIP(return, NO_DEVICE);
	write_file("/proc/sys/vm/drop_caches", "2");
	before = kernel_mappings();
	if (before < 0)
		SKIP(return, "no /proc/vmallocinfo");
	buffer = mapped_by_kernel(dev, self->heap);
	ASSERT_LE(0, buffer);
	ASSERT_EQ(0, write_file("/proc/sys/vm/drop_caches", "2"));
	EXPECT_EQ(before, kernel_mappings());
	EXPECT_EQ(0, importer_copy(dev, buffer, DMABUF_TEST_BY_VMAP, false, 0, &byte, 1));
	close(buffer);
	close(dev);
}

/* ---- several at once ------------------------------------------------------------------------- */

struct worker {
	pthread_t thread;
	int heap;
	unsigned int seed;
	int bad;	/* rounds that went wrong */
};

static void *allocate_and_check(void *arg)
{
	struct worker *worker = arg;
	int round;

	for (round = 0; round < 60; round++) {
		size_t pages = 1 + (worker->seed * 7 + round * 13) % 70;
		int buffer = heap_alloc(worker->heap, pages * PAGE);
		void *map;

		if (buffer < 0) {
			worker->bad++;
			continue;
		}
		map = map_shared(buffer, pages * PAGE);
		if (map == MAP_FAILED || not_zero(map, pages * PAGE) >= 0) {
			worker->bad++;
		} else {
			stamp(map, worker->seed * 1000, pages);
			sched_yield();
			worker->bad += wrong_stamp(map, worker->seed * 1000, pages) >= 0;
		}
		munmap(map, pages * PAGE);
		close(buffer);
	}
	return NULL;
}

/* Passes if threads that allocate at once get each their own memory. */
TEST_F_TIMEOUT(heap, parallel_allocations, 120)
{
	struct worker workers[4] = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(workers); i++) {
		workers[i].heap = self->heap;
		workers[i].seed = i + 1;
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL,
					    allocate_and_check, &workers[i]));
	}
	for (i = 0; i < ARRAY_SIZE(workers); i++) {
		pthread_join(workers[i].thread, NULL);
		EXPECT_EQ(0, workers[i].bad);
	}
	EXPECT_EQ(self->fds, count_fds());
}

struct closer {
	int fd;
	bool stop;
};

static void *close_thread(void *arg)
{
	struct closer *closer = arg;

	while (!__atomic_load_n(&closer->stop, __ATOMIC_RELAXED))
		close(closer->fd);
	return NULL;
}

/*
 * Passes if a thread that guesses the descriptor and closes it before ALLOC
 * returns does no harm.
 */
TEST_F(heap, closed_before_alloc_returns)
{
	struct closer closer = { .fd = next_fd() };
	pthread_t thread;
	int i;

	ASSERT_EQ(0, pthread_create(&thread, NULL, close_thread, &closer));
	for (i = 0; i < 300; i++) {
		int buffer = heap_alloc(self->heap, PAGE);

		EXPECT_LE(0, buffer);
		if (buffer != closer.fd)
			close(buffer);
	}
	__atomic_store_n(&closer.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

/* ---- 32-bit programs ------------------------------------------------------------------------ */

#ifdef __x86_64__
/* Passes if a 32-bit program can allocate, and is refused what others are. */
TEST_F(heap, compat)
{
	struct dma_heap_allocation_data *arg = low_memory();

	if (!has_compat())
		SKIP(return, "the kernel runs no 32-bit programs");
	ASSERT_NE(MAP_FAILED, (void *)arg);

	arg->len = PAGE + 1;
	arg->fd_flags = O_RDWR | O_CLOEXEC;
	EXPECT_EQ(0, ioctl32(self->heap, DMA_HEAP_IOCTL_ALLOC, arg));
	EXPECT_EQ(2 * PAGE, size_of(arg->fd));
	EXPECT_EQ(-EINVAL, ioctl32(self->heap, DMA_HEAP_IOCTL_ALLOC, arg));
	EXPECT_EQ(-EFAULT, ioctl32(self->heap, DMA_HEAP_IOCTL_ALLOC, NULL));
}
#endif

TEST_HARNESS_MAIN
