/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "optimiser.h"

#include "base/clock.h"

bool optimiser_open(optimiser_rule rule, float momentum, size_t d, size_t c, optimiser *o)
{
    *o = (optimiser){.rule = rule, .momentum = momentum};
    return rule == OPTIMISER_PLAIN || weights_new(d, c, &o->velocity);
}

void optimiser_close(optimiser *o)
{
    weights_free(&o->velocity);
}

/* n samples have the gradient that the model keeps. */
static downhill_status apply(const optimiser *o, model *m, size_t n, float reg, float lr)
{
    downhill_weights_f32 *w = model_weights(m);
    const downhill_weights_f32 *v = &o->velocity;
    const float decay = 1.0f - 2.0f * lr * reg, step = lr / (float)n;
    if (o->rule == OPTIMISER_PLAIN)
        return model_add_gradient(m, w, decay, step);
    /* The penalty, without the biases: an update with neither has the W of both alone. */
    const downhill_weights_f32 v_w = {v->w, v->ldw, NULL, v->d, v->c};
    const downhill_weights_f32 w_w = {w->w, w->ldw, NULL, w->d, w->c};
    for (size_t j = 0; j < v->c; j++)
        v->b[j] *= o->momentum; /* an update decays no biases */
    downhill_status status = model_add_gradient(m, v, o->momentum, -1.0f / (float)n);
    if (status == DOWNHILL_OK && reg > 0.0f)
        status = model_add(m, &v_w, &w_w, 1.0f, -2.0f * reg);
    if (status != DOWNHILL_OK)
        return status;
    if (o->rule == OPTIMISER_MOMENTUM) {
        status = model_add(m, w, v, 1.0f, lr);
        return status == DOWNHILL_OK ? model_changed(m) : status;
    }
    status = model_add(m, w, v, decay, lr * o->momentum);
    return status == DOWNHILL_OK ? model_add_gradient(m, w, 1.0f, step) : status;
}

downhill_status optimiser_step(const optimiser *o, model *m, const size_t *rows, size_t n,
                               size_t n_next, downhill_loss loss, float reg, float lr,
                               double *loss_sum, downhill_profile *profile)
{
    if (o->rule == OPTIMISER_PLAIN)
        return model_step(m, rows, n, n_next, loss, 1.0f - 2.0f * lr * reg, lr / (float)n, loss_sum,
                          profile);
    downhill_status status = model_gradient(m, rows, n, n_next, loss, loss_sum, profile);
    const double start = clock_seconds();
    if (status == DOWNHILL_OK)
        status = apply(o, m, n, reg, lr);
    if (profile != NULL)
        profile->update_ns += (uint64_t)((clock_seconds() - start) * 1e9);
    return status;
}
