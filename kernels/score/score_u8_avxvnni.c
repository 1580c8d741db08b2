/* SPDX-License-Identifier: MIT
 *
 * Scores of bytes with AVX-VNNI: those of AVX2, but for the instruction that adds the products. */
#define DOWNHILL_LEVEL_NAME avxvnni
#define DOWNHILL_VNNI
#include "score/score_u8_avx2.c"
