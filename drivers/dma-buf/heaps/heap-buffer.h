/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffers made of pages, for heaps: a heap collects memory chunk by chunk and
 * exports it; the rest is done in heap-buffer.c.
 */
#ifndef _HEAP_BUFFER_H
#define _HEAP_BUFFER_H

#include <linux/cleanup.h>
#include <linux/types.h>

struct cma;
struct dma_buf;
struct heap_buffer;
struct page;

/**
 * typedef heap_free_t - give a chunk back to where it came from
 * @priv: as given to heap_buffer_alloc()
 * @page: first page of the chunk
 * @nr_pages: how many there are
 *
 * Process context, may sleep.
 */
typedef void (*heap_free_t)(void *priv, struct page *page,
			    unsigned long nr_pages);

struct heap_buffer *heap_buffer_alloc(heap_free_t free, void *priv);
int heap_buffer_add(struct heap_buffer *buf, struct page *page,
		    unsigned long nr_pages);
struct dma_buf *heap_buffer_export(struct heap_buffer *buf,
				   const char *exp_name, u32 fd_flags);
void heap_buffer_free(struct heap_buffer *buf);

DEFINE_FREE(heap_buffer_free, struct heap_buffer *, heap_buffer_free(_T))

/* For the suites of the files that they are in. */
#if IS_ENABLED(CONFIG_KUNIT)
struct dma_buf *system_heap_buffer(const char *name, unsigned long len,
				   u32 fd_flags);
struct dma_buf *cma_heap_buffer(struct cma *area, unsigned long len,
				u32 fd_flags);
unsigned long heap_buffer_drop_idle_vmaps(unsigned long max);
#endif

#endif /* _HEAP_BUFFER_H */
