/* SPDX-License-Identifier: MIT
 *
 * The buffers of a family of rows: one workload per shape, or a pool of them for cold rows. */
#ifndef DOWNHILL_BENCH_BUFFER_POOL_H
#define DOWNHILL_BENCH_BUFFER_POOL_H

#include "suite.h"
#include "task.h"

typedef struct shape_buffers {
    size_t n, d, c;
    workload *loads;
    size_t n_loads;
    char missing[128]; /* why there are no workloads, or "" */
} shape_buffers;

typedef struct buffer_pool {
    shape_buffers *buffers;
    size_t count, family, pass; /* family: of the rows that use them */
    signed char *peers;         /* count × PEERS_COUNT: results of checking a peer at a shape */
} buffer_pool;

/* Allocates the buffers for the family of row `first` in a pass and frees those of another family or
 * pass. The data of all passes are the same, their addresses are not. If memory
 * is short, a shape has no buffers and `missing` says why. */
void buffer_pool_open(buffer_pool *pool, const bench_options *options, bench_suite *suite,
                      size_t first, size_t pass);
void buffer_pool_close(buffer_pool *pool);

/* Gives the buffers of the row to the task. At the first use of a peer with these buffers, checks
 * its results. Returns false and sets `why` if the buffers or the peer are missing, or its results
 * are wrong. */
bool buffer_pool_find(buffer_pool *pool, const bench_row *row, bench_task *task, char *why,
                      size_t why_size);

#endif
