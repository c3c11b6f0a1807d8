// SPDX-License-Identifier: GPL-2.0
/*
 * dma-fence-array: several fences as one, which signals when all of them have
 * or as soon as any of them has.
 */

#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/dma-fence-array.h>
#include <linux/export.h>
#include <linux/irq_work.h>
#include <linux/lockdep.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "dma-fence-watchdog.h"

/**
 * DOC: fence array
 *
 * An array is made from fences (its *members*) that all exist already, and is
 * itself a fence. While nobody asks for its callbacks it does nothing: whether
 * it has signaled is answered by looking at the members. Once signaling is
 * enabled each member tells the array, and from then on a counter answers.
 *
 * 1. array_enable_signaling() hangs one callback on every member and counts those
 *    that had signaled before.
 * 2. The callback of a member, which runs under that member's lock, records an
 *    error and counts. The one that counts to zero queues the irq_work.
 * 3. The irq_work signals the array. It exists because the lock order is array,
 *    then member, as in step 1: the array's lock cannot be taken in step 2.
 *
 * The counter, &dma_fence_array.num_pending, tells two moments apart:
 *
 * ==================  ============  ===========================================
 * it reaches          all / any     then
 * ==================  ============  ===========================================
 * zero                n / 1 down    the array signals
 * num_drained         0 / 1 - n     no callback can run any more
 * ==================  ============  ===========================================
 *
 * Invariants, from step 1 on:
 *
 * - Two references belong to the machinery: one is dropped when the array has
 *   been signaled, one when it is drained. So neither the irq_work nor a
 *   callback that is still armed (any: long after the signal) lacks its memory.
 * - &dma_fence.error is %ERROR_OPEN until the first member that failed has put
 *   its error there or the array is about to signal, whichever comes first. Both
 *   go through cmpxchg() from %ERROR_OPEN, so whichever was first stays. Once the
 *   array has signaled its error never changes.
 * - A member counts only after its error is recorded, and counting is a full
 *   barrier. Whoever sees the counter at zero sees the error.
 *
 * Members must not be containers: enabling, testing and releasing an array go
 * straight down into the members, so that every level costs stack, and arrays in
 * arrays take two locks of one class. dma_fence_unwrap_merge() makes flat ones.
 */

/* No error yet and not signaled; no errno, since those are negative. */
#define ERROR_OPEN 1

static const char *array_driver_name(struct dma_fence *fence)
{
	return "dma_fence_array";
}

static const char *array_timeline_name(struct dma_fence *fence)
{
	return "unbound";
}

/* If @member failed and is the first to have done so, that is the array's error. */
static void array_note_error(struct dma_fence_array *array,
			     const struct dma_fence *member)
{
	if (member->error)
		cmpxchg(&array->base.error, ERROR_OPEN, member->error);
}

/* From here on errors of members come too late. */
static void array_close_error(struct dma_fence_array *array)
{
	cmpxchg(&array->base.error, ERROR_OPEN, 0);
}

static void array_signal_work(struct irq_work *work)
{
	struct dma_fence_array *array =
		container_of(work, struct dma_fence_array, work);

	array_close_error(array);
	dma_fence_signal(&array->base);
	dma_fence_put(&array->base);	/* Signaled. */
}

/*
 * A member has counted to @left, zero or less. Kept out of the way of those that
 * count to more.
 */
static noinline void array_due(struct dma_fence_array *array, int left, int drained)
{
	if (left == drained)
		dma_fence_put(&array->base);	/* Drained. */
	if (left == 0)
		irq_work_queue(&array->work);	/* Has its own reference. */
}

static void array_member_signaled(struct dma_fence *member, struct dma_fence_cb *cb)
{
	struct dma_fence_array *array =
		container_of(cb, struct dma_fence_array_cb, cb)->array;
	/* Others may free the array as soon as this member has counted. */
	const int drained = array->num_drained;
	int left;

	array_note_error(array, member);
	left = atomic_dec_return(&array->num_pending);
	if (left <= 0)
		array_due(array, left, drained);
}

#if IS_ENABLED(CONFIG_DMABUF_CONTRACT)
/**
 * dma_fence_waiting_array() - which array waits by a callback?
 * @cb: queued on a fence, whose lock the caller holds
 *
 * Context: Any.
 * Return: the array, which has references at least until the lock is dropped;
 * NULL if the callback does something else.
 */
struct dma_fence *dma_fence_waiting_array(const struct dma_fence_cb *cb)
{
	return cb->func == array_member_signaled ?
		&container_of(cb, struct dma_fence_array_cb, cb)->array->base : NULL;
}
#endif

/*
 * Hang a callback on each member. Returns how many members will never call back
 * because they had signaled; with signal-on-any the first of those is enough,
 * and the members behind it are counted as well.
 */
static unsigned int array_arm(struct dma_fence_array *array)
{
	unsigned int i, absent = 0;

	for (i = 0; i < array->num_fences; i++) {
		struct dma_fence_array_cb *cb = &array->callbacks[i];
		struct dma_fence *member = array->fences[i];

		cb->array = array;
		if (!dma_fence_add_callback(member, &cb->cb, array_member_signaled))
			continue;

		array_note_error(array, member);
		if (array->num_drained < 0)
			return absent + array->num_fences - i;
		absent++;
	}
	return absent;
}

static bool array_enable_signaling(struct dma_fence *fence)
{
	struct dma_fence_array *array = to_dma_fence_array(fence);
	int absent, left;

	lockdep_assert_held(&array->lock);

	if (!array->num_fences)
		return false;

	dma_fence_get(fence);	/* Dropped once signaled. */
	dma_fence_get(fence);	/* Dropped once drained. */

	absent = array_arm(array);
	if (!absent)
		return true;

	left = atomic_sub_return(absent, &array->num_pending);
	if (left == array->num_drained)
		dma_fence_put(fence);	/* Drained. */
	if (left > 0 || left + absent <= 0)
		return true;	/* Too early, or a callback was faster. */

	array_close_error(array);
	dma_fence_put(fence);	/* The caller signals, not the irq_work. */
	return false;
}

/* Without callbacks to go by: how many signals of members are still missing? */
static int array_poll(struct dma_fence_array *array, int pending)
{
	unsigned int i;

	for (i = 0; i < array->num_fences && pending > 0; i++) {
		if (!dma_fence_is_signaled(array->fences[i]))
			continue;

		array_note_error(array, array->fences[i]);
		pending--;
	}
	return pending;
}

/*
 * The counter means something only once signaling is enabled, and enabling may be
 * under way on another CPU. Reading the counter first makes that harmless: a value
 * from before the first count is complete, and a member that was counted is seen
 * together with the flag, since the flag is set before array_enable_signaling()
 * runs and counting, there and in array_member_signaled(), is a full barrier, with
 * which the acquire pairs. A stale "no" is possible, it is never wrong for long.
 */
static bool array_signaled(struct dma_fence *fence)
{
	struct dma_fence_array *array = to_dma_fence_array(fence);
	int pending = atomic_read_acquire(&array->num_pending);

	if (!test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &fence->flags))
		pending = array_poll(array, pending);
	if (pending > 0)
		return false;

	array_close_error(array);
	return true;
}

static void array_release(struct dma_fence *fence)
{
	struct dma_fence_array *array = to_dma_fence_array(fence);
	unsigned int i;

	for (i = 0; i < array->num_fences; i++)
		dma_fence_put(array->fences[i]);

	kfree(array->fences);
	dma_fence_free(fence);
}

static void array_set_deadline(struct dma_fence *fence, ktime_t deadline)
{
	struct dma_fence_array *array = to_dma_fence_array(fence);
	unsigned int i;

	for (i = 0; i < array->num_fences; i++)
		dma_fence_set_deadline(array->fences[i], deadline);
}

const struct dma_fence_ops dma_fence_array_ops = {
	.get_driver_name = array_driver_name,
	.get_timeline_name = array_timeline_name,
	.enable_signaling = array_enable_signaling,
	.signaled = array_signaled,
	.release = array_release,
	.set_deadline = array_set_deadline,
};
EXPORT_SYMBOL(dma_fence_array_ops);

/**
 * dma_fence_array_alloc() - memory for an array
 * @num_fences: how many members it is going to have
 *
 * For callers that must not fail later on. Pass it to dma_fence_array_init(), or
 * to kfree() if that turns out not to be needed.
 *
 * Context: Process context; may sleep.
 * Return: the memory, or NULL if there is none or @num_fences is more than one
 * allocation can hold.
 */
struct dma_fence_array *dma_fence_array_alloc(int num_fences)
{
	struct dma_fence_array *array;
	size_t size = struct_size(array, callbacks, num_fences);

	/* User space chooses how much it merges: no warning from the allocator. */
	if (size > KMALLOC_MAX_SIZE)
		return NULL;

	return kmalloc(size, GFP_KERNEL);
}
EXPORT_SYMBOL(dma_fence_array_alloc);

/**
 * dma_fence_array_init() - turn memory into an array
 * @array: from dma_fence_array_alloc() for at least @num_fences members
 * @num_fences: number of members, not 0
 * @fences: the members; takes the references and the memory of the array, which
 *	must come from kmalloc()
 * @context: timeline of the new fence
 * @seqno: its place there
 * @signal_on_any: signal with the first member and not with the last
 *
 * A member that is a container is reported once. An array without members, which
 * is reported as well, counts as signaled.
 *
 * The new fence fails with the error of the first member that failed before the
 * array signals; "first" is by time where callbacks tell, else by position.
 *
 * Context: Any context.
 */
void dma_fence_array_init(struct dma_fence_array *array,
			  int num_fences, struct dma_fence **fences,
			  u64 context, unsigned int seqno,
			  bool signal_on_any)
{
	int i;

	if (WARN_ON_ONCE(num_fences <= 0 || !fences))
		num_fences = 0;

	array->num_fences = num_fences;
	array->fences = fences;
	for (i = 0; i < num_fences; i++)
		WARN_ON_ONCE(dma_fence_is_container(fences[i]));

	if (!num_fences)
		signal_on_any = false;
	atomic_set(&array->num_pending, signal_on_any ? 1 : num_fences);
	array->num_drained = signal_on_any ? 1 - num_fences : 0;

	spin_lock_init(&array->lock);
	init_irq_work(&array->work, array_signal_work);
	dma_fence_init(&array->base, &dma_fence_array_ops, &array->lock,
		       context, seqno);
	array->base.error = ERROR_OPEN;
}
EXPORT_SYMBOL(dma_fence_array_init);

/**
 * dma_fence_array_create() - allocate and initialise an array
 * @num_fences: number of members, not 0
 * @fences: as for dma_fence_array_init(); stays the caller's if this fails
 * @context: timeline of the new fence
 * @seqno: its place there
 * @signal_on_any: signal with the first member and not with the last
 *
 * Context: Process context; may sleep.
 * Return: the array, with one reference to its base that the caller drops with
 * dma_fence_put(), or NULL if there is no memory.
 */
struct dma_fence_array *dma_fence_array_create(int num_fences,
					       struct dma_fence **fences,
					       u64 context, unsigned int seqno,
					       bool signal_on_any)
{
	struct dma_fence_array *array = dma_fence_array_alloc(num_fences);

	if (array)
		dma_fence_array_init(array, num_fences, fences, context, seqno,
				     signal_on_any);
	return array;
}
EXPORT_SYMBOL(dma_fence_array_create);

/**
 * dma_fence_match_context() - does a fence belong to one timeline only?
 * @fence: any fence; of an array the members are looked at
 * @context: the timeline
 *
 * Context: Any context.
 * Return: true if @fence, or each member of it, is on @context.
 */
bool dma_fence_match_context(struct dma_fence *fence, u64 context)
{
	struct dma_fence *member;
	unsigned int i;

	dma_fence_array_for_each(member, i, fence) {
		if (member->context != context)
			return false;
	}
	return true;
}
EXPORT_SYMBOL(dma_fence_match_context);

/**
 * dma_fence_array_first() - begin dma_fence_array_for_each()
 * @head: any fence, or NULL
 *
 * Context: Any context.
 * Return: the first member of @head, @head itself if that is no array. NULL if
 * there is no fence. No reference is taken.
 */
struct dma_fence *dma_fence_array_first(struct dma_fence *head)
{
	return to_dma_fence_array(head) ? dma_fence_array_next(head, 0) : head;
}
EXPORT_SYMBOL(dma_fence_array_first);

/**
 * dma_fence_array_next() - continue dma_fence_array_for_each()
 * @head: any fence, or NULL
 * @index: position of the wanted member
 *
 * Context: Any context.
 * Return: that member, without a reference, or NULL if @head is no array or has
 * no such member.
 */
struct dma_fence *dma_fence_array_next(struct dma_fence *head,
				       unsigned int index)
{
	struct dma_fence_array *array = to_dma_fence_array(head);

	return array && index < array->num_fences ? array->fences[index] : NULL;
}
EXPORT_SYMBOL(dma_fence_array_next);
