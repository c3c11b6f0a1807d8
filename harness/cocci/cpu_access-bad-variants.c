// SPDX-License-Identifier: GPL-2.0-only
/* The same bugs in other clothes. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct hd { u32 a, b; };

static int declared(struct dma_buf *b, void *dst)
{
	struct iosys_map m = IOSYS_MAP_INIT_VADDR(NULL);
	int e = dma_buf_vmap_unlocked(b, &m);

	if (e)
		return e;
	memcpy(dst, m.vaddr, 64); /* finding */
	dma_buf_vunmap_unlocked(b, &m);
	return 0;
}

static int dereferenced(struct dma_buf *b)
{
	struct iosys_map m;
	u32 *p;

	if (dma_buf_vmap(b, &m) < 0)
		return -1;
	p = m.vaddr;
	*p = 5; /* finding */
	dma_buf_vunmap(b, &m);
	return 0;
}

static int registers(struct dma_buf *b)
{
	struct iosys_map m;
	u32 x;

	if (dma_buf_vmap_unlocked(b, &m))
		return -ENOMEM;
	x = readl(m.vaddr_iomem + 4); /* finding */
	writel(x, m.vaddr_iomem); /* finding */
	dma_buf_vunmap_unlocked(b, &m);
	return x;
}

static int walks_bytes(struct dma_buf *b)
{
	struct iosys_map m;
	int i, s = 0;
	u8 *p;

	if (dma_buf_vmap_unlocked(b, &m))
		return -ENOMEM;
	p = (u8 *)m.vaddr;
	for (i = 0; i < 10; i++)
		s += p[i]; /* finding */
	dma_buf_vunmap_unlocked(b, &m);
	return s;
}

static int moved_on(struct dma_buf *b, void *src)
{
	struct iosys_map m;
	int r;

	r = dma_buf_vmap_unlocked(b, &m);
	if (r)
		goto out;
	iosys_map_incr(&m, 16);
	iosys_map_memcpy_to(&m, 0, src, 16); /* finding */
	dma_buf_vunmap_unlocked(b, &m);
out:
	return r;
}

static int cast_member(struct dma_buf *b)
{
	struct iosys_map m;

	if (dma_buf_vmap_unlocked(b, &m))
		return -1;
	((struct hd *)m.vaddr)->a = 1; /* finding */
	dma_buf_vunmap_unlocked(b, &m);
	return 0;
}

static int never_ended(struct dma_buf *b, void *dst)
{
	struct iosys_map m;
	int ret;

	ret = dma_buf_begin_cpu_access(b, DMA_FROM_DEVICE);
	if (ret)
		return ret;
	ret = dma_buf_vmap_unlocked(b, &m);
	if (ret)
		return ret; /* finding */
	memcpy(dst, m.vaddr, 16);
	dma_buf_vunmap_unlocked(b, &m);
	dma_buf_end_cpu_access(b, DMA_FROM_DEVICE);
	return 0;
}

static int after_end(struct dma_buf *b, void *dst)
{
	struct iosys_map m;
	int ret;

	ret = dma_buf_vmap_unlocked(b, &m);
	if (ret)
		return ret;
	ret = dma_buf_begin_cpu_access(b, DMA_FROM_DEVICE);
	if (ret)
		goto unmap;
	memcpy(dst, m.vaddr, 16);
	dma_buf_end_cpu_access(b, DMA_FROM_DEVICE);
	memcpy(dst, m.vaddr, 16); /* finding */
unmap:
	dma_buf_vunmap_unlocked(b, &m);
	return ret;
}

static int exit_without_end(struct dma_buf *b, void *dst)
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
		goto unmap;
	}
	memcpy(dst, m.vaddr, 16);
	dma_buf_end_cpu_access(b, DMA_FROM_DEVICE);
unmap:
	dma_buf_vunmap_unlocked(b, &m);
	return ret; /* finding */
}

static int both_kinds(struct dma_buf *b, const void *src)
{
	struct dma_buf_map m;

	if (dma_buf_vmap_unlocked(b, &m))
		return -1;
	if (m.is_iomem)
		memcpy_toio(m.vaddr_iomem, src, 16); /* finding */
	else
		memcpy(m.vaddr, src, 16); /* finding */
	dma_buf_vunmap_unlocked(b, &m);
	return 0;
}

struct dv { struct iosys_map map; struct dma_buf *b; };

static int map_in_object(struct dv *d)
{
	int r = dma_buf_vmap_unlocked(d->b, &d->map);

	if (r)
		return r;
	memset(d->map.vaddr, 0, 4096); /* finding */
	return 0;
}

static int string(struct dma_buf *b, char *s)
{
	struct iosys_map m;

	if (dma_buf_vmap_unlocked(b, &m))
		return -1;
	strscpy(s, m.vaddr, 16); /* finding */
	dma_buf_vunmap_unlocked(b, &m);
	return 0;
}
