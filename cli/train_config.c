/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "train_config.h"

#include "base/error.h"
#include "base/output.h"

#include <stdio.h>
#include <string.h>

/* ---- which options belong to which method ---- */

enum {
    SGD = 1 << TRAIN_SGD,
    RANDOM = 1 << TRAIN_RANDOM_SEARCH,
    LOCAL = 1 << TRAIN_LOCAL_SEARCH,
    NUMERICAL = 1 << TRAIN_NUMERICAL,
    LBFGS = 1 << TRAIN_LBFGS
};

static const struct belonging {
    const char *option;
    unsigned methods;
} belongings[] = {
    {"batch", SGD | NUMERICAL},
    {"shuffle", SGD},
    {"lr", SGD | NUMERICAL},
    {"schedule", SGD},
    {"lr-factor", SGD},
    {"lr-every", SGD},
    {"momentum", SGD},
    {"nesterov", SGD},
    {"epochs", SGD},
    {"validation", SGD},
    {"patience", SGD},
    {"checkpoint", SGD},
    {"every", SGD},
    {"resume", SGD},
    {"tries", RANDOM | LOCAL},
    {"scale", RANDOM | LOCAL},
    {"step", LOCAL},
    {"iterations", NUMERICAL | LBFGS},
    {"tolerance", LBFGS},
    {"difference", NUMERICAL},
    {"coordinates", NUMERICAL},
    {"h", NUMERICAL},
    {"seed", SGD | RANDOM | LOCAL | NUMERICAL},
};

/* Returns why the option has no meaning in this configuration, or NULL if it has one. */
static const char *why_meaningless(const char *option, const train_config *config)
{
    static char of_method[64];
    for (size_t b = 0; b < sizeof belongings / sizeof belongings[0]; b++)
        if (strcmp(option, belongings[b].option) == 0 &&
            (belongings[b].methods & 1U << config->method) == 0) {
            snprintf(of_method, sizeof of_method, "for --method %s",
                     train_method_words[config->method]);
            return of_method;
        }
    if (strcmp(option, "lr-factor") == 0 && config->schedule != SCHEDULE_STEP &&
        config->schedule != SCHEDULE_INVERSE)
        return "without --schedule step or inverse";
    if (strcmp(option, "lr-every") == 0 && config->schedule != SCHEDULE_STEP)
        return "without --schedule step";
    if (strcmp(option, "delta") == 0 &&
        (config->task.loss == DOWNHILL_SOFTMAX || config->method == TRAIN_LBFGS))
        return "for the softmax loss";
    return NULL;
}

static int refuse_meaningless(const cli_command *self, const train_config *config)
{
    const cli_option *o;
    for (size_t i = 0; (o = cli_option_at(self, i)) != NULL; i++) {
        const char *why = cli_is_given(self, config, i) ? why_meaningless(o->name, config) : NULL;
        if (why != NULL)
            return cli_refuse_given(self, config, (const char *const[]){o->name, NULL}, why);
    }
    return CLI_CONTINUE;
}

static int refuse(const char *what)
{
    error_line("train: %s", what);
    return EXIT_USAGE;
}

static int settle_method(train_config *config)
{
    task_config *common = &config->task;
    switch ((train_method)config->method) {
    case TRAIN_SGD:
        if (config->nesterov && config->momentum == 0.0f)
            return refuse("--nesterov: needs a momentum; give --momentum 0.9");
        if (config->patience > 0 && config->validation == 0.0)
            return refuse("--patience: needs validation samples; give --validation 10%");
        break;
    case TRAIN_RANDOM_SEARCH:
    case TRAIN_LOCAL_SEARCH:
        if (config->scale == 0.0f)
            config->scale = config->method == TRAIN_RANDOM_SEARCH ? 1e-4f : 1e-3f;
        /* The scales are those of the CS231n notes, which use this normalisation. */
        if (common->normalise == TASK_AUTOMATIC)
            common->normalise = NORMALISE_RAW_CENTER;
        break;
    case TRAIN_NUMERICAL:
        if (common->dtype == FEATURES_U8)
            return refuse("--method numerical: weights for bytes are rounded, so small "
                          "differences vanish; use --dtype f32");
        common->dtype = FEATURES_F32;
        break;
    case TRAIN_LBFGS:
        if (common->dtype == FEATURES_U8)
            return refuse("--method lbfgs: weights for bytes are rounded, so the loss is not "
                          "smooth; use --dtype f32");
        common->dtype = FEATURES_F32;
        if (common->loss == DOWNHILL_HINGE)
            return refuse("--method lbfgs: the hinge loss has no second derivative; use --loss "
                          "softmax");
        common->loss = DOWNHILL_SOFTMAX;
        break;
    }
    return CLI_CONTINUE;
}

/* Checks the files of the options. --checkpoint may replace the file of --resume. */
static int check_files(const train_config *config)
{
    const bool goes_on = output_is_same(config->resume, config->checkpoint);
    const task_file files[] = {{"resume", goes_on ? NULL : config->resume, OUTPUT_NONE},
                               {"model", config->model, OUTPUT_MODEL},
                               {"checkpoint", config->checkpoint, OUTPUT_CHECKPOINT},
                               {"json", config->task.json, OUTPUT_TRAINING}};
    return task_check_files("train", config->task.data, files, 4);
}

int train_settle(const cli_command *self, train_config *config, bool writes)
{
    int code = refuse_meaningless(self, config);
    if (code == CLI_CONTINUE)
        code = settle_method(config);
    if (code == CLI_CONTINUE)
        code = task_settle("train", &config->task, OUTPUT_TRAINING);
    const bool several = levels_are_several(config->task.isa);
    config->task.times = config->task.json != NULL || !config->task.quiet;
    if (code == CLI_CONTINUE && several && (config->model || config->checkpoint || config->resume))
        return refuse("--isa: several levels train several models, but --model, --checkpoint and "
                      "--resume name one; give one level");
    if (code == CLI_CONTINUE && config->every > 0 && config->checkpoint == NULL)
        return refuse("--every: needs a checkpoint; give --checkpoint FILE");
    return code == CLI_CONTINUE && writes ? check_files(config) : code;
}

/* ---- options of the methods ---- */

sgd_options train_sgd_options(const train_config *config)
{
    return (sgd_options){
        .shuffle = (sgd_shuffle)config->shuffle,
        .batch = config->batch,
        .lr = config->lr,
        .schedule = {(schedule_kind)config->schedule, (double)config->lr_factor, config->lr_every},
        .rule = config->momentum == 0.0f ? OPTIMISER_PLAIN
                : config->nesterov       ? OPTIMISER_NESTEROV
                                         : OPTIMISER_MOMENTUM,
        .momentum = config->momentum,
        .epochs = config->epochs,
        .patience = config->patience,
        .seed = config->task.seed,
        .checkpoint_every = config->every};
}

search_options train_search_options(const train_config *config)
{
    return (search_options){config->tries, config->scale, config->step, config->task.seed};
}

numerical_options train_numerical_options(const train_config *config)
{
    return (numerical_options){.centred = config->difference == 1,
                               .h = config->h,
                               .coordinates = config->coordinates,
                               .batch = config->batch,
                               .steps = config->iterations,
                               .lr = config->lr,
                               .seed = config->task.seed};
}
