/* SPDX-License-Identifier: MIT
 *
 * Bytes of the memory that callers provide. Each layout is computed at address 0, where its end is its size; a line is
 * added so that memory of any alignment can be aligned. */
#include "driver/carve.h"
#include "driver/packed_u8.h"
#include "driver/plan.h"
#include "driver/workspace.h"

size_t downhill_workspace_f32_bytes(size_t d, size_t c)
{
    if (d == 0 || c == 0 || c > INT32_MAX || d > PTRDIFF_MAX / sizeof(float) / c)
        return 0;
    /* The scores are the only part that can overflow: BLOCK_ROWS_MAX rows of at most 2³¹ classes. */
    if (c > PTRDIFF_MAX / sizeof(float) / BLOCK_ROWS_MAX / 2)
        return 0;
    struct workspace_f32 w;
    return downhill_lay_out_f32(&w, 0, downhill_plan_rows_max(ELEMENT_F32, d, c), d, c) +
           LINE_BYTES;
}

static int within_bounds_u8(size_t d, size_t c)
{
    return d > 0 && d <= DOWNHILL_U8_D_MAX && c > 0 && c <= DOWNHILL_U8_C_MAX;
}

size_t downhill_workspace_u8_bytes(size_t d, size_t c)
{
    struct workspace_u8 w;
    return within_bounds_u8(d, c) ? downhill_lay_out_u8(&w, 0, d, c) + LINE_BYTES : 0;
}

size_t downhill_packed_u8_bytes(size_t d, size_t c)
{
    struct packed_u8 p;
    return within_bounds_u8(d, c) ? downhill_lay_out_packed_u8(&p, 0, d, c) + LINE_BYTES : 0;
}
