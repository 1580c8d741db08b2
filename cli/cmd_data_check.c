/* SPDX-License-Identifier: MIT
 *
 * downhill data check: reads a data set and describes it. */
#include "base/error.h"
#include "base/memory.h"
#include "base/output.h"
#include "cmd_data.h"
#include "data/dataset.h"
#include "task.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct config {
    data_config common;
    const char *data;
    bool map;
};

#define AT(member) .offset = offsetof(struct config, member)

static const cli_option options[] = {
    {.name = "data",
     .kind = OPTION_TEXT,
     .metavar = "SPEC",
     AT(data),
     .help = "the data set, as for `downhill train` (default: fashion-mnist)"},
    {.name = "mmap",
     .kind = OPTION_FLAG,
     AT(map),
     .help = "map the features from their files instead of reading them"},
};

/* Statistics of the training samples or of the test samples. */
struct counts {
    size_t *of_class; /* samples per class */
    float low, high;  /* minimum and maximum of all features */
};

static bool count(const samples *s, size_t c, struct counts *k)
{
    const bool bytes = s->x->u8 != NULL;
    *k = (struct counts){.of_class = memory_new(c, sizeof *k->of_class)};
    for (size_t i = 0; k->of_class != NULL && i < s->n; i++) {
        k->of_class[samples_label(s, i)]++;
        for (size_t f = 0; f < s->x->d; f++) {
            const float v = bytes ? (float)samples_u8(s, i)[f] : samples_f32(s, i)[f];
            k->low = (i == 0 && f == 0) || v < k->low ? v : k->low;
            k->high = (i == 0 && f == 0) || v > k->high ? v : k->high;
        }
    }
    return k->of_class != NULL;
}

static void print(const dataset *data, const struct counts k[2])
{
    char number[DATASET_NUMBER_TEXT];
    printf("%s: %zu training and %zu test samples (%s), %zu features of %s, %zu classes\n",
           data->name, data->train.n, data->test.n, data->test_note, data->d,
           data->stored[0].u8 != NULL ? "u8" : "f32", data->c);
    if (data->source[0] != '\0')
        printf("file      %s\n", data->source);
    for (char **note = data->notes; note != NULL && *note != NULL; note++)
        printf("note      %s\n", *note);
    printf("features  training %g ... %g, test %g ... %g\n", (double)k[0].low, (double)k[0].high,
           (double)k[1].low, (double)k[1].high);
    for (size_t j = 0; j < data->c; j++)
        printf("class %-16s %10zu %10zu\n", dataset_class_name(data, j, number), k[0].of_class[j],
               k[1].of_class[j]);
}

static void warn_of_one_class(const dataset *data)
{
    char number[DATASET_NUMBER_TEXT];
    if (data->c == 1)
        warning_line("%s: every sample has the label '%s'; training needs two classes", data->name,
                     dataset_class_name(data, 0, number));
}

static json_t *set_to_json(const samples *s, size_t c, const struct counts *k)
{
    json_t *set = json_object(), *classes = json_array();
    for (size_t j = 0; j < c; j++)
        json_array_append_new(classes, json_integer((json_int_t)k->of_class[j]));
    output_set(set, "samples", json_integer((json_int_t)s->n));
    output_set(set, "lowest", output_real((double)k->low));
    output_set(set, "highest", output_real((double)k->high));
    output_set(set, "samples_of_class", classes);
    return set;
}

static json_t *notes_to_json(const dataset *data)
{
    json_t *notes = json_array();
    for (char **note = data->notes; note != NULL && *note != NULL; note++)
        json_array_append_new(notes, json_string(*note));
    return notes;
}

static int write_json(const char *path, const dataset *data, const struct counts k[2])
{
    char number[DATASET_NUMBER_TEXT];
    json_t *root = json_object(), *checked = json_object(), *names = json_array();
    for (size_t j = 0; j < data->c; j++)
        json_array_append_new(names, json_string(dataset_class_name(data, j, number)));
    output_set(checked, "name", json_string(data->name));
    output_set(checked, "dtype", json_string(data->stored[0].u8 != NULL ? "u8" : "f32"));
    if (data->source[0] != '\0')
        output_set(checked, "source", json_string(data->source));
    output_set(checked, "notes", notes_to_json(data));
    output_set(checked, "features", json_integer((json_int_t)data->d));
    output_set(checked, "classes", names);
    output_set(checked, "train", set_to_json(&data->train, data->c, &k[0]));
    output_set(checked, "test", set_to_json(&data->test, data->c, &k[1]));
    output_set(root, "schema_version", json_integer(OUTPUT_SCHEMA_VERSION));
    output_set(root, "checked", checked);
    return output_json(path, root);
}

static int check(const struct config *config, const dataset *data)
{
    struct counts k[2] = {{0}};
    int code = EXIT_OK;
    if (!count(&data->train, data->c, &k[0]) || !count(&data->test, data->c, &k[1])) {
        error_line("data check: out of memory for %zu classes", data->c);
        code = EXIT_INTERNAL;
    } else {
        warn_of_one_class(data);
        if (data_prints(&config->common))
            print(data, k);
        if (config->common.json != NULL)
            code = write_json(config->common.json, data, k);
    }
    free(k[0].of_class);
    free(k[1].of_class);
    return code;
}

static int run(const cli_command *self, int argc, char **argv)
{
    struct config config = {.data = "fashion-mnist"};
    int operand;
    int code = cli_parse(self, &config, argc, argv, &operand);
    if (code != CLI_CONTINUE)
        return code;
    const task_file json = {"json", config.common.json, OUTPUT_CHECKED};
    if ((code = task_check_files("data check", config.data, &json, 1)) != CLI_CONTINUE)
        return code;
    dataset data;
    code = config.map ? dataset_map(config.data, &data) : dataset_open(config.data, &data);
    if (code != EXIT_OK)
        return code;
    code = check(&config, &data);
    dataset_close(&data);
    return code;
}

const cli_command cli_data_check = {
    .name = "data check",
    .operands = "",
    .summary = "Read a data set and show its shape, the samples of each class, the range of its "
               "features.",
    .groups = {&data_options},
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .run = run};
