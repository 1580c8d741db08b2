/* SPDX-License-Identifier: MIT
 *
 * Hardware counters of this thread, read with perf_event_open(2) if the machine has them and the
 * kernel permits it. */
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
    COUNTER_CACHE, /* PERF_COUNT_HW_CACHE_MISSES: of L2 on Zen, of the last level on Intel */
    COUNTER_LLC,
    COUNTER_COUNT
};

/* Keys in results.json. */
extern const char *const counter_names[COUNTER_COUNT];

typedef struct counter_values {
    bool known;                  /* at least one event was counted */
    double value[COUNTER_COUNT]; /* NaN: not counted */
} counter_values;

typedef struct counters {
    int descriptor[COUNTER_COUNT]; /* -1: not available */
    struct counter_reading {
        uint64_t count, enabled_ns, running_ns;
    } start[COUNTER_COUNT];
    char missing[160]; /* why no event can be counted; "" if one can */
} counters;

/* Opens the counters that are available. Never fails. */
void counters_open(counters *c);
void counters_close(counters *c);

/* Start counting; stop and return the counts since the start. The counts are scaled up if the
 * kernel had to multiplex the events because the CPU has too few counters. */
void counters_start(counters *c);
counter_values counters_stop(const counters *c);

/* Returns the values as JSON; null if nothing was counted. */
json_t *counter_values_to_json(const counter_values *v);

#endif
