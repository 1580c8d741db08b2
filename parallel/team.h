/* SPDX-License-Identifier: MIT
 *
 * The minibatch step on several threads. Each thread computes a gradient from its part of the
 * batch; then each sums all gradients for a part of the features, in the order of the threads, and
 * updates that part of the weights. So the result does not depend on timing: the same number of
 * threads gives the same bits. With another number of threads the sums are divided differently and
 * the last bits differ.
 *
 * Overhead: two barriers, and reading every thread's gradient once. */
#ifndef DOWNHILL_PARALLEL_TEAM_H
#define DOWNHILL_PARALLEL_TEAM_H

#include "downhill.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct team team;

/* Returns whether this build can run more than one thread. */
bool team_supported(void);

/* Creates a team of `threads` threads, including the calling one, for weights of c × d. Each is
 * bound to its CPU in `cpus` (machine.h; -1 or no array: not bound), and first touches the memory
 * that it uses. If binding fails, the team works unbound and *why says so. Returns NULL if fewer
 * threads are granted, with the reason in *why; or, with *why empty, if memory is short or the
 * sizes are not addressable. */
team *team_open(size_t threads, const int *cpus, size_t d, size_t c, char *why, size_t why_size);
void team_close(team *t);

/* Returns the buffers for steps of the same threads with the bits of one thread (ordered.h), or NULL
 * if memory is short. They belong to the team, which allocates them at the first call. */
struct ordered *team_ordered(team *t);

/* Does downhill_step_f32() on all threads; with one thread the bits are the same. `grad` receives
 * the gradient. The profile is that of the calling thread, without the time that it waits for the
 * others. On an error the weights are unchanged; the gradient may be partly written. */
downhill_status team_step_f32(team *t, const downhill_kernels *kernels,
                              const downhill_batch_f32 *batch, const downhill_weights_f32 *weights,
                              const downhill_sgd *sgd, const downhill_gradient_f32 *grad,
                              double *loss_sum, downhill_profile *profile);

/* Does downhill_loss_grad_f32() on all threads. */
downhill_status team_loss_grad_f32(team *t, const downhill_kernels *kernels,
                                   const downhill_batch_f32 *batch,
                                   const downhill_weights_f32 *weights, downhill_loss loss,
                                   const downhill_gradient_f32 *grad, double *loss_sum,
                                   downhill_profile *profile);

/* Does downhill_step_u8() on all threads. Integer sums do not depend on the order, so any number of
 * threads gives the same bits. The calling thread does the update and the packing. On an error the
 * weights and *loss_sum are unchanged. */
downhill_status team_step_u8(team *t, const downhill_kernels *kernels,
                             const downhill_batch_u8 *batch, const downhill_weights_f32 *weights,
                             downhill_packed_u8 *packed, const downhill_sgd *sgd, double *loss_sum,
                             downhill_profile *profile);

/* Computes loss and gradient of bytes on all threads, into sums that team_gradient_u8() returns.
 * n_all is the number of samples whose gradients will be added: those of the batch, or of the
 * batches of all ranks. It decides whether 32 bits hold the sums. */
downhill_status team_loss_grad_u8(team *t, const downhill_kernels *kernels,
                                  const downhill_batch_u8 *batch, size_t n_all,
                                  const downhill_packed_u8 *packed, downhill_loss loss,
                                  double *loss_sum, downhill_profile *profile);

/* Chooses the type of such sums, before anything can fail that other ranks do not know of. */
void team_choose_sums_u8(team *t, size_t n_all, downhill_loss loss);

/* Sets the sums of the chosen type to 0, for a rank without samples. */
void team_clear_gradient_u8(team *t);

/* Allocates the sums in f64 of every thread in advance. Returns false if memory is short. */
bool team_reserve_f64(team *t);

/* Updates weights by those sums, of n samples, and packs them, as downhill_update_u8() does. */
downhill_status team_update_u8(const team *t, const downhill_kernels *kernels,
                               const downhill_weights_f32 *weights, downhill_packed_u8 *packed,
                               size_t n, const downhill_sgd *sgd);

/* The sums of the last gradient of bytes: in 32 bits if they hold it, else in f64. The other
 * pointer is NULL. */
typedef struct team_sums {
    const downhill_gradient_u8 *i32;
    const downhill_gradient_f64 *f64;
} team_sums;
team_sums team_gradient_u8(const team *t);

#endif
