/* SPDX-License-Identifier: MIT
 *
 * How the learning rate changes while a model is trained. */
#ifndef DOWNHILL_TRAIN_SCHEDULE_H
#define DOWNHILL_TRAIN_SCHEDULE_H

#include <stddef.h>

typedef enum schedule_kind {
    SCHEDULE_CONSTANT, /* η */
    SCHEDULE_STEP,     /* η·γ^⌊t/T⌋: every T epochs a factor γ less */
    SCHEDULE_INVERSE,  /* η/(1 + γt) */
    SCHEDULE_COSINE /* η·(1 + cos(πt/E))/2, from η to 0 (Loshchilov and Hutter, 2017, without restarts) */
} schedule_kind;

typedef struct schedule {
    schedule_kind kind;
    double factor; /* γ */
    size_t every;  /* T, epochs */
} schedule;

/* Of epoch `epoch` from 0, of E = `epochs`, after a share of its steps; in f64 and rounded once, so that it is the
 * same wherever the C library's cos() and pow() are right but for their last bits. */
float schedule_rate(const schedule *s, float lr, size_t epoch, double share, size_t epochs);

#endif
