/* SPDX-License-Identifier: MIT */
#include "model.h"

#include "base/memory.h"
#include "parallel/team.h"

#include <stdlib.h>

struct model {
    const features *f;
    const downhill_kernels *kernels;
    team *team;
    downhill_weights_f32 weights, grad; /* grad: FEATURES_F32 */
    /* FEATURES_U8 */
    void *packed;
    void *packed_other; /* of what else a gradient is added to; made when it is wanted */
    size_t packed_bytes;
};

void model_close(model *m)
{
    if (m == NULL)
        return;
    team_close(m->team);
    weights_free(&m->weights);
    weights_free(&m->grad);
    free(m->packed);
    free(m->packed_other);
    free(m);
}

/* Packed weights, with the normalisation in them. NULL: no memory. */
static void *new_packed(const model *m, const downhill_weights_f32 *weights)
{
    void *packed = m->packed_bytes > 0 ? memory_new(m->packed_bytes, 1) : NULL;
    const downhill_norm_u8 norm = features_norm_u8(m->f);
    if (packed != NULL &&
        downhill_pack_u8(m->kernels, weights, &norm, packed, m->packed_bytes) != DOWNHILL_OK) {
        free(packed);
        return NULL;
    }
    return packed;
}

model *model_open(const features *f, size_t threads, const int *cpus,
                  const downhill_kernels *kernels, char *why, size_t why_size)
{
    const size_t d = f->data->d, c = f->data->c;
    model *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    *m = (model){.f = f, .kernels = kernels, .packed_bytes = downhill_packed_u8_bytes(d, c)};
    m->team = team_open(threads, cpus, d, c, why, why_size);
    bool good = m->team != NULL && weights_new(d, c, &m->weights);
    if (good && f->type == FEATURES_U8)
        good = (m->packed = new_packed(m, &m->weights)) != NULL;
    else if (good)
        good = weights_new(d, c, &m->grad);
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

downhill_status model_step(model *m, const size_t *rows, size_t n, size_t n_next,
                           downhill_loss loss, float decay, float step, double *loss_sum,
                           downhill_profile *profile)
{
    const matrix *x = m->f->data->train.x;
    if (m->f->type == FEATURES_F32) {
        const downhill_batch_f32 batch = features_batch_f32(m->f, x, rows, n, n_next);
        return team_step_f32(m->team, m->kernels, &batch, &m->weights, loss, decay, step, &m->grad,
                             loss_sum, profile);
    }
    if (loss.kind != DOWNHILL_HINGE)
        return DOWNHILL_ERR_PARAMETER;
    const downhill_batch_u8 batch = features_batch_u8(x, rows, n, n_next);
    return team_step_u8(m->team, m->kernels, &batch, &m->weights, loss.delta, decay, step,
                        m->packed, loss_sum, profile);
}

downhill_status model_gradient(model *m, const size_t *rows, size_t n, size_t n_next,
                               downhill_loss loss, double *loss_sum, downhill_profile *profile)
{
    const matrix *x = m->f->data->train.x;
    if (m->f->type == FEATURES_F32) {
        const downhill_batch_f32 batch = features_batch_f32(m->f, x, rows, n, n_next);
        return team_loss_grad_f32(m->team, m->kernels, &batch, &m->weights, loss, &m->grad,
                                  loss_sum, profile);
    }
    if (loss.kind != DOWNHILL_HINGE)
        return DOWNHILL_ERR_PARAMETER;
    const downhill_batch_u8 batch = features_batch_u8(x, rows, n, n_next);
    return team_loss_grad_u8(m->team, m->kernels, &batch, loss.delta, m->packed, loss_sum, profile);
}

downhill_status model_add_gradient(model *m, const downhill_weights_f32 *to, float decay,
                                   float step)
{
    if (m->f->type == FEATURES_F32)
        return downhill_update_f32(m->kernels, to, &m->grad, decay, step);
    /* The update of bytes packs what it has changed; where these are not the weights nobody reads it. */
    if (to != &m->weights && m->packed_other == NULL &&
        (m->packed_other = new_packed(m, to)) == NULL)
        return DOWNHILL_ERR_WORKSPACE;
    return downhill_update_u8(m->kernels, to, team_sums_u8(m->team), decay, step,
                              to == &m->weights ? m->packed : m->packed_other);
}

downhill_status model_add(const model *m, const downhill_weights_f32 *to,
                          const downhill_weights_f32 *what, float decay, float step)
{
    return downhill_update_f32(m->kernels, to, what, decay, step);
}

model_sums model_gradient_sums(const model *m)
{
    return m->f->type == FEATURES_F32 ? (model_sums){.f32 = &m->grad}
                                      : (model_sums){.u8 = team_sums_u8(m->team)};
}
