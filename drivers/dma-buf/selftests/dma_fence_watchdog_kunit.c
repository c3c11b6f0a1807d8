// SPDX-License-Identifier: GPL-2.0
/*
 * Fences that are waited for and never signaled: which are reported, with whose
 * names, and which are not.
 */

#include "mock.h"

#if DMABUF_OURS

#include "mock_fence.h"

#if IS_ENABLED(CONFIG_DMABUF_CONTRACT)

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kmsg_dump.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <kunit/visibility.h>

#include "../dma-contract.h"
#include "mock_fs.h"

MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);

#define TIMEOUT_MS	60
/* Longer than any case takes, however busy the machine is. */
#define LONG_TIMEOUT_MS	600000
/* How long a report may take that has to come, and how long none is waited for. */
#define REPORT_MS	60000
#define SILENCE_MS	(4 * TIMEOUT_MS)

#define TIMEOUT_FILE	"module/dma_fence/parameters/timeout_ms"

/* What the cases share. */
struct watch {
	struct vfsmount *sysfs;
	unsigned int count;	/* of reports, when the case began */
	u64 position;		/* in the kernel's log, then */
};

/* Write to the parameter; what write() returns. */
static ssize_t write_timeout(struct vfsmount *sysfs, const char *text)
{
	struct file *file = mock_fs_open(sysfs, TIMEOUT_FILE, O_WRONLY);
	loff_t pos = 0;
	ssize_t ret;

	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = kernel_write(file, text, strlen(text), &pos);
	__fput_sync(file);
	return ret;
}

static void set_timeout(struct kunit *test, unsigned int timeout_ms)
{
	struct watch *watch = test->priv;
	char text[16];

	snprintf(text, sizeof(text), "%u", timeout_ms);
	KUNIT_ASSERT_EQ(test, write_timeout(watch->sysfs, text), strlen(text));
}

static void switch_off(void *sysfs)
{
	write_timeout(sysfs, "0");
}

/* Reports since the case began. */
static unsigned int reports(struct kunit *test)
{
	struct watch *watch = test->priv;

	return dma_contract_count(DMA_RULE_FENCE_STUCK) - watch->count;
}

/*
 * Go through the log since the case began. Puts the text of the report into @text
 * if there is one; true if it has been printed to its end.
 */
static bool report_text(struct kunit *test, char *text, size_t size)
{
	struct watch *watch = test->priv;
	struct kmsg_dump_iter iter;
	bool ended = false;
	char line[256];
	size_t len;

	text[0] = 0;
	kmsg_dump_rewind(&iter);
	iter.cur_seq = watch->position;
	while (kmsg_dump_get_line(&iter, false, line, sizeof(line) - 1, &len)) {
		line[len] = 0;
		if (strstr(line, "dma-buf contract, "))
			strscpy(text, strstr(line, "dma-buf contract, "), size);
		ended = text[0] && strstr(line, "---[ end trace");
	}
	text[strcspn(text, "\n")] = 0;
	return ended;
}

/*
 * What was waited for until now is overdue: wait for the report, which the case
 * has announced, and put it into @text.
 */
static void expect_report(struct kunit *test, char *text, size_t size)
{
	unsigned long end = jiffies + msecs_to_jiffies(REPORT_MS);

	set_timeout(test, TIMEOUT_MS);
	while (!report_text(test, text, size) && time_before(jiffies, end))
		msleep(20);
	KUNIT_EXPECT_EQ(test, reports(test), 1);
}

static void expect_silence(struct kunit *test)
{
	msleep(SILENCE_MS);
	KUNIT_EXPECT_EQ(test, reports(test), 0);
}

static void note_call(struct dma_fence *fence, struct dma_fence_cb *cb)
{
}

/* Is this in the report? Functions are "%ps": some architectures give them a dot. */
static __printf(2, 3) bool has(const char *text, const char *fmt, ...)
{
	char part[120];
	va_list args;

	va_start(args, fmt);
	vsnprintf(part, sizeof(part), fmt, args);
	va_end(args);
	return strstr(text, part);
}

/* A fence on which somebody waits; the end of the case drops it. */
static struct dma_fence *awaited(struct kunit *test, struct dma_fence_cb *cb)
{
	struct dma_fence *fence = mock_fence_create(test);

	mock_fence_put_at_exit(test, fence);
	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(fence, cb, note_call), 0);
	return fence;
}

/*
 * Passes if a fence that is overdue is reported once, with the names of its
 * driver and timeline, its number, and who waits.
 */
static void overdue_is_reported_once(struct kunit *test)
{
	char text[200], expected[160];
	struct dma_fence_cb cb;
	struct dma_fence *fence;

	set_timeout(test, LONG_TIMEOUT_MS);
	fence = awaited(test, &cb);
	dmabuf_expect_warning_begin(test);
	expect_report(test, text, sizeof(text));
	dmabuf_expect_warning_end(test);

	snprintf(expected, sizeof(expected),
		 "dma-buf contract, fence-stuck: %s: fence %s:%llu:%llu has been waited for since ",
		 MOCK_DRIVER_NAME, MOCK_TIMELINE_NAME, fence->context, fence->seqno);
	KUNIT_EXPECT_EQ(test, strncmp(text, expected, strlen(expected)), 0);
	KUNIT_EXPECT_TRUE(test, has(text, " ms, by %ps", note_call));

	msleep(SILENCE_MS);
	KUNIT_EXPECT_EQ(test, reports(test), 1);
	KUNIT_EXPECT_EQ(test, dma_fence_signal(fence), 0);
}

static int wait_for_fence(void *fence)
{
	dma_fence_wait(fence, false);
	return 0;
}

static void end_task(void *task)
{
	kthread_stop_put(task);
}

static void signal_fence(void *fence)
{
	dma_fence_signal(fence);
}

static bool has_waiter(struct dma_fence *fence)
{
	unsigned long irqflags;
	bool waits;

	spin_lock_irqsave(fence->lock, irqflags);
	waits = !list_empty(&fence->cb_list);
	spin_unlock_irqrestore(fence->lock, irqflags);
	return waits;
}

/* Passes if a task that sleeps on the fence is named, in one line whatever its name. */
static void overdue_names_the_task(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_create(test);
	struct task_struct *task;
	char text[200], who[40];

	mock_fence_put_at_exit(test, fence);
	set_timeout(test, LONG_TIMEOUT_MS);
	task = kthread_create(wait_for_fence, fence, "fence\nwaiter");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	get_task_struct(task);	/* Dropped by end_task(). */
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, end_task, task), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, signal_fence, fence), 0);

	wake_up_process(task);
	while (!has_waiter(fence))
		msleep(20);
	dmabuf_expect_warning_begin(test);
	expect_report(test, text, sizeof(text));
	dmabuf_expect_warning_end(test);

	snprintf(who, sizeof(who), ", by fence\\nwaiter:%d", task->pid);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, who));
}

static const char *broken_name(struct dma_fence *fence)
{
	return "a\nBUG: b";
}

/* Passes if a name that a program may have chosen does not make a second line. */
static void overdue_is_one_line_whatever_the_name(struct kunit *test)
{
	static const struct dma_fence_ops ops = {
		.get_driver_name = mock_fence_get_driver_name,
		.get_timeline_name = broken_name,
		.release = mock_fence_release,
	};
	struct dma_fence *fence =
		&mock_fence_create_args(test, &(struct mock_fence_args) { .ops = &ops })->base;
	struct dma_fence_cb cb;
	char text[200];

	mock_fence_put_at_exit(test, fence);
	set_timeout(test, LONG_TIMEOUT_MS);
	KUNIT_ASSERT_EQ(test, dma_fence_add_callback(fence, &cb, note_call), 0);
	dmabuf_expect_warning_begin(test);
	expect_report(test, text, sizeof(text));
	dmabuf_expect_warning_end(test);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "fence a\\nBUG: b:"));
	KUNIT_EXPECT_EQ(test, dma_fence_signal(fence), 0);
}

/* Passes if the first waiters are named and the others counted. */
static void overdue_counts_many_waiters(struct kunit *test)
{
	struct dma_fence_cb cbs[5];
	struct dma_fence *fence;
	char text[200];

	set_timeout(test, LONG_TIMEOUT_MS);
	fence = awaited(test, &cbs[0]);
	for (unsigned int i = 1; i < ARRAY_SIZE(cbs); i++)
		dma_fence_add_callback(fence, &cbs[i], note_call);
	dmabuf_expect_warning_begin(test);
	expect_report(test, text, sizeof(text));
	dmabuf_expect_warning_end(test);

	KUNIT_EXPECT_TRUE(test, has(text, "by %ps %ps %ps and 2 more", note_call, note_call,
				    note_call));
	dma_fence_signal(fence);
}

/* Passes if it is said that the waiter has given up. */
static void overdue_without_waiter_is_reported(struct kunit *test)
{
	struct dma_fence_cb cb;
	struct dma_fence *fence;
	char text[200];

	set_timeout(test, LONG_TIMEOUT_MS);
	fence = awaited(test, &cb);
	KUNIT_EXPECT_TRUE(test, dma_fence_remove_callback(fence, &cb));
	dmabuf_expect_warning_begin(test);
	expect_report(test, text, sizeof(text));
	dmabuf_expect_warning_end(test);

	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "by nobody now"));
}

/* Passes if of a container and its fence the fence is named, with who waits for both. */
static void overdue_in_container_is_the_fence(struct kunit *test)
{
	struct dma_fence **fences = kcalloc(2, sizeof(*fences), GFP_KERNEL);
	struct dma_fence *stuck = mock_fence_create(test);
	struct dma_fence_array *array;
	struct dma_fence_cb cb;
	char text[200], name[60];

	KUNIT_ASSERT_NOT_NULL(test, fences);
	mock_fence_put_at_exit(test, stuck);
	fences[0] = dma_fence_get(stuck);	/* The array's. */
	fences[1] = mock_fence_create_signaled(test);
	array = dma_fence_array_create(2, fences, dma_fence_context_alloc(1), 1, false);
	KUNIT_ASSERT_NOT_NULL(test, array);
	mock_fence_put_at_exit(test, &array->base);

	set_timeout(test, LONG_TIMEOUT_MS);
	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(&array->base, &cb, note_call), 0);
	dmabuf_expect_warning_begin(test);
	expect_report(test, text, sizeof(text));
	msleep(SILENCE_MS);
	dmabuf_expect_warning_end(test);

	KUNIT_EXPECT_EQ(test, reports(test), 1);
	snprintf(name, sizeof(name), "fence %s:%llu:%llu ", MOCK_TIMELINE_NAME,
		 stuck->context, stuck->seqno);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, name));
	KUNIT_EXPECT_TRUE(test, has(text, ", by %ps", note_call));
	dma_fence_signal(stuck);
	dma_fence_wait(&array->base, false);
}

/* A node of a chain behind @prev, whose reference it takes over. */
static struct dma_fence *chain_node(struct kunit *test, struct dma_fence *prev,
				    struct dma_fence *fence, u64 seqno)
{
	struct dma_fence_chain *chain = dma_fence_chain_alloc();

	KUNIT_ASSERT_NOT_NULL(test, chain);
	dma_fence_chain_init(chain, prev, fence, seqno);
	return &chain->base;
}

/* Passes if who waits for the newer of two nodes is named for the older one's fence. */
static void overdue_in_chain_names_who_waits_for_it(struct kunit *test)
{
	struct dma_fence *stuck = mock_fence_create(test);
	struct dma_fence *node;
	struct dma_fence_cb cb;
	char text[200], name[60];

	mock_fence_put_at_exit(test, stuck);
	node = chain_node(test, NULL, dma_fence_get(stuck), 1);
	node = chain_node(test, node, mock_fence_create_signaled(test), 2);
	mock_fence_put_at_exit(test, node);

	set_timeout(test, LONG_TIMEOUT_MS);
	KUNIT_EXPECT_EQ(test, dma_fence_add_callback(node, &cb, note_call), 0);
	/* The older node is looked for in an interrupt. */
	while (!has_waiter(stuck))
		msleep(20);
	dmabuf_expect_warning_begin(test);
	expect_report(test, text, sizeof(text));
	dmabuf_expect_warning_end(test);

	snprintf(name, sizeof(name), "fence %s:%llu:%llu ", MOCK_TIMELINE_NAME,
		 stuck->context, stuck->seqno);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, name));
	KUNIT_EXPECT_TRUE(test, has(text, ", by %ps", note_call));
	dma_fence_signal(stuck);
	dma_fence_wait(node, false);
}

/* Passes if a fence that is signaled in time is not reported. */
static void in_time_is_silent(struct kunit *test)
{
	struct dma_fence_cb cb;
	struct dma_fence *fence;

	set_timeout(test, LONG_TIMEOUT_MS);
	fence = awaited(test, &cb);
	expect_silence(test);
	KUNIT_EXPECT_EQ(test, dma_fence_signal(fence), 0);
	set_timeout(test, TIMEOUT_MS);
	expect_silence(test);
}

/* Passes if a fence that nobody waits for may take as long as it likes. */
static void unawaited_is_silent(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_create(test);

	mock_fence_put_at_exit(test, fence);
	set_timeout(test, TIMEOUT_MS);
	expect_silence(test);
	KUNIT_EXPECT_EQ(test, dma_fence_signal(fence), 0);
}

/* Passes if the memory of a fence that is gone is not looked at. */
static void freed_is_silent(struct kunit *test)
{
	struct dma_fence *fence = mock_fence_create(test);

	set_timeout(test, TIMEOUT_MS);
	dma_fence_enable_sw_signaling(fence);
	dma_fence_put(fence);
	expect_silence(test);
}

/* Passes if nothing is reported as long as nobody asked for it. */
static void off_is_silent(struct kunit *test)
{
	struct dma_fence_cb cb;
	struct dma_fence *fence = awaited(test, &cb);

	expect_silence(test);
	/* Nor is a fence that was waited for before. */
	set_timeout(test, TIMEOUT_MS);
	expect_silence(test);
	KUNIT_EXPECT_EQ(test, dma_fence_signal(fence), 0);
}

/* Passes if a note that was taken does no harm when the check is switched off. */
static void switched_off_is_silent(struct kunit *test)
{
	struct dma_fence_cb cb;
	struct dma_fence *fence;

	set_timeout(test, LONG_TIMEOUT_MS);
	fence = awaited(test, &cb);
	set_timeout(test, 0);
	expect_silence(test);
	KUNIT_EXPECT_EQ(test, dma_fence_signal(fence), 0);
}

/* Passes if what is no number is refused, and the value stays. */
static void timeout_that_is_no_number_is_einval(struct kunit *test)
{
	struct watch *watch = test->priv;
	struct dma_fence_cb cb;
	struct dma_fence *fence;

	set_timeout(test, LONG_TIMEOUT_MS);
	KUNIT_EXPECT_EQ(test, write_timeout(watch->sysfs, "soon"), -EINVAL);
	KUNIT_EXPECT_EQ(test, write_timeout(watch->sysfs, "-1"), -EINVAL);
	fence = awaited(test, &cb);
	expect_silence(test);
	KUNIT_EXPECT_EQ(test, dma_fence_signal(fence), 0);
}

struct note_race {
	struct kunit *test;
	struct dma_fence *fence;
	struct dma_fence_cb cb;
};

static void race_prepare(struct kunit *test, void *ctx)
{
	struct note_race *race = ctx;

	race->fence = mock_fence_create(test);
}

static void race_wait(void *ctx)
{
	struct note_race *race = ctx;

	dma_fence_wait_timeout(race->fence, false, 2);
}

static void race_signal(void *ctx)
{
	struct note_race *race = ctx;

	cond_resched();
	dma_fence_signal(race->fence);
}

static void race_check(struct kunit *test, void *ctx)
{
	struct note_race *race = ctx;

	dma_fence_put(race->fence);
}

/*
 * Passes if fences that are waited for, signaled and freed at the same time leave
 * nothing behind that the worker would find.
 */
static void wait_races_with_signal(struct kunit *test)
{
	struct note_race context = { .test = test };
	struct mock_race race = {
		.ctx = &context, .rounds = 100,
		.prepare = race_prepare, .check = race_check,
		.racer = { race_wait, race_signal, race_wait },
	};

	set_timeout(test, LONG_TIMEOUT_MS);
	mock_race(test, &race);
	set_timeout(test, TIMEOUT_MS);
	expect_silence(test);
}

static int watchdog_init(struct kunit *test)
{
	struct watch *watch = kunit_kzalloc(test, sizeof(*watch), GFP_KERNEL);
	struct kmsg_dump_iter iter;
	int ret = mock_fence_init(test);

	if (ret)
		return ret;
	if (!watch)
		return -ENOMEM;

	watch->sysfs = mock_fs_mount(test, "sysfs");
	if (IS_ERR(watch->sysfs))
		return PTR_ERR(watch->sysfs);
	ret = kunit_add_action_or_reset(test, switch_off, watch->sysfs);
	if (ret)
		return ret;

	dma_contract_forget();
	kmsg_dump_rewind(&iter);
	watch->position = iter.next_seq;
	watch->count = dma_contract_count(DMA_RULE_FENCE_STUCK);
	test->priv = watch;
	return 0;
}

static struct kunit_case dma_fence_watchdog_cases[] = {
	KUNIT_CASE(overdue_is_reported_once),
	KUNIT_CASE(overdue_names_the_task),
	KUNIT_CASE(overdue_is_one_line_whatever_the_name),
	KUNIT_CASE(overdue_counts_many_waiters),
	KUNIT_CASE(overdue_without_waiter_is_reported),
	KUNIT_CASE(overdue_in_container_is_the_fence),
	KUNIT_CASE(overdue_in_chain_names_who_waits_for_it),
	KUNIT_CASE(in_time_is_silent),
	KUNIT_CASE(unawaited_is_silent),
	KUNIT_CASE(freed_is_silent),
	KUNIT_CASE(off_is_silent),
	KUNIT_CASE(switched_off_is_silent),
	KUNIT_CASE(timeout_that_is_no_number_is_einval),
	KUNIT_CASE_SLOW(wait_races_with_signal),
	{}
};

#else

/* For the list of suites: there is nothing to test in this kernel. */
static int watchdog_init(struct kunit *test)
{
	return 0;
}

static void no_contract(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_DMABUF_CONTRACT");
}

static struct kunit_case dma_fence_watchdog_cases[] = {
	KUNIT_CASE(no_contract),
	{}
};

#endif /* CONFIG_DMABUF_CONTRACT */

static struct kunit_suite dma_fence_watchdog_suite = {
	.name = "dma_fence_watchdog",
	.init = watchdog_init,
	.test_cases = dma_fence_watchdog_cases,
};

kunit_test_suite(dma_fence_watchdog_suite);

#endif /* DMABUF_OURS */
