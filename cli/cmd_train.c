/* SPDX-License-Identifier: MIT
 *
 * downhill train: what the kernels buy end to end. */
#define _GNU_SOURCE
#include "base/clock.h"
#include "base/error.h"
#include "base/levels.h"
#include "base/machine.h"
#include "base/output.h"
#include "base/warnings.h"
#include "interrupt.h"
#include "options.h"
#include "parallel/team.h"
#include "train_results.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DTYPE_AUTOMATIC = 2 }; /* u8 for hinge, f32 for softmax */

#define AT(member) .offset = offsetof(train_config, member)

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
             "memory (batch), in a new order; none: in that of the data"},
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

/* The levels to train with. Returns their number, or 0 with a line printed. */
static size_t choose_levels(const char *isa, enum element element, train_run *runs)
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
                (train_run){.kernels = tables[i], .isa = downhill_kernels_name(tables[i])};
    return different;
}

static void print_epoch(const sgd_epoch *e, size_t number, void *context)
{
    if (*(const bool *)context)
        printf("epoch %3zu  loss %.4f  test accuracy %.4f  %.4f s  %.0f samples/s\n", number,
               e->train_loss, e->test_accuracy, e->seconds, e->samples_per_s);
    fflush(stdout);
}

/* The first thread is pinned already; the others follow as the machine says. */
static void choose_cpus(const train_config *config, const machine *m, int cpu, int *cpus,
                        json_t *warnings)
{
    for (size_t i = 0; i < config->threads; i++)
        cpus[i] = i == 0 ? cpu : i < m->n_team ? m->team[i] : -1;
    if (config->threads > m->pus && m->pus > 0)
        warnings_add(warnings, "%zu threads share %u CPUs: give at most %u --threads",
                     config->threads, m->pus, m->pus);
}

static int train_all(const train_config *config, train_run *runs, size_t count, const dataset *data)
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
        train_run *run = &runs[done++];
        if (print)
            printf(
                "%s%s, %s, normalize %s, %s loss, batch %zu, shuffle %s, learning rate %g, penalty "
                "%g, seed %llu, %zu thread%s\n",
                count > 1 ? "\n" : "", run->isa, train_dtype_words[config->dtype],
                train_normalise_words[config->normalise],
                config->loss == DOWNHILL_HINGE ? "hinge" : "softmax", config->batch,
                train_shuffle_words[config->shuffle], (double)config->lr, (double)config->reg,
                (unsigned long long)config->seed, config->threads, config->threads > 1 ? "s" : "");
        const double wall_s = clock_seconds(), cpu_s = clock_thread_seconds();
        code = sgd_train(&sgd, data, run->kernels, print_epoch, &print, &interrupt_signal,
                         &run->result);
        if (code == EXIT_OK && print && run->result.n_epochs > 0) {
            train_print_phases(&run->result);
            if (run->result.digest[0] != '\0')
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
        warnings_add(warnings, "interrupted: some epochs are missing; train again for all of them");
    if (print && complete > 0 && count > 1)
        train_print_comparison(runs, complete, data);
    int written = EXIT_OK;
    if (complete > 0 && config->json != NULL)
        written = train_write_results(config, &m, runs, complete, data, warnings);
    json_decref(warnings);
    machine_close(&m);
    if (code != EXIT_OK || written != EXIT_OK)
        return code != EXIT_OK ? code : written;
    return interrupt_signal != 0 ? 128 + interrupt_signal : EXIT_OK;
}

static int run(const cli_command *self, int argc, char **argv)
{
    train_config config = {.data = "fashion-mnist",
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
    train_run runs[LEVELS_MAX] = {{0}};
    const size_t count =
        choose_levels(config.isa, config.dtype == MODEL_U8 ? ELEMENT_U8 : ELEMENT_F32, runs);
    if (count == 0)
        return EXIT_ISA;
    dataset data;
    code = config.map ? dataset_map(config.data, &data) : dataset_open(config.data, &data);
    if (code != EXIT_OK)
        return code;
    if (config.dtype != MODEL_U8 || model_fits_u8(&data, config.batch))
        code = train_all(&config, runs, count, &data);
    else
        code = EXIT_USAGE;
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
