/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites of the heaps do to a heap's buffer.
 */
#ifndef DMABUF_SELFTESTS_MOCK_HEAP_H
#define DMABUF_SELFTESTS_MOCK_HEAP_H

#include <linux/dma-buf.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/string.h>

/* Drop the last reference; the memory is back when this returns. */
static inline void heap_buffer_release(struct dma_buf *dmabuf)
{
	dma_buf_put(dmabuf);
	flush_delayed_fput();
}

/* Is all of the buffer zero? Afterwards nothing is. */
static inline bool heap_buffer_zero_then_spoil(struct dma_buf *dmabuf)
{
	struct iosys_map map;
	bool zero;

	if (dma_buf_vmap_unlocked(dmabuf, &map))
		return false;
	zero = !memchr_inv(map.vaddr, 0, dmabuf->size);
	memset(map.vaddr, 0xa5, dmabuf->size);
	dma_buf_vunmap_unlocked(dmabuf, &map);
	return zero;
}

#endif /* DMABUF_SELFTESTS_MOCK_HEAP_H */
