/* SPDX-License-Identifier: MIT
 *
 * --filter, --shape and --cache, for the commands that time kernels. */
#ifndef DOWNHILL_CLI_BENCH_CHOICES_H
#define DOWNHILL_CLI_BENCH_CHOICES_H

#include "options.h"

#include "bench/suite.h"

/* The rows that a command times. Its configuration begins with this. */
typedef struct bench_row_choice {
    const char *filter, *cache;
    option_list shapes;
} bench_row_choice;

extern const cli_group bench_row_options;

/* Parses the values of --shape; if there are none, takes those of the standard or the quick suite.
 * Returns EXIT_OK, or EXIT_USAGE after printing an error. */
int bench_choose_shapes(const char *command, const option_list *given, bool quick,
                        bench_shape shapes[OPTION_LIST_MAX], size_t *count);

/* Parses the value of --cache; NULL: hot. Returns the same. */
int bench_choose_caches(const char *command, const char *cache, bench_options *bench);

#endif
