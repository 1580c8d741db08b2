/* SPDX-License-Identifier: MIT
 *
 * How benchmark rows are sampled: statistics of known numbers, stopping rules, cold buffers,
 * sweeps, the noise floor, counters, and resuming an interrupted run. Nothing here asserts a
 * speed. */
#define _XOPEN_SOURCE 700
#include "cmocka_all.h"

#include "base/error.h"
#include "base/progress.h"
#include "bench/buffer_pool.h"
#include "bench/resume.h"
#include "bench/suite.h"
#include "support.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- statistics ---- */

static void test_stats__known_samples__known_values(void **state)
{
    (void)state;
    double odd[] = {5.0, 1.0, 100.0, 2.0, 3.0};
    const stats a = stats_compute(odd, 5);
    assert_true(a.median == 3.0 && a.min == 1.0 && a.mad == 2.0);
    assert_true(isnan(a.low) && isnan(a.high));
    assert_int_equal(a.n_severe, 1); /* 100 is beyond 5 + 3·(5 - 2) */
    assert_int_equal(a.n_mild, 0);
    double even[] = {4.0, 1.0, 2.0, 8.0};
    const stats b = stats_compute(even, 4);
    assert_true(b.median == 3.0 && b.min == 1.0 && b.mad == 1.5);
    double one[] = {7.0};
    const stats c = stats_compute(one, 1);
    assert_true(c.median == 7.0 && c.min == 7.0 && c.mad == 0.0 && c.p95 == 7.0);
    /* p95 is that of numpy.percentile; the interval is from the second to the last but one. */
    double ten[] = {3, 1, 4, 10, 5, 9, 2, 6, 8, 7};
    const stats d = stats_compute(ten, 10);
    assert_true(d.median == 5.5 && fabs(d.p95 - 9.55) < 1e-12);
    assert_true(d.low == 2.0 && d.high == 9.0);
    assert_true(fabs(stats_precision(&d) - 3.5 / 5.5) < 1e-15);
    double fences[] = {1, 2, 3, 4,
                       5, 9, 20}; /* quartiles 2.5 and 7, so the fences are 13.75, 20.5 */
    const stats e = stats_compute(fences, 7);
    assert_int_equal(e.n_mild, 1);
    assert_int_equal(e.n_severe, 0);
}

/* Expected ranks are from scipy.stats.binom. */
static void test_stats__interval_rank__as_in_scipy(void **state)
{
    (void)state;
    static const size_t want[][2] = {{1, 0},   {5, 0},   {6, 1},    {7, 1},     {8, 1},
                                     {9, 2},   {10, 2},  {12, 3},   {15, 4},    {20, 6},
                                     {30, 10}, {50, 18}, {100, 40}, {1000, 469}};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        assert_int_equal(stats_interval_rank(want[i][0]), want[i][1]);
}

/* ---- stopping rules ---- */

static const bench_shape tiny[] = {{3, 17, 4, true, false}, {2, 5, 3, true, false}};

static bench_options tiny_options(void)
{
    return (bench_options){.shapes = tiny,
                           .n_shapes = 1,
                           .isa = "scalar",
                           .filter = "score_f32|hinge_f32",
                           .repetitions = 6,
                           .min_time_s = 1e-5,
                           .max_time_s = 1e-3,
                           .seed = 3};
}

static const volatile sig_atomic_t no_stop = 0;

static bench_suite run_all(const bench_options *options)
{
    bench_suite suite;
    assert_int_equal(bench_suite_build(options, &suite), EXIT_OK);
    assert_int_equal(bench_suite_run(options, &suite, NULL, NULL, &no_stop), EXIT_OK);
    return suite;
}

static void test_run__each_stopping_rule__recorded(void **state)
{
    (void)state;
    static const struct {
        double precision, max_time_s;
        bench_stopped stopped;
    } cases[] = {{0.0, 1e-3, STOPPED_REPETITIONS},
                 {1e9, 1e-3, STOPPED_PRECISION},
                 {1e-15, 1e-3, STOPPED_TIME}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bench_options options = tiny_options();
        options.precision = cases[i].precision;
        options.max_time_s = cases[i].max_time_s;
        bench_suite suite = run_all(&options);
        assert_true(suite.n_rows > 1);
        for (size_t r = 0; r < suite.n_rows; r++) {
            const bench_row *row = &suite.rows[r];
            double spent_s = 0.0;
            for (size_t s = 0; s < row->n_samples; s++)
                spent_s += 1e-9 * row->samples[s].real_ns * (double)row->samples[s].iterations;
            /* If the timer gives equal samples, any requested precision is reached. */
            if (cases[i].stopped == STOPPED_TIME && stats_precision(&row->real_ns) == 0.0)
                continue;
            assert_int_equal(row->stopped, cases[i].stopped);
            if (cases[i].stopped == STOPPED_TIME)
                assert_true(spent_s >= 0.9 * options.max_time_s && row->n_samples >= 6);
            else
                assert_int_equal(row->n_samples, 6);
        }
        bench_suite_free(&suite);
    }
}

/* The rows of a group are interleaved, and a group is complete before the next begins. */
static void test_run__groups__one_after_another(void **state)
{
    (void)state;
    const bench_options options = tiny_options();
    bench_suite suite = run_all(&options);
    size_t rows = 0;
    double end_s = 0.0;
    for (size_t i = 0; i < suite.n_groups; i++) {
        const bench_group *g = &suite.groups[i];
        assert_int_equal(g->first, rows);
        rows = g->end;
        assert_true(g->start_s >= end_s && g->end_s > g->start_s);
        end_s = g->end_s;
        assert_true(g->clock_before_ghz > 0.1 && g->clock_after_ghz > 0.1);
        for (size_t r = g->first; r < g->end; r++)
            for (size_t s = 0; s < suite.rows[r].n_samples; s++)
                assert_true(suite.rows[r].samples[s].time_s >= g->start_s &&
                            suite.rows[r].samples[s].time_s <= g->end_s);
    }
    assert_int_equal(rows, suite.n_rows);
    bench_suite_free(&suite);
}

/* ---- cold rows and sweeps ---- */

static machine with_memory(uint64_t last_level, uint64_t memory)
{
    machine m = {.n_caches = 1, .memory_bytes = memory};
    m.caches[0] = (machine_cache){2, "unified", last_level, 1};
    return m;
}

static void test_cold__small_shapes__buffers_rotate(void **state)
{
    (void)state;
    const machine m = with_memory(1 << 20, UINT64_C(1) << 34);
    const bench_shape shapes[] = {{4, 700, 3, true, false}, {300, 2000, 3, true, false}};
    bench_options options = tiny_options();
    options.machine = &m;
    options.shapes = shapes;
    options.n_shapes = 2;
    options.cold = true;
    options.filter = "(score|hinge|step_hinge|epoch_hinge)_f32";
    bench_suite suite;
    assert_int_equal(bench_suite_build(&options, &suite), EXIT_OK);
    size_t cold = 0;
    for (size_t i = 0; i < suite.n_rows; i++) {
        const bench_row *row = &suite.rows[i];
        assert_int_equal(row->cold, strstr(row->name, "/cold") != NULL);
        if (!row->cold)
            continue;
        cold++;
        /* There is no cold row for the loss, which reads no features, or for data larger than two
         * caches. */
        assert_true(row->n == 4 && row->kernel != BENCH_hinge_f32 &&
                    !bench_has_traits(row->kernel, BENCH_TRAIT_EPOCH));
        buffer_pool s = {0};
        buffer_pool_open(&s, &options, &suite, i, 0);
        bench_task task = {.kernel = row->kernel, .by.library = &library_linked};
        char why[128];
        assert_true(buffer_pool_find(&s, row, &task, why, sizeof why));
        assert_true((double)task.n_loads * row->working_set >= 2.0 * (1 << 20));
        for (size_t l = 1; l < task.n_loads; l++)
            assert_ptr_not_equal(task.loads[l].x, task.loads[l - 1].x);
        /* Each call uses the next buffer. */
        assert_int_equal(downhill_select("scalar", &task.by.kernels, NULL, 0), DOWNHILL_OK);
        bench_task_run(&task, task.n_loads + 2);
        assert_int_equal(task.turn, 2);
        buffer_pool_close(&s);
    }
    assert_int_equal(cold, 3); /* score, step, and the chain of calls */
    bench_suite_free(&suite);
    options.no_hot = true;
    assert_int_equal(bench_suite_build(&options, &suite), EXIT_OK);
    assert_int_equal(suite.n_rows, cold);
    bench_suite_free(&suite);
}

static void test_cold__too_little_memory__skipped(void **state)
{
    (void)state;
    const machine m = with_memory(64 << 20, 64 << 20);
    bench_options options = tiny_options();
    options.machine = &m;
    options.cold = options.no_hot = true;
    bench_suite suite = run_all(&options);
    assert_true(suite.n_rows > 0);
    for (size_t i = 0; i < suite.n_rows; i++)
        assert_non_null(strstr(suite.rows[i].skipped, "buffers that no cache holds would take"));
    bench_suite_free(&suite);
}

/* Rows of different sizes are compared, so they are interleaved. */
static void test_sweeps__sizes__interleaved(void **state)
{
    (void)state;
    bench_options options = tiny_options();
    options.sweeps = true;
    options.filter = "step_hinge_f32/scalar/n:(1|2|3|255|256)/d:3072/c:10/sweep:batch";
    bench_suite suite = run_all(&options);
    assert_int_equal(suite.n_rows, 5);
    assert_int_equal(suite.n_groups, 1);
    uint64_t last_of_first = 0, first_of_last = UINT64_MAX;
    for (size_t s = 0; s < 6; s++) {
        last_of_first = suite.rows[0].samples[s].sequence > last_of_first
                            ? suite.rows[0].samples[s].sequence
                            : last_of_first;
        first_of_last = suite.rows[4].samples[s].sequence < first_of_last
                            ? suite.rows[4].samples[s].sequence
                            : first_of_last;
    }
    assert_true(first_of_last < last_of_first);
    bench_suite_free(&suite);
    options.filter = "sweep:size";
    assert_int_equal(bench_suite_build(&options, &suite), EXIT_OK);
    for (size_t i = 0; i < suite.n_rows; i++)
        assert_int_equal(suite.rows[i].sweep, SWEEP_SIZE);
    bench_suite_free(&suite);
}

/* ---- counters ---- */

static void test_counters__started_and_stopped__count_or_give_a_reason(void **state)
{
    (void)state;
    counters c;
    counters_open(&c);
    counters_start(&c);
    for (volatile int i = 0; i < 1000000; i++) {
    }
    const counter_values found = counters_stop(&c);
    json_t *o = counter_values_to_json(&found);
    if (c.missing[0] != '\0') {
        print_message("counters: %s\n", c.missing);
        assert_false(found.known);
        assert_true(json_is_null(o));
    } else {
        assert_true(found.known);
        if (c.descriptor[COUNTER_INSTRUCTIONS] >= 0)
            assert_true(found.value[COUNTER_INSTRUCTIONS] >= 1e6);
    }
    json_decref(o);
    counters_close(&c);
}

/* ---- resuming ---- */

struct stopping {
    int groups; /* remaining */
};

static int stop_after(void *context, bench_suite *suite)
{
    struct stopping *s = context;
    assert_true(suite->interrupted);
    return --s->groups > 0 ? EXIT_OK : EXIT_INTERNAL;
}

/* A resumed run keeps the samples of its first part and continues in the order of an uninterrupted
 * run. */
static void test_resume__finished_groups__kept(void **state)
{
    (void)state;
    bench_options options = tiny_options();
    options.filter = "score_f32|hinge_f32|grad_f32";
    options.n_shapes = 2;
    options.isa = NULL;
    bench_suite complete = run_all(&options), part, resumed;
    struct stopping stopping = {3};
    assert_int_equal(bench_suite_build(&options, &part), EXIT_OK);
    assert_int_equal(bench_suite_run(&options, &part, stop_after, &stopping, &no_stop),
                     EXIT_INTERNAL);
    assert_true(part.interrupted);
    json_t *results = json_object();
    json_object_set_new(results, "benchmarks", bench_rows_to_json(&part));
    json_object_set_new(results, "groups", bench_groups_to_json(&part));
    assert_int_equal(bench_suite_build(&options, &resumed), EXIT_OK);
    assert_int_equal(resume_restore(&options, &resumed, results), part.groups[2].end);
    assert_int_equal(resumed.n_groups, 3);
    assert_true(resumed.start_s == part.groups[2].end_s);
    assert_int_equal(bench_suite_run(&options, &resumed, NULL, NULL, &no_stop), EXIT_OK);
    assert_false(resumed.interrupted);
    assert_int_equal(resumed.n_groups, complete.n_groups);
    for (size_t i = 0; i < resumed.n_rows; i++) {
        const bench_row *row = &resumed.rows[i], *before = &part.rows[i];
        assert_int_equal(row->n_samples, 6);
        assert_string_equal(row->skipped, "");
        for (size_t s = 0; s < 6; s++) {
            assert_int_equal(row->samples[s].sequence, complete.rows[i].samples[s].sequence);
            if (i < part.groups[2].end)
                assert_true(fabs(row->samples[s].real_ns / before->samples[s].real_ns - 1.0) <
                            1e-8);
            else
                assert_true(row->samples[s].time_s > part.groups[2].end_s);
        }
        if (i < part.groups[2].end)
            assert_int_equal(row->stopped, STOPPED_REPETITIONS);
    }
    json_decref(results);
    bench_suite_free(&complete);
    bench_suite_free(&part);
    bench_suite_free(&resumed);
}

/* An interrupted row is sampled again, and its group counts as unfinished. */
static void test_resume__interrupted_row__sampled_again(void **state)
{
    (void)state;
    bench_options options = tiny_options();
    options.isa = NULL; /* so that a group has several rows */
    bench_suite suite = run_all(&options), resumed;
    const size_t cut = suite.groups[0].end - 1;
    assert_true(cut > 0);
    suite.rows[cut].stopped = STOPPED_INTERRUPTED;
    suite.rows[cut].n_passes = 0;
    json_t *results = json_object();
    json_object_set_new(results, "benchmarks", bench_rows_to_json(&suite));
    json_object_set_new(results, "groups", bench_groups_to_json(&suite));
    assert_int_equal(bench_suite_build(&options, &resumed), EXIT_OK);
    assert_int_equal(resume_restore(&options, &resumed, results), suite.n_rows - 1);
    assert_int_equal(resumed.n_groups, suite.n_groups - 1);
    assert_int_equal(bench_suite_run(&options, &resumed, NULL, NULL, &no_stop), EXIT_OK);
    assert_int_equal(resumed.n_groups, suite.n_groups);
    assert_int_equal(resumed.rows[cut].n_samples, 6);
    assert_int_equal(resumed.rows[cut].stopped, STOPPED_REPETITIONS);
    json_decref(results);
    bench_suite_free(&suite);
    bench_suite_free(&resumed);
}

/* ---- progress ---- */

static void test_progress__part_done__time_left(void **state)
{
    (void)state;
    progress p = {.command = "bench"};
    char text[128];
    progress_text(&p, 10.0, 5, 20, 0.25, "row", text, sizeof text);
    assert_string_equal(text, "bench 5/20 row, 30 s left");
    progress_text(&p, 100.0, 5, 20, 0.25, "row", text, sizeof text);
    assert_string_equal(text, "bench 5/20 row, 5 min left");
    progress_text(&p, 10.0, 1, 20, 0.0, "row", text, sizeof text);
    assert_string_equal(text, "bench 1/20 row"); /* no estimate yet */
    p.done_before =
        0.5; /* half was done by an earlier run: a quarter in ten seconds, a quarter to go */
    progress_text(&p, 10.0, 15, 20, 0.75, "row", text, sizeof text);
    assert_string_equal(text, "bench 15/20 row, 10 s left");
}

/* On a terminal, the number of finished rows never falls, although rows are sampled in random
 * order. */
static void test_progress__rows_interleaved__finished_rows_counted(void **state)
{
    (void)state;
    const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK), before = dup(STDERR_FILENO);
    assert_true(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    const int other_end = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    assert_true(other_end >= 0 && dup2(other_end, STDERR_FILENO) == STDERR_FILENO);
    bench_options options = tiny_options();
    options.min_time_s = 0.02; /* longer than 0.1 s in all: a line at most every 0.1 s */
    options.progress = true;
    bench_suite suite = run_all(&options);
    assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
    char text[4096] = "";
    assert_true(read(terminal, text, sizeof text - 1) > 0);
    size_t lines = 0, last = 0;
    for (const char *at = text; (at = strstr(at, "bench ")) != NULL; at++, lines++) {
        size_t done, n;
        assert_int_equal(sscanf(at, "bench %zu/%zu done, ", &done, &n), 2);
        assert_true(done >= last && done <= n && n == suite.n_rows);
        last = done;
    }
    assert_true(lines > 1);
    bench_suite_free(&suite);
    close(other_end);
    close(terminal);
    close(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats__known_samples__known_values),
        cmocka_unit_test(test_stats__interval_rank__as_in_scipy),
        cmocka_unit_test(test_run__each_stopping_rule__recorded),
        cmocka_unit_test(test_run__groups__one_after_another),
        cmocka_unit_test(test_cold__small_shapes__buffers_rotate),
        cmocka_unit_test(test_cold__too_little_memory__skipped),
        cmocka_unit_test(test_sweeps__sizes__interleaved),
        cmocka_unit_test(test_counters__started_and_stopped__count_or_give_a_reason),
        cmocka_unit_test(test_resume__finished_groups__kept),
        cmocka_unit_test(test_resume__interrupted_row__sampled_again),
        cmocka_unit_test(test_progress__part_done__time_left),
        cmocka_unit_test(test_progress__rows_interleaved__finished_rows_counted),
    };
    return cmocka_run_group_tests_name("sampling", tests, scratch_open, scratch_close);
}
