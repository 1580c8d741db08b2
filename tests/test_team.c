/* SPDX-License-Identifier: MIT
 *
 * The step on several threads agrees with the step on one thread, and gives the same bits whatever
 * the timing. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "matrices.h"

#include "base/machine.h"
#include "base/rng.h"
#include "parallel/team.h"

#include <math.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { N_MAX = 70, D_MAX = 100, C_MAX = 5, X_ROWS = 80 };

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

/* Draws integers so small that every sum is exact in any order, or else reals. */
static struct problem make_problem(bool exact)
{
    struct problem p;
    rng r = rng_seeded(5);
    for (size_t i = 0; i < X_ROWS * D_MAX; i++)
        p.x[i] = exact ? (float)rng_between(&r, -9, 9) : rng_unit(&r);
    for (size_t i = 0; i < C_MAX * D_MAX; i++)
        p.w[i] = exact ? (float)rng_between(&r, -9, 9) : rng_unit(&r);
    for (size_t i = 0; i < C_MAX; i++)
        p.b[i] = exact ? (float)rng_between(&r, -9, 9) : rng_unit(&r);
    for (size_t i = 0; i < X_ROWS; i++)
        p.y[i] = (int32_t)rng_below(&r, C_MAX);
    for (size_t i = 0; i < sizeof p.rows / sizeof p.rows[0]; i++)
        p.rows[i] = (size_t)rng_below(&r, X_ROWS);
    return p;
}

/* Runs one step with a team of threads; threads = 0: with downhill_step_f32(). */
static struct outcome run(const struct problem *p, size_t threads, size_t n, size_t d, bool rows,
                          downhill_loss_kind kind)
{
    struct outcome o = {.loss = NAN};
    memcpy(o.w, p->w, sizeof o.w);
    memcpy(o.b, p->b, sizeof o.b);
    const downhill_batch_f32 batch = {p->x, D_MAX, X_ROWS, p->y, rows ? p->rows : NULL, n, 7};
    const downhill_weights_f32 weights = {o.w, D_MAX, o.b, d, C_MAX};
    const downhill_gradient_f32 grad = {o.dw, D_MAX, o.db, d, C_MAX};
    /* Both factors of the update are powers of two, so it is exact if the sums are. */
    const downhill_sgd sgd = {{kind, 1.0f}, 0.25f * (float)n, 2.0f / (float)n};
    if (threads == 0) {
        const size_t bytes = downhill_workspace_f32_bytes(d, C_MAX);
        const downhill_workspace workspace = {malloc(bytes), bytes};
        assert_non_null(workspace.memory);
        o.status =
            downhill_step_f32(NULL, &batch, &weights, &sgd, &grad, &o.loss, &workspace, NULL);
        free(workspace.memory);
        return o;
    }
    char why[64];
    team *t = team_open(threads, NULL, d, C_MAX, why, sizeof why);
    assert_non_null(t);
    assert_string_equal(why, "");
    o.status = team_step_f32(t, NULL, &batch, &weights, &sgd, &grad, &o.loss, NULL);
    team_close(t);
    return o;
}

static void test_team__one_thread__same_bits_as_step(void **state)
{
    (void)state;
    const struct problem p = make_problem(false);
    const struct outcome one = run(&p, 1, 33, 77, true, DOWNHILL_SOFTMAX);
    const struct outcome none = run(&p, 0, 33, 77, true, DOWNHILL_SOFTMAX);
    assert_int_equal(one.status, DOWNHILL_OK);
    assert_memory_equal(&one, &none, sizeof one);
}

/* Also more threads than samples, than tiles and than cache lines of features. All sums are exact,
 * so any number of threads must give the bits of one. */
static void test_team__exact_numbers__same_bits_for_any_threads(void **state)
{
    (void)state;
    const struct problem p = make_problem(true);
    static const size_t ns[] = {1, 2, 3, 4, 5, 8, 9, 31, 32, N_MAX}, ds[] = {1, 15, 16, 17, D_MAX};
    for (size_t i = 0; i < sizeof ns / sizeof ns[0]; i++)
        for (size_t j = 0; j < sizeof ds / sizeof ds[0]; j++)
            for (int rows = 0; rows < 2; rows++) {
                const struct outcome want = run(&p, 0, ns[i], ds[j], rows, DOWNHILL_HINGE);
                assert_int_equal(want.status, DOWNHILL_OK);
                for (size_t threads = 2; threads <= 5; threads++) {
                    const struct outcome got = run(&p, threads, ns[i], ds[j], rows, DOWNHILL_HINGE);
                    assert_memory_equal(&got, &want, sizeof got);
                }
            }
}

static void test_team__reals__near_one_thread_and_reproducible(void **state)
{
    (void)state;
    const struct problem p = make_problem(false);
    for (int kind = DOWNHILL_HINGE; kind <= DOWNHILL_SOFTMAX; kind++) {
        const struct outcome want = run(&p, 0, N_MAX, D_MAX, true, (downhill_loss_kind)kind);
        for (size_t threads = 2; threads <= 4; threads++) {
            const struct outcome first =
                run(&p, threads, N_MAX, D_MAX, true, (downhill_loss_kind)kind);
            assert_int_equal(first.status, DOWNHILL_OK);
            assert_true(fabs(first.loss - want.loss) <= 1e-5 * fabs(want.loss));
            for (size_t i = 0; i < C_MAX * D_MAX; i++) {
                assert_true(fabsf(first.dw[i] - want.dw[i]) <= 1e-4f);
                assert_true(fabsf(first.w[i] - want.w[i]) <= 1e-4f);
            }
            for (int again = 0; again < 20; again++) {
                const struct outcome other =
                    run(&p, threads, N_MAX, D_MAX, true, (downhill_loss_kind)kind);
                assert_memory_equal(&other, &first, sizeof other);
            }
        }
    }
}

static void test_team__error_in_one_part__weights_unchanged(void **state)
{
    (void)state;
    struct problem p = make_problem(false);
    for (size_t bad = 0; bad < N_MAX; bad += 23) { /* in different parts */
        const size_t before = p.rows[bad];
        p.rows[bad] = X_ROWS;
        const struct outcome o = run(&p, 3, N_MAX, D_MAX, true, DOWNHILL_HINGE);
        assert_int_equal(o.status, DOWNHILL_ERR_ROW);
        assert_memory_equal(o.w, p.w, sizeof o.w);
        assert_memory_equal(o.b, p.b, sizeof o.b);
        assert_true(isnan(o.loss));
        p.rows[bad] = before;
    }
    assert_int_equal(run(&p, 3, 0, D_MAX, true, DOWNHILL_HINGE).status, DOWNHILL_ERR_SIZE);
}

/* Steps on bytes: errors in the part of one thread. */
static void test_team__bytes_refused__weights_unchanged(void **state)
{
    (void)state;
    enum { N = 90, D = 20, C = 3 };
    static uint8_t x[N * D];
    size_t rows[N];
    int32_t y[N];
    float w[C * D], b[C], w_before[C * D];
    for (size_t i = 0; i < sizeof x; i++)
        x[i] = (uint8_t)(i * 7);
    for (size_t i = 0; i < N; i++)
        y[i] = (int32_t)(i % C);
    for (size_t i = 0; i < C * D; i++)
        w[i] = w_before[i] = (float)i * 1e-3f;
    memset(b, 0, sizeof b);
    const downhill_weights_f32 weights = {w, D, b, D, C}, narrow = {w, D - 1, b, D - 1, C},
                               overlapping = {w, D - 1, b, D, C};
    const size_t bytes = downhill_packed_u8_bytes(D, C);
    downhill_packed_u8 *packed = malloc(bytes);
    assert_non_null(packed);
    assert_int_equal(downhill_pack_u8(NULL, &weights, NULL, packed, bytes), DOWNHILL_OK);
    char why[128];
    team *t = team_open(3, NULL, D, C, why, sizeof why);
    assert_non_null(t);
    const downhill_kernels *kernels;
    assert_int_equal(downhill_select(NULL, &kernels, NULL, 0), DOWNHILL_OK);
    const downhill_sgd *sgd = HINGE(1.0f, 0.1f, 1.0f);
    double loss = 7.0;
    for (size_t i = 0; i < N; i++)
        rows[i] = i;
    for (size_t bad = 0; bad < N; bad += 13) { /* in different parts */
        const downhill_batch_u8 batch = {x, D, N, y, rows, N, 0};
        y[bad] = C;
        assert_int_equal(team_step_u8(t, kernels, &batch, &weights, packed, sgd, &loss, NULL),
                         DOWNHILL_ERR_LABEL);
        y[bad] = 0;
    }
    downhill_batch_u8 batch = {x, D, N, y, rows, 0, 0};
    assert_int_equal(team_step_u8(t, kernels, &batch, &weights, packed, sgd, &loss, NULL),
                     DOWNHILL_ERR_SIZE);
    batch.n = N;
    assert_int_equal(team_step_u8(t, kernels, &batch, &narrow, packed, sgd, &loss, NULL),
                     DOWNHILL_ERR_SIZE);
    /* Only the update, which comes after the loss, looks at the leading dimension. */
    assert_int_equal(team_step_u8(t, kernels, &batch, &overlapping, packed, sgd, &loss, NULL),
                     DOWNHILL_ERR_LD);
    assert_true(loss == 7.0);
    assert_int_equal(
        team_step_u8(t, kernels, &batch, &weights, packed, HINGE(1.0f, 0.1f, NAN), &loss, NULL),
        DOWNHILL_ERR_PARAMETER);
    assert_memory_equal(w, w_before, sizeof w);
    assert_true(loss == 7.0);
    assert_int_equal(team_step_u8(t, kernels, &batch, &weights, packed, sgd, &loss, NULL),
                     DOWNHILL_OK);
    assert_memory_not_equal(w, w_before, sizeof w);
    team_close(t);
    free(packed);
}

enum { BYTES_D = 20, BYTES_C = 3, BYTES_X_ROWS = 90 };

/* Weights and loss after one step on n samples of bytes. */
struct bytes_outcome {
    float w[BYTES_C * BYTES_D], b[BYTES_C];
    double loss;
};

/* Makes a step on n samples, with a team of threads; threads = 0: with downhill_step_u8(). largest: all
 * features are 255, and every sample is sure to be of the wrong class, so that the sums are as large as
 * n allows. */
static struct bytes_outcome step_on_bytes(size_t threads, const size_t *rows, size_t n,
                                          downhill_loss loss, bool largest)
{
    uint8_t x[BYTES_X_ROWS * BYTES_D];
    int32_t y[BYTES_X_ROWS];
    struct bytes_outcome o = {.loss = NAN};
    rng r = rng_seeded(8);
    for (size_t i = 0; i < sizeof x; i++)
        x[i] = largest ? UINT8_MAX : (uint8_t)rng_below(&r, 256);
    for (size_t i = 0; i < BYTES_X_ROWS; i++)
        y[i] = largest ? 0 : (int32_t)rng_below(&r, BYTES_C);
    for (size_t i = 0; i < BYTES_C * BYTES_D; i++)
        o.w[i] = rng_unit(&r) * 0.01f;
    o.b[1] = largest ? 1000.0f : 0.0f;
    const downhill_weights_f32 weights = {o.w, BYTES_D, o.b, BYTES_D, BYTES_C};
    const downhill_batch_u8 batch = {x, BYTES_D, BYTES_X_ROWS, y, rows, n, 0};
    const downhill_sgd sgd = {loss, 0.01f, 0.1f};
    const size_t bytes = downhill_packed_u8_bytes(BYTES_D, BYTES_C),
                 workspace_bytes = downhill_workspace_u8_bytes(BYTES_D, BYTES_C);
    const downhill_workspace workspace = {malloc(workspace_bytes), workspace_bytes};
    downhill_packed_u8 *packed = malloc(bytes);
    assert_true(packed != NULL && workspace.memory != NULL);
    const downhill_kernels *kernels;
    assert_int_equal(downhill_select(NULL, &kernels, NULL, 0), DOWNHILL_OK);
    assert_int_equal(downhill_pack_u8(kernels, &weights, NULL, packed, bytes), DOWNHILL_OK);
    if (threads == 0) {
        assert_int_equal(
            downhill_step_u8(kernels, &batch, &weights, packed, &sgd, &o.loss, &workspace, NULL),
            DOWNHILL_OK);
    } else {
        char why[128];
        team *t = team_open(threads, NULL, BYTES_D, BYTES_C, why, sizeof why);
        assert_non_null(t);
        assert_int_equal(team_step_u8(t, kernels, &batch, &weights, packed, &sgd, &o.loss, NULL),
                         DOWNHILL_OK);
        team_close(t);
    }
    free(packed);
    free(workspace.memory);
    return o;
}

/* The sums of minibatches of up to 514 samples with softmax are in 32 bits, those of more in f64;
 * with the hinge loss it takes four million samples of three classes. */
static void test_team__bytes__same_bits_for_any_threads(void **state)
{
    (void)state;
    enum { MANY = DOWNHILL_U8_NC_MAX / (BYTES_C - 1) + 1 };
    static size_t rows[MANY];
    static const struct {
        downhill_loss loss;
        size_t n;
    } cases[] = {
        {{DOWNHILL_SOFTMAX, 0.0f}, 2},   {{DOWNHILL_SOFTMAX, 0.0f}, DOWNHILL_U8_SOFTMAX_N_MAX},
        {{DOWNHILL_SOFTMAX, 0.0f}, 515}, {{DOWNHILL_SOFTMAX, 0.0f}, 3000},
        {{DOWNHILL_HINGE, 1.0f}, 600},   {{DOWNHILL_HINGE, 1.0f}, MANY},
    };
    for (size_t i = 0; i < MANY; i++)
        rows[i] = i * 7 % BYTES_X_ROWS;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        for (int largest = 0; largest < 2; largest++) {
            const struct bytes_outcome alone =
                step_on_bytes(0, rows, cases[k].n, cases[k].loss, largest);
            assert_true(alone.loss > 0.0);
            for (size_t threads = 1; threads <= 8; threads++) {
                const struct bytes_outcome o =
                    step_on_bytes(threads, rows, cases[k].n, cases[k].loss, largest);
                assert_memory_equal(&o, &alone, sizeof o);
            }
        }
    }
}

/* The sums of all ranks decide the type, not those of this one. */
static void test_team__part_of_a_batch__type_of_the_whole(void **state)
{
    (void)state;
    char why[128];
    const downhill_loss softmax = {DOWNHILL_SOFTMAX, 0.0f}, hinge = {DOWNHILL_HINGE, 1.0f};
    team *t = team_open(2, NULL, BYTES_D, BYTES_C, why, sizeof why);
    assert_non_null(t);
    team_choose_sums_u8(t, DOWNHILL_U8_SOFTMAX_N_MAX, softmax);
    assert_true(team_gradient_u8(t).i32 != NULL && team_gradient_u8(t).f64 == NULL);
    team_choose_sums_u8(t, DOWNHILL_U8_SOFTMAX_N_MAX + 1, softmax);
    assert_true(team_gradient_u8(t).i32 == NULL && team_gradient_u8(t).f64 != NULL);
    team_choose_sums_u8(t, DOWNHILL_U8_NC_MAX / (BYTES_C - 1), hinge);
    assert_non_null(team_gradient_u8(t).i32);
    team_choose_sums_u8(t, DOWNHILL_U8_NC_MAX / (BYTES_C - 1) + 1, hinge);
    assert_non_null(team_gradient_u8(t).f64);
    assert_true(team_reserve_f64(t));
    team_clear_gradient_u8(t);
    assert_true(team_gradient_u8(t).f64->dw[0] == 0.0 && team_gradient_u8(t).f64->db[0] == 0.0);
    team_close(t);
}

static void test_machine__team__every_cpu_once(void **state)
{
    (void)state;
    machine m;
    machine_read(&m);
    assert_true(m.n_team >= 1 && m.n_team <= MACHINE_TEAM_MAX);
    if (m.pus <= MACHINE_TEAM_MAX)
        assert_int_equal(m.n_team, m.pus);
    for (size_t i = 0; i < m.n_team; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(m.team[i] != m.team[j]);
    machine_binding *binding = machine_binding_open();
    assert_non_null(binding);
    for (size_t i = 0; i < m.n_team; i++) {
        assert_true(machine_bind(binding, m.team[i]));
        cpu_set_t allowed;
        assert_int_equal(sched_getaffinity(0, sizeof allowed, &allowed), 0);
        assert_int_equal(CPU_COUNT(&allowed), 1);
        assert_true(CPU_ISSET((size_t)m.team[i], &allowed));
    }
    assert_false(machine_bind(binding, -1));
    machine_binding_close(binding);
    char why[64];
    assert_int_equal(machine_pin(why, sizeof why), m.team[0]);
    machine_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_team__one_thread__same_bits_as_step),
        cmocka_unit_test(test_team__exact_numbers__same_bits_for_any_threads),
        cmocka_unit_test(test_team__reals__near_one_thread_and_reproducible),
        cmocka_unit_test(test_team__error_in_one_part__weights_unchanged),
        cmocka_unit_test(test_team__bytes_refused__weights_unchanged),
        cmocka_unit_test(test_team__bytes__same_bits_for_any_threads),
        cmocka_unit_test(test_team__part_of_a_batch__type_of_the_whole),
        cmocka_unit_test(test_machine__team__every_cpu_once),
    };
    return cmocka_run_group_tests_name("team", tests, NULL, NULL);
}
