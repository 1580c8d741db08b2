/* SPDX-License-Identifier: MIT
 *
 * Runs the operations on bytes and compares every output with the reference. */
#include "machine_state.h"
#include "workbench_u8.h"

#include "isa/kernels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct check {
    workbench_u8 *b;
    const verify_case *v;
    const downhill_kernels *kernels;
    downhill_batch_u8 batch;
    downhill_weights_f32 weights;
    downhill_gradient_u8 sums;
    downhill_gradient_f64 totals; /* the gradient of cases in f64 */
    downhill_packed_u8 *packed;
    size_t packed_bytes;
    downhill_workspace workspace;
    machine_state before;
    char *failure;
    size_t failure_size;
};

/* Checks the status of a call. The machine state is read first, before anything else can change
 * it. */
static bool call_ok(const struct check *k, downhill_status status)
{
    const machine_state after = machine_state_now();
    const char *difference = machine_state_difference(k->before, after);
    if (status == DOWNHILL_OK && difference == NULL)
        return true;
    snprintf(k->failure, k->failure_size, "%s",
             status == DOWNHILL_OK ? difference : downhill_status_text(status));
    return false;
}

/* Returns whether the bits are equal, or both are NaN. */
static bool equal_f64(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

/* From 2³³ on the loss depends on the order of the sum. */
static bool same_loss(const struct check *k, double got)
{
    const double want = k->b->want_loss, terms = (double)(k->v->n * k->v->c);
    if (equal_f64(got, want) || (want >= 0x1p33 && fabs(got - want) <= terms * 0x1p-53 * want))
        return true;
    snprintf(k->failure, k->failure_size, "loss is %a, should be %a", got, want);
    return false;
}

/* Returns an element of a matrix as a double, which is exact for all types used here. */
static double number_at(const guarded *g, const void *row, size_t j)
{
    switch (g->element_bytes) {
    case sizeof(double):
        return ((const double *)row)[j];
    case sizeof(int16_t):
        return ((const int16_t *)row)[j];
    default:
        return ((const int32_t *)row)[j];
    }
}

static bool same_matrix(const struct check *k, const char *name, const guarded *g, const void *want)
{
    for (size_t i = 0; i < g->rows; i++) {
        const char *row = (const char *)g->data + i * g->ld * g->element_bytes;
        const char *want_row = (const char *)want + i * g->columns * g->element_bytes;
        if (memcmp(row, want_row, g->columns * g->element_bytes) == 0)
            continue;
        for (size_t j = 0; j < g->columns; j++) {
            const double got = number_at(g, row, j), wanted = number_at(g, want_row, j);
            if (equal_f64(got, wanted))
                continue;
            snprintf(k->failure, k->failure_size, "%s[%zu][%zu] is %.17g, should be %.17g", name, i,
                     j, got, wanted);
            return false;
        }
    }
    return true;
}

/* Sets a matrix of 32-bit integers or f64. */
static void fill_sums(const guarded *g, const int64_t *dense)
{
    for (size_t i = 0; i < g->rows; i++)
        for (size_t j = 0; j < g->columns; j++)
            if (g->element_bytes == sizeof(double))
                ((double *)g->data)[i * g->ld + j] = (double)dense[i * g->columns + j];
            else
                ((int32_t *)g->data)[i * g->ld + j] = (int32_t)dense[i * g->columns + j];
}

/* Compares sums in f64, or in 32 bits modulo 2³². */
static bool same_sums(const struct check *k, const char *name, const guarded *g,
                      const int64_t *want)
{
    for (size_t i = 0; i < g->rows; i++)
        for (size_t j = 0; j < g->columns; j++) {
            const int64_t exact = want[i * g->columns + j];
            const char *row = (const char *)g->data + i * g->ld * g->element_bytes;
            const double got = number_at(g, row, j);
            const double wanted = g->element_bytes == sizeof(double)
                                      ? (double)exact
                                      : (double)(int32_t)(uint32_t)exact;
            if (equal_f64(got, wanted))
                continue;
            snprintf(k->failure, k->failure_size, "%s[%zu][%zu] is %.17g, should be %.17g", name, i,
                     j, got, wanted);
            return false;
        }
    return true;
}

static bool same_floats(const struct check *k, const char *name, const guarded *g,
                        const float *want)
{
    for (size_t i = 0; i < g->rows; i++)
        for (size_t j = 0; j < g->columns; j++) {
            const float got = ((const float *)g->data)[i * g->ld + j];
            const float wanted = want[i * g->columns + j];
            if (memcmp(&got, &wanted, sizeof got) == 0 || (isnan(got) && isnan(wanted)))
                continue;
            snprintf(k->failure, k->failure_size, "%s[%zu][%zu] is %a, should be %a", name, i, j,
                     (double)got, (double)wanted);
            return false;
        }
    return true;
}

static bool pack(const struct check *k)
{
    const downhill_norm_u8 norm = {k->v->accumulate ? k->b->mean.data : NULL,
                                   k->v->in_place ? k->b->scale.data : NULL};
    return call_ok(k, downhill_pack_u8(k->kernels, &k->weights, &norm, k->packed, k->packed_bytes));
}

static downhill_matrix_f64 scores_of(const struct check *k)
{
    const guarded *g = &k->b->scores;
    return (downhill_matrix_f64){g->data, g->ld, g->rows, g->columns};
}

static downhill_matrix_i16 dscores_of(const struct check *k)
{
    const guarded *g = &k->b->dscores;
    return (downhill_matrix_i16){g->data, g->ld, g->rows, g->columns};
}

static bool check_score(const struct check *k)
{
    const downhill_matrix_f64 scores = scores_of(k);
    return call_ok(k, downhill_score_u8(k->kernels, &k->batch, k->packed, &scores)) &&
           same_matrix(k, "scores", &k->b->scores, k->b->want_scores);
}

static bool check_hinge(const struct check *k)
{
    const downhill_matrix_f64 scores = scores_of(k);
    const downhill_matrix_i16 dscores = dscores_of(k);
    double loss = 0.0;
    guarded_fill(&k->b->scores, k->b->scores_dense);
    return call_ok(k, downhill_hinge_u8(k->kernels, &scores, k->b->y.data, k->v->sgd.loss.margin,
                                        &dscores, &loss)) &&
           same_loss(k, loss) && same_matrix(k, "dscores", &k->b->dscores, k->b->want_dscores) &&
           same_matrix(k, "input scores", &k->b->scores, k->b->scores_dense);
}

static bool check_softmax(const struct check *k)
{
    const downhill_matrix_f64 scores = scores_of(k);
    const downhill_matrix_i16 dscores = dscores_of(k);
    double loss = 0.0;
    guarded_fill(&k->b->scores, k->b->scores_dense);
    if (!call_ok(k, downhill_softmax_u8(k->kernels, &scores, k->b->y.data, &dscores, &loss)) ||
        !same_loss(k, loss) || !same_matrix(k, "dscores", &k->b->dscores, k->b->want_dscores) ||
        !same_matrix(k, "input scores", &k->b->scores, k->b->scores_dense))
        return false;
    if (!k->b->want_is_near)
        snprintf(k->failure, k->failure_size, "the right bits are not within the error bounds");
    return k->b->want_is_near;
}

static bool check_sums(const struct check *k)
{
    const bool in_f64 = k->b->in_f64;
    return same_sums(k, "dw", in_f64 ? &k->b->totals : &k->b->sums, k->b->want_sums) &&
           same_sums(k, "db", in_f64 ? &k->b->totals_b : &k->b->sums_b, k->b->want_sums_b);
}

static bool check_grad_of(const struct check *k, const downhill_kernels *kernels)
{
    const downhill_matrix_i16 dscores = dscores_of(k);
    guarded_fill(&k->b->dscores, k->b->dscores_dense);
    fill_sums(&k->b->sums, k->b->sums_dense);
    fill_sums(&k->b->sums_b, k->b->sums_b_dense);
    return call_ok(k, downhill_grad_u8(kernels, &k->batch, &dscores, k->v->accumulate, &k->sums)) &&
           same_sums(k, "dw", &k->b->sums, k->b->want_sums) &&
           same_sums(k, "db", &k->b->sums_b, k->b->want_sums_b) &&
           same_matrix(k, "input dscores", &k->b->dscores, k->b->dscores_dense);
}

/* Checks the gradient, and once more with the two kernels exchanged: each is right for all dscores. */
static bool check_grad(const struct check *k)
{
    downhill_kernels exchanged = *k->kernels;
    struct downhill_u8_kernels u8 = *exchanged.u8;
    u8.grad = exchanged.u8->grad_wide;
    u8.grad_wide = exchanged.u8->grad;
    exchanged.u8 = &u8;
    return check_grad_of(k, k->kernels) && check_grad_of(k, &exchanged);
}

/* Checks the weights, and the packed weights by their scores. */
static bool check_updated(const struct check *k)
{
    return same_floats(k, "w", &k->b->w, k->b->want_w) &&
           (!k->v->bias || same_floats(k, "b", &k->b->b, k->b->want_b)) && check_score(k);
}

/* Updates the weights by the gradient in 32 bits or in f64. */
static bool update(const struct check *k)
{
    const downhill_sgd *sgd = &k->b->sgd;
    return call_ok(k, k->b->in_f64 ? downhill_update_u8_f64(k->kernels, &k->weights, k->packed,
                                                            &k->totals, k->v->n, sgd)
                                   : downhill_update_u8(k->kernels, &k->weights, k->packed,
                                                        &k->sums, k->v->n, sgd));
}

static bool check_update(const struct check *k)
{
    return update(k) &&
           same_sums(k, "input dw", k->b->in_f64 ? &k->b->totals : &k->b->sums, k->b->sums_dense) &&
           check_updated(k);
}

/* Checks the step, as one call or as its two halves. */
static bool check_step(const struct check *k)
{
    downhill_profile profile = {0};
    downhill_profile *timed = k->v->accumulate ? &profile : NULL;
    double loss = 0.0;
    if (k->v->in_place)
        return call_ok(k, downhill_step_u8(k->kernels, &k->batch, &k->weights, k->packed,
                                           &k->b->sgd, &loss, &k->workspace, timed)) &&
               same_loss(k, loss) && check_updated(k);
    return call_ok(k,
                   k->b->in_f64
                       ? downhill_loss_grad_u8_f64(k->kernels, &k->batch, k->packed, k->b->sgd.loss,
                                                   &k->totals, &loss, &k->workspace, timed)
                       : downhill_loss_grad_u8(k->kernels, &k->batch, k->packed, k->b->sgd.loss,
                                               &k->sums, &loss, &k->workspace, timed)) &&
           same_loss(k, loss) && check_sums(k) &&
           same_floats(k, "input w", &k->b->w, k->b->w_dense) && update(k) && check_updated(k);
}

/* Places fresh buffers, so that nothing remains of the previous level. */
static void place_all(workbench_u8 *b, const verify_case *v)
{
    const enum placement at = v->placement;
    const size_t o = v->offset, n = v->n, d = v->d, c = v->c;
    b->w = arena_place(&b->arenas[U8_W], c, d, v->ldw, at, o + 5);
    b->b = arena_place(&b->arenas[U8_B], 1, c, c, at, o + 1);
    b->mean = arena_place_of(sizeof(uint16_t), &b->arenas[U8_MEAN], 1, d, d, at, o + 2);
    b->scale = arena_place(&b->arenas[U8_SCALE], 1, d, d, at, o + 4);
    b->scores = arena_place_of(sizeof(double), &b->arenas[U8_SCORES], n, c, v->lds, at, o + 7);
    b->dscores = arena_place_of(sizeof(int16_t), &b->arenas[U8_DSCORES], n, c, v->ldds, at, o + 9);
    b->sums = arena_place(&b->arenas[U8_SUMS], c, d, v->lddw, at, o + 11);
    b->sums_b = arena_place(&b->arenas[U8_SUMS_B], 1, c, c, at, o + 13);
    b->totals = arena_place_of(sizeof(double), &b->arenas[U8_TOTALS], c, d, v->lddw, at, o + 8);
    b->totals_b = arena_place_of(sizeof(double), &b->arenas[U8_TOTALS_B], 1, c, c, at, o + 10);
    const size_t packed = downhill_packed_u8_bytes(d, c),
                 workspace = downhill_workspace_u8_bytes(d, c);
    /* These two may start at any byte. */
    b->packed = arena_place_of(1, &b->arenas[U8_PACKED], 1, packed, packed, at, o + 6);
    b->workspace = arena_place_of(1, &b->arenas[U8_WORKSPACE], 1, workspace, workspace, at, o + 15);
    guarded_fill(&b->w, b->w_dense);
    guarded_fill(&b->b, b->b_dense);
    guarded_fill(&b->mean, b->mean_dense);
    guarded_fill(&b->scale, b->scale_dense);
    if (b->in_f64) {
        fill_sums(&b->totals, b->sums_dense);
        fill_sums(&b->totals_b, b->sums_b_dense);
    } else {
        fill_sums(&b->sums, b->sums_dense);
        fill_sums(&b->sums_b, b->sums_b_dense);
    }
}

static bool all_intact(const struct check *k)
{
    const workbench_u8 *b = k->b;
    const struct {
        const guarded *g;
        const char *name;
    } buffers[] = {{&b->x, "x"},           {&b->y, "y"},
                   {&b->w, "w"},           {&b->b, "b"},
                   {&b->mean, "mean"},     {&b->scale, "scale"},
                   {&b->scores, "scores"}, {&b->dscores, "dscores"},
                   {&b->sums, "dw"},       {&b->sums_b, "db"},
                   {&b->totals, "dw"},     {&b->totals_b, "db"},
                   {&b->packed, "packed"}, {&b->workspace, "the workspace"}};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++)
        if (!guarded_intact(buffers[i].g)) {
            snprintf(k->failure, k->failure_size, "wrote outside %s or into its padding",
                     buffers[i].name);
            return false;
        }
    return true;
}

/* Only the rows of the batch are read, so the matrix may be declared larger than it is. */
enum { FAR_ROWS = 1 << 25 };

bool workbench_u8_check(workbench_u8 *b, const verify_case *v, verify_kernel kernel,
                        const downhill_kernels *kernels, char *failure, size_t failure_size)
{
    const enum verify_kind kind = verify_kernels[kernel].kind;
    place_all(b, v);
    /* The other operations must not read the labels. */
    const bool labelled = kind == KIND_STEP_HINGE || kind == KIND_STEP_SOFTMAX;
    const struct check k = {
        .b = b,
        .v = v,
        .kernels = kernels,
        .batch = {b->x.data, v->ldx, v->far ? FAR_ROWS : v->x_rows,
                  labelled ? b->y.data : VERIFY_NO_LABELS, v->scattered ? b->rows : NULL, v->n,
                  v->n_next},
        .weights = {b->w.data, v->ldw, v->bias ? b->b.data : NULL, v->d, v->c},
        .sums = {b->sums.data, v->lddw, b->sums_b.data, v->d, v->c},
        .totals = {b->totals.data, v->lddw, b->totals_b.data, v->d, v->c},
        .packed = b->packed.data,
        .packed_bytes = b->packed.columns,
        .workspace = {b->workspace.data, b->workspace.columns},
        .before = machine_state_now(),
        .failure = failure,
        .failure_size = failure_size,
    };
    bool good = pack(&k);
    switch (kind) {
    case KIND_SCORE:
        good = good && check_score(&k) && same_floats(&k, "input w", &b->w, b->w_dense);
        break;
    case KIND_HINGE:
        good = good && check_hinge(&k);
        break;
    case KIND_SOFTMAX:
        good = good && check_softmax(&k);
        break;
    case KIND_GRAD:
        good = good && check_grad(&k);
        break;
    case KIND_UPDATE:
        good = good && check_update(&k);
        break;
    case KIND_STEP_HINGE:
    case KIND_STEP_SOFTMAX:
        good = good && check_step(&k);
        break;
    }
    return good && all_intact(&k);
}
