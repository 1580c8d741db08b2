/* SPDX-License-Identifier: MIT
 *
 * A linear classifier in training: its weights, the gradient of a minibatch, and the step that takes both
 * together. */
#ifndef DOWNHILL_TRAIN_MODEL_H
#define DOWNHILL_TRAIN_MODEL_H

#include "base/sha256.h"
#include "features.h"
#include "parallel/cluster.h"

#include <signal.h>
#include <stdbool.h>

typedef struct model model;

/* c × d weights and c biases, all 0, without gaps. To be freed by
 * weights_free(). false: no memory. */
bool weights_new(size_t d, size_t c, downhill_weights_f32 *weights);
void weights_free(downhill_weights_f32 *weights);
void weights_copy(const downhill_weights_f32 *from, const downhill_weights_f32 *to);

bool weights_are_finite(const downhill_weights_f32 *weights);

enum { MODEL_DIGEST_TEXT = DIGEST_TEXT };

/* SHA-256, in hexadecimal, of d and c as 64 bits and W and b as f32, all little-endian. The weights of
 * FEATURES_U8 are those for bytes. false: the library for it failed. */
bool weights_digest(const downhill_weights_f32 *weights, char text[MODEL_DIGEST_TEXT]);

/* All weights and biases 0. *f must outlive it. NULL: no memory. FEATURES_U8: only data that fit. *why
 * says what is not as wished where it is not fatal, else "". With a cluster (NULL: none) each rank takes a
 * part of every minibatch, and all have the same model: every rank calls the same functions. */
model *model_open(const features *f, size_t threads, const int *cpus, const cluster *ranks,
                  const downhill_kernels *kernels, char *why, size_t why_size);
void model_close(model *m);

/* The weights; whoever changes them calls model_changed(). */
downhill_weights_f32 *model_weights(model *m);
downhill_status model_changed(model *m);

/* Do several ranks train it? */
bool model_is_shared(const model *m);

/* A step with the n training samples in these rows; n_next of those of the next step follow them. Gradient and update in
 * one, of a model that is this process's alone. */
downhill_status model_step(model *m, const size_t *rows, size_t n, size_t n_next,
                           const downhill_sgd *sgd, double *loss_sum, downhill_profile *profile);

/* The gradient of such a minibatch, which the model keeps. With several ranks *loss_sum is that of all. */
downhill_status model_gradient(model *m, const size_t *rows, size_t n, size_t n_next,
                               downhill_loss loss, double *loss_sum, downhill_profile *profile);

/* Updates `to` by the gradient that the model keeps, a sum over n samples, as downhill_update_f32() does; the loss of sgd
 * is not read. `to` is the weights of the model, which are then ready for the next step, or others of their shape. */
downhill_status model_add_gradient(model *m, const downhill_weights_f32 *to, size_t n,
                                   const downhill_sgd *sgd);

/* y ← beta·y + alpha·x, see downhill_axpby_f32(). */
downhill_status model_axpby(const model *m, float alpha, const downhill_weights_f32 *x, float beta,
                            const downhill_weights_f32 *y);

/* to ← to - the mean gradient of these training samples, however many they are. Returns early once *stop is not 0, with
 * `to` undefined. */
downhill_status model_add_mean_gradient(model *m, const samples *s, downhill_loss loss,
                                        const volatile sig_atomic_t *stop,
                                        const downhill_weights_f32 *to);

/* The gradient as it is kept, for those who add up several. The other pointer is NULL. */
typedef struct model_sums {
    const downhill_weights_f32 *f32;
    const downhill_sums_u8 *u8;
} model_sums;

model_sums model_gradient_sums(const model *m);

/* Did a signal tell any rank to stop, as of the last gradient? */
bool model_is_stopped(const model *m);

#endif
