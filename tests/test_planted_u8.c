/* SPDX-License-Identifier: MIT
 *
 * verify catches bugs of each kind in the kernels for bytes at every level; each is a kernel of the level with the bug
 * around it. */
#include "u8_support.h"

#include "planted.h"

#include <math.h>
#include <string.h>

/* What the level has, right. */
static const downhill_kernels *right;

static void score_u8_bias_skipped(size_t n, size_t d, size_t c, const void *const *x,
                                  const void *packed, const double *quantum, double *scores,
                                  size_t lds, struct prefetch *prefetch)
{
    for (size_t i = 0; i < n; i++)
        memset(scores + i * lds, 0, c * sizeof *scores);
    right->u8->score(n, d, c, x, packed, quantum, scores, lds, prefetch);
}

static void score_u8_tail_dropped(size_t n, size_t d, size_t c, const void *const *x,
                                  const void *packed, const double *quantum, double *scores,
                                  size_t lds, struct prefetch *prefetch)
{
    right->u8->score(n, without_tail(d), c, x, packed, quantum, scores, lds, prefetch);
}

static void score_u8_classes_swapped(size_t n, size_t d, size_t c, const void *const *x,
                                     const void *packed, const double *quantum, double *scores,
                                     size_t lds, struct prefetch *prefetch)
{
    right->u8->score(n, d, c, x, packed, quantum, scores, lds, prefetch);
    for (size_t i = 0; c > 1 && i < n; i++)
        swap_first_two(scores + i * lds, 1, sizeof *scores);
}

static void score_u8_rows_off_by_one(size_t n, size_t d, size_t c, const void *const *x,
                                     const void *packed, const double *quantum, double *scores,
                                     size_t lds, struct prefetch *prefetch)
{
    const void *shifted[SHIFTED_MAX];
    shift_rows(n, x, shifted);
    right->u8->score(n, d, c, shifted, packed, quantum, scores, lds, prefetch);
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
                            struct prefetch *prefetch)
{
    right->u8->grad(n, d, c, x, dscores, flags, dw, lddw, prefetch);
    for (size_t j = 0; j < c; j++)
        for (size_t k = 0; k < d; k++)
            if (dw[j * lddw + k] > 2000000000)
                dw[j * lddw + k] = 2000000000;
}

static void grad_u8_tail_dropped(size_t n, size_t d, size_t c, const void *const *x,
                                 downhill_dscores dscores, unsigned flags, int32_t *dw, size_t lddw,
                                 struct prefetch *prefetch)
{
    right->u8->grad(n, without_tail(d), c, x, dscores, flags, dw, lddw, prefetch);
}

static void grad_u8_classes_swapped(size_t n, size_t d, size_t c, const void *const *x,
                                    downhill_dscores dscores, unsigned flags, int32_t *dw,
                                    size_t lddw, struct prefetch *prefetch)
{
    right->u8->grad(n, d, c, x, dscores, flags, dw, lddw, prefetch);
    if (c > 1)
        swap_first_two(dw, lddw, sizeof *dw);
}

static void grad_u8_rows_off_by_one(size_t n, size_t d, size_t c, const void *const *x,
                                    downhill_dscores dscores, unsigned flags, int32_t *dw,
                                    size_t lddw, struct prefetch *prefetch)
{
    const void *shifted[SHIFTED_MAX];
    shift_rows(n, x, shifted);
    right->u8->grad(n, d, c, shifted, dscores, flags, dw, lddw, prefetch);
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
    int32_t *cut = new (d, sizeof *cut);
    for (size_t k = 0; k < d; k++) /* to 24 bits */
        cut[k] = dw[k] > 1 << 24 || dw[k] < -(1 << 24) ? dw[k] / 256 * 256 : dw[k];
    const uint32_t most = right->u8->update(d, flags, decay, step, sum, times, cut, mean, gain, w);
    free(cut);
    return most;
}

static void score_lowest_bits_dropped(size_t n, size_t d, size_t c, const void *const *x,
                                      const void *packed, const double *quantum, double *scores,
                                      size_t lds, struct prefetch *prefetch)
{
    const size_t bytes = 2 * c * ((d + U8_GROUP - 1) / U8_GROUP * U8_GROUP);
    uint8_t *rounded = new (bytes, 1);
    for (size_t i = 0; i < bytes; i++)
        rounded[i] = ((const uint8_t *)packed)[i] & 0xFE;
    right->u8->score(n, d, c, x, rounded, quantum, scores, lds, prefetch);
    free(rounded);
}

/* The sum in f32: right for short rows. */
static void score_in_f32(size_t n, size_t d, size_t c, const void *const *x, const void *packed,
                         const double *quantum, double *scores, size_t lds,
                         struct prefetch *prefetch)
{
    right->u8->score(n, d, c, x, packed, quantum, scores, lds, prefetch);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            scores[i * lds + j] = (double)(float)scores[i * lds + j];
}

static double hinge_unrounded(size_t n, size_t c, const double *scores, size_t lds,
                              const int32_t *y, double delta, int16_t *dscores, size_t ldds)
{
    double units = right->u8->hinge(n, c, scores, lds, y, delta, dscores, ldds);
    return units + 0.25;
}

static double hinge_kink_counts(size_t n, size_t c, const double *scores, size_t lds,
                                const int32_t *y, double delta, int16_t *dscores, size_t ldds)
{
    const double units = right->u8->hinge(n, c, scores, lds, y, delta, dscores, ldds);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            if (j != (size_t)y[i] &&
                scores[i * lds + j] - scores[i * lds + (size_t)y[i]] + delta == 0.0)
                dscores[i * ldds + j] = 1;
    return units;
}

/* VPMADDUBSW without runs: it saturates. */
static void grad_saturates(size_t n, size_t d, size_t c, const void *const *x,
                           downhill_dscores dscores, unsigned flags, int32_t *dw, size_t lddw,
                           struct prefetch *prefetch)
{
    int32_t *sums = new (c * d, sizeof *sums);
    right->u8->grad(n, d, c, x, dscores, 0, sums, d, prefetch);
    for (size_t j = 0; j < c; j++)
        for (size_t k = 0; k < d; k++) {
            const int32_t s = sums[j * d + k];
            const int32_t held = s > INT16_MAX ? INT16_MAX : s < INT16_MIN ? INT16_MIN : s;
            dw[j * lddw + k] = held + ((flags & GRAD_ACCUMULATE) ? dw[j * lddw + k] : 0);
        }
    free(sums);
}

static void grad_bytes_of_dscores(size_t n, size_t d, size_t c, const void *const *x,
                                  downhill_dscores dscores, unsigned flags, int32_t *dw,
                                  size_t lddw, struct prefetch *prefetch)
{
    static downhill_dscores cut;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            cut[i][j] = (int8_t)dscores[i][j];
    right->u8->grad(n, d, c, x, cut, flags, dw, lddw, prefetch);
}

static void pack_truncates(size_t d, size_t c, size_t j, const float *w, float factor, void *panel)
{
    float *cut = new (d, sizeof *cut);
    for (size_t k = 0; k < d; k++)
        cut[k] = isfinite(w[k]) && factor > 0.0f ? truncf(w[k] * factor) / factor : w[k];
    right->u8->pack(d, c, j, cut, factor, panel);
    free(cut);
}

static uint32_t update_fused(size_t d, unsigned flags, float decay, float step, float sum,
                             float times, const int32_t *dw, const float *mean, const float *gain,
                             float *w)
{
    float *before = new (d, sizeof *before);
    memcpy(before, w, d * sizeof *w);
    const uint32_t most = right->u8->update(d, flags, decay, step, sum, times, dw, mean, gain, w);
    for (size_t k = 0; k < d; k++)
        w[k] = fmaf(decay, before[k], -(step * gain[k] * ((float)dw[k] * times - mean[k] * sum)));
    free(before);
    return most;
}

static uint32_t update_forgets_last(size_t d, unsigned flags, float decay, float step, float sum,
                                    float times, const int32_t *dw, const float *mean,
                                    const float *gain, float *w)
{
    right->u8->update(d, flags, decay, step, sum, times, dw, mean, gain, w);
    return d > 1 ? right->u8->update(d - 1, flags, 1.0f, 0.0f, 0.0f, 1.0f, dw, mean, gain, w) : 0;
}

static double hinge_u8_classes_swapped(size_t n, size_t c, const double *scores, size_t lds,
                                       const int32_t *y, double delta, int16_t *dscores,
                                       size_t ldds)
{
    const double units = right->u8->hinge(n, c, scores, lds, y, delta, dscores, ldds);
    for (size_t i = 0; c > 1 && i < n; i++)
        swap_first_two(dscores + i * ldds, 1, sizeof *dscores);
    return units;
}

static void pack_tail_dropped(size_t d, size_t c, size_t j, const float *w, float factor,
                              void *panel)
{
    float *cut = new (d, sizeof *cut);
    memcpy(cut, w, without_tail(d) * sizeof *cut);
    right->u8->pack(d, c, j, cut, factor, panel);
    free(cut);
}

static void pack_in_bf16(size_t d, size_t c, size_t j, const float *w, float factor, void *panel)
{
    float *rounded = new (d, sizeof *rounded);
    for (size_t k = 0; k < d; k++)
        rounded[k] = to_bf16(w[k]);
    right->u8->pack(d, c, j, rounded, factor, panel);
    free(rounded);
}

static uint32_t update_u8_tail_dropped(size_t d, unsigned flags, float decay, float step, float sum,
                                       float times, const int32_t *dw, const float *mean,
                                       const float *gain, float *w)
{
    return right->u8->update(without_tail(d), flags, decay, step, sum, times, dw, mean, gain, w);
}

static void plant(void)
{
    static const struct {
        const char *op, *name;
        struct downhill_u8_kernels bug; /* the rest is right */
    } bugs[] = {
        {"score_u8", "bias skipped", {.score = score_u8_bias_skipped}},
        {"score_u8", "tail dropped", {.score = score_u8_tail_dropped}},
        {"score_u8", "classes swapped", {.score = score_u8_classes_swapped}},
        {"score_u8", "rows off by one", {.score = score_u8_rows_off_by_one}},
        {"score_u8", "lowest bits dropped", {.score = score_lowest_bits_dropped}},
        {"score_u8", "in f32", {.score = score_in_f32}},
        {"hinge_u8", "last row forgotten", {.hinge = hinge_u8_last_row_forgotten}},
        {"hinge_u8", "margin cut", {.hinge = hinge_u8_margin_cut}},
        {"hinge_u8", "unrounded", {.hinge = hinge_unrounded}},
        {"hinge_u8", "kink counts", {.hinge = hinge_kink_counts}},
        {"hinge_u8", "classes swapped", {.hinge = hinge_u8_classes_swapped}},
        {"grad_u8", "clamped", {.grad = grad_u8_clamped}},
        {"grad_u8", "tail dropped", {.grad = grad_u8_tail_dropped}},
        {"grad_u8", "classes swapped", {.grad = grad_u8_classes_swapped}},
        {"grad_u8", "rows off by one", {.grad = grad_u8_rows_off_by_one}},
        {"grad_u8", "saturates", {.grad = grad_saturates}},
        {"grad_u8", "bytes of dscores", {.grad = grad_bytes_of_dscores}},
        {"score_u8", "truncates", {.pack = pack_truncates}},
        {"score_u8", "packing, tail dropped", {.pack = pack_tail_dropped}},
        {"score_u8", "packing, weights in bf16", {.pack = pack_in_bf16}},
        {"update_u8", "in bf16", {.update = update_u8_in_bf16}},
        {"update_u8", "sums cut", {.update = update_u8_sums_cut}},
        {"update_u8", "fused", {.update = update_fused}},
        {"update_u8", "forgets last", {.update = update_forgets_last}},
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
        must_fail(&table, bugs[i].op, bugs[i].name);
    }
}

static void test_planted_u8__in_every_level__caught(void **state)
{
    (void)state;
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t levels = all_tables(tables);
    for (size_t i = 0; i < levels; i++) {
        right = tables[i];
        assert_right(right);
        plant();
        print_message("%s: all caught\n", right->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planted_u8__in_every_level__caught),
    };
    return cmocka_run_group_tests_name("planted_u8", tests, NULL, NULL);
}
