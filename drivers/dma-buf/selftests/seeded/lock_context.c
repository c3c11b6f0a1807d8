// SPDX-License-Identifier: GPL-2.0
/* A codec that leaves its queue locked when it is full. */

#include <linux/errno.h>
#include <linux/spinlock.h>

#include "seeded.h"

static DEFINE_SPINLOCK(queue_lock);
static unsigned int queued;

static int codec_queue(unsigned int limit)
{
	spin_lock(&queue_lock);
	if (queued >= limit)
		return -EAGAIN;
	queued++;
	spin_unlock(&queue_lock);
	return 0;
}

int seeded_lock_context(void)
{
	return codec_queue(1);
}
