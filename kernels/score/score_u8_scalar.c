/* SPDX-License-Identifier: MIT
 *
 * Scores of bytes: the definition. It also defines the packed weights of every ISA level that reads them as 16-bit
 * integers: per 32 features, those of the first class, then those of the second class, and so on. */
#include "simd/portable.h"

enum { GROUP = 32 };

static void pack_class(size_t d, size_t c, const float *w, float factor, int16_t *q)
{
    /* Adding this to a number below 2²² leaves no bits for a fraction, and the rounded integer in the lowest bits. */
    const float rounder = 0x1.8p23f;
    for (size_t k = 0; k < d; k += GROUP, q += c * GROUP) {
        float group[GROUP] = {0.0f};
        memcpy(group, w + k, (d - k < GROUP ? d - k : GROUP) * sizeof *group);
        for (size_t i = 0; i < GROUP; i++)
            q[i] = (int16_t)((uint32_t)bits_of_float(group[i] * factor + rounder) -
                             (uint32_t)bits_of_float(rounder));
    }
}

void DOWNHILL_NAME(pack_u8)(size_t d, size_t c, size_t j, size_t classes, const float *w,
                            size_t ldw, const float *factors, void *panel)
{
    for (size_t i = 0; i < classes; i++)
        pack_class(d, c, w + i * ldw, factors[i], (int16_t *)panel + (j + i) * GROUP);
}

void DOWNHILL_NAME(score_u8)(size_t n, size_t d, size_t c, const void *const *x, const void *packed,
                             const double *quantum, double *scores, size_t lds)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t *xi = x[i];
        for (size_t j = 0; j < c; j++) {
            const int16_t *q = (const int16_t *)packed + j * GROUP;
            int64_t sum = 0;
            size_t k = 0;
            for (; k + GROUP <= d; k += GROUP, q += c * GROUP) {
                int32_t part = 0; /* below 2²⁹ */
                /* An integer sum may be reordered without `omp simd`. With it GCC 12 does not recognise VPMADDWD, and
                 * takes three times as long. */
                DOWNHILL_KEEP_LOOP
                for (size_t l = 0; l < GROUP; l++)
                    part += xi[k + l] * q[l];
                sum += part;
            }
            for (size_t l = 0; k + l < d; l++)
                sum += xi[k + l] * q[l];
            scores[i * lds + j] += quantum[j] * (double)sum;
        }
    }
}
