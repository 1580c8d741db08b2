/* SPDX-License-Identifier: MIT */
#include "draw.h"

#include "method.h"

#include <math.h>

void draw_normal_pair(rng *r, double pair[2])
{
    double u, v, s;
    do {
        u = (double)rng_unit(r);
        v = (double)rng_unit(r);
        s = u * u + v * v;
    } while (s >= 1.0 || s == 0.0);
    const double factor = sqrt(-2.0 * log(s) / s);
    pair[0] = u * factor;
    pair[1] = v * factor;
}

void draw_weights(const problem *p, uint64_t seed, size_t number, float scale,
                  const downhill_weights_f32 *from, const downhill_weights_f32 *to)
{
    rng r = rng_stream(seed, number);
    double pair[2] = {0.0, 0.0};
    size_t drawn = 0;
    for (size_t j = 0; j < to->c; j++)
        for (size_t k = 0; k <= to->d; k++, drawn++) {
            if (drawn % 2 == 0)
                draw_normal_pair(&r, pair);
            float *value = k < to->d ? to->w + j * to->ldw + k : to->b + j;
            const float unit = k < to->d ? method_weight_scale(p, k) : 1.0f;
            const float before = from == NULL ? 0.0f
                                 : k < to->d  ? from->w[j * from->ldw + k]
                                              : from->b[j];
            *value = before + (float)pair[drawn % 2] * scale * unit;
        }
}
