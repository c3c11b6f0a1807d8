// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much memory each user has pinned through udmabuf, and the decision
 * whether it may be more.
 *
 * Vocabulary:
 *   account	the pages that one user answers for. It exists as long as one of
 *		the buffers that were charged to it, and may stay after that until
 *		the next one has nobody left: the idle account.
 */

#include <linux/capability.h>
#include <linux/cleanup.h>
#include <linux/cred.h>
#include <linux/hash.h>
#include <linux/hashtable.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/user_namespace.h>

#include <kunit/visibility.h>

#include "udmabuf-account.h"

/*
 * Who answers for a process: a user of the initial user namespace, or, where
 * root has made the namespace in which the process lives, that namespace.
 */
struct owner {
	kuid_t uid;
	struct user_namespace *ns;	/* NULL: @uid alone */
};

/*
 * Invariants: an account is in the table while it has references or is the idle
 * account, which is of no namespace. @node, @nr_refs and @nr_pages are protected
 * by accounts_lock; @owner never changes and holds a reference to its namespace.
 */
struct udmabuf_account {
	struct hlist_node node;
	struct owner owner;
	unsigned long nr_refs;
	unsigned long nr_pages;
};

static DEFINE_SPINLOCK(accounts_lock);
static DEFINE_HASHTABLE(accounts, 6);
static struct udmabuf_account *idle_account;

/*
 * A user namespace gives its maker as many user ids as it likes, so that what
 * happens inside counts as the maker's. Root is not limited and may make many
 * namespaces for people that are, so each of these counts on its own.
 */
static struct owner owner_of(const struct cred *cred)
{
	struct user_namespace *ns = cred->user_ns;

	if (ns == &init_user_ns)
		return (struct owner){ .uid = cred->uid };

	while (ns->parent != &init_user_ns)
		ns = ns->parent;
	return (struct owner){
		.uid = ns->owner,
		.ns = uid_eq(ns->owner, GLOBAL_ROOT_UID) ? ns : NULL,
	};
}

static u32 owner_hash(struct owner owner)
{
	return __kuid_val(owner.uid) ^ hash_ptr(owner.ns, 32);
}

static struct udmabuf_account *account_find(struct owner owner)
{
	struct udmabuf_account *account;

	lockdep_assert_held(&accounts_lock);

	hash_for_each_possible(accounts, account, node, owner_hash(owner)) {
		if (uid_eq(account->owner.uid, owner.uid) &&
		    account->owner.ns == owner.ns)
			return account;
	}
	return NULL;
}

/* A reference to the account of @owner, to @fresh if there is none, or NULL. */
static struct udmabuf_account *account_ref(struct owner owner,
					   struct udmabuf_account *fresh)
{
	struct udmabuf_account *account;

	spin_lock(&accounts_lock);
	account = account_find(owner);
	if (!account && fresh) {
		account = fresh;
		if (owner.ns)
			get_user_ns(owner.ns);
		hash_add(accounts, &account->node, owner_hash(owner));
	}
	if (account == idle_account)
		idle_account = NULL;
	if (account)
		account->nr_refs++;
	spin_unlock(&accounts_lock);
	return account;
}

/**
 * udmabuf_account_get() - the account of the calling process
 *
 * It is that of the real user id: this is what the limits of processes go by,
 * and what nobody can change for his own advantage.
 *
 * Context: Process context, may sleep.
 * Return: the account with a reference that the caller drops with
 * udmabuf_account_put(), or NULL if there is no memory for it.
 */
struct udmabuf_account *udmabuf_account_get(void)
{
	struct owner owner = owner_of(current_cred());
	struct udmabuf_account *fresh __free(kfree) = NULL;
	struct udmabuf_account *account = account_ref(owner, NULL);

	if (account)
		return account;

	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT);
	if (!fresh)
		return NULL;
	fresh->owner = owner;

	account = account_ref(owner, fresh);
	if (account == fresh)
		fresh = NULL;
	return account;
}
EXPORT_SYMBOL_IF_KUNIT(udmabuf_account_get);

/* Add to an account unless that takes it past @limit. */
static bool account_add(struct udmabuf_account *account, unsigned long nr_pages,
			unsigned long limit)
{
	scoped_guard(spinlock, &accounts_lock) {
		if (nr_pages > limit || account->nr_pages > limit - nr_pages)
			break;
		account->nr_pages += nr_pages;
		return true;
	}
	return false;
}

/**
 * udmabuf_account_charge() - let a user answer for more pages
 * @account: the account of the calling process
 * @nr_pages: how many more
 * @limit: how many the account may have in all
 *
 * A process with CAP_IPC_LOCK in the initial user namespace is never refused;
 * what it pins is counted all the same, so that the count is right when
 * another process of the user asks.
 *
 * Context: Process context, may sleep.
 * Return: 0, or %-ENOMEM if it would become more than @limit. Nothing has been
 * charged then.
 */
int udmabuf_account_charge(struct udmabuf_account *account,
			   unsigned long nr_pages, unsigned long limit)
{
	if (account_add(account, nr_pages, limit))
		return 0;

	/* Asked for last: the question leaves traces in the audit log. */
	if (!capable(CAP_IPC_LOCK))
		return -ENOMEM;
	return account_add(account, nr_pages, ULONG_MAX) ? 0 : -ENOMEM;
}
EXPORT_SYMBOL_IF_KUNIT(udmabuf_account_charge);

/* @account has no references left. Returns the account to be freed, or NULL. */
static struct udmabuf_account *account_retire(struct udmabuf_account *account)
{
	lockdep_assert_held(&accounts_lock);

	/* A namespace is not kept longer than it has buffers. */
	if (!account->owner.ns)
		swap(account, idle_account);
	if (account)
		hash_del(&account->node);
	return account;
}

/**
 * udmabuf_account_put() - drop a reference, and what was charged through it
 * @account: the account, not necessarily that of the calling process
 * @charged: the pages to take off it
 *
 * Context: Process context.
 */
void udmabuf_account_put(struct udmabuf_account *account, unsigned long charged)
{
	struct udmabuf_account *over = NULL;

	scoped_guard(spinlock, &accounts_lock) {
		account->nr_pages -= charged;
		if (!--account->nr_refs)
			over = account_retire(account);
	}
	if (!over)
		return;

	if (over->owner.ns)
		put_user_ns(over->owner.ns);
	kfree(over);
}
EXPORT_SYMBOL_IF_KUNIT(udmabuf_account_put);
