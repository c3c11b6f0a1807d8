// SPDX-License-Identifier: GPL-2.0
/*
 * The graphics drivers that a virtual machine has a device for, or that need none:
 * what is drawn is what others see and the other way round, the same buffer is the
 * same object, nothing is left behind, and a screen changes when the fences say so.
 *
 * vkms is a screen that writes what it shows to a buffer: with it both ends of
 * the pixels' way are dma-bufs of any exporter.
 *
 * Needs /dev/dmabuf_test and root, and has the screens for itself.
 */
#include <drm/drm_fourcc.h>
#include <drm/drm_mode.h>
#include <drm/vgem_drm.h>
#include <sys/eventfd.h>

#include "media_test.h"

#define OBJECT_BYTES	(96 * 1024UL)

/* ---- objects ----------------------------------------------------------- */

static int handle_close(int card, __u32 handle)
{
	struct drm_gem_close arg = { .handle = handle };

	return xioctl(card, DRM_IOCTL_GEM_CLOSE, &arg);
}

static int prime_import(int card, int fd, __u32 *handle)
{
	struct drm_prime_handle arg = { .fd = fd };
	int ret = xioctl(card, DRM_IOCTL_PRIME_FD_TO_HANDLE, &arg);

	*handle = arg.handle;
	return ret;
}

/* The memory of an object as its driver maps it. */
static void *dumb_map(int card, __u32 handle, size_t size)
{
	struct drm_mode_map_dumb arg = { .handle = handle };
	int ret = xioctl(card, DRM_IOCTL_MODE_MAP_DUMB, &arg);

	if (ret) {
		errno = -ret;
		return MAP_FAILED;
	}
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, card, arg.offset);
}

/* ---- exporting and importing ------------------------------------------- */

FIXTURE(driver) {
	int card;
	int other;			/* the same card, opened by somebody else */
	__u32 handle;
	int buffers;
};

FIXTURE_VARIANT(driver) {
	const char *name;
	int import;			/* what an import of foreign memory ends with */
	int export;			/* what a mapping for another device ends with */
};

FIXTURE_VARIANT_ADD(driver, vgem) {
	.name = "vgem",
};

FIXTURE_VARIANT_ADD(driver, vkms) {
	.name = "vkms",
};

FIXTURE_VARIANT_ADD(driver, cirrus) {
	.name = "cirrus",
};

FIXTURE_VARIANT_ADD(driver, virtio) {
	.name = "virtio_gpu",
	.import = -ENODEV,
};

FIXTURE_VARIANT_ADD(driver, bochs) {
	.name = "bochs-drm",
	.import = -EINVAL,
	.export = -ENOSYS,
};

FIXTURE_VARIANT_ADD(driver, qxl) {
	.name = "qxl",
	.import = -ENOSYS,
	.export = -ENOSYS,
};

FIXTURE_SETUP(driver)
{
	self->card = card_open(variant->name);
	if (self->card == -ENOENT)
		SKIP(return, "no card of %s", variant->name);
	ASSERT_LE(0, self->card);
	self->other = card_open(variant->name);
	ASSERT_LE(0, self->other);
	self->buffers = count_buffers();
	ASSERT_LE(0, self->buffers);
	ASSERT_EQ(0, dumb_create(self->card, OBJECT_BYTES, &self->handle));
}

FIXTURE_TEARDOWN(driver)
{
	close(self->other);
	close(self->card);
}

/* Passes if what is drawn by the driver's mapping is in the buffer, and the other way round. */
TEST_F(driver, exported_pixels)
{
	unsigned char *own, *want = malloc(OBJECT_BYTES);
	struct view view;
	int ret;

	ASSERT_EQ(0, view_of(prime_export(self->card, self->handle, DRM_RDWR | DRM_CLOEXEC),
			     OBJECT_BYTES, &view));
	EXPECT_EQ((off_t)OBJECT_BYTES, lseek(view.fd, 0, SEEK_END));
	EXPECT_EQ(FD_CLOEXEC, fcntl(view.fd, F_GETFD));
	own = dumb_map(self->card, self->handle, OBJECT_BYTES);
	ASSERT_NE(MAP_FAILED, (void *)own);
	noise(want, OBJECT_BYTES, 1);
	memcpy(own, want, OBJECT_BYTES);
	EXPECT_TRUE(view_is(&view, want, OBJECT_BYTES));
	EXPECT_EQ(0, importer_sees(view.fd, DMABUF_TEST_BY_VMAP, want, OBJECT_BYTES));
	EXPECT_EQ(variant->export, importer_sees(view.fd, DMABUF_TEST_BY_DMA, want,
						 OBJECT_BYTES));

	view_noise(&view, 2);
	noise(want, OBJECT_BYTES, 2);
	EXPECT_EQ(0, memcmp(own, want, OBJECT_BYTES));
	noise(want, OBJECT_BYTES, 3);
	ret = dev_open();
	EXPECT_EQ(0, importer_copy(ret, view.fd, DMABUF_TEST_BY_VMAP, true, 0, want, OBJECT_BYTES));
	close(ret);
	EXPECT_EQ(0, memcmp(own, want, OBJECT_BYTES));
	munmap(own, OBJECT_BYTES);
	view_close(&view);
	EXPECT_EQ(0, handle_close(self->card, self->handle));
	EXPECT_TRUE(buffers_become(self->buffers));
	free(want);
}

/* Passes if an object has one buffer and a buffer one object, in each open file. */
TEST_F(driver, same_buffer_same_object)
{
	int fd = prime_export(self->card, self->handle, DRM_CLOEXEC), again;
	__u32 handle, there, twice;

	ASSERT_LE(0, fd);
	again = prime_export(self->card, self->handle, 0);
	ASSERT_LE(0, again);
	EXPECT_TRUE(same_buffer(fd, again));
	EXPECT_EQ(0, fcntl(again, F_GETFD));
	EXPECT_EQ(0, prime_import(self->card, fd, &handle));
	EXPECT_EQ(self->handle, handle);
	ASSERT_EQ(0, prime_import(self->other, fd, &there));
	EXPECT_EQ(0, prime_import(self->other, again, &twice));
	EXPECT_EQ(there, twice);
	close(again);
	again = prime_export(self->other, there, 0);
	EXPECT_TRUE(same_buffer(fd, again));
	close(again);
	close(fd);
	EXPECT_EQ(0, handle_close(self->other, there));
	EXPECT_EQ(-EINVAL, handle_close(self->other, there));
}

/* Passes if contents stay for whoever still has the buffer, whoever went first. */
TEST_F(driver, closed_in_either_order)
{
	int fd = prime_export(self->card, self->handle, DRM_RDWR);
	unsigned char *want = malloc(OBJECT_BYTES), *own;
	struct view view;
	__u32 handle;

	noise(want, OBJECT_BYTES, 5);
	ASSERT_EQ(0, view_of(fd, OBJECT_BYTES, &view));
	view_write(&view, want, OBJECT_BYTES);
	EXPECT_EQ(0, handle_close(self->card, self->handle));
	EXPECT_TRUE(view_is(&view, want, OBJECT_BYTES));
	ASSERT_EQ(0, prime_import(self->card, view.fd, &handle));
	view_close(&view);
	own = dumb_map(self->card, handle, OBJECT_BYTES);
	ASSERT_NE(MAP_FAILED, (void *)own);
	EXPECT_EQ(0, memcmp(own, want, OBJECT_BYTES));
	EXPECT_EQ(0, handle_close(self->card, handle));
	EXPECT_EQ(0, memcmp(own, want, OBJECT_BYTES));
	munmap(own, OBJECT_BYTES);
	EXPECT_TRUE(buffers_become(self->buffers));
	free(want);
}

/* Passes if closing the card is closing all its handles, of its own and of imported buffers. */
TEST_F(driver, card_closed)
{
	int fd = prime_export(self->card, self->handle, DRM_RDWR);
	int foreign = test_buffer(OBJECT_BYTES);
	struct view view;
	__u32 handle;

	ASSERT_EQ(0, view_of(fd, OBJECT_BYTES, &view));
	ASSERT_EQ(0, prime_import(self->other, fd, &handle));
	EXPECT_EQ(variant->import, prime_import(self->other, foreign, &handle));
	EXPECT_EQ(variant->import != 0, nothing_attached(foreign));
	close(self->card);
	close(self->other);
	self->card = -1;
	self->other = -1;
	EXPECT_TRUE(nothing_attached(foreign));
	view_noise(&view, 9);
	close(foreign);
	view_close(&view);
	EXPECT_TRUE(buffers_become(self->buffers));
}

/* One buffer of @maker goes through the card; 0, or what is wrong by its line. */
static int through_card(int card, enum maker maker, int want)
{
	__u32 handle, again;
	struct view view;
	int fd, ret = 0;

	if (view_make(maker, OBJECT_BYTES, &view))
		return __LINE__;
	view_noise(&view, 20 + maker);
	if (prime_import(card, view.fd, &handle) != want) {
		ret = __LINE__;
	} else if (!want) {
		fd = prime_export(card, handle, DRM_RDWR);
		if (!same_buffer(fd, view.fd))
			ret = __LINE__;
		else if (prime_import(card, fd, &again) || again != handle)
			ret = __LINE__;
		else if (dumb_map(card, handle, OBJECT_BYTES) != MAP_FAILED || errno != EINVAL)
			ret = __LINE__;
		close(fd);
		if (handle_close(card, handle))
			ret = __LINE__;
	}
	if (maker == TEST_DEVICE && !nothing_attached(view.fd))
		ret = __LINE__;
	view_close(&view);
	return ret;
}

/* Passes if foreign buffers are taken, each as one object, or refused without a trace. */
TEST_F(driver, imports)
{
	enum maker maker;

	for (maker = 0; maker < NR_MAKERS; maker++) {
		/* Its own is no foreign one. */
		if (maker == VGEM && !strcmp(variant->name, "vgem"))
			continue;
		EXPECT_EQ(0, through_card(self->card, maker, variant->import)) {
			TH_LOG("a buffer of %s", maker_name[maker]);
		}
		EXPECT_TRUE(buffers_become(self->buffers));
	}
}

/* Passes if an exporter's failure is the importer's, and leaves nothing attached. */
TEST_F(driver, exporter_fails)
{
	int dev = dev_open(), buffer = test_buffer(OBJECT_BYTES);
	bool tries = variant->import != -EINVAL;
	__u32 handle;

	ASSERT_EQ(0, fail_next(dev, buffer, DMABUF_TEST_OP_ATTACH, -ENOSPC));
	EXPECT_EQ(tries ? -ENOSPC : -EINVAL, prime_import(self->card, buffer, &handle));
	ASSERT_EQ(0, fail_next(dev, buffer, DMABUF_TEST_OP_MAP, -ENXIO));
	EXPECT_EQ(tries ? -ENXIO : -EINVAL, prime_import(self->card, buffer, &handle));
	EXPECT_TRUE(nothing_attached_but(buffer, tries ? 2 : 0));
	EXPECT_EQ(variant->import, prime_import(self->card, buffer, &handle));
	EXPECT_EQ(variant->import != 0, nothing_attached_but(buffer, tries ? 2 : 0));
	close(buffer);
	if (!variant->import)
		EXPECT_EQ(0, handle_close(self->card, handle));
	EXPECT_TRUE(buffers_become(self->buffers));
	close(dev);
}

/* Passes if what is no handle, no descriptor or no right gets its errno. */
TEST_F(driver, wrong_arguments)
{
	int fd = prime_export(self->card, self->handle, DRM_CLOEXEC);
	__u32 handle;

	ASSERT_LE(0, fd);
	EXPECT_EQ(MAP_FAILED, map_shared(fd, OBJECT_BYTES));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-EINVAL, prime_export(self->card, self->handle, O_NONBLOCK));
	EXPECT_EQ(-ENOENT, prime_export(self->other, self->handle + 100, 0));
	EXPECT_EQ(-EBADF, prime_import(self->card, -1, &handle));
	EXPECT_EQ(-EINVAL, prime_import(self->card, self->card, &handle));
	close(fd);
}

/* ---- fences of vgem ---------------------------------------------------- */

FIXTURE(vgem) {
	int card;
	int buffer;
	__u32 handle;
};

FIXTURE_SETUP(vgem)
{
	self->card = card_open("vgem");
	if (self->card == -ENOENT)
		SKIP(return, "no card of vgem");
	ASSERT_EQ(0, dumb_create(self->card, PAGE, &self->handle));
	self->buffer = prime_export(self->card, self->handle, DRM_RDWR);
	ASSERT_LE(0, self->buffer);
}

FIXTURE_TEARDOWN(vgem)
{
	close(self->buffer);
	close(self->card);
}

static int vgem_attach(int card, __u32 handle, __u32 flags, __u32 *fence)
{
	struct drm_vgem_fence_attach arg = { .handle = handle, .flags = flags };
	int ret = xioctl(card, DRM_IOCTL_VGEM_FENCE_ATTACH, &arg);

	*fence = arg.out_fence;
	return ret;
}

static int vgem_signal(int card, __u32 fence)
{
	struct drm_vgem_fence_signal arg = { .fence = fence };

	return xioctl(card, DRM_IOCTL_VGEM_FENCE_SIGNAL, &arg);
}

/* Passes if a writer's fence keeps everybody away until it is signaled. */
TEST_F(vgem, write_fence)
{
	__u32 fence, second;
	int sync_file;

	ASSERT_EQ(0, vgem_attach(self->card, self->handle, VGEM_FENCE_WRITE, &fence));
	EXPECT_EQ(0, poll_for(self->buffer, POLLIN, NEVER_MS));
	EXPECT_EQ(0, poll_now(self->buffer, POLLOUT));
	EXPECT_EQ(-EBUSY, vgem_attach(self->card, self->handle, 0, &second));
	EXPECT_EQ(-EBUSY, vgem_attach(self->card, self->handle, VGEM_FENCE_WRITE, &second));
	EXPECT_EQ(-EINTR, buffer_sync_or_eintr(self->buffer,
					       DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	sync_file = buffer_export(self->buffer, DMA_BUF_SYNC_READ);
	EXPECT_EQ(0, sync_status(sync_file));
	EXPECT_EQ(0, vgem_signal(self->card, fence));
	EXPECT_EQ(1, sync_status(sync_file));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(self->buffer, POLLIN | POLLOUT));
	EXPECT_EQ(0, buffer_sync(self->buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	EXPECT_EQ(-ENOENT, vgem_signal(self->card, fence));
	EXPECT_EQ(0, vgem_attach(self->card, self->handle, VGEM_FENCE_WRITE, &second));
	EXPECT_EQ(0, vgem_signal(self->card, second));
	close(sync_file);
}

/* Passes if readers keep only writers away, until the last of them is done. */
TEST_F(vgem, read_fences)
{
	__u32 first, second, writer;
	int sync_file;

	ASSERT_EQ(0, vgem_attach(self->card, self->handle, 0, &first));
	ASSERT_EQ(0, vgem_attach(self->card, self->handle, 0, &second));
	EXPECT_EQ(POLLIN, poll_now(self->buffer, POLLIN));
	EXPECT_EQ(0, poll_for(self->buffer, POLLOUT, NEVER_MS));
	EXPECT_EQ(-EBUSY, vgem_attach(self->card, self->handle, VGEM_FENCE_WRITE, &writer));
	sync_file = buffer_export(self->buffer, DMA_BUF_SYNC_WRITE);
	EXPECT_EQ(2, sync_nr_fences(sync_file));
	EXPECT_EQ(0, vgem_signal(self->card, second));
	EXPECT_EQ(0, poll_for(self->buffer, POLLOUT, NEVER_MS));
	EXPECT_EQ(0, sync_status(sync_file));
	EXPECT_EQ(0, vgem_signal(self->card, first));
	EXPECT_EQ(POLLOUT, poll_for(self->buffer, POLLOUT, SOON_MS));
	EXPECT_EQ(1, sync_status(sync_file));
	close(sync_file);
}

/* Passes if somebody else's fence, imported to the buffer, counts for vgem, too. */
TEST_F(vgem, imported_fence)
{
	int dev = dev_open();
	struct fence fence;
	__u32 own;

	ASSERT_EQ(0, fence_create(dev, 0, &fence));
	ASSERT_EQ(0, buffer_import(self->buffer, DMA_BUF_SYNC_WRITE, fence.fd));
	EXPECT_EQ(-EBUSY, vgem_attach(self->card, self->handle, 0, &own));
	EXPECT_EQ(0, fence_signal(dev, fence));
	EXPECT_EQ(0, vgem_attach(self->card, self->handle, 0, &own));
	EXPECT_EQ(0, vgem_signal(self->card, own));
	close(fence.fd);
	close(dev);
}

/* Passes if a waiter is let go when the card, and the fence with it, is closed. */
TEST_F(vgem, card_closed)
{
	__u32 fence;
	pid_t pid;

	ASSERT_EQ(0, vgem_attach(self->card, self->handle, VGEM_FENCE_WRITE, &fence));
	pid = fork();
	if (!pid) {
		close(self->card);
		_exit(buffer_sync(self->buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ) ? 1 : 0);
	}
	EXPECT_EQ(CHILD_HANGS, child_status(pid, NEVER_MS));
	close(self->card);
	self->card = -1;
	EXPECT_EQ(0, child_status(pid, SOON_MS / 2));
	EXPECT_EQ(POLLIN, poll_now(self->buffer, POLLIN));
}

/* Passes if a fence that nobody signals ends after the ten seconds that vgem gives it. */
TEST_F(vgem, forgotten_fence)
{
	long start = now_ms();
	__u32 fence;

	ASSERT_EQ(0, vgem_attach(self->card, self->handle, VGEM_FENCE_WRITE, &fence));
	EXPECT_EQ(POLLIN, poll_for(self->buffer, POLLIN, 2 * SOON_MS));
	EXPECT_LE(9000, now_ms() - start);
	EXPECT_EQ(-ETIMEDOUT, vgem_signal(self->card, fence));
}

/* ---- syncobjs ---------------------------------------------------------- */

FIXTURE(syncobj) {
	int card;
	int dev;
	__u32 handle;
	struct fence fence;
};

static int syncobj_create(int card, __u32 *handle)
{
	struct drm_syncobj_create arg = {};
	int ret = xioctl(card, DRM_IOCTL_SYNCOBJ_CREATE, &arg);

	*handle = arg.handle;
	return ret;
}

FIXTURE_SETUP(syncobj)
{
	self->card = card_open("virtio_gpu");
	if (self->card == -ENOENT)
		SKIP(return, "no card of virtio_gpu");
	ASSERT_EQ(0, syncobj_create(self->card, &self->handle));
	self->dev = dev_open();
	ASSERT_EQ(0, fence_create(self->dev, 0, &self->fence));
}

FIXTURE_TEARDOWN(syncobj)
{
	close(self->fence.fd);
	close(self->dev);
	close(self->card);
}

static int syncobj_import(int card, __u32 handle, int sync_file)
{
	struct drm_syncobj_handle arg = {
		.handle = handle,
		.flags = DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE,
		.fd = sync_file,
	};

	return xioctl(card, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &arg);
}

static int syncobj_export(int card, __u32 handle)
{
	struct drm_syncobj_handle arg = {
		.handle = handle,
		.flags = DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE,
		.fd = -1,
	};
	int ret = xioctl(card, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &arg);

	return ret ? ret : arg.fd;
}

/* Wait @ms for a point of a syncobj, which has no points if that is 0. */
static int syncobj_wait(int card, __u32 handle, __u64 point, __u32 flags, long ms)
{
	struct drm_syncobj_timeline_wait timeline = {
		.handles = (uintptr_t)&handle,
		.points = (uintptr_t)&point,
		.timeout_nsec = (now_ms() + ms) * 1000000L,
		.count_handles = 1,
		.flags = flags,
	};
	struct drm_syncobj_wait binary = {
		.handles = timeline.handles,
		.timeout_nsec = timeline.timeout_nsec,
		.count_handles = 1,
		.flags = flags,
	};

	return point ? xioctl(card, DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &timeline) :
		       xioctl(card, DRM_IOCTL_SYNCOBJ_WAIT, &binary);
}

/* From a point of one syncobj to that of another; 0 is a syncobj without points. */
static int syncobj_transfer(int card, __u32 to, __u64 to_point, __u32 from, __u64 from_point)
{
	struct drm_syncobj_transfer arg = {
		.src_handle = from,
		.dst_handle = to,
		.src_point = from_point,
		.dst_point = to_point,
	};

	return xioctl(card, DRM_IOCTL_SYNCOBJ_TRANSFER, &arg);
}

/* The highest point that is reached, or submitted if @flags say so. */
static __u64 syncobj_query(int card, __u32 handle, __u32 flags)
{
	__u64 point = ~0ULL;
	struct drm_syncobj_timeline_array arg = {
		.handles = (uintptr_t)&handle,
		.points = (uintptr_t)&point,
		.count_handles = 1,
		.flags = flags,
	};

	return xioctl(card, DRM_IOCTL_SYNCOBJ_QUERY, &arg) ? ~0ULL : point;
}

/* Passes if a buffer's fence goes through sync_file and syncobj, and back to another buffer. */
TEST_F(syncobj, from_buffer_to_buffer)
{
	int from = test_buffer(PAGE), to = heap_buffer(SYSTEM_HEAP, PAGE), sync_file;

	EXPECT_EQ(-EINVAL, syncobj_export(self->card, self->handle));
	ASSERT_EQ(0, fence_add(self->dev, from, self->fence, WRITE));
	sync_file = buffer_export(from, DMA_BUF_SYNC_READ);
	ASSERT_LE(0, sync_file);
	ASSERT_EQ(0, syncobj_import(self->card, self->handle, sync_file));
	close(sync_file);
	EXPECT_EQ(-ETIME, syncobj_wait(self->card, self->handle, 0, 0, NEVER_MS));
	sync_file = syncobj_export(self->card, self->handle);
	ASSERT_LE(0, sync_file);
	EXPECT_EQ(0, sync_status(sync_file));
	ASSERT_EQ(0, buffer_import(to, DMA_BUF_SYNC_WRITE, sync_file));
	EXPECT_EQ(0, poll_for(to, POLLIN, NEVER_MS));
	EXPECT_EQ(0, fence_signal(self->dev, self->fence));
	EXPECT_EQ(POLLIN, poll_for(to, POLLIN, SOON_MS));
	EXPECT_EQ(0, syncobj_wait(self->card, self->handle, 0, 0, SOON_MS));
	EXPECT_EQ(1, sync_status(sync_file));
	close(sync_file);
	close(from);
	close(to);
}

/* Passes if the error of a fence arrives at the other end. */
TEST_F(syncobj, error)
{
	int sync_file;

	ASSERT_EQ(0, syncobj_import(self->card, self->handle, self->fence.fd));
	sync_file = syncobj_export(self->card, self->handle);
	ASSERT_EQ(0, fence_fail(self->dev, self->fence, -ENXIO));
	EXPECT_EQ(-ENXIO, sync_status(sync_file));
	EXPECT_EQ(0, syncobj_wait(self->card, self->handle, 0, 0, SOON_MS));
	close(sync_file);
}

/* Passes if the points of a timeline are reached in turn, whichever fence is signaled first. */
TEST_F(syncobj, timeline)
{
	struct fence later;
	__u32 timeline;
	int sync_file;

	ASSERT_EQ(0, syncobj_create(self->card, &timeline));
	ASSERT_EQ(0, fence_create(self->dev, 0, &later));
	EXPECT_EQ(-EINVAL, syncobj_wait(self->card, timeline, 5, 0, NEVER_MS));
	ASSERT_EQ(0, syncobj_import(self->card, self->handle, self->fence.fd));
	ASSERT_EQ(0, syncobj_transfer(self->card, timeline, 5, self->handle, 0));
	ASSERT_EQ(0, syncobj_import(self->card, self->handle, later.fd));
	ASSERT_EQ(0, syncobj_transfer(self->card, timeline, 9, self->handle, 0));
	EXPECT_EQ(0ULL, syncobj_query(self->card, timeline, 0));
	EXPECT_EQ(9ULL, syncobj_query(self->card, timeline,
				      DRM_SYNCOBJ_QUERY_FLAGS_LAST_SUBMITTED));

	/* Point 7 is reached when 9 is. */
	ASSERT_EQ(0, syncobj_transfer(self->card, self->handle, 0, timeline, 7));
	sync_file = syncobj_export(self->card, self->handle);
	ASSERT_LE(0, sync_file);
	EXPECT_EQ(0, fence_signal(self->dev, later));
	EXPECT_EQ(-ETIME, syncobj_wait(self->card, timeline, 9, 0, NEVER_MS));
	EXPECT_EQ(0, sync_status(sync_file));
	EXPECT_EQ(0ULL, syncobj_query(self->card, timeline, 0));
	EXPECT_EQ(0, fence_signal(self->dev, self->fence));
	EXPECT_EQ(0, syncobj_wait(self->card, timeline, 9, 0, SOON_MS));
	EXPECT_EQ(POLLIN, poll_for(sync_file, POLLIN, SOON_MS));
	EXPECT_EQ(1, sync_status(sync_file));
	EXPECT_EQ(9ULL, syncobj_query(self->card, timeline, 0));
	close(sync_file);
	close(later.fd);
}

/* Passes if an eventfd is told of a point that did not exist when it was asked for. */
TEST_F(syncobj, eventfd)
{
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct drm_syncobj_eventfd arg = { .point = 3, .fd = event };
	__u32 timeline;

	ASSERT_EQ(0, syncobj_create(self->card, &timeline));
	arg.handle = timeline;
	ASSERT_EQ(0, xioctl(self->card, DRM_IOCTL_SYNCOBJ_EVENTFD, &arg));
	ASSERT_EQ(0, syncobj_import(self->card, self->handle, self->fence.fd));
	ASSERT_EQ(0, syncobj_transfer(self->card, timeline, 4, self->handle, 0));
	EXPECT_EQ(0, poll_for(event, POLLIN, NEVER_MS));
	EXPECT_EQ(0, fence_signal(self->dev, self->fence));
	EXPECT_EQ(POLLIN, poll_for(event, POLLIN, SOON_MS));
	close(event);
}

/* Passes if a fence that a syncobj alone still has is freed with it. */
TEST_F(syncobj, last_reference)
{
	struct dmabuf_test_live before = live(self->dev);
	struct fence fence;

	ASSERT_EQ(0, fence_create(self->dev, 0, &fence));
	ASSERT_EQ(0, syncobj_import(self->card, self->handle, fence.fd));
	ASSERT_EQ(0, syncobj_transfer(self->card, self->handle, 2, self->handle, 0));
	close(fence.fd);
	EXPECT_EQ(0, fence_signal(self->dev, fence));
	close(self->card);
	self->card = -1;
	close(self->fence.fd);
	self->fence.fd = -1;
	close(self->dev);
	self->dev = dev_open();
	before.fences--;
	EXPECT_TRUE(live_becomes(self->dev, before));
}

/* Passes if drivers that have none say so. */
TEST(syncobj_not_there)
{
	int card = card_open("vgem");
	__u32 handle;

	if (card == -ENOENT)
		SKIP(return, "no card of vgem");
	EXPECT_EQ(-EOPNOTSUPP, syncobj_create(card, &handle));
	close(card);
}

/* ---- screens ----------------------------------------------------------- */

#define MAX_PROPS	32

/* What an atomic commit changes, a property at a time. */
struct change {
	int card;
	int error;
	unsigned int nr;
	__u32 object[MAX_PROPS];
	__u32 one[MAX_PROPS];
	__u32 prop[MAX_PROPS];
	__u64 value[MAX_PROPS];
};

/* A card with what is needed to show a picture. */
struct screen {
	int card;
	__u32 crtc;
	__u32 connector;
	__u32 writeback;	/* a connector, or 0 */
	__u32 plane;
	__u32 mode;		/* blob */
	__u32 width, height;
};

/* Id of a property of an object, and what it is set to; 0 if it has none of that name. */
static __u32 property(int card, __u32 object, const char *name, __u64 *value)
{
	__u32 props[64];
	__u64 values[64];
	struct drm_mode_obj_get_properties arg = {
		.props_ptr = (uintptr_t)props,
		.prop_values_ptr = (uintptr_t)values,
		.count_props = 64,
		.obj_id = object,
	};
	__u32 i;

	if (xioctl(card, DRM_IOCTL_MODE_OBJ_GETPROPERTIES, &arg))
		return 0;
	for (i = 0; i < arg.count_props && i < 64; i++) {
		struct drm_mode_get_property prop = { .prop_id = props[i] };

		if (xioctl(card, DRM_IOCTL_MODE_GETPROPERTY, &prop) || strcmp(prop.name, name))
			continue;
		if (value)
			*value = values[i];
		return props[i];
	}
	return 0;
}

static void change(struct change *c, __u32 object, const char *name, __u64 value)
{
	__u32 prop = property(c->card, object, name, NULL);

	if (!prop || c->nr == MAX_PROPS) {
		c->error = -ENOENT;
		return;
	}
	c->object[c->nr] = object;
	c->one[c->nr] = 1;
	c->prop[c->nr] = prop;
	c->value[c->nr] = value;
	c->nr++;
}

static int change_commit(struct change *c, __u32 flags)
{
	struct drm_mode_atomic arg = {
		.flags = flags,
		.count_objs = c->nr,
		.objs_ptr = (uintptr_t)c->object,
		.count_props_ptr = (uintptr_t)c->one,
		.props_ptr = (uintptr_t)c->prop,
		.prop_values_ptr = (uintptr_t)c->value,
	};

	return c->error ? c->error : xioctl(c->card, DRM_IOCTL_MODE_ATOMIC, &arg);
}

static int client_cap(int card, __u64 cap, __u64 value)
{
	struct drm_set_client_cap arg = { .capability = cap, .value = value };

	return xioctl(card, DRM_IOCTL_SET_CLIENT_CAP, &arg);
}

/* Take the connector into the screen: as its output with the smallest mode, or for writeback. */
static void use_connector(struct screen *s, __u32 id)
{
	struct drm_mode_modeinfo modes[64] = {};
	struct drm_mode_get_connector arg = { .connector_id = id };
	struct drm_mode_create_blob blob = { .length = sizeof(modes[0]) };
	__u32 i, best = 0;

	if (xioctl(s->card, DRM_IOCTL_MODE_GETCONNECTOR, &arg))
		return;
	if (arg.connector_type == DRM_MODE_CONNECTOR_WRITEBACK) {
		s->writeback = id;
		return;
	}
	if (s->connector || arg.connection != 1 || !arg.count_modes)
		return;
	arg = (struct drm_mode_get_connector){
		.connector_id = id,
		.count_modes = arg.count_modes < 64 ? arg.count_modes : 64,
		.modes_ptr = (uintptr_t)modes,
	};
	if (xioctl(s->card, DRM_IOCTL_MODE_GETCONNECTOR, &arg))
		return;
	for (i = 1; i < arg.count_modes && i < 64; i++)
		if (modes[i].hdisplay < modes[best].hdisplay ||
		    (modes[i].hdisplay == modes[best].hdisplay &&
		     modes[i].vdisplay < modes[best].vdisplay))
			best = i;
	blob.data = (uintptr_t)&modes[best];
	if (xioctl(s->card, DRM_IOCTL_MODE_CREATEPROPBLOB, &blob))
		return;
	s->connector = id;
	s->mode = blob.blob_id;
	s->width = modes[best].hdisplay;
	s->height = modes[best].vdisplay;
}

/* The primary plane of the first CRTC. */
static __u32 primary_plane(int card)
{
	__u32 planes[64];
	struct drm_mode_get_plane_res arg = {
		.plane_id_ptr = (uintptr_t)planes,
		.count_planes = 64,
	};
	__u32 i;

	if (xioctl(card, DRM_IOCTL_MODE_GETPLANERESOURCES, &arg))
		return 0;
	for (i = 0; i < arg.count_planes && i < 64; i++) {
		struct drm_mode_get_plane plane = { .plane_id = planes[i] };
		__u64 type;

		if (!xioctl(card, DRM_IOCTL_MODE_GETPLANE, &plane) && plane.possible_crtcs & 1 &&
		    property(card, planes[i], "type", &type) && type == 1)
			return planes[i];
	}
	return 0;
}

static int screen_open(const char *driver, struct screen *s)
{
	__u32 crtcs[16], connectors[32];
	struct drm_mode_card_res arg = {
		.crtc_id_ptr = (uintptr_t)crtcs,
		.connector_id_ptr = (uintptr_t)connectors,
		.count_crtcs = 16,
		.count_connectors = 32,
	};
	int ret;
	__u32 i;

	memset(s, 0, sizeof(*s));
	s->card = card_open(driver);
	if (s->card < 0)
		return s->card;
	ret = client_cap(s->card, DRM_CLIENT_CAP_UNIVERSAL_PLANES, 1);
	if (!ret)
		ret = client_cap(s->card, DRM_CLIENT_CAP_ATOMIC, 1);
	if (!ret)
		ret = client_cap(s->card, DRM_CLIENT_CAP_WRITEBACK_CONNECTORS, 1);
	if (!ret)
		ret = xioctl(s->card, DRM_IOCTL_MODE_GETRESOURCES, &arg);
	if (ret)
		return ret;
	s->crtc = crtcs[0];
	for (i = 0; i < arg.count_connectors && i < 32; i++)
		use_connector(s, connectors[i]);
	s->plane = primary_plane(s->card);
	return s->connector && s->plane ? 0 : -ENXIO;
}

static size_t screen_bytes(const struct screen *s)
{
	return 4UL * s->width * s->height;
}

/* A framebuffer of an object. */
static int framebuffer(const struct screen *s, __u32 handle, __u32 *id)
{
	struct drm_mode_fb_cmd2 arg = {
		.width = s->width,
		.height = s->height,
		.pixel_format = DRM_FORMAT_XRGB8888,
		.handles = { handle },
		.pitches = { 4 * s->width },
	};
	int ret = xioctl(s->card, DRM_IOCTL_MODE_ADDFB2, &arg);

	*id = arg.fb_id;
	return ret;
}

/* The same of an imported buffer; only the framebuffer keeps it. */
static int framebuffer_of(const struct screen *s, int fd, __u32 *id)
{
	__u32 handle;
	int ret = prime_import(s->card, fd, &handle);

	if (ret)
		return ret;
	ret = framebuffer(s, handle, id);
	handle_close(s->card, handle);
	return ret;
}

/* A framebuffer of the card's own memory; the descriptor of its buffer. */
static int own_framebuffer(const struct screen *s, __u32 *id)
{
	struct drm_mode_create_dumb arg = { .width = s->width, .height = s->height, .bpp = 32 };
	int ret = xioctl(s->card, DRM_IOCTL_MODE_CREATE_DUMB, &arg);

	if (!ret && arg.pitch != 4 * s->width)
		ret = -EDOM;
	if (!ret)
		ret = framebuffer(s, arg.handle, id);
	return ret ? ret : prime_export(s->card, arg.handle, DRM_RDWR);
}

/* Show a framebuffer from corner to corner. */
static void change_picture(struct change *c, const struct screen *s, __u32 fb)
{
	change(c, s->plane, "FB_ID", fb);
	change(c, s->plane, "CRTC_ID", s->crtc);
	change(c, s->plane, "CRTC_X", 0);
	change(c, s->plane, "CRTC_Y", 0);
	change(c, s->plane, "CRTC_W", s->width);
	change(c, s->plane, "CRTC_H", s->height);
	change(c, s->plane, "SRC_X", 0);
	change(c, s->plane, "SRC_Y", 0);
	change(c, s->plane, "SRC_W", (__u64)s->width << 16);
	change(c, s->plane, "SRC_H", (__u64)s->height << 16);
}

static int screen_on(const struct screen *s, __u32 fb)
{
	struct change c = { .card = s->card };

	change(&c, s->crtc, "MODE_ID", s->mode);
	change(&c, s->crtc, "ACTIVE", 1);
	change(&c, s->connector, "CRTC_ID", s->crtc);
	if (s->writeback)
		change(&c, s->writeback, "CRTC_ID", 0);
	change_picture(&c, s, fb);
	return change_commit(&c, DRM_MODE_ATOMIC_ALLOW_MODESET);
}

/*
 * Wait a few frames before framebuffers go. What shows a picture looks at its state once
 * more after the fence of it has been signaled, in DRM of 6.12, and whoever takes the
 * framebuffer away in between frees that state.
 */
static void let_screen_settle(void)
{
	sleep_ms(100);
}

FIXTURE(screen) {
	struct screen s;
	int dev;
	int buffers;
	struct fence fence;
	__u32 fb[2];
	int buffer[2];
};

FIXTURE_VARIANT(screen) {
	const char *name;
};

FIXTURE_VARIANT_ADD(screen, vkms) {
	.name = "vkms",
};

FIXTURE_VARIANT_ADD(screen, cirrus) {
	.name = "cirrus",
};

FIXTURE_VARIANT_ADD(screen, bochs) {
	.name = "bochs-drm",
};

FIXTURE_VARIANT_ADD(screen, virtio) {
	.name = "virtio_gpu",
};

FIXTURE_VARIANT_ADD(screen, qxl) {
	.name = "qxl",
};

FIXTURE_SETUP(screen)
{
	int ret = screen_open(variant->name, &self->s), i;

	if (ret == -ENOENT)
		SKIP(return, "no card of %s", variant->name);
	ASSERT_EQ(0, ret);
	self->dev = dev_open();
	self->buffers = count_buffers();
	for (i = 0; i < 2; i++) {
		self->buffer[i] = own_framebuffer(&self->s, &self->fb[i]);
		ASSERT_LE(0, self->buffer[i]);
	}
	ASSERT_EQ(0, fence_create(self->dev, 0, &self->fence));
	/* Both have been on the screen, so that the memory of neither has to be moved there. */
	ASSERT_EQ(0, screen_on(&self->s, self->fb[1]));
	ASSERT_EQ(0, screen_on(&self->s, self->fb[0]));
}

FIXTURE_TEARDOWN(screen)
{
	int i;

	let_screen_settle();
	for (i = 0; i < 2; i++)
		close(self->buffer[i]);
	close(self->fence.fd);
	close(self->dev);
	close(self->s.card);
	EXPECT_TRUE(buffers_become(self->buffers));
}

/* Show another framebuffer, when @in is signaled if that is not negative. */
static int flip(struct screen *s, __u32 fb, int in, int *out)
{
	struct change c = { .card = s->card };

	*out = -1;
	change_picture(&c, s, fb);
	change(&c, s->crtc, "OUT_FENCE_PTR", (uintptr_t)out);
	if (in >= 0)
		change(&c, s->plane, "IN_FENCE_FD", in);
	return change_commit(&c, DRM_MODE_ATOMIC_NONBLOCK);
}

/* Passes if the picture changes when the fence is signaled that came with it, and not before. */
TEST_F(screen, in_fence_and_out_fence)
{
	int out;

	ASSERT_EQ(0, flip(&self->s, self->fb[1], self->fence.fd, &out));
	EXPECT_EQ(0, poll_for(out, POLLIN, NEVER_MS));
	EXPECT_EQ(0, sync_status(out));
	EXPECT_EQ(0, fence_signal(self->dev, self->fence));
	EXPECT_EQ(POLLIN, poll_for(out, POLLIN, SOON_MS));
	EXPECT_EQ(1, sync_status(out));
	close(out);
}

/* Passes if it changes when the one that draws to the buffer is done. */
TEST_F(screen, fence_of_the_buffer)
{
	int out;

	ASSERT_EQ(0, buffer_import(self->buffer[1], DMA_BUF_SYNC_WRITE, self->fence.fd));
	ASSERT_EQ(0, flip(&self->s, self->fb[1], -1, &out));
	EXPECT_EQ(0, poll_for(out, POLLIN, NEVER_MS));
	EXPECT_EQ(0, fence_signal(self->dev, self->fence));
	EXPECT_EQ(POLLIN, poll_for(out, POLLIN, SOON_MS));
	close(out);
}

/* Passes if what is no fence is refused, and one that has failed does not hold up the screen. */
TEST_F(screen, wrong_fences)
{
	int out;

	EXPECT_EQ(-EINVAL, flip(&self->s, self->fb[1], self->buffer[0], &out));
	EXPECT_EQ(-1, out);
	EXPECT_EQ(0, fence_fail(self->dev, self->fence, -EIO));
	ASSERT_EQ(0, flip(&self->s, self->fb[1], self->fence.fd, &out));
	EXPECT_EQ(POLLIN, poll_for(out, POLLIN, SOON_MS));
	close(out);
}

/* ---- what vkms shows --------------------------------------------------- */

FIXTURE(writeback) {
	struct screen s;
	int buffers;
	__u32 first;
};

FIXTURE_SETUP(writeback)
{
	int ret = screen_open("vkms", &self->s);

	if (ret == -ENOENT)
		SKIP(return, "no card of vkms");
	ASSERT_EQ(0, ret);
	ASSERT_NE(0U, self->s.writeback);
	ret = own_framebuffer(&self->s, &self->first);
	ASSERT_LE(0, ret);
	close(ret);
	ASSERT_EQ(0, screen_on(&self->s, self->first));
	self->buffers = count_buffers();
}

FIXTURE_TEARDOWN(writeback)
{
	let_screen_settle();
	close(self->s.card);
}

/* Write what the screen would show to another framebuffer; *@done is a fence for that. */
static int show_and_write(struct screen *s, __u32 from, __u32 to, int in, int *done)
{
	struct change c = { .card = s->card };

	*done = -1;
	change_picture(&c, s, from);
	if (in >= 0)
		change(&c, s->plane, "IN_FENCE_FD", in);
	change(&c, s->connector, "CRTC_ID", 0);
	change(&c, s->writeback, "CRTC_ID", s->crtc);
	change(&c, s->writeback, "WRITEBACK_FB_ID", to);
	change(&c, s->writeback, "WRITEBACK_OUT_FENCE_PTR", (uintptr_t)done);
	return change_commit(&c, DRM_MODE_ATOMIC_ALLOW_MODESET | DRM_MODE_ATOMIC_NONBLOCK);
}

/* Number of the first pixel in @seen that has not the colour that it has in @want, -1 if none. */
static long wrong_pixel(struct view *seen, const __u32 *want, const struct screen *s)
{
	long pixels = s->width * s->height, i;
	const __u32 *pixel = (void *)seen->map;

	buffer_sync(seen->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	for (i = 0; i < pixels; i++)
		if ((pixel[i] ^ want[i]) & 0xffffff)
			break;
	buffer_sync(seen->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	return i < pixels ? i : -1;
}

/* Two buffers, a framebuffer of each, and a picture. */
struct pair {
	struct view from, to;
	__u32 from_fb, to_fb;
	void *want;
};

static int pair_make(struct pair *pair, struct screen *s, enum maker source, enum maker sink)
{
	size_t size = screen_bytes(s);
	int ret = view_make(source, size, &pair->from);

	if (!ret)
		ret = view_make(sink, size, &pair->to);
	if (!ret)
		ret = framebuffer_of(s, pair->from.fd, &pair->from_fb);
	if (!ret)
		ret = framebuffer_of(s, pair->to.fd, &pair->to_fb);
	view_noise(&pair->to, 1);
	pair->want = malloc(size);
	noise(pair->want, size, 100 + source);
	return ret;
}

static void pair_close(struct pair *pair, struct screen *s)
{
	let_screen_settle();
	xioctl(s->card, DRM_IOCTL_MODE_RMFB, &pair->from_fb);
	xioctl(s->card, DRM_IOCTL_MODE_RMFB, &pair->to_fb);
	view_close(&pair->from);
	view_close(&pair->to);
	free(pair->want);
}

/* Passes if each pixel of one exporter's buffer arrives in that of another by way of the screen. */
TEST_F(writeback, from_buffer_to_buffer)
{
	enum maker maker;
	struct pair pair;
	int done;

	for (maker = 0; maker < NR_MAKERS; maker++) {
		/* vivid's buffers are too small. */
		enum maker sink = (maker + 1) % VIDEO_CONTIG;

		if (maker == VIDEO_CONTIG || maker == VIDEO)
			continue;
		if (sink == VIDEO)
			sink = SYSTEM;
		ASSERT_EQ(0, pair_make(&pair, &self->s, maker, sink)) {
			TH_LOG("from %s", maker_name[maker]);
		}
		view_write(&pair.from, pair.want, pair.from.size);
		ASSERT_EQ(0, show_and_write(&self->s, pair.from_fb, pair.to_fb, -1, &done));
		EXPECT_EQ(POLLIN, poll_for(done, POLLIN, SOON_MS));
		EXPECT_EQ(1, sync_status(done));
		EXPECT_EQ(-1, wrong_pixel(&pair.to, pair.want, &self->s)) {
			TH_LOG("from %s to %s", maker_name[maker], maker_name[sink]);
		}
		close(done);
		ASSERT_EQ(0, screen_on(&self->s, self->first));
		pair_close(&pair, &self->s);
		EXPECT_TRUE(buffers_become(self->buffers));
	}
}

/* The picture is drawn after the commit and before the fence is signaled, and must be shown. */
static void draw_late(struct __test_metadata *_metadata, struct screen *s, bool explicit)
{
	int dev = dev_open(), done;
	struct fence fence;
	struct pair pair;

	ASSERT_EQ(0, pair_make(&pair, s, REVERSED, SYSTEM));
	ASSERT_EQ(0, fence_create(dev, 0, &fence));
	if (!explicit)
		ASSERT_EQ(0, buffer_import(pair.from.fd, DMA_BUF_SYNC_WRITE, fence.fd));
	ASSERT_EQ(0, show_and_write(s, pair.from_fb, pair.to_fb, explicit ? fence.fd : -1, &done));
	EXPECT_EQ(0, poll_for(done, POLLIN, NEVER_MS));
	memcpy(pair.from.map, pair.want, pair.from.size);
	EXPECT_EQ(0, fence_signal(dev, fence));
	EXPECT_EQ(POLLIN, poll_for(done, POLLIN, SOON_MS));
	EXPECT_EQ(-1, wrong_pixel(&pair.to, pair.want, s));
	close(done);
	close(fence.fd);
	close(dev);
	pair_close(&pair, s);
}

/* Passes if the screen shows what was drawn before the fence that came with the commit. */
TEST_F(writeback, drawn_before_the_in_fence)
{
	draw_late(_metadata, &self->s, true);
}

/* Passes if it shows what was drawn before the fence in the buffer. */
TEST_F(writeback, drawn_before_the_fence_of_the_buffer)
{
	draw_late(_metadata, &self->s, false);
}

/* Passes if a buffer stays on the screen, and whole, without handle, descriptor and mapping. */
TEST_F(writeback, only_the_screen_has_it)
{
	struct pair pair;
	int done;

	ASSERT_EQ(0, pair_make(&pair, &self->s, TEST_DEVICE, CONTIGUOUS));
	view_write(&pair.from, pair.want, pair.from.size);
	view_close(&pair.from);
	ASSERT_EQ(0, show_and_write(&self->s, pair.from_fb, pair.to_fb, -1, &done));
	EXPECT_EQ(POLLIN, poll_for(done, POLLIN, SOON_MS));
	EXPECT_EQ(-1, wrong_pixel(&pair.to, pair.want, &self->s));
	close(done);
	EXPECT_TRUE(buffers_become(self->buffers + 2));
	pair_close(&pair, &self->s);
	EXPECT_TRUE(buffers_become(self->buffers));
}

/* Passes if a buffer that is smaller than its picture makes no framebuffer. */
TEST_F(writeback, too_small)
{
	int buffer = make_buffer(TEST_DEVICE, screen_bytes(&self->s) - 4 * PAGE);
	__u32 fb;

	EXPECT_EQ(-EINVAL, framebuffer_of(&self->s, buffer, &fb));
	EXPECT_TRUE(nothing_attached(buffer));
	close(buffer);
	EXPECT_TRUE(buffers_become(self->buffers));
}

TEST_HARNESS_MAIN
