/* SPDX-License-Identifier: MIT */
#include "method.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>

bool method_open(const problem *p, method_result *result)
{
    *result = (method_result){.test_accuracy = (double)NAN};
    if (weights_new(p->data->d, p->data->c, &result->weights))
        return true;
    error_line("train: out of memory");
    return false;
}

void method_free(method_result *result)
{
    weights_free(&result->weights);
    free(result->points);
    *result = (method_result){0};
}

bool method_add(const method_events *events, method_result *result, method_point point)
{
    if (result->n_points == result->points_room) {
        const size_t room = result->points_room == 0 ? 64 : 2 * result->points_room;
        method_point *larger = realloc(result->points, room * sizeof *larger);
        if (larger == NULL) {
            error_line("train: out of memory");
            return false;
        }
        result->points = larger;
        result->points_room = room;
    }
    result->points[result->n_points++] = point;
    if (events->point != NULL)
        events->point(&point, events->context);
    return true;
}

float method_weight_scale(const problem *p, size_t k)
{
    return p->features->type == FEATURES_U8 ? p->features->norm.scale[k] : 1.0f;
}

double method_penalty(const problem *p, const downhill_weights_f32 *weights)
{
    if (p->reg == 0.0f)
        return 0.0;
    double sum = 0.0;
    for (size_t j = 0; j < weights->c; j++)
        for (size_t k = 0; k < weights->d; k++) {
            const double scale = (double)method_weight_scale(p, k);
            const double w = scale > 0.0 ? (double)weights->w[j * weights->ldw + k] / scale : 0.0;
            sum += w * w;
        }
    return (double)p->reg * sum;
}

int method_finish(const problem *p, evaluator *e, method_result *result)
{
    evaluation of;
    const downhill_status status = evaluator_run(e, &result->weights, 1, &p->data->test, &of);
    if (status != DOWNHILL_OK)
        return problem_failed(status);
    result->interrupted = result->interrupted || *p->stop != 0;
    if (result->interrupted)
        return EXIT_OK;
    result->test_accuracy = of.accuracy;
    if (!weights_digest(&result->weights, result->digest))
        return problem_digest_failed();
    return EXIT_OK;
}
