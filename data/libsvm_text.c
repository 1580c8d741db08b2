/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "libsvm_text.h"

#include "base/error.h"
#include "dataset.h"
#include "decimal.h"
#include "lines.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 24 };

struct parser {
    lines lines;
    bool labels_optional;
    libsvm_text *text;
};

/* Words end at a space or tab; other white space counts as part of a word, and is refused. */
static bool at_blank(const char *at)
{
    return *at == ' ' || *at == '\t' || *at == '\0';
}

static const char *skip_blank(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

/* ---- messages ---- */

__attribute__((format(printf, 3, 4))) static int bad(const struct parser *p, const char *at,
                                                     const char *format, ...)
{
    char reason[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    error_line("%s:%zu:%zu: %s", p->lines.stream.path, p->lines.number,
               (size_t)(at - p->lines.line) + 1, reason);
    return EXIT_DATA;
}

struct shown {
    char text[SHOWN + 4];
};

/* Returns the word at `at` for a message: shortened, without control characters. */
static struct shown shown(const char *at)
{
    struct shown s = {""};
    size_t i = 0;
    for (; !at_blank(at + i); i++) {
        if (i == SHOWN) {
            strcpy(s.text + i, "...");
            break;
        }
        s.text[i] = '?';
        if (at[i] > ' ' && at[i] < 0x7f)
            s.text[i] = at[i];
    }
    return s;
}

/* ---- growing arrays ---- */

/* Returns `items`, reallocated if needed, with room for one more element; NULL if memory is
 * short. */
static void *with_room(void *items, size_t count, size_t *room, size_t bytes)
{
    if (count < *room)
        return items;
    const size_t more = *room == 0 ? 1024 : *room * 2;
    void *grown = more <= PTRDIFF_MAX / bytes ? realloc(items, more * bytes) : NULL;
    *room = grown != NULL ? more : *room;
    return grown;
}

static int out_of_memory(const struct parser *p)
{
    error_line("%s:%zu: out of memory; use fewer samples", p->lines.stream.path, p->lines.number);
    return EXIT_INTERNAL;
}

static int add_row(struct parser *p, libsvm_row row)
{
    libsvm_text *t = p->text;
    libsvm_row *rows = with_room(t->rows, t->n_rows, &t->rows_room, sizeof *rows);
    if (rows == NULL)
        return out_of_memory(p);
    t->rows = rows;
    t->rows[t->n_rows++] = row;
    return EXIT_OK;
}

static int add_entry(struct parser *p, size_t count, libsvm_entry entry)
{
    libsvm_text *t = p->text;
    libsvm_entry *entries = with_room(t->entries, count, &t->entries_room, sizeof *entries);
    if (entries == NULL)
        return out_of_memory(p);
    t->entries = entries;
    t->entries[count] = entry;
    return EXIT_OK;
}

/* ---- a line ---- */

static int take_label(struct parser *p, const char **at, int64_t *label)
{
    const char *const start = *at;
    const decimal_fault fault = decimal_whole(start, at, label);
    const bool labelled = **at != ':', first = p->text->n_rows == 0;
    if (!labelled && !p->labels_optional)
        return bad(p, start, "'%s' where a label is expected; begin the line with its class",
                   shown(start).text);
    if (!first && labelled != p->text->labelled)
        return bad(p, start, "%s a label, unlike the lines before; label all lines or none",
                   labelled ? "begins with" : "begins without");
    p->text->labelled = labelled;
    if (!labelled) {
        *at = start;
        *label = 0;
        return EXIT_OK;
    }
    if (fault == DECIMAL_NOT_FINITE)
        return bad(p, start, "label '%s' is not finite; give the class as an integer",
                   shown(start).text);
    if (fault != DECIMAL_GOOD || !at_blank(*at))
        return bad(p, start, "label '%s' is not a whole number; give the class as an integer",
                   shown(start).text);
    return EXIT_OK;
}

/* Reads "INDEX:", from 1. */
static int take_index(struct parser *p, const char **at, size_t *index)
{
    const char *const start = *at, *digit = start;
    uint64_t value = 0;
    for (; *digit >= '0' && *digit <= '9'; digit++)
        if (value <= DATASET_FEATURES_MAX) /* a larger value stays too large, and cannot overflow */
            value = value * 10 + (uint64_t)(*digit - '0');
    if (strncmp(start, "qid:", 4) == 0)
        return bad(p, start,
                   "qid is for ranking, not for classification; remove it, for instance with "
                   "sed 's/ qid:[0-9]*//'");
    if (*digit != ':' && at_blank(digit))
        return bad(p, start, "'%s' has no ':'; write INDEX:VALUE", shown(start).text);
    if (*digit != ':' || digit == start)
        return bad(p, start, "'%s' does not begin with an index; write INDEX:VALUE",
                   shown(start).text);
    if (value == 0)
        return bad(p, start,
                   "index 0: indices start at 1; add 1 to all of them "
                   "(dump_svmlight_file: zero_based=False)");
    if (value > DATASET_FEATURES_MAX)
        return bad(p, start, "index %.*s: at most %d features can be read; renumber the features",
                   (int)(digit - start < SHOWN ? digit - start : SHOWN), start,
                   DATASET_FEATURES_MAX);
    *index = (size_t)value;
    *at = digit + 1;
    return EXIT_OK;
}

static int take_value(struct parser *p, const char **at, float *value)
{
    const char *const start = *at;
    if (at_blank(start))
        return bad(p, start, "the value is missing; write INDEX:VALUE without a space");
    const decimal_fault fault = decimal_f32(start, at, value);
    if (fault == DECIMAL_NOT_FINITE)
        return bad(p, start, "value '%s' is not finite in f32; leave the sample out, or scale it",
                   shown(start).text);
    if (fault != DECIMAL_GOOD || !at_blank(*at))
        return bad(p, start, "value '%s' is not a number; write it as in 0.5 or 5e-1",
                   shown(start).text);
    return EXIT_OK;
}

/* Returns whether a decimal number is not 0, however small. */
static bool is_nonzero(const char *number)
{
    return number[strspn(number, "+-0.")] >= '1' && number[strspn(number, "+-0.")] <= '9';
}

static int take_entry(struct parser *p, const char **at, size_t *last, size_t *used)
{
    const char *const start = *at;
    size_t index = 0;
    float value;
    int code = take_index(p, at, &index);
    if (code != EXIT_OK)
        return code;
    if (index == *last)
        return bad(p, start, "index %zu is repeated; keep one of them", index);
    if (index < *last)
        return bad(p, start, "index %zu after %zu; sort the indices of each line", index, *last);
    if ((code = take_value(p, at, &value)) != EXIT_OK)
        return code;
    *last = index;
    const bool nonzero = is_nonzero(strchr(start, ':') + 1);
    p->text->nonzero += nonzero;
    p->text->vanished += nonzero && value == 0.0f;
    return add_entry(p, (*used)++, (libsvm_entry){(uint32_t)(index - 1), value});
}

static int take_line(struct parser *p)
{
    libsvm_text *t = p->text;
    p->lines.line[strcspn(p->lines.line, "#")] = '\0';
    const char *at = skip_blank(p->lines.line);
    if (*at == '\0')
        return EXIT_OK;
    int64_t label;
    size_t last = 0, used = t->n_rows > 0 ? t->rows[t->n_rows - 1].end : 0;
    int code = take_label(p, &at, &label);
    for (at = skip_blank(at); code == EXIT_OK && *at != '\0'; at = skip_blank(at))
        code = take_entry(p, &at, &last, &used);
    t->d = last > t->d ? last : t->d;
    return code == EXIT_OK ? add_row(p, (libsvm_row){label, p->lines.number, used}) : code;
}

int libsvm_read(const char *path, bool labels_optional, libsvm_text *t)
{
    struct parser p = {.labels_optional = labels_optional, .text = t};
    *t = (libsvm_text){0};
    int code = lines_open(path, &p.lines);
    if (code != EXIT_OK)
        return code;
    while ((code = lines_next(&p.lines)) == EXIT_OK && p.lines.line != NULL)
        if ((code = take_line(&p)) != EXIT_OK)
            break;
    lines_close(&p.lines);
    if (code == EXIT_OK && t->n_rows == 0) {
        error_line("%s: no sample in it; name a file of lines LABEL INDEX:VALUE ...", path);
        code = EXIT_DATA;
    }
    if (code != EXIT_OK)
        libsvm_free(t);
    return code;
}

void libsvm_free(libsvm_text *t)
{
    free(t->entries);
    free(t->rows);
    *t = (libsvm_text){0};
}
