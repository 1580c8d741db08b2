/* SPDX-License-Identifier: MIT
 *
 * Scores of bytes with AVX-VNNI: the kernel of AVX2, with one instruction that multiplies and adds. */
#define DOWNHILL_LEVEL_NAME avxvnni
#define DOWNHILL_VNNI
#include "score/score_u8_avx2.c"
