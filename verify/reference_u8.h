/* SPDX-License-Identifier: MIT
 *
 * Reference results of the operations on bytes, exact to the bit. They follow the text of
 * downhill.h and use no code of the library. All matrices here are dense. */
#ifndef DOWNHILL_VERIFY_REFERENCE_U8_H
#define DOWNHILL_VERIFY_REFERENCE_U8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Weights in fixed point: q is c×d. Per class, the quantum, and bias and mean in 1/256 of it. */
typedef struct reference_quantised {
    int32_t *q;
    double *quantum; /* NaN: a weight or the bias is not finite */
    int64_t *offset; /* 256·(β_j - Σ_k q_jk mean_k) */
} reference_quantised;

/* Rounds the weights to fixed point. b and mean may be NULL. */
void reference_quantise(size_t d, size_t c, const float *w, const float *b, const uint16_t *mean,
                        reference_quantised *quantised);

void reference_score_u8(size_t n, size_t d, size_t c, const uint8_t *const *x,
                        const reference_quantised *quantised, double *scores);

/* Computes the dscores and returns the loss. */
double reference_hinge_u8(size_t n, size_t c, const double *scores, const int32_t *y, double margin,
                          int16_t *dscores);

/* Computes the dscores and returns the loss. */
double reference_softmax_u8(size_t n, size_t c, const double *scores, const int32_t *y,
                            int16_t *dscores);

/* Returns the logarithm of the sum of the exponentials of a row, z in downhill.h. Sets *max to the
 * maximum of the row, or to NaN if the row has no probabilities. */
double reference_log_sum_u8(size_t c, const double *s, double *max);

/* Returns whether dscores and loss are within the error bounds of downhill_softmax_u8(), which a sum
 * of exponentials in long double checks. */
bool reference_softmax_u8_is_near(size_t n, size_t c, const double *scores, const int32_t *y,
                                  const int16_t *dscores, double loss);

/* Adds the gradient to sums and sums_b. */
void reference_grad_u8(size_t n, size_t d, size_t c, const uint8_t *const *x,
                       const int16_t *dscores, int64_t *sums, int64_t *sums_b);

/* Updates w and b in place. b, mean and scale may be NULL. */
void reference_update_u8(size_t d, size_t c, float *w, float *b, const int64_t *sums,
                         const int64_t *sums_b, const uint16_t *mean, const float *scale,
                         float decay, float step);

#endif
