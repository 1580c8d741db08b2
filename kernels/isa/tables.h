/* SPDX-License-Identifier: MIT
 *
 * The rows of levels.def as data: the features that a level needs, and its kernel table. */
#ifndef DOWNHILL_TABLES_H
#define DOWNHILL_TABLES_H

#include "isa/cpu.h"
#include "isa/kernels.h"

struct level {
    const char *name;
    downhill_level_kind kind;
    const char *auto_name;
    uint32_t features;
    const downhill_kernels *table; /* NULL: not part of this build */
};

enum {
#define DOWNHILL_LEVEL(name, ...) LEVEL_INDEX_##name,
#include "isa/levels.def"
    LEVEL_COUNT
};

/* The table of the level fma, also where it is no level. */
extern const downhill_kernels downhill_table_fma;

/* In the order of levels.def. */
extern const struct level downhill_levels[LEVEL_COUNT];

/* Returns the index of the level called `name`, or LEVEL_COUNT if there is none. */
size_t downhill_level_find(const char *name);

/* Returns whether two tables have the same kernels for features of this type. */
int downhill_same_kernels(const downhill_kernels *a, const downhill_kernels *b,
                          enum element element);

#endif
