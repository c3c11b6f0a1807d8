// SPDX-License-Identifier: GPL-2.0
/*
 * What people and tools can read about a dma-buf: fdinfo, the name in
 * /proc/PID/maps and /proc/PID/fd, and bufinfo in debugfs. Tools parse all of
 * it, so the text is compared byte by byte.
 */
#include "dmabuf_test.h"

#define BUFINFO		"/sys/kernel/debug/dma_buf/bufinfo"
#define NR_PAGES	2
#define TEXT_SIZE	65536

FIXTURE(info) {
	int dev;
	int buffer;
	size_t size;
	char text[TEXT_SIZE];
};

FIXTURE_SETUP(info)
{
	self->dev = dev_open();
	if (no_device(self->dev))
		SKIP(return, NO_DEVICE);
	ASSERT_LE(0, self->dev);
	self->size = NR_PAGES * PAGE;
	self->buffer = buffer_create(self->dev, self->size);
	ASSERT_LE(0, self->buffer);
}

FIXTURE_TEARDOWN(info)
{
	close(self->buffer);
	close(self->dev);
}

/* ---- /proc ---------------------------------------------------------------------- */

/* What a buffer adds to fdinfo, behind the lines that every file has. */
static const char *read_fdinfo(char *text, int buffer)
{
	char path[64], *own;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", buffer);
	if (read_file(path, text, TEXT_SIZE) < 0)
		return "(none)";
	own = strstr(text, "\nsize:");
	return own ? own + 1 : "(nothing)";
}

static const char *expected_fdinfo(size_t size, int count, const char *name)
{
	static char text[256];
	int len;

	len = snprintf(text, sizeof(text), "size:\t%zu\ncount:\t%d\nexp_name:\t%s\n",
		       size, count, DMABUF_TEST_NAME);
	if (name)
		snprintf(text + len, sizeof(text) - len, "name:\t%s\n", name);
	return text;
}

/* Passes if fdinfo says exactly what 6.12's does, with a name and without. */
TEST_F(info, fdinfo_text)
{
	EXPECT_STREQ(expected_fdinfo(self->size, 1, NULL),
		     read_fdinfo(self->text, self->buffer));
	ASSERT_EQ(0, buffer_name(self->buffer, "a name"));
	EXPECT_STREQ(expected_fdinfo(self->size, 1, "a name"),
		     read_fdinfo(self->text, self->buffer));
	ASSERT_EQ(0, buffer_name(self->buffer, ""));
	EXPECT_STREQ(expected_fdinfo(self->size, 1, ""),
		     read_fdinfo(self->text, self->buffer));
}

/* Passes if everything that keeps the buffer is counted: descriptors, mappings, importers. */
TEST_F(info, fdinfo_count)
{
	int copy = dup(self->buffer);
	void *map;

	EXPECT_STREQ(expected_fdinfo(self->size, 2, NULL),
		     read_fdinfo(self->text, self->buffer));
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->buffer, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_STREQ(expected_fdinfo(self->size, 3, NULL),
		     read_fdinfo(self->text, self->buffer));
	ASSERT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_ATTACH));
	EXPECT_STREQ(expected_fdinfo(self->size, 4, NULL),
		     read_fdinfo(self->text, self->buffer));

	ASSERT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_DETACH));
	munmap(map, PAGE);
	close(copy);
	EXPECT_STREQ(expected_fdinfo(self->size, 1, NULL),
		     read_fdinfo(self->text, self->buffer));
}

/* Passes if fdinfo of a buffer can be read while somebody holds its lock. */
TEST_F(info, fdinfo_while_locked)
{
	pid_t pid;

	ASSERT_EQ(0, hold_lock(self->dev, self->buffer, 2 * SOON_MS));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(strcmp(read_fdinfo(self->text, self->buffer), "(none)") ? 0 : 1);
	EXPECT_EQ(0, child_status(pid, SOON_MS));
	release_lock(self->dev);
}

/* Does a line of /proc/self/maps end with @name? */
static bool maps_has(char *text, const char *name)
{
	char *line, *end;
	size_t len = strlen(name);

	if (read_file("/proc/self/maps", text, TEXT_SIZE) < 0)
		return false;
	for (line = text; (end = strchr(line, '\n')); line = end + 1) {
		if ((size_t)(end - line) > len && !strncmp(end - len, name, len) &&
		    end[-(long)len - 1] == ' ')
			return true;
	}
	return false;
}

/* Passes if a mapping is shown under the buffer's name, which may change. */
TEST_F(info, maps_name)
{
	void *map = mmap(NULL, self->size, PROT_READ, MAP_SHARED, self->buffer, 0);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_TRUE(maps_has(self->text, "/dmabuf:"));
	ASSERT_EQ(0, buffer_name(self->buffer, "framebuffer"));
	EXPECT_TRUE(maps_has(self->text, "/dmabuf:framebuffer"));
	EXPECT_FALSE(maps_has(self->text, "/dmabuf:"));
	ASSERT_EQ(0, buffer_name(self->buffer, "0123456789012345678901234567890"));
	EXPECT_TRUE(maps_has(self->text, "/dmabuf:0123456789012345678901234567890"));

	close(self->buffer);
	EXPECT_TRUE(maps_has(self->text, "/dmabuf:0123456789012345678901234567890"));
	munmap(map, self->size);
	EXPECT_FALSE(maps_has(self->text, "/dmabuf:0123456789012345678901234567890"));
}

/* Passes if the link of the descriptor shows the same name. */
TEST_F(info, fd_link_name)
{
	char path[64], link[128] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->buffer);
	ASSERT_LT(0, readlink(path, link, sizeof(link) - 1));
	EXPECT_STREQ("/dmabuf:", link);
	ASSERT_EQ(0, buffer_name(self->buffer, "linked"));
	memset(link, 0, sizeof(link));
	ASSERT_LT(0, readlink(path, link, sizeof(link) - 1));
	EXPECT_STREQ("/dmabuf:linked", link);
}

/* ---- debugfs ---------------------------------------------------------------------- */

FIXTURE(bufinfo) {
	int dev;
	int buffer;
	size_t size;
	char text[TEXT_SIZE];
};

FIXTURE_SETUP(bufinfo)
{
	self->dev = dev_open();
	if (no_device(self->dev))
		SKIP(return, NO_DEVICE);
	ASSERT_LE(0, self->dev);
	if (access(BUFINFO, R_OK))
		SKIP(return, "no " BUFINFO);
	self->size = NR_PAGES * PAGE;
	self->buffer = buffer_create(self->dev, self->size);
	ASSERT_LE(0, self->buffer);
}

FIXTURE_TEARDOWN(bufinfo)
{
	close(self->buffer);
	close(self->dev);
}

/* The paragraph about a buffer, up to the empty line, or "" if there is none. */
static char *paragraph(char *text, int buffer, const char *name)
{
	struct stat stat;
	char *line, *end;
	char row[128];

	fstat(buffer, &stat);
	snprintf(row, sizeof(row), "\t%s\t%08lu\t%s\n", DMABUF_TEST_NAME,
		 (unsigned long)stat.st_ino, name ?: "<none>");
	line = strstr(text, row);
	if (!line)
		return "";
	while (line > text && line[-1] != '\n')
		line--;
	end = strstr(line, "\n\n");
	if (end)
		end[1] = '\0';
	return line;
}

/* Passes if the head line is what tools know, and so is the sum at the end. */
TEST_F(bufinfo, head_and_foot)
{
	static const char head[] = "\nDma-buf Objects:\n"
		"size    \tflags   \tmode    \tcount   \texp_name\tino     \tname\n";
	struct dmabuf_test_live before, after;
	unsigned long objects, bytes;
	char *foot, expected[64];
	int nr;

	before = live(self->dev);
	ASSERT_LT(0, read_file(BUFINFO, self->text, TEXT_SIZE));
	after = live(self->dev);
	EXPECT_EQ(0, strncmp(self->text, head, strlen(head))) {
		TH_LOG("%.*s", 150, self->text);
	}

	foot = strstr(self->text, "\nTotal ");
	while (foot && strstr(foot + 1, "\nTotal "))
		foot = strstr(foot + 1, "\nTotal ");
	ASSERT_NE(NULL, foot);
	nr = sscanf(foot, "\nTotal %lu objects, %lu bytes", &objects, &bytes);
	ASSERT_EQ(2, nr);
	snprintf(expected, sizeof(expected), "\nTotal %lu objects, %lu bytes\n",
		 objects, bytes);
	EXPECT_STREQ(expected, foot);
	EXPECT_LE(before.buffers, objects);
	EXPECT_LE(after.buffers, objects);
	EXPECT_LE(self->size, bytes);
}

/* Passes if the row of a buffer has all eight columns right. */
TEST_F(bufinfo, row)
{
	char expected[256], copy[256];
	unsigned int flags, mode;
	struct stat stat;
	char *row;
	int nr;

	ASSERT_EQ(0, buffer_name(self->buffer, "my buffer"));
	ASSERT_LT(0, read_file(BUFINFO, self->text, TEXT_SIZE));
	row = paragraph(self->text, self->buffer, "my buffer");
	snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(row, "\n"), row);
	nr = sscanf(copy, "%*u\t%x\t%x", &flags, &mode);
	ASSERT_EQ(2, nr) {
		TH_LOG("row: %s", row);
	}
	EXPECT_EQ(O_RDWR, (int)flags & O_ACCMODE);
	EXPECT_EQ(3, (int)mode & 3);	/* Can be read and written. */

	ASSERT_EQ(0, fstat(self->buffer, &stat));
	snprintf(expected, sizeof(expected), "%08zu\t%08x\t%08x\t%08d\t%s\t%08lu\t%s",
		 self->size, flags, mode, 1, DMABUF_TEST_NAME,
		 (unsigned long)stat.st_ino, "my buffer");
	EXPECT_STREQ(expected, copy);
}

/* Passes if a buffer without name, fences and importers has a short paragraph. */
TEST_F(bufinfo, idle_buffer)
{
	char *row;

	ASSERT_LT(0, read_file(BUFINFO, self->text, TEXT_SIZE));
	row = paragraph(self->text, self->buffer, NULL);
	ASSERT_NE(NULL, strchr(row, '\n'));
	EXPECT_STREQ("\tAttached Devices:\nTotal 0 devices attached\n",
		     strchr(row, '\n') + 1);
}

/* Passes if an importer is listed under the name of its device. */
TEST_F(bufinfo, attached_device)
{
	char *row;

	ASSERT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_ATTACH));
	ASSERT_LT(0, read_file(BUFINFO, self->text, TEXT_SIZE));
	row = paragraph(self->text, self->buffer, NULL);
	ASSERT_NE(NULL, strchr(row, '\n'));
	EXPECT_STREQ("\tAttached Devices:\n\t" DMABUF_TEST_NAME "\n"
		     "Total 1 devices attached\n", strchr(row, '\n') + 1);
	ASSERT_EQ(0, import_step(self->dev, self->buffer, DMABUF_TEST_DETACH));
}

/* The line about a pending fence. */
static const char *fence_line(const char *usage)
{
	static char line[128];

	snprintf(line, sizeof(line), "\t%s fence:%s %s seq 1 unsignalled\n", usage,
		 DMABUF_TEST_NAME, DMABUF_TEST_TIMELINE);
	return line;
}

/* Passes if a newer buffer comes before an older one, also with some gone in between. */
TEST_F(bufinfo, newest_first)
{
	int buffers[64], nr = ARRAY_SIZE(buffers), i, found = 0;
	unsigned long ino, last = ~0UL;
	char name[16], *line;

	for (i = 0; i < nr; i++) {
		buffers[i] = buffer_create(self->dev, PAGE);
		ASSERT_LE(0, buffers[i]);
		ASSERT_EQ(0, buffer_name(buffers[i], "one of many"));
	}
	for (i = 1; i < nr; i += 3)
		close(buffers[i]);

	ASSERT_LT(0, read_file(BUFINFO, self->text, TEXT_SIZE));
	for (line = strtok(self->text, "\n"); line; line = strtok(NULL, "\n")) {
		if (!strstr(line, "\tone of many") ||
		    sscanf(line, "%*u %*x %*x %*d %15s %lu", name, &ino) != 2)
			continue;
		EXPECT_GT(last, ino);
		last = ino;
		found++;
	}
	EXPECT_EQ(nr - nr / 3, found);

	for (i = 0; i < nr; i++)
		if (i % 3 != 1)
			close(buffers[i]);
}

/* Passes if pending fences are listed with usage, driver, timeline and number. */
TEST_F(bufinfo, fences)
{
	struct fence fence;
	char *row;

	ASSERT_EQ(0, fence_put_on(self->dev, self->buffer, KERNEL, &fence));
	ASSERT_EQ(0, fence_put_on(self->dev, self->buffer, WRITE, &fence));
	ASSERT_EQ(0, fence_put_on(self->dev, self->buffer, READ, &fence));
	ASSERT_LT(0, read_file(BUFINFO, self->text, TEXT_SIZE));
	row = paragraph(self->text, self->buffer, NULL);
	EXPECT_NE(NULL, strstr(row, fence_line("kernel"))) {
		TH_LOG("%s", row);
	}
	EXPECT_NE(NULL, strstr(row, fence_line("write")));
	EXPECT_NE(NULL, strstr(row, fence_line("read")));
}

/* Passes if no fence is kept from those who look for what holds a buffer. */
TEST_F(bufinfo, bookkeep_fence)
{
	struct fence fence;
	char *row;

	ASSERT_EQ(0, fence_put_on(self->dev, self->buffer, BOOKKEEP, &fence));
	ASSERT_LT(0, read_file(BUFINFO, self->text, TEXT_SIZE));
	row = paragraph(self->text, self->buffer, NULL);
	EXPECT_NE(NULL, strstr(row, fence_line("bookkeep"))) {
		TH_LOG("%s", row);
	}
}

/* Passes if a buffer is listed from its creation to its end, under its number. */
TEST_F(bufinfo, follows_the_buffers)
{
	int buffer = buffer_create(self->dev, PAGE);
	struct dmabuf_test_live want;
	char row[64];
	struct stat stat;

	ASSERT_LE(0, buffer);
	ASSERT_EQ(0, fstat(buffer, &stat));
	snprintf(row, sizeof(row), "\t%08lu\t<none>\n", (unsigned long)stat.st_ino);
	ASSERT_LT(0, read_file(BUFINFO, self->text, TEXT_SIZE));
	EXPECT_NE(NULL, strstr(self->text, row));

	want = live(self->dev);
	want.buffers--;
	close(buffer);
	ASSERT_TRUE(live_becomes(self->dev, want));
	ASSERT_LT(0, read_file(BUFINFO, self->text, TEXT_SIZE));
	EXPECT_EQ(NULL, strstr(self->text, row));
}

/* Passes if many buffers are all listed, more than one buffer of text full. */
TEST_F(bufinfo, of_many)
{
	int buffers[200], i;
	char *text = malloc(1 << 20), *place;
	struct stat stat;
	char row[64];

	for (i = 0; i < 200; i++) {
		buffers[i] = buffer_create(self->dev, PAGE);
		ASSERT_LE(0, buffers[i]);
	}
	ASSERT_LT(0, read_file(BUFINFO, text, 1 << 20));
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, fstat(buffers[i], &stat));
		snprintf(row, sizeof(row), "\t%08lu\t<none>\n",
			 (unsigned long)stat.st_ino);
		place = strstr(text, row);
		ASSERT_NE(NULL, place);
		EXPECT_EQ(NULL, strstr(place + 1, row));
	}
	EXPECT_NE(NULL, strstr(text, "\nTotal "));
	free(text);
}

/*
 * Passes if a reader of bufinfo who has to wait for the lock of one buffer keeps
 * nobody from making and closing another one.
 */
TEST_F(bufinfo, reader_keeps_nobody_waiting)
{
	pid_t reader, other;

	ASSERT_EQ(0, hold_lock(self->dev, self->buffer, 2 * SOON_MS));
	reader = fork();
	ASSERT_LE(0, reader);
	if (!reader)
		_exit(read_file(BUFINFO, self->text, TEXT_SIZE) > 0 ? 0 : 1);
	sleep_ms(NEVER_MS);

	other = fork();
	ASSERT_LE(0, other);
	if (!other) {
		int buffer = buffer_create(self->dev, PAGE);

		close(buffer);
		_exit(buffer < 0);
	}
	EXPECT_EQ(0, child_status(other, SOON_MS / 2));
	release_lock(self->dev);
	EXPECT_EQ(0, child_status(reader, SOON_MS));
}

TEST_HARNESS_MAIN
