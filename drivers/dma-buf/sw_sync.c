// SPDX-License-Identifier: GPL-2.0
/*
 * Fences that a program signals: each open of the debugfs file sw_sync is a
 * timeline of its own. What there is can be seen through sync_debug.c.
 */
#include <linux/cleanup.h>
#include <linux/compat.h>
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>

#include "sync_debug.h"

#define CREATE_TRACE_POINTS
#include "sync_trace.h"

/**
 * DOC: sw_sync
 *
 * Tests need fences that signal when they say so, and have no device that
 * could do it. An open /sys/kernel/debug/sync/sw_sync is a timeline: a counter
 * that starts at 0 and is called like the command that opened it. Its three
 * ioctls are not part of the user-space ABI in include/uapi/linux:
 *
 * ============================  =============================================
 * ``_IOWR('W', 0, create)``     Makes a sync_file whose fence is over when the
 *                               counter gets to ``value``. One that is there
 *                               already is signaled at once. Fences of the same
 *                               value are one fence.
 * ``_IOW('W', 1, __u32)``       Advances the counter, and signals in order.
 * ``_IOWR('W', 2, deadline)``   Tells the earliest deadline that anybody has set
 *                               on the fence in ``fence_fd``, in ns of
 *                               CLOCK_MONOTONIC. The other members are 0 on
 *                               the way in.
 * ============================  =============================================
 *
 * The counter has 32 bits and wraps. A value is in the future if it is less
 * than 2^31 ahead; so advancing by 2^32 - 1 passes everything, and nothing is
 * lost or signaled early where the counter wraps.
 *
 * Closing the file signals what is left, with the error ``-ENOENT``. Fences
 * live as long as there are references to them.
 *
 * A program with this file can keep any driver waiting that takes fences from
 * user space, as long as it likes. So the option is for development kernels,
 * and the file is for root.
 *
 * Who waits is told under the lock of the fence, and may drop the last
 * reference to any fence of the same timeline there. Hence the queue has a lock
 * of its own, inside of the other: a fence that is released leaves the queue
 * without the fence lock, and one that is signaled is taken out first, with
 * a reference.
 */

struct sw_sync_create_fence_data {
	__u32	value;		/* in: place on the timeline */
	char	name[32];	/* not used */
	__s32	fence;		/* out: descriptor of the sync_file */
};

struct sw_sync_get_deadline {
	__u64	deadline_ns;	/* in: 0; out: the deadline */
	__u32	pad;		/* in: 0 */
	__s32	fence_fd;	/* in: a sync_file with a fence of sw_sync */
};

/* So many fences are signaled without a look whether others want to run. */
#define SIGNAL_BATCH	64

#define SW_SYNC_IOC_MAGIC		'W'
#define SW_SYNC_IOC_CREATE_FENCE	_IOWR(SW_SYNC_IOC_MAGIC, 0, \
					      struct sw_sync_create_fence_data)
#define SW_SYNC_IOC_INC			_IOW(SW_SYNC_IOC_MAGIC, 1, __u32)
#define SW_SYNC_GET_DEADLINE		_IOWR(SW_SYNC_IOC_MAGIC, 2, \
					      struct sw_sync_get_deadline)

DEFINE_FREE(dma_fence_put, struct dma_fence *, dma_fence_put(_T))

/* --- Timelines ---------------------------------------------------------- */

static struct sync_timeline *sync_timeline_create(void)
{
	struct sync_timeline *timeline = kzalloc(sizeof(*timeline), GFP_KERNEL);

	if (!timeline)
		return NULL;

	kref_init(&timeline->kref);
	get_task_comm(timeline->name, current);
	timeline->context = dma_fence_context_alloc(1);
	spin_lock_init(&timeline->fence_lock);
	spin_lock_init(&timeline->queue_lock);
	timeline->queue = RB_ROOT_CACHED;
	sync_timeline_debug_add(timeline);
	return timeline;
}

static void sync_timeline_free(struct kref *kref)
{
	struct sync_timeline *timeline =
		container_of(kref, struct sync_timeline, kref);

	sync_timeline_debug_remove(timeline);
	kfree_rcu(timeline, rcu);
}

/* Any context: the last reference may be that of a fence. */
void sync_timeline_put(struct sync_timeline *timeline)
{
	kref_put(&timeline->kref, sync_timeline_free);
}

/* How far is @seqno ahead of @value? Negative if it is behind. */
static s32 seqno_ahead(u32 seqno, u32 value)
{
	return (s32)(seqno - value);
}

/* As queue_add(), where @queued has the value of @pt. */
static struct sync_pt *queue_same(struct sync_timeline *timeline,
				  struct sync_pt *pt, struct sync_pt *queued)
{
	if (dma_fence_get_rcu(&queued->base))
		return queued;

	/* It waits in sync_pt_release() for the lock. */
	rb_replace_node_cached(&queued->node, &pt->node, &timeline->queue);
	RB_CLEAR_NODE(&queued->node);
	return NULL;
}

/*
 * Queue @pt. If a fence with the same value is queued already, that one is
 * returned with a reference and @pt stays out.
 */
static struct sync_pt *queue_add(struct sync_timeline *timeline,
				 struct sync_pt *pt)
{
	struct rb_node **link = &timeline->queue.rb_root.rb_node;
	struct rb_node *parent = NULL;
	bool leftmost = true;

	lockdep_assert_held(&timeline->queue_lock);

	while (*link) {
		struct sync_pt *other = rb_entry(*link, struct sync_pt, node);
		s32 ahead = seqno_ahead(pt->base.seqno, other->base.seqno);

		parent = *link;
		if (!ahead)
			return queue_same(timeline, pt, other);

		if (ahead > 0)
			leftmost = false;
		link = ahead < 0 ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&pt->node, parent, link);
	rb_insert_color_cached(&pt->node, &timeline->queue, leftmost);
	return NULL;
}

static void queue_del(struct sync_timeline *timeline, struct sync_pt *pt)
{
	lockdep_assert_held(&timeline->queue_lock);

	rb_erase_cached(&pt->node, &timeline->queue);
	RB_CLEAR_NODE(&pt->node);
}

static struct sync_pt *queue_first(struct sync_timeline *timeline)
{
	return rb_entry_safe(rb_first_cached(&timeline->queue),
			     struct sync_pt, node);
}

static struct sync_pt *queue_next(struct sync_pt *pt)
{
	return rb_entry_safe(rb_next(&pt->node), struct sync_pt, node);
}

/* --- Fences ------------------------------------------------------------- */

static const char *sync_pt_driver_name(struct dma_fence *fence)
{
	return "sw_sync";
}

static struct sync_pt *to_sync_pt(struct dma_fence *fence)
{
	return container_of(fence, struct sync_pt, base);
}

static struct sync_timeline *fence_timeline(struct dma_fence *fence)
{
	return sync_pt_timeline(to_sync_pt(fence));
}

static const char *sync_pt_timeline_name(struct dma_fence *fence)
{
	return fence_timeline(fence)->name;
}

static bool sync_pt_signaled(struct dma_fence *fence)
{
	u32 value = READ_ONCE(fence_timeline(fence)->value);

	return seqno_ahead(fence->seqno, value) <= 0;
}

static void sync_pt_release(struct dma_fence *fence)
{
	struct sync_timeline *timeline = fence_timeline(fence);
	struct sync_pt *pt = to_sync_pt(fence);
	unsigned long irqflags;

	spin_lock_irqsave(&timeline->queue_lock, irqflags);
	if (!RB_EMPTY_NODE(&pt->node))
		queue_del(timeline, pt);
	spin_unlock_irqrestore(&timeline->queue_lock, irqflags);

	dma_fence_free(fence);
	sync_timeline_put(timeline);
}

static void sync_pt_value_str(struct dma_fence *fence, char *str, int size)
{
	snprintf(str, size, "%lld", fence->seqno);
}

static void sync_pt_timeline_value_str(struct dma_fence *fence, char *str,
				       int size)
{
	snprintf(str, size, "%d", READ_ONCE(fence_timeline(fence)->value));
}

/* The earliest one counts. */
static void sync_pt_set_deadline(struct dma_fence *fence, ktime_t deadline)
{
	struct sync_pt *pt = to_sync_pt(fence);
	unsigned long irqflags;

	spin_lock_irqsave(fence->lock, irqflags);
	if (!test_and_set_bit(SYNC_PT_HAS_DEADLINE_BIT, &fence->flags) ||
	    ktime_before(deadline, pt->deadline))
		pt->deadline = deadline;
	spin_unlock_irqrestore(fence->lock, irqflags);
}

static const struct dma_fence_ops sync_pt_ops = {
	.get_driver_name = sync_pt_driver_name,
	.get_timeline_name = sync_pt_timeline_name,
	.signaled = sync_pt_signaled,
	.release = sync_pt_release,
	.fence_value_str = sync_pt_value_str,
	.timeline_value_str = sync_pt_timeline_value_str,
	.set_deadline = sync_pt_set_deadline,
};

/* The fence for @value, with a reference for the caller; NULL without memory. */
static struct dma_fence *sync_pt_create(struct sync_timeline *timeline,
					u32 value)
{
	struct sync_pt *pt = kzalloc(sizeof(*pt), GFP_KERNEL);
	struct sync_pt *same = NULL;
	bool over;

	if (!pt)
		return NULL;

	RB_CLEAR_NODE(&pt->node);
	kref_get(&timeline->kref); /* Dropped by sync_pt_release(). */
	dma_fence_init(&pt->base, &sync_pt_ops, &timeline->fence_lock,
		       timeline->context, value);

	spin_lock_irq(&timeline->queue_lock);
	over = sync_pt_signaled(&pt->base);
	if (!over)
		same = queue_add(timeline, pt);
	spin_unlock_irq(&timeline->queue_lock);

	if (over)
		dma_fence_signal(&pt->base);
	if (same) {
		dma_fence_put(&pt->base);
		pt = same;
	}
	return &pt->base;
}

/* Signal and put up to SIGNAL_BATCH fences. Returns the next, or NULL. */
static struct sync_pt *signal_some(struct sync_timeline *timeline,
				   struct sync_pt *pt)
{
	unsigned int left = SIGNAL_BATCH;

	spin_lock_irq(&timeline->fence_lock);
	while (pt && left--) {
		struct sync_pt *next = pt->next;

		dma_fence_signal_locked(&pt->base);
		dma_fence_put(&pt->base);
		pt = next;
	}
	spin_unlock_irq(&timeline->fence_lock);
	return pt;
}

/*
 * Advance @timeline by at most INT_MAX and signal what that passes. All of it
 * leaves the queue while the lock is held, or the next step would wrap around it.
 */
static void sync_timeline_advance(struct sync_timeline *timeline, u32 step)
{
	struct sync_pt *passed = NULL, **tail = &passed, *pt;

	trace_sync_timeline(timeline);

	spin_lock_irq(&timeline->queue_lock);
	WRITE_ONCE(timeline->value, timeline->value + step);
	while ((pt = queue_first(timeline)) && sync_pt_signaled(&pt->base)) {
		queue_del(timeline, pt);
		/* If not, its release waits for the lock. */
		if (dma_fence_get_rcu(&pt->base)) {
			*tail = pt;
			tail = &pt->next;
		}
	}
	*tail = NULL;
	spin_unlock_irq(&timeline->queue_lock);

	while (passed) {
		passed = signal_some(timeline, passed);
		if (passed)
			cond_resched();
	}
}

static void sync_pt_fail(struct sync_pt *pt, int error)
{
	struct dma_fence *fence = &pt->base;
	unsigned long irqflags;

	spin_lock_irqsave(fence->lock, irqflags);
	if (!test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags)) {
		dma_fence_set_error(fence, error);
		dma_fence_signal_locked(fence);
	}
	spin_unlock_irqrestore(fence->lock, irqflags);
}

/* Signal what is queued with -ENOENT, and leave it in the queue to be seen. */
static void sync_timeline_abort(struct sync_timeline *timeline)
{
	struct sync_pt *pending = NULL, **tail = &pending, *pt;

	spin_lock_irq(&timeline->queue_lock);
	for (pt = queue_first(timeline); pt; pt = queue_next(pt)) {
		if (dma_fence_get_rcu(&pt->base)) {
			*tail = pt;
			tail = &pt->next;
		}
	}
	*tail = NULL;
	spin_unlock_irq(&timeline->queue_lock);

	while ((pt = pending)) {
		pending = pt->next;
		sync_pt_fail(pt, -ENOENT);
		dma_fence_put(&pt->base);
		cond_resched();
	}
}

/* --- The file ----------------------------------------------------------- */

static int sw_sync_open(struct inode *inode, struct file *file)
{
	file->private_data = sync_timeline_create();
	return file->private_data ? 0 : -ENOMEM;
}

static int sw_sync_release(struct inode *inode, struct file *file)
{
	sync_timeline_abort(file->private_data);
	sync_timeline_put(file->private_data);
	return 0;
}

/*
 * SW_SYNC_IOC_CREATE_FENCE.
 *
 * -EFAULT if @user cannot be read or written, -EMFILE at the limit of open
 * files, -ENOMEM. Nothing is left after any of them.
 */
static long sw_sync_ioctl_create(struct sync_timeline *timeline,
				 struct sw_sync_create_fence_data __user *user)
{
	struct sw_sync_create_fence_data arg;
	struct sync_file *sync_file;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;

	CLASS(get_unused_fd, fd)(O_CLOEXEC);
	if (fd < 0)
		return fd;

	struct dma_fence *fence __free(dma_fence_put) =
		sync_pt_create(timeline, arg.value);
	if (!fence)
		return -ENOMEM;

	sync_file = sync_file_create(fence);
	if (!sync_file)
		return -ENOMEM;

	struct file *file __free(fput) = sync_file->file;

	arg.fence = fd;
	if (copy_to_user(user, &arg, sizeof(arg)))
		return -EFAULT;

	/* Published: no failure after this. */
	fd_install(take_fd(fd), no_free_ptr(file));
	return 0;
}

/* SW_SYNC_IOC_INC. -EFAULT if @user cannot be read. */
static long sw_sync_ioctl_inc(struct sync_timeline *timeline,
			      u32 __user *user)
{
	u32 left;

	if (copy_from_user(&left, user, sizeof(left)))
		return -EFAULT;

	for (; left > INT_MAX; left -= INT_MAX)
		sync_timeline_advance(timeline, INT_MAX);
	sync_timeline_advance(timeline, left);
	return 0;
}

static bool deadline_get(struct dma_fence *fence, u64 *deadline_ns)
{
	struct sync_pt *pt = to_sync_pt(fence);
	unsigned long irqflags;
	bool set;

	spin_lock_irqsave(fence->lock, irqflags);
	set = test_bit(SYNC_PT_HAS_DEADLINE_BIT, &fence->flags);
	if (set)
		*deadline_ns = ktime_to_ns(pt->deadline);
	spin_unlock_irqrestore(fence->lock, irqflags);

	return set;
}

/*
 * SW_SYNC_GET_DEADLINE.
 *
 * -EFAULT if @user cannot be read or written, -EINVAL if a member is not 0 that
 * has to be, or the descriptor is none of a fence made here, -ENOENT if
 * nobody has set a deadline.
 */
static long sw_sync_ioctl_deadline(struct sw_sync_get_deadline __user *user)
{
	struct sw_sync_get_deadline arg;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (arg.deadline_ns || arg.pad)
		return -EINVAL;

	struct dma_fence *fence __free(dma_fence_put) =
		sync_file_get_fence(arg.fence_fd);
	if (!fence || fence->ops != &sync_pt_ops)
		return -EINVAL;
	if (!deadline_get(fence, &arg.deadline_ns))
		return -ENOENT;

	return copy_to_user(user, &arg, sizeof(arg)) ? -EFAULT : 0;
}

static long sw_sync_ioctl(struct file *file, unsigned int cmd,
			  unsigned long arg)
{
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case SW_SYNC_IOC_CREATE_FENCE:
		return sw_sync_ioctl_create(file->private_data, user);
	case SW_SYNC_IOC_INC:
		return sw_sync_ioctl_inc(file->private_data, user);
	case SW_SYNC_GET_DEADLINE:
		return sw_sync_ioctl_deadline(user);
	default:
		return -ENOTTY;
	}
}

const struct file_operations sw_sync_debugfs_fops = {
	.open		= sw_sync_open,
	.release	= sw_sync_release,
	.unlocked_ioctl	= sw_sync_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};
