/* SPDX-License-Identifier: MIT
 *
 * Runs the operations on f32 and bf16 and compares every output with the reference. */
#include "workbench.h"

#include "isa/kernels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool fail(workbench *b, const char *complaint)
{
    snprintf(b->failure, sizeof b->failure, "%s", complaint);
    return false;
}

static bool same(workbench *b, const char *name, size_t i, size_t j, double got, bounded want)
{
    /* An exact 0 must be +0: a sum that starts from +0 never becomes -0. */
    const bool wrong_zero = want.value == 0.0 && want.bound == 0.0 && signbit(got);
    const bool good = isnan(want.value)   ? isnan(got)
                      : isinf(want.value) ? got == want.value || (b->nan_for_infinity && isnan(got))
                                          : fabs(got - want.value) <= want.bound && !wrong_zero;
    if (good)
        return true;
    snprintf(b->failure, sizeof b->failure, "%s[%zu][%zu] is %.9g, should be %.9g +- %.3g", name, i,
             j, got, want.value, want.bound);
    return false;
}

static bool same_matrix(workbench *b, const char *name, const guarded *g, const bounded *want)
{
    for (size_t i = 0; i < g->rows; i++)
        for (size_t j = 0; j < g->columns; j++)
            if (!same(b, name, i, j, (double)((const float *)g->data)[i * g->ld + j],
                      want[i * g->columns + j]))
                return false;
    return true;
}

/* Compares w with the update of `before` by the gradient in dw. The bits must be equal, except
 * that any NaN equals any other. */
static bool same_update(workbench *b, const char *name, const guarded *w, const float *before,
                        const guarded *dw, float decay, float step)
{
    for (size_t i = 0; i < w->rows; i++)
        for (size_t j = 0; j < w->columns; j++) {
            const float got = ((const float *)w->data)[i * w->ld + j];
            const float decayed = decay * before[i * w->columns + j];
            const float move = step * ((const float *)dw->data)[i * dw->ld + j];
            const float want = decayed - move;
            if (memcmp(&got, &want, sizeof got) != 0 && !(isnan(got) && isnan(want))) {
                snprintf(b->failure, sizeof b->failure, "%s[%zu][%zu] is %a, should be %a", name, i,
                         j, (double)got, (double)want);
                return false;
            }
        }
    return true;
}

/* Checks that a call did not write to an input. */
static bool unchanged(workbench *b, const char *complaint, const guarded *g, const float *dense)
{
    for (size_t i = 0; i < g->rows; i++)
        if (memcmp((const float *)g->data + i * g->ld, dense + i * g->columns,
                   g->columns * sizeof *dense) != 0)
            return fail(b, complaint);
    return true;
}

/* Checks the status of a call. The machine state is read first, before anything else can change
 * it. */
static bool call_ok(workbench *b, downhill_status status)
{
    b->after = machine_state_now();
    return status == DOWNHILL_OK || fail(b, downhill_status_text(status));
}

static bool all_intact(workbench *b)
{
    const struct {
        const guarded *g;
        const char *complaint;
    } buffers[] = {
        {&b->x, "wrote outside x or into its padding"},
        {&b->w, "wrote outside w or into its padding"},
        {&b->b, "wrote outside b"},
        {&b->y, "wrote outside y"},
        {&b->scores, "wrote outside scores or into their padding"},
        {&b->dscores, "wrote outside dscores or into their padding"},
        {&b->dw, "wrote outside dw or into its padding"},
        {&b->db, "wrote outside db"},
        {&b->workspace, "wrote outside the workspace"},
    };
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++)
        if (!guarded_intact(buffers[i].g))
            return fail(b, buffers[i].complaint);
    return true;
}

/* Places fresh buffers, so that nothing remains of the previous level. */
static void place_outputs(workbench *b, const verify_case *v)
{
    b->w = arena_place(&b->w_arena, v->c, v->d, v->ldw, v->placement, v->offset + 5);
    b->b = arena_place(&b->b_arena, 1, v->c, v->c, v->placement, v->offset + 1);
    b->scores = arena_place(&b->scores_arena, v->n, v->c, v->lds, v->placement, v->offset + 7);
    b->dscores = arena_place(&b->dscores_arena, v->n, v->c, v->ldds, v->placement, v->offset + 9);
    b->dw = arena_place(&b->dw_arena, v->c, v->d, v->lddw, v->placement, v->offset + 11);
    b->db = arena_place(&b->db_arena, 1, v->c, v->c, v->placement, v->offset + 13);
    guarded_fill(&b->w, b->w_dense);
    guarded_fill(&b->b, b->b_dense);
    const size_t bytes = downhill_workspace_f32_bytes(v->d, v->c);
    b->workspace = arena_place(&b->workspace_arena, 1, bytes / UNIT_BYTES, bytes / UNIT_BYTES,
                               v->placement, v->offset + 15);
    if (v->placement == PLACE_INSIDE) /* a workspace may start at any byte */
        b->workspace.data = (char *)b->workspace.data + v->number % UNIT_BYTES;
}

static downhill_matrix_f32 matrix(const guarded *g)
{
    return (downhill_matrix_f32){g->data, g->ld, g->rows, g->columns};
}

static bool check_loss(workbench *b, const verify_case *v, enum verify_kind kind,
                       const downhill_kernels *kernels)
{
    guarded_fill(&b->scores, b->scores_dense);
    const guarded *out = v->in_place ? &b->scores : &b->dscores;
    const downhill_matrix_f32 scores = matrix(&b->scores), dscores = matrix(out);
    b->loss = 0.0;
    const downhill_status status =
        kind == KIND_HINGE ? downhill_hinge_f32(kernels, &scores, b->y.data, v->sgd.loss.margin,
                                                &dscores, &b->loss)
                           : downhill_softmax_f32(kernels, &scores, b->y.data, &dscores, &b->loss);
    return call_ok(b, status) && same(b, "loss", 0, 0, b->loss, b->want_loss) &&
           same_matrix(b, "dscores", out, b->want_dscores) &&
           (v->in_place || unchanged(b, "wrote to the scores", &b->scores, b->scores_dense));
}

/* The batch of a case, in the type that the operation needs. */
typedef struct batches {
    downhill_batch_f32 f32;
    downhill_batch_bf16 bf16;
} batches;

static bool check_step(workbench *b, const verify_case *v, const verify_kernel_info *info,
                       const downhill_kernels *kernels, const batches *batch,
                       const downhill_weights_f32 *weights, const downhill_gradient_f32 *grad)
{
    downhill_sgd sgd = v->sgd;
    sgd.loss.kind = info->kind == KIND_STEP_HINGE ? DOWNHILL_HINGE : DOWNHILL_SOFTMAX;
    downhill_profile profile = {0};
    double sum = 0.0;
    downhill_profile *timed = v->accumulate ? &profile : NULL;
    const downhill_workspace workspace = {b->workspace.data,
                                          downhill_workspace_f32_bytes(v->d, v->c)};
    const downhill_status status =
        info->element == ELEMENT_BF16
            ? downhill_step_bf16(kernels, &batch->bf16, weights, &sgd, grad, &sum, &workspace,
                                 timed)
            : downhill_step_f32(kernels, &batch->f32, weights, &sgd, grad, &sum, &workspace, timed);
    return call_ok(b, status) && same(b, "loss", 0, 0, sum, b->want_loss) &&
           same_matrix(b, "dw", &b->dw, b->want_dw) &&
           same_update(b, "w", &b->w, b->w_dense, &b->dw, v->decay, v->step) &&
           (!v->bias || (same_matrix(b, "db", &b->db, b->want_db) &&
                         same_update(b, "b", &b->b, b->b_dense, &b->db, 1.0f, v->step)));
}

bool verify_splits_weights(const downhill_kernels *kernels)
{
    return kernels->packing_bf16 != NULL && kernels->packing_bf16->splits_weights;
}

/* Only the rows of the batch are read, so the matrix may be declared larger than it is. */
enum { FAR_ROWS = 1 << 25 };

bool workbench_check(workbench *b, const verify_case *v, verify_kernel kernel,
                     const downhill_kernels *kernels)
{
    const verify_kernel_info *info = &verify_kernels[kernel];
    const enum verify_kind kind = info->kind;
    const bool bf16 = info->element == ELEMENT_BF16;
    place_outputs(b, v);
    b->nan_for_infinity = kind == KIND_SCORE && bf16 && verify_splits_weights(kernels);
    const size_t x_rows = v->far ? FAR_ROWS : v->x_rows;
    const size_t *rows = v->scattered ? b->rows : NULL;
    const int32_t *y = kind == KIND_SCORE || kind == KIND_GRAD ? VERIFY_NO_LABELS : b->y.data;
    const batches batch = {{b->x.data, v->ldx, x_rows, y, rows, v->n, v->n_next},
                           {b->x.data, v->ldx, x_rows, y, rows, v->n, v->n_next}};
    const downhill_weights_f32 weights = {b->w.data, v->ldw, v->bias ? b->b.data : NULL, v->d,
                                          v->c};
    const downhill_gradient_f32 grad = {b->dw.data, v->lddw, v->bias ? b->db.data : NULL, v->d,
                                        v->c};
    const downhill_weights_f32 grad_as_weights = {grad.dw, grad.lddw, grad.db, grad.d, grad.c};
    const downhill_matrix_f32 scores = matrix(&b->scores), dscores = matrix(&b->dscores);
    const machine_state before = machine_state_now();
    downhill_status status;
    bool good = false;
    switch (kind) {
    case KIND_SCORE:
        status = bf16 ? downhill_score_bf16(kernels, &batch.bf16, &weights, &scores)
                      : downhill_score_f32(kernels, &batch.f32, &weights, &scores);
        good = call_ok(b, status) && same_matrix(b, "scores", &b->scores, b->want_scores) &&
               unchanged(b, "wrote to w", &b->w, b->w_dense) &&
               unchanged(b, "wrote to b", &b->b, b->b_dense);
        break;
    case KIND_HINGE:
    case KIND_SOFTMAX:
        good = check_loss(b, v, kind, kernels);
        break;
    case KIND_GRAD:
        guarded_fill(&b->dscores, b->scores_dense);
        guarded_fill(&b->dw, b->dw_dense);
        guarded_fill(&b->db, b->db_dense);
        status = bf16 ? downhill_grad_bf16(kernels, &batch.bf16, &dscores, v->accumulate, &grad)
                      : downhill_grad_f32(kernels, &batch.f32, &dscores, v->accumulate, &grad);
        good = call_ok(b, status) && same_matrix(b, "dw", &b->dw, b->want_dw) &&
               (!v->bias || same_matrix(b, "db", &b->db, b->want_db)) &&
               unchanged(b, "wrote to dscores", &b->dscores, b->scores_dense);
        break;
    case KIND_UPDATE:
        guarded_fill(&b->dw, b->dw_dense);
        guarded_fill(&b->db, b->db_dense);
        status = v->in_place
                     ? downhill_axpby_f32(kernels, -v->step, &grad_as_weights, v->decay, &weights)
                     : downhill_update_f32(kernels, &weights, &grad, v->n, &v->sgd);
        good = call_ok(b, status) &&
               same_update(b, "w", &b->w, b->w_dense, &b->dw, v->decay, v->step) &&
               (!v->bias || same_update(b, "b", &b->b, b->b_dense, &b->db,
                                        v->in_place ? v->decay : 1.0f, v->step)) &&
               unchanged(b, "wrote to dw", &b->dw, b->dw_dense) &&
               unchanged(b, "wrote to db", &b->db, b->db_dense);
        break;
    case KIND_STEP_HINGE:
    case KIND_STEP_SOFTMAX:
        good = check_step(b, v, info, kernels, &batch, &weights, &grad);
        break;
    }
    const char *difference = machine_state_difference(before, b->after);
    return good && all_intact(b) && (difference == NULL || fail(b, difference));
}
