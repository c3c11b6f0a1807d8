// SPDX-License-Identifier: GPL-2.0-only
/* Attachments that an early return loses. */
#include <linux/dma-buf.h>

struct cam {
	struct device *dev;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
};

int cam_start(struct cam *cam);

static int map_fails(struct cam *cam, struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;

	attach = dma_buf_attach(dmabuf, cam->dev);
	if (IS_ERR(attach))
		return PTR_ERR(attach);

	sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt); /* finding */

	cam->attach = attach;
	cam->sgt = sgt;
	return 0;
}

static int wrong_label(struct cam *cam, struct dma_buf *dmabuf, size_t size)
{
	struct dma_buf_attachment *attach;
	int ret;

	attach = dma_buf_dynamic_attach(dmabuf, cam->dev, NULL, NULL);
	if (IS_ERR(attach)) {
		ret = PTR_ERR(attach);
		goto err;
	}
	if (dmabuf->size < size) {
		ret = -EINVAL;
		goto err;
	}
	ret = cam_start(cam);
	if (ret)
		goto err_detach;

	cam->attach = attach;
	return 0;

err_detach:
	dma_buf_detach(dmabuf, attach);
err:
	return ret; /* finding */
}

static int probe_only(struct cam *cam, struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;

	attach = dma_buf_attach(dmabuf, cam->dev);
	if (!IS_ERR(attach))
		return 0; /* finding */

	return PTR_ERR(attach);
}

static int stored_at_once(struct cam *cam, struct dma_buf *dmabuf, size_t size)
{
	cam->attach = dma_buf_attach(dmabuf, cam->dev);
	if (IS_ERR(cam->attach))
		return PTR_ERR(cam->attach);

	if (dmabuf->size < size)
		return -EINVAL; /* finding */

	return 0;
}
