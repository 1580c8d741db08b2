/* SPDX-License-Identifier: MIT
 *
 * The step in f32 on several threads has the bits of the step on one thread, on every level with a
 * fixed order of sums. */
#include "cmocka_all.h"

#include "base/rng.h"
#include "isa/kernels.h"
#include "parallel/ordered.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* More samples than eight threads take between two barriers (512 each). */
enum { X_ROWS = 80, N_MAX = 4300, D_MAX = 100, C_MAX = 12 };

struct problem {
    float x[X_ROWS * D_MAX], w[C_MAX * D_MAX], b[C_MAX];
    int32_t y[X_ROWS];
    size_t rows[N_MAX + 9];
};

struct outcome {
    downhill_status status;
    double loss;
    float w[C_MAX * D_MAX], b[C_MAX], dw[C_MAX * D_MAX], db[C_MAX];
};

struct shape {
    size_t n, d, c;
    downhill_loss loss;
};

/* Weights and learning rate for which half of the samples violate no margin. */
static void make_problem(struct problem *p)
{
    rng r = rng_seeded(6);
    for (size_t i = 0; i < X_ROWS * D_MAX; i++)
        p->x[i] = rng_unit(&r);
    for (size_t i = 0; i < C_MAX * D_MAX; i++)
        p->w[i] = rng_unit(&r);
    for (size_t i = 0; i < C_MAX; i++)
        p->b[i] = rng_unit(&r);
    for (size_t i = 0; i < X_ROWS; i++)
        p->y[i] = (int32_t)rng_below(&r, 2);
    for (size_t i = 0; i < sizeof p->rows / sizeof p->rows[0]; i++)
        p->rows[i] = (size_t)rng_below(&r, X_ROWS);
}

/* Takes two steps, with so many threads; threads = 0: with downhill_step_f32(). */
static struct outcome run(const struct problem *p, const downhill_kernels *kernels, size_t threads,
                          const struct shape *s)
{
    struct outcome o = {.loss = NAN};
    memcpy(o.w, p->w, sizeof o.w);
    memcpy(o.b, p->b, sizeof o.b);
    const bool in_order = s->n <= 40;
    const downhill_batch_f32 batch = {
        p->x, D_MAX, X_ROWS, p->y, in_order ? NULL : p->rows, s->n, in_order ? 3 : 7};
    const downhill_weights_f32 weights = {o.w, D_MAX, o.b, s->d, s->c};
    const downhill_gradient_f32 grad = {o.dw, D_MAX, o.db, s->d, s->c};
    const downhill_sgd sgd = {s->loss, 0.3f, 0.01f};
    const size_t bytes = downhill_workspace_f32_bytes(s->d, s->c);
    const downhill_workspace workspace = {malloc(bytes), bytes};
    ordered *threads_of = threads > 0 ? ordered_open(threads, NULL, s->d, s->c) : NULL;
    assert_true(workspace.memory != NULL && (threads == 0 || threads_of != NULL));
    for (int step = 0; step < 2 && o.status == DOWNHILL_OK; step++)
        o.status = threads == 0 ? downhill_step_f32(kernels, &batch, &weights, &sgd, &grad, &o.loss,
                                                    &workspace, NULL)
                                : ordered_step_f32(threads_of, kernels, &batch, &weights, s->loss,
                                                   &sgd, &grad, &o.loss, NULL);
    ordered_close(threads_of);
    free(workspace.memory);
    return o;
}

/* Also more threads than samples and than cache lines of features, and margins that no sample or
 * every sample violates. */
static const struct shape shapes[] = {
    {1, 100, 10, {DOWNHILL_HINGE, 1.0f}},       {3, 17, 3, {DOWNHILL_SOFTMAX, 0.0f}},
    {37, 100, 10, {DOWNHILL_SOFTMAX, 0.0f}},    {40, 16, 2, {DOWNHILL_HINGE, 1.0f}},
    {256, 100, 10, {DOWNHILL_HINGE, 0.5f}},     {256, 33, 2, {DOWNHILL_SOFTMAX, 0.0f}},
    {300, 100, 12, {DOWNHILL_HINGE, 1000.0f}},  {N_MAX, 50, 3, {DOWNHILL_HINGE, 0.0f}},
    {N_MAX, 100, 10, {DOWNHILL_SOFTMAX, 0.0f}},
};

static void test_ordered__any_threads__bits_of_one(void **state)
{
    (void)state;
    static struct problem p;
    downhill_level level;
    size_t levels = 0;
    make_problem(&p);
    for (size_t l = 0; downhill_level_at(l, &level) == DOWNHILL_OK; l++) {
        const downhill_kernels *kernels;
        if (!level.usable)
            continue;
        assert_int_equal(downhill_select(level.name, &kernels, NULL, 0), DOWNHILL_OK);
        if (!kernels->fixed_order_f32)
            continue;
        levels++;
        for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
            struct outcome want = run(&p, kernels, 0, &shapes[s]);
            assert_int_equal(want.status, DOWNHILL_OK);
            for (size_t threads = 1; threads <= 8; threads++) {
                struct outcome got = run(&p, kernels, threads, &shapes[s]);
                assert_true(fabs(got.loss - want.loss) <= 1e-6 * fabs(want.loss));
                got.loss = want.loss; /* its last bits may depend on the threads */
                if (memcmp(&got, &want, sizeof got) != 0)
                    fail_msg("%s, %zu threads, n %zu d %zu c %zu: other bits", level.name, threads,
                             shapes[s].n, shapes[s].d, shapes[s].c);
            }
        }
    }
    if (levels == 0)
        skip();
}

static void test_ordered__error_in_one_part__weights_unchanged(void **state)
{
    (void)state;
    static struct problem p;
    make_problem(&p);
    const struct shape shape = {256, D_MAX, C_MAX, {DOWNHILL_HINGE, 1.0f}};
    for (size_t bad = 0; bad < shape.n; bad += 83) { /* in different parts */
        const size_t before = p.rows[bad];
        p.rows[bad] = bad == 0 ? X_ROWS : SIZE_MAX / 2; /* its label must not be read */
        struct outcome o = run(&p, NULL, 3, &shape);
        assert_int_equal(o.status, DOWNHILL_ERR_ROW);
        assert_memory_equal(o.w, p.w, sizeof o.w);
        assert_true(isnan(o.loss));
        p.rows[bad] = before;
        const int32_t label = p.y[before];
        p.y[before] = C_MAX;
        o = run(&p, NULL, 3, &shape);
        assert_int_equal(o.status, DOWNHILL_ERR_LABEL);
        assert_memory_equal(o.w, p.w, sizeof o.w);
        p.y[before] = label;
    }
    const struct shape none = {0, D_MAX, C_MAX, {DOWNHILL_HINGE, 1.0f}},
                       no_loss = {9, D_MAX, C_MAX, {0}};
    assert_int_equal(run(&p, NULL, 3, &none).status, DOWNHILL_ERR_SIZE);
    assert_int_equal(run(&p, NULL, 3, &no_loss).status, DOWNHILL_ERR_PARAMETER);
    assert_int_equal(run(&p, NULL, 3, &shape).status, DOWNHILL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ordered__any_threads__bits_of_one),
        cmocka_unit_test(test_ordered__error_in_one_part__weights_unchanged),
    };
    return cmocka_run_group_tests_name("ordered", tests, NULL, NULL);
}
