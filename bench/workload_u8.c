/* SPDX-License-Identifier: MIT */
#include "workload_u8.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool workload_u8_open(workload_u8 *l, size_t n, size_t d, size_t c, const int32_t *y, rng *r)
{
    *l = (workload_u8){.n = n, .d = d, .c = c, .y = y};
    l->workspace.bytes = downhill_workspace_u8_bytes(d, c);
    if (l->workspace.bytes == 0)
        return true;
    const bool good = n <= SIZE_MAX / d && n <= SIZE_MAX / c &&
                      (l->x = memory_new(n * d, 1)) != NULL &&
                      (l->w = memory_new(c * d, sizeof *l->w)) != NULL &&
                      (l->b = memory_new(c, sizeof *l->b)) != NULL &&
                      (l->scores = memory_new(n * c, sizeof *l->scores)) != NULL &&
                      (l->hinge_dscores = memory_new(n * c, sizeof *l->hinge_dscores)) != NULL &&
                      (l->dscores = memory_new(n * c, sizeof *l->dscores)) != NULL &&
                      (l->sums = memory_new(c * d, sizeof *l->sums)) != NULL &&
                      (l->sums_b = memory_new(c, sizeof *l->sums_b)) != NULL &&
                      (l->mean = memory_new(d, sizeof *l->mean)) != NULL &&
                      (l->scale = memory_new(d, sizeof *l->scale)) != NULL &&
                      (l->workspace.memory = memory_new(l->workspace.bytes, 1)) != NULL;
    if (!good) {
        workload_u8_close(l);
        return false;
    }
    for (size_t i = 0; i < n * d; i += sizeof(uint64_t)) {
        const uint64_t bytes = rng_u64(r);
        memcpy(l->x + i, &bytes, n * d - i < sizeof bytes ? n * d - i : sizeof bytes);
    }
    /* Scores of order 1: (x - 127.5)/73 has variance 1; the bias takes up the mean. */
    const float scale = 3.0f / sqrtf((float)d) / 73.0f;
    for (size_t j = 0; j < c; j++) {
        double sum = 0.0;
        for (size_t k = 0; k < d; k++) {
            l->w[j * d + k] = rng_unit(r) * scale;
            sum += (double)l->w[j * d + k];
        }
        l->b[j] = rng_unit(r) - (float)(127.5 * sum);
    }
    for (size_t k = 0; k < d; k++) {
        l->mean[k] = (uint16_t)rng_below(r, UINT8_MAX * 256);
        l->scale[k] = 1.0f + rng_unit(r) / 2.0f;
    }
    const downhill_matrix_f64 scores = {l->scores, c, n, c};
    const downhill_matrix_i16 dscores = {l->hinge_dscores, c, n, c};
    const downhill_batch_u8 batch = {l->x, d, n, NULL, NULL, n, 0};
    const downhill_kernels *kernels;
    const downhill_packed_u8 *packed = NULL;
    double loss;
    if (downhill_select(NULL, &kernels, NULL, 0) == DOWNHILL_OK)
        packed = workload_u8_packed(l, kernels, false);
    if (packed == NULL || downhill_score_u8(kernels, &batch, packed, &scores) != DOWNHILL_OK ||
        downhill_hinge_u8(kernels, &scores, y, 1.0f, &dscores, &loss) != DOWNHILL_OK) {
        workload_u8_close(l);
        return false;
    }
    return true;
}

void workload_u8_close(workload_u8 *l)
{
    free(l->x);
    free(l->w);
    free(l->b);
    free(l->scores);
    free(l->hinge_dscores);
    free(l->dscores);
    free(l->sums);
    free(l->sums_b);
    free(l->workspace.memory);
    free(l->mean);
    free(l->scale);
    for (size_t i = 0; i < LEVELS_MAX; i++) {
        free(l->packed[i].plain);
        free(l->packed[i].normalised);
    }
    memset(l, 0, sizeof *l);
}

downhill_packed_u8 *workload_u8_packed(workload_u8 *l, const downhill_kernels *kernels,
                                       bool normalised)
{
    size_t i = 0;
    while (l->packed[i].kernels != NULL && l->packed[i].kernels != kernels->u8)
        i++;
    l->packed[i].kernels = kernels->u8;
    downhill_packed_u8 **packed = normalised ? &l->packed[i].normalised : &l->packed[i].plain;
    if (*packed != NULL)
        return *packed;
    const downhill_weights_f32 weights = {l->w, l->d, l->b, l->d, l->c};
    const downhill_norm_u8 norm = {l->mean, l->scale};
    const size_t bytes = downhill_packed_u8_bytes(l->d, l->c);
    *packed = memory_new(bytes, 1);
    if (*packed != NULL && downhill_pack_u8(kernels, &weights, normalised ? &norm : NULL, *packed,
                                            bytes) != DOWNHILL_OK) {
        free(*packed);
        *packed = NULL;
    }
    return *packed;
}
