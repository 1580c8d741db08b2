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

/* ---- levels and sets ---- */

size_t ceilings_next_threads(size_t threads, size_t most)
{
    return threads >= most ? 0 : 2 * threads < most ? 2 * threads : most;
}

/* A working set beyond the level before and well inside this one: a large shared one need not be full. 0: this
 * is hardly larger than the one before, and there is nothing to be told apart. */
static uint64_t between(uint64_t before, uint64_t holds)
{
    const uint64_t most = before == 0 || 8 * before > holds / 2 ? holds / 2 : 8 * before;
    return 2 * most < 3 * before ? 0 : most;
}

ceilings ceilings_of(const machine *m, size_t threads)
{
    ceilings found = {0};
    uint64_t below = 0, all = 0;
    for (size_t i = 0; i < m->n_caches && found.n_levels + 1 < CEILING_LEVELS_MAX; i++) {
        const machine_cache *cache = &m->caches[i];
        if (cache->type[0] == 'i' || cache->bytes <= below)
            continue;
        const uint64_t tested = between(below, cache->bytes);
        if (tested == 0)
            continue;
        struct ceiling_level *level = &found.level[found.n_levels++];
        snprintf(level->name, sizeof level->name, "L%u", cache->level);
        level->capacity = cache->bytes;
        level->instances = cache->shared_by_pus > 0 && cache->shared_by_pus < m->pus
                               ? m->pus / cache->shared_by_pus
                               : 1;
        const unsigned threads_of_core = m->cores > 0 && m->pus > m->cores ? m->pus / m->cores : 1;
        level->cores =
            cache->shared_by_pus > threads_of_core ? cache->shared_by_pus / threads_of_core : 1;
        level->tested = tested / 4096 * 4096;
        below = cache->bytes;
        all = below * level->instances;
    }
    struct ceiling_level *memory = &found.level[found.n_levels++];
    snprintf(memory->name, sizeof memory->name, "DRAM");
    memory->instances = memory->cores = 1;
    memory->capacity = UINT64_MAX;
    memory->tested = 4 * all > (256u << 20) ? 4 * all : 256u << 20;
    for (size_t t = 1; t != 0 && found.n_sets < CEILING_SETS_MAX;
         t = ceilings_next_threads(t, threads))
        found.sets[found.n_sets++].threads = t;
    return found;
}

const ceiling_set *ceilings_set(const ceilings *found, size_t threads)
{
    for (size_t i = 0; i < found->n_sets; i++)
        if (found->sets[i].threads == threads)
            return &found->sets[i];
    return NULL;
}

/* How many instances of a level so many threads use, on cores of their own, one beside the other. */
static size_t used(const struct ceiling_level *level, size_t threads)
{
    const size_t cores = level->cores > 0 ? level->cores : 1;
    const size_t some = (threads + cores - 1) / cores;
    return some < level->instances ? some : level->instances;
}

size_t ceilings_level(const ceilings *found, double bytes, size_t threads)
{
    size_t i = 0;
    while (i + 1 < found->n_levels &&
           bytes > (double)found->level[i].capacity * (double)used(&found->level[i], threads))
        i++;
    return i;
}

/* ---- measuring ---- */

/* The part of a level that each of several threads works on; 0: all of them together would fit the level
 * before. */
static uint64_t part_of(const ceilings *found, size_t i, size_t threads)
{
    const struct ceiling_level *l = &found->level[i], *before = i > 0 ? l - 1 : NULL;
    if (l->capacity == UINT64_MAX)
        return l->tested / threads / 4096 * 4096;
    const uint64_t below = before != NULL ? before->capacity * used(before, threads) : 0;
    return between(below, l->capacity * used(l, threads)) / threads / 4096 * 4096;
}

struct opening {
    ceiling_task *tasks;
    const ceiling_effort *effort;
    uint64_t bytes;
};

/* Fills a buffer with normal numbers in [1, 2): no zeros, whose stores over zeros some CPUs leave out, no subnormals, and
 * no two pages alike, which a hypervisor might merge. May take seconds, so that it looks at `stop`. */
static void fill(float *buffer, uint64_t bytes, const ceiling_effort *effort)
{
    enum { AT_ONCE = 1 << 20 };
    const size_t count = bytes / sizeof *buffer;
    for (size_t begin = 0; begin < count && !ceilings_stopped(effort); begin += AT_ONCE) {
        const size_t end = count - begin < AT_ONCE ? count : begin + AT_ONCE;
        for (size_t i = begin; i < end; i++) {
            const uint32_t bits = 0x3F800000u | (uint32_t)i * 0x9E3779B1u >> 9;
            memcpy(&buffer[i], &bits, sizeof bits);
        }
    }
}

/* Opens the buffers of a thread on that thread, which thus has the memory near. */
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

/* The first rows of the buffer, as many as this level's part has, in random order. */
static void shuffle(ceiling_task *task)
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

static bool measure_set(ceilings *found, ceiling_set *set, uint32_t which, const int *cpus,
                        ceiling_effort effort)
{
    enum { ROUNDS = 10000 };
    ceiling_task *tasks = calloc(set->threads, sizeof *tasks);
    if (tasks == NULL)
        return false;
    (void)together_bind(set->threads, cpus);
    struct opening opening = {tasks, &effort, 0}; /* bytes: the largest part to measure */
    for (size_t i = 0; i < found->n_levels; i++) {
        const uint64_t part = part_of(found, i, set->threads);
        if ((which >> (PEAK_COUNT + i) & 1) != 0 && part > opening.bytes)
            opening.bytes = part;
    }
    together_run(set->threads, open_task, &opening);
    bool good = true;
    for (size_t t = 0; t < set->threads; t++) {
        good = good && tasks[t].buffer != NULL && tasks[t].order != NULL;
        tasks[t].count = ROUNDS;
    }
    const ceiling_team crew = {set->threads, tasks, effort};
    if (good)
        ceilings_measure_peaks(set, which, &crew);
    for (size_t i = 0; good && i < found->n_levels && !ceilings_stopped(&effort); i++) {
        const uint64_t part = part_of(found, i, set->threads);
        if (part == 0 || (which >> (PEAK_COUNT + i) & 1) == 0)
            continue;
        for (size_t t = 0; t < set->threads; t++) {
            tasks[t].bytes = part;
            shuffle(&tasks[t]);
        }
        ceilings_measure_memory(set->gb_per_s[i], &crew);
    }
    for (size_t t = 0; t < set->threads; t++) {
        free(tasks[t].buffer);
        free((void *)(uintptr_t)tasks[t].order);
    }
    free(tasks);
    return good;
}

static double least_step_ns(void)
{
    double least = 1.0;
    for (int i = 0; i < 1000; i++) {
        const double start = clock_seconds();
        double step;
        while ((step = clock_seconds() - start) == 0.0) {
        }
        least = step < least ? step : least;
    }
    return least * 1e9;
}

bool ceilings_measure(ceilings *found, const int *cpus, ceiling_effort effort)
{
    const time_t now = time(NULL);
    struct tm local;
    localtime_r(&now, &local);
    strftime(found->measured, sizeof found->measured, "%Y-%m-%dT%H:%M:%S%z", &local);
    found->timer_ns = least_step_ns();
    ceilings_raise(&found->clock_ghz, ceilings_clock(50));
    bool good = true;
    for (size_t i = 0; i < found->n_sets && !ceilings_stopped(&effort); i++)
        good = good && measure_set(found, &found->sets[i], UINT32_MAX, cpus, effort);
    return good;
}

bool ceilings_measure_some(ceilings *found, size_t set, uint32_t which, const int *cpus,
                           ceiling_effort effort)
{
    return measure_set(found, &found->sets[set], which, cpus, effort);
}
