/* SPDX-License-Identifier: MIT
 *
 * The library with a planted delay: these functions call the real ones, renamed to real_..., and
 * then wait for DELAY_PERCENT of the time that those took. With IDLE they return at once. */
#include "downhill.h"

#include <x86intrin.h>

/* Waits until (1 + DELAY_PERCENT / 100) times the cycles since `start` have passed. */
static void wait_since(unsigned long long start)
{
    const unsigned long long took = __rdtsc() - start,
                             end = start + took + took * DELAY_PERCENT / 100;
    while (DELAY_PERCENT > 0 && __rdtsc() < end) {
    }
}

downhill_status real_downhill_score_f32(const downhill_kernels *, const downhill_batch_f32 *,
                                        const downhill_weights_f32 *, const downhill_matrix_f32 *);
downhill_status real_downhill_score_u8(const downhill_kernels *, const downhill_batch_u8 *,
                                       const downhill_packed_u8 *, const downhill_matrix_f64 *);

downhill_status downhill_score_f32(const downhill_kernels *kernels, const downhill_batch_f32 *batch,
                                   const downhill_weights_f32 *weights,
                                   const downhill_matrix_f32 *scores)
{
    if (IDLE)
        return DOWNHILL_OK;
    const unsigned long long start = __rdtsc();
    const downhill_status status = real_downhill_score_f32(kernels, batch, weights, scores);
    wait_since(start);
    return status;
}

downhill_status downhill_score_u8(const downhill_kernels *kernels, const downhill_batch_u8 *batch,
                                  const downhill_packed_u8 *packed,
                                  const downhill_matrix_f64 *scores)
{
    if (IDLE)
        return DOWNHILL_OK;
    const unsigned long long start = __rdtsc();
    const downhill_status status = real_downhill_score_u8(kernels, batch, packed, scores);
    wait_since(start);
    return status;
}
