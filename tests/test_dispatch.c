/* SPDX-License-Identifier: MIT
 *
 * Selection of a kernel table: by name, by environment, from many threads. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "isa/tables.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs `check` in a child process with these environment variables, because a process chooses its
 * default level only once. Returns the exit code. */
static int run_in_child(const char *isa, const char *disable, int (*check)(void))
{
    const pid_t child = fork();
    if (child == 0) {
        isa != NULL ? setenv("DOWNHILL_ISA", isa, 1) : unsetenv("DOWNHILL_ISA");
        disable != NULL ? setenv("DOWNHILL_DISABLE", disable, 1) : unsetenv("DOWNHILL_DISABLE");
        _exit(check());
    }
    int status;
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static const downhill_kernels *selected(downhill_status want, const char *text_in_why)
{
    const downhill_kernels *k;
    char why[512];
    if (downhill_select(NULL, &k, why, sizeof why) != want)
        return NULL;
    if (text_in_why != NULL && strstr(why, text_in_why) == NULL)
        return NULL;
    static const char ok[1] = "";
    return want == DOWNHILL_OK ? k : (const downhill_kernels *)(const void *)ok;
}

static int default_is_scalar(void)
{
    const downhill_kernels *k = selected(DOWNHILL_OK, NULL);
    return k == NULL || strcmp(downhill_kernels_name(k), "scalar") != 0;
}

static int default_is_highest_usable(void)
{
    const downhill_kernels *k = selected(DOWNHILL_OK, NULL);
    downhill_level level;
    const char *want = NULL;
    for (size_t i = 0; downhill_level_at(i, &level) == DOWNHILL_OK; i++)
        if (level.usable && level.kind != DOWNHILL_KIND_AUTO)
            want = level.name;
    return k == NULL || strcmp(downhill_kernels_name(k), want) != 0;
}

static int unknown_level_is_refused(void)
{
    return selected(DOWNHILL_ERR_ISA_UNKNOWN, "DOWNHILL_ISA=sse9") == NULL;
}

static int masked_level_is_refused_by_name(void)
{
    return selected(DOWNHILL_ERR_ISA_UNUSABLE, "fma (") == NULL;
}

static int unknown_feature_is_refused(void)
{
    const downhill_kernels *k;
    return selected(DOWNHILL_ERR_ISA_UNKNOWN, "avx3") == NULL ||
           downhill_select("scalar", &k, NULL, 0) != DOWNHILL_ERR_ISA_UNKNOWN;
}

static int refusal_reaches_the_kernels(void)
{
    float x[2] = {1, 2}, w[2] = {3, 4}, s = -1;
    const downhill_batch_f32 batch = {.x = x, .ldx = 2, .x_rows = 1, .n = 1};
    const downhill_weights_f32 weights = {w, 2, NULL, 2, 1};
    const downhill_matrix_f32 scores = {&s, 1, 1, 1};
    return downhill_score_f32(NULL, &batch, &weights, &scores) != DOWNHILL_ERR_ISA_UNKNOWN ||
           s != -1.0f;
}

/* Checks that changes to the environment after the first use have no effect. */
static int environment_is_read_once(void)
{
    const downhill_kernels *before = selected(DOWNHILL_OK, NULL);
    downhill_level level;
    setenv("DOWNHILL_DISABLE", "avx2", 1);
    setenv("DOWNHILL_ISA", "sse9", 1);
    if (selected(DOWNHILL_OK, NULL) != before)
        return 1;
    for (size_t i = 0; downhill_level_at(i, &level) == DOWNHILL_OK; i++)
        if (level.chosen && !level.usable)
            return 2;
    return 0;
}

static void test_dispatch__environment_variables__level_chosen_or_refused(void **state)
{
    (void)state;
    assert_int_equal(run_in_child(NULL, NULL, default_is_highest_usable), 0);
    assert_int_equal(run_in_child("", "", default_is_highest_usable), 0);
    assert_int_equal(run_in_child("scalar", NULL, default_is_scalar), 0);
    assert_int_equal(run_in_child(NULL, "fma, avx2", default_is_scalar), 0);
    assert_int_equal(run_in_child("sse9", NULL, unknown_level_is_refused), 0);
    assert_int_equal(run_in_child("avx2", "fma", masked_level_is_refused_by_name), 0);
    assert_int_equal(run_in_child("avx512", "avx3", unknown_feature_is_refused), 0);
    assert_int_equal(run_in_child("sse9", NULL, refusal_reaches_the_kernels), 0);
    assert_int_equal(run_in_child(NULL, "avx", default_is_scalar), 0);
    assert_int_equal(run_in_child(NULL, NULL, environment_is_read_once), 0);
}

static void test_dispatch__each_level_by_name__selected_or_refused(void **state)
{
    (void)state;
    downhill_level level;
    size_t usable = 0;
    for (size_t i = 0; downhill_level_at(i, &level) == DOWNHILL_OK; i++) {
        const downhill_kernels *k;
        char why[512];
        const downhill_status status = downhill_select(level.name, &k, why, sizeof why);
        if (level.usable) {
            assert_int_equal(status, DOWNHILL_OK);
            assert_string_equal(downhill_kernels_name(k), level.name);
            assert_string_equal(level.missing, "");
            usable++;
        } else {
            assert_int_equal(status, DOWNHILL_ERR_ISA_UNUSABLE);
            assert_null(k);
            assert_non_null(strstr(why, level.missing));
        }
    }
    assert_true(usable >= 1);
}

/* Returns the level whose kernels `level` uses for features of this type. */
static const char *lender(const char *level, enum element element)
{
    const bool avxvnni = strcmp(level, "avxvnni") == 0, vnni = strcmp(level, "avx512vnni") == 0;
    const bool bf16 = strcmp(level, "avx512bf16") == 0, amx = strcmp(level, "amx") == 0;
    switch (element) {
    case ELEMENT_F32:
        return avxvnni ? "avx2" : vnni || bf16 || amx ? "avx512" : level;
    case ELEMENT_BF16:
        return avxvnni ? "avx2" : vnni ? "avx512" : level;
    case ELEMENT_U8:
        return bf16 ? "avx512vnni" : level;
    }
    return level;
}

/* lender() lists every borrowed kernel; a kernel borrowed by mistake fails the test. */
static void test_dispatch__tables__share_only_the_listed_kernels(void **state)
{
    (void)state;
    const downhill_kernels *tables[32];
    size_t count = 0;
    downhill_level level;
    for (size_t i = 0; downhill_level_at(i, &level) == DOWNHILL_OK; i++)
        if (downhill_select(level.name, &tables[count], NULL, 0) == DOWNHILL_OK)
            count++;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++) {
            const downhill_kernels *a = tables[i], *b = tables[j];
            bool borrowed[3];
            for (enum element e = ELEMENT_F32; e <= ELEMENT_U8; e++) {
                borrowed[e] = strcmp(lender(a->name, e), lender(b->name, e)) == 0;
                assert_int_equal(downhill_same_kernels(a, b, e), borrowed[e]);
            }
            assert_int_equal(a->score_f32 == b->score_f32, borrowed[ELEMENT_F32]);
            assert_int_equal(a->hinge_f32 == b->hinge_f32, borrowed[ELEMENT_F32]);
            assert_int_equal(a->softmax_f32 == b->softmax_f32, borrowed[ELEMENT_F32]);
            assert_int_equal(a->grad_f32 == b->grad_f32, borrowed[ELEMENT_F32]);
            assert_int_equal(a->grad_bias_f32 == b->grad_bias_f32, borrowed[ELEMENT_F32]);
            assert_int_equal(a->update_f32 == b->update_f32, borrowed[ELEMENT_F32]);
            assert_int_equal(a->score_bf16 == b->score_bf16, borrowed[ELEMENT_F32]);
            assert_int_equal(a->grad_bf16 == b->grad_bf16, borrowed[ELEMENT_BF16]);
            assert_int_equal(a->u8->score == b->u8->score, borrowed[ELEMENT_U8]);
            assert_int_equal(a->u8->grad == b->u8->grad, borrowed[ELEMENT_U8]);
        }
}

static void test_dispatch__long_reason__cut_to_fit(void **state)
{
    (void)state;
    const downhill_kernels *k;
    char why[16];
    memset(why, 'z', sizeof why);
    assert_int_equal(downhill_select("nonesuch", &k, why, 8), DOWNHILL_ERR_ISA_UNKNOWN);
    assert_string_equal(why, "nonesuc");
    assert_int_equal(why[8], 'z');
    assert_int_equal(downhill_select("nonesuch", &k, NULL, 0), DOWNHILL_ERR_ISA_UNKNOWN);
    assert_int_equal(downhill_select("scalar", NULL, why, sizeof why), DOWNHILL_ERR_NULL);
}

static void *first_use(void *result)
{
    const downhill_kernels *k = NULL;
    if (downhill_select(NULL, &k, NULL, 0) == DOWNHILL_OK)
        *(const downhill_kernels **)result = k;
    return NULL;
}

static int many_threads_agree(void)
{
    enum { N = 64 };
    pthread_t threads[N];
    const downhill_kernels *results[N] = {NULL};
    for (int i = 0; i < N; i++)
        if (pthread_create(&threads[i], NULL, first_use, &results[i]) != 0)
            return 1;
    for (int i = 0; i < N; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < N; i++)
        if (results[i] == NULL || results[i] != results[0])
            return 2;
    return 0;
}

static void test_dispatch__first_use_on_many_threads__same_table(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(run_in_child(NULL, NULL, many_threads_agree), 0);
}

/* The levels that promise the fixed order of sums, as downhill.h lists them. */
static void test_dispatch__fixed_order__on_the_levels_of_the_header(void **state)
{
    (void)state;
    static const char *const f32[] = {"fma",        "avx2",       "avxvnni", "avx512",
                                      "avx512vnni", "avx512bf16", "amx"};
    static const char *const bf16[] = {"fma", "avx2", "avxvnni", "avx512", "avx512vnni"};
    for (size_t i = 0; i < LEVEL_COUNT; i++) {
        const struct level *level = &downhill_levels[i];
        int fixed_f32 = 0, fixed_bf16 = 0;
        for (size_t k = 0; k < sizeof f32 / sizeof f32[0]; k++)
            fixed_f32 += strcmp(level->name, f32[k]) == 0;
        for (size_t k = 0; k < sizeof bf16 / sizeof bf16[0]; k++)
            fixed_bf16 += strcmp(level->name, bf16[k]) == 0;
        if (level->table == NULL)
            continue;
        assert_int_equal(level->table->fixed_order_f32, fixed_f32);
        assert_int_equal(level->table->fixed_order_bf16, fixed_bf16);
    }
    assert_true(downhill_table_fma.fixed_order_f32 && downhill_table_fma.fixed_order_bf16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dispatch__fixed_order__on_the_levels_of_the_header),
        /* These two fork, so they must run before this process first uses the library. */
        cmocka_unit_test(test_dispatch__environment_variables__level_chosen_or_refused),
        cmocka_unit_test(test_dispatch__first_use_on_many_threads__same_table),
        cmocka_unit_test(test_dispatch__each_level_by_name__selected_or_refused),
        cmocka_unit_test(test_dispatch__tables__share_only_the_listed_kernels),
        cmocka_unit_test(test_dispatch__long_reason__cut_to_fit),
    };
    return cmocka_run_group_tests_name("dispatch", tests, NULL, NULL);
}
