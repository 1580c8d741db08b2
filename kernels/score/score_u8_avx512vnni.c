/* SPDX-License-Identifier: MIT
 *
 * Scores of bytes with AVX512-VNNI: those of AVX-512, but for the instruction that adds the products. */
#define DOWNHILL_LEVEL_NAME avx512vnni
#define DOWNHILL_VNNI
#include "score/score_u8_avx512.c"
