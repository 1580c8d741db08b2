/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bench_estimate.h"

#include "base/error.h"
#include "base/levels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A run that takes longer than this and keeps no samples gets a warning. */
static const double long_s = 60.0;

/* If a time without a unit makes a run longer than this, milliseconds were probably meant. */
static const double refused_s = 600.0;

/* A run with a minimum time above this is taken for a mistake and refused. */
static const double day_s = 86400.0;

/* Rough speeds, to estimate calls that take longer than the minimum time of a sample. */
static const double scalar_flop_per_s = 1.5e9, simd_flop_per_s = 15e9;

/* Seconds to verify one operation on one level, and to measure the ceilings of one number of
 * threads. */
static const double proof_s = 0.25, ceilings_s = 7.5, quick_ceilings_s = 3.0;

struct range {
    double min_s, max_s;
};

/* Adds the time of one row. Finding the number of calls per sample takes about 1.5 samples, and
 * the warm-up of a later pass a quarter. */
static void add_row(struct range *r, const bench_options *options, const bench_row *row)
{
    const bench_options of_row = bench_options_of(options, row), *o = &of_row;
    const double rate = levels_is_baseline(row->isa) ? scalar_flop_per_s : simd_flop_per_s;
    const double sample_s = fmax(o->min_time_s, row->flops / rate);
    const double all_s = (double)o->repetitions * sample_s;
    const double aside_s = (1.25 + 0.25 * (double)o->passes) * sample_s;
    r->min_s += aside_s + all_s;
    r->max_s += aside_s + (o->precision > 0.0 ? fmax(all_s, o->max_time_s) : all_s);
}

static void add_rows(struct range *r, const bench_options *o, const bench_suite *suite)
{
    for (size_t i = 0; i < suite->n_rows; i++)
        if (!bench_row_is_complete(&suite->rows[i], suite->n_passes))
            add_row(r, o, &suite->rows[i]);
}

static double proof_of(const bench_session *s)
{
    uint32_t kernel_set = 0;
    size_t levels = 0;
    for (size_t i = 0; i < s->suite.n_rows; i++) {
        const bench_row *row = &s->suite.rows[i];
        bool known = row->peer != NULL;
        kernel_set |= bench_kernels[row->kernel].proofs;
        for (size_t k = 0; k < i && !known; k++)
            known = strcmp(s->suite.rows[k].isa, row->isa) == 0;
        levels += !known;
    }
    return proof_s * (double)(__builtin_popcount(kernel_set) * (int)levels);
}

static void estimate(const bench_session *s, struct range *r)
{
    const bench_config *config = s->config;
    *r = (struct range){0};
    add_rows(r, &s->bench, &s->suite);
    double aside_s = proof_of(s);
    if (!config->no_ceilings && config->ceilings_from == NULL)
        aside_s +=
            (double)s->ceilings.n_sets * (config->quick ? quick_ceilings_s : 2.0 * ceilings_s);
    r->min_s += aside_s;
    r->max_s += aside_s;
}

/* Writes a time as "40 s", "12 min" or "1.5 h". */
static void duration(double seconds, char text[32])
{
    if (seconds < 90.0)
        snprintf(text, 32, "%.0f s", ceil(seconds));
    else if (seconds < 90.0 * 60.0)
        snprintf(text, 32, "%.0f min", seconds / 60.0);
    else
        snprintf(text, 32, "%.1f h", seconds / 3600.0);
}

static void range_text(const struct range *r, char text[80])
{
    char min[32], max[32];
    duration(r->min_s, min);
    duration(r->max_s, max);
    if (strcmp(min, max) == 0)
        snprintf(text, 80, "about %s", max);
    else
        snprintf(text, 80, "%s to %s", min, max);
}

/* Returns the option that was given a second or more without a unit, or NULL. */
static const char *plain_option(const bench_config *config, const char **value)
{
    const struct {
        const char *name, *text;
    } options[] = {{"--min-time", config->min_time}, {"--max-time", config->max_time}};
    for (int i = 0; i < 2; i++) {
        double seconds;
        bool has_unit;
        *value = options[i].text;
        if (*value != NULL && cli_seconds(*value, &seconds, &has_unit) && !has_unit &&
            seconds >= 1.0)
            return options[i].name;
    }
    return NULL;
}

int bench_estimate_say(const bench_session *s)
{
    struct range r;
    char text[80], rows[32];
    estimate(s, &r);
    range_text(&r, text);
    snprintf(rows, sizeof rows, "%zu row%s", s->suite.n_rows, s->suite.n_rows == 1 ? "" : "s");
    const char *value, *option = plain_option(s->config, &value);
    if (!s->config->list && option != NULL && r.max_s > refused_s) {
        error_line("bench: %s %s: is in seconds, and %s would take %s; write %ss to confirm, or "
                   "%sms",
                   option, value, rows, text, value, value);
        return EXIT_USAGE;
    }
    if (!s->config->list && r.min_s > day_s) {
        error_line("bench: %s would take %s, more than a day; give a lower --repetitions or "
                   "--min-time, or fewer rows by --filter, --isa or --shape",
                   rows, text);
        return EXIT_USAGE;
    }
    if (flush_stdout() != 0) /* main() reports that the list is lost */
        return EXIT_OK;
    fprintf(stderr,
            "bench: %s will take %s on an idle machine, including verification%s; several times as "
            "long on a busy one\n",
            rows, text,
            s->config->no_ceilings || s->config->ceilings_from != NULL ? "" : " and ceilings");
    if (!s->config->list && s->config->json == NULL && r.max_s > long_s)
        warning_line("bench: without --json only the table is printed and no samples are kept; to "
                     "keep them, interrupt now and add --json FILE");
    return EXIT_OK;
}
