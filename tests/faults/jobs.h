/* SPDX-License-Identifier: MIT
 *
 * Commands that write files, run on small data with an injected fault, and their outcome. */
#ifndef DOWNHILL_TESTS_FAULTS_JOBS_H
#define DOWNHILL_TESTS_FAULTS_JOBS_H

#include <stdbool.h>
#include <stddef.h>

enum { OUTPUTS_MAX = 8 };

typedef struct job {
    const char *name;
    const char *command;              /* the arguments of `downhill`, for sh */
    const char *outputs[OUTPUTS_MAX]; /* the files that it writes, in $scratch */
    bool slow;                        /* takes a second per run */
    bool killed; /* test_killed runs it; the others write files in the same ways */
    bool fresh;  /* replaces only --json and empty files */
} job;

extern const job jobs[];
extern const size_t n_jobs;

/* cmocka group fixtures: shell_open() and the data; $faulty is the program with fault injection. */
int jobs_open(void **state);
int jobs_close(void **state);

typedef struct outcome {
    int code;               /* exit code, or minus the number of the signal that ended it */
    bool hit;               /* the fault occurred */
    char function[64];      /* in which it occurred */
    char path[4096];        /* of the file that it was on */
    char *out, *err;        /* what was printed */
    size_t extra;           /* number of files other than the outputs */
    bool kept[OUTPUTS_MAX]; /* the output is as it was before */
    bool gone[OUTPUTS_MAX]; /* the output does not exist */
} outcome;

/* Returns the number of the call to fail after call n: n + 1, or 4n for a slow job. With
 * DOWNHILL_EVERY_FAULT=1 in the environment no call is skipped (faults.c); that takes half an
 * hour. */
size_t job_next(const job *j, size_t n);

/* A test of one job with one kind of fault, which is passed to the test function as its state.
 * jobs_run_tests() runs a cmocka group with one test per kind and job, or per job with `killed`
 * set. */
typedef struct job_test {
    const job *job;
    const char *kind;
    char name[80];
} job_test;
int jobs_run_tests(const char *group, bool killed, const char *const *kinds, size_t n_kinds,
                   void (*test)(void **state));

/* Runs a job with DOWNHILL_FAULT=KIND:N, or without a fault if kind is NULL. If `old`, each output
 * exists before, as a file of an earlier run or, for a `fresh` job, as an empty file; otherwise
 * none exists. The outcome is valid until the next run. */
const outcome *job_run(const job *j, const char *kind, size_t n, bool old);

/* Keeps the outputs of a run without faults, for comparison and as the old files of later runs. */
void job_keep(const job *j);

/* How complete a document must be. READABLE is for a run that failed or was stopped. */
typedef enum extent { WHOLE, WHOLE_BUT_MACHINE, READABLE } extent;

/* Fails the test if an output is incomplete: a document that cannot be read or lacks a part of the
 * kept one, or data or a table that differs in any byte. */
void job_check(const job *j, size_t output, extent e, const char *context);

#endif
