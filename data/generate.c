/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "generate.h"

#include "base/error.h"
#include "base/output.h"
#include "base/progress.h"
#include "dataset.h"
#include "synthetic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Samples written to one file, or to a file of features and a file of labels. */
struct part {
    int set; /* 0: training, 1: test */
    uint64_t stream;
    size_t count;
    output_pending *x, *y;
};

struct generator {
    const generate_options *options;
    generated *result;
    synthetic synthetic;
    struct part parts[GENERATE_TRAIN_PARTS_MAX + 1];
    size_t n_parts, done;
    output_pending files[GENERATE_FILES_MAX]; /* one per result->files */
    output_pending *w, *b;
    bool made_directory;
    uint8_t *u8;
    float *f32;
    bool *seen; /* whether a class has a training sample */
    progress progress;
};

static int out_of_memory(const generate_options *o)
{
    error_line("%s: out of memory for %zu features and %zu classes; use fewer", o->output,
               o->features, o->classes);
    return EXIT_INTERNAL;
}

/* ---- checks ---- */

static int check_format(const generate_options *o)
{
    const generate_format *f = o->format;
    const char *word = f->word;
    if (f->bytes_only && !o->bytes)
        error_line("data gen: --dtype f32: %s files hold bytes; use --dtype u8, or --format npy "
                   "or libsvm",
                   word);
    else if (f->features != 0 && o->features != f->features)
        error_line("data gen: --features %zu: %s files have %zu; use --features %zu, or --format "
                   "idx, npy or libsvm",
                   o->features, word, f->features, f->features);
    else if (f->classes != 0 && o->classes != f->classes)
        error_line("data gen: --classes %zu: %s files have %zu; use --classes %zu, or --format "
                   "idx, npy or libsvm",
                   o->classes, word, f->classes, f->classes);
    else if (o->classes > f->classes_max)
        error_line("data gen: --classes %zu: %s files have at most %zu; use --format npy or "
                   "libsvm",
                   o->classes, word, f->classes_max);
    else if (o->samples < f->n_train_parts)
        error_line("data gen: --samples %zu: %s has %zu training files; use at least one for each",
                   o->samples, word, f->n_train_parts);
    else if (f->directory && o->test_samples == 0)
        error_line("data gen: --test-samples 0: %s has a test file; use at least 1", word);
    else
        return EXIT_OK;
    return EXIT_USAGE;
}

/* Refuses a prefix of file names that is itself a directory or a special file. */
static int check_output(const generate_options *o)
{
    struct stat info;
    const bool there = stat(o->output, &info) == 0;
    const size_t length = strlen(o->output);
    if (strcmp(o->output, "-") == 0)
        error_line("data gen: --output -: several files cannot go to standard output; give a %s",
                   o->format->directory ? "directory" : "prefix for their names");
    else if (there && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))
        error_line("data gen: --output %s: is a device, a pipe or a socket; name another",
                   o->output);
    else if (!o->format->directory && there && S_ISDIR(info.st_mode))
        error_line("data gen: --output %s: is a directory; add a prefix for the file names, such "
                   "as %s%sset",
                   o->output, o->output, o->output[length - 1] == '/' ? "" : "/");
    else
        return EXIT_OK;
    return EXIT_USAGE;
}

static int check_sizes(const generate_options *o)
{
    const size_t max = o->samples > o->test_samples ? o->samples : o->test_samples;
    const size_t limit = PTRDIFF_MAX / (o->bytes ? 1 : sizeof(float)) / o->features;
    if (max > limit || max > UINT32_MAX) {
        error_line("data gen: %zu samples of %zu features: more than %zu cannot be addressed; use "
                   "fewer",
                   max, o->features, limit < UINT32_MAX ? limit : UINT32_MAX);
        return EXIT_USAGE;
    }
    const size_t length = strlen(o->output);
    if (!o->format->directory && length > 0 && o->output[length - 1] == '/') {
        error_line("data gen: --output '%s': a directory; add a prefix for the file names, such as "
                   "%sa",
                   o->output, o->output);
        return EXIT_USAGE;
    }
    if (o->output[0] == '\0' || (!o->format->directory && strchr(o->output, ',') != NULL)) {
        error_line("data gen: --output '%s': %s; give another", o->output,
                   o->output[0] == '\0' ? "no name" : "a comma would split the name in --data");
        return EXIT_USAGE;
    }
    return check_output(o);
}

/* ---- files ---- */

static int begin_file(struct generator *g, const char *name, output_pending **file)
{
    generated *r = g->result;
    char **path = &r->files[r->n_files];
    if (asprintf(path, "%s%s", g->options->output, name) < 0) {
        *path = NULL;
        return out_of_memory(g->options);
    }
    const int code = output_check(*path, OUTPUT_NEW);
    if (code != EXIT_OK) {
        free(*path);
        *path = NULL;
        return code;
    }
    *file = &g->files[r->n_files++];
    return output_begin(*path, OUTPUT_NEW, *file);
}

static int make_directory(struct generator *g)
{
    const char *path = g->options->output;
    if (!g->options->format->directory || mkdir(path, 0777) == 0) {
        g->made_directory = g->options->format->directory;
        return EXIT_OK;
    }
    if (errno == EEXIST)
        return EXIT_OK;
    error_line("%s: cannot create the directory: %s; name another", path, strerror(errno));
    return EXIT_USAGE;
}

/* Begins the files: the training samples are divided among theirs, the test samples have their
 * own. */
static int begin_parts(struct generator *g)
{
    const generate_options *o = g->options;
    const generate_format *f = o->format;
    int code = make_directory(g);
    for (size_t i = 0; i <= f->n_train_parts && code == EXIT_OK; i++) {
        const bool test = i == f->n_train_parts;
        const size_t n = f->n_train_parts, first = test ? 0 : o->samples * i / n;
        struct part *p = &g->parts[g->n_parts];
        *p = (struct part){.set = test,
                           .stream = test ? SYNTHETIC_TEST : first,
                           .count = test ? o->test_samples : o->samples * (i + 1) / n - first};
        if (p->count == 0)
            continue;
        g->n_parts++;
        code = begin_file(g, f->parts[i][0], &p->x);
        if (code == EXIT_OK && f->parts[i][1] != NULL)
            code = begin_file(g, f->parts[i][1], &p->y);
    }
    return code;
}

/* Begins the files of W and b. They come last, since --data names only those of the samples. */
static int begin_weights(struct generator *g)
{
    const bool directory = g->options->format->directory;
    const int code = begin_file(g, directory ? "/w.npy" : "-w.npy", &g->w);
    return code == EXIT_OK ? begin_file(g, directory ? "/b.npy" : "-b.npy", &g->b) : code;
}

static int make_spec(struct generator *g)
{
    const generate_options *o = g->options;
    char *spec = NULL;
    int length;
    if (o->format->directory) {
        length = asprintf(&spec, "%s:%s", o->format->word, o->output);
    } else {
        char **f = g->result->files;
        const size_t n = g->result->n_files;
        length = asprintf(&spec, "%s:%s%s%s%s%s%s%s", o->format->word, f[0], n > 1 ? "," : "",
                          n > 1 ? f[1] : "", n > 2 ? "," : "", n > 2 ? f[2] : "", n > 3 ? "," : "",
                          n > 3 ? f[3] : "");
    }
    g->result->spec = length < 0 ? NULL : spec;
    return length < 0 ? out_of_memory(o) : EXIT_OK;
}

/* Publishes all files or none: a mixed set must never be readable. */
static int finish(struct generator *g, int code)
{
    const size_t n = g->result->n_files;
    const bool stopped = *g->options->stop != 0;
    for (size_t i = 0; i < n && code == EXIT_OK && !stopped; i++)
        code = output_settle(&g->files[i], true);
    size_t placed = 0;
    for (; placed < n && code == EXIT_OK && !stopped; placed++)
        code = output_commit(&g->files[placed]);
    for (size_t i = 0; i + 1 < placed && code != EXIT_OK; i++)
        unlink(g->result->files[i]);
    for (size_t i = 0; i < n; i++)
        output_abandon(&g->files[i]);
    if (code == EXIT_OK && !stopped)
        return EXIT_OK;
    if (g->made_directory)
        rmdir(g->options->output);
    generated_free(g->result);
    return code;
}

/* ---- samples ---- */

static int write_part(struct generator *g, size_t number)
{
    const generate_options *o = g->options;
    const struct part *p = &g->parts[number];
    const generate_shape shape = {p->count, o->features, o->bytes};
    FILE *x = p->x->file, *y = p->y != NULL ? p->y->file : NULL;
    bool good = o->format->head == NULL || o->format->head(x, y, shape);
    for (size_t i = 0; i < p->count && good && *o->stop == 0; i++, g->done++) {
        bool noisy;
        const int32_t label = synthetic_sample(&g->synthetic, p->stream + i, g->u8, g->f32, &noisy);
        g->result->noisy[p->set] += noisy;
        g->seen[label] = g->seen[label] || p->set == 0;
        good = o->format->put(x, y, shape, (generate_sample){g->u8, g->f32, label});
        if (i % 64 == 0)
            progress_show(&g->progress, number + 1, g->n_parts,
                          (double)g->done / (double)(o->samples + o->test_samples), p->x->path);
    }
    /* ferror() does not change errno. */
    return good ? EXIT_OK : output_settle(ferror(x) ? p->x : p->y, false);
}

static bool put_weights(FILE *w, FILE *b, const synthetic *s)
{
    bool good = generate_npy_head(w, 'f', sizeof(float), s->c, s->d) &&
                generate_npy_head(b, 'f', sizeof(float), s->c, 0);
    for (size_t j = 0; j < s->c && good; j++) {
        const float of_class = synthetic_b(s, j);
        good = fwrite(&of_class, sizeof of_class, 1, b) == 1;
        for (size_t f = 0; f < s->d && good; f++) {
            const float weight = synthetic_w(s, j, f);
            good = fwrite(&weight, sizeof weight, 1, w) == 1;
        }
    }
    return good;
}

static int write_weights(struct generator *g)
{
    if (put_weights(g->w->file, g->b->file, &g->synthetic))
        return EXIT_OK;
    return output_settle(ferror(g->w->file) ? g->w : g->b, false);
}

static void warn_of_missing_classes(const struct generator *g)
{
    size_t missing = 0;
    for (size_t j = 0; j < g->options->classes; j++)
        missing += !g->seen[j];
    if (missing > 0)
        warning_line("%s: %zu of %zu classes have no training sample, so data with their labels "
                     "cannot be used with these files; use more --samples or fewer --classes",
                     g->options->output, missing, g->options->classes);
}

static int write_all(struct generator *g)
{
    int code = begin_parts(g);
    if (code == EXIT_OK)
        code = make_spec(g);
    if (code == EXIT_OK) /* before the work, to fail early if a file exists */
        code = begin_weights(g);
    for (size_t i = 0; i < g->n_parts && code == EXIT_OK; i++)
        code = write_part(g, i);
    return code == EXIT_OK ? write_weights(g) : code;
}

int generate(const generate_options *options, generated *result)
{
    *result = (generated){0};
    struct generator g = {.options = options, .result = result};
    int code = check_format(options);
    if (code == EXIT_OK)
        code = check_sizes(options);
    if (code != EXIT_OK)
        return code;
    if (!synthetic_open(options->features, options->classes, options->bytes, options->noise,
                        options->seed, &g.synthetic))
        return out_of_memory(options);
    g.u8 = options->bytes ? calloc(options->features, sizeof *g.u8) : NULL;
    g.f32 = options->bytes ? NULL : calloc(options->features, sizeof *g.f32);
    g.seen = calloc(options->classes, sizeof *g.seen);
    if ((g.u8 == NULL && g.f32 == NULL) || g.seen == NULL) {
        code = out_of_memory(options);
    } else {
        g.progress = progress_open("data gen", options->progress);
        code = write_all(&g);
        progress_close(&g.progress);
        code = finish(&g, code);
        if (code == EXIT_OK && result->n_files > 0)
            warn_of_missing_classes(&g);
    }
    free(g.u8);
    free(g.f32);
    free(g.seen);
    synthetic_close(&g.synthetic);
    return code;
}

void generated_free(generated *g)
{
    for (size_t i = 0; i < g->n_files; i++)
        free(g->files[i]);
    free(g->spec);
    *g = (generated){0};
}
