/* SPDX-License-Identifier: MIT
 *
 * Medians, intervals and noise floors from passes: known values, and how often they hold on
 * simulated machines. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "base/rng.h"
#include "bench/resume.h"
#include "bench/suite.h"
#include "support.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Expected values are from scipy.stats.t.ppf(0.975, ...). */
static void test_t975__as_in_scipy(void **state)
{
    (void)state;
    static const double want[][2] = {{1, 12.7062}, {2, 4.3027}, {3, 3.1824},  {4, 2.7764},
                                     {5, 2.5706},  {8, 2.3060}, {10, 2.2281}, {30, 2.0423}};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        assert_true(fabs(stats_t975(want[i][0]) / want[i][1] - 1.0) < 0.003);
}

/* Computed with numpy and scipy from the definitions in bench/passes.c. The rows are of several
 * classes, each too small, so all rows together give the typical variance; the last row is noisier
 * than that and keeps its own. */
static void test_summarise__known_passes__known_intervals_and_floors(void **state)
{
    (void)state;
    static const struct {
        double ns[3], median, low, high, floor;
    } want[] = {
        {{100, 101, 102}, 101, 99.17158, 102.86213, 0.0363507},
        {{200, 201, 203}, 201, 197.59840, 204.46016, 0.0339213},
        {{50, 50.2, 50.1}, 50.1, 49.33707, 50.87472, 0.0304454},
        {{1000, 1010, 990}, 1000, 981.84158, 1018.49425, 0.0364647},
        {{70, 70.7, 70.2}, 70.2, 69.07983, 71.33834, 0.0319376},
        {{300, 330, 310}, 310, 266.61815, 360.44058, 0.3426430},
    };
    enum { N = sizeof want / sizeof want[0] };
    bench_row rows[N] = {0};
    bench_sample samples[N][3] = {0};
    bench_suite suite = {.rows = rows, .n_rows = N, .n_passes = 3};
    for (size_t i = 0; i < N; i++) {
        for (size_t p = 0; p < 3; p++)
            samples[i][p] = (bench_sample){.pass = p, .real_ns = want[i].ns[p], .cpu_ns = 1.0};
        rows[i] = (bench_row){.samples = samples[i], .n_samples = 3, .n_passes = 3, .threads = 1};
    }
    bench_suite_summarise(&suite, &(bench_options){.repetitions = 3});
    for (size_t i = 0; i < N; i++) {
        assert_true(rows[i].real_ns.median == want[i].median);
        /* The quantile of Student's t is within 0.3 %, of its distance from the median. */
        const double half = want[i].high - want[i].median;
        assert_true(fabs(rows[i].real_ns.low - want[i].low) < 0.005 * half);
        assert_true(fabs(rows[i].real_ns.high - want[i].high) < 0.005 * half);
        assert_true(fabs(rows[i].noise_floor / want[i].floor - 1.0) < 0.005);
    }
    /* A single pass has an interval by ranks only, and none with so few samples. */
    suite.n_passes = 1;
    for (size_t i = 0; i < N; i++) {
        rows[i].n_passes = 1;
        for (size_t p = 0; p < 3; p++)
            samples[i][p].pass = 0;
    }
    bench_suite_summarise(&suite, &(bench_options){.repetitions = 3});
    for (size_t i = 0; i < N; i++)
        assert_true(isnan(rows[i].noise_floor) && isnan(rows[i].real_ns.low));
}

/* Passes are scaled to the clock where that halves their variance, in the rows of a class. */
static void test_summarise__clock_wanders__scaled_where_times_follow(void **state)
{
    (void)state;
    enum { N = 6, PASSES = 3 };
    static const double clock_ghz[PASSES] = {4.0, 3.8, 4.2};
    static const struct {
        double follows; /* power of the clock by which times fall */
        size_t n_rows;
        bool has_clock, is_scaled;
    } cases[] = {
        {1.0, N, true, true},      {0.0, N, true, false},  {0.5, N, true, false},
        {1.0, N - 2, true, false}, {1.0, N, false, false},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        bench_row rows[N] = {0};
        bench_sample samples[N][PASSES] = {0};
        bench_suite suite = {.rows = rows, .n_rows = cases[k].n_rows, .n_passes = PASSES};
        for (size_t i = 0; i < N; i++) {
            for (size_t p = 0; p < PASSES; p++) {
                const double own = (p + i) % PASSES == 0 ? 1.004 : 1.0;
                samples[i][p] = (bench_sample){
                    .pass = p,
                    .real_ns = 100.0 * own * pow(4.0 / clock_ghz[p], cases[k].follows),
                    .cpu_ns = 1.0,
                    /* The last row has no clock. */
                    .clock_ghz = cases[k].has_clock && i < N - 1 ? clock_ghz[p] : 0.0};
            }
            rows[i] = (bench_row){
                .samples = samples[i], .n_samples = PASSES, .n_passes = PASSES, .threads = 1};
        }
        bench_suite_summarise(&suite, &(bench_options){.repetitions = PASSES});
        for (size_t i = 0; i < cases[k].n_rows; i++) {
            assert_int_equal(rows[i].is_at_clock, cases[k].is_scaled && i < N - 1);
            for (size_t p = 0; p < PASSES; p++)
                assert_true(rows[i].pass_ns[p] == samples[i][p].real_ns);
            if (!rows[i].is_at_clock)
                continue;
            /* At 4 GHz: 100, 100 and 100.4 ns in some order. */
            assert_true(fabs(rows[i].real_ns.median - 100.0) < 1e-9);
            assert_true(rows[i].noise_floor < 0.011);
        }
    }
}

/* More samples in a pass do not narrow what differs between passes. */
static void test_precision_within_passes__passes_differ__does_not_count(void **state)
{
    (void)state;
    enum { PASSES = 2, SAMPLES = 12 };
    bench_sample samples[SAMPLES] = {0};
    for (size_t s = 0; s < SAMPLES; s++)
        samples[s] =
            (bench_sample){.pass = s % PASSES,
                           .real_ns = (s % PASSES == 0 ? 100.0 : 200.0) + (s < 2       ? 0.0
                                                                           : s % 4 < 2 ? -1.0
                                                                                       : 1.0),
                           .cpu_ns = 1.0};
    bench_row row = {.samples = samples, .n_samples = SAMPLES, .threads = 1};
    bench_row_summarise(&row, NULL, 1);
    assert_true(stats_precision(&row.real_ns) > 0.3);
    const double precision = bench_row_precision_within_passes(&row, PASSES, NULL);
    assert_true(precision > 0.004 && precision <= 0.011);
}

/* ---- simulated machines ---- */

enum { ROWS = 40, SAMPLES_PER_PASS = 3, MAX_SAMPLES = BENCH_PASSES_MAX * SAMPLES_PER_PASS };

/* Relative deviations of the times of one machine. */
struct simulation {
    const char *name;
    double sample;  /* from sample to sample */
    double layout;  /* from pass to pass, by the addresses of buffers */
    double drift;   /* of the whole machine, from pass to pass: a random walk */
    double burst;   /* share of the samples that take 10 to 50 % longer */
    double uniform; /* 1: layout is uniform instead of normal */
    double noisier; /* factor of all but drift and bursts for every fourth row */
    double clock;   /* of the clock, from pass to pass; readings of it vary by 1 % */
    double min;     /* required share of intervals and floors that hold, for both kinds of rows */
};

static const double nominal_ghz = 4.0;

static double uniform(rng *r)
{
    return 0.5 + 0.5 * (double)rng_unit(r);
}

static double normal(rng *r)
{
    return sqrt(-2.0 * log(1.0 - uniform(r))) * cos(6.283185307179586 * uniform(r));
}

static bool is_noisier(size_t row)
{
    return row % 4 == 3;
}

/* Fills the samples of all rows. The true time of every row is 1000 ns. Every run starts its drift
 * anew. */
static void simulate(rng *r, const struct simulation *m, bench_suite *suite)
{
    double drift = 0.0, layout[ROWS];
    for (size_t i = 0; i < suite->n_rows; i++)
        suite->rows[i].n_samples = 0;
    for (size_t pass = 0; pass < suite->n_passes; pass++) {
        drift += m->drift * normal(r);
        const double clock = m->clock * normal(r);
        for (size_t i = 0; i < suite->n_rows; i++) {
            bench_row *row = &suite->rows[i];
            const double shape = m->uniform > 0.0 ? sqrt(12.0) * (uniform(r) - 0.5) : normal(r);
            const double factor = is_noisier(i) ? m->noisier : 1.0;
            layout[i] = m->layout * factor * shape;
            for (size_t s = 0; s < SAMPLES_PER_PASS; s++) {
                double ns =
                    1000.0 * exp(drift + layout[i] - clock + m->sample * factor * normal(r));
                if (uniform(r) < m->burst)
                    ns *= 1.1 + 0.4 * uniform(r);
                const double ghz = nominal_ghz * exp(clock + 0.01 * normal(r));
                row->samples[row->n_samples++] = (bench_sample){
                    .iterations = 1, .pass = pass, .real_ns = ns, .cpu_ns = ns, .clock_ghz = ghz};
            }
            row->n_passes = pass + 1;
        }
    }
}

static bench_suite simulated_suite(size_t passes)
{
    bench_suite suite = {.n_rows = ROWS, .n_passes = passes};
    suite.rows = calloc(ROWS, sizeof *suite.rows);
    assert_non_null(suite.rows);
    for (size_t i = 0; i < ROWS; i++) {
        suite.rows[i].threads = 1;
        suite.rows[i].samples = calloc(MAX_SAMPLES, sizeof *suite.rows[i].samples);
        assert_non_null(suite.rows[i].samples);
    }
    return suite;
}

static const struct simulation machines[] = {
    {"quiet", 0.002, 0.002, 0.0, 0.0, 0.0, 1.0, 0.0, 0.95},
    {"layout", 0.003, 0.02, 0.0, 0.0, 0.0, 1.0, 0.0, 0.95},
    {"uniform layout", 0.003, 0.02, 0.0, 0.0, 1.0, 1.0, 0.0, 0.95},
    {"noisier rows", 0.003, 0.005, 0.0, 0.0, 0.0, 2.0, 0.0, 0.92},
    {"much noisier rows", 0.003, 0.005, 0.0, 0.0, 0.0, 5.0, 0.0, 0.93},
    {"bursts", 0.005, 0.005, 0.0, 0.1, 0.0, 1.0, 0.0, 0.95},
    {"many bursts", 0.005, 0.005, 0.0, 0.2, 0.0, 1.0, 0.0, 0.91},
    {"drift", 0.003, 0.003, 0.002, 0.05, 0.0, 1.0, 0.0, 0.85}, /* passes are not independent */
    {"wandering clock", 0.01, 0.005, 0.0, 0.0, 0.0, 1.0, 0.025, 0.94},
    {"clock, noisier rows", 0.01, 0.005, 0.0, 0.0, 0.0, 2.0, 0.025, 0.92},
    {"clock, bursts", 0.01, 0.005, 0.0, 0.1, 0.0, 1.0, 0.025, 0.93},
    {"slight wander", 0.005, 0.005, 0.0, 0.0, 0.0, 1.0, 0.008, 0.9}, /* seldom worth scaling */
};

/* Returns a time of a row at the nominal clock if the row is scaled to its clock, else as it is. */
static double comparable(const bench_row *row, double ns, double clock_ghz)
{
    return row->is_at_clock ? ns * clock_ghz / nominal_ghz : ns;
}

/* The interval of the median contains the true time, and single passes of two runs differ by less
 * than the floor, in about 95 % of cases. A burst makes single samples longer, so the median is
 * that of samples with bursts, which is computed from a long run. */
static void test_simulated__intervals_and_floors__hold_95_percent(void **state)
{
    (void)state;
    enum { RUNS = 400 };
    const bench_options options = {.repetitions = 1};
    for (size_t m = 0; m < sizeof machines / sizeof machines[0]; m++) {
        rng r = rng_seeded(m + 1);
        for (size_t passes = 3; passes <= 5; passes += 2) {
            bench_suite suite = simulated_suite(passes);
            double *medians = calloc((size_t)RUNS * ROWS, sizeof *medians);
            double(*ends)[3] = calloc((size_t)RUNS * ROWS, sizeof *ends);
            assert_true(medians != NULL && ends != NULL);
            size_t count = 0, below[2] = {0}, pairs[2] = {0}, inside[2] = {0};
            for (int run = 0; run < RUNS; run++) {
                double first[ROWS], floor[ROWS];
                simulate(&r, &machines[m], &suite);
                bench_suite_summarise(&suite, &options);
                for (size_t i = 0; i < ROWS; i++, count++) {
                    const bench_row *row = &suite.rows[i];
                    medians[count] = comparable(row, row->real_ns.median, row->clock_ghz);
                    ends[count][0] = comparable(row, row->real_ns.low, row->clock_ghz);
                    ends[count][1] = comparable(row, row->real_ns.high, row->clock_ghz);
                    first[i] = comparable(row, row->pass_ns[0], row->pass_clock_ghz[0]);
                    floor[i] = row->noise_floor;
                    assert_true(row->real_ns.low < row->real_ns.median &&
                                row->real_ns.median < row->real_ns.high);
                }
                simulate(&r, &machines[m], &suite);
                bench_suite_summarise(&suite, &options);
                for (size_t i = 0; i < ROWS; i++) {
                    const bench_row *row = &suite.rows[i];
                    const double second = comparable(row, row->pass_ns[0], row->pass_clock_ghz[0]);
                    pairs[is_noisier(i)]++;
                    below[is_noisier(i)] +=
                        fmax(first[i], second) / fmin(first[i], second) - 1.0 < floor[i];
                }
            }
            double *sorted = calloc(count, sizeof *sorted);
            assert_non_null(sorted);
            memcpy(sorted, medians, count * sizeof *sorted);
            const double truth = stats_compute(sorted, count).median;
            for (size_t i = 0; i < count; i++)
                inside[is_noisier(i % ROWS)] += ends[i][0] <= truth && truth <= ends[i][1];
            for (int kind = 0; kind < 2; kind++) {
                const double coverage = (double)inside[kind] / (double)pairs[kind],
                             share = (double)below[kind] / (double)pairs[kind];
                print_message("%s%s, %zu passes: interval %.1f %%, floor %.1f %%\n",
                              machines[m].name, kind == 1 ? " (every fourth)" : "", passes,
                              100.0 * coverage, 100.0 * share);
                assert_true(coverage >= machines[m].min && coverage < 0.9975);
                assert_true(share >= machines[m].min && share < 0.9975);
            }
            free(sorted);
            free(medians);
            free(ends);
            bench_suite_free(&suite);
        }
    }
}

/* ---- energy ---- */

/* Writes a file of a fake /sys below the scratch directory. */
static void write_counter(const char *zone, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "sys/class/powercap/%s", zone);
    char full[512];
    snprintf(full, sizeof full, "%s", scratch_path(path));
    assert_true(mkdir(full, 0700) == 0 || errno == EEXIST);
    snprintf(path, sizeof path, "sys/class/powercap/%s/%s", zone, name);
    FILE *file = fopen(scratch_path(path), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_energy__packages__summed_and_restarts_seen(void **state)
{
    (void)state;
    static const char *const folders[] = {"sys", "sys/class", "sys/class/powercap"};
    char root[512];
    snprintf(root, sizeof root, "%s", scratch_path(""));
    root[strlen(root) - (root[strlen(root) - 1] == '/')] = '\0';
    energy_counters e;
    energy_open(&e, root);
    assert_int_equal(e.n_packages, 0);
    assert_non_null(strstr(e.missing, "shows no energy counters"));
    energy_start(&e);
    assert_true(energy_stop(&e) < 0.0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(mkdir(scratch_path(folders[i]), 0700), 0);
    write_counter("intel-rapl:0", "name", "package-0\n");
    write_counter("intel-rapl:0", "max_energy_range_uj", "1000000000\n");
    write_counter("intel-rapl:0", "energy_uj", "999000000\n");
    write_counter("intel-rapl:0:0", "name", "core\n");
    write_counter("intel-rapl:0:0", "energy_uj", "5\n");
    write_counter("intel-rapl:1", "name", "psys\n");
    write_counter("intel-rapl:1", "energy_uj", "7\n");
    write_counter("intel-rapl:2", "name", "package-1\n");
    write_counter("intel-rapl:2", "max_energy_range_uj", "1000000000\n");
    write_counter("intel-rapl:2", "energy_uj", "1000000\n");
    energy_open(&e, root);
    assert_string_equal(e.missing, "");
    assert_int_equal(e.n_packages, 2);
    energy_start(&e);
    write_counter("intel-rapl:0", "energy_uj", "1500000\n"); /* restarted: 2.5 J */
    write_counter("intel-rapl:2", "energy_uj", "4000000\n"); /* 3 J */
    assert_true(fabs(energy_stop(&e) - 5.5) < 1e-9);
    assert_int_equal(remove(scratch_path("sys/class/powercap/intel-rapl:2/energy_uj")), 0);
    assert_true(energy_stop(&e) < 0.0);
    energy_open(&e, root);
    assert_int_equal(e.n_packages, 0);
    assert_non_null(strstr(e.missing, "energy_uj: No such file or directory; run as root"));
}

/* ---- resuming ---- */

struct stopping {
    size_t groups; /* remaining */
};

static int stop_after(void *context, bench_suite *suite)
{
    (void)suite;
    struct stopping *s = context;
    return --s->groups > 0 ? EXIT_OK : EXIT_INTERNAL;
}

/* A run that ends in its second pass keeps the first, and the passes that it finished of the
 * second. */
static void test_resume__within_a_pass__finished_passes_kept(void **state)
{
    (void)state;
    static const bench_shape shapes[] = {{3, 17, 4, true, false}};
    static const volatile sig_atomic_t no_stop = 0;
    const bench_options options = {.shapes = shapes,
                                   .n_shapes = 1,
                                   .isa = "scalar",
                                   .filter = "^(score|hinge|grad|update)_f32",
                                   .passes = 3,
                                   .repetitions = 6,
                                   .min_time_s = 1e-5,
                                   .max_time_s = 1e-3,
                                   .seed = 3};
    bench_suite part, resumed;
    assert_int_equal(bench_suite_build(&options, &part), EXIT_OK);
    assert_int_equal(part.n_rows, 4);
    struct stopping stopping = {4 + 2}; /* a group is one row here */
    assert_int_equal(bench_suite_run(&options, &part, stop_after, &stopping, &no_stop),
                     EXIT_INTERNAL);
    json_t *results = json_object();
    json_object_set_new(results, "benchmarks", bench_rows_to_json(&part));
    json_object_set_new(results, "groups", bench_groups_to_json(&part));
    assert_int_equal(bench_suite_build(&options, &resumed), EXIT_OK);
    assert_int_equal(resume_restore(&options, &resumed, results), 0);
    assert_int_equal(resumed.n_groups, 6);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(resumed.rows[i].n_passes, i < 2 ? 2 : 1);
        assert_int_equal(resumed.rows[i].n_samples, i < 2 ? 4 : 2);
    }
    assert_int_equal(bench_suite_run(&options, &resumed, NULL, NULL, &no_stop), EXIT_OK);
    assert_int_equal(resumed.n_groups, 12);
    for (size_t i = 0; i < 4; i++) {
        const bench_row *row = &resumed.rows[i];
        assert_int_equal(row->n_passes, 3);
        assert_int_equal(row->n_samples, 6);
        for (size_t s = 0; s < 6; s++) {
            assert_int_equal(row->samples[s].pass, s / 2);
            assert_true(row->samples[s].clock_ghz > 0.0);
            if (s < part.rows[i].n_samples)
                assert_true(fabs(row->samples[s].real_ns / part.rows[i].samples[s].real_ns - 1.0) <
                            1e-8);
        }
        assert_true(isfinite(row->noise_floor) && row->real_ns.low > 0.0);
    }
    json_decref(results);
    bench_suite_free(&part);
    bench_suite_free(&resumed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_t975__as_in_scipy),
        cmocka_unit_test(test_summarise__known_passes__known_intervals_and_floors),
        cmocka_unit_test(test_summarise__clock_wanders__scaled_where_times_follow),
        cmocka_unit_test(test_precision_within_passes__passes_differ__does_not_count),
        cmocka_unit_test(test_simulated__intervals_and_floors__hold_95_percent),
        cmocka_unit_test(test_energy__packages__summed_and_restarts_seen),
        cmocka_unit_test(test_resume__within_a_pass__finished_passes_kept),
    };
    return cmocka_run_group_tests_name("passes", tests, scratch_open, scratch_close);
}
