// SPDX-License-Identifier: GPL-2.0-only
/* CPU access that the exporter does not hear of, or not of its end. */
#include <linux/dma-buf.h>

struct header {
	u32 magic;
	u32 size;
};

int frame_check(struct header *header);

static int copies(struct dma_buf *dmabuf, void *to, size_t len)
{
	struct iosys_map map;
	int ret;

	ret = dma_buf_vmap_unlocked(dmabuf, &map);
	if (ret)
		return ret;
	iosys_map_memcpy_from(to, &map, 0, len); /* finding */
	dma_buf_vunmap_unlocked(dmabuf, &map);
	return 0;
}

static int reads_field(struct dma_buf *dmabuf, u32 *size)
{
	struct iosys_map map = {};

	if (dma_buf_vmap(dmabuf, &map))
		return -ENOMEM;
	*size = iosys_map_rd_field(&map, 0, struct header, size); /* finding */
	dma_buf_vunmap(dmabuf, &map);
	return 0;
}

static int clears(struct dma_buf *dmabuf)
{
	struct iosys_map map;
	int ret;

	ret = dma_buf_vmap_unlocked(dmabuf, &map);
	if (!ret) {
		memset(map.vaddr, 0, dmabuf->size); /* finding */
		dma_buf_vunmap_unlocked(dmabuf, &map);
	}
	return ret;
}

static int through_pointer(struct dma_buf *dmabuf)
{
	struct header *header;
	struct iosys_map map;
	int ret;

	ret = dma_buf_vmap_unlocked(dmabuf, &map);
	if (ret)
		return ret;
	header = map.vaddr;
	ret = header->magic == 0x4d414347 ? 0 : -EINVAL; /* finding */
	dma_buf_vunmap_unlocked(dmabuf, &map);
	return ret;
}

static int begun_too_late(struct dma_buf *dmabuf, void *from, size_t len)
{
	struct iosys_map map;
	int ret;

	ret = dma_buf_vmap_unlocked(dmabuf, &map);
	if (ret)
		return ret;
	iosys_map_memcpy_to(&map, 0, from, len); /* finding */
	ret = dma_buf_begin_cpu_access(dmabuf, DMA_TO_DEVICE);
	if (!ret)
		ret = dma_buf_end_cpu_access(dmabuf, DMA_TO_DEVICE);
	dma_buf_vunmap_unlocked(dmabuf, &map);
	return ret;
}

static int somebodys_map(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct header *header;
	int ret;

	ret = dma_buf_vmap_unlocked(dmabuf, map);
	if (ret)
		return ret;
	header = map->is_iomem ? NULL : map->vaddr;
	if (header && header->size > dmabuf->size) /* finding */
		return -EINVAL;
	return 0;
}

static int somebodys_map_cleared(struct dma_buf *dmabuf, struct iosys_map *map)
{
	int ret;

	ret = dma_buf_vmap_unlocked(dmabuf, map);
	if (!ret)
		iosys_map_memset(map, 0, 0, dmabuf->size); /* finding */
	return ret;
}

static int never_ended(struct dma_buf *dmabuf, struct iosys_map *map)
{
	int ret;

	ret = dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE);
	if (ret)
		return ret;

	ret = frame_check(map->vaddr);
	if (ret)
		return ret; /* finding */

	return dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE);
}

static int never_ended_either(struct dma_buf *dmabuf, struct iosys_map *map)
{
	if (dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE))
		return -EIO;
	if (frame_check(map->vaddr))
		return -EINVAL; /* finding */
	return dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE);
}

static void *frame_map(struct dma_buf *dmabuf, struct iosys_map *map)
{
	void *vaddr = NULL;

	if (!dma_buf_vmap_unlocked(dmabuf, map))
		vaddr = map->vaddr;
	return vaddr;
}

static void frame_clear(struct dma_buf *dmabuf)
{
	struct iosys_map map;
	void *frame;

	frame = frame_map(dmabuf, &map);
	if (!frame)
		return;
	memset(frame, 0, dmabuf->size); /* finding */
	dma_buf_vunmap_unlocked(dmabuf, &map);
}
