/* SPDX-License-Identifier: MIT
 *
 * Error of the exponential over the whole range that softmax uses. With the argument "all" it tests
 * every f32 in the range, which takes a minute; otherwise every 97th. */
#include "cmocka_all.h"

#include "downhill.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define EXP_LEVEL(level) void exp_of_##level(const float *t, float *e, size_t count);
#include "exp_levels.def"
#undef EXP_LEVEL

typedef void (*exp_function)(const float *t, float *e, size_t count);

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

/* Returns the largest relative error, in units of 2⁻²³, over every stride-th float from -0 to
 * -87.34. Sets *at to the argument where it occurs. */
static double worst_error(exp_function function, float *at)
{
    static float t[CHUNK], e[CHUNK];
    double worst = 0.0;
    const uint32_t last = 0xC2AEAC4Fu; /* -0x1.5d589ep+6, the last one not flushed to 0 */
    for (uint32_t bits = 0x80000000u; bits <= last;) {
        size_t count = 0;
        for (; count < CHUNK; count++, bits += stride)
            t[count] = float_of_bits(bits <= last ? bits : last);
        function(t, e, CHUNK);
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

static void check(const char *name, exp_function function, double bound)
{
    float at = 0.0f;
    const double worst = worst_error(function, &at);
    print_message("exp_%s: largest error %.4f * 2^-23, at t = %a\n", name, worst, (double)at);
    assert_true(worst < bound);

    const float edges[16] = {0.0f,   -0.0f,     -87.33655f, -88.0f,  -104.0f, -1e4f, -1e30f,
                             -3e38f, -INFINITY, NAN,        -1e-30f, -0.5f,   -1.0f, -87.0f};
    float e[16];
    function(edges, e, 16);
    assert_true(e[0] == 1.0f && e[1] == 1.0f);
    for (int i = 2; i <= 8; i++)
        assert_true(e[i] == 0.0f);
    assert_true(isnan(e[9]));
    assert_true(e[10] == 1.0f);
}

/* Bounds from softmax.h: the hand-written levels use FMA, the others do not. */
static void test_exp__every_level__within_bound(void **state)
{
    (void)state;
    size_t skipped = 0;
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        const char *level = functions[i].level;
        const bool fused = strcmp(level, "avx2") == 0 || strcmp(level, "avx512") == 0;
        if (usable(level)) {
            check(level, functions[i].function, fused ? 0.65 : 0.83);
        } else {
            print_message("skipped: %s is not usable here\n", level);
            skipped++;
        }
    }
    if (skipped > 0)
        skip();
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "all") == 0)
        stride = 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exp__every_level__within_bound),
    };
    return cmocka_run_group_tests_name("exp", tests, NULL, NULL);
}
