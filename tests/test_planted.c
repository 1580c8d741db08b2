/* SPDX-License-Identifier: MIT
 *
 * verify catches bugs of each kind at every level: a tail dropped, the bias skipped, classes swapped, numbers rounded
 * to bf16, rows off by one, where the kernel has such a thing; and some that only numbers out of the ordinary show.
 * Each is a kernel of the level with the bug around it. */
#include "cmocka_all.h"

#include "base/error.h"
#include "base/levels.h"
#include "kernels.h"
#include "verify/verify.h"
#include "verify/workbench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHIFTED_MAX = BLOCK_ROWS_MAX + U8_ROWS_AHEAD, WIDE = 8 };

/* What the level has, right. */
static downhill_score_kernel *score;
static downhill_score_packed_kernel *score_packed;
static downhill_grad_kernel *grad;
static const downhill_kernels *right;

static size_t without_tail(size_t count)
{
    return count > WIDE ? count / WIDE * WIDE : count;
}

static void shift_rows(size_t n, const void *const *x, const void **shifted)
{
    for (size_t i = 0; i < SHIFTED_MAX; i++)
        shifted[i] = x[i + 1 < n ? i + 1 : n - 1];
}

static void swap_first_two(void *a, size_t ld, size_t size)
{
    unsigned char *first = a, *second = first + ld * size;
    for (size_t i = 0; i < size; i++) {
        const unsigned char byte = first[i];
        first[i] = second[i];
        second[i] = byte;
    }
}

static float to_bf16(float value)
{
    uint16_t bf16;
    downhill_bf16_from_f32(1, &value, &bf16);
    const uint32_t bits = (uint32_t)bf16 << 16;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void clear(size_t n, size_t c, float *scores, size_t lds)
{
    for (size_t i = 0; i < n; i++)
        memset(scores + i * lds, 0, c * sizeof *scores);
}

/* ---- scores of f32 and bf16 ---- */

static void score_tail_dropped(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                               size_t ldw, float *scores, size_t lds, struct downhill_ahead *ahead)
{
    score(n, without_tail(d), c, x, w, ldw, scores, lds, ahead);
}

static void score_bias_skipped(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                               size_t ldw, float *scores, size_t lds, struct downhill_ahead *ahead)
{
    clear(n, c, scores, lds);
    score(n, d, c, x, w, ldw, scores, lds, ahead);
}

static void score_classes_swapped(size_t n, size_t d, size_t c, const void *const *x,
                                  const float *w, size_t ldw, float *scores, size_t lds,
                                  struct downhill_ahead *ahead)
{
    score(n, d, c, x, w, ldw, scores, lds, ahead);
    for (size_t i = 0; c > 1 && i < n; i++)
        swap_first_two(scores + i * lds, 1, sizeof *scores);
}

static void score_weights_in_bf16(size_t n, size_t d, size_t c, const void *const *x,
                                  const float *w, size_t ldw, float *scores, size_t lds,
                                  struct downhill_ahead *ahead)
{
    float *rounded = malloc(c * d * sizeof *rounded);
    assert_non_null(rounded);
    for (size_t j = 0; j < c; j++)
        for (size_t k = 0; k < d; k++)
            rounded[j * d + k] = to_bf16(w[j * ldw + k]);
    score(n, d, c, x, rounded, d, scores, lds, ahead);
    free(rounded);
}

static void score_rows_off_by_one(size_t n, size_t d, size_t c, const void *const *x,
                                  const float *w, size_t ldw, float *scores, size_t lds,
                                  struct downhill_ahead *ahead)
{
    const void *shifted[SHIFTED_MAX];
    shift_rows(n, x, shifted);
    score(n, d, c, shifted, w, ldw, scores, lds, ahead);
}

static void score_infinity_lost(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                                size_t ldw, float *scores, size_t lds, struct downhill_ahead *ahead)
{
    score(n, d, c, x, w, ldw, scores, lds, ahead);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            scores[i * lds + j] -= 0.0f * scores[i * lds + j];
}

/* ---- the same with packed weights ---- */

static void packed_tail_dropped(size_t n, size_t d, size_t c, const void *const *x,
                                const float *packed, float *scores, size_t lds,
                                struct downhill_ahead *ahead)
{
    score_packed(n, d > PACK_GROUP ? d / PACK_GROUP * PACK_GROUP : d, c, x, packed, scores, lds,
                 ahead);
}

static void packed_bias_skipped(size_t n, size_t d, size_t c, const void *const *x,
                                const float *packed, float *scores, size_t lds,
                                struct downhill_ahead *ahead)
{
    clear(n, c, scores, lds);
    score_packed(n, d, c, x, packed, scores, lds, ahead);
}

static void packed_classes_swapped(size_t n, size_t d, size_t c, const void *const *x,
                                   const float *packed, float *scores, size_t lds,
                                   struct downhill_ahead *ahead)
{
    score_packed(n, d, c, x, packed, scores, lds, ahead);
    for (size_t i = 0; c > 1 && i < n; i++)
        swap_first_two(scores + i * lds, 1, sizeof *scores);
}

static void packed_rows_off_by_one(size_t n, size_t d, size_t c, const void *const *x,
                                   const float *packed, float *scores, size_t lds,
                                   struct downhill_ahead *ahead)
{
    const void *shifted[SHIFTED_MAX];
    shift_rows(n, x, shifted);
    score_packed(n, d, c, shifted, packed, scores, lds, ahead);
}

/* ---- losses ---- */

static double hinge_last_class_dropped(size_t n, size_t c, const float *scores, size_t lds,
                                       const int32_t *y, float delta, float *dscores, size_t ldds)
{
    const double loss = right->hinge_f32(n, c, scores, lds, y, delta, dscores, ldds);
    for (size_t i = 0; i < n; i++)
        dscores[i * ldds + c - 1] = 0.0f;
    return loss;
}

static double hinge_last_row_forgotten(size_t n, size_t c, const float *scores, size_t lds,
                                       const int32_t *y, float delta, float *dscores, size_t ldds)
{
    return right->hinge_f32(n > 1 ? n - 1 : n, c, scores, lds, y, delta, dscores, ldds);
}

static double hinge_margin_cut(size_t n, size_t c, const float *scores, size_t lds,
                               const int32_t *y, float delta, float *dscores, size_t ldds)
{
    return right->hinge_f32(n, c, scores, lds, y, truncf(delta), dscores, ldds);
}

static double softmax_in_bf16(size_t n, size_t c, const float *scores, size_t lds, const int32_t *y,
                              float *dscores, size_t ldds)
{
    const double loss = right->softmax_f32(n, c, scores, lds, y, dscores, ldds);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            dscores[i * ldds + j] = to_bf16(dscores[i * ldds + j]);
    return loss;
}

static double softmax_classes_swapped(size_t n, size_t c, const float *scores, size_t lds,
                                      const int32_t *y, float *dscores, size_t ldds)
{
    const double loss = right->softmax_f32(n, c, scores, lds, y, dscores, ldds);
    for (size_t i = 0; c > 1 && i < n; i++)
        swap_first_two(dscores + i * ldds, 1, sizeof *dscores);
    return loss;
}

static double softmax_last_row_forgotten(size_t n, size_t c, const float *scores, size_t lds,
                                         const int32_t *y, float *dscores, size_t ldds)
{
    return right->softmax_f32(n > 1 ? n - 1 : n, c, scores, lds, y, dscores, ldds);
}

/* ---- gradients of f32 and bf16 ---- */

static void grad_tail_dropped(size_t n, size_t d, size_t c, const void *const *x,
                              const float *dscores, size_t ldds, unsigned flags, float *dw,
                              size_t lddw, struct downhill_ahead *ahead)
{
    grad(n, without_tail(d), c, x, dscores, ldds, flags, dw, lddw, ahead);
}

static void grad_classes_swapped(size_t n, size_t d, size_t c, const void *const *x,
                                 const float *dscores, size_t ldds, unsigned flags, float *dw,
                                 size_t lddw, struct downhill_ahead *ahead)
{
    grad(n, d, c, x, dscores, ldds, flags, dw, lddw, ahead);
    if (c > 1)
        swap_first_two(dw, lddw, sizeof *dw);
}

static void grad_in_bf16(size_t n, size_t d, size_t c, const void *const *x, const float *dscores,
                         size_t ldds, unsigned flags, float *dw, size_t lddw,
                         struct downhill_ahead *ahead)
{
    grad(n, d, c, x, dscores, ldds, flags, dw, lddw, ahead);
    for (size_t j = 0; j < c; j++)
        for (size_t k = 0; k < d; k++)
            dw[j * lddw + k] = to_bf16(dw[j * lddw + k]);
}

static void grad_rows_off_by_one(size_t n, size_t d, size_t c, const void *const *x,
                                 const float *dscores, size_t ldds, unsigned flags, float *dw,
                                 size_t lddw, struct downhill_ahead *ahead)
{
    const void *shifted[SHIFTED_MAX];
    shift_rows(n, x, shifted);
    grad(n, d, c, shifted, dscores, ldds, flags, dw, lddw, ahead);
}

/* ---- updates ---- */

static void update_tail_dropped(size_t count, float decay, float step, const float *g, float *w)
{
    right->update_f32(without_tail(count), decay, step, g, w);
}

static void update_in_bf16(size_t count, float decay, float step, const float *g, float *w)
{
    right->update_f32(count, decay, step, g, w);
    for (size_t k = 0; k < count; k++)
        w[k] = to_bf16(w[k]);
}

static void update_without_signs(size_t count, float decay, float step, const float *g, float *w)
{
    right->update_f32(count, fabsf(decay), fabsf(step), g, w);
}

/* ---- bytes ---- */

static void score_u8_bias_skipped(size_t n, size_t d, size_t c, const void *const *x,
                                  const void *packed, const double *unit, double *scores,
                                  size_t lds, struct downhill_ahead *ahead)
{
    for (size_t i = 0; i < n; i++)
        memset(scores + i * lds, 0, c * sizeof *scores);
    right->u8->score(n, d, c, x, packed, unit, scores, lds, ahead);
}

static void score_u8_tail_dropped(size_t n, size_t d, size_t c, const void *const *x,
                                  const void *packed, const double *unit, double *scores,
                                  size_t lds, struct downhill_ahead *ahead)
{
    right->u8->score(n, without_tail(d), c, x, packed, unit, scores, lds, ahead);
}

static void score_u8_classes_swapped(size_t n, size_t d, size_t c, const void *const *x,
                                     const void *packed, const double *unit, double *scores,
                                     size_t lds, struct downhill_ahead *ahead)
{
    right->u8->score(n, d, c, x, packed, unit, scores, lds, ahead);
    for (size_t i = 0; c > 1 && i < n; i++)
        swap_first_two(scores + i * lds, 1, sizeof *scores);
}

static void score_u8_rows_off_by_one(size_t n, size_t d, size_t c, const void *const *x,
                                     const void *packed, const double *unit, double *scores,
                                     size_t lds, struct downhill_ahead *ahead)
{
    const void *shifted[SHIFTED_MAX];
    shift_rows(n, x, shifted);
    right->u8->score(n, d, c, shifted, packed, unit, scores, lds, ahead);
}

static double hinge_u8_last_row_forgotten(size_t n, size_t c, const double *scores, size_t lds,
                                          const int32_t *y, double delta, int16_t *dscores,
                                          size_t ldds)
{
    return right->u8->hinge(n > 1 ? n - 1 : n, c, scores, lds, y, delta, dscores, ldds);
}

static double hinge_u8_margin_cut(size_t n, size_t c, const double *scores, size_t lds,
                                  const int32_t *y, double delta, int16_t *dscores, size_t ldds)
{
    return right->u8->hinge(n, c, scores, lds, y, trunc(delta), dscores, ldds);
}

static void grad_u8_clamped(size_t n, size_t d, size_t c, const void *const *x,
                            downhill_dscores dscores, unsigned flags, int32_t *dw, size_t lddw,
                            struct downhill_ahead *ahead)
{
    right->u8->grad(n, d, c, x, dscores, flags, dw, lddw, ahead);
    for (size_t j = 0; j < c; j++)
        for (size_t k = 0; k < d; k++)
            if (dw[j * lddw + k] > 2000000000)
                dw[j * lddw + k] = 2000000000;
}

static void grad_u8_tail_dropped(size_t n, size_t d, size_t c, const void *const *x,
                                 downhill_dscores dscores, unsigned flags, int32_t *dw, size_t lddw,
                                 struct downhill_ahead *ahead)
{
    right->u8->grad(n, without_tail(d), c, x, dscores, flags, dw, lddw, ahead);
}

static void grad_u8_classes_swapped(size_t n, size_t d, size_t c, const void *const *x,
                                    downhill_dscores dscores, unsigned flags, int32_t *dw,
                                    size_t lddw, struct downhill_ahead *ahead)
{
    right->u8->grad(n, d, c, x, dscores, flags, dw, lddw, ahead);
    if (c > 1)
        swap_first_two(dw, lddw, sizeof *dw);
}

static void grad_u8_rows_off_by_one(size_t n, size_t d, size_t c, const void *const *x,
                                    downhill_dscores dscores, unsigned flags, int32_t *dw,
                                    size_t lddw, struct downhill_ahead *ahead)
{
    const void *shifted[SHIFTED_MAX];
    shift_rows(n, x, shifted);
    right->u8->grad(n, d, c, shifted, dscores, flags, dw, lddw, ahead);
}

static uint32_t update_u8_in_bf16(size_t d, unsigned flags, float decay, float step, float sum,
                                  float times, const int32_t *dw, const float *mean,
                                  const float *gain, float *w)
{
    const uint32_t most = right->u8->update(d, flags, decay, step, sum, times, dw, mean, gain, w);
    for (size_t k = 0; k < d; k++)
        w[k] = to_bf16(w[k]);
    return most;
}

static uint32_t update_u8_sums_cut(size_t d, unsigned flags, float decay, float step, float sum,
                                   float times, const int32_t *dw, const float *mean,
                                   const float *gain, float *w)
{
    int32_t *cut = malloc(d * sizeof *cut);
    assert_non_null(cut);
    for (size_t k = 0; k < d; k++) /* to 24 bits */
        cut[k] = dw[k] > 1 << 24 || dw[k] < -(1 << 24) ? dw[k] / 256 * 256 : dw[k];
    const uint32_t most = right->u8->update(d, flags, decay, step, sum, times, cut, mean, gain, w);
    free(cut);
    return most;
}

/* ---- planting ---- */

static void must_fail(const downhill_kernels *table, const char *op, const char *bug)
{
    verify_options options = VERIFY_DEFAULTS;
    options.kernels = table;
    options.op = op;
    options.max_reports = 0;
    options.first_only = true;
    verify_result result;
    if (verify_run(&options, &result) != EXIT_CHECK)
        fail_msg("%s of %s: %s went unseen", op, table->name, bug);
}

/* Without a bug there is nothing to catch. */
static void assert_right(void)
{
    verify_options options = VERIFY_DEFAULTS;
    options.kernels = right;
    options.chosen_only = true;
    options.stride = 31;
    verify_result result;
    assert_int_equal(verify_run(&options, &result), EXIT_OK);
}

static void plant_scores(bool bf16)
{
    static const struct {
        const char *name;
        downhill_score_kernel *bug;
    } bugs[] = {
        {"tail dropped", score_tail_dropped},       {"bias skipped", score_bias_skipped},
        {"classes swapped", score_classes_swapped}, {"weights in bf16", score_weights_in_bf16},
        {"rows off by one", score_rows_off_by_one}, {"infinity lost", score_infinity_lost},
    };
    static const struct {
        const char *name;
        downhill_score_packed_kernel *bug;
    } packed_bugs[] = {
        {"packed, tail dropped", packed_tail_dropped},
        {"packed, bias skipped", packed_bias_skipped},
        {"packed, classes swapped", packed_classes_swapped},
        {"packed, rows off by one", packed_rows_off_by_one},
    };
    const char *op = bf16 ? "score_bf16" : "score_f32";
    score = bf16 ? right->score_bf16 : right->score_f32;
    for (size_t i = 0; i < sizeof bugs / sizeof bugs[0]; i++) {
        if (bugs[i].bug == score_infinity_lost && bf16 && verify_splits_weights(right))
            continue; /* to them it is none */
        downhill_kernels table = *right;
        *(bf16 ? &table.score_bf16 : &table.score_f32) = bugs[i].bug;
        must_fail(&table, op, bugs[i].name);
    }
    const struct downhill_packed_score *packed = bf16 ? right->packed_bf16 : right->packed_f32;
    if (packed == NULL)
        return;
    score_packed = packed->score;
    for (size_t i = 0; i < sizeof packed_bugs / sizeof packed_bugs[0]; i++) {
        struct downhill_packed_score wrong = *packed;
        wrong.score = packed_bugs[i].bug;
        downhill_kernels table = *right;
        *(bf16 ? &table.packed_bf16 : &table.packed_f32) = &wrong;
        must_fail(&table, op, packed_bugs[i].name);
    }
}

static void plant_gradients(bool bf16)
{
    static const struct {
        const char *name;
        downhill_grad_kernel *bug;
    } bugs[] = {
        {"tail dropped", grad_tail_dropped},
        {"classes swapped", grad_classes_swapped},
        {"in bf16", grad_in_bf16},
        {"rows off by one", grad_rows_off_by_one},
    };
    grad = bf16 ? right->grad_bf16 : right->grad_f32;
    for (size_t i = 0; i < sizeof bugs / sizeof bugs[0]; i++) {
        downhill_kernels table = *right;
        *(bf16 ? &table.grad_bf16 : &table.grad_f32) = bugs[i].bug;
        must_fail(&table, bf16 ? "grad_bf16" : "grad_f32", bugs[i].name);
    }
}

static void plant_losses_and_updates(void)
{
    downhill_kernels table = *right;
    table.hinge_f32 = hinge_last_class_dropped;
    must_fail(&table, "hinge_f32", "last class dropped");
    table.hinge_f32 = hinge_last_row_forgotten;
    must_fail(&table, "hinge_f32", "last row forgotten");
    table.hinge_f32 = hinge_margin_cut;
    must_fail(&table, "hinge_f32", "margin cut");
    table.softmax_f32 = softmax_in_bf16;
    must_fail(&table, "softmax_f32", "in bf16");
    table.softmax_f32 = softmax_classes_swapped;
    must_fail(&table, "softmax_f32", "classes swapped");
    table.softmax_f32 = softmax_last_row_forgotten;
    must_fail(&table, "softmax_f32", "last row forgotten");
    table.update_f32 = update_tail_dropped;
    must_fail(&table, "update_f32", "tail dropped");
    table.update_f32 = update_in_bf16;
    must_fail(&table, "update_f32", "in bf16");
    table.update_f32 = update_without_signs;
    must_fail(&table, "update_f32", "without signs");
}

static void plant_bytes(void)
{
    static const struct {
        const char *op, *name;
        struct downhill_u8_kernels bug; /* the rest is right */
    } bugs[] = {
        {"score_u8", "bias skipped", {.score = score_u8_bias_skipped}},
        {"score_u8", "tail dropped", {.score = score_u8_tail_dropped}},
        {"score_u8", "classes swapped", {.score = score_u8_classes_swapped}},
        {"score_u8", "rows off by one", {.score = score_u8_rows_off_by_one}},
        {"hinge_u8", "last row forgotten", {.hinge = hinge_u8_last_row_forgotten}},
        {"hinge_u8", "margin cut", {.hinge = hinge_u8_margin_cut}},
        {"grad_u8", "clamped", {.grad = grad_u8_clamped}},
        {"grad_u8", "tail dropped", {.grad = grad_u8_tail_dropped}},
        {"grad_u8", "classes swapped", {.grad = grad_u8_classes_swapped}},
        {"grad_u8", "rows off by one", {.grad = grad_u8_rows_off_by_one}},
        {"update_u8", "in bf16", {.update = update_u8_in_bf16}},
        {"update_u8", "sums cut", {.update = update_u8_sums_cut}},
    };
    for (size_t i = 0; i < sizeof bugs / sizeof bugs[0]; i++) {
        struct downhill_u8_kernels u8 = *right->u8;
        const struct downhill_u8_kernels *bug = &bugs[i].bug;
        u8.score = bug->score != NULL ? bug->score : u8.score;
        u8.hinge = bug->hinge != NULL ? bug->hinge : u8.hinge;
        u8.grad = bug->grad != NULL ? bug->grad : u8.grad;
        u8.update = bug->update != NULL ? bug->update : u8.update;
        downhill_kernels table = *right;
        table.u8 = &u8;
        must_fail(&table, bugs[i].op, bugs[i].name);
    }
}

static void test_planted__in_every_level__caught(void **state)
{
    (void)state;
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t levels = levels_to_run(NULL, tables);
    assert_true(levels >= 1);
    for (size_t i = 0; i < levels; i++) {
        right = tables[i];
        assert_right();
        plant_scores(false);
        plant_scores(true);
        plant_gradients(false);
        plant_gradients(true);
        plant_losses_and_updates();
        plant_bytes();
        print_message("%s: all caught\n", right->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planted__in_every_level__caught),
    };
    return cmocka_run_group_tests_name("planted", tests, NULL, NULL);
}
