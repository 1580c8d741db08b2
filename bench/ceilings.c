/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "ceilings.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/rng.h"
#include "parallel/together.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- memory levels and sets ---- */

size_t ceilings_next_threads(size_t threads, size_t max)
{
    return threads >= max ? 0 : 2 * threads < max ? 2 * threads : max;
}

/* Returns the bytes of a working set that exceeds the previous level and fits well into this one:
 * at most half of it, and less if a large shared level need not be filled. Returns 0 if this level
 * is hardly larger than the previous one, so that a measurement could not tell them apart. */
static uint64_t test_size(uint64_t previous, uint64_t capacity)
{
    const uint64_t bytes =
        previous == 0 || 8 * previous > capacity / 2 ? capacity / 2 : 8 * previous;
    return 2 * bytes < 3 * previous ? 0 : bytes;
}

ceilings ceilings_of(const machine *m, size_t threads)
{
    ceilings roofline = {0};
    uint64_t previous = 0, all_instances = 0;
    for (size_t i = 0; i < m->n_caches && roofline.n_levels + 1 < CEILING_LEVELS_MAX; i++) {
        const machine_cache *cache = &m->caches[i];
        if (cache->type[0] == 'i' || cache->bytes <= previous)
            continue;
        const uint64_t test_bytes = test_size(previous, cache->bytes);
        if (test_bytes == 0)
            continue;
        struct ceiling_level *level = &roofline.level[roofline.n_levels++];
        snprintf(level->name, sizeof level->name, "L%u", cache->level);
        level->capacity = cache->bytes;
        level->instances = cache->shared_by_pus > 0 && cache->shared_by_pus < m->pus
                               ? m->pus / cache->shared_by_pus
                               : 1;
        const unsigned threads_per_core = m->cores > 0 && m->pus > m->cores ? m->pus / m->cores : 1;
        level->cores =
            cache->shared_by_pus > threads_per_core ? cache->shared_by_pus / threads_per_core : 1;
        level->test_bytes = test_bytes / 4096 * 4096;
        previous = cache->bytes;
        all_instances = cache->bytes * level->instances;
    }
    struct ceiling_level *memory = &roofline.level[roofline.n_levels++];
    snprintf(memory->name, sizeof memory->name, "DRAM");
    memory->instances = memory->cores = 1;
    memory->capacity = UINT64_MAX;
    memory->test_bytes = 4 * all_instances > (256u << 20) ? 4 * all_instances : 256u << 20;
    for (size_t t = 1; t != 0 && roofline.n_sets < CEILING_SETS_MAX;
         t = ceilings_next_threads(t, threads))
        roofline.sets[roofline.n_sets++].threads = t;
    return roofline;
}

const ceiling_set *ceilings_set(const ceilings *roofline, size_t threads)
{
    for (size_t i = 0; i < roofline->n_sets; i++)
        if (roofline->sets[i].threads == threads)
            return &roofline->sets[i];
    return NULL;
}

/* Returns the number of instances of a level that threads on consecutive cores use. */
static size_t used_instances(const struct ceiling_level *level, size_t threads)
{
    const size_t cores = level->cores > 0 ? level->cores : 1;
    const size_t count = (threads + cores - 1) / cores;
    return count < level->instances ? count : level->instances;
}

size_t ceilings_level(const ceilings *roofline, double bytes, size_t threads)
{
    size_t i = 0;
    while (i + 1 < roofline->n_levels &&
           bytes > (double)roofline->level[i].capacity *
                       (double)used_instances(&roofline->level[i], threads))
        i++;
    return i;
}

/* ---- measurement ---- */

/* Returns the bytes of a level that each thread works on, or 0 if all threads together would fit
 * into the previous level. */
static uint64_t bytes_per_thread(const ceilings *roofline, size_t i, size_t threads)
{
    const struct ceiling_level *l = &roofline->level[i], *nearer = i > 0 ? l - 1 : NULL;
    if (l->capacity == UINT64_MAX)
        return l->test_bytes / threads / 4096 * 4096;
    const uint64_t previous =
        nearer != NULL ? nearer->capacity * used_instances(nearer, threads) : 0;
    return test_size(previous, l->capacity * used_instances(l, threads)) / threads / 4096 * 4096;
}

/* Context of open_task(). */
struct opening {
    ceiling_task *tasks;
    const ceiling_effort *effort;
    uint64_t bytes;
};

/* Fills a buffer with normal numbers in [1, 2). Some CPUs elide stores of zeros over zeros,
 * subnormals are slow, and a hypervisor might merge equal pages. May take seconds, so it polls
 * `stop`. */
static void fill(float *buffer, uint64_t bytes, const ceiling_effort *effort)
{
    enum { POLL_COUNT = 1 << 20 };
    const size_t count = bytes / sizeof *buffer;
    for (size_t begin = 0; begin < count && !ceilings_stopped(effort); begin += POLL_COUNT) {
        const size_t end = count - begin < POLL_COUNT ? count : begin + POLL_COUNT;
        for (size_t i = begin; i < end; i++) {
            const uint32_t bits = 0x3F800000u | (uint32_t)i * 0x9E3779B1u >> 9;
            memcpy(&buffer[i], &bits, sizeof bits);
        }
    }
}

/* Allocates the buffers of a thread on that thread, so that they are in its NUMA node. */
static void open_task(void *context, size_t thread)
{
    const struct opening *o = context;
    ceiling_task *task = &o->tasks[thread];
    uint32_t *order = memory_new(o->bytes / CEILING_ROW, sizeof *order);
    task->buffer = memory_new(o->bytes, 1);
    task->order = order;
    if (task->buffer != NULL)
        fill(task->buffer, o->bytes, o->effort);
}

/* Sets the order of the rows of the working set to a random one. */
static void shuffle_rows(ceiling_task *task)
{
    uint32_t *order = (uint32_t *)(uintptr_t)task->order;
    const size_t rows = task->bytes / CEILING_ROW;
    rng r = rng_seeded(1);
    for (size_t i = 0; i < rows; i++)
        order[i] = (uint32_t)i;
    for (size_t i = rows; i > 1; i--) {
        const size_t j = (size_t)rng_below(&r, i);
        const uint32_t row = order[j];
        order[j] = order[i - 1];
        order[i - 1] = row;
    }
}

static bool measure_set(ceilings *roofline, ceiling_set *set, uint32_t mask, const int *cpus,
                        ceiling_effort effort)
{
    enum { ROUNDS = 10000 };
    ceiling_task *tasks = calloc(set->threads, sizeof *tasks);
    if (tasks == NULL)
        return false;
    (void)together_bind(set->threads, cpus);
    struct opening opening = {tasks, &effort, 0}; /* bytes: the largest working set to measure */
    for (size_t i = 0; i < roofline->n_levels; i++) {
        const uint64_t bytes = bytes_per_thread(roofline, i, set->threads);
        if ((mask >> (PEAK_COUNT + i) & 1) != 0 && bytes > opening.bytes)
            opening.bytes = bytes;
    }
    together_run(set->threads, open_task, &opening);
    bool good = true;
    for (size_t t = 0; t < set->threads; t++) {
        good = good && tasks[t].buffer != NULL && tasks[t].order != NULL;
        tasks[t].count = ROUNDS;
    }
    const ceiling_team team = {set->threads, tasks, effort};
    if (good)
        ceilings_measure_peaks(set, mask, &team);
    for (size_t i = 0; good && i < roofline->n_levels && !ceilings_stopped(&effort); i++) {
        const uint64_t bytes = bytes_per_thread(roofline, i, set->threads);
        if (bytes == 0 || (mask >> (PEAK_COUNT + i) & 1) == 0)
            continue;
        for (size_t t = 0; t < set->threads; t++) {
            tasks[t].bytes = bytes;
            shuffle_rows(&tasks[t]);
        }
        ceilings_measure_memory(set->gb_per_s[i], &team);
    }
    for (size_t t = 0; t < set->threads; t++) {
        free(tasks[t].buffer);
        free((void *)(uintptr_t)tasks[t].order);
    }
    free(tasks);
    return good;
}

/* Returns the minimum difference of two readings of the clock. */
static double timer_resolution_ns(void)
{
    double min_s = 1.0;
    for (int i = 0; i < 1000; i++) {
        const double start = clock_seconds();
        double step;
        while ((step = clock_seconds() - start) == 0.0) {
        }
        min_s = step < min_s ? step : min_s;
    }
    return min_s * 1e9;
}

bool ceilings_measure(ceilings *roofline, const int *cpus, ceiling_effort effort)
{
    const time_t now = time(NULL);
    struct tm local;
    localtime_r(&now, &local);
    strftime(roofline->measured, sizeof roofline->measured, "%Y-%m-%dT%H:%M:%S%z", &local);
    roofline->timer_ns = timer_resolution_ns();
    ceilings_raise(&roofline->clock_ghz, ceilings_clock(50));
    bool good = true;
    for (size_t i = 0; i < roofline->n_sets && !ceilings_stopped(&effort); i++)
        good = good && measure_set(roofline, &roofline->sets[i], UINT32_MAX, cpus, effort);
    return good;
}

bool ceilings_measure_some(ceilings *roofline, size_t set, uint32_t mask, const int *cpus,
                           ceiling_effort effort)
{
    return measure_set(roofline, &roofline->sets[set], mask, cpus, effort);
}
