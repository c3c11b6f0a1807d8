/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the test devices are devices: they reach memory by its physical address.
 */
#ifndef DMABUF_SELFTESTS_TESTDEV_COPY_H
#define DMABUF_SELFTESTS_TESTDEV_COPY_H

#include <linux/errno.h>
#include <linux/highmem.h>
#include <linux/mm.h>

/* Copy @size bytes between @data and the memory at @phys. Any context. */
static inline int copy_phys(phys_addr_t phys, void *data, size_t size, bool write)
{
	size_t part, in_page;
	void *page;

	for (; size; size -= part, phys += part, data += part) {
		if (!pfn_valid(PHYS_PFN(phys)))
			return -EIO;

		in_page = offset_in_page(phys);
		part = min_t(size_t, size, PAGE_SIZE - in_page);
		page = kmap_local_pfn(PHYS_PFN(phys));
		if (write)
			memcpy(page + in_page, data, part);
		else
			memcpy(data, page + in_page, part);
		kunmap_local(page);
	}
	return 0;
}

#endif /* DMABUF_SELFTESTS_TESTDEV_COPY_H */
