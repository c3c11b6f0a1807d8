// SPDX-License-Identifier: GPL-2.0-only
/* Results tested for what the call never returns. */
#include <linux/dma-buf.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/sync_file.h>

struct cam {
	struct device *dev;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
};

static int get_null(struct cam *cam, int fd)
{
	cam->dmabuf = dma_buf_get(fd);
	if (!cam->dmabuf) /* finding */
		return -EBADF;
	return 0;
}

static int attach_null(struct cam *cam)
{
	struct dma_buf_attachment *attach;

	attach = dma_buf_attach(cam->dmabuf, cam->dev);
	if (attach == NULL) /* finding */
		return -ENOMEM;
	cam->attach = attach;
	return 0;
}

static int map_null(struct cam *cam)
{
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment_unlocked(cam->attach, DMA_FROM_DEVICE);
	if (sgt) { /* finding */
		cam->sgt = sgt;
		return 0;
	}
	return -ENOMEM;
}

static int export_null(struct cam *cam, struct dma_buf_export_info *info)
{
	cam->dmabuf = dma_buf_export(info);
	return cam->dmabuf != NULL ? 0 : -ENOMEM; /* finding */
}

static int sync_file_err(struct dma_fence *fence)
{
	struct sync_file *sync_file;

	sync_file = sync_file_create(fence);
	if (IS_ERR(sync_file)) /* finding */
		return PTR_ERR(sync_file);
	fput(sync_file->file);
	return 0;
}

static int merge_err(struct dma_fence *a, struct dma_fence *b)
{
	struct dma_fence *both = dma_fence_unwrap_merge(a, b);

	if (IS_ERR(both)) /* finding */
		return PTR_ERR(both);
	dma_fence_put(both);
	return 0;
}

static int array_err(struct dma_fence **fences, int n)
{
	struct dma_fence_array *array;

	array = dma_fence_array_create(n, fences, dma_fence_context_alloc(1), 1, false);
	return PTR_ERR_OR_ZERO(array); /* finding */
}

static bool each_err(struct cam *cam, int what)
{
	void *p;

	switch (what) {
	case 0:
		p = dma_buf_export(NULL);
		return !p; /* finding */
	case 1:
		p = dma_buf_get(0);
		return !p; /* finding */
	case 2:
		p = dma_buf_attach(cam->dmabuf, cam->dev);
		return !p; /* finding */
	case 3:
		p = dma_buf_dynamic_attach(cam->dmabuf, cam->dev, NULL, NULL);
		return !p; /* finding */
	case 4:
		p = dma_buf_map_attachment(cam->attach, DMA_TO_DEVICE);
		return !p; /* finding */
	case 5:
		p = dma_buf_map_attachment_unlocked(cam->attach, DMA_TO_DEVICE);
		return !p; /* finding */
	case 6:
		p = dma_buf_try_map_attachment(cam->attach, DMA_TO_DEVICE);
		return !p; /* finding */
	case 7:
		p = dma_buf_try_map_attachment_unlocked(cam->attach, DMA_TO_DEVICE);
		return !p; /* finding */
	case 8:
		p = dma_heap_add(NULL);
		return !p; /* finding */
	}
	return false;
}

static bool each_null(int what)
{
	void *p;

	switch (what) {
	case 0:
		p = sync_file_create(NULL);
		return IS_ERR(p); /* finding */
	case 1:
		p = sync_file_get_fence(0);
		return IS_ERR(p); /* finding */
	case 2:
		p = dma_fence_unwrap_merge(NULL, NULL);
		return IS_ERR(p); /* finding */
	case 3:
		p = dma_fence_array_alloc(1);
		return IS_ERR(p); /* finding */
	case 4:
		p = dma_fence_array_create(0, NULL, 1, 1, false);
		return IS_ERR(p); /* finding */
	case 5:
		p = dma_fence_chain_alloc();
		return IS_ERR(p); /* finding */
	case 6:
		p = dma_fence_allocate_private_stub(0);
		return IS_ERR(p); /* finding */
	case 7:
		p = dma_fence_get_rcu(NULL);
		return IS_ERR(p); /* finding */
	case 8:
		p = dma_fence_get_rcu_safe(NULL);
		return IS_ERR(p); /* finding */
	}
	return false;
}
