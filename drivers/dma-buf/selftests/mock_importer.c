// SPDX-License-Identifier: GPL-2.0
/*
 * The importer behind the buffer suites: attaches, maps, follows or ignores
 * moves as scripted, and cleans up behind a test that ended early.
 */

#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/scatterlist.h>

#include <kunit/device.h>

#include "mock_importer.h"

/* Makes the names of devices unique. */
static atomic_t device_number = ATOMIC_INIT(0);

/**
 * mock_device() - a device that can be attached
 * @test: whom it is for
 *
 * Context: Test case.
 * Return: the device, unregistered when @test ends.
 */
struct device *mock_device(struct kunit *test)
{
	struct device *dev;
	char name[32];

	snprintf(name, sizeof(name), "mock_importer%d",
		 atomic_inc_return(&device_number));
	dev = kunit_device_register(test, name);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	return dev;
}

/* Give the mapping back; the lock is held. */
static void unmap_locked(struct mock_importer *importer)
{
	struct sg_table *sgt = importer->sgt;

	importer->sgt = NULL;
	dma_buf_unmap_attachment(importer->attach, sgt, importer->dir);
}

/* Map in the remembered direction; the lock is held. */
static int map_locked(struct mock_importer *importer)
{
	struct sg_table *sgt = dma_buf_map_attachment(importer->attach,
						      importer->dir);

	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	importer->sgt = sgt;
	return 0;
}

static void mock_move_notify(struct dma_buf_attachment *attach)
{
	struct mock_importer *importer = attach->importer_priv;

	mock_exporter_record(importer->exporter, MOCK_MOVE_NOTIFY, DMA_NONE);
	importer->nr_moves++;
	if (importer->on_move == MOCK_MOVE_IGNORE || !importer->sgt)
		return;
	unmap_locked(importer);
	if (importer->on_move == MOCK_MOVE_REMAP)
		importer->remap_error = map_locked(importer);
}

const struct dma_buf_attach_ops mock_importer_ops = {
	.allow_peer2peer = true,
	.move_notify = mock_move_notify,
};

static void mock_importer_fini(void *data)
{
	mock_importer_detach(data);
}

/**
 * mock_importer_alloc() - make an importer that has not attached yet
 * @test: whom it is for; clean-up is registered with it
 * @exporter: whose buffer it is going to import
 *
 * Context: Test case.
 * Return: the importer, owned by @test.
 */
struct mock_importer *mock_importer_alloc(struct kunit *test,
					  struct mock_exporter *exporter)
{
	struct mock_importer *importer;

	importer = kunit_kzalloc(test, sizeof(*importer), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, importer);
	importer->test = test;
	importer->exporter = exporter;
	importer->dev = mock_device(test);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, mock_importer_fini,
							importer), 0);
	return importer;
}

/**
 * mock_importer_attach() - attach to the exporter's buffer
 * @importer: an importer without attachment
 * @dynamic: say that it follows moves
 *
 * Context: Process context.
 * Return: 0, or the core's errno.
 */
int mock_importer_attach(struct mock_importer *importer, bool dynamic)
{
	struct dma_buf *dmabuf = importer->exporter->dmabuf;
	struct dma_buf_attachment *attach;

	if (dynamic)
		attach = dma_buf_dynamic_attach(dmabuf, importer->dev,
						&mock_importer_ops, importer);
	else
		attach = dma_buf_attach(dmabuf, importer->dev);
	if (IS_ERR(attach))
		return PTR_ERR(attach);
	importer->attach = attach;
	return 0;
}

/**
 * mock_importer_create() - an importer that is attached
 * @test: whom it is for
 * @exporter: whose buffer it imports
 * @dynamic: say that it follows moves
 *
 * Context: Test case.
 * Return: the importer, owned by @test.
 */
struct mock_importer *mock_importer_create(struct kunit *test,
					   struct mock_exporter *exporter,
					   bool dynamic)
{
	struct mock_importer *importer = mock_importer_alloc(test, exporter);

	KUNIT_ASSERT_EQ(test, mock_importer_attach(importer, dynamic), 0);
	return importer;
}

/**
 * mock_importer_detach() - undo everything that the importer did
 * @importer: the importer; nothing happens if it is not attached
 *
 * Context: Process context. Takes the reservation lock.
 */
void mock_importer_detach(struct mock_importer *importer)
{
	struct dma_buf_attachment *attach = importer->attach;

	if (!attach)
		return;
	dma_resv_lock(attach->dmabuf->resv, NULL);
	if (importer->sgt)
		unmap_locked(importer);
	dma_resv_unlock(attach->dmabuf->resv);
	importer->attach = NULL;
	dma_buf_detach(attach->dmabuf, attach);
}

/**
 * mock_importer_map() - map the buffer
 * @importer: attached, without a mapping
 * @dir: the direction
 *
 * Context: Process context. Takes the reservation lock.
 * Return: 0, or the core's errno.
 */
int mock_importer_map(struct mock_importer *importer, enum dma_data_direction dir)
{
	struct dma_resv *resv = importer->attach->dmabuf->resv;
	int err;

	importer->dir = dir;
	dma_resv_lock(resv, NULL);
	err = map_locked(importer);
	dma_resv_unlock(resv);
	return err;
}

/**
 * mock_importer_unmap() - undo mock_importer_map()
 * @importer: the importer, with a mapping
 *
 * Context: Process context. Takes the reservation lock.
 */
void mock_importer_unmap(struct mock_importer *importer)
{
	struct dma_resv *resv = importer->attach->dmabuf->resv;

	dma_resv_lock(resv, NULL);
	unmap_locked(importer);
	dma_resv_unlock(resv);
}

/* The address of the buffer's first byte in the importer's mapping. */
dma_addr_t mock_importer_address(struct mock_importer *importer)
{
	return sg_dma_address(importer->sgt->sgl);
}
