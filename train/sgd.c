/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "sgd.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"
#include "parallel/team.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Test samples scored at once. */
enum { EVALUATION_ROWS = 1024 };

struct trainer {
    const sgd_options *options;
    const dataset *data;
    const downhill_kernels *kernels;
    rng order;
    size_t *rows; /* the samples in the order of the epoch */
    downhill_weights_f32 weights, grad;
    float *scores;
    team *team;
};

static void trainer_close(struct trainer *t)
{
    free(t->rows);
    free(t->weights.w);
    free(t->weights.b);
    free(t->grad.w);
    free(t->grad.b);
    free(t->scores);
    team_close(t->team);
}

static bool trainer_open(struct trainer *t)
{
    const size_t n = t->data->train.n, d = t->data->train.d, c = t->data->c;
    t->order = rng_seeded(t->options->seed);
    t->rows = memory_new(n, sizeof *t->rows);
    t->weights = (downhill_weights_f32){memory_new(c * d, sizeof(float)), d,
                                        memory_new(c, sizeof(float)), d, c};
    t->grad = (downhill_weights_f32){memory_new(c * d, sizeof(float)), d,
                                     memory_new(c, sizeof(float)), d, c};
    t->scores = memory_new(EVALUATION_ROWS * c, sizeof(float));
    char why[128];
    t->team = team_open(t->options->threads, t->options->cpus, d, c, why, sizeof why);
    if (t->team != NULL && why[0] != '\0')
        warning_line("train: %s; the times may be noisier", why);
    if (!t->rows || !t->weights.w || !t->weights.b || !t->grad.w || !t->grad.b || !t->scores ||
        !t->team) {
        trainer_close(t);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        t->rows[i] = i;
    return true;
}

/* Arguments that the library refuses here were checked before: a refusal is a bug of ours. */
static int internal_error(downhill_status status)
{
    error_line("train: internal error: %s; please report it", downhill_status_text(status));
    return EXIT_INTERNAL;
}

static int measure_accuracy(const struct trainer *t, double *accuracy)
{
    const samples *test = &t->data->test;
    const size_t c = t->data->c;
    size_t right = 0;
    for (size_t first = 0; first < test->n; first += EVALUATION_ROWS) {
        const size_t left = test->n - first;
        const size_t n = left < EVALUATION_ROWS ? left : EVALUATION_ROWS;
        const downhill_batch_f32 batch = {
            .x = test->x + first * test->d, .ldx = test->d, .x_rows = n, .n = n};
        const downhill_status status =
            downhill_score_f32(t->kernels, &batch, &t->weights, t->scores, c);
        if (status != DOWNHILL_OK)
            return internal_error(status);
        for (size_t i = 0; i < n; i++) {
            const float *s = t->scores + i * c;
            size_t best = 0;
            for (size_t j = 1; j < c; j++)
                best = s[j] > s[best] ? j : best;
            right += (int32_t)best == test->y[first + i];
        }
    }
    *accuracy = (double)right / (double)test->n;
    return EXIT_OK;
}

/* With W = 0 and b = 0 every score is 0, every margin Δ, every probability 1/c. */
static int check_first_loss(const struct trainer *t, double loss)
{
    const double c = (double)t->data->c;
    const downhill_loss kind = t->options->loss;
    const double want = kind.kind == DOWNHILL_HINGE ? (double)kind.delta * (c - 1.0) : log(c);
    if (fabs(loss - want) <= 1e-4 * (want + 1.0))
        return EXIT_OK;
    error_line("train: the first loss with zero weights is %.6g and should be %.6g; "
               "run `downhill verify`",
               loss, want);
    return EXIT_CHECK;
}

static void show_progress(size_t epoch, size_t done, size_t all)
{
    static double last_s;
    const double now = clock_seconds();
    if (now - last_s < 0.05)
        return;
    last_s = now;
    static const char bar[] = "##############################";
    const int filled = (int)(done * (sizeof bar - 1) / all);
    fprintf(stderr, "\r\033[Kepoch %zu [%-*.*s] %zu/%zu", epoch, (int)sizeof bar - 1, filled, bar,
            done, all);
    fflush(stderr);
}

static int run_epoch(struct trainer *t, size_t number, sgd_result *result,
                     const volatile sig_atomic_t *stop)
{
    const sgd_options *o = t->options;
    const samples *train = &t->data->train;
    const float decay = 1.0f - 2.0f * o->lr * o->reg;
    double total = 0.0;

    const double start = clock_seconds();
    rng_shuffle(&t->order, t->rows, train->n);
    result->phases.gather_ns += (uint64_t)((clock_seconds() - start) * 1e9);
    for (size_t first = 0; first < train->n; first += o->batch) {
        const size_t left = train->n - first, n = left < o->batch ? left : o->batch;
        const downhill_batch_f32 batch = {.x = train->x,
                                          .ldx = train->d,
                                          .x_rows = train->n,
                                          .y = train->y,
                                          .rows = t->rows + first,
                                          .n = n,
                                          .n_next = left - n};
        double loss = 0.0;
        const downhill_status status =
            team_step_f32(t->team, t->kernels, &batch, &t->weights, o->loss, decay,
                          o->lr / (float)n, &t->grad, &loss, &result->phases);
        if (status != DOWNHILL_OK)
            return internal_error(status);
        if (number == 1 && first == 0) {
            result->first_loss = loss / (double)n;
            const int code = check_first_loss(t, result->first_loss);
            if (code != EXIT_OK)
                return code;
        }
        if (!isfinite(loss)) {
            error_line("train: the loss is %g in epoch %zu, step %zu, with --lr %g; "
                       "try a smaller one",
                       loss, number, first / o->batch + 1, (double)o->lr);
            return EXIT_CHECK;
        }
        total += loss;
        if (*stop) {
            result->interrupted = true;
            return EXIT_OK;
        }
        if (o->progress)
            show_progress(number, first + n, train->n);
    }
    sgd_epoch *epoch = &result->epochs[number - 1];
    epoch->seconds = clock_seconds() - start;
    epoch->train_loss = total / (double)train->n;
    epoch->samples_per_s = (double)train->n / epoch->seconds;
    result->seconds += epoch->seconds;
    result->n_epochs = number;
    return measure_accuracy(t, &epoch->test_accuracy);
}

int sgd_train(const sgd_options *options, const dataset *data, const downhill_kernels *kernels,
              sgd_report report, void *context, const volatile sig_atomic_t *stop,
              sgd_result *result)
{
    *result = (sgd_result){0};
    struct trainer t = {.options = options, .data = data, .kernels = kernels};
    result->epochs = calloc(options->epochs, sizeof *result->epochs);
    if (result->epochs == NULL || !trainer_open(&t)) {
        error_line("train: out of memory");
        return EXIT_INTERNAL;
    }
    int code = EXIT_OK;
    for (size_t e = 1; e <= options->epochs && code == EXIT_OK && !result->interrupted; e++) {
        code = run_epoch(&t, e, result, stop);
        if (options->progress)
            fputs("\r\033[K", stderr);
        if (code == EXIT_OK && result->n_epochs == e)
            report(&result->epochs[e - 1], e, context);
    }
    trainer_close(&t);
    return code;
}

void sgd_free(sgd_result *result)
{
    free(result->epochs);
    *result = (sgd_result){0};
}
