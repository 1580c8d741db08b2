/* SPDX-License-Identifier: MIT
 *
 * Ceilings: which roof a row has, what is measured, and the way to a file and back. Nothing here asserts
 * a speed. */
#include "cmocka_all.h"

#include "bench/ceilings.h"
#include "bench/roofs.h"
#include "bench/suite.h"
#include "parallel/team.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Two cores with an L1 and an L2 each, and an L3 that they share. */
static machine two_cores(void)
{
    machine m = {.cores = 2, .pus = 2, .n_caches = 3};
    m.caches[0] = (machine_cache){1, "data", 32 << 10, 1};
    m.caches[1] = (machine_cache){2, "unified", 512 << 10, 1};
    m.caches[2] = (machine_cache){3, "unified", 8 << 20, 2};
    return m;
}

static void test_ceilings__attainable__is_the_lower_roof(void **state)
{
    (void)state;
    machine m = {0};
    m.n_caches = 4;
    m.caches[0] = (machine_cache){1, "data", 32 << 10, 1};
    m.caches[1] = (machine_cache){1, "instruction", 32 << 10, 1};
    m.caches[2] = (machine_cache){2, "unified", 1 << 20, 1};
    m.caches[3] = (machine_cache){3, "unified", 32 << 20, 8};
    ceilings found = ceilings_of(&m, 1);
    assert_int_equal(found.n_levels, 4);
    const double gb_per_s[] = {400, 200, 100, 20};
    uint64_t below = 0;
    for (size_t i = 0; i < 4; i++) {
        assert_true(found.level[i].test_bytes > below);
        assert_true(found.level[i].test_bytes <= found.level[i].capacity);
        assert_int_equal(found.level[i].test_bytes % 4096, 0);
        below = i < 3 ? found.level[i].capacity : 0;
        found.sets[0].gb_per_s[i][ACCESS_READ] = gb_per_s[i];
    }
    assert_int_equal(ceilings_level(&found, 32 << 10, 1), 0);
    assert_int_equal(ceilings_level(&found, (32 << 10) + 1, 1), 1);
    assert_int_equal(ceilings_level(&found, 1e12, 1), 3);
    ceiling_set *one = &found.sets[0];
    one->peak[PEAK_FMA_AVX2].g_per_s = 120;
    one->peak[PEAK_FMA_AVX512].g_per_s = 240;
    one->peak[PEAK_BF16_AVX512BF16].g_per_s = 480;
    one->peak[PEAK_WEIGHTS_AVX2].g_per_s = 300;
    one->peak[PEAK_DSCORES_AVX2].g_per_s = 600;
    one->peak[PEAK_WEIGHTS_AVX512VNNI].g_per_s = 500;
    one->peak[PEAK_DSCORES_AVX512VNNI].g_per_s = 1000;
    static const peer other = {.name = "other"};
    static const struct {
        const char *isa;
        const peer *peer;
        bench_kernel kernel;
        bool cold;
        double flops, bytes, working_set, attainable;
        const char *bound;
    } cases[] = {
        /* The bound is the working set, not the credited bytes. Its 400 GFLOP/s exceed the peak. */
        {"avx512", NULL, BENCH_score_f32, false, 1e3, 9e3, 1e3, 240, "FMA"},
        {"auto_avx2", NULL, BENCH_score_f32, false, 1e3, 1e3, 1e3, 120, "FMA"},
        {"avx512", NULL, BENCH_score_f32, false, 1e9, 3e9, 1e9, 20, "DRAM"},
        {"other", &other, BENCH_score_f32, false, 5e6, 1e6, 1e6, 240, "FMA"},
        {"scalar", NULL, BENCH_score_f32, false, 1e3, 1e3, 1e3, 0, NULL},
        {"avx512bf16", NULL, BENCH_score_bf16, false, 2e3, 1e3, 1e3, 480, "BF16"},
        {"avx512bf16", NULL, BENCH_score_f32, false, 2e3, 1e3, 1e3, 240, "FMA"},
        {"auto_avx2", NULL, BENCH_score_u8, false, 9e3, 1e3, 1e3, 300, "U8X16"},
        {"avx2", NULL, BENCH_grad_u8, false, 9e3, 1e3, 1e3, 600, "U8X8"},
        {"avx2", NULL, BENCH_step_hinge_u8, false, 9e3, 1e3, 1e3, 400, "U8"},
        {"avx512bf16", NULL, BENCH_score_u8, false, 9e3, 1e3, 1e3, 500, "U8X16"},
        {"avx512", NULL, BENCH_score_u8, false, 9e3, 1e3, 1e3, 0, NULL},
        {"avx2", NULL, BENCH_update_u8, false, 9e3, 1e3, 1e3, 120, "FMA"},
        {"avx512", NULL, BENCH_score_f32, true, 1e3, 1e3, 1e3, 20, "DRAM"},
    };
    enum { CASES = sizeof cases / sizeof cases[0] };
    bench_row rows[CASES];
    for (size_t i = 0; i < CASES; i++)
        rows[i] = (bench_row){.isa = cases[i].isa,
                              .peer = cases[i].peer,
                              .kernel = cases[i].kernel,
                              .cold = cases[i].cold,
                              .flops = cases[i].flops,
                              .bytes = cases[i].bytes,
                              .working_set = cases[i].working_set,
                              .threads = 1};
    bench_suite suite = {.rows = rows, .n_rows = CASES};
    bench_set_attainable(&suite, &found);
    for (size_t i = 0; i < CASES; i++) {
        assert_true(rows[i].attainable == cases[i].attainable);
        if (cases[i].bound != NULL)
            assert_string_equal(rows[i].bound, cases[i].bound);
    }
}

static void is_bound_by(const ceiling_set *set, const char *isa, enum ceiling_products products,
                        const char *name, uint32_t which)
{
    const struct ceiling_peak peak = ceilings_peak(set, isa, products);
    assert_int_equal(peak.mask, which);
    assert_true((peak.gflop_per_s > 0.0) == (which != 0));
    if (which != 0)
        assert_string_equal(peak.name, name);
}

/* Peaks that bound each level, by kind of product. A level of levels.def that is not here fails. */
static void test_ceilings__level__has_its_peaks(void **state)
{
    (void)state;
#define BIT(id) (UINT32_C(1) << PEAK_##id)
    static const struct {
        const char *isa;
        uint32_t f32;
        const char *bf16_name;
        uint32_t bf16, weights, dscores;
    } want[] = {
        {"scalar", 0, "", 0, 0, 0},
        {"auto_avx2", BIT(FMA_AVX2), "FMA", BIT(FMA_AVX2), BIT(WEIGHTS_AVX2), BIT(DSCORES_AVX2)},
        {"avx2", BIT(FMA_AVX2), "FMA", BIT(FMA_AVX2), BIT(WEIGHTS_AVX2), BIT(DSCORES_AVX2)},
        {"avxvnni", BIT(FMA_AVX2), "FMA", BIT(FMA_AVX2), BIT(WEIGHTS_AVXVNNI),
         BIT(DSCORES_AVXVNNI)},
        {"auto_avx512", BIT(FMA_AVX512), "FMA", BIT(FMA_AVX512), BIT(WEIGHTS_AVX512),
         BIT(DSCORES_AVX512)},
        {"avx512", BIT(FMA_AVX512), "FMA", BIT(FMA_AVX512), BIT(WEIGHTS_AVX512),
         BIT(DSCORES_AVX512)},
        {"avx512vnni", BIT(FMA_AVX512), "FMA", BIT(FMA_AVX512), BIT(WEIGHTS_AVX512VNNI),
         BIT(DSCORES_AVX512VNNI)},
        {"avx512bf16", BIT(FMA_AVX512), "BF16", BIT(BF16_AVX512BF16), BIT(WEIGHTS_AVX512VNNI),
         BIT(DSCORES_AVX512VNNI)},
        {"amx", BIT(FMA_AVX512), "BF16", BIT(BF16_AMX), BIT(WEIGHTS_AMX), BIT(DSCORES_AMX)},
    };
#undef BIT
    ceiling_set set = {.threads = 1};
    for (enum ceiling_peak_id id = 0; id < PEAK_COUNT; id++)
        set.peak[id].g_per_s = (double)id + 1.0;
    downhill_level level;
    size_t i = 0;
    for (; downhill_level_at(i, &level) == DOWNHILL_OK; i++) {
        assert_true(i < sizeof want / sizeof want[0]);
        assert_string_equal(level.name, want[i].isa);
        is_bound_by(&set, level.name, PRODUCTS_F32, "FMA", want[i].f32);
        is_bound_by(&set, level.name, PRODUCTS_BF16, want[i].bf16_name, want[i].bf16);
        is_bound_by(&set, level.name, PRODUCTS_WEIGHTS_U8, "U8X16", want[i].weights);
        is_bound_by(&set, level.name, PRODUCTS_DSCORES_U8, "U8X8", want[i].dscores);
        is_bound_by(&set, level.name, PRODUCTS_STEP_U8, "U8", want[i].weights | want[i].dscores);
    }
    assert_int_equal(i, sizeof want / sizeof want[0]);
}

/* What each thread has of its own counts for as many as there are; what they share, once. */
static void test_ceilings__level__of_several_threads(void **state)
{
    (void)state;
    const machine m = two_cores();
    const ceilings found = ceilings_of(&m, 2);
    assert_int_equal(found.n_sets, 2);
    assert_int_equal(found.sets[1].threads, 2);
    assert_ptr_equal(ceilings_set(&found, 2), &found.sets[1]);
    assert_null(ceilings_set(&found, 3));
    assert_int_equal(ceilings_level(&found, 48 << 10, 1), 1);
    assert_int_equal(ceilings_level(&found, 48 << 10, 2), 0);
    assert_int_equal(ceilings_level(&found, 1 << 20, 2), 1);
    assert_int_equal(ceilings_level(&found, 9 << 20, 2), 3); /* L3 is one */
    /* Two L3, of four cores with two threads each: the third thread is beside the second. */
    machine two_l3 = {.cores = 8, .pus = 16, .n_caches = 2};
    two_l3.caches[0] = (machine_cache){2, "unified", 512 << 10, 2};
    two_l3.caches[1] = (machine_cache){3, "unified", 8 << 20, 8};
    const ceilings many = ceilings_of(&two_l3, 8);
    assert_int_equal(many.level[1].instances, 2);
    assert_int_equal(many.level[1].cores, 4);
    assert_int_equal(ceilings_level(&many, 9 << 20, 4), 2);
    assert_int_equal(ceilings_level(&many, 9 << 20, 8), 1);
    /* A level that is hardly larger than the one before is none. */
    machine slice = {.cores = 1, .pus = 1, .n_caches = 2};
    slice.caches[0] = (machine_cache){2, "unified", 1 << 20, 1};
    slice.caches[1] = (machine_cache){3, "unified", 1408 << 10, 1};
    assert_int_equal(ceilings_of(&slice, 1).n_levels, 2);
    size_t counts[8], n = 0;
    for (size_t t = 1; t != 0; t = ceilings_next_threads(t, 6))
        counts[n++] = t;
    static const size_t want[] = {1, 2, 4, 6};
    assert_int_equal(n, 4);
    assert_memory_equal(counts, want, sizeof want);
}

/* Several last levels, as of several packages: memory is what all of them cannot hold. */
static void test_ceilings__memory_is_beyond_every_last_level(void **state)
{
    (void)state;
    machine m = {.cores = 64, .pus = 128, .n_caches = 2};
    m.caches[0] = (machine_cache){1, "data", 32 << 10, 2};
    m.caches[1] = (machine_cache){3, "unified", 32 << 20, 16};
    const ceilings found = ceilings_of(&m, 64);
    assert_int_equal(found.level[1].instances, 8);
    assert_true(found.level[2].test_bytes >= UINT64_C(4) * 8 * (32 << 20));
}

static void test_ceilings__above_the_roof(void **state)
{
    (void)state;
    bench_row row = {.flops = 103.1, .attainable = 100.0, .n_samples = 1, .real_ns.median = 1.0};
    assert_true(bench_above_roof(&row));
    row.flops = 102.9;
    assert_false(bench_above_roof(&row));
    row.flops = 1000.0;
    row.attainable = 0.0; /* not known */
    assert_false(bench_above_roof(&row));
}

static const ceiling_effort hasty = {.repeats = 2, .sample_s = 0.0002};

static bool within_a_cycle(const ceilings *found)
{
    const ceiling_set *one = &found->sets[0];
    bool within = one->peak[PEAK_FMA_AVX2].g_per_s <= 1.25 * 2 * 8 * 2 * found->clock_ghz;
    for (size_t a = 0; a < ACCESS_COUNT; a++)
        within = within && one->gb_per_s[0][a] <= 1.25 * 3 * 64 * found->clock_ghz;
    return within;
}

static void test_ceilings__measured__only_rise(void **state)
{
    (void)state;
    machine m = two_cores();
    machine here;
    machine_read(&here);
    const size_t threads = team_supported() && here.n_team > 1 ? 2 : 1;
    ceilings found = ceilings_of(&m, threads);
    assert_true(ceilings_measure(&found, here.team, hasty));
    assert_true(found.clock_ghz > 0.1 && found.clock_ghz < 10.0);
    assert_true(found.timer_ns > 0.0 && found.timer_ns < 1e7);
    for (size_t t = 0; t < found.n_sets; t++)
        for (size_t i = 0; i < found.n_levels; i++)
            for (size_t a = 0; a < ACCESS_COUNT; a++)
                assert_true(found.sets[t].gb_per_s[i][a] > 0.0);
    /* No core does more than two FMAs of 8 lanes in a cycle, nor three loads of 64 bytes; an operation or a
     * byte credited twice would show. On a busy machine the clock may have been seen slower than it is: each
     * ceiling only rises to its true value, so that trying again ends where the credit is right. */
    for (int tries = 0; tries < 100 && !within_a_cycle(&found); tries++)
        assert_true(ceilings_measure(&found, here.team, hasty));
    assert_true(within_a_cycle(&found));
    ceilings high = found;
    high.sets[0].gb_per_s[0][ACCESS_COPY] = 1e9;
    assert_true(ceilings_measure(&high, here.team, hasty));
    assert_true(high.sets[0].gb_per_s[0][ACCESS_COPY] == 1e9);
    assert_true(high.clock_ghz >= found.clock_ghz);
    machine_close(&here);
}

/* Some of every kind, none measured. */
static ceilings made_up(const machine *m)
{
    ceilings found = ceilings_of(m, 2);
    found.clock_ghz = 3.5;
    found.timer_ns = 20.0;
    found.call_ns = 40.0;
    snprintf(found.measured, sizeof found.measured, "2026-01-02T03:04:05+0130");
    for (size_t t = 0; t < found.n_sets; t++) {
        ceiling_set *set = &found.sets[t];
        const double by = (double)set->threads;
        set->peak[PEAK_FMA_AVX2] = (ceiling_rate){100.0 * by, 3.25, true};
        set->peak[PEAK_BF16_AMX].g_per_s = 900.0 * by;
        set->peak[PEAK_WEIGHTS_AVX512].g_per_s = 110.0 * by;
        set->peak[PEAK_DSCORES_AVX512].g_per_s = 220.0 * by;
        for (size_t i = 0; i < found.n_levels; i++)
            for (size_t a = 0; a < ACCESS_COUNT; a++)
                set->gb_per_s[i][a] = by * (double)(100 * (i + 1) + a);
    }
    return found;
}

static void test_ceilings__json__there_and_back(void **state)
{
    (void)state;
    const machine m = two_cores();
    const ceilings there = made_up(&m);
    json_t *o = ceilings_to_json(&there);
    ceilings back = ceilings_of(&m, 2);
    char why[128];
    assert_true(ceilings_from_json(&back, o, why, sizeof why));
    assert_true(back.clock_ghz == there.clock_ghz && back.timer_ns == there.timer_ns &&
                back.call_ns == there.call_ns);
    assert_string_equal(back.measured, there.measured);
    assert_int_equal(back.n_sets, there.n_sets);
    for (size_t t = 0; t < there.n_sets; t++) {
        const ceiling_set *a = &back.sets[t], *b = &there.sets[t];
        assert_int_equal(a->threads, b->threads);
        for (enum ceiling_peak_id id = 0; id < PEAK_COUNT; id++)
            assert_true(a->peak[id].g_per_s == b->peak[id].g_per_s &&
                        a->peak[id].clock_ghz == b->peak[id].clock_ghz &&
                        a->peak[id].abnormal == b->peak[id].abnormal);
        assert_memory_equal(a->gb_per_s, b->gb_per_s, sizeof b->gb_per_s);
    }
    /* 03:04:05 an hour and a half east of Greenwich is 01:34:05 there. */
    const double age = difftime(time(NULL), 1767317645);
    assert_true(fabs(back.age_s - age) < 5.0);
    json_decref(o);
}

static void test_ceilings__json__refused(void **state)
{
    (void)state;
    machine m = two_cores();
    const ceilings there = made_up(&m);
    json_t *o = ceilings_to_json(&there);
    char why[128];
    ceilings back = ceilings_of(&m, 4);
    assert_false(ceilings_from_json(&back, o, why, sizeof why));
    assert_string_equal(why, "it has no ceilings for 4 threads");
    m.caches[2].bytes /= 2;
    back = ceilings_of(&m, 1);
    assert_false(ceilings_from_json(&back, o, why, sizeof why));
    assert_string_equal(why, "its memory levels differ from those of this machine");
    json_object_set_new(o, "measured", json_string("yesterday"));
    assert_false(ceilings_from_json(&back, o, why, sizeof why));
    assert_string_equal(why, "it has no ceilings with a valid date");
    assert_false(ceilings_from_json(&back, NULL, why, sizeof why));
    json_decref(o);
}

/* ---- peaks that are wrong ---- */

static void test_ceilings__doubt__of_measured_peaks(void **state)
{
    (void)state;
    static const struct {
        enum ceiling_peak_id id;
        double g_per_s, clock_ghz;
        bool doubt;
    } cases[] = {
        /* An Intel server: sums that decayed into subnormals, and the same loops mended. */
        {PEAK_FMA_AVX512, 112, 2.95, true},
        {PEAK_FMA_AVX2, 62, 2.95, true},
        {PEAK_FMA_AVX512, 176, 2.95, false},
        {PEAK_FMA_AVX2, 90, 2.95, false},
        {PEAK_DSCORES_AVX512VNNI, 718, 2.95, false},
        {PEAK_DSCORES_AVX512VNNI, 300, 2.95, true}, /* fewer than one per cycle */
        /* Two units of 256 bits, one of 512, one every second cycle, one every sixteenth. */
        {PEAK_FMA_AVX2, 102, 3.2, false},
        {PEAK_FMA_AVX512, 100, 3.2, false},
        {PEAK_BF16_AVX512BF16, 122, 3.9, false},
        {PEAK_BF16_AMX, 3796, 3.8, false},
        {PEAK_BF16_AMX, 1900, 3.8, true},
        {PEAK_FMA_AVX2, 130, 3.2, true},      /* 2.5: an operation credited too often */
        {PEAK_WEIGHTS_AVX2, 152, 3.0, false}, /* two instructions per step share the units */
        {PEAK_WEIGHTS_AVX2, 30, 3.0, true},
        /* Credited twice, or folded by the compiler. */
        {PEAK_FMA_AVX2, 4.0 * 16 * 3.0, 3.0, true},
        {PEAK_FMA_AVX2, 20.0 * 16 * 3.0, 3.0, true},
        {PEAK_BF16_AMX, 2 * 3796, 3.8, true},
        {PEAK_DSCORES_AVX2, 6.0 * 32 * 3.0, 3.0, true},
        {PEAK_FMA_AVX2, 62, 0.0, false}, /* a file of an earlier version has no clock */
    };
    char why[128];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ceiling_set set = {.threads = 1};
        set.peak[cases[i].id] = (ceiling_rate){cases[i].g_per_s, cases[i].clock_ghz, false};
        if (ceilings_peak_in_doubt(&set, cases[i].id, why, sizeof why) != cases[i].doubt)
            fail_msg("case %zu: %s", i, cases[i].doubt ? "is not in doubt" : why);
        set.peak[cases[i].id].abnormal = true;
        assert_int_equal(ceilings_peak_in_doubt(&set, cases[i].id, why, sizeof why),
                         cases[i].clock_ghz > 0.0);
        set.threads = 2;
        assert_false(ceilings_peak_in_doubt(&set, cases[i].id, why, sizeof why));
    }
}

/* Several threads beside one: figures per thread as planted. */
static void test_ceilings__doubt__of_several_threads(void **state)
{
    (void)state;
    static const struct {
        size_t threads, cores;
        double one, several;
        const char *why; /* NULL: not in doubt */
    } cases[] = {
        {2, 2, 100, 199, NULL},
        {2, 2, 100, 101, NULL}, /* two CPUs that a hypervisor made of one core */
        {2, 2, 100, 97, "2 threads reach 97 G, less than one thread with 100"},
        {8, 8, 100, 390,
         "8 threads on 8 cores reach 390 G, but one thread reaches 100: 49 % per core"},
        {8, 8, 100, 410, NULL}, /* the clock falls with every core that works */
        {8, 4, 100, 390, NULL}, /* two threads on each core */
        {8, 4, 100, 190,
         "8 threads on 4 cores reach 190 G, but one thread reaches 100: 48 % per core"},
        {8, 8, 0, 390, NULL},
        {8, 8, 100, 0, NULL},
        {8, 0, 100, 110, NULL}, /* unknown cores */
        {8, 0, 100, 90, "less than one thread"},
    };
    char why[CEILINGS_WHY], expected[CEILINGS_WHY];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t kind = 0; kind < 3; kind++) { /* a peak, a level of each core, a shared one */
            ceilings found = {.n_levels = 2, .n_sets = 2};
            found.level[0] = (struct ceiling_level){
                .name = "L1", .instances = cases[i].cores, .cores = cases[i].cores > 0 ? 1 : 4};
            found.level[1] = (struct ceiling_level){.name = "L3", .instances = 1, .cores = 8};
            found.sets[0].threads = 1;
            found.sets[1].threads = cases[i].threads;
            for (int s = 0; s < 2; s++) {
                const double figure = s == 0 ? cases[i].one : cases[i].several;
                if (kind == 0)
                    found.sets[s].peak[PEAK_WEIGHTS_AVX2].g_per_s = figure;
                else
                    for (size_t a = 0; a < ACCESS_COUNT; a++)
                        found.sets[s].gb_per_s[kind - 1][a] = figure;
            }
            const size_t bit = kind == 0 ? (size_t)PEAK_WEIGHTS_AVX2 : PEAK_COUNT + kind - 1;
            const bool expects =
                cases[i].why != NULL && kind < 2 && (kind == 0 || cases[i].cores > 0);
            if (ceilings_in_doubt(&found, &found.sets[1], bit, why, sizeof why) != expects)
                fail_msg("case %zu, %zu: %s", i, kind, expects ? "is not in doubt" : why);
            if (!expects)
                continue;
            const char *unit = strstr(cases[i].why, " G,");
            const int head = unit != NULL ? (int)(unit - cases[i].why) : 0;
            snprintf(expected, sizeof expected, "%.*s%s%s", head, cases[i].why,
                     unit == NULL ? ""
                     : kind == 0  ? " G/s"
                                  : " GB/s reading",
                     unit != NULL ? unit + 2 : cases[i].why);
            if (strstr(why, expected) == NULL)
                fail_msg("case %zu, %zu: %s", i, kind, why);
            json_t *o = ceilings_to_json(&found), *said = json_array();
            if (kind == 1)
                assert_string_equal(
                    json_string_value(json_object_get(
                        json_array_get(
                            json_object_get(json_array_get(json_object_get(o, "threads"), 0),
                                            "read"),
                            0),
                        "doubt")),
                    why);
            roofs_warn_of_doubts(&found, said);
            assert_int_equal(json_array_size(said), 1);
            assert_non_null(strstr(json_string_value(json_array_get(said, 0)), why));
            json_decref(said);
            json_decref(o);
        }
}

#if defined __x86_64__
#include <immintrin.h>

/* Sums that decay: subnormal after 127 rounds. */
__attribute__((target("avx2,fma"), noinline)) static void decaying(const ceiling_task *task)
{
    __m256 sum = _mm256_set1_ps(1.0f);
    for (size_t i = 0; i < task->count; i++) {
        sum = _mm256_fmadd_ps(sum, _mm256_set1_ps(0.5f), _mm256_setzero_ps());
        __asm__ volatile("" : "+x"(sum));
    }
}

/* One sum, whose every FMA waits for the one before. */
__attribute__((target("avx2,fma"), noinline)) static void waiting(const ceiling_task *task)
{
    __m256 sum = _mm256_set1_ps(1.0f);
    for (size_t i = 0; i < task->count; i++) {
        sum = _mm256_fmadd_ps(sum, _mm256_set1_ps(0.5f), _mm256_set1_ps(0.75f));
        __asm__ volatile("" : "+x"(sum));
    }
}

static ceiling_set planted(ceiling_work run)
{
    ceiling_set set = {.threads = 1};
    ceiling_task task = {.count = 10000};
    const ceiling_team one_thread = {1, &task, hasty};
    ceilings_measure_peak(&set, PEAK_FMA_AVX2, (ceiling_loop){run, 1}, &one_thread);
    return set;
}

static void test_ceilings__slow_peak_planted__in_doubt(void **state)
{
    (void)state;
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        skip();
    char why[128] = "";
    const ceiling_set subnormal = planted(decaying);
    assert_true(ceilings_peak_in_doubt(&subnormal, PEAK_FMA_AVX2, why, sizeof why));
    assert_non_null(strstr(why, "subnormal"));
    const ceiling_set slow = planted(waiting);
    assert_true(ceilings_peak_in_doubt(&slow, PEAK_FMA_AVX2, why, sizeof why));
    assert_non_null(strstr(why, "every CPU with avx2 reaches 1"));
}

/* No loop of ours has operands that make a CPU slow. */
static void test_ceilings__measured__no_abnormal_operands(void **state)
{
    (void)state;
    ceiling_set set = {.threads = 1};
    ceiling_task task = {.count = 10000};
    const ceiling_team one_thread = {1, &task, hasty};
    ceilings_measure_peaks(&set, UINT32_MAX, &one_thread);
    for (enum ceiling_peak_id id = 0; id < PEAK_COUNT; id++)
        assert_false(set.peak[id].abnormal);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        assert_true(set.peak[PEAK_FMA_AVX2].g_per_s > 0.0);
}

/* Rows above a peak that was measured too low, and one above any. Sanitizers make the loops 50 times slower: the rows are
 * slow enough for those, too. */
static void test_ceilings__rows_above__ceiling_is_measured_again(void **state)
{
    (void)state;
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        skip();
    const machine m = two_cores();
    ceilings found = ceilings_of(&m, 1);
    found.sets[0].peak[PEAK_FMA_AVX2] = (ceiling_rate){0.1, 3.0, false};
    for (size_t i = 0; i < found.n_levels; i++)
        found.sets[0].gb_per_s[i][ACCESS_READ] = 1e12;
    bench_row rows[2] = {
        {.isa = "avx2", .threads = 1, .flops = 0.2, .working_set = 1.0, .n_samples = 1},
        {.isa = "avx2", .threads = 1, .flops = 0.3, .working_set = 1.0, .n_samples = 1}};
    snprintf(rows[1].name, sizeof rows[1].name, "a row");
    rows[0].real_ns.median = rows[1].real_ns.median = 1.0;
    bench_suite suite = {.rows = rows, .n_rows = 2};
    bench_set_attainable(&suite, &found);
    assert_true(bench_above_roof(&rows[0]));
    const int cpus[] = {0};
    json_t *warnings = json_array();
    assert_true(roofs_recheck(&suite, &found, cpus, hasty, warnings));
    assert_int_equal(found.n_repeats, 1);
    const ceiling_repeat *first = &found.repeats[0];
    assert_string_equal(first->ceiling, "f32 FMA, avx2");
    assert_int_equal(first->rows_before, 2);
    assert_int_equal(first->rows_after, 0);
    assert_true(first->before == 0.1 && first->after > 0.3);
    assert_string_equal(first->finding,
                        "the first measurement was too low; no row exceeds the second");
    assert_false(bench_above_roof(&rows[0]));
    /* No hardware is as fast: then the row is wrong, unless this machine is so busy that the peak is in doubt. */
    rows[1].flops = 1e9;
    bench_set_attainable(&suite, &found);
    assert_true(roofs_recheck(&suite, &found, cpus, hasty, warnings));
    assert_int_equal(found.n_repeats, 2);
    const ceiling_repeat *second = &found.repeats[1];
    assert_int_equal(second->rows_after, 1);
    assert_true(strncmp(second->finding, "the ceiling is wrong", 20) == 0 ||
                strstr(second->finding, "1 row (worst: a row") != NULL);
    assert_int_equal(json_array_size(warnings), 2);
    /* A row with two peaks, of which one was too low. */
    found.sets[0].peak[PEAK_WEIGHTS_AVX2] = (ceiling_rate){1e5, 3.0, false};
    found.sets[0].peak[PEAK_DSCORES_AVX2] = (ceiling_rate){0.1, 3.0, false};
    rows[0].kernel = BENCH_step_hinge_u8;
    rows[0].flops = 0.3;
    rows[1].flops = 1e-9;
    bench_set_attainable(&suite, &found);
    assert_true(bench_above_roof(&rows[0]));
    assert_true(roofs_recheck(&suite, &found, cpus, hasty, warnings));
    assert_int_equal(found.n_repeats, 4);
    assert_string_equal(found.repeats[2].ceiling, "byte x 16 bits, avx2");
    assert_string_equal(found.repeats[2].finding,
                        "the ceiling is confirmed; another ceiling of these rows was too low");
    assert_string_equal(found.repeats[3].finding,
                        "the first measurement was too low; no row exceeds the second");
    json_decref(warnings);
    /* Nothing above: nothing measured, nothing said. */
    rows[0].flops = 1e-9;
    bench_set_attainable(&suite, &found);
    warnings = json_array();
    assert_true(roofs_recheck(&suite, &found, cpus, hasty, warnings));
    assert_int_equal(found.n_repeats, 4);
    assert_int_equal(json_array_size(warnings), 0);
    json_decref(warnings);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ceilings__attainable__is_the_lower_roof),
        cmocka_unit_test(test_ceilings__level__has_its_peaks),
        cmocka_unit_test(test_ceilings__level__of_several_threads),
        cmocka_unit_test(test_ceilings__memory_is_beyond_every_last_level),
        cmocka_unit_test(test_ceilings__above_the_roof),
        cmocka_unit_test(test_ceilings__measured__only_rise),
        cmocka_unit_test(test_ceilings__json__there_and_back),
        cmocka_unit_test(test_ceilings__json__refused),
        cmocka_unit_test(test_ceilings__doubt__of_measured_peaks),
        cmocka_unit_test(test_ceilings__doubt__of_several_threads),
#if defined __x86_64__
        cmocka_unit_test(test_ceilings__slow_peak_planted__in_doubt),
        cmocka_unit_test(test_ceilings__measured__no_abnormal_operands),
        cmocka_unit_test(test_ceilings__rows_above__ceiling_is_measured_again),
#endif
    };
    return cmocka_run_group_tests_name("ceilings", tests, NULL, NULL);
}
