// SPDX-License-Identifier: GPL-2.0
/*
 * A buffer's life: what may be exported, who holds it, and what happens in
 * which order when the last one lets go.
 */

#include <linux/anon_inodes.h>
#include <linux/delay.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/path.h>
#include <linux/resource.h>
#include <linux/sched/signal.h>

#include <kunit/test.h>

#include "mock.h"
#include "mock_exporter.h"
#include "mock_fence.h"
#include "mock_importer.h"

static const struct mock_exporter_config plain_config;

/* --- What may be exported ------------------------------------------------- */

struct export_rule {
	const char *desc;
	unsigned int flags;
	unsigned long without;
	bool no_priv;
	bool no_ops;
};

static const struct export_rule broken_rules[] = {
	{ .desc = "priv_missing", .no_priv = true },
	{ .desc = "ops_missing", .no_ops = true },
	{ .desc = "release_missing", .without = BIT(MOCK_RELEASE) },
	{ .desc = "map_without_unmap", .without = BIT(MOCK_UNMAP) },
	{ .desc = "unmap_without_map", .without = BIT(MOCK_MAP) },
	{ .desc = "neither_map_nor_get_pfn", .flags = MOCK_NO_MAP },
	{ .desc = "pin_without_unpin", .flags = MOCK_MOVABLE,
	  .without = BIT(MOCK_UNPIN) },
	{ .desc = "unpin_without_pin", .flags = MOCK_MOVABLE,
	  .without = BIT(MOCK_PIN) },
	{ .desc = "cached_and_movable", .flags = MOCK_CACHED | MOCK_MOVABLE },
#if DMABUF_OURS
	{ .desc = "map_without_unmap_with_get_pfn", .flags = MOCK_PFN,
	  .without = BIT(MOCK_UNMAP) },
	{ .desc = "unmap_without_map_with_get_pfn", .flags = MOCK_PFN,
	  .without = BIT(MOCK_MAP) },
#endif
};

KUNIT_ARRAY_PARAM_DESC(broken_rule, broken_rules, desc);

/*
 * Passes if an export that breaks one rule is -EINVAL, and the exporter is
 * never called.
 */
static void export_breaking_a_rule_is_einval(struct kunit *test)
{
	const struct export_rule *rule = test->param_value;
	struct mock_exporter_config config = {
		.flags = rule->flags,
		.without = rule->without,
	};
	struct mock_exporter *exporter = mock_exporter_alloc(test, &config);

	if (rule->no_priv)
		exporter->info.priv = NULL;
	if (rule->no_ops)
		exporter->info.ops = NULL;

	dmabuf_expect_warning_begin(test);
	KUNIT_EXPECT_EQ(test, mock_exporter_try_export(exporter), -EINVAL);
	dmabuf_expect_warning_end(test);
	KUNIT_EXPECT_EQ(test, exporter->nr_log, 0);
}

static const struct export_rule kept_rules[] = {
	{ .desc = "static" },
	{ .desc = "cached", .flags = MOCK_CACHED },
	{ .desc = "movable", .flags = MOCK_MOVABLE },
	{ .desc = "only_what_is_mandatory",
	  .without = ~(BIT(MOCK_MAP) | BIT(MOCK_UNMAP) | BIT(MOCK_RELEASE)) },
#if DMABUF_OURS
	{ .desc = "pfn_only", .flags = MOCK_PFN | MOCK_NO_MAP },
	{ .desc = "pfn_only_movable",
	  .flags = MOCK_PFN | MOCK_NO_MAP | MOCK_MOVABLE },
	{ .desc = "pfn_and_map", .flags = MOCK_PFN },
#endif
};

KUNIT_ARRAY_PARAM_DESC(kept_rule, kept_rules, desc);

/* Passes if each allowed kind of exporter can export, and is released once. */
static void export_keeping_the_rules_succeeds(struct kunit *test)
{
	const struct export_rule *rule = test->param_value;
	struct mock_exporter_config config = {
		.flags = rule->flags,
		.without = rule->without,
	};
	struct mock_exporter *exporter = mock_exporter_create(test, &config);

	mock_exporter_put(exporter);
	KUNIT_EXPECT_TRUE(test, mock_exporter_is_released(exporter));
	KUNIT_EXPECT_TRUE(test, mock_exporter_saw(exporter, MOCK_RELEASE));
}

/* Passes if the buffer is what the export info describes. */
static void export_copies_the_info(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct dma_buf *dmabuf = exporter->dmabuf;

	KUNIT_EXPECT_EQ(test, dmabuf->size, mock_exporter_size(exporter));
	KUNIT_EXPECT_STREQ(test, dmabuf->exp_name, "mock_exporter");
	KUNIT_EXPECT_PTR_EQ(test, dmabuf->ops, &exporter->ops);
	KUNIT_EXPECT_PTR_EQ(test, dmabuf->priv, (void *)exporter);
	KUNIT_EXPECT_PTR_EQ(test, dmabuf->owner, THIS_MODULE);
	KUNIT_EXPECT_NULL(test, dmabuf->name);
	KUNIT_EXPECT_TRUE(test, list_empty(&dmabuf->attachments));
	KUNIT_EXPECT_EQ(test, i_size_read(file_inode(dmabuf->file)),
			mock_exporter_size(exporter));
}

/* Passes if the file can be read and written as the export's flags say. */
static void export_sets_the_file_mode(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_alloc(test, &plain_config);

	exporter->info.flags = O_RDONLY;
	mock_exporter_export(exporter);
	KUNIT_EXPECT_TRUE(test, exporter->dmabuf->file->f_mode & FMODE_READ);
	KUNIT_EXPECT_FALSE(test, exporter->dmabuf->file->f_mode & FMODE_WRITE);
}

/* Passes if a buffer without a reservation gets an idle one of its own. */
static void export_without_resv_gets_its_own(struct kunit *test)
{
	struct mock_exporter *one = mock_exporter_plain(test);
	struct mock_exporter *other = mock_exporter_plain(test);

	KUNIT_ASSERT_NOT_NULL(test, one->dmabuf->resv);
	KUNIT_EXPECT_PTR_NE(test, one->dmabuf->resv, other->dmabuf->resv);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(one->dmabuf->resv));
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(one->dmabuf->resv,
						       DMA_RESV_USAGE_BOOKKEEP));
}

static void fini_resv(void *resv)
{
	dma_resv_fini(resv);
}

/* Passes if the exporter's reservation is used, and outlives the buffer. */
static void export_with_resv_leaves_it_alone(struct kunit *test)
{
	struct mock_exporter_config config = {};
	struct dma_fence *fence = mock_fence_create(test);
	struct mock_exporter *exporter;
	struct dma_resv *resv;

	mock_fence_put_at_exit(test, fence);
	resv = kunit_kzalloc(test, sizeof(*resv), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, resv);
	dma_resv_init(resv);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, fini_resv, resv), 0);

	config.resv = resv;
	exporter = mock_exporter_create(test, &config);
	KUNIT_EXPECT_PTR_EQ(test, exporter->dmabuf->resv, resv);
	mock_exporter_add_fence(exporter, fence, DMA_RESV_USAGE_WRITE);

	mock_exporter_put(exporter);
	KUNIT_ASSERT_TRUE(test, mock_exporter_is_released(exporter));
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(resv, DMA_RESV_USAGE_WRITE));
	dma_fence_signal(fence);
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(resv, DMA_RESV_USAGE_WRITE));
}

/* Passes if no two buffers have the same number, and later ones a higher one. */
static void export_numbers_buffers_upwards(struct kunit *test)
{
	unsigned long last = 0;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		struct mock_exporter *exporter = mock_exporter_plain(test);
		unsigned long ino = file_inode(exporter->dmabuf->file)->i_ino;

		KUNIT_EXPECT_GT(test, ino, last);
		last = ino;
	}
}

/* Passes if a module on its way out cannot export any more. */
static void export_from_dying_module_is_enoent(struct kunit *test)
{
#ifdef CONFIG_MODULES
	struct mock_exporter *exporter = mock_exporter_alloc(test, &plain_config);
	struct module *dying = kunit_kzalloc(test, sizeof(*dying), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, dying);
	dying->state = MODULE_STATE_GOING;
	exporter->info.owner = dying;
	KUNIT_EXPECT_EQ(test, mock_exporter_try_export(exporter), -ENOENT);
	KUNIT_EXPECT_EQ(test, exporter->nr_log, 0);
#else
	kunit_skip(test, "needs CONFIG_MODULES");
#endif
}

/* Passes if a living buffer holds its exporter's module, and only so long. */
static void export_holds_the_module(struct kunit *test)
{
#ifdef MODULE
	struct mock_exporter *exporter = mock_exporter_alloc(test, &plain_config);
	int before = module_refcount(THIS_MODULE);
	unsigned int tries;

	mock_exporter_export(exporter);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before + 1);
	mock_exporter_put(exporter);
	KUNIT_ASSERT_TRUE(test, mock_exporter_is_released(exporter));
	/* The module is let go after the callback, perhaps by a worker. */
	for (tries = 0; tries < 50 && module_refcount(THIS_MODULE) != before; tries++)
		msleep(20);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before);
#else
	kunit_skip(test, "the suites are built in");
#endif
}

/* Passes if the macro fills in this module and its name, and nothing else. */
static void define_export_info_names_the_module(struct kunit *test)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	KUNIT_EXPECT_STREQ(test, info.exp_name, KBUILD_MODNAME);
	KUNIT_EXPECT_PTR_EQ(test, info.owner, THIS_MODULE);
	KUNIT_EXPECT_NULL(test, info.ops);
	KUNIT_EXPECT_NULL(test, info.priv);
	KUNIT_EXPECT_NULL(test, info.resv);
	KUNIT_EXPECT_EQ(test, info.size, 0);
}

/* --- References ----------------------------------------------------------- */

/*
 * Passes if the descriptor takes over the one reference, dma_buf_get() adds
 * one to the same buffer, and closing both releases it.
 */
static void fd_and_get_share_one_buffer(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct dma_buf *dmabuf = exporter->dmabuf, *again;
	int fd;

	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	KUNIT_ASSERT_GE(test, fd, 0);
	exporter->dmabuf = NULL;	/* Owned by the descriptor. */

	again = dma_buf_get(fd);
	KUNIT_EXPECT_PTR_EQ(test, again, dmabuf);
	close_fd(fd);
	flush_delayed_fput();
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_RELEASE), 0);

	if (!IS_ERR(again))
		dma_buf_put(again);
	KUNIT_EXPECT_TRUE(test, mock_exporter_is_released(exporter));
}

/* Passes if there is no descriptor for what is no buffer. */
static void fd_of_no_buffer_is_einval(struct kunit *test)
{
	struct dma_buf *unmade = kunit_kzalloc(test, sizeof(*unmade), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, unmade);
	KUNIT_EXPECT_EQ(test, dma_buf_fd(NULL, O_CLOEXEC), -EINVAL);
	KUNIT_EXPECT_EQ(test, dma_buf_fd(unmade, O_CLOEXEC), -EINVAL);
}

/*
 * Passes if a full descriptor table is -EMFILE and the reference stays with
 * the caller.
 */
static void fd_beyond_the_limit_is_emfile(struct kunit *test)
{
	struct rlimit *limit = &current->signal->rlim[RLIMIT_NOFILE];
	struct mock_exporter *exporter = mock_exporter_plain(test);
	unsigned long before = limit->rlim_cur;
	int fd;

	limit->rlim_cur = 0;
	fd = dma_buf_fd(exporter->dmabuf, O_CLOEXEC);
	limit->rlim_cur = before;

	KUNIT_EXPECT_EQ(test, fd, -EMFILE);
	flush_delayed_fput();
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_RELEASE), 0);
	KUNIT_EXPECT_EQ(test, file_count(exporter->dmabuf->file), 1);
}

/* Passes if a number that nothing is open at is -EBADF. */
static void get_closed_fd_is_ebadf(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(dma_buf_get(-1)), -EBADF);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(dma_buf_get(1000000)), -EBADF);
}

static const struct file_operations foreign_fops = {
	.owner = THIS_MODULE,
};

/* Passes if a file that is no buffer is -EINVAL, and not kept open. */
static void get_foreign_fd_is_einval(struct kunit *test)
{
	int fd = anon_inode_getfd("foreign", &foreign_fops, NULL, O_CLOEXEC);
	struct file *file;

	KUNIT_ASSERT_GE(test, fd, 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(dma_buf_get(fd)), -EINVAL);
	file = fget(fd);
	KUNIT_EXPECT_EQ(test, file_count(file), 2);
	fput(file);
	close_fd(fd);
}

/* Passes if dropping what is no buffer is reported and survived. */
static void put_null_is_survived(struct kunit *test)
{
	struct dma_buf *unmade = kunit_kzalloc(test, sizeof(*unmade), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, unmade);
	dmabuf_expect_warning_begin(test);
	dma_buf_put(NULL);
	dma_buf_put(unmade);
	dmabuf_expect_warning_end(test);
}

/* Passes if release waits for the last of three references and runs once. */
static void put_releases_with_the_last_reference(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct dma_buf *dmabuf = exporter->dmabuf;

	get_dma_buf(dmabuf);
	get_dma_buf(dmabuf);
	mock_exporter_put(exporter);
	flush_delayed_fput();
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_RELEASE), 0);
	dma_buf_put(dmabuf);
	flush_delayed_fput();
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_RELEASE), 0);
	dma_buf_put(dmabuf);
	KUNIT_EXPECT_TRUE(test, mock_exporter_is_released(exporter));
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_RELEASE), 1);
}

/* --- Release -------------------------------------------------------------- */

/*
 * Passes if the buffer lives as long as its path is held, though the file is
 * closed: whoever holds the path may print the name.
 */
static void release_waits_for_the_path(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct path path = exporter->dmabuf->file->f_path;
	char buf[64];

	path_get(&path);
	mock_exporter_put(exporter);
	flush_delayed_fput();
	KUNIT_EXPECT_EQ(test, mock_exporter_calls(exporter, MOCK_RELEASE), 0);
	KUNIT_EXPECT_STREQ(test, d_path(&path, buf, sizeof(buf)), "/dmabuf:");

	path_put(&path);
	KUNIT_EXPECT_TRUE(test, mock_exporter_is_released(exporter));
}

/* What release found. */
struct release_view {
	struct dma_buf *dmabuf;
	struct dma_fence *fence;
	bool resv_usable;
	bool members_kept;
};

static void look_around(struct mock_exporter *exporter, enum mock_op op)
{
	struct release_view *view = exporter->hook_data;
	struct dma_buf *dmabuf = view->dmabuf;

	if (op != MOCK_RELEASE)
		return;
	view->members_kept = dmabuf->size == mock_exporter_size(exporter) &&
			     dmabuf->ops == &exporter->ops;
	if (!dma_resv_trylock(dmabuf->resv))
		return;
	view->resv_usable = !dma_resv_test_signaled(dmabuf->resv,
						    DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(dmabuf->resv);
}

/*
 * Passes if release still finds the buffer complete, with its reservation and
 * the fences in it.
 */
static void release_finds_the_buffer_intact(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct release_view view = { .dmabuf = exporter->dmabuf };

	view.fence = mock_fence_create(test);
	mock_fence_put_at_exit(test, view.fence);
	mock_exporter_add_fence(exporter, view.fence, DMA_RESV_USAGE_WRITE);
	exporter->hook_data = &view;
	exporter->hook = look_around;

	mock_exporter_put(exporter);
	KUNIT_ASSERT_TRUE(test, mock_exporter_is_released(exporter));
	KUNIT_EXPECT_TRUE(test, view.members_kept);
	KUNIT_EXPECT_TRUE(test, view.resv_usable);
}

/* Passes if release comes last, after everything that an importer undoes. */
static void release_comes_after_detach(struct kunit *test)
{
	struct mock_exporter_config config = { .flags = MOCK_MOVABLE };
	struct mock_exporter *exporter = mock_exporter_create(test, &config);
	struct mock_importer *importer;

	importer = mock_importer_create(test, exporter, false);
	mock_importer_detach(importer);
	mock_exporter_put(exporter);
	KUNIT_ASSERT_TRUE(test, mock_exporter_is_released(exporter));
	KUNIT_EXPECT_TRUE(test, mock_exporter_saw(exporter, MOCK_ATTACH, MOCK_PIN,
						  MOCK_MAP, MOCK_UNMAP, MOCK_UNPIN,
						  MOCK_DETACH, MOCK_RELEASE));
}

/* Passes if the fences of a buffer that goes are let go with it. */
static void release_drops_the_fences(struct kunit *test)
{
	struct mock_exporter *exporter = mock_exporter_plain(test);
	struct dma_fence *fence = mock_fence_create(test);

	mock_fence_put_at_exit(test, fence);
	mock_exporter_add_fence(exporter, fence, DMA_RESV_USAGE_BOOKKEEP);
	KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), 2);
	mock_exporter_destroy(exporter);
	KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), 1);
}

static struct kunit_case dma_buf_cases[] = {
	KUNIT_CASE_PARAM(export_breaking_a_rule_is_einval, broken_rule_gen_params),
	KUNIT_CASE_PARAM(export_keeping_the_rules_succeeds, kept_rule_gen_params),
	KUNIT_CASE(export_copies_the_info),
	KUNIT_CASE(export_sets_the_file_mode),
	KUNIT_CASE(export_without_resv_gets_its_own),
	KUNIT_CASE(export_with_resv_leaves_it_alone),
	KUNIT_CASE(export_numbers_buffers_upwards),
	KUNIT_CASE(export_from_dying_module_is_enoent),
	KUNIT_CASE(export_holds_the_module),
	KUNIT_CASE(define_export_info_names_the_module),
	KUNIT_CASE(fd_and_get_share_one_buffer),
	KUNIT_CASE(fd_of_no_buffer_is_einval),
	KUNIT_CASE(fd_beyond_the_limit_is_emfile),
	KUNIT_CASE(get_closed_fd_is_ebadf),
	KUNIT_CASE(get_foreign_fd_is_einval),
	KUNIT_CASE(put_null_is_survived),
	KUNIT_CASE(put_releases_with_the_last_reference),
	KUNIT_CASE(release_waits_for_the_path),
	KUNIT_CASE(release_finds_the_buffer_intact),
	KUNIT_CASE(release_comes_after_detach),
	KUNIT_CASE(release_drops_the_fences),
	{}
};

static struct kunit_suite dma_buf_suite = {
	.name = "dma_buf",
	.init = mock_fence_init,
	.test_cases = dma_buf_cases,
};

kunit_test_suite(dma_buf_suite);
