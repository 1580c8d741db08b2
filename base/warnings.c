/* SPDX-License-Identifier: MIT */
#include "warnings.h"

#include "error.h"
#include "machine.h"
#include "word_list.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void warnings_add(json_t *warnings, const char *format, ...)
{
    if (warnings == NULL)
        return;
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    warning_line("%s", text);
    json_array_append_new(warnings, json_string(text));
}

bool warnings_level_is_missed(const downhill_level *level, const char *wanted)
{
    return level->kind == DOWNHILL_KIND_HAND && !level->compiled && level->cpu && level->os &&
           word_list_has(wanted, ';', level->name);
}

void warnings_of_build(json_t *warnings)
{
    char how[96];
    if (machine_build_is_slow(how, sizeof how))
        warnings_add(warnings, "the times mean nothing: %s; build with -DCMAKE_BUILD_TYPE=Release",
                     how);
    downhill_level level;
    for (size_t i = 0; downhill_level_at(i, &level) == DOWNHILL_OK; i++)
        if (warnings_level_is_missed(&level, machine_build_levels()))
            warnings_add(warnings,
                         "%s would run here but was not compiled in; use a newer compiler, or "
                         "delete the build directory if this one is new enough",
                         level.name);
}

int warnings_pin(json_t *warnings)
{
    char why[128];
    const int cpu = machine_pin(why, sizeof why);
    if (cpu < 0)
        warnings_add(
            warnings,
            "the thread could not be pinned: %s; the times may be noisier: take the median of "
            "several runs",
            why);
    return cpu;
}
