// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contract checker's view of buffers: what it remembers of mappings and CPU
 * accesses, and the rules that need more than one line to check. It refuses
 * what can be refused without harm and otherwise only reports.
 *
 * Everything here runs under &dma_buf.resv unless it says otherwise, which is
 * what protects &dma_buf_attachment.tables.
 */

#include <linux/atomic.h>
#include <linux/preempt.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "dma-buf-internal.h"

/**
 * struct contract_table - a table of the exporter's that is mapped
 * @node: link in &dma_buf_attachment.tables
 * @own: the exporter's
 * @shown: what the importers get to see
 * @lent: how often the importer has it, for each direction
 */
struct contract_table {
	struct list_head node;
	struct sg_table *own;
	struct sg_table *shown;
	unsigned int lent[DMA_NONE + 1];
};

/**
 * dma_buf_contract_report() - a rule of buffers has been broken
 * @rule: which
 * @dmabuf: whose buffer
 * @attach: by which importer, or NULL
 * @what: what has been done, in a few words
 *
 * Context: Any.
 */
void dma_buf_contract_report(enum dma_contract_rule rule,
			     struct dma_buf *dmabuf,
			     const struct dma_buf_attachment *attach,
			     const char *what)
{
	char name[DMA_BUF_NAME_LEN] = "<unknown>";

	if (spin_trylock(&dmabuf->name_lock)) {
		strscpy(name, dmabuf->name ?: "<none>", sizeof(name));
		spin_unlock(&dmabuf->name_lock);
	}
	/* The name is user space's: a line break in it must not make a second line. */
	dma_contract_report(rule, dmabuf->exp_name,
			    "%s; importer %s, buffer %*pE", what,
			    attach ? attach->importer : "<none>",
			    (int)strlen(name), name);
}

/* Does this task hold the reservation lock? If in doubt, yes. */
static bool holds_lock(struct dma_resv *resv)
{
#if defined(CONFIG_LOCKDEP)
	return lockdep_is_held(&resv->lock.base);
#elif defined(CONFIG_PREEMPT_RT)
	return dma_resv_is_locked(resv);
#else
	/* The lowest three bits of an owner are the mutex' flags. */
	return (atomic_long_read(&resv->lock.base.owner) & ~7L) ==
	       (long)current;
#endif
}

/**
 * dma_buf_contract_enter() - may this task call a function that wants the lock?
 * @dmabuf: the buffer
 * @attach: the importer, or NULL
 *
 * Context: Any.
 * Return: 0, or %-EINVAL if it does not hold &dma_buf.resv.
 */
int dma_buf_contract_enter(struct dma_buf *dmabuf,
			   const struct dma_buf_attachment *attach)
{
	return dma_buf_broken(!holds_lock(dmabuf->resv), DMA_RULE_CALL_UNLOCKED,
			      dmabuf, attach,
			      "called without the reservation lock") ? -EINVAL : 0;
}

/**
 * dma_buf_contract_may_map() - is this the place to ask for a mapping?
 * @attach: the importer
 * @direction: what it wants to do
 *
 * Context: Any, which is what it checks.
 * Return: 0, or %-EINVAL.
 */
int dma_buf_contract_may_map(struct dma_buf_attachment *attach,
			     enum dma_data_direction direction)
{
	struct dma_buf *dmabuf = attach->dmabuf;

	if (dma_buf_broken(IS_ENABLED(CONFIG_PREEMPT_COUNT) && !preemptible(),
			   DMA_RULE_MAP_ATOMIC, dmabuf, attach,
			   "map where it is not allowed to sleep"))
		return -EINVAL;
	if (dma_buf_broken(direction < DMA_BIDIRECTIONAL || direction >= DMA_NONE,
			   DMA_RULE_MAP_DIRECTION, dmabuf, attach,
			   "map without a direction"))
		return -EINVAL;
	return dma_buf_contract_enter(dmabuf, attach);
}

/**
 * dma_buf_contract_called() - a callback that must keep the lock has returned
 * @dmabuf: the buffer
 * @attach: the importer, or NULL
 * @op: name of the callback
 *
 * Takes the lock again if it is gone, as the caller is going to drop it. A
 * callback that drops it and takes it again is not noticed.
 *
 * Context: Process context, may sleep.
 */
void dma_buf_contract_called(struct dma_buf *dmabuf,
			     const struct dma_buf_attachment *attach,
			     const char *op)
{
	char what[64];

	if (holds_lock(dmabuf->resv))
		return;

	snprintf(what, sizeof(what), "%s dropped the reservation lock", op);
	dma_buf_contract_report(DMA_RULE_LOCK_DROPPED, dmabuf, attach, what);
	dma_resv_lock(dmabuf->resv, NULL);
}

/* Is @attach still attached? It may have been freed. */
static bool is_attached(struct dma_buf *dmabuf,
			const struct dma_buf_attachment *attach)
{
	struct dma_buf_attachment *other;

	list_for_each_entry(other, &dmabuf->attachments, node)
		if (other == attach)
			return true;
	return false;
}

/**
 * dma_buf_contract_notified() - an importer's move_notify has returned
 * @dmabuf: the buffer
 * @attach: the importer
 *
 * As dma_buf_contract_called(). While the lock was dropped, the importer may
 * have detached.
 *
 * Context: Process context, may sleep.
 * Return: false if it has, and its neighbour in the list is not to be found.
 */
bool dma_buf_contract_notified(struct dma_buf *dmabuf,
			       struct dma_buf_attachment *attach)
{
	bool attached;

	if (holds_lock(dmabuf->resv))
		return true;

	dma_resv_lock(dmabuf->resv, NULL);
	attached = is_attached(dmabuf, attach);
	dma_buf_contract_report(DMA_RULE_LOCK_DROPPED, dmabuf,
				attached ? attach : NULL,
				"move_notify dropped the reservation lock");
	return attached;
}

/**
 * dma_buf_contract_attach() - a new attachment
 * @attach: nobody else has seen it
 *
 * Context: Any.
 */
void dma_buf_contract_attach(struct dma_buf_attachment *attach)
{
	attach->untracked = false;
	INIT_LIST_HEAD(&attach->tables);
	strscpy(attach->importer, dma_buf_importer_name(attach));
}

static bool is_lent(const struct contract_table *table)
{
	return memchr_inv(table->lent, 0, sizeof(table->lent));
}

/**
 * dma_buf_contract_detach() - an attachment goes
 * @attach: the core has undone what it did at attach
 *
 * Context: Process context.
 */
void dma_buf_contract_detach(struct dma_buf_attachment *attach)
{
	struct contract_table *table, *next;

	list_for_each_entry_safe(table, next, &attach->tables, node) {
		dma_buf_broken(is_lent(table), DMA_RULE_DETACH_MAPPED,
			       attach->dmabuf, attach, "detach of a mapped buffer");
		list_del(&table->node);
		kfree(table);
	}
}

/* Is @own the table of another mapping? */
static bool is_mapped(struct dma_buf *dmabuf, const struct sg_table *own)
{
	struct dma_buf_attachment *attach;
	struct contract_table *table;

	list_for_each_entry(attach, &dmabuf->attachments, node)
		list_for_each_entry(table, &attach->tables, node)
			if (table->own == own)
				return true;
	return false;
}

/*
 * Leads nowhere: the importer's device knows another way to the memory, and the
 * exporter makes a table all the same, since there has to be one.
 */
static bool is_empty(const struct sg_table *own)
{
	return !own->orig_nents;
}

/*
 * Every address and length a whole number of pages, but for the end of a buffer
 * of @size bytes, which may be inside of one; the sum of the lengths in @bytes.
 */
static bool is_aligned(struct sg_table *own, size_t size, u64 *bytes)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(own, sg, i) {
		if (!PAGE_ALIGNED(sg_dma_address(sg)) || !PAGE_ALIGNED(*bytes))
			return false;
		*bytes += sg_dma_len(sg);
	}
	return PAGE_ALIGNED(*bytes) || *bytes == size;
}

static bool has_pages(struct sg_table *own)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_sg(own, sg, i)
		if (sg_page(sg))
			return true;
	return false;
}

/**
 * dma_buf_contract_table() - is the table that an exporter returned one?
 * @attach: for which importer
 * @own: the table
 *
 * Context: Process context.
 * Return: 0, or %-EIO if a device would be led to memory that is not the
 * buffer's.
 */
int dma_buf_contract_table(struct dma_buf_attachment *attach,
			   struct sg_table *own)
{
	struct dma_buf *dmabuf = attach->dmabuf;
	u64 bytes = 0;

	dma_buf_broken(is_mapped(dmabuf, own), DMA_RULE_TABLE_SHARED, dmabuf,
		       attach, "map_dma_buf returned the table of another mapping");
	dma_buf_broken(dmabuf->ops->no_struct_pages && has_pages(own),
		       DMA_RULE_TABLE_PAGES, dmabuf, attach,
		       "struct pages in a table that promised none");

	if (is_empty(own))
		return 0;
	if (dma_buf_broken(!is_aligned(own, dmabuf->size, &bytes), DMA_RULE_TABLE_UNALIGNED,
			   dmabuf, attach, "a table of other than whole pages"))
		return -EIO;
	if (dma_buf_broken(bytes != dmabuf->size && bytes != PAGE_ALIGN(dmabuf->size),
			   DMA_RULE_TABLE_LENGTH, dmabuf, attach,
			   "a table of another length than the buffer's"))
		return -EIO;
	return 0;
}

/**
 * dma_buf_contract_mapped() - a mapping exists
 * @attach: for which importer
 * @own: the exporter's table
 * @shown: what the importer gets instead
 * @gfp: how to allocate
 *
 * Out of memory the mapping is not remembered, and nothing is reported of it.
 *
 * Context: Process context; may sleep if @gfp does.
 */
void dma_buf_contract_mapped(struct dma_buf_attachment *attach,
			     struct sg_table *own, struct sg_table *shown,
			     gfp_t gfp)
{
	struct contract_table *table = kzalloc(sizeof(*table), gfp);

	if (!table) {
		attach->untracked = true;
		return;
	}

	table->own = own;
	table->shown = shown;
	list_add(&table->node, &attach->tables);
}

/*
 * The mapping that goes with @shown. Several do if the exporter returned one table
 * several times; then rather one that the importer has for @direction.
 */
static struct contract_table *find_table(struct dma_buf_attachment *attach,
					 const struct sg_table *shown,
					 enum dma_data_direction direction)
{
	struct contract_table *table, *found = NULL;

	list_for_each_entry(table, &attach->tables, node) {
		if (table->shown != shown)
			continue;
		if (direction >= DMA_BIDIRECTIONAL && direction < DMA_NONE &&
		    table->lent[direction])
			return table;
		/* One that somebody has, before one that nobody has any more. */
		if (!found || (!is_lent(found) && is_lent(table)))
			found = table;
	}
	return found;
}

/* The mapping that goes with @shown and has been given back, if there is one. */
static struct contract_table *find_returned(struct dma_buf_attachment *attach,
					    const struct sg_table *shown)
{
	struct contract_table *table, *found = NULL;

	list_for_each_entry(table, &attach->tables, node) {
		if (table->shown != shown)
			continue;
		found = table;
		if (!is_lent(table))
			break;
	}
	return found;
}

/**
 * dma_buf_contract_unmapped() - a mapping is about to end
 * @attach: of which importer
 * @shown: its table, as the importer knows it
 *
 * Context: Process context.
 */
void dma_buf_contract_unmapped(struct dma_buf_attachment *attach,
			       struct sg_table *shown)
{
	struct contract_table *table = find_returned(attach, shown);

	if (!table)
		return;

	dma_buf_broken(is_lent(table), DMA_RULE_DETACH_MAPPED, attach->dmabuf,
		       attach, "detach of a mapped buffer");
	list_del(&table->node);
	kfree(table);
}

/**
 * dma_buf_contract_lent() - the importer gets a mapping
 * @attach: the importer
 * @shown: the table
 * @direction: what it will do
 *
 * Context: Process context.
 */
void dma_buf_contract_lent(struct dma_buf_attachment *attach,
			   struct sg_table *shown,
			   enum dma_data_direction direction)
{
	struct contract_table *table = find_returned(attach, shown);

	if (table)
		table->lent[direction]++;
}

/* A direction for which the importer has @table, or DMA_NONE. */
static enum dma_data_direction lent_direction(const struct contract_table *table)
{
	enum dma_data_direction direction = DMA_BIDIRECTIONAL;

	while (direction < DMA_NONE && !table->lent[direction])
		direction++;
	return direction;
}

/**
 * dma_buf_contract_returned() - the importer gives a mapping back
 * @attach: the importer
 * @shown: the table
 * @direction: that it says it mapped for; set right if it did not
 *
 * Context: Process context.
 * Return: false if the importer does not have this mapping.
 */
bool dma_buf_contract_returned(struct dma_buf_attachment *attach,
			       struct sg_table *shown,
			       enum dma_data_direction *direction)
{
	struct contract_table *table = find_table(attach, shown, *direction);
	enum dma_data_direction lent;

	if (!table && attach->untracked)
		return true;

	lent = table ? lent_direction(table) : DMA_NONE;
	if (dma_buf_broken(lent == DMA_NONE, DMA_RULE_MAP_UNBALANCED,
			   attach->dmabuf, attach, "unmap without map"))
		return false;

	if (dma_buf_broken(*direction < DMA_BIDIRECTIONAL ||
			   *direction >= DMA_NONE || !table->lent[*direction],
			   DMA_RULE_MAP_DIRECTION, attach->dmabuf, attach,
			   "unmap for another direction than map"))
		*direction = lent;
	table->lent[*direction]--;
	return true;
}

/**
 * dma_buf_contract_frame() - check what get_pfn said
 * @attach: the importer
 * @pgoff: the page that was asked for
 * @pfn: its frame
 * @order: of a block that starts there, as the importer gets it
 *
 * Asks for the last page of that block.
 *
 * Context: Process context, may sleep.
 */
void dma_buf_contract_frame(struct dma_buf_attachment *attach, pgoff_t pgoff,
			    u64 pfn, unsigned int order)
{
	unsigned long last = (1UL << order) - 1;
	struct dma_buf *dmabuf = attach->dmabuf;
	unsigned int ignored;
	u64 frame;

	if (!order || dmabuf->ops->get_pfn(attach, pgoff + last, &frame, &ignored))
		return;
	dma_buf_broken(frame != pfn + last, DMA_RULE_PFN_ORDER, dmabuf, attach,
		       "get_pfn promised frames that do not follow each other");
}

/* One of the importers that have @dmabuf pinned, or NULL. */
static struct dma_buf_attachment *pinned_by(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;

	list_for_each_entry(attach, &dmabuf->attachments, node)
		if (attach->pins)
			return attach;
	return NULL;
}

/**
 * dma_buf_contract_moves() - an exporter says that a buffer moves
 * @dmabuf: the buffer
 *
 * Context: Process context.
 * Return: does the exporter hold &dma_buf.resv? The importers have to be told in
 * any case.
 */
bool dma_buf_contract_moves(struct dma_buf *dmabuf)
{
	bool locked = !dma_buf_contract_enter(dmabuf, NULL);
	struct dma_buf_attachment *attach = pinned_by(dmabuf);

	dma_buf_broken(attach, DMA_RULE_MOVE_PINNED, dmabuf, attach,
		       "move of a pinned buffer");
	return locked;
}

/**
 * dma_buf_contract_moved() - all importers know that the buffer moves
 * @dmabuf: the buffer
 *
 * Who keeps a kernel mapping across the move of a pinned buffer has done nothing
 * wrong.
 *
 * Context: Process context, may sleep.
 */
void dma_buf_contract_moved(struct dma_buf *dmabuf)
{
	dma_buf_broken(dmabuf->vmapping_counter && !pinned_by(dmabuf),
		       DMA_RULE_MOVE_VMAPPED, dmabuf, NULL,
		       "a kernel mapping was kept across a move");
}

/**
 * dma_buf_contract_vmap_unlocked() - may a kernel mapping outlive the lock?
 * @dmabuf: the buffer
 *
 * Only if something keeps it from going stale: an importer's pin, or an importer
 * that is told of moves.
 *
 * Context: Process context.
 */
void dma_buf_contract_vmap_unlocked(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;

	if (!dma_buf_is_dynamic(dmabuf))
		return;

	list_for_each_entry(attach, &dmabuf->attachments, node)
		if (attach->pins || dma_buf_attachment_is_dynamic(attach))
			return;

	dma_buf_contract_report(DMA_RULE_VMAP_UNSTABLE, dmabuf, NULL,
				"vmap without lock, pin or move_notify");
}

/**
 * dma_buf_contract_export() - a new buffer
 * @dmabuf: nobody else has seen it
 *
 * Context: Any.
 */
void dma_buf_contract_export(struct dma_buf *dmabuf)
{
	atomic_set(&dmabuf->accesses, 0);
}

/**
 * dma_buf_contract_access_begun() - a driver may use the CPU on the buffer
 * @dmabuf: the buffer; the reservation lock is not held
 *
 * Context: Any.
 */
void dma_buf_contract_access_begun(struct dma_buf *dmabuf)
{
	atomic_inc(&dmabuf->accesses);
}

/**
 * dma_buf_contract_access_ends() - a driver says that the CPU is done
 * @dmabuf: the buffer; the reservation lock is not held
 *
 * Context: Any.
 * Return: false if it had not begun.
 */
bool dma_buf_contract_access_ends(struct dma_buf *dmabuf)
{
	return !dma_buf_broken(atomic_dec_if_positive(&dmabuf->accesses) < 0,
			       DMA_RULE_ACCESS_UNBALANCED, dmabuf, NULL,
			       "end_cpu_access without begin");
}

/**
 * dma_buf_contract_user_begun() - the access that has begun is user space's
 * @dmabuf: the buffer; the reservation lock is not held
 *
 * User space breaks no contract: its accesses are not counted.
 *
 * Context: Any.
 */
void dma_buf_contract_user_begun(struct dma_buf *dmabuf)
{
	atomic_dec_if_positive(&dmabuf->accesses);
}

/**
 * dma_buf_contract_user_ends() - dma_buf_end_cpu_access() for user space
 * @dmabuf: the buffer
 * @direction: what user space says it has begun
 *
 * It may end what it has not begun. No counter is touched, so that a driver which
 * ends too often at the same time is reported, and user space is not.
 *
 * Context: Process context, may sleep. The caller does not hold &dma_buf.resv.
 * Return: 0, or what &dma_buf_ops.end_cpu_access returns.
 */
int dma_buf_contract_user_ends(struct dma_buf *dmabuf,
			       enum dma_data_direction direction)
{
	might_lock(&dmabuf->resv->lock.base);

	if (!dmabuf->ops->end_cpu_access)
		return 0;
	return dmabuf->ops->end_cpu_access(dmabuf, direction);
}

/**
 * dma_buf_contract_left() - who has not detached?
 * @dmabuf: nobody has a reference any more
 *
 * Context: Any.
 * Return: an attachment, whose device may be gone; NULL if there is none.
 */
const struct dma_buf_attachment *
dma_buf_contract_left(struct dma_buf *dmabuf)
{
	return list_first_entry_or_null(&dmabuf->attachments,
					struct dma_buf_attachment, node);
}

/**
 * dma_buf_contract_release() - the buffer goes
 * @dmabuf: nobody else has it any more
 *
 * Context: Process context.
 */
void dma_buf_contract_release(struct dma_buf *dmabuf)
{
	dma_buf_broken(atomic_read(&dmabuf->accesses), DMA_RULE_RELEASE_ACCESSED,
		       dmabuf, NULL, "released while a driver's CPU access lasts");
}
