/* SPDX-License-Identifier: MIT
 *
 * Normalisation of f32 features of any magnitude. */
#include "cmocka_all.h"

#include "train/normalise.h"

#include <math.h>

enum { N = 400, D = 5 };

/* Per feature: its mean, and the distance of its values from it. */
static const struct {
    float mean, deviation;
    bool changes; /* by more than rounding */
} features[D] = {{0.0f, 1.0f, true},
                 {1e-13f, 2e-15f, true},
                 {-3e5f, 25.0f, true},
                 {1e6f, 0.0f, false},
                 {1e6f, 0.0625f, false}}; /* one sample is one ulp away */

static void make(matrix *x, samples *s)
{
    assert_true(matrix_new_f32(N, D, x));
    float *value = x->memory;
    for (int i = 0; i < N; i++)
        for (int k = 0; k < D; k++) { /* half above, half below the mean */
            const float side = k < D - 1 ? (i % 2 == 0 ? 1.0f : -1.0f) : i == 0 ? 1.0f : 0.0f;
            value[i * D + k] = features[k].mean + side * features[k].deviation;
        }
    assert_true(samples_range(x, 0, N, s));
}

static void test_standardise__any_unit__variance_1(void **state)
{
    (void)state;
    matrix x;
    samples s;
    normalisation norm;
    float to[N * D];
    make(&x, &s);
    assert_true(normalise_open(NORMALISE_STANDARDISE, &s, &norm));
    normalise_rows(&norm, &x, 0, N, to);
    for (int k = 0; k < D; k++) {
        double sum = 0.0, squares = 0.0;
        for (int i = 0; i < N; i++) {
            sum += (double)to[i * D + k];
            squares += (double)to[i * D + k] * (double)to[i * D + k];
        }
        if (features[k].changes) {
            assert_true(fabs(sum / N) < 1e-3 && fabs(squares / N - 1.0) < 1e-3);
            const float square = norm.scale[k] * norm.scale[k];
            assert_true(isfinite(square) && square > 0.0f);
        } else {
            assert_true(squares == 0.0 && norm.scale[k] == 0.0f);
        }
    }
    normalise_close(&norm);
    samples_free(&s);
    matrix_free(&x);
}

static void test_centre__any_unit__scale_stays_1(void **state)
{
    (void)state;
    matrix x;
    samples s;
    normalisation norm;
    make(&x, &s);
    assert_true(normalise_open(NORMALISE_CENTER, &s, &norm));
    for (int k = 0; k < D; k++) {
        assert_true(norm.scale[k] == 1.0f);
        assert_true(fabsf(norm.mean[k] - features[k].mean) <= 1e-6f * fabsf(features[k].mean));
    }
    normalise_close(&norm);
    samples_free(&s);
    matrix_free(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_standardise__any_unit__variance_1),
        cmocka_unit_test(test_centre__any_unit__scale_stays_1),
    };
    return cmocka_run_group_tests_name("normalise", tests, NULL, NULL);
}
