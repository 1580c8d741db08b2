/* SPDX-License-Identifier: MIT
 *
 * Hardware counters of this thread, by perf_event_open(2), where the machine has them and the kernel
 * permits it. */
#ifndef DOWNHILL_BENCH_COUNTERS_H
#define DOWNHILL_BENCH_COUNTERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum counter {
    COUNTER_CYCLES,
    COUNTER_INSTRUCTIONS,
    COUNTER_L1D,
    COUNTER_CACHE, /* what the kernel calls cache misses: of L2 on Zen, of the last level on Intel */
    COUNTER_LLC,
    COUNTER_COUNT
};

/* The keys of results.json. */
extern const char *const counter_names[COUNTER_COUNT];

typedef struct counter_values {
    bool known;                  /* was anything counted at all? */
    double value[COUNTER_COUNT]; /* NaN: this one could not be */
} counter_values;

typedef struct counters {
    int descriptor[COUNTER_COUNT]; /* -1: not there */
    struct counter_reading {
        uint64_t count, enabled_ns, running_ns;
    } start[COUNTER_COUNT];
    char missing[160]; /* why none can be counted; "" if some can */
} counters;

/* Never fails: *c tells what there is. */
void counters_open(counters *c);
void counters_close(counters *c);

/* From here on; what was counted since, scaled up where the CPU has fewer counters than were asked for and
 * they took turns. */
void counters_start(counters *c);
counter_values counters_stop(const counters *c);

/* Per call; null where nothing was counted. */
json_t *counter_values_to_json(const counter_values *v);

#endif
