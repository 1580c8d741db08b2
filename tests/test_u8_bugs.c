/* SPDX-License-Identifier: MIT
 *
 * Bugs in the kernels for bytes that verify must not miss. */
#include "u8_support.h"

#include "base/error.h"
#include "kernels.h"
#include "verify/verify.h"

#include <math.h>
#include <string.h>

static void score_high_byte_only(size_t n, size_t d, size_t c, const void *const *x,
                                 const void *packed, const double *unit, double *scores, size_t lds,
                                 struct downhill_ahead *ahead)
{
    int16_t *rounded = new (c * (d + 32), sizeof *rounded);
    for (size_t i = 0; i < c * ((d + 31) / 32 * 32); i++)
        rounded[i] = (int16_t)(((const int16_t *)packed)[i] / 2 * 2);
    downhill_score_u8_scalar(n, d, c, x, rounded, unit, scores, lds, ahead);
    free(rounded);
}

/* The sum in f32: right for short rows. */
static void score_in_f32(size_t n, size_t d, size_t c, const void *const *x, const void *packed,
                         const double *unit, double *scores, size_t lds,
                         struct downhill_ahead *ahead)
{
    downhill_score_u8_scalar(n, d, c, x, packed, unit, scores, lds, ahead);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            scores[i * lds + j] = (double)(float)scores[i * lds + j];
}

static double hinge_unrounded(size_t n, size_t c, const double *scores, size_t lds,
                              const int32_t *y, double delta, int16_t *dscores, size_t ldds)
{
    double units = downhill_hinge_u8_scalar(n, c, scores, lds, y, delta, dscores, ldds);
    return units + 0.25;
}

static double hinge_kink_counts(size_t n, size_t c, const double *scores, size_t lds,
                                const int32_t *y, double delta, int16_t *dscores, size_t ldds)
{
    const double units = downhill_hinge_u8_scalar(n, c, scores, lds, y, delta, dscores, ldds);
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
                           struct downhill_ahead *ahead)
{
    int32_t *sums = new (c * d, sizeof *sums);
    downhill_grad_u8_scalar(n, d, c, x, dscores, 0, sums, d, ahead);
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
                                  size_t lddw, struct downhill_ahead *ahead)
{
    static downhill_dscores cut;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            cut[i][j] = (int8_t)dscores[i][j];
    downhill_grad_u8_scalar(n, d, c, x, cut, flags, dw, lddw, ahead);
}

static void pack_truncates(size_t d, size_t c, size_t j, const float *w, float factor, void *panel)
{
    float *cut = new (d, sizeof *cut);
    for (size_t k = 0; k < d; k++)
        cut[k] = isfinite(w[k]) && factor > 0.0f ? truncf(w[k] * factor) / factor : w[k];
    downhill_pack_u8_scalar(d, c, j, cut, factor, panel);
    free(cut);
}

static uint32_t update_fused(size_t d, unsigned flags, float decay, float step, float sum,
                             float times, const int32_t *dw, const float *mean, const float *gain,
                             float *w)
{
    float *before = new (d, sizeof *before);
    memcpy(before, w, d * sizeof *w);
    const uint32_t most =
        downhill_update_u8_scalar(d, flags, decay, step, sum, times, dw, mean, gain, w);
    for (size_t k = 0; k < d; k++)
        w[k] = fmaf(decay, before[k], -(step * gain[k] * ((float)dw[k] * times - mean[k] * sum)));
    free(before);
    return most;
}

static uint32_t update_forgets_last(size_t d, unsigned flags, float decay, float step, float sum,
                                    float times, const int32_t *dw, const float *mean,
                                    const float *gain, float *w)
{
    downhill_update_u8_scalar(d, flags, decay, step, sum, times, dw, mean, gain, w);
    return d > 1
               ? downhill_update_u8_scalar(d - 1, flags, 1.0f, 0.0f, 0.0f, 1.0f, dw, mean, gain, w)
               : 0;
}

static void test_u8__planted_bugs__caught(void **state)
{
    (void)state;
    const downhill_kernels *scalar;
    assert_int_equal(downhill_select("scalar", &scalar, NULL, 0), DOWNHILL_OK);
#define PLANT(op, member, bug)                                                                     \
    {                                                                                              \
        op, #bug,                                                                                  \
        {                                                                                          \
            .member = bug                                                                          \
        }                                                                                          \
    }
    const struct {
        const char *op, *name;
        struct downhill_u8_kernels bug; /* the rest is right */
    } planted[] = {
        PLANT("score_u8", score, score_high_byte_only),
        PLANT("score_u8", score, score_in_f32),
        PLANT("hinge_u8", hinge, hinge_unrounded),
        PLANT("hinge_u8", hinge, hinge_kink_counts),
        PLANT("grad_u8", grad, grad_saturates),
        PLANT("grad_u8", grad, grad_bytes_of_dscores),
        PLANT("score_u8", pack, pack_truncates),
        PLANT("update_u8", update, update_fused),
        PLANT("update_u8", update, update_forgets_last),
    };
    for (size_t i = 0; i < sizeof planted / sizeof planted[0]; i++) {
        struct downhill_u8_kernels u8 = *scalar->u8;
        const struct downhill_u8_kernels *bug = &planted[i].bug;
        u8.pack = bug->pack != NULL ? bug->pack : u8.pack;
        u8.score = bug->score != NULL ? bug->score : u8.score;
        u8.hinge = bug->hinge != NULL ? bug->hinge : u8.hinge;
        u8.grad = bug->grad != NULL ? bug->grad : u8.grad;
        u8.update = bug->update != NULL ? bug->update : u8.update;
        downhill_kernels table = *scalar;
        table.u8 = &u8;
        verify_options options = VERIFY_DEFAULTS;
        options.kernels = &table;
        options.op = planted[i].op;
        options.max_reports = 0;
        options.first_only = true;
        verify_result result;
        const int code = verify_run(&options, &result);
        print_message("%s: found by check %llu\n", planted[i].name,
                      (unsigned long long)result.checks);
        assert_int_equal(code, EXIT_CHECK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_u8__planted_bugs__caught),
    };
    return cmocka_run_group_tests_name("u8_bugs", tests, NULL, NULL);
}
