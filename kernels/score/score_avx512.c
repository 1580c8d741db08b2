/* SPDX-License-Identifier: MIT
 *
 * Scores with AVX-512F: dot products along the features, a register tile of 4 samples × 5 classes.
 *
 * Per 16 features a full tile loads 4 + 5 vectors for 20 FMAs. With two 512-bit FMAs and two loads
 * a cycle (Skylake-SP and later with two FMA units, Zen 5) that is 10 cycles of FMA against 4.5 of
 * loads, and 20 independent accumulators cover the latency of 4 × 2 with room to spare: bound by
 * the FMA units as long as the 5 rows of W stay in L1, which is why the frame passes the features
 * in chunks. Zen 4 halves both rates. 20 accumulators + 4 of X + 1 of W use 25 of 32 registers.
 * Ten classes are two full tiles. Tails: samples by smaller tiles, features by a masked load. */
#include "avx512.h"
#include "kernels.h"

enum { TILE_ROWS = 4, TILE_CLASSES = 5 };

/* The sums of the lanes of four vectors, as one vector: 11 shuffles instead of 4 × 4. */
DOWNHILL_INLINE __m128 sum_lanes_of_four(const __m512 v[4])
{
    __m256 h[4];
    for (int i = 0; i < 4; i++)
        h[i] = _mm256_add_ps(_mm512_castps512_ps256(v[i]), _mm512_extractf32x8_ps(v[i], 1));
    /* Each 128-bit lane: (0, 1 interleaved), then (0, 1, 2, 3). */
    const __m256 s01 =
        _mm256_add_ps(_mm256_unpacklo_ps(h[0], h[1]), _mm256_unpackhi_ps(h[0], h[1]));
    const __m256 s23 =
        _mm256_add_ps(_mm256_unpacklo_ps(h[2], h[3]), _mm256_unpackhi_ps(h[2], h[3]));
    const __m256 s0123 = _mm256_add_ps(_mm256_shuffle_ps(s01, s23, _MM_SHUFFLE(1, 0, 1, 0)),
                                       _mm256_shuffle_ps(s01, s23, _MM_SHUFFLE(3, 2, 3, 2)));
    return _mm_add_ps(_mm256_castps256_ps128(s0123), _mm256_extractf128_ps(s0123, 1));
}

DOWNHILL_INLINE void tile(const int rows, const int classes, size_t d, const float *const *x,
                          const float *w, size_t ldw, float *scores, size_t lds)
{
    const float *x_row[TILE_ROWS];
    for (int r = 0; r < rows; r++)
        x_row[r] = x[r];
    __m512 sum_f32x16[TILE_CLASSES][TILE_ROWS];
    for (int j = 0; j < classes; j++)
        for (int r = 0; r < rows; r++)
            sum_f32x16[j][r] = _mm512_setzero_ps();

    size_t k = 0;
    for (; k + F32X16 <= d; k += F32X16) {
        __m512 x_f32x16[TILE_ROWS];
        for (int r = 0; r < rows; r++)
            x_f32x16[r] = in_register_x16(_mm512_loadu_ps(x_row[r] + k));
        for (int j = 0; j < classes; j++) {
            const __m512 w_f32x16 = in_register_x16(_mm512_loadu_ps(w + (size_t)j * ldw + k));
            for (int r = 0; r < rows; r++)
                sum_f32x16[j][r] = _mm512_fmadd_ps(x_f32x16[r], w_f32x16, sum_f32x16[j][r]);
        }
    }
    if (k < d) {
        const __mmask16 tail = first_lanes_x16(d - k);
        __m512 x_f32x16[TILE_ROWS];
        for (int r = 0; r < rows; r++)
            x_f32x16[r] = _mm512_maskz_loadu_ps(tail, x_row[r] + k);
        for (int j = 0; j < classes; j++) {
            const __m512 w_f32x16 = _mm512_maskz_loadu_ps(tail, w + (size_t)j * ldw + k);
            for (int r = 0; r < rows; r++)
                sum_f32x16[j][r] = _mm512_fmadd_ps(x_f32x16[r], w_f32x16, sum_f32x16[j][r]);
        }
    }

    DOWNHILL_UNROLL
    for (int j = 0; j < classes; j++) {
        __m512 four[TILE_ROWS];
        for (int r = 0; r < TILE_ROWS; r++)
            four[r] = r < rows ? sum_f32x16[j][r] : _mm512_setzero_ps();
        float sum[TILE_ROWS];
        _mm_storeu_ps(sum, sum_lanes_of_four(four));
        for (int r = 0; r < rows; r++)
            scores[(size_t)r * lds + (size_t)j] += sum[r];
    }
}

DOWNHILL_INLINE void column_of_tiles(const int classes, size_t n, size_t d, const float *const *x,
                                     const float *w, size_t ldw, float *scores, size_t lds)
{
    size_t i = 0;
    for (; i + TILE_ROWS <= n; i += TILE_ROWS)
        tile(TILE_ROWS, classes, d, x + i, w, ldw, scores + i * lds, lds);
    switch (n - i) {
    case 3:
        tile(3, classes, d, x + i, w, ldw, scores + i * lds, lds);
        break;
    case 2:
        tile(2, classes, d, x + i, w, ldw, scores + i * lds, lds);
        break;
    case 1:
        tile(1, classes, d, x + i, w, ldw, scores + i * lds, lds);
        break;
    default:
        break;
    }
}

void downhill_score_f32_avx512(size_t n, size_t d, size_t c, const float *const *x, const float *w,
                               size_t ldw, float *scores, size_t lds)
{
    for (size_t j = 0, classes; j < c; j += classes) {
        classes = next_tile(c - j, TILE_CLASSES);
        const float *wj = w + j * ldw;
        float *scores_j = scores + j;
        switch (classes) {
        case 5:
            column_of_tiles(5, n, d, x, wj, ldw, scores_j, lds);
            break;
        case 4:
            column_of_tiles(4, n, d, x, wj, ldw, scores_j, lds);
            break;
        case 3:
            column_of_tiles(3, n, d, x, wj, ldw, scores_j, lds);
            break;
        case 2:
            column_of_tiles(2, n, d, x, wj, ldw, scores_j, lds);
            break;
        default:
            column_of_tiles(1, n, d, x, wj, ldw, scores_j, lds);
            break;
        }
    }
}
