/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reports about drivers that break the rules of buffers, fences and
 * reservations. Used by all of the subsystem, uses none of it.
 */
#ifndef _DMA_CONTRACT_H
#define _DMA_CONTRACT_H

#include <linux/bug.h>
#include <linux/types.h>

/*
 * X(id, name): the rules. The name is that of the counter in debugfs and stands
 * in the report. Documentation/driver-api/dma-buf-contract.rst explains each.
 */
#define DMA_CONTRACT_RULES(X)					\
	X(PIN_STATIC,		"pin-static")			\
	X(PIN_UNBALANCED,	"pin-unbalanced")		\
	X(MAP_UNBALANCED,	"map-unbalanced")		\
	X(MAP_DIRECTION,	"map-direction")		\
	X(MAP_ATOMIC,		"map-atomic")			\
	X(VMAP_UNBALANCED,	"vmap-unbalanced")		\
	X(VMAP_UNSTABLE,	"vmap-unstable")		\
	X(ACCESS_UNBALANCED,	"access-unbalanced")		\
	X(MOVE_PINNED,		"move-pinned")			\
	X(MOVE_VMAPPED,		"move-vmapped")			\
	X(DETACH_MAPPED,	"detach-mapped")		\
	X(DETACH_PINNED,	"detach-pinned")		\
	X(RELEASE_ATTACHED,	"release-attached")		\
	X(RELEASE_VMAPPED,	"release-vmapped")		\
	X(RELEASE_ACCESSED,	"release-accessed")		\
	X(CALL_UNLOCKED,	"call-unlocked")		\
	X(LOCK_DROPPED,		"lock-dropped")			\
	X(TABLE_SHARED,		"table-shared")			\
	X(TABLE_UNALIGNED,	"table-unaligned")		\
	X(TABLE_LENGTH,		"table-length")			\
	X(TABLE_PAGES,		"table-pages")			\
	X(PFN_ORDER,		"pfn-order")			\
	X(RESV_UNRESERVED,	"resv-unreserved")		\
	X(FENCE_STUCK,		"fence-stuck")

#define DMA_CONTRACT_ID(id, name) DMA_RULE_##id,
enum dma_contract_rule {
	DMA_CONTRACT_RULES(DMA_CONTRACT_ID)
	DMA_NR_RULES
};

#undef DMA_CONTRACT_ID

#if IS_ENABLED(CONFIG_DMABUF_CONTRACT)

__printf(3, 4)
void dma_contract_report(enum dma_contract_rule rule, const char *whose,
			 const char *fmt, ...);
unsigned int dma_contract_count(enum dma_contract_rule rule);
const char *dma_contract_name(enum dma_contract_rule rule);
void dma_contract_forget(void);

/*
 * Has a rule been broken, that is, is @cond true? Says so: with the checker once
 * for each place in a driver, and without it once.
 */
#define dma_contract_broken(cond, rule, whose, fmt, ...) ({		\
	bool __broken = unlikely(!!(cond));				\
									\
	if (__broken)							\
		dma_contract_report(rule, whose, fmt, ##__VA_ARGS__);	\
	__broken;							\
})

#else

#define dma_contract_broken(cond, rule, whose, fmt, ...)			\
	WARN_ONCE(cond, "%s: " fmt "\n", whose, ##__VA_ARGS__)

#endif

#endif /* _DMA_CONTRACT_H */
