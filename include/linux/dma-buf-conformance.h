/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract of dma-buf as a KUnit suite that any exporter can be put
 * through: a driver describes its exporter, and gets a suite. The chapter
 * Documentation/driver-api/dma-buf-conformance.rst says what is checked.
 */
#ifndef __DMA_BUF_CONFORMANCE_H__
#define __DMA_BUF_CONFORMANCE_H__

#include <linux/bits.h>
#include <linux/types.h>

#include <kunit/test.h>

struct device;
struct dma_buf;

/* What an exporter promises; what it does not has to be refused. */
#define DMA_BUF_PROMISES_MAP	BIT(0)	/* tables of DMA addresses */
#define DMA_BUF_PROMISES_PFN	BIT(1)	/* page frames */
#define DMA_BUF_PROMISES_MMAP	BIT(2)	/* mappings of user space */
#define DMA_BUF_PROMISES_VMAP	BIT(3)	/* mappings of the kernel */
#define DMA_BUF_PROMISES_CPU	BIT(4)	/* begin_cpu_access or end_cpu_access */
#define DMA_BUF_PROMISES_MOVE	BIT(5)	/* pin and unpin, and moves in between */
#define DMA_BUF_PROMISES_CACHE	BIT(6)	/* one table for each attachment */
#define DMA_BUF_PROMISES_TRY	BIT(7)	/* try_map_dma_buf */
#define DMA_BUF_PROMISES_ZERO	BIT(8)	/* a new buffer is zero */
#define DMA_BUF_PROMISES_NO_PAGE BIT(9)	/* tables do not name struct pages */
#define DMA_BUF_PROMISES_IOMEM	BIT(10)	/* vmap gives I/O memory */

/*
 * What is known to be otherwise than the contract wants; the cases skip the rest
 * then, or fail if it is as the contract wants after all.
 */
#define DMA_BUF_DEVIATES_TABLE	BIT(0)	/* an attachment has one table only */
#define DMA_BUF_DEVIATES_OFFSET	BIT(1)	/* mmap ignores its offset */
#define DMA_BUF_DEVIATES_ERRNO	BIT(2)	/* create without memory is not -ENOMEM */
#define DMA_BUF_DEVIATES_NOISE	BIT(3)	/* create without memory is a report in the log */

/**
 * struct dma_buf_conformance - an exporter that is put through the contract
 */
struct dma_buf_conformance {
	/**
	 * @create:
	 *
	 * Mandatory. Exports a buffer of @size bytes and returns the one
	 * reference to it, or an ERR_PTR(). It is called any number of times in
	 * a case, also while allocations are made to fail; unless @infallible
	 * is set it reports that as %-ENOMEM and does not end the case.
	 */
	struct dma_buf *(*create)(struct kunit *test, size_t size);

	/**
	 * @init:
	 *
	 * Optional. Called before each case. May use &kunit.priv, may skip the
	 * case. Returns 0 or a negative errno.
	 */
	int (*init)(struct kunit *test);

	/**
	 * @move:
	 *
	 * For exporters that promise %DMA_BUF_PROMISES_MOVE. Called with
	 * &dma_buf.resv held: calls dma_buf_move_notify() and puts the buffer
	 * somewhere else. Returns 0, or a negative errno if it has to stay.
	 */
	int (*move)(struct dma_buf *dmabuf);

	/**
	 * @device:
	 *
	 * Optional. A device that the exporter can serve, valid until the end
	 * of the case. Without it importers are devices that reach all memory.
	 */
	struct device *(*device)(struct kunit *test);

	/**
	 * @cpu_address:
	 *
	 * For exporters whose DMA addresses are not from the DMA API: where
	 * the CPU finds the page at @addr, in the kernel's direct mapping.
	 */
	void *(*cpu_address)(struct dma_buf *dmabuf, dma_addr_t addr);

	/**
	 * @live:
	 *
	 * Optional. A number that is the same before and after a case if the
	 * exporter leaks nothing: of its objects, of references to pages.
	 */
	long (*live)(struct kunit *test);

	/** @size: of the buffers, in bytes; 0 means four pages */
	size_t size;

	/** @promises: %DMA_BUF_PROMISES_MAP and friends */
	unsigned int promises;

	/** @deviates: %DMA_BUF_DEVIATES_TABLE and friends */
	unsigned int deviates;

	/** @infallible: @create ends the case where it has no memory */
	bool infallible;
};

int dma_buf_conformance_init(struct kunit *test,
			     const struct dma_buf_conformance *exporter);
void dma_buf_conformance_run(struct kunit *test);

/* A case is found by its name. */
#define DMA_BUF_CONFORMANCE_CASE(_name, ...)				\
	{								\
		.run_case = dma_buf_conformance_run,			\
		.name = (_name),					\
		.module_name = KBUILD_MODNAME,				\
		##__VA_ARGS__						\
	}

/* An array for each suite: KUnit writes into it. */
#define DMA_BUF_CONFORMANCE_CASES {					\
	DMA_BUF_CONFORMANCE_CASE("callbacks_are_as_promised"),		\
	DMA_BUF_CONFORMANCE_CASE("unpromised_is_refused"),		\
	DMA_BUF_CONFORMANCE_CASE("last_put_releases_once"),		\
	DMA_BUF_CONFORMANCE_CASE("fd_carries_the_buffer"),		\
	DMA_BUF_CONFORMANCE_CASE("size_never_changes"),			\
	DMA_BUF_CONFORMANCE_CASE("new_buffer_is_zero"),			\
	DMA_BUF_CONFORMANCE_CASE("attach_of_each_kind"),		\
	DMA_BUF_CONFORMANCE_CASE("detach_in_any_order"),		\
	DMA_BUF_CONFORMANCE_CASE("map_in_each_direction"),		\
	DMA_BUF_CONFORMANCE_CASE("map_for_two_gives_two_tables"),	\
	DMA_BUF_CONFORMANCE_CASE("map_twice_gives_two_tables"),		\
	DMA_BUF_CONFORMANCE_CASE("map_again_is_cached"),		\
	DMA_BUF_CONFORMANCE_CASE("map_again_shows_same_memory"),	\
	DMA_BUF_CONFORMANCE_CASE("map_waits_for_kernel_fence"),		\
	DMA_BUF_CONFORMANCE_CASE("try_map_does_not_wait"),		\
	DMA_BUF_CONFORMANCE_CASE("get_pfn_of_each_page"),		\
	DMA_BUF_CONFORMANCE_CASE("get_pfn_agrees_with_map"),		\
	DMA_BUF_CONFORMANCE_CASE("get_pfn_beyond_end_is_einval"),	\
	DMA_BUF_CONFORMANCE_CASE("vmap_nests"),				\
	DMA_BUF_CONFORMANCE_CASE("vmap_does_not_pin"),			\
	DMA_BUF_CONFORMANCE_CASE("data_written_by_vmap"),		\
	DMA_BUF_CONFORMANCE_CASE("data_written_by_device"),		\
	DMA_BUF_CONFORMANCE_CASE("data_written_by_pfn"),		\
	DMA_BUF_CONFORMANCE_CASE("data_written_by_program"),		\
	DMA_BUF_CONFORMANCE_CASE("mmap_of_part"),			\
	DMA_BUF_CONFORMANCE_CASE("mmap_keeps_the_buffer"),		\
	DMA_BUF_CONFORMANCE_CASE("cpu_access_in_each_direction"),	\
	DMA_BUF_CONFORMANCE_CASE("cpu_access_waits_for_fences"),	\
	DMA_BUF_CONFORMANCE_CASE("move_is_announced"),			\
	DMA_BUF_CONFORMANCE_CASE("move_keeps_data"),			\
	DMA_BUF_CONFORMANCE_CASE("move_takes_programs_along"),		\
	DMA_BUF_CONFORMANCE_CASE("move_keeps_old_mapping"),		\
	DMA_BUF_CONFORMANCE_CASE("pin_keeps_place"),			\
	DMA_BUF_CONFORMANCE_CASE("static_importer_keeps_place"),	\
	DMA_BUF_CONFORMANCE_CASE("create_without_memory"),		\
	DMA_BUF_CONFORMANCE_CASE("attach_without_memory"),		\
	DMA_BUF_CONFORMANCE_CASE("map_without_memory"),			\
	DMA_BUF_CONFORMANCE_CASE("try_map_without_memory"),		\
	DMA_BUF_CONFORMANCE_CASE("vmap_without_memory"),		\
	DMA_BUF_CONFORMANCE_CASE("move_without_memory"),		\
	DMA_BUF_CONFORMANCE_CASE("users_race", .attr.speed = KUNIT_SPEED_SLOW), \
	{}								\
}

/**
 * DMA_BUF_CONFORMANCE_SUITE - put an exporter through the contract
 * @_name: the suite is called ``conformance_`` and this
 * @_exporter: a pointer to its struct dma_buf_conformance
 *
 * The module imports the namespace DMA_BUF and depends on dmabuf_selftests.
 */
#define DMA_BUF_CONFORMANCE_SUITE(_name, _exporter)			\
static int _name##_conformance_init(struct kunit *test)			\
{									\
	return dma_buf_conformance_init(test, _exporter);		\
}									\
static struct kunit_case _name##_conformance_cases[] =			\
	DMA_BUF_CONFORMANCE_CASES;					\
static struct kunit_suite _name##_conformance_suite = {			\
	.name = "conformance_" #_name,					\
	.init = _name##_conformance_init,				\
	.test_cases = _name##_conformance_cases,			\
};									\
kunit_test_suite(_name##_conformance_suite)

#endif /* __DMA_BUF_CONFORMANCE_H__ */
