/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "predict_results.h"

#include "base/output.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const set_words[] = {"test", "train", "all"};

/* ---- text ---- */

static double share(size_t part, size_t all)
{
    return all > 0 ? (double)part / (double)all : (double)NAN;
}

static void print_share(size_t part, size_t all)
{
    if (all > 0)
        printf(" %9.4f", share(part, all));
    else
        printf(" %9s", "-");
}

static size_t labelled_as(const predict_session *s, size_t j)
{
    size_t labelled = 0;
    for (size_t l = 0; l < s->c; l++)
        labelled += s->confusion[j * s->c + l];
    return labelled;
}

static void print_head(const predict_session *s)
{
    static const char *const sets[] = {" test", " training", ""};
    printf("%s, %zu%s samples", s->task.data.name, s->n, sets[s->set]);
    if (s->why[0] != '\0')
        printf(" (%s)", s->why);
    else if (s->set == PREDICT_TEST)
        printf(" (%s)", s->task.data.test_note);
    if (s->labelled)
        printf(": accuracy %.4f, %zu of %zu right\n", share(s->right, s->n), s->right, s->n);
    else
        puts(": without labels");
}

/* Prints the confusion matrix, unless it is too wide to be read; --json has it. */
static void print_confusion(const predict_session *s)
{
    enum { WIDE = 20 };
    if (s->c > WIDE)
        return;
    puts("confusion matrix: a row for each label, a column for each prediction");
    for (size_t j = 0; j < s->c; j++) {
        printf("%-12.12s", s->from.class_names[j]);
        for (size_t l = 0; l < s->c; l++)
            printf(" %6zu", s->confusion[j * s->c + l]);
        putchar('\n');
    }
}

void predict_print(const predict_session *s)
{
    print_head(s);
    if (!s->labelled) {
        printf("%-12s %9s\n", "class", "predicted");
        for (size_t j = 0; j < s->c; j++)
            printf("%-12.12s %9zu\n", s->from.class_names[j], s->counts[j]);
        return;
    }
    print_confusion(s);
    printf("%-12s %9s %9s %9s\n", "class", "samples", "precision", "recall");
    for (size_t j = 0; j < s->c; j++) {
        const size_t labelled = labelled_as(s, j), right = s->confusion[j * s->c + j];
        printf("%-12.12s %9zu", s->from.class_names[j], labelled);
        print_share(right, s->counts[j]);
        print_share(right, labelled);
        putchar('\n');
    }
}

/* ---- JSON ---- */

static json_t *class_to_json(const predict_session *s, size_t j)
{
    json_t *o = json_object();
    output_set(o, "name", json_string(s->from.class_names[j]));
    output_set(o, "predicted", json_integer((json_int_t)s->counts[j]));
    if (s->labelled) {
        const size_t labelled = labelled_as(s, j), right = s->confusion[j * s->c + j];
        output_set(o, "samples", json_integer((json_int_t)labelled));
        output_set(o, "precision", output_real(share(right, s->counts[j])));
        output_set(o, "recall", output_real(share(right, labelled)));
    }
    return o;
}

json_t *predict_to_json(const predict_session *s)
{
    const bool labelled = s->labelled;
    json_t *o = json_object(), *classes = json_array(), *confusion = json_array();
    for (size_t j = 0; j < s->c; j++) {
        json_t *row = json_array();
        for (size_t l = 0; l < s->c; l++)
            json_array_append_new(row, json_integer((json_int_t)s->confusion[j * s->c + l]));
        json_array_append_new(confusion, row);
        json_array_append_new(classes, class_to_json(s, j));
    }
    output_set(o, "model", json_string(s->config->model));
    output_set(o, "model_digest", json_incref(json_object_get(s->from.record, "model_digest")));
    output_set(o, "isa", json_string(downhill_kernels_name(s->task.problem.kernels)));
    output_set(o, "dataset", json_string(s->task.data.name));
    output_set(o, "set", json_string(set_words[s->set]));
    output_set(o, "why_set", s->why[0] != '\0' ? json_string(s->why) : json_null());
    output_set(o, "samples", json_integer((json_int_t)s->n));
    output_set(o, "labelled", json_boolean(labelled));
    output_set(o, "accuracy", labelled ? output_real(share(s->right, s->n)) : json_null());
    output_set(o, "classes", classes);
    output_set(o, "confusion", labelled ? json_incref(confusion) : json_null());
    json_decref(confusion);
    return o;
}

/* ---- CSV ---- */

/* Writes a comma and a text field, quoted as RFC 4180 says. */
static void write_text(FILE *file, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fprintf(file, ",%s", text);
        return;
    }
    fputs(",\"", file);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', file);
        fputc(*text, file);
    }
    fputc('"', file);
}

static void write_row(FILE *file, const predict_session *s, const predict_part *part, size_t i,
                      size_t at)
{
    const size_t row = part->of.rows[i];
    const int32_t label = samples_label(&part->of, i), found = s->predicted[at];
    const bool test = part->all_test || (part->held_out != NULL && part->held_out[row]);
    fprintf(file, "%zu,%d,", part->numbered_by_row ? row : i, test);
    if (label != DATASET_NO_CLASS)
        fprintf(file, "%d", (int)label);
    fprintf(file, ",%d", (int)found);
    write_text(file, label != DATASET_NO_CLASS ? s->from.class_names[label] : "");
    write_text(file, s->from.class_names[found]);
    for (size_t j = 0; j < s->c && s->config->scores; j++)
        fprintf(file, ",%.9g", s->scores[at * s->c + j]);
    fputc('\n', file);
}

static bool write_csv(FILE *file, const void *context)
{
    const predict_session *s = context;
    fputs("sample,test,label,prediction,label_name,prediction_name", file);
    for (size_t j = 0; j < s->c && s->config->scores; j++)
        fprintf(file, ",score_%zu", j);
    fputc('\n', file);
    size_t at = 0;
    for (size_t p = 0; p < s->n_parts; p++)
        for (size_t i = 0; i < s->parts[p].of.n && !ferror(file); i++, at++)
            write_row(file, s, &s->parts[p], i, at);
    return !ferror(file);
}

int predict_write_csv(const predict_session *s)
{
    return output_file(s->config->csv, OUTPUT_PREDICTION_CSV, write_csv, s);
}
