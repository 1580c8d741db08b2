/* SPDX-License-Identifier: MIT
 *
 * Constants of the softmax loss of exact scores, and the loss of a sample. Every operation rounds by itself and none is
 * fused, so that the bits are the same on every level:
 *
 *   t_j = s_j - max s       in f64, then rounded to f32
 *   e_j = e^t_j             in f32, the operations of exp_scalar.h
 *   z   = Σ_j [e_j]         [e] is e rounded to a multiple of 2⁻³⁷: the sum is exact in f64 for c <= 2¹⁵
 *   g_j = round(e_j·(2¹⁴/z)), less 2¹⁴ for the label; the quotient is rounded to f64 and then to f32, the product to f32
 *
 * The loss of a sample is summed in integers, as for the hinge loss. */
#ifndef DOWNHILL_SOFTMAX_U8_H
#define DOWNHILL_SOFTMAX_U8_H

#include "isa/kernels.h"
#include "simd/tiles.h"

#include <string.h>

/* Adding this to a number in [0, 1] and subtracting it again rounds the number to a multiple of 2⁻³⁷. */
#define EXP_ROUNDER 0x1.8p15

/* Classes of the kernels that hold all exponentials of a sample in registers, and number of exponentials that the others
 * keep in memory. Exponentials of classes past SOFTMAX_KEPT are computed twice. */
enum { SOFTMAX_FEW_CLASSES = 16, SOFTMAX_KEPT = 1024 };

DOWNHILL_INLINE double rounded_f64(double product)
{
    DOWNHILL_ROUND(product);
    return product;
}

/* Returns ln z for 1 <= z <= 2¹⁵, within 2⁻⁴¹: z = m·2ᵏ with √½ <= m < √2, and ln m = 2 artanh(s), s = (m-1) / (m+1).
 * The first term left out of the series, 2s¹⁵/15, and those after it sum to at most 4.50·10⁻¹³ = 0.99·2⁻⁴¹. */
DOWNHILL_INLINE double ln_f64(double z)
{
    const uint64_t sqrt_half = UINT64_C(0x3FE6A09E667F3BCD), one = UINT64_C(0x3FF0000000000000),
                   significand = UINT64_C(0x000FFFFFFFFFFFFF);
    uint64_t bits;
    memcpy(&bits, &z, sizeof bits);
    bits += one - sqrt_half;
    const double k = (double)((int32_t)(bits >> 52) - 1023);
    bits = (bits & significand) + sqrt_half;
    double m;
    memcpy(&m, &bits, sizeof m);
    const double s = (m - 1.0) / (m + 1.0), s2 = rounded_f64(s * s);
    double sum = 2.0 / 13.0;
    sum = rounded_f64(sum * s2) + 2.0 / 11.0;
    sum = rounded_f64(sum * s2) + 2.0 / 9.0;
    sum = rounded_f64(sum * s2) + 2.0 / 7.0;
    sum = rounded_f64(sum * s2) + 2.0 / 5.0;
    sum = rounded_f64(sum * s2) + 2.0 / 3.0;
    sum = rounded_f64(sum * s2) + 2.0;
    return rounded_f64(k * 0x1.62e42fefa39efp-1) + rounded_f64(sum * s);
}

/* Returns whether z is a NaN, by its bits: with -fno-honor-nans Clang 14 replaces isnan() by 0, in spite of the pragma in
 * isa/arithmetic.h. */
DOWNHILL_INLINE int is_nan(double z)
{
    const uint64_t infinity = UINT64_C(0x7FF0000000000000);
    uint64_t bits;
    DOWNHILL_ROUND(z); /* hides its origin */
    memcpy(&bits, &z, sizeof bits);
    return (bits & INT64_MAX) > infinity;
}

/* Losses of a block are computed after all of its samples, some at a time, because the logarithm of one takes longer than
 * everything else: the compiler vectorises the loop over them. */
enum { LOSSES = 8 };
struct losses {
    double z[BLOCK_ROWS_MAX + LOSSES], max_minus_label[BLOCK_ROWS_MAX + LOSSES];
};

/* Keeps what the loss of sample i needs. If its scores have no softmax, z is NaN, and its dscores are set to 0. */
DOWNHILL_INLINE void keep_sample(struct losses *losses, size_t i, double z, double max_minus_label,
                                 size_t c, int16_t *dscores)
{
    losses->z[i] = z;
    losses->max_minus_label[i] = max_minus_label;
    if (is_nan(z))
        memset(dscores, 0, c * sizeof *dscores);
}

/* Returns the loss ln z + (max s - s_label) of a sample in multiples of DOWNHILL_LOSS_UNIT, NaN if z is. */
DOWNHILL_INLINE double units_of_sample(double z, double max_minus_label)
{
    const double units_of_loss = 1.0 / DOWNHILL_LOSS_UNIT, rounder = 0x1.8p52;
    const double units = rounded_f64((ln_f64(z) + max_minus_label) * units_of_loss);
    return ((units + rounder) - rounder) + (z - z);
}

/* Returns the sum of the losses of n samples. */
DOWNHILL_INLINE double units_of_block(struct losses *losses, size_t n)
{
    double units[LOSSES] = {0};
    for (size_t l = 0; l < LOSSES;
         l++) { /* a loss of 0 for the samples that fill up the last turn */
        losses->z[n + l] = 1.0;
        losses->max_minus_label[n + l] = 0.0;
    }
    for (size_t i = 0; i < n; i += LOSSES)
        for (size_t l = 0; l < LOSSES; l++)
            units[l] += units_of_sample(losses->z[i + l], losses->max_minus_label[i + l]);
    for (size_t l = 1; l < LOSSES; l++)
        units[0] += units[l];
    return units[0];
}

#endif
