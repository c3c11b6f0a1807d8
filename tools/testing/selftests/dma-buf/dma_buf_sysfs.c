// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/dmabuf/buffers: a directory for every buffer. Who knows the number
 * of a buffer finds it, in whatever way the number came, and never finds
 * a buffer that is gone.
 */
#include <sys/sysmacros.h>

#include "dmabuf_test.h"

#define BUFFERS		"/sys/kernel/dmabuf/buffers"
#define BUFINFO		"/sys/kernel/debug/dma_buf/bufinfo"
#define NR_PAGES	3
#define NR_MANY		100
#define NOBODY		65534
#define STRESS_MS	3000
#define TEXT_SIZE	(1024 * 1024)

FIXTURE(sysfs) {
	int dev;
	int buffer;
	char *text;
};

FIXTURE_SETUP(sysfs)
{
	self->dev = dev_open();
	if (no_device(self->dev))
		SKIP(return, NO_DEVICE);
	ASSERT_LE(0, self->dev);
	if (access(BUFFERS, F_OK))
		SKIP(return, "no " BUFFERS);
	self->buffer = buffer_create(self->dev, NR_PAGES * PAGE);
	ASSERT_LE(0, self->buffer);
	self->text = malloc(TEXT_SIZE);
	ASSERT_NE(NULL, self->text);
}

FIXTURE_TEARDOWN(sysfs)
{
	free(self->text);
	close(self->buffer);
	close(self->dev);
}

static unsigned long number(int buffer)
{
	struct stat stat_buf;

	return fstat(buffer, &stat_buf) ? 0 : stat_buf.st_ino;
}

static const char *path_of(unsigned long ino, const char *name)
{
	static __thread char path[128];

	snprintf(path, sizeof(path), BUFFERS "/%lu/%s", ino, name);
	return path;
}

static bool is_there(unsigned long ino)
{
	return !access(path_of(ino, ""), F_OK);
}

/* The number in @text behind @before, or 0. */
static unsigned long number_in(const char *text, const char *before)
{
	const char *at = strstr(text, before);

	return at ? strtoul(at + strlen(before), NULL, 10) : 0;
}

/* ---- contents -------------------------------------------------------------- */

/* Passes if both files have one line each, and nothing else is there. */
TEST_F(sysfs, files)
{
	unsigned long ino = number(self->buffer);
	char want[32];
	struct dirent *entry;
	int entries = 0;
	DIR *dir;

	ASSERT_LT(0, read_file(path_of(ino, "exporter_name"), self->text, TEXT_SIZE));
	EXPECT_STREQ(DMABUF_TEST_NAME "\n", self->text);
	ASSERT_LT(0, read_file(path_of(ino, "size"), self->text, TEXT_SIZE));
	snprintf(want, sizeof(want), "%zu\n", NR_PAGES * PAGE);
	EXPECT_STREQ(want, self->text);

	dir = opendir(path_of(ino, ""));
	ASSERT_NE(NULL, dir);
	while ((entry = readdir(dir)))
		entries += entry->d_name[0] != '.';
	closedir(dir);
	EXPECT_EQ(2, entries);
}

/* Passes if nobody can write, and everybody can read. */
TEST_F(sysfs, modes)
{
	static const char * const names[] = { "exporter_name", "size" };
	unsigned long ino = number(self->buffer);
	struct stat stat_buf;
	unsigned int i;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		const char *path = path_of(ino, names[i]);

		ASSERT_EQ(0, stat(path, &stat_buf));
		EXPECT_EQ(S_IFREG | 0444, (int)stat_buf.st_mode);
		EXPECT_EQ(-EACCES, write_file(path, "1"));
		pid = fork();
		if (!pid) {
			if (setuid(NOBODY))
				_exit(1);
			_exit(read_file(path, self->text, TEXT_SIZE) > 0 ? 42 : 2);
		}
		EXPECT_EQ(42, child_status(pid, SOON_MS));
	}
}

/* ---- who knows the number -------------------------------------------------- */

/* Passes if fstat() of a buffer is followed by a directory, every time. */
TEST_F(sysfs, fstat)
{
	int i;

	for (i = 0; i < NR_MANY; i++) {
		int buffer = buffer_create(self->dev, PAGE);

		ASSERT_TRUE(is_there(number(buffer)));
		close(buffer);
	}
}

/* Passes if fstat() tells the rest as ever. */
TEST_F(sysfs, fstat_of_the_rest)
{
	struct stat stat_buf;

	ASSERT_EQ(0, fstat(self->buffer, &stat_buf));
	EXPECT_EQ((off_t)(NR_PAGES * PAGE), stat_buf.st_size);
	EXPECT_EQ((blkcnt_t)(NR_PAGES * PAGE / 512), stat_buf.st_blocks);
	EXPECT_EQ(1, (int)stat_buf.st_nlink);
	EXPECT_EQ(0600, (int)stat_buf.st_mode);
	EXPECT_EQ(0, (int)stat_buf.st_uid);
	EXPECT_EQ(0, (int)major(stat_buf.st_dev));
}

/* Passes if the way by /proc/self/fd leads to the same. */
TEST_F(sysfs, stat_in_proc)
{
	struct stat stat_buf;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->buffer);
	ASSERT_EQ(0, stat(path, &stat_buf));
	EXPECT_TRUE(is_there(stat_buf.st_ino));
}

/* Passes if the number in fdinfo leads there. */
TEST_F(sysfs, fdinfo)
{
	unsigned long ino;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", self->buffer);
	ASSERT_LT(0, read_file(path, self->text, TEXT_SIZE));
	ino = number_in(self->text, "\nino:\t");
	EXPECT_TRUE(is_there(ino));
	EXPECT_EQ(ino, number(self->buffer));
}

/* Passes if every number in bufinfo leads there. */
TEST_F(sysfs, bufinfo)
{
	int buffers[NR_MANY], i, found = 0;
	unsigned long ino;
	char *line, *save;

	for (i = 0; i < NR_MANY; i++)
		buffers[i] = buffer_create(self->dev, PAGE);
	if (read_file(BUFINFO, self->text, TEXT_SIZE) < 0)
		SKIP(return, "no " BUFINFO);
	for (line = strtok_r(self->text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "%*d %*x %*x %*d " DMABUF_TEST_NAME " %lu", &ino) != 1)
			continue;
		EXPECT_TRUE(is_there(ino));
		found++;
	}
	EXPECT_LE(NR_MANY + 1, found);
	for (i = 0; i < NR_MANY; i++)
		close(buffers[i]);
}

/* Passes if a buffer is there after a while though nobody asked. */
TEST_F(sysfs, nobody_asks)
{
	long end = now_ms() + SOON_MS;
	unsigned long last = 0, ino;
	struct dirent *entry;
	int buffer;
	DIR *dir;

	/* Numbers go up: the next one will be larger. */
	last = number(self->buffer);
	buffer = buffer_create(self->dev, PAGE);
	for (ino = 0; ino <= last && now_ms() < end; sleep_ms(20)) {
		dir = opendir(BUFFERS);
		ASSERT_NE(NULL, dir);
		while ((entry = readdir(dir)))
			if (strtoul(entry->d_name, NULL, 10) > last)
				ino = strtoul(entry->d_name, NULL, 10);
		closedir(dir);
	}
	EXPECT_LT(last, ino);
	EXPECT_EQ(number(buffer), ino);
	close(buffer);
}

/* ---- the end of a buffer --------------------------------------------------- */

/* Passes if a directory stays as long as anybody has the buffer, and no longer. */
TEST_F(sysfs, close)
{
	int buffer = buffer_create(self->dev, PAGE), copy = dup(buffer);
	unsigned long ino = number(buffer);
	void *map;

	close(buffer);
	EXPECT_TRUE(is_there(ino));
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, copy, 0);
	ASSERT_NE(MAP_FAILED, map);
	close(copy);
	EXPECT_TRUE(is_there(ino));
	munmap(map, PAGE);
	EXPECT_FALSE(is_there(ino));
}

/* Passes if a file that is open when the buffer goes gives an error. */
TEST_F(sysfs, read_after_close)
{
	int buffer = buffer_create(self->dev, PAGE);
	unsigned long ino = number(buffer);
	int name = open(path_of(ino, "exporter_name"), O_RDONLY);
	int size = open(path_of(ino, "size"), O_RDONLY);
	char byte;

	ASSERT_LE(0, name);
	ASSERT_LE(0, size);
	EXPECT_EQ(1, pread(name, &byte, 1, 0));
	close(buffer);
	EXPECT_EQ(-1, pread(name, &byte, 1, 0));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(-1, read(size, &byte, 1));
	EXPECT_EQ(ENODEV, errno);
	close(name);
	close(size);
}

struct walker {
	pthread_t thread;
	bool stop;
	int error;
	long lines;
};

/* Read all that is there, over and over. What goes meanwhile is no error. */
static void *walk(void *arg)
{
	static const char * const names[] = { "exporter_name", "size" };
	struct walker *walker = arg;
	struct dirent *entry;
	char text[64];
	DIR *dir;

	while (!__atomic_load_n(&walker->stop, __ATOMIC_RELAXED)) {
		dir = opendir(BUFFERS);
		while ((entry = readdir(dir))) {
			unsigned long ino = strtoul(entry->d_name, NULL, 10);
			int i, ret;

			for (i = 0; ino && i < 2; i++) {
				ret = read_file(path_of(ino, names[i]), text,
						sizeof(text));
				if (ret > 0 && text[ret - 1] == '\n')
					walker->lines++;
				else if (ret != -ENOENT && ret != -ENODEV)
					walker->error = ret ? ret : -1;
			}
		}
		closedir(dir);
	}
	return NULL;
}

struct closer {
	pthread_t thread;
	int dev;
	int missing;
	int left;
};

/* Make buffers, ask for the number of every third, and close them. */
static void *open_and_close(void *arg)
{
	struct closer *closer = arg;
	long end = now_ms() + STRESS_MS;
	int i;

	for (i = 0; i < 300 && now_ms() < end; i++) {
		int buffer = buffer_create(closer->dev, PAGE);
		unsigned long ino;

		if (i % 3) {
			if (i % 50 == 1)
				sleep_ms(25);
			close(buffer);
			continue;
		}
		ino = number(buffer);
		closer->missing += !is_there(ino);
		close(buffer);
		closer->left += is_there(ino);
	}
	return NULL;
}

/* Passes if buffers come and go while others read, and no directory is wrong. */
TEST_F(sysfs, threads)
{
	struct closer closers[3] = {};
	struct walker walker = {};
	int i;

	ASSERT_EQ(0, pthread_create(&walker.thread, NULL, walk, &walker));
	for (i = 0; i < 3; i++) {
		closers[i].dev = self->dev;
		ASSERT_EQ(0, pthread_create(&closers[i].thread, NULL, open_and_close,
					    &closers[i]));
	}
	for (i = 0; i < 3; i++) {
		pthread_join(closers[i].thread, NULL);
		EXPECT_EQ(0, closers[i].missing);
		EXPECT_EQ(0, closers[i].left);
	}
	__atomic_store_n(&walker.stop, true, __ATOMIC_RELAXED);
	pthread_join(walker.thread, NULL);
	EXPECT_EQ(0, walker.error);
	EXPECT_LT(0, walker.lines);
}

TEST_HARNESS_MAIN
