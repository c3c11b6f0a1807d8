// SPDX-License-Identifier: GPL-2.0-only
/* The same bugs in other clothes. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct vpu { struct device *dev; struct dma_buf_attachment *att; struct sg_table *tbl; struct { struct dma_buf_attachment *a; } in; struct dma_buf *db; int n; };
int vpu_prog(struct vpu *v);
void *kzalloc(int, int);

static int null_too(struct vpu *v, struct dma_buf *db)
{
	struct dma_buf_attachment *att = dma_buf_attach(db, v->dev);
	struct sg_table *t;

	if (IS_ERR_OR_NULL(att))
		return -ENODEV;
	t = dma_buf_map_attachment_unlocked(att, DMA_TO_DEVICE);
	if (IS_ERR_OR_NULL(t))
		return -ENOMEM; /* finding */
	v->att = att;
	v->tbl = t;
	return 0;
}

static int chain_misses_one(struct vpu *v, struct dma_buf *db)
{
	struct dma_buf_attachment *att = dma_buf_attach(db, v->dev);
	struct sg_table *t;
	int err;

	if (IS_ERR(att))
		return PTR_ERR(att);
	t = dma_buf_map_attachment_unlocked(att, DMA_TO_DEVICE);
	if (IS_ERR(t)) {
		err = PTR_ERR(t);
		goto fail_detach;
	}
	err = vpu_prog(v);
	if (err)
		goto fail_unmap;
	v->att = att;
	return 0;
fail_unmap:
	dma_buf_unmap_attachment_unlocked(att, t, DMA_TO_DEVICE);
	return err; /* finding */
fail_detach:
	dma_buf_detach(db, att);
	return err;
}

static struct vpu *later_allocation(struct dma_buf *db, struct device *dev)
{
	struct dma_buf_attachment *att;
	struct vpu *v;

	att = dma_buf_attach(db, dev);
	if (IS_ERR(att))
		return ERR_CAST(att);
	v = kzalloc(sizeof(*v), GFP_KERNEL);
	if (!v)
		return ERR_PTR(-ENOMEM); /* finding */
	v->att = att;
	return v;
}

static int unlikely_busy(struct vpu *v, struct dma_buf *db)
{
	struct dma_buf_attachment *att;

	att = dma_buf_attach(db, v->dev);
	if (unlikely(IS_ERR(att)))
		return PTR_ERR(att);
	if (unlikely(v->n > 3))
		return -EBUSY; /* finding */
	v->att = att;
	return 0;
}

static int stored_code_travels(struct vpu *v, struct dma_buf *db)
{
	int ret;

	v->att = dma_buf_attach(db, v->dev);
	if (IS_ERR(v->att))
		return PTR_ERR(v->att);
	v->tbl = dma_buf_map_attachment_unlocked(v->att, DMA_TO_DEVICE);
	if (IS_ERR(v->tbl)) {
		ret = PTR_ERR(v->tbl);
		goto out;
	}
	return 0;
out:
	return ret; /* finding */
}

static int stored_map_fails(struct vpu *v, struct dma_buf *db)
{
	v->att = dma_buf_attach(db, v->dev);
	if (IS_ERR(v->att))
		return PTR_ERR(v->att);
	v->tbl = dma_buf_map_attachment_unlocked(v->att, DMA_TO_DEVICE);
	if (IS_ERR(v->tbl))
		return PTR_ERR(v->tbl); /* finding */
	return 0;
}

static int stored_inside(struct vpu *v, struct dma_buf *db)
{
	v->in.a = dma_buf_attach(db, v->dev);
	if (IS_ERR(v->in.a))
		return PTR_ERR(v->in.a);
	v->tbl = dma_buf_map_attachment_unlocked(v->in.a, DMA_TO_DEVICE);
	if (IS_ERR(v->tbl))
		return PTR_ERR(v->tbl); /* finding */
	return 0;
}

static int common_exit(struct vpu *v, struct dma_buf *db)
{
	struct dma_buf_attachment *att;
	struct sg_table *t;
	int ret = 0;

	att = dma_buf_attach(db, v->dev);
	if (IS_ERR(att)) {
		ret = PTR_ERR(att);
		dev_err(v->dev, "attach failed: %d\n", ret);
		goto done;
	}
	t = dma_buf_map_attachment_unlocked(att, DMA_TO_DEVICE);
	if (IS_ERR(t)) {
		ret = PTR_ERR(t);
		dev_err(v->dev, "map failed: %d\n", ret);
		goto done;
	}
	v->att = att;
	v->tbl = t;
done:
	return ret; /* finding */
}

static int put_only(struct vpu *v, int fd)
{
	struct dma_buf *db = dma_buf_get(fd);
	struct dma_buf_attachment *att;
	int ret;

	if (IS_ERR(db))
		return PTR_ERR(db);
	att = dma_buf_attach(db, v->dev);
	if (IS_ERR(att)) {
		ret = PTR_ERR(att);
		goto put;
	}
	ret = vpu_prog(v);
	if (ret)
		goto put;
	v->att = att;
	v->db = db;
	return 0;
put:
	dma_buf_put(db);
	return ret; /* finding */
}

static int each_of_many(struct vpu *v, struct dma_buf **db, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		struct dma_buf_attachment *att = dma_buf_attach(db[i], v->dev);

		if (IS_ERR(att))
			return PTR_ERR(att);
		if (vpu_prog(v))
			return -EIO; /* finding */
		v[i].att = att;
	}
	return 0;
}

static int code_tested(struct vpu *v, struct dma_buf *db)
{
	struct dma_buf_attachment *att;
	int err;

	att = dma_buf_attach(db, v->dev);
	err = PTR_ERR_OR_ZERO(att);
	if (err)
		return err;
	if (db->size < 4096)
		return -EINVAL; /* finding */
	v->att = att;
	return 0;
}

static void returns_nothing(struct vpu *v, struct dma_buf *db)
{
	struct dma_buf_attachment *att = dma_buf_attach(db, v->dev);

	if (IS_ERR(att))
		return;
	if (vpu_prog(v))
		return; /* finding */
	dma_buf_detach(db, att);
}

static int stored_call_fails(struct vpu *v, struct dma_buf *db, struct foo *foo)
{
	int ret;

	v->att = dma_buf_attach(db, v->dev);
	if (IS_ERR(v->att))
		return PTR_ERR(v->att);
	ret = foo_prog(foo);
	if (ret)
		return ret; /* finding */
	return 0;
}
