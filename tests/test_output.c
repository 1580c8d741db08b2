/* SPDX-License-Identifier: MIT
 *
 * Result files appear whole or not at all. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "base/machine.h"
#include "base/output.h"
#include "support.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static json_t *document(size_t numbers)
{
    json_t *list = json_array();
    for (size_t i = 0; i < numbers; i++)
        json_array_append_new(list, output_real((double)i * 0.1));
    json_t *root = json_object();
    output_set(root, "numbers", list);
    output_set(root, "infinite", output_real(INFINITY));
    return root;
}

static void test_output__file__reads_back(void **state)
{
    (void)state;
    const char *path = scratch_path("results.json");
    write_raw(path, "old", 3);
    assert_int_equal(output_json(path, document(1000)), EXIT_OK);
    json_error_t error;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(root);
    assert_int_equal(json_array_size(json_object_get(root, "numbers")), 1000);
    assert_true(json_is_null(json_object_get(root, "infinite")));
    json_decref(root);
    assert_int_equal(scratch_count(), 1);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    const mode_t mask = umask(0);
    umask(mask);
    assert_int_equal(info.st_mode & 0777, 0666 & ~mask);
    unlink(path);
}

/* A disk that fills up in the middle: the old file stays, the temporary one goes. */
static void test_output__no_room__old_file_stays(void **state)
{
    (void)state;
    const char *path = scratch_path("results.json");
    write_raw(path, "old", 3);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit small = {4096, before.rlim_max};
    capture_stderr();
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    const int code = output_json(path, document(10000));
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    const char *text = captured();
    assert_int_equal(code, EXIT_INTERNAL);
    assert_int_equal(count_of(text, '\n'), 1);
    assert_non_null(strstr(text, path));
    assert_int_equal(scratch_count(), 1);
    char *kept = read_text(path);
    assert_string_equal(kept, "old");
    free(kept);
    unlink(path);
}

static void test_output__check__says_what_is_wrong(void **state)
{
    (void)state;
    assert_int_equal(output_check("-"), EXIT_OK);
    assert_int_equal(output_check(scratch_path("new.json")), EXIT_OK);
    const char *const bad[] = {scratch_path(""), scratch_path("nowhere/x.json"), "/proc/x.json"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        capture_stderr();
        const int code = output_check(bad[i]);
        const char *text = captured();
        if (code != EXIT_USAGE || count_of(text, '\n') != 1 || strstr(text, bad[i]) == NULL)
            fail_msg("%s: exit code %d, said: %s", bad[i], code, text);
    }
    assert_int_equal(scratch_count(), 0);
}

static void test_machine__is_filled_in(void **state)
{
    (void)state;
    machine m;
    machine_read(&m);
    assert_true(m.cpu_name[0] != '\0' && m.kernel[0] != '\0' && m.allowed_cpus[0] != '\0');
    assert_true(m.pus >= 1 && m.cores >= 1 && m.cores <= m.pus && m.packages >= 1);
    assert_true(m.memory_bytes > (uint64_t)1 << 28);
    json_t *o = machine_to_json(&m);
    assert_true(json_array_size(json_object_get(o, "levels")) >= 5);
    assert_true(json_array_size(json_object_get(o, "features")) >= 14);
    assert_int_equal(json_string_length(json_object_get(o, "id")), 14);
    assert_non_null(strstr(json_string_value(json_object_get(o, "topology_xml")), "<topology"));
    json_decref(o);
    machine_close(&m);
    json_t *build = machine_build_to_json();
    assert_true(json_string_length(json_object_get(build, "compiler")) > 0);
    assert_non_null(json_object_get(json_object_get(build, "flags"), "scalar"));
    json_decref(build);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output__file__reads_back),
        cmocka_unit_test(test_output__no_room__old_file_stays),
        cmocka_unit_test(test_output__check__says_what_is_wrong),
        cmocka_unit_test(test_machine__is_filled_in),
    };
    return cmocka_run_group_tests_name("output", tests, scratch_open, scratch_close);
}
