/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffers that drivers share through file descriptors: what exporters fill
 * in and what importers call. Documentation/driver-api/dma-buf.rst tells a
 * buffer's life from either side.
 */
#ifndef __DMA_BUF_H__
#define __DMA_BUF_H__

#include <linux/iosys-map.h>
#include <linux/file.h>
#include <linux/err.h>
#include <linux/scatterlist.h>
#include <linux/list.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/dma-fence.h>
#include <linux/wait.h>

struct device;
struct dma_buf;
struct dma_buf_attachment;

/**
 * struct dma_buf_ops - what an exporter does for its buffers
 *
 * dma_buf_export() refuses a table that breaks one of these rules:
 * @release is set; @map_dma_buf and @unmap_dma_buf come together; @map_dma_buf
 * or @get_pfn is set; @pin and @unpin come together; @cache_sgt_mapping and
 * @pin exclude each other; @try_map_dma_buf is set with @map_dma_buf only.
 *
 * "Locked" below means that the core holds &dma_buf.resv around the call.
 */
struct dma_buf_ops {
	/**
	 * @cache_sgt_mapping:
	 *
	 * Keep the first mapping of an attachment until it is detached and
	 * hand it out again. Only for memory that never moves.
	 */
	bool cache_sgt_mapping;

	/**
	 * @no_struct_pages:
	 *
	 * The tables of @map_dma_buf have DMA addresses only, as the memory
	 * has no struct pages or does not want them touched.
	 */
	bool no_struct_pages;

	/**
	 * @attach:
	 *
	 * Optional, not locked, may sleep. Called for each new attachment,
	 * so that the exporter can look at &dma_buf_attachment.dev and keep
	 * state in &dma_buf_attachment.priv. An error refuses the importer:
	 * -EBUSY if it could be served only by moving memory that is in use.
	 */
	int (*attach)(struct dma_buf *dmabuf,
		      struct dma_buf_attachment *attach);

	/**
	 * @detach:
	 *
	 * Optional, not locked, may sleep. Undoes @attach. The attachment has
	 * no mapping and no pin left.
	 */
	void (*detach)(struct dma_buf *dmabuf,
		       struct dma_buf_attachment *attach);

	/**
	 * @pin:
	 *
	 * Optional, locked. Keeps the memory where it is until @unpin; pins
	 * nest, and one of a buffer that is pinned already waits for nothing.
	 * An exporter with this callback is *dynamic*: between pins it may
	 * move the buffer after it told the importers by
	 * dma_buf_move_notify(). Returns 0 or a negative errno.
	 */
	int (*pin)(struct dma_buf_attachment *attach);

	/**
	 * @unpin:
	 *
	 * With @pin only, locked. Undoes one @pin.
	 */
	void (*unpin)(struct dma_buf_attachment *attach);

	/**
	 * @map_dma_buf:
	 *
	 * Locked, may sleep. Makes the buffer reachable for the attached
	 * device and returns a table of DMA addresses that the exporter owns
	 * and keeps valid until @unmap_dma_buf. Every entry is a whole number
	 * of pages. No CPU cache holds stale or dirty lines of the buffer on
	 * return, as far as the direction needs it.
	 *
	 * Errors as ERR_PTR(): -EINTR or -ERESTARTSYS if a signal ended a
	 * wait, -ENOMEM, -EIO.
	 */
	struct sg_table *(*map_dma_buf)(struct dma_buf_attachment *attach,
					enum dma_data_direction direction);

	/**
	 * @try_map_dma_buf:
	 *
	 * Optional, with @map_dma_buf only, locked. As @map_dma_buf, but does
	 * not wait: not for fences, locks or reclaim, and moves nothing.
	 * Where @map_dma_buf would wait it returns -EBUSY as ERR_PTR() and
	 * leaves nothing behind. What it maps is undone by @unmap_dma_buf.
	 */
	struct sg_table *(*try_map_dma_buf)(struct dma_buf_attachment *attach,
					    enum dma_data_direction direction);

	/**
	 * @unmap_dma_buf:
	 *
	 * With @map_dma_buf only, locked. Gets the very table and direction
	 * of the map call.
	 */
	void (*unmap_dma_buf)(struct dma_buf_attachment *attach,
			      struct sg_table *sgt,
			      enum dma_data_direction direction);

	/**
	 * @release:
	 *
	 * Not locked, may sleep. The last reference is gone: drop
	 * &dma_buf.priv. Called exactly once.
	 */
	void (*release)(struct dma_buf *dmabuf);

	/**
	 * @begin_cpu_access:
	 *
	 * Optional, not locked, may sleep. Makes what devices wrote visible to
	 * the CPU. The core has waited for the fences that matter for the
	 * direction, so that no device dirties memory behind the cache
	 * maintenance done here. Returns 0, or a negative errno that user
	 * space gets to see; -ERESTARTSYS asks it to try again.
	 */
	int (*begin_cpu_access)(struct dma_buf *dmabuf,
				enum dma_data_direction direction);

	/**
	 * @end_cpu_access:
	 *
	 * Optional, not locked, may sleep. Makes what the CPU wrote visible to
	 * devices.
	 */
	int (*end_cpu_access)(struct dma_buf *dmabuf,
			      enum dma_data_direction direction);

	/**
	 * @mmap:
	 *
	 * Optional, not locked; the caller holds the mmap lock. The core has
	 * checked that the range lies inside the buffer. The exporter may put
	 * its own file and offset into the vma.
	 */
	int (*mmap)(struct dma_buf *dmabuf, struct vm_area_struct *vma);

	/**
	 * @vmap:
	 *
	 * Optional, locked. Maps the whole buffer into the kernel and fills in
	 * the address. Called for the first of nested vmaps only. Importers
	 * map and unmap often, so a pair has to be cheap. It does not pin:
	 * the importer keeps the mapping from going stale, by holding the
	 * lock, by a pin of its own, or by following move_notify.
	 */
	int (*vmap)(struct dma_buf *dmabuf, struct iosys_map *map);

	/**
	 * @vunmap:
	 *
	 * Optional, locked. Undoes @vmap, when the last of nested mappings
	 * goes.
	 */
	void (*vunmap)(struct dma_buf *dmabuf, struct iosys_map *map);

	/**
	 * @get_pfn:
	 *
	 * Optional, locked, may sleep. For importers that fill page tables of
	 * their own: stores the page frame number behind page @pgoff of the
	 * buffer and the largest order of a block that starts there and is
	 * contiguous; 0 if it stores none. The core has checked @pgoff, and
	 * lowers the order to what alignment and the end of the buffer allow.
	 * The frame stays valid until detach (importer without move_notify, or
	 * an exporter without @pin) or until the next dma_buf_move_notify().
	 * Returns 0 or a negative errno.
	 */
	int (*get_pfn)(struct dma_buf_attachment *attach, pgoff_t pgoff,
		       u64 *pfn, unsigned int *max_order);
};

/**
 * struct dma_buf - memory that several devices and processes share
 *
 * Made by dma_buf_export(), counted through its file: get_dma_buf() and
 * dma_buf_put(). Drivers read @size, @file, @ops, @priv and @resv; the rest
 * belongs to the core.
 *
 * Invariants: the members without a lock named below are set before the
 * buffer is published and never change. While a poll callback is armed
 * (@poll_armed) it owns a reference to @file, so destroying the buffer never
 * meets one.
 */
struct dma_buf {
	/** @size: size in bytes, the same for the whole life */
	size_t size;

	/** @file: carries the reference count; user space holds it as an fd */
	struct file *file;

	/** @attachments: all &dma_buf_attachment; protected by @resv */
	struct list_head attachments;

	/** @ops: the exporter's callbacks */
	const struct dma_buf_ops *ops;

	/** @vmapping_counter: nested vmaps; protected by @resv */
	unsigned int vmapping_counter;

	/** @name_lock: protects @name, taken for a few instructions */
	spinlock_t name_lock;

	/** @vmap_ptr: valid while @vmapping_counter is not 0; by @resv */
	struct iosys_map vmap_ptr;

	/** @exp_name: the exporter's name, for people */
	const char *exp_name;

	/** @name: what user space called the buffer, or NULL */
	const char *name;

	/** @owner: the exporter's module, held while the buffer lives */
	struct module *owner;

#if IS_ENABLED(CONFIG_DEBUG_FS)
	/** @list_node: link in the list that bufinfo walks */
	struct list_head list_node;
#endif

	/** @priv: the exporter's */
	void *priv;

	/**
	 * @resv:
	 *
	 * The reservation object: its lock serialises what importers and the
	 * exporter do with the buffer, its fences say when devices are done.
	 * The exporter's, or one of the buffer's own.
	 */
	struct dma_resv *resv;

	/** @poll: tasks that poll; its lock protects @poll_armed */
	wait_queue_head_t poll;

	/** @cb_in: fires when the writers are done */
	struct dma_fence_cb cb_in;

	/** @cb_out: fires when everybody is done */
	struct dma_fence_cb cb_out;

	/** @poll_armed: EPOLLIN and EPOLLOUT, whose callback is in use */
	__poll_t poll_armed;

#if IS_ENABLED(CONFIG_DMABUF_CONTRACT)
	/** @accesses: CPU accesses of drivers that have begun */
	atomic_t accesses;
#endif
};

/**
 * struct dma_buf_attach_ops - what a dynamic importer does
 */
struct dma_buf_attach_ops {
	/**
	 * @allow_peer2peer:
	 *
	 * The importer copes with memory that is not system RAM and has no
	 * struct page. An exporter that has no such memory for this device
	 * clears &dma_buf_attachment.peer2peer in its attach callback.
	 */
	bool allow_peer2peer;

	/**
	 * @move_notify:
	 *
	 * Mandatory. The buffer moves: called with &dma_buf.resv held. The
	 * mapping the importer has stays usable for work that is already
	 * guarded by a fence; the importer asks for a new one as soon as it
	 * can, and unmaps the old one when it is done with it.
	 */
	void (*move_notify)(struct dma_buf_attachment *attach);
};

/**
 * struct dma_buf_attachment - an importer's tie to a buffer
 *
 * Made by dma_buf_attach() or dma_buf_dynamic_attach(), ended by
 * dma_buf_detach(). Only @priv is written by the exporter, @importer_priv by
 * the importer, and @peer2peer by the exporter's attach callback.
 */
struct dma_buf_attachment {
	/** @dmabuf: the buffer; the importer keeps a reference to it */
	struct dma_buf *dmabuf;

	/** @dev: who does the DMA; NULL only if the buffer has PFNs alone */
	struct device *dev;

	/** @node: link in &dma_buf.attachments; protected by its lock */
	struct list_head node;

	/** @sgt: mapping that lives as long as the attachment, or NULL */
	struct sg_table *sgt;

	/** @dir: direction of @sgt */
	enum dma_data_direction dir;

	/** @peer2peer: memory without struct page is welcome */
	bool peer2peer;

	/** @importer_ops: the importer's callbacks if it is dynamic */
	const struct dma_buf_attach_ops *importer_ops;

	/** @importer_priv: the importer's */
	void *importer_priv;

	/** @priv: the exporter's */
	void *priv;

	/** @pins: pins that this attachment holds; by the buffer's lock */
	unsigned int pins;

	/** @map_pins: those of @pins that end with a mapping */
	unsigned int map_pins;

#if IS_ENABLED(CONFIG_DMABUF_CONTRACT)
	/** @untracked: not all mappings are in @tables; by the lock */
	bool untracked;

	/** @tables: the exporter's tables that are mapped; by the lock */
	struct list_head tables;

	/** @importer: name of @dev, which may be gone before the attachment */
	char importer[64];
#endif
};

/**
 * struct dma_buf_export_info - what dma_buf_export() makes a buffer from
 * @exp_name: the exporter's name, outlives the buffer
 * @owner: the exporter's module
 * @ops: the exporter's callbacks
 * @size: size in bytes
 * @flags: file flags: access mode and O_CLOEXEC
 * @resv: reservation object that outlives the buffer, or NULL for an own one
 * @priv: for the exporter, not NULL
 *
 * Declared and given its defaults by DEFINE_DMA_BUF_EXPORT_INFO().
 */
struct dma_buf_export_info {
	const char *exp_name;
	struct module *owner;
	const struct dma_buf_ops *ops;
	size_t size;
	int flags;
	struct dma_resv *resv;
	void *priv;
};

/**
 * DEFINE_DMA_BUF_EXPORT_INFO - declare export info that names this module
 * @name: of the variable
 */
#define DEFINE_DMA_BUF_EXPORT_INFO(name)				\
	struct dma_buf_export_info name = {				\
		.exp_name = KBUILD_MODNAME,				\
		.owner = THIS_MODULE,					\
	}

/**
 * get_dma_buf() - take another reference to a buffer
 * @dmabuf: the caller has a reference already
 *
 * The caller drops the new reference with dma_buf_put().
 *
 * Context: Any.
 */
static inline void get_dma_buf(struct dma_buf *dmabuf)
{
	get_file(dmabuf->file);
}

/**
 * dma_buf_is_dynamic() - may the exporter move this buffer?
 * @dmabuf: the buffer
 *
 * Context: Any.
 * Return: true if the exporter pins and unpins, that is, may move the buffer
 * while it is not pinned.
 */
static inline bool dma_buf_is_dynamic(struct dma_buf *dmabuf)
{
	return dmabuf->ops->pin;
}

/**
 * dma_buf_attachment_is_dynamic() - does the importer follow moves?
 * @attach: the importer's attachment
 *
 * Context: Any.
 * Return: true if the importer has a move_notify callback.
 */
static inline bool
dma_buf_attachment_is_dynamic(struct dma_buf_attachment *attach)
{
	return attach->importer_ops;
}

struct dma_buf *dma_buf_export(const struct dma_buf_export_info *exp_info);
int dma_buf_fd(struct dma_buf *dmabuf, int flags);
struct dma_buf *dma_buf_get(int fd);
void dma_buf_put(struct dma_buf *dmabuf);

struct dma_buf_attachment *dma_buf_attach(struct dma_buf *dmabuf,
					  struct device *dev);
struct dma_buf_attachment *
dma_buf_dynamic_attach(struct dma_buf *dmabuf, struct device *dev,
		       const struct dma_buf_attach_ops *importer_ops,
		       void *importer_priv);
void dma_buf_detach(struct dma_buf *dmabuf,
		    struct dma_buf_attachment *attach);
int dma_buf_pin(struct dma_buf_attachment *attach);
void dma_buf_unpin(struct dma_buf_attachment *attach);

struct sg_table *
dma_buf_map_attachment(struct dma_buf_attachment *attach,
		       enum dma_data_direction direction);
struct sg_table *
dma_buf_try_map_attachment(struct dma_buf_attachment *attach,
			   enum dma_data_direction direction);
struct sg_table *
dma_buf_try_map_attachment_unlocked(struct dma_buf_attachment *attach,
				    enum dma_data_direction direction);
void dma_buf_unmap_attachment(struct dma_buf_attachment *attach,
			      struct sg_table *sg_table,
			      enum dma_data_direction direction);
struct sg_table *
dma_buf_map_attachment_unlocked(struct dma_buf_attachment *attach,
				enum dma_data_direction direction);
void dma_buf_unmap_attachment_unlocked(struct dma_buf_attachment *attach,
				       struct sg_table *sg_table,
				       enum dma_data_direction direction);
int dma_buf_get_pfn(struct dma_buf_attachment *attach, pgoff_t pgoff,
		    u64 *pfn, unsigned int *max_order);
int dma_buf_get_pfn_unlocked(struct dma_buf_attachment *attach, pgoff_t pgoff,
			     u64 *pfn, unsigned int *max_order);
void dma_buf_move_notify(struct dma_buf *dmabuf);
void dma_buf_revoke_notify(struct dma_buf *dmabuf);

int dma_buf_begin_cpu_access(struct dma_buf *dmabuf,
			     enum dma_data_direction direction);
int dma_buf_end_cpu_access(struct dma_buf *dmabuf,
			   enum dma_data_direction direction);
int dma_buf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma,
		 unsigned long pgoff);
int dma_buf_vmap(struct dma_buf *dmabuf, struct iosys_map *map);
void dma_buf_vunmap(struct dma_buf *dmabuf, struct iosys_map *map);
int dma_buf_vmap_unlocked(struct dma_buf *dmabuf, struct iosys_map *map);
void dma_buf_vunmap_unlocked(struct dma_buf *dmabuf, struct iosys_map *map);

#endif /* __DMA_BUF_H__ */
