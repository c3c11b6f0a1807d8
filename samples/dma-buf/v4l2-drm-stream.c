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
 * can be seen. Whatever is left open when it fails is released by the kernel.
 */

#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <glob.h>
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
#include <drm/drm_fourcc.h>
#include <drm/drm_mode.h>
#include <linux/dma-buf.h>
#include <linux/videodev2.h>

#define MAX_FRAMES	8	/* buffers that the camera may give us */
#define MAX_IDS		32	/* DRM objects of a kind that we look at */
#define MAX_MODES	128	/* display modes that we look at */
#define STALL_MS	5000	/* this long without any event is a failure */
#define NONE		-1	/* no frame is in this state */

/* One buffer, under the names that the three subsystems have for it. */
struct frame {
	int dmabuf_fd;		/* dma-buf: what both sides agree on */
	__u32 gem_handle;	/* DRM: the imported object */
	__u32 fb_id;		/* DRM: the same as something to display */
	__u32 sequence;		/* V4L2: number of the frame that is in it */
};

static struct options {
	const char *camera;
	const char *display;
	unsigned int width, height;
	unsigned int frames;
	unsigned int seconds;
	bool hold;
} opt = {
	.width = 640,
	.height = 480,
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

static struct display {
	int fd;
	__u32 connector_id;
	__u32 crtc_id;
	struct drm_mode_modeinfo mode;
} display;

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

/* ioctl() that a signal does not end early. */
static int xioctl(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret < 0 && errno == EINTR);

	return ret;
}

/* An ioctl whose failure ends the program. */
static void must(int fd, unsigned long request, void *arg, const char *what)
{
	if (xioctl(fd, request, arg) < 0)
		err(1, "%s", what);
}

#define MUST(fd, request, arg) must(fd, request, arg, #request)

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/*
 * Open the first device that matches @pattern and that @fits agrees with.
 * @wanted is a path, or the name of a driver, or NULL for any.
 */
static int open_device(const char *kind, const char *pattern,
		       const char *wanted,
		       bool (*fits)(int fd, const char *driver))
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
		if (fits(fd, is_path ? NULL : wanted)) {
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

/* ---- the camera ---- */

static bool is_camera(int fd, const char *driver)
{
	const __u32 needed = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
	struct v4l2_capability cap = { 0 };

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
			.width = opt.width,
			.height = opt.height,
			.pixelformat = V4L2_PIX_FMT_XBGR32,
			.field = V4L2_FIELD_NONE,
		},
	};

	MUST(camera.fd, VIDIOC_S_FMT, &format);
	if (format.fmt.pix.width != opt.width ||
	    format.fmt.pix.height != opt.height ||
	    format.fmt.pix.pixelformat != V4L2_PIX_FMT_XBGR32 ||
	    format.fmt.pix.field != V4L2_FIELD_NONE)
		errx(1, "the camera has no %ux%u XR24", opt.width, opt.height);

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
			    __u32 connector_id)
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
		if (modes[i].hdisplay != opt.width ||
		    modes[i].vdisplay != opt.height)
			continue;
		display.mode = modes[i];
		display.connector_id = connector_id;
		display.crtc_id = find_crtc(fd, res, &connector);
		return display.crtc_id;
	}
	return false;
}

static bool is_display(int fd, const char *driver)
{
	char name[32] = "";
	__u32 connectors[MAX_IDS], crtcs[MAX_IDS];
	struct drm_version version = {
		.name = name,
		.name_len = sizeof(name) - 1,
	};
	struct drm_mode_card_res res = {
		.connector_id_ptr = (unsigned long)connectors,
		.count_connectors = MAX_IDS,
		.crtc_id_ptr = (unsigned long)crtcs,
		.count_crtcs = MAX_IDS,
	};
	struct drm_get_cap prime = { .capability = DRM_CAP_PRIME };
	unsigned int i;

	if (xioctl(fd, DRM_IOCTL_VERSION, &version) < 0 ||
	    (driver && strcmp(name, driver)))
		return false;
	if (xioctl(fd, DRM_IOCTL_GET_CAP, &prime) < 0 ||
	    !(prime.value & DRM_PRIME_CAP_IMPORT))
		return false;
	if (xioctl(fd, DRM_IOCTL_MODE_GETRESOURCES, &res) < 0 ||
	    res.count_connectors > MAX_IDS || res.count_crtcs > MAX_IDS)
		return false;

	for (i = 0; i < res.count_connectors; i++)
		if (probe_connector(fd, &res, connectors[i]))
			return true;
	return false;
}

/* Make the display's driver see the dma-buf as a framebuffer. */
static void display_import(struct frame *frame)
{
	struct drm_prime_handle prime = { .fd = frame->dmabuf_fd };
	struct drm_mode_fb_cmd2 fb = {
		.width = opt.width,
		.height = opt.height,
		.pixel_format = DRM_FORMAT_XRGB8888,
		.pitches = { camera.pitch },
	};

	MUST(display.fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);
	frame->gem_handle = prime.handle;
	fb.handles[0] = prime.handle;
	MUST(display.fd, DRM_IOCTL_MODE_ADDFB2, &fb);
	frame->fb_id = fb.fb_id;
}

static void display_release(struct frame *frame)
{
	struct drm_gem_close close_handle = { .handle = frame->gem_handle };

	MUST(display.fd, DRM_IOCTL_MODE_RMFB, &frame->fb_id);
	MUST(display.fd, DRM_IOCTL_GEM_CLOSE, &close_handle);
}

/* The first frame: switch the display on, done when this returns. */
static void display_start(int index)
{
	struct drm_mode_crtc crtc = {
		.crtc_id = display.crtc_id,
		.fb_id = frames[index].fb_id,
		.set_connectors_ptr = (unsigned long)&display.connector_id,
		.count_connectors = 1,
		.mode = display.mode,
		.mode_valid = 1,
	};

	MUST(display.fd, DRM_IOCTL_MODE_SETCRTC, &crtc);
	on_screen = index;
	stats.shown = 1;
	stats.first = now();
	stats.last = stats.first;
}

/* Any further frame: shown when display_flip_done() is told so. */
static void display_flip(int index)
{
	struct drm_mode_crtc_page_flip flip = {
		.crtc_id = display.crtc_id,
		.fb_id = frames[index].fb_id,
		.flags = DRM_MODE_PAGE_FLIP_EVENT,
	};

	MUST(display.fd, DRM_IOCTL_MODE_PAGE_FLIP, &flip);
	flipping = index;
}

/* ---- the stream ---- */

static void frame_captured(int index)
{
	if (on_screen == NONE) {
		display_start(index);
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

/* FNV-1a, 64 bits, over the R, G and B of each pixel, line by line. */
static __u64 hash_pixels(const __u8 *pixels)
{
	__u64 hash = 0xcbf29ce484222325;
	unsigned int x, y;
	int channel;

	for (y = 0; y < opt.height; y++) {
		for (x = 0; x < opt.width; x++) {
			const __u8 *bgrx = pixels + y * camera.pitch + 4 * x;

			for (channel = 2; channel >= 0; channel--) {
				hash ^= bgrx[channel];
				hash *= 0x100000001b3;
			}
		}
	}
	return hash;
}

/* Tell the exporter that the CPU begins or ends to read. */
static void sync_for_cpu(int dmabuf_fd, __u64 begin_or_end)
{
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_READ | begin_or_end };

	MUST(dmabuf_fd, DMA_BUF_IOCTL_SYNC, &sync);
}

static __u64 hash_frame(const struct frame *frame)
{
	size_t size = (size_t)camera.pitch * opt.height;
	__u64 hash;
	void *pixels;

	pixels = mmap(NULL, size, PROT_READ, MAP_SHARED, frame->dmabuf_fd, 0);
	if (pixels == MAP_FAILED)
		err(1, "mmap of the dma-buf");

	sync_for_cpu(frame->dmabuf_fd, DMA_BUF_SYNC_START);
	hash = hash_pixels(pixels);
	sync_for_cpu(frame->dmabuf_fd, DMA_BUF_SYNC_END);

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

	display.fd = open_device("display", "/dev/dri/card*", opt.display,
				 is_display);
	camera.fd = open_device("camera", "/dev/video*", opt.camera, is_camera);
	camera_set_format();
	camera_set_rate(display.mode.vrefresh);
	camera_allocate();
	for (i = 0; i < nr_frames; i++) {
		frames[i].dmabuf_fd = camera_export(i);
		display_import(&frames[i]);
		camera_queue(i);
	}
	printf("stream: %ux%u, %u buffers, camera %.0f Hz, display %u Hz\n",
	       opt.width, opt.height, nr_frames, camera.fps,
	       display.mode.vrefresh);
	fflush(stdout);
}

static void tear_down(void)
{
	unsigned int i;

	for (i = 0; i < nr_frames; i++) {
		display_release(&frames[i]);
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

/* A number that an option was given. */
static unsigned int parse_number(const char *text, unsigned int min, unsigned int max)
{
	unsigned long value;
	char *rest;

	errno = 0;
	value = strtoul(text, &rest, 10);
	if (errno || rest == text || *rest || value < min || value > max)
		errx(1, "%s: not a number from %u to %u", text, min, max);
	return value;
}

static void parse_size(char *text)
{
	char *height = strchr(text, 'x');

	if (!height)
		errx(1, "%s: not a size such as 640x480", text);
	*height++ = '\0';
	opt.width = parse_number(text, 1, 16384);
	opt.height = parse_number(height, 1, 16384);
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
			parse_size(optarg);
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
