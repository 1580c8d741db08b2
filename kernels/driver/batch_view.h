/* SPDX-License-Identifier: MIT
 *
 * The rows, labels and row numbers given to a call, whatever the data type of the features. */
#ifndef DOWNHILL_BATCH_VIEW_H
#define DOWNHILL_BATCH_VIEW_H

#include "isa/kernels.h"

struct batch_view {
    enum element element;
    const void *x;
    size_t ldx, x_rows;
    const int32_t *y; /* NULL: the call reads no labels */
    const size_t *rows;
    size_t n, n_next;
};

/* A batch that is NULL gives a view without x, which the checks refuse. */
static inline struct batch_view view_f32(const downhill_batch_f32 *b)
{
    if (b == NULL)
        return (struct batch_view){0};
    return (struct batch_view){ELEMENT_F32, b->x,    b->ldx, b->x_rows,
                               b->y,        b->rows, b->n,   b->n_next};
}

static inline struct batch_view view_bf16(const downhill_batch_bf16 *b)
{
    if (b == NULL)
        return (struct batch_view){0};
    return (struct batch_view){ELEMENT_BF16, b->x,    b->ldx, b->x_rows,
                               b->y,         b->rows, b->n,   b->n_next};
}

static inline struct batch_view view_u8(const downhill_batch_u8 *b)
{
    if (b == NULL)
        return (struct batch_view){0};
    return (struct batch_view){ELEMENT_U8, b->x, b->ldx, b->x_rows, b->y, b->rows, b->n, b->n_next};
}

static inline struct batch_view without_labels(struct batch_view view)
{
    view.y = NULL;
    return view;
}

/* Bytes of the matrix that the rows are in, padding included. The checks have refused an overflow. */
static inline size_t matrix_bytes(const struct batch_view *batch)
{
    return batch->x_rows * batch->ldx * element_bytes(batch->element);
}

/* Number of rows after the batch that are looked at. */
static inline size_t next_rows(const struct batch_view *batch)
{
    return batch->n_next < BLOCK_ROWS_MAX ? batch->n_next : BLOCK_ROWS_MAX;
}

static inline size_t batch_row(const struct batch_view *batch, size_t i)
{
    return batch->rows == NULL ? i : batch->rows[i];
}

static inline const void *batch_x(const struct batch_view *batch, size_t i)
{
    return feature_at(batch->element, batch->x, batch_row(batch, i) * batch->ldx);
}

#endif
