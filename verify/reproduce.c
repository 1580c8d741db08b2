/* SPDX-License-Identifier: MIT */
#include "reproduce.h"

#include "base/rng.h"

#include <stdlib.h>
#include <string.h>

/* Features that take two chunks of a dot product, and a tail of every vector. */
enum { SAMPLES = 700, FEATURES = 1003, CLASSES = 10 };

const reproduce_kind reproduce_kinds[REPRODUCE_KINDS] = {
#define REPRODUCE(dtype, element, loss, margin, ...)                                               \
    {dtype, ELEMENT_##element, {DOWNHILL_##loss, margin}, {__VA_ARGS__}},
#include "reproduce.def"
};

/* Samples of each step: whole blocks, a few rows, one row, and for softmax on bytes the last number
 * whose sums fit 32 bits and more than that. */
static const size_t step_samples[REPRODUCE_STEPS] = {256, 256, 37, 1, 514, 515, 600, 300};

bool reproduce_is_promised(const downhill_kernels *kernels, enum element element)
{
    return element == ELEMENT_U8     ? true
           : element == ELEMENT_BF16 ? kernels->fixed_order_bf16
                                     : kernels->fixed_order_f32;
}

struct training {
    uint8_t *bytes;
    float *floats, *w, *b, *dw, *db, *scale;
    uint16_t *bf16, *mean;
    int32_t *y;
    size_t *rows;
    void *packed;
    size_t packed_bytes;
};

static void training_close(struct training *t)
{
    free(t->bytes);
    free(t->floats);
    free(t->w);
    free(t->b);
    free(t->dw);
    free(t->db);
    free(t->scale);
    free(t->bf16);
    free(t->mean);
    free(t->y);
    free(t->rows);
    free(t->packed);
}

static bool training_open(struct training *t)
{
    t->packed_bytes = downhill_packed_u8_bytes(FEATURES, CLASSES);
    t->bytes = malloc(SAMPLES * FEATURES);
    t->floats = malloc(SAMPLES * FEATURES * sizeof *t->floats);
    t->bf16 = malloc(SAMPLES * FEATURES * sizeof *t->bf16);
    t->y = malloc(SAMPLES * sizeof *t->y);
    t->rows = malloc(SAMPLES * sizeof *t->rows);
    t->w = malloc(CLASSES * FEATURES * sizeof *t->w);
    t->b = calloc(CLASSES, sizeof *t->b);
    t->dw = malloc(CLASSES * FEATURES * sizeof *t->dw);
    t->db = malloc(CLASSES * sizeof *t->db);
    t->mean = malloc(FEATURES * sizeof *t->mean);
    t->scale = malloc(FEATURES * sizeof *t->scale);
    t->packed = malloc(t->packed_bytes);
    return t->bytes && t->floats && t->bf16 && t->y && t->rows && t->w && t->b && t->dw && t->db &&
           t->mean && t->scale && t->packed;
}

/* Returns the class with the largest integer score, by weights from -3 to 3. */
static int32_t class_of(const uint8_t *x, const int8_t *teacher)
{
    int32_t best = 0;
    int64_t best_score = INT64_MIN;
    for (int32_t j = 0; j < CLASSES; j++) {
        int64_t score = 0;
        for (size_t k = 0; k < FEATURES; k++)
            score += (x[k] - 128) * teacher[(size_t)j * FEATURES + k];
        best = score > best_score ? j : best;
        best_score = score > best_score ? score : best_score;
    }
    return best;
}

/* Draws the samples, a tenth of them with a random label, their normalisation and the first
 * weights. No number depends on the order of a sum or on a library function. */
static void draw(struct training *t)
{
    static int8_t teacher[CLASSES * FEATURES];
    rng r = rng_seeded(20);
    for (size_t i = 0; i < sizeof teacher; i++)
        teacher[i] = (int8_t)rng_between(&r, -3, 3);
    for (size_t k = 0; k < FEATURES; k++) {
        t->mean[k] = (uint16_t)(256 * 120 + rng_below(&r, 256 * 16));
        t->scale[k] = (float)(1 + rng_below(&r, 7)) / 500.0f;
    }
    for (size_t i = 0; i < SAMPLES; i++) {
        uint8_t *x = t->bytes + i * FEATURES;
        for (size_t k = 0; k < FEATURES; k++) {
            x[k] = (uint8_t)rng_below(&r, 256);
            t->floats[i * FEATURES + k] = ((float)x[k] - (float)t->mean[k] / 256.0f) * t->scale[k];
        }
        t->y[i] = rng_below(&r, 10) == 0 ? (int32_t)rng_below(&r, CLASSES) : class_of(x, teacher);
    }
    downhill_bf16_from_f32(SAMPLES * FEATURES, t->floats, t->bf16);
    for (size_t i = 0; i < CLASSES * FEATURES; i++)
        t->w[i] = rng_unit(&r) * 0x1p-12f;
}

downhill_status reproduce_alone(void *context, const reproduce_step *s)
{
    (void)context;
    const bool bytes = s->element == ELEMENT_U8;
    const size_t size = bytes ? downhill_workspace_u8_bytes(FEATURES, CLASSES)
                              : downhill_workspace_f32_bytes(FEATURES, CLASSES);
    const downhill_workspace workspace = {malloc(size), size};
    downhill_status status = DOWNHILL_ERR_WORKSPACE;
    if (workspace.memory != NULL)
        status = bytes ? downhill_step_u8(s->kernels, &s->u8, &s->weights, s->packed, &s->sgd, NULL,
                                          &workspace, NULL)
                 : s->element == ELEMENT_F32
                     ? downhill_step_f32(s->kernels, &s->f32, &s->weights, &s->sgd, &s->grad, NULL,
                                         &workspace, NULL)
                     : downhill_step_bf16(s->kernels, &s->bf16, &s->weights, &s->sgd, &s->grad,
                                          NULL, &workspace, NULL);
    free(workspace.memory);
    return status;
}

static downhill_status train(struct training *t, const reproduce_kind *kind,
                             const downhill_kernels *kernels, reproduce_stepper *step,
                             reproduce_look *look, void *context)
{
    rng r = rng_seeded(21);
    const downhill_norm_u8 norm = {t->mean, t->scale};
    reproduce_step s = {.kernels = kernels,
                        .element = kind->element,
                        .weights = {t->w, FEATURES, t->b, FEATURES, CLASSES},
                        .packed = t->packed,
                        .grad = {t->dw, FEATURES, t->db, FEATURES, CLASSES},
                        .sgd = {kind->loss, 0.05f, 0.001f}};
    downhill_status status =
        downhill_pack_u8(kernels, &s.weights, &norm, t->packed, t->packed_bytes);
    for (size_t i = 0; i < REPRODUCE_STEPS && status == DOWNHILL_OK; i++) {
        const size_t n = step_samples[i];
        for (size_t k = 0; k < n; k++)
            t->rows[k] = (size_t)rng_below(&r, SAMPLES);
        s.f32 = (downhill_batch_f32){t->floats, FEATURES, SAMPLES, t->y, t->rows, n, 0};
        s.bf16 = (downhill_batch_bf16){t->bf16, FEATURES, SAMPLES, t->y, t->rows, n, 0};
        s.u8 = (downhill_batch_u8){t->bytes, FEATURES, SAMPLES, t->y, t->rows, n, 0};
        status = step(context, &s);
        if (status == DOWNHILL_OK && !look(context, i, &s.weights))
            break;
    }
    return status;
}

downhill_status reproduce_train(const reproduce_kind *kind, const downhill_kernels *kernels,
                                reproduce_stepper *step, reproduce_look *look, void *context)
{
    struct training t = {0};
    downhill_status status = DOWNHILL_ERR_WORKSPACE;
    if (training_open(&t)) {
        draw(&t);
        status = train(&t, kind, kernels, step, look, context);
    }
    training_close(&t);
    return status;
}
