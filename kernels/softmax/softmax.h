/* SPDX-License-Identifier: MIT
 *
 * Constants of the exponential, and the sum of logarithms, for all softmax kernels.
 *
 * For t <= 0, e^t = 2ⁿ·p(r) with n = round(t·log2 e) and r = t - n·ln 2, |r| <= ln 2 / 2. n·ln 2 is subtracted in two
 * parts (Cody and Waite). p has degree 6 and p(0) = p'(0) = 1. Its coefficients are a minimax fit of the relative error
 * by linear programming, 3.1·10⁻⁹ before they are rounded. With the rounding of the Horner scheme the error is below
 * 0.65·2⁻²³ with FMA and 0.83·2⁻²³ without, found by trying every f32 in [-87.34, 0] (`test_exp all`; the test suite
 * tries every 97th).
 *
 * For t below ln 2⁻¹²⁶ the result would be subnormal; it is 0 instead. Subnormal numbers are slow on some CPUs, and
 * negligible next to the 1 that the maximum contributes. */
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

/* Sum of ln(z_i), computed as the logarithm of a product: one multiplication per row, and one call of log() each time
 * the product nears the maximum of a double. Each z is between 1 and the number of classes (< 2⁶⁴), or NaN. */
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
