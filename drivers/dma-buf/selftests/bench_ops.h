/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The operations that the kernel repeats by itself, and the sizes at which each is measured: one
 * table for /dev/dmabuf_bench, which runs them, and for tools/dma-buf/bench, which asks for
 * them. Whoever includes this file says before what BENCH_RUN(function) stands for: the
 * function in the kernel, nothing outside.
 *
 * NAME at size N is measured as "NAME.nN". What an operation's figure is the cost of says the
 * comment of its function; "each" operations are per item, all others for the whole.
 */
#ifndef DMABUF_SELFTESTS_BENCH_OPS_H
#define DMABUF_SELFTESTS_BENCH_OPS_H

#define BENCH_MAX_SIZES	12

struct bench;

/**
 * struct dmabuf_bench_op - one operation
 * @name: of the operation, without a size
 * @run: repeats it as often as the &struct bench says; 0 or an errno
 * @needs_fd: it cannot be done without a file that user space has made
 * @sizes: at which it is measured, up to a zero; none for an operation that has no size
 */
struct dmabuf_bench_op {
	const char *name;
	int (*run)(struct bench *bench);
	int needs_fd;
	unsigned int sizes[BENCH_MAX_SIZES];
};

#define BENCH_GROWTH	{ 1, 8, 16, 64, 256, 512, 1024, 4096 }
#define BENCH_ARRAYS	{ 2, 16, 64, 256, 1024, 4096 }
#define BENCH_DEPTHS	{ 1, 10, 100, 1000, 4096, 10000, 100000 }
#define BENCH_EXISTING	{ 1, 64, 512, 4096, 10000 }
#define BENCH_QUADRATIC	{ 1, 16, 64, 256, 1024, 4096 }

static const struct dmabuf_bench_op dmabuf_bench_ops[] = {
	{ "floor.atomic_inc_dec",	BENCH_RUN(run_atomic) },
	{ "floor.spin_irqsave",		BENCH_RUN(run_spin) },
	{ "floor.mutex",		BENCH_RUN(run_mutex) },
	{ "floor.ww_mutex",		BENCH_RUN(run_ww_mutex) },
	{ "floor.ktime_get",		BENCH_RUN(run_ktime) },
	{ "floor.kmalloc_free_64",	BENCH_RUN(run_kmalloc) },
	{ "floor.kzalloc_free_512",	BENCH_RUN(run_kzalloc) },
	{ "floor.kzalloc_kfree_rcu_128", BENCH_RUN(run_kfree_rcu) },
	{ "floor.clear_page",		BENCH_RUN(run_clear_page) },
	{ "floor.page_alloc_free",	BENCH_RUN(run_pages), 0, { 1, 8, 256, 512 } },
	{ "floor.page_zalloc_free",	BENCH_RUN(run_zeroed_pages), 0, { 1, 8, 256, 512 } },
	{ "floor.anon_file_create_put",	BENCH_RUN(run_anon_file) },
	{ "floor.own_inode_file_create_put", BENCH_RUN(run_own_inode_file) },
	{ "floor.completion_pingpong",	BENCH_RUN(run_pingpong) },
	{ "floor.xa_load",		BENCH_RUN(run_xa_load), 0, BENCH_GROWTH },
	{ "floor.linear_merge_2sorted",	BENCH_RUN(run_linear_merge), 0, BENCH_ARRAYS },
	{ "floor.memfd_pin_unpin",	BENCH_RUN(run_memfd_pin), 1 },

	{ "fence.alloc_signal_put",	BENCH_RUN(run_fence) },
	{ "fence.callbacks",		BENCH_RUN(run_callbacks), 0, BENCH_GROWTH },
	{ "fence.init_signal_put",	BENCH_RUN(run_fence_in_place) },
	{ "fence.get_put",		BENCH_RUN(run_fence_get_put) },
	{ "fence.context_alloc",	BENCH_RUN(run_context_alloc) },
	{ "fence.is_signaled.no",	BENCH_RUN(run_is_signaled_no) },
	{ "fence.is_signaled.yes",	BENCH_RUN(run_is_signaled_yes) },
	{ "fence.wait_signaled",	BENCH_RUN(run_wait_signaled) },
	{ "fence.wait_any.last_signaled", BENCH_RUN(run_wait_any), 0, BENCH_GROWTH },
	{ "fence.handoff",		BENCH_RUN(run_handoff) },

	{ "array.create",		BENCH_RUN(run_array_create), 0, BENCH_ARRAYS },
	{ "array.create_put",		BENCH_RUN(run_array_create_put), 0, BENCH_ARRAYS },
	{ "array.enable",		BENCH_RUN(run_array_enable), 0, BENCH_ARRAYS },
	{ "array.signal",		BENCH_RUN(run_array_signal), 0, BENCH_ARRAYS },
	{ "chain.append",		BENCH_RUN(run_chain_append), 0, BENCH_GROWTH },
	{ "chain.release",		BENCH_RUN(run_chain_release), 0, BENCH_GROWTH },
	{ "chain.collect",		BENCH_RUN(run_chain_collect), 0, BENCH_GROWTH },
	{ "chain.find_oldest",		BENCH_RUN(run_chain_find), 0, BENCH_DEPTHS },
	{ "chain.wait_newest_first",	BENCH_RUN(run_chain_newest), 0, BENCH_QUADRATIC },
	{ "chain.wait_oldest_first",	BENCH_RUN(run_chain_oldest), 0, BENCH_QUADRATIC },
	{ "unwrap.walk",		BENCH_RUN(run_unwrap_walk), 0, BENCH_ARRAYS },
	{ "unwrap.merge_2sorted",	BENCH_RUN(run_merge_two), 0, BENCH_ARRAYS },
	{ "unwrap.merge_arrays_of_16",	BENCH_RUN(run_merge_many), 0, { 2, 16, 64, 256 } },
	{ "unwrap.accumulate",		BENCH_RUN(run_accumulate), 0, { 1, 8, 64, 256, 1024 } },

	{ "resv.lock_unlock",		BENCH_RUN(run_resv_lock) },
	{ "resv.lock_ctx",		BENCH_RUN(run_resv_lock_ctx), 0, { 1, 8, 64, 512 } },
	{ "resv.reserve",		BENCH_RUN(run_resv_reserve), 0, BENCH_GROWTH },
	{ "resv.stream",		BENCH_RUN(run_resv_stream) },
	{ "resv.add",			BENCH_RUN(run_resv_add), 0, BENCH_GROWTH },
	{ "resv.replace_first",		BENCH_RUN(run_resv_replace_first), 0, BENCH_GROWTH },
	{ "resv.replace_last",		BENCH_RUN(run_resv_replace_last), 0, BENCH_GROWTH },
	{ "resv.replace_fences",	BENCH_RUN(run_resv_replace_fences), 0, BENCH_GROWTH },
	{ "resv.test_empty",		BENCH_RUN(run_resv_test_empty) },
	{ "resv.wait_empty",		BENCH_RUN(run_resv_wait_empty) },
	{ "resv.test_kernel",		BENCH_RUN(run_resv_test_kernel), 0, BENCH_GROWTH },
	{ "resv.test_write",		BENCH_RUN(run_resv_test_write), 0, BENCH_GROWTH },
	{ "resv.test_read",		BENCH_RUN(run_resv_test_read), 0, BENCH_GROWTH },
	{ "resv.wait_kernel",		BENCH_RUN(run_resv_wait_kernel), 0, BENCH_GROWTH },
	{ "resv.wait_write",		BENCH_RUN(run_resv_wait_write), 0, BENCH_GROWTH },
	{ "resv.get_fences",		BENCH_RUN(run_resv_get_fences), 0, BENCH_GROWTH },
	{ "resv.get_singleton",		BENCH_RUN(run_resv_get_singleton), 0, BENCH_GROWTH },
	{ "resv.copy_fences",		BENCH_RUN(run_resv_copy_fences), 0, BENCH_GROWTH },
	{ "resv.iter_locked",		BENCH_RUN(run_resv_iter_locked), 0, BENCH_GROWTH },
	{ "resv.iter_unlocked",		BENCH_RUN(run_resv_iter_unlocked), 0, BENCH_GROWTH },

	{ "export.put",			BENCH_RUN(run_export) },
	{ "export.put.existing",	BENCH_RUN(run_export_existing), 0, BENCH_EXISTING },
	{ "core.get_put",		BENCH_RUN(run_buf_get_put) },
	{ "core.get_put_fd",		BENCH_RUN(run_buf_get_put_fd) },
	{ "core.attach_detach",		BENCH_RUN(run_attach) },
	{ "core.attach_detach.present",	BENCH_RUN(run_attach_present), 0, BENCH_GROWTH },
	{ "core.map_unmap",		BENCH_RUN(run_map) },
	{ "core.map_unmap.cached",	BENCH_RUN(run_map_cached) },
	{ "core.map_unmap.dynamic",	BENCH_RUN(run_map_dynamic) },
	{ "core.import",		BENCH_RUN(run_import) },
	{ "core.pin_unpin",		BENCH_RUN(run_pin) },
	{ "core.vmap_vunmap",		BENCH_RUN(run_vmap) },
	{ "core.vmap_vunmap.nested",	BENCH_RUN(run_vmap_nested) },
	{ "core.cpu_access",		BENCH_RUN(run_cpu_access) },
	{ "core.cpu_access.readers",	BENCH_RUN(run_cpu_access_readers), 0, BENCH_GROWTH },
	{ "core.move_notify",		BENCH_RUN(run_move_notify), 0, BENCH_GROWTH },
	{ "sync_file.create_put",	BENCH_RUN(run_sync_file) },

	/* Bytes of memory for one, while there are n. */
	{ "memory.free",		BENCH_RUN(run_memory_free), 1 },
	{ "memory.buffer",		BENCH_RUN(run_memory_buffer), 0, { 50000 } },
	{ "memory.attachment",		BENCH_RUN(run_memory_attachment), 0, { 100000 } },
	{ "memory.fence",		BENCH_RUN(run_memory_fence), 0, { 100000 } },
	{ "memory.array_entry",		BENCH_RUN(run_memory_array_entry), 0, { 50000 } },
	{ "memory.chain_link",		BENCH_RUN(run_memory_chain_link), 0, { 100000 } },

	/* What the interface of 6.12 does not have. */
	{ "ours.get_pfn",		BENCH_RUN(run_get_pfn) },
};

#endif /* DMABUF_SELFTESTS_BENCH_OPS_H */
