/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "train_config.h"

#include "base/error.h"
#include "base/output.h"

#include <stdio.h>
#include <string.h>

#define AT(member) .offset = offsetof(train_config, member)

const train_config train_defaults = {.task = TASK_DEFAULTS,
                                     .batch = 256,
                                     .epochs = 10,
                                     .lr_every = 10,
                                     .lr_factor = 0.1f,
                                     .tries = 1000,
                                     .step = 1e-4f,
                                     .coordinates = 100,
                                     .iterations = 100,
                                     .lr = 0.02f,
                                     .h = 1e-3f,
                                     .tolerance = 1e-5f};

static const cli_option own_options[] = {
    {.name = "method",
     .kind = OPTION_CHOICE,
     .metavar = "METHOD",
     AT(method),
     .choices = "sgd|random-search|local-search|numerical|lbfgs",
     .help = "sgd (default): gradient descent on minibatches; random-search: the best of random "
             "weights, local-search: random steps that lower the loss, both by default with "
             "--normalize raw-center; numerical: gradient descent by finite differences, --dtype "
             "f32 alone; lbfgs: quasi-Newton on all samples, --loss softmax alone"},
    {.name = "model",
     .kind = OPTION_TEXT,
     .metavar = "FILE",
     AT(model),
     .help = "write the model to FILE, an .npz for downhill predict and numpy.load()"},
    {.name = "batch",
     .heading = "Gradient descent on minibatches (sgd)",
     .kind = OPTION_COUNT,
     .metavar = "N",
     AT(batch),
     .min = 1,
     .max = 1e9,
     .help = "samples of a minibatch, or all (default: 256)"},
    {.name = "shuffle",
     .kind = OPTION_CHOICE,
     .metavar = "WHAT",
     AT(shuffle),
     .choices = "rows|batch|none",
     .help = "every epoch the samples (rows, default), or whole minibatches of neighbours in "
             "memory (batch), in a new order; none: in that of the data"},
    {.name = "lr",
     .kind = OPTION_REAL,
     .metavar = "X",
     AT(lr),
     .min = 0,
     .max = 1e6,
     .help = "learning rate (default: 0.02)"},
    {.name = "schedule",
     .kind = OPTION_CHOICE,
     .metavar = "HOW",
     AT(schedule),
     .choices = "constant|step|inverse|cosine",
     .help =
         "how the learning rate falls: not (constant, default); by a factor every so many epochs "
         "(step); as 1/(1 + factor*epochs) (inverse); to 0 along a cosine"},
    {.name = "lr-factor",
     .kind = OPTION_REAL,
     .metavar = "X",
     AT(lr_factor),
     .min = 0,
     .max = 1e6,
     .help = "the factor of the schedules step and inverse (default: 0.1)"},
    {.name = "lr-every",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(lr_every),
     .min = 1,
     .max = 1e6,
     .help = "the epochs of the schedule step (default: 10)"},
    {.name = "momentum",
     .kind = OPTION_REAL,
     .metavar = "X",
     AT(momentum),
     .min = 0,
     .max = 1,
     .help = "share of the last step that goes into the next (default: 0)"},
    {.name = "nesterov",
     .kind = OPTION_FLAG,
     AT(nesterov),
     .help = "Nesterov's momentum, which looks ahead"},
    {.name = "epochs",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(epochs),
     .min = 1,
     .max = 1e6,
     .help = "passes over the training samples (default: 10)"},
    {.name = "validation",
     .kind = OPTION_SHARE,
     .metavar = "SHARE",
     AT(validation),
     .min = 0,
     .max = 1,
     .help = "share of the training samples to hold out; the model is then that of the epoch which "
             "is best on them (default: 0)"},
    {.name = "patience",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(patience),
     .min = 1,
     .max = 1e6,
     .help = "stop when so many epochs were no better on the validation samples (default: never)"},
    {.name = "checkpoint",
     .kind = OPTION_TEXT,
     .metavar = "FILE",
     AT(checkpoint),
     .help = "write to FILE all that is needed to go on, again and again"},
    {.name = "every",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(every),
     .min = 1,
     .max = 1e12,
     .help = "steps between two checkpoints, beside those at the end of an epoch"},
    {.name = "resume",
     .kind = OPTION_TEXT,
     .metavar = "FILE",
     AT(resume),
     .help = "go on from a checkpoint, with its options but for --model and --json, to the same "
             "bits, and keep writing it; --epochs may be more"},
    {.name = "tries",
     .heading = "Random and local search",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(tries),
     .min = 1,
     .max = 1e9,
     .help = "weights to try (default: 1000)"},
    {.name = "scale",
     .kind = OPTION_REAL,
     .metavar = "X",
     AT(scale),
     .min = 1e-12,
     .max = 1e6,
     .help =
         "standard deviation of random weights (default: random-search 1e-4, local-search 1e-3)"},
    {.name = "step",
     .kind = OPTION_REAL,
     .metavar = "X",
     AT(step),
     .min = 0,
     .max = 1e6,
     .help = "local-search: standard deviation of a random step (default: 1e-4)"},
    {.name = "iterations",
     .heading = "Finite differences (numerical), which take --batch and --lr as well",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(iterations),
     .min = 1,
     .max = 1e9,
     .help = "steps (default: 100)"},
    {.name = "coordinates",
     .kind = OPTION_COUNT,
     .metavar = "N",
     AT(coordinates),
     .min = 1,
     .max = 1e9,
     .help = "weights that a step moves, drawn anew for each, or all (default: 100)"},
    {.name = "difference",
     .kind = OPTION_CHOICE,
     .metavar = "KIND",
     AT(difference),
     .choices = "forward|centred",
     .help = "forward (default), or centred, at twice the cost"},
    {.name = "h",
     .kind = OPTION_REAL,
     .metavar = "X",
     AT(h),
     .min = 1e-7,
     .max = 1,
     .help = "how far the differences go (default: 1e-3)"},
    {.name = "tolerance",
     .heading = "Quasi-Newton (lbfgs), which takes --iterations as well",
     .kind = OPTION_REAL,
     .metavar = "X",
     AT(tolerance),
     .min = 0,
     .max = 1,
     .help = "it has converged when the gradient is that small, in units of the weights (default: "
             "1e-5)"},
};

const cli_group train_method_options = {own_options, sizeof own_options / sizeof own_options[0]};

const char *const train_method_words[] = {"sgd", "random-search", "local-search", "numerical",
                                          "lbfgs"};
const char *const train_shuffle_words[] = {"rows", "batch", "none"};
const char *const train_schedule_words[] = {"constant", "step", "inverse", "cosine"};
const char *const train_difference_words[] = {"forward", "centred"};

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

/* What an option would need to have a meaning, or NULL. */
static const char *what_it_needs(const char *option, const train_config *config)
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
        return "but with --schedule step or inverse";
    if (strcmp(option, "lr-every") == 0 && config->schedule != SCHEDULE_STEP)
        return "but with --schedule step";
    if (strcmp(option, "delta") == 0 &&
        (config->task.loss == DOWNHILL_SOFTMAX || config->method == TRAIN_LBFGS))
        return "for the softmax loss";
    return NULL;
}

static int refuse_strangers(const cli_command *self, const train_config *config)
{
    const cli_option *o;
    for (size_t i = 0; (o = cli_option_at(self, i)) != NULL; i++) {
        const char *needs = cli_is_given(self, config, i) ? what_it_needs(o->name, config) : NULL;
        if (needs != NULL)
            return cli_refuse_given(self, config, (const char *const[]){o->name, NULL}, needs);
    }
    return CLI_GO_ON;
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
            return refuse("--nesterov: without momentum there is nothing to look ahead to; give "
                          "--momentum 0.9");
        if (config->momentum >= 1.0f)
            return refuse("--momentum: at 1 nothing is ever forgotten; take less");
        if (config->patience > 0 && config->validation == 0.0)
            return refuse("--patience: needs samples to judge by; give --validation 10%");
        break;
    case TRAIN_RANDOM_SEARCH:
    case TRAIN_LOCAL_SEARCH:
        if (config->scale == 0.0f)
            config->scale = config->method == TRAIN_RANDOM_SEARCH ? 1e-4f : 1e-3f;
        /* As the notes do it, whose scales these are. */
        if (common->normalise == TASK_AUTOMATIC)
            common->normalise = NORMALISE_RAW_CENTER;
        break;
    case TRAIN_NUMERICAL:
        if (common->dtype == FEATURES_U8)
            return refuse("--method numerical: weights for bytes are rounded, so that small "
                          "differences vanish; take --dtype f32");
        common->dtype = FEATURES_F32;
        break;
    case TRAIN_LBFGS:
        if (common->loss == DOWNHILL_HINGE)
            return refuse("--method lbfgs: the hinge loss has no second derivative; take --loss "
                          "softmax");
        common->loss = DOWNHILL_SOFTMAX;
        break;
    }
    return CLI_GO_ON;
}

int train_settle(const cli_command *self, train_config *config, bool writes)
{
    int code = refuse_strangers(self, config);
    if (code == CLI_GO_ON)
        code = settle_method(config);
    if (code == CLI_GO_ON)
        code = task_settle("train", &config->task);
    const bool several = config->task.isa != NULL && strcmp(config->task.isa, "all") == 0;
    if (code == CLI_GO_ON && several && (config->model || config->checkpoint || config->resume))
        return refuse("--isa all: makes several models, and --model, --checkpoint and --resume are "
                      "of one; take one level");
    if (code == CLI_GO_ON && config->every > 0 && config->checkpoint == NULL)
        return refuse("--every: of what? give --checkpoint FILE");
    const char *const files[] = {config->model, config->checkpoint, config->task.json};
    for (int i = 0; i < 3 && code == CLI_GO_ON; i++)
        if (files[i] != NULL && output_is_same(files[i], files[(i + 1) % 3]))
            return refuse("--model, --checkpoint, --json: two of them name one file; name two");
    if (code == CLI_GO_ON && (output_is_same(config->resume, config->model) ||
                              output_is_same(config->resume, config->task.json)))
        return refuse("--resume, --model, --json: two of them name one file; name two");
    for (int i = 0; i < 3 && code == CLI_GO_ON; i++)
        if (files[i] != NULL && task_is_data(config->task.data, files[i]))
            return refuse(
                "--model, --checkpoint, --json: one of them names a file of --data; name another");
    for (int i = 0; i < 2 && code == CLI_GO_ON && writes; i++)
        if (files[i] != NULL) {
            if (!output_replaces(files[i]))
                return refuse("--model, --checkpoint: must be files that can be replaced");
            const int check = output_check(files[i]);
            code = check == EXIT_OK ? CLI_GO_ON : check;
        }
    return code;
}

/* ---- for the methods ---- */

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
