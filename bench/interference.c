/* SPDX-License-Identifier: MIT
 *
 * Tells disturbed samples from undisturbed ones, and summarises the undisturbed samples of a
 * row. */
#include "suite.h"

#include <math.h>

/* Groups whose thread waited for at most this share of the time do not count when causes are
 * sought. */
static const double min_waited_share = 0.01;

bench_interference bench_sample_interference(const bench_row *row, const bench_sample *sample,
                                             const core_capacity *core)
{
    if (core == NULL || sample->core == 0.0)
        return INTERFERENCE_NONE;
    /* With several threads, the CPU time of the first says nothing about the others. */
    if (row->threads <= 1 && sample->cpu_ns <= CORE_SHARE_MIN * sample->real_ns)
        return INTERFERENCE_CPU;
    return core_share(core, sample->core) < CORE_SHARE_MIN ? INTERFERENCE_CORE : INTERFERENCE_NONE;
}

void bench_row_summarise(bench_row *row, const core_capacity *core, size_t min_undisturbed)
{
    double real[BENCH_SAMPLES_MAX], cpu[BENCH_SAMPLES_MAX], clock[BENCH_SAMPLES_MAX];
    row->n_undisturbed = 0;
    for (size_t s = 0; s < row->n_samples; s++)
        row->n_undisturbed +=
            bench_sample_interference(row, &row->samples[s], core) == INTERFERENCE_NONE;
    const size_t enough =
        min_undisturbed < STATS_INTERVAL_MIN ? min_undisturbed : STATS_INTERVAL_MIN;
    row->uses_disturbed = row->n_undisturbed < enough && row->n_undisturbed < row->n_samples;
    size_t count = 0;
    for (size_t s = 0; s < row->n_samples; s++) {
        const bench_sample *sample = &row->samples[s];
        if (!row->uses_disturbed &&
            bench_sample_interference(row, sample, core) != INTERFERENCE_NONE)
            continue;
        real[count] = sample->real_ns;
        clock[count] = sample->clock_ghz;
        cpu[count++] = sample->cpu_ns;
    }
    row->real_ns = stats_compute(real, count);
    row->cpu_ns = stats_compute(cpu, count);
    row->clock_ghz = stats_compute(clock, count).median;
}

/* Returns the seconds that the thread of a row was off its CPU in a pass. Returns 0 for a team,
 * because its first thread also sleeps while it waits for the others. */
static double seconds_off_cpu(const bench_row *row, size_t pass)
{
    double ns = 0.0;
    for (size_t s = 0; s < row->n_samples && row->threads <= 1; s++) {
        const bench_sample *sample = &row->samples[s];
        if (sample->pass == pass)
            ns += fmax(sample->real_ns - sample->cpu_ns, 0.0) * (double)sample->iterations;
    }
    return ns * 1e-9;
}

double bench_seconds_waited(const bench_suite *suite, conditions *events)
{
    double waited_s = 0.0;
    *events = conditions_unknown();
    for (size_t i = 0; i < suite->n_groups; i++) {
        const bench_group *group = &suite->groups[i];
        double group_s = 0.0;
        for (size_t r = group->first; r < group->end; r++)
            group_s += seconds_off_cpu(&suite->rows[r], group->pass);
        if (group_s <= min_waited_share * (group->end_s - group->start_s))
            continue;
        waited_s += group_s;
        *events = conditions_sum(events, &group->conditions);
    }
    return waited_s;
}
