/* SPDX-License-Identifier: MIT
 *
 * The frame around the kernels for bytes: weights in fixed point with what belongs to them, and the
 * work on one block of samples. */
#ifndef DOWNHILL_PACKED_U8_H
#define DOWNHILL_PACKED_U8_H

#include "driver/blocking.h"

/* The mean as two samples of bytes, whole and 256ths: its share of the scores is their scores. */
enum { MEAN_ROWS = 2 };

struct packed_u8 {
    const struct packed_u8 *self; /* it points into itself, and must stay where it is */
    const struct downhill_u8_kernels *u8;
    size_t d, c;
    unsigned norm;       /* enum update_flags */
    double *unit;        /* c: u_j */
    double *start;       /* c: what the scores start from, bias and mean */
    double *mean_scores; /* MEAN_ROWS × c */
    float *mean, *gain;  /* d */
    uint8_t *mean_rows[MEAN_ROWS];
    unsigned char *weights; /* panel after panel */
};

/* Features of a packed row, zeros included. */
static inline size_t packed_ld_u8(size_t d)
{
    return (d + U8_GROUP - 1) / U8_GROUP * U8_GROUP;
}

/* Where they are in the caller's memory. */
struct packed_u8 *downhill_packed_u8_in(const void *packed);

/* That they are of this table, and of a model of this size. */
downhill_status downhill_check_packed_u8(const downhill_kernels *kernels,
                                         const struct packed_u8 *packed);
downhill_status downhill_check_sums_u8(const downhill_sums_u8 *sums);

/* The new weights, arguments checked already. */
void downhill_update_packed_u8(const downhill_weights_f32 *weights, const downhill_sums_u8 *sums,
                               float decay, float step, struct packed_u8 *packed);

/* The same by the gradient of one sample, which is never written down: x_i32, scratch of d, stays in
 * L1 for all the classes. */
void downhill_update_packed_u8_by_one(const downhill_weights_f32 *weights, const uint8_t *x,
                                      const int16_t *dscores, float decay, float step,
                                      int32_t *x_i32, struct packed_u8 *packed);

/* scores += those of the rows, without bias and mean. */
void downhill_add_scores_u8(const struct packed_u8 *packed, size_t n, const void *const *rows,
                            double *scores, size_t lds, struct prefetch *prefetch);

/* Scores of a block. */
void downhill_block_score_u8(const struct packed_u8 *packed, const struct block *block,
                             double *scores, size_t lds, struct prefetch *prefetch);

/* sums = dscoresᵀ X and the sums of dscores for a block, or added to what is there. */
void downhill_block_grad_u8(const downhill_kernels *kernels, const struct block *block,
                            const int16_t *dscores, size_t ldds, unsigned flags,
                            const downhill_sums_u8 *sums, struct prefetch *prefetch);

#endif
