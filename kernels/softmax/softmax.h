/* SPDX-License-Identifier: MIT
 *
 * What the softmax variants share: the constants of the exponential and the sum of logarithms.
 *
 * e^t for t <= 0: n = round(t·log2 e), r = t - n·ln 2 in two parts (Cody and Waite), and
 * e^t = 2ⁿ·p(r) on |r| <= ln 2 / 2 with p of degree 6, p(0) = p'(0) = 1. The coefficients are a
 * minimax fit of the relative error by linear programming, 3.1·10⁻⁹ before rounding; with the
 * rounding of the Horner scheme it is below 0.65·2⁻²³ (with FMA; 0.83·2⁻²³ without), found by
 * trying every f32 in [-87.34, 0] (`test_exp all`; the test suite tries every 97th). Below ln 2⁻¹²⁶
 * the result would be subnormal, which is slow on some CPUs and of no use next to the 1 that the
 * maximum contributes: it is 0. */
#ifndef DOWNHILL_SOFTMAX_H
#define DOWNHILL_SOFTMAX_H

#include <math.h>

#define EXP_LOG2E   0x1.715476p+0f
#define EXP_LN2_HI  0x1.62e400p-1f  /* 15 significant bits: n·LN2_HI is exact */
#define EXP_LN2_LO  0x1.7f7d1cp-20f /* ln 2 - LN2_HI */
#define EXP_MIN_ARG -0x1.5d589ep+6f /* ln 2⁻¹²⁶ rounded towards 0 */
#define EXP_C2      0x1.fffffcp-2f
#define EXP_C3      0x1.555492p-3f
#define EXP_C4      0x1.5558f4p-5f
#define EXP_C5      0x1.123a20p-7f
#define EXP_C6      0x1.6a239ep-10f

/* Σ ln(z_i) as the logarithm of a product: a multiplication per row, and one call of log() each
 * time that the product nears the range of a double. A z is between 1 and the number of classes
 * (< 2⁶⁴), or NaN. */
typedef struct log_sum {
    double product;
    double sum;
} log_sum;

static inline void log_sum_add(log_sum *s, double z)
{
    s->product *= z;
    if (s->product > 0x1p900) {
        s->sum += log(s->product);
        s->product = 1.0;
    }
}

static inline double log_sum_total(const log_sum *s)
{
    return s->sum + log(s->product);
}

#endif
