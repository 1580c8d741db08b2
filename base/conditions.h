/* SPDX-License-Identifier: MIT
 *
 * What disturbs a measurement from outside: time that the hypervisor gave to others, switches to other threads,
 * moves to other CPUs, and a control group's quota. */
#ifndef DOWNHILL_BASE_CONDITIONS_H
#define DOWNHILL_BASE_CONDITIONS_H

#include <jansson.h>

/* Sums since some time in the past; NaN where this machine does not tell. */
typedef struct conditions {
    double steal_s;              /* of a CPU, or of all of them together */
    double involuntary_switches; /* of this thread */
    double migrations;           /* of this thread */
    double throttled_periods;    /* of this process's control group and those around it */
    double throttled_s;
} conditions;

/* Now, of this CPU; -1: of all. */
conditions conditions_now(const char *root, int cpu);

/* What came to pass from `before` to `after`. */
conditions conditions_between(const conditions *before, const conditions *after);

/* Nothing is known. */
conditions conditions_unknown(void);

/* Adds up what is known of two spans of time; unknown where neither is known. */
conditions conditions_sum(const conditions *a, const conditions *b);

/* Sets steal_s and the others in an object, null where not known; and back, NaN where null or not there. */
void conditions_set(json_t *o, const conditions *c);
conditions conditions_of_json(const json_t *o);

#endif
