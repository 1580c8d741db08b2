/* SPDX-License-Identifier: MIT
 *
 * Ceilings as JSON, as a table, and back. */
#define _DEFAULT_SOURCE
#include "ceilings.h"

#include "base/output.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const access_keys[ACCESS_COUNT] = {
    [ACCESS_READ] = "read_gb_per_s",
    [ACCESS_COPY] = "copy_gb_per_s",
    [ACCESS_TRIAD] = "triad_gb_per_s",
    [ACCESS_SCATTERED] = "scattered_gb_per_s",
};

static json_t *rate(double value)
{
    return value > 0.0 ? output_real(value) : json_null();
}

/* Member `key` of an object, made if it is not there or null. */
static json_t *object_in(json_t *o, const char *key)
{
    if (!json_is_object(json_object_get(o, key)))
        output_set(o, key, json_object());
    return json_object_get(o, key);
}

/* How a peak relates to the clock; NULL where that is not known. */
static json_t *per_cycle(const ceilings *all, const ceiling_set *set, enum ceiling_peak_id id)
{
    const double found = ceilings_per_cycle(set, id);
    if (found == 0.0)
        return NULL;
    char why[CEILINGS_WHY];
    json_t *o = json_object();
    output_set(o, "what", json_string(ceilings_peak_name(id)));
    output_set(o, "isa", json_string(ceilings_peak_isa(id)));
    output_set(o, "g_per_s", output_real(set->peak[id].g_per_s));
    output_set(o, "clock_ghz", output_real(set->peak[id].clock_ghz));
    output_set(o, "instructions_per_cycle", output_real(found));
    output_set(o, "abnormal_operands", json_boolean(set->peak[id].abnormal));
    output_set(o, "doubt",
               ceilings_in_doubt(all, set, id, why, sizeof why) ? json_string(why) : json_null());
    return o;
}

/* The rates of a set, as members of the ceilings or of an entry of threads[]. */
static void set_rates(json_t *o, const ceilings *found, const ceiling_set *set)
{
    json_t *peaks = json_array(), *levels = json_array();
    for (enum ceiling_peak_id id = 0; id < PEAK_COUNT; id++) {
        const struct ceiling_family_info *family = &ceiling_families[ceiling_peaks[id].family];
        const char *isa = ceilings_peak_isa(id);
        json_t *object = object_in(o, family->key);
        if (family->key_part == NULL)
            output_set(object, isa, rate(set->peak[id].g_per_s));
        else if (set->peak[id].g_per_s > 0.0)
            output_set(object_in(object, isa), family->key_part,
                       output_real(set->peak[id].g_per_s));
        else
            output_set(object, isa, json_null());
        json_t *of_cycle = per_cycle(found, set, id);
        if (of_cycle != NULL)
            json_array_append_new(peaks, of_cycle);
    }
    output_set(o, "peaks", peaks);
    for (size_t i = 0; i < found->n_levels; i++) {
        const struct ceiling_level *l = &found->level[i];
        if (set->gb_per_s[i][ACCESS_READ] == 0.0)
            continue;
        json_t *level = json_object();
        output_set(level, "level", json_string(l->name));
        output_set(level, "holds_bytes",
                   l->capacity == UINT64_MAX ? json_null() : json_integer((json_int_t)l->capacity));
        output_set(level, "tested_bytes", json_integer((json_int_t)l->tested));
        for (size_t a = 0; a < ACCESS_COUNT; a++)
            output_set(level, access_keys[a], rate(set->gb_per_s[i][a]));
        char why[CEILINGS_WHY];
        output_set(level, "doubt",
                   ceilings_in_doubt(found, set, PEAK_COUNT + i, why, sizeof why) ? json_string(why)
                                                                                  : json_null());
        json_array_append_new(levels, level);
    }
    output_set(o, "read", levels);
}

static json_t *repeat_to_json(const ceiling_repeat *r)
{
    json_t *o = json_object();
    output_set(o, "ceiling", json_string(r->ceiling));
    output_set(o, "threads", json_integer((json_int_t)r->threads));
    output_set(o, "before", output_real(r->before));
    output_set(o, "after", output_real(r->after));
    output_set(o, "rows_before", json_integer((json_int_t)r->rows_before));
    output_set(o, "rows_after", json_integer((json_int_t)r->rows_after));
    output_set(o, "finding", json_string(r->finding));
    return o;
}

json_t *ceilings_to_json(const ceilings *found)
{
    json_t *o = json_object(), *threads = json_array();
    output_set(o, "measured", json_string(found->measured));
    output_set(o, "age_s", output_real(found->age_s));
    output_set(o, "clock_ghz", output_real(found->clock_ghz));
    output_set(o, "timer_ns", output_real(found->timer_ns));
    output_set(o, "call_ns", output_real(found->call_ns));
    set_rates(o, found, &found->sets[0]);
    for (size_t i = 1; i < found->n_sets; i++) {
        json_t *more = json_object();
        output_set(more, "threads", json_integer((json_int_t)found->sets[i].threads));
        set_rates(more, found, &found->sets[i]);
        json_array_append_new(threads, more);
    }
    output_set(o, "threads", threads);
    json_t *repeats = json_array();
    for (size_t i = 0; i < found->n_repeats; i++)
        json_array_append_new(repeats, repeat_to_json(&found->repeats[i]));
    output_set(o, "repeated", repeats);
    return o;
}

/* ---- back ---- */

static double number_of(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key)); /* 0 where it is null or not there */
}

/* The entry of a peak in the array "peaks"; NULL where the file has none. */
static const json_t *entry_of(const json_t *peaks, enum ceiling_peak_id id)
{
    size_t i;
    const json_t *peak;
    json_array_foreach(peaks, i, peak)
    {
        const char *what = json_string_value(json_object_get(peak, "what")),
                   *isa = json_string_value(json_object_get(peak, "isa"));
        if (what != NULL && isa != NULL && strcmp(what, ceilings_peak_name(id)) == 0 &&
            strcmp(isa, ceilings_peak_isa(id)) == 0)
            return peak;
    }
    return NULL;
}

static bool take_rates(ceilings *found, ceiling_set *set, const json_t *o)
{
    const json_t *levels = json_object_get(o, "read"), *peaks = json_object_get(o, "peaks"), *level;
    for (enum ceiling_peak_id id = 0; id < PEAK_COUNT; id++) {
        const struct ceiling_family_info *family = &ceiling_families[ceiling_peaks[id].family];
        const json_t *object = json_object_get(o, family->key);
        const char *isa = ceilings_peak_isa(id), *part = family->key_part;
        const json_t *entry = entry_of(peaks, id);
        set->peak[id] = (ceiling_rate){part == NULL ? number_of(object, isa)
                                                    : number_of(json_object_get(object, isa), part),
                                       number_of(entry, "clock_ghz"),
                                       json_is_true(json_object_get(entry, "abnormal_operands"))};
    }
    size_t i, taken = 0;
    json_array_foreach(levels, i, level)
    {
        const char *name = json_string_value(json_object_get(level, "level"));
        for (size_t l = 0; name != NULL && l < found->n_levels; l++) {
            const struct ceiling_level *ours = &found->level[l];
            const double holds =
                ours->capacity == UINT64_MAX ? 0.0 : (double)ours->capacity; /* null is 0 */
            if (strcmp(name, ours->name) != 0 || number_of(level, "holds_bytes") != holds)
                continue;
            for (size_t a = 0; a < ACCESS_COUNT; a++)
                set->gb_per_s[l][a] = number_of(level, access_keys[a]);
            taken += set->gb_per_s[l][ACCESS_READ] > 0.0;
        }
    }
    /* Several threads may leave a level out, see part_of(). */
    return taken == found->n_levels || (set->threads > 1 && taken > 0);
}

/* Seconds since a time as written by strftime() above, or -1. */
static double age_of(const char *measured)
{
    struct tm then = {.tm_isdst = -1};
    int zone;
    if (sscanf(measured, "%d-%d-%dT%d:%d:%d%d", &then.tm_year, &then.tm_mon, &then.tm_mday,
               &then.tm_hour, &then.tm_min, &then.tm_sec, &zone) != 7)
        return -1.0;
    then.tm_year -= 1900;
    then.tm_mon -= 1;
    const double at = (double)timegm(&then) - 60.0 * (zone / 100 * 60 + zone % 100);
    const double age = (double)time(NULL) - at;
    return age < 0.0 ? -1.0 : age;
}

bool ceilings_from_json(ceilings *found, const json_t *o, char *why, size_t why_size)
{
    const char *measured = json_string_value(json_object_get(o, "measured"));
    if (measured == NULL || (found->age_s = age_of(measured)) < 0.0 ||
        number_of(o, "clock_ghz") <= 0.0) {
        snprintf(why, why_size, "it has no ceilings with a date");
        return false;
    }
    snprintf(found->measured, sizeof found->measured, "%s", measured);
    found->clock_ghz = number_of(o, "clock_ghz");
    found->timer_ns = number_of(o, "timer_ns");
    found->call_ns = number_of(o, "call_ns");
    if (!take_rates(found, &found->sets[0], o)) {
        snprintf(why, why_size, "its levels of memory are not those of this machine");
        return false;
    }
    for (size_t s = 1; s < found->n_sets; s++) {
        const json_t *threads = json_object_get(o, "threads"), *more;
        bool there = false;
        size_t i;
        json_array_foreach(threads, i, more)
        {
            if (number_of(more, "threads") == (double)found->sets[s].threads)
                there = take_rates(found, &found->sets[s], more);
        }
        if (!there) {
            snprintf(why, why_size, "it has none of %zu threads", found->sets[s].threads);
            return false;
        }
    }
    return true;
}

/* ---- the table ---- */

static void print_peak(const ceilings *all, const ceiling_set *set, enum ceiling_peak_id id)
{
    char why[CEILINGS_WHY];
    const double found = ceilings_per_cycle(set, id);
    if (set->peak[id].g_per_s == 0.0)
        return;
    printf("  %-24s %-12s %10.1f G/s", ceilings_peak_name(id), ceilings_peak_isa(id),
           set->peak[id].g_per_s);
    if (found > 0.0)
        printf("  %.3g instructions per cycle%s", found, set->threads > 1 ? " and thread" : "");
    puts(ceilings_in_doubt(all, set, id, why, sizeof why) ? ", in doubt" : "");
}

static void print_set(const ceilings *found, const ceiling_set *set)
{
    printf("%zu thread%s\n", set->threads, set->threads == 1 ? "" : "s");
    for (enum ceiling_peak_id id = 0; id < PEAK_COUNT; id++)
        print_peak(found, set, id);
    printf("  %-6s %12s %10s %10s %10s %10s   GB/s\n", "memory", "tested KiB", "read", "copy",
           "triad", "scattered");
    for (size_t i = 0; i < found->n_levels; i++) {
        const double *of = set->gb_per_s[i];
        char why[CEILINGS_WHY];
        if (of[ACCESS_READ] > 0.0)
            printf("  %-6s %12llu %10.1f %10.1f %10.1f %10.1f%s\n", found->level[i].name,
                   (unsigned long long)found->level[i].tested >> 10, of[ACCESS_READ],
                   of[ACCESS_COPY], of[ACCESS_TRIAD], of[ACCESS_SCATTERED],
                   ceilings_in_doubt(found, set, PEAK_COUNT + i, why, sizeof why) ? "  in doubt"
                                                                                  : "");
    }
}

void ceilings_print(const ceilings *found)
{
    printf("ceilings of %s", found->measured);
    if (found->age_s > 0.0)
        printf(", %.1f hours ago", found->age_s / 3600.0);
    printf(": clock %.2f GHz, timer %.0f ns, a call %.1f ns\n", found->clock_ghz, found->timer_ns,
           found->call_ns);
    for (size_t i = 0; i < found->n_sets; i++)
        print_set(found, &found->sets[i]);
    putchar('\n');
}
