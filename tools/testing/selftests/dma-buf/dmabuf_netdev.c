// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers that a network device shall receive into (netlink family "netdev", command
 * BIND_RX). QEMU has no network device whose driver can exchange the memory of a
 * queue. So a request gets as far as an attachment of the device and a mapping
 * for it, is refused then, and both have to be undone.
 *
 * What this program leaves out: devices that are none of a bus, like "lo". The kernel
 * attaches them all the same, without a device, and warns of that.
 *
 * Needs root and a network device on the PCI bus.
 */
#include <linux/genetlink.h>
#include <linux/limits.h>
#include <linux/netdev.h>
#include <linux/netlink.h>

#include "driver_test.h"

#define NETS		"/sys/class/net"
#define NOBODY		65534

/* ---- netlink -------------------------------------------------------------------------- */

struct message {
	struct nlmsghdr head;
	struct genlmsghdr genl;
	char data[1024];
};

static void begin(struct message *message, __u16 family, __u8 cmd)
{
	memset(message, 0, sizeof(*message));
	message->head.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	message->head.nlmsg_type = family;
	message->head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	message->genl.cmd = cmd;
	message->genl.version = 1;
}

static struct nlattr *put(struct message *message, __u16 type, const void *data, __u16 size)
{
	struct nlattr *attr = (void *)message + NLMSG_ALIGN(message->head.nlmsg_len);

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + size;
	if (size)
		memcpy((void *)attr + NLA_HDRLEN, data, size);
	message->head.nlmsg_len = NLMSG_ALIGN(message->head.nlmsg_len) + NLA_ALIGN(attr->nla_len);
	return attr;
}

static void put_u32(struct message *message, __u16 type, __u32 value)
{
	put(message, type, &value, sizeof(value));
}

/* Send and take what comes: an error or 0 if it is told, else *@answer is filled. */
static int ask(int sock, struct message *message, struct message *answer)
{
	ssize_t got;

	if (send(sock, message, message->head.nlmsg_len, 0) < 0)
		return -errno;
	got = recv(sock, answer, sizeof(*answer), 0);
	if (got < (ssize_t)sizeof(answer->head))
		return -EIO;
	if (answer->head.nlmsg_type == NLMSG_ERROR)
		return ((struct nlmsgerr *)NLMSG_DATA(&answer->head))->error;
	return 0;
}

/* Number of the family "netdev", or a negative errno. */
static int netdev_family(int sock)
{
	struct message message, answer = {};
	struct nlattr *attr = (void *)answer.data;
	int ret;

	begin(&message, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	put(&message, CTRL_ATTR_FAMILY_NAME, NETDEV_FAMILY_NAME, sizeof(NETDEV_FAMILY_NAME));
	ret = ask(sock, &message, &answer);
	if (ret)
		return ret;
	while ((void *)attr < (void *)&answer + answer.head.nlmsg_len && attr->nla_len) {
		if (attr->nla_type == CTRL_ATTR_FAMILY_ID)
			return *(__u16 *)((void *)attr + NLA_HDRLEN);
		attr = (void *)attr + NLA_ALIGN(attr->nla_len);
	}
	return -ENOENT;
}

static int netlink_open(void)
{
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

	return sock < 0 ? -errno : sock;
}

struct request {
	__u32 ifindex;
	__u32 fd;
	__u32 type;
	__u32 queue;
};

static int bind_rx(int family, const struct request *request)
{
	struct message message, answer = {};
	int sock = netlink_open(), ret;
	struct nlattr *nest;

	if (sock < 0)
		return sock;
	begin(&message, family, NETDEV_CMD_BIND_RX);
	put_u32(&message, NETDEV_A_DMABUF_IFINDEX, request->ifindex);
	put_u32(&message, NETDEV_A_DMABUF_FD, request->fd);
	nest = put(&message, NETDEV_A_DMABUF_QUEUES | NLA_F_NESTED, NULL, 0);
	put_u32(&message, NETDEV_A_QUEUE_TYPE, request->type);
	put_u32(&message, NETDEV_A_QUEUE_ID, request->queue);
	nest->nla_len = (void *)&message + message.head.nlmsg_len - (void *)nest;
	ret = ask(sock, &message, &answer);
	close(sock);
	return ret;
}

/* Index of a network device that is on a bus, 0 if there is none. */
static __u32 device_index(void)
{
	char path[PATH_MAX], text[16];
	DIR *dir = opendir(NETS);
	struct dirent *entry;
	__u32 index = 0;

	while (dir && !index && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), NETS "/%s/device", entry->d_name);
		if (access(path, F_OK))
			continue;
		snprintf(path, sizeof(path), NETS "/%s/ifindex", entry->d_name);
		if (read_file(path, text, sizeof(text)) > 0)
			index = atoi(text);
	}
	if (dir)
		closedir(dir);
	return index;
}

/* ---- cases ---------------------------------------------------------------------------- */

FIXTURE(bind) {
	int before;
	int dev;
	int buffer;
	int family;
	struct request request;
};

FIXTURE_SETUP(bind)
{
	int sock = netlink_open();

	self->before = count_buffers();
	self->dev = dev_open();
	ASSERT_LE(0, self->dev);
	self->family = netdev_family(sock);
	close(sock);
	ASSERT_LT(0, self->family);
	self->buffer = buffer_create(self->dev, 16 * PAGE);
	ASSERT_LE(0, self->buffer);
	self->request.ifindex = device_index();
	self->request.fd = self->buffer;
	self->request.type = NETDEV_QUEUE_TYPE_RX;
}

FIXTURE_TEARDOWN(bind)
{
	close(self->buffer);
	close(self->dev);
	EXPECT_TRUE(buffers_become(self->before));
}

/* How often the buffer was attached and mapped; none of it is left. */
static void expect_calls(struct __test_metadata *_metadata, int dev, int buffer,
			 int attached, int mapped)
{
	EXPECT_EQ(attached, calls(dev, buffer, DMABUF_TEST_OP_ATTACH));
	EXPECT_EQ(mapped, calls(dev, buffer, DMABUF_TEST_OP_MAP));
	EXPECT_EQ(mapped, calls(dev, buffer, DMABUF_TEST_OP_UNMAP));
	EXPECT_EQ(attached, calls(dev, buffer, DMABUF_TEST_OP_DETACH));
}

/* Passes if the buffer is attached and mapped, and neither is left when it is refused. */
TEST_F(bind, no_driver_can)
{
	int i;

	for (i = 1; i <= 100; i++)
		ASSERT_EQ(-EOPNOTSUPP, bind_rx(self->family, &self->request));
	expect_calls(_metadata, self->dev, self->buffer, 100, 100);
	/* It is as good as before. */
	EXPECT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_ATTACH));
	EXPECT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_MAP));
	EXPECT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_UNMAP));
	EXPECT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_DETACH));
}

/* Passes if buffers of heaps are mapped for the device just so, and keep their contents. */
TEST_F(bind, buffers_of_heaps)
{
	const char *const names[] = { SYSTEM_HEAP, contiguous_heap() };
	struct request request = self->request;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		int heap = heap_open(names[i], O_RDWR), buffer;
		char *map;

		if (heap < 0)
			continue;
		buffer = heap_alloc(heap, 700 * PAGE);
		ASSERT_LE(0, buffer);
		map = map_shared(buffer, 700 * PAGE);
		stamp(map, 0, 700);
		request.fd = buffer;
		EXPECT_EQ(-EOPNOTSUPP, bind_rx(self->family, &request));
		EXPECT_EQ(-1, wrong_stamp(map, 0, 700));
		munmap(map, 700 * PAGE);
		close(buffer);
		close(heap);
	}
}

/* Passes if what the exporter fails with is the error of the request. */
TEST_F(bind, exporter_fails)
{
	ASSERT_EQ(0, fail_next(self->dev, self->buffer, DMABUF_TEST_OP_ATTACH, -ENOSPC));
	EXPECT_EQ(-ENOSPC, bind_rx(self->family, &self->request));
	EXPECT_EQ(0, calls(self->dev, self->buffer, DMABUF_TEST_OP_MAP));
	EXPECT_EQ(0, calls(self->dev, self->buffer, DMABUF_TEST_OP_DETACH));
	ASSERT_EQ(0, fail_next(self->dev, self->buffer, DMABUF_TEST_OP_MAP, -ENXIO));
	EXPECT_EQ(-ENXIO, bind_rx(self->family, &self->request));
	EXPECT_EQ(0, calls(self->dev, self->buffer, DMABUF_TEST_OP_UNMAP));
	EXPECT_EQ(1, calls(self->dev, self->buffer, DMABUF_TEST_OP_DETACH));
	EXPECT_EQ(-EOPNOTSUPP, bind_rx(self->family, &self->request));
}

/* Passes if a request that is wrong says how, whether or not it gets to the buffer. */
TEST_F(bind, errors)
{
	struct request request = self->request;

	/* The request is made through a descriptor of its own. */
	request.fd = next_fd() + 1;
	EXPECT_EQ(-EBADF, bind_rx(self->family, &request));
	request.fd = -1;
	EXPECT_EQ(-EBADF, bind_rx(self->family, &request));
	request.fd = self->dev;
	EXPECT_EQ(-EINVAL, bind_rx(self->family, &request));
	request = self->request;
	request.ifindex = 12345;
	EXPECT_EQ(-ENODEV, bind_rx(self->family, &request));
	expect_calls(_metadata, self->dev, self->buffer, 0, 0);

	request = self->request;
	request.queue = 1000;
	EXPECT_EQ(-ERANGE, bind_rx(self->family, &request));
	request = self->request;
	request.type = NETDEV_QUEUE_TYPE_TX;
	EXPECT_EQ(-EINVAL, bind_rx(self->family, &request));
	expect_calls(_metadata, self->dev, self->buffer, 2, 2);
}

/* Passes if only root can. */
TEST_F(bind, by_nobody)
{
	pid_t pid = fork();

	if (!pid) {
		if (setuid(NOBODY))
			_exit(255);
		_exit(-bind_rx(self->family, &self->request));
	}
	EXPECT_EQ(EPERM, child_status(pid, SOON_MS));
	expect_calls(_metadata, self->dev, self->buffer, 0, 0);
}

/* Without a device there is nothing to run. */
int main(int argc, char **argv)
{
	int dev = dev_open();

	if (no_device(dev) || !device_index()) {
		printf("TAP version 13\n1..0 # SKIP no network device on a bus, or no "
		       DMABUF_TEST_DEVICE_PATH "\n");
		return KSFT_SKIP;
	}
	close(dev);
	return test_harness_run(argc, argv);
}
