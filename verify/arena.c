/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "arena.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The pattern is −1.35e-6 as a float and a large negative number as an int32: neither looks like a
 * result. */
enum { PATTERN = 0xB5, LINE = 64 };

/* Bytes on both sides of a matrix that are checked for stray writes, and offset of a matrix that is
 * placed inside. */
enum { CHECKED_BYTES = 64 * LINE, INSIDE_OFFSET = CHECKED_BYTES };

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

size_t arena_bytes_needed(size_t rows, size_t ld)
{
    return rows * ld * UNIT_BYTES + INSIDE_OFFSET + LINE + CHECKED_BYTES;
}

bool arena_open(arena *a, size_t bytes)
{
    const size_t page = page_size();
    a->capacity = (bytes + page - 1) / page * page;
    unsigned char *p = mmap(NULL, a->capacity + 2 * page, PROT_NONE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        a->pages = NULL;
        return false;
    }
    if (mprotect(p + page, a->capacity, PROT_READ | PROT_WRITE) != 0) {
        munmap(p, a->capacity + 2 * page);
        a->pages = NULL;
        return false;
    }
    a->pages = p + page;
    a->locked = a->locked_end = 0;
    return true;
}

void arena_close(arena *a)
{
    const size_t page = page_size();
    if (a->pages != NULL)
        munmap(a->pages - page, a->capacity + 2 * page);
    a->pages = NULL;
}

static size_t span_bytes(const guarded *g)
{
    return ((g->rows - 1) * g->ld + g->columns) * g->element_bytes;
}

/* Finds the part of the arena that needs the pattern. Bytes farther from the matrix are never
 * compared. */
static void surroundings(const guarded *g, const unsigned char **low, const unsigned char **high)
{
    const unsigned char *first = g->data, *end = first + span_bytes(g);
    const unsigned char *arena_end = g->arena->pages + g->arena->capacity;
    *low = first - g->arena->pages > CHECKED_BYTES ? first - CHECKED_BYTES : g->arena->pages;
    *high = arena_end - end > CHECKED_BYTES ? end + CHECKED_BYTES : arena_end;
}

void arena_forbid_writes(arena *a, const guarded *g)
{
    /* Protects only the checked part: changing all pages of an arena takes longer than a kernel. */
    const unsigned char *low, *high;
    surroundings(g, &low, &high);
    const size_t page = page_size();
    a->locked = (size_t)(low - a->pages) / page * page;
    a->locked_end = ((size_t)(high - a->pages) + page - 1) / page * page;
    /* A failure only means that a stray write goes unnoticed. */
    (void)mprotect(a->pages + a->locked, a->locked_end - a->locked, PROT_READ);
}

static void allow_writes(arena *a)
{
    if (a->locked < a->locked_end)
        (void)mprotect(a->pages + a->locked, a->locked_end - a->locked, PROT_READ | PROT_WRITE);
    a->locked = a->locked_end = 0;
}

guarded arena_place(arena *a, size_t rows, size_t columns, size_t ld, enum placement placement,
                    size_t offset)
{
    return arena_place_of(UNIT_BYTES, a, rows, columns, ld, placement, offset);
}

guarded arena_place_of(size_t element_bytes, arena *a, size_t rows, size_t columns, size_t ld,
                       enum placement placement, size_t offset)
{
    guarded g = {NULL, element_bytes, rows, columns, ld, a};
    allow_writes(a);
    switch (placement) {
    case PLACE_AT_END:
        g.data = a->pages + a->capacity - span_bytes(&g);
        break;
    case PLACE_AT_START:
        g.data = a->pages;
        break;
    case PLACE_INSIDE:
        g.data = a->pages + INSIDE_OFFSET + offset % (LINE / UNIT_BYTES) * element_bytes;
        break;
    }
    const unsigned char *low, *high;
    surroundings(&g, &low, &high);
    /* A little more at the end, for a caller that moves the start by a few bytes. */
    const unsigned char *arena_end = a->pages + a->capacity;
    high = arena_end - high > LINE ? high + LINE : arena_end;
    memset(a->pages + (low - a->pages), PATTERN, (size_t)(high - low));
    return g;
}

static bool all_pattern(const unsigned char *from, const unsigned char *to)
{
    /* The first byte is right, and each byte equals the one before it. */
    return from >= to || (*from == PATTERN && memcmp(from, from + 1, (size_t)(to - from - 1)) == 0);
}

void guarded_fill(guarded *g, const void *dense)
{
    for (size_t i = 0; i < g->rows; i++)
        memcpy((char *)g->data + i * g->ld * g->element_bytes,
               (const char *)dense + i * g->columns * g->element_bytes,
               g->columns * g->element_bytes);
}

bool guarded_intact(const guarded *g)
{
    const unsigned char *low, *high, *first = g->data;
    surroundings(g, &low, &high);
    if (!all_pattern(low, first) || !all_pattern(first + span_bytes(g), high))
        return false;
    for (size_t i = 0; i + 1 < g->rows; i++)
        if (!all_pattern(first + (i * g->ld + g->columns) * g->element_bytes,
                         first + (i + 1) * g->ld * g->element_bytes))
            return false;
    return true;
}
