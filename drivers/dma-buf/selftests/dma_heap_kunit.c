// SPDX-License-Identifier: GPL-2.0
/*
 * The register of heaps: what is refused, and that a name is given once. What
 * the device nodes do is tested from user space, and what the heaps do in the
 * suites of their own.
 */

#include "mock.h"

#include <linux/atomic.h>
#include <linux/dma-heap.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/string.h>

#include <kunit/test.h>

/* A plain 6.12 exports none of it to modules. */
#if DMABUF_OURS || !defined(MODULE)

static struct dma_buf *refuse(struct dma_heap *heap, unsigned long len,
			      u32 fd_flags, u64 heap_flags)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static const struct dma_heap_ops refuse_ops = {
	.allocate = refuse,
};

static const struct dma_heap_ops no_allocate_ops = { };

/* Heaps are there for ever, so each needs a name that no other run has used. */
static const char *new_name(struct kunit *test)
{
	static atomic_t number = ATOMIC_INIT(0);
	char *name = kunit_kzalloc(test, 64, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, name);
	snprintf(name, 64, "kunit-%llx-%d", ktime_get_ns(), atomic_inc_return(&number));
	return name;
}

static struct dma_heap *add(const char *name, const struct dma_heap_ops *ops, void *priv)
{
	struct dma_heap_export_info info = { .name = name, .ops = ops, .priv = priv };

	return dma_heap_add(&info);
}

/* The heap points to this module from now on. */
static void stay_loaded(void)
{
	__module_get(THIS_MODULE);
}

/* Passes if a heap without a name is refused. */
static void add_without_name_returns_einval(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, PTR_ERR(add(NULL, &refuse_ops, NULL)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(add("", &refuse_ops, NULL)), -EINVAL);
}

/* Passes if a heap that cannot allocate is refused. */
static void add_without_allocate_returns_einval(struct kunit *test)
{
	const char *name = new_name(test);

	KUNIT_EXPECT_EQ(test, PTR_ERR(add(name, NULL, NULL)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(add(name, &no_allocate_ops, NULL)), -EINVAL);
}

/* Passes if a name that is taken is refused, and quietly so. */
static void add_name_taken_returns_einval(struct kunit *test)
{
	const char *name = new_name(test);

	stay_loaded();
	KUNIT_ASSERT_FALSE(test, IS_ERR(add(name, &refuse_ops, NULL)));
	KUNIT_EXPECT_EQ(test, PTR_ERR(add(name, &refuse_ops, NULL)), -EINVAL);
	/* A refused heap leaves the other in place. */
	KUNIT_EXPECT_EQ(test, PTR_ERR(add(name, &refuse_ops, NULL)), -EINVAL);
}

/* Passes if a heap knows its name and what its owner gave it. */
static void add_keeps_name_and_drvdata(struct kunit *test)
{
	const char *name = new_name(test);
	static int priv;
	struct dma_heap *heap;

	stay_loaded();
	heap = add(name, &refuse_ops, &priv);
	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	KUNIT_EXPECT_STREQ(test, dma_heap_get_name(heap), name);
	KUNIT_EXPECT_PTR_EQ(test, dma_heap_get_drvdata(heap), &priv);
}

/* --- Races ------------------------------------------------------------------ */

#define RACE_HEAPS	4

struct add_race {
	const char *name;
	atomic_t added;
	atomic_t refused;
};

static void add_same_name(void *ctx)
{
	struct add_race *race = ctx;
	struct dma_heap *heap = add(race->name, &refuse_ops, NULL);

	if (!IS_ERR(heap))
		atomic_inc(&race->added);
	else if (PTR_ERR(heap) == -EINVAL)
		atomic_inc(&race->refused);
}

static void add_race_prepare(struct kunit *test, void *ctx)
{
	struct add_race *race = ctx;

	race->name = new_name(test);
	atomic_set(&race->added, 0);
	atomic_set(&race->refused, 0);
}

static void add_race_check(struct kunit *test, void *ctx)
{
	struct add_race *race = ctx;

	KUNIT_EXPECT_EQ(test, atomic_read(&race->added), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&race->refused), 2);
}

/* Passes if of heaps of one name that are added at a time exactly one is made. */
static void add_same_name_at_once_makes_one(struct kunit *test)
{
	struct add_race ctx;
	struct mock_race race = {
		.ctx = &ctx,
		.rounds = RACE_HEAPS,
		.prepare = add_race_prepare,
		.check = add_race_check,
		.racer = { add_same_name, add_same_name, add_same_name },
	};

	stay_loaded();
	mock_race(test, &race);
}

#if DMABUF_OURS

/* Passes if what cannot be a file in /dev/dma_heap is refused. */
static void add_no_file_name_returns_einval(struct kunit *test)
{
	char *name = kunit_kzalloc(test, NAME_MAX + 2, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, name);
	memset(name, 'x', NAME_MAX + 1);
	KUNIT_EXPECT_EQ(test, PTR_ERR(add(name, &refuse_ops, NULL)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(add("a/b", &refuse_ops, NULL)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(add("/", &refuse_ops, NULL)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(add(".", &refuse_ops, NULL)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(add("..", &refuse_ops, NULL)), -EINVAL);
}

/* Passes if a caller who has nothing to say is refused, not followed. */
static void add_null_returns_einval(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, PTR_ERR(dma_heap_add(NULL)), -EINVAL);
}

/* Passes if the heap keeps its name when its owner reuses the memory. */
static void add_copies_the_name(struct kunit *test)
{
	const char *name = new_name(test);
	char *copy = kunit_kzalloc(test, strlen(name) + 1, GFP_KERNEL);
	struct dma_heap *heap;

	KUNIT_ASSERT_NOT_NULL(test, copy);
	strscpy(copy, name, strlen(name) + 1);
	stay_loaded();
	heap = add(copy, &refuse_ops, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	memset(copy, 'x', strlen(name));
	KUNIT_EXPECT_STREQ(test, dma_heap_get_name(heap), name);
}

#endif /* DMABUF_OURS */

static struct kunit_case dma_heap_cases[] = {
	KUNIT_CASE(add_without_name_returns_einval),
	KUNIT_CASE(add_without_allocate_returns_einval),
	KUNIT_CASE(add_name_taken_returns_einval),
	KUNIT_CASE(add_keeps_name_and_drvdata),
	KUNIT_CASE(add_same_name_at_once_makes_one),
#if DMABUF_OURS
	KUNIT_CASE(add_no_file_name_returns_einval),
	KUNIT_CASE(add_null_returns_einval),
	KUNIT_CASE(add_copies_the_name),
#endif
	{}
};

static struct kunit_suite dma_heap_suite = {
	.name = "dma_heap",
	.test_cases = dma_heap_cases,
};

kunit_test_suite(dma_heap_suite);

#endif
