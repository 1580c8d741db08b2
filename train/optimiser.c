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

static void scale(const downhill_weights_f32 *v, float factor)
{
    for (size_t j = 0; j < v->c; j++) {
        for (size_t k = 0; k < v->d; k++)
            v->w[j * v->ldw + k] *= factor;
        v->b[j] *= factor;
    }
}

static downhill_weights_f32 without_bias(const downhill_weights_f32 *w)
{
    return (downhill_weights_f32){w->w, w->ldw, NULL, w->d, w->c};
}

static downhill_weights_f32 bias_of(const downhill_weights_f32 *w)
{
    return (downhill_weights_f32){w->b, w->c, NULL, w->c, 1};
}

/* Computes w ← (1 - lr·weight_decay)·w + lr·momentum·v; biases do not decay. */
static downhill_status look_ahead(const optimiser *o, const model *m, const downhill_weights_f32 *w,
                                  const downhill_sgd *sgd)
{
    const downhill_weights_f32 v_w = without_bias(&o->velocity), v_b = bias_of(&o->velocity),
                               w_w = without_bias(w), w_b = bias_of(w);
    const float alpha = -sgd->learning_rate * o->momentum,
                beta = 1.0f - sgd->learning_rate * sgd->weight_decay;
    const downhill_status status = model_axpby(m, alpha, &v_w, beta, &w_w);
    return status == DOWNHILL_OK ? model_axpby(m, alpha, &v_b, 1.0f, &w_b) : status;
}

/* Updates the weights by the gradient kept in the model, a sum over n samples. */
static downhill_status apply(const optimiser *o, model *m, size_t n, const downhill_sgd *sgd)
{
    downhill_weights_f32 *w = model_weights(m);
    const downhill_weights_f32 *v = &o->velocity;
    if (o->rule == OPTIMISER_PLAIN)
        return model_add_gradient(m, w, n, sgd);
    const downhill_sgd add = {.learning_rate = -1.0f},
                       without_decay = {.learning_rate = sgd->learning_rate};
    scale(v, o->momentum);
    downhill_status status = model_add_gradient(m, v, n, &add);
    if (status == DOWNHILL_OK && sgd->weight_decay > 0.0f) {
        const downhill_weights_f32 v_w = without_bias(v), w_w = without_bias(w);
        status = model_axpby(m, sgd->weight_decay, &w_w, 1.0f, &v_w);
    }
    if (status != DOWNHILL_OK)
        return status;
    if (o->rule == OPTIMISER_MOMENTUM) {
        status = model_axpby(m, -sgd->learning_rate, v, 1.0f, w);
        return status == DOWNHILL_OK ? model_changed(m) : status;
    }
    status = look_ahead(o, m, w, sgd);
    return status == DOWNHILL_OK ? model_add_gradient(m, w, n, &without_decay) : status;
}

downhill_status optimiser_step(const optimiser *o, model *m, const size_t *rows, size_t n,
                               size_t n_next, downhill_loss loss, float reg, float lr,
                               double *loss_sum, downhill_profile *profile)
{
    /* The penalty is reg·‖W‖²; that of weight decay is (weight_decay/2)·‖W‖². */
    const downhill_sgd sgd = {loss, lr, 2.0f * reg};
    if (o->rule == OPTIMISER_PLAIN && !model_is_shared(m))
        return model_step(m, rows, n, n_next, &sgd, loss_sum, profile);
    downhill_status status = model_gradient(m, rows, n, n_next, loss, loss_sum, profile);
    const double start = clock_seconds();
    if (status == DOWNHILL_OK)
        status = apply(o, m, n, &sgd);
    if (profile != NULL)
        profile->update_ns += (uint64_t)((clock_seconds() - start) * 1e9);
    return status;
}
