/* SPDX-License-Identifier: MIT
 *
 * Rows of other libraries: their results are checked, and they are timed on one thread. Apart from
 * test_bench.c, because with their threads LeakSanitizer may fail at the end. */
#define _POSIX_C_SOURCE 199309L
#include "cmocka_all.h"

#include "base/error.h"
#include "bench/peer_calls.h"
#include "bench/suite.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A matrix product by its definition, with one kind of mistake on demand. */
static enum { RIGHT, LAST_CLASS_LOST, NO_BIAS, ROUNDED_TO_BF16 } mistake;

static float element(const float *m, size_t ld, bool transpose, size_t i, size_t j)
{
    const float value = transpose ? m[j * ld + i] : m[i * ld + j];
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits &= mistake == ROUNDED_TO_BF16 ? 0xFFFF0000u : 0xFFFFFFFFu;
    float rounded;
    memcpy(&rounded, &bits, sizeof rounded);
    return rounded;
}

static void plain_sgemm(const peer *p, bool transpose_a, bool transpose_b, size_t m, size_t n,
                        size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                        bool accumulate, float *c, size_t ldc)
{
    (void)p;
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = accumulate && mistake != NO_BIAS ? (double)c[i * ldc + j] : 0.0;
            for (size_t q = 0; q < k; q++)
                sum += (double)element(a, lda, transpose_a, i, q) *
                       (double)element(b, ldb, transpose_b, q, j);
            c[i * ldc + j] = mistake == LAST_CLASS_LOST && i + 1 == m ? 0.0f : (float)sum;
        }
}

static void test_peers__wrong_product__detected(void **state)
{
    (void)state;
    const peer plain = {.name = "plain", .sgemm = plain_sgemm};
    workload load;
    assert_true(workload_open(&load, 33, 70, 5, 1, 0));
    for (mistake = RIGHT; mistake <= ROUNDED_TO_BF16; mistake++)
        assert_int_equal(peer_agrees(&plain, &load), mistake == RIGHT);
    mistake = RIGHT;
    workload_close(&load);
}

/* An installed peer library gives timed rows; the rows of a missing one say why it is missing. */
static void test_peers__installed_or_missing__timed_or_explained(void **state)
{
    (void)state;
    const bench_shape shape = {37, 70, 10, false, false};
    const bench_options options = {.isa = "scalar",
                                   .peers = true,
                                   .shapes = &shape,
                                   .n_shapes = 1,
                                   .repetitions = 2,
                                   .min_time_s = 1e-5,
                                   .seed = 1};
    bench_suite suite;
    assert_int_equal(bench_suite_build(&options, &suite), EXIT_OK);
    /* No epochs, because n is too small; no steps on several threads; no packing, because scalar does not pack f32. */
    size_t left_out = 0;
    for (bench_kernel k = 0; k < BENCH_KERNEL_COUNT; k++)
        left_out += bench_has_traits(k, BENCH_TRAIT_EPOCH) || bench_has_traits(k, BENCH_TRAIT_TEAM);
    assert_int_equal(left_out, 9);
    assert_int_equal(suite.n_rows, BENCH_KERNEL_COUNT - left_out - 2 + 3 * PEERS_COUNT);
    volatile sig_atomic_t stop = 0;
    assert_int_equal(bench_suite_run(&options, &suite, NULL, NULL, &stop), EXIT_OK);
    for (size_t i = 0; i < suite.n_rows; i++) {
        const bench_row *row = &suite.rows[i];
        if (row->peer == NULL || row->peer->missing[0] == '\0')
            assert_int_equal(row->n_samples, 2);
        else
            assert_non_null(strstr(row->skipped, row->peer->missing));
    }
    bench_suite_free(&suite);
}

/* A peer's product must not take more CPU time than wall time: a library that starts threads of its
 * own would be compared on more CPUs than ours. */
static void test_peers__step__runs_on_one_thread(void **state)
{
    (void)state;
    const peer *peers = peers_open();
    workload load;
    assert_true(workload_open(&load, 256, 512, 500, 1, 0));
    for (size_t p = 0; p < PEERS_COUNT; p++) {
        if (peers[p].missing[0] != '\0')
            continue;
        struct timespec wall[2], cpu[2];
        assert_int_equal(peer_call_of(BENCH_step_hinge_f32)(&peers[p], &load), DOWNHILL_OK);
        clock_gettime(CLOCK_MONOTONIC, &wall[0]);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu[0]);
        for (int i = 0; i < 20; i++)
            assert_int_equal(peer_call_of(BENCH_step_hinge_f32)(&peers[p], &load), DOWNHILL_OK);
        clock_gettime(CLOCK_MONOTONIC, &wall[1]);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu[1]);
        const double wall_s = (double)(wall[1].tv_sec - wall[0].tv_sec) +
                              1e-9 * (double)(wall[1].tv_nsec - wall[0].tv_nsec);
        const double cpu_s = (double)(cpu[1].tv_sec - cpu[0].tv_sec) +
                             1e-9 * (double)(cpu[1].tv_nsec - cpu[0].tv_nsec);
        assert_true(cpu_s < 1.3 * wall_s);
    }
    workload_close(&load);
}

/* The last step of an epoch leaves the gradient of the same rows in dw, whatever their order. */
static void test_peers__epoch__same_gradient(void **state)
{
    (void)state;
    const peer *peers = peers_open();
    const caller ours = {.library = &library_linked};
    workload load;
    assert_true(workload_open(&load, 600, 5, 3, 1, 0));
    float *dw = calloc(load.c * load.d, sizeof *dw);
    assert_non_null(dw);
    for (bench_kernel k = BENCH_epoch_hinge_f32; k <= BENCH_epoch_hinge_shuffled_f32; k++) {
        assert_int_equal(bench_kernels[k].call(&ours, &load), DOWNHILL_OK);
        memcpy(dw, load.dw, load.c * load.d * sizeof *dw);
        for (size_t p = 0; p < PEERS_COUNT; p++) {
            if (peers[p].missing[0] != '\0')
                continue;
            memset(load.dw, 0, load.c * load.d * sizeof *dw);
            assert_int_equal(peer_call_of(k)(&peers[p], &load), DOWNHILL_OK);
            for (size_t i = 0; i < load.c * load.d; i++)
                assert_true(fabsf(load.dw[i] - dw[i]) < 1e-3f);
        }
    }
    free(dw);
    workload_close(&load);
}

/* The set-up of the tests installs every peer, so that a missing one is an error here. */
static void test_peers__test_set_up__all_installed(void **state)
{
    (void)state;
    const peer *peers = peers_open();
    for (size_t i = 0; i < PEERS_COUNT; i++) {
        if (peers[i].missing[0] != '\0')
            fail_msg("%s: %s", peers[i].name, peers[i].missing);
        assert_true(peers[i].version[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peers__wrong_product__detected),
        cmocka_unit_test(test_peers__installed_or_missing__timed_or_explained),
        cmocka_unit_test(test_peers__step__runs_on_one_thread),
        cmocka_unit_test(test_peers__epoch__same_gradient),
        cmocka_unit_test(test_peers__test_set_up__all_installed),
    };
    return cmocka_run_group_tests_name("bench_peers", tests, scratch_open, scratch_close);
}
