/* SPDX-License-Identifier: MIT
 *
 * Checks that verify catches bugs in the f32 and bf16 kernels of every level: a tail dropped,
 * the bias skipped, classes swapped, numbers rounded to bf16, rows off by one, and some that
 * only special numbers reveal. Each bug wraps the kernel of the level. */
#include "cmocka_all.h"

#include "base/levels.h"
#include "planted.h"
#include "verify/workbench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The right kernels of the level. */
static downhill_score_kernel *score;
static downhill_score_packed_kernel *score_packed;
static downhill_pack_kernel *pack;
static downhill_grad_kernel *grad;
static const downhill_kernels *right;

/* ---- scores of f32 and bf16 ---- */

static void score_tail_dropped(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                               size_t ldw, const struct scores *scores, struct prefetch *prefetch)
{
    score(n, without_tail(d), c, x, w, ldw, scores, prefetch);
}

static void score_bias_skipped(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                               size_t ldw, const struct scores *scores, struct prefetch *prefetch)
{
    const struct scores from_zeros = scores_from_zeros(n, c, scores);
    score(n, d, c, x, w, ldw, &from_zeros, prefetch);
}

static void score_classes_swapped(size_t n, size_t d, size_t c, const void *const *x,
                                  const float *w, size_t ldw, const struct scores *scores,
                                  struct prefetch *prefetch)
{
    score(n, d, c, x, w, ldw, scores, prefetch);
    for (size_t i = 0; c > 1 && i < n; i++)
        swap_first_two(scores_at(*scores, i, 0).to, 1, sizeof *scores->to);
}

static void score_weights_in_bf16(size_t n, size_t d, size_t c, const void *const *x,
                                  const float *w, size_t ldw, const struct scores *scores,
                                  struct prefetch *prefetch)
{
    float *rounded = malloc(c * d * sizeof *rounded);
    assert_non_null(rounded);
    for (size_t j = 0; j < c; j++)
        for (size_t k = 0; k < d; k++)
            rounded[j * d + k] = to_bf16(w[j * ldw + k]);
    score(n, d, c, x, rounded, d, scores, prefetch);
    free(rounded);
}

static void score_rows_off_by_one(size_t n, size_t d, size_t c, const void *const *x,
                                  const float *w, size_t ldw, const struct scores *scores,
                                  struct prefetch *prefetch)
{
    const void *shifted[SHIFTED_MAX];
    shift_rows(n, x, shifted);
    score(n, d, c, shifted, w, ldw, scores, prefetch);
}

static void score_infinity_lost(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                                size_t ldw, const struct scores *scores, struct prefetch *prefetch)
{
    score(n, d, c, x, w, ldw, scores, prefetch);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            scores->to[i * scores->ld + j] -= 0.0f * scores->to[i * scores->ld + j];
}

/* ---- scores with packed weights ---- */

static void packed_tail_dropped(size_t n, size_t d, size_t c, const void *const *x,
                                const float *packed, const struct scores *scores,
                                struct prefetch *prefetch)
{
    score_packed(n, d > PACK_GROUP ? d / PACK_GROUP * PACK_GROUP : d, c, x, packed, scores,
                 prefetch);
}

static void packed_last_feature_dropped(size_t n, size_t d, size_t c, const void *const *x,
                                        const float *packed, const struct scores *scores,
                                        struct prefetch *prefetch)
{
    score_packed(n, d > 1 ? d - 1 : d, c, x, packed, scores, prefetch);
}

static void packed_bias_skipped(size_t n, size_t d, size_t c, const void *const *x,
                                const float *packed, const struct scores *scores,
                                struct prefetch *prefetch)
{
    const struct scores from_zeros = scores_from_zeros(n, c, scores);
    score_packed(n, d, c, x, packed, &from_zeros, prefetch);
}

static void packed_classes_swapped(size_t n, size_t d, size_t c, const void *const *x,
                                   const float *packed, const struct scores *scores,
                                   struct prefetch *prefetch)
{
    score_packed(n, d, c, x, packed, scores, prefetch);
    for (size_t i = 0; c > 1 && i < n; i++)
        swap_first_two(scores_at(*scores, i, 0).to, 1, sizeof *scores->to);
}

static void packed_rows_off_by_one(size_t n, size_t d, size_t c, const void *const *x,
                                   const float *packed, const struct scores *scores,
                                   struct prefetch *prefetch)
{
    const void *shifted[SHIFTED_MAX];
    shift_rows(n, x, shifted);
    score_packed(n, d, c, shifted, packed, scores, prefetch);
}

static void packed_weights_in_bf16(size_t d, size_t c, const float *w, size_t ldw, float *packed)
{
    float *rounded = malloc(c * d * sizeof *rounded);
    assert_non_null(rounded);
    for (size_t j = 0; j < c; j++)
        for (size_t k = 0; k < d; k++)
            rounded[j * d + k] = to_bf16(w[j * ldw + k]);
    pack(d, c, rounded, d, packed);
    free(rounded);
}

/* ---- losses ---- */

static double hinge_last_class_dropped(size_t n, size_t c, const float *scores, size_t lds,
                                       const int32_t *y, float margin, float *dscores, size_t ldds)
{
    const double loss = right->hinge_f32(n, c, scores, lds, y, margin, dscores, ldds);
    for (size_t i = 0; i < n; i++)
        dscores[i * ldds + c - 1] = 0.0f;
    return loss;
}

static double hinge_last_row_dropped(size_t n, size_t c, const float *scores, size_t lds,
                                     const int32_t *y, float margin, float *dscores, size_t ldds)
{
    return right->hinge_f32(n > 1 ? n - 1 : n, c, scores, lds, y, margin, dscores, ldds);
}

static double hinge_margin_truncated(size_t n, size_t c, const float *scores, size_t lds,
                                     const int32_t *y, float margin, float *dscores, size_t ldds)
{
    return right->hinge_f32(n, c, scores, lds, y, truncf(margin), dscores, ldds);
}

static double hinge_classes_swapped(size_t n, size_t c, const float *scores, size_t lds,
                                    const int32_t *y, float margin, float *dscores, size_t ldds)
{
    const double loss = right->hinge_f32(n, c, scores, lds, y, margin, dscores, ldds);
    for (size_t i = 0; c > 1 && i < n; i++)
        swap_first_two(dscores + i * ldds, 1, sizeof *dscores);
    return loss;
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

static double softmax_last_row_dropped(size_t n, size_t c, const float *scores, size_t lds,
                                       const int32_t *y, float *dscores, size_t ldds)
{
    return right->softmax_f32(n > 1 ? n - 1 : n, c, scores, lds, y, dscores, ldds);
}

/* ---- gradients of f32 and bf16 ---- */

static void grad_tail_dropped(size_t n, size_t d, size_t c, const void *const *x,
                              const float *dscores, size_t ldds, unsigned flags, float *dw,
                              size_t lddw, struct prefetch *prefetch)
{
    grad(n, without_tail(d), c, x, dscores, ldds, flags, dw, lddw, prefetch);
}

static void grad_classes_swapped(size_t n, size_t d, size_t c, const void *const *x,
                                 const float *dscores, size_t ldds, unsigned flags, float *dw,
                                 size_t lddw, struct prefetch *prefetch)
{
    grad(n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
    if (c > 1)
        swap_first_two(dw, lddw, sizeof *dw);
}

static void grad_in_bf16(size_t n, size_t d, size_t c, const void *const *x, const float *dscores,
                         size_t ldds, unsigned flags, float *dw, size_t lddw,
                         struct prefetch *prefetch)
{
    grad(n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
    for (size_t j = 0; j < c; j++)
        for (size_t k = 0; k < d; k++)
            dw[j * lddw + k] = to_bf16(dw[j * lddw + k]);
}

static void grad_rows_off_by_one(size_t n, size_t d, size_t c, const void *const *x,
                                 const float *dscores, size_t ldds, unsigned flags, float *dw,
                                 size_t lddw, struct prefetch *prefetch)
{
    const void *shifted[SHIFTED_MAX];
    shift_rows(n, x, shifted);
    grad(n, d, c, shifted, dscores, ldds, flags, dw, lddw, prefetch);
}

/* ---- gradient of the bias ---- */

static void bias_last_class_dropped(size_t n, size_t c, const float *dscores, size_t ldds,
                                    float *db)
{
    right->grad_bias_f32(n, without_tail(c), dscores, ldds, db);
}

static void bias_last_row_dropped(size_t n, size_t c, const float *dscores, size_t ldds, float *db)
{
    right->grad_bias_f32(n > 1 ? n - 1 : n, c, dscores, ldds, db);
}

static void bias_in_bf16(size_t n, size_t c, const float *dscores, size_t ldds, float *db)
{
    right->grad_bias_f32(n, c, dscores, ldds, db);
    for (size_t j = 0; j < c; j++)
        db[j] = to_bf16(db[j]);
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

static void update_signs_dropped(size_t count, float decay, float step, const float *g, float *w)
{
    right->update_f32(count, fabsf(decay), fabsf(step), g, w);
}

/* ---- planting ---- */

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
    const char *kernel = bf16 ? "score_bf16" : "score_f32";
    score = bf16 ? right->score_bf16 : right->score_f32;
    for (size_t i = 0; i < sizeof bugs / sizeof bugs[0]; i++) {
        if (bugs[i].bug == score_infinity_lost && bf16 && verify_splits_weights(right))
            continue; /* NaN is right for infinity */
        downhill_kernels table = *right;
        *(bf16 ? &table.score_bf16 : &table.score_f32) = bugs[i].bug;
        assert_caught(&table, kernel, bugs[i].name);
    }
}

/* Where a table has its packing, for few features or for any number. */
static const struct downhill_packing **packing_of(downhill_kernels *table, bool bf16, bool is_short)
{
    if (is_short)
        return bf16 ? &table->packing_short_bf16 : &table->packing_short_f32;
    return bf16 ? &table->packing_bf16 : &table->packing_f32;
}

static void plant_packed_scores(bool bf16, bool is_short)
{
    const struct {
        const char *name;
        downhill_score_packed_kernel *bug;
    } bugs[] = {
        {"packed, tail dropped", is_short ? packed_last_feature_dropped : packed_tail_dropped},
        {"packed, bias skipped", packed_bias_skipped},
        {"packed, classes swapped", packed_classes_swapped},
        {"packed, rows off by one", packed_rows_off_by_one},
    };
    const char *kernel = bf16 ? "score_bf16" : "score_f32";
    downhill_kernels table = *right;
    const struct downhill_packing **member = packing_of(&table, bf16, is_short), *packed = *member;
    if (packed == NULL)
        return;
    struct downhill_packing wrong = *packed;
    *member = &wrong;
    score_packed = packed->score;
    for (size_t i = 0; i < sizeof bugs / sizeof bugs[0]; i++) {
        wrong.score = bugs[i].bug;
        assert_caught(&table, kernel, bugs[i].name);
    }
    pack = packed->pack;
    wrong = *packed;
    wrong.pack = packed_weights_in_bf16;
    assert_caught(&table, kernel, "packed, weights in bf16");
}

/* Where a table has its gradient: of any shape, whole rows at a time, or column by column. */
enum gradient { ANY_SHAPE, BY_ROWS, BY_COLUMNS, GRADIENTS };

static downhill_grad_kernel **gradient_of(downhill_kernels *table, bool bf16, enum gradient kind)
{
    if (kind == BY_ROWS)
        return bf16 ? &table->grad_rows_bf16 : &table->grad_rows_f32;
    if (kind == BY_COLUMNS)
        return bf16 ? &table->grad_columns_bf16 : &table->grad_columns_f32;
    return bf16 ? &table->grad_bf16 : &table->grad_f32;
}

static void plant_gradients(bool bf16, enum gradient kind)
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
    downhill_kernels table = *right;
    downhill_grad_kernel **member = gradient_of(&table, bf16, kind);
    if (*member == NULL)
        return;
    grad = *member;
    for (size_t i = 0; i < sizeof bugs / sizeof bugs[0]; i++) {
        *member = bugs[i].bug;
        assert_caught(&table, bf16 ? "grad_bf16" : "grad_f32", bugs[i].name);
    }
}

static void plant_bias(void)
{
    downhill_kernels table = *right;
    table.grad_bias_f32 = bias_last_class_dropped;
    assert_caught(&table, "grad_f32", "last class of the bias dropped");
    table.grad_bias_f32 = bias_last_row_dropped;
    assert_caught(&table, "grad_f32", "last row of the bias dropped");
    table.grad_bias_f32 = bias_in_bf16;
    assert_caught(&table, "grad_f32", "bias in bf16");
}

static void plant_losses_and_updates(void)
{
    downhill_kernels table = *right;
    table.hinge_f32 = hinge_last_class_dropped;
    assert_caught(&table, "hinge_f32", "last class dropped");
    table.hinge_f32 = hinge_last_row_dropped;
    assert_caught(&table, "hinge_f32", "last row dropped");
    table.hinge_f32 = hinge_margin_truncated;
    assert_caught(&table, "hinge_f32", "margin truncated");
    table.hinge_f32 = hinge_classes_swapped;
    assert_caught(&table, "hinge_f32", "classes swapped");
    table.softmax_f32 = softmax_in_bf16;
    assert_caught(&table, "softmax_f32", "in bf16");
    table.softmax_f32 = softmax_classes_swapped;
    assert_caught(&table, "softmax_f32", "classes swapped");
    table.softmax_f32 = softmax_last_row_dropped;
    assert_caught(&table, "softmax_f32", "last row dropped");
    table.update_f32 = update_tail_dropped;
    assert_caught(&table, "update_f32", "tail dropped");
    table.update_f32 = update_in_bf16;
    assert_caught(&table, "update_f32", "in bf16");
    table.update_f32 = update_signs_dropped;
    assert_caught(&table, "update_f32", "signs dropped");
}

static void test_planted__in_every_level__caught(void **state)
{
    (void)state;
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t levels = levels_to_run(NULL, tables);
    assert_true(levels >= 1);
    for (size_t i = 0; i < levels; i++) {
        right = tables[i];
        assert_passes(right);
        for (int bf16 = 0; bf16 < 2; bf16++) {
            plant_scores(bf16);
            plant_packed_scores(bf16, false);
            plant_packed_scores(bf16, true);
            for (enum gradient kind = 0; kind < GRADIENTS; kind++)
                plant_gradients(bf16, kind);
        }
        plant_bias();
        plant_losses_and_updates();
        print_message("%s: all bugs caught\n", right->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planted__in_every_level__caught),
    };
    return cmocka_run_group_tests_name("planted", tests, NULL, NULL);
}
