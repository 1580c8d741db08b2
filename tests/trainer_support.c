/* SPDX-License-Identifier: MIT */
#include "trainer_support.h"

#include "cmocka_all.h"

#include "base/rng.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

static const volatile sig_atomic_t not_stopped;

/* Sets the label to the class with the highest score under a known W, so that the data is
 * separable. */
static void label(const float *w, size_t d, size_t c, const uint8_t *x, int32_t *y)
{
    double best = -1e30;
    for (size_t j = 0; j < c; j++) {
        double score = 0.0;
        for (size_t k = 0; k < d; k++)
            score += (double)w[j * d + k] * ((double)x[k] - 127.5);
        if (score > best) {
            best = score;
            *y = (int32_t)j;
        }
    }
}

static void make_samples(rng *r, const float *w, size_t c, size_t n, size_t d, bool bytes,
                         matrix *m, samples *s)
{
    uint8_t *x = malloc(n * d);
    assert_non_null(x);
    assert_true(bytes ? matrix_new_u8(n, d, m) : matrix_new_f32(n, d, m));
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < d; k++)
            x[i * d + k] = (uint8_t)rng_below(r, 256);
        label(w, d, c, x + i * d, &m->y[i]);
    }
    for (size_t i = 0; i < n * d; i++)
        if (bytes)
            ((uint8_t *)m->memory)[i] = x[i];
        else
            ((float *)m->memory)[i] = ((float)x[i] - 127.5f) / 127.5f;
    free(x);
    assert_true(samples_range(m, 0, n, s));
}

void trainer_data(const trainer_size *size, bool bytes, uint64_t seed, dataset *data)
{
    rng r = rng_seeded(seed);
    const size_t d = size->d, c = size->c;
    float *w = malloc(c * d * sizeof *w);
    assert_non_null(w);
    for (size_t i = 0; i < c * d; i++)
        w[i] = rng_unit(&r);
    *data = (dataset){.name = "small", .d = d, .c = c};
    make_samples(&r, w, c, size->n_train, d, bytes, &data->stored[0], &data->train);
    make_samples(&r, w, c, size->n_test, d, bytes, &data->stored[1], &data->test);
    free(w);
}

downhill_weights_f32 trainer_weights(size_t d, size_t c, uint64_t seed)
{
    rng r = rng_seeded(seed);
    downhill_weights_f32 weights;
    assert_true(weights_new(d, c, &weights));
    for (size_t i = 0; i < c * d; i++)
        weights.w[i] = rng_unit(&r);
    for (size_t j = 0; j < c; j++)
        weights.b[j] = rng_unit(&r);
    return weights;
}

bool trainer_same_weights(const downhill_weights_f32 *a, const downhill_weights_f32 *b)
{
    if (a->d != b->d || a->c != b->c || memcmp(a->b, b->b, a->c * sizeof *a->b) != 0)
        return false;
    for (size_t j = 0; j < a->c; j++)
        if (memcmp(a->w + j * a->ldw, b->w + j * b->ldw, a->d * sizeof *a->w) != 0)
            return false;
    return true;
}

static void put_be32(uint8_t *to, size_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

void trainer_write_idx(const samples *s, const char *images, const char *labels)
{
    enum { IMAGES_HEADER = 12, LABELS_HEADER = 8 };
    const size_t d = s->x->d;
    uint8_t *x = malloc(IMAGES_HEADER + s->n * d), *y = malloc(LABELS_HEADER + s->n);
    assert_true(x != NULL && y != NULL);
    put_be32(x, 0x00000802);
    put_be32(x + 4, s->n);
    put_be32(x + 8, d);
    put_be32(y, 0x00000801);
    put_be32(y + 4, s->n);
    for (size_t i = 0; i < s->n; i++) {
        memcpy(x + IMAGES_HEADER + i * d, samples_u8(s, i), d);
        y[LABELS_HEADER + i] = (uint8_t)samples_label(s, i);
    }
    write_raw(scratch_path(images), x, IMAGES_HEADER + s->n * d);
    write_raw(scratch_path(labels), y, LABELS_HEADER + s->n);
    free(x);
    free(y);
}

trainer_job trainer_defaults(const dataset *data, downhill_loss_kind kind)
{
    return (trainer_job){
        .sgd = {.batch = 64, .lr = kind == DOWNHILL_HINGE ? 0.1f : 0.5f, .epochs = 12, .seed = 7},
        .data = data,
        .type = kind == DOWNHILL_HINGE ? FEATURES_U8 : FEATURES_F32,
        .p = {.loss = {kind, 1.0f}, .reg = 1e-5f, .threads = 1, .stop = &not_stopped}};
}

int trainer_run(trainer_job job, const sgd_state *from, const sgd_events *events,
                sgd_result *result)
{
    features f;
    assert_true(features_open(job.type, job.data, job.normalise, job.p.threads, &f));
    job.p.data = job.data;
    job.p.features = &f;
    const int code = sgd_train(&job.p, &job.sgd, from, events, result);
    features_close(&f);
    return code;
}

problem trainer_open_way(const dataset *data, int way, features *f)
{
    const feature_type type = way == 0 || way == 3 ? FEATURES_U8 : FEATURES_F32;
    problem p = trainer_defaults(data, way >= 2 ? DOWNHILL_SOFTMAX : DOWNHILL_HINGE).p;
    assert_true(features_open(type, data, NORMALISE_STANDARDISE, 1, f));
    p.data = data;
    p.features = f;
    p.reg = 0.01f;
    return p;
}
