/* SPDX-License-Identifier: MIT
 *
 * downhill train: what the kernels buy end to end. */
#define _GNU_SOURCE
#include "base/clock.h"
#include "base/error.h"
#include "base/levels.h"
#include "base/machine.h"
#include "base/memory.h"
#include "base/output.h"
#include "base/warnings.h"
#include "bench/stats.h"
#include "interrupt.h"
#include "options.h"
#include "parallel/team.h"
#include "train/sgd.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct config {
    const char *data, *isa, *json;
    int loss;                      /* a downhill_loss_kind, in the order of the words of --loss */
    int dtype, normalise, shuffle; /* the same of model_dtype or AUTOMATIC, … */
    size_t batch, epochs, threads;
    float lr, reg, delta;
    uint64_t seed;
    bool map;
};

enum { DTYPE_AUTOMATIC = 2 }; /* u8 for hinge, f32 for softmax */

#define AT(member) .offset = offsetof(struct config, member)

static const cli_option options[] = {
    {.name = "data",
     .kind = OPTION_TEXT,
     .metavar = "SPEC",
     AT(data),
     .help = "fashion-mnist (default), idx:IMAGES,LABELS[,TEST_IMAGES,TEST_LABELS], cifar10:DIR or "
             "cifar100:DIR"},
    {.name = "mmap",
     .kind = OPTION_FLAG,
     AT(map),
     .help = "leave the bytes in their files and map these, for sets larger than memory; no gzip"},
    {.name = "loss",
     .kind = OPTION_CHOICE,
     .metavar = "LOSS",
     AT(loss),
     .choices = "hinge|softmax",
     .help = "hinge (default) or softmax"},
    {.name = "dtype",
     .kind = OPTION_CHOICE,
     .metavar = "TYPE",
     AT(dtype),
     .choices = "u8|f32",
     .help = "u8: bytes, exact, hinge only (its default); f32 (default of softmax)"},
    {.name = "normalize",
     .kind = OPTION_CHOICE,
     .metavar = "HOW",
     AT(normalise),
     .choices = "none|center|standardize",
     .help = "none: x/255 (default); center: minus the mean of each feature; standardize: that, "
             "by the standard deviation instead of 255"},
    {.name = "shuffle",
     .kind = OPTION_CHOICE,
     .metavar = "WHAT",
     AT(shuffle),
     .choices = "rows|batch|none",
     .help = "every epoch the samples (rows, default), or whole minibatches of neighbours in "
             "memory (batch), in a new order"},
    {.name = "batch",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(batch),
     .min = 1,
     .max = 1e9,
     .help = "samples of a minibatch (default: 256)"},
    {.name = "lr",
     .kind = OPTION_REAL,
     .metavar = "X",
     AT(lr),
     .min = 0,
     .max = 1e6,
     .help = "learning rate (default: 0.02)"},
    {.name = "reg",
     .kind = OPTION_REAL,
     .metavar = "X",
     AT(reg),
     .min = 0,
     .max = 1e6,
     .help = "lambda of the penalty lambda*|W|^2 (default: 1e-4)"},
    {.name = "delta",
     .kind = OPTION_REAL,
     .metavar = "X",
     AT(delta),
     .min = 0,
     .max = 1e6,
     .help = "margin of the hinge loss (default: 1)"},
    {.name = "epochs",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(epochs),
     .min = 1,
     .max = 1e6,
     .help = "passes over the training samples (default: 10)"},
    {.name = "seed",
     .kind = OPTION_SEED,
     .metavar = "N",
     AT(seed),
     .help = "seed of the order of the samples (default: 1)"},
    {.name = "isa",
     .kind = OPTION_TEXT,
     .metavar = "LEVEL",
     AT(isa),
     .help = "the ISA level to use, or all: once with each that has kernels of its own (default: "
             "the best)"},
    {.name = "threads",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(threads),
     .min = 1,
     .max = MACHINE_TEAM_MAX,
     .help = "threads, each bound to a core of its own as long as there are any (default: 1)"},
    {.name = "json",
     .kind = OPTION_TEXT,
     .metavar = "FILE",
     AT(json),
     .help = "write the results to FILE ('-': standard output, and nothing else there)"},
};

static const char *const dtype_words[] = {"u8", "f32"};
static const char *const normalise_words[] = {"none", "center", "standardize"};
static const char *const shuffle_words[] = {"rows", "batch", "none"};

struct run {
    const char *isa;
    const downhill_kernels *kernels;
    sgd_result result;
};

static double seconds(uint64_t ns)
{
    return (double)ns * 1e-9;
}

static double phases_seconds(const downhill_profile *p)
{
    return seconds(p->gather_ns + p->score_ns + p->loss_ns + p->grad_ns + p->update_ns);
}

static void print_epoch(const sgd_epoch *e, size_t number, void *context)
{
    if (*(const bool *)context)
        printf("epoch %3zu  loss %.4f  test accuracy %.4f  %.4f s  %.0f samples/s\n", number,
               e->train_loss, e->test_accuracy, e->seconds, e->samples_per_s);
    fflush(stdout);
}

static void print_phases(const sgd_result *r)
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

static void print_comparison(const struct run *runs, size_t count, const dataset *data)
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

static json_t *run_to_json(const struct run *run, const struct config *config, const dataset *data)
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
    output_set(o, "dtype", json_string(dtype_words[config->dtype]));
    output_set(o, "normalize", json_string(normalise_words[config->normalise]));
    output_set(o, "shuffle", json_string(shuffle_words[config->shuffle]));
    output_set(o, "model_digest", r->digest[0] != '\0' ? json_string(r->digest) : json_null());
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

static int write_results(const struct config *config, const machine *m, const struct run *runs,
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

/* The levels to train with. Returns their number, or 0 with a line printed. */
static size_t choose_levels(const char *isa, enum element element, struct run *runs)
{
    const downhill_kernels *tables[LEVELS_MAX];
    size_t count = 0;
    char why[512];
    if (isa != NULL && strcmp(isa, "all") != 0)
        count = levels_to_run(isa, tables);
    else if (isa != NULL)
        count = levels_to_run(NULL, tables);
    else if (downhill_select(NULL, &tables[0], why, sizeof why) == DOWNHILL_OK)
        count = 1;
    else
        error_line("train: %s", why);
    /* The same kernels under another name take the same time, and are called by the name of the level
     * that they are of. */
    size_t different = 0;
    if (isa == NULL && count == 1)
        tables[0] = levels_lender(tables[0], element);
    for (size_t i = 0; i < count; i++)
        if (!levels_repeat(tables, i, element))
            runs[different++] =
                (struct run){.kernels = tables[i], .isa = downhill_kernels_name(tables[i])};
    return different;
}

/* The first thread is pinned already; the others follow as the machine says. */
static void choose_cpus(const struct config *config, const machine *m, int cpu, int *cpus,
                        json_t *warnings)
{
    for (size_t i = 0; i < config->threads; i++)
        cpus[i] = i == 0 ? cpu : i < m->n_team ? m->team[i] : -1;
    if (config->threads > m->pus && m->pus > 0)
        warnings_add(warnings, "%zu threads share %u CPUs", config->threads, m->pus);
}

static int train_all(const struct config *config, struct run *runs, size_t count,
                     const dataset *data)
{
    sgd_options sgd = {.loss = {(downhill_loss_kind)config->loss, config->delta},
                       .dtype = (model_dtype)config->dtype,
                       .normalise = (normalise_kind)config->normalise,
                       .shuffle = (sgd_shuffle)config->shuffle,
                       .batch = config->batch,
                       .lr = config->lr,
                       .reg = config->reg,
                       .epochs = config->epochs,
                       .seed = config->seed,
                       .progress = isatty(STDERR_FILENO)};
    int cpus[MACHINE_TEAM_MAX];
    bool print = config->json == NULL || strcmp(config->json, "-") != 0;
    machine m; /* before the thread is bound: afterwards only its own CPU would show as allowed */
    machine_read(&m);
    json_t *warnings = json_array();
    warnings_of_build(warnings);
    const int cpu = warnings_pin(warnings);
    choose_cpus(config, &m, cpu, cpus, warnings);
    sgd.threads = config->threads;
    sgd.cpus = cpus;
    if (print)
        printf("%s: %zu training and %zu test samples (%s), %zu features, %zu classes\n",
               data->name, data->train.n, data->test.n, data->test_note, data->train.d, data->c);
    interrupt_catch();
    int code = EXIT_OK;
    size_t done = 0;
    while (done < count && code == EXIT_OK && interrupt_signal == 0) {
        struct run *run = &runs[done++];
        if (print)
            printf(
                "%s%s, %s, normalize %s, %s loss, batch %zu, shuffle %s, learning rate %g, penalty "
                "%g, seed %llu, %zu thread%s\n",
                count > 1 ? "\n" : "", run->isa, dtype_words[config->dtype],
                normalise_words[config->normalise],
                config->loss == DOWNHILL_HINGE ? "hinge" : "softmax", config->batch,
                shuffle_words[config->shuffle], (double)config->lr, (double)config->reg,
                (unsigned long long)config->seed, config->threads, config->threads > 1 ? "s" : "");
        const double wall_s = clock_seconds(), cpu_s = clock_thread_seconds();
        code = sgd_train(&sgd, data, run->kernels, print_epoch, &print, &interrupt_signal,
                         &run->result);
        if (code == EXIT_OK && print && run->result.n_epochs > 0) {
            print_phases(&run->result);
            printf("model digest %s\n", run->result.digest);
        }
        if (code == EXIT_OK &&
            clock_seconds() - wall_s > WARNINGS_WAITED * (clock_thread_seconds() - cpu_s))
            warnings_add(
                warnings, "training with %s waited for the CPU, so that its times are too long: %s",
                run->isa,
                config->threads > m.pus ? "its own threads were in each other's way; take fewer"
                                        : "another program was running; stop it and run again");
    }
    /* A run that failed must not cost those before it. */
    const size_t complete = code == EXIT_OK ? count : done - 1;
    if (interrupt_signal != 0)
        warnings_add(warnings, "interrupted: some epochs are missing");
    if (print && complete > 0 && count > 1)
        print_comparison(runs, complete, data);
    int written = EXIT_OK;
    if (complete > 0 && config->json != NULL)
        written = write_results(config, &m, runs, complete, data, warnings);
    json_decref(warnings);
    if (code != EXIT_OK || written != EXIT_OK)
        return code != EXIT_OK ? code : written;
    return interrupt_signal != 0 ? 128 + interrupt_signal : EXIT_OK;
}

static int run(const cli_command *self, int argc, char **argv)
{
    struct config config = {.data = "fashion-mnist",
                            .batch = 256,
                            .epochs = 10,
                            .threads = 1,
                            .lr = 0.02f,
                            .reg = 1e-4f,
                            .delta = 1.0f,
                            .dtype = DTYPE_AUTOMATIC,
                            .seed = 1};
    int operand;
    int code = cli_parse(self, &config, argc, argv, &operand);
    if (code != CLI_GO_ON)
        return code;
    if (config.json != NULL && (code = output_check(config.json)) != EXIT_OK)
        return code;
    if (config.threads > 1 && !team_supported()) {
        error_line("train: --threads: this build has no OpenMP; build with a compiler that has it, "
                   "or take 1");
        return EXIT_USAGE;
    }
    if (config.dtype == DTYPE_AUTOMATIC)
        config.dtype = config.loss == DOWNHILL_HINGE ? MODEL_U8 : MODEL_F32;
    if (config.dtype == MODEL_U8 && config.loss != DOWNHILL_HINGE) {
        error_line("train: --dtype u8: only with --loss hinge, whose gradient is of integers; take "
                   "--dtype f32");
        return EXIT_USAGE;
    }
    if (config.map && config.dtype != MODEL_U8) {
        error_line("train: --mmap: only with --dtype u8; features in f32 are copies, in memory");
        return EXIT_USAGE;
    }
    struct run runs[LEVELS_MAX] = {{0}};
    const size_t count =
        choose_levels(config.isa, config.dtype == MODEL_U8 ? ELEMENT_U8 : ELEMENT_F32, runs);
    if (count == 0)
        return EXIT_ISA;
    dataset data;
    code = config.map ? dataset_map(config.data, &data) : dataset_open(config.data, &data);
    if (code != EXIT_OK)
        return code;
    code = train_all(&config, runs, count, &data);
    for (size_t i = 0; i < count; i++)
        sgd_free(&runs[i].result);
    dataset_close(&data);
    return code;
}

const cli_command cli_train = {.name = "train",
                               .operands = "",
                               .summary = "Train a linear classifier and show where the time goes.",
                               .options = options,
                               .n_options = sizeof options / sizeof options[0],
                               .run = run};
