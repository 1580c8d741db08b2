/* SPDX-License-Identifier: MIT
 *
 * The reported cause of a wait is one that the counters show. */
#include "cmocka_all.h"

#include "base/waited.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define UNKNOWN ((double)NAN)

static const char quota[] = "CPU quota", steal[] = "hypervisor", others[] = "other threads",
                  none[] = "no kernel counter";

static void test_waited__counters__name_the_cause(void **state)
{
    (void)state;
    static const struct {
        conditions passed;
        const char *causes[3];
    } cases[] = {
        {{.throttled_periods = 20.0, .throttled_s = 1.4, .involuntary_switches = 20.0}, {quota}},
        {{.throttled_periods = 20.0, .throttled_s = 1.4, .involuntary_switches = 60.0},
         {quota, others}},
        {{.steal_s = 1.5}, {steal}},
        {{.steal_s = 0.1, .involuntary_switches = 300.0}, {others}},
        {{.steal_s = UNKNOWN,
          .involuntary_switches = 300.0,
          .throttled_periods = UNKNOWN,
          .throttled_s = UNKNOWN},
         {others}},
        /* Too little to explain the wait, as is one switch per second. */
        {{.throttled_periods = 1.0, .throttled_s = 0.05, .involuntary_switches = 2.0}, {none}},
        {{0.0, 0.0, 0.0, 0.0, 0.0}, {none}},
        {{UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN}, {none}},
        {{.throttled_periods = 20.0,
          .throttled_s = 1.4,
          .involuntary_switches = 90.0,
          .steal_s = 1.0},
         {quota, steal, others}},
    };
    static const char *const every[] = {quota, steal, others, none};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[WAITED_TEXT];
        waited_cause(&cases[i].passed, 2.0, text);
        for (size_t k = 0; k < sizeof every / sizeof every[0]; k++) {
            bool expected = false;
            for (size_t c = 0; c < 3 && cases[i].causes[c] != NULL; c++)
                expected = expected || cases[i].causes[c] == every[k];
            if ((strstr(text, every[k]) != NULL) != expected)
                fail_msg("case %zu, %s: %s", i, every[k], text);
        }
        assert_true(strlen(text) < WAITED_TEXT - 1); /* not cut */
    }
}

static void test_waited__one_switch__singular(void **state)
{
    (void)state;
    char text[WAITED_TEXT];
    const conditions passed = {.involuntary_switches = 1.0};
    waited_cause(&passed, 0.01, text);
    assert_non_null(strstr(text, "(1 involuntary switch);"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waited__counters__name_the_cause),
        cmocka_unit_test(test_waited__one_switch__singular),
    };
    return cmocka_run_group_tests_name("waited", tests, NULL, NULL);
}
