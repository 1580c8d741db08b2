/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "train_results.h"

#include "base/levels.h"
#include "base/memory.h"
#include "base/output.h"
#include "base/real.h"
#include "bench/stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Characters of a digest that a comparison of levels shows. */
enum { DIGEST_SHOWN = 8 };

static double seconds(uint64_t ns)
{
    return (double)ns * 1e-9;
}

static double phases_seconds(const downhill_profile *p)
{
    return seconds(p->gather_ns + p->score_ns + p->loss_ns + p->grad_ns + p->update_ns);
}

char *train_run_failure(const train_run *run, const train_config *config)
{
    return (char *)(config->method == TRAIN_SGD ? run->sgd.failed : run->result.failed);
}

/* Returns the digest of the model; "" if the run failed or was interrupted. */
static const char *digest_of(const train_run *run, const train_config *config)
{
    return config->method == TRAIN_SGD ? run->sgd.digest : run->result.digest;
}

/* ---- text ---- */

/* Prints a value with the digits that the user gave: 0.1, not 0.100000001. */
static void print_real(const char *name, float value)
{
    char text[REAL_TEXT];
    printf(", %s %s", name, real_f32(value, text));
}

static void print_method(const train_config *config)
{
    switch ((train_method)config->method) {
    case TRAIN_SGD:
        if (config->batch == SIZE_MAX)
            printf(", batch all");
        else
            printf(", batch %zu", config->batch);
        printf(", shuffle %s", train_shuffle_words[config->shuffle]);
        print_real("learning rate", config->lr);
        if (config->schedule != SCHEDULE_CONSTANT)
            printf(" (%s)", train_schedule_words[config->schedule]);
        if (config->momentum > 0.0f)
            print_real(config->nesterov ? "Nesterov momentum" : "momentum", config->momentum);
        break;
    case TRAIN_RANDOM_SEARCH:
    case TRAIN_LOCAL_SEARCH:
        printf(", %zu tries", config->tries);
        print_real("scale", config->scale);
        if (config->method == TRAIN_LOCAL_SEARCH)
            print_real("step", config->step);
        break;
    case TRAIN_NUMERICAL:
        printf(", %s differences", train_difference_words[config->difference]);
        print_real("h", config->h);
        print_real("learning rate", config->lr);
        break;
    case TRAIN_LBFGS:
        break;
    }
}

void train_print_head(const train_config *config, const train_run *run)
{
    const task_config *common = &config->task;
    printf("%s, %s, %s, normalize %s, %s loss", train_method_words[config->method], run->isa,
           feature_words[common->dtype], normalise_words[common->normalise],
           task_loss_words[common->loss]);
    print_method(config);
    print_real("penalty", common->reg);
    printf(", seed %llu, %zu thread%s%s\n", (unsigned long long)common->seed, common->threads,
           common->threads > 1 ? "s" : "", common->reproducible ? ", reproducible" : "");
}

static void print_phases(const sgd_result *r)
{
    const downhill_profile *p = &r->state.phases;
    const double all = r->seconds;
    printf("phases: gather %.1f %%, score %.1f %%, loss %.1f %%, grad %.1f %%, update %.1f %%, "
           "other %.1f %% of %.3f s\n",
           100 * seconds(p->gather_ns) / all, 100 * seconds(p->score_ns) / all,
           100 * seconds(p->loss_ns) / all, 100 * seconds(p->grad_ns) / all,
           100 * seconds(p->update_ns) / all, 100 * (all - phases_seconds(p)) / all, all);
}

static void print_sgd_end(const sgd_result *r)
{
    if (r->state.epoch > 0)
        print_phases(r);
    if (r->state.best_epoch > 0)
        printf("best epoch %zu, validation accuracy %.4f%s\n", r->state.best_epoch,
               r->state.best_accuracy, r->stopped_early ? "; stopped early" : "");
}

static void print_cost(const numerical_cost *cost)
{
    printf("one step: %zu evaluations of the loss for %zu coordinates, %.4g s; analytic gradient "
           "of all coordinates: %.4g s; numerically it would take %.3g times as long\n"
           "the two gradients differ by up to %.2g of their norm\n",
           cost->evaluations, cost->coordinates, cost->numerical_s, cost->analytic_s, cost->ratio,
           cost->difference);
}

static void print_method_end(const train_config *config, const train_run *run)
{
    const method_result *r = &run->result;
    char loss[REAL_FIXED_TEXT], accuracy[REAL_FIXED_TEXT];
    if (config->method == TRAIN_NUMERICAL)
        print_cost(&run->cost);
    printf("%zu %s, %zu evaluations, %.3f s%s%s; ", r->tried,
           config->method == TRAIN_LBFGS       ? "iterations"
           : config->method == TRAIN_NUMERICAL ? "steps"
                                               : "tries",
           r->evaluations, r->seconds, r->why_ended != NULL ? ", " : "",
           r->why_ended != NULL ? r->why_ended : "");
    if (r->n_points > 0)
        printf("loss %s, ", real_fixed(r->points[r->n_points - 1].loss, 6, loss));
    printf("test accuracy %s\n", real_fixed(r->test_accuracy, 4, accuracy));
}

void train_print_end(const train_config *config, const train_run *run)
{
    const bool sgd = config->method == TRAIN_SGD;
    char loss[REAL_FIXED_TEXT];
    const char *digest = digest_of(run, config);
    if (sgd)
        print_sgd_end(&run->sgd);
    else
        print_method_end(config, run);
    if (run->judged && isfinite(run->end.loss))
        printf("the model on all training samples: loss %s, accuracy %.4f\n",
               real_fixed(run->end.loss, 4, loss), run->end.accuracy);
    if (digest[0] != '\0')
        printf("model digest %s\n", digest);
}

/* Returns the median time of an epoch, or NaN if out of memory. */
static double median_epoch_seconds(const sgd_result *r)
{
    const size_t n = r->state.epoch;
    double *times = memory_new(n, sizeof *times);
    if (times == NULL)
        return (double)NAN;
    for (size_t i = 0; i < n; i++)
        times[i] = r->state.epochs[i].seconds;
    const double median = stats_compute(times, n).median;
    free(times);
    return median;
}

static void print_compared(const char *isa, double time, double count, double scalar,
                           double accuracy, bool failed)
{
    char speedup[16] = "-";
    if (scalar > 0.0)
        snprintf(speedup, sizeof speedup, "%.2fx", scalar / time);
    printf("%-13s %14.4f %14.0f %10s %14.4f%s\n", isa, time, count / time, speedup, accuracy,
           failed ? "  failed" : "");
}

void train_print_comparison(const train_run *runs, size_t count, const train_config *config,
                            const dataset *data)
{
    const bool sgd = config->method == TRAIN_SGD;
    double scalar = 0.0;
    printf("\n%-13s %14s %14s %10s %14s\n", "ISA level", sgd ? "s per epoch" : "s",
           sgd ? "samples/s" : "evaluations/s", "vs scalar", "test accuracy");
    for (size_t i = 0; i < count; i++) {
        const sgd_result *r = &runs[i].sgd;
        const double time = !sgd                 ? runs[i].result.seconds
                            : r->state.epoch > 0 ? median_epoch_seconds(r)
                                                 : (double)NAN;
        const double accuracy = !sgd ? runs[i].result.test_accuracy
                                : r->state.epoch > 0
                                    ? r->state.epochs[r->state.epoch - 1].test_accuracy
                                    : (double)NAN;
        const bool failed = train_run_failure(&runs[i], config)[0] != '\0';
        if (isnan(time) || isnan(accuracy)) { /* no epoch was completed, or out of memory */
            printf("%-13s %14s%s\n", runs[i].isa, "-", failed ? "  failed" : "");
            continue;
        }
        if (levels_is_baseline(runs[i].isa))
            scalar = time;
        print_compared(runs[i].isa, time,
                       sgd ? (double)data->train.n : (double)runs[i].result.evaluations, scalar,
                       accuracy, failed);
    }
}

/* Returns whether two levels with the same order of sums have other models. */
static bool promise_is_broken(const train_run *runs, size_t count, const train_config *config)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++) {
            const char *a = digest_of(&runs[i], config), *b = digest_of(&runs[k], config);
            const bool promised =
                config->task.dtype == FEATURES_U8 ||
                (runs[i].kernels->fixed_order_f32 && runs[k].kernels->fixed_order_f32);
            if (promised && a[0] != '\0' && b[0] != '\0' && strcmp(a, b) != 0)
                return true;
        }
    return false;
}

static void print_different_digests(const train_run *runs, size_t count, const train_config *config)
{
    fputs("model digests differ:", stdout);
    bool listed[LEVELS_MAX] = {0}, separate = false;
    for (size_t i = 0; i < count; i++) {
        const char *digest = digest_of(&runs[i], config);
        if (digest[0] == '\0' || listed[i])
            continue;
        printf("%s %.*s... (%s", separate ? "," : "", DIGEST_SHOWN, digest, runs[i].isa);
        for (size_t k = i + 1; k < count; k++)
            if (strcmp(digest_of(&runs[k], config), digest) == 0) {
                listed[k] = true;
                printf(", %s", runs[k].isa);
            }
        putchar(')');
        separate = true;
    }
    puts(promise_is_broken(runs, count, config)
             ? "; they should be the same: run `downhill reproduce`"
             : "; this is expected in f32: scalar and auto_... have no fixed order of sums");
}

void train_print_digests(const train_run *runs, size_t count, const train_config *config)
{
    const char *first = NULL;
    size_t n_models = 0;
    bool differ = false;
    for (size_t i = 0; i < count; i++) {
        const char *digest = digest_of(&runs[i], config);
        if (digest[0] == '\0')
            continue;
        first = first != NULL ? first : digest;
        differ = differ || strcmp(digest, first) != 0;
        n_models++;
    }
    if (n_models < 2)
        return;
    if (differ)
        print_different_digests(runs, count, config);
    else
        printf("model digest: the same at %s %zu levels (%.*s...)\n",
               n_models == count ? "all" : "the other", n_models, DIGEST_SHOWN, first);
}

/* ---- JSON ---- */

static json_t *phases_to_json(const sgd_result *r)
{
    const downhill_profile *p = &r->state.phases;
    json_t *phases = json_object();
    output_set(phases, "gather_s", output_real(seconds(p->gather_ns)));
    output_set(phases, "score_s", output_real(seconds(p->score_ns)));
    output_set(phases, "loss_s", output_real(seconds(p->loss_ns)));
    output_set(phases, "grad_s", output_real(seconds(p->grad_ns)));
    output_set(phases, "update_s", output_real(seconds(p->update_ns)));
    output_set(phases, "other_s", output_real(r->seconds - phases_seconds(p)));
    return phases;
}

static void add_sgd(json_t *o, const sgd_result *r, const train_config *config)
{
    json_t *epochs = json_array();
    for (size_t i = 0; i < r->state.epoch; i++) {
        const sgd_epoch *epoch = &r->state.epochs[i];
        json_t *e = json_object();
        output_set(e, "epoch", json_integer((json_int_t)i + 1));
        output_set(e, "seconds", output_real(epoch->seconds));
        output_set(e, "train_loss", output_real(epoch->train_loss));
        output_set(e, "validation_accuracy", output_real(epoch->validation_accuracy));
        output_set(e, "test_accuracy", output_real(epoch->test_accuracy));
        output_set(e, "samples_per_s", output_real(epoch->samples_per_s));
        json_array_append_new(epochs, e);
    }
    output_set(o, "shuffle", json_string(train_shuffle_words[config->shuffle]));
    output_set(o, "batch",
               config->batch == SIZE_MAX ? json_string("all")
                                         : json_integer((json_int_t)config->batch));
    output_set(o, "lr", output_f32(config->lr));
    output_set(o, "schedule", json_string(train_schedule_words[config->schedule]));
    output_set(o, "momentum", output_f32(config->momentum));
    output_set(o, "nesterov", json_boolean(config->nesterov));
    output_set(o, "validation", output_real(config->validation));
    output_set(o, "epochs_asked", json_integer((json_int_t)config->epochs));
    output_set(o, "model_digest", r->digest[0] != '\0' ? json_string(r->digest) : json_null());
    output_set(o, "first_loss", output_real(r->state.first_loss));
    output_set(o, "epochs", epochs);
    output_set(o, "best_epoch",
               r->state.best_epoch > 0 ? json_integer((json_int_t)r->state.best_epoch)
                                       : json_null());
    output_set(o, "stopped_early", json_boolean(r->stopped_early));
    /* The accuracy of the model that is kept. */
    const size_t last = r->state.best_epoch > 0 ? r->state.best_epoch : r->state.epoch;
    output_set(o, "test_accuracy",
               last > 0 ? output_real(r->state.epochs[last - 1].test_accuracy) : json_null());
    output_set(o, "seconds", output_real(r->seconds));
    output_set(o, "phases", phases_to_json(r));
}

static void add_method(json_t *o, const train_run *run, const train_config *config)
{
    const method_result *r = &run->result;
    json_t *points = json_array();
    for (size_t i = 0; i < r->n_points; i++) {
        const method_point *point = &r->points[i];
        json_t *p = json_object();
        output_set(p, "number", json_integer((json_int_t)point->number));
        output_set(p, "evaluations", json_integer((json_int_t)point->evaluations));
        output_set(p, "seconds", output_real(point->seconds));
        output_set(p, "loss", output_real(point->loss));
        output_set(p, "test_accuracy", output_real(point->test_accuracy));
        json_array_append_new(points, p);
    }
    if (config->method == TRAIN_RANDOM_SEARCH || config->method == TRAIN_LOCAL_SEARCH)
        output_set(o, "scale", output_f32(config->scale));
    if (config->method == TRAIN_LOCAL_SEARCH)
        output_set(o, "step", output_f32(config->step));
    if (config->method == TRAIN_NUMERICAL) {
        const numerical_cost *cost = &run->cost;
        output_set(o, "difference", json_string(train_difference_words[config->difference]));
        output_set(o, "h", output_f32(config->h));
        output_set(o, "lr", output_f32(config->lr));
        output_set(o, "coordinates", json_integer((json_int_t)cost->coordinates));
        output_set(o, "evaluations_per_step", json_integer((json_int_t)cost->evaluations));
        output_set(o, "numerical_s", output_real(cost->numerical_s));
        output_set(o, "analytic_s", output_real(cost->analytic_s));
        output_set(o, "numerical_to_analytic", output_real(cost->ratio));
        output_set(o, "gradient_difference", output_real(cost->difference));
    }
    output_set(o, "tried", json_integer((json_int_t)r->tried));
    output_set(o, "evaluations", json_integer((json_int_t)r->evaluations));
    output_set(o, "points", points);
    output_set(o, "ended", r->why_ended != NULL ? json_string(r->why_ended) : json_null());
    output_set(o, "model_digest", r->digest[0] != '\0' ? json_string(r->digest) : json_null());
    output_set(o, "test_accuracy", output_real(r->test_accuracy));
    output_set(o, "seconds", output_real(r->seconds));
}

json_t *train_run_to_json(const train_run *run, const train_config *config, const dataset *data)
{
    const task_config *common = &config->task;
    json_t *o = json_object();
    output_set(o, "method", json_string(train_method_words[config->method]));
    output_set(o, "isa", json_string(run->isa));
    output_set(o, "loss", json_string(task_loss_words[common->loss]));
    output_set(o, "dtype", json_string(feature_words[common->dtype]));
    output_set(o, "normalize", json_string(normalise_words[common->normalise]));
    output_set(o, "data", json_string(common->data));
    output_set(o, "mmap", json_boolean(common->map));
    output_set(o, "dataset", json_string(data->name));
    output_set(o, "test_set", json_string(data->test_note));
    output_set(o, "n_train", json_integer((json_int_t)data->train.n));
    output_set(o, "n_validation", json_integer((json_int_t)data->validation.n));
    output_set(o, "n_test", json_integer((json_int_t)data->test.n));
    output_set(o, "d", json_integer((json_int_t)data->d));
    output_set(o, "c", json_integer((json_int_t)data->c));
    output_set(o, "reg", output_f32(common->reg));
    output_set(o, "delta", output_f32(common->delta));
    output_set(o, "seed", json_integer((json_int_t)common->seed));
    output_set(o, "threads", json_integer((json_int_t)common->threads));
    output_set(o, "reproducible", json_boolean(common->reproducible));
    const char *why = train_run_failure(run, config);
    output_set(o, "failed", why[0] != '\0' ? json_string(why) : json_null());
    output_set(o, "final_loss", run->judged ? output_real(run->end.loss) : json_null());
    if (config->method == TRAIN_SGD)
        add_sgd(o, &run->sgd, config);
    else
        add_method(o, run, config);
    return o;
}
