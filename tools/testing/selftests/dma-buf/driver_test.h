/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of other drivers share: bytes that tell where they belong, the cards of
 * DRM, and the number of buffers that exist.
 */
#ifndef DRIVER_TEST_H
#define DRIVER_TEST_H

#include <drm/drm.h>

#include "heap_test.h"

#define BUFINFO		"/sys/kernel/debug/dma_buf/bufinfo"

/* Bytes that differ from those beside them, from page to page, and with the seed. */
static inline unsigned char pattern(size_t at, unsigned int seed)
{
	return (at * 7 + at / 4096 * 13 + at / 509 + seed) | 1;
}

static inline void fill(void *data, size_t size, unsigned int seed)
{
	unsigned char *byte = data;
	size_t i;

	for (i = 0; i < size; i++)
		byte[i] = pattern(i, seed);
}

/* Offset of the first byte that fill() has not written, -1 if all are as it left them. */
static inline long wrong_byte(const void *data, size_t size, unsigned int seed)
{
	const unsigned char *byte = data;
	size_t i;

	for (i = 0; i < size; i++)
		if (load(&byte[i]) != pattern(i, seed))
			return i;
	return -1;
}

/* The card of a driver. */
static inline int card_open(const char *driver)
{
	char path[32], name[32];
	int i, fd;

	for (i = 0; i < 16; i++) {
		struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };

		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		memset(name, 0, sizeof(name));
		if (!xioctl(fd, DRM_IOCTL_VERSION, &version) && !strcmp(name, driver))
			return fd;
		close(fd);
	}
	return -ENOENT;
}

/* Number of buffers of all exporters, negative if it cannot be told. */
static inline int count_buffers(void)
{
	char line[512];
	FILE *file = fopen(BUFINFO, "re");
	int count = -ENOENT;

	while (file && fgets(line, sizeof(line), file))
		if (strstr(line, " objects, "))
			sscanf(line, "Total %d", &count);
	if (file)
		fclose(file);
	return count;
}

/* Wait until there are that many: the last reference of a buffer may be a worker's. */
static inline bool buffers_become(int count)
{
	long end = now_ms() + SOON_MS;

	while (count_buffers() != count && now_ms() < end)
		sleep_ms(10);
	return count_buffers() == count;
}

/* The driver of the first fence of a sync_file, "" if there is none. */
static inline void fence_driver(int sync_file, char *name, size_t size)
{
	struct sync_fence_info fence = {};
	struct sync_file_info info = {
		.num_fences = 1,
		.sync_fence_info = (uintptr_t)&fence,
	};

	if (xioctl(sync_file, SYNC_IOC_FILE_INFO, &info))
		fence.driver_name[0] = '\0';
	snprintf(name, size, "%s", fence.driver_name);
}

#endif /* DRIVER_TEST_H */
