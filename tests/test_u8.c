/* SPDX-License-Identifier: MIT
 *
 * The operations on bytes beyond what verify walks: training that ends in the same bits however it is
 * done, the ends of every range and one step beyond, arguments that are refused, and bugs that verify
 * must not miss. */
#include "cmocka_all.h"

#include "base/error.h"
#include "base/levels.h"
#include "base/rng.h"
#include "verify/verify.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void *new (size_t count, size_t bytes)
{
    void *p = calloc(count, bytes);
    assert_non_null(p);
    return p;
}

static size_t all_tables(const downhill_kernels *tables[LEVELS_MAX])
{
    const size_t count = levels_to_run(NULL, tables);
    assert_true(count > 0);
    return count;
}

/* ---- a training run ---- */

enum { N = 300, D = 211, C = 7, BATCH = 93, STEPS = 50, PARTS_MAX = 4 };

struct set {
    uint8_t x[N * D];
    int32_t y[N];
    uint16_t mean[D];
    float gain[D];
};

static void draw_set(struct set *s)
{
    rng r = rng_seeded(7);
    for (size_t i = 0; i < N; i++) {
        s->y[i] = (int32_t)rng_below(&r, C);
        for (size_t k = 0; k < D; k++) /* something to learn */
            s->x[i * D + k] =
                (uint8_t)(k % C == (size_t)s->y[i] ? 90 + rng_below(&r, 166) : rng_below(&r, 200));
    }
    for (size_t k = 0; k < D; k++) {
        s->mean[k] = (uint16_t)rng_below(&r, 65281);
        s->gain[k] = 1e-4f + (float)rng_below(&r, 100) * 1e-6f;
    }
}

struct run {
    float w[C * D], b[C];
    double losses[STEPS];
    double scores[N * C];
};

/* Each minibatch in `parts` parts whose sums are added, its samples in another order for every seed. */
static void train(const downhill_kernels *k, const struct set *s, size_t parts, uint64_t seed,
                  struct run *run)
{
    const size_t packed_bytes = downhill_packed_u8_bytes(D, C);
    const size_t workspace_bytes = downhill_workspace_u8(D, C);
    void *packed = new (packed_bytes, 1), *workspace = new (workspace_bytes, 1);
    const downhill_norm_u8 norm = {s->mean, s->gain};
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
            assert_int_equal(downhill_step_u8(k, &batch, &weights, 1.0f, 0.999f, 0.1f / BATCH,
                                              &run->losses[step], packed, workspace,
                                              workspace_bytes, NULL),
                             DOWNHILL_OK);
            continue;
        }
        int32_t sums_w[C * D] = {0}, sums_b[C] = {0}, part_w[C * D], part_b[C];
        for (size_t p = 0, first = 0; p < parts; p++) {
            const size_t end = BATCH * (p + 1) / parts;
            const downhill_sums_u8 part = {part_w, D, part_b, D, C};
            double loss;
            batch.rows = rows + first;
            batch.n = end - first;
            first = end;
            assert_int_equal(downhill_loss_grad_u8(k, &batch, packed, 1.0f, &part, &loss, workspace,
                                                   workspace_bytes, NULL),
                             DOWNHILL_OK);
            run->losses[step] += loss;
            for (size_t i = 0; i < C * D; i++)
                sums_w[i] += part_w[i];
            for (size_t j = 0; j < C; j++)
                sums_b[j] += part_b[j];
        }
        const downhill_sums_u8 sums = {sums_w, D, sums_b, D, C};
        assert_int_equal(downhill_update_u8(k, &weights, &sums, 0.999f, 0.1f / BATCH, packed),
                         DOWNHILL_OK);
    }
    const downhill_batch_u8 all = {s->x, D, N, NULL, NULL, N, 0};
    assert_int_equal(downhill_score_u8(k, &all, packed, run->scores, C), DOWNHILL_OK);
    free(packed);
    free(workspace);
}

static void test_u8__training__the_same_bits_however_it_is_done(void **state)
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
                    fail_msg("%s, %zu parts, order %d: other bits", tables[t]->name, parts,
                             (int)seed);
            }
    free(s);
    free(first);
    free(run);
}

/* ---- the ends of the ranges ---- */

/* d features of one class, the weights all the same, the bytes all 255. */
static void check_largest(const downhill_kernels *k, size_t d, float w, float b)
{
    const size_t bytes = downhill_packed_u8_bytes(d, 1);
    uint8_t *x = new (d, 1);
    float *weights = new (d, sizeof *weights);
    void *packed = new (bytes, 1);
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
    assert_int_equal(downhill_score_u8(k, &batch, packed, &score, 1), DOWNHILL_OK);
    /* The sum of the exact products is itself exact in f64. */
    const double whole = (double)w * (255.0 * (double)d - (double)(d / 2) / 256.0) + (double)b;
    if (score != whole)
        fail_msg("%s: d %zu, w %a: score %a, not %a", k->name, d, (double)w, score, whole);
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

static void test_u8__sizes__refused_one_beyond(void **state)
{
    (void)state;
    assert_true(downhill_packed_u8_bytes(DOWNHILL_U8_D_MAX, 1) > 0);
    assert_true(downhill_packed_u8_bytes(1, DOWNHILL_U8_C_MAX) > 0);
    assert_true(downhill_workspace_u8(DOWNHILL_U8_D_MAX, 1) > 0);
    assert_true(downhill_workspace_u8(1, DOWNHILL_U8_C_MAX) > 0);
    static const struct {
        size_t d, c;
    } bad[] = {{DOWNHILL_U8_D_MAX + 1, 1}, {1, DOWNHILL_U8_C_MAX + 1}, {0, 1}, {1, 0}};
    float *w = new (DOWNHILL_U8_D_MAX + 1, sizeof *w);
    char room[4096];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(downhill_packed_u8_bytes(bad[i].d, bad[i].c), 0);
        assert_int_equal(downhill_workspace_u8(bad[i].d, bad[i].c), 0);
        const downhill_weights_f32 weights = {w, bad[i].d, NULL, bad[i].d, bad[i].c};
        assert_int_equal(downhill_pack_u8(NULL, &weights, NULL, room, sizeof room),
                         DOWNHILL_ERR_SIZE);
        int32_t b;
        const downhill_sums_u8 sums = {(int32_t *)(void *)w, bad[i].d, &b, bad[i].d, bad[i].c};
        const uint8_t x = 0;
        const downhill_batch_u8 batch = {&x, bad[i].d, 1, NULL, NULL, 1, 0};
        const int16_t g = 0;
        assert_int_equal(downhill_grad_u8(NULL, &batch, &g, bad[i].c, 0, &sums), DOWNHILL_ERR_SIZE);
    }
    free(w);
}

/* Many classes: a label's dscore is their number. */
static void test_u8__most_classes__counted(void **state)
{
    (void)state;
    enum { MANY = DOWNHILL_U8_C_MAX };
    double *scores = new (MANY, sizeof *scores), loss;
    int16_t *dscores = new (MANY, sizeof *dscores);
    const int32_t label = 5;
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = all_tables(tables);
    for (size_t t = 0; t < n_tables; t++) {
        assert_int_equal(
            downhill_hinge_u8(tables[t], 1, MANY, scores, MANY, &label, 1.0f, dscores, MANY, &loss),
            DOWNHILL_OK);
        assert_int_equal(dscores[label], -(MANY - 1));
        assert_true(loss == (double)(MANY - 1));
    }
    assert_int_equal(downhill_hinge_u8(NULL, 1, MANY + 1, scores, MANY + 1, &label, 1.0f, dscores,
                                       MANY + 1, &loss),
                     DOWNHILL_ERR_SIZE);
    free(scores);
    free(dscores);
}

/* As many samples as the sums hold, and one more. */
static void test_u8__most_samples__sums_at_their_bound(void **state)
{
    (void)state;
    enum { MANY = DOWNHILL_U8_NC_MAX };
    const uint8_t x = UINT8_MAX;
    const int32_t y = 0;
    float w[2] = {0};
    size_t *rows = new (MANY + 1, sizeof *rows);
    int16_t *dscores = new (2 * (MANY + 1), sizeof *dscores);
    const size_t packed_bytes = downhill_packed_u8_bytes(1, 2);
    const size_t workspace_bytes = downhill_workspace_u8(1, 2);
    void *packed = new (packed_bytes, 1), *workspace = new (workspace_bytes, 1);
    for (size_t i = 0; i < MANY; i++) {
        dscores[2 * i] = -1;
        dscores[2 * i + 1] = 1;
    }
    const downhill_weights_f32 weights = {w, 1, NULL, 1, 2};
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = all_tables(tables);
    for (size_t t = 0; t < n_tables; t++) {
        const downhill_kernels *k = tables[t];
        int32_t sums_w[2] = {7, 7}, sums_b[2] = {7, 7};
        const downhill_sums_u8 sums = {sums_w, 1, sums_b, 1, 2};
        downhill_batch_u8 batch = {&x, 1, 1, &y, rows, MANY + 1, 0};
        double loss = 7.0;
        assert_int_equal(downhill_pack_u8(k, &weights, NULL, packed, packed_bytes), DOWNHILL_OK);
        /* Beyond: nothing is written. */
        dscores[2 * MANY] = -1;
        assert_int_equal(downhill_loss_grad_u8(k, &batch, packed, 1.0f, &sums, &loss, workspace,
                                               workspace_bytes, NULL),
                         DOWNHILL_ERR_RANGE);
        assert_int_equal(downhill_grad_u8(k, &batch, dscores, 2, 0, &sums), DOWNHILL_ERR_RANGE);
        assert_true(sums_w[0] == 7 && sums_b[1] == 7 && loss == 7.0);
        /* At the bound. */
        batch.n = MANY;
        dscores[2 * MANY] = 0;
        assert_int_equal(downhill_loss_grad_u8(k, &batch, packed, 1.0f, &sums, &loss, workspace,
                                               workspace_bytes, NULL),
                         DOWNHILL_OK);
        assert_int_equal(sums_w[0], -INT32_C(2147483520));
        assert_int_equal(sums_w[1], INT32_C(2147483520));
        assert_int_equal(sums_b[1], MANY);
        assert_true(loss == (double)MANY);
        assert_int_equal(downhill_grad_u8(k, &batch, dscores, 2, 0, &sums), DOWNHILL_OK);
        assert_int_equal(sums_w[0], -INT32_C(2147483520));
    }
    free(rows);
    free(dscores);
    free(packed);
    free(workspace);
}

/* ---- arguments ---- */

static void test_u8__bad_arguments__refused(void **state)
{
    (void)state;
    enum { n = 3, d = 5, c = 2 };
    uint8_t x[n * d] = {0};
    const int32_t y[n] = {0, 1, 0}, bad_y[n] = {0, 2, 0};
    const size_t bad_rows[n] = {0, n, 1};
    float w[c * d] = {0}, b[c] = {0}, gain[d] = {1, 1, 1, 1, 1};
    uint16_t mean[d] = {0};
    double scores[n * c], loss;
    int16_t dscores[n * c] = {0};
    int32_t sums_w[c * d], sums_b[c];
    const size_t bytes = downhill_packed_u8_bytes(d, c), room = downhill_workspace_u8(d, c);
    char *packed = new (bytes + 1, 1), *elsewhere = new (bytes + 128, 1);
    void *workspace = new (room, 1);
    const downhill_weights_f32 weights = {w, d, b, d, c}, narrow = {w, d - 1, b, d - 1, c};
    const downhill_norm_u8 norm = {mean, gain};
    downhill_batch_u8 batch = {x, d, n, y, NULL, n, 0};
    const downhill_sums_u8 sums = {sums_w, d, sums_b, d, c};
    downhill_sums_u8 bad_sums = sums;
    const downhill_kernels *scalar;
    assert_int_equal(downhill_select("scalar", &scalar, NULL, 0), DOWNHILL_OK);

#define REFUSED(status, call) assert_int_equal(call, DOWNHILL_ERR_##status)
    REFUSED(PACKED, downhill_score_u8(scalar, &batch, packed, scores, c)); /* never packed */
    REFUSED(NULL, downhill_pack_u8(scalar, NULL, NULL, packed, bytes));
    REFUSED(NULL, downhill_pack_u8(scalar, &weights, NULL, NULL, bytes));
    REFUSED(WORKSPACE, downhill_pack_u8(scalar, &weights, NULL, packed, bytes - 1));
    mean[d - 1] = 65281;
    REFUSED(PARAMETER, downhill_pack_u8(scalar, &weights, &norm, packed, bytes));
    REFUSED(PACKED, downhill_score_u8(scalar, &batch, packed, scores, c)); /* still not */
    mean[d - 1] = 65280;
    gain[0] = -1.0f;
    REFUSED(PARAMETER, downhill_pack_u8(scalar, &weights, &norm, packed, bytes));
    gain[0] = NAN;
    REFUSED(PARAMETER, downhill_pack_u8(scalar, &weights, &norm, packed, bytes));
    gain[0] = 0.0f;
    assert_int_equal(downhill_pack_u8(scalar, &weights, &norm, packed, bytes), DOWNHILL_OK);
    assert_int_equal(downhill_score_u8(scalar, &batch, packed, scores, c), DOWNHILL_OK);

    memcpy(elsewhere + 128 - ((uintptr_t)elsewhere - (uintptr_t)packed) % 64, packed, bytes - 64);
    REFUSED(PACKED, downhill_score_u8(scalar, &batch, elsewhere + 64, scores, c));
    const downhill_kernels *tables[LEVELS_MAX];
    if (all_tables(tables) > 1)
        REFUSED(PACKED, downhill_score_u8(tables[1], &batch, packed, scores, c));
    REFUSED(NULL, downhill_score_u8(scalar, NULL, packed, scores, c));
    REFUSED(NULL, downhill_score_u8(scalar, &batch, NULL, scores, c));
    REFUSED(NULL, downhill_score_u8(scalar, &batch, packed, NULL, c));
    REFUSED(LD, downhill_score_u8(scalar, &batch, packed, scores, c - 1));

    REFUSED(LABEL, downhill_hinge_u8(scalar, n, c, scores, c, bad_y, 1, dscores, c, &loss));
    REFUSED(PARAMETER, downhill_hinge_u8(scalar, n, c, scores, c, y, -1, dscores, c, &loss));
    REFUSED(NULL, downhill_hinge_u8(scalar, n, c, scores, c, y, 1, dscores, c, NULL));
    REFUSED(LD, downhill_hinge_u8(scalar, n, c, scores, c, y, 1, dscores, c - 1, &loss));

    bad_sums.b = NULL;
    REFUSED(NULL, downhill_grad_u8(scalar, &batch, dscores, c, 0, &bad_sums));
    REFUSED(NULL, downhill_update_u8(scalar, &weights, &bad_sums, 1, 1, packed));
    bad_sums = sums;
    bad_sums.ldw = d - 1;
    REFUSED(LD, downhill_grad_u8(scalar, &batch, dscores, c, 0, &bad_sums));
    bad_sums = (downhill_sums_u8){sums_w, d, sums_b, d, c - 1};
    REFUSED(SIZE, downhill_update_u8(scalar, &weights, &bad_sums, 1, 1, packed));
    REFUSED(SIZE, downhill_loss_grad_u8(scalar, &batch, packed, 1, &bad_sums, &loss, workspace,
                                        room, NULL));
    REFUSED(PACKED, downhill_update_u8(scalar, &narrow, &sums, 1, 1, packed));
    REFUSED(PARAMETER, downhill_update_u8(scalar, &weights, &sums, NAN, 1, packed));

    REFUSED(WORKSPACE, downhill_step_u8(scalar, &batch, &weights, 1, 1, 1, &loss, packed, workspace,
                                        room - 1, NULL));
    REFUSED(NULL,
            downhill_step_u8(scalar, &batch, &weights, 1, 1, 1, &loss, packed, NULL, room, NULL));
    REFUSED(PACKED, downhill_step_u8(scalar, &batch, &narrow, 1, 1, 1, &loss, packed, workspace,
                                     room, NULL));
    REFUSED(PARAMETER, downhill_step_u8(scalar, &batch, &weights, 1, 1, INFINITY, &loss, packed,
                                        workspace, room, NULL));
    batch.rows = bad_rows;
    REFUSED(ROW, downhill_step_u8(scalar, &batch, &weights, 1, 1, 1, &loss, packed, workspace, room,
                                  NULL));
    batch.rows = NULL;
    batch.y = bad_y;
    REFUSED(LABEL, downhill_step_u8(scalar, &batch, &weights, 1, 1, 1, &loss, packed, workspace,
                                    room, NULL));
#undef REFUSED
    free(packed);
    free(elsewhere);
    free(workspace);
}

/* ---- planted bugs ---- */

static void score_high_byte_only(size_t n, size_t d, size_t c, const void *const *x,
                                 const void *packed, const double *unit, double *scores, size_t lds,
                                 struct downhill_ahead *ahead)
{
    int16_t *rounded = new (c * (d + 32), sizeof *rounded);
    for (size_t i = 0; i < c * ((d + 31) / 32 * 32); i++)
        rounded[i] = (int16_t)(((const int16_t *)packed)[i] / 2 * 2);
    downhill_score_u8_scalar(n, d, c, x, rounded, unit, scores, lds, ahead);
    free(rounded);
}

/* The sum in f32: right for short rows. */
static void score_in_f32(size_t n, size_t d, size_t c, const void *const *x, const void *packed,
                         const double *unit, double *scores, size_t lds,
                         struct downhill_ahead *ahead)
{
    downhill_score_u8_scalar(n, d, c, x, packed, unit, scores, lds, ahead);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            scores[i * lds + j] = (double)(float)scores[i * lds + j];
}

static double hinge_unrounded(size_t n, size_t c, const double *scores, size_t lds,
                              const int32_t *y, double delta, int16_t *dscores, size_t ldds)
{
    double units = downhill_hinge_u8_scalar(n, c, scores, lds, y, delta, dscores, ldds);
    return units + 0.25;
}

static double hinge_kink_counts(size_t n, size_t c, const double *scores, size_t lds,
                                const int32_t *y, double delta, int16_t *dscores, size_t ldds)
{
    const double units = downhill_hinge_u8_scalar(n, c, scores, lds, y, delta, dscores, ldds);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            if (j != (size_t)y[i] &&
                scores[i * lds + j] - scores[i * lds + (size_t)y[i]] + delta == 0.0)
                dscores[i * ldds + j] = 1;
    return units;
}

/* VPMADDUBSW without runs: it saturates. */
static void grad_saturates(size_t n, size_t d, size_t c, const void *const *x,
                           downhill_dscores dscores, unsigned flags, int32_t *dw, size_t lddw,
                           struct downhill_ahead *ahead)
{
    int32_t *sums = new (c * d, sizeof *sums);
    downhill_grad_u8_scalar(n, d, c, x, dscores, 0, sums, d, ahead);
    for (size_t j = 0; j < c; j++)
        for (size_t k = 0; k < d; k++) {
            const int32_t s = sums[j * d + k];
            const int32_t held = s > INT16_MAX ? INT16_MAX : s < INT16_MIN ? INT16_MIN : s;
            dw[j * lddw + k] = held + ((flags & GRAD_ACCUMULATE) ? dw[j * lddw + k] : 0);
        }
    free(sums);
}

static void grad_bytes_of_dscores(size_t n, size_t d, size_t c, const void *const *x,
                                  downhill_dscores dscores, unsigned flags, int32_t *dw,
                                  size_t lddw, struct downhill_ahead *ahead)
{
    static downhill_dscores cut;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            cut[i][j] = (int8_t)dscores[i][j];
    downhill_grad_u8_scalar(n, d, c, x, cut, flags, dw, lddw, ahead);
}

static void pack_truncates(size_t d, size_t c, size_t j, const float *w, float factor, void *panel)
{
    float *cut = new (d, sizeof *cut);
    for (size_t k = 0; k < d; k++)
        cut[k] = isfinite(w[k]) && factor > 0.0f ? truncf(w[k] * factor) / factor : w[k];
    downhill_pack_u8_scalar(d, c, j, cut, factor, panel);
    free(cut);
}

static uint32_t update_fused(size_t d, unsigned flags, float decay, float step, float sum,
                             float times, const int32_t *dw, const float *mean, const float *gain,
                             float *w)
{
    float *before = new (d, sizeof *before);
    memcpy(before, w, d * sizeof *w);
    const uint32_t most =
        downhill_update_u8_scalar(d, flags, decay, step, sum, times, dw, mean, gain, w);
    for (size_t k = 0; k < d; k++)
        w[k] = fmaf(decay, before[k], -(step * gain[k] * ((float)dw[k] * times - mean[k] * sum)));
    free(before);
    return most;
}

static uint32_t update_forgets_last(size_t d, unsigned flags, float decay, float step, float sum,
                                    float times, const int32_t *dw, const float *mean,
                                    const float *gain, float *w)
{
    downhill_update_u8_scalar(d, flags, decay, step, sum, times, dw, mean, gain, w);
    return d > 1
               ? downhill_update_u8_scalar(d - 1, flags, 1.0f, 0.0f, 0.0f, 1.0f, dw, mean, gain, w)
               : 0;
}

static void test_u8__planted_bugs__caught(void **state)
{
    (void)state;
    const downhill_kernels *scalar;
    assert_int_equal(downhill_select("scalar", &scalar, NULL, 0), DOWNHILL_OK);
#define PLANT(op, member, bug)                                                                     \
    {                                                                                              \
        op, #bug,                                                                                  \
        {                                                                                          \
            .member = bug                                                                          \
        }                                                                                          \
    }
    const struct {
        const char *op, *name;
        struct downhill_u8_kernels bug; /* the rest is right */
    } planted[] = {
        PLANT("score_u8", score, score_high_byte_only),
        PLANT("score_u8", score, score_in_f32),
        PLANT("hinge_u8", hinge, hinge_unrounded),
        PLANT("hinge_u8", hinge, hinge_kink_counts),
        PLANT("grad_u8", grad, grad_saturates),
        PLANT("grad_u8", grad, grad_bytes_of_dscores),
        PLANT("score_u8", pack, pack_truncates),
        PLANT("update_u8", update, update_fused),
        PLANT("update_u8", update, update_forgets_last),
    };
    for (size_t i = 0; i < sizeof planted / sizeof planted[0]; i++) {
        struct downhill_u8_kernels u8 = *scalar->u8;
        const struct downhill_u8_kernels *bug = &planted[i].bug;
        u8.pack = bug->pack != NULL ? bug->pack : u8.pack;
        u8.score = bug->score != NULL ? bug->score : u8.score;
        u8.hinge = bug->hinge != NULL ? bug->hinge : u8.hinge;
        u8.grad = bug->grad != NULL ? bug->grad : u8.grad;
        u8.update = bug->update != NULL ? bug->update : u8.update;
        downhill_kernels table = *scalar;
        table.u8 = &u8;
        verify_options options = VERIFY_DEFAULTS;
        options.kernels = &table;
        options.op = planted[i].op;
        options.max_reports = 0;
        verify_result result;
        const int code = verify_run(&options, &result);
        print_message("%s: %llu of %llu checks failed\n", planted[i].name,
                      (unsigned long long)result.failures, (unsigned long long)result.checks);
        assert_int_equal(code, EXIT_CHECK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_u8__training__the_same_bits_however_it_is_done),
        cmocka_unit_test(test_u8__largest_sums__exact),
        cmocka_unit_test(test_u8__sizes__refused_one_beyond),
        cmocka_unit_test(test_u8__most_classes__counted),
        cmocka_unit_test(test_u8__most_samples__sums_at_their_bound),
        cmocka_unit_test(test_u8__bad_arguments__refused),
        cmocka_unit_test(test_u8__planted_bugs__caught),
    };
    return cmocka_run_group_tests_name("u8", tests, NULL, NULL);
}
