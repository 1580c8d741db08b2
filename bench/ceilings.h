/* SPDX-License-Identifier: MIT
 *
 * What this machine could do at most: the rate of its FMA units and of reading from each level of
 * its memory, on one core, measured. A row's attainable rate is the lower of the peak of its
 * ISA and its operations per byte times the read bandwidth of the level that holds its working set
 * (the roofline of Williams, Waterman and Patterson, 2009). */
#ifndef DOWNHILL_BENCH_CEILINGS_H
#define DOWNHILL_BENCH_CEILINGS_H

#include "base/machine.h"
#include "kernels.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CEILING_LEVELS_MAX = 4, CEILING_U8_LEVELS = 5 };

/* What the operations of a row are, which tells the instruction that they take. */
enum ceiling_products {
    PRODUCTS_F32,
    PRODUCTS_BF16,
    PRODUCTS_WEIGHTS_U8, /* of a byte and a weight of 16 bits */
    PRODUCTS_DSCORES_U8, /* of a byte and a dscore of 8 bits */
    PRODUCTS_STEP_U8,    /* half and half */
};

typedef struct ceilings {
    double clock_ghz;            /* of a chain of dependent multiplications */
    double fma_avx2, fma_avx512; /* GFLOP/s of f32 FMA; 0 where the CPU has none */
    double dot_avx512bf16;       /* of pairs of bf16, VDPBF16PS */
    double dot_amx;              /* the same, TDPBF16PS */
    struct ceiling_u8 {
        double weights, dscores; /* operations/ns on bytes, by ceilings_u8_levels */
    } u8[CEILING_U8_LEVELS];
    size_t n_levels; /* nearest first, DRAM last */
    struct ceiling_level {
        char name[8];    /* "L2" */
        uint64_t holds;  /* bytes; DRAM: UINT64_MAX */
        uint64_t tested; /* working set of the test */
        double gb_per_s; /* best of one and two streams, 256 and 512 bits */
    } level[CEILING_LEVELS_MAX];
} ceilings;

/* The levels of the machine, nothing measured yet. */
ceilings ceilings_of(const machine *m);

/* Measures, and keeps what is higher than what was found before: a ceiling is the most that was ever
 * seen. Takes about a second. false: out of memory. */
bool ceilings_measure(ceilings *found);

/* The level that holds a working set. */
const struct ceiling_level *ceilings_level(const ceilings *found, double bytes);

/* The most operations that an ISA level, by its name, can do of a kind. */
struct ceiling_peak {
    const char *name;   /* "FMA", "BF16" */
    double gflop_per_s; /* 0 where it has no SIMD or is not known */
};
struct ceiling_peak ceilings_peak(const ceilings *found, const char *isa,
                                  enum ceiling_products products);

/* The levels that u8[] is of. */
extern const char *const ceilings_u8_levels[CEILING_U8_LEVELS];

/* The part that is about bytes. */
void ceilings_measure_u8(ceilings *found, const float *buffer);
struct ceiling_peak ceilings_peak_u8(const ceilings *found, const char *isa,
                                     enum ceiling_products products);

/* Work that is timed. Returns what keeps the compiler from leaving it out. */
typedef float (*ceiling_work)(const float *buffer, size_t bytes, size_t count);

/* Calls per nanosecond, the best of some samples. */
double ceilings_rate(ceiling_work run, const float *buffer, size_t bytes, size_t count);

json_t *ceilings_to_json(const ceilings *found);
void ceilings_print(const ceilings *found);

#endif
