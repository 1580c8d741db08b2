/* SPDX-License-Identifier: MIT
 *
 * Rows above their roof. No row is faster than its hardware, so one of three is wrong: the ceiling, the operations or
 * bytes that the row is credited with, or the cache level that it is said to come from. The ceiling is suspected first:
 * it is measured again. */
#ifndef DOWNHILL_BENCH_ROOFS_H
#define DOWNHILL_BENCH_ROOFS_H

#include "ceilings.h"
#include "suite.h"

#include <jansson.h>

/* Warns of each ceiling that is in doubt (ceilings_in_doubt). */
void roofs_warn_of_doubts(const ceilings *found, json_t *warnings);

/* Measures each ceiling again that a row lies above, sets the attainable rates anew, and warns with what was found;
 * the same goes to found->repeats. Returns false if out of memory. */
bool roofs_recheck(bench_suite *suite, ceilings *found, const int *cpus, ceiling_effort effort,
                   json_t *warnings);

#endif
