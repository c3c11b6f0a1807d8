// SPDX-License-Identifier: GPL-2.0
/*
 * Suite "dma_buf_sysfs_stats": the directory of a buffer in sysfs, who finds it
 * when, and that it goes with the buffer.
 */
#include <linux/delay.h>
#include <linux/mman.h>
#include <linux/seq_file.h>
#include <linux/stat.h>

#include "mock.h"
#include "mock_exporter.h"
#include "mock_fence.h"
#include "mock_fs.h"

/* Long after the worker has been there. */
#define WORKER_TIMEOUT_MS 5000

/* Buffers of the cases that need some. */
#define NR_BUFFERS 16

/* What each case has, as &kunit.priv. */
struct stats_test {
	struct vfsmount *sysfs;
	struct vfsmount *debugfs;
};

static int stats_test_init(struct kunit *test)
{
	struct stats_test *ctx;
	int ret = mock_fence_init(test);

	if (ret)
		return ret;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	if (!ctx)
		return -ENOMEM;

	test->priv = ctx;
	ctx->sysfs = mock_fs_mount(test, "sysfs");
	return PTR_ERR_OR_ZERO(ctx->sysfs);
}

/* The number of a buffer, which nobody tells us. */
static unsigned long ino_of(struct dma_buf *dmabuf)
{
	return file_inode(dmabuf->file)->i_ino;
}

static struct file *stats_open(struct kunit *test, unsigned long ino,
			       const char *name)
{
	struct stats_test *ctx = test->priv;
	char path[64];

	snprintf(path, sizeof(path), "kernel/dmabuf/buffers/%lu%s%s", ino,
		 *name ? "/" : "", name);
	return mock_fs_open(ctx->sysfs, path, O_RDONLY);
}

/* What a file of a buffer says: a length or a negative errno, and the text. */
static ssize_t stats_read(struct kunit *test, unsigned long ino,
			  const char *name, char *text, size_t size)
{
	struct file *file = stats_open(test, ino, name);
	loff_t pos = 0;
	ssize_t ret;

	memset(text, 0, size);
	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = kernel_read(file, text, size - 1, &pos);
	__fput_sync(file);
	return ret;
}

static bool is_there(struct kunit *test, unsigned long ino)
{
	struct file *file = stats_open(test, ino, "");

	if (IS_ERR(file)) {
		KUNIT_EXPECT_EQ(test, PTR_ERR(file), -ENOENT);
		return false;
	}
	__fput_sync(file);
	return true;
}

static void expect_stats(struct kunit *test, unsigned long ino,
			 const char *exporter_name, const char *size)
{
	char text[64];

	KUNIT_EXPECT_GT(test, stats_read(test, ino, "exporter_name", text,
					 sizeof(text)), 0);
	KUNIT_EXPECT_STREQ(test, text, exporter_name);
	KUNIT_EXPECT_GT(test, stats_read(test, ino, "size", text, sizeof(text)),
			0);
	KUNIT_EXPECT_STREQ(test, text, size);
}

/* The number of a buffer as fstat() tells it. */
static unsigned long fstat_ino(struct kunit *test, struct dma_buf *dmabuf)
{
	struct kstat stat = {};

	KUNIT_ASSERT_EQ(test, 0, vfs_getattr(&dmabuf->file->f_path, &stat,
					     STATX_BASIC_STATS,
					     AT_STATX_SYNC_AS_STAT));
	return stat.ino;
}

/* Passes if who knows the number from fstat() finds the files and their text. */
static void fstat_finds_the_files(struct kunit *test)
{
	struct mock_exporter_config config = { .nr_pages = 3 };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	unsigned long ino = fstat_ino(test, exporter->dmabuf);
	char size[32];

	KUNIT_EXPECT_EQ(test, ino, ino_of(exporter->dmabuf));
	snprintf(size, sizeof(size), "%lu\n", 3 * PAGE_SIZE);
	expect_stats(test, ino, "mock_exporter\n", size);
}

/* Passes if fstat() tells the rest as it did. */
static void fstat_tells_size_and_blocks(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct kstat stat = {};

	KUNIT_ASSERT_EQ(test, 0, vfs_getattr(&exporter->dmabuf->file->f_path,
					     &stat, STATX_BASIC_STATS, 0));
	KUNIT_EXPECT_EQ(test, stat.size, mock_exporter_size(exporter));
	KUNIT_EXPECT_EQ(test, stat.blocks, mock_exporter_size(exporter) >> 9);
	KUNIT_EXPECT_EQ(test, stat.nlink, 1);
	KUNIT_EXPECT_EQ(test, stat.mode, 0600);
}

/* Passes if who knows the number from fdinfo finds the directory. */
static void fdinfo_finds_the_directory(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct dma_buf *dmabuf = exporter->dmabuf;
	struct seq_file m = { .size = 256 };

	m.buf = kunit_kzalloc(test, m.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m.buf);
	dmabuf->file->f_op->show_fdinfo(&m, dmabuf->file);
	KUNIT_EXPECT_TRUE(test, is_there(test, ino_of(dmabuf)));
}

#if IS_ENABLED(CONFIG_DEBUG_FS)
/* Passes if who knows the number from bufinfo finds the directory. */
static void bufinfo_finds_the_directory(struct kunit *test)
{
	unsigned long user = mock_user_page(test, PROT_READ | PROT_WRITE);
	struct stats_test *ctx = test->priv;
	struct mock_exporter *exporter;
	struct file *file;
	loff_t pos = 0;

	ctx->debugfs = mock_fs_mount(test, "debugfs");
	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx->debugfs));
	exporter = mock_exporter_plain(test);

	file = mock_fs_open(ctx->debugfs, "dma_buf/bufinfo", O_RDONLY);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	/* Buffers of others may be there, but not in front of the newest. */
	KUNIT_EXPECT_GT(test, file->f_op->read(file, (char __user *)user,
					       PAGE_SIZE, &pos), 0);
	__fput_sync(file);
	KUNIT_EXPECT_TRUE(test, is_there(test, ino_of(exporter->dmabuf)));
}
#endif

/* Passes if a buffer shows up though nobody asks for its number. */
static void nobody_asks_and_it_shows_up(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	unsigned long ino = ino_of(exporter->dmabuf);
	int ms;

	for (ms = 0; ms < WORKER_TIMEOUT_MS && !is_there(test, ino); ms += 20)
		msleep(20);
	KUNIT_EXPECT_TRUE(test, is_there(test, ino));
}

#if DMABUF_OURS
/* Passes if export does not make directories: of some, one is not there yet. */
static void export_makes_no_directory(struct kunit *test)
{
	int i, there = 0;

	for (i = 0; i < NR_BUFFERS; i++) {
		struct mock_exporter *exporter = mock_exporter_plain(test);

		there += is_there(test, ino_of(exporter->dmabuf));
	}
	KUNIT_EXPECT_LT(test, there, NR_BUFFERS);
}
#endif

/* Passes if a directory goes with its buffer, however it came to be. */
static void close_removes_the_directory(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	unsigned long ino = fstat_ino(test, exporter->dmabuf);

	KUNIT_EXPECT_TRUE(test, is_there(test, ino));
	mock_exporter_put(exporter);
	KUNIT_ASSERT_TRUE(test, mock_exporter_is_released(exporter));
	KUNIT_EXPECT_FALSE(test, is_there(test, ino));
}

/* Passes if a buffer that is closed at once does not show up later. */
static void close_at_once_leaves_nothing(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	unsigned long ino = ino_of(exporter->dmabuf);

	mock_exporter_put(exporter);
	KUNIT_ASSERT_TRUE(test, mock_exporter_is_released(exporter));
	KUNIT_EXPECT_FALSE(test, is_there(test, ino));
	/* Somebody else's number makes the next pass happen. */
	exporter = mock_exporter_plain(test);
	KUNIT_EXPECT_TRUE(test, is_there(test, fstat_ino(test, exporter->dmabuf)));
	KUNIT_EXPECT_FALSE(test, is_there(test, ino));
}

/* Passes if a file that is open when its buffer goes reads an error. */
static void read_after_close_is_enodev(struct kunit *test)
{
	static const char * const names[] = { "exporter_name", "size" };
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		struct mock_exporter *exporter = mock_exporter_plain(test);
		unsigned long ino = fstat_ino(test, exporter->dmabuf);
		struct file *file = stats_open(test, ino, names[i]);
		char text[64];
		loff_t pos = 0;

		KUNIT_ASSERT_FALSE(test, IS_ERR(file));
		mock_exporter_put(exporter);
		KUNIT_ASSERT_TRUE(test, mock_exporter_is_released(exporter));
		KUNIT_EXPECT_EQ(test, -ENODEV,
				kernel_read(file, text, sizeof(text), &pos));
		__fput_sync(file);
	}
}

/* Passes if the files can be read by everybody and written by nobody. */
static void files_are_read_only(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	unsigned long ino = fstat_ino(test, exporter->dmabuf);
	static const char * const names[] = { "exporter_name", "size" };
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		struct file *file = stats_open(test, ino, names[i]);

		KUNIT_ASSERT_FALSE(test, IS_ERR(file));
		KUNIT_EXPECT_EQ(test, file_inode(file)->i_mode, S_IFREG | 0444);
		__fput_sync(file);
	}
}

/* What release found. */
struct last_look {
	unsigned long ino;
	bool there;
};

static void look_at_release(struct mock_exporter *exporter, enum mock_op op)
{
	struct last_look *look = exporter->hook_data;

	if (op == MOCK_RELEASE)
		look->there = is_there(exporter->test, look->ino);
}

/* Passes if the directory is gone when the exporter releases the memory. */
static void release_comes_after_the_directory(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct last_look look = { .there = true };

	look.ino = fstat_ino(test, exporter->dmabuf);
	KUNIT_EXPECT_TRUE(test, is_there(test, look.ino));
	exporter->hook = look_at_release;
	exporter->hook_data = &look;
	mock_exporter_put(exporter);
	KUNIT_ASSERT_TRUE(test, mock_exporter_is_released(exporter));
	KUNIT_EXPECT_FALSE(test, look.there);
}

/* --- Races -------------------------------------------------------------- */

struct race {
	struct kunit *test;
	struct dma_buf *closing[4];
	unsigned long ino[4];
	struct dma_buf *open;
	unsigned long open_ino;
	ssize_t got[4];
};

static struct sg_table *race_map(struct dma_buf_attachment *attach,
				 enum dma_data_direction dir)
{
	return ERR_PTR(-EIO);
}

static void race_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		       enum dma_data_direction dir)
{
}

static void race_release(struct dma_buf *dmabuf)
{
}

static const struct dma_buf_ops race_ops = {
	.map_dma_buf = race_map,
	.unmap_dma_buf = race_unmap,
	.release = race_release,
};

static struct dma_buf *race_export(struct kunit *test)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.ops = &race_ops;
	info.size = PAGE_SIZE;
	info.flags = O_RDWR;
	info.priv = test;
	dmabuf = dma_buf_export(&info);
	KUNIT_ASSERT_FALSE(test, IS_ERR(dmabuf));
	return dmabuf;
}

static void race_prepare(struct kunit *test, void *ctx)
{
	struct race *race = ctx;
	int i;

	for (i = 0; i < ARRAY_SIZE(race->closing); i++) {
		race->closing[i] = race_export(test);
		race->ino[i] = ino_of(race->closing[i]);
		/* Some have their directory, some are still pending. */
		if (i == 1)
			fstat_ino(test, race->closing[i]);
	}
	race->open = race_export(test);
}

static void race_close(void *ctx)
{
	struct race *race = ctx;
	int i;

	for (i = 0; i < ARRAY_SIZE(race->closing); i++)
		__fput_sync(race->closing[i]->file);
}

static void race_fstat(void *ctx)
{
	struct race *race = ctx;
	struct kstat stat = {};

	race->open_ino = 0;
	if (!vfs_getattr(&race->open->file->f_path, &stat, STATX_INO, 0) &&
	    is_there(race->test, stat.ino))
		race->open_ino = stat.ino;
}

static void race_read(void *ctx)
{
	struct race *race = ctx;
	char text[64];
	int i;

	for (i = 0; i < ARRAY_SIZE(race->got); i++)
		race->got[i] = stats_read(race->test, race->ino[i],
					  "exporter_name", text, sizeof(text));
}

static void race_check(struct kunit *test, void *ctx)
{
	struct race *race = ctx;
	int i;

	KUNIT_EXPECT_EQ(test, race->open_ino, ino_of(race->open));
	for (i = 0; i < ARRAY_SIZE(race->ino); i++) {
		KUNIT_EXPECT_FALSE(test, is_there(test, race->ino[i]));
		if (race->got[i] != -ENOENT && race->got[i] != -ENODEV)
			KUNIT_EXPECT_EQ(test, race->got[i],
					strlen(KBUILD_MODNAME) + 1);
	}
	__fput_sync(race->open->file);
}

/*
 * Passes if directories are made, read and removed at the same time, one who asks
 * for a number finds its own, and none outlives its buffer.
 */
static void close_while_published_and_read(struct kunit *test)
{
	struct race ctx = { .test = test };
	const struct mock_race race = {
		.ctx = &ctx,
		.rounds = 100,
		.prepare = race_prepare,
		.check = race_check,
		.racer = { race_close, race_fstat, race_read },
	};

	mock_race(test, &race);
}

struct fstat_race {
	struct kunit *test;
	struct dma_buf *dmabuf[3];
	atomic_t next;
	atomic_t missing;
};

static void fstat_race_prepare(struct kunit *test, void *ctx)
{
	struct fstat_race *race = ctx;
	int i;

	for (i = 0; i < ARRAY_SIZE(race->dmabuf); i++)
		race->dmabuf[i] = race_export(test);
	atomic_set(&race->next, 0);
}

/* Each has a buffer of his own. */
static void race_fstat_own(void *ctx)
{
	struct fstat_race *race = ctx;
	struct dma_buf *dmabuf = race->dmabuf[atomic_fetch_inc(&race->next)];
	struct kstat stat = {};

	if (vfs_getattr(&dmabuf->file->f_path, &stat, STATX_INO, 0) ||
	    !is_there(race->test, stat.ino))
		atomic_inc(&race->missing);
}

static void fstat_race_check(struct kunit *test, void *ctx)
{
	struct fstat_race *race = ctx;
	int i;

	for (i = 0; i < ARRAY_SIZE(race->dmabuf); i++)
		__fput_sync(race->dmabuf[i]->file);
}

/* Passes if who asks for a number finds it, though another is at work on the same list. */
static void fstat_while_others_fstat(struct kunit *test)
{
	struct fstat_race ctx = { .test = test };
	const struct mock_race race = {
		.ctx = &ctx,
		.rounds = 200,
		.prepare = fstat_race_prepare,
		.check = fstat_race_check,
		.racer = { race_fstat_own, race_fstat_own, race_fstat_own },
	};

	mock_race(test, &race);
	KUNIT_EXPECT_EQ(test, atomic_read(&ctx.missing), 0);
}

static struct kunit_case dma_buf_sysfs_stats_cases[] = {
	KUNIT_CASE(fstat_finds_the_files),
	KUNIT_CASE(fstat_tells_size_and_blocks),
	KUNIT_CASE(fdinfo_finds_the_directory),
#if IS_ENABLED(CONFIG_DEBUG_FS)
	KUNIT_CASE(bufinfo_finds_the_directory),
#endif
	KUNIT_CASE(nobody_asks_and_it_shows_up),
#if DMABUF_OURS
	KUNIT_CASE(export_makes_no_directory),
#endif
	KUNIT_CASE(close_removes_the_directory),
	KUNIT_CASE(close_at_once_leaves_nothing),
	KUNIT_CASE(release_comes_after_the_directory),
	KUNIT_CASE(read_after_close_is_enodev),
	KUNIT_CASE(files_are_read_only),
	KUNIT_CASE_SLOW(close_while_published_and_read),
	KUNIT_CASE_SLOW(fstat_while_others_fstat),
	{}
};

static struct kunit_suite dma_buf_sysfs_stats_suite = {
	.name = "dma_buf_sysfs_stats",
	.init = stats_test_init,
	.test_cases = dma_buf_sysfs_stats_cases,
};

kunit_test_suite(dma_buf_sysfs_stats_suite);
