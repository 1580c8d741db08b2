/* SPDX-License-Identifier: MIT
 *
 * Buffers that catch stray accesses of a kernel: an inaccessible page on both sides, and a known
 * pattern in every byte that the kernel must not write. */
#ifndef DOWNHILL_VERIFY_ARENA_H
#define DOWNHILL_VERIFY_ARENA_H

#include <stdbool.h>
#include <stddef.h>

typedef struct arena {
    unsigned char *pages;      /* the accessible part, between two guard pages */
    size_t capacity;           /* bytes in it, a multiple of the page size */
    size_t locked, locked_end; /* byte offsets of the read-only part, whole pages */
} arena;

/* Position of a matrix in the arena. */
enum placement {
    PLACE_AT_END,   /* ends where the guard page after it starts */
    PLACE_AT_START, /* starts where the guard page before it ends */
    PLACE_INSIDE,   /* 0 … 15 elements after the start of a cache line, pattern on both sides */
};

/* Bytes of an element, unless arena_place_of() is given another size. */
enum { UNIT_BYTES = 4 };

/* Matrix of rows × columns elements, with a leading dimension of ld elements. The last row has no
 * padding, so that reading past it faults. */
typedef struct guarded {
    void *data;
    size_t element_bytes; /* 1, 2, 4 or 8 */
    size_t rows, columns, ld;
    const arena *arena;
} guarded;

/* Allocates the arena. Returns false if out of memory. */
bool arena_open(arena *a, size_t bytes);
void arena_close(arena *a);

/* Places a matrix in the arena and fills the bytes around it with the pattern; the offset is
 * used by PLACE_INSIDE only. The arena must have arena_bytes_needed() bytes, which assumes
 * elements of UNIT_BYTES bytes. */
guarded arena_place_of(size_t element_bytes, arena *a, size_t rows, size_t columns, size_t ld,
                       enum placement placement, size_t offset);
guarded arena_place(arena *a, size_t rows, size_t columns, size_t ld, enum placement placement,
                    size_t offset); /* elements of UNIT_BYTES bytes */
size_t arena_bytes_needed(size_t rows, size_t ld);

/* Makes the matrix and its surroundings read-only until the next arena_place(). */
void arena_forbid_writes(arena *a, const guarded *g);

/* Copies a dense matrix into a guarded one. */
void guarded_fill(guarded *g, const void *dense);

/* Returns whether every byte around the matrix, and between its rows, still has the pattern. */
bool guarded_intact(const guarded *g);

#endif
