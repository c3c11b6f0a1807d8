// SPDX-License-Identifier: GPL-2.0
/*
 * A picture in a buffer from anywhere, on a display that knows nothing of it.
 *
 * Whoever allocates the buffer exports it as a dma-buf, the display's driver
 * imports that and makes a framebuffer of it:
 *
 *	heap      DMA_HEAP_IOCTL_ALLOC ---------------+
 *	udmabuf   memfd, UDMABUF_CREATE --------------+--> dma-buf
 *	drm       CREATE_DUMB, PRIME_HANDLE_TO_FD ----+       |
 *	                                                      |
 *	       screen <--SETCRTC-- ADDFB2 <--PRIME_FD_TO_HANDLE
 *
 * The picture is drawn by the CPU through a mapping of the dma-buf. No two of
 * its pixels are alike (up to 1024x1024), so that a page in the wrong place
 * can be seen.
 *
 * Plain ioctls, no library, so that every step that the kernel takes part in
 * can be seen; those of the display are in common.c. Whatever is left open when
 * it fails is released by the kernel.
 */

#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>

#include "common.h"

#define HUGE_PAGE	(2UL << 20)	/* the usual size of one in a memfd */

/* What every source returns: the buffer as user space knows it. */
struct buffer {
	int fd;
	__u32 pitch;			/* bytes from one line to the next */
};

static struct options {
	const char *source;
	const char *display;
	unsigned int number;
	bool hold;
} opt = {
	.source = "heap:system",
};

static struct display display = { .width = 640, .height = 480 };

static size_t round_up_to(size_t size, size_t unit)
{
	return (size + unit - 1) / unit * unit;
}

/* How much to ask for if nobody else decides: lines without a gap, in pages. */
static size_t buffer_size(struct buffer *buffer)
{
	buffer->pitch = 4 * display.width;
	return round_up_to((size_t)buffer->pitch * display.height,
			   sysconf(_SC_PAGESIZE));
}

/* ---- where the buffer comes from ---- */

static void from_heap(struct buffer *buffer, const char *name)
{
	struct dma_heap_allocation_data alloc = {
		.len = buffer_size(buffer),
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	char path[256];
	int heap;

	snprintf(path, sizeof(path), "/dev/dma_heap/%s", name);
	heap = open(path, O_RDONLY | O_CLOEXEC);
	if (heap < 0)
		err(1, "%s", path);
	MUST(heap, DMA_HEAP_IOCTL_ALLOC, &alloc);
	close(heap);
	buffer->fd = alloc.fd;
}

/*
 * The buffer does not begin where the memfd does: with huge pages this is in
 * the middle of one. Shrinking must be ruled out for good, because a buffer
 * cannot lose its pages.
 */
static void from_udmabuf(struct buffer *buffer, const char *pages)
{
	bool huge = !strcmp(pages, "huge");
	size_t unit = huge ? HUGE_PAGE : (size_t)sysconf(_SC_PAGESIZE);
	struct udmabuf_create create = {
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.offset = sysconf(_SC_PAGESIZE),
		.size = buffer_size(buffer),
	};
	int device, memfd;

	if (*pages && !huge)
		errx(1, "udmabuf:%s: only \"huge\" is known", pages);
	memfd = memfd_create("show-buffer", MFD_CLOEXEC | MFD_ALLOW_SEALING |
			     (huge ? MFD_HUGETLB : 0));
	if (memfd < 0 ||
	    ftruncate(memfd, round_up_to(create.offset + create.size, unit)) ||
	    fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		err(1, "memfd");

	device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	if (device < 0)
		err(1, "/dev/udmabuf");
	create.memfd = memfd;
	buffer->fd = xioctl(device, UDMABUF_CREATE, &create);
	if (buffer->fd < 0)
		err(1, "UDMABUF_CREATE");
	close(device);
	close(memfd);		/* the buffer has its own hold on the pages */
}

static bool is_source(int fd, const char *driver, void *arg)
{
	struct drm_get_cap prime = { .capability = DRM_CAP_PRIME };

	(void)arg;
	return is_drm_driver(fd, driver) &&
	       xioctl(fd, DRM_IOCTL_GET_CAP, &prime) == 0 &&
	       (prime.value & DRM_PRIME_CAP_EXPORT);
}

static void from_drm(struct buffer *buffer, const char *driver)
{
	int device = open_device("source", "/dev/dri/card*", driver, is_source,
				 NULL);
	struct drm_mode_create_dumb dumb = {
		.width = display.width,
		.height = display.height,
		.bpp = 32,
	};
	struct drm_prime_handle prime = { .flags = DRM_CLOEXEC | DRM_RDWR };

	MUST(device, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);
	prime.handle = dumb.handle;
	MUST(device, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);
	close(device);
	buffer->fd = prime.fd;
	buffer->pitch = dumb.pitch;
}

/* @source is "KIND" or "KIND:ARGUMENT". */
static void allocate(struct buffer *buffer, const char *source)
{
	static const struct {
		const char *kind;
		void (*allocate)(struct buffer *buffer, const char *argument);
	} sources[] = {
		{ "heap", from_heap },
		{ "udmabuf", from_udmabuf },
		{ "drm", from_drm },
		{ }
	}, *s;
	size_t len = strcspn(source, ":");
	const char *argument = source[len] ? source + len + 1 : "";

	for (s = sources; s->kind; s++) {
		if (strlen(s->kind) == len && !strncmp(s->kind, source, len)) {
			s->allocate(buffer, argument);
			return;
		}
	}
	errx(1, "%s: no such source of buffers", source);
}

/* ---- the picture ---- */

/*
 * What a pixel is to look like: red and green are the low bits of its place,
 * blue has the next two of each and the number of the picture.
 */
static __u32 colour(unsigned int x, unsigned int y)
{
	return (x & 255) << 16 | (y & 255) << 8 |
	       (x >> 8 & 3) << 6 | (y >> 8 & 3) << 4 | opt.number;
}

static void draw(__u32 *pixels, size_t pitch)
{
	unsigned int x, y;

	for (y = 0; y < display.height; y++)
		for (x = 0; x < display.width; x++)
			pixels[y * (pitch / 4) + x] = colour(x, y);
}

static void draw_buffer(const struct buffer *buffer)
{
	size_t size = (size_t)buffer->pitch * display.height;
	void *pixels;

	pixels = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      buffer->fd, 0);
	if (pixels == MAP_FAILED)
		err(1, "mmap of the dma-buf");

	sync_for_cpu(buffer->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	draw(pixels, buffer->pitch);
	sync_for_cpu(buffer->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);

	munmap(pixels, size);
}

/* Of the picture as it should be; nothing of it comes from the buffer. */
static __u64 hash_picture(void)
{
	size_t pitch = 4 * display.width;
	__u32 *pixels = malloc(pitch * display.height);
	__u64 hash;

	if (!pixels)
		err(1, "memory for the picture");
	draw(pixels, pitch);
	hash = hash_pixels(pixels, display.width, display.height, pitch);
	free(pixels);
	return hash;
}

/* ---- the program ---- */

static void hold(void)
{
	puts("The picture is on screen. Press Enter to end.");
	fflush(stdout);
	while (getchar() != '\n' && !feof(stdin))
		;
}

static void print_help(FILE *out)
{
	fputs("usage: show-buffer [options]\n"
	      "\n"
	      "Draw a picture into a buffer and show that on a display, as a dma-buf.\n"
	      "\n"
	      "  -f, --from SOURCE      heap:NAME       from /dev/dma_heap/NAME\n"
	      "                         udmabuf         pages of a memfd\n"
	      "                         udmabuf:huge    the same with 2 MiB pages\n"
	      "                         drm:DRIVER      e.g. drm:vgem\n"
	      "                         (default: heap:system)\n"
	      "  -d, --display DEVICE   a path, or a driver's name such as cirrus\n"
	      "                         (default: the first that fits)\n"
	      "  -s, --size WxH         size of the picture and of the display's mode\n"
	      "                         (default: 640x480)\n"
	      "  -n, --number N         which of the pictures 0 to 15 (default: 0)\n"
	      "  -k, --keep             keep it on screen until a line is read from\n"
	      "                         standard input\n"
	      "  -h, --help             print this\n"
	      "\n"
	      "The hash is FNV-1a (64 bits) of the picture: one byte each for red,\n"
	      "green and blue, pixel by pixel from the top left, without padding.\n"
	      "Exit status: 0, or 1 after any failure.\n", out);
}

static void parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "from", required_argument, NULL, 'f' },
		{ "display", required_argument, NULL, 'd' },
		{ "size", required_argument, NULL, 's' },
		{ "number", required_argument, NULL, 'n' },
		{ "keep", no_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	int c;

	while ((c = getopt_long(argc, argv, "f:d:s:n:kh", options, NULL)) >= 0) {
		switch (c) {
		case 'f':
			opt.source = optarg;
			break;
		case 'd':
			opt.display = optarg;
			break;
		case 's':
			parse_size(optarg, &display.width, &display.height);
			break;
		case 'n':
			opt.number = parse_number(optarg, 0, 15);
			break;
		case 'k':
			opt.hold = true;
			break;
		case 'h':
			print_help(stdout);
			exit(EXIT_SUCCESS);
		default:
			print_help(stderr);
			exit(EXIT_FAILURE);
		}
	}
	if (optind < argc)
		errx(1, "%s: too many arguments", argv[optind]);
}

int main(int argc, char **argv)
{
	struct framebuffer framebuffer;
	struct buffer buffer;

	parse_options(argc, argv);
	display_open(&display, opt.display);
	allocate(&buffer, opt.source);
	draw_buffer(&buffer);
	display_import(&display, buffer.fd, buffer.pitch, &framebuffer);
	display_start(&display, &framebuffer);

	printf("picture: %ux%u, number %u, from %s\n", display.width,
	       display.height, opt.number, opt.source);
	printf("hash: %016llx\n", (unsigned long long)hash_picture());
	if (opt.hold)
		hold();
	display_release(&display, &framebuffer);
	close(buffer.fd);

	if (fflush(stdout) || ferror(stdout))
		err(1, "standard output");
	return EXIT_SUCCESS;
}
