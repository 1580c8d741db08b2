/* SPDX-License-Identifier: MIT
 *
 * Words for a status, and the version. */
#include "downhill.h"

#define STRING2(x) #x
#define STRING(x)  STRING2(x)

const char *downhill_version(void)
{
    return STRING(DOWNHILL_VERSION_MAJOR) "." STRING(DOWNHILL_VERSION_MINOR) "." STRING(
        DOWNHILL_VERSION_PATCH);
}

const char *downhill_status_text(downhill_status status)
{
    switch (status) {
    case DOWNHILL_OK:
        return "no error";
    case DOWNHILL_ERR_NULL:
        return "a required pointer is NULL";
    case DOWNHILL_ERR_SIZE:
        return "a size is zero, too large, or differs between arguments";
    case DOWNHILL_ERR_LD:
        return "a leading dimension is smaller than the row, or differs between arguments in place";
    case DOWNHILL_ERR_LABEL:
        return "a label is outside [0, c)";
    case DOWNHILL_ERR_ROW:
        return "a row number is outside [0, x_rows)";
    case DOWNHILL_ERR_PARAMETER:
        return "a number is not finite or out of range, or an enum value is unknown";
    case DOWNHILL_ERR_WORKSPACE:
        return "the workspace or the memory for packed weights is too small";
    case DOWNHILL_ERR_RANGE:
        return "a sum of integers might leave its range";
    case DOWNHILL_ERR_PACKED:
        return "the packed weights are of other sizes or another level, were moved, or never "
               "packed";
    case DOWNHILL_ERR_ISA_UNKNOWN:
        return "no such ISA level or CPU feature";
    case DOWNHILL_ERR_ISA_UNUSABLE:
        return "the ISA level is not in this build, or not usable on this machine";
    }
    return "unknown status";
}
