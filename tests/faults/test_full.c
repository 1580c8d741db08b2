/* SPDX-License-Identifier: MIT
 *
 * Standard output is closed or on a full disk; result files are on a full disk. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "jobs.h"
#include "shell.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Checks for EXIT_INTERNAL and one line, other than a warning, that contains `message`. */
static void check_refused(const char *command, int code, const char *message)
{
    size_t errors = 0;
    for (const char *line = shell_err; (line = strstr(line, "downhill: ")) != NULL; line++)
        errors += strncmp(line, "downhill: warning: ", 19) != 0;
    if (code != EXIT_INTERNAL || errors != 1 || strstr(shell_err, message) == NULL)
        fail_msg("%s: exit code %d\nstderr: %s", command, code, shell_err);
}

static void check_redirected(const char *command, const char *redirection, const char *message)
{
    char *line; /* data gen would not replace earlier files */
    assert_true(asprintf(&line, "rm -f $scratch/o*; $downhill %s %s", command, redirection) > 0);
    check_refused(line, shell(line), message);
    free(line);
}

static void check_stdout(const char *command)
{
    check_redirected(command, ">/dev/full",
                     "standard output: cannot write: No space left on device; free some space or ");
    check_redirected(command, ">&-",
                     "standard output: cannot write: Bad file descriptor; write to another place");
}

static void test_stdout__full_or_closed__each_command_reports_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_jobs; i++)
        if (strstr(jobs[i].command, "--quiet") == NULL)
            check_stdout(jobs[i].command);
}

static void test_stdout__full_or_closed__help_and_lists_report_it(void **state)
{
    (void)state;
    static const char *const commands[] = {"--help",
                                           "--version",
                                           "help train",
                                           "bench --formulas",
                                           "info",
                                           "landscape --three-points",
                                           "data check --data $data --json -",
                                           "train --data $data --epochs 1 --json -"};
    static const char *const names[] = {
        "info",      "doctor",    "verify",     "bench",    "compare",   "ab",
        "lockstep",  "gallery",   "report",     "train",    "predict",   "plot",
        "gradcheck", "landscape", "step-sweep", "data gen", "data check"};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        check_stdout(commands[i]);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *help;
        assert_true(asprintf(&help, "%s --help", names[i]) > 0);
        check_stdout(help);
        free(help);
    }
}

#define BENCH                                                                                      \
    "bench --quick --filter '^update_f32/scalar/' --shape 8x16x4 --repetitions 2 --precision 0 "   \
    "--min-time 1ms --no-ceilings --threads 1 "

static void test_file__full__each_option_reports_it(void **state)
{
    (void)state;
    static const char *const commands[] = {
        "train --data $data --epochs 1 --quiet --json /dev/full",
        "predict --data $data --model $scratch/m.npz --quiet --json /dev/full",
        "predict --data $data --model $scratch/m.npz --quiet --csv /dev/full",
        "gradcheck --data $data --samples 5 --coordinates 4 --quiet --json /dev/full",
        "landscape --data $data --points 3 --quiet --json /dev/full",
        "landscape --data $data --points 3 --quiet --csv /dev/full",
        "step-sweep --data $data --points 2 --quiet --json /dev/full",
        "step-sweep --data $data --points 2 --quiet --csv /dev/full",
        "data check --data $data --quiet --json /dev/full",
        "data gen --samples 5 --test-samples 0 --quiet -o $scratch/o --json /dev/full",
        BENCH "--json /dev/full",
    };
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        check_redirected(commands[i], "",
                         "/dev/full: cannot write: No space left on device; free some space or ");
    /* Outputs that are of use only in a regular file. */
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(shell(i == 0 ? "$downhill train --data $data --checkpoint /dev/full"
                                      : "$downhill train --data $data --model /dev/full"),
                         EXIT_USAGE);
        assert_int_equal(count_of(shell_err, '\n'), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stdout__full_or_closed__each_command_reports_it),
        cmocka_unit_test(test_stdout__full_or_closed__help_and_lists_report_it),
        cmocka_unit_test(test_file__full__each_option_reports_it),
    };
    return cmocka_run_group_tests_name("full", tests, jobs_open, jobs_close);
}
