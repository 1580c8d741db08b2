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
#include "kernels.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CEILING_LEVELS_MAX = 4, CEILING_U8_LEVELS = 5, CEILING_SETS_MAX = 10 };

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

/* Of a number of threads, summed over them; 0 where there is none, or none was found. */
typedef struct ceiling_set {
    size_t threads;
    double fma_avx2, fma_avx512; /* GFLOP/s of f32 FMA */
    double dot_avx512bf16;       /* of pairs of bf16, VDPBF16PS */
    double dot_amx;              /* the same, TDPBF16PS */
    struct ceiling_u8 {
        double weights, dscores; /* operations/ns on bytes, by ceilings_u8_levels */
    } u8[CEILING_U8_LEVELS];
    double gb_per_s[CEILING_LEVELS_MAX][ACCESS_COUNT];
} ceiling_set;

typedef struct ceilings {
    double clock_ghz; /* of a chain of dependent multiplications */
    double timer_ns;  /* least difference of two readings of the clock */
    double call_ns;   /* a call of the timed loop that does nothing; 0: not measured */
    size_t n_levels;  /* nearest first, DRAM last */
    struct ceiling_level {
        char name[8];     /* "L2" */
        size_t instances; /* so many of them has the machine */
        size_t cores;     /* that share one */
        uint64_t holds;   /* bytes; DRAM: UINT64_MAX */
        uint64_t tested;  /* working set of the test, in one of them */
    } level[CEILING_LEVELS_MAX];
    size_t n_sets; /* one thread first, then more and more */
    ceiling_set sets[CEILING_SETS_MAX];
    char measured[40]; /* when */
    double age_s;      /* since then, where they were taken from a file */
} ceilings;

/* How much care is taken. */
typedef struct ceiling_effort {
    int repeats;     /* the best of so many */
    double sample_s; /* each at least so long */
    core_whole *
        core; /* those with less than a whole core do not count, up to eight times as many; NULL: all
                       * do */
} ceiling_effort;

/* The levels of the machine, nothing measured yet, for 1, 2, 4, … and `threads` threads. */
ceilings ceilings_of(const machine *m, size_t threads);

/* Measures, and keeps what is higher than what was found before: a ceiling is the most that was ever
 * seen. Some seconds for each number of threads. false: out of memory. */
bool ceilings_measure(ceilings *found, const int *cpus, ceiling_effort effort);

/* 1, 2, 4, … and the largest number; 0 behind it. */
size_t ceilings_more_threads(size_t threads, size_t most);

/* That of a number of threads, or NULL. */
const ceiling_set *ceilings_set(const ceilings *found, size_t threads);

/* The level that holds a working set, of which each thread has a part. */
size_t ceilings_level(const ceilings *found, double bytes, size_t threads);

/* The most operations that an ISA level, by its name, can do of a kind. */
struct ceiling_peak {
    const char *name;   /* "FMA", "BF16" */
    double gflop_per_s; /* 0 where it has no SIMD or is not known */
};
struct ceiling_peak ceilings_peak(const ceiling_set *set, const char *isa,
                                  enum ceiling_products products);

/* The levels that u8[] is of. */
extern const char *const ceilings_u8_levels[CEILING_U8_LEVELS];

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

typedef struct ceiling_crew {
    size_t threads;
    ceiling_task *tasks; /* one each */
    ceiling_effort effort;
} ceiling_crew;

/* Calls per nanosecond, summed over the threads; the best of some samples. */
double ceilings_rate(const ceiling_crew *crew, ceiling_work run);

void ceilings_keep(double *most, double found);

/* The peaks of registers; the tasks' count is set. */
void ceilings_measure_peaks(ceiling_set *set, const ceiling_crew *crew);
void ceilings_measure_u8(ceiling_set *set, const ceiling_crew *crew);
struct ceiling_peak ceilings_peak_u8(const ceiling_set *set, const char *isa,
                                     enum ceiling_products products);

/* One level of memory; the tasks' bytes and order are set. */
void ceilings_measure_memory(double gb_per_s[ACCESS_COUNT], const ceiling_crew *crew);

/* The clock in GHz, now: of the best of at least `repeats` chains of some tenths of a millisecond, more
 * until the best was seen twice. */
double ceilings_clock(int repeats);

#endif
