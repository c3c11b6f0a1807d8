/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The second name of linux/dma-buf-map.h.
 *
 * Both spellings of the type are one type and both spellings of a helper are
 * one function, so code that uses either can call code that uses the other.
 * Everything is documented, and defined, under the dma_buf_map name.
 */

#ifndef __IOSYS_MAP_H__
#define __IOSYS_MAP_H__

#include <linux/dma-buf-map.h>

/**
 * DOC: overview
 *
 * A pointer that may lead to system memory or to I/O memory, with the helpers
 * that know the difference. Each iosys_map_* name here is a dma_buf_map_* name
 * there: see linux/dma-buf-map.h.
 */

static_assert(__same_type(struct iosys_map, struct dma_buf_map));

/**
 * IOSYS_MAP_INIT_VADDR - other name of DMA_BUF_MAP_INIT_VADDR()
 */
#define IOSYS_MAP_INIT_VADDR		DMA_BUF_MAP_INIT_VADDR
#define IOSYS_MAP_INIT_VADDR_IOMEM	DMA_BUF_MAP_INIT_VADDR_IOMEM
#define IOSYS_MAP_INIT_OFFSET		DMA_BUF_MAP_INIT_OFFSET

#define iosys_map_set_vaddr		dma_buf_map_set_vaddr
#define iosys_map_set_vaddr_iomem	dma_buf_map_set_vaddr_iomem
#define iosys_map_clear			dma_buf_map_clear
#define iosys_map_is_null		dma_buf_map_is_null
#define iosys_map_is_set		dma_buf_map_is_set
#define iosys_map_is_equal		dma_buf_map_is_equal
#define iosys_map_incr			dma_buf_map_incr
#define iosys_map_memcpy_to		dma_buf_map_memcpy_to
#define iosys_map_memcpy_from		dma_buf_map_memcpy_from
#define iosys_map_memset		dma_buf_map_memset
#define iosys_map_rd			dma_buf_map_rd
#define iosys_map_wr			dma_buf_map_wr
#define iosys_map_rd_field		dma_buf_map_rd_field
#define iosys_map_wr_field		dma_buf_map_wr_field

#endif /* __IOSYS_MAP_H__ */
