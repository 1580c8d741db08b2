/* SPDX-License-Identifier: MIT
 *
 * verify accepts correct kernels and catches planted bugs. Each planted bug is the scalar kernel
 * table with one kernel replaced by a wrong one. */
#include "cmocka_all.h"

#include "base/error.h"
#include "driver/plan.h"
#include "planted.h"
#include "verify/arena.h"
#include "verify/verify.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Sanitizers and coverage make everything about ten times slower, so these builds check every fifth
 * of the chosen shapes for one seed. */
#ifdef DOWNHILL_INSTRUMENTED
enum { SEEDS = 1, FULL_SEEDS = 0, STRIDE = 5 };
#else
enum { SEEDS = 2, FULL_SEEDS = 1, STRIDE = 1 };
#endif

static void test_verify__every_level__passes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        verify_options options = VERIFY_DEFAULTS;
        options.seed = seed;
        options.chosen_only = seed > FULL_SEEDS;
        options.stride = STRIDE;
        verify_result result;
        assert_int_equal(verify_run(&options, &result), EXIT_OK);
        assert_int_equal(result.failures, 0);
        assert_true(result.checks > 10000 && result.levels >= 1);
    }
}

static void test_verify__bad_options__refused(void **state)
{
    (void)state;
    verify_result result;
    verify_options options = VERIFY_DEFAULTS;
    options.kernel = "score_f64";
    assert_int_equal(verify_run(&options, &result), EXIT_USAGE);
    options = (verify_options)VERIFY_DEFAULTS;
    options.only_case = 1000000;
    assert_int_equal(verify_run(&options, &result), EXIT_USAGE);
    options = (verify_options)VERIFY_DEFAULTS;
    options.isa = "sse9";
    assert_int_equal(verify_run(&options, &result), EXIT_ISA);
}

/* ---- planted bugs ---- */

static void score_tail_dropped(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                               size_t ldw, const struct scores *scores, struct prefetch *prefetch)
{
    downhill_score_f32_scalar(n, d > 8 ? d / 8 * 8 : d, c, x, w, ldw, scores, prefetch);
}

/* Drops only the last feature of long rows, the smallest part of the longest sum. */
static void score_last_feature_dropped(size_t n, size_t d, size_t c, const void *const *x,
                                       const float *w, size_t ldw, const struct scores *scores,
                                       struct prefetch *prefetch)
{
    downhill_score_f32_scalar(n, d > 1000 ? d - 1 : d, c, x, w, ldw, scores, prefetch);
}

static void score_bias_forgotten(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                                 size_t ldw, const struct scores *scores, struct prefetch *prefetch)
{
    const struct scores from_zeros = scores_from_zeros(n, c, scores);
    downhill_score_f32_scalar(n, d, c, x, w, ldw, &from_zeros, prefetch);
}

static void score_classes_swapped(size_t n, size_t d, size_t c, const void *const *x,
                                  const float *w, size_t ldw, const struct scores *scores,
                                  struct prefetch *prefetch)
{
    downhill_score_f32_scalar(n, d, c, x, w, ldw, scores, prefetch);
    for (size_t i = 0; c > 1 && i < n; i++) {
        float *s = scores_at(*scores, i, 0).to;
        const float first = s[0];
        s[0] = s[1];
        s[1] = first;
    }
}

static void score_rounded_to_bf16(size_t n, size_t d, size_t c, const void *const *x,
                                  const float *w, size_t ldw, const struct scores *scores,
                                  struct prefetch *prefetch)
{
    static float rounded[20000 + 32];
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < d; k++) {
            uint32_t bits;
            memcpy(&bits, (const float *)x[i] + k, sizeof bits);
            bits = (bits + 0x7FFFu + (bits >> 16 & 1)) & 0xFFFF0000u;
            memcpy(&rounded[k], &bits, sizeof bits);
        }
        const void *row = rounded;
        const struct scores scores_i = scores_at(*scores, i, 0);
        downhill_score_f32_scalar(1, d, c, &row, w, ldw, &scores_i, prefetch);
    }
}

static void score_last_row_twice(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                                 size_t ldw, const struct scores *scores, struct prefetch *prefetch)
{
    const void *shifted[BLOCK_ROWS_MAX];
    for (size_t i = 0; i < n; i++)
        shifted[i] = x[i + 1 < n ? i + 1 : i];
    downhill_score_f32_scalar(n, d, c, shifted, w, ldw, scores, prefetch);
}

static volatile float sink;

static void score_reads_past_the_row(size_t n, size_t d, size_t c, const void *const *x,
                                     const float *w, size_t ldw, const struct scores *scores,
                                     struct prefetch *prefetch)
{
    downhill_score_f32_scalar(n, d, c, x, w, ldw, scores, prefetch);
    sink = w[(c - 1) * ldw + d];
}

static void score_writes_padding(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                                 size_t ldw, const struct scores *scores, struct prefetch *prefetch)
{
    downhill_score_f32_scalar(n, d, c, x, w, ldw, scores, prefetch);
    if (scores->ld > c && n > 1)
        scores->to[c] = 0.0f;
}

enum { LANES = 8 }; /* adjacent features of a class in packed weights */

/* Scores packed weights by their definition; a caller plants a bug by changing an argument. */
static void score_packed(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                         const struct scores *scores, size_t classes)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++) {
            const struct scores s = scores_at(*scores, i, j);
            *s.to = *s.from;
            for (size_t k = 0; k < d; k++)
                *s.to += ((const float *)x[i])[k] *
                         w[k / LANES * LANES * classes + j * LANES + k % LANES];
        }
}

static void score_packed_correct(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                                 const struct scores *scores, struct prefetch *prefetch)
{
    (void)prefetch;
    score_packed(n, d, c, x, w, scores, c);
}

static void score_packed_tail_dropped(size_t n, size_t d, size_t c, const void *const *x,
                                      const float *w, const struct scores *scores,
                                      struct prefetch *prefetch)
{
    (void)prefetch;
    score_packed(n, d > LANES ? d / LANES * LANES : d, c, x, w, scores, c);
}

static void score_packed_nine_classes_cut(size_t n, size_t d, size_t c, const void *const *x,
                                          const float *w, const struct scores *scores,
                                          struct prefetch *prefetch)
{
    (void)prefetch;
    score_packed(n, c == 9 ? (d < LANES ? d : LANES) : d, c, x, w, scores, c);
}

static void score_packed_odd_sample_dropped(size_t n, size_t d, size_t c, const void *const *x,
                                            const float *w, const struct scores *scores,
                                            struct prefetch *prefetch)
{
    (void)prefetch;
    score_packed(n / 2 * 2, d, c, x, w, scores, c);
}

static double hinge_kink_counts(size_t n, size_t c, const float *scores, size_t lds,
                                const int32_t *y, float delta, float *dscores, size_t ldds)
{
    return downhill_hinge_f32_scalar(n, c, scores, lds, y, nextafterf(delta, 1e9f), dscores, ldds);
}

static double hinge_label_counted(size_t n, size_t c, const float *scores, size_t lds,
                                  const int32_t *y, float delta, float *dscores, size_t ldds)
{
    return downhill_hinge_f32_scalar(n, c, scores, lds, y, delta, dscores, ldds) +
           (double)n * (double)delta;
}

static double hinge_last_class_dropped(size_t n, size_t c, const float *scores, size_t lds,
                                       const int32_t *y, float delta, float *dscores, size_t ldds)
{
    const double loss = downhill_hinge_f32_scalar(n, c, scores, lds, y, delta, dscores, ldds);
    for (size_t i = 0; i < n; i++)
        if (c % 16 == 1 && c > 1)
            dscores[i * ldds + c - 1] = 0.0f;
    return loss;
}

static double softmax_without_maximum(size_t n, size_t c, const float *scores, size_t lds,
                                      const int32_t *y, float *dscores, size_t ldds)
{
    double loss = 0.0;
    for (size_t i = 0; i < n; i++) {
        float sum = 0.0f;
        const float at_label = scores[i * lds + (size_t)y[i]];
        for (size_t j = 0; j < c; j++)
            sum += dscores[i * ldds + j] = expf(scores[i * lds + j]);
        for (size_t j = 0; j < c; j++)
            dscores[i * ldds + j] /= sum;
        dscores[i * ldds + (size_t)y[i]] -= 1.0f;
        loss += log((double)sum) - (double)at_label;
    }
    return loss;
}

/* An overflowing product of sums shows only with many classes and many rows. */
static double softmax_long_block_wrong(size_t n, size_t c, const float *scores, size_t lds,
                                       const int32_t *y, float *dscores, size_t ldds)
{
    const double loss = downhill_softmax_f32_scalar(n, c, scores, lds, y, dscores, ldds);
    return (double)n * log2((double)c) > 2000.0 ? loss - 900.0 * log(2.0) : loss;
}

static double hinge_negative_zero(size_t n, size_t c, const float *scores, size_t lds,
                                  const int32_t *y, float delta, float *dscores, size_t ldds)
{
    const double loss = downhill_hinge_f32_scalar(n, c, scores, lds, y, delta, dscores, ldds);
    for (size_t i = 0; i < n; i++)
        if (dscores[i * ldds + (size_t)y[i]] == 0.0f)
            dscores[i * ldds + (size_t)y[i]] = -0.0f;
    return loss;
}

static double hinge_overwrites_scores(size_t n, size_t c, const float *scores, size_t lds,
                                      const int32_t *y, float delta, float *dscores, size_t ldds)
{
    const double loss = downhill_hinge_f32_scalar(n, c, scores, lds, y, delta, dscores, ldds);
    for (size_t i = 0; i < n && scores != dscores; i++)
        memcpy((float *)(uintptr_t)(scores + i * lds), dscores + i * ldds, c * sizeof *scores);
    return loss;
}

static double softmax_crude_exponential(size_t n, size_t c, const float *scores, size_t lds,
                                        const int32_t *y, float *dscores, size_t ldds)
{
    const double loss = downhill_softmax_f32_scalar(n, c, scores, lds, y, dscores, ldds);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            dscores[i * ldds + j] *= 1.0f + 0x1p-15f;
    return loss;
}

static void grad_overwrites(size_t n, size_t d, size_t c, const void *const *x,
                            const float *dscores, size_t ldds, unsigned flags, float *dw,
                            size_t lddw, struct prefetch *prefetch)
{
    (void)flags;
    downhill_grad_f32_scalar(n, d, c, x, dscores, ldds, 0, dw, lddw, prefetch);
}

static void grad_last_sample_dropped(size_t n, size_t d, size_t c, const void *const *x,
                                     const float *dscores, size_t ldds, unsigned flags, float *dw,
                                     size_t lddw, struct prefetch *prefetch)
{
    downhill_grad_f32_scalar(n > 1 ? n - 1 : n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
}

static void grad_overwrites_x(size_t n, size_t d, size_t c, const void *const *x,
                              const float *dscores, size_t ldds, unsigned flags, float *dw,
                              size_t lddw, struct prefetch *prefetch)
{
    downhill_grad_f32_scalar(n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
    *(float *)(uintptr_t)x[0] += 0.0f;
}

static void grad_writes_far_away(size_t n, size_t d, size_t c, const void *const *x,
                                 const float *dscores, size_t ldds, unsigned flags, float *dw,
                                 size_t lddw, struct prefetch *prefetch)
{
    downhill_grad_f32_scalar(n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
    if (lddw != PANEL_LD) /* not the driver's panel, which has no guard */
        dw[(c - 1) * lddw + d + 600] = 0.0f;
}

static void grad_writes_past_the_row(size_t n, size_t d, size_t c, const void *const *x,
                                     const float *dscores, size_t ldds, unsigned flags, float *dw,
                                     size_t lddw, struct prefetch *prefetch)
{
    downhill_grad_f32_scalar(n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
    dw[(c - 1) * lddw + d] = 0.0f;
}

#ifdef __x86_64__
/* ---- CPU state after a call ---- */

static void update_leaves_upper_halves(size_t count, float decay, float step, const float *g,
                                       float *w)
{
    downhill_update_f32_scalar(count, decay, step, g, w);
    if (__builtin_cpu_supports("avx2"))
        __asm__ volatile("vpcmpeqd %%ymm7, %%ymm7, %%ymm7" ::: "xmm7");
    else
        w[0] = 1e30f; /* no upper halves here: plants another bug */
}

static void update_flushes_from_now_on(size_t count, float decay, float step, const float *g,
                                       float *w)
{
    downhill_update_f32_scalar(count, decay, step, g, w);
    uint32_t modes;
    __asm__ volatile("stmxcsr %0" : "=m"(modes));
    modes |= 0x8000; /* flush to zero */
    __asm__ volatile("ldmxcsr %0" : : "m"(modes));
}

static void update_rounds_down_from_now_on(size_t count, float decay, float step, const float *g,
                                           float *w)
{
    downhill_update_f32_scalar(count, decay, step, g, w);
    uint16_t modes;
    __asm__ volatile("fnstcw %0" : "=m"(modes));
    modes |= 0x400;
    __asm__ volatile("fldcw %0" : : "m"(modes));
}

static void update_leaves_mmx(size_t count, float decay, float step, const float *g, float *w)
{
    downhill_update_f32_scalar(count, decay, step, g, w);
    __asm__ volatile("pxor %mm0, %mm0");
}

static void test_verify__changed_cpu_state__caught(void **state)
{
    (void)state;
    static void (*const bugs[])(size_t, float, float, const float *,
                                float *) = {update_leaves_upper_halves, update_flushes_from_now_on,
                                            update_rounds_down_from_now_on, update_leaves_mmx};
    const downhill_kernels *scalar;
    assert_int_equal(downhill_select("scalar", &scalar, NULL, 0), DOWNHILL_OK);
    /* Calls that a sanitizer inserts clear the upper halves, so it cannot see the first bug. */
#ifdef DOWNHILL_INSTRUMENTED
    const size_t first = 1;
#else
    const size_t first = 0;
#endif
    for (size_t i = first; i < sizeof bugs / sizeof bugs[0]; i++) {
        downhill_kernels table = *scalar;
        table.update_f32 = bugs[i];
        verify_options options = VERIFY_DEFAULTS;
        options.kernels = &table;
        options.kernel = "update_f32";
        options.first_only = true;
        options.max_reports = 0;
        verify_result result;
        const int code = verify_run(&options, &result);
        __asm__ volatile("fninit");
        const uint32_t default_modes = 0x1F80;
        __asm__ volatile("ldmxcsr %0" : : "m"(default_modes));
        if (code != EXIT_CHECK)
            fail_msg("bug %zu was not caught", i);
    }
}
#endif

static void update_fused(size_t count, float decay, float step, const float *g, float *w)
{
    for (size_t k = 0; k < count; k++)
        w[k] = fmaf(-step, g[k], decay * w[k]);
}

static void update_clamps(size_t count, float decay, float step, const float *g, float *w)
{
    downhill_update_f32_scalar(count, decay, step, g, w);
    for (size_t k = 0; k < count; k++)
        if (w[k] > 1e30f)
            w[k] = 1e30f;
}

static void update_flushes_subnormals(size_t count, float decay, float step, const float *g,
                                      float *w)
{
    downhill_update_f32_scalar(count, decay, step, g, w);
    for (size_t k = 0; k < count; k++)
        if (fabsf(w[k]) < 0x1p-126f)
            w[k] *= 0.0f;
}

static void update_tail_dropped(size_t count, float decay, float step, const float *g, float *w)
{
    downhill_update_f32_scalar(count > 16 ? count / 16 * 16 : count, decay, step, g, w);
}

/* Runs verify without its messages, since failures are expected here. */
static int run_quietly(const verify_options *options, verify_result *result)
{
    fflush(stderr);
    const int saved = dup(STDERR_FILENO);
    assert_non_null(freopen("/dev/null", "w", stderr));
    const int code = verify_run(options, result);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    return code;
}

static void test_verify__planted_bugs__caught(void **state)
{
    (void)state;
    const downhill_kernels *scalar;
    assert_int_equal(downhill_select("scalar", &scalar, NULL, 0), DOWNHILL_OK);
#define PLANT_AS(kernel, bug, member, value)                                                       \
    {                                                                                              \
        kernel,                                                                                    \
        {                                                                                          \
            .name = bug, .score_f32 = scalar->score_f32, .hinge_f32 = scalar->hinge_f32,           \
            .softmax_f32 = scalar->softmax_f32, .grad_f32 = scalar->grad_f32,                      \
            .score_bf16 = scalar->score_bf16, .grad_bf16 = scalar->grad_bf16,                      \
            .grad_bias_f32 = scalar->grad_bias_f32, .update_f32 = scalar->update_f32,              \
            .score_features = scalar->score_features,                                              \
            .score_features_one = scalar->score_features_one,                                      \
            .grad_classes = scalar->grad_classes, .grad_classes_bf16 = scalar->grad_classes_bf16,  \
            .member = value                                                                        \
        }                                                                                          \
    }
#define PLANT(kernel, bug) PLANT_AS(#kernel, #bug, kernel, bug)
#define PACKED(bug)                                                                                \
    &(const struct downhill_packing)                                                               \
    {                                                                                              \
        .pack = downhill_pack_f32, .score = bug, .features = 512, .classes = PANEL_CLASSES,        \
        .n_min = 64, .n_min_colliding = 64, .policy = PACKS_ALWAYS                                 \
    }
#define PLANT_PACKED(bug) PLANT_AS("score_f32", #bug, packing_f32, PACKED(bug))
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
    const struct {
        const char *kernel;
        downhill_kernels table;
    } planted[] = {
        PLANT(score_f32, score_tail_dropped),
        PLANT(score_f32, score_last_feature_dropped),
        PLANT(score_f32, score_bias_forgotten),
        PLANT(score_f32, score_classes_swapped),
        PLANT(score_f32, score_rounded_to_bf16),
        PLANT(score_f32, score_last_row_twice),
        PLANT(score_f32, score_reads_past_the_row),
        PLANT(score_f32, score_writes_padding),
        PLANT_PACKED(score_packed_tail_dropped),
        PLANT_PACKED(score_packed_nine_classes_cut),
        PLANT_PACKED(score_packed_odd_sample_dropped),
        PLANT(hinge_f32, hinge_kink_counts),
        PLANT(hinge_f32, hinge_label_counted),
        PLANT(hinge_f32, hinge_last_class_dropped),
        PLANT(hinge_f32, hinge_negative_zero),
        PLANT(hinge_f32, hinge_overwrites_scores),
        PLANT(softmax_f32, softmax_without_maximum),
        PLANT(softmax_f32, softmax_long_block_wrong),
        PLANT(softmax_f32, softmax_crude_exponential),
        PLANT(grad_f32, grad_overwrites),
        PLANT(grad_f32, grad_last_sample_dropped),
        PLANT(grad_f32, grad_writes_past_the_row),
        PLANT(grad_f32, grad_writes_far_away),
        PLANT(grad_f32, grad_overwrites_x),
        PLANT(update_f32, update_fused),
        PLANT(update_f32, update_clamps),
        PLANT(update_f32, update_flushes_subnormals),
        PLANT(update_f32, update_tail_dropped),
    };
    for (size_t i = 0; i < sizeof planted / sizeof planted[0]; i++) {
        verify_options options = VERIFY_DEFAULTS;
        options.kernels = &planted[i].table;
        options.kernel = planted[i].kernel;
        options.first_only = true;
        verify_result result;
        const int code = run_quietly(&options, &result);
        print_message("%s: found by check %llu\n", planted[i].table.name,
                      (unsigned long long)result.checks);
        assert_int_equal(code, EXIT_CHECK);
        assert_int_equal(result.failures, 1);
    }
    /* Without a planted bug the same tables are right. */
    const struct {
        const char *kernel;
        downhill_kernels table;
    } right[] = {
        PLANT_AS("score_f32", "right scores", score_f32, scalar->score_f32),
        PLANT_AS("hinge_f32", "right hinge", hinge_f32, scalar->hinge_f32),
        PLANT_AS("softmax_f32", "right softmax", softmax_f32, scalar->softmax_f32),
        PLANT_AS("grad_f32", "right gradient", grad_f32, scalar->grad_f32),
        PLANT_AS("update_f32", "right update", update_f32, scalar->update_f32),
    };
#pragma GCC diagnostic pop
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        verify_options options = VERIFY_DEFAULTS;
        options.kernels = &right[i].table;
        options.kernel = right[i].kernel;
        verify_result result;
        assert_int_equal(verify_run(&options, &result), EXIT_OK);
    }
    /* The definition of packed weights that three of the bugs build on is itself correct. */
    downhill_kernels correct = *scalar;
    correct.packing_f32 = PACKED(score_packed_correct);
    verify_options options = VERIFY_DEFAULTS;
    options.kernels = &correct;
    options.kernel = "score_f32";
    verify_result result;
    assert_int_equal(verify_run(&options, &result), EXIT_OK);
}

static void test_arena__changed_byte_outside_of_a_row__detected(void **state)
{
    (void)state;
    enum { ROWS = 3, COLUMNS = 5, LD = 8 };
    arena a;
    assert_true(arena_open(&a, arena_bytes_needed(ROWS, LD)));
    for (enum placement where = PLACE_AT_END; where <= PLACE_INSIDE; where++) {
        guarded g = arena_place(&a, ROWS, COLUMNS, LD, where, 3);
        for (size_t i = 0; i < ROWS; i++)
            memset((float *)g.data + i * LD, 0, COLUMNS * sizeof(float));
        assert_true(guarded_intact(&g));
        unsigned char *first = g.data;
        const size_t span = ((ROWS - 1) * LD + COLUMNS) * sizeof(float);
        const ptrdiff_t low = first > a.pages ? -1 : 0;
        const ptrdiff_t high = first + span < a.pages + a.capacity ? 1 : 0;
        for (ptrdiff_t at = low; at < (ptrdiff_t)span + high; at++) {
            const bool outside = at < 0 || at >= (ptrdiff_t)span;
            const bool inside_row = !outside && (size_t)at / sizeof(float) % LD < COLUMNS;
            const unsigned char before = first[at];
            first[at] ^= 1;
            assert_int_equal(guarded_intact(&g), inside_row);
            first[at] = before;
        }
    }
    arena_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verify__every_level__passes),
        cmocka_unit_test(test_verify__bad_options__refused),
        cmocka_unit_test(test_verify__planted_bugs__caught),
#ifdef __x86_64__
        cmocka_unit_test(test_verify__changed_cpu_state__caught),
#endif
        cmocka_unit_test(test_arena__changed_byte_outside_of_a_row__detected),
    };
    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
