/* SPDX-License-Identifier: MIT
 *
 * The values of --shape and --cache, for the commands that time kernels. */
#ifndef DOWNHILL_CLI_BENCH_CHOICES_H
#define DOWNHILL_CLI_BENCH_CHOICES_H

#include "options.h"

#include "bench/suite.h"

/* Parses the values of --shape; if there are none, takes those of the standard or the quick suite.
 * Returns EXIT_OK, or EXIT_USAGE after printing an error. */
int bench_choose_shapes(const char *command, const option_list *given, bool quick,
                        bench_shape shapes[OPTION_LIST_MAX], size_t *count);

/* Parses the value of --cache; NULL: hot. Returns the same. */
int bench_choose_caches(const char *command, const char *cache, bench_options *bench);

#endif
