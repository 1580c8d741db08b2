/* SPDX-License-Identifier: MIT
 * Prints the SIMD levels that this machine can run, as a CMake list. */
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
