/* SPDX-License-Identifier: MIT
 *
 * How often per nanosecond: the best of several samples on one thread or many, and the clock of the core. */
#include "ceilings.h"

#include "parallel/together.h"

#include <math.h>

enum { CHAIN = 16 };

/* An addition of a register takes a cycle on every core; one of a constant may be done at rename, and a
 * multiplication takes 3 cycles on most and more on some. */
static void chain(const ceiling_task *t)
{
    uint64_t x = 3;
    for (size_t i = 0; i < t->count; i++) {
#pragma GCC unroll 16
        for (size_t k = 0; k < CHAIN; k++) {
            x += x;
            __asm__ volatile("" : "+r"(x));
        }
    }
}

double ceilings_clock(int repeats)
{
    enum { COUNT = 2000, REPEATS_MAX = 100 };
    ceiling_task task = {.count = COUNT};
    const ceiling_crew crew = {1, &task, {1, 0.0002, NULL}};
    /* Whatever takes the core away makes a sample too slow, and no two alike: the fastest is believed
     * when it was seen twice. */
    double best = 0.0, second = 0.0;
    for (int i = 0; i < repeats || (second < 0.99 * best && i < REPEATS_MAX); i++) {
        const double rate = ceilings_rate(&crew, chain);
        second = rate > best ? best : rate > second ? rate : second;
        best = rate > best ? rate : best;
    }
    return (double)CHAIN * COUNT * best;
}

struct job {
    ceiling_work run;
    const ceiling_task *tasks;
    size_t calls;
};

static void work(void *context, size_t thread)
{
    const struct job *job = context;
    for (size_t i = 0; i < job->calls; i++)
        job->run(&job->tasks[thread]);
}

double ceilings_rate(const ceiling_crew *crew, ceiling_work run)
{
    enum { SHARED_MAX = 8 };
    struct job job = {run, crew->tasks, 1};
    core_whole *core = crew->effort.core;
    double best = 0.0;
    /* A shorter sample says more about the timer. One that was interrupted is no proof of its length: the
     * least of a few is. */
    for (int tries = 0; tries < 3; tries++)
        if (together_run(crew->threads, work, &job) < crew->effort.sample_s) {
            job.calls *= 2;
            tries = -1;
        }
    for (int sample = 0, shared = 0; sample < crew->effort.repeats;) {
        const double before = core_look(core);
        const double took_s = together_run(crew->threads, work, &job);
        ceilings_keep(&best, (double)(crew->threads * job.calls) / (took_s * 1e9));
        if (core_share(core, fmin(before, core_look(core))) >= CORE_ALONE ||
            ++shared > SHARED_MAX * crew->effort.repeats)
            sample++;
    }
    return best;
}

void ceilings_keep(double *most, double found)
{
    *most = found > *most ? found : *most;
}
