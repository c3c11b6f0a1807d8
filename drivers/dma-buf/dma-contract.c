// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contract checker's reports: which rules have been broken, how often, and
 * a warning for each place that does it. What the rules are is checked where
 * they apply: dma-buf-contract.c, dma-resv.c, dma-fence-watchdog.c.
 */

#include <linux/atomic.h>
#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/instruction_pointer.h>
#include <linux/jhash.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/spinlock.h>
#include <linux/stacktrace.h>
#include <linux/stdarg.h>
#include <linux/string.h>
#include <kunit/visibility.h>

#include "dma-contract.h"

/* Places that are told apart; further ones are counted only. */
#define MAX_SITES	128
/* Callers that make a place: enough to get out of this subsystem. */
#define SITE_DEPTH	6
/* At most so many are the reporting function and those that look at the stack. */
#define MAX_OWN_DEPTH	8

#define RULE_NAME(id, name) [DMA_RULE_##id] = name,
static const char * const rule_names[DMA_NR_RULES] = {
	DMA_CONTRACT_RULES(RULE_NAME)
};

static atomic_t counts[DMA_NR_RULES];

/* The places that have been reported, as hashes; both by sites_lock. */
static u32 sites[MAX_SITES];
static unsigned int nr_sites;
/* Taken from any context, by reports only. */
static DEFINE_RAW_SPINLOCK(sites_lock);

/*
 * A number for who has called, up to the driver, and what it did to @whose. Called
 * by the function that reports only, whose callers these are.
 */
static noinline u32 this_site(enum dma_contract_rule rule, const char *whose)
{
	unsigned long entries[SITE_DEPTH + MAX_OWN_DEPTH];
	unsigned int first = 0, nr;

	/* Not every architecture can leave out the functions that look. */
	nr = stack_trace_save(entries, ARRAY_SIZE(entries), 0);
	while (first < nr && entries[first] != _RET_IP_)
		first++;
	first = min(first + 1, nr);
	nr = min_t(unsigned int, nr - first, SITE_DEPTH);

	return jhash(&entries[first], nr * sizeof(*entries),
		     jhash(whose, strlen(whose), rule));
}

/* Remember @site. False if it was known, or there is no room left. */
static bool is_new(u32 site)
{
	unsigned long irqflags;
	unsigned int i;

	raw_spin_lock_irqsave(&sites_lock, irqflags);
	for (i = 0; i < nr_sites; i++)
		if (sites[i] == site)
			break;
	if (i == nr_sites && i < MAX_SITES)
		sites[nr_sites++] = site;
	else
		i = MAX_SITES;
	raw_spin_unlock_irqrestore(&sites_lock, irqflags);

	return i < MAX_SITES;
}

/**
 * dma_contract_report() - a rule has been broken
 * @rule: which
 * @whose: the driver that made the buffer or fence
 * @fmt: who did what to it, one line without its end
 *
 * Counts it, and warns unless it has done so for this rule, driver and caller.
 *
 * Context: Any.
 */
void dma_contract_report(enum dma_contract_rule rule, const char *whose,
			 const char *fmt, ...)
{
	struct va_format text = { .fmt = fmt };
	va_list args;

	atomic_inc(&counts[rule]);
	if (!is_new(this_site(rule, whose)))
		return;

	va_start(args, fmt);
	text.va = &args;
	WARN(1, "dma-buf contract, %s: %s: %pV\n", rule_names[rule], whose, &text);
	va_end(args);
}

/**
 * dma_contract_count() - how often has a rule been broken?
 * @rule: which
 *
 * Context: Any.
 * Return: since boot, or since the counter in debugfs was written.
 */
unsigned int dma_contract_count(enum dma_contract_rule rule)
{
	return atomic_read(&counts[rule]);
}
EXPORT_SYMBOL_IF_KUNIT(dma_contract_count);

/**
 * dma_contract_name() - what a rule is called
 * @rule: which
 *
 * Context: Any.
 * Return: the name in reports and in debugfs.
 */
const char *dma_contract_name(enum dma_contract_rule rule)
{
	return rule_names[rule];
}
EXPORT_SYMBOL_IF_KUNIT(dma_contract_name);

/**
 * dma_contract_forget() - warn again of what has been warned of
 *
 * For tests. The counters stay.
 *
 * Context: Any.
 */
void dma_contract_forget(void)
{
	unsigned long irqflags;

	raw_spin_lock_irqsave(&sites_lock, irqflags);
	nr_sites = 0;
	raw_spin_unlock_irqrestore(&sites_lock, irqflags);
}
EXPORT_SYMBOL_IF_KUNIT(dma_contract_forget);

/* /sys/kernel/debug/dma_buf/contract/RULE, where dma-buf-debugfs.c made dma_buf. */
static int __init dma_contract_init(void)
{
	struct dentry *parent = debugfs_lookup("dma_buf", NULL), *dir;

	/* An error without CONFIG_DEBUG_FS, NULL if there is no such directory. */
	if (IS_ERR_OR_NULL(parent))
		return 0;

	dir = debugfs_create_dir("contract", parent);
	for (int rule = 0; rule < DMA_NR_RULES; rule++)
		debugfs_create_atomic_t(rule_names[rule], 0600, dir,
					&counts[rule]);
	dput(parent);
	return 0;
}
fs_initcall(dma_contract_init);
