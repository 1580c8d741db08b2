/* SPDX-License-Identifier: MIT */
#include "order.h"

#include "base/memory.h"
#include "base/rng.h"

#include <stdlib.h>
#include <string.h>

bool order_open(const samples *s, const sgd_options *options, order *o)
{
    *o = (order){.s = s,
                 .shuffle = options->shuffle,
                 .batch = options->batch,
                 .seed = options->seed,
                 .rows = memory_new(s->n, sizeof *o->rows),
                 .batches = memory_new(s->n / options->batch + 1, sizeof *o->batches)};
    return o->rows != NULL && o->batches != NULL;
}

void order_close(order *o)
{
    free(o->rows);
    free(o->batches);
}

void order_draw(order *o, size_t epoch)
{
    const samples *s = o->s;
    const size_t full_batches = s->n / o->batch;
    rng r = rng_stream(o->seed, epoch);
    memcpy(o->rows, s->rows, s->n * sizeof *o->rows);
    switch (o->shuffle) {
    case SGD_SHUFFLE_ROWS:
        rng_shuffle(&r, o->rows, s->n);
        break;
    case SGD_SHUFFLE_BATCH:
        /* The incomplete minibatch stays last: elsewhere it would shift the minibatches after
         * it. */
        for (size_t i = 0; i < full_batches; i++)
            o->batches[i] = i;
        rng_shuffle(&r, o->batches, full_batches);
        for (size_t i = 0; i < full_batches; i++)
            memcpy(o->rows + i * o->batch, s->rows + o->batches[i] * o->batch,
                   o->batch * sizeof *o->rows);
        break;
    case SGD_SHUFFLE_NONE:
        break;
    }
}
