/* SPDX-License-Identifier: MIT
 *
 * Reference results in f64, each with a bound on the error of a correct f32 kernel. The bounds are
 * derived (downhill.h states them), not tuned: first-order error terms in u = 2⁻²⁴ times the sum of
 * the magnitudes of the terms. All matrices here are dense: leading dimension = width. */
#ifndef DOWNHILL_VERIFY_REFERENCE_H
#define DOWNHILL_VERIFY_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

/* A number, and the maximum absolute error of a correct kernel. */
typedef struct bounded {
    double value;
    double bound;
} bounded;

/* Computes S = X Wᵀ + b, n×c. x has row pointers; b may be NULL. */
void reference_score(size_t n, size_t d, size_t c, const float *const *x, const float *w,
                     size_t ldw, const float *b, bounded *scores);

/* Compute loss and dscores from scores with error bounds (bound 0: exact f32 values). If the
 * error may move a score across the kink of the hinge loss, the bounds of the dscores allow both
 * sides. */
bounded reference_hinge(size_t n, size_t c, const bounded *scores, const int32_t *y, double margin,
                        bounded *dscores);
bounded reference_softmax(size_t n, size_t c, const bounded *scores, const int32_t *y,
                          bounded *dscores);

/* Computes dw[j][k] = before[j][k] + Σ_i g_ij x_ik, c×d, and db. before_w and before_b may be NULL,
 * which means zero. */
void reference_grad(size_t n, size_t d, size_t c, const float *const *x, const bounded *dscores,
                    const float *before_w, size_t ldbefore, const float *before_b, bounded *dw,
                    bounded *db);

#endif
