/* SPDX-License-Identifier: MIT */
#include "synthetic.h"

#include "base/memory.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>

enum { CENTRE = 128, RANGE = 127, FRACTION = 1 << 16 };

#define STREAM_OF_W INT64_MAX

static void choose_amplitude(synthetic *g)
{
    const double ratio = 5.0 * sqrt(2.0 / (double)g->d);
    const int32_t radius = (int32_t)(RANGE / (1.0 + ratio) + 0.5);
    g->radius = radius < RANGE ? radius : RANGE - 1;
    g->amplitude = RANGE - g->radius;
}

bool synthetic_open(size_t d, size_t c, bool bytes, double noise, uint64_t seed, synthetic *g)
{
    *g = (synthetic){.d = d,
                     .c = c,
                     .bytes = bytes,
                     .noise = noise,
                     .seed = seed,
                     .w = memory_new(c * d, sizeof *g->w),
                     .norms = memory_new(c, sizeof *g->norms),
                     .steps = memory_new(d, sizeof *g->steps)};
    if (g->w == NULL || g->norms == NULL || g->steps == NULL) {
        synthetic_close(g);
        return false;
    }
    choose_amplitude(g);
    rng r = rng_stream(seed, STREAM_OF_W);
    for (size_t j = 0; j < c; j++)
        for (size_t f = 0; f < d; f++) {
            const int64_t w = rng_between(&r, -g->amplitude, g->amplitude);
            g->w[j * d + f] = (int8_t)w;
            g->norms[j] += w * w;
        }
    return true;
}

void synthetic_close(synthetic *g)
{
    free(g->w);
    free(g->norms);
    free(g->steps);
    *g = (synthetic){0};
}

/* Draws the features: x - 128 for bytes, or x in units of 2⁻²³ for f32. */
static void draw_steps(synthetic *g, rng *r)
{
    const int8_t *w = g->w + rng_below(r, g->c) * g->d;
    const uint64_t m = g->bytes ? (uint64_t)(2 * g->radius + 1) : (uint64_t)(2 * g->radius) << 16;
    const int32_t unit = g->bytes ? 1 : FRACTION;
    uint64_t bits = 0;
    for (size_t f = 0; f < g->d; f++) {
        bits = f % 2 == 0 ? rng_u64(r) : bits >> 32;
        const int32_t e = (int32_t)((bits & UINT32_MAX) * m >> 32);
        g->steps[f] = (w[f] - g->radius) * unit + e;
    }
}

/* Returns twice W_j · x + b_j, in the units of the steps. */
static int64_t score(const synthetic *g, size_t j)
{
    const int8_t *w = g->w + j * g->d;
    const int32_t *x = g->steps;
    int64_t sum = 0;
    for (size_t f = 0; f < g->d; f++)
        sum += (int64_t)x[f] * w[f];
    return 2 * sum - g->norms[j] * (g->bytes ? 1 : FRACTION);
}

static int32_t right_label(const synthetic *g)
{
    size_t best = 0;
    int64_t highest = score(g, 0);
    for (size_t j = 1; j < g->c; j++) {
        const int64_t s = score(g, j);
        if (s > highest) {
            highest = s;
            best = j;
        }
    }
    return (int32_t)best;
}

int32_t synthetic_sample(synthetic *g, uint64_t stream, uint8_t *u8, float *f32, bool *noisy)
{
    rng r = rng_stream(g->seed, stream);
    draw_steps(g, &r);
    for (size_t f = 0; f < g->d; f++)
        if (g->bytes)
            u8[f] = (uint8_t)(CENTRE + g->steps[f]);
        else
            f32[f] = (float)g->steps[f] * 0x1p-23f;
    const int32_t right = right_label(g);
    *noisy = (double)(rng_u64(&r) >> 11) * 0x1p-53 < g->noise;
    if (!*noisy)
        return right;
    const int32_t other = (int32_t)rng_below(&r, g->c - 1);
    return other + (other >= right);
}

float synthetic_w(const synthetic *g, size_t j, size_t f)
{
    return (float)g->w[j * g->d + f];
}

float synthetic_b(const synthetic *g, size_t j)
{
    int64_t sum = 0;
    for (size_t f = 0; f < g->d; f++)
        sum += g->w[j * g->d + f];
    const double norm = (double)g->norms[j];
    return g->bytes ? (float)(-(double)(CENTRE * sum) - norm / 2.0) : (float)(-norm / 256.0);
}
