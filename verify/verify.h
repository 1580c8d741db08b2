/* SPDX-License-Identifier: MIT
 *
 * Checks on this machine that every usable variant of every kernel computes the right results. */
#ifndef DOWNHILL_VERIFY_VERIFY_H
#define DOWNHILL_VERIFY_VERIFY_H

#include "downhill.h"
#include "isa/kernels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The computation, independent of the data type of the features. */
enum verify_kind {
    KIND_SCORE,
    KIND_HINGE,
    KIND_SOFTMAX,
    KIND_GRAD,
    KIND_UPDATE,
    KIND_STEP_HINGE,
    KIND_STEP_SOFTMAX,
};

/* The KERNEL rows of kernels.def: each is an operation on a data type. */
typedef enum verify_kernel {
#define KERNEL(name, ...) VERIFY_##name,
#include "kernels.def"
    VERIFY_KERNEL_COUNT
} verify_kernel;

typedef struct verify_kernel_info {
    const char *name;
    enum verify_kind kind;
    enum element element;
} verify_kernel_info;

extern const verify_kernel_info verify_kernels[VERIFY_KERNEL_COUNT];

typedef struct verify_options {
    uint64_t seed;
    const char *isa;     /* levels to run (levels.h); NULL: every usable one */
    const char *kernel;  /* kernel to verify; NULL: all */
    uint32_t kernel_set; /* set of kernels to verify, bits 1 << verify_kernel; 0: all */
    long only_case;      /* case to run; -1: all */
    bool chosen_only;    /* skip the random shapes, two thirds of the cases */
    size_t stride;       /* run every stride-th case; 1: all */
    bool first_only;     /* stop at the first failure */
    size_t max_reports;  /* failures printed in full; 0: print nothing */
    bool progress;       /* show progress on stderr */
    /* Table to verify instead of the levels, for tests that plant a bug; NULL: none. */
    const downhill_kernels *kernels;
} verify_options;

#define VERIFY_DEFAULTS                                                                            \
    {                                                                                              \
        .seed = 1, .only_case = -1, .stride = 1, .max_reports = 5                                  \
    }

typedef struct verify_result {
    uint64_t checks; /* (case, operation, level) triples */
    uint64_t failures;
    size_t levels; /* levels verified */
    double seconds;
} verify_result;

/* Runs the cases. Prints two lines on stderr per failure: what differs, and the command that
 * reruns the case. Returns EXIT_OK, EXIT_CHECK if something failed, EXIT_USAGE if the operation
 * or the case is unknown, EXIT_ISA if no level is usable, or EXIT_INTERNAL if out of memory. */
int verify_run(const verify_options *options, verify_result *result);

#endif
