// SPDX-License-Identifier: GPL-2.0-only
/* Results tested for what the call returns. */
#include <linux/dma-buf.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/sync_file.h>

struct cam {
	struct device *dev;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
};

void *cam_alloc(void);

static int tested(struct cam *cam, int fd)
{
	cam->dmabuf = dma_buf_get(fd);
	if (IS_ERR(cam->dmabuf))
		return PTR_ERR(cam->dmabuf);

	cam->attach = dma_buf_attach(cam->dmabuf, cam->dev);
	return PTR_ERR_OR_ZERO(cam->attach);
}

static int tested_before(struct cam *cam, int fd)
{
	if (!cam->dmabuf)
		cam->dmabuf = dma_buf_get(fd);
	if (IS_ERR(cam->dmabuf))
		return PTR_ERR(cam->dmabuf);
	if (!cam->dmabuf)
		return -EINVAL;
	return 0;
}

static int tested_for_both(struct cam *cam)
{
	cam->sgt = dma_buf_map_attachment(cam->attach, DMA_TO_DEVICE);
	if (!cam->sgt || IS_ERR(cam->sgt))
		return -ENOMEM;
	if (IS_ERR_OR_NULL(cam->sgt))
		return -ENOMEM;
	return 0;
}

static int other_result(struct cam *cam, int fd)
{
	void *p = dma_buf_get(fd);

	p = cam_alloc();
	if (!p)
		return -ENOMEM;
	return 0;
}

static int nulls(struct dma_fence *a, struct dma_fence *b)
{
	struct dma_fence_chain *chain;
	struct sync_file *sync_file;
	struct dma_fence *both;

	chain = dma_fence_chain_alloc();
	if (!chain)
		return -ENOMEM;
	dma_fence_chain_free(chain);

	both = dma_fence_unwrap_merge(a, b);
	if (!both)
		return -ENOMEM;

	sync_file = sync_file_create(both);
	dma_fence_put(both);
	if (!sync_file)
		return -ENOMEM;
	fput(sync_file->file);
	return 0;
}
