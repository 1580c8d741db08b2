/* SPDX-License-Identifier: MIT
 *
 * Resumes an interrupted run from its results file. */
#ifndef DOWNHILL_BENCH_RESUME_H
#define DOWNHILL_BENCH_RESUME_H

#include "suite.h"

/* Reads the results of an interrupted run. On failure prints an error, sets *code and returns NULL:
 * EXIT_DATA if the file has no such results, EXIT_USAGE if the run is complete or from another
 * machine or build. */
json_t *resume_read(const char *path, const machine *m, int *code);

/* Restores the samples of the rows, and the groups whose rows are all complete. Returns the number
 * of complete rows. */
size_t resume_restore(const bench_options *options, bench_suite *suite, const json_t *results);

#endif
