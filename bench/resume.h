/* SPDX-License-Identifier: MIT
 *
 * Going on with a run that was broken off, from the results that it left. */
#ifndef DOWNHILL_BENCH_RESUME_H
#define DOWNHILL_BENCH_RESUME_H

#include "suite.h"

/* Reads the results of a run that was broken off. NULL, with a line printed and *code set: EXIT_DATA if
 * the file is not one, EXIT_USAGE if it is of another machine or build. */
json_t *resume_read(const char *path, const machine *m, int *code);

/* Takes over the rows that are whole, with their samples, and the groups that they were sampled in.
 * Returns how many rows. */
size_t resume_restore(const bench_options *options, bench_suite *suite, const json_t *results);

#endif
