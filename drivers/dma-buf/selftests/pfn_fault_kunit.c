// SPDX-License-Identifier: GPL-2.0
/*
 * Lazy mappings: what mmap() and a fault ask the buffer for, and that what the
 * program sees through the mapping is the right page. The file under test is
 * a file of this suite's own whose mmap callback is pfn_source_mmap().
 */

#include "mock.h"

#if DMABUF_OURS

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include <kunit/test.h>
#include <kunit/visibility.h>

#include "../pfn-fault.h"

MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);

#define MAX_RUNS	4
/* Aligned for huge pages, and used by nothing else in the mm of a test. */
#define FIXED_ADDR	0x20000000UL
#define HUGE_PAGES	(PMD_SIZE / PAGE_SIZE)

/* A buffer of up to four runs, with holes where a page is missing. */
struct source {
	struct pfn_source src;
	struct pfn_run run[MAX_RUNS];
	unsigned int nr_runs;
	/* How often it has been asked, changed under a page table's lock. */
	unsigned int asked;
	struct file *file;
};

static bool source_run_at(const struct pfn_source *src, pgoff_t pgoff,
			  struct pfn_run *run)
{
	struct source *s = container_of(src, struct source, src);

	s->asked++;
	for (unsigned int i = 0; i < s->nr_runs; i++) {
		if (pgoff >= s->run[i].pgoff &&
		    pgoff - s->run[i].pgoff < s->run[i].nr) {
			*run = s->run[i];
			return true;
		}
	}
	return false;
}

static int source_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct source *s = file->private_data;

	return pfn_source_mmap(&s->src, vma);
}

static const struct file_operations source_fops = {
	.mmap = source_file_mmap,
};

struct free_pages_arg {
	unsigned long addr;
	unsigned int order;
};

static void source_free_pages(void *arg)
{
	struct free_pages_arg *pages = arg;

	free_pages(pages->addr, pages->order);
}

static void source_put_file(void *file)
{
	/* The mm of the test is gone: so is its reference to the file. */
	fput(file);
}

static struct source *source_create(struct kunit *test)
{
	struct source *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->src.run_at = source_run_at;
	s->file = anon_inode_getfile("pfn_fault_test", &source_fops, s, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s->file);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, source_put_file, s->file));
	return s;
}

/* Append 2^@order pages, each of which says where in the buffer it is. */
static void source_add(struct kunit *test, struct source *s, pgoff_t pgoff,
		       unsigned int order)
{
	struct free_pages_arg *pages = kunit_kzalloc(test, sizeof(*pages), GFP_KERNEL);
	struct pfn_run *run = &s->run[s->nr_runs];

	KUNIT_ASSERT_NOT_NULL(test, pages);
	KUNIT_ASSERT_LT(test, s->nr_runs, MAX_RUNS);
	pages->order = order;
	pages->addr = __get_free_pages(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN, order);
	if (!pages->addr)
		kunit_skip(test, "no contiguous memory of order %u", order);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, source_free_pages, pages));

	run->pfn = page_to_pfn(virt_to_page((void *)pages->addr));
	run->pgoff = pgoff;
	run->nr = 1UL << order;
	for (unsigned long i = 0; i < run->nr; i++)
		*(u32 *)(pages->addr + i * PAGE_SIZE) = pgoff + i;
	s->nr_runs++;
}

static void *source_page(struct source *s, pgoff_t pgoff)
{
	for (unsigned int i = 0; i < s->nr_runs; i++) {
		if (pgoff >= s->run[i].pgoff &&
		    pgoff - s->run[i].pgoff < s->run[i].nr)
			return page_address(pfn_to_page(s->run[i].pfn + pgoff - s->run[i].pgoff));
	}
	return NULL;
}

static void source_map_at(struct kunit *test, struct source *s, unsigned long addr,
			  unsigned long nr, unsigned long pgoff)
{
	if (IS_ENABLED(CONFIG_UML))
		kunit_skip(test, "a kernel thread of UML has no user memory");
	KUNIT_ASSERT_EQ(test, addr,
			kunit_vm_mmap(test, s->file, addr, nr * PAGE_SIZE,
				      PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
				      pgoff * PAGE_SIZE));
}

static unsigned long source_map(struct kunit *test, struct source *s,
				unsigned long nr, unsigned long pgoff)
{
	source_map_at(test, s, FIXED_ADDR, nr, pgoff);
	return FIXED_ADDR;
}

static u32 user_word(struct kunit *test, unsigned long addr)
{
	u32 word = ~0;

	KUNIT_EXPECT_EQ(test, 0, get_user(word, (u32 __user *)addr));
	return word;
}

static bool is_bus_error(unsigned long addr)
{
	u32 word = ~0;

	/* What could not be read is zero. */
	return get_user(word, (u32 __user *)addr) == -EFAULT && !word;
}

/* Passes if mmap() looks at no page. */
static void mmap_touches_nothing(struct kunit *test)
{
	struct source *s = source_create(test);

	source_add(test, s, 0, 2);
	source_map(test, s, 4, 0);
	KUNIT_EXPECT_EQ(test, s->asked, 0);
}

/* Passes if one fault fills in all that shares a page table, across runs. */
static void fault_fills_the_page_table(struct kunit *test)
{
	struct source *s = source_create(test);
	unsigned long addr;

	source_add(test, s, 0, 3);
	source_add(test, s, 8, 0);
	source_add(test, s, 9, 2);
	addr = source_map(test, s, 13, 0);

	KUNIT_EXPECT_EQ(test, user_word(test, addr + 10 * PAGE_SIZE), 10);
	/* Once for each run, and at most once more for a huge page. */
	KUNIT_EXPECT_GE(test, s->asked, 3);
	KUNIT_EXPECT_LE(test, s->asked, 4);

	s->asked = 0;
	for (u32 i = 0; i < 13; i++)
		KUNIT_EXPECT_EQ(test, user_word(test, addr + i * PAGE_SIZE), i);
	KUNIT_EXPECT_EQ(test, s->asked, 0);
}

/* Passes if a fault leaves what is in the next page table to another one. */
static void fault_ends_with_the_page_table(struct kunit *test)
{
	unsigned long addr = FIXED_ADDR + PMD_SIZE - 2 * PAGE_SIZE;
	struct source *s = source_create(test);

	source_add(test, s, 0, 1);
	source_add(test, s, 2, 1);
	source_map_at(test, s, addr, 4, 0);

	KUNIT_EXPECT_EQ(test, user_word(test, addr), 0);
	KUNIT_EXPECT_EQ(test, s->asked, 1);
	KUNIT_EXPECT_EQ(test, user_word(test, addr + 3 * PAGE_SIZE), 3);
	KUNIT_EXPECT_EQ(test, s->asked, 2);
	for (u32 i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, user_word(test, addr + i * PAGE_SIZE), i);
	KUNIT_EXPECT_EQ(test, s->asked, 2);
}

/* Passes if a mapping that begins inside a run shows the pages from there on. */
static void fault_respects_the_offset(struct kunit *test)
{
	struct source *s = source_create(test);
	unsigned long addr;

	source_add(test, s, 0, 3);
	source_add(test, s, 8, 1);
	addr = source_map(test, s, 5, 5);

	for (u32 i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, user_word(test, addr + i * PAGE_SIZE), 5 + i);
}

/* Passes if what a program writes is in the page. */
static void write_reaches_the_page(struct kunit *test)
{
	struct source *s = source_create(test);
	unsigned long addr;

	source_add(test, s, 0, 1);
	addr = source_map(test, s, 2, 0);

	KUNIT_EXPECT_EQ(test, 0, put_user(0x12345678, (u32 __user *)(addr + PAGE_SIZE)));
	KUNIT_EXPECT_EQ(test, *(u32 *)source_page(s, 1), 0x12345678);
	KUNIT_EXPECT_EQ(test, *(u32 *)source_page(s, 0), 0);
}

/* Passes if a page that the buffer does not have is a bus error, not a page. */
static void fault_without_page_fails(struct kunit *test)
{
	struct source *s = source_create(test);
	unsigned long addr;

	source_add(test, s, 0, 1);
	addr = source_map(test, s, 4, 0);

	KUNIT_EXPECT_EQ(test, user_word(test, addr + PAGE_SIZE), 1);
	KUNIT_EXPECT_TRUE(test, is_bus_error(addr + 3 * PAGE_SIZE));
}

/* Passes if a mapping that had to copy on write is refused. */
static void private_mapping_is_refused(struct kunit *test)
{
	struct source *s = source_create(test);
	unsigned long addr;

	source_add(test, s, 0, 0);
	addr = kunit_vm_mmap(test, s->file, FIXED_ADDR, PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_FIXED, 0);
	KUNIT_EXPECT_EQ(test, (long)addr, -EINVAL);
}

/*
 * Passes if an aligned piece as large as a page table gets one huge entry: the
 * buffer is asked once, and is not asked again wherever one looks.
 */
static void aligned_memory_is_mapped_huge(struct kunit *test)
{
	struct source *s = source_create(test);
	unsigned long addr;

	if (!IS_ENABLED(CONFIG_ARCH_SUPPORTS_PMD_PFNMAP))
		kunit_skip(test, "no huge entries for page frames");
	source_add(test, s, 0, PMD_SHIFT - PAGE_SHIFT);
	addr = source_map(test, s, HUGE_PAGES, 0);

	KUNIT_EXPECT_EQ(test, user_word(test, addr + 5 * PAGE_SIZE), 5);
	KUNIT_EXPECT_EQ(test, s->asked, 1);
	KUNIT_EXPECT_EQ(test, 0, put_user(99, (u32 __user *)addr));
	KUNIT_EXPECT_EQ(test, *(u32 *)source_page(s, 0), 99);
	KUNIT_EXPECT_EQ(test, user_word(test, addr + (HUGE_PAGES - 1) * PAGE_SIZE),
			HUGE_PAGES - 1);
	KUNIT_EXPECT_EQ(test, s->asked, 1);
}

/* Passes if a run that is long enough but not aligned is mapped page by page. */
static void shifted_memory_is_mapped_by_pages(struct kunit *test)
{
	struct source *s = source_create(test);
	unsigned long addr;

	source_add(test, s, 0, PMD_SHIFT - PAGE_SHIFT + 1);
	addr = source_map(test, s, HUGE_PAGES, 1);

	for (u32 i = 0; i < HUGE_PAGES; i++)
		KUNIT_EXPECT_EQ(test, user_word(test, addr + i * PAGE_SIZE), i + 1);
}

/* Passes if a run that is aligned but not long enough shows nothing behind its end. */
static void short_memory_is_mapped_by_pages(struct kunit *test)
{
	struct source *s = source_create(test);
	unsigned long addr;

	source_add(test, s, 0, PMD_SHIFT - PAGE_SHIFT);
	for (u32 i = HUGE_PAGES / 2; i < HUGE_PAGES; i++)
		*(u32 *)source_page(s, i) = ~0;
	/* The second half is not the buffer's any more. */
	s->run[0].nr = HUGE_PAGES / 2;
	source_add(test, s, HUGE_PAGES / 2, PMD_SHIFT - PAGE_SHIFT - 1);
	addr = source_map(test, s, HUGE_PAGES, 0);

	for (u32 i = 0; i < HUGE_PAGES; i++)
		KUNIT_EXPECT_EQ(test, user_word(test, addr + i * PAGE_SIZE), i);
}

/* Passes if a hole made in a huge mapping leaves the pages around it right. */
static void hole_in_a_huge_mapping_keeps_the_rest(struct kunit *test)
{
	struct source *s = source_create(test);
	unsigned long addr;

	source_add(test, s, 0, PMD_SHIFT - PAGE_SHIFT);
	addr = source_map(test, s, HUGE_PAGES, 0);
	KUNIT_EXPECT_EQ(test, user_word(test, addr), 0);

	KUNIT_ASSERT_EQ(test, 0, vm_munmap(addr + 7 * PAGE_SIZE, 2 * PAGE_SIZE));
	for (u32 i = 0; i < HUGE_PAGES; i++) {
		if (i == 7 || i == 8)
			KUNIT_EXPECT_TRUE(test, is_bus_error(addr + i * PAGE_SIZE));
		else
			KUNIT_EXPECT_EQ(test, user_word(test, addr + i * PAGE_SIZE), i);
	}
}

static struct kunit_case pfn_fault_cases[] = {
	KUNIT_CASE(mmap_touches_nothing),
	KUNIT_CASE(fault_fills_the_page_table),
	KUNIT_CASE(fault_ends_with_the_page_table),
	KUNIT_CASE(fault_respects_the_offset),
	KUNIT_CASE(write_reaches_the_page),
	KUNIT_CASE(fault_without_page_fails),
	KUNIT_CASE(private_mapping_is_refused),
	KUNIT_CASE(aligned_memory_is_mapped_huge),
	KUNIT_CASE(shifted_memory_is_mapped_by_pages),
	KUNIT_CASE(short_memory_is_mapped_by_pages),
	KUNIT_CASE(hole_in_a_huge_mapping_keeps_the_rest),
	{}
};

static struct kunit_suite pfn_fault_suite = {
	.name = "pfn_fault",
	.test_cases = pfn_fault_cases,
};

kunit_test_suite(pfn_fault_suite);

#endif /* DMABUF_OURS */
