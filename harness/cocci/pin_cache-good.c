// SPDX-License-Identifier: GPL-2.0-only
/* Exporters that do one of the two. */
#include <linux/dma-buf.h>
#include <linux/virtio_dma_buf.h>

int vram_pin(struct dma_buf_attachment *attach);
void vram_unpin(struct dma_buf_attachment *attach);
struct sg_table *vram_map(struct dma_buf_attachment *attach, enum dma_data_direction dir);
void vram_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt, enum dma_data_direction dir);
void vram_release(struct dma_buf *dmabuf);

static const struct dma_buf_ops cached = {
	.cache_sgt_mapping = true,
	.map_dma_buf = vram_map,
	.unmap_dma_buf = vram_unmap,
	.release = vram_release,
};

static const struct dma_buf_ops pinned = {
	.pin = vram_pin,
	.unpin = vram_unpin,
	.map_dma_buf = vram_map,
	.unmap_dma_buf = vram_unmap,
	.release = vram_release,
};

static const struct dma_buf_ops pinned_and_says_so = {
	.cache_sgt_mapping = false,
	.pin = vram_pin,
	.unpin = vram_unpin,
	.map_dma_buf = vram_map,
	.unmap_dma_buf = vram_unmap,
	.release = vram_release,
};

static const struct virtio_dma_buf_ops nested = {
	.ops = {
		.cache_sgt_mapping = true,
		.map_dma_buf = vram_map,
		.unmap_dma_buf = vram_unmap,
		.release = vram_release,
	},
};
