/* SPDX-License-Identifier: MIT
 *
 * Scores of bytes with AVX512-VNNI: the kernel of AVX-512, with one instruction that multiplies and adds. */
#define DOWNHILL_LEVEL_NAME avx512vnni
#define DOWNHILL_VNNI
#include "score/score_u8_avx512.c"
