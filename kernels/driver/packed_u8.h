/* SPDX-License-Identifier: MIT
 *
 * Weights of byte batches in fixed point, with everything that is needed to score and update them. */
#ifndef DOWNHILL_PACKED_U8_H
#define DOWNHILL_PACKED_U8_H

#include "driver/weight_update.h"
#include "isa/kernels.h"

/* The mean as two rows of bytes, its integer part and its fraction in 256ths, so that the score kernel computes its
 * contribution. */
enum { MEAN_ROWS = 2, MEAN_UNITS = 256 };

struct packed_u8 {
    const struct packed_u8 *self; /* it points into itself, and must stay where it is */
    const struct downhill_u8_kernels *u8;
    size_t d, c;
    unsigned norm;       /* enum update_flags */
    double *quantum;     /* c: u_j */
    double *bias;        /* c: the biases in fixed point */
    double *start;       /* c: initial scores, of bias and mean */
    double *mean_scores; /* MEAN_ROWS × c, for intermediate results */
    float *rounded;      /* d, sums of an f64 gradient, for intermediate results */
    float *mean, *gain;  /* d; a gain is the square of the scale */
    float largest_gain;
    uint8_t *mean_rows[MEAN_ROWS];
    unsigned char *weights; /* panel after panel */
};

/* Features of a packed row, zeros at its end included. */
static inline size_t packed_ld_u8(size_t d)
{
    return (d + U8_GROUP - 1) / U8_GROUP * U8_GROUP;
}

/* Finds the packed weights in the memory that the caller gave for them. */
struct packed_u8 *downhill_packed_u8_in(const downhill_packed_u8 *packed);

/* Lays packed weights out at a multiple of LINE_BYTES. Returns their end. */
uintptr_t downhill_lay_out_packed_u8(struct packed_u8 *packed, uintptr_t at, size_t d, size_t c);

/* Lays out and packs weights that have passed the checks. */
void downhill_pack_new_u8(const downhill_kernels *kernels, const downhill_weights_f32 *weights,
                          const downhill_norm_u8 *norm, struct packed_u8 *packed);

/* Updates the weights by the gradient and packs them again. */
void downhill_update_packed_u8(const downhill_weights_f32 *weights,
                               const downhill_gradient_u8 *grad, struct update_factors factors,
                               struct packed_u8 *packed);

/* Does the same by sums in f64. */
void downhill_update_packed_u8_by_f64(const downhill_weights_f32 *weights,
                                      const downhill_gradient_f64 *grad,
                                      struct update_factors factors, struct packed_u8 *packed);

/* Updates by one sample without storing its gradient, and packs what has changed. x_i32: memory for d values, which
 * stays in L1 for all classes. */
void downhill_update_packed_u8_by_one(const downhill_weights_f32 *weights, const uint8_t *x,
                                      const int16_t *dscores, struct update_factors factors,
                                      int32_t *x_i32, struct packed_u8 *packed);

/* Adds the scores of the rows, without bias and mean, at most `features` features at a time. U8_ROWS_PAST_END more
 * pointers are those of the rows after them. */
void downhill_add_scores_u8(const struct packed_u8 *packed, size_t features, size_t n,
                            const void *const *rows, double *scores, size_t lds);

#endif
