/* SPDX-License-Identifier: MIT
 *
 * The order in which the samples of an epoch are taken: of each epoch from its seed and number alone. */
#ifndef DOWNHILL_TRAIN_ORDER_H
#define DOWNHILL_TRAIN_ORDER_H

#include "data/samples.h"
#include "sgd.h"

typedef struct order {
    const samples *s;
    sgd_shuffle shuffle;
    size_t batch;
    uint64_t seed;
    size_t *rows;    /* s->n: rows of s->x, to be taken from the first on */
    size_t *batches; /* SGD_SHUFFLE_BATCH: the whole minibatches in their order */
} order;

/* false: no memory. */
bool order_open(const samples *s, const sgd_options *options, order *o);
void order_close(order *o);

void order_draw(order *o, size_t epoch);

#endif
