/* SPDX-License-Identifier: MIT
 *
 * Checks that verify catches bugs in what only softmax on bytes needs: its loss, the gradient of dscores of 16 bits, and
 * the update from rounded sums. */
#include "u8_support.h"

#include "planted.h"
#include "softmax/exp_scalar.h"
#include "softmax/softmax_u8.h"

#include <math.h>
#include <string.h>

/* The right kernels of the level. */
static const downhill_kernels *right;

/* ---- the loss: the definition once more, with a bug ---- */

enum softmax_bug {
    NO_BUG,
    FUSED_EXP,
    SUM_NOT_ROUNDED,
    SUM_IN_F32,
    LOG_OF_LIBM,
    LOSS_NOT_ROUNDED,
    DSCORES_TRUNCATED,
    SCALE_IN_F64,
    PRODUCT_NOT_ROUNDED,
    LABEL_NOT_SUBTRACTED,
    MAX_NOT_SUBTRACTED,
    DIFFERENCE_IN_F32,
    TAIL_DROPPED,
    LAST_ROW_DROPPED,
    NAN_KEPT,
};

static float exp_with(enum softmax_bug bug, double s, double max)
{
    const double t = bug == DIFFERENCE_IN_F32 ? (double)((float)s - (float)max) : s - max;
    const float cut = (float)(t < -128.0 ? -128.0 : t);
    return bug == FUSED_EXP ? exp_scalar(1, cut) : exp_scalar(0, cut);
}

static double sum_with(enum softmax_bug bug, size_t c, const double *s, double max)
{
    double z = 0.0;
    for (size_t j = 0; j < c; j++) {
        const double e = (double)exp_with(bug, s[j], max);
        z += bug == SUM_NOT_ROUNDED ? e : (e + EXP_ROUNDER) - EXP_ROUNDER;
        z = bug == SUM_IN_F32 ? (double)(float)z : z;
    }
    return z;
}

static int16_t dscore_with(enum softmax_bug bug, float e, double z)
{
    const double inverse = DOWNHILL_SOFTMAX_ONE / z;
    const double scale = bug == SCALE_IN_F64 ? inverse : (double)(float)inverse;
    const double exact = (double)e * scale, g = bug == PRODUCT_NOT_ROUNDED ? exact : (float)exact;
    return isnan(g) ? 0 : (int16_t)(bug == DSCORES_TRUNCATED ? trunc(g) : rint(g));
}

static double row_with(enum softmax_bug bug, size_t c, const double *s, size_t label, int16_t *ds)
{
    double max = s[0];
    for (size_t j = 0; j < c; j++)
        max = s[j] > max ? s[j] : max;
    max = bug == MAX_NOT_SUBTRACTED ? 0.0 : max;
    const size_t summed = bug == TAIL_DROPPED ? without_tail(c) : c;
    const double z = sum_with(bug, summed, s, max);
    for (size_t j = 0; j < c; j++)
        ds[j] = dscore_with(bug, exp_with(bug, s[j], max), z);
    if (bug != LABEL_NOT_SUBTRACTED && (!isnan(z) || bug == NAN_KEPT))
        ds[label] = (int16_t)(ds[label] - DOWNHILL_SOFTMAX_ONE);
    if (bug != LOG_OF_LIBM && bug != LOSS_NOT_ROUNDED)
        return units_of_sample(z, max - s[label]);
    const double log_z = bug == LOG_OF_LIBM ? log(z) : ln_f64(z);
    const double loss = (log_z + (max - s[label])) / DOWNHILL_LOSS_UNIT + (z - z);
    return bug == LOG_OF_LIBM ? rint(loss) : loss;
}

static enum softmax_bug bug_of_softmax;

static double softmax_with_bug(size_t n, size_t c, const double *scores, size_t lds,
                               const int32_t *y, int16_t *dscores, size_t ldds)
{
    double units = 0.0;
    const size_t rows = bug_of_softmax == LAST_ROW_DROPPED && n > 1 ? n - 1 : n;
    for (size_t i = 0; i < rows; i++)
        units += row_with(bug_of_softmax, c, scores + i * lds, (size_t)y[i], dscores + i * ldds);
    return units;
}

static double softmax_labels_off_by_one(size_t n, size_t c, const double *scores, size_t lds,
                                        const int32_t *y, int16_t *dscores, size_t ldds)
{
    int32_t *next = new (n, sizeof *next);
    for (size_t i = 0; i < n; i++)
        next[i] = y[i + 1 < n ? i + 1 : i];
    const double units = right->u8->softmax(n, c, scores, lds, next, dscores, ldds);
    free(next);
    return units;
}

static double softmax_classes_swapped(size_t n, size_t c, const double *scores, size_t lds,
                                      const int32_t *y, int16_t *dscores, size_t ldds)
{
    const double units = right->u8->softmax(n, c, scores, lds, y, dscores, ldds);
    for (size_t i = 0; c > 1 && i < n; i++)
        swap_first_two(dscores + i * ldds, 1, sizeof *dscores);
    return units;
}

static double softmax_past_the_row(size_t n, size_t c, const double *scores, size_t lds,
                                   const int32_t *y, int16_t *dscores, size_t ldds)
{
    const double units = right->u8->softmax(n, c, scores, lds, y, dscores, ldds);
    dscores[(n - 1) * ldds + c] = 0;
    return units;
}

/* ---- the gradient of dscores of 16 bits ---- */

static void wide_tail_dropped(size_t n, size_t d, size_t c, const void *const *x,
                              const int16_t *dscores, size_t ldds, unsigned flags, int32_t *dw,
                              size_t lddw, int32_t *db)
{
    right->u8->grad_wide(n, without_tail(d), c, x, dscores, ldds, flags, dw, lddw, db);
}

static void wide_rows_off_by_one(size_t n, size_t d, size_t c, const void *const *x,
                                 const int16_t *dscores, size_t ldds, unsigned flags, int32_t *dw,
                                 size_t lddw, int32_t *db)
{
    const void *shifted[SHIFTED_MAX];
    shift_rows(n, x, shifted);
    right->u8->grad_wide(n, d, c, shifted, dscores, ldds, flags, dw, lddw, db);
}

static void wide_last_of_odd_dropped(size_t n, size_t d, size_t c, const void *const *x,
                                     const int16_t *dscores, size_t ldds, unsigned flags,
                                     int32_t *dw, size_t lddw, int32_t *db)
{
    right->u8->grad_wide(n > 1 ? n / 2 * 2 : n, d, c, x, dscores, ldds, flags, dw, lddw, db);
}

static void wide_bias_of_last_row_dropped(size_t n, size_t d, size_t c, const void *const *x,
                                          const int16_t *dscores, size_t ldds, unsigned flags,
                                          int32_t *dw, size_t lddw, int32_t *db)
{
    right->u8->grad_wide(n, d, c, x, dscores, ldds, flags, dw, lddw, db);
    for (size_t j = 0; db != NULL && j < c; j++)
        db[j] -= dscores[(n - 1) * ldds + j];
}

static void wide_classes_swapped(size_t n, size_t d, size_t c, const void *const *x,
                                 const int16_t *dscores, size_t ldds, unsigned flags, int32_t *dw,
                                 size_t lddw, int32_t *db)
{
    right->u8->grad_wide(n, d, c, x, dscores, ldds, flags, dw, lddw, db);
    if (c > 1)
        swap_first_two(dw, lddw, sizeof *dw);
}

static void wide_always_accumulates(size_t n, size_t d, size_t c, const void *const *x,
                                    const int16_t *dscores, size_t ldds, unsigned flags,
                                    int32_t *dw, size_t lddw, int32_t *db)
{
    right->u8->grad_wide(n, d, c, x, dscores, ldds, flags | GRAD_ACCUMULATE, dw, lddw, db);
}

static void wide_dscores_changed(size_t n, size_t d, size_t c, const void *const *x,
                                 const int16_t *dscores, size_t ldds, unsigned flags, int32_t *dw,
                                 size_t lddw, int32_t *db, int16_t (*change)(int16_t))
{
    int16_t *changed = new (n * c, sizeof *changed);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            changed[i * c + j] = change(dscores[i * ldds + j]);
    right->u8->grad_wide(n, d, c, x, changed, c, flags, dw, lddw, db);
    free(changed);
}

/* The minimum has no negative of 16 bits. */
static int16_t minimum_lost(int16_t g)
{
    return g == INT16_MIN ? INT16_MIN + 1 : g;
}

static void wide_minimum_lost(size_t n, size_t d, size_t c, const void *const *x,
                              const int16_t *dscores, size_t ldds, unsigned flags, int32_t *dw,
                              size_t lddw, int32_t *db)
{
    wide_dscores_changed(n, d, c, x, dscores, ldds, flags, dw, lddw, db, minimum_lost);
}

static int16_t low_bits_lost(int16_t g)
{
    return (int16_t)(g / 2 * 2);
}

static void wide_low_bits_lost(size_t n, size_t d, size_t c, const void *const *x,
                               const int16_t *dscores, size_t ldds, unsigned flags, int32_t *dw,
                               size_t lddw, int32_t *db)
{
    wide_dscores_changed(n, d, c, x, dscores, ldds, flags, dw, lddw, db, low_bits_lost);
}

/* ---- the update from rounded sums ---- */

/* Takes floats for the integers that an update in 32 bits has. */
static uint32_t update_floats_as_integers(size_t d, unsigned flags, float decay, float step,
                                          float sum, float times, const void *dw, const float *mean,
                                          const float *gain, float *w)
{
    return right->u8->update(d, flags & ~(unsigned)UPDATE_ROUNDED, decay, step, sum, times, dw,
                             mean, gain, w);
}

static uint32_t update_of_changed(size_t d, unsigned flags, float decay, float step, float sum,
                                  float times, const void *dw, const float *mean, const float *gain,
                                  float *w, float (*change)(float))
{
    if (!(flags & UPDATE_ROUNDED))
        return right->u8->update(d, flags, decay, step, sum, times, dw, mean, gain, w);
    float *changed = new (d, sizeof *changed);
    for (size_t k = 0; k < d; k++)
        changed[k] = change(((const float *)dw)[k]);
    const uint32_t max =
        right->u8->update(d, flags, decay, step, sum, times, changed, mean, gain, w);
    free(changed);
    return max;
}

static float clamped(float sum)
{
    return sum > 0x1p31f ? 0x1p31f : sum < -0x1p31f ? -0x1p31f : sum;
}

static uint32_t update_rounded_clamped(size_t d, unsigned flags, float decay, float step, float sum,
                                       float times, const void *dw, const float *mean,
                                       const float *gain, float *w)
{
    return update_of_changed(d, flags, decay, step, sum, times, dw, mean, gain, w, clamped);
}

static uint32_t update_rounded_in_bf16(size_t d, unsigned flags, float decay, float step, float sum,
                                       float times, const void *dw, const float *mean,
                                       const float *gain, float *w)
{
    return update_of_changed(d, flags, decay, step, sum, times, dw, mean, gain, w, to_bf16);
}

static uint32_t update_rounded_tail_dropped(size_t d, unsigned flags, float decay, float step,
                                            float sum, float times, const void *dw,
                                            const float *mean, const float *gain, float *w)
{
    return right->u8->update(flags & UPDATE_ROUNDED ? without_tail(d) : d, flags, decay, step, sum,
                             times, dw, mean, gain, w);
}

static uint32_t update_rounded_mean_skipped(size_t d, unsigned flags, float decay, float step,
                                            float sum, float times, const void *dw,
                                            const float *mean, const float *gain, float *w)
{
    return right->u8->update(d, flags, decay, step, flags & UPDATE_ROUNDED ? 0.0f : sum, times, dw,
                             mean, gain, w);
}

static uint32_t update_rounded_gain_skipped(size_t d, unsigned flags, float decay, float step,
                                            float sum, float times, const void *dw,
                                            const float *mean, const float *gain, float *w)
{
    const unsigned unscaled = flags & ~(unsigned)UPDATE_SCALED;
    float first[1] = {gain[0]}, *same = new (d, sizeof *same);
    for (size_t k = 0; k < d; k++)
        same[k] = first[0];
    const uint32_t max =
        right->u8->update(d, flags & UPDATE_ROUNDED ? unscaled : flags, decay, step, sum, times, dw,
                          mean, flags & UPDATE_ROUNDED ? same : gain, w);
    free(same);
    return max;
}

/* ---- */

/* Checks that verify finds a bug of each kernel in u8 that is not NULL. */
static void plant(const char *kernel, const char *name, const struct downhill_u8_kernels *bug)
{
    struct downhill_u8_kernels u8 = *right->u8;
    u8.softmax = bug->softmax != NULL ? bug->softmax : u8.softmax;
    u8.grad_wide = bug->grad_wide != NULL ? bug->grad_wide : u8.grad_wide;
    u8.update = bug->update != NULL ? bug->update : u8.update;
    downhill_kernels table = *right;
    table.u8 = &u8;
    assert_caught(&table, kernel, name);
}

static void plant_in_definition(void)
{
    static const char *const names[] = {
        [FUSED_EXP] = "exponential fused",
        [SUM_NOT_ROUNDED] = "exponentials not rounded for the sum",
        [SUM_IN_F32] = "sum in f32",
        [LOG_OF_LIBM] = "logarithm of libm",
        [LOSS_NOT_ROUNDED] = "loss not rounded",
        [DSCORES_TRUNCATED] = "dscores truncated",
        [SCALE_IN_F64] = "scale in f64",
        [PRODUCT_NOT_ROUNDED] = "product rounded once",
        [LABEL_NOT_SUBTRACTED] = "1 of the label missing",
        [MAX_NOT_SUBTRACTED] = "maximum not subtracted",
        [DIFFERENCE_IN_F32] = "scores rounded to f32 before they are subtracted",
        [TAIL_DROPPED] = "tail dropped",
        [LAST_ROW_DROPPED] = "last row dropped",
        [NAN_KEPT] = "dscores of NaN not 0",
    };
    static const struct downhill_u8_kernels with_bug = {.softmax = softmax_with_bug};
    struct downhill_u8_kernels u8 = *right->u8;
    downhill_kernels table = *right;
    u8.softmax = softmax_with_bug;
    table.u8 = &u8;
    bug_of_softmax = NO_BUG;
    assert_passes(&table);
    for (size_t bug = NO_BUG + 1; bug < sizeof names / sizeof names[0]; bug++) {
        bug_of_softmax = (enum softmax_bug)bug;
        plant("softmax_u8", names[bug], &with_bug);
    }
}

static void plant_in_kernels(void)
{
    static const struct {
        const char *kernel, *name;
        struct downhill_u8_kernels bug; /* members that are NULL are right */
    } bugs[] = {
        {"softmax_u8", "labels off by one", {.softmax = softmax_labels_off_by_one}},
        {"softmax_u8", "classes swapped", {.softmax = softmax_classes_swapped}},
        {"softmax_u8", "writes past a row", {.softmax = softmax_past_the_row}},
        {"step_softmax_u8", "labels off by one", {.softmax = softmax_labels_off_by_one}},
        {"grad_u8", "wide: tail dropped", {.grad_wide = wide_tail_dropped}},
        {"grad_u8", "wide: rows off by one", {.grad_wide = wide_rows_off_by_one}},
        {"grad_u8", "wide: last of odd rows dropped", {.grad_wide = wide_last_of_odd_dropped}},
        {"grad_u8", "wide: last row not in bias", {.grad_wide = wide_bias_of_last_row_dropped}},
        {"grad_u8", "wide: classes swapped", {.grad_wide = wide_classes_swapped}},
        {"grad_u8", "wide: always accumulates", {.grad_wide = wide_always_accumulates}},
        {"grad_u8", "wide: minimum lost", {.grad_wide = wide_minimum_lost}},
        {"grad_u8", "wide: lowest bit lost", {.grad_wide = wide_low_bits_lost}},
        {"step_softmax_u8", "wide: lowest bit lost", {.grad_wide = wide_low_bits_lost}},
        {"step_softmax_u8", "wide: always accumulates", {.grad_wide = wide_always_accumulates}},
        {"update_u8", "floats taken for integers", {.update = update_floats_as_integers}},
        {"step_softmax_u8", "floats taken for integers", {.update = update_floats_as_integers}},
        {"update_u8", "rounded sums clamped", {.update = update_rounded_clamped}},
        {"update_u8", "rounded sums in bf16", {.update = update_rounded_in_bf16}},
        {"update_u8", "rounded sums, tail dropped", {.update = update_rounded_tail_dropped}},
        {"update_u8", "rounded sums, mean skipped", {.update = update_rounded_mean_skipped}},
        {"update_u8", "rounded sums, gains skipped", {.update = update_rounded_gain_skipped}},
    };
    for (size_t i = 0; i < sizeof bugs / sizeof bugs[0]; i++)
        plant(bugs[i].kernel, bugs[i].name, &bugs[i].bug);
}

static void test_planted_softmax_u8__in_every_level__caught(void **state)
{
    (void)state;
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t levels = all_tables(tables);
    for (size_t i = 0; i < levels; i++) {
        right = tables[i];
        plant_in_definition();
        plant_in_kernels();
        print_message("%s: all bugs caught\n", right->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planted_softmax_u8__in_every_level__caught),
    };
    return cmocka_run_group_tests_name("planted_softmax_u8", tests, NULL, NULL);
}
