/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the operations of the benchmark have in common: when the clock runs, fences to work on,
 * buffers without memory. Private to the benchmark's part in the kernel.
 *
 * An operation is a function that repeats its subject bench->times, with the clock running for
 * nothing else, and returns 0 or an errno. Its fences have fixed contexts and seqnos, so that
 * every run does the same.
 */
#ifndef DMABUF_SELFTESTS_BENCH_RUN_H
#define DMABUF_SELFTESTS_BENCH_RUN_H

#include <linux/bits.h>
#include <linux/cleanup.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/timex.h>

/*
 * Whether linux/dma-buf.h is ours. Sparse knows no __has_include(); it is only ever asked
 * about our own tree.
 */
#ifndef __has_include
#define BENCH_OURS 1
#elif __has_include("linux/dma-buf-map.h")
#define BENCH_OURS 1
#else
#define BENCH_OURS 0
#endif

struct bench_blocks;
struct device;
struct dmabuf_bench_op;
struct vm_area_struct;

/**
 * struct bench - one run of an operation
 * @fd: what user space wants it done with, or -1
 * @dmabuf: behind @fd or without memory; of operations that work on a buffer
 * @n: size, if the operation has one
 * @times: how often
 * @items: by what to divide @ticks; @times unless the operation says more
 * @began: when the clock was started
 * @ticks: how long it has run
 */
struct bench {
	int fd;
	struct dma_buf *dmabuf;
	unsigned int n;
	unsigned int times;
	u64 items;
	u64 began;
	u64 ticks;
};

/* Nanoseconds instead of the counter's ticks; the only clock there is on UML. */
extern bool bench_in_ns;
extern u64 bench_overhead;

static inline u64 bench_clock(void)
{
	return bench_in_ns ? ktime_get_ns() : get_cycles();
}

static inline void bench_start(struct bench *bench)
{
	bench->began = bench_clock();
}

static inline void bench_stop(struct bench *bench)
{
	u64 ticks = bench_clock() - bench->began;

	bench->ticks += ticks - min(ticks, bench_overhead);
}

#define bench_repeat(bench)	\
	for (unsigned int _times = (bench)->times; _times; _times--)

/* Repeat nothing but @statement. */
#define bench_measure(run, statement)		\
	do {					\
		struct bench *_bench = (run);	\
						\
		bench_start(_bench);		\
		bench_repeat(_bench)		\
			statement;		\
		bench_stop(_bench);		\
	} while (0)

/* The figure is for one of @items that the operation goes through each time. */
static inline void bench_each(struct bench *bench, unsigned int items)
{
	bench->items = (u64)bench->times * items;
}

/* An importer; none if the benchmark could not start. */
extern struct device *bench_device;

int bench_run(const struct dmabuf_bench_op *op, struct bench *bench);
void bench_init_clock(bool in_ns);
void bench_flush_files(void);
void bench_flush_irq_work(void);
void bench_flush_work(void);
void bench_flush_rcu(void);
void bench_settle(struct bench *bench);

/* Contexts that dma_fence_context_alloc() does not get to. */
#define BENCH_CONTEXT		BIT_ULL(40)

/* A fence with a lock of its own, as a driver's. */
struct bench_fence {
	struct dma_fence base;
	spinlock_t lock;		/* the fence's */
	struct list_head link;		/* of those that user space has asked for */
};

struct dma_fence *bench_fence_create(u64 context, u64 seqno);
DEFINE_FREE(bench_fence, struct dma_fence *, dma_fence_put(_T))

/**
 * struct bench_fences - some fences
 * @n: how many
 * @fence: each with a reference
 */
struct bench_fences {
	unsigned int n;
	struct dma_fence *fence[] __counted_by(n);
};

struct bench_fences *bench_fences_create(unsigned int n, u64 context, unsigned int step);
struct bench_fences *bench_fences_sequence(unsigned int n, u64 context);
void bench_fences_signal(struct bench_fences *fences);
void bench_fences_free(struct bench_fences *fences);
DEFINE_FREE(bench_fences, struct bench_fences *, bench_fences_free(_T))

int bench_resv_fill(struct dma_resv *resv, struct bench_fences *fences,
		    enum dma_resv_usage usage);

/* Buffers without memory: what remains is the cost of the core. */
struct dma_buf *bench_export(const struct dma_buf_ops *ops);
extern const struct dma_buf_ops bench_static_ops;
static inline void bench_buf_put(struct dma_buf *dmabuf)
{
	if (!IS_ERR_OR_NULL(dmabuf))
		dma_buf_put(dmabuf);
}

DEFINE_FREE(bench_buf, struct dma_buf *, bench_buf_put(_T))

/* Memory to be mapped by user space; see DMABUF_BENCH_MAP_SIZE. */
struct bench_blocks *bench_blocks_create(void);
void bench_blocks_free(struct bench_blocks *blocks);
int bench_blocks_mmap(struct bench_blocks *blocks, struct vm_area_struct *vma);

/* The operations, by file. */
int run_atomic(struct bench *bench);
int run_spin(struct bench *bench);
int run_mutex(struct bench *bench);
int run_ww_mutex(struct bench *bench);
int run_ktime(struct bench *bench);
int run_kmalloc(struct bench *bench);
int run_kzalloc(struct bench *bench);
int run_kfree_rcu(struct bench *bench);
int run_clear_page(struct bench *bench);
int run_pages(struct bench *bench);
int run_zeroed_pages(struct bench *bench);
int run_anon_file(struct bench *bench);
int run_own_inode_file(struct bench *bench);
int run_pingpong(struct bench *bench);
int run_xa_load(struct bench *bench);
int run_linear_merge(struct bench *bench);
int run_memfd_pin(struct bench *bench);

int run_fence(struct bench *bench);
int run_callbacks(struct bench *bench);
int run_fence_in_place(struct bench *bench);
int run_fence_get_put(struct bench *bench);
int run_context_alloc(struct bench *bench);
int run_is_signaled_no(struct bench *bench);
int run_is_signaled_yes(struct bench *bench);
int run_wait_signaled(struct bench *bench);
int run_wait_any(struct bench *bench);
int run_handoff(struct bench *bench);

int run_array_create(struct bench *bench);
int run_array_create_put(struct bench *bench);
int run_array_enable(struct bench *bench);
int run_array_signal(struct bench *bench);
int run_chain_append(struct bench *bench);
int run_chain_release(struct bench *bench);
int run_chain_collect(struct bench *bench);
int run_chain_find(struct bench *bench);
int run_chain_newest(struct bench *bench);
int run_chain_oldest(struct bench *bench);
int run_unwrap_walk(struct bench *bench);
int run_merge_two(struct bench *bench);
int run_merge_many(struct bench *bench);
int run_accumulate(struct bench *bench);

int run_resv_lock(struct bench *bench);
int run_resv_lock_ctx(struct bench *bench);
int run_resv_reserve(struct bench *bench);
int run_resv_stream(struct bench *bench);
int run_resv_add(struct bench *bench);
int run_resv_replace_first(struct bench *bench);
int run_resv_replace_last(struct bench *bench);
int run_resv_replace_fences(struct bench *bench);
int run_resv_test_empty(struct bench *bench);
int run_resv_wait_empty(struct bench *bench);
int run_resv_test_kernel(struct bench *bench);
int run_resv_test_write(struct bench *bench);
int run_resv_test_read(struct bench *bench);
int run_resv_wait_kernel(struct bench *bench);
int run_resv_wait_write(struct bench *bench);
int run_resv_get_fences(struct bench *bench);
int run_resv_get_singleton(struct bench *bench);
int run_resv_copy_fences(struct bench *bench);
int run_resv_iter_locked(struct bench *bench);
int run_resv_iter_unlocked(struct bench *bench);

int run_export(struct bench *bench);
int run_export_existing(struct bench *bench);
int run_buf_get_put(struct bench *bench);
int run_buf_get_put_fd(struct bench *bench);
int run_attach(struct bench *bench);
int run_attach_present(struct bench *bench);
int run_map(struct bench *bench);
int run_map_cached(struct bench *bench);
int run_map_dynamic(struct bench *bench);
int run_import(struct bench *bench);
int run_pin(struct bench *bench);
int run_vmap(struct bench *bench);
int run_vmap_nested(struct bench *bench);
int run_cpu_access(struct bench *bench);
int run_cpu_access_readers(struct bench *bench);
int run_move_notify(struct bench *bench);
int run_sync_file(struct bench *bench);
int run_get_pfn(struct bench *bench);

int run_memory_free(struct bench *bench);
int run_memory_buffer(struct bench *bench);
int run_memory_attachment(struct bench *bench);
int run_memory_fence(struct bench *bench);
int run_memory_array_entry(struct bench *bench);
int run_memory_chain_link(struct bench *bench);

#endif /* DMABUF_SELFTESTS_BENCH_RUN_H */
