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
    const volatile sig_atomic_t *stop; /* not 0: stop after the step at hand */
    bool progress;                     /* how far it is, on stderr */
} problem;

/* Returns the mean loss of weights and biases that are all 0. */
double problem_loss_of_zero(const problem *p);

/* Why training failed, in words; "": it did not. */
enum { PROBLEM_FAILURE_TEXT = 256 };

/* Keeps why training failed, and rank 0 prints it in a line. Returns EXIT_CHECK. */
__attribute__((format(printf, 3, 4))) int
problem_training_failed(const problem *p, char why[PROBLEM_FAILURE_TEXT], const char *format, ...);

/* Arguments that the library refuses in training were checked before: a refusal is a bug of ours, or memory is
 * short. Prints a line and returns the exit code. */
int problem_failed(downhill_status status);

/* The digest of weights or data could not be made: the same. */
int problem_digest_failed(void);

#endif
