/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffers in the address space of a device, at addresses of the caller's
 * choice. What the driver of the device (iommu-edu.c) and the tests need.
 */
#ifndef _IOMMU_IMPORTER_H
#define _IOMMU_IMPORTER_H

#include <linux/kref.h>
#include <linux/maple_tree.h>
#include <linux/mutex.h>
#include <linux/types.h>

struct device;
struct dma_buf;
struct dma_buf_attachment;
struct dma_fence;
struct iommu_domain;

/**
 * struct iova_space - the buffers that a device sees
 * @domain: the IOMMU's page table; its owner's, who frees it after
 *	iova_space_close()
 * @dev: the device that is attached to @domain
 * @first: lowest usable address
 * @last: highest usable address
 * @max_mappings: bound for @nr_mappings
 * @pins: buffers that could move are pinned, not followed
 * @lock: protects the following
 * @tree: mappings and reserved ranges by address
 * @nr_mappings: how many mappings there are
 * @closed: iova_space_close() was called
 */
struct iova_space {
	struct iommu_domain *domain;
	struct device *dev;
	unsigned long first;
	unsigned long last;
	unsigned int max_mappings;
	bool pins;

	struct mutex lock; /* protects what follows */
	struct maple_tree tree;
	unsigned int nr_mappings;
	bool closed;
};

/**
 * struct iova_mapping - a buffer in a space
 * @refs: one of the space's, and one of each iova_space_find()
 * @space: where; may be gone once @dead is set
 * @dmabuf: the buffer, with a reference
 * @attach: the attachment, until @dead is set
 * @iova: where it starts
 * @size: bytes, whole pages
 * @prot: IOMMU_READ, IOMMU_WRITE
 * @present: all of it is in the page table, otherwise nothing is
 * @pinned: @attach has a pin, until @dead is set
 * @dead: it has left the space
 * @nr_moves: how often the buffer has moved
 * @nr_blocks: pieces that the page table was last filled from
 * @max_order: order of the largest of these
 * @job: fence of the last job that was given the mapping, or NULL
 *
 * Invariants: what follows @prot is protected by the lock of &dma_buf.resv; the
 * rest never changes. @job is NULL unless @present.
 */
struct iova_mapping {
	struct kref refs;
	struct iova_space *space;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	unsigned long iova;
	size_t size;
	int prot;
	bool present;
	bool pinned;
	bool dead;
	unsigned int nr_moves;
	unsigned int nr_blocks;
	unsigned int max_order;
	struct dma_fence *job;
};

/**
 * struct iova_query - what iova_mapping_query() finds
 * @phys: what the page table says about the address, 0 for nothing
 * @present: &iova_mapping.present
 * @nr_moves: &iova_mapping.nr_moves
 * @nr_blocks: &iova_mapping.nr_blocks
 * @max_order: &iova_mapping.max_order
 */
struct iova_query {
	phys_addr_t phys;
	bool present;
	unsigned int nr_moves;
	unsigned int nr_blocks;
	unsigned int max_order;
};

int iova_space_init(struct iova_space *space, struct iommu_domain *domain,
		    struct device *dev, u64 mask);
int iova_space_reserve(struct iova_space *space, u64 first, u64 last);
void iova_space_close(struct iova_space *space);
int iova_space_map(struct iova_space *space, struct dma_buf *dmabuf, u64 iova,
		   int prot);
int iova_space_unmap(struct iova_space *space, u64 iova);
struct iova_mapping *iova_space_find(struct iova_space *space, u64 iova,
				     size_t length);
int iova_space_check(struct iova_space *space, u64 iova, size_t length);

void iova_mapping_put(struct iova_mapping *mapping);
int iova_mapping_validate(struct iova_mapping *mapping);
void iova_mapping_track(struct iova_mapping *mapping, struct dma_fence *job);
int iova_mapping_query(struct iova_mapping *mapping, u64 iova,
		       struct iova_query *query);

#endif /* _IOMMU_IMPORTER_H */
