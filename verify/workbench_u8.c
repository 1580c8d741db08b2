/* SPDX-License-Identifier: MIT */
#include "workbench_u8.h"

#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

bool workbench_u8_open(workbench_u8 *b, uint64_t seed)
{
    memset(b, 0, sizeof *b);
    size_t n = 0, d = 0, c = 0, x_rows = 0, x = 0, nc = 0, dc = 0, packed = 0, workspace = 0;
#define RAISE(to, value) ((to) = (value) > (to) ? (value) : (to))
    for (size_t i = 0; i < verify_case_count(); i++) {
        const verify_case v = verify_case_at(seed, i);
        RAISE(n, v.n);
        RAISE(d, v.d);
        RAISE(c, v.c);
        RAISE(x_rows, v.x_rows);
        RAISE(x, v.x_rows * v.d);
        RAISE(nc, v.n * v.c);
        RAISE(dc, v.d * v.c);
        RAISE(packed, downhill_packed_u8_bytes(v.d, v.c));
        RAISE(workspace, downhill_workspace_u8_bytes(v.d, v.c));
    }
#undef RAISE
    bool good = true;
    for (size_t i = 0; i < U8_ARENAS; i++) {
        const size_t bytes = i == U8_PACKED      ? arena_bytes_needed(1, packed / UNIT_BYTES + 1)
                             : i == U8_WORKSPACE ? arena_bytes_needed(1, workspace / UNIT_BYTES + 1)
                             : i == U8_SCORES || i == U8_TOTALS || i == U8_TOTALS_B
                                 ? 2 * verify_case_arena_bytes(seed)
                                 : verify_case_arena_bytes(seed);
        good = arena_open(&b->arenas[i], bytes) && good;
    }
    const struct {
        void **buffer;
        size_t count, bytes;
    } buffers[] = {
        {(void **)&b->x_dense, x, sizeof *b->x_dense},
        {(void **)&b->x_rows, n, sizeof *b->x_rows},
        {(void **)&b->rows, x_rows, sizeof *b->rows},
        {(void **)&b->labels, n, sizeof *b->labels},
        {(void **)&b->w_dense, dc, sizeof *b->w_dense},
        {(void **)&b->b_dense, c, sizeof *b->b_dense},
        {(void **)&b->scale_dense, d, sizeof *b->scale_dense},
        {(void **)&b->mean_dense, d, sizeof *b->mean_dense},
        {(void **)&b->scores_dense, nc, sizeof *b->scores_dense},
        {(void **)&b->dscores_dense, nc, sizeof *b->dscores_dense},
        {(void **)&b->sums_dense, dc, sizeof *b->sums_dense},
        {(void **)&b->sums_b_dense, c, sizeof *b->sums_b_dense},
        {(void **)&b->want_w, dc, sizeof *b->want_w},
        {(void **)&b->want_b, c, sizeof *b->want_b},
        {(void **)&b->want_scores, nc, sizeof *b->want_scores},
        {(void **)&b->want_dscores, nc, sizeof *b->want_dscores},
        {(void **)&b->want_sums, dc, sizeof *b->want_sums},
        {(void **)&b->want_sums_b, c, sizeof *b->want_sums_b},
        {(void **)&b->quantised.q, dc, sizeof *b->quantised.q},
        {(void **)&b->quantised.quantum, c, sizeof *b->quantised.quantum},
        {(void **)&b->quantised.offset, c, sizeof *b->quantised.offset},
    };
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++)
        good = (*buffers[i].buffer = calloc(buffers[i].count, buffers[i].bytes)) != NULL && good;
    if (!good)
        workbench_u8_close(b);
    return good;
}

void workbench_u8_close(workbench_u8 *b)
{
    for (size_t i = 0; i < U8_ARENAS; i++)
        arena_close(&b->arenas[i]);
    void *const buffers[] = {
        b->x_dense,         b->x_rows,       b->rows,        b->labels,       b->w_dense,
        b->b_dense,         b->scale_dense,  b->mean_dense,  b->scores_dense, b->dscores_dense,
        b->sums_dense,      b->sums_b_dense, b->want_w,      b->want_b,       b->want_scores,
        b->want_sums,       b->want_dscores, b->want_sums_b, b->quantised.q,  b->quantised.quantum,
        b->quantised.offset};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++)
        free(buffers[i]);
}

/* ---- inputs ---- */

/* Draws bytes: all 0, all 255, or uniform. */
static void draw_bytes(rng *r, uint8_t *bytes, size_t count)
{
    const uint64_t kind = rng_below(r, 8);
    for (size_t i = 0; i < count; i++)
        bytes[i] = kind == 0 ? 0 : kind == 1 ? UINT8_MAX : (uint8_t)rng_below(r, UINT8_MAX + 1);
}

/* Draws the weights of one class, of one of six kinds. */
static void draw_weights(rng *r, float *w, size_t d, enum numbers numbers)
{
    enum { LARGEST, HALF_WAY, SMALL, ZERO, NOT_FINITE, ORDINARY };
    const uint64_t kind = rng_below(r, 12);
    const float scale = ldexpf(1.0f, (int)rng_below(r, 21) - 10);
    for (size_t k = 0; k < d; k++)
        switch (kind) {
        case LARGEST: /* |q| = 32639 for all, with one sign */
            w[k] = 32639.0f * scale;
            break;
        case HALF_WAY: /* between two integers; the first, largest weight fixes the quantum */
            w[k] = k == 0 ? 32639.0f : (float)rng_between(r, -32000, 32000) + 0.5f;
            break;
        case SMALL: /* the quantum is minimal, or the numbers are subnormal */
            w[k] = rng_unit(r) * 0x1p-112f;
            break;
        case ZERO: /* of both signs */
            w[k] = k % 2 ? -0.0f : 0.0f;
            break;
        default:
            w[k] = ldexpf(rng_unit(r), -(int)rng_below(r, 7)) * scale;
        }
    static const float specials[] = {NAN, INFINITY, -INFINITY};
    if (kind == NOT_FINITE && numbers >= NUMBERS_WIDE)
        w[rng_below(r, d)] = specials[rng_below(r, 3)];
}

static void draw_data(workbench_u8 *b, const verify_case *v, rng *r)
{
    draw_bytes(r, b->x_dense, v->x_rows * v->d);
    for (size_t i = 0; i < v->x_rows; i++) {
        memcpy((uint8_t *)b->x.data + i * v->ldx, b->x_dense + i * v->d, v->d);
        ((int32_t *)b->y.data)[i] = (int32_t)rng_below(r, v->c);
    }
    for (size_t i = v->n; i < v->n + v->n_next; i++)
        b->rows[i] = (size_t)rng_below(r, v->x_rows);
    for (size_t i = 0; i < v->n; i++) {
        b->rows[i] = v->scattered ? (size_t)rng_below(r, v->x_rows) : i;
        b->x_rows[i] = b->x_dense + b->rows[i] * v->d;
        b->labels[i] = ((const int32_t *)b->y.data)[b->rows[i]];
    }
    for (size_t j = 0; j < v->c; j++) {
        draw_weights(r, b->w_dense + j * v->d, v->d, v->numbers);
        b->b_dense[j] = ldexpf(rng_unit(r), (int)rng_below(r, 60) - 30);
    }
    for (size_t k = 0; k < v->d; k++) {
        b->mean_dense[k] = (uint16_t)rng_below(r, UINT8_MAX * 256 + 1);
        b->scale_dense[k] = (float)rng_below(r, 1000) * 1e-4f;
    }
}

/* Moves the score of the label so that the loss of softmax is half way between two multiples of its
 * unit, where any error of the sum of the exponentials or of its logarithm shows. */
static void put_loss_half_way(size_t c, size_t label, double *s, rng *r)
{
    const double loss = 40.0 + ((double)rng_below(r, 1 << 20) + 0.5) * DOWNHILL_LOSS_UNIT;
    double max;
    s[label] = -(double)INFINITY;
    const double others = reference_log_sum_u8(c, s, &max); /* the label will add nothing to it */
    s[label] = max - (loss - others);
}

/* Draws scores for the loss, some at the kink, some far away. */
static void draw_scores(workbench_u8 *b, const verify_case *v, rng *r)
{
    const size_t n = v->n, c = v->c;
    /* The wide range has exponentials that are near the last bit of their sum. */
    const double range = rng_below(r, 2) != 0 ? 3.0 : 13.5;
    for (size_t i = 0; i < n * c; i++)
        b->scores_dense[i] = v->numbers == NUMBERS_EXACT ? (double)rng_between(r, -9, 9)
                             : v->numbers == NUMBERS_REAL
                                 ? (double)rng_unit(r) * range
                                 : ldexp((double)rng_unit(r), (int)rng_below(r, 40) - 20);
    if (v->numbers <= NUMBERS_REAL && c > 1 && rng_below(r, 2) != 0)
        for (size_t i = rng_below(r, 2); i < n; i += 2)
            put_loss_half_way(c, (size_t)((const int32_t *)b->y.data)[i], b->scores_dense + i * c,
                              r);
    static const double specials[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    if (v->numbers >= NUMBERS_WIDE && rng_below(r, 4) == 0)
        b->scores_dense[rng_below(r, n * c)] = specials[rng_below(r, 3)];
}

/* Draws dscores for the gradient: as large as 16 bits or the sums allow, bytes, or like those of the
 * hinge loss or of softmax. */
static void draw_dscores(workbench_u8 *b, const verify_case *v, rng *r)
{
    enum { MAX, BYTES, HINGE, HINGE_TOO, SOFTMAX, SOFTMAX_TOO, KINDS };
    enum { N_SAFE = 256 };
    const uint64_t kind = rng_below(r, KINDS);
    const int n = (int)v->n, of_n = DOWNHILL_U8_NC_MAX / n;
    const int softmax = of_n < DOWNHILL_SOFTMAX_ONE ? of_n : DOWNHILL_SOFTMAX_ONE;
    const int max = kind >= SOFTMAX              ? softmax
                    : kind == MAX && n <= N_SAFE ? INT16_MAX
                    : kind == BYTES              ? 128
                                                 : 1;
    for (size_t i = 0; i < v->n * v->c; i++)
        b->dscores_dense[i] = (int16_t)rng_between(r, max == INT16_MAX ? INT16_MIN : -max, max);
    if (kind == MAX && n <= N_SAFE && rng_below(r, 4) == 0) /* the largest sums */
        for (size_t i = 0; i < v->n; i++)
            b->dscores_dense[i * v->c] = INT16_MIN;
    for (size_t i = 0; (kind == HINGE || kind == HINGE_TOO) && i < v->n; i++) /* minus a count */
        b->dscores_dense[i * v->c + (size_t)b->labels[i]] = (int16_t)-rng_between(r, 0, (int)v->c);
}

/* Draws a gradient, to be added to or to update the weights by. */
static void draw_sums(workbench_u8 *b, const verify_case *v, bool beyond_32_bits, rng *r)
{
    enum { FACTOR = 65537 };
    const bool large = rng_below(r, 4) == 0; /* more than an f32 represents exactly */
    const int64_t dw_max = large ? INT32_MAX : 1000000;
    const int64_t db_max = large ? DOWNHILL_U8_NC_MAX : 1000;
    const int64_t factor = large && beyond_32_bits ? FACTOR : 1;
    for (size_t i = 0; i < v->c * v->d; i++)
        b->sums_dense[i] = factor * rng_between(r, -dw_max, dw_max);
    for (size_t j = 0; j < v->c; j++)
        b->sums_b_dense[j] = factor * rng_between(r, -db_max, db_max);
}

static const uint16_t *mean_of(const workbench_u8 *b, const verify_case *v)
{
    return v->accumulate ? b->mean_dense : NULL;
}

static const float *scale_of(const workbench_u8 *b, const verify_case *v)
{
    return v->in_place ? b->scale_dense : NULL;
}

/* Computes want_w and want_b from these sums, and the scores of the new weights. */
static void want_update(workbench_u8 *b, const verify_case *v, const int64_t *sums,
                        const int64_t *sums_b)
{
    const bool softmax = b->sgd.loss.kind == DOWNHILL_SOFTMAX;
    float *want_b = v->bias ? b->want_b : NULL;
    memcpy(b->want_w, b->w_dense, v->c * v->d * sizeof *b->want_w);
    memcpy(b->want_b, b->b_dense, v->c * sizeof *b->want_b);
    reference_update_u8(v->d, v->c, b->want_w, want_b, sums, sums_b, mean_of(b, v), scale_of(b, v),
                        v->decay, softmax ? v->step / DOWNHILL_SOFTMAX_ONE : v->step);
    reference_quantise(v->d, v->c, b->want_w, want_b, mean_of(b, v), &b->quantised);
    reference_score_u8(v->n, v->d, v->c, b->x_rows, &b->quantised, b->want_scores);
}

/* Computes the expected results of a step with the loss of b->sgd. */
static void want_step(workbench_u8 *b, const verify_case *v)
{
    const size_t d = v->d, c = v->c;
    reference_quantise(d, c, b->w_dense, v->bias ? b->b_dense : NULL, mean_of(b, v), &b->quantised);
    reference_score_u8(v->n, d, c, b->x_rows, &b->quantised, b->want_scores);
    if (b->sgd.loss.kind == DOWNHILL_SOFTMAX)
        b->want_loss = reference_softmax_u8(v->n, c, b->want_scores, b->labels, b->want_dscores);
    else
        b->want_loss = reference_hinge_u8(v->n, c, b->want_scores, b->labels,
                                          (double)v->sgd.loss.margin, b->want_dscores);
    reference_grad_u8(v->n, d, c, b->x_rows, b->want_dscores, b->want_sums, b->want_sums_b);
    want_update(b, v, b->want_sums, b->want_sums_b);
}

void workbench_u8_prepare(workbench_u8 *b, const verify_case *v, verify_kernel kernel)
{
    const enum verify_kind kind = verify_kernels[kernel].kind;
    const bool is_step = kind == KIND_STEP_HINGE || kind == KIND_STEP_SOFTMAX;
    rng r = v->random;
    b->x = arena_place_of(1, &b->arenas[U8_X], v->x_rows, v->d, v->ldx, v->placement, v->offset);
    b->y = arena_place(&b->arenas[U8_Y], 1, v->x_rows, v->x_rows, v->placement, v->offset + 3);
    draw_data(b, v, &r);
    draw_scores(b, v, &r);
    draw_dscores(b, v, &r);
    b->sgd = v->sgd;
    if (kind == KIND_STEP_SOFTMAX || (kind == KIND_UPDATE && rng_below(&r, 2) != 0))
        b->sgd.loss.kind = DOWNHILL_SOFTMAX;
    b->in_f64 =
        rng_below(&r, 2) != 0 || (kind == KIND_STEP_SOFTMAX && v->n > DOWNHILL_U8_SOFTMAX_N_MAX);
    draw_sums(b, v, kind == KIND_UPDATE && b->in_f64, &r);
    arena_forbid_writes(&b->arenas[U8_X], &b->x);
    arena_forbid_writes(&b->arenas[U8_Y], &b->y);
    const size_t d = v->d, c = v->c;
    const bool start_from_0 = is_step || !v->accumulate;
    for (size_t i = 0; i < c * d; i++)
        b->want_sums[i] = start_from_0 ? 0 : b->sums_dense[i];
    for (size_t j = 0; j < c; j++)
        b->want_sums_b[j] = start_from_0 ? 0 : b->sums_b_dense[j];
    switch (kind) {
    case KIND_SCORE:
        reference_quantise(d, c, b->w_dense, v->bias ? b->b_dense : NULL, mean_of(b, v),
                           &b->quantised);
        reference_score_u8(v->n, d, c, b->x_rows, &b->quantised, b->want_scores);
        break;
    case KIND_HINGE:
        b->want_loss = reference_hinge_u8(v->n, c, b->scores_dense, b->y.data,
                                          (double)v->sgd.loss.margin, b->want_dscores);
        break;
    case KIND_SOFTMAX:
        b->want_loss = reference_softmax_u8(v->n, c, b->scores_dense, b->y.data, b->want_dscores);
        b->want_is_near = reference_softmax_u8_is_near(v->n, c, b->scores_dense, b->y.data,
                                                       b->want_dscores, b->want_loss);
        break;
    case KIND_GRAD:
        reference_grad_u8(v->n, d, c, b->x_rows, b->dscores_dense, b->want_sums, b->want_sums_b);
        break;
    case KIND_UPDATE:
        want_update(b, v, b->sums_dense, b->sums_b_dense);
        break;
    case KIND_STEP_HINGE:
    case KIND_STEP_SOFTMAX:
        want_step(b, v);
        break;
    }
}
