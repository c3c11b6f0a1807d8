// SPDX-License-Identifier: GPL-2.0-only
/* Attachments that are ended, or handed on. */
#include <linux/dma-buf.h>

struct cam {
	struct device *dev;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
};

int cam_start(struct cam *cam);
void cam_forget(struct cam *cam);
int cam_adopt(struct cam *cam, struct dma_buf_attachment *attach);

static int unwinds(struct cam *cam, struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	int ret;

	attach = dma_buf_attach(dmabuf, cam->dev);
	if (IS_ERR(attach))
		return PTR_ERR(attach);

	sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	if (IS_ERR(sgt)) {
		ret = PTR_ERR(sgt);
		goto err_detach;
	}
	cam->attach = attach;
	cam->sgt = sgt;
	return 0;

err_detach:
	dma_buf_detach(dmabuf, attach);
	return ret;
}

static int handed_on(struct cam *cam, struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;

	attach = dma_buf_attach(dmabuf, cam->dev);
	if (IS_ERR(attach))
		return PTR_ERR(attach);

	return cam_adopt(cam, attach);
}

static struct dma_buf_attachment *returned(struct cam *cam, struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;

	attach = dma_buf_attach(dmabuf, cam->dev);
	return attach;
}

static int released_by_owner(struct cam *cam, struct dma_buf *dmabuf, size_t size)
{
	cam->attach = dma_buf_attach(dmabuf, cam->dev);
	if (IS_ERR(cam->attach))
		return PTR_ERR(cam->attach);

	if (dmabuf->size < size) {
		cam_forget(cam);
		return -EINVAL;
	}
	return 0;
}

static int released_here(struct cam *cam, struct dma_buf *dmabuf, size_t size)
{
	cam->attach = dma_buf_attach(dmabuf, cam->dev);
	if (IS_ERR(cam->attach))
		return PTR_ERR(cam->attach);

	if (dmabuf->size < size) {
		dma_buf_detach(dmabuf, cam->attach);
		return -EINVAL;
	}
	return 0;
}
