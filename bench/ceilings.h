/* SPDX-License-Identifier: MIT
 *
 * Measured upper bounds of this machine's speed: the rate of its FMA units and of its products of
 * bf16 and of bytes, and the bandwidth of each level of its memory, on one core and on several. The
 * attainable rate of a row is the lower of two numbers: the peak of its ISA level, and its
 * operations per byte times the read bandwidth of the memory level that holds its working set (the
 * roofline model of Williams, Waterman and Patterson, 2009). */
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
    const char *name;   /* "f32 FMA" */
    const char *bound;  /* name as the bound of a row, "FMA" */
    const char *key;    /* JSON object with the rates by ISA level */
    const char *subkey; /* member of the object of an ISA level; NULL: the rate itself is there */
};
extern const struct ceiling_family_info ceiling_families[FAMILY_COUNT];

/* Constants of a peak. */
struct ceiling_peak_info {
    enum ceiling_family family;
    size_t level;      /* ISA level of the instruction, by its number in levels.def */
    uint32_t features; /* CPU features that suffice to measure it; 0: the level must be usable */
    double operations; /* per step; a multiplication and an addition are two */
    unsigned instructions; /* per step: 2 if the addition is an instruction of its own */
    double min, max;       /* instructions per cycle of the slowest and the fastest known CPU */
};
extern const struct ceiling_peak_info ceiling_peaks[PEAK_COUNT];

/* Return the name of a peak's family, "f32 FMA", and of its ISA level. */
const char *ceilings_peak_name(enum ceiling_peak_id id);
const char *ceilings_peak_isa(enum ceiling_peak_id id);

/* A measured peak; all 0: not measured, or the CPU lacks the instruction. */
typedef struct ceiling_rate {
    double g_per_s;   /* 10⁹ operations per second, summed over the threads */
    double clock_ghz; /* clock next to the best sample, on all threads at once; 0: unknown */
    bool abnormal; /* an operand or result was subnormal, infinite or NaN, which slows some CPUs */
} ceiling_rate;

/* Products that a kernel consists of. They decide which instruction it needs. */
enum ceiling_products {
    PRODUCTS_F32,
    PRODUCTS_BF16,
    PRODUCTS_WEIGHTS_U8, /* of a byte and a weight, or a dscore of softmax, of 16 bits */
    PRODUCTS_DSCORES_U8, /* of a byte and a dscore of 8 bits */
    PRODUCTS_STEP_U8,    /* one half each of the two above */
};

/* Ways to access a memory level. Copy and triad, a = b + s·c, are credited with the bytes that they
 * read and write, as in STREAM (McCalpin, 1995). */
enum ceiling_access {
    ACCESS_READ,
    ACCESS_COPY,
    ACCESS_TRIAD,
    ACCESS_SCATTERED, /* reading rows of CEILING_ROW bytes in random order */
    ACCESS_COUNT
};
enum { CEILING_ROW = 3072 };

/* The ceilings for a number of threads, summed over the threads; 0: does not exist or not
 * measured. */
typedef struct ceiling_set {
    size_t threads;
    ceiling_rate peak[PEAK_COUNT];
    double gb_per_s[CEILING_LEVELS_MAX][ACCESS_COUNT];
} ceiling_set;

enum { CEILING_REPEATS_MAX = CEILING_SETS_MAX * (PEAK_COUNT + CEILING_LEVELS_MAX) };

/* A ceiling that was measured again because rows exceeded it (roofs.h). */
typedef struct ceiling_repeat {
    char ceiling[40]; /* "f32 FMA, avx2" or "reading L2" */
    size_t threads, rows_before, rows_after;
    double before, after; /* 10⁹ operations or bytes per second */
    char finding[320];
} ceiling_repeat;

typedef struct ceilings {
    double clock_ghz; /* measured by a chain of dependent additions */
    double timer_ns;  /* minimum difference of two readings of the clock */
    double call_ns;   /* a timed call that does almost nothing (bench_call_ns); 0: not measured */
    size_t n_levels;  /* memory levels, nearest first, DRAM last */
    struct ceiling_level {
        char name[8];        /* "L2" */
        size_t instances;    /* number of them in the machine */
        size_t cores;        /* number of cores that share one */
        uint64_t capacity;   /* bytes; DRAM: UINT64_MAX */
        uint64_t test_bytes; /* working set of the measurement on one thread */
    } level[CEILING_LEVELS_MAX];
    size_t n_sets; /* by number of threads, ascending; the first is one thread */
    ceiling_set sets[CEILING_SETS_MAX];
    char measured[40]; /* time of the measurement */
    double age_s;      /* seconds since then, if read from a file; else 0 */
    ceiling_repeat repeats[CEILING_REPEATS_MAX];
    size_t n_repeats;
} ceilings;

/* How carefully to measure. */
typedef struct ceiling_effort {
    int repeats;     /* number of samples, of which the best counts */
    double sample_s; /* minimum time per sample */
    core_capacity
        *core; /* samples on a shared core do not count toward `repeats`, up to eight times
                          * as many; NULL: all samples count */
    const volatile sig_atomic_t
        *stop; /* not 0: end at once, with rates too low or 0; NULL: never */
} ceiling_effort;

/* Returns the memory levels of a machine, with nothing measured, and sets for 1, 2, 4, … and
 * `threads` threads. */
ceilings ceilings_of(const machine *m, size_t threads);

/* Returns whether a stop was requested. */
bool ceilings_stopped(const ceiling_effort *effort);

/* Measures all ceilings. Each keeps the maximum of all its measurements so far. A peak in doubt
 * (ceilings_peak_in_doubt) is measured again a few times. Takes seconds per set. Returns false if
 * out of memory. */
bool ceilings_measure(ceilings *roofline, const int *cpus, ceiling_effort effort);

/* Measures the ceilings of one set that `mask` selects, in the same way. Bit `id` selects a peak,
 * bit PEAK_COUNT + level the accesses to a memory level. */
bool ceilings_measure_some(ceilings *roofline, size_t set, uint32_t mask, const int *cpus,
                           ceiling_effort effort);

/* Returns the instructions per cycle and thread of a measured peak; 0: unknown. */
double ceilings_per_cycle(const ceiling_set *set, enum ceiling_peak_id id);

/* Returns whether a peak can be checked against the clock: only on one thread, because several may
 * share a core, and only if the clock is known. */
bool ceilings_peak_is_checkable(const ceiling_set *set, enum ceiling_peak_id id);

/* Returns whether a checkable peak is in doubt. A core starts between `min` and `max` instructions
 * per cycle. If a step is one instruction, that is a whole number per cycle or one every few
 * cycles. If a step is two, they share units in proportions that the scheduler decides. `why`
 * receives the measured value and the expected one, or that operands became abnormal. */
bool ceilings_peak_in_doubt(const ceiling_set *set, enum ceiling_peak_id id, char *why,
                            size_t why_size);

enum { CEILINGS_WHY = 160 };

/* Returns whether a ceiling is in doubt. `bit` is a peak, or PEAK_COUNT + level. A peak of one
 * thread: see ceilings_peak_in_doubt(). A peak of several threads, or their bandwidth of a memory
 * level that is private to each core: in doubt if it is below that of one thread, or below half of
 * that per core. `why` receives the figures. */
bool ceilings_in_doubt(const ceilings *roofline, const ceiling_set *set, size_t bit, char *why,
                       size_t why_size);

/* Iterates 1, 2, 4, … and `max`. Returns the number of threads after `threads`, or 0 after the
 * last. */
size_t ceilings_next_threads(size_t threads, size_t max);

/* Returns the set for a number of threads, or NULL. */
const ceiling_set *ceilings_set(const ceilings *roofline, size_t threads);

/* Returns the index of the nearest memory level that holds a working set divided among threads. */
size_t ceilings_level(const ceilings *roofline, double bytes, size_t threads);

/* The peak that bounds the products of a kernel on an ISA level. */
struct ceiling_peak {
    const char *name;   /* "FMA", "BF16" */
    double gflop_per_s; /* 0: the level has no SIMD, or the peak is unknown */
    uint32_t mask;      /* peaks that it is computed from, as for ceilings_measure_some() */
};
struct ceiling_peak ceilings_peak(const ceiling_set *set, const char *isa,
                                  enum ceiling_products products);

/* Returns the f32 peak of the highest level that has a measured one, whether or not the library has
 * the level. */
struct ceiling_peak ceilings_peak_of_cpu(const ceiling_set *set);

json_t *ceilings_to_json(const ceilings *roofline);
void ceilings_print(const ceilings *roofline);

/* Reads the ceilings from an earlier results file of this machine, for the memory levels and
 * numbers of threads that `roofline` has. Returns false and sets `why` if they are missing or
 * belong to other memory levels. */
bool ceilings_from_json(ceilings *roofline, const json_t *o, char *why, size_t why_size);

/* ---- for the files that measure ---- */

/* The work of one thread. */
typedef struct ceiling_task {
    float *buffer;
    size_t bytes;          /* of the working set */
    size_t count;          /* number of rounds on registers, or of streams through the buffer */
    const uint32_t *order; /* in which the rows of the buffer are read */
} ceiling_task;

/* Work that is timed. */
typedef void (*ceiling_work)(const ceiling_task *task);

/* Threads that measure together. */
typedef struct ceiling_team {
    size_t threads;
    ceiling_task *tasks; /* one per thread */
    ceiling_effort effort;
} ceiling_team;

/* The best of several samples. */
typedef struct ceiling_best {
    double per_ns;    /* calls per nanosecond, summed over the threads */
    double clock_ghz; /* maximum of the clock before and after that sample; 0 without with_clock */
    bool abnormal;    /* an operand or result of any sample was subnormal, infinite or NaN */
} ceiling_best;
ceiling_best ceilings_best(const ceiling_team *team, ceiling_work run, bool with_clock);

/* Raises *max to `value` if that is higher. */
void ceilings_raise(double *max, double value);

/* Independent products of tiles, as many as the kernels have. */
enum { TILE_PRODUCTS = 4 };

/* A loop that measures a peak: `steps` steps per round on registers, task->count rounds per
 * call. */
typedef struct ceiling_loop {
    ceiling_work run; /* NULL: not compiled in */
    unsigned steps;
} ceiling_loop;

/* Return the loop of a peak, the first for rows of PEAK, the second for rows of PEAK_U8. */
ceiling_loop ceilings_loop(enum ceiling_peak_id id);
ceiling_loop ceilings_loop_u8(enum ceiling_peak_id id);

/* Measures a peak by a loop and keeps it if it is higher than before. The tasks' count must be
 * set. */
void ceilings_measure_peak(ceiling_set *set, enum ceiling_peak_id id, ceiling_loop loop,
                           const ceiling_team *team);

/* Measures the peaks that `mask` selects and this CPU has. */
void ceilings_measure_peaks(ceiling_set *set, uint32_t mask, const ceiling_team *team);

/* Measures the bandwidth of one memory level. The tasks' bytes and order must be set. */
void ceilings_measure_memory(double gb_per_s[ACCESS_COUNT], const ceiling_team *team);

/* Returns the clock in GHz now: the best of at least `repeats` chains of a few tenths of a
 * millisecond, and of more until the best was seen twice. */
double ceilings_clock(int repeats);

#endif
