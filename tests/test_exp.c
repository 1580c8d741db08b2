/* SPDX-License-Identifier: MIT
 *
 * Error of the exponential over the whole range that softmax uses, and that its bits without FMA are
 * those of the scalar level. With the argument "all" it tests
 * every f32 in the range, which takes a minute; otherwise every 97th. */
#include "cmocka_all.h"

#include "downhill.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define EXP_LEVEL(level) void exp_of_##level(int fused, const float *t, float *e, size_t count);
#include "exp_levels.def"
#undef EXP_LEVEL

typedef void (*exp_function)(int fused, const float *t, float *e, size_t count);

/* One function per compiled level; the build generates the list. */
static const struct {
    const char *level;
    exp_function function;
} functions[] = {
#define EXP_LEVEL(level) {#level, exp_of_##level},
#include "exp_levels.def"
#undef EXP_LEVEL
};

enum { CHUNK = 4096 };

static uint32_t stride = 97;

static bool usable(const char *isa)
{
    const downhill_kernels *k;
    return downhill_select(isa, &k, NULL, 0) == DOWNHILL_OK;
}

static float float_of_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* Fills t with every stride-th float from *bits on, up to -87.34, and moves *bits past them. Returns
 * false if none is left. */
static bool next_arguments(uint32_t *bits, float *t)
{
    const uint32_t last = 0xC2AEAC4Fu; /* -0x1.5d589ep+6, the last one not flushed to 0 */
    if (*bits > last)
        return false;
    for (size_t i = 0; i < CHUNK; i++, *bits += stride)
        t[i] = float_of_bits(*bits <= last ? *bits : last);
    return true;
}

/* Returns the largest relative error, in units of 2⁻²³, from -0 to -87.34. Sets *at to the argument
 * where it occurs. */
static double worst_error(exp_function function, int fused, float *at)
{
    static float t[CHUNK], e[CHUNK];
    double worst = 0.0;
    for (uint32_t bits = 0x80000000u; next_arguments(&bits, t);) {
        function(fused, t, e, CHUNK);
        for (size_t i = 0; i < CHUNK; i++) {
            const double want = exp((double)t[i]), error = fabs((double)e[i] - want) / want;
            if (!(error <= worst)) {
                worst = error;
                *at = t[i];
            }
        }
    }
    return worst * 0x1p23;
}

static const float edges[16] = {0.0f,   -0.0f,     -87.33655f, -88.0f,  -104.0f, -1e4f, -1e30f,
                                -3e38f, -INFINITY, NAN,        -1e-30f, -0.5f,   -1.0f, -87.0f};

static void check(const char *name, exp_function function, int fused, double bound)
{
    float at = 0.0f;
    const double worst = worst_error(function, fused, &at);
    print_message("exp_%s%s: largest error %.4f * 2^-23, at t = %a\n", name,
                  fused ? "" : " without FMA", worst, (double)at);
    assert_true(worst < bound);

    float e[16];
    function(fused, edges, e, 16);
    assert_true(e[0] == 1.0f && e[1] == 1.0f);
    for (int i = 2; i <= 8; i++)
        assert_true(e[i] == 0.0f);
    assert_true(isnan(e[9]));
    assert_true(e[10] == 1.0f);
}

/* Calls a test for every level that is usable, and skips the others. */
static void for_every_level(void (*test)(const char *level, exp_function function))
{
    size_t skipped = 0;
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        const char *level = functions[i].level;
        if (usable(level)) {
            test(level, functions[i].function);
        } else {
            print_message("skipped: %s is not usable here\n", level);
            skipped++;
        }
    }
    if (skipped > 0)
        skip();
}

/* Bounds from softmax.h: the hand-written levels use FMA for f32 and none for bytes, the others
 * have none. */
static void check_bounds(const char *level, exp_function function)
{
    const bool by_hand = strcmp(level, "avx2") == 0 || strcmp(level, "avx512") == 0;
    if (by_hand)
        check(level, function, 1, 0.65);
    check(level, function, 0, 0.83);
}

static void test_exp__every_level__within_bound(void **state)
{
    (void)state;
    for_every_level(check_bounds);
}

static void check_bits(const char *level, exp_function function)
{
    static float t[CHUNK], want[CHUNK], e[CHUNK];
    for (uint32_t bits = 0x80000000u; next_arguments(&bits, t);) {
        exp_of_scalar(0, t, want, CHUNK);
        function(0, t, e, CHUNK);
        for (size_t i = 0; i < CHUNK; i++)
            if (memcmp(&e[i], &want[i], sizeof *e) != 0)
                fail_msg("%s: e^%a is %a without FMA, not %a", level, (double)t[i], (double)e[i],
                         (double)want[i]);
    }
    exp_of_scalar(0, edges, want, 16);
    function(0, edges, e, 16);
    for (size_t i = 0; i < 16; i++)
        assert_true(memcmp(&e[i], &want[i], sizeof *e) == 0 || (isnan(e[i]) && isnan(want[i])));
}

static void test_exp__without_fma__bits_of_the_scalar_level(void **state)
{
    (void)state;
    for_every_level(check_bits);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "all") == 0)
        stride = 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exp__every_level__within_bound),
        cmocka_unit_test(test_exp__without_fma__bits_of_the_scalar_level),
    };
    return cmocka_run_group_tests_name("exp", tests, NULL, NULL);
}
