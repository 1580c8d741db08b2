/* SPDX-License-Identifier: MIT
 *
 * The order of the samples in an epoch. It depends only on the seed and the number of the epoch. */
#ifndef DOWNHILL_TRAIN_ORDER_H
#define DOWNHILL_TRAIN_ORDER_H

#include "data/samples.h"
#include "sgd.h"

typedef struct order {
    const samples *s;
    sgd_shuffle shuffle;
    size_t batch;
    uint64_t seed;
    size_t *rows;    /* s->n row numbers of s->x, in the order of the epoch */
    size_t *batches; /* SGD_SHUFFLE_BATCH: order of the complete minibatches */
} order;

/* Returns false if memory is short. */
bool order_open(const samples *s, const sgd_options *options, order *o);
void order_close(order *o);

void order_draw(order *o, size_t epoch);

#endif
