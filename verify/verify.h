/* SPDX-License-Identifier: MIT
 *
 * Proof, on this machine and now, that every usable variant computes what it should. */
#ifndef DOWNHILL_VERIFY_VERIFY_H
#define DOWNHILL_VERIFY_VERIFY_H

#include "downhill.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is proven; the names are those of the benchmark's rows. */
typedef enum verify_op {
    VERIFY_SCORE,
    VERIFY_HINGE,
    VERIFY_SOFTMAX,
    VERIFY_GRAD,
    VERIFY_UPDATE,
    VERIFY_STEP_HINGE,
    VERIFY_STEP_SOFTMAX,
    VERIFY_SCORE_BF16, /* features in bf16, the reference on what they stand for */
    VERIFY_GRAD_BF16,
    VERIFY_STEP_HINGE_BF16,
    VERIFY_STEP_SOFTMAX_BF16,
    VERIFY_SCORE_U8, /* features in bytes, to the bit */
    VERIFY_HINGE_U8,
    VERIFY_GRAD_U8,
    VERIFY_UPDATE_U8,
    VERIFY_STEP_U8,
    VERIFY_OP_COUNT
} verify_op;

const char *verify_op_name(verify_op op);

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
