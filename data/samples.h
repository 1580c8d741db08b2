/* SPDX-License-Identifier: MIT
 *
 * Labelled samples: the stored features and labels, and the selections of rows that form the
 * training, validation and test sets. */
#ifndef DOWNHILL_DATA_SAMPLES_H
#define DOWNHILL_DATA_SAMPLES_H

#include "mapping.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* rows × d features with leading dimension ld, either bytes or f32; the other pointer is NULL. They
 * are in memory or in mapped files, in which case a row may be a gap between two files. */
typedef struct matrix {
    size_t rows, d, ld;
    const uint8_t *u8;
    const float *f32;
    int32_t *y;      /* the class of each row */
    bool unlabelled; /* every class is DATASET_NO_CLASS */
    void *memory;    /* allocated features, or NULL if they are mapped */
    mapping map;
} matrix;

/* Allocates rows × d features, ld = d, to be written through x->memory. Returns false if memory is
 * short; *x must be freed in any case. */
bool matrix_new_u8(size_t rows, size_t d, matrix *x);
bool matrix_new_f32(size_t rows, size_t d, matrix *x);
void matrix_free(matrix *x);

typedef struct samples {
    const matrix *x;
    size_t *rows; /* n row numbers: sample i is row rows[i] */
    size_t n;
} samples;

/* Selects rows first … first+n-1. Returns false if memory is short. */
bool samples_range(const matrix *x, size_t first, size_t n, samples *s);
void samples_free(samples *s);

static inline int32_t samples_label(const samples *s, size_t i)
{
    return s->x->y[s->rows[i]];
}

static inline const uint8_t *samples_u8(const samples *s, size_t i)
{
    return s->x->u8 + s->rows[i] * s->x->ld;
}

static inline const float *samples_f32(const samples *s, size_t i)
{
    return s->x->f32 + s->rows[i] * s->x->ld;
}

#endif
