/* SPDX-License-Identifier: MIT */
#include "buffer_pool.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Results of checking a peer at a shape. */
enum { UNCHECKED, CORRECT, INCORRECT };

/* Maximum number of workloads. More, with about thirty buffers each, would take longer to fill than
 * to time. */
enum { RING_MAX = 1 << 16 };

/* Size of a pool over that of the last cache level, which then holds nothing of the next call. */
static const double ring_size = 2.0;

/* Estimates the bytes of one workload: features of three types, weights, gradients and packed
 * weights. */
static double workload_bytes(size_t n, size_t d, size_t c)
{
    /* About 30 buffers, each moved by up to a page or its own size (placement.h). */
    const double data = 7.0 * (double)n * (double)d + 64.0 * (double)d * (double)c,
                 moved = 30.0 * 4096.0;
    return data + (moved < data ? moved : data);
}

/* Returns the number of workloads in the pool of a row. */
static size_t pool_length(const bench_row *row, uint64_t last_level)
{
    return row->cold ? (size_t)ceil(ring_size * (double)last_level / row->working_set) + 1 : 1;
}

static shape_buffers *find_shape(buffer_pool *pool, const bench_row *row)
{
    for (size_t i = 0; i < pool->count; i++)
        if (pool->buffers[i].n == row->n && pool->buffers[i].d == row->d &&
            pool->buffers[i].c == row->c)
            return &pool->buffers[i];
    return NULL;
}

/* Allocates s->n_loads workloads; sets s->missing on failure. A user's --shape may take any memory;
 * a pool or a shape of the map takes a quarter at most, so that other programs are not swapped
 * out. */
static void open_buffers(shape_buffers *s, const bench_options *o, size_t pass, bool is_map)
{
    const double max_bytes =
        o->machine != NULL ? 0.25 * (double)o->machine->memory_bytes : INFINITY;
    const double bytes = (double)s->n_loads * workload_bytes(s->n, s->d, s->c);
    if ((s->n_loads > 1 || is_map) && bytes > max_bytes) {
        snprintf(s->missing, sizeof s->missing,
                 "%s would take %.1f GB, more than a quarter of the memory, %.1f GB",
                 is_map ? "its buffers" : "buffers that no cache holds", bytes * 1e-9,
                 max_bytes * 1e-9);
        s->n_loads = 0;
        return;
    }
    if (s->n_loads > RING_MAX) {
        snprintf(s->missing, sizeof s->missing,
                 "the working set is too small: %zu copies would not fill the caches; give a "
                 "larger --shape",
                 (size_t)RING_MAX);
        s->n_loads = 0;
        return;
    }
    const size_t length = s->n_loads;
    s->loads = calloc(length, sizeof *s->loads);
    s->n_loads = 0;
    while (s->loads != NULL && s->n_loads < length &&
           workload_open(&s->loads[s->n_loads], s->n, s->d, s->c, o->seed + s->n_loads,
                         o->seed + ((uint64_t)pass << 32) + s->n_loads))
        s->n_loads++;
    if (s->n_loads < length)
        snprintf(s->missing, sizeof s->missing, "out of memory");
}

void buffer_pool_open(buffer_pool *pool, const bench_options *options, bench_suite *suite,
                      size_t first, size_t pass)
{
    const size_t family = suite->rows[first].family;
    if (pool->buffers != NULL && pool->family == family && pool->pass == pass)
        return;
    buffer_pool_close(pool);
    *pool = (buffer_pool){.family = family, .pass = pass};
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
        shape_buffers *buffers = find_shape(pool, row);
        if (buffers == NULL) {
            buffers = &pool->buffers[pool->count++];
            *buffers = (shape_buffers){.n = row->n, .d = row->d, .c = row->c};
        }
        const size_t length = pool_length(row, last_level);
        buffers->n_loads = length > buffers->n_loads ? length : buffers->n_loads;
    }
    for (size_t i = 0; i < pool->count; i++)
        open_buffers(&pool->buffers[i], options, pass, suite->rows[first].sweep == SWEEP_MAP);
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
    shape_buffers *buffers = find_shape(pool, row);
    if (buffers == NULL || buffers->missing[0] != '\0') {
        snprintf(why, why_size, "%s", buffers == NULL ? "out of memory" : buffers->missing);
        return false;
    }
    task->loads = buffers->loads;
    task->n_loads = buffers->n_loads;
    if (row->peer == NULL)
        return true;
    if (row->peer->missing[0] != '\0') {
        snprintf(why, why_size, "%s", row->peer->missing);
        return false;
    }
    signed char *check = &pool->peers[(size_t)(buffers - pool->buffers) * PEERS_COUNT +
                                      (size_t)(row->peer - peers_open())];
    if (*check == UNCHECKED)
        *check = peer_agrees(row->peer, &buffers->loads[0]) ? CORRECT : INCORRECT;
    if (*check == INCORRECT)
        snprintf(why, why_size,
                 "its scores or gradient differ from ours by more than the error bound");
    return *check == CORRECT;
}
