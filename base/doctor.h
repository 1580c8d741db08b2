/* SPDX-License-Identifier: MIT
 *
 * What makes figures noisy on this machine, and the command that would help. Nothing is changed. */
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
    char what[256];   /* is so, or why it is not known */
    char effect[160]; /* on the figures; "" if ok */
    char remedy[224]; /* a command, or what to do; "" if there is nothing */
} doctor_finding;

typedef struct doctor {
    size_t count;
    doctor_finding findings[DOCTOR_MAX];
} doctor;

/* What is measured for it, over a second or so. */
typedef struct doctor_sample {
    double seconds;
    conditions passed;
    double clock_low_ghz, clock_high_ghz; /* of several looks */
    double shared;                        /* share of looks that found less than a whole core */
    double load;                          /* average of the last minute; NaN: not known */
    const char *counters_missing;         /* "": there are some */
} doctor_sample;

/* Looks at the machine as the record does (record.h). */
doctor doctor_look(const machine *m, const char *root, const doctor_sample *s);

#endif
