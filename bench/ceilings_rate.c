/* SPDX-License-Identifier: MIT
 *
 * How often per nanosecond: the best of several samples on one thread or many, and the clock of the core. */
#include "ceilings.h"

#include "parallel/together.h"

#include <math.h>
#if defined __x86_64__
#include <xmmintrin.h>
#endif

enum { CHAIN = 16 };

/* An addition of a register takes a cycle on every core; one of a constant may be done at rename, and a
 * multiplication takes 3 cycles on most and more on some. The summand is opaque, so that it stays a register. */
static void chain(const ceiling_task *t)
{
    uint64_t x = 3, summand = UINT64_C(0x9E3779B97F4A7C15);
    __asm__ volatile("" : "+r"(summand));
    for (size_t i = 0; i < t->count; i++) {
#pragma GCC unroll 16
        for (size_t k = 0; k < CHAIN; k++) {
            x += summand;
            __asm__ volatile("" : "+r"(x));
        }
    }
}

double ceilings_clock(int repeats)
{
    enum { COUNT = 2000, REPEATS_MAX = 100 };
    ceiling_task task = {.count = COUNT};
    const ceiling_team crew = {1, &task, {.repeats = 1, .sample_s = 0.0002}};
    /* Whatever takes the core away makes a sample too slow, and no two alike: the fastest is believed
     * when it was seen twice. */
    double best = 0.0, second = 0.0;
    for (int i = 0; i < repeats || (second < 0.99 * best && i < REPEATS_MAX); i++) {
        const double rate = ceilings_best(&crew, chain, false).per_ns;
        second = rate > best ? best : rate > second ? rate : second;
        best = rate > best ? rate : best;
    }
    return (double)CHAIN * COUNT * best;
}

/* Exceptions of MXCSR that arithmetic on normal numbers does not raise; VDPBF16PS and integers raise none. */
#if defined __x86_64__
enum { INVALID = 1, DENORMAL = 2, OVERFLOWED = 8, UNDERFLOWED = 16 };

static void clear_exceptions(void)
{
    _mm_setcsr(_mm_getcsr() & ~(unsigned)_MM_EXCEPT_MASK);
}

static bool saw_exceptions(void)
{
    return (_mm_getcsr() & (INVALID | DENORMAL | OVERFLOWED | UNDERFLOWED)) != 0;
}
#else
static void clear_exceptions(void)
{
}

static bool saw_exceptions(void)
{
    return false;
}
#endif

struct job {
    ceiling_work run;
    const ceiling_task *tasks;
    size_t calls;
    bool abnormal; /* of any thread */
};

static void work(void *context, size_t thread)
{
    struct job *job = context;
    /* Here and not around the region: the OpenMP runtime of Clang restores MXCSR at its end. */
    clear_exceptions();
    for (size_t i = 0; i < job->calls; i++)
        job->run(&job->tasks[thread]);
    if (saw_exceptions())
        __atomic_store_n(&job->abnormal, true, __ATOMIC_RELAXED);
}

bool ceilings_stopped(const ceiling_effort *effort)
{
    return effort->stop != NULL && *effort->stop != 0;
}

/* Clock in GHz on all threads of a crew at once, right now: one chain of 0.1 ms each, so that a lower clock that SIMD
 * instructions bring still holds. */
static double clock_beside(size_t threads)
{
    enum { COUNT = 20000 };
    static const ceiling_task task = {.count = COUNT};
    ceiling_task tasks[MACHINE_TEAM_MAX];
    for (size_t t = 0; t < threads; t++)
        tasks[t] = task;
    struct job job = {chain, tasks, 1, false};
    return (double)CHAIN * COUNT / (together_run(threads, work, &job) * 1e9);
}

ceiling_best ceilings_best(const ceiling_team *crew, ceiling_work run, bool with_clock)
{
    enum { SHARED_MAX = 8 };
    struct job job = {run, crew->tasks, 1, false};
    core_capacity *core = crew->effort.core;
    ceiling_best best = {0};
    /* A shorter sample says more about the timer. One that was interrupted is no proof of its length: the
     * least of a few is. */
    for (int tries = 0; tries < 3 && !ceilings_stopped(&crew->effort); tries++)
        if (together_run(crew->threads, work, &job) < crew->effort.sample_s) {
            job.calls *= 2;
            tries = -1;
        }
    for (int sample = 0, shared = 0;
         sample < crew->effort.repeats && !ceilings_stopped(&crew->effort);) {
        const double before = core_observe(core);
        const double clock = with_clock ? clock_beside(crew->threads) : 0.0;
        const double took_s = together_run(crew->threads, work, &job);
        const double per_ns = (double)(crew->threads * job.calls) / (took_s * 1e9);
        if (per_ns > best.per_ns)
            best = (ceiling_best){
                per_ns, with_clock ? fmax(clock, clock_beside(crew->threads)) : 0.0, false};
        if (core_share(core, fmin(before, core_observe(core))) >= CORE_SHARE_MIN ||
            ++shared > SHARED_MAX * crew->effort.repeats)
            sample++;
    }
    best.abnormal = job.abnormal;
    return best;
}

void ceilings_raise(double *most, double found)
{
    *most = found > *most ? found : *most;
}
