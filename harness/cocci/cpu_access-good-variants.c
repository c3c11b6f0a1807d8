// SPDX-License-Identifier: GPL-2.0-only
/* Look-alikes of the bugs that are none. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct dv { struct iosys_map map; struct dma_buf *b; void *p; };

static int around_vmap(struct dma_buf *b, void *dst)
{
	struct iosys_map m;
	int ret;

	ret = dma_buf_begin_cpu_access(b, DMA_FROM_DEVICE);
	if (ret)
		return ret;
	ret = dma_buf_vmap_unlocked(b, &m);
	if (ret)
		goto end;
	memcpy(dst, m.vaddr, 16);
	dma_buf_vunmap_unlocked(b, &m);
end:
	dma_buf_end_cpu_access(b, DMA_FROM_DEVICE);
	return ret;
}

static int inside_vmap(struct dma_buf *b, void *dst)
{
	struct iosys_map m;
	int ret;

	ret = dma_buf_vmap_unlocked(b, &m);
	if (ret)
		return ret;
	if (!m.vaddr || iosys_map_is_null(&m))
		goto un;
	if (dma_buf_begin_cpu_access(b, DMA_FROM_DEVICE)) {
		ret = -EIO;
		goto un;
	}
	memcpy(dst, m.vaddr, 16);
	dma_buf_end_cpu_access(b, DMA_FROM_DEVICE);
un:
	dma_buf_vunmap_unlocked(b, &m);
	return ret;
}

static int kept(struct dv *d)
{
	struct iosys_map m;

	if (dma_buf_vmap_unlocked(d->b, &m))
		return -1;
	d->map = m;
	d->p = m.vaddr;
	return 0;
}

static int branch(struct dma_buf *b, void *dst, bool sync)
{
	struct iosys_map m;
	int ret, e;

	ret = dma_buf_vmap_unlocked(b, &m);
	if (ret)
		return ret;
	ret = dma_buf_begin_cpu_access(b, DMA_FROM_DEVICE);
	if (!ret) {
		memcpy(dst, m.vaddr, 16);
		e = dma_buf_end_cpu_access(b, DMA_FROM_DEVICE);
	}
	dma_buf_vunmap_unlocked(b, &m);
	return ret ?: e;
}

static void *returned(struct dv *d)
{
	struct iosys_map m;

	if (dma_buf_vmap_unlocked(d->b, &m))
		return NULL;
	return m.is_iomem ? NULL : m.vaddr;
}

static int two_labels(struct dma_buf *b, void *dst)
{
	struct iosys_map m;
	int ret;

	ret = dma_buf_vmap_unlocked(b, &m);
	if (ret)
		return ret;
	ret = dma_buf_begin_cpu_access(b, DMA_FROM_DEVICE);
	if (ret)
		goto unmap;
	if (!dst) {
		ret = -EINVAL;
		goto end;
	}
	memcpy(dst, m.vaddr, 16);
end:
	dma_buf_end_cpu_access(b, DMA_FROM_DEVICE);
unmap:
	dma_buf_vunmap_unlocked(b, &m);
	return ret;
}
