/* SPDX-License-Identifier: MIT */
#include "roofs.h"

#include "base/warnings.h"

#include <stdio.h>

enum { BITS = PEAK_COUNT + CEILING_LEVELS_MAX };

static void name_of(const ceilings *found, size_t bit, char *text, size_t size)
{
    const enum ceiling_peak_id id = (enum ceiling_peak_id)bit;
    if (bit < PEAK_COUNT)
        snprintf(text, size, "%s, %s", ceilings_peak_name(id), ceilings_peak_isa(id));
    else
        snprintf(text, size, "reading %s", found->level[bit - PEAK_COUNT].name);
}

static void warn_of_threads(const ceilings *found, const ceiling_set *set, json_t *warnings)
{
    char why[CEILINGS_WHY], name[64];
    for (size_t bit = 0; bit < PEAK_COUNT + found->n_levels; bit++) {
        if (!ceilings_in_doubt(found, set, bit, why, sizeof why))
            continue;
        if (bit < PEAK_COUNT)
            name_of(found, bit, name, sizeof name);
        else
            snprintf(name, sizeof name, "%s", found->level[bit - PEAK_COUNT].name);
        warnings_add(warnings,
                     "the ceiling of %s is in doubt: %s; other programs or hardware threads shared "
                     "the cores, or a CPU quota stopped the threads: measure again on an idle "
                     "machine, and do not rely on shares of it",
                     name, why);
    }
}

void roofs_warn_of_doubts(const ceilings *found, json_t *warnings)
{
    char why[128];
    const ceiling_set *one = &found->sets[0];
    for (enum ceiling_peak_id id = 0; id < PEAK_COUNT; id++)
        if (ceilings_peak_in_doubt(one, id, why, sizeof why))
            warnings_add(warnings,
                         "the peak of %s, %s, is in doubt: %.4g G/s at %.2f GHz: %s; another "
                         "hardware thread shared the core, the clock changed, or the loop that "
                         "measures it is slow here: do not rely on shares of it",
                         ceilings_peak_name(id), ceilings_peak_isa(id), one->peak[id].g_per_s,
                         one->peak[id].clock_ghz, why);
    for (size_t s = 1; s < found->n_sets; s++)
        warn_of_threads(found, &found->sets[s], warnings);
}

/* Rows of a set that lie above a ceiling, and the one that lies highest. */
struct above {
    size_t rows;
    const bench_row *worst;
    double times; /* of what is attainable */
};

static struct above rows_above(const bench_suite *suite, size_t threads, size_t bit)
{
    struct above a = {0};
    for (size_t i = 0; i < suite->n_rows; i++) {
        const bench_row *row = &suite->rows[i];
        if (row->threads != threads || (row->roof_mask >> bit & 1) == 0 || !bench_above_roof(row))
            continue;
        const double times = row->flops / row->real_ns.median / row->attainable;
        a.rows++;
        if (times > a.times) {
            a.times = times;
            a.worst = row;
        }
    }
    return a;
}

static double value_of(const ceiling_set *set, size_t bit)
{
    return bit < PEAK_COUNT ? set->peak[bit].g_per_s : set->gb_per_s[bit - PEAK_COUNT][ACCESS_READ];
}

/* Measurements of one ceiling that differ by less than this agree. */
#define AGREE 1.03

/* Words the finding: what the second measurement means for the rows that were above. */
static void find(ceiling_repeat *r, const ceilings *found, const ceiling_set *set, size_t bit,
                 const struct above *still)
{
    char why[CEILINGS_WHY], rows[160] = "";
    const bool rose = r->after > AGREE * r->before,
               judged =
                   bit < PEAK_COUNT && ceilings_peak_is_checkable(set, (enum ceiling_peak_id)bit);
    if (still->rows > 0)
        snprintf(rows, sizeof rows, "%zu row%s (worst: %s, %.2f times)", still->rows,
                 still->rows == 1 ? "" : "s", still->worst->name, still->times);
    if (still->rows == 0 && rose)
        snprintf(r->finding, sizeof r->finding,
                 "the first figure was too low; no row lies above the new one");
    else if (still->rows == 0)
        snprintf(r->finding, sizeof r->finding,
                 "it stands; another ceiling of these rows was too low");
    else if (ceilings_in_doubt(found, set, bit, why, sizeof why))
        snprintf(r->finding, sizeof r->finding,
                 "the ceiling is wrong: %s; do not read shares of it", why);
    else if (rose)
        snprintf(r->finding, sizeof r->finding,
                 "the ceiling does not repeat, and %s still above: run again when the machine is "
                 "quieter",
                 rows);
    else
        snprintf(r->finding, sizeof r->finding,
                 "the ceiling %s, so that %sthe operations, bytes or cache level credited to %s "
                 "are wrong",
                 judged ? "stands" : "repeats", judged ? "" : "it is too low twice or ", rows);
}

static void report(bench_suite *suite, ceilings *found, size_t set, size_t bit, size_t rows_before,
                   double before, json_t *warnings)
{
    const struct above still = rows_above(suite, found->sets[set].threads, bit);
    ceiling_repeat *r = &found->repeats[found->n_repeats++];
    *r = (ceiling_repeat){.threads = found->sets[set].threads,
                          .rows_before = rows_before,
                          .rows_after = still.rows,
                          .before = before,
                          .after = value_of(&found->sets[set], bit)};
    name_of(found, bit, r->ceiling, sizeof r->ceiling);
    find(r, found, &found->sets[set], bit, &still);
    warnings_add(warnings,
                 "%zu row%s above the ceiling of %s (%zu thread%s), %.4g %s; measured again: %.4g; "
                 "%s",
                 rows_before, rows_before == 1 ? " lay" : "s lay", r->ceiling, r->threads,
                 r->threads == 1 ? "" : "s", r->before,
                 bit < PEAK_COUNT ? "G operations/s" : "GB/s", r->after, r->finding);
}

bool roofs_recheck(bench_suite *suite, ceilings *found, const int *cpus, ceiling_effort effort,
                   json_t *warnings)
{
    size_t rows[CEILING_SETS_MAX][BITS] = {{0}};
    double before[CEILING_SETS_MAX][BITS] = {{0}};
    bool good = true, again = true;
    /* A higher peak may leave a row below a level of memory instead, which is then the next suspect. */
    while (good && again && !ceilings_stopped(&effort)) {
        again = false;
        for (size_t s = 0; good && s < found->n_sets; s++) {
            uint32_t which = 0;
            for (size_t bit = 0; bit < PEAK_COUNT + found->n_levels; bit++) {
                if (rows[s][bit] > 0)
                    continue; /* measured again already */
                rows[s][bit] = rows_above(suite, found->sets[s].threads, bit).rows;
                before[s][bit] = value_of(&found->sets[s], bit);
                which |= rows[s][bit] > 0 ? UINT32_C(1) << bit : 0;
            }
            again = again || which != 0;
            if (which != 0)
                good = ceilings_measure_some(found, s, which, cpus, effort);
        }
        bench_set_attainable(suite, found);
    }
    for (size_t s = 0; good && !ceilings_stopped(&effort) && s < found->n_sets; s++)
        for (size_t bit = 0; bit < BITS; bit++)
            if (rows[s][bit] > 0)
                report(suite, found, s, bit, rows[s][bit], before[s][bit], warnings);
    return good;
}
