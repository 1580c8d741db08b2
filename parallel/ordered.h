/* SPDX-License-Identifier: MIT
 *
 * The minibatch step in f32 with the bits of one thread, for any number of threads and ranks. The
 * workers, all threads of all ranks, compute the dscores of a part of some samples each; then each
 * sums the gradient over all of these samples, in order, for a part of the features. So every
 * element of the gradient is the chain of FMAs that downhill.h describes for a table with a fixed
 * order of sums.
 *
 * Every rank must be able to read all samples. Compared with team.h, a worker reads the samples of
 * the others for its features: from a shared cache, or, by other ranks, from memory. */
#ifndef DOWNHILL_PARALLEL_ORDERED_H
#define DOWNHILL_PARALLEL_ORDERED_H

#include "cluster.h"
#include "downhill.h"

typedef struct ordered ordered;

/* Allocates the buffers of `threads` threads for weights of c × d. `ranks` is NULL for one process.
 * Returns NULL if memory is short. */
ordered *ordered_open(size_t threads, const cluster *ranks, size_t d, size_t c);
void ordered_close(ordered *o);

/* Computes loss and gradient of a batch, the same on all ranks, and updates the weights unless sgd
 * is NULL. The loss is that of this rank's samples; its last bits depend on the number of workers.
 * The profile is that of the calling thread, without the time that it waits for others. On an error the
 * weights are unchanged; the gradient may be partly written. */
downhill_status ordered_step_f32(ordered *o, const downhill_kernels *kernels,
                                 const downhill_batch_f32 *batch,
                                 const downhill_weights_f32 *weights, downhill_loss loss,
                                 const downhill_sgd *sgd, const downhill_gradient_f32 *grad,
                                 double *loss_sum, downhill_profile *profile);

#endif
