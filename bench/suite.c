/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "suite.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/levels.h"
#include "base/rng.h"
#include "gbench.h"
#include "parallel/team.h"
#include "workload.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A thread with fewer samples waits longer for the others than it works. */
enum { PART_MIN = 32 };

enum { MAX_COUNTS = 8, MAX_GROUP = BENCH_KERNEL_COUNT * (LEVELS_MAX + PEERS_COUNT + MAX_COUNTS) };

/* CIFAR-10 has 3072 features, Fashion-MNIST 784. 256 is a usual batch; 32 rows of 3072 fit L2; one
 * row is a prediction; 20000 rows come from memory; the wide one has W out of every L2. */
const bench_shape bench_standard_shapes[] = {
    {256, 3072, 10, true}, {256, 784, 10, true},     {1, 3072, 10, true},      {1, 784, 10, false},
    {32, 3072, 10, false}, {20000, 3072, 10, false}, {256, 2048, 1000, false},
};
const size_t bench_standard_shape_count =
    sizeof bench_standard_shapes / sizeof bench_standard_shapes[0];

/* ---- the list ---- */

static bench_row make_row(bench_kernel kernel, const char *isa, const bench_shape *s, size_t family,
                          size_t threads)
{
    bench_row row = {.kernel = kernel,
                     .isa = isa,
                     .n = s->n,
                     .d = s->d,
                     .c = s->c,
                     .threads = threads,
                     .family = family};
    const bench_formula *f = &bench_formulas[kernel];
    const int length = snprintf(row.name, sizeof row.name, "%s/%s/n:%zu/d:%zu/c:%zu", f->kernel,
                                isa, s->n, s->d, s->c);
    if (threads > 1 && length > 0 && (size_t)length < sizeof row.name)
        snprintf(row.name + length, sizeof row.name - (size_t)length, "/threads:%zu", threads);
    row.flops = polynomial_value(&f->flops, s->n, s->d, s->c);
    row.bytes = polynomial_value(&f->bytes, s->n, s->d, s->c);
    row.holds = polynomial_value(&f->holds, s->n, s->d, s->c);
    return row;
}

/* 1, 2, 4, … and the largest number; 0 behind it. */
static size_t more_threads(size_t threads, size_t most)
{
    return threads >= most ? 0 : 2 * threads < most ? 2 * threads : most;
}

int bench_suite_build(const bench_options *options, bench_suite *suite)
{
    *suite = (bench_suite){0};
    regex_t filter;
    const int bad =
        regcomp(&filter, options->filter != NULL ? options->filter : ".", REG_EXTENDED | REG_NOSUB);
    if (bad != 0) {
        char why[128];
        regerror(bad, &filter, why, sizeof why);
        error_line("--filter: '%s' is not a regular expression: %s", options->filter, why);
        return EXIT_USAGE;
    }
    const downhill_kernels *levels[LEVELS_MAX];
    const size_t n_levels = levels_to_run(options->isa, levels);
    int code = n_levels > 0 ? EXIT_OK : EXIT_ISA;
    const peer *peers = options->peers ? peers_open() : NULL;
    const size_t n_peers = options->peers ? PEERS_COUNT : 0;
    size_t n_counts = 0;
    for (size_t t = 1; (t = more_threads(t, options->threads)) != 0;)
        n_counts++;
    const size_t most = options->n_shapes * BENCH_KERNEL_COUNT * (n_levels + n_peers + n_counts);
    if (code == EXIT_OK && (suite->rows = calloc(most, sizeof *suite->rows)) == NULL) {
        error_line("bench: out of memory");
        code = EXIT_INTERNAL;
    }
    for (size_t s = 0; code == EXIT_OK && s < options->n_shapes; s++)
        for (bench_kernel k = 0; k < BENCH_KERNEL_COUNT; k++) {
            /* A share of fewer samples is not what its name says. */
            if ((k == BENCH_STEP_HINGE_MET50 || k == BENCH_STEP_HINGE_MET95) &&
                options->shapes[s].n < 20)
                continue;
            /* An epoch of one step is a step. */
            if (bench_is_epoch(k) && options->shapes[s].n <= BENCH_EPOCH_ROWS)
                continue;
            size_t last = 0; /* level of this kernel */
            for (size_t l = 0; l < n_levels + (peer_has(k) ? n_peers : 0); l++) {
                const peer *p = l < n_levels ? NULL : &peers[l - n_levels];
                if (p == NULL && (levels_repeat(levels, l, bench_formulas[k].element) ||
                                  !workload_has(levels[l], k)))
                    continue;
                last = p == NULL ? l : last;
                const char *name = p == NULL ? downhill_kernels_name(levels[l]) : p->name;
                bench_row row = make_row(k, name, &options->shapes[s], s, 1);
                row.peer = p;
                if (regexec(&filter, row.name, 0, NULL, 0) == 0)
                    suite->rows[suite->n_rows++] = row;
            }
            /* More threads with the last level alone. */
            for (size_t t = 1;
                 workload_threads(k) && (t = more_threads(t, options->threads)) != 0;) {
                if (options->shapes[s].n < t * PART_MIN)
                    break;
                const bench_row row =
                    make_row(k, downhill_kernels_name(levels[last]), &options->shapes[s], s, t);
                if (regexec(&filter, row.name, 0, NULL, 0) == 0)
                    suite->rows[suite->n_rows++] = row;
            }
        }
    regfree(&filter);
    if (code == EXIT_OK && suite->n_rows == 0) {
        error_line("bench: no row matches '%s'; `downhill bench --list` shows the names",
                   options->filter);
        code = EXIT_USAGE;
    }
    if (code != EXIT_OK)
        bench_suite_free(suite);
    return code;
}

void bench_suite_free(bench_suite *suite)
{
    for (size_t i = 0; i < suite->n_rows; i++)
        free(suite->rows[i].samples);
    free(suite->rows);
    *suite = (bench_suite){0};
}

/* ---- the run ---- */

struct run {
    const bench_options *options;
    bench_suite *suite;
    const volatile sig_atomic_t *stop;
    rng order;
    uint64_t sequence;
    double start;
    size_t rows_done;
};

enum counter { COUNTER_GFLOP, COUNTER_GB };

/* The rows of a group on the bench at once. */
struct group {
    size_t count;
    bench_row *rows[MAX_GROUP];
    bench_task tasks[MAX_GROUP];
    gbench_row *handles[MAX_GROUP];
    uint64_t iterations[MAX_GROUP];
};

static void show_progress(const struct run *run, const bench_row *row)
{
    static double last_s;
    const double now = clock_seconds(), elapsed = now - run->start;
    const bool terminal = isatty(STDERR_FILENO);
    if (!run->options->progress || now - last_s < (terminal ? 0.1 : 10.0))
        return;
    last_s = now;
    const double share = (double)run->rows_done / (double)run->suite->n_rows;
    char left[32] = "";
    if (share > 0.02)
        snprintf(left, sizeof left, ", %.0f s left", elapsed / share - elapsed);
    fprintf(stderr, terminal ? "\r\033[Kbench %zu/%zu %s%s" : "bench %zu/%zu %s%s\n",
            run->rows_done + 1, run->suite->n_rows, row->name, left);
    fflush(stderr);
}

static bool skip(bench_row *row, const char *why)
{
    if (row->skipped[0] == '\0')
        snprintf(row->skipped, sizeof row->skipped, "skipped: %s", why);
    return false;
}

/* One sample. false: the row cannot run. */
static bool sample(const struct group *g, size_t i, uint64_t iterations, gbench_sample *out)
{
    if (gbench_run(g->handles[i], iterations, out) != 0)
        return skip(g->rows[i], out->error);
    if (g->tasks[i].status != DOWNHILL_OK)
        return skip(g->rows[i], downhill_status_text(g->tasks[i].status));
    return true;
}

/* Finds how many iterations last min_time_s, and shows it by a run that does; the runs that it
 * takes are the warm-up. The clock may still rise while it runs, and a run that was interrupted
 * looks long: so the count that a run suggests has a margin, and is tried before it is believed. */
static bool calibrate(struct group *g, size_t i, double min_time_s)
{
    const double target_ns = min_time_s * 1e9, margin = 1.05;
    uint64_t iterations = 1;
    for (;;) {
        gbench_sample s;
        if (!sample(g, i, iterations, &s))
            return false;
        const double took_ns = s.real_ns * (double)iterations;
        if (took_ns >= target_ns) {
            g->iterations[i] = iterations;
            return true;
        }
        const double need = margin * target_ns / s.real_ns;
        /* A very short run says little about a long one. */
        const uint64_t most = iterations * 16;
        iterations = need < (double)most ? (uint64_t)need + 1 : most;
    }
}

static void run_group(struct run *run, struct group *g)
{
    for (size_t i = 0; i < g->count && !*run->stop; i++) {
        show_progress(run, g->rows[i]);
        if (g->rows[i]->skipped[0] == '\0')
            calibrate(g, i, run->options->min_time_s);
    }
    size_t order[MAX_GROUP];
    for (size_t i = 0; i < g->count; i++)
        order[i] = i;
    for (size_t repetition = 0; repetition < run->options->repetitions; repetition++) {
        rng_shuffle(&run->order, order, g->count);
        for (size_t o = 0; o < g->count && !*run->stop; o++) {
            const size_t i = order[o];
            bench_row *row = g->rows[i];
            gbench_sample s;
            if (row->skipped[0] != '\0' || !sample(g, i, g->iterations[i], &s))
                continue;
            row->samples[row->n_samples++] = (bench_sample){
                .iterations = s.iterations,
                .real_ns = s.real_ns,
                .cpu_ns = s.cpu_ns,
                .gflop_per_s = s.counters[COUNTER_GFLOP].per_second,
                .gb_per_s = s.counters[COUNTER_GB].per_second,
                .sequence = run->sequence++,
            };
            show_progress(run, row);
        }
    }
    run->rows_done += g->count;
}

/* Registers the rows of a group; those that cannot be are marked skipped. */
static void open_group(struct run *run, struct group *g, workload *load)
{
    for (size_t i = 0; i < g->count; i++) {
        bench_row *row = g->rows[i];
        row->samples = calloc(run->options->repetitions, sizeof *row->samples);
        g->tasks[i] = (bench_task){.load = load, .kernel = row->kernel, .peer = row->peer};
        g->handles[i] = gbench_register(row->name, bench_task_run, &g->tasks[i]);
        char why[128];
        if (row->threads > 1)
            g->tasks[i].team =
                team_open(row->threads, run->options->cpus, row->d, row->c, why, sizeof why);
        if (row->samples == NULL || g->handles[i] == NULL ||
            (row->threads > 1 && g->tasks[i].team == NULL))
            skip(row, "out of memory");
        else if (row->threads > 1 && why[0] != '\0')
            skip(row, why);
        else if (row->peer == NULL &&
                 downhill_select(row->isa, &g->tasks[i].kernels, NULL, 0) != DOWNHILL_OK)
            skip(row, "the level is not usable");
        if (g->handles[i] != NULL) {
            gbench_label(g->handles[i], row->isa);
            /* In the order of enum counter. */
            gbench_counter(g->handles[i], "gflop_per_s", row->flops * 1e-9);
            gbench_counter(g->handles[i], "gb_per_s", row->bytes * 1e-9);
        }
    }
}

/* What is wrong, or not there, is not timed. */
static void check_peers(bench_suite *suite, size_t first, size_t end, workload *load)
{
    enum { UNKNOWN, GOOD, BAD } found[PEERS_COUNT] = {UNKNOWN};
    for (size_t i = first; i < end; i++) {
        bench_row *row = &suite->rows[i];
        if (row->peer == NULL)
            continue;
        if (row->peer->missing[0] != '\0') {
            skip(row, row->peer->missing);
            continue;
        }
        const size_t p = (size_t)(row->peer - peers_open());
        if (found[p] == UNKNOWN)
            found[p] = peer_agrees(row->peer, load) ? GOOD : BAD;
        if (found[p] == BAD)
            skip(row, "its scores or its gradient are not within the bound of ours");
    }
}

static void run_shape(struct run *run, size_t first, size_t end)
{
    bench_suite *suite = run->suite;
    const bench_row *any = &suite->rows[first];
    workload load;
    const bool ready = workload_open(&load, any->n, any->d, any->c, run->options->seed);
    if (ready)
        check_peers(suite, first, end, &load);
    for (size_t i = first; i < end && !*run->stop;) {
        const char *name = bench_formulas[suite->rows[i].kernel].group;
        struct group g = {0};
        for (; i < end && strcmp(bench_formulas[suite->rows[i].kernel].group, name) == 0; i++) {
            if (!ready)
                skip(&suite->rows[i], "out of memory");
            g.rows[g.count++] = &suite->rows[i];
        }
        if (ready) {
            open_group(run, &g, &load);
            run_group(run, &g);
            gbench_clear();
            for (size_t t = 0; t < g.count; t++)
                team_close(g.tasks[t].team);
        }
    }
    if (ready)
        workload_close(&load);
}

static int summarise(bench_suite *suite, size_t repetitions)
{
    double *times = calloc(repetitions, sizeof *times);
    if (times == NULL) {
        error_line("bench: out of memory");
        return EXIT_INTERNAL;
    }
    for (size_t i = 0; i < suite->n_rows; i++) {
        bench_row *row = &suite->rows[i];
        if (row->n_samples == 0) {
            skip(row, "interrupted");
            continue;
        }
        for (size_t s = 0; s < row->n_samples; s++)
            times[s] = row->samples[s].real_ns;
        row->real_ns = stats_of(times, row->n_samples);
        for (size_t s = 0; s < row->n_samples; s++)
            times[s] = row->samples[s].cpu_ns;
        row->cpu_ns = stats_of(times, row->n_samples);
    }
    free(times);
    return EXIT_OK;
}

void bench_attain(bench_suite *suite, const ceilings *found)
{
    for (size_t i = 0; i < suite->n_rows; i++) {
        bench_row *row = &suite->rows[i];
        /* A peer may use whatever the CPU has. */
        const char *isa = row->peer == NULL ? row->isa : found->fma_avx512 > 0 ? "avx512" : "avx2";
        const struct ceiling_peak peak = ceilings_peak(found, isa, bench_products(row->kernel));
        const struct ceiling_level *level = ceilings_level(found, row->holds);
        const double memory = row->flops / row->bytes * level->gb_per_s;
        if (peak.gflop_per_s == 0.0 || row->threads > 1) /* ceilings are of one core */
            continue;
        row->attainable = peak.gflop_per_s < memory ? peak.gflop_per_s : memory;
        row->bound = peak.gflop_per_s < memory ? peak.name : level->name;
    }
}

int bench_suite_run(const bench_options *options, bench_suite *suite,
                    const volatile sig_atomic_t *stop)
{
    struct run run = {.options = options,
                      .suite = suite,
                      .stop = stop,
                      .order = rng_seeded(options->seed),
                      .start = clock_seconds()};
    for (size_t first = 0; first < suite->n_rows && !*stop;) {
        size_t end = first;
        while (end < suite->n_rows && suite->rows[end].family == suite->rows[first].family)
            end++;
        run_shape(&run, first, end);
        first = end;
    }
    if (options->progress && isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    suite->seconds = clock_seconds() - run.start;
    suite->interrupted = *stop != 0;
    return summarise(suite, options->repetitions);
}
