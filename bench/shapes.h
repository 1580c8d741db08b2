/* SPDX-License-Identifier: MIT
 *
 * The shapes that are timed. */
#ifndef DOWNHILL_BENCH_SHAPES_H
#define DOWNHILL_BENCH_SHAPES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct bench_shape {
    size_t n, d, c;
    bool quick; /* part of the quick suite */
    bool brief; /* timed at the best level and with the peers only, hot, on one thread, and for a
                 * part of the time (bench_options_of()) */
} bench_shape;

/* The shapes of the standard suite. */
extern const bench_shape bench_standard_shapes[];
extern const size_t bench_standard_shape_count;

/* The sweeps: over the samples of a batch, over the number of features, and the map, over classes
 * and features. */
typedef enum bench_sweep { SWEEP_NONE, SWEEP_BATCH, SWEEP_SIZE, SWEEP_MAP } bench_sweep;

/* Name in results.json, or NULL for SWEEP_NONE. */
extern const char *const bench_sweep_names[];

enum { BENCH_SWEEP_SHAPES_MAX = 96 };

/* Writes the shapes of a sweep and returns their number. The map is coarse in the quick suite; the
 * other sweeps are the same in both. */
size_t bench_sweep_shapes(bench_sweep sweep, bool quick,
                          bench_shape shapes[BENCH_SWEEP_SHAPES_MAX]);

#endif
