/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of video and graphics drivers share: buffers of every kind of
 * memory to import, and a view of their contents.
 *
 * Unless stated otherwise a function returns what the system call does, or a
 * negative errno, as in dmabuf_test.h.
 */
#ifndef MEDIA_TEST_H
#define MEDIA_TEST_H

#include <drm/drm.h>
#include <linux/videodev2.h>

#include "driver_test.h"
#include "heap_test.h"
#include "udmabuf_test.h"

/* Who exports a buffer. */
enum maker {
	SYSTEM,		/* the system heap */
	CONTIGUOUS,	/* the heap of contiguous memory */
	REVERSED,	/* udmabuf, the last page of a memfd first */
	TEST_DEVICE,
	VGEM,
	VIDEO,		/* a V4L2 device, of single pages */
	VIDEO_CONTIG,	/* the same, in one piece */
	NR_MAKERS
};

static const char * const maker_name[NR_MAKERS] = {
	[SYSTEM] = "system heap",
	[CONTIGUOUS] = "contiguous heap",
	[REVERSED] = "udmabuf",
	[TEST_DEVICE] = "test device",
	[VGEM] = "vgem",
	[VIDEO] = "vim2m",
	[VIDEO_CONTIG] = "vivid, contiguous",
};

static inline size_t whole_pages(size_t size)
{
	return (size + PAGE - 1) / PAGE * PAGE;
}

/* ---- devices ---------------------------------------------------------------------- */

/* A device of V4L2 by what it calls itself; -ENOENT if there is none. */
static inline int video_open(const char *name)
{
	char path[512], text[128], node[512] = "";
	DIR *dir = opendir("/sys/class/video4linux");
	struct dirent *entry;
	int fd;

	while (dir && !node[0] && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/sys/class/video4linux/%s/name", entry->d_name);
		if (read_file(path, text, sizeof(text)) < 0)
			continue;
		text[strcspn(text, "\n")] = '\0';
		if (!strcmp(text, name))
			snprintf(node, sizeof(node), "/dev/%s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	if (!node[0])
		return -ENOENT;
	fd = open(node, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* ---- buffers ---------------------------------------------------------------------- */

/* The pages of a memfd, none of them followed by the one behind it. */
static inline int reversed_buffer(size_t size)
{
	int memfd = memfd_new(size, 0, F_SEAL_SHRINK), dev = device_open(), ret;
	struct list *list = calloc(1, sizeof(*list));
	size_t page = size / PAGE;

	while (page--)
		list_add(list, memfd, page * PAGE, PAGE);
	list->head.flags = UDMABUF_FLAGS_CLOEXEC;
	ret = udmabuf_list(dev, list);
	free(list);
	close(dev);
	close(memfd);
	return ret;
}

static inline int test_buffer(size_t size)
{
	int dev = dev_open(), buffer = buffer_create(dev, size);

	close(dev);
	return buffer;
}

/* An object of @size bytes or a little more; its handle. */
static inline int dumb_create(int card, size_t size, __u32 *handle)
{
	struct drm_mode_create_dumb arg = {
		.width = 256,
		.height = (size + 1023) / 1024,
		.bpp = 32,
	};
	int ret = xioctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &arg);

	*handle = arg.handle;
	return ret;
}

static inline int prime_export(int card, __u32 handle, __u32 flags)
{
	struct drm_prime_handle arg = { .handle = handle, .flags = flags, .fd = -1 };
	int ret = xioctl(card, DRM_IOCTL_PRIME_HANDLE_TO_FD, &arg);

	return ret ? ret : arg.fd;
}

static inline int vgem_buffer(size_t size)
{
	int card = card_open("vgem"), buffer;
	__u32 handle;

	buffer = dumb_create(card, size, &handle);
	if (!buffer)
		buffer = prime_export(card, handle, DRM_RDWR | DRM_CLOEXEC);
	close(card);
	return buffer;
}

/* A buffer of an output device, which outlives the device's queue. */
static inline int video_buffer(const char *name, size_t size)
{
	struct v4l2_format format = { .type = V4L2_BUF_TYPE_VIDEO_OUTPUT };
	struct v4l2_requestbuffers request = {
		.type = V4L2_BUF_TYPE_VIDEO_OUTPUT,
		.memory = V4L2_MEMORY_MMAP,
		.count = 1,
	};
	struct v4l2_exportbuffer export = {
		.type = V4L2_BUF_TYPE_VIDEO_OUTPUT,
		.flags = O_RDWR | O_CLOEXEC,
	};
	int dev = video_open(name), ret;

	format.fmt.pix.width = 640;
	format.fmt.pix.height = 480;
	format.fmt.pix.pixelformat = V4L2_PIX_FMT_RGB24;
	ret = xioctl(dev, VIDIOC_S_FMT, &format);
	if (!ret && format.fmt.pix.sizeimage < size)
		ret = -EFBIG;
	if (!ret)
		ret = xioctl(dev, VIDIOC_REQBUFS, &request);
	if (!ret)
		ret = xioctl(dev, VIDIOC_EXPBUF, &export);
	close(dev);
	return ret ? ret : export.fd;
}

/* A buffer of at least @size bytes. */
static inline int make_buffer(enum maker maker, size_t size)
{
	size = whole_pages(size);
	switch (maker) {
	case SYSTEM:
		return heap_buffer(SYSTEM_HEAP, size);
	case CONTIGUOUS:
		return heap_buffer(contiguous_heap(), size);
	case REVERSED:
		return reversed_buffer(size);
	case TEST_DEVICE:
		return test_buffer(size);
	case VGEM:
		return vgem_buffer(size);
	case VIDEO:
		return video_buffer("vim2m", size);
	case VIDEO_CONTIG:
		return video_buffer("vivid-001-vid-out", size);
	default:
		return -EINVAL;
	}
}

/* Are these two descriptors of one buffer? */
static inline bool same_buffer(int first, int second)
{
	struct stat a, b;

	return !fstat(first, &a) && !fstat(second, &b) && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* ---- contents ---------------------------------------------------------------------- */

/* A buffer as a program has it. */
struct view {
	int fd;
	size_t size;
	unsigned char *map;
};

static inline int view_of(int fd, size_t size, struct view *view)
{
	view->fd = fd;
	view->size = size;
	view->map = fd < 0 ? MAP_FAILED : map_shared(fd, size);
	return fd < 0 ? fd : view->map == MAP_FAILED ? -errno : 0;
}

static inline int view_make(enum maker maker, size_t size, struct view *view)
{
	return view_of(make_buffer(maker, size), size, view);
}

static inline void view_close(struct view *view)
{
	if (view->map != MAP_FAILED)
		munmap(view->map, view->size);
	if (view->fd >= 0)
		close(view->fd);
	view->map = MAP_FAILED;
	view->fd = -1;
}

/* Bytes that do not repeat, in a page or between pages. */
static inline void noise(void *to, size_t size, __u32 seed)
{
	__u32 *word = to, value = seed * 0x9e3779b1 + 1;
	size_t i;

	for (i = 0; i < size / sizeof(*word); i++) {
		value ^= value << 13;
		value ^= value >> 17;
		value ^= value << 5;
		word[i] = value;
	}
}

static inline void view_write(struct view *view, const void *from, size_t size)
{
	buffer_sync(view->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	memcpy(view->map, from, size);
	buffer_sync(view->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
}

static inline void view_noise(struct view *view, __u32 seed)
{
	buffer_sync(view->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	noise(view->map, view->size, seed);
	buffer_sync(view->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
}

static inline bool view_is(struct view *view, const void *want, size_t size)
{
	bool same;

	buffer_sync(view->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	same = !memcmp(view->map, want, size);
	buffer_sync(view->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	return same;
}

/*
 * Does an importer see the same as @want? 0, -EILSEQ if it sees something else,
 * or why it sees nothing.
 */
static inline int importer_sees(int buffer, enum dmabuf_test_way way, const void *want,
				size_t size)
{
	int dev = dev_open(), ret;
	void *copy = malloc(size);

	ret = importer_copy(dev, buffer, way, false, 0, copy, size);
	if (!ret && memcmp(copy, want, size))
		ret = -EILSEQ;
	free(copy);
	close(dev);
	return ret;
}

/*
 * Has nobody the test device's buffer attached or mapped? @failed of the calls that
 * would have done so were made to fail.
 */
static inline bool nothing_attached_but(int buffer, unsigned int failed)
{
	int dev = dev_open();
	struct dmabuf_test_counters is = counters(dev, buffer);

	close(dev);
	return is.ops[DMABUF_TEST_OP_ATTACH] + is.ops[DMABUF_TEST_OP_MAP] +
	       is.ops[DMABUF_TEST_OP_VMAP] ==
	       is.ops[DMABUF_TEST_OP_DETACH] + is.ops[DMABUF_TEST_OP_UNMAP] +
	       is.ops[DMABUF_TEST_OP_VUNMAP] + failed;
}

static inline bool nothing_attached(int buffer)
{
	return nothing_attached_but(buffer, 0);
}

#endif /* MEDIA_TEST_H */
