/* SPDX-License-Identifier: MIT
 * Which SIMD levels can this machine run? As a list of CMake. */
#include "isa/cpu.c"

#include <stdio.h>
#include <string.h>

int main(void)
{
    const uint32_t usable = cpu_usable(downhill_cpu_detect(&downhill_cpu_native));
    const char *separator = "";
#define DOWNHILL_LEVEL(name, kind, auto_name, features, ...)                                       \
    if (strcmp(#kind, "HAND") == 0 && (FEATURES_OF_LEVEL(features) & ~usable) == 0) {              \
        printf("%s%s", separator, #name);                                                          \
        separator = ";";                                                                           \
    }
#include "isa/levels.def"
    return 0;
}
