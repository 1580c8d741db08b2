/* SPDX-License-Identifier: MIT
 *
 * Learning rate schedules. */
#ifndef DOWNHILL_TRAIN_SCHEDULE_H
#define DOWNHILL_TRAIN_SCHEDULE_H

#include <stddef.h>

typedef enum schedule_kind {
    SCHEDULE_CONSTANT, /* η */
    SCHEDULE_STEP,     /* η·γ^⌊t/T⌋: a factor of γ every T epochs */
    SCHEDULE_INVERSE,  /* η/(1 + γt) */
    /* η·(1 + cos(πt/E))/2, from η to 0 (Loshchilov and Hutter, 2017, without restarts) */
    SCHEDULE_COSINE
} schedule_kind;

typedef struct schedule {
    schedule_kind kind;
    double factor; /* γ */
    size_t every;  /* T, epochs */
} schedule;

/* Returns the learning rate of epoch `epoch`, from 0, of E = `epochs`, after the share `share` of
 * its steps. Computed in f64 and rounded once, so that it is the same wherever cos() and pow() of
 * the C library are correct except in their last bits. */
float schedule_rate(const schedule *s, float lr, size_t epoch, double share, size_t epochs);

#endif
