/* SPDX-License-Identifier: MIT */
#include "driver/workspace.h"

#include "driver/carve.h"
#include "driver/packing.h"
#include "driver/plan.h"

uintptr_t downhill_lay_out_f32(struct workspace_f32 *w, uintptr_t at, size_t rows, size_t d,
                               size_t c)
{
    float *sums = NULL;
    w->packed = NULL;
    if (downhill_plan_sums_fit(d, c)) {
        sums = (float *)carve(&at, c * spread_ld(d) * sizeof *sums);
        w->packed = (float *)carve(&at, c * packed_ld(d) * sizeof *w->packed);
    }
    w->sums = (downhill_gradient_f32){sums, spread_ld(d), NULL, d, c};
    w->lds = whole_lines(c * sizeof *w->scores) / sizeof *w->scores;
    w->scores = (float *)carve(&at, rows * w->lds * sizeof *w->scores);
    return at;
}

uintptr_t downhill_lay_out_u8(struct workspace_u8 *w, uintptr_t at, size_t d, size_t c)
{
    const size_t rows = downhill_plan_rows_max(ELEMENT_U8, d, c);
    w->lds = whole_lines(c * sizeof *w->scores) / sizeof *w->scores;
    w->ldds = whole_lines(c * sizeof *w->dscores) / sizeof *w->dscores;
    w->scores = (double *)carve(&at, rows * w->lds * sizeof *w->scores);
    w->dscores = (int16_t *)carve(&at, rows * w->ldds * sizeof *w->dscores);
    int32_t *sums = (int32_t *)carve(&at, c * spread_ld(d) * sizeof *sums);
    int32_t *bias_sums = (int32_t *)carve(&at, c * sizeof *bias_sums);
    w->sums = (downhill_gradient_u8){sums, spread_ld(d), bias_sums, d, c};
    double *totals = (double *)carve(&at, c * spread_ld(d) * sizeof *totals);
    double *bias_totals = (double *)carve(&at, c * sizeof *bias_totals);
    w->totals = (downhill_gradient_f64){totals, spread_ld(d), bias_totals, d, c};
    return at;
}

struct workspace_f32 downhill_workspace_f32_in(void *memory, size_t d, size_t c)
{
    struct workspace_f32 w;
    downhill_lay_out_f32(&w, whole_lines((uintptr_t)memory), 0, d, c);
    return w;
}

struct workspace_u8 downhill_workspace_u8_in(void *memory, size_t d, size_t c)
{
    struct workspace_u8 w;
    downhill_lay_out_u8(&w, whole_lines((uintptr_t)memory), d, c);
    return w;
}
