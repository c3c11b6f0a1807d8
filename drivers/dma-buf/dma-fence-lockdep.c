// SPDX-License-Identifier: GPL-2.0
/*
 * Teaches lockdep what a wait for a fence depends on: the code that signals.
 *
 * There is no lock between the two, so one is made up. Signalling sections hold it
 * for reading, a wait takes it for writing and drops it at once. A lock that is
 * held around a wait, and taken in a signalling section, thereby closes a circle.
 */

#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/preempt.h>

/**
 * DOC: fence signalling annotation
 *
 * The contract between drivers forbids a lot to code that a signal depends on,
 * and a violation shows up only when memory is short or a device hangs. So
 * tell lockdep which code that is::
 *
 *	cookie = dma_fence_begin_signalling();
 *	... everything until the fence is signaled ...
 *	dma_fence_end_signalling(cookie);
 *
 * Put it around
 *
 * - the work item, thread function or tasklet that calls dma_fence_signal();
 * - timeout and reset handlers, which have to signal, too;
 * - the rest of a submission, once the fence is published: in the view of
 *   others it is now a thing to wait for.
 *
 * Sections nest, and a nested one adds nothing, hence the cookie. dma_fence_wait() and
 * dma_fence_signal() contain their side of the annotation. Interrupt handlers
 * need no section of their own, what they must not do is checked otherwise.
 *
 * Only work that cannot be told apart by lock class gives trouble: a driver whose
 * own fences must wait for each other in a section has a design to rethink.
 */

static struct lockdep_map signalling_map =
	STATIC_LOCKDEP_MAP_INIT("dma_fence_map", &signalling_map);

/* Hold the map as a reader that a waiting writer keeps out. */
static void enter(unsigned long ip)
{
	lock_acquire_shared(&signalling_map, 0, 0, NULL, ip);
}

/**
 * dma_fence_begin_signalling() - what follows has to end in a signal
 *
 * Context: Any context. In atomic context the section is not recorded: there
 * might_sleep() finds all that it would find.
 * Return: a cookie for dma_fence_end_signalling(): true if this section adds
 * nothing to what is known.
 */
bool dma_fence_begin_signalling(void)
{
	if (preempt_count() || lock_is_held(&signalling_map))
		return true;

	enter(_RET_IP_);
	return false;
}
EXPORT_SYMBOL(dma_fence_begin_signalling);

/**
 * dma_fence_end_signalling() - no signal depends on what follows
 * @cookie: what dma_fence_begin_signalling() of the same section returned
 *
 * Context: The same as that of dma_fence_begin_signalling().
 */
void dma_fence_end_signalling(bool cookie)
{
	if (!cookie)
		lock_release(&signalling_map, _RET_IP_);
}
EXPORT_SYMBOL(dma_fence_end_signalling);

/**
 * __dma_fence_might_wait() - here is, or could be, a wait for a fence
 *
 * A wait inside a signalling section is no error by itself: the other fence
 * may be one that depends on less. So the section is left meanwhile, and only locks
 * count that are held around the wait.
 *
 * Context: Any context.
 */
void __dma_fence_might_wait(void)
{
	bool in_section = lock_is_held(&signalling_map);

	if (in_section)
		lock_release(&signalling_map, _THIS_IP_);
	lock_map_acquire(&signalling_map);
	lock_map_release(&signalling_map);
	if (in_section)
		enter(_THIS_IP_);
}
