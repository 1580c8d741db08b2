/* SPDX-License-Identifier: MIT
 *
 * Peaks: their list, which peak bounds a row, how each is measured, and whether it is plausible. */
#define _GNU_SOURCE
#include "ceilings.h"

#include "base/levels.h"
#include "isa/tables.h"

#include <math.h>
#include <stdio.h>

const struct ceiling_family_info ceiling_families[FAMILY_COUNT] = {
    [FAMILY_FMA] = {"f32 FMA", "FMA", "fma_f32_gflop_per_s", NULL},
    [FAMILY_BF16] = {"pairs of bf16", "BF16", "dot_bf16_gflop_per_s", NULL},
    [FAMILY_WEIGHTS] = {"byte x 16 bits", "U8X16", "u8_gop_per_s", "weights"},
    [FAMILY_DSCORES] = {"byte x 8 bits", "U8X8", "u8_gop_per_s", "dscores"},
};

const struct ceiling_peak_info ceiling_peaks[PEAK_COUNT] = {
#define PEAK_INFO(family, NAME, level, features, operations, instructions, min, max, ...)          \
    {FAMILY_##family, LEVEL_INDEX_##level, features, operations, instructions, min, max},
#define PEAK    PEAK_INFO
#define PEAK_U8 PEAK_INFO
#include "ceilings_peaks.def"
};

const char *ceilings_peak_name(enum ceiling_peak_id id)
{
    return ceiling_families[ceiling_peaks[id].family].name;
}

const char *ceilings_peak_isa(enum ceiling_peak_id id)
{
    return downhill_levels[ceiling_peaks[id].level].name;
}

/* ---- peaks of rows ---- */

/* Peaks of each level, in the order of levels.def. */
static const struct level_peaks {
    enum ceiling_peak_id f32, bf16, weights, dscores;
} level_peaks[LEVEL_COUNT] = {
#define DOWNHILL_LEVEL(name, kind, auto_name, features, shares, f32, bf16, bytes)                  \
    {PEAK_##f32, PEAK_##bf16, PEAK_WEIGHTS_##bytes, PEAK_DSCORES_##bytes},
#include "isa/levels.def"
};

/* Returns the peak of a kernel of which each half is bound by one of two peaks, the harmonic mean
 * of both. */
static struct ceiling_peak combined_peak(const ceiling_set *set, const char *name,
                                         enum ceiling_peak_id first, enum ceiling_peak_id second)
{
    if (first == PEAK_NONE || second == PEAK_NONE)
        return (struct ceiling_peak){name, 0.0, 0};
    const double a = set->peak[first].g_per_s, b = set->peak[second].g_per_s;
    const double mean = a > 0.0 && b > 0.0 ? 2.0 / (1.0 / a + 1.0 / b) : 0.0;
    return (struct ceiling_peak){name, mean, UINT32_C(1) << first | UINT32_C(1) << second};
}

static struct ceiling_peak single_peak(const ceiling_set *set, enum ceiling_peak_id id)
{
    const enum ceiling_family family = id == PEAK_NONE ? FAMILY_FMA : ceiling_peaks[id].family;
    return combined_peak(set, ceiling_families[family].bound, id, id);
}

struct ceiling_peak ceilings_peak(const ceiling_set *set, const char *isa,
                                  enum ceiling_products products)
{
    const size_t level = downhill_level_find(isa);
    if (level == LEVEL_COUNT)
        return single_peak(set, PEAK_NONE);
    const struct level_peaks *peaks = &level_peaks[level];
    switch (products) {
    case PRODUCTS_F32:
        return single_peak(set, peaks->f32);
    case PRODUCTS_BF16:
        return single_peak(set, peaks->bf16);
    case PRODUCTS_WEIGHTS_U8:
        return single_peak(set, peaks->weights);
    case PRODUCTS_DSCORES_U8:
        return single_peak(set, peaks->dscores);
    case PRODUCTS_STEP_U8:
        break;
    }
    return combined_peak(set, "U8", peaks->weights, peaks->dscores);
}

struct ceiling_peak ceilings_peak_of_cpu(const ceiling_set *set)
{
    struct ceiling_peak peak = {"FMA", 0.0, 0};
    for (size_t level = LEVEL_COUNT; peak.gflop_per_s == 0.0 && level > 0; level--)
        peak = single_peak(set, level_peaks[level - 1].f32);
    return peak;
}

/* ---- plausibility ---- */

double ceilings_per_cycle(const ceiling_set *set, enum ceiling_peak_id id)
{
    const struct ceiling_peak_info *info = &ceiling_peaks[id];
    const ceiling_rate *rate = &set->peak[id];
    if (rate->clock_ghz == 0.0)
        return 0.0;
    return rate->g_per_s / info->operations * info->instructions /
           ((double)set->threads * rate->clock_ghz);
}

bool ceilings_peak_is_checkable(const ceiling_set *set, enum ceiling_peak_id id)
{
    return set->threads == 1 && ceilings_per_cycle(set, id) > 0.0;
}

/* Tolerances: a loop may be too slow because of its counter and interrupts, and too fast because of
 * the clock's error. */
static const double slow_tolerance = 0.12, fast_tolerance = 0.04;

static bool is_near(double value, double expected)
{
    return value >= (1.0 - slow_tolerance) * expected && value <= (1.0 + fast_tolerance) * expected;
}

bool ceilings_peak_in_doubt(const ceiling_set *set, enum ceiling_peak_id id, char *why,
                            size_t why_size)
{
    const struct ceiling_peak_info *info = &ceiling_peaks[id];
    const double per_cycle = ceilings_per_cycle(set, id);
    if (!ceilings_peak_is_checkable(set, id))
        return false;
    if (set->peak[id].abnormal)
        snprintf(why, why_size, "operands became subnormal, infinite or NaN");
    else if (per_cycle < (1.0 - slow_tolerance) * info->min)
        snprintf(why, why_size, "%.3g instructions per cycle, but every CPU with %s reaches %.3g",
                 per_cycle, ceilings_peak_isa(id), info->min);
    else if (per_cycle > (1.0 + fast_tolerance) * info->max)
        snprintf(why, why_size, "%.3g instructions per cycle, but no known CPU exceeds %.3g",
                 per_cycle, info->max);
    else if (info->instructions == 1 &&
             !is_near(per_cycle, per_cycle > 1.0 - slow_tolerance ? fmax(1.0, round(per_cycle))
                                                                  : 1.0 / round(1.0 / per_cycle)))
        snprintf(why, why_size, "%.3g instructions per cycle, not close to a whole number",
                 per_cycle);
    else
        return false;
    return true;
}

/* Returns the number of cores that a number of threads run on, or 1 if the number of cores is
 * unknown. */
static double cores_of(const ceilings *roofline, size_t threads)
{
    for (size_t i = 0; i < roofline->n_levels; i++)
        if (roofline->level[i].cores == 1)
            return fmin((double)threads, (double)roofline->level[i].instances);
    return 1.0;
}

/* Returns whether the rate of several threads is too low compared with the rate of one thread and
 * the number of cores. */
static bool is_too_slow(double one, double several, size_t threads, double cores, const char *unit,
                        char *why, size_t why_size)
{
    if (one <= 0.0 || several <= 0.0)
        return false;
    if (several < one)
        snprintf(why, why_size, "%zu threads reach %.4g %s, less than one thread with %.4g",
                 threads, several, unit, one);
    else if (several < 0.5 * cores * one)
        snprintf(why, why_size,
                 "%zu threads on %.0f cores reach %.4g %s, but one thread reaches %.4g: "
                 "%.0f %% per core",
                 threads, cores, several, unit, one, 100.0 * several / (cores * one));
    else
        return false;
    return true;
}

bool ceilings_in_doubt(const ceilings *roofline, const ceiling_set *set, size_t bit, char *why,
                       size_t why_size)
{
    const ceiling_set *one = &roofline->sets[0];
    const double cores = cores_of(roofline, set->threads);
    if (bit < PEAK_COUNT && set->threads == 1)
        return ceilings_peak_in_doubt(set, (enum ceiling_peak_id)bit, why, why_size);
    if (set->threads == 1 || one->threads != 1)
        return false;
    if (bit < PEAK_COUNT)
        return is_too_slow(one->peak[bit].g_per_s, set->peak[bit].g_per_s, set->threads, cores,
                           "G/s", why, why_size);
    static const char *const units[ACCESS_COUNT] = {"GB/s reading", "GB/s copying", "GB/s of triad",
                                                    "GB/s of scattered rows"};
    const size_t level = bit - PEAK_COUNT;
    if (level >= roofline->n_levels || roofline->level[level].cores != 1 ||
        roofline->level[level].capacity == UINT64_MAX) /* DRAM is shared */
        return false;
    for (size_t a = 0; a < ACCESS_COUNT; a++)
        if (is_too_slow(one->gb_per_s[level][a], set->gb_per_s[level][a], set->threads, cores,
                        units[a], why, why_size))
            return true;
    return false;
}

/* ---- measurement ---- */

/* Returns whether this CPU can run the loop of a peak. */
static bool is_measurable(enum ceiling_peak_id id)
{
    const struct ceiling_peak_info *info = &ceiling_peaks[id];
    const downhill_kernels *kernels;
    return info->features != 0
               ? levels_cpu_has(info->features)
               : downhill_select(ceilings_peak_isa(id), &kernels, NULL, 0) == DOWNHILL_OK;
}

void ceilings_measure_peak(ceiling_set *set, enum ceiling_peak_id id, ceiling_loop loop,
                           const ceiling_team *team)
{
    const double operations =
        ceiling_peaks[id].operations * loop.steps * (double)team->tasks[0].count;
    const ceiling_best best = ceilings_best(team, loop.run, true);
    if (operations * best.per_ns > set->peak[id].g_per_s)
        set->peak[id] = (ceiling_rate){operations * best.per_ns, best.clock_ghz, best.abnormal};
}

void ceilings_measure_peaks(ceiling_set *set, uint32_t mask, const ceiling_team *team)
{
    enum { TRIES = 4 };
    for (enum ceiling_peak_id id = 0; id < PEAK_COUNT; id++) {
        ceiling_loop loop = ceilings_loop(id);
        if (loop.run == NULL)
            loop = ceilings_loop_u8(id);
        if ((mask >> id & 1) == 0 || loop.run == NULL || !is_measurable(id))
            continue;
        char why[128];
        for (int tries = 0; tries < TRIES && !ceilings_stopped(&team->effort); tries++) {
            ceilings_measure_peak(set, id, loop, team);
            if (!ceilings_peak_in_doubt(set, id, why, sizeof why))
                break;
        }
    }
}
