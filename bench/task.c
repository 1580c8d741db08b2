/* SPDX-License-Identifier: MIT */
#include "task.h"

#include "core_share.h"

static workload *next_load(bench_task *task)
{
    workload *load = &task->loads[task->turn];
    task->turn = task->turn + 1 < task->n_loads ? task->turn + 1 : 0;
    return load;
}

static void run_calls(bench_task *task, uint64_t calls)
{
    if (task->peer != NULL) {
        peer_call *const call = peer_call_of(task->kernel);
        for (uint64_t i = 0; i < calls; i++)
            task->status = call(task->peer, next_load(task));
        return;
    }
    bench_call *const call = bench_kernels[task->kernel].call;
    for (uint64_t i = 0; i < calls; i++)
        task->status = call(&task->by, next_load(task));
}

void bench_task_run(void *context, uint64_t iterations)
{
    bench_task *task = context;
    uint64_t remaining = iterations;
    while (remaining > 0 && (task->stop == NULL || *task->stop == 0)) {
        const uint64_t calls =
            task->poll_calls > 0 && task->poll_calls < remaining ? task->poll_calls : remaining;
        run_calls(task, calls);
        remaining -= calls;
    }
    task->stopped = remaining > 0;
    /* Measured immediately, because a CPU that lowers its clock for wide instructions raises it
     * again within a millisecond after the last of them. */
    task->aside_s = task->measures_clock ? core_clock(&task->clock_ghz) : 0.0;
}
