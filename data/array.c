/* SPDX-License-Identifier: MIT */
#include "array.h"

#include "base/error.h"

#include <stdint.h>
#include <stdlib.h>

size_t array_element_bytes(array_type type)
{
    return type == ARRAY_U8 ? sizeof(uint8_t) : sizeof(float);
}

void array_free(array *a)
{
    if (a->map.bytes == NULL)
        free(a->elements);
    mapping_close(&a->map);
    *a = (array){0};
}

int array_map(const char *path, size_t header, array *a)
{
    const size_t element_bytes = array_element_bytes(a->type);
    mapped_records all;
    const int code = mapping_open(&path, 1, 1, &a->map, &all);
    if (code != EXIT_OK)
        return code;
    /* Divide instead of multiplying the sizes of the header: the product may overflow. */
    const size_t bytes = a->map.size > header ? a->map.size - header : 0;
    if (bytes % element_bytes != 0 || bytes / element_bytes % a->columns != 0 ||
        bytes / element_bytes / a->columns != a->rows) {
        error_line("%s: %zu bytes, but its header describes %zu + %zu x %zu x %zu; download the "
                   "file again",
                   path, a->map.size, header, a->rows, a->columns, element_bytes);
        return EXIT_DATA;
    }
    if (header % element_bytes != 0) {
        error_line("%s: the elements begin at byte %zu, not at a multiple of %zu, and cannot be "
                   "mapped; save the file again with numpy.save(), or leave --mmap out",
                   path, header, element_bytes);
        return EXIT_DATA;
    }
    a->elements = a->map.bytes + header;
    return EXIT_OK;
}
