/* SPDX-License-Identifier: MIT
 *
 * Operations on bytes, beyond the cases of verify: training gives the same bits for every level,
 * partition and order, and every limit is tested at its value and one past it. */
#include "matrices.h"
#include "u8_support.h"

#include "base/rng.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- a training run ---- */

enum { N = 300, D = 211, C = 7, BATCH = 93, STEPS = 50, PARTS_MAX = 4 };

struct set {
    uint8_t x[N * D];
    int32_t y[N];
    uint16_t mean[D];
    float scale[D];
};

static void draw_set(struct set *s)
{
    rng r = rng_seeded(7);
    for (size_t i = 0; i < N; i++) {
        s->y[i] = (int32_t)rng_below(&r, C);
        for (size_t k = 0; k < D; k++) /* depends on the label */
            s->x[i * D + k] =
                (uint8_t)(k % C == (size_t)s->y[i] ? 90 + rng_below(&r, 166) : rng_below(&r, 200));
    }
    for (size_t k = 0; k < D; k++) {
        s->mean[k] = (uint16_t)rng_below(&r, 65281);
        s->scale[k] = 1e-2f + (float)rng_below(&r, 100) * 5e-5f;
    }
}

struct run {
    float w[C * D], b[C];
    double losses[STEPS];
    double scores[N * C];
};

/* Trains on minibatches that are split into `parts` parts whose sums are added. Each seed other
 * than 0 gives another order of the samples within a minibatch. */
static void train(const downhill_kernels *k, const struct set *s, size_t parts, uint64_t seed,
                  struct run *run)
{
    const size_t packed_bytes = downhill_packed_u8_bytes(D, C);
    const size_t workspace_bytes = downhill_workspace_u8_bytes(D, C);
    downhill_packed_u8 *packed = new (packed_bytes, 1);
    const downhill_workspace workspace = {new (workspace_bytes, 1), workspace_bytes};
    const downhill_norm_u8 norm = {s->mean, s->scale};
    const downhill_sgd *sgd = HINGE(1.0f, 0.1f, 0.01f);
    memset(run, 0, sizeof *run);
    const downhill_weights_f32 weights = {run->w, D, run->b, D, C};
    assert_int_equal(downhill_pack_u8(k, &weights, &norm, packed, packed_bytes), DOWNHILL_OK);
    rng r = rng_seeded(11), within = rng_seeded(seed);
    size_t order[N];
    for (size_t i = 0; i < N; i++)
        order[i] = i;
    for (size_t step = 0; step < STEPS; step++) {
        rng_shuffle(&r, order, N);
        size_t rows[BATCH];
        memcpy(rows, order, sizeof rows);
        if (seed != 0)
            rng_shuffle(&within, rows, BATCH);
        downhill_batch_u8 batch = {s->x, D, N, s->y, rows, BATCH, 0};
        if (parts == 1) {
            assert_int_equal(downhill_step_u8(k, &batch, &weights, packed, sgd, &run->losses[step],
                                              &workspace, NULL),
                             DOWNHILL_OK);
            continue;
        }
        int32_t sums_w[C * D] = {0}, sums_b[C] = {0}, part_w[C * D], part_b[C];
        for (size_t p = 0, first = 0; p < parts; p++) {
            const size_t end = BATCH * (p + 1) / parts;
            const downhill_gradient_u8 part = {part_w, D, part_b, D, C};
            double loss;
            batch.rows = rows + first;
            batch.n = end - first;
            first = end;
            assert_int_equal(
                downhill_loss_grad_u8(k, &batch, packed, sgd->loss, &part, &loss, &workspace, NULL),
                DOWNHILL_OK);
            run->losses[step] += loss;
            for (size_t i = 0; i < C * D; i++)
                sums_w[i] += part_w[i];
            for (size_t j = 0; j < C; j++)
                sums_b[j] += part_b[j];
        }
        const downhill_gradient_u8 sums = {sums_w, D, sums_b, D, C};
        assert_int_equal(downhill_update_u8(k, &weights, packed, &sums, BATCH, sgd), DOWNHILL_OK);
    }
    const downhill_batch_u8 all = {s->x, D, N, NULL, NULL, N, 0};
    assert_int_equal(downhill_score_u8(k, &all, packed, F64(run->scores, C, N, C)), DOWNHILL_OK);
    free(packed);
    free(workspace.memory);
}

static void test_u8__training__same_bits_for_every_level_partition_and_order(void **state)
{
    (void)state;
    struct set *s = new (1, sizeof *s);
    struct run *first = new (1, sizeof *first), *run = new (1, sizeof *run);
    draw_set(s);
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = all_tables(tables);
    train(tables[0], s, 1, 0, first);
    assert_true(first->losses[0] == (double)BATCH * (C - 1)); /* of zero weights */
    assert_true(first->losses[STEPS - 1] < 0.5 * first->losses[0]);
    for (size_t t = 0; t < n_tables; t++)
        for (size_t parts = 1; parts <= PARTS_MAX; parts++)
            for (uint64_t seed = 0; seed < 3; seed++) {
                train(tables[t], s, parts, seed, run);
                if (memcmp(run, first, sizeof *run) != 0)
                    fail_msg("%s, %zu parts, order %d: bits differ", tables[t]->name, parts,
                             (int)seed);
            }
    free(s);
    free(first);
    free(run);
}

/* ---- limits ---- */

/* Checks the score of one class with all weights equal and all bytes 255. */
static void check_largest(const downhill_kernels *k, size_t d, float w, float b)
{
    const size_t bytes = downhill_packed_u8_bytes(d, 1);
    uint8_t *x = new (d, 1);
    float *weights = new (d, sizeof *weights);
    downhill_packed_u8 *packed = new (bytes, 1);
    uint16_t *mean = new (d, sizeof *mean);
    memset(x, UINT8_MAX, d);
    for (size_t i = 0; i < d; i++) {
        weights[i] = w;
        mean[i] = i % 2 == 0 ? 0 : 1;
    }
    const downhill_weights_f32 model = {weights, d, &b, d, 1};
    const downhill_batch_u8 batch = {x, d, 1, NULL, NULL, 1, 0};
    const downhill_norm_u8 norm = {mean, NULL};
    double score;
    assert_int_equal(downhill_pack_u8(k, &model, &norm, packed, bytes), DOWNHILL_OK);
    assert_int_equal(downhill_score_u8(k, &batch, packed, F64(&score, 1, 1, 1)), DOWNHILL_OK);
    /* The sum of the exact products is itself exact in f64. */
    const double exact = (double)w * (255.0 * (double)d - (double)(d / 2) / 256.0) + (double)b;
    if (score != exact)
        fail_msg("%s: d %zu, w %a: score %a, not %a", k->name, d, (double)w, score, exact);
    free(x);
    free(weights);
    free(packed);
    free(mean);
}

static void test_u8__largest_sums__exact(void **state)
{
    (void)state;
    static const size_t ds[] = {1023, 1024, 1025, 2048, 16384, 16385, DOWNHILL_U8_D_MAX};
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = all_tables(tables);
    for (size_t t = 0; t < n_tables; t++)
        for (size_t i = 0; i < sizeof ds / sizeof ds[0]; i++) {
            check_largest(tables[t], ds[i], 32639.0f, 0x1.FFFFFEp39f);
            check_largest(tables[t], ds[i], -32639.0f, -0x1.FFFFFEp39f);
        }
}

static void test_u8__sizes_past_the_limits__refused(void **state)
{
    (void)state;
    assert_true(downhill_packed_u8_bytes(DOWNHILL_U8_D_MAX, 1) > 0);
    assert_true(downhill_packed_u8_bytes(1, DOWNHILL_U8_C_MAX) > 0);
    assert_true(downhill_workspace_u8_bytes(DOWNHILL_U8_D_MAX, 1) > 0);
    assert_true(downhill_workspace_u8_bytes(1, DOWNHILL_U8_C_MAX) > 0);
    static const struct {
        size_t d, c;
    } bad[] = {{DOWNHILL_U8_D_MAX + 1, 1}, {1, DOWNHILL_U8_C_MAX + 1}, {0, 1}, {1, 0}};
    float *w = new (DOWNHILL_U8_D_MAX + 1, sizeof *w);
    downhill_packed_u8 *room = new (4096, 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(downhill_packed_u8_bytes(bad[i].d, bad[i].c), 0);
        assert_int_equal(downhill_workspace_u8_bytes(bad[i].d, bad[i].c), 0);
        const downhill_weights_f32 weights = {w, bad[i].d, NULL, bad[i].d, bad[i].c};
        assert_int_equal(downhill_pack_u8(NULL, &weights, NULL, room, 4096), DOWNHILL_ERR_SIZE);
        int32_t b;
        const downhill_gradient_u8 sums = {(int32_t *)(void *)w, bad[i].d, &b, bad[i].d, bad[i].c};
        const uint8_t x = 0;
        const downhill_batch_u8 batch = {&x, bad[i].d, 1, NULL, NULL, 1, 0};
        int16_t g = 0;
        assert_int_equal(downhill_grad_u8(NULL, &batch, I16(&g, bad[i].c, 1, bad[i].c), 0, &sums),
                         DOWNHILL_ERR_SIZE);
    }
    free(room);
    free(w);
}

/* The dscore of a label counts all other classes. */
static void test_u8__max_classes__counted(void **state)
{
    (void)state;
    enum { MANY = DOWNHILL_U8_C_MAX };
    double *scores = new (MANY, sizeof *scores), loss;
    int16_t *dscores = new (MANY, sizeof *dscores);
    const int32_t label = 5;
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = all_tables(tables);
    for (size_t t = 0; t < n_tables; t++) {
        assert_int_equal(downhill_hinge_u8(tables[t], F64(scores, MANY, 1, MANY), &label, 1.0f,
                                           I16(dscores, MANY, 1, MANY), &loss),
                         DOWNHILL_OK);
        assert_int_equal(dscores[label], -(MANY - 1));
        assert_true(loss == (double)(MANY - 1));
    }
    assert_int_equal(downhill_hinge_u8(NULL, F64(scores, MANY + 1, 1, MANY + 1), &label, 1.0f,
                                       I16(dscores, MANY + 1, 1, MANY + 1), &loss),
                     DOWNHILL_ERR_SIZE);
    free(scores);
    free(dscores);
}

/* The maximum number of samples whose sums fit 32 bits, and one more, whose sums need f64. */
static void test_u8__max_samples__sums_at_their_bound(void **state)
{
    (void)state;
    enum { c = 65, OTHERS = c - 1, n = DOWNHILL_U8_NC_MAX / OTHERS };
    _Static_assert(n * OTHERS == DOWNHILL_U8_NC_MAX, "at the bound");
    const uint8_t x = UINT8_MAX;
    const int32_t y = 0;
    float w[c] = {0};
    size_t *rows = new (n + 1, sizeof *rows);
    int16_t *dscores = new (c * (n + 1), sizeof *dscores);
    const size_t packed_bytes = downhill_packed_u8_bytes(1, c);
    const size_t workspace_bytes = downhill_workspace_u8_bytes(1, c);
    downhill_packed_u8 *packed = new (packed_bytes, 1);
    const downhill_workspace workspace = {new (workspace_bytes, 1), workspace_bytes};
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            dscores[i * c + j] = j == 0 ? OTHERS : -1;
    const downhill_weights_f32 weights = {w, 1, NULL, 1, c};
    const downhill_sgd *sgd = HINGE(1.0f, 1.0f, 0.0f);
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = all_tables(tables);
    for (size_t t = 0; t < n_tables; t++) {
        const downhill_kernels *k = tables[t];
        int32_t sums_w[c] = {7, 7}, sums_b[c] = {7, 7};
        double totals_w[c], totals_b[c];
        const downhill_gradient_u8 sums = {sums_w, 1, sums_b, 1, c};
        const downhill_gradient_f64 totals = {totals_w, 1, totals_b, 1, c};
        downhill_batch_u8 batch = {&x, 1, 1, &y, rows, n + 1, 0};
        double loss = 7.0;
        assert_int_equal(downhill_pack_u8(k, &weights, NULL, packed, packed_bytes), DOWNHILL_OK);
        /* One past the bound: nothing is written. */
        dscores[c * n] = 1;
        assert_int_equal(
            downhill_loss_grad_u8(k, &batch, packed, sgd->loss, &sums, &loss, &workspace, NULL),
            DOWNHILL_ERR_RANGE);
        assert_int_equal(downhill_grad_u8(k, &batch, I16(dscores, c, batch.n, c), 0, &sums),
                         DOWNHILL_ERR_RANGE);
        assert_true(sums_w[0] == 7 && sums_b[1] == 7 && loss == 7.0);
        /* At the bound. */
        batch.n = n;
        dscores[c * n] = 0;
        assert_int_equal(
            downhill_loss_grad_u8(k, &batch, packed, sgd->loss, &sums, &loss, &workspace, NULL),
            DOWNHILL_OK);
        assert_int_equal(sums_w[0], -INT32_C(2147483520));
        assert_int_equal(sums_b[0], -DOWNHILL_U8_NC_MAX);
        assert_int_equal(sums_w[c - 1], n * UINT8_MAX);
        assert_true(loss == (double)DOWNHILL_U8_NC_MAX);
        assert_int_equal(downhill_grad_u8(k, &batch, I16(dscores, c, batch.n, c), 0, &sums),
                         DOWNHILL_OK);
        assert_int_equal(sums_w[0], INT32_C(2147483520));
        assert_int_equal(sums_w[c - 1], -n * UINT8_MAX);
        /* Past the bound in f64, in halves and as a step. */
        batch.n = n + 1;
        assert_int_equal(downhill_loss_grad_u8_f64(k, &batch, packed, sgd->loss, &totals, &loss,
                                                   &workspace, NULL),
                         DOWNHILL_OK);
        assert_true(totals_w[0] == -255.0 * (n + 1) * OTHERS && totals_b[0] == -64.0 * (n + 1));
        assert_true(totals_w[c - 1] == 255.0 * (n + 1) && loss == 64.0 * (n + 1));
        float halves[c];
        assert_int_equal(downhill_update_u8_f64(k, &weights, packed, &totals, batch.n, sgd),
                         DOWNHILL_OK);
        assert_true(w[0] == 255.0f * OTHERS && w[c - 1] == -255.0f);
        memcpy(halves, w, sizeof w);
        memset(w, 0, sizeof w);
        assert_int_equal(downhill_pack_u8(k, &weights, NULL, packed, packed_bytes), DOWNHILL_OK);
        assert_int_equal(
            downhill_step_u8(k, &batch, &weights, packed, sgd, &loss, &workspace, NULL),
            DOWNHILL_OK);
        assert_memory_equal(w, halves, sizeof w);
        assert_true(loss == 64.0 * (n + 1));
        memset(w, 0, sizeof w);
    }
    free(rows);
    free(dscores);
    free(packed);
    free(workspace.memory);
}

/* The step on one sample has its own code path, which must treat zeros of either sign alike. */
/* Checks that packed weights have the scores of the weights, packed anew. */
static void assert_packed(const downhill_kernels *kernels, const downhill_batch_u8 *batch,
                          const downhill_weights_f32 *weights, const downhill_packed_u8 *packed)
{
    const size_t c = weights->c, bytes = downhill_packed_u8_bytes(weights->d, c);
    downhill_packed_u8 *fresh = new (bytes, 1);
    double *scores = new (c, sizeof *scores), *want = new (c, sizeof *want);
    assert_int_equal(downhill_pack_u8(kernels, weights, NULL, fresh, bytes), DOWNHILL_OK);
    assert_int_equal(downhill_score_u8(kernels, batch, fresh, F64(want, c, 1, c)), DOWNHILL_OK);
    assert_int_equal(downhill_score_u8(kernels, batch, packed, F64(scores, c, 1, c)), DOWNHILL_OK);
    assert_memory_equal(scores, want, c * sizeof *scores);
    free(fresh);
    free(scores);
    free(want);
}

/* A step on one sample leaves panels alone of which all margins are met, if the weights do not decay. */
static void test_u8__step_on_one_sample__same_as_its_parts(void **state)
{
    (void)state;
    enum { d = 100, c = 25, label = 7, first_met = 8, end_met = 18, N_SETTINGS = 2 };
    uint8_t x[d];
    const int32_t y = label;
    for (size_t k = 0; k < d; k++)
        x[k] = (uint8_t)(k % 3 == 0 ? 0 : k);
    const size_t packed_bytes = downhill_packed_u8_bytes(d, c);
    const size_t workspace_bytes = downhill_workspace_u8_bytes(d, c);
    downhill_packed_u8 *packed = new (packed_bytes, 1);
    const downhill_workspace workspace = {new (workspace_bytes, 1), workspace_bytes};
    const downhill_batch_u8 batch = {x, d, 1, &y, NULL, 1, 0};
    const downhill_sgd *const settings[N_SETTINGS] = {HINGE(1.0f, 1e-3f, 10.0f),
                                                      HINGE(1.0f, 1e-3f, 0.0f)};
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = all_tables(tables);
    for (size_t t = 0; t < n_tables * N_SETTINGS; t++) {
        const downhill_kernels *kernels = tables[t / N_SETTINGS];
        const downhill_sgd *sgd = settings[t % N_SETTINGS];
        float w[2][c * d], b[2][c];
        for (int fused = 0; fused < 2; fused++) {
            int32_t sums_w[c * d], sums_b[c];
            const downhill_weights_f32 weights = {w[fused], d, b[fused], d, c};
            const downhill_gradient_u8 sums = {sums_w, d, sums_b, d, c};
            double loss = 0.0;
            for (size_t i = 0; i < c * d; i++)
                w[fused][i] = i % 2 ? -0.0f : i % 4 ? 0.0f : (float)i * 1e-6f;
            for (size_t j = 0; j < c; j++) /* others are met between those that are not, too */
                b[fused][j] = (j >= first_met && j < end_met) || j % 5 == 1 ? -100.0f : -0.0f;
            assert_int_equal(downhill_pack_u8(kernels, &weights, NULL, packed, packed_bytes),
                             DOWNHILL_OK);
            if (fused) {
                assert_int_equal(downhill_step_u8(kernels, &batch, &weights, packed, sgd, &loss,
                                                  &workspace, NULL),
                                 DOWNHILL_OK);
            } else {
                assert_int_equal(downhill_loss_grad_u8(kernels, &batch, packed, sgd->loss, &sums,
                                                       &loss, &workspace, NULL),
                                 DOWNHILL_OK);
                assert_true(sums_b[label] < 0);
                for (size_t j = first_met; j < end_met; j++)
                    assert_int_equal(sums_b[j], 0);
                assert_int_equal(downhill_update_u8(kernels, &weights, packed, &sums, 1, sgd),
                                 DOWNHILL_OK);
            }
            assert_packed(kernels, &batch, &weights, packed);
        }
        assert_memory_equal(w[0], w[1], sizeof w[0]);
        assert_memory_equal(b[0], b[1], sizeof b[0]);
    }
    free(packed);
    free(workspace.memory);
}

static void test_u8__sums_that_leave_their_range__wrap(void **state)
{
    (void)state;
    enum { d = 100, c = 11, samples = 9 };
    uint8_t x[samples * d];
    int16_t dscores[samples * c];
    memset(x, UINT8_MAX, sizeof x);
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = all_tables(tables);
    for (size_t t = 0; t < n_tables; t++)
        for (size_t n = 1; n <= samples; n += 4)
            for (int g = -300; g <= 300; g += 150) { /* within and beyond 8 bits */
                int32_t w[c * d], b[c];
                for (size_t i = 0; i < samples * c; i++)
                    dscores[i] = (int16_t)g;
                for (size_t i = 0; i < c * d; i++)
                    w[i] = g > 0 ? INT32_MAX : INT32_MIN;
                for (size_t j = 0; j < c; j++)
                    b[j] = w[0];
                const downhill_batch_u8 batch = {x, d, samples, NULL, NULL, n, 0};
                const downhill_gradient_u8 sums = {w, d, b, d, c};
                assert_int_equal(
                    downhill_grad_u8(tables[t], &batch, I16(dscores, c, n, c), 1, &sums),
                    DOWNHILL_OK);
                const uint32_t start = (uint32_t)(g > 0 ? INT32_MAX : INT32_MIN);
                const uint32_t moved = (uint32_t)((int)n * g);
                for (size_t i = 0; i < c * d; i++)
                    assert_int_equal((uint32_t)w[i], start + moved * UINT8_MAX);
                for (size_t j = 0; j < c; j++)
                    assert_int_equal((uint32_t)b[j], start + moved);
            }
}

/* The minimum dscore, as often as is safe without checking the sums. */
static void test_u8__min_dscore__exact(void **state)
{
    (void)state;
    enum { d = 70, c = 2, n = DOWNHILL_U8_NC_MAX / -INT16_MIN };
    static uint8_t x[(n + 1) * d];
    static int16_t dscores[(n + 1) * c];
    int32_t w[c * d], b[c];
    memset(x, UINT8_MAX, sizeof x);
    for (size_t i = 0; i < (n + 1) * c; i++)
        dscores[i] = INT16_MIN;
    const downhill_gradient_u8 sums = {w, d, b, d, c};
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = all_tables(tables);
    for (size_t t = 0; t < n_tables; t++) {
        downhill_batch_u8 batch = {x, d, n + 1, NULL, NULL, n, 0};
        assert_int_equal(downhill_grad_u8(tables[t], &batch, I16(dscores, c, batch.n, c), 0, &sums),
                         DOWNHILL_OK);
        for (size_t i = 0; i < c * d; i++)
            assert_int_equal(w[i], n * INT16_MIN * UINT8_MAX);
        batch.n = n + 1;
        assert_int_equal(downhill_grad_u8(tables[t], &batch, I16(dscores, c, batch.n, c), 0, &sums),
                         DOWNHILL_ERR_RANGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_u8__training__same_bits_for_every_level_partition_and_order),
        cmocka_unit_test(test_u8__largest_sums__exact),
        cmocka_unit_test(test_u8__sizes_past_the_limits__refused),
        cmocka_unit_test(test_u8__max_classes__counted),
        cmocka_unit_test(test_u8__max_samples__sums_at_their_bound),
        cmocka_unit_test(test_u8__step_on_one_sample__same_as_its_parts),
        cmocka_unit_test(test_u8__sums_that_leave_their_range__wrap),
        cmocka_unit_test(test_u8__min_dscore__exact),
    };
    return cmocka_run_group_tests_name("u8", tests, NULL, NULL);
}
