/* SPDX-License-Identifier: MIT
 *
 * The results file of `downhill bench`. */
#define _GNU_SOURCE
#include "bench_session.h"

#include "base/error.h"
#include "base/output.h"
#include "bench/gbench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

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
    output_set(o, "passes", json_integer((json_int_t)s->bench.passes));
    output_set(o, "repetitions", json_integer((json_int_t)config->repetitions));
    output_set(o, "min_time_s", output_real(s->bench.min_time_s));
    output_set(o, "max_time_s", output_real(s->bench.max_time_s));
    output_set(o, "precision", output_real(s->bench.precision));
    output_set(o, "order", json_string("shuffled anew for each repetition of a group"));
    const double whole = core_capacity_estimate(&s->core);
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

static json_t *energy_to_json(void)
{
    json_t *o = json_object();
    energy_counters e;
    energy_open(&e, "");
    output_set(o, "available", json_boolean(e.n_packages > 0));
    output_set(o, "reason", json_string(e.missing));
    return o;
}

/* The distribution of the noise floors of the rows. */
static json_t *noise_floor_to_json(const bench_suite *suite)
{
    double *floors = calloc(suite->n_rows + 1, sizeof *floors);
    size_t count = 0;
    for (size_t i = 0; floors != NULL && i < suite->n_rows; i++)
        if (suite->rows[i].n_samples > 0 && isfinite(suite->rows[i].noise_floor))
            floors[count++] = suite->rows[i].noise_floor;
    const stats s = count > 0 ? stats_compute(floors, count) : (stats){.median = NAN, .p95 = NAN};
    free(floors);
    json_t *o = json_object();
    output_set(o, "passes", json_integer((json_int_t)suite->n_passes));
    output_set(o, "median", output_real(s.median));
    output_set(o, "p95", output_real(s.p95));
    output_set(o, "rows", json_array());
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
    if (s->suite.n_passes > 1)
        output_set(root, "noise_floor", noise_floor_to_json(&s->suite));
    output_set(root, "counters", counters_to_json(s));
    output_set(root, "energy", energy_to_json());
    if (s->suite.n_rows > 0) {
        output_set(root, "groups", bench_groups_to_json(&s->suite));
        output_set(root, "benchmarks", bench_rows_to_json(&s->suite));
    }
    output_set(root, "warnings", json_incref(s->warnings));
    return output_json(s->config->json, root);
}
