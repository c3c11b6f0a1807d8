// SPDX-License-Identifier: GPL-2.0
/*
 * What the core of the buffers costs: export, attachments, mappings, CPU access. The buffers have
 * no memory, or are somebody else's of whom user space has given the descriptor.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/fcntl.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/sync_file.h>

#include "bench.h"
#include "bench_run.h"

/* Says that there is a page, as the contract checker reads it. */
static struct scatterlist null_sg;
static struct sg_table null_sgt = {
	.sgl = &null_sg, .nents = 1, .orig_nents = 1,
};

static struct sg_table *null_map(struct dma_buf_attachment *attach,
				 enum dma_data_direction direction)
{
	return &null_sgt;
}

static void null_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		       enum dma_data_direction direction)
{
}

static int null_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	iosys_map_set_vaddr(map, &null_sgt);
	return 0;
}

static int null_pin(struct dma_buf_attachment *attach)
{
	return 0;
}

static void null_unpin(struct dma_buf_attachment *attach)
{
}

static void null_release(struct dma_buf *dmabuf)
{
}

const struct dma_buf_ops bench_static_ops = {
	.map_dma_buf	= null_map,
	.unmap_dma_buf	= null_unmap,
	.vmap		= null_vmap,
	.release	= null_release,
};

static const struct dma_buf_ops cached_ops = {
	.cache_sgt_mapping = true,
	.map_dma_buf	= null_map,
	.unmap_dma_buf	= null_unmap,
	.release	= null_release,
};

static const struct dma_buf_ops dynamic_ops = {
	.pin		= null_pin,
	.unpin		= null_unpin,
	.map_dma_buf	= null_map,
	.unmap_dma_buf	= null_unmap,
	.release	= null_release,
};

struct dma_buf *bench_export(const struct dma_buf_ops *ops)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	info.exp_name = DMABUF_BENCH_NAME;
	info.ops = ops;
	info.size = PAGE_SIZE;
	info.flags = O_RDWR;
	info.priv = &null_sgt;
	return dma_buf_export(&info);
}

static int __init null_init(void)
{
	sg_init_table(&null_sg, 1);
	sg_dma_len(&null_sg) = PAGE_SIZE;
	return 0;
}
core_initcall(null_init);

static int export_once(void)
{
	struct dma_buf *dmabuf = bench_export(&bench_static_ops);

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	dma_buf_put(dmabuf);
	bench_flush_files();
	return 0;
}

/*
 * With the release, which the kernel puts off until the task is on its way to user space; without
 * what RCU does later, which is in export.fd_close.
 */
int run_export(struct bench *bench)
{
	int ret = 0;

	bench_settle(bench);
	bench_measure(bench, ret = ret ?: export_once());
	return ret;
}

/* One buffer more, while n exist. */
int run_export_existing(struct bench *bench)
{
	struct dma_buf **bufs __free(kvfree) = kvcalloc(bench->n, sizeof(*bufs), GFP_KERNEL);
	unsigned int nr;
	int ret = 0;

	if (!bufs)
		return -ENOMEM;
	for (nr = 0; nr < bench->n && !ret; nr++) {
		bufs[nr] = bench_export(&bench_static_ops);
		ret = PTR_ERR_OR_ZERO(bufs[nr]);
	}
	ret = ret ?: run_export(bench);
	while (nr--)
		if (!IS_ERR(bufs[nr]))
			dma_buf_put(bufs[nr]);
	return ret;
}

int run_buf_get_put(struct bench *bench)
{
	bench_measure(bench, {
		get_dma_buf(bench->dmabuf);
		dma_buf_put(bench->dmabuf);
	});
	return 0;
}

int run_buf_get_put_fd(struct bench *bench)
{
	struct dma_buf *dmabuf = bench_export(&bench_static_ops);
	int fd;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0) {
		dma_buf_put(dmabuf);
		return fd;
	}
	bench_measure(bench, dma_buf_put(dma_buf_get(fd)));
	close_fd(fd);
	return 0;
}

static int attach_once(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, bench_device);

	if (IS_ERR(attach))
		return PTR_ERR(attach);
	dma_buf_detach(dmabuf, attach);
	return 0;
}

int run_attach(struct bench *bench)
{
	int ret = 0;

	bench_measure(bench, ret = ret ?: attach_once(bench->dmabuf));
	return ret;
}

struct attachments {
	struct dma_buf *dmabuf;		/* of the run */
	unsigned int n;
	struct dma_buf_attachment *attach[] __counted_by(n);
};

/* @set may be unfinished. */
static void attachments_free(struct attachments *set)
{
	if (!set)
		return;
	for (unsigned int i = 0; i < set->n; i++)
		if (!IS_ERR_OR_NULL(set->attach[i]))
			dma_buf_detach(set->dmabuf, set->attach[i]);
	kvfree(set);
}

DEFINE_FREE(attachments, struct attachments *, attachments_free(_T))

static void ignore_move(struct dma_buf_attachment *attach)
{
}

static const struct dma_buf_attach_ops ignore_ops = {
	.move_notify = ignore_move,
};

/* @n attachments of an importer that can follow the memory, if @dynamic. */
static struct attachments *attachments_create(struct dma_buf *dmabuf, unsigned int n, bool dynamic)
{
	struct attachments *set __free(attachments) =
		kvzalloc(struct_size(set, attach, n), GFP_KERNEL);

	if (!set || IS_ERR(dmabuf))
		return NULL;
	set->dmabuf = dmabuf;
	set->n = n;
	for (unsigned int i = 0; i < n; i++) {
		set->attach[i] = dma_buf_dynamic_attach(dmabuf, bench_device,
							dynamic ? &ignore_ops : NULL, set);
		if (IS_ERR(set->attach[i]))
			return NULL;
	}
	return no_free_ptr(set);
}

/* One attachment more, while n exist. */
int run_attach_present(struct bench *bench)
{
	struct attachments *set __free(attachments) =
		attachments_create(bench->dmabuf, bench->n, false);

	return set ? run_attach(bench) : -ENOMEM;
}

/* Map and unmap once. */
static int map_once(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	return 0;
}

static int map_locked(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	dma_buf_unmap_attachment(attach, sgt, DMA_BIDIRECTIONAL);
	return 0;
}

/* An attachment that stays: the first mapping is not part of what is measured. */
static int repeat_map(struct bench *bench, struct dma_buf *dmabuf)
{
	struct attachments *set __free(attachments) = attachments_create(dmabuf, 1, false);
	int ret;

	if (!set)
		return -ENOMEM;
	ret = map_once(set->attach[0]);
	bench_measure(bench, ret = ret ?: map_once(set->attach[0]));
	return ret;
}

int run_map(struct bench *bench)
{
	return repeat_map(bench, bench->dmabuf);
}

int run_map_cached(struct bench *bench)
{
	struct dma_buf *dmabuf __free(bench_buf) = bench_export(&cached_ops);

	return repeat_map(bench, dmabuf);
}

/* Both sides can follow the memory; the lock is held all the time. */
int run_map_dynamic(struct bench *bench)
{
	struct dma_buf *dmabuf __free(bench_buf) = bench_export(&dynamic_ops);
	struct attachments *set __free(attachments) = attachments_create(dmabuf, 1, true);
	int ret;

	if (!set)
		return -ENOMEM;
	dma_resv_lock(dmabuf->resv, NULL);
	ret = map_locked(set->attach[0]);
	bench_measure(bench, ret = ret ?: map_locked(set->attach[0]));
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

static int import_once(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, bench_device);
	int ret;

	if (IS_ERR(attach))
		return PTR_ERR(attach);
	ret = map_once(attach);
	dma_buf_detach(dmabuf, attach);
	return ret;
}

/* All that an importer does for one use: attach, map, unmap, detach. */
int run_import(struct bench *bench)
{
	int ret = 0;

	bench_measure(bench, ret = ret ?: import_once(bench->dmabuf));
	return ret;
}

int run_pin(struct bench *bench)
{
	struct dma_buf *dmabuf __free(bench_buf) = bench_export(&dynamic_ops);
	struct attachments *set __free(attachments) = attachments_create(dmabuf, 1, true);
	int ret = 0;

	if (!set)
		return -ENOMEM;
	dma_resv_lock(dmabuf->resv, NULL);
	bench_measure(bench, {
		ret |= dma_buf_pin(set->attach[0]);
		dma_buf_unpin(set->attach[0]);
	});
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

static int vmap_once(struct dma_buf *dmabuf)
{
	struct iosys_map map;
	int ret = dma_buf_vmap_unlocked(dmabuf, &map);

	if (!ret)
		dma_buf_vunmap_unlocked(dmabuf, &map);
	return ret;
}

int run_vmap(struct bench *bench)
{
	int ret = 0;

	bench_measure(bench, ret = ret ?: vmap_once(bench->dmabuf));
	return ret;
}

/* While another one has it mapped. */
int run_vmap_nested(struct bench *bench)
{
	struct iosys_map map;
	int ret = dma_buf_vmap_unlocked(bench->dmabuf, &map);

	if (ret)
		return ret;
	ret = run_vmap(bench);
	dma_buf_vunmap_unlocked(bench->dmabuf, &map);
	return ret;
}

static int cpu_access_once(struct dma_buf *dmabuf)
{
	int ret = dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE);

	return ret | dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE);
}

/* To read what a device has written, and the end of it. */
int run_cpu_access(struct bench *bench)
{
	int ret = 0;

	bench_measure(bench, ret |= cpu_access_once(bench->dmabuf));
	return ret;
}

/* While n others read, too. */
int run_cpu_access_readers(struct bench *bench)
{
	struct bench_fences *set __free(bench_fences) =
		bench_fences_create(bench->n, BENCH_CONTEXT, 1);
	int ret;

	if (!set)
		return -ENOMEM;
	ret = bench_resv_fill(bench->dmabuf->resv, set, DMA_RESV_USAGE_READ);
	return ret ?: run_cpu_access(bench);
}

/* All of n attachments. */
int run_move_notify(struct bench *bench)
{
	struct dma_buf *dmabuf __free(bench_buf) = bench_export(&dynamic_ops);
	struct attachments *set __free(attachments) =
		attachments_create(dmabuf, bench->n, true);

	if (!set)
		return -ENOMEM;
	dma_resv_lock(dmabuf->resv, NULL);
	bench_measure(bench, dma_buf_move_notify(dmabuf));
	dma_resv_unlock(dmabuf->resv);
	return 0;
}

#if IS_ENABLED(CONFIG_SYNC_FILE)
int run_sync_file(struct bench *bench)
{
	struct dma_fence *fence __free(bench_fence) = bench_fence_create(BENCH_CONTEXT, 1);
	int ret = 0;

	if (!fence)
		return -ENOMEM;
	bench_measure(bench, {
		struct sync_file *sync_file = sync_file_create(fence);

		if (sync_file)
			__fput_sync(sync_file->file);
		else
			ret = -ENOMEM;
	});
	return ret;
}
#else
int run_sync_file(struct bench *bench)
{
	return -EOPNOTSUPP;
}
#endif

#if BENCH_OURS
static int null_get_pfn(struct dma_buf_attachment *attach, pgoff_t pgoff, u64 *pfn,
			unsigned int *max_order)
{
	*pfn = 1 + pgoff;
	*max_order = 0;
	return 0;
}

static const struct dma_buf_ops pfn_ops = {
	.get_pfn	= null_get_pfn,
	.map_dma_buf	= null_map,
	.unmap_dma_buf	= null_unmap,
	.release	= null_release,
};

int run_get_pfn(struct bench *bench)
{
	struct dma_buf *dmabuf __free(bench_buf) = bench_export(&pfn_ops);
	struct attachments *set __free(attachments) = attachments_create(dmabuf, 1, false);
	unsigned int max_order;
	int ret = 0;
	u64 pfn;

	if (!set)
		return -ENOMEM;
	bench_measure(bench, ret |= dma_buf_get_pfn_unlocked(set->attach[0], 0, &pfn,
							     &max_order));
	return ret;
}
#else
int run_get_pfn(struct bench *bench)
{
	return -EOPNOTSUPP;
}
#endif
