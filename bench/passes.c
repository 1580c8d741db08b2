/* SPDX-License-Identifier: MIT
 *
 * Computes the median, the confidence interval and the noise floor of each row from its passes.
 *
 * Samples of one pass share the buffers, the state of the machine and its neighbours, so their
 * spread says little about another run. The spread of the pass medians does: each pass has new
 * buffers, and in a full run minutes lie between two passes. A handful of passes estimates a
 * variance poorly, so the variance of a row is combined with that of similar rows, as if the latter
 * came from `prior` more passes (Smyth, 2004, doi:10.2202/1544-6115.1027, with a fixed prior).
 *
 * The clock may wander between passes, by more than anything else does. Where times follow it, as
 * in caches that run at the clock of the core, the passes are scaled to the median clock of the row:
 * pass · clock of the pass / clock of the row. */
#include "suite.h"

#include <math.h>
#include <stdlib.h>

/* Weight of similar rows, in degrees of freedom. */
static const double prior = 4.0;

/* A row with a variance above this multiple of the typical one is noisier than its class, which then
 * says nothing about it: only its own passes count. */
static const double noisier = 2.0;

/* Minimum number of similar rows; with fewer, a wider class is used. */
enum { SIMILAR_MIN = 5 };

/* The passes of a class of rows are scaled to the clock if that divides their typical variance by at
 * least this number. Otherwise the clock is steady, or the times do not follow it, and scaling would
 * only add the error of measuring the clock. */
static const double follows_clock = 2.0;

/* Standard deviation of the median of normal values over that of their mean, for many values:
 * √(π/2). For 3 and 5 values it is 1.16 and 1.20. */
static const double median_over_mean = 1.2533;

/* Class of similar rows: one thread or several, order of magnitude of the time, cache level. */
struct class
{
    int threads, decade, level;
};

static struct class class_of(const bench_row *row, const machine *m)
{
    struct class c = {row->threads > 1, (int)floor(log10(row->real_ns.median)), 0};
    for (size_t i = 0; m != NULL && i < m->n_caches; i++)
        c.level += m->caches[i].type[0] != 'i' &&
                   (row->cold || row->working_set > (double)m->caches[i].bytes);
    return c;
}

static bool is_used(const bench_row *row, const bench_sample *sample, const core_capacity *core)
{
    return row->uses_disturbed || bench_sample_interference(row, sample, core) == INTERFERENCE_NONE;
}

/* Sets the median time and clock of the samples of a pass, or 0 if there are none to use. */
static void summarise_pass(bench_row *row, size_t pass, const core_capacity *core)
{
    double ns[BENCH_SAMPLES_MAX], clock[BENCH_SAMPLES_MAX];
    size_t count = 0;
    for (size_t s = 0; s < row->n_samples; s++) {
        if (row->samples[s].pass != pass || !is_used(row, &row->samples[s], core))
            continue;
        ns[count] = row->samples[s].real_ns;
        clock[count++] = row->samples[s].clock_ghz;
    }
    row->pass_ns[pass] = count > 0 ? stats_compute(ns, count).median : 0.0;
    row->pass_clock_ghz[pass] = count > 0 ? stats_compute(clock, count).median : 0.0;
}

/* The figure of a pass: its median, in time or scaled to the clock. */
enum unit { TIME, CLOCK, UNITS };

static double figure_of_pass(const bench_row *row, size_t pass, enum unit unit)
{
    return row->pass_ns[pass] * (unit == CLOCK ? row->pass_clock_ghz[pass] / row->clock_ghz : 1.0);
}

/* Variance of the logarithms of the figures of the passes, in either unit. */
struct spread {
    double variance[UNITS];
    double alike[UNITS]; /* typical variance of the rows of the class; negative: too few */
    size_t passes;       /* with a median; below 2 there is no variance */
    bool has_clock;      /* in each of them */
    struct class class;
};

/* Returns the variance of the logarithms of the figures of the passes that have one. */
static double variance_of(const bench_row *row, enum unit unit, size_t passes)
{
    double sum = 0.0, squares = 0.0;
    for (size_t p = 0; p < row->n_passes; p++) {
        if (row->pass_ns[p] == 0.0)
            continue;
        const double x = log(figure_of_pass(row, p, unit) / row->real_ns.median);
        sum += x;
        squares += x * x;
    }
    return fmax(squares - sum * sum / (double)passes, 0.0) / (double)(passes - 1);
}

static struct spread spread_of(bench_row *row, const bench_options *o)
{
    struct spread s = {.has_clock = true, .class = class_of(row, o->machine)};
    for (size_t p = 0; p < row->n_passes; p++) {
        summarise_pass(row, p, o->core);
        s.passes += row->pass_ns[p] > 0.0;
        s.has_clock = s.has_clock && (row->pass_ns[p] == 0.0 || row->pass_clock_ghz[p] > 0.0);
    }
    if (s.passes > 1) {
        s.variance[TIME] = variance_of(row, TIME, s.passes);
        s.variance[CLOCK] = s.has_clock ? variance_of(row, CLOCK, s.passes) : s.variance[TIME];
    }
    return s;
}

static bool is_alike(const struct class *a, const struct class *b, int width)
{
    return width == 2 || (a->threads == b->threads && a->decade == b->decade &&
                          (width == 1 || a->level == b->level));
}

/* Returns the typical variance of the rows that are alike, or a negative number if there are too
 * few. The median over rows ignores a few that are noisier than the others. */
static double variance_alike(const struct spread *all, size_t n, const struct spread *of,
                             enum unit unit, double *values)
{
    for (int width = 0; width <= 2; width++) {
        size_t count = 0;
        for (size_t i = 0; i < n; i++) {
            if (all[i].passes < 2 || !is_alike(&all[i].class, &of->class, width))
                continue;
            /* The median of χ² with k degrees of freedom is k·(1 - 2/(9k))³ (Wilson and
             * Hilferty). */
            const double k = (double)(all[i].passes - 1), cube = 1.0 - 2.0 / (9.0 * k);
            values[count++] = all[i].variance[unit] / (cube * cube * cube);
        }
        if (count >= SIMILAR_MIN)
            return stats_compute(values, count).median;
    }
    return -1.0;
}

/* Sets the median and its interval, and the noise floor, from the variance of the passes. */
static void set_figure(bench_row *row, const struct spread *s)
{
    row->is_at_clock =
        s->has_clock && s->alike[TIME] >= 0.0 && s->alike[TIME] > follows_clock * s->alike[CLOCK];
    const enum unit unit = row->is_at_clock ? CLOCK : TIME;
    const double alike = s->alike[unit], variance = s->variance[unit];
    double ns[BENCH_PASSES_MAX];
    size_t count = 0;
    for (size_t p = 0; p < row->n_passes; p++)
        if (row->pass_ns[p] > 0.0)
            ns[count++] = figure_of_pass(row, p, unit);
    row->real_ns.median = stats_compute(ns, count).median;
    const bool is_typical = alike >= 0.0 && variance <= noisier * alike;
    const double own = (double)(s->passes - 1), weight = is_typical ? prior : 0.0;
    const double deviation = sqrt((own * variance + weight * fmax(alike, 0.0)) / (own + weight));
    const double t = stats_t975(own + weight);
    const double error = t * deviation * median_over_mean / sqrt((double)s->passes);
    row->real_ns.low = row->real_ns.median * exp(-error);
    row->real_ns.high = row->real_ns.median * exp(error);
    row->noise_floor = exp(t * sqrt(2.0) * deviation) - 1.0;
}

double bench_row_precision_within_passes(bench_row *row, size_t passes, const core_capacity *core)
{
    double ratios[BENCH_SAMPLES_MAX];
    size_t count = 0;
    for (size_t p = 0; p < passes; p++)
        summarise_pass(row, p, core);
    for (size_t s = 0; s < row->n_samples; s++)
        if (is_used(row, &row->samples[s], core))
            ratios[count++] = row->samples[s].real_ns / row->pass_ns[row->samples[s].pass];
    if (count == 0)
        return NAN;
    const stats s = stats_compute(ratios, count);
    return stats_precision(&s);
}

bool bench_row_is_imprecise(const bench_row *row, double precision)
{
    return precision > 0.0 && (row->stopped == STOPPED_TIME || row->stopped == STOPPED_REPETITIONS);
}

void bench_suite_summarise(bench_suite *suite, const bench_options *options)
{
    struct spread *spreads = calloc(suite->n_rows + 1, sizeof *spreads);
    double *values = calloc(suite->n_rows + 1, sizeof *values);
    for (size_t i = 0; i < suite->n_rows; i++) {
        bench_row *row = &suite->rows[i];
        row->noise_floor = NAN;
        row->is_at_clock = false;
        if (row->n_samples == 0)
            continue;
        bench_row_summarise(row, options->core, options->repetitions);
        if (spreads != NULL)
            spreads[i] = spread_of(row, options);
    }
    for (size_t i = 0; spreads != NULL && values != NULL && i < suite->n_rows; i++) {
        struct spread *s = &spreads[i];
        if (s->passes < 2)
            continue;
        /* Rows of a class have the same typical variance, and are often neighbours. */
        const bool is_known = i > 0 && s[-1].passes > 1 && is_alike(&s[-1].class, &s->class, 0);
        for (enum unit u = TIME; u < UNITS; u++)
            s->alike[u] =
                is_known ? s[-1].alike[u] : variance_alike(spreads, suite->n_rows, s, u, values);
        set_figure(&suite->rows[i], s);
    }
    free(spreads);
    free(values);
}
