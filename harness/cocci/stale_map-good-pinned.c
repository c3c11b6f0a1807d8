// SPDX-License-Identifier: GPL-2.0-only
/* An importer that follows moves in principle, and pins. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct mr {
	struct device *dev;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
};

void mr_program(struct mr *mr, struct sg_table *sgt);

static void never_moves(struct dma_buf_attachment *attach)
{
	WARN_ON_ONCE(1);
}

static const struct dma_buf_attach_ops ops = {
	.allow_peer2peer = true,
	.move_notify = never_moves,
};

static int register_pinned(struct mr *mr, struct dma_buf *dmabuf)
{
	int ret;

	mr->attach = dma_buf_dynamic_attach(dmabuf, mr->dev, &ops, mr);
	if (IS_ERR(mr->attach))
		return PTR_ERR(mr->attach);

	dma_resv_lock(dmabuf->resv, NULL);
	ret = dma_buf_pin(mr->attach);
	if (ret)
		goto err_unlock;
	mr->sgt = dma_buf_map_attachment(mr->attach, DMA_BIDIRECTIONAL);
	dma_resv_unlock(dmabuf->resv);
	if (IS_ERR(mr->sgt)) {
		ret = PTR_ERR(mr->sgt);
		goto err_unpin;
	}
	mr_program(mr, mr->sgt);
	return 0;

err_unpin:
	dma_resv_lock(dmabuf->resv, NULL);
	dma_buf_unpin(mr->attach);
err_unlock:
	dma_resv_unlock(dmabuf->resv);
	dma_buf_detach(dmabuf, mr->attach);
	return ret;
}
