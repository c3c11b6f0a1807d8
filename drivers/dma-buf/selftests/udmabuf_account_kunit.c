// SPDX-License-Identifier: GPL-2.0
/*
 * Who answers for pinned pages, and when it becomes too much. Cases act as
 * users that do not exist by lending their thread other credentials.
 */

#include "mock.h"

#if DMABUF_OURS

#include <linux/cred.h>
#include <linux/user_namespace.h>

#include <kunit/test.h>
#include <kunit/visibility.h>

#include "../udmabuf-account.h"

MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);

#define SOMEBODY	60001
#define SOMEBODY_ELSE	60002
#define LIMIT		100UL

/* Credentials of @uid without any capability, to be dropped by put_cred(). */
static struct cred *cred_create(struct kunit *test, uid_t uid)
{
	struct cred *cred = prepare_creds();

	KUNIT_ASSERT_NOT_NULL(test, cred);
	cred->uid = KUIDT_INIT(uid);
	cred->euid = KUIDT_INIT(uid);
	cred->fsuid = KUIDT_INIT(uid);
	cap_clear(cred->cap_effective);
	return cred;
}

/* The account of @uid in @ns. */
static struct udmabuf_account *account_in(struct kunit *test, uid_t uid,
					  struct user_namespace *ns)
{
	struct cred *cred = cred_create(test, uid);
	struct user_namespace *own = cred->user_ns;
	struct udmabuf_account *account;
	const struct cred *old;

	/* Lent for this call only: nobody counts this reference. */
	cred->user_ns = ns;
	old = override_creds(cred);
	account = udmabuf_account_get();
	revert_creds(old);
	cred->user_ns = own;
	put_cred(cred);
	KUNIT_ASSERT_NOT_NULL(test, account);
	return account;
}

static struct udmabuf_account *account_of(struct kunit *test, uid_t uid)
{
	return account_in(test, uid, &init_user_ns);
}

/* Charge as a process that has no capability. */
static int charge(struct kunit *test, struct udmabuf_account *account,
		  unsigned long nr_pages, unsigned long limit)
{
	struct cred *cred = cred_create(test, SOMEBODY);
	const struct cred *old = override_creds(cred);
	int ret = udmabuf_account_charge(account, nr_pages, limit);

	revert_creds(old);
	put_cred(cred);
	return ret;
}

/* A user namespace below @parent, made by @owner. Good for nothing else. */
static struct user_namespace *namespace_create(struct kunit *test,
					       struct user_namespace *parent, uid_t owner)
{
	struct user_namespace *ns = kunit_kzalloc(test, sizeof(*ns), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ns);
	ns->parent = parent;
	ns->level = parent->level + 1;
	ns->owner = KUIDT_INIT(owner);
	/* Many, so that the last one is never dropped. */
	refcount_set(&ns->ns.count, 1000);
	return ns;
}

/* Passes if exactly the limit can be charged, in whatever pieces. */
static void charge_up_to_limit(struct kunit *test)
{
	struct udmabuf_account *account = account_of(test, SOMEBODY);

	KUNIT_EXPECT_EQ(test, 0, charge(test, account, 1, LIMIT));
	KUNIT_EXPECT_EQ(test, 0, charge(test, account, LIMIT - 1, LIMIT));
	KUNIT_EXPECT_EQ(test, -ENOMEM, charge(test, account, 1, LIMIT));
	udmabuf_account_put(account, LIMIT);
}

/* Passes if what was refused has not been charged. */
static void charge_over_limit_returns_enomem(struct kunit *test)
{
	struct udmabuf_account *account = account_of(test, SOMEBODY);

	KUNIT_EXPECT_EQ(test, -ENOMEM, charge(test, account, LIMIT + 1, LIMIT));
	KUNIT_EXPECT_EQ(test, 0, charge(test, account, LIMIT, LIMIT));
	udmabuf_account_put(account, LIMIT);
}

/* Passes if no sum of two numbers can be so large that it looks small. */
static void charge_too_much_does_not_wrap(struct kunit *test)
{
	struct udmabuf_account *account = account_of(test, SOMEBODY);

	KUNIT_EXPECT_EQ(test, 0, charge(test, account, LIMIT, LIMIT));
	KUNIT_EXPECT_EQ(test, -ENOMEM, charge(test, account, ULONG_MAX, ULONG_MAX));
	KUNIT_EXPECT_EQ(test, -ENOMEM,
			charge(test, account, ULONG_MAX - LIMIT + 1, ULONG_MAX));
	udmabuf_account_put(account, LIMIT);
}

/* Passes if a limit that was lowered meanwhile refuses, and does no more. */
static void charge_after_limit_was_lowered_returns_enomem(struct kunit *test)
{
	struct udmabuf_account *account = account_of(test, SOMEBODY);

	KUNIT_EXPECT_EQ(test, 0, charge(test, account, LIMIT, LIMIT));
	KUNIT_EXPECT_EQ(test, -ENOMEM, charge(test, account, 1, LIMIT / 2));
	udmabuf_account_put(account, LIMIT);
}

/* Passes if the capability exempts from the limit, but not from being counted. */
static void charge_with_cap_ipc_lock_is_counted(struct kunit *test)
{
	struct udmabuf_account *account = account_of(test, SOMEBODY);

	/* The thread of a case may do everything. */
	KUNIT_EXPECT_EQ(test, 0, udmabuf_account_charge(account, 2 * LIMIT, LIMIT));
	KUNIT_EXPECT_EQ(test, -ENOMEM, charge(test, account, 1, 2 * LIMIT));
	udmabuf_account_put(account, 2 * LIMIT);
}

/* Passes if users do not answer for each other. */
static void get_of_two_users_differs(struct kunit *test)
{
	struct udmabuf_account *first = account_of(test, SOMEBODY);
	struct udmabuf_account *second = account_of(test, SOMEBODY_ELSE);

	KUNIT_EXPECT_PTR_NE(test, first, second);
	KUNIT_EXPECT_EQ(test, 0, charge(test, first, LIMIT, LIMIT));
	KUNIT_EXPECT_EQ(test, 0, charge(test, second, LIMIT, LIMIT));

	udmabuf_account_put(first, LIMIT);
	udmabuf_account_put(second, LIMIT);
}

/* Passes if what one buffer gives back can be had by another of the same user. */
static void put_gives_back(struct kunit *test)
{
	struct udmabuf_account *first = account_of(test, SOMEBODY);
	struct udmabuf_account *second = account_of(test, SOMEBODY);

	KUNIT_EXPECT_PTR_EQ(test, first, second);
	KUNIT_EXPECT_EQ(test, 0, charge(test, first, LIMIT, LIMIT));
	KUNIT_EXPECT_EQ(test, -ENOMEM, charge(test, second, 1, LIMIT));

	udmabuf_account_put(first, LIMIT);
	KUNIT_EXPECT_EQ(test, 0, charge(test, second, LIMIT, LIMIT));
	udmabuf_account_put(second, LIMIT);
}

/* Passes if the real user id counts and not the effective one. */
static void get_goes_by_the_real_uid(struct kunit *test)
{
	struct udmabuf_account *first = account_of(test, SOMEBODY), *second;
	struct cred *cred = cred_create(test, SOMEBODY);
	const struct cred *old;

	cred->euid = KUIDT_INIT(SOMEBODY_ELSE);
	old = override_creds(cred);
	second = udmabuf_account_get();
	revert_creds(old);
	put_cred(cred);

	KUNIT_ASSERT_NOT_NULL(test, second);
	KUNIT_EXPECT_PTR_EQ(test, first, second);
	udmabuf_account_put(first, 0);
	udmabuf_account_put(second, 0);
}

/*
 * Passes if a user who makes namespaces, one in the other, and has many user ids
 * in there, answers for all that happens inside.
 */
static void get_in_namespace_is_its_makers(struct kunit *test)
{
	struct user_namespace *outer, *inner, *other;
	struct udmabuf_account *maker, *inside, *nested, *sibling;

	outer = namespace_create(test, &init_user_ns, SOMEBODY);
	inner = namespace_create(test, outer, SOMEBODY_ELSE);
	other = namespace_create(test, &init_user_ns, SOMEBODY);

	maker = account_of(test, SOMEBODY);
	inside = account_in(test, 100000, outer);
	nested = account_in(test, 100001, inner);
	sibling = account_in(test, 100002, other);

	KUNIT_EXPECT_PTR_EQ(test, maker, inside);
	KUNIT_EXPECT_PTR_EQ(test, maker, nested);
	KUNIT_EXPECT_PTR_EQ(test, maker, sibling);
	udmabuf_account_put(maker, 0);
	udmabuf_account_put(inside, 0);
	udmabuf_account_put(nested, 0);
	udmabuf_account_put(sibling, 0);
}

/* Passes if each namespace that root made answers for what happens inside. */
static void get_in_namespace_of_root_is_its_own(struct kunit *test)
{
	struct user_namespace *first_ns, *second_ns;
	struct udmabuf_account *root, *first, *same, *second;

	first_ns = namespace_create(test, &init_user_ns, 0);
	second_ns = namespace_create(test, &init_user_ns, 0);

	root = account_of(test, 0);
	first = account_in(test, 100000, first_ns);
	same = account_in(test, 100001, first_ns);
	second = account_in(test, 100000, second_ns);

	KUNIT_EXPECT_PTR_NE(test, root, first);
	KUNIT_EXPECT_PTR_EQ(test, first, same);
	KUNIT_EXPECT_PTR_NE(test, first, second);
	udmabuf_account_put(root, 0);
	udmabuf_account_put(first, 0);
	udmabuf_account_put(same, 0);
	udmabuf_account_put(second, 0);

	/* Each account held its namespace, and holds it no more. */
	KUNIT_EXPECT_EQ(test, 1000, refcount_read(&first_ns->ns.count));
	KUNIT_EXPECT_EQ(test, 1000, refcount_read(&second_ns->ns.count));
}

struct race {
	const struct cred *cred;
	atomic_t users;		/* who have it all to themselves */
	atomic_t too_many;
};

static void race_user(void *arg)
{
	struct race *race = arg;
	const struct cred *old = override_creds(race->cred);
	struct udmabuf_account *account = udmabuf_account_get();
	unsigned long charged = 0;

	if (account) {
		if (!udmabuf_account_charge(account, LIMIT, LIMIT)) {
			charged = LIMIT;
			atomic_add(atomic_inc_return(&race->users) > 1, &race->too_many);
			cond_resched();
			atomic_dec(&race->users);
		}
		udmabuf_account_put(account, charged);
	}
	revert_creds(old);
}

static void race_check(struct kunit *test, void *arg)
{
	struct race *race = arg;
	const struct cred *old = override_creds(race->cred);
	struct udmabuf_account *account = udmabuf_account_get();

	KUNIT_ASSERT_NOT_NULL(test, account);
	KUNIT_EXPECT_EQ(test, 0, udmabuf_account_charge(account, LIMIT, LIMIT));
	udmabuf_account_put(account, LIMIT);
	revert_creds(old);
}

/* Passes if nothing is lost or left over, however many come and go at a time. */
static void charge_races_with_put(struct kunit *test)
{
	struct cred *cred = cred_create(test, SOMEBODY);
	struct race race = { .cred = cred };
	const struct mock_race config = {
		.ctx = &race,
		.rounds = 300,
		.check = race_check,
		.racer = { race_user, race_user, race_user },
	};

	mock_race(test, &config);
	put_cred(cred);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&race.too_many));
}

static struct kunit_case udmabuf_account_cases[] = {
	KUNIT_CASE(charge_up_to_limit),
	KUNIT_CASE(charge_over_limit_returns_enomem),
	KUNIT_CASE(charge_too_much_does_not_wrap),
	KUNIT_CASE(charge_after_limit_was_lowered_returns_enomem),
	KUNIT_CASE(charge_with_cap_ipc_lock_is_counted),
	KUNIT_CASE(get_of_two_users_differs),
	KUNIT_CASE(put_gives_back),
	KUNIT_CASE(get_goes_by_the_real_uid),
	KUNIT_CASE(get_in_namespace_is_its_makers),
	KUNIT_CASE(get_in_namespace_of_root_is_its_own),
	KUNIT_CASE_SLOW(charge_races_with_put),
	{}
};

static struct kunit_suite udmabuf_account_suite = {
	.name = "udmabuf_account",
	.test_cases = udmabuf_account_cases,
};

kunit_test_suite(udmabuf_account_suite);

#endif /* DMABUF_OURS */
