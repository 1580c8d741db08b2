/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "model.h"

#include "base/error.h"
#include "base/memory.h"
#include "parallel/team.h"

#include <endian.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Test samples scored at once. */
enum { EVALUATION_ROWS = 1024 };

struct model {
    model_dtype dtype;
    const dataset *data;
    const downhill_kernels *kernels;
    normalisation norm;
    team *team;
    downhill_weights_f32 weights;
    /* f32 */
    float *train_x, *test_x, *scores_f32;
    downhill_weights_f32 grad;
    /* u8 */
    void *packed;
    double *scores_u8;
};

void model_close(model *m)
{
    if (m == NULL)
        return;
    normalise_close(&m->norm);
    team_close(m->team);
    free(m->weights.w);
    free(m->weights.b);
    free(m->train_x);
    free(m->test_x);
    free(m->scores_f32);
    free(m->grad.w);
    free(m->grad.b);
    free(m->packed);
    free(m->scores_u8);
    free(m);
}

bool model_fits_u8(const dataset *data, size_t batch)
{
    const size_t d = data->train.d, c = data->c;
    if (d > DOWNHILL_U8_D_MAX || c > DOWNHILL_U8_C_MAX) {
        error_line(
            "train: %s: %zu features and %zu classes; training on bytes is exact up to %d and "
            "%d; take --dtype f32",
            data->name, d, c, DOWNHILL_U8_D_MAX, DOWNHILL_U8_C_MAX);
        return false;
    }
    const size_t n = batch < data->train.n ? batch : data->train.n;
    const size_t most = c > 1 ? DOWNHILL_U8_NC_MAX / (c - 1) : SIZE_MAX;
    if (n > most) {
        error_line(
            "train: --batch %zu: training on bytes is exact up to %zu samples of %zu classes; "
            "take fewer, or --dtype f32",
            batch, most, c);
        return false;
    }
    return true;
}

static bool zero_weights(size_t d, size_t c, downhill_weights_f32 *weights)
{
    *weights = (downhill_weights_f32){memory_new(c * d, sizeof(float)), d,
                                      memory_new(c, sizeof(float)), d, c};
    return weights->w != NULL && weights->b != NULL;
}

static bool open_f32(model *m)
{
    const size_t d = m->data->train.d, c = m->data->c;
    m->train_x = normalise_f32(&m->norm, &m->data->train);
    m->test_x = normalise_f32(&m->norm, &m->data->test);
    m->scores_f32 = memory_new(EVALUATION_ROWS * c, sizeof *m->scores_f32);
    return m->train_x != NULL && m->test_x != NULL && m->scores_f32 != NULL &&
           zero_weights(d, c, &m->grad);
}

static bool open_u8(model *m)
{
    const size_t bytes = downhill_packed_u8_bytes(m->weights.d, m->weights.c);
    const downhill_norm_u8 norm = {m->norm.kind == NORMALISE_NONE ? NULL : m->norm.mean,
                                   m->norm.gain};
    m->packed = bytes > 0 ? memory_new(bytes, 1) : NULL;
    m->scores_u8 = memory_new(EVALUATION_ROWS * m->weights.c, sizeof *m->scores_u8);
    return m->packed != NULL && m->scores_u8 != NULL &&
           downhill_pack_u8(m->kernels, &m->weights, &norm, m->packed, bytes) == DOWNHILL_OK;
}

model *model_open(model_dtype dtype, const dataset *data, normalise_kind kind, size_t threads,
                  const int *cpus, const downhill_kernels *kernels, char *why, size_t why_size)
{
    const size_t d = data->train.d, c = data->c;
    model *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    *m = (model){.dtype = dtype, .data = data, .kernels = kernels};
    m->team = team_open(threads, cpus, d, c, why, why_size);
    if (m->team == NULL || !normalise_open(kind, &data->train, &m->norm) ||
        !zero_weights(d, c, &m->weights) || !(dtype == MODEL_U8 ? open_u8(m) : open_f32(m))) {
        model_close(m);
        return NULL;
    }
    return m;
}

downhill_status model_step(model *m, const size_t *rows, size_t n, size_t n_next,
                           downhill_loss loss, float decay, float step, double *loss_sum,
                           downhill_profile *profile)
{
    const struct samples *train = &m->data->train;
    if (m->dtype == MODEL_F32) {
        const downhill_batch_f32 batch = {m->train_x, train->d, train->n, train->y,
                                          rows,       n,        n_next};
        return team_step_f32(m->team, m->kernels, &batch, &m->weights, loss, decay, step, &m->grad,
                             loss_sum, profile);
    }
    if (loss.kind != DOWNHILL_HINGE)
        return DOWNHILL_ERR_PARAMETER;
    const downhill_batch_u8 batch = {train->x, train->ldx, train->x_rows, train->y,
                                     rows,     n,          n_next};
    return team_step_u8(m->team, m->kernels, &batch, &m->weights, loss.delta, decay, step,
                        m->packed, loss_sum, profile);
}

const downhill_weights_f32 *model_weights(const model *m)
{
    return &m->weights;
}

/* Of one score the first highest. */
static size_t best_f32(const float *s, size_t c)
{
    size_t best = 0;
    for (size_t j = 1; j < c; j++)
        best = s[j] > s[best] ? j : best;
    return best;
}

static size_t best_f64(const double *s, size_t c)
{
    size_t best = 0;
    for (size_t j = 1; j < c; j++)
        best = s[j] > s[best] ? j : best;
    return best;
}

downhill_status model_accuracy(const model *m, double *accuracy)
{
    const samples *test = &m->data->test;
    const size_t d = test->d, c = m->data->c;
    size_t right = 0;
    for (size_t first = 0, n; first < test->n; first += n) {
        n = test->n - first < EVALUATION_ROWS ? test->n - first : EVALUATION_ROWS;
        downhill_status status;
        if (m->dtype == MODEL_F32) {
            const downhill_batch_f32 batch = {
                .x = m->test_x + first * d, .ldx = d, .x_rows = n, .n = n};
            status = downhill_score_f32(m->kernels, &batch, &m->weights, m->scores_f32, c);
        } else {
            const downhill_batch_u8 batch = {.x = test->x +
                                                  (test->rows != NULL ? 0 : first * test->ldx),
                                             .ldx = test->ldx,
                                             .x_rows = test->rows != NULL ? test->x_rows : n,
                                             .rows = test->rows != NULL ? test->rows + first : NULL,
                                             .n = n};
            status = downhill_score_u8(m->kernels, &batch, m->packed, m->scores_u8, c);
        }
        if (status != DOWNHILL_OK)
            return status;
        for (size_t i = 0; i < n; i++) {
            const size_t best = m->dtype == MODEL_F32 ? best_f32(m->scores_f32 + i * c, c)
                                                      : best_f64(m->scores_u8 + i * c, c);
            right += (int32_t)best == test->y[samples_row(test, first + i)];
        }
    }
    *accuracy = (double)right / (double)test->n;
    return DOWNHILL_OK;
}

static bool digest_floats(EVP_MD_CTX *context, const float *values, size_t count)
{
    bool good = true;
    for (size_t i = 0; good && i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        bits = htole32(bits);
        good = EVP_DigestUpdate(context, &bits, sizeof bits) == 1;
    }
    return good;
}

bool model_digest(const model *m, char text[MODEL_DIGEST_TEXT])
{
    const size_t d = m->weights.d, c = m->weights.c;
    const uint64_t sizes[2] = {htole64(d), htole64(c)};
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const bool good = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
                      EVP_DigestUpdate(context, sizes, sizeof sizes) == 1 &&
                      digest_floats(context, m->weights.w, c * d) &&
                      digest_floats(context, m->weights.b, c) &&
                      EVP_DigestFinal_ex(context, digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    for (size_t i = 0; good && i < (MODEL_DIGEST_TEXT - 1) / 2; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return good;
}
