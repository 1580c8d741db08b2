/* SPDX-License-Identifier: MIT
 *
 * What makes the figures of a run doubtful: said on stderr and kept for results.json. */
#ifndef DOWNHILL_BASE_WARNINGS_H
#define DOWNHILL_BASE_WARNINGS_H

#include <jansson.h>

/* A thread that runs alone has a CPU time close to its wall time; one that waited longer than this
 * shared its CPU. */
#define WARNINGS_WAITED 1.1

/* Prints "downhill: warning: MESSAGE" and appends the message to the array. Does nothing without an
 * array: a warning about times is for those who asked for times. */
__attribute__((format(printf, 2, 3))) void warnings_add(json_t *warnings, const char *format, ...);

/* Warns of a build whose times mean nothing, and of ISA levels that would run here but were not
 * compiled in. */
void warnings_of_build(json_t *warnings);

/* Binds the thread as machine_pin() does, and warns where that fails. */
int warnings_pin(json_t *warnings);

#endif
