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

/* The rates of a set, as members of the ceilings or of an entry of threads[]. */
static void set_rates(json_t *o, const ceilings *found, const ceiling_set *set)
{
    json_t *fma = json_object(), *dot = json_object(), *u8 = json_object(), *levels = json_array();
    output_set(fma, "avx2", rate(set->fma_avx2));
    output_set(fma, "avx512", rate(set->fma_avx512));
    output_set(o, "fma_f32_gflop_per_s", fma);
    output_set(dot, "avx512bf16", rate(set->dot_avx512bf16));
    output_set(dot, "amx", rate(set->dot_amx));
    output_set(o, "dot_bf16_gflop_per_s", dot);
    for (size_t i = 0; i < CEILING_U8_LEVELS; i++) {
        json_t *level = set->u8[i].weights > 0.0 ? json_object() : json_null();
        if (set->u8[i].weights > 0.0) {
            output_set(level, "weights", output_real(set->u8[i].weights));
            output_set(level, "dscores", output_real(set->u8[i].dscores));
        }
        output_set(u8, ceilings_u8_levels[i], level);
    }
    output_set(o, "u8_gop_per_s", u8);
    for (size_t i = 0; i < found->n_levels; i++) {
        const struct ceiling_level *l = &found->level[i];
        if (set->gb_per_s[i][ACCESS_READ] == 0.0)
            continue;
        json_t *level = json_object();
        output_set(level, "level", json_string(l->name));
        output_set(level, "holds_bytes",
                   l->holds == UINT64_MAX ? json_null() : json_integer((json_int_t)l->holds));
        output_set(level, "tested_bytes", json_integer((json_int_t)l->tested));
        for (size_t a = 0; a < ACCESS_COUNT; a++)
            output_set(level, access_keys[a], rate(set->gb_per_s[i][a]));
        json_array_append_new(levels, level);
    }
    output_set(o, "read", levels);
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
    return o;
}

/* ---- back ---- */

static double number_of(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key)); /* 0 where it is null or not there */
}

static bool take_rates(ceilings *found, ceiling_set *set, const json_t *o)
{
    const json_t *fma = json_object_get(o, "fma_f32_gflop_per_s"),
                 *dot = json_object_get(o, "dot_bf16_gflop_per_s"),
                 *u8 = json_object_get(o, "u8_gop_per_s"), *levels = json_object_get(o, "read"),
                 *level;
    set->fma_avx2 = number_of(fma, "avx2");
    set->fma_avx512 = number_of(fma, "avx512");
    set->dot_avx512bf16 = number_of(dot, "avx512bf16");
    set->dot_amx = number_of(dot, "amx");
    for (size_t i = 0; i < CEILING_U8_LEVELS; i++) {
        const json_t *of = json_object_get(u8, ceilings_u8_levels[i]);
        set->u8[i] = (struct ceiling_u8){number_of(of, "weights"), number_of(of, "dscores")};
    }
    size_t i, taken = 0;
    json_array_foreach(levels, i, level)
    {
        const char *name = json_string_value(json_object_get(level, "level"));
        for (size_t l = 0; name != NULL && l < found->n_levels; l++) {
            const struct ceiling_level *ours = &found->level[l];
            const double holds =
                ours->holds == UINT64_MAX ? 0.0 : (double)ours->holds; /* null is 0 */
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

static void print_peak(const char *what, const char *isa, double most)
{
    if (most > 0.0)
        printf("  %-24s %-12s %10.1f G/s\n", what, isa, most);
}

static void print_set(const ceilings *found, const ceiling_set *set)
{
    printf("%zu thread%s\n", set->threads, set->threads == 1 ? "" : "s");
    print_peak("f32 FMA", "avx2", set->fma_avx2);
    print_peak("f32 FMA", "avx512", set->fma_avx512);
    print_peak("pairs of bf16", "avx512bf16", set->dot_avx512bf16);
    print_peak("pairs of bf16", "amx", set->dot_amx);
    for (size_t i = 0; i < CEILING_U8_LEVELS; i++) {
        print_peak("byte x 16 bits", ceilings_u8_levels[i], set->u8[i].weights);
        print_peak("byte x 8 bits", ceilings_u8_levels[i], set->u8[i].dscores);
    }
    printf("  %-6s %12s %10s %10s %10s %10s   GB/s\n", "memory", "tested KiB", "read", "copy",
           "triad", "scattered");
    for (size_t i = 0; i < found->n_levels; i++) {
        const double *of = set->gb_per_s[i];
        if (of[ACCESS_READ] > 0.0)
            printf("  %-6s %12llu %10.1f %10.1f %10.1f %10.1f\n", found->level[i].name,
                   (unsigned long long)found->level[i].tested >> 10, of[ACCESS_READ],
                   of[ACCESS_COPY], of[ACCESS_TRIAD], of[ACCESS_SCATTERED]);
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
