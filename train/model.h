/* SPDX-License-Identifier: MIT
 *
 * A linear classifier in training: its weights, the gradient of a minibatch, and the step that
 * computes and applies it. */
#ifndef DOWNHILL_TRAIN_MODEL_H
#define DOWNHILL_TRAIN_MODEL_H

#include "base/sha256.h"
#include "features.h"
#include "parallel/cluster.h"

#include <signal.h>
#include <stdbool.h>

typedef struct model model;

/* Allocates c × d weights and c biases, all 0, with ldw = d. weights_free() frees them, also after
 * a failure. Returns false if memory is short. */
bool weights_new(size_t d, size_t c, downhill_weights_f32 *weights);
void weights_free(downhill_weights_f32 *weights);
void weights_copy(const downhill_weights_f32 *from, const downhill_weights_f32 *to);

bool weights_are_finite(const downhill_weights_f32 *weights);

enum { MODEL_DIGEST_TEXT = DIGEST_TEXT };

/* Computes the SHA-256, in hexadecimal, of d and c as 64 bits and W and b as f32, all
 * little-endian. With FEATURES_U8 the weights are those for bytes. Returns false if libcrypto
 * failed. */
bool weights_digest(const downhill_weights_f32 *weights, char text[MODEL_DIGEST_TEXT]);

/* Who trains a model: threads, bound to CPUs as in parallel/team.h. With a cluster (NULL: none) each
 * rank takes a part of every minibatch and all have the same model; every rank must call the same
 * functions. With `ordered`, training in f32 has the bits of one thread (parallel/ordered.h). */
typedef struct workforce {
    size_t threads;
    const int *cpus;
    const cluster *ranks;
    bool ordered;
} workforce;

/* Creates a model with all weights and biases 0. *f must outlive it. With FEATURES_U8 the data must
 * satisfy features_fit_u8(). Returns NULL if memory is short. *why receives a warning if threads
 * could not be set up as requested, else "". */
model *model_open(const features *f, const workforce *by, const downhill_kernels *kernels,
                  char *why, size_t why_size);
void model_close(model *m);

/* Returns the weights. After changing them call model_changed(). */
downhill_weights_f32 *model_weights(model *m);
downhill_status model_changed(model *m);

/* Returns whether several ranks train the model. */
bool model_is_shared(const model *m);

/* Computes the gradient of the n training samples in `rows` and updates the weights, in one call.
 * The n_next row numbers after them are those of the next step. Only for a model that is not shared
 * by ranks. */
downhill_status model_step(model *m, const size_t *rows, size_t n, size_t n_next,
                           const downhill_sgd *sgd, double *loss_sum, downhill_profile *profile);

/* Computes the gradient of such a minibatch and keeps it in the model. With several ranks *loss_sum
 * is the sum over all of them. */
downhill_status model_gradient(model *m, const size_t *rows, size_t n, size_t n_next,
                               downhill_loss loss, double *loss_sum, downhill_profile *profile);

/* Updates `to` by the gradient kept in the model, a sum over n samples, as downhill_update_f32()
 * does; sgd->loss is not read. `to` is either the weights of the model, which are then ready for
 * the next step, or other weights of the same shape. */
downhill_status model_add_gradient(model *m, const downhill_weights_f32 *to, size_t n,
                                   const downhill_sgd *sgd);

/* Computes y ← beta·y + alpha·x, see downhill_axpby_f32(). */
downhill_status model_axpby(const model *m, float alpha, const downhill_weights_f32 *x, float beta,
                            const downhill_weights_f32 *y);

/* Subtracts the mean gradient of any number of training samples from `to`. Returns early once *stop
 * is not 0, with `to` undefined. */
downhill_status model_add_mean_gradient(model *m, const samples *s, downhill_loss loss,
                                        const volatile sig_atomic_t *stop,
                                        const downhill_weights_f32 *to);

/* The gradient as the model keeps it, in multiples of `unit`, for callers that add up several. All
 * pointers but one are NULL. */
typedef struct model_sums {
    const downhill_gradient_f32 *f32;
    const downhill_gradient_u8 *i32;
    const downhill_gradient_f64 *f64;
    double unit;
} model_sums;

model_sums model_gradient_sums(const model *m);

/* Returns whether a signal had told any rank to stop at the last gradient. */
bool model_is_stopped(const model *m);

#endif
