/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "task.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/output.h"
#include "base/waited.h"
#include "base/warnings.h"
#include "interrupt.h"
#include "parallel/team.h"
#include "parallel/together.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Multiply-adds per thread above which a run counts as long: about half a minute with AVX2. */
#define LONG_WORK 5e11

/* Runs shorter than this are not worth a warning about their times. */
#define SHORT_S 0.5

#define AT(member) .offset = offsetof(task_config, member)

static const cli_option data_options[] = {
    {.name = "data",
     .kind = OPTION_TEXT,
     .metavar = "SPEC",
     AT(data),
     .heading = "Data and machine",
     .help = "fashion-mnist (default), idx:IMAGES,LABELS[,TEST_IMAGES,TEST_LABELS], "
             "npy:X.npy,Y.npy[,TEST_X.npy,TEST_Y.npy], npz:FILE[,X,Y[,TEST_X,TEST_Y]], "
             "libsvm:FILE[,TEST_FILE], cifar10:DIR or cifar100:DIR"},
    {.name = "mmap",
     .kind = OPTION_FLAG,
     AT(map),
     .help = "map the features from their files instead of reading them, for sets larger "
             "than memory; not for gzip or NPZ, and of NumPy only uint8 and float32 in C order"},
};

static const cli_option one_level[] = {
    {.name = "isa",
     .kind = OPTION_TEXT,
     .metavar = "LEVEL",
     AT(isa),
     .help = "use this ISA level, as in avx2 (default: the best)"},
};

static const cli_option several_levels[] = {
    {.name = "isa",
     .kind = OPTION_TEXT,
     .metavar = "LEVEL,...",
     AT(isa),
     .help = "run once with each of these ISA levels, as in avx2,avx512; all: with each that has "
             "kernels of its own (default: only with the best; gradcheck: all)"},
};

static const cli_option run_options[] = {
    {.name = "threads",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(threads),
     .min = 1,
     .max = MACHINE_TEAM_MAX,
     .help = "number of threads, each bound to a core of its own while there are enough "
             "(default: 1)"},
    {.name = "quiet",
     .kind = OPTION_FLAG,
     AT(quiet),
     .help = "print nothing but errors and warnings; results go where --json says"},
    {.name = "json",
     .kind = OPTION_TEXT,
     .metavar = OPTION_FILE,
     AT(json),
     .help = "write the results to FILE ('-': standard output, and nothing else there)"},
};

static const cli_option loss_options[] = {
    {.name = "loss",
     .kind = OPTION_CHOICE,
     .metavar = "LOSS",
     AT(loss),
     .heading = "Loss and features",
     .choices = "hinge|softmax",
     .first_choice = DOWNHILL_HINGE,
     .help = "hinge (default; gradcheck: both): sum over the wrong classes of max(0, score - right "
             "score + delta), "
             "as Weston and Watkins; or softmax: the cross-entropy"},
    {.name = "dtype",
     .kind = OPTION_CHOICE,
     .metavar = "TYPE",
     AT(dtype),
     .choices = "u8|f32",
     .help =
         "u8: bytes, exact; the default if the features are bytes, with --loss softmax for up to "
         "256 classes (gradcheck: both types); f32: single precision"},
    {.name = "normalize",
     .kind = OPTION_CHOICE,
     .metavar = "HOW",
     AT(normalise),
     .choices = "none|center|standardize|raw|raw-center",
     .help = "none (default): bytes are x/255; center: minus the mean of each feature; "
             "standardize: minus the mean, divided by the standard deviation; raw: bytes "
             "from 0 to 255; raw-center: raw minus the mean"},
    {.name = "reg",
     .kind = OPTION_REAL,
     .metavar = "X",
     AT(reg),
     .min = 0,
     .max = 1e6,
     .help = "factor X of the penalty X*|W|^2; the weight decay is 2*X (default: 1e-4)"},
    {.name = "delta",
     .kind = OPTION_REAL,
     .metavar = "X",
     AT(delta),
     .min = 1e-6, /* with a margin of 0, W = 0 violates none, and training never starts to move */
     .max = 1e6,
     .help = "margin of the hinge loss (default: 1)"},
    {.name = "seed",
     .kind = OPTION_SEED,
     .metavar = "N",
     AT(seed),
     .help = "seed of all random choices (default: 1)"},
};

const cli_group task_data_options = {data_options, sizeof data_options / sizeof data_options[0]};
const cli_group task_one_level = {one_level, 1}, task_several_levels = {several_levels, 1};
const cli_group task_run_options = {run_options, sizeof run_options / sizeof run_options[0]};
const cli_group task_loss_options = {loss_options, sizeof loss_options / sizeof loss_options[0]};

const char task_default_data[] = "fashion-mnist";
const char *const task_loss_words[] = {[DOWNHILL_HINGE] = "hinge", [DOWNHILL_SOFTMAX] = "softmax"};
const char *const task_of_hinge[] = {"delta", NULL};

int task_settle(const char *command, task_config *config, output_kind results)
{
    const task_file json = {"json", config->json, results};
    const int code = task_check_files(command, config->data, &json, 1);
    if (code != CLI_CONTINUE)
        return code;
    if (config->threads > 1 && !team_supported()) {
        error_line("%s: --threads: this build has no OpenMP; build with a compiler that has it, "
                   "or use --threads 1",
                   command);
        return EXIT_USAGE;
    }
    char why[192];
    if (!together_granted(config->threads, why, sizeof why)) {
        error_line("%s: --threads: %s", command, why);
        return EXIT_ENVIRONMENT;
    }
    if (config->loss == TASK_AUTOMATIC)
        config->loss = DOWNHILL_HINGE;
    if (config->normalise == TASK_AUTOMATIC)
        config->normalise = NORMALISE_NONE;
    if (config->reg == TASK_AUTOMATIC)
        config->reg = 1e-4f;
    if (config->delta == TASK_AUTOMATIC)
        config->delta = 1.0f;
    return CLI_CONTINUE;
}

/* Returns whether `path` is a .bin file of a data set that is given by its directory, like
 * CIFAR. */
static bool is_in_directory(const char *directory, const char *path)
{
    char file[4096];
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    const size_t length = strlen(name);
    if (length < 4 || strcmp(name + length - 4, ".bin") != 0)
        return false;
    const int written = snprintf(file, sizeof file, "%s/%s", directory, name);
    return written > 0 && (size_t)written < sizeof file && access(file, F_OK) == 0 &&
           output_is_same(file, path);
}

bool task_is_data(const char *spec, const char *path)
{
    char file[4096];
    const char *at = strchr(spec, ':');
    for (size_t length; at != NULL && *at != '\0'; at += length) {
        at++; /* past the colon or comma */
        length = strcspn(at, ",");
        if (length >= sizeof file)
            continue;
        memcpy(file, at, length);
        file[length] = '\0';
        if (output_is_same(file, path) || is_in_directory(file, path))
            return true;
    }
    return false;
}

int task_check_files(const char *command, const char *data, const task_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const task_file *a = &files[i];
        for (size_t j = i + 1; j < count; j++)
            if ((a->kind != OUTPUT_NONE || files[j].kind != OUTPUT_NONE) &&
                output_is_same(a->path, files[j].path)) {
                error_line("%s: --%s %s and --%s %s name the same file; name two", command,
                           a->option, a->path, files[j].option, files[j].path);
                return EXIT_USAGE;
            }
        if (a->kind == OUTPUT_NONE || a->path == NULL)
            continue;
        if (task_is_data(data, a->path)) {
            error_line("%s: --%s: %s is a file of --data; name another", command, a->option,
                       a->path);
            return EXIT_USAGE;
        }
        if (output_is_stdout(a->path) && strcmp(a->option, "json") != 0) {
            error_line("%s: --%s -: standard output is for --json; name a file", command,
                       a->option);
            return EXIT_USAGE;
        }
        const bool replaced = a->kind == OUTPUT_MODEL || a->kind == OUTPUT_CHECKPOINT;
        if (replaced && !output_replaces(a->path)) {
            error_line("%s: --%s: %s is not a file that can be replaced; name a regular file",
                       command, a->option, a->path);
            return EXIT_USAGE;
        }
        const int code = output_check(a->path, a->kind);
        if (code != EXIT_OK)
            return code;
    }
    return CLI_CONTINUE;
}

enum element task_element(const task_config *config)
{
    return config->dtype == FEATURES_U8 ? ELEMENT_U8 : ELEMENT_F32;
}

int task_check_level(const char *command, const task_config *config)
{
    const downhill_kernels *tables[LEVELS_MAX];
    if (levels_are_several(config->isa)) {
        error_line("%s: --isa %s: this command runs one level; name one", command, config->isa);
        return EXIT_USAGE;
    }
    return config->isa == NULL || levels_to_run(config->isa, tables) > 0 ? CLI_CONTINUE : EXIT_ISA;
}

bool task_choose_level(const char *command, const char *isa, enum element element,
                       const downhill_kernels **kernels)
{
    const downhill_kernels *tables[LEVELS_MAX];
    char why[512];
    if (isa != NULL) {
        const bool good = levels_to_run(isa, tables) > 0;
        *kernels = tables[0];
        return good;
    }
    if (downhill_select(NULL, kernels, why, sizeof why) != DOWNHILL_OK) {
        error_line("%s: %s", command, why);
        return false;
    }
    /* A level that borrows its kernels is reported under the name of the level that they come
     * from. */
    *kernels = levels_lender(*kernels, element);
    return true;
}

/* Pins the first thread and chooses the CPUs of the others in the order of machine.team. Ranks on
 * one machine that may use all of its CPUs take consecutive sets; a rank that the launcher has
 * bound sees only its own CPUs. */
static void choose_cpus(task *t, const cluster *ranks)
{
    const machine *m = &t->machine;
    const size_t threads = t->config->threads;
    const size_t before = ranks != NULL ? ranks->local_rank * threads : 0;
    const size_t here = ranks != NULL ? ranks->local_size * threads : threads;
    if (before == 0 || m->n_team == 0) {
        const int cpu = warnings_pin(t->timing);
        for (size_t i = 0; i < threads; i++)
            t->cpus[i] = i == 0 ? cpu : i < m->n_team ? m->team[i] : -1;
    } else {
        for (size_t i = 0; i < threads; i++)
            t->cpus[i] = m->team[(before + i) % m->n_team];
        machine_binding *binding = machine_binding_open();
        (void)machine_bind(binding, t->cpus[0]);
        machine_binding_close(binding);
    }
    const bool bound_apart = here > threads && m->n_team <= threads;
    t->crowded = (bound_apart ? threads : here) > m->pus && m->pus > 0;
    if (t->crowded)
        warnings_add(t->warnings, "%zu threads share %u CPU%s: give at most %u --threads%s", here,
                     m->pus, m->pus == 1 ? "" : "s", m->pus,
                     here > threads ? " in all ranks together" : "");
}

/* Softmax on bytes rounds probabilities to multiples of 2^-14: with more classes those of W = 0 would be off by
 * more than 1 %. */
enum { SOFTMAX_CLASSES_U8 = 256 };

int task_settle_data(task *t)
{
    task_config *config = t->config;
    const char *command = t->command;
    const dataset *data = &t->data;
    const bool bytes = data->stored[0].u8 != NULL;
    if (config->dtype == TASK_AUTOMATIC)
        config->dtype = bytes && (config->loss == DOWNHILL_HINGE || data->c <= SOFTMAX_CLASSES_U8)
                            ? FEATURES_U8
                            : FEATURES_F32;
    if (config->dtype == FEATURES_U8 && !bytes) {
        error_line("%s: --dtype u8: the features of %s are f32; use --dtype f32", command,
                   data->name);
        return EXIT_USAGE;
    }
    if (config->map && config->dtype == FEATURES_F32 &&
        (bytes || (config->normalise != NORMALISE_NONE && config->normalise != NORMALISE_RAW))) {
        error_line("%s: --mmap: these features are converted to f32 in memory and cannot be used "
                   "from the file; use --dtype u8, or leave --mmap out",
                   command);
        return EXIT_USAGE;
    }
    return EXIT_OK;
}

int task_open_data(const char *command, task_config *config, const cluster *ranks, task *t)
{
    *t = (task){.config = config, .command = command};
    if (ranks == NULL && cluster_is_wanted()) {
        error_line("%s: runs in one process only; start it without mpirun", command);
        return EXIT_USAGE;
    }
    int code = dataset_open_for(config->data, config->map, config->use, &t->data);
    if (code != EXIT_OK)
        return code;
    if (!config->quiet)
        dataset_print_notes(&t->data);
    machine_read(&t->machine); /* before the thread is bound */
    t->warnings = json_array();
    t->timing = config->times ? t->warnings : NULL;
    warnings_of_build(t->timing);
    choose_cpus(t, ranks);
    const size_t unbound = together_bind(config->threads, t->cpus);
    if (unbound > 0)
        warnings_add(t->timing,
                     "%zu of %zu threads could not be bound to a CPU; the times may be noisier: "
                     "take the median of several runs",
                     unbound, config->threads);
    t->problem = (problem){.data = &t->data,
                           .features = &t->features,
                           .loss = {(downhill_loss_kind)config->loss, config->delta},
                           .reg = config->reg,
                           .threads = config->threads,
                           .cpus = t->cpus,
                           .cluster = ranks,
                           .reproducible = config->reproducible,
                           .stop = &interrupt_signal,
                           .progress = !config->quiet};
    return EXIT_OK;
}

/* Interleaves byte features over the NUMA nodes: one thread has read them, so they lie on one node.
 * Copies in f32 do not need this: the threads that read them also write them. */
static void spread_bytes(task *t)
{
    machine_binding *binding = t->config->threads > 1 ? machine_binding_open() : NULL;
    for (int i = 0; binding != NULL && i < 2; i++) {
        const matrix *x = &t->data.stored[i];
        if (x->memory != NULL && x->u8 != NULL &&
            !machine_interleave(binding, t->cpus, t->config->threads, x->memory, x->rows * x->ld))
            warnings_add(t->timing, "the features could not be spread over the NUMA nodes; "
                                    "threads far from them will be slower");
    }
    machine_binding_close(binding);
}

int task_open_features(task *t)
{
    const int code = task_settle_data(t);
    if (code != EXIT_OK)
        return code;
    if (t->config->dtype == FEATURES_U8)
        spread_bytes(t);
    if (features_open((feature_type)t->config->dtype, &t->data,
                      (normalise_kind)t->config->normalise, t->config->threads, &t->features))
        return EXIT_OK;
    error_line("%s: out of memory for the features of %s", t->command, t->data.name);
    return EXIT_INTERNAL;
}

void task_close(task *t)
{
    features_close(&t->features);
    dataset_close(&t->data);
    json_decref(t->warnings);
    machine_close(&t->machine);
}

bool task_is_long(double work, size_t threads)
{
    return work > LONG_WORK * (double)threads;
}

void task_warn_if_long(const char *command, double work, size_t threads, const char *remedy)
{
    if (task_is_long(work, threads))
        warning_line("%s: this will take long, and no results are kept; give %s", command, remedy);
}

task_start task_start_now(const task *t)
{
    return t->timing == NULL ? (task_start){0}
                             : (task_start){clock_seconds(), clock_thread_seconds(),
                                            conditions_now("", t->cpus[0])};
}

void task_warn_of_wait(task *t, const char *what, const task_start *start)
{
    if (t->timing == NULL)
        return;
    const task_start end = task_start_now(t);
    const double took_s = end.wall_s - start->wall_s, ran_s = end.cpu_s - start->cpu_s;
    const conditions passed = conditions_between(&start->counted, &end.counted);
    char why[WAITED_TEXT] = "its threads shared CPUs; give fewer --threads";
    if (took_s <= SHORT_S || took_s <= WARNINGS_WAITED * ran_s)
        return;
    if (!t->crowded)
        waited_cause(&passed, took_s - ran_s, why);
    warnings_add(t->timing, "%s ran for %.2g of %.2g s, so its times are too long: %s", what, ran_s,
                 took_s, why);
}

bool task_prints(const task_config *config)
{
    return !config->quiet && !output_is_stdout(config->json);
}

int task_write(const task *t, const char *name, json_t *value)
{
    if (t->config->json == NULL) {
        json_decref(value);
        return EXIT_OK;
    }
    json_t *root = json_object();
    output_set(root, "schema_version", json_integer(OUTPUT_SCHEMA_VERSION));
    output_set(root, "machine", machine_to_json(&t->machine));
    output_set(root, "build", machine_build_to_json());
    output_set(root, name, value);
    output_set(root, "warnings", json_incref(t->warnings));
    return output_json(t->config->json, root);
}
