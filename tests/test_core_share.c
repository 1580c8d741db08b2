/* SPDX-License-Identifier: MIT
 *
 * Samples taken while another hardware thread used the core: detected, left out of the statistics,
 * kept in the results. The additions per cycle are made up, so that no second hardware thread is
 * needed. */
#define _XOPEN_SOURCE 700
#include "cmocka_all.h"

#include "base/error.h"
#include "base/levels.h"
#include "bench/core_share.h"
#include "bench/resume.h"
#include "bench/suite.h"
#include "support.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const volatile sig_atomic_t no_stop = 0;

static void record(core_capacity *core, double additions_per_cycle, int times)
{
    for (int i = 0; i < times; i++)
        core_capacity_add(core, additions_per_cycle);
}

static void test_core_whole__recorded_rates__99th_percentile(void **state)
{
    (void)state;
    core_capacity *core = calloc(1, sizeof *core);
    assert_true(core_capacity_estimate(core) == 0.0);
    record(core, 2.0, 900); /* shared most of the time */
    assert_true(fabs(core_capacity_estimate(core) - 2.0) < 0.02);
    record(core, 3.9, 95);
    record(core, 8.0, 5); /* too high, because the clock was measured too low */
    assert_true(fabs(core_capacity_estimate(core) - 3.9) < 0.02);
    assert_true(core_capacity_is_plausible(core));
    record(core, 1e9, 1000); /* clamped to the last bin */
    assert_true(core_capacity_estimate(core) < 17.0);
    memset(core, 0, sizeof *core);
    assert_true(core_capacity_is_plausible(core)); /* nothing was measured */
    record(core, 2.1, 1000);
    assert_true(core_capacity_is_plausible(core) == !levels_cpu_has(FEATURE_AVX2));
    free(core);
}

/* Any core, shared or not, starts more than half an addition per cycle and fewer than 16. */
static void test_core_whole__this_core__plausible_rate(void **state)
{
    (void)state;
    core_capacity *core = calloc(1, sizeof *core);
    core_capacity_measure(core);
    assert_true(core->count > 100);
    assert_true(core_capacity_estimate(core) > 0.5 && core_capacity_estimate(core) < 16.0);
    free(core);
}

enum { SAMPLES = 8 };

/* Returns a row whose sample i took 100 + i ns while core[i] additions per cycle were measured. */
static bench_row make_row(bench_sample *samples, const double *core)
{
    for (size_t i = 0; i < SAMPLES; i++)
        samples[i] = (bench_sample){
            .iterations = 1, .real_ns = 100.0 + (double)i, .cpu_ns = 99.0, .core = core[i]};
    return (bench_row){.samples = samples, .n_samples = SAMPLES};
}

static void test_summary__shared_samples__left_out(void **state)
{
    (void)state;
    core_capacity *core = calloc(1, sizeof *core);
    record(core, 4.0, 100);
    bench_sample samples[SAMPLES];
    /* 3.5 of 4 is below the limit of 0.9; 0 means not measured. */
    static const double rates[SAMPLES] = {4.0, 2.0, 3.9, 3.5, 4.2, 0.0, 1.0, 2.0};
    bench_row row = make_row(samples, rates);
    bench_row_summarise(&row, core, 4);
    assert_int_equal(row.n_undisturbed, 4);
    assert_false(row.uses_disturbed);
    assert_true(row.real_ns.median == 103.0); /* of 100, 102, 104, 105 */
    assert_true(row.real_ns.min == 100.0 && row.cpu_ns.median == 99.0);
    assert_true(fabs(core_share(core, samples[1].core) - 0.5) < 0.01);
    assert_true(core_share(core, samples[4].core) == 1.0);
    assert_true(core_share(core, samples[5].core) == 1.0);
    /* Fewer than five were alone, so all are used. */
    bench_row_summarise(&row, core, 5);
    assert_int_equal(row.n_undisturbed, 4);
    assert_true(row.uses_disturbed);
    assert_true(row.real_ns.median == 103.5);
    /* Another program took the CPU during sample 2. With two threads its CPU time means nothing. */
    samples[2].cpu_ns = 50.0;
    bench_row_summarise(&row, core, 3);
    assert_int_equal(row.n_undisturbed, 3);
    assert_true(row.real_ns.median == 104.0); /* of 100, 104, 105 */
    row.threads = 2;
    bench_row_summarise(&row, core, 3);
    assert_int_equal(row.n_undisturbed, 4);
    row.threads = 1;
    /* Without measured cores no sample is left out. */
    bench_row_summarise(&row, NULL, 5);
    assert_int_equal(row.n_undisturbed, SAMPLES);
    assert_false(row.uses_disturbed);
    assert_true(row.real_ns.median == 103.5);
    free(core);
}

/* Prints a table with this row and returns it; to be freed. */
static char *table_of(bench_row *row)
{
    const bench_suite suite = {.rows = row, .n_rows = 1};
    const char *path = scratch_path("table");
    fflush(stdout);
    const int before = dup(STDOUT_FILENO), to = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    assert_true(before >= 0 && to >= 0 && dup2(to, STDOUT_FILENO) == STDOUT_FILENO);
    close(to);
    bench_print_table(&suite, 0.01);
    fflush(stdout);
    dup2(before, STDOUT_FILENO);
    close(before);
    return read_text(path);
}

static void test_table__samples_left_out__used_and_taken(void **state)
{
    (void)state;
    core_capacity *core = calloc(1, sizeof *core);
    record(core, 4.0, 100);
    bench_sample samples[SAMPLES];
    static const double rates[SAMPLES] = {4.0, 2.0, 3.9, 3.5, 4.2, 0.0, 1.0, 2.0};
    /* The minimum number of undisturbed samples, and the column `n`. */
    static const struct {
        size_t min_undisturbed;
        const char *n;
    } cases[] = {{4, " 4/8 "}, {5, " 8 "}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bench_row row = make_row(samples, rates);
        snprintf(row.name, sizeof row.name, "a row");
        row.isa = "scalar";
        bench_row_summarise(&row, core, cases[i].min_undisturbed);
        char *table = table_of(&row);
        assert_non_null(strstr(strstr(table, "a row"), cases[i].n));
        free(table);
    }
    free(core);
}

static void test_sample__cpu_or_core_shared__lack_named(void **state)
{
    (void)state;
    core_capacity *core = calloc(1, sizeof *core);
    record(core, 4.0, 100);
    const bench_row one = {.threads = 1}, two = {.threads = 2};
    static const struct {
        double cpu_ns, core;
        bench_interference one_thread, two_threads;
    } cases[] = {
        {99.0, 4.0, INTERFERENCE_NONE, INTERFERENCE_NONE},
        {35.0, 4.0, INTERFERENCE_CPU, INTERFERENCE_NONE},
        {99.0, 2.0, INTERFERENCE_CORE, INTERFERENCE_CORE},
        {35.0, 2.0, INTERFERENCE_CPU, INTERFERENCE_CORE},
        {35.0, 0.0, INTERFERENCE_NONE, INTERFERENCE_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const bench_sample sample = {
            .iterations = 1, .real_ns = 100.0, .cpu_ns = cases[i].cpu_ns, .core = cases[i].core};
        assert_int_equal(bench_sample_interference(&one, &sample, core), cases[i].one_thread);
        assert_int_equal(bench_sample_interference(&two, &sample, core), cases[i].two_threads);
        assert_int_equal(bench_sample_interference(&one, &sample, NULL), INTERFERENCE_NONE);
    }
    free(core);
}

/* Only the counters of groups that waited can explain why they did. */
static void test_waited__groups_that_did_not_wait__left_out(void **state)
{
    (void)state;
    bench_sample samples[] = {
        {.iterations = 1000, .real_ns = 1e6, .cpu_ns = 0.25e6},
        {.iterations = 1000, .real_ns = 1e6, .cpu_ns = 1.001e6},
    };
    bench_row rows[] = {{.samples = &samples[0], .n_samples = 1},
                        {.samples = &samples[1], .n_samples = 1}};
    bench_group groups[] = {
        {.first = 0, .end = 1, .end_s = 1.0, .conditions = conditions_unknown()},
        {.first = 1, .end = 2, .start_s = 1.0, .end_s = 2.0, .conditions = {.steal_s = 9.0}},
    };
    groups[0].conditions.throttled_s = 0.7;
    bench_suite suite = {.rows = rows, .n_rows = 2, .groups = groups, .n_groups = 2};
    conditions passed;
    assert_true(fabs(bench_seconds_waited(&suite, &passed) - 0.75) < 1e-9);
    assert_true(passed.throttled_s == 0.7 && isnan(passed.steal_s));
    samples[1].cpu_ns = 0.5e6;
    assert_true(fabs(bench_seconds_waited(&suite, &passed) - 1.25) < 1e-9);
    assert_true(passed.throttled_s == 0.7 && passed.steal_s == 9.0);
    rows[1].threads = 2; /* the first thread of a team may sleep */
    assert_true(fabs(bench_seconds_waited(&suite, &passed) - 0.75) < 1e-9);
}

static const bench_shape tiny[] = {{3, 17, 4, true, false}};

static bench_options options_with(core_capacity *core)
{
    return (bench_options){.shapes = tiny,
                           .n_shapes = 1,
                           .isa = "scalar",
                           .filter = "hinge_f32",
                           .repetitions = 6,
                           .precision = 1e9,
                           .min_time_s = 1e-4,
                           .max_time_s = 2e-3,
                           .core = core,
                           .seed = 3};
}

/* While the core is shared, a row takes more samples for up to twice the time, then uses those it
 * has. */
static void test_run__core_shared__waits_up_to_a_limit(void **state)
{
    (void)state;
    core_capacity *core = calloc(1, sizeof *core);
    /* No core is as wide as this, so that every sample seems to share its core. */
    record(core, 15.0, 1000000);
    bench_options options = options_with(core);
    bench_suite suite;
    assert_int_equal(bench_suite_build(&options, &suite), EXIT_OK);
    assert_int_equal(bench_suite_run(&options, &suite, NULL, NULL, &no_stop), EXIT_OK);
    for (size_t g = 0; g < suite.n_groups; g++) {
        const bench_group *group = &suite.groups[g];
        /* Sampling and waiting of each row in turn; a busy machine can only add to it. */
        assert_true(group->end_s - group->start_s >=
                    0.99 * 2.0 * options.max_time_s * (double)(group->end - group->first));
    }
    for (size_t r = 0; r < suite.n_rows; r++) {
        const bench_row *row = &suite.rows[r];
        assert_true(row->uses_disturbed);
        assert_int_equal(row->n_undisturbed, 0);
        assert_true(row->real_ns.median > 0.0);
    }
    bench_suite_free(&suite);
    /* A fixed number of samples, and no more. */
    options.precision = 0.0;
    assert_int_equal(bench_suite_build(&options, &suite), EXIT_OK);
    assert_int_equal(bench_suite_run(&options, &suite, NULL, NULL, &no_stop), EXIT_OK);
    assert_int_equal(suite.rows[0].n_samples, 6);
    assert_true(suite.rows[0].uses_disturbed);
    bench_suite_free(&suite);
    free(core);
}

static void test_results__shared_samples__kept_and_resumed(void **state)
{
    (void)state;
    core_capacity *core = calloc(1, sizeof *core);
    record(core, 4.0, 1000000);
    bench_options options = options_with(core);
    bench_suite suite, again;
    assert_int_equal(bench_suite_build(&options, &suite), EXIT_OK);
    assert_int_equal(bench_suite_run(&options, &suite, NULL, NULL, &no_stop), EXIT_OK);
    bench_row *row = &suite.rows[0];
    for (size_t s = 0; s < row->n_samples; s++) {
        row->samples[s].core = s % 4 == 1 ? 2.0 : 4.0;
        row->samples[s].cpu_ns = row->samples[s].real_ns; /* independent of other programs */
    }
    options.repetitions = 3; /* fewer than the six, some of which are left out */
    bench_row_summarise(row, core, options.repetitions);
    json_t *rows = bench_rows_to_json(&suite), *results = json_object();
    size_t shared = 0, i;
    const json_t *o;
    json_array_foreach(rows, i, o)
    {
        if (strcmp(json_string_value(json_object_get(o, "run_name")), row->name) != 0)
            continue;
        if (strcmp(json_string_value(json_object_get(o, "run_type")), "iteration") == 0) {
            const bool alone = json_is_true(json_object_get(o, "alone"));
            assert_true(alone ==
                        (json_integer_value(json_object_get(o, "repetition_index")) % 4 != 1));
            assert_true(fabs(json_number_value(json_object_get(o, "core_share")) -
                             (alone ? 1.0 : 0.5)) < 0.01);
            shared += !alone;
        } else if (strstr(json_string_value(json_object_get(o, "name")), "_median") != NULL) {
            assert_int_equal(json_integer_value(json_object_get(o, "samples_alone")),
                             row->n_undisturbed);
            assert_true(json_is_false(json_object_get(o, "shared_core")));
        }
    }
    assert_int_equal(shared, row->n_samples - row->n_undisturbed);
    assert_true(shared > 0);
    json_object_set_new(results, "benchmarks", rows);
    json_object_set_new(results, "context", json_pack("{s:f}", "additions_per_cycle", 4.0));
    assert_int_equal(bench_suite_build(&options, &again), EXIT_OK);
    assert_int_equal(resume_restore(&options, &again, results), suite.n_rows);
    assert_int_equal(again.rows[0].n_undisturbed, row->n_undisturbed);
    assert_true(fabs(again.rows[0].real_ns.median / row->real_ns.median - 1.0) < 1e-8);
    bench_suite_free(&again);
    /* The earlier part of the run took a shared core for a whole one. */
    json_object_set_new(results, "context", json_pack("{s:f}", "additions_per_cycle", 2.0));
    assert_int_equal(bench_suite_build(&options, &again), EXIT_OK);
    assert_int_equal(resume_restore(&options, &again, results), suite.n_rows);
    assert_int_equal(again.rows[0].n_undisturbed, 0);
    assert_true(again.rows[0].uses_disturbed);
    json_decref(results);
    bench_suite_free(&again);
    bench_suite_free(&suite);
    free(core);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_core_whole__recorded_rates__99th_percentile),
        cmocka_unit_test(test_core_whole__this_core__plausible_rate),
        cmocka_unit_test(test_summary__shared_samples__left_out),
        cmocka_unit_test(test_table__samples_left_out__used_and_taken),
        cmocka_unit_test(test_sample__cpu_or_core_shared__lack_named),
        cmocka_unit_test(test_waited__groups_that_did_not_wait__left_out),
        cmocka_unit_test(test_run__core_shared__waits_up_to_a_limit),
        cmocka_unit_test(test_results__shared_samples__kept_and_resumed),
    };
    return cmocka_run_group_tests_name("core_share", tests, scratch_open, scratch_close);
}
