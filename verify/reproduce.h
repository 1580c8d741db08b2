/* SPDX-License-Identifier: MIT
 *
 * A small fixed training, whose models are committed as digests: eight steps on synthetic samples,
 * for every type of features and both losses. Needs the library only, so that it runs wherever the
 * library does. */
#ifndef DOWNHILL_VERIFY_REPRODUCE_H
#define DOWNHILL_VERIFY_REPRODUCE_H

#include "isa/kernels.h"

#include <stdbool.h>

enum { REPRODUCE_STEPS = 8, REPRODUCE_DIGEST = 64 /* hexadecimal digits */ };

/* Describes a training: a row of reproduce.def. */
typedef struct reproduce_kind {
    const char *dtype;
    enum element element;
    downhill_loss loss;
    /* SHA-256 of the model after each step: d and c as 64 bits, then W and b, all little-endian. */
    const char *digests[REPRODUCE_STEPS];
} reproduce_kind;

enum {
#define REPRODUCE(dtype, element, loss, ...) REPRODUCE_##element##_##loss,
#include "reproduce.def"
    REPRODUCE_KINDS
};
extern const reproduce_kind reproduce_kinds[REPRODUCE_KINDS];

/* Returns whether the digests hold for a table: sums of bytes are exact on every level, others have
 * a fixed order on most. */
bool reproduce_is_promised(const downhill_kernels *kernels, enum element element);

/* One step. The batch of the kind's type is set, and for bytes the packed weights. */
typedef struct reproduce_step {
    const downhill_kernels *kernels;
    enum element element;
    downhill_batch_f32 f32;
    downhill_batch_bf16 bf16;
    downhill_batch_u8 u8;
    downhill_weights_f32 weights;
    downhill_packed_u8 *packed;
    downhill_gradient_f32 grad; /* for f32 and bf16 */
    downhill_sgd sgd;
} reproduce_step;

/* Takes a step. */
typedef downhill_status reproduce_stepper(void *context, const reproduce_step *step);

/* Takes a step with the library alone, on one thread; context is unused. */
downhill_status reproduce_alone(void *context, const reproduce_step *step);

/* Looks at the model after a step. Returns false to end the training. */
typedef bool reproduce_look(void *context, size_t step, const downhill_weights_f32 *weights);

/* Trains, and has each model looked at. Returns the first error of a step, or
 * DOWNHILL_ERR_WORKSPACE if memory is short. */
downhill_status reproduce_train(const reproduce_kind *kind, const downhill_kernels *kernels,
                                reproduce_stepper *step, reproduce_look *look, void *context);

#endif
