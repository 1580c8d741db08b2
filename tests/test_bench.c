/* SPDX-License-Identifier: MIT
 *
 * The benchmark: formulas checked by hand, and runs of the suite on tiny shapes. Nothing here
 * asserts a speed. */
#define _POSIX_C_SOURCE 199309L
#include "cmocka_all.h"

#include "base/error.h"
#include "base/levels.h"
#include "bench/calls.h"
#include "bench/gbench.h"
#include "bench/peer_calls.h"
#include "bench/placement.h"
#include "bench/suite.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Operations and bytes for n = 2, d = 3, c = 5, counted by hand from the definitions. */
static void test_formulas__small_shape__equal_counts_by_hand(void **state)
{
    (void)state;
    const size_t n = 2, d = 3, c = 5;
    static const struct {
        bench_kernel kernel;
        double flops, bytes;
        const char *flops_text;
    } want[] = {
        {BENCH_score_f32, 2 * 30 + 10, 4 * (6 + 15 + 5 + 10), "2*n*d*c + n*c"},
        {BENCH_hinge_f32, 40, 8 * 10 + 8, "4*n*c"},
        {BENCH_softmax_f32, 200, 8 * 10 + 8, "20*n*c"},
        {BENCH_grad_f32, 2 * 30 + 10, 4 * (6 + 15 + 5 + 10), "2*n*d*c + n*c"},
        {BENCH_update_f32, 3 * 20, 12 * 20, "3*d*c + 3*c"},
        {BENCH_step_hinge_f32, 4 * 30 + 6 * 10 + 3 * 20, 4 * 6 + 20 * 20 + 8,
         "4*n*d*c + 3*d*c + 6*n*c + 3*c"},
        {BENCH_step_hinge_met50_f32, 3 * 30 + 6 * 10 + 3 * 20, 4 * 6 + 20 * 20 + 8,
         "3*n*d*c + 3*d*c + 6*n*c + 3*c"},
    };
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        const bench_kernel_info *f = &bench_kernels[want[i].kernel];
        char text[128];
        polynomial_text(&f->operations, text, sizeof text);
        assert_string_equal(text, want[i].flops_text);
        assert_true(polynomial_value(&f->operations, n, d, c) == want[i].flops);
        assert_true(polynomial_value(&f->bytes, n, d, c) == want[i].bytes);
    }
    /* The operations of a step are the sum of those of its parts. */
    const double parts = polynomial_value(&bench_kernels[BENCH_score_f32].operations, n, d, c) +
                         polynomial_value(&bench_kernels[BENCH_hinge_f32].operations, n, d, c) +
                         polynomial_value(&bench_kernels[BENCH_grad_f32].operations, n, d, c) +
                         polynomial_value(&bench_kernels[BENCH_update_f32].operations, n, d, c);
    assert_true(polynomial_value(&bench_kernels[BENCH_step_hinge_f32].operations, n, d, c) ==
                parts);
}

struct count {
    uint64_t calls, iterations;
};

static void spin(void *context, uint64_t iterations)
{
    struct count *c = context;
    c->calls++;
    for (uint64_t i = 0; i < iterations; i++) {
        c->iterations++;
        __asm__ volatile("" ::: "memory");
    }
}

static void test_gbench__run__exactly_the_requested_iterations(void **state)
{
    (void)state;
    struct count count = {0, 0};
    gbench_row *row = gbench_register("spin", spin, &count);
    assert_non_null(row);
    gbench_counter(row, "things", 3.0);
    gbench_counter(row, "others", 0.5);
    gbench_label(row, "words");
    static const uint64_t requested[] = {1, 1000, 77};
    uint64_t total = 0;
    for (size_t i = 0; i < 3; i++) {
        gbench_sample s;
        assert_int_equal(gbench_run(row, requested[i], &s), 0);
        total += requested[i];
        assert_int_equal(count.calls, i + 1);
        assert_int_equal(count.iterations, total);
        assert_int_equal(s.iterations, requested[i]);
        assert_true(s.real_ns > 0.0);
        assert_string_equal(s.label, "words");
        assert_int_equal(s.n_counters, 2);
        assert_string_equal(s.counters[0].name, "things");
        assert_true(fabs(s.counters[0].per_second * s.real_ns * 1e-9 - 3.0) < 1e-6);
        assert_true(fabs(s.counters[1].per_second * s.real_ns * 1e-9 - 0.5) < 1e-6);
    }
    gbench_clear();
}

static const bench_shape tiny[] = {{3, 17, 4, true, false}, {2, 5, 3, true, false}};

static bench_options tiny_options(void)
{
    return (bench_options){
        .shapes = tiny, .n_shapes = 2, .repetitions = 5, .min_time_s = 1e-5, .seed = 3};
}

/* Returns the number of usable ISA levels that have their own variant of a kernel. */
static size_t usable_levels(bench_kernel kernel)
{
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = levels_to_run(NULL, tables);
    size_t count = 0;
    for (size_t i = 0; i < n_tables; i++)
        count += !levels_repeat(tables, i, bench_kernels[kernel].element) &&
                 call_exists(tables[i], kernel);
    return count;
}

/* Returns whether a kernel has no rows on one thread, or needs more samples than the tiny shapes have: 20 for a share of
 * satisfied samples in steps of 5 %, and more than one batch for an epoch. */
static bool needs_more(bench_kernel kernel)
{
    return bench_has_traits(kernel, BENCH_TRAIT_TEAM) || kernel == BENCH_step_hinge_met50_f32 ||
           kernel == BENCH_step_hinge_met95_f32 || bench_has_traits(kernel, BENCH_TRAIT_EPOCH);
}

static int compare_u64(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void test_suite__run__every_row_sampled_and_order_recorded(void **state)
{
    (void)state;
    const bench_options options = tiny_options();
    bench_suite suite;
    assert_int_equal(bench_suite_build(&options, &suite), EXIT_OK);
    size_t rows = 0;
    for (bench_kernel k = 0; k < BENCH_KERNEL_COUNT; k++)
        rows += needs_more(k) ? 0 : 2 * usable_levels(k);
    assert_int_equal(suite.n_rows, rows);
    assert_string_equal(suite.rows[0].name, "score_f32/scalar/n:3/d:17/c:4");
    const volatile sig_atomic_t no_stop = 0;
    assert_int_equal(bench_suite_run(&options, &suite, NULL, NULL, &no_stop), EXIT_OK);
    assert_false(suite.interrupted);
    const size_t samples = suite.n_rows * options.repetitions;
    uint64_t *sequence = calloc(samples, sizeof *sequence);
    assert_non_null(sequence);
    size_t count = 0;
    bool in_file_order = true;
    for (size_t i = 0; i < suite.n_rows; i++) {
        const bench_row *row = &suite.rows[i];
        assert_string_equal(row->skipped, "");
        assert_int_equal(row->n_samples, options.repetitions);
        double min_ns = INFINITY, last_s = 0.0;
        uint64_t last_sequence = 0;
        for (size_t s = 0; s < row->n_samples; s++) {
            const bench_sample *sample = &row->samples[s];
            assert_true(sample->real_ns > 0.0);
            assert_true(sample->time_s >= last_s || sample->sequence < last_sequence);
            last_s = sample->time_s;
            last_sequence = sample->sequence;
            min_ns = fmin(min_ns, sample->real_ns);
            in_file_order = in_file_order && sample->sequence == count;
            sequence[count++] = sample->sequence;
        }
        assert_true(row->real_ns.min == min_ns);
        assert_true(row->real_ns.median >= min_ns);
    }
    assert_false(in_file_order);
    qsort(sequence, count, sizeof *sequence, compare_u64);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(sequence[i], i);
    free(sequence);
    bench_suite_free(&suite);
}

/* ---- epochs ---- */

struct visits {
    size_t rows, seen[600];
};

static downhill_status visit(const void *context, workload *load, const downhill_batch_f32 *batch)
{
    struct visits *v = (struct visits *)(uintptr_t)context;
    v->rows += batch->n;
    assert_int_equal(batch->n_next, load->n - v->rows);
    for (size_t i = 0; i < batch->n; i++)
        v->seen[batch->rows[i]]++;
    return DOWNHILL_OK;
}

static void test_workload__epoch__visits_each_row_once(void **state)
{
    (void)state;
    workload load;
    assert_true(workload_open(&load, 600, 5, 3, 1, 0));
    for (int shuffled = 0; shuffled < 2; shuffled++) {
        struct visits v = {0};
        assert_int_equal(workload_epoch(&load, shuffled ? load.shuffled : load.in_order, visit, &v),
                         DOWNHILL_OK);
        assert_int_equal(v.rows, load.n);
        for (size_t i = 0; i < load.n; i++)
            assert_int_equal(v.seen[i], 1);
    }
    assert_true(memcmp(load.in_order, load.shuffled, load.n * sizeof *load.shuffled) != 0);
    workload_close(&load);
}

/* ---- addresses ---- */

static void test_placement__new_buffers__lines_of_their_own_at_random(void **state)
{
    (void)state;
    enum { BUFFERS = 200 };
    static const size_t sizes[] = {1, 64, 200, 4096, 100000, 3 << 20};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        rng r = rng_seeded(1);
        bool seen[64] = {false};
        size_t different = 0;
        for (size_t i = 0; i < BUFFERS; i++) {
            unsigned char *p = placement_new(&r, sizes[s], 1);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % 64, 0);
            for (size_t k = 0; k < sizes[s]; k++)
                assert_int_equal(p[k], 0);
            memset(p, 0xFF, sizes[s]);
            bool *line = &seen[(uintptr_t)p % 4096 / 64];
            different += !*line;
            *line = true;
            placement_free(p);
        }
        assert_true(sizes[s] < 4096 || different > 50);
    }
    rng r = rng_seeded(1);
    assert_null(placement_new(&r, SIZE_MAX / 4, 8));
    placement_free(NULL);
}

static void test_workload__layout__moves_buffers_and_keeps_data(void **state)
{
    (void)state;
    workload a, b;
    assert_true(workload_open(&a, 100, 700, 5, 1, 0));
    assert_true(workload_open(&b, 100, 700, 5, 1, 1));
    assert_int_not_equal((uintptr_t)a.x % 4096, (uintptr_t)b.x % 4096);
    assert_memory_equal(a.x, b.x, 100 * 700 * sizeof *a.x);
    assert_memory_equal(a.y, b.y, 100 * sizeof *a.y);
    assert_memory_equal(a.u8.x, b.u8.x, 100 * 700);
    workload_close(&a);
    workload_close(&b);
}

static void test_suite__same_seed__same_order(void **state)
{
    (void)state;
    bench_options options = tiny_options();
    options.n_shapes = 1;
    bench_suite suites[3];
    const volatile sig_atomic_t no_stop = 0;
    for (int i = 0; i < 3; i++) {
        options.seed = i < 2 ? 3 : 4;
        assert_int_equal(bench_suite_build(&options, &suites[i]), EXIT_OK);
        assert_int_equal(bench_suite_run(&options, &suites[i], NULL, NULL, &no_stop), EXIT_OK);
    }
    bool differs = false;
    for (size_t r = 0; r < suites[0].n_rows; r++)
        for (size_t s = 0; s < options.repetitions; s++) {
            const uint64_t at = suites[0].rows[r].samples[s].sequence;
            assert_int_equal(at, suites[1].rows[r].samples[s].sequence);
            differs = differs || at != suites[2].rows[r].samples[s].sequence;
        }
    assert_true(differs || suites[0].n_rows < 2);
    for (int i = 0; i < 3; i++)
        bench_suite_free(&suites[i]);
}

static void test_suite__stopped_at_once__rows_skipped_as_interrupted(void **state)
{
    (void)state;
    const bench_options options = tiny_options();
    bench_suite suite;
    const volatile sig_atomic_t stop_now = 1;
    assert_int_equal(bench_suite_build(&options, &suite), EXIT_OK);
    assert_int_equal(bench_suite_run(&options, &suite, NULL, NULL, &stop_now), EXIT_OK);
    assert_true(suite.interrupted);
    for (size_t i = 0; i < suite.n_rows; i++)
        assert_non_null(strstr(suite.rows[i].skipped, "interrupted"));
    bench_suite_free(&suite);
}

static void test_suite__filter__only_matching_rows(void **state)
{
    (void)state;
    bench_options options = tiny_options();
    bench_suite suite;
    options.filter = "^grad_f32/.*/n:2/";
    assert_int_equal(bench_suite_build(&options, &suite), EXIT_OK);
    assert_int_equal(suite.n_rows, usable_levels(BENCH_grad_f32));
    bench_suite_free(&suite);
    static const struct {
        const char *filter, *message;
    } bad[] = {{"no_such_row", "no row matches 'no_such_row'"}, {"(", "not a regular expression"}};
    for (size_t i = 0; i < 2; i++) {
        options.filter = bad[i].filter;
        capture_stderr();
        const int code = bench_suite_build(&options, &suite);
        const char *text = captured();
        assert_int_equal(code, EXIT_USAGE);
        assert_int_equal(count_of(text, '\n'), 1);
        assert_non_null(strstr(text, bad[i].message));
        assert_null(suite.rows);
    }
}

/* A shape too large for memory gives a skipped row and does not end the run. */
static void test_suite__shape_too_large__row_skipped(void **state)
{
    (void)state;
    static const bench_shape shapes[] = {{(size_t)1 << 62, (size_t)1 << 62, 1, true, false},
                                         {2, 5, 3, true, false}};
    bench_options options = tiny_options();
    options.shapes = shapes;
    options.isa = "scalar";
    options.filter = "score_f32";
    bench_suite suite;
    const volatile sig_atomic_t no_stop = 0;
    assert_int_equal(bench_suite_build(&options, &suite), EXIT_OK);
    assert_int_equal(bench_suite_run(&options, &suite, NULL, NULL, &no_stop), EXIT_OK);
    assert_int_equal(suite.n_rows, 2);
    assert_string_equal(suite.rows[0].skipped, "skipped: out of memory");
    assert_int_equal(suite.rows[1].n_samples, options.repetitions);
    json_t *rows = bench_rows_to_json(&suite);
    json_t *first = json_array_get(rows, 0);
    assert_true(json_is_true(json_object_get(first, "error_occurred")));
    assert_string_equal(json_string_value(json_object_get(first, "error_message")),
                        "skipped: out of memory");
    assert_int_equal(json_array_size(rows), 1 + options.repetitions + 4);
    json_decref(rows);
    bench_suite_free(&suite);
}

/* The share of satisfied samples is the percentage in the name of the kernel. */
static void test_workload__satisfied_samples__share_in_the_name(void **state)
{
    (void)state;
    const caller ours = {.library = &library_linked};
    workload load;
    assert_true(workload_open(&load, 200, 70, 5, 1, 0));
    const int32_t *const labels[] = {load.y, load.y_met50, load.y_met95};
    static const size_t met[] = {0, 100, 190};
    for (int l = 0; l < 3; l++) {
        const downhill_matrix_f32 scores = {load.scores, load.c, load.n, load.c};
        double loss;
        assert_int_equal(call_score_f32(&ours, &load), DOWNHILL_OK);
        assert_int_equal(downhill_hinge_f32(NULL, &scores, labels[l], 0.0f, &scores, &loss),
                         DOWNHILL_OK);
        size_t count = 0;
        for (size_t i = 0; i < load.n; i++)
            count += load.scores[i * load.c + (size_t)labels[l][i]] == 0.0f;
        assert_int_equal(count, met[l]);
    }
    workload_close(&load);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formulas__small_shape__equal_counts_by_hand),
        cmocka_unit_test(test_gbench__run__exactly_the_requested_iterations),
        cmocka_unit_test(test_suite__run__every_row_sampled_and_order_recorded),
        cmocka_unit_test(test_workload__epoch__visits_each_row_once),
        cmocka_unit_test(test_placement__new_buffers__lines_of_their_own_at_random),
        cmocka_unit_test(test_workload__layout__moves_buffers_and_keeps_data),
        cmocka_unit_test(test_suite__same_seed__same_order),
        cmocka_unit_test(test_suite__stopped_at_once__rows_skipped_as_interrupted),
        cmocka_unit_test(test_suite__filter__only_matching_rows),
        cmocka_unit_test(test_suite__shape_too_large__row_skipped),
        cmocka_unit_test(test_workload__satisfied_samples__share_in_the_name),
    };
    return cmocka_run_group_tests_name("bench", tests, scratch_open, scratch_close);
}
