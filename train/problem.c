/* SPDX-License-Identifier: MIT */
#include "problem.h"

#include "base/error.h"

int problem_failed(downhill_status status)
{
    if (status == DOWNHILL_ERR_WORKSPACE)
        error_line("out of memory");
    else
        error_line("internal error: %s; please report it", downhill_status_text(status));
    return EXIT_INTERNAL;
}
