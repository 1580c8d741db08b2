/* SPDX-License-Identifier: MIT
 *
 * Decimal numbers in data files: f32 bit for bit as strtof() gives, and exact integers. */
#include "cmocka_all.h"

#include "base/rng.h"
#include "data/decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Asserts that decimal_f32() returns the same bits as strtof(). */
static void check_f32(const char *text)
{
    const char *end;
    float value = 0.0f;
    const float expected = strtof(text, NULL);
    const decimal_fault fault = decimal_f32(text, &end, &value);
    assert_int_equal(fault, isfinite(expected) ? DECIMAL_GOOD : DECIMAL_NOT_FINITE);
    if (isfinite(expected) && memcmp(&value, &expected, sizeof expected) != 0)
        fail_msg("%s: %a, not %a", text, (double)value, (double)expected);
    assert_int_equal(*end, '\0');
}

static void test_decimal__f32__rounded_as_by_strtof(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0",
        "-0",
        "1",
        "0.1",
        "16777217",
        "16777219",
        "16777217.0000000000001",
        "33554435",
        "1.00000005960464477539062500",
        "1.00000005960464477539062501",
        "1.00000017881393432617187500",
        "1.000000178813934326171874999999",
        "3.4028235e38",
        "3.40282357e38",
        "3.4028236e38",
        "1.1754943508222875e-38",
        "1.17549429e-38",
        "7e-46",
        "7.1e-46",
        "1e-400",
        "0e999999999999999999999",
        "1e999999999999999999999",
        "1e-999999999999999999999",
        "000000000000000000000000000001.5",
        "0.00000000000000000000000000000000000000000000000000123e50",
        "123456789012345678901234567890",
        "9007199254740993",
        "9007199254740992e-10",
        "1e22",
        "1e23",
        "1e-22",
        "8388608.5",
        "8388609.5"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        check_f32(texts[i]);
    rng r = rng_seeded(5);
    char text[128];
    for (int i = 0; i < 200000; i++) {
        const uint64_t digits = rng_u64(&r) >> rng_below(&r, 64);
        snprintf(text, sizeof text, "%s%lluE%d", i % 2 == 0 ? "-" : "", (unsigned long long)digits,
                 (int)rng_between(&r, -60, 40));
        check_f32(text);
        const uint32_t bits = (uint32_t)rng_u64(&r);
        float value;
        memcpy(&value, &bits, sizeof value);
        snprintf(text, sizeof text, "%.*g", (int)rng_between(&r, 1, 40), (double)value);
        if (isfinite(value))
            check_f32(text);
        /* Midway between two f32, and slightly off. */
        if (isfinite(value) && fabsf(value) > 1e-30f) {
            const double half = ((double)value + (double)nextafterf(value, INFINITY)) / 2.0;
            snprintf(text, sizeof text, "%.60g", half);
            check_f32(text);
            snprintf(text, sizeof text, "%.16g", half);
            check_f32(text);
        }
    }
}

static void test_decimal__whole_numbers__exact_or_fault(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        decimal_fault fault;
        int64_t value;
    } cases[] = {
        {"0", DECIMAL_GOOD, 0},
        {"-0.0", DECIMAL_GOOD, 0},
        {"+12", DECIMAL_GOOD, 12},
        {"-1.500e1", DECIMAL_GOOD, -15},
        {"2000e-3", DECIMAL_GOOD, 2},
        {"9007199254740991", DECIMAL_GOOD, (INT64_C(1) << 53) - 1},
        {"-9007199254740991.000000000000", DECIMAL_GOOD, 1 - (INT64_C(1) << 53)},
        {"9007199254740992", DECIMAL_NOT_WHOLE, 0},
        {"9007199254740993", DECIMAL_NOT_WHOLE, 0},
        {"1e16", DECIMAL_NOT_WHOLE, 0},
        {"1e999999999999", DECIMAL_NOT_FINITE, 0},
        {"0.5", DECIMAL_NOT_WHOLE, 0},
        {"1.000000000000001", DECIMAL_NOT_WHOLE, 0},
        {"nan", DECIMAL_NOT_FINITE, 0},
        {"-inf", DECIMAL_NOT_FINITE, 0},
        {"", DECIMAL_MALFORMED, 0},
        {".", DECIMAL_MALFORMED, 0},
        {"e5", DECIMAL_MALFORMED, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *end;
        int64_t value;
        const decimal_fault fault = decimal_whole(cases[i].text, &end, &value);
        if (fault != cases[i].fault || (fault == DECIMAL_GOOD && value != cases[i].value))
            fail_msg("%s: fault %d, value %lld", cases[i].text, (int)fault, (long long)value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decimal__f32__rounded_as_by_strtof),
        cmocka_unit_test(test_decimal__whole_numbers__exact_or_fault),
    };
    return cmocka_run_group_tests_name("decimal", tests, NULL, NULL);
}
