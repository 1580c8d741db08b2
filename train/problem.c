/* SPDX-License-Identifier: MIT */
#include "problem.h"

#include "base/error.h"

int problem_failed(downhill_status status)
{
    if (status == DOWNHILL_ERR_WORKSPACE)
        error_line("the model and what works on it: out of memory; take fewer --threads, or fewer "
                   "samples or features");
    else
        error_line("internal error: %s; please report it", downhill_status_text(status));
    return EXIT_INTERNAL;
}

int problem_digest_failed(void)
{
    error_line("train: SHA-256 failed: out of memory, or libcrypto is not whole");
    return EXIT_INTERNAL;
}
