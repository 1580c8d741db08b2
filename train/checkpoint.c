/* SPDX-License-Identifier: MIT */
#include "checkpoint.h"

#include "base/error.h"
#include "base/output.h"

#include <math.h>
#include <stdlib.h>

static json_t *epoch_to_json(const sgd_epoch *e)
{
    return json_pack("{s:f, s:f, s:o, s:f, s:o}", "seconds", e->seconds, "train_loss",
                     e->train_loss, "validation_accuracy", output_real(e->validation_accuracy),
                     "test_accuracy", e->test_accuracy, "samples_per_s",
                     output_real(e->samples_per_s));
}

static json_t *state_to_json(const sgd_state *s)
{
    json_t *epochs = json_array();
    for (size_t e = 0; e < s->epoch; e++)
        json_array_append_new(epochs, epoch_to_json(&s->epochs[e]));
    const downhill_profile *p = &s->phases;
    json_t *phases =
        json_pack("[I, I, I, I, I]", (json_int_t)p->gather_ns, (json_int_t)p->score_ns,
                  (json_int_t)p->loss_ns, (json_int_t)p->grad_ns, (json_int_t)p->update_ns);
    return json_pack("{s:I, s:I, s:f, s:f, s:f, s:I, s:f, s:o, s:o}", "epoch", (json_int_t)s->epoch,
                     "step", (json_int_t)s->step, "loss_sum", s->loss_sum, "seconds", s->seconds,
                     "first_loss", s->first_loss, "best_epoch", (json_int_t)s->best_epoch,
                     "best_accuracy", s->best_accuracy, "phases_ns", phases, "epochs", epochs);
}

int checkpoint_write(const char *path, const problem *p, const sgd_state *state,
                     const json_t *record)
{
    json_t *with_state = json_copy((json_t *)(uintptr_t)record), *of_state = state_to_json(state);
    int code = EXIT_INTERNAL;
    if (with_state == NULL || of_state == NULL ||
        json_object_set(with_state, "state", of_state) != 0) {
        error_line("%s: out of memory", path);
    } else {
        const model_file m = {.type = p->features->type,
                              .bytes = p->data->stored[0].u8 != NULL,
                              .norm = p->features->norm,
                              .weights = state->weights,
                              .velocity = state->velocity,
                              .best =
                                  state->best_epoch > 0 ? state->best : (downhill_weights_f32){0},
                              .record = with_state};
        code = model_file_write(path, &m, p->data);
    }
    json_decref(of_state);
    json_decref(with_state);
    return code;
}

/* Reads an integer or a real; null gives NaN. Returns false for anything else. */
static bool number(const json_t *o, const char *key, double *value)
{
    const json_t *member = json_object_get(o, key);
    *value = json_is_null(member) ? (double)NAN : json_number_value(member);
    return json_is_number(member) || json_is_null(member);
}

static bool count(const json_t *o, const char *key, size_t *value)
{
    const json_t *member = json_object_get(o, key);
    *value = (size_t)json_integer_value(member);
    return json_is_integer(member) && json_integer_value(member) >= 0;
}

static bool epoch_from_json(const json_t *o, sgd_epoch *e)
{
    return number(o, "seconds", &e->seconds) && number(o, "train_loss", &e->train_loss) &&
           number(o, "validation_accuracy", &e->validation_accuracy) &&
           number(o, "test_accuracy", &e->test_accuracy) &&
           number(o, "samples_per_s", &e->samples_per_s);
}

static bool phases_from_json(const json_t *phases, downhill_profile *p)
{
    uint64_t *const to[] = {&p->gather_ns, &p->score_ns, &p->loss_ns, &p->grad_ns, &p->update_ns};
    for (size_t i = 0; i < sizeof to / sizeof to[0]; i++) {
        const json_t *ns = json_array_get(phases, i);
        if (!json_is_integer(ns) || json_integer_value(ns) < 0)
            return false;
        *to[i] = (uint64_t)json_integer_value(ns);
    }
    return true;
}

/* Reads a state. s->epochs must have room for all epochs of the document. */
static bool state_from_json(const json_t *o, sgd_state *s)
{
    const json_t *epochs = json_object_get(o, "epochs");
    /* with NaN or infinity no later epoch would count as better */
    if (!count(o, "epoch", &s->epoch) || !count(o, "step", &s->step) ||
        !number(o, "loss_sum", &s->loss_sum) || !isfinite(s->loss_sum) ||
        !number(o, "seconds", &s->seconds) || !number(o, "first_loss", &s->first_loss) ||
        !count(o, "best_epoch", &s->best_epoch) || s->best_epoch > s->epoch ||
        !number(o, "best_accuracy", &s->best_accuracy) || !isfinite(s->best_accuracy) ||
        !phases_from_json(json_object_get(o, "phases_ns"), &s->phases) ||
        json_array_size(epochs) != s->epoch)
        return false;
    for (size_t e = 0; e < s->epoch; e++)
        if (!epoch_from_json(json_array_get(epochs, e), &s->epochs[e]))
            return false;
    return true;
}

int checkpoint_take(const char *path, model_file *m, sgd_state *state)
{
    const json_t *of_state = json_object_get(m->record, "state");
    *state = (sgd_state){0};
    if (of_state == NULL) {
        error_line("%s: a model, not a checkpoint; give what --checkpoint wrote", path);
        return EXIT_DATA;
    }
    state->epochs =
        calloc(json_array_size(json_object_get(of_state, "epochs")) + 1, sizeof *state->epochs);
    if (state->epochs == NULL) {
        error_line("%s: out of memory", path);
        return EXIT_INTERNAL;
    }
    if (!state_from_json(of_state, state) || (state->best_epoch > 0) != (m->best.w != NULL)) {
        error_line("%s: record.json: the state of training cannot be read; the file is damaged",
                   path);
        sgd_state_free(state);
        return EXIT_DATA;
    }
    state->weights = m->weights;
    state->velocity = m->velocity;
    state->best = m->best;
    m->weights = m->velocity = m->best = (downhill_weights_f32){0};
    return EXIT_OK;
}
