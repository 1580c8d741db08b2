/* SPDX-License-Identifier: MIT */
#include "array.h"

#include <stdint.h>
#include <stdlib.h>

size_t array_element_bytes(array_type type)
{
    switch (type) {
    case ARRAY_U8:
        return 1;
    case ARRAY_F32:
    case ARRAY_I32:
        return 4;
    case ARRAY_I64:
        break;
    }
    return 8;
}

void array_free(array *a)
{
    if (a->map.bytes == NULL)
        free(a->elements);
    mapping_close(&a->map);
    *a = (array){0};
}
