/* SPDX-License-Identifier: MIT */
#include "workload_u8.h"

#include "placement.h"

#include <math.h>
#include <string.h>

bool workload_u8_open(workload_u8 *l, size_t n, size_t d, size_t c, const int32_t *y, rng *r,
                      uint64_t layout)
{
    *l = (workload_u8){.n = n, .d = d, .c = c, .y = y, .place = rng_seeded(layout)};
    l->workspace.bytes = downhill_workspace_u8_bytes(d, c);
    if (l->workspace.bytes == 0)
        return true;
    const bool good =
        n <= SIZE_MAX / d && n <= SIZE_MAX / c &&
        (l->x = placement_new(&l->place, n * d, 1)) != NULL &&
        (l->w = placement_new(&l->place, c * d, sizeof *l->w)) != NULL &&
        (l->b = placement_new(&l->place, c, sizeof *l->b)) != NULL &&
        (l->scores = placement_new(&l->place, n * c, sizeof *l->scores)) != NULL &&
        (l->hinge_dscores = placement_new(&l->place, n * c, sizeof *l->hinge_dscores)) != NULL &&
        (l->dscores = placement_new(&l->place, n * c, sizeof *l->dscores)) != NULL &&
        (l->sums = placement_new(&l->place, c * d, sizeof *l->sums)) != NULL &&
        (l->sums_b = placement_new(&l->place, c, sizeof *l->sums_b)) != NULL &&
        (l->mean = placement_new(&l->place, d, sizeof *l->mean)) != NULL &&
        (l->scale = placement_new(&l->place, d, sizeof *l->scale)) != NULL &&
        (l->workspace.memory = placement_new(&l->place, l->workspace.bytes, 1)) != NULL;
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
    caller by = {.library = &library_linked};
    const downhill_packed_u8 *packed = NULL;
    double loss;
    if (downhill_select(NULL, &by.kernels, NULL, 0) == DOWNHILL_OK)
        packed = workload_u8_packed(l, &by, false);
    if (packed == NULL || downhill_score_u8(by.kernels, &batch, packed, &scores) != DOWNHILL_OK ||
        downhill_hinge_u8(by.kernels, &scores, y, 1.0f, &dscores, &loss) != DOWNHILL_OK) {
        workload_u8_close(l);
        return false;
    }
    return true;
}

static void free_packed(workload_u8 *l)
{
    for (size_t i = 0; i < LEVELS_MAX; i++) {
        placement_free(l->packed[i].plain);
        placement_free(l->packed[i].normalised);
    }
    memset(l->packed, 0, sizeof l->packed);
}

void workload_u8_close(workload_u8 *l)
{
    placement_free(l->x);
    placement_free(l->w);
    placement_free(l->b);
    placement_free(l->scores);
    placement_free(l->hinge_dscores);
    placement_free(l->dscores);
    placement_free(l->sums);
    placement_free(l->sums_b);
    placement_free(l->workspace.memory);
    placement_free(l->mean);
    placement_free(l->scale);
    free_packed(l);
    memset(l, 0, sizeof *l);
}

downhill_packed_u8 *workload_u8_packed(workload_u8 *l, const caller *by, bool normalised)
{
    size_t i = 0;
    while (i < LEVELS_MAX && l->packed[i].kernels != NULL && l->packed[i].kernels != by->kernels)
        i++;
    if (i == LEVELS_MAX) { /* reloaded builds need more slots: start again */
        free_packed(l);
        i = 0;
    }
    l->packed[i].kernels = by->kernels;
    downhill_packed_u8 **packed = normalised ? &l->packed[i].normalised : &l->packed[i].plain;
    if (*packed != NULL)
        return *packed;
    const downhill_weights_f32 weights = {l->w, l->d, l->b, l->d, l->c};
    const downhill_norm_u8 norm = {l->mean, l->scale};
    const size_t bytes = by->library->packed_u8_bytes(l->d, l->c);
    *packed = placement_new(&l->place, bytes, 1);
    if (*packed != NULL && by->library->pack_u8(by->kernels, &weights, normalised ? &norm : NULL,
                                                *packed, bytes) != DOWNHILL_OK) {
        placement_free(*packed);
        *packed = NULL;
    }
    return *packed;
}
