/* SPDX-License-Identifier: MIT */
#include "part.h"

#include <stdint.h>
#include <stdlib.h>

/* The library reads no more row numbers of the next batch. */
enum { NEXT_ROWS = 256 };

size_t part_rows_take(part_rows *p, size_t first, size_t own, const size_t *rows, size_t n,
                      size_t n_next)
{
    const size_t start = n + first, all = n + n_next;
    const size_t available = start < all ? all - start : 0, fit = available < own ? available : own;
    const size_t next = fit < NEXT_ROWS ? fit : NEXT_ROWS;
    if (own + next > p->room) {
        size_t *larger = realloc(p->rows, (own + NEXT_ROWS) * sizeof *larger);
        if (larger == NULL)
            return SIZE_MAX;
        p->rows = larger;
        p->room = own + NEXT_ROWS;
    }
    for (size_t i = 0; i < own + next; i++) {
        const size_t at = i < own ? first + i : start + i - own;
        p->rows[i] = rows != NULL ? rows[at] : at;
    }
    return next;
}
