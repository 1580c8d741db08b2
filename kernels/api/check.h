/* SPDX-License-Identifier: MIT
 *
 * Checks of arguments at the public boundary. Each returns the first error that it finds. */
#ifndef DOWNHILL_CHECK_H
#define DOWNHILL_CHECK_H

#include "driver/batch_view.h"
#include "driver/packed_u8.h"
#include "driver/weight_update.h"

/* Replaces a table that is NULL by the default one. */
downhill_status downhill_check_kernels(const downhill_kernels **kernels);

/* Checks that rows × columns elements of element_size bytes each, with leading dimension ld, are addressable. */
downhill_status downhill_check_array(size_t element_size, const void *data, size_t rows,
                                     size_t columns, size_t ld);
downhill_status downhill_check_weights(const downhill_weights_f32 *weights);
downhill_status downhill_check_gradient(const downhill_gradient_f32 *grad);

/* Checks that d and c agree, and that grad has a bias if the weights have one. Both were checked alone. */
downhill_status downhill_check_same_shape(const downhill_weights_f32 *weights,
                                          const downhill_gradient_f32 *grad);

/* Checks rows and row numbers, but no labels. */
downhill_status downhill_check_batch(const struct batch_view *batch, size_t d);
downhill_status downhill_check_labels(const struct batch_view *batch, size_t c);
downhill_status downhill_check_loss(downhill_loss loss);

/* Checks what an update by a sum over n samples reads, and computes its factors. */
downhill_status downhill_check_update(const downhill_sgd *sgd, size_t n,
                                      struct update_factors *factors);

/* Checks an update of weights for bytes. The step is divided by the unit of the dscores. */
downhill_status downhill_check_update_u8(const downhill_sgd *sgd, size_t n,
                                         struct update_factors *factors);

/* need: the bytes that the workspace function of the call returned; 0 for a size that has none. */
downhill_status downhill_check_workspace(const downhill_workspace *workspace, size_t need);

/* Packed weights must belong to the micro-kernels of this table. */
downhill_status downhill_check_packed_u8(const downhill_kernels *kernels,
                                         const downhill_packed_u8 *packed);
downhill_status downhill_check_gradient_u8(const downhill_gradient_u8 *grad);
downhill_status downhill_check_gradient_f64(const downhill_gradient_f64 *grad);

/* Checks a matrix of rows × columns elements of element_size bytes each, which must be n × c. */
downhill_status downhill_check_matrix(size_t element_size, const void *data, size_t rows,
                                      size_t columns, size_t ld, size_t n, size_t c);

static inline downhill_status check_matrix_f32(const downhill_matrix_f32 *m, size_t n, size_t c)
{
    return m == NULL
               ? DOWNHILL_ERR_NULL
               : downhill_check_matrix(sizeof *m->data, m->data, m->rows, m->columns, m->ld, n, c);
}

static inline downhill_status check_matrix_f64(const downhill_matrix_f64 *m, size_t n, size_t c)
{
    return m == NULL
               ? DOWNHILL_ERR_NULL
               : downhill_check_matrix(sizeof *m->data, m->data, m->rows, m->columns, m->ld, n, c);
}

static inline downhill_status check_matrix_i16(const downhill_matrix_i16 *m, size_t n, size_t c)
{
    return m == NULL
               ? DOWNHILL_ERR_NULL
               : downhill_check_matrix(sizeof *m->data, m->data, m->rows, m->columns, m->ld, n, c);
}

#endif
