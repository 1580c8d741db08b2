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

static const char neighbour[] =
    "another hardware thread of the core was at work, under a hypervisor perhaps another guest's; "
    "run again when the machine is quieter";

/* The CPU times of a team do not tell these causes apart. */
static const char of_team[] =
    "one of their threads waited for a CPU or shared its core, with another program or, under a "
    "hypervisor, another guest; run again when the machine is quieter";

enum { NAMED = 3 };

/* A list of up to NAMED names; "..." stands for the others. */
struct names {
    size_t count;
    char text[NAMED * (sizeof(bench_row){0}.name + 2) + 8];
};

static void name(struct names *names, const char *one)
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
    for (size_t i = 0; i < s->suite.n_groups; i++) {
        const bench_group *g = &s->suite.groups[i];
        if (fabs(g->clock_after_ghz / g->clock_before_ghz - 1.0) > drift_max)
            name(&drifted, s->suite.rows[g->first].name);
    }
    if (drifted.count > 0)
        warnings_add(s->warnings,
                     "the clock differed by more than 2 %% between before and after %zu of %zu "
                     "groups of rows: compare rows within a group only, or fix the frequency "
                     "(groups of %s)",
                     drifted.count, s->suite.n_groups, drifted.text);
}

/* Counts samples by what they lacked, and rows by what most of their samples lacked. */
struct lacking {
    size_t samples, waited, neighboured, of_teams; /* samples left out */
    struct names rows_waited;                      /* the median is longer than the CPU time */
    struct names shared_waited, shared_neighboured;
    struct names teams; /* rows of several threads, for either reason */
};

static void count_lacking(struct lacking *l, const bench_row *row, const core_whole *core)
{
    size_t waited = 0, neighboured = 0;
    for (size_t i = 0; i < row->n_samples; i++) {
        const bench_lack lack = bench_sample_lacks(row, &row->samples[i], core);
        waited += lack == LACKS_CPU;
        neighboured += lack == LACKS_CORE;
    }
    l->samples += row->n_samples;
    const bool too_long = row->real_ns.median > WARNINGS_WAITED * row->cpu_ns.median;
    if (row->threads > 1) {
        l->of_teams += row->shared ? 0 : waited + neighboured;
        if (row->shared || too_long)
            name(&l->teams, row->name);
        return;
    }
    if (!row->shared) {
        l->waited += waited;
        l->neighboured += neighboured;
    } else
        name(waited > neighboured ? &l->shared_waited : &l->shared_neighboured, row->name);
    if (too_long)
        name(&l->rows_waited, row->name);
}

static void doubt_cores(bench_session *s, const struct lacking *l, size_t timed)
{
    static const char of_all[] =
        "%zu of %zu rows have too few samples with the core to themselves, so that their "
        "statistics are of all samples and their times too long: %s (%s)";
    conditions passed;
    char cause[WAITED_TEXT];
    const double waited_s = bench_waited(&s->suite, &passed);
    waited_cause(&passed, waited_s, cause);
    if (l->rows_waited.count > 0)
        warnings_add(s->warnings,
                     "%zu of %zu rows waited for the CPU, so that their times are too long: %s "
                     "(%s)",
                     l->rows_waited.count, timed, cause, l->rows_waited.text);
    if (l->waited > 0)
        warnings_add(s->warnings,
                     "%zu of %zu samples waited for the CPU for a tenth of their time or more and "
                     "are left out of the statistics: %s",
                     l->waited, l->samples, cause);
    if (l->neighboured > 0)
        warnings_add(s->warnings,
                     "%zu of %zu samples had less than a whole core and are left out of the "
                     "statistics: %s",
                     l->neighboured, l->samples, neighbour);
    if (l->of_teams > 0)
        warnings_add(s->warnings,
                     "%zu of %zu samples are of several threads without a CPU and a whole core for "
                     "each, and are left out of the statistics: %s",
                     l->of_teams, l->samples, of_team);
    if (l->teams.count > 0)
        warnings_add(s->warnings,
                     "%zu of %zu rows are of several threads, and their times too long: %s (%s)",
                     l->teams.count, timed, of_team, l->teams.text);
    if (l->shared_waited.count > 0)
        warnings_add(s->warnings, of_all, l->shared_waited.count, timed, cause,
                     l->shared_waited.text);
    if (l->shared_neighboured.count > 0)
        warnings_add(s->warnings, of_all, l->shared_neighboured.count, timed, neighbour,
                     l->shared_neighboured.text);
    if (!core_whole_is_plausible(&s->core))
        warnings_add(s->warnings,
                     "this core began at most %.1f additions per cycle, where cores with SIMD "
                     "begin three or more: another hardware thread may have shared it all the "
                     "time; run again when the machine is quieter",
                     core_whole_rate(&s->core));
}

size_t bench_session_doubts(bench_session *s)
{
    struct lacking lacking = {0};
    struct names capped = {0};
    size_t timed = 0;
    for (size_t i = 0; i < s->suite.n_rows; i++) {
        const bench_row *row = &s->suite.rows[i];
        if (row->n_samples == 0)
            continue;
        timed++;
        count_lacking(&lacking, row, s->suite.core);
        if (row->stopped == STOPPED_TIME)
            name(&capped, row->name);
    }
    doubt_cores(s, &lacking, timed);
    if (capped.count > 0)
        warnings_add(
            s->warnings,
            "the 95 %% interval of %zu of %zu medians is wider than the %.3g %% asked for: "
            "sampling ended at %.3g s; give more --max-time (%s)",
            capped.count, timed, 100.0 * s->bench.precision, s->bench.max_time_s, capped.text);
    doubt_groups(s);
    if (s->suite.interrupted)
        warnings_add(s->warnings, "interrupted: some rows are missing%s",
                     s->config->json != NULL ? "; `downhill bench --resume` goes on" : "");
    return timed;
}
