/* SPDX-License-Identifier: MIT
 *
 * Warnings that make the results of a run doubtful: printed on stderr and kept for results.json. */
#ifndef DOWNHILL_BASE_WARNINGS_H
#define DOWNHILL_BASE_WARNINGS_H

#include "downhill.h"

#include <jansson.h>
#include <stdbool.h>

/* Maximum ratio of wall time to CPU time of a thread that has its CPU for itself. */
#define WARNINGS_WAITED 1.1

/* Prints "downhill: warning: MESSAGE" and appends the message to the array. Does nothing if the
 * array is NULL: runs that report no times need no warnings about times. */
__attribute__((format(printf, 2, 3))) void warnings_add(json_t *warnings, const char *format, ...);

/* Returns whether this machine could run the level but the compiler could not build it. `wanted`
 * lists the levels that the build was configured for, separated by semicolons; others do not
 * count. */
bool warnings_level_is_missed(const downhill_level *level, const char *wanted);

/* Warns about a build that makes timings meaningless, and about ISA levels that are missed. */
void warnings_of_build(json_t *warnings);

/* Does machine_pin(), and warns if that fails. */
int warnings_pin(json_t *warnings);

#endif
