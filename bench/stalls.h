/* SPDX-License-Identifier: MIT
 *
 * The buffers of a family of rows: one workload for each shape, or, for cold rows, a ring of them. */
#ifndef DOWNHILL_BENCH_STALLS_H
#define DOWNHILL_BENCH_STALLS_H

#include "suite.h"
#include "workload.h"

typedef struct stall {
    size_t n, d, c;
    workload *loads;
    size_t n_loads;
    char missing[128]; /* why there are none; "" if there are */
} stall;

typedef struct stalls {
    stall *stall;
    size_t count, family; /* of the rows that they are for */
    /* What a peer of the shape was found to be. */
    signed char *peers; /* count × PEERS_COUNT */
} stalls;

/* Makes those of the family of row `first`, in place of those of another. Where memory is short, what
 * cannot be had is missing. */
void stalls_open(stalls *s, const bench_options *options, bench_suite *suite, size_t first);
void stalls_close(stalls *s);

/* Gives the task the buffers of the row, and proves its peer on them at the first time. false: they are
 * missing, or the peer is, or is wrong. */
bool stalls_find(stalls *s, const bench_row *row, bench_task *task, char *why, size_t why_size);

#endif
