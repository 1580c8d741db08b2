/* SPDX-License-Identifier: MIT
 *
 * Commands that write files, run on small data with a fault in them, and what came of it. */
#ifndef DOWNHILL_TESTS_FAULTS_JOBS_H
#define DOWNHILL_TESTS_FAULTS_JOBS_H

#include <stdbool.h>
#include <stddef.h>

enum { OUTPUTS_MAX = 8 };

typedef struct job {
    const char *name;
    const char *command;              /* the words behind `downhill`, for sh */
    const char *outputs[OUTPUTS_MAX]; /* the files that it writes, in $scratch */
    bool dear;                        /* takes a second */
    bool killed;                      /* the others write files in the same ways */
    bool fresh;                       /* replaces only --json and empty files */
} job;

extern const job jobs[];
extern const size_t n_jobs;

/* Group fixtures: shell_open() and the data; $faulty is the program whose calls fail. */
int jobs_open(void **state);
int jobs_close(void **state);

typedef struct outcome {
    int code;               /* exit code, or -number of the signal that ended it */
    bool hit;               /* the fault was met */
    char function[64];      /* where */
    char path[4096];        /* and on which file */
    char *out, *err;        /* what was printed */
    size_t more;            /* files beside those that the job writes */
    bool kept[OUTPUTS_MAX]; /* the output is as it was before */
    bool gone[OUTPUTS_MAX]; /* and is not there */
} outcome;

/* The call to fail after the n-th: the next, or of a dear job the next power of 4. With DOWNHILL_EVERY_FAULT=1 in the
 * environment no call is passed over (faults.c); that takes half an hour. */
size_t job_next(const job *j, size_t n);

/* For each job, or each that is killed, and each kind of fault one test, which gets them as its state. Runs them all as a
 * cmocka group. */
typedef struct job_test {
    const job *job;
    const char *kind;
    char name[80];
} job_test;
int jobs_run_tests(const char *group, bool killed, const char *const *kinds, size_t n_kinds,
                   void (*test)(void **state));

/* Runs a job with DOWNHILL_FAULT=KIND:N, or without one where kind is NULL. Before, each output is a file of an
 * earlier run, or an empty one where the job is fresh, or is absent. The outcome is valid until the next run. */
const outcome *job_run(const job *j, const char *kind, size_t n, bool old);

/* Takes the outputs of a run without faults, to compare others with, and to be what is old. */
void job_keep(const job *j);

/* How much of a document must be there: of one that was stopped on its way it can be read. */
typedef enum extent { WHOLE, WHOLE_BUT_MACHINE, READABLE } extent;

/* Fails the test if an output is not whole: a document that cannot be read, or has not all that was kept; data and
 * tables that are not the same bytes. */
void job_check(const job *j, size_t output, extent e, const char *what);

#endif
