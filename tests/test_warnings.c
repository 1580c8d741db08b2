/* SPDX-License-Identifier: MIT
 *
 * Levels missing from a build cause a warning only if the compiler could not build them. */
#include "cmocka_all.h"

#include "base/machine.h"
#include "base/warnings.h"

#include <string.h>

static void test_level__missing__reported_unless_left_out_by_choice(void **state)
{
    (void)state;
    downhill_level level = {.name = "avx512", .kind = DOWNHILL_KIND_HAND, .cpu = 1, .os = 1};
    assert_true(warnings_level_is_missed(&level, "avx2;avx512;avx512vnni"));
    assert_true(warnings_level_is_missed(&level, "avx512"));
    assert_false(warnings_level_is_missed(&level, "avx2"));
    assert_false(warnings_level_is_missed(&level, "avx2;avx512vnni"));
    assert_false(warnings_level_is_missed(&level, "auto_avx512;avx512bf16"));
    level.cpu = 0;
    assert_false(warnings_level_is_missed(&level, "avx512"));
    level.cpu = level.compiled = 1;
    assert_false(warnings_level_is_missed(&level, "avx512"));
    level.compiled = 0;
    level.kind = DOWNHILL_KIND_AUTO;
    assert_false(warnings_level_is_missed(&level, "avx512"));
}

/* Every compiled level was requested by the build. */
static void test_build__compiled_levels__were_requested(void **state)
{
    (void)state;
    downhill_level level;
    for (size_t i = 0; downhill_level_at(i, &level) == DOWNHILL_OK; i++)
        if (level.kind == DOWNHILL_KIND_HAND && level.compiled)
            assert_non_null(strstr(machine_build_levels(), level.name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_level__missing__reported_unless_left_out_by_choice),
        cmocka_unit_test(test_build__compiled_levels__were_requested),
    };
    return cmocka_run_group_tests_name("warnings", tests, NULL, NULL);
}
