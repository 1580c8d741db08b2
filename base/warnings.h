/* SPDX-License-Identifier: MIT
 *
 * What makes the figures of a run doubtful: said on stderr and kept for results.json. */
#ifndef DOWNHILL_BASE_WARNINGS_H
#define DOWNHILL_BASE_WARNINGS_H

#include "downhill.h"

#include <jansson.h>
#include <stdbool.h>

/* A thread that runs alone has a CPU time close to its wall time; one that waited longer than this
 * shared its CPU. */
#define WARNINGS_WAITED 1.1

/* Prints "downhill: warning: MESSAGE" and appends the message to the array. Does nothing without an
 * array: a warning about times is for those who asked for times. */
__attribute__((format(printf, 2, 3))) void warnings_add(json_t *warnings, const char *format, ...);

/* Would this level run here, had the compiler built it? Not of a level that the build left out
 * by choice: `wanted` has those that it was to have, with semicolons between them. */
bool warnings_level_is_missed(const downhill_level *level, const char *wanted);

/* Warns of a build whose times mean nothing, and of ISA levels that are missed. */
void warnings_of_build(json_t *warnings);

/* Binds the thread as machine_pin() does, and warns where that fails. */
int warnings_pin(json_t *warnings);

#endif
