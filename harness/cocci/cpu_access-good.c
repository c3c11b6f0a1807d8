// SPDX-License-Identifier: GPL-2.0-only
/* CPU access with a begin and an end, or by somebody else. */
#include <linux/dma-buf.h>

struct cam {
	struct dma_buf *dmabuf;
	struct iosys_map map;
	void *vaddr;
};

int frame_check(void *frame);

static int begins_inside(struct dma_buf *dmabuf, void *to, size_t len)
{
	struct iosys_map map;
	int ret;

	ret = dma_buf_vmap_unlocked(dmabuf, &map);
	if (ret)
		return ret;
	ret = dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE);
	if (ret)
		goto out;
	iosys_map_memcpy_from(to, &map, 0, len);
	ret = dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE);
out:
	dma_buf_vunmap_unlocked(dmabuf, &map);
	return ret;
}

static int begins_outside(struct dma_buf *dmabuf)
{
	struct iosys_map map;
	int ret;

	ret = dma_buf_begin_cpu_access(dmabuf, DMA_TO_DEVICE);
	if (ret)
		return ret;
	ret = dma_buf_vmap_unlocked(dmabuf, &map);
	if (ret)
		goto out;
	memset(map.vaddr, 0, dmabuf->size);
	dma_buf_vunmap_unlocked(dmabuf, &map);
out:
	dma_buf_end_cpu_access(dmabuf, DMA_TO_DEVICE);
	return ret;
}

/* Kept for a function that begins and ends. */
static int keeps(struct cam *cam)
{
	struct iosys_map map;
	int ret;

	ret = dma_buf_vmap_unlocked(cam->dmabuf, &map);
	if (ret)
		return ret;
	cam->vaddr = map.vaddr;
	return 0;
}

static int keeps_map(struct cam *cam)
{
	return dma_buf_vmap_unlocked(cam->dmabuf, &cam->map);
}

static int begin(struct cam *cam)
{
	int ret;

	ret = dma_buf_begin_cpu_access(cam->dmabuf, DMA_FROM_DEVICE);
	if (ret)
		return ret;
	return frame_check(cam->vaddr);
}

static int after_vunmap(struct cam *cam, void *to, size_t len)
{
	struct iosys_map map;

	if (dma_buf_vmap_unlocked(cam->dmabuf, &map))
		return -ENOMEM;
	dma_buf_vunmap_unlocked(cam->dmabuf, &map);
	map.vaddr = to;
	memset(map.vaddr, 0, len);
	return 0;
}

static void *frame_map(struct dma_buf *dmabuf, struct iosys_map *map)
{
	return dma_buf_vmap_unlocked(dmabuf, map) ? NULL : map->vaddr;
}

static int frame_clear(struct dma_buf *dmabuf)
{
	struct iosys_map map;
	void *frame;
	int ret;

	frame = frame_map(dmabuf, &map);
	if (!frame)
		return -ENOMEM;
	ret = dma_buf_begin_cpu_access(dmabuf, DMA_TO_DEVICE);
	if (!ret) {
		memset(frame, 0, dmabuf->size);
		ret = dma_buf_end_cpu_access(dmabuf, DMA_TO_DEVICE);
	}
	dma_buf_vunmap_unlocked(dmabuf, &map);
	return ret;
}

static int frame_clear_begun(struct dma_buf *dmabuf)
{
	struct iosys_map map;
	void *frame;
	int ret;

	ret = dma_buf_begin_cpu_access(dmabuf, DMA_TO_DEVICE);
	if (ret)
		return ret;
	frame = frame_map(dmabuf, &map);
	if (frame) {
		memset(frame, 0, dmabuf->size);
		dma_buf_vunmap_unlocked(dmabuf, &map);
	}
	return dma_buf_end_cpu_access(dmabuf, DMA_TO_DEVICE);
}
