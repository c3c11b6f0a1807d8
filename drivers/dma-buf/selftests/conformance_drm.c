// SPDX-License-Identifier: GPL-2.0
/*
 * GEM objects in shmem, put through the contract: those of vgem, whose device is
 * opened as a program does it.
 */

#include "mock.h"

#if DMABUF_OURS && IS_REACHABLE(CONFIG_DRM_VGEM)

#include <linux/dma-buf-conformance.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/kdev_t.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_prime.h>

#include "mock_chrdev.h"

/* Of all DRM devices; the first one there is. */
#define DRM_MAJOR	226

static int vgem_init(struct kunit *test)
{
	struct file *file = mock_chrdev_open(test, MKDEV(DRM_MAJOR, 0));
	struct drm_file *client = file->private_data;
	struct drm_device *device = client->minor->dev;

	if (strcmp(device->driver->name, "vgem"))
		kunit_skip(test, "the first DRM device is %s", device->driver->name);
	test->priv = device;
	return 0;
}

static struct dma_buf *vgem_create(struct kunit *test, size_t size)
{
	struct drm_gem_shmem_object *object = drm_gem_shmem_create(test->priv, size);
	struct dma_buf *dmabuf;

	if (IS_ERR(object))
		return ERR_CAST(object);
	dmabuf = drm_gem_prime_export(&object->base, O_RDWR | O_CLOEXEC);
	/* The buffer has a reference of its own. */
	drm_gem_object_put(&object->base);
	return dmabuf;
}

static const struct dma_buf_conformance vgem = {
	.create = vgem_create,
	.init = vgem_init,
	.size = SZ_64K,
	.promises = DMA_BUF_PROMISES_MAP | DMA_BUF_PROMISES_MMAP | DMA_BUF_PROMISES_VMAP |
		    DMA_BUF_PROMISES_CACHE | DMA_BUF_PROMISES_ZERO,
	.deviates = DMA_BUF_DEVIATES_OFFSET | DMA_BUF_DEVIATES_ERRNO,
};

DMA_BUF_CONFORMANCE_SUITE(vgem, &vgem);

#endif /* DMABUF_OURS */
