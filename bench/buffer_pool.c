/* SPDX-License-Identifier: MIT */
#include "buffer_pool.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { UNKNOWN, RIGHT, WRONG };

/* More workloads than this, each of some thirty buffers, would take longer to make than to time. */
enum { RING_MAX = 1 << 16 };

/* A ring so long that a call finds nothing of its own left in the last level, counting only what it uses. */
static const double times_last_level = 2.0;

/* About what one workload takes: features of three types, and weights, gradients and packed weights. */
static double bytes_of(size_t n, size_t d, size_t c)
{
    return 7.0 * (double)n * (double)d + 64.0 * (double)d * (double)c;
}

/* How many workloads a row wants. */
static size_t ring_of(const bench_row *row, uint64_t last_level)
{
    return row->cold ? (size_t)ceil(times_last_level * (double)last_level / row->working_set) + 1
                     : 1;
}

static shape_buffers *of_shape(buffer_pool *pool, const bench_row *row)
{
    for (size_t i = 0; i < pool->count; i++)
        if (pool->buffers[i].n == row->n && pool->buffers[i].d == row->d &&
            pool->buffers[i].c == row->c)
            return &pool->buffers[i];
    return NULL;
}

static void open_buffers(shape_buffers *s, const bench_options *o)
{
    /* So that the rest of the machine is not pushed out. */
    const double most = o->machine != NULL ? 0.25 * (double)o->machine->memory_bytes : INFINITY;
    const double bytes = (double)s->n_loads * bytes_of(s->n, s->d, s->c);
    if (s->n_loads > 1 && bytes > most) {
        snprintf(s->missing, sizeof s->missing,
                 "buffers that no cache holds would take %.1f GB, and a quarter of the memory is "
                 "%.1f GB",
                 bytes * 1e-9, most * 1e-9);
        s->n_loads = 0;
        return;
    }
    if (s->n_loads > RING_MAX) {
        snprintf(s->missing, sizeof s->missing,
                 "a call takes too little memory: %zu of them would not fill the caches; give a "
                 "larger --shape",
                 (size_t)RING_MAX);
        s->n_loads = 0;
        return;
    }
    const size_t wanted = s->n_loads;
    s->loads = calloc(wanted, sizeof *s->loads);
    s->n_loads = 0;
    while (s->loads != NULL && s->n_loads < wanted &&
           workload_open(&s->loads[s->n_loads], s->n, s->d, s->c, o->seed + s->n_loads))
        s->n_loads++;
    if (s->n_loads < wanted)
        snprintf(s->missing, sizeof s->missing, "out of memory");
}

void buffer_pool_open(buffer_pool *pool, const bench_options *options, bench_suite *suite,
                      size_t first)
{
    const size_t family = suite->rows[first].family;
    if (pool->buffers != NULL && pool->family == family)
        return;
    buffer_pool_close(pool);
    *pool = (buffer_pool){.family = family};
    size_t end = first;
    while (end < suite->n_rows && suite->rows[end].family == family)
        end++;
    pool->buffers = calloc(end - first, sizeof *pool->buffers);
    pool->peers = calloc(end - first, PEERS_COUNT);
    if (pool->buffers == NULL || pool->peers == NULL)
        return;
    const uint64_t last_level = options->machine != NULL ? machine_last_level(options->machine) : 0;
    for (size_t i = first; i < end; i++) {
        const bench_row *row = &suite->rows[i];
        shape_buffers *found = of_shape(pool, row);
        if (found == NULL) {
            found = &pool->buffers[pool->count++];
            *found = (shape_buffers){.n = row->n, .d = row->d, .c = row->c};
        }
        const size_t ring = ring_of(row, last_level);
        found->n_loads = ring > found->n_loads ? ring : found->n_loads;
    }
    for (size_t i = 0; i < pool->count; i++)
        open_buffers(&pool->buffers[i], options);
}

void buffer_pool_close(buffer_pool *pool)
{
    for (size_t i = 0; pool->buffers != NULL && i < pool->count; i++) {
        for (size_t l = 0; l < pool->buffers[i].n_loads; l++)
            workload_close(&pool->buffers[i].loads[l]);
        free(pool->buffers[i].loads);
    }
    free(pool->buffers);
    free(pool->peers);
    *pool = (buffer_pool){0};
}

bool buffer_pool_find(buffer_pool *pool, const bench_row *row, bench_task *task, char *why,
                      size_t why_size)
{
    shape_buffers *found = of_shape(pool, row);
    if (found == NULL || found->missing[0] != '\0') {
        snprintf(why, why_size, "%s", found == NULL ? "out of memory" : found->missing);
        return false;
    }
    task->loads = found->loads;
    task->n_loads = found->n_loads;
    if (row->peer == NULL)
        return true;
    if (row->peer->missing[0] != '\0') {
        snprintf(why, why_size, "%s", row->peer->missing);
        return false;
    }
    signed char *proof = &pool->peers[(size_t)(found - pool->buffers) * PEERS_COUNT +
                                      (size_t)(row->peer - peers_open())];
    if (*proof == UNKNOWN)
        *proof = peer_agrees(row->peer, &found->loads[0]) ? RIGHT : WRONG;
    if (*proof == WRONG)
        snprintf(why, why_size, "its scores or its gradient are not within the bound of ours");
    return *proof == RIGHT;
}
