/* SPDX-License-Identifier: MIT
 *
 * bf16 features: rounding, and numbers at both ends of the range, which ISA levels that split a
 * weight into two bf16 terms must still score correctly. */
#include "cmocka_all.h"

#include "matrices.h"

#include "base/levels.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Every f32 that bf16 can hold (its lower 16 bits are 0), the midpoint to the next one, and the
 * values on both sides of these. */
static void test_bf16__round_from_f32__nearest_even(void **state)
{
    (void)state;
    for (uint32_t upper = 0; upper < 0x10000; upper++) {
        static const uint32_t lower[] = {0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF};
        for (size_t i = 0; i < sizeof lower / sizeof lower[0]; i++) {
            const uint32_t bits = upper << 16 | lower[i];
            float value;
            uint16_t got;
            memcpy(&value, &bits, sizeof value);
            downhill_bf16_from_f32(1, &value, &got);
            const bool nan = (bits & 0x7FFFFFFF) > 0x7F800000;
            if (nan) {
                assert_true((got & 0x7F80) == 0x7F80 && (got & 0x7F) != 0);
                assert_int_equal(got >> 15, bits >> 31);
                continue;
            }
            const bool up = lower[i] > 0x8000 || (lower[i] == 0x8000 && (upper & 1) != 0);
            assert_int_equal(got, upper + up);
        }
    }
}

/* Enough samples and features to reach every code path of every ISA level. */
enum { N = 70, D = 200, C = 3 };

struct fixture {
    float w[C * D], dscores[N * C], scores[N * C], dw[C * D];
    uint16_t x[N * D];
};

/* Scores samples whose only nonzero feature is feature `at`. */
static void score_one(const downhill_kernels *k, struct fixture *t, size_t at, float w, float x)
{
    memset(t, 0, sizeof *t);
    for (size_t i = 0; i < N; i++)
        downhill_bf16_from_f32(1, &x, &t->x[i * D + at]);
    for (size_t j = 0; j < C; j++)
        t->w[j * D + at] = w;
    const downhill_batch_bf16 batch = {.x = t->x, .ldx = D, .x_rows = N, .n = N};
    const downhill_weights_f32 weights = {t->w, D, NULL, D, C};
    assert_int_equal(downhill_score_bf16(k, &batch, &weights, F32(t->scores, C, N, C)),
                     DOWNHILL_OK);
}

/* Returns whether an ISA level splits weights into two bf16 terms, for which downhill_score_bf16()
 * documents wider bounds. */
static bool splits(const char *level)
{
    return strcmp(level, "avx512bf16") == 0 || strcmp(level, "amx") == 0;
}

/* Returns whether `got` is within the documented bounds of w · x. */
static bool within_bounds(bool splits, float w, float x, double got)
{
    const double product = (double)w * (double)x, infinity = copysign((double)INFINITY, product);
    const bool counts_as_zero = splits && x != 0.0f && fabsf(x) < 0x1p-126f;
    if (isnan(product) || (splits && isinf(x)) || (isinf(w) && counts_as_zero))
        return isnan(got) || (!isnan(product) && got == infinity);
    if (fabs(product) > 0x1.FFFFFFp127)
        return got == infinity;
    if (got == infinity)
        return splits && fabs(product) >= 0x1p128 * (1.0 - 0x1p-7);
    const double underflow =
        splits ? 0x1p-125 * (1.0 + fabs((double)x) + fabs((double)w)) : D * 0x1p-149;
    return fabs(got - product) <= D * 0x1p-24 * fabs(product) + underflow;
}

static void test_bf16__extreme_weights__scores_within_bounds(void **state)
{
    (void)state;
    static const float ws[] = {INFINITY,        NAN,         0x1.FFFFFEp127f,  0x1.FF0002p127f,
                               0x1.FEFFFEp127f, 0x1.FEp127f, 0x1.01p0f,        0x1.00FFFEp0f,
                               0x1.FFFFFEp0f,   0x1p-126f,   0x1.234566p-118f, 0x1p-149f};
    static const float xs[] = {1.0f,      -1.0f,    0.5f,      3.0f,    0x1p-120f,
                               0x1p-127f, 0x1p120f, 0x1.8p63f, INFINITY};
    struct fixture *t = malloc(sizeof *t);
    assert_non_null(t);
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = levels_to_run(NULL, tables);
    assert_true(n_tables > 0);
    for (size_t l = 0; l < n_tables; l++) {
        const downhill_kernels *k = tables[l];
        for (size_t a = 0; a < 2 * sizeof ws / sizeof ws[0]; a++)
            for (size_t b = 0; b < sizeof xs / sizeof xs[0]; b++) {
                const char *level = downhill_kernels_name(k);
                const float w = a % 2 == 0 ? ws[a / 2] : -ws[a / 2];
                score_one(k, t, (a * 37 + b * 11) % D, w, xs[b]);
                for (size_t i = 0; i < (size_t)N * C; i++)
                    if (!within_bounds(splits(level), w, xs[b], (double)t->scores[i]))
                        fail_msg("%s: %a times %a is %a", level, (double)w, (double)xs[b],
                                 (double)t->scores[i]);
            }
    }
    free(t);
}

/* All rounding errors have the same sign: with few features, a level that used only two bf16 terms
 * would exceed the bound. */
static void test_bf16__errors_of_one_sign__within_bounds(void **state)
{
    (void)state;
    struct fixture *t = malloc(sizeof *t);
    assert_non_null(t);
    for (size_t i = 0; i < (size_t)N * D; i++)
        t->x[i] = 0x3F80; /* 1 */
    for (size_t i = 0; i < (size_t)C * D; i++)
        t->w[i] = 0x1.00808p0f; /* midway between two sums of two bf16 */
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = levels_to_run(NULL, tables);
    assert_true(n_tables > 0);
    for (size_t l = 0; l < n_tables; l++) {
        const downhill_kernels *k = tables[l];
        for (size_t d = 1; d <= D; d++) {
            const downhill_batch_bf16 batch = {.x = t->x, .ldx = D, .x_rows = N, .n = N};
            const downhill_weights_f32 weights = {t->w, D, NULL, d, C};
            assert_int_equal(downhill_score_bf16(k, &batch, &weights, F32(t->scores, C, N, C)),
                             DOWNHILL_OK);
            const double exact = (double)d * (double)t->w[0];
            for (size_t i = 0; i < (size_t)N * C; i++)
                assert_true(fabs((double)t->scores[i] - exact) <=
                            (double)(d + 2) * 0x1p-24 * exact);
        }
    }
    free(t);
}

/* Weights of 16 significant bits are exact at every ISA level. */
static void test_bf16__weights_of_16_bits__exact(void **state)
{
    (void)state;
    struct fixture *t = malloc(sizeof *t);
    assert_non_null(t);
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = levels_to_run(NULL, tables);
    assert_true(n_tables > 0);
    for (size_t l = 0; l < n_tables; l++) {
        const downhill_kernels *k = tables[l];
        for (uint32_t w = 0x8000; w < 0x10000; w += 37) {
            score_one(k, t, w % D, (float)w, 1.0f);
            for (size_t i = 0; i < (size_t)N * C; i++)
                assert_true(t->scores[i] == (float)w);
        }
    }
    free(t);
}

/* A single dscore that bf16 cannot represent must not be rounded to bf16. */
static void test_bf16__one_dscore_beyond_bf16__not_rounded(void **state)
{
    (void)state;
    struct fixture *t = malloc(sizeof *t);
    assert_non_null(t);
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = levels_to_run(NULL, tables);
    assert_true(n_tables > 0);
    for (size_t l = 0; l < n_tables; l++) {
        const downhill_kernels *k = tables[l];
        for (size_t at = 0; at < (size_t)N * C; at++) {
            const float value = 0x1.000002p0f;
            memset(t, 0, sizeof *t);
            for (size_t i = 0; i < (size_t)N * D; i++)
                t->x[i] = 0x3F80; /* 1 */
            t->dscores[at] = value;
            const downhill_batch_bf16 batch = {.x = t->x, .ldx = D, .x_rows = N, .n = N};
            const downhill_gradient_f32 grad = {t->dw, D, NULL, D, C};
            assert_int_equal(downhill_grad_bf16(k, &batch, F32(t->dscores, C, N, C), 0, &grad),
                             DOWNHILL_OK);
            for (size_t j = 0; j < C; j++)
                for (size_t f = 0; f < D; f++)
                    assert_true(t->dw[j * D + f] == (j == at % C ? value : 0.0f));
        }
    }
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bf16__round_from_f32__nearest_even),
        cmocka_unit_test(test_bf16__extreme_weights__scores_within_bounds),
        cmocka_unit_test(test_bf16__errors_of_one_sign__within_bounds),
        cmocka_unit_test(test_bf16__weights_of_16_bits__exact),
        cmocka_unit_test(test_bf16__one_dscore_beyond_bf16__not_rounded),
    };
    return cmocka_run_group_tests_name("bf16", tests, NULL, NULL);
}
