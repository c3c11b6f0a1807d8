/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * How a test plays the host of the USB controller of testdev_udc.c. Private to the
 * tests of one and the same tree: no ABI, and to be changed at will.
 *
 * A gadget that is bound to the controller is configured at once. From then on
 * what is written to the device node goes to the first request that waits at the
 * OUT endpoint, and what is read from it comes from the first one at the IN
 * endpoint. A request ends when its last byte has moved, or with a packet that is
 * not full. EAGAIN: no request waits.
 */
#ifndef DMABUF_SELFTESTS_TESTDEV_UDC_H
#define DMABUF_SELFTESTS_TESTDEV_UDC_H

#define DMABUF_UDC_NAME		"dmabuf_udc"	/* to be written to a gadget's UDC */
#define DMABUF_UDC_PATH		"/dev/dmabuf_udc"
#define DMABUF_UDC_PACKET	512		/* bytes of a full packet */
#define DMABUF_UDC_MAX_MOVE	65536		/* bytes that one call moves */

#endif /* DMABUF_SELFTESTS_TESTDEV_UDC_H */
