/* SPDX-License-Identifier: MIT
 *
 * Writes the rows as JSON and as a table. */
#include "base/levels.h"
#include "base/output.h"
#include "suite.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const bench_stopped_names[] = {
    [STOPPED_INTERRUPTED] = "interrupted",
    [STOPPED_PRECISION] = "precision",
    [STOPPED_TIME] = "time",
    [STOPPED_REPETITIONS] = "repetitions",
};

static void set_times(json_t *o, double real_ns, double cpu_ns)
{
    output_set(o, "real_time", output_real(real_ns));
    output_set(o, "cpu_time", output_real(cpu_ns));
    output_set(o, "time_unit", json_string("ns"));
}

static void set_rates(json_t *o, const bench_row *row, double real_ns)
{
    output_set(o, "gflop_per_s", output_real(row->flops / real_ns));
    output_set(o, "gb_per_s", output_real(row->bytes / real_ns));
    output_set(o, "samples_per_s", output_real(1e9 / real_ns * (double)row->n));
}

/* Returns an entry with the members that Google Benchmark's tools require. */
static json_t *entry_of(const bench_row *row, size_t index, const char *suffix, const char *type)
{
    char name[sizeof row->name + 16];
    snprintf(name, sizeof name, "%s%s", row->name, suffix);
    json_t *o = json_object();
    output_set(o, "name", json_string(name));
    output_set(o, "family_index", json_integer((json_int_t)row->family));
    output_set(o, "per_family_instance_index", json_integer((json_int_t)index));
    output_set(o, "run_name", json_string(row->name));
    output_set(o, "run_type", json_string(type));
    output_set(o, "repetitions",
               json_integer((json_int_t)(row->n_samples > 0 ? row->n_samples : 1)));
    output_set(o, "threads", json_integer((json_int_t)row->threads));
    return o;
}

/* Adds the description of the row. */
static void set_description(json_t *o, const bench_row *row)
{
    output_set(o, "label", json_string(row->isa));
    output_set(o, "kernel", json_string(bench_kernels[row->kernel].name));
    output_set(o, "isa", json_string(row->isa));
    output_set(o, "n", json_integer((json_int_t)row->n));
    output_set(o, "d", json_integer((json_int_t)row->d));
    output_set(o, "c", json_integer((json_int_t)row->c));
    output_set(o, "cache", json_string(row->cold ? "cold" : "hot"));
    if (row->sweep != SWEEP_NONE)
        output_set(o, "sweep", json_string(bench_sweep_names[row->sweep]));
    if (row->brief)
        output_set(o, "brief", json_true());
    output_set(o, "flops", output_real(row->flops));
    output_set(o, "bytes", output_real(row->bytes));
    output_set(o, "working_set_bytes", output_real(row->working_set));
    output_set(o, "attainable_gflop_per_s",
               row->attainable > 0.0 ? output_real(row->attainable) : json_null());
    output_set(o, "bound", row->attainable > 0.0 ? json_string(row->bound) : json_null());
}

/* Adds how the row was sampled. */
static void set_sampling(json_t *o, const bench_row *row)
{
    output_set(o, "stopped", json_string(bench_stopped_names[row->stopped]));
    output_set(o, "passes", json_integer((json_int_t)row->n_passes));
    if (isfinite(row->noise_floor)) {
        json_t *medians = json_array();
        for (size_t p = 0; p < row->n_passes; p++)
            json_array_append_new(medians, row->pass_ns[p] > 0.0 ? output_real(row->pass_ns[p])
                                                                 : json_null());
        output_set(o, "pass_medians_ns", medians);
        output_set(o, "scaled_to_clock", json_boolean(row->is_at_clock));
        output_set(o, "noise_floor", output_real(row->noise_floor));
    }
    if (row->clock_ghz > 0.0) {
        output_set(o, "clock_ghz", output_real(row->clock_ghz));
        output_set(o, "cycles_per_sample", output_real(bench_cycles_per_sample(row)));
        output_set(o, "operations_per_cycle", output_real(bench_operations_per_cycle(row)));
    }
    if (row->energy.calls > 0.0)
        output_set(o, "energy_j", output_real(row->energy.joules / row->energy.calls));
    output_set(o, "samples_alone", json_integer((json_int_t)row->n_undisturbed));
    output_set(o, "shared_core", json_boolean(row->uses_disturbed));
    if (isfinite(row->real_ns.low)) {
        output_set(o, "ci95_low_ns", output_real(row->real_ns.low));
        output_set(o, "ci95_high_ns", output_real(row->real_ns.high));
    }
    output_set(o, "outliers_mild", json_integer((json_int_t)row->real_ns.n_mild));
    output_set(o, "outliers_severe", json_integer((json_int_t)row->real_ns.n_severe));
    output_set(o, "above_roof", json_boolean(bench_above_roof(row)));
    output_set(o, "counters", counter_values_to_json(&row->counters));
}

static void append_aggregate(json_t *list, const bench_row *row, size_t index, const char *name,
                             double real_ns, double cpu_ns)
{
    char suffix[16];
    snprintf(suffix, sizeof suffix, "_%s", name);
    json_t *o = entry_of(row, index, suffix, "aggregate");
    output_set(o, "aggregate_name", json_string(name));
    output_set(o, "aggregate_unit", json_string("time"));
    output_set(o, "iterations", json_integer((json_int_t)row->n_samples));
    set_times(o, real_ns, cpu_ns);
    set_description(o, row);
    if (strcmp(name, "mad") != 0)
        set_rates(o, row, real_ns);
    if (strcmp(name, "median") == 0)
        set_sampling(o, row);
    json_array_append_new(list, o);
}

/* Appends the only entry of a row without samples, as Google Benchmark writes it after
 * SkipWithError(). */
static void append_skipped(json_t *list, const bench_row *row, size_t index)
{
    json_t *o = entry_of(row, index, "", "iteration");
    output_set(o, "repetition_index", json_integer(0));
    output_set(o, "error_occurred", json_true());
    /* A row that the run has not reached yet is written as interrupted. */
    output_set(o, "error_message",
               json_string(row->skipped[0] != '\0' ? row->skipped : "skipped: interrupted"));
    output_set(o, "iterations", json_integer(0));
    set_times(o, 0.0, 0.0);
    set_description(o, row);
    json_array_append_new(list, o);
}

/* Appends an entry per sample and the aggregates. */
static void append_row(json_t *list, const bench_row *row, size_t index, const core_capacity *core)
{
    if (row->n_samples == 0) {
        append_skipped(list, row, index);
        return;
    }
    for (size_t s = 0; s < row->n_samples; s++) {
        const bench_sample *sample = &row->samples[s];
        json_t *o = entry_of(row, index, "", "iteration");
        output_set(o, "repetition_index", json_integer((json_int_t)s));
        output_set(o, "iterations", json_integer((json_int_t)sample->iterations));
        set_times(o, sample->real_ns, sample->cpu_ns);
        output_set(o, "time_s", output_real(sample->time_s));
        output_set(o, "pass", json_integer((json_int_t)sample->pass));
        if (sample->clock_ghz > 0.0)
            output_set(o, "clock_ghz", output_real(sample->clock_ghz));
        output_set(o, "sequence", json_integer((json_int_t)sample->sequence));
        output_set(o, "cpu", sample->cpu < 0 ? json_null() : json_integer(sample->cpu));
        if (sample->core > 0.0) {
            const double share = core_share(core, sample->core);
            output_set(o, "core_share", output_real(share));
            output_set(
                o, "alone",
                json_boolean(bench_sample_interference(row, sample, core) == INTERFERENCE_NONE));
        }
        json_array_append_new(list, o);
    }
    append_aggregate(list, row, index, "median", row->real_ns.median, row->cpu_ns.median);
    append_aggregate(list, row, index, "min", row->real_ns.min, row->cpu_ns.min);
    append_aggregate(list, row, index, "mad", row->real_ns.mad, row->cpu_ns.mad);
    append_aggregate(list, row, index, "p95", row->real_ns.p95, row->cpu_ns.p95);
}

json_t *bench_groups_to_json(const bench_suite *suite)
{
    json_t *list = json_array();
    for (size_t i = 0; i < suite->n_groups; i++) {
        const bench_group *group = &suite->groups[i];
        const bench_row *row = &suite->rows[group->first];
        json_t *o = json_object(), *shape = json_array();
        const size_t sizes[] = {row->n, row->d, row->c};
        for (size_t s = 0; s < 3; s++)
            json_array_append_new(shape, json_integer((json_int_t)sizes[s]));
        output_set(o, "shape", shape); /* of the first row; in a sweep of sizes they differ */
        output_set(o, "pass", json_integer((json_int_t)group->pass));
        output_set(o, "group", json_string(bench_kernels[row->kernel].group));
        output_set(o, "cache", json_string(row->cold ? "cold" : "hot"));
        output_set(o, "first_row", json_string(row->name));
        output_set(o, "rows", json_integer((json_int_t)(group->end - group->first)));
        output_set(o, "start_s", output_real(group->start_s));
        output_set(o, "end_s", output_real(group->end_s));
        output_set(o, "clock_before_ghz", output_real(group->clock_before_ghz));
        output_set(o, "clock_after_ghz", output_real(group->clock_after_ghz));
        conditions_set(o, &group->conditions);
        json_array_append_new(list, o);
    }
    return list;
}

json_t *bench_rows_to_json(const bench_suite *suite)
{
    json_t *list = json_array();
    size_t index = 0;
    for (size_t i = 0; i < suite->n_rows; i++) {
        const bool new_family = i > 0 && suite->rows[i].family != suite->rows[i - 1].family;
        index = new_family ? 0 : index;
        append_row(list, &suite->rows[i], index++, suite->core);
    }
    return list;
}

json_t *bench_formulas_to_json(void)
{
    json_t *list = json_array();
    for (size_t i = 0; i < BENCH_KERNEL_COUNT; i++) {
        char flops[128], bytes[128];
        polynomial_text(&bench_kernels[i].operations, flops, sizeof flops);
        polynomial_text(&bench_kernels[i].bytes, bytes, sizeof bytes);
        json_t *o = json_object();
        output_set(o, "kernel", json_string(bench_kernels[i].name));
        output_set(o, "flops", json_string(flops));
        output_set(o, "bytes", json_string(bytes));
        output_set(o, "note", json_string(bench_kernels[i].note));
        json_array_append_new(list, o);
    }
    return list;
}

double bench_operations_per_cycle(const bench_row *row)
{
    return row->flops / (row->real_ns.median * row->clock_ghz);
}

double bench_cycles_per_sample(const bench_row *row)
{
    return row->real_ns.median * row->clock_ghz / (double)row->n;
}

/* Returns the scalar row of the same kernel and shape, or NULL. */
static const bench_row *find_scalar(const bench_suite *suite, const bench_row *row)
{
    for (size_t i = 0; i < suite->n_rows; i++) {
        const bench_row *r = &suite->rows[i];
        if (r->kernel == row->kernel && r->threads == 1 && r->family == row->family &&
            r->sweep == SWEEP_NONE && levels_is_baseline(r->isa) && r->n_samples > 0)
            return r;
    }
    return NULL;
}

/* Writes the number of samples that the statistics include, as in "42"; if some are left out, also
 * the number taken, as in "25/42". */
static void samples_text(const bench_row *row, char *text, size_t size)
{
    if (row->uses_disturbed || row->n_undisturbed == row->n_samples)
        snprintf(text, size, "%zu", row->n_samples);
    else
        snprintf(text, size, "%zu/%zu", row->n_undisturbed, row->n_samples);
}

void bench_print_table(const bench_suite *suite, double precision)
{
    printf("%-56s %12s %7s %7s %8s %9s %8s %9s %9s %7s %10s  %s\n", "row (wall time per call)",
           "median us", "CI95 %", "noise %", "n", "GFLOP/s", "GB/s", "op/cycle", "cyc/samp", "GHz",
           "vs scalar", "of attainable");
    bool has_plus = false;
    for (size_t i = 0; i < suite->n_rows; i++) {
        const bench_row *row = &suite->rows[i];
        if (i > 0 &&
            (row->kernel != suite->rows[i - 1].kernel || row->family != suite->rows[i - 1].family))
            putchar('\n');
        if (row->n_samples == 0) {
            printf("%-56s %s\n", row->name, row->skipped);
            continue;
        }
        const double median = row->real_ns.median;
        const bench_row *scalar = find_scalar(suite, row);
        char speedup[16] = "-", share[48] = "", interval[16] = "-", samples[24], floor[16] = "-",
             per_cycle[16] = "-", cycles[16] = "-", clock[16] = "-";
        if (scalar != NULL)
            snprintf(speedup, sizeof speedup, "%.2fx", scalar->real_ns.median / median);
        if (row->attainable > 0.0)
            snprintf(share, sizeof share, "%5.1f %% %s%s",
                     100.0 * row->flops / median / row->attainable, row->bound,
                     bench_above_roof(row) ? ", above its roof" : "");
        if (isfinite(row->real_ns.low)) {
            const bool imprecise = bench_row_is_imprecise(row, precision);
            snprintf(interval, sizeof interval, "%.2f%s", 100.0 * stats_precision(&row->real_ns),
                     imprecise ? "+" : "");
            has_plus = has_plus || imprecise;
        }
        if (isfinite(row->noise_floor))
            snprintf(floor, sizeof floor, "%.2f", 100.0 * row->noise_floor);
        if (row->clock_ghz > 0.0) {
            snprintf(per_cycle, sizeof per_cycle, "%.2f", bench_operations_per_cycle(row));
            snprintf(cycles, sizeof cycles, "%.4g", bench_cycles_per_sample(row));
            snprintf(clock, sizeof clock, "%.2f", row->clock_ghz);
        }
        samples_text(row, samples, sizeof samples);
        printf("%-56s %12.3f %7s %7s %8s %9.2f %8.2f %9s %9s %7s %10s  %s\n", row->name,
               median * 1e-3, interval, floor, samples, row->flops / median, row->bytes / median,
               per_cycle, cycles, clock, speedup, share);
    }
    if (has_plus)
        puts("\n+: the time was up before the samples within the passes were as precise as "
             "--precision asks; a longer --max-time helps");
    puts(
        "\nCI95: half the 95 % interval of the median; noise: two passes of the row differ by less "
        "in 95 % of cases; op/cycle: operations per clock cycle; cyc/samp: clock cycles per "
        "sample");
}
