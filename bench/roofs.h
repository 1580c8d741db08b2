/* SPDX-License-Identifier: MIT
 *
 * Rows that are faster than their ceiling allows. No code is faster than its hardware, so one of
 * three things is wrong: the ceiling, the operations or bytes credited to the row, or the cache
 * level that its data is assumed to be in. The ceiling is the first suspect and is measured
 * again. */
#ifndef DOWNHILL_BENCH_ROOFS_H
#define DOWNHILL_BENCH_ROOFS_H

#include "ceilings.h"
#include "suite.h"

#include <jansson.h>

/* Warns of each ceiling in doubt (ceilings_in_doubt). */
void roofs_warn_of_doubts(const ceilings *roofline, json_t *warnings);

/* Measures each ceiling again that a row exceeds, updates the attainable rates, and warns of the
 * findings, which it also appends to roofline->repeats. Returns false if out of memory. */
bool roofs_recheck(bench_suite *suite, ceilings *roofline, const int *cpus, ceiling_effort effort,
                   json_t *warnings);

#endif
