/* SPDX-License-Identifier: MIT */
#include "certificate.h"

#include "parallel/ordered.h"
#include "parallel/team.h"

#include <string.h>

/* One training. */
struct run {
    const reproduce_kind *kind;
    bool promised; /* the digests are compared */
    team *team;    /* of more than one thread */
    size_t threads;
    certificate *result;
    bool failed; /* a digest could not be computed */
};

/* Takes a step on the threads of the run. bf16 is trained on one. */
static downhill_status step_on_threads(void *context, const reproduce_step *s)
{
    struct run *run = context;
    if (run->threads == 1 || s->element == ELEMENT_BF16)
        return reproduce_alone(NULL, s);
    char why[128];
    if (run->team == NULL)
        run->team = team_open(run->threads, NULL, s->weights.d, s->weights.c, why, sizeof why);
    if (run->team == NULL)
        return DOWNHILL_ERR_WORKSPACE;
    if (s->element == ELEMENT_U8)
        return team_step_u8(run->team, s->kernels, &s->u8, &s->weights, s->packed, &s->sgd, NULL,
                            NULL);
    ordered *o = team_ordered(run->team);
    return o == NULL ? DOWNHILL_ERR_WORKSPACE
                     : ordered_step_f32(o, s->kernels, &s->f32, &s->weights, s->sgd.loss, &s->sgd,
                                        &s->grad, NULL, NULL);
}

static bool look(void *context, size_t step, const downhill_weights_f32 *weights)
{
    struct run *run = context;
    certificate *result = run->result;
    run->failed = !weights_digest(weights, result->digest);
    result->step = step;
    result->differs =
        !run->failed && run->promised && strcmp(result->digest, run->kind->digests[step]) != 0;
    return !run->failed && !result->differs;
}

downhill_status certificate_check(const reproduce_kind *kind, const downhill_kernels *kernels,
                                  size_t threads, certificate *result)
{
    struct run run = {.kind = kind,
                      .promised = reproduce_is_promised(kernels, kind->element),
                      .threads = threads,
                      .result = result};
    *result = (certificate){.step = 0};
    const downhill_status status = reproduce_train(kind, kernels, step_on_threads, look, &run);
    team_close(run.team);
    return run.failed ? DOWNHILL_ERR_WORKSPACE : status;
}
