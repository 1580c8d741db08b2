/* SPDX-License-Identifier: MIT
 *
 * The ISA levels that a command is to run, and what the CPU has. */
#ifndef DOWNHILL_BASE_LEVELS_H
#define DOWNHILL_BASE_LEVELS_H

#include "isa/cpu.h"
#include "isa/kernels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LEVELS_MAX = 32 };

/* The word for every usable level. */
#define LEVELS_ALL "all"

/* Sets the tables of the levels that `isa` names, with commas between them or "all"; NULL: of
 * every usable level. They come lowest first, and each once. Returns their number; 0 after a
 * line that says which level is not usable and why, which is EXIT_ISA. */
size_t levels_to_run(const char *isa, const downhill_kernels *tables[LEVELS_MAX]);

/* Returns whether `isa` names more than one level, or all; a name that is repeated counts once. */
bool levels_are_several(const char *isa);

/* Returns whether the i-th of these tables has, for features of this type, the kernels of one before it. */
bool levels_repeat(const downhill_kernels *const *tables, size_t i, enum element element);

/* The table of the lowest usable level with the same kernels for features of this type. */
const downhill_kernels *levels_lender(const downhill_kernels *kernels, enum element element);

/* Returns whether this is the level that others are compared with, scalar. */
bool levels_is_baseline(const char *name);

/* Returns whether the CPU has these features, a mask as in isa/cpu.h, and the operating system saves the registers that
 * they need. DOWNHILL_DISABLE does not matter: other libraries may use what it hides. */
bool levels_cpu_has(uint32_t features);

#endif
