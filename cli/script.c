/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "script.h"

#include "base/error.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Folder of the scripts: relative to an installed program (bin/downhill,
 * libexec/downhill/scripts/…), or in the source tree that the program was built from. */
#define INSTALLED "../libexec/downhill/scripts"
#define IN_SOURCE DOWNHILL_SOURCE_DIR "/scripts"

/* Sets *script to the path of the script, to be freed. Returns an exit code. */
static int find_script(const char *name, char **script)
{
    char program[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length < 0) {
        error_line("%s: cannot find the program's own path: %s", name, strerror(errno));
        return EXIT_INTERNAL;
    }
    program[length] = '\0';
    *strrchr(program, '/') = '\0';
    if (asprintf(script, "%s/" INSTALLED "/%s", program, name) < 0) {
        error_line("%s: out of memory", name);
        return EXIT_INTERNAL;
    }
    if (access(*script, X_OK) == 0)
        return EXIT_OK;
    free(*script);
    if (asprintf(script, IN_SOURCE "/%s", name) >= 0) {
        if (access(*script, X_OK) == 0)
            return EXIT_OK;
        free(*script);
    }
    error_line("%s: neither %s/" INSTALLED "/%s nor " IN_SOURCE
               "/%s exists; install downhill, or run scripts/%s of the source tree",
               name, program, name, name, name);
    return EXIT_ENVIRONMENT;
}

/* Blocks SIGINT and SIGTERM: while Python starts, SIGINT would cause a traceback. The script
 * unblocks both (scripts/downhill_report/ending.py). */
static void block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

int script_run(const char *name, char **argv)
{
    char *script = NULL;
    const int code = find_script(name, &script);
    if (code != EXIT_OK)
        return code;
    argv[0] = script;
    /* For a script that runs the program. */
    char program[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = '\0';
    setenv("DOWNHILL_PROGRAM", program, 1);
    block_signals();
    execv(script, argv);
    error_line("%s: cannot run %s: %s; install python3", name, script, strerror(errno));
    free(script);
    return EXIT_ENVIRONMENT;
}
