// SPDX-License-Identifier: GPL-2.0
/*
 * From camera to display without a copy in user space.
 *
 * The camera's driver allocates the buffers (V4L2, memory type MMAP) and
 * exports each as a dma-buf. The display's driver imports the same dma-bufs
 * and makes a framebuffer of each. From then on only indices travel: a frame
 * that the camera has filled goes on screen with a page flip, and when the
 * next flip has taken it off again, the camera gets it back.
 *
 *	 camera  --VIDIOC_DQBUF-->  waiting  --PAGE_FLIP-->  flipping
 *	   ^                           |                        |
 *	   |                           | a newer one came       | flip event
 *	   +-------VIDIOC_QBUF---------+                        v
 *	   +-------VIDIOC_QBUF---------------------------  on screen
 *
 * The program itself looks at pixels only once, at the end: it maps the last
 * frame's dma-buf and prints a hash of what the display is showing.
 *
 * Plain ioctls, no library, so that every step that the kernel takes part in
 * can be seen; those of the display are in common.c. Whatever is left open when
 * it fails is released by the kernel.
 */

#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <drm/drm.h>
#include <drm/drm_mode.h>
#include <linux/dma-buf.h>
#include <linux/videodev2.h>

#include "common.h"

#define MAX_FRAMES	8	/* buffers that the camera may give us */
#define STALL_MS	5000	/* this long without any event is a failure */
#define NONE		-1	/* no frame is in this state */

/* One buffer, under the names that the three subsystems have for it. */
struct frame {
	int dmabuf_fd;		/* dma-buf: what both sides agree on */
	struct framebuffer framebuffer;	/* DRM */
	__u32 sequence;		/* V4L2: number of the frame that is in it */
};

static struct options {
	const char *camera;
	const char *display;
	unsigned int frames;
	unsigned int seconds;
	bool hold;
} opt = {
	.frames = 4,
	.seconds = 5,
};

static struct camera {
	int fd;
	__u32 pitch;		/* bytes from one line to the next */
	double fps;		/* what it promises */
	bool started;
	__u32 next_sequence;	/* of the frame that should come next */
} camera;

static struct display display = { .width = 640, .height = 480 };

static struct frame frames[MAX_FRAMES];
static unsigned int nr_frames;

/* Where the frames are that the camera does not have; indices into frames[]. */
static int waiting = NONE;
static int flipping = NONE;
static int on_screen = NONE;

static struct statistics {
	unsigned int shown;
	unsigned int missed;	/* the camera had no buffer to put them in */
	unsigned int skipped;	/* a newer one came before the display was ready */
	double first, last;	/* when the first and the last one were shown */
} stats;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* ---- the camera ---- */

static bool is_camera(int fd, const char *driver, void *arg)
{
	const __u32 needed = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
	struct v4l2_capability cap = { 0 };

	(void)arg;
	if (xioctl(fd, VIDIOC_QUERYCAP, &cap) < 0)
		return false;
	if (driver && strcmp((const char *)cap.driver, driver))
		return false;
	return (cap.device_caps & needed) == needed;
}

/* Ask for the size and for XR24, which means the same bytes here and in DRM. */
static void camera_set_format(void)
{
	struct v4l2_format format = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.fmt.pix = {
			.width = display.width,
			.height = display.height,
			.pixelformat = V4L2_PIX_FMT_XBGR32,
			.field = V4L2_FIELD_NONE,
		},
	};

	MUST(camera.fd, VIDIOC_S_FMT, &format);
	if (format.fmt.pix.width != display.width ||
	    format.fmt.pix.height != display.height ||
	    format.fmt.pix.pixelformat != V4L2_PIX_FMT_XBGR32 ||
	    format.fmt.pix.field != V4L2_FIELD_NONE)
		errx(1, "the camera has no %ux%u XR24", display.width, display.height);

	camera.pitch = format.fmt.pix.bytesperline;
}

/* Ask for as many frames per second as the display shows. */
static void camera_set_rate(unsigned int fps)
{
	struct v4l2_streamparm parm = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.parm.capture.timeperframe = { 1, fps },
	};
	const struct v4l2_fract *interval = &parm.parm.capture.timeperframe;

	/* Some cameras have one rate only, and some do not say which. */
	if (xioctl(camera.fd, VIDIOC_S_PARM, &parm) == 0 &&
	    interval->numerator)
		camera.fps = (double)interval->denominator / interval->numerator;
}

static void camera_allocate(void)
{
	struct v4l2_requestbuffers request = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
		.count = opt.frames,
	};

	MUST(camera.fd, VIDIOC_REQBUFS, &request);
	/* One is on screen, one is flipping, one is being filled. */
	if (request.count < 3 || request.count > MAX_FRAMES)
		errx(1, "the camera wants %u buffers, 3 to %u are possible",
		     request.count, MAX_FRAMES);
	nr_frames = request.count;
}

static int camera_export(unsigned int index)
{
	struct v4l2_exportbuffer export = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.index = index,
		.flags = O_RDONLY | O_CLOEXEC,
	};

	MUST(camera.fd, VIDIOC_EXPBUF, &export);
	return export.fd;
}

/* The camera may write to the frame from now on. */
static void camera_queue(unsigned int index)
{
	struct v4l2_buffer buffer = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
		.index = index,
	};

	MUST(camera.fd, VIDIOC_QBUF, &buffer);
}

/* Take a filled frame from the camera, or NONE if there is none yet. */
static int camera_dequeue(void)
{
	struct v4l2_buffer buffer = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
	};
	int gap;

	if (xioctl(camera.fd, VIDIOC_DQBUF, &buffer) < 0) {
		if (errno == EAGAIN)
			return NONE;
		err(1, "VIDIOC_DQBUF");
	}
	if (buffer.flags & V4L2_BUF_FLAG_ERROR)
		errx(1, "the camera reports a damaged frame");

	/* Some cameras number two frames alike; that is none missed. */
	gap = buffer.sequence - camera.next_sequence;
	if (camera.started && gap > 0)
		stats.missed += gap;
	camera.started = true;
	camera.next_sequence = buffer.sequence + 1;
	frames[buffer.index].sequence = buffer.sequence;
	return buffer.index;
}

static void camera_stream(bool on)
{
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;

	if (on)
		MUST(camera.fd, VIDIOC_STREAMON, &type);
	else
		MUST(camera.fd, VIDIOC_STREAMOFF, &type);
}

/* ---- the display ---- */

/* The first frame. */
static void display_first(int index)
{
	display_start(&display, &frames[index].framebuffer);
	on_screen = index;
	stats.shown = 1;
	stats.first = now();
	stats.last = stats.first;
}

/* Any further frame: frame_shown() is called when it is on screen. */
static void display_flip(int index)
{
	struct drm_mode_crtc_page_flip flip = {
		.crtc_id = display.crtc_id,
		.fb_id = frames[index].framebuffer.fb_id,
		.flags = DRM_MODE_PAGE_FLIP_EVENT,
	};

	MUST(display.fd, DRM_IOCTL_MODE_PAGE_FLIP, &flip);
	flipping = index;
}

/* ---- the stream ---- */

static void frame_captured(int index)
{
	if (on_screen == NONE) {
		display_first(index);
	} else if (flipping == NONE) {
		display_flip(index);
	} else {
		if (waiting != NONE) {
			camera_queue(waiting);
			stats.skipped++;
		}
		waiting = index;
	}
}

static void frame_shown(void)
{
	camera_queue(on_screen);	/* nobody reads it any more */
	on_screen = flipping;
	flipping = NONE;
	stats.shown++;
	stats.last = now();

	if (waiting != NONE) {
		display_flip(waiting);
		waiting = NONE;
	}
}

static void display_read_events(void)
{
	__u64 buffer[128];	/* aligned as the events want it */
	const struct drm_event *event;
	ssize_t len, pos;

	len = read(display.fd, buffer, sizeof(buffer));
	if (len < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return;
		err(1, "reading the display's events");
	}
	for (pos = 0; pos < len; pos += event->length) {
		event = (const void *)((const char *)buffer + pos);
		if (event->type == DRM_EVENT_FLIP_COMPLETE)
			frame_shown();
	}
}

/* Until the time is over or a signal comes; then only the last flip is due. */
static void stream(int signal_fd)
{
	struct pollfd fds[] = {
		{ .fd = display.fd, .events = POLLIN },
		{ .fd = camera.fd, .events = POLLIN },
		{ .fd = signal_fd, .events = POLLIN },
	};
	double end = now() + opt.seconds;
	bool stop = false;
	int index;

	while (!stop || flipping != NONE) {
		int ready = poll(fds, stop ? 1 : 3, STALL_MS);

		if (ready < 0 && errno != EINTR)
			err(1, "poll");
		if (!ready)
			errx(1, "nothing happened for %u s", STALL_MS / 1000);
		if ((fds[0].revents | fds[1].revents) & (POLLERR | POLLHUP))
			errx(1, "a device is gone, or has stopped");

		if (fds[0].revents)
			display_read_events();
		if (!stop && fds[1].revents) {
			index = camera_dequeue();
			if (index != NONE)
				frame_captured(index);
		}
		if (fds[2].revents || now() >= end)
			stop = true;
	}
	if (on_screen == NONE)
		errx(1, "stopped before the first frame");
}

/* ---- looking at the pixels ---- */

static __u64 hash_frame(const struct frame *frame)
{
	size_t size = (size_t)camera.pitch * display.height;
	__u64 hash;
	void *pixels;

	pixels = mmap(NULL, size, PROT_READ, MAP_SHARED, frame->dmabuf_fd, 0);
	if (pixels == MAP_FAILED)
		err(1, "mmap of the dma-buf");

	sync_for_cpu(frame->dmabuf_fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	hash = hash_pixels(pixels, display.width, display.height, camera.pitch);
	sync_for_cpu(frame->dmabuf_fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);

	munmap(pixels, size);
	return hash;
}

/* ---- the program ---- */

static void report(void)
{
	double seconds = stats.last - stats.first;

	printf("frames: %u\n", stats.shown);
	printf("fps: %.1f\n", seconds > 0 ? (stats.shown - 1) / seconds : 0);
	printf("dropped: %u by the camera, %u by the display\n",
	       stats.missed, stats.skipped);
	printf("last: number %u of the camera\n", frames[on_screen].sequence);
	printf("hash: %016llx\n",
	       (unsigned long long)hash_frame(&frames[on_screen]));
}

static void hold(int signal_fd)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = signal_fd, .events = POLLIN },
	};

	puts("The last frame is on screen. Press Enter to end.");
	fflush(stdout);
	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			err(1, "poll");
}

/* Signals as a file, to be polled together with the devices. */
static int open_signals(void)
{
	sigset_t signals;
	int fd;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	fd = signalfd(-1, &signals, SFD_CLOEXEC);
	if (fd < 0)
		err(1, "signalfd");
	return fd;
}

static void set_up(void)
{
	unsigned int i;

	display_open(&display, opt.display);
	camera.fd = open_device("camera", "/dev/video*", opt.camera, is_camera,
				NULL);
	camera_set_format();
	camera_set_rate(display.mode.vrefresh);
	camera_allocate();
	for (i = 0; i < nr_frames; i++) {
		frames[i].dmabuf_fd = camera_export(i);
		display_import(&display, frames[i].dmabuf_fd, camera.pitch,
			       &frames[i].framebuffer);
		camera_queue(i);
	}
	printf("stream: %ux%u, %u buffers, camera %.0f Hz, display %u Hz\n",
	       display.width, display.height, nr_frames, camera.fps,
	       display.mode.vrefresh);
	fflush(stdout);
}

static void tear_down(void)
{
	unsigned int i;

	for (i = 0; i < nr_frames; i++) {
		display_release(&display, &frames[i].framebuffer);
		close(frames[i].dmabuf_fd);
	}
	close(display.fd);
	close(camera.fd);
}

static void print_help(FILE *out)
{
	fputs("usage: v4l2-drm-stream [options]\n"
	      "\n"
	      "Show a camera's frames on a display, through dma-bufs.\n"
	      "\n"
	      "  -c, --camera DEVICE    a path, or a driver's name such as vivid\n"
	      "                         (default: the first that fits)\n"
	      "  -d, --display DEVICE   a path, or a driver's name such as cirrus\n"
	      "                         (default: the first that fits)\n"
	      "  -s, --size WxH         size of the frames and of the display's mode\n"
	      "                         (default: 640x480)\n"
	      "  -b, --buffers N        buffers to ask the camera for, 3 to 8\n"
	      "                         (default: 4)\n"
	      "  -t, --time SECONDS     how long to stream (default: 5)\n"
	      "  -k, --keep             keep the last frame on screen until a line is\n"
	      "                         read from standard input, or SIGINT or SIGTERM\n"
	      "  -h, --help             print this\n"
	      "\n"
	      "The hash is FNV-1a (64 bits) of the last frame: one byte each for red,\n"
	      "green and blue, pixel by pixel from the top left, without padding.\n"
	      "Exit status: 0, or 1 after any failure.\n", out);
}

static void parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "camera", required_argument, NULL, 'c' },
		{ "display", required_argument, NULL, 'd' },
		{ "size", required_argument, NULL, 's' },
		{ "buffers", required_argument, NULL, 'b' },
		{ "time", required_argument, NULL, 't' },
		{ "keep", no_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:d:s:b:t:kh", options, NULL)) >= 0) {
		switch (c) {
		case 'c':
			opt.camera = optarg;
			break;
		case 'd':
			opt.display = optarg;
			break;
		case 's':
			parse_size(optarg, &display.width, &display.height);
			break;
		case 'b':
			opt.frames = parse_number(optarg, 3, MAX_FRAMES);
			break;
		case 't':
			opt.seconds = parse_number(optarg, 1, 86400);
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
	int signal_fd;

	parse_options(argc, argv);
	signal_fd = open_signals();

	set_up();
	camera_stream(true);
	stream(signal_fd);
	camera_stream(false);

	report();
	if (opt.hold)
		hold(signal_fd);
	tear_down();

	if (fflush(stdout) || ferror(stdout))
		err(1, "standard output");
	return EXIT_SUCCESS;
}
