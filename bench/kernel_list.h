/* SPDX-License-Identifier: MIT
 *
 * The kernels that are timed: the rows of verify/kernels.def. */
#ifndef DOWNHILL_BENCH_KERNEL_LIST_H
#define DOWNHILL_BENCH_KERNEL_LIST_H

#include "caller.h"
#include "ceilings.h"
#include "polynomial.h"
#include "verify/verify.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum bench_kernel {
#define KERNEL(name, ...) BENCH_##name,
#define TIMED(name, ...)  BENCH_##name,
#include "verify/kernels.def"
    BENCH_KERNEL_COUNT
} bench_kernel;

/* Where a kernel is timed besides the standard shapes on one thread, and where it is not. */
enum bench_traits {
    BENCH_TRAIT_SWEPT = 1 << 0,    /* in the sweeps over batch sizes and numbers of features */
    BENCH_TRAIT_THREADS = 1 << 1,  /* on several threads as well */
    BENCH_TRAIT_EPOCH = 1 << 2,    /* only hot, and only on more rows than one step has */
    BENCH_TRAIT_SHARE = 1 << 3,    /* only on enough samples for the share in its name */
    BENCH_TRAIT_BASELINE = 1 << 4, /* only on the baseline: it runs no kernel of a level */
    BENCH_TRAIT_MAP = 1 << 5,      /* in the map of classes and features */
    BENCH_TRAIT_LOSS = 1 << 6,     /* with one class only if asked for: its loss is 0 */
    BENCH_TRAIT_TEAM = 1 << 7,     /* only on several threads */
};

struct workload; /* workload.h */

/* Runs a kernel once on the buffers of a workload. */
typedef downhill_status bench_call(const caller *by, struct workload *load);

typedef struct bench_kernel_info {
    const char *name;
    const char *group;    /* kernels of a group are compared, and therefore sampled in turn */
    enum element element; /* of the features */
    enum ceiling_products products; /* decide which peak bounds it */
    uint32_t traits;                /* of enum bench_traits */
    uint32_t proofs;                /* 1 << verify_kernel: kernels to verify before it is timed */
    polynomial operations, bytes;   /* of a call; bytes: each operand crossing the bus once */
    polynomial working_set;         /* bytes of the distinct operands */
    const char *note;               /* what is credited, for readers of a report */
    bench_call *call;
} bench_kernel_info;

extern const bench_kernel_info bench_kernels[BENCH_KERNEL_COUNT];

/* Returns whether all traits are set. */
static inline bool bench_has_traits(bench_kernel kernel, uint32_t traits)
{
    return (bench_kernels[kernel].traits & traits) == traits;
}

#endif
