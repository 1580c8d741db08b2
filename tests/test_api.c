/* SPDX-License-Identifier: MIT
 *
 * Public functions refuse invalid arguments with the right status before they write anything, and
 * give right results for valid ones at the limits. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "downhill.h"
#include "matrices.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { N = 3, D = 5, C = 4, X_ROWS = 6 };

struct fixture {
    float x[X_ROWS * D], w[C * D], b[C], scores[N * C], dscores[N * C], dw[C * D], db[C];
    int32_t y[X_ROWS];
    size_t rows[N + 1]; /* the last is a next row, to prefetch */
    double loss;
    downhill_workspace workspace;
    downhill_batch_f32 batch;
    downhill_weights_f32 weights, other; /* other holds dw and db, for downhill_axpby_f32() */
    downhill_gradient_f32 grad;
    downhill_sgd hinge;
};

static void setup(struct fixture *s)
{
    memset(s, 0, sizeof *s);
    for (int i = 0; i < X_ROWS * D; i++)
        s->x[i] = (float)(i % 7);
    for (int i = 0; i < C * D; i++)
        s->w[i] = s->dw[i] = (float)(i % 5);
    for (int i = 0; i < X_ROWS; i++)
        s->y[i] = i % C;
    for (int i = 0; i < N + 1; i++)
        s->rows[i] = (size_t)(X_ROWS - 1 - i);
    s->workspace.bytes = downhill_workspace_f32_bytes(D, C);
    s->workspace.memory = malloc(s->workspace.bytes);
    s->batch = (downhill_batch_f32){s->x, D, X_ROWS, s->y, s->rows, N, 1};
    s->weights = (downhill_weights_f32){s->w, D, s->b, D, C};
    s->other = (downhill_weights_f32){s->dw, D, s->db, D, C};
    s->grad = (downhill_gradient_f32){s->dw, D, s->db, D, C};
    s->hinge = (downhill_sgd){{DOWNHILL_HINGE, 1.0f}, 0.1f, 1.0f};
}

static downhill_status call_score(struct fixture *s)
{
    return downhill_score_f32(NULL, &s->batch, &s->weights, F32(s->scores, C, N, C));
}

static downhill_status call_grad(struct fixture *s)
{
    return downhill_grad_f32(NULL, &s->batch, F32(s->dscores, C, N, C), 0, &s->grad);
}

static downhill_status call_step(struct fixture *s)
{
    return downhill_step_f32(NULL, &s->batch, &s->weights, &s->hinge, &s->grad, &s->loss,
                             &s->workspace, NULL);
}

static downhill_status call_loss_grad(struct fixture *s)
{
    return downhill_loss_grad_f32(NULL, &s->batch, &s->weights, s->hinge.loss, &s->grad, &s->loss,
                                  &s->workspace, NULL);
}

/* ---- one invalid argument at a time ---- */

static void no_x(struct fixture *s)
{
    s->batch.x = NULL;
}
/* A NULL batch is refused like one whose x is NULL. */
static void test_api__null_batch__refused(void **state)
{
    (void)state;
    struct fixture s;
    setup(&s);
    assert_int_equal(downhill_score_f32(NULL, NULL, &s.weights, F32(s.scores, C, N, C)),
                     DOWNHILL_ERR_NULL);
    assert_int_equal(downhill_grad_f32(NULL, NULL, F32(s.dscores, C, N, C), 0, &s.grad),
                     DOWNHILL_ERR_NULL);
    assert_int_equal(downhill_loss_grad_f32(NULL, NULL, &s.weights, s.hinge.loss, &s.grad, NULL,
                                            &s.workspace, NULL),
                     DOWNHILL_ERR_NULL);
    assert_int_equal(
        downhill_step_f32(NULL, NULL, &s.weights, &s.hinge, &s.grad, NULL, &s.workspace, NULL),
        DOWNHILL_ERR_NULL);
    assert_int_equal(
        downhill_step_bf16(NULL, NULL, &s.weights, &s.hinge, &s.grad, NULL, &s.workspace, NULL),
        DOWNHILL_ERR_NULL);
    assert_int_equal(
        downhill_step_f32(NULL, &s.batch, &s.weights, NULL, &s.grad, NULL, &s.workspace, NULL),
        DOWNHILL_ERR_NULL);
    free(s.workspace.memory);
}

static void no_samples(struct fixture *s)
{
    s->batch.n = 0;
}
static void too_many_samples(struct fixture *s)
{
    s->batch.rows = NULL;
    s->batch.n = X_ROWS + 1;
}
static void short_ldx(struct fixture *s)
{
    s->batch.ldx = D - 1;
}
static void huge_ldx(struct fixture *s)
{
    s->batch.ldx = SIZE_MAX / 2;
}
static void bad_row(struct fixture *s)
{
    s->rows[N - 1] = X_ROWS;
}
static void bad_next_row(struct fixture *s)
{
    s->rows[N] = X_ROWS;
}
static void too_many_rows(struct fixture *s)
{
    s->batch.n = SIZE_MAX;
    s->batch.n_next = 1;
}
static void next_rows_past_the_end(struct fixture *s)
{
    s->batch.rows = NULL;
    s->batch.n_next = X_ROWS - N + 1;
}
static void no_w(struct fixture *s)
{
    s->weights.w = s->grad.dw = NULL;
}
static void no_classes(struct fixture *s)
{
    s->weights.c = s->grad.c = 0;
}
static void no_features(struct fixture *s)
{
    s->weights.d = s->grad.d = 0;
}
static void short_ldw(struct fixture *s)
{
    s->weights.ldw = s->grad.lddw = D - 1;
}
static void no_labels(struct fixture *s)
{
    s->batch.y = NULL;
}
static void negative_label(struct fixture *s)
{
    s->y[s->rows[1]] = -1;
}
static void large_label(struct fixture *s)
{
    s->y[s->rows[N - 1]] = C;
}
static void negative_margin(struct fixture *s)
{
    s->hinge.loss.margin = -0.5f;
}
static void nan_margin(struct fixture *s)
{
    s->hinge.loss.margin = NAN;
}
static void unknown_loss(struct fixture *s)
{
    s->hinge.loss.kind = (downhill_loss_kind)7;
}
static void unset_loss(struct fixture *s)
{
    s->hinge.loss = (downhill_loss){.margin = 1.0f};
}
static void small_workspace(struct fixture *s)
{
    s->workspace.bytes--;
}
static void no_workspace(struct fixture *s)
{
    free(s->workspace.memory);
    s->workspace.memory = NULL;
}
static void other_features(struct fixture *s)
{
    s->grad.d = D - 1;
}

enum { SCORE = 1, GRAD = 2, STEP = 4, LOSS_GRAD = 8, BOTH_STEPS = STEP | LOSS_GRAD };

static void test_api__bad_arguments__right_status_and_nothing_written(void **state)
{
    (void)state;
    static const struct {
        void (*spoil)(struct fixture *);
        downhill_status want;
        int calls;
    } cases[] = {
        {no_x, DOWNHILL_ERR_NULL, SCORE | GRAD | BOTH_STEPS},
        {no_samples, DOWNHILL_ERR_SIZE, SCORE | GRAD | BOTH_STEPS},
        {too_many_samples, DOWNHILL_ERR_SIZE, SCORE | GRAD | BOTH_STEPS},
        {short_ldx, DOWNHILL_ERR_LD, SCORE | GRAD | BOTH_STEPS},
        {huge_ldx, DOWNHILL_ERR_SIZE, SCORE | GRAD | BOTH_STEPS},
        {bad_row, DOWNHILL_ERR_ROW, SCORE | GRAD | BOTH_STEPS},
        {bad_next_row, DOWNHILL_ERR_ROW, SCORE | GRAD | BOTH_STEPS},
        {too_many_rows, DOWNHILL_ERR_SIZE, SCORE | GRAD | BOTH_STEPS},
        {next_rows_past_the_end, DOWNHILL_ERR_SIZE, SCORE | GRAD | BOTH_STEPS},
        {no_w, DOWNHILL_ERR_NULL, SCORE | GRAD | BOTH_STEPS},
        {no_classes, DOWNHILL_ERR_SIZE, SCORE | GRAD | BOTH_STEPS},
        {no_features, DOWNHILL_ERR_SIZE, SCORE | GRAD | BOTH_STEPS},
        {short_ldw, DOWNHILL_ERR_LD, SCORE | GRAD | BOTH_STEPS},
        {no_labels, DOWNHILL_ERR_NULL, BOTH_STEPS},
        {negative_label, DOWNHILL_ERR_LABEL, BOTH_STEPS},
        {large_label, DOWNHILL_ERR_LABEL, BOTH_STEPS},
        {negative_margin, DOWNHILL_ERR_PARAMETER, BOTH_STEPS},
        {nan_margin, DOWNHILL_ERR_PARAMETER, BOTH_STEPS},
        {unknown_loss, DOWNHILL_ERR_PARAMETER, BOTH_STEPS},
        {unset_loss, DOWNHILL_ERR_PARAMETER, BOTH_STEPS},
        {small_workspace, DOWNHILL_ERR_WORKSPACE, BOTH_STEPS},
        {no_workspace, DOWNHILL_ERR_NULL, BOTH_STEPS},
        {other_features, DOWNHILL_ERR_SIZE, BOTH_STEPS},
    };
    static downhill_status (*const calls[])(struct fixture *) = {call_score, call_grad, call_step,
                                                                 call_loss_grad};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t f = 0; f < 4; f++) {
            if ((cases[i].calls >> f & 1) == 0)
                continue;
            struct fixture s;
            setup(&s);
            assert_int_equal(calls[f](&s), DOWNHILL_OK); /* valid before it is spoilt */
            cases[i].spoil(&s);
            const struct fixture before = s;
            assert_int_equal(calls[f](&s), cases[i].want);
            assert_memory_equal(&before, &s, sizeof s);
            free(s.workspace.memory);
        }
}

static void test_api__bad_loss_arguments__refused(void **state)
{
    (void)state;
    struct fixture s;
    setup(&s);
    float *const scores = s.scores, *const ds = s.dscores;
    const downhill_matrix_f32 in = {scores, C, N, C}, out = {ds, C, N, C};
    assert_int_equal(downhill_hinge_f32(NULL, &in, s.y, 1.0f, &out, &s.loss), DOWNHILL_OK);
    const struct {
        downhill_status want;
        const downhill_matrix_f32 *in;
        const int32_t *y;
        float margin;
        const downhill_matrix_f32 *out;
        double *loss;
    } bad[] = {
        {DOWNHILL_ERR_SIZE, F32(scores, C, 0, C), s.y, 1.0f, &out, &s.loss},
        {DOWNHILL_ERR_SIZE, F32(scores, C, N - 1, C), s.y, 1.0f, &out, &s.loss},
        {DOWNHILL_ERR_SIZE, &in, s.y, 1.0f, F32(ds, C, N, C - 1), &s.loss},
        {DOWNHILL_ERR_LD, F32(scores, C - 1, N, C), s.y, 1.0f, &out, &s.loss},
        {DOWNHILL_ERR_LD, &in, s.y, 1.0f, F32(scores, C + 1, N, C), &s.loss},
        {DOWNHILL_ERR_NULL, NULL, s.y, 1.0f, &out, &s.loss},
        {DOWNHILL_ERR_NULL, F32(NULL, C, N, C), s.y, 1.0f, &out, &s.loss},
        {DOWNHILL_ERR_NULL, &in, NULL, 1.0f, &out, &s.loss},
        {DOWNHILL_ERR_NULL, &in, s.y, 1.0f, NULL, &s.loss},
        {DOWNHILL_ERR_NULL, &in, s.y, 1.0f, &out, NULL},
        {DOWNHILL_ERR_PARAMETER, &in, s.y, INFINITY, &out, &s.loss},
        {DOWNHILL_ERR_PARAMETER, &in, s.y, -1.0f, &out, &s.loss},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(
            downhill_hinge_f32(NULL, bad[i].in, bad[i].y, bad[i].margin, bad[i].out, bad[i].loss),
            bad[i].want);
    assert_int_equal(downhill_softmax_f32(NULL, &in, s.y, F32(scores, C + 1, N, C), &s.loss),
                     DOWNHILL_ERR_LD);
    s.y[2] = C;
    assert_int_equal(downhill_softmax_f32(NULL, &in, s.y, &out, &s.loss), DOWNHILL_ERR_LABEL);
    free(s.workspace.memory);
}

static void test_api__bad_update_arguments__refused(void **state)
{
    (void)state;
    struct fixture s;
    setup(&s);
    const downhill_sgd good = {.learning_rate = 0.1f, .weight_decay = 1.0f};
    const downhill_sgd bad[] = {{.learning_rate = NAN},
                                {.learning_rate = INFINITY},
                                {.learning_rate = 1.0f, .weight_decay = NAN},
                                {.learning_rate = 3e38f, .weight_decay = 3e38f}};
    assert_int_equal(downhill_update_f32(NULL, &s.weights, &s.grad, N, &good), DOWNHILL_OK);
    assert_int_equal(downhill_axpby_f32(NULL, 1.0f, &s.other, 1.0f, &s.weights), DOWNHILL_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(downhill_update_f32(NULL, &s.weights, &s.grad, N, &bad[i]),
                         DOWNHILL_ERR_PARAMETER);
    assert_int_equal(downhill_axpby_f32(NULL, NAN, &s.other, 1.0f, &s.weights),
                     DOWNHILL_ERR_PARAMETER);
    assert_int_equal(downhill_axpby_f32(NULL, 1.0f, &s.other, INFINITY, &s.weights),
                     DOWNHILL_ERR_PARAMETER);
    assert_int_equal(downhill_update_f32(NULL, &s.weights, &s.grad, 0, &good), DOWNHILL_ERR_SIZE);
    assert_int_equal(downhill_update_f32(NULL, &s.weights, &s.grad, N, NULL), DOWNHILL_ERR_NULL);
    s.grad.db = s.other.b = NULL;
    assert_int_equal(downhill_update_f32(NULL, &s.weights, &s.grad, N, &good), DOWNHILL_ERR_NULL);
    assert_int_equal(downhill_axpby_f32(NULL, 1.0f, &s.other, 1.0f, &s.weights), DOWNHILL_ERR_NULL);
    s.weights.b = NULL;
    assert_int_equal(downhill_update_f32(NULL, &s.weights, &s.grad, N, &good), DOWNHILL_OK);
    assert_int_equal(downhill_update_f32(NULL, NULL, &s.grad, N, &good), DOWNHILL_ERR_NULL);
    s.grad.d = s.other.d = D - 1;
    assert_int_equal(downhill_update_f32(NULL, &s.weights, &s.grad, N, &good), DOWNHILL_ERR_SIZE);
    assert_int_equal(downhill_axpby_f32(NULL, 1.0f, &s.other, 1.0f, &s.weights), DOWNHILL_ERR_SIZE);
    free(s.workspace.memory);
}

/* Classes and probabilities match those worked out by hand at every ISA level, also if the
 * probabilities overwrite the scores. */
static void test_api__predict__classes_and_probabilities(void **state)
{
    (void)state;
    const float qnan = NAN;
    enum { ROWS = 5 };
    const float rows[ROWS][C] = {{0.0f, 2.0f, 1.0f, 2.0f}, /* a tie: the lower class wins */
                                 {-1.0f, -3.0f, -2.0f, -0.5f},
                                 {1.0f, qnan, 2.0f, 0.0f},
                                 {qnan, 5.0f, 6.0f, 7.0f},
                                 {100.0f, 0.0f, 0.0f, 0.0f}};
    static const int32_t want[ROWS] = {1, 3, 2, 0, 0};
    float probabilities[ROWS * (C + 1)];
    double exact[ROWS * C];
    int32_t classes[ROWS];
    downhill_level level;
    for (size_t l = 0; downhill_level_at(l, &level) == DOWNHILL_OK; l++) {
        const downhill_kernels *k;
        if (downhill_select(level.name, &k, NULL, 0) != DOWNHILL_OK)
            continue;
        float scores[ROWS * C];
        memcpy(scores, rows, sizeof scores);
        memset(classes, 77, sizeof classes);
        assert_int_equal(downhill_predict_f32(k, F32(scores, C, ROWS, C), classes, NULL),
                         DOWNHILL_OK);
        assert_memory_equal(classes, want, sizeof want);
        assert_memory_equal(scores, rows, sizeof scores);
        memset(classes, 77, sizeof classes);
        assert_int_equal(downhill_predict_f32(k, F32(scores, C, ROWS, C), classes,
                                              F32(probabilities, C + 1, ROWS, C)),
                         DOWNHILL_OK);
        assert_memory_equal(classes, want, sizeof want);
        for (size_t i = 0; i < ROWS; i++)
            for (size_t j = 0; j < C; j++) {
                double sum = 0.0;
                for (size_t m = 0; m < C; m++)
                    sum += exp((double)rows[i][m] - (double)rows[i][j]);
                const double got = (double)probabilities[i * (C + 1) + j];
                assert_true(isnan(sum) ? isnan(got) : fabs(got - 1.0 / sum) < 1e-6);
            }
        assert_int_equal(
            downhill_predict_f32(k, F32(scores, C, ROWS, C), classes, F32(scores, C, ROWS, C)),
            DOWNHILL_OK);
        assert_memory_equal(classes, want, sizeof want);
        for (size_t i = 0; i < ROWS; i++)
            assert_memory_equal(scores + i * C, probabilities + i * (C + 1), C * sizeof *scores);
    }
    for (size_t i = 0; i < ROWS * C; i++)
        exact[i] = (double)rows[i / C][i % C];
    assert_int_equal(downhill_predict_u8(F64(exact, C, ROWS, C), classes), DOWNHILL_OK);
    assert_memory_equal(classes, want, sizeof want);

    float scores[ROWS * C] = {0};
    const downhill_matrix_f32 in = {scores, C, ROWS, C};
    assert_int_equal(downhill_predict_f32(NULL, NULL, classes, NULL), DOWNHILL_ERR_NULL);
    assert_int_equal(downhill_predict_f32(NULL, &in, NULL, NULL), DOWNHILL_ERR_NULL);
    assert_int_equal(downhill_predict_f32(NULL, F32(scores, C, 0, C), classes, NULL),
                     DOWNHILL_ERR_SIZE);
    assert_int_equal(downhill_predict_f32(NULL, &in, classes, F32(probabilities, C, ROWS - 1, C)),
                     DOWNHILL_ERR_SIZE);
    assert_int_equal(downhill_predict_f32(NULL, &in, classes, F32(scores, C + 1, ROWS, C)),
                     DOWNHILL_ERR_LD);
    assert_int_equal(downhill_predict_u8(F64(exact, C - 1, ROWS, C), classes), DOWNHILL_ERR_LD);
    assert_int_equal(downhill_predict_u8(NULL, classes), DOWNHILL_ERR_NULL);
}

static void test_api__workspace_sizes__0_if_too_large(void **state)
{
    (void)state;
    assert_int_equal(downhill_workspace_f32_bytes(0, 10), 0);
    assert_int_equal(downhill_workspace_f32_bytes(10, 0), 0);
    assert_int_equal(downhill_workspace_f32_bytes(1, SIZE_MAX / 8), 0);
    assert_int_equal(downhill_workspace_f32_bytes(SIZE_MAX, 1), 0);
    assert_int_equal(downhill_workspace_f32_bytes(SIZE_MAX - 20, 10), 0);
    assert_int_equal(downhill_workspace_f32_bytes((size_t)1 << 62, 1), 0);
    assert_int_equal(downhill_workspace_f32_bytes(1, (size_t)1 << 31), 0);
    assert_true(downhill_workspace_f32_bytes(3072, 10) >= 4 * 10 * sizeof(float));
}

static void test_api__special_values__reach_the_loss(void **state)
{
    (void)state;
    downhill_level level;
    for (size_t l = 0; downhill_level_at(l, &level) == DOWNHILL_OK; l++) {
        const downhill_kernels *k;
        if (!level.usable || downhill_select(level.name, &k, NULL, 0) != DOWNHILL_OK)
            continue;
        const int32_t y[1] = {1};
        for (size_t c = 2; c < 40; c++)
            for (size_t at = 0; at < c; at++) {
                float s[40] = {0}, ds[40];
                double loss = 0.0;
                s[at] = NAN;
                assert_int_equal(
                    downhill_hinge_f32(k, F32(s, c, 1, c), y, 1.0f, F32(ds, c, 1, c), &loss),
                    DOWNHILL_OK);
                assert_true(isnan(loss));
                assert_int_equal(
                    downhill_softmax_f32(k, F32(s, c, 1, c), y, F32(ds, c, 1, c), &loss),
                    DOWNHILL_OK);
                assert_true(isnan(loss));
                s[at] = INFINITY;
                assert_int_equal(
                    downhill_softmax_f32(k, F32(s, c, 1, c), y, F32(ds, c, 1, c), &loss),
                    DOWNHILL_OK);
                assert_true(isnan(loss));
                /* A score of -infinity has probability 0, an infinite loss at the label. */
                s[at] = -INFINITY;
                assert_int_equal(
                    downhill_softmax_f32(k, F32(s, c, 1, c), y, F32(ds, c, 1, c), &loss),
                    DOWNHILL_OK);
                if (at == 1) {
                    assert_true(isinf(loss) && loss > 0);
                } else {
                    assert_true(fabs(loss - log((double)(c - 1))) < 1e-5);
                    assert_true(ds[at] == 0.0f);
                }
                /* At the kink of the hinge the subgradient is 0. */
                s[at] = 0.0f;
                for (size_t j = 0; j < c; j++)
                    s[j] = j == 1 ? 0.0f : -1.0f;
                assert_int_equal(
                    downhill_hinge_f32(k, F32(s, c, 1, c), y, 1.0f, F32(ds, c, 1, c), &loss),
                    DOWNHILL_OK);
                assert_true(loss == 0.0);
                for (size_t j = 0; j < c; j++)
                    assert_true(ds[j] == 0.0f);
            }
    }
}

/* Any combination of optional arguments may be NULL; the other results do not change. */
static void test_api__optional_arguments__may_be_null(void **state)
{
    (void)state;
    struct fixture s, t;
    setup(&s);
    assert_int_equal(call_step(&s), DOWNHILL_OK);
    for (int without = 1; without < 8; without++) {
        setup(&t);
        if (without & 1)
            t.weights.b = NULL;
        if (without & 2)
            t.grad.db = NULL;
        double *loss = without & 4 ? NULL : &t.loss;
        const downhill_status status = downhill_step_f32(NULL, &t.batch, &t.weights, &t.hinge,
                                                         &t.grad, loss, &t.workspace, NULL);
        /* Biases cannot be updated without their gradient. */
        const bool impossible = (without & 3) == 2;
        assert_int_equal(status, impossible ? DOWNHILL_ERR_NULL : DOWNHILL_OK);
        if (!impossible) {
            assert_memory_equal(t.w, s.w, sizeof s.w); /* all biases are 0 before the step */
            assert_memory_equal(t.dw, s.dw, sizeof s.dw);
            if (loss != NULL)
                assert_true(t.loss == s.loss);
            if (!(without & 2))
                assert_memory_equal(t.db, s.db, sizeof s.db);
            if (without & 1)
                for (int j = 0; j < C; j++)
                    assert_true(t.b[j] == 0.0f);
        }
        free(t.workspace.memory);
    }
    free(s.workspace.memory);
}

/* Rows are more than 2³² elements apart, in memory that is reserved but not committed. */
static void test_api__rows_far_apart__right_scores_and_gradient(void **state)
{
    (void)state;
    /* volatile: Clang 14 folds a known distance into an address and keeps its low 32 bits. */
    const volatile size_t far_apart = ((size_t)1 << 32) + 1;
    const size_t ldx = far_apart, rows = 3, bytes = (2 * ldx + D) * sizeof(float);
    float *x = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (x == MAP_FAILED) {
        print_message("skipped: no address space for %zu bytes\n", bytes);
        skip();
    }
    downhill_level level;
    for (size_t l = 0; downhill_level_at(l, &level) == DOWNHILL_OK; l++) {
        const downhill_kernels *k;
        if (downhill_select(level.name, &k, NULL, 0) != DOWNHILL_OK)
            continue;
        struct fixture s;
        setup(&s);
        for (size_t i = 0; i < rows; i++)
            for (size_t d = 0; d < D; d++)
                x[i * ldx + d] = (float)(10 * i + d);
        const size_t order[] = {2, 0, 1};
        const downhill_batch_f32 batch = {x, ldx, rows, s.y, order, N, 0};
        assert_int_equal(downhill_score_f32(k, &batch, &s.weights, F32(s.scores, C, N, C)),
                         DOWNHILL_OK);
        for (int i = 0; i < N * C; i++)
            s.dscores[i] = (float)(i + 1);
        assert_int_equal(downhill_grad_f32(k, &batch, F32(s.dscores, C, N, C), 0, &s.grad),
                         DOWNHILL_OK);
        for (size_t i = 0; i < N; i++)
            for (size_t j = 0; j < C; j++) {
                float want = 0.0f;
                for (size_t d = 0; d < D; d++)
                    want += (float)(10 * order[i] + d) * s.w[j * D + d];
                assert_true(s.scores[i * C + j] == want);
            }
        for (size_t j = 0; j < C; j++)
            for (size_t d = 0; d < D; d++) {
                float want = 0.0f;
                for (size_t i = 0; i < N; i++)
                    want += s.dscores[i * C + j] * (float)(10 * order[i] + d);
                assert_true(s.dw[j * D + d] == want);
            }
        free(s.workspace.memory);
    }
    munmap(x, bytes);
}

/* Softmax of scores near both ends of the range of f32. */
static void test_api__softmax_of_any_finite_scores__accurate(void **state)
{
    (void)state;
    static const float values[] = {3.4e38f, -3.4e38f, 1e38f, -1e38f, 1e4f, -1e4f, 0.0f};
    enum { V = sizeof values / sizeof values[0] };
    downhill_level level;
    for (size_t l = 0; downhill_level_at(l, &level) == DOWNHILL_OK; l++) {
        const downhill_kernels *k;
        if (downhill_select(level.name, &k, NULL, 0) != DOWNHILL_OK)
            continue;
        for (size_t a = 0; a < V; a++)
            for (size_t b = 0; b < V; b++) {
                float s[2] = {values[a], values[b]};
                float ds[2];
                double loss;
                const int32_t y = 0;
                assert_int_equal(
                    downhill_softmax_f32(k, F32(s, 2, 1, 2), &y, F32(ds, 2, 1, 2), &loss),
                    DOWNHILL_OK);
                const double gap = (double)s[1] - (double)s[0];
                const double want = gap > 0.0 ? gap + log1p(exp(-gap)) : log1p(exp(gap));
                const double p = gap > 0.0 ? 1.0 / (1.0 + exp(-gap)) : exp(gap) / (1.0 + exp(gap));
                assert_true(fabs(loss - want) <= 1e-6 * (1.0 + want));
                assert_true(fabs((double)ds[0] + p) < 1e-6 && fabs((double)ds[1] - p) < 1e-6);
            }
    }
}

static void test_api__status_texts__every_status_has_one(void **state)
{
    (void)state;
    for (int i = DOWNHILL_OK; i <= DOWNHILL_ERR_ISA_UNUSABLE; i++) {
        const char *text = downhill_status_text((downhill_status)i);
        assert_non_null(text);
        assert_string_not_equal(text, "unknown status");
    }
    assert_string_equal(downhill_status_text((downhill_status)99), "unknown status");
    assert_string_equal(downhill_version(), "0.1.0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_api__bad_arguments__right_status_and_nothing_written),
        cmocka_unit_test(test_api__bad_loss_arguments__refused),
        cmocka_unit_test(test_api__bad_update_arguments__refused),
        cmocka_unit_test(test_api__null_batch__refused),
        cmocka_unit_test(test_api__predict__classes_and_probabilities),
        cmocka_unit_test(test_api__workspace_sizes__0_if_too_large),
        cmocka_unit_test(test_api__special_values__reach_the_loss),
        cmocka_unit_test(test_api__optional_arguments__may_be_null),
        cmocka_unit_test(test_api__rows_far_apart__right_scores_and_gradient),
        cmocka_unit_test(test_api__softmax_of_any_finite_scores__accurate),
        cmocka_unit_test(test_api__status_texts__every_status_has_one),
    };
    return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
