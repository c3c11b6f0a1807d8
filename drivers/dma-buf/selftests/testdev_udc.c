// SPDX-License-Identifier: GPL-2.0
/*
 * A USB device controller in software that takes scatterlists, as FunctionFS wants
 * it for dma-bufs and dummy_hcd does not. It moves bytes to and from the DMA
 * addresses of a request, when a test asks for it through /dev/dmabuf_udc: the test
 * is the host. Root only, and only in test kernels.
 *
 * One IN and one OUT endpoint for bulk transfers, beside endpoint 0, whose
 * requests end when they are queued.
 *
 * Invariants: a request is on the queue of its endpoint from queue() until it is
 * given back, and whoever takes it off gives it back. soft_udc.lock protects the
 * queues and how far their requests are; it is a leaf.
 */
#include <linux/capability.h>
#include <linux/cleanup.h>
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/usb/ch9.h>
#include <linux/usb/gadget.h>
#include <linux/workqueue.h>

#include "testdev_copy.h"
#include "testdev_udc.h"

struct soft_request {
	struct usb_request req;
	struct list_head node;
};

struct soft_ep {
	struct usb_ep ep;
	struct list_head queue;
};

enum { EP0, EP_IN, EP_OUT, NR_EPS };

static struct soft_udc {
	struct usb_gadget gadget;
	struct usb_gadget_driver *driver;	/* while it is started */
	struct work_struct connect;
	spinlock_t lock;			/* of the queues */
	struct soft_ep eps[NR_EPS];
} udc;

static struct soft_ep *to_soft_ep(struct usb_ep *ep)
{
	return container_of(ep, struct soft_ep, ep);
}

static struct soft_request *to_soft_request(struct usb_request *req)
{
	return container_of(req, struct soft_request, req);
}

/* ---- bytes ------------------------------------------------------------------------ */

/* Copy @size bytes between @data and the entries of a request, from @skip on. */
static int copy_sg(struct usb_request *req, size_t skip, void *data, size_t size,
		   bool to_req)
{
	struct device *dev = udc.gadget.dev.parent;
	struct scatterlist *sg;
	size_t part;
	int ret;
	u32 i;

	for_each_sg(req->sg, sg, req->num_mapped_sgs, i) {
		if (!size)
			break;
		if (skip >= sg_dma_len(sg)) {
			skip -= sg_dma_len(sg);
			continue;
		}
		part = min_t(size_t, size, sg_dma_len(sg) - skip);
		ret = copy_phys(dma_to_phys(dev, sg_dma_address(sg)) + skip, data, part,
				to_req);
		if (ret)
			return ret;
		skip = 0;
		data += part;
		size -= part;
	}
	return size ? -EIO : 0;
}

/* Go on with a request. What is moved is counted in it. */
static int move_bytes(struct usb_request *req, void *data, size_t size, bool to_req)
{
	int ret = 0;

	if (req->num_mapped_sgs)
		ret = copy_sg(req, req->actual, data, size, to_req);
	else if (to_req)
		memcpy(req->buf + req->actual, data, size);
	else
		memcpy(data, req->buf + req->actual, size);
	if (!ret)
		req->actual += size;
	return ret;
}

/* ---- requests ---------------------------------------------------------------------- */

/* With interrupts off, as a controller does it. The request may be gone afterwards. */
static void give_back(struct soft_ep *ep, struct soft_request *request, int status)
{
	struct device *dev = udc.gadget.dev.parent;
	unsigned long irqflags;

	request->req.status = status;
	if (ep != &udc.eps[EP0])
		usb_gadget_unmap_request_by_dev(dev, &request->req, ep == &udc.eps[EP_IN]);
	local_irq_save(irqflags);
	usb_gadget_giveback_request(&ep->ep, &request->req);
	local_irq_restore(irqflags);
}

/* Take @request off the queue, or the first one if NULL. NULL if it is not there. */
static struct soft_request *dequeue(struct soft_ep *ep, struct soft_request *request)
{
	struct soft_request *each, *found = NULL;

	scoped_guard(spinlock_irqsave, &udc.lock) {
		list_for_each_entry(each, &ep->queue, node) {
			if (!request || each == request) {
				list_del_init(&each->node);
				found = each;
				break;
			}
		}
	}
	return found;
}

/*
 * Move at most @size bytes between @data and the first request of @ep.
 * *@done is set to the request if that was its end.
 */
static ssize_t move_first(struct soft_ep *ep, void *data, size_t size,
			  struct soft_request **done)
{
	bool out = ep == &udc.eps[EP_OUT];
	struct soft_request *request;
	struct usb_request *req;
	int ret;

	lockdep_assert_held(&udc.lock);
	request = list_first_entry_or_null(&ep->queue, struct soft_request, node);
	if (!request)
		return -EAGAIN;

	req = &request->req;
	size = min_t(size_t, size, req->length - req->actual);
	ret = move_bytes(req, data, size, out);
	if (ret || req->actual == req->length || (out && size % DMABUF_UDC_PACKET)) {
		list_del_init(&request->node);
		*done = request;
	}
	return ret ? ret : size;
}

static ssize_t move(struct soft_ep *ep, void *data, size_t size)
{
	struct soft_request *done = NULL;
	unsigned long irqflags;
	ssize_t ret;

	spin_lock_irqsave(&udc.lock, irqflags);
	ret = move_first(ep, data, size, &done);
	spin_unlock_irqrestore(&udc.lock, irqflags);
	if (done)
		give_back(ep, done, min(ret, 0));
	return ret;
}

/* ---- endpoints ---------------------------------------------------------------------- */

static int soft_enable(struct usb_ep *ep, const struct usb_endpoint_descriptor *desc)
{
	ep->maxpacket = usb_endpoint_maxp(desc);
	return 0;
}

static int soft_disable(struct usb_ep *_ep)
{
	struct soft_ep *ep = to_soft_ep(_ep);
	struct soft_request *request;

	while ((request = dequeue(ep, NULL)))
		give_back(ep, request, -ESHUTDOWN);
	return 0;
}

static struct usb_request *soft_alloc_request(struct usb_ep *ep, gfp_t gfp)
{
	struct soft_request *request = kzalloc(sizeof(*request), gfp);

	if (!request)
		return NULL;
	INIT_LIST_HEAD(&request->node);
	return &request->req;
}

static void soft_free_request(struct usb_ep *ep, struct usb_request *req)
{
	struct soft_request *request = to_soft_request(req);

	if (WARN_ON_ONCE(!list_empty(&request->node)))
		return;
	kfree(request);
}

/* Hardware goes by the number of entries: are there as many, and for all bytes? */
static bool sg_valid(const struct usb_request *req)
{
	struct scatterlist *sg;
	size_t bytes = 0;
	u32 i;

	for_each_sg(req->sg, sg, req->num_mapped_sgs, i) {
		if (!sg)
			return false;
		bytes += sg_dma_len(sg);
	}
	return bytes >= req->length;
}

static int soft_queue(struct usb_ep *_ep, struct usb_request *req, gfp_t gfp)
{
	struct soft_request *request = to_soft_request(req);
	struct device *dev = udc.gadget.dev.parent;
	struct soft_ep *ep = to_soft_ep(_ep);
	bool in = ep == &udc.eps[EP_IN];
	int ret;

	req->actual = 0;
	req->status = -EINPROGRESS;
	if (ep == &udc.eps[EP0]) {
		give_back(ep, request, 0);
		return 0;
	}
	ret = usb_gadget_map_request_by_dev(dev, req, in);
	if (ret)
		return ret;
	if (req->num_mapped_sgs && !sg_valid(req)) {
		usb_gadget_unmap_request_by_dev(dev, req, in);
		return -EINVAL;
	}

	scoped_guard(spinlock_irqsave, &udc.lock)
		list_add_tail(&request->node, &ep->queue);
	return 0;
}

static int soft_dequeue(struct usb_ep *_ep, struct usb_request *req)
{
	struct soft_ep *ep = to_soft_ep(_ep);
	struct soft_request *request = dequeue(ep, to_soft_request(req));

	if (!request)
		return -EINVAL;
	give_back(ep, request, -ECONNRESET);
	return 0;
}

static int soft_set_halt(struct usb_ep *ep, int value)
{
	return 0;
}

static const struct usb_ep_ops soft_ep_ops = {
	.enable		= soft_enable,
	.disable	= soft_disable,
	.alloc_request	= soft_alloc_request,
	.free_request	= soft_free_request,
	.queue		= soft_queue,
	.dequeue	= soft_dequeue,
	.set_halt	= soft_set_halt,
};

/* ---- the gadget ---------------------------------------------------------------------- */

/* The one thing that this host asks for. */
static void connect_work(struct work_struct *work)
{
	static const struct usb_ctrlrequest set_configuration = {
		.bRequest = USB_REQ_SET_CONFIGURATION,
		.wValue = cpu_to_le16(1),
	};
	unsigned long irqflags;

	local_irq_save(irqflags);
	udc.driver->setup(&udc.gadget, &set_configuration);
	local_irq_restore(irqflags);
}

static int soft_pullup(struct usb_gadget *gadget, int on)
{
	if (on)
		schedule_work(&udc.connect);
	else
		cancel_work_sync(&udc.connect);
	return 0;
}

static int soft_start(struct usb_gadget *gadget, struct usb_gadget_driver *driver)
{
	udc.driver = driver;
	gadget->speed = USB_SPEED_HIGH;
	return 0;
}

static int soft_stop(struct usb_gadget *gadget)
{
	udc.driver = NULL;
	gadget->speed = USB_SPEED_UNKNOWN;
	return 0;
}

static const struct usb_gadget_ops soft_gadget_ops = {
	.pullup		= soft_pullup,
	.udc_start	= soft_start,
	.udc_stop	= soft_stop,
};

static void init_ep(int nr, const char *name, const struct usb_ep_caps caps)
{
	struct soft_ep *ep = &udc.eps[nr];

	INIT_LIST_HEAD(&ep->queue);
	ep->ep.name = name;
	ep->ep.caps = caps;
	ep->ep.ops = &soft_ep_ops;
	usb_ep_set_maxpacket_limit(&ep->ep, nr == EP0 ? 64 : DMABUF_UDC_PACKET);
	INIT_LIST_HEAD(&ep->ep.ep_list);
	if (nr != EP0)
		list_add_tail(&ep->ep.ep_list, &udc.gadget.ep_list);
}

static int soft_probe(struct platform_device *pdev)
{
	struct usb_gadget *gadget = &udc.gadget;
	struct device *dev = &pdev->dev;
	int ret;

	ret = dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;

	spin_lock_init(&udc.lock);
	INIT_WORK(&udc.connect, connect_work);
	INIT_LIST_HEAD(&gadget->ep_list);
	init_ep(EP0, "ep0", (struct usb_ep_caps)
		USB_EP_CAPS(USB_EP_CAPS_TYPE_CONTROL, USB_EP_CAPS_DIR_ALL));
	init_ep(EP_IN, "ep1in", (struct usb_ep_caps)
		USB_EP_CAPS(USB_EP_CAPS_TYPE_BULK, USB_EP_CAPS_DIR_IN));
	init_ep(EP_OUT, "ep2out", (struct usb_ep_caps)
		USB_EP_CAPS(USB_EP_CAPS_TYPE_BULK, USB_EP_CAPS_DIR_OUT));

	gadget->ops = &soft_gadget_ops;
	gadget->ep0 = &udc.eps[EP0].ep;
	gadget->name = DMABUF_UDC_NAME;
	gadget->max_speed = USB_SPEED_HIGH;
	/* Else the CPU would not find what the device sees. */
	gadget->sg_supported = !get_dma_ops(dev) && dev_is_dma_coherent(dev);
	return usb_add_gadget_udc(dev, gadget);
}

static void soft_remove(struct platform_device *pdev)
{
	usb_del_gadget_udc(&udc.gadget);
}

static struct platform_driver soft_driver = {
	.probe = soft_probe,
	.remove_new = soft_remove,
	.driver = {
		.name = DMABUF_UDC_NAME,
		.suppress_bind_attrs = true,
	},
};

/* ---- the host's side ------------------------------------------------------------------ */

static int host_open(struct inode *inode, struct file *file)
{
	return capable(CAP_SYS_ADMIN) ? stream_open(inode, file) : -EPERM;
}

static ssize_t host_read(struct file *file, char __user *to, size_t size, loff_t *pos)
{
	ssize_t ret;

	size = min_t(size_t, size, DMABUF_UDC_MAX_MOVE);
	void *data __free(kvfree) = kvmalloc(size, GFP_KERNEL);
	if (!data)
		return -ENOMEM;

	ret = move(&udc.eps[EP_IN], data, size);
	if (ret > 0 && copy_to_user(to, data, ret))
		return -EFAULT;
	return ret;
}

static ssize_t host_write(struct file *file, const char __user *from, size_t size,
			  loff_t *pos)
{
	size = min_t(size_t, size, DMABUF_UDC_MAX_MOVE);
	void *data __free(kvfree) = kvmalloc(size, GFP_KERNEL);
	if (!data)
		return -ENOMEM;
	if (copy_from_user(data, from, size))
		return -EFAULT;

	return move(&udc.eps[EP_OUT], data, size);
}

static const struct file_operations host_fops = {
	.owner	= THIS_MODULE,
	.open	= host_open,
	.read	= host_read,
	.write	= host_write,
};

static struct miscdevice host_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= DMABUF_UDC_NAME,
	.fops	= &host_fops,
	.mode	= 0600,
};

static int __init soft_udc_init(void)
{
	struct platform_device *pdev;
	int ret;

	ret = platform_driver_register(&soft_driver);
	if (ret)
		return ret;

	pdev = platform_device_register_simple(DMABUF_UDC_NAME, PLATFORM_DEVID_NONE,
					       NULL, 0);
	ret = PTR_ERR_OR_ZERO(pdev);
	if (ret)
		goto err_unregister_driver;

	ret = misc_register(&host_misc);
	if (ret)
		goto err_unregister_device;
	return 0;

err_unregister_device:
	platform_device_unregister(pdev);
err_unregister_driver:
	platform_driver_unregister(&soft_driver);
	return ret;
}
late_initcall(soft_udc_init);
