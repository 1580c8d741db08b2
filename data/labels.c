/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "labels.h"

#include "base/error.h"
#include "base/memory.h"
#include "readers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DESCRIPTION = 1024 };

/* The distinct labels of a file in ascending order, each given by the first sample that has it. */
struct distinct {
    size_t *samples;
    size_t count, room;
};

void labels_free(labels *l)
{
    free(l->numbers);
    free(l->texts);
    free(l->lines);
    *l = (labels){0};
}

static int out_of_memory(const char *path)
{
    error_line("%s: out of memory for the labels", path);
    return EXIT_INTERNAL;
}

static const char *text_of(const labels *l, size_t i)
{
    return l->texts + i * l->width;
}

static int compare(const labels *l, size_t a, size_t b)
{
    if (l->numbers == NULL)
        return strcmp(text_of(l, a), text_of(l, b));
    return (l->numbers[a] > l->numbers[b]) - (l->numbers[a] < l->numbers[b]);
}

/* Returns a label as text, for a message or as the name of a class. */
static char *name_of(const labels *l, size_t i)
{
    char *name = NULL;
    if (l->numbers == NULL)
        return strdup(text_of(l, i));
    return asprintf(&name, "%" PRId64, l->numbers[i]) >= 0 ? name : NULL;
}

/* Returns where the label of sample i is among the distinct ones, or where it has to be
 * inserted. */
static size_t place_of(const labels *l, const struct distinct *d, size_t i, bool *found)
{
    size_t low = 0, high = d->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare(l, d->samples[middle], i) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = low < d->count && compare(l, d->samples[low], i) == 0;
    return low;
}

static int insert(const char *path, struct distinct *d, size_t at, size_t sample)
{
    if (d->count == DATASET_CLASSES_MAX) {
        error_line("%s: more than %d different labels; labels must be classes, not the values of "
                   "a regression",
                   path, DATASET_CLASSES_MAX);
        return EXIT_DATA;
    }
    if (d->count == d->room) {
        const size_t room = d->room == 0 ? 64 : 2 * d->room;
        size_t *grown = realloc(d->samples, room * sizeof *grown);
        if (grown == NULL)
            return out_of_memory(path);
        d->samples = grown;
        d->room = room;
    }
    memmove(d->samples + at + 1, d->samples + at, (d->count - at) * sizeof *d->samples);
    d->samples[at] = sample;
    d->count++;
    return EXIT_OK;
}

static int find_distinct(const char *path, const labels *l, struct distinct *d)
{
    int code = EXIT_OK;
    *d = (struct distinct){0};
    for (size_t i = 0; i < l->n && code == EXIT_OK; i++) {
        bool found;
        const size_t at = place_of(l, d, i, &found);
        if (!found)
            code = insert(path, d, at, i);
    }
    return code;
}

/* ---- classes defined by the labels ---- */

static int take_names(const char *path, const labels *l, const struct distinct *d, dataset *data)
{
    data->c = d->count;
    data->own_names = calloc(d->count + 1, sizeof *data->own_names);
    if (data->own_names == NULL)
        return out_of_memory(path);
    for (size_t j = 0; j < d->count; j++)
        if ((data->own_names[j] = name_of(l, d->samples[j])) == NULL)
            return out_of_memory(path);
    data->class_names = (const char *const *)data->own_names;
    return EXIT_OK;
}

/* Warns that the numbers from 0 to the highest label are not all labels. */
static void warn_of_gaps(const char *path, const labels *l, const struct distinct *d)
{
    const int64_t high = l->numbers[d->samples[d->count - 1]], count = high - (int64_t)d->count + 1;
    int64_t missing[2] = {0};
    size_t found = 0;
    for (size_t j = 1; j < d->count && found < 2; j++)
        for (int64_t label = l->numbers[d->samples[j - 1]] + 1;
             label < l->numbers[d->samples[j]] && found < 2; label++)
            missing[found++] = label;
    char text[128];
    if (count == 1)
        snprintf(text, sizeof text, "label %" PRId64 " has no sample", missing[0]);
    else if (count == 2)
        snprintf(text, sizeof text, "labels %" PRId64 " and %" PRId64 " have no sample", missing[0],
                 missing[1]);
    else
        snprintf(text, sizeof text,
                 "%" PRId64 " labels between 0 and %" PRId64
                 " have no sample, the first is %" PRId64,
                 count, high, missing[0]);
    warning_line("%s: %s; the %zu labels that occur are the classes, in ascending order", path,
                 text, d->count);
}

/* Notes that labels were renumbered, or warns of gaps. Labels that count from 0 without a gap are
 * the numbers of their classes. Others are renumbered, which is noted; a gap after 0 may come from
 * a single damaged byte and gets a warning. */
static bool tell_numbering(const char *path, const labels *l, const struct distinct *d,
                           dataset *data)
{
    if (l->numbers == NULL)
        return true;
    const int64_t low = l->numbers[d->samples[0]], high = l->numbers[d->samples[d->count - 1]];
    if (low == 0 && high == (int64_t)d->count - 1)
        return true;
    if (low != 0)
        return dataset_note(data,
                            "%s: the %zu labels, %" PRId64 " to %" PRId64
                            ", are classes 0 to %zu in ascending order",
                            path, d->count, low, high, d->count - 1);
    warn_of_gaps(path, l, d);
    return true;
}

/* ---- given classes ---- */

static bool is_whole_number(const char *name)
{
    const char *digits = name + (name[0] == '-');
    return digits[0] != '\0' && digits[strspn(digits, "0123456789")] == '\0';
}

/* Returns whether labels are numbers of classes, all of which are named by words. Labels without a
 * 0 are not: they might count from 1 or belong to another set. */
static bool are_places(const labels *l, const struct distinct *d, const dataset *data)
{
    if (l->numbers == NULL || l->numbers[d->samples[0]] != 0)
        return false;
    for (size_t j = 0; j < data->c; j++)
        if (is_whole_number(data->class_names[j]))
            return false;
    return true;
}

static bool tell_places(const char *path, const struct distinct *d, const int32_t *classes,
                        dataset *data)
{
    enum { SHOWN = 5, ROOM = 512 };
    char numbers[ROOM] = "", names[ROOM] = "";
    size_t used[2] = {0};
    for (size_t j = 0; j < d->count && j < SHOWN; j++) {
        const char *comma = j > 0 ? ", " : "";
        used[0] +=
            (size_t)snprintf(numbers + used[0], ROOM - used[0], "%s%" PRId32, comma, classes[j]);
        used[1] += (size_t)snprintf(names + used[1], ROOM - used[1], "%s'%.60s'", comma,
                                    data->class_names[classes[j]]);
    }
    if (d->count == 1)
        return dataset_note(data, "%s: label %s is taken as the number of the class %s", path,
                            numbers, names);
    const char *more = d->count > SHOWN ? ", ..." : "";
    return dataset_note(data, "%s: labels %s%s are taken as the numbers of the classes %s%s", path,
                        numbers, more, names, more);
}

/* Returns the class of that name, or c. The search begins at *next, as names mostly come in the
 * order of the classes. */
static size_t find_name(const char *const *names, size_t c, const char *name, size_t *next)
{
    for (size_t tries = 0; tries < c; tries++, *next = (*next + 1) % c)
        if (strcmp(names[*next], name) == 0)
            return *next;
    return c;
}

/* Sets the class of each distinct label, by its name or `by_place`; DATASET_NO_CLASS if it has
 * none. *unknown is the label without a class that comes first in the file, or d->count. */
static int match(const char *path, const labels *l, const struct distinct *d, bool by_place,
                 const dataset *data, int32_t *classes, size_t *unknown)
{
    const size_t c = data->c;
    size_t next = 0;
    *unknown = d->count;
    for (size_t j = 0; j < d->count; j++) {
        char *name = name_of(l, d->samples[j]);
        if (name == NULL)
            return out_of_memory(path);
        size_t class = find_name(data->class_names, c, name, &next);
        free(name);
        if (by_place && l->numbers[d->samples[j]] < (int64_t)c)
            class = (size_t)l->numbers[d->samples[j]];
        classes[j] = class < c ? (int32_t) class : DATASET_NO_CLASS;
        if (class == c && (*unknown == d->count || d->samples[j] < d->samples[*unknown]))
            *unknown = j;
    }
    return EXIT_OK;
}

/* Writes "FILE:LINE: label 'NAME'" or "FILE: label 'NAME' of sample NUMBER". */
static bool describe(const char *path, const labels *l, size_t sample, char text[DESCRIPTION])
{
    char *name = name_of(l, sample);
    if (name == NULL)
        return false;
    if (l->lines != NULL)
        snprintf(text, DESCRIPTION, "%s:%zu: label '%.60s'", path, l->lines[sample], name);
    else
        snprintf(text, DESCRIPTION, "%s: label '%.60s' of sample %zu", path, name, sample);
    free(name);
    return true;
}

/* Maps the distinct labels to the classes in data->class_names. Optional labels are ignored only if
 * none of them is known: if only some are unknown, they are probably misspelt, and the evaluation
 * should not be lost. */
static int take_given(const char *path, const labels *l, const struct distinct *d, int set,
                      dataset *data, int32_t *classes)
{
    char label[DESCRIPTION];
    size_t unknown;
    const bool by_place = are_places(l, d, data);
    bool some_known = set == 1 && !data->stored[0].unlabelled;
    const int code = match(path, l, d, by_place, data, classes, &unknown);
    if (code != EXIT_OK)
        return code;
    if (unknown == d->count)
        return !by_place || tell_places(path, d, classes, data) ? EXIT_OK : out_of_memory(path);
    if (!describe(path, l, d->samples[unknown], label))
        return out_of_memory(path);
    for (size_t j = 0; j < d->count; j++)
        some_known = some_known || classes[j] != DATASET_NO_CLASS;
    if (data->use.labels_optional && some_known) {
        error_line("%s is not a class of the model, although others are; correct the labels, or "
                   "give the data without labels",
                   label);
        return EXIT_DATA;
    }
    if (data->use.labels_optional) {
        warning_line("%s is not a class of the model; the labels are ignored, and nothing is "
                     "compared with them",
                     label);
        data->stored[set].unlabelled = true;
        return EXIT_OK;
    }
    error_line("%s is not a class of the %s; name data that belong together", label,
               data->use.classes != NULL ? "model" : "training samples");
    return EXIT_DATA;
}

/* ---- samples ---- */

int labels_classify(const char *path, const labels *l, int set, dataset *data)
{
    struct distinct d;
    int code = find_distinct(path, l, &d);
    int32_t *classes = code == EXIT_OK ? memory_new(d.count, sizeof *classes) : NULL;
    if (code == EXIT_OK && classes == NULL)
        code = out_of_memory(path);
    if (set == 0) {
        data->class_names = data->use.classes;
        data->c = data->use.n_classes;
    }
    if (code == EXIT_OK && (set == 1 || data->use.classes != NULL)) {
        code = take_given(path, l, &d, set, data, classes);
    } else if (code == EXIT_OK) {
        for (size_t j = 0; j < d.count; j++)
            classes[j] = (int32_t)j;
        code = take_names(path, l, &d, data);
        if (code == EXIT_OK && !tell_numbering(path, l, &d, data))
            code = out_of_memory(path);
    }
    for (size_t i = 0; i < l->n && code == EXIT_OK; i++) {
        bool found;
        data->stored[set].y[i] = classes[place_of(l, &d, i, &found)];
    }
    if (code == EXIT_OK && data->stored[set].unlabelled)
        labels_absent(set, data);
    free(classes);
    free(d.samples);
    return code;
}

int labels_classify_numbered(const char *path, const labels *l, int set, dataset *data)
{
    for (size_t i = 0; i < l->n; i++) {
        const int64_t label = l->numbers[i];
        if (label < 0 || label >= (int64_t)data->c) {
            error_line("%s: label %" PRId64 " of sample %zu is outside 0 ... %zu; the file "
                       "belongs to another data set",
                       path, label, i, data->c - 1);
            return EXIT_DATA;
        }
        data->stored[set].y[i] = (int32_t)label;
    }
    return EXIT_OK;
}

void labels_absent(int set, dataset *data)
{
    matrix *x = &data->stored[set];
    data->class_names = data->use.classes;
    data->c = data->use.n_classes;
    x->unlabelled = true;
    for (size_t i = 0; i < x->rows; i++)
        x->y[i] = DATASET_NO_CLASS;
}
