/* SPDX-License-Identifier: MIT */
#include "normalise.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

const char *const normalise_words[NORMALISE_KINDS] = {"none", "center", "standardize", "raw",
                                                      "raw-center"};

/* Minimum standard deviation of bytes, in steps of a byte. A nearly constant feature, such as a
 * corner pixel, would otherwise get a weight so large that the fixed-point weights of the others
 * would round to 0. */
#define DEVIATION_MIN_U8 8.0

/* Minimum standard deviation of f32 features, whose unit is unknown. Below it a feature is set to
 * 0: it varies by less than its own rounding, or the square of 1/deviation would overflow f32. */
#define DEVIATION_MIN_F32          1e-18
#define DEVIATION_MIN_F32_RELATIVE 0x1p-24

enum { FRACTION = 256 };

struct moments {
    double mean, deviation;
    uint16_t mean_256;
};

static bool moments_u8(const samples *s, struct moments *of)
{
    const size_t n = s->n, d = s->x->d;
    uint64_t *sum = memory_new(d, sizeof *sum), *squares = memory_new(d, sizeof *squares);
    const bool good = sum != NULL && squares != NULL;
    for (size_t i = 0; good && i < n; i++) {
        const uint8_t *x = samples_u8(s, i);
        for (size_t k = 0; k < d; k++) {
            sum[k] += x[k];
            squares[k] += (uint64_t)x[k] * x[k];
        }
    }
    for (size_t k = 0; good && k < d; k++) {
        const double mean = (double)sum[k] / (double)n;
        const double variance = (double)squares[k] / (double)n - mean * mean;
        of[k].mean_256 = (uint16_t)((sum[k] * FRACTION + n / 2) / n);
        of[k].mean = (double)of[k].mean_256 / FRACTION;
        of[k].deviation = fmax(sqrt(fmax(variance, 0.0)), DEVIATION_MIN_U8);
    }
    free(sum);
    free(squares);
    return good;
}

/* Uses two passes: with a large mean, one pass would cancel the digits of a small deviation. */
static bool moments_f32(const samples *s, struct moments *of)
{
    const size_t n = s->n, d = s->x->d;
    double *squares = memory_new(d, sizeof *squares);
    for (size_t i = 0; squares != NULL && i < n; i++)
        for (size_t k = 0; k < d; k++)
            of[k].mean += (double)samples_f32(s, i)[k];
    for (size_t k = 0; k < d; k++)
        of[k].mean = (double)(float)(of[k].mean / (double)n);
    for (size_t i = 0; squares != NULL && i < n; i++)
        for (size_t k = 0; k < d; k++) {
            const double off = (double)samples_f32(s, i)[k] - of[k].mean;
            squares[k] += off * off;
        }
    for (size_t k = 0; squares != NULL && k < d; k++)
        of[k].deviation = sqrt(squares[k] / (double)n);
    free(squares);
    return squares != NULL;
}

static double scale_of(normalise_kind kind, bool bytes, const struct moments *of)
{
    const double unit = bytes ? 1.0 / 255.0 : 1.0;
    switch (kind) {
    case NORMALISE_NONE:
    case NORMALISE_CENTER:
        return unit;
    case NORMALISE_STANDARDISE:
        return of->deviation >= DEVIATION_MIN_F32 &&
                       of->deviation > DEVIATION_MIN_F32_RELATIVE * fabs(of->mean)
                   ? 1.0 / of->deviation
                   : 0.0;
    case NORMALISE_RAW:
    case NORMALISE_RAW_CENTER:
        break;
    }
    return 1.0;
}

bool normalise_open(normalise_kind kind, const samples *train, normalisation *norm)
{
    const size_t d = train->x->d;
    const bool bytes = train->x->u8 != NULL;
    const bool with_mean = kind != NORMALISE_NONE && kind != NORMALISE_RAW;
    *norm = (normalisation){.d = d,
                            .kind = kind,
                            .mean_256 = memory_new(d, sizeof *norm->mean_256),
                            .mean = memory_new(d, sizeof *norm->mean),
                            .scale = memory_new(d, sizeof *norm->scale)};
    struct moments *of = memory_new(d, sizeof *of);
    bool good = norm->mean_256 && norm->mean && norm->scale && of;
    if (good && with_mean)
        good = bytes ? moments_u8(train, of) : moments_f32(train, of);
    for (size_t k = 0; good && k < d; k++) {
        norm->mean_256[k] = of[k].mean_256;
        norm->mean[k] = (float)of[k].mean;
        norm->scale[k] = (float)scale_of(kind, bytes, &of[k]);
    }
    free(of);
    if (!good)
        normalise_close(norm);
    return good;
}

void normalise_close(normalisation *norm)
{
    free(norm->mean_256);
    free(norm->mean);
    free(norm->scale);
    *norm = (normalisation){0};
}

bool normalise_is_identity(const normalisation *norm, const matrix *x)
{
    return x->f32 != NULL && (norm->kind == NORMALISE_NONE || norm->kind == NORMALISE_RAW);
}

void normalise_rows(const normalisation *norm, const matrix *x, size_t first, size_t rows,
                    float *to)
{
    const size_t d = x->d;
    for (size_t i = 0; i < rows; i++) {
        const size_t at = (first + i) * x->ld;
        for (size_t k = 0; k < d; k++) {
            const float value = x->u8 != NULL ? (float)x->u8[at + k] : x->f32[at + k];
            to[i * d + k] = norm->kind == NORMALISE_NONE && x->u8 != NULL
                                ? value / 255.0f
                                : (value - norm->mean[k]) * norm->scale[k];
        }
    }
}
