// SPDX-License-Identifier: GPL-2.0
/*
 * dma-fence-unwrap: visits the plain fences inside of chains and arrays, and
 * merges any number of fences into one flat array.
 */

#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/export.h>
#include <linux/ktime.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

/**
 * DOC: merging fences
 *
 * __dma_fence_unwrap_merge() has to return a fence that signals when all of its
 * inputs have, and that is as small as possible: no containers in it, nothing that
 * has signaled, and of each timeline only the newest fence, since that one cannot
 * signal before the others.
 *
 * 1. *Collect*. Every input is unwrapped; pending fences are gathered with a
 *    reference each, of signaled ones only the latest time is kept. A fence on the
 *    timeline of the one gathered before it is compared with that at once, so that
 *    a chain of a thousand points of one timeline takes one entry.
 * 2. *Sort* by context. Most inputs are the result of an earlier merge, hence
 *    sorted: what was collected consists of a few ascending *runs*. These are
 *    merged in pairs until one is left. Two fences of one timeline meet on the way,
 *    and the older one is dropped. n fences in r runs cost n * log2(r) comparisons.
 * 3. *Wrap*. Nothing left: a fence that is born signaled, at the latest time seen.
 *    One: that fence. More: an array on a context of its own.
 */

static struct dma_fence *unwrap_link(struct dma_fence_unwrap *cursor)
{
	cursor->array = dma_fence_chain_contained(cursor->chain);
	cursor->index = 0;
	return dma_fence_array_first(cursor->array);
}

/**
 * dma_fence_unwrap_first() - begin dma_fence_unwrap_for_each()
 * @head: any fence, or NULL
 * @cursor: where to keep the position
 *
 * Context: Any context.
 * Return: the first plain fence behind @head, borrowed from @cursor, which now
 * has a reference to @head. NULL if there is none; then @cursor has none either.
 */
struct dma_fence *dma_fence_unwrap_first(struct dma_fence *head,
					 struct dma_fence_unwrap *cursor)
{
	cursor->chain = dma_fence_get(head);
	return unwrap_link(cursor);
}
EXPORT_SYMBOL_GPL(dma_fence_unwrap_first);

/**
 * dma_fence_unwrap_next() - continue dma_fence_unwrap_for_each()
 * @cursor: the position
 *
 * Context: As dma_fence_chain_walk().
 * Return: the next plain fence, borrowed from @cursor. NULL if that was all; then
 * @cursor has no reference any more.
 */
struct dma_fence *dma_fence_unwrap_next(struct dma_fence_unwrap *cursor)
{
	struct dma_fence *fence;

	fence = dma_fence_array_next(cursor->array, ++cursor->index);
	if (fence)
		return fence;

	cursor->chain = dma_fence_chain_walk(cursor->chain);
	return unwrap_link(cursor);
}
EXPORT_SYMBOL_GPL(dma_fence_unwrap_next);

/**
 * struct pile - what was collected
 * @fences: pending fences, with a reference each; from kmalloc(), or NULL
 * @count: number of them
 * @runs: into how many ascending runs they fall; 0 if there are none
 * @max: room in @fences; once sorted, at most
 * @hint: how many fences to expect; what a chain has is not known before
 * @latest: when the last of the signaled fences did
 */
struct pile {
	struct dma_fence **fences;
	unsigned int count;
	unsigned int runs;
	unsigned int max;
	unsigned int hint;
	ktime_t latest;
};

static void pile_fini(struct pile *pile)
{
	while (pile->count)
		dma_fence_put(pile->fences[--pile->count]);

	kfree(pile->fences);
	pile->fences = NULL;
}

/* Room for more. False without memory, or at the limit of one allocation. */
static bool pile_grow(struct pile *pile)
{
	const unsigned int limit = KMALLOC_MAX_SIZE / sizeof(*pile->fences);
	unsigned int max = max3(pile->hint, 2 * pile->max, 4U);
	struct dma_fence **fences;

	/* User space chooses how much it merges: no warning from the allocator. */
	max = min(max, limit);
	if (max == pile->max)
		return false;

	fences = krealloc_array(pile->fences, max, sizeof(*fences),
				GFP_KERNEL | __GFP_NOWARN);
	if (!fences)
		return false;

	pile->fences = fences;
	pile->max = max;
	return true;
}

/* The result may live for long: do not make it keep much more than it uses. */
static void pile_trim(struct pile *pile)
{
	struct dma_fence **fences;

	if (pile->count > pile->max / 2)
		return;

	fences = kmemdup_array(pile->fences, pile->count, sizeof(*fences), GFP_KERNEL);
	if (!fences)
		return;

	kfree(pile->fences);
	pile->fences = fences;
	pile->max = pile->count;
}

/* A fence of the same timeline as the last one: keep the later of the two. */
static void pile_update(struct pile *pile, struct dma_fence *fence)
{
	struct dma_fence **last = &pile->fences[pile->count - 1];

	if (!dma_fence_is_later(fence, *last))
		return;

	dma_fence_put(*last);
	*last = dma_fence_get(fence);
}

static bool pile_add(struct pile *pile, struct dma_fence *fence)
{
	if (pile->runs) {
		u64 last = pile->fences[pile->count - 1]->context;

		if (last == fence->context) {
			pile_update(pile, fence);
			return true;
		}
		if (last > fence->context)
			pile->runs++;
	} else {
		pile->runs = 1;
	}
	if (pile->count == pile->max && !pile_grow(pile))
		return false;

	pile->fences[pile->count++] = dma_fence_get(fence);
	return true;
}

/* Take what is pending of @nr plain fences. False without memory. */
static bool pile_take(struct pile *pile, struct dma_fence **fences, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct dma_fence *fence = fences[i];
		ktime_t when;

		if (!dma_fence_is_signaled(fence)) {
			if (!pile_add(pile, fence))
				return false;
			continue;
		}
		when = dma_fence_timestamp(fence);
		if (ktime_after(when, pile->latest))
			pile->latest = when;
	}
	return true;
}

/* The same for all that is behind @head. */
static bool pile_collect(struct pile *pile, struct dma_fence *head)
{
	struct dma_fence *link;

	dma_fence_chain_for_each(link, head) {
		struct dma_fence *fence = dma_fence_chain_contained(link);
		struct dma_fence_array *array = to_dma_fence_array(fence);
		bool taken;

		taken = array ? pile_take(pile, array->fences, array->num_fences) :
				pile_take(pile, &fence, 1);
		if (!taken) {
			dma_fence_put(link);
			return false;
		}
	}
	return true;
}

static bool pile_collect_all(struct pile *pile, unsigned int num_fences,
			     struct dma_fence **fences)
{
	unsigned int i;

	for (i = 0; i < num_fences; i++) {
		struct dma_fence_array *array = to_dma_fence_array(fences[i]);

		pile->hint += array ? array->num_fences : 1;
	}
	for (i = 0; i < num_fences; i++) {
		if (!pile_collect(pile, fences[i]))
			return false;
	}
	return true;
}

/* Store where each run ends: the number of the fence behind it. */
static void pile_find_runs(const struct pile *pile, unsigned int *ends)
{
	u64 context, last = 0;
	unsigned int i;

	for (i = 0; i < pile->count; i++, last = context) {
		context = pile->fences[i]->context;
		if (context < last)
			*ends++ = i;
	}
	*ends = pile->count;
}

/* As memcpy() of what is between @from and @end; returns the end of @to. */
static struct dma_fence **copy_fences(struct dma_fence **to,
				      struct dma_fence **from,
				      struct dma_fence **end)
{
	memcpy(to, from, (void *)end - (void *)from);
	return to + (end - from);
}

/*
 * Merge the runs [@a, @mid) and [@mid, @end), which are not empty, into @out.
 * Returns the end of it. Of two fences of a timeline the older one is put.
 */
static struct dma_fence **merge_runs(struct dma_fence **a, struct dma_fence **mid,
				     struct dma_fence **end,
				     struct dma_fence **out)
{
	struct dma_fence **b = mid;
	u64 x = (*a)->context, y = (*b)->context;

	for (;;) {
		/* The later one is looked at again, in its own run. */
		bool drop = unlikely(x == y);

		if (x < y || (drop && dma_fence_is_later(*b, *a))) {
			if (drop)
				dma_fence_put(*a);
			else
				*out++ = *a;
			if (++a == mid)
				return copy_fences(out, b, end);
			x = (*a)->context;
		} else {
			if (drop)
				dma_fence_put(*b);
			else
				*out++ = *b;
			if (++b == end)
				return copy_fences(out, a, mid);
			y = (*b)->context;
		}
	}
}

/* Merge each two neighbouring runs of @pile, by way of @spare. */
static void pile_merge_pairs(struct pile *pile, struct dma_fence ***spare,
			     unsigned int *ends)
{
	struct dma_fence **from = pile->fences, **start = from, **mid, **end;
	struct dma_fence **to = *spare;
	unsigned int i;

	for (i = 0; i + 1 < pile->runs; i += 2, start = end) {
		mid = from + ends[i];
		end = from + ends[i + 1];
		to = merge_runs(start, mid, end, to);
		ends[i / 2] = to - *spare;
	}
	if (i < pile->runs) {
		to = copy_fences(to, start, from + pile->count);
		ends[i / 2] = to - *spare;
	}
	pile->runs = DIV_ROUND_UP(pile->runs, 2);
	pile->count = to - *spare;
	swap(pile->fences, *spare);
}

/* One fence of each timeline, by context. False without memory. */
static bool pile_sort(struct pile *pile)
{
	struct dma_fence **spare;
	unsigned int *ends;

	if (pile->runs <= 1)
		return true;

	spare = kmalloc_array(pile->count, sizeof(*spare),
			      GFP_KERNEL | __GFP_NOWARN);
	ends = kmalloc_array(pile->runs, sizeof(*ends),
			     GFP_KERNEL | __GFP_NOWARN);
	if (spare && ends) {
		pile_find_runs(pile, ends);
		while (pile->runs > 1)
			pile_merge_pairs(pile, &spare, ends);
	}
	kfree(ends);
	kfree(spare);
	return pile->runs <= 1;
}

/* The fence for all that @pile has, which passes on to it. NULL without memory. */
static struct dma_fence *pile_wrap(struct pile *pile)
{
	struct dma_fence_array *array;

	if (!pile->count)
		return dma_fence_allocate_private_stub(pile->latest);
	if (pile->count == 1)
		return pile->fences[--pile->count];

	pile_trim(pile);
	array = dma_fence_array_create(pile->count, pile->fences,
				       dma_fence_context_alloc(1), 1, false);
	if (!array)
		return NULL;

	pile->fences = NULL;
	pile->count = 0;
	return &array->base;
}

/**
 * __dma_fence_unwrap_merge() - one fence for several
 * @num_fences: number of @fences
 * @fences: any fences, chains, arrays, chains of arrays, or NULL; borrowed
 * @cursors: not used; arrays are read in place
 *
 * The callers' form is dma_fence_unwrap_merge().
 *
 * Signaled inputs do not count, be it with an error.
 *
 * Context: Process context; may sleep.
 * Return: a fence that signals when all of @fences have, with a reference that the
 * caller drops. It is an array of plain fences of different timelines, or the only
 * plain fence that is pending, or if there is none a new fence that has signaled
 * when the last of the inputs did. NULL if there is no memory.
 */
struct dma_fence *__dma_fence_unwrap_merge(unsigned int num_fences,
					   struct dma_fence **fences,
					   struct dma_fence_unwrap *cursors)
{
	struct dma_fence *result = NULL;
	struct pile pile = {};

	if (pile_collect_all(&pile, num_fences, fences) && pile_sort(&pile))
		result = pile_wrap(&pile);

	pile_fini(&pile);
	return result;
}
EXPORT_SYMBOL_GPL(__dma_fence_unwrap_merge);
