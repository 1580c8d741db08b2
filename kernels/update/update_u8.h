/* SPDX-License-Identifier: MIT
 *
 * Entry point of the update from a gradient of integers, for the sources that define update(). */
#ifndef DOWNHILL_UPDATE_U8_H
#define DOWNHILL_UPDATE_U8_H

#include "isa/kernels.h"
#include "simd/tiles.h"

/* One loop per property of the normalisation and of the gradient. */
DOWNHILL_INLINE uint32_t update_by(const int rounded, unsigned flags, size_t d, float decay,
                                   float step, float sum, float times, const void *dw,
                                   const float *mean, const float *gain, float *w)
{
    switch (flags & (UPDATE_CENTERED | UPDATE_SCALED)) {
    case UPDATE_CENTERED | UPDATE_SCALED:
        return update(rounded, 1, 1, d, decay, step, sum, times, dw, mean, gain, w);
    case UPDATE_CENTERED:
        return update(rounded, 1, 0, d, decay, step, sum, times, dw, mean, gain, w);
    case UPDATE_SCALED:
        return update(rounded, 0, 1, d, decay, step, sum, times, dw, mean, gain, w);
    default:
        return update(rounded, 0, 0, d, decay, step, sum, times, dw, mean, gain, w);
    }
}

DOWNHILL_TARGET
uint32_t DOWNHILL_NAME(update_u8)(size_t d, unsigned flags, float decay, float step, float sum,
                                  float times, const void *dw, const float *mean, const float *gain,
                                  float *w)
{
    if (flags & UPDATE_ROUNDED)
        return update_by(1, flags, d, decay, step, sum, times, dw, mean, gain, w);
    return update_by(0, flags, d, decay, step, sum, times, dw, mean, gain, w);
}

#endif
