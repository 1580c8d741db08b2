/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/memory.h"
#include "npy_convert.h"
#include "npy_file.h"

#include <stdlib.h>
#include <string.h>

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

static int demand_one_per_sample(npy_place place, const char *path, const npy_header *h)
{
    char line[NPY_ADVICE];
    if (h->elements == h->shape[0])
        return EXIT_OK;
    if (h->dimensions == 2) {
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

static int bad_number(const char *path, const npy_header *h, const unsigned char *element,
                      size_t sample, npy_fault fault)
{
    const double value = npy_to_double(h, element);
    if (fault == NPY_NOT_FINITE)
        error_line("%s: label of sample %zu: %s; leave the sample out", path, sample,
                   value != value ? "NaN" : "infinite");
    else if (fault == NPY_NOT_WHOLE)
        error_line("%s: label of sample %zu: %g is not a whole number; labels must be classes, not "
                   "the values of a regression",
                   path, sample, value);
    else
        error_line("%s: label of sample %zu: %g is too large for a label; renumber the classes",
                   path, sample, value);
    return EXIT_DATA;
}

static int take_numbers(const char *path, const npy_header *h, const unsigned char *elements,
                        labels *l)
{
    l->numbers = memory_new(l->n, sizeof *l->numbers);
    if (l->numbers == NULL) {
        error_line("%s: out of memory for %zu labels", path, l->n);
        return EXIT_INTERNAL;
    }
    for (size_t i = 0; i < l->n; i++, elements += h->element_bytes) {
        const npy_fault fault = npy_to_integer(h, elements, &l->numbers[i]);
        if (fault != NPY_GOOD)
            return bad_number(path, h, elements, i, fault);
    }
    return EXIT_OK;
}

static int take_texts(const char *path, const npy_header *h, const unsigned char *elements,
                      labels *l)
{
    l->width = h->element_bytes + 1;
    l->texts = l->n <= PTRDIFF_MAX / l->width ? memory_new(l->n, l->width) : NULL;
    if (l->texts == NULL) {
        error_line("%s: out of memory for %zu labels", path, l->n);
        return EXIT_INTERNAL;
    }
    for (size_t i = 0; i < l->n; i++, elements += h->element_bytes)
        if (!npy_to_text(h, elements, l->texts + i * l->width)) {
            error_line("%s: label of sample %zu: empty, or not printable text in UTF-8; give each "
                       "sample the name of its class",
                       path, i);
            return EXIT_DATA;
        }
    return EXIT_OK;
}

static int read_labels(npy_place place, stream *s, const npy_header *h, labels *l)
{
    const bool text = h->kind == 'U' || h->kind == 'S';
    void *elements = NULL;
    if (!text && !npy_is_number(h))
        return refuse_type(place, s->path, h);
    int code = demand_one_per_sample(place, s->path, h);
    if (code == EXIT_OK)
        code = stream_elements(s, h->elements, 1, h->element_bytes, &elements);
    l->n = h->elements;
    if (code == EXIT_OK)
        code = text ? take_texts(s->path, h, elements, l) : take_numbers(s->path, h, elements, l);
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
