// SPDX-License-Identifier: GPL-2.0
/*
 * Suite "sync_debug": what /sys/kernel/debug/sync/info shows. Timelines of
 * others may be there, so cases look for what belongs to their own.
 */
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "mock.h"
#include "mock_fence.h"
#include "mock_sw_sync.h"

/* More than the first buffer of a seq_file takes. */
#define NR_MANY 500
#define TEXT_SIZE (64 * 1024)
#define LINES_SIZE 512

#define INFO_PATH "sync/info"
#define HEADER "objs:\n--------------\n"
#define FOOTER "fences:\n--------------\n"

static void free_text(void *text)
{
	vfree(text);
}

/* All of the file, in memory that lives as long as the case. */
static char *read_info(struct kunit *test)
{
	struct mock_sw_sync *sw_sync = test->priv;
	char __user *user = (char __user *)sw_sync->page;
	struct file *file = mock_fs_open(sw_sync->debugfs, INFO_PATH, O_RDONLY);
	char *text = vzalloc(TEXT_SIZE);
	loff_t pos = 0;
	ssize_t ret;

	KUNIT_ASSERT_NOT_NULL(test, text);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_text, text));
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	for (;;) {
		size_t at = pos;

		ret = file->f_op->read(file, user, PAGE_SIZE, &pos);
		if (ret <= 0 || pos >= TEXT_SIZE)
			break;
		KUNIT_EXPECT_EQ(test, 0, copy_from_user(text + at, user, ret));
	}
	__fput_sync(file);
	KUNIT_ASSERT_EQ(test, ret, 0);
	return text;
}

static __printf(2, 0) char *text_of(struct kunit *test, const char *format,
				    va_list args)
{
	char *text = kunit_kzalloc(test, LINES_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, text);
	vsnprintf(text, LINES_SIZE, format, args);
	return text;
}

/* The lines of a timeline of this task are somewhere; @format is behind its name. */
static __printf(2, 3) void expect_shown(struct kunit *test, const char *format,
					...)
{
	char *found = read_info(test), *want;
	va_list args;

	va_start(args, format);
	want = text_of(test, format, args);
	va_end(args);
	for (; found; found = strstr(found + 1, current->comm))
		if (strstarts(found, current->comm) &&
		    strstarts(found + strlen(current->comm), want))
			return;
	KUNIT_FAIL(test, "looked for:\n%s%sfound:\n%s", current->comm, want,
		   read_info(test));
}

static struct dma_fence *fence_at(struct kunit *test, u32 value)
{
	struct dma_fence *fence = mock_sw_sync_fence(test, value);

	mock_fence_put_at_exit(test, fence);
	return fence;
}

static bool ends_with(const char *text, const char *end)
{
	return strlen(text) >= strlen(end) &&
	       !strcmp(text + strlen(text) - strlen(end), end);
}

/* Passes if both headings are where they were, with nothing behind the second. */
static void info_has_two_headings(struct kunit *test)
{
	char *text = read_info(test);

	KUNIT_EXPECT_TRUE(test, strstarts(text, HEADER));
	KUNIT_EXPECT_TRUE(test, ends_with(text, FOOTER));
}

/* Passes if a timeline without fences is a line with its name and value. */
static void info_shows_name_and_value(struct kunit *test)
{
	expect_shown(test, ": 0\n\n");
	mock_sw_sync_inc(test, 5);
	expect_shown(test, ": 5\n\n");
	mock_sw_sync_inc(test, (u32)INT_MAX);
	expect_shown(test, ": -2147483644\n\n");
}

/* Passes if pending fences are there by value, and done ones are not. */
static void info_shows_fences_in_order(struct kunit *test)
{
	fence_at(test, 3);
	fence_at(test, 1);
	fence_at(test, 2);
	expect_shown(test, ": 0\n  fence active: 1 / 0\n"
			   "  fence active: 2 / 0\n  fence active: 3 / 0\n\n");
	mock_sw_sync_inc(test, 2);
	expect_shown(test, ": 2\n  fence active: 3 / 2\n\n");
}

/* Passes if the values of fences have no sign, and that of the timeline has one. */
static void info_shows_large_values(struct kunit *test)
{
	mock_sw_sync_inc(test, 0x80000000);
	fence_at(test, 0x80000001);
	expect_shown(test, ": -2147483648\n"
			   "  fence active: 2147483649 / -2147483648\n\n");
}

/* Passes if a fence that nobody has any more is not shown. */
static void info_forgets_released_fences(struct kunit *test)
{
	dma_fence_put(mock_sw_sync_fence(test, 1));
	fence_at(test, 2);
	expect_shown(test, ": 0\n  fence active: 2 / 0\n\n");
}

/* Passes if a closed timeline stays as long as its fences, which have failed. */
static void info_shows_failed_fences_after_close(struct kunit *test)
{
	struct dma_fence *fence = mock_sw_sync_fence(test, 9);

	mock_sw_sync_close(test->priv);
	KUNIT_EXPECT_TRUE(test, test_bit(DMA_FENCE_FLAG_TIMESTAMP_BIT, &fence->flags));
	/* A time whose fraction begins with zeroes. */
	fence->timestamp = ktime_set(5, 42);
	expect_shown(test, ": 0\n  fence error@5.000000042: 9 / 0\n\n");
	dma_fence_put(fence);
	KUNIT_EXPECT_NULL(test, strstr(read_info(test), current->comm));
}

/* Passes if a text of many pages is complete. */
static void info_shows_many_fences(struct kunit *test)
{
	char *at, line[32];
	int i;

	for (i = 1; i <= NR_MANY; i++)
		fence_at(test, i);
	at = read_info(test);
	for (i = 1; i <= NR_MANY && at; i++) {
		snprintf(line, sizeof(line), "  fence active: %d / 0\n", i);
		at = strstr(at, line);
		KUNIT_EXPECT_NOT_NULL(test, at);
	}
	KUNIT_EXPECT_TRUE(test, ends_with(read_info(test), FOOTER));
}

static void close_file(void *file)
{
	__fput_sync(file);
}

/* Passes if each open is a timeline of its own, shown in the order of opening. */
static void info_shows_timelines_in_order(struct kunit *test)
{
	struct mock_sw_sync *sw_sync = test->priv;
	struct file *second = mock_fs_open(sw_sync->debugfs, "sync/sw_sync",
					   O_RDWR);

	KUNIT_ASSERT_FALSE(test, IS_ERR(second));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, close_file, second));
	mock_sw_sync_inc(test, 1);
	expect_shown(test, ": 1\n\n%s: 0\n\n", current->comm);
}

/* --- Races -------------------------------------------------------------- */

struct race {
	struct kunit *test;
	struct dma_fence *fence;
	struct file *info;
	struct mm_struct *mm;
	ssize_t got;
};

static void race_prepare(struct kunit *test, void *ctx)
{
	struct mock_sw_sync *sw_sync = test->priv;
	struct race *race = ctx;

	if (!sw_sync->file)
		sw_sync->file = mock_fs_open(sw_sync->debugfs, "sync/sw_sync",
					     O_RDWR);
	KUNIT_ASSERT_FALSE(test, IS_ERR(sw_sync->file));
	race->fence = mock_sw_sync_fence(test, 1);
	race->info = mock_fs_open(sw_sync->debugfs, INFO_PATH, O_RDONLY);
	KUNIT_ASSERT_FALSE(test, IS_ERR(race->info));
}

static void race_read(void *ctx)
{
	struct race *race = ctx;
	struct mock_sw_sync *sw_sync = race->test->priv;
	loff_t pos = 0;

	kthread_use_mm(race->mm);
	race->got = race->info->f_op->read(race->info,
					   (char __user *)sw_sync->page,
					   PAGE_SIZE, &pos);
	kthread_unuse_mm(race->mm);
}

static void race_close(void *ctx)
{
	struct race *race = ctx;

	mock_sw_sync_close(race->test->priv);
}

static void race_put(void *ctx)
{
	struct race *race = ctx;

	dma_fence_put(race->fence);
}

static void race_check(struct kunit *test, void *ctx)
{
	struct race *race = ctx;

	__fput_sync(race->info);
	KUNIT_EXPECT_GE(test, race->got, (ssize_t)strlen(HEADER FOOTER));
}

/* Passes if a reader survives timelines and fences that go. */
static void info_while_timelines_go(struct kunit *test)
{
	struct race ctx = { .test = test, .mm = current->mm };
	const struct mock_race race = {
		.ctx = &ctx,
		.rounds = 200,
		.prepare = race_prepare,
		.check = race_check,
		.racer = { race_read, race_close, race_put },
	};

	mock_race(test, &race);
}

static struct kunit_case sync_debug_cases[] = {
	KUNIT_CASE(info_has_two_headings),
	KUNIT_CASE(info_shows_name_and_value),
	KUNIT_CASE(info_shows_fences_in_order),
	KUNIT_CASE(info_shows_large_values),
	KUNIT_CASE(info_forgets_released_fences),
	KUNIT_CASE(info_shows_failed_fences_after_close),
	KUNIT_CASE(info_shows_many_fences),
	KUNIT_CASE(info_shows_timelines_in_order),
	KUNIT_CASE_SLOW(info_while_timelines_go),
	{}
};

static struct kunit_suite sync_debug_suite = {
	.name = "sync_debug",
	.init = mock_sw_sync_init,
	.test_cases = sync_debug_cases,
};

kunit_test_suite(sync_debug_suite);
