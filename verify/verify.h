/* SPDX-License-Identifier: MIT
 *
 * Proof, on this machine and now, that every usable variant computes what it should. */
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

/* The rows of kernels.def that are proven: an operation on a data type each. */
typedef enum verify_op {
#define KERNEL(name, ...) VERIFY_##name,
#include "kernels.def"
    VERIFY_OP_COUNT
} verify_op;

typedef struct verify_op_info {
    const char *name;
    enum verify_kind kind;
    enum element element;
} verify_op_info;

extern const verify_op_info verify_ops[VERIFY_OP_COUNT];

typedef struct verify_options {
    uint64_t seed;
    const char *isa; /* only these levels (levels.h); NULL: every usable one */
    const char *op;  /* only this operation; NULL: all */
    uint32_t ops;    /* only those whose bit is set, 1 << verify_op; 0: all */
    long only_case;  /* only this case; -1: all */
    bool
        chosen_only; /* the chosen shapes without those at random: a third of the cases, for a quicker look */
    size_t stride;      /* every stride-th case: 1 for all, more for a look still quicker */
    bool first_only;    /* end at the first failure */
    size_t max_reports; /* failures printed in full; 0: not a word */
    bool progress;      /* show it on stderr */
    /* NULL, or a table to prove in place of the levels: for tests that plant a bug. */
    const downhill_kernels *kernels;
} verify_options;

#define VERIFY_DEFAULTS                                                                            \
    {                                                                                              \
        .seed = 1, .only_case = -1, .stride = 1, .max_reports = 5                                  \
    }

typedef struct verify_result {
    uint64_t checks; /* (case, operation, level) triples */
    uint64_t failures;
    size_t levels; /* levels proven */
    double seconds;
} verify_result;

/* Runs the cases. Each failure is one line on stderr that says what differs, and one with the
 * command that runs that case alone. Returns EXIT_OK, EXIT_CHECK where something failed, EXIT_USAGE
 * for an unknown operation, EXIT_ISA, or EXIT_INTERNAL where memory is short. */
int verify_run(const verify_options *options, verify_result *result);

#endif
