/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An exporter for tests. It writes down each callback it gets, whether the
 * reservation lock was held, and refuses on demand.
 *
 * Vocabulary:
 *   call     one invocation of a callback of struct dma_buf_ops
 *   balance  successful calls that have not been undone yet (attached, pinned,
 *            mapped, vmapped); all are zero again when a test ends
 */
#ifndef DMABUF_SELFTESTS_MOCK_EXPORTER_H
#define DMABUF_SELFTESTS_MOCK_EXPORTER_H

#include <linux/bits.h>
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/list.h>
#include <linux/spinlock.h>

#include <kunit/test.h>

/* Every callback, and one that belongs to importers but is logged here too. */
enum mock_op {
	MOCK_ATTACH,
	MOCK_DETACH,
	MOCK_PIN,
	MOCK_UNPIN,
	MOCK_MAP,
	MOCK_TRY_MAP,
	MOCK_UNMAP,
	MOCK_GET_PFN,
	MOCK_BEGIN_CPU,
	MOCK_END_CPU,
	MOCK_MMAP,
	MOCK_VMAP,
	MOCK_VUNMAP,
	MOCK_RELEASE,
	MOCK_MOVE_NOTIFY,
	MOCK_NR_OPS
};

/* What kind of exporter it is. */
#define MOCK_MOVABLE	BIT(0)	/* has pin and unpin */
#define MOCK_CACHED	BIT(1)	/* sets cache_sgt_mapping */
#define MOCK_PFN	BIT(2)	/* has get_pfn, where the kernel knows it */
#define MOCK_NO_MAP	BIT(3)	/* has neither map_dma_buf nor unmap_dma_buf */
#define MOCK_IOMEM	BIT(4)	/* vmap hands out I/O memory */
#define MOCK_MERGE	BIT(5)	/* one DMA address for all entries of a table */
#define MOCK_TRY	BIT(6)	/* has try_map_dma_buf, where the kernel knows it */

#define MOCK_NR_PAGES	4	/* size of a buffer if the test names none */
#define MOCK_MAX_LOG	32	/* calls beyond that are counted only */

/* User address that nothing is mapped at. */
#define MOCK_BAD_POINTER	8UL

/**
 * struct mock_exporter_config - what exporter a test wants
 * @flags: MOCK_MOVABLE and friends
 * @without: BIT(enum mock_op) of the callbacks that the ops table shall lack
 * @nr_pages: size of the buffer, 0 means MOCK_NR_PAGES
 * @resv: the exporter's own reservation object, or NULL
 */
struct mock_exporter_config {
	unsigned int flags;
	unsigned long without;
	unsigned int nr_pages;
	struct dma_resv *resv;
};

/**
 * struct mock_call - one entry of the log
 * @op: which callback
 * @resv_held: was the reservation lock held?
 * @dir: the direction, or DMA_NONE where the callback has none
 */
struct mock_call {
	enum mock_op op;
	bool resv_held;
	enum dma_data_direction dir;
};

/**
 * struct mock_exporter - one exporter with at most one buffer
 * @test: the test that it belongs to
 * @config: what the test asked for
 * @ops: its callbacks; a test may edit them before the export
 * @info: what it exports; a test may edit it before the export
 * @dmabuf: the buffer, on which the fixture owns a reference, or NULL
 * @resv: the reservation of the buffer, until it is released
 * @exported: there is or was a buffer
 * @pages: kernel address of the backing memory, contiguous
 * @pfn_order: largest order that get_pfn claims; a test may make it lie
 * @pfn_skew: added to each PFN that get_pfn returns
 * @place: bumped by mock_exporter_move(), part of each DMA address
 * @hook: called inside of each callback, if set
 * @hook_data: for @hook
 * @mmap_pgoff: vm_pgoff that the last mmap callback saw
 * @mmap_pages: number of pages that the last mmap callback saw
 * @mmap_file: vm_file that the last mmap callback saw
 * @unmap_dir: direction that the last unmap callback saw
 * @released: completed by the release callback
 * @lock: protects what follows
 * @count: number of calls
 * @count_held: of these, calls with the reservation lock held
 * @fail_nth: which call fails, counting down from the next one; 0 is none
 * @fail_errno: what it fails with, a negative errno; 0 makes map return NULL
 * @log: the first calls in order
 * @nr_log: entries of @log in use
 * @nr_attached: balance of attach and detach
 * @nr_pinned: balance of pin and unpin
 * @nr_mapped: balance of map and unmap
 * @nr_vmapped: balance of vmap and vunmap
 * @nr_strays: undo calls that nothing had to be undone for, or for a
 *	table that is not one of ours
 * @mappings: tables handed out
 */
struct mock_exporter {
	struct kunit *test;
	struct mock_exporter_config config;
	struct dma_buf_ops ops;
	struct dma_buf_export_info info;
	struct dma_buf *dmabuf;
	struct dma_resv *resv;
	bool exported;
	void *pages;
	unsigned int pfn_order;
	unsigned int pfn_skew;
	unsigned int place;
	void (*hook)(struct mock_exporter *exporter, enum mock_op op);
	void *hook_data;
	unsigned long mmap_pgoff;
	unsigned long mmap_pages;
	struct file *mmap_file;
	enum dma_data_direction unmap_dir;
	struct completion released;

	spinlock_t lock; /* protects the books below */
	unsigned int count[MOCK_NR_OPS];
	unsigned int count_held[MOCK_NR_OPS];
	unsigned int fail_nth[MOCK_NR_OPS];
	int fail_errno[MOCK_NR_OPS];
	struct mock_call log[MOCK_MAX_LOG];
	unsigned int nr_log;
	int nr_attached;
	int nr_pinned;
	int nr_mapped;
	int nr_vmapped;
	unsigned int nr_strays;
	struct list_head mappings;
};

struct mock_exporter *mock_exporter_alloc(struct kunit *test,
					  const struct mock_exporter_config *config);
int mock_exporter_try_export(struct mock_exporter *exporter);
void mock_exporter_export(struct mock_exporter *exporter);
struct mock_exporter *mock_exporter_create(struct kunit *test,
					   const struct mock_exporter_config *config);
void mock_exporter_destroy(struct mock_exporter *exporter);
void mock_exporter_put(struct mock_exporter *exporter);
bool mock_exporter_is_released(struct mock_exporter *exporter);

void mock_exporter_fail(struct mock_exporter *exporter, enum mock_op op,
			unsigned int nth, int err);
void mock_exporter_move(struct mock_exporter *exporter);
void mock_exporter_add_fence(struct mock_exporter *exporter,
			     struct dma_fence *fence, enum dma_resv_usage usage);
long mock_exporter_ioctl(struct mock_exporter *exporter, unsigned int cmd,
			 void *arg, size_t size);
int mock_exporter_record(struct mock_exporter *exporter, enum mock_op op,
			 enum dma_data_direction dir);
unsigned int mock_exporter_calls(struct mock_exporter *exporter, enum mock_op op);
bool mock_exporter_tables_intact(struct mock_exporter *exporter);
bool mock_exporter_log_is(struct mock_exporter *exporter,
			  const enum mock_op *ops, unsigned int nr_ops);
void mock_exporter_forget(struct mock_exporter *exporter);
const char *mock_op_name(enum mock_op op);

unsigned long mock_user_page(struct kunit *test, unsigned long prot);
void mock_interrupt_begin(void);
void mock_interrupt_end(void);

dma_addr_t mock_dma_address(struct mock_exporter *exporter, unsigned int page);

/* What a test without wishes gets: a static exporter with all callbacks. */
static inline struct mock_exporter *mock_exporter_plain(struct kunit *test)
{
	static const struct mock_exporter_config config;

	return mock_exporter_create(test, &config);
}

/* The size of the buffer in bytes. */
static inline size_t mock_exporter_size(const struct mock_exporter *exporter)
{
	return (size_t)exporter->config.nr_pages << PAGE_SHIFT;
}

/* Did @op run exactly in the order given, and nothing else? */
#define mock_exporter_saw(exporter, ...)				\
({									\
	static const enum mock_op expected_ops[] = { __VA_ARGS__ };	\
									\
	mock_exporter_log_is(exporter, expected_ops,			\
			     ARRAY_SIZE(expected_ops));			\
})

#endif /* DMABUF_SELFTESTS_MOCK_EXPORTER_H */
