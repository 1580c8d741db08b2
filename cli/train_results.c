/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "train_results.h"

#include "base/memory.h"
#include "base/output.h"
#include "bench/stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const train_dtype_words[] = {"u8", "f32"};
const char *const train_normalise_words[] = {"none", "center", "standardize"};
const char *const train_shuffle_words[] = {"rows", "batch", "none"};

static double seconds(uint64_t ns)
{
    return (double)ns * 1e-9;
}

static double phases_seconds(const downhill_profile *p)
{
    return seconds(p->gather_ns + p->score_ns + p->loss_ns + p->grad_ns + p->update_ns);
}

void train_print_phases(const sgd_result *r)
{
    const downhill_profile *p = &r->phases;
    const double all = r->seconds;
    printf("phases: gather %.1f %%, score %.1f %%, loss %.1f %%, grad %.1f %%, update %.1f %%, "
           "other %.1f %% of %.3f s\n",
           100 * seconds(p->gather_ns) / all, 100 * seconds(p->score_ns) / all,
           100 * seconds(p->loss_ns) / all, 100 * seconds(p->grad_ns) / all,
           100 * seconds(p->update_ns) / all, 100 * (all - phases_seconds(p)) / all, all);
}

/* NaN where memory is short. */
static double median_epoch_seconds(const sgd_result *r)
{
    double *seconds = memory_new(r->n_epochs, sizeof *seconds);
    if (seconds == NULL)
        return (double)NAN;
    for (size_t i = 0; i < r->n_epochs; i++)
        seconds[i] = r->epochs[i].seconds;
    const double median = stats_of(seconds, r->n_epochs).median;
    free(seconds);
    return median;
}

void train_print_comparison(const train_run *runs, size_t count, const dataset *data)
{
    double scalar = 0.0;
    printf("\n%-13s %14s %14s %10s %14s\n", "ISA level", "s per epoch", "samples/s", "vs scalar",
           "test accuracy");
    for (size_t i = 0; i < count; i++) {
        const sgd_result *r = &runs[i].result;
        if (r->n_epochs == 0)
            continue;
        const double epoch = median_epoch_seconds(r);
        if (strcmp(runs[i].isa, "scalar") == 0)
            scalar = epoch;
        char speedup[16] = "-";
        if (scalar > 0.0)
            snprintf(speedup, sizeof speedup, "%.2fx", scalar / epoch);
        printf("%-13s %14.4f %14.0f %10s %14.4f\n", runs[i].isa, epoch,
               (double)data->train.n / epoch, speedup, r->epochs[r->n_epochs - 1].test_accuracy);
    }
}

static json_t *run_to_json(const train_run *run, const train_config *config, const dataset *data)
{
    const sgd_result *r = &run->result;
    json_t *epochs = json_array();
    for (size_t i = 0; i < r->n_epochs; i++) {
        json_t *e = json_object();
        output_set(e, "epoch", json_integer((json_int_t)i + 1));
        output_set(e, "seconds", output_real(r->epochs[i].seconds));
        output_set(e, "train_loss", output_real(r->epochs[i].train_loss));
        output_set(e, "test_accuracy", output_real(r->epochs[i].test_accuracy));
        output_set(e, "samples_per_s", output_real(r->epochs[i].samples_per_s));
        json_array_append_new(epochs, e);
    }
    const downhill_profile *p = &r->phases;
    json_t *phases = json_object();
    output_set(phases, "gather_s", output_real(seconds(p->gather_ns)));
    output_set(phases, "score_s", output_real(seconds(p->score_ns)));
    output_set(phases, "loss_s", output_real(seconds(p->loss_ns)));
    output_set(phases, "grad_s", output_real(seconds(p->grad_ns)));
    output_set(phases, "update_s", output_real(seconds(p->update_ns)));
    output_set(phases, "other_s", output_real(r->seconds - phases_seconds(p)));

    json_t *o = json_object();
    output_set(o, "isa", json_string(run->isa));
    output_set(o, "loss", json_string(config->loss == DOWNHILL_HINGE ? "hinge" : "softmax"));
    output_set(o, "dtype", json_string(train_dtype_words[config->dtype]));
    output_set(o, "normalize", json_string(train_normalise_words[config->normalise]));
    output_set(o, "shuffle", json_string(train_shuffle_words[config->shuffle]));
    output_set(o, "model_digest", r->digest[0] != '\0' ? json_string(r->digest) : json_null());
    output_set(o, "data", json_string(config->data));
    output_set(o, "mmap", json_boolean(config->map));
    output_set(o, "epochs_asked", json_integer((json_int_t)config->epochs));
    output_set(o, "dataset", json_string(data->name));
    output_set(o, "test_set", json_string(data->test_note));
    output_set(o, "n_train", json_integer((json_int_t)data->train.n));
    output_set(o, "n_test", json_integer((json_int_t)data->test.n));
    output_set(o, "d", json_integer((json_int_t)data->train.d));
    output_set(o, "c", json_integer((json_int_t)data->c));
    output_set(o, "batch", json_integer((json_int_t)config->batch));
    output_set(o, "lr", output_real((double)config->lr));
    output_set(o, "reg", output_real((double)config->reg));
    output_set(o, "delta", output_real((double)config->delta));
    output_set(o, "seed", json_integer((json_int_t)config->seed));
    output_set(o, "threads", json_integer((json_int_t)config->threads));
    output_set(o, "first_loss", output_real(r->first_loss));
    output_set(o, "epochs", epochs);
    output_set(o, "test_accuracy",
               r->n_epochs > 0 ? output_real(r->epochs[r->n_epochs - 1].test_accuracy)
                               : json_null());
    output_set(o, "seconds", output_real(r->seconds));
    output_set(o, "phases", phases);
    return o;
}

int train_write_results(const train_config *config, const machine *m, const train_run *runs,
                        size_t count, const dataset *data, json_t *warnings)
{
    json_t *training = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(training, run_to_json(&runs[i], config, data));
    json_t *root = json_object();
    output_set(root, "schema_version", json_integer(OUTPUT_SCHEMA_VERSION));
    output_set(root, "machine", machine_to_json(m));
    output_set(root, "build", machine_build_to_json());
    output_set(root, "training", training);
    output_set(root, "warnings", json_incref(warnings));
    return output_json(config->json, root);
}
