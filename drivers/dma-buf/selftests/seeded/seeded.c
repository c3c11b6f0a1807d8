// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the one driver that dmabuf_seeded.bug names, between two marks in the
 * kernel's log. One in a boot: most checkers report once, and lockdep not at all
 * after the first report of anybody.
 */

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/init.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "seeded.h"

/* Some bugs end in a deadlock, which is reported when it begins. */
#define RUN_LIMIT	(5 * HZ)

static char *bug;
module_param(bug, charp, 0444);
MODULE_PARM_DESC(bug, "The driver to run");

struct seeded_bug {
	const char *name;
	int (*run)(void);
};

/* In the order of the documentation. */
static const struct seeded_bug bugs[] = {
	{ "clean", seeded_clean },
	{ "pin_static", seeded_pin_static },
	{ "pin_unbalanced", seeded_pin_unbalanced },
	{ "map_unbalanced", seeded_map_unbalanced },
	{ "map_direction", seeded_map_direction },
	{ "map_atomic", seeded_map_atomic },
	{ "vmap_unbalanced", seeded_vmap_unbalanced },
	{ "vmap_unstable", seeded_vmap_unstable },
	{ "access_unbalanced", seeded_access_unbalanced },
	{ "move_pinned", seeded_move_pinned },
	{ "move_vmapped", seeded_move_vmapped },
	{ "detach_mapped", seeded_detach_mapped },
	{ "detach_pinned", seeded_detach_pinned },
	{ "release_attached", seeded_release_attached },
	{ "release_vmapped", seeded_release_vmapped },
	{ "release_accessed", seeded_release_accessed },
	{ "call_unlocked", seeded_call_unlocked },
	{ "lock_dropped", seeded_lock_dropped },
	{ "table_shared", seeded_table_shared },
	{ "table_unaligned", seeded_table_unaligned },
	{ "table_length", seeded_table_length },
	{ "table_pages", seeded_table_pages },
	{ "pfn_order", seeded_pfn_order },
	{ "resv_unreserved", seeded_resv_unreserved },
	{ "fence_stuck", seeded_fence_stuck },
	{ "try_map_sleeps", seeded_try_map_sleeps },
	{ "callback_locks", seeded_callback_locks },
	{ "unlocked_held", seeded_unlocked_held },
	{ "err_ptr", seeded_err_ptr },
	{ "fd_publish", seeded_fd_publish },
	{ "lock_leak", seeded_lock_leak },
	{ "stale_map", seeded_stale_map },
	{ "vmap_pin", seeded_vmap_pin },
	{ "pin_cache", seeded_pin_cache },
	{ "fence_leak", seeded_fence_leak },
	{ "iomem_plain", seeded_iomem_plain },
	{ "user_plain", seeded_user_plain },
	{ "rcu_plain", seeded_rcu_plain },
	{ "lock_context", seeded_lock_context },
	{ "fence_lock", seeded_fence_lock },
	{ "fence_wait", seeded_fence_wait },
	{ "fence_alloc", seeded_fence_alloc },
};

static DECLARE_COMPLETION(done);

/* A task of its own, as it may never come back, or take a lock along. */
static int run_bug(void *data)
{
	const struct seeded_bug *seeded = data;
	int ret = seeded->run();

	pr_info("dmabuf-seeded: %s returned %d\n", seeded->name, ret);
	kthread_complete_and_exit(&done, 0);
}

static const struct seeded_bug *bug_called(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(bugs); i++)
		if (!strcmp(bugs[i].name, name))
			return &bugs[i];
	return NULL;
}

/* As a module it stays, as a driver that hangs runs on. */
static int __init seeded_init(void)
{
	const struct seeded_bug *seeded = bug ? bug_called(bug) : NULL;
	struct task_struct *task;

	if (!bug)
		return 0;
	if (!seeded) {
		pr_err("dmabuf-seeded: no bug %s\n", bug);
		return 0;
	}

	pr_info("dmabuf-seeded: begin %s\n", bug);
	task = kthread_run(run_bug, (void *)seeded, "seeded");
	if (!IS_ERR(task) && !wait_for_completion_timeout(&done, RUN_LIMIT))
		pr_info("dmabuf-seeded: %s hangs\n", bug);
	flush_delayed_fput();
	/* Its end is looked at, too. */
	msleep(100);
	pr_info("dmabuf-seeded: end %s\n", bug);
	return 0;
}
late_initcall_sync(seeded_init);
