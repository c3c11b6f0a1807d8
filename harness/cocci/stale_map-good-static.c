// SPDX-License-Identifier: GPL-2.0-only
/* A static importer, by the call that can make either kind. */
#include <linux/dma-buf.h>

struct cam {
	struct device *dev;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
};

void cam_program(struct cam *cam, struct sg_table *sgt);

static int import(struct cam *cam, struct dma_buf *dmabuf)
{
	cam->attach = dma_buf_dynamic_attach(dmabuf, cam->dev, NULL, NULL);
	if (IS_ERR(cam->attach))
		return PTR_ERR(cam->attach);

	cam->sgt = dma_buf_map_attachment_unlocked(cam->attach, DMA_FROM_DEVICE);
	if (IS_ERR(cam->sgt)) {
		dma_buf_detach(dmabuf, cam->attach);
		return PTR_ERR(cam->sgt);
	}
	cam_program(cam, cam->sgt);
	return 0;
}
