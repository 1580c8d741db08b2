/* SPDX-License-Identifier: MIT
 *
 * Softmax on bytes, beyond the cases of verify: training gives the same bits for every level, partition and order, a step
 * is the sum of its parts for any batch size, and the results are accurate at the ends of their range. */
#include "matrices.h"
#include "u8_support.h"

#include "base/rng.h"
#include "softmax/softmax_u8.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { N = 1500, D = 83, C = 11 };

/* Samples, and a model with the memory that its steps need. */
struct set {
    uint8_t x[N * D];
    int32_t y[N];
    uint16_t mean[D];
    float scale[D];
};

struct model {
    float w[C * D], b[C];
    double loss;
    downhill_packed_u8 *packed;
    downhill_workspace workspace;
};

static struct set set;
static const downhill_sgd softmax = {{DOWNHILL_SOFTMAX, 0.0f}, 0.02f, 0.01f};

static int draw_set(void **state)
{
    (void)state;
    rng r = rng_seeded(3);
    for (size_t i = 0; i < N; i++) {
        set.y[i] = (int32_t)rng_below(&r, C);
        for (size_t k = 0; k < D; k++) /* depends on the label */
            set.x[i * D + k] =
                (uint8_t)(k % C == (size_t)set.y[i] ? 90 + rng_below(&r, 166) : rng_below(&r, 200));
    }
    for (size_t k = 0; k < D; k++) {
        set.mean[k] = (uint16_t)rng_below(&r, 65281);
        set.scale[k] = 1e-2f + (float)rng_below(&r, 100) * 5e-5f;
    }
    return 0;
}

static downhill_weights_f32 weights_of(struct model *m)
{
    return (downhill_weights_f32){m->w, D, m->b, D, C};
}

/* Sets weights that are not 0, so that the samples differ in their losses. */
static void start(const downhill_kernels *k, struct model *m)
{
    const size_t packed_bytes = downhill_packed_u8_bytes(D, C);
    const downhill_norm_u8 norm = {set.mean, set.scale};
    if (m->packed == NULL) {
        m->packed = new (packed_bytes, 1);
        m->workspace.bytes = downhill_workspace_u8_bytes(D, C);
        m->workspace.memory = new (m->workspace.bytes, 1);
    }
    rng r = rng_seeded(5);
    for (size_t i = 0; i < C * D; i++)
        m->w[i] = rng_unit(&r) * 2e-3f;
    for (size_t j = 0; j < C; j++)
        m->b[j] = rng_unit(&r);
    m->loss = 0.0;
    const downhill_weights_f32 weights = weights_of(m);
    assert_int_equal(downhill_pack_u8(k, &weights, &norm, m->packed, packed_bytes), DOWNHILL_OK);
}

static void finish(struct model *m)
{
    free(m->packed);
    free(m->workspace.memory);
}

static void step(const downhill_kernels *k, struct model *m, const size_t *rows, size_t n)
{
    const downhill_weights_f32 weights = weights_of(m);
    const downhill_batch_u8 batch = {set.x, D, N, set.y, rows, n, 0};
    double loss;
    assert_int_equal(
        downhill_step_u8(k, &batch, &weights, m->packed, &softmax, &loss, &m->workspace, NULL),
        DOWNHILL_OK);
    m->loss += loss;
}

/* Performs a step on the sums of `parts` parts, the last part first. */
static void step_in_parts(const downhill_kernels *k, struct model *m, const size_t *rows, size_t n,
                          size_t parts, bool in_f64)
{
    static int32_t sums_w[C * D], sums_b[C], part_w[C * D], part_b[C];
    static double totals_w[C * D], totals_b[C], part_w_f64[C * D], part_b_f64[C];
    const downhill_gradient_u8 sums = {sums_w, D, sums_b, D, C}, part = {part_w, D, part_b, D, C};
    const downhill_gradient_f64 totals = {totals_w, D, totals_b, D, C},
                                part_f64 = {part_w_f64, D, part_b_f64, D, C};
    memset(sums_w, 0, sizeof sums_w);
    memset(sums_b, 0, sizeof sums_b);
    memset(totals_w, 0, sizeof totals_w);
    memset(totals_b, 0, sizeof totals_b);
    for (size_t p = parts; p-- > 0;) {
        const size_t first = n * p / parts, end = n * (p + 1) / parts;
        const downhill_batch_u8 batch = {set.x, D, N, set.y, rows + first, end - first, 0};
        double loss;
        assert_int_equal(in_f64 ? downhill_loss_grad_u8_f64(k, &batch, m->packed, softmax.loss,
                                                            &part_f64, &loss, &m->workspace, NULL)
                                : downhill_loss_grad_u8(k, &batch, m->packed, softmax.loss, &part,
                                                        &loss, &m->workspace, NULL),
                         DOWNHILL_OK);
        m->loss += loss;
        for (size_t i = 0; i < C * D; i++) {
            sums_w[i] += in_f64 ? 0 : part_w[i];
            totals_w[i] += in_f64 ? part_w_f64[i] : 0.0;
        }
        for (size_t j = 0; j < C; j++) {
            sums_b[j] += in_f64 ? 0 : part_b[j];
            totals_b[j] += in_f64 ? part_b_f64[j] : 0.0;
        }
    }
    const downhill_weights_f32 weights = weights_of(m);
    assert_int_equal(in_f64 ? downhill_update_u8_f64(k, &weights, m->packed, &totals, n, &softmax)
                            : downhill_update_u8(k, &weights, m->packed, &sums, n, &softmax),
                     DOWNHILL_OK);
}

static void assert_same(const struct model *m, const struct model *want, const char *level,
                        const char *how, size_t n)
{
    if (memcmp(m->w, want->w, sizeof m->w) != 0 || memcmp(m->b, want->b, sizeof m->b) != 0 ||
        m->loss != want->loss)
        fail_msg("%s, %zu samples, %s: bits differ", level, n, how);
}

static void test_softmax_u8__training__same_bits_for_every_level_partition_and_order(void **state)
{
    (void)state;
    enum { BATCH = 377, STEPS = 8, PARTS_MAX = 4 };
    struct model want = {.packed = NULL}, m = {.packed = NULL};
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = all_tables(tables);
    double first_loss = 0.0;
    for (size_t t = 0; t < n_tables; t++)
        for (size_t parts = 0; parts <= 2 * PARTS_MAX; parts++) {
            struct model *to = t == 0 && parts == 0 ? &want : &m;
            rng r = rng_seeded(11), within = rng_seeded(parts);
            size_t order[N];
            for (size_t i = 0; i < N; i++)
                order[i] = i;
            start(tables[t], to);
            for (size_t s = 0; s < STEPS; s++) {
                rng_shuffle(&r, order, N);
                size_t rows[BATCH];
                memcpy(rows, order, sizeof rows);
                rng_shuffle(&within, rows, BATCH);
                const double before = to->loss;
                if (parts == 0)
                    step(tables[t], to, rows, BATCH);
                else
                    step_in_parts(tables[t], to, rows, BATCH, (parts + 1) / 2, parts % 2 == 0);
                first_loss = s == 0 ? to->loss : first_loss;
                assert_true(s == 0 || to->loss - before < first_loss);
            }
            assert_same(to, &want, tables[t]->name, "in parts", BATCH);
        }
    finish(&want);
    finish(&m);
}

static void test_softmax_u8__step_of_any_size__same_as_its_parts(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 256, 257, 512, 513, 514, 515, 768, 1500};
    size_t rows[N];
    for (size_t i = 0; i < N; i++)
        rows[i] = N - 1 - i;
    struct model want = {.packed = NULL}, m = {.packed = NULL};
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = all_tables(tables);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (size_t t = 0; t < n_tables; t++) {
            const size_t n = sizes[i];
            if (t == 0) {
                start(tables[0], &want);
                step(tables[0], &want, rows, n);
            }
            start(tables[t], &m);
            step(tables[t], &m, rows, n);
            assert_same(&m, &want, tables[t]->name, "as one step", n);
            start(tables[t], &m);
            step_in_parts(tables[t], &m, rows, n, 1, true);
            assert_same(&m, &want, tables[t]->name, "in f64", n);
            if (n > DOWNHILL_U8_SOFTMAX_N_MAX)
                continue;
            start(tables[t], &m);
            step_in_parts(tables[t], &m, rows, n, 1, false);
            assert_same(&m, &want, tables[t]->name, "in 32 bits", n);
        }
    finish(&want);
    finish(&m);
}

/* The maximum batch of a gradient in 32 bits, with the largest sums: all bytes are 255, and all probabilities are 0 or 1,
 * with a wrong label. One more sample needs f64. */
static void test_softmax_u8__largest_sums__exact(void **state)
{
    (void)state;
    enum { n = DOWNHILL_U8_SOFTMAX_N_MAX, c = 3, d = 40, MANY = 3 * n };
    static const float b[c] = {100.0f, 0.0f, 0.0f};
    static size_t rows[MANY];
    static float w[c * d];
    uint8_t x[d];
    const int32_t y = 1;
    memset(x, UINT8_MAX, sizeof x);
    const size_t packed_bytes = downhill_packed_u8_bytes(d, c),
                 bytes = downhill_workspace_u8_bytes(d, c);
    downhill_packed_u8 *packed = new (packed_bytes, 1);
    const downhill_workspace workspace = {new (bytes, 1), bytes};
    float bias[c];
    memcpy(bias, b, sizeof b);
    const downhill_weights_f32 weights = {w, d, bias, d, c};
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = all_tables(tables);
    for (size_t t = 0; t < n_tables; t++) {
        int32_t sums_w[c * d], sums_b[c];
        double totals_w[c * d], totals_b[c], loss;
        const downhill_gradient_u8 sums = {sums_w, d, sums_b, d, c};
        const downhill_gradient_f64 totals = {totals_w, d, totals_b, d, c};
        downhill_batch_u8 batch = {x, d, 1, &y, rows, n, 0};
        assert_int_equal(downhill_pack_u8(tables[t], &weights, NULL, packed, packed_bytes),
                         DOWNHILL_OK);
        assert_int_equal(downhill_loss_grad_u8(tables[t], &batch, packed, softmax.loss, &sums,
                                               &loss, &workspace, NULL),
                         DOWNHILL_OK);
        const int32_t max = n * DOWNHILL_SOFTMAX_ONE;
        assert_true(sums_b[0] == max && sums_b[1] == -max && sums_b[2] == 0);
        assert_true(loss == 100.0 * n);
        for (size_t k = 0; k < d; k++)
            assert_true(sums_w[k] == max * UINT8_MAX && sums_w[d + k] == -max * UINT8_MAX &&
                        sums_w[2 * d + k] == 0);
        batch.n = MANY;
        assert_int_equal(downhill_loss_grad_u8_f64(tables[t], &batch, packed, softmax.loss, &totals,
                                                   &loss, &workspace, NULL),
                         DOWNHILL_OK);
        assert_true(totals_b[0] == 3.0 * max && totals_b[1] == -3.0 * max && totals_b[2] == 0.0);
        assert_true(loss == 100.0 * MANY);
        for (size_t k = 0; k < d; k++)
            assert_true(totals_w[k] == 3.0 * max * UINT8_MAX &&
                        totals_w[d + k] == -3.0 * max * UINT8_MAX && totals_w[2 * d + k] == 0.0);
    }
    free(packed);
    free(workspace.memory);
}

/* Where the two gradients hold the same sums, so do the updated weights. */
static void test_softmax_u8__updates_from_32_bits_and_f64__same_bits(void **state)
{
    (void)state;
    static int32_t sums_w[C * D], sums_b[C];
    static double totals_w[C * D], totals_b[C];
    const downhill_gradient_u8 sums = {sums_w, D, sums_b, D, C};
    const downhill_gradient_f64 totals = {totals_w, D, totals_b, D, C};
    rng r = rng_seeded(9);
    for (size_t i = 0; i < C * D; i++)
        totals_w[i] = sums_w[i] = (int32_t)rng_between(&r, INT32_MIN, INT32_MAX);
    for (size_t j = 0; j < C; j++)
        totals_b[j] = sums_b[j] = (int32_t)rng_between(&r, -DOWNHILL_U8_NC_MAX, DOWNHILL_U8_NC_MAX);
    sums_w[0] = INT32_MIN;
    totals_w[0] = INT32_MIN;
    struct model want = {.packed = NULL}, m = {.packed = NULL};
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = all_tables(tables);
    for (size_t t = 0; t < n_tables; t++) {
        const downhill_weights_f32 first = weights_of(&want), second = weights_of(&m);
        start(tables[t], &want);
        start(tables[t], &m);
        assert_int_equal(downhill_update_u8(tables[t], &first, want.packed, &sums, 500, &softmax),
                         DOWNHILL_OK);
        assert_int_equal(
            downhill_update_u8_f64(tables[t], &second, m.packed, &totals, 500, &softmax),
            DOWNHILL_OK);
        assert_same(&m, &want, tables[t]->name, "update in f64", 500);
    }
    finish(&want);
    finish(&m);
}

/* ---- accuracy ---- */

/* Checks the results of a row whose label has the score s_0, and whose other classes have the score s_1: that the dscores
 * are these, and that the loss is within its bound. */
static void check_label(int32_t label, size_t c, double s_0, double s_1, int16_t g_0, int16_t g_1)
{
    double *scores = new (c, sizeof *scores), loss;
    int16_t *dscores = new (c, sizeof *dscores);
    for (size_t j = 0; j < c; j++)
        scores[j] = j == (size_t)label ? s_0 : s_1;
    const double max = c > 1 && s_1 > s_0 ? s_1 : s_0;
    const double e_0 = exp(s_0 - max), others = (double)(c - 1) * exp(s_1 - max), z = e_0 + others;
    /* F of downhill.h: an exponential is within 1.7u of that of its argument, which is rounded. */
    const double moved = (e_0 * (max - s_0) + others * (max - s_1)) / z,
                 f = (1.7 + moved) * 0x1p-24 + (double)c * 0x1p-38;
    const double want = log(z) + (max - s_0);
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = all_tables(tables);
    for (size_t t = 0; t < n_tables; t++) {
        memset(dscores, 7, c * sizeof *dscores);
        assert_int_equal(downhill_softmax_u8(tables[t], F64(scores, c, 1, c), &label,
                                             I16(dscores, c, 1, c), &loss),
                         DOWNHILL_OK);
        for (size_t j = 0; j < c; j++)
            assert_int_equal(dscores[j], j == (size_t)label ? g_0 : g_1);
        assert_true(fabs(loss - want) <= 0x1p-21 + f + 0x1p-41 + 0x1p-51 * want);
    }
    free(scores);
    free(dscores);
}

/* Checks a row with its first, its last and another class as the label. */
static void check_row(size_t c, double s_0, double s_1, int16_t g_0, int16_t g_1)
{
    check_label(0, c, s_0, s_1, g_0, g_1);
    check_label((int32_t)(c - 1), c, s_0, s_1, g_0, g_1);
    check_label((int32_t)(c * 2 / 3), c, s_0, s_1, g_0, g_1);
}

static void test_softmax_u8__ends_of_the_range__accurate(void **state)
{
    (void)state;
    enum { ONE = DOWNHILL_SOFTMAX_ONE, MANY = DOWNHILL_U8_C_MAX };
    check_row(1, 0.0, 0.0, 0, 0);
    check_row(1, -1e300, -1e300, 0, 0);
    check_row(2, 5.0, 5.0, -ONE / 2, ONE / 2);
    check_row(2, -5.0, -5.0, -ONE / 2, ONE / 2);
    /* Probabilities of 0 and 1. */
    check_row(9, 1e9, -1e9, 0, 0);
    check_row(2, -1e9, 1e9, -ONE, ONE);
    check_row(2, -50.0, 50.0, -ONE, ONE);
    /* A second class just below and above half a unit, 2⁻¹⁵, and one and a half. */
    check_row(2, 0.0, log(0x1p-15) - 1e-2, 0, 0);
    check_row(2, 0.0, log(0x1p-15) + 1e-2, -1, 1);
    check_row(2, 0.0, log(0x3p-15) - 1e-2, -1, 1);
    check_row(2, 0.0, log(0x3p-15) + 1e-2, -2, 2);
    check_row(2, log(0x1p-15) - 1e-2, 0.0, -ONE, ONE);
    check_row(2, log(0x1p-15) + 1e-2, 0.0, 1 - ONE, ONE - 1);
    /* Many classes: exactly one unit, two units, and half a unit, which is rounded to even. */
    check_row(ONE, 3.0, 3.0, 1 - ONE, 1);
    check_row(ONE / 2, 3.0, 3.0, 2 - ONE, 2);
    check_row(MANY, 3.0, 3.0, -ONE, 0);
    check_row(MANY, 3.0, 3.0 - 30.0, 0, 0);
    check_row(MANY, 3.0 - 30.0, 3.0, -ONE, 1);
}

/* The header promises 2⁻⁴¹ between 1 and the maximum number of classes. */
static void test_softmax_u8__logarithm__within_its_bound(void **state)
{
    (void)state;
    long double worst = 0.0L;
    for (double z = 1.0; z <= DOWNHILL_U8_C_MAX; z *= 1.00001) {
        const long double error = fabsl(ln_f64(z) - logl((long double)z));
        worst = error > worst ? error : worst;
    }
    print_message("logarithm: largest error %.3Lf * 2^-41\n", worst * 0x1p41L);
    assert_true(worst > 0.0L && worst < 0x1p-41L);
    assert_true(ln_f64(1.0) == 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_softmax_u8__training__same_bits_for_every_level_partition_and_order),
        cmocka_unit_test(test_softmax_u8__step_of_any_size__same_as_its_parts),
        cmocka_unit_test(test_softmax_u8__largest_sums__exact),
        cmocka_unit_test(test_softmax_u8__updates_from_32_bits_and_f64__same_bits),
        cmocka_unit_test(test_softmax_u8__ends_of_the_range__accurate),
        cmocka_unit_test(test_softmax_u8__logarithm__within_its_bound),
    };
    return cmocka_run_group_tests_name("softmax_u8", tests, draw_set, NULL);
}
