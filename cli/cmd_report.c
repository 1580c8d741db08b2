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

/* Beside the program in a build tree (build/downhill, scripts/report) or an installation
 * (bin/downhill, libexec/downhill/scripts/report). */
static const char *const places[] = {"../scripts/report", "../../scripts/report",
                                     "../libexec/downhill/scripts/report"};

static int run(const cli_command *self, int argc, char **argv)
{
    (void)self, (void)argc;
    char program[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length < 0) {
        error_line("report: cannot find the program's own path: %s", strerror(errno));
        return EXIT_INTERNAL;
    }
    program[length] = '\0';
    *strrchr(program, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char *script = NULL;
        if (asprintf(&script, "%s/%s", program, places[i]) < 0)
            break;
        if (access(script, X_OK) == 0) {
            argv[0] = script;
            execv(script, argv);
            error_line("report: cannot run %s: %s; install python3", script, strerror(errno));
            free(script);
            return EXIT_INTERNAL;
        }
        free(script);
    }
    error_line("report: scripts/report is not beside %s; run it from the source tree", program);
    return EXIT_INTERNAL;
}

const cli_command cli_report = {.name = "report",
                                .operands = "RESULTS.json...",
                                .summary = "Draw an HTML and a Markdown report from results.",
                                .options = NULL,
                                .n_options = 0,
                                .run = run};
