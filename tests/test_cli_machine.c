/* SPDX-License-Identifier: MIT
 *
 * CPUs and threads available to the program, whatever the environment variables say. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "shell.h"
#include "support.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
    if (shell_open(state) != 0)
        return -1;
    assert_int_equal(shell("$downhill data gen --samples 600 --test-samples 200 --features 20 "
                           "--classes 4 -o $scratch/set"),
                     EXIT_OK);
    shell_out[strcspn(shell_out, "\n")] = '\0';
    setenv("set", shell_out, 1);
#ifdef UNBINDING
    setenv("unbinding", UNBINDING, 1);
#endif
    assert_int_equal(shell("$downhill train --data $set --epochs 1 --model $scratch/m.npz"),
                     EXIT_OK);
    return 0;
}

/* Runs a command with a variable assignment before it, or with none if `variable` is NULL. */
static int shell_with(const char *variable, const char *command)
{
    char line[512];
    snprintf(line, sizeof line, "%s %s", variable != NULL ? variable : "", command);
    return shell(line);
}

static unsigned count_cpus(void)
{
    assert_int_equal(shell("$downhill info --json"), EXIT_OK);
    json_t *root = parsed(shell_out);
    const unsigned count = (unsigned)number(json_object_get(root, "machine"), "pus");
    json_decref(root);
    return count;
}

/* Variables by which the OpenMP runtime of GCC or Clang binds the initial thread, or hwloc
 * describes another machine. */
static const char *const misleading[] = {
    "OMP_PROC_BIND=true",
    "OMP_PROC_BIND=close",
    "OMP_PROC_BIND=spread",
    "OMP_PROC_BIND=true OMP_PLACES=threads",
    "OMP_PLACES='{0}'",
    "GOMP_CPU_AFFINITY=0",
    "KMP_AFFINITY=compact",
    "KMP_HW_SUBSET=1c",
    "HWLOC_SYNTHETIC='core:64 pu:2'",
};

enum { N_MISLEADING = sizeof misleading / sizeof misleading[0] };

static void test_machine__misleading_variables__all_allowed_cpus(void **state)
{
    (void)state;
    static const char *const keys[] = {"cores", "pus", "packages", "numa_nodes"};
    assert_int_equal(shell("$downhill info --json"), EXIT_OK);
    json_t *plain = parsed(shell_out);
    const json_t *want = json_object_get(plain, "machine");
    for (size_t i = 0; i < N_MISLEADING; i++) {
        assert_int_equal(shell_with(misleading[i], "$downhill info --json"), EXIT_OK);
        json_t *root = parsed(shell_out);
        const json_t *m = json_object_get(root, "machine");
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
            if (number(m, keys[k]) != number(want, keys[k]))
                fail_msg("%s: %g %s instead of %g", misleading[i], number(m, keys[k]), keys[k],
                         number(want, keys[k]));
        assert_string_equal(string(m, "allowed_cpus"), string(want, "allowed_cpus"));
        json_decref(root);
        assert_int_equal(shell_with(misleading[i], "$downhill info"), EXIT_OK);
        assert_non_null(strstr(shell_out, "\nIgnored "));
    }
    json_decref(plain);
    assert_int_equal(shell("env -u OMP_NUM_THREADS OMP_WAIT_POLICY=passive $downhill info"),
                     EXIT_OK);
    assert_null(strstr(shell_out, "\nIgnored "));
}

static void test_machine__bound_from_outside__stays_bound(void **state)
{
    (void)state;
    if (shell("command -v taskset") != 0)
        fail_msg("taskset (util-linux) is not installed");
    assert_int_equal(shell("cpu=$(taskset -cp $$ | sed 's/.*[^0-9]//'); "
                           "OMP_PROC_BIND=true taskset -c $cpu $downhill info --json "
                           ">$scratch/bound.json; echo $cpu"),
                     EXIT_OK);
    shell_out[strcspn(shell_out, "\n")] = '\0';
    json_t *root = parsed_file("bound.json");
    const json_t *m = json_object_get(root, "machine");
    assert_int_equal((int)number(m, "pus"), 1);
    assert_string_equal(string(m, "allowed_cpus"), shell_out);
    json_decref(root);
}

/* If hwloc detects neither cores nor caches, or there is no /sys, nothing is printed about it and
 * all CPUs can be used. */
static void test_machine__hwloc_detects_little__threads_on_every_cpu(void **state)
{
    (void)state;
    static const char *const commands[] = {
        "HWLOC_COMPONENTS=no_os,stop $downhill train --data $set --epochs 1 --threads 2 --json -",
        "HWLOC_COMPONENTS=no_os,stop $downhill bench --list --threads 2",
    };
    if (count_cpus() < 2)
        return;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (shell(commands[i]) != EXIT_OK || strstr(shell_err, "hwloc") != NULL ||
            strstr(shell_err, "CPUs") != NULL)
            fail_msg("%s: %s", commands[i], shell_err);
    assert_non_null(strstr(shell_out, "/threads:2\n"));
    assert_int_equal(shell("HWLOC_COMPONENTS=no_os,stop $downhill bench --no-ceilings --shape "
                           "4x33x3 --isa scalar --filter ^hinge_f32 --quick --json -"),
                     EXIT_OK);
    json_decref(parsed(shell_out));
    if (shell("unshare -m true") != 0) {
        print_message("skipped: no mount namespace can be made here to try without /sys\n");
    } else {
        assert_int_equal(shell("unshare -m sh -c 'mount -t tmpfs none /sys && $downhill info'"),
                         EXIT_OK);
        assert_string_equal(shell_err, "");
    }
}

static void test_machine__misleading_variables__same_rows(void **state)
{
    (void)state;
    assert_int_equal(shell("$downhill bench --list"), EXIT_OK);
    char *rows = strdup(shell_out);
    for (size_t i = 0; i < N_MISLEADING; i++) {
        assert_int_equal(shell_with(misleading[i], "$downhill bench --list"), EXIT_OK);
        if (strcmp(shell_out, rows) != 0)
            fail_msg("%s: different rows", misleading[i]);
    }
    free(rows);
}

/* Two threads, or one on a machine with one CPU: the variables cause no warning about CPUs. */
static void test_machine__misleading_variables__train_without_warning(void **state)
{
    (void)state;
    const char *train = count_cpus() > 1
                            ? "$downhill train --data $set --epochs 1 --threads 2 --quiet"
                            : "$downhill train --data $set --epochs 1 --quiet";
    for (size_t i = 0; i < N_MISLEADING; i++) {
        assert_int_equal(shell_with(misleading[i], train), EXIT_OK);
        if (strstr(shell_err, "CPUs") != NULL)
            fail_msg("%s: %s", misleading[i], shell_err);
    }
}

static void test_machine__openmp_variables__threads_as_requested(void **state)
{
    (void)state;
    /* A stack of 16 KiB is too small for the kernels, and one of 100 GiB cannot be allocated. */
    static const char *const variables[] = {
        "OMP_DYNAMIC=true",       "OMP_MAX_ACTIVE_LEVELS=0", "OMP_NESTED=true",
        "OMP_STACKSIZE=16K",      "GOMP_STACKSIZE=16",       "KMP_STACKSIZE=100G",
        "OMP_STACKSIZE=100G",     "OMP_NUM_THREADS=1",       "OMP_WAIT_POLICY=passive",
        "OMP_DISPLAY_AFFINITY=1", "OMP_SCHEDULE=dynamic",
    };
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const int code =
            shell_with(variables[i], "$downhill train --data $set --threads 2 --epochs 1 --json -");
        if (code != EXIT_OK)
            fail_msg("%s: exit code %d: %s", variables[i], code, shell_err);
        json_decref(parsed(shell_out));
    }
}

static void test_machine__fewer_threads_granted__refused(void **state)
{
    (void)state;
    static const char *const commands[] = {
        "train --data $set",
        "gradcheck --data $set",
        "landscape --data $set --model $scratch/m.npz",
        "step-sweep --data $set --model $scratch/m.npz",
        "predict --data $set --model $scratch/m.npz",
    };
    char line[256];
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        snprintf(line, sizeof line, "OMP_THREAD_LIMIT=2 $downhill %s --threads 3", commands[i]);
        const int code = shell(line);
        if (code != EXIT_ENVIRONMENT || shell_out[0] != '\0' ||
            strstr(shell_err, "--threads: OpenMP is limited to 2 of 3 threads") == NULL ||
            strchr(shell_err, '\n')[1] != '\0')
            fail_msg("%s: exit code %d: %s%s", line, code, shell_out, shell_err);
        snprintf(line, sizeof line, "OMP_THREAD_LIMIT=2 $downhill %s --threads 2", commands[i]);
        if (shell(line) != EXIT_OK)
            fail_msg("%s: %s", line, shell_err);
    }
#ifndef DOWNHILL_INSTRUMENTED /* sanitizers map more memory than the limit */
    assert_int_equal(shell("ulimit -S -s 8192 && ulimit -v 1000000 && "
                           "$downhill train --data $set --threads 256"),
                     EXIT_ENVIRONMENT);
    assert_non_null(strstr(shell_err, "--threads: the system starts "));
    assert_non_null(strstr(shell_err, " of 256 threads: "));
#endif
}

static void test_machine__fewer_threads_granted__bench_skips_the_row(void **state)
{
    (void)state;
    if (count_cpus() < 2) {
        assert_int_equal(shell("$downhill bench --list"), EXIT_OK);
        assert_null(strstr(shell_out, "/threads:"));
        return;
    }
    assert_int_equal(
        shell("OMP_THREAD_LIMIT=1 DOWNHILL_ISA=scalar $downhill bench --shape 64x32x4 --quick "
              "--repetitions 2 --threads 2 --min-time 1ms --filter ^step_hinge_f32 --json "
              "$scratch/bench.json"),
        EXIT_OK);
    json_t *root = parsed_file("bench.json"), *row;
    size_t i, skipped = 0;
    json_array_foreach(json_object_get(root, "benchmarks"), i, row)
    {
        const bool several = strstr(string(row, "name"), "/threads:2") != NULL;
        const char *reason = json_string_value(json_object_get(row, "error_message"));
        assert_int_equal(several, reason != NULL);
        skipped += several;
        if (several)
            assert_non_null(strstr(reason, "skipped: OpenMP is limited to 1 of 2 threads"));
    }
    assert_true(skipped > 0);
    assert_int_equal(
        shell("OMP_THREAD_LIMIT=1 DOWNHILL_ISA=scalar $downhill bench --shape 64x32x4 --quick "
              "--repetitions 2 --threads 2 --min-time 1ms --filter ^step_hinge_f32.*threads:2 "
              "--no-ceilings"),
        EXIT_ENVIRONMENT);
    assert_non_null(strstr(shell_err, "no row could be timed: OpenMP is limited to 1 of 2"));
    assert_int_equal(json_array_size(json_object_get(json_object_get(root, "ceilings"), "threads")),
                     0);
    json_decref(root);
}

/* ---- warnings about times ---- */

#ifndef DOWNHILL_INSTRUMENTED /* commands take longer under a sanitizer */

/* Runs a command on one CPU beside a busy loop. */
static int shell_on_a_busy_cpu(const char *command)
{
    char line[1024];
    snprintf(line, sizeof line,
             "cpu=$(taskset -cp $$ | sed 's/.*[^0-9]//')\n"
             "taskset -c $cpu sh -c 'while :; do :; done' & spin=$!\n"
             "taskset -c $cpu %s; code=$?\n"
             "kill $spin; exit $code",
             command);
    return shell(line);
}

/* Trains for about a second. */
#define A_SECOND "$downhill train --data $set --epochs 60000 "

static void test_train__busy_cpu__warning_in_the_results(void **state)
{
    (void)state;
    assert_int_equal(shell_on_a_busy_cpu(A_SECOND "--quiet --json $scratch/times.json"), EXIT_OK);
    const char *message = strstr(shell_err, "downhill: warning: training with ");
    if (message == NULL || strstr(message, "other threads took its CPU") == NULL)
        fail_msg("%s", shell_err);
    assert_null(strstr(shell_err, "hardware thread"));
    json_t *root = parsed_file("times.json");
    assert_true(json_array_size(json_object_get(root, "warnings")) >= 1);
    json_decref(root);
}

static void test_commands__busy_cpu__warning_if_times_are_printed(void **state)
{
    (void)state;
    static const char *const commands[] = {
        A_SECOND ">$scratch/out",
        "$downhill landscape --data $set --directions 2 --points 450 >$scratch/out",
    };
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (shell_on_a_busy_cpu(commands[i]) != EXIT_OK ||
            strstr(shell_err, "so its times are too long: other threads took") == NULL)
            fail_msg("%s: %s", commands[i], shell_err);
}

static void test_train__busy_cpu__no_warning_without_times(void **state)
{
    (void)state;
    assert_int_equal(shell_on_a_busy_cpu(A_SECOND "--quiet --model $scratch/busy.npz"), EXIT_OK);
    assert_string_equal(shell_err, "");
}

/* A process that cannot bind its threads works, but warns if it reports times. */
static void test_commands__cannot_bind__warning_if_times_are_reported(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        bool times;
    } cases[] = {
        {"train --data $set --epochs 1", true},
        {"train --data $set --epochs 1 --quiet", false},
        {"train --data $set --epochs 1 --quiet --json $scratch/t.json", true},
        {"train --data $set --epochs 1 --json $scratch/t.json", true},
        {"train --data $set --epochs 1 --isa all", true},
        {"predict --data $set --model $scratch/m.npz --json $scratch/p.json", false},
        {"gradcheck --data $set --isa all", false},
        {"step-sweep --data $set", false},
        {"landscape --three-points", false},
        {"landscape --data $set --model $scratch/m.npz", true},
        {"landscape --data $set --model $scratch/m.npz --quiet", false},
        {"landscape --data $set --model $scratch/m.npz --json $scratch/l.json", true},
    };
    char line[256];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(line, sizeof line, "LD_PRELOAD=$unbinding $downhill %s >$scratch/out",
                 cases[i].command);
        if (shell(line) != EXIT_OK || (shell_err[0] != '\0') != cases[i].times ||
            (strstr(shell_err, "could not be pinned") != NULL) != cases[i].times)
            fail_msg("%s: %s", cases[i].command, shell_err);
    }
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_machine__misleading_variables__all_allowed_cpus),
        cmocka_unit_test(test_machine__bound_from_outside__stays_bound),
        cmocka_unit_test(test_machine__hwloc_detects_little__threads_on_every_cpu),
        cmocka_unit_test(test_machine__misleading_variables__same_rows),
        cmocka_unit_test(test_machine__misleading_variables__train_without_warning),
        cmocka_unit_test(test_machine__openmp_variables__threads_as_requested),
        cmocka_unit_test(test_machine__fewer_threads_granted__refused),
        cmocka_unit_test(test_machine__fewer_threads_granted__bench_skips_the_row),
#ifndef DOWNHILL_INSTRUMENTED
        cmocka_unit_test(test_train__busy_cpu__warning_in_the_results),
        cmocka_unit_test(test_commands__busy_cpu__warning_if_times_are_printed),
        cmocka_unit_test(test_train__busy_cpu__no_warning_without_times),
        cmocka_unit_test(test_commands__cannot_bind__warning_if_times_are_reported),
#endif
    };
    return cmocka_run_group_tests_name("cli_machine", tests, setup, shell_close);
}
