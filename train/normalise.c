/* SPDX-License-Identifier: MIT */
#include "normalise.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

/* Of the standard deviation, in steps of a byte: a feature that hardly changes, as the corner of a
 * picture, would otherwise get a weight so large that in fixed point nothing is left for others. */
#define DEVIATION_MIN 8.0

enum { FRACTION = 256 };

bool normalise_open(normalise_kind kind, const samples *train, normalisation *norm)
{
    const size_t n = train->n, d = train->d;
    *norm = (normalisation){.d = d,
                            .kind = kind,
                            .mean = memory_new(d, sizeof *norm->mean),
                            .scale = memory_new(d, sizeof *norm->scale),
                            .gain = memory_new(d, sizeof *norm->gain)};
    uint64_t *sum = memory_new(d, sizeof *sum), *squares = memory_new(d, sizeof *squares);
    const bool good = norm->mean && norm->scale && norm->gain && sum && squares;
    for (size_t i = 0; good && kind != NORMALISE_NONE && i < n; i++)
        for (size_t k = 0; k < d; k++) {
            const uint64_t x = train->x[samples_row(train, i) * train->ldx + k];
            sum[k] += x;
            squares[k] += x * x;
        }
    for (size_t k = 0; good && k < d; k++) {
        const double mean = (double)sum[k] / (double)n;
        const double variance = (double)squares[k] / (double)n - mean * mean;
        const double deviation = fmax(sqrt(fmax(variance, 0.0)), DEVIATION_MIN);
        norm->mean[k] = (uint16_t)((sum[k] * FRACTION + n / 2) / n);
        norm->scale[k] = (float)(1.0 / (kind == NORMALISE_STANDARDISE ? deviation : 255.0));
        norm->gain[k] = norm->scale[k] * norm->scale[k];
    }
    free(sum);
    free(squares);
    if (!good)
        normalise_close(norm);
    return good;
}

void normalise_close(normalisation *norm)
{
    free(norm->mean);
    free(norm->scale);
    free(norm->gain);
    *norm = (normalisation){0};
}

float *normalise_f32(const normalisation *norm, const samples *s)
{
    const size_t d = s->d;
    float *x = s->n <= SIZE_MAX / d ? memory_new(s->n * d, sizeof *x) : NULL;
    for (size_t i = 0; x != NULL && i < s->n; i++)
        for (size_t k = 0; k < d; k++) {
            const float byte = (float)s->x[samples_row(s, i) * s->ldx + k];
            x[i * d + k] = norm->kind == NORMALISE_NONE
                               ? byte / 255.0f
                               : (byte - (float)norm->mean[k] / FRACTION) * norm->scale[k];
        }
    return x;
}
