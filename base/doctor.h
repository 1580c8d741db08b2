/* SPDX-License-Identifier: MIT
 *
 * Finds the settings and conditions that make timings noisy on this machine, each with a remedy.
 * Changes nothing. */
#ifndef DOWNHILL_BASE_DOCTOR_H
#define DOWNHILL_BASE_DOCTOR_H

#include "conditions.h"
#include "machine.h"

#include <stddef.h>

typedef enum doctor_verdict { DOCTOR_OK, DOCTOR_NOTE, DOCTOR_WARN, DOCTOR_UNKNOWN } doctor_verdict;

extern const char *const doctor_words[]; /* "ok", "note", "warn", "unknown" */

enum { DOCTOR_MAX = 32 };

typedef struct doctor_finding {
    doctor_verdict verdict;
    char topic[40];
    char what[256];   /* the value found, or why it is unknown */
    char effect[160]; /* on the timings; "" if ok */
    char remedy[224]; /* a command or an advice; "": none */
} doctor_finding;

typedef struct doctor {
    size_t count;
    doctor_finding findings[DOCTOR_MAX];
} doctor;

/* Measurements that the diagnosis needs, taken over about a second. */
typedef struct doctor_sample {
    double seconds;
    conditions passed;
    double clock_low_ghz, clock_high_ghz; /* minimum and maximum of several checks */
    double shared;                        /* share of checks that found less than a whole core */
    double load;                          /* average of the last minute; NaN: unknown */
    const char *counters_missing;         /* why there are no hardware counters; "": there are */
} doctor_sample;

/* Diagnoses the machine. `root` as in system_files.h. */
doctor doctor_look(const machine *m, const char *root, const doctor_sample *s);

#endif
