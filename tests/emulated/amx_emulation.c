/* SPDX-License-Identifier: MIT
 *
 * After the descriptions of LDTILECFG, TILELOADD, TILESTORED, TDPBF16PS,
 * TDPBUSD and TDPBSUD in the Intel SDM, vol. 2. */
#include "amx_emulation.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TILES = 8, ROWS = 16, ROW_BYTES = 64 };

/* Of each thread, as in a CPU. */
static _Thread_local struct {
    bool in_use;
    size_t products;
    uint8_t rows[TILES];
    uint16_t row_bytes[TILES];
    uint8_t data[TILES][ROWS][ROW_BYTES];
} amx;

static void need(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "amx_emulation: %s\n", what);
    abort();
}

static void need_tile(int tile)
{
    need(amx.in_use, "a tile without a configuration");
    need(tile >= 0 && tile < TILES, "a tile beyond the eighth");
    need(amx.rows[tile] > 0, "a tile that is not configured");
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
    need(c.palette == 1 && c.start_row == 0, "palette or start row");
    for (int i = 0; i < 14; i++)
        need(c.reserved_0[i] == 0, "a reserved byte is not 0");
    for (int t = 0; t < 16; t++) {
        need(t < TILES || (c.rows[t] == 0 && c.row_bytes[t] == 0), "a tile beyond the eighth");
        need(c.rows[t] <= ROWS && c.row_bytes[t] <= ROW_BYTES, "a tile is too large");
        need((c.rows[t] == 0) == (c.row_bytes[t] == 0), "rows without columns, or columns alone");
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
    need_tile(tile);
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
    need_tile(tile);
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

static void need_factors(int c, int a, int b)
{
    need_tile(c);
    need_tile(a);
    need_tile(b);
    need(c != a && c != b && a != b, "a tile twice");
    need(amx.row_bytes[c] % 4 == 0 && amx.row_bytes[a] % 4 == 0, "half an element");
    need(amx.rows[a] == amx.rows[c] && amx.rows[b] == amx.row_bytes[a] / 4 &&
             amx.row_bytes[b] == amx.row_bytes[c],
         "shapes that do not fit each other");
    amx.products++;
}

void amx_emulated_dpbf16ps(int c, int a, int b)
{
    need_factors(c, a, b);
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
    need_factors(c, a, b);
    for (int i = 0; i < amx.rows[c]; i++)
        for (int j = 0; j < amx.row_bytes[c] / 4; j++) {
            uint32_t sum; /* wraps */
            memcpy(&sum, &amx.data[c][i][4 * j], sizeof sum);
            for (int k = 0; k < amx.row_bytes[a]; k++) {
                const uint8_t of_a = amx.data[a][i][k], of_b = amx.data[b][k / 4][4 * j + k % 4];
                const int factor_a = a_signed ? (int8_t)of_a : of_a;
                const int factor_b = b_signed ? (int8_t)of_b : of_b;
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
