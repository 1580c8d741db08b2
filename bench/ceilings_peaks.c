/* SPDX-License-Identifier: MIT
 *
 * Peaks: which there are, how each is measured and judged, and which one a row has. */
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
#define PEAK_KIND(family, NAME, level, cpu, operations, instructions, min, max, ...)               \
    {FAMILY_##family, LEVEL_INDEX_##level, cpu, operations, instructions, min, max},
#define PEAK    PEAK_KIND
#define PEAK_U8 PEAK_KIND
#include "ceilings_peaks.def"
};

const char *ceilings_peak_name(enum ceiling_peak_id id)
{
    return ceiling_families[ceiling_peaks[id].family].what;
}

const char *ceilings_peak_isa(enum ceiling_peak_id id)
{
    return downhill_levels[ceiling_peaks[id].level].name;
}

/* ---- which peak a row has ---- */

/* Peaks of each level, in the order of levels.def. */
static const struct level_peaks {
    enum ceiling_peak_id f32, bf16, weights, dscores;
} peaks_of_levels[LEVEL_COUNT] = {
#define DOWNHILL_LEVEL(name, kind, auto_name, features, shares, f32, bf16, bytes)                  \
    {PEAK_##f32, PEAK_##bf16, PEAK_WEIGHTS_##bytes, PEAK_DSCORES_##bytes},
#include "isa/levels.def"
};

/* Returns the peak made of one kind, or of two of which as many operations each are done. */
static struct ceiling_peak peak_of(const ceiling_set *set, const char *name,
                                   enum ceiling_peak_id one, enum ceiling_peak_id other)
{
    if (one == PEAK_NONE || other == PEAK_NONE)
        return (struct ceiling_peak){name, 0.0, 0};
    const double a = set->peak[one].g_per_s, b = set->peak[other].g_per_s;
    const double both = a > 0.0 && b > 0.0 ? 2.0 / (1.0 / a + 1.0 / b) : 0.0;
    return (struct ceiling_peak){name, both, UINT32_C(1) << one | UINT32_C(1) << other};
}

static struct ceiling_peak peak_alone(const ceiling_set *set, enum ceiling_peak_id id)
{
    const enum ceiling_family family = id == PEAK_NONE ? FAMILY_FMA : ceiling_peaks[id].family;
    return peak_of(set, ceiling_families[family].bound, id, id);
}

struct ceiling_peak ceilings_peak(const ceiling_set *set, const char *isa,
                                  enum ceiling_products products)
{
    const size_t level = downhill_level_find(isa);
    if (level == LEVEL_COUNT)
        return peak_alone(set, PEAK_NONE);
    const struct level_peaks *peaks = &peaks_of_levels[level];
    switch (products) {
    case PRODUCTS_F32:
        return peak_alone(set, peaks->f32);
    case PRODUCTS_BF16:
        return peak_alone(set, peaks->bf16);
    case PRODUCTS_WEIGHTS_U8:
        return peak_alone(set, peaks->weights);
    case PRODUCTS_DSCORES_U8:
        return peak_alone(set, peaks->dscores);
    case PRODUCTS_STEP_U8:
        break;
    }
    return peak_of(set, "U8", peaks->weights, peaks->dscores);
}

struct ceiling_peak ceilings_peak_of_cpu(const ceiling_set *set)
{
    struct ceiling_peak peak = {"FMA", 0.0, 0};
    for (size_t level = LEVEL_COUNT; peak.gflop_per_s == 0.0 && level > 0; level--)
        peak = peak_alone(set, peaks_of_levels[level - 1].f32);
    return peak;
}

/* ---- judging ---- */

double ceilings_per_cycle(const ceiling_set *set, enum ceiling_peak_id id)
{
    const struct ceiling_peak_info *kind = &ceiling_peaks[id];
    const ceiling_rate *rate = &set->peak[id];
    if (rate->clock_ghz == 0.0)
        return 0.0;
    return rate->g_per_s / kind->operations * kind->instructions /
           ((double)set->threads * rate->clock_ghz);
}

bool ceilings_peak_is_checkable(const ceiling_set *set, enum ceiling_peak_id id)
{
    return set->threads == 1 && ceilings_per_cycle(set, id) > 0.0;
}

/* Share by which a loop may be slow, through its own counter and interrupts, and fast, through the error of the clock. */
static const double short_of = 0.12, beyond = 0.04;

static bool is_near(double found, double expected)
{
    return found >= (1.0 - short_of) * expected && found <= (1.0 + beyond) * expected;
}

bool ceilings_peak_in_doubt(const ceiling_set *set, enum ceiling_peak_id id, char *why,
                            size_t why_size)
{
    const struct ceiling_peak_info *kind = &ceiling_peaks[id];
    const double found = ceilings_per_cycle(set, id);
    if (!ceilings_peak_is_checkable(set, id))
        return false;
    if (set->peak[id].abnormal)
        snprintf(why, why_size, "operands became subnormal, infinite or NaN");
    else if (found < (1.0 - short_of) * kind->min)
        snprintf(why, why_size, "%.3g instructions per cycle, but every CPU with %s reaches %.3g",
                 found, ceilings_peak_isa(id), kind->min);
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

/* Returns the number of cores that so many threads have: 1 if it is not known how many there are. */
static double cores_of(const ceilings *found, size_t threads)
{
    for (size_t i = 0; i < found->n_levels; i++)
        if (found->level[i].cores == 1)
            return fmin((double)threads, (double)found->level[i].instances);
    return 1.0;
}

/* Compares what several threads reach with what one does, times the cores that they have. */
static bool are_slow(double one, double several, size_t threads, double cores, const char *unit,
                     char *why, size_t why_size)
{
    if (one <= 0.0 || several <= 0.0)
        return false;
    if (several < one)
        snprintf(why, why_size, "%zu threads reach %.4g %s, less than one thread with %.4g",
                 threads, several, unit, one);
    else if (several < 0.5 * cores * one)
        snprintf(why, why_size,
                 "%zu threads on %.0f cores reach %.4g %s, where one reaches %.4g: %.0f %% per "
                 "core",
                 threads, cores, several, unit, one, 100.0 * several / (cores * one));
    else
        return false;
    return true;
}

bool ceilings_in_doubt(const ceilings *found, const ceiling_set *set, size_t bit, char *why,
                       size_t why_size)
{
    const ceiling_set *one = &found->sets[0];
    const double cores = cores_of(found, set->threads);
    if (bit < PEAK_COUNT && set->threads == 1)
        return ceilings_peak_in_doubt(set, (enum ceiling_peak_id)bit, why, why_size);
    if (set->threads == 1 || one->threads != 1)
        return false;
    if (bit < PEAK_COUNT)
        return are_slow(one->peak[bit].g_per_s, set->peak[bit].g_per_s, set->threads, cores, "G/s",
                        why, why_size);
    static const char *const units[ACCESS_COUNT] = {"GB/s reading", "GB/s copying", "GB/s of triad",
                                                    "GB/s of scattered rows"};
    const size_t level = bit - PEAK_COUNT;
    if (level >= found->n_levels || found->level[level].cores != 1 ||
        found->level[level].capacity == UINT64_MAX) /* DRAM is shared */
        return false;
    for (size_t a = 0; a < ACCESS_COUNT; a++)
        if (are_slow(one->gb_per_s[level][a], set->gb_per_s[level][a], set->threads, cores,
                     units[a], why, why_size))
            return true;
    return false;
}

/* ---- measuring ---- */

static bool has(enum ceiling_peak_id id)
{
    const struct ceiling_peak_info *kind = &ceiling_peaks[id];
    const downhill_kernels *kernels;
    return kind->cpu != 0
               ? levels_cpu_has(kind->cpu)
               : downhill_select(ceilings_peak_isa(id), &kernels, NULL, 0) == DOWNHILL_OK;
}

void ceilings_measure_peak(ceiling_set *set, enum ceiling_peak_id id, ceiling_loop loop,
                           const ceiling_team *crew)
{
    const double operations =
        ceiling_peaks[id].operations * loop.steps * (double)crew->tasks[0].count;
    const ceiling_best best = ceilings_best(crew, loop.run, true);
    if (operations * best.per_ns > set->peak[id].g_per_s)
        set->peak[id] = (ceiling_rate){operations * best.per_ns, best.clock_ghz, best.abnormal};
}

void ceilings_measure_peaks(ceiling_set *set, uint32_t which, const ceiling_team *crew)
{
    enum { TRIES = 4 };
    for (enum ceiling_peak_id id = 0; id < PEAK_COUNT; id++) {
        ceiling_loop loop = ceilings_loop(id);
        if (loop.run == NULL)
            loop = ceilings_loop_u8(id);
        if ((which >> id & 1) == 0 || loop.run == NULL || !has(id))
            continue;
        char why[128];
        for (int tries = 0; tries < TRIES && !ceilings_stopped(&crew->effort); tries++) {
            ceilings_measure_peak(set, id, loop, crew);
            if (!ceilings_peak_in_doubt(set, id, why, sizeof why))
                break;
        }
    }
}
