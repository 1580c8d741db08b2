/* SPDX-License-Identifier: MIT
 *
 * Checks of arguments at the public boundary. Each returns the first error that it finds. */
#ifndef DOWNHILL_CHECK_H
#define DOWNHILL_CHECK_H

#include "driver/batch_view.h"
#include "driver/packed_u8.h"

/* Replaces a table that is NULL by the default one. */
downhill_status downhill_check_kernels(const downhill_kernels **kernels);

/* rows × columns elements of so many bytes, ld elements apart, must be addressable. */
downhill_status downhill_check_matrix(size_t element, const void *data, size_t rows, size_t columns,
                                      size_t ld);
downhill_status downhill_check_weights(const downhill_weights_f32 *weights);

/* Rows and row numbers; labels are checked apart. */
downhill_status downhill_check_batch(const struct batch_view *batch, size_t d);
downhill_status downhill_check_labels(const struct batch_view *batch, size_t c);
downhill_status downhill_check_loss(downhill_loss loss);

/* Sizes and factors of an update of checked weights by a checked gradient. */
downhill_status downhill_check_update(const downhill_weights_f32 *weights,
                                      const downhill_weights_f32 *grad, float decay, float step);

/* need: the bytes that the workspace function of the call returned; 0 for a size that has none. */
downhill_status downhill_check_workspace(const void *workspace, size_t bytes, size_t need);

/* Packed weights must belong to the micro-kernels of this table. */
downhill_status downhill_check_packed_u8(const downhill_kernels *kernels, const void *packed);
downhill_status downhill_check_sums_u8(const downhill_sums_u8 *sums);

/* Sizes and factors of an update of checked weights that were packed. */
downhill_status downhill_check_update_u8(const downhill_weights_f32 *weights,
                                         const struct packed_u8 *packed, float decay, float step);

#endif
