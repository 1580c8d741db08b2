/* SPDX-License-Identifier: MIT
 *
 * Invalid arguments, which the operations on bytes reject before they write anything. */
#include "u8_support.h"

#include "isa/kernels.h"
#include "matrices.h"
#include "simd/prefetch.h"

#include <math.h>
#include <string.h>

#define REFUSED(status, call) assert_int_equal(call, DOWNHILL_ERR_##status)

static char *first_line(downhill_packed_u8 *packed)
{
    char *p = (char *)packed;
    return p + (LINE_BYTES - (uintptr_t)p % LINE_BYTES) % LINE_BYTES;
}

static void test_u8__bad_arguments__refused(void **state)
{
    (void)state;
    enum { n = 3, d = 5, c = 2 };
    uint8_t x[n * d] = {0};
    const int32_t y[n] = {0, 1, 0}, bad_y[n] = {0, 2, 0};
    const size_t bad_rows[n] = {0, n, 1};
    float w[c * d] = {0}, b[c] = {0}, scale[d] = {1, 1, 1, 1, 1};
    uint16_t mean[d] = {0};
    double scores[n * c], loss;
    int16_t dscores[n * c] = {0};
    int32_t sums_w[c * d], sums_b[c];
    const size_t bytes = downhill_packed_u8_bytes(d, c),
                 workspace_bytes = downhill_workspace_u8_bytes(d, c);
    downhill_packed_u8 *packed = new (bytes, 1), *moved = new (bytes + LINE_BYTES, 1);
    const downhill_workspace workspace = {new (workspace_bytes, 1), workspace_bytes},
                             small = {workspace.memory, workspace_bytes - 1},
                             none = {NULL, workspace_bytes};
    const downhill_sgd *sgd = HINGE(1.0f, 1.0f, 0.0f);
    const downhill_weights_f32 weights = {w, d, b, d, c}, narrow = {w, d - 1, b, d - 1, c};
    const downhill_norm_u8 norm = {mean, scale};
    downhill_batch_u8 batch = {x, d, n, y, NULL, n, 0};
    const downhill_gradient_u8 sums = {sums_w, d, sums_b, d, c};
    downhill_gradient_u8 bad_sums = sums;
    const downhill_kernels *scalar;
    assert_int_equal(downhill_select("scalar", &scalar, NULL, 0), DOWNHILL_OK);

    REFUSED(PACKED,
            downhill_score_u8(scalar, &batch, packed, F64(scores, c, n, c))); /* never packed */
    REFUSED(NULL, downhill_pack_u8(scalar, NULL, NULL, packed, bytes));
    REFUSED(NULL, downhill_pack_u8(scalar, &weights, NULL, NULL, bytes));
    REFUSED(WORKSPACE, downhill_pack_u8(scalar, &weights, NULL, packed, bytes - 1));
    mean[d - 1] = 65281;
    REFUSED(PARAMETER, downhill_pack_u8(scalar, &weights, &norm, packed, bytes));
    REFUSED(PACKED,
            downhill_score_u8(scalar, &batch, packed, F64(scores, c, n, c))); /* still not packed */
    mean[d - 1] = 65280;
    scale[0] = -1.0f;
    REFUSED(PARAMETER, downhill_pack_u8(scalar, &weights, &norm, packed, bytes));
    scale[0] = NAN;
    REFUSED(PARAMETER, downhill_pack_u8(scalar, &weights, &norm, packed, bytes));
    scale[0] = 0.0f;
    assert_int_equal(downhill_pack_u8(scalar, &weights, &norm, packed, bytes), DOWNHILL_OK);
    assert_int_equal(downhill_score_u8(scalar, &batch, packed, F64(scores, c, n, c)), DOWNHILL_OK);

    scale[0] = NAN; /* the earlier packed weights stay valid */
    REFUSED(PARAMETER, downhill_pack_u8(scalar, &weights, &norm, packed, bytes));
    assert_int_equal(downhill_score_u8(scalar, &batch, packed, F64(scores, c, n, c)), DOWNHILL_OK);
    scale[0] = 0.0f;

    /* Copies all bytes in use, from the first cache line of one to that of the other. */
    memcpy(first_line(moved), first_line(packed), bytes - LINE_BYTES);
    assert_memory_not_equal(first_line(moved), (char[LINE_BYTES]){0}, LINE_BYTES);
    REFUSED(PACKED, downhill_score_u8(scalar, &batch, moved, F64(scores, c, n, c)));
    const downhill_kernels *tables[LEVELS_MAX];
    if (all_tables(tables) > 1)
        REFUSED(PACKED, downhill_score_u8(tables[1], &batch, packed, F64(scores, c, n, c)));
    REFUSED(NULL, downhill_score_u8(scalar, NULL, packed, F64(scores, c, n, c)));
    REFUSED(NULL, downhill_score_u8(scalar, &batch, NULL, F64(scores, c, n, c)));
    REFUSED(NULL, downhill_score_u8(scalar, &batch, packed, NULL));
    REFUSED(LD, downhill_score_u8(scalar, &batch, packed, F64(scores, c - 1, n, c)));

    REFUSED(LABEL, downhill_hinge_u8(scalar, F64(scores, c, n, c), bad_y, 1, I16(dscores, c, n, c),
                                     &loss));
    REFUSED(PARAMETER,
            downhill_hinge_u8(scalar, F64(scores, c, n, c), y, -1, I16(dscores, c, n, c), &loss));
    REFUSED(NULL,
            downhill_hinge_u8(scalar, F64(scores, c, n, c), y, 1, I16(dscores, c, n, c), NULL));
    REFUSED(LD, downhill_hinge_u8(scalar, F64(scores, c, n, c), y, 1, I16(dscores, c - 1, n, c),
                                  &loss));

    bad_sums.db = NULL;
    REFUSED(NULL, downhill_grad_u8(scalar, &batch, I16(dscores, c, n, c), 0, &bad_sums));
    REFUSED(NULL, downhill_update_u8(scalar, &weights, packed, &bad_sums, n, sgd));
    bad_sums = sums;
    bad_sums.lddw = d - 1;
    REFUSED(LD, downhill_grad_u8(scalar, &batch, I16(dscores, c, n, c), 0, &bad_sums));
    bad_sums = (downhill_gradient_u8){sums_w, d, sums_b, d, c - 1};
    REFUSED(SIZE, downhill_update_u8(scalar, &weights, packed, &bad_sums, n, sgd));
    REFUSED(SIZE, downhill_loss_grad_u8(scalar, &batch, packed, sgd->loss, &bad_sums, &loss,
                                        &workspace, NULL));
    REFUSED(PACKED, downhill_update_u8(scalar, &narrow, packed, &sums, n, sgd));
    REFUSED(PARAMETER,
            downhill_update_u8(scalar, &weights, packed, &sums, n, HINGE(1.0f, NAN, 0.0f)));

    REFUSED(WORKSPACE,
            downhill_step_u8(scalar, &batch, &weights, packed, sgd, &loss, &small, NULL));
    REFUSED(NULL, downhill_step_u8(scalar, &batch, &weights, packed, sgd, &loss, &none, NULL));
    REFUSED(PACKED,
            downhill_step_u8(scalar, &batch, &narrow, packed, sgd, &loss, &workspace, NULL));
    REFUSED(PARAMETER, downhill_step_u8(scalar, &batch, &weights, packed,
                                        HINGE(1.0f, INFINITY, 0.0f), &loss, &workspace, NULL));
    REFUSED(PARAMETER, downhill_step_u8(scalar, &batch, &weights, packed, &(downhill_sgd){0}, &loss,
                                        &workspace, NULL));
    REFUSED(NULL, downhill_step_u8(scalar, &batch, &weights, packed, sgd, &loss, NULL, NULL));
    REFUSED(NULL,
            downhill_step_u8(scalar, &batch, &weights, packed, NULL, &loss, &workspace, NULL));
    REFUSED(NULL, downhill_step_u8(scalar, NULL, &weights, packed, sgd, &loss, &workspace, NULL));
    batch.rows = bad_rows;
    REFUSED(ROW, downhill_step_u8(scalar, &batch, &weights, packed, sgd, &loss, &workspace, NULL));
    batch.rows = NULL;
    batch.y = bad_y;
    REFUSED(LABEL,
            downhill_step_u8(scalar, &batch, &weights, packed, sgd, &loss, &workspace, NULL));
    free(packed);
    free(moved);
    free(workspace.memory);
}

static void test_u8__bad_arguments_of_softmax__refused(void **state)
{
    (void)state;
    enum { n = 3, c = 2, MANY = DOWNHILL_U8_C_MAX + 1 };
    double scores[n * c] = {0}, loss = 7.0;
    int16_t dscores[n * c];
    const int32_t y[n] = {0, 1, 0}, too_large[n] = {0, c, 0}, negative[n] = {0, 1, -1};
    memset(dscores, 7, sizeof dscores);
    const downhill_matrix_f64 *s = F64(scores, c, n, c);
    const downhill_matrix_i16 *g = I16(dscores, c, n, c);
    REFUSED(NULL, downhill_softmax_u8(NULL, NULL, y, g, &loss));
    REFUSED(NULL, downhill_softmax_u8(NULL, F64(NULL, c, n, c), y, g, &loss));
    REFUSED(NULL, downhill_softmax_u8(NULL, s, NULL, g, &loss));
    REFUSED(NULL, downhill_softmax_u8(NULL, s, y, NULL, &loss));
    REFUSED(NULL, downhill_softmax_u8(NULL, s, y, I16(NULL, c, n, c), &loss));
    REFUSED(NULL, downhill_softmax_u8(NULL, s, y, g, NULL));
    REFUSED(SIZE, downhill_softmax_u8(NULL, F64(scores, c, 0, c), y, I16(dscores, c, 0, c), &loss));
    REFUSED(SIZE, downhill_softmax_u8(NULL, F64(scores, c, n, 0), y, I16(dscores, c, n, 0), &loss));
    REFUSED(SIZE, downhill_softmax_u8(NULL, s, y, I16(dscores, c, n - 1, c), &loss));
    REFUSED(SIZE, downhill_softmax_u8(NULL, s, y, I16(dscores, c, n, c - 1), &loss));
    REFUSED(SIZE, downhill_softmax_u8(NULL, F64(scores, MANY, 1, MANY), y,
                                      I16(dscores, MANY, 1, MANY), &loss));
    REFUSED(LD, downhill_softmax_u8(NULL, F64(scores, c - 1, n, c), y, g, &loss));
    REFUSED(LD, downhill_softmax_u8(NULL, s, y, I16(dscores, c - 1, n, c), &loss));
    REFUSED(LABEL, downhill_softmax_u8(NULL, s, too_large, g, &loss));
    REFUSED(LABEL, downhill_softmax_u8(NULL, s, negative, g, &loss));
    for (size_t i = 0; i < n * c; i++)
        assert_int_equal(dscores[i], 0x0707);
    assert_true(loss == 7.0);
}

/* One more sample than 32 bits hold is refused only where the sums are in 32 bits. */
static void test_u8__bad_arguments_of_f64_gradients__refused(void **state)
{
    (void)state;
    enum { d = 5, c = 2, n = DOWNHILL_U8_SOFTMAX_N_MAX + 1 };
    static uint8_t x[n * d];
    static int32_t y[n];
    float w[c * d] = {0}, b[c] = {0};
    double dw[c * d], db[c], loss = 7.0;
    int32_t sums_w[c * d], sums_b[c];
    for (size_t i = 0; i < c * d; i++)
        dw[i] = sums_w[i] = 7;
    db[0] = db[1] = sums_b[0] = sums_b[1] = 7;
    const size_t bytes = downhill_packed_u8_bytes(d, c),
                 workspace_bytes = downhill_workspace_u8_bytes(d, c);
    downhill_packed_u8 *p = new (bytes, 1), *never = new (bytes, 1);
    const downhill_workspace space = {new (workspace_bytes, 1), workspace_bytes},
                             small = {space.memory, workspace_bytes - 1};
    const downhill_loss softmax = {DOWNHILL_SOFTMAX, 0.0f}, unset = {0};
    const downhill_sgd sgd = {softmax, 0.1f, 0.0f}, unset_sgd = {unset, 0.1f, 0.0f},
                       infinite = {softmax, INFINITY, 0.0f},
                       margin = {{DOWNHILL_HINGE, -1.0f}, 0, 0};
    const downhill_weights_f32 weights = {w, d, b, d, c}, narrow = {w, d - 1, b, d - 1, c};
    const downhill_gradient_f64 g = {dw, d, db, d, c};
    const downhill_gradient_u8 sums = {sums_w, d, sums_b, d, c};
    const downhill_gradient_f64 bad_ld = {dw, d - 1, db, d, c}, bad_d = {dw, d, db, d - 1, c},
                                bad_c = {dw, d, db, d, c - 1}, no_dw = {NULL, d, db, d, c},
                                no_db = {dw, d, NULL, d, c},
                                many = {dw, d, db, d, DOWNHILL_U8_C_MAX + 1};
    const downhill_batch_u8 all = {x, d, n, y, NULL, n, 0}, most = {x, d, n, y, NULL, n - 1, 0},
                            no_labels = {x, d, n, NULL, NULL, n, 0},
                            none = {x, d, n, y, NULL, 0, 0},
                            too_many = {x, d, n, y, NULL, n + 1, 0};
    assert_int_equal(downhill_pack_u8(NULL, &weights, NULL, p, bytes), DOWNHILL_OK);

    REFUSED(RANGE, downhill_loss_grad_u8(NULL, &all, p, softmax, &sums, &loss, &space, NULL));
#define GRADIENT(batch, packed, loss_of, grad, workspace)                                          \
    downhill_loss_grad_u8_f64(NULL, batch, packed, loss_of, grad, &loss, workspace, NULL)
    REFUSED(NULL, GRADIENT(NULL, p, softmax, &g, &space));
    REFUSED(NULL, GRADIENT(&all, NULL, softmax, &g, &space));
    REFUSED(NULL, GRADIENT(&all, p, softmax, NULL, &space));
    REFUSED(NULL, GRADIENT(&all, p, softmax, &no_dw, &space));
    REFUSED(NULL, GRADIENT(&all, p, softmax, &no_db, &space));
    REFUSED(NULL, GRADIENT(&all, p, softmax, &g, NULL));
    REFUSED(NULL, GRADIENT(&no_labels, p, softmax, &g, &space));
    REFUSED(PACKED, GRADIENT(&all, never, softmax, &g, &space));
    REFUSED(PARAMETER, GRADIENT(&all, p, unset, &g, &space));
    REFUSED(PARAMETER, GRADIENT(&all, p, margin.loss, &g, &space));
    REFUSED(LD, GRADIENT(&all, p, softmax, &bad_ld, &space));
    REFUSED(SIZE, GRADIENT(&all, p, softmax, &bad_d, &space));
    REFUSED(SIZE, GRADIENT(&all, p, softmax, &bad_c, &space));
    REFUSED(SIZE, GRADIENT(&all, p, softmax, &many, &space));
    REFUSED(SIZE, GRADIENT(&none, p, softmax, &g, &space));
    REFUSED(SIZE, GRADIENT(&too_many, p, softmax, &g, &space));
    REFUSED(WORKSPACE, GRADIENT(&all, p, softmax, &g, &small));
    y[n - 1] = c;
    REFUSED(LABEL, GRADIENT(&all, p, softmax, &g, &space));
    y[n - 1] = 0;
#define UPDATE(of, packed, grad, samples, options)                                                 \
    downhill_update_u8_f64(NULL, of, packed, grad, samples, options)
    REFUSED(NULL, UPDATE(NULL, p, &g, n, &sgd));
    REFUSED(NULL, UPDATE(&weights, NULL, &g, n, &sgd));
    REFUSED(NULL, UPDATE(&weights, p, NULL, n, &sgd));
    REFUSED(NULL, UPDATE(&weights, p, &no_dw, n, &sgd));
    REFUSED(NULL, UPDATE(&weights, p, &no_db, n, &sgd));
    REFUSED(NULL, UPDATE(&weights, p, &g, n, NULL));
    REFUSED(PACKED, UPDATE(&weights, never, &g, n, &sgd));
    REFUSED(PACKED, UPDATE(&narrow, p, &g, n, &sgd));
    REFUSED(LD, UPDATE(&weights, p, &bad_ld, n, &sgd));
    REFUSED(SIZE, UPDATE(&weights, p, &bad_d, n, &sgd));
    REFUSED(SIZE, UPDATE(&weights, p, &bad_c, n, &sgd));
    REFUSED(SIZE, UPDATE(&weights, p, &many, n, &sgd));
    REFUSED(SIZE, UPDATE(&weights, p, &g, 0, &sgd));
    REFUSED(PARAMETER, UPDATE(&weights, p, &g, n, &unset_sgd));
    REFUSED(PARAMETER, UPDATE(&weights, p, &g, n, &margin));
    REFUSED(PARAMETER, UPDATE(&weights, p, &g, n, &infinite));
    REFUSED(PARAMETER, downhill_update_u8(NULL, &weights, p, &sums, n, &unset_sgd));
#undef GRADIENT
#undef UPDATE
    for (size_t i = 0; i < c * d; i++)
        assert_true(dw[i] == 7.0 && sums_w[i] == 7 && w[i] == 0.0f);
    assert_true(db[0] == 7.0 && db[1] == 7.0 && sums_b[0] == 7 && sums_b[1] == 7 && loss == 7.0);

    assert_int_equal(downhill_loss_grad_u8(NULL, &most, p, softmax, &sums, NULL, &space, NULL),
                     DOWNHILL_OK);
    assert_int_equal(downhill_loss_grad_u8_f64(NULL, &all, p, softmax, &g, NULL, &space, NULL),
                     DOWNHILL_OK);
    assert_int_equal(downhill_step_u8(NULL, &all, &weights, p, &sgd, NULL, &space, NULL),
                     DOWNHILL_OK);
    free(p);
    free(never);
    free(space.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_u8__bad_arguments__refused),
        cmocka_unit_test(test_u8__bad_arguments_of_softmax__refused),
        cmocka_unit_test(test_u8__bad_arguments_of_f64_gradients__refused),
    };
    return cmocka_run_group_tests_name("u8_arguments", tests, NULL, NULL);
}
