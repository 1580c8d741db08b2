/* SPDX-License-Identifier: MIT
 *
 * Why a thread did not run: the causes that the kernel's counters show, each with its remedy. */
#ifndef DOWNHILL_BASE_WAITED_H
#define DOWNHILL_BASE_WAITED_H

#include "conditions.h"

#include <stddef.h>

enum { WAITED_TEXT = 384 };

/* Writes what kept a thread off its CPU for `waited_s` seconds, and what helps: the quota of its
 * control group, the hypervisor, other threads on the CPU; or that no counter tells. `passed` is
 * what the counters rose by meanwhile. A cause is named if it accounts for a tenth of the time.
 * The text has no full stop. */
void waited_cause(const conditions *passed, double waited_s, char text[WAITED_TEXT]);

#endif
