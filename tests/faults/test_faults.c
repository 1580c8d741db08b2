/* SPDX-License-Identifier: MIT
 *
 * Every call of a command fails in turn: the command reports it and leaves no incomplete file. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "jobs.h"
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Calls that may fail without harm. The result is compared with one without faults. */
static const struct {
    const char *kind, *function, *path;
} may_fail[] = {
    /* The description of the machine's topology is optional. */
    {"memory", "strdup", ""},
    /* A check of the data is skipped with a warning. */
    {"memory", "calloc", ""},
    /* The digest by which several processes compare their data; a single process needs none. */
    {"memory", "EVP_MD_CTX_new", ""},
    /* A file that cannot be examined counts as absent; creating it then reports the error. */
    {"io", "stat", ""},
    /* An unreadable link is ignored when two names are compared; creating the file follows it
     * again. */
    {"io", "readlink", "/tmp/"},
    /* A standard stream that cannot be examined counts as another file. */
    {"io", "fstat", "/dev/null"},
    /* Without /proc or O_TMPFILE, a new file has a name from the start. */
    {"io", "access", "/proc/self/fd"},
    {"io", "open(O_TMPFILE)", ""},
    /* A directory that cannot be synced. */
    {"io", "open(O_DIRECTORY)", "/tmp/"},
    {"io", "fsync", "/tmp/"},
    /* Written data is on disk already, and reading is finished. */
    {"io", "fclose", ""},
    /* Facts about the machine are optional. */
    {"io", "fopen", "/proc/"},
    {"io", "fopen", "/sys/"},
    {"io", "fgets", "/proc/"},
    {"io", "fgets", "/sys/"},
    {"io", "fread", "/proc/"},
    {"io", "fread", "/sys/"},
    {"io", "fread", "/."},
    {"io", "readlink", "/sys/"},
};

static bool may_go_on(const char *kind, const outcome *o)
{
    for (size_t i = 0; i < sizeof may_fail / sizeof may_fail[0]; i++)
        if (strcmp(kind, may_fail[i].kind) == 0 && strcmp(o->function, may_fail[i].function) == 0 &&
            strncmp(o->path, may_fail[i].path, strlen(may_fail[i].path)) == 0)
            return true;
    return false;
}

static bool is_documented(int code)
{
    return code == EXIT_USAGE || code == EXIT_DATA || code == EXIT_ENVIRONMENT ||
           code == EXIT_INTERNAL;
}

/* Returns whether some line, other than a warning, is "downhill: WHAT: WHY" with the right
 * reason. */
static bool gives_reason(const char *kind, const char *err)
{
    static const char prefix[] = "downhill: ", warning[] = "downhill: warning: ";
    for (const char *line = err; line != NULL && *line != '\0';
         line = strchr(line, '\n') != NULL ? strchr(line, '\n') + 1 : NULL) {
        char text[4096];
        snprintf(text, sizeof text, "%.*s", (int)strcspn(line, "\n"), line);
        if (strncmp(text, prefix, strlen(prefix)) != 0 ||
            strncmp(text, warning, strlen(warning)) == 0 ||
            strstr(text + strlen(prefix), ": ") == NULL)
            continue;
        if (strcmp(kind, "memory") == 0
                ? strstr(text, "memory") != NULL
                : strstr(text, strerror(EIO)) != NULL || strstr(text, strerror(ENOSPC)) != NULL)
            return true;
    }
    return false;
}

static void check_success(const job *j, const char *kind, const outcome *o, size_t lines,
                          const char *context)
{
    /* Results for --json are built even if no option writes them. */
    const bool unused = strstr(j->command, "json") == NULL && strcmp(o->function, "malloc") == 0;
    if (!unused && !may_go_on(kind, o))
        fail_msg("%s: exit code 0, but this call must not fail unnoticed", context);
    if (strcmp(o->function, "calloc") == 0 && strstr(o->err, "memory") == NULL)
        fail_msg("%s: no warning", context);
    if (count_of(o->out, '\n') != lines)
        fail_msg("%s: exit code 0, but it printed:\n%s", context, o->out);
    for (size_t i = 0; i < OUTPUTS_MAX && j->outputs[i] != NULL; i++)
        job_check(j, i, strcmp(kind, "io") == 0 ? WHOLE_BUT_MACHINE : WHOLE, context);
}

static void check_failure(const job *j, const char *kind, const outcome *o, const char *context)
{
    if (!is_documented(o->code) || (strcmp(kind, "memory") == 0 && o->code != EXIT_INTERNAL))
        fail_msg("%s: exit code %d\n%s", context, o->code, o->err);
    if (!gives_reason(kind, o->err))
        fail_msg("%s: it does not give the reason:\n%s", context, o->err);
    /* If the last file of a set cannot be published, the others are removed, because a mixed set
     * must never be readable. */
    const bool may_go = strcmp(o->function, "linkat") == 0 || strcmp(o->function, "rename") == 0;
    for (size_t i = 0; i < OUTPUTS_MAX && j->outputs[i] != NULL; i++)
        if (!o->kept[i] && !(o->gone[i] && may_go))
            job_check(j, i, READABLE, context);
}

static void fail_each_call(void **state)
{
    const job_test *t = *state;
    const job *j = t->job;
    const outcome *o = job_run(j, NULL, 0, false);
    if (o->code != EXIT_OK || o->extra > 0)
        fail_msg("%s: exit code %d, %zu extra files\n%s", j->command, o->code, o->extra, o->err);
    job_keep(j);
    const size_t lines = count_of(o->out, '\n');
    size_t runs = 0;
    for (size_t n = 1;; n = job_next(j, n), runs++) {
        char context[5000];
        o = job_run(j, t->kind, n, n % 2 == 0);
        snprintf(context, sizeof context, "%s:%zu (%s %s) in %s", t->kind, n, o->function, o->path,
                 j->command);
        if (!o->hit)
            break;
        if (o->code == EXIT_OK)
            check_success(j, t->kind, o, lines, context);
        else
            check_failure(j, t->kind, o, context);
        /* An old file that cannot be read may be of another kind: it is kept, and the new one is
         * written beside it. */
        const bool aside = strstr(o->err, "the new contents are in") != NULL;
        if (o->extra > (aside ? 1 : 0))
            fail_msg("%s: %zu extra files were left", context, o->extra);
    }
    assert_int_equal(o->code, EXIT_OK); /* the last run had no fault */
    assert_true(runs > 0);
}

int main(void)
{
    static const char *const kinds[] = {"memory", "io"};
    return jobs_run_tests("faults", false, kinds, 2, fail_each_call);
}
