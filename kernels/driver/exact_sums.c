/* SPDX-License-Identifier: MIT */
#include "driver/exact_sums.h"

_Static_assert(DOWNHILL_U8_NC_MAX / (DOWNHILL_U8_C_MAX - 1) >= BLOCK_ROWS_MAX &&
                   DOWNHILL_U8_SOFTMAX_N_MAX >= BLOCK_ROWS_MAX,
               "the sums of a block fit 32 bits");
_Static_assert(DOWNHILL_U8_SOFTMAX_N_MAX == DOWNHILL_U8_NC_MAX / DOWNHILL_SOFTMAX_ONE,
               "255·Σ|g| stays below 2³¹");

size_t downhill_samples_of_sums(downhill_loss loss, size_t c)
{
    if (loss.kind == DOWNHILL_SOFTMAX)
        return DOWNHILL_U8_SOFTMAX_N_MAX;
    return c > 1 ? DOWNHILL_U8_NC_MAX / (c - 1) : SIZE_MAX;
}

static void add_row(size_t count, const int32_t *restrict sums, int accumulate,
                    double *restrict totals)
{
    if (accumulate)
        for (size_t k = 0; k < count; k++)
            totals[k] += sums[k];
    else
        for (size_t k = 0; k < count; k++)
            totals[k] = sums[k];
}

void downhill_add_to_totals(const downhill_gradient_u8 *sums, int accumulate,
                            const downhill_gradient_f64 *totals)
{
    for (size_t j = 0; j < sums->c; j++)
        add_row(sums->d, sums->dw + j * sums->lddw, accumulate, totals->dw + j * totals->lddw);
    add_row(sums->c, sums->db, accumulate, totals->db);
}
