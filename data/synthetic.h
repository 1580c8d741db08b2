/* SPDX-License-Identifier: MIT
 *
 * Samples that are made: labelled by a known linear classifier, with a share of the labels wrong on purpose. A sample
 * follows from the seed and its number alone, so a set of any size can be made piece by piece.
 *
 *   A, R     whole numbers, A + R = 127: how far the centres of the classes are from 0, and how far the samples from
 *            theirs. A : R = 5 √2 : √d, so that about the same few samples lie near a boundary for every d; A >= 1.
 *   W        c × d whole numbers, uniform in -A … A, from the stream 2⁶³-1 of the seed (base/rng.h), row by row.
 *   sample   k, its centre, uniform in 0 … c-1. For each feature f from 0 on, 32 bits of the generator, the low half of
 *            a number before its high half, times m/2³² and without the fraction, is e:
 *              bytes  m = 2R + 1:   x_f = 128 + W_kf + e - R
 *              f32    m = 2¹⁷ R:    x_f = (W_kf + e/2¹⁶ - R)/128, in (-1, 1)
 *   score    W_j · x + b_j. b_j makes it largest for the nearest centre:
 *              bytes  b_j = -Σ_f W_jf (128 + W_jf/2)
 *              f32    b_j = -Σ_f W_jf²/256
 *            Scores are exact, in f64 in any order, too: all terms are multiples of 2⁻²³ (f32) or ½ (bytes).
 *   label    the class with the largest score, the first of equal ones; another, uniformly, where the next number of the
 *            generator, without its low 11 bits, is below noise · 2⁵³. Features and right labels do not depend on
 *            the noise.
 *   stream   sample i of training: stream i of the seed. Sample i of the test: stream 2⁶²+i.
 *
 * Cost: O(d·c) a sample; c·d bytes. */
#ifndef DOWNHILL_DATA_SYNTHETIC_H
#define DOWNHILL_DATA_SYNTHETIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The stream of sample 0 of the test. */
#define SYNTHETIC_TEST (UINT64_C(1) << 62)

typedef struct synthetic {
    size_t d, c;
    bool bytes; /* or f32 */
    double noise;
    uint64_t seed;
    int32_t amplitude, radius; /* A, R */
    int8_t *w;                 /* c × d */
    int64_t *norms;            /* Σ_f W_jf² of each class */
    int32_t *steps;            /* d: a sample's x, from 0, in units of a byte or of 2⁻²³ */
} synthetic;

/* d in 1 … DATASET_FEATURES_MAX, c in 2 … DATASET_CLASSES_MAX, noise in [0, 1]. false: no memory; nothing is left. */
bool synthetic_open(size_t d, size_t c, bool bytes, double noise, uint64_t seed, synthetic *g);
void synthetic_close(synthetic *g);

/* The features of the sample of a stream, as d bytes or f32, the one that is made of them; its label is returned.
 * *noisy: it is not the right one. */
int32_t synthetic_sample(synthetic *g, uint64_t stream, uint8_t *u8, float *f32, bool *noisy);

/* W_jf, and b_j for features as they are: exact in f32, but for |b_j| > 2²³, which no seed gives. */
float synthetic_w(const synthetic *g, size_t j, size_t f);
float synthetic_b(const synthetic *g, size_t j);

#endif
