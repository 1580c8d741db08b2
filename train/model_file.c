/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "model_file.h"

#include "base/error.h"
#include "base/json_memory.h"
#include "base/memory.h"
#include "base/output.h"
#include "base/real.h"
#include "data/npz.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "downhill-model"

enum { VERSION = 2 };

static int bad(const char *path, const char *what)
{
    error_line("%s: %s; the file is damaged or of another kind", path, what);
    return EXIT_DATA;
}

static int out_of_memory(const char *path)
{
    error_line("%s: out of memory", path);
    return EXIT_INTERNAL;
}

/* ---- writing ---- */

static json_t *class_names(const dataset *data)
{
    json_t *names = json_array();
    for (size_t j = 0; j < data->c; j++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", j);
        json_array_append_new(
            names, json_string(data->class_names != NULL ? data->class_names[j] : number));
    }
    return names;
}

static char *record_text(const model_file *m, const dataset *data)
{
    char digest[MODEL_DIGEST_TEXT];
    json_t *record = m->record != NULL ? json_copy(m->record) : json_object();
    bool good = record != NULL && weights_digest(&m->weights, digest);
    good =
        good && json_object_set_new(record, "format", json_string(FORMAT)) == 0 &&
        json_object_set_new(record, "version", json_integer(VERSION)) == 0 &&
        json_object_set_new(record, "dtype", json_string(feature_words[m->type])) == 0 &&
        json_object_set_new(record, "features",
                            json_string(feature_words[m->bytes ? FEATURES_U8 : FEATURES_F32])) ==
            0 &&
        json_object_set_new(record, "normalize", json_string(normalise_words[m->norm.kind])) == 0 &&
        json_object_set_new(record, "classes", class_names(data)) == 0 &&
        json_object_set_new(record, "model_digest", json_string(digest)) == 0;
    char *text = good ? real_json(record) : NULL;
    json_decref(record);
    if (json_memory_failed()) {
        free(text);
        text = NULL;
    }
    return text;
}

static npz_entry floats(const char *name, size_t rows, size_t columns, const float *values)
{
    const npy_header header = {.kind = 'f',
                               .element_bytes = sizeof(float),
                               .dimensions = columns > 0 ? 2 : 1,
                               .shape = {rows, columns}};
    return (npz_entry){name, header, values, rows * (columns > 0 ? columns : 1) * sizeof(float)};
}

/* Adds weights, which must have ldw = d, as weights_new() allocates them. */
static size_t add_weights(npz_entry *entries, size_t count, const char *w, const char *b,
                          const downhill_weights_f32 *weights)
{
    entries[count++] = floats(w, weights->c, weights->d, weights->w);
    entries[count++] = floats(b, weights->c, 0, weights->b);
    return count;
}

int model_file_write(const char *path, const model_file *m, const dataset *data)
{
    const size_t d = m->weights.d;
    char *text = record_text(m, data);
    float *ones = memory_new(d, sizeof *ones);
    if (text == NULL || ones == NULL) {
        free(text);
        free(ones);
        return out_of_memory(path);
    }
    for (size_t k = 0; k < d; k++)
        ones[k] = 1.0f;
    npz_entry entries[NPZ_ENTRIES_MAX];
    size_t count = add_weights(entries, 0, "w", "b", &m->weights);
    entries[count++] = floats("mean", d, 0, m->norm.mean);
    entries[count++] = floats("scale", d, 0, m->type == FEATURES_U8 ? ones : m->norm.scale);
    if (m->type == FEATURES_U8)
        entries[count++] = floats("unit", d, 0, m->norm.scale);
    if (m->velocity.w != NULL)
        count = add_weights(entries, count, "velocity_w", "velocity_b", &m->velocity);
    if (m->best.w != NULL)
        count = add_weights(entries, count, "best_w", "best_b", &m->best);
    entries[count++] = (npz_entry){.name = "record.json", .elements = text, .bytes = strlen(text)};
    const bool has_state = json_object_get(m->record, "state") != NULL;
    const int code = npz_write(path, has_state ? OUTPUT_CHECKPOINT : OUTPUT_MODEL, entries, count);
    free(text);
    free(ones);
    return code;
}

/* ---- reading ---- */

/* Reads an array of f32 of the given shape. If *columns is 0 it has one dimension. *rows or
 * *columns of SIZE_MAX accepts any size. Both receive the actual shape. */
static int read_floats(npz *file, const char *path, const char *name, bool needed, size_t *rows,
                       size_t *columns, float **values)
{
    npy_header h;
    void *elements;
    *values = NULL;
    const int code = npz_array(file, name, needed, &h, &elements);
    if (code != EXIT_OK || elements == NULL)
        return code;
    const char *wrong = NULL;
    if (h.kind != 'f' || h.element_bytes != sizeof(float))
        wrong = "is not of f32";
    else if (h.dimensions != (*columns > 0 ? 2 : 1) || h.elements == 0)
        wrong = "has a wrong number of dimensions or no elements";
    else if ((*rows != SIZE_MAX && h.shape[0] != *rows) ||
             (*columns > 0 && *columns != SIZE_MAX && h.shape[1] != *columns))
        wrong = "does not match the shape of the other arrays";
    for (size_t i = 0; wrong == NULL && i < h.elements; i++)
        if (!isfinite(((const float *)elements)[i]))
            wrong = "has a number that is not finite";
    if (wrong != NULL) {
        free(elements);
        error_line("%s: %s.npy %s; the file is damaged or of another kind", path, name, wrong);
        return EXIT_DATA;
    }
    *rows = h.shape[0];
    *columns = *columns > 0 ? h.shape[1] : 0;
    *values = elements;
    return EXIT_OK;
}

/* Reads weights and biases. d or c of SIZE_MAX accepts any size. */
static int read_weights(npz *file, const char *path, const char *w, const char *b, bool needed,
                        size_t d, size_t c, downhill_weights_f32 *weights)
{
    size_t none = 0;
    *weights = (downhill_weights_f32){.d = d, .c = c};
    int code = read_floats(file, path, w, needed, &weights->c, &weights->d, &weights->w);
    if (code == EXIT_OK && weights->w != NULL)
        code = read_floats(file, path, b, true, &weights->c, &none, &weights->b);
    weights->ldw = weights->d;
    return code;
}

static int word_of(const json_t *record, const char *key, const char *const *words, int count)
{
    const char *text = json_string_value(json_object_get(record, key));
    for (int i = 0; text != NULL && i < count; i++)
        if (strcmp(text, words[i]) == 0)
            return i;
    return -1;
}

static int check_record(const char *path, model_file *m)
{
    const json_t *record = m->record;
    const char *format = json_string_value(json_object_get(record, "format"));
    const char *digest = json_string_value(json_object_get(record, "model_digest"));
    char own[MODEL_DIGEST_TEXT];
    if (format == NULL || strcmp(format, FORMAT) != 0)
        return bad(path, "record.json: does not describe a model of downhill");
    if (json_integer_value(json_object_get(record, "version")) != VERSION) {
        error_line(
            "%s: unknown version of the model format; use the version of downhill that wrote it",
            path);
        return EXIT_DATA;
    }
    const int type = word_of(record, "dtype", feature_words, 2);
    const int stored = word_of(record, "features", feature_words, 2);
    const int normalise = word_of(record, "normalize", normalise_words, NORMALISE_KINDS);
    if (type < 0 || stored < 0 || normalise < 0 || (type == FEATURES_U8 && stored != FEATURES_U8))
        return bad(path, "record.json: unknown dtype, features or normalize");
    m->type = (feature_type)type;
    m->bytes = stored == FEATURES_U8;
    m->norm.kind = (normalise_kind)normalise;
    const json_t *classes = json_object_get(record, "classes");
    if (json_array_size(classes) != m->weights.c)
        return bad(path, "record.json: the number of class names is not the number of classes");
    m->class_names = memory_new(m->weights.c, sizeof *m->class_names);
    if (m->class_names == NULL)
        return out_of_memory(path);
    for (size_t j = 0; j < m->weights.c; j++)
        if ((m->class_names[j] = json_string_value(json_array_get(classes, j))) == NULL)
            return bad(path, "record.json: a class name is not a string");
    if (!weights_digest(&m->weights, own))
        return out_of_memory(path);
    if (digest == NULL || strcmp(digest, own) != 0)
        return bad(path, "the weights do not match the digest");
    return EXIT_OK;
}

static int read_record(npz *file, const char *path, model_file *m)
{
    char *text;
    json_error_t error;
    const int code = npz_text(file, "record.json", &text);
    if (code != EXIT_OK)
        return code;
    m->record = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    free(text);
    if (json_memory_failed())
        return out_of_memory(path);
    if (m->record == NULL) {
        error_line("%s: record.json: line %d: %s; the file is damaged", path, error.line,
                   error.text);
        return EXIT_DATA;
    }
    return check_record(path, m);
}

/* Reads the scale of the features of a model trained on bytes: `unit`. Its `scale` is 1. */
static int read_unit(npz *file, const char *path, model_file *m)
{
    size_t d = m->weights.d, none = 0;
    float *unit;
    const int code = read_floats(file, path, "unit", true, &d, &none, &unit);
    if (code == EXIT_OK) {
        free(m->norm.scale);
        m->norm.scale = unit;
    }
    return code;
}

/* Derives the rest of the normalisation from mean and scale. */
static int fill_normalisation(const char *path, model_file *m)
{
    normalisation *norm = &m->norm;
    const size_t d = m->weights.d;
    norm->d = d;
    norm->mean_256 = memory_new(d, sizeof *norm->mean_256);
    if (norm->mean_256 == NULL)
        return out_of_memory(path);
    for (size_t k = 0; k < d; k++) {
        const float mean = norm->mean[k] * 256.0f;
        if (m->bytes && !(mean >= 0.0f && mean <= 255.0f * 256.0f))
            return bad(path, "mean.npy: the mean of bytes is outside 0 ... 255");
        norm->mean_256[k] = m->bytes ? (uint16_t)lrintf(mean) : 0;
    }
    return EXIT_OK;
}

static int read_all(npz *file, const char *path, model_file *m)
{
    size_t none = 0;
    int code = read_weights(file, path, "w", "b", true, SIZE_MAX, SIZE_MAX, &m->weights);
    size_t d = m->weights.d, c = m->weights.c;
    if (code == EXIT_OK)
        code = read_floats(file, path, "mean", true, &d, &none, &m->norm.mean);
    if (code == EXIT_OK)
        code = read_floats(file, path, "scale", true, &d, &none, &m->norm.scale);
    if (code == EXIT_OK)
        code = read_weights(file, path, "velocity_w", "velocity_b", false, d, c, &m->velocity);
    if (code == EXIT_OK)
        code = read_weights(file, path, "best_w", "best_b", false, d, c, &m->best);
    if (code == EXIT_OK)
        code = read_record(file, path, m);
    if (code == EXIT_OK && m->type == FEATURES_U8)
        code = read_unit(file, path, m);
    return code == EXIT_OK ? fill_normalisation(path, m) : code;
}

int model_file_read(const char *path, model_file *m)
{
    static const char not_a_model[] =
        "not a model of downhill; give a file written by downhill train --model or --checkpoint";
    npz *file;
    *m = (model_file){0};
    int code = npz_open(path, not_a_model, &file);
    if (code != EXIT_OK)
        return code;
    if (npz_has(file, "w") || npz_has(file, "b")) {
        code = read_all(file, path, m);
    } else {
        error_line("%s: %s", path, not_a_model);
        code = EXIT_DATA;
    }
    npz_close(file);
    if (code != EXIT_OK)
        model_file_close(m);
    return code;
}

void model_file_close(model_file *m)
{
    normalise_close(&m->norm);
    weights_free(&m->weights);
    weights_free(&m->velocity);
    weights_free(&m->best);
    json_decref(m->record);
    free(m->class_names);
    *m = (model_file){0};
}
