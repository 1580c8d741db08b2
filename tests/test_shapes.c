/* SPDX-License-Identifier: MIT
 *
 * The shapes of the benchmark: the standard list, the brief shapes, and the map of classes and
 * features. Nothing here asserts a speed. */
#include "cmocka_all.h"

#include "base/error.h"
#include "base/levels.h"
#include "bench/buffer_pool.h"
#include "bench/suite.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const size_t all_classes[] = {1, 2, 3, 10, 16, 26, 33, 100, 1000};
static const size_t all_features[] = {4, 16, 100, 784, 1024, 2048, 3000, 4096, 16384};

static const machine large = {
    .n_caches = 1, .caches = {{2, "unified", 1 << 20, 1}}, .memory_bytes = UINT64_C(1) << 36};

static bench_options standard_options(void)
{
    return (bench_options){.machine = &large,
                           .shapes = bench_standard_shapes,
                           .n_shapes = bench_standard_shape_count,
                           .repetitions = 2,
                           .min_time_s = 4e-5,
                           .max_time_s = 4e-4,
                           .seed = 1};
}

static bench_suite built(const bench_options *options)
{
    bench_suite suite;
    assert_int_equal(bench_suite_build(options, &suite), EXIT_OK);
    return suite;
}

/* ---- the standard list ---- */

static bool occurs(size_t value, size_t offset)
{
    for (size_t i = 0; i < bench_standard_shape_count; i++) {
        size_t of_shape;
        memcpy(&of_shape, (const char *)&bench_standard_shapes[i] + offset, sizeof of_shape);
        if (of_shape == value)
            return true;
    }
    return false;
}

static void test_standard_shapes__sizes_in_use__each_occurs(void **state)
{
    (void)state;
    static const size_t samples[] = {1, 8, 32, 256, 4096, 20000};
    static const size_t features[] = {4, 13, 64, 100, 784, 1024, 2048, 3072, 4096, 5003, 16384};
    for (size_t i = 0; i < COUNT(samples); i++)
        assert_true(occurs(samples[i], offsetof(bench_shape, n)));
    for (size_t i = 0; i < COUNT(features); i++)
        assert_true(occurs(features[i], offsetof(bench_shape, d)));
    for (size_t i = 0; i < COUNT(all_classes); i++)
        assert_true(occurs(all_classes[i], offsetof(bench_shape, c)));
    assert_true(bench_standard_shape_count <= 20); /* not a cross product */
}

/* The table of README.md and the quick suite rely on the first shapes. */
static void test_standard_shapes__first_seven__compare_levels(void **state)
{
    (void)state;
    static const bench_shape first[] = {
        {256, 3072, 10, true, false},    {256, 784, 10, true, false},
        {1, 3072, 10, true, false},      {1, 784, 10, false, false},
        {32, 3072, 10, false, false},    {20000, 3072, 10, false, false},
        {256, 2048, 1000, false, false},
    };
    for (size_t i = 0; i < bench_standard_shape_count; i++) {
        const bench_shape *shape = &bench_standard_shapes[i];
        if (i < COUNT(first))
            assert_true(shape->n == first[i].n && shape->d == first[i].d &&
                        shape->c == first[i].c && shape->quick == first[i].quick && !shape->brief);
        else
            assert_true(shape->brief && !shape->quick);
    }
}

static void test_standard_shapes__all_rows__names_differ(void **state)
{
    (void)state;
    bench_options options = standard_options();
    options.sweeps = options.peers = options.cold = true;
    options.threads = 4;
    bench_suite suite = built(&options);
    for (size_t i = 0; i < suite.n_rows; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(suite.rows[i].name, suite.rows[k].name);
    for (size_t i = 0; i < bench_standard_shape_count; i++)
        for (size_t k = 0; k < i; k++) {
            const bench_shape *a = &bench_standard_shapes[i], *b = &bench_standard_shapes[k];
            assert_false(a->n == b->n && a->d == b->d && a->c == b->c);
        }
    bench_suite_free(&suite);
}

/* ---- brief shapes ---- */

static void test_brief__rows__best_level_and_peers_hot_on_one_thread(void **state)
{
    (void)state;
    static const bench_shape shapes[] = {{256, 64, 10, false, true}, {256, 64, 11, false, false}};
    bench_options options = standard_options();
    options.shapes = shapes;
    options.n_shapes = 2;
    options.peers = options.cold = true;
    options.threads = 4;
    options.filter = "^step_hinge_f32/";
    bench_suite suite = built(&options);
    size_t ours = 0, peers = 0, others = 0;
    const char *best = NULL; /* the level that is timed on several threads */
    for (size_t i = 0; i < suite.n_rows; i++)
        best = suite.rows[i].threads > 1 ? suite.rows[i].isa : best;
    assert_non_null(best);
    for (size_t i = 0; i < suite.n_rows; i++) {
        const bench_row *row = &suite.rows[i];
        assert_int_equal(row->brief, row->c == 10);
        if (!row->brief) {
            others++;
            continue;
        }
        assert_false(row->cold);
        assert_int_equal(row->threads, 1);
        if (row->peer == NULL) {
            assert_string_equal(row->isa, best);
            ours++;
        } else {
            peers++;
        }
    }
    assert_int_equal(ours, 1);
    assert_int_equal(peers, PEERS_COUNT);
    assert_true(others > 1 + PEERS_COUNT);
    bench_suite_free(&suite);
}

static void test_brief__times__a_quarter(void **state)
{
    (void)state;
    const bench_options options = {.min_time_s = 0.02, .max_time_s = 0.5, .repetitions = 10};
    bench_row row = {.brief = false};
    assert_true(bench_options_of(&options, &row).min_time_s == 0.02);
    assert_true(bench_options_of(&options, &row).max_time_s == 0.5);
    row.brief = true;
    const bench_options brief = bench_options_of(&options, &row);
    assert_true(brief.min_time_s == 0.005 && brief.max_time_s == 0.125);
    assert_int_equal(brief.repetitions, 10);
}

/* ---- the map ---- */

static size_t count_map(const bench_suite *suite, bench_kernel kernel, size_t d, size_t c,
                        bool peers)
{
    size_t count = 0;
    for (size_t i = 0; i < suite->n_rows; i++) {
        const bench_row *row = &suite->rows[i];
        count += row->sweep == SWEEP_MAP && row->kernel == kernel && row->d == d && row->c == c &&
                 (row->peer != NULL) == peers;
    }
    return count;
}

/* Returns the number of rows of ours per shape of the map: one per hand-written level with kernels
 * of its own, or the best level alone. */
static size_t levels_of_map(void)
{
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = levels_to_run(NULL, tables);
    size_t count = 0;
    for (size_t i = 0; i < n_tables; i++)
        count += levels_is_hand_written(downhill_kernels_name(tables[i])) &&
                 !levels_repeat(tables, i, ELEMENT_F32);
    return count > 0 ? count : 1;
}

static void test_map__without_sweeps__no_row(void **state)
{
    (void)state;
    bench_options options = standard_options();
    options.peers = true;
    bench_suite suite = built(&options);
    for (size_t i = 0; i < suite.n_rows; i++)
        assert_int_equal(suite.rows[i].sweep, SWEEP_NONE);
    bench_suite_free(&suite);
}

static void test_map__sweeps__every_class_and_feature_at_hand_written_levels(void **state)
{
    (void)state;
    static const bench_kernel kernels[] = {BENCH_score_f32, BENCH_grad_f32, BENCH_step_hinge_f32};
    const size_t ours = levels_of_map();
    for (int peers = 0; peers < 2; peers++) {
        bench_options options = standard_options();
        options.sweeps = true;
        options.peers = peers != 0;
        bench_suite suite = built(&options);
        size_t expected = 0, rows = 0;
        for (size_t k = 0; k < COUNT(kernels); k++)
            for (size_t j = 0; j < COUNT(all_classes); j++)
                for (size_t i = 0; i < COUNT(all_features); i++) {
                    const size_t d = all_features[i], c = all_classes[j];
                    /* With one class no margin is violated, so there is no step. */
                    const size_t timed = c > 1 || kernels[k] != BENCH_step_hinge_f32;
                    assert_int_equal(count_map(&suite, kernels[k], d, c, false), ours * timed);
                    assert_int_equal(count_map(&suite, kernels[k], d, c, true),
                                     peers != 0 ? PEERS_COUNT * timed : 0);
                    expected += timed * (peers != 0 ? ours + PEERS_COUNT : ours);
                }
        for (size_t i = 0; i < suite.n_rows; i++) {
            const bench_row *row = &suite.rows[i];
            const bool is_map = strstr(row->name, "/sweep:map") != NULL;
            assert_int_equal(row->sweep == SWEEP_MAP, is_map);
            assert_true(!is_map || (row->n == 256 && row->threads == 1 && row->brief));
            /* The sweeps of sizes compare no libraries. */
            assert_true(is_map || row->sweep == SWEEP_NONE || row->peer == NULL);
            rows += is_map;
        }
        assert_int_equal(rows, expected);
        bench_suite_free(&suite);
    }
}

/* The variants of a shape are sampled in turn, and only its buffers are in memory. */
static void test_map__groups__one_shape_and_kernel(void **state)
{
    (void)state;
    bench_options options = standard_options();
    options.sweeps = options.peers = true;
    options.filter = "sweep:map";
    bench_suite suite = built(&options);
    for (size_t first = 0, end; first < suite.n_rows; first = end) {
        end = bench_group_end(&suite, first);
        assert_int_equal(end - first, levels_of_map() + PEERS_COUNT);
        for (size_t i = first; i < end; i++) {
            const bench_row *row = &suite.rows[i], *of = &suite.rows[first];
            assert_true(row->kernel == of->kernel && row->d == of->d && row->c == of->c);
            assert_int_equal(row->family, of->family);
        }
        if (end < suite.n_rows && suite.rows[end].family == suite.rows[first].family)
            assert_true(suite.rows[end].d == suite.rows[first].d &&
                        suite.rows[end].c == suite.rows[first].c);
    }
    bench_suite_free(&suite);
}

static void test_map__quick__coarse(void **state)
{
    (void)state;
    bench_options options = standard_options();
    options.sweeps = true;
    options.filter = "^score_f32/.*/sweep:map";
    bench_suite whole = built(&options);
    options.quick = true;
    bench_suite coarse = built(&options);
    assert_int_equal(whole.n_rows, levels_of_map() * COUNT(all_classes) * COUNT(all_features));
    assert_int_equal(coarse.n_rows, levels_of_map() * 9);
    for (size_t i = 0; i < coarse.n_rows; i++) {
        size_t found = 0;
        for (size_t k = 0; k < whole.n_rows; k++)
            found += strcmp(coarse.rows[i].name, whole.rows[k].name) == 0;
        assert_int_equal(found, 1);
    }
    bench_suite_free(&coarse);
    bench_suite_free(&whole);
}

/* Without the libraries, whose threads would make LeakSanitizer fail at the end; test_bench_peers.c calls them. */
static void test_map__run__sampled_and_in_the_results(void **state)
{
    (void)state;
    bench_options options = standard_options();
    options.sweeps = true;
    options.filter = "^(score|step_hinge)_f32/.*/d:4/c:(1|3)/sweep:map";
    bench_suite suite = built(&options);
    assert_int_equal(suite.n_rows, 3 * levels_of_map());
    const volatile sig_atomic_t no_stop = 0;
    assert_int_equal(bench_suite_run(&options, &suite, NULL, NULL, &no_stop), EXIT_OK);
    assert_int_equal(suite.n_groups, 3);
    json_t *rows = bench_rows_to_json(&suite), *row;
    size_t i;
    size_t described = 0;
    json_array_foreach(rows, i, row)
    {
        const char *sweep = json_string_value(json_object_get(row, "sweep"));
        assert_int_equal(sweep != NULL, json_object_get(row, "kernel") != NULL);
        assert_true(sweep == NULL || strcmp(sweep, "map") == 0);
        assert_int_equal(sweep != NULL, json_is_true(json_object_get(row, "brief")));
        described += sweep != NULL;
    }
    assert_true(described >= suite.n_rows);
    json_decref(rows);
    for (i = 0; i < suite.n_rows; i++)
        assert_int_equal(suite.rows[i].n_samples, options.repetitions);
    bench_suite_free(&suite);
}

static void test_map__too_little_memory__skipped(void **state)
{
    (void)state;
    const machine m = {.memory_bytes = UINT64_C(1) << 24};
    bench_options options = standard_options();
    options.machine = &m;
    options.sweeps = true;
    options.filter = "^score_f32/.*/d:16384/c:(1|10)/sweep:map";
    bench_suite suite = built(&options);
    assert_int_equal(suite.n_rows, 2 * levels_of_map());
    for (size_t i = 0; i < suite.n_rows; i++) {
        buffer_pool pool = {0};
        bench_task task = {.kernel = suite.rows[i].kernel};
        char why[128] = "";
        buffer_pool_open(&pool, &options, &suite, i, 0);
        assert_false(buffer_pool_find(&pool, &suite.rows[i], &task, why, sizeof why));
        assert_non_null(strstr(why, "its buffers would take 0.0 GB, more than a quarter of the "
                                    "memory"));
        buffer_pool_close(&pool);
    }
    bench_suite_free(&suite);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_standard_shapes__sizes_in_use__each_occurs),
        cmocka_unit_test(test_standard_shapes__first_seven__compare_levels),
        cmocka_unit_test(test_standard_shapes__all_rows__names_differ),
        cmocka_unit_test(test_brief__rows__best_level_and_peers_hot_on_one_thread),
        cmocka_unit_test(test_brief__times__a_quarter),
        cmocka_unit_test(test_map__without_sweeps__no_row),
        cmocka_unit_test(test_map__sweeps__every_class_and_feature_at_hand_written_levels),
        cmocka_unit_test(test_map__groups__one_shape_and_kernel),
        cmocka_unit_test(test_map__quick__coarse),
        cmocka_unit_test(test_map__run__sampled_and_in_the_results),
        cmocka_unit_test(test_map__too_little_memory__skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
