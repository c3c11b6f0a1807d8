// SPDX-License-Identifier: GPL-2.0
/*
 * dma-fence-chain: a timeline that grows by one fence at a time, can be asked for
 * the fence of any point on it, and lets go of what has signaled.
 */

#include <linux/bug.h>
#include <linux/dma-fence-chain.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/irq_work.h>
#include <linux/llist.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "dma-fence-watchdog.h"

/**
 * DOC: fence chain
 *
 * A *node* is a fence around another one, its *own* fence, and has a pointer to
 * what came before, its *older link*. A node signals when its own fence and all
 * older links have. Whoever appends a node thus makes a new *head*, and holds the
 * whole timeline by a reference to the head. The oldest link may be a fence that
 * is no node. ::
 *
 *	head                                              oldest
 *	 48 ---> 47 ---> 46 ---> ... ---> 32 ---> 31 ---> ... ---> fence
 *	  |                               ^
 *	  +------------- jump ------------+
 *
 * As long as seqnos grow, the nodes share one context, the *timeline*. A node
 * whose seqno is no progress starts a new timeline behind the old one.
 *
 * **Collection.** dma_fence_chain_walk() unlinks every link that it finds
 * signaled by pointing past it. The head is never unlinked.
 *
 * **Lookup.** Every 16th node has a jump to another such node of its timeline,
 * 16 * (1, 3, 7, 15, ...) nodes older, by the rule of skew-binary numbers: two
 * jumps of equal length behind each other make the next node jump over both. A
 * lookup takes a jump that does not lead past the wanted seqno and one step to the
 * older link otherwise, which is O(log n) steps. Jumps are hints: a node for which
 * none could be found has none. A walk drops a jump to a node whose own fence has
 * signaled, lest it keep alive what has been collected.
 *
 * **RCU.** A lookup follows pointers without taking references. It may, because
 * of one rule that all of &dma_fence_chain.prev and &dma_fence_chain.jump obey:
 *
 *	The pointer is cleared or moved on before the reference behind it is
 *	dropped, and never comes back to where it pointed before.
 *
 * The claim is that no node which a read-side critical section gets to see is freed
 * before the section ends. The head is not, since the caller has a reference. Let
 * it be true of X, and let the section read a pointer to Y in X. If Y were freed
 * too early, a grace period would have begun after the last reference to Y was
 * dropped and ended before the section did. The section would then have begun
 * after the beginning of that grace period, and would see everything that was
 * written before it. This includes the change of the pointer in X, which precedes
 * the drop of X's reference, which is not later than that of the last one. So it
 * would not have read Y. This holds whether or not X and Y are dying meanwhile.
 *
 * Pointers are moved by cmpxchg(), a full barrier, on nodes that the mover has a
 * reference to. They are cleared by chain_detach(), when nobody has one any more,
 * ahead of a refcount_dec_and_test(), which has release semantics. What a lookup
 * compares (ops, context, seqno, prev_seqno, index) never changes. The fence at
 * the far end is another driver's and its memory may be one that RCU lets be
 * reused for another fence; of it a lookup only reads ops and context, neither of
 * which can become a chain's, before dma_fence_get_rcu_safe() makes sure of it.
 *
 * A pointer that reads NULL has two meanings: everything older has signaled, or
 * the node has just died. The refcount tells: see chain_end(). A lookup that met a
 * dead node begins again from the head, and after some failures walks with
 * references.
 *
 * **Signaling.** A node that is waited for holds a reference to itself and waits
 * for one thing at a time, with its only callback:
 *
 * =====================  ===========  =======================================
 * waits for              in union     next
 * =====================  ===========  =======================================
 * own fence              cb           chain_own_cb() queues the node
 * its turn               todo         chain_proceed() picks the nearest older
 *                                     link that is not done; none: signal
 * that link's base       cb           chain_older_cb() queues the node
 * its turn               todo         chain_proceed() signals
 * =====================  ===========  =======================================
 *
 * The base of an older node says that everything behind it is done too, so two
 * waits a node are enough, in whatever order the fences signal.
 *
 * The lock of a node is taken before that of its own fence, and never together
 * with that of another node. Therefore the callbacks, which run under the lock of
 * what has just signaled, go no further than a queue of the CPU, which an irq_work
 * drains in a loop. A node that signals there wakes newer ones, which
 * the loop finds in the queue: this costs neither another interrupt nor stack.
 *
 * **Release.** The last reference to a node may be the last one to the next and
 * so on for the whole chain. chain_release() frees in a loop, and what is left
 * after a while, because the context it runs in is not known, it leaves to a work.
 */

/* Every node whose index is a multiple of this has a jump; a power of two. */
#define JUMP_INTERVAL 32

/* Lookups that may run into dying nodes before one takes references. */
#define LOCATE_TRIES 8

/* So many nodes are freed, or signaled, in one go. */
#define RELEASE_BATCH 512
#define DRAIN_BATCH 512

static const char *chain_driver_name(struct dma_fence *fence)
{
	return "dma_fence_chain";
}

static const char *chain_timeline_name(struct dma_fence *fence)
{
	return "unbound";
}

/* Only then @jump may be looked at. */
static bool chain_has_jump(const struct dma_fence_chain *node)
{
	return node->index % JUMP_INTERVAL == 0;
}

/* The older link of @node with a reference, NULL if nothing older is pending. */
static struct dma_fence *chain_older(struct dma_fence_chain *node)
{
	guard(rcu)();

	return dma_fence_get_rcu_safe(&node->prev);
}

/*
 * Forget the jump of @node if the node it leads to has nothing of its own left to
 * wait for: nothing else may be keeping that node.
 */
static void chain_trim_jump(struct dma_fence_chain *node)
{
	struct dma_fence_chain *target;
	struct dma_fence_chain __rcu *old;

	rcu_read_lock();
	target = rcu_dereference(node->jump);
	if (target && !dma_fence_get_rcu(&target->base))
		target = NULL;
	rcu_read_unlock();
	if (!target)
		return;

	if (dma_fence_is_signaled(target->fence)) {
		old = cmpxchg(&node->jump, RCU_INITIALIZER(target), NULL);
		if (unrcu_pointer(old) == target)
			dma_fence_put(&target->base);	/* The jump's. */
	}
	dma_fence_put(&target->base);
}

/*
 * May the link be taken out of the chain? If so @beyond is what to point to
 * instead, with a reference.
 */
static bool chain_link_done(struct dma_fence *link, struct dma_fence **beyond)
{
	struct dma_fence_chain *node = to_dma_fence_chain(link);

	*beyond = NULL;
	if (!node)
		return dma_fence_is_signaled(link);
	if (!dma_fence_is_signaled(node->fence))
		return false;

	/* A node that has signaled vouches for all links behind it. */
	if (!test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &link->flags))
		*beyond = chain_older(node);
	return true;
}

/* Make @beyond the older link of @node, unless others have moved on from @link. */
static void chain_unlink(struct dma_fence_chain *node, struct dma_fence *link,
			 struct dma_fence *beyond)
{
	struct dma_fence __rcu *old;

	old = cmpxchg(&node->prev, RCU_INITIALIZER(link), RCU_INITIALIZER(beyond));
	dma_fence_put(unrcu_pointer(old) == link ? link : beyond);
}

/**
 * dma_fence_chain_walk() - go one link back
 * @fence: any fence, or NULL; takes the caller's reference
 *
 * Unlinks what has signaled between @fence and the link it returns.
 *
 * Context: Any context. Runs signaled operations and, through last references,
 * release operations of other fences; no lock of a fence is needed.
 * Return: the next older link that is still pending by itself, with a reference
 * that the caller drops or passes to this function again. NULL if there is none,
 * or if @fence is no node.
 */
struct dma_fence *dma_fence_chain_walk(struct dma_fence *fence)
{
	struct dma_fence_chain *node = to_dma_fence_chain(fence);
	struct dma_fence *link = NULL, *beyond;

	if (node) {
		if (chain_has_jump(node))
			chain_trim_jump(node);

		while ((link = chain_older(node)) && chain_link_done(link, &beyond)) {
			chain_unlink(node, link, beyond);
			dma_fence_put(link);
		}
	}
	dma_fence_put(fence);
	return link;
}
EXPORT_SYMBOL(dma_fence_chain_walk);

/*
 * @node is where its timeline ends, as far as a reader of its older link can see.
 * Returns what is behind, with a reference; NULL if nothing is. ERR_PTR(-EAGAIN)
 * if @node only looked like that because it was being released.
 */
static struct dma_fence *chain_end(struct dma_fence_chain *node)
{
	struct dma_fence *link = dma_fence_get_rcu_safe(&node->prev);

	if (link)
		return link;

	/*
	 * Pairs with the last kref_put() of @node, whose decrement to zero comes
	 * before the clearing of the pointer in chain_detach().
	 */
	smp_rmb();
	return kref_read(&node->base.refcount) ? NULL : ERR_PTR(-EAGAIN);
}

/*
 * Find the link that has to signal for @seqno to be reached: the first, from
 * @head on, that was chained to something before @seqno, or that is not of this
 * timeline. Links that have signaled count if they are still there. Returns as
 * chain_end() does.
 */
static struct dma_fence *chain_locate(struct dma_fence_chain *head, u64 seqno)
{
	struct dma_fence_chain *node = head, *next;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "chain lookup outside of RCU");

	while (node->prev_seqno >= seqno) {
		next = chain_has_jump(node) ? rcu_dereference(node->jump) : NULL;
		/* All that is skipped is newer than the target's seqno. */
		if (!next || next->base.seqno < seqno) {
			next = to_dma_fence_chain(rcu_dereference(node->prev));
			if (!next || next->base.context != head->base.context)
				return chain_end(node);
		}
		node = next;
	}
	return dma_fence_get_rcu(&node->base) ?: ERR_PTR(-EAGAIN);
}

/* As chain_locate(), by means that cannot fail, and collecting as it goes. */
static struct dma_fence *chain_locate_walk(struct dma_fence_chain *head, u64 seqno)
{
	struct dma_fence *link;

	dma_fence_chain_for_each(link, &head->base) {
		struct dma_fence_chain *node = to_dma_fence_chain(link);

		if (!node || link->context != head->base.context ||
		    node->prev_seqno < seqno)
			break;
	}
	return link;
}

static struct dma_fence *chain_lookup(struct dma_fence_chain *head, u64 seqno)
{
	struct dma_fence *link;
	int i;

	for (i = 0; i < LOCATE_TRIES; i++) {
		rcu_read_lock();
		link = chain_locate(head, seqno);
		rcu_read_unlock();
		if (!IS_ERR(link))
			return link;
	}
	return chain_locate_walk(head, seqno);
}

/**
 * dma_fence_chain_find_seqno() - which fence says that a point was reached?
 * @pfence: the head of the chain, with a reference of the caller; replaced by the
 *	answer, with a reference instead
 * @seqno: the point; 0 stands for the head itself
 *
 * The answer is the oldest node whose seqno is @seqno or more. If that has
 * nothing left to wait for on its own account and is not the head, it is the next
 * older link that has, of whatever timeline; NULL if all of them have signaled.
 *
 * Context: Any context.
 * Return: 0, or
 *
 *  * %-EINVAL - the chain has not come as far as @seqno, or *@pfence is NULL or no
 *    chain and @seqno is not 0; *@pfence is as it was
 */
int dma_fence_chain_find_seqno(struct dma_fence **pfence, uint64_t seqno)
{
	struct dma_fence *head = *pfence, *link;
	struct dma_fence_chain *node = to_dma_fence_chain(head);

	if (!seqno)
		return 0;
	if (!node || head->seqno < seqno)
		return -EINVAL;
	if (node->prev_seqno < seqno)
		return 0;

	link = chain_lookup(node, seqno);
	if (link && link != head &&
	    dma_fence_is_signaled(dma_fence_chain_contained(link)))
		link = dma_fence_chain_walk(link);

	*pfence = link;
	dma_fence_put(head);
	return 0;
}
EXPORT_SYMBOL(dma_fence_chain_find_seqno);

static void chain_drain(struct irq_work *work);

/**
 * struct chain_queue - nodes of one CPU that can go on outside of all locks
 * @nodes: by &dma_fence_chain.todo; added to by whatever runs on this CPU
 * @draining: chain_drain() is at it and will find new nodes without a reminder;
 *	only accessed by this CPU
 * @work: runs chain_drain() on this CPU
 */
struct chain_queue {
	struct llist_head nodes;
	bool draining;
	struct irq_work work;
};

static DEFINE_PER_CPU(struct chain_queue, chain_queue) = {
	.work = IRQ_WORK_INIT(chain_drain),
};

/* @node is waited for, and its callback is not armed. Interrupts are off. */
static void chain_enqueue(struct dma_fence_chain *node)
{
	struct chain_queue *queue = this_cpu_ptr(&chain_queue);

	llist_add(&node->todo, &queue->nodes);
	if (!READ_ONCE(queue->draining))
		irq_work_queue(&queue->work);
}

static void chain_own_cb(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	lockdep_assert_held(fence->lock);

	chain_enqueue(container_of(cb, struct dma_fence_chain, cb));
}

/* @link was referenced when the callback was armed. */
static void chain_older_cb(struct dma_fence *link, struct dma_fence_cb *cb)
{
	lockdep_assert_held(link->lock);

	chain_enqueue(container_of(cb, struct dma_fence_chain, cb));
	dma_fence_put(link);
}

#if IS_ENABLED(CONFIG_DMABUF_CONTRACT)
/**
 * dma_fence_waiting_chain() - which node of a chain waits by a callback?
 * @cb: queued on a fence, whose lock the caller holds
 *
 * Context: Any.
 * Return: the node, which has references at least until the lock is dropped; NULL
 * if the callback does something else.
 */
struct dma_fence *dma_fence_waiting_chain(const struct dma_fence_cb *cb)
{
	if (cb->func != chain_own_cb && cb->func != chain_older_cb)
		return NULL;
	return &container_of(cb, struct dma_fence_chain, cb)->base;
}
#endif

/* Wait for @link, taking over the reference. False if it has signaled. */
static bool chain_arm(struct dma_fence_chain *node, struct dma_fence *link)
{
	if (link && !dma_fence_add_callback(link, &node->cb, chain_older_cb))
		return true;

	dma_fence_put(link);
	return false;
}

/* Wait for what is older, unless that was what @node has just waited for. */
static void chain_proceed(struct dma_fence_chain *node)
{
	struct dma_fence *fence = &node->base;

	if (node->cb.func != chain_older_cb &&
	    chain_arm(node, dma_fence_chain_walk(dma_fence_get(fence))))
		return;

	dma_fence_signal(fence);
	dma_fence_put(fence);	/* From chain_enable_signaling(). */
}

/*
 * Let nodes proceed until there are none, or so many were that other interrupts
 * should have a turn.
 */
static void chain_drain(struct irq_work *work)
{
	struct chain_queue *queue = container_of(work, struct chain_queue, work);
	struct dma_fence_chain *node, *next;
	unsigned int done = 0;

	WRITE_ONCE(queue->draining, true);
	while (done < DRAIN_BATCH && !llist_empty(&queue->nodes)) {
		struct llist_node *batch = llist_del_all(&queue->nodes);

		batch = llist_reverse_order(batch);
		llist_for_each_entry_safe(node, next, batch, todo) {
			chain_proceed(node);
			done++;
		}
	}
	WRITE_ONCE(queue->draining, false);

	/* Also what was added, without a reminder, since the loop has looked. */
	if (!llist_empty(&queue->nodes))
		irq_work_queue(work);
}

static bool chain_enable_signaling(struct dma_fence *fence)
{
	struct dma_fence_chain *node = to_dma_fence_chain(fence);
	struct dma_fence *link;

	lockdep_assert_held(&node->lock);

	dma_fence_get(fence);	/* Dropped by chain_proceed(). */
	if (!dma_fence_add_callback(node->fence, &node->cb, chain_own_cb))
		return true;

	link = dma_fence_chain_walk(dma_fence_get(fence));
	if (link && dma_fence_is_chain(link)) {
		/* Waiting for it takes its lock; this one is held. */
		dma_fence_put(link);
		node->cb.func = NULL;
		chain_enqueue(node);
		return true;
	}
	if (chain_arm(node, link))
		return true;

	dma_fence_put(fence);
	return false;
}

static bool chain_signaled(struct dma_fence *fence)
{
	struct dma_fence *link;

	dma_fence_chain_for_each(link, fence) {
		if (!dma_fence_is_signaled(dma_fence_chain_contained(link))) {
			dma_fence_put(link);
			return false;
		}
	}
	return true;
}

static void chain_set_deadline(struct dma_fence *fence, ktime_t deadline)
{
	struct dma_fence *link;

	dma_fence_chain_for_each(link, fence)
		dma_fence_set_deadline(dma_fence_chain_contained(link), deadline);
}

/*
 * Drop a reference. A node that this was the last one to is added to the list
 * @dead. Returns the list.
 */
static struct llist_node *chain_put(struct dma_fence *fence, struct llist_node *dead)
{
	struct dma_fence_chain *node = to_dma_fence_chain(fence);

	if (!node) {
		dma_fence_put(fence);
	} else if (refcount_dec_and_test(&fence->refcount.refcount)) {
		node->dead.next = dead;
		dead = &node->dead;
	}
	return dead;
}

/*
 * Take a node without references out of its chain, adding to the list @dead what
 * dies with it. Each pointer is cleared before its reference is dropped: see
 * "RCU" above. Returns the list.
 */
static struct llist_node *chain_detach(struct dma_fence_chain *node,
				       struct llist_node *dead)
{
	struct dma_fence *prev = rcu_dereference_protected(node->prev, true);
	struct dma_fence_chain *jump;

	if (prev) {
		RCU_INIT_POINTER(node->prev, NULL);
		dead = chain_put(prev, dead);
	}
	if (chain_has_jump(node)) {
		jump = rcu_dereference_protected(node->jump, true);
		if (jump) {
			RCU_INIT_POINTER(node->jump, NULL);
			dead = chain_put(&jump->base, dead);
		}
	}
	return dead;
}

/* Free so many nodes, and those that die with them. Returns what is left. */
static struct llist_node *chain_bury(struct llist_node *dead)
{
	unsigned int budget = RELEASE_BATCH;

	while (dead && budget--) {
		struct dma_fence_chain *node =
			llist_entry(dead, struct dma_fence_chain, dead);

		dead = chain_detach(node, dead->next);
		/* Detached: chain_release() will not find anything to follow. */
		dma_fence_release(&node->base.refcount);
	}
	return dead;
}

/* Dead nodes of chains that were too long for the context they died in. */
static LLIST_HEAD(chain_morgue);

static void chain_bury_morgue(struct work_struct *work)
{
	struct llist_node *dead = llist_del_all(&chain_morgue);

	while (dead) {
		dead = chain_bury(dead);
		cond_resched();
	}
}

static DECLARE_WORK(chain_morgue_work, chain_bury_morgue);

/* Free all of the list, in another context if that takes long. */
static noinline void chain_bury_all(struct llist_node *dead)
{
	struct llist_node *next;

	dead = chain_bury(dead);
	if (!dead)
		return;

	for (; dead; dead = next) {
		next = dead->next;
		llist_add(dead, &chain_morgue);
	}
	schedule_work(&chain_morgue_work);
}

static void chain_release(struct dma_fence *fence)
{
	struct dma_fence_chain *node = to_dma_fence_chain(fence);
	struct llist_node *dead = chain_detach(node, NULL);

	if (dead)
		chain_bury_all(dead);

	dma_fence_put(node->fence);
	dma_fence_free(fence);
}

const struct dma_fence_ops dma_fence_chain_ops = {
	.use_64bit_seqno = true,
	.get_driver_name = chain_driver_name,
	.get_timeline_name = chain_timeline_name,
	.enable_signaling = chain_enable_signaling,
	.signaled = chain_signaled,
	.release = chain_release,
	.set_deadline = chain_set_deadline,
};
EXPORT_SYMBOL(dma_fence_chain_ops);

/*
 * The nearest node with a jump from @node on; NULL if it is gone or too far. The
 * step count is right unless nodes have been collected, a test for each would
 * make appending dearer.
 */
static struct dma_fence_chain *chain_nearest_jump(struct dma_fence_chain *node)
{
	const u64 context = node->base.context;
	u32 steps = node->index % JUMP_INTERVAL, more = JUMP_INTERVAL;

	while (node && steps--)
		node = to_dma_fence_chain(rcu_dereference(node->prev));
	while (node && !chain_has_jump(node) && more--)
		node = to_dma_fence_chain(rcu_dereference(node->prev));

	if (!node || node->base.context != context || !chain_has_jump(node))
		return NULL;
	return node;
}

/*
 * Where the node that comes after @prev and has a jump should jump to: with a
 * reference, or NULL. @prev is referenced by the caller, nothing else has to be.
 */
static noinline struct dma_fence_chain *
chain_choose_jump(struct dma_fence_chain *prev)
{
	struct dma_fence_chain *near, *far, *farther;

	guard(rcu)();

	near = chain_nearest_jump(prev);
	if (!near)
		return NULL;

	far = rcu_dereference(near->jump);
	farther = far ? rcu_dereference(far->jump) : NULL;
	if (farther && near->index - far->index == far->index - farther->index)
		near = farther;

	return dma_fence_get_rcu(&near->base) ? near : NULL;
}

/* The rest of dma_fence_chain_init(). */
static __always_inline void
chain_complete(struct dma_fence_chain *chain, struct dma_fence *prev,
	       struct dma_fence *fence, u64 context, u64 seqno)
{
	/* Whoever publishes the node orders these for the readers. */
	RCU_INIT_POINTER(chain->prev, prev);
	chain->fence = fence;
	spin_lock_init(&chain->lock);
	dma_fence_init(&chain->base, &dma_fence_chain_ops, &chain->lock,
		       context, seqno);
}

/* dma_fence_chain_init() of a node that begins a timeline of its own. */
static noinline void chain_init_first(struct dma_fence_chain *chain,
				      struct dma_fence *prev,
				      struct dma_fence *fence, u64 seqno)
{
	chain->prev_seqno = 0;
	chain->index = 0;
	RCU_INIT_POINTER(chain->jump, NULL);
	if (to_dma_fence_chain(prev))
		seqno = max(seqno, prev->seqno);
	chain_complete(chain, prev, fence, dma_fence_context_alloc(1), seqno);
}

/* dma_fence_chain_init() of a node that has a jump. */
static noinline void chain_init_jump(struct dma_fence_chain *chain,
				     struct dma_fence_chain *tail,
				     struct dma_fence *fence, u64 seqno)
{
	RCU_INIT_POINTER(chain->jump, chain_choose_jump(tail));
	chain_complete(chain, &tail->base, fence, tail->base.context, seqno);
}

/**
 * dma_fence_chain_init() - append a node to a chain
 * @chain: memory from dma_fence_chain_alloc()
 * @prev: what the node comes after, any fence, or NULL; takes the reference
 * @fence: what the node waits for itself, no node; takes the reference
 * @seqno: the point on the timeline
 *
 * If @prev is a node and @seqno is beyond its seqno, the new node continues its
 * timeline. Otherwise it is on a timeline of its own, where its seqno is not less
 * than that of @prev if that is a node. All the same it signals after @prev only.
 *
 * A node as @fence is a mistake that is reported once; waiting for such a
 * node takes two locks of one class.
 *
 * Context: Any context. Two calls may have the same @prev.
 */
void dma_fence_chain_init(struct dma_fence_chain *chain,
			  struct dma_fence *prev,
			  struct dma_fence *fence,
			  uint64_t seqno)
{
	struct dma_fence_chain *tail = to_dma_fence_chain(prev);

	WARN_ON_ONCE(dma_fence_is_chain(fence));

	/* Most nodes are neither the first nor have a jump: those save no registers. */
	if (unlikely(!tail || seqno <= prev->seqno)) {
		chain_init_first(chain, prev, fence, seqno);
		return;
	}
	chain->prev_seqno = prev->seqno;
	chain->index = tail->index + 1;
	if (unlikely(chain_has_jump(chain)))
		chain_init_jump(chain, tail, fence, seqno);
	else
		chain_complete(chain, prev, fence, prev->context, seqno);
}
EXPORT_SYMBOL(dma_fence_chain_init);
