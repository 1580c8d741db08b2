/* SPDX-License-Identifier: MIT */
#include "npy_file.h"

#include "base/error.h"
#include "base/memory.h"
#include "npy.h"
#include "stream.h"

#include <stdlib.h>
#include <string.h>

static int refused(const char *path, const char *reason, const char *remedy)
{
    error_line("%s: byte 0: %s; %s", path, reason, remedy);
    return EXIT_DATA;
}

/* What is said of a header that cannot be read at all. */
static const char header_remedy[] =
    "write it with numpy.save(), of numpy.ascontiguousarray(x, '<f4') or the like";

/* The header and nothing behind it. */
static int read_header(stream *s, npy_header *h)
{
    unsigned char prefix[NPY_PREFIX];
    int code = stream_exactly(s, prefix, sizeof prefix);
    if (code != EXIT_OK)
        return code;
    const char *wrong = npy_parse(prefix, sizeof prefix, h);
    if (wrong != NULL)
        return refused(s->path, wrong, header_remedy);
    /* Bounded by npy_parse(), and larger than the prefix: what fits that is complete, and wrong. */
    const size_t size = h->size;
    unsigned char *header = malloc(size);
    if (header == NULL) {
        error_line("%s: out of memory for its header", s->path);
        return EXIT_INTERNAL;
    }
    memcpy(header, prefix, sizeof prefix);
    code = stream_exactly(s, header + sizeof prefix, size - sizeof prefix);
    if (code == EXIT_OK && (wrong = npy_parse(header, size, h)) != NULL)
        code = refused(s->path, wrong, header_remedy);
    free(header);
    return code;
}

static int take_shape(const char *path, const npy_header *h, array *a)
{
    a->columns = 1;
    for (size_t i = 0; i < h->dimensions; i++)
        if (h->shape[i] == 0) {
            error_line("%s: byte 0: dimension %zu is 0; the file is empty", path, i);
            return EXIT_DATA;
        }
    if (h->dimensions == 0)
        return refused(path, "a single number, without a dimension", "save an array");
    a->rows = h->shape[0];
    for (size_t i = 1; i < h->dimensions; i++)
        a->columns *= h->shape[i]; /* npy_parse() has seen to it that this does not overflow */
    return EXIT_OK;
}

/* ---- features ---- */

static int features_type(const char *path, const npy_header *h, array *a)
{
    if (h->kind == 'u' && h->element_bytes == 1) {
        a->type = ARRAY_U8;
        return EXIT_OK;
    }
    if (h->kind == 'f' && h->element_bytes == 4) {
        a->type = ARRAY_F32;
        return EXIT_OK;
    }
    error_line("%s: byte 0: features of type %c%zu; save x.astype('float32'), or 'uint8' if they "
               "are bytes",
               path, h->kind, h->element_bytes);
    return EXIT_DATA;
}

static int demand_finite(const char *path, const array *a)
{
    const uint32_t exponent = UINT32_C(0x7F800000);
    const unsigned char *row = a->elements;
    for (size_t i = 0; i < a->rows; i++, row += a->columns * sizeof(float))
        for (size_t k = 0; k < a->columns; k++) {
            uint32_t bits;
            memcpy(&bits, row + k * sizeof bits, sizeof bits);
            if ((bits & exponent) != exponent)
                continue;
            error_line("%s: row %zu, column %zu: the feature is %s; leave such rows out, or put "
                       "numbers in",
                       path, i, k, (bits & ~exponent) << 1 != 0 ? "NaN" : "infinite");
            return EXIT_DATA;
        }
    return EXIT_OK;
}

int npy_features(const char *path, bool mapped, array *a)
{
    stream s;
    npy_header h;
    *a = (array){0};
    int code = stream_open(path, &s);
    if (code != EXIT_OK)
        return code;
    if (mapped)
        code = stream_demand_raw(&s);
    if (code == EXIT_OK)
        code = read_header(&s, &h);
    if (code == EXIT_OK)
        code = take_shape(path, &h, a);
    if (code == EXIT_OK)
        code = features_type(path, &h, a);
    if (code == EXIT_OK)
        code = mapped ? array_map(path, h.size, a)
                      : stream_elements(&s, a->rows, a->columns, h.element_bytes, &a->elements);
    stream_close(&s);
    if (code == EXIT_OK && a->type == ARRAY_F32)
        code = demand_finite(path, a);
    if (code != EXIT_OK)
        array_free(a);
    return code;
}

/* ---- labels ---- */

static int labels_type(const char *path, const npy_header *h)
{
    if (h->dimensions != 1) {
        error_line("%s: byte 0: %zu dimensions where labels have one; save y.ravel(), or are "
                   "features and labels swapped?",
                   path, h->dimensions);
        return EXIT_DATA;
    }
    if ((h->kind != 'i' && h->kind != 'u') || h->element_bytes > 8 ||
        (h->element_bytes & (h->element_bytes - 1)) != 0) {
        error_line("%s: byte 0: labels of type %c%zu; save y.astype('int64')", path, h->kind,
                   h->element_bytes);
        return EXIT_DATA;
    }
    return EXIT_OK;
}

/* A little-endian integer; of u8 bytes those beyond int64_t become INT64_MAX, which is no class either. */
static int64_t integer_at(const unsigned char *bytes, const npy_header *h)
{
    uint64_t value = 0;
    for (size_t i = 0; i < h->element_bytes; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    if (h->kind == 'u')
        return value <= INT64_MAX ? (int64_t)value : INT64_MAX;
    const unsigned unused = (unsigned)(64 - 8 * h->element_bytes);
    const uint64_t sign = UINT64_C(1) << (63 - unused);
    return (value & sign) != 0 ? -(int64_t)((sign << 1) - value - 1) - 1 : (int64_t)value;
}

static int widen(const char *path, const npy_header *h, const void *elements, labels *l)
{
    l->n = h->elements;
    l->numbers = memory_new(l->n, sizeof *l->numbers);
    if (l->numbers == NULL) {
        error_line("%s: out of memory for %zu labels", path, l->n);
        return EXIT_INTERNAL;
    }
    for (size_t i = 0; i < l->n; i++)
        l->numbers[i] = integer_at((const unsigned char *)elements + i * h->element_bytes, h);
    return EXIT_OK;
}

int npy_labels(const char *path, labels *l)
{
    stream s;
    npy_header h;
    array shape;
    void *elements = NULL;
    *l = (labels){0};
    int code = stream_open(path, &s);
    if (code != EXIT_OK)
        return code;
    if ((code = read_header(&s, &h)) == EXIT_OK)
        code = labels_type(path, &h);
    if (code == EXIT_OK)
        code = take_shape(path, &h, &shape);
    if (code == EXIT_OK)
        code = stream_elements(&s, h.elements, 1, h.element_bytes, &elements);
    stream_close(&s);
    if (code == EXIT_OK)
        code = widen(path, &h, elements, l);
    free(elements);
    if (code != EXIT_OK)
        labels_free(l);
    return code;
}
