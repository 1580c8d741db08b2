/* SPDX-License-Identifier: MIT
 *
 * What the operations on bytes must give, to the bit, computed from the words of downhill.h and with
 * nothing of the library. All matrices are dense here. */
#ifndef DOWNHILL_VERIFY_REFERENCE_U8_H
#define DOWNHILL_VERIFY_REFERENCE_U8_H

#include <stddef.h>
#include <stdint.h>

/* Weights in fixed point: q c×d, and for each class its unit and its bias and mean in 256ths of it. */
typedef struct reference_fixed {
    int32_t *q;
    double *unit;    /* NaN: a weight or the bias is not finite */
    int64_t *offset; /* 256·(β_j - Σ_k q_jk mean_k) */
} reference_fixed;

/* b and mean may be NULL. */
void reference_fix(size_t d, size_t c, const float *w, const float *b, const uint16_t *mean,
                   reference_fixed *fixed);

void reference_score_u8(size_t n, size_t d, size_t c, const uint8_t *const *x,
                        const reference_fixed *fixed, double *scores);

/* Returns the loss. */
double reference_hinge_u8(size_t n, size_t c, const double *scores, const int32_t *y, double delta,
                          int16_t *dscores);

/* Adds to what sums and sums_b hold. */
void reference_grad_u8(size_t n, size_t d, size_t c, const uint8_t *const *x,
                       const int16_t *dscores, int32_t *sums, int32_t *sums_b);

/* b, mean and scale may be NULL. */
void reference_update_u8(size_t d, size_t c, float *w, float *b, const int32_t *sums,
                         const int32_t *sums_b, const uint16_t *mean, const float *scale,
                         float decay, float step);

#endif
