/* SPDX-License-Identifier: MIT
 *
 * Causes why a thread did not run, from the kernel's counters, each with a remedy. */
#ifndef DOWNHILL_BASE_WAITED_H
#define DOWNHILL_BASE_WAITED_H

#include "conditions.h"

#include <stddef.h>

enum { WAITED_TEXT = 384 };

/* Writes the causes that kept a thread off its CPU for `waited_s` seconds, with remedies: the
 * quota of its control group, the hypervisor, other threads on the CPU; or that no counter shows
 * one. `passed` is the increase of the counters meanwhile. A cause is named if it accounts for a
 * tenth of the time. The text has no full stop. */
void waited_cause(const conditions *passed, double waited_s, char text[WAITED_TEXT]);

#endif
