/* SPDX-License-Identifier: MIT
 *
 * Update rules against their formulas in f64; learning rates against values calculated by hand. */
#include "cmocka_all.h"

#include "base/levels.h"
#include "train/schedule.h"
#include "trainer_support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 96, D = 21, C = 4, BATCH = 16, STEPS = 12, WIDE = D + 1 };

static dataset data;

static int open_all(void **state)
{
    const trainer_size size = {N, 8, D, C};
    (void)state;
    trainer_data(&size, true, 11, &data);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    dataset_close(&data);
    return 0;
}

/* Weights and velocity for normalised features in f64, bias last. */
struct reference {
    double w[C][WIDE], v[C][WIDE];
};

/* Computes the gradient of the mean hinge loss of these rows. */
static void hinge_gradient(const features *f, const struct reference *r, const size_t *rows,
                           size_t n, double g[C][WIDE])
{
    memset(g, 0, sizeof(double[C][WIDE]));
    for (size_t i = 0; i < n; i++) {
        double x[WIDE], s[C];
        const size_t y = (size_t)data.stored[0].y[rows[i]];
        for (size_t k = 0; k < D; k++)
            x[k] = ((double)data.stored[0].u8[rows[i] * D + k] - (double)f->norm.mean[k]) *
                   (double)f->norm.scale[k];
        x[D] = 1.0;
        for (size_t j = 0; j < C; j++) {
            s[j] = 0.0;
            for (size_t k = 0; k < WIDE; k++)
                s[j] += r->w[j][k] * x[k];
        }
        for (size_t j = 0; j < C; j++)
            if (j != y && s[j] - s[y] + 1.0 > 0.0)
                for (size_t k = 0; k < WIDE; k++) {
                    g[j][k] += x[k] / (double)n;
                    g[y][k] -= x[k] / (double)n;
                }
    }
}

static void reference_step(struct reference *r, optimiser_rule rule, double momentum, double lr,
                           double reg, double g[C][WIDE])
{
    for (size_t j = 0; j < C; j++)
        for (size_t k = 0; k < WIDE; k++) {
            const double total = g[j][k] + (k < D ? 2.0 * reg * r->w[j][k] : 0.0);
            r->v[j][k] = momentum * r->v[j][k] + total;
            r->w[j][k] -= lr * (rule == OPTIMISER_PLAIN      ? total
                                : rule == OPTIMISER_MOMENTUM ? r->v[j][k]
                                                             : total + momentum * r->v[j][k]);
        }
}

/* Trains STEPS steps with the library and with the reference. Returns the largest difference of a
 * weight, in units of normalised features. */
static double difference(feature_type type, normalise_kind kind, optimiser_rule rule,
                         const downhill_kernels *kernels, double *largest,
                         char digest[MODEL_DIGEST_TEXT])
{
    const double momentum = 0.75, lr = 0.0625, reg = 0.125; /* exact in f32 */
    const downhill_loss hinge = {DOWNHILL_HINGE, 1.0f};
    struct reference r = {0};
    features f;
    optimiser o;
    char why[128];
    assert_true(features_open(type, &data, kind, 1, &f));
    assert_true(optimiser_open(rule, (float)momentum, D, C, &o));
    model *m = model_open(&f, &(workforce){.threads = 1}, kernels, why, sizeof why);
    assert_non_null(m);
    for (size_t step = 0; step < STEPS; step++) {
        double g[C][WIDE], loss;
        size_t rows[BATCH];
        for (size_t i = 0; i < BATCH; i++)
            rows[i] = (step * 7 + i * 5) % N;
        hinge_gradient(&f, &r, rows, BATCH, g);
        reference_step(&r, rule, momentum, lr, reg, g);
        assert_int_equal(
            optimiser_step(&o, m, rows, BATCH, 0, hinge, (float)reg, (float)lr, &loss, NULL),
            DOWNHILL_OK);
    }
    double off = 0.0;
    *largest = 0.0;
    const downhill_weights_f32 *w = model_weights(m);
    for (size_t j = 0; j < C; j++)
        for (size_t k = 0; k < WIDE; k++) {
            const double unit = type == FEATURES_U8 && k < D ? (double)f.norm.scale[k] : 1.0;
            const double here = (double)(k < D ? w->w[j * w->ldw + k] : w->b[j]) / unit;
            off = fmax(off, fabs(here - r.w[j][k]));
            *largest = fmax(*largest, fabs(r.w[j][k]));
        }
    assert_true(weights_digest(w, digest));
    optimiser_close(&o);
    model_close(m);
    features_close(&f);
    return off;
}

/* Updates are in f32: a few rounding errors per step, each 2⁻²⁴ of the largest weight. A margin on
 * the other side of its kink would cause a much larger difference, lr/n. Weights for bytes are
 * rounded to 2⁻¹⁵ of the largest, for the scores only; that moves no margin across its kink
 * here. */
static void test_optimiser__every_rule__agrees_with_f64(void **state)
{
    (void)state;
    for (int type = FEATURES_U8; type <= FEATURES_F32; type++)
        for (int kind = NORMALISE_NONE; kind <= NORMALISE_STANDARDISE; kind++)
            for (int rule = OPTIMISER_PLAIN; rule <= OPTIMISER_NESTEROV; rule++) {
                double largest;
                char digest[MODEL_DIGEST_TEXT];
                const double off = difference((feature_type)type, (normalise_kind)kind,
                                              (optimiser_rule)rule, NULL, &largest, digest);
                if (!(off <= 8.0 * STEPS * 0x1p-24 * largest))
                    fail_msg("type %d, normalisation %d, rule %d: off by %g of %g", type, kind,
                             rule, off, largest);
            }
}

static void test_optimiser__bytes__same_bits_on_every_level(void **state)
{
    (void)state;
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = levels_to_run(NULL, tables);
    char first[3][MODEL_DIGEST_TEXT], digest[MODEL_DIGEST_TEXT];
    double largest;
    assert_true(n_tables > 0);
    for (size_t t = 0; t < n_tables; t++)
        for (int rule = OPTIMISER_PLAIN; rule <= OPTIMISER_NESTEROV; rule++) {
            difference(FEATURES_U8, NORMALISE_STANDARDISE, (optimiser_rule)rule, tables[t],
                       &largest, t == 0 ? first[rule] : digest);
            if (t > 0)
                assert_string_equal(digest, first[rule]);
        }
    assert_string_not_equal(first[OPTIMISER_PLAIN], first[OPTIMISER_MOMENTUM]);
    assert_string_not_equal(first[OPTIMISER_MOMENTUM], first[OPTIMISER_NESTEROV]);
}

static void test_schedule__every_kind__rates_by_hand(void **state)
{
    (void)state;
    const struct {
        schedule s;
        size_t epoch;
        double share;
        float rate;
    } cases[] = {
        {{SCHEDULE_CONSTANT, 0.5, 3}, 7, 0.5, 0.25f},
        {{SCHEDULE_STEP, 0.5, 3}, 0, 0.0, 0.25f},
        {{SCHEDULE_STEP, 0.5, 3}, 2, 0.99, 0.25f}, /* only whole epochs count */
        {{SCHEDULE_STEP, 0.5, 3}, 3, 0.0, 0.125f},
        {{SCHEDULE_STEP, 0.5, 3}, 6, 0.5, 0.0625f},
        {{SCHEDULE_INVERSE, 2.0, 1}, 0, 0.0, 0.25f},
        {{SCHEDULE_INVERSE, 2.0, 1}, 0, 0.5, 0.125f},
        {{SCHEDULE_INVERSE, 2.0, 1}, 3, 0.5, 0.03125f},
        {{SCHEDULE_COSINE, 0.0, 1}, 0, 0.0, 0.25f},
        {{SCHEDULE_COSINE, 0.0, 1}, 4, 0.0, 0.125f}, /* half of 8 epochs */
        {{SCHEDULE_COSINE, 0.0, 1}, 2, 0.0, 0.21338834764831843f},
        {{SCHEDULE_COSINE, 0.0, 1}, 7, 1.0, 0.0f},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const float rate = schedule_rate(&cases[i].s, 0.25f, cases[i].epoch, cases[i].share, 8);
        if (fabs((double)rate - (double)cases[i].rate) > 1e-9)
            fail_msg("case %zu: %.9g, not %.9g", i, (double)rate, (double)cases[i].rate);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_optimiser__every_rule__agrees_with_f64),
        cmocka_unit_test(test_optimiser__bytes__same_bits_on_every_level),
        cmocka_unit_test(test_schedule__every_kind__rates_by_hand),
    };
    return cmocka_run_group_tests_name("optimiser", tests, open_all, close_all);
}
