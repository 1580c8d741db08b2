/* SPDX-License-Identifier: MIT
 *
 * Warnings about rows and groups with doubtful figures. */
#define _GNU_SOURCE
#include "bench_session.h"

#include "base/waited.h"
#include "base/warnings.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Maximum relative change of the clock frequency during a group of rows. */
static const double drift_max = 0.02;

/* Minimum relative difference of the clocks of two rows of a group that is worth a warning. The
 * measurement of a clock varies by 1 %. */
static const double lower_min = 0.03;

static const char core_shared[] =
    "another hardware thread of the core was busy (under a hypervisor, perhaps another guest); "
    "run again when the machine is quieter";

/* The CPU times of a team do not tell these causes apart. */
static const char team_delayed[] =
    "a thread waited for a CPU or shared its core with another program or, under a hypervisor, "
    "another guest; run again when the machine is quieter";

enum { NAMED = 3 };

/* A list of up to NAMED names; "..." stands for the others. */
struct names {
    size_t count;
    char text[NAMED * (sizeof(bench_row){0}.name + 2) + 8];
};

static void add_name(struct names *names, const char *one)
{
    const size_t used = strlen(names->text);
    if (names->count < NAMED)
        snprintf(names->text + used, sizeof names->text - used, "%s%s",
                 names->count > 0 ? ", " : "", one);
    else if (names->count == NAMED)
        snprintf(names->text + used, sizeof names->text - used, ", ...");
    names->count++;
}

static void doubt_groups(bench_session *s)
{
    struct names drifted = {0};
    /* Groups are sampled once per pass. */
    for (size_t i = 0; i < s->suite.n_groups; i++) {
        const bench_group *g = &s->suite.groups[i];
        if (fabs(g->clock_after_ghz / g->clock_before_ghz - 1.0) > drift_max)
            add_name(&drifted, s->suite.rows[g->first].name);
    }
    if (drifted.count > 0)
        warnings_add(
            s->warnings,
            "the clock frequency changed by more than 2 %% during %zu of %zu passes of groups "
            "of rows: compare rows within a group only, or fix the frequency (groups of %s)",
            drifted.count, s->suite.n_groups, drifted.text);
}

/* Warns about rows whose clock was lower than that of another row of their group, with which they
 * were sampled in turn. */
static void doubt_clocks(bench_session *s, size_t timed)
{
    struct names slow = {0};
    double lowest = 1.0;
    for (size_t first = 0, end; first < s->suite.n_rows; first = end) {
        double highest = 0.0;
        end = bench_group_end(&s->suite, first);
        for (size_t i = first; i < end; i++)
            highest = fmax(highest, s->suite.rows[i].clock_ghz);
        for (size_t i = first; i < end; i++) {
            const bench_row *row = &s->suite.rows[i];
            if (row->n_samples == 0 || !(row->clock_ghz < (1.0 - lower_min) * highest))
                continue;
            add_name(&slow, row->name);
            lowest = fmin(lowest, row->clock_ghz / highest);
        }
    }
    if (slow.count > 0)
        warnings_add(s->warnings,
                     "%zu of %zu rows ran at a lower clock than other rows of their kernel and "
                     "shape, by up to %.0f %%, as CPUs do for wide instructions or at their power "
                     "limit; the column GHz shows it (%s)",
                     slow.count, timed, 100.0 * (1.0 - lowest), slow.text);
}

/* Counts samples by what they lacked, and rows by what most of their samples lacked. */
struct lacking {
    size_t samples;                     /* all */
    size_t waited, core_shared, teams;  /* left out: one thread, by reason; several threads */
    struct names rows_waited;           /* the median is longer than the CPU time */
    struct names few_waited, few_whole; /* too few good samples, by the more frequent reason */
    struct names rows_of_teams;         /* rows of several threads, for either reason */
};

static void count_lacking(struct lacking *l, const bench_row *row, const core_capacity *core)
{
    size_t waited = 0, shared = 0;
    for (size_t i = 0; i < row->n_samples; i++) {
        const bench_interference interference =
            bench_sample_interference(row, &row->samples[i], core);
        waited += interference == INTERFERENCE_CPU;
        shared += interference == INTERFERENCE_CORE;
    }
    l->samples += row->n_samples;
    const bool too_long = row->real_ns.median > WARNINGS_WAITED * row->cpu_ns.median;
    if (row->threads > 1) {
        l->teams += row->uses_disturbed ? 0 : waited + shared;
        if (row->uses_disturbed || too_long)
            add_name(&l->rows_of_teams, row->name);
        return;
    }
    if (!row->uses_disturbed) {
        l->waited += waited;
        l->core_shared += shared;
    } else
        add_name(waited > shared ? &l->few_waited : &l->few_whole, row->name);
    if (too_long)
        add_name(&l->rows_waited, row->name);
}

static void doubt_cores(bench_session *s, const struct lacking *l, size_t timed)
{
    static const char too_few[] =
        "%zu of %zu rows have too few samples with the core to themselves, so their statistics "
        "include all samples and their times are too long: %s (%s)";
    conditions passed;
    char cause[WAITED_TEXT];
    const double waited_s = bench_seconds_waited(&s->suite, &passed);
    waited_cause(&passed, waited_s, cause);
    if (l->rows_waited.count > 0)
        warnings_add(s->warnings,
                     "%zu of %zu rows waited for the CPU, so their times are too long: %s (%s)",
                     l->rows_waited.count, timed, cause, l->rows_waited.text);
    if (l->waited > 0)
        warnings_add(s->warnings,
                     "%zu of %zu samples waited for the CPU for a tenth of their time or more and "
                     "are left out of the statistics: %s",
                     l->waited, l->samples, cause);
    if (l->core_shared > 0)
        warnings_add(s->warnings,
                     "%zu of %zu samples had less than a whole core and are left out of the "
                     "statistics: %s",
                     l->core_shared, l->samples, core_shared);
    if (l->teams > 0)
        warnings_add(s->warnings,
                     "%zu of %zu samples of several threads did not have a whole core per thread "
                     "and are left out of the statistics: %s",
                     l->teams, l->samples, team_delayed);
    if (l->rows_of_teams.count > 0)
        warnings_add(s->warnings,
                     "the times of %zu of %zu rows of several threads are too long: %s (%s)",
                     l->rows_of_teams.count, timed, team_delayed, l->rows_of_teams.text);
    if (l->few_waited.count > 0)
        warnings_add(s->warnings, too_few, l->few_waited.count, timed, cause, l->few_waited.text);
    if (l->few_whole.count > 0)
        warnings_add(s->warnings, too_few, l->few_whole.count, timed, core_shared,
                     l->few_whole.text);
    if (!core_capacity_is_plausible(&s->core))
        warnings_add(s->warnings,
                     "this core started at most %.1f additions per cycle, but cores with SIMD "
                     "start three or more: another hardware thread may have shared it all the "
                     "time; run again when the machine is quieter",
                     core_capacity_estimate(&s->core));
}

size_t bench_session_doubts(bench_session *s)
{
    struct lacking lacking = {0};
    struct names capped = {0}, fewer = {0};
    const char *why = "";
    size_t timed = 0;
    for (size_t i = 0; i < s->suite.n_rows; i++) {
        const bench_row *row = &s->suite.rows[i];
        if (row->n_samples == 0)
            continue;
        timed++;
        count_lacking(&lacking, row, s->suite.core);
        if (row->n_passes < s->suite.n_passes && row->skipped[0] != '\0') {
            add_name(&fewer, row->name);
            why = row->skipped;
        }
        if (bench_row_is_imprecise(row, s->bench.precision))
            add_name(&capped, row->name);
    }
    doubt_cores(s, &lacking, timed);
    if (capped.count > 0)
        warnings_add(s->warnings,
                     "the samples of %zu of %zu rows did not reach the required precision of %.3g "
                     "%% within their passes; increase --max-time (now %.3g s) (%s)",
                     capped.count, timed, 100.0 * s->bench.precision, s->bench.max_time_s,
                     capped.text);
    if (fewer.count > 0)
        warnings_add(s->warnings,
                     "%zu of %zu rows failed in a later pass and have fewer than %zu: %s (%s)",
                     fewer.count, timed, s->suite.n_passes, why, fewer.text);
    doubt_groups(s);
    doubt_clocks(s, timed);
    if (s->suite.interrupted)
        warnings_add(s->warnings, "interrupted: some rows are missing%s",
                     s->config->json != NULL ? "; `downhill bench --resume` continues the run"
                                             : "");
    return timed;
}
