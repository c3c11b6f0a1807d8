/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small exporter that keeps all of the contract: memory of its own that it can
 * move, in tables, page frames, and mappings of the kernel and of programs.
 */
#ifndef DMABUF_SELFTESTS_CONFORMANCE_SAMPLE_H
#define DMABUF_SELFTESTS_CONFORMANCE_SAMPLE_H

#include <linux/bits.h>
#include <linux/types.h>

struct dma_buf;
struct kunit;

#define SAMPLE_MOVES	BIT(0)	/* has pin and unpin */
#define SAMPLE_NO_MAP	BIT(1)	/* page frames only */
#define SAMPLE_NO_PAGE	BIT(2)	/* tables do not name struct pages */

struct dma_buf *sample_export(size_t size, unsigned int flags);
int sample_move(struct dma_buf *dmabuf);
void *sample_cpu_address(struct dma_buf *dmabuf, dma_addr_t addr);
long sample_live(struct kunit *test);

#endif /* DMABUF_SELFTESTS_CONFORMANCE_SAMPLE_H */
