// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers made of pages: chunks go in and come out again, and everybody who
 * looks at the buffer, device, CPU or importer, sees the same pages. The heap
 * is this suite.
 */

#include "mock.h"

#if DMABUF_OURS

#include <linux/dma-buf.h>
#ifdef CONFIG_HAS_DMA
#include <linux/dma-direct.h>
#endif
#include <linux/dma-resv.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/gfp.h>
#include <linux/iosys-map.h>
#include <linux/log2.h>
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/scatterlist.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <kunit/test.h>
#include <kunit/visibility.h>

#include "mock_importer.h"
#include "../heaps/heap-buffer.h"

MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);

#define MAX_CHUNKS	40

/* What the suite gave to a buffer, and what came back. */
struct memory {
	struct kunit *test;
	struct page *page[MAX_CHUNKS];
	unsigned long nr_pages[MAX_CHUNKS];
	unsigned int nr_chunks;
	unsigned int nr_freed;
	struct heap_buffer *buf;
	struct dma_buf *dmabuf;
};

/* In the order in which they were added, each with its size. */
static void memory_free(void *priv, struct page *page, unsigned long nr_pages)
{
	struct memory *mem = priv;

	KUNIT_EXPECT_LT(mem->test, mem->nr_freed, mem->nr_chunks);
	KUNIT_EXPECT_PTR_EQ(mem->test, page, mem->page[mem->nr_freed]);
	KUNIT_EXPECT_EQ(mem->test, nr_pages, mem->nr_pages[mem->nr_freed]);
	mem->nr_freed++;
	__free_pages(page, ilog2(nr_pages));
}

/*
 * The last reference goes in a worker, and mappings of the test's thread go some
 * time after it: wait for the chunks before the test's memory is gone.
 */
static void memory_put(void *data)
{
	struct memory *mem = data;

	if (mem->buf)
		heap_buffer_free(mem->buf);
	if (mem->dmabuf)
		dma_buf_put(mem->dmabuf);
	for (int i = 0; i < 1000 && READ_ONCE(mem->nr_freed) < mem->nr_chunks; i++) {
		flush_delayed_fput();
		msleep(20);
	}
}

static struct memory *memory_create(struct kunit *test)
{
	struct memory *mem = kunit_kzalloc(test, sizeof(*mem), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mem);
	mem->test = test;
	mem->buf = heap_buffer_alloc(memory_free, mem);
	KUNIT_ASSERT_NOT_NULL(test, mem->buf);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, memory_put, mem));
	return mem;
}

static void memory_add(struct memory *mem, unsigned int order)
{
	struct kunit *test = mem->test;
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_ZERO | __GFP_COMP, order);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_LT(test, mem->nr_chunks, MAX_CHUNKS);
	mem->page[mem->nr_chunks] = page;
	mem->nr_pages[mem->nr_chunks] = 1UL << order;
	mem->nr_chunks++;
	KUNIT_ASSERT_EQ(test, 0, heap_buffer_add(mem->buf, page, 1UL << order));
}

static struct dma_buf *memory_export(struct memory *mem)
{
	struct dma_buf *dmabuf = heap_buffer_export(mem->buf, "kunit", O_RDWR);

	mem->buf = NULL;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(mem->test, dmabuf);
	mem->dmabuf = dmabuf;
	return dmabuf;
}

static void memory_release(struct memory *mem)
{
	dma_buf_put(mem->dmabuf);
	mem->dmabuf = NULL;
	flush_delayed_fput();
}

/* A buffer of chunks of these orders; the list ends with the first -1. */
static struct memory *buffer_of(struct kunit *test, const int *orders)
{
	struct memory *mem = memory_create(test);

	for (; *orders >= 0; orders++)
		memory_add(mem, *orders);
	memory_export(mem);
	return mem;
}

static const int one_page[] = { 0, -1 };
static const int one_chunk[] = { 2, -1 };
static const int three_chunks[] = { 2, 1, 0, -1 };

static struct page *memory_page(const struct memory *mem, pgoff_t pgoff)
{
	for (unsigned int i = 0; i < mem->nr_chunks; i++) {
		if (pgoff < mem->nr_pages[i])
			return mem->page[i] + pgoff;
		pgoff -= mem->nr_pages[i];
	}
	return NULL;
}

static u32 *memory_word(const struct memory *mem, pgoff_t pgoff)
{
	return page_address(memory_page(mem, pgoff));
}

static unsigned long memory_pages(const struct memory *mem)
{
	return mem->dmabuf->size >> PAGE_SHIFT;
}

static struct dma_buf_attachment *attach(struct memory *mem)
{
	struct dma_buf_attachment *attach;

	attach = dma_buf_attach(mem->dmabuf, mock_device(mem->test));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(mem->test, attach);
	return attach;
}

/* --- Chunks ------------------------------------------------------------------ */

/* Passes if a buffer's chunks come back once each, with the last reference. */
static void release_returns_every_chunk(struct kunit *test)
{
	struct memory *mem = buffer_of(test, three_chunks);

	KUNIT_EXPECT_EQ(test, mem->dmabuf->size, 7 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, mem->nr_freed, 0);
	memory_release(mem);
	KUNIT_EXPECT_EQ(test, mem->nr_freed, 3);
}

/* Passes if a buffer that was never exported returns what it has got. */
static void free_returns_what_was_added(struct kunit *test)
{
	struct memory *mem = memory_create(test);

	memory_add(mem, 1);
	memory_add(mem, 0);
	heap_buffer_free(mem->buf);
	mem->buf = NULL;
	KUNIT_EXPECT_EQ(test, mem->nr_freed, 2);
}

/* Passes if an importer of page frames finds each page of many chunks. */
static void get_pfn_finds_every_page(struct kunit *test)
{
	struct memory *mem = memory_create(test);
	struct dma_buf_attachment *a;
	unsigned int order;
	u64 pfn;

	for (unsigned int i = 0; i < MAX_CHUNKS; i++)
		memory_add(mem, i < 10 ? 2 : i < 20 ? 1 : 0);
	memory_export(mem);
	a = attach(mem);

	for (unsigned long i = 0; i < memory_pages(mem); i++) {
		KUNIT_ASSERT_EQ(test, 0, dma_buf_get_pfn_unlocked(a, i, &pfn, &order));
		KUNIT_EXPECT_EQ(test, pfn, page_to_pfn(memory_page(mem, i)));
	}
	dma_buf_detach(mem->dmabuf, a);
}

/* Passes if the order leads to the end of the chunk and not beyond. */
static void get_pfn_tells_the_order(struct kunit *test)
{
	static const unsigned int expected[] = { 2, 0, 1, 0, 1, 0, 0 };
	struct memory *mem = buffer_of(test, three_chunks);
	struct dma_buf_attachment *a = attach(mem);
	unsigned int order;
	u64 pfn;

	for (unsigned int i = 0; i < ARRAY_SIZE(expected); i++) {
		KUNIT_ASSERT_EQ(test, 0, dma_buf_get_pfn_unlocked(a, i, &pfn, &order));
		KUNIT_EXPECT_EQ_MSG(test, order, expected[i], "page %u", i);
	}
	dma_buf_detach(mem->dmabuf, a);
}

/* --- Devices ----------------------------------------------------------------- */

static struct sg_table *map(struct memory *mem, struct dma_buf_attachment *a,
			    enum dma_data_direction dir)
{
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment_unlocked(a, dir);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(mem->test, sgt);
	return sgt;
}

static void need_dma(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_HAS_DMA))
		kunit_skip(test, "no DMA on this architecture");
}

static size_t mapped_length(struct sg_table *sgt)
{
	struct scatterlist *sg;
	size_t length = 0;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i)
		length += sg_dma_len(sg);
	return length;
}

/* Passes if a mapping has all of the buffer, in at most an entry a chunk. */
static void map_covers_every_chunk(struct kunit *test)
{
	struct dma_buf_attachment *a;
	struct sg_table *sgt;
	struct memory *mem;

	need_dma(test);
	mem = buffer_of(test, three_chunks);
	a = attach(mem);
	sgt = map(mem, a, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, mapped_length(sgt), mem->dmabuf->size);
	KUNIT_EXPECT_LE(test, sgt->nents, 3);
	dma_buf_unmap_attachment_unlocked(a, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(mem->dmabuf, a);
}

/* Passes if a device may have several mappings, each for what it was made for. */
static void map_twice_makes_two_mappings(struct kunit *test)
{
	struct sg_table *first, *second;
	struct dma_buf_attachment *a;
	struct memory *mem;

	need_dma(test);
	mem = buffer_of(test, three_chunks);
	a = attach(mem);

	first = map(mem, a, DMA_TO_DEVICE);
	second = map(mem, a, DMA_FROM_DEVICE);
	KUNIT_EXPECT_PTR_NE(test, first, second);
	dma_buf_unmap_attachment_unlocked(a, first, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, mapped_length(second), mem->dmabuf->size);
	KUNIT_EXPECT_EQ(test, 0, dma_buf_begin_cpu_access(mem->dmabuf, DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_EQ(test, 0, dma_buf_end_cpu_access(mem->dmabuf, DMA_BIDIRECTIONAL));
	dma_buf_unmap_attachment_unlocked(a, second, DMA_FROM_DEVICE);

	/* And the attachment can still be used. */
	first = map(mem, a, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, mapped_length(first), mem->dmabuf->size);
	dma_buf_unmap_attachment_unlocked(a, first, DMA_TO_DEVICE);
	dma_buf_detach(mem->dmabuf, a);
}

/* Passes if synchronising fits to mappings of every direction (see DMA_API_DEBUG). */
static void cpu_access_fits_every_mapping(struct kunit *test)
{
	static const enum dma_data_direction dirs[] = {
		DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE,
	};
	struct dma_buf_attachment *a[ARRAY_SIZE(dirs)];
	struct sg_table *sgt[ARRAY_SIZE(dirs)];
	struct memory *mem;

	need_dma(test);
	mem = buffer_of(test, three_chunks);
	/* That several devices share memory is what DMA_API_DEBUG takes for a mistake. */
	if (IS_ENABLED(CONFIG_DMA_API_DEBUG))
		dmabuf_expect_warning_begin(test);
	for (unsigned int i = 0; i < ARRAY_SIZE(dirs); i++) {
		a[i] = attach(mem);
		sgt[i] = map(mem, a[i], dirs[i]);
	}
	if (IS_ENABLED(CONFIG_DMA_API_DEBUG))
		dmabuf_expect_warning_end(test);
	for (unsigned int i = 0; i < ARRAY_SIZE(dirs); i++) {
		KUNIT_EXPECT_EQ(test, 0, dma_buf_begin_cpu_access(mem->dmabuf, dirs[i]));
		KUNIT_EXPECT_EQ(test, 0, dma_buf_end_cpu_access(mem->dmabuf, dirs[i]));
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(dirs); i++) {
		dma_buf_unmap_attachment_unlocked(a[i], sgt[i], dirs[i]);
		dma_buf_detach(mem->dmabuf, a[i]);
	}
}

/* What a device sees at the first address of its mapping. */
static u32 *device_word(struct dma_buf_attachment *a, struct sg_table *sgt)
{
#ifdef CONFIG_HAS_DMA
	return phys_to_virt(dma_to_phys(a->dev, sg_dma_address(sgt->sgl)));
#else
	return NULL;
#endif
}

/*
 * Passes if what the CPU wrote is the device's after the end of the access, and
 * the other way round after its begin. Tells nothing unless the device has memory
 * of its own, as it has with swiotlb=force.
 */
static void cpu_access_moves_the_data(struct kunit *test)
{
	struct dma_buf_attachment *a;
	struct sg_table *sgt;
	struct memory *mem;
	u32 *cpu, *device;

	need_dma(test);
	mem = buffer_of(test, one_page);
	a = attach(mem);
	sgt = map(mem, a, DMA_BIDIRECTIONAL);
	cpu = memory_word(mem, 0);
	device = device_word(a, sgt);

	if (device == cpu) {
		kunit_mark_skipped(test, "the device sees the same memory");
	} else {
		KUNIT_EXPECT_EQ(test, 0, dma_buf_begin_cpu_access(mem->dmabuf, DMA_TO_DEVICE));
		*cpu = 0x1234;
		KUNIT_EXPECT_NE(test, *device, 0x1234);
		KUNIT_EXPECT_EQ(test, 0, dma_buf_end_cpu_access(mem->dmabuf, DMA_TO_DEVICE));
		KUNIT_EXPECT_EQ(test, *device, 0x1234);

		*device = 0x5678;
		KUNIT_EXPECT_EQ(test, 0, dma_buf_begin_cpu_access(mem->dmabuf, DMA_FROM_DEVICE));
		KUNIT_EXPECT_EQ(test, *cpu, 0x5678);
		KUNIT_EXPECT_EQ(test, 0, dma_buf_end_cpu_access(mem->dmabuf, DMA_FROM_DEVICE));
	}
	dma_buf_unmap_attachment_unlocked(a, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(mem->dmabuf, a);
}

/* --- Kernel mappings --------------------------------------------------------- */

static void *vmap_buffer(struct memory *mem)
{
	struct iosys_map map;

	KUNIT_ASSERT_EQ(mem->test, 0, dma_buf_vmap_unlocked(mem->dmabuf, &map));
	KUNIT_EXPECT_FALSE(mem->test, map.is_iomem);
	return map.vaddr;
}

static void vunmap_buffer(struct memory *mem, void *vaddr)
{
	struct iosys_map map = IOSYS_MAP_INIT_VADDR(vaddr);

	dma_buf_vunmap_unlocked(mem->dmabuf, &map);
}

/* Is there a kernel mapping at what once was the address of one? */
static bool is_kernel_mapped(void *vaddr)
{
	return is_vmalloc_addr(vaddr) && vmalloc_to_page(vaddr);
}

/* So that the numbers of a case are its own. */
static void drop_all(void)
{
	heap_buffer_drop_idle_vmaps(ULONG_MAX);
}

/* Passes if one chunk is used where it is, and leaves nothing behind. */
static void vmap_of_one_chunk_maps_nothing(struct kunit *test)
{
	struct memory *mem = buffer_of(test, one_chunk);
	void *vaddr;

	drop_all();
	vaddr = vmap_buffer(mem);
	KUNIT_EXPECT_PTR_EQ(test, vaddr, page_address(mem->page[0]));
	vunmap_buffer(mem, vaddr);
	KUNIT_EXPECT_EQ(test, heap_buffer_drop_idle_vmaps(ULONG_MAX), 0);
}

/* Passes if the pages of all chunks follow each other in a kernel mapping. */
static void vmap_shows_every_page(struct kunit *test)
{
	struct memory *mem = buffer_of(test, three_chunks);
	void *vaddr = vmap_buffer(mem);

	for (unsigned long i = 0; i < memory_pages(mem); i++)
		*memory_word(mem, i) = 100 + i;
	for (unsigned long i = 0; i < memory_pages(mem); i++) {
		u32 *word = vaddr + i * PAGE_SIZE;

		KUNIT_EXPECT_EQ(test, *word, 100 + i);
	}
	vunmap_buffer(mem, vaddr);
}

/* Passes if the mapping outlives its user, and is the next one's. */
static void vmap_again_finds_the_mapping(struct kunit *test)
{
	struct memory *mem = buffer_of(test, three_chunks);
	void *first, *second;

	drop_all();
	first = vmap_buffer(mem);
	vunmap_buffer(mem, first);
	/* Had it not been kept this would be the address of another mapping. */
	KUNIT_EXPECT_TRUE(test, is_kernel_mapped(first));
	second = vmap_buffer(mem);
	KUNIT_EXPECT_PTR_EQ(test, first, second);
	vunmap_buffer(mem, second);
	KUNIT_EXPECT_EQ(test, heap_buffer_drop_idle_vmaps(ULONG_MAX), 1);
}

/* Passes if a mapping that is in use cannot be dropped. */
static void vmap_in_use_is_not_dropped(struct kunit *test)
{
	struct memory *mem = buffer_of(test, three_chunks);
	u32 *word;

	drop_all();
	word = vmap_buffer(mem);
	KUNIT_EXPECT_EQ(test, heap_buffer_drop_idle_vmaps(ULONG_MAX), 0);
	*word = 77;
	KUNIT_EXPECT_EQ(test, *memory_word(mem, 0), 77);
	vunmap_buffer(mem, word);
}

/* Passes if a buffer can be mapped again after its mapping was dropped. */
static void vmap_after_drop_maps_again(struct kunit *test)
{
	struct memory *mem = buffer_of(test, three_chunks);
	u32 *word;

	drop_all();
	word = vmap_buffer(mem);
	vunmap_buffer(mem, word);
	KUNIT_EXPECT_EQ(test, heap_buffer_drop_idle_vmaps(ULONG_MAX), 1);
	KUNIT_EXPECT_FALSE(test, is_kernel_mapped(word));
	word = vmap_buffer(mem);
	*word = 78;
	KUNIT_EXPECT_EQ(test, *memory_word(mem, 0), 78);
	vunmap_buffer(mem, word);
}

/* Passes if the longest idle goes first, and no more than asked for. */
static void drop_begins_with_the_oldest(struct kunit *test)
{
	struct memory *old = buffer_of(test, three_chunks);
	struct memory *young = buffer_of(test, three_chunks);
	void *vaddr;

	drop_all();
	vunmap_buffer(old, vmap_buffer(old));
	vaddr = vmap_buffer(young);
	vunmap_buffer(young, vaddr);
	KUNIT_EXPECT_EQ(test, heap_buffer_drop_idle_vmaps(1), 1);
	KUNIT_EXPECT_PTR_EQ(test, vmap_buffer(young), vaddr);
	KUNIT_EXPECT_EQ(test, heap_buffer_drop_idle_vmaps(ULONG_MAX), 0);
	vunmap_buffer(young, vaddr);
}

/* Passes if the mapping goes with the buffer. */
static void release_drops_the_mapping(struct kunit *test)
{
	struct memory *mem = buffer_of(test, three_chunks);
	void *vaddr;

	drop_all();
	vaddr = vmap_buffer(mem);
	vunmap_buffer(mem, vaddr);
	memory_release(mem);
	KUNIT_EXPECT_EQ(test, mem->nr_freed, 3);
	KUNIT_EXPECT_EQ(test, heap_buffer_drop_idle_vmaps(ULONG_MAX), 0);
	KUNIT_EXPECT_FALSE(test, is_kernel_mapped(vaddr));
}

/* What asks for addresses is not exported to modules. */
#ifndef MODULE
/* Passes if idle mappings go before somebody else is told that there is no room. */
static void no_address_left_drops_the_mapping(struct kunit *test)
{
	struct memory *mem = buffer_of(test, three_chunks);

	drop_all();
	vunmap_buffer(mem, vmap_buffer(mem));
	/* With the page behind it this is more than there are. */
	KUNIT_EXPECT_NULL(test, get_vm_area(VMALLOC_END - VMALLOC_START, VM_MAP));
	KUNIT_EXPECT_EQ(test, heap_buffer_drop_idle_vmaps(ULONG_MAX), 0);
}
#endif

/* --- Mappings of programs ---------------------------------------------------- */

static unsigned long user_map(struct memory *mem, unsigned long flags)
{
	struct kunit *test = mem->test;
	unsigned long addr;

	if (IS_ENABLED(CONFIG_UML))
		kunit_skip(test, "a kernel thread of UML has no user memory");
	addr = kunit_vm_mmap(test, mem->dmabuf->file, 0, mem->dmabuf->size,
			     PROT_READ | PROT_WRITE, flags, 0);
	if (flags == MAP_PRIVATE && !IS_ENABLED(CONFIG_ARCH_HAS_PTE_SPECIAL)) {
		KUNIT_EXPECT_EQ(test, (long)addr, -EINVAL);
		kunit_skip(test, "this architecture has no private mappings of frames");
	}
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	return addr;
}

static u32 user_read(struct kunit *test, unsigned long addr)
{
	u32 word = ~0;

	KUNIT_EXPECT_EQ(test, 0, get_user(word, (u32 __user *)addr));
	return word;
}

static void user_write(struct kunit *test, unsigned long addr, u32 word)
{
	KUNIT_EXPECT_EQ(test, 0, put_user(word, (u32 __user *)addr));
}

/* Passes if a shared mapping is the buffer, page for page. */
static void shared_mapping_is_the_buffer(struct kunit *test)
{
	struct memory *mem = buffer_of(test, three_chunks);
	unsigned long addr = user_map(mem, MAP_SHARED);

	for (unsigned long i = 0; i < memory_pages(mem); i++) {
		*memory_word(mem, i) = i + 1;
		KUNIT_EXPECT_EQ(test, user_read(test, addr + i * PAGE_SIZE), i + 1);
		user_write(test, addr + i * PAGE_SIZE, i + 100);
		KUNIT_EXPECT_EQ(test, *memory_word(mem, i), i + 100);
	}
}

/*
 * Passes if a private mapping shows the buffer, also what is written there later,
 * until a page is written through it: from then on this page is the program's own.
 */
static void private_mapping_copies_on_write(struct kunit *test)
{
	struct memory *mem = buffer_of(test, three_chunks);
	unsigned long addr = user_map(mem, MAP_PRIVATE);
	unsigned long last = memory_pages(mem) - 1;

	for (unsigned long i = 0; i <= last; i++) {
		unsigned long here = addr + i * PAGE_SIZE;
		u32 *word = memory_word(mem, i);

		/* The last is written before it is read. */
		*word = i + 1;
		if (i != last) {
			KUNIT_EXPECT_EQ(test, user_read(test, here), i + 1);
			*word = i + 50;
			KUNIT_EXPECT_EQ(test, user_read(test, here), i + 50);
		}
		word[1] = i + 200;
		user_write(test, here, i + 100);
		KUNIT_EXPECT_EQ(test, user_read(test, here), i + 100);
		/* The copy has the rest of the page. */
		KUNIT_EXPECT_EQ(test, user_read(test, here + sizeof(*word)), i + 200);
		KUNIT_EXPECT_NE(test, *word, i + 100);
		*word = 7;
		KUNIT_EXPECT_EQ(test, user_read(test, here), i + 100);
	}
}

/* Passes if neither kind of mapping keeps a page of the buffer from going back. */
static void mappings_own_no_pages(struct kunit *test)
{
	struct memory *mem = buffer_of(test, three_chunks);
	unsigned long shared = user_map(mem, MAP_SHARED);
	unsigned long private = user_map(mem, MAP_PRIVATE);

	for (unsigned long i = 0; i < memory_pages(mem); i++) {
		user_read(test, shared + i * PAGE_SIZE);
		user_read(test, private + i * PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, page_count(memory_page(mem, i)), 1);
	}
}

/* --- Races ------------------------------------------------------------------- */

/* Page tables of the kernel change in every round, which is slow. */
#define RACE_ROUNDS	200

static void race_vmap(void *ctx)
{
	struct memory *mem = ctx;
	struct iosys_map map;
	u32 *last;

	if (dma_buf_vmap_unlocked(mem->dmabuf, &map))
		return;
	last = map.vaddr + mem->dmabuf->size - PAGE_SIZE;
	WRITE_ONCE(*last, READ_ONCE(*last) | 1);
	dma_buf_vunmap_unlocked(mem->dmabuf, &map);
}

static void race_drop(void *ctx)
{
	heap_buffer_drop_idle_vmaps(ULONG_MAX);
}

static void race_cpu_access(void *ctx)
{
	struct memory *mem = ctx;

	dma_buf_begin_cpu_access(mem->dmabuf, DMA_BIDIRECTIONAL);
	dma_buf_end_cpu_access(mem->dmabuf, DMA_BIDIRECTIONAL);
}

/* Passes if users of kernel mappings and memory pressure do not meet in one. */
static void vmap_against_drop(struct kunit *test)
{
	struct memory *mem = buffer_of(test, three_chunks);
	struct mock_race race = {
		.ctx = mem,
		.rounds = RACE_ROUNDS,
		.racer = { race_vmap, race_vmap, race_drop, race_cpu_access },
	};

	mock_race(test, &race);
	KUNIT_EXPECT_EQ(test, *memory_word(mem, memory_pages(mem) - 1), 1);
}

struct life_race {
	atomic_t nr_added;
	atomic_t nr_freed;
};

static void life_free(void *priv, struct page *page, unsigned long nr_pages)
{
	struct life_race *race = priv;

	__free_pages(page, ilog2(nr_pages));
	atomic_inc(&race->nr_freed);
}

static int life_add(struct heap_buffer *buf, struct life_race *race)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	int ret = page ? heap_buffer_add(buf, page, 1) : -ENOMEM;

	if (!ret)
		atomic_inc(&race->nr_added);
	else if (page)
		__free_page(page);
	return ret;
}

/* A buffer that goes with an idle mapping. */
static void race_life(void *ctx)
{
	struct heap_buffer *buf = heap_buffer_alloc(life_free, ctx);
	struct dma_buf *dmabuf;
	struct iosys_map map;

	if (!buf)
		return;
	if (life_add(buf, ctx) || life_add(buf, ctx)) {
		heap_buffer_free(buf);
		return;
	}
	dmabuf = heap_buffer_export(buf, "kunit", O_RDWR);
	if (IS_ERR(dmabuf))
		return;
	if (!dma_buf_vmap_unlocked(dmabuf, &map))
		dma_buf_vunmap_unlocked(dmabuf, &map);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

/* Passes if buffers that go and memory pressure do not unmap the same, and nothing stays. */
static void release_against_drop(struct kunit *test)
{
	/* Buffers that are late look at it when the test is over. */
	static struct life_race life;
	struct mock_race race = {
		.ctx = &life,
		.rounds = RACE_ROUNDS,
		.racer = { race_life, race_life, race_drop, race_drop },
	};

	atomic_set(&life.nr_added, 0);
	atomic_set(&life.nr_freed, 0);
	mock_race(test, &race);
	for (int i = 0; i < 1000; i++) {
		flush_delayed_fput();
		if (atomic_read(&life.nr_freed) == atomic_read(&life.nr_added))
			break;
		msleep(20);
	}
	KUNIT_EXPECT_GT(test, atomic_read(&life.nr_added), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&life.nr_freed), atomic_read(&life.nr_added));
	KUNIT_EXPECT_EQ(test, heap_buffer_drop_idle_vmaps(ULONG_MAX), 0);
}

struct map_race {
	struct memory *mem;
	struct dma_buf_attachment *attach;
};

static void race_map(void *ctx)
{
	struct map_race *race = ctx;
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment_unlocked(race->attach, DMA_BIDIRECTIONAL);
	if (!IS_ERR(sgt))
		dma_buf_unmap_attachment_unlocked(race->attach, sgt, DMA_BIDIRECTIONAL);
}

static void race_map_cpu_access(void *ctx)
{
	struct map_race *race = ctx;

	race_cpu_access(race->mem);
}

/* Passes if CPU access meets only mappings that are there. */
static void map_against_cpu_access(struct kunit *test)
{
	struct map_race ctx;
	struct mock_race race = {
		.ctx = &ctx,
		.rounds = RACE_ROUNDS,
		.racer = { race_map, race_map, race_map_cpu_access, race_map_cpu_access },
	};

	need_dma(test);
	ctx.mem = buffer_of(test, three_chunks);
	ctx.attach = attach(ctx.mem);
	mock_race(test, &race);
	dma_buf_detach(ctx.mem->dmabuf, ctx.attach);
}

static struct kunit_case heap_buffer_cases[] = {
	KUNIT_CASE(release_returns_every_chunk),
	KUNIT_CASE(free_returns_what_was_added),
	KUNIT_CASE(get_pfn_finds_every_page),
	KUNIT_CASE(get_pfn_tells_the_order),
	KUNIT_CASE(map_covers_every_chunk),
	KUNIT_CASE(map_twice_makes_two_mappings),
	KUNIT_CASE(cpu_access_fits_every_mapping),
	KUNIT_CASE(cpu_access_moves_the_data),
	KUNIT_CASE(vmap_of_one_chunk_maps_nothing),
	KUNIT_CASE(vmap_shows_every_page),
	KUNIT_CASE(vmap_again_finds_the_mapping),
	KUNIT_CASE(vmap_in_use_is_not_dropped),
	KUNIT_CASE(vmap_after_drop_maps_again),
	KUNIT_CASE(drop_begins_with_the_oldest),
	KUNIT_CASE(release_drops_the_mapping),
#ifndef MODULE
	KUNIT_CASE(no_address_left_drops_the_mapping),
#endif
	KUNIT_CASE(shared_mapping_is_the_buffer),
	KUNIT_CASE(private_mapping_copies_on_write),
	KUNIT_CASE(mappings_own_no_pages),
	KUNIT_CASE_SLOW(vmap_against_drop),
	KUNIT_CASE_SLOW(release_against_drop),
	KUNIT_CASE_SLOW(map_against_cpu_access),
	{}
};

static struct kunit_suite heap_buffer_suite = {
	.name = "heap_buffer",
	.test_cases = heap_buffer_cases,
};

kunit_test_suite(heap_buffer_suite);

#endif /* DMABUF_OURS */
