// SPDX-License-Identifier: GPL-2.0-only
/*
 * Driver of QEMU's PCI device "edu", as far as it copies: the device, the space
 * that it is in, its jobs and their fences.
 *
 * Lock order: edu_lock, then &iova_space.lock, then &dma_buf.resv, then
 * &edu.lock.
 *
 * Who waits for whom: a job is started when everything it has to wait for is
 * over, and its fence exists from then on. The interrupt signals it, or the
 * watchdog if none comes; both take &edu.lock and nothing else. So whoever waits
 * for a job, with whichever of the other locks, waits for EDU_TIMEOUT at most.
 * Before, no lock is held while something is waited for that may never come: the
 * fences of other drivers and of programs, the turn of this device. These
 * waits end at a signal.
 *
 * A device that goes away while it is in a space: edu_remove() makes new jobs
 * fail, ends the one that runs, and closes the space. Whoever sits in a system
 * call finds that out at the next lock it takes. The owner of the space keeps
 * &struct edu until edu_release().
 */

#include <linux/cleanup.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/iommu.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <kunit/visibility.h>

#include "iommu-edu.h"
#include "iommu-importer.h"

#define EDU_VENDOR_ID		0x1234
#define EDU_DEVICE_ID		0x11e8

/* Registers, from docs/specs/edu.txt of QEMU. */
#define EDU_ID			0x00
#define EDU_ID_MASK		0xff
#define EDU_ID_VALUE		0xed
#define EDU_IRQ_STATUS		0x24
#define EDU_IRQ_ACK		0x64
#define EDU_DMA_SRC		0x80
#define EDU_DMA_DST		0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_CMD		0x98
#define EDU_REGS_SIZE		0x100

#define EDU_DMA_START		BIT(0)
#define EDU_DMA_TO_MEMORY	BIT(1)
#define EDU_DMA_IRQ		BIT(2)
#define EDU_IRQ_DMA_DONE	BIT(8)

/* Where the device's own memory is, as its DMA engine sees it. */
#define EDU_BUFFER		0x40000

/* It takes a tenth of a second, on an idle machine. */
#define EDU_TIMEOUT		(10 * HZ)
#define EDU_POLL_US		10000

static unsigned int dma_bits = 28;
module_param(dma_bits, uint, 0444);
MODULE_PARM_DESC(dma_bits, "Address bits of the device (its property dma_mask)");

/*
 * A device.
 *
 * Invariants: @job is not NULL while the device may access memory, and is the
 * fence of that access. Once @dead is set, @job does not become anything but
 * NULL any more and nobody touches @regs except the interrupt handler.
 */
struct edu {
	struct kref refs;		/* the driver's, and each edu_claim()'s */
	struct pci_dev *pdev;		/* until edu_remove() */
	void __iomem *regs;

	struct list_head node;		/* in edu_list, by edu_lock */
	struct iova_space *space;	/* where it is, by edu_lock; or NULL */

	spinlock_t lock;		/* protects what follows */
	struct dma_fence *job;
	unsigned long job_end;		/* in jiffies, when it must be over */
	int dead;			/* why there are no more jobs, or 0 */
	u64 context;
	u64 seqno;

	wait_queue_head_t idle;		/* for @job to become NULL */
	struct delayed_work watchdog;
};

/*
 * The fence of a job, from edu_start() on. It has a lock of its own, not the
 * device's, which it may outlive.
 */
struct edu_fence {
	struct dma_fence base;
	spinlock_t lock;	/* Serves base only. */
};

static LIST_HEAD(edu_list);
/* Protects edu_list, and which device is in which space. */
static DEFINE_MUTEX(edu_lock);

/* --- Jobs ----------------------------------------------------------------- */

static void edu_free(struct kref *refs)
{
	kfree(container_of(refs, struct edu, refs));
}

static void edu_put(struct edu *edu)
{
	kref_put(&edu->refs, edu_free);
}

static const char *edu_fence_get_driver_name(struct dma_fence *fence)
{
	return "dmabuf_iommu";
}

static const char *edu_fence_get_timeline_name(struct dma_fence *fence)
{
	return "edu";
}

static const struct dma_fence_ops edu_fence_ops = {
	.get_driver_name = edu_fence_get_driver_name,
	.get_timeline_name = edu_fence_get_timeline_name,
};

/*
 * The job is over. Nothing happens if there is none any more. The lock is held
 * over the signal, so that no fence of a later job can signal before.
 */
static void edu_finish(struct edu *edu, int error)
{
	struct dma_fence *job;
	unsigned long flags;

	spin_lock_irqsave(&edu->lock, flags);
	job = edu->job;
	edu->job = NULL;
	if (job && error)
		dma_fence_set_error(job, error);
	if (job)
		dma_fence_signal(job);
	spin_unlock_irqrestore(&edu->lock, flags);

	dma_fence_put(job);
	wake_up_all(&edu->idle);
}

static irqreturn_t edu_interrupt(int irq, void *data)
{
	struct edu *edu = data;
	u32 status = readl(edu->regs + EDU_IRQ_STATUS);

	if (!status)
		return IRQ_NONE;

	writel(status, edu->regs + EDU_IRQ_ACK);
	if (status & EDU_IRQ_DMA_DONE)
		edu_finish(edu, 0);
	return IRQ_HANDLED;
}

/*
 * No more jobs, for the reason @error; that of now ends. The device cannot
 * access memory any more when its fence signals.
 */
static void edu_kill(struct edu *edu, int error)
{
	scoped_guard(spinlock_irq, &edu->lock)
		edu->dead = error;
	pci_clear_master(edu->pdev);
	edu_finish(edu, error);
}

static void edu_watchdog(struct work_struct *work)
{
	struct edu *edu = container_of(work, struct edu, watchdog.work);
	bool signalling = dma_fence_begin_signalling();
	bool late = false;

	scoped_guard(spinlock_irq, &edu->lock)
		late = edu->job && time_after_eq(jiffies, edu->job_end);
	if (late) {
		dev_err(&edu->pdev->dev, "DMA does not end\n");
		edu_kill(edu, -EIO);
	}
	dma_fence_end_signalling(signalling);
}

/* Tell the device; its lock is held. */
static void edu_program(struct edu *edu, const struct edu_copy *copy)
{
	u64 memory = copy->iova, own = EDU_BUFFER + copy->offset;
	u64 cmd = EDU_DMA_START | EDU_DMA_IRQ;

	lockdep_assert_held(&edu->lock);

	if (copy->to_memory)
		cmd |= EDU_DMA_TO_MEMORY;
	writeq(copy->to_memory ? own : memory, edu->regs + EDU_DMA_SRC);
	writeq(copy->to_memory ? memory : own, edu->regs + EDU_DMA_DST);
	writeq(copy->length, edu->regs + EDU_DMA_COUNT);
	writeq(cmd, edu->regs + EDU_DMA_CMD);
}

static struct edu_fence *edu_fence_alloc(void)
{
	struct edu_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	if (fence)
		spin_lock_init(&fence->lock);
	return fence;
}

/*
 * Start a job, and make a fence of @fence, with a reference that is the
 * caller's; until then kfree() undoes edu_fence_alloc(). Returns 1 if another
 * job is running.
 */
static int edu_start(struct edu *edu, const struct edu_copy *copy,
		     struct edu_fence *fence)
{
	int ret = 0;

	spin_lock_irq(&edu->lock);
	if (edu->dead || edu->job) {
		ret = edu->dead ?: 1;
	} else {
		dma_fence_init(&fence->base, &edu_fence_ops, &fence->lock,
			       edu->context, ++edu->seqno);
		edu->job = dma_fence_get(&fence->base);	/* edu_finish() */
		edu->job_end = jiffies + EDU_TIMEOUT;
		edu_program(edu, copy);
		/* With the lock held: edu_remove() stops it for good. */
		mod_delayed_work(system_wq, &edu->watchdog, EDU_TIMEOUT);
	}
	spin_unlock_irq(&edu->lock);
	return ret;
}

static bool edu_is_idle(struct edu *edu)
{
	bool idle = false;

	scoped_guard(spinlock_irq, &edu->lock)
		idle = !edu->job;
	return idle;
}

/* Wait for a moment without a job, unless a signal comes first. */
static int edu_wait_idle(struct edu *edu)
{
	return wait_event_interruptible(edu->idle, edu_is_idle(edu));
}

/* Wait for what stands in the way of a job, as it is now. */
static int job_wait(struct edu *edu, struct iova_mapping *mapping,
		    const struct edu_copy *copy)
{
	enum dma_resv_usage usage = dma_resv_usage_rw(copy->to_memory);
	long left;

	left = dma_resv_wait_timeout(mapping->dmabuf->resv, usage, true,
				     MAX_SCHEDULE_TIMEOUT);
	if (left < 0)
		return left;
	return edu_wait_idle(edu);
}

/* Start a job if nothing stands in the way of it, else return 1. */
static int job_submit(struct edu *edu, struct iova_mapping *mapping,
		      const struct edu_copy *copy, struct edu_fence *fence)
{
	struct dma_resv *resv = mapping->dmabuf->resv;
	int ret;

	dma_resv_assert_held(resv);

	ret = iova_mapping_validate(mapping);
	if (ret)
		return ret;
	ret = dma_resv_reserve_fences(resv, 1);
	if (ret)
		return ret;
	if (!dma_resv_test_signaled(resv, dma_resv_usage_rw(copy->to_memory)))
		return 1;
	ret = edu_start(edu, copy, fence);
	if (ret)
		return ret;

	dma_resv_add_fence(resv, &fence->base, copy->to_memory ?
			   DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ);
	iova_mapping_track(mapping, &fence->base);
	return 0;
}

/**
 * edu_run() - start a job when nothing stands in the way of it
 * @edu: the device
 * @mapping: in the space of the device
 * @copy: what the device is to do, inside of @mapping and allowed there
 *
 * Waits for the fences of the buffer and for the turn of the device without any
 * lock, then looks again. The buffer has the job's fence on return.
 *
 * Context: Process context, may sleep. Takes &dma_buf.resv.
 * Return: 0 if the job was started, or a negative errno:
 *
 *  * %-ENODEV - the device is gone
 *  * %-EIO - it is broken
 *  * %-ENOMEM - out of memory
 *  * %-ERESTARTSYS, %-EINTR - a signal ended a wait
 *  * what iova_mapping_validate() returns; %-ENOENT if the mapping is gone
 */
int edu_run(struct edu *edu, struct iova_mapping *mapping,
	    const struct edu_copy *copy)
{
	struct dma_resv *resv = mapping->dmabuf->resv;
	struct edu_fence *fence = edu_fence_alloc();
	int ret;

	if (!fence)
		return -ENOMEM;

	do {
		ret = job_wait(edu, mapping, copy) ?:
		      dma_resv_lock_interruptible(resv, NULL);
		if (!ret) {
			ret = job_submit(edu, mapping, copy, fence);
			dma_resv_unlock(resv);
		}
	} while (ret == 1);

	if (ret)
		kfree(fence);	/* Has never been started. */
	else
		dma_fence_put(&fence->base);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(edu_run);

/**
 * edu_run_unchecked() - run a job that no buffer knows of
 * @edu: the device
 * @copy: what it is to do, anywhere in its space that is not reserved
 *
 * It is up to the IOMMU to stop it. Nobody waits for such a job who takes
 * memory away from the space, except edu_release().
 *
 * Context: Process context, may sleep.
 * Return: 0 when the device is done, or a negative errno:
 *
 *  * %-ENODEV - the device is gone
 *  * %-EIO - it is broken
 *  * %-ENOMEM - out of memory
 *  * %-ERESTARTSYS - a signal came first; the job may be running
 */
int edu_run_unchecked(struct edu *edu, const struct edu_copy *copy)
{
	struct edu_fence *fence = edu_fence_alloc();
	int ret;

	if (!fence)
		return -ENOMEM;

	do {
		ret = edu_wait_idle(edu) ?: edu_start(edu, copy, fence);
	} while (ret == 1);
	if (ret) {
		kfree(fence);
		return ret;
	}

	ret = dma_fence_wait(&fence->base, true) ?: fence->base.error;
	dma_fence_put(&fence->base);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(edu_run_unchecked);

/* --- Spaces --------------------------------------------------------------- */

/* The bus does not send these addresses to the IOMMU, or they mean interrupts. */
static int reserve_region(struct iova_space *space,
			  const struct iommu_resv_region *region)
{
	/* Interrupts would need a mapping, made before the device has any. */
	if (region->type == IOMMU_RESV_SW_MSI)
		return -EOPNOTSUPP;
	if (!region->length)
		return 0;
	return iova_space_reserve(space, region->start,
				  region->start + region->length - 1);
}

static int reserve_regions(struct iova_space *space)
{
	struct iommu_resv_region *region;
	LIST_HEAD(regions);
	int ret = 0;

	iommu_get_resv_regions(space->dev, &regions);
	list_for_each_entry(region, &regions, list) {
		ret = reserve_region(space, region);
		if (ret)
			break;
	}
	iommu_put_resv_regions(space->dev, &regions);
	return ret;
}

static int space_open(struct iova_space *space, struct device *dev)
{
	unsigned int bits = clamp_t(unsigned int, dma_bits, PAGE_SHIFT, 64);
	struct iommu_domain *domain;
	int ret;

	domain = iommu_paging_domain_alloc(dev);
	if (IS_ERR(domain))
		return PTR_ERR(domain);

	/* Some aspects of a domain are settled by its first device. */
	ret = iommu_attach_device(domain, dev);
	if (ret)
		goto err_free;
	ret = iova_space_init(space, domain, dev, DMA_BIT_MASK(bits));
	if (ret)
		goto err_detach;
	ret = reserve_regions(space);
	if (ret)
		goto err_close;
	return 0;

err_close:
	iova_space_close(space);
err_detach:
	iommu_detach_device(domain, dev);
err_free:
	iommu_domain_free(domain);
	return ret;
}

/* Put a device into a space that is made for it. */
static int edu_enter(struct edu *edu, struct iova_space *space)
{
	struct device *dev = &edu->pdev->dev;
	int ret;

	lockdep_assert_held(&edu_lock);

	ret = iommu_device_claim_dma_owner(dev, edu);
	if (ret)
		return ret;
	ret = space_open(space, dev);
	if (ret) {
		iommu_device_release_dma_owner(dev);
		return ret;
	}

	edu->space = space;
	return 0;
}

/* Undo edu_enter(); the device has no job. */
static void edu_leave(struct edu *edu)
{
	struct iommu_domain *domain = edu->space->domain;
	struct device *dev = &edu->pdev->dev;

	lockdep_assert_held(&edu_lock);

	iova_space_close(edu->space);
	iommu_detach_device(domain, dev);
	iommu_domain_free(domain);
	iommu_device_release_dma_owner(dev);
	edu->space = NULL;
}

/**
 * edu_claim() - make a space for a device that nobody uses
 * @space: memory for the space; stays in use until edu_release()
 *
 * The space is closed when the device goes away.
 *
 * Context: Process context, may sleep. Takes edu_lock.
 * Return: the device, which edu_release() gives back, or an ERR_PTR():
 *
 *  * %-ENODEV - there is no device
 *  * %-EBUSY - all of them are in use
 *  * %-ERESTARTSYS - a signal ended the wait for the lock
 *  * %-EOPNOTSUPP - interrupts of the device go through the IOMMU's page table
 *  * what iova_space_init() and the IOMMU's driver return
 */
struct edu *edu_claim(struct iova_space *space)
{
	struct edu *edu, *claimed = ERR_PTR(-ENODEV);
	int ret;

	if (mutex_lock_interruptible(&edu_lock))
		return ERR_PTR(-ERESTARTSYS);

	list_for_each_entry(edu, &edu_list, node) {
		ret = edu->space ? -EBUSY : edu_enter(edu, space);
		claimed = ret ? ERR_PTR(ret) : edu;
		if (!ret) {
			kref_get(&edu->refs);	/* edu_release() */
			break;
		}
	}
	mutex_unlock(&edu_lock);
	return claimed;
}
EXPORT_SYMBOL_IF_KUNIT(edu_claim);

/**
 * edu_release() - undo edu_claim()
 * @edu: the device, which may be gone
 * @space: its space; closed afterwards
 *
 * Waits for the job of the device.
 *
 * Context: Process context, may sleep. Takes edu_lock.
 */
void edu_release(struct edu *edu, struct iova_space *space)
{
	scoped_guard(mutex, &edu_lock) {
		if (edu->space == space) {
			/* The space may not know of it. */
			wait_event(edu->idle, edu_is_idle(edu));
			edu_leave(edu);
		}
	}
	edu_put(edu);
}
EXPORT_SYMBOL_IF_KUNIT(edu_release);

/* --- The PCI driver ------------------------------------------------------- */

static struct edu *edu_alloc(struct pci_dev *pdev)
{
	struct edu *edu = kzalloc(sizeof(*edu), GFP_KERNEL);

	if (edu) {
		kref_init(&edu->refs);
		edu->pdev = pdev;
		spin_lock_init(&edu->lock);
		init_waitqueue_head(&edu->idle);
		INIT_DELAYED_WORK(&edu->watchdog, edu_watchdog);
		edu->context = dma_fence_context_alloc(1);
	}
	return edu;
}

static void edu_put_action(void *data)
{
	edu_put(data);
}

/*
 * Wait for what a former driver left the device to do. It must neither get to
 * the memory of the next space, nor look like the end of a job there.
 */
static int edu_settle(struct edu *edu)
{
	u64 cmd;
	int ret;

	ret = readq_poll_timeout(edu->regs + EDU_DMA_CMD, cmd,
				 !(cmd & EDU_DMA_START), EDU_POLL_US,
				 jiffies_to_usecs(EDU_TIMEOUT));
	writel(readl(edu->regs + EDU_IRQ_STATUS), edu->regs + EDU_IRQ_ACK);
	return ret;
}

/* Registers and interrupt. */
static int edu_power_up(struct edu *edu)
{
	struct pci_dev *pdev = edu->pdev;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	ret = pcim_request_region(pdev, 0, "dmabuf_iommu");
	if (ret)
		return ret;
	edu->regs = pcim_iomap(pdev, 0, EDU_REGS_SIZE);
	if (!edu->regs)
		return -ENOMEM;
	if ((readl(edu->regs + EDU_ID) & EDU_ID_MASK) != EDU_ID_VALUE)
		return -ENODEV;
	ret = edu_settle(edu);
	if (ret)
		return ret;

	ret = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSI);
	if (ret < 0)
		return ret;
	ret = devm_request_irq(&pdev->dev, pci_irq_vector(pdev, 0),
			       edu_interrupt, 0, "dmabuf_iommu", edu);
	if (ret)
		return ret;
	/* Until the device is in somebody's space the IOMMU blocks it. */
	pci_set_master(pdev);
	return 0;
}

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct device *dev = &pdev->dev;
	struct edu *edu;
	int ret;

	/* Page frames say nothing of caches; so this has to be out of the way. */
	if (!device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY))
		return dev_err_probe(dev, -ENODEV, "no IOMMU that sees the caches\n");

	edu = edu_alloc(pdev);
	if (!edu)
		return -ENOMEM;
	/* Runs after the interrupt is gone. */
	ret = devm_add_action_or_reset(dev, edu_put_action, edu);
	if (ret)
		return ret;
	ret = edu_power_up(edu);
	if (ret)
		return dev_err_probe(dev, ret, "cannot be set up\n");

	pci_set_drvdata(pdev, edu);
	scoped_guard(mutex, &edu_lock)
		list_add_tail(&edu->node, &edu_list);
	return 0;
}

static void edu_remove(struct pci_dev *pdev)
{
	struct edu *edu = pci_get_drvdata(pdev);

	edu_kill(edu, -ENODEV);
	scoped_guard(mutex, &edu_lock) {
		list_del(&edu->node);
		if (edu->space)
			edu_leave(edu);
	}
	cancel_delayed_work_sync(&edu->watchdog);
}

static const struct pci_device_id edu_ids[] = {
	{ PCI_DEVICE(EDU_VENDOR_ID, EDU_DEVICE_ID) },
	{ }
};

static struct pci_driver edu_driver = {
	.name = "dmabuf_iommu",
	.id_table = edu_ids,
	.probe = edu_probe,
	.remove = edu_remove,
	/* The device does DMA where a program tells it to, if at all. */
	.driver_managed_dma = true,
};

/**
 * edu_register() - start looking for devices
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno.
 */
int edu_register(void)
{
	return pci_register_driver(&edu_driver);
}

/**
 * edu_unregister() - undo edu_register()
 *
 * Context: Process context, may sleep.
 */
void edu_unregister(void)
{
	pci_unregister_driver(&edu_driver);
}
