/* SPDX-License-Identifier: MIT
 *
 * Follows the descriptions of LDTILECFG, TILELOADD, TILESTORED, TDPBF16PS,
 * TDPBUSD and TDPBSUD in the Intel SDM, vol. 2. */
#include "amx_emulation.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TILES = 8, ROWS = 16, ROW_BYTES = 64 };

/* Tile state of a thread, as in a CPU. */
static _Thread_local struct {
    bool in_use;
    size_t products;
    uint8_t rows[TILES];
    uint16_t row_bytes[TILES];
    uint8_t data[TILES][ROWS][ROW_BYTES];
} amx;

static void require(bool valid, const char *fault)
{
    if (valid)
        return;
    fprintf(stderr, "amx_emulation: %s\n", fault);
    abort();
}

static void require_tile(int tile)
{
    require(amx.in_use, "a tile was used without a configuration");
    require(tile >= 0 && tile < TILES, "there is no such tile");
    require(amx.rows[tile] > 0, "a tile was used that is not configured");
}

void amx_emulated_loadconfig(const void *config)
{
    struct {
        uint8_t palette, start_row, reserved_0[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } c;
    _Static_assert(sizeof c == 64, "the operand has 64 bytes");
    memcpy(&c, config, sizeof c);
    require(c.palette == 1 && c.start_row == 0, "the palette is not 1 or the start row is not 0");
    for (int i = 0; i < 14; i++)
        require(c.reserved_0[i] == 0, "a reserved byte is not 0");
    for (int t = 0; t < 16; t++) {
        require(t < TILES || (c.rows[t] == 0 && c.row_bytes[t] == 0),
                "a tile beyond the eighth is configured");
        require(c.rows[t] <= ROWS && c.row_bytes[t] <= ROW_BYTES, "a tile is too large");
        require((c.rows[t] == 0) == (c.row_bytes[t] == 0),
                "a tile has rows without columns or columns without rows");
    }
    amx.in_use = true;
    memcpy(amx.rows, c.rows, sizeof amx.rows);
    memcpy(amx.row_bytes, c.row_bytes, sizeof amx.row_bytes);
    memset(amx.data, 0, sizeof amx.data);
}

void amx_emulated_release(void)
{
    amx.in_use = false;
}

void amx_emulated_zero(int tile)
{
    require_tile(tile);
    memset(amx.data[tile], 0, sizeof amx.data[tile]);
}

void amx_emulated_load(int tile, const void *data, long row_bytes)
{
    amx_emulated_zero(tile);
    for (int r = 0; r < amx.rows[tile]; r++)
        memcpy(amx.data[tile][r], (const char *)data + r * row_bytes, amx.row_bytes[tile]);
}

void amx_emulated_store(int tile, void *data, long row_bytes)
{
    require_tile(tile);
    for (int r = 0; r < amx.rows[tile]; r++)
        memcpy((char *)data + r * row_bytes, amx.data[tile][r], amx.row_bytes[tile]);
}

static float flushed(float v)
{
    return fabsf(v) < 0x1p-126f ? copysignf(0.0f, v) : v;
}

static float bf16_at(const uint8_t *row, int i)
{
    uint16_t upper;
    memcpy(&upper, row + 2 * i, sizeof upper);
    const uint32_t bits = (uint32_t)upper << 16;
    float v;
    memcpy(&v, &bits, sizeof v);
    return flushed(v);
}

static void require_factors(int c, int a, int b)
{
    require_tile(c);
    require_tile(a);
    require_tile(b);
    require(c != a && c != b && a != b, "an instruction uses a tile twice");
    require(amx.row_bytes[c] % 4 == 0 && amx.row_bytes[a] % 4 == 0, "a row ends within an element");
    require(amx.rows[a] == amx.rows[c] && amx.rows[b] == amx.row_bytes[a] / 4 &&
                amx.row_bytes[b] == amx.row_bytes[c],
            "the shapes of the tiles do not match");
    amx.products++;
}

void amx_emulated_dpbf16ps(int c, int a, int b)
{
    require_factors(c, a, b);
    const int m = amx.rows[c], n = amx.row_bytes[c] / 4, pairs = amx.row_bytes[a] / 4;
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            float even = 0.0f, odd = 0.0f, sum;
            for (int p = 0; p < pairs; p++) {
                const uint8_t *row_a = amx.data[a][i], *row_b = amx.data[b][p];
                even = flushed(fmaf(bf16_at(row_a, 2 * p), bf16_at(row_b, 2 * j), even));
                odd = flushed(fmaf(bf16_at(row_a, 2 * p + 1), bf16_at(row_b, 2 * j + 1), odd));
            }
            memcpy(&sum, &amx.data[c][i][4 * j], sizeof sum);
            sum = flushed(flushed(sum) + flushed(even + odd));
            memcpy(&amx.data[c][i][4 * j], &sum, sizeof sum);
        }
}

static void add_bytes(int c, int a, int b, bool a_signed, bool b_signed)
{
    require_factors(c, a, b);
    for (int i = 0; i < amx.rows[c]; i++)
        for (int j = 0; j < amx.row_bytes[c] / 4; j++) {
            uint32_t sum; /* modulo 2³² */
            memcpy(&sum, &amx.data[c][i][4 * j], sizeof sum);
            for (int k = 0; k < amx.row_bytes[a]; k++) {
                const uint8_t byte_a = amx.data[a][i][k],
                              byte_b = amx.data[b][k / 4][4 * j + k % 4];
                const int factor_a = a_signed ? (int8_t)byte_a : byte_a;
                const int factor_b = b_signed ? (int8_t)byte_b : byte_b;
                sum += (uint32_t)(factor_a * factor_b);
            }
            memcpy(&amx.data[c][i][4 * j], &sum, sizeof sum);
        }
}

void amx_emulated_dpbusd(int c, int a, int b)
{
    add_bytes(c, a, b, false, true);
}

void amx_emulated_dpbsud(int c, int a, int b)
{
    add_bytes(c, a, b, true, false);
}

bool amx_emulated_in_use(void)
{
    return amx.in_use;
}

size_t amx_emulated_products(void)
{
    return amx.products;
}
