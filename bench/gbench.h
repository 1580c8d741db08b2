/* SPDX-License-Identifier: MIT
 *
 * Google Benchmark from C. It runs the timed loop and delivers one sample at a time; the order of
 * the samples, and what is made of them, is the caller's (suite.c), because the library's own
 * random interleaving neither takes a seed nor tells the order that it took. */
#ifndef DOWNHILL_BENCH_GBENCH_H
#define DOWNHILL_BENCH_GBENCH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Runs the measured work `iterations` times. The loop is the function's own, so that no call
 * through the wrapper is timed with it. */
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
    char error[128]; /* "" unless the row could not run */
} gbench_sample;

/* Registers a row. The name is copied; the context must outlive the row. NULL: out of memory. */
gbench_row *gbench_register(const char *name, gbench_function function, void *context);

/* A counter that each iteration advances by `per_iteration` and that is reported per second of wall
 * time. The name must outlive the row. At most GBENCH_COUNTERS_MAX. */
void gbench_counter(gbench_row *row, const char *name, double per_iteration);

/* Words that describe the row; delivered with each sample. Copied. */
void gbench_label(gbench_row *row, const char *label);

/* Runs a row once for the given number of iterations. Returns 0, or -1 with sample->error. */
int gbench_run(gbench_row *row, uint64_t iterations, gbench_sample *sample);

/* Forgets all rows. */
void gbench_clear(void);

/* What Google Benchmark finds out about the CPU: nominal MHz, and whether frequency scaling is on
 * (1), off (0) or not to be known (-1), which its own reports show as off. */
double gbench_cpu_mhz(void);
int gbench_cpu_scaling(void);

#ifdef __cplusplus
}
#endif

#endif
