/* SPDX-License-Identifier: MIT
 *
 * AMX tiles for the loops that measure peaks. */
#ifndef DOWNHILL_BENCH_CEILINGS_TILES_H
#define DOWNHILL_BENCH_CEILINGS_TILES_H

#if defined __x86_64__ && DOWNHILL_HAVE_AMX
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

enum { TILES = 8, TILE_ROWS = 16, TILE_ROW_BYTES = 64 };

/* Configures eight full tiles. The loops release them. */
__attribute__((target("amx-tile"))) static inline void tiles_begin(void)
{
    uint8_t shapes[64] = {1}; /* palette 1; bytes per row from byte 16 on, rows from byte 48 on */
    for (size_t tile = 0; tile < TILES; tile++) {
        shapes[16 + 2 * tile] = TILE_ROW_BYTES;
        shapes[48 + tile] = TILE_ROWS;
    }
    /* GCC 12 does not know that LDTILECFG reads all 64 bytes, and would remove the stores. */
    __asm__ volatile("" : : "r"(shapes) : "memory");
    _tile_loadconfig(shapes);
}
#endif

#endif
