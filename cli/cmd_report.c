/* SPDX-License-Identifier: MIT
 *
 * downhill report: hands over to the Python script that draws it. */
#define _GNU_SOURCE
#include "base/error.h"
#include "options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Seen from an installed program (bin/downhill, libexec/downhill/scripts/report); the source tree
 * that the program was built from, for one that is not installed. */
#define INSTALLED "../libexec/downhill/scripts/report"
#define IN_SOURCE DOWNHILL_SOURCE_DIR "/scripts/report"

/* Sets *script to the path of the script; to be freed. Returns an exit code. */
static int find_script(char **script)
{
    char program[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length < 0) {
        error_line("report: cannot find the program's own path: %s", strerror(errno));
        return EXIT_INTERNAL;
    }
    program[length] = '\0';
    *strrchr(program, '/') = '\0';
    if (asprintf(script, "%s/" INSTALLED, program) < 0) {
        error_line("report: out of memory");
        return EXIT_INTERNAL;
    }
    if (access(*script, X_OK) == 0)
        return EXIT_OK;
    free(*script);
    *script = strdup(IN_SOURCE);
    if (*script != NULL && access(*script, X_OK) == 0)
        return EXIT_OK;
    free(*script);
    error_line("report: neither %s/" INSTALLED " nor " IN_SOURCE " is there; install downhill, or "
               "run scripts/report of the source tree",
               program);
    return EXIT_ENVIRONMENT;
}

static int run(const cli_command *self, int argc, char **argv)
{
    (void)self, (void)argc;
    char *script = NULL;
    const int code = find_script(&script);
    if (code != EXIT_OK)
        return code;
    argv[0] = script;
    execv(script, argv);
    error_line("report: cannot run %s: %s; install python3", script, strerror(errno));
    free(script);
    return EXIT_ENVIRONMENT;
}

const cli_command cli_report = {.name = "report",
                                .operands = "RESULTS.json...",
                                .summary = "Draw an HTML and a Markdown report from results.",
                                .options = NULL,
                                .n_options = 0,
                                .run = run};
