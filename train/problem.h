/* SPDX-License-Identifier: MIT
 *
 * The training problem: data, features, loss and machine settings shared by all methods. */
#ifndef DOWNHILL_TRAIN_PROBLEM_H
#define DOWNHILL_TRAIN_PROBLEM_H

#include "data/dataset.h"
#include "downhill.h"
#include "features.h"
#include "model.h"
#include "parallel/cluster.h"

#include <signal.h>
#include <stdbool.h>

typedef struct problem {
    const dataset *data;
    const features *features;
    const downhill_kernels *kernels;
    downhill_loss loss;
    float reg; /* factor of the penalty reg·‖W‖²; the weight decay λ is twice that */
    size_t threads;
    const int *cpus;        /* CPUs that the threads are bound to (parallel/team.h) */
    const cluster *cluster; /* the processes that train together; NULL: only this one */
    bool reproducible;      /* f32: the bits of one thread for any number of threads and ranks */
    /* never NULL; if not 0, stop soon and keep what is complete */
    const volatile sig_atomic_t *stop;
    bool progress; /* show progress on stderr */
} problem;

/* Returns who trains a model of the problem. */
static inline workforce problem_workforce(const problem *p)
{
    return (workforce){p->threads, p->cpus, p->cluster, p->reproducible};
}

/* Returns the mean loss of weights and biases that are all 0. */
double problem_loss_of_zero(const problem *p);

/* Size of the text that says why training failed. The text is "" if it did not. */
enum { PROBLEM_FAILURE_TEXT = 256 };

/* Writes the reason why training failed to `why`; rank 0 prints it too. Returns EXIT_CHECK. */
__attribute__((format(printf, 3, 4))) int
problem_training_failed(const problem *p, char why[PROBLEM_FAILURE_TEXT], const char *format, ...);

/* Prints a line for a library call that failed and returns the exit code. The arguments were
 * checked before, so the cause is either lack of memory or a bug. */
int problem_failed(downhill_status status);

/* Prints a line for a digest of weights or data that could not be computed. Returns the exit
 * code. */
int problem_digest_failed(void);

#endif
