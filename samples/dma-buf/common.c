// SPDX-License-Identifier: GPL-2.0
/*
 * What the samples share; see common.h.
 */

#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <drm/drm_fourcc.h>
#include <linux/dma-buf.h>

#include "common.h"

#define MAX_IDS		32	/* DRM objects of a kind that we look at */
#define MAX_MODES	128	/* display modes that we look at */

int xioctl(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret < 0 && errno == EINTR);

	return ret;
}

void must(int fd, unsigned long request, void *arg, const char *what)
{
	if (xioctl(fd, request, arg) < 0)
		err(1, "%s", what);
}

/* ---- devices ---- */

int open_device(const char *kind, const char *pattern, const char *wanted,
		bool (*fits)(int fd, const char *driver, void *arg), void *arg)
{
	bool is_path = wanted && strchr(wanted, '/');
	glob_t found;
	int fd = -1;
	size_t i;

	if (glob(is_path ? wanted : pattern, 0, NULL, &found))
		errx(1, "%s: no device %s", kind,
		     is_path ? wanted : pattern);

	for (i = 0; i < found.gl_pathc && fd < 0; i++) {
		fd = open(found.gl_pathv[i], O_RDWR | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0) {
			if (is_path)
				err(1, "%s", wanted);
			continue;
		}
		if (fits(fd, is_path ? NULL : wanted, arg)) {
			printf("%s: %s\n", kind, found.gl_pathv[i]);
		} else {
			close(fd);
			fd = -1;
		}
	}
	globfree(&found);
	if (fd < 0)
		errx(1, "%s: %s is missing, or cannot do what is asked for",
		     kind, wanted ? wanted : "a suitable device");
	return fd;
}

bool is_drm_driver(int fd, const char *driver)
{
	char name[32] = "";
	struct drm_version version = {
		.name = name,
		.name_len = sizeof(name) - 1,
	};

	return xioctl(fd, DRM_IOCTL_VERSION, &version) == 0 &&
	       (!driver || !strcmp(name, driver));
}

/* ---- the display ---- */

/* A CRTC that can feed @connector, or 0. */
static __u32 find_crtc(int fd, const struct drm_mode_card_res *res,
		       const struct drm_mode_get_connector *connector)
{
	const __u32 *encoders = (const __u32 *)(unsigned long)
				connector->encoders_ptr;
	const __u32 *crtcs = (const __u32 *)(unsigned long)res->crtc_id_ptr;
	unsigned int i, j;

	for (i = 0; i < connector->count_encoders; i++) {
		struct drm_mode_get_encoder encoder = {
			.encoder_id = encoders[i],
		};

		if (xioctl(fd, DRM_IOCTL_MODE_GETENCODER, &encoder) < 0)
			continue;
		for (j = 0; j < res->count_crtcs; j++)
			if (encoder.possible_crtcs & (1U << j))
				return crtcs[j];
	}
	return 0;
}

/* Is something plugged in that has a mode of our size? Then remember how. */
static bool probe_connector(int fd, const struct drm_mode_card_res *res,
			    __u32 connector_id, struct display *display)
{
	struct drm_mode_modeinfo modes[MAX_MODES];
	__u32 encoders[MAX_IDS];
	struct drm_mode_get_connector connector = {
		.connector_id = connector_id,
	};
	unsigned int i;

	/*
	 * With no room for a mode this probes the hardware. The kernel fills
	 * a list only if all of it fits, and says in any case how many.
	 */
	if (xioctl(fd, DRM_IOCTL_MODE_GETCONNECTOR, &connector) < 0 ||
	    connector.connection != 1 ||
	    connector.count_modes > MAX_MODES ||
	    connector.count_encoders > MAX_IDS)
		return false;

	connector.modes_ptr = (unsigned long)modes;
	connector.encoders_ptr = (unsigned long)encoders;
	connector.count_modes = MAX_MODES;
	connector.count_encoders = MAX_IDS;
	connector.count_props = 0;
	if (xioctl(fd, DRM_IOCTL_MODE_GETCONNECTOR, &connector) < 0 ||
	    connector.count_modes > MAX_MODES ||
	    connector.count_encoders > MAX_IDS)
		return false;

	for (i = 0; i < connector.count_modes; i++) {
		if (modes[i].hdisplay != display->width ||
		    modes[i].vdisplay != display->height)
			continue;
		display->mode = modes[i];
		display->connector_id = connector_id;
		display->crtc_id = find_crtc(fd, res, &connector);
		return display->crtc_id;
	}
	return false;
}

static bool is_display(int fd, const char *driver, void *arg)
{
	__u32 connectors[MAX_IDS], crtcs[MAX_IDS];
	struct drm_mode_card_res res = {
		.connector_id_ptr = (unsigned long)connectors,
		.count_connectors = MAX_IDS,
		.crtc_id_ptr = (unsigned long)crtcs,
		.count_crtcs = MAX_IDS,
	};
	struct drm_get_cap prime = { .capability = DRM_CAP_PRIME };
	unsigned int i;

	if (!is_drm_driver(fd, driver))
		return false;
	if (xioctl(fd, DRM_IOCTL_GET_CAP, &prime) < 0 ||
	    !(prime.value & DRM_PRIME_CAP_IMPORT))
		return false;
	if (xioctl(fd, DRM_IOCTL_MODE_GETRESOURCES, &res) < 0 ||
	    res.count_connectors > MAX_IDS || res.count_crtcs > MAX_IDS)
		return false;

	for (i = 0; i < res.count_connectors; i++)
		if (probe_connector(fd, &res, connectors[i], arg))
			return true;
	return false;
}

void display_open(struct display *display, const char *wanted)
{
	display->fd = open_device("display", "/dev/dri/card*", wanted,
				  is_display, display);
}

void display_import(const struct display *display, int dmabuf_fd, __u32 pitch,
		    struct framebuffer *framebuffer)
{
	struct drm_prime_handle prime = { .fd = dmabuf_fd };
	struct drm_mode_fb_cmd2 fb = {
		.width = display->width,
		.height = display->height,
		.pixel_format = DRM_FORMAT_XRGB8888,
		.pitches = { pitch },
	};

	MUST(display->fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);
	framebuffer->gem_handle = prime.handle;
	fb.handles[0] = prime.handle;
	MUST(display->fd, DRM_IOCTL_MODE_ADDFB2, &fb);
	framebuffer->fb_id = fb.fb_id;
}

void display_release(const struct display *display,
		     struct framebuffer *framebuffer)
{
	struct drm_gem_close close_handle = {
		.handle = framebuffer->gem_handle,
	};

	MUST(display->fd, DRM_IOCTL_MODE_RMFB, &framebuffer->fb_id);
	MUST(display->fd, DRM_IOCTL_GEM_CLOSE, &close_handle);
}

void display_start(const struct display *display,
		   const struct framebuffer *framebuffer)
{
	struct drm_mode_crtc crtc = {
		.crtc_id = display->crtc_id,
		.fb_id = framebuffer->fb_id,
		.set_connectors_ptr = (unsigned long)&display->connector_id,
		.count_connectors = 1,
		.mode = display->mode,
		.mode_valid = 1,
	};

	MUST(display->fd, DRM_IOCTL_MODE_SETCRTC, &crtc);
}

/* ---- pixels ---- */

void sync_for_cpu(int dmabuf_fd, __u64 flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	MUST(dmabuf_fd, DMA_BUF_IOCTL_SYNC, &sync);
}

__u64 hash_pixels(const void *pixels, unsigned int width, unsigned int height,
		  size_t pitch)
{
	__u64 hash = 0xcbf29ce484222325;
	unsigned int x, y;
	int channel;

	for (y = 0; y < height; y++) {
		for (x = 0; x < width; x++) {
			const __u8 *bgrx = (const __u8 *)pixels + y * pitch + 4 * x;

			for (channel = 2; channel >= 0; channel--) {
				hash ^= bgrx[channel];
				hash *= 0x100000001b3;
			}
		}
	}
	return hash;
}

/* ---- options ---- */

unsigned int parse_number(const char *text, unsigned int min, unsigned int max)
{
	unsigned long value;
	char *rest;

	errno = 0;
	value = strtoul(text, &rest, 10);
	if (errno || rest == text || *rest || value < min || value > max)
		errx(1, "%s: not a number from %u to %u", text, min, max);
	return value;
}

void parse_size(char *text, unsigned int *width, unsigned int *height)
{
	char *second = strchr(text, 'x');

	if (!second)
		errx(1, "%s: not a size such as 640x480", text);
	*second++ = '\0';
	*width = parse_number(text, 1, 16384);
	*height = parse_number(second, 1, 16384);
}
