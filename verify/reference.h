/* SPDX-License-Identifier: MIT
 *
 * What the kernels should compute, in f64, with a bound for each number on how far a correct f32
 * kernel may be off. The bounds are derived (downhill.h states them), not tuned: first-order error
 * terms in u = 2⁻²⁴ times the sum of the magnitudes that went in. All matrices are dense here:
 * leading dimension = width. */
#ifndef DOWNHILL_VERIFY_REFERENCE_H
#define DOWNHILL_VERIFY_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

/* A number, and how far a correct kernel may be from it. */
typedef struct bounded {
    double value;
    double bound;
} bounded;

/* S = X Wᵀ + b, n×c; x by row pointers; b may be NULL. */
void reference_score(size_t n, size_t d, size_t c, const float *const *x, const float *w,
                     size_t ldw, const float *b, bounded *scores);

/* Loss and dscores from scores that are themselves uncertain (bound 0: exact f32 values). Where the
 * uncertainty covers a kink of the hinge loss, dscores get a bound that allows both sides. */
bounded reference_hinge(size_t n, size_t c, const bounded *scores, const int32_t *y, double delta,
                        bounded *dscores);
bounded reference_softmax(size_t n, size_t c, const bounded *scores, const int32_t *y,
                          bounded *dscores);

/* dW = G Xᵀ…: dw[j][k] = before[j][k] + Σ_i g_ij x_ik, c×d, and db. before_w and before_b may be
 * NULL, for zero. */
void reference_grad(size_t n, size_t d, size_t c, const float *const *x, const bounded *dscores,
                    const float *before_w, size_t ldbefore, const float *before_b, bounded *dw,
                    bounded *db);

#endif
