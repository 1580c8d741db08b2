/* SPDX-License-Identifier: MIT
 *
 * The gradient check accepts correct kernels, skips exactly the coordinates at a kink, and detects
 * planted bugs. */
#include "cmocka_all.h"

#include "base/error.h"
#include "base/levels.h"
#include "isa/kernels.h"
#include "support.h"
#include "train/draw.h"
#include "train/gradcheck.h"
#include "trainer_support.h"

#include <math.h>
#include <string.h>

enum { N = 60, D = 11, C = 4, ALL = C * (D + 1) };

static dataset sets[2]; /* bytes, f32 */

static int open_all(void **state)
{
    const trainer_size size = {N, 10, D, C};
    for (int i = 0; i < 2; i++)
        trainer_data(&size, i == 0, 6, &sets[i]);
    return scratch_open(state);
}

static int close_all(void **state)
{
    dataset_close(&sets[0]);
    dataset_close(&sets[1]);
    return scratch_close(state);
}

/* A combination that the command supports: loss, feature type, data set. */
struct config {
    downhill_loss_kind loss;
    feature_type type;
    const dataset *data;
};

static const struct config configs[] = {{DOWNHILL_HINGE, FEATURES_U8, &sets[0]},
                                        {DOWNHILL_HINGE, FEATURES_F32, &sets[0]},
                                        {DOWNHILL_SOFTMAX, FEATURES_F32, &sets[0]},
                                        {DOWNHILL_HINGE, FEATURES_F32, &sets[1]},
                                        {DOWNHILL_SOFTMAX, FEATURES_F32, &sets[1]}};

enum { N_CONFIGS = sizeof configs / sizeof configs[0] };

static gradcheck_options options_for(const struct config *config, normalise_kind kind)
{
    /* Keeps scores in the range seen in training. */
    const bool raw = kind >= NORMALISE_RAW && config->data == &sets[0];
    const float scale = config->loss == DOWNHILL_HINGE ? 0.1f : 0.01f;
    return (gradcheck_options){.samples = N,
                               .coordinates = SIZE_MAX,
                               .h = 1e-5 * (raw ? 1.0 / 255.0 : 1.0),
                               .scale = raw ? scale / 255.0f : scale,
                               .tolerance = 1e-6,
                               .seed = 1};
}

static gradcheck_result check(const struct config *config, normalise_kind kind,
                              const downhill_kernels *kernels, float reg, float delta,
                              const gradcheck_options *options)
{
    static const volatile sig_atomic_t never = 0;
    features f;
    gradcheck_result result;
    assert_true(features_open(config->type, config->data, kind, 1, &f));
    const problem p = {.data = config->data,
                       .features = &f,
                       .kernels = kernels,
                       .loss = {config->loss, delta},
                       .reg = reg,
                       .stop = &never,
                       .threads =
                           1 + options->seed % 2}; /* one or two, by the parity of the seed */
    assert_int_equal(gradcheck_run(&p, options, &result), EXIT_OK);
    features_close(&f);
    return result;
}

static void test_gradcheck__every_level__correct_kernels_accepted(void **state)
{
    (void)state;
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = levels_to_run(NULL, tables);
    assert_true(n_tables > 0);
    double worst = 0.0, worst_step = 0.0;
    for (size_t t = 0; t < n_tables; t++)
        for (size_t w = 0; w < N_CONFIGS; w++)
            for (int kind = NORMALISE_NONE; kind <= NORMALISE_RAW_CENTER; kind++)
                for (uint64_t seed = 1; seed <= 6; seed++) {
                    const float reg = seed % 2 == 0 ? 0.0f : 0.1f;
                    gradcheck_options options = options_for(&configs[w], (normalise_kind)kind);
                    options.seed = seed;
                    const gradcheck_result r =
                        check(&configs[w], (normalise_kind)kind, tables[t], reg, 1.0f, &options);
                    if (!(r.worst <= 1e-6) || r.checked == 0 || r.checked + r.kinks != ALL ||
                        r.worst == 0.0 || !(r.worst_step <= 1.0) || r.worst_step == 0.0)
                        fail_msg(
                            "level %zu, config %zu, normalisation %d, seed %d: %zu checked, %zu "
                            "kinks, worst %g of class %zu, feature %zu; step %g",
                            t, w, kind, (int)seed, r.checked, r.kinks, r.worst, r.worst_class,
                            r.worst_feature, r.worst_step);
                    worst = fmax(worst, r.worst);
                    worst_step = fmax(worst_step, r.worst_step);
                }
    print_message("largest error: %.3g; in a step: %.3g of its bound\n", worst, worst_step);
}

static void test_gradcheck__limited_samples_and_coordinates__that_many_checked(void **state)
{
    (void)state;
    gradcheck_options options = options_for(&configs[1], NORMALISE_NONE);
    options.samples = 9; /* a block of eight, and one more */
    options.coordinates = 13;
    const gradcheck_result r = check(&configs[1], NORMALISE_NONE, NULL, 0.1f, 1.0f, &options);
    assert_int_equal(r.checked + r.kinks, 13);
    assert_true(r.worst <= 1e-6);
    options.samples = 1000000; /* clamped to the number of samples */
    options.coordinates = ALL + 5;
    const gradcheck_result all = check(&configs[1], NORMALISE_NONE, NULL, 0.1f, 1.0f, &options);
    assert_int_equal(all.checked + all.kinks, ALL);
}

/* ---- kinks ---- */

/* Rounds weights to 16 bits as for features in bytes: to multiples of the smallest power of two of
 * which the largest weight is at most 32639. */
static void round_to_16_bits(float *w, size_t count)
{
    float largest = 0.0f, quantum = 0x1p-60f;
    for (size_t k = 0; k < count; k++)
        largest = fmaxf(largest, fabsf(w[k]));
    while (largest > 32639.0f * quantum)
        quantum *= 2.0f;
    for (size_t k = 0; k < count; k++)
        w[k] = nearbyintf(w[k] / quantum) * quantum;
}

/* Computes the scores of all samples at the weights that the check draws. */
static void scores_of_all(const features *f, const dataset *data, const gradcheck_options *options,
                          double scores[N][C])
{
    const problem p = {.data = data, .features = f};
    downhill_weights_f32 w;
    assert_true(weights_new(D, C, &w));
    draw_weights(&p, options->seed, 0, options->scale, NULL, &w);
    for (size_t j = 0; j < C; j++) {
        round_to_16_bits(w.w + j * D, D);
        round_to_16_bits(w.b + j, 1);
    }
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < C; j++) {
            scores[i][j] = (double)w.b[j];
            for (size_t k = 0; k < D; k++)
                scores[i][j] += (double)w.w[j * D + k] * (double)f->f32[0][i * f->ld[0] + k];
        }
    weights_free(&w);
}

/* Returns the number of coordinates for which some margin is within `reach`·|x| of its kink. */
static size_t count_kinks(const features *f, const samples *s, double scores[N][C], double delta,
                          double reach)
{
    size_t kinks = 0;
    for (size_t j = 0; j < C; j++)
        for (size_t k = 0; k <= D; k++) {
            bool kink = false;
            for (size_t i = 0; i < N; i++) {
                const size_t y = (size_t)samples_label(s, i);
                const double x = k < D ? fabs((double)f->f32[0][i * f->ld[0] + k]) : 1.0;
                for (size_t l = 0; l < C; l++)
                    if (l != y && (l == j || y == j))
                        kink = kink || fabs(scores[i][l] - scores[i][y] + delta) <= reach * x;
            }
            kinks += kink;
        }
    return kinks;
}

/* delta puts the margin of sample 0 and class j on its kink: all coordinates of that class and of
 * the label are skipped, and no others. */
static void test_gradcheck__margin_on_its_kink__coordinates_skipped(void **state)
{
    (void)state;
    const struct config *config = &configs[3];
    gradcheck_options options = options_for(config, NORMALISE_NONE);
    features f;
    double scores[N][C];
    size_t placed = 0;
    options.h = 1e-6; /* larger than the rounding error of delta */
    options.scale = 1.0f;
    assert_true(features_open(config->type, config->data, NORMALISE_NONE, 1, &f));
    scores_of_all(&f, config->data, &options, scores);
    const size_t y = (size_t)samples_label(&config->data->train, 0);
    for (size_t j = 0; j < C; j++) {
        const double delta = scores[0][y] - scores[0][j];
        if (j == y || delta <= 0.0)
            continue;
        const samples *train = &config->data->train;
        const size_t want = count_kinks(&f, train, scores, delta, options.h);
        /* No margin is borderline. */
        assert_int_equal(want, count_kinks(&f, train, scores, delta, options.h * 1.2));
        assert_int_equal(want, count_kinks(&f, train, scores, delta, options.h * 0.8));
        const gradcheck_result r =
            check(config, NORMALISE_NONE, NULL, 0.0f, (float)delta, &options);
        assert_int_equal(r.kinks, want);
        assert_int_equal(r.checked, ALL - want);
        assert_true(want >= 2 && want < ALL && r.worst <= 1e-6);
        placed++;
    }
    assert_true(placed > 0);
    features_close(&f);
}

/* ---- planted bugs ---- */

static const downhill_kernels *scalar;

static void grad_wrong_sign(size_t n, size_t d, size_t c, const void *const *x,
                            const float *dscores, size_t ldds, unsigned flags, float *dw,
                            size_t lddw, struct prefetch *prefetch)
{
    float negated[BLOCK_ROWS_MAX * PANEL_CLASSES];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            negated[i * c + j] = -dscores[i * ldds + j];
    scalar->grad_f32(n, d, c, x, negated, c, flags, dw, lddw, prefetch);
}

static void grad_class_dropped(size_t n, size_t d, size_t c, const void *const *x,
                               const float *dscores, size_t ldds, unsigned flags, float *dw,
                               size_t lddw, struct prefetch *prefetch)
{
    float partial[BLOCK_ROWS_MAX * PANEL_CLASSES];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            partial[i * c + j] = j == 1 ? 0.0f : dscores[i * ldds + j];
    scalar->grad_f32(n, d, c, x, partial, c, flags, dw, lddw, prefetch);
}

static void grad_last_feature_dropped(size_t n, size_t d, size_t c, const void *const *x,
                                      const float *dscores, size_t ldds, unsigned flags, float *dw,
                                      size_t lddw, struct prefetch *prefetch)
{
    scalar->grad_f32(n, d - 1, c, x, dscores, ldds, flags, dw, lddw, prefetch);
}

static void grad_last_sample_dropped(size_t n, size_t d, size_t c, const void *const *x,
                                     const float *dscores, size_t ldds, unsigned flags, float *dw,
                                     size_t lddw, struct prefetch *prefetch)
{
    scalar->grad_f32(n > 1 ? n - 1 : n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
}

static double hinge_label_left_out(size_t n, size_t c, const float *scores, size_t lds,
                                   const int32_t *y, float delta, float *dscores, size_t ldds)
{
    const double loss = scalar->hinge_f32(n, c, scores, lds, y, delta, dscores, ldds);
    for (size_t i = 0; i < n; i++)
        dscores[i * ldds + (size_t)y[i]] = 0.0f;
    return loss;
}

static double hinge_wrong_margin(size_t n, size_t c, const float *scores, size_t lds,
                                 const int32_t *y, float delta, float *dscores, size_t ldds)
{
    return scalar->hinge_f32(n, c, scores, lds, y, 0.5f * delta, dscores, ldds);
}

static double softmax_label_left_out(size_t n, size_t c, const float *scores, size_t lds,
                                     const int32_t *y, float *dscores, size_t ldds)
{
    const double loss = scalar->softmax_f32(n, c, scores, lds, y, dscores, ldds);
    for (size_t i = 0; i < n; i++)
        dscores[i * ldds + (size_t)y[i]] += 1.0f;
    return loss;
}

/* Relative error 1e-5, as a crude exponential would cause. */
static double softmax_slightly_off(size_t n, size_t c, const float *scores, size_t lds,
                                   const int32_t *y, float *dscores, size_t ldds)
{
    const double loss = scalar->softmax_f32(n, c, scores, lds, y, dscores, ldds);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            dscores[i * ldds + j] *= 1.00001f;
    return loss;
}

static void u8_wrong_sign(size_t n, size_t d, size_t c, const void *const *x,
                          const int16_t *dscores, size_t ldds, unsigned flags, int32_t *dw,
                          size_t lddw, int32_t *db)
{
    static _Thread_local int16_t negated[BLOCK_ROWS_MAX * PANEL_CLASSES];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            negated[i * c + j] = (int16_t)-dscores[i * ldds + j];
    scalar->u8->grad(n, d, c, x, negated, c, flags, dw, lddw, db);
}

static void u8_class_dropped(size_t n, size_t d, size_t c, const void *const *x,
                             const int16_t *dscores, size_t ldds, unsigned flags, int32_t *dw,
                             size_t lddw, int32_t *db)
{
    static _Thread_local int16_t partial[BLOCK_ROWS_MAX * PANEL_CLASSES];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            partial[i * c + j] = (int16_t)(j != c - 1 ? dscores[i * ldds + j] : 0);
    scalar->u8->grad(n, d, c, x, partial, c, flags, dw, lddw, db);
}

static void u8_last_feature_dropped(size_t n, size_t d, size_t c, const void *const *x,
                                    const int16_t *dscores, size_t ldds, unsigned flags,
                                    int32_t *dw, size_t lddw, int32_t *db)
{
    scalar->u8->grad(n, d - 1, c, x, dscores, ldds, flags, dw, lddw, db);
}

static double u8_label_left_out(size_t n, size_t c, const double *scores, size_t lds,
                                const int32_t *y, double delta, int16_t *dscores, size_t ldds)
{
    const double loss = scalar->u8->hinge(n, c, scores, lds, y, delta, dscores, ldds);
    for (size_t i = 0; i < n; i++)
        dscores[i * ldds + (size_t)y[i]] = 0;
    return loss;
}

/* ---- bugs that only show in a step ---- */

/* Drops a sample only from blocks of more than eight. */
static void grad_last_of_many_dropped(size_t n, size_t d, size_t c, const void *const *x,
                                      const float *dscores, size_t ldds, unsigned flags, float *dw,
                                      size_t lddw, struct prefetch *prefetch)
{
    scalar->grad_f32(n > 8 ? n - 1 : n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
}

static void update_last_weight_left_out(size_t count, float decay, float step, const float *g,
                                        float *w)
{
    scalar->update_f32(count == D ? D - 1 : count, decay, step, g, w);
}

static uint32_t u8_update_mean_left_out(size_t d, unsigned flags, float decay, float step,
                                        float sum, float times, const void *dw, const float *mean,
                                        const float *gain, float *w)
{
    (void)sum;
    return scalar->u8->update(d, flags, decay, step, 0.0f, times, dw, mean, gain, w);
}

static uint32_t u8_update_mean_slightly_off(size_t d, unsigned flags, float decay, float step,
                                            float sum, float times, const void *dw,
                                            const float *mean, const float *gain, float *w)
{
    float off[D];
    for (size_t k = 0; k < d; k++)
        off[k] = mean[k] + (mean[k] > 0.0f ? 0x1p-8f : 0.0f);
    return scalar->u8->update(d, flags, decay, step, sum, times, dw, off, gain, w);
}

static uint32_t u8_update_first_gain_for_all(size_t d, unsigned flags, float decay, float step,
                                             float sum, float times, const void *dw,
                                             const float *mean, const float *gain, float *w)
{
    float same[D];
    for (size_t k = 0; k < d; k++)
        same[k] = gain[0];
    return scalar->u8->update(d, flags, decay, step, sum, times, dw, mean, same, w);
}

struct planted {
    const char *name;
    size_t config;
    downhill_kernels f32; /* members other than NULL replace the correct kernels */
    struct downhill_u8_kernels u8;
};

static gradcheck_result check_planted(const struct planted *bug, normalise_kind kind, uint64_t seed)
{
    downhill_kernels table = *scalar;
    struct downhill_u8_kernels u8 = *scalar->u8;
    table.u8 = &u8;
    table.hinge_f32 = bug->f32.hinge_f32 != NULL ? bug->f32.hinge_f32 : table.hinge_f32;
    table.softmax_f32 = bug->f32.softmax_f32 != NULL ? bug->f32.softmax_f32 : table.softmax_f32;
    table.grad_f32 = bug->f32.grad_f32 != NULL ? bug->f32.grad_f32 : table.grad_f32;
    u8.hinge = bug->u8.hinge != NULL ? bug->u8.hinge : u8.hinge;
    u8.grad = bug->u8.grad != NULL ? bug->u8.grad : u8.grad;
    u8.update = bug->u8.update != NULL ? bug->u8.update : u8.update;
    table.update_f32 = bug->f32.update_f32 != NULL ? bug->f32.update_f32 : table.update_f32;
    gradcheck_options options = options_for(&configs[bug->config], kind);
    options.seed = seed;
    return check(&configs[bug->config], kind, &table, 0.1f, 1.0f, &options);
}

static void test_gradcheck__planted_bugs__found(void **state)
{
    (void)state;
    static const struct planted planted[] = {
        {.name = "wrong sign, hinge", .config = 1, .f32.grad_f32 = grad_wrong_sign},
        {.name = "wrong sign, softmax", .config = 2, .f32.grad_f32 = grad_wrong_sign},
        {.name = "class dropped", .config = 1, .f32.grad_f32 = grad_class_dropped},
        {.name = "class dropped, softmax", .config = 4, .f32.grad_f32 = grad_class_dropped},
        {.name = "last feature dropped", .config = 3, .f32.grad_f32 = grad_last_feature_dropped},
        {.name = "last sample dropped", .config = 2, .f32.grad_f32 = grad_last_sample_dropped},
        {.name = "label left out, hinge", .config = 1, .f32.hinge_f32 = hinge_label_left_out},
        {.name = "wrong margin", .config = 3, .f32.hinge_f32 = hinge_wrong_margin},
        {.name = "label left out, softmax", .config = 2, .f32.softmax_f32 = softmax_label_left_out},
        {.name = "softmax slightly off", .config = 4, .f32.softmax_f32 = softmax_slightly_off},
        {.name = "bytes, wrong sign", .u8.grad = u8_wrong_sign},
        {.name = "bytes, class dropped", .u8.grad = u8_class_dropped},
        {.name = "bytes, last feature dropped", .u8.grad = u8_last_feature_dropped},
        {.name = "bytes, label left out", .u8.hinge = u8_label_left_out},
    };
    assert_int_equal(downhill_select("scalar", &scalar, NULL, 0), DOWNHILL_OK);
    const struct planted no_bug = {.name = "no_bug"};
    for (int kind = NORMALISE_NONE; kind <= NORMALISE_RAW_CENTER; kind++) {
        assert_true(check_planted(&no_bug, (normalise_kind)kind, 1).worst <= 1e-6);
        for (size_t i = 0; i < sizeof planted / sizeof planted[0]; i++) {
            const gradcheck_result r = check_planted(&planted[i], (normalise_kind)kind, 1);
            if (kind == NORMALISE_NONE)
                print_message("%s: %.2g\n", planted[i].name, r.worst);
            if (!(r.worst > 1e-6))
                fail_msg("%s, normalisation %d: not found, %g", planted[i].name, kind, r.worst);
        }
    }
}

/* Bugs that do not show in the gradient of a block of samples. */
static void test_gradcheck__bugs_planted_in_the_step__found(void **state)
{
    (void)state;
    static const struct planted planted[] = {
        {.name = "last of many samples dropped",
         .config = 1,
         .f32.grad_f32 = grad_last_of_many_dropped},
        {.name = "last weight left out",
         .config = 2,
         .f32.update_f32 = update_last_weight_left_out},
        {.name = "bytes, mean left out", .u8.update = u8_update_mean_left_out},
        {.name = "bytes, mean a 256th off", .u8.update = u8_update_mean_slightly_off},
        {.name = "bytes, first gain for all", .u8.update = u8_update_first_gain_for_all},
    };
    assert_int_equal(downhill_select("scalar", &scalar, NULL, 0), DOWNHILL_OK);
    for (size_t i = 0; i < sizeof planted / sizeof planted[0]; i++) {
        /* An even seed runs one thread: with several, the update adds their gradients. */
        const gradcheck_result r = check_planted(&planted[i], NORMALISE_STANDARDISE, 2);
        if (!(r.worst <= 1e-6) || !(r.worst_step > 1.0))
            fail_msg("%s: not found, or found outside of the step: %g, step %g", planted[i].name,
                     r.worst, r.worst_step);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradcheck__every_level__correct_kernels_accepted),
        cmocka_unit_test(test_gradcheck__limited_samples_and_coordinates__that_many_checked),
        cmocka_unit_test(test_gradcheck__margin_on_its_kink__coordinates_skipped),
        cmocka_unit_test(test_gradcheck__planted_bugs__found),
        cmocka_unit_test(test_gradcheck__bugs_planted_in_the_step__found),
    };
    return cmocka_run_group_tests_name("gradcheck", tests, open_all, close_all);
}
