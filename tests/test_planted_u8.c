/* SPDX-License-Identifier: MIT
 *
 * Checks that verify catches bugs in the kernels for bytes of every level. Each bug wraps the
 * kernel of the level. */
#include "u8_support.h"

#include "planted.h"

#include <math.h>
#include <string.h>

/* The right kernels of the level. */
static const downhill_kernels *right;

static void score_u8_bias_skipped(size_t n, size_t d, size_t c, const void *const *x,
                                  const void *packed, const double *quantum, double *scores,
                                  size_t lds)
{
    for (size_t i = 0; i < n; i++)
        memset(scores + i * lds, 0, c * sizeof *scores);
    right->u8->score(n, d, c, x, packed, quantum, scores, lds);
}

static void score_u8_tail_dropped(size_t n, size_t d, size_t c, const void *const *x,
                                  const void *packed, const double *quantum, double *scores,
                                  size_t lds)
{
    right->u8->score(n, without_tail(d), c, x, packed, quantum, scores, lds);
}

static void score_u8_classes_swapped(size_t n, size_t d, size_t c, const void *const *x,
                                     const void *packed, const double *quantum, double *scores,
                                     size_t lds)
{
    right->u8->score(n, d, c, x, packed, quantum, scores, lds);
    for (size_t i = 0; c > 1 && i < n; i++)
        swap_first_two(scores + i * lds, 1, sizeof *scores);
}

static void score_u8_rows_off_by_one(size_t n, size_t d, size_t c, const void *const *x,
                                     const void *packed, const double *quantum, double *scores,
                                     size_t lds)
{
    const void *shifted[SHIFTED_MAX];
    shift_rows(n, x, shifted);
    right->u8->score(n, d, c, shifted, packed, quantum, scores, lds);
}

static double hinge_u8_last_row_dropped(size_t n, size_t c, const double *scores, size_t lds,
                                        const int32_t *y, double margin, int16_t *dscores,
                                        size_t ldds)
{
    return right->u8->hinge(n > 1 ? n - 1 : n, c, scores, lds, y, margin, dscores, ldds);
}

static double hinge_u8_margin_truncated(size_t n, size_t c, const double *scores, size_t lds,
                                        const int32_t *y, double margin, int16_t *dscores,
                                        size_t ldds)
{
    return right->u8->hinge(n, c, scores, lds, y, trunc(margin), dscores, ldds);
}

static void grad_u8_clamped(size_t n, size_t d, size_t c, const void *const *x,
                            const int16_t *dscores, size_t ldds, unsigned flags, int32_t *dw,
                            size_t lddw, int32_t *db)
{
    right->u8->grad(n, d, c, x, dscores, ldds, flags, dw, lddw, db);
    for (size_t j = 0; j < c; j++)
        for (size_t k = 0; k < d; k++)
            if (dw[j * lddw + k] > 2000000000)
                dw[j * lddw + k] = 2000000000;
}

static void grad_u8_tail_dropped(size_t n, size_t d, size_t c, const void *const *x,
                                 const int16_t *dscores, size_t ldds, unsigned flags, int32_t *dw,
                                 size_t lddw, int32_t *db)
{
    right->u8->grad(n, without_tail(d), c, x, dscores, ldds, flags, dw, lddw, db);
}

static void grad_u8_classes_swapped(size_t n, size_t d, size_t c, const void *const *x,
                                    const int16_t *dscores, size_t ldds, unsigned flags,
                                    int32_t *dw, size_t lddw, int32_t *db)
{
    right->u8->grad(n, d, c, x, dscores, ldds, flags, dw, lddw, db);
    if (c > 1)
        swap_first_two(dw, lddw, sizeof *dw);
}

static void grad_u8_rows_off_by_one(size_t n, size_t d, size_t c, const void *const *x,
                                    const int16_t *dscores, size_t ldds, unsigned flags,
                                    int32_t *dw, size_t lddw, int32_t *db)
{
    const void *shifted[SHIFTED_MAX];
    shift_rows(n, x, shifted);
    right->u8->grad(n, d, c, shifted, dscores, ldds, flags, dw, lddw, db);
}

static void grad_u8_bias_of_last_row_dropped(size_t n, size_t d, size_t c, const void *const *x,
                                             const int16_t *dscores, size_t ldds, unsigned flags,
                                             int32_t *dw, size_t lddw, int32_t *db)
{
    right->u8->grad(n, d, c, x, dscores, ldds, flags, dw, lddw, db);
    for (size_t j = 0; db != NULL && j < c; j++)
        db[j] -= dscores[(n - 1) * ldds + j];
}

static uint32_t update_u8_in_bf16(size_t d, unsigned flags, float decay, float step, float sum,
                                  float times, const void *dw, const float *mean, const float *gain,
                                  float *w)
{
    const uint32_t max = right->u8->update(d, flags, decay, step, sum, times, dw, mean, gain, w);
    for (size_t k = 0; k < d; k++)
        w[k] = to_bf16(w[k]);
    return max;
}

static uint32_t update_u8_sums_truncated(size_t d, unsigned flags, float decay, float step,
                                         float sum, float times, const void *dw, const float *mean,
                                         const float *gain, float *w)
{
    const int32_t *sums = dw;
    int32_t *truncated = new (d, sizeof *truncated);
    for (size_t k = 0; k < d; k++) /* drops the low bits of large sums, as f32 would */
        truncated[k] = sums[k] > 1 << 24 || sums[k] < -(1 << 24) ? sums[k] / 256 * 256 : sums[k];
    const uint32_t max =
        right->u8->update(d, flags, decay, step, sum, times, truncated, mean, gain, w);
    free(truncated);
    return max;
}

static void score_lowest_bits_dropped(size_t n, size_t d, size_t c, const void *const *x,
                                      const void *packed, const double *quantum, double *scores,
                                      size_t lds)
{
    const size_t bytes = 2 * c * ((d + U8_GROUP - 1) / U8_GROUP * U8_GROUP);
    uint8_t *rounded = new (bytes, 1);
    for (size_t i = 0; i < bytes; i++)
        rounded[i] = ((const uint8_t *)packed)[i] & 0xFE;
    right->u8->score(n, d, c, x, rounded, quantum, scores, lds);
    free(rounded);
}

/* Rounds the sum to f32, which is exact for short rows. */
static void score_in_f32(size_t n, size_t d, size_t c, const void *const *x, const void *packed,
                         const double *quantum, double *scores, size_t lds)
{
    right->u8->score(n, d, c, x, packed, quantum, scores, lds);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            scores[i * lds + j] = (double)(float)scores[i * lds + j];
}

static double hinge_unrounded(size_t n, size_t c, const double *scores, size_t lds,
                              const int32_t *y, double margin, int16_t *dscores, size_t ldds)
{
    double units = right->u8->hinge(n, c, scores, lds, y, margin, dscores, ldds);
    return units + 0.25;
}

static double hinge_kink_violated(size_t n, size_t c, const double *scores, size_t lds,
                                  const int32_t *y, double margin, int16_t *dscores, size_t ldds)
{
    const double units = right->u8->hinge(n, c, scores, lds, y, margin, dscores, ldds);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            if (j != (size_t)y[i] &&
                scores[i * lds + j] - scores[i * lds + (size_t)y[i]] + margin == 0.0)
                dscores[i * ldds + j] = 1;
    return units;
}

/* Saturates sums at 16 bits, as VPMADDUBSW does without runs. */
static void grad_saturates(size_t n, size_t d, size_t c, const void *const *x,
                           const int16_t *dscores, size_t ldds, unsigned flags, int32_t *dw,
                           size_t lddw, int32_t *db)
{
    int32_t *sums = new (c * d, sizeof *sums);
    right->u8->grad(n, d, c, x, dscores, ldds, 0, sums, d, db);
    for (size_t j = 0; j < c; j++)
        for (size_t k = 0; k < d; k++) {
            const int32_t s = sums[j * d + k];
            const int32_t saturated = s > INT16_MAX ? INT16_MAX : s < INT16_MIN ? INT16_MIN : s;
            dw[j * lddw + k] = saturated + ((flags & GRAD_ACCUMULATE) ? dw[j * lddw + k] : 0);
        }
    free(sums);
}

static void grad_dscores_truncated(size_t n, size_t d, size_t c, const void *const *x,
                                   const int16_t *dscores, size_t ldds, unsigned flags, int32_t *dw,
                                   size_t lddw, int32_t *db)
{
    int16_t *truncated = new (n * c, sizeof *truncated);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            truncated[i * c + j] = (int8_t)dscores[i * ldds + j];
    right->u8->grad(n, d, c, x, truncated, c, flags, dw, lddw, db);
    free(truncated);
}

/* Packs weights that have been changed one by one. */
static void pack_changed(size_t d, size_t c, size_t j, size_t classes, const float *w, size_t ldw,
                         const float *factors, void *panel, float (*change)(float w, float factor))
{
    float *changed = new (classes * d, sizeof *changed);
    for (size_t i = 0; i < classes; i++)
        for (size_t k = 0; k < d; k++)
            changed[i * d + k] = change(w[i * ldw + k], factors[i]);
    right->u8->pack(d, c, j, classes, changed, d, factors, panel);
    free(changed);
}

static float truncated_weight(float w, float factor)
{
    return isfinite(w) && factor > 0.0f ? truncf(w * factor) / factor : w;
}

static void pack_truncates(size_t d, size_t c, size_t j, size_t classes, const float *w, size_t ldw,
                           const float *factors, void *panel)
{
    pack_changed(d, c, j, classes, w, ldw, factors, panel, truncated_weight);
}

static uint32_t update_fused(size_t d, unsigned flags, float decay, float step, float sum,
                             float times, const void *dw, const float *mean, const float *gain,
                             float *w)
{
    const int32_t *sums = dw;
    float *before = new (d, sizeof *before);
    memcpy(before, w, d * sizeof *w);
    const uint32_t max = right->u8->update(d, flags, decay, step, sum, times, dw, mean, gain, w);
    for (size_t k = 0; k < d; k++)
        w[k] = fmaf(decay, before[k], -(step * gain[k] * ((float)sums[k] * times - mean[k] * sum)));
    free(before);
    return max;
}

static uint32_t update_last_dropped(size_t d, unsigned flags, float decay, float step, float sum,
                                    float times, const void *dw, const float *mean,
                                    const float *gain, float *w)
{
    right->u8->update(d, flags, decay, step, sum, times, dw, mean, gain, w);
    return d > 1 ? right->u8->update(d - 1, flags, 1.0f, 0.0f, 0.0f, 1.0f, dw, mean, gain, w) : 0;
}

static double hinge_u8_classes_swapped(size_t n, size_t c, const double *scores, size_t lds,
                                       const int32_t *y, double margin, int16_t *dscores,
                                       size_t ldds)
{
    const double units = right->u8->hinge(n, c, scores, lds, y, margin, dscores, ldds);
    for (size_t i = 0; c > 1 && i < n; i++)
        swap_first_two(dscores + i * ldds, 1, sizeof *dscores);
    return units;
}

static void pack_tail_dropped(size_t d, size_t c, size_t j, size_t classes, const float *w,
                              size_t ldw, const float *factors, void *panel)
{
    float *truncated = new (classes * d, sizeof *truncated);
    for (size_t i = 0; i < classes; i++)
        memcpy(truncated + i * d, w + i * ldw, without_tail(d) * sizeof *truncated);
    right->u8->pack(d, c, j, classes, truncated, d, factors, panel);
    free(truncated);
}

static float weight_in_bf16(float w, float factor)
{
    (void)factor;
    return to_bf16(w);
}

static void pack_in_bf16(size_t d, size_t c, size_t j, size_t classes, const float *w, size_t ldw,
                         const float *factors, void *panel)
{
    pack_changed(d, c, j, classes, w, ldw, factors, panel, weight_in_bf16);
}

/* Packs the first of two classes twice. */
static void pack_second_class_lost(size_t d, size_t c, size_t j, size_t classes, const float *w,
                                   size_t ldw, const float *factors, void *panel)
{
    (void)ldw;
    right->u8->pack(d, c, j, classes, w, 0, factors, panel);
}

static uint32_t update_u8_tail_dropped(size_t d, unsigned flags, float decay, float step, float sum,
                                       float times, const void *dw, const float *mean,
                                       const float *gain, float *w)
{
    return right->u8->update(without_tail(d), flags, decay, step, sum, times, dw, mean, gain, w);
}

static void plant(void)
{
    static const struct {
        const char *kernel, *name;
        struct downhill_u8_kernels bug; /* members that are NULL are right */
    } bugs[] = {
        {"score_u8", "bias skipped", {.score = score_u8_bias_skipped}},
        {"score_u8", "tail dropped", {.score = score_u8_tail_dropped}},
        {"score_u8", "classes swapped", {.score = score_u8_classes_swapped}},
        {"score_u8", "rows off by one", {.score = score_u8_rows_off_by_one}},
        {"score_u8", "lowest bits dropped", {.score = score_lowest_bits_dropped}},
        {"score_u8", "in f32", {.score = score_in_f32}},
        {"hinge_u8", "last row dropped", {.hinge = hinge_u8_last_row_dropped}},
        {"hinge_u8", "margin truncated", {.hinge = hinge_u8_margin_truncated}},
        {"hinge_u8", "loss not rounded", {.hinge = hinge_unrounded}},
        {"hinge_u8", "kink counts as violated", {.hinge = hinge_kink_violated}},
        {"hinge_u8", "classes swapped", {.hinge = hinge_u8_classes_swapped}},
        {"grad_u8", "sums clamped", {.grad = grad_u8_clamped}},
        {"grad_u8", "tail dropped", {.grad = grad_u8_tail_dropped}},
        {"grad_u8", "classes swapped", {.grad = grad_u8_classes_swapped}},
        {"grad_u8", "rows off by one", {.grad = grad_u8_rows_off_by_one}},
        {"grad_u8", "last row not in the bias", {.grad = grad_u8_bias_of_last_row_dropped}},
        {"grad_u8", "sums saturated", {.grad = grad_saturates}},
        {"grad_u8", "dscores truncated to bytes", {.grad = grad_dscores_truncated}},
        {"score_u8", "packing, weights truncated", {.pack = pack_truncates}},
        {"score_u8", "packing, tail dropped", {.pack = pack_tail_dropped}},
        {"score_u8", "packing, weights in bf16", {.pack = pack_in_bf16}},
        {"score_u8", "packing, second class lost", {.pack = pack_second_class_lost}},
        {"update_u8", "in bf16", {.update = update_u8_in_bf16}},
        {"update_u8", "sums truncated", {.update = update_u8_sums_truncated}},
        {"update_u8", "products fused", {.update = update_fused}},
        {"update_u8", "last feature dropped", {.update = update_last_dropped}},
        {"update_u8", "tail dropped", {.update = update_u8_tail_dropped}},
    };
    for (size_t i = 0; i < sizeof bugs / sizeof bugs[0]; i++) {
        struct downhill_u8_kernels u8 = *right->u8;
        const struct downhill_u8_kernels *bug = &bugs[i].bug;
        u8.pack = bug->pack != NULL ? bug->pack : u8.pack;
        u8.score = bug->score != NULL ? bug->score : u8.score;
        u8.hinge = bug->hinge != NULL ? bug->hinge : u8.hinge;
        u8.grad = bug->grad != NULL ? bug->grad : u8.grad;
        u8.update = bug->update != NULL ? bug->update : u8.update;
        downhill_kernels table = *right;
        table.u8 = &u8;
        assert_caught(&table, bugs[i].kernel, bugs[i].name);
    }
}

static void test_planted_u8__in_every_level__caught(void **state)
{
    (void)state;
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t levels = all_tables(tables);
    for (size_t i = 0; i < levels; i++) {
        right = tables[i];
        assert_passes(right);
        plant();
        print_message("%s: all bugs caught\n", right->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planted_u8__in_every_level__caught),
    };
    return cmocka_run_group_tests_name("planted_u8", tests, NULL, NULL);
}
