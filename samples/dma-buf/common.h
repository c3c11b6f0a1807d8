/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the samples share: finding a device by what it can do, putting dma-bufs
 * on a display, and looking at their pixels.
 *
 * All of it ends the program with a message and status 1 if something fails.
 */
#ifndef SAMPLES_DMA_BUF_COMMON_H
#define SAMPLES_DMA_BUF_COMMON_H

#include <stdbool.h>
#include <stddef.h>

#include <drm/drm.h>
#include <drm/drm_mode.h>

/* A display that is switched on, or can be. */
struct display {
	int fd;
	unsigned int width, height;
	__u32 connector_id;
	__u32 crtc_id;
	struct drm_mode_modeinfo mode;
};

/* A dma-buf, under the names that the display has for it. */
struct framebuffer {
	__u32 gem_handle;	/* the imported object */
	__u32 fb_id;		/* the same as something to display */
};

/* ioctl() that a signal does not end early. */
int xioctl(int fd, unsigned long request, void *arg);

/* An ioctl whose failure ends the program. */
#define MUST(fd, request, arg) must(fd, request, arg, #request)
void must(int fd, unsigned long request, void *arg, const char *what);

/*
 * Open the first device that matches @pattern and that @fits agrees with.
 * @wanted is a path, or the name of a driver, or NULL for any; @fits gets it
 * if it is a driver's name, and @arg.
 */
int open_device(const char *kind, const char *pattern, const char *wanted,
		bool (*fits)(int fd, const char *driver, void *arg), void *arg);

/* Is @fd a DRM device of @driver, or of any if that is NULL? */
bool is_drm_driver(int fd, const char *driver);

/* Find a connected display of the size that @display has, and its mode. */
void display_open(struct display *display, const char *wanted);

/* Make the display's driver see the dma-buf, of XRGB8888, as a framebuffer. */
void display_import(const struct display *display, int dmabuf_fd, __u32 pitch,
		    struct framebuffer *framebuffer);
void display_release(const struct display *display,
		     struct framebuffer *framebuffer);

/* Switch the display on with this picture; done when it returns. */
void display_start(const struct display *display,
		   const struct framebuffer *framebuffer);

/* Tell the exporter that the CPU begins or ends to read or write. */
void sync_for_cpu(int dmabuf_fd, __u64 flags);

/*
 * FNV-1a, 64 bits, over the R, G and B of each pixel, line by line; memory
 * order is blue, green, red, unused.
 */
__u64 hash_pixels(const void *pixels, unsigned int width, unsigned int height,
		  size_t pitch);

/* A number, or a size such as 640x480, that an option was given. */
unsigned int parse_number(const char *text, unsigned int min, unsigned int max);
void parse_size(char *text, unsigned int *width, unsigned int *height);

#endif
