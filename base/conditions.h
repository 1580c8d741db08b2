/* SPDX-License-Identifier: MIT
 *
 * Disturbances of a measurement from outside: time that the hypervisor gave to other guests,
 * switches to other threads, migrations to other CPUs, and the quota of a control group. */
#ifndef DOWNHILL_BASE_CONDITIONS_H
#define DOWNHILL_BASE_CONDITIONS_H

#include <jansson.h>

/* Totals since an arbitrary start; NaN: unknown on this machine. */
typedef struct conditions {
    double steal_s;              /* of one CPU, or the sum over all */
    double involuntary_switches; /* of this thread */
    double migrations;           /* of this thread */
    double throttled_periods;    /* of this process's control group and its ancestors */
    double throttled_s;
} conditions;

/* Reads the current totals, with the steal time of CPU `cpu`; -1: of all CPUs. `root` as in
 * system_files.h. */
conditions conditions_now(const char *root, int cpu);

/* Returns the increase from `before` to `after`. */
conditions conditions_between(const conditions *before, const conditions *after);

/* Returns conditions whose members are all NaN. */
conditions conditions_unknown(void);

/* Returns the sum for two spans of time. An unknown value counts as 0, unless both are unknown. */
conditions conditions_sum(const conditions *a, const conditions *b);

/* Sets the members steal_s etc. of a JSON object; null: unknown. */
void conditions_set(json_t *o, const conditions *c);

/* Reads them back. A member that is null or missing becomes NaN. */
conditions conditions_of_json(const json_t *o);

#endif
