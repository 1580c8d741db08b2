/* SPDX-License-Identifier: MIT
 *
 * What this machine could do at most, measured: the rate of its FMA units and of its products of bf16 and
 * of bytes, and the bandwidth of each level of its memory, on one core and on several. A row's attainable
 * rate is the lower of the peak of its ISA and its operations per byte times the read bandwidth of the
 * level that holds its working set (the roofline of Williams, Waterman and Patterson, 2009). */
#ifndef DOWNHILL_BENCH_CEILINGS_H
#define DOWNHILL_BENCH_CEILINGS_H

#include "base/machine.h"
#include "core_share.h"
#include "isa/kernels.h"

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CEILING_LEVELS_MAX = 4, CEILING_SETS_MAX = 10 };

/* Families of peaks of arithmetic on registers. */
enum ceiling_family {
    FAMILY_FMA,     /* f32 FMAs */
    FAMILY_BF16,    /* products of pairs of bf16 */
    FAMILY_WEIGHTS, /* products of bytes with weights of 16 bits */
    FAMILY_DSCORES, /* products of bytes with dscores of 8 bits */
    FAMILY_COUNT
};

enum ceiling_peak_id {
#define PEAK_ID(family, NAME, ...) PEAK_##family##_##NAME,
#define PEAK                       PEAK_ID
#define PEAK_U8                    PEAK_ID
#include "ceilings_peaks.def"
    PEAK_COUNT,
    /* The scalar level has no peaks. */
    PEAK_NONE = PEAK_COUNT,
    PEAK_WEIGHTS_NONE = PEAK_COUNT,
    PEAK_DSCORES_NONE = PEAK_COUNT
};

/* Constants of a family. */
struct ceiling_family_info {
    const char *what;     /* "f32 FMA" */
    const char *bound;    /* of a row, "FMA" */
    const char *key;      /* member of the JSON that has the rates by level */
    const char *key_part; /* member of that of a level; NULL: that is the rate itself */
};
extern const struct ceiling_family_info ceiling_families[FAMILY_COUNT];

/* Constants of a peak. */
struct ceiling_peak_info {
    enum ceiling_family family;
    size_t level;          /* whose instruction it is, by its number in levels.def */
    uint32_t cpu;          /* features that suffice to measure it; 0: the level must be usable */
    double operations;     /* per step; a multiplication and an addition are two */
    unsigned instructions; /* per step: 2 where the addition is an instruction of its own */
    double min, max; /* instructions per cycle that the slowest and the fastest known CPU reach */
};
extern const struct ceiling_peak_info ceiling_peaks[PEAK_COUNT];

/* Return what a peak is of, "f32 FMA", and the name of its level. */
const char *ceilings_peak_name(enum ceiling_peak_id id);
const char *ceilings_peak_isa(enum ceiling_peak_id id);

/* A measured peak; all 0: not measured, or the CPU lacks the instruction. */
typedef struct ceiling_rate {
    double g_per_s;   /* 10⁹ operations per second, summed over the threads */
    double clock_ghz; /* beside the best sample, on all threads at once; 0: not known */
    /* An operand or a result was subnormal, infinite or NaN, which makes some CPUs slow. */
    bool abnormal;
} ceiling_rate;

/* What the operations of a row are, which tells the instruction that they take. */
enum ceiling_products {
    PRODUCTS_F32,
    PRODUCTS_BF16,
    PRODUCTS_WEIGHTS_U8, /* of a byte and a weight of 16 bits */
    PRODUCTS_DSCORES_U8, /* of a byte and a dscore of 8 bits */
    PRODUCTS_STEP_U8,    /* half and half */
};

/* What is rated of a level of memory. Copy and triad, a = b + s·c, are credited with the bytes that they
 * read and write, as in STREAM (McCalpin, 1995). */
enum ceiling_access {
    ACCESS_READ,
    ACCESS_COPY,
    ACCESS_TRIAD,
    ACCESS_SCATTERED, /* reading rows of CEILING_ROW bytes in random order */
    ACCESS_COUNT
};
enum { CEILING_ROW = 3072 };

/* Ceilings of a number of threads, summed over them; 0 where there is none, or none was found. */
typedef struct ceiling_set {
    size_t threads;
    ceiling_rate peak[PEAK_COUNT];
    double gb_per_s[CEILING_LEVELS_MAX][ACCESS_COUNT];
} ceiling_set;

enum { CEILING_REPEATS_MAX = CEILING_SETS_MAX * (PEAK_COUNT + CEILING_LEVELS_MAX) };

/* A ceiling that was measured again because rows lay above it (roofs.h). */
typedef struct ceiling_repeat {
    char ceiling[40]; /* "f32 FMA, avx2" or "reading L2" */
    size_t threads, rows_before, rows_after;
    double before, after; /* 10⁹ operations or bytes per second */
    char finding[320];
} ceiling_repeat;

typedef struct ceilings {
    double clock_ghz; /* of a chain of dependent multiplications */
    double timer_ns;  /* least difference of two readings of the clock */
    double call_ns;   /* a call of the timed loop that does nothing; 0: not measured */
    size_t n_levels;  /* nearest first, DRAM last */
    struct ceiling_level {
        char name[8];      /* "L2" */
        size_t instances;  /* so many of them has the machine */
        size_t cores;      /* that share one */
        uint64_t capacity; /* bytes; DRAM: UINT64_MAX */
        uint64_t tested;   /* working set of the test, in one of them */
    } level[CEILING_LEVELS_MAX];
    size_t n_sets; /* one thread first, then more and more */
    ceiling_set sets[CEILING_SETS_MAX];
    char measured[40]; /* when */
    double age_s;      /* since then, where they were taken from a file */
    ceiling_repeat repeats[CEILING_REPEATS_MAX];
    size_t n_repeats;
} ceilings;

/* How much care is taken. */
typedef struct ceiling_effort {
    int repeats;     /* the best of so many */
    double sample_s; /* each at least so long */
    core_capacity *
        core; /* those with less than a whole core do not count, up to eight times as many; NULL: all
                       * do */
    const volatile sig_atomic_t
        *stop; /* not 0: end at once, with rates too low or 0; NULL: never */
} ceiling_effort;

/* The levels of the machine, nothing measured yet, for 1, 2, 4, … and `threads` threads. */
ceilings ceilings_of(const machine *m, size_t threads);

/* Was it told to stop? */
bool ceilings_stopped(const ceiling_effort *effort);

/* Measures all ceilings and keeps what is higher than what was found before: a ceiling is the maximum that was ever
 * seen. A peak that is in doubt (ceilings_peak_in_doubt) is repeated a few times. Takes seconds per number of threads. Returns
 * false if out of memory. */
bool ceilings_measure(ceilings *found, const int *cpus, ceiling_effort effort);

/* Measures only these ceilings of one set, in the same way: bit `id` is a peak, bit PEAK_COUNT + level the accesses to a
 * level of memory. */
bool ceilings_measure_some(ceilings *found, size_t set, uint32_t which, const int *cpus,
                           ceiling_effort effort);

/* Instructions per cycle and thread of a measured peak; 0: not known. */
double ceilings_per_cycle(const ceiling_set *set, enum ceiling_peak_id id);

/* Can a peak be checked against the clock? Not with several threads, which may share a core, nor without a clock. */
bool ceilings_peak_is_checkable(const ceiling_set *set, enum ceiling_peak_id id);

/* Is a peak that can be judged in doubt? A core starts between `min` and `max` instructions per cycle. Where a step is one
 * instruction, that is a whole number per cycle or one every few cycles; where it is two, they share units in proportions
 * that the scheduler finds. `why` says what the measurement makes instead, or that operands became abnormal. */
bool ceilings_peak_in_doubt(const ceiling_set *set, enum ceiling_peak_id id, char *why,
                            size_t why_size);

enum { CEILINGS_WHY = 160 };

/* Returns whether a ceiling is in doubt. `bit` is a peak, or PEAK_COUNT + level. The peak of one thread: as
 * ceilings_peak_in_doubt(). The peak of several, or their figures of a level of memory that each core has for itself: if they
 * reach less than one thread, or less than half of it per core. `why` names the figures. */
bool ceilings_in_doubt(const ceilings *found, const ceiling_set *set, size_t bit, char *why,
                       size_t why_size);

/* 1, 2, 4, … and the largest number; 0 behind it. */
size_t ceilings_next_threads(size_t threads, size_t most);

/* That of a number of threads, or NULL. */
const ceiling_set *ceilings_set(const ceilings *found, size_t threads);

/* The level that holds a working set, of which each thread has a part. */
size_t ceilings_level(const ceilings *found, double bytes, size_t threads);

/* Peak of a kind of operations on an ISA level, by its name. */
struct ceiling_peak {
    const char *name;   /* "FMA", "BF16" */
    double gflop_per_s; /* 0 where it has no SIMD or is not known */
    uint32_t mask;      /* bits of the peaks that it is made of, as for ceilings_measure_some() */
};
struct ceiling_peak ceilings_peak(const ceiling_set *set, const char *isa,
                                  enum ceiling_products products);

/* Returns the f32 peak of the highest level that has a measured one, whether or not the library has the level. */
struct ceiling_peak ceilings_peak_of_cpu(const ceiling_set *set);

json_t *ceilings_to_json(const ceilings *found);
void ceilings_print(const ceilings *found);

/* Those of an earlier results file of this machine, in place of measuring. Takes the rates of the levels
 * and numbers of threads that `found` has. false, and *why: they are not there or not of this machine's
 * levels. */
bool ceilings_from_json(ceilings *found, const json_t *o, char *why, size_t why_size);

/* ---- for the files that measure ---- */

/* What a thread works on. */
typedef struct ceiling_task {
    float *buffer;
    size_t bytes;          /* of the working set */
    size_t count;          /* of rounds on registers, or of streams through the buffer */
    const uint32_t *order; /* of the rows of the buffer */
} ceiling_task;

/* Work that is timed. */
typedef void (*ceiling_work)(const ceiling_task *task);

typedef struct ceiling_team {
    size_t threads;
    ceiling_task *tasks; /* one each */
    ceiling_effort effort;
} ceiling_team;

/* Best of some samples. */
typedef struct ceiling_best {
    double per_ns;    /* calls per nanosecond, summed over the threads */
    double clock_ghz; /* the higher of before and after that sample; 0 without with_clock */
    bool abnormal;    /* an operand or result of any sample was subnormal, infinite or NaN */
} ceiling_best;
ceiling_best ceilings_best(const ceiling_team *crew, ceiling_work run, bool with_clock);

void ceilings_raise(double *most, double found);

/* Independent products of tiles, as many as the kernels have. */
enum { TILE_PRODUCTS = 4 };

/* A loop that measures a peak: `steps` steps per round on registers, task->count rounds per call. */
typedef struct ceiling_loop {
    ceiling_work run; /* NULL: not compiled in */
    unsigned steps;
} ceiling_loop;

/* Return the loop of a peak, the first for rows of PEAK, the second for rows of PEAK_U8. */
ceiling_loop ceilings_loop(enum ceiling_peak_id id);
ceiling_loop ceilings_loop_u8(enum ceiling_peak_id id);

/* Measures the peak by a loop and keeps it if it is higher. The tasks' count is set. */
void ceilings_measure_peak(ceiling_set *set, enum ceiling_peak_id id, ceiling_loop loop,
                           const ceiling_team *crew);

/* Measures these peaks, of those that this CPU has. */
void ceilings_measure_peaks(ceiling_set *set, uint32_t which, const ceiling_team *crew);

/* One level of memory; the tasks' bytes and order are set. */
void ceilings_measure_memory(double gb_per_s[ACCESS_COUNT], const ceiling_team *crew);

/* The clock in GHz, now: of the best of at least `repeats` chains of some tenths of a millisecond, more
 * until the best was seen twice. */
double ceilings_clock(int repeats);

#endif
