/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "sampling.h"

#include "base/clock.h"
#include "base/rng.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

/* A stop request is polled about this often, between calls. */
static const double poll_interval_s = 0.25;

double sampling_seconds(const sampling *run)
{
    return run->suite->start_s + clock_seconds() - run->start;
}

/* Limits of a row in one pass. */
static size_t samples_max_per_pass(const sampling *run)
{
    return BENCH_SAMPLES_MAX / run->suite->n_passes;
}

static size_t repetitions_per_pass(const sampling *run)
{
    const size_t passes = run->suite->n_passes;
    const size_t wanted = (run->options->repetitions + passes - 1) / passes;
    return wanted < samples_max_per_pass(run) ? wanted : samples_max_per_pass(run);
}

static double max_time_per_pass(const sampling *run)
{
    return run->options->max_time_s / (double)run->suite->n_passes;
}

/* Returns the share of the work on row i in this pass that is done. A row whose precision is not
 * reached may need all of the time. */
static double row_share(const sampling *run, const sampled_group *g, size_t i)
{
    const bench_row *row = &g->rows[i];
    if (row->skipped[0] != '\0' || row->stopped != STOPPED_INTERRUPTED)
        return 1.0;
    const double repeated =
        (double)(row->n_samples - g->n_before[i]) / (double)repetitions_per_pass(run);
    const double spent = g->spent_s[i] / max_time_per_pass(run);
    return fmin(1.0, run->options->precision > 0.0 ? fmin(repeated, spent) : repeated);
}

/* Shows how many rows are done, and the name of row i of the group, which is being sampled. */
static void show_progress(sampling *run, const sampled_group *g, size_t i)
{
    const size_t n = run->suite->n_rows * run->suite->n_passes;
    double done = (double)(run->pass * run->suite->n_rows + g->first);
    for (size_t k = 0; k < g->count; k++)
        done += row_share(run, g, k);
    char name[sizeof g->rows[i].name + sizeof "done, "];
    snprintf(name, sizeof name, "done, %s", g->rows[i].name);
    progress_show(&run->progress, run->n_done, n, done / (double)n, name);
}

bool sampling_skip(bench_row *row, const char *why)
{
    if (row->skipped[0] == '\0')
        snprintf(row->skipped, sizeof row->skipped, "skipped: %s", why);
    return false;
}

/* ---- one row ---- */

/* Takes one sample. Returns false if the row cannot run or the sample was interrupted. */
static bool sample(const sampled_group *g, size_t i, uint64_t iterations, gbench_sample *result)
{
    if (gbench_run(g->handles[i], iterations, result) != 0)
        return sampling_skip(&g->rows[i], result->error);
    if (g->tasks[i].status != DOWNHILL_OK)
        return sampling_skip(&g->rows[i], downhill_status_text(g->tasks[i].status));
    /* The clock is measured at the end of the sample, within the time of the loop. */
    const double aside_ns = g->tasks[i].aside_s * 1e9 / (double)iterations;
    result->real_ns -= aside_ns;
    result->cpu_ns = fmax(result->cpu_ns - aside_ns, 0.0);
    const double calls = poll_interval_s * 1e9 / result->real_ns;
    g->tasks[i].poll_calls = calls > 1.0 ? (uint64_t)calls : 1;
    return !g->tasks[i].stopped;
}

/* Warms up with the number of iterations of the pass before. A part of a sample is enough to touch
 * each buffer. */
static bool warm_up(sampled_group *g, size_t i)
{
    gbench_sample s;
    const uint64_t n_loads = g->tasks[i].n_loads, quarter = g->iterations[i] / 4;
    return sample(g, i, quarter > n_loads ? quarter : n_loads, &s);
}

/* Finds a number of iterations that takes at least min_time_s. Its runs are the warm-up. The clock
 * may still rise meanwhile, and an interrupt makes a run too long: the number that a run suggests
 * is therefore increased by a margin, and accepted only after a run with that number took long
 * enough. */
static bool calibrate(sampled_group *g, size_t i, double min_time_s)
{
    const double target_ns = min_time_s * 1e9, margin = 1.05;
    if (g->n_before[i] > 0) {
        g->iterations[i] = g->rows[i].samples[g->n_before[i] - 1].iterations;
        return warm_up(g, i);
    }
    uint64_t iterations = g->tasks[i].n_loads; /* touches each buffer once */
    for (;;) {
        gbench_sample s;
        if (!sample(g, i, iterations, &s))
            return false;
        const double took_ns = s.real_ns * (double)iterations;
        if (took_ns >= target_ns) {
            g->iterations[i] = iterations;
            return true;
        }
        const double needed = margin * target_ns / s.real_ns;
        /* A very short run says little about the time of a long one. */
        const uint64_t max = iterations * 16;
        iterations = needed < (double)max ? (uint64_t)needed + 1 : max;
    }
}

/* Appends a sample to a row. Returns false if out of memory. */
static bool append_sample(bench_row *row, const bench_sample *s)
{
    if (row->n_samples == row->samples_size) {
        const size_t size = row->samples_size == 0 ? 16 : 2 * row->samples_size;
        bench_sample *samples = realloc(row->samples, size * sizeof *samples);
        if (samples == NULL)
            return false;
        row->samples = samples;
        row->samples_size = size;
    }
    row->samples[row->n_samples++] = *s;
    return true;
}

/* Returns whether a row has enough samples; sets row->stopped if it has. */
static bool is_done(const sampling *run, const sampled_group *g, size_t i)
{
    const bench_options *o = run->options;
    bench_row *row = &g->rows[i];
    const size_t n_samples = row->n_samples - g->n_before[i];
    if (row->skipped[0] != '\0')
        return true;
    if (n_samples < repetitions_per_pass(run))
        return false;
    bench_row_summarise(row, o->core, o->repetitions);
    row->stopped = STOPPED_INTERRUPTED;
    /* Disturbed samples say little, and the interference may end. */
    const double max_s = (row->n_undisturbed < row->n_samples ? 2.0 : 1.0) * max_time_per_pass(run);
    const double passes = (double)run->suite->n_passes, part = (double)(run->pass + 1) / passes;
    if (o->precision == 0.0 || n_samples >= samples_max_per_pass(run))
        row->stopped = STOPPED_REPETITIONS;
    else if ((double)row->n_undisturbed < part * (double)o->repetitions && g->spent_s[i] < max_s)
        return false;
    /* More samples in this pass narrow only the spread within passes. The interval shrinks with the
     * square root of the number of samples, so an earlier pass may end with a wider one. */
    else if (bench_row_precision_within_passes(row, run->pass + 1, o->core) * sqrt(part) <=
             o->precision)
        row->stopped = STOPPED_PRECISION;
    else if (g->spent_s[i] >= max_s)
        row->stopped = STOPPED_TIME;
    return row->stopped != STOPPED_INTERRUPTED;
}

/* ---- a group ---- */

/* Returns whether the row is sampled in the next round. Rows that are done continue while other
 * rows of the group do, until their time is up, so that changes of the machine affect all rows
 * alike. */
static bool takes_part(const sampling *run, const sampled_group *g, size_t i)
{
    const bench_row *row = &g->rows[i];
    return row->skipped[0] == '\0' && row->n_samples - g->n_before[i] < samples_max_per_pass(run) &&
           (row->stopped == STOPPED_INTERRUPTED ||
            (row->stopped == STOPPED_PRECISION && g->spent_s[i] < max_time_per_pass(run)));
}

static void add_energy(bench_row *row, double joules, uint64_t calls)
{
    if (joules < 0.0)
        return;
    row->energy.joules += joules;
    row->energy.calls += (double)calls;
}

/* Takes one sample of each row in `order`. */
static void sample_round(sampling *run, sampled_group *g, const size_t *order, size_t count)
{
    for (size_t o = 0; o < count && !*run->stop; o++) {
        const size_t i = order[o];
        gbench_sample s;
        /* A sample that starts on a shared core is useless, so wait until the core is unshared. */
        const double wait_start = clock_seconds();
        const double observed_before =
            core_wait(run->options->core, fmin(run->options->min_time_s, poll_interval_s));
        g->spent_s[i] += clock_seconds() - wait_start;
        energy_start(&run->energy);
        if (!sample(g, i, g->iterations[i], &s))
            continue;
        add_energy(&g->rows[i], energy_stop(&run->energy), s.iterations);
        const double observed_after = core_observe(run->options->core);
        g->spent_s[i] += s.real_ns * (double)s.iterations * 1e-9;
        const bench_sample record = {.iterations = s.iterations,
                                     .pass = run->pass,
                                     .real_ns = s.real_ns,
                                     .cpu_ns = s.cpu_ns,
                                     .clock_ghz = g->tasks[i].clock_ghz,
                                     .time_s = sampling_seconds(run),
                                     .core = observed_before < observed_after ? observed_before
                                                                              : observed_after,
                                     .sequence = run->suite->sequence++,
                                     .cpu = sched_getcpu()};
        if (!append_sample(&g->rows[i], &record))
            sampling_skip(&g->rows[i], "out of memory");
        show_progress(run, g, i);
    }
}

/* Takes one sample of each row with the hardware counters enabled. */
static void count_events(sampling *run, sampled_group *g)
{
    for (size_t i = 0; i < g->count && !*run->stop; i++) {
        gbench_sample s;
        /* The counters are those of this thread only. */
        if (g->rows[i].skipped[0] != '\0' || g->rows[i].threads > 1)
            continue;
        counters_start(&run->counters);
        const bool complete = sample(g, i, g->iterations[i], &s);
        counter_values values = counters_stop(&run->counters);
        for (enum counter c = 0; c < COUNTER_COUNT; c++)
            values.value[c] /= (double)g->iterations[i];
        if (complete)
            g->rows[i].counters = values;
    }
}

void sampling_of_group(sampling *run, sampled_group *g)
{
    for (size_t i = 0; i < g->count && !*run->stop; i++) {
        show_progress(run, g, i);
        if (g->rows[i].skipped[0] == '\0')
            calibrate(g, i, run->options->min_time_s);
    }
    if (*run->stop)
        return;
    /* The seed depends on the pass and the group's position in the list, so that a resumed run has
     * the same order. */
    rng r = rng_stream(run->options->seed + g->first, run->pass);
    for (;;) {
        size_t unfinished = 0, count = 0;
        for (size_t i = 0; i < g->count; i++) {
            unfinished += !is_done(run, g, i);
            if (takes_part(run, g, i))
                g->order[count++] = i;
        }
        /* A further sample may lower the precision of a row that had enough. */
        const size_t n_done = run->pass * run->suite->n_rows + g->first + g->count - unfinished;
        run->n_done = n_done > run->n_done ? n_done : run->n_done;
        if (unfinished == 0 || *run->stop)
            break;
        rng_shuffle(&r, g->order, count);
        sample_round(run, g, g->order, count);
    }
    if (run->options->counters && run->counters.missing[0] == '\0' && run->pass == 0)
        count_events(run, g);
}
