/* SPDX-License-Identifier: MIT
 *
 * NPY files, as features and as labels. Reading and mapping a file must give the same, and the
 * result must keep the promises of npy_file.h. */
#include "fuzz.h"

#include "base/error.h"
#include "data/npy_file.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Checks names of classes, which are written to JSON and to terminals. */
static void check_texts(const labels *l)
{
    for (size_t i = 0; l->texts != NULL && i < l->n; i++) {
        const char *text = l->texts + i * l->width;
        json_t *name = json_string(text);
        if (name == NULL || text[0] == '\0' || memchr(text, '\0', l->width) == NULL)
            abort();
        json_decref(name);
    }
}

/* Checks that labels of any type become classes with different names. */
static void check_classes(const labels *l)
{
    dataset data = {.stored = {{.rows = l->n, .y = calloc(l->n, sizeof(int32_t))}}};
    if (data.stored[0].y == NULL)
        abort();
    const int code = labels_classify("x", l, 0, &data);
    fuzz_expect(code);
    for (size_t i = 0; code == EXIT_OK && i < l->n; i++)
        if (data.stored[0].y[i] < 0 || data.stored[0].y[i] >= (int32_t)data.c)
            abort();
    for (size_t j = 1; code == EXIT_OK && j < data.c; j++)
        if (strcmp(data.class_names[j - 1], data.class_names[j]) == 0)
            abort();
    dataset_close(&data);
}

static void check_finite(const array *a)
{
    for (size_t i = 0; a->type == ARRAY_F32 && i < a->rows * a->columns; i++)
        if (!isfinite(((const float *)a->elements)[i]))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    array read, mapped;
    labels l;
    const char *path = fuzz_file("x.npy", bytes, count);
    const npy_place place = {.path = path};
    dataset notes = {0};
    const int code = npy_features(place, false, &notes, &read),
              map_code = npy_features(place, true, &notes, &mapped);
    dataset_close(&notes);
    fuzz_expect(code);
    fuzz_expect(map_code);
    if (code == EXIT_OK && map_code == EXIT_OK &&
        (read.rows != mapped.rows || read.columns != mapped.columns || read.type != mapped.type ||
         memcmp(read.elements, mapped.elements,
                read.rows * read.columns * array_element_bytes(read.type)) != 0))
        abort();
    if (code == EXIT_OK)
        check_finite(&read);
    array_free(&read);
    array_free(&mapped);
    const int labels_code = npy_labels(place, &l);
    fuzz_expect(labels_code);
    if (labels_code == EXIT_OK) {
        check_texts(&l);
        check_classes(&l);
    }
    labels_free(&l);
    return 0;
}
