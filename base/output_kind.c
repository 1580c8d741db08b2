/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "output_kind.h"

#include "error.h"
#include "json_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

enum { HEAD_BYTES = 4096, JSON_BYTES_MAX = 1 << 28, RECORD_BYTES_MAX = 1 << 28, MARKS_MAX = 3 };

/* Marks are members of a JSON object, or prefixes of a table: column names that no other program
 * writes. */
static const struct {
    const char *marks[MARKS_MAX];
    const char *name;
} kinds[OUTPUT_KIND_COUNT] = {
    [OUTPUT_NONE] = {{NULL}, "a file of downhill"},
    [OUTPUT_NEW] = {{NULL}, "a new file"},
    [OUTPUT_REPORT] = {{"report"}, "results of downhill report"},
    [OUTPUT_BENCH] = {{"benchmarks"}, "results of downhill bench"},
    [OUTPUT_CEILINGS] = {{"ceilings"}, "ceilings of downhill bench"},
    [OUTPUT_TRAINING] = {{"training"}, "results of downhill train"},
    [OUTPUT_PREDICTION] = {{"prediction"}, "results of downhill predict"},
    [OUTPUT_GRADCHECK] = {{"gradcheck"}, "results of downhill gradcheck"},
    [OUTPUT_LANDSCAPE] = {{"landscape"}, "results of downhill landscape"},
    [OUTPUT_STEP_SWEEP] = {{"step_sweep"}, "results of downhill step-sweep"},
    [OUTPUT_FINDINGS] = {{"findings"}, "findings of downhill doctor"},
    [OUTPUT_CHECKED] = {{"checked"}, "results of downhill data check"},
    [OUTPUT_GENERATED] = {{"generated"}, "results of downhill data gen"},
    [OUTPUT_GALLERY_ENTRY] = {{"gallery_entry"}, "an entry of downhill gallery"},
    [OUTPUT_PEERS] = {{"peers_training"}, "results of scripts/peers.py"},
    [OUTPUT_PREDICTION_CSV] = {{"sample,test,label,prediction,label_name,prediction_name"},
                               "a table of downhill predict"},
    [OUTPUT_LANDSCAPE_CSV] = {{"distance_1,loss_at_distance\n",
                               "distance_1,distance_2,loss_at_distance\n",
                               "w0,loss_0,loss_1,loss_2,mean\n"},
                              "a table of downhill landscape"},
    [OUTPUT_STEP_SWEEP_CSV] = {{"step_size,loss_after_step\n"}, "a table of downhill step-sweep"},
    [OUTPUT_MODEL] = {{NULL}, "a model of downhill train"},
    [OUTPUT_CHECKPOINT] = {{NULL}, "a checkpoint of downhill train"},
};

/* Names for other contents, by their first bytes. */
static const struct {
    const char *magic;
    size_t length;
    const char *name;
} foreign[] = {
    {"\x93NUMPY", 6, "NumPy data"},
    {"PK", 2, "an archive that is not a complete model of downhill"},
    {"\x89PNG", 4, "a picture"},
    {"<svg", 4, "a picture"},
    {"%PDF", 4, "a PDF document"},
    {"\x1f\x8b", 2, "gzip data"},
    {"\0\0\x08", 3, "IDX data"},
    {"\x7f"
     "ELF",
     4, "a program"},
    {"<!DOCTYPE html", 14, "an HTML page"},
    {"<?xml", 5, "an XML document or a picture"},
    {"{", 1, "JSON that downhill did not write"},
    {"[", 1, "JSON that downhill did not write"},
};

/* The part of a file that determines its kind. */
struct contents {
    output_kind kind;
    const char *foreign; /* describes the contents if kind is OUTPUT_NONE */
    size_t length;       /* of `head`; 0: an empty file */
    size_t size;
    char head[HEAD_BYTES];
};

output_kind output_kind_of_json(const json_t *root)
{
    if (json_is_integer(json_object_get(root, "schema_version")))
        for (int k = OUTPUT_REPORT; k <= OUTPUT_PEERS; k++)
            if (json_object_get(root, kinds[k].marks[0]) != NULL)
                return (output_kind)k;
    return OUTPUT_NONE;
}

/* Returns 0 or an errno value, like kind_of_archive(). */
static int kind_of_json_file(const char *path, output_kind *kind)
{
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error);
    const bool unread = root == NULL && error.line < 0;
    *kind = output_kind_of_json(root);
    json_decref(root);
    return json_memory_failed() ? ENOMEM : unread ? EIO : 0;
}

/* A checkpoint is a model whose record has a state. */
static output_kind kind_of_record(const char *text, size_t size)
{
    json_error_t error;
    json_t *record = json_loadb(text, size, 0, &error);
    const char *format = json_string_value(json_object_get(record, "format"));
    output_kind kind = OUTPUT_NONE;
    if (format != NULL && strcmp(format, "downhill-model") == 0)
        kind = json_object_get(record, "state") != NULL ? OUTPUT_CHECKPOINT : OUTPUT_MODEL;
    json_decref(record);
    return kind;
}

static int kind_of_archive(const char *path, output_kind *kind)
{
    int reason = 0;
    zip_stat_t info;
    zip_t *archive = zip_open(path, ZIP_RDONLY, &reason);
    zip_file_t *entry = NULL;
    char *text = NULL;
    bool enough_memory = true;
    if (archive != NULL && zip_stat(archive, "record.json", 0, &info) == 0 &&
        (info.valid & ZIP_STAT_SIZE) != 0 && info.size > 0 && info.size <= RECORD_BYTES_MAX)
        entry = zip_fopen_index(archive, info.index, 0);
    if (entry != NULL) {
        text = malloc(info.size);
        enough_memory = text != NULL;
        if (enough_memory && zip_fread(entry, text, info.size) == (zip_int64_t)info.size)
            *kind = kind_of_record(text, info.size);
        zip_fclose(entry);
    }
    free(text);
    if (archive != NULL)
        zip_discard(archive);
    if (!enough_memory || json_memory_failed())
        return ENOMEM;
    return reason == ZIP_ER_OPEN || reason == ZIP_ER_READ ? EIO : 0;
}

/* Returns whether the rest of the first line is that of a prediction: columns score_0, score_1,
 * ..., or none. If the line is longer than the head of the file, only the head is checked. */
static bool ends_in_scores(const char *rest)
{
    char column[32];
    for (size_t j = 0; *rest != '\n'; j++) {
        const size_t length = (size_t)snprintf(column, sizeof column, ",score_%zu", j);
        const size_t there = strnlen(rest, length);
        if (strncmp(rest, column, there) != 0 || (there < length && j == 0))
            return false;
        if (there < length)
            return true;
        rest += length;
    }
    return true;
}

static output_kind kind_of_table(const char *head)
{
    const char *prediction = kinds[OUTPUT_PREDICTION_CSV].marks[0];
    if (strncmp(head, prediction, strlen(prediction)) == 0)
        return ends_in_scores(head + strlen(prediction)) ? OUTPUT_PREDICTION_CSV : OUTPUT_NONE;
    for (int k = OUTPUT_LANDSCAPE_CSV; k <= OUTPUT_STEP_SWEEP_CSV; k++)
        for (int m = 0; m < MARKS_MAX && kinds[k].marks[m] != NULL; m++)
            if (strncmp(head, kinds[k].marks[m], strlen(kinds[k].marks[m])) == 0)
                return (output_kind)k;
    return OUTPUT_NONE;
}

static const char *name_of_foreign(const struct contents *c)
{
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        if (c->length >= foreign[i].length &&
            memcmp(c->head, foreign[i].magic, foreign[i].length) == 0)
            return foreign[i].name;
    for (size_t i = 0; i < c->length; i++)
        if ((unsigned char)c->head[i] < ' ' && strchr("\t\n\r", c->head[i]) == NULL)
            return "data that downhill does not know";
    return "text of another kind";
}

/* Reads the head of a file. Returns 0 or an errno value. Does not block on a pipe. */
static int read_head(const char *path, struct contents *c)
{
    struct stat info;
    const int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0)
        return errno;
    int reason = 0;
    ssize_t got = -1;
    if (fstat(descriptor, &info) != 0 || (got = read(descriptor, c->head, HEAD_BYTES - 1)) < 0)
        reason = errno;
    close(descriptor);
    if (reason == 0) {
        c->length = (size_t)got;
        c->head[got] = '\0';
        c->size = (size_t)info.st_size;
    }
    return reason;
}

/* Returns 0 or an errno value. */
static int look_into(const char *path, struct contents *c)
{
    *c = (struct contents){.kind = OUTPUT_NONE};
    const int reason = read_head(path, c);
    if (reason != 0 || c->length == 0)
        return reason;
    c->foreign = name_of_foreign(c);
    if (c->head[0] == '{' && c->size <= JSON_BYTES_MAX)
        return kind_of_json_file(path, &c->kind);
    if (strncmp(c->head, "PK", 2) == 0)
        return kind_of_archive(path, &c->kind);
    c->kind = kind_of_table(c->head);
    return 0;
}

int output_may_replace(const char *path, output_kind kind, char why[OUTPUT_WHY_MAX])
{
    struct contents c;
    const int reason = look_into(path, &c);
    if (reason == ENOENT ||
        (reason == 0 && (c.length == 0 || (c.kind == kind && kind != OUTPUT_NONE))))
        return EXIT_OK;
    if (reason == ENOMEM) {
        snprintf(why, OUTPUT_WHY_MAX, "out of memory");
        return EXIT_INTERNAL;
    }
    if (reason != 0)
        snprintf(why, OUTPUT_WHY_MAX, "cannot read the existing file: %s", strerror(reason));
    else if (kind == OUTPUT_NEW)
        snprintf(why, OUTPUT_WHY_MAX, "already exists and would be lost");
    else
        snprintf(why, OUTPUT_WHY_MAX, "holds %s, not %s",
                 c.kind != OUTPUT_NONE ? kinds[c.kind].name : c.foreign, kinds[kind].name);
    return EXIT_USAGE;
}
