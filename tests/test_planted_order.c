/* SPDX-License-Identifier: MIT
 *
 * Checks that verify catches kernels whose sums in f32 are within the bounds, but taken in another
 * order than the fixed one, in every level that has it. */
#include "cmocka_all.h"

#include "base/levels.h"
#include "planted.h"

#include <math.h>
#include <string.h>

/* The right kernels of the level. */
static const downhill_kernels *right;

/* Sums the two halves of the features one after the other. */
static void score_in_halves(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                            size_t ldw, const struct scores *scores, struct prefetch *prefetch)
{
    const void *upper[SHIFTED_MAX];
    const size_t half = d / 2;
    const struct scores so_far = {scores->to, scores->ld, scores->to, scores->ld};
    if (half == 0) {
        right->score_f32(n, d, c, x, w, ldw, scores, prefetch);
        return;
    }
    for (size_t i = 0; i < n; i++)
        upper[i] = (const float *)x[i] + half;
    right->score_f32(n, half, c, x, w, ldw, scores, prefetch);
    right->score_f32(n, d - half, c, upper, w + half, ldw, &so_far, prefetch);
}

static void score_bf16_in_halves(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                                 size_t ldw, const struct scores *scores, struct prefetch *prefetch)
{
    const void *upper[SHIFTED_MAX];
    const size_t half = d / 2;
    const struct scores so_far = {scores->to, scores->ld, scores->to, scores->ld};
    if (half == 0) {
        right->score_bf16(n, d, c, x, w, ldw, scores, prefetch);
        return;
    }
    for (size_t i = 0; i < n; i++)
        upper[i] = (const uint16_t *)x[i] + half;
    right->score_bf16(n, half, c, x, w, ldw, scores, prefetch);
    right->score_bf16(n, d - half, c, upper, w + half, ldw, &so_far, prefetch);
}

/* Takes the last sample first. */
static void grad_last_first(size_t n, size_t d, size_t c, const void *const *x,
                            const float *dscores, size_t ldds, unsigned flags, float *dw,
                            size_t lddw, struct prefetch *prefetch)
{
    const void *last[1 + ROWS_PAST_END];
    for (size_t i = 0; i < 1 + ROWS_PAST_END; i++)
        last[i] = x[n - 1];
    right->grad_f32(1, d, c, last, dscores + (n - 1) * ldds, ldds, flags, dw, lddw, prefetch);
    if (n > 1)
        right->grad_f32(n - 1, d, c, x, dscores, ldds, flags | GRAD_ACCUMULATE, dw, lddw, prefetch);
}

/* The last bit of a dscore, of the loss, and of a sum of the bias. */
static double softmax_last_bit(size_t n, size_t c, const float *scores, size_t lds,
                               const int32_t *y, float *dscores, size_t ldds)
{
    const double loss = right->softmax_f32(n, c, scores, lds, y, dscores, ldds);
    dscores[0] = nextafterf(dscores[0], 2.0f);
    return loss;
}

static double hinge_last_bit(size_t n, size_t c, const float *scores, size_t lds, const int32_t *y,
                             float margin, float *dscores, size_t ldds)
{
    const double loss = right->hinge_f32(n, c, scores, lds, y, margin, dscores, ldds);
    return n > 1 ? loss * (1.0 + 0x1p-50) : loss;
}

static void bias_last_bit(size_t n, size_t c, const float *dscores, size_t ldds, float *db)
{
    right->grad_bias_f32(n, c, dscores, ldds, db);
    db[c - 1] = n > 3 ? nextafterf(db[c - 1], INFINITY) : db[c - 1];
}

static void test_planted_order__in_every_level__caught(void **state)
{
    (void)state;
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t levels = levels_to_run(NULL, tables);
    size_t fixed = 0;
    for (size_t i = 0; i < levels; i++) {
        if (!tables[i]->fixed_order_f32)
            continue;
        right = tables[i];
        fixed++;
        downhill_kernels table = *right;
        table.packing_f32 = table.packing_short_f32 = NULL;
        assert_passes(&table);
        table.score_f32 = score_in_halves;
        assert_caught(&table, "score_f32", "features in halves");
        table = *right;
        table.grad_columns_f32 = table.grad_rows_f32 = NULL;
        table.grad_f32 = grad_last_first;
        assert_caught(&table, "grad_f32", "last sample first");
        table = *right;
        table.softmax_f32 = softmax_last_bit;
        assert_caught(&table, "softmax_f32", "last bit of a dscore");
        table.hinge_f32 = hinge_last_bit;
        assert_caught(&table, "hinge_f32", "last bits of the loss");
        table.grad_bias_f32 = bias_last_bit;
        assert_caught(&table, "grad_f32", "last bit of a sum of the bias");
        if (right->fixed_order_bf16) {
            table = *right;
            table.packing_bf16 = table.packing_short_bf16 = NULL;
            table.score_bf16 = score_bf16_in_halves;
            assert_caught(&table, "score_bf16", "features in halves");
        }
        print_message("%s: all bugs caught\n", right->name);
    }
    if (fixed == 0)
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planted_order__in_every_level__caught),
    };
    return cmocka_run_group_tests_name("planted_order", tests, NULL, NULL);
}
