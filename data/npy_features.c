/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/memory.h"
#include "npy_convert.h"
#include "npy_file.h"
#include "readers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 16 }; /* elements per conversion */

/* State of reading an array. */
struct reading {
    npy_place place;
    const char *path; /* for messages */
    stream stream;
    npy_header header;
    dataset *data;
    npy_conversion seen;
};

static int out_of_memory(const struct reading *r)
{
    error_line("%s: out of memory for %zu features", r->path, r->header.elements);
    return EXIT_INTERNAL;
}

/* ---- types ---- */

/* Returns the NumPy expression that converts elements of a non-numeric kind to numbers. */
static const char *change_of(char kind)
{
    switch (kind) {
    case 'V':
        return "[['FIELD', 'FIELD']].tolist()";
    case 'c':
        return ".real.astype(np.float32)";
    case 'M':
    case 'm':
        return ".astype(np.int64)";
    default:
        return ".astype(np.float32)";
    }
}

static int refuse_type(const struct reading *r)
{
    char type[NPY_TYPE_TEXT], line[NPY_ADVICE];
    npy_type_text(&r->header, type);
    if (npy_is_raw(&r->header)) {
        error_line("%s: features of type %s, raw bytes to NumPy; features must be numbers: convert "
                   "them before they are saved, as with .astype(np.float32)",
                   r->path, type);
        return EXIT_DATA;
    }
    npy_advice(r->place, change_of(r->header.kind), line);
    error_line("%s: features of type %s; features must be numbers%s: %s", r->path, type,
               r->header.kind == 'V' ? ": name the fields that hold them, one or more" : "", line);
    return EXIT_DATA;
}

static bool is_bytes(const npy_header *h)
{
    return h->kind == 'u' && h->element_bytes == 1;
}

static bool is_contiguous(const npy_header *h)
{
    /* dimensions larger than 1; with fewer than two of them both orders are the same */
    size_t wide = 0;
    for (size_t i = 0; i < h->dimensions; i++)
        wide += h->shape[i] > 1;
    return !h->fortran_order || wide < 2;
}

/* Returns whether the kernels can use the elements as they are stored. */
static bool is_native(const npy_header *h)
{
    return is_bytes(h) || (h->kind == 'f' && h->element_bytes == 4 && !h->big_endian);
}

static int demand_native(const struct reading *r)
{
    const npy_header *h = &r->header;
    char type[NPY_TYPE_TEXT], line[NPY_ADVICE];
    if (is_native(h) && is_contiguous(h))
        return EXIT_OK;
    npy_type_text(h, type);
    npy_advice(r->place, is_bytes(h) ? ".copy('C')" : ".astype('<f4', order='C')", line);
    error_line("%s: features of type %s%s have to be converted, and cannot be mapped; leave --mmap "
               "out, or map what this writes: %s",
               r->path, type, is_contiguous(h) ? "" : " in Fortran order", line);
    return EXIT_DATA;
}

/* ---- elements ---- */

/* Writes the NumPy command that divides each feature by its largest magnitude. */
static void scaling_advice(npy_place place, char line[NPY_ADVICE])
{
    npy_advice_around(place, "(lambda x: x / np.maximum(abs(x).max(0), 5e-324))(", ")", line);
}

static int refuse_large(const struct reading *r, size_t element, double value)
{
    const npy_header *h = &r->header;
    const size_t rows = h->shape[0];
    const size_t row = is_contiguous(h) ? element / (h->elements / rows) : element % rows;
    char line[NPY_ADVICE];
    scaling_advice(r->place, line);
    error_line("%s: row %zu: the feature %g is beyond the range of float32; scale the features of "
               "all files alike, as with %s",
               r->path, row, value, line);
    return EXIT_DATA;
}

/* Converts the elements in the stream, block by block, into memory that grows with them. Their size as f32 does not
 * overflow: npy_parse() refused such shapes. */
static int read_converted(struct reading *r, float **elements)
{
    const npy_header *h = &r->header;
    const size_t total = h->elements;
    unsigned char *block = malloc(BLOCK * h->element_bytes);
    size_t have = 0, room = 0;
    int code = block != NULL ? EXIT_OK : out_of_memory(r);
    while (have < total && code == EXIT_OK) {
        const size_t count = total - have < BLOCK ? total - have : BLOCK;
        if (have + count > room) {
            room = total - have > have + BLOCK ? 2 * have + BLOCK : total;
            float *grown = realloc(*elements, room * sizeof *grown);
            if (grown == NULL) {
                code = out_of_memory(r);
                break;
            }
            *elements = grown;
        }
        code = stream_exactly(&r->stream, block, count * h->element_bytes);
        if (code != EXIT_OK)
            break;
        const size_t good = npy_to_f32(h, block, count, *elements + have, &r->seen);
        if (good < count)
            code = refuse_large(r, have + good, npy_to_double(h, block + good * h->element_bytes));
        have += count;
    }
    free(block);
    return code != EXIT_OK ? code : stream_demand_end(&r->stream, h->shape[0], total / h->shape[0]);
}

static int to_c_order(struct reading *r, array *a)
{
    const size_t bytes = array_element_bytes(a->type);
    void *ordered = memory_new(r->header.elements, bytes);
    if (ordered == NULL || !npy_to_c_order(&r->header, bytes, a->elements, ordered)) {
        free(ordered);
        return out_of_memory(r);
    }
    free(a->elements);
    a->elements = ordered;
    return EXIT_OK;
}

static int demand_finite(const struct reading *r, const array *a)
{
    char line[NPY_ADVICE];
    const uint32_t exponent = UINT32_C(0x7F800000);
    const unsigned char *row = a->elements;
    for (size_t i = 0; i < a->rows; i++, row += a->columns * sizeof(float))
        for (size_t k = 0; k < a->columns; k++) {
            uint32_t bits;
            memcpy(&bits, row + k * sizeof bits, sizeof bits);
            if ((bits & exponent) != exponent)
                continue;
            npy_advice_around(r->place, "np.nan_to_num(", ", nan=0, posinf=0, neginf=0)", line);
            error_line("%s: row %zu, column %zu: the feature is %s; leave the sample out of "
                       "features and labels, or put 0 for such values: %s",
                       r->path, i, k, (bits & ~exponent) << 1 != 0 ? "NaN" : "infinite", line);
            return EXIT_DATA;
        }
    return EXIT_OK;
}

/* ---- notes and warnings ---- */

/* Writes a description such as "float64 ('<f8'), shape (12, 28, 28), Fortran order". */
static void describe(const struct reading *r, char *text, size_t room)
{
    const npy_header *h = &r->header;
    char type[NPY_TYPE_TEXT];
    npy_type_text(h, type);
    size_t used = (size_t)snprintf(text, room, "%s, shape (", type);
    for (size_t i = 0; i < h->dimensions && used < room; i++)
        used += (size_t)snprintf(text + used, room - used, i == 0 ? "%zu" : ", %zu", h->shape[i]);
    if (used < room)
        snprintf(text + used, room - used, "%s)%s", h->dimensions == 1 ? "," : "",
                 h->fortran_order ? ", Fortran order" : "");
}

static int judge_zeros(const struct reading *r)
{
    char line[NPY_ADVICE], remedy[NPY_ADVICE + 64];
    scaling_advice(r->place, line);
    snprintf(remedy, sizeof remedy, "scale the features of all files alike, as with %s", line);
    return dataset_judge_zeros(r->path, r->seen.vanished, r->seen.nonzero, remedy);
}

static bool tell(const struct reading *r)
{
    const npy_header *h = &r->header;
    char type[NPY_TYPE_TEXT], line[NPY_ADVICE];
    npy_type_text(h, type);
    if (r->seen.rounded > 0)
        return dataset_note(r->data, "%s: %zu of %zu features of type %s were rounded to float32",
                            r->path, r->seen.rounded, h->elements, type);
    if (h->kind == 'b' || r->seen.beyond_bytes || !r->seen.beyond_bool)
        return true;
    npy_advice(r->place, ".astype(np.uint8)", line);
    return dataset_note(r->data,
                        "%s: the features of type %s are whole numbers from 0 to 255, taken as "
                        "float32; if they are bytes, as of images, save them as uint8: %s",
                        r->path, type, line);
}

/* ---- features ---- */

static int read_elements(struct reading *r, array *a)
{
    const npy_header *h = &r->header;
    int code;
    if (is_native(h)) {
        r->seen.beyond_bytes = true;
        code = stream_elements(&r->stream, a->rows, a->columns, h->element_bytes, &a->elements);
    } else {
        float *elements = NULL;
        code = read_converted(r, &elements);
        a->elements = elements;
    }
    return code == EXIT_OK && !is_contiguous(h) ? to_c_order(r, a) : code;
}

static int read_array(struct reading *r, bool mapped, array *a)
{
    const npy_header *h = &r->header;
    if (!npy_is_number(h))
        return refuse_type(r);
    a->rows = h->shape[0];
    a->columns = h->elements / h->shape[0];
    a->type = is_bytes(h) ? ARRAY_U8 : ARRAY_F32;
    if (a->columns > DATASET_FEATURES_MAX) {
        error_line("%s: %zu features per sample; at most %d can be read", r->path, a->columns,
                   DATASET_FEATURES_MAX);
        return EXIT_DATA;
    }
    int code = mapped ? demand_native(r) : EXIT_OK;
    if (code == EXIT_OK)
        code = mapped ? array_map(r->path, h->size, a) : read_elements(r, a);
    if (code == EXIT_OK && a->type == ARRAY_F32)
        code = demand_finite(r, a);
    if (code == EXIT_OK && r->seen.vanished > 0)
        code = judge_zeros(r);
    if (code == EXIT_OK && !mapped && !tell(r))
        code = out_of_memory(r);
    return code;
}

int npy_features(npy_place place, bool mapped, dataset *data, array *a)
{
    struct reading r = {.place = place, .data = data};
    *a = (array){0};
    int code = npy_open(place, &r.stream, &r.header);
    if (code != EXIT_OK)
        return code;
    r.path = r.stream.path;
    if (mapped)
        code = stream_demand_raw(&r.stream);
    if (code == EXIT_OK)
        code = read_array(&r, mapped, a);
    if (data->source[0] == '\0')
        describe(&r, data->source, sizeof data->source);
    stream_close(&r.stream);
    if (code != EXIT_OK)
        array_free(a);
    return code;
}
