/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QEMU's PCI device "edu": copies between its own memory and addresses that an
 * IOMMU translates. What /dev/dmabuf_iommu needs of the driver.
 */
#ifndef _IOMMU_EDU_H
#define _IOMMU_EDU_H

#include <linux/types.h>

struct edu;
struct iova_mapping;
struct iova_space;

/**
 * struct edu_copy - a job
 * @iova: address in the space that the device is in
 * @offset: in the memory of the device
 * @length: bytes; @offset + @length is at most DMABUF_IOMMU_DMA_MAX
 * @to_memory: from the device to @iova; else the other way
 */
struct edu_copy {
	u64 iova;
	u32 offset;
	u32 length;
	bool to_memory;
};

struct edu *edu_claim(struct iova_space *space);
void edu_release(struct edu *edu, struct iova_space *space);
int edu_run(struct edu *edu, struct iova_mapping *mapping,
	    const struct edu_copy *copy);
int edu_run_unchecked(struct edu *edu, const struct edu_copy *copy);

int edu_register(void);
void edu_unregister(void);

#endif /* _IOMMU_EDU_H */
