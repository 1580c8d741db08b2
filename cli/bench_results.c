/* SPDX-License-Identifier: MIT
 *
 * The results file of `downhill bench`, and what is said of doubtful rows. */
#define _GNU_SOURCE
#include "bench_session.h"

#include "base/error.h"
#include "base/output.h"
#include "base/warnings.h"
#include "bench/gbench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- the file ---- */

static json_t *caches_to_json(const machine *m)
{
    json_t *caches = json_array();
    for (size_t i = 0; i < m->n_caches; i++) {
        static const char *const types[] = {"Data", "Instruction", "Unified"};
        json_t *o = json_object();
        const char t = m->caches[i].type[0];
        output_set(o, "type", json_string(types[t == 'd' ? 0 : t == 'i' ? 1 : 2]));
        output_set(o, "level", json_integer(m->caches[i].level));
        output_set(o, "size", json_integer((json_int_t)m->caches[i].bytes));
        output_set(o, "num_sharing", json_integer(m->caches[i].shared_by_pus));
        json_array_append_new(caches, o);
    }
    return caches;
}

static json_t *context_to_json(const bench_session *s)
{
    char date[40];
    const time_t now = time(NULL);
    struct tm local;
    localtime_r(&now, &local);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S%z", &local);
    double load[3] = {0};
    const int n_loads = getloadavg(load, 3);
    json_t *loads = json_array();
    for (int i = 0; i < n_loads; i++)
        json_array_append_new(loads, output_real(load[i]));
    const int scaling = gbench_cpu_scaling();
    const bench_config *config = s->config;
    json_t *o = json_object();
    output_set(o, "date", json_string(date));
    output_set(o, "host_name", json_string(s->machine->host_name));
    output_set(o, "executable", json_string("downhill bench"));
    output_set(o, "arguments", json_incref(s->arguments));
    output_set(o, "num_cpus", json_integer(s->machine->pus));
    output_set(o, "mhz_per_cpu", json_integer((json_int_t)gbench_cpu_mhz()));
    output_set(o, "cpu_scaling_enabled", scaling < 0 ? json_null() : json_boolean(scaling));
    output_set(o, "caches", caches_to_json(s->machine));
    output_set(o, "load_avg", loads);
    output_set(o, "seed", json_integer((json_int_t)config->seed));
    output_set(o, "repetitions", json_integer((json_int_t)config->repetitions));
    output_set(o, "min_time_s", output_real(s->bench.min_time_s));
    output_set(o, "max_time_s", output_real(s->bench.max_time_s));
    output_set(o, "precision", output_real(s->bench.precision));
    output_set(o, "order", json_string("shuffled anew for each repetition of a group"));
    const double whole = core_whole_rate(&s->core);
    output_set(o, "additions_per_cycle", whole > 0.0 ? output_real(whole) : json_null());
    output_set(o, "pinned_cpu", s->cpu < 0 ? json_null() : json_integer(s->cpu));
    return o;
}

static json_t *verify_to_json(const bench_session *s)
{
    json_t *o = json_object();
    output_set(o, "seed", json_integer((json_int_t)s->config->seed));
    output_set(o, "checks", json_integer((json_int_t)s->verified.checks));
    output_set(o, "failures", json_integer((json_int_t)s->verified.failures));
    output_set(o, "seconds", output_real(s->verified.seconds));
    return o;
}

static json_t *counters_to_json(const bench_session *s)
{
    json_t *o = json_object();
    counters c = {.missing = "not asked for; `downhill bench --counters` counts"};
    if (s->bench.counters) {
        counters_open(&c);
        counters_close(&c);
    }
    output_set(o, "available", json_boolean(c.missing[0] == '\0'));
    output_set(o, "reason", json_string(c.missing));
    return o;
}

int bench_session_write(bench_session *s)
{
    if (s->config->json == NULL)
        return EXIT_OK;
    json_t *root = json_object();
    output_set(root, "schema_version", json_integer(OUTPUT_SCHEMA_VERSION));
    if (s->partial)
        output_set(root, "partial", json_true());
    output_set(root, "context", context_to_json(s));
    output_set(root, "machine", machine_to_json(s->machine));
    output_set(root, "build", machine_build_to_json());
    if (s->suite.n_rows > 0)
        output_set(root, "verify", verify_to_json(s));
    output_set(root, "formulas", bench_formulas_to_json());
    if (s->config->peers)
        output_set(root, "peers", peers_to_json());
    if (s->has_ceilings)
        output_set(root, "ceilings", ceilings_to_json(&s->ceilings));
    if (s->floor.passes > 1)
        output_set(root, "noise_floor", floor_to_json(&s->floor));
    output_set(root, "counters", counters_to_json(s));
    if (s->suite.n_rows > 0) {
        output_set(root, "groups", bench_groups_to_json(&s->suite));
        output_set(root, "benchmarks", bench_rows_to_json(&s->suite));
    }
    output_set(root, "warnings", json_incref(s->warnings));
    return output_json(s->config->json, root);
}

/* ---- doubts ---- */

/* A share of the clock by which it may differ from before a group to after it. */
static const double drift_max = 0.02;

enum { NAMED = 3 };

/* Up to NAMED names, then dots. */
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
        warnings_add(
            s->warnings,
            "the clock was another by more than 2 %% after %zu of %zu groups of rows than "
            "before: compare rows within a group only, or fix the frequency (groups of %s)",
            drifted.count, s->suite.n_groups, drifted.text);
}

size_t bench_session_doubts(bench_session *s)
{
    struct names waited = {0}, capped = {0}, shared = {0};
    size_t timed = 0, samples = 0, left_out = 0;
    for (size_t i = 0; i < s->suite.n_rows; i++) {
        const bench_row *row = &s->suite.rows[i];
        timed += row->n_samples > 0;
        if (row->n_samples == 0)
            continue;
        if (row->real_ns.median > WARNINGS_WAITED * row->cpu_ns.median)
            name(&waited, row->name);
        samples += row->n_samples;
        left_out += row->shared ? 0 : row->n_samples - row->n_alone;
        if (row->shared)
            name(&shared, row->name);
        if (row->stopped == STOPPED_TIME)
            name(&capped, row->name);
    }
    if (waited.count > 0)
        warnings_add(
            s->warnings,
            "%zu of %zu rows waited for the CPU, so that their times are too long: another "
            "program was running; stop it and run again (%s)",
            waited.count, timed, waited.text);
    if (!core_whole_is_plausible(&s->core))
        warnings_add(
            s->warnings,
            "this core was seen to begin %.1f additions in a cycle and no more, where cores "
            "with SIMD begin three and more: perhaps it was shared all the time, which "
            "cannot be told; run again when the machine is quieter",
            core_whole_rate(&s->core));
    if (left_out > 0)
        warnings_add(s->warnings,
                     "%zu of %zu samples had less than a whole core: another program had it, or "
                     "another hardware "
                     "thread of it was at work, under a hypervisor perhaps another guest's; they "
                     "are left out of "
                     "the statistics",
                     left_out, samples);
    if (shared.count > 0)
        warnings_add(
            s->warnings,
            "%zu of %zu rows have too few samples with the core to themselves, so that their "
            "statistics are of all samples and their times too long: run again when the machine "
            "is quieter, or give more --max-time (%s)",
            shared.count, timed, shared.text);
    if (capped.count > 0)
        warnings_add(
            s->warnings,
            "the 95 %% interval of %zu of %zu medians is wider than the %.3g %% asked for: "
            "sampling ended at %.3g s; give more --max-time (%s)",
            capped.count, timed, 100.0 * s->bench.precision, s->bench.max_time_s, capped.text);
    doubt_groups(s);
    if (s->suite.interrupted)
        warnings_add(s->warnings, "interrupted: some rows are missing; `downhill bench --resume` "
                                  "goes on");
    return timed;
}
