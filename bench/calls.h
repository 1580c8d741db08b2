/* SPDX-License-Identifier: MIT
 *
 * One call of each timed kernel on the buffers of a workload: call_<name>(), see bench_call.
 * calls.c has those on f32 and bf16, calls_u8.c those on bytes. */
#ifndef DOWNHILL_BENCH_CALLS_H
#define DOWNHILL_BENCH_CALLS_H

#include "kernel_list.h"

#define KERNEL(name, ...) bench_call call_##name;
#define TIMED(name, ...)  bench_call call_##name;
#include "verify/kernels.def"

/* Returns whether a kernel is timed on a level. Some levels do not pack weights, or pack them for
 * bf16 as for f32. Rows that run no kernel of a level are timed on the baseline only. */
bool call_exists(const downhill_kernels *kernels, bench_kernel kernel);

#endif
