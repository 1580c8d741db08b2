/* SPDX-License-Identifier: MIT
 *
 * Which samples of a row had the core to themselves, and the statistics of those. */
#include "suite.h"

#include <math.h>

/* A group whose thread waited for no more than this share of its time is left out of the causes. */
static const double waited_min = 0.01;

bench_interference bench_sample_interference(const bench_row *row, const bench_sample *sample,
                                             const core_capacity *core)
{
    if (core == NULL || sample->core == 0.0)
        return INTERFERENCE_NONE;
    /* The CPU time of one of several threads does not tell what the others had. */
    if (row->threads <= 1 && sample->cpu_ns <= CORE_SHARE_MIN * sample->real_ns)
        return INTERFERENCE_CPU;
    return core_share(core, sample->core) < CORE_SHARE_MIN ? INTERFERENCE_CORE : INTERFERENCE_NONE;
}

void bench_row_summarise(bench_row *row, const core_capacity *core, size_t least)
{
    double real[BENCH_SAMPLES_MAX], cpu[BENCH_SAMPLES_MAX];
    row->n_undisturbed = 0;
    for (size_t s = 0; s < row->n_samples; s++)
        row->n_undisturbed +=
            bench_sample_interference(row, &row->samples[s], core) == INTERFERENCE_NONE;
    const size_t enough = least < STATS_INTERVAL_MIN ? least : STATS_INTERVAL_MIN;
    row->uses_disturbed = row->n_undisturbed < enough && row->n_undisturbed < row->n_samples;
    size_t count = 0;
    for (size_t s = 0; s < row->n_samples; s++) {
        const bench_sample *sample = &row->samples[s];
        if (!row->uses_disturbed &&
            bench_sample_interference(row, sample, core) != INTERFERENCE_NONE)
            continue;
        real[count] = sample->real_ns;
        cpu[count++] = sample->cpu_ns;
    }
    row->real_ns = stats_compute(real, count);
    row->cpu_ns = stats_compute(cpu, count);
}

/* How long the thread of a row was off its CPU; 0 of a team, whose first thread also sleeps when it waits for others. */
static double waited_of(const bench_row *row)
{
    double ns = 0.0;
    for (size_t s = 0; s < row->n_samples && row->threads <= 1; s++) {
        const bench_sample *sample = &row->samples[s];
        ns += fmax(sample->real_ns - sample->cpu_ns, 0.0) * (double)sample->iterations;
    }
    return ns * 1e-9;
}

double bench_seconds_waited(const bench_suite *suite, conditions *passed)
{
    double waited_s = 0.0;
    *passed = conditions_unknown();
    for (size_t i = 0; i < suite->n_groups; i++) {
        const bench_group *group = &suite->groups[i];
        double of_group_s = 0.0;
        for (size_t r = group->first; r < group->end; r++)
            of_group_s += waited_of(&suite->rows[r]);
        if (of_group_s <= waited_min * (group->end_s - group->start_s))
            continue;
        waited_s += of_group_s;
        *passed = conditions_sum(passed, &group->conditions);
    }
    return waited_s;
}
