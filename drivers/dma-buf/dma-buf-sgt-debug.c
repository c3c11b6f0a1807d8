// SPDX-License-Identifier: GPL-2.0-only
/*
 * CONFIG_DMABUF_DEBUG: importers get a copy of the exporter's table that has
 * DMA addresses and lengths and no pages. The exporter's own table is never
 * written, and found again at unmap.
 */

#include <linux/slab.h>

#include "dma-buf-internal.h"

/* What an importer holds is &shown; the exporter knows only @own. */
struct wrapped_sgt {
	struct sg_table shown;
	struct sg_table *own;
};

/*
 * Copy what the DMA API filled in. Some importers add up the lengths of the CPU's
 * entries, of which the copy has as many as there are of the device's.
 */
static void copy_dma_entry(struct scatterlist *to, struct scatterlist *from)
{
	sg_set_page(to, NULL, sg_dma_len(from), 0);
	sg_dma_address(to) = sg_dma_address(from);
	sg_dma_len(to) = sg_dma_len(from);
#ifdef CONFIG_NEED_SG_DMA_FLAGS
	to->dma_flags = from->dma_flags;
#endif
}

/**
 * dma_buf_sgt_wrap() - the copy of a table that an importer may see
 * @sgt: the exporter's, mapped
 * @gfp: how to allocate
 *
 * Context: Process context; may sleep if @gfp does.
 * Return: the copy, which dma_buf_sgt_unwrap() ends, or an ERR_PTR():
 * %-ENOMEM.
 */
struct sg_table *dma_buf_sgt_wrap(struct sg_table *sgt, gfp_t gfp)
{
	struct scatterlist *to, *from;
	struct wrapped_sgt *wrapped;
	int i;

	wrapped = kzalloc(sizeof(*wrapped), gfp);
	if (!wrapped)
		return ERR_PTR(-ENOMEM);

	/* An empty table leads nowhere, and there is nothing to hide in it. */
	if (sgt->nents && sg_alloc_table(&wrapped->shown, sgt->nents, gfp)) {
		kfree(wrapped);
		return ERR_PTR(-ENOMEM);
	}

	to = wrapped->shown.sgl;
	for_each_sgtable_dma_sg(sgt, from, i) {
		copy_dma_entry(to, from);
		to = sg_next(to);
	}
	wrapped->own = sgt;
	return &wrapped->shown;
}

/**
 * dma_buf_sgt_unwrap() - back to the exporter's table
 * @sgt: what dma_buf_sgt_wrap() returned; gone afterwards
 *
 * Context: Process context.
 * Return: the table that was wrapped.
 */
struct sg_table *dma_buf_sgt_unwrap(struct sg_table *sgt)
{
	struct wrapped_sgt *wrapped =
		container_of(sgt, struct wrapped_sgt, shown);
	struct sg_table *own = wrapped->own;

	sg_free_table(&wrapped->shown);
	kfree(wrapped);
	return own;
}
