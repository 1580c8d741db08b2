/* SPDX-License-Identifier: MIT
 *
 * What every method of training works on. */
#ifndef DOWNHILL_TRAIN_PROBLEM_H
#define DOWNHILL_TRAIN_PROBLEM_H

#include "data/dataset.h"
#include "downhill.h"
#include "features.h"
#include "parallel/cluster.h"

#include <signal.h>
#include <stdbool.h>

typedef struct problem {
    const dataset *data;
    const features *features;
    const downhill_kernels *kernels;
    downhill_loss loss;
    float reg; /* λ of the penalty λ‖W‖² */
    size_t threads;
    const int *cpus;                   /* what they are bound to (parallel/team.h) */
    const cluster *cluster;            /* the processes that train together; NULL: only this one */
    const volatile sig_atomic_t *stop; /* never NULL; not 0: stop soon, with what is complete */
    bool progress;                     /* how far it is, on stderr */
} problem;

/* Returns the mean loss of weights and biases that are all 0. */
double problem_loss_of_zero(const problem *p);

/* Size of a text that says why training failed; the text is "" if it did not. */
enum { PROBLEM_FAILURE_TEXT = 256 };

/* Writes to `why` why training failed; rank 0 prints it too. Returns EXIT_CHECK. */
__attribute__((format(printf, 3, 4))) int
problem_training_failed(const problem *p, char why[PROBLEM_FAILURE_TEXT], const char *format, ...);

/* Prints a line for a call that the library refused and returns the exit code. The arguments were checked before, so that the
 * cause is a bug of ours or lack of memory. */
int problem_failed(downhill_status status);

/* Prints a line for a digest of weights or data that could not be computed and returns the exit code. */
int problem_digest_failed(void);

#endif
