/* SPDX-License-Identifier: MIT
 *
 * The kernels that a peer can compute: its matrix products on the buffers of a workload, the rest
 * by our best level. */
#ifndef DOWNHILL_BENCH_PEER_CALLS_H
#define DOWNHILL_BENCH_PEER_CALLS_H

#include "kernel_list.h"
#include "peers.h"
#include "workload.h"

/* Runs a kernel once. */
typedef downhill_status peer_call(const peer *p, workload *load);

/* Returns the function that runs a kernel on a peer: scores, the gradient, the hinge step and its
 * epochs have one; NULL for all others. */
peer_call *peer_call_of(bench_kernel kernel);

/* Computes scores and gradient by the peer and by our best level. Returns whether they agree within
 * twice the error bound of downhill.h. */
bool peer_agrees(const peer *p, workload *load);

#endif
