/* SPDX-License-Identifier: MIT */
#include "resume.h"

#include "base/error.h"
#include "base/json_memory.h"
#include "base/output.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text != NULL ? text : "";
}

static double number_of(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key));
}

json_t *resume_read(const char *path, const machine *m, int *code)
{
    json_error_t error;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    *code = EXIT_DATA;
    if (root == NULL && !json_memory_failed()) {
        if (error.line > 0)
            error_line("bench: --resume: %s: line %d: %s; give a file written by "
                       "`downhill bench --json`",
                       path, error.line, error.text);
        else
            error_line("bench: --resume: %s; give a file written by `downhill bench --json`",
                       error.text);
        return NULL;
    }
    json_t *local = machine_to_json(m), *build = machine_build_to_json();
    const json_t *earlier = json_object_get(root, "machine");
    if (json_memory_failed()) {
        error_line("bench: --resume: %s: out of memory", path);
        *code = EXIT_INTERNAL;
    } else if (json_integer_value(json_object_get(root, "schema_version")) !=
                   OUTPUT_SCHEMA_VERSION ||
               !json_is_array(json_object_get(root, "benchmarks")) ||
               !json_is_array(json_object_get(json_object_get(root, "context"), "arguments")))
        error_line("bench: --resume: %s: not results of this version of `downhill bench`", path);
    else if (!json_is_true(json_object_get(root, "partial"))) {
        error_line("bench: --resume: %s: the run is complete; there is nothing to resume", path);
        *code = EXIT_USAGE;
    } else if (!json_equal(json_object_get(earlier, "id"), json_object_get(local, "id")) ||
               strcmp(text_of(earlier, "host_name"), m->host_name) != 0 ||
               !json_equal(json_object_get(earlier, "levels"), json_object_get(local, "levels"))) {
        error_line("bench: --resume: %s: the run is from another machine (%s) or its ISA levels "
                   "differ; resume it there, or start a new run here",
                   path, text_of(earlier, "cpu_name"));
        *code = EXIT_USAGE;
    } else if (!json_equal(json_object_get(root, "build"), build)) {
        error_line("bench: --resume: %s: the run is from another build (commit %s); resume it with "
                   "that build, or start a new run",
                   path, text_of(json_object_get(root, "build"), "commit"));
        *code = EXIT_USAGE;
    } else
        *code = EXIT_OK;
    json_decref(local);
    json_decref(build);
    if (*code == EXIT_OK)
        return root;
    json_decref(root);
    return NULL;
}

/* Returns the row of a name, or NULL. Searches from `hint` on, because a file has the rows in
 * order. */
static bench_row *find_row(bench_suite *suite, const char *name, size_t *hint)
{
    for (size_t i = 0; i < suite->n_rows; i++) {
        const size_t index = (*hint + i) % suite->n_rows;
        if (strcmp(suite->rows[index].name, name) == 0) {
            *hint = index;
            return &suite->rows[index];
        }
    }
    return NULL;
}

/* Appends a sample. `capacity` is the additions per cycle of an unshared core in the earlier run.
 * Returns false if the sample is invalid or memory is short. */
static bool restore_sample(bench_row *row, const json_t *o, double capacity)
{
    if (row->n_samples == BENCH_SAMPLES_MAX)
        return false;
    bench_sample *samples = realloc(row->samples, (row->n_samples + 1) * sizeof *samples);
    if (samples == NULL)
        return false;
    row->samples = samples;
    const json_t *cpu = json_object_get(o, "cpu");
    row->samples[row->n_samples] = (bench_sample){
        .iterations = (uint64_t)json_integer_value(json_object_get(o, "iterations")),
        .pass = (size_t)json_integer_value(json_object_get(o, "pass")),
        .real_ns = number_of(o, "real_time"),
        .cpu_ns = number_of(o, "cpu_time"),
        .clock_ghz = number_of(o, "clock_ghz"),
        .time_s = number_of(o, "time_s"),
        .core = number_of(o, "core_share") * capacity,
        .sequence = (uint64_t)json_integer_value(json_object_get(o, "sequence")),
        .cpu = json_is_integer(cpu) ? (int)json_integer_value(cpu) : -1,
    };
    row->samples_size = ++row->n_samples;
    return row->samples[row->n_samples - 1].real_ns > 0.0;
}

static void restore_counters(bench_row *row, const json_t *o)
{
    for (enum counter c = 0; json_is_object(o) && c < COUNTER_COUNT; c++) {
        const json_t *value = json_object_get(o, counter_names[c]);
        row->counters.value[c] = json_is_number(value) ? json_number_value(value) : NAN;
        row->counters.known = true;
    }
}

/* Restores an entry of "benchmarks": a sample, a skipped row, or the aggregate with the
 * counters. */
static void restore_entry(bench_suite *suite, const json_t *o, double capacity, size_t *hint)
{
    bench_row *row = find_row(suite, text_of(o, "run_name"), hint);
    if (row == NULL)
        return;
    if (json_is_true(json_object_get(o, "error_occurred")))
        snprintf(row->skipped, sizeof row->skipped, "%s", text_of(o, "error_message"));
    else if (strcmp(text_of(o, "run_type"), "iteration") == 0) {
        if (!restore_sample(row, o, capacity))
            row->n_samples = 0;
    } else if (strcmp(text_of(o, "aggregate_name"), "median") == 0) {
        for (bench_stopped s = 0; s <= STOPPED_REPETITIONS; s++)
            if (strcmp(text_of(o, "stopped"), bench_stopped_names[s]) == 0)
                row->stopped = s;
        const json_int_t passes = json_integer_value(json_object_get(o, "passes"));
        row->n_passes = passes > 0 && passes <= BENCH_PASSES_MAX ? (size_t)passes : 0;
        const json_t *energy = json_object_get(o, "energy_j");
        row->energy = (energy_sum){json_number_value(energy), json_is_number(energy) ? 1.0 : 0.0};
        restore_counters(row, json_object_get(o, "counters"));
    }
}

/* Drops the samples of passes that the row did not complete, or of which it has no valid sample, and
 * weights its energy with the calls of the others. */
static void drop_unfinished(bench_row *row)
{
    double calls = 0.0;
    for (size_t pass = 0; pass < row->n_passes; pass++) {
        size_t samples = 0;
        for (size_t s = 0; s < row->n_samples; s++)
            samples += row->samples[s].pass == pass;
        if (samples == 0)
            row->n_passes = pass;
    }
    while (row->n_samples > 0 && row->samples[row->n_samples - 1].pass >= row->n_passes)
        row->n_samples--;
    for (size_t s = 0; s < row->n_samples; s++)
        calls += (double)row->samples[s].iterations;
    row->energy = (energy_sum){row->energy.joules * calls, row->energy.calls * calls};
}

/* Restores a group if all its rows completed its pass. */
static void restore_group(bench_suite *suite, const json_t *o, size_t *hint)
{
    const bench_row *row = find_row(suite, text_of(o, "first_row"), hint);
    if (row == NULL)
        return;
    const size_t pass = (size_t)json_integer_value(json_object_get(o, "pass"));
    /* An interrupted group is run again. */
    for (size_t r = (size_t)(row - suite->rows), end = bench_group_end(suite, r); r < end; r++)
        if (!bench_row_is_complete(&suite->rows[r], pass + 1))
            return;
    bench_group *groups = realloc(suite->groups, (suite->n_groups + 1) * sizeof *groups);
    if (groups == NULL)
        return;
    suite->groups = groups;
    const size_t first = (size_t)(row - suite->rows);
    suite->groups[suite->n_groups++] =
        (bench_group){.first = first,
                      .end = bench_group_end(suite, first),
                      .pass = pass,
                      .start_s = number_of(o, "start_s"),
                      .end_s = number_of(o, "end_s"),
                      .clock_before_ghz = number_of(o, "clock_before_ghz"),
                      .clock_after_ghz = number_of(o, "clock_after_ghz"),
                      .conditions = conditions_of_json(o)};
    suite->start_s = fmax(suite->start_s, number_of(o, "end_s"));
}

size_t resume_restore(const bench_options *options, bench_suite *suite, const json_t *results)
{
    const json_t *o;
    size_t i, hint = 0, complete = 0;
    const double capacity = number_of(json_object_get(results, "context"), "additions_per_cycle");
    json_array_foreach(json_object_get(results, "benchmarks"), i, o)
        restore_entry(suite, o, capacity, &hint);
    for (size_t r = 0; r < suite->n_rows; r++) {
        bench_row *row = &suite->rows[r];
        if (strcmp(row->skipped, "skipped: interrupted") == 0)
            row->skipped[0] = '\0';
        drop_unfinished(row);
        complete += bench_row_is_complete(row, suite->n_passes);
        for (size_t s = 0; s < row->n_samples; s++)
            if (row->samples[s].sequence >= suite->sequence)
                suite->sequence = row->samples[s].sequence + 1;
    }
    bench_suite_summarise(suite, options);
    json_array_foreach(json_object_get(results, "groups"), i, o) restore_group(suite, o, &hint);
    return complete;
}
