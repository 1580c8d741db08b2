/* SPDX-License-Identifier: MIT
 *
 * Invalid arguments, which the operations on bytes reject before they write anything. */
#include "u8_support.h"

#include "isa/kernels.h"
#include "matrices.h"
#include "simd/prefetch.h"

#include <math.h>
#include <string.h>

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

#define REFUSED(status, call) assert_int_equal(call, DOWNHILL_ERR_##status)
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
    const downhill_sgd softmax = {.loss = {DOWNHILL_SOFTMAX, 0.0f}};
    REFUSED(PARAMETER,
            downhill_step_u8(scalar, &batch, &weights, packed, &softmax, &loss, &workspace, NULL));
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
#undef REFUSED
    free(packed);
    free(moved);
    free(workspace.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_u8__bad_arguments__refused),
    };
    return cmocka_run_group_tests_name("u8_arguments", tests, NULL, NULL);
}
