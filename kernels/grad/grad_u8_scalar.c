/* SPDX-License-Identifier: MIT
 *
 * Gradient of bytes: the definition. Exact while 255·Σ_i |g_ij| < 2³¹. */
#include "isa/kernels.h"

#include <string.h>

void DOWNHILL_NAME(grad_u8)(size_t n, size_t d, size_t c, const void *const *x,
                            const int16_t *dscores, size_t ldds, unsigned flags, int32_t *dw,
                            size_t lddw, int32_t *db)
{
    for (size_t j = 0; j < c; j++) {
        int32_t *restrict dwj = dw + j * lddw;
        if (!(flags & GRAD_ACCUMULATE))
            memset(dwj, 0, d * sizeof *dwj);
        for (size_t i = 0; i < n; i++) {
            const uint8_t *restrict xi = x[i];
            const int32_t g = dscores[i * ldds + j];
            if (db != NULL)
                db[j] = wrapped_sum(db[j], g);
#pragma omp simd
            for (size_t k = 0; k < d; k++)
                dwj[k] = wrapped_sum(dwj[k], g * xi[k]);
        }
    }
}
