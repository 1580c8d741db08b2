/* SPDX-License-Identifier: MIT
 *
 * A command that writes files is ended at each of its calls: each file is then the old one or the
 * new one, complete. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "jobs.h"
#include "support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool ended_as_expected(const outcome *o, const char *kind)
{
    if (strcmp(kind, "kill") == 0)
        return o->code == -SIGKILL;
    /* SIGINT and SIGTERM may arrive before they are caught, or when the work is done. */
    const int number = strcmp(kind, "int") == 0 ? SIGINT : SIGTERM;
    return o->code == -number || o->code == 128 + number || o->code == EXIT_OK;
}

static void end_at_each_call(const job_test *t, bool old)
{
    const job *j = t->job;
    size_t runs = 0;
    for (size_t n = 1;; n = job_next(j, n), runs++) {
        char context[5000];
        const outcome *o = job_run(j, t->kind, n, old);
        snprintf(context, sizeof context, "%s:%zu (%s %s) in %s", t->kind, n, o->function, o->path,
                 j->command);
        if (!o->hit) {
            assert_int_equal(o->code, EXIT_OK);
            break;
        }
        if (!ended_as_expected(o, t->kind))
            fail_msg("%s: exit code %d\n%s", context, o->code, o->err);
        /* Between linkat() and rename() the new file has a temporary name beside the old one. */
        const bool between = strcmp(o->function, "rename") == 0 && o->code < 0;
        if (o->extra > (between ? 1 : 0))
            fail_msg("%s: %zu extra files were left", context, o->extra);
        for (size_t i = 0; i < OUTPUTS_MAX && j->outputs[i] != NULL; i++)
            if (!o->kept[i])
                job_check(j, i, READABLE, context);
    }
    assert_true(runs > 0);
}

static void run_killed_job(void **state)
{
    const job_test *t = *state;
    assert_int_equal(job_run(t->job, NULL, 0, false)->code, EXIT_OK);
    job_keep(t->job);
    if (strcmp(t->kind, "kill") == 0) /* the only one that can leave a new partial file */
        end_at_each_call(t, false);
    end_at_each_call(t, true);
}

int main(void)
{
    static const char *const kinds[] = {"kill", "int", "term"};
    return jobs_run_tests("killed", true, kinds, 3, run_killed_job);
}
