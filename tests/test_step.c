/* SPDX-License-Identifier: MIT
 *
 * The fused step, compared with the chain of separate calls and with finite differences.
 */
#include "cmocka_all.h"

#include "matrices.h"

#include "base/rng.h"
#include "isa/kernels.h"
#include "isa/select.h"
#include "verify/reference.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct problem {
    size_t n, d, c, x_rows;
    float *x, *w, *b;
    int32_t *y;
    size_t *rows;
};

static float *floats(size_t count)
{
    float *p = calloc(count, sizeof *p);
    assert_non_null(p);
    return p;
}

static struct problem make_problem(size_t n, size_t d, size_t c, uint64_t seed)
{
    struct problem p = {.n = n, .d = d, .c = c, .x_rows = n + 7};
    p.x = floats(p.x_rows * d);
    p.w = floats(c * d);
    p.b = floats(c);
    p.y = calloc(p.x_rows, sizeof *p.y);
    p.rows = calloc(n, sizeof *p.rows);
    assert_true(p.y != NULL && p.rows != NULL);
    rng r = rng_seeded(seed);
    for (size_t i = 0; i < p.x_rows * d; i++)
        p.x[i] = rng_unit(&r);
    for (size_t i = 0; i < c * d; i++)
        p.w[i] = rng_unit(&r);
    for (size_t i = 0; i < c; i++)
        p.b[i] = rng_unit(&r);
    for (size_t i = 0; i < p.x_rows; i++)
        p.y[i] = (int32_t)rng_below(&r, c);
    for (size_t i = 0; i < n; i++)
        p.rows[i] = (size_t)rng_below(&r, p.x_rows);
    return p;
}

static void free_problem(struct problem *p)
{
    free(p->x);
    free(p->w);
    free(p->b);
    free(p->y);
    free(p->rows);
}

static downhill_batch_f32 batch_of(const struct problem *p)
{
    return (downhill_batch_f32){p->x, p->d, p->x_rows, p->y, p->rows, p->n, 0};
}

static double fused(const downhill_kernels *k, const struct problem *p, downhill_loss loss,
                    float *dw, float *db, downhill_profile *profile)
{
    const downhill_batch_f32 batch = batch_of(p);
    const downhill_weights_f32 weights = {p->w, p->d, p->b, p->d, p->c};
    const downhill_gradient_f32 grad = {dw, p->d, db, p->d, p->c};
    const size_t bytes = downhill_workspace_f32_bytes(p->d, p->c);
    const downhill_workspace workspace = {malloc(bytes), bytes};
    double sum = NAN;
    assert_non_null(workspace.memory);
    assert_int_equal(
        downhill_loss_grad_f32(k, &batch, &weights, loss, &grad, &sum, &workspace, profile),
        DOWNHILL_OK);
    free(workspace.memory);
    return sum;
}

typedef void (*level_check)(const downhill_kernels *k, const char *name);

static void for_each_level(level_check check)
{
    downhill_level level;
    for (size_t i = 0; downhill_level_at(i, &level) == DOWNHILL_OK; i++) {
        const downhill_kernels *k;
        if (level.usable && downhill_select(level.name, &k, NULL, 0) == DOWNHILL_OK)
            check(k, level.name);
    }
}

/* Both add rows in the same order, so the gradients must have the same bits. */
static void fused_is_chain(const downhill_kernels *k, const char *name)
{
    (void)name;
    struct problem p = make_problem(150, 3072, 10, 3);
    const size_t n = p.n, d = p.d, c = p.c;
    float *scores = floats(n * c), *dw = floats(c * d), *dw2 = floats(c * d), *db = floats(c),
          *db2 = floats(c);
    int32_t *y = calloc(n, sizeof *y);
    assert_non_null(y);
    for (size_t i = 0; i < n; i++)
        y[i] = p.y[p.rows[i]];
    const downhill_batch_f32 batch = batch_of(&p);
    const downhill_weights_f32 weights = {p.w, d, p.b, d, c};
    const downhill_gradient_f32 grad = {dw2, d, db2, d, c};
    for (int kind = DOWNHILL_HINGE; kind <= DOWNHILL_SOFTMAX; kind++) {
        const downhill_loss loss = {(downhill_loss_kind)kind, 1.0f};
        const double sum = fused(k, &p, loss, dw, db, NULL);
        double sum2 = 0.0;
        assert_int_equal(downhill_score_f32(k, &batch, &weights, F32(scores, c, n, c)),
                         DOWNHILL_OK);
        assert_int_equal(
            kind == DOWNHILL_HINGE
                ? downhill_hinge_f32(k, F32(scores, c, n, c), y, 1.0f, F32(scores, c, n, c), &sum2)
                : downhill_softmax_f32(k, F32(scores, c, n, c), y, F32(scores, c, n, c), &sum2),
            DOWNHILL_OK);
        assert_int_equal(downhill_grad_f32(k, &batch, F32(scores, c, n, c), 0, &grad), DOWNHILL_OK);
        assert_memory_equal(dw, dw2, c * d * sizeof *dw);
        assert_memory_equal(db, db2, c * sizeof *db);
        assert_true(fabs(sum - sum2) <= 1e-6 * fabs(sum));
    }
    free(scores);
    free(dw);
    free(dw2);
    free(db);
    free(db2);
    free(y);
    free_problem(&p);
}

static void test_step__fused__same_bits_as_chain(void **state)
{
    (void)state;
    if (downhill_cache_sizes().l2 < 256 * 1024) {
        print_message(
            "skipped: the L2 of this CPU is too small for dW, which is summed block by block\n");
        skip();
    }
    for_each_level(fused_is_chain);
}

/* Returns the f64 loss at weights w and bias b, by the reference. */
static double loss_at(const struct problem *p, downhill_loss loss, const float *const *x,
                      const int32_t *y, bounded *scores, bounded *dscores, const double *w,
                      const double *b)
{
    for (size_t i = 0; i < p->n; i++)
        for (size_t j = 0; j < p->c; j++) {
            double sum = b[j];
            for (size_t k = 0; k < p->d; k++)
                sum += (double)x[i][k] * w[j * p->d + k];
            /* A bound above 0 makes the reference work in f64 throughout. */
            scores[i * p->c + j] = (bounded){sum, 1e-300};
        }
    return loss.kind == DOWNHILL_HINGE
               ? reference_hinge(p->n, p->c, scores, y, (double)loss.margin, dscores).value
               : reference_softmax(p->n, p->c, scores, y, dscores).value;
}

/* Compares centred differences of the f64 loss with the kernel's gradient. The hinge loss has no
 * derivative if a margin changes sign within ±h: then the one-sided slopes differ, and the
 * coordinate is counted as a kink. */
static void gradient_is_slope(const downhill_kernels *k, const char *name)
{
    enum { N = 9, D = 11, C = 4 };
    const double h = 1e-5;
    struct problem p = make_problem(N, D, C, 5);
    const float *x[N];
    int32_t y[N];
    double w[C * D], b[C];
    bounded scores[N * C], dscores[N * C];
    for (size_t i = 0; i < N; i++) {
        x[i] = p.x + p.rows[i] * D;
        y[i] = p.y[p.rows[i]];
    }
    for (size_t i = 0; i < C * D; i++)
        w[i] = (double)p.w[i];
    for (size_t i = 0; i < C; i++)
        b[i] = (double)p.b[i];
    for (int kind = DOWNHILL_HINGE; kind <= DOWNHILL_SOFTMAX; kind++) {
        const downhill_loss loss = {(downhill_loss_kind)kind, 1.0f};
        float dw[C * D], db[C];
        fused(k, &p, loss, dw, db, NULL);
        size_t kinks = 0;
        for (size_t i = 0; i < C * D + C; i++) {
            double *at = i < C * D ? &w[i] : &b[i - C * D];
            const double analytic = (double)(i < C * D ? dw[i] : db[i - C * D]);
            const double before = *at;
            const double middle = loss_at(&p, loss, x, y, scores, dscores, w, b);
            *at = before + h;
            const double up = loss_at(&p, loss, x, y, scores, dscores, w, b);
            *at = before - h;
            const double down = loss_at(&p, loss, x, y, scores, dscores, w, b);
            *at = before;
            if (kind == DOWNHILL_HINGE && fabs((up - middle) - (middle - down)) > 1e-9) {
                kinks++;
                continue;
            }
            const double slope = (up - down) / (2.0 * h);
            if (fabs(slope - analytic) > 2e-5 * (1.0 + fabs(slope)))
                fail_msg("%s: coordinate %zu: slope %.9g, gradient %.9g", name, i, slope, analytic);
        }
        assert_true(kinks < 3);
    }
    free_problem(&p);
}

static void test_step__gradient__is_the_slope(void **state)
{
    (void)state;
    for_each_level(gradient_is_slope);
}

/* The gradients of both losses sum to 0 over the classes, for any data. */
static void gradient_sums_to_zero(const downhill_kernels *k, const char *name)
{
    (void)name;
    struct problem p = make_problem(64, 100, 10, 9);
    float *dw = floats(p.c * p.d), *db = floats(p.c);
    for (int kind = DOWNHILL_HINGE; kind <= DOWNHILL_SOFTMAX; kind++) {
        const downhill_loss loss = {(downhill_loss_kind)kind, 1.0f};
        assert_true(fused(k, &p, loss, dw, db, NULL) > 0.0);
        double total = 0.0;
        for (size_t j = 0; j < p.c; j++)
            total += (double)db[j];
        assert_true(fabs(total) < 1e-4);
        for (size_t i = 0; i < p.d; i++) {
            double sum = 0.0;
            for (size_t j = 0; j < p.c; j++)
                sum += (double)dw[j * p.d + i];
            assert_true(fabs(sum) < 1e-3);
        }
    }
    free(dw);
    free(db);
    free_problem(&p);
}

static void test_step__gradient__sums_to_zero(void **state)
{
    (void)state;
    for_each_level(gradient_sums_to_zero);
}

/* Satisfied samples contribute nothing to the gradient; a sample with a NaN does. */
static void test_step__satisfied_samples__skipped(void **state)
{
    (void)state;
    enum { N = 70, DIM = 37, CLASSES = 5 };
    struct problem p = make_problem(N, DIM, CLASSES, 3);
    /* Only feature j contributes to score j, so a sample 10·e_j of class j meets every margin. */
    memset(p.w, 0, sizeof(float) * CLASSES * DIM);
    memset(p.b, 0, sizeof(float) * CLASSES);
    for (size_t j = 0; j < CLASSES; j++)
        p.w[j * DIM + j] = 1.0f;
    const downhill_weights_f32 weights = {p.w, DIM, p.b, DIM, CLASSES};
    const downhill_batch_f32 batch = {p.x, DIM, p.x_rows, p.y, NULL, N, 0};
    const downhill_loss hinge = {DOWNHILL_HINGE, 1.0f};
    const size_t bytes = downhill_workspace_f32_bytes(DIM, CLASSES);
    const downhill_workspace workspace = {malloc(bytes), bytes};
    float *dw = floats(CLASSES * DIM), db[CLASSES];
    const downhill_gradient_f32 grad = {dw, DIM, db, DIM, CLASSES};
    downhill_level level;
    for (size_t l = 0; downhill_level_at(l, &level) == DOWNHILL_OK; l++) {
        const downhill_kernels *k;
        if (downhill_select(level.name, &k, NULL, 0) != DOWNHILL_OK)
            continue;
        /* every = 0: all samples are satisfied; 1: every seventh violates each of its margins by
         * 1. */
        for (size_t every = 0; every < 2; every++) {
            size_t violated = 0;
            for (size_t i = 0; i < N; i++) {
                const bool met = every == 0 || i % 7 != 0;
                memset(p.x + i * DIM, 0, sizeof(float) * DIM);
                p.x[i * DIM + DIM - 1] = (float)(i + 1); /* affects no score, only dW */
                p.x[i * DIM + (size_t)p.y[i]] = met ? 10.0f : 0.0f;
                violated += !met;
            }
            for (size_t j = 0; j < CLASSES * DIM; j++)
                dw[j] = 99.0f;
            double loss;
            assert_int_equal(
                downhill_loss_grad_f32(k, &batch, &weights, hinge, &grad, &loss, &workspace, NULL),
                DOWNHILL_OK);
            assert_true(loss == (double)(violated * (CLASSES - 1)));
            for (size_t j = 0; j < CLASSES; j++) {
                float want = 0.0f, want_b = 0.0f;
                for (size_t i = 0; i < N && every > 0; i += 7) {
                    const float ds = (size_t)p.y[i] == j ? -(float)(CLASSES - 1) : 1.0f;
                    want += ds * (float)(i + 1);
                    want_b += ds;
                }
                assert_true(dw[j * DIM + DIM - 1] == want);
                assert_true(db[j] == want_b);
                assert_true(dw[j * DIM + DIM - 2] == 0.0f);
            }
        }
        p.x[5 * DIM] = NAN;
        double loss;
        assert_int_equal(
            downhill_loss_grad_f32(k, &batch, &weights, hinge, &grad, &loss, &workspace, NULL),
            DOWNHILL_OK);
        assert_true(isnan(loss) && isnan(dw[0]));
    }
    free(workspace.memory);
    free(dw);
    free_problem(&p);
}

static void test_step__profile__time_charged_to_its_phase(void **state)
{
    (void)state;
    struct problem p = make_problem(2000, 784, 10, 11);
    float *dw = floats(p.c * p.d), *db = floats(p.c);
    downhill_profile profile = {1, 2, 3, 4, 5};
    const downhill_loss loss = {DOWNHILL_SOFTMAX, 0.0f};
    fused(NULL, &p, loss, dw, db, &profile);
    assert_true(profile.gather_ns > 1 && profile.score_ns > 2 && profile.loss_ns > 3 &&
                profile.grad_ns > 4);
    assert_int_equal(profile.update_ns, 5); /* loss_grad does not update */

    /* With one sample and 3000 classes, scores, gradient and update take most of the step, so time
     * charged to the wrong phase shows. */
    struct problem wide = make_problem(1, 3072, 3000, 12);
    float *wide_dw = floats(wide.c * wide.d);
    const downhill_batch_f32 batch = batch_of(&wide);
    const downhill_weights_f32 weights = {wide.w, wide.d, NULL, wide.d, wide.c};
    const downhill_gradient_f32 grad = {wide_dw, wide.d, NULL, wide.d, wide.c};
    const size_t bytes = downhill_workspace_f32_bytes(wide.d, wide.c);
    const downhill_workspace workspace = {malloc(bytes), bytes};
    assert_non_null(workspace.memory);
    const downhill_sgd softmax = {loss, 0.1f, 1.0f};
    profile = (downhill_profile){0};
    assert_int_equal(
        downhill_step_f32(NULL, &batch, &weights, &softmax, &grad, NULL, &workspace, &profile),
        DOWNHILL_OK);
    const uint64_t rest = profile.gather_ns + profile.loss_ns;
    assert_true(profile.update_ns > rest && profile.score_ns > rest && profile.grad_ns > rest);
    free(workspace.memory);
    free(wide_dw);
    free_problem(&wide);
    free(dw);
    free(db);
    free_problem(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step__fused__same_bits_as_chain),
        cmocka_unit_test(test_step__gradient__is_the_slope),
        cmocka_unit_test(test_step__gradient__sums_to_zero),
        cmocka_unit_test(test_step__satisfied_samples__skipped),
        cmocka_unit_test(test_step__profile__time_charged_to_its_phase),
    };
    return cmocka_run_group_tests_name("step", tests, NULL, NULL);
}
