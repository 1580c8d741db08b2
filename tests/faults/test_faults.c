/* SPDX-License-Identifier: MIT
 *
 * One call of a command fails, each in its turn: the command says so, and leaves nothing half-written. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "jobs.h"
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Calls whose failure may leave the result as good: it is compared with one without faults. */
static const struct {
    const char *kind, *function, *path;
} may_fail[] = {
    /* Without a picture of the machine's topology the results are the same. */
    {"memory", "strdup", ""},
    /* A check of the data is left out, with a warning. */
    {"memory", "calloc", ""},
    /* Of one process nobody asks in what digest it agrees with the others. */
    {"memory", "EVP_MD_CTX_new", ""},
    /* What cannot be looked at is taken for a file that is not there yet; making it says more. */
    {"io", "stat", ""},
    /* Nor is a link that cannot be read, when two names are compared; making the file follows it again. */
    {"io", "readlink", "/tmp/"},
    /* A standard stream that cannot be looked at is taken for another file. */
    {"io", "fstat", "/dev/null"},
    /* Without /proc, or files without names, a new file has a name from the beginning. */
    {"io", "access", "/proc/self/fd"},
    {"io", "open(O_TMPFILE)", ""},
    /* A directory that cannot be synced. */
    {"io", "open(O_DIRECTORY)", "/tmp/"},
    {"io", "fsync", "/tmp/"},
    /* All that was written is on the disk already; what was read is read. */
    {"io", "fclose", ""},
    /* What the machine does not say of itself. */
    {"io", "fopen", "/proc/"},
    {"io", "fopen", "/sys/"},
    {"io", "fgets", "/proc/"},
    {"io", "fgets", "/sys/"},
    {"io", "fread", "/proc/"},
    {"io", "fread", "/sys/"},
    {"io", "fread", "/."},
    {"io", "readlink", "/sys/"},
};

static bool is_one_that_may(const char *kind, const outcome *o)
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

/* A line "downhill: WHAT: WHY" that is no warning, and says why. */
static bool says_why(const char *kind, const char *err)
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
                          const char *what)
{
    /* Parts of results that nobody asked for: they are made, and not written. */
    const bool unused = strstr(j->command, "json") == NULL && strcmp(o->function, "malloc") == 0;
    if (!unused && !is_one_that_may(kind, o))
        fail_msg("%s: exit code 0, but it may not go on", what);
    if (strcmp(o->function, "calloc") == 0 && strstr(o->err, "memory") == NULL)
        fail_msg("%s: no warning", what);
    if (count_of(o->out, '\n') != lines)
        fail_msg("%s: exit code 0, but it printed:\n%s", what, o->out);
    for (size_t i = 0; i < OUTPUTS_MAX && j->outputs[i] != NULL; i++)
        job_check(j, i, strcmp(kind, "io") == 0 ? WHOLE_BUT_MACHINE : WHOLE, what);
}

static void check_failure(const job *j, const char *kind, const outcome *o, const char *what)
{
    if (!is_documented(o->code) || (strcmp(kind, "memory") == 0 && o->code != EXIT_INTERNAL))
        fail_msg("%s: exit code %d\n%s", what, o->code, o->err);
    if (!says_why(kind, o->err))
        fail_msg("%s: it does not say why:\n%s", what, o->err);
    /* Of a set whose last file finds no place the others go as well, for they are not of one making. */
    const bool may_go = strcmp(o->function, "linkat") == 0 || strcmp(o->function, "rename") == 0;
    for (size_t i = 0; i < OUTPUTS_MAX && j->outputs[i] != NULL; i++)
        if (!o->kept[i] && !(o->gone[i] && may_go))
            job_check(j, i, READABLE, what);
}

static void fail_each_call(void **state)
{
    const job_test *t = *state;
    const job *j = t->job;
    const outcome *o = job_run(j, NULL, 0, false);
    if (o->code != EXIT_OK || o->more > 0)
        fail_msg("%s: exit code %d, %zu files more\n%s", j->command, o->code, o->more, o->err);
    job_keep(j);
    const size_t lines = count_of(o->out, '\n');
    size_t runs = 0;
    for (size_t n = 1;; n = job_next(j, n), runs++) {
        char what[5000];
        o = job_run(j, t->kind, n, n % 2 == 0);
        snprintf(what, sizeof what, "%s:%zu (%s %s) in %s", t->kind, n, o->function, o->path,
                 j->command);
        if (!o->hit)
            break;
        if (o->code == EXIT_OK)
            check_success(j, t->kind, o, lines, what);
        else
            check_failure(j, t->kind, o, what);
        /* An old file that cannot be read may be of another kind: it stays, with the new one beside it. */
        const bool aside = strstr(o->err, "what was to be written there is in") != NULL;
        if (o->more > (aside ? 1 : 0))
            fail_msg("%s: %zu files were left", what, o->more);
    }
    assert_int_equal(o->code, EXIT_OK); /* with no fault in it */
    assert_true(runs > 0);
}

int main(void)
{
    static const char *const kinds[] = {"memory", "io"};
    return jobs_run_tests("faults", false, kinds, 2, fail_each_call);
}
