/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "together.h"

#include "base/clock.h"
#include "base/machine.h"

void together_bind(size_t threads, const int *cpus)
{
    if (threads == 1)
        return;
    machine_binding *binding = machine_binding_open();
#pragma omp parallel for num_threads((int)threads) schedule(static, 1)
    for (size_t i = 0; i < threads; i++)
        (void)machine_bind(binding, cpus[i]);
    machine_binding_close(binding);
}

double together_run(size_t threads, together_work work, void *context)
{
    const double start = clock_seconds();
#pragma omp parallel for num_threads((int)threads) schedule(static, 1) if (threads > 1)
    for (size_t i = 0; i < threads; i++)
        work(context, i);
    return clock_seconds() - start;
}
