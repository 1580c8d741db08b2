/* SPDX-License-Identifier: MIT
 *
 * The kernels that a peer can compute: its matrix products on the buffers of a workload, the rest by our best level. */
#ifndef DOWNHILL_BENCH_PEER_CALLS_H
#define DOWNHILL_BENCH_PEER_CALLS_H

#include "kernel_list.h"
#include "peers.h"
#include "workload.h"

/* Runs a kernel once. */
typedef downhill_status peer_call(const peer *p, workload *load);

/* Returns how peers run the kernel: scores, the gradient, the hinge step and its epochs; NULL for all others. */
peer_call *peer_call_of(bench_kernel kernel);

/* Returns whether scores and gradient of the peer are those of our best level within twice the bound of downhill.h.
 * Runs both. */
bool peer_agrees(const peer *p, workload *load);

#endif
