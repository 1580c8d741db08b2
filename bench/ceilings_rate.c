/* SPDX-License-Identifier: MIT
 *
 * Measures calls per nanosecond, as the best of several samples on one or more threads, and the
 * clock of the core. */
#include "ceilings.h"

#include "parallel/together.h"

#include <math.h>
#if defined __x86_64__
#include <xmmintrin.h>
#endif

enum { CHAIN = 16 };

/* Runs chains of CHAIN additions of a register, which take one cycle each on every core. Some cores
 * eliminate additions of a constant at register renaming, and the latency of a multiplication
 * differs between cores. The summand is opaque to the compiler, so that it stays in a register. */
static void run_chain(const ceiling_task *t)
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
    const ceiling_team team = {1, &task, {.repeats = 1, .sample_s = 0.0002}};
    /* Interference makes a sample slower, and each by another amount: the fastest rate is accepted
     * when it was measured twice. */
    double best = 0.0, second = 0.0;
    for (int i = 0; i < repeats || (second < 0.99 * best && i < REPEATS_MAX); i++) {
        const double rate = ceilings_best(&team, run_chain, false).per_ns;
        second = rate > best ? best : rate > second ? rate : second;
        best = rate > best ? rate : best;
    }
    return (double)CHAIN * COUNT * best;
}

/* Flags of MXCSR that arithmetic on normal numbers does not raise. VDPBF16PS and integer
 * instructions raise none. */
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

/* Context of work(). */
struct job {
    ceiling_work run;
    const ceiling_task *tasks;
    size_t calls;
    bool abnormal; /* a thread raised a flag */
};

/* Makes the calls of one thread. */
static void work(void *context, size_t thread)
{
    struct job *job = context;
    /* Cleared and read in each thread, because Clang's OpenMP runtime restores MXCSR at the end of
     * a region. */
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

/* Returns the clock in GHz now, with all threads running. Each runs a chain of only 0.1 ms, so that
 * a lower clock caused by SIMD instructions persists. */
static double team_clock(size_t threads)
{
    enum { COUNT = 20000 };
    static const ceiling_task task = {.count = COUNT};
    ceiling_task tasks[MACHINE_TEAM_MAX];
    for (size_t t = 0; t < threads; t++)
        tasks[t] = task;
    struct job job = {run_chain, tasks, 1, false};
    return (double)CHAIN * COUNT / (together_run(threads, work, &job) * 1e9);
}

ceiling_best ceilings_best(const ceiling_team *team, ceiling_work run, bool with_clock)
{
    enum { SHARED_MAX = 8 };
    struct job job = {run, team->tasks, 1, false};
    core_capacity *core = team->effort.core;
    ceiling_best best = {0};
    /* Doubles the calls per sample until the minimum of three samples, of which some may be
     * interrupted, takes at least sample_s. */
    for (int tries = 0; tries < 3 && !ceilings_stopped(&team->effort); tries++)
        if (together_run(team->threads, work, &job) < team->effort.sample_s) {
            job.calls *= 2;
            tries = -1;
        }
    for (int sample = 0, shared = 0;
         sample < team->effort.repeats && !ceilings_stopped(&team->effort);) {
        const double observed_before = core_observe(core);
        const double clock = with_clock ? team_clock(team->threads) : 0.0;
        const double took_s = together_run(team->threads, work, &job);
        const double per_ns = (double)(team->threads * job.calls) / (took_s * 1e9);
        if (per_ns > best.per_ns)
            best = (ceiling_best){per_ns, with_clock ? fmax(clock, team_clock(team->threads)) : 0.0,
                                  false};
        if (core_share(core, fmin(observed_before, core_observe(core))) >= CORE_SHARE_MIN ||
            ++shared > SHARED_MAX * team->effort.repeats)
            sample++;
    }
    best.abnormal = job.abnormal;
    return best;
}

void ceilings_raise(double *max, double value)
{
    *max = value > *max ? value : *max;
}
