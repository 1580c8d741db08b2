/* SPDX-License-Identifier: MIT
 *
 * Peaks: which there are, how each is measured and judged, and which one a row has. */
#define _GNU_SOURCE
#include "ceilings.h"

#include "base/levels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The minimum is that of the slowest core with the level: an AVX2 unit of two times 128 bits (Zen 1) starts one FMA of 256
 * bits per cycle and one VPMADDWD every two; VDPBF16PS takes two cycles on Zen 4 and Sapphire Rapids; a product of tiles
 * takes 16. The maximum is that of the widest core so far: two FMA units, four units that add. */
const struct ceiling_peak_kind ceiling_peak_kinds[PEAK_COUNT] = {
    [PEAK_FMA_AVX2] = {"f32 FMA", "avx2", 2 * 8, 1, 1.0, 2.0},
    [PEAK_FMA_AVX512] = {"f32 FMA", "avx512", 2 * 16, 1, 1.0, 2.0},
    [PEAK_BF16_AVX512BF16] = {"pairs of bf16", "avx512bf16", 2 * 32, 1, 0.5, 2.0},
    [PEAK_BF16_AMX] = {"pairs of bf16", "amx", 2 * 16 * 16 * 32, 1, 1.0 / 16, 1.0 / 16},
    [PEAK_WEIGHTS_AVX2] = {"byte x 16 bits", "avx2", 2 * 16, 2, 1.0, 4.0},
    [PEAK_DSCORES_AVX2] = {"byte x 8 bits", "avx2", 2 * 32, 2, 1.0, 4.0},
    [PEAK_WEIGHTS_AVXVNNI] = {"byte x 16 bits", "avxvnni", 2 * 16, 1, 0.5, 2.0},
    [PEAK_DSCORES_AVXVNNI] = {"byte x 8 bits", "avxvnni", 2 * 32, 1, 0.5, 2.0},
    [PEAK_WEIGHTS_AVX512] = {"byte x 16 bits", "avx512", 2 * 32, 2, 1.0, 4.0},
    [PEAK_DSCORES_AVX512] = {"byte x 8 bits", "avx512", 2 * 64, 2, 1.0, 4.0},
    [PEAK_WEIGHTS_AVX512VNNI] = {"byte x 16 bits", "avx512vnni", 2 * 32, 1, 1.0, 2.0},
    [PEAK_DSCORES_AVX512VNNI] = {"byte x 8 bits", "avx512vnni", 2 * 64, 1, 1.0, 2.0},
    /* A weight of 16 bits takes two products, of its upper and its lower byte. */
    [PEAK_WEIGHTS_AMX] = {"byte x 16 bits", "amx", 2 * 16 * 16 * 64 / 2, 1, 1.0 / 16, 1.0 / 16},
    [PEAK_DSCORES_AMX] = {"byte x 8 bits", "amx", 2 * 16 * 16 * 64, 1, 1.0 / 16, 1.0 / 16},
};

/* ---- which peak a row has ---- */

/* Peak made of one kind, or of two of which as many operations each are done. */
static struct ceiling_peak peak_of(const ceiling_set *set, const char *name,
                                   enum ceiling_peak_id one, enum ceiling_peak_id other)
{
    const double a = set->peak[one].g_per_s, b = set->peak[other].g_per_s;
    const double both = a > 0.0 && b > 0.0 ? 2.0 / (1.0 / a + 1.0 / b) : 0.0;
    return (struct ceiling_peak){name, both, UINT32_C(1) << one | UINT32_C(1) << other};
}

static struct ceiling_peak peak_u8(const ceiling_set *set, const char *isa,
                                   enum ceiling_products products)
{
    if (strncmp(isa, "auto_", strlen("auto_")) == 0)
        isa += strlen("auto_");
    if (strcmp(isa, "avx512bf16") == 0)
        isa = "avx512vnni";
    for (enum ceiling_peak_id id = PEAK_WEIGHTS_AVX2; id < PEAK_COUNT; id += 2) {
        if (strcmp(isa, ceiling_peak_kinds[id].isa) != 0)
            continue;
        if (products == PRODUCTS_WEIGHTS_U8)
            return peak_of(set, "U8X16", id, id);
        if (products == PRODUCTS_DSCORES_U8)
            return peak_of(set, "U8X8", id + 1, id + 1);
        return peak_of(set, "U8", id, id + 1);
    }
    return (struct ceiling_peak){"U8", 0.0, 0};
}

struct ceiling_peak ceilings_peak(const ceiling_set *set, const char *isa,
                                  enum ceiling_products products)
{
    if (products >= PRODUCTS_WEIGHTS_U8)
        return peak_u8(set, isa, products);
    if (strcmp(isa, "avx512bf16") == 0 && products == PRODUCTS_BF16)
        return peak_of(set, "BF16", PEAK_BF16_AVX512BF16, PEAK_BF16_AVX512BF16);
    if (strcmp(isa, "amx") == 0 && products == PRODUCTS_BF16)
        return peak_of(set, "BF16", PEAK_BF16_AMX, PEAK_BF16_AMX);
    if (strstr(isa, "avx512") != NULL || strcmp(isa, "amx") == 0)
        return peak_of(set, "FMA", PEAK_FMA_AVX512, PEAK_FMA_AVX512);
    if (strncmp(isa, "avx", 3) == 0 || strcmp(isa, "auto_avx2") == 0)
        return peak_of(set, "FMA", PEAK_FMA_AVX2, PEAK_FMA_AVX2);
    return (struct ceiling_peak){"FMA", 0.0, 0};
}

/* ---- judging ---- */

double ceilings_per_cycle(const ceiling_set *set, enum ceiling_peak_id id)
{
    const struct ceiling_peak_kind *kind = &ceiling_peak_kinds[id];
    const ceiling_rate *rate = &set->peak[id];
    if (rate->clock_ghz == 0.0)
        return 0.0;
    return rate->g_per_s / kind->operations * kind->instructions /
           ((double)set->threads * rate->clock_ghz);
}

bool ceilings_can_judge(const ceiling_set *set, enum ceiling_peak_id id)
{
    return set->threads == 1 && ceilings_per_cycle(set, id) > 0.0;
}

/* Share by which a loop may be slow, through its own counter and interrupts, and fast, through the error of the clock. */
static const double short_of = 0.12, beyond = 0.04;

static bool is_near(double found, double expected)
{
    return found >= (1.0 - short_of) * expected && found <= (1.0 + beyond) * expected;
}

bool ceilings_doubt(const ceiling_set *set, enum ceiling_peak_id id, char *why, size_t why_size)
{
    const struct ceiling_peak_kind *kind = &ceiling_peak_kinds[id];
    const double found = ceilings_per_cycle(set, id);
    if (!ceilings_can_judge(set, id))
        return false;
    if (set->peak[id].abnormal)
        snprintf(why, why_size, "operands became subnormal, infinite or NaN");
    else if (found < (1.0 - short_of) * kind->min)
        snprintf(why, why_size, "%.3g instructions per cycle, but every CPU with %s reaches %.3g",
                 found, kind->isa, kind->min);
    else if (found > (1.0 + beyond) * kind->max)
        snprintf(why, why_size, "%.3g instructions per cycle, but no known CPU exceeds %.3g", found,
                 kind->max);
    else if (kind->instructions == 1 &&
             !is_near(found,
                      found > 1.0 - short_of ? fmax(1.0, round(found)) : 1.0 / round(1.0 / found)))
        snprintf(why, why_size, "%.3g instructions per cycle, not close to a whole number", found);
    else
        return false;
    return true;
}

/* ---- measuring ---- */

static bool has(enum ceiling_peak_id id)
{
    switch (id) { /* a CPU may have it though the library was built without the level */
    case PEAK_FMA_AVX2:
        return levels_cpu_has("avx2") && levels_cpu_has("fma");
    case PEAK_FMA_AVX512:
        return levels_cpu_has("avx512f");
    case PEAK_BF16_AVX512BF16:
        return levels_cpu_has("avx512bf16");
    default: { /* selected, for the permission that AMX takes */
        const downhill_kernels *kernels;
        return downhill_select(ceiling_peak_kinds[id].isa, &kernels, NULL, 0) == DOWNHILL_OK;
    }
    }
}

void ceilings_measure_peak(ceiling_set *set, enum ceiling_peak_id id, ceiling_loop loop,
                           const ceiling_crew *crew)
{
    const double operations =
        ceiling_peak_kinds[id].operations * loop.steps * (double)crew->tasks[0].count;
    const ceiling_best best = ceilings_best(crew, loop.run, true);
    if (operations * best.per_ns > set->peak[id].g_per_s)
        set->peak[id] = (ceiling_rate){operations * best.per_ns, best.clock_ghz, best.abnormal};
}

void ceilings_measure_peaks(ceiling_set *set, uint32_t which, const ceiling_crew *crew)
{
    enum { TRIES = 4 };
    for (enum ceiling_peak_id id = 0; id < PEAK_COUNT; id++) {
        const ceiling_loop loop = id < PEAK_WEIGHTS_AVX2 ? ceilings_loop(id) : ceilings_loop_u8(id);
        if ((which >> id & 1) == 0 || loop.run == NULL || !has(id))
            continue;
        char why[128];
        for (int tries = 0; tries < TRIES && !ceilings_stopped(&crew->effort); tries++) {
            ceilings_measure_peak(set, id, loop, crew);
            if (!ceilings_doubt(set, id, why, sizeof why))
                break;
        }
    }
}
