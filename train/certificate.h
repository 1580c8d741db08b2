/* SPDX-License-Identifier: MIT
 *
 * Compares the models of the fixed training of verify/reproduce.h with the committed digests. */
#ifndef DOWNHILL_TRAIN_CERTIFICATE_H
#define DOWNHILL_TRAIN_CERTIFICATE_H

#include "model.h"
#include "verify/reproduce.h"

typedef struct certificate {
    char digest[MODEL_DIGEST_TEXT]; /* of the last model */
    size_t step;                    /* number of its step, from 0 */
    bool differs;                   /* it is not the committed one; the training ended there */
} certificate;

/* Trains with a number of threads; bf16 is trained on one. Compares nothing if the table promises
 * no bits. Returns the first error of a step, or DOWNHILL_ERR_WORKSPACE if memory is short or no
 * digest can be computed. */
downhill_status certificate_check(const reproduce_kind *kind, const downhill_kernels *kernels,
                                  size_t threads, certificate *result);

#endif
