// SPDX-License-Identifier: GPL-2.0
/*
 * The exporter, the device and the fences that drivers with a bug are made of.
 * They have none. Memory is contiguous; DMA addresses are made up, so that no DMA
 * API is needed.
 */

#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/gfp.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "seeded.h"

#define NR_PAGES	4
#define DMA_BASE	0x40000000UL

struct sg_table *acme_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	void *memory = attach->dmabuf->priv;
	struct scatterlist *sg;
	struct sg_table *sgt;
	unsigned int i;

	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	if (sg_alloc_table(sgt, NR_PAGES, GFP_KERNEL)) {
		kfree(sgt);
		return ERR_PTR(-ENOMEM);
	}

	for_each_sgtable_sg(sgt, sg, i) {
		sg_set_page(sg, virt_to_page(memory + i * PAGE_SIZE), PAGE_SIZE, 0);
		sg_dma_address(sg) = DMA_BASE + i * PAGE_SIZE;
		sg_dma_len(sg) = PAGE_SIZE;
	}
	return sgt;
}

void acme_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		enum dma_data_direction dir)
{
	sg_free_table(sgt);
	kfree(sgt);
}

int acme_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	iosys_map_set_vaddr(map, dmabuf->priv);
	return 0;
}

int acme_pin(struct dma_buf_attachment *attach)
{
	return 0;
}

void acme_unpin(struct dma_buf_attachment *attach)
{
}

void acme_release(struct dma_buf *dmabuf)
{
	free_pages_exact(dmabuf->priv, NR_PAGES * PAGE_SIZE);
}

const struct dma_buf_ops acme_ops = {
	.map_dma_buf = acme_map,
	.unmap_dma_buf = acme_unmap,
	.vmap = acme_vmap,
	.release = acme_release,
};

const struct dma_buf_ops acme_movable_ops = {
	.pin = acme_pin,
	.unpin = acme_unpin,
	.map_dma_buf = acme_map,
	.unmap_dma_buf = acme_unmap,
	.vmap = acme_vmap,
	.release = acme_release,
};

static void acme_move_notify(struct dma_buf_attachment *attach)
{
	dma_resv_assert_held(attach->dmabuf->resv);
}

const struct dma_buf_attach_ops acme_follow_ops = {
	.move_notify = acme_move_notify,
};

/* Made once, and kept. */
struct device *acme_device(void)
{
	static struct device *device;

	if (!device)
		device = root_device_register("acme");
	return device;
}

static struct dma_buf *acme_export(const struct dma_buf_ops *ops)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.ops = ops;
	info.exp_name = "acme";
	info.size = NR_PAGES * PAGE_SIZE;
	info.flags = O_RDWR;
	info.priv = alloc_pages_exact(info.size, GFP_KERNEL | __GFP_ZERO);
	if (!info.priv)
		return ERR_PTR(-ENOMEM);

	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		free_pages_exact(info.priv, info.size);
	return dmabuf;
}

struct acme_fence {
	struct dma_fence base;
	spinlock_t lock; /* Serves base only. */
};

static const char *acme_fence_name(struct dma_fence *fence)
{
	return "acme";
}

static const struct dma_fence_ops acme_fence_ops = {
	.get_driver_name = acme_fence_name,
	.get_timeline_name = acme_fence_name,
};

/* A fence that is not signaled, with a reference for the caller; or NULL. */
struct dma_fence *acme_fence(void)
{
	struct acme_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	if (!fence)
		return NULL;
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &acme_fence_ops, &fence->lock,
		       dma_fence_context_alloc(1), 1);
	return &fence->base;
}

/* What an importer does, with a mapping that nobody uses. */
int acme_map_once(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	return 0;
}

/* A buffer for as long as @func takes. */
int acme_with_buffer(const struct dma_buf_ops *ops, int (*func)(struct dma_buf *dmabuf))
{
	struct dma_buf *dmabuf = acme_export(ops);
	int ret;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	ret = func(dmabuf);
	dma_buf_put(dmabuf);
	return ret;
}

/* The same, and attached to it. */
int acme_with_import(const struct dma_buf_ops *ops,
		     const struct dma_buf_attach_ops *importer_ops,
		     int (*func)(struct dma_buf_attachment *attach))
{
	struct dma_buf *dmabuf = acme_export(ops);
	struct dma_buf_attachment *attach;
	int ret;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	attach = dma_buf_dynamic_attach(dmabuf, acme_device(), importer_ops, NULL);
	ret = PTR_ERR_OR_ZERO(attach);
	if (!ret) {
		ret = func(attach);
		dma_buf_detach(dmabuf, attach);
	}
	dma_buf_put(dmabuf);
	return ret;
}

/* The same, for a @func after which nothing can be ended. */
int acme_without_end(const struct dma_buf_ops *ops,
		     int (*func)(struct dma_buf_attachment *attach))
{
	struct dma_buf *dmabuf = acme_export(ops);
	struct dma_buf_attachment *attach;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	attach = dma_buf_attach(dmabuf, acme_device());
	return IS_ERR(attach) ? PTR_ERR(attach) : func(attach);
}

MODULE_DESCRIPTION("Drivers with one bug each, for the tests of the checkers");
MODULE_IMPORT_NS(DMA_BUF);
MODULE_LICENSE("GPL");
