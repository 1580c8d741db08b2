/* SPDX-License-Identifier: MIT
 *
 * A C interface to Google Benchmark. It runs the timed loop and returns one sample per call. The
 * caller (run.c) decides the order of the samples and evaluates them, because the random
 * interleaving of the library neither accepts a seed nor reports the order. */
#ifndef DOWNHILL_BENCH_GBENCH_H
#define DOWNHILL_BENCH_GBENCH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Runs the measured work `iterations` times. The function contains the loop, so that no call
 * through this interface is timed. */
typedef void (*gbench_function)(void *context, uint64_t iterations);

typedef struct gbench_row gbench_row;

enum { GBENCH_COUNTERS_MAX = 8 };

typedef struct gbench_sample {
    uint64_t iterations;
    double real_ns; /* per iteration, wall clock */
    double cpu_ns;  /* per iteration, CPU time of this thread */
    size_t n_counters;
    struct {
        const char *name;
        double per_second;
    } counters[GBENCH_COUNTERS_MAX];
    char label[64];
    char error[128]; /* why the row could not run, or "" */
} gbench_sample;

/* Registers a row. The name is copied; the context must outlive the row. Returns NULL if out of
 * memory. */
gbench_row *gbench_register(const char *name, gbench_function function, void *context);

/* Adds a counter that each iteration increases by `per_iteration` and that is reported per second
 * of wall time. The name must outlive the row. Counters past GBENCH_COUNTERS_MAX are ignored. */
void gbench_counter(gbench_row *row, const char *name, double per_iteration);

/* Sets a description of the row, which each sample returns. It is copied. */
void gbench_label(gbench_row *row, const char *label);

/* Runs a row once for the given number of iterations. Returns 0, or -1 with sample->error. */
int gbench_run(gbench_row *row, uint64_t iterations, gbench_sample *sample);

/* Removes all rows. */
void gbench_clear(void);

/* Return what Google Benchmark knows about the CPU: its nominal MHz, and whether frequency scaling
 * is on (1), off (0) or unknown (-1), which the library's own reports show as off. */
double gbench_cpu_mhz(void);
int gbench_cpu_scaling(void);

#ifdef __cplusplus
}
#endif

#endif
