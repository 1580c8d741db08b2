/* SPDX-License-Identifier: MIT
 *
 * Times two builds of the library in turn, in slices so short that drift and neighbours hit both
 * alike: in quadruples old-new-new-old or new-old-old-new, drawn at random. Both work on the same
 * buffers. */
#ifndef DOWNHILL_BENCH_LOCKSTEP_H
#define DOWNHILL_BENCH_LOCKSTEP_H

#include "library.h"
#include "suite.h"
#include "workload.h"

#include <signal.h>

enum { LOCKSTEP_OLD, LOCKSTEP_NEW, LOCKSTEP_BUILDS };

typedef struct lockstep {
    library builds[LOCKSTEP_BUILDS];
    double slice_s, time_s; /* of a slice, unless a call takes longer; of all slices of a row */
    uint64_t seed;          /* of the order */
    const volatile sig_atomic_t *stop;
} lockstep;

typedef struct lockstep_result {
    char skipped[256];           /* why the row was not timed, or "" */
    uint64_t calls;              /* per slice */
    size_t quadruples;           /* completed */
    double *ns[LOCKSTEP_BUILDS]; /* per call: two slices of each build per quadruple */
    double difference;           /* largest of the results of both builds, relative to the largest
                                   * result; 0: the same bits */
} lockstep_result;

/* Returns whether rows of the kernel can be timed: those that only call public functions, on one
 * thread. */
bool lockstep_has(bench_kernel kernel);

/* Times a row on these workloads, which the calls use in turn. Returns false if out of memory. */
bool lockstep_run(const lockstep *l, const bench_row *row, workload *loads, size_t n_loads,
                  lockstep_result *result);
void lockstep_result_free(lockstep_result *result);

#endif
