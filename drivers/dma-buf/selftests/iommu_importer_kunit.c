// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers in a page table of ours: which pages it holds, of which size, and
 * when. The IOMMU is a table in memory that writes down what it is told; it
 * translates for nobody, so that the frames in it may be made up. At the end,
 * in a machine that has them, an IOMMU and a device that moves data through
 * it while the buffer moves.
 */

#include "mock.h"

#if DMABUF_OURS

#if IS_ENABLED(CONFIG_DMABUF_IOMMU_IMPORTER)

#include <linux/completion.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <kunit/test.h>
#include <kunit/visibility.h>

#include "mock_exporter.h"
#include "mock_fence.h"
#include "mock_importer.h"
#include "../iommu-edu.h"
#include "../iommu-importer.h"

MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);

#define NR_PAGES	64
/* What the IOMMU has: pages of the CPU, and of 4 and 16 times their size. */
#define ORDER_MIDDLE	2
#define ORDER_LARGE	4
#define PAGE_MIDDLE	(PAGE_SIZE << ORDER_MIDDLE)
#define PAGE_LARGE	(PAGE_SIZE << ORDER_LARGE)
#define NR_ORDERS	(ORDER_LARGE + 1)
/* The space ends where the device's addresses do, not the IOMMU's. */
#define SPACE_LAST	(SZ_1G - 1)
#define IOVA		((u64)PAGE_LARGE * 16)
#define READ_WRITE	(IOMMU_READ | IOMMU_WRITE)

/* How long a job takes, in jiffies. */
#define JOB_TIME	(HZ / 20 + 1)

/*
 * An IOMMU. Its operations are called with the reservation lock of one buffer
 * or another, so that only @pages needs a lock, which it has.
 */
struct fake_iommu {
	struct iommu_domain domain;
	struct xarray pages;		/* page of the address -> its frame */
	unsigned int nr[NR_ORDERS];	/* pages mapped so far, by their order */
	unsigned int overlaps;		/* pages mapped where there was one */
	unsigned int stale;		/* unmaps that nobody has flushed yet */
	int room;			/* pages until map fails; -1 for ever */
	struct dma_fence *fence;	/* nothing may change before it, or NULL */
	bool early;			/* something did */
};

struct iova_fixture {
	struct kunit *test;
	struct fake_iommu iommu;
	struct iova_space space;
	struct mock_exporter *exporter;
	struct delayed_work end_of_job;
	struct dma_fence *job;
	struct work_struct holder;
	struct completion held;
	struct completion let_go;
};

/* ---- the IOMMU ------------------------------------------------------------- */

static struct fake_iommu *to_fake(struct iommu_domain *domain)
{
	return container_of(domain, struct fake_iommu, domain);
}

static void fake_watch(struct fake_iommu *iommu)
{
	if (iommu->fence && !dma_fence_is_signaled(iommu->fence))
		iommu->early = true;
}

static int fake_map_page(struct fake_iommu *iommu, unsigned long index,
			 unsigned long pfn, gfp_t gfp)
{
	void *old;

	if (!iommu->room)
		return -ENOSPC;
	if (iommu->room > 0)
		iommu->room--;
	old = xa_store(&iommu->pages, index, xa_mk_value(pfn), gfp);
	if (xa_is_err(old))
		return xa_err(old);
	iommu->overlaps += !!old;
	return 0;
}

static int fake_map_pages(struct iommu_domain *domain, unsigned long iova,
			  phys_addr_t paddr, size_t pgsize, size_t pgcount,
			  int prot, gfp_t gfp, size_t *mapped)
{
	struct fake_iommu *iommu = to_fake(domain);
	size_t pages = pgsize * pgcount >> PAGE_SHIFT;
	int ret = 0;

	fake_watch(iommu);
	for (size_t i = 0; i < pages; i++) {
		ret = fake_map_page(iommu, (iova >> PAGE_SHIFT) + i,
				    PHYS_PFN(paddr) + i, gfp);
		if (ret)
			break;
		*mapped += PAGE_SIZE;
	}
	iommu->nr[ilog2(pgsize >> PAGE_SHIFT)] += pgcount;
	return ret;
}

static size_t fake_unmap_pages(struct iommu_domain *domain, unsigned long iova,
			       size_t pgsize, size_t pgcount,
			       struct iommu_iotlb_gather *gather)
{
	struct fake_iommu *iommu = to_fake(domain);
	size_t pages = pgsize * pgcount >> PAGE_SHIFT, i;

	fake_watch(iommu);
	for (i = 0; i < pages; i++) {
		if (!xa_erase(&iommu->pages, (iova >> PAGE_SHIFT) + i))
			break;
		iommu->stale++;
	}
	return i << PAGE_SHIFT;
}

static void fake_iotlb_sync(struct iommu_domain *domain,
			    struct iommu_iotlb_gather *gather)
{
	to_fake(domain)->stale = 0;
}

static phys_addr_t fake_iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
{
	void *entry = xa_load(&to_fake(domain)->pages, iova >> PAGE_SHIFT);

	return entry ? PFN_PHYS(xa_to_value(entry)) + offset_in_page(iova) : 0;
}

static const struct iommu_domain_ops fake_ops = {
	.map_pages = fake_map_pages,
	.unmap_pages = fake_unmap_pages,
	.iotlb_sync = fake_iotlb_sync,
	.iova_to_phys = fake_iova_to_phys,
};

static void fake_init(struct fake_iommu *iommu)
{
	xa_init(&iommu->pages);
	iommu->room = -1;
	iommu->domain = (struct iommu_domain) {
		.type = IOMMU_DOMAIN_UNMANAGED,
		.ops = &fake_ops,
		.pgsize_bitmap = PAGE_SIZE | PAGE_MIDDLE | PAGE_LARGE,
		.geometry = { .aperture_end = ULONG_MAX >> 1 },
	};
}

/* ---- set-up ------------------------------------------------------------------ */

/* Nothing is in the page table, and nothing in a cache of it. */
static void expect_empty(struct iova_fixture *fix)
{
	KUNIT_EXPECT_TRUE(fix->test, xa_empty(&fix->iommu.pages));
	KUNIT_EXPECT_EQ(fix->test, fix->iommu.stale, 0);
}

static void fixture_fini(void *data)
{
	struct iova_fixture *fix = data;

	flush_delayed_work(&fix->end_of_job);
	if (!fix->space.closed)
		iova_space_close(&fix->space);
	expect_empty(fix);
	KUNIT_EXPECT_EQ(fix->test, fix->iommu.overlaps, 0);
	KUNIT_EXPECT_EQ(fix->test, fix->space.nr_mappings, 0);
	KUNIT_EXPECT_FALSE_MSG(fix->test, fix->iommu.early,
			       "page table changed before a fence had signaled");
	xa_destroy(&fix->iommu.pages);
	dma_fence_put(fix->job);
}

static void end_of_job(struct work_struct *work)
{
	struct iova_fixture *fix = container_of(to_delayed_work(work),
						struct iova_fixture, end_of_job);

	if (fix->job)
		dma_fence_signal(fix->job);
}

/* Has the locks of the space and of the buffer, until it is told otherwise. */
static void holder(struct work_struct *work)
{
	struct iova_fixture *fix = container_of(work, struct iova_fixture, holder);

	mutex_lock(&fix->space.lock);
	dma_resv_lock(fix->exporter->resv, NULL);
	complete(&fix->held);
	wait_for_completion(&fix->let_go);
	dma_resv_unlock(fix->exporter->resv);
	mutex_unlock(&fix->space.lock);
}

/* Whoever wants a lock has to wait now. */
static void hold_locks(struct iova_fixture *fix)
{
	schedule_work(&fix->holder);
	wait_for_completion(&fix->held);
}

static void let_go_of_locks(struct iova_fixture *fix)
{
	complete(&fix->let_go);
	flush_work(&fix->holder);
}

static struct iova_fixture *fixture_create(struct kunit *test,
					   const struct mock_exporter_config *config)
{
	struct iova_fixture *fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fix);
	fix->test = test;
	fix->exporter = mock_exporter_create(test, config);
	fake_init(&fix->iommu);
	INIT_DELAYED_WORK(&fix->end_of_job, end_of_job);
	INIT_WORK(&fix->holder, holder);
	init_completion(&fix->held);
	init_completion(&fix->let_go);
	KUNIT_ASSERT_EQ(test, 0, iova_space_init(&fix->space, &fix->iommu.domain,
						 mock_device(test), SPACE_LAST));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, fixture_fini, fix));
	return fix;
}

/* With an exporter whose buffer moves. */
static struct iova_fixture *movable(struct kunit *test)
{
	static const struct mock_exporter_config config = {
		.flags = MOCK_PFN | MOCK_MOVABLE,
		.nr_pages = NR_PAGES,
	};

	if (!IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY))
		kunit_skip(test, "no buffer moves in this kernel");
	return fixture_create(test, &config);
}

/* With one whose buffer never does. */
static struct iova_fixture *fixed(struct kunit *test)
{
	static const struct mock_exporter_config config = {
		.flags = MOCK_PFN,
		.nr_pages = NR_PAGES,
	};

	return fixture_create(test, &config);
}

static int map_at(struct iova_fixture *fix, u64 iova)
{
	return iova_space_map(&fix->space, fix->exporter->dmabuf, iova, READ_WRITE);
}

/* Where page @i of the buffer is now. */
static phys_addr_t page_phys(struct iova_fixture *fix, unsigned int i)
{
	unsigned long first = PHYS_PFN(virt_to_phys(fix->exporter->pages));

	return PFN_PHYS(first + fix->exporter->pfn_skew + i);
}

/* The first page that is not where it should be, NR_PAGES if there is none. */
static unsigned int wrong_page(struct iova_fixture *fix, u64 iova)
{
	unsigned int i;

	for (i = 0; i < fix->exporter->config.nr_pages; i++) {
		if (iommu_iova_to_phys(&fix->iommu.domain, iova + i * PAGE_SIZE) !=
		    page_phys(fix, i))
			return i;
	}
	return NR_PAGES;
}

static void expect_mapped(struct iova_fixture *fix, u64 iova)
{
	KUNIT_EXPECT_EQ_MSG(fix->test, wrong_page(fix, iova), NR_PAGES,
			    "page at the wrong place");
}

static struct iova_query query_at(struct iova_fixture *fix, u64 iova)
{
	struct iova_mapping *mapping = iova_space_find(&fix->space, iova, 1);
	struct iova_query query = {};

	KUNIT_ASSERT_NOT_ERR_OR_NULL(fix->test, mapping);
	KUNIT_EXPECT_EQ(fix->test, 0, iova_mapping_query(mapping, iova, &query));
	iova_mapping_put(mapping);
	return query;
}

/* As a job does before it starts. */
static int validate_at(struct iova_fixture *fix, u64 iova)
{
	struct iova_mapping *mapping = iova_space_find(&fix->space, iova, 1);
	struct dma_resv *resv;
	int ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(fix->test, mapping);
	resv = mapping->dmabuf->resv;
	dma_resv_lock(resv, NULL);
	ret = iova_mapping_validate(mapping);
	dma_resv_unlock(resv);
	iova_mapping_put(mapping);
	return ret;
}

/* Let a fence, borrowed, signal a little later; until then the page table must not change. */
static struct dma_fence *start_job(struct iova_fixture *fix)
{
	flush_delayed_work(&fix->end_of_job);
	dma_fence_put(fix->job);
	fix->job = mock_fence_create(fix->test);
	fix->iommu.fence = fix->job;
	schedule_delayed_work(&fix->end_of_job, JOB_TIME);
	return fix->job;
}

/* A job of that kind uses the mapping. */
static void start_job_at(struct iova_fixture *fix, u64 iova)
{
	struct iova_mapping *mapping = iova_space_find(&fix->space, iova, 1);
	struct dma_resv *resv;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(fix->test, mapping);
	resv = mapping->dmabuf->resv;
	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(fix->test, 0, iova_mapping_validate(mapping));
	iova_mapping_track(mapping, start_job(fix));
	dma_resv_unlock(resv);
	iova_mapping_put(mapping);
}

/* ---- init -------------------------------------------------------------------- */

/* Passes if an IOMMU whose smallest page is larger than the CPU's is refused. */
static void init_without_small_pages_returns_eopnotsupp(struct kunit *test)
{
	struct fake_iommu iommu = {};
	struct iova_space space;

	fake_init(&iommu);
	iommu.domain.pgsize_bitmap = PAGE_MIDDLE;
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			iova_space_init(&space, &iommu.domain, NULL, SPACE_LAST));
}

/* Passes if a device that reaches nothing the IOMMU translates is refused. */
static void init_without_addresses_returns_eopnotsupp(struct kunit *test)
{
	struct fake_iommu iommu = {};
	struct iova_space space;

	fake_init(&iommu);
	iommu.domain.geometry.aperture_start = SZ_1G;
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			iova_space_init(&space, &iommu.domain, NULL, SPACE_LAST));
}

/* ---- map --------------------------------------------------------------------- */

struct kind {
	const char *desc;
	unsigned int flags;
};

static const struct kind kinds[] = {
	{ "static", MOCK_PFN },
	{ "movable", MOCK_PFN | MOCK_MOVABLE },
	{ "frames_only", MOCK_PFN | MOCK_NO_MAP },
	{ "movable_frames_only", MOCK_PFN | MOCK_NO_MAP | MOCK_MOVABLE },
	{ "cached", MOCK_PFN | MOCK_CACHED },
};

KUNIT_ARRAY_PARAM_DESC(kind, kinds, desc);

/*
 * Passes if each page is where the exporter says, the DMA API is left alone,
 * and unmap leaves nothing.
 */
static void map_shows_each_page(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	const struct mock_exporter_config config = {
		.flags = kind->flags,
		.nr_pages = NR_PAGES,
	};
	struct iova_fixture *fix = fixture_create(test, &config);
	struct iova_query query;

	KUNIT_ASSERT_EQ(test, 0, map_at(fix, IOVA));
	expect_mapped(fix, IOVA);
	KUNIT_EXPECT_EQ(test, fix->space.nr_mappings, 1);
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(fix->exporter, MOCK_MAP), 0);

	query = query_at(fix, IOVA + 3 * PAGE_SIZE + 5);
	KUNIT_EXPECT_EQ(test, query.phys, page_phys(fix, 3) + 5);
	KUNIT_EXPECT_TRUE(test, query.present);
	KUNIT_EXPECT_EQ(test, query.nr_moves, 0);

	KUNIT_EXPECT_EQ(test, 0, iova_space_unmap(&fix->space, IOVA));
	expect_empty(fix);
	KUNIT_EXPECT_EQ(test, fix->space.nr_mappings, 0);
	KUNIT_EXPECT_EQ(test, fix->exporter->nr_attached, 0);
}

/*
 * Which pages a buffer is mapped with. @order is what the exporter says,
 * @shift the distance of the address from a multiple of the largest page.
 */
struct size_row {
	const char *desc;
	unsigned int nr_pages;
	unsigned int order;
	unsigned long shift;
	unsigned int nr_blocks;
	unsigned int nr[NR_ORDERS];
};

static const struct size_row size_rows[] = {
	{ "all_contiguous", 64, 6, 0, 1, { [ORDER_LARGE] = 4 } },
	{ "large_blocks", 64, 4, 0, 4, { [ORDER_LARGE] = 4 } },
	{ "middle_blocks", 64, 3, 0, 8, { [ORDER_MIDDLE] = 16 } },
	{ "small_blocks", 64, 1, 0, 32, { [0] = 64 } },
	{ "single_pages", 64, 0, 0, 64, { [0] = 64 } },
	{ "address_for_middle", 64, 6, PAGE_MIDDLE, 1, { [ORDER_MIDDLE] = 16 } },
	{ "address_for_small", 64, 6, PAGE_SIZE, 1, { [0] = 64 } },
	{ "odd_end", 21, 6, 0, 3, { [ORDER_LARGE] = 1, [ORDER_MIDDLE] = 1, [0] = 1 } },
	{ "one_page", 1, 0, PAGE_SIZE, 1, { [0] = 1 } },
};

KUNIT_ARRAY_PARAM_DESC(size_row, size_rows, desc);

/* Passes if the largest pages are used that exporter, address and end allow. */
static void map_uses_the_largest_pages(struct kunit *test)
{
	const struct size_row *row = test->param_value;
	const struct mock_exporter_config config = {
		.flags = MOCK_PFN,
		.nr_pages = row->nr_pages,
	};
	struct iova_fixture *fix = fixture_create(test, &config);
	u64 iova = IOVA + row->shift;
	struct iova_query query;

	fix->exporter->pfn_order = row->order;
	KUNIT_ASSERT_EQ(test, 0, map_at(fix, iova));
	expect_mapped(fix, iova);
	for (unsigned int i = 0; i < NR_ORDERS; i++)
		KUNIT_EXPECT_EQ_MSG(test, fix->iommu.nr[i], row->nr[i],
				    "pages of order %u", i);

	query = query_at(fix, iova);
	KUNIT_EXPECT_EQ(test, query.nr_blocks, row->nr_blocks);
	KUNIT_EXPECT_EQ(test, query.max_order,
			min_t(unsigned int, row->order, ilog2(row->nr_pages)));
	/* CONFIG_DMABUF_CONTRACT asks for itself whether a block is contiguous. */
	if (!IS_ENABLED(CONFIG_DMABUF_CONTRACT))
		KUNIT_EXPECT_EQ(test, mock_exporter_calls(fix->exporter, MOCK_GET_PFN),
				row->nr_blocks);
}

/* Passes if the same buffer can be in two places, and one of them be undone. */
static void map_twice_makes_two_mappings(struct kunit *test)
{
	struct iova_fixture *fix = fixed(test);
	u64 other = IOVA + NR_PAGES * PAGE_SIZE;

	KUNIT_ASSERT_EQ(test, 0, map_at(fix, IOVA));
	KUNIT_ASSERT_EQ(test, 0, map_at(fix, other));
	expect_mapped(fix, IOVA);
	expect_mapped(fix, other);
	KUNIT_EXPECT_EQ(test, 0, iova_space_unmap(&fix->space, IOVA));
	expect_mapped(fix, other);
	KUNIT_EXPECT_EQ(test, 0, map_at(fix, IOVA));
	expect_mapped(fix, IOVA);
}

struct bad_row {
	const char *desc;
	u64 iova;
	int ret;
};

/* There is a buffer of NR_PAGES at IOVA. */
static const struct bad_row bad_rows[] = {
	{ "unaligned", IOVA + 2 * NR_PAGES * PAGE_SIZE + 1, -EINVAL },
	{ "around_the_end", ~(u64)0 << PAGE_SHIFT, -EOVERFLOW },
	{ "behind_the_end", SPACE_LAST + 1, -ERANGE },
	{ "over_the_end", SPACE_LAST + 1 - PAGE_SIZE, -ERANGE },
	{ "before_the_start", 0, -ERANGE },
	{ "same_place", IOVA, -EEXIST },
	{ "over_its_first_page", IOVA - (NR_PAGES - 1) * PAGE_SIZE, -EEXIST },
	{ "over_its_last_page", IOVA + (NR_PAGES - 1) * PAGE_SIZE, -EEXIST },
	{ "before_it", IOVA - NR_PAGES * PAGE_SIZE, 0 },
	{ "behind_it", IOVA + NR_PAGES * PAGE_SIZE, 0 },
	{ "up_to_the_end", SPACE_LAST + 1 - NR_PAGES * PAGE_SIZE, 0 },
	{ "from_the_start", PAGE_SIZE, 0 },
};

KUNIT_ARRAY_PARAM_DESC(bad_row, bad_rows, desc);

/* Passes if an address is taken or refused as the table says, and nothing changes. */
static void map_at_bad_address_is_refused(struct kunit *test)
{
	const struct bad_row *row = test->param_value;
	struct iova_fixture *fix = fixed(test);

	fix->space.first = PAGE_SIZE;
	KUNIT_ASSERT_EQ(test, 0, map_at(fix, IOVA));
	KUNIT_EXPECT_EQ(test, row->ret, map_at(fix, row->iova));
	expect_mapped(fix, IOVA);
	KUNIT_EXPECT_EQ(test, fix->space.nr_mappings, row->ret ? 1 : 2);
	KUNIT_EXPECT_EQ(test, fix->exporter->nr_attached, row->ret ? 1 : 2);
}

/* Passes if a reserved range is kept free, and what is next to it is not. */
static void map_over_reserved_range_returns_eexist(struct kunit *test)
{
	struct iova_fixture *fix = fixed(test);
	u64 size = NR_PAGES * PAGE_SIZE;

	KUNIT_ASSERT_EQ(test, 0, iova_space_reserve(&fix->space, IOVA, IOVA + size - 1));
	/* Partly, and wholly, where no mapping can be anyway. */
	KUNIT_EXPECT_EQ(test, 0, iova_space_reserve(&fix->space, SPACE_LAST, SPACE_LAST + size));
	KUNIT_EXPECT_EQ(test, 0, iova_space_reserve(&fix->space, SPACE_LAST + 1, ~(u64)0));

	KUNIT_EXPECT_EQ(test, -EEXIST, map_at(fix, IOVA));
	KUNIT_EXPECT_EQ(test, -EEXIST, map_at(fix, IOVA + size - PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, -EEXIST, map_at(fix, SPACE_LAST + 1 - size));
	KUNIT_EXPECT_EQ(test, 0, map_at(fix, IOVA + size));
	KUNIT_EXPECT_EQ(test, -ENOENT, iova_space_unmap(&fix->space, IOVA));
	KUNIT_EXPECT_EQ(test, -ENOENT, PTR_ERR(iova_space_find(&fix->space, IOVA, 1)));
}

/* Passes if there is a bound, and room again after an unmap. */
static void map_too_often_returns_enospc(struct kunit *test)
{
	struct iova_fixture *fix = fixed(test);
	u64 size = NR_PAGES * PAGE_SIZE;

	fix->space.max_mappings = 2;
	KUNIT_EXPECT_EQ(test, 0, map_at(fix, IOVA));
	KUNIT_EXPECT_EQ(test, 0, map_at(fix, IOVA + size));
	KUNIT_EXPECT_EQ(test, -ENOSPC, map_at(fix, IOVA + 2 * size));
	KUNIT_EXPECT_EQ(test, 0, iova_space_unmap(&fix->space, IOVA));
	KUNIT_EXPECT_EQ(test, 0, map_at(fix, IOVA + 2 * size));
}

/* What a map that failed leaves: nothing at all. */
static void expect_untouched(struct iova_fixture *fix)
{
	expect_empty(fix);
	KUNIT_EXPECT_EQ(fix->test, fix->space.nr_mappings, 0);
	KUNIT_EXPECT_EQ(fix->test, fix->exporter->nr_attached, 0);
	KUNIT_EXPECT_EQ(fix->test, fix->exporter->nr_pinned, 0);
	KUNIT_EXPECT_EQ(fix->test, -ENOENT, iova_space_unmap(&fix->space, IOVA));
}

/* Passes if an exporter without page frames is refused. */
static void map_without_get_pfn_returns_eopnotsupp(struct kunit *test)
{
	static const struct mock_exporter_config config;
	struct iova_fixture *fix = fixture_create(test, &config);

	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, map_at(fix, IOVA));
	expect_untouched(fix);
}

/* Passes if the exporter's refusal is passed on. */
static void map_when_attach_fails_is_undone(struct kunit *test)
{
	struct iova_fixture *fix = fixed(test);

	mock_exporter_fail(fix->exporter, MOCK_ATTACH, 1, -EBUSY);
	KUNIT_EXPECT_EQ(test, -EBUSY, map_at(fix, IOVA));
	expect_untouched(fix);
	KUNIT_EXPECT_EQ(test, 0, map_at(fix, IOVA));
}

/* Passes if what is mapped already goes when a later page has no frame. */
static void map_when_get_pfn_fails_is_undone(struct kunit *test)
{
	struct iova_fixture *fix = fixed(test);

	fix->exporter->pfn_order = 0;
	for (unsigned int nth = 1; nth <= NR_PAGES; nth++) {
		mock_exporter_fail(fix->exporter, MOCK_GET_PFN, nth, -EIO);
		KUNIT_EXPECT_EQ(test, -EIO, map_at(fix, IOVA));
		expect_untouched(fix);
	}
	KUNIT_EXPECT_EQ(test, 0, map_at(fix, IOVA));
	expect_mapped(fix, IOVA);
}

/* Passes if a failure of the IOMMU at any page leaves nothing mapped. */
static void map_when_iommu_fails_is_undone(struct kunit *test)
{
	struct iova_fixture *fix = fixed(test);

	fix->exporter->pfn_order = 3;
	for (int room = 0; room < NR_PAGES; room++) {
		fix->iommu.room = room;
		KUNIT_EXPECT_EQ(test, -ENOSPC, map_at(fix, IOVA));
		expect_untouched(fix);
	}
	fix->iommu.room = -1;
	KUNIT_EXPECT_EQ(test, 0, map_at(fix, IOVA));
	expect_mapped(fix, IOVA);
}

/* With a buffer that could move, in a space that does not follow it. */
static struct iova_fixture *pinned(struct kunit *test)
{
	static const struct mock_exporter_config config = {
		.flags = MOCK_PFN | MOCK_MOVABLE,
		.nr_pages = NR_PAGES,
	};
	struct iova_fixture *fix = fixture_create(test, &config);

	fix->space.pins = true;
	return fix;
}

/* Passes if pins are what a space has in a kernel where nobody tells of moves. */
static void init_chooses_pins_where_nothing_moves(struct kunit *test)
{
	struct iova_fixture *fix = fixed(test);

	KUNIT_EXPECT_EQ(test, fix->space.pins,
			!IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY));
}

/* Passes if a buffer that is not followed has one pin for as long as the mapping. */
static void map_pins_where_moves_are_not_followed(struct kunit *test)
{
	struct iova_fixture *fix = pinned(test);

	KUNIT_EXPECT_EQ(test, 0, map_at(fix, IOVA));
	expect_mapped(fix, IOVA);
	KUNIT_EXPECT_EQ(test, fix->exporter->nr_pinned, 1);
	KUNIT_EXPECT_EQ(test, 0, validate_at(fix, IOVA));
	KUNIT_EXPECT_EQ(test, fix->exporter->nr_pinned, 1);
	KUNIT_EXPECT_EQ(test, 0, iova_space_unmap(&fix->space, IOVA));
	expect_untouched(fix);
}

/* Passes if the mapping relies on no pin but its own. */
static void map_of_a_pinned_buffer_pins_too(struct kunit *test)
{
	struct iova_fixture *fix = pinned(test);
	struct dma_resv *resv = fix->exporter->resv;
	struct mock_importer *other;

	other = mock_importer_create(test, fix->exporter, true);
	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(test, 0, dma_buf_pin(other->attach));
	dma_resv_unlock(resv);
	KUNIT_EXPECT_EQ(test, 0, map_at(fix, IOVA));
	KUNIT_EXPECT_EQ(test, fix->exporter->nr_pinned, 2);

	dma_resv_lock(resv, NULL);
	dma_buf_unpin(other->attach);
	dma_resv_unlock(resv);
	KUNIT_EXPECT_EQ(test, fix->exporter->nr_pinned, 1);
	expect_mapped(fix, IOVA);
}

/* Passes if a pin that fails is passed on. */
static void map_when_pin_fails_is_undone(struct kunit *test)
{
	struct iova_fixture *fix = pinned(test);

	mock_exporter_fail(fix->exporter, MOCK_PIN, 1, -ENOMEM);
	KUNIT_EXPECT_EQ(test, -ENOMEM, map_at(fix, IOVA));
	expect_untouched(fix);
}

/* Passes if the pin goes when what comes after it fails. */
static void map_when_pinned_buffer_has_no_frames_is_undone(struct kunit *test)
{
	struct iova_fixture *fix = pinned(test);

	mock_exporter_fail(fix->exporter, MOCK_GET_PFN, 1, -EIO);
	KUNIT_EXPECT_EQ(test, -EIO, map_at(fix, IOVA));
	expect_untouched(fix);
}

/* The exporter moves the buffer to where it can be pinned, and the copy takes a while. */
static void move_at_pin(struct mock_exporter *exporter, enum mock_op op)
{
	struct iova_fixture *fix = exporter->hook_data;

	if (op != MOCK_PIN)
		return;
	dma_buf_move_notify(exporter->dmabuf);
	exporter->pfn_skew = NR_PAGES;
	KUNIT_EXPECT_EQ(fix->test, 0, dma_resv_reserve_fences(exporter->resv, 1));
	dma_resv_add_fence(exporter->resv, start_job(fix), DMA_RESV_USAGE_KERNEL);
}

/* Passes if a buffer that is moved to be pinned is mapped when it has arrived. */
static void map_waits_for_the_move_of_a_pin(struct kunit *test)
{
	struct iova_fixture *fix = pinned(test);

	fix->exporter->hook_data = fix;
	fix->exporter->hook = move_at_pin;
	KUNIT_EXPECT_EQ(test, 0, map_at(fix, IOVA));
	fix->exporter->hook = NULL;
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(fix->job));
	expect_mapped(fix, IOVA);
}

/* Passes if an exporter that cannot be asked for a pin is not. */
static void map_static_buffer_is_never_pinned(struct kunit *test)
{
	struct iova_fixture *fix = fixed(test);

	fix->space.pins = true;
	KUNIT_EXPECT_EQ(test, 0, map_at(fix, IOVA));
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(fix->exporter, MOCK_PIN), 0);
}

/* Passes if a buffer that is followed stays free to move, whatever its exporter says. */
static void map_of_followed_buffer_does_not_pin(struct kunit *test)
{
	struct iova_fixture *fix = movable(test);

	KUNIT_EXPECT_EQ(test, 0, map_at(fix, IOVA));
	mock_exporter_fail(fix->exporter, MOCK_GET_PFN, 1, -ENOENT);
	KUNIT_EXPECT_EQ(test, -ENOENT, map_at(fix, 2 * IOVA));
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(fix->exporter, MOCK_PIN), 0);
}

/* Passes if memory that the kernel still fills is not mapped before it is done. */
static void map_waits_for_the_kernel(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	const struct mock_exporter_config config = {
		.flags = kind->flags,
		.nr_pages = NR_PAGES,
	};
	struct iova_fixture *fix = fixture_create(test, &config);

	mock_exporter_add_fence(fix->exporter, start_job(fix), DMA_RESV_USAGE_KERNEL);
	KUNIT_EXPECT_EQ(test, 0, map_at(fix, IOVA));
	expect_mapped(fix, IOVA);
}

/* Passes if a mapping is no job: the fences of devices do not delay it. */
static void map_does_not_wait_for_devices(struct kunit *test)
{
	struct iova_fixture *fix = fixed(test);
	struct dma_fence *fence = mock_fence_create(test);

	mock_fence_put_at_exit(test, fence);
	mock_exporter_add_fence(fix->exporter, fence, DMA_RESV_USAGE_WRITE);
	KUNIT_EXPECT_EQ(test, 0, map_at(fix, IOVA));
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fence));
	dma_fence_signal(fence);
}

/* Passes if a signal ends the wait for the lock. */
static void map_when_interrupted_returns_erestartsys(struct kunit *test)
{
	struct iova_fixture *fix = fixed(test);
	int map, unmap, find, check;

	hold_locks(fix);
	mock_interrupt_begin();
	map = map_at(fix, IOVA);
	unmap = iova_space_unmap(&fix->space, IOVA);
	find = PTR_ERR(iova_space_find(&fix->space, IOVA, 1));
	check = iova_space_check(&fix->space, IOVA, 1);
	mock_interrupt_end();
	let_go_of_locks(fix);
	KUNIT_EXPECT_EQ(test, map, -ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, unmap, -ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, find, -ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, check, -ERESTARTSYS);
	expect_untouched(fix);
}

/* Passes if a process that is being killed does not go on filling the page table. */
static void map_when_killed_returns_eintr(struct kunit *test)
{
	struct iova_fixture *fix = fixed(test);
	int ret;

	fix->exporter->pfn_order = 0;
	mock_kill();
	ret = map_at(fix, IOVA);
	mock_revive();
	KUNIT_EXPECT_EQ(test, ret, -EINTR);
	KUNIT_EXPECT_EQ(test, fix->iommu.nr[0], 1);
	expect_untouched(fix);
	KUNIT_EXPECT_EQ(test, 0, map_at(fix, IOVA));
	expect_mapped(fix, IOVA);
}

/* ---- moves ------------------------------------------------------------------- */

/* Passes if the old place is gone when the exporter goes on, and the range is not. */
static void move_unmaps_at_once(struct kunit *test)
{
	struct iova_fixture *fix = movable(test);
	struct iova_query query;

	KUNIT_ASSERT_EQ(test, 0, map_at(fix, IOVA));
	mock_exporter_move(fix->exporter);
	expect_empty(fix);

	query = query_at(fix, IOVA);
	KUNIT_EXPECT_FALSE(test, query.present);
	KUNIT_EXPECT_EQ(test, query.phys, 0);
	KUNIT_EXPECT_EQ(test, query.nr_moves, 1);
	KUNIT_EXPECT_EQ(test, -EEXIST, map_at(fix, IOVA));

	mock_exporter_move(fix->exporter);
	KUNIT_EXPECT_EQ(test, query_at(fix, IOVA).nr_moves, 2);
}

/* Passes if the next job finds the new place, in pages as large as fit there. */
static void validate_after_move_maps_the_new_place(struct kunit *test)
{
	struct iova_fixture *fix = movable(test);
	struct iova_query query;

	KUNIT_ASSERT_EQ(test, 0, map_at(fix, IOVA));
	fix->exporter->pfn_skew = 4;
	mock_exporter_move(fix->exporter);
	KUNIT_EXPECT_EQ(test, 0, validate_at(fix, IOVA));
	expect_mapped(fix, IOVA);
	KUNIT_EXPECT_EQ(test, fix->iommu.nr[ORDER_LARGE], 4);
	KUNIT_EXPECT_EQ(test, fix->iommu.nr[ORDER_MIDDLE], 16);

	query = query_at(fix, IOVA);
	KUNIT_EXPECT_TRUE(test, query.present);
	KUNIT_EXPECT_EQ(test, query.nr_moves, 1);
	KUNIT_EXPECT_EQ(test, query.nr_blocks, 16);
	KUNIT_EXPECT_EQ(test, query.max_order, 2);
}

/* Passes if each mapping of a buffer follows. */
static void move_reaches_all_mappings(struct kunit *test)
{
	struct iova_fixture *fix = movable(test);
	u64 other = IOVA + 3 * NR_PAGES * PAGE_SIZE;

	KUNIT_ASSERT_EQ(test, 0, map_at(fix, IOVA));
	KUNIT_ASSERT_EQ(test, 0, map_at(fix, other));
	fix->exporter->pfn_skew = NR_PAGES;
	mock_exporter_move(fix->exporter);
	expect_empty(fix);
	KUNIT_EXPECT_EQ(test, 0, validate_at(fix, other));
	expect_mapped(fix, other);
	KUNIT_EXPECT_FALSE(test, query_at(fix, IOVA).present);
}

/* Passes if a mapping that is there is not made again. */
static void validate_without_move_does_nothing(struct kunit *test)
{
	struct iova_fixture *fix = movable(test);
	unsigned int calls;

	KUNIT_ASSERT_EQ(test, 0, map_at(fix, IOVA));
	calls = mock_exporter_calls(fix->exporter, MOCK_GET_PFN);
	KUNIT_EXPECT_EQ(test, 0, validate_at(fix, IOVA));
	KUNIT_EXPECT_EQ(test, calls, mock_exporter_calls(fix->exporter, MOCK_GET_PFN));
	expect_mapped(fix, IOVA);
}

/* Passes if the copy to the new place is waited for. */
static void validate_waits_for_the_move(struct kunit *test)
{
	struct iova_fixture *fix = movable(test);

	KUNIT_ASSERT_EQ(test, 0, map_at(fix, IOVA));
	mock_exporter_move(fix->exporter);
	mock_exporter_add_fence(fix->exporter, start_job(fix), DMA_RESV_USAGE_KERNEL);
	KUNIT_EXPECT_EQ(test, 0, validate_at(fix, IOVA));
	expect_mapped(fix, IOVA);
}

/* Passes if a signal ends that wait, with nothing mapped, and it can be repeated. */
static void validate_when_interrupted_returns_erestartsys(struct kunit *test)
{
	struct iova_fixture *fix = movable(test);
	struct dma_fence *fence = mock_fence_create(test);
	struct iova_mapping *mapping;
	int ret;

	mock_fence_put_at_exit(test, fence);
	KUNIT_ASSERT_EQ(test, 0, map_at(fix, IOVA));
	mock_exporter_move(fix->exporter);
	mock_exporter_add_fence(fix->exporter, fence, DMA_RESV_USAGE_KERNEL);
	mapping = iova_space_find(&fix->space, IOVA, 1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mapping);

	dma_resv_lock(fix->exporter->resv, NULL);
	mock_interrupt_begin();
	ret = iova_mapping_validate(mapping);
	mock_interrupt_end();
	dma_resv_unlock(fix->exporter->resv);
	iova_mapping_put(mapping);
	KUNIT_EXPECT_EQ(test, ret, -ERESTARTSYS);
	expect_empty(fix);

	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, 0, validate_at(fix, IOVA));
	expect_mapped(fix, IOVA);
}

/* Passes if a new place that cannot be mapped leaves nothing, and the next job retries. */
static void validate_when_iommu_fails_is_undone(struct kunit *test)
{
	struct iova_fixture *fix = movable(test);

	KUNIT_ASSERT_EQ(test, 0, map_at(fix, IOVA));
	mock_exporter_move(fix->exporter);
	fix->exporter->pfn_order = 2;
	fix->iommu.room = NR_PAGES / 2 + 1;
	KUNIT_EXPECT_EQ(test, -ENOSPC, validate_at(fix, IOVA));
	expect_empty(fix);
	KUNIT_EXPECT_FALSE(test, query_at(fix, IOVA).present);

	fix->iommu.room = -1;
	KUNIT_EXPECT_EQ(test, 0, validate_at(fix, IOVA));
	expect_mapped(fix, IOVA);
}

/* ---- jobs -------------------------------------------------------------------- */

/* Passes if the exporter gets to move the buffer when the device is done. */
static void move_waits_for_the_job(struct kunit *test)
{
	struct iova_fixture *fix = movable(test);

	KUNIT_ASSERT_EQ(test, 0, map_at(fix, IOVA));
	start_job_at(fix, IOVA);
	mock_exporter_move(fix->exporter);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(fix->job));
	expect_empty(fix);
}

/* Passes if a mapping is there for as long as its job. */
static void unmap_waits_for_the_job(struct kunit *test)
{
	struct iova_fixture *fix = fixed(test);

	KUNIT_ASSERT_EQ(test, 0, map_at(fix, IOVA));
	start_job_at(fix, IOVA);
	KUNIT_EXPECT_EQ(test, 0, iova_space_unmap(&fix->space, IOVA));
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(fix->job));
	expect_empty(fix);
}

/* Passes if the last of several jobs counts. */
static void track_replaces_the_job_before(struct kunit *test)
{
	struct dma_fence *before = mock_fence_create_signaled(test);
	struct iova_fixture *fix = fixed(test);
	struct iova_mapping *mapping;

	mock_fence_put_at_exit(test, before);
	KUNIT_ASSERT_EQ(test, 0, map_at(fix, IOVA));
	mapping = iova_space_find(&fix->space, IOVA, 1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mapping);
	dma_resv_lock(fix->exporter->resv, NULL);
	iova_mapping_track(mapping, before);
	dma_resv_unlock(fix->exporter->resv);
	iova_mapping_put(mapping);

	start_job_at(fix, IOVA);
	KUNIT_EXPECT_EQ(test, 0, iova_space_unmap(&fix->space, IOVA));
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(fix->job));
}

/* ---- the end ------------------------------------------------------------------- */

/* Passes if a space that is closed gives everything back, after its jobs. */
static void close_unmaps_what_is_left(struct kunit *test)
{
	struct iova_fixture *fix = fixed(test);

	KUNIT_ASSERT_EQ(test, 0, iova_space_reserve(&fix->space, 0, PAGE_SIZE - 1));
	KUNIT_ASSERT_EQ(test, 0, map_at(fix, IOVA));
	KUNIT_ASSERT_EQ(test, 0, map_at(fix, SPACE_LAST + 1 - NR_PAGES * PAGE_SIZE));
	start_job_at(fix, IOVA);
	iova_space_close(&fix->space);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(fix->job));
	expect_empty(fix);
	KUNIT_EXPECT_EQ(test, fix->exporter->nr_attached, 0);

	KUNIT_EXPECT_EQ(test, -ENODEV, map_at(fix, IOVA));
	KUNIT_EXPECT_EQ(test, -ENODEV, iova_space_unmap(&fix->space, IOVA));
	KUNIT_EXPECT_EQ(test, -ENODEV, PTR_ERR(iova_space_find(&fix->space, IOVA, 1)));
	KUNIT_EXPECT_EQ(test, -ENODEV, iova_space_check(&fix->space, IOVA, 1));
}

/* Passes if the mapping keeps a buffer that everybody else has given up. */
static void buffer_put_first_stays_mapped(struct kunit *test)
{
	struct iova_fixture *fix = fixed(test);

	KUNIT_ASSERT_EQ(test, 0, map_at(fix, IOVA));
	mock_exporter_put(fix->exporter);
	flush_delayed_fput();
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(fix->exporter, MOCK_RELEASE), 0);
	expect_mapped(fix, IOVA);
	KUNIT_EXPECT_EQ(test, 0, iova_space_unmap(&fix->space, IOVA));
	KUNIT_EXPECT_TRUE(test, mock_exporter_is_released(fix->exporter));
	expect_empty(fix);
}

/* Passes if who holds a mapping that is gone gets errors, and the buffer goes after. */
static void mapping_held_over_close_is_dead(struct kunit *test)
{
	struct iova_fixture *fix = fixed(test);
	struct iova_mapping *mapping;
	struct iova_query query;

	KUNIT_ASSERT_EQ(test, 0, map_at(fix, IOVA));
	mapping = iova_space_find(&fix->space, IOVA, 1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mapping);
	iova_space_close(&fix->space);
	expect_empty(fix);

	dma_resv_lock(fix->exporter->resv, NULL);
	KUNIT_EXPECT_EQ(test, -ENOENT, iova_mapping_validate(mapping));
	dma_resv_unlock(fix->exporter->resv);
	KUNIT_EXPECT_EQ(test, -ENOENT, iova_mapping_query(mapping, IOVA, &query));

	mock_exporter_put(fix->exporter);
	flush_delayed_fput();
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(fix->exporter, MOCK_RELEASE), 0);
	iova_mapping_put(mapping);
	KUNIT_EXPECT_TRUE(test, mock_exporter_is_released(fix->exporter));
}

/* Passes if the wait for the lock of a mapping ends at a signal. */
static void query_when_interrupted_returns_eintr(struct kunit *test)
{
	struct iova_fixture *fix = fixed(test);
	struct iova_mapping *mapping;
	struct iova_query query;
	int ret;

	KUNIT_ASSERT_EQ(test, 0, map_at(fix, IOVA));
	mapping = iova_space_find(&fix->space, IOVA, 1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mapping);
	hold_locks(fix);
	mock_interrupt_begin();
	ret = iova_mapping_query(mapping, IOVA, &query);
	mock_interrupt_end();
	let_go_of_locks(fix);
	iova_mapping_put(mapping);
	KUNIT_EXPECT_EQ(test, ret, -EINTR);
}

/* Passes if only the start of a mapping names it. */
static void unmap_inside_or_twice_returns_enoent(struct kunit *test)
{
	struct iova_fixture *fix = fixed(test);

	KUNIT_ASSERT_EQ(test, 0, map_at(fix, IOVA));
	KUNIT_EXPECT_EQ(test, -ENOENT, iova_space_unmap(&fix->space, IOVA | PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, -ENOENT, iova_space_unmap(&fix->space, IOVA | 1));
	KUNIT_EXPECT_EQ(test, -ENOENT, iova_space_unmap(&fix->space, ~(u64)0));
	expect_mapped(fix, IOVA);
	KUNIT_EXPECT_EQ(test, 0, iova_space_unmap(&fix->space, IOVA));
	KUNIT_EXPECT_EQ(test, -ENOENT, iova_space_unmap(&fix->space, IOVA));
}

/* Is there a mapping with all of @length bytes at @iova? */
static bool found(struct iova_fixture *fix, u64 iova, size_t length)
{
	struct iova_mapping *mapping = iova_space_find(&fix->space, iova, length);

	if (IS_ERR(mapping)) {
		KUNIT_EXPECT_EQ(fix->test, -ENOENT, PTR_ERR(mapping));
		return false;
	}
	iova_mapping_put(mapping);
	return true;
}

/* Passes if a range that leaves the mapping has none. */
static void find_past_the_end_returns_enoent(struct kunit *test)
{
	struct iova_fixture *fix = fixed(test);
	size_t size = NR_PAGES * PAGE_SIZE;

	KUNIT_ASSERT_EQ(test, 0, map_at(fix, IOVA));
	/* Two mappings side by side are not one. */
	KUNIT_ASSERT_EQ(test, 0, map_at(fix, IOVA + size));
	KUNIT_EXPECT_TRUE(test, found(fix, IOVA, size));
	KUNIT_EXPECT_TRUE(test, found(fix, IOVA + size - 1, 1));
	KUNIT_EXPECT_FALSE(test, found(fix, IOVA, size + 1));
	KUNIT_EXPECT_FALSE(test, found(fix, IOVA + size - 1, 2));
	KUNIT_EXPECT_FALSE(test, found(fix, IOVA + 1, SIZE_MAX));
	KUNIT_EXPECT_FALSE(test, found(fix, IOVA - 1, 1));
	KUNIT_EXPECT_FALSE(test, found(fix, ~(u64)0, 1));
}

/* Passes if the device is kept inside of the space and out of reserved ranges. */
static void check_refuses_what_is_no_memory(struct kunit *test)
{
	struct iova_fixture *fix = fixed(test);
	struct iova_space *space = &fix->space;

	KUNIT_ASSERT_EQ(test, 0, iova_space_reserve(space, SZ_64M, 2 * SZ_64M - 1));
	KUNIT_ASSERT_EQ(test, 0, map_at(fix, IOVA));
	KUNIT_EXPECT_EQ(test, 0, iova_space_check(space, IOVA, 1));
	KUNIT_EXPECT_EQ(test, 0, iova_space_check(space, SZ_64M - 8, 8));
	KUNIT_EXPECT_EQ(test, 0, iova_space_check(space, 2 * SZ_64M, 8));
	KUNIT_EXPECT_EQ(test, -EACCES, iova_space_check(space, SZ_64M - 8, 9));
	KUNIT_EXPECT_EQ(test, -EACCES, iova_space_check(space, 2 * SZ_64M - 1, 1));
	KUNIT_EXPECT_EQ(test, -EACCES, iova_space_check(space, 0, 4 * SZ_64M));
	KUNIT_EXPECT_EQ(test, -EINVAL, iova_space_check(space, 0, 0));
	KUNIT_EXPECT_EQ(test, -ERANGE, iova_space_check(space, SPACE_LAST, 2));
	KUNIT_EXPECT_EQ(test, -EOVERFLOW, iova_space_check(space, ~(u64)0, 2));
}

/* ---- races --------------------------------------------------------------------- */

struct race {
	struct iova_fixture *fix;
	atomic_t wrong;		/* jobs that found a page at the wrong place */
	atomic_t failed;	/* calls that returned what they must not */
};

/* The exporter moves the buffer back and forth. */
static void race_move(void *ctx)
{
	struct mock_exporter *exporter = ((struct race *)ctx)->fix->exporter;

	dma_resv_lock(exporter->dmabuf->resv, NULL);
	dma_buf_move_notify(exporter->dmabuf);
	exporter->pfn_skew ^= NR_PAGES;
	dma_resv_unlock(exporter->dmabuf->resv);
}

/* A job looks at the page table while the buffer cannot move. */
static void race_job(void *ctx)
{
	struct race *race = ctx;
	struct iova_fixture *fix = race->fix;
	struct iova_mapping *mapping = iova_space_find(&fix->space, IOVA, 1);
	int ret;

	if (IS_ERR(mapping)) {
		atomic_add(PTR_ERR(mapping) != -ENOENT, &race->failed);
		return;
	}
	dma_resv_lock(mapping->dmabuf->resv, NULL);
	ret = iova_mapping_validate(mapping);
	if (!ret)
		atomic_add(wrong_page(fix, IOVA) != NR_PAGES, &race->wrong);
	dma_resv_unlock(mapping->dmabuf->resv);
	atomic_add(ret && ret != -ENOENT, &race->failed);
	iova_mapping_put(mapping);
}

/* A program takes the mapping away and makes it again. */
static void race_remap(void *ctx)
{
	struct race *race = ctx;
	int ret = iova_space_unmap(&race->fix->space, IOVA);

	atomic_add(ret && ret != -ENOENT, &race->failed);
	ret = map_at(race->fix, IOVA);
	atomic_add(ret && ret != -EEXIST, &race->failed);
}

/* Passes if no job ever finds a page of the old place, or a missing one. */
static void move_while_jobs_and_maps_run(struct kunit *test)
{
	struct race race = { .fix = movable(test) };
	const struct mock_race what = {
		.ctx = &race,
		.rounds = 200,
		.racer = { race_move, race_job, race_remap, race_remap },
	};

	KUNIT_ASSERT_EQ(test, 0, map_at(race.fix, IOVA));
	mock_race(test, &what);
	KUNIT_EXPECT_EQ(test, atomic_read(&race.wrong), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&race.failed), 0);
	KUNIT_EXPECT_EQ(test, race.fix->space.nr_mappings, 1);
}

/* The device goes away, and no other comes. */
static void race_close(void *ctx)
{
	iova_space_close(&((struct race *)ctx)->fix->space);
}

/* As race_remap(), in a space that may be closed. */
static void race_map_or_closed(void *ctx)
{
	struct race *race = ctx;
	int ret = map_at(race->fix, IOVA);

	atomic_add(ret && ret != -EEXIST && ret != -ENODEV, &race->failed);
}

/* As race_job(), in a space that may be closed. */
static void race_job_or_closed(void *ctx)
{
	struct race *race = ctx;
	struct iova_fixture *fix = race->fix;
	struct iova_mapping *mapping = iova_space_find(&fix->space, IOVA, 1);
	struct iova_query query;
	int ret;

	if (IS_ERR(mapping)) {
		ret = PTR_ERR(mapping);
		atomic_add(ret != -ENOENT && ret != -ENODEV, &race->failed);
		return;
	}
	dma_resv_lock(mapping->dmabuf->resv, NULL);
	ret = iova_mapping_validate(mapping);
	if (!ret)
		atomic_add(wrong_page(fix, IOVA) != NR_PAGES, &race->wrong);
	dma_resv_unlock(mapping->dmabuf->resv);
	atomic_add(ret && ret != -ENOENT, &race->failed);
	ret = iova_mapping_query(mapping, IOVA, &query);
	atomic_add(ret && ret != -ENOENT, &race->failed);
	iova_mapping_put(mapping);
}

static void race_open(struct kunit *test, void *ctx)
{
	struct iova_fixture *fix = ((struct race *)ctx)->fix;

	if (!fix->space.closed)
		return;
	KUNIT_ASSERT_EQ(test, 0, iova_space_init(&fix->space, &fix->iommu.domain,
						 fix->space.dev, SPACE_LAST));
	KUNIT_EXPECT_EQ(test, 0, map_at(fix, IOVA));
}

static void race_expect_closed(struct kunit *test, void *ctx)
{
	struct iova_fixture *fix = ((struct race *)ctx)->fix;

	expect_empty(fix);
	KUNIT_EXPECT_EQ(test, fix->space.nr_mappings, 0);
	KUNIT_EXPECT_EQ(test, fix->exporter->nr_attached, 0);
}

/* Passes if a space that is closed under everybody's feet is empty afterwards. */
static void close_while_jobs_and_maps_run(struct kunit *test)
{
	struct race race = { .fix = movable(test) };
	const struct mock_race what = {
		.ctx = &race,
		.rounds = 200,
		.prepare = race_open,
		.check = race_expect_closed,
		.racer = { race_close, race_job_or_closed, race_map_or_closed, race_move },
	};

	KUNIT_ASSERT_EQ(test, 0, map_at(race.fix, IOVA));
	mock_race(test, &what);
	KUNIT_EXPECT_EQ(test, atomic_read(&race.wrong), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&race.failed), 0);
}

/* ---- a real device ---------------------------------------------------------- */

#define DMA_PAGES	4
#define DMA_BYTES	700
/* Where the device reads, and where it writes: over the border of two pages. */
#define DMA_FROM	100
#define DMA_TO		(2 * PAGE_SIZE - 300)
#define POISON		0x5a

/*
 * A buffer that its exporter carries from one place in memory to another, and
 * the device edu, behind the IOMMU of the machine.
 */
struct dma_fixture {
	struct kunit *test;
	struct edu *edu;
	struct iova_space space;
	struct mock_exporter *exporter;
	void *home;	/* the exporter's memory */
	void *away;	/* the other place */
	unsigned int seed;
};

static void dma_fixture_fini(void *data)
{
	struct dma_fixture *fix = data;

	if (fix->edu)
		edu_release(fix->edu, &fix->space);
	fix->exporter->pages = fix->home;
	free_pages_exact(fix->away, DMA_PAGES * PAGE_SIZE);
}

static struct dma_fixture *dma_fixture_create(struct kunit *test)
{
	static const struct mock_exporter_config config = {
		.flags = MOCK_PFN | MOCK_MOVABLE | MOCK_NO_MAP,
		.nr_pages = DMA_PAGES,
	};
	struct dma_fixture *fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);
	struct edu *edu;

	if (!IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY))
		kunit_skip(test, "no buffer moves in this kernel");
	KUNIT_ASSERT_NOT_NULL(test, fix);
	fix->test = test;
	fix->exporter = mock_exporter_create(test, &config);
	fix->home = fix->exporter->pages;
	fix->away = alloc_pages_exact(DMA_PAGES * PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fix->away);
	memset(fix->away, POISON, DMA_PAGES * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, dma_fixture_fini, fix));

	edu = edu_claim(&fix->space);
	if (edu == ERR_PTR(-ENODEV))
		kunit_skip(test, "no device edu behind an IOMMU in this machine");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, edu);
	fix->edu = edu;
	KUNIT_ASSERT_EQ(test, 0, iova_space_map(&fix->space, fix->exporter->dmabuf,
						IOVA, READ_WRITE));
	return fix;
}

/* The place where the buffer is not; nobody may write there. */
static void *other_place(struct dma_fixture *fix)
{
	return fix->exporter->pages == fix->home ? fix->away : fix->home;
}

/* Carry the buffer to the other place, and leave poison behind. */
static void dma_move(void *ctx)
{
	struct dma_fixture *fix = ctx;
	struct mock_exporter *exporter = fix->exporter;
	void *from, *to;

	dma_resv_lock(exporter->resv, NULL);
	from = exporter->pages;
	to = other_place(fix);
	dma_buf_move_notify(exporter->dmabuf);
	memcpy(to, from, DMA_PAGES * PAGE_SIZE);
	memset(from, POISON, DMA_PAGES * PAGE_SIZE);
	exporter->pages = to;
	dma_resv_unlock(exporter->resv);
}

static int dma_run(struct dma_fixture *fix, u64 at, bool to_memory, bool checked)
{
	const struct edu_copy copy = {
		.iova = IOVA + at,
		.length = DMA_BYTES,
		.to_memory = to_memory,
	};
	struct iova_mapping *mapping;
	int ret;

	if (!checked)
		return edu_run_unchecked(fix->edu, &copy);

	mapping = iova_space_find(&fix->space, copy.iova, DMA_BYTES);
	if (IS_ERR(mapping))
		return PTR_ERR(mapping);
	ret = edu_run(fix->edu, mapping, &copy);
	iova_mapping_put(mapping);
	return ret;
}

/* Let the device carry the data from one end of the buffer to the other. */
static void dma_there_and_back(void *ctx)
{
	struct dma_fixture *fix = ctx;

	KUNIT_EXPECT_EQ(fix->test, 0, dma_run(fix, DMA_FROM, false, true));
	KUNIT_EXPECT_EQ(fix->test, 0, dma_run(fix, DMA_TO, true, true));
}

/* New data, in a buffer that no job uses. */
static void dma_fill(struct kunit *test, void *ctx)
{
	struct dma_fixture *fix = ctx;
	u8 *pages = fix->exporter->pages;

	fix->seed++;
	memset(pages, 0, DMA_PAGES * PAGE_SIZE);
	for (unsigned int i = 0; i < DMA_BYTES; i++)
		pages[DMA_FROM + i] = (i * 7 + fix->seed * 31) | 1;
}

/* Passes if the data is where the buffer is, and nothing where it was. */
static void dma_expect_carried(struct kunit *test, void *ctx)
{
	struct dma_fixture *fix = ctx;
	long left;
	u8 *pages;

	left = dma_resv_wait_timeout(fix->exporter->resv, DMA_RESV_USAGE_READ,
				     false, MAX_SCHEDULE_TIMEOUT);
	KUNIT_EXPECT_GT(test, left, 0);
	pages = fix->exporter->pages;
	KUNIT_EXPECT_MEMEQ(test, pages + DMA_TO, pages + DMA_FROM, DMA_BYTES);
	KUNIT_EXPECT_EQ(test, pages[DMA_FROM], (fix->seed * 31 | 1) & 0xff);
	KUNIT_EXPECT_EQ(test, pages[DMA_TO - 1], 0);
	KUNIT_EXPECT_EQ(test, pages[DMA_TO + DMA_BYTES], 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(other_place(fix), POISON,
					   DMA_PAGES * PAGE_SIZE));
}

/*
 * Passes if a buffer moves when the device is done, the device does not get to the
 * old place any more, whatever the IOMMU remembers, and the next job to the new one.
 */
static void dma_follows_the_buffer(struct kunit *test)
{
	struct dma_fixture *fix = dma_fixture_create(test);

	for (unsigned int round = 0; round < 4; round++) {
		dma_fill(test, fix);
		dma_there_and_back(fix);
		KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(fix->exporter->resv,
								DMA_RESV_USAGE_WRITE));
		dma_move(fix);
		KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(fix->exporter->resv,
							       DMA_RESV_USAGE_WRITE));
		dma_expect_carried(test, fix);

		/* Until the next job there is nothing at the address. */
		KUNIT_EXPECT_EQ(test, 0, dma_run(fix, 0, true, false));
		dma_expect_carried(test, fix);
	}
}

/* Passes if it makes no difference when the buffer moves. */
static void dma_while_the_buffer_moves(struct kunit *test)
{
	struct dma_fixture *fix = dma_fixture_create(test);
	const struct mock_race what = {
		.ctx = fix,
		.rounds = 8,
		.prepare = dma_fill,
		.check = dma_expect_carried,
		.racer = { dma_there_and_back, dma_move, dma_move, dma_move },
	};

	mock_race(test, &what);
}

static struct kunit_case iommu_importer_cases[] = {
	KUNIT_CASE(init_chooses_pins_where_nothing_moves),
	KUNIT_CASE(init_without_small_pages_returns_eopnotsupp),
	KUNIT_CASE(init_without_addresses_returns_eopnotsupp),
	KUNIT_CASE_PARAM(map_shows_each_page, kind_gen_params),
	KUNIT_CASE_PARAM(map_uses_the_largest_pages, size_row_gen_params),
	KUNIT_CASE(map_twice_makes_two_mappings),
	KUNIT_CASE_PARAM(map_at_bad_address_is_refused, bad_row_gen_params),
	KUNIT_CASE(map_over_reserved_range_returns_eexist),
	KUNIT_CASE(map_too_often_returns_enospc),
	KUNIT_CASE(map_without_get_pfn_returns_eopnotsupp),
	KUNIT_CASE(map_when_attach_fails_is_undone),
	KUNIT_CASE(map_when_get_pfn_fails_is_undone),
	KUNIT_CASE(map_when_iommu_fails_is_undone),
	KUNIT_CASE(map_pins_where_moves_are_not_followed),
	KUNIT_CASE(map_of_a_pinned_buffer_pins_too),
	KUNIT_CASE(map_when_pin_fails_is_undone),
	KUNIT_CASE(map_when_pinned_buffer_has_no_frames_is_undone),
	KUNIT_CASE(map_waits_for_the_move_of_a_pin),
	KUNIT_CASE(map_static_buffer_is_never_pinned),
	KUNIT_CASE(map_of_followed_buffer_does_not_pin),
	KUNIT_CASE_PARAM(map_waits_for_the_kernel, kind_gen_params),
	KUNIT_CASE(map_does_not_wait_for_devices),
	KUNIT_CASE(map_when_interrupted_returns_erestartsys),
	KUNIT_CASE(map_when_killed_returns_eintr),
	KUNIT_CASE(move_unmaps_at_once),
	KUNIT_CASE(validate_after_move_maps_the_new_place),
	KUNIT_CASE(move_reaches_all_mappings),
	KUNIT_CASE(validate_without_move_does_nothing),
	KUNIT_CASE(validate_waits_for_the_move),
	KUNIT_CASE(validate_when_interrupted_returns_erestartsys),
	KUNIT_CASE(validate_when_iommu_fails_is_undone),
	KUNIT_CASE(move_waits_for_the_job),
	KUNIT_CASE(unmap_waits_for_the_job),
	KUNIT_CASE(track_replaces_the_job_before),
	KUNIT_CASE(close_unmaps_what_is_left),
	KUNIT_CASE(buffer_put_first_stays_mapped),
	KUNIT_CASE(mapping_held_over_close_is_dead),
	KUNIT_CASE(query_when_interrupted_returns_eintr),
	KUNIT_CASE(unmap_inside_or_twice_returns_enoent),
	KUNIT_CASE(find_past_the_end_returns_enoent),
	KUNIT_CASE(check_refuses_what_is_no_memory),
	KUNIT_CASE_SLOW(move_while_jobs_and_maps_run),
	KUNIT_CASE_SLOW(close_while_jobs_and_maps_run),
	KUNIT_CASE_SLOW(dma_follows_the_buffer),
	KUNIT_CASE_SLOW(dma_while_the_buffer_moves),
	{}
};

#else

/* For the list of suites: there is nothing to test in this kernel. */
static void no_iommu(struct kunit *test)
{
	kunit_skip(test, "no IOMMU in this kernel");
}

static struct kunit_case iommu_importer_cases[] = {
	KUNIT_CASE(no_iommu),
	{}
};

#endif /* CONFIG_DMABUF_IOMMU_IMPORTER */

static struct kunit_suite iommu_importer_suite = {
	.name = "iommu_importer",
	.test_cases = iommu_importer_cases,
};

kunit_test_suite(iommu_importer_suite);

#endif /* DMABUF_OURS */
