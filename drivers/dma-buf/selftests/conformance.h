/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the cases of the conformance suite are made of.
 *
 * Vocabulary:
 *   spy       stands between the core and the callbacks of one buffer: notes
 *             each call, holds it to the contract, and passes it on
 *   importer  one attachment and at most one mapping
 *   view      the buffer's data as one kind of user gets to see it
 */
#ifndef DMABUF_SELFTESTS_CONFORMANCE_H
#define DMABUF_SELFTESTS_CONFORMANCE_H

#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-buf-conformance.h>
#include <linux/iosys-map.h>
#include <linux/list.h>
#include <linux/spinlock.h>

#include <kunit/resource.h>
#include <kunit/test.h>

#define CONFORMANCE_NR_DEVICES	4
#define SPY_MAX_TABLES		32

/* Callbacks that spies count. */
enum spy_op {
	SPY_ATTACH,
	SPY_DETACH,
	SPY_PIN,
	SPY_UNPIN,
	SPY_MAP,
	SPY_UNMAP,
	SPY_BEGIN_CPU,
	SPY_END_CPU,
	SPY_VMAP,
	SPY_VUNMAP,
	SPY_RELEASE,
	SPY_NR_OPS
};

/* A table that the exporter has handed out. */
struct spy_table {
	struct sg_table *sgt;
	struct dma_buf_attachment *attach;
	enum dma_data_direction dir;
};

/**
 * struct spy - between the core and an exporter
 * @ops: what the core sees as the buffer's callbacks
 * @real: the exporter's
 * @node: link in &conformance.spies
 * @exporter: what the exporter promises
 * @dmabuf: the buffer; valid until released
 * @own: the case has not dropped its reference yet
 * @released: completed by the release callback
 * @lock: protects what follows
 * @calls: successful calls
 * @dir: direction of the last CPU access
 * @complaint: the first thing that was not as it has to be, or NULL
 * @tables: what is mapped, in use if the table is set
 */
struct spy {
	struct dma_buf_ops ops;
	const struct dma_buf_ops *real;
	struct list_head node;
	const struct dma_buf_conformance *exporter;
	struct dma_buf *dmabuf;
	bool own;
	struct completion released;

	spinlock_t lock; /* protects the books below */
	unsigned int calls[SPY_NR_OPS];
	enum dma_data_direction dir;
	const char *complaint;
	struct spy_table tables[SPY_MAX_TABLES];
};

/**
 * struct conformance - what a case works with
 * @exporter: who is put through the contract
 * @res: how a case finds this
 * @spies: of all buffers of the case
 * @live: what &dma_buf_conformance.live said before the case
 * @maps: devices can map: there is DMA, or the exporter does without
 * @dev: the importers' devices
 */
struct conformance {
	const struct dma_buf_conformance *exporter;
	struct kunit_resource res;
	struct list_head spies;
	long live;
	bool maps;
	struct device *dev[CONFORMANCE_NR_DEVICES];
};

/**
 * struct importer - an importer of one buffer
 * @attach: its attachment, or NULL
 * @sgt: its mapping, or NULL
 * @dir: direction of the mapping
 * @moves: how often it was told of a move
 * @moves_unlocked: of these, without the reservation lock
 * @pins: how often it has pinned
 */
struct importer {
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	enum dma_data_direction dir;
	unsigned int moves;
	unsigned int moves_unlocked;
	unsigned int pins;
};

/* Who looks at the data of a buffer. */
enum viewer {
	VIEW_VMAP,
	VIEW_DEVICE,
	VIEW_PFN,
	VIEW_PROGRAM,
	NR_VIEWERS
};

struct conformance *conformance_of(struct kunit *test);
bool conformance_promises(struct kunit *test, unsigned int promises);
void conformance_require(struct kunit *test, unsigned int promises);
size_t conformance_size(struct kunit *test);

/* conformance_spy.c */
struct dma_buf *spy_on(struct conformance *c, struct dma_buf *dmabuf);
struct spy *spy_of(struct dma_buf *dmabuf);
unsigned int spy_calls(struct dma_buf *dmabuf, enum spy_op op);
int spy_balance(struct dma_buf *dmabuf, enum spy_op up, enum spy_op down);
bool spy_is_idle(struct dma_buf *dmabuf);
struct sg_table *spy_table(struct dma_buf_attachment *attach);
void spy_complain(struct spy *spy, const char *complaint);
bool spy_judge(struct kunit *test, struct spy *spy);

/* conformance_tools.c */
struct dma_buf *buffer_create(struct kunit *test);
void buffer_put(struct kunit *test, struct dma_buf *dmabuf);
bool buffer_is_released(struct spy *spy);
int buffer_move(struct kunit *test, struct dma_buf *dmabuf);

bool resv_held(struct dma_resv *resv);
struct importer *importer_create(struct kunit *test, struct dma_buf *dmabuf,
				 unsigned int device, bool dynamic);
int importer_map(struct importer *importer, enum dma_data_direction dir);
int importer_try(struct importer *importer, enum dma_data_direction dir);
void importer_unmap(struct importer *importer);
int importer_pin(struct importer *importer);
void importer_unpin(struct importer *importer);
void importer_detach(struct importer *importer);
dma_addr_t table_address(struct sg_table *sgt, pgoff_t pgoff);
struct page *device_page(struct kunit *test, struct dma_buf_attachment *attach,
			 dma_addr_t addr);
int device_copy(struct kunit *test, struct importer *importer, pgoff_t pgoff,
		void *page, bool write);

const char *viewer_name(enum viewer viewer);
bool view_possible(struct kunit *test, enum viewer viewer);
void view_fill(struct kunit *test, struct dma_buf *dmabuf, enum viewer viewer,
	       u32 seed);
void view_check(struct kunit *test, struct dma_buf *dmabuf, enum viewer viewer,
		u32 seed);
void view_fill_page(void *page, u32 seed, pgoff_t pgoff);
bool view_page_is(const void *page, u32 seed, pgoff_t pgoff);
enum viewer view_any(struct kunit *test);

struct waiter;
struct waiter *waiter_start(struct kunit *test, long (*wait)(void *ctx), void *ctx,
			    struct dma_fence *fence);
bool waiter_blocks(struct waiter *waiter);
bool waiter_ends(struct waiter *waiter);
struct dma_fence *fence_add(struct kunit *test, struct dma_buf *dmabuf,
			    enum dma_resv_usage usage);

void inject_setup(struct kunit *test);
void inject_arm(unsigned int nth);
bool inject_disarm(void);

#endif /* DMABUF_SELFTESTS_CONFORMANCE_H */
