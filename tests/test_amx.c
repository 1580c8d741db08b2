/* SPDX-License-Identifier: MIT
 *
 * The kernels of the amx level with the tile instructions emulated: what they compute is proven on
 * machines that lack them. How fast they are is not. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "amx_emulation.h"
#include "base/error.h"
#include "verify/verify.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct downhill_packed_score packed_bf16;
static struct downhill_u8_kernels u8;

/* The table of the level below with these kernels in it; false: this machine cannot run it. */
static bool emulated_table(downhill_kernels *table)
{
    const downhill_kernels *below;
    char why[256];
    if (downhill_select("avx512bf16", &below, why, sizeof why) != DOWNHILL_OK) {
        print_message("skipped: the kernels of the amx level need avx512bf16: %s\n", why);
        return false;
    }
    packed_bf16 = downhill_packed_bf16_amx;
    packed_bf16.pack = downhill_pack_bf16_amx_emulated;
    packed_bf16.score = downhill_score_packed_bf16_amx_emulated;
    *table = *below;
    table->name = "amx_emulated";
    table->packed_bf16 = &packed_bf16;
    table->grad_bf16 = downhill_grad_bf16_amx_emulated;
    u8 = downhill_u8_amx;
    u8.pack = downhill_pack_u8_amx_emulated;
    u8.score = downhill_score_u8_amx_emulated;
    u8.grad = downhill_grad_u8_amx_emulated;
    table->u8 = &u8;
    return true;
}

static void test_amx__emulated__as_proven(void **state)
{
    (void)state;
    static const char *const ops[] = {"score_bf16",        "grad_bf16",    "step_hinge_bf16",
                                      "step_softmax_bf16", "score_u8",     "grad_u8",
                                      "update_u8",         "step_hinge_u8"};
    downhill_kernels table;
    if (!emulated_table(&table))
        skip();
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        verify_options options = VERIFY_DEFAULTS;
        options.kernels = &table;
        options.op = ops[i];
        verify_result result;
        const size_t before = amx_emulated_products();
        assert_int_equal(verify_run(&options, &result), EXIT_OK);
        print_message("%s: %llu checks, %zu tile products\n", ops[i],
                      (unsigned long long)result.checks, amx_emulated_products() - before);
        assert_true(amx_emulated_products() > before + 1000);
        assert_false(amx_emulated_in_use());
    }
}

/* What the proof must not miss: a product too few. */
static void last_group_dropped(size_t n, size_t d, size_t c, const void *const *x,
                               const float *dscores, size_t ldds, unsigned flags, float *dw,
                               size_t lddw, struct downhill_ahead *ahead)
{
    downhill_grad_bf16_amx_emulated(n > 64 ? n / 32 * 32 : n, d, c, x, dscores, ldds, flags, dw,
                                    lddw, ahead);
}

static void test_amx__planted_bug__caught(void **state)
{
    (void)state;
    downhill_kernels table;
    if (!emulated_table(&table))
        skip();
    table.grad_bf16 = last_group_dropped;
    verify_options options = VERIFY_DEFAULTS;
    options.kernels = &table;
    options.op = "grad_bf16";
    options.max_reports = 0;
    verify_result result;
    assert_int_equal(verify_run(&options, &result), EXIT_CHECK);
}

/* ---- threads and processes: tiles are of a thread, and nothing is left of them ---- */

enum { N = 100, D = 150, C = 7, STEPS = 3, THREADS = 4 };

static downhill_kernels shared_table;

/* Some steps from zero weights; 0 where they end in the same bits as on the scalar level. */
static int same_as_scalar(void)
{
    const downhill_kernels *tables[2] = {NULL, &shared_table};
    static _Thread_local uint8_t x[N * D];
    static _Thread_local float w[2][C * D];
    int32_t y[N];
    const size_t packed_bytes = downhill_packed_u8_bytes(D, C);
    const size_t workspace_bytes = downhill_workspace_u8(D, C);
    void *packed = malloc(packed_bytes), *workspace = malloc(workspace_bytes);
    int bad = packed == NULL || workspace == NULL ||
              downhill_select("scalar", &tables[0], NULL, 0) != DOWNHILL_OK;
    for (size_t i = 0; i < sizeof x; i++)
        x[i] = (uint8_t)(i * 37 + i / 11);
    for (size_t i = 0; i < N; i++)
        y[i] = (int32_t)(i * 5 % C);
    for (int t = 0; t < 2 && !bad; t++) {
        const downhill_weights_f32 weights = {w[t], D, NULL, D, C};
        const downhill_batch_u8 batch = {x, D, N, y, NULL, N, 0};
        bad |= downhill_pack_u8(tables[t], &weights, NULL, packed, packed_bytes) != DOWNHILL_OK;
        for (int s = 0; s < STEPS; s++)
            bad |= downhill_step_u8(tables[t], &batch, &weights, 1.0f, 0.99f, 1e-6f, NULL, packed,
                                    workspace, workspace_bytes, NULL) != DOWNHILL_OK;
    }
    bad |= memcmp(w[0], w[1], sizeof w[0]) != 0 || amx_emulated_in_use() ||
           amx_emulated_products() == 0;
    free(packed);
    free(workspace);
    return bad;
}

static void *in_thread(void *bad)
{
    *(int *)bad = same_as_scalar();
    return NULL;
}

static void test_amx__threads_and_fork(void **state)
{
    (void)state;
    if (!emulated_table(&shared_table))
        skip();
    pthread_t threads[THREADS];
    int bad[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, in_thread, &bad[i]), 0);
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

/* The kernels of the library itself, where the machine has AMX: see `downhill verify`. */
static void test_amx__level__listed(void **state)
{
    (void)state;
    downhill_level level;
    size_t i = 0;
    while (downhill_level_at(i, &level) == DOWNHILL_OK && strcmp(level.name, "amx") != 0)
        i++;
    assert_string_equal(level.name, "amx");
    if (!level.usable)
        print_message("the amx level is not usable here: %s\n", level.missing);
    assert_int_equal(level.usable, level.missing[0] == '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_amx__emulated__as_proven),
        cmocka_unit_test(test_amx__planted_bug__caught),
        cmocka_unit_test(test_amx__threads_and_fork),
        cmocka_unit_test(test_amx__level__listed),
    };
    return cmocka_run_group_tests_name("amx", tests, NULL, NULL);
}
