// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers that FunctionFS transfers over USB: each byte has to arrive, the fences of
 * a transfer have to be on the buffer until it is over, however it ends, and nothing
 * is left behind.
 *
 * The gadget has one IN and one OUT endpoint. It is bound to dmabuf_udc, a controller
 * in software whose host this program is (/dev/dmabuf_udc), or to dummy_hcd, which
 * takes no scatterlists: there FunctionFS takes no buffer either.
 *
 * What this program leaves out, because the driver does not bear it:
 *   - a transfer from a buffer while there is one already: the second fence takes the
 *     place of the first, and the driver has no reference to that one
 *   - DETACH and TRANSFER after the gadget is unbound
 *   - what needs the lock of a fence after its buffer is detached, as the release of
 *     a sync_file that has been polled does
 *
 * Needs root.
 */
#include <endian.h>
#include <linux/usb/functionfs.h>
#include <stddef.h>
#include <sys/mount.h>

#include "driver_test.h"
#include "udmabuf_test.h"
#include "../../../../drivers/dma-buf/selftests/testdev_udc.h"

#define CONFIGFS	"/sys/kernel/config"
#define GADGET		CONFIGFS "/usb_gadget/dmabuf"
#define FUNCTION	GADGET "/functions/ffs.dmabuf"
#define CONFIG		GADGET "/configs/c.1"
#define MOUNT		"/tmp/dmabuf-ffs"
#define DUMMY_UDC	"dummy_udc.0"
#define PACKET		DMABUF_UDC_PACKET

/* ---- the gadget -------------------------------------------------------------------- */

struct interface {
	struct usb_interface_descriptor intf;
	struct usb_endpoint_descriptor_no_audio in;
	struct usb_endpoint_descriptor_no_audio out;
};

struct descriptors {
	struct usb_functionfs_descs_head_v2 head;
	__le32 fs_count;
	__le32 hs_count;
	struct interface fs;
	struct interface hs;
};

/* Without the padding behind the last one. */
#define DESCRIPTORS_SIZE (offsetof(struct descriptors, hs) + sizeof(struct interface))

struct strings {
	struct usb_functionfs_strings_head head;
	__le16 language;
	char text[8];
};

static struct usb_endpoint_descriptor_no_audio endpoint(__u8 address, __u16 packet)
{
	return (struct usb_endpoint_descriptor_no_audio) {
		.bLength = sizeof(struct usb_endpoint_descriptor_no_audio),
		.bDescriptorType = USB_DT_ENDPOINT,
		.bEndpointAddress = address,
		.bmAttributes = USB_ENDPOINT_XFER_BULK,
		.wMaxPacketSize = htole16(packet),
	};
}

static struct interface interface(__u16 packet)
{
	return (struct interface) {
		.intf = {
			.bLength = sizeof(struct usb_interface_descriptor),
			.bDescriptorType = USB_DT_INTERFACE,
			.bNumEndpoints = 2,
			.bInterfaceClass = USB_CLASS_VENDOR_SPEC,
			.iInterface = 1,
		},
		.in = endpoint(USB_DIR_IN | 1, packet),
		.out = endpoint(USB_DIR_OUT | 2, packet),
	};
}

/* Tell FunctionFS what the function is. */
static int describe(int ep0)
{
	struct descriptors descriptors = {
		.head = {
			.magic = htole32(FUNCTIONFS_DESCRIPTORS_MAGIC_V2),
			.length = htole32(DESCRIPTORS_SIZE),
			.flags = htole32(FUNCTIONFS_HAS_FS_DESC | FUNCTIONFS_HAS_HS_DESC),
		},
		.fs_count = htole32(3),
		.hs_count = htole32(3),
		.fs = interface(64),
		.hs = interface(PACKET),
	};
	struct strings strings = {
		.head = {
			.magic = htole32(FUNCTIONFS_STRINGS_MAGIC),
			.length = htole32(sizeof(strings)),
			.str_count = htole32(1),
			.lang_count = htole32(1),
		},
		.language = htole16(0x409),
		.text = "buffers",
	};

	if (write(ep0, &descriptors, DESCRIPTORS_SIZE) < 0 ||
	    write(ep0, &strings, sizeof(strings)) < 0)
		return -errno;
	return 0;
}

/* Put the gadget together: the controller comes later. */
static bool gadget_create(void)
{
	mount("none", CONFIGFS, "configfs", 0, NULL);
	mkdir(MOUNT, 0700);
	return !mkdir(GADGET, 0700) && !mkdir(GADGET "/strings/0x409", 0700) &&
	       !write_file(GADGET "/idVendor", "0x1d6b") &&
	       !write_file(GADGET "/idProduct", "0x0104") &&
	       !mkdir(CONFIG, 0700) && !mkdir(FUNCTION, 0700) &&
	       !symlink(FUNCTION, CONFIG "/ffs") &&
	       !mount("dmabuf", MOUNT, "functionfs", 0, NULL);
}

static void gadget_remove(void)
{
	umount(MOUNT);
	unlink(CONFIG "/ffs");
	rmdir(FUNCTION);
	rmdir(CONFIG);
	rmdir(GADGET "/strings/0x409");
	rmdir(GADGET);
}

/* Wait until the host has configured the gadget. */
static bool wait_for_enable(int ep0)
{
	struct usb_functionfs_event event;

	while (poll_for(ep0, POLLIN, SOON_MS) == POLLIN)
		if (read(ep0, &event, sizeof(event)) == sizeof(event) &&
		    event.type == FUNCTIONFS_ENABLE)
			return true;
	return false;
}

/* Bring the gadget up at a controller; its endpoint 0, or a negative errno. */
static int gadget_bind(const char *controller)
{
	int ep0 = open(MOUNT "/ep0", O_RDWR | O_CLOEXEC), ret;

	if (ep0 < 0)
		return -errno;
	ret = describe(ep0);
	if (!ret)
		ret = write_file(GADGET "/UDC", controller);
	if (!ret && !wait_for_enable(ep0))
		ret = -ETIME;
	if (!ret)
		return ep0;
	close(ep0);
	return ret;
}

static void gadget_unbind(void)
{
	write_file(GADGET "/UDC", "\n");
}

static int ffs_attach(int ep, int buffer)
{
	return xioctl(ep, FUNCTIONFS_DMABUF_ATTACH, &buffer);
}

static int ffs_detach(int ep, int buffer)
{
	return xioctl(ep, FUNCTIONFS_DMABUF_DETACH, &buffer);
}

static int ffs_transfer(int ep, int buffer, __u64 length)
{
	struct usb_ffs_dmabuf_transfer_req arg = { .fd = buffer, .length = length };

	return xioctl(ep, FUNCTIONFS_DMABUF_TRANSFER, &arg);
}

/* ---- buffers -------------------------------------------------------------------------- */

enum kind { HEAP, CMA, SCATTERED };

/* Pages of a memfd from the last to the first, so that no two are contiguous. */
static int scattered_buffer(size_t pages)
{
	int memfd = memfd_new(pages * PAGE, 0, F_SEAL_SHRINK), dev = device_open(), ret;
	struct list *list = calloc(1, sizeof(*list));

	if (memfd < 0 || dev < 0)
		return -ENOENT;
	list->head.flags = UDMABUF_FLAGS_CLOEXEC;
	while (list->head.count < pages)
		list_add(list, memfd, (pages - 1 - list->head.count) * PAGE, PAGE);
	ret = udmabuf_list(dev, list);
	free(list);
	close(memfd);
	close(dev);
	return ret;
}

static int buffer_new(enum kind kind, size_t pages)
{
	int heap, buffer;

	if (kind == SCATTERED)
		return scattered_buffer(pages);
	heap = heap_open(kind == HEAP ? SYSTEM_HEAP : contiguous_heap(), O_RDWR);
	if (heap < 0)
		return heap;
	buffer = heap_alloc(heap, pages * PAGE);
	close(heap);
	return buffer;
}

/* Make contents as a program does, or compare. */
static void fill_buffer(int buffer, void *map, size_t size, unsigned int seed)
{
	buffer_sync(buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	fill(map, size, seed);
	buffer_sync(buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
}

static long wrong_in_buffer(int buffer, const void *map, size_t size, unsigned int seed)
{
	long wrong;

	buffer_sync(buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	wrong = wrong_byte(map, size, seed);
	buffer_sync(buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	return wrong;
}

/* ---- each byte, both ways ------------------------------------------------------------- */

FIXTURE(gadget) {
	int before;	/* buffers that there are without the test */
	int ep0;
	int in;
	int out;
	int host;
	int buffer;
	size_t size;
	char *map;
	char *data;	/* the host's */
};

FIXTURE_VARIANT(gadget) {
	enum kind kind;
	size_t pages;
	size_t length;	/* of a transfer */
	size_t step;	/* bytes that the host moves at once */
};

FIXTURE_VARIANT_ADD(gadget, heap_one_page) {
	.kind = HEAP,
	.pages = 1,
	.length = 4096,
	.step = 4096,
};

FIXTURE_VARIANT_ADD(gadget, heap) {
	.kind = HEAP,
	.pages = 37,
	.length = 37 * 4096,
	.step = 20 * PACKET,
};

FIXTURE_VARIANT_ADD(gadget, heap_short) {
	.kind = HEAP,
	.pages = 300,
	.length = 290 * 4096 + 1001,
	.step = DMABUF_UDC_MAX_MOVE,
};

FIXTURE_VARIANT_ADD(gadget, cma) {
	.kind = CMA,
	.pages = 64,
	.length = 64 * 4096 - 1,
	.step = 33 * PACKET,
};

FIXTURE_VARIANT_ADD(gadget, scattered) {
	.kind = SCATTERED,
	.pages = 50,
	.length = 50 * 4096,
	.step = 3 * PACKET,
};

FIXTURE_VARIANT_ADD(gadget, scattered_short) {
	.kind = SCATTERED,
	.pages = 50,
	.length = 23 * 4096 + 17,
	.step = 9 * PACKET,
};

FIXTURE_SETUP(gadget)
{
	self->host = open(DMABUF_UDC_PATH, O_RDWR | O_CLOEXEC);
	if (self->host < 0)
		SKIP(return, "no " DMABUF_UDC_PATH);
	self->before = count_buffers();
	ASSERT_LE(0, self->before);
	self->ep0 = gadget_bind(DMABUF_UDC_NAME);
	ASSERT_LE(0, self->ep0);
	self->in = open(MOUNT "/ep1", O_RDWR | O_CLOEXEC);
	self->out = open(MOUNT "/ep2", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->in);
	ASSERT_LE(0, self->out);
	self->size = variant->pages * PAGE;
	self->buffer = buffer_new(variant->kind, variant->pages);
	ASSERT_LE(0, self->buffer);
	self->map = map_shared(self->buffer, self->size);
	ASSERT_NE(MAP_FAILED, (void *)self->map);
	self->data = calloc(1, self->size);
}

FIXTURE_TEARDOWN(gadget)
{
	if (self->host < 0)
		return;
	gadget_unbind();
	close(self->in);
	close(self->out);
	close(self->ep0);
	munmap(self->map, self->size);
	close(self->buffer);
	free(self->data);
	close(self->host);
	EXPECT_TRUE(buffers_become(self->before));
}

/* The host sends; how much of it a waiting transfer took. */
static size_t host_send(int host, const char *data, size_t size, size_t step)
{
	size_t done = 0;
	ssize_t ret;

	while (done < size) {
		ret = write(host, data + done, done + step < size ? step : size - done);
		if (ret <= 0)
			break;
		done += ret;
	}
	return done;
}

/* The host fetches all that waiting transfers have, but no more than @size. */
static size_t host_fetch(int host, char *data, size_t size, size_t step)
{
	size_t done = 0;
	ssize_t ret;

	while (done < size) {
		ret = read(host, data + done, done + step < size ? step : size - done);
		if (ret <= 0)
			break;
		done += ret;
	}
	return done;
}

/* Passes if what the host sends is in the buffer, and nothing behind it. */
TEST_F(gadget, out_transfer)
{
	size_t length = variant->length;

	ASSERT_EQ(0, ffs_attach(self->out, self->buffer));
	fill(self->data, length, 1);
	EXPECT_EQ(0UL, host_send(self->host, self->data, 1, 1));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, ffs_transfer(self->out, self->buffer, length));
	EXPECT_EQ(0, poll_now(self->buffer, POLLIN | POLLOUT));
	EXPECT_EQ(length, host_send(self->host, self->data, length, variant->step));
	EXPECT_EQ(POLLIN | POLLOUT, poll_for(self->buffer, POLLIN | POLLOUT, SOON_MS));
	EXPECT_EQ(-1, wrong_in_buffer(self->buffer, self->map, length, 1));
	if (length < self->size)
		EXPECT_EQ(0, self->map[length]);
	EXPECT_EQ(0, ffs_detach(self->out, self->buffer));
}

/* Passes if the host gets what is in the buffer, and no more than that. */
TEST_F(gadget, in_transfer)
{
	size_t length = variant->length;

	fill_buffer(self->buffer, self->map, self->size, 2);
	ASSERT_EQ(0, ffs_attach(self->in, self->buffer));
	ASSERT_EQ(0, ffs_transfer(self->in, self->buffer, length));
	EXPECT_EQ(POLLIN, poll_now(self->buffer, POLLIN | POLLOUT));
	EXPECT_EQ(length, host_fetch(self->host, self->data, self->size, variant->step));
	EXPECT_EQ(POLLIN | POLLOUT, poll_for(self->buffer, POLLIN | POLLOUT, SOON_MS));
	EXPECT_EQ(-1, wrong_byte(self->data, length, 2));
	EXPECT_EQ(0, ffs_detach(self->in, self->buffer));
}

/* Passes if one buffer goes there and back, again and again. */
TEST_F(gadget, there_and_back)
{
	size_t length = variant->length;
	unsigned int i;

	ASSERT_EQ(0, ffs_attach(self->out, self->buffer));
	ASSERT_EQ(0, ffs_attach(self->in, self->buffer));
	for (i = 0; i < 5; i++) {
		fill(self->data, length, 10 + i);
		ASSERT_EQ(0, ffs_transfer(self->out, self->buffer, length));
		ASSERT_EQ(length, host_send(self->host, self->data, length, variant->step));
		memset(self->data, 0, length);
		/* Waits for the fence of the other one, which has signaled. */
		ASSERT_EQ(0, ffs_transfer(self->in, self->buffer, length));
		ASSERT_EQ(length, host_fetch(self->host, self->data, length, variant->step));
		EXPECT_EQ(-1, wrong_byte(self->data, length, 10 + i));
	}
	/* What is attached still is detached when the endpoints are closed. */
}

/* ---- how transfers end ------------------------------------------------------------------ */

struct transfer {
	int before;
	int ep0;
	int in;
	int out;
	int host;
	int buffer;
	int other;
	size_t size;
	char *map;
	char *data;
};

FIXTURE(transfer) {
	struct transfer t;
};

FIXTURE_SETUP(transfer)
{
	self->t.host = open(DMABUF_UDC_PATH, O_RDWR | O_CLOEXEC);
	if (self->t.host < 0)
		SKIP(return, "no " DMABUF_UDC_PATH);
	self->t.before = count_buffers();
	self->t.ep0 = gadget_bind(DMABUF_UDC_NAME);
	ASSERT_LE(0, self->t.ep0);
	self->t.in = open(MOUNT "/ep1", O_RDWR | O_CLOEXEC);
	self->t.out = open(MOUNT "/ep2", O_RDWR | O_CLOEXEC);
	self->t.size = 8 * PAGE;
	self->t.buffer = buffer_new(HEAP, 8);
	self->t.other = buffer_new(HEAP, 8);
	ASSERT_LE(0, self->t.buffer);
	ASSERT_LE(0, self->t.other);
	self->t.map = map_shared(self->t.buffer, self->t.size);
	ASSERT_NE(MAP_FAILED, (void *)self->t.map);
	self->t.data = malloc(self->t.size);
	fill(self->t.data, self->t.size, 3);
	ASSERT_EQ(0, ffs_attach(self->t.in, self->t.buffer));
	ASSERT_EQ(0, ffs_attach(self->t.out, self->t.buffer));
	ASSERT_EQ(0, ffs_attach(self->t.out, self->t.other));
}

FIXTURE_TEARDOWN(transfer)
{
	if (self->t.host < 0)
		return;
	gadget_unbind();
	close(self->t.in);
	close(self->t.out);
	close(self->t.ep0);
	munmap(self->t.map, self->t.size);
	close(self->t.buffer);
	close(self->t.other);
	free(self->t.data);
	close(self->t.host);
	EXPECT_TRUE(buffers_become(self->t.before));
}

/* Passes if a transfer to the buffer is a write that all others wait for. */
TEST_F(transfer, out_is_a_write)
{
	const size_t half = self->t.size / 2;
	char name[32];
	int sync_file;

	ASSERT_EQ(0, ffs_transfer(self->t.out, self->t.buffer, self->t.size));
	EXPECT_EQ(0, poll_for(self->t.buffer, POLLIN | POLLOUT, NEVER_MS));
	EXPECT_EQ(-EINTR, buffer_sync_or_eintr(self->t.buffer,
					       DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	sync_file = buffer_export(self->t.buffer, DMA_BUF_SYNC_READ);
	ASSERT_LE(0, sync_file);
	fence_driver(sync_file, name, sizeof(name));
	EXPECT_STREQ("functionfs", name);
	EXPECT_EQ(0, sync_status(sync_file));
	EXPECT_EQ(0, poll_for(sync_file, POLLIN, NEVER_MS));

	/* The half is no end. */
	ASSERT_EQ(half, host_send(self->t.host, self->t.data, half, PACKET));
	EXPECT_EQ(0, sync_status(sync_file));
	ASSERT_EQ(half, host_send(self->t.host, self->t.data + half, half, PACKET));
	EXPECT_EQ(POLLIN, poll_for(sync_file, POLLIN, SOON_MS));
	EXPECT_EQ(1, sync_status(sync_file));
	EXPECT_EQ(0, buffer_sync(self->t.buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	EXPECT_EQ(-1, wrong_byte(self->t.map, self->t.size, 3));
	EXPECT_EQ(0, buffer_sync(self->t.buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	close(sync_file);
}

/* Passes if a transfer from the buffer is a read: only writers wait. */
TEST_F(transfer, in_is_a_read)
{
	const size_t half = self->t.size / 2;
	int reader, writer;

	fill_buffer(self->t.buffer, self->t.map, self->t.size, 4);
	ASSERT_EQ(0, ffs_transfer(self->t.in, self->t.buffer, self->t.size));
	EXPECT_EQ(POLLIN, poll_for(self->t.buffer, POLLIN | POLLOUT, SOON_MS));
	EXPECT_EQ(0, buffer_sync(self->t.buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	EXPECT_EQ(0, buffer_sync(self->t.buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
	EXPECT_EQ(-EINTR, buffer_sync_or_eintr(self->t.buffer,
					       DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE));
	reader = buffer_export(self->t.buffer, DMA_BUF_SYNC_READ);
	writer = buffer_export(self->t.buffer, DMA_BUF_SYNC_WRITE);
	EXPECT_EQ(1, sync_status(reader));
	EXPECT_EQ(0, sync_status(writer));
	close(reader);

	ASSERT_EQ(half, host_fetch(self->t.host, self->t.data, half, PACKET));
	EXPECT_EQ(0, sync_status(writer));
	EXPECT_EQ(0, poll_for(self->t.buffer, POLLOUT, NEVER_MS));
	ASSERT_EQ(half, host_fetch(self->t.host, self->t.data + half, half, PACKET));
	EXPECT_EQ(POLLOUT, poll_for(self->t.buffer, POLLOUT, SOON_MS));
	EXPECT_EQ(1, sync_status(writer));
	EXPECT_EQ(-1, wrong_byte(self->t.data, self->t.size, 4));
	close(writer);
}

/* Passes if a transfer waits for others' fences, and does not where it must not wait. */
TEST_F(transfer, waits_for_fences)
{
	int dev = dev_open(), nonblock = open(MOUNT "/ep2", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	struct later later;
	struct fence fence;
	long began;

	if (no_device(dev))
		SKIP(return, NO_DEVICE);
	ASSERT_EQ(0, fence_create(dev, 0, &fence));
	ASSERT_EQ(0, buffer_import(self->t.buffer, DMA_BUF_SYNC_READ, fence.fd));
	EXPECT_EQ(-EBUSY, ffs_transfer(nonblock, self->t.buffer, self->t.size));
	ASSERT_EQ(0, ffs_transfer(self->t.in, self->t.buffer, PAGE));
	ASSERT_EQ(PAGE, host_fetch(self->t.host, self->t.data, PAGE, PAGE));

	began = now_ms();
	signal_later(&later, dev, fence, NEVER_MS);
	EXPECT_EQ(0, ffs_transfer(self->t.out, self->t.buffer, PAGE));
	EXPECT_LE(began + NEVER_MS, now_ms());
	later_join(&later);
	ASSERT_EQ(PAGE, host_send(self->t.host, self->t.data, PAGE, PAGE));

	/* With nothing in the way it takes no time. */
	EXPECT_EQ(POLLOUT, poll_for(self->t.buffer, POLLOUT, SOON_MS));
	EXPECT_EQ(0, ffs_transfer(nonblock, self->t.buffer, PAGE));
	ASSERT_EQ(PAGE, host_send(self->t.host, self->t.data, PAGE, PAGE));
	close(nonblock);
	close(fence.fd);
	close(dev);
}

/* Passes if a writer that never ends is an error in the end, and undoes nothing else. */
TEST_F(transfer, wait_has_an_end)
{
	ASSERT_EQ(0, ffs_transfer(self->t.out, self->t.buffer, self->t.size));
	EXPECT_EQ(-EBUSY, ffs_transfer(self->t.in, self->t.buffer, self->t.size));
	EXPECT_EQ(0, poll_now(self->t.buffer, POLLIN | POLLOUT));
	EXPECT_EQ(self->t.size, host_send(self->t.host, self->t.data, self->t.size, PAGE));
	EXPECT_EQ(POLLIN | POLLOUT, poll_for(self->t.buffer, POLLIN | POLLOUT, SOON_MS));
}

/* Passes if transfers end in their order, each with its own buffer. */
TEST_F(transfer, two_buffers)
{
	char *other = map_shared(self->t.other, self->t.size);

	ASSERT_EQ(0, ffs_transfer(self->t.out, self->t.buffer, self->t.size));
	ASSERT_EQ(0, ffs_transfer(self->t.out, self->t.other, self->t.size));
	ASSERT_EQ(self->t.size, host_send(self->t.host, self->t.data, self->t.size, PAGE));
	EXPECT_EQ(POLLIN, poll_for(self->t.buffer, POLLIN, SOON_MS));
	EXPECT_EQ(0, poll_for(self->t.other, POLLIN, NEVER_MS));
	EXPECT_EQ(-1, wrong_in_buffer(self->t.buffer, self->t.map, self->t.size, 3));
	fill(self->t.data, self->t.size, 5);
	ASSERT_EQ(self->t.size, host_send(self->t.host, self->t.data, self->t.size, PAGE));
	EXPECT_EQ(POLLIN, poll_for(self->t.other, POLLIN, SOON_MS));
	EXPECT_EQ(-1, wrong_in_buffer(self->t.other, other, self->t.size, 5));
	munmap(other, self->t.size);
}

/* Passes if a packet that is not full ends the transfer. */
TEST_F(transfer, short_packet)
{
	ASSERT_EQ(0, ffs_transfer(self->t.out, self->t.buffer, self->t.size));
	ASSERT_EQ(PACKET + 100UL, host_send(self->t.host, self->t.data, PACKET + 100, PAGE));
	EXPECT_EQ(POLLIN | POLLOUT, poll_for(self->t.buffer, POLLIN | POLLOUT, SOON_MS));
	EXPECT_EQ(-1, wrong_in_buffer(self->t.buffer, self->t.map, PACKET + 100, 3));
	EXPECT_EQ(0, self->t.map[PACKET + 100]);
}

/* What a transfer that was stopped half-way leaves; @sync_file is of its fence. */
static void stopped(struct __test_metadata *_metadata, struct transfer *t,
		    int sync_file, int error)
{
	EXPECT_EQ(error, sync_status(sync_file));
	EXPECT_EQ(POLLIN | POLLOUT, poll_for(t->buffer, POLLIN | POLLOUT, SOON_MS));
	EXPECT_EQ(-1, wrong_in_buffer(t->buffer, t->map, t->size / 2, 3));
	EXPECT_EQ(0, t->map[t->size / 2]);
	EXPECT_EQ(0UL, host_send(t->host, t->data, PACKET, PACKET));
	close(sync_file);
}

/* Have half a transfer done; a sync_file of its fence. */
static int half_way(struct __test_metadata *_metadata, struct transfer *t)
{
	int sync_file;

	ASSERT_EQ(0, ffs_transfer(t->out, t->buffer, t->size));
	ASSERT_EQ(t->size / 2, host_send(t->host, t->data, t->size / 2, PAGE));
	sync_file = buffer_export(t->buffer, DMA_BUF_SYNC_READ);
	ASSERT_LE(0, sync_file);
	EXPECT_EQ(0, sync_status(sync_file));
	return sync_file;
}

/* Passes if DETACH ends the transfer, with an error and nothing waiting for it. */
TEST_F(transfer, detach_in_the_middle)
{
	int sync_file = half_way(_metadata, &self->t);

	EXPECT_EQ(0, ffs_detach(self->t.out, self->t.buffer));
	stopped(_metadata, &self->t, sync_file, -ECONNRESET);
	EXPECT_EQ(-EPERM, ffs_transfer(self->t.out, self->t.buffer, self->t.size));

	ASSERT_EQ(0, ffs_attach(self->t.out, self->t.buffer));
	ASSERT_EQ(0, ffs_transfer(self->t.out, self->t.buffer, PAGE));
	ASSERT_EQ(PAGE, host_send(self->t.host, self->t.data, PAGE, PAGE));
	EXPECT_EQ(POLLIN, poll_for(self->t.buffer, POLLIN, SOON_MS));
}

/* Passes if the last close of the endpoint does. */
TEST_F(transfer, close_in_the_middle)
{
	int sync_file = half_way(_metadata, &self->t);

	close(self->t.out);
	self->t.out = -1;
	stopped(_metadata, &self->t, sync_file, -ECONNRESET);
}

/* Passes if the gadget's end does, while the buffers are attached. */
TEST_F(transfer, unbind_in_the_middle)
{
	int sync_file = half_way(_metadata, &self->t);

	ASSERT_EQ(0, ffs_transfer(self->t.out, self->t.other, self->t.size));
	gadget_unbind();
	stopped(_metadata, &self->t, sync_file, -ESHUTDOWN);
	EXPECT_EQ(POLLIN | POLLOUT, poll_for(self->t.other, POLLIN | POLLOUT, SOON_MS));
}

/* Passes if the buffer lives until the transfer does not need it any more. */
TEST_F(transfer, buffer_is_closed_in_the_middle)
{
	ASSERT_EQ(0, ffs_transfer(self->t.out, self->t.buffer, self->t.size));
	munmap(self->t.map, self->t.size);
	close(self->t.buffer);
	self->t.buffer = -1;
	self->t.map = NULL;
	EXPECT_TRUE(buffers_become(self->t.before + 2));
	EXPECT_EQ(self->t.size, host_send(self->t.host, self->t.data, self->t.size, PAGE));
	close(self->t.out);
	close(self->t.in);
	self->t.out = -1;
	self->t.in = -1;
	EXPECT_TRUE(buffers_become(self->t.before + 1));
}

/* ---- errors ---------------------------------------------------------------------------- */

/* Passes if what is no buffer, or not attached, is told apart. */
TEST_F(transfer, errors)
{
	struct usb_ffs_dmabuf_transfer_req flags = {
		.fd = self->t.buffer,
		.flags = 1,
		.length = PAGE,
	};
	int closed = next_fd();

	EXPECT_EQ(-EBADF, ffs_attach(self->t.out, closed));
	EXPECT_EQ(-EINVAL, ffs_attach(self->t.out, self->t.host));
	EXPECT_EQ(-EFAULT, xioctl(self->t.out, FUNCTIONFS_DMABUF_ATTACH, NULL));
	EXPECT_EQ(-EBADF, ffs_detach(self->t.out, closed));
	EXPECT_EQ(-EINVAL, ffs_detach(self->t.out, self->t.host));
	EXPECT_EQ(-EPERM, ffs_detach(self->t.in, self->t.other));
	EXPECT_EQ(-EBADF, ffs_transfer(self->t.out, closed, PAGE));
	EXPECT_EQ(-EINVAL, ffs_transfer(self->t.out, self->t.host, PAGE));
	EXPECT_EQ(-EPERM, ffs_transfer(self->t.in, self->t.other, PAGE));
	EXPECT_EQ(-EINVAL, ffs_transfer(self->t.out, self->t.buffer, 0));
	EXPECT_EQ(-EINVAL, ffs_transfer(self->t.out, self->t.buffer, self->t.size + 1));
	EXPECT_EQ(-EINVAL, ffs_transfer(self->t.out, self->t.buffer, ~0ULL));
	EXPECT_EQ(-EINVAL, xioctl(self->t.out, FUNCTIONFS_DMABUF_TRANSFER, &flags));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(self->t.buffer, POLLIN | POLLOUT));
	EXPECT_EQ(0UL, host_send(self->t.host, self->t.data, PACKET, PACKET));
}

/*
 * Passes if each ATTACH has its DETACH. For the IN endpoint: of two mappings that a
 * device writes to, the checker of the DMA API says something.
 */
TEST_F(transfer, attach_twice)
{
	ASSERT_EQ(0, ffs_attach(self->t.in, self->t.buffer));
	EXPECT_EQ(0, ffs_detach(self->t.in, self->t.buffer));
	EXPECT_EQ(0, ffs_transfer(self->t.in, self->t.buffer, PAGE));
	EXPECT_EQ(PAGE, host_fetch(self->t.host, self->t.data, PAGE, PAGE));
	EXPECT_EQ(0, ffs_detach(self->t.in, self->t.buffer));
	EXPECT_EQ(-EPERM, ffs_detach(self->t.in, self->t.buffer));
}

/* Passes if TRANSFER waits for the buffer's lock, or does not if it must not. */
TEST_F(transfer, lock_is_held)
{
	int dev = dev_open(), nonblock = open(MOUNT "/ep2", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int buffer;
	long began;

	if (no_device(dev))
		SKIP(return, NO_DEVICE);
	buffer = buffer_create(dev, PAGE);
	ASSERT_LE(0, buffer);
	ASSERT_EQ(0, ffs_attach(self->t.out, buffer));
	ASSERT_EQ(0, hold_lock(dev, buffer, NEVER_MS));
	began = now_ms();
	EXPECT_EQ(-EBUSY, ffs_transfer(nonblock, buffer, PAGE));
	EXPECT_GT(began + NEVER_MS, now_ms());
	EXPECT_EQ(0, ffs_transfer(self->t.out, buffer, PAGE));
	EXPECT_EQ(PAGE, host_send(self->t.host, self->t.data, PAGE, PAGE));
	release_lock(dev);
	EXPECT_EQ(POLLIN, poll_for(buffer, POLLIN, SOON_MS));
	EXPECT_EQ(0, ffs_detach(self->t.out, buffer));
	close(buffer);
	close(nonblock);
	close(dev);
}

/* Passes if a controller without scatterlists gets no buffer. */
TEST(controller_without_scatterlists)
{
	int before = count_buffers(), ep0 = gadget_bind(DUMMY_UDC), ep, buffer;

	if (ep0 == -ENODEV)
		SKIP(return, "no " DUMMY_UDC);
	ASSERT_LE(0, ep0);
	buffer = buffer_new(HEAP, 1);
	ASSERT_LE(0, buffer);
	ep = open(MOUNT "/ep2", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, ep);
	EXPECT_EQ(-EPERM, ffs_attach(ep, buffer));
	EXPECT_EQ(-EPERM, ffs_detach(ep, buffer));
	EXPECT_EQ(-EPERM, ffs_transfer(ep, buffer, PAGE));
	EXPECT_EQ(-EINVAL, ffs_transfer(ep, buffer, PAGE + 1));
	EXPECT_EQ(-EINVAL, ffs_transfer(ep, ep0, PAGE));
	close(buffer);
	EXPECT_TRUE(buffers_become(before));
	gadget_unbind();
	close(ep);
	close(ep0);
}

/* ---- the program ------------------------------------------------------------------------ */

static pid_t main_pid;

static void clean_up(void)
{
	if (getpid() == main_pid)
		gadget_remove();
}

/* Without FunctionFS there is nothing to run. */
int main(int argc, char **argv)
{
	if (!gadget_create()) {
		gadget_remove();
		printf("TAP version 13\n1..0 # SKIP no FunctionFS\n");
		return KSFT_SKIP;
	}
	main_pid = getpid();
	atexit(clean_up);
	return test_harness_run(argc, argv);
}
