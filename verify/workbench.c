/* SPDX-License-Identifier: MIT */
#include "workbench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

static arena *arena_number(workbench *b, size_t i)
{
    arena *const arenas[] = {&b->x_arena,      &b->w_arena,       &b->b_arena,  &b->y_arena,
                             &b->scores_arena, &b->dscores_arena, &b->dw_arena, &b->db_arena};
    return i < sizeof arenas / sizeof arenas[0] ? arenas[i] : NULL;
}

bool workbench_open(workbench *b, uint64_t seed)
{
    memset(b, 0, sizeof *b);
    size_t n = 0, x_rows = 0, x = 0, c = 0, nc = 0, dc = 0, workspace = 0;
    for (size_t i = 0; i < verify_case_count(); i++) {
        const verify_case v = verify_case_at(seed, i);
        n = v.n > n ? v.n : n;
        x_rows = v.x_rows > x_rows ? v.x_rows : x_rows;
        x = v.x_rows * v.d > x ? v.x_rows * v.d : x;
        c = v.c > c ? v.c : c;
        nc = v.n * v.c > nc ? v.n * v.c : nc;
        dc = v.d * v.c > dc ? v.d * v.c : dc;
        const size_t bytes = downhill_workspace_f32_bytes(v.d, v.c);
        workspace = bytes > workspace ? bytes : workspace;
    }
    bool good = true;
    for (size_t i = 0; arena_number(b, i) != NULL; i++)
        good = arena_open(arena_number(b, i), verify_case_arena_bytes(seed)) && good;
    good = arena_open(&b->workspace_arena, arena_bytes_needed(1, workspace / UNIT_BYTES)) && good;
    b->x_dense = calloc(x, sizeof *b->x_dense);
    b->w_dense = calloc(dc, sizeof *b->w_dense);
    b->b_dense = calloc(c, sizeof *b->b_dense);
    b->scores_dense = calloc(nc, sizeof *b->scores_dense);
    b->dw_dense = calloc(dc, sizeof *b->dw_dense);
    b->db_dense = calloc(c, sizeof *b->db_dense);
    b->x_rows = calloc(n, sizeof *b->x_rows);
    b->rows = calloc(x_rows, sizeof *b->rows);
    b->labels = calloc(n, sizeof *b->labels);
    b->want_scores = calloc(nc, sizeof *b->want_scores);
    b->want_dscores = calloc(nc, sizeof *b->want_dscores);
    b->want_dw = calloc(dc, sizeof *b->want_dw);
    b->want_db = calloc(c, sizeof *b->want_db);
    good = good && b->x_dense && b->w_dense && b->b_dense && b->scores_dense && b->dw_dense &&
           b->db_dense && b->x_rows && b->rows && b->labels && b->want_scores && b->want_dscores &&
           b->want_dw && b->want_db;
    if (!good)
        workbench_close(b);
    return good;
}

void workbench_close(workbench *b)
{
    for (size_t i = 0; arena_number(b, i) != NULL; i++)
        arena_close(arena_number(b, i));
    arena_close(&b->workspace_arena);
    free(b->x_dense);
    free(b->w_dense);
    free(b->b_dense);
    free(b->scores_dense);
    free(b->dw_dense);
    free(b->db_dense);
    free(b->x_rows);
    free(b->rows);
    free(b->labels);
    free(b->want_scores);
    free(b->want_dscores);
    free(b->want_dw);
    free(b->want_db);
}

/* ---- inputs ---- */

/* Draws a real of mixed magnitude: uniform times 2^-7 … 2^0. Half of the time of a run is spent on
 * drawing, so this function and draw_integer() use one random number and no division. */
static float draw_real(rng *r, float scale)
{
    enum { EXPONENT_MASK = 7 };
    const uint64_t bits = rng_u64(r);
    const float unit = (float)((int64_t)(bits >> 39) - (1 << 24)) * 0x1p-24f;
    return unit / (float)(1u << (bits & EXPONENT_MASK)) * scale;
}

/* Draws an integer from -limit to limit, not exactly uniformly. */
static float draw_integer(rng *r, int limit)
{
    const uint64_t count = 2 * (uint64_t)limit + 1;
    return (float)((int64_t)((rng_u64(r) >> 32) * count >> 32) - limit);
}

static float draw(rng *r, enum numbers numbers, int limit, float scale)
{
    return numbers == NUMBERS_EXACT  ? draw_integer(r, limit)
           : numbers == NUMBERS_WIDE ? draw_real(r, 100.0f * scale)
                                     : draw_real(r, scale);
}

static void draw_dense(rng *r, float *values, size_t count, enum numbers numbers, int limit,
                       float scale)
{
    for (size_t i = 0; i < count; i++)
        values[i] = draw(r, numbers, limit, scale);
}

/* Rounds x_dense to bf16: fills x, and stores the rounded values in x_dense. */
static void fill_bf16(workbench *b)
{
    for (size_t i = 0; i < b->x.rows; i++) {
        uint16_t *row = (uint16_t *)b->x.data + i * b->x.ld;
        float *dense = b->x_dense + i * b->x.columns;
        downhill_bf16_from_f32(b->x.columns, dense, row);
        for (size_t k = 0; k < b->x.columns; k++) {
            const uint32_t bits = (uint32_t)row[k] << 16;
            memcpy(&dense[k], &bits, sizeof bits);
        }
    }
}

/* Replaces up to three values by NaN, infinities or zeros. */
static void insert_few_specials(rng *r, float *values, size_t count)
{
    static const float specials[] = {NAN, INFINITY, -INFINITY, -0.0f, 0.0f};
    for (uint64_t left = rng_below(r, 4); left > 0; left--)
        values[rng_below(r, count)] = specials[rng_below(r, sizeof specials / sizeof specials[0])];
}

static bool reads_x(enum verify_kind kind)
{
    return kind != KIND_HINGE && kind != KIND_SOFTMAX && kind != KIND_UPDATE;
}

static bool is_step(enum verify_kind kind)
{
    return kind == KIND_STEP_HINGE || kind == KIND_STEP_SOFTMAX;
}

static void draw_data(workbench *b, const verify_case *v, enum verify_kind kind, bool bf16, rng *r)
{
    /* Limits for exact sums: |Σ_k x w| + |b| < 2²³, so that the difference of two scores is
     * below 2²⁴. A feature in bf16 has at most 8 bits. */
    enum { W_LIMIT = 5, X_LIMIT = 511, X_LIMIT_BF16 = 255, B_LIMIT = 1000 };
    const size_t exact_max = ((1u << 23) - B_LIMIT) / W_LIMIT / v->d;
    const size_t type_max = bf16 ? X_LIMIT_BF16 : X_LIMIT;
    const int x_limit = (int)(exact_max < type_max ? exact_max : type_max);
    if (reads_x(kind))
        draw_dense(r, b->x_dense, v->x_rows * v->d, v->numbers, x_limit, 1.0f);
    const float w_scale = 4.0f / sqrtf((float)v->d);
    draw_dense(r, b->w_dense, v->c * v->d, v->numbers, W_LIMIT, w_scale);
    draw_dense(r, b->b_dense, v->c, v->numbers, B_LIMIT, 1.0f);
    if (v->numbers == NUMBERS_SPECIAL && reads_x(kind) && !(is_step(kind) && bf16)) {
        insert_few_specials(r, b->x_dense, v->x_rows * v->d);
        insert_few_specials(r, b->w_dense, v->c * v->d);
        insert_few_specials(r, b->b_dense, v->c);
    }
    if (bf16)
        fill_bf16(b);
    else
        guarded_fill(&b->x, b->x_dense);
    for (size_t i = 0; i < v->x_rows; i++)
        ((int32_t *)b->y.data)[i] = (int32_t)rng_below(r, v->c);
    for (size_t i = v->n; i < v->n + v->n_next; i++)
        b->rows[i] = (size_t)rng_below(r, v->x_rows);
    for (size_t i = 0; i < v->n; i++) {
        b->rows[i] = v->scattered ? (size_t)rng_below(r, v->x_rows) : i;
        b->x_rows[i] = b->x_dense + b->rows[i] * v->d;
        b->labels[i] = ((const int32_t *)b->y.data)[b->rows[i]];
    }
}

/* Draws the scores for a loss, or the dscores for a gradient. Integers near 0 often tie and hit the
 * kink. Every tenth row has equal scores. Small scores make the sums of softmax large. */
static void draw_scores(workbench *b, const verify_case *v, rng *r)
{
    for (size_t i = 0; i < v->n; i++) {
        float *row = b->scores_dense + i * v->c;
        draw_dense(r, row, v->c, v->numbers, 9, v->accumulate ? 100.0f : 1.0f);
        if (rng_below(r, 10) == 0)
            for (size_t j = 1; j < v->c; j++)
                row[j] = row[0];
    }
    if (v->numbers == NUMBERS_SPECIAL)
        insert_few_specials(r, b->scores_dense, v->n * v->c);
}

/* Replaces many values by special numbers: an update is elementwise and exact for all of them. */
static void insert_many_specials(rng *r, float *values, size_t count)
{
    static const float specials[] = {NAN,         INFINITY,  -INFINITY, -0.0f,   0x1p-149f,
                                     0x1.8p-127f, 0x1p-126f, 3e38f,     -3.4e38f};
    for (size_t i = 0; i < count; i += 1 + (size_t)rng_below(r, 8))
        values[i] = specials[rng_below(r, sizeof specials / sizeof specials[0])];
}

static void set_exact(bounded *values, const float *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (bounded){(double)from[i], 0.0};
}

static void clear_bounds(bounded *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i].bound = 0.0;
}

/* Drops the samples without a violated margin. A step leaves them out of the gradient, so that
 * their infinities cause no NaN. Returns the number of samples left. */
static size_t drop_satisfied(workbench *b, const verify_case *v)
{
    size_t kept = 0;
    for (size_t i = 0; i < v->n; i++) {
        const bounded *row = b->want_dscores + i * v->c, *label = &row[b->labels[i]];
        if (label->value == 0.0 && label->bound == 0.0)
            continue;
        b->x_rows[kept] = b->x_rows[i];
        memmove(b->want_dscores + kept++ * v->c, row, v->c * sizeof *row);
    }
    return kept;
}

static void prepare_step(workbench *b, const verify_case *v, enum verify_kind kind)
{
    const bool exact = v->numbers == NUMBERS_EXACT;
    reference_score(v->n, v->d, v->c, b->x_rows, b->w_dense, v->d, v->bias ? b->b_dense : NULL,
                    b->want_scores);
    if (exact)
        clear_bounds(b->want_scores, v->n * v->c);
    b->want_loss = kind == KIND_STEP_HINGE
                       ? reference_hinge(v->n, v->c, b->want_scores, b->labels,
                                         (double)v->sgd.loss.margin, b->want_dscores)
                       : reference_softmax(v->n, v->c, b->want_scores, b->labels, b->want_dscores);
    const size_t n = kind == KIND_STEP_HINGE ? drop_satisfied(b, v) : v->n;
    reference_grad(n, v->d, v->c, b->x_rows, b->want_dscores, NULL, 0, NULL, b->want_dw,
                   b->want_db);
    if (exact && kind == KIND_STEP_HINGE) {
        clear_bounds(b->want_dw, v->c * v->d);
        clear_bounds(b->want_db, v->c);
    }
}

void workbench_prepare(workbench *b, const verify_case *v, verify_kernel kernel)
{
    const bool bf16 = verify_kernels[kernel].element == ELEMENT_BF16;
    const enum verify_kind kind = verify_kernels[kernel].kind;
    const bool exact = v->numbers == NUMBERS_EXACT;
    rng r = v->random;
    b->x = arena_place_of(bf16 ? 2 : UNIT_BYTES, &b->x_arena, v->x_rows, v->d, v->ldx, v->placement,
                          v->offset);
    b->y = arena_place(&b->y_arena, 1, v->x_rows, v->x_rows, v->placement, v->offset + 3);
    draw_data(b, v, kind, bf16, &r);
    draw_scores(b, v, &r);
    draw_dense(&r, b->dw_dense, v->c * v->d, v->numbers, 1000, 1.0f);
    draw_dense(&r, b->db_dense, v->c, v->numbers, 1000, 1.0f);
    arena_forbid_writes(&b->x_arena, &b->x);
    arena_forbid_writes(&b->y_arena, &b->y);

    switch (kind) {
    case KIND_SCORE:
        reference_score(v->n, v->d, v->c, b->x_rows, b->w_dense, v->d, v->bias ? b->b_dense : NULL,
                        b->want_scores);
        if (exact)
            clear_bounds(b->want_scores, v->n * v->c);
        break;
    case KIND_HINGE:
    case KIND_SOFTMAX:
        set_exact(b->want_scores, b->scores_dense, v->n * v->c);
        b->want_loss = kind == KIND_HINGE
                           ? reference_hinge(v->n, v->c, b->want_scores, (const int32_t *)b->y.data,
                                             (double)v->sgd.loss.margin, b->want_dscores)
                           : reference_softmax(v->n, v->c, b->want_scores,
                                               (const int32_t *)b->y.data, b->want_dscores);
        if (exact && kind == KIND_HINGE)
            b->want_loss.bound = 0.0;
        break;
    case KIND_GRAD:
        set_exact(b->want_dscores, b->scores_dense, v->n * v->c);
        reference_grad(v->n, v->d, v->c, b->x_rows, b->want_dscores,
                       v->accumulate ? b->dw_dense : NULL, v->d, v->accumulate ? b->db_dense : NULL,
                       b->want_dw, b->want_db);
        if (exact) {
            clear_bounds(b->want_dw, v->c * v->d);
            clear_bounds(b->want_db, v->c);
        }
        break;
    case KIND_UPDATE: /* workbench_check() computes the definition, in f32 */
        if (v->numbers >= NUMBERS_WIDE) {
            insert_many_specials(&r, b->w_dense, v->c * v->d);
            insert_many_specials(&r, b->dw_dense, v->c * v->d);
        }
        break;
    case KIND_STEP_HINGE:
    case KIND_STEP_SOFTMAX:
        prepare_step(b, v, kind);
        break;
    }
}
