/* SPDX-License-Identifier: MIT
 *
 * Helpers shared by the *_u8_avx2.c and *_u8_avxvnni.c sources. */
#ifndef DOWNHILL_AVX2_U8_H
#define DOWNHILL_AVX2_U8_H

#include "simd/avx2.h"

enum { U8X32 = 32, I16X16 = 16 };

/* VPDPBUSD and VPDPWSSD of AVX-VNNI. Tests on machines without them define these macros themselves. */
#if defined DOWNHILL_VNNI && !defined DOWNHILL_DPBUSD
#define DOWNHILL_DPBUSD _mm256_dpbusd_avx_epi32
#define DOWNHILL_DPWSSD _mm256_dpwssd_avx_epi32
#endif

/* Forces a value into a register at this point, so that a load with several uses is not folded into each of them. It
 * also keeps an integer accumulator in its register: GCC 12 otherwise moves it back and forth, or spills it to the
 * stack. */
DOWNHILL_INLINE __m256i in_register_i(__m256i v)
{
    __asm__("" : "+x"(v));
    return v;
}

DOWNHILL_INLINE __m256i load_i(const void *from)
{
    return _mm256_loadu_si256(from);
}

DOWNHILL_INLINE void store_i(void *to, __m256i v)
{
    _mm256_storeu_si256(to, v);
}

/* Copies of rows of fewer than 32 features, padded with zeros: AVX2 has no masked load of bytes. */
struct short_rows {
    uint8_t copy[BLOCK_ROWS_MAX + U8_ROWS_PAST_END][U8X32];
    const void *x[BLOCK_ROWS_MAX + U8_ROWS_PAST_END];
};

DOWNHILL_INLINE void copy_short_rows(size_t n, size_t d, const void *const *x,
                                     struct short_rows *rows)
{
    for (size_t i = 0; i < n + U8_ROWS_PAST_END; i++) {
        memset(rows->copy[i], 0, U8X32);
        memcpy(rows->copy[i], x[i], d);
        rows->x[i] = rows->copy[i];
    }
}

/* Stores the sums of the last `count` features in dw, or adds them to it. The tail is summed as a whole vector of 32
 * features: it starts in the features before the tail, or, if the row has fewer than 32, it is padded with zeros. The
 * sums of the tail start at `first` in the vector. */
DOWNHILL_INLINE void add_last_sums(int32_t sums[PANEL_CLASSES][U8X32], size_t first, size_t count,
                                   size_t c, unsigned accumulate, int32_t *dw, size_t lddw)
{
    for (size_t j = 0; j < c; j++)
        for (size_t k = 0; k < count; k++)
            dw[j * lddw + k] = wrapped_sum(accumulate ? dw[j * lddw + k] : 0, sums[j][first + k]);
}

#endif
