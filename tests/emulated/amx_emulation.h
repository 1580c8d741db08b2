/* SPDX-License-Identifier: MIT
 *
 * The AMX tile instructions in plain C, for machines without them. An operation that faults on a
 * CPU prints the reason and aborts. */
#ifndef DOWNHILL_TESTS_AMX_EMULATION_H
#define DOWNHILL_TESTS_AMX_EMULATION_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>

void amx_emulated_loadconfig(const void *config);
void amx_emulated_release(void);
void amx_emulated_zero(int tile);
void amx_emulated_load(int tile, const void *data, long row_bytes);
void amx_emulated_store(int tile, void *data, long row_bytes);
void amx_emulated_dpbf16ps(int c, int a, int b);
void amx_emulated_dpbusd(int c, int a, int b);
void amx_emulated_dpbsud(int c, int a, int b);

/* Returns whether tiles are configured, and the number of tile products so far, both per thread. */
bool amx_emulated_in_use(void);
size_t amx_emulated_products(void);

/* Compilers define some of these intrinsics as macros. */
#undef _tile_loadconfig
#undef _tile_release
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbf16ps
#undef _tile_dpbusd
#undef _tile_dpbsud
#define _tile_loadconfig amx_emulated_loadconfig
#define _tile_release    amx_emulated_release
#define _tile_zero       amx_emulated_zero
#define _tile_loadd      amx_emulated_load
#define _tile_stored     amx_emulated_store
#define _tile_dpbf16ps   amx_emulated_dpbf16ps
#define _tile_dpbusd     amx_emulated_dpbusd
#define _tile_dpbsud     amx_emulated_dpbsud

#endif
