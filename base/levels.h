/* SPDX-License-Identifier: MIT
 *
 * Selection of the ISA levels that a command runs, and features of the CPU. */
#ifndef DOWNHILL_BASE_LEVELS_H
#define DOWNHILL_BASE_LEVELS_H

#include "isa/cpu.h"
#include "isa/kernels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LEVELS_MAX = 32 };

/* Value of --isa that selects every usable level. */
#define LEVELS_ALL "all"

/* Sets `tables` to the kernel tables of the levels in `isa`: names separated by commas, or "all";
 * NULL: every usable level. The tables are in ascending order without duplicates. Returns their
 * number. If a level is not usable, prints a line that says why and returns 0; the caller exits
 * with EXIT_ISA. */
size_t levels_to_run(const char *isa, const downhill_kernels *tables[LEVELS_MAX]);

/* Returns whether `isa` names more than one level, or "all". A repeated name counts once. */
bool levels_are_several(const char *isa);

/* Returns whether table i has, for features of this type, the same kernels as an earlier table. */
bool levels_repeat(const downhill_kernels *const *tables, size_t i, enum element element);

/* Returns the table of the lowest usable level with the same kernels for features of this type. */
const downhill_kernels *levels_lender(const downhill_kernels *kernels, enum element element);

/* Returns whether this is the level that others are compared with: scalar. */
bool levels_is_baseline(const char *name);

/* Returns whether the kernels of this level are written with intrinsics. */
bool levels_is_hand_written(const char *name);

/* Returns whether the CPU has these features (a mask as in isa/cpu.h) and the operating system
 * saves their registers. Ignores DOWNHILL_DISABLE, which does not affect other libraries. */
bool levels_cpu_has(uint32_t features);

#endif
