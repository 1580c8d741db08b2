/* SPDX-License-Identifier: MIT */
#include "roofs.h"

#include "base/warnings.h"

#include <stdio.h>

enum { BITS = PEAK_COUNT + CEILING_LEVELS_MAX };

static void ceiling_name(const ceilings *roofline, size_t bit, char *text, size_t size)
{
    const enum ceiling_peak_id id = (enum ceiling_peak_id)bit;
    if (bit < PEAK_COUNT)
        snprintf(text, size, "%s, %s", ceilings_peak_name(id), ceilings_peak_isa(id));
    else
        snprintf(text, size, "reading %s", roofline->level[bit - PEAK_COUNT].name);
}

/* Warns of each ceiling in doubt of several threads. */
static void warn_of_threads(const ceilings *roofline, const ceiling_set *set, json_t *warnings)
{
    char why[CEILINGS_WHY], name[64];
    for (size_t bit = 0; bit < PEAK_COUNT + roofline->n_levels; bit++) {
        if (!ceilings_in_doubt(roofline, set, bit, why, sizeof why))
            continue;
        if (bit < PEAK_COUNT)
            ceiling_name(roofline, bit, name, sizeof name);
        else
            snprintf(name, sizeof name, "%s", roofline->level[bit - PEAK_COUNT].name);
        warnings_add(warnings,
                     "the ceiling of %s is in doubt: %s; other programs or hardware threads shared "
                     "the cores, or a CPU quota stopped the threads: measure again on an idle "
                     "machine, and do not rely on shares of it",
                     name, why);
    }
}

void roofs_warn_of_doubts(const ceilings *roofline, json_t *warnings)
{
    char why[128];
    const ceiling_set *one = &roofline->sets[0];
    for (enum ceiling_peak_id id = 0; id < PEAK_COUNT; id++)
        if (ceilings_peak_in_doubt(one, id, why, sizeof why))
            warnings_add(warnings,
                         "the peak of %s, %s, is in doubt: %.4g G/s at %.2f GHz: %s; another "
                         "hardware thread shared the core, the clock changed, or the loop that "
                         "measures it is slow here: do not rely on shares of it",
                         ceilings_peak_name(id), ceilings_peak_isa(id), one->peak[id].g_per_s,
                         one->peak[id].clock_ghz, why);
    for (size_t s = 1; s < roofline->n_sets; s++)
        warn_of_threads(roofline, &roofline->sets[s], warnings);
}

/* Rows that exceed a ceiling. */
struct exceeding {
    size_t rows;
    const bench_row *worst;
    double ratio; /* speed of the worst row over its attainable speed */
};

static struct exceeding find_exceeding(const bench_suite *suite, size_t threads, size_t bit)
{
    struct exceeding found = {0};
    for (size_t i = 0; i < suite->n_rows; i++) {
        const bench_row *row = &suite->rows[i];
        if (row->threads != threads || (row->roof_mask >> bit & 1) == 0 || !bench_above_roof(row))
            continue;
        const double ratio = row->flops / row->real_ns.median / row->attainable;
        found.rows++;
        if (ratio > found.ratio) {
            found.ratio = ratio;
            found.worst = row;
        }
    }
    return found;
}

static double ceiling_value(const ceiling_set *set, size_t bit)
{
    return bit < PEAK_COUNT ? set->peak[bit].g_per_s : set->gb_per_s[bit - PEAK_COUNT][ACCESS_READ];
}

/* Two measurements of a ceiling agree if their ratio is less than this. */
#define AGREE_MAX 1.03

/* Writes the finding: what the second measurement means for the rows that were above the
 * ceiling. */
static void write_finding(ceiling_repeat *r, const ceilings *roofline, const ceiling_set *set,
                          size_t bit, const struct exceeding *remaining)
{
    char why[CEILINGS_WHY], rows[160] = "";
    const bool rose = r->after > AGREE_MAX * r->before,
               checkable =
                   bit < PEAK_COUNT && ceilings_peak_is_checkable(set, (enum ceiling_peak_id)bit);
    if (remaining->rows > 0)
        snprintf(rows, sizeof rows, "%zu row%s (worst: %s, %.2f times)", remaining->rows,
                 remaining->rows == 1 ? "" : "s", remaining->worst->name, remaining->ratio);
    if (remaining->rows == 0 && rose)
        snprintf(r->finding, sizeof r->finding,
                 "the first measurement was too low; no row exceeds the second");
    else if (remaining->rows == 0)
        snprintf(r->finding, sizeof r->finding,
                 "the ceiling is confirmed; another ceiling of these rows was too low");
    else if (ceilings_in_doubt(roofline, set, bit, why, sizeof why))
        snprintf(r->finding, sizeof r->finding,
                 "the ceiling is wrong: %s; do not rely on shares of it", why);
    else if (rose)
        snprintf(r->finding, sizeof r->finding,
                 "the two measurements disagree, and rows still exceed the ceiling: %s; run again "
                 "when the machine is quieter",
                 rows);
    else if (checkable)
        snprintf(r->finding, sizeof r->finding,
                 "the ceiling is confirmed, so the operations, bytes or cache level credited to %s "
                 "are wrong",
                 rows);
    else
        snprintf(r->finding, sizeof r->finding,
                 "the two measurements agree, so either both are too low, or the operations, bytes "
                 "or cache level credited to %s are wrong",
                 rows);
}

/* Records and warns of a ceiling that was measured again. */
static void report(bench_suite *suite, ceilings *roofline, size_t set, size_t bit,
                   size_t rows_before, double value_before, json_t *warnings)
{
    const struct exceeding remaining = find_exceeding(suite, roofline->sets[set].threads, bit);
    ceiling_repeat *r = &roofline->repeats[roofline->n_repeats++];
    *r = (ceiling_repeat){.threads = roofline->sets[set].threads,
                          .rows_before = rows_before,
                          .rows_after = remaining.rows,
                          .before = value_before,
                          .after = ceiling_value(&roofline->sets[set], bit)};
    ceiling_name(roofline, bit, r->ceiling, sizeof r->ceiling);
    write_finding(r, roofline, &roofline->sets[set], bit, &remaining);
    warnings_add(warnings,
                 "%zu row%s the ceiling of %s (%zu thread%s), %.4g %s; measured again: %.4g; "
                 "%s",
                 rows_before, rows_before == 1 ? " exceeded" : "s exceeded", r->ceiling, r->threads,
                 r->threads == 1 ? "" : "s", r->before,
                 bit < PEAK_COUNT ? "G operations/s" : "GB/s", r->after, r->finding);
}

bool roofs_recheck(bench_suite *suite, ceilings *roofline, const int *cpus, ceiling_effort effort,
                   json_t *warnings)
{
    size_t rows[CEILING_SETS_MAX][BITS] = {{0}};   /* number of rows above the ceiling */
    double values[CEILING_SETS_MAX][BITS] = {{0}}; /* before the second measurement */
    bool good = true, remeasured = true;
    /* After a peak is raised, a row may be above the bandwidth of a memory level, which is then
     * measured again too. */
    while (good && remeasured && !ceilings_stopped(&effort)) {
        remeasured = false;
        for (size_t s = 0; good && s < roofline->n_sets; s++) {
            uint32_t mask = 0;
            for (size_t bit = 0; bit < PEAK_COUNT + roofline->n_levels; bit++) {
                if (rows[s][bit] > 0)
                    continue; /* already measured again */
                rows[s][bit] = find_exceeding(suite, roofline->sets[s].threads, bit).rows;
                values[s][bit] = ceiling_value(&roofline->sets[s], bit);
                mask |= rows[s][bit] > 0 ? UINT32_C(1) << bit : 0;
            }
            remeasured = remeasured || mask != 0;
            if (mask != 0)
                good = ceilings_measure_some(roofline, s, mask, cpus, effort);
        }
        bench_set_attainable(suite, roofline);
    }
    for (size_t s = 0; good && !ceilings_stopped(&effort) && s < roofline->n_sets; s++)
        for (size_t bit = 0; bit < BITS; bit++)
            if (rows[s][bit] > 0)
                report(suite, roofline, s, bit, rows[s][bit], values[s][bit], warnings);
    return good;
}
