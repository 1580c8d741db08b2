/* SPDX-License-Identifier: MIT
 *
 * Helpers shared by the *_amx.c sources. A tile has up to 16 rows of up to 64 bytes. TDPBF16PS computes C += A·B with
 *
 *     A  m × 2p bf16, row-major, as in memory
 *     B  2p × n bf16, as p rows of n pairs: row i holds rows 2i and 2i+1 of B, column by column
 *     C  m × n f32
 *
 * One instruction makes 16 × 16 × 32 products in 16 cycles (Sapphire Rapids). Subnormal numbers count as 0 and
 * additions round to nearest, whatever MXCSR says. TDPBUSD (A unsigned, B signed) and TDPBSUD (A signed, B unsigned) do
 * the same with four bytes in place of two bf16. Their 32-bit sums do not saturate. */
#ifndef DOWNHILL_AMX_H
#define DOWNHILL_AMX_H

#include "simd/avx512bf16.h"

enum { TILES = 8, TILE_ROWS_MAX = 16, TILE_ROW_BYTES = 64 };

/* Operand of LDTILECFG (Intel SDM vol. 1, 18.2). */
struct amx_shapes {
    uint8_t palette, start_row, reserved_0[14];
    uint16_t row_bytes[TILES], reserved_1[8];
    uint8_t rows[TILES], reserved_2[8];
};

_Static_assert(sizeof(struct amx_shapes) == 64, "LDTILECFG reads 64 bytes");

DOWNHILL_INLINE void amx_shape(struct amx_shapes *shapes, int tile, size_t rows, size_t row_bytes)
{
    shapes->palette = 1;
    /* A tile with 0 rows must also have 0 bytes per row. */
    shapes->rows[tile] = (uint8_t)rows;
    shapes->row_bytes[tile] = (uint16_t)(rows > 0 ? row_bytes : 0);
}

/* Forces everything that tile instructions will read at `data` to be stored by now. GCC 12 does not see that they read
 * memory. The barrier in amx_load() keeps it from being overwritten before it is read. */
DOWNHILL_INLINE void amx_stored(const void *data)
{
    __asm__ volatile("" : : "r"(data) : "memory");
}

/* Loads a tile. This is a macro because the number of a tile is part of the instruction. */
#define amx_load(tile, data, row_bytes)                                                            \
    do {                                                                                           \
        _tile_loadd(tile, data, row_bytes);                                                        \
        __asm__ volatile("" : : : "memory");                                                       \
    } while (0)

DOWNHILL_INLINE void amx_begin(const struct amx_shapes *shapes)
{
    amx_stored(shapes);
    _tile_loadconfig(shapes);
}

/* Tile operand in memory. */
struct operand {
    const void *data;
    ptrdiff_t row_bytes;
};

/* Returns the distance between consecutive rows in bytes, or 0 if it varies. */
DOWNHILL_INLINE ptrdiff_t amx_distance(size_t n, const void *const *x)
{
    if (n < 2)
        return TILE_ROW_BYTES;
    const ptrdiff_t first = (ptrdiff_t)((uintptr_t)x[1] - (uintptr_t)x[0]);
    for (size_t i = 2; i < n; i++)
        if ((ptrdiff_t)((uintptr_t)x[i] - (uintptr_t)x[i - 1]) != first)
            return 0;
    return first;
}

/* Releases the tiles. Tiles left in use make every context switch longer. */
DOWNHILL_INLINE void amx_end(void)
{
    _tile_release();
}

/* Transposes a 16 × 16 matrix of 4-byte elements in place. */
DOWNHILL_INLINE void transpose_16x16(__m512i row[TILE_ROWS_MAX])
{
    __m512i t[TILE_ROWS_MAX];
    DOWNHILL_UNROLL
    for (int i = 0; i < TILE_ROWS_MAX; i += 2) {
        t[i] = _mm512_unpacklo_epi32(row[i], row[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(row[i], row[i + 1]);
    }
    DOWNHILL_UNROLL
    for (int i = 0; i < TILE_ROWS_MAX; i += 4) {
        row[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        row[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        row[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        row[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    /* 128-bit part p of row[4a + b] now holds column 4p + b of rows 4a … 4a+3. */
    DOWNHILL_UNROLL
    for (int b = 0; b < 4; b++) {
        t[b] = _mm512_shuffle_i32x4(row[b], row[4 + b], _MM_SHUFFLE(1, 0, 1, 0));
        t[4 + b] = _mm512_shuffle_i32x4(row[b], row[4 + b], _MM_SHUFFLE(3, 2, 3, 2));
        t[8 + b] = _mm512_shuffle_i32x4(row[8 + b], row[12 + b], _MM_SHUFFLE(1, 0, 1, 0));
        t[12 + b] = _mm512_shuffle_i32x4(row[8 + b], row[12 + b], _MM_SHUFFLE(3, 2, 3, 2));
    }
    DOWNHILL_UNROLL
    for (int b = 0; b < 4; b++) {
        row[b] = _mm512_shuffle_i32x4(t[b], t[8 + b], _MM_SHUFFLE(2, 0, 2, 0));
        row[4 + b] = _mm512_shuffle_i32x4(t[b], t[8 + b], _MM_SHUFFLE(3, 1, 3, 1));
        row[8 + b] = _mm512_shuffle_i32x4(t[4 + b], t[12 + b], _MM_SHUFFLE(2, 0, 2, 0));
        row[12 + b] = _mm512_shuffle_i32x4(t[4 + b], t[12 + b], _MM_SHUFFLE(3, 1, 3, 1));
    }
}

#endif
