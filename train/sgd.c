/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "sgd.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct trainer {
    const sgd_options *options;
    const dataset *data;
    rng order;
    size_t *rows;    /* the samples in the order of the epoch */
    size_t *batches; /* the whole minibatches in it */
    model *model;
};

static void trainer_close(struct trainer *t)
{
    free(t->rows);
    free(t->batches);
    model_close(t->model);
}

static size_t whole_batches(const struct trainer *t)
{
    return t->data->train.n / t->options->batch;
}

static bool trainer_open(struct trainer *t, const downhill_kernels *kernels)
{
    const sgd_options *o = t->options;
    const size_t n = t->data->train.n, n_batches = whole_batches(t);
    char why[128];
    t->order = rng_seeded(o->seed);
    t->rows = memory_new(n, sizeof *t->rows);
    t->batches = memory_new(n_batches + 1, sizeof *t->batches);
    t->model =
        model_open(o->dtype, t->data, o->normalise, o->threads, o->cpus, kernels, why, sizeof why);
    if (t->model != NULL && why[0] != '\0')
        warning_line("train: %s; the times may be noisier", why);
    if (!t->rows || !t->batches || !t->model) {
        trainer_close(t);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        t->rows[i] = samples_row(&t->data->train, i);
    for (size_t i = 0; i < n_batches; i++)
        t->batches[i] = i;
    return true;
}

/* The order of an epoch. */
static void draw_order(struct trainer *t)
{
    const size_t batch = t->options->batch;
    switch (t->options->shuffle) {
    case SGD_SHUFFLE_ROWS:
        rng_shuffle(&t->order, t->rows, t->data->train.n);
        break;
    case SGD_SHUFFLE_BATCH:
        /* What is left over stays last: elsewhere it would shift the minibatches behind it. */
        rng_shuffle(&t->order, t->batches, whole_batches(t));
        for (size_t i = 0; i < whole_batches(t); i++)
            for (size_t j = 0; j < batch; j++)
                t->rows[i * batch + j] = samples_row(&t->data->train, t->batches[i] * batch + j);
        break;
    case SGD_SHUFFLE_NONE:
        break;
    }
}

/* Arguments that the library refuses here were checked before: a refusal is a bug of ours. */
static int internal_error(downhill_status status)
{
    error_line("train: internal error: %s; please report it", downhill_status_text(status));
    return EXIT_INTERNAL;
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
    const downhill_profile phases = result->phases;
    double total = 0.0;

    const double start = clock_seconds();
    draw_order(t);
    result->phases.gather_ns += (uint64_t)((clock_seconds() - start) * 1e9);
    for (size_t first = 0; first < train->n; first += o->batch) {
        const size_t left = train->n - first, n = left < o->batch ? left : o->batch;
        double loss = 0.0;
        const downhill_status status = model_step(t->model, t->rows + first, n, left - n, o->loss,
                                                  decay, o->lr / (float)n, &loss, &result->phases);
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
            result->phases = phases; /* those of whole epochs, as the times are */
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
    const downhill_status status = model_accuracy(t->model, &epoch->test_accuracy);
    return status == DOWNHILL_OK ? EXIT_OK : internal_error(status);
}

int sgd_train(const sgd_options *options, const dataset *data, const downhill_kernels *kernels,
              sgd_report report, void *context, const volatile sig_atomic_t *stop,
              sgd_result *result)
{
    *result = (sgd_result){0};
    struct trainer t = {.options = options, .data = data};
    result->epochs = calloc(options->epochs, sizeof *result->epochs);
    if (result->epochs == NULL || !trainer_open(&t, kernels)) {
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
    /* A model that was cut short in an epoch is one that nobody can make again. */
    if (code == EXIT_OK && !result->interrupted && !model_digest(t.model, result->digest)) {
        error_line("train: SHA-256 failed; is libcrypto whole?");
        code = EXIT_INTERNAL;
    }
    trainer_close(&t);
    return code;
}

void sgd_free(sgd_result *result)
{
    free(result->epochs);
    *result = (sgd_result){0};
}
