// SPDX-License-Identifier: GPL-2.0-only
/*
 * An importer's path: attach, pin, map or look up page frames, follow moves,
 * unmap, unpin, detach.
 *
 * Lock order: nothing of this file is called with a lock inside the
 * reservation lock. Each function without the suffix _unlocked, attach and
 * detach excepted, expects &dma_buf.resv to be held and asserts it.
 */

#include <linux/bitops.h>
#include <linux/export.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include "dma-buf-internal.h"

/**
 * DOC: who maps when
 *
 * An importer is *dynamic* if it follows moves (&dma_buf_attach_ops), an
 * exporter if it can move a buffer (&dma_buf_ops.pin). Where the two agree,
 * the importer maps when it needs to. Where they differ the core maps once,
 * at attach, for both directions, and the importer gets that mapping each
 * time it asks:
 *
 * ======== ======== ============================= ===========================
 * importer exporter who maps, when                what keeps memory in place
 * ======== ======== ============================= ===========================
 * static   static   the importer, at map          it never moves
 * dynamic  dynamic  the importer, at map          nothing: the importer
 *                                                 follows; without
 *                                                 CONFIG_DMABUF_MOVE_NOTIFY
 *                                                 a pin by each map
 * static   dynamic  the core, at attach           a pin of the core's, until
 *                                                 detach
 * dynamic  static   the core, at attach           it never moves
 * ======== ======== ============================= ===========================
 *
 * A buffer that offers page frames only is never mapped, and pinned in the
 * third row all the same.
 */

/* The importer cannot follow moves that the exporter can make. */
static bool pin_on_attach(struct dma_buf_attachment *attach)
{
	return dma_buf_is_dynamic(attach->dmabuf) &&
	       !dma_buf_attachment_is_dynamic(attach);
}

/* The two sides disagree about moves: the core has to help. */
static bool sides_differ(const struct dma_buf *dmabuf,
			 const struct dma_buf_attach_ops *ops)
{
	return !dmabuf->ops->pin != !ops;
}

/* Both sides can move, but the kernel is built without. */
static bool pin_on_map(struct dma_buf_attachment *attach)
{
	return !IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY) &&
	       dma_buf_is_dynamic(attach->dmabuf);
}

/* IS_ERR_OR_NULL() by one comparison; the last errno of all is not in use. */
static inline bool is_err_or_null(const void *ptr)
{
	return IS_ERR_VALUE((unsigned long)ptr - 1);
}

/* An importer that passes on what a failed attach returned has a bug. */
static bool attach_given(const struct dma_buf_attachment *attach)
{
	return !WARN_ON_ONCE(is_err_or_null(attach) || !attach->dmabuf);
}

/* Pin for @attach, and remember it. */
static __always_inline int attach_pin(struct dma_buf_attachment *attach)
{
	struct dma_buf *dmabuf = attach->dmabuf;
	int ret;

	dma_resv_assert_held(dmabuf->resv);

	if (dmabuf->ops->pin) {
		ret = dmabuf->ops->pin(attach);
		dma_buf_contract_called(dmabuf, attach, "pin");
		if (ret)
			return dma_buf_op_errno(dmabuf, "pin", ret);
	}
	attach->pins++;
	return 0;
}

static void attach_unpin(struct dma_buf_attachment *attach)
{
	struct dma_buf *dmabuf = attach->dmabuf;

	dma_resv_assert_held(dmabuf->resv);

	attach->pins--;
	if (dmabuf->ops->unpin) {
		dmabuf->ops->unpin(attach);
		dma_buf_contract_called(dmabuf, attach, "unpin");
	}
}

/* The pin that comes with a mapping, if any; ended by map_unpin(). */
static inline int map_pin(struct dma_buf_attachment *attach)
{
	int ret;

	if (!pin_on_map(attach))
		return 0;

	ret = attach_pin(attach);
	if (!ret)
		attach->map_pins++;
	return ret;
}

static void map_unpin(struct dma_buf_attachment *attach)
{
	if (pin_on_map(attach) && attach->map_pins) {
		attach->map_pins--;
		attach_unpin(attach);
	}
}

/*
 * A static importer cannot wait by itself for the exporter's own moves and
 * clears: it gets addresses once they are done. Is there anything to wait for?
 */
static inline bool may_have_to_wait(struct dma_buf_attachment *attach)
{
	/* Nobody puts the first fence in without the lock. */
	return !dma_buf_attachment_is_dynamic(attach) &&
	       rcu_access_pointer(attach->dmabuf->resv->fences);
}

static int wait_for_exporter(struct dma_buf_attachment *attach)
{
	long left;

	if (!may_have_to_wait(attach))
		return 0;

	left = dma_resv_wait_timeout(attach->dmabuf->resv,
				     DMA_RESV_USAGE_KERNEL, true,
				     MAX_SCHEDULE_TIMEOUT);
	return left < 0 ? left : 0;
}

/* The DMA API hands out whole pages; say so where somebody is debugging it. */
static void check_alignment(struct sg_table *sgt)
{
	struct scatterlist *sg;
	int i;

	if (!IS_ENABLED(CONFIG_DMA_API_DEBUG))
		return;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (!PAGE_ALIGNED(sg_dma_address(sg)) ||
		    !PAGE_ALIGNED(sg_dma_len(sg)))
			pr_debug("%s: entry %d, address %llx, length %x: no whole pages\n",
				 __func__, i, (u64)sg_dma_address(sg),
				 sg_dma_len(sg));
	}
}

/* Have the exporter undo its mapping. */
static void exporter_unmap(struct dma_buf_attachment *attach,
			   struct sg_table *own,
			   enum dma_data_direction direction)
{
	attach->dmabuf->ops->unmap_dma_buf(attach, own, direction);
	dma_buf_contract_called(attach->dmabuf, attach, "unmap_dma_buf");
}

/*
 * The exporter's mapping @own, as importers get to see it. Undoes it if that
 * fails.
 */
static struct sg_table *show_table(struct dma_buf_attachment *attach,
				   struct sg_table *own,
				   enum dma_data_direction direction, gfp_t gfp)
{
	struct sg_table *shown;
	int ret;

	check_alignment(own);

	ret = dma_buf_contract_table(attach, own);
	shown = ret ? ERR_PTR(ret) : dma_buf_sgt_wrap(own, gfp);
	if (IS_ERR(shown))
		exporter_unmap(attach, own, direction);
	else
		dma_buf_contract_mapped(attach, own, shown, gfp);
	return shown;
}

/* show_table() once the exporter is done. */
static noinline struct sg_table *
wait_and_show_table(struct dma_buf_attachment *attach, struct sg_table *own,
		    enum dma_data_direction direction)
{
	int ret = wait_for_exporter(attach);

	if (ret) {
		exporter_unmap(attach, own, direction);
		return ERR_PTR(ret);
	}
	return show_table(attach, own, direction, GFP_KERNEL);
}

/* Let the exporter map. */
static __always_inline struct sg_table *
attach_map(struct dma_buf_attachment *attach, enum dma_data_direction direction)
{
	struct sg_table *own;

	own = attach->dmabuf->ops->map_dma_buf(attach, direction);
	dma_buf_contract_called(attach->dmabuf, attach, "map_dma_buf");
	if (IS_ERR_OR_NULL(own))
		return own ?: ERR_PTR(-ENOMEM);

	if (unlikely(may_have_to_wait(attach)))
		return wait_and_show_table(attach, own, direction);
	return show_table(attach, own, direction, GFP_KERNEL);
}

static void attach_unmap(struct dma_buf_attachment *attach,
			 struct sg_table *sgt,
			 enum dma_data_direction direction)
{
	dma_buf_contract_unmapped(attach, sgt);
	exporter_unmap(attach, dma_buf_sgt_unwrap(sgt), direction);
}

/* Undo attach_settle(), as far as it got, and a cached mapping. */
static void attach_unsettle(struct dma_buf_attachment *attach)
{
	if (attach->sgt) {
		attach_unmap(attach, attach->sgt, attach->dir);
		attach->sgt = NULL;
	}
	if (pin_on_attach(attach) && attach->pins)
		attach_unpin(attach);
}

/* At detach: take back what the core keeps, and what the importer forgot. */
static void attach_clear(struct dma_buf_attachment *attach)
{
	attach_unsettle(attach);

	dma_buf_broken(attach->pins, DMA_RULE_DETACH_PINNED, attach->dmabuf,
		       attach, "detach of a buffer that the importer has pinned");
	while (attach->pins)
		attach_unpin(attach);
}

/* Do at attach what the table above gives to the core: the sides differ. */
static noinline int attach_settle(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;
	int ret;

	if (pin_on_attach(attach)) {
		ret = attach_pin(attach);
		if (ret)
			return ret;
	}
	if (attach->dmabuf->ops->map_dma_buf) {
		sgt = attach_map(attach, DMA_BIDIRECTIONAL);
		if (IS_ERR(sgt)) {
			attach_unsettle(attach);
			return PTR_ERR(sgt);
		}
		attach->sgt = sgt;
		attach->dir = DMA_BIDIRECTIONAL;
	}
	return 0;
}

/* Is this something that the buffer's exporter can serve? */
static bool attach_allowed(const struct dma_buf *dmabuf,
			   const struct device *dev,
			   const struct dma_buf_attach_ops *ops)
{
	if (!dmabuf || (ops && !ops->move_notify))
		return false;
	return dev || !dmabuf->ops->map_dma_buf;
}

static __always_inline struct dma_buf_attachment *
attach_alloc(struct dma_buf *dmabuf, struct device *dev,
	     const struct dma_buf_attach_ops *ops, void *priv)
{
	struct dma_buf_attachment *attach = kmalloc(sizeof(*attach), GFP_KERNEL);

	if (attach) {
		/* All members, one by one: this is less than a memset(). */
		attach->dmabuf = dmabuf;
		attach->dev = dev;
		attach->sgt = NULL;
		attach->dir = DMA_BIDIRECTIONAL;
		attach->peer2peer = ops && ops->allow_peer2peer;
		attach->importer_ops = ops;
		attach->importer_priv = priv;
		attach->priv = NULL;
		attach->pins = 0;
		attach->map_pins = 0;
		dma_buf_contract_attach(attach);
	}
	return attach;
}

/* The exporter's attach callback has not returned 0. */
static noinline struct dma_buf_attachment *
attach_refused(struct dma_buf_attachment *attach, int ret)
{
	struct dma_buf *dmabuf = attach->dmabuf;

	kfree(attach);
	return ERR_PTR(dma_buf_op_errno(dmabuf, "attach", ret));
}

/* attach_settle() has failed. */
static noinline struct dma_buf_attachment *
attach_failed(struct dma_buf_attachment *attach, int ret)
{
	dma_buf_detach(attach->dmabuf, attach);
	return ERR_PTR(ret);
}

/* Both forms of attach; the compiler makes one of each. */
static __always_inline struct dma_buf_attachment *
attach_device(struct dma_buf *dmabuf, struct device *dev,
	      const struct dma_buf_attach_ops *ops, void *priv)
{
	struct dma_buf_attachment *attach;
	int ret = 0;

	if (WARN_ON_ONCE(!attach_allowed(dmabuf, dev, ops)))
		return ERR_PTR(-EINVAL);

	attach = attach_alloc(dmabuf, dev, ops, priv);
	if (!attach)
		return ERR_PTR(-ENOMEM);

	if (dmabuf->ops->attach)
		ret = dmabuf->ops->attach(dmabuf, attach);
	if (unlikely(ret))
		return attach_refused(attach, ret);

	dma_resv_lock(dmabuf->resv, NULL);
	list_add(&attach->node, &dmabuf->attachments);
	if (sides_differ(dmabuf, ops))
		ret = attach_settle(attach);
	dma_resv_unlock(dmabuf->resv);
	return likely(!ret) ? attach : attach_failed(attach, ret);
}

/**
 * dma_buf_dynamic_attach() - tie a device to a buffer whose moves it follows
 * @dmabuf: the caller keeps a reference until after dma_buf_detach()
 * @dev: who does the DMA; NULL for an importer that uses page frames only,
 *	of an exporter that offers nothing else
 * @importer_ops: the importer's callbacks, or NULL for a static importer
 * @importer_priv: for the importer; set before the first callback
 *
 * move_notify may be called before this function returns.
 *
 * Context: Process context, may sleep. Takes &dma_buf.resv.
 * Return: the attachment, which dma_buf_detach() ends, or an ERR_PTR() with
 * nothing left attached, pinned or mapped:
 *
 *  * %-EINVAL - @dmabuf is NULL, @dev is NULL though the exporter maps for
 *    devices, or @importer_ops has no move_notify
 *  * %-ENOMEM - out of memory
 *  * %-ERESTARTSYS - a signal ended the wait for the exporter's fences
 *  * %-EIO - the exporter's attach or pin callback returned what is no errno
 *  * what the exporter's attach, pin and map_dma_buf callbacks return; %-EBUSY
 *    says that the memory is in a place this device cannot reach
 */
struct dma_buf_attachment *
dma_buf_dynamic_attach(struct dma_buf *dmabuf, struct device *dev,
		       const struct dma_buf_attach_ops *importer_ops,
		       void *importer_priv)
{
	return attach_device(dmabuf, dev, importer_ops, importer_priv);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_dynamic_attach, DMA_BUF);

/**
 * dma_buf_attach() - tie a device to a buffer
 * @dmabuf: the caller keeps a reference until after dma_buf_detach()
 * @dev: who does the DMA
 *
 * As dma_buf_dynamic_attach() for an importer that cannot follow moves: the
 * buffer stays in place until dma_buf_detach().
 *
 * Context: Process context, may sleep. Takes &dma_buf.resv.
 * Return: as dma_buf_dynamic_attach().
 */
struct dma_buf_attachment *dma_buf_attach(struct dma_buf *dmabuf,
					  struct device *dev)
{
	return attach_device(dmabuf, dev, NULL, NULL);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_attach, DMA_BUF);

/**
 * dma_buf_detach() - end an attachment
 * @dmabuf: the buffer; the caller still has its reference
 * @attach: of this buffer; gone afterwards
 *
 * The importer has unmapped and unpinned what it mapped and pinned. Pins that
 * it forgot are reported and dropped.
 *
 * Context: Process context, may sleep. Takes &dma_buf.resv.
 */
void dma_buf_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	if (WARN_ON_ONCE(is_err_or_null(attach) || dmabuf != attach->dmabuf))
		return;

	dma_resv_lock(dmabuf->resv, NULL);
	/* One test for both: most attachments end with neither. */
	if (unlikely((unsigned long)attach->sgt | attach->pins))
		attach_clear(attach);
	dma_buf_contract_detach(attach);
	__list_del_entry(&attach->node);
	dma_resv_unlock(dmabuf->resv);

	if (dmabuf->ops->detach)
		dmabuf->ops->detach(dmabuf, attach);
	kfree(attach);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_detach, DMA_BUF);

/**
 * dma_buf_pin() - keep the buffer where it is
 * @attach: of a dynamic importer
 *
 * Pins nest; each is undone by dma_buf_unpin(). Pinned memory is taken away
 * from everybody else: for scanout and the like only, and not on behalf of
 * whoever asks.
 *
 * Context: Process context, may sleep. The caller holds &dma_buf.resv.
 * Return: 0, or a negative errno without a pin: %-EINVAL for a static
 * importer, whose buffer stays in place anyway, and, with
 * CONFIG_DMABUF_CONTRACT, without the lock; or what &dma_buf_ops.pin returns,
 * or %-EIO if that is no errno.
 */
int dma_buf_pin(struct dma_buf_attachment *attach)
{
	if (dma_buf_contract_enter(attach->dmabuf, attach))
		return -EINVAL;

	dma_resv_assert_held(attach->dmabuf->resv);

	if (dma_buf_broken(!dma_buf_attachment_is_dynamic(attach),
			   DMA_RULE_PIN_STATIC, attach->dmabuf, attach,
			   "pin by a static importer"))
		return -EINVAL;

	return attach_pin(attach);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_pin, DMA_BUF);

/**
 * dma_buf_unpin() - undo a dma_buf_pin()
 * @attach: the attachment that was pinned
 *
 * One call too many is reported and otherwise ignored.
 *
 * Context: Process context, may sleep. The caller holds &dma_buf.resv.
 */
void dma_buf_unpin(struct dma_buf_attachment *attach)
{
	if (dma_buf_contract_enter(attach->dmabuf, attach))
		return;

	dma_resv_assert_held(attach->dmabuf->resv);

	/*
	 * The one pin of a static importer belongs to the core, and that of
	 * a mapping ends with it.
	 */
	if (dma_buf_broken(!dma_buf_attachment_is_dynamic(attach) ||
			   attach->pins == attach->map_pins,
			   DMA_RULE_PIN_UNBALANCED, attach->dmabuf, attach,
			   "unpin without pin"))
		return;

	attach_unpin(attach);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_unpin, DMA_BUF);

/* Is the mapping that @attach keeps good for @direction, too? */
static bool serves_direction(const struct dma_buf_attachment *attach,
			     enum dma_data_direction direction)
{
	return attach->dir == direction || attach->dir == DMA_BIDIRECTIONAL;
}

/* Remember a new mapping if it is to be handed out again. */
static struct sg_table *keep_if_cached(struct dma_buf_attachment *attach,
				       struct sg_table *sgt,
				       enum dma_data_direction direction)
{
	if (attach->dmabuf->ops->cache_sgt_mapping) {
		attach->dir = direction;
		/* Pairs with kept_table(). */
		smp_store_release(&attach->sgt, sgt);
	}
	return sgt;
}

/* A mapping for @direction, be it one that exists. */
static __always_inline struct sg_table *
map_attachment(struct dma_buf_attachment *attach,
	       enum dma_data_direction direction)
{
	struct sg_table *sgt;
	int ret;

	if (attach->sgt)
		return serves_direction(attach, direction) ? attach->sgt :
							     ERR_PTR(-EBUSY);
	if (!attach->dmabuf->ops->map_dma_buf)
		return ERR_PTR(-EOPNOTSUPP);

	ret = map_pin(attach);
	if (ret)
		return ERR_PTR(ret);

	sgt = attach_map(attach, direction);
	if (IS_ERR(sgt)) {
		map_unpin(attach);
		return sgt;
	}
	return keep_if_cached(attach, sgt, direction);
}

/* dma_buf_map_attachment() */
static __always_inline struct sg_table *
map_locked(struct dma_buf_attachment *attach, enum dma_data_direction direction)
{
	struct sg_table *sgt;
	int ret;

	ret = dma_buf_contract_may_map(attach, direction);
	if (ret)
		return ERR_PTR(ret);

	might_sleep();
	dma_resv_assert_held(attach->dmabuf->resv);

	sgt = map_attachment(attach, direction);
	if (!IS_ERR(sgt))
		dma_buf_contract_lent(attach, sgt, direction);
	return sgt;
}

/**
 * dma_buf_map_attachment() - DMA addresses of the buffer for the device
 * @attach: whose device
 * @direction: what the device will do
 *
 * The table belongs to the exporter, is read only, and has DMA addresses and
 * lengths but no pages that the importer may look at. It stays valid until
 * dma_buf_unmap_attachment(), across moves too; after a move a new mapping
 * shows the new place.
 *
 * Context: Process context, may sleep. The caller holds &dma_buf.resv.
 * Return: the table, or an ERR_PTR() with nothing mapped:
 *
 *  * %-EINVAL - @attach is no attachment; or, with CONFIG_DMABUF_CONTRACT, the
 *    caller does not hold the lock, may not sleep, or @direction is none
 *  * %-EIO - the exporter's pin callback returned what is no errno; or, with
 *    CONFIG_DMABUF_CONTRACT, its table is not of whole pages, or not as long as
 *    the buffer
 *  * %-EOPNOTSUPP - the exporter offers page frames only
 *  * %-EBUSY - there is a mapping kept for another direction
 *  * %-ENOMEM - out of memory, or the exporter returned no table
 *  * %-ERESTARTSYS - a signal ended the wait for the exporter's fences
 *  * what the exporter's map_dma_buf and pin callbacks return
 */
struct sg_table *dma_buf_map_attachment(struct dma_buf_attachment *attach,
					enum dma_data_direction direction)
{
	if (!attach_given(attach))
		return ERR_PTR(-EINVAL);

	return map_locked(attach, direction);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_map_attachment, DMA_BUF);

/*
 * The mapping that @attach keeps if it will do, without the lock: once there is
 * one it stays as it is until detach, beside which nobody may map. NULL if the
 * lock has to be taken, as always where somebody checks what drivers do.
 */
static inline struct sg_table *kept_table(struct dma_buf_attachment *attach,
					  enum dma_data_direction direction)
{
	struct sg_table *sgt;

	might_lock(&attach->dmabuf->resv->lock.base);

	if (IS_ENABLED(CONFIG_DMABUF_CONTRACT))
		return NULL;

	/* Pairs with keep_if_cached(). */
	sgt = smp_load_acquire(&attach->sgt);
	return sgt && serves_direction(attach, direction) ? sgt : NULL;
}

/**
 * dma_buf_map_attachment_unlocked() - DMA addresses of the buffer
 * @attach: whose device
 * @direction: what the device will do
 *
 * Context: Process context, may sleep. Takes &dma_buf.resv, unless there is a
 * mapping that the attachment keeps and that will do.
 * Return: as dma_buf_map_attachment().
 */
struct sg_table *
dma_buf_map_attachment_unlocked(struct dma_buf_attachment *attach,
				enum dma_data_direction direction)
{
	struct sg_table *sgt;

	might_sleep();

	if (!attach_given(attach))
		return ERR_PTR(-EINVAL);

	sgt = kept_table(attach, direction);
	if (sgt)
		return sgt;

	guard(dma_buf_resv)(attach->dmabuf);
	return map_locked(attach, direction);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_map_attachment_unlocked, DMA_BUF);

/* Does anybody keep the buffer where it is? */
static bool is_pinned(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;

	dma_resv_assert_held(dmabuf->resv);

	list_for_each_entry(attach, &dmabuf->attachments, node) {
		if (attach->pins)
			return true;
	}
	return false;
}

/* Would wait_for_exporter() wait? */
static bool exporter_is_busy(struct dma_buf_attachment *attach)
{
	return !dma_buf_attachment_is_dynamic(attach) &&
	       !dma_resv_test_signaled(attach->dmabuf->resv,
				       DMA_RESV_USAGE_KERNEL);
}

/* Is there anything that a mapping would have to wait for? */
static bool map_would_wait(struct dma_buf_attachment *attach)
{
	/* The first pin may move the buffer. */
	if (pin_on_map(attach) && !is_pinned(attach->dmabuf))
		return true;
	return exporter_is_busy(attach);
}

/* As attach_map(), without waiting. */
static struct sg_table *attach_try_map(struct dma_buf_attachment *attach,
				       enum dma_data_direction direction)
{
	struct sg_table *own;

	/* What sleeps in there is reported by CONFIG_DEBUG_ATOMIC_SLEEP. */
	non_block_start();
	own = attach->dmabuf->ops->try_map_dma_buf(attach, direction);
	non_block_end();
	dma_buf_contract_called(attach->dmabuf, attach, "try_map_dma_buf");

	if (IS_ERR_OR_NULL(own))
		return own ?: ERR_PTR(-ENOMEM);

	/* It may have begun to clear or to move what it mapped. */
	if (exporter_is_busy(attach)) {
		exporter_unmap(attach, own, direction);
		return ERR_PTR(-EBUSY);
	}
	return show_table(attach, own, direction, GFP_NOWAIT | __GFP_NOWARN);
}

/* What @sgt says of a failure, if it is one that waiting might have averted. */
static bool failed_in_haste(const struct sg_table *sgt)
{
	return PTR_ERR(sgt) == -ENOMEM || PTR_ERR(sgt) == -EAGAIN;
}

/* As map_attachment(), without waiting. */
static struct sg_table *try_map_attachment(struct dma_buf_attachment *attach,
					   enum dma_data_direction direction)
{
	struct sg_table *sgt;
	int ret;

	if (attach->sgt)
		return serves_direction(attach, direction) ? attach->sgt :
							     ERR_PTR(-EBUSY);
	if (!attach->dmabuf->ops->try_map_dma_buf)
		return ERR_PTR(-EOPNOTSUPP);
	if (map_would_wait(attach))
		return ERR_PTR(-EBUSY);

	ret = map_pin(attach);
	if (ret)
		return ERR_PTR(ret);

	sgt = attach_try_map(attach, direction);
	if (IS_ERR(sgt)) {
		map_unpin(attach);
		return failed_in_haste(sgt) ? ERR_PTR(-EBUSY) : sgt;
	}
	return keep_if_cached(attach, sgt, direction);
}

/**
 * dma_buf_try_map_attachment() - as dma_buf_map_attachment(), without waiting
 * @attach: whose device
 * @direction: what the device will do
 *
 * For importers on a path that must not be held up: they try, and leave what
 * would wait to a worker that calls dma_buf_map_attachment(). Undone by
 * dma_buf_unmap_attachment().
 *
 * Where a mapping brings a pin, without CONFIG_DMABUF_MOVE_NOTIFY, only a
 * buffer that is pinned already is mapped.
 *
 * Context: Process context. Waits for nothing, but is not for atomic context:
 * a new mapping that turns out to be of no use is undone by unmap_dma_buf,
 * which may sleep for a lock of the exporter's. The caller holds &dma_buf.resv.
 * Return: the table, or an ERR_PTR() with nothing mapped and nothing pinned:
 *
 *  * %-EINVAL, %-EIO - as dma_buf_map_attachment()
 *  * %-EBUSY - it would have to wait for a fence of the exporter's, for memory
 *    to be reclaimed, for a lock, or for the buffer to move; or there is a
 *    mapping kept for another direction
 *  * %-EOPNOTSUPP - the exporter offers page frames only, or cannot tell
 *    whether it would wait
 *  * what the exporter's try_map_dma_buf and pin callbacks return; %-ENOMEM
 *    and %-EAGAIN of the former are %-EBUSY
 */
struct sg_table *
dma_buf_try_map_attachment(struct dma_buf_attachment *attach,
			   enum dma_data_direction direction)
{
	struct sg_table *sgt;
	int ret;

	if (!attach_given(attach))
		return ERR_PTR(-EINVAL);

	ret = dma_buf_contract_may_map(attach, direction);
	if (ret)
		return ERR_PTR(ret);

	dma_resv_assert_held(attach->dmabuf->resv);

	sgt = try_map_attachment(attach, direction);
	if (!IS_ERR(sgt))
		dma_buf_contract_lent(attach, sgt, direction);
	return sgt;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_try_map_attachment, DMA_BUF);

/**
 * dma_buf_try_map_attachment_unlocked() - map unless that has to wait
 * @attach: whose device
 * @direction: what the device will do
 *
 * Undone by dma_buf_unmap_attachment_unlocked(), which may sleep.
 *
 * Context: as dma_buf_try_map_attachment(), but tries to take &dma_buf.resv.
 * Return: as dma_buf_try_map_attachment(); %-EBUSY also if somebody else has
 * the lock.
 */
struct sg_table *
dma_buf_try_map_attachment_unlocked(struct dma_buf_attachment *attach,
				    enum dma_data_direction direction)
{
	struct sg_table *sgt;

	if (!attach_given(attach))
		return ERR_PTR(-EINVAL);
	if (!dma_resv_trylock(attach->dmabuf->resv))
		return ERR_PTR(-EBUSY);

	sgt = dma_buf_try_map_attachment(attach, direction);
	dma_resv_unlock(attach->dmabuf->resv);
	return sgt;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_try_map_attachment_unlocked, DMA_BUF);

/*
 * Is @sgt the mapping that @attach keeps? The answer is the same as long as it
 * is somebody's mapping, so it needs no lock; see kept_table().
 */
static inline bool is_kept(struct dma_buf_attachment *attach,
			   const struct sg_table *sgt)
{
	return READ_ONCE(attach->sgt) == sgt;
}

/* dma_buf_unmap_attachment() of a mapping that may be @kept */
static __always_inline void unmap_locked(struct dma_buf_attachment *attach,
					 struct sg_table *sgt,
					 enum dma_data_direction direction,
					 bool kept)
{
	if (dma_buf_contract_enter(attach->dmabuf, attach))
		return;

	dma_resv_assert_held(attach->dmabuf->resv);

	if (!dma_buf_contract_returned(attach, sgt, &direction) || kept)
		return;

	attach_unmap(attach, sgt, direction);
	map_unpin(attach);
}

/**
 * dma_buf_unmap_attachment() - the device is done with a mapping
 * @attach: as given to dma_buf_map_attachment()
 * @sg_table: what it returned
 * @direction: as given to it
 *
 * A mapping that the core keeps for the attachment stays until
 * dma_buf_detach().
 *
 * Context: Process context, may sleep. The caller holds &dma_buf.resv.
 */
void dma_buf_unmap_attachment(struct dma_buf_attachment *attach,
			      struct sg_table *sg_table,
			      enum dma_data_direction direction)
{
	might_sleep();

	if (attach_given(attach) && !WARN_ON_ONCE(!sg_table))
		unmap_locked(attach, sg_table, direction,
			     is_kept(attach, sg_table));
}
EXPORT_SYMBOL_NS_GPL(dma_buf_unmap_attachment, DMA_BUF);

/**
 * dma_buf_unmap_attachment_unlocked() - the device is done with a mapping
 * @attach: as given to dma_buf_map_attachment_unlocked()
 * @sg_table: what it returned
 * @direction: as given to it
 *
 * Context: Process context, may sleep. Takes &dma_buf.resv, unless the attachment
 * keeps the mapping.
 */
void dma_buf_unmap_attachment_unlocked(struct dma_buf_attachment *attach,
				       struct sg_table *sg_table,
				       enum dma_data_direction direction)
{
	bool kept;

	might_sleep();

	if (!attach_given(attach) || WARN_ON_ONCE(!sg_table))
		return;

	might_lock(&attach->dmabuf->resv->lock.base);
	kept = is_kept(attach, sg_table);
	if (kept && !IS_ENABLED(CONFIG_DMABUF_CONTRACT))
		return;

	guard(dma_buf_resv)(attach->dmabuf);
	unmap_locked(attach, sg_table, direction, kept);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_unmap_attachment_unlocked, DMA_BUF);

/*
 * The largest order up to @order of a block that starts at @pgoff and @pfn,
 * is aligned in both, and ends inside @nr_pages.
 */
static unsigned int usable_order(unsigned int order, pgoff_t pgoff, u64 pfn,
				 pgoff_t nr_pages)
{
	order = min_t(unsigned int, order, ilog2(nr_pages - pgoff));
	if (pgoff)
		order = min_t(unsigned int, order, __ffs(pgoff));
	if (pfn)
		order = min_t(unsigned int, order, __ffs64(pfn));
	return order;
}

/* A page that has a physical address, unlike what a forgetful exporter tells. */
static bool is_frame(u64 pfn)
{
	return pfn <= (u64)PHYS_ADDR_MAX >> PAGE_SHIFT;
}

/* Have the exporter look up a page, and wait until it may be used. */
static int exporter_get_pfn(struct dma_buf_attachment *attach, pgoff_t pgoff,
			    u64 *pfn, unsigned int *order)
{
	struct dma_buf *dmabuf = attach->dmabuf;
	int ret;

	*pfn = U64_MAX;
	*order = 0;
	ret = dmabuf->ops->get_pfn(attach, pgoff, pfn, order);
	dma_buf_contract_called(dmabuf, attach, "get_pfn");
	if (ret)
		return dma_buf_op_errno(dmabuf, "get_pfn", ret);
	if (WARN_ONCE(!is_frame(*pfn), "dma-buf: exporter %s: no page has frame %llx\n",
		      dmabuf->exp_name, *pfn))
		return -EIO;
	return wait_for_exporter(attach);
}

/**
 * dma_buf_get_pfn() - the page frame behind a page of the buffer
 * @attach: the importer's attachment
 * @pgoff: offset from the start of the buffer, in pages
 * @pfn: where the page frame number goes
 * @max_order: where the largest order goes that one mapping at @pfn may have:
 *	2 to that power pages are contiguous, aligned in the buffer and in
 *	memory, and inside the buffer
 *
 * For importers that fill page tables of their own, of an IOMMU or of a
 * guest. There is nothing to put: with a static importer the frame stays
 * valid from attach to detach, a dynamic one drops it in move_notify.
 *
 * A static importer waits here for the exporter's own fences, as it does when
 * it maps. A dynamic one takes the frame at once and orders its work behind
 * the fences in &dma_buf.resv.
 *
 * Context: Process context, may sleep. The caller holds &dma_buf.resv.
 * Return: 0, or a negative errno with @pfn and @max_order unchanged:
 *
 *  * %-EINVAL - @attach is no attachment, another argument is NULL, or @pgoff is
 *    not inside the buffer; or, with CONFIG_DMABUF_CONTRACT, the caller does not
 *    hold the lock
 *  * %-EOPNOTSUPP - the exporter has no page frames to offer
 *  * %-ENOENT - the buffer can move, nobody has pinned it, and the kernel is
 *    built without CONFIG_DMABUF_MOVE_NOTIFY
 *  * %-ERESTARTSYS - a signal ended the wait for the exporter's fences
 *  * %-EIO - the exporter's answer is neither an errno nor a frame of memory
 *  * what &dma_buf_ops.get_pfn returns
 */
int dma_buf_get_pfn(struct dma_buf_attachment *attach, pgoff_t pgoff,
		    u64 *pfn, unsigned int *max_order)
{
	struct dma_buf *dmabuf;
	unsigned int order;
	pgoff_t nr_pages;
	u64 frame;
	int ret;

	if (!attach_given(attach) || WARN_ON_ONCE(!pfn || !max_order))
		return -EINVAL;

	dmabuf = attach->dmabuf;
	if (dma_buf_contract_enter(dmabuf, attach))
		return -EINVAL;

	dma_resv_assert_held(dmabuf->resv);

	if (!dmabuf->ops->get_pfn)
		return -EOPNOTSUPP;

	nr_pages = dmabuf->size / PAGE_SIZE + !!offset_in_page(dmabuf->size);
	if (pgoff >= nr_pages)
		return -EINVAL;
	if (pin_on_map(attach) && !is_pinned(dmabuf))
		return -ENOENT;

	ret = exporter_get_pfn(attach, pgoff, &frame, &order);
	if (ret)
		return ret;

	order = usable_order(order, pgoff, frame, nr_pages);
	dma_buf_contract_frame(attach, pgoff, frame, order);
	*pfn = frame;
	*max_order = order;
	return 0;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_get_pfn, DMA_BUF);

/**
 * dma_buf_get_pfn_unlocked() - the page frame behind a page of the buffer
 * @attach: the importer's attachment
 * @pgoff: offset from the start of the buffer, in pages
 * @pfn: where the page frame number goes
 * @max_order: where the largest order goes that one mapping at @pfn may have
 *
 * As dma_buf_get_pfn(). For a dynamic importer the answer may be stale as
 * soon as the lock is dropped, unless the buffer is pinned.
 *
 * Context: Process context, may sleep. Takes &dma_buf.resv.
 * Return: as dma_buf_get_pfn().
 */
int dma_buf_get_pfn_unlocked(struct dma_buf_attachment *attach, pgoff_t pgoff,
			     u64 *pfn, unsigned int *max_order)
{
	might_sleep();

	if (!attach_given(attach))
		return -EINVAL;

	guard(dma_buf_resv)(attach->dmabuf);
	return dma_buf_get_pfn(attach, pgoff, pfn, max_order);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_get_pfn_unlocked, DMA_BUF);

/* Call the importers' move_notify; @locked: the exporter has called with the lock. */
static __always_inline void notify_importers(struct dma_buf *dmabuf, bool locked)
{
	struct dma_buf_attachment *attach;

	dma_resv_assert_held(dmabuf->resv);

	list_for_each_entry(attach, &dmabuf->attachments, node) {
		if (!attach->importer_ops)
			continue;
		attach->importer_ops->move_notify(attach);
		if (locked && !dma_buf_contract_notified(dmabuf, attach))
			break;
	}
	dma_buf_contract_moved(dmabuf);
}

/**
 * dma_buf_move_notify() - tell the importers that the buffer moves
 * @dmabuf: of a dynamic exporter, whose backing memory is about to change
 *
 * Nobody has the buffer pinned. Mappings made before stay valid until they are
 * unmapped; the exporter keeps the old memory until the fences of the work that
 * uses it have signaled.
 *
 * Context: Process context, may sleep. The caller holds &dma_buf.resv, and
 * the importers' move_notify callbacks run under it.
 */
void dma_buf_move_notify(struct dma_buf *dmabuf)
{
	notify_importers(dmabuf, dma_buf_contract_moves(dmabuf));
}
EXPORT_SYMBOL_NS_GPL(dma_buf_move_notify, DMA_BUF);

/**
 * dma_buf_revoke_notify() - tell the importers that the memory is gone for good
 * @dmabuf: of a dynamic exporter, whose device has gone, for example
 *
 * As dma_buf_move_notify(), and the only one of the two that may be called for a
 * buffer that is pinned: what has gone cannot be kept. From before the call on
 * the exporter's pin, map_dma_buf and get_pfn fail. Importers without
 * move_notify hear nothing; until they unmap, their addresses lead to nothing
 * that somebody else uses.
 *
 * Context: As dma_buf_move_notify().
 */
void dma_buf_revoke_notify(struct dma_buf *dmabuf)
{
	notify_importers(dmabuf, !dma_buf_contract_enter(dmabuf, NULL));
}
EXPORT_SYMBOL_NS_GPL(dma_buf_revoke_notify, DMA_BUF);
