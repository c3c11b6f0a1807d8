// SPDX-License-Identifier: GPL-2.0-only
/* Look-alikes of the bugs that are none. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct vpu { struct device *dev; struct dma_buf_attachment *att; struct sg_table *tbl; struct { struct dma_buf_attachment *a; } in; struct dma_buf *db; int n; };
int vpu_prog(struct vpu *v);
void vpu_release(struct vpu *v);

static int code_tested(struct vpu *v, struct dma_buf *db)
{
	struct dma_buf_attachment *att = dma_buf_attach(db, v->dev);
	int err;

	err = PTR_ERR_OR_ZERO(att);
	if (err)
		return err;
	if (db->size < 4096) {
		err = -EINVAL;
		goto out;
	}
	v->att = att;
	return 0;
out:
	dma_buf_detach(db, att);
	return err;
}

static int in_a_list(struct vpu *v, struct dma_buf *db)
{
	struct dma_buf_attachment *att = dma_buf_attach(db, v->dev);

	if (unlikely(IS_ERR(att)))
		return PTR_ERR(att);
	list_add(&v->n, att);
	return -EIO;
}

/* cleanup.h: the attachment ends with the scope */
DEFINE_FREE(dma_buf_detach, struct dma_buf_attachment *, if (!IS_ERR_OR_NULL(_T)) dma_buf_detach(_T->dmabuf, _T))

static int ends_with_scope(struct vpu *v, struct dma_buf *db)
{
	struct dma_buf_attachment *att __free(dma_buf_detach) = dma_buf_attach(db, v->dev);
	struct sg_table *t;

	if (IS_ERR(att))
		return PTR_ERR(att);
	t = dma_buf_map_attachment_unlocked(att, DMA_TO_DEVICE);
	if (IS_ERR(t))
		return PTR_ERR(t);
	v->tbl = t;
	v->att = no_free_ptr(att);
	return 0;
}

static int only_probed(struct vpu *v, struct dma_buf *db)
{
	struct dma_buf_attachment *att;

	att = dma_buf_attach(db, v->dev);
	if (IS_ERR(att)) {
		dev_err(v->dev, "no attach\n");
		return PTR_ERR(att);
	}
	dma_buf_detach(att->dmabuf, att);
	return 0;
}

static int perhaps_attached(struct vpu *v, struct dma_buf *db)
{
	struct dma_buf_attachment *att = NULL;
	int ret;

	if (v->n) {
		att = dma_buf_attach(db, v->dev);
		if (IS_ERR(att))
			return PTR_ERR(att);
	}
	ret = vpu_prog(v);
	if (ret) {
		if (att)
			dma_buf_detach(db, att);
		return ret;
	}
	v->att = att;
	return 0;
}

static int stored_unwinds(struct vpu *v, struct dma_buf *db)
{
	int ret;

	v->att = dma_buf_attach(db, v->dev);
	if (IS_ERR(v->att)) {
		ret = PTR_ERR(v->att);
		v->att = NULL;
		return ret;
	}
	v->tbl = dma_buf_map_attachment_unlocked(v->att, DMA_TO_DEVICE);
	if (IS_ERR(v->tbl)) {
		ret = PTR_ERR(v->tbl);
		goto detach;
	}
	return 0;
detach:
	dma_buf_detach(db, v->att);
	v->att = NULL;
	return ret;
}

static int stored_released(struct vpu *v, struct dma_buf *db)
{
	int ret;

	v->att = dma_buf_attach(db, v->dev);
	ret = PTR_ERR_OR_ZERO(v->att);
	if (ret) {
		v->att = NULL;
		return ret;
	}
	ret = vpu_prog(v);
	if (ret)
		vpu_release(v);
	return ret;
}

static int stored_common_exit(struct vpu *v, struct dma_buf *db)
{
	int ret;

	v->att = dma_buf_attach(db, v->dev);
	if (IS_ERR(v->att)) {
		ret = PTR_ERR(v->att);
		goto out;
	}
	v->tbl = dma_buf_map_attachment_unlocked(v->att, DMA_TO_DEVICE);
	if (IS_ERR(v->tbl)) {
		ret = PTR_ERR(v->tbl);
		goto out_detach;
	}
	ret = 0;
	goto out;
out_detach:
	dma_buf_detach(db, v->att);
out:
	return ret;
}

static int stored_probe(struct vpu *v, struct dma_buf *db)
{
	v->att = dma_buf_attach(db, v->dev);
	if (IS_ERR(v->att))
		return dev_err_probe(v->dev, PTR_ERR(v->att), "no\n");
	return 0;
}

static int owner_was_asked(struct vpu *v, struct dma_buf *db)
{
	int ret;

	v->att = dma_buf_attach(db, v->dev);
	if (IS_ERR(v->att))
		return PTR_ERR(v->att);
	ret = vpu_prog(v);
	if (ret)
		return ret;
	return 0;
}
