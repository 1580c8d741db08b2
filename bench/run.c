/* SPDX-License-Identifier: MIT
 *
 * Runs the suite: pass by pass, and each pass group by group. */
#define _GNU_SOURCE
#include "suite.h"

#include "base/clock.h"
#include "base/error.h"
#include "buffer_pool.h"
#include "parallel/team.h"
#include "sampling.h"

#include <stdlib.h>

/* Repetitions of a measurement of the clock, which then takes a few milliseconds. */
enum { CLOCK_REPEATS = 10 };

/* Registers the rows, and marks those that cannot run as skipped. */
static void open_rows(sampling *run, sampled_group *g, buffer_pool *pool)
{
    for (size_t i = 0; i < g->count; i++) {
        bench_row *row = &g->rows[i];
        while (row->n_samples > 0 && row->samples[row->n_samples - 1].pass >= run->pass)
            row->n_samples--; /* of an interrupted pass */
        g->n_before[i] = row->n_samples;
        row->stopped = STOPPED_INTERRUPTED;
        row->skipped[0] = '\0';
        bench_task *task = &g->tasks[i];
        *task = (bench_task){.kernel = row->kernel,
                             .by.library = &library_linked,
                             .peer = row->peer,
                             .stop = run->stop,
                             .measures_clock = true};
        char why[sizeof row->skipped - sizeof "skipped: "] = "";
        if (!buffer_pool_find(pool, row, task, why, sizeof why)) {
            sampling_skip(row, why);
            continue;
        }
        g->handles[i] = gbench_register(row->name, bench_task_run, task);
        if (row->threads > 1)
            task->by.team = team_open(row->threads, run->options->machine->team, row->d, row->c,
                                      why, sizeof why);
        if (g->handles[i] == NULL || (row->threads > 1 && task->by.team == NULL))
            sampling_skip(row, why[0] != '\0' ? why : "out of memory");
        else if (row->threads > 1 && why[0] != '\0')
            sampling_skip(row, why);
        else if (row->peer == NULL &&
                 downhill_select(row->isa, &task->by.kernels, NULL, 0) != DOWNHILL_OK)
            sampling_skip(row, "the ISA level is not usable");
    }
}

static bool open_group(sampled_group *g, bench_suite *suite, size_t first, size_t end)
{
    const size_t n = end - first;
    *g = (sampled_group){.first = first, .count = n, .rows = suite->rows + first};
    g->tasks = calloc(n, sizeof *g->tasks);
    g->handles = calloc(n, sizeof *g->handles);
    g->iterations = calloc(n, sizeof *g->iterations);
    g->n_before = calloc(n, sizeof *g->n_before);
    g->spent_s = calloc(n, sizeof *g->spent_s);
    g->order = calloc(n, sizeof *g->order);
    bench_group *groups = realloc(suite->groups, (suite->n_groups + 1) * sizeof *groups);
    suite->groups = groups != NULL ? groups : suite->groups;
    return groups != NULL && g->tasks != NULL && g->handles != NULL && g->iterations != NULL &&
           g->n_before != NULL && g->spent_s != NULL && g->order != NULL;
}

static void close_group(sampled_group *g)
{
    gbench_clear();
    for (size_t i = 0; g->tasks != NULL && i < g->count; i++)
        team_close(g->tasks[i].by.team);
    free(g->tasks);
    free(g->handles);
    free(g->iterations);
    free(g->n_before);
    free(g->spent_s);
    free(g->order);
}

static bool run_group(sampling *run, size_t first, size_t end, buffer_pool *pool)
{
    bench_suite *suite = run->suite;
    sampled_group g;
    const bool good = open_group(&g, suite, first, end);
    if (good) {
        open_rows(run, &g, pool);
        bench_group group = {.first = first, .end = end, .pass = run->pass};
        const conditions at_start = conditions_now("", run->options->cpu);
        group.clock_before_ghz = ceilings_clock(CLOCK_REPEATS);
        group.start_s = sampling_seconds(run);
        sampling_of_group(run, &g);
        group.end_s = sampling_seconds(run);
        group.clock_after_ghz = ceilings_clock(CLOCK_REPEATS);
        const conditions at_end = conditions_now("", run->options->cpu);
        group.conditions = conditions_between(&at_start, &at_end);
        suite->groups[suite->n_groups++] = group;
        for (size_t i = 0; i < g.count; i++) {
            g.rows[i].n_passes = run->pass + (g.rows[i].stopped != STOPPED_INTERRUPTED);
            if (g.rows[i].n_samples == 0)
                sampling_skip(&g.rows[i], "interrupted");
        }
    }
    close_group(&g);
    return good;
}

static bool is_complete(const bench_suite *suite, size_t first, size_t end, size_t passes)
{
    for (size_t i = first; i < end; i++)
        if (!bench_row_is_complete(&suite->rows[i], passes))
            return false;
    return true;
}

/* Runs the groups of one pass that are not complete. Sets *resuming to false at the first. */
static int run_pass(sampling *run, bool *resuming, bench_group_callback on_group, void *context)
{
    const bench_options *options = run->options;
    bench_suite *suite = run->suite;
    buffer_pool pool = {0};
    int code = EXIT_OK;
    for (size_t first = 0, end; first < suite->n_rows && code == EXIT_OK && !*run->stop;
         first = end) {
        end = bench_group_end(suite, first);
        if (is_complete(suite, first, end, run->pass + 1)) {
            run->n_done = run->pass * suite->n_rows + end;
            if (*resuming)
                run->progress.done_before =
                    (double)run->n_done / (double)(suite->n_rows * suite->n_passes);
            continue;
        }
        *resuming = false;
        const bench_options of_group = bench_options_of(options, &suite->rows[first]);
        run->options = &of_group;
        buffer_pool_open(&pool, options, suite, first, run->pass);
        if (!run_group(run, first, end, &pool)) {
            error_line("bench: out of memory");
            code = EXIT_INTERNAL;
        } else if (on_group != NULL) {
            suite->interrupted = true; /* results written now are partial */
            code = on_group(context, suite);
        }
        run->options = options;
    }
    buffer_pool_close(&pool);
    return code;
}

int bench_suite_run(const bench_options *options, bench_suite *suite, bench_group_callback on_group,
                    void *context, const volatile sig_atomic_t *stop)
{
    sampling run = {.options = options,
                    .suite = suite,
                    .stop = stop,
                    .progress = progress_open("bench", options->progress),
                    .start = clock_seconds()};
    if (options->counters)
        counters_open(&run.counters);
    energy_open(&run.energy, "");
    int code = EXIT_OK;
    bool resuming = true; /* all groups so far were complete */
    for (; run.pass < suite->n_passes && code == EXIT_OK && !*stop; run.pass++)
        code = run_pass(&run, &resuming, on_group, context);
    if (options->counters)
        counters_close(&run.counters);
    progress_close(&run.progress);
    suite->seconds = sampling_seconds(&run);
    suite->interrupted = *stop != 0 || code != EXIT_OK;
    for (size_t i = 0; i < suite->n_rows; i++)
        if (suite->rows[i].n_samples == 0)
            sampling_skip(&suite->rows[i], "interrupted");
    bench_suite_summarise(suite, options);
    return code;
}

double bench_call_ns(void)
{
    enum { CALLS = 100000, REPEATS = 5 };
    workload load;
    bench_task task = {
        .loads = &load, .n_loads = 1, .kernel = BENCH_score_f32, .by.library = &library_linked};
    if (downhill_select(NULL, &task.by.kernels, NULL, 0) != DOWNHILL_OK ||
        !workload_open(&load, 1, 1, 1, 1, 0))
        return 0.0;
    double min_ns = 0.0;
    gbench_row *row = gbench_register("call", bench_task_run, &task);
    for (int i = 0; row != NULL && i < REPEATS; i++) {
        gbench_sample s;
        if (gbench_run(row, CALLS, &s) == 0 && (min_ns == 0.0 || s.real_ns < min_ns))
            min_ns = s.real_ns;
    }
    gbench_clear();
    workload_close(&load);
    return min_ns;
}
