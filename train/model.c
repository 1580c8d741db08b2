/* SPDX-License-Identifier: MIT */
#include "model.h"

#include "base/memory.h"
#include "parallel/ordered.h"
#include "parallel/part.h"
#include "parallel/team.h"

#include <stdlib.h>
#include <string.h>

struct model {
    const features *f;
    const downhill_kernels *kernels;
    const cluster *cluster; /* NULL: one rank */
    downhill_loss loss;     /* of the gradient that the model keeps */
    bool stopped;
    part_rows rows; /* row numbers of this rank's part */
    team *team;
    downhill_weights_f32 weights;
    /* FEATURES_F32 */
    downhill_gradient_f32 grad;
    ordered *ordered; /* in place of the team's steps, or NULL */
    /* FEATURES_U8 */
    void *packed;
    /* packing of other weights that a gradient was added to; allocated on first use */
    void *packed_other;
    size_t packed_bytes;
};

void model_close(model *m)
{
    if (m == NULL)
        return;
    team_close(m->team);
    ordered_close(m->ordered);
    weights_free(&m->weights);
    free(m->grad.dw);
    free(m->grad.db);
    free(m->packed);
    free(m->packed_other);
    free(m->rows.rows);
    free(m);
}

/* Packs weights, with the normalisation folded in. Returns NULL if memory is short. */
static downhill_packed_u8 *new_packed(const model *m, const downhill_weights_f32 *weights)
{
    downhill_packed_u8 *packed = m->packed_bytes > 0 ? memory_new(m->packed_bytes, 1) : NULL;
    const downhill_norm_u8 norm = features_norm_u8(m->f);
    if (packed != NULL &&
        downhill_pack_u8(m->kernels, weights, &norm, packed, m->packed_bytes) != DOWNHILL_OK) {
        free(packed);
        return NULL;
    }
    return packed;
}

static bool gradient_new(size_t d, size_t c, downhill_gradient_f32 *grad)
{
    downhill_weights_f32 zeros;
    const bool good = weights_new(d, c, &zeros);
    *grad = (downhill_gradient_f32){zeros.w, zeros.ldw, zeros.b, zeros.d, zeros.c};
    return good;
}

model *model_open(const features *f, const workforce *by, const downhill_kernels *kernels,
                  char *why, size_t why_size)
{
    const size_t d = f->data->d, c = f->data->c;
    model *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    *m = (model){.f = f,
                 .kernels = kernels,
                 .cluster = by->ranks != NULL && by->ranks->size > 1 ? by->ranks : NULL,
                 .packed_bytes = downhill_packed_u8_bytes(d, c)};
    m->team = team_open(by->threads, by->cpus, d, c, why, why_size);
    bool good = m->team != NULL && weights_new(d, c, &m->weights);
    if (good && f->type == FEATURES_U8)
        good = (m->packed = new_packed(m, &m->weights)) != NULL &&
               (m->cluster == NULL || team_reserve_f64(m->team));
    else if (good)
        good = gradient_new(d, c, &m->grad);
    if (good && f->type == FEATURES_F32 && by->ordered && (by->threads > 1 || m->cluster != NULL))
        good = (m->ordered = ordered_open(by->threads, m->cluster, d, c)) != NULL;
    if (!good) {
        model_close(m);
        return NULL;
    }
    return m;
}

downhill_weights_f32 *model_weights(model *m)
{
    return &m->weights;
}

downhill_status model_changed(model *m)
{
    if (m->f->type == FEATURES_F32)
        return DOWNHILL_OK;
    const downhill_norm_u8 norm = features_norm_u8(m->f);
    return downhill_pack_u8(m->kernels, &m->weights, &norm, m->packed, m->packed_bytes);
}

/* n_all: samples of the minibatch, over all ranks. */
static downhill_status own_gradient(model *m, const size_t *rows, size_t n, size_t n_next,
                                    size_t n_all, double *loss_sum, downhill_profile *profile)
{
    const matrix *x = m->f->data->train.x;
    if (m->f->type == FEATURES_F32) {
        const downhill_batch_f32 batch = features_batch_f32(m->f, x, rows, n, n_next);
        if (m->ordered != NULL)
            return ordered_step_f32(m->ordered, m->kernels, &batch, &m->weights, m->loss, NULL,
                                    &m->grad, loss_sum, profile);
        return team_loss_grad_f32(m->team, m->kernels, &batch, &m->weights, m->loss, &m->grad,
                                  loss_sum, profile);
    }
    const downhill_batch_u8 batch = features_batch_u8(x, rows, n, n_next);
    return team_loss_grad_u8(m->team, m->kernels, &batch, n_all, m->packed, m->loss, loss_sum,
                             profile);
}

/* Clears the gradient: if a minibatch has too few samples for all ranks, some ranks get none. */
static void zero_gradient(model *m)
{
    const size_t c = m->weights.c, d = m->weights.d;
    if (m->f->type == FEATURES_U8) {
        team_clear_gradient_u8(m->team);
        return;
    }
    for (size_t j = 0; j < c; j++)
        memset(m->grad.dw + j * m->grad.lddw, 0, d * sizeof(float));
    memset(m->grad.db, 0, c * sizeof(float));
}

/* Sums the gradient, unless it is that of all ranks already, and three scalars over all ranks. */
static void add_up(const model *m, double scalars[3])
{
    const size_t c = m->weights.c;
    const cluster_sum of_scalars = {.f64 = scalars, .count = 3};
    const team_sums u8 = team_gradient_u8(m->team);
    if (m->ordered != NULL)
        cluster_add_up(m->cluster, &of_scalars, 1);
    else if (m->f->type == FEATURES_F32)
        cluster_add_up(m->cluster,
                       (const cluster_sum[]){{.f32 = m->grad.dw, .count = c * m->grad.lddw},
                                             {.f32 = m->grad.db, .count = c},
                                             of_scalars},
                       3);
    else if (u8.i32 != NULL)
        cluster_add_up(m->cluster,
                       (const cluster_sum[]){{.i32 = u8.i32->dw, .count = c * u8.i32->lddw},
                                             {.i32 = u8.i32->db, .count = c},
                                             of_scalars},
                       3);
    else
        cluster_add_up(m->cluster,
                       (const cluster_sum[]){{.f64 = u8.f64->dw, .count = c * u8.f64->lddw},
                                             {.f64 = u8.f64->db, .count = c},
                                             of_scalars},
                       3);
}

static downhill_status gradient_of_ranks(model *m, const size_t *rows, size_t n, size_t n_next,
                                         double *loss_sum, downhill_profile *profile)
{
    double scalars[3] = {0.0, 0.0, (double)(*m->cluster->stop != 0)};
    downhill_status status = DOWNHILL_OK;
    size_t first;
    const size_t own = cluster_part(m->cluster, n, PART_ROWS, &first);
    if (m->f->type == FEATURES_U8)
        team_choose_sums_u8(m->team, n, m->loss);
    if (m->ordered != NULL) { /* it divides the minibatch itself */
        status = own_gradient(m, rows, n, n_next, n, &scalars[0], profile);
    } else if (own == 0) {
        zero_gradient(m);
    } else {
        const size_t next = part_rows_take(&m->rows, first, own, rows, n, n_next);
        status = next == SIZE_MAX
                     ? DOWNHILL_ERR_WORKSPACE
                     : own_gradient(m, m->rows.rows, own, next, n, &scalars[0], profile);
    }
    scalars[1] = (double)(status != DOWNHILL_OK);
    add_up(m, scalars);
    *loss_sum = scalars[0];
    m->stopped = scalars[2] > 0.0;
    return status == DOWNHILL_OK && scalars[1] > 0.0 ? DOWNHILL_ERR_WORKSPACE : status;
}

downhill_status model_gradient(model *m, const size_t *rows, size_t n, size_t n_next,
                               downhill_loss loss, double *loss_sum, downhill_profile *profile)
{
    double unwanted;
    m->loss = loss;
    return m->cluster == NULL ? own_gradient(m, rows, n, n_next, n, loss_sum, profile)
                              : gradient_of_ranks(m, rows, n, n_next,
                                                  loss_sum != NULL ? loss_sum : &unwanted, profile);
}

downhill_status model_step(model *m, const size_t *rows, size_t n, size_t n_next,
                           const downhill_sgd *sgd, double *loss_sum, downhill_profile *profile)
{
    const matrix *x = m->f->data->train.x;
    if (m->f->type == FEATURES_F32) {
        const downhill_batch_f32 batch = features_batch_f32(m->f, x, rows, n, n_next);
        if (m->ordered != NULL)
            return ordered_step_f32(m->ordered, m->kernels, &batch, &m->weights, sgd->loss, sgd,
                                    &m->grad, loss_sum, profile);
        return team_step_f32(m->team, m->kernels, &batch, &m->weights, sgd, &m->grad, loss_sum,
                             profile);
    }
    const downhill_batch_u8 batch = features_batch_u8(x, rows, n, n_next);
    return team_step_u8(m->team, m->kernels, &batch, &m->weights, m->packed, sgd, loss_sum,
                        profile);
}

bool model_is_shared(const model *m)
{
    return m->cluster != NULL;
}

bool model_is_stopped(const model *m)
{
    return m->stopped;
}

downhill_status model_add_gradient(model *m, const downhill_weights_f32 *to, size_t n,
                                   const downhill_sgd *sgd)
{
    if (m->f->type == FEATURES_F32)
        return downhill_update_f32(m->kernels, to, &m->grad, n, sgd);
    /* The update on bytes also packs the weights it changes. If these are not the model's, the
     * packing is not used. */
    if (to != &m->weights && m->packed_other == NULL &&
        (m->packed_other = new_packed(m, to)) == NULL)
        return DOWNHILL_ERR_WORKSPACE;
    downhill_sgd of_gradient = *sgd;
    of_gradient.loss = m->loss; /* tells the unit of the sums */
    return team_update_u8(m->team, m->kernels, to, to == &m->weights ? m->packed : m->packed_other,
                          n, &of_gradient);
}

downhill_status model_axpby(const model *m, float alpha, const downhill_weights_f32 *x, float beta,
                            const downhill_weights_f32 *y)
{
    return downhill_axpby_f32(m->kernels, alpha, x, beta, y);
}

downhill_status model_add_mean_gradient(model *m, const samples *s, downhill_loss loss,
                                        const volatile sig_atomic_t *stop,
                                        const downhill_weights_f32 *to)
{
    enum { BATCH_ROWS = 4096 };
    const downhill_sgd full_step = {.learning_rate = 1.0f};
    downhill_status status = DOWNHILL_OK;
    for (size_t first = 0, n; first < s->n && status == DOWNHILL_OK && *stop == 0; first += n) {
        const size_t remaining = s->n - first;
        n = remaining < BATCH_ROWS ? remaining : BATCH_ROWS;
        status = model_gradient(m, s->rows + first, n, remaining - n, loss, NULL, NULL);
        if (status == DOWNHILL_OK)
            status = model_add_gradient(m, to, s->n, &full_step);
    }
    return status;
}

model_sums model_gradient_sums(const model *m)
{
    if (m->f->type == FEATURES_F32)
        return (model_sums){.f32 = &m->grad, .unit = 1.0};
    const team_sums u8 = team_gradient_u8(m->team);
    const bool fixed_point = m->loss.kind == DOWNHILL_SOFTMAX;
    return (model_sums){
        .i32 = u8.i32, .f64 = u8.f64, .unit = fixed_point ? 1.0 / DOWNHILL_SOFTMAX_ONE : 1.0};
}
