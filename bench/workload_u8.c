/* SPDX-License-Identifier: MIT */
#include "workload_u8.h"

#include "base/memory.h"
#include "parallel/team.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A step that changes nothing, as in workload.c. */
static const downhill_sgd hinge = {.loss = {DOWNHILL_HINGE, 1.0f}};

bool workload_u8_open(workload_u8 *l, size_t n, size_t d, size_t c, const int32_t *y,
                      const size_t *in_order, const size_t *shuffled, rng *r)
{
    *l = (workload_u8){.n = n, .d = d, .c = c, .y = y, .in_order = in_order, .shuffled = shuffled};
    l->workspace.bytes = downhill_workspace_u8(d, c);
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
    /* Scores of order 1: (x - 127.5)/73 has a variance of 1, but its mean is left in the bias. */
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
    double loss;
    if (workload_u8_run(NULL, NULL, BENCH_SCORE_U8, l) != DOWNHILL_OK ||
        downhill_hinge_u8(NULL, &scores, y, 1.0f, &dscores, &loss) != DOWNHILL_OK) {
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

/* Weights packed for a table; NULL: no memory. */
static downhill_packed_u8 *packed_for(const downhill_kernels *kernels, workload_u8 *l,
                                      bool normalised)
{
    size_t i = 0;
    while (l->packed[i].of != NULL && l->packed[i].of != kernels->u8)
        i++;
    l->packed[i].of = kernels->u8;
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

/* Every line of the rows of X, in this order: what an epoch cannot be faster than. */
static void read_rows(const workload_u8 *l, const size_t *rows)
{
    enum { LINE = 64 };
    for (size_t i = 0; i < l->n; i++) {
        const uint8_t *x = l->x + rows[i] * l->d;
        for (size_t k = 0; k < l->d; k += LINE)
            __asm__ volatile("" : : "r"(x[k]));
    }
}

/* The n samples of these rows, or the first n; n_next more follow. */
static downhill_status step(const downhill_kernels *k, team *t, workload_u8 *l,
                            downhill_packed_u8 *packed, const size_t *rows, size_t n, size_t n_next)
{
    const downhill_batch_u8 batch = {l->x, l->d, l->n, l->y, rows, n, n_next};
    const downhill_weights_f32 weights = {l->w, l->d, l->b, l->d, l->c};
    double loss;
    if (t != NULL)
        return team_step_u8(t, k, &batch, &weights, packed, &hinge, &loss, NULL);
    return downhill_step_u8(k, &batch, &weights, packed, &hinge, &loss, &l->workspace, NULL);
}

static downhill_status epoch(const downhill_kernels *k, team *t, workload_u8 *l,
                             downhill_packed_u8 *packed, const size_t *rows)
{
    downhill_status status = DOWNHILL_OK;
    for (size_t i = 0; i < l->n && status == DOWNHILL_OK; i += BENCH_EPOCH_ROWS) {
        const size_t left = l->n - i, n = left < BENCH_EPOCH_ROWS ? left : BENCH_EPOCH_ROWS;
        status = step(k, t, l, packed, rows + i, n, left - n);
    }
    return status;
}

downhill_status workload_u8_run(const downhill_kernels *k, team *t, bench_kernel kernel,
                                workload_u8 *l)
{
    const downhill_batch_u8 batch = {l->x, l->d, l->n, l->y, NULL, l->n, 0};
    const downhill_weights_f32 weights = {l->w, l->d, l->b, l->d, l->c};
    const downhill_sums_u8 sums = {l->sums, l->d, l->sums_b, l->d, l->c};
    const downhill_matrix_f64 scores = {l->scores, l->c, l->n, l->c};
    const downhill_matrix_i16 dscores = {l->dscores, l->c, l->n, l->c},
                              hinge_dscores = {l->hinge_dscores, l->c, l->n, l->c};
    double loss;
    downhill_status status = DOWNHILL_OK;
    if (l->workspace.bytes == 0)
        return DOWNHILL_ERR_SIZE;
    if (k == NULL && (status = downhill_select(NULL, &k, NULL, 0)) != DOWNHILL_OK)
        return status;
    downhill_packed_u8 *packed = packed_for(k, l, kernel == BENCH_UPDATE_NORMALISED_U8);
    if (packed == NULL)
        return DOWNHILL_ERR_NULL;
    switch (kernel) {
    case BENCH_SCORE_U8:
        return downhill_score_u8(k, &batch, packed, &scores);
    case BENCH_HINGE_U8:
        return downhill_hinge_u8(k, &scores, l->y, 1.0f, &dscores, &loss);
    case BENCH_GRAD_U8:
        return downhill_grad_u8(k, &batch, &hinge_dscores, 0, &sums);
    case BENCH_UPDATE_U8:
    case BENCH_UPDATE_NORMALISED_U8:
        return downhill_update_u8(k, &weights, packed, &sums, l->n, &hinge);
    case BENCH_STEP_HINGE_U8:
        return step(k, t, l, packed, NULL, l->n, 0);
    case BENCH_EPOCH_HINGE_U8:
        return epoch(k, t, l, packed, l->in_order);
    case BENCH_EPOCH_HINGE_SHUFFLED_U8:
        return epoch(k, t, l, packed, l->shuffled);
    case BENCH_READ_U8:
        read_rows(l, l->in_order);
        return DOWNHILL_OK;
    case BENCH_READ_SHUFFLED_U8:
        read_rows(l, l->shuffled);
        return DOWNHILL_OK;
    default:
        return DOWNHILL_ERR_PARAMETER;
    }
}
