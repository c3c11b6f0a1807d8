// SPDX-License-Identifier: GPL-2.0
/*
 * The buffers of V4L2 drivers, put through the contract: videobuf2's memory from
 * vmalloc and from the DMA API, exported as VIDIOC_EXPBUF does it.
 */

#include "mock.h"

#if DMABUF_OURS && (IS_REACHABLE(CONFIG_VIDEOBUF2_VMALLOC) || \
		    IS_REACHABLE(CONFIG_VIDEOBUF2_DMA_CONTIG))

#include <linux/dma-buf-conformance.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/sizes.h>

#include <kunit/device.h>

#include <media/videobuf2-core.h>
#include <media/videobuf2-dma-contig.h>
#include <media/videobuf2-vmalloc.h>

/* As much of a queue and a buffer as the memory operations look at. */
static struct vb2_queue queue = {
	.dma_dir = DMA_BIDIRECTIONAL,
};

static struct vb2_buffer buffer = {
	.vb2_queue = &queue,
};

static int vb2_init(struct kunit *test)
{
	struct device *device = kunit_device_register(test, "conformance_vb2");

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, device);
	if (dma_coerce_mask_and_coherent(device, DMA_BIT_MASK(64)))
		kunit_skip(test, "no DMA");
	test->priv = device;
	return 0;
}

static struct dma_buf *vb2_create(struct kunit *test, const struct vb2_mem_ops *ops, size_t size)
{
	void *memory = ops->alloc(&buffer, test->priv, size);
	struct dma_buf *dmabuf;

	if (IS_ERR(memory))
		return ERR_CAST(memory);
	dmabuf = ops->get_dmabuf(&buffer, memory, O_RDWR | O_CLOEXEC);
	/* The buffer has a reference of its own. */
	ops->put(memory);
	return dmabuf ?: ERR_PTR(-ENOMEM);
}

#define VB2_PROMISES	(DMA_BUF_PROMISES_MAP | DMA_BUF_PROMISES_MMAP | DMA_BUF_PROMISES_VMAP | \
			 DMA_BUF_PROMISES_ZERO)

#if IS_REACHABLE(CONFIG_VIDEOBUF2_VMALLOC)
static struct dma_buf *vmalloc_create(struct kunit *test, size_t size)
{
	return vb2_create(test, &vb2_vmalloc_memops, size);
}

static const struct dma_buf_conformance vb2_vmalloc = {
	.create = vmalloc_create,
	.init = vb2_init,
	.size = SZ_64K,
	.promises = VB2_PROMISES,
	.deviates = DMA_BUF_DEVIATES_TABLE | DMA_BUF_DEVIATES_OFFSET | DMA_BUF_DEVIATES_NOISE,
};

DMA_BUF_CONFORMANCE_SUITE(vb2_vmalloc, &vb2_vmalloc);
#endif

#if IS_REACHABLE(CONFIG_VIDEOBUF2_DMA_CONTIG)
static struct dma_buf *contig_create(struct kunit *test, size_t size)
{
	return vb2_create(test, &vb2_dma_contig_memops, size);
}

static const struct dma_buf_conformance vb2_dma_contig = {
	.create = contig_create,
	.init = vb2_init,
	.size = SZ_64K,
	.promises = VB2_PROMISES | DMA_BUF_PROMISES_CPU,
	.deviates = DMA_BUF_DEVIATES_TABLE | DMA_BUF_DEVIATES_NOISE,
};

DMA_BUF_CONFORMANCE_SUITE(vb2_dma_contig, &vb2_dma_contig);
#endif

#endif /* DMABUF_OURS */
