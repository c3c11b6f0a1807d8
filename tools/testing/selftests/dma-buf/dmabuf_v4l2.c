// SPDX-License-Identifier: GPL-2.0
/*
 * The video drivers that need no hardware, as exporters and as importers: what a
 * camera writes, a converter copies and a codec packs is in the buffer of whoever
 * made it, to the last byte, as it would be in the device's own memory.
 *
 * The cameras are vivid (of single pages, in one piece, and with a buffer for each
 * colour) and vimc; vim2m copies, vicodec packs and unpacks, visl takes requests.
 *
 * For vivid: vivid.n_devs=3 vivid.allocators=0,1,0 vivid.multiplanar=1,1,2
 * vivid.node_types=0x101,0x101,0x101. Needs /dev/dmabuf_test and root.
 */
#include <linux/media.h>
#include <linux/v4l2-subdev.h>

#include "media_test.h"

#define NR_SLOTS	3
#define MAX_PLANES	3
#define NR_FRAMES	6

#define OSD_VIVID	0x00f0f001	/* text in the frames; */
#define OSD_VIMC	0x00f0f002
#define OSD_NONE	2		/* without it all are alike */

#define CAPTURE		V4L2_BUF_TYPE_VIDEO_CAPTURE
#define OUTPUT		V4L2_BUF_TYPE_VIDEO_OUTPUT
#define MMAP		V4L2_MEMORY_MMAP
#define DMABUF		V4L2_MEMORY_DMABUF

/* ---- queues of a device ------------------------------------------------ */

/* One of the queues of an open device, and the size of the planes of its frames. */
struct queue {
	int dev;
	__u32 type;
	__u32 memory;
	unsigned int nr_planes;
	size_t size[MAX_PLANES];
	/* Of the frame that was pulled last. */
	size_t used[MAX_PLANES];
	__u32 flags;
};

static bool has_planes(const struct queue *q)
{
	return V4L2_TYPE_IS_MULTIPLANAR(q->type);
}

/* Take over what the device says of a format. */
static void note_format(struct queue *q, const struct v4l2_format *format)
{
	unsigned int i;

	q->nr_planes = has_planes(q) ? format->fmt.pix_mp.num_planes : 1;
	for (i = 0; i < q->nr_planes && i < MAX_PLANES; i++)
		q->size[i] = has_planes(q) ? format->fmt.pix_mp.plane_fmt[i].sizeimage :
					     format->fmt.pix.sizeimage;
}

static int queue_init(struct queue *q, int dev, __u32 type)
{
	struct v4l2_format format = { .type = type };
	int ret;

	memset(q, 0, sizeof(*q));
	q->dev = dev;
	q->type = type;
	ret = xioctl(dev, VIDIOC_G_FMT, &format);
	if (!ret)
		note_format(q, &format);
	return ret;
}

/* A queue with a format; -EDOM if the device takes another one. */
static int queue_set(struct queue *q, int dev, __u32 type, __u32 fourcc, __u32 width, __u32 height)
{
	struct v4l2_format format = { .type = type };
	int ret = queue_init(q, dev, type);

	if (ret)
		return ret;
	if (has_planes(q)) {
		format.fmt.pix_mp.pixelformat = fourcc;
		format.fmt.pix_mp.width = width;
		format.fmt.pix_mp.height = height;
		ret = xioctl(dev, VIDIOC_S_FMT, &format);
		if (!ret && (format.fmt.pix_mp.pixelformat != fourcc ||
			     format.fmt.pix_mp.width != width))
			ret = -EDOM;
	} else {
		format.fmt.pix.pixelformat = fourcc;
		format.fmt.pix.width = width;
		format.fmt.pix.height = height;
		ret = xioctl(dev, VIDIOC_S_FMT, &format);
		if (!ret && (format.fmt.pix.pixelformat != fourcc ||
			     format.fmt.pix.width != width))
			ret = -EDOM;
	}
	note_format(q, &format);
	return ret;
}

static int queue_slots(struct queue *q, __u32 memory, unsigned int count)
{
	struct v4l2_requestbuffers arg = { .type = q->type, .memory = memory, .count = count };

	q->memory = memory;
	return xioctl(q->dev, VIDIOC_REQBUFS, &arg);
}

static int queue_on(struct queue *q)
{
	return xioctl(q->dev, VIDIOC_STREAMON, &q->type);
}

static int queue_off(struct queue *q)
{
	return xioctl(q->dev, VIDIOC_STREAMOFF, &q->type);
}

/* The argument of an ioctl about the buffer in a slot. */
static void slot_arg(const struct queue *q, unsigned int slot, struct v4l2_plane *planes,
		     struct v4l2_buffer *arg)
{
	memset(arg, 0, sizeof(*arg));
	memset(planes, 0, MAX_PLANES * sizeof(*planes));
	arg->type = q->type;
	arg->memory = q->memory;
	arg->index = slot;
	if (has_planes(q)) {
		arg->m.planes = planes;
		arg->length = q->nr_planes;
	}
}

/* Memory of a slot, with MMAP. */
static void *slot_map(const struct queue *q, unsigned int slot, unsigned int plane)
{
	struct v4l2_plane planes[MAX_PLANES];
	struct v4l2_buffer arg;

	slot_arg(q, slot, planes, &arg);
	if (xioctl(q->dev, VIDIOC_QUERYBUF, &arg))
		return MAP_FAILED;
	return mmap(NULL, q->size[plane], PROT_READ | PROT_WRITE, MAP_SHARED, q->dev,
		    has_planes(q) ? planes[plane].m.mem_offset : arg.m.offset);
}

static int slot_export(const struct queue *q, unsigned int slot, unsigned int plane, int flags)
{
	struct v4l2_exportbuffer arg = {
		.type = q->type,
		.index = slot,
		.plane = plane,
		.flags = flags,
	};
	int ret = xioctl(q->dev, VIDIOC_EXPBUF, &arg);

	return ret ? ret : arg.fd;
}

/* What a slot's plane is queued with. */
struct piece {
	int fd;
	__u32 length;		/* 0 for that of the buffer */
	__u32 used;		/* of an output */
};

/* Hand a slot to the device; @request is -1 for none. */
static int slot_queue(const struct queue *q, unsigned int slot, const struct piece *pieces,
		      int request)
{
	struct v4l2_plane planes[MAX_PLANES];
	struct v4l2_buffer arg;
	unsigned int i;

	slot_arg(q, slot, planes, &arg);
	if (request >= 0) {
		arg.flags = V4L2_BUF_FLAG_REQUEST_FD;
		arg.request_fd = request;
	}
	for (i = 0; pieces && i < q->nr_planes; i++) {
		if (has_planes(q)) {
			planes[i].m.fd = pieces[i].fd;
			planes[i].length = pieces[i].length;
			planes[i].bytesused = pieces[i].used;
		} else {
			if (q->memory == DMABUF) {
				arg.m.fd = pieces[i].fd;
				arg.length = pieces[i].length;
			}
			arg.bytesused = pieces[i].used;
		}
	}
	return xioctl(q->dev, VIDIOC_QBUF, &arg);
}

/* Take a slot back from the device, when it is done: the number, or a negative errno. */
static int slot_wait(struct queue *q)
{
	short event = V4L2_TYPE_IS_OUTPUT(q->type) ? POLLOUT : POLLIN;
	struct v4l2_plane planes[MAX_PLANES];
	struct v4l2_buffer arg;
	unsigned int i;
	int ret;

	if (!(poll_for(q->dev, event, SOON_MS) & event))
		return -ETIME;
	slot_arg(q, 0, planes, &arg);
	ret = xioctl(q->dev, VIDIOC_DQBUF, &arg);
	if (ret)
		return ret;
	for (i = 0; i < q->nr_planes; i++)
		q->used[i] = has_planes(q) ? planes[i].bytesused : arg.bytesused;
	q->flags = arg.flags;
	return arg.flags & V4L2_BUF_FLAG_ERROR ? -EIO : (int)arg.index;
}

/* ---- frames: one buffer for each plane --------------------------------- */

struct frame {
	unsigned int nr_planes;
	struct view plane[MAX_PLANES];
};

static void frame_close(struct frame *frame)
{
	while (frame->nr_planes)
		view_close(&frame->plane[--frame->nr_planes]);
}

static int frame_make(struct frame *frame, const struct queue *q, enum maker maker)
{
	int ret = 0;

	frame->nr_planes = 0;
	while (!ret && frame->nr_planes < q->nr_planes) {
		ret = view_make(maker, q->size[frame->nr_planes], &frame->plane[frame->nr_planes]);
		frame->nr_planes++;
	}
	if (ret)
		frame_close(frame);
	return ret;
}

/* The buffers of a slot, with MMAP. */
static int frame_export(struct frame *frame, const struct queue *q, unsigned int slot)
{
	int ret = 0;

	frame->nr_planes = 0;
	while (!ret && frame->nr_planes < q->nr_planes) {
		unsigned int i = frame->nr_planes++;

		ret = view_of(slot_export(q, slot, i, O_RDWR | O_CLOEXEC), q->size[i],
			      &frame->plane[i]);
	}
	if (ret)
		frame_close(frame);
	return ret;
}

/* Something else in it than what the device writes. */
static void frame_spoil(struct frame *frame, __u32 seed)
{
	unsigned int i;

	for (i = 0; i < frame->nr_planes; i++)
		view_noise(&frame->plane[i], seed + i);
}

static int frame_queue(struct queue *q, unsigned int slot, const struct frame *frame)
{
	struct piece pieces[MAX_PLANES] = {};
	unsigned int i;

	for (i = 0; i < frame->nr_planes; i++) {
		pieces[i].fd = frame->plane[i].fd;
		if (V4L2_TYPE_IS_OUTPUT(q->type))
			pieces[i].used = q->size[i];
	}
	return slot_queue(q, slot, pieces, -1);
}

/* ---- cameras ----------------------------------------------------------- */

FIXTURE(camera) {
	struct queue q;
	int buffers;			/* in the system, before */
	char *want[MAX_PLANES];		/* a frame in the device's own memory */
};

FIXTURE_VARIANT(camera) {
	const char *name;
	__u32 type;
	__u32 fourcc;
	__u32 width, height;
	bool contig;
	bool vimc;
};

FIXTURE_VARIANT_ADD(camera, vivid) {
	.name = "vivid-000-vid-cap",
	.type = CAPTURE,
	.fourcc = V4L2_PIX_FMT_RGB565,
	.width = 320,
	.height = 180,
};

FIXTURE_VARIANT_ADD(camera, vivid_contig) {
	.name = "vivid-001-vid-cap",
	.type = CAPTURE,
	.fourcc = V4L2_PIX_FMT_RGB565,
	.width = 320,
	.height = 180,
	.contig = true,
};

FIXTURE_VARIANT_ADD(camera, vivid_planes) {
	.name = "vivid-002-vid-cap",
	.type = V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE,
	.fourcc = V4L2_PIX_FMT_YUV420M,
	.width = 320,
	.height = 180,
};

FIXTURE_VARIANT_ADD(camera, vimc_raw) {
	.name = "Raw Capture 0",
	.type = CAPTURE,
	.fourcc = V4L2_PIX_FMT_SRGGB8,
	.width = 160,
	.height = 120,
	.vimc = true,
};

FIXTURE_VARIANT_ADD(camera, vimc_rgb) {
	.name = "RGB/YUV Capture",
	.type = CAPTURE,
	.fourcc = V4L2_PIX_FMT_RGB24,
	.width = 160,
	.height = 120,
	.vimc = true,
};

static int control_set(int dev, __u32 id, int value)
{
	struct v4l2_control arg = { .id = id, .value = value };

	return xioctl(dev, VIDIOC_S_CTRL, &arg);
}

/* A format at a pad of a part of vimc. */
static int pad_set(const char *entity, __u32 pad, __u32 code, __u32 width, __u32 height)
{
	struct v4l2_subdev_format arg = {
		.which = V4L2_SUBDEV_FORMAT_ACTIVE,
		.pad = pad,
		.format = { .code = code, .width = width, .height = height },
	};
	int dev = video_open(entity), ret = xioctl(dev, VIDIOC_SUBDEV_S_FMT, &arg);

	close(dev);
	if (!ret && (arg.format.code != code || arg.format.width != width))
		ret = -EDOM;
	return ret;
}

/* The format of a capture, which has to be right although the other one is in use. */
static int end_set(const char *name, __u32 fourcc, __u32 width, __u32 height)
{
	int dev = video_open(name), ret;
	struct queue q;

	ret = queue_set(&q, dev, CAPTURE, fourcc, width, height);
	close(dev);
	return ret;
}

/* One size from the sensor to both captures. */
static int vimc_set(__u32 width, __u32 height)
{
	int ret = pad_set("Sensor A", 0, MEDIA_BUS_FMT_SRGGB8_1X8, width, height), sensor;

	if (!ret)
		ret = pad_set("Debayer A", 0, MEDIA_BUS_FMT_SRGGB8_1X8, width, height);
	if (!ret)
		ret = pad_set("Scaler", 0, MEDIA_BUS_FMT_RGB888_1X24, width, height);
	if (!ret)
		ret = pad_set("Scaler", 1, MEDIA_BUS_FMT_RGB888_1X24, width, height);
	if (!ret)
		ret = end_set("Raw Capture 0", V4L2_PIX_FMT_SRGGB8, width, height);
	if (!ret)
		ret = end_set("RGB/YUV Capture", V4L2_PIX_FMT_RGB24, width, height);
	sensor = video_open("Sensor A");
	if (!ret)
		ret = control_set(sensor, OSD_VIMC, OSD_NONE);
	close(sensor);
	return ret;
}

/* A copy of a frame that is in the device's own memory, without dma-buf. */
static int own_frame(struct queue *q, char **want)
{
	int ret = queue_slots(q, MMAP, 2), slot;
	unsigned int i;

	for (i = 0; !ret && i < 2; i++)
		ret = slot_queue(q, i, NULL, -1);
	if (!ret)
		ret = queue_on(q);
	slot = ret ? ret : slot_wait(q);
	for (i = 0; slot >= 0 && i < q->nr_planes; i++) {
		void *map = slot_map(q, slot, i);

		if (map == MAP_FAILED)
			return -ENOMEM;
		want[i] = malloc(q->size[i]);
		memcpy(want[i], map, q->size[i]);
		munmap(map, q->size[i]);
	}
	queue_off(q);
	ret = queue_slots(q, MMAP, 0);
	return slot < 0 ? slot : ret;
}

FIXTURE_SETUP(camera)
{
	int dev = video_open(variant->name), input = 0;

	if (dev == -ENOENT)
		SKIP(return, "no camera \"%s\"", variant->name);
	ASSERT_LE(0, dev);
	self->q.dev = dev;
	if (variant->vimc) {
		ASSERT_EQ(0, vimc_set(variant->width, variant->height));
	} else {
		ASSERT_EQ(0, xioctl(dev, VIDIOC_S_INPUT, &input));
		ASSERT_EQ(0, control_set(dev, OSD_VIVID, OSD_NONE));
	}
	ASSERT_EQ(0, queue_set(&self->q, dev, variant->type, variant->fourcc, variant->width,
			       variant->height));
	ASSERT_GE((unsigned int)MAX_PLANES, self->q.nr_planes);
	ASSERT_EQ(0, own_frame(&self->q, self->want));
	self->buffers = count_buffers();
	ASSERT_LE(0, self->buffers);
}

FIXTURE_TEARDOWN(camera)
{
	unsigned int i;

	close(self->q.dev);
	for (i = 0; i < self->q.nr_planes; i++)
		free(self->want[i]);
}

/* Has a frame in buffers all the bytes of @want? */
static bool frame_is(struct frame *frame, const struct queue *q, char **want)
{
	unsigned int i;

	for (i = 0; i < frame->nr_planes; i++)
		if (!view_is(&frame->plane[i], want[i], q->size[i]))
			return false;
	return true;
}

/* Passes if a device's buffers hold its frames for programs and for importers, and outlive it. */
TEST_F(camera, exported_frames)
{
	struct queue *q = &self->q;
	struct frame frame[NR_SLOTS];
	unsigned int i;
	int slot, n;

	ASSERT_EQ(0, queue_slots(q, MMAP, NR_SLOTS));
	for (i = 0; i < NR_SLOTS; i++) {
		ASSERT_EQ(0, frame_export(&frame[i], q, i));
		frame_spoil(&frame[i], i);
		ASSERT_EQ(0, slot_queue(q, i, NULL, -1));
	}
	ASSERT_EQ(0, queue_on(q));
	for (n = 0; n < NR_FRAMES; n++) {
		slot = slot_wait(q);
		ASSERT_LE(0, slot);
		EXPECT_TRUE(frame_is(&frame[slot], q, self->want));
		for (i = 0; i < q->nr_planes; i++) {
			int fd = frame[slot].plane[i].fd;

			EXPECT_EQ(POLLIN | POLLOUT, poll_now(fd, POLLIN | POLLOUT));
			EXPECT_EQ(0, importer_sees(fd, DMABUF_TEST_BY_VMAP, self->want[i],
						   q->size[i]));
			EXPECT_EQ(0, importer_sees(fd, DMABUF_TEST_BY_DMA, self->want[i],
						   q->size[i]));
		}
		if (n + NR_SLOTS >= NR_FRAMES)
			continue;
		frame_spoil(&frame[slot], n);
		ASSERT_EQ(0, slot_queue(q, slot, NULL, -1));
	}
	EXPECT_EQ(0, queue_off(q));
	EXPECT_EQ(0, queue_slots(q, MMAP, 0));
	for (i = 0; i < NR_SLOTS; i++) {
		EXPECT_TRUE(frame_is(&frame[i], q, self->want));
		frame_close(&frame[i]);
	}
	EXPECT_TRUE(buffers_become(self->buffers));
}

/* What the camera says of a buffer; 1 if it depends on where the memory happens to be. */
static int camera_takes(bool contig, enum maker maker)
{
	if (!contig || maker == CONTIGUOUS || maker == VIDEO_CONTIG)
		return 0;
	return maker == REVERSED || maker == VIDEO ? -EFAULT : 1;
}

/* Stream into some buffers; the first error, -EILSEQ for a wrong frame. */
static int stream_into(struct queue *q, struct frame *frame, char **want)
{
	int ret = 0, slot, n;
	unsigned int i;

	for (i = 0; !ret && i < NR_SLOTS; i++) {
		frame_spoil(&frame[i], i);
		ret = frame_queue(q, i, &frame[i]);
	}
	if (!ret)
		ret = queue_on(q);
	for (n = 0; !ret && n < NR_FRAMES; n++) {
		slot = slot_wait(q);
		if (slot < 0)
			return slot;
		if (!frame_is(&frame[slot], q, want))
			return -EILSEQ;
		frame_spoil(&frame[slot], n);
		ret = frame_queue(q, slot, &frame[slot]);
	}
	return ret;
}

/* Passes if frames arrive in the buffers of each exporter, or the device says that it cannot. */
TEST_F(camera, imported_frames)
{
	struct frame frame[NR_SLOTS];
	enum maker maker;
	unsigned int i;
	int ret, want;

	for (maker = 0; maker < NR_MAKERS; maker++) {
		for (i = 0; i < NR_SLOTS; i++) {
			ASSERT_EQ(0, frame_make(&frame[i], &self->q, maker)) {
				TH_LOG("from %s", maker_name[maker]);
			}
		}
		ASSERT_EQ(0, queue_slots(&self->q, DMABUF, NR_SLOTS));
		ret = stream_into(&self->q, frame, self->want);
		want = camera_takes(variant->contig, maker);
		EXPECT_TRUE(want == 1 ? !ret || ret == -EFAULT : ret == want) {
			TH_LOG("from %s: %d", maker_name[maker], ret);
		}
		EXPECT_EQ(0, queue_off(&self->q));
		EXPECT_EQ(0, queue_slots(&self->q, DMABUF, 0));
		for (i = 0; i < NR_SLOTS; i++) {
			if (maker == TEST_DEVICE)
				EXPECT_TRUE(nothing_attached(frame[i].plane[0].fd));
			frame_close(&frame[i]);
		}
		EXPECT_TRUE(buffers_become(self->buffers));
	}
}

/* Passes if a queued buffer is the device's: it needs neither the descriptor nor the mapping. */
TEST_F(camera, closed_while_queued)
{
	enum maker maker = variant->contig ? CONTIGUOUS : REVERSED;
	struct queue *q = &self->q;
	struct frame kept, gone;
	unsigned int i;

	ASSERT_EQ(0, frame_make(&kept, q, maker));
	ASSERT_EQ(0, frame_make(&gone, q, maker));
	frame_spoil(&kept, 1);
	ASSERT_EQ(0, queue_slots(q, DMABUF, 2));
	ASSERT_EQ(0, frame_queue(q, 0, &kept));
	ASSERT_EQ(0, frame_queue(q, 1, &gone));
	for (i = 0; i < q->nr_planes; i++) {
		close(kept.plane[i].fd);
		kept.plane[i].fd = -1;
	}
	frame_close(&gone);
	EXPECT_TRUE(buffers_become(self->buffers + 2 * q->nr_planes));
	ASSERT_EQ(0, queue_on(q));
	EXPECT_EQ(0, slot_wait(q));
	for (i = 0; i < q->nr_planes; i++)
		EXPECT_EQ(0, memcmp(kept.plane[i].map, self->want[i], q->size[i]));
	EXPECT_EQ(1, slot_wait(q));
	EXPECT_EQ(0, queue_off(q));
	EXPECT_EQ(0, queue_slots(q, DMABUF, 0));
	EXPECT_TRUE(buffers_become(self->buffers + q->nr_planes));
	frame_close(&kept);
	EXPECT_TRUE(buffers_become(self->buffers));
}

/* Passes if closing the device ends its use of buffers, in the middle of a stream. */
TEST_F(camera, device_closed_while_streaming)
{
	enum maker maker = variant->contig ? CONTIGUOUS : TEST_DEVICE;
	struct frame frame[NR_SLOTS];
	unsigned int i;

	ASSERT_EQ(0, queue_slots(&self->q, DMABUF, NR_SLOTS));
	for (i = 0; i < NR_SLOTS; i++) {
		ASSERT_EQ(0, frame_make(&frame[i], &self->q, maker));
		ASSERT_EQ(0, frame_queue(&self->q, i, &frame[i]));
	}
	ASSERT_EQ(0, queue_on(&self->q));
	ASSERT_EQ(0, slot_wait(&self->q));
	close(self->q.dev);
	self->q.dev = -1;
	for (i = 0; i < NR_SLOTS; i++) {
		if (maker == TEST_DEVICE)
			EXPECT_TRUE(nothing_attached(frame[i].plane[0].fd));
		frame_close(&frame[i]);
	}
	EXPECT_TRUE(buffers_become(self->buffers));
}

/*
 * videobuf2 of 6.12 does not give back its reference to a buffer that it could not
 * attach: what has come to exist so, besides @known, is not counted.
 */
static void not_counted(int *buffers, int known)
{
	if (count_buffers() == *buffers + known + 1)
		++*buffers;
}

/* Passes if no buffer is taken that is none or too small, and the next one is. */
TEST_F(camera, wrong_buffers)
{
	enum maker maker = variant->contig ? CONTIGUOUS : TEST_DEVICE;
	struct piece pieces[MAX_PLANES] = {};
	struct queue *q = &self->q;
	struct frame frame;
	unsigned int i;
	int small;

	ASSERT_EQ(0, frame_make(&frame, q, maker));
	ASSERT_EQ(0, queue_slots(q, DMABUF, 1));
	for (i = 0; i < q->nr_planes; i++)
		pieces[i].fd = frame.plane[i].fd;
	i = q->nr_planes - 1;
	small = make_buffer(maker, PAGE);
	pieces[i].fd = small;
	EXPECT_EQ(-EINVAL, slot_queue(q, 0, pieces, -1));
	pieces[i].fd = -1;
	EXPECT_EQ(-EINVAL, slot_queue(q, 0, pieces, -1));
	pieces[i].fd = q->dev;
	EXPECT_EQ(-EINVAL, slot_queue(q, 0, pieces, -1));
	EXPECT_EQ(-EINVAL, slot_export(q, 0, 0, O_RDWR));
	close(small);
	EXPECT_TRUE(buffers_become(self->buffers + q->nr_planes));

	small = make_buffer(maker, PAGE);
	pieces[i].fd = small;
	pieces[i].length = q->size[i];
	EXPECT_EQ(-EFAULT, slot_queue(q, 0, pieces, -1));
	if (maker == TEST_DEVICE) {
		EXPECT_TRUE(nothing_attached(small));
		EXPECT_TRUE(nothing_attached(frame.plane[0].fd));
	}
	close(small);
	not_counted(&self->buffers, q->nr_planes);
	frame_spoil(&frame, 5);
	ASSERT_EQ(0, frame_queue(q, 0, &frame));
	EXPECT_EQ(0, queue_slots(q, DMABUF, 0));
	frame_close(&frame);
	EXPECT_TRUE(buffers_become(self->buffers));
}

/* Queue a frame while a callback of the exporter fails, the @nth that does; what that ends with. */
static int queue_failing(struct queue *q, struct frame *frame, enum dmabuf_test_op op, int nth)
{
	int dev = dev_open(), last = frame->plane[q->nr_planes - 1].fd, ret;

	ret = fail_next(dev, last, op, -ENOSPC);
	if (!ret)
		ret = frame_queue(q, 0, frame);
	if (!ret || !nothing_attached_but(last, nth) ||
	    (q->nr_planes > 1 && !nothing_attached(frame->plane[0].fd)))
		ret = -EILSEQ;
	close(dev);
	return ret;
}

/* Passes if the importer undoes what it did before a callback failed, and can do it again. */
TEST_F(camera, exporter_fails)
{
	struct queue *q = &self->q;
	struct frame frame;

	ASSERT_EQ(0, frame_make(&frame, q, TEST_DEVICE));
	ASSERT_EQ(0, queue_slots(q, DMABUF, 1));
	if (variant->contig) {
		EXPECT_EQ(-ENOSPC, queue_failing(q, &frame, DMABUF_TEST_OP_ATTACH, 1));
		EXPECT_EQ(-EINVAL, queue_failing(q, &frame, DMABUF_TEST_OP_MAP, 2));
	} else {
		EXPECT_EQ(-EFAULT, queue_failing(q, &frame, DMABUF_TEST_OP_VMAP, 1));
		ASSERT_EQ(0, frame_queue(q, 0, &frame));
		ASSERT_EQ(0, queue_on(q));
		EXPECT_EQ(0, slot_wait(q));
		EXPECT_TRUE(frame_is(&frame, q, self->want));
		EXPECT_EQ(0, queue_off(q));
	}
	EXPECT_EQ(0, queue_slots(q, DMABUF, 0));
	frame_close(&frame);
	if (variant->contig)
		not_counted(&self->buffers, 0);
	EXPECT_TRUE(buffers_become(self->buffers));
}

/* Passes if VIDIOC_EXPBUF gives what was asked for, and an errno where that does not exist. */
TEST_F(camera, export_flags)
{
	struct queue *q = &self->q;
	int fd, again;

	ASSERT_EQ(0, queue_slots(q, MMAP, 1));
	fd = slot_export(q, 0, 0, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(MAP_FAILED, map_shared(fd, q->size[0]));
	EXPECT_EQ(EACCES, errno);
	EXPECT_LE((off_t)q->size[0], lseek(fd, 0, SEEK_END));
	again = slot_export(q, 0, 0, O_RDWR);
	ASSERT_LE(0, again);
	EXPECT_EQ(0, fcntl(again, F_GETFD));
	EXPECT_EQ(-EINVAL, slot_export(q, 30, 0, O_RDWR));
	EXPECT_EQ(-EINVAL, slot_export(q, 0, q->nr_planes, O_RDWR));
	EXPECT_EQ(-EINVAL, slot_export(q, 0, 0, O_RDWR | O_NONBLOCK));
	close(fd);
	close(again);
	EXPECT_EQ(0, queue_slots(q, MMAP, 0));
	EXPECT_TRUE(buffers_become(self->buffers));
}

/* ---- from buffer to buffer --------------------------------------------- */

/* A device with two queues. */
struct converter {
	struct queue out, cap;
};

/* One frame through a converter, @used bytes of it; 0 or the first error. */
static int convert(struct converter *c, struct frame *from, struct frame *to, __u32 used)
{
	struct piece source = { .fd = from->plane[0].fd, .used = used };
	int ret = slot_queue(&c->out, 0, &source, -1);

	if (!ret)
		ret = frame_queue(&c->cap, 0, to);
	if (!ret)
		ret = slot_wait(&c->cap);
	if (!ret)
		ret = slot_wait(&c->out);
	return ret;
}

static int converter_on(struct converter *c, __u32 memory)
{
	int ret = queue_slots(&c->out, memory, 1);

	if (!ret)
		ret = queue_slots(&c->cap, memory, 1);
	if (!ret)
		ret = queue_on(&c->out);
	return ret ? ret : queue_on(&c->cap);
}

static void converter_off(struct converter *c)
{
	queue_off(&c->out);
	queue_off(&c->cap);
	queue_slots(&c->out, c->out.memory, 0);
	queue_slots(&c->cap, c->cap.memory, 0);
}

static int vim2m_open(struct converter *c)
{
	int dev = video_open("vim2m"), ret;

	if (dev < 0)
		return dev;
	ret = queue_set(&c->out, dev, OUTPUT, V4L2_PIX_FMT_RGB565, 320, 180);
	return ret ? ret : queue_set(&c->cap, dev, CAPTURE, V4L2_PIX_FMT_RGB565, 320, 180);
}

/* Passes if vim2m copies from the buffer of any exporter to that of any other. */
TEST(vim2m_between_all)
{
	int buffers = count_buffers(), ret;
	enum maker source, sink;
	struct frame from, to;
	struct converter c;
	char *want;

	ret = vim2m_open(&c);
	if (ret == -ENOENT)
		SKIP(return, "no vim2m");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, converter_on(&c, DMABUF));
	want = malloc(c.cap.size[0]);
	for (source = 0; source < NR_MAKERS; source++)
		for (sink = 0; sink < NR_MAKERS; sink++) {
			ASSERT_EQ(0, frame_make(&from, &c.out, source));
			ASSERT_EQ(0, frame_make(&to, &c.cap, sink));
			frame_spoil(&from, source * NR_MAKERS + sink);
			memcpy(want, from.plane[0].map, c.cap.size[0]);
			ret = convert(&c, &from, &to, c.out.size[0]);
			EXPECT_EQ(0, ret) {
				TH_LOG("from %s to %s", maker_name[source], maker_name[sink]);
			}
			EXPECT_TRUE(frame_is(&to, &c.cap, &want)) {
				TH_LOG("from %s to %s", maker_name[source], maker_name[sink]);
			}
			frame_close(&from);
			frame_close(&to);
		}
	converter_off(&c);
	EXPECT_TRUE(buffers_become(buffers));
	close(c.out.dev);
	free(want);
}

/* Passes if vim2m's own buffers, exported by each queue, can be the other's import. */
TEST(vim2m_its_own)
{
	struct converter c, other;
	struct frame from, to;
	char *want;
	int ret;

	ret = vim2m_open(&c);
	if (ret == -ENOENT)
		SKIP(return, "no vim2m");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, vim2m_open(&other));
	ASSERT_EQ(0, queue_slots(&other.out, MMAP, 1));
	ASSERT_EQ(0, queue_slots(&other.cap, MMAP, 1));
	ASSERT_EQ(0, frame_export(&from, &other.out, 0));
	ASSERT_EQ(0, frame_export(&to, &other.cap, 0));
	frame_spoil(&from, 3);
	want = malloc(c.cap.size[0]);
	memcpy(want, from.plane[0].map, c.cap.size[0]);
	ASSERT_EQ(0, converter_on(&c, DMABUF));
	EXPECT_EQ(0, convert(&c, &from, &to, c.out.size[0]));
	close(other.out.dev);
	EXPECT_TRUE(frame_is(&to, &c.cap, &want));
	frame_spoil(&to, 4);
	EXPECT_EQ(0, convert(&c, &from, &to, c.out.size[0]));
	EXPECT_TRUE(frame_is(&to, &c.cap, &want));
	close(c.out.dev);
	frame_close(&from);
	frame_close(&to);
	free(want);
}

/* ---- codec ------------------------------------------------------------- */

#define CODED_WIDTH	640
#define CODED_HEIGHT	360

/* A picture that can be packed: bands of colour that change slowly. */
static void draw(unsigned char *rgb)
{
	int x, y;

	for (y = 0; y < CODED_HEIGHT; y++)
		for (x = 0; x < CODED_WIDTH; x++, rgb += 3) {
			rgb[0] = x * 255 / CODED_WIDTH;
			rgb[1] = y * 255 / CODED_HEIGHT;
			rgb[2] = (x / 40 + y / 40) % 2 * 128;
		}
}

/* Mean difference of the bytes of two pictures. */
static unsigned int difference(const unsigned char *a, const unsigned char *b, size_t size)
{
	unsigned long sum = 0;
	size_t i;

	for (i = 0; i < size; i++)
		sum += abs(a[i] - b[i]);
	return sum / size;
}

static int encoder_open(struct converter *c)
{
	int dev = video_open("stateful-encoder"), ret;

	if (dev < 0)
		return dev;
	ret = queue_set(&c->out, dev, OUTPUT, V4L2_PIX_FMT_RGB24, CODED_WIDTH, CODED_HEIGHT);
	return ret ? ret : queue_init(&c->cap, dev, CAPTURE);
}

/* Pack a picture from one exporter's buffer into another's; the number of bytes. */
static int encode(const unsigned char *rgb, enum maker source, enum maker sink, char *packed)
{
	struct converter c;
	struct frame from = {}, to = {};
	int ret = encoder_open(&c);

	if (ret)
		return ret;
	ret = frame_make(&from, &c.out, source);
	if (!ret)
		ret = frame_make(&to, &c.cap, sink);
	if (!ret) {
		frame_spoil(&to, source);
		view_write(&from.plane[0], rgb, c.out.size[0]);
		ret = converter_on(&c, DMABUF);
	}
	if (!ret)
		ret = convert(&c, &from, &to, c.out.size[0]);
	if (!ret) {
		ret = c.cap.used[0];
		memcpy(packed, to.plane[0].map, c.cap.used[0]);
	}
	close(c.out.dev);
	frame_close(&from);
	frame_close(&to);
	return ret;
}

/* A decoder, with the format that the packed frame in its queue has. */
static int decoder_open(struct converter *c, struct frame *from, const char *packed, int size,
			enum maker source)
{
	struct v4l2_event_subscription wanted = { .type = V4L2_EVENT_SOURCE_CHANGE };
	struct piece piece = { .used = size };
	struct v4l2_event event;
	int dev = video_open("stateful-decoder"), ret;

	ret = xioctl(dev, VIDIOC_SUBSCRIBE_EVENT, &wanted);
	if (!ret)
		ret = queue_set(&c->out, dev, OUTPUT, V4L2_PIX_FMT_FWHT, CODED_WIDTH, CODED_HEIGHT);
	if (!ret)
		ret = frame_make(from, &c->out, source);
	if (ret)
		return ret;
	frame_spoil(from, 8);
	view_write(&from->plane[0], packed, size);
	piece.fd = from->plane[0].fd;
	ret = queue_slots(&c->out, DMABUF, 1);
	if (!ret)
		ret = slot_queue(&c->out, 0, &piece, -1);
	if (!ret)
		ret = queue_on(&c->out);
	if (!ret && !(poll_for(dev, POLLPRI, SOON_MS) & POLLPRI))
		ret = -ETIME;
	if (!ret)
		ret = xioctl(dev, VIDIOC_DQEVENT, &event);
	if (ret)
		return ret;
	return queue_set(&c->cap, dev, CAPTURE, V4L2_PIX_FMT_RGB24, CODED_WIDTH, CODED_HEIGHT);
}

/* Unpack; the number of bytes. */
static int decode(const char *packed, int size, enum maker source, enum maker sink, void *rgb)
{
	struct frame from = {}, to = {};
	struct converter c;
	int ret = decoder_open(&c, &from, packed, size, source);

	if (!ret)
		ret = frame_make(&to, &c.cap, sink);
	if (!ret) {
		frame_spoil(&to, source);
		ret = queue_slots(&c.cap, DMABUF, 1);
	}
	if (!ret)
		ret = frame_queue(&c.cap, 0, &to);
	if (!ret)
		ret = queue_on(&c.cap);
	if (!ret)
		ret = slot_wait(&c.cap);
	if (!ret) {
		ret = c.cap.used[0];
		memcpy(rgb, to.plane[0].map, c.cap.used[0]);
	}
	close(c.out.dev);
	frame_close(&from);
	frame_close(&to);
	return ret;
}

/*
 * Passes if vicodec packs and unpacks a picture, and whoever made the buffers, the
 * packed and the unpacked bytes are the same.
 */
TEST(vicodec_there_and_back)
{
	const int size = CODED_WIDTH * CODED_HEIGHT * 3;
	unsigned char *rgb = malloc(size), *back = malloc(size), *first = malloc(size);
	char *packed = malloc(4 * size), *again = malloc(4 * size);
	int buffers = count_buffers(), length = 0, ret;
	enum maker maker, next;

	draw(rgb);
	for (maker = 0; maker < NR_MAKERS; maker++) {
		/* A packed frame has no room in the buffers of video devices. */
		next = (maker + 3) % VIDEO;
		ret = encode(rgb, maker, next, maker ? again : packed);
		if (ret == -ENOENT)
			SKIP(return, "no vicodec");
		ASSERT_LT(0, ret) {
			TH_LOG("from %s to %s", maker_name[maker], maker_name[next]);
		}
		if (!maker)
			length = ret;
		EXPECT_EQ(length, ret);
		EXPECT_EQ(0, maker ? memcmp(packed, again, length) : 0);
		ASSERT_EQ(size, decode(packed, length, next, maker, maker ? back : first)) {
			TH_LOG("from %s to %s", maker_name[next], maker_name[maker]);
		}
		EXPECT_EQ(0, maker ? memcmp(first, back, size) : 0);
	}
	EXPECT_GT(size / 2, length);
	EXPECT_GT(8U, difference(rgb, first, size));
	EXPECT_TRUE(buffers_become(buffers));
	free(rgb);
	free(back);
	free(first);
	free(packed);
	free(again);
}

/* ---- requests ---------------------------------------------------------- */

/* The media device of a driver. */
static int media_open(const char *driver)
{
	struct media_device_info info;
	char path[32];
	int i, fd;

	for (i = 0; i < 16; i++) {
		snprintf(path, sizeof(path), "/dev/media%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (!xioctl(fd, MEDIA_IOC_DEVICE_INFO, &info) && !strcmp(info.driver, driver))
			return fd;
		close(fd);
	}
	return -ENOENT;
}

/* What a stateless decoder has to be told of each frame. */
static int set_header(int dev, int request)
{
	struct v4l2_ctrl_fwht_params params = {
		.version = V4L2_FWHT_VERSION,
		.width = CODED_WIDTH,
		.height = CODED_HEIGHT,
		.flags = V4L2_FWHT_FL_I_FRAME | 2 << 16,
		.colorspace = V4L2_COLORSPACE_SRGB,
	};
	struct v4l2_ext_control control = {
		.id = V4L2_CID_STATELESS_FWHT_PARAMS,
		.size = sizeof(params),
		.ptr = &params,
	};
	struct v4l2_ext_controls arg = {
		.which = V4L2_CTRL_WHICH_REQUEST_VAL,
		.count = 1,
		.request_fd = request,
		.controls = &control,
	};

	return xioctl(dev, VIDIOC_S_EXT_CTRLS, &arg);
}

static int visl_open(struct converter *c)
{
	int dev = video_open("visl"), ret;

	if (dev < 0)
		return dev;
	ret = queue_set(&c->out, dev, V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE,
			V4L2_PIX_FMT_FWHT_STATELESS, CODED_WIDTH, CODED_HEIGHT);
	return ret ? ret : queue_init(&c->cap, dev, V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE);
}

/* One frame by way of a request, which is closed as soon as it is queued. */
static int visl_run(struct converter *c, int media, const struct piece *from,
		    const struct piece *to)
{
	int request = -1, ret;

	ret = xioctl(media, MEDIA_IOC_REQUEST_ALLOC, &request);
	if (!ret)
		ret = set_header(c->out.dev, request);
	if (!ret)
		ret = slot_queue(&c->out, 0, from, request);
	if (!ret)
		ret = slot_queue(&c->cap, 0, to, -1);
	if (!ret)
		ret = queue_on(&c->out);
	if (!ret)
		ret = queue_on(&c->cap);
	if (!ret)
		ret = xioctl(request, MEDIA_REQUEST_IOC_QUEUE, NULL);
	close(request);
	return ret ? ret : slot_wait(&c->cap);
}

/* What visl draws into its own memory. */
static int visl_own(int media, char **want, size_t *size)
{
	struct piece used = { .used = 4096 };
	struct converter c;
	int ret = visl_open(&c);
	void *map;

	if (ret)
		return ret;
	ret = queue_slots(&c.out, MMAP, 1);
	if (!ret)
		ret = queue_slots(&c.cap, MMAP, 1);
	if (!ret)
		ret = visl_run(&c, media, &used, NULL);
	*size = c.cap.size[0];
	*want = malloc(*size);
	map = slot_map(&c.cap, 0, 0);
	if (!ret && map != MAP_FAILED)
		memcpy(*want, map, *size);
	if (map != MAP_FAILED)
		munmap(map, *size);
	close(c.out.dev);
	return ret;
}

/* Passes if a buffer that came with a request gets the frame, whoever made it. */
TEST(visl_requests)
{
	int media = media_open("visl"), buffers = count_buffers(), ret;
	enum maker maker;
	char *want;
	size_t size;

	if (media == -ENOENT)
		SKIP(return, "no visl");
	ASSERT_EQ(0, visl_own(media, &want, &size));
	for (maker = 0; maker < NR_MAKERS; maker++) {
		struct piece from = { .used = 4096 }, to = {};
		struct frame source, sink;
		struct converter c;

		ASSERT_EQ(0, visl_open(&c));
		ASSERT_EQ(1U, c.cap.nr_planes);
		ASSERT_EQ(0, frame_make(&source, &c.out, maker));
		ASSERT_EQ(0, frame_make(&sink, &c.cap, (maker + 2) % NR_MAKERS));
		frame_spoil(&sink, maker);
		from.fd = source.plane[0].fd;
		from.length = c.out.size[0];
		to.fd = sink.plane[0].fd;
		ASSERT_EQ(0, queue_slots(&c.out, DMABUF, 1));
		ASSERT_EQ(0, queue_slots(&c.cap, DMABUF, 1));
		ret = visl_run(&c, media, &from, &to);
		EXPECT_EQ(0, ret) {
			TH_LOG("from %s", maker_name[maker]);
		}
		EXPECT_TRUE(frame_is(&sink, &c.cap, &want)) {
			TH_LOG("from %s", maker_name[maker]);
		}
		close(c.out.dev);
		frame_close(&source);
		frame_close(&sink);
	}
	EXPECT_TRUE(buffers_become(buffers));
	free(want);
	close(media);
}

/* Passes if a request that is given up leaves nothing of its buffer behind. */
TEST(visl_request_given_up)
{
	int media = media_open("visl"), buffers = count_buffers(), request = -1;
	struct frame source;
	struct piece from;
	struct converter c;

	if (media == -ENOENT)
		SKIP(return, "no visl");
	ASSERT_EQ(0, visl_open(&c));
	ASSERT_EQ(0, frame_make(&source, &c.out, TEST_DEVICE));
	ASSERT_EQ(0, queue_slots(&c.out, DMABUF, 1));
	ASSERT_EQ(0, xioctl(media, MEDIA_IOC_REQUEST_ALLOC, &request));
	from = (struct piece){
		.fd = source.plane[0].fd,
		.length = c.out.size[0],
		.used = 4096,
	};
	EXPECT_EQ(0, slot_queue(&c.out, 0, &from, request));
	close(request);
	close(c.out.dev);
	EXPECT_TRUE(nothing_attached(source.plane[0].fd));
	frame_close(&source);
	EXPECT_TRUE(buffers_become(buffers));
	close(media);
}

TEST_HARNESS_MAIN
