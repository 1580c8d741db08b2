/* SPDX-License-Identifier: MIT */
#include "problem.h"

#include "base/error.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

double problem_loss_of_zero(const problem *p)
{
    const double c = (double)p->data->c;
    return p->loss.kind == DOWNHILL_HINGE ? (double)p->loss.margin * (c - 1.0) : log(c);
}

int problem_training_failed(const problem *p, char why[PROBLEM_FAILURE_TEXT], const char *format,
                            ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, PROBLEM_FAILURE_TEXT, format, arguments);
    va_end(arguments);
    if (p->cluster == NULL || p->cluster->rank == 0) /* all ranks fail alike, one prints it */
        error_line("train: %s", why);
    return EXIT_CHECK;
}

int problem_failed(downhill_status status)
{
    if (status == DOWNHILL_ERR_WORKSPACE)
        error_line("model and buffers of the threads: out of memory; use fewer --threads, "
                   "samples or features");
    else
        error_line("internal error: %s; please report it", downhill_status_text(status));
    return EXIT_INTERNAL;
}

int problem_digest_failed(void)
{
    error_line("train: SHA-256 failed: out of memory, or libcrypto is damaged");
    return EXIT_INTERNAL;
}
