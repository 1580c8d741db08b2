/* SPDX-License-Identifier: MIT */
#include "gradcheck.h"

#include "base/error.h"
#include "base/memory.h"
#include "draw.h"
#include "optimiser.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_ROWS = 8, WEIGHT_MAX = 32639 }; /* largest 16-bit weight (downhill.h) */

/* An independent reference in f64: the weights w (c × d+1, bias last), the features x (n × d+1, the
 * last one 1), the scores, and the analytic gradient, summed in f64. A coordinate is an index into
 * w. */
struct check {
    const problem *p;
    const gradcheck_options *options;
    size_t n, d, c, wide; /* wide: d + 1 */
    size_t *rows;
    double *x, *w, *unit, *scores;
    double *slopes;             /* n × c: |dscores| in f64 */
    double *analytic, *penalty; /* the two parts of the gradient: mean loss and penalty */
    size_t *order;
    model *model;
};

static void check_close(struct check *t)
{
    free(t->rows);
    free(t->x);
    free(t->w);
    free(t->unit);
    free(t->scores);
    free(t->analytic);
    free(t->penalty);
    free(t->slopes);
    free(t->order);
    model_close(t->model);
}

static bool check_open(struct check *t)
{
    const size_t n = t->n, d = t->d, c = t->c;
    const workforce by = problem_workforce(t->p);
    char why[128];
    t->wide = d + 1;
    t->rows = memory_new(t->p->data->train.n, sizeof *t->rows);
    t->x = memory_new(n * t->wide, sizeof *t->x);
    t->w = memory_new(c * t->wide, sizeof *t->w);
    t->unit = memory_new(t->wide, sizeof *t->unit);
    t->scores = memory_new(n * c, sizeof *t->scores);
    t->analytic = memory_new(c * t->wide, sizeof *t->analytic);
    t->penalty = memory_new(c * t->wide, sizeof *t->penalty);
    t->slopes = memory_new(n * c, sizeof *t->slopes);
    t->order = memory_new(c * t->wide, sizeof *t->order);
    t->model = model_open(t->p->features, &by, t->p->kernels, why, sizeof why);
    return t->rows && t->x && t->w && t->unit && t->scores && t->analytic && t->penalty &&
           t->slopes && t->order && t->model;
}

/* ---- the point at which the gradient is checked ---- */

static void draw_samples(struct check *t, rng *r)
{
    const samples *train = &t->p->data->train;
    const features *f = t->p->features;
    memcpy(t->rows, train->rows, train->n * sizeof *t->rows);
    rng_shuffle(r, t->rows, train->n);
    for (size_t i = 0; i < t->n; i++) {
        double *x = t->x + i * t->wide;
        const downhill_batch_f32 batch = features_batch_f32(f, train->x, t->rows, t->n, 0);
        for (size_t k = 0; k < t->d; k++)
            x[k] = f->type == FEATURES_U8 ? (double)train->x->u8[t->rows[i] * train->x->ld + k] -
                                                (double)f->norm.mean[k]
                                          : (double)batch.x[t->rows[i] * batch.ldx + k];
        x[t->d] = 1.0;
    }
}

/* Rounds the weights of a class to 16-bit multiples of a power of two. */
static void round_class(double *w, size_t count)
{
    double max = 0.0;
    for (size_t k = 0; k < count; k++)
        max = fmax(max, fabs(w[k]));
    const double unit = exp2(ceil(log2(max / WEIGHT_MAX)));
    for (size_t k = 0; k < count; k++)
        w[k] = rint(w[k] / unit) * unit;
}

static downhill_status draw_point(struct check *t)
{
    const features *f = t->p->features;
    const downhill_weights_f32 *w = model_weights(t->model);
    draw_weights(t->p, t->options->seed, 0, t->options->scale, NULL, w);
    for (size_t k = 0; k <= t->d; k++)
        t->unit[k] = f->type == FEATURES_U8 && k < t->d ? (double)f->norm.scale[k] : 1.0;
    for (size_t j = 0; j < t->c; j++) {
        double *of_class = t->w + j * t->wide;
        for (size_t k = 0; k < t->d; k++)
            of_class[k] = (double)w->w[j * w->ldw + k];
        of_class[t->d] = (double)w->b[j];
        round_class(of_class, t->d);
        round_class(of_class + t->d, 1);
        for (size_t k = 0; k < t->d; k++)
            w->w[j * w->ldw + k] = (float)of_class[k];
        w->b[j] = (float)of_class[t->d];
    }
    return model_changed(t->model);
}

static void score(struct check *t)
{
    for (size_t i = 0; i < t->n && *t->p->stop == 0; i++)
        for (size_t j = 0; j < t->c; j++) {
            double sum = 0.0;
            for (size_t k = 0; k < t->wide; k++)
                sum += t->w[j * t->wide + k] * t->x[i * t->wide + k];
            t->scores[i * t->c + j] = sum;
        }
}

static size_t label(const struct check *t, size_t i)
{
    return (size_t)t->p->data->train.x->y[t->rows[i]];
}

/* ---- the analytic gradient ---- */

/* Returns the sum of class j and feature k, or that of the bias after the last feature. */
static double sum_at(const model_sums *sums, size_t j, size_t k)
{
    const downhill_gradient_f32 *f32 = sums->f32;
    const downhill_gradient_u8 *i32 = sums->i32;
    const downhill_gradient_f64 *f64 = sums->f64;
    if (f32 != NULL)
        return (double)(k == f32->d ? f32->db[j] : f32->dw[j * f32->lddw + k]);
    if (i32 != NULL)
        return (double)(k == i32->d ? i32->db[j] : i32->dw[j * i32->lddw + k]) * sums->unit;
    return (k == f64->d ? f64->db[j] : f64->dw[j * f64->lddw + k]) * sums->unit;
}

static void add_sums(struct check *t)
{
    const model_sums sums = model_gradient_sums(t->model);
    const bool bytes = sums.f32 == NULL;
    for (size_t j = 0; j < t->c; j++) {
        double *to = t->analytic + j * t->wide;
        const double db = sum_at(&sums, j, t->d);
        for (size_t k = 0; k < t->d; k++)
            to[k] +=
                sum_at(&sums, j, k) - (bytes ? (double)t->p->features->norm.mean[k] * db : 0.0);
        to[t->d] += db;
    }
}

static downhill_status derive(struct check *t)
{
    for (size_t first = 0; first < t->n && *t->p->stop == 0; first += BLOCK_ROWS) {
        const size_t remaining = t->n - first;
        const downhill_status status = model_gradient(
            t->model, t->rows + first, remaining < BLOCK_ROWS ? remaining : BLOCK_ROWS, 0,
            t->p->loss, NULL, NULL);
        if (status != DOWNHILL_OK)
            return status;
        add_sums(t);
    }
    const double n = (double)t->n, reg = (double)t->p->reg;
    for (size_t j = 0; j < t->c; j++)
        for (size_t k = 0; k < t->wide; k++) {
            const size_t at = j * t->wide + k;
            t->analytic[at] /= n;
            if (k < t->d && t->unit[k] > 0.0)
                t->penalty[at] = 2.0 * reg * t->w[at] / (t->unit[k] * t->unit[k]);
        }
    return DOWNHILL_OK;
}

/* ---- the numerical gradient ---- */

/* Returns the loss of sample i with `add` added to the score of class j. */
static double loss_of(const struct check *t, size_t i, size_t j, double add)
{
    const double *s = t->scores + i * t->c;
    const size_t y = label(t, i);
    const double right = s[y] + (j == y ? add : 0.0);
    double loss = 0.0, max = right;
    if (t->p->loss.kind == DOWNHILL_HINGE) {
        for (size_t l = 0; l < t->c; l++)
            if (l != y)
                loss += fmax(0.0, s[l] + (l == j ? add : 0.0) - right + (double)t->p->loss.margin);
        return loss;
    }
    for (size_t l = 0; l < t->c; l++)
        max = fmax(max, s[l] + (l == j ? add : 0.0));
    for (size_t l = 0; l < t->c; l++)
        loss += exp(s[l] + (l == j ? add : 0.0) - max);
    return log(loss) + max - right;
}

/* Returns whether a margin of sample i changes its sign while the score of class j goes from -add
 * to +add. */
static bool has_kink(const struct check *t, size_t i, size_t j, double add)
{
    if (t->p->loss.kind != DOWNHILL_HINGE || add == 0.0)
        return false;
    const double *s = t->scores + i * t->c;
    const size_t y = label(t, i);
    for (size_t l = 0; l < t->c; l++)
        if (l != y && (j == y || l == j) &&
            fabs(s[l] - s[y] + (double)t->p->loss.margin) <= fabs(add))
            return true;
    return false;
}

/* Computes |∂loss_i/∂s_ij| in f64, the magnitude of each term of the gradient. */
static void find_slopes(struct check *t)
{
    for (size_t i = 0; i < t->n; i++) {
        const double *s = t->scores + i * t->c;
        double *slope = t->slopes + i * t->c, max = s[0], sum = 0.0;
        const size_t y = label(t, i);
        for (size_t l = 1; l < t->c; l++)
            max = fmax(max, s[l]);
        for (size_t l = 0; l < t->c; l++) {
            slope[l] = t->p->loss.kind == DOWNHILL_SOFTMAX
                           ? exp(s[l] - max)
                           : (double)(l != y && s[l] - s[y] + (double)t->p->loss.margin > 0.0);
            sum += slope[l];
        }
        for (size_t l = 0; l < t->c && t->p->loss.kind == DOWNHILL_SOFTMAX; l++)
            slope[l] = l == y ? 1.0 - slope[l] / sum : slope[l] / sum;
        if (t->p->loss.kind == DOWNHILL_HINGE)
            slope[y] = sum;
    }
}

/* Returns Σ_i |term_i| of the mean gradient. With `raw` (bytes), each term counts as the two parts
 * before the mean is subtracted. */
static double terms_of(const struct check *t, size_t j, size_t k, bool raw)
{
    const double mean = raw && k < t->d ? (double)t->p->features->norm.mean[k] : 0.0;
    double sum = 0.0;
    for (size_t i = 0; i < t->n; i++)
        sum += t->slopes[i * t->c + j] * (fabs(t->x[i * t->wide + k] + mean) + mean);
    return sum / (double)t->n;
}

/* Returns the error that the rounding of dscores to multiples of their unit may cause in the mean gradient of softmax on
 * bytes. */
static double rounding_of_dscores(const struct check *t, size_t k)
{
    if (t->p->features->type != FEATURES_U8 || t->p->loss.kind != DOWNHILL_SOFTMAX)
        return 0.0;
    double sum = 0.0;
    for (size_t i = 0; i < t->n; i++)
        sum += fabs(t->x[i * t->wide + k]);
    return 0.5 / DOWNHILL_SOFTMAX_ONE * sum / (double)t->n;
}

/* Trains one step with all samples in one minibatch, at learning rate 1. */
static downhill_status take_step(struct check *t)
{
    const optimiser plain = {.rule = OPTIMISER_PLAIN};
    double loss;
    return optimiser_step(&plain, t->model, t->rows, t->n, 0, t->p->loss, t->p->reg, 1.0f, &loss,
                          NULL);
}

/* Returns the distance between the weights after the step and where the gradient summed in f64
 * leads, relative to the bound on the rounding errors: for f32, one rounding per sample and the
 * relative error that a score may have; for bytes, whose sums are exact, the four roundings that
 * form the gradient; then those of step, gain, decay and weights. */
static double step_error(const struct check *t, size_t j, size_t k)
{
    const bool bytes = t->p->features->type == FEATURES_U8, bias = k == t->d;
    const size_t at = j * t->wide + k;
    const float scale = bytes && !bias ? t->p->features->norm.scale[k] : 1.0f;
    const double gain = (double)(scale * scale);
    const downhill_weights_f32 *w = model_weights(t->model);
    const double after = (double)(bias ? w->b[j] : w->w[j * w->ldw + k]), before = t->w[at];
    const double want = before - gain * (t->analytic[at] + t->penalty[at]);
    const double of_terms =
        bytes ? 8.0 * 0x1p-24 : ((double)t->n + 4.0) * 0x1p-24 + t->options->tolerance;
    const double max =
        of_terms * gain * terms_of(t, j, k, bytes) + 4.0 * 0x1p-24 * (fabs(before) + fabs(after));
    const double off = fabs(after - want), share = off == 0.0 ? 0.0 : off / max;
    return isnan(share) ? (double)INFINITY : share;
}

/* Checks one coordinate. */
static void compare(struct check *t, size_t at, gradcheck_result *result)
{
    const size_t j = at / t->wide, k = at % t->wide;
    const double h = t->options->h * (t->unit[k] > 0.0 ? t->unit[k] : 1.0), n = (double)t->n;
    double difference = 0.0, losses = 0.0;
    const double of_step = step_error(t, j, k);
    if (of_step > result->worst_step) {
        result->worst_step = of_step;
        result->step_class = j;
        result->step_feature = k;
    }
    for (size_t i = 0; i < t->n; i++) {
        const double add = h * t->x[i * t->wide + k];
        if (has_kink(t, i, j, add)) {
            result->kinks++;
            return;
        }
        /* Subtract per sample: the total losses are so large that their rounding errors would
         * exceed the difference. */
        const double above = loss_of(t, i, j, add);
        difference += above - loss_of(t, i, j, -add);
        losses += above;
    }
    const double w = t->w[at] / t->unit[k], reg = (double)t->p->reg, step = t->options->h;
    if (k < t->d && t->unit[k] > 0.0)
        difference += n * reg * ((w + step) * (w + step) - (w - step) * (w - step));
    const double numerical = difference / (2.0 * h * n);
    const double analytic = t->analytic[at] + t->penalty[at];
    /* The losses are rounded too: the difference of two has this error. */
    const double blur = DBL_EPSILON * losses / (h * n) + rounding_of_dscores(t, k),
                 tolerance = t->options->tolerance;
    const double all = terms_of(t, j, k, false) + fabs(t->penalty[at]) +
                       (tolerance > 0.0 ? blur / tolerance : 0.0);
    const double off = fabs(analytic - numerical);
    double relative = off == 0.0 ? 0.0 : all > 0.0 ? off / all : (double)INFINITY;
    if (isnan(relative)) /* a failure: it must stay the maximum */
        relative = (double)INFINITY;
    result->checked++;
    if (relative > result->worst) {
        result->worst = relative;
        result->worst_class = j;
        result->worst_feature = k;
        result->worst_analytic = analytic;
        result->worst_numerical = numerical;
    }
}

int gradcheck_run(const problem *p, const gradcheck_options *options, gradcheck_result *result)
{
    const size_t n_train = p->data->train.n, all = p->data->c * (p->data->d + 1);
    struct check t = {.p = p,
                      .options = options,
                      .n = options->samples < n_train ? options->samples : n_train,
                      .d = p->data->d,
                      .c = p->data->c};
    *result = (gradcheck_result){0};
    downhill_status status = check_open(&t) ? DOWNHILL_OK : DOWNHILL_ERR_WORKSPACE;
    if (status == DOWNHILL_OK) {
        rng r = rng_seeded(options->seed);
        draw_samples(&t, &r);
        status = draw_point(&t);
        score(&t);
        find_slopes(&t);
        if (status == DOWNHILL_OK)
            status = derive(&t);
        if (status == DOWNHILL_OK)
            status = take_step(&t);
        for (size_t i = 0; i < all; i++)
            t.order[i] = i;
        if (options->coordinates < all)
            rng_shuffle(&r, t.order, all);
        for (size_t i = 0;
             i < all && i < options->coordinates && status == DOWNHILL_OK && *p->stop == 0; i++)
            compare(&t, t.order[i], result);
    }
    check_close(&t);
    return status == DOWNHILL_OK ? EXIT_OK : problem_failed(status);
}
