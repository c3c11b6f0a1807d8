// SPDX-License-Identifier: GPL-2.0-only
/* Exporters that move what the core would keep. */
#include <linux/dma-buf.h>
#include <linux/virtio_dma_buf.h>

int vram_pin(struct dma_buf_attachment *attach);
void vram_unpin(struct dma_buf_attachment *attach);
struct sg_table *vram_map(struct dma_buf_attachment *attach, enum dma_data_direction dir);
void vram_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt, enum dma_data_direction dir);
void vram_release(struct dma_buf *dmabuf);

static const struct dma_buf_ops cached_first = {
	.cache_sgt_mapping = true, /* finding */
	.pin = vram_pin,
	.unpin = vram_unpin,
	.map_dma_buf = vram_map,
	.unmap_dma_buf = vram_unmap,
	.release = vram_release,
};

const struct dma_buf_ops cached_last = {
	.pin = vram_pin,
	.unpin = vram_unpin,
	.map_dma_buf = vram_map,
	.unmap_dma_buf = vram_unmap,
	.release = vram_release,
	.cache_sgt_mapping = 1, /* finding */
};

static const struct virtio_dma_buf_ops nested = {
	.ops = {
		.cache_sgt_mapping = true, /* finding */
		.pin = vram_pin,
		.unpin = vram_unpin,
		.map_dma_buf = vram_map,
		.unmap_dma_buf = vram_unmap,
		.release = vram_release,
	},
};
