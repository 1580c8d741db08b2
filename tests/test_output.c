/* SPDX-License-Identifier: MIT
 *
 * Result files are written completely or not at all. */
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

#define OLD "{\"schema_version\": 1, \"findings\": []}"

static json_t *document(size_t numbers)
{
    json_t *list = json_array();
    for (size_t i = 0; i < numbers; i++)
        json_array_append_new(list, output_real((double)i * 0.1));
    json_t *root = json_object();
    output_set(root, "schema_version", json_integer(OUTPUT_SCHEMA_VERSION));
    output_set(root, "findings", json_array());
    output_set(root, "numbers", list);
    output_set(root, "infinite", output_real(INFINITY));
    return root;
}

static void test_output__json__reads_back(void **state)
{
    (void)state;
    const char *path = scratch_path("results.json");
    write_raw(path, OLD, strlen(OLD));
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

/* The disk fills up during the write: the old file is kept, the temporary file is removed. */
static void test_output__disk_full__old_file_kept(void **state)
{
    (void)state;
    const char *path = scratch_path("results.json");
    write_raw(path, OLD, strlen(OLD));
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
    assert_string_equal(kept, OLD);
    free(kept);
    unlink(path);
}

static void test_output_check__bad_path__usage_error(void **state)
{
    (void)state;
    assert_int_equal(output_check("-", OUTPUT_FINDINGS), EXIT_OK);
    assert_int_equal(output_check(scratch_path("new.json"), OUTPUT_FINDINGS), EXIT_OK);
    const char *const bad[] = {scratch_path(""), scratch_path("nowhere/x.json"),
                               scratch_path("absent/"), "/proc/x.json"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        capture_stderr();
        const int code = output_check(bad[i], OUTPUT_FINDINGS);
        const char *text = captured();
        if (code != EXIT_USAGE || count_of(text, '\n') != 1 || strstr(text, bad[i]) == NULL)
            fail_msg("%s: exit code %d, stderr: %s", bad[i], code, text);
    }
    assert_int_equal(scratch_count(), 0);
}

/* A symbolic link is followed whether or not its target exists, and output_check() checks the
 * target. */
static void test_output__dangling_link__followed(void **state)
{
    (void)state;
    const char *const link = scratch_path("link"), *const other = scratch_path("other"),
                      *const path = scratch_path("results.json");
    struct stat info;
    assert_int_equal(symlink("other", link), 0);
    assert_int_equal(symlink(path, other), 0);
    assert_int_equal(output_check(link, OUTPUT_FINDINGS), EXIT_OK);
    assert_int_equal(scratch_count(), 2);
    for (int pass = 0; pass < 2; pass++)
        assert_int_equal(output_json(link, document(1)), EXIT_OK);
    assert_true(lstat(link, &info) == 0 && S_ISLNK(info.st_mode));
    assert_true(lstat(other, &info) == 0 && S_ISLNK(info.st_mode));
    assert_true(lstat(path, &info) == 0 && S_ISREG(info.st_mode));
    unlink(path);
    unlink(other);
    static const char *const nowhere[] = {"nowhere/x.json", "absent/"};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(unlink(link), 0);
        assert_int_equal(symlink(nowhere[i], link), 0);
        capture_stderr();
        assert_int_equal(output_check(link, OUTPUT_FINDINGS), EXIT_USAGE);
        assert_non_null(strstr(captured(), link));
    }
    unlink(link);
    assert_int_equal(scratch_count(), 0);
}

/* Two names of one file, which may or may not exist. */
static void test_output_is_same__two_names_of_one_file__true(void **state)
{
    (void)state;
    char other_way[4096];
    const char *const path = scratch_path("file"), *const link = scratch_path("link"),
                      *const other = scratch_path("other");
    snprintf(other_way, sizeof other_way, "%s", scratch_path("./file"));
    assert_int_equal(symlink("file", link), 0);
    for (int pass = 0; pass < 2; pass++) {
        assert_true(output_is_same(path, path));
        assert_true(output_is_same(path, other_way));
        assert_true(output_is_same(link, other_way));
        assert_false(output_is_same(path, other));
        assert_false(output_is_same(other, link));
        assert_false(output_is_same(path, NULL));
        assert_false(output_is_same("-", "-"));
        assert_false(output_is_same("/dev/null", "/dev/null"));
        assert_false(output_is_same(scratch_path("nowhere/file"), path));
        write_raw(path, OLD, strlen(OLD));
    }
    unlink(path);
    unlink(link);
}

static const struct {
    const char *text;
    size_t length;
    output_kind kind; /* OUTPUT_NONE: not written by this program */
    const char *description;
} contents[] = {
#define TEXT(text) (text), sizeof(text) - 1
    {TEXT(OLD), OUTPUT_FINDINGS, "findings of downhill doctor"},
    {TEXT("\n {\"schema_version\": 1, \"findings\": []}"), OUTPUT_NONE, "text of another kind"},
    {TEXT("{\"schema_version\": 1, \"benchmarks\": [], \"ceilings\": {}}"), OUTPUT_BENCH,
     "results of downhill bench"},
    {TEXT("{\"schema_version\": 1, \"ceilings\": {}}"), OUTPUT_CEILINGS, "ceilings of downhill"},
    {TEXT("{\"schema_version\": 1, \"report\": true, \"benchmarks\": []}"), OUTPUT_REPORT,
     "results of downhill report"},
    {TEXT("{\"benchmarks\": []}"), OUTPUT_NONE, "JSON that downhill did not write"},
    {TEXT("{\"schema_version\": 1, \"benchmarks\": ["), OUTPUT_NONE,
     "JSON that downhill did not write"},
    {TEXT("distance_1,loss_at_distance\n1,2\n"), OUTPUT_LANDSCAPE_CSV,
     "a table of downhill landscape"},
    {TEXT("distance_1,loss_at_distance,more\n1,2\n"), OUTPUT_NONE, "text of another kind"},
    {TEXT("step_size,loss_after_step\n"), OUTPUT_STEP_SWEEP_CSV, "a table of downhill step-sweep"},
    /* Other programs write logs with such columns. */
    {TEXT("step,loss\n1,2.3\n"), OUTPUT_NONE, "text of another kind"},
    {TEXT("a,loss\n1,2\n"), OUTPUT_NONE, "text of another kind"},
    {TEXT("a,b,loss\n1,2,3\n"), OUTPUT_NONE, "text of another kind"},
    {TEXT("w0,loss_0,loss_1\n"), OUTPUT_NONE, "text of another kind"},
    {TEXT("sample,test,score\n"), OUTPUT_NONE, "text of another kind"},
    {TEXT("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), OUTPUT_NONE,
     "an archive that is not a complete model"},
    {TEXT("\x93NUMPY\1\0"), OUTPUT_NONE, "NumPy data"},
    {TEXT("\x89PNG\r\n"), OUTPUT_NONE, "a picture"},
    {TEXT("\0\0\x08\1"), OUTPUT_NONE, "IDX data"},
    {TEXT("\1\2\3"), OUTPUT_NONE, "data that downhill does not know"},
#undef TEXT
};

static void test_output_may_replace__every_kind__only_its_own(void **state)
{
    (void)state;
    const char *path = scratch_path("x");
    char why[OUTPUT_WHY_MAX];
    assert_int_equal(output_may_replace(path, OUTPUT_NEW, why), EXIT_OK);
    write_raw(path, "", 0);
    for (int kind = 0; kind < OUTPUT_KIND_COUNT; kind++)
        assert_int_equal(output_may_replace(path, (output_kind)kind, why), EXIT_OK);
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        write_raw(path, contents[i].text, contents[i].length);
        for (int kind = 0; kind < OUTPUT_KIND_COUNT; kind++) {
            const bool own = kind == (int)contents[i].kind && kind != OUTPUT_NONE;
            const int code = output_may_replace(path, (output_kind)kind, why);
            if (code != (own ? EXIT_OK : EXIT_USAGE) ||
                (!own && kind != OUTPUT_NEW && strstr(why, contents[i].description) == NULL))
                fail_msg("%s over %s: %d, %s", contents[i].description, contents[i].text, code,
                         why);
        }
    }
    unlink(path);
}

/* Another program creates the file after output_check(): both files are kept, or nothing is written
 * if this program chose the name. */
static void test_output__another_kind_appears_meanwhile__kept(void **state)
{
    (void)state;
    const char *path = scratch_path("results.json");
    assert_int_equal(output_check(path, OUTPUT_FINDINGS), EXIT_OK);
    write_raw(path, "mine", 4);
    capture_stderr();
    const int code = output_json(path, document(10));
    const char *text = captured(), *aside = strstr(text, " are in ");
    assert_int_equal(code, EXIT_INTERNAL);
    assert_int_equal(count_of(text, '\n'), 1);
    assert_non_null(aside);
    char new_path[4096];
    assert_int_equal(sscanf(aside, " are in %4095s", new_path), 1);
    json_error_t error;
    json_t *root = json_load_file(new_path, 0, &error);
    assert_non_null(root);
    json_decref(root);
    unlink(new_path);
    output_pending p;
    assert_int_equal(output_begin(path, OUTPUT_NEW, &p), EXIT_OK);
    capture_stderr();
    assert_int_equal(output_commit(&p), EXIT_INTERNAL);
    assert_non_null(strstr(captured(), "nothing was written"));
    assert_int_equal(scratch_count(), 1);
    char *kept = read_text(path);
    assert_string_equal(kept, "mine");
    free(kept);
    unlink(path);
}

static void test_machine__read__filled_in(void **state)
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
        cmocka_unit_test(test_output__json__reads_back),
        cmocka_unit_test(test_output__disk_full__old_file_kept),
        cmocka_unit_test(test_output_check__bad_path__usage_error),
        cmocka_unit_test(test_output__dangling_link__followed),
        cmocka_unit_test(test_output_is_same__two_names_of_one_file__true),
        cmocka_unit_test(test_output_may_replace__every_kind__only_its_own),
        cmocka_unit_test(test_output__another_kind_appears_meanwhile__kept),
        cmocka_unit_test(test_machine__read__filled_in),
    };
    return cmocka_run_group_tests_name("output", tests, scratch_open, scratch_close);
}
