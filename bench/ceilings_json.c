/* SPDX-License-Identifier: MIT
 *
 * Writes ceilings as JSON and as a table, and reads the JSON. */
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

static json_t *rate_to_json(double value)
{
    return value > 0.0 ? output_real(value) : json_null();
}

/* Returns the object `key` of an object; creates it if it is absent or null. */
static json_t *subobject(json_t *o, const char *key)
{
    if (!json_is_object(json_object_get(o, key)))
        output_set(o, key, json_object());
    return json_object_get(o, key);
}

/* Returns a peak relative to the clock, or NULL if the clock is unknown. */
static json_t *per_cycle_to_json(const ceilings *roofline, const ceiling_set *set,
                                 enum ceiling_peak_id id)
{
    const double per_cycle = ceilings_per_cycle(set, id);
    if (per_cycle == 0.0)
        return NULL;
    char why[CEILINGS_WHY];
    json_t *o = json_object();
    output_set(o, "what", json_string(ceilings_peak_name(id)));
    output_set(o, "isa", json_string(ceilings_peak_isa(id)));
    output_set(o, "g_per_s", output_real(set->peak[id].g_per_s));
    output_set(o, "clock_ghz", output_real(set->peak[id].clock_ghz));
    output_set(o, "instructions_per_cycle", output_real(per_cycle));
    output_set(o, "abnormal_operands", json_boolean(set->peak[id].abnormal));
    output_set(o, "doubt",
               ceilings_in_doubt(roofline, set, id, why, sizeof why) ? json_string(why)
                                                                     : json_null());
    return o;
}

/* Adds the rates of a set to `o`, which is the object of the ceilings or an entry of its array
 * "threads". */
static void set_rates(json_t *o, const ceilings *roofline, const ceiling_set *set)
{
    json_t *peaks = json_array(), *levels = json_array();
    for (enum ceiling_peak_id id = 0; id < PEAK_COUNT; id++) {
        const struct ceiling_family_info *family = &ceiling_families[ceiling_peaks[id].family];
        const char *isa = ceilings_peak_isa(id);
        json_t *object = subobject(o, family->key);
        if (family->subkey == NULL)
            output_set(object, isa, rate_to_json(set->peak[id].g_per_s));
        else if (set->peak[id].g_per_s > 0.0)
            output_set(subobject(object, isa), family->subkey, output_real(set->peak[id].g_per_s));
        else
            output_set(object, isa, json_null());
        json_t *entry = per_cycle_to_json(roofline, set, id);
        if (entry != NULL)
            json_array_append_new(peaks, entry);
    }
    output_set(o, "peaks", peaks);
    for (size_t i = 0; i < roofline->n_levels; i++) {
        const struct ceiling_level *l = &roofline->level[i];
        if (set->gb_per_s[i][ACCESS_READ] == 0.0)
            continue;
        json_t *level = json_object();
        output_set(level, "level", json_string(l->name));
        output_set(level, "holds_bytes",
                   l->capacity == UINT64_MAX ? json_null() : json_integer((json_int_t)l->capacity));
        output_set(level, "tested_bytes", json_integer((json_int_t)l->test_bytes));
        for (size_t a = 0; a < ACCESS_COUNT; a++)
            output_set(level, access_keys[a], rate_to_json(set->gb_per_s[i][a]));
        char why[CEILINGS_WHY];
        output_set(level, "doubt",
                   ceilings_in_doubt(roofline, set, PEAK_COUNT + i, why, sizeof why)
                       ? json_string(why)
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

json_t *ceilings_to_json(const ceilings *roofline)
{
    json_t *o = json_object(), *threads = json_array();
    output_set(o, "measured", json_string(roofline->measured));
    output_set(o, "age_s", output_real(roofline->age_s));
    output_set(o, "clock_ghz", output_real(roofline->clock_ghz));
    output_set(o, "timer_ns", output_real(roofline->timer_ns));
    output_set(o, "call_ns", output_real(roofline->call_ns));
    set_rates(o, roofline, &roofline->sets[0]);
    for (size_t i = 1; i < roofline->n_sets; i++) {
        json_t *entry = json_object();
        output_set(entry, "threads", json_integer((json_int_t)roofline->sets[i].threads));
        set_rates(entry, roofline, &roofline->sets[i]);
        json_array_append_new(threads, entry);
    }
    output_set(o, "threads", threads);
    json_t *repeats = json_array();
    for (size_t i = 0; i < roofline->n_repeats; i++)
        json_array_append_new(repeats, repeat_to_json(&roofline->repeats[i]));
    output_set(o, "repeated", repeats);
    return o;
}

/* ---- reading ---- */

static double number_of(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key)); /* 0 if it is null or absent */
}

/* Returns the entry of a peak in the array "peaks", or NULL. */
static const json_t *find_peak(const json_t *peaks, enum ceiling_peak_id id)
{
    size_t i;
    const json_t *peak;
    json_array_foreach(peaks, i, peak)
    {
        const char *name = json_string_value(json_object_get(peak, "what")),
                   *isa = json_string_value(json_object_get(peak, "isa"));
        if (name != NULL && isa != NULL && strcmp(name, ceilings_peak_name(id)) == 0 &&
            strcmp(isa, ceilings_peak_isa(id)) == 0)
            return peak;
    }
    return NULL;
}

/* Reads the rates of a set. Returns whether the file has all memory levels of one thread, or any of
 * several threads, for which bytes_per_thread() may leave levels out. */
static bool read_rates(ceilings *roofline, ceiling_set *set, const json_t *o)
{
    const json_t *levels = json_object_get(o, "read"), *peaks = json_object_get(o, "peaks"), *level;
    for (enum ceiling_peak_id id = 0; id < PEAK_COUNT; id++) {
        const struct ceiling_family_info *family = &ceiling_families[ceiling_peaks[id].family];
        const json_t *object = json_object_get(o, family->key);
        const char *isa = ceilings_peak_isa(id), *subkey = family->subkey;
        const json_t *entry = find_peak(peaks, id);
        set->peak[id] =
            (ceiling_rate){subkey == NULL ? number_of(object, isa)
                                          : number_of(json_object_get(object, isa), subkey),
                           number_of(entry, "clock_ghz"),
                           json_is_true(json_object_get(entry, "abnormal_operands"))};
    }
    size_t i, levels_read = 0;
    json_array_foreach(levels, i, level)
    {
        const char *name = json_string_value(json_object_get(level, "level"));
        for (size_t l = 0; name != NULL && l < roofline->n_levels; l++) {
            const struct ceiling_level *local = &roofline->level[l];
            const double capacity = /* null reads as 0 */
                local->capacity == UINT64_MAX ? 0.0 : (double)local->capacity;
            if (strcmp(name, local->name) != 0 || number_of(level, "holds_bytes") != capacity)
                continue;
            for (size_t a = 0; a < ACCESS_COUNT; a++)
                set->gb_per_s[l][a] = number_of(level, access_keys[a]);
            levels_read += set->gb_per_s[l][ACCESS_READ] > 0.0;
        }
    }
    return levels_read == roofline->n_levels || (set->threads > 1 && levels_read > 0);
}

/* Returns the seconds since a time in the format of ceilings_measure(), or -1 if it is invalid or
 * in the future. */
static double age_of(const char *measured)
{
    struct tm date = {.tm_isdst = -1};
    int zone;
    if (sscanf(measured, "%d-%d-%dT%d:%d:%d%d", &date.tm_year, &date.tm_mon, &date.tm_mday,
               &date.tm_hour, &date.tm_min, &date.tm_sec, &zone) != 7)
        return -1.0;
    date.tm_year -= 1900;
    date.tm_mon -= 1;
    const double utc_s = (double)timegm(&date) - 60.0 * (zone / 100 * 60 + zone % 100);
    const double age = (double)time(NULL) - utc_s;
    return age < 0.0 ? -1.0 : age;
}

bool ceilings_from_json(ceilings *roofline, const json_t *o, char *why, size_t why_size)
{
    const char *measured = json_string_value(json_object_get(o, "measured"));
    if (measured == NULL || (roofline->age_s = age_of(measured)) < 0.0 ||
        number_of(o, "clock_ghz") <= 0.0) {
        snprintf(why, why_size, "it has no ceilings with a valid date");
        return false;
    }
    snprintf(roofline->measured, sizeof roofline->measured, "%s", measured);
    roofline->clock_ghz = number_of(o, "clock_ghz");
    roofline->timer_ns = number_of(o, "timer_ns");
    roofline->call_ns = number_of(o, "call_ns");
    if (!read_rates(roofline, &roofline->sets[0], o)) {
        snprintf(why, why_size, "its memory levels differ from those of this machine");
        return false;
    }
    for (size_t s = 1; s < roofline->n_sets; s++) {
        const json_t *threads = json_object_get(o, "threads"), *entry;
        bool is_read = false;
        size_t i;
        json_array_foreach(threads, i, entry)
        {
            if (number_of(entry, "threads") == (double)roofline->sets[s].threads)
                is_read = read_rates(roofline, &roofline->sets[s], entry);
        }
        if (!is_read) {
            snprintf(why, why_size, "it has no ceilings for %zu threads",
                     roofline->sets[s].threads);
            return false;
        }
    }
    return true;
}

/* ---- the table ---- */

static void print_peak(const ceilings *roofline, const ceiling_set *set, enum ceiling_peak_id id)
{
    char why[CEILINGS_WHY];
    const double per_cycle = ceilings_per_cycle(set, id);
    if (set->peak[id].g_per_s == 0.0)
        return;
    printf("  %-24s %-12s %10.1f G/s", ceilings_peak_name(id), ceilings_peak_isa(id),
           set->peak[id].g_per_s);
    if (per_cycle > 0.0)
        printf("  %.3g instructions per cycle%s", per_cycle, set->threads > 1 ? " and thread" : "");
    puts(ceilings_in_doubt(roofline, set, id, why, sizeof why) ? ", in doubt" : "");
}

static void print_set(const ceilings *roofline, const ceiling_set *set)
{
    printf("%zu thread%s\n", set->threads, set->threads == 1 ? "" : "s");
    for (enum ceiling_peak_id id = 0; id < PEAK_COUNT; id++)
        print_peak(roofline, set, id);
    printf("  %-6s %12s %10s %10s %10s %10s   GB/s\n", "memory", "tested KiB", "read", "copy",
           "triad", "scattered");
    for (size_t i = 0; i < roofline->n_levels; i++) {
        const double *gb_per_s = set->gb_per_s[i];
        char why[CEILINGS_WHY];
        if (gb_per_s[ACCESS_READ] > 0.0)
            printf("  %-6s %12llu %10.1f %10.1f %10.1f %10.1f%s\n", roofline->level[i].name,
                   (unsigned long long)roofline->level[i].test_bytes >> 10, gb_per_s[ACCESS_READ],
                   gb_per_s[ACCESS_COPY], gb_per_s[ACCESS_TRIAD], gb_per_s[ACCESS_SCATTERED],
                   ceilings_in_doubt(roofline, set, PEAK_COUNT + i, why, sizeof why) ? "  in doubt"
                                                                                     : "");
    }
}

void ceilings_print(const ceilings *roofline)
{
    printf("ceilings measured at %s", roofline->measured);
    if (roofline->age_s > 0.0)
        printf(", %.1f hours ago", roofline->age_s / 3600.0);
    printf(": clock %.2f GHz, timer %.0f ns, a call %.1f ns\n", roofline->clock_ghz,
           roofline->timer_ns, roofline->call_ns);
    for (size_t i = 0; i < roofline->n_sets; i++)
        print_set(roofline, &roofline->sets[i]);
    putchar('\n');
}
