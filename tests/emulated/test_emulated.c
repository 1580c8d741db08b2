/* SPDX-License-Identifier: MIT
 *
 * Verifies the kernels of levels that this machine may lack, with their instructions emulated.
 * It says nothing about their speed, nor about detection (tests/test_cpu.c). `downhill verify`
 * checks them on a real CPU. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "amx_emulation.h"
#include "base/error.h"
#include "isa/tables.h"
#include "verify/verify.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const downhill_kernels *table_of(const char *isa)
{
    const downhill_kernels *table;
    char why[256];
    if (downhill_select(isa, &table, why, sizeof why) != DOWNHILL_OK)
        fail_msg("%s", why);
    return table;
}

/* Sanitizers and coverage counters make the emulation even slower: run every sixth case only. */
#ifdef DOWNHILL_INSTRUMENTED
enum { STRIDE = 6 };
#else
enum { STRIDE = 1 };
#endif

/* Adds the kernels of a data type to the set to verify, unless both levels share them. */
static uint32_t with_kernels(uint32_t set, enum element element, const downhill_kernels *kernels,
                             const downhill_kernels *parent_kernels)
{
    if (downhill_same_kernels(kernels, parent_kernels, element))
        return set;
    for (verify_kernel kernel = 0; kernel < VERIFY_KERNEL_COUNT; kernel++)
        if (verify_kernels[kernel].element == element)
            set |= UINT32_C(1) << kernel;
    return set;
}

/* Verifies a level, except for the kernels that it shares with another level, which is verified
 * too. */
static void verify_level(const char *isa, const char *parent)
{
    const downhill_kernels *kernels = table_of(isa), *parent_kernels = table_of(parent);
    verify_options options = VERIFY_DEFAULTS;
    options.isa = isa;
    options.chosen_only = true;
    options.stride = STRIDE;
    options.kernel_set = with_kernels(options.kernel_set, ELEMENT_F32, kernels, parent_kernels);
    options.kernel_set = with_kernels(options.kernel_set, ELEMENT_BF16, kernels, parent_kernels);
    options.kernel_set = with_kernels(options.kernel_set, ELEMENT_U8, kernels, parent_kernels);
    verify_result result;
    assert_int_equal(verify_run(&options, &result), EXIT_OK);
    assert_int_equal(result.levels, 1);
    assert_true(result.checks > 10000 / STRIDE);
    print_message("%s: %llu checks in %.1f s\n", isa, (unsigned long long)result.checks,
                  result.seconds);
}

static void test_avxvnni__emulated__verified(void **state)
{
    (void)state;
    verify_level("avxvnni", "avx2");
}

static void test_avx512__emulated__verified(void **state)
{
    (void)state;
    verify_level("avx512", "avx2");
}

static void test_avx512vnni__emulated__verified(void **state)
{
    (void)state;
    verify_level("avx512vnni", "avx512");
}

static void test_avx512bf16__emulated__verified(void **state)
{
    (void)state;
    verify_level("avx512bf16", "avx512vnni");
}

static void test_amx__emulated__verified(void **state)
{
    (void)state;
    const size_t before = amx_emulated_products();
    verify_level("amx", "avx512bf16");
    assert_true(amx_emulated_products() > before + 10000 / STRIDE);
    assert_false(amx_emulated_in_use());
}

/* A bug that verify must catch: the last group of samples is dropped. */
static void grad_last_group_dropped(size_t n, size_t d, size_t c, const void *const *x,
                                    const float *dscores, size_t ldds, unsigned flags, float *dw,
                                    size_t lddw, struct prefetch *prefetch)
{
    downhill_grad_bf16_amx(n > 64 ? n / 32 * 32 : n, d, c, x, dscores, ldds, flags, dw, lddw,
                           prefetch);
}

static void test_amx__planted_bug__caught(void **state)
{
    (void)state;
    downhill_kernels table = *table_of("amx");
    table.grad_bf16 = grad_last_group_dropped;
    verify_options options = VERIFY_DEFAULTS;
    options.kernels = &table;
    options.kernel = "grad_bf16";
    options.max_reports = 0;
    options.first_only = true;
    verify_result result;
    assert_int_equal(verify_run(&options, &result), EXIT_CHECK);
}

/* ---- threads and processes: tiles belong to a thread, and are released after each call ---- */

enum { N = 100, D = 150, C = 7, STEPS = 3, THREADS = 4 };

/* Runs a few steps from zero weights. Returns 0 if AMX and the scalar level end with the same
 * bits. */
static int same_as_scalar(void)
{
    const downhill_kernels *tables[2] = {table_of("scalar"), table_of("amx")};
    static _Thread_local uint8_t x[N * D];
    static _Thread_local float w[2][C * D];
    int32_t y[N];
    const size_t packed_bytes = downhill_packed_u8_bytes(D, C);
    const size_t workspace_bytes = downhill_workspace_u8_bytes(D, C);
    downhill_packed_u8 *packed = malloc(packed_bytes);
    const downhill_workspace workspace = {malloc(workspace_bytes), workspace_bytes};
    const downhill_sgd hinge = {{DOWNHILL_HINGE, 1.0f}, 1e-4f, 100.0f},
                       softmax = {{DOWNHILL_SOFTMAX, 0.0f}, 1e-4f, 100.0f};
    int bad = packed == NULL || workspace.memory == NULL;
    for (size_t i = 0; i < sizeof x; i++)
        x[i] = (uint8_t)(i * 37 + i / 11);
    for (size_t i = 0; i < N; i++)
        y[i] = (int32_t)(i * 5 % C);
    for (int t = 0; t < 2 && !bad; t++) {
        const downhill_weights_f32 weights = {w[t], D, NULL, D, C};
        const downhill_batch_u8 batch = {x, D, N, y, NULL, N, 0};
        bad |= downhill_pack_u8(tables[t], &weights, NULL, packed, packed_bytes) != DOWNHILL_OK;
        for (int s = 0; s < STEPS; s++)
            bad |= downhill_step_u8(tables[t], &batch, &weights, packed,
                                    s % 2 == 0 ? &hinge : &softmax, NULL, &workspace,
                                    NULL) != DOWNHILL_OK;
    }
    bad |= memcmp(w[0], w[1], sizeof w[0]) != 0 || amx_emulated_in_use() ||
           amx_emulated_products() == 0;
    free(packed);
    free(workspace.memory);
    return bad;
}

static void *run_in_thread(void *bad)
{
    *(int *)bad = same_as_scalar();
    return NULL;
}

static void test_amx__threads_and_fork(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    int bad[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_in_thread, &bad[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(bad[i], 0);
    }
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0)
        _exit(same_as_scalar());
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_avxvnni__emulated__verified),
        cmocka_unit_test(test_avx512__emulated__verified),
        cmocka_unit_test(test_avx512vnni__emulated__verified),
        cmocka_unit_test(test_avx512bf16__emulated__verified),
        cmocka_unit_test(test_amx__emulated__verified),
        cmocka_unit_test(test_amx__planted_bug__caught),
        cmocka_unit_test(test_amx__threads_and_fork),
    };
    return cmocka_run_group_tests_name("emulated", tests, NULL, NULL);
}
