/* SPDX-License-Identifier: MIT */
#include "waited.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Minimum share of the time that a cause must account for to be named. */
static const double share_min = 0.1;

/* Maximum time slice of another thread: an involuntary switch accounts for at most this many
 * seconds. */
static const double turn_s = 0.1;

__attribute__((format(printf, 2, 3))) static void append(char text[WAITED_TEXT], const char *format,
                                                         ...)
{
    const size_t used = strlen(text);
    const int joined = snprintf(text + used, WAITED_TEXT - used, "%s", used > 0 ? "; " : "");
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used + joined, WAITED_TEXT - used - (size_t)joined, format, arguments);
    va_end(arguments);
}

/* Returns the value, or 0 if it is unknown. */
static double known(double value)
{
    return isnan(value) ? 0.0 : value;
}

void waited_cause(const conditions *passed, double waited_s, char text[WAITED_TEXT])
{
    const double min_s = share_min * waited_s, periods = known(passed->throttled_periods);
    text[0] = '\0';
    if (known(passed->throttled_s) > 0.0 && passed->throttled_s >= min_s)
        append(text,
               "the CPU quota of its control group stopped it for %.2g s in %.0f periods; raise "
               "the quota or give it whole CPUs (--cpuset-cpus, not --cpus)",
               passed->throttled_s, periods);
    if (known(passed->steal_s) > 0.0 && passed->steal_s >= min_s)
        append(text,
               "the hypervisor gave %.2g s of its CPU to other guests; run again when the host is "
               "quieter",
               passed->steal_s);
    /* The kernel counts throttling as an involuntary switch as well, once per period. */
    const double switches = known(passed->involuntary_switches) - periods;
    if (switches > 0.0 && switches * turn_s >= min_s)
        append(
            text,
            "other threads took its CPU (%.0f involuntary switch%s); stop other programs and run "
            "again",
            switches, switches == 1.0 ? "" : "es");
    if (text[0] == '\0')
        append(text, "no kernel counter shows the cause; `downhill doctor` checks the machine");
}
