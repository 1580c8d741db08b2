/* SPDX-License-Identifier: MIT
 *
 * Number of threads granted to a process with OMP_THREAD_LIMIT=5. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "parallel/team.h"
#include "parallel/together.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void test_most_granted__limited_to_5__the_power_of_two_below(void **state)
{
    (void)state;
    static const struct {
        size_t threads, granted;
    } cases[] = {{1, 1}, {2, 2}, {3, 3}, {5, 5}, {6, 4}, {8, 4}, {64, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char why[192] = "", want[64] = "";
        const size_t granted = team_supported() ? cases[i].granted : 1;
        assert_int_equal(together_most_granted(cases[i].threads, why, sizeof why), granted);
        if (team_supported() && granted < cases[i].threads)
            snprintf(want, sizeof want, "OpenMP is limited to 5 of %zu threads", cases[i].threads);
        else if (granted < cases[i].threads)
            snprintf(want, sizeof want, "this build has no OpenMP");
        assert_int_equal(why[0] != '\0', want[0] != '\0');
        assert_int_equal(strncmp(why, want, strlen(want)), 0);
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    const char *limit = getenv("OMP_THREAD_LIMIT");
    if (limit == NULL || strcmp(limit, "5") != 0) { /* OpenMP reads it before main() */
        setenv("OMP_THREAD_LIMIT", "5", 1);
        execv("/proc/self/exe", argv);
        perror("test_together: cannot restart itself");
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_most_granted__limited_to_5__the_power_of_two_below),
    };
    return cmocka_run_group_tests_name("together", tests, NULL, NULL);
}
