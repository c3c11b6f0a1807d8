/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Drivers with one bug each, for the checkers that have to find them, and the
 * exporter and importer that are right, of which they are made.
 *
 * A bug is a file of the same name. What its head says, and who finds it, is in
 * Documentation/driver-api/dma-buf-seeded-bugs.rst, which harness/suites/seeded
 * makes.
 */
#ifndef DMABUF_SEEDED_H
#define DMABUF_SEEDED_H

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/jiffies.h>

int seeded_clean(void);
int seeded_pin_static(void);
int seeded_pin_unbalanced(void);
int seeded_map_unbalanced(void);
int seeded_map_direction(void);
int seeded_map_atomic(void);
int seeded_vmap_unbalanced(void);
int seeded_vmap_unstable(void);
int seeded_access_unbalanced(void);
int seeded_move_pinned(void);
int seeded_move_vmapped(void);
int seeded_detach_mapped(void);
int seeded_detach_pinned(void);
int seeded_release_attached(void);
int seeded_release_vmapped(void);
int seeded_release_accessed(void);
int seeded_call_unlocked(void);
int seeded_lock_dropped(void);
int seeded_table_shared(void);
int seeded_table_unaligned(void);
int seeded_table_length(void);
int seeded_table_pages(void);
int seeded_pfn_order(void);
int seeded_resv_unreserved(void);
int seeded_fence_stuck(void);
int seeded_try_map_sleeps(void);
int seeded_callback_locks(void);
int seeded_unlocked_held(void);
int seeded_err_ptr(void);
int seeded_fd_publish(void);
int seeded_lock_leak(void);
int seeded_stale_map(void);
int seeded_vmap_pin(void);
int seeded_pin_cache(void);
int seeded_fence_leak(void);
int seeded_iomem_plain(void);
int seeded_user_plain(void);
int seeded_rcu_plain(void);
int seeded_lock_context(void);
int seeded_fence_lock(void);
int seeded_fence_wait(void);
int seeded_fence_alloc(void);

/* The halves of two drivers that need a user space, which the run has not. */
int seeded_fd_publish_ioctl(struct dma_buf *dmabuf, int __user *arg);
int seeded_user_plain_ioctl(struct dma_buf *dmabuf, const u64 __user *timeout);

/* How long somebody waits who has no timeout: forever, but for the test's end. */
#define ACME_PATIENCE	(2 * HZ)

struct sg_table *acme_map(struct dma_buf_attachment *attach, enum dma_data_direction dir);
void acme_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		enum dma_data_direction dir);
int acme_vmap(struct dma_buf *dmabuf, struct iosys_map *map);
int acme_pin(struct dma_buf_attachment *attach);
void acme_unpin(struct dma_buf_attachment *attach);
void acme_release(struct dma_buf *dmabuf);

/* Everything, of memory that stays where it is; and of memory that moves. */
extern const struct dma_buf_ops acme_ops;
extern const struct dma_buf_ops acme_movable_ops;
/* An importer that follows moves, and has nothing to follow them with. */
extern const struct dma_buf_attach_ops acme_follow_ops;

struct device *acme_device(void);
struct dma_fence *acme_fence(void);
int acme_map_once(struct dma_buf_attachment *attach);
int acme_with_buffer(const struct dma_buf_ops *ops, int (*func)(struct dma_buf *dmabuf));
int acme_with_import(const struct dma_buf_ops *ops,
		     const struct dma_buf_attach_ops *importer_ops,
		     int (*func)(struct dma_buf_attachment *attach));
int acme_without_end(const struct dma_buf_ops *ops,
		     int (*func)(struct dma_buf_attachment *attach));

#endif /* DMABUF_SEEDED_H */
