/* SPDX-License-Identifier: MIT
 *
 * Synthetic samples, labelled by a known linear classifier, with a share of the labels wrong on
 * purpose. A sample depends only on the seed and its number, so a set of any size can be generated
 * piece by piece.
 *
 *   A, R     integers, A + R = 127: maximum distance of the class centres from 0, and of the
 *            samples from their centre, per feature. A : R = 5 √2 : √d, so that about the same
 *            small share of samples lies near a boundary for every d; A >= 1.
 *   W        c × d integers, uniform in -A … A, from stream 2⁶³-1 of the seed (base/rng.h), row by
 *            row.
 *   sample   k, its centre, is uniform in 0 … c-1. For each feature f from 0 on, take 32 bits of
 *            the generator (the low half of a number before its high half). With e = those bits
 *            times m/2³², rounded down:
 *              bytes  m = 2R + 1:   x_f = 128 + W_kf + e - R
 *              f32    m = 2¹⁷ R:    x_f = (W_kf + e/2¹⁶ - R)/128, in (-1, 1)
 *   score    W_j · x + b_j. b_j makes it largest for the nearest centre:
 *              bytes  b_j = -Σ_f W_jf (128 + W_jf/2)
 *              f32    b_j = -Σ_f W_jf²/256
 *            Scores are exact in f64, summed in any order: all terms are multiples of 2⁻²³ (f32) or
 *            ½ (bytes).
 *   label    the class with the largest score, the first of equal ones. If the next number of the
 *            generator, without its low 11 bits, is below noise · 2⁵³, another class, uniformly.
 *            Features and correct labels do not depend on the noise.
 *   stream   training sample i: stream i of the seed. Test sample i: stream 2⁶²+i.
 *
 * Cost: O(d·c) time per sample; c·d bytes of memory. */
#ifndef DOWNHILL_DATA_SYNTHETIC_H
#define DOWNHILL_DATA_SYNTHETIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stream of test sample 0. */
#define SYNTHETIC_TEST (UINT64_C(1) << 62)

typedef struct synthetic {
    size_t d, c;
    bool bytes; /* or f32 */
    double noise;
    uint64_t seed;
    int32_t amplitude, radius; /* A, R */
    int8_t *w;                 /* c × d */
    int64_t *norms;            /* Σ_f W_jf² of each class */
    /* d: features of a sample, centred at 0, in units of a byte or of 2⁻²³ */
    int32_t *steps;
} synthetic;

/* Prepares a generator. d is in 1 … DATASET_FEATURES_MAX, c in 2 … DATASET_CLASSES_MAX, noise in
 * [0, 1]. Returns false if memory is short; nothing needs closing then. */
bool synthetic_open(size_t d, size_t c, bool bytes, double noise, uint64_t seed, synthetic *g);
void synthetic_close(synthetic *g);

/* Writes the features of the sample of a stream to u8 or f32, whichever the generator makes (d
 * elements), and returns its label. *noisy tells whether the label is wrong on purpose. */
int32_t synthetic_sample(synthetic *g, uint64_t stream, uint8_t *u8, float *f32, bool *noisy);

/* Return W_jf, and b_j for the features as written. Exact in f32, except for |b_j| > 2²³, which no
 * seed gives. */
float synthetic_w(const synthetic *g, size_t j, size_t f);
float synthetic_b(const synthetic *g, size_t j);

#endif
