/* SPDX-License-Identifier: MIT
 *
 * downhill data gen: makes data sets of any shape, with known weights behind the labels. */
#include "base/error.h"
#include "base/machine.h"
#include "base/output.h"
#include "cmd_data.h"
#include "data/dataset.h"
#include "data/generate.h"
#include "interrupt.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

struct config {
    data_config common;
    int format, dtype;
    size_t samples, test_samples, features, classes;
    double noise;
    uint64_t seed;
    const char *output;
};

/* In the order of the choices of --dtype. */
enum { DTYPE_U8, DTYPE_F32 };

#define AT(member) .offset = offsetof(struct config, member)

static const cli_option options[] = {
    {.name = "format",
     .kind = OPTION_CHOICE,
     .metavar = "FORMAT",
     AT(format),
     .choices = GENERATE_FORMATS,
     .help = "format of the files (default: npy)"},
    {.name = "samples",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(samples),
     .min = 1,
     .max = 4294967295.0,
     .help = "training samples (default: 60000)"},
    {.name = "test-samples",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(test_samples),
     .max = 4294967295.0,
     .help = "test samples; 0: no test files (default: 10000)"},
    {.name = "features",
     .kind = OPTION_SIZE,
     .metavar = "D",
     AT(features),
     .min = 1,
     .max = DATASET_FEATURES_MAX,
     .help = "features of a sample (default: 784; cifar10, cifar100: 3072)"},
    {.name = "classes",
     .kind = OPTION_SIZE,
     .metavar = "C",
     AT(classes),
     .min = 2,
     .max = DATASET_CLASSES_MAX,
     .help = "classes (default: 10; cifar100: 100)"},
    {.name = "noise",
     .kind = OPTION_SHARE,
     .metavar = "SHARE",
     AT(noise),
     .min = 0,
     .max = 1,
     .help = "share of the labels that are wrong, as in 0.2 or 20% (default: 0)"},
    {.name = "dtype",
     .kind = OPTION_CHOICE,
     .metavar = "TYPE",
     AT(dtype),
     .choices = "u8|f32",
     .help = "u8: bytes (default); f32: in (-1, 1), for npy and libsvm"},
    {.name = "seed",
     .kind = OPTION_SEED,
     .metavar = "N",
     AT(seed),
     .help = "seed of the samples (default: 1)"},
    {.name = "output",
     .kind = OPTION_TEXT,
     .metavar = "PREFIX",
     AT(output),
     .letter = 'o',
     .help = "start of the names of the files; for cifar10 and cifar100 their directory. No "
             "file is replaced."},
};

/* Replaces features and classes of 0 with their defaults, and checks the outputs. Returns
 * CLI_CONTINUE or an exit code. */
static int settle(struct config *c)
{
    const generate_format *f = &generate_formats[c->format];
    if (c->features == 0)
        c->features = f->features != 0 ? f->features : 784;
    if (c->classes == 0)
        c->classes = f->classes != 0 ? f->classes : 10;
    if (c->output == NULL) {
        error_line("data gen: --output is missing; give -o PREFIX, or -o DIRECTORY for cifar10 and "
                   "cifar100");
        return EXIT_USAGE;
    }
    const int code =
        c->common.json != NULL ? output_check(c->common.json, OUTPUT_GENERATED) : EXIT_OK;
    return code == EXIT_OK ? CLI_CONTINUE : code;
}

static int write_json(const struct config *c, const generated *made)
{
    json_t *set = json_object(), *files = json_array(), *root = json_object();
    for (size_t i = 0; i < made->n_files; i++)
        json_array_append_new(files, json_string(made->files[i]));
    output_set(set, "format", json_string(generate_formats[c->format].word));
    output_set(set, "dtype", json_string(c->dtype == DTYPE_U8 ? "u8" : "f32"));
    output_set(set, "samples", json_integer((json_int_t)c->samples));
    output_set(set, "test_samples", json_integer((json_int_t)c->test_samples));
    output_set(set, "features", json_integer((json_int_t)c->features));
    output_set(set, "classes", json_integer((json_int_t)c->classes));
    output_set(set, "seed", json_integer((json_int_t)c->seed));
    output_set(set, "noise", json_real(c->noise));
    output_set(set, "noisy_share", output_real((double)made->noisy[0] / (double)c->samples));
    if (c->test_samples > 0)
        output_set(set, "test_noisy_share",
                   output_real((double)made->noisy[1] / (double)c->test_samples));
    output_set(set, "data", json_string(made->spec));
    output_set(set, "files", files);
    output_set(root, "schema_version", json_integer(OUTPUT_SCHEMA_VERSION));
    output_set(root, "build", machine_build_to_json());
    output_set(root, "generated", set);
    return output_json(c->common.json, root);
}

static int run(const cli_command *self, int argc, char **argv)
{
    struct config c = {
        .format = 1, .samples = 60000, .test_samples = 10000, .dtype = DTYPE_U8, .seed = 1};
    int operand;
    int code = cli_parse(self, &c, argc, argv, &operand);
    if (code == CLI_CONTINUE)
        code = settle(&c);
    if (code != CLI_CONTINUE)
        return code;
    const generate_options o = {.format = &generate_formats[c.format],
                                .samples = c.samples,
                                .test_samples = c.test_samples,
                                .features = c.features,
                                .classes = c.classes,
                                .bytes = c.dtype == DTYPE_U8,
                                .noise = c.noise,
                                .seed = c.seed,
                                .output = c.output,
                                .stop = &interrupt_signal,
                                .progress = !c.common.quiet};
    generated made;
    interrupt_catch();
    code = generate(&o, &made);
    if (code != EXIT_OK)
        return code;
    if (made.n_files == 0)
        return interrupt_end("data gen");
    if (data_prints(&c.common))
        puts(made.spec);
    if (c.common.json != NULL)
        code = write_json(&c, &made);
    generated_free(&made);
    return code;
}

const cli_command cli_data_gen = {
    .name = "data gen",
    .operands = "",
    .summary = "Make a data set that a known W and b separate, except for --noise; print its "
               "SPEC for --data.",
    .groups = {&data_options},
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .run = run};
