/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Chunks that are ready to be handed out, for the system heap.
 */
#ifndef _HEAP_POOL_H
#define _HEAP_POOL_H

#include <linux/compiler.h>
#include <linux/types.h>

struct page;

/* Sizes of chunks, the largest first. */
#define HEAP_LEVELS	4
extern const unsigned int heap_orders[HEAP_LEVELS];

/**
 * struct heap_pool_state - one level of the pool, as it was a moment ago
 * @limit: how many chunks there may be
 * @clean: chunks ready to be handed out
 * @dirty: chunks that wait to be cleared
 * @hits: how many chunks were handed out
 * @misses: how often there was none
 */
struct heap_pool_state {
	unsigned long limit;
	unsigned long clean;
	unsigned long dirty;
	unsigned long hits;
	unsigned long misses;
};

extern bool heap_pool_on;

struct page *__heap_pool_get(unsigned int level);
bool __heap_pool_put(struct page *page, unsigned int order);

/**
 * heap_pool_get() - take a chunk out of the pool
 * @level: index into heap_orders
 *
 * Context: Process context.
 * Return: the first page of a chunk that is zero everywhere, which the caller
 * owns, or NULL if there is none.
 */
static inline struct page *heap_pool_get(unsigned int level)
{
	return READ_ONCE(heap_pool_on) ? __heap_pool_get(level) : NULL;
}

/**
 * heap_pool_put() - offer a chunk to the pool
 * @page: first page of the chunk
 * @order: its order
 *
 * Context: Process context.
 * Return: true if the pool has taken it over.
 */
static inline bool heap_pool_put(struct page *page, unsigned int order)
{
	return READ_ONCE(heap_pool_on) && __heap_pool_put(page, order);
}

void heap_pool_set_limit(unsigned long mib);
struct heap_pool_state heap_pool_state(unsigned int level);
int heap_pool_init(void);

/* For the suite of the same name. */
#if IS_ENABLED(CONFIG_KUNIT)
unsigned long heap_pool_shrink(unsigned long nr_pages);
#endif

#endif /* _HEAP_POOL_H */
