/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An importer for tests: one device, one attachment, one mapping, and a script
 * for what it does when the buffer moves.
 */
#ifndef DMABUF_SELFTESTS_MOCK_IMPORTER_H
#define DMABUF_SELFTESTS_MOCK_IMPORTER_H

#include <linux/dma-buf.h>

#include <kunit/test.h>

#include "mock_exporter.h"

/* What move_notify does. */
enum mock_move {
	MOCK_MOVE_IGNORE,	/* keep the old mapping; the test deals with it */
	MOCK_MOVE_UNMAP,	/* give the mapping back */
	MOCK_MOVE_REMAP,	/* give it back and map the new place at once */
};

/**
 * struct mock_importer - an importer of one buffer
 * @test: the test that it belongs to
 * @exporter: whose buffer it imports
 * @dev: what it attaches
 * @attach: the attachment, or NULL
 * @sgt: the mapping that mock_importer_map() made, or NULL
 * @dir: its direction
 * @on_move: the script
 * @nr_moves: how often move_notify was called
 * @remap_error: what the last MOCK_MOVE_REMAP failed with
 */
struct mock_importer {
	struct kunit *test;
	struct mock_exporter *exporter;
	struct device *dev;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	enum dma_data_direction dir;
	enum mock_move on_move;
	unsigned int nr_moves;
	int remap_error;
};

extern const struct dma_buf_attach_ops mock_importer_ops;

struct device *mock_device(struct kunit *test);

struct mock_importer *mock_importer_alloc(struct kunit *test,
					  struct mock_exporter *exporter);
int mock_importer_attach(struct mock_importer *importer, bool dynamic);
struct mock_importer *mock_importer_create(struct kunit *test,
					   struct mock_exporter *exporter,
					   bool dynamic);
void mock_importer_detach(struct mock_importer *importer);
int mock_importer_map(struct mock_importer *importer, enum dma_data_direction dir);
void mock_importer_unmap(struct mock_importer *importer);

dma_addr_t mock_importer_address(struct mock_importer *importer);

#endif /* DMABUF_SELFTESTS_MOCK_IMPORTER_H */
