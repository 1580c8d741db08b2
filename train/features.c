/* SPDX-License-Identifier: MIT */
#include "features.h"

#include "base/error.h"
#include "parallel/together.h"

#include <stdlib.h>

const char *const feature_words[2] = {"u8", "f32"};

enum { COPY_ROWS = 64 };

struct copying {
    const features *f;
    const matrix *x;
    float *to;
    size_t threads;
};

static void copy_part(void *context, size_t part)
{
    const struct copying *c = context;
    const size_t rows = c->x->rows, first = rows * part / c->threads,
                 end = rows * (part + 1) / c->threads;
    for (size_t row = first; row < end; row += COPY_ROWS) {
        const size_t remaining = end - row;
        normalise_rows(&c->f->norm, c->x, row, remaining < COPY_ROWS ? remaining : COPY_ROWS,
                       c->to + row * c->x->d);
    }
}

/* Allocates without clearing, unlike memory_new(): a page belongs to the NUMA node of the thread
 * that touches it first. */
static float *new_copy(const features *f, const matrix *x, size_t threads)
{
    const bool fits = x->rows <= SIZE_MAX / sizeof(float) / x->d;
    float *to = fits ? aligned_alloc(64, (x->rows * x->d * sizeof *to + 63) / 64 * 64) : NULL;
    struct copying c = {f, x, to, threads};
    if (to != NULL)
        together_run(threads, copy_part, &c);
    return to;
}

bool features_open_with(feature_type type, const dataset *data, normalisation *norm, size_t threads,
                        features *f)
{
    *f = (features){.type = type, .data = data, .norm = *norm};
    *norm = (normalisation){0};
    for (int s = 0; type == FEATURES_F32 && s < 2; s++) {
        const matrix *x = &data->stored[s];
        if (x->rows == 0)
            continue;
        const bool as_it_is = normalise_is_identity(&f->norm, x);
        f->own[s] = as_it_is ? NULL : new_copy(f, x, threads);
        f->f32[s] = as_it_is ? x->f32 : f->own[s];
        f->ld[s] = as_it_is ? x->ld : x->d;
        if (f->f32[s] == NULL) {
            features_close(f);
            return false;
        }
    }
    return true;
}

bool features_open(feature_type type, const dataset *data, normalise_kind kind, size_t threads,
                   features *f)
{
    normalisation norm;
    *f = (features){0};
    return normalise_open(kind, &data->train, &norm) &&
           features_open_with(type, data, &norm, threads, f);
}

void features_close(features *f)
{
    normalise_close(&f->norm);
    free(f->own[0]);
    free(f->own[1]);
    *f = (features){0};
}

downhill_batch_f32 features_batch_f32(const features *f, const matrix *x, const size_t *rows,
                                      size_t n, size_t n_next)
{
    const int s = x == &f->data->stored[1];
    return (downhill_batch_f32){f->f32[s], f->ld[s], x->rows, x->y, rows, n, n_next};
}

downhill_batch_u8 features_batch_u8(const matrix *x, const size_t *rows, size_t n, size_t n_next)
{
    return (downhill_batch_u8){x->u8, x->ld, x->rows, x->y, rows, n, n_next};
}

downhill_norm_u8 features_norm_u8(const features *f)
{
    return (downhill_norm_u8){f->norm.mean_256, f->norm.scale};
}

bool features_fit_u8(const dataset *data)
{
    const size_t d = data->d, c = data->c;
    if (d > DOWNHILL_U8_D_MAX || c > DOWNHILL_U8_C_MAX) {
        error_line(
            "train: %s: %zu features and %zu classes; training on bytes is exact up to %d and "
            "%d; use --dtype f32",
            data->name, d, c, DOWNHILL_U8_D_MAX, DOWNHILL_U8_C_MAX);
        return false;
    }
    return true;
}
