/* SPDX-License-Identifier: MIT */
#include "levels.h"

#include "error.h"
#include "isa/tables.h"
#include "suggest.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A set of levels: bit i is level i. */
typedef uint32_t level_set;
_Static_assert((int)LEVEL_COUNT <= (int)LEVELS_MAX && LEVELS_MAX <= 32, "a bit for each level");

static level_set usable_levels(void)
{
    level_set set = 0;
    downhill_level level;
    for (size_t i = 0; i < LEVELS_MAX && downhill_level_at(i, &level) == DOWNHILL_OK; i++)
        set |= (level_set)(level.usable != 0) << i;
    return set;
}

/* Selects a level. If it is not usable, returns false and sets `why`; for an unknown name `why`
 * ends with a suggestion. */
static bool select_level(const char *name, const downhill_kernels **table, char *why, size_t size)
{
    if (downhill_select(name, table, why, size) == DOWNHILL_OK)
        return true;
    const size_t used = strlen(why);
    suggest_words words = {.count = LEVEL_COUNT};
    char suggestion[SUGGEST_TEXT_MAX];
    for (size_t i = 0; i < LEVEL_COUNT; i++)
        words.words[i] = downhill_levels[i].name;
    /* scalar is always usable, unless DOWNHILL_DISABLE is invalid: `why` is then about that. */
    const downhill_kernels *scalar;
    if (downhill_level_find(name) == LEVEL_COUNT &&
        downhill_select("scalar", &scalar, NULL, 0) == DOWNHILL_OK)
        snprintf(why + used, size - used, "%s", suggest_text(name, &words, "", suggestion));
    return false;
}

/* Adds the level of this name, or all usable ones. If it is not usable, returns false and sets
 * `why`. */
static bool add_level(level_set *set, const char *name, char *why, size_t size)
{
    if (strcmp(name, LEVELS_ALL) == 0) {
        *set |= usable_levels();
        return true;
    }
    const downhill_kernels *table;
    if (!select_level(name, &table, why, size))
        return false;
    downhill_level level;
    for (size_t i = 0; i < LEVELS_MAX && downhill_level_at(i, &level) == DOWNHILL_OK; i++)
        *set |= (level_set)(strcmp(level.name, name) == 0) << i;
    return true;
}

/* Parses a list such as "avx2,avx512". If a level is not usable, returns false and sets `why`. */
static bool read_list(const char *list, level_set *set, char *why, size_t size)
{
    bool good = true;
    for (const char *at = list; good && at != NULL;) {
        char name[64]; /* longer than any level name */
        const size_t length = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        good = length > 0 && add_level(set, name, why, size);
        if (length == 0)
            snprintf(why, size, "'%s' has an empty name; write levels as in avx2,avx512", list);
        at = at[length] == ',' ? at + length + 1 : NULL;
    }
    return good;
}

static size_t tables_of(level_set set, const downhill_kernels *tables[LEVELS_MAX])
{
    size_t count = 0;
    downhill_level level;
    for (size_t i = 0; i < LEVELS_MAX && downhill_level_at(i, &level) == DOWNHILL_OK; i++)
        if ((set >> i & 1) != 0 &&
            downhill_select(level.name, &tables[count], NULL, 0) == DOWNHILL_OK)
            count++;
    return count;
}

size_t levels_to_run(const char *isa, const downhill_kernels *tables[LEVELS_MAX])
{
    const char *variable = getenv("DOWNHILL_ISA");
    const bool from_variable = isa == NULL || (variable != NULL && strcmp(isa, variable) == 0);
    char why[512] = "";
    level_set set = isa == NULL ? usable_levels() : 0;
    bool good = true;
    if (isa != NULL && from_variable) /* the variable names one level, as in the library */
        good =
            select_level(isa, &tables[0], why, sizeof why) && add_level(&set, isa, why, sizeof why);
    else if (isa != NULL)
        good = read_list(isa, &set, why, sizeof why);
    const size_t count = good ? tables_of(set, tables) : 0;
    if (good && count == 0) /* scalar is always usable, so a bad variable is the cause */
        (void)downhill_select("scalar", &tables[0], why, sizeof why);
    if (count == 0)
        error_line("%s: %s", from_variable ? "DOWNHILL_ISA" : "--isa", why);
    return count;
}

bool levels_are_several(const char *isa)
{
    const size_t first = isa != NULL ? strcspn(isa, ",") : 0;
    for (const char *at = isa; at != NULL;) {
        const size_t length = strcspn(at, ",");
        if (length != first || strncmp(at, isa, length) != 0 ||
            (length == strlen(LEVELS_ALL) && strncmp(at, LEVELS_ALL, length) == 0))
            return true;
        at = at[length] == ',' ? at + length + 1 : NULL;
    }
    return false;
}

bool levels_repeat(const downhill_kernels *const *tables, size_t i, enum element element)
{
    for (size_t before = 0; before < i; before++)
        if (downhill_same_kernels(tables[before], tables[i], element))
            return true;
    return false;
}

const downhill_kernels *levels_lender(const downhill_kernels *kernels, enum element element)
{
    downhill_level level;
    const downhill_kernels *other;
    for (size_t i = 0; downhill_level_at(i, &level) == DOWNHILL_OK; i++)
        if (downhill_select(level.name, &other, NULL, 0) == DOWNHILL_OK &&
            downhill_same_kernels(other, kernels, element))
            return other;
    return kernels;
}

bool levels_is_baseline(const char *name)
{
    const size_t level = downhill_level_find(name);
    return level < LEVEL_COUNT && downhill_levels[level].kind == DOWNHILL_KIND_BASELINE;
}

bool levels_is_hand_written(const char *name)
{
    const size_t level = downhill_level_find(name);
    return level < LEVEL_COUNT && downhill_levels[level].kind == DOWNHILL_KIND_HAND;
}

bool levels_cpu_has(uint32_t features)
{
    downhill_feature f;
    for (size_t i = 0; downhill_feature_at(i, &f) == DOWNHILL_OK; i++)
        if ((features >> i & 1) != 0 && !(f.cpu && f.os))
            return false;
    return true;
}
