/* SPDX-License-Identifier: MIT
 *
 * DOWNHILL_ISA, --isa and DOWNHILL_DISABLE: every ISA level and every feature in turn, on any CPU.
 * The features that a level needs are written out here, independently of the program. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "shell.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AVX2       " popcnt avx avx2 fma f16c "
#define AVX512     AVX2 "avx512f avx512bw avx512dq avx512vl "
#define AVX512VNNI AVX512 "avx512vnni "
#define AVX512BF16 AVX512VNNI "avx512bf16 "

static const struct {
    const char *name, *needs;
} levels[] = {
    {"scalar", ""},
    {"auto_avx2", AVX2},
    {"avx2", AVX2},
    {"avxvnni", AVX2 "avxvnni "},
    {"auto_avx512", AVX512},
    {"avx512", AVX512},
    {"avx512vnni", AVX512VNNI},
    {"avx512bf16", AVX512BF16},
    {"amx", AVX512BF16 "amx-tile amx-int8 amx-bf16 "},
};

static const char *const features[] = {"popcnt",   "avx",      "avx2",       "fma",
                                       "f16c",     "avxvnni",  "avx512f",    "avx512bw",
                                       "avx512dq", "avx512vl", "avx512vnni", "avx512bf16",
                                       "amx-tile", "amx-int8", "amx-bf16"};

enum {
    LEVELS = sizeof levels / sizeof levels[0],
    FEATURES = sizeof features / sizeof features[0],
};

/* Returns whether a list, which has a space on both sides of each word, contains a word. */
static bool list_has(const char *list, const char *word)
{
    char spaced[32];
    snprintf(spaced, sizeof spaced, " %s ", word);
    return strstr(list, spaced) != NULL;
}

/* Calls shell() with a formatted command. */
__attribute__((format(printf, 1, 2))) static int run(const char *format, ...)
{
    char command[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    return shell(command);
}

static bool flag(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_boolean(value));
    return json_is_true(value);
}

/* Output of `downhill info --json`. */
struct level_report {
    bool usable[LEVELS], chosen[LEVELS], cpu[FEATURES], disabled[FEATURES];
};

static struct level_report read_info(void)
{
    struct level_report report;
    json_t *root = parsed(shell_out);
    const json_t *machine = json_object_get(root, "machine");
    const json_t *list = json_object_get(machine, "levels"), *entry;
    size_t i;
    assert_int_equal(json_array_size(list), LEVELS);
    json_array_foreach(list, i, entry)
    {
        assert_string_equal(string(entry, "name"), levels[i].name);
        report.usable[i] = flag(entry, "usable");
        report.chosen[i] = flag(entry, "chosen");
    }
    list = json_object_get(machine, "features");
    assert_int_equal(json_array_size(list), FEATURES);
    json_array_foreach(list, i, entry)
    {
        assert_string_equal(string(entry, "name"), features[i]);
        report.cpu[i] = flag(entry, "cpu");
        report.disabled[i] = flag(entry, "disabled");
    }
    json_decref(root);
    return report;
}

/* Asserts that each unusable level has a reason, and that none is truncated. */
static void check_reasons(void)
{
    json_t *root = parsed(shell_out);
    const json_t *list = json_object_get(json_object_get(root, "machine"), "levels"), *entry;
    size_t i;
    json_array_foreach(list, i, entry)
    {
        const char *missing = string(entry, "missing");
        assert_int_equal(missing[0] == '\0', flag(entry, "usable"));
        assert_true(missing[0] == '\0' || missing[strlen(missing) - 1] == ')');
    }
    json_decref(root);
}

static bool is_auto(size_t level)
{
    return strncmp(levels[level].name, "auto_", 5) == 0;
}

/* Asserts that the usable levels are those of `before` that need no feature in `disabled`, and that
 * the highest hand-written one of them is chosen. */
static void check_disabled(const struct level_report *before, const char *disabled)
{
    const struct level_report now = read_info();
    size_t best = 0;
    for (size_t l = 0; l < LEVELS; l++) {
        bool usable = before->usable[l];
        for (size_t f = 0; f < FEATURES; f++)
            usable = usable &&
                     !(list_has(disabled, features[f]) && list_has(levels[l].needs, features[f]));
        assert_int_equal(now.usable[l], usable);
        if (usable && !is_auto(l))
            best = l;
    }
    for (size_t l = 0; l < LEVELS; l++)
        assert_int_equal(now.chosen[l], l == best);
    check_reasons();
    for (size_t f = 0; f < FEATURES; f++) {
        assert_int_equal(now.disabled[f], list_has(disabled, features[f]));
        assert_int_equal(now.cpu[f], before->cpu[f]);
    }
}

static struct level_report info_with_nothing_disabled(void)
{
    assert_int_equal(shell("$downhill info --json"), EXIT_OK);
    const struct level_report report = read_info();
    check_disabled(&report, "");
    assert_true(report.usable[0]);
    for (size_t l = 0; l < LEVELS; l++)
        for (size_t f = 0; f < FEATURES; f++)
            assert_false(report.usable[l] && list_has(levels[l].needs, features[f]) &&
                         !report.cpu[f]);
    return report;
}

static void test_disable__each_feature__levels_that_need_it_unusable(void **state)
{
    (void)state;
    const struct level_report before = info_with_nothing_disabled();
    for (size_t f = 0; f < FEATURES; f++) {
        char disabled[32];
        assert_int_equal(run("DOWNHILL_DISABLE=%s $downhill info --json", features[f]), EXIT_OK);
        snprintf(disabled, sizeof disabled, " %s ", features[f]);
        check_disabled(&before, disabled);
        /* An unusable level is refused with the reason, and no other is run instead. */
        for (size_t l = 0; l < LEVELS; l++)
            if (before.usable[l] && list_has(levels[l].needs, features[f])) {
                assert_int_equal(run("DOWNHILL_DISABLE=%s $downhill verify --case 1 --isa %s",
                                     features[f], levels[l].name),
                                 EXIT_ISA);
                snprintf(disabled, sizeof disabled, "%s (DOWNHILL_DISABLE)", features[f]);
                assert_non_null(strstr(shell_err, disabled));
                assert_string_equal(shell_out, "");
            }
    }
}

static void test_disable__lists__every_named_feature(void **state)
{
    (void)state;
    const struct level_report before = info_with_nothing_disabled();
    static const struct {
        const char *value, *disabled;
    } lists[] = {
        {"", ""},
        {" , ,", ""},
        {"amx-bf16,avx512bf16", " amx-bf16 avx512bf16 "},
        {" f16c , f16c,", " f16c "},
        {"amx-tile avxvnni,,fma", " amx-tile avxvnni fma "},
        {"popcnt,avx,avx2,fma,f16c,avxvnni,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,"
         "avx512bf16,amx-tile,amx-int8,amx-bf16",
         AVX512BF16 "avxvnni amx-tile amx-int8 amx-bf16 "},
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        assert_int_equal(run("DOWNHILL_DISABLE='%s' $downhill info --json", lists[i].value),
                         EXIT_OK);
        check_disabled(&before, lists[i].disabled);
    }
    static const char *const unknown[] = {"AVX2", "avx512", "sse2", "avx2;fma", "amx", "scalar"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        assert_int_equal(run("DOWNHILL_DISABLE='fma,%s' $downhill verify --case 1", unknown[i]),
                         EXIT_ISA);
        assert_non_null(strstr(shell_err, "no such feature; known: popcnt avx"));
        assert_string_equal(shell_out, "");
    }
}

/* A level named by the variable or by the option is run, or refused with EXIT_ISA. */
static void test_isa__each_level__run_or_refused(void **state)
{
    (void)state;
    const struct level_report before = info_with_nothing_disabled();
    for (size_t l = 0; l < LEVELS; l++) {
        const char *name = levels[l].name;
        const int code = before.usable[l] ? EXIT_OK : EXIT_ISA;
        assert_int_equal(run("DOWNHILL_ISA=%s $downhill info --json", name), code);
        if (before.usable[l]) {
            const struct level_report now = read_info();
            for (size_t other = 0; other < LEVELS; other++)
                assert_int_equal(now.chosen[other], other == l);
        }
        assert_int_equal(run("DOWNHILL_ISA=%s $downhill verify --case 1", name), code);
        assert_non_null(strstr(before.usable[l] ? shell_out : shell_err,
                               before.usable[l] ? "checks on 1 ISA level, 0 failed" : name));
        assert_int_equal(run("$downhill verify --case 1 --isa %s", name), code);
        assert_non_null(
            strstr(before.usable[l] ? shell_out : shell_err,
                   before.usable[l] ? "checks on 1 ISA level, 0 failed" : "not usable here: "));
        /* The option overrides the variable. */
        if (before.usable[l])
            assert_int_equal(run("DOWNHILL_ISA=amx $downhill verify --case 1 --isa %s", name),
                             EXIT_OK);
    }
    assert_int_equal(shell("DOWNHILL_ISA= $downhill info --json"), EXIT_OK);
    check_disabled(&before, "");
    assert_int_equal(shell("DOWNHILL_ISA=AVX2 $downhill info"), EXIT_ISA);
    assert_non_null(strstr(shell_err, "no such ISA level; known: scalar"));
}

/* Each level of a list runs once, the lowest first, whatever the order of the list. One unusable
 * level refuses the whole list. */
static void test_isa__lists__each_level_once(void **state)
{
    (void)state;
    const struct level_report before = info_with_nothing_disabled();
    for (size_t l = 0; l < LEVELS; l++) {
        const char *name = levels[l].name;
        const int code = before.usable[l] ? EXIT_OK : EXIT_ISA;
        assert_int_equal(run("$downhill verify --case 1 --isa %s,scalar,%s", name, name), code);
        if (before.usable[l])
            assert_non_null(strstr(shell_out, l > 0 ? "on 2 ISA levels" : "on 1 ISA level"));
        else
            assert_non_null(strstr(shell_err, "not usable here: "));
        assert_int_equal(
            run("$downhill bench --list --quick --filter ^hinge_f32 --isa %s,scalar", name), code);
    }
    assert_int_equal(
        shell("$downhill bench --list --quick --filter '^hinge_f32.*n:1/' --isa scalar"), EXIT_OK);
    char *scalar = strdup(shell_out);
    assert_int_equal(shell("$downhill bench --list --quick --filter '^hinge_f32.*n:1/'"
                           " --isa scalar,scalar"),
                     EXIT_OK);
    assert_string_equal(shell_out, scalar);
    free(scalar);
    assert_int_equal(shell("$downhill verify --case 1"), EXIT_OK);
    char *all = strdup(strstr(shell_out, "ISA level"));
    assert_int_equal(shell("$downhill verify --case 1 --isa scalar,all"), EXIT_OK);
    assert_int_equal(strncmp(strstr(shell_out, "ISA level"), all, 10), 0);
    free(all);
    static const char *const bad[] = {"scalar,", ",scalar", ",", "scalar,,scalar"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(run("$downhill verify --case 1 --isa %s", bad[i]), EXIT_ISA);
        assert_non_null(strstr(shell_err, "has an empty name"));
    }
    assert_int_equal(shell("$downhill verify --case 1 --isa scalar,SSE"), EXIT_ISA);
    assert_non_null(strstr(shell_err, "SSE: no such ISA level; known: scalar"));
    assert_null(strstr(shell_err, "did you mean"));
    static const struct {
        const char *option, *suggestion;
    } misspelt[] = {{"--isa avx3", "amx (did you mean avx2?)\n"},
                    {"--isa AVX2", "amx (did you mean avx2?)\n"},
                    {"--isa scalar,avx512_vnni", "amx (did you mean avx512vnni?)\n"}};
    for (size_t i = 0; i < sizeof misspelt / sizeof misspelt[0]; i++) {
        assert_int_equal(run("$downhill verify --case 1 %s", misspelt[i].option), EXIT_ISA);
        assert_non_null(strstr(shell_err, misspelt[i].suggestion));
    }
    assert_int_equal(shell("DOWNHILL_ISA=AVX2 $downhill verify --case 1"), EXIT_ISA);
    assert_non_null(strstr(shell_err, "DOWNHILL_ISA: AVX2: no such ISA level; known: scalar"));
    assert_non_null(strstr(shell_err, " (did you mean avx2?)\n"));
    assert_int_equal(shell("DOWNHILL_DISABLE=avx3 $downhill verify --case 1 --isa avx3"), EXIT_ISA);
    assert_null(strstr(shell_err, "did you mean"));
    /* The variable takes one level, because the library reads it, too. */
    assert_int_equal(shell("DOWNHILL_ISA=scalar,scalar $downhill verify --case 1"), EXIT_ISA);
    assert_non_null(strstr(shell_err, "DOWNHILL_ISA: scalar,scalar: no such ISA level"));
}

/* Some commands that read data can run several levels and accept a list. The others refuse a list
 * before they print anything. */
static void test_isa__commands_that_read_data__list_or_refused(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *command, *message;
    } cases[] = {
        {EXIT_OK, "train --epochs 1 --isa scalar,scalar --json -", "\"isa\": \"scalar\""},
        {EXIT_OK, "train --epochs 1 --isa scalar,scalar --model $scratch/m.npz", "model in "},
        {EXIT_USAGE, "train --isa scalar,avx2 --model $scratch/m.npz", "give one level"},
        {EXIT_USAGE, "train --isa scalar,all --model $scratch/m.npz", "give one level"},
        {EXIT_ISA, "train --isa scalar,no_such", "no such ISA level"},
        {EXIT_OK, "gradcheck --samples 5 --coordinates 5 --isa scalar,scalar", "scalar"},
        {EXIT_ISA, "gradcheck --isa no_such", "no such ISA level"},
        {EXIT_ISA, "gradcheck --isa scalar,no_such", "no such ISA level"},
        {EXIT_ISA, "landscape --isa no_such", "no such ISA level"},
        {EXIT_OK, "landscape --points 2 --isa scalar,scalar", "lowest"},
        {EXIT_USAGE, "landscape --isa scalar,avx2", "runs one level"},
        {EXIT_USAGE, "step-sweep --isa all", "runs one level"},
        {EXIT_USAGE, "predict --model $scratch/p.npz --isa scalar,avx2", "runs one level"},
        /* Refused before the data are read. */
        {EXIT_USAGE, "step-sweep --data npy:none,none --isa all", "runs one level"},
        {EXIT_ISA, "landscape --data npy:none,none --isa no_such", "no such ISA level"},
    };
    assert_int_equal(
        shell("cd $scratch && printf '0 1:1 2:3\\n1 1:2\\n%.0s' 1 2 3 4 5 6 7 8 9 10 >d.svm &&"
              " $downhill train --data libsvm:d.svm --epochs 1 --quiet --model p.npz"),
        EXIT_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const int code = run(strstr(cases[i].command, "--data") != NULL
                                 ? "$downhill %s"
                                 : "$downhill %s --data libsvm:$scratch/d.svm",
                             cases[i].command);
        const char *output = code == EXIT_OK ? shell_out : shell_err;
        if (code != cases[i].code || strstr(output, cases[i].message) == NULL ||
            (code != EXIT_OK && shell_out[0] != '\0'))
            fail_msg("%s: exit code %d: %s%s", cases[i].command, code, shell_out, shell_err);
    }
    shell("rm $scratch/d.svm $scratch/p.npz");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_disable__each_feature__levels_that_need_it_unusable),
        cmocka_unit_test(test_disable__lists__every_named_feature),
        cmocka_unit_test(test_isa__each_level__run_or_refused),
        cmocka_unit_test(test_isa__lists__each_level_once),
        cmocka_unit_test(test_isa__commands_that_read_data__list_or_refused),
    };
    return cmocka_run_group_tests_name("cli_levels", tests, shell_open, shell_close);
}
