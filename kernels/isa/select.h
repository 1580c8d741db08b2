/* SPDX-License-Identifier: MIT
 *
 * Which level is the default. */
#ifndef DOWNHILL_SELECT_H
#define DOWNHILL_SELECT_H

#include <stddef.h>
#include <stdint.h>

/* Number of the level, in the order of levels.def, that a machine with these usable features
 * (cpu.h) gets. Pure; for downhill_select and for the tests of recorded CPUs. */
size_t downhill_level_choose(uint32_t usable);

#endif
