/* SPDX-License-Identifier: MIT
 *
 * Maximum stack use of a call, which downhill.h promises. The calls run in a thread whose stack was
 * filled with a pattern. The promise is for optimised builds; sanitizers need more. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/levels.h"
#include "downhill.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PROMISED = 64 << 10, STACK_BYTES = 1 << 20, PAINT = 0xA5 };

/* Shapes with tails in every dimension, with more than a block of rows and a panel of classes, and
 * shapes that are packed in other ways or not at all, and one whose sums of softmax on bytes need f64. */
static const struct shape {
    size_t n, d, c;
} shapes[] = {{300, 1100, 130}, {257, 785, 11}, {64, 161, 10}, {1, 37, 3}, {520, 40, 3}};

typedef struct calls {
    const downhill_kernels *kernels; /* NULL: makes no calls */
    struct shape shape;
    float *x, *w, *b, *dw, *db, *f32_scores;
    uint16_t *x_bf16;
    uint8_t *x_u8;
    int32_t *y, *classes, *sums, *sums_b;
    int16_t *dscores;
    size_t *rows;
    double *scores, *totals, *totals_b, loss;
    downhill_workspace workspace;
    downhill_packed_u8 *packed;
    size_t packed_bytes;
    int failed; /* number of calls */
} calls;

static void make_calls_f32(calls *k)
{
    const size_t n = k->shape.n, d = k->shape.d, c = k->shape.c;
    const downhill_batch_f32 f32 = {k->x, d, n, k->y, k->rows, n, 0};
    const downhill_batch_bf16 bf16 = {k->x_bf16, d, n, k->y, k->rows, n, 0};
    const downhill_weights_f32 weights = {k->w, d, k->b, d, c}, x = {k->dw, d, k->db, d, c};
    const downhill_gradient_f32 grad = {k->dw, d, k->db, d, c};
    const downhill_matrix_f32 scores = {k->f32_scores, c, n, c};
    const downhill_sgd hinge = {{DOWNHILL_HINGE, 1.0f}, 0.001f, 0.1f},
                       softmax = {{DOWNHILL_SOFTMAX, 0.0f}, 0.001f, 0.1f};
    const downhill_status status[] = {
        downhill_score_f32(k->kernels, &f32, &weights, &scores),
        downhill_hinge_f32(k->kernels, &scores, k->y, 1.0f, &scores, &k->loss),
        downhill_grad_f32(k->kernels, &f32, &scores, 0, &grad),
        downhill_score_bf16(k->kernels, &bf16, &weights, &scores),
        downhill_softmax_f32(k->kernels, &scores, k->y, &scores, &k->loss),
        downhill_grad_bf16(k->kernels, &bf16, &scores, 1, &grad),
        downhill_predict_f32(k->kernels, &scores, k->classes, &scores),
        downhill_update_f32(k->kernels, &weights, &grad, n, &hinge),
        downhill_axpby_f32(k->kernels, 0.1f, &x, 0.9f, &weights),
        downhill_step_f32(k->kernels, &f32, &weights, &hinge, &grad, &k->loss, &k->workspace, NULL),
        downhill_step_bf16(k->kernels, &bf16, &weights, &softmax, &grad, &k->loss, &k->workspace,
                           NULL),
    };
    for (size_t i = 0; i < sizeof status / sizeof status[0]; i++)
        k->failed += status[i] != DOWNHILL_OK;
}

static void make_calls_u8(calls *k)
{
    const size_t n = k->shape.n, d = k->shape.d, c = k->shape.c;
    const downhill_batch_u8 batch = {k->x_u8, d, n, k->y, k->rows, n, 0};
    const downhill_weights_f32 weights = {k->w, d, k->b, d, c};
    const downhill_gradient_u8 sums = {k->sums, d, k->sums_b, d, c};
    const downhill_matrix_f64 scores = {k->scores, c, n, c};
    const downhill_matrix_i16 dscores = {k->dscores, c, n, c};
    /* With softmax, sums of more samples do not fit 32 bits. */
    downhill_batch_u8 few = batch;
    few.n = n < DOWNHILL_U8_SOFTMAX_N_MAX ? n : DOWNHILL_U8_SOFTMAX_N_MAX;
    const downhill_matrix_i16 few_dscores = {k->dscores, c, few.n, c};
    const downhill_gradient_f64 totals = {k->totals, d, k->totals_b, d, c};
    const downhill_sgd hinge = {{DOWNHILL_HINGE, 1.0f}, 1e-6f, 0.1f},
                       softmax = {{DOWNHILL_SOFTMAX, 0.0f}, 1e-6f, 0.1f};
    const downhill_status status[] = {
        downhill_pack_u8(k->kernels, &weights, NULL, k->packed, k->packed_bytes),
        downhill_score_u8(k->kernels, &batch, k->packed, &scores),
        downhill_hinge_u8(k->kernels, &scores, k->y, 1.0f, &dscores, &k->loss),
        downhill_predict_u8(&scores, k->classes),
        downhill_grad_u8(k->kernels, &batch, &dscores, 0, &sums),
        downhill_softmax_u8(k->kernels, &scores, k->y, &dscores, &k->loss),
        downhill_grad_u8(k->kernels, &few, &few_dscores, 1, &sums),
        downhill_update_u8(k->kernels, &weights, k->packed, &sums, n, &hinge),
        downhill_loss_grad_u8_f64(k->kernels, &batch, k->packed, softmax.loss, &totals, &k->loss,
                                  &k->workspace, NULL),
        downhill_update_u8_f64(k->kernels, &weights, k->packed, &totals, n, &softmax),
        downhill_step_u8(k->kernels, &batch, &weights, k->packed, &hinge, &k->loss, &k->workspace,
                         NULL),
        downhill_step_u8(k->kernels, &batch, &weights, k->packed, &softmax, &k->loss, &k->workspace,
                         NULL),
    };
    for (size_t i = 0; i < sizeof status / sizeof status[0]; i++)
        k->failed += status[i] != DOWNHILL_OK;
}

static void *make_calls(void *context)
{
    calls *k = context;
    if (k->kernels != NULL) {
        make_calls_f32(k);
        make_calls_u8(k);
    }
    return NULL;
}

/* Returns how many bytes of its stack the thread used, down to the lowest byte that it changed. */
static size_t stack_used(calls *k)
{
    unsigned char *stack =
        mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(stack != MAP_FAILED);
    memset(stack, PAINT, STACK_BYTES);
    pthread_attr_t attributes;
    pthread_t thread;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstack(&attributes, stack, STACK_BYTES), 0);
    assert_int_equal(pthread_create(&thread, &attributes, make_calls, k), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    size_t untouched = 0;
    while (untouched < STACK_BYTES && stack[untouched] == PAINT)
        untouched++;
    pthread_attr_destroy(&attributes);
    munmap(stack, STACK_BYTES);
    return STACK_BYTES - untouched;
}

/* Zeroed allocations, freed at the end of the test. */
static void *memory[32];
static size_t n_memory;

static void *zeroed(size_t count, size_t size)
{
    assert_true(n_memory < sizeof memory / sizeof memory[0]);
    assert_non_null(memory[n_memory] = calloc(count, size));
    return memory[n_memory++];
}

static calls calls_of(const downhill_kernels *kernels, struct shape s)
{
    const size_t f32 = downhill_workspace_f32_bytes(s.d, s.c),
                 u8 = downhill_workspace_u8_bytes(s.d, s.c);
    calls k = {.kernels = kernels, .shape = s, .workspace = {.bytes = f32 > u8 ? f32 : u8}};
    k.x = zeroed(s.n * s.d, sizeof *k.x);
    k.x_bf16 = zeroed(s.n * s.d, sizeof *k.x_bf16);
    k.x_u8 = zeroed(s.n * s.d, sizeof *k.x_u8);
    k.w = zeroed(s.c * s.d, sizeof *k.w);
    k.b = zeroed(s.c, sizeof *k.b);
    k.dw = zeroed(s.c * s.d, sizeof *k.dw);
    k.db = zeroed(s.c, sizeof *k.db);
    k.f32_scores = zeroed(s.n * s.c, sizeof *k.f32_scores);
    k.scores = zeroed(s.n * s.c, sizeof *k.scores);
    k.dscores = zeroed(s.n * s.c, sizeof *k.dscores);
    k.y = zeroed(s.n, sizeof *k.y);
    k.classes = zeroed(s.n, sizeof *k.classes);
    k.rows = zeroed(s.n, sizeof *k.rows);
    k.sums = zeroed(s.c * s.d, sizeof *k.sums);
    k.sums_b = zeroed(s.c, sizeof *k.sums_b);
    k.totals = zeroed(s.c * s.d, sizeof *k.totals);
    k.totals_b = zeroed(s.c, sizeof *k.totals_b);
    k.packed_bytes = downhill_packed_u8_bytes(s.d, s.c);
    k.packed = zeroed(k.packed_bytes, 1);
    k.workspace.memory = zeroed(k.workspace.bytes, 1);
    return k;
}

static int free_memory(void **state)
{
    (void)state;
    while (n_memory > 0)
        free(memory[--n_memory]);
    return 0;
}

static void test_stack__every_level__within_the_promise(void **state)
{
    const downhill_kernels *tables[LEVELS_MAX];
    calls none = {0};
    const size_t idle = stack_used(&none);
    const size_t n_levels = levels_to_run(NULL, tables);
    assert_true(n_levels > 0);
    for (size_t t = 0; t < n_levels; t++) {
        size_t maximum = 0;
        for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
            calls k = calls_of(tables[t], shapes[i]);
            const size_t used = stack_used(&k) - idle;
            assert_int_equal(k.failed, 0);
            maximum = used > maximum ? used : maximum;
            free_memory(state);
        }
        print_message("%s: %zu bytes\n", downhill_kernels_name(tables[t]), maximum);
        assert_true(maximum > 0);
        assert_true(maximum < PROMISED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_stack__every_level__within_the_promise, free_memory),
    };
    return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
