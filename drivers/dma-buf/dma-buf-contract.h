/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the core asks the contract checker while it serves importers. Without
 * CONFIG_DMABUF_CONTRACT none of it leaves an instruction behind.
 */
#ifndef _DMA_BUF_CONTRACT_H
#define _DMA_BUF_CONTRACT_H

#include <linux/device.h>
#include <linux/dma-buf.h>

#include "dma-contract.h"

/* For reports and bufinfo: whose attachment is it? */
static inline const char *
dma_buf_importer_name(const struct dma_buf_attachment *attach)
{
	if (!attach)
		return "<none>";
	return attach->dev ? dev_name(attach->dev) : "<no device>";
}

#if IS_ENABLED(CONFIG_DMABUF_CONTRACT)

void dma_buf_contract_report(enum dma_contract_rule rule,
			     struct dma_buf *dmabuf,
			     const struct dma_buf_attachment *attach,
			     const char *what);

#define dma_buf_broken(cond, rule, dmabuf, attach, what) ({		\
	bool __broken = unlikely(!!(cond));				\
									\
	if (__broken)							\
		dma_buf_contract_report(rule, dmabuf, attach, what);	\
	__broken;							\
})

int dma_buf_contract_enter(struct dma_buf *dmabuf,
			   const struct dma_buf_attachment *attach);
int dma_buf_contract_may_map(struct dma_buf_attachment *attach,
			     enum dma_data_direction direction);
void dma_buf_contract_called(struct dma_buf *dmabuf,
			     const struct dma_buf_attachment *attach,
			     const char *op);

void dma_buf_contract_export(struct dma_buf *dmabuf);
void dma_buf_contract_attach(struct dma_buf_attachment *attach);
void dma_buf_contract_detach(struct dma_buf_attachment *attach);
int dma_buf_contract_table(struct dma_buf_attachment *attach,
			   struct sg_table *own);
void dma_buf_contract_mapped(struct dma_buf_attachment *attach,
			     struct sg_table *own, struct sg_table *shown,
			     gfp_t gfp);
void dma_buf_contract_unmapped(struct dma_buf_attachment *attach,
			       struct sg_table *shown);
void dma_buf_contract_lent(struct dma_buf_attachment *attach,
			   struct sg_table *shown,
			   enum dma_data_direction direction);
bool dma_buf_contract_returned(struct dma_buf_attachment *attach,
			       struct sg_table *shown,
			       enum dma_data_direction *direction);
void dma_buf_contract_frame(struct dma_buf_attachment *attach, pgoff_t pgoff,
			    u64 pfn, unsigned int order);
bool dma_buf_contract_moves(struct dma_buf *dmabuf);
bool dma_buf_contract_notified(struct dma_buf *dmabuf,
			       struct dma_buf_attachment *attach);
void dma_buf_contract_moved(struct dma_buf *dmabuf);
void dma_buf_contract_vmap_unlocked(struct dma_buf *dmabuf);

void dma_buf_contract_access_begun(struct dma_buf *dmabuf);
bool dma_buf_contract_access_ends(struct dma_buf *dmabuf);
void dma_buf_contract_user_begun(struct dma_buf *dmabuf);
int dma_buf_contract_user_ends(struct dma_buf *dmabuf,
			       enum dma_data_direction direction);
const struct dma_buf_attachment *
dma_buf_contract_left(struct dma_buf *dmabuf);
void dma_buf_contract_release(struct dma_buf *dmabuf);

#else

#define dma_buf_broken(cond, rule, dmabuf, attach, what)		\
	dma_contract_broken(cond, rule, (dmabuf)->exp_name,		\
			    "%s; importer %s", what,			\
			    dma_buf_importer_name(attach))

static inline int
dma_buf_contract_enter(struct dma_buf *dmabuf,
		       const struct dma_buf_attachment *attach)
{
	return 0;
}

static inline int
dma_buf_contract_may_map(struct dma_buf_attachment *attach,
			 enum dma_data_direction direction)
{
	return 0;
}

static inline void
dma_buf_contract_called(struct dma_buf *dmabuf,
			const struct dma_buf_attachment *attach, const char *op)
{
}

static inline void dma_buf_contract_export(struct dma_buf *dmabuf) { }
static inline void dma_buf_contract_attach(struct dma_buf_attachment *attach) { }
static inline void dma_buf_contract_detach(struct dma_buf_attachment *attach) { }

static inline int dma_buf_contract_table(struct dma_buf_attachment *attach,
					 struct sg_table *own)
{
	return 0;
}

static inline void
dma_buf_contract_mapped(struct dma_buf_attachment *attach, struct sg_table *own,
			struct sg_table *shown, gfp_t gfp)
{
}

static inline void
dma_buf_contract_unmapped(struct dma_buf_attachment *attach,
			  struct sg_table *shown)
{
}

static inline void dma_buf_contract_lent(struct dma_buf_attachment *attach,
					 struct sg_table *shown,
					 enum dma_data_direction direction)
{
}

static inline bool
dma_buf_contract_returned(struct dma_buf_attachment *attach,
			  struct sg_table *shown,
			  enum dma_data_direction *direction)
{
	return true;
}

static inline void dma_buf_contract_frame(struct dma_buf_attachment *attach,
					  pgoff_t pgoff, u64 pfn,
					  unsigned int order)
{
}

static inline bool dma_buf_contract_moves(struct dma_buf *dmabuf)
{
	return true;
}

static inline bool dma_buf_contract_notified(struct dma_buf *dmabuf,
					     struct dma_buf_attachment *attach)
{
	return true;
}

static inline void dma_buf_contract_moved(struct dma_buf *dmabuf) { }
static inline void dma_buf_contract_vmap_unlocked(struct dma_buf *dmabuf) { }
static inline void dma_buf_contract_access_begun(struct dma_buf *dmabuf) { }

static inline bool dma_buf_contract_access_ends(struct dma_buf *dmabuf)
{
	return true;
}

static inline void dma_buf_contract_user_begun(struct dma_buf *dmabuf) { }

static inline int dma_buf_contract_user_ends(struct dma_buf *dmabuf,
					     enum dma_data_direction direction)
{
	return dma_buf_end_cpu_access(dmabuf, direction);
}

/* Nobody can tell whether its device is still there. */
static inline const struct dma_buf_attachment *
dma_buf_contract_left(struct dma_buf *dmabuf)
{
	return NULL;
}

static inline void dma_buf_contract_release(struct dma_buf *dmabuf) { }

#endif

#endif /* _DMA_BUF_CONTRACT_H */
