/* SPDX-License-Identifier: MIT
 *
 * The order of the sums in f32, which depends on the numbers of features and classes alone: with AVX2 and AVX-512
 * scores, losses and gradient have the bits of a plain reference, for any number of rows, any rows of X, and any leading
 * dimension. So have the kernels of the level fma. */
#include "cmocka_all.h"

#include "matrices.h"

#include "base/rng.h"
#include "isa/tables.h"
#include "softmax/softmax.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TERMS_MAX = 112, CHUNK_MULTIPLE = 32, LANES_MAX = 32 };

/* Number of sums of one dot product. */
static size_t lanes_of(size_t c)
{
    return c == 1 ? 32 : c <= 3 ? 16 : 8;
}

/* Chunks are as few and as equal as possible, in multiples of 32 features. A sum has at most 112 terms. */
static size_t next_chunk(size_t lanes, size_t left)
{
    const size_t max = TERMS_MAX * lanes, chunks = (left + max - 1) / max,
                 equal = (left + chunks - 1) / chunks;
    return chunks == 1 ? left : (equal + CHUNK_MULTIPLE - 1) / CHUNK_MULTIPLE * CHUNK_MULTIPLE;
}

/* Adds sums 16 apart first, then those 8, 2, 1 and 4 apart. */
static float fold(size_t lanes, float *sum)
{
    for (size_t half = lanes / 2; half >= 8; half /= 2)
        for (size_t l = 0; l < half; l++)
            sum[l] += sum[l + half];
    float quarter[2];
    for (size_t q = 0; q < 2; q++) {
        const float *s = sum + 4 * q;
        quarter[q] = (s[0] + s[2]) + (s[1] + s[3]);
    }
    return quarter[0] + quarter[1];
}

/* Feature k is added to sum k modulo lanes. */
static float dot(size_t lanes, size_t d, const float *x, const float *w)
{
    float sum[LANES_MAX] = {0};
    for (size_t k = 0; k < d; k++)
        sum[k % lanes] = fmaf(x[k], w[k], sum[k % lanes]);
    return fold(lanes, sum);
}

static float score(size_t d, size_t c, const float *x, const float *w, float b)
{
    float sum = b;
    for (size_t k = 0, chunk; k < d; k += chunk) {
        chunk = next_chunk(lanes_of(c), d - k);
        sum += dot(lanes_of(c), chunk, x + k, w + k);
    }
    return sum;
}

enum { CLASS_LANES = 16 };

/* Class j is added to sum j modulo 16. */
static float sum_of_classes(size_t c, const float *terms)
{
    float sum[CLASS_LANES] = {0};
    for (size_t j = 0; j < c; j++)
        sum[j % CLASS_LANES] += terms[j];
    return fold(CLASS_LANES, sum);
}

/* Overwrites a row of scores by its dscores and returns its loss. */
static double hinge(size_t c, float *s, size_t label, float margin)
{
    const float s_label = s[label];
    float *violations = calloc(c, sizeof *violations);
    int32_t count = 0;
    assert_non_null(violations);
    for (size_t j = 0; j < c; j++) {
        const float violation = (s[j] - s_label) + margin;
        violations[j] = j != label && violation > 0.0f ? violation : 0.0f;
        s[j] = j != label && violation > 0.0f ? 1.0f : 0.0f;
        count += s[j] > 0.0f;
    }
    s[label] = (float)-count; /* +0 if no margin is violated */
    const double loss = (double)sum_of_classes(c, violations);
    free(violations);
    return loss;
}

static float exp_with_fma(float t)
{
    if (t < EXP_MIN_ARG)
        return 0.0f;
    const float n = rintf(t * EXP_LOG2E);
    const float r = fmaf(-n, EXP_LN2_LO, fmaf(-n, EXP_LN2_HI, t));
    float p = EXP_C6;
    static const float coefficients[] = {EXP_C5, EXP_C4, EXP_C3, EXP_C2, 1.0f, 1.0f};
    for (size_t i = 0; i < sizeof coefficients / sizeof coefficients[0]; i++)
        p = fmaf(p, r, coefficients[i]);
    return ldexpf(p, (int)n);
}

/* Overwrites a row of scores by its dscores. */
static void softmax(size_t c, float *s, size_t label)
{
    float max = s[0];
    for (size_t j = 1; j < c; j++)
        max = fmaxf(max, s[j]);
    for (size_t j = 0; j < c; j++)
        s[j] = exp_with_fma(s[j] - max);
    const float scale = 1.0f / sum_of_classes(c, s);
    for (size_t j = 0; j < c; j++)
        s[j] *= scale;
    s[label] -= 1.0f;
}

/* Rows that a call is told of: these are more than the caches hold, so that later rows are prefetched. */
enum { FAR_ROWS = 1 << 25 };

struct problem {
    size_t n, d, c, x_rows, ldx, ldw;
    size_t told_rows; /* x_rows or FAR_ROWS */
    float *x, *w, *b, *dscores;
    size_t *rows;
};

static float *random_floats(size_t count, rng *r)
{
    float *p = malloc(count * sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < count; i++)
        p[i] = rng_unit(r);
    return p;
}

static struct problem make_problem(size_t n, size_t d, size_t c, size_t pad, rng *r)
{
    struct problem p = {.n = n, .d = d, .c = c, .x_rows = n + 5, .ldx = d + pad, .ldw = d + pad};
    p.told_rows = p.x_rows;
    p.x = random_floats(p.x_rows * p.ldx, r);
    p.w = random_floats(c * p.ldw, r);
    p.b = random_floats(c, r);
    p.dscores = random_floats(n * c, r);
    p.rows = malloc(n * sizeof *p.rows);
    assert_non_null(p.rows);
    for (size_t i = 0; i < n; i++)
        p.rows[i] = (size_t)rng_below(r, p.x_rows);
    return p;
}

static void free_problem(struct problem *p)
{
    free(p->x);
    free(p->w);
    free(p->b);
    free(p->dscores);
    free(p->rows);
}

static void check_scores(const downhill_kernels *kernels, const struct problem *p, bool scattered)
{
    const downhill_batch_f32 batch = {.x = p->x,
                                      .ldx = p->ldx,
                                      .x_rows = p->told_rows,
                                      .rows = scattered ? p->rows : NULL,
                                      .n = p->n};
    const downhill_weights_f32 weights = {p->w, p->ldw, p->b, p->d, p->c};
    float *scores = malloc(p->n * p->c * sizeof *scores);
    assert_non_null(scores);
    assert_int_equal(downhill_score_f32(kernels, &batch, &weights, F32(scores, p->c, p->n, p->c)),
                     DOWNHILL_OK);
    for (size_t i = 0; i < p->n; i++)
        for (size_t j = 0; j < p->c; j++) {
            const size_t row = scattered ? p->rows[i] : i;
            const float want = score(p->d, p->c, p->x + row * p->ldx, p->w + j * p->ldw, p->b[j]);
            if (memcmp(&scores[i * p->c + j], &want, sizeof want) != 0)
                fail_msg("n %zu d %zu c %zu ld %zu: score %zu,%zu is %a, expected %a", p->n, p->d,
                         p->c, p->ldw, i, j, (double)scores[i * p->c + j], (double)want);
        }
    free(scores);
}

/* Each element of dW is one chain of FMAs over the rows. */
static void check_gradient(const downhill_kernels *kernels, const struct problem *p,
                           bool accumulate)
{
    const downhill_batch_f32 batch = {.x = p->x, .ldx = p->ldx, .x_rows = p->told_rows, .n = p->n};
    float *dw = malloc(p->c * p->ldw * sizeof *dw), *db = malloc(p->c * sizeof *db),
          *want = malloc(p->d * sizeof *want);
    assert_true(dw != NULL && db != NULL && want != NULL);
    memcpy(dw, p->w, p->c * p->ldw * sizeof *dw);
    memcpy(db, p->b, p->c * sizeof *db);
    const downhill_gradient_f32 grad = {dw, p->ldw, db, p->d, p->c};
    assert_int_equal(
        downhill_grad_f32(kernels, &batch, F32(p->dscores, p->c, p->n, p->c), accumulate, &grad),
        DOWNHILL_OK);
    for (size_t j = 0; j < p->c; j++) {
        for (size_t k = 0; k < p->d; k++)
            want[k] = accumulate ? p->w[j * p->ldw + k] : 0.0f;
        for (size_t i = 0; i < p->n; i++)
            for (size_t k = 0; k < p->d; k++)
                want[k] = fmaf(p->dscores[i * p->c + j], p->x[i * p->ldx + k], want[k]);
        for (size_t k = 0; k < p->d; k++)
            if (memcmp(&dw[j * p->ldw + k], &want[k], sizeof want[k]) != 0)
                fail_msg("n %zu d %zu c %zu ld %zu: dW %zu,%zu is %a, expected %a", p->n, p->d,
                         p->c, p->ldw, j, k, (double)dw[j * p->ldw + k], (double)want[k]);
        float want_db = accumulate ? p->b[j] : 0.0f;
        for (size_t i = 0; i < p->n; i++)
            want_db += p->dscores[i * p->c + j];
        assert_memory_equal(&db[j], &want_db, sizeof want_db);
    }
    free(dw);
    free(db);
    free(want);
}

/* The scores are 1000 apart at most, so that some exponentials are 0. */
static void check_losses(const downhill_kernels *kernels, size_t n, size_t c, rng *r)
{
    const float margin = 0.7f;
    float *scores = malloc(n * c * sizeof *scores), *dscores = malloc(n * c * sizeof *dscores),
          *want = malloc(c * sizeof *want);
    int32_t *y = malloc(n * sizeof *y);
    assert_true(scores != NULL && dscores != NULL && want != NULL && y != NULL);
    for (size_t i = 0; i < n; i++) {
        const float scale = i % 8 == 7 ? 500.0f : 3.0f;
        y[i] = (int32_t)rng_below(r, c);
        for (size_t j = 0; j < c; j++)
            scores[i * c + j] = scale * rng_unit(r);
    }
    double loss, want_loss = 0.0;
    for (int kind = 0; kind < 2; kind++) {
        assert_int_equal(kind == 0 ? downhill_hinge_f32(kernels, F32(scores, c, n, c), y, margin,
                                                        F32(dscores, c, n, c), &loss)
                                   : downhill_softmax_f32(kernels, F32(scores, c, n, c), y,
                                                          F32(dscores, c, n, c), &loss),
                         DOWNHILL_OK);
        for (size_t i = 0; i < n; i++) {
            memcpy(want, scores + i * c, c * sizeof *want);
            if (kind == 0)
                want_loss += hinge(c, want, (size_t)y[i], margin);
            else
                softmax(c, want, (size_t)y[i]);
            for (size_t j = 0; j < c; j++)
                if (memcmp(&dscores[i * c + j], &want[j], sizeof want[j]) != 0)
                    fail_msg("%s n %zu c %zu: dscore %zu,%zu is %a, expected %a",
                             kind == 0 ? "hinge" : "softmax", n, c, i, j,
                             (double)dscores[i * c + j], (double)want[j]);
        }
        if (kind == 0 && memcmp(&loss, &want_loss, sizeof loss) != 0)
            fail_msg("hinge n %zu c %zu: loss %a, expected %a", n, c, loss, want_loss);
    }
    free(scores);
    free(dscores);
    free(want);
    free(y);
}

/* Features that are exact in bf16 have the scores and the gradient that they have in f32. */
static void check_bf16(const downhill_kernels *kernels, const struct problem *p)
{
    const size_t x_count = p->x_rows * p->ldx, dw_count = p->c * p->ldw;
    uint16_t *bf16 = malloc(x_count * sizeof *bf16);
    float *x = malloc(x_count * sizeof *x), *s[2], *dw[2];
    assert_true(bf16 != NULL && x != NULL);
    downhill_bf16_from_f32(x_count, p->x, bf16);
    for (size_t i = 0; i < x_count; i++) {
        const uint32_t bits = (uint32_t)bf16[i] << 16;
        memcpy(&x[i], &bits, sizeof bits);
    }
    const downhill_batch_f32 f32_batch = {.x = x, .ldx = p->ldx, .x_rows = p->told_rows, .n = p->n};
    const downhill_batch_bf16 bf16_batch = {
        .x = bf16, .ldx = p->ldx, .x_rows = p->told_rows, .n = p->n};
    const downhill_weights_f32 weights = {p->w, p->ldw, p->b, p->d, p->c};
    for (int i = 0; i < 2; i++) {
        s[i] = malloc(p->n * p->c * sizeof *s[i]);
        dw[i] = calloc(dw_count, sizeof *dw[i]);
        assert_true(s[i] != NULL && dw[i] != NULL);
    }
    const downhill_matrix_f32 *dscores = F32(p->dscores, p->c, p->n, p->c);
    const downhill_gradient_f32 f32_grad = {dw[0], p->ldw, NULL, p->d, p->c},
                                bf16_grad = {dw[1], p->ldw, NULL, p->d, p->c};
    assert_int_equal(downhill_score_f32(kernels, &f32_batch, &weights, F32(s[0], p->c, p->n, p->c)),
                     DOWNHILL_OK);
    assert_int_equal(
        downhill_score_bf16(kernels, &bf16_batch, &weights, F32(s[1], p->c, p->n, p->c)),
        DOWNHILL_OK);
    assert_int_equal(downhill_grad_f32(kernels, &f32_batch, dscores, 0, &f32_grad), DOWNHILL_OK);
    assert_int_equal(downhill_grad_bf16(kernels, &bf16_batch, dscores, 0, &bf16_grad), DOWNHILL_OK);
    assert_memory_equal(s[0], s[1], p->n * p->c * sizeof *s[0]);
    assert_memory_equal(dw[0], dw[1], dw_count * sizeof *dw[0]);
    for (int i = 0; i < 2; i++) {
        free(s[i]);
        free(dw[i]);
    }
    free(bf16);
    free(x);
}

/* A step leaves the weights that its parts leave when called one after the other. */
static void check_step(const downhill_kernels *kernels, const struct problem *p, int kind)
{
    int32_t *y = malloc(p->x_rows * sizeof *y), *y_of_batch = malloc(p->n * sizeof *y);
    float *w[2], *b[2], *dw = malloc(p->c * p->ldw * sizeof *dw), *db = malloc(p->c * sizeof *db),
                        *s = malloc(p->n * p->c * sizeof *s);
    const size_t bytes = downhill_workspace_f32_bytes(p->d, p->c);
    const downhill_workspace workspace = {malloc(bytes), bytes};
    for (int i = 0; i < 2; i++) {
        w[i] = malloc(p->c * p->ldw * sizeof *w[i]);
        b[i] = malloc(p->c * sizeof *b[i]);
        assert_true(w[i] != NULL && b[i] != NULL);
        memcpy(w[i], p->w, p->c * p->ldw * sizeof *w[i]);
        memcpy(b[i], p->b, p->c * sizeof *b[i]);
    }
    assert_true(y != NULL && y_of_batch != NULL && dw != NULL && db != NULL && s != NULL &&
                workspace.memory != NULL);
    for (size_t i = 0; i < p->x_rows; i++)
        y[i] = (int32_t)(i % p->c);
    for (size_t i = 0; i < p->n; i++)
        y_of_batch[i] = y[p->rows[i]];
    const downhill_batch_f32 batch = {
        .x = p->x, .ldx = p->ldx, .x_rows = p->told_rows, .y = y, .rows = p->rows, .n = p->n};
    const downhill_gradient_f32 grad = {dw, p->ldw, db, p->d, p->c};
    const downhill_sgd sgd = {{kind == 0 ? DOWNHILL_HINGE : DOWNHILL_SOFTMAX, 1.0f}, 0.1f, 0.01f};
    const downhill_weights_f32 whole = {w[0], p->ldw, b[0], p->d, p->c},
                               parts = {w[1], p->ldw, b[1], p->d, p->c};
    double loss;
    assert_int_equal(
        downhill_step_f32(kernels, &batch, &whole, &sgd, &grad, &loss, &workspace, NULL),
        DOWNHILL_OK);
    const downhill_matrix_f32 *scores = F32(s, p->c, p->n, p->c);
    assert_int_equal(downhill_score_f32(kernels, &batch, &parts, scores), DOWNHILL_OK);
    assert_int_equal(kind == 0
                         ? downhill_hinge_f32(kernels, scores, y_of_batch, 1.0f, scores, &loss)
                         : downhill_softmax_f32(kernels, scores, y_of_batch, scores, &loss),
                     DOWNHILL_OK);
    assert_int_equal(downhill_grad_f32(kernels, &batch, scores, 0, &grad), DOWNHILL_OK);
    assert_int_equal(downhill_update_f32(kernels, &parts, &grad, p->n, &sgd), DOWNHILL_OK);
    assert_memory_equal(w[0], w[1], p->c * p->ldw * sizeof *dw);
    assert_memory_equal(b[0], b[1], p->c * sizeof *db);
    for (int i = 0; i < 2; i++) {
        free(w[i]);
        free(b[i]);
    }
    free(y);
    free(y_of_batch);
    free(dw);
    free(db);
    free(s);
    free(workspace.memory);
}

/* Levels with this order of sums. */
static const char *const levels[] = {"avx2", "avx512"};

/* Returns whether the kernels of the level fma, compiled for AVX2 on x86-64, can run. */
static bool can_run_fma(void)
{
#if defined __x86_64__
    return downhill_select("avx2", &(const downhill_kernels *){NULL}, NULL, 0) == DOWNHILL_OK;
#else
    return true;
#endif
}

/* Calls `check` with the kernels of every level that is usable. */
static void for_each_level(void (*check)(const downhill_kernels *kernels))
{
    size_t usable = 0;
    if (can_run_fma()) {
        print_message("fma\n");
        check(&downhill_table_fma);
        usable++;
    }
    for (size_t l = 0; l < sizeof levels / sizeof levels[0]; l++) {
        const downhill_kernels *kernels;
        if (downhill_select(levels[l], &kernels, NULL, 0) != DOWNHILL_OK) {
            print_message("%s: not usable here\n", levels[l]);
            continue;
        }
        print_message("%s\n", levels[l]);
        check(kernels);
        usable++;
    }
    if (usable == 0)
        skip();
}

/* Shapes with one row, few rows, packed and unpacked weights, parts of a block, panels and columns of dW, a dW beyond L2,
 * and tails of each. */
static const struct {
    size_t n, d, c, pad;
} shapes[] = {
    {1, 784, 10, 0},   {1, 3072, 10, 0},   {3, 1000, 1, 0},     {70, 1025, 2, 3},
    {5, 900, 3, 0},    {64, 3072, 10, 0},  {66, 1024, 7, 0},    {300, 1024, 16, 0},
    {37, 785, 26, 1},  {130, 2048, 50, 0}, {30, 7000, 1, 1},    {7, 2500, 3, 0},
    {23, 100, 2, 4},   {70, 4, 600, 1},    {16, 8, 24, 0},      {64, 4, 10, 0},
    {33, 8, 26, 2},    {16, 2, 4, 0},      {17, 5, 16, 1},      {40, 3, 33, 0},
    {270, 40, 300, 0}, {20, 1000, 6, 8},   {140, 250, 300, 16}, {32, 7000, 11, 0},
    {40, 7000, 4, 1},  {33, 16, 16, 1},    {40, 9, 10, 0},      {65, 13, 161, 3},
    {32, 5, 9, 0},     {70, 8, 161, 0},    {64, 16, 321, 0},    {4, 256, 1, 0},
    {5, 128, 2, 0},    {11, 257, 1, 1},    {130, 700, 12, 0},   {24, 897, 100, 127},
    {70, 256, 300, 0}, {130, 1, 200, 1},   {33, 2, 300, 0},     {33, 3584, 1, 0},
    {33, 3600, 1, 0},  {12, 1792, 2, 0},   {13, 1800, 3, 1},
};

static void check_chosen(const downhill_kernels *kernels)
{
    rng r = rng_seeded(1);
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        struct problem p = make_problem(shapes[s].n, shapes[s].d, shapes[s].c, shapes[s].pad, &r);
        for (int far = 0; far < 2; far++) {
            p.told_rows = far ? FAR_ROWS : p.x_rows;
            check_scores(kernels, &p, false);
            check_scores(kernels, &p, true);
            check_gradient(kernels, &p, far == 0);
            check_bf16(kernels, &p);
            check_step(kernels, &p, (int)(s % 2));
        }
        check_gradient(kernels, &p, false);
        free_problem(&p);
    }
}

static void check_random(const downhill_kernels *kernels)
{
    rng r = rng_seeded(2);
    for (size_t s = 0; s < 400; s++) {
        const size_t n = 1 + (size_t)rng_below(&r, 80), d = 1 + (size_t)rng_below(&r, 300),
                     c = 1 + (size_t)rng_below(&r, 40), pad = (size_t)rng_below(&r, 3);
        struct problem p = make_problem(n, d, c, pad, &r);
        p.told_rows = s % 5 < 2 ? FAR_ROWS : p.x_rows;
        check_scores(kernels, &p, s % 2 == 0);
        check_gradient(kernels, &p, s % 3 == 0);
        check_bf16(kernels, &p);
        check_step(kernels, &p, (int)(s % 2));
        free_problem(&p);
    }
}

static void check_losses_of_all_sizes(const downhill_kernels *kernels)
{
    rng r = rng_seeded(3);
    for (size_t c = 1; c <= 70; c++)
        check_losses(kernels, 40, c, &r);
    check_losses(kernels, 200, 300, &r);
    check_losses(kernels, 8, 1000, &r);
}

static void test_order__chosen_shapes__bits_of_reference(void **state)
{
    (void)state;
    for_each_level(check_chosen);
}

static void test_order__random_shapes__bits_of_reference(void **state)
{
    (void)state;
    for_each_level(check_random);
}

static void test_order__losses__bits_of_reference(void **state)
{
    (void)state;
    for_each_level(check_losses_of_all_sizes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order__chosen_shapes__bits_of_reference),
        cmocka_unit_test(test_order__random_shapes__bits_of_reference),
        cmocka_unit_test(test_order__losses__bits_of_reference),
    };
    return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
