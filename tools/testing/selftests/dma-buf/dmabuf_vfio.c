// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers of a mediated device: mbochs of samples/vfio-mdev is a display whose
 * picture VFIO hands out as a dma-buf. Its pages have to be those that the
 * device's memory region shows, for as long as somebody holds the buffer.
 *
 * What this program leaves out, because the driver does not bear it:
 *   - asking twice for one plane: both descriptors would share one reference
 *   - exporting a plane again once its buffer is gone: its pages are put twice
 *   - removing the device while there is a buffer: the buffer's release needs it
 *   - the last two pages of the region by read() and write(): see SKEW
 *
 * Needs root.
 */
#include <drm/drm_fourcc.h>
#include <linux/limits.h>
#include <linux/vfio.h>

#include "driver_test.h"

#define PARENT		"/sys/class/mdev_bus/mbochs"
#define CREATE		PARENT "/mdev_supported_types/mbochs-small/create"
#define UUID		"5d3b1c6e-7a51-4f0e-9b5e-6f2d8a4c0e11"
#define MDEV		"/sys/bus/mdev/devices/" UUID
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
#define PRINTK		"/proc/sys/kernel/printk"

/* Registers of the display, and where the first is in the second region. */
enum { XRES = 1, YRES, BPP, ENABLE, VIRT_WIDTH = 6, VIRT_HEIGHT, X_OFFSET, Y_OFFSET };
#define REGISTERS	0x500
#define ENABLED		1

#define PLANE_PRIMARY	1
#define PLANE_CURSOR	2
#define PLANE		VFIO_GFX_PLANE_TYPE_DMABUF
#define PROBE		VFIO_GFX_PLANE_TYPE_PROBE

/*
 * read() and write() of the driver arrive that many pages behind the place in the
 * region, and for the last pages of the region behind the device's memory.
 */
#define SKEW		2

struct mode {
	unsigned int width;
	unsigned int height;
	unsigned int virt_width;	/* pixels of a line in memory, 0: width */
	unsigned int first_line;
};

/* ---- the device ------------------------------------------------------------------- */

struct display {
	int container;
	int group;
	int fd;
	struct vfio_region_info memory;
	struct vfio_region_info registers;
	char *vram;
};

/* Path of the device's group, which has one device. */
static bool group_path(char *path)
{
	char link[PATH_MAX];
	ssize_t len = readlink(MDEV "/iommu_group", link, sizeof(link) - 1);

	if (len < 0)
		return false;
	link[len] = '\0';
	snprintf(path, PATH_MAX, "/dev/vfio/%s", strrchr(link, '/') + 1);
	return true;
}

static int region(int fd, __u32 index, struct vfio_region_info *info)
{
	memset(info, 0, sizeof(*info));
	info->argsz = sizeof(*info);
	info->index = index;
	return xioctl(fd, VFIO_DEVICE_GET_REGION_INFO, info);
}

/* The device's descriptor, or a negative errno. */
static int display_connect(struct display *display)
{
	char path[PATH_MAX];

	if (!group_path(path))
		return -ENOENT;
	display->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	display->group = open(path, O_RDWR | O_CLOEXEC);
	if (display->container < 0 || display->group < 0)
		return -errno;
	if (ioctl(display->group, VFIO_GROUP_SET_CONTAINER, &display->container) ||
	    ioctl(display->container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU))
		return -errno;
	return xioctl(display->group, VFIO_GROUP_GET_DEVICE_FD, UUID);
}

static int display_open(struct display *display)
{
	display->fd = display_connect(display);
	if (display->fd < 0)
		return display->fd;
	if (region(display->fd, VFIO_PCI_BAR0_REGION_INDEX, &display->memory) ||
	    region(display->fd, VFIO_PCI_BAR2_REGION_INDEX, &display->registers))
		return -EIO;
	display->vram = mmap(NULL, display->memory.size, PROT_READ | PROT_WRITE, MAP_SHARED,
			     display->fd, display->memory.offset);
	return display->vram == MAP_FAILED ? -errno : 0;
}

static void display_close(struct display *display)
{
	munmap(display->vram, display->memory.size);
	close(display->fd);
	close(display->group);
	close(display->container);
}

static void set_register(struct display *display, int nr, __u16 value)
{
	off_t at = display->registers.offset + REGISTERS + nr * sizeof(value);

	if (pwrite(display->fd, &value, sizeof(value), at) != sizeof(value))
		abort();
}

static void set_mode(struct display *display, const struct mode *mode)
{
	set_register(display, XRES, mode->width);
	set_register(display, YRES, mode->height);
	set_register(display, BPP, 32);
	set_register(display, VIRT_WIDTH, mode->virt_width);
	set_register(display, X_OFFSET, 0);
	set_register(display, Y_OFFSET, mode->first_line);
	set_register(display, ENABLE, ENABLED);
}

static unsigned int stride_of(const struct mode *mode)
{
	return 4 * (mode->virt_width ? mode->virt_width : mode->width);
}

static size_t size_of(const struct mode *mode)
{
	return (size_t)stride_of(mode) * mode->height;
}

static size_t offset_of(const struct mode *mode)
{
	return (size_t)stride_of(mode) * mode->first_line;
}

static int query(struct display *display, __u32 flags, __u32 type,
		 struct vfio_device_gfx_plane_info *plane)
{
	memset(plane, 0, sizeof(*plane));
	plane->argsz = sizeof(*plane);
	plane->flags = flags;
	plane->drm_plane_type = type;
	return xioctl(display->fd, VFIO_DEVICE_QUERY_GFX_PLANE, plane);
}

/* What is shown now. The driver says ENOMEM when it has not been asked before. */
static int query_shown(struct display *display, struct vfio_device_gfx_plane_info *plane)
{
	int ret = query(display, PLANE, PLANE_PRIMARY, plane);

	return ret == -ENOMEM ? query(display, PLANE, PLANE_PRIMARY, plane) : ret;
}

static int get_buffer(struct display *display, __u32 id)
{
	return xioctl(display->fd, VFIO_DEVICE_GET_GFX_DMABUF, &id);
}

/* Show @mode; the buffer of what is shown then, or a negative errno. */
static int buffer_of_mode(struct display *display, const struct mode *mode)
{
	struct vfio_device_gfx_plane_info plane;
	int ret;

	set_mode(display, mode);
	ret = query_shown(display, &plane);
	return ret ? ret : get_buffer(display, plane.dmabuf_id);
}

static ino_t inode_of(int fd)
{
	struct stat stat;

	return fstat(fd, &stat) ? 0 : stat.st_ino;
}

/* ---- a buffer of each shape --------------------------------------------------------- */

/*
 * The driver opens its buffers for reading only, and has no mapping of those: what
 * is in the buffer is seen by the DMA of an importer.
 */
FIXTURE(plane) {
	struct display display;
	int dev;
	int buffer;
	size_t size;	/* bytes of the picture */
	size_t pages;
	char *shown;	/* the picture in the device's memory */
	char *copy;	/* room for another one */
};

FIXTURE_VARIANT(plane) {
	struct mode mode;
};

FIXTURE_VARIANT_ADD(plane, at_start) {
	.mode = { .width = 256, .height = 64 },
};

FIXTURE_VARIANT_ADD(plane, with_offset) {
	.mode = { .width = 256, .height = 100, .first_line = 12 },
};

FIXTURE_VARIANT_ADD(plane, padded_lines) {
	.mode = { .width = 640, .height = 128, .virt_width = 1024, .first_line = 3 },
};

FIXTURE_VARIANT_ADD(plane, large) {
	.mode = { .width = 800, .height = 512, .first_line = 64 },
};

/* Ends inside of a page. */
FIXTURE_VARIANT_ADD(plane, odd_size) {
	.mode = { .width = 800, .height = 600, .first_line = 64 },
};

FIXTURE_SETUP(plane)
{
	self->dev = dev_open();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, display_open(&self->display));
	self->size = size_of(&variant->mode);
	self->pages = self->size / PAGE;
	self->shown = self->display.vram + offset_of(&variant->mode);
	self->copy = calloc(1, self->size);
	self->buffer = buffer_of_mode(&self->display, &variant->mode);
	ASSERT_LE(0, self->buffer);
}

FIXTURE_TEARDOWN(plane)
{
	free(self->copy);
	close(self->buffer);
	display_close(&self->display);
	close(self->dev);
}

/* Bytes from @data to a buffer, or the other way, by the DMA of an importer. */
static int dma(int dev, int buffer, bool write, size_t offset, void *data, size_t size)
{
	return importer_copy(dev, buffer, DMABUF_TEST_BY_DMA, write, offset, data, size);
}

/* First page from @first on that an importer does not see as stamp() left it, or -1. */
static long wrong_in_buffer(int dev, int buffer, size_t first, size_t nr)
{
	void *copy = calloc(nr, PAGE);
	long wrong = first;

	if (!dma(dev, buffer, false, 0, copy, nr * PAGE))
		wrong = wrong_stamp(copy, first, nr);
	free(copy);
	return wrong;
}

static int stamp_buffer(int dev, int buffer, size_t first, size_t nr)
{
	void *copy = calloc(nr, PAGE);
	int ret;

	stamp(copy, first, nr);
	ret = dma(dev, buffer, true, 0, copy, nr * PAGE);
	free(copy);
	return ret;
}

/* Passes if VFIO tells of the mode, and the buffer is as large as that. */
TEST_F(plane, is_as_the_registers_say)
{
	struct vfio_device_gfx_plane_info plane;

	ASSERT_EQ(0, query_shown(&self->display, &plane));
	EXPECT_EQ((__u32)DRM_FORMAT_XRGB8888, plane.drm_format);
	EXPECT_EQ(variant->mode.width, plane.width);
	EXPECT_EQ(variant->mode.height, plane.height);
	EXPECT_EQ(stride_of(&variant->mode), plane.stride);
	EXPECT_EQ(self->size, plane.size);
	EXPECT_EQ((off_t)self->size, lseek(self->buffer, 0, SEEK_END));
	EXPECT_EQ(0, lseek(self->buffer, 0, SEEK_SET));
}

/* Passes if each page of the buffer is that of the device's memory. */
TEST_F(plane, pages_are_those_of_the_region)
{
	ASSERT_EQ(0, dma(self->dev, self->buffer, false, 0, self->copy, self->size));
	EXPECT_EQ(-1, not_zero(self->copy, self->size));
	stamp(self->shown, 0, self->pages);
	EXPECT_EQ(-1, wrong_in_buffer(self->dev, self->buffer, 0, self->pages));
	ASSERT_EQ(0, stamp_buffer(self->dev, self->buffer, self->pages, self->pages));
	EXPECT_EQ(-1, wrong_stamp(self->shown, self->pages, self->pages));
}

/* Passes if an importer's DMA reaches each byte of the picture, and no other. */
TEST_F(plane, dma_of_an_importer)
{
	size_t i;

	for (i = 0; i < self->size; i++)
		self->shown[i] = i * 11 + i / 4093;
	ASSERT_EQ(0, dma(self->dev, self->buffer, false, 0, self->copy, self->size));
	EXPECT_EQ(0, memcmp(self->copy, self->shown, self->size));

	for (i = 0; i < self->size; i++)
		self->copy[i] = i * 5 + i / 4091 + 1;
	ASSERT_EQ(0, dma(self->dev, self->buffer, true, 0, self->copy, self->size));
	EXPECT_EQ(0, memcmp(self->copy, self->shown, self->size));
	EXPECT_EQ(0, self->shown[self->size]);
	EXPECT_EQ(-EINVAL, dma(self->dev, self->buffer, false, self->size - 1, self->copy, 2));
}

/* Passes if what goes through write() of the device is in the buffer, and back. */
TEST_F(plane, region_by_read_and_write)
{
	off_t at = self->display.memory.offset + offset_of(&variant->mode);
	const size_t places[] = { SKEW, self->pages / 2 + SKEW, self->pages - 1 };
	char data[64], back[64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		size_t in_buffer = places[i] * PAGE + 1000;
		off_t in_file = at + (places[i] - SKEW) * PAGE + 1000;

		memset(data, 0x40 + i, sizeof(data));
		ASSERT_EQ((ssize_t)sizeof(data),
			  pwrite(self->display.fd, data, sizeof(data), in_file));
		ASSERT_EQ(0, dma(self->dev, self->buffer, false, in_buffer, back, sizeof(back)));
		EXPECT_EQ(0, memcmp(data, back, sizeof(data)));
		memset(data, 0x50 + i, sizeof(data));
		ASSERT_EQ(0, dma(self->dev, self->buffer, true, in_buffer, data, sizeof(data)));
		ASSERT_EQ((ssize_t)sizeof(back),
			  pread(self->display.fd, back, sizeof(back), in_file));
		EXPECT_EQ(0, memcmp(data, back, sizeof(back)));
	}
}

/* Passes if what the driver does not have is refused. */
TEST_F(plane, other_ways_are_refused)
{
	char byte;

	EXPECT_EQ(-EOPNOTSUPP, importer_copy(self->dev, self->buffer, DMABUF_TEST_BY_PFN,
					     false, 0, &byte, 1));
	EXPECT_EQ(-EINVAL, importer_copy(self->dev, self->buffer, DMABUF_TEST_BY_VMAP,
					 false, 0, &byte, 1));
	EXPECT_EQ(MAP_FAILED, map_shared(self->buffer, PAGE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->buffer, 0));
	EXPECT_EQ(EINVAL, errno);
}

/* Passes if the buffer outlives the device's file, with all its contents. */
TEST_F(plane, device_is_closed_first)
{
	stamp(self->shown, 7, self->pages);
	display_close(&self->display);
	EXPECT_EQ(-1, wrong_in_buffer(self->dev, self->buffer, 7, self->pages));
	ASSERT_EQ(0, stamp_buffer(self->dev, self->buffer, 9, self->pages));

	/* Who opens the device now does not see what was there. */
	ASSERT_EQ(0, display_open(&self->display));
	self->shown = self->display.vram + offset_of(&variant->mode);
	EXPECT_EQ(-1, not_zero(self->shown, self->pages * PAGE));
	stamp(self->shown, 10, self->pages);
	EXPECT_EQ(-1, wrong_in_buffer(self->dev, self->buffer, 9, self->pages));
}

/* Passes if the buffer of a mode stays what it was when others follow. */
TEST_F(plane, mode_changes_while_the_buffer_is_held)
{
	static const struct mode other = { .width = 128, .height = 64 };
	const size_t other_pages = size_of(&other) / PAGE;
	struct vfio_device_gfx_plane_info before, plane;
	int buffer;

	ASSERT_EQ(0, query_shown(&self->display, &before));
	stamp(self->shown, 20, self->pages);
	buffer = buffer_of_mode(&self->display, &other);
	ASSERT_LE(0, buffer);
	EXPECT_NE(inode_of(self->buffer), inode_of(buffer));
	EXPECT_EQ((off_t)size_of(&other), lseek(buffer, 0, SEEK_END));
	EXPECT_EQ((off_t)self->size, lseek(self->buffer, 0, SEEK_END));
	EXPECT_EQ(-1, wrong_in_buffer(self->dev, self->buffer, 20, self->pages));

	/* Both lie in one memory. */
	ASSERT_EQ(0, stamp_buffer(self->dev, buffer, 60, other_pages));
	EXPECT_EQ(-1, wrong_stamp(self->display.vram, 60, other_pages));
	if (!variant->mode.first_line)
		EXPECT_EQ(-1, wrong_in_buffer(self->dev, self->buffer, 60, other_pages));
	close(buffer);

	set_mode(&self->display, &variant->mode);
	ASSERT_EQ(0, query_shown(&self->display, &plane));
	EXPECT_EQ(before.dmabuf_id, plane.dmabuf_id);
	ASSERT_EQ(0, ioctl(self->display.fd, VFIO_DEVICE_RESET));
	EXPECT_EQ(0, query_shown(&self->display, &plane));
	EXPECT_EQ(0U, plane.size);
	ASSERT_EQ(0, stamp_buffer(self->dev, self->buffer, 21, self->pages));
	EXPECT_EQ(-1, wrong_stamp(self->shown, 21, self->pages));
}

/* ---- fences --------------------------------------------------------------------------- */

/* Passes if access goes through the buffer's fences like that of any other. */
TEST_F(plane, fences_are_waited_for)
{
	struct fence fence;
	int sync_file;

	EXPECT_EQ(0, buffer_sync(self->buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	EXPECT_EQ(0, buffer_sync(self->buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	EXPECT_EQ(POLLIN | POLLOUT, poll_for(self->buffer, POLLIN | POLLOUT, 0));

	ASSERT_EQ(0, fence_create(self->dev, 0, &fence));
	ASSERT_EQ(0, buffer_import(self->buffer, DMA_BUF_SYNC_WRITE, fence.fd));
	EXPECT_EQ(0, poll_for(self->buffer, POLLIN | POLLOUT, 0));
	EXPECT_EQ(-EINTR, buffer_sync_or_eintr(self->buffer,
					       DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	sync_file = buffer_export(self->buffer, DMA_BUF_SYNC_READ);
	ASSERT_LE(0, sync_file);
	EXPECT_EQ(0, sync_status(sync_file));
	ASSERT_EQ(0, fence_signal(self->dev, fence));
	EXPECT_EQ(1, sync_status(sync_file));
	EXPECT_EQ(POLLIN | POLLOUT, poll_for(self->buffer, POLLIN | POLLOUT, SOON_MS));
	EXPECT_EQ(0, buffer_sync(self->buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	EXPECT_EQ(0, buffer_sync(self->buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
	close(sync_file);
	close(fence.fd);
}

/* ---- another driver ------------------------------------------------------------------- */

/* Passes if a GEM driver takes the buffer, and gives back the same one. */
TEST_F(plane, import_by_vgem)
{
	struct drm_prime_handle prime = { .fd = self->buffer }, out = { .flags = DRM_RDWR };
	struct drm_gem_close gem_close = {};
	int vgem = card_open("vgem");

	if (vgem < 0)
		SKIP(return, "no vgem");
	stamp(self->shown, 30, self->pages);
	ASSERT_EQ(0, xioctl(vgem, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime));
	out.handle = prime.handle;
	ASSERT_EQ(0, xioctl(vgem, DRM_IOCTL_PRIME_HANDLE_TO_FD, &out));
	EXPECT_EQ(inode_of(self->buffer), inode_of(out.fd));
	close(out.fd);

	/* Now it is the handle alone that keeps the buffer. */
	close(self->buffer);
	display_close(&self->display);
	ASSERT_EQ(0, xioctl(vgem, DRM_IOCTL_PRIME_HANDLE_TO_FD, &out));
	self->buffer = out.fd;
	EXPECT_EQ(-1, wrong_in_buffer(self->dev, self->buffer, 30, self->pages));
	gem_close.handle = prime.handle;
	EXPECT_EQ(0, xioctl(vgem, DRM_IOCTL_GEM_CLOSE, &gem_close));
	close(vgem);
	EXPECT_EQ(-1, wrong_in_buffer(self->dev, self->buffer, 30, self->pages));
	ASSERT_EQ(0, display_open(&self->display));
}

/* ---- without a buffer ------------------------------------------------------------------ */

FIXTURE(display) {
	struct display display;
};

FIXTURE_SETUP(display)
{
	ASSERT_EQ(0, display_open(&self->display));
	ASSERT_EQ(0, ioctl(self->display.fd, VFIO_DEVICE_RESET));
}

FIXTURE_TEARDOWN(display)
{
	display_close(&self->display);
}

/* Passes if the device says which kind of planes it has. */
TEST_F(display, probe)
{
	struct vfio_device_gfx_plane_info plane;

	EXPECT_EQ(0, query(&self->display, PROBE | PLANE, PLANE_PRIMARY, &plane));
	EXPECT_EQ(-EINVAL, query(&self->display, PROBE | VFIO_GFX_PLANE_TYPE_REGION,
				 PLANE_PRIMARY, &plane));
	EXPECT_EQ(-EINVAL, query(&self->display, VFIO_GFX_PLANE_TYPE_REGION,
				 PLANE_PRIMARY, &plane));
	EXPECT_EQ(-EINVAL, query(&self->display, 0, PLANE_PRIMARY, &plane));
	EXPECT_EQ(0, query(&self->display, PLANE, PLANE_PRIMARY, &plane));
	EXPECT_EQ(0U, plane.size);
	EXPECT_EQ(0, query(&self->display, PLANE, PLANE_CURSOR, &plane));
	EXPECT_EQ(0U, plane.size);
}

/* Passes if there is no buffer of a plane that does not exist. */
TEST_F(display, no_such_plane)
{
	EXPECT_EQ(-ENOENT, get_buffer(&self->display, 0));
	EXPECT_EQ(-ENOENT, get_buffer(&self->display, 12345));
	EXPECT_EQ(-EFAULT, xioctl(self->display.fd, VFIO_DEVICE_GET_GFX_DMABUF, NULL));
	EXPECT_EQ(-EFAULT, xioctl(self->display.fd, VFIO_DEVICE_QUERY_GFX_PLANE, NULL));
}

/* Passes if the buffer can be had once there is a descriptor for it again. */
TEST_F(display, no_descriptor_left)
{
	static const struct mode mode = { .width = 64, .height = 64 };
	struct vfio_device_gfx_plane_info plane;
	int before = count_fds(), buffer;
	struct rlimit old;

	set_mode(&self->display, &mode);
	ASSERT_EQ(0, query_shown(&self->display, &plane));
	old = no_more_fds();
	EXPECT_EQ(-EMFILE, get_buffer(&self->display, plane.dmabuf_id));
	setrlimit(RLIMIT_NOFILE, &old);
	EXPECT_EQ(before, count_fds());
	buffer = get_buffer(&self->display, plane.dmabuf_id);
	ASSERT_LE(0, buffer);
	EXPECT_EQ((off_t)size_of(&mode), lseek(buffer, 0, SEEK_END));
	close(buffer);
}

/* Passes if one picture after the other leaves no memory behind. */
TEST_F(display, memory_comes_back)
{
	struct mode mode = { .width = 800, .height = 600 };
	long before = 0;
	int i, buffer;

	for (i = 0; i < 40; i++) {
		mode.height = 600 - i;
		buffer = buffer_of_mode(&self->display, &mode);
		ASSERT_LE(0, buffer);
		memset(self->display.vram, i, size_of(&mode));
		close(buffer);
		display_close(&self->display);
		ASSERT_EQ(0, display_open(&self->display));
		if (i == 9)
			before = free_kib();
	}
	/* Thirty of them; the driver loses the list of pages of each, which is 4 KiB. */
	EXPECT_TRUE(memory_is_back(before, 8 * 1024));
}

/* ---- the program ------------------------------------------------------------------------ */

/* Are all the leaks that kmemleak knows of the driver's own? True also if there are none. */
static bool only_driver_leaks(void)
{
	FILE *file = fopen(KMEMLEAK, "re");
	bool own = true, only = true;
	char line[512];

	while (file && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "unreferenced object", 19)) {
			only &= own;
			own = false;
		}
		own |= !!strstr(line, "mbochs_ioctl");
	}
	if (file)
		fclose(file);
	return only && own;
}

/*
 * The driver never frees the list of a plane's pages. Whoever looks for leaks after
 * this program is not to find those; all others stay.
 */
static void forget_driver_leaks(void)
{
	char loglevels[64];

	if (access(KMEMLEAK, W_OK) || read_file(PRINTK, loglevels, sizeof(loglevels)) <= 0)
		return;
	sleep(5);
	/* That there are some is a message of the level "info". */
	write_file(PRINTK, "5");
	write_file(KMEMLEAK, "scan");
	write_file(KMEMLEAK, "scan");
	write_file(PRINTK, loglevels);
	if (only_driver_leaks())
		write_file(KMEMLEAK, "clear");
}

static pid_t main_pid;

static void clean_up(void)
{
	if (getpid() != main_pid)
		return;
	write_file(MDEV "/remove", "1");
	forget_driver_leaks();
}

/* Without the driver there is nothing to run. */
int main(int argc, char **argv)
{
	int dev = dev_open(), ret = no_device(dev) ? dev : write_file(CREATE, UUID);

	if (no_device(ret)) {
		printf("TAP version 13\n1..0 # SKIP no mbochs, or no "
		       DMABUF_TEST_DEVICE_PATH "\n");
		return KSFT_SKIP;
	}
	close(dev);
	main_pid = getpid();
	atexit(clean_up);
	return test_harness_run(argc, argv);
}
