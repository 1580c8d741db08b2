/* SPDX-License-Identifier: MIT */
#include "samples.h"

#include "base/memory.h"

#include <stdlib.h>

static bool matrix_new(size_t rows, size_t d, size_t element_bytes, matrix *x)
{
    *x = (matrix){.rows = rows, .d = d, .ld = d};
    x->memory = rows <= SIZE_MAX / d ? memory_new(rows * d, element_bytes) : NULL;
    x->y = memory_new(rows, sizeof *x->y);
    return x->memory != NULL && x->y != NULL;
}

bool matrix_new_u8(size_t rows, size_t d, matrix *x)
{
    const bool good = matrix_new(rows, d, sizeof(uint8_t), x);
    x->u8 = x->memory;
    return good;
}

bool matrix_new_f32(size_t rows, size_t d, matrix *x)
{
    const bool good = matrix_new(rows, d, sizeof(float), x);
    x->f32 = x->memory;
    return good;
}

void matrix_free(matrix *x)
{
    mapping_close(&x->map);
    free(x->memory);
    free(x->y);
    *x = (matrix){0};
}

bool samples_range(const matrix *x, size_t first, size_t n, samples *s)
{
    *s = (samples){.x = x, .rows = memory_new(n, sizeof *s->rows), .n = n};
    for (size_t i = 0; s->rows != NULL && i < n; i++)
        s->rows[i] = first + i;
    return s->rows != NULL;
}

void samples_free(samples *s)
{
    free(s->rows);
    *s = (samples){0};
}
