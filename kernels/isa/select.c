/* SPDX-License-Identifier: MIT
 *
 * Selects a kernel table (tables.c) by the CPU features. The only state is the detected facts
 * about the machine, and the default table. */
#include "isa/select.h"

#include "isa/tables.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 64 };

/* Levels that were requested but that the compiler could not build, each between blanks. */
#ifndef DOWNHILL_UNABLE
#define DOWNHILL_UNABLE " "
#endif

/* Facts about the machine and the environment. */
struct facts {
    cpu_features cpu;
    struct cache_sizes caches;
    uint32_t disabled;           /* features named by DOWNHILL_DISABLE */
    char unknown_word[WORD_MAX]; /* first word of that list that is no feature; "" */
    char isa[WORD_MAX];          /* value of DOWNHILL_ISA; "" */
};

/* Copies the first `length` bytes, truncated to fit. */
static void copy_word(char to[WORD_MAX], const char *from, size_t length)
{
    length = length < WORD_MAX ? length : WORD_MAX - 1;
    memcpy(to, from, length);
    to[length] = '\0';
}

/* Reads a list of features, separated by commas or spaces. */
static void read_disabled(const char *list, struct facts *facts)
{
    static const char separators[] = ", ";
    for (const char *word = list + strspn(list, separators); *word != '\0';) {
        const size_t length = strcspn(word, separators);
        unsigned i = 0;
        while (i < FEATURE_COUNT && (strlen(downhill_cpu_feature_name(i)) != length ||
                                     memcmp(downhill_cpu_feature_name(i), word, length) != 0))
            i++;
        if (i < FEATURE_COUNT)
            facts->disabled |= UINT32_C(1) << i;
        else if (facts->unknown_word[0] == '\0')
            copy_word(facts->unknown_word, word, length);
        word += length;
        word += strspn(word, separators);
    }
}

/* Returns whether a level of this build would use AMX. Otherwise permission is not requested,
 * because it cannot be returned. */
static bool wants_amx(uint32_t disabled)
{
    for (size_t i = 0; i < LEVEL_COUNT; i++)
        if (downhill_levels[i].table != NULL && (downhill_levels[i].features & FEATURES_AMX) != 0 &&
            (downhill_levels[i].features & disabled) == 0)
            return true;
    return false;
}

static void gather_facts(struct facts *facts)
{
    const char *list = getenv("DOWNHILL_DISABLE"), *isa = getenv("DOWNHILL_ISA");
    *facts = (struct facts){0};
    if (list != NULL)
        read_disabled(list, facts);
    cpu_source source = downhill_cpu_native;
    if (!wants_amx(facts->disabled))
        source.permit_amx = NULL;
    facts->cpu = downhill_cpu_detect(&source);
    facts->caches = downhill_caches_detect(&source);
    if (isa != NULL)
        copy_word(facts->isa, isa, strlen(isa));
}

/* Returns the facts. The first thread gathers and stores them; after that neither CPUID nor the
 * environment is read again. Threads that call meanwhile gather into *own and find the same,
 * except for the caches of a hybrid CPU, whose cores may differ. No thread waits for another,
 * which might have a lower priority, or might not exist after fork(). */
static const struct facts *known_facts(struct facts *own)
{
    enum { UNKNOWN, GATHERING, KNOWN };
    static atomic_int state = UNKNOWN;
    static struct facts facts;

    int expected = UNKNOWN;
    if (atomic_load_explicit(&state, memory_order_acquire) == KNOWN)
        return &facts;
    if (atomic_compare_exchange_strong(&state, &expected, GATHERING)) {
        gather_facts(&facts);
        atomic_store_explicit(&state, KNOWN, memory_order_release);
        return &facts;
    }
    if (expected == KNOWN)
        return &facts;
    gather_facts(own);
    return own;
}

struct cache_sizes downhill_cache_sizes(void)
{
    /* Copies of the facts. If fork() interrupted gathering, the child does not gather them for
     * every call. Threads that store at the same time store the same values, or, on different
     * cores of a hybrid CPU, a mixture, which the plan handles as well. */
    static atomic_size_t l1d, l2, l3; /* l1d is 0 until all are known */
    struct cache_sizes sizes = {.l1d = atomic_load_explicit(&l1d, memory_order_acquire)};
    if (sizes.l1d == 0) {
        struct facts own;
        sizes = known_facts(&own)->caches;
        atomic_store_explicit(&l3, sizes.l3, memory_order_relaxed);
        atomic_store_explicit(&l2, sizes.l2, memory_order_relaxed);
        atomic_store_explicit(&l1d, sizes.l1d, memory_order_release);
        return sizes;
    }
    sizes.l2 = atomic_load_explicit(&l2, memory_order_relaxed);
    sizes.l3 = atomic_load_explicit(&l3, memory_order_relaxed);
    return sizes;
}

static uint32_t usable_features(const struct facts *facts)
{
    return cpu_usable(facts->cpu) & ~facts->disabled;
}

static bool level_usable(const struct level *level, uint32_t usable)
{
    return level->table != NULL && (level->features & ~usable) == 0;
}

size_t downhill_level_choose(uint32_t usable)
{
    size_t i = LEVEL_COUNT - 1;
    /* The scalar level needs no features, so the search ends. */
    while (downhill_levels[i].kind == DOWNHILL_KIND_AUTO ||
           !level_usable(&downhill_levels[i], usable))
        i--;
    return i;
}

/* Appends to a string, truncated to fit the buffer. The string may already fill it. */
__attribute__((format(printf, 3, 4))) static void append(char *buffer, size_t size,
                                                         const char *format, ...)
{
    const size_t used = strlen(buffer);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(buffer + used, size - used, format, arguments);
    va_end(arguments);
}

/* Returns why a level has no table: it was not requested, or the compiler cannot build it. */
static const char *why_absent(const struct level *level)
{
    char word[WORD_MAX];
    snprintf(word, sizeof word, " %s ", level->name);
    return strstr(DOWNHILL_UNABLE, word) != NULL ? "the compiler cannot build it"
                                                 : "left out of this build";
}

/* `missing` holds the longest text that describe_missing() can produce. */
#define LONGEST_REASON     "OS does not save its registers"
#define ROW(id, name, ...) +sizeof ", " name " (" LONGEST_REASON ")" - 1
_Static_assert(sizeof "the compiler cannot build it" DOWNHILL_FEATURES(ROW) <=
                   sizeof((downhill_level *)0)->missing,
               "downhill_level.missing is too short");
#undef ROW

/* Lists what keeps a level from being used, as "avx512vl (CPU), amx-tile (permission refused)";
 * "" if it is usable. */
static void describe_missing(const struct level *level, const struct facts *facts, char *buffer,
                             size_t size)
{
    buffer[0] = '\0';
    if (level->table == NULL)
        append(buffer, size, "%s", why_absent(level));
    for (unsigned i = 0; i < FEATURE_COUNT; i++) {
        const uint32_t flag = UINT32_C(1) << i;
        const char *reason = (level->features & flag) == 0        ? NULL
                             : (facts->cpu.cpu & flag) == 0       ? "CPU"
                             : (facts->cpu.os & flag) == 0        ? LONGEST_REASON
                             : (facts->disabled & flag) != 0      ? "DOWNHILL_DISABLE"
                             : (facts->cpu.unasked & flag) != 0   ? "permission not requested"
                             : (facts->cpu.permitted & flag) == 0 ? "permission refused"
                                                                  : NULL;
        if (reason != NULL)
            append(buffer, size, "%s%s (%s)", buffer[0] == '\0' ? "" : ", ",
                   downhill_cpu_feature_name(i), reason);
    }
}

/* Selects the level called `name`. `prefix` ("DOWNHILL_ISA=") precedes the name in messages.
 * `why` is an empty string in a buffer of why_size bytes. */
static downhill_status select_named(const char *name, const char *prefix, const struct facts *facts,
                                    const downhill_kernels **out, char *why, size_t why_size)
{
    const size_t found = downhill_level_find(name);
    if (found == LEVEL_COUNT) {
        append(why, why_size, "%s%s: no such ISA level; known:", prefix, name);
        for (size_t i = 0; i < LEVEL_COUNT; i++)
            append(why, why_size, " %s", downhill_levels[i].name);
        return DOWNHILL_ERR_ISA_UNKNOWN;
    }
    const struct level *level = &downhill_levels[found];
    const uint32_t usable = usable_features(facts);
    if (!level_usable(level, usable)) {
        char missing[sizeof((downhill_level *)0)->missing];
        describe_missing(level, facts, missing, sizeof missing);
        append(why, why_size, "%s%s: not usable here: %s; best usable: %s", prefix, name, missing,
               downhill_levels[downhill_level_choose(usable)].name);
        return DOWNHILL_ERR_ISA_UNUSABLE;
    }
    *out = level->table;
    return DOWNHILL_OK;
}

/* Fails if DOWNHILL_DISABLE has an unknown word. Ignoring it would leave a feature enabled. */
static downhill_status check_disabled(const struct facts *facts, char *why, size_t why_size)
{
    if (facts->unknown_word[0] != '\0') {
        append(why, why_size, "DOWNHILL_DISABLE=%s: no such feature; known:", facts->unknown_word);
        for (unsigned i = 0; i < FEATURE_COUNT; i++)
            append(why, why_size, " %s", downhill_cpu_feature_name(i));
        return DOWNHILL_ERR_ISA_UNKNOWN;
    }
    return DOWNHILL_OK;
}

/* Selects the default level and stores it. Threads that race here repeat the work and store the
 * same value. */
static downhill_status select_default(const downhill_kernels **out, char *why, size_t why_size)
{
    static const downhill_kernels *_Atomic chosen;

    *out = atomic_load_explicit(&chosen, memory_order_acquire);
    if (*out != NULL)
        return DOWNHILL_OK;
    struct facts own;
    const struct facts *facts = known_facts(&own);
    downhill_status status = check_disabled(facts, why, why_size);
    if (status != DOWNHILL_OK)
        return status;
    if (facts->isa[0] == '\0')
        *out = downhill_levels[downhill_level_choose(usable_features(facts))].table;
    else if ((status = select_named(facts->isa, "DOWNHILL_ISA=", facts, out, why, why_size)) !=
             DOWNHILL_OK)
        return status;
    atomic_store_explicit(&chosen, *out, memory_order_release);
    return DOWNHILL_OK;
}

downhill_status downhill_select(const char *isa, const downhill_kernels **out, char *why,
                                size_t why_size)
{
    char ignored[1];
    if (why == NULL || why_size == 0) {
        why = ignored;
        why_size = sizeof ignored;
    }
    why[0] = '\0';
    if (out == NULL)
        return DOWNHILL_ERR_NULL;
    *out = NULL;
    if (isa == NULL)
        return select_default(out, why, why_size);
    struct facts own;
    const struct facts *facts = known_facts(&own);
    const downhill_status understood = check_disabled(facts, why, why_size);
    if (understood != DOWNHILL_OK)
        return understood;
    return select_named(isa, "", facts, out, why, why_size);
}

const char *downhill_kernels_name(const downhill_kernels *kernels)
{
    if (kernels == NULL && downhill_select(NULL, &kernels, NULL, 0) != DOWNHILL_OK)
        return "";
    return kernels->name;
}

downhill_status downhill_level_at(size_t i, downhill_level *out)
{
    if (out == NULL)
        return DOWNHILL_ERR_NULL;
    if (i >= LEVEL_COUNT)
        return DOWNHILL_ERR_SIZE;
    const struct level *level = &downhill_levels[i];
    struct facts own;
    const struct facts *facts = known_facts(&own);
    const downhill_kernels *chosen = NULL;
    downhill_select(NULL, &chosen, NULL, 0);

    *out = (downhill_level){
        .name = level->name,
        .kind = level->kind,
        .auto_name = level->auto_name,
        .compiled = level->table != NULL,
        .cpu = (level->features & ~facts->cpu.cpu) == 0,
        .os = (level->features & ~facts->cpu.os) == 0,
        .permitted = (level->features & ~(facts->cpu.permitted & ~facts->disabled)) == 0,
        .usable = level_usable(level, usable_features(facts)),
        .chosen = chosen != NULL && chosen == level->table,
    };
    describe_missing(level, facts, out->missing, sizeof out->missing);
    return DOWNHILL_OK;
}

downhill_status downhill_feature_at(size_t i, downhill_feature *out)
{
    if (out == NULL)
        return DOWNHILL_ERR_NULL;
    if (i >= FEATURE_COUNT)
        return DOWNHILL_ERR_SIZE;
    struct facts own;
    const struct facts *facts = known_facts(&own);
    const uint32_t flag = UINT32_C(1) << i;
    *out = (downhill_feature){
        .name = downhill_cpu_feature_name((unsigned)i),
        .cpu = (facts->cpu.cpu & flag) != 0,
        .os = (facts->cpu.os & flag) != 0,
        .permitted = (facts->cpu.unasked & flag) != 0 ? -1 : (facts->cpu.permitted & flag) != 0,
        .disabled = (facts->disabled & flag) != 0,
    };
    return DOWNHILL_OK;
}
