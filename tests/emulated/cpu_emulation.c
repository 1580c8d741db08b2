/* SPDX-License-Identifier: MIT
 *
 * A CPU with every feature, under an operating system that saves and permits them all. */
#include "isa/cpu.h"
#include <stddef.h>

static cpu_regs every_feature(void *context, uint32_t leaf, uint32_t subleaf)
{
    (void)context;
    const uint32_t all = UINT32_MAX, max_leaf = 7, max_subleaf = 1;
    const uint32_t eax = leaf == 0 ? max_leaf : leaf == 7 && subleaf == 0 ? max_subleaf : all;
    return (cpu_regs){{eax, all, all, all}};
}

static uint64_t every_state(void *context)
{
    (void)context;
    return UINT64_MAX;
}

static bool permitted(void *context)
{
    (void)context;
    return true;
}

const cpu_source downhill_cpu_native = {every_feature, every_state, permitted, NULL};
