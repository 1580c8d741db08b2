/* SPDX-License-Identifier: MIT
 *
 * Divides the scores of bytes into tiles, for the sources that define packed_weight, and tile() for up to TILE_ROWS
 * samples and TILE_CLASSES classes. */
#ifndef DOWNHILL_SCORE_U8_TILES_H
#define DOWNHILL_SCORE_U8_TILES_H

#include "isa/kernels.h"
#include "simd/tiles.h"

/* Packed weights of a class before those of the next class: of 32 features in 16 bits, or two bytes each of 16. */
enum { WEIGHTS_OF_GROUP = 32 };

/* Adds the scores of some rows and of up to five classes. */
DOWNHILL_INLINE void some_classes(const int rows, const int n_next, size_t classes, size_t d,
                                  size_t c, const void *const *x, const void *const *next,
                                  const packed_weight *q, const double *quantum, double *scores,
                                  size_t lds)
{
    switch (classes) {
    case 5:
        tile(rows, 5, n_next, d, c, x, next, q, quantum, scores, lds);
        break;
    case 4:
        tile(rows, 4, n_next, d, c, x, next, q, quantum, scores, lds);
        break;
    case 3:
        tile(rows, 3, n_next, d, c, x, next, q, quantum, scores, lds);
        break;
    case 2:
        tile(rows, 2, n_next, d, c, x, next, q, quantum, scores, lds);
        break;
    default:
        tile(rows, 1, n_next, d, c, x, next, q, quantum, scores, lds);
        break;
    }
}

/* Adds the scores of some rows and of all classes of the panel. With more than five classes each of the two passes over
 * the rows prefetches half of the next rows, so that the requests are spread evenly. */
DOWNHILL_INLINE void all_classes(const int rows, size_t d, size_t c, const void *const *x,
                                 const packed_weight *q, const double *quantum, double *scores,
                                 size_t lds)
{
    if (c <= TILE_CLASSES) {
        some_classes(rows, rows, c, d, c, x, x + rows, q, quantum, scores, lds);
        return;
    }
    const size_t classes = next_tile(c, TILE_CLASSES);
    const int half = (rows + 1) / 2;
    some_classes(rows, half, classes, d, c, x, x + rows, q, quantum, scores, lds);
    some_classes(rows, half, c - classes, d, c, x, x + rows + rows / 2,
                 q + WEIGHTS_OF_GROUP * classes, quantum + classes, scores + classes, lds);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_u8)(size_t n, size_t d, size_t c, const void *const *x, const void *packed,
                             const double *quantum, double *scores, size_t lds)
{
    size_t i = 0;
    for (; i + TILE_ROWS <= n; i += TILE_ROWS)
        all_classes(TILE_ROWS, d, c, x + i, packed, quantum, scores + i * lds, lds);
    for (; i < n; i++)
        all_classes(1, d, c, x + i, packed, quantum, scores + i * lds, lds);
}

#endif
