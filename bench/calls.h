/* SPDX-License-Identifier: MIT
 *
 * One call of each kernel that is timed, on the buffers of a workload: call_<name>(), see bench_call. Those on f32 and
 * bf16 are in calls.c, those on bytes in calls_u8.c. */
#ifndef DOWNHILL_BENCH_CALLS_H
#define DOWNHILL_BENCH_CALLS_H

#include "kernel_list.h"

#define KERNEL(name, ...) bench_call call_##name;
#define TIMED(name, ...)  bench_call call_##name;
#include "verify/kernels.def"

/* Returns whether a level has something to time under this name: not every level packs weights, or packs them for bf16
 * other than for f32, and what runs no kernel is timed once, on the baseline. */
bool call_exists(const downhill_kernels *kernels, bench_kernel kernel);

#endif
