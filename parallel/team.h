/* SPDX-License-Identifier: MIT
 *
 * The minibatch step on several threads: each takes a part of the batch and sums a gradient of its
 * own; then each adds up all of them for a part of the features, in the order of the threads, and
 * updates that part of the weights. So the result does not depend on timing: the same number of
 * threads gives the same bits. Another number cuts the sums elsewhere, and the last bits differ.
 *
 * Costs, beside the work: two barriers, and reading every thread's gradient once. */
#ifndef DOWNHILL_PARALLEL_TEAM_H
#define DOWNHILL_PARALLEL_TEAM_H

#include "downhill.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct team team;

/* Can this build run more than one thread? */
bool team_supported(void);

/* `threads` threads, the calling one among them, each bound to the CPU of its number in `cpus`
 * (machine.h; -1 or no array: not bound), for weights of c × d. The memory of each is first touched
 * by the thread that uses it. Where binding fails *why says so and the team works all the same.
 * NULL: fewer threads are granted, and *why says so; or, with *why empty, out of memory, or the
 * sizes are not addressable. */
team *team_open(size_t threads, const int *cpus, size_t d, size_t c, char *why, size_t why_size);
void team_close(team *t);

/* downhill_step_f32() by the team; with one thread the same bits. `grad` receives the gradient. The
 * profile is that of the calling thread; what it waits for the others is not in it. On an error the
 * weights are as they were; the gradient may be partly written. */
downhill_status team_step_f32(team *t, const downhill_kernels *kernels,
                              const downhill_batch_f32 *batch, const downhill_weights_f32 *weights,
                              const downhill_sgd *sgd, const downhill_weights_f32 *grad,
                              double *loss_sum, downhill_profile *profile);

/* downhill_loss_grad_f32() by the team. */
downhill_status team_loss_grad_f32(team *t, const downhill_kernels *kernels,
                                   const downhill_batch_f32 *batch,
                                   const downhill_weights_f32 *weights, downhill_loss loss,
                                   const downhill_weights_f32 *grad, double *loss_sum,
                                   downhill_profile *profile);

/* downhill_step_u8() by the team. Sums of integers have no order: any number of threads gives the same
 * bits. The update, with the packing, is the calling thread's. On an error the weights are as they
 * were. */
downhill_status team_step_u8(team *t, const downhill_kernels *kernels,
                             const downhill_batch_u8 *batch, const downhill_weights_f32 *weights,
                             downhill_packed_u8 *packed, const downhill_sgd *sgd, double *loss_sum,
                             downhill_profile *profile);

/* downhill_loss_grad_u8() by the team, into sums of its own. */
downhill_status team_loss_grad_u8(team *t, const downhill_kernels *kernels,
                                  const downhill_batch_u8 *batch, const downhill_packed_u8 *packed,
                                  downhill_loss loss, double *loss_sum, downhill_profile *profile);
const downhill_sums_u8 *team_sums_u8(const team *t);

#endif
