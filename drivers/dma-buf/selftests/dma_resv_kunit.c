// SPDX-License-Identifier: GPL-2.0
/*
 * The fence list of a reservation object: which fence takes whose place, what is
 * reserved, what is dropped, and that a long random life ends as a naive model
 * says it must.
 */

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "mock.h"
#include "mock_fence.h"
#include "mock_resv.h"

/* Two usages: of the fence that is there, and of the one that comes. */
struct usage_pair {
	enum dma_resv_usage old;
	enum dma_resv_usage new;
	unsigned int others;
};

/* All pairs, in an object with few and with many other fences. */
static const void *usage_pair_gen_params(const void *prev, char *desc)
{
	static const unsigned int others[] = { 0, 7, 300 };
	static struct usage_pair pairs[16 * ARRAY_SIZE(others)];
	const struct usage_pair *last = prev;
	size_t i = last ? last - pairs + 1 : 0;

	if (i == ARRAY_SIZE(pairs))
		return NULL;

	pairs[i].old = i % 4;
	pairs[i].new = i / 4 % 4;
	pairs[i].others = others[i / 16];
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s then %s, %u others",
		 mock_usage_name(pairs[i].old), mock_usage_name(pairs[i].new),
		 pairs[i].others);
	return &pairs[i];
}

/* Fences on contexts of their own, in all usages in turn. */
static void add_others(struct kunit *test, struct dma_resv *obj, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		mock_resv_add_new(test, obj, i % MOCK_NR_USAGES);
}

/* A fence of each usage finds its place, whatever happened to the object before. */
static void add_one_of_each(struct kunit *test, struct dma_resv *obj)
{
	enum dma_resv_usage usage;

	for (usage = 0; usage < MOCK_NR_USAGES; usage++) {
		unsigned int before = mock_resv_size(test, obj, DMA_RESV_USAGE_BOOKKEEP);
		struct dma_fence *fence = mock_resv_add_new(test, obj, usage);

		KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, fence, usage));
		KUNIT_EXPECT_EQ(test, mock_resv_size(test, obj, DMA_RESV_USAGE_BOOKKEEP),
				before + 1);
	}
}

/* No fence is beyond reach: a later one of its context takes its place. */
static void relieve_all(struct kunit *test, struct dma_resv *obj)
{
	struct dma_fence **fences;
	unsigned int i, nr;
	int ret;

	ret = dma_resv_get_fences(obj, DMA_RESV_USAGE_BOOKKEEP, &nr, &fences);
	KUNIT_ASSERT_EQ(test, ret, 0);
	for (i = 0; i < nr; i++) {
		mock_resv_add_on(test, obj, fences[i]->context, 1000,
				 DMA_RESV_USAGE_KERNEL);
		dma_fence_put(fences[i]);
	}
	kfree(fences);
	KUNIT_EXPECT_EQ(test, mock_resv_size(test, obj, DMA_RESV_USAGE_BOOKKEEP), nr);
	KUNIT_EXPECT_EQ(test, mock_resv_size(test, obj, DMA_RESV_USAGE_KERNEL), nr);
}

/* A new object has no fences, and its lock is free and of the right class. */
static void init_makes_empty_object(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);

	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(obj));
	KUNIT_EXPECT_NULL(test, dma_resv_locking_ctx(obj));
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(obj, DMA_RESV_USAGE_BOOKKEEP));
	KUNIT_EXPECT_EQ(test, mock_resv_size(test, obj, DMA_RESV_USAGE_BOOKKEEP), 0);
	KUNIT_EXPECT_STREQ(test, reservation_ww_class.acquire_name,
			   "reservation_ww_class_acquire");
	KUNIT_EXPECT_STREQ(test, reservation_ww_class.mutex_name,
			   "reservation_ww_class_mutex");
}

/* Each fence that is still in an object loses exactly one reference. */
static void fini_drops_references(struct kunit *test)
{
	const struct mock_resv_param *param = test->param_value;
	int live = mock_fence_live();
	struct dma_resv obj;
	unsigned int i;

	dma_resv_init(&obj);
	for (i = 0; i < param->nr; i++) {
		struct dma_fence *fence = mock_fence_create(test);

		mock_resv_add(test, &obj, fence, param->usage);
		if (i % 3 == 0)
			dma_fence_signal(fence);
		dma_fence_put(fence);
	}
	KUNIT_EXPECT_GT(test, mock_fence_live(), live);
	dma_resv_fini(&obj);
	KUNIT_EXPECT_EQ(test, mock_fence_live(), live);
}

/* Who holds the lock, and with which context, is what the predicates say. */
static void lock_with_context_is_known(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct ww_acquire_ctx ctx;

	ww_acquire_init(&ctx, &reservation_ww_class);
	KUNIT_EXPECT_EQ(test, dma_resv_lock(obj, &ctx), 0);
	KUNIT_EXPECT_TRUE(test, dma_resv_is_locked(obj));
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_locking_ctx(obj), &ctx);
	dma_resv_unlock(obj);
	ww_acquire_fini(&ctx);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(obj));
}

/* A context that has the lock already is told so, by both variants. */
static void lock_twice_returns_ealready(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct ww_acquire_ctx ctx;

	ww_acquire_init(&ctx, &reservation_ww_class);
	KUNIT_EXPECT_EQ(test, dma_resv_lock(obj, &ctx), 0);
	KUNIT_EXPECT_EQ(test, dma_resv_lock(obj, &ctx), -EALREADY);
	KUNIT_EXPECT_EQ(test, dma_resv_lock_interruptible(obj, &ctx), -EALREADY);
	dma_resv_unlock(obj);
	ww_acquire_fini(&ctx);
}

/* A thread that holds a lock until it is told to let go. */
struct holder {
	struct dma_resv *obj;
	struct completion locked;
	struct completion release;
	struct completion done;
	bool with_ctx;
};

static int holder_thread(void *data)
{
	struct holder *holder = data;
	struct ww_acquire_ctx ctx;

	if (holder->with_ctx)
		ww_acquire_init(&ctx, &reservation_ww_class);
	dma_resv_lock(holder->obj, holder->with_ctx ? &ctx : NULL);
	complete(&holder->locked);
	wait_for_completion(&holder->release);
	dma_resv_unlock(holder->obj);
	if (holder->with_ctx)
		ww_acquire_fini(&ctx);
	complete(&holder->done);
	return 0;
}

static void holder_start(struct kunit *test, struct holder *holder)
{
	struct task_struct *task;

	init_completion(&holder->locked);
	init_completion(&holder->release);
	init_completion(&holder->done);
	task = kthread_run(holder_thread, holder, "dma-resv-holder");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	wait_for_completion(&holder->locked);
}

static void holder_stop(struct holder *holder)
{
	complete(&holder->release);
	wait_for_completion(&holder->done);
}

/* A lock that somebody else has is not taken, and nobody sleeps. */
static void trylock_of_held_lock_fails(struct kunit *test)
{
	struct holder holder = { .obj = mock_resv_create(test) };
	bool locked;

	holder_start(test, &holder);
	locked = dma_resv_trylock(holder.obj);
	KUNIT_EXPECT_FALSE(test, locked);
	if (locked)
		dma_resv_unlock(holder.obj);
	holder_stop(&holder);

	locked = dma_resv_trylock(holder.obj);
	KUNIT_EXPECT_TRUE(test, locked);
	if (locked)
		dma_resv_unlock(holder.obj);
}

/* A signal ends the wait for the lock. */
static void lock_interruptible_with_signal_returns_eintr(struct kunit *test)
{
	struct holder holder = { .obj = mock_resv_create(test) };

	holder_start(test, &holder);
	mock_signal_begin();
	KUNIT_EXPECT_EQ(test, dma_resv_lock_interruptible(holder.obj, NULL), -EINTR);
	mock_signal_end();
	holder_stop(&holder);
}

/* The younger of two contexts backs off, and gets the lock by the slow path. */
static void lock_held_by_older_context_returns_edeadlk(struct kunit *test)
{
	struct holder holder = { .obj = mock_resv_create(test), .with_ctx = true };
	struct dma_resv *mine = mock_resv_create(test);
	struct ww_acquire_ctx ctx;

	holder_start(test, &holder);
	ww_acquire_init(&ctx, &reservation_ww_class);
	KUNIT_EXPECT_EQ(test, dma_resv_lock(mine, &ctx), 0);
	KUNIT_EXPECT_EQ(test, dma_resv_lock(holder.obj, &ctx), -EDEADLK);
	dma_resv_unlock(mine);
	complete(&holder.release);
	dma_resv_lock_slow(holder.obj, &ctx);
	KUNIT_EXPECT_PTR_EQ(test, dma_resv_locking_ctx(holder.obj), &ctx);
	dma_resv_unlock(holder.obj);
	ww_acquire_fini(&ctx);
	wait_for_completion(&holder.done);
}

/* The same for the interruptible variants, and a signal ends the slow wait. */
static void lock_interruptible_held_by_older_context_returns_edeadlk(struct kunit *test)
{
	struct holder holder = { .obj = mock_resv_create(test), .with_ctx = true };
	struct dma_resv *mine = mock_resv_create(test);
	struct ww_acquire_ctx ctx;
	int ret;

	holder_start(test, &holder);
	ww_acquire_init(&ctx, &reservation_ww_class);
	KUNIT_EXPECT_EQ(test, dma_resv_lock_interruptible(mine, &ctx), 0);
	ret = dma_resv_lock_interruptible(holder.obj, &ctx);
	KUNIT_EXPECT_EQ(test, ret, -EDEADLK);
	dma_resv_unlock(mine);

	mock_signal_begin();
	ret = dma_resv_lock_slow_interruptible(holder.obj, &ctx);
	KUNIT_EXPECT_EQ(test, ret, -EINTR);
	mock_signal_end();

	complete(&holder.release);
	ret = dma_resv_lock_slow_interruptible(holder.obj, &ctx);
	KUNIT_EXPECT_EQ(test, ret, 0);
	dma_resv_unlock(holder.obj);
	ww_acquire_fini(&ctx);
	wait_for_completion(&holder.done);
}

/* A reservation of nothing is refused and reported. */
static void reserve_none_returns_einval(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);

	mock_resv_lock(test, obj);
	dmabuf_expect_warning_begin(test);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(obj, 0), -EINVAL);
	dmabuf_expect_warning_end(test);
	dma_resv_unlock(obj);
}

#if DMABUF_OURS
/* A size that no allocation can have is refused, and the fences stay. */
static void reserve_too_many_returns_enomem(struct kunit *test)
{
	const struct mock_resv_param *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *fence = NULL;
	unsigned int i;

	for (i = 0; i < param->nr; i++)
		fence = mock_resv_add_new(test, obj, param->usage);
	mock_resv_lock(test, obj);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(obj, UINT_MAX), -ENOMEM);
	dma_resv_unlock(obj);
	KUNIT_EXPECT_EQ(test, mock_resv_size(test, obj, param->usage), param->nr);
	KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, fence, param->usage));
}
#endif

/* Growing keeps what is pending, in the right usage, and drops what is not. */
static void reserve_keeps_pending_fences(struct kunit *test)
{
	const struct mock_resv_param *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *fence, *first = NULL;
	int live = mock_fence_live();
	unsigned int i;

	for (i = 0; i < param->nr; i++) {
		fence = mock_fence_create(test);
		if (!first)
			first = fence;
		mock_resv_add(test, obj, fence, param->usage);
		dma_fence_put(fence);
		fence = mock_resv_add_new(test, obj, i % MOCK_NR_USAGES);
		to_mock_fence(fence)->done = true;
	}
	mock_resv_lock(test, obj);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(obj, 2000), 0);
	dma_resv_unlock(obj);

	KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, first, param->usage));
	KUNIT_EXPECT_EQ(test, mock_resv_size(test, obj, param->usage), param->nr);
	/* The test case itself holds the signaled ones; nobody else does. */
	KUNIT_EXPECT_EQ(test, mock_fence_live(), live + 2 * param->nr);
	KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), 1);
}

/* A reservation holds for as many fences as were asked for, whatever follows. */
static void reserve_larger_then_smaller_keeps_the_larger(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *fences[9];
	int i;

	for (i = 0; i < ARRAY_SIZE(fences); i++) {
		fences[i] = mock_fence_create(test);
		mock_fence_put_at_exit(test, fences[i]);
	}
	mock_resv_lock(test, obj);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, ARRAY_SIZE(fences)), 0);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 1), 0);
	for (i = 0; i < ARRAY_SIZE(fences); i++)
		dma_resv_add_fence(obj, fences[i], DMA_RESV_USAGE_READ);
	dma_resv_unlock(obj);
	for (i = 0; i < ARRAY_SIZE(fences); i++)
		KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, fences[i],
							DMA_RESV_USAGE_READ));
}

/* Fences of different contexts are all there, once, for this usage and weaker. */
static void add_of_different_contexts_keeps_all(struct kunit *test)
{
	const struct mock_resv_param *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	enum dma_resv_usage usage;
	struct dma_fence *fence;
	unsigned int i;

	for (i = 0; i < param->nr; i++) {
		fence = mock_resv_add_new(test, obj, param->usage);
		KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, fence, param->usage));
	}
	for (usage = 0; usage < MOCK_NR_USAGES; usage++)
		KUNIT_EXPECT_EQ(test, mock_resv_size(test, obj, usage),
				usage < param->usage ? 0 : param->nr);
}

/* A later fence of a context takes the place of the older one. */
static void add_later_fence_replaces_older(struct kunit *test)
{
	const struct mock_resv_param *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence **older, *later;
	unsigned int i;

	older = kunit_kcalloc(test, param->nr, sizeof(*older), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, older);
	for (i = 0; i < param->nr; i++)
		older[i] = mock_resv_add_new(test, obj, param->usage);
	for (i = 0; i < param->nr; i++) {
		later = mock_resv_add_on(test, obj, older[i]->context, 2, param->usage);
		KUNIT_EXPECT_EQ(test, kref_read(&older[i]->refcount), 1);
		KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, later, param->usage));
	}
	KUNIT_EXPECT_EQ(test, mock_resv_size(test, obj, DMA_RESV_USAGE_BOOKKEEP),
			param->nr);
}

/* The same fence again needs no second slot, with one reserved for both. */
static void add_same_fence_twice_takes_one_slot(struct kunit *test)
{
	const struct mock_resv_param *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *fence = mock_fence_create(test);
	unsigned int i;

	mock_fence_put_at_exit(test, fence);
	for (i = 0; i < param->nr - 1; i++)
		mock_resv_add_new(test, obj, param->usage);
	mock_resv_lock(test, obj);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 1), 0);
	for (i = 0; i < 10; i++)
		dma_resv_add_fence(obj, fence, param->usage);
	dma_resv_unlock(obj);
	KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, fence, param->usage));
	KUNIT_EXPECT_EQ(test, mock_resv_size(test, obj, param->usage), param->nr);
	KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), 2);
}

/* An older fence of a context says nothing about the later one. Both stay. */
static void add_older_fence_keeps_both(struct kunit *test)
{
	const struct mock_resv_param *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *later, *older;
	unsigned int i;

	for (i = 0; i < param->nr - 1; i++)
		mock_resv_add_new(test, obj, param->usage);
	later = mock_resv_add_on(test, obj, 0, 5, param->usage);
	older = mock_resv_add_on(test, obj, later->context, 4, param->usage);
	KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, later, param->usage));
	KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, older, param->usage));
}

/* Sequence numbers of 32 bits wrap around. */
static void add_after_seqno_wrap_replaces(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *older, *later;
	u64 context = dma_fence_context_alloc(1);

	older = mock_resv_add_on(test, obj, context, U32_MAX, DMA_RESV_USAGE_READ);
	later = mock_resv_add_on(test, obj, context, (u64)U32_MAX + 2, DMA_RESV_USAGE_READ);
	KUNIT_EXPECT_EQ(test, mock_resv_count(test, obj, DMA_RESV_USAGE_READ, older), 0);
	KUNIT_EXPECT_EQ(test, mock_resv_count(test, obj, DMA_RESV_USAGE_READ, later), 1);
}

/*
 * A fence of the same or a stronger usage takes the place of an older one, and is
 * found with the usage that it was added with. A weaker one does not.
 */
static void add_with_other_usage_promotes_only(struct kunit *test)
{
	const struct usage_pair *pair = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *old, *new;

	add_others(test, obj, pair->others);
	old = mock_resv_add_new(test, obj, pair->old);
	new = mock_resv_add_on(test, obj, old->context, 2, pair->new);

	KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, new, pair->new));
	if (pair->new <= pair->old)
		KUNIT_EXPECT_EQ(test, kref_read(&old->refcount), 1);
	else
		KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, old, pair->old));
	KUNIT_EXPECT_EQ(test, mock_resv_size(test, obj, DMA_RESV_USAGE_BOOKKEEP),
			pair->others + 1 + (pair->new > pair->old));
}

/* A promotion needs no slot: it works in an object where none is left. */
static void promotion_without_slot_succeeds(struct kunit *test)
{
	const struct usage_pair *pair = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *fences[16];
	int i;

	if (pair->new > pair->old)
		kunit_skip(test, "not a promotion");

	add_others(test, obj, pair->others);
	for (i = 0; i < ARRAY_SIZE(fences); i++) {
		fences[i] = mock_fence_create(test);
		mock_fence_put_at_exit(test, fences[i]);
	}
	mock_resv_lock(test, obj);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, ARRAY_SIZE(fences)), 0);
	for (i = 0; i < ARRAY_SIZE(fences); i++) {
		dma_resv_add_fence(obj, fences[i], pair->old);
		dma_resv_add_fence(obj, fences[i], pair->new);
	}
	dma_resv_unlock(obj);
	/* With debug checks nothing is reserved any more now. */
	mock_resv_lock(test, obj);
	for (i = 0; i < ARRAY_SIZE(fences); i++)
		dma_resv_add_fence(obj, fences[i], pair->new);
	dma_resv_unlock(obj);

	for (i = 0; i < ARRAY_SIZE(fences); i++)
		KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, fences[i], pair->new));
	KUNIT_EXPECT_EQ(test, mock_resv_size(test, obj, DMA_RESV_USAGE_BOOKKEEP),
			pair->others + ARRAY_SIZE(fences));
}

/* A promotion uses up no slot that was reserved for something else. */
static void promotion_leaves_reserved_slots_to_others(struct kunit *test)
{
	const struct usage_pair *pair = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *promoted[8], *added[8], *later;
	int i;

	if (pair->new >= pair->old)
		kunit_skip(test, "not a promotion");

	add_others(test, obj, pair->others);
	for (i = 0; i < ARRAY_SIZE(added); i++) {
		promoted[i] = mock_fence_create(test);
		mock_fence_put_at_exit(test, promoted[i]);
		added[i] = mock_fence_create(test);
		mock_fence_put_at_exit(test, added[i]);
	}
	mock_resv_lock(test, obj);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 100), 0);
	dma_resv_unlock(obj);
	/* From here on debug kernels give no more slots than are reserved. */
	mock_resv_lock(test, obj);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 2 * ARRAY_SIZE(added)), 0);
	for (i = 0; i < ARRAY_SIZE(added); i++)
		dma_resv_add_fence(obj, promoted[i], pair->old);
	for (i = 0; i < ARRAY_SIZE(added); i++)
		dma_resv_add_fence(obj, promoted[i], pair->new);
	for (i = 0; i < ARRAY_SIZE(added); i++)
		dma_resv_add_fence(obj, added[i], pair->old);
	dma_resv_unlock(obj);

	for (i = 0; i < ARRAY_SIZE(added); i++) {
		KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, promoted[i], pair->new));
		KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, added[i], pair->old));
		later = mock_resv_add_on(test, obj, added[i]->context, 2, pair->old);
		KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, later, pair->old));
		KUNIT_EXPECT_EQ(test, kref_read(&added[i]->refcount), 1);
	}
	KUNIT_EXPECT_EQ(test, mock_resv_size(test, obj, DMA_RESV_USAGE_BOOKKEEP),
			pair->others + 2 * ARRAY_SIZE(added));
	relieve_all(test, obj);
}

/* After changes of usage in place, an object takes new fences of each usage. */
static void replace_then_add_finds_place(struct kunit *test)
{
	const struct usage_pair *pair = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *old, *new = mock_fence_create(test);

	mock_fence_put_at_exit(test, new);
	add_others(test, obj, pair->others);
	old = mock_resv_add_new(test, obj, pair->old);
	mock_resv_lock(test, obj);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 2), 0);
	dma_resv_replace_fences(obj, old->context, new, pair->new);
	dma_resv_unlock(obj);

	add_one_of_each(test, obj);
	add_one_of_each(test, obj);
	KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, new, pair->new));
	KUNIT_EXPECT_EQ(test, mock_resv_size(test, obj, DMA_RESV_USAGE_BOOKKEEP),
			pair->others + 1 + 2 * MOCK_NR_USAGES);
	relieve_all(test, obj);
}

/*
 * An object that has promoted without slots still promotes, replaces and adds,
 * and is as good as new once it has grown.
 */
static void promotion_chain_keeps_the_last(struct kunit *test)
{
	const struct usage_pair *pair = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *fence = NULL;
	u64 context = dma_fence_context_alloc(1);
	int usage, seqno = 1;

	add_others(test, obj, pair->others);
	mock_resv_lock(test, obj);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 1), 0);
	dma_resv_unlock(obj);
	fence = mock_resv_add_on(test, obj, context, seqno, DMA_RESV_USAGE_BOOKKEEP);
	for (usage = DMA_RESV_USAGE_BOOKKEEP; usage >= 0; usage--) {
		fence = mock_fence_create_on(test, context, ++seqno);
		mock_fence_put_at_exit(test, fence);
		mock_resv_lock(test, obj);
		dma_resv_add_fence(obj, fence, usage);
		dma_resv_unlock(obj);
		KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, fence, usage));
	}
	mock_resv_lock(test, obj);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 1000), 0);
	dma_resv_unlock(obj);
	KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, fence, DMA_RESV_USAGE_KERNEL));
	KUNIT_EXPECT_EQ(test, mock_resv_size(test, obj, DMA_RESV_USAGE_BOOKKEEP),
			pair->others + 1);
	add_one_of_each(test, obj);
	KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, fence, DMA_RESV_USAGE_KERNEL));
	relieve_all(test, obj);
}

/* A timeline that reads and writes in turn has one fence of each at most. */
static void add_alternating_usages_stays_small(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	u64 context = dma_fence_context_alloc(1);
	int live = mock_fence_live();
	struct dma_fence *fence;
	int i;

	for (i = 1; i <= 200; i++) {
		fence = mock_fence_create_on(test, context, i);
		mock_resv_add(test, obj, fence, i % 2 ? DMA_RESV_USAGE_READ :
							DMA_RESV_USAGE_WRITE);
		dma_fence_put(fence);
	}
	KUNIT_EXPECT_LE(test, mock_fence_live(), live + 2);
	KUNIT_EXPECT_EQ(test, mock_resv_count(test, obj, DMA_RESV_USAGE_WRITE, fence), 1);
}

/* Contexts that come and go do not make the object grow for ever. */
static void add_of_short_lived_contexts_stays_small(struct kunit *test)
{
	const struct mock_resv_param *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	int live = mock_fence_live();
	struct dma_fence *fence;
	unsigned int i, most = 0;

	for (i = 0; i < 10 * param->nr + 100; i++) {
		fence = mock_fence_create(test);
		mock_resv_add(test, obj, fence, i % 5 ? param->usage : i % MOCK_NR_USAGES);
		dma_fence_signal(fence);
		dma_fence_put(fence);
		most = max_t(unsigned int, most, mock_fence_live() - live);
	}
	KUNIT_EXPECT_LE(test, most, 32);
}

#if DMABUF_OURS
/* The fence is there although the caller forgot to reserve, which is reported. */
static void add_without_reservation_keeps_fence(struct kunit *test)
{
	const struct mock_resv_param *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *fence;
	unsigned int i;

	dmabuf_expect_warning_begin(test);
	for (i = 0; i < param->nr; i++) {
		fence = mock_fence_create(test);
		mock_fence_put_at_exit(test, fence);
		mock_resv_lock(test, obj);
		dma_resv_add_fence(obj, fence, param->usage);
		dma_resv_unlock(obj);
		KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, fence, param->usage));
	}
	dmabuf_expect_warning_end(test);
	KUNIT_EXPECT_EQ(test, mock_resv_size(test, obj, param->usage), param->nr);
}

/* In a full object, too, where no slot happens to be free. */
static void add_beyond_reservation_keeps_fences(struct kunit *test)
{
	const struct mock_resv_param *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *fence;
	unsigned int i;

	mock_resv_lock(test, obj);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(obj, 1), 0);
	dmabuf_expect_warning_begin(test);
	for (i = 0; i < param->nr; i++) {
		fence = mock_fence_create(test);
		mock_fence_put_at_exit(test, fence);
		dma_resv_add_fence(obj, fence, param->usage);
	}
	dmabuf_expect_warning_end(test);
	dma_resv_unlock(obj);
	KUNIT_EXPECT_EQ(test, mock_resv_size(test, obj, param->usage), param->nr);
}
#endif

/* A container is reported, and kept all the same. */
static void add_container_is_reported(struct kunit *test)
{
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence_array *array;
	struct dma_fence **fences;

	fences = kcalloc(1, sizeof(*fences), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fences);
	fences[0] = mock_fence_create(test);
	array = dma_fence_array_create(1, fences, dma_fence_context_alloc(1), 1, false);
	KUNIT_ASSERT_NOT_NULL(test, array);
	mock_fence_put_at_exit(test, &array->base);

	dmabuf_expect_warning_begin(test);
	mock_resv_add(test, obj, &array->base, DMA_RESV_USAGE_READ);
	dmabuf_expect_warning_end(test);
	KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, &array->base,
						DMA_RESV_USAGE_READ));
}

/* All fences of the context go, nothing else does, and the new one is there. */
static void replace_exchanges_all_fences_of_context(struct kunit *test)
{
	const struct usage_pair *pair = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *old, *older, *other, *new;

	add_others(test, obj, pair->others);
	old = mock_resv_add_on(test, obj, 0, 2, pair->old);
	older = mock_resv_add_on(test, obj, old->context, 1, pair->old);
	other = mock_resv_add_new(test, obj, pair->old);
	new = mock_fence_create(test);
	mock_fence_put_at_exit(test, new);

	mock_resv_lock(test, obj);
	dma_resv_replace_fences(obj, old->context, new, pair->new);
	dma_resv_unlock(obj);

	KUNIT_EXPECT_EQ(test, kref_read(&old->refcount), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&older->refcount), 1);
	KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, other, pair->old));
	KUNIT_EXPECT_EQ(test, mock_resv_count(test, obj, pair->new, new), 2);
	if (pair->new)
		KUNIT_EXPECT_EQ(test, mock_resv_count(test, obj, pair->new - 1, new), 0);
}

/* A replaced fence is known by its new context, however the usage changed. */
static void replace_twice_finds_new_context(struct kunit *test)
{
	const struct usage_pair *pair = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *old, *first, *second, *later;

	add_others(test, obj, pair->others);
	old = mock_resv_add_new(test, obj, pair->old);
	first = mock_fence_create(test);
	mock_fence_put_at_exit(test, first);
	second = mock_fence_create(test);
	mock_fence_put_at_exit(test, second);

	mock_resv_lock(test, obj);
	dma_resv_replace_fences(obj, old->context, first, pair->new);
	dma_resv_replace_fences(obj, first->context, second, pair->old);
	dma_resv_unlock(obj);
	KUNIT_EXPECT_EQ(test, kref_read(&first->refcount), 1);
	KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, second, pair->old));

	later = mock_resv_add_on(test, obj, second->context, 2, pair->old);
	KUNIT_EXPECT_EQ(test, kref_read(&second->refcount), 1);
	KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, obj, later, pair->old));
}

/* A stub in place of the last pending fence leaves the object idle. */
static void replace_by_stub_makes_idle(struct kunit *test)
{
	const struct mock_resv_param *param = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *stub = dma_fence_get_stub();
	struct dma_fence **fences;
	unsigned int i;

	fences = kunit_kcalloc(test, param->nr, sizeof(*fences), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fences);
	for (i = 0; i < param->nr; i++)
		fences[i] = mock_resv_add_new(test, obj, param->usage);
	mock_resv_lock(test, obj);
	for (i = 0; i < param->nr; i++) {
		KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(obj, param->usage));
		dma_resv_replace_fences(obj, fences[i]->context, stub, param->usage);
	}
	dma_resv_unlock(obj);
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(obj, DMA_RESV_USAGE_BOOKKEEP));
	dma_fence_put(stub);
}

/* A context that is not there changes nothing, in an empty object either. */
static void replace_of_unknown_context_changes_nothing(struct kunit *test)
{
	const struct usage_pair *pair = test->param_value;
	struct dma_resv *obj = mock_resv_create(test);
	struct dma_fence *new = mock_fence_create(test);

	mock_fence_put_at_exit(test, new);
	add_others(test, obj, pair->others);
	mock_resv_lock(test, obj);
	dma_resv_replace_fences(obj, new->context, new, pair->new);
	dma_resv_unlock(obj);
	KUNIT_EXPECT_EQ(test, mock_resv_size(test, obj, DMA_RESV_USAGE_BOOKKEEP),
			pair->others);
	KUNIT_EXPECT_EQ(test, kref_read(&new->refcount), 1);
}

/* Pending fences arrive with their usage; the source keeps them. */
static void copy_takes_pending_fences(struct kunit *test)
{
	const struct mock_resv_param *param = test->param_value;
	struct dma_resv *src = mock_resv_create(test);
	struct dma_resv *dst = mock_resv_create(test);
	struct dma_fence *fence = NULL, *signaled, *former;
	unsigned int i;

	former = mock_resv_add_new(test, dst, param->usage);
	for (i = 0; i < param->nr; i++)
		fence = mock_resv_add_new(test, src, param->usage);
	signaled = mock_resv_add_new(test, src, param->usage);
	dma_fence_signal(signaled);

	mock_resv_lock(test, dst);
	KUNIT_EXPECT_EQ(test, dma_resv_copy_fences(dst, src), 0);
	dma_resv_unlock(dst);

	KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, dst, fence, param->usage));
	KUNIT_EXPECT_TRUE(test, mock_resv_holds(test, src, fence, param->usage));
	KUNIT_EXPECT_EQ(test, mock_resv_size(test, dst, param->usage), param->nr);
	KUNIT_EXPECT_EQ(test, kref_read(&signaled->refcount), 2);
	KUNIT_EXPECT_EQ(test, kref_read(&former->refcount), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), 3);

	/* The copy is an object like any other. */
	fence = mock_resv_add_on(test, dst, fence->context, 2, param->usage);
	KUNIT_EXPECT_EQ(test, mock_resv_size(test, dst, param->usage), param->nr);
	KUNIT_EXPECT_EQ(test, mock_resv_count(test, src, param->usage, fence), 0);
}

/* A copy of nothing is nothing, whatever was there. */
static void copy_of_empty_object_empties(struct kunit *test)
{
	const struct mock_resv_param *param = test->param_value;
	struct dma_resv *src = mock_resv_create(test);
	struct dma_resv *dst = mock_resv_create(test);
	unsigned int i;

	mock_resv_lock(test, dst);
	KUNIT_EXPECT_EQ(test, dma_resv_copy_fences(dst, src), 0);
	dma_resv_unlock(dst);
	for (i = 0; i < param->nr; i++)
		mock_resv_add_new(test, dst, param->usage);
	mock_resv_lock(test, dst);
	KUNIT_EXPECT_EQ(test, dma_resv_copy_fences(dst, src), 0);
	dma_resv_unlock(dst);
	KUNIT_EXPECT_EQ(test, mock_resv_size(test, dst, DMA_RESV_USAGE_BOOKKEEP), 0);
	mock_resv_add_new(test, dst, param->usage);
	KUNIT_EXPECT_EQ(test, mock_resv_size(test, dst, param->usage), 1);
}

/*
 * The model: a log of all fences that were added, and nothing clever. From it
 * follows, for each usage, which fences an answer must account for and which it
 * may name.
 */
#define MODEL_CONTEXTS	24
#define MODEL_OPS	500
#define MODEL_LOG	192

/* A fence that was added. */
struct model_entry {
	struct dma_fence *fence;	/* owns a reference */
	enum dma_resv_usage usage;
	bool certain;			/* false: depends on what was compacted */
};

struct model {
	struct rnd_state rnd;
	struct dma_resv *obj;
	struct dma_resv *copy;
	u64 contexts;
	u64 seqno[MODEL_CONTEXTS];	/* last one given out */
	u64 done[MODEL_CONTEXTS];	/* last one signaled */
	unsigned int nr;
	struct model_entry log[MODEL_LOG];
};

static u32 model_random(struct model *model, u32 limit)
{
	return prandom_u32_state(&model->rnd) % limit;
}

static void model_forget(struct model *model, unsigned int i)
{
	dma_fence_put(model->log[i].fence);
	model->log[i] = model->log[--model->nr];
}

/* What is done is of no interest any more, whether the core knows it or not. */
static void model_prune(struct model *model)
{
	unsigned int i = 0;

	while (i < model->nr) {
		struct dma_fence *fence = model->log[i].fence;

		if (fence->seqno <= model->done[fence->context - model->contexts])
			model_forget(model, i);
		else
			i++;
	}
}

static void model_log(struct model *model, struct dma_fence *fence,
		      enum dma_resv_usage usage, bool certain)
{
	struct model_entry *entry = &model->log[model->nr++];

	entry->fence = dma_fence_get(fence);
	entry->usage = usage;
	entry->certain = certain;
}

/* Timelines make progress in order. The driver may or may not tell. */
static void model_signal(struct model *model)
{
	u32 slot = model_random(model, MODEL_CONTEXTS);
	u64 done = model->done[slot];
	unsigned int i;

	model->done[slot] = done + 1 +
		model_random(model, model->seqno[slot] - done + 1);
	if (model->done[slot] > model->seqno[slot])
		model->done[slot] = model->seqno[slot];

	for (i = 0; i < model->nr; i++) {
		struct dma_fence *fence = model->log[i].fence;

		if (fence->context != model->contexts + slot ||
		    fence->seqno > model->done[slot])
			continue;
		if (model_random(model, 2))
			dma_fence_signal(fence);
		else
			to_mock_fence(fence)->done = true;
	}
	model_prune(model);
}

/* Mostly the next fence of a timeline, now and then one that is late. */
static struct dma_fence *model_fence(struct kunit *test, struct model *model)
{
	u32 slot = model_random(model, MODEL_CONTEXTS);
	u64 seqno = model->seqno[slot], done = model->done[slot];

	if (model_random(model, 4) || seqno - done < 3)
		seqno = ++model->seqno[slot];
	else
		seqno = done + 1 + model_random(model, seqno - done);
	return mock_fence_create_on(test, model->contexts + slot, seqno);
}

static void model_add(struct kunit *test, struct model *model)
{
	unsigned int i, reserved = 1 + model_random(model, 5);

	mock_resv_lock(test, model->obj);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(model->obj, reserved), 0);
	for (i = 0; i < reserved && model->nr < MODEL_LOG; i++) {
		enum dma_resv_usage usage = model_random(model, MOCK_NR_USAGES);
		struct dma_fence *fence = model_fence(test, model);

		dma_resv_add_fence(model->obj, fence, usage);
		model_log(model, fence, usage, true);
		/* Promotions on top need no slot. */
		if (usage && model_random(model, 2) && model->nr < MODEL_LOG) {
			usage = model_random(model, usage);
			dma_resv_add_fence(model->obj, fence, usage);
			model_log(model, fence, usage, true);
		}
		dma_fence_put(fence);
	}
	dma_resv_unlock(model->obj);
}

static void model_replace(struct kunit *test, struct model *model)
{
	u64 context = model->contexts + model_random(model, MODEL_CONTEXTS);
	enum dma_resv_usage usage = model_random(model, MOCK_NR_USAGES);
	struct dma_fence *fence;
	bool certain = false;
	unsigned int i = 0;

	if (model->nr == MODEL_LOG)
		return;

	fence = model_fence(test, model);
	mock_resv_lock(test, model->obj);
	dma_resv_replace_fences(model->obj, context, fence, usage);
	dma_resv_unlock(model->obj);
	while (i < model->nr) {
		if (model->log[i].fence->context == context) {
			certain |= model->log[i].certain;
			model_forget(model, i);
		} else {
			i++;
		}
	}
	model_log(model, fence, usage, certain);
	dma_fence_put(fence);
}

/* Does one of @fences tell when @entry is done? */
static bool model_is_covered(const struct model_entry *entry,
			     struct dma_fence **fences, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (fences[i]->context == entry->fence->context &&
		    fences[i]->seqno >= entry->fence->seqno)
			return true;
	}
	return false;
}

/* Was @fence added for @usage, and not taken out? */
static bool model_knows(struct model *model, struct dma_fence *fence,
			enum dma_resv_usage usage)
{
	unsigned int i;

	for (i = 0; i < model->nr; i++) {
		if (model->log[i].fence == fence && model->log[i].usage <= usage)
			return true;
	}
	return false;
}

/* Compare one object with the model, for one usage. Returns what is wrong. */
static const char *model_compare(struct kunit *test, struct model *model,
				 struct dma_resv *obj, enum dma_resv_usage usage)
{
	const char *wrong = NULL;
	struct dma_fence **fences;
	unsigned int i, nr;

	if (dma_resv_get_fences(obj, usage, &nr, &fences))
		return "no memory";
	if (dma_resv_test_signaled(obj, usage) != !nr)
		wrong = "test_signaled differs from get_fences";
	for (i = 0; i < model->nr; i++) {
		if (model->log[i].certain && model->log[i].usage <= usage &&
		    !model_is_covered(&model->log[i], fences, nr))
			wrong = "a pending fence is missing";
	}
	for (i = 0; i < nr; i++) {
		if (!model_knows(model, fences[i], usage))
			wrong = "a fence that should not be there";
		dma_fence_put(fences[i]);
	}
	kfree(fences);
	return wrong;
}

/* The walk with the lock held has to account for the same fences. */
static const char *model_compare_locked(struct kunit *test, struct model *model)
{
	const char *wrong = NULL;
	unsigned int i;

	mock_resv_lock(test, model->obj);
	for (i = 0; i < model->nr; i++) {
		const struct model_entry *entry = &model->log[i];
		struct dma_resv_iter cursor;
		struct dma_fence *fence;
		bool covered = false;

		dma_resv_for_each_fence(&cursor, model->obj, entry->usage, fence) {
			covered |= model_is_covered(entry, &fence, 1);
			if (dma_resv_iter_usage(&cursor) > entry->usage)
				wrong = "a usage that nobody asked for";
		}
		if (entry->certain && !covered)
			wrong = "a pending fence is missing from the locked walk";
	}
	dma_resv_unlock(model->obj);
	return wrong;
}

static void model_check(struct kunit *test, struct model *model, int op)
{
	enum dma_resv_usage usage;
	const char *wrong;

	for (usage = 0; usage < MOCK_NR_USAGES; usage++) {
		wrong = model_compare(test, model, model->obj, usage);
		if (wrong)
			KUNIT_FAIL(test, "operation %d, usage %d: %s\n", op, usage, wrong);
	}
	if (op % 50)
		return;

	wrong = model_compare_locked(test, model);
	if (wrong)
		KUNIT_FAIL(test, "operation %d: %s\n", op, wrong);
	mock_resv_lock(test, model->copy);
	KUNIT_EXPECT_EQ(test, dma_resv_copy_fences(model->copy, model->obj), 0);
	dma_resv_unlock(model->copy);
	for (usage = 0; usage < MOCK_NR_USAGES; usage++) {
		wrong = model_compare(test, model, model->copy, usage);
		if (wrong)
			KUNIT_FAIL(test, "operation %d, copy: %s\n", op, wrong);
	}
	/* The copy is an object like any other: go on with that. */
	swap(model->obj, model->copy);
}

static void model_fini(void *data)
{
	struct model *model = data;

	while (model->nr)
		model_forget(model, model->nr - 1);
}

static struct model *model_create(struct kunit *test, unsigned int seed)
{
	struct model *model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, model);
	prandom_seed_state(&model->rnd, seed);
	model->obj = mock_resv_create(test);
	model->copy = mock_resv_create(test);
	model->contexts = dma_fence_context_alloc(MODEL_CONTEXTS);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, model_fini, model), 0);
	return model;
}

static const unsigned int model_seeds[] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static void seed_desc(const unsigned int *seed, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "seed %u", *seed);
}

KUNIT_ARRAY_PARAM(model_seed, model_seeds, seed_desc);

/*
 * Whatever the order of operations, each answer accounts for all pending fences
 * and names none that is not in the object. The seed says how often timelines
 * make progress, hence how large the object gets.
 */
static void random_operations_match_model(struct kunit *test)
{
	const unsigned int *seed = test->param_value;
	struct model *model = model_create(test, *seed);
	int op;

	for (op = 0; op < MODEL_OPS; op++) {
		u32 dice = model_random(model, 16);

		if (dice < *seed)
			model_signal(model);
		else if (dice == 15)
			model_replace(test, model);
		else
			model_add(test, model);
		model_check(test, model, op);
		cond_resched();
	}
}

/* Writers that take turns. */
struct writers {
	struct dma_resv *obj;
	struct dma_fence *fences[2][20];
	atomic_t errors;
};

static void writers_prepare(struct kunit *test, void *ctx)
{
	struct writers *writers = ctx;
	int i;

	writers->obj = kzalloc(sizeof(*writers->obj), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, writers->obj);
	dma_resv_init(writers->obj);
	for (i = 0; i < 40; i++)
		writers->fences[i / 20][i % 20] = mock_fence_create(test);
}

static void writers_add(struct writers *writers, int which)
{
	int i;

	for (i = 0; i < 20; i++) {
		dma_resv_lock(writers->obj, NULL);
		if (dma_resv_reserve_fences(writers->obj, 1))
			atomic_inc(&writers->errors);
		else
			dma_resv_add_fence(writers->obj, writers->fences[which][i],
					   i % MOCK_NR_USAGES);
		dma_resv_unlock(writers->obj);
		cond_resched();
	}
}

static void writers_add_first(void *ctx)
{
	writers_add(ctx, 0);
}

static void writers_add_second(void *ctx)
{
	writers_add(ctx, 1);
}

static void writers_check(struct kunit *test, void *ctx)
{
	struct writers *writers = ctx;
	int i;

	KUNIT_EXPECT_EQ(test, mock_resv_size(test, writers->obj,
					     DMA_RESV_USAGE_BOOKKEEP), 40);
	dma_resv_fini(writers->obj);
	kfree(writers->obj);
	for (i = 0; i < 40; i++)
		dma_fence_put(writers->fences[i / 20][i % 20]);
}

/* All fences of two threads that add to one object are there in the end. */
static void add_races_add(struct kunit *test)
{
	struct writers *writers = kunit_kzalloc(test, sizeof(*writers), GFP_KERNEL);
	struct mock_race race = {
		.ctx = writers,
		.rounds = 100,
		.prepare = writers_prepare,
		.check = writers_check,
		.racer = { writers_add_first, writers_add_second },
	};

	KUNIT_ASSERT_NOT_NULL(test, writers);
	mock_race(test, &race);
	KUNIT_EXPECT_EQ(test, atomic_read(&writers->errors), 0);
}

static struct kunit_case dma_resv_cases[] = {
	KUNIT_CASE(init_makes_empty_object),
	KUNIT_CASE_PARAM(fini_drops_references, mock_resv_gen_params),
	KUNIT_CASE(lock_with_context_is_known),
	KUNIT_CASE(lock_twice_returns_ealready),
	KUNIT_CASE(trylock_of_held_lock_fails),
	KUNIT_CASE(lock_interruptible_with_signal_returns_eintr),
	KUNIT_CASE(lock_held_by_older_context_returns_edeadlk),
	KUNIT_CASE(lock_interruptible_held_by_older_context_returns_edeadlk),
	KUNIT_CASE(reserve_none_returns_einval),
#if DMABUF_OURS
	KUNIT_CASE_PARAM(reserve_too_many_returns_enomem, mock_resv_gen_params),
#endif
	KUNIT_CASE_PARAM(reserve_keeps_pending_fences, mock_resv_gen_params),
	KUNIT_CASE(reserve_larger_then_smaller_keeps_the_larger),
	KUNIT_CASE_PARAM(add_of_different_contexts_keeps_all, mock_resv_gen_params),
	KUNIT_CASE_PARAM(add_later_fence_replaces_older, mock_resv_gen_params),
	KUNIT_CASE_PARAM(add_same_fence_twice_takes_one_slot, mock_resv_gen_params),
	KUNIT_CASE_PARAM(add_older_fence_keeps_both, mock_resv_gen_params),
	KUNIT_CASE(add_after_seqno_wrap_replaces),
	KUNIT_CASE_PARAM(add_with_other_usage_promotes_only, usage_pair_gen_params),
	KUNIT_CASE_PARAM(promotion_without_slot_succeeds, usage_pair_gen_params),
	KUNIT_CASE_PARAM(promotion_leaves_reserved_slots_to_others, usage_pair_gen_params),
	KUNIT_CASE_PARAM(promotion_chain_keeps_the_last, usage_pair_gen_params),
	KUNIT_CASE(add_alternating_usages_stays_small),
	KUNIT_CASE_PARAM(add_of_short_lived_contexts_stays_small, mock_resv_gen_params),
#if DMABUF_OURS
	KUNIT_CASE_PARAM(add_without_reservation_keeps_fence, mock_resv_gen_params),
	KUNIT_CASE_PARAM(add_beyond_reservation_keeps_fences, mock_resv_gen_params),
#endif
	KUNIT_CASE(add_container_is_reported),
	KUNIT_CASE_PARAM(replace_exchanges_all_fences_of_context, usage_pair_gen_params),
	KUNIT_CASE_PARAM(replace_twice_finds_new_context, usage_pair_gen_params),
	KUNIT_CASE_PARAM(replace_then_add_finds_place, usage_pair_gen_params),
	KUNIT_CASE_PARAM(replace_by_stub_makes_idle, mock_resv_gen_params),
	KUNIT_CASE_PARAM(replace_of_unknown_context_changes_nothing, usage_pair_gen_params),
	KUNIT_CASE_PARAM(copy_takes_pending_fences, mock_resv_gen_params),
	KUNIT_CASE_PARAM(copy_of_empty_object_empties, mock_resv_gen_params),
	KUNIT_CASE_PARAM_ATTR(random_operations_match_model, model_seed_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE_SLOW(add_races_add),
	{}
};

static struct kunit_suite dma_resv_suite = {
	.name = "dma_resv",
	.init = mock_fence_init,
	.test_cases = dma_resv_cases,
};

kunit_test_suite(dma_resv_suite);
