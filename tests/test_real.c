/* SPDX-License-Identifier: MIT
 *
 * Real numbers as text: printed as the user gave them, and read back as the same number. */
#include "cmocka_all.h"

#include "base/real.h"
#include "base/rng.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void test_real__decimals_of_six_digits__printed_as_given(void **state)
{
    (void)state;
    static const char *const texts[] = {"0",           "0.3",  "0.1",    "0.02",  "0.0001",
                                        "1e-05",       "100",  "123456", "1e+20", "0.123456",
                                        "3.40282e+38", "-2.5", "1.5e-37"};
    char text[REAL_TEXT];
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_string_equal(real_f32(strtof(texts[i], NULL), text), texts[i]);
        assert_true(real_of_f32(strtof(texts[i], NULL)) == strtod(texts[i], NULL));
        assert_string_equal(real_f64(strtod(texts[i], NULL), text), texts[i]);
    }
}

static void test_real__any_bits__read_back_the_same(void **state)
{
    (void)state;
    rng r = rng_seeded(1);
    char text[REAL_TEXT];
    for (int i = 0; i < 100000; i++) {
        const uint64_t bits = rng_u64(&r);
        float f;
        double d;
        memcpy(&f, &bits, sizeof f);
        memcpy(&d, &bits, sizeof d);
        if (isfinite(f))
            assert_true(strtof(real_f32(f, text), NULL) == f);
        if (isfinite(d))
            assert_true(strtod(real_f64(d, text), NULL) == d);
    }
}

static void test_real__not_finite__words(void **state)
{
    (void)state;
    char text[REAL_FIXED_TEXT];
    assert_string_equal(real_fixed(2.0, 4, text), "2.0000");
    assert_string_equal(real_fixed((double)NAN, 4, text), "not a number");
    assert_string_equal(real_fixed((double)INFINITY, 4, text), "infinite");
    assert_string_equal(real_fixed(-(double)INFINITY, 4, text), "minus infinite");
    assert_string_equal(real_fixed(999999.25, 4, text), "999999.2500");
    assert_string_equal(real_fixed(12345678.9, 4, text), "1.23457e+07");
    assert_string_equal(real_fixed(-DBL_MAX, 20, text), "-1.79769e+308");
}

/* Text in a string that looks like a number is not changed. */
static void test_real__json__same_document_with_short_numbers(void **state)
{
    (void)state;
    json_t *root = json_pack("{s:f, s:f, s:f, s:i, s:s, s:[f, f], s:n, s:b}", "reg", 0.3, "one",
                             1.0, "far", 1e300, "count", -7, "text\"0.10000000000000001", "\\\"0.3",
                             "losses", 1.0 / 3.0, -0.0001, "none", "yes", 1);
    assert_non_null(root);
    char *text = real_json(root);
    assert_non_null(text);
    assert_non_null(strstr(text, "\"reg\": 0.3,"));
    assert_non_null(strstr(text, "\"one\": 1.0,"));
    assert_non_null(strstr(text, "\"text\\\"0.10000000000000001\": \"\\\\\\\"0.3\""));
    json_error_t error;
    json_t *again = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (again == NULL)
        fail_msg("line %d: %s\n%s", error.line, error.text, text);
    assert_true(json_equal(again, root));
    free(text);
    json_decref(again);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real__decimals_of_six_digits__printed_as_given),
        cmocka_unit_test(test_real__any_bits__read_back_the_same),
        cmocka_unit_test(test_real__not_finite__words),
        cmocka_unit_test(test_real__json__same_document_with_short_numbers),
    };
    return cmocka_run_group_tests_name("real", tests, NULL, NULL);
}
