/* SPDX-License-Identifier: MIT
 *
 * Element indices above 2³¹. The leading dimension is so large that the matrices would fit no
 * memory; only the pages that hold rows are touched. All values are integers that every level sums
 * exactly, so results must have the same bits as with contiguous rows. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/levels.h"
#include "base/rng.h"
#include "downhill.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Leading dimension in elements: row 8 starts past 2³¹, row 16 past 2³². */
#define HUGE_LD (((size_t)1 << 28) + 5)
enum { ROWS = 20, N = 27, D = 37, C = 20 };

typedef struct sparse {
    void *data;
    size_t bytes;
} sparse;

static sparse sparse_matrix(size_t element)
{
    sparse s = {NULL, (ROWS * HUGE_LD + D) * element};
    s.data = mmap(NULL, s.bytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (s.data == MAP_FAILED) {
        printf("skipped: cannot reserve %zu bytes of address space without overcommit\n", s.bytes);
        skip();
    }
    return s;
}

static void free_sparse(sparse s)
{
    munmap(s.data, s.bytes);
}

static void spread_rows(sparse to, const void *dense, size_t rows, size_t columns, size_t element)
{
    for (size_t i = 0; i < rows; i++)
        memcpy((char *)to.data + i * HUGE_LD * element, (const char *)dense + i * columns * element,
               columns * element);
}

static void assert_same(const char *matrix, const char *level, sparse got, const void *want,
                        size_t rows, size_t columns, size_t element)
{
    for (size_t i = 0; i < rows; i++)
        if (memcmp((char *)got.data + i * HUGE_LD * element,
                   (const char *)want + i * columns * element, columns * element) != 0)
            fail_msg("%s of %s: row %zu differs", matrix, level, i);
}

static int32_t labels[ROWS];
static size_t rows[N];
static float x_f32[ROWS * D], w_start[C * D], b_start[C];
static uint16_t x_bf16[ROWS * D];
static uint8_t x_u8[ROWS * D];

static int draw(void **state)
{
    (void)state;
    rng r = rng_seeded(1);
    for (size_t i = 0; i < ROWS * D; i++) {
        x_u8[i] = (uint8_t)rng_below(&r, 256);
        x_f32[i] = (float)x_u8[i];
    }
    downhill_bf16_from_f32(ROWS * D, x_f32, x_bf16);
    for (size_t i = 0; i < C * D; i++)
        w_start[i] = (float)rng_between(&r, -5, 5);
    for (size_t i = 0; i < C; i++)
        b_start[i] = (float)rng_between(&r, -9, 9);
    for (size_t i = 0; i < ROWS; i++)
        labels[i] = (int32_t)rng_below(&r, C);
    for (size_t i = 0; i < N; i++)
        rows[i] = i < ROWS ? ROWS - 1 - i : rng_below(&r, ROWS);
    return 0;
}

/* The matrices of one run, all sparse or all dense. */
typedef struct layout {
    const void *x;
    float *w, *dw, *scores, *dscores;
    size_t ldx, ldw, lds;
} layout;

static float b[C], db[C];

static void all_operations(const downhill_kernels *kernels, bool bf16, layout l, double loss[3])
{
    const downhill_batch_f32 f32 = {l.x, l.ldx, ROWS, labels, rows, N, 0};
    const downhill_batch_bf16 batch_bf16 = {l.x, l.ldx, ROWS, labels, rows, N, 0};
    const downhill_weights_f32 weights = {l.w, l.ldw, b, D, C};
    const downhill_gradient_f32 grad = {l.dw, l.ldw, db, D, C};
    const downhill_sgd hinge = {{DOWNHILL_HINGE, 1.0f}, 0.25f * N, 0.0f};
    const size_t bytes = downhill_workspace_f32_bytes(D, C);
    const downhill_workspace workspace = {malloc(bytes), bytes};
    const downhill_matrix_f32 scores = {l.scores, l.lds, ROWS, C},
                              dscores = {l.dscores, l.lds, ROWS, C};
    assert_non_null(workspace.memory);
    memcpy(b, b_start, sizeof b);
    /* Scores have a row per sample, and the sparse matrix has only ROWS rows. */
    downhill_batch_f32 few = f32;
    downhill_batch_bf16 few_bf16 = batch_bf16;
    few.n = few_bf16.n = ROWS;
    int32_t y[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        y[i] = labels[rows[i]];
    assert_int_equal(bf16 ? downhill_score_bf16(kernels, &few_bf16, &weights, &scores)
                          : downhill_score_f32(kernels, &few, &weights, &scores),
                     DOWNHILL_OK);
    assert_int_equal(downhill_softmax_f32(kernels, &scores, y, &dscores, &loss[0]), DOWNHILL_OK);
    assert_int_equal(downhill_hinge_f32(kernels, &scores, y, 1.0f, &dscores, &loss[1]),
                     DOWNHILL_OK);
    assert_int_equal(bf16 ? downhill_grad_bf16(kernels, &few_bf16, &dscores, 0, &grad)
                          : downhill_grad_f32(kernels, &few, &dscores, 0, &grad),
                     DOWNHILL_OK);
    assert_int_equal(bf16 ? downhill_step_bf16(kernels, &batch_bf16, &weights, &hinge, &grad,
                                               &loss[2], &workspace, NULL)
                          : downhill_step_f32(kernels, &f32, &weights, &hinge, &grad, &loss[2],
                                              &workspace, NULL),
                     DOWNHILL_OK);
    free(workspace.memory);
}

static void check_floats(const downhill_kernels *kernels, const char *level, bool bf16, sparse x,
                         sparse w, sparse dw, sparse scores, sparse dscores)
{
    static float w_dense[C * D], dw_dense[C * D], scores_dense[ROWS * C], dscores_dense[ROWS * C];
    double loss[2][3];
    float b_dense[C], db_dense[C];
    memcpy(w_dense, w_start, sizeof w_dense);
    all_operations(kernels, bf16,
                   (layout){bf16 ? (const void *)x_bf16 : x_f32, w_dense, dw_dense, scores_dense,
                            dscores_dense, D, D, C},
                   loss[0]);
    memcpy(b_dense, b, sizeof b);
    memcpy(db_dense, db, sizeof db);
    spread_rows(x, bf16 ? (const void *)x_bf16 : x_f32, ROWS, D,
                bf16 ? sizeof *x_bf16 : sizeof *x_f32);
    spread_rows(w, w_start, C, D, sizeof *w_start);
    all_operations(
        kernels, bf16,
        (layout){x.data, w.data, dw.data, scores.data, dscores.data, HUGE_LD, HUGE_LD, HUGE_LD},
        loss[1]);
    assert_same("scores", level, scores, scores_dense, ROWS, C, sizeof *scores_dense);
    assert_same("dscores", level, dscores, dscores_dense, ROWS, C, sizeof *dscores_dense);
    assert_same("dw", level, dw, dw_dense, C, D, sizeof *dw_dense);
    assert_same("w", level, w, w_dense, C, D, sizeof *w_dense);
    assert_memory_equal(b, b_dense, sizeof b);
    assert_memory_equal(db, db_dense, sizeof db);
    assert_memory_equal(loss[0], loss[1], sizeof loss[0]);
    assert_true(loss[0][2] > 0.0);
}

static void test_huge__floats__same_bits_as_contiguous_rows(void **state)
{
    (void)state;
    sparse matrices[5];
    for (size_t i = 0; i < 5; i++)
        matrices[i] = sparse_matrix(sizeof(float));
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t levels = levels_to_run(NULL, tables);
    assert_true(levels >= 1);
    for (size_t i = 0; i < levels; i++)
        for (int bf16 = 0; bf16 < 2; bf16++)
            check_floats(tables[i], downhill_kernels_name(tables[i]), bf16, matrices[0],
                         matrices[1], matrices[2], matrices[3], matrices[4]);
    for (size_t i = 0; i < 5; i++)
        free_sparse(matrices[i]);
}

/* The matrices of one run on bytes, all sparse or all dense. */
typedef struct layout_u8 {
    const void *x;
    float *w;
    int32_t *sums;
    double *totals, *scores;
    int16_t *dscores;
    size_t ldx, ldw, lds;
} layout_u8;

static void all_operations_on_bytes(const downhill_kernels *kernels, layout_u8 l, double loss[4])
{
    static int32_t sums_b[C];
    static double totals_b[C];
    const downhill_batch_u8 batch = {l.x, l.ldx, ROWS, labels, rows, N, 0};
    downhill_batch_u8 few = batch;
    few.n = ROWS;
    const downhill_weights_f32 weights = {l.w, l.ldw, b, D, C};
    const downhill_gradient_u8 sums = {l.sums, l.ldw, sums_b, D, C};
    const downhill_gradient_f64 totals = {l.totals, l.ldw, totals_b, D, C};
    const size_t packed_bytes = downhill_packed_u8_bytes(D, C),
                 bytes = downhill_workspace_u8_bytes(D, C);
    downhill_packed_u8 *packed = malloc(packed_bytes);
    const downhill_workspace workspace = {malloc(bytes), bytes};
    const downhill_sgd hinge = {{DOWNHILL_HINGE, 1.0f}, 1e-3f * N, 0.01f},
                       softmax = {{DOWNHILL_SOFTMAX, 0.0f}, 1e-3f * N, 0.01f};
    const downhill_matrix_f64 scores = {l.scores, l.lds, ROWS, C};
    const downhill_matrix_i16 dscores = {l.dscores, l.lds, ROWS, C};
    assert_true(packed != NULL && workspace.memory != NULL);
    memcpy(b, b_start, sizeof b);
    assert_int_equal(downhill_pack_u8(kernels, &weights, NULL, packed, packed_bytes), DOWNHILL_OK);
    assert_int_equal(downhill_loss_grad_u8(kernels, &batch, packed, hinge.loss, &sums, &loss[0],
                                           &workspace, NULL),
                     DOWNHILL_OK);
    assert_int_equal(downhill_update_u8(kernels, &weights, packed, &sums, N, &hinge), DOWNHILL_OK);
    assert_int_equal(downhill_loss_grad_u8_f64(kernels, &batch, packed, softmax.loss, &totals,
                                               &loss[1], &workspace, NULL),
                     DOWNHILL_OK);
    assert_int_equal(downhill_update_u8_f64(kernels, &weights, packed, &totals, N, &softmax),
                     DOWNHILL_OK);
    assert_int_equal(downhill_score_u8(kernels, &few, packed, &scores), DOWNHILL_OK);
    /* The labels of the rows in memory order: any will do. */
    assert_int_equal(downhill_hinge_u8(kernels, &scores, labels, 1.0f, &dscores, &loss[2]),
                     DOWNHILL_OK);
    assert_int_equal(downhill_grad_u8(kernels, &few, &dscores, 1, &sums), DOWNHILL_OK);
    assert_int_equal(downhill_softmax_u8(kernels, &scores, labels, &dscores, &loss[3]),
                     DOWNHILL_OK);
    assert_int_equal(downhill_grad_u8(kernels, &few, &dscores, 1, &sums), DOWNHILL_OK);
    free(packed);
    free(workspace.memory);
}

static void test_huge__bytes__same_bits_as_contiguous_rows(void **state)
{
    (void)state;
    const sparse x = sparse_matrix(1), w = sparse_matrix(sizeof(float)),
                 sums = sparse_matrix(sizeof(int32_t)), totals = sparse_matrix(sizeof(double)),
                 scores = sparse_matrix(sizeof(double)), dscores = sparse_matrix(sizeof(int16_t));
    static float w_dense[C * D];
    static int32_t sums_dense[C * D];
    static double totals_dense[C * D], scores_dense[ROWS * C];
    static int16_t dscores_dense[ROWS * C];
    const layout_u8 dense = {x_u8, w_dense, sums_dense, totals_dense, scores_dense, dscores_dense,
                             D,    D,       C},
                    spread = {x.data,       w.data,  sums.data, totals.data, scores.data,
                              dscores.data, HUGE_LD, HUGE_LD,   HUGE_LD};
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t levels = levels_to_run(NULL, tables);
    assert_true(levels >= 1);
    spread_rows(x, x_u8, ROWS, D, 1);
    for (size_t i = 0; i < levels; i++) {
        const char *level = downhill_kernels_name(tables[i]);
        double loss[2][4];
        memcpy(w_dense, w_start, sizeof w_dense);
        all_operations_on_bytes(tables[i], dense, loss[0]);
        spread_rows(w, w_start, C, D, sizeof *w_start);
        all_operations_on_bytes(tables[i], spread, loss[1]);
        assert_memory_equal(loss[0], loss[1], sizeof loss[0]);
        for (size_t l = 0; l < 4; l++)
            assert_true(loss[0][l] > 0.0);
        assert_same("sums", level, sums, sums_dense, C, D, sizeof *sums_dense);
        assert_same("totals", level, totals, totals_dense, C, D, sizeof *totals_dense);
        assert_same("w", level, w, w_dense, C, D, sizeof *w_dense);
        assert_same("scores", level, scores, scores_dense, ROWS, C, sizeof *scores_dense);
        assert_same("dscores", level, dscores, dscores_dense, ROWS, C, sizeof *dscores_dense);
    }
    free_sparse(x);
    free_sparse(w);
    free_sparse(sums);
    free_sparse(totals);
    free_sparse(scores);
    free_sparse(dscores);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_huge__floats__same_bits_as_contiguous_rows),
        cmocka_unit_test(test_huge__bytes__same_bits_as_contiguous_rows),
    };
    return cmocka_run_group_tests_name("huge", tests, draw, NULL);
}
