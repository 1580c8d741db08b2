/* SPDX-License-Identifier: MIT
 *
 * Buffers that catch what a kernel must not do: pages without access on both sides, and a known
 * pattern in every byte that is not the kernel's to write. */
#ifndef DOWNHILL_VERIFY_ARENA_H
#define DOWNHILL_VERIFY_ARENA_H

#include <stdbool.h>
#include <stddef.h>

typedef struct arena {
    unsigned char *pages;      /* the accessible part */
    size_t capacity;           /* its bytes, a multiple of the page size */
    size_t locked, locked_end; /* from where to where it cannot be written to, in whole pages */
} arena;

/* Where in the arena a matrix is put. */
enum placement {
    PLACE_AT_END,   /* the last element touches the guard page behind */
    PLACE_AT_START, /* the first element touches the guard page in front */
    PLACE_INSIDE,   /* at an offset of 0 … 15 elements from a cache line, pattern on both sides */
};

/* rows × columns elements, ld elements apart; the last row has no padding, so that reading it
 * shows. */
enum { UNIT_BYTES = 4 }; /* what arena_bytes_needed() counts in */

typedef struct guarded {
    void *data;
    size_t element; /* bytes: 4 or 2 */
    size_t rows, columns, ld;
    const arena *arena;
} guarded;

/* false: no memory. */
bool arena_open(arena *a, size_t bytes);
void arena_close(arena *a);

/* Fills the arena with the pattern and places a matrix in it; offset is for PLACE_INSIDE. The
 * matrix must fit: bytes of arena_bytes_needed(), which is for elements of 4. */
guarded arena_place_of(size_t element, arena *a, size_t rows, size_t columns, size_t ld,
                       enum placement where, size_t offset);
guarded arena_place(arena *a, size_t rows, size_t columns, size_t ld, enum placement where,
                    size_t offset); /* of 4 bytes */
size_t arena_bytes_needed(size_t rows, size_t ld);

/* From here on until the next arena_place() a write to the matrix, or near it, crashes. */
void arena_forbid_writes(arena *a, const guarded *g);

/* The rows of a dense matrix into those of the guarded one. */
void guarded_fill(guarded *g, const void *dense);

/* Is the pattern whole in every byte around the matrix, padding between its rows included? */
bool guarded_intact(const guarded *g);

#endif
