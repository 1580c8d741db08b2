/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "dataset.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/suggest.h"
#include "readers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Without test files 1/6 of the samples is held out, with a fixed seed: whatever --seed is, the
 * same samples are kept from training, so that a model can be tested on them later. */
enum { HELD_OUT_SHARE = 6, HELD_OUT_SEED = 6 };

static const struct format {
    const char *word, *operands;
    dataset_reader *read;
} formats[] = {
    {"fashion-mnist", "", read_fashion_mnist},
    {"idx", "IMAGES,LABELS[,TEST_IMAGES,TEST_LABELS]", read_idx},
    {"npy", "X.npy,Y.npy[,TEST_X.npy,TEST_Y.npy]", read_npy},
    {"npz", "FILE[,FEATURES,LABELS[,TEST_FEATURES,TEST_LABELS]]", read_npz},
    {"libsvm", "FILE[,TEST_FILE]", read_libsvm},
    {"cifar10", "DIRECTORY", read_cifar10},
    {"cifar100", "DIRECTORY", read_cifar100},
};

enum { N_FORMATS = sizeof formats / sizeof formats[0] };

static bool ends_in(const char *text, size_t length, const char *ending)
{
    const size_t n = strlen(ending);
    return length >= n && strncmp(text + length - n, ending, n) == 0;
}

/* Returns the format that the first file name of a spec without one suggests, or NULL. */
static const char *format_of_name(const char *spec)
{
    static const struct {
        const char *ending, *word;
    } endings[] = {{".npy", "npy"},       {".npz", "npz"},         {".svm", "libsvm"},
                   {".libsvm", "libsvm"}, {".svmlight", "libsvm"}, {".idx", "idx"},
                   {"-ubyte", "idx"}};
    size_t length = strcspn(spec, ",");
    if (ends_in(spec, length, ".gz"))
        length -= strlen(".gz");
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (ends_in(spec, length, endings[i].ending))
            return endings[i].word;
    return NULL;
}

/* Writes " (did you mean FORMAT:OPERANDS?)" for a format that is probably misspelt, or "". A word
 * without operands can only be a format that takes none: otherwise it is the name of a file. */
static void suggest_spec(const char *spec, char *text, size_t size)
{
    char word[64];
    const size_t length = strcspn(spec, ":");
    const bool has_operands = spec[length] == ':';
    suggest_words words = {0};
    for (size_t f = 0; f < N_FORMATS; f++)
        if (has_operands || formats[f].operands[0] == '\0')
            words.words[words.count++] = formats[f].word;
    snprintf(word, sizeof word, "%.*s", (int)(length < sizeof word ? length : sizeof word - 1),
             spec);
    const char *meant = suggest(word, &words);
    text[0] = '\0';
    for (size_t f = 0; meant != NULL && f < N_FORMATS; f++)
        if (meant == formats[f].word)
            snprintf(text, size, " (did you mean %s%s?)", meant,
                     formats[f].operands[0] != '\0' ? spec + length : "");
}

static int unknown(const char *spec)
{
    char suggestion[1024];
    suggest_spec(spec, suggestion, sizeof suggestion);
    const char *meant = suggestion[0] == '\0' ? format_of_name(spec) : NULL;
    if (meant != NULL) {
        error_line("--data: '%s' does not name its format; did you mean %s:%s?", spec, meant, spec);
        return EXIT_USAGE;
    }
    char list[512] = "";
    size_t used = 0;
    for (size_t f = 0; f < N_FORMATS; f++) {
        const int more = snprintf(list + used, sizeof list - used, "%s%s%s%s",
                                  f == 0               ? ""
                                  : f == N_FORMATS - 1 ? " or "
                                                       : ", ",
                                  formats[f].word, formats[f].operands[0] != '\0' ? ":" : "",
                                  formats[f].operands);
        used += more > 0 && (size_t)more < sizeof list - used ? (size_t)more : 0;
    }
    const bool is_path = strchr(spec, ':') == NULL && strpbrk(spec, "/.,") != NULL;
    error_line("--data: '%s' %s%s; give %s", spec,
               is_path ? "does not name its format" : "is not known", suggestion, list);
    return EXIT_USAGE;
}

int dataset_open_for(const char *spec, bool mapped, dataset_use use, dataset *data)
{
    *data = (dataset){.use = use};
    const size_t length = strcspn(spec, ":");
    const char *operands = spec[length] == ':' ? spec + length + 1 : "";
    for (size_t f = 0; f < N_FORMATS; f++) {
        const struct format *format = &formats[f];
        const bool takes_operands = format->operands[0] != '\0';
        if (strlen(format->word) != length || strncmp(format->word, spec, length) != 0 ||
            takes_operands != (spec[length] == ':'))
            continue;
        snprintf(data->name, sizeof data->name, "%s", format->word);
        const int code = format->read(operands, mapped, data);
        if (code != EXIT_OK)
            dataset_close(data);
        data->d = data->stored[0].d;
        return code;
    }
    return unknown(spec);
}

int dataset_open(const char *spec, dataset *data)
{
    return dataset_open_for(spec, false, (dataset_use){0}, data);
}

int dataset_map(const char *spec, dataset *data)
{
    return dataset_open_for(spec, true, (dataset_use){0}, data);
}

static void free_list(char **texts)
{
    for (size_t i = 0; texts != NULL && texts[i] != NULL; i++)
        free(texts[i]);
    free(texts);
}

void dataset_close(dataset *data)
{
    samples_free(&data->train);
    samples_free(&data->validation);
    samples_free(&data->test);
    matrix_free(&data->stored[0]);
    matrix_free(&data->stored[1]);
    free_list(data->own_names);
    free_list(data->notes);
    *data = (dataset){0};
}

const char *dataset_class_name(const dataset *data, size_t j, char number[DATASET_NUMBER_TEXT])
{
    if (data->class_names != NULL)
        return data->class_names[j];
    snprintf(number, DATASET_NUMBER_TEXT, "%zu", j);
    return number;
}

/* ---- for the readers ---- */

static int out_of_memory(const dataset *data)
{
    error_line("%s: out of memory", data->name);
    return EXIT_INTERNAL;
}

int dataset_take_all(dataset *data, int set, size_t n)
{
    const bool good =
        samples_range(&data->stored[set], 0, n, set == 0 ? &data->train : &data->test);
    return good ? EXIT_OK : out_of_memory(data);
}

/* Moves n samples, drawn at random, to a new set. Both sets keep the order of memory. */
static bool draw_apart(samples *from, size_t n, uint64_t seed, samples *to)
{
    const size_t all = from->n;
    bool *chosen = calloc(all, sizeof *chosen);
    size_t *order = memory_new(all, sizeof *order);
    *to = (samples){.x = from->x, .rows = memory_new(n, sizeof *to->rows), .n = n};
    const bool good = chosen != NULL && order != NULL && to->rows != NULL;
    rng r = rng_seeded(seed);
    for (size_t i = 0; good && i < all; i++)
        order[i] = i;
    if (good)
        rng_shuffle(&r, order, all);
    for (size_t i = 0; good && i < n; i++)
        chosen[order[i]] = true;
    free(order);
    if (good)
        from->n = 0;
    for (size_t i = 0, taken = 0; good && i < all; i++)
        if (chosen[i])
            to->rows[taken++] = from->rows[i];
        else
            from->rows[from->n++] = from->rows[i];
    free(chosen);
    return good;
}

int dataset_take_with_held_out(const char *path, dataset *data, size_t n)
{
    const size_t n_test = n / HELD_OUT_SHARE;
    if (n_test == 0 && data->use.whole) {
        data->test_note = "none: too few samples to hold out a sixth";
        return dataset_take_all(data, 0, n);
    }
    if (n_test == 0) {
        error_line("%s: %zu samples are too few to hold out a sixth for testing; name test files",
                   path, n);
        return EXIT_DATA;
    }
    data->test_note = "a sixth of the samples, drawn at random and held out";
    const bool good = samples_range(&data->stored[0], 0, n, &data->train) &&
                      draw_apart(&data->train, n_test, HELD_OUT_SEED, &data->test);
    return good ? EXIT_OK : out_of_memory(data);
}

bool dataset_note(dataset *data, const char *format, ...)
{
    size_t count = 0;
    while (data->notes != NULL && data->notes[count] != NULL)
        count++;
    char **grown = realloc(data->notes, (count + 2) * sizeof *grown);
    if (grown == NULL)
        return false;
    data->notes = grown;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&grown[count], format, arguments) < 0)
        grown[count] = NULL;
    va_end(arguments);
    grown[count + 1] = NULL;
    return grown[count] != NULL;
}

int dataset_judge_zeros(const char *path, size_t vanished, size_t nonzero, const char *remedy)
{
    if (vanished == nonzero) {
        error_line("%s: all %zu features other than 0 are below the range of float32 and would be "
                   "0; %s",
                   path, nonzero, remedy);
        return EXIT_DATA;
    }
    warning_line("%s: %zu of %zu features other than 0 are below the range of float32 and became "
                 "0; if they matter, %s",
                 path, vanished, nonzero, remedy);
    return EXIT_OK;
}

void dataset_print_notes(const dataset *data)
{
    for (char **note = data->notes; note != NULL && *note != NULL; note++)
        note_line("%s", *note);
}

/* ---- validation ---- */

int dataset_hold_out_validation(dataset *data, double share, uint64_t seed)
{
    const size_t all = data->train.n, n = (size_t)(share * (double)all + 0.5);
    if (n == 0 || n == all) {
        error_line("--validation: %g %% of %zu training samples leaves none for training or none "
                   "for validation; choose another share",
                   100.0 * share, all);
        return EXIT_USAGE;
    }
    return draw_apart(&data->train, n, seed, &data->validation) ? EXIT_OK : out_of_memory(data);
}
