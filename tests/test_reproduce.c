/* SPDX-License-Identifier: MIT
 *
 * The certificate compares every model with the committed one: a bug that only some step reaches is
 * found at this step, and bits that nothing promises are not compared. */
#include "cmocka_all.h"

#include "base/levels.h"
#include "parallel/team.h"
#include "train/certificate.h"

#include <pthread.h>
#include <stdatomic.h>

static const downhill_kernels *right;

static pthread_t thread_of_test;

/* True once a kernel has run on a thread other than the thread of the test. */
static atomic_bool other_thread;

static void note_thread(void)
{
    if (!pthread_equal(pthread_self(), thread_of_test))
        atomic_store(&other_thread, true);
}

static double softmax_f32_noted(size_t n, size_t c, const float *scores, size_t lds,
                                const int32_t *y, float *dscores, size_t ldds)
{
    note_thread();
    return right->softmax_f32(n, c, scores, lds, y, dscores, ldds);
}

static double softmax_u8_noted(size_t n, size_t c, const double *scores, size_t lds,
                               const int32_t *y, int16_t *dscores, size_t ldds)
{
    note_thread();
    return right->u8->softmax(n, c, scores, lds, y, dscores, ldds);
}

/* Slightly wrong, in the step on one sample only. */
static void bias_of_one_sample_off(size_t n, size_t c, const float *dscores, size_t ldds, float *db)
{
    right->grad_bias_f32(n, c, dscores, ldds, db);
    if (n == 1)
        db[0] += 0x1p-15f;
}

/* Wrong by one unit, in a step of more samples than 32 bits hold. */
static double one_dscore_off(size_t n, size_t c, const double *scores, size_t lds, const int32_t *y,
                             int16_t *dscores, size_t ldds)
{
    static size_t calls;
    const double loss = right->u8->softmax(n, c, scores, lds, y, dscores, ldds);
    calls++;
    if (calls == 12)
        dscores[1]++;
    return loss;
}

static const reproduce_kind *kind_of(enum element element, downhill_loss_kind loss)
{
    for (size_t k = 0; k < REPRODUCE_KINDS; k++)
        if (reproduce_kinds[k].element == element && reproduce_kinds[k].loss.kind == loss)
            return &reproduce_kinds[k];
    return NULL;
}

static void test_reproduce__every_level__as_committed(void **state)
{
    (void)state;
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t levels = levels_to_run(NULL, tables);
    certificate result;
    for (size_t k = 0; k < REPRODUCE_KINDS; k++)
        for (size_t i = 0; i < levels; i++) {
            assert_int_equal(certificate_check(&reproduce_kinds[k], tables[i], 1, &result),
                             DOWNHILL_OK);
            assert_false(result.differs);
            assert_int_equal(result.step, REPRODUCE_STEPS - 1);
            if (team_supported()) {
                assert_int_equal(certificate_check(&reproduce_kinds[k], tables[i], 3, &result),
                                 DOWNHILL_OK);
                assert_false(result.differs);
            }
        }
}

static void test_reproduce__bugs__found_at_their_step(void **state)
{
    (void)state;
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t levels = levels_to_run(NULL, tables);
    certificate result;
    right = tables[levels - 1];
    downhill_kernels table = *right;
    if (right->fixed_order_f32) {
        table.grad_bias_f32 = bias_of_one_sample_off;
        assert_int_equal(
            certificate_check(kind_of(ELEMENT_F32, DOWNHILL_SOFTMAX), &table, 1, &result),
            DOWNHILL_OK);
        assert_true(result.differs);
        assert_int_equal(result.step, 3);
        table.fixed_order_f32 = 0; /* nothing is promised, so nothing is compared */
        assert_int_equal(
            certificate_check(kind_of(ELEMENT_F32, DOWNHILL_SOFTMAX), &table, 1, &result),
            DOWNHILL_OK);
        assert_false(result.differs);
    }
    struct downhill_u8_kernels u8 = *right->u8;
    table = *right;
    u8.softmax = one_dscore_off;
    table.u8 = &u8;
    assert_int_equal(certificate_check(kind_of(ELEMENT_U8, DOWNHILL_SOFTMAX), &table, 1, &result),
                     DOWNHILL_OK);
    assert_true(result.differs);
    assert_true(result.step >= 3 && result.step < REPRODUCE_STEPS);
}

static void test_reproduce__threads__used(void **state)
{
    (void)state;
    if (!team_supported())
        skip();
    const downhill_kernels *tables[LEVELS_MAX];
    certificate result;
    right = tables[levels_to_run(NULL, tables) - 1];
    struct downhill_u8_kernels u8 = *right->u8;
    downhill_kernels table = *right;
    u8.softmax = softmax_u8_noted;
    table.u8 = &u8;
    table.softmax_f32 = softmax_f32_noted;
    thread_of_test = pthread_self();
    for (size_t threads = 1; threads <= 2; threads++)
        for (int bytes = 0; bytes < 2; bytes++) {
            atomic_store(&other_thread, false);
            assert_int_equal(
                certificate_check(kind_of(bytes ? ELEMENT_U8 : ELEMENT_F32, DOWNHILL_SOFTMAX),
                                  &table, threads, &result),
                DOWNHILL_OK);
            assert_false(result.differs);
            assert_int_equal(atomic_load(&other_thread), threads > 1);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reproduce__every_level__as_committed),
        cmocka_unit_test(test_reproduce__bugs__found_at_their_step),
        cmocka_unit_test(test_reproduce__threads__used),
    };
    return cmocka_run_group_tests_name("reproduce", tests, NULL, NULL);
}
