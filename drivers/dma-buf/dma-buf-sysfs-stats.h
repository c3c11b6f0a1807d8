/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between a buffer's core and its sysfs statistics. Without the option there
 * is nothing to keep and nothing to flush.
 */
#ifndef _DMA_BUF_SYSFS_STATS_H
#define _DMA_BUF_SYSFS_STATS_H

struct dma_buf;
struct dma_buf_stats;

#if IS_ENABLED(CONFIG_DMABUF_SYSFS_STATS)
int dma_buf_stats_init(void);
void dma_buf_stats_exit(void);
struct dma_buf_stats *dma_buf_stats_add(const struct dma_buf *dmabuf);
void dma_buf_stats_del(struct dma_buf_stats *stats);
void dma_buf_stats_flush(void);
#else
static inline int dma_buf_stats_init(void)
{
	return 0;
}

static inline void dma_buf_stats_exit(void) { }

static inline struct dma_buf_stats *
dma_buf_stats_add(const struct dma_buf *dmabuf)
{
	return NULL;
}

static inline void dma_buf_stats_del(struct dma_buf_stats *stats) { }
static inline void dma_buf_stats_flush(void) { }
#endif

#endif /* _DMA_BUF_SYSFS_STATS_H */
