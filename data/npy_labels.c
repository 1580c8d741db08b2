/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/memory.h"
#include "npy_convert.h"
#include "npy_file.h"

#include <stdlib.h>
#include <string.h>

static bool is_text(const npy_header *h)
{
    return h->kind == 'U' || h->kind == 'S';
}

static int refuse_type(npy_place place, const char *path, const npy_header *h)
{
    char type[NPY_TYPE_TEXT], line[NPY_ADVICE];
    npy_type_text(h, type);
    if (npy_is_raw(h)) {
        error_line("%s: labels of type %s, raw bytes to NumPy; labels must be integers or text: "
                   "convert them before they are saved, as with .astype(np.int64)",
                   path, type);
        return EXIT_DATA;
    }
    npy_advice(place,
               h->kind == 'f'   ? ".astype(np.float64)"
               : h->kind == 'c' ? ".real"
               : h->kind == 'V' ? "['FIELD']"
                                : ".astype(str)",
               line);
    error_line("%s: labels of type %s; labels must be integers or text%s: %s", path, type,
               h->kind == 'V' ? ": name the field that holds them" : "", line);
    return EXIT_DATA;
}

/* Returns whether all but one of the dimensions are 1. */
static bool is_row(const npy_header *h)
{
    for (size_t i = 0; i < h->dimensions; i++)
        if (h->shape[i] == h->elements)
            return true;
    return false;
}

static int demand_one_per_sample(npy_place place, const char *path, const npy_header *h)
{
    char line[NPY_ADVICE];
    if (h->elements == h->shape[0])
        return EXIT_OK;
    if (is_row(h)) {
        npy_advice(place, ".ravel()", line);
        error_line("%s: %zu labels in an array whose first dimension is %zu, but labels are one "
                   "per sample: %s",
                   path, h->elements, h->shape[0], line);
    } else if (h->dimensions == 2 && is_text(h)) {
        npy_advice(place, "[:, 0]", line);
        error_line("%s: shape (%zu, %zu), but labels are one per sample; if the first column holds "
                   "them: %s",
                   path, h->shape[0], h->shape[1], line);
    } else if (h->dimensions == 2) {
        npy_advice(place, ".argmax(1)", line);
        error_line("%s: shape (%zu, %zu), but labels are one per sample; if these are one-hot: %s",
                   path, h->shape[0], h->shape[1], line);
    } else {
        error_line("%s: %zu dimensions, but labels are one per sample; are features and labels "
                   "swapped?",
                   path, h->dimensions);
    }
    return EXIT_DATA;
}

/* Writes the NumPy command that numbers the classes from 0, in ascending order. */
static void numbering_advice(npy_place place, char line[NPY_ADVICE])
{
    npy_advice_around(place, "np.unique(", ", return_inverse=True)[1]", line);
}

static int bad_number(npy_place place, const char *path, const npy_header *h,
                      const unsigned char *element, size_t sample, npy_fault fault)
{
    const double value = npy_to_double(h, element);
    char line[NPY_ADVICE];
    numbering_advice(place, line);
    if (fault == NPY_NOT_FINITE) {
        npy_advice_around(place, "(lambda y: y[np.isfinite(y)])(", ")", line);
        error_line("%s: label of sample %zu: %s; leave such samples out of the features, as with "
                   "x[np.isfinite(y).ravel()], and out of the labels: %s",
                   path, sample, value != value ? "NaN" : "infinite", line);
    } else if (fault == NPY_NOT_WHOLE) {
        error_line("%s: label of sample %zu: %g is not a whole number; labels must be classes, not "
                   "the values of a regression; if they are classes, number them: %s",
                   path, sample, value, line);
    } else {
        error_line("%s: label of sample %zu: %g is too large for a label; number the classes: %s",
                   path, sample, value, line);
    }
    return EXIT_DATA;
}

static int take_numbers(npy_place place, const char *path, const npy_header *h,
                        const unsigned char *elements, labels *l)
{
    l->numbers = memory_new(l->n, sizeof *l->numbers);
    if (l->numbers == NULL) {
        error_line("%s: out of memory for %zu labels", path, l->n);
        return EXIT_INTERNAL;
    }
    for (size_t i = 0; i < l->n; i++, elements += h->element_bytes) {
        const npy_fault fault = npy_to_integer(h, elements, &l->numbers[i]);
        if (fault != NPY_GOOD)
            return bad_number(place, path, h, elements, i, fault);
    }
    return EXIT_OK;
}

static int take_texts(npy_place place, const char *path, const npy_header *h,
                      const unsigned char *elements, labels *l)
{
    l->width = h->element_bytes + 1;
    l->texts = l->n <= PTRDIFF_MAX / l->width ? memory_new(l->n, l->width) : NULL;
    if (l->texts == NULL) {
        error_line("%s: out of memory for %zu labels", path, l->n);
        return EXIT_INTERNAL;
    }
    for (size_t i = 0; i < l->n; i++, elements += h->element_bytes)
        if (!npy_to_text(h, elements, l->texts + i * l->width)) {
            char line[NPY_ADVICE];
            numbering_advice(place, line);
            error_line("%s: label of sample %zu: empty, or not printable text in UTF-8; give each "
                       "sample the name of its class, or number the classes: %s",
                       path, i, line);
            return EXIT_DATA;
        }
    return EXIT_OK;
}

static int read_labels(npy_place place, stream *s, const npy_header *h, labels *l)
{
    const bool text = is_text(h);
    void *elements = NULL;
    if (!text && !npy_is_number(h))
        return refuse_type(place, s->path, h);
    int code = demand_one_per_sample(place, s->path, h);
    if (code == EXIT_OK)
        code = stream_elements(s, h->elements, 1, h->element_bytes, &elements);
    l->n = h->elements;
    if (code == EXIT_OK)
        code = text ? take_texts(place, s->path, h, elements, l)
                    : take_numbers(place, s->path, h, elements, l);
    free(elements);
    return code;
}

int npy_labels(npy_place place, labels *l)
{
    stream s;
    npy_header h;
    *l = (labels){0};
    int code = npy_open(place, &s, &h);
    if (code != EXIT_OK)
        return code;
    code = read_labels(place, &s, &h, l);
    stream_close(&s);
    if (code != EXIT_OK)
        labels_free(l);
    return code;
}
