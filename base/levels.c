/* SPDX-License-Identifier: MIT */
#include "levels.h"

#include "error.h"

#include <stdlib.h>
#include <string.h>

size_t levels_to_run(const char *isa, const downhill_kernels *tables[LEVELS_MAX])
{
    size_t count = 0;
    downhill_level level;
    for (size_t i = 0; isa == NULL && downhill_level_at(i, &level) == DOWNHILL_OK; i++)
        if (level.usable && count < LEVELS_MAX &&
            downhill_select(level.name, &tables[count], NULL, 0) == DOWNHILL_OK)
            count++;
    if (count > 0)
        return count;
    /* The scalar level is always there, so what refuses it is the environment. */
    char why[512];
    if (downhill_select(isa != NULL ? isa : "scalar", &tables[0], why, sizeof why) == DOWNHILL_OK)
        return 1;
    const char *variable = getenv("DOWNHILL_ISA");
    const bool from_variable = isa == NULL || (variable != NULL && strcmp(isa, variable) == 0);
    error_line("%s: %s", from_variable ? "DOWNHILL_ISA" : "--isa", why);
    return 0;
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

bool levels_cpu_has(const char *feature)
{
    downhill_feature f;
    for (size_t i = 0; downhill_feature_at(i, &f) == DOWNHILL_OK; i++)
        if (strcmp(f.name, feature) == 0)
            return f.cpu && f.os;
    return false;
}
